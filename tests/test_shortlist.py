"""Large pools: what is priced, that it is as good as pricing everything, and that whole arrays are not copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dance_material import LoudnessEncoder, make_grid, make_music, make_tables

from choreodb.music.music import Music
from choreodb.retriever import candidates, costs, planner, shortlist
from choreodb.retriever.candidates import Pool, build_pool
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.plan import Plan
from choreodb.retriever.rows import Rows
from choreodb.storage import index


@pytest.fixture
def song() -> Music:
    return make_music(30.0, [make_grid(np.arange(0.0, 34.0, 0.5))])


def small(monkeypatch: pytest.MonkeyPatch, size: int = 20) -> None:
    """Take pools of more than `size` segments for large."""
    monkeypatch.setattr(shortlist, "WHOLE_POOL", size)
    monkeypatch.setattr(index, "EXACT_VECTORS", size)


def planned(tables: Any, song: Music, options: PlanOptions | None = None, mask: Any = None) -> tuple[Pool, Plan]:
    pool = build_pool(*tables, mask)
    return pool, planner.plan_in_pool(pool, song, LoudnessEncoder(), options or PlanOptions(), tables[0])


@pytest.mark.parametrize("options", [PlanOptions(), PlanOptions(style="b"), PlanOptions(seed=3, variety=0.5)])
def test_a_shortlist_of_everything_gives_the_same_dance(
    rng: np.random.Generator, song: Music, monkeypatch: pytest.MonkeyPatch, options: PlanOptions
) -> None:
    tables = make_tables(rng, clips=20, bars=5, mirrored=True)
    whole = planned(tables, song, options)[1]
    small(monkeypatch)
    pool, plan = planned(tables, song, options)
    assert isinstance(pool.embeddings, Rows)
    assert plan.segments.tolist() == whole.segments.tolist()
    assert plan.cost == pytest.approx(whole.cost)
    for name, values in whole.terms.items():
        np.testing.assert_allclose(plan.terms[name], values, atol=1e-6)


def test_a_short_list_costs_little(rng: np.random.Generator, song: Music, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = make_tables(rng, clips=60, bars=8)
    options = PlanOptions(candidates=16)
    whole = planned(tables, song, options)[1]
    small(monkeypatch)
    plan = planned(tables, song, options)[1]
    assert whole.cost * 0.9 <= plan.cost <= whole.cost * 1.1


def test_what_matches_is_respected(rng: np.random.Generator, song: Music, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = make_tables(rng, clips=30, bars=6)
    mask = rng.random(180) < 0.4
    small(monkeypatch)
    pool, plan = planned(tables, song, mask=mask)
    assert len(pool) == mask.sum()
    assert mask[plan.segments].all()


def test_lists_hold_what_fits_and_is_nearest(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, song: Music
) -> None:
    """Against a naive twin: of the segments with the step's beats that fit it whole, the nearest by embedding."""
    slow, fast = make_tables(rng, clips=40, bars=5, bar_s=2.0), make_tables(rng, clips=5, bars=5, bar_s=4.0)
    small(monkeypatch)
    for tables in (slow, fast):
        pool = build_pool(*tables)
        query = planner.ask(pool, song, song.grids[0], LoudnessEncoder(), PlanOptions(strict_metre=True))
        lists = shortlist.shortlists(pool, query.steps, query.embeddings, 4, None)
        assert lists is not None
        for step, embedding, found in zip(query.steps, query.embeddings, lists, strict=True):
            assert np.all(np.diff(found) > 0)
            able = np.abs(np.log((pool.end_s - pool.start_s) / (step.end_s - step.start_s))) <= np.log(1.25) + 1e-9
            able &= pool.beats == len(step.beats_s) - 1
            if step.kind == "bar" and np.count_nonzero(able) >= 16:
                score = np.where(able, tables[2]["embeddings"] @ embedding, -np.inf)
                assert set(found.tolist()) == set(np.argsort(-score)[:16].tolist())


def test_styles_are_as_far_as_all_segments_say(rng: np.random.Generator) -> None:
    tables = make_tables(rng, clips=12, bars=9, styles=("a", "b", None))
    pool = build_pool(*tables)
    queries = np.asarray(tables[2]["embeddings"][[3, 40, 77]])
    seconds = np.array([2.0, 1.0, 3.0])
    naive = costs.style_distance(1.0 - queries @ tables[2]["embeddings"].T, pool.style, seconds)
    np.testing.assert_allclose(shortlist.style_distance(pool, queries, seconds), naive, atol=1e-6)


def test_offers_fade() -> None:
    offers = planner._Offers(4)
    naive = np.zeros(4)
    for step, near in enumerate(([0, 1], [1], [], [1, 3], [0])):
        np.testing.assert_allclose(offers.made(candidates.EVERY, step), naive)
        np.testing.assert_allclose(offers.made(np.array([1, 3]), step), naive[[1, 3]])
        offers.make(np.array(near, dtype=np.int64), step)
        naive *= planner.OFFER_MEMORY
        naive[near] += 1.0


def test_a_large_pool_copies_no_array(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tables = make_tables(rng, clips=30, bars=6)
    mapped = {}
    for name, array in tables[2].items():
        np.save(tmp_path / f"{name}.npy", array)
        mapped[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    small(monkeypatch)
    pool = build_pool(tables[0], tables[1], mapped, np.arange(180) % 3 > 0)
    lines = pool.boundaries
    for rows, name in ((pool.embeddings, "embeddings"), (lines.entry, "entry"), (lines.leave, "exit")):
        assert isinstance(rows, Rows)
        assert np.shares_memory(rows._array, mapped[name])
        assert len(rows) == len(pool)
    at = np.array([3, 9, 100])
    np.testing.assert_array_equal(lines.entry[at], tables[2]["entry"][pool.row[at]])
    squares = np.sum(tables[2]["exit"][pool.row[at]].astype(np.float64) ** 2, axis=1)
    np.testing.assert_allclose(lines.leave_square[at], squares, rtol=1e-6)
