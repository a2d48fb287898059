"""Metrics of dances on known cases, and the benchmark that sets them side by side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from walking import clip, lengths, place, reader, walk

from choreodb.benchmarks.metrics import feet, flight, smoothness
from choreodb.benchmarks.runs.dance import captured, format_table, measure, score, summary
from choreodb.errors import MetricError
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.skeleton import TOE_HEIGHT_M
from choreodb.refiner.physics import clean
from choreodb.retriever.stitch import StitchOptions, stitch

Array = npt.NDArray[np.float64]


def standing(frames: int = 60) -> tuple[npt.NDArray[np.uint8], Array]:
    points = np.zeros((frames, 4, 3))
    points[..., 1] = TOE_HEIGHT_M
    return np.ones((frames, 4), dtype=np.uint8), points


def test_still_feet_are_perfect() -> None:
    contacts, points = standing()
    report = feet.evaluate(contacts, points, 60.0)
    assert report == {"penetration": 0.0, "floating": 0.0, "slide_m_s": 0.0, "slide_ratio": 0.0, "deepest_m": 0.0}


def test_feet_that_sink_float_and_slide_are_counted_by_contact() -> None:
    contacts, points = standing()
    points[:30, 0, 1] -= 0.03
    points[:15, 1, 1] += 0.03
    assert feet.points_below(contacts, points) == pytest.approx(30 / 240)
    assert feet.points_above(contacts, points) == pytest.approx(15 / 240)
    contacts[:, 0] = 0
    assert feet.points_below(contacts, points) == 0.0
    points[:, 2, 0] = np.arange(60) / 60.0 * 0.3
    skate = feet.skating(contacts, points, 60.0)
    assert skate["mean_m_s"] == pytest.approx(0.1)
    assert skate["ratio"] == pytest.approx(1 / 3)


def test_no_contacts_no_sliding() -> None:
    contacts, points = standing()
    assert feet.skating(0 * contacts, points, 60.0) == {"mean_m_s": 0.0, "ratio": 0.0}


def test_low_slides_ask_for_no_contacts() -> None:
    _, points = standing()
    assert feet.low_slides(points, 60.0) == (0, 59 * 4)
    points[:, 2, 0] = np.arange(60) / 60.0 * 0.3
    assert feet.low_slides(points, 60.0) == (59, 59 * 4)
    points[:, 2, 1] += 0.03
    assert feet.low_slides(points, 60.0) == (0, 59 * 3)


@pytest.mark.parametrize("case", ["shape", "nan", "values"])
def test_feet_refuse_what_they_cannot_score(case: str) -> None:
    contacts, points = standing()
    if case == "shape":
        points = points[:-1]
    if case == "nan":
        points[3, 2, 1] = np.nan
    if case == "values":
        contacts = contacts * 2
    with pytest.raises(MetricError):
        feet.evaluate(contacts, points, 60.0)


def line(speed_m_s: float, frames: int = 60) -> Array:
    points = np.zeros((frames, 3, 3))
    points[..., 0] = np.arange(frames)[:, None] * speed_m_s / 60.0
    return points


def test_a_seam_like_its_source_passes_and_a_jump_does_not() -> None:
    source = [line(1.0, 31), line(1.0, 31)]
    same = smoothness.seam_score(source, line(1.0), 60.0)
    assert same.passed
    assert same.joint_speed == pytest.approx(1.0 / 1.4)
    jump = line(1.0)
    jump[30:] += [0.0, 0.05, 0.0]
    score_of_jump = smoothness.seam_score(source, jump, 60.0)
    assert not score_of_jump.passed
    assert score_of_jump.root_acceleration == pytest.approx(0.05 * 3600 / 15.0, rel=0.01)


def test_speed_limits_are_those_published() -> None:
    source = [line(1.0, 31)]
    assert smoothness.seam_score(source, line(1.39), 60.0).passed
    assert not smoothness.seam_score(source, line(1.41), 60.0).passed
    arm = line(1.0)
    arm[:, 2] = line(2.0)[:, 2]
    one = smoothness.seam_score([np.concatenate([line(1.0)[:, :2], line(2.0)[:, :1]], axis=1)], arm[:, [0, 2, 1]], 60.0)
    assert one.passed
    assert one.each_joint > 1.0


def test_seams_refuse_windows_that_do_not_match() -> None:
    with pytest.raises(MetricError, match="at least one side"):
        smoothness.seam_score([], line(1.0), 60.0)
    with pytest.raises(MetricError, match="at least 3 frames"):
        smoothness.seam_score([line(1.0, 2)], line(1.0), 60.0)
    with pytest.raises(MetricError, match="joints"):
        smoothness.seam_score([line(1.0)[:, :2]], line(1.0), 60.0)
    with pytest.raises(MetricError, match="no seams"):
        smoothness.evaluate([])


def jump(gravity_g: float, frames: int = 120) -> tuple[npt.NDArray[np.uint8], Array]:
    """A body that leaves the floor for half a second under `gravity_g`."""
    motion = walk(2.0, stride_m=0.0, sway=0.0).frames(0, 1)
    points = np.repeat(joint_positions(motion), frames, axis=0)
    contacts = np.ones((frames, 4), dtype=np.uint8)
    t = np.arange(31) / 60.0
    height = 0.5 * gravity_g * flight.G_M_S2 * t * (0.5 - t)
    points[40:71, :, 1] += height[:, None]
    contacts[43:68] = 0
    return contacts, points


@pytest.mark.parametrize("gravity_g", [1.0, 0.64])
def test_gravity_of_a_jump_is_recovered(gravity_g: float) -> None:
    contacts, points = jump(gravity_g)
    report = flight.evaluate(contacts, points, 60.0)
    assert report["flights"] == 1.0
    assert report["gravity"] == pytest.approx(gravity_g, abs=0.01)
    assert report["gravity_ok"] == float(gravity_g == 1.0)


def test_a_gliding_foot_without_contacts_does_not_fly() -> None:
    contacts, points = jump(0.0)
    assert len(flight.flights(contacts, points, 60.0)) == 0
    with pytest.raises(MetricError, match="no flights"):
        flight.evaluate(contacts, points, 60.0)


def test_the_centre_of_mass_moves_with_the_body() -> None:
    points = joint_positions(walk(2.0))
    moved = flight.centre_of_mass(points + np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(moved - flight.centre_of_mass(points), np.tile([1.0, 2.0, 3.0], (len(points), 1)))
    assert 0.8 < flight.centre_of_mass(points)[:, 1].mean() < 1.1


CLIPS = {
    "slow": clip(walk(12.0, stride_m=0.25, step_s=0.55)),
    "long": clip(walk(12.0, stride_m=0.32, step_s=0.55, turn_deg_s=15.0)),
    "quick": clip(walk(12.0, stride_m=0.35, step_s=0.4, sway=1.8)),
}


def test_ours_passes_where_hard_cuts_and_random_joins_do_not() -> None:
    read, frames = reader(CLIPS), lengths(CLIPS)
    song = [0.0, 2.2, 4.4, 6.6, 8.8]
    good = place([("slow", 1.1, 3.3), ("long", 2.2, 4.4), ("slow", 5.5, 7.7), ("long", 7.7, 9.9)], song)
    wild = place([("slow", 1.1, 3.3), ("quick", 2.55, 4.75), ("long", 5.2, 7.4), ("quick", 1.0, 3.2)], song)
    ours = score(clean(stitch(good, read, frames)), read, frames)
    hard = score(
        stitch(good, read, frames, stage_m=None, options=StitchOptions(smooth=False, align=False)), read, frames
    )
    random = score(clean(stitch(wild, read, frames)), read, frames)
    assert ours["passed"] == 1.0
    assert hard["passed"] == 0.0
    assert ours["worst"] < random["worst"] < hard["worst"]
    assert ours["penetration"] == 0.0
    assert ours["floating"] < 0.02
    assert sum(ours["rate_histogram"].values()) == pytest.approx(1.0)


def test_a_captured_clip_scores_like_itself() -> None:
    read, frames = reader(CLIPS), lengths(CLIPS)
    parts = [measure(captured(name, read, frames), read, frames) for name in CLIPS]
    row = summary(parts)
    assert row["passed"] == 1.0
    assert row["rate_min"] == pytest.approx(1.0, abs=1e-6)
    assert row["rate_max"] == pytest.approx(1.0, abs=1e-6)
    assert row["longest_run_s"] == pytest.approx(719 / 60)
    table = format_table([{"row": "captured clips", **row}])
    assert table.splitlines()[2].startswith("| captured clips | ")
    assert "100.0 %" in table
