"""The rest frame of every source joint: which way its local axes point when the body stands in our T-pose.

A rig's zero pose need not be a T-pose, and its local frames may be anything. For a source joint with global rotation
`G` the rest frame `A` gives the canonical global rotation `G A`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from choreodb.motion.ik import SIDES, Side
from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import (
    FloatArray,
    aligned,
    angle,
    between,
    compose,
    identity,
    inverse,
    matrix_to_quat,
    rotate,
)
from choreodb.motion.rotations import normalise as unit_quat
from choreodb.motion.skeleton import CHOREO52, Skeleton

_X: FloatArray = np.array([1.0, 0.0, 0.0])
_Y: FloatArray = np.array([0.0, 1.0, 0.0])
_SAMPLE_FRAMES = 600
_SNAP_UP_DEG = 12.0
_SNAP_HINGE_DEG = 20.0
_ALIKE_RAD = 0.6
_PHALANX_NEXT = {
    name: name[:-1] + str(int(name[-1]) + 1) for name in CHOREO52.names if name[-1] in "12" and "_" in name
}

Frames = dict[str, FloatArray]


def rest_frames(
    positions: FloatArray, turned: FloatArray, skeleton: Skeleton, joints: Mapping[str, int]
) -> tuple[Frames, str]:
    """(canonical name -> rest frame [4], the reason) for the mapped `joints` (canonical name -> index in `skeleton`).

    positions: [T, J, 3] and turned: [T, J, 4], world points and global rotations of the source, y up. Where the zero
    pose is an upright T-, A- or I-pose it is turned into our T-pose bone by bone; otherwise the frames come from where
    the bones and the hinges of knees and elbows lie in each joint's own axes.
    """
    zero = _zero_pose(skeleton, joints)
    if zero is not None:
        return _from_zero_pose(*zero, joints), "rest pose: the file's zero pose stands upright"
    step = max(1, len(positions) // _SAMPLE_FRAMES)
    frames = _from_anatomy(positions[::step], turned[::step], joints)
    return frames, "rest pose: from bone directions and the hinges of knees and elbows, as the zero pose is no T-pose"


def stands(skeleton: Skeleton, joints: Mapping[str, int]) -> bool:
    """Whether the zero pose of `skeleton` is an upright T-, A- or I-pose."""
    return _zero_pose(skeleton, joints) is not None


def frame_of(first: FloatArray, second: FloatArray) -> FloatArray:
    """Quaternion [..., 4] of the axes (first, second made perpendicular, their cross product), vectors [..., 3]."""
    x = _unit(first)
    y = _unit(second - np.sum(second * x, axis=-1, keepdims=True) * x)
    return matrix_to_quat(np.stack([x, y, np.cross(x, y)], axis=-1))


def canonical_bone(joint: str, child: str) -> FloatArray:
    """Rest vector [3] from `joint` to a descendant `child` on the canonical skeleton."""
    out = np.zeros(3)
    index, top = CHOREO52.index(child), CHOREO52.index(joint)
    while index != top:
        out = out + CHOREO52.offsets[index]
        index = int(CHOREO52.parents[index])
    return out


def hinge_axis(joint: str) -> FloatArray:
    """Rest axis [3] about which a canonical knee or elbow (or the bone above it) flexes."""
    if joint.endswith(("hip", "knee")):
        return _X
    return -_Y if joint.startswith("left") else _Y


def _zero_pose(skeleton: Skeleton, joints: Mapping[str, int]) -> tuple[FloatArray, FloatArray] | None:
    """(points [J, 3] of the zero pose, facing +z and y up, the rotation [4] that did it), or None where it is no T-pose."""
    points, _ = forward(identity(len(skeleton)), np.zeros(3), skeleton)
    at = {name: points[index] for name, index in joints.items()}
    top = at.get("neck", at.get("head"))
    if top is None:
        return None
    feet = 0.5 * (at["left_ankle"] + at["right_ankle"])
    upward = _unit(_snap(_unit(top - feet), 25.0))
    lateral = at["left_hip"] - at["right_hip"] + at["left_shoulder"] - at["right_shoulder"]
    if np.linalg.norm(np.cross(_unit(lateral), upward)) < 0.8:
        return None
    world = inverse(frame_of(upward, lateral))
    # frame_of gives (up, left, -forward) as its axes; a fixed turn maps them to (x left, y up, z forward)
    world = compose(matrix_to_quat(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])), world)
    points = rotate(world, points)
    at = {name: points[index] for name, index in joints.items()}
    return (points, world) if _stands(at) else None


def _stands(at: Mapping[str, FloatArray]) -> bool:
    """Whether the points form an upright pose with straight legs, and straight arms beside the body or out."""
    for side, sign in (("left", 1.0), ("right", -1.0)):
        thigh = _unit(at[f"{side}_knee"] - at[f"{side}_hip"])
        shin = _unit(at[f"{side}_ankle"] - at[f"{side}_knee"])
        arm = _unit(at[f"{side}_elbow"] - at[f"{side}_shoulder"])
        forearm = _unit(at[f"{side}_wrist"] - at[f"{side}_elbow"])
        if thigh[1] > -0.9 or shin[1] > -0.9:
            return False
        if sign * arm[0] < 0.0 - 0.05 or arm[1] > 0.5 or abs(arm[2]) > 0.5 or np.dot(arm, forearm) < 0.7:
            return False
        if f"{side}_foot" in at and (at[f"{side}_foot"] - at[f"{side}_ankle"])[2] < 0.0:
            return False
    return True


def _from_zero_pose(points: FloatArray, world: FloatArray, joints: Mapping[str, int]) -> Frames:
    """Rest frames by turning the zero pose into our T-pose, parents first, each bone by the smallest rotation."""
    turns: Frames = {}
    for name in joints:
        parent = CHOREO52.parents[CHOREO52.index(name)]
        inherited = turns.get(CHOREO52.names[parent], identity()) if parent >= 0 else identity()
        turns[name] = compose(_zero_swing(name, points, joints, inherited), inherited)
        if name.endswith(("_ankle", "_collar")) or "_" not in name:
            turns[name] = _level_turn(name, points, joints)
    return {name: inverse(compose(turn, world)) for name, turn in turns.items()}


def _zero_swing(name: str, points: FloatArray, joints: Mapping[str, int], inherited: FloatArray) -> FloatArray:
    child = _bone_child(name)
    if child is None or child not in joints:
        return identity()
    bone = rotate(inherited, points[joints[child]] - points[joints[name]])
    return between(bone, canonical_bone(name, child))


def _level_turn(name: str, points: FloatArray, joints: Mapping[str, int]) -> FloatArray:
    """Turn of trunk, collars and feet: the zero pose is upright and its feet are flat, so at most a foot's yaw."""
    toe = name.replace("ankle", "foot")
    if not name.endswith("_ankle") or toe not in joints:
        return identity()
    bone, target = points[joints[toe]] - points[joints[name]], canonical_bone(name, toe)
    level = np.array([1.0, 0.0, 1.0])
    yaw = between(bone * level, target * level)
    pitch = np.degrees(np.arctan2(bone[1], np.hypot(bone[0], bone[2])))
    # a foot that hangs from the leg in the zero pose is not flat
    return yaw if -55.0 < pitch < 5.0 else compose(between(rotate(yaw, bone), target), yaw)


def _bone_child(name: str) -> str | None:
    """The joint at the end of the bone whose direction a joint's rotation must reproduce, if there is one."""
    side, _, part = name.partition("_")
    chain = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist", "wrist": "middle1"}
    if part in chain:
        return f"{side}_{chain[part]}"
    return _PHALANX_NEXT.get(name)


def _from_anatomy(positions: FloatArray, turned: FloatArray, joints: Mapping[str, int]) -> Frames:
    """Rest frames from bone directions and hinge axes in each joint's own axes, as medians over the clip."""
    view = _View(positions, turned, joints)
    frames: Frames = {"pelvis": _trunk_frame(view, "pelvis", "hip")}
    chest = "spine3" if "spine3" in joints else "pelvis"
    if chest != "pelvis":
        frames[chest] = _trunk_frame(view, chest, "collar" if "left_collar" in joints else "shoulder")
    for name in ("spine1", "spine2"):
        if name in joints:
            blend = unit_quat(aligned(view.canonical("pelvis", frames), view.canonical(chest, frames)) * (
                1.0 - float(name[-1]) / 3.0) + float(name[-1]) / 3.0 * view.canonical(chest, frames))  # fmt: skip
            frames[name] = view.follow(name, blend)
    for name in ("neck", "head", "left_collar", "right_collar"):
        if name in joints:
            follow = view.follow(name, view.canonical(chest, frames))
            # rigs whose axes run along the spine go on so into the head; then a bowed head stays a bowed head
            alike = not name.endswith("collar") and angle(compose(inverse(frames[chest]), follow)) < _ALIKE_RAD
            frames[name] = frames[chest] if alike else follow
    if "neck" in joints and "head" in joints:
        bone = rotate(inverse(frames["neck"]), view.local("neck", view.point("head") - view.point("neck")))
        frames["neck"] = compose(frames["neck"], between(canonical_bone("neck", "head"), bone))
    soles = _soles(view)
    for side in SIDES:
        _limb_frames(view, side, ("hip", "knee", "ankle"), frames)
        _limb_frames(view, side, ("shoulder", "elbow", "wrist"), frames)
        _foot_frames(view, side, soles, frames)
        _hand_frames(view, side, frames)
    return frames


class _View:
    """World points and global rotations by canonical name."""

    def __init__(self, positions: FloatArray, turned: FloatArray, joints: Mapping[str, int]) -> None:
        self.positions, self.turned, self.joints = positions, turned, joints

    def point(self, name: str) -> FloatArray:
        return self.positions[:, self.joints[name]]

    def local(self, name: str, vectors: FloatArray) -> FloatArray:
        """World `vectors` [T, 3] in the axes of the joint `name`, as one median vector [3]."""
        return np.asarray(np.median(rotate(inverse(self.turned[:, self.joints[name]]), vectors), axis=0))

    def canonical(self, name: str, frames: Frames) -> FloatArray:
        """Canonical global rotations [T, 4] of the joint `name`."""
        return compose(self.turned[:, self.joints[name]], frames[name])

    def follow(self, name: str, target: FloatArray) -> FloatArray:
        """The rest frame [4] that keeps the joint `name` on the global rotations `target` [T, 4] on average."""
        relative = compose(inverse(self.turned[:, self.joints[name]]), target)
        return unit_quat(np.sum(aligned(relative, relative[len(relative) // 2]), axis=0))


def _trunk_frame(view: _View, name: str, sides: str) -> FloatArray:
    """Rest frame of pelvis or chest: left-right from the limbs that hang on it, up from the bone above."""
    left, right = view.point(f"left_{sides}"), view.point(f"right_{sides}")
    lateral = view.local(name, left - right)
    rest: FloatArray
    neck = "neck" if "neck" in view.joints else "head"
    if name == "pelvis":
        above = next((spine for spine in ("spine1", "spine2", "spine3", neck) if spine in view.joints), neck)
        upward = view.local(name, view.point(above) - 0.5 * (left + right))
        middle = 0.5 * (canonical_bone(name, "left_hip") + canonical_bone(name, "right_hip"))
        rest = canonical_bone(name, above) - middle
    else:
        upward = view.local(name, view.point(neck) - view.point(name))
        rest = canonical_bone(name, neck)
    direction = _unit(upward)
    snapped = _snap(direction, _SNAP_UP_DEG)
    if snapped is not direction:
        upward, rest = snapped, _Y
    return compose(frame_of(lateral, upward), inverse(frame_of(_X, rest)))


def _limb_frames(view: _View, side: str, parts: tuple[str, str, str], frames: Frames) -> None:
    """Rest frames of the two bones of a leg or an arm: along the bone, and about the hinge between them."""
    upper, middle, end = (f"{side}_{part}" for part in parts)
    bones = {upper: view.point(middle) - view.point(upper), middle: view.point(end) - view.point(middle)}
    flexion = np.cross(_unit(bones[upper]), _unit(bones[middle]))
    lateral = _unit(view.point("left_hip") - view.point("right_hip"))
    if parts[0] == "shoulder":
        # an arm that hangs flexes forwards about the lateral axis
        lateral = lateral * (-1.0 if side == "left" else 1.0)
    # a limb that is never bent by more than a few degrees shows no hinge: there anatomy has the say
    bent = np.clip((np.linalg.norm(flexion, axis=-1, keepdims=True) - 0.26) / 0.2, 0.0, 1.0)
    for name in (upper, middle):
        own = rotate(inverse(view.turned[:, view.joints[name]]), bent * flexion + 0.02 * lateral)
        bone = _unit(view.local(name, bones[name]))
        hinge = np.mean(own, axis=0)
        hinge = _snap(_unit(hinge - np.dot(hinge, bone) * bone), _SNAP_HINGE_DEG)
        child = middle if name == upper else end
        rest = frame_of(canonical_bone(name, child), hinge_axis(name))
        frames[name] = compose(frame_of(bone, hinge), inverse(rest))


def _foot_frames(view: _View, side: str, soles: Frames, frames: Frames) -> None:
    """Rest frames of ankle and toe: along the foot, upright by `soles` or else by the pelvis.

    Without `soles` pitch and roll are settled later, by how the foot lies when it is planted.
    """
    ankle, toe = f"{side}_ankle", f"{side}_foot"
    if toe not in view.joints:
        frames[ankle] = view.follow(ankle, view.canonical(f"{side}_knee", frames))
        return
    ahead, rest = view.local(ankle, view.point(toe) - view.point(ankle)), canonical_bone(ankle, toe)
    if side in soles:
        level = rest * np.array([1.0, 0.0, 1.0])
        frames[ankle] = compose(frame_of(soles[side], ahead), inverse(frame_of(_Y, level)))
    else:
        # from the pelvis, not from the shin: solvers that flip a knee flip the shin with it
        lateral = view.local(ankle, rotate(view.canonical("pelvis", frames), _X))
        frames[ankle] = compose(frame_of(ahead, lateral), inverse(frame_of(rest, _X)))
    frames[toe] = view.follow(toe, view.canonical(ankle, frames))


def _soles(view: _View) -> Frames:
    """Which axis of each ankle joint points up out of a flat foot (side -> [3]), where a rig's axes tell; else empty.

    In rigs made of aligned axes one of them is upright within 30 degrees most of the time that the toe is low. Both
    feet are built alike, so that the clearer foot speaks for both.
    """
    if "left_foot" not in view.joints or "right_foot" not in view.joints:
        return {}
    ahead: Frames = {}
    votes: list[tuple[float, Side, FloatArray]] = []
    for side in SIDES:
        ankle, toe = view.point(f"{side}_ankle"), view.point(f"{side}_foot")
        ahead[side] = _unit(view.local(f"{side}_ankle", toe - ankle))
        low = toe[:, 1] <= np.quantile(toe[:, 1], 0.25)
        upward = rotate(inverse(view.turned[low, view.joints[f"{side}_ankle"]]), _Y)
        for axis in np.concatenate([np.eye(3), -np.eye(3)]):
            if abs(np.dot(axis, ahead[side])) < 0.3:
                votes.append((float(np.mean(upward @ axis > np.cos(np.radians(30.0)))), side, axis))
    # feet whose frames are no mirror images of each other were not made of aligned axes
    if not votes or np.any(np.abs(np.abs(ahead["left"]) - np.abs(ahead["right"])) > 0.15):
        return {}
    share, side, axis = max(votes, key=lambda vote: vote[0])
    if share < 0.5:
        return {}
    other = SIDES[1] if side == SIDES[0] else SIDES[0]
    return {side: axis, other: axis * np.sign(np.dot(ahead["left"], ahead["right"]))}


def _hand_frames(view: _View, side: str, frames: Frames) -> None:
    """Rest frames of wrist and fingers: on average in line with the forearm, then along the bone where there is one."""
    names = [name for name in CHOREO52.names if name.startswith(f"{side}_") and name in view.joints]
    fingers = [name for name in names if name[-1] in "123"]
    for name in (f"{side}_wrist", *fingers):
        parent = CHOREO52.names[CHOREO52.parents[CHOREO52.index(name)]]
        if parent not in frames:
            parent = f"{side}_wrist"
        child = _bone_child(name)
        if name.endswith("3") and parent in frames:
            frames[name] = frames[parent]
            continue
        frame = view.follow(name, view.canonical(parent, frames))
        if child is not None and child in view.joints:
            bone = rotate(inverse(frame), view.local(name, view.point(child) - view.point(name)))
            frame = compose(frame, between(canonical_bone(name, child), bone))
        frames[name] = frame


def _snap(direction: FloatArray, within_deg: float) -> FloatArray:
    """The nearest coordinate axis where unit `direction` [3] is within `within_deg` of it, else `direction`."""
    axis = int(np.argmax(np.abs(direction)))
    if abs(direction[axis]) < np.cos(np.radians(within_deg)):
        return direction
    out = np.zeros(3)
    out[axis] = np.sign(direction[axis])
    return out


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
