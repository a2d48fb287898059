"""Gather: clips that lie in several libraries become one version of one library; what is derived is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from choreodb.indexer import connect, ingest
from choreodb.indexer.encoders import recorded
from choreodb.storage import edit
from choreodb.storage.index import build_files
from choreodb.storage.manifest import FileEntry
from choreodb.storage.motion_table import MotionWriter
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS, MUSIC

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """A clip that is to be in the library: its row, and the store in which its motion lies."""

    row: Row
    home: Store


def commit(
    base: Store,
    clips: Iterable[Taken],
    songs: Mapping[str, Row],
    *,
    change: Mapping[str, Any],
    tombstones: pa.Table | None = None,
    progress: Progress,
) -> Store:
    """The version after `base` with exactly these clips, and those of `songs` that they were danced to.

    Motion that `base` lacks is copied from where it lies, block by block and as it is stored there. Segments, graph,
    arrays and index are the ones that indexing the same clips would give. QueryError where the libraries have different
    encoders; StoreError, ConflictError as of `Store.commit`.
    """
    taken = sorted(clips, key=lambda clip: str(clip.row["clip"]))
    rows = [clip.row for clip in taken]
    homes = [base, *(clip.home for clip in taken)]
    trained = recorded.same(homes)
    described = []
    for done, clip in enumerate(taken):
        progress("connect", done, len(taken))
        motion = clip.home.read_motion(clip.row["clip"], 0, clip.row["frames"])
        segments = ingest.segment(clip.row, *motion)
        described.append(ingest.embed(segments, *motion, trained.encoder if trained else None))
    unmirrored = frozenset(row["clip"] for row in rows if not row["mirror"])
    connected = connect.connect(rows, described, unmirrored, trained=trained)
    progress("connect", len(taken), len(taken))
    used = sorted({row["music"] for row in rows} - {None})
    with base.place.changing():
        return base.commit(
            tables={
                "clips": pa.Table.from_pylist(rows, schema=CLIPS),
                "music": pa.Table.from_pylist([songs[song] for song in used], schema=MUSIC),
                "segments": connected.segments,
                "transitions": connected.transitions,
                **({} if tombstones is None else {"tombstones": tombstones}),
            },
            append_motion=_motion(base, taken, progress),
            arrays=connected.arrays,
            index=build_files(connected.arrays["embeddings"]),
            meta={**_packing(homes), **base.meta, **connected.meta},
            encoder={"name": connected.encoder.name, "sha256": connected.encoder.hash},
            models=connected.models,
            change=change,
        )


def _packing(homes: Sequence[Store]) -> dict[str, Any]:
    """How the next `index` run stores motion: as the first library that says so did."""
    return next(({"motion": store.meta["motion"]} for store in homes if "motion" in store.meta), {})


def _motion(base: Store, taken: Sequence[Taken], progress: Progress) -> tuple[FileEntry, ...]:
    """New parts of `base` with the motion that is not in it."""
    wanted: dict[str, tuple[Store, set[str]]] = {}
    there = set(base.motion.keys)
    for clip in taken:
        key = str(clip.row["motion_key"])
        if key not in there:
            wanted.setdefault(str(clip.home.place), (clip.home, set()))[1].add(key)
            there.add(key)
    with MotionWriter(base.place) as writer:
        for done, (home, keys) in enumerate(wanted.values()):
            progress("copy", done, len(wanted))
            edit.copy_motion(home.place, home.manifest.tables.get("motion", ()), keys, writer)
    progress("copy", len(wanted), len(wanted))
    return writer.parts
