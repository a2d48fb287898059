"""Clean-up: planted feet stay put, nothing goes through the floor, and what was right is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walking import clip, lengths, place, reader, walk

from choreodb.benchmarks.metrics import feet
from choreodb.errors import MotionFormatError
from choreodb.motion.contacts import foot_points, runs
from choreodb.motion.kinematics import forward
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import axis_angle_to_quat, compose
from choreodb.motion.skeleton import CHOREO22, TOE_HEIGHT_M, Skeleton
from choreodb.refiner import footlock, physics
from choreodb.refiner.physics import PhysicsOptions, clean, clean_motion
from choreodb.retriever.stitch import stitch

Array = npt.NDArray[np.float64]


def positions(motion: Motion) -> Array:
    return forward(motion.rotations.astype(np.float64), motion.root.astype(np.float64), motion.skeleton)[0]


def points(motion: Motion) -> Array:
    return foot_points(*forward(motion.rotations.astype(np.float64), motion.root.astype(np.float64), motion.skeleton))


def skater(seed: int, *, slide_m: float = 0.04, dip_m: float = 0.02) -> tuple[Motion, npt.NDArray[np.uint8]]:
    """A walk whose pelvis wanders and dips slowly, so that its planted feet slide and sink, and its true contacts."""
    motion = walk(8.0, stride_m=0.3)
    contacts = clip(motion)[2]
    rng = np.random.default_rng(seed)
    times = np.arange(len(motion)) / 60.0
    drift = sum(
        rng.normal(size=(1, 3)) * np.sin(2 * np.pi * rng.uniform(0.2, 0.9) * times + rng.uniform(0, 6))[:, None]
        for _ in range(3)
    )
    return replace(motion, root=motion.root + drift / 3.0 * [slide_m, dip_m, slide_m]), contacts


def slips(motion: Motion, contacts: npt.NDArray[np.uint8], margin: int = 2) -> float:
    """Farthest that a planted point moves within one contact, ignoring `margin` frames at its ends."""
    at, worst = points(motion), 0.0
    for point, first, stop in runs(contacts.astype(bool)):
        span = at[first + margin : stop - margin, point]
        if len(span) > 1:
            worst = max(worst, float(np.linalg.norm(span - span.mean(axis=0), axis=1).max()))
    return worst


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_planted_feet_stay_within_two_millimetres(seed: int) -> None:
    motion, contacts = skater(seed)
    made = clean_motion(motion, contacts)
    assert slips(motion, contacts) > 0.005
    assert slips(made, contacts) < 0.002


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_nothing_goes_through_the_floor_and_knees_do_not_pop(seed: int) -> None:
    motion, contacts = skater(seed, dip_m=0.05)
    made = clean_motion(motion, contacts)
    assert points(made)[..., 1].min() > TOE_HEIGHT_M - 0.006
    report = feet.evaluate(contacts, points(made), 60.0)
    assert report["penetration"] == 0.0
    assert report["floating"] < 0.01
    knees = [CHOREO22.index(name) for name in ("left_knee", "right_knee")]
    before, after = (np.abs(np.diff(positions(m)[:, knees], n=2, axis=0)).max() * 3600.0 for m in (motion, made))
    # a knee that pops makes thousands
    assert after < 2.0 * before + 60.0


def test_a_clean_walk_is_left_alone() -> None:
    motion = walk(8.0, stride_m=0.3)
    made = clean_motion(motion, clip(motion)[2])
    assert np.abs(positions(made) - positions(motion)).max() < 0.02
    upper = [CHOREO22.index(name) for name in ("head", "left_wrist", "right_wrist")]
    assert np.median(np.abs(positions(made) - positions(motion))[:, upper]) < 0.003
    legs = [CHOREO22.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
    others = np.setdiff1d(np.arange(22), legs)
    np.testing.assert_array_equal(made.rotations[:, others], motion.rotations[:, others])


def test_cleaning_twice_changes_little() -> None:
    motion, contacts = skater(3)
    once = clean_motion(motion, contacts)
    twice = clean_motion(once, contacts)
    assert np.abs(positions(twice) - positions(once)).max() < 0.25 * np.abs(positions(once) - positions(motion)).max()


def test_a_lifted_heel_pivots_about_the_toe() -> None:
    still = walk(4.0, stride_m=0.0, sway=0.0)
    root = np.tile(still.root[:1], (240, 1))
    rotations = np.tile(still.rotations[:1], (240, 1, 1))
    ankle = CHOREO22.index("left_ankle")
    lift = 0.5 * np.sin(np.linspace(0.0, np.pi, 240))
    rotations[:, ankle] = compose(rotations[:, ankle], axis_angle_to_quat(np.array([1.0, 0.0, 0.0]), lift))
    motion = Motion(rotations, root, CHOREO22, 60.0)
    contacts = np.tile(np.array([0, 1, 1, 1], dtype=np.uint8), (240, 1))
    made = points(clean_motion(motion, contacts))
    assert np.ptp(made[5:-5, 1], axis=0).max() < 0.002
    assert np.ptp(made[:, 0, 1]) > 0.05


def test_a_leg_that_cannot_reach_gives_way_smoothly() -> None:
    motion = walk(6.0, stride_m=0.3)
    contacts = clip(motion)[2]
    high = replace(motion, root=motion.root + np.array([0.0, 0.25, 0.0]))
    made = clean_motion(high, contacts)
    made.validate()
    assert np.abs(np.diff(made.root[:, 1], n=2)).max() * 3600.0 < 12.0
    assert (high.root[:, 1] - made.root[:, 1]).max() <= PhysicsOptions().max_sink_m + 1e-9


def test_without_contacts_only_the_floor_counts() -> None:
    motion, _ = skater(5, dip_m=0.0)
    nothing = np.zeros((len(motion), 4), dtype=np.uint8)
    made = clean_motion(replace(motion, root=motion.root + np.array([0.0, 0.05, 0.0])), nothing)
    assert np.abs(positions(made) - positions(motion) - [0.0, 0.05, 0.0]).max() < 0.01
    none = np.empty(0, dtype=np.int64)
    pace_m_s = np.ones((len(motion), 4))
    locks = footlock.find(points(motion), nothing, pace_m_s, 60.0, none, none, footlock.LockOptions())
    assert locks.spans.shape == (0, 3)


def test_a_stitched_dance_is_cleaned_and_keeps_its_sources() -> None:
    clips = {
        "slow": clip(walk(12.0, stride_m=0.25, step_s=0.55)),
        "long": clip(walk(12.0, stride_m=0.32, step_s=0.55)),
    }
    parts = [("slow", 1.1, 3.3), ("long", 2.2, 4.4), ("slow", 5.5, 7.7), ("long", 7.7, 9.9)]
    made = stitch(place(parts, [0.0, 2.0, 4.0, 6.0, 8.0]), reader(clips), lengths(clips))
    tidy = clean(made)
    before, after = (feet.evaluate(made.contacts, points(d.motion), 60.0) for d in (made, tidy))
    assert after["slide_m_s"] < 0.6 * before["slide_m_s"]
    assert after["penetration"] == 0.0
    assert after["floating"] < 0.02
    np.testing.assert_array_equal(tidy.contacts, made.contacts)
    np.testing.assert_array_equal(tidy.source_frame, made.source_frame)
    assert tidy.seams == made.seams
    assert clean(made).motion.rotations.tobytes() == tidy.motion.rotations.tobytes()


def test_one_frame_is_enough() -> None:
    motion = walk(4.0).frames(0, 1)
    assert len(clean_motion(motion, np.ones((1, 4), dtype=np.uint8))) == 1


def test_motion_that_is_not_canonical_is_refused() -> None:
    motion = walk(4.0)
    other = Skeleton(("hips", *CHOREO22.names[1:]), CHOREO22.parents, CHOREO22.offsets)
    with pytest.raises(MotionFormatError, match="not canonical"):
        clean_motion(replace(motion, skeleton=other), np.zeros((len(motion), 4), dtype=np.uint8))
    with pytest.raises(MotionFormatError, match="contacts have shape"):
        clean_motion(motion, np.zeros((3, 4), dtype=np.uint8))


def test_a_foot_steps_over_the_floor_where_it_does_not_rise_by_itself() -> None:
    frames, step_m = np.arange(90), 0.15
    dragged = np.zeros((90, 4, 3))
    dragged[:, 0, 0] = step_m * np.clip((frames - 40) / 10.0, 0.0, 1.0)
    dragged[..., 1] = TOE_HEIGHT_M
    contacts = np.zeros((90, 4), dtype=np.uint8)
    contacts[5:85, 0] = 1
    options = footlock.LockOptions()
    seams, half = np.array([45]), np.array([8])
    heights = []
    for own_m in (0.0, 0.05):
        points = dragged.copy()
        points[:, 0, 1] += own_m * np.sin(np.pi * np.clip((frames - 36) / 18.0, 0.0, 1.0))
        pace = np.full((90, 4), 0.5)
        locks = footlock.find(points, contacts, pace, 60.0, seams, half, options)
        moved, _ = footlock.corrections(locks, points, 60.0, options)
        assert len(locks.spans) == 2
        heights.append(float((points + moved)[:, 0, 1].max() - TOE_HEIGHT_M))
        stands = np.concatenate([np.arange(first, stop) for _, first, stop in locks.spans])
        assert np.abs((points + moved)[stands, 0, 1] - TOE_HEIGHT_M).max() < 1e-9
    # dragged along the floor, it is lifted; who lifts it herself is not helped
    assert heights[0] == pytest.approx(options.lift * step_m, rel=0.1)
    assert heights[1] == pytest.approx(0.05, abs=0.012)


def test_a_standing_foot_is_not_drawn_up_to_where_it_flies_after_the_join() -> None:
    heights = np.full((40, 4), TOE_HEIGHT_M)
    contacts = np.ones((40, 4), dtype=np.uint8)
    # the left heel flies after the join, the right one stands higher there
    heights[20:, 0], contacts[20:, 0] = 0.2, 0
    heights[20:, 2] = TOE_HEIGHT_M + 0.01
    above = physics._above_floor(heights, contacts, np.array([20]), 60.0, PhysicsOptions())
    np.testing.assert_allclose(above[:20, 0], 0.0, atol=1e-9)
    assert 0.003 < above[19, 2] < 0.007
    assert 0.003 < above[20, 2] < 0.007
    np.testing.assert_allclose(above[:, [1, 3]], 0.0, atol=1e-9)
