"""Inertialisation: close the gap between two motions at a join by offsets that fade out on both sides of it.

Source: Bollo, "Inertialization", GDC 2018, with the offset shared between the motion before the join and the one
after it, because all of both is known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.rotations import (
    FloatArray,
    aligned,
    compose,
    inverse,
    normalise,
    quat_to_rotvec,
    rotvec_to_quat,
)
from choreodb.retriever.join import Take


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """What is missing from the earlier motion to the later one at a join.

    turn, turn_rate: [J, 3] rotation vectors and their rate per second, of the local rotations. move, move_rate: [3]
    metres and m/s of the root. face: [F] weights of the face.
    """

    turn: FloatArray
    turn_rate: FloatArray
    move: FloatArray
    move_rate: FloatArray
    face: FloatArray


_SPAN = 2
"""Frames over which a velocity is taken: longer blurs it, shorter takes the noise of capture for speed."""


def gap(before: Take, after: Take, frame: int, fps: float) -> Gap:
    """The gap between two takes, already in one place, at output `frame`.

    Velocities look into the motion that is kept: back in the earlier take, ahead in the later one.
    """
    a, b = frame - before.first, frame - after.first
    a_before, b_after = max(a - _SPAN, 0), min(b + _SPAN, len(after.root) - 1)
    a_seconds, b_seconds = max(a - a_before, 1) / fps, max(b_after - b, 1) / fps
    spin = quat_to_rotvec(compose(after.rotations[b_after], inverse(after.rotations[b]))) / b_seconds
    spin_before = quat_to_rotvec(compose(before.rotations[a], inverse(before.rotations[a_before]))) / a_seconds
    speed = (after.root[b_after] - after.root[b]) / b_seconds
    speed_before = (before.root[a] - before.root[a_before]) / a_seconds
    return Gap(
        quat_to_rotvec(compose(after.rotations[b], inverse(before.rotations[a]))).astype(np.float64),
        (spin - spin_before).astype(np.float64),
        after.root[b] - before.root[a],
        speed - speed_before,
        after.face[b] - before.face[a],
    )


def fade(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Quintics on [0, 1] that leave 0 at rest and arrive with (value 1, slope 0) and (value 0, slope 1), curvature 0."""
    cube = x * x * x
    return cube * (10.0 - 15.0 * x + 6.0 * x * x), cube * (-4.0 + 7.0 * x - 3.0 * x * x)


def close(
    rotations: FloatArray,
    root: FloatArray,
    gaps: list[Gap],
    frames: npt.NDArray[np.int64],
    half_blend: npt.NDArray[np.int64],
    fps: float,
) -> tuple[FloatArray, FloatArray]:
    """Rotations [N, J, 4] and root [N, 3] with every gap closed, continuous in value and velocity.

    The earlier motion takes half of the offset within `half_blend` frames before the join, the later one the other
    half after it; the offset crosses the join at the slope of one smooth step over both.
    """
    if not gaps:
        return rotations, root
    rotations, root = rotations.copy(), root.copy()
    turn, turn_rate = np.stack([gap.turn for gap in gaps]), np.stack([gap.turn_rate for gap in gaps])
    move, move_rate = np.stack([gap.move for gap in gaps]), np.stack([gap.move_rate for gap in gaps])
    for sign in (1, -1):
        rows = _rows(frames, half_blend, sign, len(root))
        seconds = half_blend[rows.seam] / fps
        spun = _offset(turn, turn_rate, rows, seconds, sign)
        rotations[rows.frame] = compose(rotvec_to_quat(spun).astype(rotations.dtype), rotations[rows.frame])
        root[rows.frame] += _offset(move, move_rate, rows, seconds, sign)
    return rotations, root


def crossfade(
    rotations: FloatArray,
    root: FloatArray,
    takes: Sequence[Take],
    frames: npt.NDArray[np.int64],
    half_blend: npt.NDArray[np.int64],
) -> tuple[FloatArray, FloatArray]:
    """Rotations [N, J, 4] and root [N, 3] with every join at `frames` [S] faded linearly from take to take.

    Only what a benchmark compares with: both motions are shown at once, each as it was, so feet slide and speeds step.
    """
    rotations, root = rotations.copy(), root.copy()
    for number, (frame, half) in enumerate(zip(frames, half_blend, strict=True)):
        before, after = takes[number], takes[number + 1]
        first = max(int(frame - half), 0, before.first, after.first)
        stop = min(int(frame + half), len(root), before.first + len(before.root), after.first + len(after.root))
        if stop <= first:
            continue
        share = (np.arange(1, stop - first + 1) / (stop - first + 1.0))[:, None]
        old, new = slice(first - before.first, stop - before.first), slice(first - after.first, stop - after.first)
        blended = before.rotations[old] * (1.0 - share[..., None])
        blended = blended + aligned(after.rotations[new], before.rotations[old]) * share[..., None]
        rotations[first:stop] = normalise(blended)
        root[first:stop] = before.root[old] * (1.0 - share) + after.root[new] * share
    return rotations, root


def close_values(
    values: FloatArray, gaps: list[Gap], frames: npt.NDArray[np.int64], half_blend: npt.NDArray[np.int64], fps: float
) -> FloatArray:
    """Face weights [N, F] with every gap closed; none leaves the range that it had in the dance, or that rest (0) adds.

    Weights are straight between keys and so have no speed that would be worth keeping across a join.
    """
    if not gaps or values.shape[1] == 0:
        return values
    low, high = np.minimum(values.min(axis=0), 0.0), np.maximum(values.max(axis=0), 0.0)
    values = values.copy()
    step = np.stack([gap.face for gap in gaps])
    for sign in (1, -1):
        rows = _rows(frames, half_blend, sign, len(values))
        values[rows.frame] += _offset(step, np.zeros_like(step), rows, half_blend[rows.seam] / fps, sign)
    return np.clip(values, low, high)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Blended frames on one side of all joins: seam number, output frame, and place in [0, 1], 1 at the join."""

    seam: npt.NDArray[np.int64]
    frame: npt.NDArray[np.int64]
    x: FloatArray


_MID_SLOPE = 0.9375
"""Slope at the middle of a quintic step from 0 to 1 that takes two halves of length 1."""


def _offset(total: FloatArray, rate: FloatArray, rows: _Rows, seconds: FloatArray, sign: int) -> FloatArray:
    """Offsets [F, ...] of gaps `total` [S, ...] with `rate` [S, ...], before (sign 1) or after (sign -1) the join."""
    shape = (-1, *(1,) * (total.ndim - 1))
    value, slope = (part.reshape(shape) for part in fade(rows.x))
    gap, change = total[rows.seam], rate[rows.seam] * seconds.reshape(shape)
    return sign * (0.5 * gap * value + (_MID_SLOPE * gap + sign * 0.5 * change) * slope)


def _rows(frames: npt.NDArray[np.int64], half: npt.NDArray[np.int64], sign: int, total: int) -> _Rows:
    seam = np.repeat(np.arange(len(frames)), half)
    step = np.arange(len(seam)) - np.repeat(np.cumsum(half) - half, half)
    frame = frames[seam] - 1 - step if sign > 0 else frames[seam] + step
    x = 1.0 - (step + (1 if sign > 0 else 0)) / half[seam]
    keep = (frame >= 0) & (frame < total)
    return _Rows(seam[keep], frame[keep], x[keep])
