"""Cells: vectors sorted into Voronoi cells, so that a batch of queries looks at few of them, a matrix product a cell.

An inverted file (Sivic and Zisserman, "Video Google", ICCV 2003) turned round: not query by query, but cell by cell with
all queries that want it. The rows of a cell are read once and multiplied at the speed of BLAS, where a scan for each
query waits for the memory. How far a query looks is told in rows, not in cells: a filter thins some cells and empties
others, and the search goes on until it has seen as many rows that match as it would have without.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

from choreodb.storage.best import ROOM, keep_best, offer

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ROUNDS = 8
SAMPLE = 48
"""Rounds of k-means, and training rows for each cell."""

_BLOCK_VALUES = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """N vectors in L cells. centres: [L, D]. offset: [L + 1] first row of each cell. ids: [N] ascending in a cell. rows: [N, D]."""

    centres: Vectors
    offset: Ints
    ids: Ints
    rows: Vectors

    def __len__(self) -> int:
        return len(self.ids)


def cell_count(vectors: int) -> int:
    """How many cells so many vectors get: thrice their root, and at least forty vectors a cell."""
    return max(1, min(int(3.0 * np.sqrt(vectors)), vectors // 40))


def centres_of(vectors: Vectors, cells: int, rng: np.random.Generator) -> Vectors:
    """Centres [L, D] by Lloyd's k-means over a sample of `vectors` [N, D]; an empty cell takes a row of the largest."""
    sample = np.sort(rng.choice(len(vectors), min(len(vectors), SAMPLE * cells), replace=False))
    rows = np.ascontiguousarray(vectors[sample], dtype=np.float32)
    centres = rows[np.sort(rng.choice(len(rows), cells, replace=False))].copy()
    for _ in range(ROUNDS):
        cell = nearest_centre(rows, centres)
        sums, counts = _sums(rows, cell, cells)
        empty = np.flatnonzero(counts == 0)
        if len(empty):
            taken = rng.choice(np.flatnonzero(cell == np.argmax(counts)), len(empty))
            sums[empty], counts[empty] = rows[taken], 1
        centres = (sums / counts[:, None]).astype(np.float32)
    return centres


@nb.njit(cache=True, nogil=True)
def _sums(rows: Vectors, cell: Ints, cells: int) -> tuple[npt.NDArray[np.float64], Ints]:
    """Sum [L, D] and number [L] of the rows of every cell."""
    sums = np.zeros((cells, rows.shape[1]))
    counts = np.zeros(cells, dtype=np.int64)
    for row in range(len(rows)):
        counts[cell[row]] += 1
        for column in range(rows.shape[1]):
            sums[cell[row], column] += rows[row, column]
    return sums, counts


def nearest_centre(vectors: Vectors, centres: Vectors) -> Ints:
    """The cell [N] of each of `vectors` [N, D], by Euclidean distance, in blocks."""
    out = np.empty(len(vectors), dtype=np.int64)
    half = 0.5 * np.einsum("ld,ld->l", centres, centres)
    step = max(1, _BLOCK_VALUES // len(centres))
    turned = np.ascontiguousarray(centres.T)
    for first in range(0, len(vectors), step):
        block = np.asarray(vectors[first : first + step], dtype=np.float32)
        _best(block @ turned, half, out[first : first + step])
    return out


@nb.njit(cache=True, nogil=True, fastmath=True)
def _best(product: Vectors, half: Vectors, out: Ints) -> None:
    """The column with the largest product less half the centre's square, the lowest where several are equal."""
    for row in range(product.shape[0]):
        best, at = np.float32(-np.inf), 0
        for column in range(product.shape[1]):
            value = product[row, column] - half[column]
            if value > best:
                best, at = value, column
        out[row] = at


def sorted_into(cell: Ints, cells: int) -> tuple[Ints, Ints]:
    """Offsets [L + 1] and ids [N] by cell, then id, of vectors that lie in `cell` [N]."""
    order = np.argsort(cell, kind="stable")
    return np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=cells))]).astype(np.int64), order


def scan(queries: Vectors, keep: int, cells: Cells, budget: int, allowed: Bools | None = None) -> Ints:
    """About the `keep` ids with the largest inner product for each of `queries` [Q, D], unordered; -1 where there are fewer.

    budget: allowed rows that a query looks at, at least. allowed: [N] by id.
    """
    order, visits = visits_of(queries, cells, budget, allowed)
    if allowed is None:
        allowed = np.empty(0, dtype=np.bool_)
    return _scan(queries, keep, order, visits, cells.offset, cells.ids, cells.rows, allowed)


def visits_of(
    queries: Vectors, cells: Cells, budget: int, allowed: Bools | None = None
) -> tuple[npt.NDArray[np.int32], Ints]:
    """The cells [Q, P] nearest to each query, and how many of them [Q] it has to visit to see `budget` allowed rows."""
    sizes = np.diff(cells.offset)
    if allowed is not None:
        sizes = np.diff(np.concatenate([[0], np.cumsum(allowed[cells.ids])])[cells.offset])
    near = queries @ cells.centres.T - 0.5 * np.einsum("ld,ld->l", cells.centres, cells.centres)
    visits = np.zeros(len(queries), dtype=np.int64)
    wanted = min(len(sizes), 8 + 2 * (budget * len(sizes)) // max(1, int(sizes.sum())))
    while True:
        order = nearest_cells(near, wanted)
        _enough(order, sizes, budget, visits)
        if wanted == len(sizes) or bool(np.all(visits >= 0)):
            return order, np.where(visits < 0, wanted, visits)
        wanted = min(len(sizes), 4 * wanted)


def nearest_cells(near: Vectors, wanted: int) -> npt.NDArray[np.int32]:
    """The `wanted` columns with the largest values of each row of `near` [Q, L], in order, of equal ones the lower."""
    every = near.shape[1]
    if wanted < every:
        chosen = np.sort(np.argpartition(near, every - wanted, axis=1)[:, every - wanted :].astype(np.int32), axis=1)
        near = np.take_along_axis(near, chosen, axis=1)
    else:
        chosen = np.broadcast_to(np.arange(every, dtype=np.int32), near.shape)
    order = np.argsort(-near, axis=1, kind="stable")
    return np.ascontiguousarray(np.take_along_axis(chosen, order, axis=1))


@nb.njit(cache=True, nogil=True)
def _enough(order: npt.NDArray[np.int32], sizes: Ints, budget: int, visits: Ints) -> None:
    """How many cells of `order` each query has to visit to see `budget` rows; -1 where they do not have as many."""
    for query in range(order.shape[0]):
        seen, visits[query] = 0, -1
        for place in range(order.shape[1]):
            seen += sizes[order[query, place]]
            if seen >= budget:
                visits[query] = place + 1
                break


@nb.njit(cache=True, nogil=True)
def visitors(order: npt.NDArray[np.int32], visits: Ints, cells: int) -> tuple[Ints, Ints]:
    """Queries cell by cell: cell c is visited by `visitor[start[c] : start[c + 1]]`."""
    start = np.zeros(cells + 1, dtype=np.int64)
    for query in range(len(visits)):
        for place in range(visits[query]):
            start[order[query, place] + 1] += 1
    start = np.cumsum(start)
    fill = start[:-1].copy()
    visitor = np.empty(start[-1], dtype=np.int64)
    for query in range(len(visits)):
        for place in range(visits[query]):
            visitor[fill[order[query, place]]] = query
            fill[order[query, place]] += 1
    return start, visitor


@nb.njit(cache=True, nogil=True)
def _scan(
    queries: Vectors,
    keep: int,
    order: npt.NDArray[np.int32],
    visits: Ints,
    offset: Ints,
    ids: Ints,
    rows: Vectors,
    allowed: Bools,
) -> Ints:
    """Cell by cell: the queries that visit it times its rows, each product offered to a list of some more than `keep`."""
    cells = len(offset) - 1
    start, visitor = visitors(order, visits, cells)
    room = ROOM * keep
    best = np.empty((len(queries), room), dtype=np.float32)
    found = np.full((len(queries), room), -1, dtype=np.int64)
    count = np.zeros(len(queries), dtype=np.int64)
    least = np.full(len(queries), -np.inf, dtype=np.float32)
    for cell in range(cells):
        here = visitor[start[cell] : start[cell + 1]]
        first, last = offset[cell], offset[cell + 1]
        if len(here) == 0 or first == last:
            continue
        product = np.dot(queries[here], rows[first:last].T)
        for index in range(len(here)):
            query = here[index]
            count[query], least[query] = offer(
                product[index], ids[first:last], allowed, best[query], found[query], count[query], least[query], keep
            )
    for query in range(len(queries)):
        if count[query] > keep:
            keep_best(best[query], found[query], count[query], keep)
    return found[:, :keep].copy()


@nb.njit(cache=True, nogil=True)
def replace_least(best: Vectors, found: Ints, score: np.float32, target: int) -> None:
    """Put a score that is larger than the least of a heap, which is on its top, in its place."""
    size, place = len(best), 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and best[child + 1] < best[child]:
            child += 1
        if not best[child] < score:
            break
        best[place], found[place] = best[child], found[child]
        place = child
    best[place], found[place] = score, target
