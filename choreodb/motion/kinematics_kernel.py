"""Forward kinematics as one compiled loop: a frame's joints stay in registers and in the first cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from choreodb.motion.rotations import FloatArray


@njit(cache=True, nogil=True)
def place_joints(
    rotations: FloatArray, root: FloatArray, offsets: FloatArray, parents: npt.NDArray[np.int32],
    order: npt.NDArray[np.int64], positions: FloatArray, turned: FloatArray,
) -> None:  # fmt: skip
    """Fill `positions` [T, J, 3] and `turned`, the global rotations [T or 1, J, 4], of local `rotations` [T, J, 4].

    offsets: [T or 1, J, 3] from the parent; the root's is not read. order: joints, each after its parent, the root first.
    Where `turned` has one frame it is scratch. All floating arrays have one dtype.
    """
    moving, kept = offsets.shape[0] > 1, turned.shape[0] > 1
    for frame in range(rotations.shape[0]):
        local, placed = rotations[frame], positions[frame]
        offset, whole = offsets[frame if moving else 0], turned[frame if kept else 0]
        for number in range(order.shape[0]):
            joint = order[number]
            w2, x2, y2, z2 = local[joint, 0], local[joint, 1], local[joint, 2], local[joint, 3]
            if number == 0:
                whole[joint, 0], whole[joint, 1], whole[joint, 2], whole[joint, 3] = w2, x2, y2, z2
                placed[joint, 0], placed[joint, 1], placed[joint, 2] = root[frame, 0], root[frame, 1], root[frame, 2]
                continue
            parent = parents[joint]
            w, x, y, z = whole[parent, 0], whole[parent, 1], whole[parent, 2], whole[parent, 3]
            whole[joint, 0] = w * w2 - x * x2 - y * y2 - z * z2
            whole[joint, 1] = w * x2 + x * w2 + y * z2 - z * y2
            whole[joint, 2] = w * y2 - x * z2 + y * w2 + z * x2
            whole[joint, 3] = w * z2 + x * y2 - y * x2 + z * w2
            a, b, c = offset[joint, 0], offset[joint, 1], offset[joint, 2]
            # v + 2 w (u x v) + 2 u x (u x v)
            d, e, f = y * c - z * b, z * a - x * c, x * b - y * a
            d, e, f = d + d, e + e, f + f
            placed[joint, 0] = placed[parent, 0] + a + w * d + (y * f - z * e)
            placed[joint, 1] = placed[parent, 1] + b + w * e + (z * d - x * f)
            placed[joint, 2] = placed[parent, 2] + c + w * f + (x * e - y * d)
