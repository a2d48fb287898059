"""Editing: what is deleted is gone everywhere, labels change alone, and writers do not lose each other's work."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pyarrow as pa
import pytest

from choreodb.cli import main
from choreodb.errors import ConflictError, QueryError
from choreodb.library import Library
from choreodb.storage import edit, graph, history, specimen
from choreodb.storage.absence import absent
from choreodb.storage.manifest import FORMAT_VERSION
from choreodb.storage.motion_table import blocks, keys_of
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS
from choreodb.storage.verify import verify

GOLDEN = Path(__file__).parent / "fixtures" / "library-format-1"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return specimen.make(tmp_path / "library", clips=5)


@pytest.fixture(scope="module")
def troupe(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(sample_library, tmp_path_factory.mktemp("edit") / "lib"))


def ids(store: Store) -> list[str]:
    return [str(clip) for clip in store.columns("clips", ["clip"]).column("clip").to_pylist()]


@pytest.mark.parametrize("gone", [[0], [2], [4], [1, 3], [0, 1, 2, 3], [0, 1, 2, 3, 4]])
def test_what_is_left_is_what_was_there(store: Store, gone: list[int]) -> None:
    names = [f"specimen/clip{number}" for number in gone]
    after = edit.delete(store, names, reason="test")
    assert verify(after) == ()
    assert ids(after) == [clip for clip in ids(store) if clip not in names]
    before = store.table("segments").to_pylist()
    kept = [row for row in before if row["clip"] not in names]
    same = [name for name in before[0] if name not in ("segment", "continuation", "walkable", "twin_group")]
    for old, new in zip(kept, after.table("segments").to_pylist(), strict=True):
        assert {name: old[name] for name in same} == {name: new[name] for name in same}
        for name in store.manifest.arrays:
            np.testing.assert_array_equal(store.array(name)[old["segment"]], after.array(name)[new["segment"]])
    for clip in ids(after):
        frames = dict(zip(ids(store), store.table("clips").column("frames").to_pylist(), strict=True))[clip]
        for old_part, new_part in zip(
            store.read_motion(clip, 0, frames), after.read_motion(clip, 0, frames), strict=True
        ):
            np.testing.assert_array_equal(old_part, new_part)
    tombs = after.table("tombstones").to_pylist()
    assert [(row["clip"], row["reason"], row["version"]) for row in tombs] == [(clip, "test", 2) for clip in names]
    assert len(after.table("music")) == (0 if 0 in gone else 1)


def test_a_deleted_clip_appears_nowhere(troupe: Path, sample_song: Path, sample_folder: Path) -> None:
    library = Library.open(troupe)
    dance = library.dance(sample_song, refine="none")
    used = sorted({step["clip"] for step in dance.report["steps"]})[:3]
    after = Library(edit.delete(library.store, used))
    assert not {step["clip"] for step in after.dance(sample_song, refine="none").report["steps"]} & set(used)
    hits = after.search(music=sample_song, top=10_000).windows[0].hits
    assert {hit.clip for hit in hits} == set(ids(library.store)) - set(used)
    assert verify(after.store) == ()


def test_the_mended_graph_is_the_one_of_a_full_rebuild(sample_library: Path, tmp_path: Path) -> None:
    store = Store.open(shutil.copytree(sample_library, tmp_path / "lib"))
    for clip in ids(store)[1:20:4]:
        store = edit.delete(store, [clip])
    rows = store.table("segments")
    config = store.meta["graph"]
    source, target, cost = graph.link(
        np.asarray(store.array("entry")), np.asarray(store.array("exit")), rows.column("continuation").to_numpy(),
        degree=config["degree"], in_degree=config["in_degree"], threshold=config["threshold"],
        origin=np.unique(rows.column("origin").to_pylist(), return_inverse=True)[1],
        start_s=rows.column("origin_start_s").to_numpy(), end_s=rows.column("origin_end_s").to_numpy(),
    )  # fmt: skip
    edges = store.table("transitions")
    np.testing.assert_array_equal(edges.column("source").to_numpy(), source)
    np.testing.assert_array_equal(edges.column("target").to_numpy(), target)
    np.testing.assert_array_equal(edges.column("cost").to_numpy(), cost)


def test_delete_compact_vacuum_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = "specimen/clip1"
    path = specimen.make(tmp_path / "library").path
    assert absent(path, clip) != ()
    store = edit.delete(Store.open(path), [clip], reason="consent withdrawn")
    assert any("version 1" in problem.what for problem in absent(path, clip))
    store = edit.compact(store)
    assert absent(path, clip) != ()
    history.vacuum(path, keep=1)
    assert absent(path, clip) == ()
    assert verify(path) == ()
    for file in path.rglob("*.parquet"):
        if file.name.startswith("motion-"):
            assert keys_of(file.name, file).isdisjoint({"motion-1"})
    assert main(["verify", str(path), "--absent", clip]) == 0
    assert "no trace" in capsys.readouterr().out
    assert main(["verify", str(path), "--absent", "specimen/clip0"]) == 1
    assert "in the clips table" in capsys.readouterr().out
    assert main(["verify", str(path), "--absent", "nobody"]) == 1
    assert "never heard of" in capsys.readouterr().err


def test_what_keeps_a_deleted_clip_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = specimen.make(tmp_path / "library").path
    history.tag(path, "premiere")
    edit.compact(edit.delete(Store.open(path), ["specimen/clip1"], reason="consent withdrawn"))
    history.vacuum(path, keep=1)
    assert main(["verify", str(path), "--absent", "specimen/clip1"]) == 1
    assert "its tag 'premiere' keeps it: run tag --remove, then vacuum --keep 1" in capsys.readouterr().out
    assert main(["rollback", str(path), "premiere"]) == 0
    assert "there again: specimen/clip1, which was deleted (consent withdrawn)" in capsys.readouterr().out
    history.untag(path, "premiere")
    edit.compact(edit.delete(Store.open(path), ["specimen/clip1"]))
    history.vacuum(path, keep=1)
    assert main(["verify", str(path), "--absent", "specimen/clip1"]) == 0


def test_compact_copies_every_block(store: Store) -> None:
    rng = np.random.default_rng(0)
    for number in range(3):
        store = edit.delete(store, [f"specimen/clip{number}"]) if number == 1 else store
        arrays = specimen.random_motion(rng, 700, 22)
        rows = store.table("clips").to_pylist()
        clip = rows[0] | {"clip": f"new{number}", "motion_key": f"new{number}", "frames": 700, "duration_s": 700 / 60}
        store = store.commit(
            tables={"clips": pa.Table.from_pylist([*rows, clip], schema=CLIPS)},
            append_motion=[blocks(clip["motion_key"], *arrays, packing="compact" if number == 2 else "float32")],
        )
    after = edit.compact(store)
    assert len(after.manifest.tables["motion"]) < len(store.manifest.tables["motion"])
    assert verify(after) == ()
    keys = set(after.columns("clips", ["motion_key"]).column("motion_key").to_pylist())
    assert set(after.motion.keys) == keys
    for row in after.table("clips").to_pylist():
        for old, new in zip(
            store.read_motion(row["clip"], 0, row["frames"]),
            after.read_motion(row["clip"], 0, row["frames"]),
            strict=True,
        ):
            np.testing.assert_array_equal(old, new)
    assert edit.compact(after).version == after.version


def test_a_library_of_format_1_can_be_edited(tmp_path: Path) -> None:
    store = Store.open(shutil.copytree(GOLDEN, tmp_path / "library"))
    before = store.read_motion("specimen/clip1", 0, 60)
    store = edit.relabel(store, ["specimen/clip1"], {"consent": "given"})
    store = edit.compact(edit.delete(store, ["specimen/clip0"]))
    assert store.manifest.format_version == FORMAT_VERSION
    assert verify(store) == ()
    for old, new in zip(before, store.read_motion("specimen/clip1", 0, 60), strict=True):
        np.testing.assert_array_equal(old, new)


def test_relabel_changes_labels_alone(store: Store) -> None:
    after = edit.relabel(store, ["specimen/clip1", "specimen/clip3"], {"style": "tango", "licence": None})
    for old, new in zip(store.table("clips").to_pylist(), after.table("clips").to_pylist(), strict=True):
        chosen = old["clip"] in ("specimen/clip1", "specimen/clip3")
        assert new == (old | {"style": "tango", "licence": None} if chosen else old)
    files = [
        {name: entry for name, entry in each.manifest.tables.items() if name != "clips"} for each in (store, after)
    ]
    assert files[0] == files[1]
    assert after.manifest.arrays == store.manifest.arrays
    assert edit.relabel(after, ["specimen/clip1"], {"style": "tango"}).version == after.version


EDITS: dict[str, Callable[[Store], Store]] = {
    "delete 1": lambda store: edit.delete(store, ["specimen/clip1"]),
    "delete 2": lambda store: edit.delete(store, ["specimen/clip2"]),
    "relabel 1": lambda store: edit.relabel(store, ["specimen/clip1"], {"style": "tango"}),
    "relabel 2": lambda store: edit.relabel(store, ["specimen/clip2"], {"style": "polka"}),
    "relabel 3": lambda store: edit.relabel(store, ["specimen/clip3"], {"style": "jive"}),
    "compact": edit.compact,
}


@pytest.mark.parametrize("first", EDITS)
@pytest.mark.parametrize("second", EDITS)
def test_of_two_writers_both_win_or_the_second_is_told(tmp_path: Path, first: str, second: str) -> None:
    store = specimen.make(tmp_path / "library", clips=4, bars=1)
    store = edit.delete(store, ["specimen/clip0"])
    base = Store.open(store.path)
    between = EDITS[first](store)
    clash = first != "compact" and first[-1] == second[-1] and first != second
    again = first == second and first != "compact"
    if clash or again:
        with pytest.raises(ConflictError, match=f"clip 'specimen/clip{first[-1]}' was changed meanwhile by version 3"):
            EDITS[second](base)
        assert Store.open(store.path).version == between.version
        return
    after = EDITS[second](base)
    rows = {row["clip"]: row["style"] for row in after.table("clips").to_pylist()}
    for each in (first, second):
        if each.startswith("delete"):
            assert f"specimen/clip{each[-1]}" not in rows
        elif each.startswith("relabel"):
            style = {"1": "tango", "2": "polka", "3": "jive"}[each[-1]]
            assert rows[f"specimen/clip{each[-1]}"] == style
    assert verify(after) == ()


def test_a_delete_by_predicate(store: Store, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads((root / "docs" / "schema" / "edit.schema.json").read_text())
    where = "performer = 'Ann O''Dance' and style is not null"
    assert main(["delete", str(store.path), "--where", where, "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, schema)
    assert document["clips"] == ["specimen/clip1", "specimen/clip3"]
    assert Store.open(store.path).version == 1
    assert main(["delete", str(store.path), "--where", where, "--reason", "asked to"]) == 0
    assert "version 2 has 3" in capsys.readouterr().out
    assert (
        main(["relabel", str(store.path), "--where", "style is null", "--style", "tango", "--consent", "", "--json"])
        == 0
    )
    jsonschema.validate(json.loads(capsys.readouterr().out), schema)
    assert {row["style"] for row in Store.open(store.path).table("clips").to_pylist()} == {"tango", "waltz", "rumba"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["delete"],
        ["delete", "nobody"],
        ["delete", "specimen/clip1", "--where", "style = 'waltz'"],
        ["delete", "../../etc/passwd"],
        ["delete", "--where", "style = 'nothing such'"],
        ["delete", "--where", "energy > 1"],
        ["delete", "--where", "1"],
        ["delete", "--where", "true; drop table segments"],
        ["relabel", "specimen/clip1"],
        ["relabel", "specimen/clip1", "--style", " "],
        ["relabel", "specimen/clip1", "--style", "a\nb"],
        ["relabel", "specimen/clip1", "--style", "x" * 5000],
        ["relabel", "nobody", "--style", "x"],
    ],
)
def test_what_cannot_be_edited(store: Store, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([arguments[0], str(store.path), *arguments[1:]]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert Store.versions(store.path) == (1,)


def test_bad_choices_in_python(store: Store) -> None:
    with pytest.raises(QueryError, match="not a label"):
        edit.relabel(store, ["specimen/clip1"], {"frames": "3"})
    with pytest.raises(QueryError, match="one of the two"):
        edit.select(store)


@pytest.mark.parametrize("mutual", [True, False])
def test_weights_that_were_trained_on_a_deleted_clip_are_named(tmp_path: Path, mutual: bool) -> None:
    store = specimen.make(tmp_path / "library")
    clip, digest = (store.columns("clips", [name]).column(name)[1].as_py() for name in ("clip", "source_sha256"))
    card = json.dumps({"trained_from": [digest[:16] if mutual else "f" * 16]})
    header = json.dumps({"__metadata__": {"card": card}}).encode()
    store = store.commit(models={"encoder": len(header).to_bytes(8, "little") + header})
    store = edit.compact(edit.delete(store, [clip], reason="consent withdrawn"))
    history.vacuum(store.place, keep=1)
    said = [str(problem) for problem in absent(store.place, clip)]
    assert [("was trained on its motion" in line, line.startswith("models/encoder-")) for line in said] == (
        [(True, True)] if mutual else []
    )
    store = store.commit(models={"encoder": b"\x05\0\0\0\0\0\0\0no js"})
    history.vacuum(store.place, keep=1)
    assert ["cannot be searched" in str(problem) for problem in absent(store.place, clip)] == [True]
