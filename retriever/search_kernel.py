"""Compiled inner loops of the path search; `lattice` calls them once per step.

The price of going from node a to node b is

    hold                                                 where b is the continuation of a and the steps join
    w_transition * |leave[a] - entry[b]|^2 + w_style + cut
                                                         otherwise; w_style where both styles are known and differ

with `hold` and `cut` the price of going on and of changing at this place of the song, and |x - y|^2 = |x|^2 + |y|^2 - 2 x.y, so that one matrix product per step does the work.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, inline="always")
def pair_price(
    dot: float,
    square_a: float,
    square_b: float,
    next_a: int,
    segment_b: int,
    style_a: int,
    style_b: int,
    w_transition: float,
    w_style: float,
    hold: float,
    cut: float,
) -> float:
    """Price of one transition; next_a is -1 where nothing continues a."""
    if next_a == segment_b:
        return hold
    price = cut + w_transition * max(0.0, square_a + square_b - 2.0 * dot)
    if style_a != style_b and style_a >= 0 and style_b >= 0:
        price += w_style
    return price


@njit(cache=True, nogil=True)
def relax(
    dots: F32,
    square_a: F64,
    square_b: F64,
    next_a: I64,
    segment_b: I64,
    style_a: I64,
    style_b: I64,
    w_transition: float,
    w_style: float,
    hold: float,
    cut: float,
    unary_b: F64,
    togo_b: F64,
    longer: F64,
) -> tuple[F64, I64, I64]:
    """One backward Viterbi step over nodes and the length of the run they are in.

    dots: [A, B] leave[a] . entry[b]. unary_b: [B]. togo_b: [B, R] price of everything after b as the r + 1-th step of
    its run, the last column for all longer runs. longer: [R] what b costs more for being the r + 1-th. Returns the least
    price [A, R] from each node to the end, the best node to cut to [A], and the continuation [A], -1 without one.
    Ties go to the lower b, and to cutting.
    """
    rows, columns = dots.shape
    runs = togo_b.shape[1]
    togo = np.empty((rows, runs), dtype=np.float64)
    best_cut = np.zeros(rows, dtype=np.int64)
    follower = np.full(rows, -1, dtype=np.int64)
    for a in range(rows):
        best = np.inf
        for b in range(columns):
            if next_a[a] == segment_b[b]:
                follower[a] = b
                continue
            price = (
                unary_b[b]
                + togo_b[b, 0]
                + longer[0]
                + pair_price(
                    dots[a, b],
                    square_a[a],
                    square_b[b],
                    next_a[a],
                    segment_b[b],
                    style_a[a],
                    style_b[b],
                    w_transition,
                    w_style,
                    hold,
                    cut,
                )
            )
            if price < best:
                best = price
                best_cut[a] = b
        goes_on = follower[a]
        for run in range(runs):
            togo[a, run] = best
            if goes_on >= 0:
                then = min(run + 1, runs - 1)
                price = hold + unary_b[goes_on] + longer[then] + togo_b[goes_on, then]
                if price < best:
                    togo[a, run] = price
    return togo, best_cut, follower


@njit(cache=True, nogil=True)
def memory(
    history: I64,
    elapsed_s: F64,
    past_s: F64,
    horizon_s: float,
    no_repeat_s: float,
    origin: I64,
    origin_start: F64,
    origin_end: F64,
    twin: I64,
    node: int,
    overlap_floor: float,
) -> tuple[float, float, int]:
    """What is known of `node` from `history` [H] of nodes: prices of repetition and of familiarity, before weights.

    Repetition: overlap of origins over the shorter of the two, where above `overlap_floor`, times 1 - elapsed / horizon,
    summed; a twin counts as full overlap. Familiarity: share of the time within half the horizon that was danced from
    the same origin, the latest counting most. Third: repetitions within `no_repeat_s`. elapsed_s, past_s: [H] song
    seconds since each of them, and its length.
    """
    repeated = 0.0
    same_s = 0.0
    forbidden = 0
    for h in range(history.shape[0]):
        if elapsed_s[h] >= horizon_s and elapsed_s[h] >= no_repeat_s:
            continue
        past = history[h]
        freshness = max(0.0, 1.0 - elapsed_s[h] / max(horizon_s, 1e-9))
        share = 0.0
        if origin[past] == origin[node]:
            same_s += past_s[h] * max(0.0, 2.0 * freshness - 1.0)
            both = min(origin_end[past], origin_end[node]) - max(origin_start[past], origin_start[node])
            least = min(origin_end[past] - origin_start[past], origin_end[node] - origin_start[node])
            share = both / max(least, 1e-9)
        if twin[past] >= 0 and twin[past] == twin[node]:
            share = 1.0
        if share > overlap_floor:
            repeated += share * freshness
            if elapsed_s[h] < no_repeat_s:
                forbidden += 1
    # falling linearly to nothing at half of the horizon: full of one origin, it comes to a quarter of it
    return repeated, same_s / max(0.25 * horizon_s, 1e-9), forbidden


@njit(cache=True, nogil=True)
def remembered(
    path: I64,
    middle_s: F64,
    seconds: F64,
    horizon_s: float,
    no_repeat_s: float,
    origin: I64,
    origin_start: F64,
    origin_end: F64,
    twin: I64,
    overlap_floor: float,
) -> tuple[F64, F64, F64]:
    """`memory` of every step [N] of a path of nodes."""
    steps = path.shape[0]
    repeated, familiar, forbidden = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    for step in range(1, steps if max(horizon_s, no_repeat_s) > 0.0 else 0):
        repeated[step], familiar[step], forbidden[step] = memory(
            path[:step],
            middle_s[step] - middle_s[:step],
            seconds[:step],
            horizon_s,
            no_repeat_s,
            origin,
            origin_start,
            origin_end,
            twin,
            path[step],
            overlap_floor,
        )
    return repeated, familiar, forbidden


@njit(cache=True, nogil=True)
def verbatim(seconds: F64, cut: npt.NDArray[np.bool_], limit_s: float) -> F64:
    """Seconds of each step [N] for which one take has gone on beyond the limit; cut: [N - 1] where takes change."""
    result = np.zeros(len(seconds))
    run_s = seconds[0]
    for step in range(1, len(seconds)):
        run_s = seconds[step] + (0.0 if cut[step - 1] else run_s)
        result[step] = min(seconds[step], max(0.0, run_s - limit_s))
    return result


@njit(cache=True, nogil=True)
def run_terms(middle_s: F64, seconds: F64, horizon_s: float, verbatim_s: float, runs: int) -> tuple[F64, F64]:
    """Of each step as the r + 1-th of a run of steps [N, R]: its seconds beyond the limit, and how familiar the run is.

    A run that would begin before the first step gets what the longest possible one has.
    """
    steps = middle_s.shape[0]
    over = np.zeros((steps, runs))
    familiar = np.zeros((steps, runs))
    for step in range(steps):
        run_s = seconds[step]
        same_s = 0.0
        over[step, 0] = min(seconds[step], max(0.0, run_s - verbatim_s))
        for run in range(1, runs):
            past = step - run
            if past >= 0:
                run_s += seconds[past]
                fresh = 0.0
                if horizon_s > 0.0:
                    fresh = max(0.0, 1.0 - 2.0 * (middle_s[step] - middle_s[past]) / horizon_s)
                same_s += seconds[past] * fresh
            over[step, run] = min(seconds[step], max(0.0, run_s - verbatim_s))
            familiar[step, run] = same_s / max(0.25 * horizon_s, 1e-9)
    return over, familiar


@njit(cache=True, nogil=True, inline="always")
def advanced(place: F64, travel: F64) -> tuple[float, float, float]:
    """Where a dancer at `place` (x, z, yaw) is after `travel` (x and z in her heading frame, turn)."""
    cosine = np.cos(place[2])
    sine = np.sin(place[2])
    return (
        place[0] + cosine * travel[0] + sine * travel[1],
        place[1] + cosine * travel[1] - sine * travel[0],
        place[2] + travel[2],
    )


@njit(cache=True, nogil=True, inline="always")
def outside(x: float, z: float, half_x: float, half_z: float) -> float:
    """Squared distance in metres from the rectangle that reaches `half_x`, `half_z` from the middle."""
    over_x = max(0.0, abs(x) - half_x)
    over_z = max(0.0, abs(z) - half_z)
    return over_x * over_x + over_z * over_z


@njit(cache=True, nogil=True, inline="always")
def _after(f: F64, node: I64, parent: I64, i: int, j: int) -> bool:
    """Whether entry i of the heap is worse than entry j: higher price, then higher node, then higher parent."""
    if f[i] != f[j]:
        return f[i] > f[j]
    if node[i] != node[j]:
        return node[i] > node[j]
    return parent[i] > parent[j]


@njit(cache=True, nogil=True, inline="always")
def _swap(f: F64, g: F64, node: I64, parent: I64, i: int, j: int) -> None:
    f[i], f[j] = f[j], f[i]
    g[i], g[j] = g[j], g[i]
    node[i], node[j] = node[j], node[i]
    parent[i], parent[j] = parent[j], parent[i]


@njit(cache=True, nogil=True)
def _sift_up(f: F64, g: F64, node: I64, parent: I64, at: int) -> None:
    while at > 0:
        above = (at - 1) // 2
        if not _after(f, node, parent, at, above):
            return
        _swap(f, g, node, parent, at, above)
        at = above


@njit(cache=True, nogil=True)
def _sift_down(f: F64, g: F64, node: I64, parent: I64, size: int) -> None:
    at = 0
    while 2 * at + 1 < size:
        worst = 2 * at + 1
        if worst + 1 < size and _after(f, node, parent, worst + 1, worst):
            worst += 1
        if not _after(f, node, parent, worst, at):
            return
        _swap(f, g, node, parent, worst, at)
        at = worst


@njit(cache=True, nogil=True)
def expand(
    dots: F32,
    square_a: F64,
    square_b: F64,
    next_a: I64,
    segment_b: I64,
    style_a: I64,
    style_b: I64,
    w_transition: float,
    w_style: float,
    hold: float,
    cut: float,
    spent: F64,
    unary_b: F64,
    togo_b: F64,
    first_b: int,
    history: I64,
    elapsed_s: F64,
    past_s: F64,
    horizon_s: float,
    no_repeat_s: float,
    w_repetition: float,
    w_forbidden: float,
    w_familiar: float,
    familiar_share: float,
    run_s: F64,
    seconds: float,
    verbatim_s: float,
    w_verbatim: float,
    stand: F64,
    travel_b: F64,
    half_x: float,
    half_z: float,
    w_stage: float,
    overlap_floor: float,
    origin: I64,
    origin_start: F64,
    origin_end: F64,
    twin: I64,
    run: I64,
    width: int,
    per_node: int,
) -> tuple[F64, F64, I64, I64]:
    """One step of the beam: the `width` best extensions of W paths by B nodes, at most `per_node` to a node, best first.

    spent: [W] price so far. togo_b: [B, R] cost-to-go of the relaxation by the length of the run, a lower bound; run:
    [W] length of each path's, 0 for one step. history: [W, H] nodes of each
    path within the horizon; past_s: their [H] lengths. run_s: [W] seconds for which the last take has gone on; seconds:
    of this step; w_verbatim: price per second beyond verbatim_s, w_familiar and w_stage: for this step. stand: [W, 3]
    where each path has got to; travel_b: [B, 3] how each node goes on. first_b: number of the first of the B nodes in
    the lattice, to which origin, origin_start, origin_end and twin [M] belong. Returns (spent + togo, spent, node
    0..B-1, path 0..W-1). Ties: lower node, path.
    """
    paths, nodes = dots.shape
    f = np.empty(width, dtype=np.float64)
    g = np.empty(width, dtype=np.float64)
    node = np.empty(width, dtype=np.int64)
    parent = np.empty(width, dtype=np.int64)
    own_g = np.empty(per_node, dtype=np.float64)
    own_a = np.empty(per_node, dtype=np.int64)
    own_togo = np.empty(per_node, dtype=np.float64)
    longest = togo_b.shape[1] - 1
    size = 0
    for b in range(nodes):
        own = 0
        for a in range(paths):
            price = spent[a] + unary_b[b]
            price += pair_price(
                dots[a, b],
                square_a[a],
                square_b[b],
                next_a[a],
                segment_b[b],
                style_a[a],
                style_b[b],
                w_transition,
                w_style,
                hold,
                cut,
            )
            togo = togo_b[b, 0]
            if next_a[a] == segment_b[b]:
                togo = togo_b[b, min(run[a] + 1, longest)]
                price += w_verbatim * min(seconds, max(0.0, run_s[a] + seconds - verbatim_s))
            x, z, _ = advanced(stand[a], travel_b[b])
            price += w_stage * outside(x, z, half_x, half_z)
            # Memory only adds, so most extensions are out before it is worked out.
            if size == width and price + togo > f[0]:
                continue
            if own == per_node and price + togo >= own_g[own - 1] + own_togo[own - 1]:
                continue
            repeated, familiar, forbidden = memory(
                history[a],
                elapsed_s,
                past_s,
                horizon_s,
                no_repeat_s,
                origin,
                origin_start,
                origin_end,
                twin,
                first_b + b,
                overlap_floor,
            )
            price += w_repetition * repeated + w_forbidden * forbidden
            price += w_familiar * max(0.0, familiar - familiar_share)
            if own == per_node:
                if price + togo >= own_g[own - 1] + own_togo[own - 1]:
                    continue
                own -= 1
            place = own
            while place > 0 and own_g[place - 1] + own_togo[place - 1] > price + togo:
                own_g[place], own_togo[place] = own_g[place - 1], own_togo[place - 1]
                own_a[place] = own_a[place - 1]
                place -= 1
            own_g[place], own_togo[place], own_a[place] = price, togo, a
            own += 1
        for rank in range(own):
            full = own_g[rank] + own_togo[rank]
            if size < width:
                f[size], g[size], node[size], parent[size] = full, own_g[rank], b, own_a[rank]
                size += 1
                _sift_up(f, g, node, parent, size - 1)
            elif full < f[0]:
                # An equal price never displaces: earlier entries have the lower node.
                f[0], g[0], node[0], parent[0] = full, own_g[rank], b, own_a[rank]
                _sift_down(f, g, node, parent, size)
            else:
                break
    for last in range(size - 1, 0, -1):
        _swap(f, g, node, parent, 0, last)
        _sift_down(f, g, node, parent, last)
    return f[:size], g[:size], node[:size], parent[:size]


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
