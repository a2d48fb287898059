"""Versions: listed, named, gone back to and removed, while nobody who reads or writes loses anything."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from choreodb.cli import main
from choreodb.errors import ConflictError, StoreError
from choreodb.storage import history, specimen
from choreodb.storage import manifest as manifests
from choreodb.storage.folder import FolderPlace
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four versions that differ in their embeddings."""
    folder = tmp_path_factory.mktemp("history") / "library"
    store = specimen.make(folder)
    for number in range(2, 5):
        store = turned(store, number)
    return folder


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "library"))


def turned(store: Store, number: int) -> Store:
    """The next version, with the embeddings rolled by `number` columns."""
    rolled = np.roll(np.asarray(store.array("embeddings")), number, axis=1)
    return store.commit(arrays={"embeddings": rolled}, change={"action": "roll", "columns": number})


def schema(root: Path, name: str) -> Any:
    return json.loads((root / "docs" / "schema" / f"{name}.schema.json").read_text())


def test_the_log_says_what_changed(library: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history.tag(library, "premiere", 2)
    assert main(["log", str(library), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema(root, "log"))
    versions = document["versions"]
    assert [row["version"] for row in versions] == [4, 3, 2, 1]
    assert [row["parent"] for row in versions] == [3, 2, 1, None]
    assert versions[2]["tags"] == ["premiere"]
    assert versions[0]["change"] == {"action": "roll", "columns": 4}
    assert 0 < versions[0]["new_bytes"] < versions[3]["new_bytes"]
    assert main(["log", str(library), "--limit", "1"]) == 0
    assert "roll: columns 4" in capsys.readouterr().out


def test_a_tag_opens_its_version(library: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert history.tag(library, "first-cut", 2) == 2
    assert history.tag(library, "first-cut", 2) == 2
    assert Store.open(library, "first-cut").version == 2
    assert Store.open(library, "3").version == 3
    with pytest.raises(ConflictError, match="already names version 2"):
        history.tag(library, "first-cut")
    assert main(["info", str(library), "--at", "first-cut", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == 2
    assert main(["tag", str(library), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema(root, "tag"))
    assert document["tags"] == {"first-cut": 2}
    history.untag(library, "first-cut")
    with pytest.raises(StoreError, match="no tag 'first-cut'"):
        Store.open(library, "first-cut")
    with pytest.raises(StoreError, match="no tag"):
        history.untag(library, "first-cut")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "12", "x" * 65, "a b", "ä", "a\n", "-x"])
def test_names_that_no_tag_can_have(library: Path, name: str) -> None:
    before = sorted(path.name for path in (library / "manifests").iterdir())
    with pytest.raises(StoreError, match="expected up to 64") as caught:
        history.tag(library, name)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in (library / "manifests").iterdir()) == before


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"tag":"x","version":0}', '{"tag":"y","version":1}', "[" * 3000])
def test_a_damaged_tag_is_named(library: Path, text: str) -> None:
    (library / "manifests" / "tag-x.json").write_text(text)
    assert [problem.file for problem in verify(library)] == ["manifests/tag-x.json"]
    assert manifests.tags(FolderPlace(library)) == {}


@pytest.mark.parametrize("version", [0, 9, -1, "0", "9", "9" * 6000, "nobody", "²"])
def test_versions_that_are_not_there(library: Path, version: int | str) -> None:
    with pytest.raises(StoreError, match=r"has no|expected") as caught:
        Store.open(library, version)
    assert "\n" not in str(caught.value)


def test_a_rollback_equals_the_old_version(library: Path) -> None:
    old = Store.open(library, 2)
    after = history.rollback(library, 2)
    assert after.version == 5
    assert after.manifest.files() == old.manifest.files()
    assert after.manifest.change == {"action": "rollback", "to": 2}
    np.testing.assert_array_equal(after.array("embeddings"), old.array("embeddings"))
    assert verify(library) == ()
    with pytest.raises(StoreError, match="newest"):
        history.rollback(library, 5)


def test_a_vacuum_keeps_what_is_new_named_or_read(library: Path, root: Path) -> None:
    history.tag(library, "premiere", 1)
    reader = Store.open(library, 2)
    done = history.vacuum(library, keep=1)
    jsonschema.validate(done.as_dict(), schema(root, "vacuum"))
    assert (done.removed, done.kept, done.in_use, done.tagged) == ((3,), (1, 2, 4), (2,), (1,))
    assert done.bytes > 0
    assert verify(library) == ()
    assert len(reader.array("embeddings")) == 18
    with pytest.raises(StoreError, match="it has 1 to 2, 4"):
        Store.open(library, 3)
    del reader
    assert history.vacuum(library, keep=1).removed == (2,)
    assert verify(library) == ()


def test_a_number_that_was_removed_is_not_given_again(library: Path) -> None:
    history.tag(library, "old", 1)
    history.vacuum(library, keep=1)
    with pytest.raises(ConflictError, match="committed by another process"):
        turned(Store.open(library, "old"), 7)
    assert Store.versions(library) == (1, 4)


def test_what_a_killed_writer_left_goes(library: Path) -> None:
    names = ("tables/motion-0123456789ab.parquet", "arrays/entry-0123456789ab.npy", f"tables/staged-{'0' * 64}.npz")
    for name in names:
        (library / name).write_bytes(b"left")
    foreign = library / "tables" / "notes.txt"
    foreign.write_text("somebody's own")
    assert history.vacuum(library, keep=9, grace_s=3600.0).files == 0
    assert history.vacuum(library, keep=9).files == len(names)
    assert foreign.exists()
    assert Store.versions(library) == (1, 2, 3, 4)


def test_a_young_version_is_kept_by_grace(library: Path) -> None:
    assert history.vacuum(library, keep=1, grace_s=3600.0).kept == (1, 2, 3, 4)


def test_a_writer_at_work_is_not_disturbed(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("choreodb.storage.folder._PATIENCE_S", 0.0)
    with FolderPlace(library).changing(), pytest.raises(ConflictError, match="somebody is writing"):
        history.vacuum(library, keep=1)
    assert history.vacuum(library, keep=1).kept == (4,)


def test_an_unknown_manifest_stops_a_vacuum(library: Path) -> None:
    (library / "manifests" / manifests.file_name(2)).write_bytes(b"{}")
    before = sorted(str(path) for path in library.rglob("*"))
    with pytest.raises(StoreError, match="damaged"):
        history.vacuum(library, keep=1)
    assert sorted(str(path) for path in library.rglob("*")) == before
    assert [row.problem is None for row in history.log(library)] == [True, True, False, True]


def test_the_vacuum_command(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vacuum", str(library), "--keep", "0"]) == 1
    assert "expected at least 1" in capsys.readouterr().err
    assert main(["vacuum", str(library), "--keep", "2"]) == 0
    assert "kept versions 3, 4" in capsys.readouterr().out
    assert main(["rollback", str(library), "3"]) == 0
    assert capsys.readouterr().out == "version 5 equals version 3\n"
    assert main(["rollback", str(library), "1"]) == 1


KILLED = """
import os, sys
from choreodb.storage import history
from choreodb.storage.folder import Disk
left = int(sys.argv[2])
before = Disk.unlink
def unlink(self, path):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
    before(self, path)
Disk.unlink = unlink
history.vacuum(sys.argv[1], keep=1)
"""


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4])
def test_a_killed_vacuum_leaves_a_sound_library(library: Path, after: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(library), str(after)], check=False)
    assert done.returncode == -9
    assert verify(library) == ()
    assert Store.open(library).version == 4
    history.vacuum(library, keep=1)
    assert verify(library) == ()
    assert len(list((library / "arrays").iterdir())) == 3


READING = """
import sys, time
from choreodb.storage.store import Store
store = Store.open(sys.argv[1], 1)
print("open", flush=True)
sys.stdin.readline()
print(len(store.table("segments")), len(store.array("embeddings")), len(store.read_motion("specimen/clip0", 0, 9)))
"""


def test_another_process_keeps_what_it_reads(library: Path) -> None:
    command = [sys.executable, "-c", READING, str(library)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        assert history.vacuum(library, keep=1).in_use == (1,)
        assert reader.communicate("go\n", timeout=60)[0] == "18 18 3\n"
    assert history.vacuum(library, keep=1).kept == (4,)
