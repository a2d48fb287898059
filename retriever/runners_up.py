"""What would have filled each step next best: the plan as it is, with one segment exchanged for other material."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from choreodb.retriever import alternatives, costs, lattice
from choreodb.retriever.costs import CostWeights, FloatArray, IntArray

if TYPE_CHECKING:
    from choreodb.retriever.candidates import Pool
    from choreodb.retriever.lattice import Lattice, Limits
    from choreodb.retriever.planner import Choices

EXACT = 4
"""So many of the locally cheapest are priced over the whole path, of which the best is kept."""


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The next best material for one step while all others stay. segment: row; clip seconds as in a placement.

    terms: weighted cost terms of the whole path less those of the plan, by name; extra_cost: their sum, which may be
    negative by a little where the search is not exact.
    """

    segment: int
    clip: str
    mirrored: bool
    source_start_s: float
    source_end_s: float
    extra_cost: float
    terms: dict[str, float]


def find(
    pool: Pool, choices: Choices, path: IntArray, weights: CostWeights, limits: Limits
) -> tuple[RunnerUp | None, ...]:
    """The runner-up of every step [N] of `path`; None where the step has no other material."""
    nodes = choices.lattice
    chosen = _terms(choices, path, weights, limits)
    return tuple(_of_step(pool, choices, path, step, chosen, weights, limits) for step in range(len(nodes)))


def _of_step(
    pool: Pool,
    choices: Choices,
    path: IntArray,
    step: int,
    chosen: FloatArray,
    weights: CostWeights,
    limits: Limits,
) -> RunnerUp | None:
    nodes = choices.lattice
    here = nodes.nodes(step)
    at = np.arange(here.start, here.stop)
    at = at[~alternatives.same_material(nodes, at, np.full(len(at), path[step]))]
    if len(at) == 0:
        return None
    price = nodes.unary[at] + _joins(nodes, path, step, at, weights)
    best: tuple[float, int, FloatArray] | None = None
    for node in at[np.argsort(price, kind="stable")[:EXACT]].tolist():
        other = path.copy()
        other[step] = node
        difference = _terms(choices, other, weights, limits) - chosen
        if best is None or difference.sum() < best[0]:
            best = float(difference.sum()), node, difference
    assert best is not None
    return _runner_up(pool, choices, *best)


def _terms(choices: Choices, path: IntArray, weights: CostWeights, limits: Limits) -> FloatArray:
    """Weighted terms [len(TERMS)] of a whole path."""
    pairs = lattice.path_terms(choices.lattice, path, weights, limits)
    return np.concatenate([choices.terms[:, path].sum(axis=1), pairs[1:].sum(axis=1)])


def _joins(nodes: Lattice, path: IntArray, step: int, at: IntArray, weights: CostWeights) -> FloatArray:
    """Price of the joins before and after `step` for each of the nodes `at` [K]."""
    result = np.zeros(len(at))
    if step > 0:
        result += lattice.pair_prices(nodes, path[step - 1 : step], at, step, weights)[0]
    if step + 1 < len(nodes):
        result += lattice.pair_prices(nodes, at, path[step + 1 : step + 2], step + 1, weights)[:, 0]
    return result


def _runner_up(pool: Pool, choices: Choices, extra: float, node: int, difference: FloatArray) -> RunnerUp:
    at = int(choices.lattice.segment[node])
    return RunnerUp(
        segment=int(pool.row[at]),
        clip=pool.clips[int(pool.clip[at])],
        mirrored=bool(pool.mirrored[at]),
        source_start_s=float(pool.start_s[at]),
        source_end_s=float(choices.source_end_s[node]),
        extra_cost=extra,
        terms=dict(zip(costs.TERMS, difference.tolist(), strict=True)),
    )
