"""Long songs: stretches give sound paths and bounds, remember what came before, and begin as well as when planned alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dance_material import LoudnessEncoder, make_grid, make_music, make_tables
from hypothesis import given, settings
from hypothesis import strategies as st
from test_search import LIMITS, WEIGHTS, all_paths, make_lattice, naive_cost

from choreodb.retriever import lattice, planner, stretches
from choreodb.retriever.candidates import build_pool
from choreodb.retriever.options import PlanOptions


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "LONG", 4)
    monkeypatch.setattr(stretches, "STRETCH", 3)
    monkeypatch.setattr(stretches, "AHEAD", 2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), stage=st.booleans())
def test_bounds_of_stretches_bound_every_path(seed: int, stage: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "STRETCH", 3)
        patch.setattr(stretches, "AHEAD", 2)
        nodes = make_lattice(np.random.default_rng(seed), 6, 3)
        limits = LIMITS if stage else replace(LIMITS, half_m=(np.inf, np.inf))
        path = stretches.search(nodes, WEIGHTS, 8, limits)
        assert [nodes.nodes(step).start <= node < nodes.nodes(step).stop for step, node in enumerate(path)] == [
            True
        ] * 6
        best = min(naive_cost(nodes, other, limits) for other in all_paths(nodes))
        free = stretches.bound(nodes, WEIGHTS, limits)
        assert free <= stretches.bound(nodes, WEIGHTS, limits, path) + 1e-6 <= best + 1e-5
        assert naive_cost(nodes, path, limits) >= best - 1e-5


def test_a_stretch_remembers_the_one_before(rng: np.random.Generator, short_stretches: None) -> None:
    """Two nodes a step, the same two all along, free of charge: the second stretch must not repeat the first."""
    nodes = make_lattice(rng, 6, 12, twins=False)
    at = np.concatenate([nodes.offset[step] + np.arange(min(2, np.diff(nodes.offset)[step])) for step in range(6)])
    few = nodes.taken(at, 0, 6)
    limits = replace(LIMITS, half_m=(np.inf, np.inf), horizon_s=100.0)
    found = naive_cost(few, stretches.search(few, WEIGHTS, 64, limits), limits)
    best = min(naive_cost(few, path, limits) for path in all_paths(few))
    whole = lattice.search(few, lattice.relax(few, WEIGHTS, limits), WEIGHTS, 64, limits)
    assert found <= 1.5 * best
    assert naive_cost(few, whole, limits) == pytest.approx(best, abs=1e-4)


def test_a_long_song_begins_as_well_as_when_planned_alone(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "LONG", 60)
    monkeypatch.setattr(stretches, "STRETCH", 40)
    monkeypatch.setattr(stretches, "AHEAD", 20)
    pool = build_pool(*make_tables(rng, clips=16, bars=12))
    options = PlanOptions(candidate_gap=False)

    def cost_of_steps(duration_s: float) -> np.ndarray:
        music = make_music(duration_s, [make_grid(np.arange(0.0, duration_s + 2.0, 0.5))])
        query = planner.ask(pool, music, music.grids[0], LoudnessEncoder(), options)
        return planner.solve(pool, query, options).terms.sum(axis=0)

    begin = slice(0, 50)
    assert cost_of_steps(400.0)[begin].sum() <= 1.03 * cost_of_steps(110.0)[begin].sum()


def test_long_songs_have_plans_with_everything(rng: np.random.Generator, short_stretches: None, tmp_path: Path) -> None:
    segments, clips, arrays = make_tables(rng, clips=8, bars=8)
    pool = build_pool(segments, clips, arrays)
    music = make_music(30.0, [make_grid(np.arange(0.0, 32.0, 0.5))])
    plans = planner.plans_in_pool(
        pool, music, LoudnessEncoder(), PlanOptions(), segments, np.zeros(len(pool.clips)), count=2
    )
    for plan in plans:
        assert plan.gap_in_lattice == pytest.approx(plan.cost - plan.relaxation_cost)
        assert len(plan.runners_up) == len(plan)
    assert plans[0].candidate_gap is not None
    assert plans[0].segments.tolist() != plans[1].segments.tolist()
