"""What an encoder is trained on: clips with their songs as frames, and which parts of them may be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer import motion_grid
from choreodb.indexer.accents import accents
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders.base import ClipMotion
from choreodb.motion.kinematics import forward
from choreodb.motion.skeleton import CHOREO22
from choreodb.music.grid import NO_GRID, BeatGrid
from choreodb.music.music import Music

if TYPE_CHECKING:
    from choreodb.storage.store import Store

Array = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]
Progress = Callable[[str, int, int], None]

FPS = 60.0
_BODY = len(CHOREO22)


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A clip and its song. heard: [F, 69] frames of the whole song. seen: [G, 263] frames of the clip. start_s: song
    seconds at the clip's frame 0. heard_grid, seen_grid: beats in song seconds, in clip seconds (found in the motion alone).
    spans: [S, 2] clip seconds that may be used. twin_spans: [W, 2] clip seconds that have a twin, twin_groups: [W] which.
    origin: hash of the motion's source file. style: None where it is not known."""

    clip: str
    song: str
    style: str | None
    origin: str
    heard: Array
    seen: Array
    start_s: float
    heard_grid: BeatGrid
    seen_grid: BeatGrid
    spans: Times
    twin_spans: Times
    twin_groups: npt.NDArray[np.int64]

    def within(self, spans: Sequence[tuple[float, float]]) -> Take:
        """The same take, of which only `spans` (clip seconds) may be used; those that touch become one."""
        return replace(self, spans=merged(spans))


def whole_span(seen: int, heard: int, start_s: float) -> Times:
    """[1, 2] clip seconds for which there is both motion (frames) and music (frames); [0, 2] where there are none."""
    first = max(0.0, -start_s)
    last = min((seen - 1) / channels.RATE_HZ, (heard - 1) / channels.RATE_HZ - start_s)
    return np.array([[first, last]]) if last > first else np.empty((0, 2))


def merged(spans: Sequence[tuple[float, float]]) -> Times:
    """Spans [S, 2] in order, those that touch or overlap as one."""
    out: list[list[float]] = []
    for start, end in sorted(spans):
        if out and start <= out[-1][1] + 1e-6:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([start, end])
    return np.array(out, dtype=np.float64).reshape(-1, 2)


def checked(takes: Sequence[Take]) -> list[Take]:
    """The takes; EncoderError naming the clip or the song of the first that holds a number that is not finite."""
    for take in takes:
        for what, name, frames in (("clip", take.clip, take.seen), ("song of clip", take.clip, take.heard)):
            wrong = np.flatnonzero(~np.isfinite(frames).all(axis=1))
            if len(wrong):
                raise EncoderError(
                    f"{what} {name!r} has NaN or infinity at {wrong[0] / channels.RATE_HZ:.2f} s; "
                    "repair its source and index it again, or leave the clip out"
                )
    return list(takes)


def from_library(store: Store, songs: Mapping[str, Path], progress: Progress | None = None) -> list[Take]:
    """Every paired clip of a library whose song is among `songs` (song id -> audio file), checked.

    EncoderError where there are fewer than four songs, or a number is not finite.
    """
    wanted = ["clip", "music", "style", "source_sha256", "music_start_s", "music_lag_s", "frames", "copy_of"]
    rows = [
        row
        for row in store.columns("clips", wanted).to_pylist()
        if row["music"] in songs and row["copy_of"] is None and row["frames"] >= 4 * FPS
    ]
    found = sorted({row["music"] for row in rows})
    if len(found) < 4:
        raise EncoderError(
            f"the library has {len(found)} songs whose audio is there; training needs at least 4 (name their folder with --songs)"
        )
    twins = twins_of(store)
    heard: dict[str, tuple[Array, BeatGrid]] = {}
    out = []
    for done, row in enumerate(rows):
        if progress is not None:
            progress("read", done, len(rows))
        song = row["music"]
        if song not in heard:
            music = Music.load(songs[song])
            heard[song] = (channels.music_frames(music.features).astype(np.float32), music.grids[0])
        out.append(_take(store, row, *heard[song], twins.get(row["clip"], [])))
    return checked([take for take in out if len(take.spans)])


def _take(
    store: Store, row: Mapping[str, Any], heard: Array, grid: BeatGrid, twins: list[tuple[float, float, int]]
) -> Take:
    rotations, root, contacts = store.read_motion(row["clip"], 0, row["frames"])[:3]
    local, travel = rotations[:, :_BODY].astype(np.float64), root.astype(np.float64)
    positions = forward(local, travel, CHOREO22)[0]
    seen = channels.motion_frames(ClipMotion(local, travel, positions, contacts, FPS))
    # the song as stated: the lag that indexing finds is found from both
    start_s = float(row["music_start_s"]) - float(row["music_lag_s"] or 0.0)
    finite = np.isfinite(positions).all()
    return Take(
        clip=row["clip"],
        song=row["music"],
        style=row["style"],
        origin=row["source_sha256"],
        heard=heard,
        seen=seen,
        start_s=start_s,
        heard_grid=grid,
        seen_grid=motion_grid.from_accents(accents(positions, contacts, FPS)) if finite else NO_GRID,
        spans=whole_span(len(seen), len(heard), start_s),
        twin_spans=np.array([each[:2] for each in twins], dtype=np.float64).reshape(-1, 2),
        twin_groups=np.array([each[2] for each in twins], dtype=np.int64),
    )


def twins_of(store: Store) -> dict[str, list[tuple[float, float, int]]]:
    """(start, end, group) of every captured segment that has a twin, by clip."""
    found: dict[str, list[tuple[float, float, int]]] = {}
    columns = ["clip", "start_s", "end_s", "twin_group", "mirrored"]
    for row in store.columns("segments", columns).to_pylist():
        if row["twin_group"] >= 0 and not row["mirrored"]:
            found.setdefault(row["clip"], []).append((row["start_s"], row["end_s"], row["twin_group"]))
    return found


def held_out(takes: Sequence[Take], share: float, rng: np.random.Generator) -> tuple[list[Take], list[Take], int]:
    """(takes to train on, takes of held-out songs, how many seconds of the former were dropped as twins of the latter).

    By song, every style alike, at least one song of every style that has three. Sources that a held-out song shares are
    left out of training, too.
    """
    styles: dict[str, set[str]] = {}
    for take in takes:
        styles.setdefault(take.style or "", set()).add(take.song)
    chosen: set[str] = set()
    for style in sorted(styles):
        own = sorted(styles[style])
        count = max(round(share * len(own)), 1 if share > 0.0 and len(own) >= 3 else 0)
        chosen |= {own[at] for at in rng.permutation(len(own))[:count]}
    if share > 0.0 and len(chosen) < 2:
        # too few of every style: a look needs two songs, whatever their styles
        every = sorted({take.song for take in takes})
        chosen = {every[at] for at in rng.permutation(len(every))[: max(2, round(share * len(every)))]}
    held = [take for take in takes if take.song in chosen]
    kept, dropped = apart([take for take in takes if take.song not in chosen], held)
    return kept, held, dropped


def apart(train: Sequence[Take], held: Sequence[Take]) -> tuple[list[Take], int]:
    """(the training takes without what is also held out, whole seconds dropped): songs and sources, and spans whose
    motion is a twin of held-out motion."""
    songs, origins = {take.song for take in held}, {take.origin for take in held}
    groups = {int(group) for take in held for group in take.twin_groups}
    kept, lost = [], 0.0
    for take in train:
        if take.song in songs or take.origin in origins:
            lost += float(np.diff(take.spans, axis=1).sum())
            continue
        shared = take.twin_spans[[int(group) in groups for group in take.twin_groups]]
        spans = without(take.spans, shared)
        lost += float(np.diff(take.spans, axis=1).sum() - np.diff(spans, axis=1).sum())
        if len(spans):
            kept.append(replace(take, spans=spans))
    return kept, round(lost)


def without(spans: Times, taken: Times) -> Times:
    """Spans [S, 2] less what overlaps `taken` [W, 2]."""
    out = [(float(start), float(end)) for start, end in spans]
    for first, last in taken:
        cut: list[tuple[float, float]] = []
        for start, end in out:
            cut += (
                [(start, min(end, first)), (max(start, last), end)] if start < last and end > first else [(start, end)]
            )
        out = [(start, end) for start, end in cut if end - start > 1e-6]
    return np.array(out, dtype=np.float64).reshape(-1, 2)
