"""A performance: one dancer, one song, as motion with contacts and truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.motion.face import ARKIT52
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22, CHOREO52
from choreodb.sample import song as songs
from choreodb.sample.band import melody
from choreodb.sample.choreographer import choreograph
from choreodb.sample.curves import Array
from choreodb.sample.embody import FPS, Embodied, embody
from choreodb.sample.expression import Expression, express
from choreodb.sample.hands import fingers, hand_keys, with_fingers
from choreodb.sample.performer import TROUPE, Performer, performer, skeleton
from choreodb.sample.phrases import Phrase
from choreodb.sample.relation import Relation
from choreodb.sample.score import Score, clock
from choreodb.sample.styles import Style, find
from choreodb.sample.truth import SAMPLE_VERSION, DanceTruth, SongTruth, cut, within


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """motion: canonical (choreo22, with hands choreo52; 60 fps, metres), with a face where asked for. contacts: uint8 [T, 4] left heel, left toe, right heel, right toe."""

    motion: Motion
    contacts: npt.NDArray[np.uint8]
    truth: DanceTruth

    def in_proportion(self, dancer: Performer) -> Performance:
        """The same on the body of `dancer`: their bones, places and flights at the scale of their legs.

        The motion is then no longer canonical, as no real capture is; feet stand as exactly as before.
        """
        bones = skeleton(dancer, CHOREO22 if len(self.motion.skeleton) == len(CHOREO22) else CHOREO52)
        motion = replace(self.motion, root=self.motion.root * dancer.leg, skeleton=bones)
        steps = tuple(
            replace(each, x_m=each.x_m * dancer.leg, z_m=each.z_m * dancer.leg) for each in self.truth.footsteps
        )
        return Performance(motion, self.contacts, replace(self.truth, footsteps=steps, scale=dancer.leg))

    def part(self, start_s: float, end_s: float) -> Performance:
        """The frames of [start_s, end_s) of the clip as a performance of its own."""
        first, last = round(start_s * FPS), min(round(end_s * FPS), len(self.motion))
        truth = cut(self.truth, first / FPS, last / FPS)
        return Performance(self.motion.frames(first, last), self.contacts[first:last], truth)


def perform(
    style: str,
    seed: int,
    bars: int = 16,
    *,
    song: SongTruth | None = None,
    dancer: str | Performer | None = None,
    phrases: Sequence[str] | None = None,
    relation: Relation | None = None,
    hands: bool = False,
    face: bool = False,
) -> Performance:
    """Dance `bars` bars of `style` from the song's second 0 to its end.

    song: what to dance to (default: the song that `compose(style, seed, bars)` plays). dancer: a name of the troupe or
    a Performer; drawn where None. phrases: names of the only phrases to dance. relation: how closely the music is followed
    (its style strength matters to `make` only). hands: move the fingers, too (the motion then has 52 joints); face: and the
    face (channels of `motion.face.ARKIT52`); the body is the same with or without. The same arguments give the same bytes. QueryError where the style's
    metre does not fit the song's.
    """
    dance = find(style)
    if phrases is not None:
        dance = replace(dance, vocabulary=tuple(_phrase(dance, name) for name in phrases))
    rng = np.random.default_rng([SAMPLE_VERSION, seed, 23])
    music = song if song is not None else songs.plan(dance, seed, bars)
    if music.metre % dance.metre:
        raise QueryError(f"{dance.name} is in {dance.metre} and cannot be danced to a song in {music.metre}")
    drawn = TROUPE[int(rng.integers(len(TROUPE)))]
    who = dancer if isinstance(dancer, Performer) else performer(dancer if dancer is not None else drawn)
    times = np.arange(int(np.floor(music.duration_s * FPS))) / FPS
    score = choreograph(music, dance, who, relation or Relation(), rng)
    body = embody(score, dance, who, clock(music), times, rng)
    keys = hand_keys(score, dance.name, np.random.default_rng([SAMPLE_VERSION, seed, 61]))
    motion = Motion(body.rotations, body.root, CHOREO22, FPS)
    if hands:
        own = np.random.default_rng([SAMPLE_VERSION, seed, 67])
        moved = fingers(keys, score.hits, body.rotations, body.root, who, times, own)
        motion = replace(motion, rotations=with_fingers(body.rotations, moved), skeleton=CHOREO52)
    look = _expression(score, dance, music, body.rotations, who, times, seed) if face else None
    if look is not None:
        motion = replace(motion, face=look.weights, face_names=ARKIT52)
    truth = _truth(seed, dance, who, music, score, body, len(times) / FPS)
    seen = (look.blinks_s, look.sung_s) if look is not None else ((), ())
    return Performance(motion, body.contacts, replace(truth, hands=keys, blinks_s=seen[0], sung_s=seen[1]))


def _truth(
    seed: int, dance: Style, who: Performer, music: SongTruth, score: Score, body: Embodied, duration_s: float
) -> DanceTruth:
    """What is known of the dance but for hands and face."""
    return DanceTruth(
        version=SAMPLE_VERSION,
        seed=seed,
        style=dance.name,
        performer=who.name,
        music_start_s=0.0,
        duration_s=duration_s,
        fps=FPS,
        tempo_bpm=music.tempo_bpm,
        metre=music.metre,
        beats_s=music.beats_s,
        downbeats_s=music.downbeats_s,
        sections=music.sections,
        phrases=tuple(score.spans),
        footsteps=within(tuple(body.footsteps), 0.0, duration_s),
        flights=tuple(body.flights),
        answered_s=tuple(score.answered_s),
        late_s=who.late_s,
    )


def _expression(
    score: Score, style: Style, song: SongTruth, rotations: FloatArray, who: Performer, times: Array, seed: int
) -> Expression:
    rng = np.random.default_rng([SAMPLE_VERSION, seed, 73])
    return express(style.name, score.spans, score.hits, melody(song), song.beats_s, rotations, who, times, rng)


def _phrase(style: Style, name: str) -> Phrase:
    for phrase in style.vocabulary:
        if phrase.name == name:
            return phrase
    known = ", ".join(phrase.name for phrase in style.vocabulary)
    raise QueryError(f"{style.name} has no phrase {name!r}; it has {known}")
