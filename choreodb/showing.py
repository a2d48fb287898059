"""Show a clip of a sample folder: the dancer, the song and the truth about both, as mp4."""

from __future__ import annotations

import csv
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from choreodb.errors import QueryError
from choreodb.motion import registry
from choreodb.render.video import Caption, VideoOptions, save_video


@dataclass(frozen=True, slots=True)
class ShownClip:
    """A clip of a sample: its motion and song, and where in the song it begins."""

    motion: Path
    music: Path
    style: str
    performer: str
    music_start_s: float


def find_clip(folder: Path, *, style: str | None = None, clip: str | None = None) -> ShownClip:
    """The first clip of the sample in `folder` that is of `style` and whose file name contains `clip`.

    QueryError where `folder` holds no sample or none of its clips fits.
    """
    pairs = folder / "pairs.csv"
    if not pairs.is_file():
        raise QueryError(f"{str(folder)!r} holds no sample; make one with: choreodb sample make")
    with pairs.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["motion"]]
    for row in rows:
        if style in (None, row["style"]) and (clip or "") in row["motion"]:
            start_s = float(row["music_start_s"])
            return ShownClip(folder / row["motion"], folder / row["music"], row["style"], row["performer"], start_s)
    wanted = " and ".join(f"{what} {value!r}" for what, value in (("style", style), ("name", clip)) if value)
    styles = ", ".join(sorted({row["style"] for row in rows}))
    raise QueryError(f"no clip in {str(folder)!r} has {wanted}; its styles are {styles}")


def show(clip: ShownClip, path: Path, *, seconds: float | None = None, options: VideoOptions | None = None) -> None:
    """Write the first `seconds` (default: all) of `clip` with its song to the mp4 `path`; captions name the phrases."""
    if path.suffix.lower() != ".mp4":
        raise QueryError(f"cannot show a clip as '{path}'; expected a name that ends in .mp4")
    motion = registry.read(clip.motion)
    truth = json.loads(clip.motion.with_suffix(".json").read_text(encoding="utf-8"))
    frames = len(motion) if seconds is None else min(len(motion), max(1, round(seconds * motion.fps)))
    samples, rate = soundfile.read(clip.music, dtype="float32", always_2d=True)
    first = round(clip.music_start_s * rate)
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder, "song.flac")
        soundfile.write(song, samples[first : first + round(frames / motion.fps * rate)], rate)
        save_video(
            motion.frames(0, frames),
            path,
            song=song,
            contacts=_contacts(truth["contacts"], len(motion))[:frames],
            captions=_captions(clip, truth),
            bars_s=[at for at in truth["downbeats_s"] if at < frames / motion.fps],
            options=options,
        )


def _contacts(runs: dict[str, list[list[int]]], frames: int) -> npt.NDArray[np.uint8]:
    """Contacts [T, 4] from the truth's runs of frames."""
    out = np.zeros((frames, 4), np.uint8)
    for column, name in enumerate(("left_heel", "left_toe", "right_heel", "right_toe")):
        for start, stop in runs[name]:
            out[start:stop, column] = 1
    return out


def _captions(clip: ShownClip, truth: dict[str, Any]) -> list[Caption]:
    """What is danced, phrase by phrase."""
    head = f"{clip.style}, {clip.performer}, {truth['tempo_bpm']:.0f} bpm in {truth['metre']}"
    out = [Caption(0.0, head)]
    for span in truth["phrases"]:
        half = ", half time" if span["rate"] < 1.0 else ""
        out.append(
            Caption(
                max(span["start_s"], 0.0),
                f"{head}: {span['name']} ({span['section']}, energy {span['energy']:.1f}{half})",
            )
        )
    return out
