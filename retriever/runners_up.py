"""What would have filled each step next best: the plan as it is, with one segment exchanged for other material."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from choreodb.retriever import alternatives, costs, exchange_kernel, lattice, stretches
from choreodb.retriever.costs import CostWeights, FloatArray, IntArray

if TYPE_CHECKING:
    from choreodb.retriever.candidates import Pool
    from choreodb.retriever.lattice import Lattice, Limits, Relaxation
    from choreodb.retriever.planner import Choices

STRETCH = 60
"""Steps that are looked at together, with as much around them as they are remembered by."""


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """The next best material for one step while all others stay. segment: row; clip seconds as in a placement.

    terms: weighted cost terms of the path less those of the plan, by name; extra_cost: their sum, which may be
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
    pool: Pool,
    choices: Choices,
    path: IntArray,
    weights: CostWeights,
    limits: Limits,
    relaxation: Relaxation | None = None,
) -> tuple[RunnerUp | None, ...]:
    """The runner-up of every step [N] of `path`; None where the step has no other material.

    relaxation: of the lattice, where it is at hand; without it, stretch by stretch.
    """
    if relaxation is not None:
        return tuple(_of_steps(pool, choices, relaxation, path, 0, len(path), weights, limits))
    found: list[RunnerUp | None] = []
    for first in range(0, len(path), STRETCH):
        found += _of_stretch(pool, choices, path, first, min(len(path), first + STRETCH), weights, limits)
    return tuple(found)


def _of_stretch(
    pool: Pool, choices: Choices, path: IntArray, first: int, last: int, weights: CostWeights, limits: Limits
) -> list[RunnerUp | None]:
    """Runners-up of steps `first` .. `last` - 1, with all other steps that they are remembered by as they are."""
    nodes = choices.lattice
    begin = stretches.remembered_from(nodes, first, limits)
    end = max(last, int(np.searchsorted(nodes.middle_s, nodes.middle_s[last - 1] + limits.memory_s, side="right")))
    at = np.concatenate([path[begin:first], np.arange(nodes.offset[first], nodes.offset[last]), path[last:end]])
    part = replace(
        choices, lattice=nodes.taken(at, begin, end), terms=choices.terms[:, at], source_end_s=choices.source_end_s[at]
    )
    here = np.searchsorted(at, path[begin:end])
    relaxation = lattice.relax(part.lattice, weights, limits)
    return _of_steps(pool, part, relaxation, here, first - begin, last - begin, weights, limits)


def _of_steps(
    pool: Pool,
    choices: Choices,
    relaxation: Relaxation,
    path: IntArray,
    first: int,
    last: int,
    weights: CostWeights,
    limits: Limits,
) -> list[RunnerUp | None]:
    chosen = _terms(choices, path, weights, limits)
    result: list[RunnerUp | None] = []
    for step in range(first, last):
        other = _of_step(choices.lattice, relaxation, path, step)
        if other is None:
            result.append(None)
        else:
            difference = _terms(choices, other, weights, limits) - chosen
            result.append(_runner_up(pool, choices, int(other[step]), difference))
    return result


def _of_step(nodes: Lattice, relaxation: Relaxation, path: IntArray, step: int) -> IntArray | None:
    """The cheapest path [N] with other material at one step, all terms counted."""
    here = nodes.nodes(step)
    at = np.arange(here.start, here.stop)
    at = at[~alternatives.same_material(nodes, at, np.full(len(at), path[step]))]
    if len(at) == 0:
        return None
    price = exchange_kernel.exchanged(relaxation.net, relaxation.rules, path, step, at)
    other = path.copy()
    other[step] = at[int(np.argmin(price))]
    return other


def _terms(choices: Choices, path: IntArray, weights: CostWeights, limits: Limits) -> FloatArray:
    """Weighted terms [len(TERMS)] of a whole path."""
    pairs = lattice.path_terms(choices.lattice, path, weights, limits)
    return np.concatenate([choices.terms[:, path].sum(axis=1), pairs[1:].sum(axis=1)])


def _runner_up(pool: Pool, choices: Choices, node: int, difference: FloatArray) -> RunnerUp:
    at = int(choices.lattice.segment[node])
    return RunnerUp(
        segment=int(pool.row[at]),
        clip=pool.clips[int(pool.clip[at])],
        mirrored=bool(pool.mirrored[at]),
        source_start_s=float(pool.start_s[at]),
        source_end_s=float(choices.source_end_s[node]),
        extra_cost=float(difference.sum()),
        terms=dict(zip(costs.TERMS, difference.tolist(), strict=True)),
    )
