"""Verify: a sound library has no problems, every corruption of every file is named, and wrong content is noticed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from choreodb.errors import StoreError
from choreodb.storage import index, specimen
from choreodb.storage.faiss_index import FaissIndex
from choreodb.storage.motion_table import blocks
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS, SEGMENTS
from choreodb.storage.verify import Problem, verify


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return specimen.make(tmp_path / "library")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of two versions, with every kind of file."""
    store = specimen.make(tmp_path_factory.mktemp("verify") / "library", bars=1)
    store.commit(meta={"second": True}, index={"some_index": bytes(range(256))})
    return store.path


def test_a_sound_library_has_no_problems(sound: Path) -> None:
    assert verify(sound) == ()
    assert verify(Store.open(sound)) == ()
    assert verify(sound, version=1) == ()
    assert verify(Store.open(sound, version=1)) == ()


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data)))
    return data[:place] + bytes([data[place] ^ int(rng.integers(1, 256))]) + data[place + 1 :]


def truncated(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(len(data)))]


def extended(data: bytes, rng: np.random.Generator) -> bytes:
    return data + rng.bytes(int(rng.integers(1, 50)))


def scrambled(data: bytes, rng: np.random.Generator) -> bytes:
    first = int(rng.integers(len(data)))
    noise = rng.bytes(min(64, len(data) - first))
    noise = noise if noise != data[first : first + 64] else bytes(len(noise))
    return data[:first] + noise + data[first + len(noise) :]


def names(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


@pytest.mark.parametrize("corrupt", [flipped, truncated, extended, scrambled])
def test_every_corruption_is_named(
    sound: Path, tmp_path: Path, corrupt: Callable[[bytes, np.random.Generator], bytes]
) -> None:
    copy = tmp_path / "library"
    shutil.copytree(sound, copy)
    rng = np.random.default_rng(11)
    for name in names(sound):
        original = (sound / name).read_bytes()
        for _ in range(5):
            (copy / name).write_bytes(corrupt(original, rng))
            problems = verify(copy)
            assert name in {problem.file for problem in problems}, f"{corrupt.__name__} {name}: {problems}"
            assert all("\n" not in problem.what and problem.what for problem in problems)
        (copy / name).write_bytes(original)
    assert verify(copy) == ()


def test_a_missing_file_is_named(sound: Path, tmp_path: Path) -> None:
    copy = tmp_path / "library"
    shutil.copytree(sound, copy)
    for name in names(sound):
        if name.startswith("manifests"):
            continue
        (copy / name).rename(tmp_path / "kept")
        assert [problem.file for problem in verify(copy)] == [name]
        (copy / name).mkdir()
        assert [problem.file for problem in verify(copy)] == [name]
        (copy / name).rmdir()
        (tmp_path / "kept").rename(copy / name)


def test_what_is_no_library(tmp_path: Path) -> None:
    assert verify(tmp_path) == (Problem("manifests", f"{str(tmp_path)!r} holds no library"),)
    assert verify(tmp_path / "gone")
    assert verify(Store.create(tmp_path / "new"))


def test_a_version_that_is_not_there(sound: Path) -> None:
    assert [str(problem) for problem in verify(sound, version=9)] == [
        "manifests/m-00000009.json: is not in the library"
    ]


# -- files that are what the manifest says, and wrong all the same ---------------------------------------------------


def with_cells(table: pa.Table, row: int, schema: pa.Schema, **cells: Any) -> pa.Table:
    rows = table.to_pylist()
    rows[row] |= cells
    return pa.Table.from_pylist(rows, schema=schema)


SEGMENT_FAULTS: list[tuple[int, dict[str, Any], str]] = [
    (2, {"segment": 7}, "row 2: segment is not the row number"),
    (2, {"clip": "nobody"}, "row 2: clip is not in the clips table"),
    (0, {"start_s": 3.0}, "does not start before its end"),
    (5, {"end_s": 99.0}, "row 5: reaches beyond its clip"),
    (5, {"start_s": -0.5}, "row 5: reaches beyond its clip"),
    (5, {"end_s": float("nan")}, "row 5: end_s is not finite"),
    (4, {"energy": float("inf")}, "row 4: energy is not finite"),
    (4, {"beats_s": [1.0, 1.0]}, "row 4: beats_s does not increase"),
    (4, {"beats_s": [0.0, float("nan")]}, "beats_s is not finite"),
    (0, {"continuation": 99}, "row 0: continuation is not a segment"),
    (0, {"continuation": -2}, "row 0: continuation is not a segment"),
    (0, {"continuation": 2}, "row 0: continuation does not start where it ends"),
    (0, {"continuation": 4}, "row 0: continuation does not start where it ends"),
    (0, {"walkable": False}, "row 0: walkable does not fit the transitions"),
    (2, {"continuation": 3}, "row 2: continuation does not start where it ends"),
]


@pytest.mark.parametrize(("row", "cells", "words"), SEGMENT_FAULTS)
def test_segments_that_make_no_sense(store: Store, row: int, cells: dict[str, Any], words: str) -> None:
    after = store.commit(tables={"segments": with_cells(store.table("segments"), row, SEGMENTS, **cells)})
    assert any(words in str(problem) and problem.file.startswith("tables/") for problem in verify(after)), verify(after)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"clip": "specimen/clip0"}, "clip id occurs twice"),
        ({"music": "b" * 64}, "music is not in the music table"),
        ({"frames": 0}, "frames is not positive"),
        ({"frames": 300}, "duration_s does not fit frames"),
        ({"frames": 361, "duration_s": 361 / 60}, "blocks do not cover the 361 frames of 'specimen/clip1'"),
        ({"joints": 52}, "joints of 'specimen/clip1' differ"),
        ({"tempo_bpm": float("nan")}, "tempo_bpm is not finite"),
        ({"beats_s": [0.0, 1.0]}, "beats_s and beat_positions differ in length"),
        ({"beats_s": [1.0, 0.0], "beat_positions": [1, 2]}, "beats_s does not increase"),
    ],
)
def test_clips_that_make_no_sense(store: Store, cells: dict[str, Any], words: str) -> None:
    after = store.commit(tables={"clips": with_cells(store.table("clips"), 1, CLIPS, **cells)})
    assert any(words in str(problem) for problem in verify(after)), verify(after)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("source", lambda column: pc.add(column, 18), "is an edge to or from no segment"),
        ("target", lambda column: pc.subtract(column, 18), "is an edge to or from no segment"),
        ("cost", lambda column: pc.subtract(column, pa.scalar(1e6, pa.float32())), "cost is negative"),
        ("cost", lambda column: pc.multiply(column, pa.scalar(float("nan"), pa.float32())), "cost is not finite"),
        ("continuation", pc.invert, "continuation does not fit segments"),
    ],
)
def test_transitions_that_make_no_sense(store: Store, name: str, change: Callable[[Any], Any], words: str) -> None:
    table = store.table("transitions")
    place = table.column_names.index(name)
    after = store.commit(tables={"transitions": table.set_column(place, name, change(table.column(name)))})
    assert any(words in problem.what for problem in verify(after)), verify(after)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("embeddings", lambda array: array * 1.1, "is not a unit vector"),
        ("embeddings", lambda array: np.where(array > 0.1, np.nan, array), "is not finite"),
        ("entry", lambda array: array[:, :5], "differs in width"),
        ("exit", lambda array: np.where(array > 1.0, np.inf, array), "is not finite"),
    ],
)
def test_arrays_that_make_no_sense(store: Store, name: str, change: Callable[[Any], Any], words: str) -> None:
    after = store.commit(arrays={name: change(store.array(name))})
    assert any(words in problem.what for problem in verify(after)), verify(after)


def test_arrays_that_are_missing(tmp_path: Path, store: Store) -> None:
    tables = {name: store.table(name) for name in ("clips", "music", "segments", "transitions")}
    bare = Store.create(tmp_path / "bare").commit(tables=tables, append_motion=[store.table("motion")])
    assert sorted(problem.what for problem in verify(bare)) == [
        f"the array {name!r} is missing" for name in ("embeddings", "entry", "exit")
    ]


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        (0, 1.5, "quaternions that are not unit"),
        (0, np.nan, "numbers that are not finite"),
        (1, np.inf, "numbers that are not finite"),
        (2, 2, "contacts other than 0 and 1"),
    ],
)
def test_motion_that_makes_no_sense(store: Store, part: int, value: float, words: str) -> None:
    motion = specimen.random_motion(np.random.default_rng(0), 360, 22)
    motion[part][300:] = value
    row = store.table("clips").to_pylist()[0] | {"clip": "bad", "motion_key": "bad"}
    clips = pa.concat_tables([store.table("clips"), pa.Table.from_pylist([row], schema=CLIPS)])
    after = store.commit(tables={"clips": clips}, append_motion=[blocks("bad", *motion)])
    assert [problem.what for problem in verify(after)] == [f"block 256 of motion 'bad': {words}"]


def test_motion_with_a_hole_and_of_wrong_size(store: Store) -> None:
    motion = specimen.random_motion(np.random.default_rng(0), 700, 22)
    row = store.table("clips").to_pylist()[0] | {
        "clip": "bad",
        "motion_key": "bad",
        "frames": 700,
        "duration_s": 700 / 60,
    }
    clips = pa.concat_tables([store.table("clips"), pa.Table.from_pylist([row], schema=CLIPS)])
    rows = blocks("bad", *motion)
    hole = store.commit(tables={"clips": clips}, append_motion=[rows.take([0, 2])])
    assert "blocks do not cover the 700 frames of 'bad'" in {problem.what for problem in verify(hole)}
    with pytest.raises(StoreError, match="frames 200 to 600 of motion 'bad'"):
        hole.read_motion("bad", 200, 600)
    wrong = rows.set_column(5, "root", pa.array([b"123"] * 3, pa.large_binary()))
    other = Store.open(store.path, version=1)
    assert other.version == 1
    shutil.rmtree(store.path)
    fresh = specimen.make(store.path)
    odd = fresh.commit(tables={"clips": clips}, append_motion=[wrong])
    assert any("damaged: root of a block" in problem.what for problem in verify(odd)), verify(odd)


def test_a_parquet_file_of_another_schema(store: Store, tmp_path: Path) -> None:
    """A file that hashes as stated but holds something else: named, not a crash."""
    import hashlib
    import json

    import pyarrow.parquet as pq

    from choreodb.storage import manifest as manifests

    for name in ("clips", "music", "segments", "transitions", "motion"):
        copy = tmp_path / name
        shutil.copytree(store.path, copy)
        path = copy / "manifests" / manifests.file_name(1)
        body = json.loads(path.read_bytes())
        entry = body["tables"][name][0]
        pq.write_table(pa.table({"clip": [1.0, 2.0], "segment": ["a", "b"]}), copy / entry["path"])
        data = (copy / entry["path"]).read_bytes()
        entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "rows": 2}
        del body["checksum"]
        body["checksum"] = hashlib.sha256(manifests._encode(body)).hexdigest()
        path.write_bytes(manifests._encode(body))
        assert entry["path"] in {problem.file for problem in verify(copy)}, verify(copy)


def test_an_index_file_is_hashed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    after = store.commit(index={index.FAISS_NAME: b"0123456789"})
    path = after.index_path(index.FAISS_NAME)
    assert path is not None
    path.write_bytes(b"0123456780")
    assert [problem.file for problem in verify(after)] == [str(path.relative_to(after.path))]


def test_an_index_of_other_vectors(store: Store) -> None:
    pytest.importorskip("faiss")
    embeddings = np.array(store.array("embeddings"))
    assert verify(store.commit(index={index.FAISS_NAME: FaissIndex.build(embeddings).to_bytes()})) == ()
    others = (
        FaissIndex.build(embeddings[:9]).to_bytes(),
        b"nonsense" * 40,
        FaissIndex.build(np.ascontiguousarray(embeddings[::-1])).to_bytes(),
    )
    for version, data in enumerate(others, start=2):
        odd = Store.open(store.path, version=version).commit(index={index.FAISS_NAME: data})
        path = odd.index_path(index.FAISS_NAME)
        assert path is not None
        assert [problem.file for problem in verify(odd)] == [str(path.relative_to(odd.path))]
