"""Music: a song as ChoreoDB sees it, without its samples."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.errors import MusicFormatError
from choreodb.music import beats as beat_tracking
from choreodb.music import decode, rests
from choreodb.music.decode import Audio
from choreodb.music.features import Features, analyse, analyse_blocks
from choreodb.music.grid import BeatGrid, extrapolated
from choreodb.threads import one_thread


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Music:
    """A song: features, beat hypotheses and rests.

    path, sha256: the file; duration_s: decoded length. grids: hypotheses best first, each covering [0, duration_s]
    with whole bars. rests: [R, 2] spans in seconds without energy or onsets.
    """

    path: Path
    sha256: str
    duration_s: float
    features: Features
    grids: tuple[BeatGrid, ...]
    rests: npt.NDArray[np.float64]

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        bpm: float | None = None,
        beats: str | os.PathLike[str] | None = None,
        metre: int | None = None,
    ) -> Music:
        """Decode and analyse a song.

        bpm: keep the tempo near this one; beats: a file of beat times instead of tracking (`beats.read_beats`);
        metre: beats a bar (3, 4 or 6). Raises MusicFormatError for what cannot be read or is out of range.
        """
        with one_thread():
            heard = decode.listen(path, analyse_blocks)
            return cls._understood(heard.made, heard.duration_s, heard.sha256, heard.path, bpm, beats, metre)

    @classmethod
    def from_audio(
        cls,
        audio: Audio,
        *,
        bpm: float | None = None,
        beats: str | os.PathLike[str] | None = None,
        metre: int | None = None,
    ) -> Music:
        """The same for decoded audio, whatever the number of cores: to the last bit."""
        with one_thread():
            features = analyse(audio)
            return cls._understood(features, audio.duration_s, audio.sha256, audio.path, bpm, beats, metre)

    @classmethod
    def _understood(
        cls,
        features: Features,
        duration_s: float,
        sha256: str,
        path: Path,
        bpm: float | None,
        beats: str | os.PathLike[str] | None,
        metre: int | None,
    ) -> Music:
        if beats is not None and bpm is not None:
            raise MusicFormatError(f"bpm {bpm:g} and beats '{beats}' both say where the beats are; give one of them")
        if beats is not None:
            found: tuple[BeatGrid, ...] = (_within(beat_tracking.read_beats(beats, metre=metre), duration_s, beats),)
        else:
            found = beat_tracking.estimate(features, bpm=bpm, metre=metre)
        grids = tuple(extrapolated(grid, duration_s) for grid in found)
        return cls(path, sha256, duration_s, features, grids, rests.find(features, duration_s))


def _within(grid: BeatGrid, duration_s: float, beats: str | os.PathLike[str]) -> BeatGrid:
    """The grid, where it has beats inside the song; elsewhere they would be guesses."""
    first, last = float(grid.times_s[0]), float(grid.times_s[-1])
    if first > duration_s or last < 0.0:
        raise MusicFormatError(
            f"beats '{beats}' lie from {first:g} to {last:g} s, outside the song of {duration_s:.2f} s; "
            "give the beats of this song, in seconds"
        )
    return grid
