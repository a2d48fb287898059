"""The training-free encoder: tempo, metre, accents in the bar, their spectrum, and energy, the same on both sides.

Music windows are described by onset strength and loudness, motion windows by footfalls, stops, effort and speed; both
become the same blocks of 256 numbers. Each block has unit length times the root of its weight, so that the cosine
of two embeddings is the weighted mean of the blocks' cosines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from choreodb.indexer.accents import ONSET_LATENCY_S, MotionAccents, accents, standard
from choreodb.indexer.encoders.base import DIMENSIONS, ClipMotion, MotionWindow, MusicWindow, Window
from choreodb.music.music import Music

Array = npt.NDArray[np.float64]

VERSION = 1
"""Raised whenever the same input would get another embedding."""

POSITIONS = 32
SPECTRUM_HZ = np.geomspace(0.3, 4.5, 64)
"""Frequencies of the spectrum block: from a bar of four slow beats to eighths of fast ones."""
CONTEXT_S = 25.0
"""What the spectrum is taken of, around a window; a bar alone shows no tempo."""
QUANTILES = 33
_SIZES = {
    "tempo_class": 24,
    "tempo": 40,
    "metre": 4,
    "accents": 2 * POSITIONS,
    "periodicity": 2 * POSITIONS,
    "spectrum": len(SPECTRUM_HZ),
    "level": 16,
    "contour": 16,
    "density": 16,
    "pulse": 12,
}
_METRES = (3, 4, 6)
_RATE_HZ = 20.0
_SPECTRUM_TIMES_S = (np.arange(round(CONTEXT_S * _RATE_HZ)) + 0.5) / _RATE_HZ - 0.5 * CONTEXT_S
_TURNS = 2.0 * np.pi * _SPECTRUM_TIMES_S[:, None] * SPECTRUM_HZ
_WAVES = np.hanning(len(_TURNS) + 2)[1:-1, None] * np.concatenate([np.cos(_TURNS), np.sin(_TURNS)], axis=1)


@dataclass(frozen=True, slots=True)
class RhythmWeights:
    """Share of each block in the cosine; together 1.

    tempo_class: log tempo up to octaves; tempo: log tempo. accents: where in the bar. spectrum: how strong each
    frequency is, from onsets and from speed and rise, without a look at beats; periodicity: autocorrelation over three
    bars of the grid, which libraries made before there was a spectrum have in its place. One of the two is 0. level, contour: energy of the window and within it. density: accents a second. pulse: clarity.
    """

    tempo_class: float = 0.12
    tempo: float = 0.22
    metre: float = 0.18
    accents: float = 0.07
    periodicity: float = 0.0
    level: float = 0.04
    contour: float = 0.03
    density: float = 0.03
    pulse: float = 0.02
    spectrum: float = 0.29


@dataclass(frozen=True, slots=True)
class RhythmConfig:
    """tempo_spread, class_spread: width of a tempo's bump in octaves; rank_spread: of a rank's, which lies in 0..1."""

    tempo_spread: float = 0.15
    class_spread: float = 0.08
    rank_spread: float = 0.12
    weights: RhythmWeights = field(default_factory=RhythmWeights)


@dataclass(frozen=True, slots=True)
class RhythmStats:
    """The library's quantiles (33 each) that turn a clip's speed, accent density and clarity into ranks in 0..1."""

    speed: tuple[float, ...]
    density: tuple[float, ...]
    pulse: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Descriptors:
    """What N windows are like, in the units of their own side (motion: m/s; music: dB), before ranking.

    tempo_bpm: [N], nan without beats. metre: [N], 0 without. accents: [N, 2, 32] mean accent in 32nds of the bar, low
    (weight, feet) and high (limbs, cymbals). periodicity: [N, 2, 32] their autocorrelation. energy: [N, 16] in
    sixteenths of the window. density: [N] accents a second. pulse: [N] how peaked the accents are.
    spectrum: [N, 64] strength at `SPECTRUM_HZ`, less its mean.
    """

    tempo_bpm: Array
    metre: npt.NDArray[np.int64]
    accents: Array
    periodicity: Array
    energy: Array
    density: Array
    pulse: Array
    spectrum: Array

    def __len__(self) -> int:
        return len(self.tempo_bpm)


class RhythmEncoder:
    """Embeds without any training; `stats` come from a library (`fit`, or its manifest through `from_meta`)."""

    name = "rhythm"

    def __init__(self, stats: RhythmStats, config: RhythmConfig | None = None) -> None:
        self.stats = stats
        self.config = config or RhythmConfig()

    def __repr__(self) -> str:
        return f"RhythmEncoder(hash={self.hash!r})"

    @classmethod
    def fit(cls, motion: Descriptors, config: RhythmConfig | None = None) -> RhythmEncoder:
        """An encoder whose ranks are those of the given motion windows: half of them are slower than rank 0.5."""
        stats = RhythmStats(_quantiles(motion.energy.mean(1)), _quantiles(motion.density), _quantiles(motion.pulse))
        return cls(stats, config)

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> RhythmEncoder:
        """The encoder of a library from what `meta` gave."""
        stats = RhythmStats(**{name: tuple(values) for name, values in meta["stats"].items()})
        return cls(stats, config_of(meta))

    def meta(self) -> dict[str, Any]:
        """Name, hash, config and statistics as JSON."""
        return {"name": self.name, "hash": self.hash, **self._content()}

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that stand for code version, config and statistics."""
        text = json.dumps([self.name, VERSION, self._content()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _content(self) -> dict[str, Any]:
        stats = {name: list(values) for name, values in asdict(self.stats).items()}
        config = asdict(self.config)
        del config["weights"][_unused(self.config.weights)]
        return {"config": config, "stats": stats}

    def embed_music(self, music: Music, windows: Sequence[MusicWindow]) -> npt.NDArray[np.float32]:
        """Unit rows [N, 256] for N windows of a song; ranks are within the song."""
        return _assemble(describe_music(music, windows), _heard(music).stats, self.config)

    def embed_motion(self, motion: ClipMotion, windows: Sequence[MotionWindow]) -> npt.NDArray[np.float32]:
        """Unit rows [N, 256] for N windows of a clip; ranks are within the library."""
        return self.embed(describe_motion(accents(motion.positions, motion.contacts, motion.fps), windows))

    def embed(self, motion: Descriptors) -> npt.NDArray[np.float32]:
        """The same for motion windows that are described already."""
        return _assemble(motion, self.stats, self.config)


def config_of(meta: Mapping[str, Any]) -> RhythmConfig:
    """The config in what `meta` gave; the block of two that share a place which it does not name is not there."""
    config = dict(meta["config"])
    weights = RhythmWeights(**{"periodicity": 0.0, "spectrum": 0.0, **config["weights"]})
    return RhythmConfig(**{**config, "weights": weights})


def describe_motion(curves: MotionAccents, windows: Sequence[Window]) -> Descriptors:
    """Descriptors of windows of a clip from its accent curves."""
    low = np.maximum(standard(curves.footfalls) + standard(curves.bounce), 0.0)
    high = np.maximum(standard(curves.stops) + standard(curves.effort), 0.0)
    hop_s = 1.0 / curves.fps
    spectrum = _spectrum([curves.rise, curves.speed], hop_s, 0.0, windows)
    return _describe(np.stack([low, high]), curves.speed, hop_s, 0.0, spectrum, windows)


def describe_music(music: Music, windows: Sequence[Window]) -> Descriptors:
    """Descriptors of windows of a song from its onset strength and loudness."""
    heard, hop_s = _heard(music), music.features.hop_s
    spectrum = _spectrum(heard.roots, hop_s, ONSET_LATENCY_S, windows)
    return _describe(heard.accents, heard.loudness, hop_s, ONSET_LATENCY_S, spectrum, windows)


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """Frame curves of a song: accents [2, F], roots of the bands' onsets, loudness [F]; and the song's own ranks."""

    accents: Array
    roots: Sequence[Array]
    loudness: Array
    stats: RhythmStats


_HEARD: WeakKeyDictionary[Music, _Heard] = WeakKeyDictionary()
"""Every beat hypothesis of a song asks for the same."""


def _heard(music: Music) -> _Heard:
    known = _HEARD.get(music)
    if known is None:
        known = _HEARD[music] = _listen(music)
    return known


def _listen(music: Music) -> _Heard:
    features = music.features
    bands = features.onset_bands.astype(np.float64)
    low = np.maximum(standard(bands[:, :2].mean(axis=1)), 0.0)
    high = np.maximum(standard(bands[:, 2:].mean(axis=1)), 0.0)
    curves, loudness = np.stack([low, high]), features.rms_db.astype(np.float64)
    starts = np.arange(max(1, int(music.duration_s)), dtype=np.float64)
    edges = _spread(np.stack([starts, starts + 1.0], axis=1))
    density, pulse = _peakedness(_wide(curves, edges, features.hop_s, ONSET_LATENCY_S), edges)
    stats = RhythmStats(_quantiles(loudness), _quantiles(density), _quantiles(pulse))
    return _Heard(curves, list(np.sqrt(bands).T), loudness, stats)


def gathered(parts: Sequence[Descriptors]) -> Descriptors:
    """The windows of many clips in one."""
    names = Descriptors.__dataclass_fields__
    return Descriptors(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _describe(
    curves: Array, energy: Array, hop_s: float, delay_s: float, spectrum: Array, windows: Sequence[Window]
) -> Descriptors:
    """curves: [2, F] non-negative accents, energy: [F], every hop_s seconds, late by delay_s."""
    edges = _edges(windows)
    wide = _wide(curves, edges, hop_s, delay_s)
    density, pulse = _peakedness(wide, edges)
    return Descriptors(
        tempo_bpm=_tempi(windows),
        metre=np.array([window.metre if len(window.beats_s) else 0 for window in windows], dtype=np.int64),
        accents=wide[..., _BAR],
        periodicity=_autocorrelation(wide),
        energy=averages(energy, edges[:, POSITIONS : 2 * POSITIONS + 1 : 2], hop_s, 0.0),
        density=density,
        pulse=pulse,
        spectrum=spectrum,
    )


_BAR = slice(POSITIONS, 2 * POSITIONS)


def _wide(curves: Array, edges: Array, hop_s: float, delay_s: float) -> Array:
    """Mean accents [N, 2, 96] of windows and of a bar on either side."""
    return np.stack([averages(curve, edges, hop_s, delay_s) for curve in curves], axis=1)


def _peakedness(wide: Array, edges: Array) -> tuple[Array, Array]:
    """Accents a second, and how far the strongest stands out, of windows [N] from their accents [N, 2, 96]."""
    loud = wide[..., _BAR].sum(axis=1)
    peaks = (loud[:, 1:-1] > loud[:, :-2]) & (loud[:, 1:-1] >= loud[:, 2:]) & (loud[:, 1:-1] > 0.5)
    length = edges[:, 2 * POSITIONS] - edges[:, POSITIONS]
    return peaks.sum(axis=1) / np.maximum(length, 1e-3), loud.max(axis=1, initial=0.0) / np.maximum(
        loud.mean(axis=1), 1e-3
    )


def _tempi(windows: Sequence[Window]) -> Array:
    """Beats a minute [N] by the median interval; nan without beats."""
    out = np.full(len(windows), np.nan)
    for count, rows in _by_beats(windows):
        if count > 1:
            beats = np.array([windows[row].beats_s for row in rows])
            out[rows] = 60.0 / np.median(np.diff(beats, axis=1), axis=1)
    return out


def _by_beats(windows: Sequence[Window]) -> list[tuple[int, list[int]]]:
    """The windows' numbers by how many beats they have."""
    rows: dict[int, list[int]] = {}
    for row, window in enumerate(windows):
        rows.setdefault(len(window.beats_s), []).append(row)
    return list(rows.items())


def _spectrum(curves: Sequence[Array], hop_s: float, delay_s: float, windows: Sequence[Window]) -> Array:
    """How strong `SPECTRUM_HZ` are in frame curves [F] around the middle of each window, all curves alike: [N, 64].

    curves: every hop_s seconds, late by delay_s; what lies beyond their ends is silent. One matrix product each.
    """
    middles = np.array([0.5 * (window.start_s + window.end_s) for window in windows])
    times = (middles[:, None] + _SPECTRUM_TIMES_S + delay_s) / hop_s
    total = np.zeros((len(windows), len(SPECTRUM_HZ)))
    last = len(curves[0]) - 1
    inside = (times >= 0.0) & (times <= last)
    counts = np.maximum(inside.sum(axis=1, keepdims=True), 1)
    low = np.clip(times, 0, max(last - 1, 0)).astype(np.int64)
    part = times - low
    for curve in curves:
        rise = np.append(np.diff(curve), 0.0)
        values = np.where(inside, curve[low] + rise[low] * part, 0.0)
        mean = values.sum(axis=1, keepdims=True) / counts
        waves = np.where(inside, values - mean, 0.0) @ _WAVES
        strength = _centred(np.hypot(*np.split(waves, 2, axis=1)))
        total += strength / np.maximum(np.linalg.norm(strength, axis=1, keepdims=True), 1e-6)
    return total


def faster(windows: Descriptors, rate: float) -> Descriptors:
    """What motion windows are like when they are danced faster: the same in the bar, more of it in a second."""
    step = float(np.log(SPECTRUM_HZ[1] / SPECTRUM_HZ[0]))
    place = np.arange(len(SPECTRUM_HZ)) - np.log(rate) / step
    shifted = [np.interp(place, np.arange(len(SPECTRUM_HZ)), row) for row in windows.spectrum]
    return replace(
        windows,
        tempo_bpm=windows.tempo_bpm * rate,
        energy=windows.energy * rate,
        density=windows.density * rate,
        spectrum=np.array(shifted).reshape(windows.spectrum.shape),
    )


def _edges(windows: Sequence[Window]) -> Array:
    """Times [N, 97] of the 32nds of each window and of a bar before and after it, following its beats."""
    out = np.empty((len(windows), 3 * POSITIONS + 1))
    for count, rows in _by_beats(windows):
        among = [windows[row] for row in rows]
        lines = [window.beats_s if count > 1 else (window.start_s, window.end_s) for window in among]
        out[rows] = _spread(np.array(lines, dtype=np.float64))
    return out


def _spread(lines: Array) -> Array:
    """Times [N, 97] of the 32nds of windows between their `lines` [N, L], and of as long before and after."""
    place = np.arange(POSITIONS + 1) / POSITIONS * (lines.shape[1] - 1)
    low = np.minimum(place.astype(np.int64), lines.shape[1] - 2)
    inner = lines[:, low] + (lines[:, low + 1] - lines[:, low]) * (place - low)
    span = inner[:, -1:] - inner[:, :1]
    return np.concatenate([inner[:, :-1] - span, inner, inner[:, 1:] + span], axis=1)


def averages(curve: Array, edges: Array, hop_s: float, delay_s: float) -> Array:
    """Mean of a frame curve [F] between consecutive `edges` [N, E] in seconds: [N, E - 1]; the ends are held.

    The curve is taken as straight between frames and integrated exactly enough: cumulative sums, interpolated.
    """
    sums = np.concatenate([[0.0], np.cumsum(curve)])
    place = (edges + delay_s) / hop_s + 0.5
    whole = np.interp(place, np.arange(len(sums)), sums)
    whole += np.minimum(place, 0.0) * curve[0] + np.maximum(place - len(curve), 0.0) * curve[-1]
    return np.asarray(np.diff(whole, axis=1) / np.maximum(np.diff(place, axis=1), 1e-6))


def _autocorrelation(wide: Array) -> Array:
    """Normalised autocorrelation of accents [N, 2, 96] at lags of 1..32 thirty-seconds of a bar: [N, 2, 32]."""
    centred = wide - wide.mean(axis=-1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * wide.shape[-1], axis=-1)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=-1)[..., : POSITIONS + 1]
    return np.asarray(correlation[..., 1:] / np.maximum(correlation[..., :1], 1e-9))


def _quantiles(values: Array) -> tuple[float, ...]:
    if len(values) == 0:
        return tuple(np.linspace(0.0, 1.0, QUANTILES).tolist())
    # nine digits: enough to rank by, and the same text whatever the order of a sum was
    return tuple(float(f"{value:.9g}") for value in np.quantile(values, np.linspace(0.0, 1.0, QUANTILES)))


def _rank(values: Array, quantiles: tuple[float, ...]) -> Array:
    """Rank in 0..1 among the `quantiles`; equal quantiles give the middle of their ranks."""
    table = np.asarray(quantiles)
    share = np.linspace(0.0, 1.0, len(table))
    if table[-1] - table[0] < 1e-12:
        return np.full(values.shape, 0.5)
    levels, first, counts = np.unique(table, return_index=True, return_counts=True)
    middle = 0.5 * (share[first] + share[first + counts - 1])
    return np.asarray(np.interp(values, levels, middle))


def _bumps(values: Array, bins: int, spread: float, *, circular: bool = False) -> Array:
    """`values` [N] in 0..1 as Gaussian bumps [N, bins]; nan as a flat row that is equally near to all of them."""
    centres = (np.arange(bins) + 0.5) / bins
    away = values[:, None] - centres
    if circular:
        away = (away + 0.5) % 1.0 - 0.5
    return np.where(np.isnan(away), 1.0, np.exp(-0.5 * (away / spread) ** 2))


def _assemble(seen: Descriptors, stats: RhythmStats, config: RhythmConfig) -> npt.NDArray[np.float32]:
    """Descriptors to unit rows [N, 256]."""
    count = len(seen)
    octaves = np.log2(seen.tempo_bpm)
    low, high = np.log2(35.0), np.log2(280.0)
    level = _rank(seen.energy.mean(axis=1), stats.speed)
    ranks = _rank(seen.energy, stats.speed)
    metre = (seen.metre[:, None] == np.array([*_METRES, -1])).astype(np.float64)
    metre[seen.metre == 0, :3] = 1.0
    blocks = {
        "tempo_class": _bumps(octaves % 1.0, _SIZES["tempo_class"], config.class_spread, circular=True),
        "tempo": _bumps((octaves - low) / (high - low), _SIZES["tempo"], config.tempo_spread / (high - low)),
        "metre": metre,
        "accents": _centred(seen.accents).reshape(count, 2 * POSITIONS),
        "periodicity": seen.periodicity.reshape(count, 2 * POSITIONS),
        "level": _bumps(level, _SIZES["level"], config.rank_spread),
        "contour": ranks - ranks.mean(axis=1, keepdims=True),
        "density": _bumps(_rank(seen.density, stats.density), _SIZES["density"], config.rank_spread),
        "pulse": _bumps(_rank(seen.pulse, stats.pulse), _SIZES["pulse"], config.rank_spread),
        "spectrum": _centred(seen.spectrum),
    }
    weights = asdict(config.weights)
    rows = np.concatenate([_unit(blocks[name]) * np.sqrt(weights[name]) for name in layout(config.weights)], axis=1)
    return np.ascontiguousarray(_unit(rows), dtype=np.float32).reshape(count, DIMENSIONS)


def ranks(embeddings: npt.NDArray[np.float32], config: RhythmConfig) -> dict[str, Array]:
    """The ranks [N] in 0..1 that embeddings [N, 256] of this encoder were made with: of level, density and pulse.

    Two neighbouring bins of a Gaussian bump have a ratio that says where its middle is.
    """
    out, first = {}, 0
    for name, size in layout(config.weights).items():
        if name in ("level", "density", "pulse"):
            bump = np.maximum(embeddings[:, first : first + size].astype(np.float64), 1e-30)
            at = np.minimum(np.argmax(bump, axis=1), size - 2)
            row = np.arange(len(bump))
            slope = np.log(bump[row, at + 1] / bump[row, at])
            out[name] = config.rank_spread**2 * slope * size + (at + 1.0) / size
        first += size
    return out


def layout(weights: RhythmWeights) -> dict[str, int]:
    """The blocks of an embedding and their sizes, in their order."""
    return {name: size for name, size in _SIZES.items() if name != _unused(weights)}


def _unused(weights: RhythmWeights) -> str:
    """Which of the two blocks that share a place is not there."""
    return "periodicity" if weights.spectrum > 0.0 else "spectrum"


def _centred(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=-1, keepdims=True))


def _unit(rows: Array) -> Array:
    """Rows [N, D] of unit length; a row of zeros stays one."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
