"""Twins: the same captured phrase in two places. Dances are often assembled from reused parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.indexer.segments import Cut
from choreodb.motion.rotations import FloatArray, rotate, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_NAMES = ("pelvis", "spine3", "head", "left_knee", "right_knee", "left_ankle", "right_ankle")
_ARMS = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")
_JOINTS = tuple(CHOREO22.index(name) for name in _NAMES + _ARMS)


_BLOCK = 20_000
_SAMPLE = 20_000
_PAIRS = 1 << 22


@dataclass(frozen=True, slots=True)
class TwinConfig:
    """rms_m: joint distance below which two bars are twins. samples: poses compared in a bar, whatever its tempo.
    max_shift_s, shift_step_s: bar lines of two copies may be that far off each other. max_stretch: tempo ratio.
    projections: dimensions of the quick test that comes first; it never loses a pair, and a tree of few is a fast one."""

    rms_m: float = 0.03
    samples: int = 12
    max_shift_s: float = 0.4
    shift_step_s: float = 0.05
    max_stretch: float = 1.25
    projections: int = 8


def measure(
    positions: FloatArray, yaw: FloatArray, fps: float, cuts: Sequence[Cut], config: TwinConfig | None = None
) -> npt.NDArray[np.float16]:
    """Poses of each cut [N, O, D] in metres in the heading frame of its start, shifted in time by each of O offsets.

    positions: [T, J, 3], yaw: [T] of the pelvis. The middle offset is 0. Half precision keeps 1 mm, a thirtieth of
    what makes a twin.
    """
    config = config or TwinConfig()
    steps = round(config.max_shift_s / config.shift_step_s)
    shifts = np.arange(-steps, steps + 1) * config.shift_step_s
    start_s, end_s = np.array([(cut.start_s, cut.end_s) for cut in cuts]).T
    share = np.linspace(0.0, 1.0, config.samples)
    times = (start_s[:, None] + (end_s - start_s)[:, None] * share)[:, None] + shifts[:, None]
    frames = np.clip(np.rint(times * fps).astype(np.int64), 0, len(positions) - 1)
    joints = positions[:, _JOINTS].astype(np.float64)
    away = yaw_to_quat(-np.asarray(yaw, dtype=np.float64)[frames[..., 0]])[:, :, None, None]
    ground = positions[frames[..., 0], 0] * np.array([1.0, 0.0, 1.0])
    local = rotate(away, joints[frames] - ground[:, :, None, None])
    return local.reshape(len(cuts), len(shifts), -1).astype(np.float16)


def groups(
    poses: npt.NDArray[np.float16],
    seconds: npt.NDArray[np.float64],
    origin: npt.NDArray[np.int64],
    start_s: npt.NDArray[np.float64],
    config: TwinConfig | None = None,
) -> npt.NDArray[np.int64]:
    """Twin group [N] of each segment, -1 without a twin; groups are counted in order of their first segment.

    poses: of `measure` [N, O, D]. seconds: length of each. origin: code of the source file, start_s: seconds in it;
    stretches of one source that overlap are not twins. Twins of twins are in one group.
    """
    first, second = _pairs(poses, seconds, origin, start_s, config or TwinConfig())
    return linked_groups(first, second, len(poses))


def linked_groups(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Group [count] of what pairs (first[i], second[i]) link, directly or by way of others; -1 for what is alone.

    Groups are numbered in the order of their lowest members.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(count, count))
    labels = connected_components(links, directed=False)[1]
    linked = np.flatnonzero(np.bincount(labels, minlength=count)[labels] > 1)
    out = np.full(count, -1, dtype=np.int64)
    _, place, inverse = np.unique(labels[linked], return_index=True, return_inverse=True)
    out[linked] = np.argsort(np.argsort(place))[inverse]
    return out


def _pairs(
    poses: npt.NDArray[np.float16],
    seconds: npt.NDArray[np.float64],
    origin: npt.NDArray[np.int64],
    start_s: npt.NDArray[np.float64],
    config: TwinConfig,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Segments (first, second) of which the one, in place, is within `rms_m` of the other at some offset.

    A projection on orthonormal directions never lengthens a vector, so that pairs that are far apart in a few
    dimensions need not be looked at in all. In those few, a tree finds all pairs that are near.
    """
    from scipy.spatial import cKDTree

    count, offsets, width = poses.shape
    middle = offsets // 2
    limit = config.rms_m**2 * (width / 3)
    mean, directions = _directions(poses[:, middle], config.projections)
    tree = cKDTree((poses[:, middle].astype(np.float32) - mean) @ directions)
    found = []
    for begin in range(0, count, _BLOCK):
        block = poses[begin : begin + _BLOCK]
        for offset in range(offsets):
            shadows = np.asarray((block[:, offset].astype(np.float32) - mean) @ directions, dtype=np.float32)
            for near, other in _near(tree, shadows, float(np.sqrt(limit * 1.01)) + 1e-3, begin):
                kept = _apart(near, other, seconds, origin, start_s, config.max_stretch)
                near, other = near[kept], other[kept]
                gap = poses[near, middle].astype(np.float32) - poses[other, offset].astype(np.float32)
                twins = (gap**2).sum(axis=1) < limit
                found.append((near[twins], other[twins]))
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


def _directions(poses: npt.NDArray[np.float16], wanted: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean [D] and the orthonormal directions [D, K] in which poses [N, D] differ most."""
    sample = poses[:: max(1, len(poses) // _SAMPLE)].astype(np.float64)
    mean = sample.mean(axis=0)
    axes = np.linalg.eigh((sample - mean).T @ (sample - mean))[1]
    return mean.astype(np.float32), np.ascontiguousarray(axes[:, ::-1][:, :wanted], dtype=np.float32)


def _near(
    tree: cKDTree, shadows: npt.NDArray[np.float32], radius: float, first: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Rows of the tree and of `shadows` (numbered from `first`) that are within `radius`, a few million pairs at a time."""
    from scipy.spatial import cKDTree

    other = cKDTree(shadows)
    if len(shadows) > 1 and tree.count_neighbors(other, radius) > _PAIRS:
        half = len(shadows) // 2
        yield from _near(tree, shadows[:half], radius, first)
        yield from _near(tree, shadows[half:], radius, first + half)
        return
    pairs = tree.sparse_distance_matrix(other, radius, output_type="ndarray")
    yield pairs["i"].astype(np.int64), pairs["j"].astype(np.int64) + first


def _apart(
    near: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64],
    seconds: npt.NDArray[np.float64],
    origin: npt.NDArray[np.int64],
    start_s: npt.NDArray[np.float64],
    max_stretch: float,
) -> npt.NDArray[np.bool_]:
    """Which pairs are different stretches of captured motion, of about the same length."""
    long = np.maximum(seconds[near], seconds[other])
    overlap = (origin[near] == origin[other]) & (np.abs(start_s[near] - start_s[other]) < long)
    return ~overlap & (long <= max_stretch * np.minimum(seconds[near], seconds[other]))
