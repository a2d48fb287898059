"""Compact motion: rotations, positions and weights in whole steps, as second differences in time, byte plane by plane.

Motion is smooth: at 60 fps the change of a change is a few steps, so that the upper bytes are nearly all zero and a
general compressor (the Parquet file's own) does the rest. A block decodes alone, and needs nothing but its shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import StoreError
from choreodb.motion.rotations import quat_to_rotvec, rotvec_to_quat
from choreodb.motion.skeleton import Skeleton

Floats = npt.NDArray[np.floating[Any]]

ROTATION_STEP_RAD = 2e-4
POSITION_STEP_M = 1e-4
WEIGHT_STEP = 1.0 / 4096

ROTATION_ERROR_DEG = 0.01
"""No rotation is off by more: half a step in each of three directions, and single precision."""
POSITION_ERROR_MM = 0.1
"""No position is off by more: half a step in each of three directions, and single precision."""


def joint_error_mm(skeleton: Skeleton) -> float:
    """How far off any joint can be, at most: every rotation above it errs by its bound, all in the same direction."""
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    swept = np.zeros(len(lengths))
    for joint in range(len(lengths)):
        # each joint above turns this one at the end of a lever no longer than the bones between
        above, lever = joint, 0.0
        while skeleton.parents[above] >= 0:
            lever += lengths[above]
            above = int(skeleton.parents[above])
            swept[joint] += lever
    return POSITION_ERROR_MM + 1000.0 * float(np.radians(ROTATION_ERROR_DEG) * swept.max())


def pack_rotations(quats: Floats) -> npt.NDArray[np.uint8]:
    """Unit quaternions [T, J, 4] as planes [2, J * 3, T]; a quaternion and its negative are the same rotation."""
    rotvecs = quat_to_rotvec(quats.astype(np.float64)).reshape(len(quats), -1)
    return _planes(_steps(rotvecs, ROTATION_STEP_RAD, np.dtype(np.int16)))


def unpack_rotations(data: Any, frames: int, joints: int) -> npt.NDArray[np.float32]:
    """What `pack_rotations` was given, [frames, joints, 4] with w >= 0 but for half turns; StoreError where the size does not fit."""
    steps = _values(data, frames, 3 * joints, np.dtype(np.int16))
    rotvecs = steps.reshape(frames, joints, 3) * ROTATION_STEP_RAD
    return rotvec_to_quat(rotvecs).astype(np.float32)


def pack_values(values: Floats, step: float) -> npt.NDArray[np.uint8]:
    """Numbers [T, C] as planes [4, C, T]; StoreError where one is beyond 2^31 steps or not a number."""
    return _planes(_steps(np.asarray(values, dtype=np.float64), step, np.dtype(np.int32)))


def unpack_values(data: Any, frames: int, channels: int, step: float) -> npt.NDArray[np.float32]:
    """What `pack_values` was given, [frames, channels]; StoreError where the size does not fit."""
    return (_values(data, frames, channels, np.dtype(np.int32)) * step).astype(np.float32)


def _steps(values: npt.NDArray[Any], step: float, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    whole = np.rint(values / step)
    limit = np.iinfo(dtype).max
    # not a number compares false
    if not np.all(np.abs(whole) <= limit):
        raise StoreError(
            f"motion holds {values.flat[np.argmin(np.abs(whole) <= limit)]}; compact motion takes numbers up to {limit * step:.3g}"
        )
    return whole.astype(dtype)


def _planes(steps: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """[T, C] integers as [bytes, C, T] planes of their second differences, small ones of either sign folded together."""
    bits = 8 * steps.dtype.itemsize
    # integers wrap round here and wrap back when they are summed
    change = np.diff(steps, n=2, axis=0, prepend=np.zeros((2, steps.shape[1]), dtype=steps.dtype))
    folded = ((change << 1) ^ (change >> (bits - 1))).astype(f"<u{bits // 8}")
    flat = np.ascontiguousarray(folded.T)
    return np.ascontiguousarray(np.moveaxis(flat.view(np.uint8).reshape(*flat.shape, -1), -1, 0))


def _values(data: Any, frames: int, channels: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The inverse of `_planes`."""
    planes = np.frombuffer(data, dtype=np.uint8)
    if planes.size != frames * channels * dtype.itemsize:
        raise StoreError(f"has {planes.size} bytes, expected {frames * channels * dtype.itemsize}")
    planes = np.moveaxis(planes.reshape(dtype.itemsize, channels, frames), 0, -1)
    folded = np.ascontiguousarray(planes).view(f"<u{dtype.itemsize}")[..., 0]
    change = ((folded >> 1) ^ (0 - (folded & 1))).astype(dtype)
    return np.cumsum(np.cumsum(change, axis=1, dtype=dtype), axis=1, dtype=dtype).T
