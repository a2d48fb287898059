"""Timing as a price in the plan: how well slowness of a segment meets the onsets of the step that it fills.

The plain correlation, at no lag: a segment's beats are laid on the step's, so that there is nothing left to shift. A step
against all segments is one matrix product. An encoder that has learnt timing has every curve of movement meet what it
weighed of the onsets' bands, in one product as well: the step's row is then four times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.indexer import timing
from choreodb.indexer.timing_branch import TimingBranch
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
    """Slowness of the segments of a pool along their bar, as unit rows [S, 32]; or all curves of movement [S, 4 * 32].

    accents: the library's array of that name, None where it has none. row: [S] the rows of the pool. All of them are
    worked out once, some of them where they are asked for.
    """

    def __init__(self, accents: Float32Array | None, row: npt.NDArray[np.int64]) -> None:
        self._accents = accents
        self._row = row
        self._whole: dict[int, Float32Array] = {}

    @property
    def known(self) -> bool:
        """Whether the library has what it takes."""
        return self._accents is not None

    def __getitem__(self, at: At) -> Float32Array:
        return self.rows(at, timing.SAMPLES)

    def rows(self, at: At, width: int) -> Float32Array:
        """Unit rows at places of the pool, to meet steps of `width` 32 (slowness) or 128 (every curve)."""
        if not isinstance(at, slice):
            return self._measured(self._row[at], width)
        if width not in self._whole:
            self._whole[width] = self._measured(self._row, width)
        return self._whole[width][at]

    def _measured(self, rows: npt.NDArray[np.int64], width: int) -> Float32Array:
        if self._accents is None:
            raise ValueError("the library has no accents")
        if width == timing.SAMPLES:
            return timing.unit(-np.asarray(self._accents[rows, :width]))
        curves = timing.unit(np.asarray(self._accents[rows]).reshape(len(rows), -1, timing.SAMPLES))
        return curves.reshape(len(rows), -1) / np.float32(np.sqrt(curves.shape[1]))


def heard(features: Features, steps: Sequence[Step], branch: TimingBranch | None = None) -> Float32Array:
    """Onsets of N steps along each, as unit rows [N, 32]; with a branch, what each curve should be like [N, 4 * 32]."""
    spans = np.array([nominal_span(step) for step in steps]).reshape(-1, 2)
    if branch is None:
        return timing.unit(timing.onsets(features, spans[:, 0], spans[:, 1]))
    bands = timing.unit(timing.onset_bands(features, spans[:, 0], spans[:, 1]))
    asked = np.einsum("cb,nbk->nck", branch.bar, bands).reshape(len(spans), -1)
    return (asked / np.maximum(np.linalg.norm(asked, axis=1, keepdims=True), 1e-6)).astype(np.float32)


def misses(slowness: Slowness, heard: Float32Array, whole: npt.NDArray[np.bool_], at: At) -> FloatArray:
    """0 where a segment is slow at the onsets of the step `heard` [32], or moves as a branch asks [128], 1 where it does the
    contrary; one for each at `at`.

    whole: [S] which of these fill the step whole and alone; the others are `UNKNOWN`, and all are 0 in a library that
    does not know.
    """
    if not slowness.known:
        return np.zeros(len(whole))
    met = (slowness.rows(at, len(heard)) @ heard).astype(np.float64)
    return np.where(whole, 0.5 - 0.5 * met, UNKNOWN)
