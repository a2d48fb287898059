"""Physics clean-up: planted feet stay, nothing goes through the floor, and knees never pop.

Where motions are blended, jerk is spread, joints keep to their limits, and arms stay out of the trunk. Everywhere, feet
are held: only legs and the height of the pelvis are changed for that. Which feet are planted comes from the source's own contacts, so
that moving a foot cannot change what is asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from choreodb.errors import MotionFormatError
from choreodb.motion.contacts import foot_points
from choreodb.motion.flight import centre_of_mass
from choreodb.motion.ik import Side, soft_reach, solve_leg
from choreodb.motion.kinematics import forward
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, between, compose, rotate
from choreodb.motion.skeleton import CHOREO22, LEG_LENGTH_M, TOE_HEIGHT_M, Skeleton
from choreodb.refiner import clearance, flight, footlock, jerk, limits
from choreodb.refiner.clearance import ClearanceOptions
from choreodb.refiner.flight import FlightFitOptions
from choreodb.refiner.footlock import LockOptions
from choreodb.refiner.jerk import JerkOptions
from choreodb.retriever.inertialise import fade
from choreodb.retriever.stitch import Stitched

_SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True, slots=True)
class PhysicsOptions:
    """reach: share of the leg's length beyond which the pelvis sinks instead of the knee locking. max_sink_m: by at most
    so much; what is missing then, the foot gives up. sink_s: the pelvis takes this long. softness: see `motion.ik`.
    floor_soft_m: a foot that comes down to the floor slows down over this height. hand_over_s: time on either side of a
    seam in which heights of standing feet pass from source to source. trusted_depth_m: a captured foot may be so far under the floor."""

    lock: LockOptions = field(default_factory=LockOptions)
    flight: FlightFitOptions = field(default_factory=FlightFitOptions)
    jerk: JerkOptions = field(default_factory=JerkOptions)
    clearance: ClearanceOptions = field(default_factory=ClearanceOptions)
    hand_over_s: float = 0.1
    trusted_depth_m: float = 0.01
    reach: float = 0.988
    max_sink_m: float = 0.06
    sink_s: float = 0.12
    softness: float = 0.006
    floor_soft_m: float = 0.004


def clean(stitched: Stitched, options: PhysicsOptions | None = None) -> Stitched:
    """The dance with planted feet and a floor; away from joins, all but legs and pelvis height is as it was stitched."""
    seams = np.array([seam.frame for seam in stitched.seams], dtype=np.int64)
    blend = np.array([max(seam.blend_frames) for seam in stitched.seams], dtype=np.int64)
    motion = clean_motion(
        stitched.motion,
        stitched.contacts,
        airborne=stitched.airborne,
        seams=seams,
        half_blend=blend,
        heights=stitched.heights,
        options=options,
    )
    return replace(stitched, motion=motion)


def clean_motion(
    motion: Motion,
    contacts: npt.NDArray[np.uint8],
    *,
    airborne: npt.NDArray[np.bool_] | None = None,
    seams: npt.NDArray[np.int64] | None = None,
    half_blend: npt.NDArray[np.int64] | None = None,
    heights: npt.NDArray[np.floating] | None = None,
    options: PhysicsOptions | None = None,
) -> Motion:
    """The same for any canonical motion and its contacts [T, 4]. airborne: [T] whether it flies (default: never). seams [S]:
    frames at which marks may change; half_blend [S]: frames of blending on either side. heights: [T, 4] of the source's foot points,
    at which they are to stand (default: flat on the floor), so that heels strike and lift as they did.

    MotionFormatError where the motion is not canonical or the contacts do not fit it.
    """
    options = options or PhysicsOptions()
    if motion.skeleton.names[: len(CHOREO22)] != CHOREO22.names:
        raise MotionFormatError(f"{motion!r} is not canonical; use motion.retarget.to_canonical first")
    if contacts.shape != (len(motion), 4):
        raise MotionFormatError(f"contacts have shape {contacts.shape}; expected ({len(motion)}, 4)")
    none = np.empty(0, dtype=np.int64)
    seams, half_blend = (none, none) if seams is None or half_blend is None else (seams, half_blend)
    body: FloatArray = motion.rotations[:, : len(CHOREO22)].astype(np.float64)
    root: FloatArray = motion.root.astype(np.float64)
    body, root = jerk.spread(body, root, seams, motion.fps, options.jerk)
    body = limits.hold(body, seams, half_blend)
    body = clearance.keep(body, root, _blended(len(motion), seams, half_blend), motion.fps, options.clearance)
    feet = _feet(body, root, CHOREO22)
    flies = airborne is not None and bool(airborne.any())
    if airborne is not None and flies:
        raised = flight.lift(airborne, centre_of_mass(feet.positions)[:, 1], motion.fps, options.flight)
        root = root + raised[:, None] * [0.0, 1.0, 0.0]
        feet = _feet(body, root, CHOREO22)
    pace_m_s = footlock.pace(feet.positions, feet.points, motion.fps, options.lock)
    above: FloatArray = np.zeros(contacts.shape)
    if heights is not None:
        above = _above_floor(heights, contacts, seams, motion.fps, options)
    # seen from where each point is to stand, every mark is on the floor
    points = feet.points - above[..., None] * np.array([0.0, 1.0, 0.0])
    locks = footlock.find(points, contacts, pace_m_s, motion.fps, seams, half_blend, options.lock)
    wanted = _wanted(feet, points, locks, above, motion.fps, options)
    root = root.copy()
    sink = _sink(feet, wanted, motion.fps, options)
    if airborne is not None and flies:
        # what begins to sink before a landing must not bend the flight
        sink = sink - flight.lift(airborne, centre_of_mass(feet.positions)[:, 1] - sink, motion.fps, options.flight)
    root[:, 1] -= sink
    body = _solve(body, root, feet, wanted, options)
    rotations = motion.rotations.copy()
    rotations[:, : len(CHOREO22)] = body
    return replace(motion, rotations=rotations, root=root.astype(motion.root.dtype))


@dataclass(frozen=True, slots=True, eq=False)
class _Feet:
    """positions [T, J, 3] of all joints. points [T, 4, 3]: heels and toes. hips, ankles: [T, 2, 3]. turned: [T, 2, 4]
    global rotations of the ankles."""

    positions: FloatArray
    points: FloatArray
    hips: FloatArray
    ankles: FloatArray
    turned: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """ankles [T, 2, 3] and their global rotations [T, 2, 4] that put heels and toes where they belong; held [T, 2]."""

    ankles: FloatArray
    turned: FloatArray
    held: FloatArray


def _feet(rotations: FloatArray, root: FloatArray, skeleton: Skeleton) -> _Feet:
    positions, turned = forward(rotations, root, skeleton)
    hips = [skeleton.index(f"{side}_hip") for side in _SIDES]
    ankles = [skeleton.index(f"{side}_ankle") for side in _SIDES]
    return _Feet(positions, foot_points(positions, turned), positions[:, hips], positions[:, ankles], turned[:, ankles])


def _wanted(
    feet: _Feet, seen: FloatArray, locks: footlock.Locks, above: FloatArray, fps: float, options: PhysicsOptions
) -> _Wanted:
    """Rigid placement of each foot: an end that is not held follows the one that is.

    seen: [T, 4, 3] the points as the locks see them. above: [T, 4] how far over the floor the points are to stand.
    """
    moved, held = footlock.corrections(locks, seen, fps, options.lock)
    total = feet.points.shape[0]
    moved, held = moved.reshape(total, 2, 2, 3), held.reshape(total, 2, 2, 1)
    points = feet.points.reshape(total, 2, 2, 3)
    other = moved[:, :, ::-1]
    goals = points + moved + (1.0 - held) * other
    floor = TOE_HEIGHT_M + np.clip(above, -options.trusted_depth_m, 0.0).reshape(total, 2, 2)
    goals[..., 1] = floor + _above(goals[..., 1] - floor, options.floor_soft_m, held[..., 0])
    sole, goal_sole = points[:, :, 1] - points[:, :, 0], goals[:, :, 1] - goals[:, :, 0]
    swing = between(sole, goal_sole)
    # the toe is exact while it is held, else the heel
    toe = held[:, :, 1] / np.maximum(held[:, :, 1] + held[:, :, 0] * (1.0 - held[:, :, 1]), 1e-9)
    toe = np.where(held.sum(axis=2) > 1e-9, toe, 0.5)
    from_heel = goals[:, :, 0] + rotate(swing, feet.ankles - points[:, :, 0])
    from_toe = goals[:, :, 1] + rotate(swing, feet.ankles - points[:, :, 1])
    ankles = from_heel + toe * (from_toe - from_heel)
    return _Wanted(ankles, compose(swing, feet.turned), held.max(axis=2)[..., 0])


def _above_floor(
    heights: npt.NDArray[np.floating],
    contacts: npt.NDArray[np.uint8],
    seams: npt.NDArray[np.int64],
    fps: float,
    options: PhysicsOptions,
) -> FloatArray:
    """How far over (or under) a flat foot's height points are to stand [T, 4]: as in the source.

    What stands through a seam is handed over from source to source; what stands on one side of it only must not be
    drawn up to where it flies on the other.
    """
    above = heights.astype(np.float64) - TOE_HEIGHT_M
    reach = max(1, round(options.hand_over_s * fps))
    step = (above[seams] - above[seams - 1]) * ((contacts[seams] > 0) & (contacts[seams - 1] > 0))
    for sign in (1, -1):
        frames = seams[:, None] + (np.arange(reach) if sign > 0 else -1 - np.arange(reach))
        inside = (frames >= 0) & (frames < len(above))
        share, _ = fade(1.0 - (np.arange(reach) + 0.5) / reach)
        change = -0.5 * sign * step[:, None] * share[None, :, None]
        np.add.at(above, frames[inside], change[inside])
    return above


def _blended(frames: int, seams: npt.NDArray[np.int64], half_blend: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether each frame [T] lies in a blend."""
    edges = np.zeros(frames + 1)
    np.add.at(edges, np.maximum(seams - half_blend, 0), 1.0)
    np.add.at(edges, np.minimum(seams + half_blend, frames), -1.0)
    return np.asarray(np.cumsum(edges)[:-1] > 0.5)


def _above(height: FloatArray, soft: float, held: FloatArray) -> FloatArray:
    """Height over the floor, bent smoothly so that it stays above it; exact where the point is held there anyway."""
    bent = 0.5 * (height + np.sqrt(height * height + soft * soft))
    return np.where(held > 0.999, np.maximum(height, 0.0), bent * (1.0 - held) + held * np.maximum(height, 0.0))


def _sink(feet: _Feet, wanted: _Wanted, fps: float, options: PhysicsOptions) -> FloatArray:
    """How far [T] the pelvis has to sink for the legs that are held to reach; smooth, and at most `max_sink_m`."""
    # a leg that was captured straighter than that may stay so
    own = np.linalg.norm(feet.ankles - feet.hips, axis=-1)
    reach = np.clip(own, options.reach * LEG_LENGTH_M, _STRAIGHT * LEG_LENGTH_M)
    away = wanted.ankles - feet.hips
    flat = np.square(away[..., 0]) + np.square(away[..., 2])
    drop = -away[..., 1] - np.sqrt(np.maximum(reach * reach - flat, 0.0))
    needed = np.clip(drop, 0.0, options.max_sink_m) * wanted.held
    size = max(1, round(2.0 * options.sink_s * fps)) | 1
    ceiling = maximum_filter1d(needed.max(axis=1), size, mode="nearest")
    return gaussian_filter1d(ceiling, 0.5 * options.sink_s * fps, mode="nearest")


def _solve(
    rotations: FloatArray, root: FloatArray, feet: _Feet, wanted: _Wanted, options: PhysicsOptions
) -> FloatArray:
    """Local rotations with both legs solved."""
    hips = feet.hips + (root - feet.positions[:, 0])[:, None]
    goals = _as_straight(hips, wanted.ankles, np.linalg.norm(feet.ankles - feet.hips, axis=-1), options.softness)
    for number, side in enumerate(_SIDES):
        rotations = solve_leg(
            rotations, root, CHOREO22, side, goals[:, number], wanted.turned[:, number], softness=options.softness,
        )  # fmt: skip
    return rotations


_STRAIGHT = 0.9995
"""Share of the leg's length that counts as fully stretched."""


def _as_straight(hips: FloatArray, ankles: FloatArray, own: FloatArray, softness: float) -> FloatArray:
    """Targets [T, 2, 3] that a soft solver reaches as far as it would without softness the leg's `own` length [T, 2].

    Softness bends every leg that is nearly straight; what was captured straight and hardly moves must not lose its knee.
    """
    margin = softness * LEG_LENGTH_M
    knee = LEG_LENGTH_M - margin
    line = ankles - hips
    distance = np.linalg.norm(line, axis=-1)
    lost = own - soft_reach(own, LEG_LENGTH_M, softness)
    reached = np.minimum(soft_reach(distance, LEG_LENGTH_M, softness) + lost, _STRAIGHT * LEG_LENGTH_M)
    bent = np.clip((reached - knee) / margin, 0.0, 1.0 - 1e-6)
    asked = np.where(reached > knee, knee - margin * np.log1p(-bent), reached)
    return hips + line * (asked / np.maximum(distance, 1e-9))[..., None]
