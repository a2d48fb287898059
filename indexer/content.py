"""Content: the clips and songs that a library will hold once an `index` run is through, on whatever version it is committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from choreodb.indexer.discover import Discovery
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.ingest import ClipSegments
from choreodb.indexer.labels import Problem
from choreodb.storage import edit
from choreodb.storage.store import Store

Row = dict[str, Any]


@dataclass(slots=True)
class Content:
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


def content_of(store: Store, found: Discovery) -> Content:
    """What the library holds now, less clips that their file is no longer cut into."""
    state = as_it_is(store)
    here = {source.clip for source in found.clips}
    files = {(source.dataset, source.source_path) for source in found.clips}
    for clip, row in list(state.clips.items()):
        if row["copy_of"] is None and clip not in here and (row["dataset"], row["source_path"]) in files:
            del state.clips[clip]
            state.changed.append(clip)
            state.dropped.add(clip)
    return state


def as_it_is(store: Store) -> Content:
    """What the library holds now."""
    segments = store.columns("segments", ["clip", "mirrored"])
    names, mirrored = segments.column("clip").to_pylist(), segments.column("mirrored").to_pylist()
    with_mirror = {clip for clip, copy in zip(names, mirrored, strict=True) if copy}
    return Content(
        clips={row["clip"]: row for row in store.table("clips").to_pylist()},
        songs={row["music"]: row for row in store.table("music").to_pylist()},
        unmirrored=set(names) - with_mirror,
    )


def rebased(base: Store, newest: Store, state: Content) -> set[str]:
    """Put what this run has read on top of a newer version; the clips that are in it already, just as this run read them.

    ConflictError where a clip of this run was changed there in another way.
    """
    other = as_it_is(newest)
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


def drop_stale_copies(state: Content) -> None:
    """Take out virtual copies of clips that are gone or have become other motion."""
    for clip, row in list(state.clips.items()):
        source = state.clips.get(row["copy_of"]) if row.get("copy_of") else row
        if source is None or source["motion_key"] != row["motion_key"]:
            del state.clips[clip]
