"""Any performer on any skeleton to the canonical one: the only place where units, axes, skeleton and fps change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from choreodb.motion import arkit, contacts, feet, fit, glitches, heads, ik, jointmaps
from choreodb.motion import units as measures
from choreodb.motion.feet import FeetOptions
from choreodb.motion.fit import FitOptions
from choreodb.motion.glitches import GlitchOptions
from choreodb.motion.ik import SIDES
from choreodb.motion.kinematics import forward, root_first
from choreodb.motion.motion import Motion, checked_fps
from choreodb.motion.rate import CANONICAL_FPS, points_at_60, rotations_at_60, spline_at_60
from choreodb.motion.resample import linear_at
from choreodb.motion.rest import canonical_bone, rest_frames
from choreodb.motion.rotations import FloatArray, compose, identity, inverse, normalise, rotate, slerp, unroll
from choreodb.motion.skeleton import CHOREO22, CHOREO52, LEG_LENGTH_M, TOE_HEIGHT_M, Skeleton

# A hand is worth its joints where at least this many of its fifteen are in the file.
_MIN_FINGER_JOINTS = 8

# Frame times are written with 6 or 7 digits; position channels repeat offsets with as many.
_ROUNDED_FPS = 5e-5
_RIGID = 1e-4

# A canonical motion whose feet are deeper in the floor than this is not canonical after all.
_SUNK_M = 0.03
_FLOOR_M = 0.004


@dataclass(frozen=True, slots=True)
class RetargetOptions:
    """The settings of every stage of `canonicalise`."""

    fit: FitOptions = field(default_factory=FitOptions)
    feet: FeetOptions = field(default_factory=FeetOptions)
    glitches: GlitchOptions = field(default_factory=GlitchOptions)


@dataclass(frozen=True, slots=True, eq=False)
class Canonical:
    """A canonical motion and how it came about.

    motion: 60 fps, metres, y up, choreo22 or choreo52, floor at y = 0, and the face where there is one. contacts: [T, 4] 1 where left heel, left toe,
    right heel, right toe are planted. scale: the performer's leg over ours; canonical metres times it are the
    performer's. residual_cm: mean distance of the mapped joints (trunk's inner joints left out) to the scaled source, before feet are locked.
    source_fps: frames per second of the source as read. notes: every guess and correction, one line each.
    """

    motion: Motion
    contacts: npt.NDArray[np.uint8]
    scale: float
    residual_cm: float
    source_fps: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Take:
    """A source in metres, y up, at its own scale: world points by joint name, canonical global rotations [T, J, 4]."""

    points: dict[str, FloatArray]
    turned: FloatArray
    skeleton: Skeleton
    fps: float
    noisy: bool


def to_canonical(
    motion: Motion,
    *,
    units: str | float | None = None,
    up: str | None = None,
    fps: float | None = None,
    root_position: str | None = None,
    joint_map: Mapping[str, str] | None = None,
) -> Motion:
    """The motion on the canonical skeleton: 60 fps, metres, y up, floor at y = 0; arguments as in `canonicalise`."""
    return canonicalise(motion, units=units, up=up, fps=fps, root_position=root_position, joint_map=joint_map).motion


def canonicalise(
    motion: Motion,
    *,
    units: str | float | None = None,
    up: str | None = None,
    fps: float | None = None,
    root_position: str | None = None,
    joint_map: Mapping[str, str] | None = None,
    options: RetargetOptions | None = None,
) -> Canonical:
    """Retarget (rotations) or fit (positions only) `motion` to the canonical skeleton.

    units: m, cm, mm, inch, mmd, asf, or metres per unit. up: x, y, z, -x, -y, -z. fps: the true frame rate where the
    file lies. root_position: `absolute` or `offset`, whether root channels are positions or displacements from the
    root's OFFSET. joint_map: canonical -> file names that override the map found by name. None guesses, and `notes`
    says what and why. MotionFormatError where the motion is malformed or joints are missing.
    """
    options = options or RetargetOptions()
    motion = root_first(motion.validate())
    if fps is not None:
        motion = replace(motion, fps=checked_fps(fps))
    motion = _plain(motion)
    names = jointmaps.joints_of(motion.skeleton, joint_map)
    ours = _already_canonical(motion, names, units, up)
    if ours is not None:
        return _with_face(ours, motion)
    motion = _mapped(motion, names)
    notes: list[str] = []
    take, leg_m = _take(motion, names, (units, up, root_position), options, notes)
    scale = leg_m / LEG_LENGTH_M
    body = _assemble(_scaled(take, 1.0 / scale), options, notes)
    return _with_face(Canonical(*body[:2], scale, body[2], motion.fps, tuple(notes)), motion)


def _with_face(canonical: Canonical, source: Motion) -> Canonical:
    """The canonical motion with the source's face at its frames, by ARKit's names where they map."""
    if source.face is None or not source.face_names:
        return canonical
    times_s = np.arange(len(canonical.motion)) / canonical.motion.fps
    # weights between keys are straight: a spline would overshoot, and a mouth would open beyond its model
    weights, names, renamed = arkit.to_arkit(linear_at(source.face, source.fps, times_s), source.face_names)
    motion = replace(canonical.motion, face=weights, face_names=names).validate()
    return replace(canonical, motion=motion, notes=(*canonical.notes, *([] if renamed is None else [renamed])))


def _plain(motion: Motion) -> Motion:
    """The motion without what only says again what its skeleton says, at 60 or 120 fps where a rounded frame time means it."""
    meant = CANONICAL_FPS * max(1, round(motion.fps / CANONICAL_FPS))
    if abs(motion.fps - meant) < _ROUNDED_FPS * meant:
        motion = replace(motion, fps=meant)
    if motion.translations is None or motion.positions_only:
        return motion
    moved = np.delete(motion.translations - motion.skeleton.offsets, motion.skeleton.root, axis=1)
    if np.max(np.abs(moved), initial=0.0) > _RIGID * np.max(np.abs(motion.skeleton.offsets), initial=1e-9):
        return motion
    return replace(motion, translations=None)


def _mapped(motion: Motion, names: Mapping[str, str]) -> Motion:
    """The motion without the joints that carry no mapped one: twist bones, face, fingertips, hair."""
    skeleton = motion.skeleton
    wanted = {skeleton.index(name) for name in (*names.values(), *jointmaps.map_points(skeleton.names).values())}
    for joint in reversed(range(len(skeleton))):
        if joint in wanted and skeleton.parents[joint] >= 0:
            wanted.add(int(skeleton.parents[joint]))
    if len(wanted) == len(skeleton):
        return motion
    kept = sorted(wanted)
    place = np.cumsum(np.isin(np.arange(len(skeleton)), kept)) - 1
    parents = np.where(skeleton.parents[kept] < 0, -1, place[skeleton.parents[kept]]).astype(np.int32)
    return replace(
        motion,
        rotations=motion.rotations[:, kept],
        translations=None if motion.translations is None else motion.translations[:, kept],
        skeleton=Skeleton(
            tuple(skeleton.names[joint] for joint in kept), parents, skeleton.offsets[kept], skeleton.source
        ),
    )


def _already_canonical(
    motion: Motion, names: Mapping[str, str], units: str | float | None, up: str | None
) -> Canonical | None:
    """A motion whose skeleton is ours, bone for bone, taken as it is but for unit, order, names and fps; else None."""
    target = CHOREO52 if len(motion.skeleton) == len(CHOREO52) else CHOREO22
    if motion.positions_only or motion.translations is not None or tuple(names) != target.names:
        return None
    if len(motion.skeleton) != len(target):
        return None
    # a BVH lists its joints branch by branch
    order = [motion.skeleton.index(names[joint]) for joint in target.names]
    place = np.argsort(order)
    if not np.array_equal(place[motion.skeleton.parents[order][1:]], target.parents[1:]):
        return None
    offsets = motion.skeleton.offsets[order]
    leg = float(np.sum(np.linalg.norm(offsets[[4, 7]], axis=-1)))
    metres, reason = measures.metres_per_unit(leg, units)
    if not np.allclose(metres * offsets[1:], target.offsets[1:], atol=1e-3):
        return None
    rotations = normalise(rotations_at_60(motion.rotations[:, order], motion.fps))
    root = metres * spline_at_60(motion.root, motion.fps)
    positions = forward(rotations, root, target)[0]
    height = positions[:, target.index("neck")] - 0.5 * (positions[:, 7] + positions[:, 8])
    world, upright = measures.up_rotation(height, up)
    turned_up = not np.allclose(world, [1.0, 0.0, 0.0, 0.0])
    if turned_up:
        rotations[:, 0], root = compose(world, rotations[:, 0]), rotate(world, root)
    points = contacts.foot_points(*forward(rotations, root, target))
    # SMPL files hold no offsets and are read on ours: only ours stand on the floor to the millimetre
    lowest = float(points[..., 1].min()) - TOE_HEIGHT_M
    if lowest < -_SUNK_M or (turned_up and abs(lowest) > _FLOOR_M):
        return None
    out = Motion(rotations, root, target, CANONICAL_FPS).validate()
    notes = ("the skeleton is canonical already: rotations and root kept", reason, upright)
    return Canonical(out, contacts.detect(points, CANONICAL_FPS), 1.0, 0.0, motion.fps, notes)


def to_smpl24(motion: Motion) -> FloatArray:
    """Positions [T, 24, 3] of the SMPL-24 joints, in the motion's own units and axes (metres, y up if canonical).

    The hands are the bases of the middle fingers, or 8 cm beyond the wrists along the forearms. Joints that the
    skeleton lacks are placed between their neighbours. MotionFormatError where required joints are missing.
    """
    motion = root_first(motion)
    names = jointmaps.joints_of(motion.skeleton)
    positions = forward(motion.rotations, motion.root, motion.skeleton, motion.translations)[0]
    points = {joint: positions[:, motion.skeleton.index(name)] for joint, name in names.items()}
    leg = _leg_length(points)
    _fill_points(points)
    for side in SIDES:
        if f"{side}_middle1" not in points:
            forearm = points[f"{side}_wrist"] - points[f"{side}_elbow"]
            # 8 cm in the performer's own units: a tenth of the canonical leg
            reach = 0.08 * (1.0 if motion.skeleton.names[:22] == CHOREO22.names else leg / LEG_LENGTH_M)
            points[f"{side}_middle1"] = points[f"{side}_wrist"] + reach * _unit(forearm)
    order = (*CHOREO22.names, "left_middle1", "right_middle1")
    return np.stack([points[name] for name in order], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A source in metres and y up at its own rate. joints: index of each of our joints; leg_m: the performer's."""

    motion: Motion
    joints: Mapping[str, int]
    positions: FloatArray
    turned: FloatArray
    leg_m: float

    def points(self) -> dict[str, FloatArray]:
        """Positions [T, 3] by the name of our joint."""
        return {joint: self.positions[:, index] for joint, index in self.joints.items()}


def _take(
    motion: Motion,
    names: Mapping[str, str],
    told: tuple[str | float | None, str | None, str | None],
    options: RetargetOptions,
    notes: list[str],
) -> tuple[_Take, float]:
    """(the source in metres and y up at 60 fps, the performer's leg length in metres)."""
    scene = _scene(motion, names, told, notes)
    hands = sum(joint[-1] in "123" and "_" in joint for joint in scene.joints) >= _MIN_FINGER_JOINTS
    if motion.positions_only:
        return _fitted_take(scene, options, notes)
    return _turned_take(scene, CHOREO52 if hands else CHOREO22, options, notes)


def _scene(
    motion: Motion,
    names: Mapping[str, str],
    told: tuple[str | float | None, str | None, str | None],
    notes: list[str],
) -> _Scene:
    skeleton = motion.skeleton
    positions, turned = forward(motion.rotations, motion.root, skeleton, motion.translations)
    joints = {joint: skeleton.index(name) for joint, name in names.items()}
    leg = _leg_length({joint: positions[:, index] for joint, index in joints.items()})
    metres, reason = measures.metres_per_unit(leg, told[0])
    notes.append(reason)
    top = joints.get("neck", joints.get("head", 0))
    feet_point = 0.5 * (positions[:, joints["left_ankle"]] + positions[:, joints["right_ankle"]])
    world, reason = measures.up_rotation(positions[:, top] - feet_point, told[1])
    notes.append(reason)
    shift = _root_shift(motion, positions, joints, leg, world, told[2], notes)
    positions = rotate(world, (positions + shift) * metres)
    return _Scene(motion, joints, positions, compose(world, turned), leg * metres)


def _fitted_take(scene: _Scene, options: RetargetOptions, notes: list[str]) -> tuple[_Take, float]:
    """Joint positions alone: our skeleton is fitted to them."""
    motion, extra = scene.motion, jointmaps.map_points(scene.motion.skeleton.names)
    points = scene.points()
    points |= {point: scene.positions[:, motion.skeleton.index(name)] for point, name in extra.items()}
    noisy = fit.bone_variation(points) > options.fit.noisy_bones
    points, cleaned = fit.clean(points, motion.fps, options.fit)
    notes.append(cleaned)
    points = points_at_60(points, motion.fps)
    if noisy:
        points = _levelled(points, CANONICAL_FPS, options, notes)
        points, resized = fit.even_size(points, CANONICAL_FPS, options.fit)
        _note(notes, resized)
    points, banded = heads.without_band(points)
    _note(notes, banded)
    fitted = fit.fit(points, CHOREO22, CANONICAL_FPS, options.fit)
    # overstretched knees are noise here, and the leg's inverse kinematics straightens them
    allowed = replace(options.glitches, backwards_deg=90.0)
    fitted, repaired = glitches.repair(fitted, CHOREO22, CANONICAL_FPS, allowed)
    _note(notes, repaired)
    return _Take(points, fitted, CHOREO22, CANONICAL_FPS, noisy), _leg_length(points)


def _turned_take(scene: _Scene, target: Skeleton, options: RetargetOptions, notes: list[str]) -> tuple[_Take, float]:
    """Rotations are carried over joint by joint, from the source's rest pose to ours."""
    motion, points = scene.motion, scene.points()
    frames, note = rest_frames(scene.positions, scene.turned, motion.skeleton, scene.joints)
    notes.append(note)
    canonical = _canonical_rotations(scene.turned, scene.joints, frames, target)
    canonical, repaired = glitches.repair(canonical, target, motion.fps, options.glitches)
    _note(notes, repaired)
    if "neck" in points:
        # rigs curve their spines differently; the trunk as a whole is to lean as the performer's does
        fit.lean(canonical, points["neck"] - 0.5 * (points["left_hip"] + points["right_hip"]))
    points, canonical, smoothed = glitches.without_jitter(points, canonical, motion.fps, options.glitches)
    _note(notes, smoothed)
    canonical = rotations_at_60(canonical, motion.fps)
    return _Take(points_at_60(points, motion.fps), canonical, target, CANONICAL_FPS, noisy=False), scene.leg_m


def _note(notes: list[str], said: str | None) -> None:
    if said is not None:
        notes.append(said)


def _root_shift(
    motion: Motion,
    positions: FloatArray,
    joints: Mapping[str, int],
    leg: float,
    world: FloatArray,
    told: str | None,
    notes: list[str],
) -> FloatArray:
    upward = rotate(inverse(world), np.array([0.0, 1.0, 0.0]))
    ankles = np.stack([positions[:, joints["left_ankle"]], positions[:, joints["right_ankle"]]], axis=1)
    feet_height = float(np.median(np.min(ankles @ upward, axis=1)))
    shift, reason = measures.root_shift(feet_height, motion.skeleton.offsets[0], leg, upward, told)
    if reason is not None:
        notes.append(reason)
    return shift


def _canonical_rotations(
    turned: FloatArray, joints: Mapping[str, int], frames: Mapping[str, FloatArray], target: Skeleton
) -> FloatArray:
    """Canonical global rotations [T, J, 4]; joints that the source lacks follow their neighbours."""
    out = identity(len(turned), len(target))
    known: dict[str, FloatArray] = {
        joint: compose(turned[:, index], frames[joint]) for joint, index in joints.items() if joint in target.names
    }
    pelvis = known["pelvis"]
    chest = known.setdefault("spine3", known.get("spine2", known.get("spine1", pelvis)))
    first = known.setdefault("spine1", slerp(pelvis, known.get("spine2", chest), 0.5 if "spine2" in known else 1 / 3))
    known.setdefault("spine2", slerp(first, chest, 0.5))
    if "neck" not in known:
        known["neck"] = slerp(chest, known["head"], 0.5)
    for index, name in enumerate(target.names):
        if name not in known:
            known[name] = known[target.names[target.parents[index]]]
        out[:, index] = known[name]
    return out


def _levelled(
    points: dict[str, FloatArray], fps: float, options: RetargetOptions, notes: list[str]
) -> dict[str, FloatArray]:
    """The points over a level, steady floor, where planted feet say that it was neither."""
    scale = _leg_length(points) / LEG_LENGTH_M
    low = np.stack([points.get(f"{side}_foot", points[f"{side}_ankle"]) for side in SIDES], axis=1) / scale
    slow = contacts.horizontal_speed(low, fps) < options.feet.slow_m_s
    lower = low[..., 1] <= low[..., 1].min(axis=1, keepdims=True) + 0.02
    turn, reason = feet.level_floor(low.reshape(-1, 3), (slow & lower).reshape(-1), options.feet)
    if reason is not None:
        notes.append(reason)
        points = {name: rotate(turn, point) for name, point in points.items()}
        low = rotate(turn, low)
    drift, reason = feet.floor_drift(low, fps, options.feet)
    if drift is not None and reason is not None:
        notes.append(reason)
        lower_by = np.stack([np.zeros_like(drift), drift * scale, np.zeros_like(drift)], axis=1)
        points = {name: point - lower_by for name, point in points.items()}
    return points


def _assemble(take: _Take, options: RetargetOptions, notes: list[str]) -> tuple[Motion, npt.NDArray[np.uint8], float]:
    """Pelvis, legs by IK, floor and foot lock: the canonical motion, its contacts, and the residual in cm."""
    skeleton, points = take.skeleton, take.points
    turned, stand = _standing(take, options)
    lifted = np.array([0.0, stand.ankle_lift_m, 0.0])
    middle = 0.5 * (canonical_bone("pelvis", "left_hip") + canonical_bone("pelvis", "right_hip"))
    root = 0.5 * (points["left_hip"] + points["right_hip"]) + lifted - rotate(turned[:, 0], middle)
    rotations = _local(turned, skeleton)
    for side in SIDES:
        foot = turned[:, skeleton.index(f"{side}_ankle")]
        target = feet.ankle_targets(points[f"{side}_ankle"], points.get(f"{side}_foot"), foot, stand, side)
        rotations = ik.solve_leg(rotations, root, skeleton, side, target, foot)
    residual = _residual_cm(rotations, root, skeleton, {name: point + lifted for name, point in points.items()})
    rotations, root = feet.lock(rotations, root, skeleton, take.fps, options.feet, noisy=take.noisy)
    motion = Motion(normalise(unroll(rotations)), root, skeleton, take.fps).validate()
    planted = contacts.detect(contacts.foot_points(*forward(motion.rotations, root, skeleton)), take.fps)
    return motion, planted, residual


def _standing(take: _Take, options: RetargetOptions) -> tuple[FloatArray, feet.Stance]:
    """(global rotations [T, J, 4] with feet that are level when they stand flat, how the source stands)."""
    skeleton, turned = take.skeleton, take.turned.copy()
    index = [skeleton.index(f"{side}_ankle") for side in SIDES]
    ankles = np.stack([take.points[f"{side}_ankle"] for side in SIDES], axis=1)
    if all(f"{side}_foot" in take.points for side in SIDES):
        toes = np.stack([take.points[f"{side}_foot"] for side in SIDES], axis=1)
    else:
        bones = np.stack([canonical_bone(f"{side}_ankle", f"{side}_foot") for side in SIDES])
        toes = ankles + rotate(turned[:, index], bones)
    stand = feet.stance(ankles, toes, turned[:, index], take.fps, options.feet)
    for joint, turn in zip(index, (stand.turn, feet.mirrored_turn(stand.turn)), strict=True):
        toe = skeleton.children(joint)[0]
        turned[:, toe] = compose(turned[:, toe], turn)
        turned[:, joint] = compose(turned[:, joint], turn)
    return turned, stand


def _residual_cm(
    rotations: FloatArray, root: FloatArray, skeleton: Skeleton, points: Mapping[str, FloatArray]
) -> float:
    positions = forward(rotations, root, skeleton)[0]
    shared = [name for name in skeleton.names if name in points]
    # where a rig puts the joints inside the trunk is its maker's choice, not the performer's posture
    shared = [name for name in shared if not name.startswith("spine") and not name.endswith("collar")]
    distances = [np.linalg.norm(positions[:, skeleton.index(name)] - points[name], axis=-1) for name in shared]
    return 100.0 * float(np.mean(distances))


def _local(turned: FloatArray, skeleton: Skeleton) -> FloatArray:
    """Local rotations [T, J, 4] of global ones."""
    out = turned.copy()
    out[:, 1:] = compose(inverse(turned[:, skeleton.parents[1:]]), turned[:, 1:])
    return out


def _scaled(take: _Take, factor: float) -> _Take:
    return replace(take, points={name: point * factor for name, point in take.points.items()})


def _leg_length(points: Mapping[str, FloatArray]) -> float:
    """Median thigh plus shin, mean of both legs."""
    legs = [
        np.median(np.linalg.norm(points[f"{side}_{end}"] - points[f"{side}_{start}"], axis=-1))
        for side in SIDES
        for start, end in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.sum(legs)) / 2.0


def _fill_points(points: dict[str, FloatArray]) -> None:
    """Place the body joints that are missing from `points` between the ones that are there."""
    shoulders = 0.5 * (points["left_shoulder"] + points["right_shoulder"])
    neck = points.setdefault("neck", shoulders)
    for share, name in ((0.2, "spine1"), (0.45, "spine2"), (0.67, "spine3")):
        points.setdefault(name, points["pelvis"] + share * (neck - points["pelvis"]))
    points.setdefault("head", neck + 0.2 * (neck - points["pelvis"]))
    for side in SIDES:
        points.setdefault(f"{side}_collar", neck + 0.35 * (points[f"{side}_shoulder"] - neck))
        shin = points[f"{side}_ankle"] - points[f"{side}_knee"]
        points.setdefault(f"{side}_foot", points[f"{side}_ankle"] + 0.15 * shin)


def _unit(vectors: FloatArray) -> FloatArray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
