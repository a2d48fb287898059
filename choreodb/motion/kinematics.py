"""Forward kinematics and what follows from it: global rotations, positions, speeds, headings."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, compose, quat_to_matrix, quat_to_yaw
from choreodb.motion.skeleton import Skeleton


def global_rotations(rotations: FloatArray, skeleton: Skeleton) -> FloatArray:
    """Local [..., J, 4] to global rotations [..., J, 4]; one vectorised product per joint, whatever the frame count."""
    out = np.empty_like(rotations)
    first, *others = skeleton.order
    out[..., first, :] = rotations[..., first, :]
    for joint in others:
        out[..., joint, :] = compose(out[..., skeleton.parents[joint], :], rotations[..., joint, :])
    return out


def forward(
    rotations: FloatArray, root: FloatArray, skeleton: Skeleton, translations: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Global positions [..., J, 3] and global rotations [..., J, 4] of local `rotations` [..., J, 4], `root` [..., 3].

    `translations` [..., J, 3], where given, replaces the skeleton's offsets of all joints but the root.
    """
    turned = np.empty((rotations[..., 0, 0].size, len(skeleton), 4), dtype=np.result_type(rotations, root))
    positions = _placed(rotations, root, skeleton, translations, turned)
    return positions, turned.reshape(rotations.shape)


def joint_positions(motion: Motion) -> FloatArray:
    """Global joint positions [T, J, 3] in the motion's own units, axes, order and fps; nothing is converted."""
    scratch = np.empty((1, len(motion.skeleton), 4), dtype=np.result_type(motion.rotations, motion.root))
    return _placed(motion.rotations, motion.root, motion.skeleton, motion.translations, scratch)


def _placed(
    rotations: FloatArray, root: FloatArray, skeleton: Skeleton, translations: FloatArray | None, turned: FloatArray
) -> FloatArray:
    """Positions [..., J, 3]; global rotations go into `turned` [N, J, 4], which with one frame is scratch."""
    from choreodb.motion.kinematics_kernel import place_joints

    shape, dtype = rotations.shape, turned.dtype
    offsets = skeleton.offsets if translations is None else np.broadcast_to(translations, (*shape[:-1], 3))
    positions = np.empty((*shape[:-1], 3), dtype=dtype)
    place_joints(
        _plain(rotations, dtype).reshape(-1, *shape[-2:]),
        _plain(np.broadcast_to(root, (*shape[:-2], 3)), dtype).reshape(-1, 3),
        _plain(offsets, dtype).reshape(-1, shape[-2], 3),
        *_walk(skeleton),
        positions.reshape(-1, shape[-2], 3),
        turned,
    )
    return positions


@lru_cache(maxsize=64)
def _walk(skeleton: Skeleton) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Parents [J] and the order [J] in which joints are placed: found once, because short motions are placed sooner."""
    return np.require(skeleton.parents, dtype=np.int32, requirements=("C", "W")), np.array(
        skeleton.order, dtype=np.int64
    )


def _plain(array: FloatArray, dtype: np.dtype[Any]) -> FloatArray:
    """`array` as one of the few kinds that kernels are compiled for: contiguous and writable."""
    if array.dtype == dtype and array.flags.carray:
        return array
    return np.require(array, dtype=dtype, requirements=("C", "W"))


def root_first(motion: Motion) -> Motion:
    """The same motion with its joints reordered so that parents come first; itself where they already do."""
    skeleton = motion.skeleton
    order = list(skeleton.order)
    if order == list(range(len(order))):
        return motion
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    parents = np.where(skeleton.parents[order] < 0, -1, place[skeleton.parents[order]]).astype(np.int32)
    names = tuple(skeleton.names[joint] for joint in order)
    return replace(
        motion,
        rotations=motion.rotations[:, order],
        translations=None if motion.translations is None else motion.translations[:, order],
        skeleton=Skeleton(names, parents, skeleton.offsets[order], skeleton.source),
    )


def joint_velocities(positions: FloatArray, fps: float) -> FloatArray:
    """Central differences of `positions` [T, ..., 3] in units per second; one-sided at the ends, 0 for one frame."""
    if len(positions) < 2:
        return np.zeros_like(positions)
    return np.gradient(positions, 1.0 / fps, axis=0)


def heading(rotations: FloatArray) -> FloatArray:
    """Yaw [T] in radians (unwrapped) of the canonical pelvis: 0 faces +z, growing towards +x."""
    return np.unwrap(quat_to_yaw(rotations[..., 0, :]))


def facing(rotations: FloatArray) -> FloatArray:
    """Horizontal unit vectors [T, 3] in which the canonical pelvis faces."""
    forward_axis = quat_to_matrix(rotations[..., 0, :])[..., :, 2].copy()
    forward_axis[..., 1] = 0.0
    return forward_axis / np.maximum(np.linalg.norm(forward_axis, axis=-1, keepdims=True), 1e-9)
