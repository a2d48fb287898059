"""Joint positions without rotations: `.npz` with `joints [T, J, 3]`, or a bare `.npy` array."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.files import MAX_VALUE, StrPath
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.motion import Motion
from choreodb.motion.npz import Array, read_array, read_arrays, scalar, write_arrays
from choreodb.motion.point_layouts import named, nameless
from choreodb.motion.rotations import FloatArray, identity
from choreodb.motion.skeleton import Skeleton, topological_order

MAX_JOINTS = 4096
_FPS_KEYS = ("fps", "mocap_framerate", "mocap_frame_rate", "framerate")
_NAME_KEYS = ("joint_names", "names")
_ROOTS = ("pelvis", "hips", "hip", "root", "midhip", "mid_hip")


def load(path: StrPath, *, fps: float | None = None, layout: str | None = None) -> Motion:
    """The positions in `path` as a Motion with identity rotations and `positions_only`.

    `.npz`: `joints` [T, J, 3], and where they are there `joint_names` [J], `parents` [J], `fps`; `.npy`: the array.
    `translations[t, j]` is the joint's position less its parent's, so that `kinematics.joint_positions` gives the
    file's positions; the root's is its position. Joints keep the file's order. Without `parents` all joints hang on the pelvis (by name, else the first joint). Joints without names get those of `layout`, or of the only one that makes a body of them
    (see `point_layouts`). `fps` overrides the file's.
    Raises MotionFormatError.
    """
    if str(path).lower().endswith(".npy"):
        arrays = {"joints": read_array(path)}
    else:
        arrays = read_arrays(path, ("joints", "parents", *_FPS_KEYS, *_NAME_KEYS))
    try:
        return motion_of(arrays, fps=scalar(arrays, _FPS_KEYS, path) if fps is None else fps, layout=layout).validate()
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


def save(motion: Motion, path: StrPath) -> None:
    """Write the joint positions of `motion` as `.npz`: `joints` float32 [T, J, 3], `joint_names`, `parents`, `fps`.

    The same motion gives the same bytes.
    """
    motion.validate()
    arrays: dict[str, Array] = {
        "joints": joint_positions(motion).astype(np.float32),
        "joint_names": np.array(motion.skeleton.names),
        "parents": motion.skeleton.parents.astype(np.int64),
        "fps": np.array(motion.fps, dtype=np.float64),
    }
    write_arrays(path, arrays)


def from_positions(joints: FloatArray, names: tuple[str, ...], parents: npt.NDArray[np.integer], fps: float) -> Motion:
    """A positions-only Motion of `joints` [T, J, 3] in their own order; `parents` [J], the root's is -1."""
    topological_order(parents, names)
    joints = np.asarray(joints, dtype=np.float64)
    root = int(np.argmin(parents))
    translations = joints - joints[:, parents]
    translations[:, root] = joints[:, root]
    offsets: npt.NDArray[np.float64] = np.median(translations, axis=0).astype(np.float64)
    offsets[root] = 0.0
    skeleton = Skeleton(names, np.asarray(parents, dtype=np.int32), offsets)
    return Motion(identity(*joints.shape[:2]), joints[:, root].copy(), skeleton, fps, translations, positions_only=True)


def motion_of(arrays: dict[str, Array], *, fps: float | None, layout: str | None = None) -> Motion:
    """The motion of `joints` [T, J, 3] and, where they are there, `joint_names` and `parents`; see `load`."""
    if "joints" not in arrays:
        raise MotionFormatError("has no array 'joints'; expected positions [T, J, 3]")
    joints = arrays["joints"]
    if joints.ndim != 3 or joints.shape[2] != 3 or joints.dtype.kind not in "iuf" or joints.dtype.itemsize > 8:
        raise MotionFormatError(f"'joints' is {joints.dtype} {joints.shape}; expected numbers of shape (T, J, 3)")
    if not 1 <= joints.shape[1] <= MAX_JOINTS or joints.shape[0] == 0:
        raise MotionFormatError(f"'joints' has shape {joints.shape}; expected frames, and 1 to {MAX_JOINTS} joints")
    names = _names(arrays, joints.shape[1])
    if not np.all(np.isfinite(joints)):
        frame, joint, _ = (int(index) for index in np.argwhere(~np.isfinite(joints))[0])
        raise MotionFormatError(f"joint {names[joint]!r} is NaN or infinite in frame {frame}; fill or cut such frames")
    if max(abs(float(joints.min())), abs(float(joints.max()))) > MAX_VALUE:
        raise MotionFormatError(f"'joints' holds numbers beyond {MAX_VALUE:g}; expected lengths")
    if fps is None:
        raise MotionFormatError("does not state its frame rate; add the key 'fps' or give fps")
    found = None if any(key in arrays for key in (*_NAME_KEYS, "parents")) and layout is None else named(joints, layout)
    if found is None:
        return from_positions(joints, names, _parents(arrays, names), fps)
    joints, names, note = found
    return replace(from_positions(joints, names, _parents({}, names), fps), notes=(note,))


def _names(arrays: dict[str, Array], joints: int) -> tuple[str, ...]:
    for key in _NAME_KEYS:
        if key not in arrays:
            continue
        array = arrays[key]
        if array.shape != (joints,) or array.dtype.kind not in "SU":
            raise MotionFormatError(f"{key!r} is {array.dtype} {array.shape}; expected {joints} names")
        return tuple(n.decode("utf-8", "replace") if isinstance(n, bytes) else str(n) for n in array.tolist())
    return tuple(nameless(joint) for joint in range(joints))


def _parents(arrays: dict[str, Array], names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    if "parents" not in arrays:
        lowered = [name.lower() for name in names]
        root = next((lowered.index(name) for name in _ROOTS if name in lowered), 0)
        parents = np.full(len(names), root, dtype=np.int64)
        parents[root] = -1
        return parents
    array = arrays["parents"]
    if array.shape != (len(names),) or array.dtype.kind not in "iu":
        raise MotionFormatError(f"'parents' is {array.dtype} {array.shape}; expected {len(names)} whole numbers")
    parents = array.astype(np.int64)
    parents[parents == np.arange(len(parents))] = -1
    return parents
