"""SQL over a library: what Python would count, and nothing of the outside."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import jsonschema
import pytest

from choreodb.cli import main
from choreodb.errors import QueryError
from choreodb.storage import specimen
from choreodb.storage.sql import VIEWS, query
from choreodb.storage.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return specimen.make(tmp_path_factory.mktemp("sql") / "library")


def test_counts_are_those_of_python(store: Store) -> None:
    clips = {row["clip"]: row["style"] for row in store.table("clips").to_pylist()}
    expected = Counter(clips[row["clip"]] for row in store.table("segments").to_pylist())
    answer = query(store, "select style, count(*) from segments group by 1")
    assert Counter(dict(answer.rows)) == expected
    assert answer.library_version == store.version


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_can_be_read_and_joined(store: Store, name: str) -> None:
    rows = store.manifest.rows(name)
    assert query(store, f"select count(*) from {name}").rows == ((rows,),)
    assert query(store, f"with x as (select * from {name}) select count(*) from x, clips").rows == ((rows * 3,),)


def test_limit_says_that_there_is_more(store: Store) -> None:
    assert len(query(store, "from segments", limit=4).rows) == 4
    assert query(store, "from segments", limit=4).truncated
    assert not query(store, "from segments", limit=18).truncated


def test_answers_are_json(store: Store, root: Path) -> None:
    strange = (
        "select 'nan'::double a, 1.5::decimal(5,2) b, now() c, interval 1 day d, [1.5, 'inf'::double] e, {'x': 1} f, "
        "'a'::blob g, null h, 170141183460469231731687303715884105727::hugeint i, true j, date '2001-02-03' k"
    )
    schema = json.loads((root / "docs" / "schema" / "sql.schema.json").read_text())
    for sql in (strange, "from clips", "from music", "select * from segments where false"):
        document = json.loads(json.dumps(query(store, sql).as_dict(), allow_nan=False))
        jsonschema.validate(document, schema)
    row = query(store, strange).rows[0]
    assert row[:2] == (None, "1.50")
    assert row[4:6] == ([1.5, None], {"x": 1})
    assert (row[7], row[9], row[10]) == (None, True, "2001-02-03")


@pytest.mark.parametrize(
    "sql",
    [
        "copy segments to '{outside}'",
        "export database '{outside}'",
        "attach '{outside}' as other",
        "create table x as select 1",
        "insert into clips select * from clips",
        "delete from clips",
        "drop view clips",
        "update clips set style = 'x'",
        "install httpfs",
        "load httpfs",
        "set threads = 4",
        "set enable_external_access = true",
        "reset lock_configuration",
        "pragma version",
        "call pragma_version()",
        "checkpoint",
        "prepare p as select 1",
        "explain analyze select 1",
        "select 1; select 2",
        "select 1; copy segments to '{outside}'",
        "select * from '{secret}'",
        "select * from read_csv('{secret}')",
        "select * from read_text('{secret}')",
        "select * from read_blob('{secret}')",
        "select * from read_parquet('{secret}')",
        "select * from read_json('{secret}')",
        "select * from glob('{folder}/*')",
        "select * from sniff_csv('{secret}')",
        "select * from parquet_metadata('{secret}')",
        "select * from read_csv('http://127.0.0.1:9/x')",
        "select * from 's3://bucket/x.parquet'",
        "select * from query('copy segments to ''{outside}''')",
        "select * from store",
        "select getenv('HOME')",
        "select * from nobody",
        "select nobody from clips",
        "select",
        "",
        "   ",
        "-- nothing",
        "select * from test_all_types()",
        "select date '5881580-07-10' d",
        "select timestamp '290309-12-22 (BC) 00:00:00' t",
        "\x00",
        "\ud800",
    ],
)
def test_what_reads_or_writes_elsewhere_is_refused_in_one_line(store: Store, tmp_path: Path, sql: str) -> None:
    secret, outside = tmp_path / "secret.csv", tmp_path / "outside"
    secret.write_text("a,b\n1,sesame\n")
    with pytest.raises(QueryError) as caught:
        query(store, sql.format(secret=secret, outside=outside, folder=tmp_path))
    assert "\n" not in str(caught.value)
    assert "sesame" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_a_query_without_end_is_stopped(store: Store) -> None:
    with pytest.raises(QueryError, match=r"took more than 0\.2 s"):
        query(store, "select count(*) from range(100000000000) a, range(1000) b", timeout_s=0.2)


@pytest.mark.parametrize(
    "sql", ["select repeat('x', 10000000000)", "select list(range) from range(1000000000)", f"select {'1+' * 60000}1"]
)
def test_a_query_that_wants_too_much_is_refused(store: Store, sql: str) -> None:
    with pytest.raises(QueryError):
        query(store, sql, timeout_s=20.0)


@pytest.mark.parametrize(("limit", "timeout_s"), [(0, 1.0), (-3, 1.0), (1, 0.0), (1, float("nan")), (1, float("inf"))])
def test_limits_that_make_no_sense(store: Store, limit: int, timeout_s: float) -> None:
    with pytest.raises(QueryError, match="expected"):
        query(store, "select 1", limit=limit, timeout_s=timeout_s)


def test_the_command(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", str(store.path), "select performer, count(*) as n from clips group by 1 order by 2"]) == 0
    assert "Ann O'Dance" in capsys.readouterr().out
    assert main(["sql", str(store.path), "drop table clips"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
