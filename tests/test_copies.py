"""Virtual copies: the clip, faster or slower, in every way that a search, a dance and a report can see."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from choreodb import cli
from choreodb.indexer import ingest
from choreodb.indexer.build import index
from choreodb.indexer.copies import add_copies, copy_name
from choreodb.library import Library
from choreodb.motion.kinematics import forward
from choreodb.motion.skeleton import CHOREO22, CHOREO52
from choreodb.storage import edit
from choreodb.storage.store import Store
from choreodb.storage.verify import verify
from choreodb.storage.virtual import copy_frames

RATES = (0.9, 1.1)


@pytest.fixture(scope="module")
def copied(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    library = tmp_path_factory.mktemp("copies") / "library"
    shutil.copytree(sample_library, library)
    return add_copies(Store.open(library), RATES)


def positions(store: Store, clip: str, frames: int) -> np.ndarray:
    rotations, root, _ = store.read_motion(clip, 0, frames)
    skeleton = CHOREO52 if rotations.shape[1] == len(CHOREO52) else CHOREO22
    return np.asarray(forward(rotations.astype(np.float64), root.astype(np.float64), skeleton)[0])


def test_a_library_with_copies_is_sound_and_holds_no_new_motion(copied: Store) -> None:
    assert verify(copied) == ()
    before = Store.open(copied.place, version=1)
    assert copied.manifest.tables["motion"] == before.manifest.tables["motion"]
    assert copied.manifest.rows("segments") == 3 * before.manifest.rows("segments")
    assert copied.table("segments").slice(0, 50).drop_columns([]) == before.table("segments").slice(0, 50)


@pytest.mark.parametrize("rate", RATES)
def test_a_copy_is_where_its_clip_was_at_that_moment(copied: Store, rate: float) -> None:
    row = copied.table("clips").to_pylist()[0]
    frames = copy_frames(row["frames"], rate)
    name = copy_name(row["clip"], rate)
    there = positions(copied, name, frames)
    whole = positions(copied, row["clip"], row["frames"])
    # at whole frames of the clip the copy must pass through it; between them it is near the chord
    places = np.minimum(np.arange(frames) * rate, row["frames"] - 1)
    lo = np.floor(places).astype(int)
    hi = np.minimum(lo + 1, row["frames"] - 1)
    between = whole[lo] + (places - lo)[:, None, None] * (whole[hi] - whole[lo])
    assert np.abs(there - between).max() < 0.01
    exact = np.flatnonzero(np.abs(places - np.rint(places)) < 1e-9)
    assert len(exact) > 3
    np.testing.assert_allclose(there[exact], whole[np.rint(places[exact]).astype(int)], atol=1e-5)


def test_a_cut_of_a_copy_is_a_part_of_it(copied: Store) -> None:
    row = next(row for row in copied.table("clips").to_pylist() if row["copy_of"])
    whole = copied.read_motion(row["clip"], 0, row["frames"])
    for first, stop in ((0, 5), (100, 101), (77, 300), (row["frames"] - 4, row["frames"])):
        for part, all_ in zip(copied.read_motion(row["clip"], first, stop), whole, strict=True):
            np.testing.assert_allclose(part, all_[first:stop], atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_what_is_derived_is_near_what_would_be_measured(copied: Store, rate: float) -> None:
    """The copy's frames are cut and described as a clip of their own would be."""
    rows = {row["clip"]: row for row in copied.table("clips").to_pylist()}
    row = rows[copy_name(next(iter(rows)), rate)]
    measured = ingest.segment(row, *copied.read_motion(row["clip"], 0, row["frames"]))
    mine = [s for s in copied.table("segments").to_pylist() if s["clip"] == row["clip"] and not s["mirrored"]]
    assert [cut.start_s for cut in measured.cuts] == pytest.approx([s["start_s"] for s in mine])
    assert [cut.end_s for cut in measured.cuts] == pytest.approx([s["end_s"] for s in mine])
    np.testing.assert_allclose([s["energy"] for s in mine], measured.energy, rtol=0.05)
    numbers = [s["segment"] for s in mine]
    entry = copied.array("entry")
    from choreodb.indexer import boundaries

    fresh = boundaries.features(measured.entry, copied.meta["boundary"]["spread"])
    off = np.sum((fresh - entry[numbers]) ** 2, axis=1)
    apart = np.sum((entry[numbers] - entry[0]) ** 2, axis=1)
    assert np.median(off) < 0.05 * np.median(apart[apart > 0])


def test_origins_of_copies_are_those_of_their_clip(copied: Store, sample_song: Path, tmp_path: Path) -> None:
    report = Library(copied).dance(sample_song, where="clip like '%@%'").report
    clips = {row["clip"]: row for row in copied.table("clips").to_pylist()}
    assert report["steps"]
    for step in report["steps"]:
        assert step["clip"] == copy_name(step["copy_of"], step["copy_rate"])
        own = clips[step["copy_of"]]
        assert step["source_sha256"] == own["source_sha256"]
        assert own["source_start_s"] <= step["source_start_s"] + 0.1
        assert step["source_end_s"] <= own["source_start_s"] + own["duration_s"] + 0.1


def test_copies_go_with_their_clip(copied: Store, tmp_path: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(copied.path, library)
    clip = copied.table("clips").column("clip")[0].as_py()
    after = edit.delete(Store.open(library), [clip])
    assert not [name for name in after.table("clips").column("clip").to_pylist() if name.startswith(clip)]
    assert verify(after) == ()
    again = add_copies(after, [1.25])
    assert {row["rate"] for row in again.table("clips").to_pylist()} == {None, 1.25}
    assert verify(again) == ()


def test_indexing_again_keeps_copies_of_what_is_the_same(sample_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "troupe"
    shutil.copytree(sample_folder / "house", source)
    index([source], tmp_path / "library")
    add_copies(Store.open(tmp_path / "library"), [1.05])
    index([source], tmp_path / "library")
    assert Store.open(tmp_path / "library").version == 2
    moved = sorted(source.glob("*.bvh"))[0]
    lines = moved.read_text().splitlines()
    moved.write_text("\n".join(lines) + "\n\n")
    index([source], tmp_path / "library")
    after = Store.open(tmp_path / "library")
    assert verify(after) == ()
    left = [row["copy_of"] for row in after.table("clips").to_pylist() if row["copy_of"]]
    assert len(left) == len(list(source.glob("*.bvh"))) - 1
    assert add_copies(after, [0.8, 1.25]).version == 4


@pytest.mark.parametrize("rates", ["0.4", "1", "2.5", "nan", "fast", ""])
def test_rates_that_are_none(rates: str, sample_library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["copies", str(sample_library), "--rates", rates]) == 1
    said = capsys.readouterr()
    assert "rate" in said.err
    assert said.err.count("\n") == 1
    assert Store.versions(sample_library) == (1,)


def test_the_command(sample_library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = tmp_path / "library"
    shutil.copytree(sample_library, library)
    assert cli.main(["copies", str(library), "--rates", "1.05,0.95"]) == 0
    capsys.readouterr()
    assert cli.main(["info", str(library), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["clips"] == 3 * Store.open(library, version=1).manifest.rows("clips")
