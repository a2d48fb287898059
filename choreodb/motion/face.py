"""Faces: channels named after ARKit's 52 blend shapes, and the file that holds them beside a motion file that cannot.

BVH has no place for a face, so `dance.bvh` may have a `dance.face.npz` beside it: `face` [T, F], `face_names` [F] and
`fps`. `registry.read` puts the two together; whoever lists a folder leaves the faces out with `is_sidecar`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.files import StrPath
from choreodb.motion.motion import Motion
from choreodb.motion.npz import Array, read_arrays, scalar, write_arrays
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import mirror_name

SUFFIX = ".face.npz"

_PAIRS = (
    "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide", "mouthSmile", "mouthFrown",
    "mouthDimple", "mouthStretch", "mouthPress", "mouthLowerDown", "mouthUpperUp", "browDown", "browOuterUp", "cheekSquint",
    "noseSneer", "jaw", "mouth",
)  # fmt: skip
_SINGLE = (
    "jawForward", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper", "browInnerUp", "cheekPuff", "tongueOut",
)  # fmt: skip
ARKIT52: tuple[str, ...] = (*(f"{name}{side}" for name in _PAIRS for side in ("Left", "Right")), *_SINGLE)
"""Names of the 52 blend shapes of Apple's ARKit (`ARFaceAnchor.BlendShapeLocation`), 0 neutral .. 1 full."""

MAX_CHANNELS = 1024
_SUFFIXES = (("Left", "Right"), ("_L", "_R"), ("左", "右"))
_SLACK_FRAMES = 1


def partner(name: str) -> str:
    """The channel of the other side of the face (`eyeBlinkLeft` -> `eyeBlinkRight`, `left_brow` -> `right_brow`); itself in the middle."""
    for here, there in (pair[::step] for pair in _SUFFIXES for step in (1, -1)):
        if name.endswith(here):
            return name.removesuffix(here) + there
    for here, there in (("左", "右"), ("右", "左")):
        if name.startswith(here):
            return there + name.removeprefix(here)
    return mirror_name(name)


def mirror_order(names: Sequence[str]) -> npt.NDArray[np.int64]:
    """For every channel the index [F] of its partner on the other side, itself where there is none."""
    place = {name: index for index, name in enumerate(names)}
    return np.array([place.get(partner(name), index) for index, name in enumerate(names)], dtype=np.int64)


def sidecar(path: StrPath) -> Path:
    """The face file that belongs to the motion file `path`: `dance.face.npz` for `dance.bvh`."""
    return Path(path).with_suffix(SUFFIX)


def is_sidecar(path: StrPath) -> bool:
    """Whether `path` names a face file, which is no motion of its own."""
    return Path(path).name.lower().endswith(SUFFIX)


def save(motion: Motion, path: StrPath) -> None:
    """Write the face of `motion` to `path`: `face` float16 [T, F], `face_names` [F], `fps`; the same face, the same bytes.

    Raises MotionFormatError where the motion has none.
    """
    if motion.face is None:
        raise MotionFormatError(f"{path}: the motion has no face; expected face [T, F] with channel names")
    write_arrays(
        path,
        {
            "face": motion.validate().face.astype(np.float16),  # type: ignore[union-attr]
            "face_names": np.array(motion.face_names),
            "fps": np.array(motion.fps, dtype=np.float64),
        },
    )


def load(path: StrPath) -> tuple[FloatArray, tuple[str, ...], float]:
    """(face float64 [T, F], its F channel names, frames per second) of the face file `path`; raises MotionFormatError."""
    arrays = read_arrays(path, ("face", "face_names", "fps"))
    if len(arrays) < 3:
        raise MotionFormatError(
            f"{path}: holds {', '.join(arrays) or 'nothing'}; expected 'face', 'face_names' and 'fps'"
        )
    fps = scalar(arrays, ("fps",), path)
    try:
        weights, names = channels(arrays)
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None
    if fps is None or fps <= 0.0:
        raise MotionFormatError(f"{path}: 'fps' is {fps}; expected frames per second")
    return weights, names, fps


def channels(arrays: Mapping[str, Array]) -> tuple[FloatArray, tuple[str, ...]]:
    """(face float64 [T, F], its F channel names) in the `arrays` `face` and `face_names`; raises MotionFormatError."""
    face, names = arrays["face"], arrays["face_names"]
    if face.ndim != 2 or face.dtype.kind != "f" or not 1 <= face.shape[1] <= MAX_CHANNELS or len(face) == 0:
        raise MotionFormatError(f"'face' is {face.dtype} {face.shape}; expected decimal numbers [T, F]")
    if names.shape != (face.shape[1],) or names.dtype.kind != "U" or len(set(names.tolist())) != len(names):
        raise MotionFormatError(f"'face_names' has shape {names.shape}; expected {face.shape[1]} different names")
    if not np.all(np.isfinite(face)):
        raise MotionFormatError("'face' holds numbers that are not finite; expected finite weights")
    return face.astype(np.float64), tuple(names.tolist())


def attached(motion: Motion, path: StrPath) -> Motion:
    """`motion`, read from `path`, with the face from the file beside it; unchanged where there is none or it has a face.

    Raises MotionFormatError where the face is of another length: face and motion would drift apart.
    """
    beside = sidecar(path)
    if motion.face is not None or not beside.is_file():
        return motion
    face, names, fps = load(beside)
    if len(face) == len(motion):
        return replace(motion, face=face, face_names=names)
    if abs(len(face) / fps - motion.duration_s) > (_SLACK_FRAMES + 0.5) / min(fps, motion.fps):
        raise MotionFormatError(
            f"{beside}: lasts {len(face) / fps:.2f} s and the motion {motion.duration_s:.2f} s; expected the same, "
            "remove it or write it anew"
        )
    places = np.arange(len(motion)) / motion.fps * fps
    frames = np.arange(len(face), dtype=np.float64)
    even = np.stack([np.interp(places, frames, column) for column in face.T], axis=1)
    return replace(motion, face=even, face_names=names)
