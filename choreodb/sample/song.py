"""The plan of a song: tempo, key, sections with their energies, beats. The band plays it, the choreographer answers it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.sample.bands import bands_of
from choreodb.sample.scores import Band
from choreodb.sample.styles import Style, find
from choreodb.sample.truth import SAMPLE_VERSION, Accent, Section, SectionName, SongTruth, TempoKind

TAIL_S = 1.6
"""Seconds after the last bar line, in which the last chord rings out."""

KEYS = ("C", "D", "Eb", "F", "G", "A", "Bb")

_FORMS: tuple[tuple[SectionName, ...], ...] = (
    ("chorus",),
    ("verse", "chorus"),
    ("intro", "verse", "chorus"),
    ("intro", "verse", "chorus", "chorus"),
    ("intro", "verse", "chorus", "break", "chorus"),
    ("intro", "verse", "chorus", "break", "chorus", "chorus"),
    ("intro", "verse", "verse", "chorus", "break", "chorus", "chorus"),
    ("intro", "verse", "verse", "chorus", "chorus", "break", "chorus", "chorus"),
    ("intro", "verse", "chorus", "verse", "chorus", "chorus", "break", "chorus", "outro"),
)
_LOOP: tuple[SectionName, ...] = ("verse", "verse", "chorus", "break", "chorus", "chorus")
_ENERGY = {"intro": 0.30, "verse": 0.55, "chorus": 0.90, "break": 0.22, "outro": 0.35}


def plan(
    style: str | Style,
    seed: int,
    bars: int,
    tempo: float | None = None,
    *,
    kind: TempoKind = "steady",
    metre: int | None = None,
) -> SongTruth:
    """The truth of a song of `bars` bars; `tempo` in bpm, drawn from the style's range where it is None.

    kind: whether the tempo stays, drifts by a few per cent (and where the band plays rubato slows down at the ends of its
    phrases), or jumps once at the start of a section. metre: the style's,
    or 6 where the style has songs in 6 (`tempo` then counts eighths). QueryError for fewer than one bar, a tempo outside
    40..240 (a median, where it does not stay), or a metre that the style does not have.
    """
    dance = find(style) if isinstance(style, str) else style
    beats_a_bar = dance.metre if metre is None else metre
    if bars < 1:
        raise QueryError(f"a song of {bars} bars has nothing to play; ask for at least 1")
    if beats_a_bar != dance.metre and not (dance.sixes and beats_a_bar == 6):
        raise QueryError(
            f"{dance.name} has no songs in {beats_a_bar}; it is in {dance.metre}{' or 6' if dance.sixes else ''}"
        )
    rng = np.random.default_rng([SAMPLE_VERSION, seed, 11])
    low, high = SIXES_BPM if beats_a_bar == 6 else dance.tempo_bpm
    drawn = float(np.round(rng.uniform(low, high), 1))
    wanted = drawn if tempo is None else float(tempo)
    if not 40.0 <= wanted <= 240.0:
        raise QueryError(f"tempo {wanted:g} bpm is out of range; expected 40 to 240")
    lead_in = float(np.round(rng.uniform(0.3, 0.6), 3))
    lengths = _form(bars)
    band = _band(dance.name, seed)
    borders = [start * beats_a_bar for _, start, _ in lengths]
    periods = 60.0 / wanted * _tempo_curve(kind, bars * beats_a_bar, borders, rng)
    if kind == "drift":
        periods *= _rubato(band.rubato, bars, beats_a_bar)
    beats = lead_in + np.concatenate([[0.0], np.cumsum(periods)])
    downbeats = beats[::beats_a_bar]
    sections = _sections(lengths, downbeats, rng)
    return SongTruth(
        version=SAMPLE_VERSION,
        seed=seed,
        style=dance.name,
        tempo_bpm=wanted if kind == "steady" else float(np.round(60.0 / np.median(periods), 3)),
        metre=beats_a_bar,
        key=KEYS[int(rng.integers(len(KEYS)))],
        duration_s=float(np.round(beats[-1] + TAIL_S, 6)),
        beats_s=tuple(beats[:-1].tolist()),
        downbeats_s=tuple(downbeats.tolist()),
        sections=sections,
        swing=dance.swing if band.swing is None else band.swing,
        tempo=kind,
        accents=_accents(sections, beats, beats_a_bar, rng),
        band=band.name,
    )


def _band(style: str, seed: int) -> Band:
    """Who plays the song `seed`, by a draw of its own, so that a further band changes nothing else."""
    bands = bands_of(style)
    return bands[int(np.random.default_rng([SAMPLE_VERSION, seed, 13]).integers(len(bands)))]


_KINDS: tuple[TempoKind, ...] = ("steady", "steady", "drift", "steady", "jump", "steady", "steady")
_FREE: tuple[TempoKind, ...] = ("steady", "drift", "drift", "steady", "drift", "jump", "drift")


def kind_of(style: str, place: int) -> TempoKind:
    """What the tempo of the song number `place` of a style does; bands that play rubato mostly drift."""
    kinds = _FREE if bands_of(style)[0].rubato else _KINDS
    return kinds[place % len(kinds)]


SIXES_BPM = (150.0, 180.0)
"""Eighths a minute of songs in 6."""


def _tempo_curve(kind: TempoKind, beats: int, borders: list[int], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The period of every beat [beats] over the period of the song's tempo."""
    if kind == "drift":
        place = np.linspace(0.0, 1.0, beats)
        turns, phase = rng.uniform(0.6, 1.6), rng.uniform(0.0, 2.0 * np.pi)
        sway = np.sin(2.0 * np.pi * turns * place + phase) + rng.uniform(-0.8, 0.8) * place
        return 1.0 + rng.uniform(0.025, 0.045) * (sway - np.median(sway))
    if kind == "jump" and len(borders) > 1:
        inner = np.array(borders[1:])
        at = int(inner[np.argmin(np.abs(inner - 0.5 * beats))])
        factor = float(rng.choice([0.86, 0.9, 1.1, 1.15]))
        return np.where(np.arange(beats) < at, 1.0, factor)
    return np.ones(beats)


def _rubato(size: float, bars: int, metre: int) -> npt.NDArray[np.float64]:
    """Periods [beats] over the song's: each phrase of four bars flows at first and slows down by `size` at its end."""
    place = np.arange(bars * metre) / (4.0 * metre) % 1.0
    return 1.0 + size * (1.6 * place**3 - 0.4)


def _accents(
    sections: tuple[Section, ...], beats: npt.NDArray[np.float64], metre: int, rng: np.random.Generator
) -> tuple[Accent, ...]:
    """Strokes of the whole band: the start of every chorus, and now and then a beat late in a bar."""
    out = []
    for section in sections:
        if section.name == "chorus":
            out.append(Accent(section.start_s, 1.0))
        if section.energy < 0.45:
            continue
        for place in range(1, section.bars, 2):
            if rng.random() < 0.55:
                beat = (section.first_bar + place) * metre + int(rng.choice([metre - 1, metre - 2, metre // 2]))
                out.append(Accent(float(beats[beat]), float(np.round(rng.uniform(0.6, 1.0), 3))))
    return tuple(sorted(out, key=lambda accent: accent.time_s))


def _form(bars: int) -> list[tuple[SectionName, int, int]]:
    """(name, first bar, bars) of each section."""
    unit = 1 if bars < 4 else 2 if bars < 24 else 4
    count = max(1, bars // unit)
    form = list(_FORMS[min(count, len(_FORMS)) - 1])
    while len(form) < count:
        form[-1:-1] = _LOOP[: count - len(form)]
    lengths = [unit] * count
    lengths[-1] += bars - unit * count
    out, first = [], 0
    for name, length in _merged(form, lengths):
        out.append((name, first, length))
        first += length
    return out


def _sections(
    form: list[tuple[SectionName, int, int]], downbeats: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[Section, ...]:
    out: list[Section] = []
    for name, first, length in form:
        energy = float(np.clip(_ENERGY[name] + rng.normal(0.0, 0.04), 0.05, 1.0))
        out.append(Section(name, first, length, float(downbeats[first]), float(downbeats[first + length]), energy))
    return tuple(out)


def _merged(form: list[SectionName], lengths: list[int]) -> list[tuple[SectionName, int]]:
    """Neighbouring parts of the same name become one section."""
    out: list[tuple[SectionName, int]] = []
    for name, length in zip(form, lengths, strict=True):
        if out and out[-1][0] == name:
            out[-1] = (name, out[-1][1] + length)
        else:
            out.append((name, length))
    return out


def energy_at(truth: SongTruth, bar: int) -> float:
    """Energy of the section that holds `bar`."""
    for section in truth.sections:
        if section.first_bar <= bar < section.first_bar + section.bars:
            return section.energy
    return truth.sections[-1].energy
