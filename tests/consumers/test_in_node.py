"""GLB and BVH in the programs of the web: Khronos' validator and three.js, run in Node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choreodb.library import Library
from choreodb.motion import Motion, bvh, glb, kinematics, registry

pytestmark = pytest.mark.consumers

NODE = Callable[..., Any]
CASES = ("body", "hands and face", "wild", "one frame")
SAVE = {"glb": glb.save, "bvh": bvh.save}


def sampled_frames(motion: Motion) -> list[int]:
    return sorted({0, 1 % len(motion), len(motion) // 3, len(motion) // 2, len(motion) - 1})


def assert_posed_alike(node: NODE, path: Path, motion: Motion) -> dict[str, Any]:
    """three.js has our joints, our length, and every joint within 1 mm of ours at the sampled frames."""
    frames = sampled_frames(motion)
    seen = node("pose.mjs", path, *(frame / motion.fps for frame in frames))
    assert len(seen["names"]) == len(motion.skeleton)
    assert seen["duration_s"] == pytest.approx((len(motion) - 1) / motion.fps, abs=1e-4)
    assert np.max(np.abs(np.array(seen["positions"]) - kinematics.joint_positions(motion)[frames])) < 1e-3
    return dict(seen)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("suffix", ["glb", "bvh"])
def test_three_js_poses_every_joint_as_we_do(
    case: str, suffix: str, node: NODE, dancers: Mapping[str, Motion], tmp_path: Path
) -> None:
    SAVE[suffix](dancers[case], tmp_path / f"a.{suffix}")
    written = registry.read(tmp_path / f"a.{suffix}")
    assert_posed_alike(node, tmp_path / f"a.{suffix}", written)
    # BVH lists the joints of a branch together, so that the order is not the motion's
    order = [written.skeleton.names.index(name) for name in dancers[case].skeleton.names]
    ours = kinematics.joint_positions(dancers[case])
    assert np.max(np.abs(kinematics.joint_positions(written)[:, order] - ours)) < 1e-3


def test_three_js_moves_the_face_as_we_do(node: NODE, dancers: Mapping[str, Motion], tmp_path: Path) -> None:
    motion = dancers["hands and face"]
    assert motion.face is not None
    glb.save(motion, tmp_path / "a.glb")
    frames = sampled_frames(motion)
    seen = node("pose.mjs", tmp_path / "a.glb", *(frame / motion.fps for frame in frames))
    assert seen["faces"] == [list(motion.face_names)]
    assert np.allclose(np.array(seen["weights"])[:, 0], motion.face[frames], atol=1e-3)


def test_khronos_finds_no_error_and_no_warning(node: NODE, dancers: Mapping[str, Motion], tmp_path: Path) -> None:
    paths = []
    for number, motion in enumerate(dancers.values()):
        glb.save(motion, tmp_path / f"{number}.glb", extras={"music": "song.flac"})
        paths.append(tmp_path / f"{number}.glb")
    for path, issues in node("validate.mjs", *paths).items():
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), (path, issues["messages"][:5])


def test_a_broken_file_is_told(node: NODE, dancers: Mapping[str, Motion], tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    glb.save(dancers["body"], path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"LINEAR"', b'"CURVED"', 1))
    issues = node("validate.mjs", path)[str(path)]
    assert issues["numErrors"] + issues["numWarnings"] > 0


def test_a_dance_of_the_library_opens(node: NODE, sample_library: Path, sample_song: Path, tmp_path: Path) -> None:
    Library.open(sample_library).dance(sample_song).save(tmp_path / "a.glb", tmp_path / "a.bvh")
    issues = node("validate.mjs", tmp_path / "a.glb")[str(tmp_path / "a.glb")]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0)
    for name in ("a.glb", "a.bvh"):
        assert_posed_alike(node, tmp_path / name, registry.read(tmp_path / name))


@pytest.mark.realdata
def test_captured_motion_is_read_as_three_js_reads_it(node: NODE, realdata: Path) -> None:
    """Files of others, where joints do not have position channels of their own (which three.js adds to the offset)."""
    for name in ("cmu-dance/005_01.bvh", "cmu-dance/005_12.bvh"):
        path = realdata / "mocap" / name
        motion = bvh.load(path)
        frames = sampled_frames(motion)
        seen = node("pose.mjs", path, *(frame / motion.fps for frame in frames))
        # three.js adds the root's OFFSET to its position channels; the literal reading, Blender's, replaces it
        places = np.array(seen["positions"]) - motion.skeleton.offsets[0]
        assert np.max(np.abs(places - kinematics.joint_positions(motion)[frames])) < 0.1  # centimetres: 1 mm
