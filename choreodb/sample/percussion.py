"""Hand percussion of the band: strokes as mono float64 arrays at 44.1 kHz, synthesised."""

from __future__ import annotations

import numpy as np

from choreodb.sample import synthesis
from choreodb.sample.curves import Array
from choreodb.sample.voices import RATE, bright, faded, ticks


def _ringing(t: Array, hertz: tuple[float, ...], loud: tuple[float, ...], decays_s: tuple[float, ...]) -> Array:
    """Partials [N] at free pitches, each with its own decay."""
    turns = 2.0 * np.pi * np.array(hertz) / RATE
    return synthesis.partials(len(t), turns, np.array(loud), np.exp(-1.0 / (RATE * np.array(decays_s))))


def conga(rng: np.random.Generator, *, hertz: float = 215.0, decay_s: float = 0.16) -> Array:
    """An open tone: the skin's first two modes, a fall in pitch, and the hand."""
    t = ticks(3.2 * decay_s)
    phase = 2 * np.pi * (hertz * t + 0.10 * hertz * 0.02 * (1 - np.exp(-t / 0.02)))
    skin = np.sin(phase) * np.exp(-t / decay_s) + 0.35 * np.sin(1.59 * phase) * np.exp(-t / (0.4 * decay_s))
    return faded(0.9 * skin + 0.25 * rng.standard_normal(len(t)) * np.exp(-t / 0.004), 0.0006, 0.03)


def slap(rng: np.random.Generator, *, hertz: float = 390.0) -> Array:
    """A slap: hardly any tone, the crack of the hand."""
    t = ticks(0.11)
    crack = bright(rng.standard_normal(len(t)), 1) * np.exp(-t / 0.012)
    return faded(0.8 * crack + 0.6 * np.sin(2 * np.pi * hertz * t) * np.exp(-t / 0.018), 0.0004, 0.02)


def touch(rng: np.random.Generator) -> Array:
    """Heel or toe of the hand on the skin."""
    t = ticks(0.06)
    return faded(
        0.5 * rng.standard_normal(len(t)) * np.exp(-t / 0.008) * np.sin(2 * np.pi * 180 * t + 0.5), 0.002, 0.02
    )


def timbale(rng: np.random.Generator, *, hertz: float = 330.0) -> Array:
    """A metal-shelled drum, struck open."""
    t = ticks(0.35)
    skin = _ringing(
        t, (hertz, 1.59 * hertz, 2.14 * hertz, 2.9 * hertz), (0.7, 0.45, 0.3, 0.2), (0.12, 0.09, 0.06, 0.05)
    )
    return faded(skin + 0.3 * bright(rng.standard_normal(len(t)), 1) * np.exp(-t / 0.01), 0.0004, 0.03)


def shell(rng: np.random.Generator) -> Array:
    """The stick on the shell of a timbale: short, woody, bright (cascara)."""
    t = ticks(0.06)
    wood = _ringing(t, (1650.0, 2740.0, 4100.0), (0.5, 0.4, 0.3), (0.010, 0.008, 0.006))
    return faded(wood + 0.4 * bright(rng.standard_normal(len(t)), 2) * np.exp(-t / 0.004), 0.0003, 0.01)


def claves(rng: np.random.Generator) -> Array:
    """Two hardwood sticks: one high, dry pitch."""
    t = ticks(0.12)
    pitch = 2480.0 * (1.0 + 0.002 * rng.standard_normal())
    return faded(_ringing(t, (pitch, 2.71 * pitch), (0.9, 0.2), (0.022, 0.006)), 0.0004, 0.02)


def cowbell(rng: np.random.Generator, *, hertz: float = 562.0, decay_s: float = 0.09) -> Array:
    """A bell struck with a stick: two clashing pitches and their overtones."""
    t = ticks(3.0 * decay_s)
    pitch = hertz * (1.0 + 0.002 * rng.standard_normal())
    ratios, loud = (1.0, 1.48, 2.55, 3.62, 5.1), (0.55, 0.6, 0.3, 0.22, 0.15)
    ring = _ringing(t, tuple(pitch * r for r in ratios), loud, tuple(decay_s / (1 + 0.5 * k) for k in range(5)))
    return faded(np.tanh(1.4 * ring) + 0.2 * bright(rng.standard_normal(len(t)), 1) * np.exp(-t / 0.002), 0.0003, 0.02)


def guiro(rng: np.random.Generator, *, seconds: float = 0.06, rate_hz: float = 95.0) -> Array:
    """A scraped gourd: notches that pass faster and faster under the stick."""
    t = ticks(seconds + 0.02)
    notch = np.mod(rate_hz * t * (1.0 + 0.6 * t / seconds), 1.0)
    scrape = bright(rng.standard_normal(len(t)), 2) * np.exp(-notch * 5.0) * np.where(t < seconds, 1.0, 0.0)
    return faded(0.8 * scrape * (0.4 + 0.6 * np.clip(t / seconds, 0.0, 1.0)), 0.003, 0.015)


def maracas(rng: np.random.Generator) -> Array:
    """Seeds that hit the shell together: a very short rise, a dry fall."""
    t = ticks(0.07)
    return faded(0.55 * bright(rng.standard_normal(len(t)), 3) * np.exp(-((t - 0.012) ** 2) / 1.2e-4), 0.002, 0.01)


def bodhran(rng: np.random.Generator, *, hertz: float = 92.0) -> Array:
    """A frame drum, struck with a tipper."""
    t = ticks(0.32)
    tone = np.sin(2 * np.pi * hertz * t) * np.exp(-t / 0.10) + 0.4 * np.sin(2 * np.pi * 1.6 * hertz * t) * np.exp(
        -t / 0.04
    )
    return faded(0.9 * tone + 0.3 * rng.standard_normal(len(t)) * np.exp(-t / 0.006), 0.0008, 0.04)


def spoons(rng: np.random.Generator) -> Array:
    """A pair of spoons, or the rim of a frame drum."""
    t = ticks(0.05)
    return faded(_ringing(t, (2100.0, 3350.0, 5200.0), (0.5, 0.5, 0.3), (0.012, 0.010, 0.006)), 0.0003, 0.01)


def stomp(rng: np.random.Generator) -> Array:
    """A boot on a wooden floor."""
    t = ticks(0.22)
    boards = np.sin(2 * np.pi * 74 * t) * np.exp(-t / 0.05) + 0.3 * np.sin(2 * np.pi * 213 * t) * np.exp(-t / 0.03)
    return faded(boards + 0.35 * rng.standard_normal(len(t)) * np.exp(-t / 0.006), 0.0006, 0.03)


def deep_drum(rng: np.random.Generator) -> Array:
    """A large, soft drum that is felt more than heard."""
    t = ticks(0.9)
    phase = 2 * np.pi * (52.0 * t + 14.0 * 0.06 * (1 - np.exp(-t / 0.06)))
    return faded(np.sin(phase) * np.exp(-t / 0.28) + 0.06 * rng.standard_normal(len(t)) * np.exp(-t / 0.03), 0.004, 0.1)


def swell(rng: np.random.Generator) -> Array:
    """A cymbal rolled with mallets: it grows and dies away."""
    t = ticks(2.2)
    shape = np.clip(t / 0.9, 0.0, 1.0) ** 2 * np.exp(-np.maximum(t - 0.9, 0.0) / 0.45)
    return faded(0.5 * bright(rng.standard_normal(len(t)), 2) * shape, 0.01, 0.2)
