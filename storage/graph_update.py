"""Graph updates: the edges of a library that changed in places, in proportion to what changed, equal to a full rebuild.

An edge is there because its target is among the nearest of its source, or its source among the nearest of its target. Both
can be read from the edges alone: the nearest targets of a source are the cheapest ones that it has. So what was added is set
against all, what lost an edge is linked again, and the rest only has to give up edges that are now outnumbered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.storage import graph
from choreodb.storage.graph import Edges, Ints

Floats = npt.NDArray[np.float32]
_BLOCK_VALUES = 1 << 24
_SLACK = 1e-4
"""A cost by matrix product is off by less; it is taken again from the difference."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """What a graph is made of, a row for each of S segments: features, what follows what, and where each was captured."""

    entry: Floats
    exit: Floats
    continuation: Ints
    origin: Ints
    start_s: npt.NDArray[np.float64]
    end_s: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Limits:
    """See `graph.link`."""

    degree: int
    in_degree: int
    threshold: float


def updated(old: Edges, spans: Spans, limits: Limits, *, added: Ints, left_by: Ints, entered_from: Ints) -> Edges:
    """The edges after a change. old: those among rows that stayed, in new numbers.

    added: rows that are new. left_by, entered_from: rows that lost a target, a source. All ascending.
    """
    again = graph.link(
        spans.entry,
        spans.exit,
        spans.continuation,
        degree=limits.degree,
        in_degree=limits.in_degree,
        threshold=limits.threshold,
        origin=spans.origin,
        start_s=spans.start_s,
        end_s=spans.end_s,
        sources=np.union1d(added, left_by),
        targets=np.union1d(added, entered_from),
    )
    known = graph.once(old, again)
    gained = _gained(known, spans, limits, added) if len(added) else ()
    for edges in gained:
        known = graph.once(known, edges)
    return _outnumbered(known, spans.continuation, limits)


def _gained(known: Edges, spans: Spans, limits: Limits, added: Ints) -> tuple[Edges, Edges]:
    """Edges from any row to an added one, and from an added one to any, that are nearer than the last that it had."""
    source, target, cost = known
    own = spans.continuation[source] != target
    source, target, cost = source[own], target[own], cost[own]
    count = len(spans.entry)
    farthest = _last_cost(source, cost, limits.degree, count, limits.threshold)
    out = _nearer(spans.exit, spans.entry, added, farthest, limits.threshold)
    dearest = _last_cost(target, cost, limits.in_degree, count, limits.threshold)
    into = _nearer(spans.entry, spans.exit, added, dearest, limits.threshold)
    return _allowed(out, spans), _allowed((into[1], into[0], into[2]), spans)


def _last_cost(ends: Ints, cost: Floats, degree: int, count: int, threshold: float) -> Floats:
    """The cost [S] of the `degree`-th cheapest edge of every row; the threshold where it has fewer."""
    first, order = graph.cheapest_first(ends, cost, count)
    full = np.diff(first) >= degree
    out = np.full(count, threshold, dtype=np.float32)
    out[full] = np.minimum(cost[order[first[:-1][full] + degree - 1]], threshold)
    return out


def _nearer(here: Floats, there: Floats, added: Ints, farthest: Floats, threshold: float) -> Edges:
    """Pairs (row, added row, cost) whose squared distance from `here` to `there` is no more than the row's farthest."""
    goal = np.ascontiguousarray(there[added], dtype=np.float32)
    squares = np.einsum("sd,sd->s", goal, goal)
    rows = max(1, _BLOCK_VALUES // len(added))
    found: list[Edges] = []
    for begin in range(0, len(here), rows):
        block = np.asarray(here[begin : begin + rows], dtype=np.float32)
        cost = squares - 2.0 * (block @ goal.T) + np.einsum("sd,sd->s", block, block)[:, None]
        row, place = np.nonzero(cost <= farthest[begin : begin + rows, None] + _SLACK)
        exact = np.asarray(np.sum((block[row] - goal[place]) ** 2, axis=1, dtype=np.float64), dtype=np.float32)
        kept = (exact <= farthest[begin + row]) & (exact <= threshold)
        found.append(((row[kept] + begin).astype(np.int64), added[place[kept]], exact[kept]))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))  # type: ignore[return-value]


def _allowed(edges: Edges, spans: Spans) -> Edges:
    """Edges that do not repeat what was just danced, and are no continuations, which are there already."""
    source, target, cost = edges
    overlaps = (spans.start_s[target] < spans.end_s[source]) & (spans.start_s[source] < spans.end_s[target])
    same = (spans.origin[source] == spans.origin[target]) & overlaps
    kept = ~same & (source != target) & (spans.continuation[source] != target)
    return source[kept], target[kept], cost[kept]


def _outnumbered(edges: Edges, continuation: Ints, limits: Limits) -> Edges:
    """The edges less those that are neither among the nearest of their source nor of their target, in the usual order.

    edges: by source, then target, so that of equally near ones the lower counts.
    """
    source, target, cost = edges
    count = len(continuation)
    follows = continuation[source] == target
    free = np.flatnonzero(~follows)
    kept = np.zeros(len(source), dtype=np.bool_)
    kept[follows] = True
    for ends, degree in ((source, limits.degree), (target, limits.in_degree)):
        first, order = graph.cheapest_first(ends[free], cost[free], count)
        rank = np.arange(len(order)) - np.repeat(first[:-1], np.diff(first))
        kept[free[order[rank < degree]]] = True
    chosen = np.flatnonzero(kept)
    order = chosen[graph.cheapest_first(source[chosen], cost[chosen], count)[1]]
    return source[order], target[order], cost[order]
