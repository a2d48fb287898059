"""Update: what a library derives from its clips, after some of them went and others came, in proportion to these.

Nothing that stays is read from its motion, embedded or connected again. Rows keep the order that indexing everything at once
would give, so that arrays are copied once, in sequence. Statistics stay those of the last fit; where they have drifted too
far from what the library now holds, `update` says so, and everything is to be fitted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from choreodb.indexer import connect, drift, ingest, segments, twin_update, twins
from choreodb.indexer.boundaries import BoundaryConfig
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.indexer.ingest import ClipSegments
from choreodb.motion.kinematics import heading
from choreodb.storage import graph, graph_update, index
from choreodb.storage.graph_update import Limits, Spans
from choreodb.storage.index import Write
from choreodb.storage.rows import moved, text_codes
from choreodb.storage.store import Store
from choreodb.storage.tables import ARRAYS, SEGMENTS, TRANSITIONS

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """What is derived from the clips of a library, as `Store.commit` is to write it.

    meta, encoder, models: what goes with it; None is what the library has.
    """

    tables: Mapping[str, pa.Table]
    arrays: Mapping[str, npt.NDArray[Any]]
    index: Mapping[str, Write]
    meta: Mapping[str, Any] = field(default_factory=dict)
    encoder: Mapping[str, str] | None = None
    models: Mapping[str, bytes] | None = None

    @classmethod
    def of(cls, connected: connect.Connected) -> Derived:
        """Everything, fitted anew."""
        return cls(
            tables={"segments": connected.segments, "transitions": connected.transitions},
            arrays=connected.arrays,
            index=index.build_files(connected.arrays["embeddings"]),
            meta=connected.meta,
            encoder={"name": connected.encoder.name, "sha256": connected.encoder.hash},
            models=connected.models,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """Where rows go. keep: [S] which stay; number: [S] their new places, -1 without one; added: [M] places of new rows."""

    keep: Bools
    number: Ints
    added: Ints

    @property
    def total(self) -> int:
        """Rows afterwards."""
        return int(self.keep.sum()) + len(self.added)


def update(
    store: Store,
    gone: Collection[str],
    clips: Sequence[Row],
    described: Sequence[ClipSegments],
    unmirrored: frozenset[str],
    trained: Trained | None,
    folder: Path,
) -> Derived | None:
    """The library of `store` without the clips `gone` and with `clips`, or None where everything is to be fitted anew.

    clips: new rows of the clips table, sorted; a clip that changes is in both. described: one for each. unmirrored: those
    without mirror images. folder: for arrays that are larger than memory should hold.
    """
    if not possible(store, added=bool(clips)):
        return None
    if not (gone or clips):
        return Derived({}, {}, {})
    columns, new = connect.lay_out(
        clips, described, unmirrored, _rows_of(store, trained), store.meta["boundary"]["spread"]
    )
    order = _order(store, gone, columns)
    arrays = {name: _spliced(store, name, new[name], order, folder) for name in store.manifest.arrays}
    plain = _plain(store, order, columns)
    moved = drift.between(store.meta["fit"], drift.state(arrays, plain, store.meta["encoder"]))
    if moved > drift.LIMIT:
        return None
    tables = _tables(store, order, columns, described, arrays, plain)
    return Derived(tables, arrays, _index(store, arrays["embeddings"], order))


def possible(store: Store, *, added: bool) -> bool:
    """Whether the library was made with what is needed, by the same rules, and is large enough for it to be worth while."""
    fit, boundary = store.meta.get("fit"), store.meta.get("boundary", {})
    if fit is None or store.manifest.arrays.keys() != ARRAYS.keys():
        return False
    if store.meta.get("graph") != _plain_json(connect.GraphConfig()):
        return False
    if boundary.get("config") != _plain_json(BoundaryConfig()):
        return False
    return not added or fit["segments"] >= drift.SMALL


def _plain_json(config: Any) -> Any:
    """A config as the manifest has it, where tuples are lists."""
    import json
    from dataclasses import asdict

    return json.loads(json.dumps(asdict(config)))


def _rows_of(store: Store, trained: Trained | None) -> Callable[[ClipSegments], npt.NDArray[np.float32]]:
    if trained is not None:
        return connect.embedded
    encoder = RhythmEncoder.from_meta(store.meta["encoder"])
    return lambda clip: encoder.embed(clip.rhythm)


def _order(store: Store, gone: Collection[str], columns: Sequence[Row]) -> _Order:
    """Captured clips by id, and virtual copies behind them as they were."""
    codes, clips = text_codes(store.columns("segments", ["clip"]).column("clip"))
    keep = ~np.isin(codes, [at for at, clip in enumerate(clips) if clip in gone])
    copied = _copies(store)
    own = np.array([clip not in copied for clip in clips], dtype=np.bool_)
    # a new clip goes before the first captured one with a higher id
    start = np.unique(codes, return_index=True)[1]
    captured = sorted((clip, int(start[at])) for at, clip in enumerate(clips) if own[at])
    end = int(np.flatnonzero(own[codes])[-1]) + 1 if captured else 0
    lines = np.array([row for _, row in captured] + [end], dtype=np.int64)
    wanted = np.array([row["clip"] for row in columns], dtype=object)
    before = lines[np.searchsorted(np.array([clip for clip, _ in captured], dtype=object), wanted)]
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    added = kept_before[before] + np.arange(len(wanted))
    number = np.full(len(keep), -1, dtype=np.int64)
    free = np.ones(int(keep.sum()) + len(wanted), dtype=np.bool_)
    free[added] = False
    number[keep] = np.flatnonzero(free)
    return _Order(keep, number, added)


def _copies(store: Store) -> dict[str, str]:
    """The captured clip of every virtual copy."""
    table = store.columns("clips", ["clip", "copy_of"])
    table = table.filter(pc.is_valid(table.column("copy_of")))
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _spliced(store: Store, name: str, new: npt.NDArray[Any], order: _Order, folder: Path) -> npt.NDArray[Any]:
    """An array with rows taken out and put in; on the disk where it is large."""
    old = store.array(name)
    out = moved(old, order.number, order.total, folder / f"{name}.npy")
    if len(order.added):
        out[order.added] = new.astype(old.dtype)
    return out


def _plain(store: Store, order: _Order, columns: Sequence[Row]) -> Ints:
    """Places of captured, unmirrored rows afterwards."""
    old = order.number[drift.captured(store)]
    new = order.added[[at for at, row in enumerate(columns) if not row["mirrored"]]]
    return np.sort(np.concatenate([old[old >= 0], new.astype(np.int64)]))


def _tables(
    store: Store,
    order: _Order,
    columns: Sequence[dict[str, Any]],
    described: Sequence[ClipSegments],
    arrays: Mapping[str, npt.NDArray[Any]],
    plain: Ints,
) -> dict[str, pa.Table]:
    """Segments and transitions afterwards."""
    rows = _segments(store, order, columns)
    continuation = rows.column("continuation").to_numpy()
    edges = _edges(store, order, rows, continuation, arrays)
    twin = _twin_groups(store, order, rows, columns, described, arrays["outline"], plain)
    rows = _with(rows, "walkable", graph.walkable(len(rows), edges[0], edges[1]))
    rows = _with(rows, "twin_group", twin)
    schema = pa.schema([field.remove_metadata() for field in TRANSITIONS])
    source, target, cost = edges
    return {
        "segments": rows,
        "transitions": pa.table([source, target, cost, continuation[source] == target], schema=schema),
    }


def _segments(store: Store, order: _Order, columns: Sequence[dict[str, Any]]) -> pa.Table:
    """The segments table in the new order, with row numbers and continuations that fit."""
    schema = pa.schema([field.remove_metadata() for field in SEGMENTS])
    old = store.table("segments").filter(pa.array(order.keep))
    new = pa.Table.from_pylist(list(columns), schema=schema)
    place = np.empty(order.total, dtype=np.int64)
    place[order.number[order.keep]] = np.arange(len(old))
    place[order.added] = len(old) + np.arange(len(new))
    before = store.columns("segments", ["continuation"]).column(0).to_numpy()[order.keep]
    after = new.column("continuation").to_numpy()
    follows = np.concatenate(
        [
            np.where(before >= 0, order.number[before], -1),
            np.where(after >= 0, order.added[after], -1) if len(after) else after,
        ]
    )
    rows = pa.concat_tables([old, new]).take(pa.array(place))
    rows = _with(rows, "continuation", follows[place])
    return _with(rows, "segment", np.arange(order.total))


def _with(table: pa.Table, name: str, values: npt.NDArray[Any]) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, pa.array(values, SEGMENTS.field(name).type))


def _edges(
    store: Store, order: _Order, rows: pa.Table, continuation: Ints, arrays: Mapping[str, npt.NDArray[Any]]
) -> graph.Edges:
    table = store.columns("transitions", ["source", "target", "cost"])
    source, target, cost = (column.to_numpy() for column in table.columns)
    inside = order.keep[source] & order.keep[target]
    old: graph.Edges = (order.number[source[inside]], order.number[target[inside]], cost[inside])
    left_by = np.unique(order.number[source[order.keep[source] & ~order.keep[target]]])
    entered_from = np.unique(order.number[target[~order.keep[source] & order.keep[target]]])
    config = connect.GraphConfig()
    spans = Spans(
        arrays["entry"], arrays["exit"], continuation, text_codes(rows.column("origin"))[0],
        rows.column("origin_start_s").to_numpy(), rows.column("origin_end_s").to_numpy(),
    )  # fmt: skip
    limits = Limits(config.degree, config.in_degree, config.threshold)
    return graph_update.updated(old, spans, limits, added=order.added, left_by=left_by, entered_from=entered_from)


def _twin_groups(
    store: Store,
    order: _Order,
    rows: pa.Table,
    columns: Sequence[Row],
    described: Sequence[ClipSegments],
    outlines: npt.NDArray[Any],
    plain: Ints,
) -> Ints:
    """Twin group of every row: of captured bars, and of their images and copies like theirs."""
    (clip, names), (origin, _) = (text_codes(rows.column(name)) for name in ("clip", "origin"))
    values = {name: rows.column(name).to_numpy() for name in ("first_bar", "start_s", "end_s", "origin_start_s")}
    bars = twin_update.bars_of({**values, "clip": clip, "origin": origin}, plain)
    group = rows.column("twin_group").to_numpy()[plain].astype(np.int64)
    new = [at for at, row in enumerate(columns) if not row["mirrored"]]
    added = np.searchsorted(plain, order.added[new])
    poses = np.concatenate([each.poses for each in described]) if described else np.empty((0, 1, 1), np.float16)
    facts = {row["clip"]: row for row in _needed(store)}
    found = twin_update.groups(
        bars, group, outlines[plain], added, poses, lambda code: _poses(store, facts[names[code]])
    )
    copied = _copies(store)
    place = {name: code for code, name in enumerate(names)}
    source_of = np.array([place[copied.get(name, name)] for name in names], dtype=np.int64)
    return twin_update.spread_out(found, plain, source_of[clip], values["first_bar"].astype(np.int64))


def _needed(store: Store) -> list[dict[str, Any]]:
    columns = ["clip", "frames", "beats_s", "beat_positions", "metre", "tempo_bpm", "beat_confidence", "beat_source"]
    return store.columns("clips", columns).to_pylist()


def _poses(store: Store, row: Row) -> npt.NDArray[np.float16]:
    """Poses of the bars of a clip that is in the library, from its motion."""
    rotations, root, _ = store.read_motion(row["clip"], 0, row["frames"])
    positions = ingest.joint_positions(rotations, root)
    cuts = segments.cut(ingest.grid_of(dict(row)), len(rotations), ingest.FPS)
    return twins.measure(positions, heading(rotations.astype(np.float64)), ingest.FPS, cuts)


def _index(store: Store, embeddings: npt.NDArray[np.float32], order: _Order) -> dict[str, Write]:
    """The library's index with rows taken out and put in, where it can, else a new one."""
    moved = index.moved(store, embeddings, order.number, order.added)
    return index.build_files(embeddings) if moved is None else moved
