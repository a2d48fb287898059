"""NumPy files: positions and AMASS, what they refuse, the registry that finds readers, and labels."""

from __future__ import annotations

import os
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choreodb.errors import MotionFormatError
from choreodb.motion import CHOREO22, CHOREO52, Motion, Skeleton, kinematics, npz, positions, registry, smpl
from choreodb.motion.rotations import angle, compose, inverse, rotate, rotvec_to_quat

NAMES = ("neck", "head", "pelvis", "left_hip", "left_knee")
PARENTS = (2, 0, -1, 2, 3)


def random_motion(skeleton: Skeleton, frames: int = 7, seed: int = 0) -> Motion:
    rng = np.random.default_rng(seed)
    rotations = rotvec_to_quat(rng.normal(size=(frames, len(skeleton), 3)))
    return Motion(rotations, rng.normal(size=(frames, 3)), skeleton, 60.0)


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def good(rng: np.random.Generator) -> dict[str, Any]:
    joints = rng.normal(size=(6, 5, 3)).astype(np.float32)
    return {"joints": joints, "joint_names": np.array(NAMES), "parents": np.array(PARENTS), "fps": np.array(25.0)}


def test_positions_come_back_exactly(rng: np.random.Generator, tmp_path: Path) -> None:
    arrays = good(rng)
    motion = positions.load(save(tmp_path / "a.npz", **arrays))
    assert motion.positions_only
    assert motion.fps == 25.0
    assert np.array_equal(motion.rotations, np.broadcast_to([1.0, 0, 0, 0], (6, 5, 4)))
    assert motion.skeleton.names == tuple(NAMES)
    assert np.allclose(kinematics.joint_positions(motion), arrays["joints"], atol=1e-14, rtol=0)
    assert motion.translations is not None
    assert np.array_equal(motion.translations[:, motion.skeleton.root], motion.root)


def test_joints_keep_the_order_of_the_file_until_parents_must_come_first(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    loaded = positions.load(save(tmp_path / "a.npz", **good(rng)))
    assert loaded.skeleton.parents.tolist() == list(PARENTS)
    motion = kinematics.root_first(loaded)
    order = [NAMES.index(name) for name in motion.skeleton.names]
    assert np.allclose(kinematics.joint_positions(motion), kinematics.joint_positions(loaded)[:, order], atol=1e-14)
    assert motion.skeleton.names == ("pelvis", "neck", "left_hip", "head", "left_knee")
    assert motion.skeleton.parents.tolist() == [-1, 0, 0, 1, 2]


def test_without_parents_everything_hangs_on_the_pelvis(rng: np.random.Generator, tmp_path: Path) -> None:
    arrays = good(rng)
    motion = positions.load(save(tmp_path / "a.npz", **(arrays | {"parents": None})))
    pelvis = NAMES.index("pelvis")
    assert motion.skeleton.parents.tolist() == [-1 if joint == pelvis else pelvis for joint in range(5)]
    assert np.allclose(kinematics.joint_positions(motion), arrays["joints"])


def test_a_bare_array_needs_a_frame_rate(rng: np.random.Generator, tmp_path: Path) -> None:
    joints = rng.normal(size=(4, 3, 3))
    np.save(tmp_path / "a.npy", joints)
    with pytest.raises(MotionFormatError, match=r"a\.npy: does not state its frame rate"):
        registry.read(tmp_path / "a.npy")
    motion = positions.load(tmp_path / "a.npy", fps=50)
    assert motion.skeleton.names == ("joint_00", "joint_01", "joint_02")
    assert np.allclose(kinematics.joint_positions(motion), joints, atol=1e-14)
    np.save(tmp_path / "f.npy", np.asfortranarray(joints).astype(">f8"))
    assert np.array_equal(positions.load(tmp_path / "f.npy", fps=50).root, motion.root)


def test_fps_given_overrides_the_file(rng: np.random.Generator, tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", **good(rng))
    assert positions.load(path, fps=24.69).fps == 24.69


def test_positions_save_and_load(tmp_path: Path) -> None:
    motion = random_motion(CHOREO52)
    positions.save(motion, tmp_path / "a.npz")
    positions.save(motion, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = registry.read(tmp_path / "a.npz")
    order = [CHOREO52.index(name) for name in again.skeleton.names]
    assert np.max(np.abs(kinematics.joint_positions(again) - kinematics.joint_positions(motion)[:, order])) < 1e-6
    assert again.fps == 60.0


class Evil:
    """An object whose unpickling would be seen."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("unpickled",)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no joints": ({"joints": None}, "expected 'joints'"),
    "flat joints": ({"joints": np.zeros((6, 15))}, "(T, J, 3)"),
    "text joints": ({"joints": np.full((6, 5, 3), "x")}, "(T, J, 3)"),
    "complex joints": ({"joints": np.zeros((6, 5, 3), dtype=complex)}, "complex128"),
    "no frames": ({"joints": np.zeros((0, 5, 3))}, "(0, 5, 3)"),
    "no points": ({"joints": np.zeros((6, 0, 3))}, "(6, 0, 3)"),
    "huge joints": ({"joints": np.full((6, 5, 3), 1e308)}, "beyond 1e+09"),
    "object joints": ({"joints": np.array([Evil()] * 3, dtype=object)}, "'joints' holds Python objects"),
    "object names": ({"joint_names": np.array([Evil()] * 5, dtype=object)}, "'joint_names' holds Python objects"),
    "names too few": ({"joint_names": np.array(NAMES[:4])}, "5 names"),
    "names twice": ({"joint_names": np.array(["a"] * 5)}, "occurs twice"),
    "parents too few": ({"parents": np.array([-1, 0])}, "5 whole numbers"),
    "parents not whole": ({"parents": np.array([-1.0, 0, 0, 0, 0])}, "5 whole numbers"),
    "parents beyond": ({"parents": np.array([-1, 0, 0, 0, 9])}, "joint 9"),
    "two roots": ({"parents": np.array([-1, 0, -1, 0, 0])}, "2 roots"),
    "no root": ({"parents": np.array([1, 2, 3, 4, 0])}, "0 roots"),
    "a ring": ({"parents": np.array([-1, 2, 1, 0, 0])}, "'head' is its own ancestor"),
    "no fps": ({"fps": None}, "does not state its frame rate"),
    "fps zero": ({"fps": np.array(0.0)}, "frame rate is 0"),
    "fps negative": ({"fps": np.array(-25)}, "frame rate is -25"),
    "fps nan": ({"fps": np.array(np.nan)}, "'fps'"),
    "fps twice": ({"fps": np.array([25.0, 30.0])}, "'fps'"),
    "fps text": ({"fps": np.array("25")}, "'fps'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_positions_are_refused_in_one_line(
    case: str, rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, reason = BAD[case]
    path = save(tmp_path / "a.npz", **(good(rng) | change))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MotionFormatError) as error:
        registry.read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "unpickled").exists()


def test_nan_names_the_frame_and_the_joint(rng: np.random.Generator, tmp_path: Path) -> None:
    arrays = good(rng)
    arrays["joints"][4, 3, 1] = np.nan
    with pytest.raises(MotionFormatError, match=r"'left_hip' is NaN or infinite in frame 4"):
        registry.read(save(tmp_path / "a.npz", **arrays))


def header_only(shape: tuple[int, ...]) -> bytes:
    """A `.npy` that declares `shape` and holds a single number."""
    import io

    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return buffer.getvalue() + b"\0" * 8


def test_declared_sizes_are_not_believed(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(header_only((10**12, 5, 3)))
    with pytest.raises(MotionFormatError, match="cut off"):
        registry.read(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("joints.npy", header_only((10**15, 5, 3)))
    with pytest.raises(MotionFormatError, match="cut off"):
        registry.read(tmp_path / "b.npz")


def test_zip_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "MAX_BYTES", 1_000_000)
    np.savez_compressed(tmp_path / "a.npz", joints=np.zeros((10_000, 50, 3)), fps=np.array(60.0))
    assert (tmp_path / "a.npz").stat().st_size < 50_000
    with pytest.raises(MotionFormatError, match="unpacks to 12000000 bytes"):
        registry.read(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"text", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_damaged_files_are_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(MotionFormatError, match=r"a\.np"):
        registry.read(path)
    assert registry.labels(path) == {}


def test_unknown_keys_are_listed(tmp_path: Path) -> None:
    with pytest.raises(MotionFormatError, match="holds the keys a, b; expected 'joints'"):
        registry.read(save(tmp_path / "a.npz", a=np.zeros(3), b=np.zeros(3)))


@pytest.mark.parametrize("skeleton", [CHOREO22, CHOREO52], ids=["22", "52"])
def test_amass_round_trip(skeleton: Skeleton, tmp_path: Path) -> None:
    motion = random_motion(skeleton)
    smpl.save(motion, tmp_path / "a.npz")
    smpl.save(motion, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = registry.read(tmp_path / "a.npz")
    assert again.skeleton is skeleton
    assert again.fps == 60.0
    joints = len(skeleton)
    assert np.max(angle(compose(inverse(motion.rotations[:, 1:]), again.rotations[:, 1:joints]))) < 1e-5
    # z up, and the front of a dancer who faces +z is -y
    up, front = (rotate(again.rotations[:, 0], np.array(axis)) for axis in ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0]))
    up_before, front_before = (rotate(motion.rotations[:, 0], np.array(a)) for a in ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0]))
    for after, before in ((up, up_before), (front, front_before), (again.root, motion.root)):
        assert np.allclose(after, before[:, [0, 2, 1]] * [1.0, -1.0, 1.0], atol=1e-5)


def test_amass_keys_are_those_of_the_format(tmp_path: Path) -> None:
    smpl.save(random_motion(CHOREO22), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        assert archive["poses"].shape == (7, 156)
        assert archive["trans"].shape == (7, 3)
        assert archive["betas"].tolist() == [0.0] * 16
        assert str(archive["gender"]) == "neutral"
        assert float(archive["mocap_framerate"]) == 60.0
        assert not archive["poses"][:, 66:].any()


@pytest.mark.parametrize("width", smpl.WIDTHS)
def test_amass_widths(width: int, rng: np.random.Generator, tmp_path: Path) -> None:
    poses = rng.normal(size=(3, width))
    path = save(
        tmp_path / "a.npz", poses=poses, trans=np.ones((3, 3)), mocap_frame_rate=np.array(120), betas=np.ones(10)
    )
    motion = registry.read(path)
    assert len(motion.skeleton) == (52 if width >= 156 else 22)
    assert motion.skeleton.source == "reference"
    assert motion.fps == 120.0
    assert np.allclose(motion.rotations[:, :22], rotvec_to_quat(poses.reshape(3, -1, 3)[:, :22]))
    if width >= 156:
        assert np.allclose(motion.rotations[:, -1], rotvec_to_quat(poses[:, -3:]))


BAD_AMASS: dict[str, tuple[dict[str, Any], str]] = {
    "width": ({"poses": np.zeros((3, 100))}, "66, 72, 156, 165"),
    "no frames": ({"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))}, "(0, 156)"),
    "no trans": ({"trans": None}, "no array 'trans'"),
    "short trans": ({"trans": np.zeros((2, 3))}, "(3, 3)"),
    "nan": ({"trans": np.array([[0, 0, 0], [0, np.inf, 0], [0, 0, 0]])}, "first in frame 1"),
    "huge": ({"poses": np.full((3, 156), -1e200)}, "beyond 1e+09"),
    "no rate": ({"mocap_framerate": None}, "mocap_framerate"),
    "text": ({"poses": np.full((3, 156), "x")}, "expected numbers"),
}


@pytest.mark.parametrize("case", BAD_AMASS)
def test_bad_amass_is_refused(case: str, tmp_path: Path) -> None:
    change, reason = BAD_AMASS[case]
    arrays = {"poses": np.zeros((3, 156)), "trans": np.zeros((3, 3)), "mocap_framerate": np.array(60.0)}
    with pytest.raises(MotionFormatError) as error:
        registry.read(save(tmp_path / "a.npz", **(arrays | change)))
    assert reason in str(error.value)


def test_amass_output_needs_the_canonical_skeleton(tmp_path: Path) -> None:
    skeleton = Skeleton(("a",), np.array([-1], dtype=np.int32), np.zeros((1, 3)))
    with pytest.raises(MotionFormatError, match="canonical skeleton"):
        smpl.save(random_motion(skeleton), tmp_path / "a.npz")


def test_registry_knows_its_suffixes_and_lists_them(tmp_path: Path) -> None:
    assert {".bvh", ".npz", ".npy"} <= set(registry.SUFFIXES)
    (tmp_path / "a.xyz").write_bytes(b"x")
    with pytest.raises(MotionFormatError, match=r"unknown motion suffix '\.xyz'; expected one of .*\.bvh.*\.npz"):
        registry.read(tmp_path / "a.xyz")
    with pytest.raises(MotionFormatError, match="cannot be read"):
        registry.read(tmp_path / "missing.BVH")


def read_stub(path: str) -> Motion:
    return random_motion(CHOREO22)


def test_third_parties_add_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stub(EntryPoint):
        def load(self) -> Any:
            return read_stub

    found = [Stub("fbx", "somewhere:read", registry.ENTRY_POINT_GROUP), EntryPoint(".trc", "no.where:read", "x")]
    monkeypatch.setattr(registry, "entry_points", lambda group: found if group == registry.ENTRY_POINT_GROUP else [])
    registry._third_party.cache_clear()
    try:
        assert {".bvh", ".fbx", ".trc"} <= set(registry.SUFFIXES)
        assert len(registry.read(tmp_path / "a.FBX")) == 7
        with pytest.raises(MotionFormatError, match=r"reader 'no.where:read' for '\.trc' does not load"):
            registry.read(tmp_path / "a.trc")
    finally:
        registry._third_party.cache_clear()


def test_labels_are_what_the_file_says(rng: np.random.Generator, tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", **good(rng), style="waltz", music_start=-2.5, license=" CC0 ", performer=b"p1")
    assert registry.labels(path) == {"style": "waltz", "music_start_s": -2.5, "licence": "CC0", "performer": "p1"}
    plain = save(tmp_path / "b.npz", **good(rng), style="", music_start=np.nan, performer=np.array(["a", "b"]))
    assert registry.labels(plain) == {}
    assert registry.labels(tmp_path / "c.bvh") == {}
    assert registry.labels(tmp_path / "missing.npz") == {}


@pytest.mark.realdata
def test_real_positions(realdata: Path) -> None:
    path = sorted((realdata / "paired").glob("*/*/motion.npz"))[0]
    motion = registry.read(path)
    with np.load(path) as archive:
        order = [archive["joint_names"].tolist().index(name) for name in motion.skeleton.names]
        assert np.allclose(kinematics.joint_positions(motion), archive["joints"][:, order], atol=1e-12, rtol=0)
        assert motion.fps == float(archive["fps"])
        assert registry.labels(path) == {
            "style": str(archive["style"]), "music_start_s": float(archive["music_start"])
        }  # fmt: skip
