"""`bench concurrency`: processes that query a library while another commits versions to it and removes old ones.

Every reader opens the newest version, searches with a song under a predicate, counts with SQL and reads the frames of
its best hit, again and again. The writer relabels, deletes, goes back and compacts, and vacuums after every few commits;
of each version it notes the digest of the same answers, read in peace. No query may fail, and every answer must be the
one of the version that it names.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from choreodb.benchmarks.runs.machine import THREAD_VARIABLES
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import ChoreoError, QueryError

if TYPE_CHECKING:
    from choreodb.music.music import Music
    from choreodb.storage.store import Store

_TOP = 5
_WAIT_S = 600.0
_COLUMNS = (
    Column("row", "", "s"),
    Column("readers", "readers", "d"),
    Column("commits", "commits", "d"),
    Column("vacuums", "vacuums", "d"),
    Column("removed", "versions removed", "d"),
    Column("spared", "spared for a reader", "d"),
    Column("queries", "queries", "d"),
    Column("versions_seen", "versions seen", "d"),
    Column("failed", "failed", "d"),
    Column("wrong", "wrong", "d"),
    Column("query_ms", "query ms (median)", ".1f"),
    Column("commit_ms", "commit ms (median)", ".1f"),
)


@dataclass(frozen=True, slots=True)
class Load:
    """How much goes on at once. vacuum_every: commits from one vacuum to the next."""

    readers: int = 8
    commits: int = 50
    vacuum_every: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query gave: the version it names, a digest of the rest, and milliseconds of wall time."""

    version: int
    digest: str
    ms: float


@dataclass(frozen=True, slots=True)
class Reader:
    """A process that asks, and the file with its answers."""

    process: subprocess.Popen[bytes]
    output: Path


def run(request: BenchRequest) -> BenchResult:
    """Run on a copy of the request's library and its first song; QueryError where either is missing."""
    if request.library is None or not request.songs:
        raise QueryError("bench concurrency needs a library and a song; give `bench concurrency LIB SONG`")
    load = Load(readers=2, commits=6, vacuum_every=2) if request.quick else Load()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        shutil.copytree(request.library, library)
        row = bench_concurrency(library, request.songs[0], load, progress=request.progress)
    return BenchResult("concurrency", [row], markdown([row], _COLUMNS))


def bench_concurrency(library: Path, song: Path, load: Load, *, progress: Callable[..., None] | None = None) -> Row:
    """The row of one run on `library`, which is written to."""
    tell = progress or (lambda *_: None)
    with tempfile.TemporaryDirectory() as folder, _readers(library, song, Path(folder), load.readers) as readers:
        expected, commits_ms, removed, spared = _write(library, song, load, tell)
        (Path(folder) / "stop").touch()
        answers, failures = _collect(readers)
    wrong = [answer for answer in answers if expected.get(answer.version) != answer.digest]
    return {
        "row": library.name,
        "readers": load.readers,
        "commits": load.commits,
        "vacuums": load.commits // load.vacuum_every,
        "removed": removed,
        "spared": spared,
        "queries": len(answers) + len(failures),
        "versions_seen": len({answer.version for answer in answers}),
        "failed": len(failures),
        "wrong": len(wrong),
        "query_ms": median(answer.ms for answer in answers) if answers else None,
        "commit_ms": median(commits_ms),
        "failures": failures[:3],
    }


def ask(store: Store, music: Music) -> str:
    """Digest of what is asked of one version: search under a predicate, a count in SQL, and the best hit's frames."""
    from choreodb.library import Library
    from choreodb.storage.sql import query

    document = Library(store).search(music=music, top=_TOP, where="not short").as_dict()
    counts = query(store, "select style, count(*) from segments group by 1 order by 1").as_dict()
    if {document["library_version"], counts["library_version"]} != {store.version}:
        raise ChoreoError(f"an answer names version {document['library_version']}, and {store.version} was open")
    hit = document["windows"][0]["hits"][0]
    frames = store.read_motion(hit["clip"], int(hit["start_s"] * 60), int(hit["end_s"] * 60))
    del document["library_version"], counts["library_version"]
    digest = hashlib.sha256(json.dumps([document, counts], sort_keys=True).encode())
    for part in frames:
        digest.update(part.tobytes())
    return digest.hexdigest()


def _write(
    library: Path, song: Path, load: Load, tell: Callable[..., None]
) -> tuple[dict[int, str], list[float], int, int]:
    """Digest of every version, milliseconds of every commit, and how many versions went and were spared."""
    from choreodb.music.music import Music
    from choreodb.storage.history import vacuum
    from choreodb.storage.store import Store

    music = Music.load(song)
    store = Store.open(library)
    expected = {store.version: ask(store, music)}
    taken: list[float] = []
    removed = spared = 0
    for number in range(load.commits):
        tell("committing", number, load.commits)
        began = time.perf_counter()
        store = _change(store, number)
        taken.append(1000.0 * (time.perf_counter() - began))
        expected[store.version] = ask(store, music)
        if (number + 1) % load.vacuum_every == 0:
            done = vacuum(library, keep=1)
            removed += len(done.removed)
            spared += len(done.in_use)
    return expected, taken, removed, spared


def _change(store: Store, number: int) -> Store:
    """The next version: relabelled, less a clip, back to what it was before that, packed anew, in turns."""
    from choreodb.storage import edit, history

    clips = [str(clip) for clip in store.columns("clips", ["clip"]).column("clip").to_pylist()]
    chosen = clips[number % len(clips)]
    kind = number % 4
    if kind == 1 and len(clips) > 2:
        return edit.delete(store, [chosen])
    # where a vacuum has just taken the parent, there is nothing to go back to
    if kind == 2 and store.manifest.parent in type(store).versions(store.place):
        return history.rollback(store.place, store.manifest.parent)
    after = edit.compact(store) if kind == 3 else store
    if after.version == store.version:
        after = edit.relabel(store, [chosen], {"style": f"style {number}"})
    return after


@contextmanager
def _readers(library: Path, song: Path, folder: Path, count: int) -> Iterator[list[Reader]]:
    """Reader processes that have answered once each; those that are left at the end are killed."""
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, "1")
    command = [sys.executable, "-m", "choreodb.benchmarks.runs.concurrency", str(library), str(song), str(folder)]
    readers: list[Reader] = []
    try:
        for number in range(count):
            output = folder / f"{number}.jsonl"
            with output.open("wb") as file:
                process = subprocess.Popen([*command, str(number)], stdout=file, env=environment)
            readers.append(Reader(process, output))
        _await(folder, count)
        yield readers
    finally:
        for reader in readers:
            reader.process.kill()
            reader.process.wait()


def _await(folder: Path, count: int) -> None:
    until = time.monotonic() + _WAIT_S
    while len(list(folder.glob("*.ready"))) < count:
        if time.monotonic() > until:
            raise ChoreoError(f"the readers did not answer within {_WAIT_S:.0f} s")
        time.sleep(0.05)


def _collect(readers: list[Reader]) -> tuple[list[Answer], list[str]]:
    answers: list[Answer] = []
    failures: list[str] = []
    for reader in readers:
        status = reader.process.wait(timeout=_WAIT_S)
        for line in reader.output.read_text().splitlines():
            row = json.loads(line)
            if "failure" in row:
                failures.append(row["failure"])
            else:
                answers.append(Answer(**row))
        if status != 0:
            failures.append(f"a reader ended with status {status}")
    return answers, failures


def read(library: Path, song: Path, folder: Path, name: str) -> None:
    """Ask until the writer is done; a line of JSON for every query."""
    from choreodb.music.music import Music
    from choreodb.storage.store import Store

    music = Music.load(song)
    stop, ready = folder / "stop", folder / f"{name}.ready"
    while not stop.exists():
        began = time.perf_counter()
        try:
            store = Store.open(library)
            digest = ask(store, music)
            row: Row = {"version": store.version, "digest": digest, "ms": 1000.0 * (time.perf_counter() - began)}
        except Exception as error:
            row = {"failure": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
        ready.touch()


if __name__ == "__main__":
    read(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
