"""The view of segments, and conditions over it: what they select, and everything else they must not do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.errors import QueryError
from choreodb.storage import catalogue, specimen
from choreodb.storage.catalogue import VIEW, checked_sql, matching, query_segments
from choreodb.storage.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return specimen.make(tmp_path_factory.mktemp("catalogue") / "library")


@pytest.fixture(scope="module")
def rows(store: Store) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = catalogue.segments(store).to_pylist()
    return rows


def test_the_view_has_its_documented_columns_and_types(store: Store) -> None:
    view = catalogue.segments(store)
    assert {field.name: str(field.type) for field in view.schema} == {name: kind for name, (kind, _) in VIEW.items()}
    assert view.column("segment").to_pylist() == list(range(18))


def test_the_view_joins_clips(store: Store, rows: list[dict[str, Any]]) -> None:
    clips = {row["clip"]: row for row in store.table("clips").to_pylist()}
    for row in rows:
        for name in ("dataset", "style", "performer", "licence", "music", "residual_cm"):
            assert row[name] == clips[row["clip"]][name]
        assert row["has_hands"] == (clips[row["clip"]]["joints"] == 52)
        assert row["duration_s"] == row["end_s"] - row["start_s"]
        assert row["bpm"] == row["tempo_bpm"]


TWINS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "style = 'waltz'": lambda row: row["style"] == "waltz",
    "Style = 'waltz' AND NOT Mirrored": lambda row: row["style"] == "waltz" and not row["mirrored"],
    "segments.style ilike 'R%'": lambda row: (row["style"] or "").startswith("r"),
    "style is null or style in ('rumba', 'tango')": lambda row: row["style"] in (None, "rumba"),
    "style not in ('rumba')": lambda row: row["style"] == "waltz",
    "performer = 'Ann O''Dance'": lambda row: row["performer"] is not None,
    "bpm between 100 and 120 and energy * 2 > 1.5": lambda row: row["energy"] * 2 > 1.5,
    "(end_s - start_s) / 2 = 1 and start_s % 4 = 0": lambda row: row["start_s"] % 4 == 0,
    "has_hands": lambda row: bool(row["has_hands"]),
    "mirrored = true and walkable is not null": lambda row: bool(row["mirrored"]),
    "upper(style) = 'WALTZ' or abs(-segment) < 3": lambda row: row["style"] == "waltz" or row["segment"] < 3,
    "clip not like '%0' and -segment <= -4": lambda row: not row["clip"].endswith("0") and row["segment"] >= 4,
    "segment // 2 = 3": lambda row: row["segment"] // 2 == 3,
    "true": lambda row: True,
    "1 = 2": lambda row: False,
    "metre / 0 < 0": lambda row: False,
    "clip = 'x; drop table segments; --'": lambda row: False,
    "clip = '/* */ read_csv()'": lambda row: False,
}


@pytest.mark.parametrize("where", TWINS)
def test_a_condition_selects_what_python_would(store: Store, rows: list[dict[str, Any]], where: str) -> None:
    found = matching(store, where)
    assert found.dtype == np.bool_
    assert found.tolist() == [TWINS[where](row) for row in rows]


@settings(max_examples=25, deadline=None)
@given(low=st.floats(-1, 3), high=st.floats(-1, 3), style=st.text(max_size=6))
def test_literals_mean_themselves(store: Store, low: float, high: float, style: str) -> None:
    quoted = style.replace("'", "''")
    energy = store.table("segments").column("energy").to_numpy().astype(np.float64)
    try:
        found = matching(store, f"energy >= {low!r} and energy < {high!r} and clip <> '{quoted}'")
    except QueryError:
        assert "\x00" in style or any(0xD800 <= ord(c) < 0xE000 for c in style)
        return
    np.testing.assert_array_equal(found, (energy >= low) & (energy < high))


REFUSED = [
    "null", "", "  ", "bpm", "'waltz'", "bpm + 1", "bpm >", "and", "bpm > 1 bpm < 3", "(bpm > 1", "bpm > 1)",
    "true; select 1", "true; drop table segments", ";", "bpm > 1;", "bpm = 1 -- comment", "/* x */ bpm = 1", "# bpm",
    "1=1) union select (1", "true union select true", "true limit 3", "true order by bpm", "true as x", "select true",
    "(select true)", "style in (select 'a')", "exists (select 1)", "bpm > any (select 1)", "bpm > all (select 1)",
    "style in ()", "style in style", "style in (1, (select 2))", "(style, 'a') = ('b', 'c')", "*", "segments.*",
    "read_csv('/etc/passwd') = 'x'", "read_text('/etc/passwd') is null", "getenv('HOME') = 'x'", "random() > 0.5",
    "length(style) = 3", "now() > '2020-01-01'", "current_date is null", "version() = 'x'", "count(*) > 1",
    "row_number() over () = 1", "bpm::int = 1", "cast(bpm as int) = 1", "case when true then true end", "style || 'x' = 'y'",
    "[1, 2] = [1]", "{'a': 1} is null", "segment[1] = 2", "x -> x", "$1 = 2", "? = 1", ":name = 1", "interval 1 day is null",
    "date '2020-01-01' is null", "style ~ 'a'", "style similar to 'a'", "style collate nocase = 'x'", "style glob 'a*'",
    "bpm between symmetric 3 and 1", "e'\\n' = style", "nope = 1", "clips.clip = 'a'", "main.segments.clip = 'a'",
    "information_schema.tables.table_name = 'x'", "style = \"waltz\"", "style = 3", "segment * 9223372036854775807 > 1",
    "copy segments to '/tmp/x'", "attach '/tmp/x'", "set enable_external_access = true", "install httpfs", "pragma version",
    "(" * 5000 + "true" + ")" * 5000, "not " * 5000 + "true", "bpm = 1 or " * 5000 + "true", "'unclosed", "bpm = 'x", "\x00",
    "columns('.*') is null", "try_cast(bpm as int) = 1", "lower(style, 'x') = 'a'", "abs() = 1", "lambda x: x", "bpm := 1",
]  # fmt: skip


@pytest.mark.parametrize("where", REFUSED)
def test_anything_but_one_condition_is_refused_in_one_line(store: Store, where: str) -> None:
    with pytest.raises(QueryError) as caught:
        matching(store, where)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_messages_name_the_remedy(store: Store) -> None:
    with pytest.raises(QueryError, match=r"no column 'nope'; columns are segment, clip, .*residual_cm"):
        matching(store, "nope = 1")
    with pytest.raises(QueryError, match="text goes in single quotes: 'waltz'"):
        matching(store, 'style = "waltz"')
    with pytest.raises(QueryError, match="DOUBLE, not true or false"):
        matching(store, "bpm")


def test_nothing_of_the_outside_can_be_reached(tmp_path: Path, store: Store) -> None:
    """Even SQL that got past the parser finds a database without files, settings and Python's variables."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    secret = {"a": [1]}
    assert secret
    for sql in (
        f"(SELECT count(*) FROM read_csv('{tmp_path / 'secret.csv'}')) = 1",
        "(SELECT count(*) FROM secret) = 1",
        f"(SELECT count(*) FROM '{tmp_path / 'secret.csv'}') = 1",
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(catalogue, "checked_sql", lambda where, columns: where)
            with pytest.raises(QueryError):
                matching(store, sql)


def test_what_is_executed_is_written_out_from_the_tree() -> None:
    assert checked_sql("  bpm   >1 AND\nstyle='a' ") == '"bpm" > 1 AND "style" = \'a\''


def test_query_segments(store: Store) -> None:
    found = query_segments(store, "style = 'waltz' and not mirrored", ["clip", "start_s"])
    assert found.to_pylist() == [{"clip": "specimen/clip0", "start_s": 2.0 * bar} for bar in range(3)]
    assert query_segments(store).column_names == list(VIEW)
    assert len(query_segments(store)) == 18
    with pytest.raises(QueryError, match="no column 'nope'"):
        query_segments(store, columns=["nope"])


def test_an_empty_library_matches_nothing(tmp_path: Path) -> None:
    empty = Store.create(tmp_path / "empty")
    assert matching(empty, "bpm > 1").shape == (0,)


def test_the_query_path_pays_only_for_what_it_uses(store: Store) -> None:
    """Opening a library and reading the view imports no database, parser, compiler or graph library."""
    script = (
        "import sys; from choreodb.storage import catalogue; from choreodb.storage.store import Store;"
        f"s = Store.open({str(store.path)!r}); catalogue.query_segments(s); s.read_motion('specimen/clip0', 0, 9);"
        "print(sorted({'duckdb', 'sqlglot', 'faiss', 'numba', 'networkx', 'scipy', 'librosa'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
