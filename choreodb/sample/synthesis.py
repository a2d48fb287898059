"""The band's inner loops, compiled: sums of partials, mixing into stereo buses, and a room of delay lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]
_BLOCK = 256


@njit(cache=True, nogil=True)
def partials(count: int, turns: Array, loud: Array, fading: Array) -> Array:  # pragma: no cover
    """Samples [count] of K sines that begin in phase 0: turns [K] radians and fading [K] factor a sample, loud [K] at first."""
    cosine, sine = np.cos(turns) * fading, np.sin(turns) * fading
    real, imaginary = loud.copy(), np.zeros(len(loud))
    out = np.zeros(count)
    for n in range(count):
        total = 0.0
        for k in range(len(turns)):
            total += imaginary[k]
            re = real[k]
            real[k] = re * cosine[k] - imaginary[k] * sine[k]
            imaginary[k] = re * sine[k] + imaginary[k] * cosine[k]
        out[n] = total
    return out


@njit(cache=True, nogil=True)
def harmonics(phase: Array, loud: Array) -> Array:  # pragma: no cover
    """Sum [N] of sines of 1, 2, ... K times `phase` [N], weighted by loud [K]; sin((k+1)x) = 2 cos x sin kx - sin((k-1)x).

    In blocks, so that the recurrence runs over many samples at once; sine and cosine of half the phase are their Taylor
    series, right to 1e-8 over half a turn.
    """
    out = np.zeros(len(phase))
    twice, before, now, total = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    for first in range(0, len(phase), _BLOCK):
        count = min(_BLOCK, len(phase) - first)
        part = phase[first : first + count]
        for n in range(count):
            turns = part[n] * (0.5 / np.pi)
            half = (turns - np.floor(turns + 0.5)) * np.pi
            q = half * half
            s = half * (
                1
                + q
                * (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * (1 / 362880 + q * (-1 / 39916800 + q / 6227020800)))))
            )
            c = 1 + q * (-1 / 2 + q * (1 / 24 + q * (-1 / 720 + q * (1 / 40320 + q * (-1 / 3628800 + q / 479001600)))))
            twice[n], before[n], now[n], total[n] = 2.0 * (c * c - s * s), 0.0, 2.0 * s * c, 0.0
        for k in range(len(loud)):
            weight = loud[k]
            for n in range(count):
                here = now[n]
                total[n] += weight * here
                now[n] = twice[n] * here - before[n]
                before[n] = here
        for n in range(count):
            out[first + n] = total[n]
    return out


@njit(cache=True, nogil=True)
def mix_in(
    bus: Samples, send: Samples, sound: Samples, first: int, left: float, right: float, sent: float
) -> None:  # pragma: no cover
    """Add mono `sound` to the stereo `bus` [N, 2] from frame `first` on, and `sent` times that to `send` [N, 2]."""
    for n in range(min(len(sound), len(bus) - first)):
        a, b = np.float32(sound[n] * left), np.float32(sound[n] * right)
        bus[first + n, 0] += a
        bus[first + n, 1] += b
        send[first + n, 0] += np.float32(sent) * a
        send[first + n, 1] += np.float32(sent) * b


@njit(cache=True, nogil=True)
def room(
    send: Samples, delays: npt.NDArray[np.int64], feedback: Array, damping: float, diffusers: npt.NDArray[np.int64]
) -> Samples:  # pragma: no cover
    """Reverberation [N, 2] of `send` [N, 2]: two all-pass diffusers a side, then delay lines that feed one another.

    delays: [8] frames; feedback: [8] gain of each line a round; damping: share of the last sample kept by the low-pass in
    the loop. The lines are mixed by a Householder reflection, which loses no energy (Jot, ICMC 1992).
    """
    count = len(delays)
    lines = np.zeros((count, delays.max()))
    at = np.zeros(count, np.int64)
    low = np.zeros(count)
    diffuse = np.zeros((4, diffusers.max()))
    place = np.zeros(4, np.int64)
    out = np.zeros_like(send)
    share = 2.0 / count
    taken, into = np.zeros(count), np.zeros(2)
    for n in range(len(send)):
        for side in range(2):
            x = float(send[n, side])
            for stage in range(2):
                d = 2 * side + stage
                y = diffuse[d, place[d]] - 0.62 * x
                diffuse[d, place[d]] = x + 0.62 * y
                place[d] = place[d] + 1 if place[d] + 1 < diffusers[d] else 0
                x = y
            into[side] = x
        total = 0.0
        for k in range(count):
            low[k] += (1.0 - damping) * (lines[k, at[k]] - low[k])
            taken[k] = low[k] * feedback[k]
            total += taken[k]
        left, right = 0.0, 0.0
        for k in range(count):
            lines[k, at[k]] = taken[k] - share * total + into[k % 2]
            at[k] = at[k] + 1 if at[k] + 1 < delays[k] else 0
            if k % 2 == 0:
                left += taken[k] if k % 4 == 0 else -taken[k]
            else:
                right += taken[k] if k % 4 == 1 else -taken[k]
        out[n, 0] = np.float32(left)
        out[n, 1] = np.float32(right)
    return out
