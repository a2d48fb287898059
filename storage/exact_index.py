"""Exact search by blocked matrix product: every score is computed; the reference for all other indexes."""

from __future__ import annotations

from pathlib import Path

import numba as nb
import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.storage.best import ROOM, keep_best, offer

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Result = tuple[Vectors, Ints]

_BLOCK = 8192
_MARGIN = 8


class ExactIndex:
    """Every score is computed; the reference for all others. vectors: [N, D] float32, may be memory-mapped."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"ExactIndex({len(self)} vectors of {self._vectors.shape[1]})"

    def add(self, vectors: Vectors) -> None:
        """See `VectorIndex.add`."""
        self._vectors = extended(self._vectors, vectors)

    def save(self, path: Path) -> None:
        """An exact search needs no file but the vectors: an empty one, for the protocol's sake."""
        path.write_bytes(b"")

    @classmethod
    def load(cls, vectors: Vectors, path: Path) -> ExactIndex:
        """The search over `vectors`, whatever the file holds."""
        return cls(vectors)

    def search(self, queries: Vectors, k: int, allowed: Bools | None = None) -> Result:
        """See `VectorIndex.search`."""
        queries = check_query(queries, self._vectors.shape[1], k, len(self), allowed)
        ids = None if allowed is None else np.flatnonzero(allowed)
        return exact_search(self._vectors, queries, k, ids)


def exact_search(vectors: Vectors, queries: Vectors, k: int, ids: Ints | None = None) -> Result:
    """The `k` best of `vectors` [N, D], or of those with `ids` (ascending), for each of `queries` [Q, D]."""
    vectors = np.asarray(vectors)
    count = len(vectors) if ids is None else len(ids)
    keep = min(k + _MARGIN, count)
    if 4 * keep >= count:
        return _ranked(vectors, queries, np.arange(count) if ids is None else ids, min(k, count))
    room = len(queries), ROOM * keep
    best, found = np.empty(room, dtype=np.float32), np.full(room, -1, dtype=np.int64)
    held, least = np.zeros(len(queries), dtype=np.int64), np.full(len(queries), -np.inf, dtype=np.float32)
    for first in range(0, count, _BLOCK):
        numbers = np.arange(first, min(first + _BLOCK, count))
        chosen = vectors[first : first + _BLOCK] if ids is None else vectors[ids[numbers]]
        _merge(queries @ chosen.T, numbers if ids is None else ids[numbers], best, found, held, least, keep)
    for query in range(len(queries)):
        keep_best(best[query], found[query], int(held[query]), keep)
    return rescore(vectors, queries, found[:, :keep], min(k, count))


def _ranked(vectors: Vectors, queries: Vectors, ids: Ints, k: int) -> Result:
    """All of `ids` ranked and cut to `k`: cheaper than lists where most of them are wanted."""
    scores = (queries.astype(np.float64) @ vectors[ids].astype(np.float64).T).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), ids[order]


@nb.njit(cache=True, nogil=True)
def _merge(scores: Vectors, ids: Ints, best: Vectors, found: Ints, held: Ints, least: Vectors, keep: int) -> None:
    """Offer a block of scores [Q, B] of ascending ids to what every query holds; earlier ids win ties."""
    every = np.empty(0, dtype=np.bool_)
    for query in range(scores.shape[0]):
        held[query], least[query] = offer(
            scores[query], ids, every, best[query], found[query], held[query], least[query], keep
        )


def rescore(vectors: Vectors, queries: Vectors, found: Ints, k: int) -> Result:
    """Score the ids `found` [Q, K] again in float64 and keep the best `k`, ties by the lower id; -1 comes last, at -inf.

    A matrix product rounds differently from place to place; this makes a score depend on nothing but its two vectors.
    """
    best = np.full((len(queries), k), -np.inf, dtype=np.float32)
    ids = np.full((len(queries), k), -1, dtype=np.int64)
    _rescored(np.asarray(vectors), queries, found, best, ids)
    return best, ids


@nb.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _product(row: Vectors, query: Vectors) -> np.float32:
    total = 0.0
    for column in range(len(query)):
        total += np.float64(row[column]) * np.float64(query[column])
    return np.float32(total)


@nb.njit(cache=True, nogil=True)
def _rescored(vectors: Vectors, queries: Vectors, found: Ints, best: Vectors, ids: Ints) -> None:
    """The best of every query's `found` [Q, K], in order, into `best` and `ids` [Q, k]."""
    last = best.shape[1] - 1
    for query in range(found.shape[0]):
        count = 0
        for at in found[query]:
            if at < 0:
                continue
            score = _product(vectors[at], queries[query])
            place = min(count, last)
            if count > last and not (
                score > best[query, last] or (score == best[query, last] and at < ids[query, last])
            ):
                continue
            while place > 0 and (
                score > best[query, place - 1] or (score == best[query, place - 1] and at < ids[query, place - 1])
            ):
                best[query, place], ids[query, place] = best[query, place - 1], ids[query, place - 1]
                place -= 1
            best[query, place], ids[query, place] = score, at
            count += 1


def extended(vectors: Vectors, more: Vectors) -> Vectors:
    """`vectors` [N, D] with `more` [M, D] behind; QueryError where they are of another width or not finite."""
    if more.ndim != 2 or more.shape[1] != vectors.shape[1] or not np.all(np.isfinite(more)):
        raise QueryError(f"vectors of shape {more.shape} cannot be added; expected (N, {vectors.shape[1]}), all finite")
    return np.concatenate([vectors, np.asarray(more, dtype=np.float32)])


def check_query(queries: Vectors, dimension: int, k: int, count: int, allowed: Bools | None) -> Vectors:
    """The queries [Q, D] as contiguous float32; QueryError where they, `k` or the filter make no sense."""
    if queries.ndim != 2 or queries.shape[1] != dimension:
        raise QueryError(f"queries have shape {queries.shape}; expected (Q, {dimension})")
    if k < 1:
        raise QueryError(f"k is {k}; expected at least 1")
    if allowed is not None and allowed.shape != (count,):
        raise QueryError(f"the filter has shape {allowed.shape}; expected ({count},)")
    if not np.all(np.isfinite(queries)):
        raise QueryError("queries hold NaN or infinity; expected finite vectors")
    return np.ascontiguousarray(queries, dtype=np.float32)
