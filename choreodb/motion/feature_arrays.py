"""Arrays of motion features as dance generators and their data sets keep them: one row of numbers a frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion import smpl
from choreodb.motion.files import MAX_VALUE, StrPath
from choreodb.motion.motion import Motion
from choreodb.motion.npz import Array, read_array, read_arrays, scalar
from choreodb.motion.rotations import FloatArray, inverse, matrix_to_quat
from choreodb.motion.skeleton import CHOREO22, CHOREO52

FPS = 30.0
"""Frames per second of FineDance, of EDGE's features and of Motion-X; none of their arrays says so."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the numbers of a frame are.

    width: numbers a frame. root: column of the root's three. pose: column of the first rotation. joints: rotations,
    SMPL order (22 body; SMPL 24; SMPL-H 52; SMPL-X 55). kind: six numbers (two rows of a matrix) or rotation vectors.
    """

    width: int
    root: int
    pose: int
    joints: int
    kind: Literal["rot6d", "rotvec"]
    contacts: int = 0

    def __str__(self) -> str:
        size = 6 if self.kind == "rot6d" else 3
        parts = [(self.root, "root 3"), (self.pose, f"{self.joints} x {self.kind} ({self.joints * size})")]
        if self.contacts:
            parts.append((0, f"foot contacts {self.contacts}"))
        return " | ".join(text for _, text in sorted(parts))


LAYOUTS: Mapping[int, Layout] = {
    layout.width: layout
    for layout in (
        Layout(135, 0, 3, 22, "rot6d"),
        Layout(139, 4, 7, 22, "rot6d", contacts=4),
        Layout(147, 0, 3, 24, "rot6d"),
        Layout(151, 4, 7, 24, "rot6d", contacts=4),
        Layout(315, 0, 3, 52, "rot6d"),
        Layout(319, 4, 7, 52, "rot6d", contacts=4),
        Layout(168, 0, 3, 55, "rotvec"),
        Layout(322, 309, 0, 52, "rotvec"),
    )
}
"""The known layouts by their width.

151 is EDGE (Tseng et al., CVPR 2023; dataset/dance_dataset.py: contacts, root, 24 rotations). 315 and 319 are
FineDance (Li et al., ICCV 2023; README and data/code/pre_motion.py: [contacts,] root, 52 rotations), 139 its body,
168 its SMPL-X form. 322 is Motion-X (Lin et al., NeurIPS 2023; README: root orientation, body, hands, face, root).
Rotations of six numbers are the first two rows of the matrix, as pytorch3d's `matrix_to_rotation_6d` has them
(Zhou et al., CVPR 2019, take columns).
"""

_FPS_KEYS = ("fps", "mocap_framerate", "mocap_frame_rate", "framerate")
KEYS = ("motion", "features", "pose", "data", "smpl", "motion_fea", "arr_0")
"""Keys under which an archive or a pickle may hold the array."""


def load(path: StrPath, *, layout: int | None = None, fps: float | None = None) -> Motion:
    """The motion in a feature array [T, width] (`.npy`, or in an `.npz` or `.pkl`), on our skeleton in SMPL's order.

    layout: a width of `LAYOUTS`; the array of that width is then taken, whatever its key is. By default it is the one of
    a usual key, the layout follows from its width, and `notes` says which. fps: 30 by default.
    Foot contacts are not kept: they are found anew. Raises MotionFormatError, also for features that were normalised
    for training, which cannot be undone without the model's own statistics.
    """
    try:
        arrays = _arrays(path, layout)
        array = arrays[""] if "" in arrays else find(arrays, layout)
        if array is None:
            listed = ", ".join(f"{name} {value.shape}" for name, value in list(arrays.items())[:8])
            raise MotionFormatError(f"holds {listed or 'no arrays'}; expected {_expected(layout)}")
        return motion_of(
            array, layout=layout, fps=scalar(dict(arrays), _FPS_KEYS, path) if fps is None else fps
        ).validate()
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


def checked_layout(layout: str | int) -> int:
    """`layout` as a width of `LAYOUTS`; MotionFormatError, with all of them, where it is none."""
    if not str(layout).isdecimal() or int(layout) not in LAYOUTS:
        known = "; ".join(f"{width} ({LAYOUTS[width]})" for width in sorted(LAYOUTS))
        raise MotionFormatError(f"layout {str(layout)[:40]!r} is none that is known; expected one of {known}")
    return int(layout)


def _arrays(path: StrPath, layout: int | None) -> Mapping[str, Array]:
    """The arrays of a file that may be features; the one of a `.npy`, or of a `.pkl` that is an array, has no name."""
    suffix = Path(path).suffix.lower()
    if suffix == ".npy":
        return {"": read_array(path)}
    if suffix != ".pkl":
        return read_arrays(path, None if layout else (*KEYS, *_FPS_KEYS))
    from choreodb.motion import pickles

    content = pickles.read(path)
    return {"": content} if isinstance(content, np.ndarray) else pickles.arrays_of(content)


def find(arrays: Mapping[str, Array], layout: int | None = None) -> Array | None:
    """The feature array among `arrays`, of the width `layout` or any known: under a usual key, else the only one."""
    for key in KEYS:
        if key in arrays and _fits(arrays[key], layout):
            return arrays[key]
    fitting = [array for array in arrays.values() if _fits(array, layout)]
    return fitting[0] if len(fitting) == 1 else None


def motion_of(array: Array, *, layout: int | None = None, fps: float | None = None) -> Motion:
    """The motion in `array` [T, width] (or [1, T, width]); see `load`."""
    if array.ndim == 3 and len(array) == 1:
        array = array[0]
    if array.ndim != 2 or len(array) == 0 or array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise MotionFormatError(f"is an array of {array.dtype} {array.shape}; expected {_expected()}")
    known = LAYOUTS.get(array.shape[1] if layout is None else layout)
    if known is None or known.width != array.shape[1]:
        raise MotionFormatError(f"is an array {array.shape}; expected {_expected(layout)}")
    if not np.all(np.isfinite(array)) or np.max(np.abs(array.astype(np.float64))) > MAX_VALUE:
        raise MotionFormatError(
            f"the features hold NaN, infinity or numbers beyond {MAX_VALUE:g}; expected finite numbers"
        )
    values = array.astype(np.float64)
    root = values[:, known.root : known.root + 3]
    said = f"layout {'inferred from the width' if layout is None else 'as given'}: {known}"
    rate = f"frame rate {FPS:g}: the file does not say, data sets of this layout have it"
    notes = (said, *(() if fps is not None else (rate,)))
    width = known.joints * (6 if known.kind == "rot6d" else 3)
    pose = values[:, known.pose : known.pose + width]
    if known.kind == "rotvec":
        motion = smpl.from_rotvecs(pose, root, fps or FPS)
        return Motion(motion.rotations, root, motion.skeleton, motion.fps, notes=(*motion.notes, *notes))
    rotations = _rows_to_quat(pose.reshape(len(pose), known.joints, 6))
    skeleton = CHOREO52 if known.joints == 52 else CHOREO22
    rotations = rotations[:, : len(skeleton)]
    return Motion(rotations, root, skeleton, fps or FPS, notes=(smpl.REFERENCE_NOTE, *notes))


def _rows_to_quat(sixd: FloatArray) -> FloatArray:
    """The first two rows of rotation matrices [..., 6] to unit quaternions [..., 4]."""
    lengths = np.linalg.norm(sixd.reshape(*sixd.shape[:-1], 2, 3), axis=-1)
    frame, joint, _ = np.unravel_index(np.argmin(lengths), lengths.shape)
    if lengths[frame, joint].min() < 1e-3 or np.median(np.abs(lengths - 1.0)) > 0.2:
        raise MotionFormatError(
            f"rotation {joint} of frame {frame} has rows of length {lengths[frame, joint].round(3).tolist()}; expected about "
            "1: undo the normalisation that the features were trained with"
        )
    first = sixd[..., :3] / lengths[..., :1]
    second = sixd[..., 3:] - np.sum(first * sixd[..., 3:], axis=-1, keepdims=True) * first
    size = np.linalg.norm(second, axis=-1, keepdims=True)
    if size.min() < 1e-6:
        raise MotionFormatError("a rotation has two parallel rows; expected the first two rows of a matrix")
    second = second / size
    # rows of a matrix are the columns of its inverse
    return inverse(matrix_to_quat(np.stack([first, second, np.cross(first, second)], axis=-1)))


def _fits(array: Array, layout: int | None) -> bool:
    width = array.shape[-1] if array.ndim == 2 or (array.ndim == 3 and len(array) == 1) else 0
    return width in (LAYOUTS if layout is None else (layout,)) and array.dtype.kind in "iuf"


def _expected(layout: int | None = None) -> str:
    if layout is not None:
        return f"one array with frames of {layout} numbers"
    return f"frames of {', '.join(str(width) for width in sorted(LAYOUTS))} numbers"
