"""How far an approximate index has to look, found out when it is built: questions with known answers, and a stated recall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from choreodb.storage.exact_index import Ints, Vectors, exact_search, rescore

RECALL, RECALL_AT = 0.997, 50
"""A search looks as far as it takes to find this share of the nearest 50."""

AWAY = 0.3
"""That is measured on vectors of the index that are turned so much of the way to another one: windows of songs, too, lie off
the cloud of the motion, and need as much or a little more (docs/decisions/013)."""

QUESTIONS = 200
_SAME_SCORE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """Queries [Q, D] to an index of `vectors`, and the score [Q, 1] of the last of their `k` nearest."""

    vectors: Vectors
    queries: Vectors
    last: Vectors
    k: int

    def recall(self, found: Ints) -> float:
        """Share of the `k` nearest among the ids `found` [Q, K]; of twins, which share a score, any counts."""
        return float(np.mean(rescore(self.vectors, self.queries, found, self.k)[0] >= self.last - _SAME_SCORE))


def questions(vectors: Vectors, rng: np.random.Generator) -> Questions:
    """Questions between the vectors [N, D], answered exactly."""
    chosen = np.sort(rng.choice(len(vectors), min(len(vectors), QUESTIONS), replace=False))
    here = np.asarray(vectors[chosen], dtype=np.float32)
    there = np.asarray(vectors[rng.permutation(chosen)], dtype=np.float32)
    away = here + np.float32(AWAY) * (there - here)
    away = np.asarray(away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12), dtype=np.float32)
    k = min(RECALL_AT, len(vectors))
    return Questions(vectors, away, exact_search(vectors, away, k)[0][:, -1:], k)
