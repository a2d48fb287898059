"""Compact motion: what is read back is within the stated bounds of what was written, whatever that was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.errors import StoreError
from choreodb.indexer.build import index
from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import angle, compose, inverse, normalise
from choreodb.motion.skeleton import CHOREO22, CHOREO52
from choreodb.storage import compact, specimen
from choreodb.storage.motion_blocks import as_stored
from choreodb.storage.motion_table import MotionReader, MotionWriter
from choreodb.storage.store import Store
from choreodb.storage.verify import verify

SHAPES = st.tuples(st.integers(1, 300), st.sampled_from((22, 52)))


def rough(rng: np.random.Generator, frames: int, joints: int) -> np.ndarray:
    """Unit quaternions that jump anywhere between any two frames: as far from smooth motion as can be."""
    return normalise(rng.normal(size=(frames, joints, 4))).astype(np.float32)


def off_deg(first: np.ndarray, second: np.ndarray) -> float:
    apart = compose(inverse(normalise(first.astype(np.float64))), normalise(second.astype(np.float64)))
    return float(np.degrees(angle(apart)).max())


@settings(max_examples=25, deadline=None)
@given(shape=SHAPES, smooth=st.booleans(), seed=st.integers(0, 1000))
def test_rotations_come_back_within_the_bound(shape: tuple[int, int], smooth: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    quats = specimen.random_motion(rng, *shape)[0] if smooth else rough(rng, *shape)
    data = compact.pack_rotations(quats).tobytes()
    back = compact.unpack_rotations(data, *shape)
    assert back.dtype == np.float32
    assert off_deg(quats, back) <= compact.ROTATION_ERROR_DEG
    assert np.all(back[..., 0] > -compact.ROTATION_STEP_RAD)
    np.testing.assert_array_equal(compact.unpack_rotations(compact.pack_rotations(-quats), *shape), back)
    # packing what was unpacked changes nothing; a half turn may come back as its opposite, which is the same
    if np.all(back[..., 0] > 0.0):
        assert compact.pack_rotations(back).tobytes() == data


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 300),
    channels=st.integers(1, 60),
    scale=st.sampled_from((1e-3, 1.0, 100.0)),
    seed=st.integers(0, 1000),
)
def test_numbers_come_back_within_half_a_step(frames: int, channels: int, scale: float, seed: int) -> None:
    values = (scale * np.random.default_rng(seed).normal(size=(frames, channels))).astype(np.float32)
    step = compact.POSITION_STEP_M
    data = compact.pack_values(values, step).tobytes()
    back = compact.unpack_values(data, frames, channels, step)
    np.testing.assert_allclose(back, values, rtol=1e-6, atol=0.5 * step)
    assert compact.pack_values(back, step).tobytes() == data
    if channels == 3 and scale <= 1.0:
        assert 1000.0 * np.linalg.norm(back - values, axis=1).max() <= compact.POSITION_ERROR_MM


@pytest.mark.parametrize("skeleton", [CHOREO22, CHOREO52])
def test_no_joint_is_further_off_than_stated(skeleton: object) -> None:
    rng = np.random.default_rng(3)
    joints = len(skeleton.parents)  # type: ignore[attr-defined]
    rotations, root = rough(rng, 400, joints), rng.normal(size=(400, 3)).astype(np.float32)
    there = as_stored(rotations, root, "compact")
    before, after = (
        forward(r.astype(np.float64), p.astype(np.float64), skeleton)[0] for r, p in ((rotations, root), there)
    )  # type: ignore[arg-type]
    worst = 1000.0 * np.linalg.norm(after - before, axis=-1).max()
    bound = compact.joint_error_mm(skeleton)  # type: ignore[arg-type]
    assert 0.1 * bound < worst <= bound < 3.0


def test_what_has_no_place_in_whole_steps_is_refused() -> None:
    with pytest.raises(StoreError, match="nan"):
        compact.pack_values(np.array([[0.0, np.nan]]), 0.5)
    with pytest.raises(StoreError, match=r"takes numbers up to 2\.15e\+05"):
        compact.pack_values(np.array([[1e7]]), compact.POSITION_STEP_M)
    with pytest.raises(StoreError, match="has 5 bytes, expected 6"):
        compact.unpack_rotations(b"12345", 1, 1)


@pytest.mark.parametrize("joints", [22, 52])
def test_packed_motion_is_read_back_from_the_table(tmp_path: Path, joints: int) -> None:
    rng = np.random.default_rng(7)
    frames = 1100
    rotations, root, contacts = specimen.random_motion(rng, frames, joints)
    face = np.cumsum(rng.normal(size=(frames, 31)), axis=0).astype(np.float32) / 100.0
    with MotionWriter(tmp_path, packing="compact") as writer:
        writer.add("packed", rotations, root, contacts, face)
        writer.add("bare", rotations[:10], root[:10], contacts[:10])
    with MotionWriter(tmp_path) as plain:
        plain.add("plain", rotations, root, contacts, face)
    files = [(part.path, tmp_path / part.path) for part in (*writer.parts, *plain.parts)]
    reader = MotionReader(files)
    turned, moved = as_stored(rotations, root, "compact")
    for first, stop in ((0, frames), (250, 260), (700, 1100)):
        read = reader.read("packed", first, stop)
        for got, kept in zip(read, (turned, moved, contacts), strict=True):
            np.testing.assert_array_equal(got, kept[first:stop])
        weights = reader.read_face("packed", first, stop)
        assert weights is not None
        np.testing.assert_allclose(weights, face[first:stop], atol=0.51 * compact.WEIGHT_STEP)
    assert reader.read_face("bare", 0, 10) is None
    np.testing.assert_array_equal(reader.read("plain", 3, 900)[0], rotations[3:900])
    assert writer.parts[0].bytes < 0.4 * plain.parts[0].bytes
    assert pq.read_schema(files[0][1]).field("packing").type == "string"


def test_an_unknown_packing_is_refused(tmp_path: Path) -> None:
    rotations, root, contacts = specimen.random_motion(np.random.default_rng(1), 20, 22)
    from choreodb.storage.motion_table import blocks

    rows = blocks("x", rotations, root, contacts)
    strange = rows.set_column(rows.column_names.index("packing"), "packing", [["middle-out"]])
    with MotionWriter(tmp_path) as writer:
        writer.add_table(strange)
    reader = MotionReader([(part.path, tmp_path / part.path) for part in writer.parts])
    with pytest.raises(StoreError, match=r"tables/motion-.*middle-out.*does not know"):
        reader.read("x", 0, 5)


def test_a_compact_library_indexes_to_what_reading_it_back_would(sample_folder: Path, tmp_path: Path) -> None:
    folder = sample_folder / "waltz"
    index([folder], tmp_path / "library", packing="compact")
    store = Store.open(tmp_path / "library")
    assert store.meta["motion"] == "compact"
    assert verify(store) == ()
    # the other style comes later: the waltz is read from the library then, not from its files, and must be the same
    index([sample_folder / "house"], tmp_path / "library")
    index([folder, sample_folder / "house"], tmp_path / "at-once", packing="compact")
    both, once = Store.open(tmp_path / "library"), Store.open(tmp_path / "at-once")
    assert both.meta["motion"] == "compact"
    for name in ("entry", "exit", "embeddings"):
        np.testing.assert_array_equal(both.array(name), once.array(name))
    assert both.table("segments") == once.table("segments")
