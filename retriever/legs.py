"""Legs: where the joints and foot points of canonical legs are, without the rest of the body."""

from __future__ import annotations

import numpy as np

from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import FloatArray, rotate
from choreodb.motion.skeleton import CHOREO22, HEEL_OFFSET_M, Skeleton

_LEGS = ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot", "right_foot")  # fmt: skip
_LEG_JOINTS = np.array([CHOREO22.index(name) for name in _LEGS])
_LEG_SKELETON = Skeleton(
    _LEGS,
    np.array([-1 if j == 0 else _LEGS.index(CHOREO22.names[CHOREO22.parents[j]]) for j in _LEG_JOINTS], dtype=np.int32),
    CHOREO22.offsets[_LEG_JOINTS],
    source="reference",
)


def joints(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Positions [N, 9, 3] of pelvis, hips, knees, ankles and feet, left before right."""
    return forward(rotations[:, _LEG_JOINTS], root, _LEG_SKELETON)[0]


def heights(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Heights [N, 4] of left heel, left toe, right heel, right toe."""
    positions, turned = forward(rotations[:, _LEG_JOINTS], root, _LEG_SKELETON)
    heels = positions[:, 5:7] + rotate(turned[:, 5:7], np.array(HEEL_OFFSET_M))
    return np.stack([heels[:, 0, 1], positions[:, 7, 1], heels[:, 1, 1], positions[:, 8, 1]], axis=1)


def middles(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Middle of the left and the right foot [N, 2, 2] (x, z)."""
    points = joints(rotations, root)
    return (0.5 * (points[:, 5:7] + points[:, 7:9]))[..., [0, 2]]
