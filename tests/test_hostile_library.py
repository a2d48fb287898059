"""Libraries and names from strangers: refused in one line, and nothing outside is read, written or removed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from choreodb.cli import main
from choreodb.errors import ChoreoError, StoreError
from choreodb.storage import edit, history, specimen
from choreodb.storage import manifest as manifests
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS
from choreodb.storage.verify import verify
from tests.forging import rewrite

NAMES = (
    "../../escape",
    "/etc/passwd",
    "a/../../b",
    "..",
    "",
    "a\x00b",
    "a\nb",
    "\u202egnp.exe",
    "x" * 5000,
    "C:\\windows\\x",
)
"""Ids that a hostile clips table may hold."""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return specimen.make(tmp_path / "inside" / "library", clips=2, bars=1).path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def fails_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["tables"]["clips"][0].update(path="../../secret.parquet"),
        lambda body: body["tables"]["clips"][0].update(path="tables/../../../secret.parquet"),
        lambda body: body["tables"]["clips"][0].update(path="/etc/hostname"),
        lambda body: body["tables"]["clips"][0].update(rows=1 << 62),
        lambda body: body["tables"]["clips"][0].update(bytes=1 << 62),
        lambda body: body["tables"]["clips"][0].update(bytes=-1),
        lambda body: body["arrays"]["entry"].update(shape=[1 << 50, 1 << 50]),
        lambda body: body["arrays"]["entry"].update(shape=[1 << 39, 1 << 39]),
        lambda body: body["arrays"]["entry"].update(shape="long"),
        lambda body: body.update(version=1 << 80),
        lambda body: body.update(version=2),
        lambda body: body.update(parent="x"),
        lambda body: body.update(change=[1]),
        lambda body: body.update(tables={"clips": "x"}),
        lambda body: body.update(format_version=-1),
    ],
)
def test_a_hostile_manifest(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], object]
) -> None:
    shutil.copy(next((library / "tables").glob("clips-*")), tmp_path / "secret.parquet")
    rewrite(library, change)
    before = snapshot(tmp_path)
    for action in (
        lambda: Store.open(library).array("entry"),
        lambda: edit.delete(Store.open(library), ["specimen/clip0"]),
        lambda: (
            edit.relabel(Store.open(library), ["specimen/clip0"], {"style": "x"}) and Store.open(library).array("entry")
        ),
    ):
        with pytest.raises(ChoreoError) as caught:
            action()
        assert "\n" not in str(caught.value)
    with contextlib.suppress(ChoreoError):
        history.vacuum(library, keep=1)
    assert verify(library) != ()
    assert main(["verify", str(library)]) == 1
    outside = {name: data for name, data in snapshot(tmp_path).items() if not name.startswith("inside/library/")}
    assert outside == {"secret.parquet": before["secret.parquet"]}
    assert capsys.readouterr().out.count("problem") == 1


@pytest.mark.parametrize("folder", ["tables", "arrays", "manifests"])
def test_links_that_lead_out(library: Path, tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "outside"
    shutil.copytree(library / folder, outside)
    shutil.rmtree(library / folder)
    (library / folder).symlink_to(outside)
    before = snapshot(outside)
    assert "outside the library" in fails_in_one_line(["info", str(library)], capsys)
    for action in (
        lambda: history.vacuum(library, keep=1),
        lambda: history.tag(library, "x"),
        lambda: history.untag(library, "x"),
    ):
        with pytest.raises(StoreError):
            action()
    assert snapshot(outside) == before


def test_a_new_library_is_not_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "tables").symlink_to(outside)
    with pytest.raises(StoreError, match="outside the library"):
        specimen.make(tmp_path / "library")
    assert list(outside.iterdir()) == []


def test_a_link_instead_of_a_table(library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((library / "tables").glob("clips-*"))
    secret = tmp_path / "secret.parquet"
    os.replace(path, secret)
    path.symlink_to(secret)
    for arguments in (
        ["info", str(library)],
        ["sql", str(library), "from clips"],
        ["search", str(library), "--motion", "x.bvh"],
    ):
        assert "outside the library" in fails_in_one_line(arguments, capsys)
    with pytest.raises(StoreError, match="outside the library"):
        history.vacuum(library, keep=1)
    assert secret.exists()


def test_a_link_instead_of_a_manifest(library: Path, tmp_path: Path) -> None:
    path = library / "manifests" / manifests.file_name(1)
    os.replace(path, tmp_path / "m.json")
    path.symlink_to(tmp_path / "m.json")
    for action in (Store.open, lambda path: history.vacuum(path, keep=1), lambda path: edit.compact(Store.open(path))):
        with pytest.raises(StoreError, match="outside the library"):
            action(library)
    assert [problem.what for problem in verify(library) if "outside" in problem.what]
    assert (tmp_path / "m.json").exists()


@pytest.mark.parametrize("name", NAMES)
def test_clip_ids_are_only_words(library: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A clip id is never made into a path; whatever it is, it can be listed, relabelled and deleted."""
    store = Store.open(library)
    rows = store.table("clips").to_pylist()
    rows[0]["clip"] = name
    segments = store.table("segments")
    clips = [name if clip == "specimen/clip0" else clip for clip in segments.column("clip").to_pylist()]
    segments = segments.set_column(1, "clip", pa.array(clips))
    store = store.commit(tables={"clips": pa.Table.from_pylist(rows, schema=CLIPS), "segments": segments})
    outside = set(tmp_path.iterdir())
    store = edit.relabel(store, [name], {"style": "seen"})
    assert main(["sql", str(library), "select clip from clips", "--json"]) == 0
    assert name in [row[0] for row in json.loads(capsys.readouterr().out)["rows"]]
    assert main(["sql", str(library), "select clip from clips"]) == 0
    assert all(character.isprintable() or character == "\n" for character in capsys.readouterr().out)
    store = edit.compact(edit.delete(store, [name]))
    assert verify(store) == ()
    assert set(tmp_path.iterdir()) == outside


@pytest.mark.parametrize("name", ["tables/x.parquet", "manifests/m-99999999.json"])
def test_a_fifo_is_not_waited_for(library: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(library / name)
    if "manifests" in name:
        assert "plain files" in fails_in_one_line(["info", str(library)], capsys)
    else:
        assert main(["info", str(library)]) == 0


def test_a_table_with_a_bomb_in_it(library: Path) -> None:
    """A small file that would unpack into very much is refused by the rows that the manifest states."""
    path = next((library / "tables").glob("music-*"))
    store = Store.open(library)
    row = store.table("music").to_pylist()[0]
    many = pa.Table.from_pylist([row], schema=store.table("music").schema).take(pa.array([0] * 200_000))
    pq.write_table(many, path, compression="zstd")
    rewrite(library, lambda body: body["tables"]["music"][0].update(bytes=path.stat().st_size))
    with pytest.raises(StoreError, match="rows where the manifest says 1"):
        Store.open(library).table("music")
