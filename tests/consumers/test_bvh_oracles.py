"""BVH as two other readers have it: pymotion and bvhio."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from choreodb.motion import Motion, bvh, kinematics
from choreodb.motion.rotations import FloatArray

pytestmark = pytest.mark.consumers

CASES = ("body", "wild")
BENCH = "pip install 'choreodb[bench]'"


def positions_by_pymotion(path: Path) -> tuple[list[str], FloatArray]:
    """Names and global joint positions [T, J, 3]."""
    reader = pytest.importorskip("pymotion.io.bvh", reason=f"pymotion is not installed; {BENCH}")
    from pymotion.ops.skeleton import fk

    file = reader.BVH()
    file.load(str(path))
    rotations, positions, parents, offsets, _, _ = file.get_data()
    placed, _ = fk(rotations, positions[:, 0], offsets, parents)
    return [str(name) for name in file.data["names"]], np.asarray(placed)


def positions_by_bvhio(path: Path, frames: list[int]) -> tuple[list[str], FloatArray]:
    """Names and global joint positions [T, J, 3] at `frames`."""
    bvhio = pytest.importorskip("bvhio", reason=f"bvhio is not installed; {BENCH}")
    hierarchy = bvhio.readAsHierarchy(str(path))
    joints = [joint for joint, _, _ in hierarchy.layout()]
    placed = []
    for frame in frames:
        hierarchy.loadPose(frame)
        placed.append([list(joint.PositionWorld) for joint in joints])
    return [joint.Name for joint in joints], np.array(placed)


def assert_placed_alike(motion: Motion, names: list[str], placed: FloatArray, frames: list[int], within: float) -> None:
    known = [place for place, name in enumerate(names) if name in motion.skeleton.names]
    assert sorted(names[place] for place in known) == sorted(motion.skeleton.names)
    order = [motion.skeleton.names.index(names[place]) for place in known]
    ours = kinematics.joint_positions(motion)[frames][:, order]
    assert np.max(np.abs(placed[:, known] - ours)) < within


@pytest.mark.parametrize("case", CASES)
def test_pymotion_and_bvhio_place_what_we_wrote_alike(case: str, dancers: Mapping[str, Motion], tmp_path: Path) -> None:
    path = tmp_path / "a.bvh"
    bvh.save(dancers[case], path)
    motion = bvh.load(path)
    names, placed = positions_by_pymotion(path)
    assert_placed_alike(motion, names, placed, list(range(len(motion))), 1e-3)
    frames = [0, len(motion) // 2, len(motion) - 1]
    names, placed = positions_by_bvhio(path, frames)
    assert_placed_alike(motion, names, placed, frames, 1e-3)


@pytest.mark.realdata
def test_pymotion_places_captured_motion_alike(realdata: Path) -> None:
    for name in ("cmu-dance/005_01.bvh", "cmu-dance/005_12.bvh"):
        path = realdata / "mocap" / name
        motion = bvh.load(path)
        names, placed = positions_by_pymotion(path)
        assert re.match("CC_Base", names[1])
        assert_placed_alike(motion, names, placed, list(range(len(motion))), 0.1)  # centimetres: 1 mm
