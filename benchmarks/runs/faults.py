"""`bench faults`: what a library is after its writer was killed, lost power, disk or rights, and after its files were damaged.

Every operation is first run whole, which counts its calls to the disk. Then it is run again and again on a copy of the same
library, in a process of its own, and something happens at one of these calls, or at any moment. Afterwards the library must
open at the old or the new version, with every byte of it as it was or as it should be, verify must find nothing, and
running the operation again must end where the undisturbed one ended.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from choreodb.benchmarks.runs import mutations
from choreodb.benchmarks.runs.faulty_disk import Fault, FaultyDisk, Kind, cut_power
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import ChoreoError
from choreodb.storage.folder import TEMPORARY, FolderPlace
from choreodb.storage.place import Place

CLIPS, FIRST = 4, 2
_SECONDS = 5.0
_TIMEOUT_S = 120.0


def _index(place: Place, source: Path) -> None:
    from choreodb.indexer.build import index

    index([source], place)


def _update(place: Place, source: Path) -> None:
    """`index` into what counts as a large library: what is there stays as it is, and what is new is set against it."""
    from choreodb.indexer import drift

    kept = drift.SMALL, drift.LIMIT
    drift.SMALL, drift.LIMIT = 0, float("inf")
    try:
        _index(place, source)
    finally:
        drift.SMALL, drift.LIMIT = kept


def _delete(place: Place, source: Path) -> None:
    from choreodb.indexer import removal
    from choreodb.storage.store import Store

    removal.delete(Store.open(place), ["troupe/clip0"], reason="consent withdrawn")


def _relabel(place: Place, source: Path) -> None:
    from choreodb.storage import edit
    from choreodb.storage.store import Store

    edit.relabel(Store.open(place), ["troupe/clip0"], {"style": "waltz"})


def _compact(place: Place, source: Path) -> None:
    from choreodb.storage import edit
    from choreodb.storage.store import Store

    edit.compact(Store.open(place))


def _vacuum(place: Place, source: Path) -> None:
    from choreodb.storage import history

    history.vacuum(place)


def _rollback(place: Place, source: Path) -> None:
    from choreodb.storage import history

    history.rollback(place, 1)


OPERATIONS: dict[str, Callable[[Place, Path], None]] = {
    "index": _index,
    "update": _update,
    "delete": _delete,
    "relabel": _relabel,
    "compact": _compact,
    "vacuum": _vacuum,
    "rollback": _rollback,
}


@dataclass(frozen=True, slots=True)
class Effort:
    """How much: random kills an operation; the most calls of one that are tried, and of its writes; calls at which the disk
    is full or forbidden; mutations in all."""

    random_kills: int = 10
    calls: int = 10_000
    writes: int = 6
    refusals: int = 8
    mutations: int = 2200
    operations: tuple[str, ...] = tuple(OPERATIONS)


QUICK = Effort(random_kills=1, calls=1, writes=1, refusals=1, mutations=24, operations=("index", "vacuum"))


@dataclass(frozen=True, slots=True)
class Trial:
    """One disturbed run: what was wrong afterwards (nothing is expected), and whether the new version was there."""

    problems: tuple[str, ...]
    committed: bool
    ended: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the trials happen. base: the library before; source: what is indexed into it."""

    folder: Path
    base: Path
    source: Path


def run(request: BenchRequest) -> BenchResult:
    """Needs nothing but disk; the library it breaks is its own."""
    rows = bench_faults(QUICK if request.quick else Effort(), seed=request.seed, progress=request.progress)
    return BenchResult("faults", rows, format_table(rows))


def bench_faults(effort: Effort, *, seed: int = 0, progress: Callable[..., None] | None = None) -> list[Row]:
    """Rows by operation and kind of fault, then rows by kind of file that was damaged."""
    tell = progress or (lambda *_: None)
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        bench = prepare(Path(folder), seed=seed)
        rows = []
        for name in effort.operations:
            tell(f"faults: {name}", 0, 1)
            rows += _disturbed(bench, name, effort, rng)
        tell("faults: damaged files", 0, 1)
        rows += mutations.bench(bench.folder, effort.mutations, rng)
    return rows


def prepare(folder: Path, *, seed: int = 0) -> Bench:
    """A library of several versions with something to index, to compact and to vacuum."""
    from choreodb.motion import bvh
    from choreodb.motion.motion import Motion
    from choreodb.motion.skeleton import CHOREO22
    from choreodb.storage import edit
    from choreodb.storage.specimen import random_motion
    from choreodb.storage.store import Store

    rng = np.random.default_rng(seed)
    source, base = folder / "troupe", folder / "base"
    source.mkdir()
    for number in range(CLIPS):
        rotations, root, _ = random_motion(rng, round(60 * _SECONDS), 22)
        moved = root.astype(np.float64) * 0.1 + np.array([0.0, 0.9, 0.0])
        bvh.save(Motion(rotations.astype(np.float64), moved, CHOREO22, 60.0), source / f"clip{number}.bvh")
        if number + 1 == FIRST:
            _index(FolderPlace(base), source)
    late = source / f"clip{CLIPS - 1}.bvh"
    late.rename(folder / late.name)
    _index(FolderPlace(base), source)
    edit.delete(Store.open(base), [f"troupe/clip{FIRST - 1}"])
    (folder / late.name).rename(late)
    return Bench(folder, base, source)


def _disturbed(bench: Bench, name: str, effort: Effort, rng: np.random.Generator) -> list[Row]:
    whole = bench.folder / f"{name}-whole"
    shutil.copytree(bench.base, whole)
    disk = FaultyDisk(Fault(), bench.folder / f"{name}-journal")
    began = time.perf_counter()
    OPERATIONS[name](FolderPlace(whole, disk), bench.source)
    seconds = time.perf_counter() - began
    expected = newest(whole)
    rows = []
    for title, faults in _faults(disk.calls, effort, rng):
        trials = [_trial(bench, name, fault, expected, title, rng, seconds) for fault in faults]
        rows.append(_row(name, title, trials))
    return rows


def _faults(calls: Sequence[str], effort: Effort, rng: np.random.Generator) -> Iterator[tuple[str, list[Fault]]]:
    """Kinds of fault, and where each strikes: at every call that is no write, and at some writes."""
    writes = [number for number, call in enumerate(calls) if call == "write"]
    others = [number for number, call in enumerate(calls) if call != "write"]
    chosen = sorted(rng.choice(writes, min(effort.writes, len(writes)), replace=False).tolist()) if writes else []
    places = sorted([*rng.permutation(others)[: effort.calls].tolist(), *chosen])
    yield "killed before a call", [Fault("kill", number) for number in places]
    yield "power cut after a call", [Fault("kill", number, after=True) for number in places]
    some = sorted(rng.permutation(places)[: effort.refusals].tolist())
    yield "disk full from a call on", [Fault("full", number) for number in some]
    yield "forbidden from a call on", [Fault("denied", number) for number in some]
    yield "killed at any moment", [Fault()] * effort.random_kills


def _row(name: str, title: str, trials: Sequence[Trial]) -> Row:
    problems = [problem for trial in trials for problem in trial.problems]
    return {
        "kind": "fault",
        "operation": name,
        "fault": title,
        "trials": len(trials),
        "old": sum(not trial.committed for trial in trials),
        "new": sum(trial.committed for trial in trials),
        "bad": sum(bool(trial.problems) for trial in trials),
        "first": problems[0] if problems else None,
    }


def _trial(
    bench: Bench, name: str, fault: Fault, expected: bytes, title: str, rng: np.random.Generator, seconds: float
) -> Trial:
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    library, journal = folder / "library", folder / "journal"
    shutil.copytree(bench.base, library)
    before = newest(library)
    delay_s = None if fault.kind != "none" else float(rng.uniform(0.0, 1.2 * seconds))
    ended, said = _in_child(name, library, bench.source, fault, journal, delay_s)
    if title.startswith("power"):
        cut_power(journal, rng)
    committed = newest(library) == expected != before
    problems = list(_wrong(bench, name, library, before, expected, ended, said, fault.kind))
    shutil.rmtree(folder)
    return Trial(tuple(f"{fault}: {problem}" for problem in problems), committed, ended)


def newest(library: Path) -> bytes:
    """The bytes of the newest manifest, which name the hash of every file."""
    return max((library / "manifests").glob("m-*.json")).read_bytes()


def _wrong(
    bench: Bench, name: str, library: Path, before: bytes, expected: bytes, ended: str, said: str, kind: Kind
) -> Iterator[str]:
    """Everything that is not as it should be after a trial, and after the operation is run again."""
    from choreodb.storage.store import Store
    from choreodb.storage.verify import verify

    if ended not in ("done", "refused", "killed"):
        yield f"ended with {ended}: {said}"
    if kind in ("full", "denied") and ended == "refused" and ("\n" in said or str(library) not in said):
        yield f"said {said!r}"
    now = newest(library)
    if now not in (before, expected):
        yield "is neither the old nor the new version"
    if ended == "done" and now != expected:
        yield "said that it was done, and was not"
    try:
        Store.open(library)
        yield from (f"verify: {problem}" for problem in verify(library))
        if now == before:
            OPERATIONS[name](FolderPlace(library), bench.source)
            if newest(library) != expected:
                yield "run again, it ends elsewhere"
            yield from (f"verify, run again: {problem}" for problem in verify(library))
            left = [path.name for path in library.rglob(f"{TEMPORARY}*")]
            if left:
                yield f"leaves {left[0]}"
    except ChoreoError as error:
        yield str(error)


def _in_child(
    name: str, library: Path, source: Path, fault: Fault, journal: Path, delay_s: float | None
) -> tuple[str, str]:
    """How the operation ended in a process of its own: done, refused, killed, late or failed; and what it said."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "choreodb.indexer.build", "choreodb.storage.verify"])
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_operate, args=(name, library, source, fault, journal, there))
    child.start()
    there.close()
    try:
        started = here.poll(_TIMEOUT_S) and here.recv() == "started"
        if delay_s is not None and started and child.pid is not None:
            time.sleep(delay_s)
            # it may be through already
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
        child.join(_TIMEOUT_S)
        if child.is_alive():
            child.kill()
            child.join()
            return "late", f"still at it after {_TIMEOUT_S:.0f} s"
        ended, said = here.recv() if here.poll() else ("failed", f"exit {child.exitcode}")
    except EOFError:
        ended, said = "failed", f"exit {child.exitcode}"
    finally:
        here.close()
    return ("killed", "") if child.exitcode == -signal.SIGKILL and ended == "failed" else (ended, said)


def _operate(name: str, library: Path, source: Path, fault: Fault, journal: Path, answer: object) -> None:
    from multiprocessing.connection import Connection

    assert isinstance(answer, Connection)
    answer.send("started")
    try:
        OPERATIONS[name](FolderPlace(library, FaultyDisk(fault, journal)), source)
    except ChoreoError as error:
        answer.send(("refused", str(error)))
    except BaseException as error:
        answer.send(("failed", f"{type(error).__name__}: {error}"))
    else:
        answer.send(("done", ""))


def format_table(rows: Sequence[Row]) -> str:
    """Two tables: disturbed writers, damaged files."""
    faults = [row for row in rows if row["kind"] == "fault"]
    total, bad = sum(row["trials"] for row in faults), sum(row["bad"] for row in faults)
    columns = [
        Column("operation", "operation", "s"), Column("fault", "fault", "s"), Column("trials", "trials", "d"),
        Column("old", "at the old version", "d"), Column("new", "at the new version", "d"), Column("bad", "bad", "d"),
        Column("first", "first that was bad", "s"),
    ]  # fmt: skip
    return "\n\n".join(
        [
            markdown(faults, columns),
            f"{total} trials, {bad} bad. Vacuum and index of nothing new make no version.",
            mutations.format_table([row for row in rows if row["kind"] == "damage"]),
        ]
    )
