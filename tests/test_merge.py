"""Merge and export: the parts of a library are libraries, and together they are the library again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from choreodb.cli import main
from choreodb.errors import ChoreoError, QueryError, StoreError
from choreodb.indexer import subset
from choreodb.indexer.copies import add_copies
from choreodb.indexer.merge import merge
from choreodb.storage import edit, index, specimen
from choreodb.storage.motion_table import keys_of
from choreodb.storage.store import Store
from choreodb.storage.verify import verify

TABLES = ("clips", "music", "segments", "transitions", "tombstones")


@pytest.fixture(scope="module")
def whole(sample_library: Path) -> Store:
    return Store.open(sample_library)


@pytest.fixture(scope="module")
def parts(whole: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The library in two: every third clip, and the others. Do not write to them."""
    folder = tmp_path_factory.mktemp("parts")
    clips = ids(whole)
    chosen = (clips[::3], [clip for clip in clips if clip not in clips[::3]])
    for name, each in zip("ab", chosen, strict=True):
        export(whole, folder / name, each)
    return folder / "a", folder / "b"


def ids(store: Store) -> list[str]:
    return [str(clip) for clip in store.columns("clips", ["clip"]).column("clip").to_pylist()]


def export(store: Store, out: Path, clips: list[str]) -> Store:
    return subset.export(store, out, subset.choose(store, clips))


def copied(library: Path, to: Path) -> Store:
    return Store.open(Path(shutil.copytree(library, to)))


def assert_same(one: Store, other: Store) -> None:
    for name in TABLES:
        assert one.table(name).equals(other.table(name)), name
    assert one.manifest.arrays.keys() == other.manifest.arrays.keys()
    for name in one.manifest.arrays:
        np.testing.assert_array_equal(one.array(name), other.array(name))
    assert one.encoder == other.encoder
    assert one.meta == other.meta
    for row in one.table("clips").to_pylist():
        for ours, theirs in zip(*(s.read_motion(row["clip"], 0, row["frames"]) for s in (one, other)), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        faces = [s.read_face(row["clip"], 0, row["frames"]) for s in (one, other)]
        assert (faces[0] is None) == (faces[1] is None)
        if faces[0] is not None:
            np.testing.assert_array_equal(*faces)


def test_an_export_of_everything_is_the_library(whole: Store, tmp_path: Path) -> None:
    out = export(whole, tmp_path / "out", ids(whole))
    assert verify(out) == ()
    assert_same(whole, out)


def test_the_parts_merged_are_the_library(whole: Store, parts: tuple[Path, Path], tmp_path: Path) -> None:
    done = merge(tmp_path / "lib", parts)
    assert done.added == tuple(ids(whole))
    assert verify(done.store) == ()
    assert_same(whole, done.store)
    again = merge(tmp_path / "lib", [whole.path, parts[1]])
    assert again.store.version == 1
    assert (again.added, again.notes) == ((), ())
    assert set(again.same) == set(ids(whole))


def test_a_merge_into_a_part_is_the_library(whole: Store, parts: tuple[Path, Path], tmp_path: Path) -> None:
    base = copied(parts[1], tmp_path / "lib")
    done = merge(base.place, [parts[0]])
    assert (done.store.version, done.same) == (2, ())
    assert_same(whole, done.store)
    assert Store.open(base.place, 1).table("clips").equals(base.table("clips"))


def test_a_part_holds_nothing_of_the_others(whole: Store, parts: tuple[Path, Path]) -> None:
    for path in parts:
        store = Store.open(path)
        rows = store.table("clips").to_pylist()
        assert verify(store) == ()
        assert rows == [row for row in whole.table("clips").to_pylist() if row["clip"] in ids(store)]
        assert {song["music"] for song in store.table("music").to_pylist()} == {row["music"] for row in rows}
        found = [keys_of(file.name, file) for file in (path / "tables").glob("motion-*")]
        assert set().union(*found) == {row["motion_key"] for row in rows}
    assert set().union(*(ids(Store.open(path)) for path in parts)) == set(ids(whole))


def test_labels_travel_and_contradict(parts: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = copied(parts[0], tmp_path / "ours"), copied(parts[0], tmp_path / "theirs")
    clip = ids(ours)[0]
    labels = {"licence": "CC-BY-4.0", "consent": "written, 2026", "performer": "Ann", "style": "tango"}
    theirs = edit.relabel(theirs, [clip], labels)
    with pytest.raises(QueryError, match=rf"clip '{clip}' is in libraries .* different style .*'tango'\); relabel"):
        merge(ours.place, [theirs.place])
    assert Store.open(ours.place).version == 1
    out = export(theirs, tmp_path / "out", [clip])
    row = out.table("clips").to_pylist()[0]
    assert {name: row[name] for name in labels} == labels


def test_other_content_under_the_same_id_is_refused(parts: tuple[Path, Path], tmp_path: Path) -> None:
    ours, theirs = copied(parts[0], tmp_path / "ours"), copied(parts[0], tmp_path / "theirs")
    rows = theirs.table("clips").to_pylist()
    rows[0]["source_sha256"] = "0" * 64
    table = theirs.table("clips")
    segments = theirs.table("segments")
    origin = [
        "0" * 64 if c == rows[0]["clip"] else o for c, o in zip(*_columns(segments, "clip", "origin"), strict=True)
    ]
    theirs.commit(
        tables={
            "clips": type(table).from_pylist(rows, schema=table.schema),
            "segments": segments.set_column(segments.column_names.index("origin"), "origin", [origin]),
        }
    )
    with pytest.raises(QueryError, match=rf"clip '{rows[0]['clip']}' .* different source file; delete it"):
        merge(ours.place, [theirs.place])
    assert Store.open(ours.place).version == 1


def _columns(table, *names: str):  # type: ignore[no-untyped-def]
    return [table.column(name).to_pylist() for name in names]


def test_the_deleted_stay_deleted(whole: Store, parts: tuple[Path, Path], tmp_path: Path) -> None:
    gone = ids(Store.open(parts[0]))[0]
    ours = edit.delete(copied(whole.path, tmp_path / "ours"), [gone], reason="consent withdrawn")
    done = merge(ours.place, [parts[0]])
    assert gone not in ids(done.store)
    assert done.store.version == ours.version
    assert done.notes == (f"deleted from ours, so left out: {gone}",)

    fresh = merge(tmp_path / "fresh", [ours.place])
    tombs = fresh.store.table("tombstones").to_pylist()
    assert [(row["clip"], row["reason"], row["version"]) for row in tombs] == [(gone, "consent withdrawn", 1)]
    assert verify(fresh.store) == ()
    assert len(export(ours, tmp_path / "out", ids(ours)[:1]).table("tombstones")) == 0

    kept = merge(copied(parts[0], tmp_path / "kept").place, [ours.place])
    assert gone in ids(kept.store)
    assert kept.notes == (
        f"deleted from ours and kept here, because another library has them: {gone} (consent withdrawn)",
    )


def test_virtual_copies_stay_behind(parts: tuple[Path, Path], tmp_path: Path) -> None:
    plain = Store.open(parts[0])
    store = add_copies(copied(parts[0], tmp_path / "lib"), [0.95])
    out = export(store, tmp_path / "out", ids(store))
    assert_same(plain, out)
    copy = next(clip for clip in ids(store) if "@" in clip)
    with pytest.raises(QueryError, match="only virtual copies"):
        subset.choose(store, [copy])
    done = merge(tmp_path / "merged", [store.place])
    assert_same(plain, done.store)
    assert done.notes == (f"virtual copies of lib left out: {len(ids(plain))}; `choreodb copies` makes them anew",)


def test_a_song_that_only_one_licenses(parts: tuple[Path, Path], tmp_path: Path) -> None:
    def licensed(path: Path, licence: str | None) -> Store:
        store = copied(parts[0], path)
        table = store.table("music")
        rows = [row | {"licence": licence} for row in table.to_pylist()]
        return store.commit(tables={"music": type(table).from_pylist(rows, schema=table.schema)})

    unknown, ours, theirs = (licensed(tmp_path / name, what) for name, what in (("u", None), ("o", "A"), ("t", "B")))
    done = merge(unknown.place, [ours.place])
    assert set(done.store.table("music").column("licence").to_pylist()) == {"A"}
    with pytest.raises(QueryError, match="has licence 'A' in one library and 'B'"):
        merge(ours.place, [theirs.place])


def test_a_damaged_library_is_not_taken(parts: tuple[Path, Path], tmp_path: Path) -> None:
    other = copied(parts[0], tmp_path / "other")
    file = next((other.path / "arrays").glob("travel-*"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match=r"other' has 1 problem, the first in arrays/travel-.*choreodb verify"):
        merge(tmp_path / "lib", [other.place])
    assert not (tmp_path / "lib").exists()


def test_another_encoder_is_refused(parts: tuple[Path, Path], tmp_path: Path) -> None:
    other = specimen.make(tmp_path / "other")
    with pytest.raises(QueryError, match="was embedded with 'random'"):
        merge(parts[0], [other.place])
    with pytest.raises(QueryError, match="'random' and records nothing else of it"):
        subset.choose(other, ids(other))


def test_a_large_export_gets_its_index(
    parts: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "EXACT_VECTORS", 8)
    store = Store.open(parts[0])
    out = export(store, tmp_path / "out", ids(store))
    assert out.index_path(index.CELLS_NAME) is not None
    assert verify(out) == ()


def test_the_commands(parts: tuple[Path, Path], tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def printed(*arguments: str | Path, status: int = 0) -> str:
        assert main([str(argument) for argument in arguments]) == status
        streams = capsys.readouterr()
        return streams.err if status else streams.out

    schemas = root / "docs" / "schema"
    clips = ids(Store.open(parts[0]))
    out, lib = tmp_path / "out", tmp_path / "lib"
    listed = json.loads(printed("export", parts[0], out, "--where", "true", "--dry-run", "--json"))
    jsonschema.validate(listed, json.loads((schemas / "edit.schema.json").read_text()))
    assert listed["clips"] == clips
    assert not out.exists()
    assert "exported 1 clip, " in printed("export", parts[0], out, clips[0])
    assert "already is a library" in printed("export", parts[0], out, clips[0], status=1)
    assert "no clip 'nobody'" in printed("export", parts[0], tmp_path / "none", "nobody", status=1)
    assert "name clips or give --where" in printed("export", parts[0], tmp_path / "none", status=1)
    merged = json.loads(printed("merge", lib, out, parts[0], "--json"))
    jsonschema.validate(merged, json.loads((schemas / "merge.schema.json").read_text()))
    assert (merged["added"], merged["same"]) == (clips, clips[:1])
    assert "no library at" in printed("merge", tmp_path / "none", tmp_path / "nowhere", status=1)
    assert not (tmp_path / "none").exists()


def test_a_merge_that_fails_leaves_no_library(parts: tuple[Path, Path], tmp_path: Path) -> None:
    empty = edit.delete(copied(parts[0], tmp_path / "empty"), ids(Store.open(parts[0])))
    with pytest.raises(ChoreoError, match="none of these libraries has a clip"):
        merge(tmp_path / "lib", [empty.place])
    assert not (tmp_path / "lib").exists()
