"""The lattice: the closed set of candidates of all steps, its relaxation, and the search of a path through it.

The relaxation leaves out what depends on more than the run of one take (repetition, familiarity with earlier takes, the
stage). Backward Viterbi solves it exactly; its cost-to-go is a lower bound of the full cost and guides a forward beam that
counts them. Pair costs are worked
out step by step and never stored, so memory stays small however long the song is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.retriever import costs, search_kernel
from choreodb.retriever.costs import BoolArray, CostWeights, FloatArray, IntArray
from choreodb.retriever.rows import Rows, Squares

NODE_SHARE = 256
"""At most this part of the beam may end in one node, so that it does not fill with near-duplicates. On real songs a
beam of 64 with one path to a node finds cheaper dances than one of 1024 with 64 to a node."""

GUIDES = (1.0, 0.4)
"""Shares of the cost-to-go by which beams are guided. All of it is right where hardly anything would come back, and leads
astray where much would: on 7 songs over 55 clips, 0.4 finds dances that cost 1 % less."""

CLOSE_SHARE = 0.005
"""Within this of the lower bound, no other guide is tried."""

RUNS = 16
"""Lengths of a run, in steps, that the relaxation tells apart; longer ones count as this long."""

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
    """The optimum without what depends on more than the current run of one take.

    togo: [M, R] least price after each node as the r + 1-th step of its run. path: [N] nodes. cost: its price, a lower
    bound of every path's.
    """

    togo: FloatArray
    path: IntArray
    cost: float


def relax(lattice: Lattice, weights: CostWeights, limits: Limits = NO_LIMITS) -> Relaxation:
    """Exact optimum of the relaxation by backward Viterbi, O(sum of products of neighbouring step sizes).

    What is counted: everything of one step and of two neighbours, how long one take goes on, and how familiar it gets by
    that. What is left out: repetition, familiarity with earlier takes of the same source, the stage.
    """
    steps = len(lattice)
    longer = _longer(lattice, weights, limits)
    togo = np.zeros((len(lattice.segment), RUNS))
    cut = np.zeros(len(lattice.segment), dtype=np.int64)
    follower = np.full(len(lattice.segment), -1, dtype=np.int64)
    for step in range(steps - 2, -1, -1):
        here, ahead = lattice.nodes(step), lattice.nodes(step + 1)
        pairs = _pairs(lattice, np.arange(here.start, here.stop), ahead)
        togo[here], cut[here], follower[here] = search_kernel.relax(
            *pairs, *_pair_weights(lattice, step + 1, weights), lattice.unary[ahead], togo[ahead], longer[step + 1]
        )
    first = lattice.nodes(0)
    path = np.empty(steps, dtype=np.int64)
    path[0] = int(np.argmin(lattice.unary[first] + togo[first, 0]))
    cost = float(lattice.unary[path[0]] + togo[path[0], 0])
    run = 0
    for step in range(1, steps):
        ahead, node = lattice.offset[step], path[step - 1]
        then = min(run + 1, RUNS - 1)
        on = ahead + follower[node]
        goes_on = follower[node] >= 0 and np.isclose(
            togo[node, run],
            weights.phrasing * lattice.section[step] + lattice.unary[on] + longer[step, then] + togo[on, then],
            rtol=0.0,
            atol=1e-9,
        )
        path[step], run = (on, then) if goes_on else (ahead + cut[node], 0)
    return Relaxation(togo, path, cost)


def _longer(lattice: Lattice, weights: CostWeights, limits: Limits) -> FloatArray:
    """What each step costs more [N, R] for being the r + 1-th of a run, whatever came before the run."""
    units = lattice.seconds / costs.UNIT_S
    over, familiar = search_kernel.run_terms(
        lattice.middle_s, lattice.seconds, limits.horizon_s, limits.verbatim_s, RUNS
    )
    known = np.maximum(familiar - costs.FAMILIAR_SHARE, 0.0) * weights.familiar * units[:, None]
    return np.asarray(over * (weights.verbatim / costs.UNIT_S) + known)


def search(lattice: Lattice, relaxation: Relaxation, weights: CostWeights, width: int, limits: Limits) -> IntArray:
    """The cheapest path [N] that beams of `width` under each of `GUIDES` find."""
    found: list[tuple[float, IntArray]] = []
    for guide in GUIDES:
        path = beam_search(lattice, relaxation, weights, width, limits, guide=guide)
        found.append((float(path_terms(lattice, path, weights, limits).sum()), path))
        if found[-1][0] <= (1.0 + CLOSE_SHARE) * relaxation.cost:
            break
    return min(found, key=lambda each: each[0])[1]


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
    togo = guide * relaxation.togo
    first = lattice.nodes(0)
    opening = lattice.unary[first] + _opening_stage(lattice, weights, limits)
    order = np.argsort(opening + togo[first, 0], kind="stable")[:width]
    paths = order[:, None].astype(np.int64)
    spent = opening[order]
    place = lattice.travel[order]
    run_s = np.full(len(order), lattice.seconds[0])
    run = np.zeros(len(order), dtype=np.int64)
    for step in range(1, len(lattice)):
        nodes = lattice.nodes(step)
        since = int(np.searchsorted(lattice.middle_s, lattice.middle_s[step] - limits.memory_s, side="right"))
        history = np.ascontiguousarray(paths[:, since:step])
        _, spent, node, parent = search_kernel.expand(
            *_pairs(lattice, paths[:, -1], nodes),
            *_pair_weights(lattice, step, weights),
            spent,
            lattice.unary[nodes],
            togo[nodes],
            nodes.start,
            history,
            lattice.middle_s[step] - lattice.middle_s[since:step],
            lattice.seconds[since:step],
            limits.horizon_s,
            limits.no_repeat_s,
            weights.repetition,
            costs.FORBIDDEN,
            weights.familiar * lattice.seconds[step] / costs.UNIT_S,
            costs.FAMILIAR_SHARE,
            run_s,
            lattice.seconds[step],
            limits.verbatim_s,
            weights.verbatim / costs.UNIT_S,
            place,
            lattice.travel[nodes],
            *limits.half_m,
            weights.stage * lattice.seconds[step] / costs.UNIT_S,
            costs.SAME_ORIGIN_OVERLAP,
            lattice.origin,
            lattice.origin_start_s,
            lattice.origin_end_s,
            lattice.twin,
            run,
            width,
            max(1, width // NODE_SHARE),
        )
        goes_on = lattice.next[paths[parent, -1]] == lattice.segment[nodes.start + node]
        run_s = lattice.seconds[step] + np.where(goes_on, run_s[parent], 0.0)
        run = np.where(goes_on, run[parent] + 1, 0)
        place = search_kernel.advance(place[parent], lattice.travel[nodes][node])
        paths = np.concatenate([paths[parent], nodes.start + node[:, None]], axis=1)
    return paths[0]


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
    repeated, terms[6], forbidden = _memory_terms(lattice, path, limits)
    terms[4] = weights.repetition * repeated + costs.FORBIDDEN * forbidden
    terms[6] *= weights.familiar * units
    terms[5] = (weights.verbatim / costs.UNIT_S) * search_kernel.verbatim(lattice.seconds, cut, limits.verbatim_s)
    ends = search_kernel.walk(lattice.travel[path])
    over = np.clip(np.abs(ends[:, :2]) - limits.half_m, 0.0, None)
    terms[7] = weights.stage * np.square(over).sum(axis=1) * units
    return terms


def _memory_terms(lattice: Lattice, path: IntArray, limits: Limits) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Repetition, familiarity and forbidden repetitions [N] of every step of a path, before their weights."""
    repeated, share, forbidden = search_kernel.remembered(
        path,
        lattice.middle_s,
        lattice.seconds,
        limits.horizon_s,
        limits.no_repeat_s,
        lattice.origin,
        lattice.origin_start_s,
        lattice.origin_end_s,
        lattice.twin,
        costs.SAME_ORIGIN_OVERLAP,
    )
    return repeated, np.maximum(share - costs.FAMILIAR_SHARE, 0.0), forbidden


def continued(lattice: Lattice, path: IntArray) -> BoolArray:
    """Whether each step [N] of a path is the continuation of the one before."""
    result = np.zeros(len(path), dtype=bool)
    result[1:] = lattice.next[path[:-1]] == lattice.segment[path[1:]]
    return result


def _opening_stage(lattice: Lattice, weights: CostWeights, limits: Limits) -> FloatArray:
    """Stage term of each node of the first step, which starts in the middle, facing front."""
    over = np.clip(np.abs(lattice.travel[lattice.nodes(0), :2]) - limits.half_m, 0.0, None)
    return np.asarray(weights.stage * np.square(over).sum(axis=1) * lattice.seconds[0] / costs.UNIT_S)


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


def _pairs(
    lattice: Lattice, before: IntArray, after: slice
) -> tuple[Float32Array, FloatArray, FloatArray, IntArray, IntArray, IntArray, IntArray]:
    """What the kernels need to price transitions from nodes `before` to the nodes of the next step."""
    lines, left, entered = lattice.boundaries, lattice.leave_row[before], lattice.segment[after]
    return (
        lines.leave[left] @ lines.entry[entered].T,
        lines.leave_square[left],
        lines.entry_square[entered],
        lattice.next[before],
        entered,
        lattice.style[before],
        lattice.style[after],
    )
