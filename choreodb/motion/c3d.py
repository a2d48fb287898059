"""C3D: optical markers to joint centres, by the Plug-in Gait marker set or by a map of the user's."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion import jointmaps
from choreodb.motion.files import MAX_VALUE, StrPath, regular_file
from choreodb.motion.json_text import plain_text
from choreodb.motion.markers import HELPFUL, PLUG_IN_GAIT, complete, joint_centres
from choreodb.motion.motion import Motion
from choreodb.motion.positions import from_positions
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22
from choreodb.motion.units import METRES

MAX_BYTES = 512 * 2**20
LONGEST_GAP_S = 0.5
"""A marker that is not seen for longer is lost, not hidden."""

_HEADER = 512
_TIMEOUT_S = 120.0
_MEMORY_BYTES = 8 * 2**30

Map = Mapping[str, str | Sequence[str]]


def load(path: StrPath, *, fps: float | None = None, markers: Map | None = None) -> Motion:
    """The joint centres in the C3D file `path`, as positions in the file's unit and axes, at its point rate.

    markers: canonical joint -> marker, or several whose middle it is. By default the Plug-in Gait marker set, else points
    whose names say that they are joints. Markers that are hidden for up to LONGEST_GAP_S are bridged straight. fps
    overrides the file's. Needs ezc3d (`pip install choreodb[c3d]`). Raises MotionFormatError.
    """
    path = regular_file(path)
    try:
        return _motion(*_read(path), fps, markers).validate()
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


def _read(path: StrPath) -> tuple[FloatArray, list[str], float, str]:
    """(points [T, N, 3] with NaN where unseen, labels, points a second, unit) by a process that may crash."""
    if find_spec("ezc3d") is None:
        raise MotionFormatError("C3D needs ezc3d; install it with `pip install 'choreodb[c3d]'`")
    path = regular_file(path)
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(_HEADER)
    if size > MAX_BYTES or len(head) < _HEADER or head[1] != 0x50:
        raise MotionFormatError(f"is no C3D of up to {MAX_BYTES} bytes (its second byte is not 0x50)")
    if size < _least_bytes(head):
        raise MotionFormatError(
            f"declares at least {_least_bytes(head)} bytes of points but holds {size}; it is cut off"
        )
    command = [sys.executable, "-m", "choreodb.motion.c3d_reader", str(path.resolve())]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False, **_bounds())
    except subprocess.TimeoutExpired:
        raise MotionFormatError(f"could not be read within {_TIMEOUT_S:.0f} s; it is damaged") from None
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise MotionFormatError(f"is a damaged C3D ({last[-1][:120] if last else 'the reader crashed'})")
    try:
        with np.load(io.BytesIO(done.stdout), allow_pickle=False) as archive:
            found: dict[str, Any] = dict(archive)
        points, labels = found["points"], [plain_text(str(label)).strip() for label in found["labels"].tolist()]
        rate, units = float(found["rate"]), plain_text(str(found["units"])).lower()
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise MotionFormatError(f"is a damaged C3D ({' '.join(str(error).split())[:80]})") from None
    if points.ndim != 3 or points.shape[0] == 0 or points.shape[1] > len(labels):
        raise MotionFormatError(
            f"holds {points.shape} points for {len(labels)} labels; expected frames of named markers"
        )
    if np.any(np.abs(points) > MAX_VALUE):
        raise MotionFormatError(f"holds points beyond {MAX_VALUE:g}; expected lengths")
    return points, labels[: points.shape[1]], rate, units


def _least_bytes(head: bytes) -> int:
    """Bytes that the frames of points need that the header declares (c3d.org, "The C3D file format", header section)."""
    points, _, first, last = struct.unpack_from("<4H", head, 2)
    scale, block = struct.unpack_from("<fH", head, 12)
    # byte orders of other makers' machines are left to the reader; long takes count their frames elsewhere
    if not (1 <= first <= last < 0xFFFF and 1 <= block < 256 and np.isfinite(scale)):
        return 0
    return int(512 * (block - 1) + (last - first + 1) * points * (16 if scale < 0.0 else 8))


def _bounded() -> None:
    """Keep the reader from taking all memory: a damaged header may claim any size."""
    import contextlib

    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _bounds() -> dict[str, Any]:
    """What `subprocess.run` is to do before the reader; Windows has no such limit, and refuses the argument."""
    return {} if sys.platform == "win32" else {"preexec_fn": _bounded}


def _motion(
    points: FloatArray, labels: list[str], rate: float, units: str, fps: float | None, markers: Map | None
) -> Motion:
    # a subject's name may stand in front: `Ann:LASI`
    plain = [label.rsplit(":", 1)[-1] for label in labels]
    at = {name: points[:, index] for index, name in reversed(list(enumerate(plain)))}
    rate = rate if fps is None else fps
    if markers is not None:
        joints, said = _mapped(at, markers, plain), "joints: by the marker map"
    elif complete(at):
        joints, said = {}, "joints: centres from Plug-in Gait markers"
    else:
        joints = {joint: at[name] for joint, name in jointmaps.combine(tuple(dict.fromkeys(plain)), None).items()}
        said = "joints: the points that are named so"
        missing = [joint for joint in jointmaps.REQUIRED if joint not in joints]
        if missing:
            lost = ", ".join(sorted(set(PLUG_IN_GAIT) - set(at))[:8]) or "LPSI, RPSI or SACR"
            raise MotionFormatError(
                f"has the markers {', '.join(plain[:24])}; Plug-in Gait lacks {lost}: map them with --skeleton map.toml, "
                'for example left_knee = ["LKNE", "LKNM"]'
            )
    used = joints or {name: at[name] for name in plain if name in (*PLUG_IN_GAIT, *HELPFUL)}
    filled, gaps = _filled(used, rate)
    metres = METRES.get({"meters": "m", "metres": "m"}.get(units, units), 0.001)
    joints = filled if joints else joint_centres(filled, metres)
    names = tuple(joints)
    body = [name for name in CHOREO22.names if name in names]
    parents = np.array([_parent(name, names, body) for name in names], dtype=np.int32)
    motion = from_positions(np.stack(list(joints.values()), axis=1), names, parents, rate)
    said_unit = f"units {units or 'unknown'}: as the file says"
    return replace(motion, notes=(said, said_unit, *([gaps] if gaps else [])))


def _mapped(at: Mapping[str, FloatArray], markers: Map, labels: Sequence[str]) -> dict[str, FloatArray]:
    """Joint centres as the middles of the markers that the map names."""
    out = {}
    for joint, named in markers.items():
        if joint not in CHOREO22.names and joint not in ("left_heel", "right_heel", "left_hand", "right_hand"):
            raise MotionFormatError(f"marker map names {joint!r}; expected one of {', '.join(CHOREO22.names)}")
        chosen = [named] if isinstance(named, str) else list(named)
        unknown = [name for name in chosen if name not in at]
        if unknown or not chosen:
            raise MotionFormatError(
                f"marker map gives {unknown or chosen} for {joint!r}; the file has {', '.join(labels[:24])}"
            )
        out[joint] = np.mean([at[name] for name in chosen], axis=0)
    if "pelvis" not in out and {"left_hip", "right_hip"} <= set(out):
        out["pelvis"] = 0.5 * (out["left_hip"] + out["right_hip"])
    return out


def _filled(points: Mapping[str, FloatArray], rate: float) -> tuple[dict[str, FloatArray], str]:
    """(the points [T, 3] with short gaps bridged, what was done); MotionFormatError where one is lost for long."""
    out, bridged = {}, 0
    for name, values in points.items():
        seen = np.all(np.isfinite(values), axis=1)
        if not seen.all():
            frames = np.flatnonzero(seen)
            gap = (
                int(np.max(np.diff(np.concatenate([[-1], frames, [len(values)]])))) - 1 if len(frames) else len(values)
            )
            if gap > LONGEST_GAP_S * rate:
                raise MotionFormatError(
                    f"marker {name!r} is not seen for {gap / rate:.2f} s; expected gaps of up to {LONGEST_GAP_S} s, fill or cut them"
                )
            bridged += int((~seen).sum())
            index = np.arange(len(values))
            values = np.stack([np.interp(index, frames, column[seen]) for column in values.T], axis=1)
        out[name] = values
    return out, f"{bridged} hidden marker positions bridged" if bridged else ""


def _parent(name: str, names: tuple[str, ...], body: Sequence[str]) -> int:
    """Index of the nearest canonical ancestor that is there; -1 for the pelvis."""
    if name.endswith(("_heel", "_hand")):
        return names.index(name.replace("heel", "ankle").replace("hand", "wrist"))
    parent = int(CHOREO22.parents[CHOREO22.index(name)])
    while parent >= 0 and CHOREO22.names[parent] not in body:
        parent = int(CHOREO22.parents[parent])
    if parent < 0 and name != "pelvis":
        return names.index("pelvis") if "pelvis" in names else -1
    return names.index(CHOREO22.names[parent]) if parent >= 0 else -1
