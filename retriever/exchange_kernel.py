"""Compiled price of exchanging one node of a path, with everything else as it is."""

from __future__ import annotations

import numpy as np
from numba import njit

from choreodb.retriever.path_kernel import advanced, familiarity, outside, repeated, walk
from choreodb.retriever.polish_kernel import run_at
from choreodb.retriever.search_kernel import BLOCKS, F64, I64, Net, Rules


@njit(cache=True, nogil=True)
def exchanged(net: Net, rules: Rules, path: I64, step: int, nodes: I64) -> F64:
    """What of a path's price depends on one step, with each of the nodes [K] there."""
    # fields looked up in a loop would be counted in and out each time
    unary, origins, travel, middle_s, seconds = net.unary, net.origin, net.travel, net.middle_s, net.seconds
    blocks, materials, near_begin, near, near_share = net.block, net.material, net.near_begin, net.near, net.near_share
    heads, chain = np.full(near_begin.shape[0] - 1, -1, dtype=np.int64), np.empty(path.shape[0], dtype=np.int64)
    staged = np.isfinite(rules.half_x) or np.isfinite(rules.half_z)
    result = np.empty(nodes.shape[0])
    danced, place = np.zeros((rules.origins, BLOCKS)), np.zeros(3)
    for past in range(path.shape[0]):
        back = blocks[step] - blocks[past]
        for block in range(max(0, back), min(BLOCKS, BLOCKS + back)):
            if past != step:
                danced[origins[path[past]], block] += seconds[past]
        if past != step:
            chain[past], heads[materials[path[past]]] = heads[materials[path[past]]], past
        if past < step:
            place[0], place[1], place[2] = advanced(place, travel[path[past]])
    onward = walk(travel[path[step + 1 :]])
    for at in range(nodes.shape[0]):
        node = nodes[at]
        price = unary[node] + _joined(net, path, step, node)
        for other in range(near_begin[materials[node]], near_begin[materials[node] + 1]):
            past = heads[near[other]]
            while past >= 0:
                price += repeated(rules, near_share[other], abs(middle_s[step] - middle_s[past]))
                past = chain[past]
        for block in range(BLOCKS):
            had_s = danced[origins[node], block]
            price += familiarity(rules, had_s + seconds[step]) - familiarity(rules, had_s)
        if staged:
            x, z, yaw = advanced(place, travel[node])
            price += rules.stage * _staged(rules, seconds[step:], x, z, yaw, onward)
        result[at] = price
    return result


@njit(cache=True, nogil=True)
def _joined(net: Net, path: I64, step: int, node: int) -> float:
    """Price of the joins on both sides of a node at a step, and of how long the runs get that it lies in or between."""
    offset, follower, prices, longer = net.offset, net.follower, net.price, net.longer
    total, run, steps = 0.0, 0, path.shape[0]
    if step > 0:
        before = path[step - 1]
        if follower[before] == node:
            run = min(run_at(net, path, step - 1) + 1, longer.shape[1] - 1)
            total += net.hold[step]
        else:
            columns = offset[step + 1] - offset[step]
            total += prices[net.begin[step - 1] + (before - offset[step - 1]) * columns + node - offset[step]]
    total += longer[step, run]
    if step + 1 == steps:
        return total
    goes_on = follower[node] == path[step + 1]
    if goes_on:
        total += net.hold[step + 1]
    else:
        columns = offset[step + 2] - offset[step + 1]
        total += prices[net.begin[step] + (node - offset[step]) * columns + path[step + 1] - offset[step + 1]]
    run = min(run + 1, longer.shape[1] - 1) if goes_on else 0
    total += longer[step + 1, run]
    for at in range(step + 2, steps):
        if follower[path[at - 1]] != path[at]:
            break
        run = min(run + 1, longer.shape[1] - 1)
        total += longer[at, run]
    return total


@njit(cache=True, nogil=True)
def _staged(rules: Rules, seconds: F64, x: float, z: float, yaw: float, onward: F64) -> float:
    """Seconds [1 + K] times squared metres outside the stage, at a place and then at places [K, 3] as seen from it."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    total = seconds[0] * outside(x, z, rules.half_x, rules.half_z)
    for at in range(onward.shape[0]):
        there_x = x + cosine * onward[at, 0] + sine * onward[at, 1]
        there_z = z + cosine * onward[at, 1] - sine * onward[at, 0]
        total += seconds[1 + at] * outside(there_x, there_z, rules.half_x, rules.half_z)
    return total
