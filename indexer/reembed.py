"""Reembed: give a library the embeddings of another encoder, and leave everything else as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.indexer import drift, ingest
from choreodb.indexer.accents import accents
from choreodb.indexer.encoders import recorded, rhythm
from choreodb.indexer.encoders.base import ClipMotion, Encoder, MotionWindow
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.encoders.rhythm import Descriptors, RhythmEncoder
from choreodb.storage import edit
from choreodb.storage.index import build_files
from choreodb.storage.store import Store
from choreodb.threads import one_thread

Progress = Callable[[str, int, int], None]
Rows = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]


def reembed(store: Store, encoder: str | Path, *, progress: Progress | None = None) -> Store:
    """A version whose embeddings and index are by `encoder`, a name, a path or an address; the store itself where they are.

    What is added to the library later is embedded with it, too. Errors: EncoderError for no such encoder, or one that
    does not fit; ConflictError.
    """
    tell = progress or (lambda stage, done, total: None)
    trained = recorded.find(encoder)
    with one_thread():
        return edit.rebasing(store, (), lambda base: _reembedded(base, trained, tell))


def _reembedded(store: Store, trained: Trained | None, tell: Progress) -> Store:
    embeddings, made = _fitted(store, tell) if trained is None else (_trained(store, trained, tell), trained.encoder)
    if store.encoder.get("sha256") == made.hash and np.array_equal(embeddings, store.array("embeddings")):
        return store
    tell("commit", 0, 1)
    about = made.meta() if trained is None else trained.meta
    fit = drift.state({"embeddings": embeddings, "entry": store.array("entry")}, drift.captured(store), about)
    after = store.commit(
        arrays={"embeddings": embeddings},
        index=build_files(embeddings),
        meta={**store.meta, "encoder": about, "fit": fit},
        encoder={"name": made.name, "sha256": made.hash},
        models={} if trained is None else trained.models,
        change={"action": "reembed", "encoder": made.name, "before": store.encoder.get("name")},
    )
    tell("commit", 1, 1)
    return after


def _trained(store: Store, trained: Trained, tell: Progress) -> Float32Array:
    """Rows of every segment by a trained encoder; of the frames of a copy where the clip is a virtual one."""
    out = np.empty((store.manifest.rows("segments"), 256), dtype=np.float32)
    clips, segments = _clips(store), _segments(store)
    for done, (name, own) in enumerate(segments.items()):
        tell("embed", done, len(segments))
        fill(out, own, rows_of(trained, _motion(store, clips[name]), own))
    tell("embed", len(segments), len(segments))
    return out


def _fitted(store: Store, tell: Progress) -> tuple[Float32Array, Encoder]:
    """Rows of every segment by `rhythm`, fitted to the captured clips, and the encoder; a copy is its clip, faster."""
    clips, segments = _clips(store), _segments(store)
    described: dict[str, Descriptors] = {}
    for done, (name, own) in enumerate(segments.items()):
        tell("embed", done, len(segments))
        if clips[name]["copy_of"] is None:
            motion = _motion(store, clips[name])
            curves = accents(motion.positions, motion.contacts, motion.fps)
            described[name] = rhythm.describe_motion(curves, _windows(own))
    encoder = RhythmEncoder.fit(rhythm.gathered([described[name] for name in sorted(described)]))
    out = np.empty((store.manifest.rows("segments"), 256), dtype=np.float32)
    for name, own in segments.items():
        row = clips[name]
        seen = described[name] if row["copy_of"] is None else rhythm.faster(described[row["copy_of"]], row["rate"])
        fill(out, own, encoder.embed(seen))
    tell("embed", len(segments), len(segments))
    return out, encoder


def _clips(store: Store) -> dict[str, dict[str, Any]]:
    rows = store.columns("clips", ["clip", "frames", "copy_of", "rate"]).to_pylist()
    return {row["clip"]: row for row in rows}


def _segments(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Rows of the segments of each clip, mirrored ones included, in the order of the table."""
    columns = ["segment", "clip", "first_bar", "start_s", "end_s", "beats_s", "metre", "mirrored"]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in store.columns("segments", columns).to_pylist():
        found.setdefault(row["clip"], []).append(row)
    return found


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if not row["mirrored"]]


def _windows(rows: list[dict[str, Any]]) -> list[MotionWindow]:
    return [
        MotionWindow(row["start_s"], row["end_s"], np.asarray(row["beats_s"], dtype=np.float64), int(row["metre"] or 0))
        for row in _plain(rows)
    ]


def rows_of(trained: Trained, motion: ClipMotion, rows: list[dict[str, Any]]) -> Float32Array:
    """Unit rows of a clip's plain segments by a trained encoder."""
    windows = _windows(rows)
    return ingest.unit_rows(trained.encoder, trained.encoder.embed_motion(motion, windows), len(windows))


def fill(out: Float32Array, rows: list[dict[str, Any]], embedded: Float32Array) -> None:
    """Write the rows of a clip's windows, and the same ones for their mirror images."""
    place = {row["first_bar"]: at for at, row in enumerate(_plain(rows))}
    out[[row["segment"] for row in rows]] = embedded[[place[row["first_bar"]] for row in rows]]


def _motion(store: Store, clip: dict[str, Any]) -> ClipMotion:
    return clip_motion(*store.read_motion(clip["clip"], 0, clip["frames"]))


def clip_motion(
    rotations: npt.NDArray[np.floating], root: npt.NDArray[np.floating], contacts: npt.NDArray[np.uint8]
) -> ClipMotion:
    """What an encoder may look at of stored frames."""
    return ClipMotion(rotations, root, ingest.joint_positions(rotations, root), contacts, ingest.FPS)
