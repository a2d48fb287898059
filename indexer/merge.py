"""Merge: the clips of other libraries in one library, in one commit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from choreodb.errors import QueryError, StoreError
from choreodb.indexer import gather
from choreodb.indexer.deleted import Deleted
from choreodb.indexer.encoders import recorded
from choreodb.indexer.gather import Progress, Row, Taken
from choreodb.storage import edit
from choreodb.storage.place import Place
from choreodb.storage.store import Store
from choreodb.storage.tables import TOMBSTONES
from choreodb.storage.upgrade import clip_rows
from choreodb.storage.verify import verify
from choreodb.threads import one_thread
from choreodb.wording import counted


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did. store: the library after it; added, same: clips that came in, that were there already; notes: one sentence each."""

    store: Store
    added: tuple[str, ...]
    same: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Union:
    """The library as it will be, while the other ones are put on top of it."""

    clips: dict[str, Taken]
    songs: dict[str, Row]
    added: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    buried: list[Row] = field(default_factory=list)
    relicensed: bool = False


def merge(
    library: Place | Path | str, others: Sequence[Place | Path | str], *, progress: Progress | None = None
) -> Merged:
    """Put the clips of `others` into `library`, with their motion, songs and labels; it is made if it is not there.

    A clip that both have is taken once where it is the same. Clips that were deleted from `library` stay out, and what
    was deleted from another one stays out of later `index` runs here, too, unless a library still has it. Virtual copies
    of other libraries are left out. Where there is nothing new, no version is made.

    Errors: QueryError for a clip or a song that two libraries have with different content, and for different
    encoders; StoreError for a library of `others` that does not verify; ConflictError.
    """
    tell = progress or (lambda stage, done, total: None)
    sources = [Store.open(other) for other in others]
    base = Store.open(library) if Store.exists(library) else Store.create(library)
    base.place.ready()
    recorded.same([base, *sources])
    for done, store in enumerate(sources):
        tell("verify", done, len(sources))
        _refuse_damage(store)
    touched = {str(clip) for store in sources for clip in store.columns("clips", ["clip"]).column("clip").to_pylist()}
    result: list[_Union] = []

    def build(newest: Store) -> Store:
        result.append(_union(newest, sources))
        return _commit(newest, result[-1], len(sources), tell)

    with one_thread():
        after = edit.rebasing(base, touched, build)
    union = result[-1]
    return Merged(after, tuple(sorted(union.added)), tuple(sorted(union.same)), tuple(union.notes))


def _refuse_damage(store: Store) -> None:
    problems = verify(store)
    if problems:
        raise StoreError(
            f"library {str(store.place)!r} has {counted(len(problems), 'problem')}, the first in "
            f"{problems[0]}; `choreodb verify` lists them, --repair mends what is derived"
        )


def _commit(base: Store, union: _Union, libraries: int, progress: Progress) -> Store:
    if not (union.added or union.buried or union.relicensed):
        return base
    if not union.clips:
        raise QueryError("none of these libraries has a clip; there is nothing to merge")
    return gather.commit(
        base,
        union.clips.values(),
        union.songs,
        change={"action": "merge", "added": len(union.added), "libraries": libraries},
        tombstones=_with_tombstones(base, union.buried),
        progress=progress,
    )


def _union(base: Store, others: Sequence[Store]) -> _Union:
    union = _Union(
        clips={row["clip"]: Taken(row, base) for row in clip_rows(base)},
        songs={row["music"]: row for row in base.table("music").to_pylist()},
    )
    deleted = Deleted(base)
    for other in others:
        _add_clips(union, base, deleted, other)
        _add_songs(union, other)
    for other in others:
        _bury(union, deleted.clips, other)
    return union


def _add_clips(union: _Union, base: Store, deleted: Deleted, other: Store) -> None:
    rows = clip_rows(other)
    captured = [row for row in rows if row["copy_of"] is None]
    files = {clip.row["source_sha256"]: name for name, clip in union.clips.items() if "#" not in name}
    dead, twice = [], []
    for row in captured:
        clip = str(row["clip"])
        if clip in union.clips:
            _refuse_difference(union.clips[clip], Taken(row, other))
            union.same.append(clip)
        elif deleted.holds(clip, row["source_sha256"]):
            dead.append(clip)
        else:
            union.clips[clip] = Taken(row, other)
            union.added.append(clip)
            if "#" not in clip and row["source_sha256"] in files:
                twice.append(f"{clip} ({files[row['source_sha256']]})")
    _note(union, f"deleted from {base.name}, so left out", dead)
    _note(union, "in the library twice now, the same file under two names", twice)
    if len(captured) < len(rows):
        count = len(rows) - len(captured)
        union.notes.append(f"virtual copies of {other.name} left out: {count}; `choreodb copies` makes them anew")


def _note(union: _Union, what: str, clips: Sequence[str]) -> None:
    if clips:
        more = f" and {len(clips) - 3} more" if len(clips) > 3 else ""
        union.notes.append(f"{what}: {', '.join(clips[:3])}{more}")


def _refuse_difference(one: Taken, other: Taken) -> None:
    """QueryError where a clip is not the same in two libraries."""
    differ = [name for name in one.row if one.row[name] != other.row[name]]
    if not differ:
        return
    clip = f"clip {str(one.row['clip'])!r} is in libraries {str(one.home.place)!r} and {str(other.home.place)!r}"
    if set(differ) <= set(edit.LABELS):
        values = " and ".join(_shown(each.row[differ[0]]) for each in (one, other))
        raise QueryError(f"{clip} with different {differ[0]} ({values}); relabel it in one of them")
    what = "source file" if "source_sha256" in differ else f"content ({', '.join(differ[:3])})"
    raise QueryError(f"{clip} with different {what}; delete it from one of them, or export the other without it")


def _shown(value: object) -> str:
    return "unknown" if value is None else repr(value)


def _add_songs(union: _Union, other: Store) -> None:
    """Take in songs; where only one library knows a song's licence, that is its licence."""
    for row in other.table("music").to_pylist():
        known = union.songs.setdefault(row["music"], row)
        licences = {known["licence"], row["licence"]} - {None}
        if len(licences) > 1:
            raise QueryError(
                f"song {row['path']!r} has licence {known['licence']!r} in one library and {row['licence']!r} in "
                f"{str(other.place)!r}; correct the source of one of them and index it again"
            )
        if licences and known["licence"] is None:
            union.songs[row["music"]] = known | {"licence": row["licence"]}
            union.relicensed = True


def _bury(union: _Union, known: Collection[str], other: Store) -> None:
    """Take in what was deleted from another library, so that no later `index` brings it into this one."""
    alive = []
    for row in other.table("tombstones").to_pylist():
        if row["clip"] in union.clips:
            alive.append(f"{row['clip']} ({row['reason'] or 'no reason stated'})")
        elif row["clip"] not in {*known, *(each["clip"] for each in union.buried)}:
            union.buried.append(row)
    _note(union, f"deleted from {other.name} and kept here, because another library has them", alive)


def _with_tombstones(base: Store, buried: Sequence[Row]) -> pa.Table | None:
    if not buried:
        return None
    schema = pa.schema([column.remove_metadata() for column in TOMBSTONES])
    rows = [row | {"version": base.version + 1} for row in buried]
    return pa.concat_tables([base.table("tombstones"), pa.Table.from_pylist(rows, schema=schema)])
