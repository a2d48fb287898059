"""Compiled inner loops of `prices`: what the relaxation pays for material and origins, and what it gets back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from choreodb.retriever.path_kernel import familiarity, repeated
from choreodb.retriever.search_kernel import BLOCKS, F64, I64, Net, Rules, backward, follow


class Cells(NamedTuple):
    """Groups of nodes of which any two cost full repetition, by step: cells of one group come one after the other.

    begin: [G + 1]. step: [C]. of_node: [M]."""

    begin: I64
    step: I64
    of_node: I64


@njit(cache=True, nogil=True)
def dearer(net: Net, cells: Cells, use: F64, fill: F64) -> F64:
    """Unary prices [M] with those of using a cell, use [C], and of a second of an origin in a stretch, fill [B, O]."""
    # fields looked up in a loop would be counted in and out each time
    offset, origin, blocks, seconds, of_node = net.offset, net.origin, net.block, net.seconds, cells.of_node
    result, second = net.unary.copy(), np.empty(fill.shape[1])
    for step in range(offset.shape[0] - 1):
        second[:] = 0.0
        for block in range(blocks[step] - BLOCKS + 1, blocks[step] + 1):
            for at in range(fill.shape[1]):
                second[at] += fill[block, at]
        for node in range(offset[step], offset[step + 1]):
            result[node] += use[of_node[node]] + second[origin[node]] * seconds[step]
    return result


@njit(cache=True, nogil=True)
def cheapest_uses(net: Net, rules: Rules, cells: Cells, use: F64, used: F64) -> float:
    """What the groups get back: each is used when that pays most, repetition between neighbouring uses counted.

    Fills used [C]. Uses that have another between them are not set against each other, which keeps it a lower bound.
    """
    total, longest = 0.0, 0
    begin, steps, middle_s = cells.begin, cells.step, net.middle_s
    for group in range(begin.shape[0] - 1):
        longest = max(longest, begin[group + 1] - begin[group])
    at, gain, before = np.empty(longest, dtype=np.int64), np.empty(longest), np.empty(longest, dtype=np.int64)
    used[:] = 0.0
    for group in range(begin.shape[0] - 1):
        count = 0
        for cell in range(begin[group], begin[group + 1]):
            if use[cell] > 0.0:
                at[count], count = cell, count + 1
        best, last = 0.0, -1
        for i in range(count):
            least, follows = 0.0, -1
            now_s = middle_s[steps[at[i]]]
            for j in range(i):
                # repetition only adds
                if gain[j] < least:
                    price = gain[j] + repeated(rules, 1.0, now_s - middle_s[steps[at[j]]])
                    if price < least:
                        least, follows = price, j
            gain[i], before[i] = least - use[at[i]], follows
            if gain[i] < best:
                best, last = gain[i], i
        total += best
        while last >= 0:
            used[at[last]] = 1.0
            last = before[last]
    return total


@njit(cache=True, nogil=True)
def cheapest_fills(net: Net, rules: Rules, fill: F64, filled_s: F64) -> float:
    """What the stretches get back: each is filled with each origin as far as that pays. Fills filled_s [B, O]."""
    total = 0.0
    room_s, blocks, seconds = np.zeros(fill.shape[0]), net.block, net.seconds
    for step in range(seconds.shape[0]):
        for block in range(blocks[step] - BLOCKS + 1, blocks[step] + 1):
            room_s[block] += seconds[step]
    for block in range(fill.shape[0]):
        most = room_s[block] / rules.block_s
        for origin in range(fill.shape[1]):
            share = 0.0
            if fill[block, origin] > 0.0 and rules.familiar > 0.0:
                # the slope of familiarity at a share x above the free one is familiar * (2 x - free)
                slope = fill[block, origin] * rules.block_s / rules.familiar
                share = min(most, max(rules.free_share, 0.5 * (slope + rules.free_share)))
            elif fill[block, origin] > 0.0:
                share = most
            filled_s[block, origin] = share * rules.block_s
            total += familiarity(rules, filled_s[block, origin]) - fill[block, origin] * filled_s[block, origin]
    return total


@njit(cache=True, nogil=True)
def bound(
    net: Net, rules: Rules, cells: Cells, use: F64, fill: F64, togo: F64, used: F64, filled_s: F64
) -> tuple[float, I64]:
    """The lower bound that prices give, and the path [N] that is cheapest under them; fills togo, used and filled_s."""
    unary = dearer(net, cells, use, fill)
    first = net.offset[0]  # is 0; a literal would have `backward` compiled once more for it
    backward(net, unary, first, net.offset.shape[0] - 2, togo)
    cost, path = follow(net, unary, togo)
    return cost + cheapest_uses(net, rules, cells, use, used) + cheapest_fills(net, rules, fill, filled_s), path


@njit(cache=True, nogil=True)
def ascend(
    net: Net, rules: Rules, cells: Cells, use: F64, fill: F64, upper: float, iterations: int, seconds_scale: float
) -> tuple[float, F64, F64]:
    """Prices that raise the bound, by deflected subgradients with Polyak's step; returns the best bound and its prices.

    upper: price of a path that is known. seconds_scale: how fast prices of seconds move beside those of uses.
    Camerini, Fratta, Maffioli 1975, "On improving relaxation methods by modified gradient techniques".
    """
    of_node, blocks, origins, seconds = cells.of_node, net.block, net.origin, net.seconds
    togo = np.zeros((net.unary.shape[0], net.longer.shape[1]))
    used, filled_s = np.zeros_like(use), np.zeros_like(fill)
    best, best_use, best_fill = -np.inf, use.copy(), fill.copy()
    way_use, way_fill = np.zeros_like(use), np.zeros_like(fill)
    reach, stale = 1.0, 0
    square = seconds_scale * seconds_scale
    # beyond these no use and no second is worth its price, and what is large is inexact
    most_use = 2.0 * rules.repetition + (2.0 * rules.forbidden if rules.no_repeat_s > 0.0 else 0.0)
    most_fill = 4.0 * rules.familiar / rules.block_s
    for _ in range(iterations):
        value, path = bound(net, rules, cells, use, fill, togo, used, filled_s)
        stale = 0 if value > best + 1e-4 * abs(best) else stale + 1
        if value > best:
            best, best_use, best_fill = value, use.copy(), fill.copy()
        if stale >= 8:
            reach, stale = 0.7 * reach, 0
            use, fill = best_use.copy(), best_fill.copy()
            way_use[:] = 0.0
            way_fill[:] = 0.0
            continue
        over_use, over_fill = -used, -filled_s
        for step in range(path.shape[0]):
            over_use[of_node[path[step]]] += 1.0
            for block in range(blocks[step] - BLOCKS + 1, blocks[step] + 1):
                over_fill[block, origins[path[step]]] += seconds[step]
        length = 0.0
        for cell in range(use.shape[0]):
            if use[cell] <= 0.0 and over_use[cell] < 0.0:
                over_use[cell] = 0.0
            way_use[cell] = 0.6 * way_use[cell] + over_use[cell]
            length += over_use[cell] * over_use[cell]
        for block in range(fill.shape[0]):
            for origin in range(fill.shape[1]):
                if fill[block, origin] <= 0.0 and over_fill[block, origin] < 0.0:
                    over_fill[block, origin] = 0.0
                way_fill[block, origin] = 0.6 * way_fill[block, origin] + over_fill[block, origin]
                length += square * over_fill[block, origin] * over_fill[block, origin]
        if length < 1e-9 or reach < 1e-3 or best >= upper - 1e-9:
            break
        stride = reach * max(min(upper, 1.05 * best) - value, 1e-4 * abs(best)) / length
        for cell in range(use.shape[0]):
            use[cell] = min(most_use, max(0.0, use[cell] + stride * way_use[cell]))
        for block in range(fill.shape[0]):
            for origin in range(fill.shape[1]):
                raised = fill[block, origin] + stride * square * way_fill[block, origin]
                fill[block, origin] = min(most_fill, max(0.0, raised))
    return best, best_use, best_fill
