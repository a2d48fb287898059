"""One index of `bench ann` in a process of its own: building it, or loading and searching it. Prints JSON.

`python -m choreodb.benchmarks.runs.ann_process build|search NAME FOLDER`; the folder holds `vectors.npy`, `queries.npy`,
`filters.npz` and `truth.npz`, all made by `ann`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from choreodb.benchmarks.runs.ann_rows import CONTENDERS, Bools, Contender, Ints, Search, Vectors

TOP = 50
REACHED = 0.99
SINGLE = 200
_SAME_SCORE = 1e-5
_REPEATS, _PATIENCE_S = 2, 10.0


def main(command: str, name: str, folder: Path) -> dict[str, Any]:
    """What `command` found."""
    contender = next(each for each in CONTENDERS if each.name == name)
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    path = folder / "index"
    return _build(contender, vectors, path) if command == "build" else _search(contender, vectors, folder)


def _build(contender: Contender, vectors: Vectors, path: Path) -> dict[str, Any]:
    began = time.process_time()
    contender.build(vectors, path)
    spent, peak_mb = time.process_time() - began, _status_mb("VmHWM")
    return {"build_cpu_s": spent, "build_peak_mb": peak_mb, "file_mb": path.stat().st_size / 1e6}


def _search(contender: Contender, vectors: Vectors, folder: Path) -> dict[str, Any]:
    queries, filters, truth = (
        np.load(folder / "queries.npy"),
        np.load(folder / "filters.npz"),
        np.load(folder / "truth.npz"),
    )
    before, began = _status_mb("RssAnon"), time.perf_counter()
    search = contender.load(vectors, folder / "index")
    load_ms, memory = 1000.0 * (time.perf_counter() - began), _status_mb("RssAnon") - before
    search(queries[:2], TOP, contender.efforts[-1], None)
    found: dict[str, Any] = {"load_ms": load_ms, "memory_mb": memory, "selectivity": {}}
    for name in truth.files:
        allowed = filters[name] if name in filters.files else None
        found["selectivity"][name] = _at(contender, search, vectors, queries, allowed, truth[name])
    return found


def _status_mb(name: str) -> float:
    """A line of the system's account of this process; a peak inherits nothing from the process that started it."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(name))


def _at(
    contender: Contender, search: Search, vectors: Vectors, queries: Vectors, allowed: Bools | None, truth: Vectors
) -> dict[str, Any]:
    """The least effort that reaches `REACHED`, its figures, and (CPU ms, recall) at every effort up to there.

    The effort 0 is what an index chose itself: it is what counts for that index, whatever the others reach.
    """
    curve, chosen = [], None
    for effort in contender.efforts:
        cpu_ms, ids = _timed(search, queries, effort, allowed, 1)
        recall = {top: recall_at(vectors, queries, ids, truth, top) for top in (10, TOP)}
        point = {"effort": effort, "cpu_ms": cpu_ms, "recall_10": recall[10], "recall_50": recall[TOP]}
        curve.append(point)
        own = 0 in contender.efforts
        if (effort == 0) if own else (recall[TOP] >= REACHED or cpu_ms > 1000.0 * _PATIENCE_S):
            chosen = point
            if not own:
                break
    chosen = chosen or curve[-1]
    again = _timed(search, queries, int(chosen["effort"]), allowed, _REPEATS)[0]
    chosen["cpu_ms"] = min(chosen["cpu_ms"], again)
    return {**chosen, **_single(search, queries, int(chosen["effort"]), allowed, chosen["cpu_ms"]), "curve": curve}


def _timed(search: Search, queries: Vectors, effort: int, allowed: Bools | None, repeats: int) -> tuple[float, Ints]:
    """The least CPU ms of a few batches, and what was found."""
    best, spent = np.inf, 0.0
    ids: Ints = np.empty((0, 0), dtype=np.int64)
    for _ in range(repeats):
        began = time.process_time()
        ids = search(queries, TOP, effort, allowed)
        took = time.process_time() - began
        best, spent = min(best, took), spent + took
        if spent > _PATIENCE_S / 4:
            break
    return 1000.0 * best, ids


def recall_at(vectors: Vectors, queries: Vectors, ids: Ints, truth: Vectors, top: int) -> float:
    """Share of the `top` nearest that were found, by score, because twins and mirror images share theirs. truth: scores [Q, K]."""
    there = min(top, truth.shape[1])
    first = np.asarray(ids)
    scores = np.einsum("qkd,qd->qk", vectors[np.maximum(first, 0)], queries)
    scores = -np.sort(-np.where(first >= 0, scores, -np.inf), axis=1)[:, :there]
    return float(np.sum(scores >= truth[:, there - 1 : there] - _SAME_SCORE) / (len(queries) * there))


def _single(search: Search, queries: Vectors, effort: int, allowed: Bools | None, batch_ms: float) -> dict[str, float]:
    """Wall ms of queries one by one: median and 99th percentile; fewer of them where a batch took long."""
    count = SINGLE if batch_ms < 2000.0 else SINGLE // 10
    taken = []
    for at in range(min(count, len(queries))):
        began = time.perf_counter()
        search(queries[at : at + 1], TOP, effort, allowed)
        taken.append(1000.0 * (time.perf_counter() - began))
    return {"single_p50_ms": float(np.percentile(taken, 50)), "single_p99_ms": float(np.percentile(taken, 99))}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
