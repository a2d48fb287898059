"""Faces beside motion files: written, found again, refused where they do not belong, and left out of folder listings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from choreodb.errors import ChoreoError, MotionFormatError
from choreodb.indexer.discover import discover
from choreodb.motion import bvh, face, registry
from choreodb.motion.mirror import mirror
from choreodb.motion.motion import Motion
from choreodb.motion.npz import write_arrays
from choreodb.motion.rotations import identity
from choreodb.motion.skeleton import CHOREO22


def talking(frames: int = 30, fps: float = 60.0) -> Motion:
    weights = np.random.default_rng(3).uniform(0.0, 1.0, (frames, 52))
    root = np.tile([0.0, 0.95, 0.0], (frames, 1))
    return Motion(identity(frames, 22), root, CHOREO22, fps, face=weights, face_names=face.ARKIT52)


def test_there_are_52_channels_and_every_side_has_its_partner() -> None:
    assert len(set(face.ARKIT52)) == 52
    assert {face.partner(name) for name in face.ARKIT52} == set(face.ARKIT52)
    assert all(face.partner(face.partner(name)) == name for name in face.ARKIT52)
    assert face.partner("eyeBlinkLeft") == "eyeBlinkRight"
    assert face.partner("jawOpen") == "jawOpen"


def test_a_face_comes_back_with_its_motion(tmp_path: Path) -> None:
    motion = talking()
    bvh.save(motion, tmp_path / "a.bvh")
    face.save(motion, face.sidecar(tmp_path / "a.bvh"))
    back = registry.read(tmp_path / "a.bvh")
    assert back.face_names == face.ARKIT52
    assert back.face == pytest.approx(motion.face, abs=5e-4)
    assert registry.read(tmp_path / "a.bvh", fps=30.0).face == pytest.approx(motion.face, abs=5e-4)
    again = tmp_path / "b.face.npz"
    face.save(motion, again)
    assert again.read_bytes() == face.sidecar(tmp_path / "a.bvh").read_bytes()


def test_a_face_at_another_rate_is_resampled(tmp_path: Path) -> None:
    bvh.save(talking(60), tmp_path / "a.bvh")
    ramp = replace(talking(30, 30.0), face=np.linspace(0.0, 1.0, 30)[:, None] * np.ones((30, 52)))
    face.save(ramp, tmp_path / "a.face.npz")
    back = registry.read(tmp_path / "a.bvh").face
    assert back is not None
    assert back.shape == (60, 52)
    assert np.all(np.diff(back, axis=0) >= 0.0)


def test_a_mirrored_face_winks_with_the_other_eye() -> None:
    motion = talking()
    turned = mirror(motion)
    left, right = face.ARKIT52.index("eyeBlinkLeft"), face.ARKIT52.index("eyeBlinkRight")
    assert motion.face is not None
    assert turned.face is not None
    assert np.array_equal(turned.face[:, left], motion.face[:, right])
    assert np.array_equal(mirror(turned).face, motion.face)


def test_a_face_of_another_length_is_refused(tmp_path: Path) -> None:
    bvh.save(talking(60), tmp_path / "a.bvh")
    face.save(talking(200), tmp_path / "a.face.npz")
    with pytest.raises(MotionFormatError, match=r"a\.face\.npz: lasts 3\.33 s and the motion 1\.00 s"):
        registry.read(tmp_path / "a.bvh")


WRONG = {
    "nothing": {"other": np.zeros(3)},
    "shape": {"face": np.zeros((3, 2, 2)), "face_names": np.array(["a", "b"]), "fps": np.array(60.0)},
    "names": {"face": np.zeros((3, 2)), "face_names": np.array(["a"]), "fps": np.array(60.0)},
    "twice": {"face": np.zeros((3, 2)), "face_names": np.array(["a", "a"]), "fps": np.array(60.0)},
    "nan": {"face": np.full((3, 1), np.nan), "face_names": np.array(["a"]), "fps": np.array(60.0)},
    "rate": {"face": np.zeros((3, 1)), "face_names": np.array(["a"]), "fps": np.array(0.0)},
    "whole": {"face": np.zeros((3, 1), dtype=np.int64), "face_names": np.array(["a"]), "fps": np.array(60.0)},
}


@pytest.mark.parametrize("what", list(WRONG))
def test_strange_faces_are_refused(tmp_path: Path, what: str) -> None:
    write_arrays(tmp_path / "a.face.npz", WRONG[what])
    with pytest.raises(MotionFormatError, match=r"a\.face\.npz"):
        face.load(tmp_path / "a.face.npz")


def test_no_face_is_no_file_and_no_motion(tmp_path: Path) -> None:
    motion = replace(talking(), face=None, face_names=())
    with pytest.raises(MotionFormatError, match="no face"):
        face.save(motion, tmp_path / "a.face.npz")
    (tmp_path / "b.face.npz").write_bytes(b"nonsense")
    with pytest.raises(MotionFormatError, match="is the face of a motion file"):
        registry.read(tmp_path / "b.face.npz")


def test_faces_are_no_clips_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    bvh.save(talking(), folder / "a.bvh")
    face.save(talking(), folder / "a.face.npz")
    assert [clip.clip for clip in discover([folder]).clips] == ["set/a"]
    with pytest.raises(ChoreoError, match="not a motion file"):
        discover([folder / "a.face.npz"])
