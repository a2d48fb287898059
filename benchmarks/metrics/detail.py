"""Detail: how much of a motion is fast, so that smoothing cannot pass for quality.

Arguments are joint positions [T, J, 3] in metres. Figures are per frame, so that a dance can be set against the very
frames of captured motion that it is made of.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

from choreodb.errors import MetricError

FloatArray = npt.NDArray[np.floating]

CUTOFF_HZ = 6.0
_ORDER = 4
_FEWEST = 32
"""Frames that the filter needs to settle in."""


def validate(positions: FloatArray, fps: float, *, cutoff_hz: float = CUTOFF_HZ) -> None:
    """Raise MetricError where `positions` are no finite [T >= 32, J, 3], or the cut-off is beyond what `fps` can hold."""
    if positions.ndim != 3 or positions.shape[-1] != 3 or len(positions) < _FEWEST:
        raise MetricError(f"positions have shape {positions.shape}; expected [T, J, 3] with at least {_FEWEST} frames")
    if not np.isfinite(positions).all():
        raise MetricError("positions hold NaN or infinity; expected finite metres")
    if not 0.0 < cutoff_hz < 0.5 * fps:
        raise MetricError(f"cut-off is {cutoff_hz!r} Hz; expected more than 0 and less than half of {fps:g}")


def fast_energy(positions: FloatArray, fps: float, *, cutoff_hz: float = CUTOFF_HZ) -> npt.NDArray[np.float64]:
    """Mean over joints of the squared velocity above `cutoff_hz`, (m/s)^2, for every frame [T].

    A Butterworth high-pass of order 4, run forwards and backwards. Errors: MetricError.
    """
    validate(positions, fps, cutoff_hz=cutoff_hz)
    velocity = np.gradient(positions.astype(np.float64), 1.0 / fps, axis=0)
    sections = signal.butter(_ORDER, cutoff_hz, "highpass", fs=fps, output="sos")
    fast = signal.sosfiltfilt(sections, velocity, axis=0)
    return np.asarray(np.square(fast).sum(axis=-1).mean(axis=-1))


def peak_speed(positions: FloatArray, fps: float) -> npt.NDArray[np.float64]:
    """Speed of the fastest joint in m/s, for every frame [T]. Errors: MetricError."""
    validate(positions, fps)
    velocity = np.gradient(positions.astype(np.float64), 1.0 / fps, axis=0)
    return np.asarray(np.linalg.norm(velocity, axis=-1).max(axis=-1))


def peaks(speed_m_s: FloatArray, fps: float, *, every_s: float = 1.0) -> float:
    """Mean over stretches of `every_s` of the largest value of `speed_m_s` [T]; the last, shorter one counts."""
    starts = np.arange(0, len(speed_m_s), max(1, round(every_s * fps)))
    return float(np.maximum.reduceat(speed_m_s, starts).mean())


def evaluate(positions: FloatArray, fps: float) -> dict[str, float]:
    """Mean fast energy, (m/s)^2, and the mean over seconds of the fastest joint's peak, m/s. Errors: MetricError."""
    return {
        "fast_energy": float(fast_energy(positions, fps).mean()),
        "peak_speed_m_s": peaks(peak_speed(positions, fps), fps),
    }
