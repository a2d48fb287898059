"""Arms that a blend led through the body go around it, joints keep to their limits, and nothing else changes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import axis_angle_to_quat, compose, identity, quat_to_rotvec
from choreodb.motion.skeleton import CHOREO22, REST_PELVIS_HEIGHT_M
from choreodb.refiner import clearance, limits
from choreodb.refiner.clearance import ClearanceOptions

Array = npt.NDArray[np.float64]
FPS = 60.0
Y, Z = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def crossing(frames: int = 120, depth: float = 1.0) -> tuple[Array, Array]:
    """A left arm that hangs, swings through the trunk and back; the right one stays out."""
    rotations = identity(frames, len(CHOREO22))
    root = np.tile([0.0, REST_PELVIS_HEIGHT_M, 0.0], (frames, 1))
    swing = -1.2 - 0.75 * depth * np.sin(np.linspace(0.0, np.pi, frames)) ** 2
    rotations[:, CHOREO22.index("left_shoulder")] = axis_angle_to_quat(Z, swing)
    rotations[:, CHOREO22.index("right_shoulder")] = axis_angle_to_quat(Z, np.full(frames, 0.9))
    return rotations, root


def test_an_arm_in_the_trunk_is_led_out_smoothly() -> None:
    rotations, root = crossing()
    everywhere = np.ones(len(root), dtype=bool)
    before = clearance.depths(rotations, root)
    assert before[:, 0].max() > 0.04
    assert before[:, 1].max() == 0.0
    made = clearance.keep(rotations, root, everywhere, FPS, ClearanceOptions(rounds=4))
    assert clearance.depths(made, root)[:, 0].max() < 0.5 * before[:, 0].max()
    wrist = forward(made, root, CHOREO22)[0][:, CHOREO22.index("left_wrist")]
    assert np.abs(np.diff(wrist, n=2, axis=0)).max() * FPS**2 < 60.0
    others = [j for j, name in enumerate(CHOREO22.names) if name not in ("left_shoulder", "left_elbow", "left_wrist")]
    np.testing.assert_array_equal(made[:, others], rotations[:, others])


def test_only_blended_frames_are_looked_at() -> None:
    rotations, root = crossing()
    nowhere = np.zeros(len(root), dtype=bool)
    assert clearance.keep(rotations, root, nowhere, FPS, ClearanceOptions()) is rotations
    early = nowhere.copy()
    early[:10] = True
    made = clearance.keep(rotations, root, early, FPS, ClearanceOptions())
    np.testing.assert_array_equal(made[40:], rotations[40:])


def test_what_is_clear_is_left_alone() -> None:
    rotations, root = crossing(depth=0.0)
    made = clearance.keep(rotations, root, np.ones(len(root), dtype=bool), FPS, ClearanceOptions())
    assert made is rotations


def test_a_blend_bends_no_joint_beyond_what_it_can() -> None:
    elbow = CHOREO22.index("left_elbow")
    rotations = identity(120, len(CHOREO22))
    bend = 1.5 + 1.6 * np.sin(np.linspace(0.0, np.pi, 120)) ** 2
    rotations[:, elbow] = axis_angle_to_quat(Y, -bend)
    seams, half = np.array([60]), np.array([40])
    made = limits.hold(rotations, seams, half)
    angle = np.degrees(np.linalg.norm(quat_to_rotvec(made[:, elbow]), axis=-1))
    assert angle[20:100].max() < 155.0 * 1.15
    assert np.degrees(bend[20:100]).max() > 175.0
    np.testing.assert_array_equal(made[:, 0], rotations[:, 0])
    np.testing.assert_array_equal(made[:20], rotations[:20])


def test_what_was_captured_bent_may_stay_bent() -> None:
    knee = CHOREO22.index("right_knee")
    rotations = identity(120, len(CHOREO22))
    rotations[:, knee] = axis_angle_to_quat(np.array([1.0, 0.0, 0.0]), np.full(120, np.radians(170.0)))
    assert limits.hold(rotations, np.array([60]), np.array([30])) is rotations


def test_swing_and_twist_make_the_rotation() -> None:
    rng = np.random.default_rng(1)
    rotvecs = rng.normal(size=(200, 3))
    rotvecs *= rng.uniform(0.0, 3.0, size=(200, 1)) / np.linalg.norm(rotvecs, axis=1, keepdims=True)
    from choreodb.motion.rotations import rotvec_to_quat

    quats = rotvec_to_quat(rotvecs)
    axis = np.array([0.6, 0.0, 0.8])
    swing, twist = limits._parts(quats, axis)
    again = compose(rotvec_to_quat(swing), axis_angle_to_quat(np.broadcast_to(axis, swing.shape), twist))
    np.testing.assert_allclose(np.abs(np.sum(again * quats, axis=1)), 1.0, atol=1e-9)
    # a swing has no part about the axis
    np.testing.assert_allclose(swing @ axis, 0.0, atol=1e-9)
