"""What the denoiser sees of motion, and what it says of it: windows at 30 frames a second, in a frame of their own.

It sees a motion that is already whole (a blend as it was stitched, or a gap that was bridged), and says by how much every
joint is to turn and the root to move: a change of nothing is the motion as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.rotations import (
    FloatArray,
    compose,
    inverse,
    quat_to_rotvec,
    quat_to_sixd,
    quat_to_yaw,
    rotate,
    yaw_to_quat,
)
from choreodb.motion.skeleton import CHOREO22

FPS = 30.0
FRAMES = 120
"""Frames of a window: 4 s, so that a gap of 2 s has 1 s on either side."""
JOINTS = len(CHOREO22)
SEEN = 3 + 6 * JOINTS + 4
"""Channels that are seen: root, joints in 6 numbers each, contacts."""
CHANGES = 3 * JOINTS + 3
"""Channels of a change: rotation vectors of the joints, on the left of local rotations, and metres of the root."""
EDGE_S = 0.25
"""Time within which a change grows from nothing at the edge of what is known."""
WHOLE_S = 1.0
"""The length of a gap that a window without known frames counts as, for the size of its changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where windows stand: yaw [B] and ground point [B, 3] that were taken out."""

    yaw: FloatArray
    at: FloatArray


def placed(rotations: FloatArray, root: FloatArray) -> Place:
    """The place of windows: their mean heading, and the middle of where they go, on the floor."""
    yaw = np.angle(np.exp(1j * quat_to_yaw(rotations[:, :, 0].astype(np.float64))).mean(axis=1))
    return Place(yaw, root.mean(axis=1) * [1.0, 0.0, 1.0])


def local(rotations: FloatArray, root: FloatArray, place: Place) -> tuple[FloatArray, FloatArray]:
    """Rotations [B, N, 22, 4] and root [B, N, 3] of windows as seen from their places: facing front, in the middle."""
    turn = yaw_to_quat(-place.yaw)[:, None]
    turned = rotations.astype(np.float64).copy()
    turned[:, :, 0] = compose(turn, turned[:, :, 0])
    return turned, rotate(turn, root - place.at[:, None])


def seen(rotations: FloatArray, root: FloatArray, contacts: FloatArray) -> npt.NDArray[np.float32]:
    """What is seen [B, N, 139] of windows in their own places."""
    shape = (*root.shape[:2], 6 * JOINTS)
    return np.concatenate([root, quat_to_sixd(rotations).reshape(shape), contacts], axis=-1).astype(np.float32)


def change(given: tuple[FloatArray, FloatArray], made: tuple[FloatArray, FloatArray]) -> npt.NDArray[np.float32]:
    """What leads [B, N, 69] from windows `given` (rotations, root) to `made`, both in one place."""
    turned = quat_to_rotvec(compose(made[0], inverse(given[0])))
    parts = [turned.reshape(*turned.shape[:2], 3 * JOINTS), made[1] - given[1]]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def out_of(place: Place, changes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rotation vectors [B, N, 22, 3] and metres [B, N, 3] in the world, of changes [B, N, 69] in windows' own places."""
    values = changes.astype(np.float64)
    turn = yaw_to_quat(place.yaw)[:, None]
    turned = values[..., : 3 * JOINTS].reshape(*values.shape[:2], JOINTS, 3)
    turned[:, :, 0] = rotate(turn, turned[:, :, 0])
    return turned, rotate(turn, values[..., 3 * JOINTS :])


def freedom(times_s: FloatArray, first_s: FloatArray, stop_s: FloatArray) -> npt.NDArray[np.float32]:
    """How much of a change is let through [B, N] at times [B, N]: 0 up to the last known frame at `first_s` [B] and from
    the next one at `stop_s` [B] on, where it begins and ends at rest, and 1 in between."""
    edge_s = np.minimum(EDGE_S, 0.5 * (stop_s - first_s))[:, None]
    inside = np.minimum(times_s - first_s[:, None], stop_s[:, None] - times_s)
    share = np.clip(inside / edge_s, 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), dtype=np.float32)


def steep(free: FloatArray) -> FloatArray:
    """A faster fade than `freedom` with the same ends, for changes that have grown from nothing already."""
    return np.asarray(1.0 - (1.0 - free) ** 4)


def strangeness(seen: npt.NDArray[np.float32], free: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far windows [B, N, 139], normalised, are from what is usual [B]: the mean square of what is known, or of all where
    nothing is; about 1 for what the normalisation was taken from."""
    known = (free == 0.0).astype(np.float32)
    known = np.where(known.any(axis=1, keepdims=True), known, 1.0)
    return np.asarray((np.square(seen).mean(axis=-1) * known).sum(axis=1) / known.sum(axis=1), dtype=np.float32)
