"""The user's own character: its skeleton, how it stands, and a dance brought onto it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion import jointmaps
from choreodb.motion import units as measures
from choreodb.motion.files import StrPath
from choreodb.motion.hands import with_hands
from choreodb.motion.ik import SIDES, two_bone
from choreodb.motion.kinematics import forward, root_first
from choreodb.motion.motion import Motion
from choreodb.motion.rest import canonical_bone, rest_frames, stands
from choreodb.motion.rotations import FloatArray, angle, compose, identity, inverse, normalise, rotate, unroll
from choreodb.motion.skeleton import ANKLE_HEIGHT_M, CHOREO22, CHOREO52, LEG_LENGTH_M, TOE_HEIGHT_M, Skeleton

SUFFIXES = (".bvh", ".glb", ".gltf", ".vrm")

_STILL_RAD = np.radians(1.0)
_REACH = 0.995
"""Share of the leg's length beyond which the pelvis sinks rather than a foot leaving the floor."""
_MAX_SINK = 0.08
_SINK_S = 0.12
_HIGHEST_TOE = 0.13
"""Toe joints that stand higher over the floor than this share of a leg do not stand on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """A character's skeleton and how our joints lie on it.

    skeleton: the file's, parents first, in its units. joints: canonical name -> index. frames: rest frame [4] of each of
    them, see `rest_frames`. rest: [J, 4] local rotations of joints that nothing maps to. upright: [4] turns the file's
    axes to y up. metres: per unit. traveller: the joint that carries the travel. leg_m, toe_m: length of a leg, and
    height of the toe joints over the floor when the feet stand flat. notes: every guess, one line each.
    """

    path: Path
    skeleton: Skeleton
    joints: Mapping[str, int]
    frames: Mapping[str, FloatArray]
    rest: FloatArray
    upright: FloatArray
    metres: float
    traveller: int
    leg_m: float
    toe_m: float
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Rig({self.path.name!r}, {len(self.skeleton)} joints, {len(self.joints)} of them known)"

    @property
    def has_fingers(self) -> bool:
        """Whether any finger joint is known."""
        return any(name in self.joints for name in CHOREO52.names[len(CHOREO22) :])


def load(
    path: StrPath,
    *,
    joint_map: Mapping[str, str] | None = None,
    units: str | float | None = None,
    up: str | None = None,
) -> Rig:
    """The character in the file `path`: a BVH with any motion in it, or a GLB, glTF or VRM, animated or not.

    joint_map: canonical -> file names that override the map found by name. units, up: as in `retarget.canonicalise`.
    Raises MotionFormatError.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise MotionFormatError(f"{path}: suffix {suffix!r} is no rig's; expected one of {', '.join(SUFFIXES)}")
    try:
        motion, known = _standing(path, suffix)
        return of(motion, path, joint_map={**known, **(joint_map or {})}, units=units, up=up)
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


def of(
    motion: Motion,
    path: StrPath = "rig",
    *,
    joint_map: Mapping[str, str] | None = None,
    units: str | float | None = None,
    up: str | None = None,
) -> Rig:
    """The rig that `motion` moves, on its native skeleton; see `load`."""
    motion = root_first(motion.validate())
    if motion.positions_only:
        raise MotionFormatError("holds positions without rotations; expected a rig with joints that turn")
    skeleton = motion.skeleton
    names = jointmaps.joints_of(skeleton, joint_map)
    joints = {joint: skeleton.index(name) for joint, name in names.items()}
    positions, turned = forward(motion.rotations, motion.root, skeleton, motion.translations)
    leg = _leg(positions, joints)
    metres, said_units = measures.metres_per_unit(leg, units)
    top = joints.get("neck", joints.get("head", 0))
    ankles = positions[:, [joints[f"{side}_ankle"] for side in SIDES]]
    upright, said_up = measures.up_rotation(positions[:, top] - ankles.mean(axis=1), up)
    world = rotate(upright, positions) * metres
    frames, note = rest_frames(world, compose(upright, turned), skeleton, joints)
    rig = Rig(
        Path(path), skeleton, joints, frames, _rest(motion, joints), upright, metres, _traveller(motion, joints),
        leg * metres, 0.0, (said_units, said_up, note),
    )  # fmt: skip
    shift = _root_shift(motion, ankles, leg, upright)
    toe_m, said_floor = _toe_height(world + rotate(upright, shift) * metres, joints, leg * metres)
    return replace(rig, toe_m=toe_m, notes=(*rig.notes, said_floor))


def danced(motion: Motion, rig: Rig) -> Motion:
    """Canonical `motion` on the rig: its joints, in its units and axes, scaled to its legs, with feet on the floor.

    Bones keep the rig's lengths; directions are the dancer's. Feet stand where the scaled dancer's stand, legs are
    solved for it. Joints that nothing maps to stay at rest. The face goes along. Raises MotionFormatError.
    """
    if motion.skeleton.names not in (CHOREO22.names, CHOREO52.names):
        raise MotionFormatError(f"{motion!r} is not canonical; use motion.retarget.to_canonical first")
    motion = with_hands(motion) if rig.has_fingers else motion
    points, turned = forward(motion.rotations.astype(np.float64), motion.root.astype(np.float64), motion.skeleton)
    put = motion.skeleton.index
    known = {name: joint for name, joint in rig.joints.items() if name in motion.skeleton.names}
    wanted = {joint: compose(turned[:, put(name)], inverse(rig.frames[name])) for name, joint in known.items()}
    scale = rig.leg_m / LEG_LENGTH_M
    local = _locals(rig, wanted, len(motion))
    world = _world(rig, local)
    hips = points[:, [put("left_hip"), put("right_hip")]].mean(axis=1)
    rise = np.array([0.0, _ankle_height(rig) - scale * ANKLE_HEIGHT_M, 0.0])
    centre = world[:, [rig.joints["left_hip"], rig.joints["right_hip"]]].mean(axis=1)
    shift = scale * hips + rise - centre
    targets: dict[str, FloatArray] = {side: _ankle_target(rig, points, turned, side, scale) for side in SIDES}
    shift = shift - _sink(rig, world + shift[:, None], targets, motion.fps)[:, None] * [0.0, 1.0, 0.0]
    for side, target in targets.items():
        hip, knee, ankle = (rig.joints[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
        hinge = rotate(turned[:, put(f"{side}_hip")], np.array([0.0, 0.0, 1.0]))
        limb = [world[:, joint] + shift for joint in (hip, knee, ankle)]
        thigh, shin = two_bone(limb[0], limb[1], limb[2], target, hinge=hinge)
        wanted[hip], wanted[knee] = compose(thigh, wanted[hip]), compose(shin, wanted[knee])
    local = _locals(rig, wanted, len(motion))
    return _placed(rig, local, shift, motion)


def _standing(path: StrPath, suffix: str) -> tuple[Motion, Mapping[str, str]]:
    """(what the file shows of its rig: the motion of a BVH, the rest pose of a glTF; the joints that it says are ours)."""
    if suffix == ".bvh":
        from choreodb.motion import bvh

        return bvh.load(path), {}
    from choreodb.motion import gltf

    standing = gltf.rest(path)
    return standing.motion, standing.joint_map


def _leg(positions: FloatArray, joints: Mapping[str, int]) -> float:
    bones = [
        np.median(np.linalg.norm(positions[:, joints[f"{side}_{end}"]] - positions[:, joints[f"{side}_{start}"]], axis=-1))
        for side in SIDES
        for start, end in (("hip", "knee"), ("knee", "ankle"))
    ]  # fmt: skip
    return float(np.sum(bones)) / 2.0


def _rest(motion: Motion, joints: Mapping[str, int]) -> FloatArray:
    """Local rotations [J, 4] of the joints that are not danced: as in the zero pose where it stands, else as the file
    holds them where it holds them still."""
    if stands(motion.skeleton, joints) and len(motion) > 1:
        return identity(len(motion.skeleton))
    first = motion.rotations[0]
    away = angle(compose(inverse(first), motion.rotations)).max(axis=0)
    return np.where((away < _STILL_RAD)[:, None], first, identity(len(first)))


def _traveller(motion: Motion, joints: Mapping[str, int]) -> int:
    """The joint that carries the travel: the root, or the pelvis where the file moves that instead."""
    pelvis, root = joints["pelvis"], motion.skeleton.root
    if motion.translations is None or pelvis == root:
        return root
    spread = [float(np.ptp(motion.translations[:, joint], axis=0).max()) for joint in (root, pelvis)]
    return pelvis if spread[1] > spread[0] else root


def _root_shift(motion: Motion, ankles: FloatArray, leg: float, upright: FloatArray) -> FloatArray:
    upward = rotate(inverse(upright), np.array([0.0, 1.0, 0.0]))
    height = float(np.median(np.min(ankles @ upward, axis=1)))
    return measures.root_shift(height, motion.skeleton.offsets[motion.skeleton.root], leg, upward, None)[0]


def _toe_height(world: FloatArray, joints: Mapping[str, int], leg_m: float) -> tuple[float, str]:
    """(metres of the toe joints over the floor when the feet stand, the reason)."""
    toes = [joints[f"{side}_foot"] for side in SIDES if f"{side}_foot" in joints]
    ours = TOE_HEIGHT_M * leg_m / LEG_LENGTH_M
    if toes:
        height = float(np.quantile(world[:, toes, 1].min(axis=1), 0.05))
        if -0.02 * leg_m <= height <= _HIGHEST_TOE * leg_m:
            height = max(height, 0.0)
            return height, f"floor: the toe joints stand {100.0 * height:.1f} cm over it in the file"
    return ours, f"floor: the file shows none; toe joints are put {100.0 * ours:.1f} cm over it, as ours are by size"


def _ankle_height(rig: Rig) -> float:
    """Metres of an ankle over the floor when the foot stands flat."""
    heights = [
        rig.toe_m - float(_foot_bone(rig, side)[1]) for side in SIDES if f"{side}_foot" in rig.joints
    ]  # fmt: skip
    return float(np.mean(heights)) if heights else ANKLE_HEIGHT_M * rig.leg_m / LEG_LENGTH_M


def _foot_bone(rig: Rig, side: str) -> FloatArray:
    """From the ankle to the toe joint [3] in metres, as our foot lies when it stands flat."""
    ankle, joint = rig.joints[f"{side}_ankle"], rig.joints[f"{side}_foot"]
    bone = np.zeros(3)
    while joint != ankle:
        parent = int(rig.skeleton.parents[joint])
        bone = rig.skeleton.offsets[joint] + (
            bone if joint == rig.joints[f"{side}_foot"] else rotate(rig.rest[joint], bone)
        )
        joint = parent
        if joint < 0:
            return rig.leg_m / LEG_LENGTH_M * canonical_bone(f"{side}_ankle", f"{side}_foot")
    return rotate(inverse(rig.frames[f"{side}_ankle"]), bone) * rig.metres


def _locals(rig: Rig, wanted: Mapping[int, FloatArray], frames: int) -> FloatArray:
    """Local rotations [T, J, 4] in the file's axes for global y-up rotations `wanted` [T, 4] of some joints."""
    turned = identity(frames, len(rig.skeleton))
    local = identity(frames, len(rig.skeleton))
    for joint in range(len(rig.skeleton)):
        parent = int(rig.skeleton.parents[joint])
        above = inverse(rig.upright) if parent < 0 else None
        if joint in wanted:
            turned[:, joint] = wanted[joint]
            base = wanted[joint] if above is None else compose(above, wanted[joint])
            local[:, joint] = base if parent < 0 else compose(inverse(turned[:, parent]), base)
        else:
            local[:, joint] = rig.rest[joint]
            turned[:, joint] = compose(rig.upright if parent < 0 else turned[:, parent], local[:, joint])
    return local


def _world(rig: Rig, local: FloatArray) -> FloatArray:
    """Points [T, J, 3] in metres, y up, of a rig whose root is at the origin."""
    return rotate(rig.upright, forward(local, np.zeros((len(local), 3)), rig.skeleton)[0]) * rig.metres


def _ankle_target(
    rig: Rig,
    points: FloatArray,
    turned: FloatArray,
    side: str,
    scale: float,
) -> FloatArray:
    """Where an ankle [T, 3] has to be for the toe to stand where the scaled dancer's stands; metres, y up."""
    ankle, toe = CHOREO22.index(f"{side}_ankle"), CHOREO22.index(f"{side}_foot")
    if f"{side}_foot" not in rig.joints:
        rise = _ankle_height(rig) - scale * ANKLE_HEIGHT_M
        return scale * points[:, ankle] + np.array([0.0, rise, 0.0])
    at = scale * points[:, toe] + np.array([0.0, rig.toe_m - scale * TOE_HEIGHT_M, 0.0])
    return at - rotate(turned[:, ankle], _foot_bone(rig, side))


def _sink(rig: Rig, world: FloatArray, targets: Mapping[str, FloatArray], fps: float) -> FloatArray:
    """How far [T] the pelvis has to come down for both legs to reach, in metres; smooth."""
    from scipy.ndimage import gaussian_filter1d, maximum_filter1d

    missing = []
    for side, target in targets.items():
        hip, knee, ankle = (world[:, rig.joints[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
        length = _REACH * (np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1))
        away = target - hip
        flat = np.square(away[:, 0]) + np.square(away[:, 2])
        missing.append(-away[:, 1] - np.sqrt(np.maximum(np.square(length) - flat, 0.0)))
    needed = np.clip(np.max(missing, axis=0), 0.0, _MAX_SINK * rig.leg_m)
    size = max(1, round(2.0 * _SINK_S * fps)) | 1
    return gaussian_filter1d(maximum_filter1d(needed, size, mode="nearest"), 0.5 * _SINK_S * fps, mode="nearest")


def _placed(rig: Rig, local: FloatArray, shift: FloatArray, motion: Motion) -> Motion:
    """The motion with the root, or the joint that carries the travel, moved by `shift` [T, 3] metres, y up."""
    moved = rotate(inverse(rig.upright), shift) / rig.metres
    root: FloatArray = moved
    translations = None
    if rig.traveller != rig.skeleton.root:
        points, turned = forward(local, np.zeros((len(local), 3)), rig.skeleton)
        above = int(rig.skeleton.parents[rig.traveller])
        translations = np.tile(rig.skeleton.offsets, (len(local), 1, 1))
        root = np.zeros_like(moved)
        translations[:, rig.skeleton.root] = root
        at = points[:, rig.traveller] + moved
        translations[:, rig.traveller] = rotate(inverse(turned[:, above]), at - points[:, above])
    return Motion(
        normalise(unroll(local)), root, rig.skeleton, motion.fps, translations, motion.face, motion.face_names
    ).validate()
