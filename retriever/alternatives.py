"""Truly different dances to one song, from one lattice.

The n best paths of a beam are near-duplicates. Here every further dance pays for material that the earlier ones used at
the same step, which is the Lagrangian of "as cheap as possible with so many steps different"; the price is raised until
enough steps differ, and on while the dance stays about as cheap as the best one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from choreodb.retriever import costs, lattice, stretches
from choreodb.retriever.costs import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from choreodb.retriever.lattice import Lattice, Limits
    from choreodb.retriever.options import PlanOptions
    from choreodb.retriever.search_kernel import Net

DIFFERENT_SHARE = 0.6
"""At least so many of the steps should differ by origin from every earlier dance."""

EXTRA_SHARE = 0.02
"""Beyond `DIFFERENT_SHARE`, a dance may differ more as long as it costs at most this much more than the best."""

_TRIES = 8
_HIGHEST = 4.0
"""Highest price of a reused step, in costs of a random cut."""


def others(nodes: Lattice, best: IntArray, count: int, options: PlanOptions) -> list[IntArray]:
    """`count` more paths [N] through the lattice, each different from `best` and from those before it."""
    from choreodb.retriever.planner import limits_of

    paths = [best]
    limits = limits_of(options)
    for _ in range(max(0, count)):
        paths.append(_another(nodes, paths, options, limits))
    return paths[1:]


def _another(nodes: Lattice, paths: list[IntArray], options: PlanOptions, limits: Limits) -> IntArray:
    """Halve the interval of prices: low ones leave the dance as it is, high ones make it dear."""
    joins = None if stretches.is_long(nodes) else lattice.net_of(nodes, options.weights, limits)
    used: FloatArray = np.array([reused(nodes, path) for path in paths]).sum(axis=0, dtype=np.float64)
    allowed = (1.0 + EXTRA_SHARE) * _cost(nodes, paths[0], options, limits)
    low, high = 0.0, _HIGHEST
    found = _priced(nodes, joins, used, high, options, limits)
    for _ in range(_TRIES):
        price = 0.5 * (low + high)
        path = _priced(nodes, joins, used, price, options, limits)
        cheap = _cost(nodes, path, options, limits) <= allowed
        differs = min(different_share(nodes, path, other) for other in paths) >= DIFFERENT_SHARE
        if differs:
            found = path
        low, high = (price, high) if cheap or not differs else (low, price)
    return found


def _priced(
    nodes: Lattice, joins: Net | None, used: FloatArray, price: float, options: PlanOptions, limits: Limits
) -> IntArray:
    seconds = np.repeat(nodes.seconds, np.diff(nodes.offset))
    dearer = replace(nodes, unary=nodes.unary + price * used * seconds / costs.UNIT_S)
    if joins is None:
        return stretches.search(dearer, options.weights, options.beam, limits)
    relaxation = lattice.relax(dearer, options.weights, limits, joins)
    return lattice.search(dearer, relaxation, options.weights, options.beam, limits)


def _cost(nodes: Lattice, path: IntArray, options: PlanOptions, limits: Limits) -> float:
    return float(lattice.path_terms(nodes, path, options.weights, limits).sum())


def reused(nodes: Lattice, path: IntArray) -> BoolArray:
    """Which nodes [M] are the material that `path` [N] has at their step."""
    past = np.repeat(path, np.diff(nodes.offset))
    return same_material(nodes, np.arange(len(nodes.segment)), past)


def different_share(nodes: Lattice, a: IntArray, b: IntArray) -> float:
    """Share of the steps at which two paths [N] have different origins (under `costs.SAME_ORIGIN_OVERLAP`)."""
    return float(1.0 - same_material(nodes, a, b).mean())


def same_material(nodes: Lattice, a: IntArray, b: IntArray) -> BoolArray:
    """Whether nodes a and b [K] share their origin, or are twins."""
    start, end = nodes.origin_start_s, nodes.origin_end_s
    both = np.minimum(end[a], end[b]) - np.maximum(start[a], start[b])
    least = np.maximum(np.minimum(end[a] - start[a], end[b] - start[b]), 1e-9)
    same = (nodes.origin[a] == nodes.origin[b]) & (both / least > costs.SAME_ORIGIN_OVERLAP)
    return np.asarray(same | ((nodes.twin[a] >= 0) & (nodes.twin[a] == nodes.twin[b])))
