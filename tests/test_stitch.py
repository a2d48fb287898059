"""Stitching: captured motion comes through untouched, joins are smooth, and places in the studio do not matter."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walking import clip, lengths, place, reader, walk

from choreodb.benchmarks.metrics import smoothness
from choreodb.errors import QueryError
from choreodb.motion.hands import relaxed_hands
from choreodb.motion.kinematics import forward
from choreodb.motion.mirror import mirror
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import angle, compose, inverse, quat_to_yaw, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22
from choreodb.retriever import inertialise, join, stage
from choreodb.retriever.join import JoinOptions, Take
from choreodb.retriever.stitch import Stitched, StitchOptions, stitch

WALKS = {
    "slow": clip(walk(14.0, stride_m=0.25, step_s=0.55)),
    "quick": clip(walk(14.0, stride_m=0.35, step_s=0.45, sway=1.4)),
    "spot": clip(walk(20.0, stride_m=0.0, turn_deg_s=0.0)),
    "bend": clip(walk(14.0, stride_m=0.3, turn_deg_s=25.0)),
}


def dance(parts: list[tuple[str, float, float]], song_s: list[float], **options: object) -> Stitched:
    beats = options.pop("beats", 4)
    mirrored = bool(options.pop("mirrored", False))
    clips = options.pop("clips", WALKS)
    return stitch(place(parts, song_s, beats=beats, mirrored=mirrored), reader(clips), lengths(clips), **options)  # type: ignore[arg-type]


def positions(motion: Motion) -> npt.NDArray[np.float64]:
    return forward(motion.rotations.astype(np.float64), motion.root.astype(np.float64), motion.skeleton)[0]


def carried(points: npt.NDArray[np.float64], start: npt.NDArray[np.float64], yaw: float) -> npt.NDArray[np.float64]:
    """Points turned by `yaw` about the up axis after `start` has been moved to the origin of the floor."""
    moved = points - start * [1.0, 0.0, 1.0]
    out = moved.copy()
    out[..., [0, 2]] = join.turned(np.asarray(yaw), moved[..., [0, 2]])
    return out


def test_one_clip_at_its_own_speed_comes_back_unchanged() -> None:
    made = dance([("spot", 2.0, 10.0)], [0.0, 8.0])
    rotations, root, contacts = WALKS["spot"]
    assert len(made) == 480
    assert not made.seams
    np.testing.assert_array_equal(made.contacts, contacts[120:600])
    np.testing.assert_allclose(made.source_frame, np.arange(120, 600), atol=1e-6)
    np.testing.assert_allclose(made.rate, 1.0, atol=1e-9)
    np.testing.assert_allclose(
        angle(compose(inverse(made.motion.rotations[:, 1:]), rotations[120:600, 1:])), 0.0, atol=1e-3
    )
    source = positions(Motion(rotations[120:600], root[120:600], CHOREO22, 60.0))
    expected = carried(source, source[0, 0], -float(np.mean(quat_to_yaw(rotations[120:180, 0].astype(float)))))
    np.testing.assert_allclose(positions(made.motion), expected, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.9, 2.2), min_size=1, max_size=4))
def test_continuations_give_exactly_the_captured_motion(lengths_s: list[float]) -> None:
    edges = [0.0, *np.cumsum(lengths_s).tolist()]
    parts = [("bend", 1.0 + a, 1.0 + b) for a, b in itertools.pairwise(edges)]
    whole = dance([("bend", 1.0, 1.0 + edges[-1])], [0.0, edges[-1]], stage_m=None)
    pieces = dance(parts, edges, stage_m=None)
    assert not pieces.seams
    assert len(whole) == len(pieces) == round(60 * edges[-1])
    np.testing.assert_allclose(positions(pieces.motion), positions(whole.motion), atol=2e-4)
    assert set(pieces.placement.tolist()) <= set(range(len(parts)))


MIXED = [("slow", 1.0, 3.1), ("quick", 2.0, 4.0), ("bend", 5.0, 6.9), ("bend", 6.9, 8.8), ("slow", 7.0, 9.2)]
MIXED_S = [0.0, 2.0, 4.0, 6.0, 8.0, 10.3]


def test_a_dance_is_as_long_as_its_song_and_knows_its_sources() -> None:
    made = dance(MIXED, MIXED_S)
    assert len(made) == round(10.3 * 60)
    assert [seam.placement for seam in made.seams] == [1, 2, 4]
    assert all(abs(seam.frame - 60 * MIXED_S[seam.placement]) <= 15 for seam in made.seams)
    assert [made.clips[i] for i in made.source_clip[[0, 200, 300, 600]]] == ["slow", "quick", "bend", "slow"]
    assert np.all(np.diff(made.placement) >= 0)
    made.motion.validate()
    for seam in made.seams:
        assert made.source_clip[seam.frame] == made.clips.index(MIXED[seam.placement][0])


def test_the_same_plan_gives_the_same_bytes() -> None:
    first, second = dance(MIXED, MIXED_S), dance(MIXED, MIXED_S)
    assert first.motion.rotations.tobytes() == second.motion.rotations.tobytes()
    assert first.motion.root.tobytes() == second.motion.root.tobytes()
    assert first.seams == second.seams


@settings(max_examples=10, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-5.0, 5.0), st.floats(-5.0, 5.0))
def test_where_a_clip_was_captured_does_not_matter(yaw: float, x: float, z: float) -> None:
    moved = {}
    for number, (name, (rotations, root, contacts)) in enumerate(WALKS.items()):
        turn = yaw_to_quat(np.asarray(yaw * (number + 1)))
        turned = rotations.astype(np.float64)
        turned[:, 0] = compose(turn, turned[:, 0])
        ground = join.turned(np.asarray(yaw * (number + 1)), root[:, [0, 2]].astype(np.float64))
        place_m = np.stack([ground[:, 0] + x * number, root[:, 1], ground[:, 1] + z], axis=1)
        moved[name] = (turned.astype(np.float32), place_m.astype(np.float32), contacts)
    here, there = dance(MIXED, MIXED_S), dance(MIXED, MIXED_S, clips=moved)
    assert [seam.frame for seam in here.seams] == [seam.frame for seam in there.seams]
    np.testing.assert_allclose(positions(there.motion), positions(here.motion), atol=5e-3)


def test_mirrored_placements_dance_the_mirror_image() -> None:
    plain = dance([("bend", 1.0, 4.0)], [0.0, 3.0], stage_m=None)
    other = dance([("bend", 1.0, 4.0)], [0.0, 3.0], stage_m=None, mirrored=True)
    assert other.mirrored.all()
    np.testing.assert_allclose(positions(mirror(plain.motion)), positions(other.motion), atol=1e-3)
    np.testing.assert_array_equal(plain.contacts[:, [2, 3, 0, 1]], other.contacts)


def scores(made: Stitched) -> list[smoothness.SeamScore]:
    points = positions(made.motion)
    out = []
    for seam in made.seams:
        windows = []
        for frame, low, high in ((seam.frame - 1, -30, 1), (seam.frame, 0, 31)):
            at = round(float(made.source_frame[frame]))
            rotations, root, _ = WALKS[made.clips[made.source_clip[frame]]]
            part = slice(max(0, at + low), at + high)
            windows.append(positions(Motion(rotations[part], root[part], CHOREO22, 60.0)))
        out.append(smoothness.seam_score(windows, points[seam.frame - 30 : seam.frame + 30], 60.0))
    return out


def test_seams_pass_and_hard_cuts_do_not() -> None:
    assert all(score.passed for score in scores(dance(MIXED, MIXED_S)))
    hard = dance(MIXED, MIXED_S, stage_m=None, options=StitchOptions(smooth=False, align=False))
    assert not any(score.passed for score in scores(hard))
    unblended = dance(MIXED, MIXED_S, options=StitchOptions(smooth=False))
    assert max(s.worst for s in scores(unblended)) > 1.2 * max(s.worst for s in scores(dance(MIXED, MIXED_S)))


def test_the_standing_foot_stays_across_a_join() -> None:
    made = dance([("slow", 1.0, 3.1), ("quick", 2.0, 4.0)], [0.0, 2.0, 4.0], stage_m=None)
    (seam,) = made.seams
    assert seam.kind != "travel"
    sides = {"left foot": [7], "right foot": [8], "both feet": [7, 8]}[seam.kind]
    points = positions(made.motion)[:, sides]
    middle = points.mean(axis=1)
    assert np.linalg.norm(middle[seam.frame + 1] - middle[seam.frame - 2]) < 0.02


def test_clips_too_short_for_margins_and_single_frames_are_danced() -> None:
    rotations, root, contacts = WALKS["slow"]
    short = {"bit": (rotations[:40], root[:40], contacts[:40]), "one": (rotations[:1], root[:1], contacts[:1])}
    made = dance(
        [("bit", 0.0, 39 / 60), ("one", 0.0, 0.02), ("bit", 0.0, 0.6)], [0.0, 0.7, 1.2, 1.8], clips=short, beats=0
    )
    assert len(made) == 108
    made.motion.validate()
    assert made.source_frame.max() <= 39.0


def test_hands_where_any_clip_has_them() -> None:
    rotations, root, contacts = WALKS["slow"]
    hands = np.broadcast_to(relaxed_hands(), (len(rotations), 30, 4))
    clips = {**WALKS, "hands": (np.concatenate([rotations, hands], axis=1), root, contacts)}
    made = dance([("quick", 1.0, 3.0), ("hands", 1.0, 3.0)], [0.0, 2.0, 4.0], clips=clips)
    assert made.motion.rotations.shape == (240, 52, 4)
    np.testing.assert_allclose(angle(compose(inverse(hands[:1]), made.motion.rotations[:, 22:])), 0.0, atol=2e-3)


def test_an_unknown_clip_is_an_error() -> None:
    with pytest.raises(QueryError, match="not in the library"):
        stitch(place([("nobody", 0.0, 2.0)], [0.0, 2.0]), reader(WALKS), lengths(WALKS))


def test_steering_keeps_a_long_walk_on_the_stage() -> None:
    clips = {"far": clip(walk(60.0, stride_m=0.18))}
    parts = [("far", 1.0, 56.0)]
    free = dance(parts, [0.0, 55.0], clips=clips, stage_m=None, beats=0)
    kept = dance(parts, [0.0, 55.0], clips=clips, stage_m=(6.0, 6.0), beats=0)
    assert max(free.stage.extent_m) > 15.0
    assert max(kept.stage.extent_m) < 6.5
    assert free.stage.steered_deg == 0.0 < kept.stage.steered_deg
    turn = np.diff(np.unwrap(quat_to_yaw(kept.motion.rotations[:, 0].astype(float)))) * 60.0
    assert np.degrees(np.abs(turn).max()) < 10.5
    # steps are not scaled: the path is as long as before
    path = [np.linalg.norm(np.diff(d.motion.root[:, [0, 2]], axis=0), axis=1).sum() for d in (free, kept)]
    assert path[1] == pytest.approx(path[0], rel=0.06)


def test_a_dance_that_stays_is_not_steered() -> None:
    assert dance([("spot", 1.0, 15.0)], [0.0, 14.0], stage_m=(6.0, 6.0)).stage.steered_deg == 0.0


def test_a_dance_opens_in_the_middle_facing_front() -> None:
    made = dance([("bend", 3.0, 5.0)], [0.0, 2.0])
    np.testing.assert_allclose(made.motion.root[0, [0, 2]], 0.0, atol=1e-6)
    yaw = quat_to_yaw(made.motion.rotations[:60, 0].astype(float))
    assert abs(np.angle(np.mean(np.exp(1j * yaw)))) < 1e-3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_inertialisation_is_continuous_in_value_and_velocity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.arange(-60, 60) / 60.0
    a, b = (
        np.stack([rng.normal() + rng.normal() * times + rng.normal() * times**2 for _ in range(3)], 1) for _ in range(2)
    )
    rest = np.tile(np.array([1.0, 0.0, 0.0, 0.0]), (120, 1, 1))

    def take(root: np.ndarray) -> join.Take:
        still = np.zeros((120, 4), np.uint8)
        return join.Take(
            -60, rest, root, still, times, times, np.ones(120, bool), np.zeros(120, bool), np.zeros((120, 0))
        )

    gaps = [inertialise.gap(take(a), take(b), 0, 60.0)]
    cut = np.concatenate([a[:60], b[60:]])
    _, root = inertialise.close(rest, cut, gaps, np.array([60]), np.array([24]), 60.0)
    np.testing.assert_array_equal(root[:36], a[:36])
    np.testing.assert_array_equal(root[84:], b[84:])
    velocity = np.diff(root, axis=0) * 60.0
    bound = 20.0 * (1.0 + np.abs(a[60] - b[60]).max() * 3.0)
    assert np.abs(np.diff(velocity, axis=0)[50:70] * 60.0).max() < bound * 6.0


def test_stage_figures_of_a_known_path() -> None:
    root = np.stack([np.linspace(0.0, 4.0, 600), np.zeros(600)], axis=1)
    figures = stage.figures(root, np.zeros(600), np.zeros(600), 60.0, (4.0, 4.0))
    assert figures.extent_m == (4.0, 0.0)
    assert figures.outside_share == pytest.approx(0.5, abs=0.01)
    assert figures.front_share == 1.0
    assert replace(figures, steered_deg=0.0) == figures


def slow_strides(window: join._Window, yaw: np.ndarray, shift: np.ndarray, options: JoinOptions) -> np.ndarray:
    """The same with loops."""
    out = np.zeros(yaw.shape)
    count = window.stands.shape[2]
    for seam, candidate in np.ndindex(*yaw.shape):
        at = window.inner.start + 1 + candidate
        for foot in (0, 1):
            last = [k for k in range(at + 1) if window.stands[seam, 0, k, foot]]
            following = [k for k in range(at, count) if window.stands[seam, 1, k, foot]]
            if last and following:
                there = (
                    join.turned(yaw[seam, candidate], window.feet[seam, 1, following[0], foot]) + shift[seam, candidate]
                )
                away = np.linalg.norm(there - window.feet[seam, 0, last[-1], foot])
                free = options.stride_m_s * window.seconds * (following[0] - last[-1])
                out[seam, candidate] += max(away - free, 0.0)
    return out


def test_strides_are_what_a_loop_finds(rng: np.random.Generator) -> None:
    clips = {"a": clip(walk(6.0)), "b": clip(walk(6.0, stride_m=0.7, step_s=0.4))}
    takes = [
        Take(-30, clips[name][0].astype(np.float64), clips[name][1].astype(np.float64), clips[name][2], np.arange(360.0),
             np.ones(360), np.ones(360, dtype=bool), np.zeros(360, dtype=bool), np.zeros((360, 0)))
        for name in ("a", "b")
    ]  # fmt: skip
    options = JoinOptions()
    window = join._Window(takes, np.array([150]), 60.0, options)
    candidates = len(window.offsets) - 2
    yaw, shift = rng.normal(size=(1, candidates)), rng.normal(size=(1, candidates, 2))
    np.testing.assert_allclose(
        join._strides(window, yaw, shift, options), slow_strides(window, yaw, shift, options), atol=1e-9
    )
    assert np.all(join._strides(window, yaw, shift, JoinOptions(stride_m_s=100.0)) >= 0.0)
