"""A beam in plain Python over a networkx graph of a lattice: how a user would search a path without a planner."""

from __future__ import annotations

import time

import networkx
import numpy as np

from choreodb.retriever.costs import IntArray
from choreodb.retriever.search_kernel import NEVER, Net, Rules


def beam(net: Net, rules: Rules, width: int) -> tuple[IntArray, float]:
    """The path [N] found by the cheapest `width` paths from step to step, repetition by origin counted, and its CPU ms.

    The graph's edges carry the price of each join; they are added step by step, which is not timed.
    """
    origin, start, end = net.origin.tolist(), net.origin_start.tolist(), net.origin_end.tolist()
    unary, middle_s = net.unary.tolist(), net.middle_s.tolist()
    paths: list[tuple[float, tuple[int, ...]]] = [(unary[node], (node,)) for node in range(int(net.offset[1]))]
    paths = sorted(paths)[:width]
    spent_s = 0.0
    for step in range(1, len(middle_s)):
        graph = _edges(net, step)
        began = time.process_time()
        grown = []
        for total, path in paths:
            recent = [
                (node, elapsed_s)
                for before, node in enumerate(path)
                if (elapsed_s := middle_s[step] - middle_s[before]) < rules.horizon_s
            ]
            for node, edge in graph.adj[path[-1]].items():
                price = total + unary[node] + edge["weight"]
                for past, elapsed_s in recent:
                    if origin[past] == origin[node]:
                        both = min(end[past], end[node]) - max(start[past], start[node])
                        share = both / max(min(end[past] - start[past], end[node] - start[node]), 1e-9)
                        if share > rules.overlap:
                            price += rules.repetition * share * (1.0 - elapsed_s / rules.horizon_s)
                grown.append((price, (*path, node)))
        grown.sort()
        paths = grown[:width]
        spent_s += time.process_time() - began
    return np.array(paths[0][1], dtype=np.int64), 1e3 * spent_s


def _edges(net: Net, step: int) -> networkx.DiGraph:
    """All joins from the nodes of the step before to those of `step`."""
    here, ahead, end = (int(net.offset[at]) for at in (step - 1, step, step + 1))
    block = net.price[net.begin[step - 1] : net.begin[step - 1] + (ahead - here) * (end - ahead)]
    prices = block.reshape(ahead - here, end - ahead).astype(float)
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(here, end))
    for a, row in enumerate(prices.tolist()):
        on = int(net.follower[here + a])
        graph.add_weighted_edges_from(
            (here + a, ahead + b, float(net.hold[step]) if price >= NEVER and ahead + b == on else price)
            for b, price in enumerate(row)
        )
    return graph
