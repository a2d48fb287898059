"""Readers of motion files by suffix: ours, and those that installed packages offer.

A package adds a format through the entry point group `choreodb.readers`: the entry's name is the suffix (`.c3d`
or `c3d`), its object a function `load(path) -> Motion` that raises MotionFormatError.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from choreodb.errors import MotionFormatError
from choreodb.motion import face, jointmaps, offsets
from choreodb.motion.files import StrPath
from choreodb.motion.motion import Motion, checked_fps

if TYPE_CHECKING:
    from choreodb.motion.layouts import Layout

Reader = Callable[[StrPath], Motion]

ENTRY_POINT_GROUP = "choreodb.readers"
_BUILT_IN = {
    ".bvh": "choreodb.motion.bvh", ".c3d": "choreodb.motion.c3d", ".glb": "choreodb.motion.gltf", ".gltf": "choreodb.motion.gltf",
    ".json": "choreodb.motion.positions_json", ".npy": "choreodb.motion.npz", ".npz": "choreodb.motion.npz",
    ".pkl": "choreodb.motion.pickles", ".vmd": "choreodb.motion.vmd", ".vrma": "choreodb.motion.gltf",
}  # fmt: skip
FEATURE_SUFFIXES = (".npy", ".npz", ".pkl")
"""Suffixes of files that may hold a feature array."""

# Formats that may not state a frame rate: their readers take it as an argument.
_UNTIMED = (".c3d", ".json", ".npy", ".npz", ".pkl")
# Suffixes of many things that are no motion: read when a file is named, never looked for.
_ON_REQUEST = (".json",)

SUFFIXES: tuple[str, ...]
"""Suffixes of the files that are looked for in a folder of motion, sorted, lower case; third-party ones included."""
READABLE: tuple[str, ...]
"""Suffixes that `read` knows: SUFFIXES and `.json`, which too often is something else to be looked for."""


def read(path: StrPath, *, fps: float | None = None, layout: Layout | None = None) -> Motion:
    """The motion in the file `path` on its native skeleton, in the file's units, axes and frame rate.

    `fps` is the true rate of its frames, where the file says none or a wrong one. `layout` takes the file for a feature
    array of that width (`feature_arrays.LAYOUTS`), or for joint positions in that order (`point_layouts.POINT_LAYOUTS`),
    whatever it looks like. A face in a file beside it (see
    `motion.face`) comes along. Raises MotionFormatError where the suffix is unknown (it lists the known ones) or the
    file is not what it claims.
    """
    return face.attached(_read(path, fps) if layout is None else _read_layout(path, fps, layout), path)


def read_mapped(
    path: StrPath, skeleton: StrPath | None, *, fps: float | None = None, layout: Layout | None = None
) -> tuple[Motion, dict[str, str] | None]:
    """(the motion as `read` has it, the joint map for `retarget.canonicalise`) with the user's map `skeleton`, a TOML file.

    A C3D has markers and no joints: there the map says which markers a joint lies between, and is used up by reading. Its
    offsets replace those of our reference skeleton where the file has none (`motion.offsets`).
    """
    if skeleton is None:
        return read(path, fps=fps, layout=layout), None
    if Path(path).suffix.lower() == ".c3d":
        from choreodb.motion import c3d

        return c3d.load(path, fps=fps, markers=jointmaps.read_marker_map(skeleton)), None
    joint_map, own = jointmaps.read_joint_map(skeleton), offsets.read_offsets(skeleton)
    if not own:
        return read(path, fps=fps, layout=layout), joint_map
    if Path(path).suffix.lower() == ".vmd":
        return _read_dance(path, fps, own, skeleton), joint_map
    return offsets.with_offsets(read(path, fps=fps, layout=layout), own, skeleton), joint_map


def _read_dance(path: StrPath, fps: float | None, own: offsets.Offsets, skeleton: StrPath) -> Motion:
    """The MMD dance `path` on a body with the offsets `own` of the file `skeleton`: its legs are solved with their lengths."""
    from choreodb.motion import vmd

    motion = face.attached(vmd.load(path, body=offsets.body(own)), path)
    motion = motion if fps is None else replace(motion, fps=checked_fps(fps))
    return replace(motion, notes=offsets.said(motion.notes, own, skeleton))


def _read(path: StrPath, fps: float | None) -> Motion:
    """The motion in the file `path` alone."""
    if face.is_sidecar(path):
        raise MotionFormatError(f"{path}: is the face of a motion file; give that file, its face comes along")
    suffix = Path(path).suffix.lower()
    load: Callable[..., Motion] = reader(suffix, path)
    if fps is not None:
        fps = checked_fps(fps)
    if fps is None or suffix in _UNTIMED:
        return load(path) if fps is None else load(path, fps=fps)
    return replace(load(path), fps=float(fps))


def _read_layout(path: StrPath, fps: float | None, layout: Layout) -> Motion:
    """The motion in the feature array, or in the nameless joint positions, of the file `path`."""
    from choreodb.motion import feature_arrays, layouts

    suffix = Path(path).suffix.lower()
    if suffix not in layouts.POINT_SUFFIXES:
        raise MotionFormatError(
            f"{path}: has no layout; only feature arrays and joint positions have, in {', '.join(layouts.POINT_SUFFIXES)}"
        )
    try:
        checked = layouts.checked_layout(layout)
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None
    rate = None if fps is None else checked_fps(fps)
    if isinstance(checked, int):
        if suffix not in FEATURE_SUFFIXES:
            raise MotionFormatError(
                f"{path}: has no layout {checked}; feature arrays are {', '.join(FEATURE_SUFFIXES)}"
            )
        return feature_arrays.load(path, layout=checked, fps=rate)
    module = {".json": "positions_json", ".pkl": "pickles"}.get(suffix, "positions")
    motion: Motion = importlib.import_module(f"choreodb.motion.{module}").load(path, fps=rate, layout=checked)
    return motion


def reader(suffix: str, path: StrPath = "") -> Reader:
    """The function that loads files with `suffix`; MotionFormatError, naming `path`, where there is none."""
    suffix = suffix.lower()
    if suffix in _BUILT_IN:
        load: Reader = importlib.import_module(_BUILT_IN[suffix]).load
        return load
    entry = _third_party().get(suffix)
    if entry is None:
        raise MotionFormatError(f"{path}: unknown motion suffix {suffix!r}; expected one of {', '.join(_readable())}")
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise MotionFormatError(f"{path}: the reader {entry.value!r} for {suffix!r} does not load ({error})") from None


def labels(path: StrPath) -> dict[str, str | float]:
    """What the file says of itself: `style`, `music_start_s`, `performer`, `licence`; {} where it says nothing.

    Only the labels are read, not the motion. A file that cannot be opened has no labels here; `read` says why.
    """
    if Path(path).suffix.lower() != ".npz":
        return {}
    from choreodb.motion import npz

    try:
        return npz.labels(path)
    except MotionFormatError:
        return {}


@cache
def _third_party() -> dict[str, EntryPoint]:
    found = entry_points(group=ENTRY_POINT_GROUP)
    return {"." + entry.name.lower().lstrip("."): entry for entry in sorted(found, key=lambda entry: entry.value)}


def _readable() -> tuple[str, ...]:
    return tuple(sorted({*_BUILT_IN, *_third_party()}))


def __getattr__(name: str) -> tuple[str, ...]:
    # entry points are looked up only when somebody asks: it costs a scan of the installed packages
    if name == "READABLE":
        return _readable()
    if name == "SUFFIXES":
        return tuple(suffix for suffix in _readable() if suffix not in _ON_REQUEST)
    raise AttributeError(f"module 'choreodb.motion.registry' has no attribute {name!r}")
