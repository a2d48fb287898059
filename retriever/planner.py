"""Plan a dance: the song's steps under every beat hypothesis, their candidates, and the best path found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from choreodb.errors import QueryError
from choreodb.indexer import timing_branch
from choreodb.indexer.encoders import recorded
from choreodb.indexer.encoders.base import Encoder, MusicWindow
from choreodb.music.grid import BeatGrid
from choreodb.retriever import (
    alternatives,
    candidates,
    costs,
    demands,
    lattice,
    prices,
    regroup,
    runners_up,
    shortlist,
    song,
    stretches,
    timing,
)
from choreodb.retriever.candidates import Fit, Float32Array, Pool
from choreodb.retriever.costs import FloatArray, IntArray
from choreodb.retriever.lattice import Lattice, Limits, Relaxation
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.phrases import Phrasing, phrasing
from choreodb.retriever.placement import Placement, Step
from choreodb.retriever.plan import Hypothesis, Plan
from choreodb.retriever.rows import At

if TYPE_CHECKING:
    from choreodb.music.music import Music
    from choreodb.storage.store import Store

CHAIN_BARS = 4
"""Continuations are followed from a nearest segment until a chain of this many bars."""

SPREAD = 0.02
OFFER_MEMORY = 0.9
"""What a segment pays, in the choice of candidates only, for each time it was offered already, and how much of that is
kept from step to step. A path uses it once within the horizon, so a steady song would offer the same few all along."""

STAGE_MARGIN_M = 0.5
"""The pelvis should end a step this far inside the edge of the stage."""

GAP_FACTOR = 4
"""`candidate_gap` compares with this many times the candidates."""

HYPOTHESIS_PRIOR = 0.3
"""Cost per second that a grid of no confidence pays beside one of the best confidence."""

_SAME_TIME_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What a beat hypothesis asks of the pool: N steps, their embeddings [N, E], the price of each style, and the onsets
    of the steps, heard [N, 32]."""

    steps: tuple[Step, ...]
    embeddings: Float32Array
    style_price: FloatArray
    joins: costs.BoolArray
    phrasing: Phrasing
    heard: Float32Array


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """A lattice with what its nodes mean: terms [9, M], source end, rate and trimmed of each node [M]."""

    lattice: Lattice
    terms: FloatArray
    source_end_s: FloatArray
    rate: FloatArray
    trimmed: costs.BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The path found for one hypothesis. relaxation: None of a long lattice. bound: no path through it costs less."""

    query: Query
    choices: Choices
    relaxation: Relaxation | None
    path: IntArray
    terms: FloatArray
    bound: float

    @property
    def cost(self) -> float:
        return float(self.terms.sum())


def plan(store: Store, music: Music, options: PlanOptions | None = None, *, encoder: Encoder | None = None) -> Plan:
    """The dance found for `music` in `store`; the same input gives the same plan.

    encoder: the one that made the library's embeddings; looked up by the library's record where it is not given.
    QueryError where no segment matches.
    """
    return plans(store, music, options, encoder=encoder)[0]


def plans(
    store: Store,
    music: Music,
    options: PlanOptions | None = None,
    *,
    count: int = 1,
    encoder: Encoder | None = None,
) -> tuple[Plan, ...]:
    """The dance found for `music` in `store`, and `count - 1` truly different ones that cost little more."""
    options = options or PlanOptions()
    pool = candidates.load_pool(store, options.where, options.avoid)
    offsets = np.asarray(store.columns("clips", ["source_start_s"]).column(0).to_numpy(), dtype=np.float64)
    encoder = encoder or recorded.of_store(store)
    return plans_in_pool(pool, music, encoder, options, store.columns("segments", ["beats_s"]), offsets, count)


def plan_in_pool(pool: Pool, music: Music, encoder: Encoder, options: PlanOptions, segments: Any) -> Plan:
    """The same for a pool; segments: the table that the pool was made from, for the beats of the chosen ones."""
    return plans_in_pool(pool, music, encoder, options, segments, np.zeros(len(pool.clips)))[0]


def plans_in_pool(
    pool: Pool, music: Music, encoder: Encoder, options: PlanOptions, segments: Any, offsets: FloatArray, count: int = 1
) -> tuple[Plan, ...]:
    """The same for a pool. offsets: [C] seconds of its file at which each clip begins."""
    queries = [ask(pool, music, grid, encoder, options) for grid in music.grids]
    chosen, best, hypotheses = _weighed(pool, music, queries, options)
    locks = demands.locked(pool, options.lock, options.start, len(best.query.steps), offsets)
    if locks:
        best = solve(pool, best.query, options, locks=locks)
    best = certified(best, options)
    gap = candidate_gap(pool, best, options, locks) if options.candidate_gap else None
    solutions = [
        best,
        *(
            _along(best, path, options)
            for path in alternatives.others(best.choices.lattice, best.path, count - 1, options)
        ),
    ]
    return tuple(
        _plan(
            pool,
            solution,
            segments,
            music.grids[chosen],
            chosen,
            hypotheses,
            options,
            gap if at == 0 else None,
            tuple(sorted(locks)),
        )
        for at, solution in enumerate(solutions)
    )


def _weighed(
    pool: Pool, music: Music, queries: Sequence[Query], options: PlanOptions
) -> tuple[int, Solution, tuple[Hypothesis, ...]]:
    """The beat hypothesis whose dance is cheapest, its prior included; its dance; and what all of them cost.

    Those that cannot win by their lower bounds are not searched.
    """
    choices = [build_choices(pool, query, options) for query in queries]
    priors = hypothesis_priors(music.grids)
    per_s = [_least_unary(each.lattice) / music.duration_s for each in choices]
    best: tuple[float, int, Solution] | None = None
    for index in np.argsort(np.add(per_s, priors), kind="stable").tolist():
        if best is not None and per_s[index] + priors[index] >= best[0]:
            continue
        relaxation, bound = _relaxed(choices[index], options)
        per_s[index] = bound / music.duration_s
        if best is not None and per_s[index] + priors[index] >= best[0]:
            continue
        found = _searched(queries[index], choices[index], relaxation, bound, options)
        per_s[index] = found.cost / music.duration_s
        total = per_s[index] + priors[index]
        if best is None or total < best[0] or (total == best[0] and index < best[1]):
            best = total, index, found
    assert best is not None
    _, chosen, solution = best
    hypotheses = tuple(
        Hypothesis(grid.tempo_bpm, grid.metre, grid.confidence, len(query.steps), cost, prior, index == chosen)
        for index, (grid, query, cost, prior) in enumerate(zip(music.grids, queries, per_s, priors, strict=True))
    )
    return chosen, solution, hypotheses


def _least_unary(nodes: Lattice) -> float:
    """The cheapest node of every step: a bound that needs no joins."""
    return float(np.minimum.reduceat(nodes.unary, nodes.offset[:-1]).sum())


def _plan(
    pool: Pool,
    solution: Solution,
    segments: Any,
    grid: BeatGrid,
    chosen: int,
    hypotheses: tuple[Hypothesis, ...],
    options: PlanOptions,
    gap: float | None,
    locked: tuple[int, ...],
) -> Plan:
    placed = placements(pool, solution, segments)
    nodes = solution.choices
    return Plan(
        placements=placed,
        terms=dict(zip(costs.TERMS, solution.terms, strict=True)),
        cost=solution.cost,
        relaxation_cost=min(solution.bound, solution.cost),
        gap_in_lattice=max(0.0, solution.cost - solution.bound),
        candidate_gap=gap,
        candidates=np.diff(nodes.lattice.offset),
        segments=np.array([placement.segment for placement in placed], dtype=np.int64),
        styles=tuple(None if code < 0 else pool.styles[code] for code in nodes.lattice.style[solution.path].tolist()),
        warp_rates=nodes.rate[solution.path],
        grid=grid,
        hypothesis=chosen,
        hypotheses=hypotheses,
        options=options,
        runners_up=runners_up.find(
            pool, nodes, solution.path, options.weights, limits_of(options), solution.relaxation
        ),
        locked=locked,
    )


def hypothesis_priors(grids: tuple[BeatGrid, ...]) -> list[float]:
    """Cost per second added to each hypothesis: `HYPOTHESIS_PRIOR` times how far it trails the most confident one."""
    best = max(grid.confidence for grid in grids)
    if best <= 0.0:
        return [0.0] * len(grids)
    return [HYPOTHESIS_PRIOR * (1.0 - grid.confidence / best) for grid in grids]


def ask(pool: Pool, music: Music, grid: BeatGrid, encoder: Encoder, options: PlanOptions) -> Query:
    """The steps of a hypothesis with their embeddings; steps that hardly any segment fits are regrouped, unless the metre is strict."""
    steps = song.steps(music, grid)
    if not options.strict_metre:
        steps = regroup.regrouped(pool, steps)
    windows = [MusicWindow(step.start_s, step.end_s, step.beats_s, _metre(step)) for step in steps]
    embeddings = np.asarray(encoder.embed_music(music, windows), dtype=np.float32)
    spans = np.array([song.nominal_span(step) for step in steps])
    ends = np.array([(step.start_s, step.end_s) for step in steps])
    exact = np.abs(spans - ends) < _SAME_TIME_S
    return Query(
        steps=steps,
        embeddings=embeddings,
        style_price=style_price(pool, steps, embeddings, options),
        joins=exact[:-1, 1] & exact[1:, 0],
        phrasing=phrasing(steps, music.features, grid.metre),
        heard=timing.heard(music.features, steps, timing_branch.of(encoder)),
    )


def style_price(pool: Pool, steps: tuple[Step, ...], embeddings: Float32Array, options: PlanOptions) -> FloatArray:
    """Price of each style code [styles + 1], unknown last: distance from the song, or from the style asked for."""
    if options.style is not None:
        if options.style not in pool.styles:
            known = ", ".join(pool.styles[:12]) or "no styles"
            raise QueryError(f"no segment that matches has the style {options.style!r}; there are {known}")
        return np.append(np.arange(len(pool.styles)) != pool.styles.index(options.style), True).astype(np.float64)
    bars = [index for index, step in enumerate(steps) if step.kind == "bar"]
    probes = np.array(bars, dtype=np.int64)[:: max(1, len(bars) // 64)]
    seconds = np.array([steps[index].end_s - steps[index].start_s for index in probes])
    if len(pool) > shortlist.WHOLE_POOL:
        return shortlist.style_distance(pool, embeddings[probes], seconds)
    return costs.style_distance(1.0 - embeddings[probes] @ pool.embeddings[candidates.EVERY].T, pool.style, seconds)


def solve(
    pool: Pool,
    query: Query,
    options: PlanOptions,
    include: Lattice | None = None,
    locks: Mapping[int, int] | None = None,
) -> Solution:
    """Build the lattice and search it.

    include: nodes of a smaller lattice of the same query to keep. locks: position in the pool by step.
    """
    choices = build_choices(pool, query, options, include, locks or {})
    relaxation, bound = _relaxed(choices, options)
    return _searched(query, choices, relaxation, bound, options)


def _relaxed(choices: Choices, options: PlanOptions) -> tuple[Relaxation | None, float]:
    """The relaxation of a lattice that is not long, and the lower bound of its paths."""
    nodes, limits = choices.lattice, limits_of(options)
    if stretches.is_long(nodes):
        return None, stretches.bound(nodes, options.weights, limits)
    relaxation = lattice.relax(nodes, options.weights, limits)
    return relaxation, relaxation.cost


def _searched(
    query: Query,
    choices: Choices,
    relaxation: Relaxation | None,
    bound: float,
    options: PlanOptions,
    known: IntArray | None = None,
) -> Solution:
    nodes, limits = choices.lattice, limits_of(options)
    if relaxation is None:
        path = stretches.search(nodes, options.weights, options.beam, limits)
    else:
        path = lattice.search(nodes, relaxation, options.weights, options.beam, limits, known)
    return Solution(query, choices, relaxation, path, _terms(choices, path, options), bound)


def certified(solution: Solution, options: PlanOptions) -> Solution:
    """The solution with the bound that prices give, and the path that they find where it is cheaper."""
    relaxation, nodes, limits = solution.relaxation, solution.choices.lattice, limits_of(options)
    if relaxation is None:
        return replace(solution, bound=stretches.bound(nodes, options.weights, limits, solution.path))
    priced = prices.tighten(relaxation, solution.cost, solution.path)
    guided = replace(relaxation, togo=priced.togo)
    path = lattice.beam_search(nodes, guided, options.weights, options.beam, limits)
    cost, path = lattice.polished(relaxation, path)
    better = _along(solution, path, options) if cost < solution.cost - 1e-9 else solution
    return replace(better, bound=priced.cost)


def _along(solution: Solution, path: IntArray, options: PlanOptions) -> Solution:
    """Another path through the same lattice."""
    return replace(solution, path=path, terms=_terms(solution.choices, path, options))


def _terms(choices: Choices, path: IntArray, options: PlanOptions) -> FloatArray:
    pairs = lattice.path_terms(choices.lattice, path, options.weights, limits_of(options))
    return np.concatenate([choices.terms[:, path], pairs[1:]])


def limits_of(options: PlanOptions) -> Limits:
    """What the search has to remember of a path."""
    return Limits(options.repeat_horizon_s, options.verbatim_s, _half_stage(options), options.no_repeat_s)


def _half_stage(options: PlanOptions) -> tuple[float, float]:
    """How far from the middle a step may end, for arms and legs to stay on the stage; infinite without one."""
    if options.stage_m is None:
        return np.inf, np.inf
    width, depth = options.stage_m
    return max(0.25, 0.5 * width - STAGE_MARGIN_M), max(0.25, 0.5 * depth - STAGE_MARGIN_M)


def candidate_gap(
    pool: Pool, solution: Solution, options: PlanOptions, locks: Mapping[int, int] | None = None
) -> float:
    """Cost that a lattice of `GAP_FACTOR` times the candidates (the same ones among them) saves; at least 0."""
    wider = replace(options, candidates=GAP_FACTOR * options.candidates)
    choices = build_choices(pool, solution.query, wider, solution.choices.lattice, locks or {})
    relaxation, bound = _relaxed(choices, wider)
    known = _same_nodes(solution.choices.lattice, choices.lattice, solution.path)
    return max(0.0, solution.cost - _searched(solution.query, choices, relaxation, bound, wider, known).cost)


def _same_nodes(nodes: Lattice, wider: Lattice, path: IntArray) -> IntArray:
    """The path [N] in a lattice that has all of its segments."""
    found = [
        wider.nodes(step).start + np.searchsorted(wider.segment[wider.nodes(step)], segment)
        for step, segment in enumerate(nodes.segment[path])
    ]
    return np.array(found, dtype=np.int64)


def build_choices(
    pool: Pool,
    query: Query,
    options: PlanOptions,
    include: Lattice | None = None,
    locks: Mapping[int, int] | None = None,
) -> Choices:
    """Close the lattice: per step the cheapest segments by their own price, then continuations of the step before."""
    count = len(query.steps)
    rows: list[IntArray] = []
    fits: list[Fit] = []
    terms: list[FloatArray] = []
    following, depth = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    offers = _Offers(len(pool))
    lists = shortlist.shortlists(pool, query.steps, query.embeddings, options.candidates, options.style)
    distances = candidates.Distances(pool, query.embeddings)
    for index, step in enumerate(query.steps):
        start_s, end_s = song.nominal_span(step)
        fixed = [np.array([locks[index]], dtype=np.int64)] if locks and index in locks else []
        known = [] if include is None else [include.segment[include.nodes(index)]]
        at: At = candidates.EVERY
        if lists is not None:
            at = np.unique(np.concatenate([lists[index], following, *fixed, *known]))
        here = candidates.positions(pool, at)
        filled = candidates.fit(pool, end_s - start_s, at)
        distance = distances.of(index, at)
        priced = candidates.unary_terms(
            pool,
            step,
            filled,
            distance,
            query.style_price,
            query.heard[index],
            options.weights,
            strict_metre=options.strict_metre,
            at=at,
        )
        if options.perturbation > 0.0:
            noise = costs.variation_noise(options.seed, index, pool.row[at])
            priced[-1] = options.perturbation * options.weights.variation * noise * ((end_s - start_s) / costs.UNIT_S)
        price = priced.sum(axis=0)
        near = here[candidates.cheapest(price + SPREAD * offers.made(at, index), options.candidates)]
        offers.make(near, index)
        behind = price[np.searchsorted(here, following)]
        kept = following[candidates.cheapest(behind, 2 * options.candidates + 8)]
        chosen = fixed[0] if fixed else np.unique(np.concatenate([near, kept, *known]))
        local = np.searchsorted(here, chosen)
        rows.append(chosen)
        fits.append(_taken(filled, local))
        terms.append(priced[:, local])
        if index + 1 < count:
            level = _levels(chosen, near, following, depth)
            goes_on = pool.next[fits[-1].last]
            goes_on[fits[-1].trimmed | (level >= CHAIN_BARS - 1) | (not query.joins[index])] = -1
            following, depth = _unique_followers(goes_on, level + 1)
    return _assemble(pool, query, rows, fits, terms)


class _Offers:
    """How often each of S segments was offered, older offers counting less; `SPREAD` says why."""

    def __init__(self, count: int) -> None:
        self._made = np.zeros(count)
        self._since = np.zeros(count, dtype=np.int64)

    def made(self, at: At, step: int) -> FloatArray:
        """Offers of the segments at `at` before `step`."""
        made = self._made[at].copy()
        some = np.flatnonzero(made)
        made[some] *= OFFER_MEMORY ** (step - self._since[at][some])
        return made

    def make(self, near: IntArray, step: int) -> None:
        """Offer segments for a step."""
        self._made[near] = OFFER_MEMORY * self.made(near, step) + 1.0
        self._since[near] = step + 1


def _levels(chosen: IntArray, near: IntArray, following: IntArray, depth: IntArray) -> IntArray:
    """How many bars ago the chain of each chosen segment began: 0 for near ones, `depth` for those that follow."""
    level = np.full(len(chosen), CHAIN_BARS, dtype=np.int64)
    place = np.searchsorted(following, chosen)
    follows = np.append(following, -1)[place] == chosen
    level[follows] = depth[place[follows]]
    level[np.append(near, -1)[np.searchsorted(near, chosen)] == chosen] = 0
    return level


def _unique_followers(goes_on: IntArray, depth: IntArray) -> tuple[IntArray, IntArray]:
    """Sorted unique followers (-1 left out) with the least depth of each."""
    present = goes_on >= 0
    order = np.lexsort((depth[present], goes_on[present]))
    followers, first = np.unique(goes_on[present][order], return_index=True)
    return followers, depth[present][order][first]


def _taken(filled: Fit, chosen: IntArray) -> Fit:
    return Fit(
        filled.source_end_s[chosen],
        filled.rate[chosen],
        filled.beats[chosen],
        filled.misfit[chosen],
        filled.trimmed[chosen],
        filled.last[chosen],
    )


def _assemble(pool: Pool, query: Query, rows: list[IntArray], fits: list[Fit], terms: list[FloatArray]) -> Choices:
    sizes = np.array([len(chosen) for chosen in rows])
    segment = np.concatenate(rows)
    last = np.concatenate([filled.last for filled in fits])
    trimmed = np.concatenate([filled.trimmed for filled in fits])
    source_end_s = np.concatenate([filled.source_end_s for filled in fits])
    all_terms = np.ascontiguousarray(np.concatenate(terms, axis=1))
    joined = np.repeat(np.append(query.joins, False), sizes)
    origin_start_s = pool.origin_start_s[segment]
    nodes = Lattice(
        offset=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        segment=segment,
        unary=all_terms.sum(axis=0),
        next=np.where(joined & ~trimmed, pool.next[last], -1),
        leave_row=last,
        origin=pool.origin[segment],
        origin_start_s=origin_start_s,
        origin_end_s=origin_start_s + (source_end_s - pool.start_s[segment]) * pool.origin_rate[segment],
        twin=pool.twin[segment],
        style=pool.style[segment],
        travel=candidates.travelled(pool, segment, last, source_end_s),
        middle_s=np.array([0.5 * (step.start_s + step.end_s) for step in query.steps]),
        seconds=np.array([step.end_s - step.start_s for step in query.steps]),
        place=query.phrasing.place,
        section=query.phrasing.section,
        boundaries=pool.boundaries,
    )
    return Choices(nodes, all_terms, source_end_s, np.concatenate([filled.rate for filled in fits]), trimmed)


def placements(pool: Pool, solution: Solution, segments: Any) -> tuple[Placement, ...]:
    """The chosen path as placements, in song order."""
    nodes = solution.choices
    result: list[Placement] = []
    for step, node in zip(solution.query.steps, solution.path.tolist(), strict=True):
        at = int(nodes.lattice.segment[node])
        span = float(pool.start_s[at]), float(nodes.source_end_s[node])
        trimmed = bool(nodes.trimmed[node])
        beats = np.empty(0) if trimmed else _aligned_beats(pool, at, int(nodes.lattice.leave_row[node]), step, segments)
        edges = np.clip(_mapped(step, span, beats), 0.0, float(pool.clip_end_s[at]))
        before = result[-1] if result else None
        clip, mirrored = pool.clips[int(pool.clip[at])], bool(pool.mirrored[at])
        result.append(
            Placement(
                step=step,
                segment=int(pool.row[at]),
                clip=clip,
                mirrored=mirrored,
                source_start_s=float(edges[0]),
                source_end_s=float(edges[1]),
                source_beats_s=beats,
                continuation=before is not None
                and (before.clip, before.mirrored) == (clip, mirrored)
                and abs(before.source_end_s - float(edges[0])) < _SAME_TIME_S
                and not (before.trimmed or trimmed),
                trimmed=trimmed,
            )
        )
    return tuple(result)


def _aligned_beats(pool: Pool, at: int, last: int, step: Step, segments: Any) -> FloatArray:
    """Clip seconds of the beats of a run that fall on the step's beats, every other one in double time; else empty."""
    wanted = len(step.beats_s) - 1
    if wanted < 1:
        return np.empty(0)
    runs = [at]
    while runs[-1] != last:
        runs.append(int(pool.next[runs[-1]]))
    column = segments.column("beats_s")
    parts = [np.array(column[int(pool.row[run])].as_py(), dtype=np.float64) for run in runs]
    if any(len(part) < 2 for part in parts):
        return np.empty(0)
    beats = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
    stride = (len(beats) - 1) // wanted
    return beats[::stride] if stride in (1, 2) and (len(beats) - 1) == stride * wanted else np.empty(0)


def _mapped(step: Step, span: tuple[float, float], beats: FloatArray) -> FloatArray:
    """Clip seconds of the step's start and end: through its beats where they are aligned, else in proportion."""
    start_s, end_s = song.nominal_span(step)
    ends = np.array([step.start_s, step.end_s])
    rate = (span[1] - span[0]) / (end_s - start_s)
    if len(beats) == 0:
        return span[0] + rate * (ends - start_s)
    inside = np.interp(ends, step.beats_s, beats)
    return inside + rate * (np.minimum(ends - start_s, 0.0) + np.maximum(ends - end_s, 0.0))


def _metre(step: Step) -> int:
    return max(0, len(step.beats_s) - 1)
