"""Metre and downbeats: which beats carry the accents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.music.features import HOP_S, Features, means_between

METRES = (3, 4, 6)
SIX_FROM_BPM = 135.0  # 6 counts eighths: slower than this, six beats are two bars of three

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What a bar sounds like. accent: [metre] bass, harmony and timbre per beat; snap: [metre] snare and cymbals.

    prior: added to the correlation before metres are compared.
    """

    accent: tuple[float, ...]
    snap: tuple[float, ...]
    prior: float


TEMPLATES = {
    3: Template((1.0, -0.5, -0.5), (-1.0, 0.5, 0.5), -0.06),
    4: Template((1.0, -0.6, 0.2, -0.6), (-1.0, 1.0, -1.0, 1.0), 0.0),
    6: Template((1.0, -0.5, -0.4, 0.5, -0.4, -0.2), (-0.2, -0.2, -0.2, 1.0, -0.2, -0.2), -0.06),
}
_SNAP_WEIGHT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A reading of beats as bars. positions: [N], 1 = downbeat; score: correlation with the metre's template + prior."""

    metre: int
    positions: npt.NDArray[np.int32]
    score: float


def readings(features: Features, times_s: Array, latency_s: float, metre: int | None = None) -> tuple[Bars, ...]:
    """Each metre's best downbeat phase for the beats [N], best metre first; `metre` allows only that one.

    latency_s: how much later than a beat its onset strength peaks.
    """
    if len(times_s) < 4:
        beats_a_bar = metre or 4
        return (Bars(beats_a_bar, (np.arange(len(times_s)) % beats_a_bar + 1).astype(np.int32), 0.0),)
    accent, snap = beat_accents(features, times_s + latency_s)
    tempo_bpm = 60.0 / float(np.median(np.diff(times_s)))
    allowed = [m for m in METRES if m != 6 or tempo_bpm >= SIX_FROM_BPM]
    found = [_best_phase(accent, snap, m) for m in ([metre] if metre else allowed)]
    return tuple(sorted(found, key=lambda bars: -bars.score))


def beat_accents(features: Features, onset_s: Array) -> tuple[Array, Array]:
    """Two accent curves [N] over beats, standardised: what marks downbeats, and what marks back-beats.

    The first joins four cues alike: bass onsets, changes of harmony from beat to beat and over two beats (a chord
    that stays is a new bar, a passing note is not), and changes of timbre. The second is the onset strength above
    800 Hz, where the snare lies.
    """
    frames = np.clip(np.round(onset_s / HOP_S).astype(np.int64), 0, len(features) - 1)
    near = np.clip(frames[:, None] + np.arange(-2, 4), 0, len(features) - 1)
    bands = features.onset_bands[near].max(axis=1).astype(np.float64)
    chroma = np.sqrt(_per_beat(features.chroma, frames))  # compressed: soft notes of a chord count too
    pairs = chroma + np.vstack([chroma[1:], chroma[-1:]])
    harmony = 1.0 - _cosine(chroma[:-1], chroma[1:])
    progression = 1.0 - _cosine(np.vstack([chroma[:1] * 2.0, pairs[:-2]]), pairs[1:])
    colour = np.abs(np.diff(_per_beat(features.mel_db, frames), axis=0)).mean(axis=1)
    accent = _standard(bands[:, 0]) + _standard(harmony) + _standard(progression) + _standard(colour)
    return _standard(accent), _standard(bands[:, 2] + bands[:, 3])


def _per_beat(values: npt.NDArray[np.float32], frames: npt.NDArray[np.int64]) -> Array:
    """Mean of frame features over the interval before the first beat and after each beat [N + 1, D]."""
    ends = [2 * frames[0] - frames[1], 2 * frames[-1] - frames[-2]]
    edges = np.clip(np.concatenate([[ends[0]], frames, [ends[1]]]), 0, len(values))
    return means_between(values, edges)


def _cosine(a: Array, b: Array) -> Array:
    return np.asarray((a * b).sum(axis=1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-9))


def _standard(values: Array) -> Array:
    """Zero mean and unit deviation, outliers clipped: one crash must not decide where the bars are."""
    clipped = np.clip((values - values.mean()) / max(float(values.std()), 1e-9), -2.5, 2.5)
    return np.asarray((clipped - clipped.mean()) / max(float(clipped.std()), 1e-9))


def _best_phase(accent: Array, snap: Array, metre: int) -> Bars:
    template = TEMPLATES[metre]
    fit = _phase_correlation(accent, template.accent) + _SNAP_WEIGHT * _phase_correlation(snap, template.snap)
    first = int(np.argmax(fit))
    positions = ((np.arange(len(accent)) - first) % metre + 1).astype(np.int32)
    return Bars(metre, positions, float(fit[first]) + template.prior)


def _phase_correlation(curve: Array, template: tuple[float, ...]) -> Array:
    """Correlation [metre] of a standardised curve [N] with the repeated template, for each beat as the first downbeat."""
    metre = len(template)
    shape = np.array(template) - np.mean(template)
    shape /= np.sqrt(np.mean(shape**2))
    phase = np.arange(len(curve)) % metre
    sums = np.bincount(phase, weights=curve, minlength=metre) / len(curve)
    return np.array([sums @ np.roll(shape, first) for first in range(metre)])
