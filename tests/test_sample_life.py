"""What makes the troupe less of a puppet: unrest, breath, felt landings, hands, rise and fall, ground that is covered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb import sample
from choreodb.motion.rotations import quat_to_yaw
from choreodb.sample.arms import wrist_life
from choreodb.sample.curves import breath, flutter
from choreodb.sample.footwork import landed
from choreodb.sample.grammar import _covered, _covering
from choreodb.sample.score import PlacedStep
from choreodb.sample.styles import STYLES
from choreodb.sample.truth import Flight

FPS = 60.0
Array = npt.NDArray[np.float64]


def test_flutter_is_quick_but_no_tremor() -> None:
    unrest = flutter(6000, np.random.default_rng(3), 4, FPS)
    assert unrest.std(axis=0) == pytest.approx(np.ones(4))
    hertz = np.fft.rfftfreq(6000, 1.0 / FPS)
    power = (np.abs(np.fft.rfft(unrest, axis=0)) ** 2).mean(axis=1)
    share = {
        band: power[(hertz >= band[0]) & (hertz < band[1])].sum() / power.sum() for band in ((0.0, 0.2), (0.2, 4.0))
    }
    assert share[0.0, 0.2] < 0.1
    assert share[0.2, 4.0] > 0.85
    assert np.array_equal(unrest, flutter(6000, np.random.default_rng(3), 4, FPS))


def test_nobody_breathes_like_a_clock() -> None:
    times = np.arange(0.0, 120.0, 1.0 / FPS)
    air = breath(times, np.random.default_rng(1), 0.3)
    assert np.abs(air).max() <= 1.0
    starts = times[1:][(air[1:] >= 0.0) & (air[:-1] < 0.0)]
    assert len(starts) / 120.0 == pytest.approx(0.3, rel=0.15)
    assert np.diff(starts).std() > 0.1


def step(at: float, **changes: object) -> PlacedStep:
    return replace(PlacedStep("left", at, 0.4, 0.0, 0.0, 0.0, 0.05, 1.0, "flat", 0.2, 0.0), **changes)  # type: ignore[arg-type]


def test_a_landing_is_felt_and_a_tap_is_not() -> None:
    times = np.arange(0.0, 4.0, 1.0 / FPS)
    felt = landed(times, [step(1.0)], 0.01)
    assert times[np.argmin(felt)] == pytest.approx(1.05, abs=0.04)
    assert -0.011 < felt.min() < -0.006
    assert np.abs(felt[times < 0.9]).max() == 0.0
    assert np.abs(felt[times > 2.2]).max() < 1e-4
    silent = [step(1.0, weight=0.1), step(2.0, flight=Flight(1.8, 2.0, 0.05))]
    assert not landed(times, silent, 0.01).any()
    both = landed(times, [step(1.0), step(2.5)], 0.01)
    assert both == pytest.approx(felt + landed(times, [step(2.5)], 0.01), abs=1e-12)


def test_hands_rest_where_nothing_moves_and_lead_arms_that_rise() -> None:
    still = np.tile(np.array([0.2, 0.3, 0.1, 0.6]), (240, 2, 1))
    quiet, unrest = np.zeros(240), np.zeros((240, 6))
    assert not wrist_life(still, quiet, unrest, FPS, 1.0).any()
    rising = still.copy()
    rising[:, 0, 0] += 1.5 * np.clip((np.arange(240) / FPS - 1.5) / 0.6, 0.0, 1.0)
    moved = wrist_life(rising, quiet, unrest, FPS, 1.0)
    assert moved[90:120, 0, 2].max() > 0.1
    assert not moved[:, 1].any()
    assert np.abs(wrist_life(rising, quiet, unrest, FPS, 2.0)) == pytest.approx(2.0 * np.abs(moved))
    struck = wrist_life(still, np.ones(240), unrest, FPS, 1.0)
    assert (struck[..., 2] < -0.1).all()


def test_the_waltz_is_low_on_one_and_high_between_two_and_three() -> None:
    height = np.mean([by_beat(sample.perform("waltz", seed, 16)) for seed in range(60, 66)], axis=0)
    assert np.argmin(height) in (0, 1, 11)
    assert np.argmax(height) in range(4, 10)
    assert height.max() - height.min() > 0.035


def by_beat(dance: sample.Performance) -> Array:
    """Mean height [12] of the pelvis in each quarter of each beat of the bar."""
    beats = np.array(dance.truth.beats_s)
    times = np.arange(len(dance.motion)) / FPS
    place = np.interp(times, beats, np.arange(len(beats)))
    inside = (times > beats[3]) & (times < beats[-4])
    return np.array(
        [dance.motion.root[inside & (np.floor(place % 3 * 4) == quarter), 1].mean() for quarter in range(12)]
    )


@pytest.mark.parametrize(("style", "least_m_s"), [("waltz", 0.17), ("rumba", 0.11), ("cha-cha", 0.08)])
def test_ballroom_dances_cover_the_floor(style: str, least_m_s: float) -> None:
    travel = []
    for seed in range(4):
        ground = sample.perform(style, seed, 16).motion.root[:, [0, 2]]
        travel.append(np.linalg.norm(ground[240:] - ground[:-240], axis=1).mean() / 4.0)
    assert np.mean(travel) > least_m_s


def test_salsa_turns_its_back_in_turns_only() -> None:
    for seed in range(60, 68):
        dance = sample.perform("salsa", seed, 16)
        yaw = np.asarray(quat_to_yaw(dance.motion.rotations[:, 0].astype(np.float64)))
        away = np.concatenate([[0], (np.cos(yaw) < -0.5).astype(int), [0]])
        edges = np.flatnonzero(np.diff(away)).reshape(-1, 2)
        assert np.diff(edges, axis=1).max(initial=0) < 2.5 * FPS


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["rumba", "cha-cha", "waltz"]), st.integers(0, 11))
def test_a_way_that_is_covered_in_parts_keeps_the_path(style: str, number: int) -> None:
    dance = STYLES[style]
    phrase = dance.vocabulary[number]
    end = float(phrase.bars * dance.metre)
    rows = np.array(_covering(phrase, dance))
    path = np.array(phrase.path)
    assert np.all(np.diff(rows[:, 0]) > 0.0)
    assert {tuple(row) for row in path} <= {tuple(row) for row in rows}
    for column in (1, 2, 3):
        assert np.interp(rows[:, 0], path[:, 0], path[:, column]) == pytest.approx(rows[:, column])
    shares = [_covered(beat, end, dance.travel_beats) for beat in np.linspace(0.0, end, 33)]
    assert shares[0] == 0.0
    assert shares[-1] == pytest.approx(1.0)
    assert np.diff(shares).min() >= 0.0
