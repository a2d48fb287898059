"""What a motion file was understood to be: the answer of `choreodb inspect`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion import jointmaps, registry, retarget
from choreodb.motion.files import StrPath
from choreodb.motion.motion import Motion
from choreodb.motion.retarget import Canonical
from choreodb.motion.skeleton import CHOREO22, CHOREO52

if TYPE_CHECKING:
    from PIL.Image import Image

SCHEMA_VERSION = 1

_POSES = 8
_CANONICAL = "the skeleton is canonical already"


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """A motion file as read and as retargeted.

    reader: the module that read it. native: the motion as the file has it. joints: canonical name -> the file's.
    canonical: what the indexer would store, or None, and then `problem` says why. notes: every guess, one line each.
    """

    path: Path
    reader: str
    native: Motion
    labels: Mapping[str, str | float]
    joints: Mapping[str, str]
    canonical: Canonical | None
    problem: str | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The document of `inspect --json`; see docs/schema/inspect.schema.json."""
        native, canonical = self.native, self.canonical
        used = set(self.joints.values())
        return {
            "schema_version": SCHEMA_VERSION,
            "file": self.path.name,
            "reader": self.reader,
            "frames": len(native),
            "fps": float(native.fps),
            "seconds": float(native.duration_s),
            "positions_only": native.positions_only,
            "skeleton": native.skeleton.source,
            "joints": list(native.skeleton.names),
            "mapping": dict(self.joints),
            "unmapped": [name for name in native.skeleton.names if name not in used],
            "missing": [name for name in CHOREO22.names if name not in self.joints],
            "units": self.reason("units"),
            "up": self.reason("up"),
            "rest_pose": self.reason("rest pose"),
            "hands": self.hands(),
            "face": list(native.face_names),
            "scale": None if canonical is None else float(canonical.scale),
            "residual_cm": None if canonical is None else float(canonical.residual_cm),
            "extent_m": None if canonical is None else _extent(canonical.motion),
            "labels": dict(self.labels),
            "notes": list(self.notes),
            "problem": self.problem,
        }

    def reason(self, about: str) -> str | None:
        """The note about `units`, `up` or `rest pose`; None where there is none."""
        found = next((note for note in self.notes if note.startswith((f"{about} ", f"{about}:"))), None)
        if found is None and about == "rest pose":
            return next((note for note in self.notes if note.startswith(_CANONICAL)), None)
        return found

    def hands(self) -> dict[str, int]:
        """How many finger joints each hand has, of fifteen."""
        fingers = CHOREO52.names[22:]
        return {
            side: sum(name in self.joints for name in fingers if name.startswith(side)) for side in ("left", "right")
        }

    def text(self) -> str:
        """A page for a terminal."""
        facts, native = self.as_dict(), self.native
        kind = "positions" if native.positions_only else "rotations"
        hands = facts["hands"]
        rows = [
            ("reader", self.reader),
            ("frames", f"{len(native)} at {native.fps:g} fps, {native.duration_s:.2f} s"),
            ("joints", f"{len(native.skeleton)} with {kind}, {len(self.joints)} of them known; skeleton from "
             + ("the file" if native.skeleton.source == "file" else "our reference")),
            ("hands", f"{hands['left']} left and {hands['right']} right finger joints" if any(hands.values()) else "none"),
            ("face", f"{len(native.face_names)} channels: {_some(native.face_names)}" if native.face_names else "none"),
        ]  # fmt: skip
        for about in ("units", "up", "rest pose"):
            said = self.reason(about)
            rows.append((about, "not told" if said is None else said.removeprefix(about).lstrip(": ")))
        if self.canonical is not None:
            rows.append(("residual", f"{facts['residual_cm']:.2f} cm at scale {facts['scale']:.3f}"))
            rows.append(
                ("extent", " x ".join(f"{size:.2f}" for size in facts["extent_m"]) + " m (width, height, depth)")
            )
        rows += [(name.removesuffix("_s").replace("_", " "), f"{value}") for name, value in self.labels.items()]
        lines = [str(self.path), *(f"  {name:<10} {value}" for name, value in rows), "  mapping"]
        lines += [f"    {ours:<16} {theirs}" for ours, theirs in self.joints.items()]
        if facts["missing"]:
            lines.append(f"  missing    {', '.join(facts['missing'])}")
        if facts["unmapped"]:
            lines.append(f"  unmapped   {_some(facts['unmapped'])}")
        lines += ["  notes", *(f"    {note}" for note in self.notes)] if self.notes else []
        if self.problem is not None:
            lines.append(f"  problem    {self.problem}")
        return "\n".join(lines)


def inspect_motion(
    path: StrPath,
    *,
    fps: float | None = None,
    units: str | None = None,
    up: str | None = None,
    skeleton: StrPath | None = None,
    layout: int | str | None = None,
) -> Inspection:
    """Read and retarget the motion file `path`, and keep what was understood on the way.

    fps, units, up, layout: override the file and the guesses. skeleton: a TOML file of canonical joint names and the
    file's, and of offsets for files without.
    Raises MotionFormatError where the file cannot be read; one that cannot be retargeted has a `problem` instead.
    """
    path = Path(path)
    native, told = registry.read_mapped(path, skeleton, fps=fps, layout=layout)
    joints = jointmaps.combine(native.skeleton.names, told)
    canonical, problem = None, None
    try:
        joints = jointmaps.joints_of(native.skeleton, told)
        canonical = retarget.canonicalise(native, units=units, up=up, joint_map=told)
    except MotionFormatError as error:
        problem = str(error)
    notes = (*native.notes, *(() if canonical is None else canonical.notes))
    reader = (
        "choreodb.motion.feature_arrays" if isinstance(layout, int) else registry.reader(path.suffix, path).__module__
    )
    return Inspection(path, reader, native, registry.labels(path), joints, canonical, problem, notes)


def picture(inspection: Inspection) -> Image:
    """Eight poses of the retargeted motion, evenly over its length, as a contact sheet."""
    from choreodb.render.sheet import contact_sheet

    if inspection.canonical is None:
        raise MotionFormatError(f"{inspection.path}: cannot be drawn: {inspection.problem}")
    motion = inspection.canonical.motion
    times = np.linspace(0.0, (len(motion) - 1) / motion.fps, _POSES) if len(motion) >= _POSES else np.zeros(1)
    title = f"{inspection.path.name}   {inspection.native.duration_s:.2f} s   residual {inspection.canonical.residual_cm:.2f} cm"
    return contact_sheet(motion, times.tolist(), contacts=inspection.canonical.contacts, title=title, columns=4)


def _extent(motion: Motion) -> list[float]:
    """Metres that the joints span to the side, up and to the front."""
    from choreodb.motion.kinematics import joint_positions

    points = joint_positions(motion).reshape(-1, 3)
    return [float(size) for size in points.max(axis=0) - points.min(axis=0)]


def _some(names: Any) -> str:
    listed = list(names)
    return ", ".join(listed[:16]) + (f", ... ({len(listed)})" if len(listed) > 16 else "")
