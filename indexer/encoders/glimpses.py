"""Glimpses: windows of songs and clips as stretches of equal length, with traits that a network would be long to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders.base import Window
from choreodb.indexer.encoders.frames import RATE_HZ
from choreodb.motion.skeleton import CHOREO22
from choreodb.music.features import MEL_BANDS

Array = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

BEATS = 12
"""Beats of a beat-synchronous glimpse: whole bars of 3, 4 and 6."""

LAGS_S = np.geomspace(0.2, 3.0, 48)
"""Lags of the autocorrelations among the traits."""

TEMPO_CLASSES, TEMPI = 24, 40
_CLASS_SPREAD, _TEMPO_SPREAD = 0.05, 0.08
_SLOWEST, _FASTEST = 35.0, 280.0
_METRES = (3, 4, 6)
RHYTHM = TEMPO_CLASSES + TEMPI + len(_METRES) + 1
"""Width of the tempo and metre block: log tempo up to octaves, log tempo, metre."""

MUSIC_TRAITS = 2 * len(LAGS_S) + 8 + RHYTHM
MOTION_TRAITS = 3 * len(LAGS_S) + 8 + RHYTHM

_FEET = [CHOREO22.index(name) for name in ("left_ankle", "right_ankle")]


@dataclass(frozen=True, slots=True, eq=False)
class Glimpses:
    """N stretches of one side. frames: [N, L, C]. traits: [N, T] numbers about each. rhythm: [N, 68] unit rows of tempo
    and metre, which are part of the traits, too."""

    frames: Array
    traits: Array
    rhythm: Array

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Where to look: times_s [N, L] of the frames, tempo_bpm [N] (nan without beats), metre [N] (0 without)."""

    times_s: Times
    tempo_bpm: Times
    metre: npt.NDArray[np.int64]


def stretches(windows: Sequence[Window], context_s: float, *, synchronous: bool = False) -> tuple[Stretches, Places]:
    """(the stretches of `context_s` that cover each window, [N] window of each).

    A window shorter than `context_s` is seen with what is around it; a longer one as several stretches side by side.
    """
    centres, owners = [], []
    for number, window in enumerate(windows):
        length = window.end_s - window.start_s
        count = max(1, round(length / context_s))
        spare = max(length - context_s, 0.0)
        middle = 0.5 * (window.start_s + window.end_s)
        centres += (middle + spare * (np.arange(count) / max(count - 1, 1) - 0.5) * (count > 1)).tolist()
        owners += [number] * count
    owner = np.array(owners, dtype=np.int64)
    tempo = np.array([tempo_bpm(window.beats_s) for window in windows])[owner]
    metre = np.array([window.metre if len(window.beats_s) else 0 for window in windows], dtype=np.int64)[owner]
    anchors = np.array([window.beats_s[0] if len(window.beats_s) else np.nan for window in windows])[owner]
    times = grid_times(np.array(centres), context_s, tempo, anchors if synchronous else None)
    return Stretches(times, tempo, metre), owner


def grid_times(centres: Times, context_s: float, tempo: Times, anchors: Times | None = None) -> Times:
    """Times [N, L] of the frames of stretches about `centres` [N].

    anchors: [N] a beat of each; then frames follow the beats, `BEATS` of them, from a beat on; those without beats (nan)
    are seen in seconds.
    """
    count = round(context_s * RATE_HZ)
    steps = np.arange(count) - 0.5 * (count - 1)
    if anchors is None:
        return centres[:, None] + steps / RATE_HZ
    known = np.isfinite(tempo) & np.isfinite(anchors)
    period = np.where(known, 60.0 / np.where(known, tempo, 60.0), context_s / BEATS)
    start = centres - 0.5 * BEATS * period
    beat = np.where(known, anchors + np.round((start - np.where(known, anchors, 0.0)) / period) * period, start)
    return np.asarray(beat[:, None] + np.arange(count) * (BEATS / count) * period[:, None])


def tempo_bpm(beats_s: Times) -> float:
    """Mean tempo of consecutive beats; nan for fewer than two."""
    return 60.0 * (len(beats_s) - 1) / float(beats_s[-1] - beats_s[0]) if len(beats_s) > 1 else float("nan")


def of_music(frames: Array, where: Stretches) -> Glimpses:
    """Glimpses of a song's frames [F, 69]."""
    return music_glimpses(channels.sampled(frames, where.times_s * RATE_HZ), where.tempo_bpm, where.metre)


def of_motion(frames: Array, where: Stretches) -> Glimpses:
    """Glimpses of a clip's frames [F, 263]."""
    return motion_glimpses(channels.sampled(frames, where.times_s * RATE_HZ), where.tempo_bpm, where.metre)


def music_glimpses(seen: Array, tempo: Times, metre: npt.NDArray[np.int64]) -> Glimpses:
    """Glimpses of sampled music frames [N, L, 69]; how loud a stretch is as a whole is taken out."""
    mel, onsets, loud = seen[..., :MEL_BANDS], seen[..., MEL_BANDS:-1], seen[..., -1:]
    level = mel.mean(axis=(1, 2), keepdims=True)
    plain = np.concatenate([mel - level, np.sqrt(np.maximum(onsets, 0.0)), loud - loud.mean(axis=1, keepdims=True)], -1)
    roots = plain[..., MEL_BANDS:-1]
    curves = np.stack([roots[..., :2].mean(-1), roots[..., 2:].mean(-1)], axis=1)
    shape = [roots.mean(1), roots.std(1)[:, :3], plain[..., -1].std(1, keepdims=True)]
    return _with_traits(plain, curves, np.concatenate(shape, axis=1), tempo, metre)


def motion_glimpses(seen: Array, tempo: Times, metre: npt.NDArray[np.int64]) -> Glimpses:
    """Glimpses of sampled motion frames [N, L, 263]."""
    moving = seen[..., channels.VELOCITIES]
    velocity = moving[..., :-1].reshape(*seen.shape[:2], -1, 3)
    speed = np.linalg.norm(velocity, axis=-1)
    feet = speed[..., _FEET]
    curves = np.stack([feet.min(-1), velocity[..., 0, 1], speed.mean(-1)], axis=1)
    turning = moving[..., -1]
    shape = [np.log1p(10.0 * np.stack([feet.min(-1), feet.max(-1), speed.mean(-1)], 1)).mean(-1), curves.std(-1),
             turning.mean(-1, keepdims=True), np.abs(turning).mean(-1, keepdims=True)]  # fmt: skip
    return _with_traits(seen, curves, np.concatenate(shape, axis=1), tempo, metre)


def _with_traits(seen: Array, curves: Array, shape: Array, tempo: Times, metre: npt.NDArray[np.int64]) -> Glimpses:
    rhythm = rhythm_block(tempo, metre)
    grams = autocorrelations(curves).reshape(len(seen), -1)
    return Glimpses(seen, np.concatenate([grams, shape, rhythm], axis=1).astype(np.float32), rhythm)


def autocorrelations(curves: Array) -> Array:
    """Autocorrelation of curves [..., L] at `LAGS_S`: [..., 48], 1 where the lag is 0; lags beyond the curve are 0."""
    length = curves.shape[-1]
    centred = curves - curves.mean(axis=-1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * length, axis=-1)
    found = np.fft.irfft(np.abs(spectrum) ** 2, axis=-1)[..., :length]
    # unbiased up to the lags that the stretch still shows twice
    found *= length / np.maximum(length - np.arange(length), 0.25 * length)
    found /= np.maximum(found[..., :1], 1e-6)
    places = np.minimum(LAGS_S * RATE_HZ, length - 1.0)
    low = np.minimum(places.astype(np.int64), max(length - 2, 0))
    part = places - low
    return np.asarray(found[..., low] * (1.0 - part) + found[..., np.minimum(low + 1, length - 1)] * part, np.float32)


def rhythm_block(tempo: Times, metre: npt.NDArray[np.int64]) -> Array:
    """Unit rows [N, 68] of tempo and metre; what is not known is equally near to everything."""
    octaves = np.log2(tempo)
    low, high = np.log2(_SLOWEST), np.log2(_FASTEST)
    # a bump far beyond the bins would be nothing at all
    where = np.clip((octaves - low) / (high - low), 0.0, 1.0)
    which = (metre[:, None] == np.array([*_METRES, -1])).astype(np.float64)
    which[~np.isin(metre, _METRES), : len(_METRES)] = 1.0
    blocks = (
        _bumps(octaves % 1.0, TEMPO_CLASSES, _CLASS_SPREAD, circular=True),
        _bumps(where, TEMPI, _TEMPO_SPREAD / (high - low)),
        which,
    )
    joined = np.concatenate([block / np.linalg.norm(block, axis=1, keepdims=True) for block in blocks], axis=1)
    return (joined / np.sqrt(len(blocks))).astype(np.float32)


def _bumps(values: Times, bins: int, spread: float, *, circular: bool = False) -> Times:
    """`values` [N] in 0..1 as Gaussian bumps [N, bins]; nan as a flat row."""
    away = values[:, None] - (np.arange(bins) + 0.5) / bins
    if circular:
        away = (away + 0.5) % 1.0 - 0.5
    # a floor: a value far outside of the range would leave a row of zeros
    return np.where(np.isnan(away), 1.0, np.exp(-0.5 * (away / spread) ** 2) + 1e-6)
