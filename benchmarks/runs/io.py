"""`bench io`: what it costs to read a BVH of 13 MB and to place its joints, beside the other readers that are installed.

Figures are CPU milliseconds of one thread: medians over rounds in which every reader has its turn once, in one process. A
cold reading is a process of its own, with its imports and the file in their caches; it reads without numba, which takes
longer to load than such a file.
"""

from __future__ import annotations

import importlib
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.latency import measure
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.motion import CHOREO52, Motion, bvh, kinematics
from choreodb.motion.rotations import rotvec_to_quat

SIZE_MB, QUICK_MB = 13.0, 1.0
ROUNDS, COLD_ROUNDS = 7, 3
SHORT_FRAMES, SHORT_CALLS = 240, 50
"""Four seconds, as one clip of a library may last; a turn places them so often, because once is too soon to time."""
OURS = "ChoreoDB"
WATCHED = {"ratio": Watch("higher", timing=True), "cpu_ms": Watch("lower", timing=True)}

_TIMING = re.compile(rb"Frames:\s*(\d+)\s*Frame Time:\s*\S+[ \t]*\r?\n")


@dataclass(frozen=True, slots=True)
class Peer:
    """Another reader: its distribution, how its row is called, and the Python that reads the file `{path}`."""

    package: str
    row: str
    module: str
    statement: str


PEERS = (
    Peer("pybvh", "pybvh: read_bvh_file, channel values", "pybvh", "pybvh.read_bvh_file({path!r})"),
    Peer("upc-pymotion", "pymotion: BVH.load, channel values", "pymotion.io.bvh", "pymotion.io.bvh.BVH().load({path!r})"),
    Peer("bvhio", "bvhio: readAsBvh, poses", "bvhio", "bvhio.readAsBvh({path!r})"),
    Peer("bvh", "bvh: Bvh(text), text of the numbers", "bvh", "bvh.Bvh(open({path!r}).read())"),
)  # fmt: skip


def run(request: BenchRequest) -> BenchResult:
    """Read and place; on files of `--data` too, where it has BVH."""
    rounds, size_mb = (1, QUICK_MB) if request.quick else (ROUNDS, SIZE_MB)
    with tempfile.TemporaryDirectory() as folder:
        files = _files(Path(folder), request.data, int(size_mb * 1e6), request.seed)
        rows: list[Row] = []
        for number, (name, path) in enumerate(files.items()):
            request.progress("reading", number, len(files))
            rows += parse_rows(name, path, rounds)
        request.progress("placing joints", 0, 0)
        made = files["made"]
        motion = bvh.load(made)
        rows += kinematics_rows("made", motion, rounds)
        rows += kinematics_rows(
            f"made, {SHORT_FRAMES} frames", motion.frames(0, SHORT_FRAMES), rounds, calls=SHORT_CALLS
        )
        request.progress("cold processes", 0, 0)
        rows += cold_rows("made", made, 1 if request.quick else COLD_ROUNDS)
    return BenchResult("io", rows, format_table(rows))


def _files(folder: Path, data: Path | None, size: int, seed: int) -> dict[str, Path]:
    """BVH files of about `size` bytes: one of random motion, and the longest of `data`, danced again and again."""
    files = {"made": folder / "made.bvh"}
    made_bvh(files["made"], size, seed)
    captured = max((path for path in data.rglob("*.bvh")), key=lambda path: path.stat().st_size, default=None) if data else None  # fmt: skip
    if captured is not None:
        files[captured.name] = folder / f"repeated-{captured.name}"
        repeat_bvh(captured, files[captured.name], size)
    return files


def made_bvh(path: Path, size: int, seed: int) -> None:
    """A BVH of choreo52 in random motion with six decimals, as most exporters write them, of about `size` bytes."""
    rng = np.random.default_rng(seed)
    frames = max(2, size // (159 * 10))
    turns = np.cumsum(rng.normal(size=(frames, 52, 3)) * 0.02, axis=0)
    bvh.save(Motion(rotvec_to_quat(turns), rng.normal(size=(frames, 3)), CHOREO52, 60.0), path)
    values = bvh.channels(path)
    head = path.read_bytes()
    head = head[: head.index(b"Frame Time:")] + b"Frame Time: 0.016667\n"
    with path.open("wb") as file:
        file.write(head)
        np.savetxt(file, values + rng.uniform(0, 1e-4, size=values.shape), fmt="%.6f")


def repeat_bvh(source: Path, path: Path, size: int) -> None:
    """The file `source` with its frames again and again until it has about `size` bytes."""
    data = source.read_bytes()
    timing = _TIMING.search(data)
    if timing is None:
        raise ValueError(f"{source} has no plain 'Frames:' and 'Frame Time:' lines")
    block = data[timing.end() :].rstrip() + b"\n"
    times = max(1, round(size / len(block)))
    frames = str(int(timing[1]) * times).encode()
    path.write_bytes(data[: timing.start(1)] + frames + data[timing.end(1) : timing.end()] + block * times)


def parse_rows(name: str, path: Path, rounds: int) -> list[Row]:
    """CPU time of every installed reader on `path`, and how ours compares with `float()`."""
    readers: dict[str, Callable[[], object]] = {
        f"{OURS}: channels, channel values": lambda: bvh.channels(path),
        f"{OURS}: load, skeleton and quaternions": lambda: bvh.load(path),
        "numpy.loadtxt, the numbers alone": lambda: _load_text(path),
    }
    absent = []
    for peer in PEERS:
        reader = _reader(peer, path)
        if reader is None:
            absent.append({"kind": "parse", "song": name, "row": peer.row, "note": "not installed"})
        else:
            readers[peer.row] = reader
    rows = _timed("parse", name, readers, rounds)
    ours = bvh.channels(path)
    rows[0] |= {
        "ulps": float32_ulps(ours.ravel(), path),
        "mb": path.stat().st_size / 1e6,
        "note": f"{ours.size} numbers",
    }
    return rows + absent


def _reader(peer: Peer, path: Path) -> Callable[[], object] | None:
    """What reads `path` by `peer`; None where it is not installed."""
    try:
        metadata.version(peer.package)
        importlib.import_module(peer.module)
    except (metadata.PackageNotFoundError, ImportError):
        return None
    top = peer.module.split(".")[0]
    code = compile(peer.statement.format(path=str(path)), peer.package, "eval")
    return lambda: eval(code, {top: sys.modules[top]})


def float32_ulps(values: Any, path: Path) -> float:
    """Largest distance of `values` from what `float()` makes of the file's numbers, in units of float32's last place."""
    text = path.read_text(encoding="utf-8", errors="replace")
    expected = np.array([float(token) for token in text[text.index("Frame Time:") :].split()[3:]])
    single = expected.astype(np.float32)
    spacing = np.spacing(np.abs(single)).astype(np.float64)
    return float(np.max(np.abs(values.astype(np.float32).astype(np.float64) - single) / spacing))


def kinematics_rows(name: str, motion: Motion, rounds: int, calls: int = 1) -> list[Row]:
    """CPU time of placing all joints in all frames, of `calls` in a row, and the distance of the others' from ours."""
    steps: dict[str, Callable[[], Any]] = {f"{OURS}: joint_positions": lambda: kinematics.joint_positions(motion)}
    absent: list[Row] = []
    try:
        from pymotion.ops.skeleton import fk, fk_quat
    except ImportError:
        absent.append({"kind": "kinematics", "song": name, "row": "pymotion: fk", "note": "not installed"})
    else:
        parents = np.maximum(motion.skeleton.parents, 0)
        arguments = (motion.rotations, motion.root, motion.skeleton.offsets, parents)
        steps["pymotion: fk, matrices"] = lambda: fk(*arguments)[0]
        steps["pymotion: fk_quat, quaternions"] = lambda: fk_quat(*arguments)[0]
    rows = _timed("kinematics", name, steps, rounds, calls)
    ours = kinematics.joint_positions(motion)
    for row, step in zip(rows, steps.values(), strict=True):
        row["away_m"] = float(np.max(np.abs(step() - ours)))
    return rows + absent


def cold_rows(name: str, path: Path, rounds: int) -> list[Row]:
    """CPU time of a process that does nothing but read `path`."""
    commands = {f"{OURS}: channels": f"from choreodb.motion import bvh; bvh.channels({str(path)!r})",
                f"{OURS}: load": f"from choreodb.motion import bvh; bvh.load({str(path)!r})"}  # fmt: skip
    for peer in PEERS:
        if _reader(peer, path) is not None:
            commands[peer.row] = f"import {peer.module}; {peer.statement.format(path=str(path))}"
    taken: dict[str, list[float]] = {row: [] for row in commands}
    for _ in range(1 + rounds):
        for row, code in commands.items():
            taken[row].append(measure([sys.executable, "-W", "ignore", "-c", code]).cpu_ms)
    # the first round fills the caches
    return _with_ratios(
        [{"kind": "cold", "song": name, "row": row, "cpu_ms": median(each[1:])} for row, each in taken.items()]
    )


def _timed(kind: str, name: str, steps: Mapping[str, Callable[[], object]], rounds: int, calls: int = 1) -> list[Row]:
    taken: dict[str, list[float]] = {row: [] for row in steps}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(1 + rounds):
            for row, step in steps.items():
                began = time.process_time()
                for _ in range(calls):
                    step()
                taken[row].append(1e3 * (time.process_time() - began) / calls)
    # the first round compiles and warms up
    rows = [{"kind": kind, "song": name, "row": row, "cpu_ms": median(each[1:])} for row, each in taken.items()]
    return _with_ratios(rows)


def _with_ratios(rows: list[Row]) -> list[Row]:
    """The rows with their time over that of the first."""
    return [{**row, "ratio": row["cpu_ms"] / rows[0]["cpu_ms"]} for row in rows]


def _load_text(path: Path) -> Any:
    with path.open() as file:
        for line in file:
            if line.startswith("Frame Time"):
                return np.loadtxt(file, ndmin=2)
    return None


_COLUMNS = (
    Column("row", "reader", "s"), Column("cpu_ms", "CPU ms", ".3g"), Column("ratio", "x ours", ".2f"),
    Column("mb", "MB", ".1f"), Column("ulps", "float32 ulps from float()", ".2f"), Column("away_m", "m from ours", ".1e"),
    Column("note", "", "s"),
)  # fmt: skip
_TITLES = {
    "parse": "reading {song}",
    "kinematics": "placing the joints of {song}",
    "cold": "a process of its own that reads {song}",
}


def format_table(rows: Sequence[Row]) -> str:
    """A table for every kind and file."""
    parts = []
    for kind, song in dict.fromkeys((row["kind"], row["song"]) for row in rows):
        chosen = [row for row in rows if (row["kind"], row["song"]) == (kind, song)]
        parts.append(f"### {_TITLES[kind].format(song=song)}\n\n{markdown(chosen, _COLUMNS)}")
    return "\n\n".join(parts)
