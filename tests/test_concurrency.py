"""Readers beside a writer that commits and vacuums: no query fails, and every answer is its version's."""

from __future__ import annotations

import shutil
from pathlib import Path

from choreodb.benchmarks.runs.concurrency import Load, bench_concurrency
from choreodb.storage.verify import verify


def test_no_query_fails_while_versions_come_and_go(sample_library: Path, sample_song: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(sample_library, tmp_path / "lib"))
    row = bench_concurrency(library, sample_song, Load(readers=2, commits=5, vacuum_every=2))
    assert (row["failed"], row["wrong"], row["failures"]) == (0, 0, [])
    assert row["queries"] >= 2
    assert row["removed"] > 0
    assert verify(library) == ()


def test_the_writer_goes_on_where_a_vacuum_took_what_it_would_go_back_to(
    sample_library: Path, sample_song: Path, tmp_path: Path
) -> None:
    library = Path(shutil.copytree(sample_library, tmp_path / "library"))
    row = bench_concurrency(library, sample_song, Load(readers=0, commits=3, vacuum_every=2))
    assert (row["removed"], row["spared"], row["failed"]) == (2, 0, 0)
