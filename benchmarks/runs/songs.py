"""Songs of a benchmark: their audio files found by content, analysed once, with beats that planning does not use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.registry import AUDIO_SUFFIXES
from choreodb.music.decode import load as load_audio
from choreodb.music.music import Music

if TYPE_CHECKING:
    from choreodb.library import Library

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Song:
    """A song to dance to. beats_s: found by librosa, which planning does not use."""

    music: Music
    beats_s: FloatArray


class Songs:
    """Songs by path, each analysed once."""

    def __init__(self) -> None:
        self._songs: dict[Path, Song] = {}

    def __getitem__(self, path: Path) -> Song:
        if path not in self._songs:
            audio = load_audio(path)
            self._songs[path] = Song(Music.from_audio(audio), librosa_beats(audio.samples, audio.rate))
        return self._songs[path]


def librosa_beats(samples: npt.NDArray[np.float32], rate: int) -> FloatArray:
    """Beat times in seconds by `librosa.beat.beat_track`, as published evaluations take them."""
    from librosa.beat import beat_track

    _, found = beat_track(y=samples, sr=rate, units="time")
    return np.asarray(found, dtype=np.float64)


def paired_songs(library: Library, data: Path | None) -> dict[str, Path]:
    """Audio file of each of the library's songs that is found under `data`, by the sha256 that is the song's id."""
    wanted = {row["music"] for row in library.store.columns("music", ["music"]).to_pylist()}
    if data is None or not wanted:
        return {}
    found: dict[str, Path] = {}
    for path in sorted(path for path in data.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES):
        with path.open("rb") as file:
            key = hashlib.file_digest(file, "sha256").hexdigest()
        if key in wanted:
            found.setdefault(key, path)
    return found
