"""The troupe: physics, determinism, truth and vocabulary of the dances that the project makes itself."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb import sample
from choreodb.errors import ChoreoError, QueryError
from choreodb.motion import bvh
from choreodb.motion.contacts import detect, foot_points
from choreodb.motion.kinematics import forward, joint_positions
from choreodb.motion.rotations import AXES, axis_angle_to_quat, quat_to_rotvec, quat_to_yaw, rotate, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22, LEG_LENGTH_M, TOE_HEIGHT_M, mirror_name
from choreodb.sample.arms import arm_rotations, clear_of_torso, torso_depth, trail_hands
from choreodb.sample.curves import balanced, cover, follow, glide, min_jerk, smooth, spring
from choreodb.sample.dataset import FIRST_STYLES
from choreodb.sample.footwork import foot_curve, home_steps, schedule, unweighted
from choreodb.sample.performance import Performance
from choreodb.sample.phrases import mirrored
from choreodb.sample.score import PlacedStep
from choreodb.sample.styles import STYLES
from choreodb.sample.truth import SAMPLE_VERSION, PhraseSpan

Array = npt.NDArray[np.float64]
FPS = 60.0
DANCES = [(style, seed) for style in STYLES for seed in (0, 7)]


@pytest.fixture(scope="module")
def dances() -> dict[tuple[str, int], Performance]:
    return {(style, seed): sample.perform(style, seed, 16) for style, seed in DANCES}


def feet(dance: Performance) -> Array:
    positions, turned = forward(dance.motion.rotations, dance.motion.root, CHOREO22)
    return foot_points(positions, turned)


@pytest.mark.parametrize("which", DANCES)
def test_feet_stand_still_while_they_stand(dances: dict, which: tuple[str, int]) -> None:
    dance = dances[which]
    points = feet(dance)
    for column in range(4):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], dance.contacts[:, column].astype(int), [0]])))
        for start, stop in edges.reshape(-1, 2):
            spread = np.ptp(points[start:stop, column], axis=0)
            assert np.max(spread) < 1e-3, (start, stop, column)


@pytest.mark.parametrize("which", DANCES)
def test_feet_stay_above_the_floor_and_in_reach(dances: dict, which: tuple[str, int]) -> None:
    dance = dances[which]
    points, positions = feet(dance), joint_positions(dance.motion)
    assert points[..., 1].min() > TOE_HEIGHT_M - 1e-4
    for side in ("left", "right"):
        hip, ankle = (positions[:, CHOREO22.index(f"{side}_{part}")] for part in ("hip", "ankle"))
        assert np.linalg.norm(hip - ankle, axis=1).max() < 0.9905 * LEG_LENGTH_M


def airborne(dance: Performance) -> npt.NDArray[np.bool_]:
    frames = np.arange(len(dance.motion)) / FPS
    flights = dance.truth.flights
    return np.any([(frames > each.take_off_s) & (frames < each.land_s) for each in flights], axis=0) | np.zeros(
        len(frames), bool
    )


@pytest.mark.parametrize("which", DANCES)
def test_a_foot_is_on_the_floor_but_in_jumps(dances: dict, which: tuple[str, int]) -> None:
    dance = dances[which]
    height = feet(dance)[..., 1].min(axis=1) - TOE_HEIGHT_M
    air = airborne(dance)
    assert height[~air].max() < 1e-3
    assert not dance.contacts[air].any()


JUMPS = [
    ("house", "kick-hop"),
    ("groove", "running-man"),
    ("groove", "break-down"),
    ("waltz", "leap"),
    ("popping", "pop-jump"),
    ("house", "loose-legs"),
    ("groove", "roger-rabbit"),
    ("locking", "skeeter-rabbit"),
    ("locking", "which-a-way"),
    ("contemporary", "leap"),
    ("contemporary", "gather-scatter"),
    ("line-dance", "hora"),
    ("line-dance", "step-hop"),
    ("line-dance", "debka"),
]


@pytest.mark.parametrize(("style", "phrase"), JUMPS)
def test_jumps_fly_as_long_as_their_height_takes(style: str, phrase: str) -> None:
    dance = sample.perform(style, 2, 8, phrases=(phrase,))
    points, root = feet(dance), dance.motion.root
    assert len(dance.truth.flights) >= 3
    for flight in dance.truth.flights:
        seconds = flight.land_s - flight.take_off_s
        assert flight.height_m == pytest.approx(9.81 * seconds**2 / 8.0)
        inside = slice(int(np.ceil(flight.take_off_s * FPS)), int(flight.land_s * FPS) + 1)
        assert np.diff(root[inside, 1], 2) * FPS**2 == pytest.approx(-9.81, abs=0.05)
        middle = round(0.5 * (flight.take_off_s + flight.land_s) * FPS)
        assert points[middle, :, 1].min() - TOE_HEIGHT_M > 0.4 * flight.height_m
    acceleration = np.linalg.norm(np.diff(root, 2, axis=0), axis=1) * FPS**2
    assert acceleration.max() < 35.0


@pytest.mark.parametrize("which", DANCES)
def test_the_pelvis_is_held_up_by_the_floor(dances: dict, which: tuple[str, int]) -> None:
    """No levitation: outside flights the floor must push up, and nothing ever pulls the body down."""
    dance = dances[which]
    rise = np.gradient(np.gradient(dance.motion.root[:, 1], 1 / FPS), 1 / FPS)
    assert rise.min() > -9.81 - 1.0
    assert rise[~dance.contacts.any(axis=1) & airborne(dance)].max(initial=-9.81) < 15.0


@pytest.mark.parametrize("which", DANCES)
def test_knees_bend_forwards(dances: dict, which: tuple[str, int]) -> None:
    motion = dances[which].motion
    positions, turned = forward(motion.rotations, motion.root, CHOREO22)
    for side in ("left", "right"):
        hip, knee, ankle = (positions[:, CHOREO22.index(f"{side}_{part}")] for part in ("hip", "knee", "ankle"))
        middle = hip + (ankle - hip) * 0.5
        ahead = rotate(turned[:, 0], np.array([0.0, 0.0, 1.0]))
        assert np.sum((knee - middle) * ahead, axis=1).min() > 0.0


@pytest.mark.parametrize("which", DANCES)
def test_pelvis_moves_as_a_body_can(dances: dict, which: tuple[str, int]) -> None:
    root = dances[which].motion.root
    acceleration = np.linalg.norm(np.diff(root, 2, axis=0), axis=1) * FPS**2
    jerk = np.linalg.norm(np.diff(root, 3, axis=0), axis=1) * FPS**3
    near = np.convolve(airborne(dances[which])[2:], np.ones(73), "same") > 0
    assert acceleration[~near].max() < 15.0
    assert jerk[~near[1:]].max() < 600.0
    assert acceleration.max() < 35.0
    assert jerk.max() < 1800.0
    assert np.hypot(root[:, 0], root[:, 2]).max() < 4.5
    assert 0.6 < root[:, 1].min() < root[:, 1].max() < 1.15


@pytest.mark.parametrize("which", DANCES)
def test_no_joint_teleports(dances: dict, which: tuple[str, int]) -> None:
    speed = np.linalg.norm(np.diff(joint_positions(dances[which].motion), axis=0), axis=-1) * FPS
    assert speed.max() < 10.0
    assert 0.15 < speed.mean() < 1.5


@pytest.mark.parametrize("which", DANCES)
def test_arms_keep_out_of_the_torso(dances: dict, which: tuple[str, int]) -> None:
    motion = dances[which].motion
    assert torso_depth(motion.rotations, motion.root).max() < 0.02


def test_contacts_agree_with_the_detector(dances: dict) -> None:
    agreement = [np.mean(detect(feet(dance), FPS) == dance.contacts) for dance in dances.values()]
    assert np.mean(agreement) > 0.85


@pytest.mark.parametrize("which", DANCES)
def test_truth_fits_the_motion(dances: dict, which: tuple[str, int]) -> None:
    dance = dances[which]
    truth = dance.truth
    dance.motion.validate()
    assert truth.version == SAMPLE_VERSION
    assert truth.duration_s == pytest.approx(len(dance.motion) / FPS)
    assert len(truth.beats_s) == 16 * truth.metre
    assert truth.beats_s[:: truth.metre] == pytest.approx(truth.downbeats_s[:-1])
    assert truth.downbeats_s[-1] < truth.duration_s
    spans = truth.phrases
    assert spans[0].start_s == pytest.approx(truth.downbeats_s[0])
    assert all(a.end_s == pytest.approx(b.start_s) for a, b in pairwise(spans))
    for foot, toe in (("left", 1), ("right", 3)):
        for step in (step for step in truth.footsteps if step.foot == foot and step.lift_s - step.land_s > 0.1):
            frame = round(0.5 * (step.land_s + step.lift_s) * FPS)
            point = feet_at(dance, frame)[toe]
            assert np.hypot(point[0] - step.x_m, point[2] - step.z_m) < 0.08


def feet_at(dance: Performance, frame: int) -> Array:
    part = dance.motion.frames(frame, frame + 1)
    return foot_points(*forward(part.rotations, part.root, CHOREO22))[0]


@pytest.mark.parametrize("style", list(STYLES))
def test_steps_fall_on_the_beat_grid(dances: dict, style: str) -> None:
    truth = dances[(style, 0)].truth
    beats = np.array(truth.beats_s)
    half = np.sort(np.concatenate([beats, beats[:-1] + np.diff(beats) * (0.6 if style == "groove" else 0.5)]))
    landings = np.array([step.land_s for step in truth.footsteps if beats[0] + 0.1 < step.land_s < beats[-1]])
    off = np.abs(landings[:, None] - half).min(axis=1)
    assert np.median(off) < 0.05
    assert np.percentile(off, 90) < 0.16


def test_same_seed_same_bytes_and_another_seed_another_dance() -> None:
    first, again, other = (sample.perform("groove", seed, 8) for seed in (5, 5, 6))
    assert first.motion.rotations.tobytes() == again.motion.rotations.tobytes()
    assert first.motion.root.tobytes() == again.motion.root.tobytes()
    assert first.truth == again.truth
    assert first.motion.rotations.tobytes() != other.motion.rotations.tobytes()


def test_one_song_can_be_danced_in_many_ways() -> None:
    song = sample.compose("waltz", 2, 4).truth
    one, two = (sample.perform("waltz", seed, song=song, dancer=who) for seed, who in ((2, "dancer1"), (3, "dancer2")))
    assert len(one.motion) == len(two.motion)
    assert one.truth.beats_s == two.truth.beats_s
    distance = np.linalg.norm(joint_positions(one.motion) - joint_positions(two.motion), axis=-1).mean()
    assert distance > 0.05


def windows(dance: Performance, count: int = 48) -> list[Array]:
    """Each phrase as [count, J, 3], over the pelvis and in its heading frame, unmirrored."""
    positions = joint_positions(dance.motion)
    yaw = quat_to_yaw(dance.motion.rotations[:, 0])
    return [_window(positions, yaw, span, count) for span in dance.truth.phrases]


def _window(positions: Array, yaw: Array, span: PhraseSpan, count: int) -> Array:
    frames = np.round(np.linspace(span.start_s, span.end_s, count) * FPS).astype(int)
    local = positions[frames] - positions[frames, :1] * np.array([1.0, 0.0, 1.0])
    local = rotate(yaw_to_quat(-yaw[frames])[:, None], local)
    return flipped(local) if span.mirrored else local


def flipped(local: Array) -> Array:
    order = [CHOREO22.index(mirror_name(name)) for name in CHOREO22.names]
    return local[:, order] * np.array([-1.0, 1.0, 1.0])


def apart(a: Array, b: Array) -> float:
    return min(float(np.linalg.norm(a - other, axis=-1).mean()) for other in (b, flipped(b)))


@pytest.mark.long
def test_phrases_differ_from_each_other_and_repetitions_from_themselves() -> None:
    """Over the whole vocabulary: nobody counts as two what two styles would share."""
    names = [(style.name, phrase.name) for style in STYLES.values() for phrase in style.vocabulary]
    assert len(STYLES) >= 10
    assert all(len(style.vocabulary) >= 12 for style in STYLES.values())
    danced = {}
    for style, name in names:
        takes = [sample.perform(style, seed, 6, dancer="dancer2", phrases=(name,)) for seed in (3, 4)]
        danced[style, name] = [window for dance in takes for window in windows(dance)]
        repeats = [apart(a, b) for i, a in enumerate(danced[style, name]) for b in danced[style, name][:i]]
        assert min(repeats) > 0.035, (style, name)
    means = np.stack([np.mean(danced[name], axis=0) for name in names])
    for place, mean in enumerate(means[:-1]):
        rest = means[place + 1 :]
        distance = np.min(
            [np.linalg.norm(rest - each, axis=-1).mean(axis=(1, 2)) for each in (mean, flipped(mean))], axis=0
        )
        nearest = int(np.argmin(distance))
        assert distance[nearest] > 0.08, (names[place], names[place + 1 + nearest])


@pytest.mark.parametrize("style", list(STYLES))
def test_energy_of_the_music_shows_in_the_dance(style: str) -> None:
    loud, quiet = [], []
    for seed in range(4):
        dance = sample.perform(style, seed, 16, relation=sample.Relation(energy=1.0, tempo=1.0))
        speed = np.linalg.norm(np.diff(joint_positions(dance.motion), axis=0), axis=-1).mean(axis=1) * FPS
        for section in dance.truth.sections:
            part = speed[round(section.start_s * FPS) : round(section.end_s * FPS)]
            (loud if section.name == "chorus" else quiet if section.name in ("intro", "break") else []).append(
                part.mean()
            )
    assert np.mean(loud) > 1.15 * np.mean(quiet)


def test_a_part_keeps_its_place_in_the_song() -> None:
    dance = sample.perform("house", 1, 8)
    part = dance.part(3.0, 9.5)
    assert len(part.motion) == len(part.contacts) == 390
    assert part.truth.music_start_s == pytest.approx(3.0)
    assert part.truth.beats_s[0] + 3.0 in [pytest.approx(beat) for beat in dance.truth.beats_s]
    assert all(0.0 <= step.land_s < step.lift_s <= 6.5 + 1e-9 for step in part.truth.footsteps)
    np.testing.assert_array_equal(part.motion.root, dance.motion.root[180:570])


@pytest.mark.parametrize("style", list(STYLES))
def test_mirroring_a_phrase_twice_gives_it_back(style: str) -> None:
    for phrase in STYLES[style].vocabulary:
        assert mirrored(mirrored(phrase)) == phrase


@settings(max_examples=12, deadline=None)
@given(bars=st.integers(1, 9), seed=st.integers(0, 10_000), style=st.sampled_from(sorted(STYLES)))
def test_any_length_can_be_danced(bars: int, seed: int, style: str) -> None:
    dance = sample.perform(style, seed, bars)
    dance.motion.validate()
    assert sum(span.bars for span in dance.truth.phrases) == bars
    assert sum(section.bars for section in dance.truth.sections) == bars
    assert np.linalg.norm(np.diff(dance.motion.root, 2, axis=0), axis=1).max() * FPS**2 < 36.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sample.perform("polka", 0), "polka"),
        (lambda: sample.perform("house", 0, phrases=("moonwalk",)), "moonwalk"),
        (lambda: sample.perform("house", 0, 0), "0 bars"),
        (lambda: sample.compose("house", 0, 4, tempo=900.0), "900"),
        (lambda: sample.make("nowhere", minutes=0.0), "0.0 minutes"),
    ],
)
def test_wrong_requests_are_refused_in_one_line(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(QueryError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_make_writes_a_set_that_fits_together(tmp_path: Path) -> None:
    manifest = sample.make(tmp_path / "out", minutes=0.6, seed=3)
    assert manifest.seconds == pytest.approx(36.0, rel=0.25)
    rows = list(csv.DictReader((tmp_path / "out/pairs.csv").open()))
    assert [row["motion"] for row in rows] == [clip.motion for clip in manifest.clips]
    assert {row["style"] for row in rows} == set(FIRST_STYLES)
    for clip in manifest.clips:
        motion = bvh.load(manifest.out / clip.motion)
        truth = json.loads((manifest.out / clip.motion).with_suffix(".json").read_text())
        assert len(motion) / motion.fps == pytest.approx(truth["duration_s"], abs=1e-5)
        assert truth["music_start_s"] == pytest.approx(clip.music_start_s, abs=1e-6)
        assert truth["version"] == SAMPLE_VERSION
        assert truth["contacts"]["left_toe"][-1][1] <= len(motion)
        assert (manifest.out / clip.music).is_file()
    assert manifest.text().count("\n") == 0


def test_make_is_deterministic_to_the_byte(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sample.make(tmp_path / name, minutes=0.3, seed=1, styles=("house",))
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) >= 6
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_min_jerk_starts_and_ends_at_rest() -> None:
    s = np.linspace(-0.2, 1.2, 1401)
    curve = min_jerk(s)
    assert curve[0] == 0.0
    assert curve[-1] == pytest.approx(1.0)
    assert np.abs(np.gradient(np.gradient(curve, s), s)).max() < 6.0
    assert np.all(np.diff(curve) >= -1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0.5, 9.0), st.floats(0.1, 0.45), st.floats(-50.0, 50.0)), min_size=1, max_size=8))
def test_follow_reaches_its_last_key(keys: list[tuple[float, float, float]]) -> None:
    times = np.arange(0.0, 10.0, 1.0 / FPS)
    curve = follow(times, keys, 1.0)
    assert curve[0] == 1.0
    assert curve[-1] == pytest.approx(sorted(keys)[-1][2], abs=1e-9)


def test_spring_settles_without_delay() -> None:
    times = np.arange(0.0, 4.0, 1.0 / FPS)
    target = min_jerk((times - 1.0) / 0.5)
    answer = spring(target, FPS, 3.0, 0.6)
    assert answer[-1] == pytest.approx(1.0, abs=1e-3)
    assert abs(np.argmax(answer > 0.5) - np.argmax(target > 0.5)) <= 3
    assert 1.0 < answer.max() < 1.15


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_cover_is_nowhere_below_what_it_covers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    deficit = np.maximum(rng.normal(0.0, 0.05, 300) - 0.05, 0.0)
    assert np.all(cover(deficit, FPS, 0.15) >= deficit - 1e-12)


@pytest.mark.parametrize("seconds", [float("nan"), 0.0, -5.0, 1e9])
def test_a_song_of_no_length_is_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(ChoreoError, match="seconds"):
        sample.make_song(tmp_path / "song.wav", seconds=seconds)
    assert list(tmp_path.iterdir()) == []


def test_glide_starts_and_ends_at_rest_and_peaks_as_captured_swings_do() -> None:
    s = np.linspace(0.0, 1.0, 2001)
    speed = np.gradient(glide(s), s)
    assert glide(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])) == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    assert speed.max() == pytest.approx(14.0 / 9.0, rel=1e-3)
    assert max(abs(speed[0]), abs(speed[-1])) < 1e-3
    assert np.abs(np.gradient(speed, s))[[1, -2]].max() < 0.1


@pytest.mark.parametrize("leisure", [0.8, 1.2])
def test_feet_take_their_time_where_nothing_presses_them(leisure: float) -> None:
    steps = [
        PlacedStep(foot, 1.5 * turn + 2.0, 0.2, 0.1 * turn, 0.0, 0.0, 0.05, 1.0, "flat", 0.2, 0.0)
        for turn, foot in enumerate(("left", "right", "left", "right"))
    ]
    done = schedule(steps, leisure)
    assert [step.land_s for step in done] == [step.land_s for step in steps]
    for before, after in pairwise(done):
        assert 0.38 * leisure <= after.swing_s < 0.621
        assert after.land_s - after.swing_s > before.land_s


def test_hands_trail_behind_a_forearm_that_moves_and_not_behind_one_that_rests() -> None:
    still = np.zeros((240, 22, 4))
    still[..., 0] = 1.0
    trail_hands(still, FPS, 1.0)
    moving = still.copy()
    bend = 0.8 * np.sin(2.0 * np.pi * np.arange(240) / FPS)
    moving[:, CHOREO22.index("left_elbow")] = axis_angle_to_quat(AXES["Y"], -bend)
    trail_hands(moving, FPS, 1.0)
    wrist, resting = (quat_to_rotvec(each[60:180, CHOREO22.index("left_wrist")]) for each in (moving, still))
    assert np.ptp(resting, axis=0).max() < 1e-9
    lag = wrist[:, 1] - resting[:, 1]
    forearm = -bend[60:180]
    assert np.corrcoef(lag, np.gradient(forearm))[0, 1] < -0.5
    assert np.abs(wrist).max() < 0.9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 0.4))
def test_a_balanced_body_is_held_up_where_its_feet_push(seed: int, seconds: float) -> None:
    push = smooth(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, (600, 2)), axis=0), FPS, 0.1)
    path = balanced(push, FPS, seconds)
    acceleration = np.diff(path, 2, axis=0) * FPS**2
    assert np.abs(path[1:-1] - seconds**2 * acceleration - push[1:-1])[5:-5].max() < 0.02 * np.ptp(push)
    assert balanced(np.full((50, 1), 0.3), FPS, seconds) == pytest.approx(0.3)
    assert balanced(push[::-1], FPS, seconds)[::-1] == pytest.approx(path)


def test_a_foot_without_weight_comes_off_its_heel_and_one_with_weight_stands_flat() -> None:
    times = np.arange(240) / FPS
    curve, _ = foot_curve(times, "left", home_steps((0.0, 0.0, 0.0), 0.1, 0.0)["left"], [], np.zeros(240), 1.0)
    share = np.clip(1.5 - times, 0.0, 1.0)
    near, far = (unweighted(curve, share, np.full(240, apart), FPS, 1.0) for apart in (0.2, 0.6))
    lifted = near
    assert far.heel_up[-1] > 1.5 * near.heel_up[-1]
    assert np.abs(lifted.heel_up[:60]).max() == 0.0
    assert 0.1 < lifted.heel_up[-1] < 0.5
    assert np.diff(lifted.heel_up).min() >= 0.0
    assert lifted.contacts()[-1].tolist() == [0, 1]
    assert np.array_equal(lifted.ball, curve.ball)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_follow_agrees_with_a_naive_sum_of_steps(seed: int, gliding: bool) -> None:
    rng = np.random.default_rng(seed)
    times = np.arange(300) / FPS
    keys = [
        (float(rng.uniform(-1.0, 6.0)), float(rng.uniform(0.1, 2.0)), float(rng.choice([0.0, 1.0, -2.0])))
        for _ in range(9)
    ]
    naive, value = np.full(len(times), 0.5), 0.5
    for stop, span, target in sorted(keys):
        progress = (times - (stop - span)) / span
        naive += (target - value) * (glide(progress) if gliding else min_jerk(progress))
        value = target
    assert follow(times, keys, 0.5, gliding=gliding) == pytest.approx(naive, abs=1e-9)
    assert np.array_equal(follow(times, [], 0.5), np.full(len(times), 0.5))


def test_arms_are_cleared_as_if_every_frame_were_looked_at_every_time() -> None:
    dance = sample.perform("popping", 3, 4).motion
    rng = np.random.default_rng(0)
    count = len(dance)
    arms = smooth(rng.normal((0.2, 0.0, 1.0, 1.6), 2.0, (count, 2, 4)), FPS, 0.3)
    root = dance.root.astype(np.float64)
    naive, body = arms.copy(), dance.rotations.astype(np.float64)
    for _ in range(5):
        arm_rotations(body, naive, np.zeros(count))
        opened = cover(torso_depth(body, root), FPS, 0.2)
        naive[..., 1] += opened[..., 0] / 0.34
        naive[..., 0] += opened[..., 1] / 0.34
        naive[..., 3] -= np.minimum(opened[..., 1] / 0.16, 0.4 * np.maximum(naive[..., 3], 0.0))
    assert np.abs(naive - arms).max() > 0.1
    assert clear_of_torso(dance.rotations.astype(np.float64), root, arms, FPS, rounds=5) == pytest.approx(
        naive, abs=1e-9
    )
