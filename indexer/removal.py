"""Removal: clips taken out of a library, and the rest fitted anew in the same commit where it has become another one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from choreodb.indexer import connect, drift, ingest
from choreodb.indexer.encoders import recorded
from choreodb.indexer.update import Derived
from choreodb.storage import edit
from choreodb.storage.store import Store
from choreodb.storage.upgrade import clip_rows
from choreodb.threads import one_thread


def delete(store: Store, clips: Collection[str], *, reason: str | None = None) -> Store:
    """`edit.delete`; what is left is embedded and connected anew where its statistics have drifted (`drift.LIMIT`)."""
    with one_thread():
        return edit.delete(store, clips, reason=reason, refit=fitted_anew)


def fitted_anew(store: Store, gone: frozenset[str]) -> dict[str, Any] | None:
    """What is derived from the clips of `store` without `gone`, all of it made again; None where that is not called for."""
    rows = drift.captured(store)
    names = store.columns("segments", ["clip"]).column("clip")
    leaving = np.asarray(pc.is_in(names, value_set=pa.array(sorted(gone), pa.string())).to_numpy(), dtype=np.bool_)
    rows = rows[~leaving[rows]]
    fit = store.meta.get("fit")
    if fit is None or len(rows) == 0:
        return None
    now = drift.state({name: store.array(name) for name in ("embeddings", "entry")}, rows, store.meta["encoder"])
    if drift.between(fit, now) <= drift.LIMIT:
        return None
    trained = recorded.trained_of(store)
    clips = sorted((row for row in clip_rows(store) if row["clip"] not in gone), key=lambda row: str(row["clip"]))
    described = []
    for row in clips:
        motion = store.read_motion(row["clip"], 0, row["frames"])
        described.append(ingest.embed(ingest.segment(row, *motion), *motion, trained.encoder if trained else None))
    unmirrored = frozenset(row["clip"] for row in clips if not row["mirror"])
    made = Derived.of(connect.connect(clips, described, unmirrored, trained=trained))
    return {
        "tables": made.tables, "arrays": made.arrays, "index": made.index, "meta": {**store.meta, **made.meta},
        "encoder": made.encoder, "models": made.models,
    }  # fmt: skip
