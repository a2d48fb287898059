"""Virtual copies: a clip at another tempo, sampled from the stored motion of the clip that it is a copy of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from choreodb.motion.resample import linear_at, sample_at
from choreodb.storage.motion_blocks import MotionArrays

MIN_RATE, MAX_RATE = 0.5, 2.0
FPS = 60.0
_MARGIN_FRAMES = 3
_EDGE = 1e-6

Read = Callable[[int, int], MotionArrays]
ReadFace = Callable[[int, int], npt.NDArray[np.float32] | None]


def is_rate(rate: object) -> bool:
    """Whether a copy can be so much faster than its clip."""
    return isinstance(rate, float) and MIN_RATE <= rate <= MAX_RATE


def copy_frames(frames: int, rate: float) -> int:
    """Frames of a copy of a clip of `frames`, at the same frames per second: no later than the clip's last."""
    return int(np.floor((frames - 1) / rate + _EDGE)) + 1


def read_copy(read: Read, frames: int, rate: float, first: int, stop: int) -> MotionArrays:
    """Frames [first, stop) of a copy, from `read` of the clip that has `frames`; what frames hold does not depend on the cut.

    Rotations by slerp, the root by cubics through every frame, contacts as of the nearest frame.
    """
    lo, times_s, hi = _window(frames, rate, first, stop)
    rotations, root, contacts = read(lo, hi)
    turned, moved = sample_at(rotations, root.astype(np.float64), FPS, times_s)
    nearest = np.minimum(np.rint(times_s * FPS).astype(np.int64), len(contacts) - 1)
    return turned.astype(np.float32, copy=False), moved.astype(np.float32), contacts[nearest]


def read_copied_face(read: ReadFace, frames: int, rate: float, first: int, stop: int) -> npt.NDArray[np.float32] | None:
    """Face weights [stop - first, F] of a copy, None where its clip has no face."""
    lo, times_s, hi = _window(frames, rate, first, stop)
    face = read(lo, hi)
    return None if face is None else linear_at(face.astype(np.float64), FPS, times_s).astype(np.float32)


def _window(frames: int, rate: float, first: int, stop: int) -> tuple[int, npt.NDArray[np.float64], int]:
    """Frames [lo, hi) of the clip that the copy's frames are made of, and their seconds from lo on."""
    places = np.minimum(np.arange(first, stop) * rate, frames - 1.0)
    # cubics look two frames ahead; the ends of a cut must not be taken for the ends of the clip
    lo = max(0, int(places[0]) - _MARGIN_FRAMES)
    hi = min(frames, int(np.ceil(places[-1])) + _MARGIN_FRAMES + 1)
    return lo, (places - lo) / FPS, hi
