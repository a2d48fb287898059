"""Footwork: a plan of steps becomes two feet that stand still in the world while they stand, and the weight on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d

from choreodb.motion.rotations import AXES, FloatArray, axis_angle_to_quat, compose, rotate, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22, HEEL_OFFSET_M, TOE_HEIGHT_M
from choreodb.sample.curves import Array, Key, bump, follow, min_jerk, smooth, stroke
from choreodb.sample.phrases import FEET
from choreodb.sample.score import PlacedStep
from choreodb.sample.truth import Flight, Foot, Footstep

SHORTEST_SWING_S = 0.16
SHORTEST_STANCE_S = 0.08
DOUBLE_SUPPORT_S = 0.03
UNHURRIED_S, UNHURRIED_S_M, LONGEST_S = 0.38, 0.2, 0.62
"""Seconds that a foot takes over a short step, more per metre, and at most, where nothing presses it: captured swings of
dances and walks last 0.33 and 0.48 s in the median."""

ROOM = 0.62
"""Share of the time since the other foot came down that a foot spends in the air, up to `LONGEST_S`."""

OPENING_S = 0.4
"""Seconds into the song before which nobody jumps."""

READY_S = 0.14
"""Time to push off between the last landing and a jump."""

WIDEST_M = 0.64
"""Distance of the feet beyond which a landing is pulled in: wider, the pelvis would have to drop into a split."""

MIDDLE_TO_BALL_M = 0.075
FLAT_RAD = np.radians(0.1)
"""Pitch below which heel and toe both count as on the floor (a heel 0.3 mm up)."""


@dataclass(frozen=True, slots=True, eq=False)
class FootCurve:
    """One foot over time. ball: [T, 3] where its ball would be if it lay flat. yaw, heel_up, toe_up: [T] radians.

    middle: [T, 2] ground position (x, z) of its middle. planted: [T] whether it is on the floor.
    """

    foot: Foot
    ball: Array
    yaw: Array
    heel_up: Array
    toe_up: Array
    middle: Array
    planted: npt.NDArray[np.bool_]
    turning: npt.NDArray[np.bool_]

    def rotation(self) -> FloatArray:
        """Global rotation [T, 4] of the ankle joint."""
        pitch = axis_angle_to_quat(AXES["X"], self.heel_up - self.toe_up)
        return compose(yaw_to_quat(self.yaw), pitch)

    def ankle(self) -> FloatArray:
        """World position [T, 3] of the ankle joint."""
        offset = CHOREO22.offsets[CHOREO22.index(f"{self.foot}_foot")]
        sole = offset - np.array(HEEL_OFFSET_M)
        facing = yaw_to_quat(self.yaw)
        rolled = rotate(axis_angle_to_quat(AXES["X"], -self.toe_up), np.broadcast_to(sole, self.ball.shape))
        ball = self.ball + rotate(facing, rolled - sole)
        return ball - rotate(self.rotation(), np.broadcast_to(offset, self.ball.shape))

    def contacts(self) -> npt.NDArray[np.uint8]:
        """[T, 2] heel and toe on the floor."""
        heel = self.planted & (self.heel_up < FLAT_RAD) & ~self.turning
        toe = self.planted & (self.toe_up < FLAT_RAD)
        return np.stack([heel, toe], axis=1).astype(np.uint8)


def unweighted(foot: FootCurve, share: Array, apart_m: Array, fps: float, roll: float) -> FootCurve:
    """`foot` with its heel up where the weight, `share` [T] of the body, has left it: nobody stands flat on a free foot.

    apart_m: [T] distance of the feet; the further, the higher the heel, or the free leg would pull the body down.
    """
    tapping = smooth(maximum_filter1d((foot.toe_up > 0.01).astype(np.float64), round(0.5 * fps)), fps, 0.06)
    free = smooth(np.clip((_HELD - share) / _HELD, 0.0, 1.0), fps, 0.05) * (1.0 - tapping)
    far = 1.0 + _FAR_GAIN * smooth(np.clip((apart_m - 0.25) / 0.3, 0.0, 1.0), fps, 0.06)
    return replace(foot, heel_up=np.hypot(foot.heel_up, _FREE_RAD * roll * free * far))


_HELD = 0.16
"""Share of the body below which a foot begins to come off its heel."""

_FREE_RAD = np.radians(17.0)
_FAR_GAIN = 1.6


def schedule(steps: Sequence[PlacedStep], leisure: float = 1.0) -> list[PlacedStep]:
    """Steps in order of landing that can be done: outside jumps one foot in the air at a time, long enough to see.

    leisure: factor on the time that a foot takes where nothing presses it. A step that leaves no time for the one after it is left out, one that comes too early waits, and a jump that the feet
    are not ready for becomes two steps.
    """
    out: list[PlacedStep] = []
    waiting = sorted(steps, key=lambda item: item.land_s)
    while waiting:
        step = waiting.pop(0)
        if step.flight is not None:
            other = next((each for each in waiting if each.flight == step.flight), None)
            if other is not None:
                waiting.remove(other)
                pair = _jump(step, other, out)
                if pair:
                    out += pair
                    continue
                waiting.insert(0, replace(other, flight=None, swing_s=min(other.swing_s, 0.4)))
            step = replace(step, flight=None, swing_s=min(step.swing_s, 0.4))
        _append(step, out, leisure)
    return out


def _append(step: PlacedStep, out: list[PlacedStep], leisure: float) -> None:
    """Add a plain step to the schedule `out`, which it may change."""
    while True:
        own = next((done for done in reversed(out) if done.foot == step.foot), None)
        if own is None or step.land_s - own.land_s >= SHORTEST_SWING_S + SHORTEST_STANCE_S:
            break
        if own.flight is not None:
            return
        out.remove(own)
    free = own.land_s + SHORTEST_STANCE_S if own else -np.inf
    opposite = next((done for done in reversed(out) if done.foot != step.foot), None)
    stood = opposite.land_s + DOUBLE_SUPPORT_S if opposite else -np.inf
    x, z = _near(step, opposite)
    length = float(np.hypot(x - own.x, z - own.z)) if own else 0.3
    wanted = leisure * max(UNHURRIED_S + UNHURRIED_S_M * length, ROOM * min(step.land_s - max(stood, free), 1.0))
    start = max(step.land_s - max(step.swing_s, min(wanted, LONGEST_S)), free, stood)
    land = max(step.land_s, start + SHORTEST_SWING_S)
    out.append(replace(step, land_s=land, swing_s=land - start, x=x, z=z))


def _jump(first: PlacedStep, second: PlacedStep, done: Sequence[PlacedStep]) -> list[PlacedStep]:
    """Both steps of a jump, leaving no earlier than the feet have come down; empty where there is no time to push off."""
    assert first.flight is not None
    take_off = first.flight.take_off_s
    landed = {foot: max((each.land_s for each in done if each.foot == foot), default=-np.inf) for foot in FEET}
    if max(*landed.values(), OPENING_S) + READY_S > take_off:
        return []
    pair = []
    for step, partner in ((first, second), (second, first)):
        leave = step.land_s - step.swing_s
        if leave < take_off - 1e-6:
            leave = min(
                max(leave, landed[step.foot] + SHORTEST_STANCE_S, landed[partner.foot] + DOUBLE_SUPPORT_S), take_off
            )
        pair.append(replace(step, swing_s=step.land_s - leave))
    x, z = _near(pair[1], pair[0])
    return [pair[0], replace(pair[1], x=x, z=z)]


def _near(step: PlacedStep, opposite: PlacedStep | None) -> tuple[float, float]:
    """Where `step` lands, pulled in smoothly towards the other foot where that is too far away."""
    if opposite is None:
        return step.x, step.z
    across, along = step.x - opposite.x, step.z - opposite.z
    apart = float(np.hypot(across, along))
    knee = 0.8 * WIDEST_M
    if apart <= knee:
        return step.x, step.z
    scale = (knee + (WIDEST_M - knee) * float(np.tanh((apart - knee) / (WIDEST_M - knee)))) / apart
    return opposite.x + scale * across, opposite.z + scale * along


def home_steps(place: tuple[float, float, float], stance_m: float, turnout_rad: float) -> dict[Foot, PlacedStep]:
    """Both feet side by side at `place` (x, z, heading) since ever."""
    x, z, yaw = place
    return {
        foot: PlacedStep(
            foot, -1e6, 0.0, x + side * stance_m * np.cos(yaw), z - side * stance_m * np.sin(yaw), yaw + side * turnout_rad,
            0.0, 1.0, "flat", 0.0, 0.0,
        )
        for foot, side in zip(FEET, (1.0, -1.0), strict=True)
    }  # fmt: skip


def foot_curve(
    times: Array, foot: Foot, first: PlacedStep, steps: Sequence[PlacedStep], heading: Array, roll: float
) -> tuple[FootCurve, list[Footstep]]:
    """The curve of one `foot` over `times` [T], and its placements as truth.

    steps: the schedule of both feet. heading: [T] radians of the body; a standing foot pivots on its ball after it.
    roll: factor on the heel's peeling off before a step.
    """
    own = [step for step in steps if step.foot == foot]
    stands = [first, *own]
    lifts = [step.land_s - step.swing_s for step in own] + [np.inf]
    balls = np.array([_ball(stand) for stand in stands])
    yaw, turning, pivot_keys = _turned(times, stands, lifts, heading)
    ball, planted = _travelled(times, own, balls)
    heel_up = follow(times, pivot_keys + _heel_keys(own, stands, steps, balls, roll), 0.0)
    toe_up = follow(times, _toe_keys(own), 0.0)
    middle = ball[:, [0, 2]] - MIDDLE_TO_BALL_M * np.stack([np.sin(yaw), np.cos(yaw)], axis=1)
    curve = FootCurve(foot, ball, yaw, np.maximum(heel_up, 0.0), np.maximum(toe_up, 0.0), middle, planted, turning)
    return curve, _truth(stands, lifts, balls)


def _turned(
    times: Array, stands: Sequence[PlacedStep], lifts: Sequence[float], heading: Array
) -> tuple[Array, npt.NDArray[np.bool_], list[Key]]:
    """Yaw [T] of a foot, when it pivots [T], and the keys that lift its heel meanwhile."""
    pivots = [_pivot(times, heading, stand.land_s, lift) for stand, lift in zip(stands, lifts, strict=True)]
    # what pivots have added by the time of each landing is taken off the yaw of the landing itself
    added = np.cumsum([angle for angle, _, _ in pivots])
    landings = zip(stands[1:], added[:-1], strict=True)
    keys = [(step.land_s, step.swing_s, float(step.yaw - turned)) for step, turned in landings]
    yaw = follow(times, keys, stands[0].yaw)
    turning = np.zeros(len(times), dtype=bool)
    heel_keys: list[Key] = []
    for stand, (angle, start, stop) in zip(stands, pivots, strict=True):
        if angle:
            yaw += angle * min_jerk((times - start) / (stop - start))
            turning |= (times >= start) & (times <= stop)
            heel_keys += [(start + 0.1, 0.1, 0.16), (stop, 0.1, 0.0)] if stand.landing == "flat" else []
    return yaw, turning, heel_keys


def _travelled(times: Array, own: Sequence[PlacedStep], balls: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Position [T, 3] of a foot's ball if it were flat, and when the foot is on the floor [T]."""
    x = follow(times, _keys(own, balls[1:, 0]), balls[0, 0], gliding=True)
    z = follow(times, _keys(own, balls[1:, 1]), balls[0, 1], gliding=True)
    height = np.zeros(len(times))
    planted = np.ones(len(times), dtype=bool)
    for step, before, after in zip(own, balls[:-1], balls[1:], strict=True):
        air = slice(*np.searchsorted(times, (step.land_s - step.swing_s + 1e-9, step.land_s - 1e-9)))
        hill = bump((times[air] - step.land_s + step.swing_s) / step.swing_s)
        length = float(np.hypot(*(after - before)))
        way = (after - before) / max(length, 1e-6)
        height[air] += (step.lift + 0.04 * length) * hill
        if step.flight is not None:
            height += rise(times, step.flight) ** 2 * step.flight.height_m
        x[air] += step.arc * way[1] * hill
        z[air] -= step.arc * way[0] * hill
        planted[air] = False
    return np.stack([x, TOE_HEIGHT_M + height, z], axis=1), planted


def rise(times: Array, flight: Flight) -> Array:
    """How high the body is at `times` [T] in a jump, 0 at its ends and outside, 1 at its top: a parabola."""
    s = np.clip((times - flight.take_off_s) / (flight.land_s - flight.take_off_s), 0.0, 1.0)
    return 4.0 * s * (1.0 - s)


def landed(times: Array, steps: Sequence[PlacedStep], depth_m: float) -> Array:
    """Metres [T] by which the pelvis gives way to each foot that takes the weight, and rings out: a landing is an impact.

    Deeper after a longer time in the air; taps and jumps (whose landing is drawn in full) leave it alone.
    """
    falls = [
        (step.land_s + 0.05, -depth_m * step.weight * float(np.clip(step.swing_s / 0.4, 0.6, 1.2)))
        for step in steps
        if step.weight > 0.3 and step.flight is None
    ]
    return stroke(times, falls, rise_s=0.07, ring_hz=3.6)


def weight_keys(steps: Sequence[PlacedStep], shifts: Sequence[tuple[float, float]]) -> list[Key]:
    """Keys of the share of the body on the left foot: over the standing foot while the other is in the air."""
    keys: list[Key] = []
    for index, step in enumerate(steps):
        on_left = step.foot == "left"
        lift = step.land_s - step.swing_s
        before = keys[-1][0] if keys else lift - 0.5
        if step.flight is not None:
            keys += _jump_weight(step, steps, before)
            continue
        if not keys or abs(keys[-1][2] - float(not on_left)) > 0.06:
            keys.append(
                (lift + 0.25 * step.swing_s, float(np.clip(lift - before, 0.15, 0.5)), 0.04 if on_left else 0.96)
            )
        if step.weight > 0.3:
            following = steps[index + 1] if index + 1 < len(steps) else None
            rest = (following.land_s - following.swing_s - step.land_s) if following else 0.5
            stop = step.land_s + float(np.clip(rest, 0.04, 0.3))
            share = step.weight if on_left else 1.0 - step.weight
            # the longer the step, the earlier the body goes along with the foot that is still in the air
            early = float(np.clip(0.4 + 0.7 * _length(step, steps[:index]), 0.4, 0.85)) * step.swing_s
            keys.append((stop, stop - step.land_s + early, float(np.clip(share, 0.04, 0.96))))
    airborne = [(step.land_s - step.swing_s - 0.1, step.land_s + 0.05) for step in steps]
    free = [(at, left) for at, left in shifts if not any(start < at < stop for start, stop in airborne)]
    return sorted(keys + [(at, 0.45, left) for at, left in free])


def _jump_weight(step: PlacedStep, steps: Sequence[PlacedStep], before: float) -> list[Key]:
    """Keys of the weight through a jump, written at its second step: over the foot that pushes, then the one that lands."""
    assert step.flight is not None
    pair = [each for each in steps if each.flight == step.flight]
    if step is not pair[-1] or len(pair) < 2:
        return []
    leaves = [each.land_s - each.swing_s for each in pair]
    pushing = 0.5 if abs(leaves[0] - leaves[1]) < 0.03 else float(pair[int(np.argmax(leaves))].foot == "left")
    landing = 0.5 if pair[1].land_s - pair[0].land_s < 0.03 else float(pair[0].foot == "left")
    out: list[Key] = [(min(leaves), float(np.clip(min(leaves) - before, 0.15, 0.4)), 0.04 + 0.92 * pushing)]
    out.append((step.flight.land_s, step.flight.land_s - step.flight.take_off_s, 0.04 + 0.92 * landing))
    if pair[1].weight > 0.3 and landing != 0.5:
        share = pair[1].weight if pair[1].foot == "left" else 1.0 - pair[1].weight
        out.append((pair[1].land_s + 0.12, 0.35, float(np.clip(share, 0.04, 0.96))))
    return out


def _length(step: PlacedStep, earlier: Sequence[PlacedStep]) -> float:
    """Metres the foot of `step` travels to it."""
    before = next((done for done in reversed(earlier) if done.foot == step.foot), step)
    return float(np.hypot(step.x - before.x, step.z - before.z))


def _ball(step: PlacedStep) -> tuple[float, float]:
    return step.x + MIDDLE_TO_BALL_M * np.sin(step.yaw), step.z + MIDDLE_TO_BALL_M * np.cos(step.yaw)


def _keys(own: Sequence[PlacedStep], values: Array) -> list[Key]:
    return [(step.land_s, step.swing_s, float(value)) for step, value in zip(own, values, strict=True)]


def _pivot(times: Array, heading: Array, land: float, lift: float) -> tuple[float, float, float]:
    """(angle, start, stop) by which a foot that stands from `land` to `lift` turns on its ball after the body."""
    stop = min(lift - 0.02, float(times[-1]))
    start = max(land + 0.03, float(times[0]))
    if stop - start < 0.12:
        return 0.0, 0.0, 0.0
    turned = float(np.interp(stop, times, heading) - np.interp(start, times, heading))
    if abs(turned) < np.radians(30.0):
        return 0.0, 0.0, 0.0
    progress = (heading - np.interp(start, times, heading)) / turned
    inside = (times >= start) & (times <= stop)
    begin = times[inside][np.argmax(progress[inside] > 0.02)]
    late = inside & (times >= begin) & (progress > 0.97)
    end = float(times[late][0]) if late.any() else stop
    end = min(max(end, begin + 0.25), stop)
    return 0.9 * turned, float(min(begin, end - 0.1)), float(end)


def _heel_keys(
    own: Sequence[PlacedStep], stands: Sequence[PlacedStep], steps: Sequence[PlacedStep], balls: Array, roll: float
) -> list[Key]:
    """The heel peels off before the foot leaves, swings through, and comes down after a landing on the ball."""
    keys: list[Key] = []
    for step, stand, before, after in zip(own, stands, balls[:-1], balls[1:], strict=False):
        lift = step.land_s - step.swing_s
        opposite = max(
            (other.land_s for other in steps if other.foot != step.foot and other.land_s <= lift), default=lift - 0.2
        )
        ready = max(opposite, stand.land_s + 0.3 * min(stand.settle_s, 0.4))
        peel = float(np.clip(lift - ready, 0.06, _PEEL_S))
        top = lift + 0.35 * step.swing_s
        high = (
            float(np.radians(np.clip(10.0 + 62.0 * np.hypot(*(after - before)) + 90.0 * step.lift, 8.0, 46.0))) * roll
        )
        if step.flight is not None:
            top, peel, high = lift + 0.03, min(peel, 0.22), float(np.radians(42.0))
        keys.append((top, top - lift + peel, high))
        quick = step.settle_s < _QUICK_S and step.flight is None
        landing = (_BRUSHING_RAD if quick else _ON_THE_BALL_RAD) if step.landing == "ball" else 0.0
        keys.append((step.land_s, 0.65 * step.swing_s, landing))
        if landing:
            leave = next((n.land_s - n.swing_s for n in own if n.land_s > step.land_s), np.inf)
            down = step.land_s + step.settle_s
            if down < leave - 0.04:
                keys.append((down, min(step.settle_s, _LOWERING_S), 0.0))
    return keys


_PEEL_S = 0.22
"""Longest time that a heel takes to come off before its foot leaves: captured heels go with their toes, hardly before."""

_LOWERING_S = 0.26
"""Longest time that a heel takes to come down: a dancer stays on the ball or stands flat, and is hardly ever between."""

_QUICK_S = 0.2
_BRUSHING_RAD, _ON_THE_BALL_RAD = np.radians(6.0), np.radians(22.0)
"""A foot that is flat again within `_QUICK_S` never gets high on its ball: its heel brushes the floor on the way."""


def _toe_keys(own: Sequence[PlacedStep]) -> list[Key]:
    """Toes up before a landing on the heel; they come down after it, or swing back where it was a tap."""
    keys: list[Key] = []
    for step in own:
        if step.landing != "heel":
            continue
        following = next((n for n in own if n.land_s > step.land_s), None)
        leave = following.land_s - following.swing_s if following else np.inf
        down = step.land_s + max(step.settle_s, 0.12)
        keys.append((step.land_s, 0.5 * step.swing_s, float(np.radians(16.0 if step.settle_s < 1.0 else 24.0))))
        if down < leave:
            keys.append((down, max(step.settle_s, 0.12), 0.0))
        elif following:
            keys.append((leave + 0.5 * following.swing_s, 0.5 * following.swing_s, 0.0))
    return keys


def _truth(stands: Sequence[PlacedStep], lifts: Sequence[float], balls: Array) -> list[Footstep]:
    return [
        Footstep(stand.foot, stand.land_s, lift, float(ball[0]), float(ball[1]), stand.yaw, stand.landing)
        for stand, lift, ball in zip(stands, lifts, balls, strict=True)
    ]
