"""Joint limits: how far a blend may bend a joint where neither of the motions that it joins went as far.

Captured poses are evidence of themselves; only blended ones can be impossible. So a limit is the larger of what the joint
can do by anatomy and of what it did where the blend begins and where it ends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choreodb.motion.rotations import (
    FloatArray,
    axis_angle_to_quat,
    compose,
    inverse,
    quat_to_rotvec,
    rotvec_to_quat,
)
from choreodb.motion.skeleton import CHOREO22

# Swing of the bone off its rest direction and twist about it, degrees: ranges of motion of the American Academy of
# Orthopaedic Surgeons (Joint Motion, 1965), added up over planes and rounded up, since dancers are supple. The rest pose
# is a T-pose: an arm that hangs has swung by 90.
_LIMITS_DEG: dict[str, tuple[float, float]] = {
    "hip": (140.0, 70.0), "knee": (155.0, 40.0), "ankle": (65.0, 45.0), "spine1": (50.0, 35.0), "spine2": (45.0, 35.0),
    "spine3": (45.0, 40.0), "neck": (60.0, 60.0), "head": (55.0, 60.0), "collar": (45.0, 40.0), "shoulder": (150.0, 110.0),
    "elbow": (155.0, 100.0), "wrist": (95.0, 60.0),
}  # fmt: skip
_SOFT = 0.15
"""Share of a limit over which what exceeds it is brought to it."""


def _joints() -> tuple[tuple[int, npt.NDArray[np.float64], float, float], ...]:
    """(joint, unit axis of its bone, swing and twist in radians) of every limited joint."""
    found = []
    for joint, name in enumerate(CHOREO22.names):
        limits = _LIMITS_DEG.get(name.removeprefix("left_").removeprefix("right_"))
        if limits is None:
            continue
        children = CHOREO22.children(joint)
        # a leaf carries on along its parent's bone; where a joint has several bones, the middle one counts
        bone = CHOREO22.offsets[children[0]] if children else CHOREO22.offsets[joint]
        found.append((joint, bone / np.linalg.norm(bone), *(float(each) for each in np.radians(limits))))
    return tuple(found)


_JOINTS = _joints()


def hold(rotations: FloatArray, seams: npt.NDArray[np.int64], half_blend: npt.NDArray[np.int64]) -> FloatArray:
    """Local rotations [T, 22, 4] within limits where they are blended: `half_blend` [S] frames on either side of `seams` [S]."""
    first = np.maximum(seams - half_blend, 0)
    stop = np.minimum(seams + half_blend, len(rotations))
    whose = np.repeat(np.arange(len(seams)), np.maximum(stop - first, 0))
    if len(whose) == 0:
        return rotations
    frames = np.arange(len(whose)) - np.searchsorted(whose, whose) + first[whose]
    ends = np.stack([first, stop - 1], axis=1)
    out = rotations
    for joint, axis, most_swing, most_twist in _JOINTS:
        swing, twist = _parts(rotations[frames, joint], axis)
        at_ends = _parts(rotations[ends, joint], axis)
        swing_limit = np.maximum(most_swing, np.linalg.norm(at_ends[0], axis=-1).max(axis=1))[whose]
        twist_limit = np.maximum(most_twist, np.abs(at_ends[1]).max(axis=1))[whose]
        size = np.linalg.norm(swing, axis=-1)
        beyond = (size > swing_limit) | (np.abs(twist) > twist_limit)
        if not beyond.any():
            continue
        out = out.copy() if out is rotations else out
        swing = swing * (_bent(size, swing_limit) / np.maximum(size, 1e-9))[:, None]
        twist = np.sign(twist) * _bent(np.abs(twist), twist_limit)
        held = compose(rotvec_to_quat(swing), axis_angle_to_quat(np.broadcast_to(axis, swing.shape), twist))
        out[frames[beyond], joint] = held[beyond]
    return out


def _parts(quats: FloatArray, axis: npt.NDArray[np.float64]) -> tuple[FloatArray, FloatArray]:
    """Swing as rotation vectors [..., 3] and twist about `axis` in radians [...], of rotations that twist first."""
    along = quats[..., 1:] @ axis
    twist = 2.0 * np.arctan2(along, quats[..., 0])
    twist = (twist + np.pi) % (2.0 * np.pi) - np.pi
    turn = axis_angle_to_quat(np.broadcast_to(axis, (*twist.shape, 3)), twist)
    return quat_to_rotvec(compose(quats, inverse(turn))), twist


def _bent(size: FloatArray, limit: FloatArray) -> FloatArray:
    """`size` [n] as it is up to `limit` [n], then bent so that it never passes it by more than `_SOFT` of it."""
    over = np.maximum(size - limit, 0.0)
    room = _SOFT * limit
    return limit + room * -np.expm1(-over / room) - np.maximum(limit - size, 0.0)
