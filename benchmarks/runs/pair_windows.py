"""Windows of real pairs for retrieval: music and motion at the same time, folds by song, and the test that nothing leaks.

What the motion side may know is measured on the motion alone: a paired clip's beat grid in the library comes from its own
song, and would give that song away. The stated music start is used, without the lag that indexing estimates from both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from choreodb.errors import MetricError
from choreodb.indexer import motion_grid
from choreodb.indexer.accents import MotionAccents, accents
from choreodb.indexer.encoders.base import ClipMotion
from choreodb.motion.kinematics import forward
from choreodb.motion.skeleton import CHOREO22
from choreodb.music.grid import NO_GRID, BeatGrid
from choreodb.music.music import Music

if TYPE_CHECKING:
    from choreodb.library import Library

FPS = 60.0
_BLUR_S = 0.05
_BODY = len(CHOREO22)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A clip and its song. start_s: song seconds at the clip's frame 0, as stated. grid: beats that the motion alone
    shows. told: the library's grid of the clip, which comes from the song. rise_m_s: [T] the pelvis's vertical velocity. twin_spans: [S, 2] clip seconds that have a
    twin, and twin_groups: [S] which. origin: hash of the source file."""

    clip: str
    song: str
    style: str
    origin: str
    music: Music
    motion: ClipMotion
    curves: MotionAccents
    rise_m_s: npt.NDArray[np.float64]
    start_s: float
    grid: BeatGrid
    told: BeatGrid
    twin_spans: npt.NDArray[np.float64]
    twin_groups: npt.NDArray[np.int64]

    @property
    def duration_s(self) -> float:
        """Seconds of motion."""
        return len(self.curves) / self.curves.fps


@dataclass(frozen=True, slots=True, eq=False)
class PairWindow:
    """A stretch of a pair. start_s, end_s: clip seconds. Its music is at `music_start_s` to `music_end_s` of the song.
    curves: of the whole motion side, which a control may replace by others; `motion` is None then."""

    pair: Pair
    start_s: float
    end_s: float
    curves: MotionAccents
    motion: ClipMotion | None

    @property
    def music_start_s(self) -> float:
        """Song seconds of its start."""
        return self.start_s + self.pair.start_s

    @property
    def music_end_s(self) -> float:
        """Song seconds of its end."""
        return self.end_s + self.pair.start_s

    @property
    def twins(self) -> frozenset[int]:
        """Twin groups of the segments that it overlaps."""
        spans = self.pair.twin_spans
        inside = (spans[:, 0] < self.end_s) & (spans[:, 1] > self.start_s)
        return frozenset(self.pair.twin_groups[inside].tolist())


def read_pairs(library: Library, paired: Mapping[str, Path]) -> list[Pair]:
    """Every clip of the library whose song is among `paired` (song id -> file) and whose style is known."""
    columns = ["clip", "music", "style", "source_sha256", "music_start_s", "music_lag_s", "frames", "beats_s",
               "beat_positions", "metre", "tempo_bpm"]  # fmt: skip
    rows = [
        row for row in library.store.columns("clips", columns).to_pylist() if row["music"] in paired and row["style"]
    ]
    twins = _twins(library)
    return [_pair(library, row, paired[row["music"]], twins.get(row["clip"], [])) for row in rows]


def _pair(library: Library, row: dict[str, object], song: Path, twins: list[tuple[float, float, int]]) -> Pair:
    clip, count = str(row["clip"]), int(str(row["frames"]))
    rotations, root, contacts = library.store.read_motion(clip, 0, count)[:3]
    local, travel = rotations[:, :_BODY].astype(np.float64), root.astype(np.float64)
    positions = forward(local, travel, CHOREO22)[0]
    curves = accents(positions, contacts, FPS)
    spans = np.array([each[:2] for each in twins], dtype=np.float64).reshape(-1, 2)
    return Pair(
        clip=clip,
        song=str(row["music"]),
        style=str(row["style"]),
        origin=str(row["source_sha256"]),
        music=Music.load(song),
        motion=ClipMotion(local, travel, positions, contacts, FPS),
        curves=curves,
        rise_m_s=np.gradient(gaussian_filter1d(positions[:, 0, 1], _BLUR_S * FPS)) * FPS,
        start_s=float(str(row["music_start_s"])) - float(str(row["music_lag_s"] or 0.0)),
        grid=motion_grid.from_accents(curves),
        told=_told(row),
        twin_spans=spans,
        twin_groups=np.array([each[2] for each in twins], dtype=np.int64),
    )


def _told(row: Mapping[str, object]) -> BeatGrid:
    times = np.asarray(row["beats_s"], dtype=np.float64)
    if len(times) < 2:
        return NO_GRID
    positions = np.asarray(row["beat_positions"], dtype=np.int32)
    return BeatGrid(times, positions, int(str(row["metre"])), float(str(row["tempo_bpm"])), 1.0, "music")


def _twins(library: Library) -> dict[str, list[tuple[float, float, int]]]:
    """(start, end, group) of every captured segment that has a twin, by clip."""
    found: dict[str, list[tuple[float, float, int]]] = {}
    for row in library.store.columns("segments", ["clip", "start_s", "end_s", "twin_group", "mirrored"]).to_pylist():
        if row["twin_group"] >= 0 and not row["mirrored"]:
            found.setdefault(row["clip"], []).append((row["start_s"], row["end_s"], row["twin_group"]))
    return found


def windows(pairs: Sequence[Pair], *, length_s: float, hop_s: float) -> list[PairWindow]:
    """Windows of `length_s` every `hop_s` that have both their motion and their music."""
    out = []
    for pair in pairs:
        last = min(pair.duration_s, pair.music.duration_s - pair.start_s) - length_s
        first = max(0.0, -pair.start_s)
        out += [
            PairWindow(pair, float(at), float(at) + length_s, pair.curves, pair.motion)
            for at in np.arange(first, last + 1e-9, hop_s)
        ]
    return out


def folds(songs: Mapping[str, str], count: int, rng: np.random.Generator) -> dict[str, int]:
    """Fold 0..count-1 of every song (song -> style), every style dealt out evenly; songs of one fold are held out together."""
    dealt: dict[str, int] = {}
    turn = 0
    for style in sorted(set(songs.values())):
        own = sorted(song for song in songs if songs[song] == style)
        for index in rng.permutation(len(own)):
            dealt[own[index]] = turn % count
            turn += 1
    return dealt


def training(all_windows: Sequence[PairWindow], held: Sequence[PairWindow]) -> tuple[list[PairWindow], int]:
    """(windows to train on when `held` are held out, how many were dropped because a twin of theirs is held out)."""
    songs, origins = {each.pair.song for each in held}, {each.pair.origin for each in held}
    groups = frozenset[int]().union(*(each.twins for each in held))
    others = [each for each in all_windows if each.pair.song not in songs and each.pair.origin not in origins]
    kept = [each for each in others if not each.twins & groups]
    return kept, len(others) - len(kept)


def check_apart(train: Sequence[PairWindow], held: Sequence[PairWindow]) -> None:
    """MetricError where a song, a source (mirrored copies share it) or a twin is on both sides."""
    for name, of in (("song", lambda each: {each.pair.song}), ("source", lambda each: {each.pair.origin}),
                     ("twin group", lambda each: set(each.twins))):  # fmt: skip
        both = set[object]().union(*map(of, train)) & set[object]().union(*map(of, held))
        if both:
            raise MetricError(
                f"{name} {min(map(str, both))!r} is in the training windows and held out; split by song and drop twins"
            )
