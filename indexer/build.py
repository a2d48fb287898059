"""Index folders of motion and music into a library: only what is new or changed is read; one commit at the end."""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa

from choreodb.errors import ChoreoError, ConflictError
from choreodb.indexer import connect, ingest, update
from choreodb.indexer.deleted import Deleted
from choreodb.indexer.discover import ClipSource, Discovery, discover
from choreodb.indexer.encoders import recorded, registry
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.ingest import ClipSegments, Ingested, Task
from choreodb.indexer.labels import ClipSettings, Problem
from choreodb.indexer.staging import Staging
from choreodb.indexer.summary import Summary, coverage
from choreodb.indexer.update import Derived
from choreodb.storage import edit
from choreodb.storage.manifest import FileEntry
from choreodb.storage.motion_blocks import PACKINGS, Packing
from choreodb.storage.motion_table import MotionArrays, MotionWriter
from choreodb.storage.place import Place
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS, MUSIC
from choreodb.threads import one_thread

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); stages are `discover`, `read`, `connect` and `commit`."""

Row = dict[str, Any]

_JOB_CLIPS = 8


@dataclass(slots=True)
class _Library:
    """The library as it will be: rows by clip and by song, descriptions of clips that are read already."""

    clips: dict[str, Row]
    songs: dict[str, Row]
    unmirrored: set[str]
    described: dict[str, ClipSegments] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    trained: Trained | None = None

    @property
    def touched(self) -> set[str]:
        """Clips that this run adds, changes or drops."""
        return {*self.added, *self.changed}


def index(
    sources: Sequence[Path],
    library: Place | Path,
    *,
    strict: bool = False,
    progress: Progress | None = None,
    jobs: int | None = 1,
    packing: Packing | None = None,
    restore: bool = False,
    reading: ClipSettings | None = None,
    encoder: str | Path | None = None,
) -> Summary:
    """Bring the clips of `sources` (folders or files) into the library at `library`, which is made if it is not there.

    A file that cannot be read is skipped and reported in the summary, unless `strict`. Clips of earlier runs stay;
    where nothing is new, no version is made. Interrupting, or a kill, leaves the previous version as it was; the next run
    does not read again what this one had read. Clips that were deleted from the library stay out, unless `restore`. Where
    another process commits meanwhile, both keep what they did, unless that is the same clip. jobs: processes
    that read files (None: one per core); a script that asks for more than one needs the usual main guard. The result does
    not depend on it, nor on the order of `sources`. What the embeddings and the graph are relative to is fitted anew with
    every run into a small library, and into a larger one once what it holds has drifted from that (`drift`); in between only what is new is embedded
    and connected. packing: how the motion of new clips is stored (None: as in the
    last run, at first in full). reading: frame rate, units, axes and joint map of the files of which `clips.csv` does not
    say it. encoder: what a new library is embedded with (a name, a path or an address of weights; `registry.DEFAULT`
    without one); one that exists goes on with its own.

    Raises ChoreoError: no source, an encoder that is not the library's, a clip that another process changed meanwhile (ConflictError), no clip that can be read, an id used twice, a library that cannot be opened; with
    `strict`, the first file that cannot be read.
    """
    if not sources:
        raise ChoreoError("no source given; name at least one folder of motion files")
    with one_thread():
        report = progress or (lambda stage, done, total: None)
        return _index(sources, library, strict, report, jobs, packing, restore, reading, encoder)


def _index(
    sources: Sequence[Path],
    library: Place | Path,
    strict: bool,
    report: Progress,
    jobs: int | None,
    packing: Packing | None,
    restore: bool,
    reading: ClipSettings | None,
    encoder: str | Path | None,
) -> Summary:
    report("discover", 0, 1)
    store = Store.open(library) if Store.exists(library) else Store.create(library)
    store.place.ready()
    trained = _encoder(store, encoder)
    found = discover([Path(source) for source in sources], reading)
    if strict and found.problems:
        raise ChoreoError(str(found.problems[0]))
    packing = packing or _packing(store)
    tasks, unreadable = _tasks(found.clips, packing)
    back = frozenset(task.source.clip for task in tasks) if restore else frozenset[str]()
    tasks = _without_deleted(store, tasks, found, back)
    report("discover", 1, 1)
    state = _state(store, found, tasks)
    state.trained = trained
    state.problems += [*found.problems, *unreadable]
    todo = [task for task in tasks if _key(state, task) != task.motion_key]
    state.problems += [problem for task in tasks if task not in todo for problem in _known_problems(state, task)]
    if strict and state.problems:
        raise ChoreoError(str(state.problems[0]))
    staging = Staging(store.place)
    before = store.version
    with ExitStack() as stack:
        try:
            writer = _read_all(store, state, todo, staging, stack, strict, jobs, packing, report)
            if not state.clips:
                raise ChoreoError(_nothing(sources, state.problems, found.notes))
            if writer is not None or state.dropped:
                store = _commit(store, state, writer, report, packing, back)
        except ChoreoError:
            staging.clear()
            raise
        staging.clear()
    return _summary(store, found, state, len(tasks) - len(todo), new_version=store.version > before)


def _encoder(store: Store, named: str | Path | None) -> Trained | None:
    """What the library is embedded with, or is to be; None for `rhythm`."""
    if store.version:
        recorded.refuse_other(store, named)
        return recorded.trained_of(store)
    return recorded.find(registry.DEFAULT if named is None else named)


def _read_all(
    store: Store,
    state: _Library,
    todo: Sequence[Task],
    staging: Staging,
    stack: ExitStack,
    strict: bool,
    jobs: int | None,
    packing: Packing,
    report: Progress,
) -> MotionWriter | None:
    """Take in every task, from its file or from what an interrupted run has kept; the writer of their motion, finished.

    The library stays open for writing until `stack` ends, so that no vacuum removes what is not committed yet.
    """
    writer: MotionWriter | None = None
    with ExitStack() as writing:
        for done, (task, result, kept) in enumerate(_results(todo, staging, strict, jobs)):
            report("read", done, len(todo))
            if isinstance(result, Problem):
                state.problems.append(result)
                continue
            if writer is None:
                stack.enter_context(store.place.changing())
                writer = writing.enter_context(MotionWriter(store.place, packing=packing))
            if not kept:
                staging.save(task, result)
            _take(state, store, writer, result)
        report("read", len(todo), len(todo))
    return writer


def _results(
    todo: Sequence[Task], staging: Staging, strict: bool, jobs: int | None
) -> Iterator[tuple[Task, Ingested | Problem, bool]]:
    """Every task with its result and whether that was kept by an earlier run, in an order that depends on the tasks alone."""
    ordered = _jobs(todo)
    unread = [[task for task in job if task not in staging] for job in ordered]
    with closing(_read([job for job in unread if job], strict, jobs or len(os.sched_getaffinity(0)))) as reader:
        for task in (task for job in ordered for task in job):
            if task not in staging:
                yield task, next(reader), False
                continue
            kept = staging.load(task)
            yield task, kept or ingest.ingest_all([task], strict)[0], kept is not None


def _packing(store: Store) -> Packing:
    """How the library's motion was stored last."""
    return next((packing for packing in PACKINGS if store.meta.get("motion") == packing), "float32")


def _tasks(clips: Iterable[ClipSource], packing: Packing) -> tuple[list[Task], list[Problem]]:
    """Tasks with the hashes of their files, and the files that cannot be opened."""
    hashes: dict[Path, str] = {}
    tasks, problems = [], []
    for source in clips:
        try:
            for path in (source.path, source.music, *ingest.companions(source)):
                if path is not None and path not in hashes:
                    hashes[path] = ingest.file_sha256(path)
        except OSError as error:
            problems.append(Problem(source.clip, f"cannot be opened ({error.strerror or error})", "motion"))
            continue
        music = hashes[source.music] if source.music else None
        beside = tuple(hashes[path] for path in ingest.companions(source))
        tasks.append(ingest.task(source, hashes[source.path], music, packing, beside))
    return tasks, problems


def _without_deleted(store: Store, tasks: Sequence[Task], found: Discovery, back: frozenset[str]) -> list[Task]:
    """The tasks less clips that were deleted from the library, by id or by their file's hash, and that are not `back`."""
    there = set(store.columns("clips", ["clip"]).column("clip").to_pylist()) | back
    deleted = Deleted(store)
    dead = [
        task.source.clip
        for task in tasks
        if task.source.clip not in there and deleted.holds(task.source.clip, task.sha256)
    ]
    if dead:
        more = f" and {len(dead) - 3} more" if len(dead) > 3 else ""
        found.notes.append(
            f"deleted from this library, so left out: {', '.join(dead[:3])}{more}; --restore takes them back"
        )
    return [task for task in tasks if task.source.clip not in set(dead)]


def _state(store: Store, found: Discovery, tasks: Sequence[Task]) -> _Library:
    """What the library holds now, less clips that their file is no longer cut into."""
    state = _as_it_is(store)
    here = {source.clip for source in found.clips}
    files = {(source.dataset, source.source_path) for source in found.clips}
    for clip, row in list(state.clips.items()):
        if row["copy_of"] is None and clip not in here and (row["dataset"], row["source_path"]) in files:
            del state.clips[clip]
            state.changed.append(clip)
            state.dropped.add(clip)
    return state


def _as_it_is(store: Store) -> _Library:
    segments = store.columns("segments", ["clip", "mirrored"])
    names, mirrored = segments.column("clip").to_pylist(), segments.column("mirrored").to_pylist()
    with_mirror = {clip for clip, copy in zip(names, mirrored, strict=True) if copy}
    return _Library(
        clips={row["clip"]: row for row in store.table("clips").to_pylist()},
        songs={row["music"]: row for row in store.table("music").to_pylist()},
        unmirrored=set(names) - with_mirror,
    )


def _key(state: _Library, task: Task) -> str | None:
    row = state.clips.get(task.source.clip)
    return None if row is None else str(row["motion_key"])


def _known_problems(state: _Library, task: Task) -> Iterator[Problem]:
    """What an unchanged clip's reading had to report is reported again."""
    row = state.clips[task.source.clip]
    if task.music_sha256 is not None and row["music"] is None:
        yield Problem(task.source.clip, row["notes"][-1] if row["notes"] else "its song cannot be read", "music")


def _take(state: _Library, store: Store, writer: MotionWriter, result: Ingested) -> None:
    clip = str(result.row["clip"])
    (state.changed if clip in state.clips else state.added).append(clip)
    state.clips[clip] = result.row
    state.described[clip] = _described(state, result.segments, (result.rotations, result.root, result.contacts))
    state.problems += result.problems
    state.unmirrored.discard(clip)
    if not result.mirror:
        state.unmirrored.add(clip)
    if result.song is not None:
        state.songs.setdefault(result.song["music"], result.song)
    if result.row["motion_key"] not in store.motion.keys:
        writer.add(result.row["motion_key"], result.rotations, result.root, result.contacts, result.face)


def _described(state: _Library, clip: ClipSegments, motion: MotionArrays) -> ClipSegments:
    return ingest.embed(clip, *motion, state.trained.encoder if state.trained else None)


def _read(jobs: Sequence[list[Task]], strict: bool, processes: int) -> Generator[Ingested | Problem]:
    """The results of all tasks in order of their jobs; a few jobs are in memory at a time."""
    if processes <= 1 or len(jobs) < 2:
        for job in jobs:
            for task in job:
                yield from ingest.ingest_all([task], strict)
        return
    # Ctrl-C reaches the whole process group; the readers leave it to this process to stop them
    pool = ProcessPoolExecutor(
        min(processes, len(jobs)),
        mp_context=get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        waiting = deque(jobs)
        running: deque[Future[list[Ingested | Problem]]] = deque()
        while waiting or running:
            while waiting and len(running) < 2 * processes:
                running.append(pool.submit(ingest.ingest_all, waiting.popleft(), strict))
            yield from running.popleft().result()
    except BrokenProcessPool:
        raise ChoreoError("a reading process was killed, perhaps for want of memory; index with fewer jobs") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _jobs(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks that share a song go together, so that it is decoded once; in order of their first clip."""
    songs: dict[str, list[list[Task]]] = {}
    jobs = []
    for task in sorted(tasks, key=lambda task: task.source.clip):
        groups = songs.setdefault(task.music_sha256, []) if task.music_sha256 else []
        if not groups or len(groups[-1]) >= _JOB_CLIPS:
            groups.append([])
            jobs.append(groups[-1])
        groups[-1].append(task)
    return jobs


def _commit(
    store: Store,
    state: _Library,
    writer: MotionWriter | None,
    report: Progress,
    packing: Packing,
    back: frozenset[str],
) -> Store:
    """The version with what this run has read, on top of what other writers may have committed meanwhile."""
    parts = writer.parts if writer else ()
    while True:
        try:
            return _commit_on(store, state, parts, report, packing, back)
        except ConflictError:
            newest = Store.open(store.place)
            if newest.version == store.version:
                raise
            same = _merge(store, newest, state)
            if not state.touched:
                return newest
            if same:
                keys = {state.clips[clip]["motion_key"] for clip in state.touched - state.dropped}
                parts = edit.repack(store.place, parts, keys)
            store = newest


def _merge(base: Store, newest: Store, state: _Library) -> set[str]:
    """Put what this run has read on top of a newer version; the clips that are in it already, just as this run read them.

    ConflictError where a clip of this run was changed there in another way.
    """
    other = _as_it_is(newest)
    same = {
        clip for clip in state.touched - state.dropped if _stated(other.clips.get(clip)) == _stated(state.clips[clip])
    }
    edit.refuse_conflict(base, newest, state.touched - same)
    mine = state.touched - same - state.dropped
    state.unmirrored = other.unmirrored - state.dropped - mine | state.unmirrored & mine
    state.clips = {clip: row for clip, row in other.clips.items() if clip not in state.dropped} | {
        clip: state.clips[clip] for clip in mine
    }
    state.songs = other.songs | state.songs
    state.added = [clip for clip in state.added if clip not in same]
    state.changed = [clip for clip in state.changed if clip not in same]
    return same


def _stated(row: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a row of the clips table says; a column that is null says as much as one that is not there."""
    return {name: value for name, value in (row or {}).items() if value is not None}


def _commit_on(
    store: Store,
    state: _Library,
    parts: Sequence[FileEntry],
    report: Progress,
    packing: Packing,
    back: frozenset[str],
) -> Store:
    _drop_stale_copies(state)
    _refuse_reembedded(store, state)
    clips = [state.clips[clip] for clip in sorted(state.clips)]
    used = sorted({row["music"] for row in clips} - {None})
    tables = {
        "clips": pa.Table.from_pylist(clips, schema=CLIPS),
        "music": pa.Table.from_pylist([state.songs[song] for song in used], schema=MUSIC),
        **_tombstones(store, back & state.clips.keys()),
    }
    change = {
        "action": "index",
        "added": len(state.added),
        "changed": len(set(state.changed) - state.dropped),
        "dropped": len(state.dropped),
    }
    with tempfile.TemporaryDirectory() as folder:
        made = _updated(store, state, Path(folder)) or _connected(store, state, clips, report)
        report("connect", len(clips), len(clips))
        report("commit", 0, 1)
        after = store.commit(
            tables={**tables, **made.tables},
            append_motion=parts,
            arrays=made.arrays,
            index=made.index,
            meta={**store.meta, **made.meta, "motion": packing},
            encoder=made.encoder,
            models=made.models,
            change=change,
        )
    report("commit", 1, 1)
    return after


def _updated(store: Store, state: _Library, folder: Path) -> Derived | None:
    """What is derived, from what the library had; None where it is to be fitted anew."""
    new = sorted(set(state.described) & state.touched)
    there = set(store.columns("clips", ["clip"]).column("clip").to_pylist())
    gone = {clip for clip in there if clip not in state.clips} | (set(new) & there)
    rows = [state.clips[clip] for clip in new]
    described = [state.described[clip] for clip in new]
    return update.update(store, gone, rows, described, frozenset(state.unmirrored), state.trained, folder)


def _connected(store: Store, state: _Library, clips: Sequence[Row], report: Progress) -> Derived:
    """What is derived, from the motion of every clip."""
    described = []
    for done, row in enumerate(clips):
        report("connect", done, len(clips))
        known = state.described.get(row["clip"])
        if known is None:
            motion = store.read_motion(row["clip"], 0, row["frames"])
            known = _described(state, ingest.segment(row, *motion), motion)
        described.append(known)
    return Derived.of(connect.connect(clips, described, frozenset(state.unmirrored), trained=state.trained))


def _refuse_reembedded(store: Store, state: _Library) -> None:
    """ConflictError where another process has given the library another encoder since this run began."""
    now = store.encoder.get("sha256") if recorded.trained_of(store) else None
    if store.version and now != (state.trained.encoder.hash if state.trained else None):
        raise ConflictError(
            f"library {str(store.place)!r} was embedded anew by another process meanwhile; run the command again"
        )


def _tombstones(store: Store, back: frozenset[str]) -> dict[str, pa.Table]:
    """The tombstones without those of clips that are taken back, where there are any."""
    table = store.table("tombstones")
    names = table.column("clip").to_pylist()
    if back.isdisjoint(names):
        return {}
    return {"tombstones": table.filter(pa.array([clip not in back for clip in names], pa.bool_()))}


def _drop_stale_copies(state: _Library) -> None:
    """Take out virtual copies of clips that are gone or have become other motion."""
    for clip, row in list(state.clips.items()):
        source = state.clips.get(row["copy_of"]) if row.get("copy_of") else row
        if source is None or source["motion_key"] != row["motion_key"]:
            del state.clips[clip]


def _summary(store: Store, found: Discovery, state: _Library, unchanged: int, *, new_version: bool) -> Summary:
    here = {source.clip for source in found.clips} | {problem.path for problem in state.problems}
    missing = [
        c
        for c, row in state.clips.items()
        if row["dataset"] in found.datasets and c not in here and not row.get("copy_of")
    ]
    rows = list(state.clips.values())
    columns = ["clip", "first_bar", "start_s", "end_s", "short", "walkable"]
    segments: list[Mapping[str, Any]] = store.columns("segments", columns).to_pylist()
    seconds, walkable, lost = coverage(rows, segments)
    paired = sum(row["music"] is not None for row in rows)
    return Summary(
        version=store.version,
        new_version=new_version,
        clips=len(rows),
        paired=paired,
        unpaired=len(rows) - paired,
        songs=len({row["music"] for row in rows} - {None}),
        segments=len(segments),
        added=tuple(sorted(state.added)),
        changed=tuple(sorted(state.changed)),
        unchanged=unchanged,
        missing=tuple(sorted(missing)),
        skipped=tuple(state.problems),
        notes=tuple(found.notes),
        seconds=seconds,
        seconds_walkable=walkable,
        not_walkable=lost,
        beat_sources=dict(sorted(Counter(str(row["beat_source"]) for row in rows).items())),
    )


def _nothing(sources: Sequence[Path], problems: Sequence[Problem], notes: Sequence[str]) -> str:
    shown = ", ".join(f"'{source}'" for source in sources)
    deleted = [note for note in notes if note.startswith("deleted from this library")]
    if deleted:
        return f"no clip of {shown} is left to index: {deleted[0]}"
    if problems:
        more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
        return f"no clip of {shown} can be read: {problems[0]}{more}"
    return f"no motion files in {shown}; `choreodb index` takes folders with .bvh, .npz or .npy files"
