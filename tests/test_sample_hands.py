"""Hands and faces of the troupe: shapes that can be told apart, joints within limits, blinks as people blink, one truth."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from choreodb import sample
from choreodb.motion import face, registry
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.motion import Motion
from choreodb.motion.retarget import canonicalise
from choreodb.motion.rotations import quat_to_rotvec
from choreodb.motion.skeleton import CHOREO22, CHOREO52, mirror_name
from choreodb.sample import hands
from choreodb.sample.band import melody
from choreodb.sample.performance import Performance
from choreodb.sample.phrases import Hand, mirrored
from choreodb.sample.styles import STYLES
from choreodb.sample.truth import HandKey, SongTruth
from choreodb.sample.variation import take


@pytest.fixture(scope="module")
def dance() -> Performance:
    return sample.perform("house", 3, 16, hands=True, face=True)


def test_hands_and_face_leave_the_body_as_it_is(dance: Performance) -> None:
    body = sample.perform("house", 3, 16)
    assert np.array_equal(dance.motion.rotations[:, :22], body.motion.rotations)
    assert dance.truth.hands == body.truth.hands
    assert replace(dance.truth, blinks_s=(), sung_s=()) == body.truth
    assert dance.motion.skeleton.names == CHOREO52.names
    assert dance.motion.face_names == face.ARKIT52
    dance.motion.validate()


def test_the_same_seed_moves_the_same_fingers(dance: Performance) -> None:
    again = sample.perform("house", 3, 16, hands=True, face=True)
    assert again.motion.rotations.tobytes() == dance.motion.rotations.tobytes()
    assert again.motion.face is not None
    assert dance.motion.face is not None
    assert again.motion.face.tobytes() == dance.motion.face.tobytes()


def test_fingers_are_in_the_canonical_order() -> None:
    expected = [
        f"{side}_{finger}{joint}" for side in ("left", "right") for finger in hands.FINGERS for joint in (1, 2, 3)
    ]
    assert list(CHOREO52.names[22:]) == expected


@cache
def posed(shape: str) -> dict[str, np.ndarray]:
    """Places of the joints around the wrists of a T-pose whose hands take `shape`."""
    angles = np.radians(np.array(hands.SHAPES[shape].degrees, dtype=np.float64))[None]
    rotations = np.zeros((1, 52, 4))
    rotations[..., 0] = 1.0
    rotations[:, 22:37] = hands._turned(angles, mirrored=False)
    rotations[:, 37:] = hands._turned(angles, mirrored=True)
    places = joint_positions(Motion(rotations, np.zeros((1, 3)), CHOREO52, 60.0))[0]
    return {
        name: places[k] - places[CHOREO52.index(f"{name.split('_')[0]}_wrist")] for k, name in enumerate(CHOREO52.names) if k > 0
        and name.startswith(("left_", "right_"))
    }  # fmt: skip


@pytest.mark.parametrize("shape", list(hands.SHAPES))
def test_the_right_hand_mirrors_the_left(shape: str) -> None:
    places = posed(shape)
    for name in CHOREO52.names[22:37]:
        assert places[mirror_name(name)] == pytest.approx(places[name] * [-1.0, 1.0, 1.0], abs=1e-9)


def test_shapes_look_as_their_names_say() -> None:
    """In the T-pose palms face the floor and thumbs the front."""
    reach = {
        shape: {f: posed(shape)[f"left_{f}3"] for f in hands.FINGERS}
        for shape in ("relaxed", "fist", "point", "flat", "spread")
    }
    assert all(reach["fist"][f][0] < 0.085 < 0.12 < reach["flat"][f][0] for f in ("index", "middle", "ring"))
    assert all(reach["fist"][f][1] < -0.01 for f in ("index", "middle", "ring", "pinky"))
    assert reach["point"]["index"][0] > 0.14
    assert reach["point"]["middle"][0] < 0.09
    apart = {shape: reach[shape]["index"][2] - reach[shape]["pinky"][2] for shape in ("flat", "spread")}
    assert apart["spread"] > 1.4 * apart["flat"]
    assert all(
        reach["fist"][f][0] < reach["relaxed"][f][0] < reach["flat"][f][0] for f in ("index", "middle", "ring", "pinky")
    )


def test_no_two_shapes_are_the_same() -> None:
    tips = {shape: np.concatenate([posed(shape)[name] for name in CHOREO52.names[22:37]]) for shape in hands.SHAPES}
    for one, other in combinations(tips, 2):
        assert np.linalg.norm((tips[one] - tips[other]).reshape(-1, 3), axis=1).max() > 0.015, (one, other)


@pytest.mark.parametrize("style", list(STYLES))
def test_joints_stay_within_their_limits_and_move_smoothly(style: str) -> None:
    dance = sample.perform(style, 5, 8, hands=True)
    bend = np.degrees(quat_to_rotvec(dance.motion.rotations[:, 22:].reshape(-1, 2, 5, 3, 4)))
    for joint, (low, high) in enumerate(hands.LIMITS_DEG):
        flexed = -bend[:, 0, :4, joint, 2]
        assert low - 1.0 <= flexed.min() <= flexed.max() <= high + 1.0
        assert bend[:, 1, :4, joint, 2].min() >= low - 1.0
    speed = np.abs(np.diff(bend, axis=0)).max() * 60.0
    assert speed < 1500.0
    assert np.ptp(bend, axis=0).max(axis=-1).min() > 2.0, "no joint of a living hand is quite still"


def test_a_hand_takes_the_shapes_of_its_keys() -> None:
    body = sample.perform("house", 3, 4)
    times = np.arange(len(body.motion)) / 60.0
    keys = [HandKey("left", "fist", 2.0, 0.3), HandKey("left", "flat", 4.0, 0.3), HandKey("right", "point", 2.0, 0.3)]
    who = sample.performance.performer("dancer1")
    moved = hands.fingers(keys, [], body.motion.rotations, body.motion.root, who, times, np.random.default_rng(0))
    curl = np.degrees(np.abs(quat_to_rotvec(moved.reshape(-1, 2, 5, 3, 4))[..., 2]))
    at = {time: curl[round(60 * time)] for time in (1.4, 2.3, 4.3)}
    assert at[1.4][0, 1, 1] < 60.0
    assert at[2.3][0, :4, 1].min() > 75.0
    assert at[4.3][0, :4, 1].max() < 25.0
    assert at[4.3][1, 0, 1] < 25.0
    assert at[4.3][1, 1:4, 1].min() > 70.0


def test_phrases_may_ask_for_shapes() -> None:
    first = STYLES["house"].vocabulary[0]
    asking = replace(first, hands=(Hand(1.0, "left", "fist"), Hand(1.0, "right", "flat"), Hand(5.0, "left", "relaxed")))
    turned = mirrored(asking)
    assert [(each.side, each.shape) for each in turned.hands] == [
        ("right", "fist"),
        ("left", "flat"),
        ("right", "relaxed"),
    ]
    assert mirrored(turned).hands == asking.hands
    drawn = [take(asking, np.random.default_rng(seed), 1.0).phrase.hands for seed in range(30)]
    assert {each[0].side for each in drawn} == {"left", "right"}, "exchanged with the arms"


def test_parts_keep_what_the_hands_hold(dance: Performance) -> None:
    later = [key.time_s for key in dance.truth.hands if key.side == "left"][2] + 0.05
    part = dance.part(later, later + 6.0)
    assert part.motion.face is not None
    assert len(part.motion.face) == len(part.motion) == 360
    assert {key.side for key in part.truth.hands if key.time_s <= 0.0} == {"left", "right"}
    assert all(0.0 <= at < 6.0 for at in part.truth.blinks_s)


def blinks_a_minute(style: str) -> float:
    truths = [sample.perform(style, seed, 24, face=True).truth for seed in range(3)]
    return 60.0 * sum(len(truth.blinks_s) for truth in truths) / sum(truth.duration_s for truth in truths)


def test_blinks_come_as_people_blink(dance: Performance) -> None:
    assert 8.0 < blinks_a_minute("groove") < 26.0
    weights = dance.motion.face
    assert weights is not None
    assert 0.0 <= weights.min() <= weights.max() <= 1.0
    lid = weights[:, face.ARKIT52.index("eyeBlinkLeft")]
    shut = np.flatnonzero(np.diff((lid > 0.5).astype(int)) == 1)
    assert len(shut) == len(dance.truth.blinks_s)
    assert np.abs(shut / 60.0 - np.array(dance.truth.blinks_s)).max() < 0.1


def test_the_mouth_follows_the_melody() -> None:
    song: SongTruth = sample.compose("house", 11, 16).truth
    notes = melody(song)
    assert notes
    assert all(0.0 <= start < end <= song.duration_s + 2.0 for start, end in notes)
    dances = [sample.perform("house", seed, song=song, dancer=f"singer{seed}", face=True) for seed in range(4)]
    sung = [each for each in dances if each.truth.sung_s]
    assert sung
    jaw = face.ARKIT52.index("jawOpen")
    for each in sung:
        assert set(each.truth.sung_s) <= {(start, max(end, start + 0.09)) for start, end in notes}
        assert each.motion.face is not None
        inside = np.zeros(len(each.motion), bool)
        for start, end in each.truth.sung_s:
            inside[round(60 * (start + 0.05)) : round(60 * end)] = True
        assert each.motion.face[inside, jaw].mean() > 1.2 * each.motion.face[~inside, jaw].mean()


def test_make_writes_hands_and_faces_that_are_read_again(tmp_path: Path) -> None:
    made = sample.make(tmp_path / "set", minutes=0.2, styles=("house",), seed=2)
    clip = made.clips[0]
    motion = registry.read(tmp_path / "set" / clip.motion)
    truth = json.loads((tmp_path / "set" / clip.motion).with_suffix(".json").read_text())
    assert len(motion.skeleton) == 52
    assert motion.face_names == face.ARKIT52
    assert motion.face is not None
    assert len(motion.face) == len(motion)
    assert {key["shape"] for key in truth["hands"]} <= set(hands.SHAPES)
    canonical = canonicalise(motion)
    assert canonical.motion.skeleton.names == CHOREO52.names
    lost = (
        joint_positions(canonical.motion)[:, 22:37]
        - joint_positions(canonical.motion)[:, [CHOREO22.index("left_wrist")]]
    )
    assert np.linalg.norm(lost, axis=-1).max() < 0.25
