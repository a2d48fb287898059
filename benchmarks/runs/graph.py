"""`bench graph`: the nearest bar lines of every bar line, by cells and by matrix products of all pairs; and twins.

Bar lines are exits and entries of the bars of a troupe, then of virtual copies of them at other tempi and of mirror images.
Products are taken for some of the sources and scaled to all of them, because their cost is the same for every source.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.ann_vectors import Takes, boundary_lines, takes
from choreodb.benchmarks.runs.goals import goal, goal_table
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.storage import graph, neighbours
from choreodb.storage.store import Store
from choreodb.threads import one_thread

Ints = npt.NDArray[np.int64]

DEGREE = 32
SOURCES = 2000
RECALL, GAIN = 0.9, 5.0
JUDGED = 100_000
"""The goals are about so many lines."""

WATCHED = {"recall": Watch("higher", least=0.005), "cells_cpu_s": Watch("lower", relative=0.1, timing=True)}


@dataclass(frozen=True, slots=True)
class Effort:
    """sizes: bar lines. minutes: of captured dance that they are of."""

    sizes: tuple[int, ...] = (10_000, 30_000, JUDGED)
    minutes: float = 60.0


def run(request: BenchRequest) -> BenchResult:
    """On the bars of the request's library, else of a troupe that it makes."""
    effort = Effort((4_000,), 2.0) if request.quick else Effort()
    rows = bench_graph(effort, request.library, request.seed, request.progress)
    return BenchResult("graph", rows, format_table(rows))


def bench_graph(effort: Effort, library: Path | None, seed: int, tell: Callable[..., None]) -> list[Row]:
    """A row for each number of bar lines, and the goals."""
    from choreodb import sample
    from choreodb.indexer.build import index

    with tempfile.TemporaryDirectory() as folder, one_thread():
        if library is None:
            tell("graph: making a troupe", 0, 1)
            sample.make(Path(folder) / "troupe", minutes=effort.minutes, seed=seed)
            library = Path(folder) / "library"
            index([Path(folder) / "troupe"], library, packing="compact", progress=tell)
        found = takes(Store.open(library), tell)
    rows = [_sized(found, size, seed, tell) for size in effort.sizes]
    return [*rows, *_goals(rows)]


def _sized(found: Takes, size: int, seed: int, tell: Callable[..., None]) -> Row:
    tell(f"graph: {size} bar lines", 0, 1)
    entry, leave, barred = boundary_lines(found, size)
    every = np.arange(size)
    with one_thread():
        # the first call compiles
        neighbours.nearest(leave, entry, every[:10], DEGREE, barred)
        began = time.process_time()
        near = neighbours.nearest(leave, entry, every, DEGREE, barred)
        cells_s = time.process_time() - began
        some = np.sort(np.random.default_rng(seed).choice(size, min(SOURCES, size), replace=False))
        graph.nearest_of_all(leave, entry, some[:10], DEGREE, barred)
        began = time.process_time()
        truth = graph.nearest_of_all(leave, entry, some, DEGREE, barred)
        pairs_s = (time.process_time() - began) * size / len(some)
    return {
        "kind": "graph", "group": f"{size}", "row": "cells", "lines": size, "captured_lines": len(found.start_s),
        "dimensions": entry.shape[1], "cells_cpu_s": cells_s, "pairs_cpu_s": pairs_s, "gain": pairs_s / cells_s,
        "recall": recall(near[some], truth), "seconds": found.seconds, "sources": len(some),
    }  # fmt: skip


def recall(found: Ints, truth: Ints) -> float:
    """Share of the ids of `truth` [M, K] that are in the same row of `found`."""
    shared = [len(np.intersect1d(one, other[other >= 0])) for one, other in zip(found, truth, strict=True)]
    return float(np.sum(shared) / max(1, np.count_nonzero(truth >= 0)))


def _goals(rows: Sequence[Row]) -> list[Row]:
    out: list[Row] = []
    for row in rows:
        if row["lines"] >= JUDGED:
            for name, value, passed in (
                (f"recall@{DEGREE} at least {RECALL}", row["recall"], row["recall"] >= RECALL),
                (f"at least {GAIN:g} times faster than products", row["gain"], row["gain"] >= GAIN),
            ):
                out.append(goal(name, value, passed, unit="lines", size=row["lines"]))
    return out


def format_table(rows: Sequence[Row]) -> str:
    """A row for each size, and the goals."""
    found = [row for row in rows if row["kind"] == "graph"]
    first = found[0]
    columns = [
        Column("lines", "bar lines", "d"), Column("pairs_cpu_s", "all pairs, CPU s", ".1f"),
        Column("cells_cpu_s", "cells, CPU s", ".1f"), Column("gain", "times faster", ".1f"),
        Column("recall", f"recall@{DEGREE}", ".4f"),
    ]  # fmt: skip
    about = (
        f"The nearest {DEGREE} of {first['dimensions']} numbers each; {first['captured_lines']} bar lines of "
        f"{first['seconds'] / 60.0:.0f} min of captured dance and their mirror images, the others virtual copies at other tempi. "
        f"One thread. All pairs: taken for {first['sources']} sources and scaled. `index` takes all pairs up to "
        f"{graph.EXACT_LINES} lines, cells above."
    )
    return "\n\n".join(filter(None, [about, markdown(found, columns), goal_table(rows, "lines", "bar lines")]))
