"""The hand of a clip that has none: relaxed, slightly curled fingers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, axis_angle_to_quat, identity
from choreodb.motion.skeleton import CHOREO22, CHOREO52

BODY = len(CHOREO22)
"""Joints of the body; fingers come after them."""

_CURL_DEG = {"1": 18.0, "2": 24.0, "3": 14.0}
_MORE = {"index": 0.8, "middle": 1.0, "ring": 1.15, "pinky": 1.25, "thumb": 0.35}


def relaxed_hands() -> FloatArray:
    """Local rotations [30, 4] of the fingers of two relaxed hands: slightly curled, more so towards the little finger."""
    quats = identity(len(CHOREO52) - BODY, dtype=np.float32)
    for row, name in enumerate(CHOREO52.names[BODY:]):
        side, finger = name.split("_")
        angle = np.radians(_CURL_DEG[finger[-1]] * _MORE[finger[:-1]]) * (-1.0 if side == "left" else 1.0)
        quats[row] = axis_angle_to_quat(np.array([0.0, 0.0, 1.0]), np.asarray(angle))
    return quats


def with_relaxed_hands(rotations: FloatArray) -> FloatArray:
    """Canonical rotations [T, 52, 4]: those given, with relaxed hands where they are of a body alone [T, 22, 4]."""
    if rotations.shape[1] != BODY:
        return rotations
    hands = np.broadcast_to(relaxed_hands(), (len(rotations), len(CHOREO52) - BODY, 4))
    return np.concatenate([rotations, hands.astype(rotations.dtype)], axis=1)


def with_hands(motion: Motion) -> Motion:
    """Canonical `motion` on choreo52, with relaxed hands where it has none."""
    if motion.skeleton.names != CHOREO22.names:
        return motion
    return replace(motion, rotations=with_relaxed_hands(motion.rotations), skeleton=CHOREO52)
