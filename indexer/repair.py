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

from choreodb.errors import ChoreoError, StoreError
from choreodb.indexer import connect, ingest
from choreodb.indexer.connect import Connected
from choreodb.indexer.encoders import recorded
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.encoders.registry import RHYTHM
from choreodb.indexer.ingest import ClipSegments
from choreodb.storage import manifest as manifests
from choreodb.storage.index import build_files
from choreodb.storage.place import Place, at
from choreodb.storage.store import Store, resolve
from choreodb.storage.tables import SCHEMAS
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
    the clips table or the motion is damaged, where the embeddings are and came from a trained encoder whose weights
    are, too, or where the manifest is.
    """
    place = at(library)
    number = resolve(place, None)
    place.ready()
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
    if not clips:
        return _emptied(store, bad)
    trained = _trained(store)
    described = [_described(store, row, trained) for row in clips]
    connected = connect.connect(clips, described, _unmirrored(store, clips, bad), trained=trained)
    arrays, encoder, meta = connected.arrays, connected.encoder, {**store.meta, **connected.meta}
    known = {"name": encoder.name, "sha256": encoder.hash}
    if trained is None and store.encoder.get("name", RHYTHM) != RHYTHM:
        arrays |= {"embeddings": _kept_embeddings(store, connected, bad)}
        known, meta["encoder"] = store.encoder, store.meta.get("encoder", {})
    return store.commit(
        tables={"segments": connected.segments, "transitions": connected.transitions},
        arrays=arrays,
        index=build_files(arrays["embeddings"]),
        meta=meta,
        encoder=known,
        change={"action": "repair", "damaged": len(bad)},
    )


def _emptied(store: Store, bad: set[str]) -> Store:
    """The version of a library from which every clip was deleted: all that was derived, without a row."""
    arrays = {name: np.empty((0, entry.shape[1]), entry.dtype) for name, entry in store.manifest.arrays.items()}
    return store.commit(
        tables={name: SCHEMAS[name].empty_table() for name in ("segments", "transitions")},
        arrays=arrays,
        index=build_files(arrays["embeddings"]) if "embeddings" in arrays else None,
        change={"action": "repair", "damaged": len(bad)},
    )


def _described(store: Store, row: dict[str, Any], trained: Trained | None) -> ClipSegments:
    motion = store.read_motion(row["clip"], 0, row["frames"])
    return ingest.embed(ingest.segment(row, *motion), *motion, trained.encoder if trained else None)


def _trained(store: Store) -> Trained | None:
    """The library's trained encoder; None for `rhythm`, and where its weights are damaged or missing."""
    try:
        return recorded.trained_of(store)
    except ChoreoError:
        return None


def _kept_embeddings(store: Store, connected: Connected, bad: set[str]) -> npt.NDArray[Any]:
    """The embeddings of a trained encoder whose weights are lost."""
    entry = store.manifest.arrays.get("embeddings")
    if entry is None or entry.file.path in bad or entry.file.rows != len(connected.segments):
        name = "arrays/embeddings" if entry is None else entry.file.path
        raise StoreError(
            f"{name} is damaged and was made by the trained encoder {store.encoder['name']!r}, whose weights are lost, "
            "too; index the source again"
        )
    return np.asarray(store.array("embeddings"))


def _unmirrored(store: Store, clips: list[dict[str, Any]], bad: set[str]) -> frozenset[str]:
    """Clips without mirrored copies, as their rows say; in rows of format 1, which do not, as the segments say."""
    unknown = {row["clip"] for row in clips if row["mirror"] is None}
    plain = {row["clip"] for row in clips if row["mirror"] is False}
    if unknown and not _files(store, ("segments",)) & bad:
        segments = store.columns("segments", ["clip", "mirrored"]).to_pylist()
        plain |= unknown - {row["clip"] for row in segments if row["mirrored"]}
    return frozenset(plain)
