"""`bench scale`: it runs, and its numbers add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreodb.benchmarks.runs import scale
from choreodb.errors import QueryError
from choreodb.storage.store import Store


def test_copies_fill_a_library_up_to_a_size(sample_library: Path) -> None:
    captured = Store.open(sample_library).manifest.rows("segments")
    size = 2 * captured + 1
    rows = scale.bench_scale(scale.Effort((size,), song_s=12.0), library=sample_library)
    row = rows[0]
    assert row["segments"] == 3 * captured
    assert row["captured_segments"] == captured
    assert 0 < row["read_bytes"] <= row["motion_bytes"]
    assert row["recall"] == 1.0
    assert row["open_rss_mb"] >= row["import_rss_mb"] > 0
    parts = [row for row in rows if row["kind"] == "part"]
    forms = {row["form"]: row["to_compact"] for row in rows if row["kind"] == "form"}
    assert forms["BVH text"] > forms["motion table, float32"] > forms["motion table, compact"] == 1.0
    assert sum(part["mb"] for part in parts) == pytest.approx(row["bytes"] / 1e6)
    assert {part["part"] for part in parts} >= {"table motion", "array entry", "table segments"}
    table = scale.format_table(rows)
    assert "virtual" in table
    assert len(Store.versions(sample_library)) == 1


def test_rates_are_different_and_none_is_one() -> None:
    rates = scale.rates(301)
    assert len(set(rates)) == 301
    assert 1.0 not in rates
    assert min(rates) > 0.5
    assert max(rates) < 2.0
    with pytest.raises(QueryError, match="too near"):
        scale.rates(30_000)
