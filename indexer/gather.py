"""Gather: clips that lie in several libraries become one version of one library; what is derived is made anew."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from choreodb.indexer import connect, ingest, update
from choreodb.indexer.encoders import recorded
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.ingest import ClipSegments
from choreodb.indexer.update import Derived
from choreodb.storage import edit
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
    arrays and index are the ones that indexing the same clips into `base` would give. QueryError where the libraries have different
    encoders; StoreError, ConflictError as of `Store.commit`.
    """
    taken = sorted(clips, key=lambda clip: str(clip.row["clip"]))
    rows = [clip.row for clip in taken]
    homes = [base, *(clip.home for clip in taken)]
    trained = recorded.same(homes)
    used = sorted({row["music"] for row in rows} - {None})
    with base.place.changing(), tempfile.TemporaryDirectory() as folder:
        made = _updated(base, taken, trained, Path(folder)) or _connected(taken, trained, progress)
        progress("connect", len(taken), len(taken))
        return base.commit(
            tables={
                "clips": pa.Table.from_pylist(rows, schema=CLIPS),
                "music": pa.Table.from_pylist([songs[song] for song in used], schema=MUSIC),
                **made.tables,
                **({} if tombstones is None else {"tombstones": tombstones}),
            },
            append_motion=_motion(base, taken, progress),
            arrays=made.arrays,
            index=made.index,
            meta={**_packing(homes), **base.meta, **made.meta},
            encoder=made.encoder,
            models=made.models,
            change=change,
        )


def _updated(base: Store, taken: Sequence[Taken], trained: Trained | None, folder: Path) -> Derived | None:
    """What is derived, from what `base` had; None where it is to be fitted anew."""
    there = set(base.columns("clips", ["clip"]).column("clip").to_pylist())
    new = [clip for clip in taken if clip.home is not base or clip.row["clip"] not in there]
    gone = there - {clip.row["clip"] for clip in taken} | {clip.row["clip"] for clip in new} & there
    if not update.possible(base, added=bool(new)):
        return None
    described = [_described(clip, trained) for clip in new]
    return update.update(base, gone, [clip.row for clip in new], described, _unmirrored(new), trained, folder)


def _connected(taken: Sequence[Taken], trained: Trained | None, progress: Progress) -> Derived:
    """What is derived, from the motion of every clip."""
    described = []
    for done, clip in enumerate(taken):
        progress("connect", done, len(taken))
        described.append(_described(clip, trained))
    return Derived.of(connect.connect([clip.row for clip in taken], described, _unmirrored(taken), trained=trained))


def _described(clip: Taken, trained: Trained | None) -> ClipSegments:
    motion = clip.home.read_motion(clip.row["clip"], 0, clip.row["frames"])
    return ingest.embed(ingest.segment(clip.row, *motion), *motion, trained.encoder if trained else None)


def _unmirrored(taken: Sequence[Taken]) -> frozenset[str]:
    return frozenset(clip.row["clip"] for clip in taken if not clip.row["mirror"])


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
