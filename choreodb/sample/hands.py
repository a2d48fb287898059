"""Hands: the shapes that phrases ask for, each style's own habits where they ask for none, and fingers that move like fingers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import AXES, FloatArray, axis_angle_to_quat, compose, inverse, rotate
from choreodb.motion.skeleton import CHOREO22
from choreodb.sample.curves import Array, delayed, min_jerk, smooth, stroke, wander
from choreodb.sample.performer import Performer
from choreodb.sample.phrases import FEET
from choreodb.sample.score import Score
from choreodb.sample.truth import HandKey

FINGERS = ("index", "middle", "pinky", "ring", "thumb")
"""The order of the canonical skeleton."""

LIMITS_DEG = ((-25.0, 90.0), (-5.0, 108.0), (-5.0, 80.0))
"""Bending of a finger's knuckle, middle and end joint; straight is 0."""

THUMB_LIMITS_DEG = ((-25.0, 50.0), (-10.0, 55.0), (-15.0, 80.0))
SPREAD_DEG = 20.0
OPPOSED_DEG = (-15.0, 60.0)
_THUMB_AXIS = np.array([0.44, 0.87, -0.24])
"""About which the left thumb bends across the palm."""


@dataclass(frozen=True, slots=True)
class Shape:
    """degrees: [5 fingers][spread towards the thumb, knuckle, middle, end], for the thumb [opposed to the palm, base, middle,
    end]. stiff: 0 hangs from its joints .. 1 held."""

    degrees: tuple[tuple[float, float, float, float], ...]
    stiff: float


SHAPES: Mapping[str, Shape] = {
    "relaxed": Shape(((2, 20, 28, 16), (0, 25, 33, 19), (-5, 33, 38, 22), (-2, 29, 36, 21), (18, 6, 10, 14)), 0.2),
    "fist": Shape(((0, 80, 96, 58), (0, 84, 100, 62), (0, 84, 98, 62), (0, 84, 100, 62), (42, 20, 34, 40)), 0.85),
    "point": Shape(((1, 2, 4, 2), (0, 80, 98, 60), (0, 82, 96, 60), (0, 82, 98, 60), (40, 18, 32, 34)), 0.65),
    "flat": Shape(((-2, 1, 3, 1), (0, 0, 3, 1), (2, 3, 4, 2), (1, 1, 4, 1), (4, 12, 6, 2)), 0.6),
    "spread": Shape(((15, -8, 2, 0), (5, -10, 2, 0), (-19, -6, 3, 1), (-8, -9, 2, 0), (-8, -22, -4, -6)), 0.65),
    "claw": Shape(((14, -6, 66, 50), (4, -8, 68, 52), (-17, -6, 64, 50), (-7, -8, 68, 52), (12, -10, 22, 40)), 0.7),
    "soft": Shape(((4, 6, 12, 6), (1, 27, 22, 12), (-8, 8, 12, 6), (-2, 22, 22, 12), (26, 10, 10, 8)), 0.4),
    "cup": Shape(((1, 46, 22, 12), (0, 50, 24, 14), (-2, 54, 26, 14), (0, 52, 26, 14), (30, 8, 12, 10)), 0.45),
    "two": Shape(((10, 0, 4, 2), (-8, 0, 4, 2), (0, 80, 94, 60), (0, 80, 96, 60), (44, 22, 34, 38)), 0.65),
    "thumb": Shape(((0, 80, 96, 58), (0, 84, 100, 62), (0, 84, 98, 62), (0, 84, 100, 62), (-12, -20, -6, -10)), 0.7),
}  # fmt: skip

_HABITS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "house": (("relaxed", 5.0), ("fist", 2.0), ("flat", 1.0), ("spread", 0.6)),
    "groove": (("relaxed", 5.0), ("fist", 1.6), ("two", 0.8), ("point", 0.6), ("claw", 0.4)),
    "popping": (("flat", 4.0), ("fist", 2.5), ("relaxed", 1.5), ("spread", 0.8), ("claw", 0.5)),
    "locking": (("fist", 3.0), ("point", 2.0), ("spread", 1.6), ("flat", 1.2), ("relaxed", 1.5), ("thumb", 0.4)),
    "waltz": (("soft", 5.0), ("cup", 3.0), ("flat", 0.5)),
    "cha-cha": (("soft", 4.0), ("spread", 1.5), ("flat", 1.2), ("relaxed", 1.0)),
    "rumba": (("soft", 5.0), ("flat", 1.5), ("cup", 1.0), ("spread", 0.6)),
    "salsa": (("soft", 3.0), ("relaxed", 2.0), ("flat", 1.2), ("spread", 1.2), ("fist", 0.6)),
    "contemporary": (("soft", 3.0), ("relaxed", 3.0), ("flat", 2.0), ("spread", 1.0), ("claw", 0.8)),
    "line-dance": (("relaxed", 3.0), ("fist", 2.5), ("cup", 1.5), ("thumb", 0.5)),
}
_ANYBODY = (("relaxed", 1.0),)
_ALIKE = 0.75
"""How often both hands do the same."""

_LAG_DEG = 0.55
"""Degrees that a loose finger stays behind for each m/s2 of the hand."""


def hand_keys(score: Score, style: str, rng: np.random.Generator) -> tuple[HandKey, ...]:
    """What both hands do: the keys of the phrases, and by the style's habit where a phrase says nothing of a hand."""
    names, weights = zip(*_HABITS.get(style, _ANYBODY), strict=True)
    chances = np.array(weights) / np.sum(weights)
    keys = list(score.hands)
    for span in score.spans:
        drawn = str(names[int(rng.choice(len(names), p=chances))])
        other = drawn if rng.random() < _ALIKE else str(names[int(rng.choice(len(names), p=chances))])
        early, over = rng.uniform(-0.1, 0.25, 2), rng.uniform(0.22, 0.5, 2)
        for column, (side, shape) in enumerate(zip(FEET, (drawn, other), strict=True)):
            first = min(
                (
                    key.time_s
                    for key in score.hands
                    if key.side == side and span.start_s - 0.2 <= key.time_s < span.end_s - 0.2
                ),
                default=np.inf,
            )
            at = span.start_s + float(early[column])
            if first > span.start_s + 0.6:
                keys.append(HandKey(side, shape, at, float(over[column])))
    return tuple(sorted(keys, key=lambda key: (key.time_s, key.side)))


def fingers(
    keys: Sequence[HandKey],
    hits: Sequence[tuple[float, float]],
    rotations: FloatArray,
    root: FloatArray,
    dancer: Performer,
    times: Array,
    rng: np.random.Generator,
) -> FloatArray:
    """Local rotations [T, 30, 4] of both hands' fingers for a body with `rotations` [T, 22, 4] and `root` [T, 3].

    The fingers take the shapes of `keys`, lag behind the hand as far as they are loose, tighten in `hits`, and are never
    quite still; every performer holds them a little differently.
    """
    fps = 1.0 / float(times[1] - times[0]) if len(times) > 1 else 60.0
    own = np.random.default_rng([*(ord(letter) for letter in dancer.name), 71])
    behind = _lag(rotations, root, fps)
    struck = np.clip(stroke(times, hits), 0.0, 1.0)
    breath = np.sin(2.0 * np.pi * 0.27 * times + rng.uniform(0.0, 2.0 * np.pi))
    out = np.empty((len(times), 2, 15, 4))
    for column, side in enumerate(FEET):
        angles, stiff = _held(times, [key for key in keys if key.side == side])
        loose = (1.0 - stiff)[:, None]
        angles += _habit(own) * (0.4 + 0.6 * loose[..., None])
        moving = wander(times, rng, 5)
        moving = (2.6 * moving + 1.8 * breath[:, None]) * (0.35 + 0.65 * loose)
        tight = 0.10 * (angles[..., 1:].mean(axis=(1, 2)) - 34.0) * struck
        for joint, (share, late_s) in enumerate(((0.7, 0.02), (1.0, 0.045), (0.6, 0.06)), start=1):
            swing = loose * delayed(behind[:, column], fps, late_s)[:, None]
            angles[:, :4, joint] += share * (moving[:, :4] + swing + tight[:, None])
            angles[:, 4, joint] += 0.4 * share * (moving[:, 4] + swing[:, 0])
        out[:, column] = _turned(np.radians(_limited(angles)), mirrored=side == "right")
    return out.reshape(len(times), 30, 4)


def with_fingers(rotations: FloatArray, hands: FloatArray) -> FloatArray:
    """Rotations [T, 52, 4] of the canonical skeleton with hands, from its body [T, 22, 4] and fingers [T, 30, 4]."""
    return np.concatenate([rotations, hands], axis=1)


def _held(times: Array, keys: Sequence[HandKey]) -> tuple[Array, Array]:
    """(angles [T, 5, 4] in degrees, stiffness [T]) of one hand that goes from shape to shape."""
    shape = SHAPES["relaxed"]
    state = np.append(np.array(shape.degrees, dtype=np.float64).ravel(), shape.stiff)
    out = np.tile(state, (len(times), 1))
    for key in keys:
        aim = np.append(np.array(SHAPES[key.shape].degrees, dtype=np.float64).ravel(), SHAPES[key.shape].stiff)
        first = int(np.searchsorted(times, key.time_s - key.over_s))
        # what a movement has not finished is carried on from where it is
        start = out[min(first, len(times) - 1)].copy()
        progress = min_jerk((times[first:] - (key.time_s - key.over_s)) / max(key.over_s, 0.08))
        out[first:] = start + (aim - start) * progress[:, None]
    return smooth(out[:, :-1], 60.0, 0.02).reshape(len(times), 5, 4), np.clip(out[:, -1], 0.0, 1.0)


def _habit(own: np.random.Generator) -> Array:
    """How a performer's hand differs from the table [5, 4] in degrees: more curled, a finger that stands off."""
    curl = own.normal(0.0, 4.0) + own.normal(0.0, 2.5, (5, 1))
    return np.concatenate([own.normal(0.0, 2.0, (5, 1)), curl * np.array([[0.8, 1.0, 0.6]])], axis=1)


def _lag(rotations: FloatArray, root: FloatArray, fps: float) -> Array:
    """Degrees [T, 2] by which loose fingers stay behind the hand: it is accelerated, they are not."""
    positions, turned = forward(rotations, root, CHOREO22)
    wrists = [CHOREO22.index(f"{side}_wrist") for side in FEET]
    pace = np.gradient(smooth(np.asarray(positions[:, wrists], dtype=np.float64), fps, 0.03), 1.0 / fps, axis=0)
    push = np.gradient(pace, 1.0 / fps, axis=0)
    towards_back = rotate(inverse(turned[:, wrists]), push)[..., 1]
    return 20.0 * np.tanh(_LAG_DEG * towards_back / 20.0)


def _limited(angles: Array) -> Array:
    """Angles [T, 5, 4] within what joints allow; bent fingers cannot spread."""
    out = angles.copy()
    for joint, (low, high) in enumerate(LIMITS_DEG, start=1):
        out[:, :4, joint] = np.clip(angles[:, :4, joint], low, high)
    for joint, (low, high) in enumerate(THUMB_LIMITS_DEG, start=1):
        out[:, 4, joint] = np.clip(angles[:, 4, joint], low, high)
    room = SPREAD_DEG * (1.0 - 0.85 * np.clip(out[:, :4, 1], 0.0, 90.0) / 90.0)
    out[:, :4, 0] = np.clip(angles[:, :4, 0], -room, room)
    out[:, 4, 0] = np.clip(angles[:, 4, 0], *OPPOSED_DEG)
    return out


def _turned(angles: Array, *, mirrored: bool) -> FloatArray:
    """Rotations [T, 15, 4] of a left hand's joints for angles [T, 5, 4] in radians; of a right hand's where `mirrored`."""
    out = np.zeros((len(angles), 5, 3, 4))
    half = -0.5 * angles[:, :4, 1:]
    out[:, :4, :, 0], out[:, :4, :, 3] = np.cos(half), np.sin(half)
    out[:, :4, 0] = compose(axis_angle_to_quat(AXES["Y"], -angles[:, :4, 0]), out[:, :4, 0])
    out[:, 4] = axis_angle_to_quat(_THUMB_AXIS / np.linalg.norm(_THUMB_AXIS), angles[:, 4, 1:])
    out[:, 4, 0] = compose(axis_angle_to_quat(AXES["X"], angles[:, 4, 0]), out[:, 4, 0])
    if mirrored:
        out *= np.array([1.0, 1.0, -1.0, -1.0])
    return out.reshape(len(angles), 15, 4)
