"""Where the body and the head look: it faces about, the head looks about, at a raised hand and ahead into turns, spots in spins, and nods with the music."""

from __future__ import annotations

import numpy as np

from choreodb.sample.curves import Array, Key, delayed, follow, smooth
from choreodb.sample.performer import Performer
from choreodb.sample.score import Clock
from choreodb.sample.styles import Style

_SPOT_RAD_S = 2.6
"""Turning speed above which the head stays behind at the front and then whips round."""


def head_angles(
    times: Array,
    channels: dict[str, Array],
    heading: Array,
    low: Array,
    style: Style,
    dancer: Performer,
    clock: Clock,
    rng: np.random.Generator,
) -> Array:
    """[T, 3] radians of the head against the chest: look (to the left), nod (chin down), tip (to the left)."""
    fps = 1.0 / float(times[1] - times[0]) if len(times) > 1 else 60.0
    twist, side, lean = (np.radians(channels[name]) for name in ("twist", "side", "lean"))
    wave = np.radians(channels["wave"])
    gaze = _gaze(times, clock, style.gaze * dancer.gaze, rng)
    look = np.radians(channels["look"]) + gaze[:, 0] + _into_turns(heading, fps) - 0.6 * delayed(twist, fps, 0.03)
    look += 0.16 * smooth(_raised(channels, "left") - _raised(channels, "right"), fps, 0.12)
    nod = np.radians(channels["nod"] + style.bounce.nod * delayed(low, fps, 0.05)) + gaze[:, 1]
    nod += -0.6 * delayed(lean, fps, 0.05) - 0.9 * delayed(wave, fps, 4.0 * style.wave_s)
    nod -= 0.10 * smooth(_raised(channels, "left") + _raised(channels, "right"), fps, 0.12)
    tip = np.radians(channels["tip"]) + gaze[:, 2] - 0.5 * delayed(side, fps, 0.06)
    return np.stack([1.2 * np.tanh(look / 1.2), 0.8 * np.tanh(nod / 0.8), tip], axis=1)


def _raised(channels: dict[str, Array], side: str) -> Array:
    """Radians [T] by which an upper arm is raised beyond 60 degrees."""
    return np.radians(np.clip(np.hypot(channels[f"{side}_fwd"], channels[f"{side}_out"]) - 60.0, 0.0, 90.0))


def _gaze(times: Array, clock: Clock, size: float, rng: np.random.Generator) -> Array:
    """[T, 3] radians: every few beats the eyes find something else and the head goes after them."""
    keys: tuple[list[Key], list[Key], list[Key]] = ([], [], [])
    beat, last = -1.0, float(len(clock.beats_s))
    while beat < last:
        at = clock.seconds(beat) + float(rng.normal(0.05, 0.06))
        span = float(rng.uniform(0.28, 0.55))
        for column, spread in enumerate((17.0, 6.0, 5.0)):
            keys[column].append((at, span, float(np.radians(size * spread * rng.normal()))))
        beat += float(rng.choice([1.0, 1.5, 2.0, 3.0, 4.0]))
    return np.stack([follow(times, each, 0.0) for each in keys], axis=1)


def _into_turns(heading: Array, fps: float) -> Array:
    """Radians [T]: ahead into slow turns; in spins at the front as long as the neck allows, then round to it again."""
    ahead = np.clip(delayed(heading, fps, -0.16) - delayed(heading, fps, 0.02), -0.9, 0.9)
    rate = np.abs(np.gradient(heading) * fps)
    spinning = smooth(np.clip((rate - _SPOT_RAD_S) / _SPOT_RAD_S, 0.0, 1.0), fps, 0.07)
    spot = -1.15 * np.sin(heading + 0.35 * np.sin(2.0 * heading))
    return smooth((1.0 - spinning) * 0.8 * ahead + spinning * spot, fps, 0.04)


def facing(times: Array, clock: Clock, style: Style, dancer: Performer, rng: np.random.Generator) -> Array:
    """Radians [T] by which the whole body is turned off its heading: nobody faces the front squarely all the time.

    Every bar or two another direction, sooner or later in the bar, and the more the looser the dancer.
    """
    keys: list[Key] = []
    beat, last = 0.5, float(len(clock.beats_s)) - style.metre
    while beat < last:
        span = float(rng.uniform(0.8, 2.0)) * clock.period(beat)
        keys.append(
            (clock.seconds(beat), max(span, 0.45), float(np.radians(_FACING_DEG * dancer.looseness * rng.normal())))
        )
        beat += float(rng.choice([0.5, 1.0, 1.0, 1.5, 2.0])) * style.metre * 0.5
    keys.append((clock.seconds(last + style.metre), 1.0, 0.0))
    return follow(times, keys, 0.0)


_FACING_DEG = 12.0
