"""AMASS `.npz`: SMPL-family pose vectors, z up. Loaded literally; written from canonical motion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion import face as faces
from choreodb.motion.files import MAX_VALUE, StrPath
from choreodb.motion.motion import Motion
from choreodb.motion.npz import Array, read_arrays, scalar, write_arrays
from choreodb.motion.rotations import FloatArray, compose, quat_to_rotvec, rotate, rotvec_to_quat
from choreodb.motion.skeleton import CHOREO22, CHOREO52

WIDTHS = (66, 72, 156, 165)
"""Numbers a frame of `poses`: body; SMPL with its two hand joints; SMPL-H with fingers; SMPL-X with jaw and eyes."""

_FPS_KEYS = ("mocap_framerate", "mocap_frame_rate", "fps", "framerate", "frame_rate")
_TRANS_KEYS = ("trans", "transl", "smpl_trans")
# Poses in one array, or in parts that follow one another: (keys of a part, its numbers a frame, whether it may be missing).
_POSE_KEYS = ("poses", "fullpose")
_PARTS = (
    (("root_orient", "global_orient"), (3,), False),
    (("pose_body", "body_pose"), (63, 69), False),
    (("pose_hand",), (90,), True),
    (("left_hand_pose", "pose_lhand"), (45,), True),
    (("right_hand_pose", "pose_rhand"), (45,), True),
)
# What `save` adds to AMASS.
_OWN_KEYS = ("face", "face_names", "hands_captured")
_KEYS = (*_POSE_KEYS, *_TRANS_KEYS, *(key for keys, _, _ in _PARTS for key in keys), *_FPS_KEYS, *_OWN_KEYS)
REFERENCE_NOTE = "bone lengths: the file holds none; our reference body of 1.72 m stands in"
_HALF = float(np.sqrt(0.5))
_Z_UP = np.array([_HALF, _HALF, 0.0, 0.0])
"""Quarter turn about x: y up to z up, the front from +z to -y, as AMASS has it."""


def load(path: StrPath, *, fps: float | None = None) -> Motion:
    """The motion in an AMASS or SMPL-family file, in its own axes (AMASS: z up), on our skeleton in SMPL's joint order.

    `poses` [T, 66 | 72 | 156 | 165] or [T, J, 3] rotation vectors (22 body joints, SMPL's 24, SMPL-H's 52, SMPL-X's
    55), or in parts: `root_orient` or `global_orient`, `pose_body` or `body_pose`, `pose_hand` or `left_hand_pose` and
    `right_hand_pose`; `trans` or `transl` [T, 3] metres; `mocap_framerate` or `mocap_frame_rate`. `betas` are
    ignored: the body's shape needs SMPL's licensed model. Hand joints of SMPL and jaw and eyes of SMPL-X are dropped,
    and hands that are given as principal components. `fps` overrides the file's. Raises MotionFormatError.
    """
    arrays = read_arrays(path, _KEYS)
    try:
        return motion_of(arrays, fps=fps).validate()
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


def holds_poses(names: Iterable[str]) -> bool:
    """Whether arrays of these `names` are poses of the SMPL family."""
    found = set(names)
    return bool(found & set(_POSE_KEYS)) or all(found & set(keys) for keys, _, missing in _PARTS if not missing)


def motion_of(arrays: dict[str, Array], *, fps: float | None = None) -> Motion:
    """The motion in the `arrays` of a SMPL-family file; see `load`."""
    poses, notes = _poses(arrays)
    key = next((key for key in _TRANS_KEYS if key in arrays), "trans")
    motion = from_rotvecs(poses, numbers(arrays, key), scalar(arrays, _FPS_KEYS, "file") if fps is None else fps)
    if "face" in arrays and "face_names" in arrays:
        weights, channels = faces.channels(arrays)
        motion = replace(motion, face=weights, face_names=channels)
    if "hands_captured" in arrays and not np.any(arrays["hands_captured"]):
        notes.append("hands: the file says that they were not captured, left out")
        motion = replace(motion, rotations=motion.rotations[:, : len(CHOREO22)], skeleton=CHOREO22)
    return replace(motion, notes=(*motion.notes, *notes))


def from_rotvecs(poses: FloatArray, trans: FloatArray, fps: float | None) -> Motion:
    """The motion of `poses` [T, 66 | 72 | 156 | 165] or [T, J, 3] and `trans` [T, 3] metres, on our skeleton."""
    if poses.ndim == 3 and poses.shape[2] == 3:
        poses = poses.reshape(len(poses), -1)
    if poses.ndim != 2 or poses.shape[1] not in WIDTHS or len(poses) == 0:
        widths = ", ".join(str(width) for width in WIDTHS)
        raise MotionFormatError(f"'poses' has shape {poses.shape}; expected frames of {widths} numbers")
    if trans.shape != (len(poses), 3):
        raise MotionFormatError(f"'trans' has shape {trans.shape}; expected ({len(poses)}, 3)")
    if fps is None:
        raise MotionFormatError("does not state its frame rate; add the key 'mocap_framerate' or give fps")
    rotvecs = poses.reshape(len(poses), -1, 3)
    body = rotvecs[:, :22]
    if poses.shape[1] < 156:
        return Motion(rotvec_to_quat(body), trans, CHOREO22, fps, notes=(REFERENCE_NOTE,))
    # SMPL-X has jaw and two eyes between the body and the hands
    body = np.concatenate([body, rotvecs[:, -30:]], axis=1)
    return Motion(rotvec_to_quat(body), trans, CHOREO52, fps, notes=(REFERENCE_NOTE,))


def save(motion: Motion, path: StrPath, *, hands: npt.NDArray[np.bool_] | None = None) -> None:
    """Write canonical `motion` (choreo22 or choreo52, y up) as AMASS: z up, `poses` float32 [T, 156].

    `trans` float32 [T, 3] is the canonical root, the pelvis joint, turned z up; AMASS adds its body model's own
    pelvis offset (about 0.2 m down, by shape) to `trans`, so a viewer with that model shows the dancer so much lower.
    `betas` are 16 zeros, `gender` is neutral, `mocap_framerate` a float. Beyond AMASS: `hands_captured` uint8 [T] is 1
    where `hands` [T] says that the fingers were captured (default: everywhere, where the skeleton has them; fingers of
    choreo22 are flat), and a face is kept as `face` float32 [T, F] and `face_names`. The same motion gives the same bytes.
    """
    motion.validate()
    names = motion.skeleton.names
    if names not in (CHOREO22.names, CHOREO52.names):
        raise MotionFormatError(f"AMASS output needs the canonical skeleton; this one begins with {names[0]!r}")
    rotations = motion.rotations.astype(np.float64)
    rotations[:, 0] = compose(_Z_UP, rotations[:, 0])
    poses = np.zeros((len(motion), len(CHOREO52), 3))
    poses[:, : len(names)] = quat_to_rotvec(rotations)
    trans = rotate(_Z_UP, motion.root.astype(np.float64))
    arrays: dict[str, Array] = {
        "poses": poses.reshape(len(motion), -1).astype(np.float32),
        "trans": trans.astype(np.float32),
        "betas": np.zeros(16),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(motion.fps, dtype=np.float64),
    }
    if hands is None:
        hands = np.full(len(motion), len(names) == len(CHOREO52))
    if hands.shape != (len(motion),):
        raise MotionFormatError(f"hands has shape {hands.shape}; expected ({len(motion)},)")
    arrays["hands_captured"] = hands.astype(np.uint8)
    if motion.face is not None:
        arrays |= {"face": motion.face.astype(np.float32), "face_names": np.array(motion.face_names)}
    write_arrays(path, arrays)


def _poses(arrays: dict[str, Array]) -> tuple[FloatArray, list[str]]:
    """(rotation vectors [T, 66 | 72 | 156 | 165] or [T, J, 3], what was left out)."""
    for key in _POSE_KEYS:
        if key in arrays:
            return numbers(arrays, key), []
    if not holds_poses(arrays):
        return numbers(arrays, "poses"), []
    parts: list[FloatArray] = []
    notes: list[str] = []
    for keys, widths, optional in _PARTS:
        key = next((key for key in keys if key in arrays), "")
        if not key:
            continue
        part = numbers(arrays, key)
        part = part.reshape(len(part), -1) if part.ndim and part.size else np.zeros((0, 0))
        if part.ndim == 2 and part.shape[1] in widths:
            # a body of 23 joints ends with SMPL's hand joints, which are dropped
            parts.append(part[:, :63] if widths[0] == 63 else part)
        elif optional:
            notes.append(f"{key!r} left out: {part.shape[-1]} numbers a frame are no {widths[0] // 3} rotation vectors")
        else:
            raise MotionFormatError(f"{key!r} has shape {part.shape}; expected frames of {widths[0]} numbers")
    if len({len(part) for part in parts}) != 1:
        raise MotionFormatError(f"parts of the pose have {[len(part) for part in parts]} frames; expected the same")
    hands = sum(part.shape[1] for part in parts[2:])
    if hands not in (0, 90):
        notes.append("hands left out: only one of them is there")
    return np.concatenate(parts if hands == 90 else parts[:2], axis=1), notes


def numbers(arrays: dict[str, Array], name: str) -> FloatArray:
    """The array `name` as finite float64; MotionFormatError where it is missing or something else."""
    if name not in arrays:
        raise MotionFormatError(f"has no array {name!r}; an AMASS file holds 'poses', 'trans' and 'mocap_framerate'")
    array = arrays[name]
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise MotionFormatError(f"{name!r} is {array.dtype}; expected numbers")
    if not np.all(np.isfinite(array)):
        frame = int(np.argwhere(~np.isfinite(array))[0][0])
        raise MotionFormatError(f"{name!r} holds NaN or infinity, first in frame {frame}; expected finite numbers")
    if array.size and np.max(np.abs(array.astype(np.float64))) > MAX_VALUE:
        raise MotionFormatError(f"{name!r} holds numbers beyond {MAX_VALUE:g}; expected radians and metres")
    return array.astype(np.float64)
