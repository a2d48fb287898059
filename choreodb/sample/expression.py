"""Faces that dance along: ARKit's 52 channels from beat, energy, phrases and melody, with blinks as people blink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from choreodb.motion.face import ARKIT52
from choreodb.motion.rotations import FloatArray, quat_to_rotvec
from choreodb.motion.skeleton import CHOREO22
from choreodb.sample.curves import Array, bump, follow, min_jerk, smooth, stroke, wander
from choreodb.sample.performer import Performer
from choreodb.sample.truth import PhraseSpan

BLINK_EVERY_S = 3.6
"""Mean distance of blinks: 17 a minute, as people at rest blink (Bentivoglio et al., Movement Disorders 12, 1997)."""

BLINK_LEAST_S = 0.45
_CLOSING_S, _SHUT_S, _OPENING_S = 0.075, 0.035, 0.15
_GAZE_RAD = 0.6
_SUNG_LEAST_S = 0.09


@dataclass(frozen=True, slots=True)
class Mood:
    """smile: how much of one at full energy. fierce: brows down, eyes narrow. open: the mouth, from effort. lively: brows."""

    smile: float
    fierce: float
    open: float
    lively: float


_MOODS: Mapping[str, Mood] = {
    "house": Mood(0.35, 0.15, 0.18, 0.5),
    "groove": Mood(0.20, 0.35, 0.14, 0.5),
    "popping": Mood(0.08, 0.40, 0.08, 0.8),
    "locking": Mood(0.65, 0.05, 0.30, 1.0),
    "waltz": Mood(0.38, 0.0, 0.06, 0.35),
    "cha-cha": Mood(0.50, 0.12, 0.16, 0.7),
    "rumba": Mood(0.18, 0.30, 0.16, 0.5),
    "salsa": Mood(0.60, 0.05, 0.24, 0.8),
    "contemporary": Mood(0.04, 0.25, 0.22, 0.6),
    "line-dance": Mood(0.50, 0.0, 0.16, 0.5),
}
_ANYBODY = Mood(0.25, 0.15, 0.15, 0.5)

_VOWELS: tuple[Mapping[str, float], ...] = (
    {"jawOpen": 0.42, "mouthLowerDown": 0.18},
    {"jawOpen": 0.28, "mouthFunnel": 0.55},
    {"jawOpen": 0.12, "mouthPucker": 0.60},
    {"jawOpen": 0.22, "mouthStretch": 0.30, "mouthUpperUp": 0.12},
    {"jawOpen": 0.12, "mouthStretch": 0.38},
)


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """weights: [T, 52] in 0..1, channels in the order of ARKIT52. blinks_s: when the eyes shut. sung_s: (start, end) of notes
    that the mouth follows."""

    weights: Array
    blinks_s: tuple[float, ...]
    sung_s: tuple[tuple[float, float], ...]


class _Face:
    """The channels under construction; a name without its side means both."""

    def __init__(self, frames: int) -> None:
        self.weights = np.zeros((frames, len(ARKIT52)))
        self.place = {name: column for column, name in enumerate(ARKIT52)}

    def add(self, name: str, curve: Array, lopsided: float = 0.0) -> None:
        """Add `curve` [T] to a channel, or to both sides of one, the left a little more than the right."""
        if name in self.place:
            self.weights[:, self.place[name]] += curve
            return
        self.weights[:, self.place[f"{name}Left"]] += (1.0 + lopsided) * curve
        self.weights[:, self.place[f"{name}Right"]] += (1.0 - lopsided) * curve


def express(
    style: str,
    spans: Sequence[PhraseSpan],
    hits: Sequence[tuple[float, float]],
    melody: Sequence[tuple[float, float]],
    beats_s: Sequence[float],
    rotations: FloatArray,
    dancer: Performer,
    times: Array,
    rng: np.random.Generator,
) -> Expression:
    """The face of a dance. melody: (start, end) of the lead's notes in seconds; rotations: [T, 22, 4] of the body."""
    fps = 1.0 / float(times[1] - times[0]) if len(times) > 1 else 60.0
    own = np.random.default_rng([*(ord(letter) for letter in dancer.name), 73])
    mood, lopsided = _MOODS.get(style, _ANYBODY), float(own.normal(0.0, 0.12))
    face = _Face(len(times))
    effort = _effort(times, spans)
    struck = np.clip(stroke(times, hits), 0.0, 1.0)
    drift = wander(times, rng, 6)
    _mood(face, mood, effort, drift, own, lopsided)
    _brows(face, mood, spans, struck, times, drift, rng)
    blinks = _blinks(times, spans, rng)
    shut = _shut(times, blinks)
    face.add("eyeBlink", shut, 0.3 * lopsided)
    _gaze(face, rotations, fps, rng, times)
    sung = _sung(spans, melody, own, rng)
    singing = _sing(face, times, sung, rng)
    _breath(face, mood, effort, singing, beats_s, times, rng)
    weights = smooth(face.weights, fps, 0.014)
    return Expression(np.clip(weights, 0.0, 1.0), tuple(blinks), tuple(sung))


def _effort(times: Array, spans: Sequence[PhraseSpan]) -> Array:
    """Energy [T] of the phrases, eased from one to the next."""
    keys = [(span.start_s + 0.4, 0.9, span.energy) for span in spans]
    end = max((span.end_s for span in spans), default=0.0)
    return follow(times, [*keys, (end + 0.9, 0.9, 0.1)], 0.15)


def _mood(face: _Face, mood: Mood, effort: Array, drift: Array, own: np.random.Generator, lopsided: float) -> None:
    warm, hard = own.uniform(0.6, 1.3), own.uniform(0.6, 1.3)
    smile = np.maximum(warm * mood.smile * (0.25 + 0.9 * effort) * (1.0 + 0.35 * drift[:, 0]), 0.0)
    face.add("mouthSmile", smile, lopsided)
    face.add("cheekSquint", 0.55 * smile, lopsided)
    face.add("mouthDimple", 0.25 * smile, lopsided)
    fierce = np.maximum(hard * mood.fierce * (0.3 + 0.8 * effort) * (1.0 + 0.4 * drift[:, 1]), 0.0)
    face.add("browDown", 0.8 * fierce)
    face.add("eyeSquint", 0.5 * fierce + 0.25 * smile)
    face.add("mouthPress", 0.35 * fierce * (1.0 - effort))
    face.add("mouthFrown", 0.15 * fierce)


def _brows(
    face: _Face,
    mood: Mood,
    spans: Sequence[PhraseSpan],
    struck: Array,
    times: Array,
    drift: Array,
    rng: np.random.Generator,
) -> None:
    """Brows go up where something begins and where the body stops short."""
    raised = np.zeros(len(times))
    for span in spans:
        if rng.random() < 0.6:
            raised += rng.uniform(0.3, 0.9) * bump((times - span.start_s + 0.15) / rng.uniform(0.5, 1.1))
    up = mood.lively * (0.35 * raised + 0.5 * struck + 0.06 * np.maximum(drift[:, 2], 0.0))
    face.add("browInnerUp", up)
    face.add("browOuterUp", 0.8 * up, 0.15)
    face.add("eyeWide", 0.45 * mood.lively * struck)
    face.add("noseSneer", 0.35 * struck * mood.fierce)
    face.add("jawForward", 0.25 * struck * mood.fierce)
    face.add("cheekPuff", 0.12 * struck * mood.lively)


def _blinks(times: Array, spans: Sequence[PhraseSpan], rng: np.random.Generator) -> list[float]:
    """Times of blinks: irregular, and often where one phrase gives way to the next."""
    out: list[float] = []
    at, end = float(rng.uniform(0.3, BLINK_EVERY_S)), float(times[-1])
    borders = np.array([span.start_s for span in spans])
    while at < end - 0.3:
        near = borders[np.abs(borders - at) < 0.45]
        if len(near) and rng.random() < 0.6:
            at = float(near[0]) + float(rng.normal(0.0, 0.05))
        if at > 0.1 and (not out or at - out[-1] > BLINK_LEAST_S):
            out.append(at)
        at += max(BLINK_LEAST_S, float(rng.lognormal(np.log(BLINK_EVERY_S) - 0.18, 0.6)))
    return out


def _shut(times: Array, blinks: Sequence[float]) -> Array:
    """How far the lids are down [T]: quickly shut, slowly opened."""
    out = np.zeros(len(times))
    for at in blinks:
        since = times - at
        down = min_jerk((since + _CLOSING_S) / _CLOSING_S)
        out = np.maximum(out, down * (1.0 - min_jerk((since - _SHUT_S) / _OPENING_S)))
    return out


def _gaze(face: _Face, rotations: FloatArray, fps: float, rng: np.random.Generator, times: Array) -> None:
    """Eyes stay on what they look at while the head turns, and jump ahead of it when it goes on turning."""
    head = quat_to_rotvec(rotations[:, CHOREO22.index("head")]) + quat_to_rotvec(rotations[:, CHOREO22.index("neck")])
    quick = head - smooth(head, fps, 0.22)
    jumps = follow(times, [(at, 0.06, float(rng.normal(0.0, 0.10))) for at in _saccades(times, rng)], 0.0)
    left, down = -0.9 * quick[:, 1] + jumps, -0.9 * quick[:, 0] + 0.4 * jumps
    for sign, inner, outer in ((1.0, "eyeLookInRight", "eyeLookOutLeft"), (-1.0, "eyeLookInLeft", "eyeLookOutRight")):
        for name in (inner, outer):
            face.add(name, np.clip(sign * left / _GAZE_RAD, 0.0, 1.0))
    face.add("eyeLookDown", np.clip(down / _GAZE_RAD, 0.0, 1.0))
    face.add("eyeLookUp", np.clip(-down / _GAZE_RAD, 0.0, 1.0))


def _saccades(times: Array, rng: np.random.Generator) -> Array:
    count = int(times[-1] / 0.7) + 1
    return np.sort(rng.uniform(0.0, float(times[-1]), count))


def _sung(
    spans: Sequence[PhraseSpan],
    melody: Sequence[tuple[float, float]],
    own: np.random.Generator,
    rng: np.random.Generator,
) -> list[tuple[float, float]]:
    """The notes that this performer sings along with: some phrases of them, more where there is more energy."""
    liking = float(own.uniform(0.15, 0.8))
    chosen = [span for span in spans if rng.random() < liking * (0.2 + 0.9 * span.energy)]
    return [
        (start, max(end, start + _SUNG_LEAST_S))
        for start, end in melody
        if any(span.start_s <= start < span.end_s for span in chosen)
    ]


def _sing(face: _Face, times: Array, sung: Sequence[tuple[float, float]], rng: np.random.Generator) -> Array:
    """Open the mouth on each note, as on one vowel or another; how much of the mouth is taken [T]."""
    taken = np.zeros(len(times))
    vowel = _VOWELS[0]
    for start, end in sung:
        if rng.random() < 0.6:
            vowel = _VOWELS[int(rng.integers(len(_VOWELS)))]
        shape = min_jerk((times - start + 0.05) / 0.09) * (1.0 - min_jerk((times - end + 0.02) / 0.12))
        taken = np.maximum(taken, shape)
        for name, weight in vowel.items():
            face.add(name, float(np.clip(rng.normal(1.0, 0.15), 0.6, 1.4)) * weight * shape)
    return taken


def _breath(
    face: _Face,
    mood: Mood,
    effort: Array,
    singing: Array,
    beats_s: Sequence[float],
    times: Array,
    rng: np.random.Generator,
) -> None:
    """Breathing through the mouth, the faster the harder the dance; lips closed on the beat by those who feel it."""
    fps = 1.0 / float(times[1] - times[0]) if len(times) > 1 else 60.0
    pace = np.cumsum(0.28 + 0.35 * effort) / fps
    breath = 0.5 + 0.5 * np.sin(2.0 * np.pi * (pace + rng.uniform()))
    open_mouth = mood.open * effort * (0.45 + 0.55 * breath) * (1.0 - singing)
    face.add("jawOpen", open_mouth)
    face.add("mouthUpperUp", 0.12 * open_mouth)
    felt = np.zeros(len(times))
    for at in beats_s:
        felt += bump((times - at + 0.12) / 0.3)
    face.add("mouthShrugLower", 0.18 * mood.fierce * felt * effort)
    face.add("mouthClose", 0.10 * felt * open_mouth)
