"""Segments tile the clip, bar lines are the same from both sides, and boundary features are where the body is."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stepping import FPS, looked_at, march

from choreodb.indexer import boundaries, segments, travel
from choreodb.indexer.boundaries import BoundaryWeights, RawBoundaries
from choreodb.motion.kinematics import heading
from choreodb.motion.mirror import mirror
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import compose, yaw_to_quat
from choreodb.music.grid import NO_GRID, BeatGrid
from choreodb.retriever import path_kernel


def grid_of(first_s: float, period_s: float, beats: int, metre: int, downbeat: int) -> BeatGrid:
    times = first_s + period_s * np.arange(beats)
    positions = ((np.arange(beats) - downbeat) % metre + 1).astype(np.int32)
    return BeatGrid(times, positions, metre, 60.0 / period_s, 0.9, "music")


@given(
    frames=st.integers(1, 4000), first_s=st.floats(-3.0, 3.0), period_s=st.floats(0.25, 1.2),
    metre=st.sampled_from([3, 4, 6]), downbeat=st.integers(0, 5),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_bars_lie_inside_the_motion_and_follow_each_other(
    frames: int, first_s: float, period_s: float, metre: int, downbeat: int
) -> None:
    cuts = segments.cut(grid_of(first_s, period_s, 120, metre, downbeat), frames, FPS)
    last_s = (frames - 1) / FPS
    assert [cut.first_bar for cut in cuts] == list(range(len(cuts)))
    for cut, following in pairwise(cuts):
        assert cut.continues
        assert cut.end_s == following.start_s
    assert not cuts[-1].continues
    for cut in cuts:
        assert 0.0 <= cut.start_s <= cut.end_s <= last_s
        if cut.short:
            assert len(cuts) == 1
            assert (cut.start_s, cut.end_s, len(cut.beats_s)) == (0.0, last_s, 0)
        else:
            assert len(cut.beats_s) == metre + 1
            assert (cut.beats_s[0], cut.beats_s[-1]) == (cut.start_s, cut.end_s)


@given(frames=st.integers(1, 3000))
@settings(max_examples=60, deadline=None)
def test_windows_tile_a_clip_without_beats(frames: int) -> None:
    cuts = segments.cut(NO_GRID, frames, FPS)
    last_s = (frames - 1) / FPS
    assert cuts[0].start_s == 0.0
    assert cuts[-1].end_s == pytest.approx(last_s, abs=1e-12)
    assert cuts[0].short == (last_s < 1.6)
    lengths = np.array([cut.end_s - cut.start_s for cut in cuts])
    assert np.allclose(lengths, lengths[0])
    if not cuts[0].short:
        assert 1.4 < lengths[0] < 2.9


def test_a_dropped_beat_breaks_the_continuation() -> None:
    grid = grid_of(0.0, 0.5, 17, 4, 0)
    gap = BeatGrid(np.delete(grid.times_s, 6), np.delete(grid.positions, 6), 4, 120.0, 0.9, "music")
    cuts = segments.cut(gap, 600, FPS)
    assert [(cut.start_s, cut.continues) for cut in cuts] == [(0.0, False), (4.0, True), (6.0, False)]


def measured(motion: Motion, times_s: list[float], *, mirrored: bool = False) -> RawBoundaries:
    positions, contacts = looked_at(motion)
    return boundaries.measure(positions, heading(motion.rotations), contacts, FPS, times_s, mirrored=mirrored)


def same(a: RawBoundaries, b: RawBoundaries, tolerance: float) -> bool:
    return all(np.allclose(getattr(a, f.name), getattr(b, f.name), atol=tolerance) for f in fields(RawBoundaries))


TIMES = [0.0, 0.42, 1.0, 2.2, 2.9]


def test_boundaries_do_not_depend_on_heading() -> None:
    falls = [0.5, 1.0, 1.6, 2.3]
    assert same(measured(march(falls, 3.0), TIMES), measured(march(falls, 3.0, yaw=-2.5), TIMES), 1e-9)


def test_mirrored_boundaries_are_those_of_the_mirrored_motion() -> None:
    motion = march([0.5, 1.0, 1.6, 2.3], 3.0, yaw=0.7)
    assert same(measured(motion, TIMES, mirrored=True), measured(mirror(motion), TIMES), 1e-9)
    assert not same(measured(motion, TIMES, mirrored=True), measured(motion, TIMES), 1e-3)


def test_random_bar_lines_are_one_apart_on_average(rng: np.random.Generator) -> None:
    lines = measured(march(np.cumsum(rng.uniform(0.3, 0.7, 60)), 30.0), list(np.sort(rng.uniform(0, 30, 400))))
    rows = boundaries.features(lines, boundaries.spreads(lines)).astype(np.float64)
    distance = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    weights = BoundaryWeights()
    # a marcher on the spot neither turns nor rises: those parts stay at zero
    moving = weights.pose + weights.velocity + weights.stance + weights.contacts
    assert distance.mean() == pytest.approx(moving, abs=0.05)
    assert sum(getattr(weights, f.name) for f in fields(weights)) == pytest.approx(1.0)


def test_feet_that_change_places_are_dear(rng: np.random.Generator) -> None:
    """Standing with the left foot ahead, and with the right: the same but for the feet, which would have to slide."""
    lines = measured(march(np.cumsum(rng.uniform(0.3, 0.7, 60)), 30.0), list(np.sort(rng.uniform(0, 30, 50))))
    ahead = np.array([0.2, 0.0, 0.4])

    def standing(left_foot: np.ndarray) -> RawBoundaries:
        parts = {f.name: np.zeros_like(getattr(lines, f.name)[:1]) for f in fields(RawBoundaries)}
        parts["stance"] = np.tile(np.concatenate([left_foot, left_foot]), 3)[None]
        return RawBoundaries(**parts)

    spread = boundaries.spreads(lines) | {"stance": 0.5}
    rows = [boundaries.features(standing(foot), spread)[0] for foot in (ahead, ahead * [1.0, 1.0, -1.0], ahead * 0.9)]
    assert np.sum((rows[0] - rows[1]) ** 2) > 0.3
    assert np.sum((rows[0] - rows[2]) ** 2) < 0.01


def test_a_foot_stands_on_its_heel_as_on_its_toes() -> None:
    motion = march([0.5, 1.0, 1.6, 2.3], 3.0)
    positions, _ = looked_at(motion)
    yaw = heading(motion.rotations)

    def standing(*planted: int) -> np.ndarray:
        contacts = np.tile(np.array(planted, dtype=np.uint8), (len(positions), 1))
        return boundaries.measure(positions, yaw, contacts, FPS, [1.0]).contacts

    assert np.array_equal(standing(1, 0, 0, 0), standing(0, 1, 0, 0))
    assert np.array_equal(standing(1, 1, 0, 0), standing(0, 1, 0, 0))
    assert not np.array_equal(standing(1, 0, 0, 0), standing(0, 0, 1, 0))


def travelled(motion: Motion, start_s: list[float], end_s: list[float]) -> np.ndarray:
    positions, contacts = looked_at(motion)
    return travel.measure(positions, contacts, heading(motion.rotations), FPS, start_s, end_s).astype(np.float64)


def wandering(yaw: float = 0.0) -> Motion:
    """A marcher who walks a circle of 1 m radius, turning by three full turns in 6 s."""
    motion = march([], 6.0)
    angle = np.linspace(0.0, 6.0 * np.pi, len(motion)) + yaw
    root = motion.root + np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=1)
    turned = compose(yaw_to_quat(angle), motion.rotations[:, 0])
    return replace(motion, root=root, rotations=np.concatenate([turned[:, None], motion.rotations[:, 1:]], axis=1))


def test_travel_adds_up_and_counts_whole_turns() -> None:
    whole = travelled(wandering(), [0.0], [5.9])[0]
    assert whole[2] == pytest.approx(np.pi * 5.9, rel=0.02)
    place = np.zeros(3)
    for way in travelled(wandering(), [0.0, 1.0, 2.5, 4.0], [1.0, 2.5, 4.0, 5.9]):
        place = path_kernel.advance(place[None], way[None])[0]
    np.testing.assert_allclose(place, whole, atol=1e-3)


def test_travel_does_not_depend_on_heading_and_is_mirrored() -> None:
    spans = [0.0, 0.7, 3.1], [0.9, 2.0, 5.0]
    plain = travelled(wandering(), *spans)
    np.testing.assert_allclose(travelled(wandering(2.0), *spans), plain, atol=1e-3)
    np.testing.assert_allclose(travelled(mirror(wandering(0.3)), *spans), plain * travel.MIRROR, atol=1e-3)


def test_one_frame_is_enough() -> None:
    lines = measured(march([], 1 / 60), [0.0])
    assert np.all(np.isfinite(boundaries.features(lines, boundaries.spreads(lines))))
