"""What a user demands of a plan is kept: locks, beginnings, what to avoid, no repetition, the metre, other dances."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from dance_material import LoudnessEncoder, make_grid, make_music, make_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.errors import QueryError
from choreodb.music.music import Music
from choreodb.retriever import alternatives, candidates, costs, demands, lattice, planner, runners_up
from choreodb.retriever.candidates import build_pool
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.plan import Plan


def song(duration_s: float = 40.0, metre: int = 4, beat_s: float = 0.5) -> Music:
    return make_music(duration_s, [make_grid(np.arange(0.0, duration_s + beat_s * metre, beat_s), metre)])


def plans(tables: Any, music: Music, options: PlanOptions, count: int = 1) -> tuple[Plan, ...]:
    segments, clips, arrays = tables
    pool = build_pool(segments, clips, arrays)
    return planner.plans_in_pool(pool, music, LoudnessEncoder(), options, segments, np.zeros(len(pool.clips)), count)


def free_of(avoid: list[str], tables: Any) -> np.ndarray:
    segments, clips, _ = tables
    return demands.free(demands.keep_out(avoid, clips), segments, clips)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 100), locks=st.dictionaries(st.integers(0, 19), st.integers(0, 23), max_size=4))
def test_locked_steps_are_kept_and_the_rest_is_planned(seed: int, locks: dict[int, int]) -> None:
    tables = make_tables(np.random.default_rng(seed))
    plan = plans(tables, song(), PlanOptions(lock=locks))[0]
    assert {step: int(plan.segments[step]) for step in locks} == locks
    assert plan.locked == tuple(sorted(locks))
    free = plans(tables, song(), PlanOptions())[0]
    if all(free.segments[step] == segment for step, segment in locks.items()):
        assert np.array_equal(plan.segments, free.segments)


def test_locking_the_plan_itself_changes_nothing(rng: np.random.Generator) -> None:
    tables = make_tables(rng)
    free = plans(tables, song(), PlanOptions())[0]
    locks = {step: int(segment) for step, segment in enumerate(free.segments)}
    assert plans(tables, song(), PlanOptions(lock=locks))[0].cost == pytest.approx(free.cost)


def test_a_dance_begins_where_it_is_asked_to(rng: np.random.Generator) -> None:
    tables = make_tables(rng)
    plan = plans(tables, song(), PlanOptions(start="set/c2:4.3"))[0]
    assert plan.placements[0].clip == "set/c2"
    assert plan.placements[0].source_start_s == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start": "set/none:3"}, "is not CLIP:SECONDS"),
        ({"start": "set/c0:3", "lock": {0: 1}}, "both say how the dance begins"),
        ({"lock": {99: 0}}, "steps 0 to 19"),
        ({"lock": {3: 999}}, "segment 999 is not in this version"),
        ({"variety": 1.5}, "from 0"),
        ({"no_repeat_s": float("nan")}, "no_repeat_s is nan"),
    ],
)
def test_demands_that_cannot_be_met_say_why(rng: np.random.Generator, options: dict[str, Any], says: str) -> None:
    with pytest.raises(QueryError, match=says):
        plans(make_tables(rng), song(), PlanOptions(**options))


def test_what_is_kept_out_is_neither_used_nor_run_into(rng: np.random.Generator) -> None:
    tables = make_tables(rng)
    segments, clips, arrays = tables
    spans = demands.keep_out(["set/c1:3.0-5.0", "set/c[02]"], clips)
    free = demands.free(spans, segments, clips)
    kept = [(row["clip"], row["start_s"]) for row, keep in zip(segments.to_pylist(), free, strict=True) if keep]
    assert {clip for clip, _ in kept} == {"set/c1", "set/c3"}
    assert [start for clip, start in kept if clip == "set/c1"] == [0.0, 6.0, 8.0, 10.0]
    pool = build_pool(segments, clips, arrays, free)
    limited = demands.room(spans, pool.clip, pool.end_s, pool.clip_end_s)
    before = (pool.clip == 1) & (pool.start_s < 3.0)
    assert np.all(limited[before] == 3.0)
    assert np.array_equal(limited[~before], pool.clip_end_s[~before])


def test_patterns_that_name_nothing_are_refused(rng: np.random.Generator) -> None:
    tables = make_tables(rng)
    with pytest.raises(QueryError, match="names no clip"):
        free_of(["waltz*"], tables)
    with pytest.raises(QueryError, match="ends before it starts"):
        free_of(["set/c0:4-2"], tables)
    assert free_of(["set/c0:100-200"], tables).all()


def test_nothing_comes_back_too_soon(rng: np.random.Generator) -> None:
    tables = make_tables(rng, clips=6)
    plan = plans(tables, song(), PlanOptions(no_repeat_s=20.0, repeat_horizon_s=0.0))[0]
    assert plan.cost < costs.FORBIDDEN
    middles = [0.5 * (each.step.start_s + each.step.end_s) for each in plan.placements]
    for (a, at_a), (b, at_b) in combinations(zip(plan.segments, middles, strict=True), 2):
        assert a != b or at_b - at_a >= 20.0


def test_a_small_library_still_dances_where_nothing_may_come_back(rng: np.random.Generator) -> None:
    plan = plans(make_tables(rng, clips=1, bars=3), song(), PlanOptions(no_repeat_s=1000.0))[0]
    assert len(plan) == 20
    assert plan.cost > costs.FORBIDDEN


def test_a_strict_metre_takes_bars_of_as_many_beats(rng: np.random.Generator) -> None:
    tables = make_tables(rng, clips=4)
    segments = tables[0].to_pylist()
    threes = [row | {"metre": 3} if row["clip"] in ("set/c0", "set/c1") else row for row in segments]
    mixed = (tables[0].from_pylist(threes, schema=tables[0].schema), *tables[1:])
    plan = plans(mixed, song(30.0, metre=3, beat_s=0.6), PlanOptions(strict_metre=True))[0]
    exact = [len(each.step.beats_s) == 4 and not each.trimmed for each in plan.placements]
    used = [each.clip in ("set/c0", "set/c1") for each, whole in zip(plan.placements, exact, strict=True) if whole]
    assert used
    assert all(used)


def test_variety_goes_from_the_best_path_to_another(rng: np.random.Generator) -> None:
    tables = make_tables(rng, clips=8)
    best = plans(tables, song(), PlanOptions())[0]
    assert np.array_equal(plans(tables, song(), PlanOptions(seed=5, variety=0.0))[0].segments, best.segments)
    same = [np.mean(plans(tables, song(), PlanOptions(variety=v))[0].segments == best.segments) for v in (0.01, 1.0)]
    assert same[0] > same[1]


def test_alternatives_are_different_dances_at_little_cost(rng: np.random.Generator) -> None:
    tables = make_tables(rng, clips=30)
    segments, clips, arrays = tables
    pool = build_pool(segments, clips, arrays)
    options = PlanOptions(stage_m=None)
    music = song()
    best = planner.solve(pool, planner.ask(pool, music, music.grids[0], LoudnessEncoder(), options), options)
    nodes = best.choices.lattice
    paths = [best.path, *alternatives.others(nodes, best.path, 3, options)]
    for a, b in combinations(paths, 2):
        assert alternatives.different_share(nodes, a, b) >= alternatives.DIFFERENT_SHARE
    assert alternatives.different_share(nodes, best.path, best.path) == 0.0
    listed = plans(tables, music, options, 4)
    assert len({tuple(plan.segments.tolist()) for plan in listed}) == 4
    assert listed[0].cost <= min(plan.cost for plan in listed) * 1.02


def test_runners_up_cost_what_they_say(rng: np.random.Generator) -> None:
    """Twin: exchange the segment by hand and price the whole path again."""
    tables = make_tables(rng, clips=6)
    pool = build_pool(*tables)
    options, music = PlanOptions(), song()
    found = planner.solve(pool, planner.ask(pool, music, music.grids[0], LoudnessEncoder(), options), options)
    nodes, limits = found.choices.lattice, planner.limits_of(options)
    for step, other in enumerate(runners_up.find(pool, found.choices, found.path, options.weights, limits)):
        assert other is not None
        here = nodes.nodes(step)
        node = here.start + int(np.flatnonzero(pool.row[nodes.segment[here]] == other.segment)[0])
        path = found.path.copy()
        path[step] = node
        cost = float(lattice.path_terms(nodes, path, options.weights, limits).sum())
        assert other.extra_cost == pytest.approx(cost - found.cost, abs=1e-6)
        assert sum(other.terms.values()) == pytest.approx(other.extra_cost)
        assert not alternatives.same_material(nodes, np.array([node]), found.path[step : step + 1])[0]


def test_pair_prices_agree_with_path_terms(rng: np.random.Generator) -> None:
    pool = build_pool(*make_tables(rng, clips=6))
    options, music = PlanOptions(), song()
    found = planner.solve(pool, planner.ask(pool, music, music.grids[0], LoudnessEncoder(), options), options)
    nodes = found.choices.lattice
    terms = lattice.path_terms(nodes, found.path, options.weights, lattice.NO_LIMITS)[1:4].sum(axis=0)
    for step in range(1, len(nodes)):
        before, after = found.path[step - 1 : step], found.path[step : step + 1]
        price = lattice.pair_prices(nodes, before, after, step, options.weights)[0, 0]
        assert price == pytest.approx(terms[step])


def test_candidates_still_have_room(rng: np.random.Generator) -> None:
    pool = build_pool(*make_tables(rng))
    assert np.all(candidates.fit(pool, 2.0).source_end_s <= pool.clip_end_s + 1e-9)
