"""The grammar: which phrase comes next, on which side and path, cut or slowed to the room that its section leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from choreodb.sample.phrases import Phrase, Step, mirrored
from choreodb.sample.relation import HALF_TIME, Relation, danced_energy
from choreodb.sample.styles import Style
from choreodb.sample.truth import Section, SongTruth

STEER_DEG = 40.0
"""Largest turn towards the front that the grammar spreads over one phrase."""

_ORDERS = ("AABA", "ABAB", "ABBA", "ABAA", "ABAC", "AABC")


class Floor(Protocol):
    """What the grammar asks about the dancer's place."""

    def busy(self, step: Step) -> bool: ...

    def distance(self, phrase: Phrase) -> float: ...

    def turned_away(self, phrase: Phrase) -> float: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A phrase to be danced from `first` (in bars of the style) on. rate: 0.5 in half time. energy: what is given."""

    section: Section
    phrase: Phrase
    original: Phrase
    first: int
    energy: float
    rate: float
    flipped: bool


def sequence(
    song: SongTruth, style: Style, relation: Relation, rng: np.random.Generator, floor: Floor
) -> Iterator[Choice]:
    """Phrases in order; looks at the dancer's place on the floor before each choice."""
    used = dict.fromkeys((phrase.name for phrase in style.vocabulary), 0.0)
    times = song.metre // style.metre
    motif: dict[str, Phrase] = {}
    for section in song.sections:
        energy = danced_energy(section.energy, relation.energy, rng)
        pool = _pool(style.vocabulary, energy)
        if rng.random() < relation.section or not motif:
            motif = _motif(pool, used, rng)
        order = _ORDERS[int(rng.integers(len(_ORDERS)))]
        slow = _slow(song, style, section, relation, rng)
        bar, stop, place = section.first_bar * times, (section.first_bar + section.bars) * times, 0
        while bar < stop:
            if place == 4 and rng.random() > relation.section:
                motif = _motif(pool, used, rng)
            original = motif[order[place % len(order)]]
            phrase, flipped = _placed(original, pool, floor, place % 2 == 1, style, rng)
            phrase = _carried(phrase, style, floor, energy, rng)
            used = {name: 0.7 * count for name, count in used.items()}
            used[phrase.name] += 1.0
            rate = 0.5 if slow and 2 * phrase.bars <= stop - bar and not phrase.jumps else 1.0
            phrase = slowed(phrase) if rate < 1.0 else phrase
            bars = min(stop - bar, phrase.bars)
            yield Choice(section, _cut(phrase, bars, style.metre), original, bar, energy, rate, flipped)
            bar, place = bar + bars, place + 1


def _slow(song: SongTruth, style: Style, section: Section, relation: Relation, rng: np.random.Generator) -> bool:
    """Whether a section is danced in half time: by chance where the tempo's hold is weak, always where beats race."""
    drawn = rng.random() < HALF_TIME * (1.0 - relation.tempo)
    start, stop = section.first_bar * song.metre, (section.first_bar + section.bars) * song.metre
    beats = np.append(np.array(song.beats_s), song.downbeats_s[-1])[start : stop + 1]
    return bool(drawn or np.median(np.diff(beats)) < style.fastest_beat_s)


def _pool(vocabulary: tuple[Phrase, ...], energy: float) -> list[Phrase]:
    """The phrases that answer `energy`; at least two where the style has them."""

    def miss(phrase: Phrase) -> float:
        return max(phrase.energy[0] - energy, energy - phrase.energy[1], 0.0)

    fitting = [phrase for phrase in vocabulary if miss(phrase) == 0.0]
    return fitting if len(fitting) >= 2 else sorted(vocabulary, key=miss)[:2]


def _motif(pool: list[Phrase], used: dict[str, float], rng: np.random.Generator) -> dict[str, Phrase]:
    """Three phrases for a section where there are as many, preferring those not danced lately."""
    weight = np.array([np.exp(-2.4 * used[phrase.name]) for phrase in pool])
    drawn = rng.choice(len(pool), size=3, replace=len(pool) < 3, p=weight / weight.sum())
    return {letter: pool[index] for letter, index in zip("ABC", drawn, strict=True)}


def _placed(
    phrase: Phrase, pool: list[Phrase], floor: Floor, flip: bool, style: Style, rng: np.random.Generator
) -> tuple[Phrase, bool]:
    """`phrase` or its mirror image: alternating, back to the front, with the free foot first, and not off the stage."""
    flipped = flip or rng.random() < 0.15
    sides = (phrase, mirrored(phrase))
    away = [abs(floor.turned_away(side)) for side in sides]
    if not style.roams and away[not flipped] < away[flipped] - 0.5:
        flipped = not flipped
    if floor.busy(sides[flipped].steps[0]):
        flipped = not flipped
    if floor.distance(sides[flipped]) <= style.stage_m:
        return sides[flipped], flipped
    options = [(side, turned) for each in (phrase, *pool) for side, turned in ((each, False), (mirrored(each), True))]
    return min(options, key=lambda each: round(floor.distance(each[0]), 2) + 0.3 * floor.busy(each[0].steps[0]))


def _carried(phrase: Phrase, style: Style, floor: Floor, energy: float, rng: np.random.Generator) -> Phrase:
    """`phrase` steered so that it stays on the stage, if one of a few directions does; else as it is."""
    for _ in range(_DIRECTIONS):
        steered = _steered(phrase, style, floor, 0.5 + 0.8 * energy, rng)
        if floor.distance(steered) <= style.stage_m:
            return steered
    return phrase


_DIRECTIONS = 4
_FURTHEST_SD = 1.6


def _steered(phrase: Phrase, style: Style, floor: Floor, vigour: float, rng: np.random.Generator) -> Phrase:
    """`phrase` on a path that leads on and drifts a little, and bends towards the front where it would end turned away from it.

    vigour: factor on the ground that is covered.
    """
    away = float(np.degrees(floor.turned_away(phrase)))
    bend = -float(np.clip(away, -STEER_DEG, STEER_DEG)) if not style.roams and abs(away) >= 5.0 else 0.0
    own = phrase.path[-1][3]
    # a turn is turned further, never half undone
    way = float(np.sign(own)) if abs(own % 360.0) > 5.0 else float(rng.choice((-1.0, 1.0)))
    # what spins already has little time left to turn further
    bend += way * min(abs(float(rng.normal())), _FURTHEST_SD) * style.wheel_deg / (1.0 + abs(own) / 180.0)
    dx, dz = style.drift_m * np.clip(rng.normal(size=2), -_FURTHEST_SD, _FURTHEST_SD) + (0.0, style.ahead_m)
    dx, dz = vigour * dx, vigour * dz
    rows, end = _covering(phrase, style), float(phrase.bars * style.metre)
    shares = [_covered(row[0], end, style.travel_beats) for row in rows]
    return replace(
        phrase,
        path=tuple(
            (beat, x + dx * share, z + dz * share, yaw + bend * max(beat, 0.0) / end)
            for (beat, x, z, yaw), share in zip(rows, shares, strict=True)
        ),
    )


def _covering(phrase: Phrase, style: Style) -> list[tuple[float, float, float, float]]:
    """The path of `phrase` with rows at its beginning, its end, and wherever it begins or ceases to cover ground."""
    end = float(phrase.bars * style.metre)
    path = np.array(phrase.path)
    beats = path[:, 0].tolist()
    for border in (0.0, end, *(min(beat, end) for span in style.travel_beats for beat in span)):
        # rows too close to each other would turn a turn into jerks
        if min(abs(border - beat) for beat in beats) > 0.35 or (border == end and max(beats) < end):
            beats.append(border)
    return [
        (beat, *(float(np.interp(beat, path[:, 0], path[:, column])) for column in range(1, 4)))
        for beat in sorted(beats)
    ]


def _covered(beat: float, end: float, spans: tuple[tuple[float, float], ...]) -> float:
    """Share of a phrase's way that is behind the dancer at `beat`, where ground is covered within `spans` only."""
    if not spans:
        return max(beat, 0.0) / end
    total = sum(min(stop, end) - min(start, end) for start, stop in spans)
    return sum(float(np.clip(beat - start, 0.0, stop - start)) for start, stop in spans) / max(total, 1e-6)


def _cut(phrase: Phrase, bars: int, metre: int) -> Phrase:
    """The first `bars` bars of `phrase`."""
    if bars >= phrase.bars:
        return phrase
    end = bars * metre
    path = np.array(phrase.path)
    x, z, yaw = (float(np.interp(end, path[:, 0], path[:, column])) for column in range(1, 4))
    jumps = tuple(jump for jump in phrase.jumps if jump.beat < end - 0.5)
    steps = tuple(step for step in phrase.steps if step.beat < end - 0.2)
    broken = len(jumps) < len(phrase.jumps) or sum(step.jump for step in steps) != 2 * len(jumps)
    return replace(
        phrase,
        bars=bars,
        jumps=() if broken else jumps,
        steps=tuple(replace(step, jump=False) for step in steps) if broken else steps,
        poses=tuple(pose for pose in phrase.poses if pose.beat < end),
        shifts=tuple(shift for shift in phrase.shifts if shift.beat < end),
        hits=tuple(hit for hit in phrase.hits if hit[0] < end),
        hands=tuple(hand for hand in phrase.hands if hand.beat < end),
        path=(*(row for row in phrase.path if row[0] < end), (float(end), x, z, yaw)),
    )


def slowed(phrase: Phrase) -> Phrase:
    """`phrase` in half time: twice the bars; steps and changes of pose themselves take half as long again."""
    return replace(
        phrase,
        bars=2 * phrase.bars,
        steps=tuple(replace(each, beat=2 * each.beat, swing=1.5 * each.swing) for each in phrase.steps),
        poses=tuple(replace(each, beat=2 * each.beat, over=1.6 * each.over) for each in phrase.poses),
        shifts=tuple(replace(each, beat=2 * each.beat) for each in phrase.shifts),
        path=tuple((2 * beat, x, z, yaw) for beat, x, z, yaw in phrase.path),
        hits=tuple((2 * beat, strength) for beat, strength in phrase.hits),
        hands=tuple(replace(each, beat=2 * each.beat, over=1.6 * each.over) for each in phrase.hands),
    )
