"""Prices for what a path may not do too often, so that the relaxation sees it: a stronger bound, and a better guide.

Repetition and familiarity depend on whole paths, which Viterbi cannot count. Instead it pays a price for every use of a
material at a step, and for every second of an origin in a stretch of song; what was paid comes back where the path does
what pays most to each material and each origin on its own, which is easy to work out. For any prices, the sum is a lower
bound of every path's cost (Lagrangian decomposition: Guignard and Kim 1987); subgradients raise it.

Few nodes matter, so prices are found on the nodes that the bound cannot do without, by the least price of a path through
each, and checked on all of them, in turns; only bounds over all nodes count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from choreodb.retriever import price_kernel, search_kernel
from choreodb.retriever.costs import FloatArray, IntArray
from choreodb.retriever.lattice import Relaxation, likeliest, numbered
from choreodb.retriever.price_kernel import Cells

ROUNDS, ITERATIONS = 4, 60
"""How often prices are checked on all nodes, and subgradient steps in between."""

CORE = 24
"""Nodes of each step that prices are found on."""

_SECONDS_SCALE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """The bound that prices give. togo: [M, R] cost-to-go with prices, a guide. cost: lower bound of every path's."""

    togo: FloatArray
    cost: float


def tighten(
    relaxation: Relaxation, upper: float, known: IntArray, rounds: int = ROUNDS, iterations: int = ITERATIONS
) -> Priced:
    """A bound of every path's cost that is at least the relaxation's. upper: price of the path `known` [N]."""
    net, rules = relaxation.net, relaxation.rules
    cells = _cells(net)
    use = np.zeros(len(cells.step))
    fill = np.zeros((int(net.block[-1]) + 1, int(net.origin.max()) + 1))
    best = Priced(relaxation.togo, relaxation.cost)
    keep = np.zeros(0, dtype=np.int64)
    used, filled_s = np.zeros_like(use), np.zeros_like(fill)
    for turn in range(rounds + 1):
        togo = np.zeros_like(relaxation.togo)
        cost, path = price_kernel.bound(net, rules, cells, use, fill, togo, used, filled_s)
        if cost > best.cost:
            best = Priced(togo, float(cost))
        if turn == rounds or upper <= best.cost:
            break
        through = search_kernel.forward(net, price_kernel.dearer(net, cells, use, fill)) + togo[:, 0]
        keep = np.union1d(keep, likeliest(net, through, CORE, np.union1d(path, known)))
        small = search_kernel.shrunk(net, keep)
        core = cells._replace(of_node=cells.of_node[keep])
        _, use, fill = price_kernel.ascend(small, rules, core, use, fill, upper, iterations, _SECONDS_SCALE)
    return best


def _cells(net: search_kernel.Net) -> Cells:
    """Nodes of one twin group, or else of one origin from one moment on, cost full repetition among each other."""
    step = np.repeat(np.arange(len(net.offset) - 1), np.diff(net.offset))
    lone = net.twin < 0
    group = numbered(lone, np.where(lone, net.origin, net.twin), np.where(lone, net.origin_start, 0.0))[1]
    pairs, of_node = np.unique(group * len(net.offset) + step, return_inverse=True)
    groups = pairs // len(net.offset)
    begin = np.searchsorted(groups, np.arange(int(groups[-1]) + 2)).astype(np.int64)
    return Cells(begin, (pairs % len(net.offset)).astype(np.int64), of_node.reshape(-1).astype(np.int64))
