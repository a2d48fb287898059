"""The benchmark of refining: its classifiers tell what differs and nothing else, and its fillers leave the ends alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from walking import clip, lengths, place, reader, walk

from choreodb import cli
from choreodb.benchmarks.metrics import detail
from choreodb.benchmarks.runs import inbetween, refine, seam_classifier, seam_windows
from choreodb.benchmarks.runs.refine_dances import CAPTURED, HARD, INERTIAL, LINEAR, PHYSICS
from choreodb.errors import MetricError, QueryError
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.rotations import yaw_to_quat
from choreodb.retriever.stitch import DANCE, StitchOptions, stitch

Windows = npt.NDArray[np.float32]


def noise(rng: np.random.Generator, count: int, jump_m: float = 0.0) -> Windows:
    """Smooth random windows, with a jump of every joint in the middle."""
    times = np.arange(96) / 60.0
    waves = rng.normal(size=(count, 4, 26, 3)) * 0.1
    phases = rng.uniform(0.0, 6.0, size=(count, 4, 1, 1))
    hertz = rng.uniform(0.3, 2.0, size=(count, 4, 1, 1))
    moved = sum(
        waves[:, [k]] * np.sin(2 * np.pi * hertz[:, [k]] * times[None, :, None, None] + phases[:, [k]])
        for k in range(4)
    )
    moved[:, 48:] += jump_m
    return np.asarray(moved, dtype=np.float32)


def area(jump_m: float, rng: np.random.Generator) -> dict[str, float]:
    made = [seam_classifier.figures(noise(rng, 80, jump_m)) for _ in range(2)]
    captured = [seam_classifier.figures(noise(rng, 80)) for _ in range(2)]
    owner = [np.arange(80) // 2 for _ in range(2)]
    return seam_classifier.trial(made, captured, owner, seam_classifier.by_figures, 0)


def test_jumps_are_told_and_likes_are_not(rng: np.random.Generator) -> None:
    assert area(0.02, rng)["auc"] > 0.97
    same = area(0.0, rng)
    assert 0.35 < same["auc"] < 0.65
    assert same["auc_low"] <= same["auc"] <= same["auc_high"]


def test_the_network_tells_jumps_from_the_same_seed_alike(rng: np.random.Generator) -> None:
    pytest.importorskip("torch")
    made, captured = noise(rng, 120, 0.1), noise(rng, 120)
    train, label = np.concatenate([made[:80], captured[:80]]), np.repeat([True, False], 80)
    test = np.concatenate([made[80:], captured[80:]])
    scores = seam_classifier.by_network(train, label, test)
    assert scores[:40].mean() > scores[40:].mean()
    np.testing.assert_array_equal(scores, seam_classifier.by_network(train, label, test))


def test_windows_do_not_know_where_the_dancer_stands_or_faces() -> None:
    def windows(yaw: float, at: tuple[float, float]) -> Windows:
        clips = {"walk": clip(walk(12.0, yaw=yaw, at=at))}
        parts = [("walk", 1.0, 4.0), ("walk", 5.0, 8.0), ("walk", 8.5, 11.5)]
        made = stitch(place(parts, [0.0, 3.0, 6.0, 9.0]), reader(clips), lengths(clips), stage_m=None)
        return seam_windows.cut(made, [seam.frame for seam in made.seams])

    here, there = windows(0.0, (0.0, 0.0)), windows(1.9, (3.0, -2.0))
    assert here.shape == (2, 96, 26, 3)
    np.testing.assert_allclose(here, there, atol=0.004)


def test_captured_windows_are_what_the_clip_shows() -> None:
    motion = walk(12.0)
    clips = {"walk": clip(motion)}
    where = seam_windows.SeamPlace(0, 0, ("walk", "walk"), (300.0, 20.0), (1.0, 1.0), (False, False))
    made = seam_windows.captured(where, False, reader(clips), lengths(clips))
    assert made is not None
    own = joint_positions(motion)[252:348]
    speed = np.linalg.norm(np.diff(own, axis=0), axis=-1)
    shown = np.linalg.norm(np.diff(joint_positions(made.motion), axis=0), axis=-1)
    np.testing.assert_allclose(shown[:-1], speed[: len(shown) - 1], atol=2e-3)
    # too near the beginning for a window
    assert seam_windows.captured(where, True, reader(clips), lengths(clips)) is None


@pytest.mark.parametrize("fill", [inbetween.by_slerp, inbetween.by_inertialisation])
def test_a_still_dancer_stays_still_and_ends_are_met(fill: inbetween.Fill) -> None:
    clips = {"walk": clip(walk(6.0))}
    found = inbetween.gaps(reader(clips), lengths(clips), 1.0, 5)
    (rotations, root), gap = fill(found)[0], found[0]
    step = np.abs(np.diff(np.concatenate([gap.root[[gap.first - 1]], root, gap.root[[gap.stop]]]), axis=0)).max()
    assert step < 0.05
    assert np.abs(np.linalg.norm(rotations, axis=-1) - 1.0).max() < 1e-6
    still = {"still": (np.repeat(clips["walk"][0][:1], 300, 0), np.repeat(clips["walk"][1][:1], 300, 0), clips["walk"][2][:300])}  # fmt: skip
    quiet = inbetween.gaps(reader(still), lengths(still), 1.0, 5)
    assert inbetween.errors(quiet, fill(quiet)).max() < 1e-6


def test_a_steady_turn_is_filled_without_error() -> None:
    motion = clip(walk(6.0))
    turn = np.tile(motion[0][:1], (300, 1, 1)).astype(np.float64)
    turn[:, 0] = yaw_to_quat(np.linspace(0.0, 2.0, 300))
    root = np.linspace([0.0, 0.9, 0.0], [1.0, 0.9, 0.5], 300)
    clips = {"turn": (turn, root, motion[2][:300])}
    found = inbetween.gaps(reader(clips), lengths(clips), 1.0, 3)
    for fill in (inbetween.by_slerp, inbetween.by_inertialisation):
        assert inbetween.errors(found, fill(found)).max() < 1e-6


def test_the_better_filler_gains_over_both() -> None:
    clips = {f"walk {number}": clip(walk(8.0, stride_m=0.2 + 0.05 * number)) for number in range(4)}

    def truth(found: list[inbetween.Gap]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(gap.rotations[gap.first : gap.stop], gap.root[gap.first : gap.stop]) for gap in found]

    fills = {inbetween.SLERP: inbetween.by_slerp, inbetween.INERTIAL: inbetween.by_inertialisation, "truth": truth}
    rows = inbetween.rows(reader(clips), lengths(clips), fills, most=12, seed=0)
    assert [row["gap_s"] for row in rows if row["row"] == "truth"] == [0.5, 1.0, 2.0]
    for row in rows:
        if row["row"] == "truth":
            assert row["position_m"] < 1e-9
            assert row["gain_m_slerp"][0] > 0.0


def test_smoothing_shows_in_the_detail() -> None:
    times = np.arange(600) / 60.0
    slow = 0.2 * np.sin(2 * np.pi * 1.0 * times)[:, None, None] * np.ones((1, 5, 3))
    fast = slow + 0.01 * np.sin(2 * np.pi * 10.0 * times)[:, None, None]
    assert detail.fast_energy(slow, 60.0)[60:-60].mean() < 0.05 * detail.fast_energy(fast, 60.0)[60:-60].mean()
    step = 2 * np.pi * 10.0 / 60.0
    expected = 3 * (0.01 * 2 * np.pi * 10.0 * np.sin(step) / step) ** 2 / 2
    assert detail.fast_energy(fast, 60.0)[60:-60].mean() == pytest.approx(expected, rel=0.1)
    assert detail.evaluate(fast, 60.0)["peak_speed_m_s"] > detail.evaluate(slow, 60.0)["peak_speed_m_s"]
    with pytest.raises(MetricError, match="at least 32 frames"):
        detail.evaluate(fast[:8], 60.0)
    with pytest.raises(MetricError, match="NaN"):
        detail.evaluate(fast * np.nan, 60.0)
    with pytest.raises(MetricError, match="cut-off"):
        detail.fast_energy(fast, 60.0, cutoff_hz=40.0)


def test_a_linear_blend_stays_between_its_takes() -> None:
    clips = {"a": clip(walk(12.0, stride_m=0.25)), "b": clip(walk(12.0, stride_m=0.35))}
    steps = place([("a", 1.0, 4.0), ("b", 2.2, 5.2)], [0.0, 3.0, 6.0])
    smooth, faded = (
        stitch(steps, reader(clips), lengths(clips), stage_m=None, options=StitchOptions(linear=linear))
        for linear in (False, True)
    )
    assert np.abs(smooth.motion.root - faded.motion.root).max() < 0.15
    assert np.abs(np.diff(faded.motion.root, axis=0)).max() * 60.0 < 2.0
    assert DANCE.linear is False


def test_a_quick_run_has_every_table(sample_library: Path, sample_folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["bench", "refine", str(sample_library), "--data", str(sample_folder), "--quick"]) == 0
    shown = capsys.readouterr().out
    for name in (CAPTURED, HARD, LINEAR, INERTIAL, PHYSICS):
        assert f"| {name} |" in shown
    for title in (
        "Seams told",
        "Gaps in captured",
        "Feet among",
        "Energy above",
        "Windows of 5 s",
        "Beat alignment",
        "Stitching",
    ):
        assert title in shown
    assert "FEWER THAN 1000 WINDOWS" in shown


def test_without_a_library_or_clips_it_says_so(sample_library: Path) -> None:
    from choreodb.benchmarks.runs.registry import BenchRequest
    from choreodb.library import Library

    with pytest.raises(QueryError, match="needs a library"):
        refine.run(BenchRequest(None, (), None, None, 0, lambda *_: None))
    with pytest.raises(QueryError, match="not trained on"):
        refine.bench_refine(Library.open(sample_library), (), {}, {}, {}, held_out=lambda clip: False)
