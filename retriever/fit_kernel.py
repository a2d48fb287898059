"""How segments fill a step, and their own prices in it, compiled: one pass over the segments that are looked at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def fit(
    at: IntArray,
    start: FloatArray,
    end: FloatArray,
    clip_end: FloatArray,
    beats: IntArray,
    following: IntArray,
    nominal: float,
    least: float,
    most: float,
    least_rate: float,
    runs: int,
    same: float,
) -> tuple[FloatArray, FloatArray, IntArray, FloatArray, BoolArray, IntArray]:  # pragma: no cover
    """Source end, rate, beats, misfit, trimmed and last of the segments at `at` [M] of a pool; see `candidates.fit`.

    nominal, least, most: seconds that are wanted, and between which a run is whole; runs: segments that are added, at most.
    """
    count = len(at)
    source_end, rate, misfit = np.empty(count), np.empty(count), np.zeros(count)
    held, last = np.zeros(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    trimmed = np.zeros(count, dtype=np.bool_)
    for i in range(count):
        first = at[i]
        begin = start[first]
        run, many, stop = first, beats[first], end[first]
        for _ in range(runs):
            after = following[run]
            if not (stop - begin < least - same and after >= 0):
                break
            run = after
            many = many + beats[run] if many > 0 and beats[run] > 0 else 0
            stop = end[run]
        length = stop - begin
        if least - same <= length <= most + same:
            stretch = length
            held[i] = many
        else:
            trimmed[i] = True
            stretch = min(nominal, clip_end[first] - begin)
            own = end[first] - begin
            unused = min(max((own - stretch) / own, 0.0), 1.0)
            misfit[i] = max(unused, max(least_rate - stretch / nominal, 0.0) / least_rate)
            run = _nearest_end(first, begin + stretch, end, following, runs, same)
        source_end[i], rate[i], last[i] = begin + stretch, stretch / nominal, run
    return source_end, rate, held, misfit, trimmed, last


@njit(cache=True, nogil=True)
def _nearest_end(
    first: int, stop: float, end: FloatArray, following: IntArray, runs: int, same: float
) -> int:  # pragma: no cover
    """Of a segment and its continuations, the one that ends nearest to `stop`."""
    best = run = first
    for _ in range(runs):
        if following[run] < 0:
            break
        run = following[run]
        if abs(end[run] - stop) < abs(end[best] - stop) - same:
            best = run
    return best
