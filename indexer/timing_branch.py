"""The learnt timing branch of an encoder: how much each curve of movement counts against each band of the onsets.

Without one, timing is what it is without training: over a long context all correlations count alike, in a bar the mean
speed counts against all bands. A branch is two tables of 16 numbers, which begin there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.indexer.timing import CURVES

Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

BANDS = 4
SHAPE = (len(CURVES), BANDS)
CONTEXT, BAR = "timing.context", "timing.bar"
SHAPES = {CONTEXT: SHAPE, BAR: SHAPE}
"""The arrays of a branch among those of weights."""

PLAIN_BAR = -np.outer([name == "speed" for name in CURVES], np.ones(BANDS)).astype(np.float64)
"""What a bar is compared by without training: slowness of the mean joint at the onsets, all bands alike."""


@dataclass(frozen=True, slots=True, eq=False)
class TimingBranch:
    """context: [4 curves, 4 bands] weights of the strongest correlations over a long context, none below 0. bar: [4, 4]
    of the correlations within a bar as it lies on the song's, with their signs."""

    context: Array
    bar: Array

    @property
    def tensors(self) -> dict[str, Float32Array]:
        """As arrays of weights."""
        return {CONTEXT: self.context.astype(np.float32), BAR: self.bar.astype(np.float32)}

    def shares(self) -> Array:
        """The weights of the context with a mean of 1; ones where all are 0."""
        total = float(self.context.sum())
        return self.context * (self.context.size / total) if total > 0.0 else np.ones(SHAPE)


def wanted(tensors: Mapping[str, npt.NDArray[np.generic]]) -> dict[str, tuple[int, ...]]:
    """The arrays of a branch and their shapes where `tensors` hold any of one; nothing where they hold none."""
    return dict(SHAPES) if tensors.keys() & SHAPES.keys() else {}


def in_tensors(tensors: Mapping[str, npt.NDArray[np.generic]]) -> TimingBranch | None:
    """The branch among the arrays of weights, whose shapes were checked; None where there is none."""
    if not wanted(tensors):
        return None
    context, bar = (np.asarray(tensors[name], dtype=np.float64) for name in (CONTEXT, BAR))
    return TimingBranch(np.maximum(context, 0.0), bar)


def of(encoder: object) -> TimingBranch | None:
    """The branch that an encoder brings, if it brings one."""
    found = getattr(encoder, "timing", None)
    return found if isinstance(found, TimingBranch) else None
