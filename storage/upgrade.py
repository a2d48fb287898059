"""Upgrade: the newest version of a library in the format that this ChoreoDB writes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from choreodb.storage import edit
from choreodb.storage.manifest import FORMAT_VERSION
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS


def upgrade(store: Store) -> Store:
    """A version in format `FORMAT_VERSION`, with the same content; the store itself where it is in that format already.

    Only the clips table is written anew; motion, arrays and index stay as they are, because they are read as they are.
    Errors: ConflictError.
    """
    return edit.rebasing(store, (), _upgrade)


def _upgrade(store: Store) -> Store:
    before = store.manifest.format_version
    if before == FORMAT_VERSION:
        return store
    rows = clip_rows(store)
    schema = pa.schema([column.remove_metadata() for column in CLIPS])
    change = {"action": "upgrade", "from_format": before, "to_format": FORMAT_VERSION}
    return store.commit(tables={"clips": pa.Table.from_pylist(rows, schema=schema)}, change=change)


def clip_rows(store: Store) -> list[dict[str, Any]]:
    """Rows of the clips table as this format has them, with what an earlier one did not say filled in."""
    rows: list[dict[str, Any]] = store.table("clips").to_pylist()
    if any(row["mirror"] is None for row in rows):
        segments = store.columns("segments", ["clip", "mirrored"]).to_pylist()
        mirrored = {row["clip"] for row in segments if row["mirrored"]}
        for row in rows:
            row["mirror"] = row["clip"] in mirrored if row["mirror"] is None else row["mirror"]
    for row in rows:
        row["face"] = row["face"] or []
    return rows
