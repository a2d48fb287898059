"""Motion at other times: slerp for rotations, local cubics for positions, clamped at the ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.motion import Motion, checked_fps
from choreodb.motion.rotations import FloatArray

_Places = tuple[npt.NDArray[np.int64], FloatArray]


def resample(motion: Motion, fps: float) -> Motion:
    """The motion at `fps` frames per second, starting at its first frame and never beyond its last.

    Rotations by slerp, root and translations by `cubic_at`, face weights linearly. Nothing is low-passed: a take
    at twice the rate loses every other frame.
    """
    if checked_fps(fps) == motion.fps:
        return motion
    # a frame that falls on the last one but for rounding (1 / 0.0333333 fps) still counts
    frames = int(np.floor((len(motion) - 1) * (fps / motion.fps) + 1e-3)) + 1
    times_s = np.arange(frames) / fps
    rotations, root = sample_at(motion.rotations, motion.root, motion.fps, times_s)
    translations = None if motion.translations is None else cubic_at(motion.translations, motion.fps, times_s)
    if translations is not None:
        translations[:, 0] = root
    face = None if motion.face is None else linear_at(motion.face, motion.fps, times_s)
    return replace(motion, rotations=rotations, root=root, fps=float(fps), translations=translations, face=face)


def sample_at(
    rotations: FloatArray, root: FloatArray, fps: float, times_s: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rotations [N, J, 4] and root [N, 3] at `times_s` [N] of a motion [T, J, 4], [T, 3] whose frame 0 is at 0 s."""
    return slerp_at(rotations, fps, times_s), cubic_at(root, fps, times_s)


def slerp_at(rotations: FloatArray, fps: float, times_s: FloatArray) -> FloatArray:
    """Unit quaternions [N, J, 4] at `times_s` [N], along the shorter arc between the neighbouring frames [T, J, 4]."""
    index, weight = _places(len(rotations), fps, times_s)
    out = np.empty((len(index), *rotations.shape[1:]), dtype=rotations.dtype)
    from choreodb.motion import resample_kernel  # reading a library as it is takes no compiler

    resample_kernel.slerp(rotations, index, weight, out)
    return out


def cubic_at(values: FloatArray, fps: float, times_s: FloatArray) -> FloatArray:
    """`values` [T, ...] at `times_s` [N] by Catmull-Rom cubics: through every frame, C1, local to four frames.

    Source: Catmull and Rom, A class of local interpolating splines, 1974. The frames before the first and after the
    last are taken on the parabola through the three at that end.
    """
    last = len(values) - 1
    if last == 0:
        return np.repeat(values, len(times_s), axis=0)
    index, weight = _places(len(values), fps, times_s)
    padded = np.concatenate([_beyond(values[:3]), values, _beyond(values[:-4:-1]), values[-1:]])
    before, start, end, after = (padded[index + step] for step in range(4))
    u = weight.astype(values.dtype).reshape(-1, *(1,) * (values.ndim - 1))
    out = start + 0.5 * u * (
        (end - before)
        + u * ((2.0 * before - 5.0 * start + 4.0 * end - after) + u * (3.0 * (start - end) + after - before))
    )
    return out.astype(values.dtype, copy=False)


def _beyond(values: FloatArray) -> FloatArray:
    """The frame [1, ...] that precedes `values` [2 or 3, ...] on the line or parabola through them."""
    if len(values) == 2:
        return 2.0 * values[:1] - values[1:2]
    return 3.0 * (values[:1] - values[1:2]) + values[2:3]


def linear_at(values: FloatArray, fps: float, times_s: FloatArray) -> FloatArray:
    """`values` [T, ...] at `times_s` [N], straight between frames."""
    index, weight = _places(len(values), fps, times_s)
    end = values[np.minimum(index + 1, len(values) - 1)]
    u = weight.astype(values.dtype).reshape(-1, *(1,) * (values.ndim - 1))
    return values[index] + u * (end - values[index])


def _places(frames: int, fps: float, times_s: FloatArray) -> _Places:
    """Frame before each time and the weight in [0, 1) of the one after, clamped to the first and last frame."""
    if frames == 0:
        raise MotionFormatError("motion has no frames; at least one is needed to sample from")
    place = np.clip(np.asarray(times_s, dtype=np.float64) * fps, 0.0, frames - 1)
    # a time that was computed as frame / fps must give that frame, not a blend with weight 1 - 1e-13
    nearest = np.rint(place)
    place = np.where(np.abs(place - nearest) < 1e-7, nearest, place)
    index = np.floor(place).astype(np.int64)
    return index, place - index
