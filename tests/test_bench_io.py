"""`bench io`: its files are what they are said to be, its rows are complete, and absent readers are said to be absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choreodb.benchmarks.runs import io
from choreodb.benchmarks.runs.registry import BenchRequest
from choreodb.motion import CHOREO22, Motion, bvh
from choreodb.motion.rotations import identity


def test_made_and_repeated_files_are_right(tmp_path: Path) -> None:
    io.made_bvh(tmp_path / "made.bvh", 200_000, 1)
    size = (tmp_path / "made.bvh").stat().st_size
    assert 150_000 < size < 250_000
    made = bvh.channels(tmp_path / "made.bvh")
    io.repeat_bvh(tmp_path / "made.bvh", tmp_path / "again.bvh", 3 * size)
    assert np.array_equal(bvh.channels(tmp_path / "again.bvh"), np.tile(made, (3, 1)))
    assert io.float32_ulps(made.ravel(), tmp_path / "made.bvh") == 0.0
    assert io.float32_ulps(made.ravel() * (1 + 3e-7), tmp_path / "made.bvh") >= 1.0


def test_absent_readers_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io, "PEERS", (io.Peer("no-such-reader", "no such reader", "no_such_reader", "1"),))
    bvh.save(Motion(identity(5, 22), np.zeros((5, 3)), CHOREO22, 60.0), tmp_path / "a.bvh")
    rows = io.parse_rows("a", tmp_path / "a.bvh", 1)
    assert rows[-1] == {"kind": "parse", "song": "a", "row": "no such reader", "note": "not installed"}
    assert rows[0]["ratio"] == 1.0
    assert rows[0]["ulps"] == 0.0
    assert "not installed" in io.format_table(rows)


@pytest.mark.long
def test_it_runs_on_files_of_a_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(io, "PEERS", ())
    monkeypatch.setattr(io, "QUICK_MB", 0.1)
    bvh.save(Motion(identity(5, 22), np.zeros((5, 3)), CHOREO22, 60.0), tmp_path / "mine.bvh")
    result = io.run(BenchRequest(None, (), tmp_path, None, 0, lambda *_: None, quick=True))
    assert {(row["kind"], row["song"]) for row in result.rows} == {
        ("parse", "made"), ("parse", "mine.bvh"), ("kinematics", "made"), ("cold", "made"),
    }  # fmt: skip
    ours = [row for row in result.rows if row["row"].startswith("ChoreoDB")]
    assert all(row["cpu_ms"] > 0.0 for row in ours)
