"""Plans: every song gets one from every library with a usable segment, and each says what it cost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from dance_material import LoudnessEncoder, make_grid, make_music, make_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.errors import QueryError
from choreodb.music.grid import NO_GRID
from choreodb.music.music import Music
from choreodb.retriever import costs, path_kernel, planner
from choreodb.retriever.candidates import build_pool, cheapest, fit, travelled
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.plan import Plan


def plan_tables(tables: Any, music: Music, options: PlanOptions | None = None, mask: Any = None) -> Plan:
    segments, clips, arrays = tables
    pool = build_pool(segments, clips, arrays, mask)
    return planner.plan_in_pool(pool, music, LoudnessEncoder(), options or PlanOptions(), segments)


def steady_song(duration_s: float = 40.0, beat_s: float = 0.5, metre: int = 4) -> Music:
    return make_music(duration_s, [make_grid(np.arange(0.0, duration_s + metre * beat_s, beat_s), metre)])


def assert_sound(plan: Plan, music: Music, tables: Any) -> None:
    """What holds for every plan."""
    steps = [placement.step for placement in plan.placements]
    assert steps[0].start_s == 0.0
    assert steps[-1].end_s == music.duration_s
    assert all(a.end_s == b.start_s for a, b in pairwise(steps))
    assert set(plan.terms) == set(costs.TERMS)
    assert all(len(values) == len(plan) and np.all(values >= 0.0) for values in plan.terms.values())
    assert sum(values.sum() for values in plan.terms.values()) == pytest.approx(plan.cost)
    assert plan.gap_in_lattice >= 0.0
    assert plan.cost - plan.relaxation_cost == pytest.approx(plan.gap_in_lattice, abs=1e-9)
    assert plan.candidate_gap is None or plan.candidate_gap >= 0.0
    frames = dict(zip(tables[1].column("clip").to_pylist(), tables[1].column("frames").to_pylist(), strict=True))
    for placement, rate in zip(plan.placements, plan.warp_rates, strict=True):
        assert 0.0 <= placement.source_start_s < placement.source_end_s <= (frames[placement.clip] - 1) / 60 + 1e-9
        assert placement.trimmed or costs.MIN_WARP - 1e-6 <= rate <= costs.MAX_WARP + 1e-6
        assert len(placement.source_beats_s) in (0, len(placement.step.beats_s))
        assert np.all(np.diff(placement.source_beats_s) > 0.0)
    for before, after in pairwise(plan.placements):
        if after.continuation:
            assert (before.clip, before.mirrored) == (after.clip, after.mirrored)
            assert before.source_end_s == pytest.approx(after.source_start_s, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    clips=st.integers(1, 4),
    bars=st.integers(1, 5),
    bar_s=st.floats(0.7, 5.0),
    metre=st.sampled_from([None, 3, 4]),
    duration_s=st.floats(1.0, 40.0),
    beat_s=st.sampled_from([0.3, 0.5, 1.0]),
    rest=st.booleans(),
)
def test_every_library_dances_to_every_song(
    seed: int, clips: int, bars: int, bar_s: float, metre: int | None, duration_s: float, beat_s: float, rest: bool
) -> None:
    tables = make_tables(np.random.default_rng(seed), clips=clips, bars=bars, bar_s=bar_s, metre=metre, mirrored=True)
    grid = make_grid(np.arange(0.3, duration_s + 4.0, beat_s))
    music = make_music(duration_s, [grid], [(0.0, duration_s / 3)] if rest else [])
    plan = plan_tables(tables, music)
    assert_sound(plan, music, tables)


def test_a_song_without_beats_is_danced(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng), make_music(13.0, [NO_GRID])
    plan = plan_tables(tables, music)
    assert_sound(plan, music, tables)
    assert {placement.step.kind for placement in plan.placements} == {"rest"}


def test_beats_are_aligned_one_to_one(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, bar_s=1.9), steady_song()
    plan = plan_tables(tables, music)
    for placement in plan.placements:
        np.testing.assert_allclose(
            placement.source_beats_s, np.linspace(placement.source_start_s, placement.source_end_s, 5), atol=1e-9
        )
    np.testing.assert_allclose(plan.warp_rates, 0.95)


def test_double_time_takes_every_other_beat(rng: np.random.Generator) -> None:
    """Bars of 4 s in the song, bars of 2 s in the library: runs of two, every other beat on a beat."""
    tables, music = make_tables(rng, bars=8), steady_song(beat_s=1.0)
    plan = plan_tables(tables, music)
    assert_sound(plan, music, tables)
    runs = [placement for placement in plan.placements if placement.step.end_s - placement.step.start_s == 4.0]
    for placement in runs:
        assert not placement.trimmed
        np.testing.assert_allclose(np.diff(placement.source_beats_s), 1.0)


def test_long_bars_are_halved_for_short_windows(rng: np.random.Generator) -> None:
    """Windows of 2 s in clips of one window cannot fill bars of 4 s: the bars are halved."""
    tables, music = make_tables(rng, clips=12, bars=1, metre=None), steady_song(beat_s=1.0)
    plan = plan_tables(tables, music)
    assert_sound(plan, music, tables)
    assert len(plan) == 20
    assert not any(placement.trimmed for placement in plan.placements)


def test_bars_are_regrouped_for_windows_of_another_length(rng: np.random.Generator) -> None:
    """Windows of 3 s over bars of 2 s: groups of six beats, cut on beats, nothing trimmed."""
    tables, music = make_tables(rng, clips=6, bars=3, bar_s=3.0, metre=None), steady_song()
    plan = plan_tables(tables, music)
    assert_sound(plan, music, tables)
    assert not any(placement.trimmed for placement in plan.placements)
    beats = music.grids[0].times_s
    assert all(np.abs(beats - placement.step.start_s).min() < 1e-9 for placement in plan.placements)


def test_longer_windows_are_trimmed_at_the_end(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, bars=1, bar_s=30.0, metre=None), steady_song()
    plan = plan_tables(tables, music)
    assert_sound(plan, music, tables)
    assert all(placement.trimmed for placement in plan.placements)
    assert all(placement.source_start_s == 0.0 for placement in plan.placements)
    np.testing.assert_allclose(plan.warp_rates, 1.0)
    assert np.all(plan.terms["trim"] > 0.0)


def test_a_cut_first_bar_maps_in_proportion(rng: np.random.Generator) -> None:
    tables = make_tables(rng, bar_s=2.0)
    music = make_music(13.2, [make_grid(np.arange(1.2, 14.0, 0.5))])
    first = plan_tables(tables, music).placements[0]
    whole = first.source_beats_s[-1] - first.source_beats_s[0]
    assert first.source_end_s - first.source_start_s == pytest.approx(1.2 / 2.0 * whole)
    assert first.source_end_s == pytest.approx(first.source_beats_s[-1])


def test_continuations_are_followed_where_cuts_are_dear(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, clips=6, bars=10), steady_song()
    plan = plan_tables(tables, music, PlanOptions(weights=costs.CostWeights(transition=50.0)))
    follows = np.array([placement.continuation for placement in plan.placements])
    assert follows.mean() > 0.7
    assert np.all(plan.terms["transition"][follows] == 0.0)
    assert np.all(plan.terms["transition"][1:][~follows[1:]] > 0.0)


def test_mask_is_respected_and_its_order_does_not_matter(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, clips=4, bars=6), steady_song()
    mask = np.arange(24) % 6 != 2
    plan = plan_tables(tables, music, mask=mask)
    assert np.all(mask[plan.segments])
    assert_sound(plan, music, tables)


def test_repetition_is_avoided_where_there_is_enough(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, clips=10, bars=6, mirrored=True), steady_song(60.0)
    plan = plan_tables(tables, music)
    origins = [(placement.clip, placement.source_start_s) for placement in plan.placements]
    assert len(set(origins)) == len(origins)
    assert plan.terms["repetition"].sum() == 0.0
    careless = plan_tables(tables, music, PlanOptions(repeat_horizon_s=0.0))
    assert careless.gap_in_lattice == pytest.approx(0.0, abs=1e-4)


def test_twins_count_as_the_same(rng: np.random.Generator) -> None:
    segments, clips, arrays = make_tables(rng, clips=2, bars=6)
    twins = pa.array([bar for _ in range(2) for bar in range(6)], pa.int64())
    segments = segments.set_column(segments.schema.get_field_index("twin_group"), "twin_group", twins)
    plan = plan_tables((segments, clips, arrays), steady_song(24.0))
    assert plan.terms["repetition"].sum() > 0.0


def test_the_same_seed_gives_the_same_dance_and_others_differ(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, clips=8, bars=8), steady_song()
    for side in ("entry", "exit"):
        tables[2][side] *= 0.5
    again = [plan_tables(tables, music, PlanOptions(seed=3)).segments for _ in range(2)]
    np.testing.assert_array_equal(*again)
    plain = plan_tables(tables, music)
    assert plain.terms["variation"].sum() == 0.0
    shares = [
        np.mean(plan_tables(tables, music, PlanOptions(seed=seed)).segments == plain.segments) for seed in (1, 2, 3)
    ]
    assert max(shares) < 1.0


def test_more_candidates_never_cost_more_in_the_relaxation(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, clips=10, bars=8), steady_song()
    segments, clips, arrays = tables
    pool = build_pool(segments, clips, arrays)
    options = PlanOptions(candidates=6)
    query = planner.ask(pool, music, music.grids[0], LoudnessEncoder(), options)
    small = planner.solve(pool, query, options)
    large = planner.solve(pool, query, PlanOptions(candidates=24), small.choices.lattice)
    assert large.relaxation.cost <= small.relaxation.cost + 1e-6
    for step in range(len(query.steps)):
        nodes = [set(part.choices.lattice.segment[part.choices.lattice.nodes(step)]) for part in (small, large)]
        assert nodes[0] <= nodes[1]


def test_the_better_hypothesis_is_chosen_and_all_are_told(rng: np.random.Generator) -> None:
    tables = make_tables(rng, clips=6, bars=8, bar_s=2.0)
    grids = [
        make_grid(np.arange(0.0, 50.0, beat_s), confidence=confidence)
        for beat_s, confidence in ((0.25, 0.5), (0.5, 0.5), (1.0, 0.2))
    ]
    plan = plan_tables(tables, make_music(40.0, grids))
    assert [hypothesis.chosen for hypothesis in plan.hypotheses] == [False, True, False]
    assert plan.hypothesis == 1
    assert plan.grid is grids[1]
    assert plan.hypotheses[2].prior_per_s > plan.hypotheses[1].prior_per_s == 0.0


def test_a_style_that_is_asked_for_is_kept(rng: np.random.Generator) -> None:
    tables, music = make_tables(rng, clips=8, bars=8, styles=("waltz", "tango")), steady_song(20.0)
    plan = plan_tables(tables, music, PlanOptions(style="tango", weights=costs.CostWeights(style=10.0)))
    assert set(plan.styles) == {"tango"}
    with pytest.raises(QueryError, match=r"'polka'.*tango, waltz"):
        plan_tables(tables, music, PlanOptions(style="polka"))


def test_rests_are_filled_with_the_stillest_motion(rng: np.random.Generator) -> None:
    tables = make_tables(rng, clips=8, bars=4)
    music = make_music(30.0, [make_grid(np.arange(0.0, 31.0, 0.5))], rests=[(0.0, 6.0)])
    plan = plan_tables(tables, music, PlanOptions(weights=costs.CostWeights(rest_energy=20.0)))
    energy = np.array(tables[0].column("energy").to_pylist())
    ranks = costs.rank01(energy)[plan.segments]
    assert ranks[:3].max() < ranks[3:].mean()


def test_the_stage_is_kept_where_there_is_a_choice(rng: np.random.Generator) -> None:
    """Every clip walks straight on; half of the bars turn round: the dance turns before it leaves the stage."""
    segments, clips, arrays = make_tables(rng, clips=10, bars=8)
    turn = np.where(np.arange(80) % 5 > 0, 0.0, np.pi)
    arrays["travel"] = np.column_stack([np.zeros(80), np.full(80, 1.2), turn]).astype(np.float32)
    kept = plan_tables((segments, clips, arrays), steady_song(60.0))
    careless = plan_tables((segments, clips, arrays), steady_song(60.0), PlanOptions(stage_m=None))

    def farthest(plan: Plan) -> float:
        return float(np.abs(path_kernel.walk(arrays["travel"][plan.segments].astype(np.float64))[:, :2]).max())

    assert_sound(kept, steady_song(60.0), (segments, clips, arrays))
    assert careless.terms["stage"].sum() == 0.0
    assert farthest(kept) <= 3.61
    assert farthest(careless) > 4.5


def test_a_run_travels_as_its_segments_do(rng: np.random.Generator) -> None:
    segments, clips, arrays = make_tables(rng, clips=1, bars=4)
    arrays["travel"] = rng.normal(size=(4, 3)).astype(np.float32)
    pool = build_pool(segments, clips, arrays)
    first, last = np.array([0, 1, 3, 2]), np.array([2, 1, 3, 2])
    ways = travelled(pool, first, last, np.array([6.0, 4.0, 8.0, 5.0]))
    np.testing.assert_allclose(ways[0], path_kernel.walk(pool.travel[:3])[-1])
    np.testing.assert_allclose(ways[1:3], pool.travel[[1, 3]])
    np.testing.assert_allclose(ways[3], 0.5 * pool.travel[2])


def test_a_library_without_travel_has_no_stage_term(rng: np.random.Generator) -> None:
    plan = plan_tables(make_tables(rng), steady_song(), PlanOptions(stage_m=(0.1, 0.1)))
    assert plan.terms["stage"].sum() == 0.0


def test_other_sources_are_used_where_they_are_as_good(rng: np.random.Generator) -> None:
    """Twelve takes, equally near: none fills more than its share, though going on in one take costs no seam."""
    segments, clips, arrays = make_tables(rng, clips=12, bars=20)
    arrays["embeddings"] = np.tile(arrays["embeddings"][:1], (240, 1))
    tables = segments, clips, arrays
    plan = plan_tables(tables, steady_song(120.0))
    lone = plan_tables(tables, steady_song(120.0), PlanOptions(weights=costs.CostWeights(familiar=0.0)))

    def top(plan: Plan) -> float:
        names = [placement.clip for placement in plan.placements]
        return max(names.count(name) for name in set(names)) / len(names)

    assert top(plan) < 0.3
    assert top(plan) <= top(lone)


def test_no_usable_segment_is_an_error(rng: np.random.Generator) -> None:
    segments, clips, arrays = make_tables(rng, clips=1, bars=2)
    with pytest.raises(QueryError, match="long enough"):
        build_pool(segments, clips, arrays, np.zeros(2, dtype=bool))


@pytest.mark.parametrize("bad", [{"beam": 0}, {"candidates": 0}, {"seed": -1}, {"stage_m": (6.0, 0.0)}])
def test_options_out_of_range_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        PlanOptions(**bad)


def test_fit_names_the_four_ways(rng: np.random.Generator) -> None:
    segments, clips, arrays = make_tables(rng, clips=1, bars=4, bar_s=2.0)
    pool = build_pool(segments, clips, arrays)
    whole, run, cut, held = (fit(pool, nominal_s) for nominal_s in (2.2, 4.0, 1.0, 11.0))
    assert not whole.trimmed.any()
    np.testing.assert_allclose(whole.rate, 2.0 / 2.2)
    np.testing.assert_array_equal(run.trimmed, [False, False, False, True])
    np.testing.assert_array_equal(run.last[:3], [1, 2, 3])
    np.testing.assert_array_equal(run.beats[:3], [8, 8, 8])
    assert cut.trimmed.all()
    np.testing.assert_allclose(cut.source_end_s - pool.start_s, 1.0)
    np.testing.assert_allclose(cut.misfit, 0.5)
    np.testing.assert_allclose(held.rate, np.array([8.0, 6.0, 4.0, 2.0]) / 11.0)
    assert held.trimmed.all()


@given(values=st.lists(st.integers(0, 5), min_size=1, max_size=30), count=st.integers(1, 35))
def test_cheapest_is_a_stable_sort(values: list[int], count: int) -> None:
    price = np.array(values, dtype=np.float64)
    np.testing.assert_array_equal(cheapest(price, count), np.sort(np.argsort(price, kind="stable")[:count]))
