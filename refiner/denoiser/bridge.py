"""Gaps bridged without a network: what comes before goes on and slows down, and so, backwards, does what comes after.

Of a gap nothing is known but its ends. Quintics that keep the speeds of both ends overshoot where it is long; here every
speed fades within a fifth of a second, and one side passes into the other smoothly. Pose and speed meet at both ends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choreodb.motion.rotations import FloatArray, compose, inverse, quat_to_rotvec, rotvec_to_quat

SLOWING_S = 0.2
"""Time in which a speed falls to a third; a quarter of the gap where that is shorter."""
_SPAN_S = 1.0 / 30.0
"""Time over which a speed is taken."""

Indices = npt.NDArray[np.int64]


def bridged(
    rotations: FloatArray, root: FloatArray, first: Indices, stop: Indices, fps: float
) -> tuple[FloatArray, FloatArray]:
    """Rotations [B, N, J, 4] and root [B, N, 3] with frames `first` [B] to `stop` [B] of each window made anew.

    What stands in the gap is not looked at. There has to be a frame before it, and one after it.
    """
    row = np.arange(len(first))
    last = root.shape[1] - 1
    span = max(1, round(_SPAN_S * fps))
    before, after = first - 1, stop
    back, ahead = np.maximum(before - span, 0), np.minimum(after + span, last)
    seconds = [np.maximum(late - early, 1) / fps for late, early in ((before, back), (ahead, after))]
    base = rotations[row, before].astype(np.float64)
    turn = quat_to_rotvec(compose(rotations[row, after].astype(np.float64), inverse(base)))
    spin = quat_to_rotvec(compose(base, inverse(rotations[row, back].astype(np.float64))))
    spin_after = quat_to_rotvec(
        compose(rotations[row, ahead].astype(np.float64), inverse(rotations[row, after].astype(np.float64)))
    )
    times = np.clip((np.arange(last + 1)[None] - before[:, None]) / fps, 0.0, None)
    length = ((after - before) / fps)[:, None]
    curve = _curves(np.minimum(times, length), length)
    turned = _along(curve, turn, spin / seconds[0][:, None, None], spin_after / seconds[1][:, None, None])
    moved = _along(
        curve, root[row, after] - root[row, before],
        (root[row, before] - root[row, back]) / seconds[0][:, None], (root[row, ahead] - root[row, after]) / seconds[1][:, None],
    )  # fmt: skip
    frame = np.arange(last + 1)[None]
    inside = (frame >= first[:, None]) & (frame < stop[:, None])
    filled = compose(rotvec_to_quat(turned), base[:, None])
    return (
        np.where(inside[..., None, None], filled, rotations),
        np.where(inside[..., None], root[row, before][:, None] + moved, root),
    )


def _curves(times: FloatArray, length: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shares [B, N] of the whole way, of the speed at the beginning and of that at the end, in seconds."""
    slowing = np.minimum(SLOWING_S, 0.25 * length)
    x = times / length
    step = x**3 * (10.0 + x * (6.0 * x - 15.0))
    left = length - times
    leaving = (1.0 - step) * slowing * (1.0 - np.exp(-times / slowing))
    arriving = -step * slowing * (1.0 - np.exp(-left / slowing))
    return step, leaving, arriving


def _along(
    curve: tuple[FloatArray, FloatArray, FloatArray], way: FloatArray, leave: FloatArray, arrive: FloatArray
) -> FloatArray:
    """Values [B, N, ...] along curves [B, N], of ways and speeds [B, ...]."""
    shape = (*curve[0].shape, *(1,) * (way.ndim - 1))
    shares = [part.reshape(shape) for part in curve]
    return np.asarray(shares[0] * way[:, None] + shares[1] * leave[:, None] + shares[2] * arrive[:, None])
