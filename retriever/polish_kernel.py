"""Compiled polish of a path: windows of it searched anew, with everything else as it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from choreodb.retriever.beam_kernel import beam
from choreodb.retriever.path_kernel import again, familiarity, outside, path_price, repeated, walk
from choreodb.retriever.search_kernel import BLOCKS, F64, I64, Net, Rules, backward


@njit(cache=True, nogil=True)
def beside(net: Net, rules: Rules, path: I64, first: int, last: int) -> F64:
    """Unary prices [M] of the nodes of steps `first` .. `last` - 1 with what they repeat of the rest of a path, and how
    familiar it makes them, each by itself."""
    # fields looked up in a loop would be counted in and out each time
    offset, unary, origins, middle_s = net.offset, net.unary, net.origin, net.middle_s
    seconds, blocks, materials, near_begin = net.seconds, net.block, net.material, net.near_begin
    near, near_share = net.near, net.near_share
    steps = path.shape[0]
    memory_s = max(rules.horizon_s, rules.no_repeat_s)
    heads = np.full(near_begin.shape[0] - 1, -1, dtype=np.int64)
    chain = np.empty(steps, dtype=np.int64)
    for past in range(steps):
        if past < first or past >= last:
            chain[past], heads[materials[path[past]]] = heads[materials[path[past]]], past
    danced = np.zeros((rules.origins, BLOCKS))
    result = unary.copy()
    for step in range(first, last):
        danced[:] = 0.0
        for past in range(steps):
            if (past >= first and past < last) or abs(middle_s[step] - middle_s[past]) >= memory_s:
                continue
            for block in range(BLOCKS):
                at = blocks[step] - block
                if blocks[past] - BLOCKS < at <= blocks[past]:
                    danced[origins[path[past]], block] += seconds[past]
        for node in range(offset[step], offset[step + 1]):
            for at in range(near_begin[materials[node]], near_begin[materials[node] + 1]):
                past = heads[near[at]]
                while past >= 0:
                    result[node] += repeated(rules, near_share[at], abs(middle_s[step] - middle_s[past]))
                    past = chain[past]
            if rules.familiar > 0.0:
                for block in range(BLOCKS):
                    had_s = danced[origins[node], block]
                    result[node] += familiarity(rules, had_s + seconds[step]) - familiarity(rules, had_s)
    return result


@njit(cache=True, nogil=True)
def run_at(net: Net, path: I64, step: int) -> int:
    """Length of the run that a path is in at a step, 0 for one step."""
    run = 0
    while step - run > 0 and net.follower[path[step - run - 1]] == path[step - run]:
        run += 1
    return min(run, net.longer.shape[1] - 1)


@njit(cache=True, nogil=True)
def window_price(net: Net, rules: Rules, path: I64, first: int, last: int) -> float:
    """What `beam` prices steps `first` .. `last` - 1 of a path at, given the rest of it."""
    offset, prices, begin, follower = net.offset, net.price, net.begin, net.follower
    unary, origins, start, end = net.unary, net.origin, net.origin_start, net.origin_end
    twins, middle_s, seconds, hold = net.twin, net.middle_s, net.seconds, net.hold
    longer, blocks = net.longer, net.block
    steps = path.shape[0]
    memory_s = max(rules.horizon_s, rules.no_repeat_s)
    ends = walk(net.travel[path[:last]])
    danced = np.zeros(BLOCKS)
    total = 0.0
    for step in range(first, last):
        node = path[step]
        total += unary[node] + longer[step, run_at(net, path, step)]
        total += rules.stage * seconds[step] * outside(ends[step, 0], ends[step, 1], rules.half_x, rules.half_z)
        if step > 0:
            before = path[step - 1]
            if follower[before] == node:
                total += hold[step]
            else:
                columns = offset[step + 1] - offset[step]
                total += prices[begin[step - 1] + (before - offset[step - 1]) * columns + node - offset[step]]
        danced[:] = 0.0
        for past in range(steps):
            elapsed_s = abs(middle_s[step] - middle_s[past])
            if (past >= step and past < last) or elapsed_s >= memory_s:
                continue
            total += again(origins, start, end, twins, rules, path[past], node, elapsed_s)
            if origins[path[past]] == origins[node]:
                for block in range(BLOCKS):
                    at = blocks[step] - block
                    if blocks[past] - BLOCKS < at <= blocks[past]:
                        danced[block] += seconds[past]
        if rules.familiar > 0.0:
            for block in range(BLOCKS):
                total += familiarity(rules, danced[block] + seconds[step]) - familiarity(rules, danced[block])
    return total


@njit(cache=True, nogil=True)
def polish(
    net: Net, rules: Rules, path: I64, window: int, width: int, sweeps: int, movable: npt.NDArray[np.bool_]
) -> I64:
    """The path [N] after windows of it were searched anew, again and again, for as long as that makes it cheaper.

    Each window is searched by a beam guided by the exact cost-to-go of what the rest of the path makes of its nodes.
    movable: [N] steps that have more than one node.
    """
    steps = path.shape[0]
    runs = net.longer.shape[1]
    togo = np.zeros((net.unary.shape[0], runs))
    best, price = path.copy(), path_price(net, rules, path)
    hop = max(1, window // 2)
    since_gain = 0
    windows = max(1, -(-(steps - 1) // hop))
    single = min(width, 1)  # a literal 1 would have `beam` compiled once more for it
    for turn in range(sweeps * windows):
        first = (turn % windows) * hop
        last = min(steps, first + window)
        if since_gain > windows:
            break
        since_gain += 1
        if not movable[first:last].any():
            continue
        unary = beside(net, rules, best, first, last)
        _join_on(net, best, last, unary, togo)
        backward(net, unary, first, last - 1, togo)
        ceiling = window_price(net, rules, best, first, last) + togo[best[last - 1], run_at(net, best, last - 1)]
        found = beam(net, rules, togo, best, first, last, width, single, ceiling - 1e-9)
        cost = path_price(net, rules, found)
        if cost < price - 1e-9:
            best, price, since_gain = found, cost, 0
    return best


@njit(cache=True, nogil=True)
def _join_on(net: Net, path: I64, last: int, unary: F64, togo: F64) -> None:
    """Fill togo of the nodes of step `last` - 1 with what it costs to go on along the path from there."""
    steps, runs = path.shape[0], togo.shape[1]
    here, end = net.offset[last - 1], net.offset[last]
    togo[here:end] = 0.0
    if last >= steps:
        return
    columns = net.offset[last + 1] - end
    for node in range(here, end):
        goes_on = net.follower[node] == path[last]
        join = net.price[net.begin[last - 1] + (node - here) * columns + path[last] - end]
        for run in range(runs):
            then = min(run + 1, runs - 1) if goes_on else 0
            total = net.hold[last] if goes_on else np.float64(join)
            total += net.longer[last, then]
            step = last + 1
            while step < steps and net.follower[path[step - 1]] == path[step]:
                then = min(then + 1, runs - 1)
                total += net.longer[step, then]
                step += 1
            togo[node, run] = total
