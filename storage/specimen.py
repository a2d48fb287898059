"""Specimen: the smallest library in which everything occurs, made of smooth random motion, for tests of any part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from choreodb.storage.graph import transitions, walkable
from choreodb.storage.motion_table import MotionArrays, blocks
from choreodb.storage.place import Place
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS, MUSIC, SEGMENTS, TRANSITIONS

FPS = 60
BEAT_S = 0.5
BAR_BEATS = 4
_STYLES = ("waltz", "rumba", None)


def make(path: Place | Path | str, *, clips: int = 3, bars: int = 3, features: int = 24, seed: int = 0) -> Store:
    """Write a library of `clips` clips of `bars` bars at 120 bpm, every segment also mirrored; the first has music.

    The last clip has fingers and a face, where there are two or more. The same arguments give the same bytes.
    """
    rng = np.random.default_rng(seed)
    rows = [_clip(number, clips, bars) for number in range(clips)]
    motion = [
        blocks(row["motion_key"], *random_motion(rng, row["frames"], row["joints"]), random_face(row)) for row in rows
    ]
    segments = [row for clip in rows for mirrored in (False, True) for row in _segments(clip, bars, mirrored)]
    count = len(segments)
    for number, row in enumerate(segments):
        row |= {"segment": number, "continuation": number + 1 if row["first_bar"] + 1 < bars else -1}
        row["energy"] = float(rng.uniform(0.2, 2.0))
    continuation = np.array([row["continuation"] for row in segments])
    entry, leave = (rng.normal(size=(count, features)).astype(np.float32) for _ in range(2))
    source, target, cost = transitions(entry, leave, continuation, degree=4)
    follows = continuation[source] == target
    for row, inside in zip(segments, walkable(count, source, target), strict=True):
        row["walkable"] = bool(inside)
    return Store.create(path).commit(
        tables={
            "clips": pa.Table.from_pylist(rows, schema=CLIPS),
            "music": pa.Table.from_pylist([_song(bars)], schema=MUSIC),
            "segments": pa.Table.from_pylist(segments, schema=SEGMENTS),
            "transitions": pa.table([source, target, cost, follows], schema=TRANSITIONS),
        },
        append_motion=motion,
        arrays={"embeddings": _unit(rng.normal(size=(count, 256))), "entry": entry, "exit": leave},
        meta={"specimen": {"clips": clips, "bars": bars, "seed": seed}},
        encoder={"name": "random", "sha256": "0" * 64},
    )


def random_motion(rng: np.random.Generator, frames: int, joints: int) -> MotionArrays:
    """Smooth random rotations [T, J, 4], root [T, 3] and contacts [T, 4]: sums of a few slow waves."""
    time = np.arange(frames)[:, None] / FPS
    waves = np.sin(time * rng.uniform(1.0, 6.0, size=joints * 4) + rng.uniform(0.0, 6.0, size=joints * 4))
    rotations = waves.reshape(frames, joints, 4) * 0.3 + np.array([1.0, 0.0, 0.0, 0.0])
    root = np.sin(time * rng.uniform(0.5, 2.0, size=3)) + np.array([0.0, 0.9, 0.0])
    contacts = np.sin(time * 6.0 + np.array([0.0, 0.3, np.pi, np.pi + 0.3])) > 0.0
    return _unit(rotations), root.astype(np.float32), contacts.astype(np.uint8)


def random_face(row: dict[str, Any]) -> npt.NDArray[np.float32] | None:
    """Slow waves between 0 and 1 [T, F] for the face channels that a clip's row names; None without any."""
    if not row["face"]:
        return None
    time = np.arange(row["frames"])[:, None] / FPS
    return np.asarray(0.5 + 0.5 * np.sin(time * (1.0 + np.arange(len(row["face"])))), dtype=np.float32)


def _unit(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True), dtype=np.float32)


def _beats(bars: int) -> dict[str, Any]:
    count = bars * BAR_BEATS + 1
    return {
        "beats_s": [beat * BEAT_S for beat in range(count)],
        "beat_positions": [beat % BAR_BEATS + 1 for beat in range(count)],
        "tempo_bpm": 60.0 / BEAT_S,
        "metre": BAR_BEATS,
    }


def _song(bars: int) -> dict[str, Any]:
    about = {"music": "a" * 64, "path": "songs/one.ogg", "dataset": "specimen", "confidence": 1.0, "licence": "CC0"}
    return about | _beats(bars) | {"duration_s": bars * BAR_BEATS * BEAT_S}


def _clip(number: int, clips: int, bars: int) -> dict[str, Any]:
    seconds = bars * BAR_BEATS * BEAT_S
    paired = number == 0
    return _beats(bars) | {
        "clip": f"specimen/clip{number}",
        "motion_key": f"motion-{number}",
        "dataset": "specimen",
        "source_path": f"clip{number}.bvh",
        "source_sha256": f"{number:064x}",
        "source_fps": 120.0,
        "source_frames": int(seconds * 120),
        "source_start_s": 0.0,
        "duration_s": seconds,
        "frames": int(seconds * FPS),
        "joints": 52 if clips > 1 and number == clips - 1 else 22,
        "style": _STYLES[number % len(_STYLES)],
        "performer": "Ann O'Dance" if number % 2 else None,
        "licence": "CC0",
        "music": "a" * 64 if paired else None,
        "music_start_s": 0.0 if paired else None,
        "music_lag_s": 0.0 if paired else None,
        "beat_source": "music" if paired else "motion",
        "beat_confidence": 1.0 if paired else 0.6,
        "scale": 1.0,
        "residual_cm": 0.5 * number,
        "notes": ["made of random waves"],
        "consent": "given",
        "mirror": True,
        "face": ["jawOpen", "eyeBlinkLeft"] if clips > 1 and number == clips - 1 else [],
    }


def _segments(clip: dict[str, Any], bars: int, mirrored: bool) -> list[dict[str, Any]]:
    bar_s = BAR_BEATS * BEAT_S
    return [
        {
            "clip": clip["clip"],
            "first_bar": bar,
            "bars": 1,
            "start_s": bar * bar_s,
            "end_s": (bar + 1) * bar_s,
            "beats_s": [bar * bar_s + beat * BEAT_S for beat in range(BAR_BEATS + 1)],
            "tempo_bpm": clip["tempo_bpm"],
            "metre": clip["metre"],
            "beat_source": clip["beat_source"],
            "mirrored": mirrored,
            "short": False,
            "origin": clip["source_sha256"],
            "origin_start_s": bar * bar_s,
            "origin_end_s": (bar + 1) * bar_s,
            "twin_group": -1,
        }
        for bar in range(bars)
    ]
