"""Compiled inner loops of the path search over a whole lattice.

The price of going from node a to node b is

    hold                                                 where b is the continuation of a and the steps join
    w_transition * |leave[a] - entry[b]|^2 + w_style + cut
                                                         otherwise; w_style where both styles are known and differ

with `hold` and `cut` the price of going on and of changing at this place of the song. `joins` works the second line out;
the kernels here read it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

NEVER = 1e9
"""Price of changing to what continues a node: it is gone on to instead."""

BLOCKS = 4
"""Stretches of song, evenly shifted, over which familiarity is averaged; every moment lies in so many."""


class Net(NamedTuple):
    """A lattice of N steps and M nodes with its joins, as the kernels read it.

    offset: [N + 1] nodes of step t are offset[t] .. offset[t + 1]. price: [E] of changing from each node of step t to each
    of step t + 1, row by row, from begin[t] on. material: [M] number of what is danced; near: materials that are the same as
    u, u among them, from near_begin[u] on, and near_share how much so. follower: [M] node that continues each, -1 none. unary, origin,
    origin_start, origin_end, twin: [M]. travel: [M, 3]. middle_s, seconds, hold: [N]. longer: [N, R] what a step costs more
    as the r + 1-th of its run. block: [N] last of the `BLOCKS` stretches that a step lies in.
    """

    offset: I64
    price: F32
    begin: I64
    follower: I64
    unary: F64
    origin: I64
    origin_start: F64
    origin_end: F64
    twin: I64
    travel: F64
    middle_s: F64
    seconds: F64
    hold: F64
    longer: F64
    block: I64
    material: I64
    near_begin: I64
    near: I64
    near_share: F64


class Rules(NamedTuple):
    """What paths are priced by beyond the net. familiar: price of a whole stretch of one origin, less what is free;
    block_s: length of a stretch; stage: price per second and squared metre; origins: how many there are."""

    horizon_s: float
    no_repeat_s: float
    repetition: float
    forbidden: float
    overlap: float
    familiar: float
    free_share: float
    block_s: float
    stage: float
    half_x: float
    half_z: float
    origins: int


@njit(cache=True, nogil=True)
def advanced(place: F64, travel: F64) -> tuple[float, float, float]:
    """Where a dancer at `place` (x, z, yaw) is after `travel` (x and z in her heading frame, turn)."""
    cosine = np.cos(place[2])
    sine = np.sin(place[2])
    return (
        place[0] + cosine * travel[0] + sine * travel[1],
        place[1] + cosine * travel[1] - sine * travel[0],
        place[2] + travel[2],
    )


@njit(cache=True, nogil=True)
def outside(x: float, z: float, half_x: float, half_z: float) -> float:
    """Squared distance in metres from the rectangle that reaches `half_x`, `half_z` from the middle."""
    over_x = max(0.0, abs(x) - half_x)
    over_z = max(0.0, abs(z) - half_z)
    return over_x * over_x + over_z * over_z


@njit(cache=True, nogil=True)
def advance(place: F64, travel: F64) -> F64:
    """Places [W, 3] after `travel` [W, 3], row by row."""
    result = np.empty_like(place)
    for row in range(place.shape[0]):
        result[row, 0], result[row, 1], result[row, 2] = advanced(place[row], travel[row])
    return result


@njit(cache=True, nogil=True)
def walk(travel: F64) -> F64:
    """Places [N, 3] after each of `travel` [N, 3] in turn, from the middle, facing front."""
    result = np.empty_like(travel)
    place = np.zeros(3)
    for row in range(travel.shape[0]):
        place[0], place[1], place[2] = advanced(place, travel[row])
        result[row] = place
    return result


@njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz", "reassoc"})
def _least_sum(a: F32, b: F32) -> float:
    """Least of a + b."""
    least = np.float32(2.0 * NEVER)
    for at in range(a.shape[0]):
        least = min(least, a[at] + b[at])
    return np.float64(least)


@njit(cache=True, nogil=True)
def _backward_step(net: Net, step: int, unary: F64, togo: F64) -> None:
    """Fill togo of the nodes of `step` from those of the next."""
    here, ahead, end = net.offset[step], net.offset[step + 1], net.offset[step + 2]
    columns, runs = end - ahead, togo.shape[1]
    # single precision is enough beside the least of them, not beside the price of a whole dance
    base = np.inf
    for b in range(columns):
        base = min(base, unary[ahead + b] + togo[ahead + b, 0])
    entered = np.empty(columns, dtype=np.float32)
    for b in range(columns):
        entered[b] = unary[ahead + b] + togo[ahead + b, 0] - base
    base += net.longer[step + 1, 0]
    for a in range(ahead - here):
        row = net.begin[step] + a * columns
        changed = base + _least_sum(net.price[row : row + columns], entered)
        on = net.follower[here + a]
        for run in range(runs):
            togo[here + a, run] = changed
            if on >= 0:
                then = min(run + 1, runs - 1)
                going = net.hold[step + 1] + unary[on] + net.longer[step + 1, then] + togo[on, then]
                togo[here + a, run] = min(changed, going)


@njit(cache=True, nogil=True)
def joins(
    dots: F32,
    square_a: F64,
    square_b: F64,
    next_a: I64,
    segment_b: I64,
    style_a: I64,
    style_b: I64,
    w_transition: float,
    w_style: float,
    cut: float,
    price: F32,
    follower: I64,
) -> None:
    """Fill price [A * B] of changing from each node a to each b, and follower [A], the b that continues a, else -1.

    dots: [A, B] leave[a] . entry[b]; with the squared lengths, |x - y|^2 = |x|^2 + |y|^2 - 2 x.y. segment_b: ascending.
    """
    columns = dots.shape[1]
    for a in range(dots.shape[0]):
        row, line = price[a * columns : (a + 1) * columns], dots[a]
        style = style_a[a]
        for b in range(columns):
            changed = (style != style_b[b]) & (style >= 0) & (style_b[b] >= 0)
            row[b] = cut + w_transition * max(0.0, square_a[a] + square_b[b] - 2.0 * line[b]) + w_style * changed
        on = np.searchsorted(segment_b, next_a[a])
        follower[a] = -1
        if on < columns and segment_b[on] == next_a[a]:
            follower[a] = on
            row[on] = NEVER


@njit(cache=True, nogil=True)
def backward(net: Net, unary: F64, first: int, last: int, togo: F64) -> None:
    """Backward Viterbi: togo [M, R] of the nodes of steps `first` .. `last` - 1 from those of `last`.

    togo[m, r]: least price of everything after node m as the r + 1-th step of its run. unary: [M] prices of nodes.
    """
    for step in range(last - 1, first - 1, -1):
        _backward_step(net, step, unary, togo)


@njit(cache=True, nogil=True)
def follow(net: Net, unary: F64, togo: F64) -> tuple[float, I64]:
    """Least price, and the path [N] that has it, after `backward` over all steps. Ties: the lower node, and changing."""
    steps, runs = net.offset.shape[0] - 1, togo.shape[1]
    path = np.zeros(steps, dtype=np.int64)
    least = np.inf
    for node in range(net.offset[1]):
        price = unary[node] + net.longer[0, 0] + togo[node, 0]
        if price < least:
            least, path[0] = price, node
    run = 0
    for step in range(1, steps):
        before, first = path[step - 1], net.offset[step]
        columns = net.offset[step + 1] - first
        row = net.begin[step - 1] + (before - net.offset[step - 1]) * columns
        best, chosen, then = np.inf, first, 0
        for b in range(columns):
            price = net.price[row + b] + unary[first + b] + togo[first + b, 0] + net.longer[step, 0]
            if price < best:
                best, chosen = price, first + b
        on = net.follower[before]
        if on >= 0:
            longer = min(run + 1, runs - 1)
            if net.hold[step] + unary[on] + net.longer[step, longer] + togo[on, longer] < best:
                chosen, then = on, longer
        path[step], run = chosen, then
    return least, path


@njit(cache=True, nogil=True)
def forward(net: Net, unary: F64) -> F64:
    """Least price [M] of coming to each node, its own included, however long runs get."""
    reach = np.full(unary.shape[0], np.inf)
    for node in range(net.offset[1]):
        reach[node] = unary[node]
    for step in range(1, net.offset.shape[0] - 1):
        here, first = net.offset[step - 1], net.offset[step]
        columns = net.offset[step + 1] - first
        for a in range(first - here):
            row = net.begin[step - 1] + a * columns
            for b in range(columns):
                reach[first + b] = min(reach[first + b], reach[here + a] + net.price[row + b])
            on = net.follower[here + a]
            if on >= 0:
                reach[on] = min(reach[on], reach[here + a] + net.hold[step])
        for b in range(columns):
            reach[first + b] += unary[first + b]
    return reach


@njit(cache=True, nogil=True)
def repeated(rules: Rules, share: float, elapsed_s: float) -> float:
    """Price of so large a share of the same material `elapsed_s` seconds of song apart."""
    price = rules.repetition * share * max(0.0, 1.0 - elapsed_s / max(rules.horizon_s, 1e-9))
    return price + rules.forbidden if elapsed_s < rules.no_repeat_s else price


@njit(cache=True, nogil=True)
def again(origin: I64, start: F64, end: F64, twin: I64, rules: Rules, past: int, node: int, elapsed_s: float) -> float:
    """Price of `node` where `past` was danced `elapsed_s` seconds of song before or after it.

    Overlap of origins over the shorter of the two, where above `rules.overlap`, times 1 - elapsed / horizon; a twin
    counts as full overlap.
    """
    share = 1.0
    if twin[past] < 0 or twin[past] != twin[node]:
        if origin[past] != origin[node]:
            return 0.0
        both = min(end[past], end[node]) - max(start[past], start[node])
        least = min(end[past] - start[past], end[node] - start[node])
        if both <= rules.overlap * least or both <= 0.0:
            return 0.0
        share = both / max(least, 1e-9)
    return repeated(rules, share, elapsed_s)


@njit(cache=True, nogil=True)
def same_materials(origin: I64, start: F64, end: F64, twin: I64, by_twin: I64, overlap: float) -> tuple[I64, I64, F64]:
    """Which of U materials are the same: begin [U + 1], and near, share [K] as in `Net`.

    Materials are sorted by origin, then start; by_twin [U] puts them in the order of `twin`, equals as they are (numpy sorts
    at once, a compiled sort takes seconds to compile). The share is the overlap of origins over the shorter of the two, where it
    is above `overlap`, and 1 for twins.
    """
    count = origin.shape[0]
    rank = np.empty(count, dtype=np.int64)
    for at in range(count):
        rank[by_twin[at]] = at
    begin = np.zeros(count + 1, dtype=np.int64)
    near, share = np.empty(max(count, 1), dtype=np.int64), np.empty(max(count, 1), dtype=np.float64)
    filled, longest = 0, 0.0
    for at in range(count):
        longest = max(longest, end[at] - start[at])
    for a in range(count):
        low, high = a, a
        while low > 0 and origin[low - 1] == origin[a] and start[low - 1] + longest > start[a]:
            low -= 1
        while high + 1 < count and origin[high + 1] == origin[a] and start[high + 1] < end[a]:
            high += 1
        first, last = rank[a], rank[a]
        if twin[a] >= 0:
            while first > 0 and twin[by_twin[first - 1]] == twin[a]:
                first -= 1
            while last + 1 < count and twin[by_twin[last + 1]] == twin[a]:
                last += 1
        else:
            last = first - 1
        room = filled + (high - low + 1) + (last - first + 1)
        if room > near.shape[0]:
            near = np.concatenate((near, np.empty(2 * room, dtype=np.int64)))
            share = np.concatenate((share, np.empty(2 * room, dtype=np.float64)))
        for b in range(low, high + 1):
            if twin[a] >= 0 and twin[b] == twin[a]:
                continue
            both = min(end[a], end[b]) - max(start[a], start[b])
            least = max(min(end[a] - start[a], end[b] - start[b]), 1e-9)
            if both / least > overlap:
                near[filled], share[filled] = b, both / least
                filled += 1
        for at in range(first, last + 1):
            near[filled], share[filled] = by_twin[at], 1.0
            filled += 1
        begin[a + 1] = filled
    return begin, near[:filled].copy(), share[:filled].copy()


@njit(cache=True, nogil=True)
def familiarity(rules: Rules, seconds: float) -> float:
    """Price of one origin having filled `seconds` of a stretch: its share of it times what is above the free share."""
    share = seconds / rules.block_s
    return rules.familiar * share * max(0.0, share - rules.free_share)


@njit(cache=True, nogil=True)
def remembered(net: Net, rules: Rules, path: I64) -> tuple[F64, F64]:
    """Prices of repetition and of familiarity [N] of every step of a path, given the steps before it."""
    # fields looked up in a loop would be counted in and out each time
    origins, start, end, twins = net.origin, net.origin_start, net.origin_end, net.twin
    middle_s, seconds, blocks = net.middle_s, net.seconds, net.block
    steps = path.shape[0]
    came_back, familiar = np.zeros(steps), np.zeros(steps)
    memory_s = max(rules.horizon_s, rules.no_repeat_s)
    danced = np.zeros(BLOCKS)
    for step in range(steps):
        danced[:] = 0.0
        for past in range(step - 1, -1, -1):
            elapsed_s = middle_s[step] - middle_s[past]
            if elapsed_s >= memory_s:
                break
            same = origins[path[past]] == origins[path[step]]
            if not same and (twins[path[step]] < 0 or twins[path[past]] != twins[path[step]]):
                continue
            came_back[step] += again(origins, start, end, twins, rules, path[past], path[step], elapsed_s)
            if same:
                for block in range(BLOCKS - (blocks[step] - blocks[past])):
                    danced[block] += seconds[past]
        if rules.familiar > 0.0:
            for block in range(BLOCKS):
                familiar[step] += familiarity(rules, danced[block] + seconds[step])
                familiar[step] -= familiarity(rules, danced[block])
    return came_back, familiar


@njit(cache=True, nogil=True)
def path_price(net: Net, rules: Rules, path: I64) -> float:
    """Price of a whole path [N]."""
    came_back, familiar = remembered(net, rules, path)
    ends = walk(net.travel[path])
    total = 0.0
    run, runs = 0, net.longer.shape[1]
    for step in range(path.shape[0]):
        node = path[step]
        total += net.unary[node] + came_back[step] + familiar[step]
        total += rules.stage * net.seconds[step] * outside(ends[step, 0], ends[step, 1], rules.half_x, rules.half_z)
        if step > 0:
            before = path[step - 1]
            if net.follower[before] == node:
                run = min(run + 1, runs - 1)
                total += net.hold[step]
            else:
                run = 0
                columns = net.offset[step + 1] - net.offset[step]
                row = net.begin[step - 1] + (before - net.offset[step - 1]) * columns
                total += net.price[row + node - net.offset[step]]
        total += net.longer[step, run]
    return total


@njit(cache=True, nogil=True)
def beam(
    net: Net, rules: Rules, togo: F64, given: I64, first: int, last: int, width: int, per_node: int, ceiling: float
) -> I64:
    """The given path [N] with steps `first` .. `last` - 1 searched anew by a beam, all else as it is.

    togo: [M, R] by which partial paths are compared beside what they cost. width: paths kept; at most `per_node` of them
    end in one node, or as many as it takes to keep so many paths. The terms of whole paths count, those with the steps after `last` among them, but for where the
    dancer stands there. ceiling: what is worth less than finding nothing cheaper, so that the given path comes back.
    Ties: lower node, earlier path.
    """
    # fields looked up in a loop would be counted in and out each time
    offset, prices, begin, follower = net.offset, net.price, net.begin, net.follower
    unary, origins, travel, middle_s = net.unary, net.origin, net.travel, net.middle_s
    seconds, hold, longer, blocks = net.seconds, net.hold, net.longer, net.block
    materials, near_begin, near, near_share = net.material, net.near_begin, net.near, net.near_share
    steps = offset.shape[0] - 1
    length = last - first
    runs = togo.shape[1]
    memory_s = max(rules.horizon_s, rules.no_repeat_s)
    own, grown = np.zeros((width, length), dtype=np.int64), np.zeros((width, length), dtype=np.int64)
    spent, run, place = np.zeros(width), np.zeros(width, dtype=np.int64), np.zeros((width, 3))
    spent_next, run_next, place_next = np.zeros(width), np.zeros(width, dtype=np.int64), np.zeros((width, 3))
    heads = np.full(near_begin.shape[0] - 1, -1, dtype=np.int64)
    chain = np.empty(steps, dtype=np.int64)
    danced = np.zeros((rules.origins, BLOCKS))
    for step in range(1, first):
        place[0, 0], place[0, 1], place[0, 2] = advanced(place[0], travel[given[step - 1]])
        run[0] = min(run[0] + 1, runs - 1) if follower[given[step - 1]] == given[step] else 0
    if first > 0:
        place[0, 0], place[0, 1], place[0, 2] = advanced(place[0], travel[given[first - 1]])
    paths = 1
    for step in range(first, last):
        here = offset[step]
        nodes = offset[step + 1] - here
        # where there are few nodes, as after a lock, the beam would shrink to as many paths
        share = max(per_node, (width + nodes - 1) // nodes)
        since, until = step, last
        while since > 0 and middle_s[step] - middle_s[since - 1] < memory_s:
            since -= 1
        while until < steps and middle_s[until] - middle_s[step] < memory_s:
            until += 1
        counts = np.zeros(nodes, dtype=np.int64)
        kept_f, kept_g = np.empty((nodes, share)), np.empty((nodes, share))
        kept_path = np.empty((nodes, share), dtype=np.int64)
        free_s = rules.free_share * rules.block_s
        for a in range(paths):
            cosine, sine = np.cos(place[a, 2]), np.sin(place[a, 2])
            for past in range(since, until):
                if past >= step and past < last:
                    continue
                node = given[past] if past < first or past >= last else own[a, past - first]
                origin, material = origins[node], materials[node]
                chain[past], heads[material] = heads[material], past
                for block in range(BLOCKS):
                    # stretches are numbered by their last step; `block` counts back from this step's last one
                    at = blocks[step] - block
                    if blocks[past] - BLOCKS < at <= blocks[past]:
                        danced[origin, block] += seconds[past]
            before = -1
            row = 0
            if step > 0:
                before = given[step - 1] if step == first else own[a, step - 1 - first]
                row = begin[step - 1] + (before - offset[step - 1]) * nodes
            for b in range(nodes):
                node = here + b
                price = spent[a] + unary[node]
                then = 0
                if before >= 0:
                    if follower[before] == node:
                        then = min(run[a] + 1, runs - 1)
                        price += hold[step]
                    else:
                        price += prices[row + b]
                price += longer[step, then]
                # memory and stage only add, so most are out here
                f = price + togo[node, then]
                if f >= ceiling or (counts[b] == share and f >= kept_f[b, share - 1]):
                    continue
                for at in range(near_begin[materials[node]], near_begin[materials[node] + 1]):
                    past = heads[near[at]]
                    while past >= 0:
                        price += repeated(rules, near_share[at], abs(middle_s[step] - middle_s[past]))
                        past = chain[past]
                if rules.familiar > 0.0:
                    for block in range(BLOCKS):
                        had_s = danced[origins[node], block]
                        if had_s + seconds[step] <= free_s:
                            continue
                        price += familiarity(rules, had_s + seconds[step]) - familiarity(rules, had_s)
                x = place[a, 0] + cosine * travel[node, 0] + sine * travel[node, 1]
                z = place[a, 1] + cosine * travel[node, 1] - sine * travel[node, 0]
                price += rules.stage * seconds[step] * outside(x, z, rules.half_x, rules.half_z)
                f = price + togo[node, then]
                if f >= ceiling:
                    continue
                rank = counts[b]
                if rank == share:
                    if f >= kept_f[b, share - 1]:
                        continue
                    rank -= 1
                else:
                    counts[b] += 1
                while rank > 0 and kept_f[b, rank - 1] > f:
                    kept_f[b, rank], kept_g[b, rank] = kept_f[b, rank - 1], kept_g[b, rank - 1]
                    kept_path[b, rank] = kept_path[b, rank - 1]
                    rank -= 1
                kept_f[b, rank], kept_g[b, rank], kept_path[b, rank] = f, price, a
            for past in range(since, until):
                if past >= step and past < last:
                    continue
                node = given[past] if past < first or past >= last else own[a, past - first]
                heads[materials[node]] = -1
                danced[origins[node]] = 0.0
        total = counts.sum()
        if total == 0:
            return given
        all_f, slot = np.empty(total), np.empty(total, dtype=np.int64)
        filled = 0
        for b in range(nodes):
            for rank in range(counts[b]):
                all_f[filled], slot[filled] = kept_f[b, rank], b * share + rank
                filled += 1
        order = np.argsort(all_f, kind="mergesort")[:width]
        for new in range(order.shape[0]):
            b, rank = slot[order[new]] // share, slot[order[new]] % share
            a, node = kept_path[b, rank], here + b
            grown[new, : step - first] = own[a, : step - first]
            grown[new, step - first] = node
            spent_next[new] = kept_g[b, rank]
            run_next[new] = 0
            if step > 0:
                before = given[step - 1] if step == first else own[a, step - 1 - first]
                if follower[before] == node:
                    run_next[new] = min(run[a] + 1, runs - 1)
            place_next[new, 0], place_next[new, 1], place_next[new, 2] = advanced(place[a], travel[node])
        paths = order.shape[0]
        own, grown = grown, own
        spent, spent_next = spent_next, spent
        run, run_next = run_next, run
        place, place_next = place_next, place
    result = given.copy()
    result[first:last] = own[0]
    return result


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


@njit(cache=True, nogil=True)
def verbatim(seconds: F64, cut: npt.NDArray[np.bool_], limit_s: float) -> F64:
    """Seconds of each step [N] for which one take has gone on beyond the limit; cut: [N - 1] where takes change."""
    result = np.zeros(len(seconds))
    run_s = seconds[0]
    for step in range(len(seconds)):
        if step > 0:
            run_s = seconds[step] + (0.0 if cut[step - 1] else run_s)
        result[step] = min(seconds[step], max(0.0, run_s - limit_s))
    return result


@njit(cache=True, nogil=True)
def run_seconds(seconds: F64, limit_s: float, runs: int) -> F64:
    """Seconds beyond the limit of each step as the r + 1-th of a run of steps [N, R].

    A run that would begin before the first step gets what the longest possible one has.
    """
    over = np.zeros((seconds.shape[0], runs))
    for step in range(seconds.shape[0]):
        run_s = 0.0
        for run in range(runs):
            if step >= run:
                run_s += seconds[step - run]
            over[step, run] = min(seconds[step], max(0.0, run_s - limit_s))
    return over


@njit(cache=True, nogil=True)
def shrunk(net: Net, keep: I64) -> Net:
    """The net of the nodes `keep`, ascending, at least one in each step."""
    steps = net.offset.shape[0] - 1
    number = np.full(net.unary.shape[0], -1, dtype=np.int64)
    for at in range(keep.shape[0]):
        number[keep[at]] = at
    offset = np.searchsorted(keep, net.offset).astype(np.int64)
    begin = np.zeros(steps, dtype=np.int64)
    for step in range(1, steps):
        begin[step] = begin[step - 1] + (offset[step] - offset[step - 1]) * (offset[step + 1] - offset[step])
    price = np.empty(begin[steps - 1], dtype=np.float32)
    for step in range(steps - 1):
        wide = net.offset[step + 2] - net.offset[step + 1]
        at = begin[step]
        for a in range(offset[step], offset[step + 1]):
            row = net.begin[step] + (keep[a] - net.offset[step]) * wide - net.offset[step + 1]
            for b in range(offset[step + 1], offset[step + 2]):
                price[at] = net.price[row + keep[b]]
                at += 1
    follower = np.empty(keep.shape[0], dtype=np.int64)
    for at in range(keep.shape[0]):
        on = net.follower[keep[at]]
        follower[at] = number[on] if on >= 0 else -1
    return Net(
        offset, price, begin, follower, net.unary[keep], net.origin[keep], net.origin_start[keep], net.origin_end[keep],
        net.twin[keep], net.travel[keep], net.middle_s, net.seconds, net.hold, net.longer, net.block,
        net.material[keep], net.near_begin, net.near, net.near_share,
    )  # fmt: skip
