"""What a refiner is trained on: a library's clips without those of the songs that are held out, and without their twins."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.music.music import Music
from choreodb.refiner.denoiser import told
from choreodb.refiner.denoiser.features import FPS, JOINTS
from choreodb.refiner.denoiser.windows import Clip

if TYPE_CHECKING:
    from choreodb.library import Library


def held_out(keys: Iterable[str], share: float) -> frozenset[str]:
    """The keys (of songs, or of files without one) that are kept from training: about `share` of them, at least one and not
    all; the same whatever their order."""
    ranked = sorted(set(keys), key=lambda key: hashlib.sha256(key.encode()).hexdigest())
    return frozenset(ranked[: min(max(1, round(share * len(ranked))), len(ranked) - 1)])


def clips_of(
    library: Library, *, share: float, songs: Mapping[str, Path] | None = None
) -> tuple[list[Clip], list[Clip], tuple[str, ...]]:
    """(clips to train on, clips held out, hashes of the files trained on). songs: audio files by the library's keys.

    QueryError where either side is empty.
    """
    heard = {key: told.frames(Music.load(path)) for key, path in sorted((songs or {}).items())}
    store = library.store
    segments = store.columns("segments", ["segment", "clip", "start_s", "mirrored", "twin_group"]).to_pylist()
    embeddings = store.array("embeddings")
    rows = store.columns(
        "clips", ["clip", "frames", "music", "music_start_s", "source_sha256", "style", "beats_s"]
    ).to_pylist()
    apart = held_out((row["music"] or row["source_sha256"] for row in rows), share)
    kept = {row["clip"] for row in rows if (row["music"] or row["source_sha256"]) in apart}
    twins = {each["twin_group"] for each in segments if each["clip"] in kept and each["twin_group"] >= 0}
    by_clip: dict[str, list[dict[str, Any]]] = {}
    for each in segments:
        if not each["mirrored"]:
            by_clip.setdefault(each["clip"], []).append(each)
    train, rest, origins = [], [], set()
    for row in sorted(rows, key=lambda row: str(row["clip"])):
        own = by_clip.get(row["clip"], [])
        # a twin of what is held out would give it away
        if row["clip"] not in kept and any(each["twin_group"] in twins for each in own):
            continue
        clip = _clip(store.read_motion(row["clip"], 0, row["frames"]), row, own, embeddings, heard)
        if row["clip"] in kept:
            rest.append(clip)
        else:
            train.append(clip)
            origins.add(row["source_sha256"])
    if not train or not rest:
        raise QueryError(
            f"{len(train)} clips to train on and {len(rest)} held out; a refiner needs some of both: index more songs"
        )
    return train, rest, tuple(sorted(origins))


def _clip(
    motion: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]], row: Mapping[str, Any], own: list[dict[str, Any]],
    embeddings: npt.NDArray[Any], heard: Mapping[str, npt.NDArray[np.float32]],
) -> Clip:  # fmt: skip
    rotations, root, contacts = motion
    return Clip(
        np.asarray(rotations[:, :JOINTS], dtype=np.float32), root.astype(np.float64), contacts,
        np.asarray(row["beats_s"], dtype=np.float64), row["style"] or "",
        np.asarray(embeddings[[each["segment"] for each in own]], dtype=np.float32).reshape(len(own), 256),
        np.array([each["start_s"] for each in own], dtype=np.float64),
        None if row["music"] not in heard else _from(heard[row["music"]], row["music_start_s"] or 0.0),
    )  # fmt: skip


def _from(music: npt.NDArray[np.float32], start_s: float) -> npt.NDArray[np.float32]:
    """Frames of a song from `start_s` on, which may be before it begins."""
    first = round(start_s * FPS)
    return music[first:] if first >= 0 else np.concatenate([np.repeat(music[:1], -first, axis=0), music])
