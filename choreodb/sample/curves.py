"""Smooth curves over time: minimum-jerk steps, springs, wander, and envelopes that never cut through a limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.signal import lfilter, lfilter_zi

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

Key = tuple[float, float, float]
"""(time at which the value is reached, seconds the change takes, value)."""


def min_jerk(progress: Array) -> Array:
    """The minimum-jerk profile [...] of a movement from 0 to 1 (Flash and Hogan, J. Neuroscience 5, 1985)."""
    s = np.clip(progress, 0.0, 1.0)
    return s**3 * (10.0 + s * (6.0 * s - 15.0))


def glide(progress: Array) -> Array:
    """A movement [...] from 0 to 1 of speed (1 - |u|^3)^2, u from -1 to 1: its peak is 1.56 of its mean, as in captured swings.

    Minimum jerk peaks at 1.88. Acceleration vanishes at both ends here too.
    """
    u = 2.0 * np.clip(progress, 0.0, 1.0) - 1.0
    size = np.abs(u)
    return 0.5 + np.sign(u) * (size - 0.5 * size**4 + size**7 / 7.0) * (7.0 / 9.0)


def bump(progress: Array) -> Array:
    """A hill [...] over [0, 1] of height 1 whose first two derivatives vanish at both ends."""
    s = np.clip(progress, 0.0, 1.0)
    return (4.0 * s * (1.0 - s)) ** 3


def follow(times: Array, keys: Sequence[Key], initial: float, *, gliding: bool = False) -> Array:
    """Curve [T] through `keys` from `initial` on, in steps that add up where they overlap in time.

    times: [T] ascending seconds. gliding: steps of `glide` instead of `min_jerk`. The sum of steps keeps the second
    derivative continuous however they overlap.
    """
    out = np.full(len(times), initial)
    if not keys:
        return out
    stops, spans, values = np.array(sorted(keys)).T
    firsts, lasts = np.searchsorted(times, stops - spans), np.searchsorted(times, stops)
    changes = np.diff(values, prepend=initial)
    _add_steps(out, times, firsts, lasts, stops - spans, spans, changes, gliding)
    return out


@njit(cache=True, nogil=True)
def _add_steps(
    out: Array, times: Array, firsts: Places, lasts: Places, starts: Array, spans: Array, changes: Array, gliding: bool
) -> None:  # pragma: no cover
    """Add K steps to `out` [T]: changes [K] from starts [K] on within spans [K]; frames firsts [K] to lasts [K] are on the way."""
    done = np.zeros(len(out) + 1)
    for k in range(len(starts)):
        if changes[k] == 0.0:
            continue
        done[lasts[k]] += changes[k]
        for t in range(firsts[k], lasts[k]):
            s = min(max((times[t] - starts[k]) / spans[k], 0.0), 1.0)
            if gliding:
                u = 2.0 * s - 1.0
                size = abs(u)
                way = size - 0.5 * size**4 + size**7 / 7.0
                out[t] += changes[k] * (0.5 + (way if u > 0.0 else -way) * (7.0 / 9.0))
            else:
                out[t] += changes[k] * s**3 * (10.0 + s * (6.0 * s - 15.0))
    total = 0.0
    for t in range(len(out)):
        total += done[t]
        out[t] += total


def spring(curve: Array, fps: float, hertz: float, damping: float) -> Array:
    """`curve` [T, ...] as a damped mass on a spring follows it: overshoot and settling, without the mean delay.

    The delay of the spring, 2 damping / (2 pi hertz) seconds, is taken out so that accents stay on the beat.
    """
    omega = 2.0 * np.pi * hertz
    delay = 2.0 * damping / omega * fps
    grid = np.arange(len(curve), dtype=np.float64)
    warped = float(2.0 * fps * np.tan(omega / (2.0 * fps)))
    scale = 4.0 * fps * fps
    numerator = warped**2 * np.array([1.0, 2.0, 1.0])
    denominator = np.array(
        [
            scale + 4.0 * damping * warped * fps + warped**2,
            2.0 * warped**2 - 2.0 * scale,
            scale - 4.0 * damping * warped * fps + warped**2,
        ]
    )
    state = lfilter_zi(numerator, denominator)[:, None] * curve[:1].reshape(1, -1)
    smooth, _ = lfilter(numerator, denominator, curve.reshape(len(curve), -1), axis=0, zi=state)
    return _shifted(smooth, grid + delay).reshape(curve.shape)


def delayed(curve: Array, fps: float, seconds: float) -> Array:
    """`curve` [T, ...] as it was `seconds` ago (a negative number looks ahead), held at the ends."""
    flat = curve.reshape(len(curve), -1)
    return _shifted(flat, np.arange(len(curve), dtype=np.float64) - seconds * fps).reshape(curve.shape)


def _shifted(flat: Array, frames: Array) -> Array:
    """`flat` [T, D] read at fractional `frames` [T] by cubic (Catmull-Rom) interpolation, clamped."""
    last = len(flat) - 1
    at = np.clip(frames, 0.0, last)
    base = np.floor(at).astype(np.int64)
    s = (at - base)[:, None]
    p0, p1, p2, p3 = (flat[np.clip(base + k, 0, last)] for k in (-1, 0, 1, 2))
    return p1 + 0.5 * s * (p2 - p0 + s * (2 * p0 - 5 * p1 + 4 * p2 - p3 + s * (3 * (p1 - p2) + p3 - p0)))


def smooth(curve: Array, fps: float, sigma_s: float) -> Array:
    """`curve` [T, ...] through a Gaussian of `sigma_s` seconds along time, held at the ends."""
    return gaussian_filter1d(curve, sigma_s * fps, axis=0, mode="nearest", truncate=3.0)


def balanced(push: Array, fps: float, seconds: float) -> Array:
    """Ground path [T, D] of a body whose support pushes at `push` [T, D]: x - seconds^2 x'' = push, at rest at both ends.

    seconds: the square root of height over gravity of the inverted pendulum (Kajita et al., The 3D linear inverted pendulum
    mode, IROS 2001). Its one solution that does not fall over looks ahead as far as back: the body leaves for the next
    foot before that foot is down.
    """
    keep = float(np.exp(-1.0 / (seconds * fps)))
    gain, decay = np.array([1.0 - keep]), np.array([1.0, -keep])
    ahead, _ = lfilter(gain, decay, push, axis=0, zi=keep * push[:1])
    back, _ = lfilter(gain, decay, push[::-1], axis=0, zi=keep * push[-1:])
    # the frame itself is in both halves
    return np.asarray((ahead + back[::-1] - (1.0 - keep) * push) / (1.0 + keep))


def cover(deficit: Array, fps: float, reach_s: float) -> Array:
    """A smooth curve [T, ...] that is nowhere below `deficit` >= 0: dilated by `reach_s`, then a Gaussian that fits in."""
    radius = max(1, round(reach_s * fps))
    wide = maximum_filter1d(deficit, 2 * radius + 1, axis=0, mode="nearest")
    return gaussian_filter1d(wide, radius / 3.0, axis=0, mode="nearest", radius=radius)


def wander(times: Array, rng: np.random.Generator, channels: int, *, slowest_hz: float = 0.07) -> Array:
    """Slow aimless movement [T, channels] of unit variance: no posture is ever held or repeated exactly."""
    hertz = slowest_hz * 10.0 ** rng.uniform(0.0, 0.95, (6, channels))
    phase = rng.uniform(0.0, 2.0 * np.pi, (6, channels))
    weight = hertz**-0.6
    weight /= np.sqrt(0.5 * np.sum(weight**2, axis=0))
    angle = 2.0 * np.pi * hertz[None] * times[:, None, None] + phase[None]
    return np.sum(weight[None] * np.sin(angle), axis=1)


def flutter(frames: int, rng: np.random.Generator, channels: int, fps: float) -> Array:
    """Quick unrest [T, channels] of unit variance, between about 0.6 and 4 Hz and falling with frequency: what `wander` is too slow for."""
    noise = rng.standard_normal((frames, channels))
    keep = float(np.exp(-2.0 * np.pi * 0.9 / fps))
    falling, _ = lfilter([1.0 - keep], [1.0, -keep], noise, axis=0, zi=np.zeros((1, channels)))
    band = smooth(falling, fps, 0.045) - smooth(falling, fps, 0.4)
    return np.asarray(band / np.maximum(band.std(axis=0), 1e-9))


def breath(times: Array, rng: np.random.Generator, hertz: float) -> Array:
    """Chest [T] from about -1 (out) to 1 (in): in faster than out, and no breath as long as the last."""
    rate = hertz * (1.0 + 0.15 * wander(times, rng, 1)[:, 0])
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0 / 60.0
    phase = 2.0 * np.pi * np.cumsum(rate) * step + float(rng.uniform(0.0, 2.0 * np.pi))
    return np.sin(phase + 0.4 * np.sin(phase))


def stroke(times: Array, hits: Sequence[tuple[float, float]], *, rise_s: float = 0.09, ring_hz: float = 2.6) -> Array:
    """Strokes of the body [T]: each of `hits` (time, strength) is up within `rise_s` and rings out after it."""
    out = np.zeros(len(times))
    for at, strength in hits:
        first, last = np.searchsorted(times, (at - 2.0 * rise_s, at + 0.9))
        since = times[first:last] - at
        ring = np.exp(-np.maximum(since, 0.0) / 0.14) * np.cos(2.0 * np.pi * ring_hz * np.maximum(since, 0.0))
        out[first:last] += strength * np.where(since < 0.0, min_jerk(1.0 + since / rise_s), ring)
    fps = 1.0 / float(times[1] - times[0]) if len(times) > 1 else 60.0
    return smooth(out, fps, 0.018)
