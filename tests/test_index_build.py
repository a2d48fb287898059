"""Indexing end to end on a small folder: what goes in, what is skipped, what a second run does, and the same bytes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stepping import march, write_clicks, write_positions

from choreodb.errors import ChoreoError
from choreodb.indexer import build, ingest
from choreodb.indexer.build import index
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.motion import bvh
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


def falls(tempo_bpm: float, duration_s: float) -> np.ndarray:
    return np.arange(0.5, duration_s - 0.4, 60.0 / tempo_bpm)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A paired dance, another to the same song, an unpaired one on the beat, two short ones, and text called motion."""
    folder = tmp_path_factory.mktemp("original") / "troupe"
    beats = falls(100.0, 12.0)
    write_positions(march(beats - 0.3, 11.0), folder / "one/motion.npz", style="march", music_start=0.3)
    write_clicks(beats, 12.0, folder / "one/music.wav")
    write_positions(march(beats - 1.0, 8.0, lift=0.4), folder / "more/two.npz")
    (folder / "pairs.csv").write_text("motion,music,music_start_s,style\nmore/two.npz,one/music.wav,1.0,stroll\n")
    bvh.save(march(falls(120.0, 9.0), 9.0), folder / "more/free.bvh")
    bvh.save(march([0.5, 1.3], 3.0), folder / "more/loose.bvh")
    bvh.save(march([0.4], 1.0), folder / "more/tiny.bvh")
    (folder / "more/broken.bvh").write_text("this is no motion\n")
    return folder


@pytest.fixture
def source(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "troupe"))


@pytest.fixture(scope="module")
def fresh(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, indexed once. Do not write to it."""
    library = tmp_path_factory.mktemp("fresh") / "lib"
    index([original], library)
    return library


def contents(library: Path) -> dict[str, bytes]:
    return {str(p.relative_to(library)): p.read_bytes() for p in sorted(library.rglob("*")) if p.is_file()}


def clips_of(library: Path) -> dict[str, dict[str, object]]:
    return {row["clip"]: row for row in Store.open(library).table("clips").to_pylist()}


def test_summary_counts_and_names_what_was_skipped(original: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    summary = index([original], tmp_path / "lib", progress=lambda stage, done, total: stages.append(stage))
    assert (summary.clips, summary.paired, summary.unpaired, summary.songs) == (5, 2, 3, 1)
    assert [problem.path for problem in summary.skipped] == ["troupe/more/broken"]
    assert "\n" not in str(summary.skipped[0])
    assert not summary.complete
    assert summary.seconds == pytest.approx(32.0, abs=0.5)
    assert summary.seconds_walkable + sum(summary.not_walkable.values()) == pytest.approx(summary.seconds, abs=0.05)
    assert summary.beat_sources == {"motion": 1, "music": 2, "none": 2}
    assert set(stages) == {"discover", "read", "connect", "commit"}
    assert "5 clips: 2 paired with 1 songs, 3 unpaired" in summary.text()
    assert summary.as_dict()["skipped"][0]["kind"] == "motion"


def test_the_library_verifies_and_holds_what_was_read(fresh: Path) -> None:
    assert verify(fresh) == ()
    clips = clips_of(fresh)
    one, two = clips["troupe/one/motion"], clips["troupe/more/two"]
    assert (one["style"], two["style"], clips["troupe/more/free"]["style"]) == ("march", "stroll", "more")
    assert one["music"] == two["music"]
    assert one["music_start_s"] == pytest.approx(0.3 + one["music_lag_s"])
    assert one["tempo_bpm"] == pytest.approx(100.0, rel=0.03)
    assert clips["troupe/more/free"]["tempo_bpm"] == pytest.approx(120.0, rel=0.03)
    assert clips["troupe/more/tiny"]["beat_source"] == "none"


def test_segments_continue_and_join_exactly(fresh: Path) -> None:
    store = Store.open(fresh)
    rows = store.table("segments").to_pylist()
    entry, leave = store.array("entry"), store.array("exit")
    assert [row["segment"] for row in rows] == list(range(len(rows)))
    assert len(rows) == len(entry) == len(leave) == len(store.array("embeddings"))
    followed = [row for row in rows if row["continuation"] >= 0]
    assert followed
    for row in followed:
        after = rows[row["continuation"]]
        assert (after["clip"], after["mirrored"], after["start_s"]) == (row["clip"], row["mirrored"], row["end_s"])
        assert np.array_equal(leave[row["segment"]], entry[row["continuation"]])
    keys = [(row["clip"], row["mirrored"], row["first_bar"]) for row in rows]
    assert keys == sorted(keys)
    assert sum(row["mirrored"] for row in rows) * 2 == len(rows)
    assert [row["short"] for row in rows if row["clip"] == "troupe/more/tiny"] == [True, True]


def test_the_encoder_of_a_library_can_be_made_again(fresh: Path) -> None:
    store = Store.open(fresh)
    encoder = RhythmEncoder.from_meta(store.meta["encoder"])
    assert store.encoder == {"name": "rhythm", "sha256": encoder.hash}


def test_the_same_bytes_again_and_with_processes(original: Path, fresh: Path, tmp_path: Path) -> None:
    index([original], tmp_path / "again", jobs=2)
    assert contents(tmp_path / "again") == contents(fresh)


def test_a_second_run_reads_nothing_and_makes_no_version(
    original: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    read: list[str] = []
    plain = ingest.ingest
    monkeypatch.setattr(ingest, "ingest", lambda task, **k: (read.append(task.source.clip), plain(task, **k))[1])
    summary = index([original], library)
    assert read == ["troupe/more/broken"], "what could not be read is tried again"
    assert (summary.version, summary.new_version, summary.unchanged) == (1, False, 5)
    assert len(summary.skipped) == 1
    assert contents(library) == contents(fresh)


def test_only_what_is_new_or_changed_is_read_and_the_result_is_that_of_a_fresh_run(
    source: Path, fresh: Path, tmp_path: Path
) -> None:
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    bvh.save(march([0.4, 0.9], 2.5), source / "more/loose.bvh")
    bvh.save(march([0.7], 2.0), source / "more/new.bvh")
    summary = index([source], library)
    assert (summary.added, summary.changed, summary.unchanged) == (
        ("troupe/more/new",), ("troupe/more/loose",), 4,
    )  # fmt: skip
    assert summary.version == 2
    assert verify(library) == ()
    index([source], tmp_path / "anew")
    old, new = Store.open(library), Store.open(tmp_path / "anew")
    for table in ("clips", "segments", "transitions", "music"):
        assert old.table(table).equals(new.table(table)), table
    for array in ("embeddings", "entry", "exit"):
        assert np.array_equal(old.array(array), new.array(array)), array
    assert contents(fresh).items() <= contents(library).items()


def test_a_clip_that_changes_back_finds_its_motion_again(source: Path, fresh: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    before = (source / "more/loose.bvh").read_bytes()
    bvh.save(march([0.4, 0.9], 2.5), source / "more/loose.bvh")
    index([source], library)
    (source / "more/loose.bvh").write_bytes(before)
    assert index([source], library).changed == ("troupe/more/loose",)
    assert verify(library) == ()
    assert Store.open(library).table("segments").equals(Store.open(fresh).table("segments"))


def test_missing_files_stay_and_are_named(source: Path, fresh: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    (source / "more/free.bvh").unlink()
    summary = index([source], library)
    assert summary.missing == ("troupe/more/free",)
    assert (summary.clips, summary.new_version) == (5, False)


def test_another_source_is_added_to_the_first(fresh: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    bvh.save(march([0.5, 1.0, 1.4], 4.0), _made(tmp_path / "guests") / "guest.bvh")
    summary = index([tmp_path / "guests"], library)
    assert (summary.clips, summary.added, summary.missing) == (6, ("guests/guest",), ())
    assert verify(library) == ()


def test_a_song_that_cannot_be_read_is_reported_and_the_clip_goes_in(source: Path, tmp_path: Path) -> None:
    (source / "one/music.wav").write_bytes(b"not a song at all")
    summary = index([source], tmp_path / "lib")
    songs = [problem for problem in summary.skipped if problem.kind == "music"]
    assert sorted(problem.path for problem in songs) == ["troupe/more/two", "troupe/one/motion"]
    assert (summary.paired, summary.unpaired) == (0, 5)
    again = index([source], tmp_path / "lib")
    assert [problem.path for problem in again.skipped if problem.kind == "music"] == [p.path for p in songs]
    assert not again.new_version


def test_clips_csv_cuts_and_keeps_mirrors_out(source: Path, tmp_path: Path) -> None:
    rows = "file,start_s,end_s,mirror,style\nfree.bvh,0,4,no,first\nfree.bvh,4,8.5,,second\n"
    (source / "more/clips.csv").write_text(rows)
    index([source], tmp_path / "lib")
    clips = clips_of(tmp_path / "lib")
    first, second = clips["troupe/more/free#1"], clips["troupe/more/free#2"]
    assert (first["duration_s"], second["source_start_s"]) == (pytest.approx(4.0, abs=0.05), pytest.approx(4.0))
    segments = Store.open(tmp_path / "lib").table("segments").to_pylist()
    mirrored = {row["clip"] for row in segments if row["mirrored"]}
    assert "troupe/more/free#1" not in mirrored
    assert "troupe/more/free#2" in mirrored
    starts = [row["origin_start_s"] for row in segments if row["clip"] == "troupe/more/free#2"]
    assert min(starts) >= 4.0
    # one more run, from which the setting has to be known without reading the clip again
    bvh.save(march([0.7], 2.0), source / "more/new.bvh")
    index([source], tmp_path / "lib")
    segments = Store.open(tmp_path / "lib").table("segments").to_pylist()
    assert "troupe/more/free#1" not in {row["clip"] for row in segments if row["mirrored"]}


def test_a_file_that_is_cut_anew_leaves_no_old_clip_behind(source: Path, fresh: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    (source / "more/clips.csv").write_text("file,start_s,end_s\nfree.bvh,0,4\nfree.bvh,4,8.5\n")
    index([source], library)
    assert sorted(clip for clip in clips_of(library) if "free" in clip) == ["troupe/more/free#1", "troupe/more/free#2"]
    assert verify(library) == ()


def test_strict_stops_and_writes_nothing(source: Path, fresh: Path, tmp_path: Path) -> None:
    with pytest.raises(ChoreoError, match="broken"):
        index([source], tmp_path / "none", strict=True)
    assert not Store.exists(tmp_path / "none")
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    with pytest.raises(ChoreoError, match="broken"):
        index([source], library, strict=True)
    assert Store.open(library).version == 1


def test_an_interrupted_run_leaves_the_previous_version(
    source: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Path(shutil.copytree(fresh, tmp_path / "lib"))
    bvh.save(march([0.7], 2.0), source / "more/new.bvh")
    shutil.copy(source / "more/new.bvh", source / "more/newer.bvh")
    (source / "more/newer.bvh").write_text((source / "more/newer.bvh").read_text() + "\n")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for target, name in ((build.connect, "connect"), (Store, "commit")):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, interrupt)
            with pytest.raises(KeyboardInterrupt):
                index([source], library)
        assert Store.open(library).version == 1
        assert contents(fresh).items() <= contents(library).items()
        assert verify(library) == ()
    assert index([source], library).added == ("troupe/more/new", "troupe/more/newer")
    assert verify(library) == ()


def test_nothing_to_index_is_an_error_and_makes_no_library(tmp_path: Path) -> None:
    with pytest.raises(ChoreoError, match="no motion files"):
        index([_made(tmp_path / "empty")], tmp_path / "lib")
    (_made(tmp_path / "bad") / "a.bvh").write_text("HIERARCHY")
    with pytest.raises(ChoreoError, match="can be read: bad/a"):
        index([tmp_path / "bad"], tmp_path / "lib")
    with pytest.raises(ChoreoError, match="no source"):
        index([], tmp_path / "lib")
    assert not (tmp_path / "lib").exists()


def test_a_reader_that_trips_costs_only_its_clip(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ingest.registry.read

    def read(path: Path, **asked: Any) -> object:
        if path.stem == "loose":
            raise ZeroDivisionError("odd\nfile")
        return plain(path, **asked)

    monkeypatch.setattr(ingest.registry, "read", read)
    summary = index([source], tmp_path / "lib")
    assert summary.clips == 4
    assert "troupe/more/loose: cannot be read: ZeroDivisionError: odd file" in map(str, summary.skipped)


def test_no_machine_path_is_written(fresh: Path, original: Path) -> None:
    for name, data in contents(fresh).items():
        assert str(original.parent).encode() not in data, name


@pytest.mark.realdata
def test_real_clips_and_songs_go_in(realdata: Path, tmp_path: Path) -> None:
    one = realdata / "paired/dance-with-melody/DANCE_C_2"
    taken = shutil.copytree(one, tmp_path / "paired/DANCE_C_2", copy_function=shutil.copyfile)
    summary = index([Path(taken).parent, realdata / "mocap/cmu-dance/005_05.bvh"], tmp_path / "lib")
    assert (summary.clips, summary.paired, summary.complete) == (2, 1, True)
    clips = clips_of(tmp_path / "lib")
    assert clips["paired/DANCE_C_2/motion"]["beat_source"] == "music"
    assert clips["cmu-dance/005_05"]["source_fps"] == 120.0
    assert clips["cmu-dance/005_05"]["style"] == "modern"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_pipe_is_reported_and_not_waited_for(source: Path, tmp_path: Path) -> None:
    os.mkfifo(source / "pipe.bvh")
    summary = index([source], tmp_path / "lib")
    assert any("pipe" in problem.path and "not a regular file" in problem.reason for problem in summary.skipped)
    assert summary.clips > 0


def test_a_library_inside_its_source_is_not_read_as_motion(source: Path) -> None:
    first = index([source], source / "lib")
    again = index([source], source / "lib")
    assert again.unchanged == first.clips
    assert not [problem for problem in again.skipped if "lib" in problem.path]
