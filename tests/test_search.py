"""The path search against naive twins: Viterbi, the beam with repetition, and their guarantees."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.retriever import (
    beam_kernel,
    costs,
    exchange_kernel,
    lattice,
    path_kernel,
    polish_kernel,
    price_kernel,
    prices,
    search_kernel,
)
from choreodb.retriever.costs import CostWeights, FloatArray, IntArray
from choreodb.retriever.lattice import NO_LIMITS, Lattice, Limits

WEIGHTS = CostWeights()
LIMITS = Limits(horizon_s=7.0, verbatim_s=3.0, half_m=(0.8, 1.1))


def make_lattice(
    rng: np.random.Generator, steps: int, width: int, *, segments: int = 12, twins: bool = True
) -> Lattice:
    """A random lattice over `segments` segments in 3 clips, in bars of 2 s."""
    rows = [np.sort(rng.choice(segments, size=int(rng.integers(1, width + 1)), replace=False)) for _ in range(steps)]
    segment = np.concatenate(rows).astype(np.int64)
    sizes = np.array([len(row) for row in rows])
    following = np.where(np.arange(segments) % 4 < 3, np.arange(segments) + 1, -1)
    last_step = np.repeat(np.arange(steps) == steps - 1, sizes)
    entry = rng.normal(size=(segments, 5)).astype(np.float32) * 0.4
    leave = rng.normal(size=(segments, 5)).astype(np.float32) * 0.4
    start_s = (np.arange(segments) % 4) * 1.5
    twin = np.where(np.arange(segments) % 5 == 0, 7, -1) if twins else np.full(segments, -1)
    return Lattice(
        offset=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        segment=segment,
        unary=rng.random(len(segment)),
        next=np.where(last_step, -1, following[segment]),
        leave_row=segment,
        origin=segment // 4,
        origin_start_s=start_s[segment],
        origin_end_s=start_s[segment] + 2.0,
        twin=twin[segment].astype(np.int64),
        style=(segment % 3 - 1).astype(np.int64),
        travel=rng.normal(size=(len(segment), 3)),
        middle_s=1.0 + 2.0 * np.arange(steps),
        seconds=np.full(steps, 2.0),
        place=rng.choice([0.0, 0.5, 1.0], size=steps),
        section=rng.random(steps),
        boundaries=lattice.boundaries_of(entry, leave),
    )


def naive_cost(nodes: Lattice, path: IntArray, limits: Limits, first: int = 0) -> float:
    """The cost of a path from step `first` on, written as the documentation says it."""
    total, run = 0.0, 0
    place, yaw = 0j, 0.0
    for step, node in enumerate(path):
        total += nodes.unary[node]
        if step:
            before = path[step - 1]
            if nodes.next[before] != nodes.segment[node]:
                gap = np.subtract(
                    nodes.boundaries.leave[nodes.leave_row[before]],
                    nodes.boundaries.entry[nodes.segment[node]],
                    dtype=np.float64,
                )
                total += WEIGHTS.transition * float(np.sum(gap**2))
                styles = int(nodes.style[before]), int(nodes.style[node])
                if styles[0] != styles[1] and min(styles) >= 0:
                    total += WEIGHTS.style_change
                total += WEIGHTS.phrasing * (1.0 - nodes.place[first + step])
            else:
                total += WEIGHTS.phrasing * nodes.section[first + step]
        # x + iz, seen from above: a turn by yaw takes +z towards +x
        way_x, way_z, turn = nodes.travel[node]
        place += complex(way_x, way_z) * np.exp(-1j * yaw)
        yaw += turn
        over = [max(0.0, abs(at) - half) for at, half in zip((place.real, place.imag), limits.half_m, strict=True)]
        total += WEIGHTS.stage * (over[0] ** 2 + over[1] ** 2)
        goes_on = step > 0 and nodes.next[path[step - 1]] == nodes.segment[node]
        run = run + 1 if goes_on else 1
        total += WEIGHTS.verbatim * min(1.0, max(0.0, run - limits.verbatim_s / 2.0))
        for past_step in range(step):
            past = path[past_step]
            elapsed_s = nodes.middle_s[step] - nodes.middle_s[past_step]
            if elapsed_s >= limits.horizon_s:
                continue
            share = 0.0
            if nodes.twin[past] >= 0 and nodes.twin[past] == nodes.twin[node]:
                share = 1.0
            elif nodes.origin[past] == nodes.origin[node]:
                stop = min(nodes.origin_end_s[past], nodes.origin_end_s[node])
                start = max(nodes.origin_start_s[past], nodes.origin_start_s[node])
                share = (stop - start) / 2.0
            if share > costs.SAME_ORIGIN_OVERLAP:
                total += WEIGHTS.repetition * share * (1.0 - elapsed_s / limits.horizon_s)
    return float(total + naive_familiarity(nodes, path, limits))


def naive_familiarity(nodes: Lattice, path: IntArray, limits: Limits) -> float:
    """Share of each origin in each stretch of half the horizon, begun every eighth of it, times what is above the free share."""
    total, hop_s = 0.0, limits.horizon_s / 8.0
    for first in range(-3, int(nodes.middle_s[-1] / hop_s) + 1) if hop_s else ():
        inside = [step for step in range(len(path)) if 0 <= int(nodes.middle_s[step] / hop_s) - first < 4]
        for origin in {int(nodes.origin[path[step]]) for step in inside}:
            share = sum(2.0 for step in inside if nodes.origin[path[step]] == origin) / (4.0 * hop_s)
            total += share * max(0.0, share - costs.FAMILIAR_SHARE) * (4.0 * hop_s / costs.UNIT_S) / 4.0
    return WEIGHTS.familiar * total


def all_paths(nodes: Lattice) -> list[IntArray]:
    ranges = [range(nodes.nodes(step).start, nodes.nodes(step).stop) for step in range(len(nodes))]
    return [np.array(path) for path in itertools.product(*ranges)]


def beam_cost(nodes: Lattice, width: int, limits: Limits) -> float:
    relaxation = lattice.relax(nodes, WEIGHTS, limits)
    path = lattice.beam_search(nodes, relaxation, WEIGHTS, width, limits)
    return float(lattice.path_terms(nodes, path, WEIGHTS, limits).sum())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 5))
def test_a_beam_wide_enough_is_brute_force(seed: int, steps: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), steps, 4)
    best = min(naive_cost(nodes, path, LIMITS) for path in all_paths(nodes))
    assert beam_cost(nodes, lattice.NODE_SHARE * 4**4, LIMITS) == pytest.approx(best, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 5))
def test_relaxation_is_brute_force_without_repetition(seed: int, steps: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), steps, 4)
    relaxation = lattice.relax(nodes, WEIGHTS)
    best = min(naive_cost(nodes, path, NO_LIMITS) for path in all_paths(nodes))
    assert relaxation.cost == pytest.approx(best, abs=1e-5)
    assert naive_cost(nodes, relaxation.path, NO_LIMITS) == pytest.approx(best, abs=1e-5)


def naive_viterbi(nodes: Lattice) -> FloatArray:
    togo = np.zeros(len(nodes.segment))
    for step in range(len(nodes) - 2, -1, -1):
        for a in range(nodes.nodes(step).start, nodes.nodes(step).stop):
            ahead = range(nodes.nodes(step + 1).start, nodes.nodes(step + 1).stop)
            pairs = [naive_cost(nodes, np.array([a, b]), NO_LIMITS, step) - nodes.unary[a] + togo[b] for b in ahead]
            togo[a] = min(pairs)
    return togo


def test_viterbi_equals_its_naive_twin(rng: np.random.Generator) -> None:
    # naive_cost takes positions in the path as steps, so that pairs need a lattice without repetition.
    nodes = make_lattice(rng, 9, 8)
    togo = lattice.relax(nodes, WEIGHTS).togo
    np.testing.assert_allclose(togo, np.repeat(naive_viterbi(nodes)[:, None], togo.shape[1], axis=1), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 5))
def test_relaxation_counts_long_runs(seed: int, steps: int) -> None:
    """Brute force where nothing but the run of one take is remembered: no twins, no stage, every origin used once."""
    nodes = make_lattice(np.random.default_rng(seed), steps, 4, twins=False)
    lone = replace(nodes, origin=np.arange(len(nodes.segment)))
    limits = replace(LIMITS, half_m=(np.inf, np.inf), horizon_s=0.0)
    best = min(naive_cost(lone, path, limits) for path in all_paths(lone))
    relaxation = lattice.relax(lone, WEIGHTS, limits)
    assert relaxation.cost == pytest.approx(best, abs=1e-5)
    assert naive_cost(lone, relaxation.path, limits) == pytest.approx(best, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 6))
def test_relaxation_bounds_every_path(seed: int, steps: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), steps, 4)
    bound = lattice.relax(nodes, WEIGHTS, LIMITS).cost
    assert bound >= lattice.relax(nodes, WEIGHTS).cost - 1e-5
    assert bound <= min(naive_cost(nodes, path, LIMITS) for path in all_paths(nodes)) + 1e-5


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(2, 6))
def test_prices_bound_every_path_and_only_raise_the_bound(seed: int, steps: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), steps, 4)
    relaxation = lattice.relax(nodes, WEIGHTS, LIMITS)
    path = lattice.search(nodes, relaxation, WEIGHTS, 4, LIMITS)
    best = min(naive_cost(nodes, path, LIMITS) for path in all_paths(nodes))
    priced = prices.tighten(relaxation, naive_cost(nodes, path, LIMITS), path)
    assert relaxation.cost <= priced.cost <= best + 1e-5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_prices_bound_every_path(seed: int) -> None:
    """The bound holds for prices that nobody would choose, and the beam finds what enumeration finds."""
    rng = np.random.default_rng(seed)
    nodes = make_lattice(rng, 5, 4)
    relaxation = lattice.relax(nodes, WEIGHTS, LIMITS)
    cells = prices._cells(relaxation.net)
    use = rng.exponential(2.0, size=len(cells.step)) * (rng.random(len(cells.step)) < 0.5)
    fill = rng.exponential(0.5, size=(int(relaxation.net.block[-1]) + 1, len(nodes.segment)))
    cost, _ = price_kernel.bound(
        relaxation.net, relaxation.rules, cells, use, fill,
        np.zeros_like(relaxation.togo), np.zeros_like(use), np.zeros_like(fill),
    )  # fmt: skip
    assert cost <= min(naive_cost(nodes, path, LIMITS) for path in all_paths(nodes)) + 1e-5


@pytest.mark.parametrize("seed", range(12))
def test_prices_stay_sound_where_the_bound_meets_the_optimum(seed: int) -> None:
    """One origin all along: its price is known at once, and going on must not drive prices up."""
    rng = np.random.default_rng(seed)
    nodes = make_lattice(rng, 5, 4, twins=False)
    nodes = replace(nodes, origin=np.zeros_like(nodes.origin), origin_start_s=4.0 * np.arange(len(nodes.segment)))
    nodes = replace(nodes, origin_end_s=nodes.origin_start_s + 2.0)
    limits = Limits(24.0, 16.0)
    relaxation = lattice.relax(nodes, WEIGHTS, limits)
    costs_of = [path_kernel.path_price(relaxation.net, relaxation.rules, path) for path in all_paths(nodes)]
    best = all_paths(nodes)[int(np.argmin(costs_of))]
    priced = prices.tighten(relaxation, min(costs_of), best, rounds=8, iterations=200)
    assert relaxation.cost < priced.cost <= min(costs_of) + 1e-5


def test_a_locked_step_does_not_narrow_the_beam(rng: np.random.Generator) -> None:
    nodes = make_lattice(rng, 5, 4)
    one = np.concatenate([np.arange(nodes.offset[2]), nodes.offset[2:3], np.arange(nodes.offset[3], nodes.offset[5])])
    locked = nodes.taken(one, 0, 5)
    best = min(naive_cost(locked, path, LIMITS) for path in all_paths(locked))
    assert beam_cost(locked, 256, LIMITS) == pytest.approx(best, abs=1e-5)


def test_prices_close_part_of_the_gap(rng: np.random.Generator) -> None:
    nodes = make_lattice(rng, 40, 12, segments=60)
    limits = Limits(60.0, 16.0)
    relaxation = lattice.relax(nodes, WEIGHTS, limits)
    path = lattice.search(nodes, relaxation, WEIGHTS, 64, limits)
    cost = float(lattice.path_terms(nodes, path, WEIGHTS, limits).sum())
    priced = prices.tighten(relaxation, cost, path)
    assert priced.cost > relaxation.cost + 0.3 * (cost - relaxation.cost)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(2, 20))
def test_polishing_never_makes_a_path_dearer(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = make_lattice(rng, steps, 9)
    path = np.array([rng.integers(nodes.nodes(step).start, nodes.nodes(step).stop) for step in range(steps)])
    cost, better = lattice.polished(lattice.relax(nodes, WEIGHTS, LIMITS), path)
    assert cost == pytest.approx(naive_cost(nodes, better, LIMITS), abs=1e-4)
    assert cost <= naive_cost(nodes, path, LIMITS) + 1e-5


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), first=st.integers(0, 7), length=st.integers(1, 8))
def test_a_window_is_searched_exactly_where_the_stage_does_not_count(seed: int, first: int, length: int) -> None:
    """A beam over a window, wide enough, finds the best of all paths that differ only there."""
    nodes = make_lattice(np.random.default_rng(seed), 8, 3)
    limits = replace(LIMITS, half_m=(np.inf, np.inf))
    last = min(8, first + min(length, 4))
    relaxation = lattice.relax(nodes, WEIGHTS, limits)
    net, rules = relaxation.net, relaxation.rules
    given_path = nodes.offset[:-1].copy()
    unary = polish_kernel.beside(net, rules, given_path, first, last)
    togo = np.zeros_like(relaxation.togo)
    polish_kernel._join_on(net, given_path, last, unary, togo)
    search_kernel.backward(net, unary, first, last - 1, togo)
    found = beam_kernel.beam(net, rules, togo, given_path, first, last, 1000, 1000, np.inf)
    choices = [range(nodes.nodes(step).start, nodes.nodes(step).stop) for step in range(first, last)]
    best = min(
        naive_cost(nodes, np.concatenate([given_path[:first], middle, given_path[last:]]), limits)
        for middle in itertools.product(*choices)
    )
    assert naive_cost(nodes, found, limits) == pytest.approx(best, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_search_is_no_worse_than_its_beam(seed: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), 15, 9)
    relaxation = lattice.relax(nodes, WEIGHTS, LIMITS)
    path = lattice.beam_search(nodes, relaxation, WEIGHTS, 8, LIMITS, guide=lattice.GUIDE)
    found = lattice.search(nodes, relaxation, WEIGHTS, 8, LIMITS)
    assert cost_of(nodes, found) <= cost_of(nodes, path) + 1e-5


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 6))
def test_the_search_of_few_paths_is_exact(seed: int, steps: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), steps, 4)
    best = min(naive_cost(nodes, path, LIMITS) for path in all_paths(nodes))
    found = lattice.search(nodes, lattice.relax(nodes, WEIGHTS, LIMITS), WEIGHTS, 1, LIMITS)
    assert naive_cost(nodes, found, LIMITS) == pytest.approx(best, abs=1e-5)


def cost_of(nodes: Lattice, path: IntArray) -> float:
    return float(lattice.path_terms(nodes, path, WEIGHTS, LIMITS).sum())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 12))
def test_an_exchange_costs_what_the_other_path_does(seed: int, steps: int) -> None:
    """Prices of all nodes at one step differ as the prices of the whole paths with them do."""
    rng = np.random.default_rng(seed)
    nodes = make_lattice(rng, steps, 9)
    path = np.array([rng.integers(nodes.nodes(step).start, nodes.nodes(step).stop) for step in range(steps)])
    relaxation, step = lattice.relax(nodes, WEIGHTS, LIMITS), int(rng.integers(steps))
    here = np.arange(nodes.nodes(step).start, nodes.nodes(step).stop)
    prices_of = exchange_kernel.exchanged(relaxation.net, relaxation.rules, path, step, here)
    others = [np.where(np.arange(steps) == step, node, path) for node in here]
    whole = np.array([naive_cost(nodes, other, LIMITS) for other in others])
    np.testing.assert_allclose(prices_of - prices_of[0], whole - whole[0], atol=1e-4)


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.integers(-3, 3), max_size=40))
def test_ascending_is_a_stable_sort(values: list[int]) -> None:
    given_values = np.array(values, dtype=np.float64)
    np.testing.assert_array_equal(beam_kernel.ascending(given_values), np.argsort(given_values, kind="stable"))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(2, 20))
def test_without_repetition_any_beam_is_optimal(seed: int, steps: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), steps, 9)
    optimum = lattice.relax(nodes, WEIGHTS).cost
    for width in (1, 3, 64):
        assert beam_cost(nodes, width, NO_LIMITS) == pytest.approx(optimum, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(2, 20))
def test_the_relaxation_is_a_lower_bound(seed: int, steps: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), steps, 9)
    assert beam_cost(nodes, 16, LIMITS) >= lattice.relax(nodes, WEIGHTS, LIMITS).cost - 1e-5


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(2, 12))
def test_path_terms_equal_the_naive_cost(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = make_lattice(rng, steps, 9)
    path = np.array([rng.integers(nodes.nodes(step).start, nodes.nodes(step).stop) for step in range(steps)])
    terms = lattice.path_terms(nodes, path, WEIGHTS, LIMITS)
    assert terms.sum() == pytest.approx(naive_cost(nodes, path, LIMITS), abs=1e-6)


def test_search_is_deterministic(rng: np.random.Generator) -> None:
    nodes = make_lattice(rng, 30, 12)
    relaxation = lattice.relax(nodes, WEIGHTS)
    paths = [lattice.beam_search(nodes, relaxation, WEIGHTS, 64, LIMITS) for _ in range(2)]
    np.testing.assert_array_equal(paths[0], paths[1])


def test_ties_go_to_the_lower_segment(rng: np.random.Generator) -> None:
    nodes = make_lattice(rng, 4, 6, twins=False)
    flat = Lattice(
        **{
            **{name: getattr(nodes, name) for name in Lattice.__dataclass_fields__},
            "unary": np.zeros(len(nodes.segment)),
            "next": np.full(len(nodes.segment), -1),
            "style": np.full(len(nodes.segment), -1),
            "boundaries": lattice.boundaries_of(np.zeros((12, 5), np.float32), np.zeros((12, 5), np.float32)),
        }
    )
    relaxation = lattice.relax(flat, WEIGHTS)
    np.testing.assert_array_equal(relaxation.path, flat.offset[:-1])
    np.testing.assert_array_equal(lattice.beam_search(flat, relaxation, WEIGHTS, 8, NO_LIMITS), flat.offset[:-1])


def test_a_single_step(rng: np.random.Generator) -> None:
    nodes = make_lattice(rng, 1, 6)
    relaxation = lattice.relax(nodes, WEIGHTS)
    path = lattice.beam_search(nodes, relaxation, WEIGHTS, 8, LIMITS)
    assert path.tolist() == [int(np.argmin(nodes.unary))]
