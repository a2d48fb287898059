"""More pitched instruments of the band: horns, strings, reeds, guitars; notes as mono float64 arrays at 44.1 kHz."""

from __future__ import annotations

import numpy as np

from choreodb.sample.curves import Array, min_jerk
from choreodb.sample.voices import additive, faded, harmonics, ticks


def _vibrato(t: Array, hertz: float, rate_hz: float, depth: float, late_s: float) -> Array:
    """Phase [N] of a note whose vibrato (a share `depth` of its pitch) sets in after `late_s`."""
    sway = depth * min_jerk((t - late_s) / 0.25)
    return 2 * np.pi * hertz * (t - sway / (2 * np.pi * rate_hz) * np.cos(2 * np.pi * rate_hz * t))


def _breath(hertz: float, count: int) -> Array:
    """Noise [N] that is the same for the same note."""
    return np.random.default_rng(round(10.0 * hertz)).standard_normal(count)


def _opening(hertz: float, t: Array, tone: Array, dull: float, seconds: float) -> Array:
    """`tone` [N] whose edge comes in after the attack: a crossfade from few harmonics to all of them."""
    soft = harmonics(2 * np.pi * hertz * t, [1.0, dull, 0.5 * dull])
    edge = min_jerk(t / 0.045) * np.exp(-np.maximum(t - 0.05, 0.0) / max(2.2 * seconds, 0.12))
    return (1.0 - 0.8 * edge) * soft + edge * tone


def brass(hertz: float, seconds: float) -> Array:
    """A small horn section: two detuned horns that brighten as they are blown."""
    t = ticks(seconds + 0.06)
    loud = [k**-0.75 * np.exp(-((k * hertz / 5200.0) ** 2)) for k in range(1, 17) if k * hertz < 11000.0]
    horns = harmonics(2 * np.pi * 0.998 * hertz * t, loud) + harmonics(
        _vibrato(t, 1.003 * hertz, 5.1, 0.004, 0.2), loud
    )
    return faded(0.14 * _opening(hertz, t, 0.6 * horns, 0.6, seconds), 0.012, 0.05)


def trumpet(hertz: float, seconds: float) -> Array:
    """One trumpet, vibrato on what is held."""
    t = ticks(seconds + 0.05)
    loud = [k**-0.6 * np.exp(-((k * hertz / 4600.0) ** 2)) for k in range(1, 15) if k * hertz < 11000.0]
    tone = harmonics(_vibrato(t, hertz, 5.6, 0.007, 0.15), loud)
    return faded(0.20 * _opening(hertz, t, tone, 0.5, seconds), 0.014, 0.05)


def flute(hertz: float, seconds: float) -> Array:
    """A wooden flute: nearly a sine, with breath."""
    t = ticks(seconds + 0.06)
    tone = harmonics(_vibrato(t, hertz, 5.0, 0.006, 0.15), [1.0, 0.32, 0.12, 0.04])
    breath = 0.05 * _breath(hertz, len(t)) * (0.4 + np.exp(-t / 0.03))
    return faded(0.33 * (tone + breath), 0.03, 0.06)


def fiddle(hertz: float, seconds: float) -> Array:
    """A country fiddle: bright, bitten at the start, little vibrato."""
    t = ticks(seconds + 0.05)
    heard = [float(k) for k in range(1, 15) if k * hertz < 12000]
    loud = [k**-0.95 * (1.6 if 1200.0 < k * hertz < 3800.0 else 1.0) for k in heard]
    tone = harmonics(_vibrato(t, hertz, 6.0, 0.004, 0.2), loud)
    bite = 1.0 + 0.9 * np.exp(-t / 0.035)
    scratch = 0.10 * _breath(hertz, len(t)) * np.exp(-t / 0.02)
    return faded(0.15 * (tone * bite + scratch), 0.012, 0.045)


def cello(hertz: float, seconds: float) -> Array:
    """A bowed low string that swells and sings."""
    t = ticks(seconds + 0.2)
    heard = [float(k) for k in range(1, 13) if k * hertz < 8000]
    loud = [k**-1.2 * (1.7 if 250.0 < k * hertz < 900.0 else 1.0) for k in heard]
    shape = 0.7 + 0.3 * np.sin(np.pi * np.clip(t / max(seconds, 0.1), 0.0, 1.0))
    return faded(0.24 * shape * harmonics(_vibrato(t, hertz, 4.9, 0.008, 0.2), loud), 0.11, 0.2)


def accordion(hertz: float, seconds: float) -> Array:
    """Two reeds that beat against each other."""
    t = ticks(seconds + 0.04)
    loud = [k**-0.8 * (1.4 if k in (2, 3, 5) else 1.0) for k in range(1, 13) if k * hertz < 9000]
    out = harmonics(2 * np.pi * hertz * t, loud) + harmonics(2 * np.pi * (hertz + 3.4) * t, loud)
    return faded(0.08 * out, 0.02, 0.04)


def organ(hertz: float, seconds: float) -> Array:
    """Drawbars with the quick swirl of a rotating speaker."""
    t = ticks(seconds + 0.03)
    swirl = 2 * np.pi * hertz * (t + 0.00006 * np.sin(2 * np.pi * 6.6 * t))
    tone = harmonics(0.5 * swirl, [0.7, 1.0, 0.6, 0.5, 0.0, 0.35, 0.0, 0.25])
    return faded(0.19 * tone * (1.0 + 0.10 * np.sin(2 * np.pi * 6.6 * t)), 0.006, 0.02)


def clavinet(hertz: float, seconds: float) -> Array:
    """A struck string through a wah that shuts: percussive, nasal."""
    t = ticks(min(seconds, 0.5) + 0.03)
    order = np.arange(1.0, 21.0)
    loud = np.where(order % 3 == 0, 0.4, 1.0) * order**-0.55 * np.exp(-(((order * hertz - 1500.0) / 1700.0) ** 2))
    return faded(0.40 * additive(hertz, t, loud + 0.25 / order, 0.22 / order**0.45), 0.002, 0.025)


def chank(hertz: float, seconds: float) -> Array:
    """A damped electric guitar chord, mostly attack."""
    t = ticks(min(seconds, 0.25) + 0.02)
    order = np.arange(1.0, 15.0)
    tone = additive(hertz, t, order**-0.8, 0.10 / order**0.4, 1e-4)
    return faded(0.35 * (tone + 0.25 * _breath(hertz, len(t)) * np.exp(-t / 0.008)), 0.001, 0.02)


def nylon_guitar(hertz: float, seconds: float) -> Array:
    """A nylon string, plucked with the flesh of the finger."""
    t = ticks(seconds + 0.25)
    order = np.arange(1.0, 13.0)
    loud = order**-1.25 * np.abs(np.sin(np.pi * order * 0.21))
    return faded(0.85 * additive(hertz, t, loud, 0.75 / order**0.9 * (220.0 / hertz) ** 0.3, 4e-5), 0.003, 0.2)


def steel_guitar(hertz: float, seconds: float) -> Array:
    """A strummed steel string."""
    t = ticks(seconds + 0.12)
    order = np.arange(1.0, 17.0)
    loud = order**-0.9 * np.abs(np.sin(np.pi * order * 0.14))
    return faded(0.42 * additive(hertz, t, loud, 0.8 / order**0.7, 1e-4), 0.0015, 0.1)


def banjo(hertz: float, seconds: float) -> Array:
    """A plucked string over a skin: loud at once, gone at once."""
    t = ticks(min(seconds + 0.1, 0.5))
    order = np.arange(1.0, 15.0)
    return faded(
        0.42 * additive(hertz, t, order**-0.6 * np.abs(np.sin(np.pi * order * 0.1)) * 2.0, 0.16 / order**0.5, 2e-4),
        0.001,
        0.04,
    )


def slap_bass(hertz: float, seconds: float) -> Array:
    """An electric bass struck with the thumb: a click, a bright start, a short growl."""
    t = ticks(seconds + 0.03)
    order = np.arange(1.0, 15.0)
    tone = additive(hertz, t, order**-0.85, 0.9 / order**1.15)
    click = 0.5 * _breath(hertz, len(t)) * np.exp(-t / 0.003)
    return faded(0.60 * np.tanh(1.5 * tone * np.exp(-t / 0.5)) + 0.3 * click, 0.001, 0.025)


def baby_bass(hertz: float, seconds: float) -> Array:
    """The electric upright of salsa bands: round, a little thud, no ring."""
    t = ticks(min(seconds + 0.12, 1.0))
    order = np.arange(1.0, 6.0)
    tone = additive(hertz, t, order**-1.9, 0.40 / order)
    return faded(0.9 * np.tanh(1.3 * tone) + 0.05 * _breath(hertz, len(t)) * np.exp(-t / 0.01), 0.004, 0.08)


def air(hertz: float, seconds: float) -> Array:
    """A slow pad: detuned sines that breathe."""
    t = ticks(seconds + 0.6)
    out = np.zeros(len(t))
    for detune, rate in ((0.9972, 0.31), (1.0, 0.23), (1.0031, 0.27)):
        slow = 1.0 + 0.25 * np.sin(2 * np.pi * rate * t + detune * hertz)
        out += slow * harmonics(2 * np.pi * hertz * detune * t, [1.0, 0.35, 0.18, 0.06])
    return faded(0.12 * out, min(0.45, 0.5 * seconds), 0.6)


def soft_piano(hertz: float, seconds: float) -> Array:
    """A felted piano: few partials, long."""
    t = ticks(seconds + 0.5)
    order = np.arange(1.0, 8.0)
    tone = additive(hertz, t, order**-1.8, 1.5 / order**0.8 * (220.0 / hertz) ** 0.3, 2e-4)
    felt = 0.02 * _breath(hertz, len(t)) * np.exp(-t / 0.012)
    return faded(0.5 * tone + felt, 0.006, 0.45)
