"""The score of a dance in seconds and metres, between the choreographer who writes it and the body that performs it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from choreodb.sample.curves import Key
from choreodb.sample.phrases import CHANNELS
from choreodb.sample.truth import Flight, Foot, HandKey, PhraseSpan, SongTruth


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step in the world: middle of the foot at (x, z) metres, yaw in radians, times in seconds of the song.

    flight: the jump that the step is part of.
    """

    foot: Foot
    land_s: float
    swing_s: float
    x: float
    z: float
    yaw: float
    lift: float
    weight: float
    landing: str
    settle_s: float
    arc: float
    flight: Flight | None = None


@dataclass(slots=True)
class Score:
    """All that a performer is to do, in song seconds. keys: per channel (degrees, metres). heading: radians.

    hits: (time, strength) of strokes of the whole body. carriage: keys that are added to a channel's own. hands: what the
    phrases ask of them.
    """

    neutral: dict[str, float]
    steps: list[PlacedStep] = field(default_factory=list)
    shifts: list[tuple[float, float]] = field(default_factory=list)
    keys: dict[str, list[Key]] = field(default_factory=lambda: {name: [] for name in CHANNELS})
    carriage: dict[str, list[Key]] = field(default_factory=lambda: {name: [] for name in CHANNELS})
    heading: list[Key] = field(default_factory=list)
    bounce: list[Key] = field(default_factory=list)
    accents: list[Key] = field(default_factory=list)
    hits: list[tuple[float, float]] = field(default_factory=list)
    hands: list[HandKey] = field(default_factory=list)
    answered_s: list[float] = field(default_factory=list)
    spans: list[PhraseSpan] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Clock:
    """Beats of the song (0 is the first downbeat) to seconds; off-beats are swung, times outside extrapolated."""

    beats_s: npt.NDArray[np.float64]
    swing: float

    def seconds(self, beat: float) -> float:
        """Song seconds of a fractional `beat`."""
        whole = math.floor(beat)
        part = float(beat - whole)
        late = 0.5 + self.swing / 6.0
        part = part * late / 0.5 if part < 0.5 else late + (part - 0.5) * (1.0 - late) / 0.5
        at = whole + part
        last = len(self.beats_s) - 1
        index = min(max(math.floor(at), 0), last - 1)
        span = self.beats_s[index + 1] - self.beats_s[index]
        return float(self.beats_s[index] + (at - index) * span)

    def period(self, beat: float) -> float:
        """Seconds of the beat at `beat`."""
        return self.seconds(math.floor(beat) + 1.0) - self.seconds(math.floor(beat))


def clock(song: SongTruth) -> Clock:
    """The song's clock."""
    beats = np.append(np.array(song.beats_s), song.downbeats_s[-1])
    return Clock(beats, song.swing)
