"""`bench updates`: what rounds of additions and deletions leave of a library, and what each of them costs.

Half of the clips of a library are taken as a library of its own; in every round some of the others come in, and some that are
there go out, by the same code as `merge` and `delete`. At the end it is set against one that is made of the same clips at
once: which segments a search finds, which edges the graph has, how much of it can be walked. Then a hundred and ten clips are
added to a library that virtual copies have filled up, which tells what an update costs in proportion to it and to what is there.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.scale import rates
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import QueryError
from choreodb.indexer import copies, drift, gather, removal, subset
from choreodb.indexer.gather import Taken
from choreodb.storage import history, index
from choreodb.storage.store import Store
from choreodb.storage.upgrade import clip_rows
from choreodb.threads import one_thread

TOP = 16
_QUERIES = 1000
_LEAST_CLIPS = 6


@dataclass(frozen=True, slots=True)
class Effort:
    """rounds of changes; add, delete: shares of all clips a round; minutes of a troupe where no library is given; fill:
    segments of the library that a few clips are added to, and how many clips."""

    rounds: int = 10
    add: float = 0.04
    delete: float = 0.02
    minutes: float = 80.0
    fill: int = 100_000
    few: tuple[int, ...] = (10, 100)


QUICK = Effort(rounds=2, minutes=6.0, add=0.2, delete=0.1, fill=2_000, few=(1, 3))


def run(request: BenchRequest) -> BenchResult:
    """On the captured clips of the request's library, else of a troupe that it makes."""
    rows = bench_updates(
        QUICK if request.quick else Effort(), library=request.library, seed=request.seed, progress=request.progress
    )
    return BenchResult("updates", rows, format_table(rows))


def bench_updates(
    effort: Effort, *, library: Path | None = None, seed: int = 0, progress: Callable[..., None] | None = None
) -> list[Row]:
    """A row a round, one of the whole against its rebuild, and one for each small addition to a large library."""
    tell = progress or (lambda *_: None)
    with tempfile.TemporaryDirectory() as folder, one_thread():
        whole = Store.open(library or _troupe(Path(folder), effort.minutes, seed, tell))
        rows = _rounds(whole, Path(folder), effort, np.random.default_rng(seed), tell)
        return [*rows, *_additions(whole, Path(folder), effort, tell)]


def _troupe(folder: Path, minutes: float, seed: int, tell: Callable[..., None]) -> Path:
    from choreodb import sample
    from choreodb.indexer.build import index as make

    tell("updates: making a troupe", 0, 1)
    sample.make(folder / "troupe", minutes=minutes, seed=seed)
    make([folder / "troupe"], folder / "whole", packing="compact", progress=tell)
    return folder / "whole"


def _captured(store: Store) -> list[dict[str, Any]]:
    return [row for row in clip_rows(store) if row["copy_of"] is None]


def _rounds(
    whole: Store, folder: Path, effort: Effort, rng: np.random.Generator, tell: Callable[..., None]
) -> list[Row]:
    rows = _captured(whole)
    if len(rows) < _LEAST_CLIPS:
        raise QueryError(f"library {str(whole.place)!r} has {len(rows)} clips; bench updates needs {_LEAST_CLIPS}")
    # clips come in as productions do, style by style: the harder case, for what the library is like moves
    order = sorted(rows, key=lambda row: (str(row["style"]), str(row["clip"])))
    half = rng.permutation(len(order))[: len(order) // 2]
    first = {order[at]["clip"] for at in half}
    waiting = [row for row in order if row["clip"] not in first]
    store = subset.export(whole, folder / "changing", subset.choose(whole, first))
    out: list[Row] = []
    for number in range(effort.rounds):
        tell(f"updates: round {number + 1}", number, effort.rounds)
        coming, waiting = waiting[: round(effort.add * len(rows))], waiting[round(effort.add * len(rows)) :]
        there = [row["clip"] for row in _captured(store)]
        going = sorted(rng.choice(there, round(effort.delete * len(rows)), replace=False).tolist())
        row: Row = {"kind": "round", "round": number + 1, "added": len(coming), "deleted": len(going)}
        before = store.meta["fit"]
        store, row["add_s"] = _timed(partial(_added, store, whole, coming))
        row["fitted_by_add"] = store.meta["fit"] != before
        before = store.meta["fit"]
        store, row["delete_s"] = _timed(partial(removal.delete, store, going))
        row["fitted_by_delete"] = store.meta["fit"] != before
        row |= {"segments": store.manifest.rows("segments"), "drift": _drift(store)}
        out.append(row)
    tell("updates: a library of the same clips at once", 0, 1)
    left = {row["clip"] for row in _captured(store)}
    again, seconds = _timed(lambda: subset.export(whole, folder / "again", subset.choose(whole, left)))
    return [*out, {"kind": "rebuild", "rebuild_s": seconds, **compare(store, again, rng)}]


def _timed(make: Callable[[], Store]) -> tuple[Store, float]:
    cpu = time.process_time()
    store = make()
    return store, time.process_time() - cpu


def _added(store: Store, whole: Store, rows: Sequence[dict[str, Any]]) -> Store:
    """The clips of `rows` put into a library as `merge` does it, without verifying where they come from."""
    songs = {row["music"]: row for row in [*whole.table("music").to_pylist(), *store.table("music").to_pylist()]}
    taken = [*(Taken(row, store) for row in clip_rows(store)), *(Taken(row, whole) for row in rows)]
    change = {"action": "merge", "added": len(rows), "libraries": 1}
    return gather.commit(store, taken, songs, change=change, progress=lambda *_: None)


def _drift(store: Store) -> float:
    arrays = {name: store.array(name) for name in ("embeddings", "entry")}
    return drift.between(store.meta["fit"], drift.state(arrays, drift.captured(store), store.meta["encoder"]))


def compare(store: Store, again: Store, rng: np.random.Generator) -> Row:
    """How alike two libraries of the same clips are: what is found near a segment in each, and their edges."""
    keys = [_keys(each) for each in (store, again)]
    if set(keys[0]) != set(keys[1]):
        raise QueryError("the two libraries have different segments, and cannot be compared")
    place = {key: row for row, key in enumerate(keys[1])}
    same = np.array([place[key] for key in keys[0]], dtype=np.int64)
    chosen = np.sort(rng.choice(len(same), min(_QUERIES, len(same)), replace=False))
    found = same[_nearest(store, chosen)]
    expected = _nearest(again, same[chosen])
    shared = [len(set(one) & set(two)) / len(two) for one, two in zip(found.tolist(), expected.tolist(), strict=True)]
    edges = [set(zip(*ends, strict=True)) for ends in (_edges(store, same), _edges(again, None))]
    walkable = [float(each.columns("segments", ["walkable"]).column(0).to_numpy().mean()) for each in (store, again)]
    costs = [float(each.columns("transitions", ["cost"]).column(0).to_numpy().mean()) for each in (store, again)]
    return {
        "segments": len(same), "recall": float(np.mean(shared)), "recall_worst_tenth": float(np.quantile(shared, 0.1)),
        "edges": len(edges[1]), "edges_kept": len(edges[0] & edges[1]) / max(len(edges[1]), 1),
        "edges_more": len(edges[0] - edges[1]) / max(len(edges[1]), 1),
        "walkable": walkable[0], "walkable_again": walkable[1], "cost": costs[0], "cost_again": costs[1],
    }  # fmt: skip


def _keys(store: Store) -> list[tuple[Any, ...]]:
    table = store.columns("segments", ["clip", "mirrored", "first_bar"])
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _nearest(store: Store, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    queries = np.ascontiguousarray(store.array("embeddings")[rows])
    return index.choose(store, "exact").search(queries, TOP)[1]


def _edges(store: Store, number: npt.NDArray[np.int64] | None) -> list[list[int]]:
    table = store.columns("transitions", ["source", "target"])
    ends = [column.to_numpy() for column in table.columns]
    return [(each if number is None else number[each]).tolist() for each in ends]


def _additions(whole: Store, folder: Path, effort: Effort, tell: Callable[..., None]) -> list[Row]:
    """Few clips and more of them, added to the library that the others and their copies make."""
    rows = _captured(whole)
    most = min(max(effort.few), len(rows) // 3)
    late = rows[:: len(rows) // most][:most]
    names = {row["clip"] for row in rows} - {row["clip"] for row in late}
    tell("updates: filling a library", 0, 1)
    store = subset.export(whole, folder / "large", subset.choose(whole, names))
    captured = store.manifest.rows("segments")
    tempi = rates(max(0, -(-effort.fill // captured) - 1))
    store = copies.add_copies(store, tempi) if tempi else store
    out: list[Row] = []
    for few in (*effort.few[:-1], most):
        tell(f"updates: adding {few} clips", 0, 1)
        after, seconds = _timed(partial(_added, store, whole, late[:few]))
        out.append(
            {
                "kind": "addition", "there": store.manifest.rows("segments"), "captured": captured, "clips": few,
                "segments": after.manifest.rows("segments") - store.manifest.rows("segments"),
                "fitted": after.meta["fit"] != store.meta["fit"], "cpu_s": seconds,
                "written": _new_bytes(store, after), "bytes": sum(entry.bytes for entry in after.manifest.files()),
            }
        )  # fmt: skip
        # the next one starts where this one did
        store = history.rollback(after.place, store.version)
    return out


def _new_bytes(before: Store, after: Store) -> int:
    known = {entry.path for entry in before.manifest.files()}
    return sum(entry.bytes for entry in after.manifest.files() if entry.path not in known)


def format_table(rows: Sequence[Row]) -> str:
    """Three tables: rounds, the end against a rebuild, small additions."""
    rounds = [
        Column("round", "round", "d"), Column("added", "clips in", "d"), Column("deleted", "clips out", "d"),
        Column("segments", "segments", "d"), Column("add_s", "adding, CPU s", ".2f"), Column("fitted_by_add", "fitted anew", "s"),
        Column("delete_s", "deleting, CPU s", ".2f"), Column("fitted_by_delete", "fitted anew", "s"), Column("drift", "drift left", ".4f"),
    ]  # fmt: skip
    end = [
        Column("segments", "segments", "d"), Column("recall", "recall@16", ".4f"), Column("recall_worst_tenth", "of the worst tenth", ".3f"),
        Column("edges", "edges of the rebuild", "d"), Column("edges_kept", "of these here", ".4f"), Column("edges_more", "more here", ".4f"),
        Column("walkable", "walkable", ".4f"), Column("walkable_again", "in the rebuild", ".4f"), Column("cost", "mean cost", ".4f"),
        Column("cost_again", "in the rebuild", ".4f"), Column("rebuild_s", "rebuilding, CPU s", ".1f"),
    ]  # fmt: skip
    few = [
        Column("there", "segments there", "d"), Column("captured", "captured", "d"), Column("clips", "clips in", "d"),
        Column("segments", "segments in", "d"), Column("fitted", "fitted anew", "s"), Column("cpu_s", "CPU s", ".2f"),
        Column("written", "bytes written", "d"), Column("bytes", "of", "d"),
    ]  # fmt: skip
    kinds = [("round", rounds), ("rebuild", end), ("addition", few)]
    said = [
        {**row, **{name: "yes" if row[name] else "no" for name in row if name.startswith("fitted")}} for row in rows
    ]
    tables = [markdown([row for row in said if row["kind"] == kind], columns) for kind, columns in kinds]
    return "\n\n".join(
        [
            *tables,
            f"Fitted anew: what everything is relative to was taken again, because it had drifted by more than {drift.LIMIT:g}, or "
            f"because the library had no more than {drift.SMALL} captured segments.",
        ]
    )
