"""The best of many scores: collected with some room to spare, and cut back whenever the room is full."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ROOM = 3
"""So many times what is kept are collected before the worse ones are thrown away."""


@nb.njit(cache=True, nogil=True)
def offer(
    scores: Vectors, ids: Ints, allowed: Bools, best: Vectors, found: Ints, held: int, least: np.float32, keep: int
) -> tuple[int, np.float32]:
    """Put scores above `least` into `best` and `found` [ROOM * keep], of which `held` are taken.

    How many are taken then, and the score below which none is wanted any more. allowed: by id, empty for all.
    """
    for at in range(len(scores)):
        if scores[at] > least and (not len(allowed) or allowed[ids[at]]):
            best[held], found[held] = scores[at], ids[at]
            held += 1
            if held == len(best):
                least, held = keep_best(best, found, held, keep), keep
    return held, least


@nb.njit(cache=True, nogil=True)
def keep_best(scores: Vectors, ids: Ints, count: int, keep: int) -> np.float32:
    """Bring the `keep` largest of the first `count` scores, with their ids, to the front; the least of them.

    Of equal scores the lower id is the better one. Hoare, "Algorithm 65: Find" (1961).
    """
    low, high, wanted = 0, count - 1, keep - 1
    while low < high:
        middle = (low + high) // 2
        pivot, name = scores[middle], ids[middle]
        left, right = low, high
        while left <= right:
            while scores[left] > pivot or (scores[left] == pivot and ids[left] < name):
                left += 1
            while scores[right] < pivot or (scores[right] == pivot and ids[right] > name):
                right -= 1
            if left <= right:
                scores[left], scores[right] = scores[right], scores[left]
                ids[left], ids[right] = ids[right], ids[left]
                left += 1
                right -= 1
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    return scores[wanted]
