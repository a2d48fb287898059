"""What is known about every song and dance of the sample: dataclasses that go into the JSON beside the files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

SAMPLE_VERSION = 4
"""Version of the generator; any change of its output means a new one. Written into every truth file."""

LICENCE = "CC0-1.0"

GRAVITY_M_S2 = 9.81

SectionName = Literal["intro", "verse", "chorus", "break", "outro"]
Foot = Literal["left", "right"]
TempoKind = Literal["steady", "drift", "jump"]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a song: `bars` bars from `first_bar` on, in song seconds; energy 0..1."""

    name: SectionName
    first_bar: int
    bars: int
    start_s: float
    end_s: float
    energy: float


@dataclass(frozen=True, slots=True)
class Accent:
    """A stroke of the whole band in song seconds; strength 0..1."""

    time_s: float
    strength: float


@dataclass(frozen=True, slots=True)
class SongTruth:
    """What the band knows of its song. Times in song seconds; `downbeats_s` holds one bar line more than bars.

    tempo_bpm: median over the beats (eighths where the metre is 6). tempo: whether it stays, drifts or jumps once. band: the
    kind of song, where the style has several.
    """

    version: int
    seed: int
    style: str
    tempo_bpm: float
    metre: int
    key: str
    duration_s: float
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    sections: tuple[Section, ...]
    swing: float
    tempo: TempoKind = "steady"
    accents: tuple[Accent, ...] = ()
    band: str = ""
    licence: str = LICENCE

    @property
    def bars(self) -> int:
        """Complete bars between the first and the last downbeat."""
        return len(self.downbeats_s) - 1


@dataclass(frozen=True, slots=True)
class PhraseSpan:
    """One danced phrase, in clip seconds; `first_bar` counts the song's bars.

    energy: what the dancer gave, which the section's energy only suggests. rate: 0.5 where danced in half time.
    """

    name: str
    first_bar: int
    bars: int
    start_s: float
    end_s: float
    mirrored: bool
    section: SectionName
    energy: float = 0.0
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Footstep:
    """One placement of a foot, in clip seconds: where its ball stands (metres), its yaw and how it landed."""

    foot: Foot
    land_s: float
    lift_s: float
    x_m: float
    z_m: float
    yaw: float
    landing: str


@dataclass(frozen=True, slots=True)
class Flight:
    """Both feet off the floor from `take_off_s` to `land_s` (clip seconds), the body rising by `height_m`."""

    take_off_s: float
    land_s: float
    height_m: float


@dataclass(frozen=True, slots=True)
class HandKey:
    """The shape (see `hands.SHAPES`) that one hand has taken by `time_s` (clip seconds), within `over_s`."""

    side: Foot
    shape: str
    time_s: float
    over_s: float


@dataclass(frozen=True, slots=True)
class DanceTruth:
    """What the choreographer knows of a dance. Times in clip seconds; the song's are these plus `music_start_s`.

    scale: the performer's leg over the canonical one; `answered_s`: the song's accents that the dancer answered. hands: what
    they do; blinks_s, sung_s: when the eyes shut, (start, end) of the notes that the mouth follows.
    """

    version: int
    seed: int
    style: str
    performer: str
    music_start_s: float
    duration_s: float
    fps: float
    tempo_bpm: float
    metre: int
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    sections: tuple[Section, ...]
    phrases: tuple[PhraseSpan, ...]
    footsteps: tuple[Footstep, ...]
    flights: tuple[Flight, ...] = ()
    answered_s: tuple[float, ...] = ()
    hands: tuple[HandKey, ...] = ()
    blinks_s: tuple[float, ...] = ()
    sung_s: tuple[tuple[float, float], ...] = ()
    late_s: float = 0.0
    scale: float = 1.0
    song: str = ""
    licence: str = LICENCE


def within(steps: tuple[Footstep, ...], start_s: float, end_s: float) -> tuple[Footstep, ...]:
    """The placements that stand at some time in [start_s, end_s], in seconds from `start_s`, cut off at both ends."""
    return tuple(
        replace(step, land_s=max(step.land_s, start_s) - start_s, lift_s=min(step.lift_s, end_s) - start_s)
        for step in steps
        if step.land_s < end_s and step.lift_s > start_s
    )


def cut(truth: DanceTruth, start_s: float, end_s: float) -> DanceTruth:
    """The truth of the clip's part [start_s, end_s), in seconds from `start_s`.

    Beats outside are left out; sections and phrases keep their true ends, which may lie outside the part.
    """

    def inside(times: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(time - start_s for time in times if start_s <= time < end_s)

    sections = tuple(
        replace(span, start_s=span.start_s - start_s, end_s=span.end_s - start_s)
        for span in truth.sections
        if span.start_s < end_s and span.end_s > start_s
    )
    phrases = tuple(
        replace(span, start_s=span.start_s - start_s, end_s=span.end_s - start_s)
        for span in truth.phrases
        if span.start_s < end_s and span.end_s > start_s
    )
    return replace(
        truth,
        music_start_s=truth.music_start_s + start_s,
        duration_s=end_s - start_s,
        beats_s=inside(truth.beats_s),
        downbeats_s=inside(truth.downbeats_s),
        sections=sections,
        phrases=phrases,
        footsteps=within(truth.footsteps, start_s, end_s),
        flights=tuple(
            replace(flight, take_off_s=flight.take_off_s - start_s, land_s=flight.land_s - start_s)
            for flight in truth.flights
            if flight.take_off_s < end_s and flight.land_s > start_s
        ),
        answered_s=inside(truth.answered_s),
        hands=_still_held(truth.hands, start_s, end_s),
        blinks_s=inside(truth.blinks_s),
        sung_s=tuple((a - start_s, b - start_s) for a, b in truth.sung_s if a < end_s and b > start_s),
    )


def _still_held(keys: tuple[HandKey, ...], start_s: float, end_s: float) -> tuple[HandKey, ...]:
    """The keys of [start_s, end_s), and of each hand the last one before, which it still holds."""
    before = {key.side: key for key in keys if key.time_s < start_s}
    kept = [key for key in keys if start_s <= key.time_s - key.over_s < end_s or start_s <= key.time_s < end_s]
    chosen = [key for key in before.values() if key not in kept] + kept
    return tuple(replace(key, time_s=key.time_s - start_s) for key in chosen)


def write_json(truth: SongTruth | DanceTruth, path: Path, **extra: Any) -> None:
    """Write `truth` (and `extra` fields) as JSON rounded to 6 decimals, the same bytes for the same truth."""
    fields = _rounded({**asdict(truth), **extra})
    path.write_text(json.dumps(fields, sort_keys=True, allow_nan=False, separators=(",", ":")) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
