"""The timing branch with learnt weights: how much each onset band counts against each curve of motion.

The plain score adds the twelve correlations (four bands, three curves, each at its best lag) as they are. Here a weight each is
learnt: the softmax of the own window among windows of other songs of its style, with weights held near 1, where they begin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.retrieval_rows import Row, Scorer, Timing, Windows

Array = npt.NDArray[np.float64]

STEPS, RATE, PULL = 300, 0.05, 0.02
_MOST = 160


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """The timing score with a weight [12] for every band and curve, of parts that have `spread` [12]."""

    timing: Timing
    weight: Array
    spread: Array

    def __call__(self, music: Windows, motion: Windows) -> Array:
        """Scores [Q, G]."""
        return np.asarray(self.timing.parts(music, motion) @ (self.weight / self.spread))


def timing_row(name: str, timing: Timing) -> Row:
    """The timing score with weights learnt on every fold's training windows."""
    return Row(name, lambda train: fit(train, timing), fitted=True, trained=True, curves=True)


def fit(train: Windows, timing: Timing) -> Scorer:
    """Weights by gradient descent; of many training windows an even choice of `_MOST`."""
    chosen = [train[at] for at in np.unique(np.linspace(0, len(train) - 1, min(_MOST, len(train))).astype(int))]
    parts = timing.parts(chosen, chosen)
    spread = np.maximum(parts.std(axis=(0, 1)), 1e-9)
    song, style = (np.array([getattr(each.pair, name) for each in chosen]) for name in ("song", "style"))
    rivals = (style[:, None] == style) & (song[:, None] != song)
    asked = rivals.any(axis=1)
    if not asked.any():
        return Weighted(timing, np.ones(parts.shape[2]), spread)
    return Weighted(timing, learnt(parts[asked] / spread, rivals[asked], np.flatnonzero(asked)), spread)


def learnt(parts: Array, rivals: npt.NDArray[np.bool_], own: npt.NDArray[np.int64]) -> Array:
    """Weights [K] for parts [Q, G, K] by which the `own` [Q] column wins over its `rivals` [Q, G]."""
    weight = np.ones(parts.shape[2])
    rows = np.arange(len(own))
    taken = rivals.copy()
    taken[rows, own] = True
    for _ in range(STEPS):
        scores = np.where(taken, parts @ weight, -np.inf)
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        gradient = (np.einsum("qg,qgk->qk", share, parts) - parts[rows, own]).mean(axis=0)
        weight = weight - RATE * (gradient + PULL * (weight - 1.0))
    return weight
