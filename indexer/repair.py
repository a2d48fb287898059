"""Repair: rebuild what a library derives from its clips and their motion, and touch nothing else.

Derived are the segments, the transitions, all arrays and the index. The clips, their motion, the songs, tombstones and
tags are what they are made from; where those are damaged only a copy helps.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import StoreError
from choreodb.indexer import connect, ingest
from choreodb.indexer.connect import Connected
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.storage import manifest as manifests
from choreodb.storage.index import build_files
from choreodb.storage.place import Place, at
from choreodb.storage.store import Store, resolve
from choreodb.storage.verify import Problem, verify
from choreodb.threads import one_thread

DERIVED = ("segments", "transitions")
SOURCES = ("clips", "motion")


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found and did. version: made by it, None where nothing was wrong. left: what is still wrong."""

    found: tuple[Problem, ...]
    version: int | None
    left: tuple[Problem, ...]


def repair(library: Place | Path | str) -> Repaired:
    """Rebuild what is derived in the newest version, where verify finds something wrong with it, as a new version.

    Where the bytes come out as they were, older versions that share the files are whole again, too. StoreError where
    the clips table or the motion is damaged, where the embeddings are and came from a trained encoder, or where the
    manifest is.
    """
    place = at(library)
    number = resolve(place, None)
    found = verify(place, number)
    if not found:
        return Repaired((), None, ())
    store = Store(place, manifests.load(place, number))
    bad = {problem.file for problem in found}
    _refuse_lost(store, bad)
    derived = {entry.path for entry in store.manifest.files()} - _files(
        store, ("clips", "motion", "music", "tombstones")
    )
    if not derived & bad and f"manifests/{manifests.file_name(number)}" not in bad:
        return Repaired(found, None, found)
    with place.changing(), one_thread():
        after = _rebuild(store, bad)
    return Repaired(found, after.version, verify(place, after.version))


def _files(store: Store, names: tuple[str, ...]) -> set[str]:
    return {entry.path for name in names for entry in store.manifest.tables.get(name, ())}


def _refuse_lost(store: Store, bad: set[str]) -> None:
    lost = sorted(_files(store, SOURCES) & bad)
    if lost:
        raise StoreError(
            f"{lost[0]} is damaged and not derived from anything in the library; restore it from a copy, or index the source again"
        )


def _rebuild(store: Store, bad: set[str]) -> Store:
    clips = sorted(store.table("clips").to_pylist(), key=lambda row: str(row["clip"]))
    described = [ingest.segment(row, *store.read_motion(row["clip"], 0, row["frames"])) for row in clips]
    connected = connect.connect(clips, described, _unmirrored(store, clips, bad))
    arrays = connected.arrays | _kept_embeddings(store, connected, bad)
    encoder, meta = _encoder(store, connected)
    return store.commit(
        tables={"segments": connected.segments, "transitions": connected.transitions},
        arrays=arrays,
        index=build_files(arrays["embeddings"]),
        meta=meta,
        encoder=encoder,
        change={"action": "repair", "damaged": len(bad)},
    )


def _is_trained(store: Store) -> bool:
    return store.encoder.get("name", RhythmEncoder.name) != RhythmEncoder.name


def _kept_embeddings(store: Store, connected: Connected, bad: set[str]) -> dict[str, npt.NDArray[Any]]:
    """The embeddings of a trained encoder, which cannot be made again here."""
    if not _is_trained(store):
        return {}
    entry = store.manifest.arrays.get("embeddings")
    if entry is None or entry.file.path in bad or entry.file.rows != len(connected.segments):
        name = "arrays/embeddings" if entry is None else entry.file.path
        raise StoreError(
            f"{name} is damaged and was made by the trained encoder {store.encoder['name']!r}; index the source again"
        )
    return {"embeddings": np.asarray(store.array("embeddings"))}


def _encoder(store: Store, connected: Connected) -> tuple[dict[str, str], dict[str, Any]]:
    if _is_trained(store):
        kept = {name: value for name, value in connected.meta.items() if name != "encoder"}
        return store.encoder, {**store.meta, **kept}
    return {"name": connected.encoder.name, "sha256": connected.encoder.hash}, {**store.meta, **connected.meta}


def _unmirrored(store: Store, clips: list[dict[str, Any]], bad: set[str]) -> frozenset[str]:
    """Clips without mirrored copies, as their rows say; in rows of format 1, which do not, as the segments say."""
    unknown = {row["clip"] for row in clips if row["mirror"] is None}
    plain = {row["clip"] for row in clips if row["mirror"] is False}
    if unknown and not _files(store, ("segments",)) & bad:
        segments = store.columns("segments", ["clip", "mirrored"]).to_pylist()
        plain |= unknown - {row["clip"] for row in segments if row["mirrored"]}
    return frozenset(plain)
