"""The transition graph: which segment can follow which, at what cost, and where no dance dead-ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
import numpy.typing as npt

from choreodb.errors import StoreError
from choreodb.storage.store import Store

if TYPE_CHECKING:
    import networkx

Ints = npt.NDArray[np.int64]
Edges = tuple[Ints, Ints, npt.NDArray[np.float32]]

_BLOCK_BYTES = 64 << 20


def transitions(
    entry: npt.NDArray[np.float32],
    exit: npt.NDArray[np.float32],
    continuation: Ints,
    *,
    degree: int = 16,
    threshold: float = np.inf,
    origin: Ints | None = None,
    start_s: npt.NDArray[np.float64] | None = None,
    end_s: npt.NDArray[np.float64] | None = None,
) -> Edges:
    """Edges (source, target, cost), sorted by source, then cost, then target.

    entry, exit: [S, D] boundary features at each segment's start and end; cost is the squared distance from a source's
    exit to a target's entry. Each source has its `degree` nearest targets up to `threshold`, and its continuation
    [S] (-1 is none) at cost 0. A segment never leads to itself, nor to one of the same `origin` [S] whose span
    start_s .. end_s [S] overlaps its own: that would repeat what was just danced.
    """
    segments = len(entry)
    if exit.shape != entry.shape or len(continuation) != segments:
        raise StoreError(f"entry {entry.shape}, exit {exit.shape} and continuation {continuation.shape} do not fit")
    groups = np.arange(segments) if origin is None else np.asarray(origin, dtype=np.int64)
    starts = np.zeros(segments) if start_s is None else np.asarray(start_s, dtype=np.float64)
    ends = np.ones(segments) if end_s is None else np.asarray(end_s, dtype=np.float64)
    nearest = np.full((segments, min(degree, segments)), -1, dtype=np.int64)
    entry, exit = (np.ascontiguousarray(features, dtype=np.float32) for features in (entry, exit))
    squares = np.einsum("sd,sd->s", entry, entry)
    rows = max(1, _BLOCK_BYTES // (4 * max(segments, 1)))
    for first in range(0, segments, rows):
        block = slice(first, first + rows)
        distance = squares - 2.0 * (exit[block] @ entry.T)
        _nearest(distance.astype(np.float32, copy=False), first, groups, starts, ends, continuation, nearest[block])
    return _edges(entry, exit, continuation, nearest, threshold)


@nb.njit(cache=True, nogil=True)
def _nearest(
    distance: npt.NDArray[np.float32],
    first: int,
    groups: Ints,
    starts: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    continuation: Ints,
    out: Ints,
) -> None:
    """The smallest allowed entries of every row of `distance`, by insertion into a short sorted list."""
    degree = out.shape[1]
    costs = np.empty(degree, dtype=np.float32)
    for row in range(distance.shape[0]):
        source = first + row
        count = 0
        for target in range(distance.shape[1]):
            cost = distance[row, target]
            if (count == degree and cost >= costs[degree - 1]) or target == source or target == continuation[source]:
                continue
            overlaps = starts[target] < ends[source] and starts[source] < ends[target]
            if groups[target] == groups[source] and overlaps:
                continue
            place = count if count < degree else degree - 1
            while place > 0 and costs[place - 1] > cost:
                costs[place] = costs[place - 1]
                out[row, place] = out[row, place - 1]
                place -= 1
            costs[place] = cost
            out[row, place] = target
            count = min(count + 1, degree)


def _edges(
    entry: npt.NDArray[np.float32], exit: npt.NDArray[np.float32], continuation: Ints, nearest: Ints, threshold: float
) -> Edges:
    source, place = np.nonzero(nearest >= 0)
    target = nearest[source, place]
    # the product above loses digits where vectors almost agree, so the cost is taken again from the difference
    cost = np.concatenate(
        [
            np.sum((exit[source[block]] - entry[target[block]]) ** 2, axis=1, dtype=np.float64)
            for block in np.array_split(np.arange(len(source)), max(1, len(source) // 65536))
        ]
    )
    near = cost <= threshold
    follows = np.flatnonzero(continuation >= 0)
    source = np.concatenate([follows, source[near]]).astype(np.int64)
    target = np.concatenate([continuation[follows], target[near]]).astype(np.int64)
    weight = np.concatenate([np.zeros(len(follows)), cost[near]]).astype(np.float32)
    order = np.lexsort((target, weight, source))
    return source[order], target[order], weight[order]


def walkable(segments: int, source: Ints, target: Ints) -> npt.NDArray[np.bool_]:
    """Which segments [segments] lie in the largest strongly connected component of the edges.

    Of equally large components the one with the lowest segment counts. A component of one segment, from which no dance
    can go on, is not walkable.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if segments == 0:
        return np.zeros(0, dtype=np.bool_)
    matrix = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(segments, segments)).tocsr()
    _, labels = connected_components(matrix, directed=True, connection="strong")
    sizes = np.bincount(labels)[labels]
    if sizes.max() < 2:
        return np.zeros(segments, dtype=np.bool_)
    return np.asarray(labels == labels[int(np.argmax(sizes))])


def to_networkx(store: Store) -> networkx.DiGraph:
    """The graph for people: nodes are segments with the columns of the view, edges have `cost` and `continuation`."""
    import networkx

    from choreodb.storage.catalogue import query_segments

    graph: Any = networkx.DiGraph(library=str(store.place), version=store.version)
    for row in query_segments(store).to_pylist():
        graph.add_node(row["segment"], **row)
    for row in store.table("transitions").to_pylist():
        graph.add_edge(row["source"], row["target"], cost=row["cost"], continuation=row["continuation"])
    return graph
