"""Left and right exchanged: the dance as seen in a mirror, by joint names, reflecting x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.face import partner
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import Skeleton, mirror_name

_REFLECT_VECTOR = np.array([-1.0, 1.0, 1.0])
_REFLECT_QUAT = np.array([1.0, 1.0, -1.0, -1.0])
CONTACT_ORDER = (2, 3, 0, 1)
"""Columns of mirrored contacts (left heel, left toe, right heel, right toe) in the unmirrored array."""


def mirror(motion: Motion) -> Motion:
    """The motion reflected in the plane x = 0, `left_*` and `right_*` joints exchanged; its own inverse.

    The skeleton must use canonical names and have a partner for every sided joint; where its rest pose is not
    symmetric (a native skeleton), the rest pose is reflected too. MotionFormatError otherwise.
    """
    order = mirror_order(motion.skeleton)
    offsets = motion.skeleton.offsets[order] * _REFLECT_VECTOR
    skeleton = motion.skeleton
    if not np.array_equal(offsets, skeleton.offsets):
        skeleton = replace(skeleton, offsets=offsets)
    translations = motion.translations
    return replace(
        motion,
        rotations=mirror_rotations(motion.rotations, order),
        root=mirror_vectors(motion.root),
        skeleton=skeleton,
        translations=None if translations is None else mirror_vectors(translations[:, order]),
        face=None if motion.face is None else motion.face[:, _partners(motion.face_names, partner)],
    )


def mirror_order(skeleton: Skeleton) -> npt.NDArray[np.int64]:
    """For every joint the index [J] of its partner on the other side; MotionFormatError where one is missing."""
    missing = [name for name in skeleton.names if mirror_name(name) not in skeleton.names]
    if missing:
        raise MotionFormatError(
            f"joint {missing[0]!r} has no partner {mirror_name(missing[0])!r}; mirroring needs a symmetric skeleton"
        )
    order = _partners(skeleton.names)
    # joint 0 has parent -1, which would index the last joint
    if order[0] != 0 or np.any(order[skeleton.parents[1:]] != skeleton.parents[order][1:]):
        raise MotionFormatError("left and right joints hang on different parents; mirroring needs a symmetric skeleton")
    return order


def mirror_rotations(rotations: FloatArray, order: npt.NDArray[np.int64]) -> FloatArray:
    """Local rotations [..., J, 4] reflected in x and exchanged by `order` [J] (of `mirror_order`)."""
    return rotations[..., order, :] * _REFLECT_QUAT.astype(rotations.dtype)


def mirror_vectors(vectors: FloatArray) -> FloatArray:
    """Vectors or points [..., 3] reflected in x; sides are not exchanged."""
    return vectors * _REFLECT_VECTOR.astype(vectors.dtype)


def mirror_contacts(contacts: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Contacts [..., 4] (left heel, left toe, right heel, right toe) with the feet exchanged."""
    return contacts[..., CONTACT_ORDER]


def _partners(names: tuple[str, ...], other: Callable[[str], str] = mirror_name) -> npt.NDArray[np.int64]:
    place = {name: index for index, name in enumerate(names)}
    partners = [place.get(other(name), index) for index, name in enumerate(names)]
    return np.array(partners, dtype=np.int64)
