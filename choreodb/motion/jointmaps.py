"""Which joint of a file is which joint of ours, told by its name.

Understands the names of Mixamo and MotionBuilder, CMU, Character Creator, SMPL and SMPL-H, Unreal, Rokoko, Xsens, Motive,
Noitom, DeepMotion, Perfume, Kinect, VRM, Biped, Rigify, MakeHuman, Daz and Poser, Cascadeur, Bandai-Namco and MMD (in
Japanese), also where a prefix or a number has been added to all of them.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from choreodb.errors import MotionFormatError
from choreodb.motion.files import StrPath, regular_file
from choreodb.motion.point_layouts import listed, nameless, of_names
from choreodb.motion.skeleton import CHOREO52, Skeleton

# Prefixes that rigs put before every name, after lower-casing.
_PREFIXES = re.compile(
    r"^(?:.*[:|])?(?:mixamorig\d*|character\d*_|cc_base_|bip0*1?[ _]|j_(?:bip|sec)_|valvebiped_bip01_|m_avg_|f_avg_|def-|org-)"
)
_NAMESPACE = re.compile(r"^.*[:|]")
_SIDES = {"left": "left", "l": "left", "lt": "left", "lf": "left", "right": "right", "r": "right", "rt": "right"}

# Japanese parts (MMD) by their English word; sides are 左 and 右.
_JAPANESE = {
    "センター": "center", "下半身": "pelvis", "上半身2": "chest", "上半身": "spine", "首": "neck", "頭": "head",
    "足首": "ankle", "つま先": "toe", "ひざ": "knee", "足": "upleg", "手首": "wrist", "ひじ": "elbow", "肩": "collar",
    "腕": "upperarm",
}  # fmt: skip
_JAPANESE_FINGERS = {
    "親指": "thumb",
    "人指": "index",
    "人差指": "index",
    "中指": "middle",
    "薬指": "ring",
    "小指": "pinky",
}

# Words for the sided joints, strongest first. A name serves one joint only, so `shoulder` is the upper arm where
# nothing else is, and the collar where an `arm` has been found.
_LIMBS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("hip", ("upleg", "upperleg", "thigh", "femur", "upperthigh", "thighbend", "upperleg01", "hip")),
    ("knee", ("knee", "lowerleg", "lowleg", "calf", "shin", "tibia", "lowerleg01", "leg")),
    ("ankle", ("ankle", "foot")),
    ("foot", ("toebase", "toe", "toes", "ball", "toe0", "toe11", "foot", "footmiddle")),
    ("shoulder", ("upperarm", "uparm", "uarm", "arm", "humerus", "shldr", "shldrbend", "upperarm01", "shoulder")),
    ("elbow", ("elbow", "lowerarm", "lowarm", "forearm", "farm", "radius", "forearmbend", "lowerarm01")),
    ("wrist", ("wrist", "hand")),
    ("collar", ("collar", "clavicle", "clavicula", "clav", "shoulder", "innershoulder", "thorax")),
)
_PELVIS = ("pelvis", "hips", "hip", "spinebase", "midhip", "center", "root")
_SPINES = re.compile(
    r"^(?:waist|ab|stomach|abdomen|abdomen(?:lower|upper)|chest(?:lower|upper)|[lt]\d+|lowerback|spine[0-9a-c]*|spinelower|spineupper|spinemid|spineshoulder|chest\d*|upperchest|torso|"
    r"thorax|back\d*)$"
)
_NECK = ("neck", "neck1", "neck01", "necktwist01", "necklower", "neck0")
_HEAD = ("head", "headtop")
_FINGER = re.compile(
    r"^(?:hand|inhand|f)?(thumb|index|middle|mid|ring|pinky|little)(?:finger)?"
    r"(?:0?([0-4])|(proximal|intermediate|medial|distal|metacarpal))$"
)
_PHALANX = {"proximal": 1, "intermediate": 2, "medial": 2, "distal": 3, "metacarpal": 0}
# Fingers by number: MakeHuman's (finger2-1) and Rokoko's (Finger2Proximal) from 1, Biped's (Finger11) from 0.
_NUMBERED = re.compile(r"finger([1-5])(?:-([1-3])|(metacarpal|proximal|medial|distal))", re.IGNORECASE)
_BIPED_FINGER = re.compile(r"^(bip0*\d*[ _].*)finger([0-4])([12])?$", re.IGNORECASE)
_FIVE = ("thumb", "index", "middle", "ring", "pinky")
# Xsens names spinal joints by their vertebrae.
_VERTEBRA = re.compile(r"[LT]\d{1,2}")
# What some programs put before or behind every name.
_COMMON = re.compile(r"^[^\W_]+[_ ](?=.)")
_COUNTED = re.compile(r"_(\d{2,4})$")
_NEARLY_ALL = 0.9
_FINGER_NAMES = {"mid": "middle", "little": "pinky"}

REQUIRED = ("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_shoulder",
            "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist")  # fmt: skip
"""Joints without which there is no retargeting; a neck or a head is needed too."""


def map_names(names: Sequence[str]) -> dict[str, str]:
    """Canonical joint name -> the name in the file, for every joint of `choreo52` that `names` holds.

    names: joint names in file order (parents first). Unknown and surplus joints are left out; nothing is required, see
    `require`.
    """
    parts = _parts(names)
    found: dict[str, str] = {}
    for side in ("left", "right"):
        _map_limbs(side, parts, found)
        _map_fingers(side, parts, found)
    middle = {name: word for name, (side, word) in parts.items() if not side}
    for joint, words in (("pelvis", _PELVIS), ("neck", _NECK), ("head", _HEAD)):
        name = _first(middle, words)
        if name is not None:
            found[joint] = name
    chain = [name for name, word in middle.items() if _SPINES.match(word) and name not in found.values()]
    if len(chain) == 7 and not {"pelvis", "neck", "head"} & found.keys():
        # Rigify calls everything from the hips to the head a spine
        found |= {"pelvis": chain[0], "neck": chain[4], "head": chain[6]}
        chain = chain[1:4]
    _map_spine(chain, found)
    return {joint: found[joint] for joint in CHOREO52.names if joint in found}


def map_points(names: Sequence[str]) -> dict[str, str]:
    """Surplus measured points that help a fit: `left_heel`, `left_hand` and the same on the right, where present."""
    parts = _parts(names)
    used = set(map_names(names).values())
    out: dict[str, str] = {}
    for side in ("left", "right"):
        for point, words in (("heel", ("heel", "calcaneus")), ("hand", ("hand", "handtip", "fingertip"))):
            sided = {name: word for name, (own, word) in parts.items() if own == side and name not in used}
            name = _first(sided, words)
            if name is not None:
                out[f"{side}_{point}"] = name
    return out


def require(found: Mapping[str, str], names: Sequence[str]) -> None:
    """MotionFormatError where `found` lacks joints that retargeting cannot do without."""
    missing = [joint for joint in REQUIRED if joint not in found]
    if "neck" not in found and "head" not in found:
        missing.append("neck or head")
    if missing and of_names(names):
        known = listed(len(names))
        layouts = f"say --layout with {known}, or " if known else ""
        raise MotionFormatError(
            f"the {len(names)} joints have no names, and no order that is known makes a body of them; {layouts}map them by their "
            "places in a --skeleton map: left_hip = 1"
        )
    if missing:
        raise MotionFormatError(
            f"no joint found for {', '.join(missing)} among the names {_listed(names)}; "
            "name them with a joint map, e.g. {'left_hip': 'LeftUpLeg'}"
        )


def joints_of(skeleton: Skeleton, joint_map: Mapping[str, str] | None = None) -> dict[str, str]:
    """Canonical -> file names of a skeleton that can be retargeted; MotionFormatError where joints are missing.

    joint_map: the user's overrides. A pelvis that the names do not tell is the joint that both thighs hang from.
    """
    found = combine(skeleton.names, joint_map)
    require(found, skeleton.names)
    if "pelvis" in found:
        return found
    left, right = (_ancestors(skeleton, found[f"{side}_hip"]) for side in ("left", "right"))
    shared = [joint for joint in left if joint in right]
    if not shared:
        raise MotionFormatError(
            f"no joint found for pelvis among the names {_listed(skeleton.names)}; "
            "name it with a joint map, e.g. {'pelvis': 'Hips'}"
        )
    return {"pelvis": skeleton.names[shared[0]], **found}


def _ancestors(skeleton: Skeleton, name: str) -> list[int]:
    """Indices of the parent, grandparent, ... of a joint."""
    joint, out = skeleton.index(name), []
    while skeleton.parents[joint] >= 0:
        joint = int(skeleton.parents[joint])
        out.append(joint)
    return out


def _listed(names: Sequence[str]) -> str:
    return ", ".join(list(names)[:30]) + (", ..." if len(names) > 30 else "")


@dataclass(frozen=True, slots=True)
class Tables:
    """What a skeleton's TOML says, unchecked: the map of joints, and a performer's offsets (see `motion.offsets`)."""

    joints: Mapping[str, Any]
    offsets: Mapping[str, Any]


def read_joint_map(path: StrPath) -> dict[str, str]:
    """Canonical joint name -> the file's, from a TOML file (`left_hip = "LThigh"`), at its top or under `[joints]`.

    A number is the place of a joint in a file that names none, from 0.
    """
    table = read_tables(path).joints
    names = {
        joint: name if isinstance(name, str) else nameless(name)
        for joint, name in table.items()
        if isinstance(name, str) or (isinstance(name, int) and not isinstance(name, bool))
    }
    if len(names) != len(table):
        raise MotionFormatError(f'{path}: is no joint map; expected lines such as left_hip = "LThigh"')
    return names


def read_marker_map(path: StrPath) -> dict[str, str | list[str]]:
    """Canonical joint name -> a marker, or several whose middle it is, from a TOML file as for `read_joint_map`."""
    tables = read_tables(path)
    table = dict(tables.joints)
    good = all(
        isinstance(each, str) or (isinstance(each, list) and all(isinstance(name, str) for name in each))
        for each in table.values()
    )
    if not good or not (table or tables.offsets):
        raise MotionFormatError(f'{path}: is no marker map; expected lines such as left_knee = ["LKNE", "LKNM"]')
    return table


def check(path: StrPath) -> None:
    """MotionFormatError where the TOML file `path` is neither a map of joints nor one of markers."""
    try:
        read_joint_map(path)
    except MotionFormatError:
        read_marker_map(path)


def read_tables(path: StrPath) -> Tables:
    """The tables of the TOML file `path`: `[offsets]`, and `[joints]` or whatever else is at its top."""
    try:
        document = tomllib.loads(regular_file(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MotionFormatError(f"{path}: is not TOML ({' '.join(str(error).split())[:80]})") from None
    offsets = document.pop("offsets", {})
    joints = document.get("joints", document)
    if not isinstance(joints, dict) or not isinstance(offsets, dict):
        raise MotionFormatError(f'{path}: is no joint map; expected lines such as left_hip = "LThigh"')
    return Tables(joints, offsets)


def combine(names: Sequence[str], joint_map: Mapping[str, str] | None) -> dict[str, str]:
    """`map_names(names)` overridden by the user's `joint_map` (canonical -> file)."""
    found = map_names(names)
    for joint, name in (joint_map or {}).items():
        if joint not in CHOREO52.names:
            raise MotionFormatError(f"joint map names {joint!r}; expected one of {', '.join(CHOREO52.names[:22])}, ...")
        if name not in names:
            raise MotionFormatError(
                f"joint map gives {name!r} for {joint!r}; the file has {', '.join(names[:12])}, ..."
            )
        found = {known: file for known, file in found.items() if file != name}
        found[joint] = name
    return {joint: found[joint] for joint in CHOREO52.names if joint in found}


def _map_limbs(side: str, parts: Mapping[str, tuple[str, str]], found: dict[str, str]) -> None:
    sided = {name: word for name, (own, word) in parts.items() if own == side}
    has_leg_pair = sum(word in ("leg", "lowerleg", "calf", "shin", "knee") for word in sided.values()) > 0
    for joint, words in _LIMBS:
        if joint == "hip" and not has_leg_pair:
            words = (*words, "leg")
        name = _first(sided, words)
        if name is not None:
            found[f"{side}_{joint}"] = name
            del sided[name]


def _map_fingers(side: str, parts: Mapping[str, tuple[str, str]], found: dict[str, str]) -> None:
    chains: dict[str, dict[int, str]] = {}
    for name, (own, word) in parts.items():
        match = _FINGER.match(word)
        if own == side and match:
            finger = _FINGER_NAMES.get(match[1], match[1])
            chains.setdefault(finger, {})[int(match[2]) if match[2] else _PHALANX[match[3]]] = name
    for finger, chain in chains.items():
        # fingers may count a metacarpal or start at 0: the last three of 0..3 are the phalanges we want
        numbers = sorted(number for number in chain if number <= 3)[-3:]
        first = numbers[0] if len(numbers) == 3 or numbers[:1] == [0] else 1
        for rank, number in enumerate(numbers):
            # VRM's thumb has a metacarpal, a proximal and a distal bone: three, whatever their numbers
            place = rank + 1 if len(numbers) == 3 else number - first + 1
            found.setdefault(f"{side}_{finger}{place}", chain[number])


def _map_spine(chain: Sequence[str], found: dict[str, str]) -> None:
    """Spread 1 to 5 spine joints, bottom first, over spine1, spine2, spine3."""
    targets = {0: (), 1: ("spine3",), 2: ("spine1", "spine3")}.get(len(chain), ("spine1", "spine2", "spine3"))
    for target, name in zip(targets, _pick(chain, len(targets)), strict=True):
        found[target] = name


def _pick(chain: Sequence[str], count: int) -> list[str]:
    if count < 2:
        return list(chain[:count])
    return [chain[round(step * (len(chain) - 1) / (count - 1))] for step in range(count)]


def _first(words_by_name: Mapping[str, str], words: Iterable[str]) -> str | None:
    """The first file name whose word comes earliest in `words`."""
    for word in words:
        for name, own in words_by_name.items():
            if own == word:
                return name
    return None


def _parts(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(side or '', the rest as one lower-case word) of every name, without what nearly all of them begin or end with."""
    plain = list(names)
    counted = [_COUNTED.search(name) for name in plain]
    numbers = {match[1] for match in counted if match}
    if len(names) > 2 and len(numbers) > _NEARLY_ALL * len(names):
        # exporters for the web number the nodes: mixamorig:Hips_01
        plain = [_COUNTED.sub("", name) for name in plain]
    known = any(_PREFIXES.match(name.lower()) for name in plain)
    common = Counter(match[0] for name in plain if (match := _COMMON.match(name)))
    for prefix, count in common.most_common(0 if known else 1):
        if count > max(2, _NEARLY_ALL * len(names)):
            plain = [name.removeprefix(prefix) for name in plain]
    return {name: _split(short) for name, short in zip(names, plain, strict=True)}


def _split(name: str) -> tuple[str, str]:
    """(side or '', the rest as one lower-case word) of a joint name."""
    text = unicodedata.normalize("NFKC", name).strip()
    if any(ord(letter) > 0x3000 for letter in text):
        return _split_japanese(text)
    if _VERTEBRA.fullmatch(text.rsplit(":", 1)[-1]):
        return "", text.rsplit(":", 1)[-1].lower()
    tokens = _tokens(text)
    side = ""
    for position in (0, len(tokens) - 1, *range(1, max(1, len(tokens) - 1))):
        if 0 <= position < len(tokens) and len(tokens) > 1 and tokens[position] in _SIDES:
            side = _SIDES[tokens.pop(position)]
            break
    word = "".join(tokens)
    return side, word


def _tokens(text: str) -> list[str]:
    """`mixamorig:LeftUpLeg` -> [left, up, leg]; `CC_Base_L_ToeBase` -> [l, toe, base]; `LHipJoint` -> [l, hip, joint]."""
    text = _BIPED_FINGER.sub(lambda m: f"{m[1]}{_FIVE[int(m[2])]}{int(m[3] or 0) + 1}", text)
    text = _NUMBERED.sub(lambda m: f"{_FIVE[int(m[1]) - 1].title()}{m[2] or m[3].title()}", text)
    lowered = text.lower()
    match = _PREFIXES.match(lowered) or _NAMESPACE.match(lowered)
    text = text[match.end() :] if match else text
    text = re.sub(r"^(?:joint|jnt|bone|b|c)[_ ]", "", text, flags=re.IGNORECASE)
    text = re.sub(r"[_ ](?:joint|jnt|bone|bind|jt)$", "", text, flags=re.IGNORECASE)
    # glued side words in lower case, such as `lefthip` or `rfemur`, are cut by the vocabulary below
    text = re.sub(r"^([LR])(UArm|FArm)$", r"\1_\2", text)
    pieces = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", text)
    tokens = [piece.lower() for piece in pieces]
    if len(tokens) >= 1 and tokens[0] not in _SIDES:
        glued = re.match(r"^(left|right|l|r)(hip|knee|ankle|foot|toes?|shoulder|elbow|wrist|hand|collar|clavicle|upleg|"
                         r"upperleg|leg|arm|upperarm|lowerarm|forearm|humerus|radius|femur|tibia|thumb|index|middle|ring|"
                         r"pinky|thigh|shin|calf|heel|shldr)$", tokens[0])  # fmt: skip
        if glued:
            tokens[:1] = [glued[1], glued[2]]
    return tokens


def _split_japanese(text: str) -> tuple[str, str]:
    side = {"左": "left", "右": "right"}.get(text[0], "")
    rest = text[1:] if side else text
    for word, finger in _JAPANESE_FINGERS.items():
        if rest.startswith(word):
            return side, finger + rest[len(word) :]
    return side, _JAPANESE.get(rest, "")
