"""The band: plays the plan of a song with drums, bass, chords and a lead, mixes it and puts it into a room."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from choreodb.sample import song as songs
from choreodb.sample import synthesis
from choreodb.sample.bands import band_of
from choreodb.sample.scores import Band, Event, Voice, arrange
from choreodb.sample.truth import SAMPLE_VERSION, SongTruth
from choreodb.sample.voices import RATE

Samples = npt.NDArray[np.float32]

LOUDNESS = 0.14
"""Root mean square of the loud half of a song, full scale 1."""

_LENGTH_RATIO = 1.04
"""Grid of note lengths: notes whose lengths differ by less are the same samples."""

_VARIANTS = 4
"""Takes of each drum stroke, so that no two in a row are the same samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Song:
    """samples: float32 [N, 2] in -1..1. rate: samples per second. truth: what was played."""

    samples: npt.NDArray[np.float32]
    rate: int
    truth: SongTruth


def compose(style: str, seed: int, bars: int = 16, tempo: float | None = None) -> Song:
    """Write and play a song; the same arguments give the same samples."""
    return play(songs.plan(style, seed, bars, tempo))


def play(truth: SongTruth) -> Song:
    """Play the song of `truth`."""
    rng = np.random.default_rng([SAMPLE_VERSION, truth.seed, 37])
    band = _line_up(band_of(truth.style, truth.band), rng)
    events = arrange(truth, band, rng)
    desk = _Desk(int(np.ceil(truth.duration_s * RATE)), band, rng)
    for event in events:
        desk.play(event)
    mix = desk.dry
    mix += _ducked(desk.tonal, [event for event in events if event.voice == "kick"], band.duck)
    mix += np.float32(band.room) * _room(desk.send, band.room_s)
    return Song(_mastered(mix), RATE, truth)


def melody(truth: SongTruth) -> list[tuple[float, float]]:
    """(start, end) of the lead's notes in the song of `truth`, in song seconds."""
    rng = np.random.default_rng([SAMPLE_VERSION, truth.seed, 37])
    events = arrange(truth, _line_up(band_of(truth.style, truth.band), rng), rng)
    return sorted((each.start_s, each.start_s + each.seconds) for each in events if each.voice == "lead")


def _line_up(band: Band, rng: np.random.Generator) -> Band:
    """Who plays today: now and then another instrument takes a part, and no two mixes are alike."""
    voices = dict(band.voices)
    for name, others in band.alternatives.items():
        voices[name] = (band.voices[name], *others)[int(rng.integers(1 + len(others)))]
    levels = 10.0 ** (np.clip(rng.normal(0.0, 1.3, len(voices)), -2.5, 2.5) / 20.0)
    louder = {
        name: replace(voice, gain=voice.gain * float(levels[k])) for k, (name, voice) in enumerate(voices.items())
    }
    return replace(band, voices=louder)


@dataclass(slots=True)
class _Desk:
    """Adds strokes and notes to three stereo buses; a note once made is kept for the next time it is played."""

    frames: int
    band: Band
    rng: np.random.Generator
    dry: Samples = field(init=False)
    tonal: Samples = field(init=False)
    send: Samples = field(init=False)
    made: dict[tuple[str, float, int], Samples] = field(init=False)

    def __post_init__(self) -> None:
        self.dry, self.tonal, self.send = (np.zeros((self.frames, 2), np.float32) for _ in range(3))
        self.made = {}

    def play(self, event: Event) -> None:
        """Mix one event in."""
        voice = self.band.voices[event.voice]
        first = max(0, round(event.start_s * RATE))
        angle, loud = 0.25 * np.pi * (1.0 + voice.pan), np.sqrt(2.0) * event.velocity * voice.gain
        bus = self.tonal if voice.note is not None else self.dry
        sides = float(loud * np.cos(angle)), float(loud * np.sin(angle))
        synthesis.mix_in(bus, self.send, self._sound(event, voice), first, *sides, voice.send)

    def _sound(self, event: Event, voice: Voice) -> Samples:
        """The samples of one event: one of a few takes of a stroke, or a note."""
        take = float(self.rng.integers(_VARIANTS)) if voice.stroke is not None else event.midi
        length = round(np.log(max(event.seconds, 0.01)) / np.log(_LENGTH_RATIO)) if voice.note is not None else 0
        key = (event.voice, take, length)
        if key not in self.made:
            if voice.stroke is not None:
                self.made[key] = voice.stroke(self.rng).astype(np.float32)
            elif voice.note is not None:
                note = voice.note(440.0 * 2.0 ** ((event.midi - 69.0) / 12.0), _LENGTH_RATIO**length)
                self.made[key] = note.astype(np.float32)
        return self.made[key]


def _ducked(tonal: Samples, kicks: list[Event], depth: float) -> Samples:
    """The tonal bus, pressed down after every kick, as house is mixed."""
    if depth == 0.0 or not kicks:
        return tonal
    gain = np.ones(len(tonal), np.float32)
    t = np.arange(int(0.28 * RATE)) / RATE
    dip = 1.0 - depth * np.minimum(t / 0.004, 1.0) * np.exp(-np.maximum(t - 0.03, 0.0) / 0.08)
    dip = dip.astype(np.float32)
    for kick in kicks:
        first = max(0, round(kick.start_s * RATE))
        part = gain[first : first + len(dip)]
        np.minimum(part, dip[: len(part)], out=part)
    return tonal * gain[:, None]


_LINES_S = (0.0297, 0.0331, 0.0371, 0.0411, 0.0437, 0.0497, 0.0533, 0.0571)
_DIFFUSERS_S = (0.0047, 0.0113, 0.0053, 0.0103)


def _room(send: Samples, seconds: float) -> Samples:
    """A diffuse stereo room in which a sound falls by 60 dB in `seconds`, the treble sooner; as loud as what is sent."""
    return _echo(send, seconds) * np.float32(1.0 / _echo_gain(seconds))


def _echo(send: Samples, seconds: float) -> Samples:
    delays = np.round(np.array(_LINES_S) * RATE * (0.75 + 0.35 * min(seconds, 2.0))).astype(np.int64)
    feedback = 10.0 ** (-3.0 * delays / (RATE * seconds))
    return synthesis.room(send, delays, feedback, 0.25, np.round(np.array(_DIFFUSERS_S) * RATE).astype(np.int64))


@cache
def _echo_gain(seconds: float) -> float:
    """Root of the energy that comes back of a click on both sides, a side."""
    click = np.zeros((int(1.2 * seconds * RATE), 2), np.float32)
    click[0] = 1.0
    return float(np.sqrt(0.5 * np.sum(_echo(click, seconds).astype(np.float64) ** 2)))


def _mastered(mix: Samples) -> npt.NDArray[np.float32]:
    """The mix at a common loudness, its peaks rounded off below full scale."""
    blocks = mix[: len(mix) // 4410 * 4410].reshape(-1, 4410 * 2).astype(np.float64)
    power = np.sort(np.mean(blocks**2, axis=1))
    loud = np.sqrt(np.mean(power[len(power) // 2 :]))
    return np.float32(0.97) * np.tanh(mix * np.float32(LOUDNESS / max(float(loud), 1e-9) / 0.97))
