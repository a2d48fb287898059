"""`bench latency`: the stages of a query, cold and warm, beside the same query put together from public packages.

Both are processes of their own, on one thread each, taken in turns; figures are medians. A cold query is measured from the
process's first line, with the compiled kernels and the files in their caches: one query of each, which is not counted,
goes before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from choreodb.benchmarks.runs import latency_refine, latency_sizes, peer_stages, query_stages
from choreodb.benchmarks.runs.machine import THREAD_VARIABLES
from choreodb.benchmarks.runs.plots import Figure, Lines, Stacked
from choreodb.benchmarks.runs.query_stages import Laps
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import ChoreoError, QueryError

if TYPE_CHECKING:
    from choreodb.storage.store import Store

OURS, PEER = "ChoreoDB", "librosa + numpy + networkx"
COLD, WARM, GROWTH = "cold", "warm", "warm by length"
THREADS = 1
DANCE, FIRST, IMPORTED = "= choreodb dance", "= choreodb dance, first ever", "= importing librosa.feature, librosa.beat"
_LENGTHS_S = (30.0, 60.0, 120.0)
_TIMEOUT_S = 600.0

ANALYSIS = {
    OURS: ("decode", "features", "beats"),
    PEER: ("decode", "onset", "beats", "chroma", "mfcc"),
}
SEARCH = {OURS: ("open", "embed", "nearest", "candidates", "path"), PEER: ("open", "neighbours", "beam")}


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often: processes of each kind, and queries in each process after the first."""

    processes: int = 5
    warm: int = 4


@dataclass(frozen=True, slots=True)
class Timed:
    """What one process said. queries: (song, laps) in order. wall_ms, cpu_ms: of the whole process, start to exit. peak_mb: of memory."""

    queries: tuple[tuple[str, Laps], ...]
    wall_ms: float
    cpu_ms: float
    peak_mb: float | None = None


def run(request: BenchRequest) -> BenchResult:
    """Run on the request's library and its first song; QueryError where either is missing."""
    if request.library is None or not request.songs:
        raise QueryError("bench latency needs a library and a song; give `bench latency LIB SONG`")
    repeats = Repeats(1, 1) if request.quick else Repeats()
    rows = bench_latency(request.library, request.songs[0], repeats, progress=request.progress)
    sizes = latency_sizes.QUICK if request.quick else latency_sizes.FULL
    rows += latency_sizes.bench_sizes(request.library, request.songs[0], sizes, progress=request.progress)
    rows += latency_sizes.goals(rows)
    rows += latency_refine.bench_refining(
        request.library,
        request.songs[0],
        repeats=1 if request.quick else latency_refine.REPEATS,
        progress=request.progress,
    )
    return BenchResult("latency", rows, format_table(rows), figures(rows))


def bench_latency(
    library: Path, song: Path, repeats: Repeats, *, progress: Callable[..., None] | None = None
) -> list[Row]:
    """Rows by stage for either side, cold and warm; their sums and ratios; and totals by length of song."""
    tell = progress or (lambda *_: None)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "library.npz"
        export(library, exported)
        commands = {OURS: _command("query_stages", library), PEER: _command("peer_stages", exported)}
        for number, command in enumerate(commands.values()):
            tell("warming up", number, len(commands))
            measure([*command, str(song)])
        taken: dict[str, list[Timed]] = {OURS: [], PEER: []}
        shell = [sys.executable, "-m", "choreodb.cli", "dance", str(library), str(song), "-o", f"{folder}/dance.bvh"]
        typed: list[Timed] = []
        imported: list[Timed] = []
        for number in range(repeats.processes):
            tell("timing", number, repeats.processes)
            for name, command in commands.items():
                taken[name].append(measure([*command, str(song), "--repeats", str(1 + repeats.warm)]))
            typed.append(measure(shell))
            imported.append(measure([sys.executable, "-c", "import librosa.feature, librosa.beat"]))
        tell("the first run ever", 0, 0)
        first = measure(shell, {"NUMBA_CACHE_DIR": f"{folder}/kernels"})
        tell("timing by length", 0, 0)
        grown = _growth(commands, song, Path(folder), repeats)
    whole = {DANCE: typed, FIRST: [first], IMPORTED: imported}
    processes = [
        {"row": PEER if name == IMPORTED else OURS, "kind": COLD, "stage": name, "song": song.name, **_whole(runs)}
        for name, runs in whole.items()
    ]
    return [*rows_of(taken, song.name), *processes, *grown]


def _command(module: str, library: Path) -> list[str]:
    return [sys.executable, "-m", f"choreodb.benchmarks.runs.{module}", str(library)]


def export(library: Path, path: Path) -> None:
    """Embeddings and transitions of a library as plain arrays, for the peer."""
    from choreodb.storage.store import Store

    store: Store = Store.open(library)
    table = store.columns("transitions", ["source", "target", "cost"])
    edges = np.stack([table.column(name).to_numpy() for name in ("source", "target")], axis=1)
    np.savez(path, vectors=np.asarray(store.array("embeddings")), edges=edges, costs=table.column("cost").to_numpy())


def measure(command: Sequence[str], settings: Mapping[str, str] | None = None) -> Timed:
    """Run a timed process on `THREADS` threads; ChoreoError where it fails. settings: of its environment."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(THREADS)) | dict(settings or {})
    before, began = os.times(), time.perf_counter()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ChoreoError(
            f"bench latency: {Path(command[2]).name} took over {_TIMEOUT_S:g} s; give a shorter song"
        ) from error
    wall, after = time.perf_counter() - began, os.times()
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ChoreoError(f"bench latency: {command[2].rsplit('.', 1)[-1]} failed: {why}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    used = after.children_user + after.children_system - before.children_user - before.children_system
    peak = max((line["peak_mb"] for line in lines if line.get("peak_mb")), default=None)
    return Timed(tuple((line["song"], line["laps"]) for line in lines), 1e3 * wall, 1e3 * used, peak)


def rows_of(taken: dict[str, list[Timed]], song: str) -> list[Row]:
    """Medians by side, kind and stage, sums, and the peer's time over ours."""
    rows: list[Row] = []
    for kind in (COLD, WARM):
        totals: dict[tuple[str, str], Row] = {}
        for name, runs in taken.items():
            laps = _of_kind(runs, kind)
            stages = [stage for stage in laps[0] if kind == COLD or not stage.startswith("import")]
            found = [
                {"row": name, "kind": kind, "stage": stage, "song": song, **_medians(laps, (stage,))}
                for stage in stages
            ]
            sums = {"analysis": ANALYSIS[name], "search": SEARCH[name], "query": tuple(stages)}
            for sum_name, parts in sums.items():
                found.append(
                    {"row": name, "kind": kind, "stage": f"= {sum_name}", "song": song, **_medians(laps, parts)}
                )
                totals[sum_name, name] = found[-1]
            if kind == COLD:
                found.append({"row": name, "kind": kind, "stage": "= process", "song": song, **_whole(runs)})
                totals["process", name] = found[-1]
            rows += found
        for sum_name in dict.fromkeys(name for name, _ in totals):
            ours, peer = totals[sum_name, OURS], totals[sum_name, PEER]
            for clock in ("wall", "cpu"):
                ours |= _ratio(f"ratio_{clock}", peer, ours, f"{clock}_ms")
    return rows


def _ratio(name: str, peer: Row, ours: Row, clock: str) -> Row:
    """The peer's median over ours, with the deviation that follows from both."""
    ratio = peer[clock] / max(ours[clock], 1e-9)
    if f"{clock}_sd" not in ours or f"{clock}_sd" not in peer:
        return {name: ratio}
    spread = sum((row[f"{clock}_sd"] / max(row[clock], 1e-9)) ** 2 for row in (peer, ours)) ** 0.5
    return {name: ratio, f"{name}_sd": ratio * spread}


def _of_kind(runs: Sequence[Timed], kind: str) -> list[Laps]:
    """Laps of every process's first query, or of all the others."""
    return [laps for run in runs for _, laps in (run.queries[:1] if kind == COLD else run.queries[1:])]


def _medians(laps: Sequence[Laps], stages: Sequence[str]) -> Row:
    """Median wall and CPU of the sum of some stages, with a robust deviation, and over how many queries."""
    row: Row = {"queries": len(laps)}
    for clock in ("wall_ms", "cpu_ms"):
        row |= _median(clock, [sum(lap[stage][clock] for stage in stages) for lap in laps])
    return row


def _whole(runs: Sequence[Timed]) -> Row:
    """Start to exit of a process that answers one query: the first query, and what comes before and after all of them."""
    row: Row = {"queries": len(runs)}
    for clock in ("wall_ms", "cpu_ms"):
        later = [sum(lap[clock] for _, laps in run.queries[1:] for lap in laps.values()) for run in runs]
        whole = [run.wall_ms if clock == "wall_ms" else run.cpu_ms for run in runs]
        row |= _median(clock, [total - rest for total, rest in zip(whole, later, strict=True)])
    return row


def _median(name: str, values: Sequence[float]) -> Row:
    """A median, and 1.48 times the median distance from it: the deviation, where noise is even."""
    middle = median(values)
    row: Row = {name: middle}
    if len(values) > 1:
        row[f"{name}_sd"] = 1.4826 * median(abs(value - middle) for value in values)
    return row


def _growth(commands: dict[str, list[str]], song: Path, folder: Path, repeats: Repeats) -> list[Row]:
    """Totals of a warm query on the song's first 30, 60, 120 s and on all of it."""
    pieces = _pieces(song, folder)
    names = [str(path) for path, _ in pieces]
    taken: dict[str, list[tuple[str, Laps]]] = {name: [] for name in commands}
    for _ in range(min(2, repeats.processes)):
        for name, command in commands.items():
            found = measure([*command, names[0], *names, "--repeats", str(1 + min(2, repeats.warm))])
            # The first query of the process pays for imports.
            taken[name] += found.queries[1:]
    rows = []
    for name, queries in taken.items():
        for path, seconds in pieces:
            laps = [laps for song_name, laps in queries if song_name == path.name]
            stages = tuple(stage for stage in laps[0] if not stage.startswith("import"))
            row: Row = {"row": name, "kind": GROWTH, "stage": f"{seconds:.0f} s", "song_s": seconds}
            rows.append(row | _medians(laps, stages))
    return rows


def _pieces(song: Path, folder: Path) -> list[tuple[Path, float]]:
    """Wave files of the song's first seconds, and of all of it."""
    import soundfile

    from choreodb.music.decode import load

    audio = load(song)
    lengths = [seconds for seconds in _LENGTHS_S if seconds < audio.duration_s - 1.0] + [audio.duration_s]
    out = []
    for seconds in lengths:
        path = folder / f"first-{seconds:.0f}.wav"
        soundfile.write(path, audio.samples[: round(seconds * audio.rate)], audio.rate)
        out.append((path, seconds))
    return out


_COLUMNS = (
    Column("row", "", "s"),
    Column("kind", "", "s"),
    Column("stage", "stage", "s"),
    Column("queries", "n", ".0f"),
    Column("wall_ms", "wall ms", ".1f"),
    Column("cpu_ms", "CPU ms", ".1f"),
    Column("ratio_wall", "peer / ours, wall", ".2f"),
    Column("ratio_cpu", "peer / ours, CPU", ".2f"),
)


def format_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, and how they were taken."""
    settings = ", ".join(f"{name}={THREADS}" for name in THREAD_VARIABLES)
    own = [row for row in rows if row["kind"] not in (latency_sizes.SIZE, latency_sizes.GOAL, latency_refine.KIND)]
    head = "\n".join([markdown(own, _COLUMNS), "", f"Threads: {settings} for either side. {_LEGEND}"])
    parts = [head, latency_sizes.format_table(rows), latency_refine.format_table(rows)]
    return "\n\n".join(part for part in parts if part)


_LEGEND = (
    "Medians ± 1.48 times the median deviation; processes in turns, one of each before them that is not counted, so that "
    "compiled kernels and files are cached. Cold: a process's first query from its first line; process: from its start to "
    "its exit, for one query; choreodb dance: the command as it is typed. Warm: later queries of the same process, which has its library open. Analysis: decode, "
    "features, beats; search: opening the library, candidates and path, which ours does for every beat hypothesis and once "
    f"more with four times the candidates for its certificate. The peer ({PEER}; hnswlib for numpy where it is "
    f"installed) searches query by query in {peer_stages.CANDIDATES} nodes a step and ends with a path: it neither stitches, cleans up nor writes, so 'query' and 'process' flatter it."
)


def figures(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """Stages as stacked bars, and growth with the song's length."""
    bars: list[tuple[str, dict[str, float]]] = []
    for kind in (COLD, WARM):
        for name in (OURS, PEER):
            own = [
                row for row in rows if row["row"] == name and row["kind"] == kind and not row["stage"].startswith("=")
            ]
            bars.append((f"{name}, {kind}", {row["stage"]: row["cpu_ms"] for row in own}))
    stages = list(dict.fromkeys([*query_stages.STAGES, *peer_stages.STAGES]))
    parts = tuple((stage, tuple(found.get(stage, 0.0) for _, found in bars)) for stage in stages)
    stacked = Stacked(
        "latency-stages", "A query's stages, CPU ms, one thread", tuple(_short(name) for name, _ in bars), parts
    )
    series: list[tuple[str, tuple[float, ...], tuple[float, ...]]] = []
    for name in (OURS, PEER):
        own = [row for row in rows if row["row"] == name and row["kind"] == GROWTH]
        series.append((_short(name), tuple(row["song_s"] for row in own), tuple(row["cpu_ms"] for row in own)))
    growth = Lines("latency-growth", "A warm query, CPU ms", "seconds of song", tuple(series))
    return stacked, growth, *latency_sizes.figures(rows)


def _short(name: str) -> str:
    return name.replace(PEER, "peer")
