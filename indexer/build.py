"""Index folders of motion and music into a library: only what is new or changed is read; one commit at the end."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from choreodb.errors import ChoreoError, ConflictError
from choreodb.indexer import connect, content, ingest, update
from choreodb.indexer.content import Content
from choreodb.indexer.deleted import Deleted
from choreodb.indexer.discover import ClipSource, Discovery, discover
from choreodb.indexer.encoders import recorded, registry
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.ingest import ClipSegments, Ingested, Task
from choreodb.indexer.labels import ClipSettings, Problem
from choreodb.indexer.reading import read_all_of
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
    state = content.content_of(store, found)
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
    state: Content,
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
        for done, (task, result, kept) in enumerate(read_all_of(todo, staging, strict, jobs)):
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


def _key(state: Content, task: Task) -> str | None:
    row = state.clips.get(task.source.clip)
    return None if row is None else str(row["motion_key"])


def _known_problems(state: Content, task: Task) -> Iterator[Problem]:
    """What an unchanged clip's reading had to report is reported again."""
    row = state.clips[task.source.clip]
    if task.music_sha256 is not None and row["music"] is None:
        yield Problem(task.source.clip, row["notes"][-1] if row["notes"] else "its song cannot be read", "music")


def _take(state: Content, store: Store, writer: MotionWriter, result: Ingested) -> None:
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


def _described(state: Content, clip: ClipSegments, motion: MotionArrays) -> ClipSegments:
    return ingest.embed(clip, *motion, state.trained.encoder if state.trained else None)


def _commit(
    store: Store,
    state: Content,
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
            same = content.rebased(store, newest, state)
            if not state.touched:
                return newest
            if same:
                keys = {state.clips[clip]["motion_key"] for clip in state.touched - state.dropped}
                parts = edit.repack(store.place, parts, keys)
            store = newest


def _commit_on(
    store: Store,
    state: Content,
    parts: Sequence[FileEntry],
    report: Progress,
    packing: Packing,
    back: frozenset[str],
) -> Store:
    content.drop_stale_copies(state)
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


def _updated(store: Store, state: Content, folder: Path) -> Derived | None:
    """What is derived, from what the library had; None where it is to be fitted anew."""
    new = sorted(set(state.described) & state.touched)
    there = set(store.columns("clips", ["clip"]).column("clip").to_pylist())
    gone = {clip for clip in there if clip not in state.clips} | (set(new) & there)
    rows = [state.clips[clip] for clip in new]
    described = [state.described[clip] for clip in new]
    return update.update(store, gone, rows, described, frozenset(state.unmirrored), state.trained, folder)


def _connected(store: Store, state: Content, clips: Sequence[Row], report: Progress) -> Derived:
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


def _refuse_reembedded(store: Store, state: Content) -> None:
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


def _summary(store: Store, found: Discovery, state: Content, unchanged: int, *, new_version: bool) -> Summary:
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
