"""What the denoiser sees of motion: numbers of windows at 30 frames a second, in a frame of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.rotations import (
    FloatArray,
    compose,
    inverse,
    quat_to_sixd,
    quat_to_yaw,
    rotate,
    sixd_to_quat,
    yaw_to_quat,
)
from choreodb.motion.skeleton import CHOREO22

FPS = 30.0
FRAMES = 64
"""Frames of a window: 2.1 s, more than the longest blend of 1.4 s and what leads to it and follows it."""
JOINTS = len(CHOREO22)
CHANNELS = 3 + 6 * JOINTS + 4
"""Root, joints in 6 numbers each, contacts."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where windows stand: yaw [B] and ground point [B, 3] that were taken out."""

    yaw: FloatArray
    at: FloatArray


def encode(
    rotations: FloatArray, root: FloatArray, contacts: FloatArray, place: Place | None = None
) -> tuple[npt.NDArray[np.float32], Place]:
    """(windows [B, N, 139], their places) of local rotations [B, N, 22, 4], root [B, N, 3] metres, contacts [B, N, 4].

    A window faces the front on the average and stands in the middle of the floor. place: where it is, if not there.
    """
    if place is None:
        yaw = np.angle(np.exp(1j * quat_to_yaw(rotations[:, :, 0].astype(np.float64))).mean(axis=1))
        place = Place(yaw, root.mean(axis=1) * [1.0, 0.0, 1.0])
    turn = yaw_to_quat(-place.yaw)[:, None]
    local = rotations.astype(np.float64).copy()
    local[:, :, 0] = compose(turn, local[:, :, 0])
    moved = rotate(turn, root - place.at[:, None])
    shape = (*root.shape[:2], 6 * JOINTS)
    parts = [moved, quat_to_sixd(local).reshape(shape), contacts]
    return np.concatenate(parts, axis=-1).astype(np.float32), place


def decode(windows: FloatArray, place: Place) -> tuple[FloatArray, FloatArray]:
    """(rotations [B, N, 22, 4], root [B, N, 3]) of windows [B, N, 139] at their places."""
    values = windows.astype(np.float64)
    rotations = sixd_to_quat(values[..., 3 : 3 + 6 * JOINTS].reshape(*values.shape[:2], JOINTS, 6))
    turn = yaw_to_quat(place.yaw)[:, None]
    rotations[:, :, 0] = compose(turn, rotations[:, :, 0])
    return rotations, rotate(turn, values[..., :3]) + place.at[:, None]


def residual(
    made: tuple[FloatArray, FloatArray], given: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """What leads from `given` to `made`: rotation vectors [B, N, 22, 3] on the left of local rotations, and metres [B, N, 3]."""
    from choreodb.motion.rotations import quat_to_rotvec

    return quat_to_rotvec(compose(made[0], inverse(given[0]))), made[1] - given[1]
