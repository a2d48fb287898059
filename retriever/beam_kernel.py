"""Compiled beam over a lattice: partial paths, what each remembers, and which of them are kept."""

from __future__ import annotations

import numpy as np
from numba import njit

from choreodb.retriever.path_kernel import advanced, familiarity, outside, repeated
from choreodb.retriever.search_kernel import BLOCKS, F32, F64, I64, Net, Rules


@njit(cache=True, nogil=True)
def beam(
    net: Net, rules: Rules, togo: F64, given: I64, first: int, last: int, width: int, per_node: int, ceiling: float
) -> I64:
    """The given path [N] with steps `first` .. `last` - 1 searched anew by a beam, all else as it is.

    togo: [M, R] by which partial paths are compared beside what they cost. width: paths kept; at most `per_node` of them
    end in one node, or as many as it takes to keep so many paths. The terms of whole paths count, those with the steps
    after `last` among them, but for where the dancer stands there. ceiling: what is worth less than finding nothing
    cheaper, so that the given path comes back. Ties: lower node, earlier path.
    """
    # fields looked up in a loop would be counted in and out each time
    offset, prices, begin, follower = net.offset, net.price, net.begin, net.follower
    unary, origins, travel, seconds = net.unary, net.origin, net.travel, net.seconds
    hold, longer, blocks, materials = net.hold, net.longer, net.block, net.material
    near_begin, near, near_share, middle_s = net.near_begin, net.near, net.near_share, net.middle_s
    length, runs = last - first, togo.shape[1]
    own, grown = np.zeros((width, length), dtype=np.int64), np.zeros((width, length), dtype=np.int64)
    spent, run, place = np.zeros(width), np.zeros(width, dtype=np.int64), np.zeros((width, 3))
    spent_next, run_next, place_next = np.zeros(width), np.zeros(width, dtype=np.int64), np.zeros((width, 3))
    run[0] = _begun(net, given, first, runs, place)
    heads = np.full(near_begin.shape[0] - 1, -1, dtype=np.int64)
    chain, whole = np.empty(offset.shape[0] - 1, dtype=np.int64), given.copy()
    danced = np.zeros((rules.origins, BLOCKS))
    familiar, priced_for, turn = np.empty(rules.origins), np.zeros(rules.origins, dtype=np.int64), 0
    likely = np.empty(np.diff(offset).max() + 1, dtype=np.int64)
    unjoined = np.zeros(offset[1] if first == 0 else 0, dtype=np.float32)
    paths = 1
    for step in range(first, last):
        here = offset[step]
        nodes = offset[step + 1] - here
        # where there are few nodes, as after a lock, the beam would shrink to as many paths
        share = max(per_node, (width + nodes - 1) // nodes)
        since, until = _within(middle_s, step, last, max(rules.horizon_s, rules.no_repeat_s))
        counts, worst, least = np.zeros(nodes, dtype=np.int64), np.full(nodes, ceiling), np.empty(nodes)
        kept_f, kept_g = np.empty((nodes, share)), np.empty((nodes, share))
        kept_path = np.empty((nodes, share), dtype=np.int64)
        for b in range(nodes):
            least[b] = unary[here + b] + longer[step, 0] + togo[here + b, 0]
        for a in range(paths):
            whole[first:step] = own[a, : step - first]
            line, on, then = unjoined, -1, 0
            if step > 0:
                row = begin[step - 1] + (whole[step - 1] - offset[step - 1]) * nodes
                line, on, then = prices[row : row + nodes], follower[whole[step - 1]] - here, min(run[a] + 1, runs - 1)
            # memory and stage only add, so most are out here
            some = _likely(line, least, worst, spent[a], on, likely)
            if on >= 0 and on < nodes:
                likely[some], some = on, some + 1
            if some == 0:
                continue
            turn += 1
            _remember(origins, materials, blocks, seconds, whole, since, step, last, until, heads, chain, danced)
            cosine, sine = np.cos(place[a, 2]), np.sin(place[a, 2])
            for at_likely in range(some):
                b = likely[at_likely]
                node, price, ahead = here + b, np.float64(line[b]), togo[here + b, 0]
                if b == on:
                    price, ahead = hold[step] + longer[step, then] - longer[step, 0], togo[node, then]
                price += spent[a] + unary[node] + longer[step, 0]
                for at in range(near_begin[materials[node]], near_begin[materials[node] + 1]):
                    past = heads[near[at]]
                    while past >= 0:
                        price += repeated(rules, near_share[at], abs(middle_s[step] - middle_s[past]))
                        past = chain[past]
                if price + ahead >= worst[b]:
                    continue
                origin = origins[node]
                if priced_for[origin] != turn:
                    priced_for[origin], familiar[origin] = turn, _familiar(rules, danced[origin], seconds[step])
                price += familiar[origin]
                x = place[a, 0] + cosine * travel[node, 0] + sine * travel[node, 1]
                z = place[a, 1] + cosine * travel[node, 1] - sine * travel[node, 0]
                price += rules.stage * seconds[step] * outside(x, z, rules.half_x, rules.half_z)
                if price + ahead < worst[b]:
                    _keep(kept_f[b], kept_g[b], kept_path[b], counts[b], price + ahead, price, a)
                    counts[b] = min(counts[b] + 1, share)
                    if counts[b] == share:
                        worst[b] = kept_f[b, share - 1]
            _forget(origins, materials, whole, since, step, last, until, heads, danced)
        slots = _best(kept_f, counts, width)
        if slots.shape[0] == 0:
            return given
        for new in range(slots.shape[0]):
            b, rank = slots[new] // share, slots[new] % share
            a, node = kept_path[b, rank], here + b
            grown[new, : step - first] = own[a, : step - first]
            grown[new, step - first] = node
            spent_next[new], run_next[new] = kept_g[b, rank], 0
            if step > 0 and follower[given[step - 1] if step == first else own[a, step - 1 - first]] == node:
                run_next[new] = min(run[a] + 1, runs - 1)
            place_next[new, 0], place_next[new, 1], place_next[new, 2] = advanced(place[a], travel[node])
        paths = slots.shape[0]
        own, grown = grown, own
        spent, spent_next = spent_next, spent
        run, run_next = run_next, run
        place, place_next = place_next, place
    whole[first:last] = own[0]
    whole[last:] = given[last:]
    return whole


@njit(cache=True, nogil=True)
def _likely(line: F32, least: F64, worst: F64, spent: float, on: int, likely: I64) -> int:
    """How many nodes but `on` are under their worst with the price of changing to them [C]; fills likely with them."""
    some = 0
    for b in range(least.shape[0]):
        likely[some] = b
        some += (spent + line[b] + least[b] < worst[b]) & (b != on)
    return some


@njit(cache=True, nogil=True)
def _begun(net: Net, given: I64, first: int, runs: int, place: F64) -> int:
    """Length of the run that the given path is in before step `first`; fills place [0] with where the dancer is there."""
    run = 0
    for step in range(first):
        place[0, 0], place[0, 1], place[0, 2] = advanced(place[0], net.travel[given[step]])
        if step > 0:
            run = min(run + 1, runs - 1) if net.follower[given[step - 1]] == given[step] else 0
    return run


@njit(cache=True, nogil=True)
def _within(middle_s: F64, step: int, last: int, memory_s: float) -> tuple[int, int]:
    """First of the steps before `step`, and the one after the last from `last` on, that are remembered there."""
    since, until = step, last
    while since > 0 and middle_s[step] - middle_s[since - 1] < memory_s:
        since -= 1
    while until < middle_s.shape[0] and middle_s[until] - middle_s[step] < memory_s:
        until += 1
    return since, until


@njit(cache=True, nogil=True)
def _remember(
    origins: I64,
    materials: I64,
    blocks: I64,
    seconds: F64,
    path: I64,
    since: int,
    step: int,
    last: int,
    until: int,
    heads: I64,
    chain: I64,
    danced: F64,
) -> None:
    """Enter steps since .. step - 1 and last .. until - 1 of a path: when each material was danced, as chains of steps
    from heads on, and the seconds of each origin in the stretches of `step`, counted back from its last one."""
    for past in range(since, until):
        if past >= step and past < last:
            continue
        node = path[past]
        chain[past], heads[materials[node]] = heads[materials[node]], past
        back = blocks[step] - blocks[past]
        for block in range(max(0, back), min(BLOCKS, BLOCKS + back)):
            danced[origins[node], block] += seconds[past]


@njit(cache=True, nogil=True)
def _forget(
    origins: I64, materials: I64, path: I64, since: int, step: int, last: int, until: int, heads: I64, danced: F64
) -> None:
    """Undo `_remember`."""
    for past in range(since, until):
        if past >= step and past < last:
            continue
        heads[materials[path[past]]] = -1
        for block in range(BLOCKS):
            danced[origins[path[past]], block] = 0.0


@njit(cache=True, nogil=True)
def _familiar(rules: Rules, danced_s: F64, seconds: float) -> float:
    """Price of `seconds` more of an origin of which so much was danced in each stretch."""
    total = 0.0
    for block in range(BLOCKS):
        total += familiarity(rules, danced_s[block] + seconds) - familiarity(rules, danced_s[block])
    return total


@njit(cache=True, nogil=True)
def _keep(kept_f: F64, kept_g: F64, kept_path: I64, count: int, f: float, price: float, path: int) -> None:
    """Put a path in its place among the `count` that are kept for a node, cheapest first, the last out where all are full."""
    rank = min(count, kept_f.shape[0] - 1)
    while rank > 0 and kept_f[rank - 1] > f:
        kept_f[rank], kept_g[rank], kept_path[rank] = kept_f[rank - 1], kept_g[rank - 1], kept_path[rank - 1]
        rank -= 1
    kept_f[rank], kept_g[rank], kept_path[rank] = f, price, path


@njit(cache=True, nogil=True)
def _best(kept_f: F64, counts: I64, width: int) -> I64:
    """Flat positions of the `width` least of kept_f [C, S], ascending, of which row c has counts [c]."""
    share, total = kept_f.shape[1], counts.sum()
    values, slots = np.empty(total), np.empty(total, dtype=np.int64)
    filled = 0
    for b in range(counts.shape[0]):
        for rank in range(counts[b]):
            values[filled], slots[filled] = kept_f[b, rank], b * share + rank
            filled += 1
    return slots[ascending(values)[:width]]


@njit(cache=True, nogil=True)
def ascending(values: F64) -> I64:
    """Order of values [K], equals as they are: a merge sort of our own, for numpy's takes seconds to compile."""
    count = values.shape[0]
    order, merged = np.arange(count), np.empty(count, dtype=np.int64)
    size = 1
    while size < count:
        for low in range(0, count, 2 * size):
            middle, high = min(low + size, count), min(low + 2 * size, count)
            a, b = low, middle
            for at in range(low, high):
                if b >= high or (a < middle and values[order[a]] <= values[order[b]]):
                    merged[at], a = order[a], a + 1
                else:
                    merged[at], b = order[b], b + 1
        order, merged = merged, order
        size *= 2
    return order
