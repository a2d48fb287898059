"""Joint positions in JSON: nested lists, or one object of named points a frame; with a joint map if need be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion import positions
from choreodb.motion.files import StrPath
from choreodb.motion.json_text import plain_text, read_json
from choreodb.motion.motion import Motion
from choreodb.motion.npz import Array
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO52

_ARRAY_KEYS = ("joints", "positions", "keypoints3d", "keypoints", "frames")
_NAME_KEYS = ("joint_names", "names", "bone_names")
_FPS_KEYS = ("fps", "frame_rate", "framerate", "mocap_framerate")


def load(path: StrPath, *, fps: float | None = None, layout: str | None = None) -> Motion:
    """The positions in the JSON file `path` as a Motion with identity rotations and `positions_only`.

    An object with `joints` (or `positions`, `keypoints3d`, `frames`): [T][J][3] numbers, or T objects of `name:
    [x, y, z]`; and where they are there `joint_names` [J], `parents` [J] (numbers or names), `fps`, and `joint_map`, an
    object of canonical names and the file's, under which the joints are renamed. Or the list alone. `layout` names the
    joints, see `positions.load`; `fps` overrides the file's. Raises MotionFormatError.
    """
    document = read_json(path)
    try:
        return _motion(document, fps, layout).validate()
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None


def _motion(document: Any, fps: float | None, layout: str | None) -> Motion:
    fields: Mapping[str, Any] = document if isinstance(document, dict) else {"joints": document}
    key = next((key for key in _ARRAY_KEYS if key in fields), None)
    if key is None:
        raise MotionFormatError(
            f"holds the keys {', '.join(map(repr, list(fields)[:12])) or 'none'}; expected 'joints'"
        )
    names, joints = _points(fields[key], key)
    said = next((fields[key] for key in _NAME_KEYS if key in fields), None)
    if said is not None:
        names = said
    arrays: dict[str, Array] = {"joints": joints}
    if joints.ndim != 3:
        raise MotionFormatError(f"{key!r} has shape {joints.shape}; expected [T][J][3]")
    if names is not None:
        names = _names(names, joints.shape[1])
        arrays["joint_names"] = np.array(names)
    if "parents" in fields:
        arrays["parents"] = _parents(fields["parents"], names, joints.shape[1])
    rate = next((fields[key] for key in _FPS_KEYS if key in fields), None)
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, (int, float))):
        raise MotionFormatError(f"'fps' is {str(rate)[:20]!r}; expected a number")
    motion = positions.motion_of(arrays, fps=float(rate) if fps is None and rate is not None else fps, layout=layout)
    return _renamed(motion, fields["joint_map"]) if "joint_map" in fields else motion


def _points(value: Any, key: str) -> tuple[Any, FloatArray]:
    """(names or None, points [T, J, 3]) of the lists or of the named points."""
    if not isinstance(value, list) or not value:
        raise MotionFormatError(f"{key!r} is no list of frames; expected [T][J][3] numbers")
    if not isinstance(value[0], dict):
        return None, _array(value, key)
    names = list(value[0])
    if any(not isinstance(frame, dict) or frame.keys() != value[0].keys() for frame in value):
        raise MotionFormatError(f"frames of {key!r} name different points; expected the same in every frame")
    return names, _array([[frame[name] for name in names] for frame in value], key)


def _array(value: Any, key: str) -> FloatArray:
    try:
        array = np.array(value, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise MotionFormatError(f"{key!r} is not an even array of numbers; expected [T][J][3]") from None
    if array.ndim == 3 and array.shape[2] == 4:
        # a fourth number beside x, y and z is a confidence
        array = array[..., :3]
    if array.ndim == 2 and array.shape[1] % 3 == 0:
        array = array.reshape(len(array), -1, 3)
    return array


def _names(value: Any, joints: int) -> list[str]:
    good = isinstance(value, list) and len(value) == joints and all(isinstance(name, str) and name for name in value)
    if not good or any(len(name) > 200 for name in value):
        raise MotionFormatError(f"'joint_names' is no list of {joints} names; expected one for every joint")
    return [plain_text(name) for name in value]


def _parents(value: Any, names: list[str] | None, joints: int) -> Array:
    if not isinstance(value, list) or len(value) != joints:
        raise MotionFormatError(f"'parents' is no list of {joints}; expected a number or name for every joint")
    place = {name: index for index, name in enumerate(names or ())}
    out = [-1 if each in (None, "") else place.get(each, each) if isinstance(each, str) else each for each in value]
    if any(isinstance(each, bool) or not isinstance(each, int) or not -1 <= each < joints for each in out):
        raise MotionFormatError(f"'parents' holds something else than joints; expected -1 to {joints - 1}, or names")
    return np.array(out, dtype=np.int64)


def _renamed(motion: Motion, joint_map: Any) -> Motion:
    """The motion with the joints of `joint_map` (canonical -> file) under their canonical names."""
    if not isinstance(joint_map, dict) or not all(isinstance(name, str) for name in joint_map.values()):
        raise MotionFormatError("'joint_map' is no object of names; expected {'left_hip': 'LHip', ...}")
    names = list(motion.skeleton.names)
    for canonical, name in joint_map.items():
        if canonical not in CHOREO52.names:
            raise MotionFormatError(
                f"'joint_map' names {canonical[:40]!r}; expected canonical joints such as 'left_hip'"
            )
        if name not in motion.skeleton.names:
            raise MotionFormatError(f"'joint_map' gives {name[:40]!r} for {canonical!r}; the file has no such joint")
        names[motion.skeleton.index(name)] = canonical
    note = f"joint map of the file: {len(joint_map)} joints renamed"
    return replace(motion, skeleton=replace(motion.skeleton, names=tuple(names)), notes=(*motion.notes, note))
