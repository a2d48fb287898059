"""Skeletons: joint names, parents and rest offsets; the canonical `choreo52` and its body `choreo22`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """A tree of joints, in the order of the file.

    names: J unique names. parents: [J] int, -1 for the root. Most files list parents first and so begin with the
    root; position files need not (`order` walks any of them from the root).
    offsets: [J, 3] from the parent in the rest pose, in the file's units (canonical: metres).
    source: whether the offsets came from the `file` or from a `reference` skeleton of ours.
    """

    names: tuple[str, ...]
    parents: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.float64]
    source: Literal["file", "reference"] = "file"

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Skeleton({len(self)} joints from {self.names[0]!r}, source={self.source!r})"

    @property
    def root(self) -> int:
        """Index of the joint without a parent."""
        return int(np.argmin(self.parents))

    @property
    def order(self) -> tuple[int, ...]:
        """Joint indices with every parent before its children; the file's order where that already holds."""
        return tuple(topological_order(self.parents, self.names))

    def index(self, name: str) -> int:
        """Position of the joint `name`; MotionFormatError where there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            known = ", ".join(self.names[:8])
            raise MotionFormatError(f"joint {name!r} is not in the skeleton; it has {known}, ...") from None

    def children(self, joint: int) -> tuple[int, ...]:
        """Indices of the direct children of `joint`."""
        return tuple(int(child) for child in np.flatnonzero(self.parents == joint))


def validate_skeleton(skeleton: Skeleton) -> Skeleton:
    """Return `skeleton` where it is well formed; MotionFormatError otherwise."""
    count = len(skeleton.names)
    if count == 0:
        raise MotionFormatError("skeleton has no joints; at least a root is needed")
    if len(set(skeleton.names)) != count:
        twice = next(name for name in skeleton.names if skeleton.names.count(name) > 1)
        raise MotionFormatError(f"joint name {twice!r} occurs twice; names must be unique")
    if skeleton.parents.shape != (count,) or skeleton.offsets.shape != (count, 3):
        raise MotionFormatError(
            f"skeleton of {count} joints has parents {skeleton.parents.shape} and offsets {skeleton.offsets.shape}; "
            f"expected ({count},) and ({count}, 3)"
        )
    topological_order(skeleton.parents, skeleton.names)
    if not np.all(np.isfinite(skeleton.offsets)):
        raise MotionFormatError("skeleton offsets hold NaN or infinity; expected finite numbers")
    return skeleton


def topological_order(parents: npt.NDArray[np.integer], names: tuple[str, ...]) -> list[int]:
    """Joints in their own order, each moved behind its parent; MotionFormatError without exactly one root."""
    count = len(parents)
    if np.min(parents) < -1:
        raise MotionFormatError(f"'parents' names joint {int(np.min(parents))}; expected -1 for the root")
    if parents[0] < 0 and np.all(parents[1:] >= 0) and np.all(parents[1:] < np.arange(1, count)):
        return list(range(count))
    roots = np.flatnonzero(parents < 0)
    if len(roots) != 1:
        raise MotionFormatError(f"'parents' has {len(roots)} roots; expected exactly one joint with parent -1")
    if np.any(parents >= count):
        raise MotionFormatError(f"'parents' names joint {int(np.max(parents))}; expected joints below {count}")
    order: list[int] = []
    done = np.zeros(count, dtype=bool)
    while len(order) < count:
        ready = [joint for joint in range(count) if not done[joint] and (parents[joint] < 0 or done[parents[joint]])]
        if not ready:
            stuck = names[int(np.flatnonzero(~done)[0])]
            raise MotionFormatError(f"joint {stuck!r} is its own ancestor in 'parents'; expected a tree")
        done[ready] = True
        order += ready
    return order


# (name, parent, offset in metres from the parent). Rest pose: a T-pose that faces +z with the left side on +x.
# The proportions are ours: a dancer of 1.72 m after the segment ratios of Drillis and Contini (1966); they are
# not those of any licensed body model.
_BODY: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("pelvis", "", (0.0, 0.0, 0.0)),
    ("left_hip", "pelvis", (0.092, -0.062, 0.0)),
    ("right_hip", "pelvis", (-0.092, -0.062, 0.0)),
    ("spine1", "pelvis", (0.0, 0.100, -0.012)),
    ("left_knee", "left_hip", (0.0, -0.412, 0.0)),
    ("right_knee", "right_hip", (0.0, -0.412, 0.0)),
    ("spine2", "spine1", (0.0, 0.125, 0.0)),
    ("left_ankle", "left_knee", (0.0, -0.408, -0.012)),
    ("right_ankle", "right_knee", (0.0, -0.408, -0.012)),
    ("spine3", "spine2", (0.0, 0.120, 0.006)),
    ("left_foot", "left_ankle", (0.012, -0.062, 0.128)),
    ("right_foot", "right_ankle", (-0.012, -0.062, 0.128)),
    ("neck", "spine3", (0.0, 0.172, -0.010)),
    ("left_collar", "spine3", (0.058, 0.108, -0.006)),
    ("right_collar", "spine3", (-0.058, 0.108, -0.006)),
    ("head", "neck", (0.0, 0.098, 0.020)),
    ("left_shoulder", "left_collar", (0.118, 0.014, -0.008)),
    ("right_shoulder", "right_collar", (-0.118, 0.014, -0.008)),
    ("left_elbow", "left_shoulder", (0.280, 0.0, 0.0)),
    ("right_elbow", "right_shoulder", (-0.280, 0.0, 0.0)),
    ("left_wrist", "left_elbow", (0.250, 0.0, 0.0)),
    ("right_wrist", "right_elbow", (-0.250, 0.0, 0.0)),
)

# Left-hand finger chains as (name, base offset from the wrist, phalanx lengths); the right hand is mirrored.
_FINGERS: tuple[tuple[str, tuple[float, float, float], tuple[float, float]], ...] = (
    ("index", (0.092, 0.002, 0.026), (0.040, 0.024)),
    ("middle", (0.095, 0.004, 0.004), (0.044, 0.028)),
    ("pinky", (0.080, -0.004, -0.034), (0.030, 0.018)),
    ("ring", (0.090, 0.002, -0.016), (0.040, 0.026)),
    ("thumb", (0.026, -0.012, 0.028), (0.036, 0.030)),
)


def _choreo(*, hands: bool) -> Skeleton:
    rows = list(_BODY)
    if hands:
        for side, sign in (("left", 1.0), ("right", -1.0)):
            for finger, (x, y, z), lengths in _FINGERS:
                along = (0.72, -0.18, 0.67) if finger == "thumb" else (1.0, 0.0, 0.0)
                rows.append((f"{side}_{finger}1", f"{side}_wrist", (sign * x, y, z)))
                for phalanx, length in enumerate(lengths, start=2):
                    offset = (sign * along[0] * length, along[1] * length, along[2] * length)
                    rows.append((f"{side}_{finger}{phalanx}", f"{side}_{finger}{phalanx - 1}", offset))
    names = tuple(name for name, _, _ in rows)
    parents = np.array([names.index(parent) if parent else -1 for _, parent, _ in rows], dtype=np.int32)
    offsets = np.array([offset for _, _, offset in rows], dtype=np.float64)
    parents.setflags(write=False)
    offsets.setflags(write=False)
    return Skeleton(names, parents, offsets, source="reference")


CHOREO22 = _choreo(hands=False)
CHOREO52 = _choreo(hands=True)

# Height of the joints above the floor with flat feet, metres: the sole lies below the joint centres.
ANKLE_HEIGHT_M = 0.080
TOE_HEIGHT_M = ANKLE_HEIGHT_M - 0.062
HEEL_OFFSET_M = (0.0, -ANKLE_HEIGHT_M + 0.018, -0.045)
"""The heel's contact point from the ankle joint in the rest pose; it lies as high as the toe joint (`*_foot`)."""

REST_PELVIS_HEIGHT_M = 0.062 + 0.412 + 0.408 + ANKLE_HEIGHT_M
LEG_LENGTH_M = 0.412 + float(np.hypot(0.408, 0.012))


def mirror_name(name: str) -> str:
    """The name of the same joint on the other side of the body (`left_knee` -> `right_knee`)."""
    if name.startswith("left_"):
        return "right_" + name[5:]
    if name.startswith("right_"):
        return "left_" + name[6:]
    return name
