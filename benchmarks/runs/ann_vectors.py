"""Vectors with the structure of real libraries: overlapping windows of captured takes, and their copies at other tempi.

A window begins at every beat, so that neighbours share all but a beat. A copy is embedded anew from its descriptors, which
scale with the rate as `indexer.copies` has it; a mirror image has the embedding of what it mirrors. Queries are windows of
songs, which lie where no motion does. The same for bar lines: exits and entries of the bars of every copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.scale import rates
from choreodb.errors import QueryError
from choreodb.indexer import boundaries, copies, ingest
from choreodb.indexer.accents import accents
from choreodb.indexer.boundaries import RawBoundaries
from choreodb.indexer.encoders import rhythm
from choreodb.indexer.encoders.base import MotionWindow, MusicWindow
from choreodb.indexer.encoders.rhythm import Descriptors, RhythmEncoder
from choreodb.storage.neighbours import Barred
from choreodb.storage.store import Store

Vectors = npt.NDArray[np.float32]
FPS = 60.0
_NO_METRE_STEP_S = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Takes:
    """What windows and bar lines of captured takes are like. seconds: of dance."""

    windows: Descriptors
    entry: RawBoundaries
    leave: RawBoundaries
    origin: npt.NDArray[np.int64]
    start_s: npt.NDArray[np.float64]
    end_s: npt.NDArray[np.float64]
    follows: npt.NDArray[np.bool_]
    encoder: RhythmEncoder
    spread: dict[str, float]
    seconds: float


def takes(store: Store, tell: Callable[..., None]) -> Takes:
    """Windows at every beat, and bars, of every captured clip of a library."""
    rows = [row for row in store.table("clips").to_pylist() if row["copy_of"] is None]
    windows, entry, leave, spans = [], [], [], []
    for done, row in enumerate(rows):
        tell("ann: describing takes", done, len(rows))
        motion = store.read_motion(row["clip"], 0, row["frames"])
        windows.append(_windows(row, motion))
        bars = ingest.segment(row, *motion)
        entry += [bars.entry, bars.mirrored_entry]
        leave += [bars.leave, bars.mirrored_leave]
        both = [(done, cut.start_s, cut.end_s, cut.continues) for cut in bars.cuts]
        spans += [both, both]
    flat = np.array([span for clip in spans for span in clip])
    described = rhythm.gathered(windows)
    lines = boundaries.gathered(entry)
    return Takes(
        described, lines, boundaries.gathered(leave), flat[:, 0].astype(np.int64), flat[:, 1], flat[:, 2],
        flat[:, 3].astype(np.bool_), RhythmEncoder.fit(described), boundaries.spreads(lines),
        float(sum(row["duration_s"] for row in rows)),
    )  # fmt: skip


def _windows(row: dict[str, object], motion: tuple[Vectors, Vectors, npt.NDArray[np.uint8]]) -> Descriptors:
    """A window of a bar's length from every beat of a clip."""
    rotations, root, contacts = motion
    positions = ingest.joint_positions(rotations, root)
    grid = ingest.grid_of(row)
    last_s = (len(rotations) - 1) / FPS
    beats = grid.times_s[(grid.times_s >= 0.0) & (grid.times_s <= last_s)]
    metre = grid.metre
    if len(beats) <= metre:
        starts = np.arange(0.0, max(last_s - 2.0, 0.1), _NO_METRE_STEP_S)
        cut = [MotionWindow(float(s), float(min(s + 2.0, last_s)), np.empty(0), 0) for s in starts]
    else:
        spans = [beats[at : at + metre + 1] for at in range(len(beats) - metre)]
        cut = [MotionWindow(float(span[0]), float(span[-1]), span, metre) for span in spans]
    return rhythm.describe_motion(accents(positions, contacts, FPS), cut)


def motion_vectors(found: Takes, count: int) -> Vectors:
    """So many unit vectors [N, 256]: the takes and copies of them at other tempi, each twice, for its mirror image."""
    own = 2 * len(found.windows)
    out = np.empty((count, 256), dtype=np.float32)
    for number, rate in enumerate([1.0, *rates(max(0, -(-count // own) - 1))]):
        rows = found.encoder.embed(rhythm.faster(found.windows, rate))
        part = np.concatenate([rows, rows])[: count - number * own]
        out[number * own : number * own + len(part)] = part
    return out


def boundary_lines(found: Takes, count: int) -> tuple[Vectors, Vectors, Barred]:
    """Entries and exits [N, D] of so many bars, of the takes and of copies at other tempi, and what may not follow them."""
    own = len(found.start_s)
    copied = [1.0, *rates(max(0, -(-count // own) - 1))]
    entry, leave = (
        np.concatenate([boundaries.features(copies.hastened(lines, rate), found.spread) for rate in copied])[:count]
        for lines in (found.entry, found.leave)
    )

    def tiled(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.tile(values, len(copied))[:count]

    follows = np.where(tiled(found.follows), np.arange(1, count + 1), -1)
    follows[-1:] = -1
    return entry, leave, Barred(tiled(found.origin), tiled(found.start_s), tiled(found.end_s), follows)


def song_vectors(found: Takes, songs: Sequence[Path], count: int) -> Vectors:
    """Unit vectors [count, 256] of windows of a bar, from every beat of songs, evenly chosen; QueryError for too few."""
    from choreodb.music.music import Music

    parts = []
    for path in songs:
        music = Music.load(path)
        grid = music.grids[0]
        spans = [grid.times_s[at : at + grid.metre + 1] for at in range(len(grid.times_s) - grid.metre)]
        windows = [MusicWindow(float(span[0]), float(span[-1]), span, grid.metre) for span in spans]
        parts.append(found.encoder.embed_music(music, windows))
    rows = np.concatenate(parts) if parts else np.empty((0, 256), dtype=np.float32)
    if len(rows) < count:
        raise QueryError(f"the songs have {len(rows)} windows; the benchmark asks {count}, give more songs")
    return np.asarray(rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)])
