"""Jerk at joins: what two takes do not share in acceleration is taken up within a moment, and not in one frame.

Inertialisation makes poses and speeds meet; accelerations still step, which at 60 frames a second is a spike of jerk that
no captured motion has. The least change that spreads the spike is linear in it, so one small matrix serves all joins and
joints, and every accent that was captured stays: only the differences that span a join are touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from choreodb.motion.rotations import FloatArray, compose, inverse, quat_to_rotvec, rotvec_to_quat

_THIRD = np.array([-1.0, 3.0, -3.0, 1.0])
_CROSSING = 3
"""Third differences that span a join."""
_AROUND = 3
"""Third differences on either side that say how large those should be."""


@dataclass(frozen=True, slots=True)
class JerkOptions:
    """reach_s: what a join's spike is spread over, on either side. still: how much the size of the change weighs, in units of
    a cubic over the reach. turn_deg, move_m: about as far as any joint is turned and the root moved for it; the spike of a
    noisy capture would ask for more, and what is left of it is no more than the capture has elsewhere."""

    reach_s: float = 0.13
    still: float = 0.1
    turn_deg: float = 10.0
    move_m: float = 0.01


def spread(
    rotations: FloatArray,
    root: FloatArray,
    seams: npt.NDArray[np.int64],
    fps: float,
    options: JerkOptions | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Rotations [T, J, 4] and root [T, 3] without spikes of jerk at `seams` [S], the first frames after joins.

    A join with less than the reach to its neighbour or to an end is left as it is.
    """
    options = options or JerkOptions()
    reach = max(3, round(options.reach_s * fps))
    wide = reach + _AROUND + 3
    room = np.diff(np.concatenate([[-wide], seams, [len(root) + wide]]))
    free = (room[:-1] >= 2 * wide) & (room[1:] >= 2 * wide)
    seams = seams[free]
    if len(seams) == 0:
        return rotations, root
    rows = seams[:, None] + np.arange(-wide, wide)
    inner = rows[:, wide - reach : wide + reach]
    rotations, root = rotations.copy(), root.copy()
    middle = rotations[seams][:, None]
    turned = quat_to_rotvec(compose(rotations[rows], inverse(middle)))
    change = _bounded(_change(turned, reach, options), float(np.radians(options.turn_deg)))
    changed = turned[:, wide - reach : wide + reach] + change
    rotations[inner] = compose(rotvec_to_quat(changed), np.broadcast_to(middle, (*changed.shape[:-1], 4)))
    root[inner] += _bounded(_change(root[rows], reach, options), options.move_m)
    return rotations, root


def _bounded(change: FloatArray, most: float) -> FloatArray:
    """Curves [S, T, ..., 3], each made smaller as a whole so that it never reaches `most`; small ones hardly."""
    size = np.linalg.norm(change, axis=-1, keepdims=True).max(axis=1, keepdims=True)
    return change / np.sqrt(1.0 + np.square(size / most))


def _change(values: FloatArray, reach: int, options: JerkOptions) -> FloatArray:
    """What to add [S, 2 reach, ...] to the middle of windows [S, L, ...]."""
    third = np.diff(values, n=3, axis=1)
    first = values.shape[1] // 2 - _CROSSING
    spike = third[:, first : first + _CROSSING]
    before = third[:, first - _AROUND : first].mean(axis=1)
    after = third[:, first + _CROSSING : first + _CROSSING + _AROUND].mean(axis=1)
    share = (np.arange(_CROSSING) + 1.0) / (_CROSSING + 1.0)
    wanted = np.stack([(1.0 - at) * before + at * after for at in share], axis=1)
    return np.einsum("ab,sb...->sa...", _matrix(reach, options.still), wanted - spike)


@lru_cache(maxsize=8)
def _matrix(reach: int, still: float) -> npt.NDArray[np.float64]:
    """[2 reach, 3]: the change of each frame for each unit by which a spanning difference is to change.

    Least squares over all third differences: what is left of a spike is the smoothest curve that sums to as much.
    """
    frames = 2 * reach
    rows = np.zeros((frames + 3, frames + 6))
    for row in range(frames + 3):
        rows[row, row : row + 4] = _THIRD
    rows = rows[:, 3:-3]
    normal = rows.T @ rows + (still / reach**3) ** 2 * np.eye(frames)
    return np.asarray(np.linalg.solve(normal, rows[reach : reach + _CROSSING].T))
