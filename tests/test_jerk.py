"""Jerk at joins: spikes are spread, what was captured stays, and detail survives cleaning up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from walking import clip, lengths, place, reader, walk

from choreodb.benchmarks.metrics import detail
from choreodb.motion.contacts import foot_points
from choreodb.motion.kinematics import forward, joint_positions
from choreodb.motion.rotations import axis_angle_to_quat, compose, identity, inverse, quat_to_rotvec, rotvec_to_quat
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner import jerk
from choreodb.refiner.physics import clean, clean_motion
from choreodb.retriever.stitch import stitch

Array = npt.NDArray[np.float64]
FPS = 60.0


def stepped(frames: int = 240, at: int = 120) -> tuple[Array, Array]:
    """Rotations [T, 2, 4] and root [T, 3] whose accelerations step at one frame."""
    since = np.maximum(np.arange(frames) - at, 0) / FPS
    rotations = identity(frames, 2)
    rotations[:, 1] = axis_angle_to_quat(np.array([0.0, 0.0, 1.0]), 0.5 * since**2)
    return rotations, np.stack([3.0 * since**2, 0.0 * since, -since], axis=1)[:, [0, 1, 1]]


def thirds(values: Array) -> Array:
    return np.abs(np.diff(values, n=3, axis=0)).max(axis=tuple(range(1, values.ndim))) * FPS**3


def test_a_step_of_acceleration_is_spread() -> None:
    rotations, root = stepped()
    turned, moved = jerk.spread(rotations, root, np.array([120]), FPS)
    assert thirds(moved).max() < 0.3 * thirds(root).max()
    spun = thirds(quat_to_rotvec(turned[:, 1]))
    assert spun.max() < 0.3 * thirds(quat_to_rotvec(rotations[:, 1])).max()
    assert np.abs(moved - root).max() < 0.01
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), 1.0, atol=1e-12)


def test_nothing_beyond_the_reach_is_touched() -> None:
    rotations, root = stepped()
    turned, moved = jerk.spread(rotations, root, np.array([120]), FPS)
    outside = np.abs(np.arange(240) - 119.5) > 12
    np.testing.assert_array_equal(moved[outside], root[outside])
    np.testing.assert_array_equal(turned[outside], rotations[outside])


def test_an_accent_without_a_join_stays() -> None:
    rotations, root = stepped()
    turned, moved = jerk.spread(rotations, root, np.array([60]), FPS)
    np.testing.assert_allclose(moved, root, atol=1e-12)
    np.testing.assert_allclose(turned, rotations, atol=1e-12)
    # nor does one that lies near a join, but not across it
    _, near = jerk.spread(rotations, root, np.array([112]), FPS)
    assert thirds(near).max() > 0.8 * thirds(root).max()


def test_joins_too_close_together_are_left_alone() -> None:
    rotations, root = stepped()
    turned, moved = jerk.spread(rotations, root, np.array([118, 122]), FPS)
    assert turned is rotations
    assert moved is root


def test_what_was_captured_keeps_its_detail() -> None:
    motion = walk(12.0, stride_m=0.35)
    _, _, contacts = clip(motion)
    places = foot_points(*forward(motion.rotations.astype(np.float64), motion.root.astype(np.float64), CHOREO22))
    made = clean_motion(motion, contacts, heights=places[..., 1])
    before, after = (detail.evaluate(joint_positions(each), FPS) for each in (motion, made))
    assert abs(after["fast_energy"] / before["fast_energy"] - 1.0) < 0.05
    assert abs(after["peak_speed_m_s"] / before["peak_speed_m_s"] - 1.0) < 0.02


def test_a_cleaned_join_has_less_jerk_than_an_inertialised_one() -> None:
    clips = {"slow": clip(walk(12.0, stride_m=0.2)), "long": clip(walk(12.0, stride_m=0.4, turn_deg_s=20.0))}
    made = stitch(
        place([("slow", 1.0, 4.2), ("long", 3.3, 6.5)], [0.0, 3.0, 6.0]), reader(clips), lengths(clips), stage_m=None
    )
    seam = made.seams[0].frame
    arms = [20, 21, 15]
    before, after = (
        thirds(joint_positions(each.motion)[seam - 4 : seam + 3][:, arms].astype(np.float64)).max()
        for each in (made, clean(made))
    )
    assert after < before


def test_a_noisy_join_moves_nothing_far(rng: np.random.Generator) -> None:
    options = jerk.JerkOptions()
    rotations = np.asarray(rotvec_to_quat(rng.normal(scale=0.4, size=(200, 22, 3))))
    root = rng.normal(scale=0.2, size=(200, 3))
    turned, moved = jerk.spread(rotations, root, np.array([100]), FPS)
    turn = np.linalg.norm(quat_to_rotvec(compose(turned, inverse(rotations))), axis=-1)
    assert np.degrees(turn.max()) <= options.turn_deg * 1.5
    assert np.abs(moved - root).max() <= options.move_m
    assert turn.max() > 0.0
