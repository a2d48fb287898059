"""Sparse filters over power spectra, compiled: most weights of a filter bank are zero."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

LANES = 64
"""Frames that are filtered side by side, so that the compiler adds whole registers of them."""


class Filters(NamedTuple):
    """The weights of C filters that are not zero, filter by filter. first: [C + 1] where each begins in bin and weight."""

    first: npt.NDArray[np.int64]
    bin: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float32]


def filters(bank: npt.NDArray[np.float32]) -> Filters:
    """The same from a dense bank [bins, C]."""
    column, row = np.nonzero(bank.T)
    first = np.searchsorted(column, np.arange(bank.shape[1] + 1))
    return Filters(first.astype(np.int64), row.astype(np.int64), np.ascontiguousarray(bank[row, column]))


@njit(cache=True, nogil=True)
def project(
    spectrum: npt.NDArray[np.complex64],
    first: npt.NDArray[np.int64],
    bins: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:  # pragma: no cover
    """Filtered power of spectra [F, bins] into out [F, C]; a frame's result does not depend on its neighbours."""
    frames, width = spectrum.shape
    power = np.zeros((width, LANES), dtype=np.float32)
    total = np.empty((len(first) - 1, LANES), dtype=np.float32)
    for begin in range(0, frames, LANES):
        count = min(LANES, frames - begin)
        for k in range(width):
            for lane in range(count):
                value = spectrum[begin + lane, k]
                power[k, lane] = value.real * value.real + value.imag * value.imag
        for c in range(len(total)):
            sums = total[c]
            sums[:] = np.float32(0.0)
            for j in range(first[c], first[c + 1]):
                w, row = weight[j], power[bins[j]]
                for lane in range(LANES):
                    sums[lane] += w * row[lane]
        for lane in range(count):
            for c in range(len(total)):
                out[begin + lane, c] = total[c, lane]
