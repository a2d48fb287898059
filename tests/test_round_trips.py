"""What is read, written and read again is the same motion; rotations are a group."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walking import walk

from choreodb.motion import bvh, kinematics, registry, retarget, smpl
from choreodb.motion import rotations as rot
from choreodb.motion.rotations import FloatArray, angle, compose, inverse

COMPONENT = st.floats(-1.0, 1.0)
QUATERNION = (
    st.tuples(COMPONENT, COMPONENT, COMPONENT, COMPONENT)
    .map(np.array)
    .filter(lambda quat: np.linalg.norm(quat) > 1e-3)
    .map(rot.normalise)
)


def turned_apart(first: FloatArray, second: FloatArray) -> float:
    """Largest angle in radians between rotations [..., 4]."""
    return float(np.max(angle(compose(inverse(first), second))))


@given(a=QUATERNION, b=QUATERNION, c=QUATERNION)
@settings(max_examples=200, deadline=None)
def test_rotations_are_a_group(a: FloatArray, b: FloatArray, c: FloatArray) -> None:
    assert abs(np.linalg.norm(compose(a, b)) - 1.0) < 1e-12
    assert np.allclose(compose(compose(a, b), c), compose(a, compose(b, c)), atol=1e-12)
    assert np.allclose(compose(a, rot.IDENTITY), a, atol=1e-12)
    assert np.allclose(compose(rot.IDENTITY, a), a, atol=1e-12)
    assert np.allclose(compose(a, inverse(a)), rot.IDENTITY, atol=1e-12)
    assert np.allclose(compose(inverse(a), a), rot.IDENTITY, atol=1e-12)
    vector = np.array([0.3, -2.0, 1.0])
    assert np.allclose(rot.rotate(compose(a, b), vector), rot.rotate(a, rot.rotate(b, vector)), atol=1e-12)


def test_npz_to_canonical_to_npz(tmp_path: Path) -> None:
    smpl.save(walk(2.0), tmp_path / "1.npz")
    first = registry.read(tmp_path / "1.npz")
    smpl.save(retarget.canonicalise(first).motion, tmp_path / "2.npz")
    second = registry.read(tmp_path / "2.npz")
    assert len(first) == len(second)
    assert turned_apart(first.rotations, second.rotations) < 1e-4


@pytest.mark.long
@pytest.mark.realdata
def test_every_real_bvh_comes_back_and_settles_in_one_pass(realdata: Path, tmp_path: Path) -> None:
    paths = sorted((realdata / "mocap").rglob("*.bvh"))
    assert len(paths) > 200
    for path in paths:
        motion = bvh.load(path)
        bvh.save(motion, tmp_path / "1.bvh")
        again = bvh.load(tmp_path / "1.bvh")
        bvh.save(again, tmp_path / "2.bvh")
        assert (tmp_path / "1.bvh").read_bytes() == (tmp_path / "2.bvh").read_bytes(), path
        order = [again.skeleton.names.index(name) for name in motion.skeleton.names]
        away = kinematics.joint_positions(motion) - kinematics.joint_positions(again)[:, order]
        assert np.max(np.abs(away)) < 0.01, path  # centimetres: 0.1 mm
        assert turned_apart(motion.rotations, again.rotations[:, order]) < 1e-4, path
