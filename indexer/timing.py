"""What the timing score needs of motion and of music: curves of movement and onsets, sampled evenly along windows.

The library keeps the movement of every segment as `SAMPLES` means of each of `CURVES`, so that a query needs no motion.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from choreodb.indexer.accents import ONSET_LATENCY_S, MotionAccents, standard
from choreodb.indexer.encoders.rhythm import averages
from choreodb.motion.rotations import FloatArray
from choreodb.music.features import Features

Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

CURVES = ("speed", "foot_speed", "effort", "rise")
"""Mean joint speed and speed of the slower foot, m/s; mean joint acceleration, m/s2; vertical velocity of the pelvis, m/s."""

SAMPLES = 32
"""Samples of each curve in a segment."""

_BLUR_S = 0.05


def rise_m_s(positions: FloatArray, fps: float) -> Array:
    """Vertical velocity of the pelvis [T] from joint positions [T, J, 3], smoothed like the accents."""
    if len(positions) < 2:
        return np.zeros(len(positions))
    height = gaussian_filter1d(positions[:, 0, 1].astype(np.float64), _BLUR_S * fps)
    return np.asarray(np.gradient(height) * fps)


def measure(curves: MotionAccents, rise: Array, starts: Sequence[float], ends: Sequence[float]) -> Float32Array:
    """`CURVES` of N windows of a clip, one after the other [N, 4 * 32], as means over even parts of each window."""
    edges = _edges(np.asarray(starts, dtype=np.float64), np.asarray(ends, dtype=np.float64))
    lines = (curves.speed, curves.foot_speed, curves.effort, rise)
    parts = [averages(line, edges, 1.0 / curves.fps, 0.0) for line in lines]
    return np.concatenate(parts, axis=1).reshape(len(edges), -1).astype(np.float32)


def faster(accents: Float32Array, rate: float) -> Float32Array:
    """The curves [N, 128] of the same windows danced `rate` times as fast: speeds by the rate, accelerations by its square."""
    powers = np.repeat([2.0 if name == "effort" else 1.0 for name in CURVES], SAMPLES)
    return (accents * rate**powers).astype(np.float32)


def onsets(features: Features, starts: Array, ends: Array) -> Array:
    """Onset strength, all bands alike, of N windows of a song: [N, 32], as means over even parts of each window."""
    bands = np.sqrt(features.onset_bands.astype(np.float64))
    strength = np.sum([standard(band) for band in bands.T], axis=0)
    return averages(strength, _edges(starts, ends), features.hop_s, ONSET_LATENCY_S)


def onset_bands(features: Features, starts: Array, ends: Array) -> Array:
    """Onset strength by band of N windows of a song: [N, 4, 32], as of `onsets`."""
    edges = _edges(starts, ends)
    bands = np.sqrt(features.onset_bands.astype(np.float64)).T
    return np.stack([averages(band, edges, features.hop_s, ONSET_LATENCY_S) for band in bands], axis=1)


def unit(rows: npt.NDArray[np.floating]) -> Float32Array:
    """Rows [..., K] without their mean and of length 1, so that products are correlations; zeros where nothing varies."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.where(length > 1e-6, centred / np.maximum(length, 1e-6), 0.0).astype(np.float32)


def _edges(starts: Array, ends: Array) -> Array:
    """Times [N, 33] of the edges of even parts."""
    share = np.arange(SAMPLES + 1) / SAMPLES
    return starts[:, None] + (ends - starts)[:, None] * share
