"""Which bar lines lie nearest to which, for very many of them: cells of shortened features, ranked again in full.

The squared distance of q and x orders like `q.x - |x|^2 / 2`, so that the cells of `storage.cells` serve for it with one more
number a row. What may not follow is passed over while the lists are made, so that every list is as long as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

from choreodb.storage import cells

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ENERGY = 0.95
"""Share of the variance of the features that the kept directions hold, at least."""

KEEP = 2
"""A scan keeps so many times what is asked for, to be ranked again."""

RECALL = 0.95
"""Every source looks at as many lines as it takes to find this share of the nearest of some of them."""

_LEAST_CELLS = 4
_QUESTIONS = 200
_BLOCK = 32_768
_SAMPLE = 20_000
_SEED = 1234


@dataclass(frozen=True, slots=True, eq=False)
class Barred:
    """What may not follow a segment [S]: itself, its continuation, and what shares its source seconds (`groups`, spans)."""

    groups: Ints
    starts: Floats
    ends: Floats
    continuation: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """N lines in cells. mean: [D], turn: [D, D']. parts: rows [N, D' + 1], the last column minus half the squared length."""

    mean: Vectors
    turn: Vectors
    parts: cells.Cells


def lines_of(targets: Vectors, rng: np.random.Generator) -> Lines:
    """The lines [N, D] in cells."""
    sample = np.sort(rng.choice(len(targets), min(len(targets), _SAMPLE), replace=False))
    rows = np.asarray(targets[sample], dtype=np.float64)
    mean = rows.mean(axis=0)
    energy, axes = np.linalg.eigh((rows - mean).T @ (rows - mean))
    held = np.cumsum(energy[::-1]) / max(float(energy.sum()), 1e-30)
    kept = min(targets.shape[1], -(-(int(np.searchsorted(held, ENERGY)) + 1) // 16) * 16)
    turn = np.ascontiguousarray(axes[:, ::-1][:, :kept], dtype=np.float32)
    short = np.empty((len(targets), kept + 1), dtype=np.float32)
    for first in range(0, len(targets), _BLOCK):
        block = np.asarray(targets[first : first + _BLOCK] - mean, dtype=np.float32)
        short[first : first + _BLOCK, :kept] = block @ turn
        short[first : first + _BLOCK, kept] = -0.5 * np.einsum("nd,nd->n", block, block)
    count = cells.cell_count(len(targets))
    plain = np.ascontiguousarray(short[:, :kept])
    centres = cells.centres_of(plain, count, rng)
    offset, ids = cells.sorted_into(cells.nearest_centre(plain, centres), count)
    return Lines(mean.astype(np.float32), turn, cells.Cells(centres, offset, ids, np.ascontiguousarray(short[ids])))


def nearest(leave: Vectors, entry: Vectors, sources: Ints, degree: int, barred: Barred) -> Ints:
    """For each of `sources` [M] the ids [M, degree] of the nearest lines of `entry` [N, D] to its line of `leave` [N, D].

    Nearest first, -1 where there are fewer; about `RECALL` of them are what an exact search finds.
    """
    rng = np.random.default_rng(_SEED)
    lines = lines_of(entry, rng)
    keep = min(KEEP * degree, len(entry))
    budget = _budget(leave, entry, sources, degree, barred, lines, rng)
    out = np.full((len(sources), degree), -1, dtype=np.int64)
    for first in range(0, len(sources), _BLOCK):
        block = sources[first : first + _BLOCK]
        found = _found(leave, lines, block, keep, budget, barred)
        _rank(np.asarray(leave), np.asarray(entry), block, found, out[first : first + _BLOCK])
    return out


def _found(leave: Vectors, lines: Lines, sources: Ints, keep: int, budget: int, barred: Barred) -> Ints:
    """About the `keep` nearest of each source, in no order."""
    short = np.asarray(leave[sources] - lines.mean, dtype=np.float32) @ lines.turn
    order, visits = cells.visits_of(short, lines.parts, budget)
    queries = np.concatenate([short, np.ones((len(short), 1), dtype=np.float32)], axis=1)
    parts = lines.parts
    return _linked(
        queries, keep, order, visits, parts.offset, parts.ids, parts.rows, sources, barred.groups, barred.starts,
        barred.ends, barred.continuation,
    )  # fmt: skip


def _budget(
    leave: Vectors, entry: Vectors, sources: Ints, degree: int, barred: Barred, lines: Lines, rng: np.random.Generator
) -> int:
    """The smallest number of lines, in steps of a quarter, at which `RECALL` is reached for some of the sources."""
    asked = np.sort(rng.choice(sources, min(len(sources), _QUESTIONS), replace=False))
    whole, truth = len(entry), np.full((min(len(sources), _QUESTIONS), degree), -1, dtype=np.int64)
    everything = _found(leave, lines, asked, min(4 * KEEP * degree, whole), whole, barred)
    _rank(np.asarray(leave), np.asarray(entry), asked, everything, truth)
    budget = max(_LEAST_CELLS * whole // (len(lines.parts.offset) - 1), KEEP * degree)
    got = np.empty_like(truth)
    while budget < whole:
        got[:] = -1
        found = _found(leave, lines, asked, min(KEEP * degree, whole), budget, barred)
        _rank(np.asarray(leave), np.asarray(entry), asked, found, got)
        if _shared(got, truth) >= RECALL:
            break
        budget += budget // 4
    return min(budget, whole)


def _shared(found: Ints, truth: Ints) -> float:
    """Share of the ids of `truth` [M, K] that are in `found`, row by row."""
    there = (truth[:, :, None] == found[:, None, :]).any(axis=2)
    return float(there[truth >= 0].mean()) if np.any(truth >= 0) else 1.0


@nb.njit(cache=True, nogil=True)
def _linked(
    queries: Vectors,
    keep: int,
    order: npt.NDArray[np.int32],
    visits: Ints,
    offset: Ints,
    ids: Ints,
    rows: Vectors,
    sources: Ints,
    groups: Ints,
    starts: Floats,
    ends: Floats,
    continuation: Ints,
) -> Ints:
    """`cells.scan` for sources that some rows may not follow."""
    start, visitor = cells.visitors(order, visits, len(offset) - 1)
    best = np.full((len(queries), keep), -np.inf, dtype=np.float32)
    found = np.full((len(queries), keep), -1, dtype=np.int64)
    for cell in range(len(offset) - 1):
        here = visitor[start[cell] : start[cell + 1]]
        first, last = offset[cell], offset[cell + 1]
        if len(here) == 0 or first == last:
            continue
        product = np.dot(queries[here], rows[first:last].T)
        for index in range(len(here)):
            query = here[index]
            source = sources[query]
            for at in range(last - first):
                score = product[index, at]
                if not score > best[query, 0]:
                    continue
                target = ids[first + at]
                if target == source or target == continuation[source]:
                    continue
                overlaps = starts[target] < ends[source] and starts[source] < ends[target]
                if groups[target] == groups[source] and overlaps:
                    continue
                cells.replace_least(best[query], found[query], score, target)
    return found


@nb.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _rank(leave: Vectors, entry: Vectors, sources: Ints, found: Ints, out: Ints) -> None:
    """Put the nearest of `found` [M, K] into `out` [M, degree], nearest first, of equally near ones the lower id."""
    degree = out.shape[1]
    cost = np.empty(degree, dtype=np.float64)
    for row in range(len(sources)):
        count = 0
        for place in range(found.shape[1]):
            target = found[row, place]
            if target < 0:
                continue
            distance = 0.0
            for column in range(leave.shape[1]):
                gap = np.float64(leave[sources[row], column]) - np.float64(entry[target, column])
                distance += gap * gap
            if count == degree and not (
                distance < cost[degree - 1] or (distance == cost[degree - 1] and target < out[row, degree - 1])
            ):
                continue
            spot = count if count < degree else degree - 1
            while spot > 0 and (
                distance < cost[spot - 1] or (distance == cost[spot - 1] and target < out[row, spot - 1])
            ):
                cost[spot], out[row, spot] = cost[spot - 1], out[row, spot - 1]
                spot -= 1
            cost[spot], out[row, spot] = distance, target
            count = min(count + 1, degree)
