"""The band's instruments: single notes and strokes as mono float64 arrays at 44.1 kHz, synthesised."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from choreodb.sample import synthesis
from choreodb.sample.curves import Array

RATE = 44100

Stroke = Callable[[np.random.Generator], Array]
Note = Callable[[float, float], Array]
"""(hertz, seconds) -> samples."""


def ticks(seconds: float) -> Array:
    """Times [N] of the samples of `seconds`."""
    return np.arange(int(seconds * RATE)) / RATE


def faded(samples: Array, attack_s: float, release_s: float) -> Array:
    """`samples` without clicks at either end."""
    out = samples.copy()
    rise, fall = min(int(attack_s * RATE), len(out)), min(int(release_s * RATE), len(out))
    out[:rise] *= np.sin(0.5 * np.pi * np.arange(rise) / max(rise, 1)) ** 2
    out[len(out) - fall :] *= np.cos(0.5 * np.pi * np.arange(fall) / max(fall, 1)) ** 2
    return out


def bright(noise: Array, order: int = 2) -> Array:
    """High-passed noise: `order` differences, at the level of the input."""
    out = np.diff(noise, order, prepend=np.zeros(order))
    return out / (1.4**order * 1.2)


def kick(rng: np.random.Generator, *, low_hz: float = 47.0, decay_s: float = 0.16) -> Array:
    """A bass drum: a sine that falls to `low_hz`, and the beater's click."""
    t = ticks(0.42)
    phase = 2.0 * np.pi * (low_hz * t + 120.0 * 0.028 * (1.0 - np.exp(-t / 0.028)))
    click = rng.standard_normal(len(t)) * np.exp(-t / 0.002) * 0.35
    return faded(np.tanh(1.6 * np.sin(phase) * np.exp(-t / decay_s)) + click, 0.0005, 0.03)


def snare(rng: np.random.Generator, *, tone_hz: float = 190.0, decay_s: float = 0.085) -> Array:
    """A snare drum: two tones of the skin and the rattle."""
    t = ticks(0.3)
    skin = np.sin(2 * np.pi * tone_hz * t) + 0.6 * np.sin(2 * np.pi * 1.72 * tone_hz * t)
    rattle = bright(rng.standard_normal(len(t)), 1)
    return faded(0.5 * skin * np.exp(-t / 0.05) + 0.75 * rattle * np.exp(-t / decay_s), 0.0005, 0.02)


def clap(rng: np.random.Generator) -> Array:
    """A hand clap: three quick bursts and a tail."""
    t = ticks(0.28)
    noise = bright(rng.standard_normal(len(t)), 1)
    bursts = sum(np.where(t >= at, np.exp(-(t - at) / 0.006), 0.0) for at in (0.0, 0.011, 0.021))
    return faded(noise * (0.7 * bursts + 0.6 * np.where(t > 0.026, np.exp(-(t - 0.026) / 0.07), 0.0)), 0.0005, 0.02)


def hat(rng: np.random.Generator, *, decay_s: float = 0.028) -> Array:
    """A hi-hat: the brightest noise, closed by default, open with a longer decay."""
    t = ticks(min(0.6, decay_s * 6.0))
    return faded(0.6 * bright(rng.standard_normal(len(t)), 3) * np.exp(-t / decay_s), 0.0005, 0.01)


def shaker(rng: np.random.Generator) -> Array:
    """A shaker: a short swell of bright noise."""
    t = ticks(0.09)
    return 0.4 * bright(rng.standard_normal(len(t)), 2) * np.sin(np.pi * t / t[-1]) ** 2


def brush(rng: np.random.Generator) -> Array:
    """A brush on a snare."""
    t = ticks(0.22)
    return faded(0.4 * bright(rng.standard_normal(len(t)), 1) * np.exp(-t / 0.07), 0.012, 0.05)


def crash(rng: np.random.Generator, *, decay_s: float = 0.7) -> Array:
    """A cymbal: inharmonic partials in bright noise."""
    t = ticks(1.9)
    pitches = rng.uniform(2300.0, 9000.0, 24)
    ring = synthesis.partials(
        len(t), 2 * np.pi * pitches / RATE, np.full(24, 0.07), np.full(24, np.exp(-1 / (RATE * decay_s)))
    )
    noise = bright(rng.standard_normal(len(t)), 2)
    return faded(ring + 0.6 * noise * np.exp(-t / decay_s), 0.002, 0.2)


def tom(rng: np.random.Generator, *, hertz: float = 110.0) -> Array:
    """A tom."""
    t = ticks(0.4)
    phase = 2 * np.pi * (hertz * t + 0.5 * hertz * 0.04 * (1 - np.exp(-t / 0.04)))
    return faded(
        np.sin(phase) * np.exp(-t / 0.12) + 0.05 * rng.standard_normal(len(t)) * np.exp(-t / 0.02), 0.0005, 0.03
    )


def triangle(rng: np.random.Generator) -> Array:
    """A triangle."""
    t = ticks(1.2)
    pitch = 3100.0 * (1.0 + 0.002 * rng.standard_normal())
    parts = ((1.0, 0.5), (2.41, 0.35), (3.9, 0.25))
    ring = np.sum([np.sin(2 * np.pi * pitch * k * t) * np.exp(-t / d) for k, d in parts], axis=0)
    return faded(0.2 * ring, 0.0005, 0.1)


def harmonics(phase: Array, loudness: Sequence[float]) -> Array:
    """The sum of sines of 1, 2, 3, ... times `phase` [N]."""
    return synthesis.harmonics(phase, np.array(loudness, dtype=np.float64))


def additive(hertz: float, t: Array, amplitudes: Array, decays_s: Array, stretch: float = 0.0) -> Array:
    """Harmonics of `hertz` with amplitudes [K], each dying at its own rate; stretch: inharmonicity of strings."""
    order = np.arange(1, len(amplitudes) + 1)
    partial_hz = hertz * order * np.sqrt(1.0 + stretch * order**2)
    heard = partial_hz < 15000.0
    turns, fading = 2.0 * np.pi * partial_hz[heard] / RATE, np.exp(-1.0 / (RATE * np.asarray(decays_s, float)[heard]))
    return synthesis.partials(len(t), turns, np.asarray(amplitudes, float)[heard], fading)


def synth_bass(hertz: float, seconds: float) -> Array:
    """A filtered saw whose brightness falls quickly."""
    t = ticks(seconds + 0.04)
    order = np.arange(1.0, 11.0)
    return faded(0.55 * additive(hertz, t, 1.0 / order, 0.9 / order**1.3), 0.004, 0.04)


def deep_bass(hertz: float, seconds: float) -> Array:
    """A round electric bass."""
    t = ticks(seconds + 0.05)
    order = np.arange(1.0, 6.0)
    return faded(0.75 * np.tanh(1.3 * additive(hertz, t, order**-1.8, 1.4 / order)), 0.008, 0.05)


def upright_bass(hertz: float, seconds: float) -> Array:
    """A plucked double bass."""
    t = ticks(min(seconds + 0.3, 1.2))
    order = np.arange(1.0, 9.0)
    return faded(0.7 * additive(hertz, t, order**-1.4, 0.55 / order**0.8, 1e-4), 0.003, 0.15)


def piano(hertz: float, seconds: float) -> Array:
    """A piano note, damped when the key is released."""
    t = ticks(seconds + 0.12)
    order = np.arange(1.0, 11.0)
    loud = order**-1.25 * np.where(order % 7 == 0, 0.2, 1.0)
    return faded(0.4 * additive(hertz, t, loud, 1.3 / order**0.7 * (220.0 / hertz) ** 0.3, 3e-4), 0.003, 0.12)


def electric_piano(hertz: float, seconds: float) -> Array:
    """A tine piano by frequency modulation, with a slow tremolo."""
    t = ticks(seconds + 0.15)
    index = 1.1 * np.exp(-t / 0.35)
    body = np.sin(2 * np.pi * hertz * t + index * np.sin(2 * np.pi * hertz * t))
    bell = 0.18 * np.sin(2 * np.pi * 7.0 * hertz * t) * np.exp(-t / 0.09)
    return faded(0.38 * (body * np.exp(-t / 1.1) + bell) * (1 + 0.12 * np.sin(2 * np.pi * 4.6 * t)), 0.004, 0.15)


def strings(hertz: float, seconds: float) -> Array:
    """A section of strings: three detuned, slightly swaying saws that swell."""
    t = ticks(seconds + 0.3)
    order = np.arange(1, 9)
    out = np.zeros(len(t))
    for detune, rate in ((0.9965, 4.7), (1.0, 5.3), (1.0036, 5.0)):
        phase = 2 * np.pi * hertz * detune * (t - 0.0018 / rate * np.cos(2 * np.pi * rate * t))
        out += harmonics(phase + detune, [float(k) ** -1.35 for k in order[order * hertz < 9000.0]])
    return faded(0.11 * out, 0.13, 0.3)


def pluck(hertz: float, seconds: float) -> Array:
    """A hollow synthesiser pluck."""
    t = ticks(seconds + 0.1)
    order = np.arange(1.0, 14.0)
    return faded(0.42 * additive(hertz, t, np.where(order % 2 == 1, 1.0, 0.25) / order, 0.5 / order**0.9), 0.003, 0.08)


def whistle(hertz: float, seconds: float) -> Array:
    """A soft lead with vibrato that comes late."""
    t = ticks(seconds + 0.06)
    sway = 0.006 * np.clip(t / 0.3 - 0.4, 0.0, 1.0)
    phase = 2 * np.pi * hertz * (t - sway / (2 * np.pi * 5.4) * np.cos(2 * np.pi * 5.4 * t))
    return faded(0.35 * (np.sin(phase) + 0.28 * np.sin(2 * phase) + 0.12 * np.sin(3 * phase)), 0.02, 0.06)


def violin(hertz: float, seconds: float) -> Array:
    """A bowed string."""
    t = ticks(seconds + 0.08)
    sway = 0.007 * np.clip(t / 0.25 - 0.3, 0.0, 1.0)
    phase = 2 * np.pi * hertz * (t - sway / (2 * np.pi * 5.8) * np.cos(2 * np.pi * 5.8 * t))
    order = np.arange(1, 11)
    heard = [float(k) for k in order if k * hertz < 11000]
    out = harmonics(phase, [k**-1.1 * (1.5 if 900.0 < k * hertz < 3200.0 else 1.0) for k in heard])
    return faded(0.2 * out, 0.05, 0.08)


def square_lead(hertz: float, seconds: float) -> Array:
    """A hollow, buzzing synthesiser lead: odd harmonics, two of them a little apart."""
    t = ticks(seconds + 0.05)
    loud = [1.0 / k if k % 2 else 0.0 for k in range(1, 16) if k * hertz < 10000.0]
    out = sum(harmonics(2.0 * np.pi * hertz * detune * t, loud) for detune in (0.997, 1.003))
    return faded(0.13 * out * np.exp(-t / 0.9), 0.004, 0.05)
