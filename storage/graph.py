"""The transition graph: which segment can follow which, at what cost, and where no dance dead-ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np
import numpy.typing as npt

from choreodb.errors import StoreError
from choreodb.storage import neighbours
from choreodb.storage.neighbours import Barred
from choreodb.storage.store import Store

if TYPE_CHECKING:
    import networkx

Ints = npt.NDArray[np.int64]
Edges = tuple[Ints, Ints, npt.NDArray[np.float32]]

EXACT_LINES = 10_000
"""Among so many segments the nearest are found by matrix products: two seconds, and cells would be three times as fast."""

FEW_SOURCES = 16
"""Fewer than one of so many segments are held against all others, too: to fill cells for them would cost more."""

_SHORT = 64
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
    sources: Ints | None = None,
) -> Edges:
    """Edges (source, target, cost), sorted by source, then cost, then target.

    entry, exit: [S, D] boundary features at each segment's start and end; cost is the squared distance from a source's
    exit to a target's entry. Each source has its `degree` nearest targets up to `threshold`, and its continuation
    [S] (-1 is none) at cost 0. A segment never leads to itself, nor to one of the same `origin` [S] whose span
    start_s .. end_s [S] overlaps its own: that would repeat what was just danced. sources: only edges from these,
    ascending. From very many sources among more than `EXACT_LINES` segments, about 0.95 of the targets are the nearest.
    """
    segments = len(entry)
    leaving = np.arange(segments) if sources is None else np.asarray(sources, dtype=np.int64)
    if exit.shape != entry.shape or len(continuation) != segments:
        raise StoreError(f"entry {entry.shape}, exit {exit.shape} and continuation {continuation.shape} do not fit")
    groups = np.arange(segments) if origin is None else np.asarray(origin, dtype=np.int64)
    starts = np.zeros(segments) if start_s is None else np.asarray(start_s, dtype=np.float64)
    ends = np.ones(segments) if end_s is None else np.asarray(end_s, dtype=np.float64)
    entry, exit = (np.ascontiguousarray(features, dtype=np.float32) for features in (entry, exit))
    barred = Barred(groups, starts, ends, np.asarray(continuation, dtype=np.int64))
    if segments > EXACT_LINES and FEW_SOURCES * len(leaving) > segments:
        nearest = neighbours.nearest(exit, entry, leaving, min(degree, segments), barred)
    else:
        nearest = nearest_of_all(exit, entry, leaving, min(degree, segments), barred)
    return _edges(entry, exit, continuation, leaving, nearest, threshold)


def nearest_of_all(
    exit: npt.NDArray[np.float32], entry: npt.NDArray[np.float32], leaving: Ints, degree: int, barred: Barred
) -> Ints:
    """The nearest targets [M, degree] of each source, -1 where there are fewer, by matrix products of blocks."""
    nearest = np.full((len(leaving), degree), -1, dtype=np.int64)
    squares = np.einsum("sd,sd->s", entry, entry)
    rows = max(1, _BLOCK_BYTES // (4 * max(len(entry), 1)))
    for first in range(0, len(leaving), rows):
        block = leaving[first : first + rows]
        distance = (squares - 2.0 * (exit[block] @ entry.T)).astype(np.float32, copy=False)
        found = nearest[first : first + rows]
        _nearest(distance, block, barred.groups, barred.starts, barred.ends, barred.continuation, found)
    return nearest


@nb.njit(cache=True, nogil=True)
def _nearest(
    distance: npt.NDArray[np.float32],
    sources: Ints,
    groups: Ints,
    starts: npt.NDArray[np.float64],
    ends: npt.NDArray[np.float64],
    continuation: Ints,
    out: Ints,
) -> None:
    """The smallest allowed entries of every row of `distance`, a source each, by insertion into a short sorted list."""
    degree = out.shape[1]
    costs = np.empty(degree, dtype=np.float32)
    for row in range(distance.shape[0]):
        source = sources[row]
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
    entry: npt.NDArray[np.float32],
    exit: npt.NDArray[np.float32],
    continuation: Ints,
    leaving: Ints,
    nearest: Ints,
    threshold: float,
) -> Edges:
    row, place = np.nonzero(nearest >= 0)
    source, target = leaving[row], nearest[row, place]
    # the product above loses digits where vectors almost agree, so the cost is taken again from the difference
    cost = np.concatenate(
        [
            np.sum((exit[source[block]] - entry[target[block]]) ** 2, axis=1, dtype=np.float64)
            for block in np.array_split(np.arange(len(source)), max(1, len(source) // 65536))
        ]
    )
    near = cost <= threshold
    follows = leaving[continuation[leaving] >= 0]
    source = np.concatenate([follows, source[near]]).astype(np.int64)
    target = np.concatenate([continuation[follows], target[near]]).astype(np.int64)
    weight = np.concatenate([np.zeros(len(follows)), cost[near]]).astype(np.float32)
    order = np.lexsort((target, weight, source))
    return source[order], target[order], weight[order]


def link(
    entry: npt.NDArray[np.float32],
    exit: npt.NDArray[np.float32],
    continuation: Ints,
    *,
    degree: int,
    in_degree: int,
    threshold: float,
    origin: Ints,
    start_s: npt.NDArray[np.float64],
    end_s: npt.NDArray[np.float64],
    sources: Ints | None = None,
    targets: Ints | None = None,
) -> Edges:
    """The edges of a library: from every segment to its `degree` nearest, and to every one from its `in_degree` nearest.

    Other arguments as of `transitions`. sources, targets: only the nearest of these, where the rest is known already.
    """
    spans = {"threshold": threshold, "origin": origin, "start_s": start_s, "end_s": end_s}
    forward = transitions(entry, exit, continuation, degree=degree, sources=sources, **spans)  # type: ignore[arg-type]
    # nearest sources are nearest targets with time turned round: entry and exit change places, edges their direction
    before = np.full(len(entry), -1, dtype=np.int64)
    before[continuation[continuation >= 0]] = np.flatnonzero(continuation >= 0)
    into, out, price = transitions(exit, entry, before, degree=in_degree, sources=targets, **spans)  # type: ignore[arg-type]
    return union(forward, (out, into, price))


def union(first: Edges, second: Edges) -> Edges:
    """Edges of either set, once each, by source, then cost, then target; `first` gives the cost where both have one."""
    source, target, cost = once(first, second)
    order = cheapest_first(source, cost, int(source.max(initial=-1)) + 1)[1]
    return source[order], target[order], cost[order]


def once(first: Edges, second: Edges) -> Edges:
    """Edges of either set, once each, by source, then target; `first` gives the cost where both have one."""
    source, target = np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])
    cost = np.concatenate([first[2], second[2]])
    # a pair in one number sorts several times as fast as rows of two; a library has fewer than 2^31 segments
    kept = np.unique(source * (int(target.max(initial=0)) + 1) + target, return_index=True)[1]
    return source[kept], target[kept], cost[kept]


@nb.njit(cache=True, nogil=True)
def cheapest_first(ends: Ints, cost: npt.NDArray[np.float32], count: int) -> tuple[Ints, Ints]:
    """Edges grouped by one of their ends, as `first` [count + 1] and `order`: of row r `order[first[r] : first[r + 1]]`.

    The cheapest comes first, of equally cheap ones the one that came first.
    """
    first = np.zeros(count + 1, dtype=np.int64)
    for edge in range(len(ends)):
        first[ends[edge] + 1] += 1
    first = np.cumsum(first)
    fill = first[:-1].copy()
    order = np.empty(len(ends), dtype=np.int64)
    for edge in range(len(ends)):
        order[fill[ends[edge]]] = edge
        fill[ends[edge]] += 1
    for row in range(count):
        here = order[first[row] : first[row + 1]]
        if len(here) > _SHORT:
            here[:] = here[np.argsort(cost[here], kind="mergesort")]
            continue
        for at in range(1, len(here)):
            edge, place = here[at], at
            while place > 0 and cost[here[place - 1]] > cost[edge]:
                here[place] = here[place - 1]
                place -= 1
            here[place] = edge
    return first, order


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
