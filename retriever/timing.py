"""Timing as a price in the plan: how well slowness of a segment meets the onsets of the step that it fills.

The plain correlation, at no lag: a segment's beats are laid on the step's, so that there is nothing left to shift. A step
against all segments is one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.indexer import timing
from choreodb.retriever.placement import Step
from choreodb.retriever.song import nominal_span

if TYPE_CHECKING:
    from choreodb.music.features import Features

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
At = slice | npt.NDArray[np.int64]

UNKNOWN = 0.5
"""The price where a segment is cut, held or run on into others, so that its samples are not those of the step."""


class Slowness:
    """Slowness of the segments of a pool along their bar, as unit rows [S, 32].

    accents: the library's array of that name, None where it has none. row: [S] the rows of the pool. All of them are
    worked out once, some of them where they are asked for.
    """

    def __init__(self, accents: Float32Array | None, row: npt.NDArray[np.int64]) -> None:
        self._accents = accents
        self._row = row
        self._whole: Float32Array | None = None

    @property
    def known(self) -> bool:
        """Whether the library has what it takes."""
        return self._accents is not None

    def __getitem__(self, at: At) -> Float32Array:
        if isinstance(at, slice):
            if self._whole is None:
                self._whole = self._rows(self._row)
            return self._whole[at]
        return self._rows(self._row[at])

    def _rows(self, rows: npt.NDArray[np.int64]) -> Float32Array:
        if self._accents is None:
            raise ValueError("the library has no accents")
        return timing.unit(-np.asarray(self._accents[rows, : timing.SAMPLES]))


def heard(features: Features, steps: Sequence[Step]) -> Float32Array:
    """Onsets of N steps along each, as unit rows [N, 32]."""
    spans = np.array([nominal_span(step) for step in steps]).reshape(-1, 2)
    return timing.unit(timing.onsets(features, spans[:, 0], spans[:, 1]))


def misses(slowness: Slowness, heard: Float32Array, whole: npt.NDArray[np.bool_], at: At) -> FloatArray:
    """0 where a segment is slow at the onsets of the step `heard` [32], 1 where it is fast there; one for each at `at`.

    whole: [S] which of these fill the step whole and alone; the others are `UNKNOWN`, and all are 0 in a library that
    does not know.
    """
    if not slowness.known:
        return np.zeros(len(whole))
    met = (slowness[at] @ heard).astype(np.float64)
    return np.where(whole, 0.5 - 0.5 * met, UNKNOWN)
