"""MMD dances (`.vmd`): a body of our own in MMD's units and bones, its legs solved towards the IK targets of the file."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion import vmd_file
from choreodb.motion.files import StrPath
from choreodb.motion.ik import two_bone
from choreodb.motion.kinematics import forward
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import AXES, FloatArray, axis_angle_to_quat, between, compose, identity, inverse, rotate
from choreodb.motion.skeleton import ANKLE_HEIGHT_M, CHOREO52, Skeleton
from choreodb.motion.units import METRES

FPS = 30.0
UNITS_PER_METRE = 1.6 / 1.72 / METRES["mmd"]
"""Our body of 1.72 m stands 20 MMD units high, 1.60 m, as MMD's models do."""

# Arms hang this far below the horizontal in the rest pose of MMD's models.
_ARM_DROP_RAD = np.radians(38.0)
_CENTRE_HEIGHT = 8.0
_SIDES = {"左": "left", "右": "right"}
_FINGERS = {"親指": ("thumb", (0, 1, 2)), "人指": ("index", (1, 2, 3)), "中指": ("middle", (1, 2, 3)),
            "薬指": ("ring", (1, 2, 3)), "小指": ("pinky", (1, 2, 3))}  # fmt: skip
_ALIASES = {"人差指": "人指"}
# (bone, parent, canonical joint at its place, or two to stand between); 左 stands for either side.
_TRUNK = (
    ("センター", "全ての親", ()), ("グルーブ", "センター", ()), ("腰", "グルーブ", ("spine1",)),
    ("下半身", "腰", ("spine1",)), ("上半身", "腰", ("spine1",)), ("上半身2", "上半身", ("spine2",)),
    ("首", "上半身2", ("neck",)), ("頭", "首", ("head",)),
)  # fmt: skip
_LIMBS = (
    ("左肩", "上半身2", ("collar",)), ("左腕", "左肩", ("shoulder",)), ("左腕捩", "左腕", ("shoulder", "elbow")),
    ("左ひじ", "左腕捩", ("elbow",)), ("左手捩", "左ひじ", ("elbow", "wrist")), ("左手首", "左手捩", ("wrist",)),
    ("左足", "下半身", ("hip",)), ("左ひざ", "左足", ("knee",)), ("左足首", "左ひざ", ("ankle",)), ("左つま先", "左足首", ("foot",)),
)  # fmt: skip
_TRAVELLING = ("全ての親", "センター", "グルーブ", "腰")


def load(path: StrPath, *, body: Skeleton = CHOREO52) -> Motion:
    """The dance in the file `path`: MMD units, y up, right-handed, facing +z, 30 fps, on a reference skeleton.

    The file has no skeleton: bones are those of `body`, a skeleton of our joints in metres, in MMD's A-pose and names (NFKC), with fingers where the file moves them.
    Keys follow their Bezier curves. Legs reach for `足IK` with the knee in the plane that the keys of the thigh give;
    feet turn with it and point at `つま先IK`. Morphs become `face` under their own names. Raises MotionFormatError.
    """
    try:
        return _motion(vmd_file.read(path), body).validate()
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


def _motion(vmd: vmd_file.Vmd, body: Skeleton) -> Motion:
    bones = {_alias(name): keys for name, keys in vmd.bones.items()}
    fingers = any(name[1:].startswith(tuple(_FINGERS)) for name in bones)
    skeleton = reference(fingers=fingers) if body is CHOREO52 else _standing(body, fingers=fingers)
    targets = {
        name: keys for name, keys in bones.items() if "IK" in name and name[1:] in ("足IK親", "足IK", "つま先IK")
    }
    known = {name: keys for name, keys in bones.items() if name in skeleton.names}
    if not known:
        listed = ", ".join(list(bones)[:8]) or "none"
        raise MotionFormatError(
            f"moves the bones {listed}; expected a body's, such as センター: it may be a camera or a prop"
        )
    last = max(int(keys.frames[-1]) for keys in (*known.values(), *targets.values()))
    frames = np.arange(last + 1)
    rotations, translations = identity(len(frames), len(skeleton)), np.tile(skeleton.offsets, (len(frames), 1, 1))
    for name, keys in known.items():
        place, turn = vmd_file.sampled(keys, frames)
        joint = skeleton.index(name)
        rotations[:, joint] = turn
        if name in _TRAVELLING:
            translations[:, joint] += place
    notes = [
        "bone lengths: the file holds none; our reference body of 20 units stands in",
        "axes: z mirrored, MMD is left-handed",
    ]
    for side in _SIDES:
        if f"{side}足IK" in targets:
            rotations = _leg(rotations, translations, skeleton, side, targets, frames)
    solved = "legs: solved towards the file's IK targets" if targets else "legs: as keyed, the file has no IK targets"
    unknown = [name for name in bones if name not in known and name not in targets]
    notes += [solved, *([f"{len(unknown)} other bones left out: {', '.join(unknown[:8])}"] if unknown else [])]
    face = np.stack([vmd_file.weights(keys, frames) for keys in vmd.morphs.values()], axis=1) if vmd.morphs else None
    return Motion(
        rotations, translations[:, 0].copy(), skeleton, FPS, translations, face, tuple(vmd.morphs), notes=tuple(notes)
    )


@cache
def reference(*, fingers: bool) -> Skeleton:
    """Our body with MMD's bones, in MMD's units and A-pose, facing +z, on the floor."""
    return _standing(CHOREO52, fingers=fingers)


def _standing(body: Skeleton, *, fingers: bool) -> Skeleton:
    """`body`, a skeleton of our joints in metres, as `reference` has ours."""
    points = _points(body)
    places: dict[str, npt.NDArray[np.float64]] = {"全ての親": np.zeros(3)}
    parents: dict[str, str] = {}
    rows = [*_TRUNK]
    for side in _SIDES:
        rows += [(bone.replace("左", side), parent.replace("左", side), joints) for bone, parent, joints in _LIMBS]
    for bone, parent, joints in rows:
        prefix = f"{_SIDES[bone[0]]}_" if bone[0] in _SIDES else ""
        at = [points[prefix + joint] for joint in joints]
        places[bone] = np.mean(at, axis=0) if at else np.array([0.0, _CENTRE_HEIGHT, 0.0])
        parents[bone] = parent
    for side, english in _SIDES.items() if fingers else ():
        for finger, (ours, numbers) in _FINGERS.items():
            for rank, number in enumerate(numbers):
                places[f"{side}{finger}{number}"] = points[f"{english}_{ours}{rank + 1}"]
                parents[f"{side}{finger}{number}"] = f"{side}{finger}{numbers[rank - 1]}" if rank else f"{side}手首"
    names = tuple(places)
    above = np.array([names.index(parents[name]) if name in parents else -1 for name in names], dtype=np.int32)
    offsets = np.array([places[name] - (places[parents[name]] if name in parents else 0.0) for name in names])
    return Skeleton(names, above, offsets, body.source)


def _points(body: Skeleton) -> dict[str, npt.NDArray[np.float64]]:
    """Canonical joints of the standing `body` with hanging arms, in MMD units."""
    rotations = identity(len(CHOREO52))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        rotations[CHOREO52.index(f"{side}_shoulder")] = axis_angle_to_quat(AXES["Z"], np.array(sign * _ARM_DROP_RAD))
    at = forward(rotations, np.zeros(3), body)[0]
    ankles = [at[body.index(f"{side}_ankle"), 1] for side in ("left", "right")]
    at = (at + np.array([0.0, ANKLE_HEIGHT_M - min(ankles), 0.0])) * UNITS_PER_METRE
    return {name: np.asarray(point, dtype=np.float64) for name, point in zip(body.names, at, strict=True)}


def _leg(
    rotations: FloatArray,
    translations: FloatArray,
    skeleton: Skeleton,
    side: str,
    targets: dict[str, vmd_file.BoneKeys],
    frames: npt.NDArray[np.int64],
) -> FloatArray:
    """The rotations with one leg brought to its targets: thigh, shin and foot."""
    hip, knee, ankle, toe = (skeleton.index(side + part) for part in ("足", "ひざ", "足首", "つま先"))
    positions, turned = forward(rotations, translations[:, 0], skeleton, translations)
    rest = forward(identity(len(skeleton)), np.zeros(3), skeleton)[0]
    # the chain of targets hangs on 全ての親: 足IK親 on the floor, 足IK at the ankle, つま先IK at the toe
    at, turn = translations[:, 0], rotations[:, 0]
    own: FloatArray
    place: FloatArray
    below = np.array([rest[ankle][0], 0.0, rest[ankle][2]])
    stops: list[FloatArray] = []
    for name, offset in (("足IK親", below), ("足IK", rest[ankle] - below), ("つま先IK", skeleton.offsets[toe])):
        place, own = np.zeros(3), identity(len(frames))
        if side + name in targets:
            place, own = vmd_file.sampled(targets[side + name], frames)
        at = at + rotate(turn, offset + place)
        stops.append(at)
        if name != "つま先IK":
            turn = compose(turn, own)
    ankle_at, toe_at = stops[1], stops[2]
    hinge = rotate(turned[:, hip], AXES["Z"])
    # two_bone's thresholds are metres
    limb = positions / UNITS_PER_METRE
    thigh, shin = two_bone(limb[:, hip], limb[:, knee], limb[:, ankle], ankle_at / UNITS_PER_METRE, hinge=hinge)
    upper, lower = compose(thigh, turned[:, hip]), compose(shin, turned[:, knee])
    foot = compose(between(rotate(turn, skeleton.offsets[toe]), toe_at - ankle_at), turn)
    out = rotations.copy()
    out[:, hip] = compose(inverse(turned[:, skeleton.parents[hip]]), upper)
    out[:, knee] = compose(inverse(upper), lower)
    out[:, ankle] = compose(inverse(lower), foot)
    return out


def _alias(name: str) -> str:
    for theirs, ours in _ALIASES.items():
        name = name.replace(theirs, ours)
    return name
