"""Subset: some clips of a library as a library of its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from choreodb.errors import QueryError
from choreodb.indexer import gather
from choreodb.indexer.encoders import recorded
from choreodb.indexer.gather import Progress, Taken
from choreodb.storage.place import Place
from choreodb.storage.store import Store
from choreodb.storage.upgrade import clip_rows
from choreodb.threads import one_thread


@dataclass(frozen=True, slots=True)
class Subset:
    """What an export takes. clips: their ids, sorted; copies: how many virtual copies were chosen, which stay behind."""

    clips: tuple[str, ...]
    copies: int


def choose(store: Store, clips: Collection[str]) -> Subset:
    """The captured ones of these clips; QueryError where there is none, or no encoder for them."""
    recorded.trained_of(store)  # refuses what cannot be embedded anew
    chosen = set(clips)
    rows = store.columns("clips", ["clip", "copy_of"]).to_pylist()
    captured = sorted(row["clip"] for row in rows if row["clip"] in chosen and row["copy_of"] is None)
    if not captured:
        raise QueryError(
            "only virtual copies are chosen, which have no motion of their own; choose the clips they are copies of"
        )
    return Subset(tuple(captured), len(chosen) - len(captured))


def export(store: Store, out: Place | Path | str, subset: Subset, *, progress: Progress | None = None) -> Store:
    """A new library at `out` with the clips of `subset`, their motion, songs and labels.

    Segments, graph, arrays and index are those of these clips alone. Tombstones, tags and older versions stay behind.
    Errors: StoreError where there is something at `out` already; ConflictError.
    """
    chosen = set(subset.clips)
    rows = [row for row in clip_rows(store) if row["clip"] in chosen]
    with one_thread():
        new = Store.create(out)
        new.place.ready()
        return gather.commit(
            new,
            [Taken(row, store) for row in rows],
            {row["music"]: row for row in store.table("music").to_pylist()},
            change={"action": "export", "clips": len(rows), "of_version": store.version},
            progress=progress or (lambda stage, done, total: None),
        )
