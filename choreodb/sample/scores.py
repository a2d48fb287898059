"""How a band plays a song: drum patterns with fills, bass lines, chords, riffs and melodies, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from choreodb.sample.truth import Section, SongTruth
from choreodb.sample.voices import Note, Stroke

Pattern = tuple[tuple[str, float, float], ...]
"""(voice, beat in the bar, velocity)."""

RiffBar = tuple[tuple[float, float, float, tuple[int, ...]], ...]
"""One bar of a riff: (beat, length in beats, velocity, scale degrees above the chord's root, 7 being its octave)."""

MAJOR, MINOR, MIXOLYDIAN = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 10)
QUARTERS, OFFS = (0.0, 1.0, 2.0, 3.0), (0.5, 1.5, 2.5, 3.5)
EIGHTHS = tuple(0.5 * k for k in range(8))
SIXTEENTHS = tuple(0.25 * k for k in range(16))
_TONIC = {"C": 0, "D": 2, "Eb": 3, "F": 5, "G": 7, "A": 9, "Bb": 10}


@dataclass(frozen=True, slots=True)
class Voice:
    """An instrument's place in the mix: gain, pan (-1 left .. 1 right), share sent to the room."""

    gain: float
    pan: float
    send: float
    stroke: Stroke | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One stroke (midi 0) or note, in song seconds."""

    voice: str
    start_s: float
    velocity: float
    midi: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Band:
    """drums: bars per section name, played in turn. fills: one of them replaces the end of a section's last bar.
    bass, comp: (beat, length in beats, velocity, chord degree) of a bar. progressions: chord roots as scale degrees, one
    a bar. rhythms: onset beats of a bar of melody. layers: which tonal parts play in which section, with a level.

    riffs: further parts by voice, each with figures of one bar or more to draw from; octaves: of the parts, over middle C's.
    alternatives: other instruments that may take a voice for a song. anticipate: beat from which the bass is already on the
    next chord. strum_s: time from string to string. dynamics: how much louder a section of full energy is played.
    strokes, tutti: who plays the accents of the whole band. cymbal: who marks a chorus, "" nobody. rubato: how much a
    phrase slows down at its end in songs that drift. swing: the song's, where it is not the dance's. name: of the kind of song, where a style has several.
    """

    voices: Mapping[str, Voice]
    scale: tuple[int, ...]
    drums: Mapping[str, tuple[Pattern, ...]]
    fills: tuple[Pattern, ...]
    bass: tuple[tuple[tuple[float, float, float, int], ...], ...]
    comp: tuple[tuple[tuple[float, float, float], ...], ...]
    progressions: tuple[tuple[int, ...], ...]
    rhythms: tuple[tuple[float, ...], ...]
    layers: Mapping[str, Mapping[str, float]]
    chord_size: int
    bass_octave: int
    duck: float
    room: float
    room_s: float
    loose_s: float
    metre: int = 4
    riffs: Mapping[str, tuple[tuple[RiffBar, ...], ...]] = field(default_factory=dict)
    octaves: Mapping[str, int] = field(default_factory=dict)
    alternatives: Mapping[str, tuple[Voice, ...]] = field(default_factory=dict)
    anticipate: float = np.inf
    strum_s: float = 0.0
    dynamics: float = 0.0
    strokes: tuple[str, ...] = ("kick", "snare", "crash")
    tutti: tuple[str, ...] = ("comp", "bass")
    cymbal: str = "crash"
    rubato: float = 0.0
    swing: float | None = None
    name: str = ""


def arrange(truth: SongTruth, band: Band, rng: np.random.Generator) -> list[Event]:
    """All events of the song, in no particular order of voices."""
    writer = _Writer(truth, band, rng)
    events: list[Event] = []
    for section in truth.sections:
        events += writer.section(section)
    events += writer.ending()
    return events + writer.strokes()


class _Writer:
    """Draws the song's material once (progressions, bass line, melody), then writes sections from it."""

    def __init__(self, truth: SongTruth, band: Band, rng: np.random.Generator) -> None:
        self.truth, self.band, self.rng = truth, band, rng
        self.tonic = 48 + _TONIC[truth.key]
        first, second = rng.choice(len(band.progressions), 2, replace=len(band.progressions) < 2)
        self.progressions = {"chorus": band.progressions[first]}
        self.other = band.progressions[second]
        self.bass = band.bass[int(rng.integers(len(band.bass)))]
        self.comp = band.comp[int(rng.integers(len(band.comp)))]
        self.melody = self._motifs()
        self.riffs = {part: figures[int(rng.integers(len(figures)))] for part, figures in band.riffs.items()}
        self.level = 1.0
        self.beats = np.append(np.array(truth.beats_s), truth.downbeats_s[-1])
        self.parts = max(1, truth.metre // band.metre)

    def _motifs(self) -> list[tuple[tuple[float, int], ...]]:
        """Four bars of melody, A A' B A, as (onset beat, scale degree above the chord's root)."""
        rhythms = self.rng.choice(len(self.band.rhythms), 2)
        motifs = []
        for rhythm in rhythms:
            degree, notes = int(self.rng.choice([0, 2, 4])), []
            for onset in self.band.rhythms[rhythm]:
                notes.append((onset, degree))
                degree = int(np.clip(degree + self.rng.choice([-2, -1, -1, 1, 1, 2]), -2, 7))
            motifs.append(tuple(notes))
        answer = (*motifs[0][:-1], (motifs[0][-1][0], 0))
        return [motifs[0], answer, motifs[1], motifs[0]]

    def _at(self, bar: int, beat: float) -> float:
        """Song seconds, off-beats swung."""
        whole = int(np.floor(beat))
        part, late = beat - whole, 0.5 + self.truth.swing / 6.0
        part = part * late / 0.5 if part < 0.5 else late + (part - 0.5) * (1.0 - late) / 0.5
        at = bar * self.truth.metre + whole + part
        return float(np.interp(at, np.arange(len(self.beats)), self.beats))

    def _event(
        self, voice: str, bar: int, beat: float, velocity: float, midi: float = 0.0, beats: float = 0.0
    ) -> Event:
        late = float(self.rng.normal(0.0, self.band.loose_s)) * (voice != "kick")
        bar, beat = bar // self.parts, beat + (bar % self.parts) * self.band.metre
        at = self._at(bar, beat)
        seconds = self._at(bar, beat + beats) - at if beats else 0.0
        loud = self.level * velocity * float(np.clip(self.rng.normal(1.0, 0.07), 0.7, 1.25))
        return Event(voice, at + late, loud, midi, max(seconds, 0.25 * beats * 60.0 / self.truth.tempo_bpm))

    def _midi(self, degree: int, octave: int = 0) -> float:
        """Scale degree (0 is the tonic) to MIDI."""
        return self.tonic + self.band.scale[degree % 7] + 12 * (degree // 7 + octave)

    def section(self, section: Section) -> list[Event]:
        """The events of one section."""
        chords = self.progressions.get(section.name, self.other)
        after = next((later for later in self.truth.sections if later.start_s >= section.end_s), section)
        events: list[Event] = []
        patterns = self.band.drums[section.name]
        if self.parts > 1:
            patterns = tuple(_sixes(pattern, part) for pattern in patterns for part in range(self.parts))
        count = section.bars * self.parts
        for place in range(count):
            bar = section.first_bar * self.parts + place
            last = place == count - 1 and count > 1 and bar < self.truth.bars * self.parts - 1
            energy = section.energy if not last else 0.5 * (section.energy + after.energy)
            self.level = 1.0 + self.band.dynamics * (energy - 0.55)
            pattern = patterns[place % len(patterns)]
            if last and section.name != "chorus":
                fill = self.band.fills[int(self.rng.integers(len(self.band.fills)))]
                begins = min((hit[1] for hit in fill), default=self.band.metre)
                pattern = tuple(hit for hit in pattern if hit[1] < begins) + fill
            events += [self._event(voice, bar, beat, loud) for voice, beat, loud in pattern]
            if place == 0 and section.name == "chorus" and self.band.cymbal:
                events.append(self._event(self.band.cymbal, bar, 0.0, 0.8))
            root, coming = (chords[(place + ahead) // self.parts % len(chords)] for ahead in (0, 1))
            events += self._tonal(section, bar, root, coming, place)
        return events

    def _tonal(self, section: Section, bar: int, root: int, coming: int, place: int) -> list[Event]:
        """Bass, chords, riffs and melody of one bar over the chord on `root`; `coming`: the next bar's."""
        layers = self.band.layers[section.name]
        events: list[Event] = []
        if "bass" in layers:
            for beat, beats, loud, step in self.bass:
                chord = coming if beat >= self.band.anticipate else root
                midi = self._midi(chord + step, self.band.bass_octave)
                events.append(self._event("bass", bar, beat, loud * layers["bass"], midi, beats))
        chord_midi = [self._midi(root + 2 * k) for k in range(self.band.chord_size)]
        voicing = sorted(midi + 12 * (midi < self.tonic + 3) - 12 * (midi > self.tonic + 15) for midi in chord_midi)
        if "comp" in layers:
            for beat, beats, loud in self.comp:
                events += self._strummed(bar, beat, beats, loud * layers["comp"], [midi + 12 for midi in voicing])
        if "pad" in layers:
            length = float(self.band.metre)
            events += [self._event("pad", bar, 0.0, layers["pad"], midi, length) for midi in voicing]
        for part, figure in self.riffs.items():
            if part in layers:
                events += self._riff(part, figure[place % len(figure)], layers[part], bar, root)
        if "lead" in layers:
            events += self._lead(layers["lead"], bar, root, place)
        return events

    def _strummed(self, bar: int, beat: float, beats: float, loud: float, notes: list[float]) -> list[Event]:
        """A chord of the comp, its strings one after the other."""
        chord = [self._event("comp", bar, beat, loud, midi, beats) for midi in notes]
        return [replace(note, start_s=note.start_s + k * self.band.strum_s) for k, note in enumerate(chord)]

    def _riff(self, part: str, notes: RiffBar, level: float, bar: int, root: int) -> list[Event]:
        octave = self.band.octaves.get(part, 1)
        return [
            self._event(part, bar, beat, loud * level, self._midi(root % 7 + step, octave), beats)
            for beat, beats, loud, steps in notes
            for step in steps
        ]

    def _lead(self, level: float, bar: int, root: int, place: int) -> list[Event]:
        notes = self.melody[place % 4]
        octave = self.band.octaves.get("lead", 1)
        ends = [onset for onset, _ in notes[1:]] + [float(self.band.metre)]
        return [
            self._event("lead", bar, onset, level, self._midi(root % 7 + degree, octave), 0.92 * (end - onset))
            for (onset, degree), end in zip(notes, ends, strict=True)
        ]

    def ending(self) -> list[Event]:
        """The last downbeat: one chord that rings out."""
        bar = self.truth.bars * self.parts
        self.level = 1.0
        out = [self._event(voice, bar, 0.0, 0.5 if voice == self.band.cymbal else 0.9) for voice in self.band.strokes]
        for voice in self.band.tutti:
            if voice == "bass":
                out.append(self._event("bass", bar, 0.0, 0.9, self._midi(0, self.band.bass_octave), 2.0))
            else:
                out += [self._event(voice, bar, 0.0, 0.8, self._midi(2 * k, 1), 2.0) for k in range(3)]
        return out

    def strokes(self) -> list[Event]:
        """The accents of the truth, played by everybody who is there."""
        out = []
        for accent in self.truth.accents:
            loud = 0.5 + 0.5 * accent.strength
            out += [Event(voice, accent.time_s, loud) for voice in self.band.strokes]
            for voice in self.band.tutti:
                steps, octave = ((0,), self.band.bass_octave) if voice == "bass" else ((0, 2, 4), 1)
                out += [Event(voice, accent.time_s, loud, self._midi(step, octave), 0.35) for step in steps]
        return out


def _sixes(pattern: Pattern, part: int) -> Pattern:
    """A bar of 3 as one half of a bar of 6: the second half's first stroke is a snare's, the bar has one bass drum."""
    if part == 0:
        return pattern
    light = tuple(hit for hit in pattern if hit[0] != "kick")
    return (*light, ("snare", 0.0, 0.9)) if len(light) < len(pattern) else light


def each(voice: str, beats: tuple[float, ...], loud: float, accent: float = 0.0) -> Pattern:
    """One voice on `beats`; the `accent` goes on whole beats."""
    return tuple((voice, beat, loud + accent * (beat % 1.0 == 0.0)) for beat in beats)
