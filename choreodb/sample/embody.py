"""From a score to a body: pelvis over the support, trunk and head, arms, legs by two-bone IK. Vectorised over frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.ik import two_bone
from choreodb.motion.rotations import (
    AXES,
    FloatArray,
    axis_angle_to_quat,
    compose,
    inverse,
    quat_to_yaw,
    rotate,
    yaw_to_quat,
)
from choreodb.motion.skeleton import CHOREO22, LEG_LENGTH_M, REST_PELVIS_HEIGHT_M
from choreodb.sample.arms import Arms, arm_rotations, arm_spring, clear_of_torso, trail_hands, wrist_life
from choreodb.sample.curves import Array, balanced, breath, cover, delayed, flutter, follow, smooth, stroke, wander
from choreodb.sample.flight import jumping
from choreodb.sample.footwork import FootCurve, foot_curve, home_steps, landed, schedule, unweighted, weight_keys
from choreodb.sample.head import facing, head_angles
from choreodb.sample.performer import Performer
from choreodb.sample.phrases import ARM_CHANNELS, CHANNELS, FEET
from choreodb.sample.score import Clock, Score
from choreodb.sample.styles import Style
from choreodb.sample.truth import GRAVITY_M_S2, Flight, Footstep

FPS = 60.0
REACH = 0.990
"""Largest share of the leg's length that is ever used; below the softness of the IK, so that feet stay exactly put."""

TALL_M = 0.026
"""People who dance stand nearly straight between their bends: this much above the rest pose's soft knees."""

_FAR_FOOT_M = 0.45
"""How far on the ground the pelvis goes away from either foot, where both have a share of it."""

_PENDULUM_S = float(np.sqrt(REST_PELVIS_HEIGHT_M / GRAVITY_M_S2))

_LITTLE_M = 0.03

_NECK_RAD = np.radians(12.0)

_RESTING = {
    "left_out": 11.0,
    "right_out": 11.0,
    "left_bend": 16.0,
    "right_bend": 16.0,
    "left_fwd": 2.0,
    "right_fwd": 2.0,
}
_SPINE = ("spine1", "spine2", "spine3")


@dataclass(frozen=True, slots=True, eq=False)
class Embodied:
    """rotations [T, 22, 4], root [T, 3] on the canonical skeleton at 60 fps, contacts [T, 4], and every placement."""

    rotations: FloatArray
    root: FloatArray
    contacts: npt.NDArray[np.uint8]
    footsteps: list[Footstep]
    flights: list[Flight]


@dataclass(frozen=True, slots=True, eq=False)
class _Pelvis:
    root: Array
    rotation: FloatArray


def embody(
    score: Score, style: Style, dancer: Performer, clock: Clock, times: Array, rng: np.random.Generator
) -> Embodied:
    """Perform `score` at `times` [T] (song seconds, 1/60 s apart)."""
    end = clock.seconds(float(len(clock.beats_s) - 1))
    channels = _channels(score, style, times, end, dancer, rng)
    struck = stroke(times, score.hits)
    channels["lean"] += 4.0 * struck
    channels["wave"] += 6.0 * struck
    channels["shrug"] += 5.0 * struck
    joined = style.joined * smooth(channels["twist"], FPS, 0.05)
    channels["hips"] += joined
    channels["twist"] -= joined
    steps = schedule(score.steps, float(np.sqrt(style.attack)))
    heading = follow(times, score.heading, 0.0)
    body = heading + facing(times, clock, style, dancer, rng)
    homes = home_steps((0.0, 0.0, 0.0), style.stance_m * dancer.stance, float(np.radians(style.turnout)))
    built = [foot_curve(times, foot, homes[foot], steps, heading, style.roll) for foot in FEET]
    weight = smooth(follow(times, weight_keys(steps, score.shifts), 0.5), FPS, 0.05)
    apart_m = np.linalg.norm(built[0][0].middle - built[1][0].middle, axis=1)
    feet = (
        unweighted(built[0][0], weight, apart_m, FPS, style.roll),
        unweighted(built[1][0], 1.0 - weight, apart_m, FPS, style.roll),
    )
    low = _pulse(score, style, dancer, clock, times, end)
    flights = sorted({each.flight for each in steps if each.flight is not None}, key=lambda each: each.land_s)
    accent = follow(times, score.accents, 0.0) + landed(times, steps, style.impact_m * dancer.bounce)
    pelvis = _pelvis(channels, feet, weight, body, low, style, dancer, accent, flights, times)
    rotations = np.zeros((len(times), len(CHOREO22), 4))
    rotations[..., 0] = 1.0
    rotations[:, 0] = pelvis.rotation
    _trunk(rotations, channels, weight, low, style)
    head = head_angles(times, channels, heading, low, style, dancer, clock, rng)
    for name, part in (("neck", 0.45), ("head", 0.55)):
        # the neck leans ahead and the head is held level on it
        pitch = part * head[:, 1] + (_NECK_RAD if name == "neck" else -_NECK_RAD)
        rotations[:, CHOREO22.index(name)] = _yaw_pitch_roll(part * head[:, 0], pitch, -part * head[:, 2])
    arms = _arms(channels, low, struck, style, dancer)
    arms = clear_of_torso(rotations, pelvis.root, arms, FPS)
    arm_rotations(rotations, arms, channels["shrug"])
    unrest = wander(times, rng, 6, slowest_hz=0.16)
    trail_hands(rotations, FPS, dancer.looseness, wrist_life(arms, struck, unrest, FPS, style.wrists))
    _legs(rotations, pelvis.root, feet)
    contacts = np.concatenate([foot.contacts() for foot in feet], axis=1)
    footsteps = sorted((*built[0][1], *built[1][1]), key=lambda step: (step.land_s, step.foot))
    return Embodied(rotations, pelvis.root, contacts, footsteps, flights)


def _channels(
    score: Score, style: Style, times: Array, end: float, dancer: Performer, rng: np.random.Generator
) -> dict[str, Array]:
    """Every channel over time, with slow wander on top; the dance opens from and settles into a relaxed stand."""
    drift = wander(times, rng, len(CHANNELS)) * dancer.drift
    quick = flutter(len(times), rng, len(CHANNELS), FPS) * dancer.drift
    out = {}
    for column, name in enumerate(CHANNELS):
        resting = _RESTING.get(name, 0.3 * score.neutral[name])
        keys = [key for key in score.keys[name] if key[0] < end + 0.1]
        curve = follow(times, [*keys, (end + 0.9, 0.9, resting)], resting)
        out[name] = curve + _WANDER.get(name, 2.4) * drift[:, column] + _FLUTTER.get(name, 1.1) * quick[:, column]
        if score.carriage[name]:
            ended = [key for key in score.carriage[name] if key[0] < end + 0.1]
            out[name] += follow(times, [*ended, (end + 0.9, 0.9, 0.0)], 0.0)
    air = breath(times, rng, 0.27 + 0.12 * style.impact_m / 0.01)
    out["shrug"] += 1.1 * air
    out["wave"] -= 0.9 * air
    out["nod"] -= 0.5 * air
    return out


_WANDER = {
    "rise": 0.003,
    "shift": 0.004,
    "drive": 0.004,
    "wave": 0.6,
    "tip": 1.5,
    "slide": 0.003,
    "lean": 1.0,
    "side": 0.9,
    "twist": 1.5,
    "hips": 1.2,
    "shrug": 0.6,
}


_FLUTTER = {
    "rise": 0.0008,
    "shift": 0.0012,
    "drive": 0.0012,
    "wave": 0.35,
    "tip": 0.5,
    "slide": 0.0008,
    "lean": 0.35,
    "side": 0.35,
    "twist": 0.6,
    "hips": 0.6,
    "shrug": 0.4,
    "nod": 0.7,
    "look": 0.9,
}
"""Standard deviation of what no muscle holds quite still, in degrees and metres; the arms' is 1.1 degrees."""


def _pulse(score: Score, style: Style, dancer: Performer, clock: Clock, times: Array, end: float) -> Array:
    """The bounce [T]: +1 at the low point of each pulse, about -1 between, times its momentary size."""
    beats = np.arange(len(clock.beats_s), dtype=np.float64)
    first, last = clock.beats_s[1] - clock.beats_s[0], clock.beats_s[-1] - clock.beats_s[-2]
    grid = np.concatenate([[clock.beats_s[0] - 64 * first], clock.beats_s, [clock.beats_s[-1] + 64 * last]])
    beat = np.interp(times - dancer.late_s, grid, np.concatenate([[-64.0], beats, [beats[-1] + 64.0]]))
    shape = style.bounce
    phase = (beat - shape.lowest) / shape.beats
    phase = phase + shape.sharpness * np.sin(2.0 * np.pi * phase) / (2.0 * np.pi)
    wave = np.cos(2.0 * np.pi * phase) + shape.offbeat * np.cos(4.0 * np.pi * phase)
    size = follow(times, [*score.bounce, (end + 0.5, 0.9, 0.0)], 0.0)
    return wave / (1.0 + shape.offbeat) * smooth(size, FPS, 0.1)


def _pelvis(
    channels: dict[str, Array],
    feet: tuple[FootCurve, FootCurve],
    weight: Array,
    heading: Array,
    low: Array,
    style: Style,
    dancer: Performer,
    accent: Array,
    flights: Sequence[Flight],
    times: Array,
) -> _Pelvis:
    """Pelvis over the weighted support, low enough for both legs to reach."""
    apart_m = smooth(np.linalg.norm(feet[0].middle - feet[1].middle, axis=1), FPS, 0.06)
    # over one foot of a wide stance the other leg would pull the pelvis down: it stays between them instead
    furthest = np.maximum(_FAR_FOOT_M / np.maximum(apart_m, 0.2) - 0.5, 0.05)
    share = (0.5 + furthest * np.tanh(style.sway * (weight - 0.5) / furthest))[:, None]
    middle = share * feet[0].middle + (1.0 - share) * feet[1].middle
    ground = balanced(smooth(middle, FPS, 0.05), FPS, _PENDULUM_S)
    lean = np.radians(channels["lean"])
    local = np.stack([channels["shift"], np.zeros_like(lean), channels["drive"] - 0.22 * np.sin(lean)], axis=1)
    turned = yaw_to_quat(heading)
    offset = rotate(turned, smooth(local, FPS, 0.04))
    apart = rotate(inverse(turned), _lift(feet[0].middle - feet[1].middle))
    hips = np.radians(channels["hips"]) - smooth(np.clip(0.45 * apart[:, 2], -0.3, 0.3), FPS, 0.09)
    roll = np.radians(style.hip_roll * style.sway) * smooth(weight - 0.5, FPS, 0.09)
    tilt = 0.3 * lean + np.radians(3.0 - 0.45 * channels["wave"])
    rotation = compose(
        yaw_to_quat(heading + hips),
        compose(axis_angle_to_quat(AXES["X"], smooth(tilt, FPS, 0.04)), axis_angle_to_quat(AXES["Z"], roll)),
    )
    height = REST_PELVIS_HEIGHT_M + TALL_M - style.crouch_m - dancer.crouch_m + channels["rise"] + accent
    height = smooth(height, FPS, 0.05) - 0.5 * style.bounce.height_m * low
    root = np.stack([ground[:, 0] + offset[:, 0], height, ground[:, 1] + offset[:, 2]], axis=1)
    short = _out_of_reach(root, rotation, feet)
    # a little is given in time for one step, a lunge takes longer on its way down
    root[:, 1] -= cover(np.minimum(short, _LITTLE_M), FPS, style.yield_s)
    root[:, 1] -= cover(np.maximum(short - _LITTLE_M, 0.0), FPS, style.yield_s + 0.035)
    if flights:
        root[:, 1] = jumping(times, root[:, 1], root[:, 1] - _out_of_reach(root, rotation, feet, least=-1.0), flights)
        flying = np.any([(times > each.take_off_s - 0.1) & (times < each.land_s + 0.1) for each in flights], axis=0)
        root[:, 1] -= cover(np.where(flying, 0.0, _out_of_reach(root, rotation, feet)), FPS, 0.09)
    return _Pelvis(root, rotation)


def _lift(ground: Array) -> Array:
    """Ground vectors [T, 2] (x, z) as [T, 3]."""
    return np.stack([ground[:, 0], np.zeros(len(ground)), ground[:, 1]], axis=1)


def _out_of_reach(root: Array, rotation: FloatArray, feet: tuple[FootCurve, FootCurve], *, least: float = 0.0) -> Array:
    """Metres [T] by which the pelvis stands too high for the longer of the two legs, `least` where it is lower than that."""
    high = []
    for foot in feet:
        hip = root + rotate(rotation, CHOREO22.offsets[CHOREO22.index(f"{foot.foot}_hip")])
        ankle = foot.ankle()
        across = np.hypot(hip[:, 0] - ankle[:, 0], hip[:, 2] - ankle[:, 2])
        reach = REACH * LEG_LENGTH_M
        high.append(hip[:, 1] - ankle[:, 1] - np.sqrt(np.maximum(reach**2 - across**2, 0.09)))
    return np.maximum(np.maximum(high[0], high[1]), least)


def _trunk(rotations: FloatArray, channels: dict[str, Array], weight: Array, low: Array, style: Style) -> None:
    """The spine. The chest answers the pelvis late, and a wave runs up from it."""
    lean = np.radians(channels["lean"] + style.bounce.lean * low)
    side = np.radians(channels["side"]) + np.radians(8.0) * style.sway * smooth(weight - 0.5, FPS, 0.12)
    twist = np.radians(channels["twist"])
    slide = np.arcsin(np.clip(channels["slide"] / _WAIST_M, -0.5, 0.5))
    wave = np.radians(channels["wave"])
    for order, name in enumerate(_SPINE):
        bend = delayed(np.stack([lean * 0.7 - np.radians(2.0), side, twist], axis=1), FPS, 0.022 * order) / 3.0
        pitch = _CURVE_RAD[order] + bend[:, 0] + _WAVE_SHARE[order] * delayed(wave, FPS, style.wave_s * (order + 1))
        rotations[:, CHOREO22.index(name)] = _yaw_pitch_roll(
            bend[:, 2], pitch, -bend[:, 1] - _SLIDE_SHARE[order] * slide
        )


_CURVE_RAD = np.radians((4.5, 1.5, -3.0))
"""The curve of a standing spine against the rest pose's."""

_WAVE_SHARE = (0.35, 0.65, 0.60)
_SLIDE_SHARE = (1.0, 0.0, -1.0)
_WAIST_M = 0.20


def _yaw_pitch_roll(yaw: Array, pitch: Array, roll: Array) -> FloatArray:
    turned = compose(axis_angle_to_quat(AXES["X"], pitch), axis_angle_to_quat(AXES["Z"], roll))
    return compose(yaw_to_quat(yaw), turned)


def _arms(channels: dict[str, Array], low: Array, struck: Array, style: Style, dancer: Performer) -> Arms:
    """Arm angles [T, 2, 4] in radians: keys through a spring that is softer towards the hand, and the bounce's echo."""
    keys = np.stack([np.stack([channels[f"{side}_{name}"] for name in ARM_CHANNELS], axis=1) for side in FEET], axis=1)
    soft = dancer.looseness
    angles = arm_spring(np.radians(keys), FPS, style.spring_hz / soft, style.damping)
    echo = delayed(low, FPS, 0.07)
    angles[..., 0] += np.radians(2.0) * echo[:, None]
    angles[..., 3] += np.radians(5.0) * delayed(low, FPS, 0.10)[:, None]
    angles[..., 3] += np.radians(14.0) * delayed(struck, FPS, 0.02)[:, None]
    angles[..., 1] += np.radians(4.0) * struck[:, None]
    angles[..., 3] = np.clip(_floor(angles[..., 3], np.radians(style.elbow_deg)), 0.0, np.radians(145.0))
    return angles


def _floor(curve: Array, least: float) -> Array:
    """`curve`, bent smoothly so that it stays above about `least`: elbows never lock."""
    width = 0.12
    return least + width * np.logaddexp(0.0, (curve - least) / width)


def _legs(rotations: FloatArray, root: Array, feet: tuple[FootCurve, FootCurve]) -> None:
    """Solve both legs for their feet; the knees point between where the pelvis and where the foot points."""
    ahead = np.array([0.0, 0.0, 1.0])
    base = rotations[:, 0]
    for foot in feet:
        hip_joint, knee_joint, ankle_joint, toe_joint = (
            CHOREO22.index(f"{foot.foot}_{part}") for part in ("hip", "knee", "ankle", "foot")
        )
        hip = root + rotate(base, CHOREO22.offsets[hip_joint])
        knee = hip + rotate(base, CHOREO22.offsets[knee_joint])
        ankle = knee + rotate(base, CHOREO22.offsets[ankle_joint])
        ahead_yaw = quat_to_yaw(base)
        # a sine, because it stays small and continuous even where a pivot leaves a foot far behind the body
        pole = rotate(yaw_to_quat(ahead_yaw + 0.55 * np.sin(foot.yaw - ahead_yaw)), ahead)
        thigh, shin = two_bone(
            hip, knee, ankle, foot.ankle(), pole=pole, hinge=rotate(base, ahead), softness=1.0 - REACH - 0.003
        )
        upper, lower = compose(thigh, base), compose(shin, base)
        rotations[:, hip_joint] = compose(inverse(base), upper)
        rotations[:, knee_joint] = compose(inverse(upper), lower)
        rotations[:, ankle_joint] = compose(inverse(lower), foot.rotation())
        rotations[:, toe_joint] = axis_angle_to_quat(AXES["X"], -0.85 * foot.heel_up)
