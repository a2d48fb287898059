"""The library on disk: what is written is read back, versions are immutable, and nothing half-written ever counts."""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from choreodb.errors import StoreError
from choreodb.storage import history, specimen
from choreodb.storage import manifest as manifests
from choreodb.storage.manifest import FORMAT_VERSION, FileEntry, Manifest
from choreodb.storage.motion_table import BLOCK_FRAMES, MotionReader, MotionWriter, blocks
from choreodb.storage.store import Store
from choreodb.storage.verify import verify

GOLDEN = Path(__file__).parent / "fixtures" / "library-format-1"


def tree(path: Path) -> dict[str, str]:
    """Hashes of all files below `path`."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return specimen.make(tmp_path / "library")


# -- reading back ----------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.integers(1, 1500), min_size=1, max_size=4), data=st.data())
def test_motion_is_read_back_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("motion")
    rng = np.random.default_rng(sum(lengths))
    motions = {f"key{i}": specimen.random_motion(rng, length, (22, 52)[i % 2]) for i, length in enumerate(lengths)}
    with MotionWriter(folder, part_bytes=400_000) as writer:
        for key, arrays in motions.items():
            writer.add(key, *arrays)
            writer.add(key, *arrays)
    reader = MotionReader([(part.path, folder / part.path) for part in writer.parts])
    assert sum(part.rows for part in writer.parts) == sum(-(-length // BLOCK_FRAMES) for length in lengths)
    for key, arrays in motions.items():
        first = data.draw(st.integers(0, len(arrays[0]) - 1))
        stop = data.draw(st.integers(first + 1, len(arrays[0])))
        for read, written in zip(reader.read(key, first, stop), arrays, strict=True):
            assert read.dtype == written.dtype
            np.testing.assert_array_equal(read, written[first:stop])


def test_a_read_touches_only_the_row_groups_it_needs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = store.motion
    groups: list[int] = []
    file = reader._files[0]
    assert file.metadata.num_row_groups >= 2

    class Spy:
        metadata = file.metadata

        def read_row_group(self, group: int, **options: Any) -> pa.Table:
            groups.append(group)
            return file.read_row_group(group, **options)

    monkeypatch.setattr(reader, "_files", [Spy()])
    store.read_motion("specimen/clip0", 10, 20)
    store.read_motion("specimen/clip0", 0, BLOCK_FRAMES)
    assert groups == [0]


def test_read_motion_gives_arrays_of_one_s_own(store: Store) -> None:
    first = store.read_motion("specimen/clip0", 0, 30)
    kept = first[1].copy()
    first[1][:] = 7.0
    np.testing.assert_array_equal(store.read_motion("specimen/clip0", 0, 30)[1], kept)


def test_read_many_equals_read_motion(store: Store) -> None:
    requests = [("specimen/clip2", 5, 300), ("specimen/clip0", 0, 7), ("specimen/clip2", 5, 300)]
    for many, one in zip(store.read_many(requests), (store.read_motion(*r) for r in requests), strict=True):
        for a, b in zip(many, one, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("clip", "first", "stop", "words"),
    [
        ("nobody", 0, 1, "no clip 'nobody'"),
        ("specimen/clip0", -1, 4, "has 360 frames"),
        ("specimen/clip0", 4, 4, "has 360 frames"),
        ("specimen/clip0", 300, 361, "has 360 frames"),
    ],
)
def test_motion_that_is_not_there(store: Store, clip: str, first: int, stop: int, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        store.read_motion(clip, first, stop)


def test_tables_and_columns_agree(store: Store) -> None:
    table = store.table("segments")
    assert len(table) == 18
    assert store.columns("segments", ["end_s", "clip"]).equals(table.select(["end_s", "clip"]))
    again = Store.open(store.path)
    assert again.columns("segments", ["end_s", "clip"]).equals(table.select(["end_s", "clip"]))
    with pytest.raises(StoreError, match="no column 'nope'"):
        store.columns("segments", ["nope"])
    with pytest.raises(StoreError, match="no 'dancers'"):
        store.table("dancers")


def test_arrays_are_memory_mapped_and_read_only(store: Store) -> None:
    array = store.array("embeddings")
    assert isinstance(array, np.memmap)
    assert array.shape == (18, 256)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0.0
    with pytest.raises(StoreError, match="no array 'faces'"):
        store.array("faces")


def test_repr_names_path_and_version(store: Store) -> None:
    assert repr(store) == f"Store({str(store.path)!r}, version=1, segments=18)"


# -- determinism and versions ----------------------------------------------------------------------------------------


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    specimen.make(tmp_path / "a")
    specimen.make(tmp_path / "b")
    specimen.make(tmp_path / "c", seed=1)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert tree(tmp_path / "a") != tree(tmp_path / "c")


def test_a_version_never_changes(store: Store) -> None:
    before = tree(store.path)
    clips = store.table("clips")
    after = store.commit(tables={"clips": clips.slice(0, 3)}, meta={"note": 2})
    assert (store.version, after.version, after.manifest.parent) == (1, 2, 1)
    assert tree(store.path).items() >= before.items()
    assert Store.open(store.path).meta == {"note": 2}
    old = Store.open(store.path, version=1)
    assert old.meta == {"specimen": {"clips": 3, "bars": 3, "seed": 0}}
    assert Store.versions(store.path) == (1, 2)
    with pytest.raises(StoreError, match="has no version 7; it has 1 to 2"):
        Store.open(store.path, version=7)


def test_a_commit_keeps_what_it_is_not_given(store: Store) -> None:
    after = store.commit(meta=store.meta, encoder={"name": "other"})
    assert after.encoder == {"name": "other"}
    assert after.manifest.files() == store.manifest.files()
    assert after.commit().encoder == {"name": "other"}
    assert verify(after) == ()


def test_new_clips_add_a_part_and_unused_parts_are_dropped(store: Store) -> None:
    rng = np.random.default_rng(1)
    row = store.table("clips").to_pylist()[0] | {"clip": "new/clip", "motion_key": "new", "frames": 40}
    motion = specimen.random_motion(rng, 40, 22)
    clips = pa.concat_tables([store.table("clips"), pa.Table.from_pylist([row], store.table("clips").schema)])
    added = store.commit(tables={"clips": clips}, append_motion=[blocks("new", *motion)])
    assert len(added.manifest.tables["motion"]) == 2
    np.testing.assert_array_equal(added.read_motion("new/clip", 0, 40)[0], motion[0])
    only = added.commit(tables={"clips": clips.slice(3)})
    assert len(only.manifest.tables["motion"]) == 1
    np.testing.assert_array_equal(only.read_motion("new/clip", 0, 40)[0], motion[0])
    assert Store.open(store.path, version=2).read_motion("specimen/clip1", 0, 5)


def test_a_stale_index_is_dropped_with_its_embeddings(store: Store) -> None:
    indexed = store.commit(index={"some_index": b"bytes"})
    path = indexed.index_path("some_index")
    assert path is not None
    assert path.read_bytes() == b"bytes"
    kept = indexed.commit(meta={})
    assert kept.index_path("some_index") == path
    assert kept.commit(arrays={"embeddings": kept.array("embeddings")}).index_path("some_index") is None


# -- commits that must not happen ------------------------------------------------------------------------------------


def test_of_two_writers_one_wins_and_the_other_is_told(store: Store) -> None:
    other = Store.open(store.path)
    other.commit(meta={"who": "first"})
    with pytest.raises(StoreError, match=r"m-00000002\.json of library .* was committed by another process"):
        store.commit(meta={"who": "second"})
    assert Store.open(store.path).meta == {"who": "first"}
    assert verify(store.path) == ()


def bad_commits(store: Store) -> dict[str, tuple[dict[str, Any], str]]:
    clips, segments = store.table("clips"), store.table("segments")
    frames = clips.column_names.index("frames")
    motion = specimen.random_motion(np.random.default_rng(0), 10, 22)
    return {
        "a column missing": ({"tables": {"clips": clips.drop_columns(["style"])}}, "style"),
        "a column more": ({"tables": {"clips": clips.append_column("age", pa.array([1, 2, 3]))}}, "age"),
        "a null": ({"tables": {"clips": clips.set_column(frames, "frames", pa.nulls(3, pa.int32()))}}, "nulls"),
        "a type": ({"tables": {"clips": clips.set_column(frames, "frames", pa.array(["x"] * 3))}}, "schema"),
        "an unknown table": ({"tables": {"dancers": clips}}, "dancers"),
        "motion as a table": ({"tables": {"motion": store.table("motion")}}, "append_motion"),
        "an unknown array": ({"arrays": {"faces": np.zeros((18, 2))}}, "faces"),
        "a short array": ({"arrays": {"entry": np.zeros((17, 24))}}, "17 rows for 18 segments"),
        "a flat array": ({"arrays": {"entry": np.zeros(18)}}, "shape"),
        "segments without arrays": ({"tables": {"segments": segments.slice(0, 4)}}, "rows for 4 segments"),
        "motion that is there": ({"append_motion": [blocks("motion-0", *motion)]}, "already in the library"),
        "clips without motion": (
            {"tables": {"clips": clips.set_column(1, clips.schema.field(1), pa.array(["lost"] * 3))}},
            "'lost', which is not stored",
        ),
        "meta with NaN": ({"meta": {"x": float("nan")}}, "meta"),
        "meta with an object": ({"meta": {"x": object()}}, "meta"),
        "meta with numbers as keys": ({"meta": {"x": {9: 1, 10: 2}}}, "meta"),
        "an index by a path": ({"index": {"../x": b""}}, "index name"),
    }


@pytest.mark.parametrize("name", [
    "a column missing", "a column more", "a null", "a type", "an unknown table", "motion as a table",
    "an unknown array", "a short array", "a flat array", "segments without arrays", "motion that is there",
    "clips without motion", "meta with NaN", "meta with an object", "meta with numbers as keys", "an index by a path",
])  # fmt: skip
def test_a_commit_that_does_not_fit_is_refused(store: Store, name: str) -> None:
    arguments, words = bad_commits(store)[name]
    with pytest.raises(StoreError, match=words) as caught:
        store.commit(**arguments)
    assert "\n" not in str(caught.value)
    assert Store.open(store.path).version == 1
    assert verify(store.path) == ()


@pytest.mark.parametrize(
    ("shape", "root", "contacts"),
    [
        ((5, 22, 3), (5, 3), (5, 4)),
        ((5, 22, 4), (4, 3), (5, 4)),
        ((5, 22, 4), (5, 3), (5, 2)),
        ((0, 22, 4), (0, 3), (0, 4)),
    ],
)
def test_motion_of_odd_shapes_is_refused(
    shape: tuple[int, ...], root: tuple[int, ...], contacts: tuple[int, ...]
) -> None:
    with pytest.raises(StoreError, match="motion 'key'"):
        blocks("key", np.zeros(shape), np.zeros(root), np.zeros(contacts, dtype=np.uint8))


# -- creating and opening --------------------------------------------------------------------------------------------


def test_create_writes_nothing_until_the_first_commit(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "new" / "library")
    assert (store.version, len(store.table("clips")), Store.exists(store.path)) == (0, 0, False)
    assert list(tmp_path.iterdir()) == []
    assert store.commit(meta={"a": 1}).version == 1
    assert Store.exists(store.path)


def test_a_failed_first_commit_leaves_nothing(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "new" / "library")
    with pytest.raises(StoreError):
        store.commit(meta={"x": float("inf")})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_motion_writer_leaves_nothing(tmp_path: Path) -> None:
    motion = specimen.random_motion(np.random.default_rng(0), 700, 22)

    def write() -> None:
        with MotionWriter(tmp_path / "library", part_bytes=100_000) as writer:
            writer.add("a", *motion)
            writer.add("b", *motion)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


def test_create_refuses_what_is_not_its_own(tmp_path: Path, store: Store) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    (tmp_path / "file").write_text("x")
    for path, words in ((tmp_path / "mine", "thesis.tex"), (tmp_path / "file", "is a file"), (store.path, "already")):
        with pytest.raises(StoreError, match=words):
            Store.create(path)
    assert os.listdir(tmp_path / "mine") == ["thesis.tex"]


def test_open_says_what_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "half" / "manifests").mkdir(parents=True)
    (tmp_path / "half" / "manifests" / ".tmp-1-2").write_text("{}")
    for name, words in (
        ("gone", "no such folder"),
        ("file", "a file"),
        ("folder", "no manifests"),
        ("half", "no mani"),
    ):
        assert not Store.exists(tmp_path / name)
        with pytest.raises(StoreError, match=words) as caught:
            Store.open(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot write"):
        Store(tmp_path / "file" / "library", Manifest()).commit()


def rewrite(store: Store, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest and give it a checksum that fits, as an attacker would."""
    path = store.path / "manifests" / manifests.file_name(store.version)
    body = json.loads(path.read_bytes())
    body.pop("checksum")
    change(body)
    body["checksum"] = hashlib.sha256(manifests._encode(body)).hexdigest()
    path.write_bytes(manifests._encode(body))


def first_clip_file(body: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = body["tables"]["clips"][0]
    return entry


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda body: body.update(format_version=FORMAT_VERSION + 1), "newer than this ChoreoDB"),
        (
            lambda body: body.update(format_version=FORMAT_VERSION + 1, needs="0.9.1"),
            r"upgrade ChoreoDB to 0\.9\.1 or later",
        ),
        (lambda body: body.update(format_version=FORMAT_VERSION + 1, needs="x\ny"), "to the version that wrote it"),
        (lambda body: body.update(format_version=0), "damaged"),
        (lambda body: body.update(format_version=True), "damaged"),
        (lambda body: body.update(version=9), "says that it is version 9"),
        (lambda body: body.update(tables=[]), "damaged"),
        (lambda body: body.update(meta=3), "damaged"),
        (lambda body: body.pop("arrays"), "damaged"),
        (lambda body: first_clip_file(body).update(path="../../etc/passwd"), "not a file inside"),
        (lambda body: first_clip_file(body).update(path="/etc/passwd"), "not a file inside"),
        (lambda body: first_clip_file(body).update(path="tables/../../x"), "not a file inside"),
        (lambda body: first_clip_file(body).update(path="manifests/m-00000001.json"), "not a file inside"),
        (lambda body: first_clip_file(body).update(path="tables/none.parquet"), "tables/none.parquet is missing"),
        (lambda body: first_clip_file(body).update(rows=-1), "not a size"),
        (lambda body: first_clip_file(body).update(rows=1 << 60), "not a size"),
        (lambda body: first_clip_file(body).update(rows=1.5), "not a size"),
        (lambda body: first_clip_file(body).update(bytes=1 << 60), "not a size"),
        (lambda body: first_clip_file(body).update(bytes=12), "where the manifest says 12"),
        (lambda body: first_clip_file(body).update(sha256="abc"), "sha256"),
        (lambda body: body["arrays"]["entry"].update(shape=[-1, 4]), "not a size"),
    ],
)
def test_a_manifest_that_is_not_to_be_believed(
    store: Store, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    rewrite(store, change)
    with pytest.raises(StoreError, match=words) as caught:
        Store.open(store.path)
    assert "\n" not in str(caught.value)
    assert verify(store.path)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format_version": NaN}'])
def test_a_manifest_that_is_no_manifest(store: Store, text: bytes) -> None:
    (store.path / "manifests" / manifests.file_name(2)).write_bytes(text)
    with pytest.raises(StoreError, match=r"m-00000002\.json is damaged"):
        Store.open(store.path)
    assert Store.open(store.path, version=1).version == 1


def test_wrong_rows_and_shapes_are_named(store: Store) -> None:
    rewrite(store, lambda body: first_clip_file(body).update(rows=4))
    with pytest.raises(StoreError, match=r"tables/clips-.* has 3 rows where the manifest says 4"):
        Store.open(store.path).table("clips")
    rewrite(store, lambda body: body["arrays"]["entry"].update(shape=[18, 23]))
    with pytest.raises(StoreError, match=r"arrays/entry-.*\(18, 24\) where the manifest says .*\(18, 23\)"):
        Store.open(store.path).array("entry")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_a_file_that_leads_out_of_the_library(store: Store, tmp_path: Path) -> None:
    path = store.path / store.manifest.tables["clips"][0].path
    shutil.move(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="leads outside the library"):
        Store.open(store.path)


def test_a_missing_and_a_short_file_are_named(store: Store) -> None:
    entry = store.manifest.arrays["exit"].file
    data = (store.path / entry.path).read_bytes()
    (store.path / entry.path).write_bytes(data[:-1])
    with pytest.raises(StoreError, match=f"{entry.path} has {len(data) - 1} bytes"):
        Store.open(store.path)
    (store.path / entry.path).unlink()
    with pytest.raises(StoreError, match=f"{entry.path} is missing"):
        Store.open(store.path)


def test_an_array_with_pickled_objects_is_refused(store: Store) -> None:
    entry = store.manifest.arrays["exit"]
    np.save(store.path / "arrays" / "evil.npy", np.array([{}], dtype=object), allow_pickle=True)
    size = (store.path / "arrays" / "evil.npy").stat().st_size
    rewrite(store, lambda body: body["arrays"]["exit"].update(path="arrays/evil.npy", bytes=size))
    with pytest.raises(StoreError, match=r"arrays/evil\.npy is damaged"):
        Store.open(store.path).array("exit")
    assert entry.dtype == "<f4"


# -- killed and interrupted commits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["fsync", "replace", "link"])
def test_an_interrupt_at_any_point_leaves_the_previous_version(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    original = getattr(os, call)
    arrays = {"entry": np.ones((18, 24), dtype=np.float32)}
    for survived in range(100):
        left = [survived]

        def interrupted(*args: Any, left: list[int] = left, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return original(*args, **options)

        current = Store.open(store.path)
        monkeypatch.setattr(os, call, interrupted)
        try:
            done: Store | None = current.commit(
                tables={"clips": current.table("clips")}, arrays=arrays, meta={"n": survived}
            )
        except KeyboardInterrupt:
            done = None
        monkeypatch.setattr(os, call, original)
        latest = Store.open(store.path)
        assert verify(latest) == ()
        assert not list(store.path.rglob(".tmp-*"))
        if done is not None:
            assert latest.meta == {"n": survived}
            return
        # an interrupt after the link but before the last sync has committed
        assert latest.version in (current.version, current.version + 1)
    pytest.fail("the commit never came through")


KILLED = """
import os, sys
from choreodb.storage.store import Store
store = Store.open(sys.argv[1])
original, left = getattr(os, sys.argv[2]), int(sys.argv[3])
def killed(*args, **options):
    global left
    left -= 1
    if left < 0:
        os._exit(9)
    return original(*args, **options)
setattr(os, sys.argv[2], killed)
store.commit(tables={"clips": store.table("clips").slice(0, 3)}, meta={"killed": True}, append_motion=[])
"""


@pytest.mark.parametrize(("call", "after"), [("replace", 0), ("fsync", 0), ("link", 0)])
def test_a_killed_process_leaves_the_previous_version(store: Store, call: str, after: int) -> None:
    command = [sys.executable, "-c", KILLED, str(store.path), call, str(after)]
    assert subprocess.run(command, check=False).returncode == 9
    assert list(store.path.rglob(".tmp-*")), "the test should leave a stray file"
    reopened = Store.open(store.path)
    assert (reopened.version, verify(reopened)) == (1, ())
    assert reopened.commit(meta={}).version == 2
    assert not list(store.path.rglob(".tmp-*"))


def test_a_killed_first_commit_can_be_done_again(tmp_path: Path) -> None:
    script = KILLED.replace("Store.open", "Store.create").replace(
        'store.table("clips").slice(0, 3)', 'store.table("clips")'
    )
    command = [sys.executable, "-c", script, str(tmp_path / "library"), "link", "0"]
    assert subprocess.run(command, check=False).returncode == 9
    assert not Store.exists(tmp_path / "library")
    assert Store.create(tmp_path / "library").commit().version == 1


def test_the_temporary_files_of_a_living_writer_stay(store: Store) -> None:
    with store.place.draft("tables") as draft:
        draft.file.write(b"half")
        store.commit(meta={})
        assert draft.path.exists()
    assert not draft.path.exists()


def test_a_file_system_without_hard_links(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StoreError, match="has no hard links"):
        store.commit()
    assert not list(store.path.rglob(".tmp-*"))


def test_a_full_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreError, match="No space left on device; check space"):
        store.commit(tables={"clips": store.table("clips").slice(1)})
    monkeypatch.undo()
    assert verify(store.path) == ()
    assert not list(store.path.rglob(".tmp-*"))


def test_writing_the_same_content_again_repairs_it(store: Store) -> None:
    entry = store.manifest.arrays["exit"].file
    good = np.array(store.array("exit"))
    data = bytearray((store.path / entry.path).read_bytes())
    data[-1] ^= 1
    (store.path / entry.path).write_bytes(data)
    assert [problem.file for problem in verify(store.path)] == [entry.path]
    repaired = Store.open(store.path).commit(arrays={"exit": good})
    assert repaired.manifest.arrays["exit"].file == entry
    assert verify(repaired) == ()


COUNTING = """
import sys
from choreodb.errors import StoreError
from choreodb.storage.store import Store
done = 0
while done < 5:
    store = Store.open(sys.argv[1])
    try:
        store.commit(meta={"count": store.meta.get("count", 0) + 1})
        done += 1
    except StoreError as error:
        assert "another process" in str(error), error
"""


def test_no_commit_of_racing_processes_is_lost(tmp_path: Path) -> None:
    Store.create(tmp_path / "library").commit()
    command = [sys.executable, "-c", COUNTING, str(tmp_path / "library")]
    racers = [subprocess.Popen(command) for _ in range(3)]
    assert [racer.wait(timeout=60) for racer in racers] == [0, 0, 0]
    latest = Store.open(tmp_path / "library")
    assert (latest.version, latest.meta) == (16, {"count": 15})


# -- manifests -------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    meta=st.dictionaries(st.text(max_size=8), st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5), max_size=4),
    version=st.integers(1, 99_999_999),
)  # fmt: skip
def test_a_manifest_round_trips(meta: dict[str, Any], version: int) -> None:
    entry = FileEntry("tables/clips-0123456789ab.parquet", 3, 100, "0" * 64)
    manifest = Manifest(version=version, parent=None, code_version="1", meta=meta, tables={"clips": (entry,)})
    text = manifests.dumps(manifest)
    read = manifests.loads(text, source="test")
    assert manifests.dumps(read) == text
    assert (read.meta, read.tables["clips"], read.version) == (meta, (entry,), version)


def test_any_changed_byte_of_a_manifest_is_noticed(store: Store) -> None:
    text = (store.path / "manifests" / manifests.file_name(1)).read_bytes()
    for place in range(0, len(text), 7):
        changed = text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :]
        with pytest.raises(StoreError):
            manifests.loads(changed, source="test")


# -- released formats must open for ever -----------------------------------------------------------------------------


def test_the_library_of_format_1_opens() -> None:
    store = Store.open(GOLDEN)
    assert verify(store) == ()
    assert (store.version, len(store.table("segments")), len(store.table("clips"))) == (1, 4, 2)
    rotations, root, contacts = store.read_motion("specimen/clip1", 20, 80)
    assert rotations.shape == (60, 52, 4)
    digest = hashlib.sha256(rotations.tobytes() + root.tobytes() + contacts.tobytes()).hexdigest()
    assert digest == (GOLDEN.parent / "library-format-1.sha256").read_text().strip()


def test_interrupted_motion_writer_is_silent(tmp_path: Path) -> None:
    unraisable: list[object] = []
    hook, sys.unraisablehook = sys.unraisablehook, unraisable.append
    try:
        with contextlib.suppress(KeyboardInterrupt), MotionWriter(tmp_path / "library") as writer:
            writer.add("key", *specimen.random_motion(np.random.default_rng(0), 2000, 22))
            raise KeyboardInterrupt
        del writer
        gc.collect()
    finally:
        sys.unraisablehook = hook
    assert unraisable == []
    assert not (tmp_path / "library").exists()


def test_a_model_is_kept_hashed_and_vacuumed(tmp_path: Path) -> None:
    store = specimen.make(tmp_path / "library")
    with_model = store.commit(models={"encoder": b"numbers"})
    assert store.model("encoder") is None
    assert with_model.commit().model("encoder") == b"numbers"
    (file,) = (tmp_path / "library" / "models").iterdir()
    file.write_bytes(b"numbarz")
    assert any("is damaged" in problem.what for problem in verify(tmp_path / "library") if "models/" in problem.file)
    file.write_bytes(b"numbers")
    without = Store.open(tmp_path / "library").commit(models={})
    assert without.model("encoder") is None
    del with_model, store
    gc.collect()
    history.vacuum(tmp_path / "library")
    assert list((tmp_path / "library" / "models").iterdir()) == []
    with pytest.raises(StoreError, match="expected letters"):
        without.commit(models={"../x": b""})
