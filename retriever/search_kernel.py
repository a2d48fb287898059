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
    columns, runs, longer = end - ahead, togo.shape[1], net.longer[step + 1]
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
        togo[here + a] = changed
        if on >= 0:
            going = net.hold[step + 1] + unary[on]
            for run in range(runs):
                then = min(run + 1, runs - 1)
                togo[here + a, run] = min(changed, going + longer[then] + togo[on, then])


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
