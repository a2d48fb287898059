"""Catalogue: the public view of segments, and the boolean expressions (`--where`) that select from it.

An expression is parsed, checked node by node against an allow-list, written out again from the checked tree, and only
then evaluated, in an in-memory database that can read and write nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from choreodb.errors import QueryError
from choreodb.storage.store import Store

if TYPE_CHECKING:
    from sqlglot import exp

VIEW: dict[str, tuple[str, str]] = {
    "segment": ("int64", "row number of the segment"),
    "clip": ("string", "id of its clip"),
    "dataset": ("string", "name of the source folder"),
    "style": ("string", "style label, or null"),
    "performer": ("string", "performer label, or null"),
    "licence": ("string", "licence as stated by the source, or null"),
    "consent": ("string", "what the source says of the performer's consent, or null"),
    "tempo_bpm": ("double", "the segment's own tempo; null without beats"),
    "bpm": ("double", "the same as tempo_bpm"),
    "metre": ("int32", "beats a bar; null without beats"),
    "start_s": ("double", "clip seconds at its start"),
    "end_s": ("double", "clip seconds at its end"),
    "energy": ("float", "mean joint speed, m/s"),
    "beat_source": ("string", "music, motion or none"),
    "mirrored": ("bool", "a virtual copy, left and right exchanged"),
    "has_hands": ("bool", "fingers were captured"),
    "has_face": ("bool", "the face was captured"),
    "short": ("bool", "the whole clip, which is too short for a bar"),
    "walkable": ("bool", "in the part of the transition graph where no dance dead-ends"),
    "bars": ("int32", "bars it spans"),
    "duration_s": ("double", "seconds it lasts"),
    "music": ("string", "key of the paired song, or null"),
    "residual_cm": ("double", "mean joint distance between the source and the canonical motion of its clip, cm"),
}
"""Columns of the view `segments`: type and meaning."""

MAX_CHARACTERS = 20_000
_ARGUMENTS = frozenset(
    ("this", "expression", "expressions", "low", "high", "quoted", "is_string", "typed", "safe", "table", "negate")
)
_FROM_SEGMENTS = (
    "segment", "clip", "tempo_bpm", "metre", "start_s", "end_s", "energy", "beat_source", "mirrored", "short",
    "walkable", "bars",
)  # fmt: skip
_FROM_CLIPS = ("clip", "dataset", "style", "performer", "licence", "consent", "music", "residual_cm", "joints", "face")
_OF_CLIPS = ("clip", "dataset", "style", "performer", "licence", "consent", "tempo_bpm", "metre", "beat_source")

CLIP_VIEW: dict[str, tuple[str, str]] = {
    name: about
    for name, about in VIEW.items()
    if name in (*_OF_CLIPS, "bpm", "has_hands", "has_face", "duration_s", "music", "residual_cm")
}
"""Columns of `VIEW` that a whole clip has, too; what the `--where` of `delete` and `relabel` sees."""


def segments(store: Store) -> pa.Table:
    """The public view: one row a segment, in segment order, with the columns of `VIEW`."""
    rows = store.columns("segments", _FROM_SEGMENTS)
    clips = store.columns("clips", _FROM_CLIPS)
    joined = clips.take(pc.index_in(rows.column("clip"), value_set=clips.column("clip").combine_chunks()))
    values = {name: rows.column(name) for name in _FROM_SEGMENTS}
    values |= {name: joined.column(name) for name in _FROM_CLIPS if name not in ("clip", "joints", "face")}
    values["bpm"] = values["tempo_bpm"]
    values["has_hands"] = pc.greater(joined.column("joints"), 22)
    channels = pc.fill_null(pc.list_value_length(joined.column("face")), 0)
    values["has_face"] = pc.greater(channels, 0)
    values["duration_s"] = pc.subtract(values["end_s"], values["start_s"])
    return pa.table({name: values[name] for name in VIEW})


def matching(store: Store, where: str) -> npt.NDArray[np.bool_]:
    """Which segments [S] match a boolean expression over the view; null counts as no.

    QueryError, in one line, where `where` is anything but one boolean expression.
    """
    return _evaluate(segments(store), where)


def matching_clips(store: Store, where: str) -> list[str]:
    """Ids of the clips that match a boolean expression over `CLIP_VIEW`, sorted; QueryError as of `matching`."""
    names = (*_OF_CLIPS, "duration_s", "music", "residual_cm", "joints", "face")
    clips = store.columns("clips", names)
    values = {name: clips.column(name) for name in names if name not in ("joints", "face")}
    values["bpm"] = values["tempo_bpm"]
    values["has_hands"] = pc.greater(clips.column("joints"), 22)
    values["has_face"] = pc.greater(pc.fill_null(pc.list_value_length(clips.column("face")), 0), 0)
    view = pa.table({"segment": pa.array(np.arange(len(clips))), **{name: values[name] for name in CLIP_VIEW}})
    chosen = clips.column("clip").filter(pa.array(_evaluate(view, where, CLIP_VIEW)))
    return sorted(chosen.to_pylist())


def query_segments(store: Store, where: str | None = None, columns: Sequence[str] = ()) -> pa.Table:
    """Rows of the view that match `where` (all without one), with `columns` (all where none are named)."""
    for column in columns:
        if column not in VIEW:
            raise QueryError(f"no column {column!r} in segments; columns are {', '.join(VIEW)}")
    view = segments(store)
    if where is not None:
        view = view.filter(pa.array(_evaluate(view, where)))
    return view.select(list(columns) or list(VIEW))


def _evaluate(view: pa.Table, where: str, columns: Mapping[str, object] = VIEW) -> npt.NDArray[np.bool_]:
    import duckdb

    condition = checked_sql(where, columns)
    # threads stay at one: the work is tiny, and starting threads would cost more
    config = {"enable_external_access": "false", "lock_configuration": "true", "threads": "1"}
    config |= {"python_enable_replacements": "false", "autoload_known_extensions": "false"}
    with duckdb.connect(":memory:", config=config) as connection:
        connection.register("segments", view)
        try:
            kind = str(connection.sql(f"SELECT ({condition}) AS matches FROM segments").types[0])
            if kind != "BOOLEAN":
                raise _refusal(where, f"it is a {kind}, not true or false")
            rows = connection.sql(f"SELECT segment FROM segments WHERE {condition}").to_arrow_table()
        except duckdb.Error as error:
            raise _refusal(where, str(error).strip().split("\n")[0]) from None
    numbers = view.column("segment").to_numpy()
    return np.isin(numbers, rows.column("segment").to_numpy())


def checked_sql(where: str, columns: Mapping[str, object] = VIEW) -> str:
    """`where` as SQL written out from its checked syntax tree; QueryError where it is not allowed.

    columns: those that it may name.
    """
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError
    from sqlglot.tokens import TokenType

    if not where.strip():
        raise QueryError("--where is empty; expected a condition such as \"style = 'waltz' and bpm > 90\"")
    if len(where) > MAX_CHARACTERS:
        raise QueryError(f"--where has {len(where)} characters; at most {MAX_CHARACTERS} are accepted")
    try:
        if any(token.token_type is TokenType.SEMICOLON for token in sqlglot.tokenize(where, read="duckdb")):
            raise _refusal(where, "it has a semicolon")
        tree = sqlglot.parse_one(where, read="duckdb", into=exp.Condition)
        for node in tree.walk():
            _check_node(where, node, columns)
        return tree.sql(dialect="duckdb", identify=True)
    except SqlglotError:
        raise _refusal(where, "it is not one condition") from None
    except RecursionError:
        raise _refusal(where, "it is nested too deeply") from None


def _check_node(where: str, node: exp.Expression, columns: Mapping[str, object]) -> None:
    """QueryError unless `node` is of an allowed kind and holds nothing but allowed parts."""
    from sqlglot import exp

    allowed = {
        exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg,
        exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
        exp.Like, exp.ILike, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Lower, exp.Upper, exp.Abs,
    }  # fmt: skip
    if node.comments:
        raise _refusal(where, "it has a comment")
    if type(node) not in allowed:
        raise _not_allowed(where, node)
    if isinstance(node, exp.Column):
        _check_column(where, node, columns)
    if any(value and name not in _ARGUMENTS for name, value in node.args.items()):
        raise _not_allowed(where, node)
    if isinstance(node, exp.In) and not node.expressions:
        raise _refusal(where, "IN needs a list of values, such as style in ('waltz', 'rumba')")


def _check_column(where: str, column: exp.Column, columns: Mapping[str, object]) -> None:
    if column.args.get("db") or column.args.get("catalog") or column.table.lower() not in ("", "segments"):
        raise _refusal(where, f"only columns of segments can be named, not {column.sql()!r}")
    if column.name.lower() not in columns:
        hint = f" (text goes in single quotes: '{column.name}')" if column.args["this"].args.get("quoted") else ""
        raise _refusal(where, f"there is no column {column.name!r}{hint}; columns are {', '.join(columns)}")


def _not_allowed(where: str, node: exp.Expression) -> QueryError:
    return _refusal(where, f"{node.sql(dialect='duckdb')[:40]!r} is not allowed")


def _refusal(where: str, why: str) -> QueryError:
    shown = " ".join(where.split())
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return QueryError(
        f"--where {shown!r}: {' '.join(why.split())}; expected one condition over the columns of segments"
    )
