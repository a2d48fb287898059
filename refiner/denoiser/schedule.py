"""Noise schedule: how much of the signal is left at every level of noise.

Source: the cosine schedule of Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models" (2021), eq. 17,
in continuous time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

OFFSET = 0.008
LAST = 0.999
"""Time at which sampling from pure noise begins; at 1 nothing of the signal is left and x0 is undefined."""


def signal(time: npt.ArrayLike) -> Array:
    """Share of the signal's amplitude (square root of alpha bar) at `time` in 0..1: 1 at 0, 0 at 1."""
    at = np.asarray(time, dtype=np.float64)
    angle = (at + OFFSET) / (1.0 + OFFSET) * 0.5 * np.pi
    return np.clip(np.cos(angle) / np.cos(OFFSET / (1.0 + OFFSET) * 0.5 * np.pi), 0.0, 1.0)


def noise(time: npt.ArrayLike) -> Array:
    """Amplitude of the noise at `time`; squares of signal and noise sum to 1."""
    return np.sqrt(1.0 - np.square(signal(time)))


def log_snr(time: npt.ArrayLike) -> Array:
    """Log of signal over noise, half the log signal-to-noise ratio; falls with time."""
    return np.log(np.maximum(signal(time), 1e-12)) - np.log(np.maximum(noise(time), 1e-12))


def times(steps: int, strength: float = 1.0) -> Array:
    """Times [steps + 1] from where sampling enters, `strength` of the whole, down to 0; evenly spaced."""
    return np.linspace(LAST * strength, 0.0, steps + 1)
