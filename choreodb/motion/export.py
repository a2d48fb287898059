"""Canonical motion out, by the suffix of the file: on our own skeleton, or on the user's character."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.files import StrPath
from choreodb.motion.hands import with_hands
from choreodb.motion.motion import Motion
from choreodb.motion.rig import Rig, danced
from choreodb.motion.rotations import compose, rotate

SUFFIXES = (".bvh", ".glb", ".npz", ".positions.npz")
RIGGED = (".bvh", ".glb", ".positions.npz")
"""Formats that hold any skeleton; AMASS is SMPL's."""

Units = Literal["m", "cm"]


@dataclass(frozen=True, slots=True)
class Form:
    """How motion is written. units: of a `.bvh` on our skeleton or on a glTF's. rig: the character that dances, None for
    ours. music: whether a `.glb` names the song in its extras."""

    units: Units = "m"
    rig: Rig | None = None
    music: bool = False


def suffix_of(path: StrPath) -> str:
    """The suffix that chooses the format, in lower case: `.positions.npz` is one of its own."""
    name = Path(path).name.lower()
    return ".positions.npz" if name.endswith(".positions.npz") else Path(name).suffix


def save(
    motion: Motion,
    path: StrPath,
    suffix: str,
    form: Form | None = None,
    *,
    hands: npt.NDArray[np.bool_] | None = None,
    extras: Mapping[str, Any] | None = None,
) -> None:
    """Write canonical `motion` to `path` in the format `suffix` (one of SUFFIXES).

    GLB and AMASS always have hands, relaxed ones where the motion has none; `hands` [T] says which were captured. BVH and
    positions have the hands that the motion has. extras: what a `.glb` is to remember. With a rig, AMASS is refused.
    Raises ChoreoError.
    """
    form = form or Form()
    if form.rig is not None:
        _save_rigged(motion, path, suffix, form, form.rig, extras)
        return
    if suffix == ".bvh":
        from choreodb.motion import bvh

        bvh.save(motion, path, units=form.units)
    elif suffix == ".glb":
        from choreodb.motion import glb

        glb.save(with_hands(motion), path, extras=extras)
    elif suffix == ".npz":
        from choreodb.motion import smpl

        captured = hands if hands is not None else np.full(len(motion), with_hands(motion) is motion)
        smpl.save(with_hands(motion), path, hands=captured)
    elif suffix == ".positions.npz":
        from choreodb.motion import positions

        positions.save(motion, path)
    else:
        raise MotionFormatError(f"{path}: suffix {suffix!r} is not written; expected one of {', '.join(SUFFIXES)}")


def _save_rigged(
    motion: Motion, path: StrPath, suffix: str, form: Form, rig: Rig, extras: Mapping[str, Any] | None
) -> None:
    if suffix not in RIGGED:
        raise MotionFormatError(f"{path}: {suffix!r} holds SMPL's skeleton, not a rig's; expected {', '.join(RIGGED)}")
    moved = danced(motion, rig)
    from_bvh = rig.path.suffix.lower() == ".bvh"
    if suffix == ".bvh":
        from choreodb.motion import bvh

        # a BVH rig keeps its own unit; a glTF is in metres
        bvh.save(moved, path, units="m" if from_bvh else form.units, keep_names=True)
    elif suffix == ".positions.npz":
        from choreodb.motion import positions

        positions.save(in_metres(moved, rig), path)
    elif from_bvh:
        from choreodb.motion import glb

        glb.save(in_metres(moved, rig), path, extras=extras)
    else:
        from choreodb.motion import gltf, gltf_character

        gltf_character.save(moved, gltf.rest(rig.path), path, extras=extras)


def in_metres(motion: Motion, rig: Rig) -> Motion:
    """The `motion` of a rig in metres and y up."""
    skeleton = motion.skeleton
    rotations = motion.rotations.copy()
    rotations[:, skeleton.root] = compose(rig.upright, rotations[:, skeleton.root])
    root = rotate(rig.upright, motion.root) * rig.metres
    translations = None if motion.translations is None else motion.translations * rig.metres
    if translations is not None:
        translations[:, skeleton.root] = root
    return Motion(
        rotations,
        root,
        type(skeleton)(skeleton.names, skeleton.parents, skeleton.offsets * rig.metres, skeleton.source),
        motion.fps,
        translations,
        motion.face,
        motion.face_names,
    )
