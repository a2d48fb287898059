"""Long songs: a lattice searched stretch by stretch, so that memory does not grow with the song.

Each stretch is searched with the path so far fixed (one node a step, so that all of it is remembered) and some steps looked
ahead, which are searched again with the next. The bounds of stretches add up to one of the whole: what connects them costs
nothing less than nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from choreodb.retriever import lattice, path_kernel, prices
from choreodb.retriever.costs import CostWeights, IntArray
from choreodb.retriever.lattice import Lattice, Limits

LONG = 480
"""A lattice of more steps is searched in stretches."""

STRETCH, AHEAD = 240, 60


def is_long(nodes: Lattice) -> bool:
    """Whether a lattice is searched in stretches."""
    return len(nodes) > LONG


def search(nodes: Lattice, weights: CostWeights, width: int, limits: Limits) -> IntArray:
    """The path [N] found stretch by stretch."""
    path = np.empty(0, dtype=np.int64)
    for first, last in _stretches(nodes):
        until = min(len(nodes), last + AHEAD)
        begin = remembered_from(nodes, first, limits)
        at = np.concatenate([path[begin:first], np.arange(nodes.offset[first], nodes.offset[until])])
        part = nodes.taken(at, begin, until)
        found = lattice.search(part, lattice.relax(part, weights, limits), weights, width, limits)
        path = np.concatenate([path, at[found[first - begin : last - begin]]])
    return path


def remembered_from(nodes: Lattice, step: int, limits: Limits) -> int:
    """First step that `step` remembers; 0 where the stage has to be walked from the beginning."""
    if np.isfinite(limits.half_m).any():
        return 0
    return int(np.searchsorted(nodes.middle_s, nodes.middle_s[step] - limits.memory_s))


def bound(nodes: Lattice, weights: CostWeights, limits: Limits, path: IntArray | None = None) -> float:
    """What every path through a long lattice costs at least; with prices where a path [N] is known."""
    total = 0.0
    for first, last in _stretches(nodes):
        at = np.arange(nodes.offset[first], nodes.offset[last])
        relaxation = lattice.relax(nodes.taken(at, first, last), weights, limits)
        if path is None:
            total += relaxation.cost
        else:
            known = path[first:last] - nodes.offset[first]
            upper = path_kernel.path_price(relaxation.net, relaxation.rules, known)
            total += prices.tighten(relaxation, upper, known).cost
    return total


def _stretches(nodes: Lattice) -> Iterator[tuple[int, int]]:
    for first in range(0, len(nodes), STRETCH):
        yield first, min(len(nodes), first + STRETCH)
