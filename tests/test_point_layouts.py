"""Joint positions without names: whose order it is, told by what makes a body, by `--layout`, or by places in a map."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from walking import walk

from choreodb.cli import main
from choreodb.errors import MotionFormatError
from choreodb.inspection import inspect_motion
from choreodb.motion import CHOREO22, kinematics, registry, retarget
from choreodb.motion.jointmaps import read_joint_map
from choreodb.motion.point_layouts import POINT_LAYOUTS
from choreodb.motion.rotations import FloatArray, axis_angle_to_quat, rotate

WALK = walk(3.0)


def points(layout: str) -> FloatArray:
    """The walk as a tracker of this layout has it: our joints, and the others somewhere near the head, hands and feet."""
    at = dict(zip(CHOREO22.names, np.moveaxis(kinematics.joint_positions(WALK), 1, 0), strict=True))
    near = {"hand": "wrist", "handtip": "wrist", "thumb": "wrist", "pinky": "wrist", "index": "wrist", "smalltoe": "foot",
            "heel": "ankle"}  # fmt: skip
    for place, name in enumerate(POINT_LAYOUTS[layout].names):
        side, _, part = name.partition("_")
        if name in at:
            continue
        anchor = f"{side}_{near[part]}" if part in near else f"{side}_wrist" if name[-1] in "123" else "head"
        sideways = {"left": 0.06, "right": -0.06}.get(side, 0.0)
        at[name] = at[anchor] + np.array([sideways, 0.01 * (place % 5), 0.05])
    return np.stack([at[name] for name in POINT_LAYOUTS[layout].names], axis=1)


@pytest.mark.parametrize("layout", POINT_LAYOUTS)
def test_the_only_order_that_makes_a_body_is_found(layout: str, tmp_path: Path) -> None:
    turn = axis_angle_to_quat(np.array([1.0, 0.0, 0.0]), np.array(np.pi / 2))
    rng = np.random.default_rng(3)
    seen = 1000.0 * rotate(turn, points(layout)) + rng.normal(size=(180, len(POINT_LAYOUTS[layout].names), 3)) * 5.0
    np.save(tmp_path / "a.npy", seen)
    motion = registry.read(tmp_path / "a.npy", fps=60.0)
    assert motion.notes[0].startswith(f"layout {layout}, inferred")
    canonical = retarget.canonicalise(motion)
    assert any(note.startswith("units mm") for note in canonical.notes)
    assert canonical.scale == pytest.approx(1.0, abs=0.03)
    truth = retarget.canonicalise(WALK).motion
    limbs = [CHOREO22.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("knee", "ankle", "elbow")]
    away = kinematics.joint_positions(canonical.motion)[:, limbs] - kinematics.joint_positions(truth)[:, limbs]
    assert np.median(np.linalg.norm(away - np.median(away, axis=0), axis=-1)) < 0.05


@pytest.mark.parametrize("layout", POINT_LAYOUTS)
def test_another_order_is_not_taken_for_a_known_one(layout: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    shuffled = points(layout)[:, rng.permutation(len(POINT_LAYOUTS[layout].names))]
    np.save(tmp_path / "a.npy", shuffled)
    motion = registry.read(tmp_path / "a.npy", fps=60.0)
    assert motion.notes == ()
    with pytest.raises(MotionFormatError, match=rf"joints have no names.*--layout.*{layout}.*left_hip = 1") as refused:
        retarget.canonicalise(motion)
    assert "\n" not in str(refused.value)


def test_a_number_of_joints_that_nobody_has_is_not_offered_a_layout(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", points("smpl22")[:, :21])
    with pytest.raises(MotionFormatError, match="the 21 joints have no names") as refused:
        retarget.canonicalise(registry.read(tmp_path / "a.npy", fps=60.0))
    assert "--layout" not in str(refused.value)
    assert "left_hip = 1" in str(refused.value)


def test_an_order_that_nobody_knows_is_mapped_by_places(tmp_path: Path) -> None:
    order = np.random.default_rng(6).permutation(22)
    np.savez(tmp_path / "a.npz", joints=points("smpl22")[:, order], fps=60.0)
    places = {CHOREO22.names[joint]: place for place, joint in enumerate(order)}
    (tmp_path / "map.toml").write_text("\n".join(f"{joint} = {place}" for joint, place in places.items()))
    found = inspect_motion(tmp_path / "a.npz", skeleton=tmp_path / "map.toml")
    assert found.problem is None
    assert found.canonical is not None
    assert found.canonical.residual_cm < 2.0
    assert read_joint_map(tmp_path / "map.toml")["left_hip"] == f"joint_{places['left_hip']:02d}"


@pytest.mark.parametrize("suffix", ["npy", "npz", "json", "pkl"])
def test_a_layout_is_given(suffix: str, tmp_path: Path) -> None:
    path, joints = tmp_path / f"a.{suffix}", points("body25")
    match suffix:
        case "npy":
            np.save(path, joints)
        case "npz":
            np.savez(path, joints=joints)
        case "json":
            path.write_text(json.dumps(joints.tolist()))
        case "pkl":
            path.write_bytes(pickle.dumps({"joints": joints}))
    motion = registry.read(path, fps=30.0, layout="BODY25")
    assert motion.notes[0] == "layout body25, as given (25 joints of OpenPose BODY_25)"
    assert motion.skeleton.names[-1] == "head"
    assert motion.fps == 30.0
    with pytest.raises(MotionFormatError, match=rf"a\.{suffix}: holds 25 joints; layout 'coco17' has 17"):
        registry.read(path, fps=30.0, layout="coco17")


def test_key_points_of_aist_are_read(tmp_path: Path) -> None:
    joints = 100.0 * points("coco17")
    lost = joints.copy()
    lost[3] = np.nan
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"keypoints3d": lost, "keypoints3d_optim": joints}))
    motion = registry.read(tmp_path / "a.pkl")
    assert motion.fps == 60.0
    assert motion.positions_only
    assert any(note.startswith("layout coco17, inferred") for note in motion.notes)
    assert any(note.startswith("frame rate 60") for note in motion.notes)
    assert retarget.canonicalise(motion).residual_cm < 3.0


def test_names_are_believed_before_layouts(tmp_path: Path) -> None:
    names = [f"point {place}" for place in range(22)]
    np.savez(tmp_path / "a.npz", joints=points("smpl22"), joint_names=names, fps=60.0)
    assert registry.read(tmp_path / "a.npz").skeleton.names == tuple(names)


@pytest.mark.parametrize("command", [["inspect"], ["retarget", "-o", "out.bvh"], ["index", "--library", "lib"]])
def test_the_command_line_knows_layouts_of_points(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "a.npz", joints=points("h36m17"), fps=60.0)
    name, *rest = command
    assert main([name, "a.npz", *rest, "--layout", "h36m"]) == 1
    said = capsys.readouterr().err
    assert "h36m17 (Human3.6M)" in said
    assert said.count("\n") == 1
    assert main([name, "a.npz", *rest, "--layout", "h36m17"]) == 0
