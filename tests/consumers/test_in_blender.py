"""GLB, BVH and FBX in Blender: armature, and every joint within 1 mm of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from choreodb.motion import Motion, bvh, glb, kinematics, registry

pytestmark = pytest.mark.consumers

BLENDER = Callable[..., str]
POSE = Path(__file__).resolve().parent / "blender_pose.py"
SAVE = {"glb": glb.save, "bvh": bvh.save}


def assert_posed_alike(blender: BLENDER, path: Path, motion: Motion, folder: Path, *, within: float = 1e-3) -> None:
    """Blender's armature has our joints by their names, each where ours is, in the file's units."""
    frames = sorted({0, len(motion) // 3, len(motion) - 1})
    blender(POSE, folder / "seen.json", motion.fps, path, *frames)
    seen = json.loads((folder / "seen.json").read_text())
    assert sorted(seen["names"]) == sorted(motion.skeleton.names)
    order = [motion.skeleton.names.index(name) for name in seen["names"]]
    ours = kinematics.joint_positions(motion)[frames][:, order]
    assert np.max(np.abs(np.array(seen["positions"]) - ours)) < within


@pytest.mark.parametrize("case", ["body", "hands and face", "wild"])
@pytest.mark.parametrize("suffix", ["glb", "bvh"])
def test_blender_poses_every_joint_as_we_do(
    case: str, suffix: str, blender: BLENDER, dancers: Mapping[str, Motion], tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    SAVE[suffix](dancers[case], path)
    assert_posed_alike(blender, path, registry.read(path), tmp_path)


@pytest.mark.parametrize("case", ["hands and face", "wild"])
@pytest.mark.parametrize("suffix", ["glb", "bvh"])
def test_fbx_of_the_documented_script_comes_back_alike(
    case: str, suffix: str, blender: BLENDER, dancers: Mapping[str, Motion], root: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / f"a.{suffix}", tmp_path / "a.fbx"
    SAVE[suffix](dancers[case], source)
    said = blender(root / "docs" / "blender_to_fbx.py", source, target)
    assert f"wrote {target}" in said
    assert_posed_alike(blender, target, registry.read(source), tmp_path)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["cmu-dance/005_01.bvh", "bandai-namco/dataset-1_bow_active_001.bvh"])
def test_captured_motion_is_read_as_blender_reads_it(
    name: str, blender: BLENDER, realdata: Path, tmp_path: Path
) -> None:
    path = realdata / "mocap" / name
    assert_posed_alike(blender, path, bvh.load(path), tmp_path, within=0.1)  # centimetres: 1 mm
