"""Indexing that is killed, raced or sent after deleted clips: nothing is read twice, nothing is lost, nothing comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stepping import march, write_positions

from choreodb.cli import main
from choreodb.errors import ChoreoError, ConflictError
from choreodb.indexer import ingest
from choreodb.indexer.build import index
from choreodb.storage import edit, history
from choreodb.storage.absence import absent
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five short clips, one of them with a wish not to be mirrored, and one that is no motion."""
    folder = tmp_path_factory.mktemp("original") / "troupe"
    for number in range(5):
        beats = np.arange(0.5, 3.0, 0.5 + 0.03 * number)
        write_positions(march(beats, 3.5, lift=0.1 + 0.05 * number), folder / f"{number}.npz")
    (folder / "bad.bvh").write_text("no motion\n")
    (folder / "clips.csv").write_text("file,mirror,consent\n1.npz,no,given\n")
    return folder


@pytest.fixture
def source(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "troupe"))


@pytest.fixture(scope="module")
def fresh(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("fresh") / "lib"
    index([original], library)
    return library


def contents(library: Path) -> dict[str, bytes]:
    return {str(p.relative_to(library)): p.read_bytes() for p in sorted(library.rglob("*")) if p.is_file()}


def clips_of(library: Path) -> set[str]:
    return set(Store.open(library).columns("clips", ["clip"]).column("clip").to_pylist())


class Reads:
    """Counts what is read; after `stop` clips somebody presses Ctrl-C."""

    def __init__(self, patch: pytest.MonkeyPatch, stop: int | None = None) -> None:
        self.clips: list[str] = []
        self._stop = stop
        self._before = ingest.ingest
        patch.setattr(ingest, "ingest", self)

    def __call__(self, task: ingest.Task, **options: Any) -> ingest.Ingested:
        if self._stop is not None and len(self.clips) >= self._stop:
            raise KeyboardInterrupt
        result = self._before(task, **options)
        self.clips.append(task.source.clip)
        return result


@pytest.mark.parametrize("stop", [1, 3])
def test_an_interrupted_run_goes_on_where_it_was(
    original: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    library = tmp_path / "lib"
    with monkeypatch.context() as patch:
        first = Reads(patch, stop)
        with pytest.raises(KeyboardInterrupt):
            index([original], library)
    assert not Store.exists(library)
    with monkeypatch.context() as patch:
        second = Reads(patch)
        index([original], library)
    assert len(first.clips) == stop
    assert sorted(first.clips + second.clips) == sorted(clips_of(library))
    assert contents(library) == contents(fresh)


KILLED = """
import os, sys
from pathlib import Path
from choreodb.indexer import build, staging
left = int(sys.argv[3])
before = staging.Staging.save
def save(self, *arguments):
    global left
    before(self, *arguments)
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)
staging.Staging.save = save
build.index([Path(sys.argv[1])], Path(sys.argv[2]))
"""


def test_a_killed_run_goes_on_where_it_was(
    original: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib"
    done = subprocess.run([sys.executable, "-c", KILLED, str(original), str(library), "2"], check=False)
    assert done.returncode == -signal.SIGKILL
    reads = Reads(monkeypatch)
    index([original], library)
    assert len(reads.clips) == 3
    assert contents(library) == contents(fresh)


def test_a_killed_compact_run_leaves_no_rounded_values_to_one_in_full(
    original: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read for compact motion is rounded; a run that stores it in full reads it again."""
    library = tmp_path / "lib"
    with monkeypatch.context() as patch:
        Reads(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            index([original], library, packing="compact")
    assert len(list((library / "tables").glob("staged-*"))) == 3
    reads = Reads(monkeypatch)
    index([original], library, packing="float32")
    assert len(reads.clips) == 5
    assert contents(library) == contents(fresh)


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "pickle", "other"])
def test_a_damaged_staged_clip_is_read_again(
    original: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    library = tmp_path / "lib"
    with monkeypatch.context() as patch:
        Reads(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            index([original], library)
    one, two = sorted((library / "tables").glob("staged-*"))
    data = bytearray(one.read_bytes())
    data[len(data) // 2] ^= 1
    bytes_of = {"truncate": bytes(data[:-100]), "flip": bytes(data), "empty": b"", "pickle": b"\x80\x04N."}
    one.write_bytes(bytes_of.get(damage, two.read_bytes()))
    reads = Reads(monkeypatch)
    index([original], library)
    assert len(reads.clips) == 4
    assert contents(library) == contents(fresh)


def test_what_changed_since_is_read_again(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "lib"
    with monkeypatch.context() as patch:
        Reads(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            index([source], library)
    (source / "clips.csv").write_text("file,style\n0.npz,tango\n1.npz,polka\n")
    reads = Reads(monkeypatch)
    index([source], library)
    assert len(reads.clips) == 5
    assert {row["style"] for row in Store.open(library).table("clips").to_pylist()} == {"tango", "polka", None}
    history.vacuum(library, keep=1)
    assert list((library / "tables").glob("staged-*")) == []
    assert verify(library) == ()


def test_an_expected_failure_leaves_nothing(source: Path, tmp_path: Path) -> None:
    shutil.move(source / "bad.bvh", source / "zz.bvh")
    with pytest.raises(ChoreoError, match="zz"):
        index([source], tmp_path / "lib", strict=True)
    assert not (tmp_path / "lib").exists()


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Let `act` happen just before the next commit."""
    before = Store.commit
    waiting = [act]

    def commit(self: Store, **parts: Any) -> Store:
        while waiting:
            waiting.pop()()
        return before(self, **parts)

    monkeypatch.setattr(Store, "commit", commit)


def test_two_runs_of_different_clips_both_survive(
    source: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib"
    other = _moved(source, tmp_path / "other" / "troupe", "3.npz", "4.npz")
    meanwhile(monkeypatch, lambda: index([other], library))
    summary = index([source], library)
    assert (summary.version, len(summary.added)) == (2, 3)
    assert clips_of(library) == clips_of(fresh)
    assert verify(library) == ()
    both, once = Store.open(library), Store.open(fresh)
    for name in ("clips", "segments", "transitions"):
        assert both.table(name).equals(once.table(name))
    for name in once.manifest.arrays:
        np.testing.assert_array_equal(both.array(name), once.array(name))


def test_two_runs_of_the_same_clips_agree(
    source: Path, fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib"
    meanwhile(monkeypatch, lambda: index([source], library))
    assert index([source], library).version == 1
    assert contents(library) == contents(fresh)


def test_two_runs_that_share_some_clips(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Path
) -> None:
    library = tmp_path / "lib"
    part = tmp_path / "part" / "troupe"
    shutil.copytree(source, part)
    for name in ("0.npz", "1.npz", "2.npz"):
        (part / name).unlink()
    (part / "clips.csv").unlink()
    meanwhile(monkeypatch, lambda: index([part], library))
    assert index([source], library).version == 2
    assert clips_of(library) == clips_of(fresh)
    assert verify(library) == ()
    keys = [
        key
        for part in Store.open(library).manifest.tables["motion"]
        for key in edit.keys_of(part.path, library / part.path)
    ]
    assert len(keys) == len(set(keys)) == 5


def test_a_clip_that_both_change_stops_the_second(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib"
    index([source], library)
    (source / "clips.csv").write_text("file,style\n0.npz,tango\n")
    store = Store.open(library)
    meanwhile(monkeypatch, lambda: edit.delete(store, ["troupe/0"]))
    with pytest.raises(ConflictError, match=r"clip 'troupe/0' was changed meanwhile by version 2 \(delete\)"):
        index([source], library)
    assert Store.versions(library) == (1, 2)
    assert "troupe/0" not in clips_of(library)


def test_a_delete_and_an_index_of_other_clips(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "lib"
    other = _moved(source, tmp_path / "other" / "troupe", "4.npz")
    index([source], library)
    store = Store.open(library)
    meanwhile(monkeypatch, lambda: edit.delete(store, ["troupe/2"]))
    index([other], library)
    assert clips_of(library) == {"troupe/0", "troupe/1", "troupe/3", "troupe/4"}
    assert verify(library) == ()
    base = Store.open(library)
    (other / "5.npz").write_bytes((source / "3.npz").read_bytes())
    index([other], library)
    after = edit.delete(base, ["troupe/3"])
    assert set(after.columns("clips", ["clip"]).column("clip").to_pylist()) == clips_of(library)
    assert clips_of(library) == {"troupe/0", "troupe/1", "troupe/4", "troupe/5"}


def test_deleted_clips_stay_out_until_restored(source: Path, tmp_path: Path) -> None:
    library = tmp_path / "lib"
    index([source], library)
    edit.delete(Store.open(library), ["troupe/0", "troupe/3"], reason="consent withdrawn")
    (source / "3.npz").rename(source / "renamed.npz")
    summary = index([source], library)
    assert not summary.new_version
    assert any("troupe/0, troupe/renamed" in note for note in summary.notes)
    assert clips_of(library) == {"troupe/1", "troupe/2", "troupe/4"}
    edit.compact(Store.open(library))
    history.vacuum(library, keep=1)
    assert absent(library, "troupe/3") == ()
    alone = _moved(source, tmp_path / "alone" / "troupe", "0.npz")
    edit.delete(Store.open(library), sorted(clips_of(library)))
    with pytest.raises(ChoreoError, match="deleted from this library"):
        index([alone], library)
    assert main(["index", str(alone), "--library", str(library), "--restore"]) == 0
    assert clips_of(library) == {"troupe/0"}
    assert "troupe/0" not in Store.open(library).table("tombstones").column("clip").to_pylist()
    assert verify(library) == ()


def _moved(source: Path, target: Path, *names: str) -> Path:
    target.mkdir(parents=True)
    for name in names:
        os.replace(source / name, target / name)
    return target
