"""`bench ann`: candidate search on vectors with the structure of libraries, ours beside what a user would otherwise pick.

Every index is built in one process and searched in another, on one thread. A peer gets the least effort of its ladder at
which it finds 0.99 of the nearest 50, told from these very queries; ours searches as it tuned itself when it was built.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from choreodb.benchmarks.runs.ann_process import REACHED, TOP
from choreodb.benchmarks.runs.ann_rows import CONTENDERS, LIMIT, OURS, Contender, Vectors
from choreodb.benchmarks.runs.ann_vectors import Takes, motion_vectors, song_vectors, takes
from choreodb.benchmarks.runs.goals import goal, goal_table
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.machine import THREAD_VARIABLES
from choreodb.benchmarks.runs.plots import Figure, Lines
from choreodb.benchmarks.runs.registry import AUDIO_SUFFIXES, BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import QueryError
from choreodb.storage.exact_index import exact_search
from choreodb.storage.store import Store

ALL = "all"
FEW = 20
_TIMEOUT_S = 3600.0

WATCHED = {
    "recall_50": Watch("higher", least=0.002),
    "cpu_ms": Watch("lower", relative=0.1, timing=True),
    "file_mb": Watch("lower"),
}


@dataclass(frozen=True, slots=True)
class Effort:
    """sizes: vectors. minutes: of captured dance that they are of. queries: windows of songs."""

    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    minutes: float = 60.0
    queries: int = 400


def run(request: BenchRequest) -> BenchResult:
    """On windows of the request's library and songs, else of a troupe that it makes."""
    effort = Effort((12_000,), 2.0, 60) if request.quick else Effort()
    rows = bench_ann(effort, request.library, request.songs, request.seed, request.progress)
    return BenchResult("ann", rows, format_table(rows), figures(rows))


def bench_ann(
    effort: Effort, library: Path | None, songs: Sequence[Path], seed: int, tell: Callable[..., None]
) -> list[Row]:
    """Rows by size, index and selectivity, and a verdict for each goal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, heard = _sources(folder, effort.minutes, library, songs, seed, tell)
        found = takes(store, tell)
        queries = song_vectors(found, heard, effort.queries)
        rows: list[Row] = []
        for size in effort.sizes:
            rows += _sized(folder, found, queries, size, seed, tell)
    return [*rows, *verdicts(rows)]


def _sources(
    folder: Path, minutes: float, library: Path | None, songs: Sequence[Path], seed: int, tell: Callable[..., None]
) -> tuple[Store, tuple[Path, ...]]:
    """A library and songs: the troupe's own where none are given."""
    from choreodb import sample
    from choreodb.indexer.build import index

    if library is not None and songs:
        return Store.open(library), tuple(songs)
    tell("ann: making a troupe", 0, 1)
    sample.make(folder / "troupe", minutes=minutes, seed=seed)
    heard = tuple(sorted(path for path in (folder / "troupe").rglob("*") if path.suffix in AUDIO_SUFFIXES))
    if library is None:
        index([folder / "troupe"], folder / "library", packing="compact", progress=tell)
        library = folder / "library"
    return Store.open(library), heard


def _sized(folder: Path, found: Takes, queries: Vectors, size: int, seed: int, tell: Callable[..., None]) -> list[Row]:
    """All indexes over so many vectors."""
    tell(f"ann: {size} vectors", 0, len(CONTENDERS))
    vectors = motion_vectors(found, size)
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "queries.npy", queries)
    filters = selections(size, seed)
    truth = {ALL: exact_search(vectors, queries, TOP)[0]}
    for name, allowed in filters.items():
        truth[name] = exact_search(vectors, queries, TOP, np.flatnonzero(allowed))[0]
    for part, arrays in (("filters", filters), ("truth", truth)):
        saved: dict[str, Any] = dict(arrays)
        np.savez(folder / f"{part}.npz", **saved)
    del vectors
    rows: list[Row] = []
    for done, contender in enumerate(CONTENDERS):
        tell(f"ann: {size} vectors, {contender.name}", done, len(CONTENDERS))
        rows += _contender(contender, folder, size, len(queries), found)
    return rows


def selections(size: int, seed: int) -> dict[str, Any]:
    """Filters by name: half of the vectors, one in a hundred, and `FEW`, at random."""
    rng = np.random.default_rng(seed)
    few = np.zeros(size, dtype=np.bool_)
    few[rng.choice(size, FEW, replace=False)] = True
    return {"50 %": rng.random(size) < 0.5, "1 %": rng.random(size) < 0.01, f"{FEW} rows": few}


def _contender(contender: Contender, folder: Path, size: int, queries: int, found: Takes) -> list[Row]:
    base: Row = {"kind": "index", "group": f"{size}", "row": contender.name, "vectors": size, "queries": queries}
    base |= {"captured_s": found.seconds, "captured_windows": len(found.windows)}
    if importlib.util.find_spec(contender.package) is None:
        return [{**base, "stage": ALL, "missing": f"{contender.package} is not installed"}]
    if size > contender.largest:
        return [
            {**base, "stage": ALL, "missing": f"left out above {contender.largest} vectors, where others were faster"}
        ]
    built = _process("build", contender.name, folder)
    searched = _process("search", contender.name, folder) if "failed" not in built else {}
    failed = built.get("failed") or searched.get("failed")
    if failed:
        return [{**base, "stage": ALL, "missing": failed}]
    by_filter = searched.pop("selectivity")
    return [{**base, **built, **searched, "stage": name, **figures} for name, figures in by_filter.items()]


def _process(command: str, name: str, folder: Path) -> dict[str, Any]:
    """What a process of its own printed; `failed` says why where it did not."""
    module = "choreodb.benchmarks.runs.ann_process"
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")}
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, command, name, str(folder)], capture_output=True, text=True, check=False,
            env=environment, timeout=_TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {time.perf_counter() - began:.0f} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no word"])[-1][-200:]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def verdicts(rows: Sequence[Row]) -> list[Row]:
    """One row for each goal and size that the rows can tell of."""
    found: list[Row] = []
    for size in dict.fromkeys(row["vectors"] for row in rows):
        here = [row for row in rows if row["vectors"] == size and "missing" not in row]
        ours = {row["stage"]: row for row in here if row["row"] == OURS}
        least = min((row["recall_50"] for row in ours.values()), default=0.0)
        found.append(_verdict(size, f"recall@50 at every selectivity at least {REACHED}", least, least >= REACHED))
        peers = [
            row["cpu_ms"] for row in here
            if row["stage"] == ALL and row["row"] not in (OURS, LIMIT) and row["recall_50"] >= REACHED
        ]  # fmt: skip
        if ALL not in ours:
            continue
        if size >= 100_000 and peers:
            ratio = ours[ALL]["cpu_ms"] / min(peers)
            passed = ratio <= 1.2 and ours[ALL]["recall_50"] >= REACHED
            found.append(_verdict(size, "CPU of the batch over the fastest other index's, at most 1.2", ratio, passed))
        limit = [row["cpu_ms"] for row in here if row["row"] == LIMIT and row["stage"] == ALL]
        if limit and size >= 100_000:
            gain = limit[0] / ours[ALL]["cpu_ms"]
            found.append(_verdict(size, "times faster than GEMM + topk, at least 12", gain, gain >= 12.0))
    return found


def _verdict(size: int, name: str, value: float, passed: bool) -> Row:
    return goal(name, value, passed, unit="vectors", size=size)


def format_table(rows: Sequence[Row]) -> str:
    """A table of building, one of searching for each size, and the goals."""
    found = [row for row in rows if row["kind"] == "index" and "missing" not in row]
    if not found:
        raise QueryError("no index could be measured")
    first = found[0]
    building = [row for row in found if row["stage"] == ALL]
    made = [
        Column("vectors", "vectors", "d"), Column("row", "index", "s"), Column("build_cpu_s", "build, CPU s", ".1f"),
        Column("build_peak_mb", "peak MB while building", ".0f"), Column("file_mb", "file MB", ".1f"),
        Column("load_ms", "load ms", ".1f"), Column("memory_mb", "memory of its own, MB", ".0f"),
    ]  # fmt: skip
    searching = [
        Column("vectors", "vectors", "d"), Column("stage", "may be found", "s"), Column("row", "index", "s"),
        Column("recall_10", "recall@10", ".4f"), Column("recall_50", "recall@50", ".4f"),
        Column("cpu_ms", "batch, CPU ms", ".1f"), Column("single_p50_ms", "single p50 ms", ".2f"),
        Column("single_p99_ms", "single p99 ms", ".2f"), Column("effort", "effort", "d"),
    ]  # fmt: skip
    about = (
        f"{first['queries']} queries: windows of songs; top {TOP}. Vectors: {first['captured_windows']} overlapping windows of "
        f"{first['captured_s'] / 60.0:.0f} min of captured dance, embedded, then virtual copies of them at other tempi, embedded "
        "anew, and a mirror image of each, whose vector is the same. One thread. Recall is by score, because of the mirror "
        "images. A peer has the least effort at which it reaches 0.99, or its largest; an effort of 0 is the index's own choice."
    )
    missing = [f"- {row['vectors']} vectors, {row['row']}: {row['missing']}" for row in rows if "missing" in row]
    parts = [about, markdown(building, made), markdown(found, searching), *missing]
    return "\n\n".join([*parts, goal_table(rows, "vectors")])


def figures(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """CPU over what is missed, a line for each index, for every size."""
    found = []
    for size in dict.fromkeys(row["vectors"] for row in rows if row["kind"] == "index"):
        series = []
        for row in rows:
            if row["kind"] == "index" and row["vectors"] == size and row["stage"] == ALL and "curve" in row:
                points = [point for point in row["curve"] if point["recall_50"] >= 0.8]
                missed = tuple(100.0 * (1.0 - point["recall_50"]) for point in points)
                series.append((row["row"], missed, tuple(point["cpu_ms"] for point in points)))
        lines = tuple(each for each in series if each[1])
        title = f"{size:,} vectors: CPU ms of a batch of {rows[0]['queries']}"
        found.append(Lines(f"ann-{size}", title, "of the nearest 50, missed, %", lines))
    return tuple(found)
