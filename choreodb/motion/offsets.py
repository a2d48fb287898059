"""A performer's own bone lengths for files that hold none: the table `[offsets]` of a skeleton's TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion.files import StrPath
from choreodb.motion.jointmaps import read_tables
from choreodb.motion.motion import Motion
from choreodb.motion.skeleton import CHOREO22, CHOREO52, Skeleton

NOTE = "bone lengths"
"""How the notes about them begin."""
LONGEST_M = 2.0

Offsets = Mapping[str, tuple[float, float, float]]


def read_offsets(path: StrPath) -> dict[str, tuple[float, float, float]]:
    """Canonical joint -> offset from its parent, metres, from the table `[offsets]` of the TOML file `path`; {} without one.

    In the T-pose, y up, facing +z, the left side on +x: `left_knee = [0.0, -0.45, 0.0]`. Raises MotionFormatError.
    """
    table = read_tables(path).offsets
    out = {}
    for joint, value in table.items():
        if joint not in CHOREO52.names[1:]:
            raise MotionFormatError(
                f"{path}: [offsets] names {joint[:40]!r}; expected joints such as {', '.join(CHOREO52.names[1:5])}"
            )
        numbers = isinstance(value, list) and all(isinstance(x, int | float) and not isinstance(x, bool) for x in value)
        if not numbers or len(value) != 3 or not 0.0 < np.linalg.norm(value) <= LONGEST_M:
            raise MotionFormatError(
                f"{path}: [offsets] gives {str(value)[:40]} for {joint!r}; expected three numbers, metres up to {LONGEST_M:g}"
            )
        out[joint] = (float(value[0]), float(value[1]), float(value[2]))
    return out


def body(offsets: Offsets) -> Skeleton:
    """Our skeleton with hands and these offsets; where they say nothing its own."""
    places = CHOREO52.offsets.copy()
    for joint, offset in offsets.items():
        places[CHOREO52.index(joint)] = offset
    return replace(CHOREO52, offsets=places, source="file")


def with_offsets(motion: Motion, offsets: Offsets, path: StrPath) -> Motion:
    """`motion` with the `offsets` of the file `path`, where it stands on our reference skeleton; else a note that it does not."""
    if motion.skeleton.source != "reference":
        note = f"{NOTE}: the file's own; the offsets of {path} are for files without"
        return replace(motion, notes=(*motion.notes, note))
    if motion.skeleton.names not in (CHOREO22.names, CHOREO52.names):
        return motion
    skeleton = replace(motion.skeleton, offsets=body(offsets).offsets[: len(motion.skeleton)], source="file")
    return replace(motion, skeleton=skeleton, notes=said(motion.notes, offsets, path))


def said(notes: tuple[str, ...], offsets: Offsets, path: StrPath) -> tuple[str, ...]:
    """`notes` with one on whose bones the motion has."""
    mine = f"{NOTE}: {len(offsets)} of {path}, the others of our reference body"
    return (mine, *(note for note in notes if not note.startswith(f"{NOTE}:")))
