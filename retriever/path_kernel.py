"""Compiled prices of whole paths: repetition, familiarity, the stage, and how long one take goes on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from choreodb.retriever.search_kernel import BLOCKS, F64, I64, Net, Rules


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
