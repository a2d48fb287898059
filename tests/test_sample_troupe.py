"""`bench troupe`: its classifier parts what differs and not what is alike, and its rows hold what they should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choreodb.benchmarks.runs import troupe, two_sample, verdicts
from choreodb.benchmarks.runs.clip_figures import WINDOW_S, Clip, Measured, measure
from choreodb.benchmarks.runs.two_sample import auc, cross_auc
from choreodb.motion.rotations import compose, rotate, yaw_to_quat
from choreodb.sample.styles import STYLES


def quiet(*_: Any) -> None:
    pass


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    return list(troupe.troupe(1.6, 0, quiet))


@pytest.fixture(scope="module")
def ours(clips: list[Clip]) -> list[Measured]:
    return [measure(clip) for clip in clips]


def test_auc_counts_ordered_pairs(rng: np.random.Generator) -> None:
    y, scores = rng.random(60) < 0.4, np.round(rng.normal(size=60), 1)
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[y] for b in scores[~y]]
    assert auc(y, scores) == pytest.approx(np.mean(pairs))


def test_the_classifier_parts_what_differs_and_not_what_is_alike(rng: np.random.Generator) -> None:
    y, folds = np.arange(400) % 2 == 0, np.arange(400) // 2 % 5
    x = rng.normal(size=(400, 12))
    assert 0.4 < cross_auc(x, y, folds) < 0.6
    assert cross_auc(x + 1.2 * y[:, None] * (np.arange(12) < 2), y, folds) > 0.85


def test_every_figure_is_finite_and_named_once(ours: list[Measured]) -> None:
    for clip in ours:
        assert len(set(clip.names)) == len(clip.names) == clip.windows.shape[1]
        assert np.isfinite(clip.windows).all()
        assert len(clip.windows) == int(clip.seconds / WINDOW_S)
        assert np.isfinite(list(clip.floor.values())).all()


def test_figures_do_not_know_which_way_a_dance_faces(clips: list[Clip]) -> None:
    turned = _turned(clips[0], 1.1)
    before, after = measure(clips[0]), measure(turned)
    assert after.windows == pytest.approx(before.windows, abs=2e-3, rel=2e-3)
    assert after.floor == pytest.approx(before.floor, abs=2e-3, rel=2e-3)


def _turned(clip: Clip, yaw: float) -> Clip:
    motion, turn = clip.canonical.motion, yaw_to_quat(np.array(yaw))
    rotations = motion.rotations.astype(np.float64)
    rotations[:, 0] = compose(turn, rotations[:, 0])
    moved = replace(motion, rotations=rotations, root=rotate(turn, motion.root.astype(np.float64)))
    return replace(clip, canonical=replace(clip.canonical, motion=moved))


def test_the_troupe_takes_turns_and_its_feet_hold(ours: list[Measured]) -> None:
    assert {clip.group for clip in ours} == set(STYLES)
    rows = {row["figure"]: row for row in verdicts.physics_rows(ours, [])}
    assert rows["skating, cm/s"]["ours_p50"] < 1.0
    assert rows["penetration"]["ours_p95"] == rows["levitation"]["ours_p95"] == 0.0
    assert rows["floating"]["ours_p95"] < 0.03
    assert "verdict" not in rows["floating"]


def test_ours_against_ours_passes_and_a_body_dragged_along_the_floor_does_not(
    clips: list[Clip], ours: list[Measured]
) -> None:
    rows = verdicts.percentile_rows(ours, ours)
    assert all(row["p5"] <= row["p50"] <= row["p95"] for row in rows)
    assert np.mean([row["inside"] for row in rows]) > 0.4
    text = troupe.format_table([*rows, *verdicts.physics_rows(ours, ours)])
    assert "speed, all joints" in text
    assert "skating, cm/s" in text
    assert {row["verdict"] for row in verdicts.physics_rows(ours, ours)} == {"pass"}
    motion = clips[0].canonical.motion
    dragged = motion.root + np.outer(np.arange(len(motion)) / 60.0, [0.3, 0.0, 0.0])
    sliding = replace(clips[0], canonical=replace(clips[0].canonical, motion=replace(motion, root=dragged)))
    found = {row["figure"]: row for row in verdicts.physics_rows([measure(sliding)], ours)}
    assert found["skating, cm/s"]["verdict"] == "FAIL"
    assert found["skating, cm/s"]["ours_p50"] == pytest.approx(30.0, rel=0.1)


def test_a_style_is_judged_by_its_namesakes_alone(ours: list[Measured]) -> None:
    pairs = [replace(clip, group=f"pairs: {clip.group}") for clip in ours if clip.group == "waltz"]
    rows = {row["group"]: row for row in verdicts.floor_rows(ours, pairs)}
    assert rows["waltz"]["verdict"] == "pass"
    assert "verdict" not in rows["house"]
    hurried = [replace(clip, windows=3.0 * clip.windows) for clip in pairs]
    assert verdicts.floor_rows(ours, hurried)[list(rows).index("waltz")]["verdict"].startswith("FAIL, travel")


def test_trials_part_what_should_part_and_name_what_gives_away(rng: np.random.Generator) -> None:
    names = tuple(f"figure {column}" for column in range(6))

    def people(group: str, count: int, tall: float) -> list[Measured]:
        windows = rng.normal(size=(count, 6, 6)) + tall * (np.arange(6) == 3)
        return [Measured(group, f"{group}-{place}", 24.0, names, each, {}) for place, each in enumerate(windows)]

    ours, alike, taller = people("ours", 40, 0.0), people("captured", 12, 0.0), people("captured", 12, 2.0)
    for captured, low, high in ((alike, 0.3, 0.68), (taller, 0.85, 1.0)):
        rows, giveaways = two_sample.trials(ours, captured, 0)
        found = {row["trial"]: row for row in rows}
        assert low < found["ours against captured"]["auc"] < high
        assert 0.25 < found["captured against captured (random halves)"]["auc"] < 0.75
        assert found["ours against captured"]["windows"] == 2 * 12 * 6
        assert sum(abs(row["share"]) for row in giveaways) == pytest.approx(1.0)
    assert giveaways[0]["figure"] == "figure 3"
    assert giveaways[0]["auc"] < 0.2


@pytest.mark.long
def test_making_is_measured_in_a_process_of_its_own() -> None:
    first, second = troupe.making_rows(0.6, 0)
    assert first["minutes"] < second["minutes"]
    assert first["peak_mb"] <= second["peak_mb"]
    assert first["real_time"] > 1.0


@pytest.mark.realdata
def test_captured_clips_are_read_at_their_true_rates(realdata: Path) -> None:
    told = troupe._clips_csv(realdata / "mocap" / "cmu-dance" / "clips.csv")
    assert {row["fps"] for row in told.values()} == {"120"}
