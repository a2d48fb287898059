"""The text of a BVH: a motion rounded to a fixed number of digits, so that a second pass changes no byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Literal

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.bvh_kernel import continuous, format_fixed, rounded_angles
from choreodb.motion.files import StrPath, write_parts
from choreodb.motion.kinematics import root_first
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import Skeleton

IntArray = npt.NDArray[np.int64]

ORDER = "ZXY"
ANGLE_DECIMALS = 4
LENGTH_DECIMALS = 6
UNITS_PER_METRE = {"m": 1.0, "cm": 100.0}
LEAF_FRACTION = 0.3
"""Length of an End Site over its joint's own offset."""

_HALF_TURN = 180 * 10**ANGLE_DECIMALS
_LONGEST = 1e17
_BLOCK_FRAMES = 4096
_ROTATIONS = " ".join(f"{axis}rotation" for axis in ORDER)
_POSITIONS = "Xposition Yposition Zposition"


def write(motion: Motion, path: StrPath, *, units: Literal["m", "cm"], keep_names: bool = False) -> None:
    """Write `motion` as documented in `bvh.save`."""
    if units not in UNITS_PER_METRE:
        raise MotionFormatError(f"units are {units!r}; expected 'm' or 'cm'")
    motion = depth_first(root_first(motion.validate()))
    scale = UNITS_PER_METRE[units]
    offsets = _rounded_lengths(motion.skeleton.offsets * scale)
    offsets[0] = 0
    moving = _moving_joints(motion, offsets, scale)
    names = motion.skeleton.names
    lines = _hierarchy(motion, offsets, moving, _whole_names(names) if keep_names else unique_names(names))
    header = "\n".join(lines) + "\n"
    timing = f"MOTION\nFrames: {len(motion)}\nFrame Time: {_frame_time(motion.fps)}\n"
    write_parts(path, chain([(header + timing).encode("utf-8")], _frames(motion, moving, scale)))


def _frames(motion: Motion, moving: IntArray, scale: float) -> Iterator[memoryview]:
    """The lines of numbers, a block of frames at a time."""
    before: IntArray | None = None
    for first in range(0, len(motion), _BLOCK_FRAMES):
        block = slice(first, first + _BLOCK_FRAMES)
        angles = _rounded_angles(motion.rotations[block], before)
        before = angles[-1:].copy()
        translations = None if motion.translations is None else _rounded_lengths(motion.translations[block] * scale)
        yield _numbers(angles, _rounded_lengths(motion.root[block] * scale), translations, moving)


def depth_first(motion: Motion) -> Motion:
    """The same motion with its joints in the order of a BVH: each followed by all that hang on it."""
    parents = motion.skeleton.parents
    order: list[int] = []
    stack = [0]
    while stack:
        joint = stack.pop()
        order.append(joint)
        stack += [int(child) for child in np.flatnonzero(parents == joint)[::-1]]
    if order == list(range(len(parents))):
        return motion
    place = np.argsort(order)
    skeleton = Skeleton(
        tuple(motion.skeleton.names[joint] for joint in order),
        np.array([place[parents[joint]] if joint else -1 for joint in order], dtype=np.int32),
        motion.skeleton.offsets[order],
        motion.skeleton.source,
    )
    translations = None if motion.translations is None else motion.translations[:, order]
    return replace(motion, rotations=motion.rotations[:, order], skeleton=skeleton, translations=translations)


def _frame_time(fps: float) -> str:
    """Shortest text that is read as `fps`, or where no float64 has it as its reciprocal, as the rate beside it."""
    frame_time = 1.0 / fps
    texts = (f"{frame_time:.{digits}g}" for digits in range(6, 18))
    return next(text for text in texts if 1.0 / float(text) == 1.0 / frame_time)


def _rounded_lengths(lengths: FloatArray) -> IntArray:
    scaled = np.rint(lengths.astype(np.float64) * 10.0**LENGTH_DECIMALS)
    if np.any(np.abs(scaled) > _LONGEST):
        raise MotionFormatError(f"a position is {np.max(np.abs(lengths)):.3g} units away; BVH output takes up to 1e11")
    return scaled.astype(np.int64)


def _rounded_angles(rotations: FloatArray, before: IntArray | None = None) -> IntArray:
    """Angles [T, J, 3] in 1e-4 degrees of the file's rotation order, continuous over time and with the frame `before`."""
    quats = np.ascontiguousarray(rotations).reshape(-1, 4)
    angles = rounded_angles(quats, 10.0**ANGLE_DECIMALS).reshape(*rotations.shape[:-1], 3)
    if before is not None:
        angles = np.concatenate([before, angles])
    continuous(angles, _HALF_TURN)
    return angles if before is None else angles[1:]


def _moving_joints(motion: Motion, offsets: IntArray, scale: float) -> IntArray:
    """Joints that need position channels: the root, and those whose translation is not their offset."""
    differs = np.zeros(len(offsets), dtype=np.bool_)
    differs[0] = True
    if motion.translations is not None:
        for first in range(0, len(motion), _BLOCK_FRAMES):
            block = _rounded_lengths(motion.translations[first : first + _BLOCK_FRAMES] * scale)
            differs |= np.any(block != offsets, axis=(0, 2))
    return np.flatnonzero(differs)


def _numbers(angles: IntArray, root: IntArray, translations: IntArray | None, moving: IntArray) -> memoryview:
    joints = angles.shape[1]
    decimals: list[int] = []
    for joint in range(joints):
        decimals += [LENGTH_DECIMALS] * 3 * (joint in moving) + [ANGLE_DECIMALS] * 3
    values = np.empty((len(angles), len(decimals)), dtype=np.int64)
    first = 0
    for joint, stop in zip(moving.tolist(), [*moving.tolist()[1:], joints], strict=True):
        # the position channels of a joint, then the angles of all joints up to the next that has some
        values[:, first : first + 3] = root if joint == 0 or translations is None else translations[:, joint]
        last = first + 3 + 3 * (stop - joint)
        values[:, first + 3 : last] = angles[:, joint:stop].reshape(len(angles), -1)
        first = last
    out = np.empty(values.size * 24, dtype=np.uint8)
    length = format_fixed(values, np.array(decimals, dtype=np.int64), out)
    return out[:length].data


def _hierarchy(motion: Motion, offsets: IntArray, moving: IntArray, names: list[str]) -> list[str]:
    """Lines of the hierarchy; joints must be written depth first, which is also the order of the numbers."""
    parents = motion.skeleton.parents
    lines = ["HIERARCHY"]
    stack: list[int] = []
    for joint in range(len(names)):
        _close(lines, stack, int(parents[joint]))
        indent = "  " * len(stack)
        positions = joint in moving
        lines += [
            f"{indent}{'JOINT' if stack else 'ROOT'} {names[joint]}",
            f"{indent}{{",
            f"{indent}  OFFSET {_lengths(offsets[joint])}",
            f"{indent}  CHANNELS {'6 ' + _POSITIONS if positions else '3'} {_ROTATIONS}",
        ]
        stack.append(joint)
        if not np.any(parents == joint):
            end = np.rint(offsets[joint] * LEAF_FRACTION).astype(np.int64)
            end = end if np.any(end) else np.array([0, 10**LENGTH_DECIMALS // 10, 0])
            lines += [f"{indent}  End Site", f"{indent}  {{", f"{indent}    OFFSET {_lengths(end)}", f"{indent}  }}"]
    _close(lines, stack, -1)
    return lines


def _close(lines: list[str], stack: list[int], parent: int) -> None:
    """Close braces until `parent` is the open joint."""
    while stack and stack[-1] != parent:
        stack.pop()
        lines.append("  " * len(stack) + "}")


def _lengths(row: IntArray) -> str:
    return " ".join(f"{value / 10.0**LENGTH_DECIMALS:.{LENGTH_DECIMALS}f}" for value in row.tolist())


def _whole_names(names: tuple[str, ...]) -> list[str]:
    """`names` as they are, where a BVH can hold them: on one line, without braces, and different from one another."""
    plain = [" ".join(re.sub(r"[{}\x00-\x1f\x7f]", " ", name).split()) or "joint" for name in names]
    return plain if len(set(plain)) == len(plain) else unique_names(names)


def unique_names(names: tuple[str, ...]) -> list[str]:
    """`names` reduced to [A-Za-z0-9_], numbered where that makes two alike; applying it again changes nothing."""
    taken: set[str] = set()
    out = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "joint"
        unique, number = plain, 2
        while unique in taken:
            unique, number = f"{plain}_{number}", number + 1
        taken.add(unique)
        out.append(unique)
    return out
