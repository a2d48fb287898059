"""The choreographer: writes the phrases that the grammar chooses as a score in the song's seconds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from choreodb.sample.grammar import Choice, sequence
from choreodb.sample.performer import Performer
from choreodb.sample.phrases import CHANNELS, Phrase, Step
from choreodb.sample.relation import Relation
from choreodb.sample.score import Clock, PlacedStep, Score, clock
from choreodb.sample.styles import Style
from choreodb.sample.truth import GRAVITY_M_S2, Flight, Foot, HandKey, PhraseSpan, SongTruth
from choreodb.sample.variation import KEY_JITTER, Take, take

HOME_M = 0.10
"""Half the stance that the phrase tables are written for."""

SWING = 1.3
"""Feet leave earlier and travel more evenly than the tables say, as far as the schedule lets them."""

EARLY = 1.2
"""Limbs set out sooner than the tables say, so that one movement grows out of the last instead of waiting for its turn."""

FASTEST_DEG_S = 620.0
"""No channel is asked to turn faster: hands stay below what people reach."""


WIDEST_ARMS = 1.4
"""Arms never go further from their posture than this many times what the tables say, before the style's own `arms`, however
large a dancer moves: shoulders end there."""

_ARMS = frozenset(name for name in CHANNELS if "_" in name)


def choreograph(
    song: SongTruth, style: Style, dancer: Performer, relation: Relation, rng: np.random.Generator
) -> Score:
    """Write the score of a whole dance to `song`."""
    neutral = dict.fromkeys(CHANNELS, 0.0) | dict(style.posture)
    for channel, value in dancer.habit:
        neutral[channel] += value
    score = Score(neutral)
    writer = _Writer(score, song, style, dancer, clock(song), rng, dict(neutral))
    for choice in sequence(song, style, relation, rng, writer):
        writer.write(choice)
    writer.answer(relation)
    return score


@dataclass(slots=True)
class _Writer:
    """Puts phrases into the score one after the other and keeps the place where the dancer stands."""

    score: Score
    song: SongTruth
    style: Style
    dancer: Performer
    clock: Clock
    rng: np.random.Generator
    last_value: dict[str, float]
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    last_step: tuple[Foot, float] = ("right", -10.0)
    next_beat: float = 0.0

    def busy(self, step: Step) -> bool:
        """Whether the foot of `step` landed so late that it would have to leave the floor at once."""
        foot, beat = self.last_step
        return foot == step.foot and self.next_beat + step.beat - beat < 1.2

    def distance(self, phrase: Phrase) -> float:
        """How far from the start of the dance `phrase` would come, in metres."""
        ends = [self._place_at(phrase, row[0]) for row in phrase.path]
        return max(float(np.hypot(x, z)) for x, z, _ in ends)

    def turned_away(self, phrase: Phrase) -> float:
        """Where `phrase` would leave the dancer facing, in radians from the front, -pi to pi."""
        yaw = self._place_at(phrase, phrase.path[-1][0])[2]
        return float((yaw + np.pi) % (2.0 * np.pi) - np.pi)

    def write(self, choice: Choice) -> None:
        """Add one phrase."""
        first = float(choice.first * self.style.metre)
        size = 0.68 + 0.44 * choice.energy
        hurry = float(np.clip((self.clock.period(first) / 0.5) ** 0.3, 0.78, 1.12)) if choice.rate == 1.0 else 1.05
        gain = self.dancer.amplitude * size * hurry * float(self.rng.normal(1.0, 0.07))
        drawn = take(choice.phrase, self.rng, self.dancer.looseness)
        self._steps(drawn, first, gain)
        self._keys(drawn, first, gain)
        self._hands(drawn.phrase, first)
        self._heading(choice.phrase, first)
        self._dynamics(choice, first)
        if self.style.rise_m > 0.0:
            self._carriage(choice, first)
        times = self.song.metre // self.style.metre
        end = first + choice.phrase.bars * self.style.metre
        self.score.spans.append(
            PhraseSpan(
                name=choice.phrase.name,
                first_bar=choice.first // times,
                bars=choice.phrase.bars // times,
                start_s=self.clock.seconds(first),
                end_s=self.clock.seconds(end),
                mirrored=choice.flipped,
                section=choice.section.name,
                energy=choice.energy,
                rate=choice.rate,
            )
        )
        self.place = self._place_at(choice.phrase, end - first)
        if choice.phrase.steps:
            last = max(choice.phrase.steps, key=lambda step: step.beat)
            self.last_step = (last.foot, first + last.beat)
        self.next_beat = end

    def answer(self, relation: Relation) -> None:
        """Answer the band's accents, each with the chance that the relation gives."""
        for accent in self.song.accents:
            if self.rng.random() < relation.accents:
                at = accent.time_s + self.dancer.late_s + float(self.rng.normal(0.0, 0.010))
                size = accent.strength * float(np.clip(self.rng.normal(0.9, 0.15), 0.5, 1.3))
                self.score.hits.append((at, size))
                self.score.answered_s.append(accent.time_s)
                self.score.accents += [(at, 0.22, -0.030 * size), (at + 0.75, 0.6, 0.0)]

    def _place_at(self, phrase: Phrase, beat: float) -> tuple[float, float, float]:
        """World (x, z, heading in radians) of the dancer's frame at `beat` of `phrase`."""
        path = np.array(phrase.path)
        x, z, yaw = (float(np.interp(beat, path[:, 0], path[:, column])) for column in range(1, 4))
        x0, z0, yaw0 = self.place
        cosine, sine = np.cos(yaw0), np.sin(yaw0)
        return x0 + cosine * x + sine * z, z0 - sine * x + cosine * z, yaw0 + float(np.radians(yaw))

    def _when(self, beat: float, spread_s: float) -> float:
        return self.clock.seconds(beat) + self.dancer.late_s + float(self.rng.normal(0.0, spread_s))

    def _steps(self, drawn: Take, first: float, gain: float) -> None:
        phrase, reach = drawn.phrase, float(np.clip(gain, 0.7, 1.12))
        flights = {jump.beat: self._flight(first + jump.beat, jump.height * reach) for jump in phrase.jumps}
        for step in phrase.steps:
            side = 1.0 if step.foot == "left" else -1.0
            stance = side * self.style.stance_m * self.dancer.stance
            x = reach * drawn.across * (step.x - side * HOME_M) + stance + float(self.rng.normal(0.0, 0.020))
            z = reach * drawn.along * step.z + float(self.rng.normal(0.0, 0.024))
            x0, z0, yaw0 = self._place_at(phrase, step.beat)
            turn = step.yaw + side * self.style.turnout + float(self.rng.normal(0.0, 3.5))
            beat = first + step.beat
            period = self.clock.period(beat)
            flight = flights[max(at for at in flights if at <= step.beat)] if step.jump else None
            land = self._when(beat, 0.006)
            swing = SWING * step.swing * period
            if flight is not None:
                land = flight.land_s if step.beat in flights else max(land, flight.land_s + 0.12)
                swing = land - flight.take_off_s + step.lead * period
            self.score.steps.append(
                PlacedStep(
                    foot=step.foot,
                    land_s=land,
                    swing_s=swing,
                    x=x0 + np.cos(yaw0) * x + np.sin(yaw0) * z,
                    z=z0 - np.sin(yaw0) * x + np.cos(yaw0) * z,
                    yaw=yaw0 + float(np.radians(turn)),
                    lift=step.lift * (0.6 + 0.4 * gain) * float(self.rng.normal(1.0, 0.08)),
                    weight=step.weight,
                    landing=step.landing,
                    settle_s=step.settle * period,
                    arc=step.arc,
                    flight=flight,
                )
            )
        self.score.shifts += [(self._when(first + shift.beat, 0.02), shift.left) for shift in phrase.shifts]

    def _flight(self, beat: float, height_m: float) -> Flight:
        """A jump that lands on `beat`: in the air as long as rising by its height and falling again takes."""
        height = height_m * float(np.clip(self.rng.normal(1.0, 0.1), 0.75, 1.25))
        land = self._when(beat, 0.008)
        return Flight(land - 2.0 * float(np.sqrt(2.0 * height / GRAVITY_M_S2)), land, height)

    def _keys(self, drawn: Take, first: float, gain: float) -> None:
        early: set[str] = set()
        hurry = EARLY * min(1.0, 0.6 + 0.4 * self.dancer.looseness) * self.style.attack
        for pose in drawn.phrase.poses:
            beat = first + pose.beat
            span = pose.over * self.clock.period(beat) * hurry
            stop = self._when(beat, 0.010)
            for name, value in pose.values:
                rest = self.score.neutral[name]
                size = gain
                if name in _ARMS:
                    size = self.style.arms * min(gain * drawn.arm_gain[name.split("_")[0]], WIDEST_ARMS)
                wobble = drawn.mood[name] + KEY_JITTER.get(name, 5.0) * float(self.rng.normal())
                self._key(name, stop, span, rest + size * (value - rest) + wobble)
                if pose.beat <= 1.0:
                    early.add(name)
        period = self.clock.period(first)
        for name in sorted(set(CHANNELS) - early):
            stop = self._when(first + 1.0, 0.03)
            self._key(name, stop, 1.3 * period, self.score.neutral[name] + drawn.mood[name])

    def _key(self, name: str, stop: float, span: float, value: float) -> None:
        """Add a key, given enough time that its peak speed is one a person has."""
        fastest = FASTEST_DEG_S if name not in ("rise", "shift", "drive", "slide") else 2.0
        least = 1.875 * abs(value - self.last_value[name]) / fastest
        self.score.keys[name].append((stop, max(span, least, 0.12), value))
        self.last_value[name] = value

    def _hands(self, phrase: Phrase, first: float) -> None:
        for hand in phrase.hands:
            at = self.clock.seconds(first + hand.beat) + self.dancer.late_s
            over = hand.over * self.clock.period(first + hand.beat)
            self.score.hands.append(HandKey(hand.side, hand.shape, at, over))

    def _heading(self, phrase: Phrase, first: float) -> None:
        yaw0 = self.place[2]
        for before, after in pairwise(phrase.path):
            span = self.clock.seconds(first + after[0]) - self.clock.seconds(first + before[0])
            # neighbours overlap so that a turn does not halt at every beat, yet never so far that they change places
            overlap = 0.3 * min(span, self.clock.period(first))
            stop = self.clock.seconds(first + after[0]) + overlap
            self.score.heading.append((stop, span + 2.0 * overlap, yaw0 + float(np.radians(after[3]))))

    def _dynamics(self, choice: Choice, first: float) -> None:
        start = self.clock.seconds(first)
        period = self.clock.period(first)
        size = choice.phrase.bounce * self.dancer.bounce * (0.6 + 0.5 * choice.energy)
        self.score.bounce.append((start + 0.5 * period, period, size))
        hits = [(self._when(first + beat, 0.008), strength) for beat, strength in choice.phrase.hits]
        self.score.hits += [(at, strength * self.dancer.amplitude) for at, strength in hits]

    def _carriage(self, choice: Choice, first: float) -> None:
        """Rise and fall of each bar: low on 1, up through 2, high on 3, lowering at its end; the body turns against the first step and sways after it.

        After Alex Moore, Ballroom Dancing: up from the end of 1, down at the end of 3. A phrase that leads the height of the
        pelvis itself (its bounce is small) gets half.
        """
        metre, phrase = self.style.metre, choice.phrase
        for bar in range(phrase.bars):
            steps = [step for step in phrase.steps if bar * metre - 0.3 <= step.beat < (bar + 1) * metre - 0.3]
            if not steps:
                continue
            size = min(phrase.bounce, 1.0) * self.dancer.amplitude * (0.7 + 0.4 * choice.energy)
            size *= float(np.clip(self.rng.normal(1.0, 0.15), 0.6, 1.4))
            side = 1.0 if steps[0].foot == "left" else -1.0
            beat = first + bar * metre
            for channel, keys in _CARRIAGE.items():
                scale = self.style.rise_m if channel == "rise" else side
                self.score.carriage[channel] += [
                    (self._when(beat + at, 0.015), over * self.clock.period(beat), size * scale * value)
                    for at, over, value in keys
                ]


_CARRIAGE = {
    "rise": ((0.35, 0.75, -0.55), (1.35, 0.95, 0.15), (2.3, 0.9, 0.45)),
    "twist": ((0.1, 0.9, 7.0), (1.5, 1.2, 0.0)),
    "side": ((0.3, 0.8, 0.0), (1.9, 1.3, 5.5)),
}
"""(beat of the bar, beats that the change takes, value) per channel: shares of `rise_m`, degrees towards the first step's side."""
