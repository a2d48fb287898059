"""The lattice: the closed set of candidates of all steps, its relaxation, and the search of a path through it.

The relaxation leaves out what depends on more than the run of one take (repetition, familiarity with earlier takes, the
stage). Backward Viterbi solves it exactly; its cost-to-go is a lower bound of the full cost and guides a forward beam that
counts them. Pair costs are worked
out step by step and never stored, so memory stays small however long the song is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.retriever import beam_kernel, costs, material_kernel, path_kernel, polish_kernel, search_kernel
from choreodb.retriever.costs import BoolArray, CostWeights, FloatArray, IntArray
from choreodb.retriever.rows import Rows, Squares

NODE_SHARE = 256
"""At most this part of the beam may end in one node, so that it does not fill with near-duplicates. On real songs a
beam of 64 with one path to a node finds cheaper dances than one of 1024 with 64 to a node."""

GUIDE = 0.7
"""Share of the cost-to-go by which a beam is guided: all of it leads astray where much would come back."""

CLOSE_SHARE = 0.005
"""Where the path of the lower bound is within this of it, nothing more is tried."""

FEW_PATHS = 20_000
"""A lattice of no more paths is searched exactly."""

RUNS = 24
"""Lengths of a run, in steps, that are told apart at most; longer ones count as this long."""

WINDOW, WINDOW_BEAM, SWEEPS = 24, 32, 1
"""Steps that are searched anew at once when a path is polished, the beam for it, and how often the path is gone over."""

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """Boundary features at the start (`entry`) and end (`leave`) of S segments [S, D], and their squared lengths [S].

    The squared distance of leave[a] and entry[b] is the cost of going from a to b; 1 is that of a random cut. Of a large
    pool only what is indexed is read.
    """

    entry: Float32Array | Rows
    leave: Float32Array | Rows
    entry_square: FloatArray | Squares
    leave_square: FloatArray | Squares


def boundaries_of(entry: Float32Array, leave: Float32Array) -> Boundaries:
    """Boundaries of features [S, D]."""
    entry, leave = (np.ascontiguousarray(lines, dtype=np.float32) for lines in (entry, leave))
    squares = [np.einsum("ij,ij->i", lines, lines, dtype=np.float64) for lines in (entry, leave)]
    return Boundaries(entry, leave, squares[0], squares[1])


def boundaries_on_disk(entry: Rows, leave: Rows) -> Boundaries:
    """Boundaries of features that are read as they are needed."""
    return Boundaries(entry, leave, Squares(entry), Squares(leave))


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Nodes of all steps, one after the other; M nodes in N steps.

    offset: [N + 1], step t has nodes offset[t] .. offset[t + 1]. segment: [M] position in the pool, ascending within a
    step; it is entered by that one's boundary. leave_row: [M] position of the segment
    whose boundary is left. unary: [M] price of the step terms. next: [M] segment
    that continues this node in the next step, -1 none (the steps do not join, or the node does not end at a bar line).
    origin, origin_start_s, origin_end_s, twin: [M] material used. style: [M] code. travel: [M, 3] way (x, z) in the heading
    frame and turn. middle_s, seconds: [N] middle and length of each step; place, section: [N] of `phrases.Phrasing`.
    boundaries: of the pool.
    """

    offset: IntArray
    segment: IntArray
    unary: FloatArray
    next: IntArray
    leave_row: IntArray
    origin: IntArray
    origin_start_s: FloatArray
    origin_end_s: FloatArray
    twin: IntArray
    style: IntArray
    travel: FloatArray
    middle_s: FloatArray
    seconds: FloatArray
    place: FloatArray
    section: FloatArray
    boundaries: Boundaries

    def __len__(self) -> int:
        return len(self.offset) - 1

    def nodes(self, step: int) -> slice:
        """The nodes of a step."""
        return slice(int(self.offset[step]), int(self.offset[step + 1]))

    def taken(self, at: IntArray, first: int, last: int) -> Lattice:
        """The lattice of steps `first` .. `last` - 1 and of their nodes `at` [K], ascending, at least one in each."""
        of_nodes = {name: getattr(self, name)[at] for name in _OF_NODES}
        of_steps = {name: getattr(self, name)[first:last] for name in _OF_STEPS}
        offset = np.searchsorted(at, self.offset[first : last + 1]).astype(np.int64)
        return replace(self, offset=offset, **of_nodes, **of_steps)


_OF_STEPS = ("middle_s", "seconds", "place", "section")
_OF_NODES = (
    "segment", "unary", "next", "leave_row", "origin", "origin_start_s", "origin_end_s", "twin", "style", "travel",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """horizon_s: seconds within which repetition costs. verbatim_s: seconds for which a take may go on freely.
    half_m: how far from the middle, in x and z, a step may end; infinite without a stage. no_repeat_s: seconds within
    which nothing may come back."""

    horizon_s: float
    verbatim_s: float
    half_m: tuple[float, float] = (np.inf, np.inf)
    no_repeat_s: float = 0.0

    @property
    def memory_s(self) -> float:
        """Seconds of song that have to be remembered."""
        return max(self.horizon_s, self.no_repeat_s)


NO_LIMITS = Limits(0.0, np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """The optimum without what depends on more than the current run of one take, and the joins it was found with.

    net, rules: what the kernels read. togo: [M, R] least price after each node as the r + 1-th step of its run. path: [N]
    nodes. cost: its price, a lower bound of every path's.
    """

    net: search_kernel.Net
    rules: search_kernel.Rules
    togo: FloatArray
    path: IntArray
    cost: float


def relax(
    lattice: Lattice, weights: CostWeights, limits: Limits = NO_LIMITS, joins: search_kernel.Net | None = None
) -> Relaxation:
    """Exact optimum of the relaxation by backward Viterbi, O(sum of products of neighbouring step sizes).

    What is counted: everything of one step and of two neighbours, and how long one take goes on. What is left out:
    repetition, familiarity, the stage; `prices` puts a part of the first two back. joins: the net of a lattice with the
    same nodes at other unary prices.
    """
    net = net_of(lattice, weights, limits) if joins is None else joins._replace(unary=lattice.unary)
    togo = np.zeros((len(lattice.segment), net.longer.shape[1]))
    search_kernel.backward(net, net.unary, 0, len(lattice) - 1, togo)
    cost, path = search_kernel.follow(net, net.unary, togo)
    rules = rules_of(lattice, weights, limits)._replace(origins=int(net.origin.max()) + 1)
    return Relaxation(net, rules, togo, path, float(cost))


def net_of(lattice: Lattice, weights: CostWeights, limits: Limits) -> search_kernel.Net:
    """What the kernels read of a lattice, the price of every join among it."""
    sizes = np.diff(lattice.offset)
    begin = np.concatenate([[0], np.cumsum(sizes[:-1] * sizes[1:])]).astype(np.int64)
    price, follower = np.empty(begin[-1], dtype=np.float32), np.full(len(lattice.segment), -1, dtype=np.int64)
    lines = lattice.boundaries
    for step in range(1, len(lattice)):
        here, ahead = lattice.nodes(step - 1), lattice.nodes(step)
        left, entered = lattice.leave_row[here], lattice.segment[ahead]
        w_transition, w_style, _, cut = _pair_weights(lattice, step, weights)
        search_kernel.joins(
            lines.leave[left] @ lines.entry[entered].T, lines.leave_square[left], lines.entry_square[entered],
            lattice.next[here], entered, lattice.style[here], lattice.style[ahead],
            w_transition, w_style, cut, price[begin[step - 1] : begin[step]], follower[here],
        )  # fmt: skip
        follower[here] += np.where(follower[here] >= 0, ahead.start, 0)
    over = _told_apart(path_kernel.run_seconds(lattice.seconds, limits.verbatim_s, RUNS))
    return _material(lattice, limits)._replace(
        price=price,
        begin=begin,
        follower=follower,
        origin=_codes(lattice.origin),
        **_materials(lattice),
        hold=weights.phrasing * lattice.section,
        longer=over * (weights.verbatim / costs.UNIT_S),
    )


def _told_apart(over_s: FloatArray) -> FloatArray:
    """The columns of over_s [N, R] up to the first after which all are the same."""
    differs = np.flatnonzero(np.any(over_s[:, 1:] != over_s[:, :-1], axis=0))
    return np.ascontiguousarray(over_s[:, : 2 + int(differs[-1]) if len(differs) else 1])


def _material(lattice: Lattice, limits: Limits) -> search_kernel.Net:
    """A net without joins: what is danced and when."""
    hop_s = familiar_s(limits) / search_kernel.BLOCKS
    block = np.floor(lattice.middle_s / hop_s) if hop_s > 0.0 else np.zeros(len(lattice))
    none = np.zeros(0, dtype=np.int64)
    return search_kernel.Net(
        offset=lattice.offset,
        price=np.zeros(0, dtype=np.float32),
        begin=none,
        follower=none,
        unary=lattice.unary,
        origin=lattice.origin,
        origin_start=lattice.origin_start_s,
        origin_end=lattice.origin_end_s,
        twin=lattice.twin,
        travel=lattice.travel,
        middle_s=lattice.middle_s,
        seconds=lattice.seconds,
        hold=np.zeros(0),
        longer=np.zeros((0, 0)),
        block=block.astype(np.int64) + search_kernel.BLOCKS - 1,
        material=none,
        near_begin=none,
        near=none,
        near_share=np.zeros(0),
    )


def _materials(lattice: Lattice) -> dict[str, Any]:
    """Which nodes are the same material, and which materials count as the same."""
    stamps = lattice.origin, lattice.origin_start_s, lattice.origin_end_s, lattice.twin
    first, material = numbered(*stamps)
    origin, start, end, twin = (np.ascontiguousarray(stamp[first]) for stamp in stamps)
    begin, near, share = material_kernel.same_materials(
        origin, start, end, twin, np.argsort(twin, kind="stable"), costs.SAME_ORIGIN_OVERLAP
    )
    return {"material": material, "near_begin": begin, "near": near, "near_share": share}


def numbered(*columns: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Different rows of columns [M] in order: one place of each [U], and the number of every row [M]."""
    order = np.lexsort(columns[::-1])
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any([column[order][1:] != column[order][:-1] for column in columns], axis=0)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(new) - 1
    return order[new], number


def _codes(values: IntArray) -> IntArray:
    """The values [M] numbered from 0."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64).reshape(-1)


def familiar_s(limits: Limits) -> float:
    """Seconds of song in each of the stretches that familiarity is taken over."""
    return 0.5 * limits.horizon_s


def rules_of(lattice: Lattice, weights: CostWeights, limits: Limits) -> search_kernel.Rules:
    """What paths are priced by beyond single nodes and joins."""
    block_s = familiar_s(limits)
    return search_kernel.Rules(
        horizon_s=limits.horizon_s,
        no_repeat_s=limits.no_repeat_s,
        repetition=weights.repetition,
        forbidden=costs.FORBIDDEN,
        overlap=costs.SAME_ORIGIN_OVERLAP,
        familiar=weights.familiar * block_s / costs.UNIT_S / search_kernel.BLOCKS,
        free_share=costs.FAMILIAR_SHARE,
        block_s=max(block_s, 1e-9),
        stage=weights.stage / costs.UNIT_S,
        half_x=limits.half_m[0],
        half_z=limits.half_m[1],
        origins=len(lattice.segment),
    )


def search(
    lattice: Lattice,
    relaxation: Relaxation,
    weights: CostWeights,
    width: int,
    limits: Limits,
    known: IntArray | None = None,
) -> IntArray:
    """The path [N] that a beam of `width` under `GUIDE` finds, polished; the cheapest of all where there are few.

    known: a path to polish instead of the beam's where it is cheaper.
    """
    net, rules = relaxation.net, relaxation.rules
    if _few(net):
        return _exact(net, rules, relaxation)
    if path_kernel.path_price(net, rules, relaxation.path) <= (1.0 + CLOSE_SHARE) * relaxation.cost:
        return relaxation.path
    path = beam_search(lattice, relaxation, weights, width, limits, guide=GUIDE)
    if known is not None and path_kernel.path_price(net, rules, known) < path_kernel.path_price(net, rules, path):
        path = known
    return polished(relaxation, path)[1]


def _few(net: search_kernel.Net) -> bool:
    """Whether a lattice has so few paths that a beam can hold all of them."""
    return float(np.log(np.diff(net.offset)).sum()) <= np.log(FEW_PATHS)


def _exact(net: search_kernel.Net, rules: search_kernel.Rules, relaxation: Relaxation) -> IntArray:
    """The cheapest of few paths [N], by a beam that holds all of them."""
    sizes = np.diff(net.offset)
    count, steps = int(np.prod(sizes)), len(sizes)
    nowhere, ending = np.zeros(steps, dtype=np.int64), count // int(sizes[-1])
    return beam_kernel.beam(net, rules, relaxation.togo, nowhere, 0, steps, count, ending, np.inf)


def likeliest(net: search_kernel.Net, through: FloatArray, count: int, always: IntArray) -> IntArray:
    """The `count` nodes of each step that paths go through most cheaply, by `through` [M], and some more, ascending."""
    step = np.repeat(np.arange(len(net.offset) - 1), np.diff(net.offset))
    order = np.lexsort((through, step))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - net.offset[step]
    kept = rank < count
    kept[always] = True
    return np.flatnonzero(kept)


def polished(relaxation: Relaxation, path: IntArray) -> tuple[float, IntArray]:
    """Price and nodes of the path [N] after windows of it were searched anew for as long as that helps."""
    net, rules = relaxation.net, relaxation.rules
    path = polish_kernel.polish(net, rules, path, WINDOW, WINDOW_BEAM, SWEEPS, np.diff(net.offset) > 1)
    return path_kernel.path_price(net, rules, path), path


def beam_search(
    lattice: Lattice,
    relaxation: Relaxation,
    weights: CostWeights,
    width: int,
    limits: Limits,
    *,
    guide: float = 1.0,
) -> IntArray:
    """The cheapest path [N] found by a beam of `width` paths, the terms of whole paths included.

    guide: share of the relaxation's cost-to-go by which paths are compared.
    """
    steps = len(relaxation.path)
    nowhere = np.zeros(steps, dtype=np.int64)
    return beam_kernel.beam(
        relaxation.net,
        relaxation.rules,
        guide * relaxation.togo,
        nowhere,
        0,
        steps,
        width,
        max(1, width // NODE_SHARE),
        np.inf,
    )


def path_terms(lattice: Lattice, path: IntArray, weights: CostWeights, limits: Limits) -> FloatArray:
    """Exact weighted terms [1 + len(PATH_TERMS), N] of a path: all unary ones as one, then `costs.PATH_TERMS`."""
    terms = np.zeros((1 + len(costs.PATH_TERMS), len(path)))
    terms[0] = lattice.unary[path]
    before, after = path[:-1], path[1:]
    cut = ~continued(lattice, path)[1:]
    lines = lattice.boundaries
    gap = lines.leave[lattice.leave_row[before]].astype(np.float64) - lines.entry[lattice.segment[after]]
    style_before, style_after = lattice.style[before], lattice.style[after]
    terms[1, 1:] = weights.transition * cut * np.square(gap).sum(axis=1)
    changed = (style_before != style_after) & (style_before >= 0) & (style_after >= 0)
    terms[2, 1:] = weights.style_change * (cut & changed)
    terms[3, 1:] = weights.phrasing * np.where(cut, 1.0 - lattice.place[1:], lattice.section[1:])
    units = lattice.seconds / costs.UNIT_S
    terms[4], terms[6] = path_kernel.remembered(_material(lattice, limits), rules_of(lattice, weights, limits), path)
    terms[5] = (weights.verbatim / costs.UNIT_S) * path_kernel.verbatim(lattice.seconds, cut, limits.verbatim_s)
    ends = path_kernel.walk(lattice.travel[path])
    over = np.clip(np.abs(ends[:, :2]) - limits.half_m, 0.0, None)
    terms[7] = weights.stage * np.square(over).sum(axis=1) * units
    return terms


def continued(lattice: Lattice, path: IntArray) -> BoolArray:
    """Whether each step [N] of a path is the continuation of the one before."""
    result = np.zeros(len(path), dtype=bool)
    result[1:] = lattice.next[path[:-1]] == lattice.segment[path[1:]]
    return result


def _pair_weights(lattice: Lattice, step: int, weights: CostWeights) -> tuple[float, float, float, float]:
    """Weights of a transition, of a change of style, and the prices of going on and of changing at `step`."""
    hold, cut = lattice.section[step], 1.0 - lattice.place[step]
    return weights.transition, weights.style_change, weights.phrasing * hold, weights.phrasing * cut


def pair_prices(lattice: Lattice, before: IntArray, after: IntArray, step: int, weights: CostWeights) -> FloatArray:
    """Prices [A, B] of going from nodes `before` [A] to nodes `after` [B] of `step`."""
    lines = lattice.boundaries
    leave = lines.leave[lattice.leave_row[before]].astype(np.float64)
    gap = leave[:, None] - lines.entry[lattice.segment[after]].astype(np.float64)
    style_a, style_b = lattice.style[before][:, None], lattice.style[after]
    w_transition, w_style, hold, cut = _pair_weights(lattice, step, weights)
    changed = (style_a != style_b) & (style_a >= 0) & (style_b >= 0)
    price = cut + w_transition * np.square(gap).sum(axis=2) + w_style * changed
    return np.where(lattice.next[before][:, None] == lattice.segment[after], hold, price)
