"""Clips that come and go in a large library: in proportion to them, and as if everything had been indexed at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from choreodb.errors import QueryError
from choreodb.indexer import build, connect, drift, ingest, removal, update
from choreodb.indexer.build import index
from choreodb.indexer.copies import add_copies
from choreodb.indexer.encoders import rhythm
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.storage import edit
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every library counts as large, and as near enough to what it was fitted to."""
    monkeypatch.setattr(drift, "SMALL", 0)
    monkeypatch.setattr(drift, "LIMIT", np.inf)


@pytest.fixture
def folders(sample_folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The same source without every third clip, and whole."""
    whole = Path(shutil.copytree(sample_folder, tmp_path / "whole" / sample_folder.name))
    part = Path(shutil.copytree(sample_folder, tmp_path / "part" / sample_folder.name))
    motions = sorted(path for path in part.rglob("*.bvh"))
    assert len(motions) > 5
    for path in motions[1::3]:
        path.unlink()
    return part, whole


def equals_its_rebuild(store: Store) -> None:
    """Graph, walkable part, twins and arrays are those of all clips at once, with the statistics of the library."""
    clips = sorted(store.table("clips").to_pylist(), key=lambda row: str(row["clip"]))
    described = [ingest.segment(row, *store.read_motion(row["clip"], 0, row["frames"])) for row in clips]
    encoder = RhythmEncoder.from_meta(store.meta["encoder"])
    unmirrored = frozenset(row["clip"] for row in clips if not row["mirror"])
    columns, arrays = connect.lay_out(
        clips, described, unmirrored, lambda clip: encoder.embed(clip.rhythm), store.meta["boundary"]["spread"]
    )
    for name, expected in arrays.items():
        assert np.array_equal(store.array(name), expected), name
    table = store.table("segments")
    for name in ("segment", "clip", "first_bar", "start_s", "continuation", "mirrored", "origin"):
        assert table.column(name).to_pylist() == [row[name] for row in columns], name
    expected, walkable = connect._graph(columns, arrays, connect.GraphConfig())
    found = store.table("transitions")
    for name in ("source", "target", "continuation"):
        assert found.column(name).to_pylist() == expected.column(name).to_pylist(), name
    assert np.allclose(found.column("cost").to_numpy(), expected.column("cost").to_numpy(), atol=1e-6)
    assert np.array_equal(table.column("walkable").to_numpy(), walkable)
    assert table.column("twin_group").to_pylist() == connect._twins(columns, described).tolist()


@pytest.mark.usefixtures("large")
def test_what_comes_in_is_set_against_all(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, whole = folders
    index([part], tmp_path / "lib")
    before = Store.open(tmp_path / "lib")
    monkeypatch.setattr(build, "_connected", None)
    read: list[str] = []
    segment = ingest.segment
    monkeypatch.setattr(ingest, "segment", lambda row, *motion: (read.append(row["clip"]), segment(row, *motion))[1])
    summary = index([whole], tmp_path / "lib")
    after = Store.open(tmp_path / "lib")
    assert sorted(read) == sorted(summary.added)
    assert len(summary.added) > 1
    assert verify(after) == ()
    assert after.meta["encoder"] == before.meta["encoder"]
    monkeypatch.undo()
    equals_its_rebuild(after)


@pytest.mark.usefixtures("large")
def test_what_changes_goes_and_comes(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = folders
    index([whole], tmp_path / "lib")
    rows = Store.open(tmp_path / "lib").table("clips").to_pylist()
    first, last = (whole / row["source_path"] for row in (rows[0], rows[1]))
    # another file with the same motion to the same song: a twin of all of it
    first.write_bytes(last.read_bytes() + b"\n")
    monkeypatch.setattr(build, "_connected", None)
    summary = index([whole], tmp_path / "lib")
    assert len(summary.changed) == 1
    after = Store.open(tmp_path / "lib")
    assert verify(after) == ()
    groups = after.columns("segments", ["clip", "twin_group"]).to_pylist()
    assert any(row["twin_group"] >= 0 for row in groups if row["clip"] == summary.changed[0])
    equals_its_rebuild(after)
    left = edit.delete(after, [summary.changed[0]])
    assert verify(left) == ()


@pytest.mark.usefixtures("large")
def test_what_only_goes(sample_library: Path, tmp_path: Path) -> None:
    store = Store.open(Path(shutil.copytree(sample_library, tmp_path / "lib")))
    clips = [row["clip"] for row in store.table("clips").to_pylist()]
    made = update.update(store, {clips[0], clips[2]}, [], [], frozenset(), None, tmp_path)
    assert made is not None
    left = [row for row in store.table("clips").to_pylist() if row["clip"] not in (clips[0], clips[2])]
    after = store.commit(
        tables={**made.tables, "clips": pa.Table.from_pylist(left, schema=store.table("clips").schema)},
        arrays=made.arrays,
        index=made.index,
    )
    assert verify(after) == ()
    equals_its_rebuild(after)
    nothing = update.update(after, (), [], [], frozenset(), None, tmp_path)
    assert nothing is not None
    assert (nothing.tables, nothing.arrays, nothing.index) == ({}, {}, {})


def test_a_delete_fits_anew_where_it_changes_what_the_library_is_like(sample_library: Path, tmp_path: Path) -> None:
    store = Store.open(Path(shutil.copytree(sample_library, tmp_path / "lib")))
    clips = [row["clip"] for row in store.table("clips").to_pylist()]
    after = removal.delete(store, clips[:2], reason="consent withdrawn")
    assert verify(after) == ()
    assert after.meta["encoder"] != store.meta["encoder"]
    equals_its_rebuild(after)
    assert after.meta["fit"]["segments"] == len(drift.captured(after))
    assert after.manifest.change["action"] == "delete"
    with pytest.raises(QueryError):
        removal.delete(after, clips[:1])


def test_ranks_are_read_from_embeddings(sample_library: Path) -> None:
    store = Store.open(sample_library)
    rows = drift.captured(store)
    encoder = RhythmEncoder.from_meta(store.meta["encoder"])
    found = rhythm.ranks(np.asarray(store.array("embeddings")[rows]), encoder.config)
    clips = sorted(store.table("clips").to_pylist(), key=lambda row: str(row["clip"]))
    seen = rhythm.gathered(
        [ingest.segment(row, *store.read_motion(row["clip"], 0, row["frames"])).rhythm for row in clips]
    )
    for name, values in (("level", seen.energy.mean(axis=1)), ("density", seen.density), ("pulse", seen.pulse)):
        stats = encoder.stats.speed if name == "level" else getattr(encoder.stats, name)
        assert np.allclose(found[name], rhythm._rank(values, stats), atol=1e-4), name


def test_drift_is_nothing_at_a_fit_and_grows(sample_library: Path) -> None:
    store = Store.open(sample_library)
    arrays = {name: np.array(store.array(name)) for name in ("embeddings", "entry")}
    rows, about = drift.captured(store), store.meta["encoder"]
    now = drift.state(arrays, rows, about)
    assert drift.between(store.meta["fit"], now) < 1e-4
    fewer = [drift.between(now, drift.state(arrays, rows[skip:], about)) for skip in (1, 8, 40)]
    assert 0.0 < fewer[0] < fewer[1] < fewer[2]
    arrays["entry"] = arrays["entry"] * np.float32(1.5)
    assert drift.between(now, drift.state(arrays, rows, about)) == pytest.approx(0.5, abs=1e-3)
    assert drift.between(now, drift.state(arrays, rows, {"name": "other"})) == np.inf


def test_copies_stay_where_they_are(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip comes into a library with virtual copies: it goes among the captured ones, and the copies stay behind them."""
    part, whole = folders
    index([part], tmp_path / "lib")
    before = add_copies(Store.open(tmp_path / "lib"), [0.9, 1.1])
    monkeypatch.setattr(drift, "SMALL", 0)
    monkeypatch.setattr(drift, "LIMIT", np.inf)
    monkeypatch.setattr(build, "_connected", None)
    index([whole], tmp_path / "lib")
    after = Store.open(tmp_path / "lib")
    assert verify(after) == ()
    rows = after.columns("segments", ["clip", "mirrored", "first_bar", "twin_group"]).to_pylist()
    names = [row["clip"] for row in rows]
    captured = [name for name in names if "@" not in name]
    assert captured == sorted(captured) == names[: len(captured)]
    kept = {(row["clip"], row["mirrored"], row["first_bar"]): at for at, row in enumerate(rows)}
    old = before.columns("segments", ["clip", "mirrored", "first_bar"]).to_pylist()
    places = [kept[row["clip"], row["mirrored"], row["first_bar"]] for row in old]
    for name in before.manifest.arrays:
        assert np.array_equal(after.array(name)[places], before.array(name)), name
    left = removal.delete(after, [captured[0]])
    assert verify(left) == ()
