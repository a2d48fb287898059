"""The path search against naive twins: Viterbi, the beam with repetition, and their guarantees."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.retriever import costs, lattice
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
        same_s = 0.0
        for past_step in range(step):
            past = path[past_step]
            elapsed_s = nodes.middle_s[step] - nodes.middle_s[past_step]
            if elapsed_s >= limits.horizon_s:
                continue
            if nodes.origin[past] == nodes.origin[node]:
                same_s += 2.0 * max(0.0, 1.0 - elapsed_s / (limits.horizon_s / 2.0))
            share = 0.0
            if nodes.twin[past] >= 0 and nodes.twin[past] == nodes.twin[node]:
                share = 1.0
            elif nodes.origin[past] == nodes.origin[node]:
                stop = min(nodes.origin_end_s[past], nodes.origin_end_s[node])
                start = max(nodes.origin_start_s[past], nodes.origin_start_s[node])
                share = (stop - start) / 2.0
            if share > costs.SAME_ORIGIN_OVERLAP:
                total += WEIGHTS.repetition * share * (1.0 - elapsed_s / limits.horizon_s)
        if limits.horizon_s:
            # the mean freshness over half of the horizon is a half
            familiar = same_s / (limits.horizon_s / 4.0)
            total += WEIGHTS.familiar * max(0.0, familiar - costs.FAMILIAR_SHARE)
    return float(total)


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
    np.testing.assert_allclose(togo, np.repeat(naive_viterbi(nodes)[:, None], lattice.RUNS, axis=1), atol=1e-5)


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
    assert bound >= lattice.relax(nodes, WEIGHTS).cost - 1e-9
    assert bound <= min(naive_cost(nodes, path, LIMITS) for path in all_paths(nodes)) + 1e-5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_search_is_no_worse_than_its_beams(seed: int) -> None:
    nodes = make_lattice(np.random.default_rng(seed), 15, 9)
    relaxation = lattice.relax(nodes, WEIGHTS, LIMITS)
    costs_of = [
        lattice.path_terms(
            nodes, lattice.beam_search(nodes, relaxation, WEIGHTS, 8, LIMITS, guide=guide), WEIGHTS, LIMITS
        )
        for guide in lattice.GUIDES
    ]
    found = lattice.path_terms(nodes, lattice.search(nodes, relaxation, WEIGHTS, 8, LIMITS), WEIGHTS, LIMITS).sum()
    best = min(float(terms.sum()) for terms in costs_of)
    assert found == pytest.approx(best) or found <= (1.0 + lattice.CLOSE_SHARE) * relaxation.cost


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
