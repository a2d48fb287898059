"""Repair: what is derived comes back as it was, and nothing else is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from stepping import march, write_positions

from choreodb.cli import main
from choreodb.errors import StoreError
from choreodb.indexer.build import index
from choreodb.indexer.repair import repair
from choreodb.storage import edit, specimen
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips, one without a mirror image, indexed and relabelled."""
    folder = tmp_path_factory.mktemp("repair")
    for number in range(3):
        beats = np.arange(0.5, 4.0, 0.5 + 0.03 * number)
        write_positions(march(beats, 4.5, lift=0.1 + 0.05 * number), folder / "troupe" / f"{number}.npz")
    (folder / "troupe" / "clips.csv").write_text("file,mirror\n1.npz,no\n")
    index([folder / "troupe"], folder / "lib")
    edit.relabel(Store.open(folder / "lib"), ["troupe/0"], {"style": "march", "consent": "given"})
    return folder / "lib"


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "lib"))


def files_of(library: Path, *names: str) -> dict[str, bytes]:
    return {name: (library / name).read_bytes() for name in names}


def newest_file(library: Path, name: str) -> Path:
    manifest = Store.open(library).manifest
    entry = manifest.arrays[name].file if name in manifest.arrays else manifest.tables[name][0]
    return library / entry.path


@pytest.mark.parametrize("name", ["segments", "transitions", "embeddings", "entry", "exit", "travel"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_derived_files_come_back_as_they_were(made: Path, library: Path, name: str, damage: str) -> None:
    path = newest_file(library, name)
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(bytes(data))
    elif damage == "truncate":
        path.write_bytes(bytes(data[:-7]))
    else:
        path.unlink()
    assert verify(library) != ()
    done = repair(library)
    assert (done.version, done.left) == (3, ())
    assert any(name in problem.file for problem in done.found)
    for file in (file for file in made.rglob("*") if file.is_file()):
        assert (library / file.relative_to(made)).read_bytes() == file.read_bytes()
    assert verify(library) == ()
    assert repair(library).version is None


@pytest.mark.parametrize("name", ["clips", "motion"])
def test_what_is_not_derived_is_not_touched(library: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path, other = newest_file(library, name), newest_file(library, "entry")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    other.unlink()
    before = {file: file.read_bytes() for file in library.rglob("*") if file.is_file()}
    with pytest.raises(StoreError, match=f"{name}.* is damaged and not derived"):
        repair(library)
    assert {file: file.read_bytes() for file in library.rglob("*") if file.is_file()} == before
    assert main(["verify", str(library), "--repair"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_damaged_song_does_not_stop_a_repair(library: Path) -> None:
    newest_file(library, "entry").unlink()
    (library / "manifests" / "tag-x.json").write_text("{}")
    done = repair(library)
    assert done.version == 3
    assert [problem.file for problem in done.left] == ["manifests/tag-x.json"]


def test_embeddings_of_a_trained_encoder_are_kept_or_missed(tmp_path: Path) -> None:
    store = specimen.make(tmp_path / "library", clips=2)
    path = store.path
    (path / store.manifest.arrays["embeddings"].file.path).unlink()
    with pytest.raises(StoreError, match="trained encoder 'random'"):
        repair(path)
    assert Store.versions(path) == (1,)


def test_the_command(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest_file(library, "transitions").unlink()
    assert main(["verify", str(library)]) == 1
    assert main(["verify", str(library), "--repair"]) == 0
    assert "rebuilt in version 3" in capsys.readouterr().out
    assert main(["verify", str(library), "--repair"]) == 0
    assert main(["verify", str(library), "--repair", "--at", "1"]) == 1


@pytest.mark.parametrize("name", ["segments", "transitions", "embeddings"])
def test_a_library_without_clips_is_repaired(sample_library: Path, tmp_path: Path, name: str) -> None:
    """Every clip was deleted, and then what is left of a table or an array is damaged."""
    store = Store.open(Path(shutil.copytree(sample_library, tmp_path / "lib")))
    clips = store.columns("clips", ["clip"]).column("clip").to_pylist()
    empty = edit.delete(store, clips)
    entry = empty.manifest.arrays[name].file if name in empty.manifest.arrays else empty.manifest.tables[name][0]
    path = tmp_path / "lib" / entry.path
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert repair(tmp_path / "lib").left == ()
    assert verify(tmp_path / "lib") == ()
    assert Store.open(tmp_path / "lib").manifest.rows("segments") == 0
