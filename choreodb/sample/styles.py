"""Styles: posture, bounce, timing, tempo and vocabulary of each kind of dance, and where to find them by name."""

from __future__ import annotations

from dataclasses import dataclass

from choreodb.errors import QueryError
from choreodb.sample import cha_cha, contemporary, groove, house, line_dance, locking, popping, rumba, salsa, waltz
from choreodb.sample.phrases import Phrase


@dataclass(frozen=True, slots=True)
class Bounce:
    """The vertical pulse of the pelvis: lowest at `lowest` beats after each start of a period of `beats` beats.

    height_m: from lowest to highest. sharpness: -0.6..0.6, above 0 the low point is short. offbeat: share of a second,
    twice as fast pulse. lean, nod: degrees of trunk and head that go with it.
    """

    beats: int
    height_m: float
    lowest: float
    sharpness: float
    offbeat: float
    lean: float
    nod: float


@dataclass(frozen=True, slots=True)
class Style:
    """tempo_bpm: the range songs are usually written in; reach_bpm: the slowest and the fastest. swing: 0 straight .. 1 triplet off-beats. posture: channel values at rest.

    spring_hz, damping: how the arms follow their keys (hit: fast and little damped; sustained: slow and damped). attack:
    factor on the time keys take. stance_m: half the distance of the feet. turnout: degrees. sway: how far the pelvis goes over the
    standing foot, 1 is all the way. roll: how much a foot peels off the floor before it leaves. wave_s: time a wave takes
    from one joint of the spine to the next. gaze: how much the head looks about. stage_m: distance from the start beyond
    which phrases lead back. drift_m: how far a phrase carries the dancer off its path. roams: whether the dance goes round the room instead of facing the front. sixes: whether some
    songs are in 6, two bars of 3 in one. joined: share of a twist of the chest that the pelvis goes along with; 0 isolates.
    fastest_beat_s: beats shorter than this are danced in half time, as feet cannot follow. arms: how far arms go from their
    posture. hip_roll: degrees between hips that are level and hips over one foot. rise_m: rise and fall of ballroom dances, from
    the low point of a bar to its high one, with the sway and the contra body movement that belong to it. impact_m: how deep
    the body sinks into a landing foot. ahead_m: how far a phrase carries the dancer on, over `drift_m` of chance. wheel_deg: spread of what a
    phrase turns further than its table says. travel_beats: (start, stop) of the beats in which ground is covered; () is all of them.
    elbow_deg: bend below which elbows do not straighten.
    yield_s: how long before and after a wide step the pelvis is low: the shorter, the straighter the knee in between. wrists: how much a life of their own the hands have. crouch_m: how much lower than tall; below 0 the standing knee straightens.
    """

    name: str
    metre: int
    tempo_bpm: tuple[float, float]
    reach_bpm: tuple[float, float]
    swing: float
    vocabulary: tuple[Phrase, ...]
    bounce: Bounce
    posture: tuple[tuple[str, float], ...]
    spring_hz: float
    damping: float
    attack: float
    stance_m: float
    turnout: float
    crouch_m: float
    sway: float
    roll: float
    wave_s: float = 0.045
    gaze: float = 1.0
    stage_m: float = 2.4
    drift_m: float = 0.3
    roams: bool = False
    sixes: bool = False
    joined: float = 0.4
    fastest_beat_s: float = 0.37
    arms: float = 1.0
    hip_roll: float = 13.0
    rise_m: float = 0.0
    impact_m: float = 0.006
    ahead_m: float = 0.0
    wheel_deg: float = 0.0
    travel_beats: tuple[tuple[float, float], ...] = ()
    elbow_deg: float = 8.0
    yield_s: float = 0.14
    wrists: float = 1.0


HOUSE = Style(
    name="house",
    metre=4,
    tempo_bpm=(118.0, 127.0),
    reach_bpm=(112.0, 134.0),
    swing=0.0,
    vocabulary=house.PHRASES,
    bounce=Bounce(beats=1, height_m=0.035, lowest=0.04, sharpness=0.25, offbeat=0.0, lean=5.0, nod=4.0),
    posture=house.POSTURE,
    spring_hz=3.0,
    damping=0.6,
    attack=0.9,
    stance_m=0.105,
    turnout=9.0,
    crouch_m=0.014,
    sway=0.8,
    roll=1.1,
    wave_s=0.055,
    impact_m=0.013,
)

GROOVE = Style(
    name="groove",
    metre=4,
    tempo_bpm=(86.0, 100.0),
    reach_bpm=(70.0, 108.0),
    swing=0.6,
    vocabulary=groove.PHRASES,
    bounce=Bounce(beats=1, height_m=0.055, lowest=0.02, sharpness=0.35, offbeat=0.3, lean=6.0, nod=7.0),
    posture=groove.POSTURE,
    spring_hz=3.6,
    damping=0.5,
    attack=0.78,
    stance_m=0.135,
    turnout=12.0,
    crouch_m=0.030,
    sway=0.9,
    roll=0.8,
    impact_m=0.015,
)

WALTZ = Style(
    name="waltz",
    metre=3,
    tempo_bpm=(82.0, 97.0),
    reach_bpm=(76.0, 132.0),
    swing=0.0,
    vocabulary=waltz.PHRASES,
    bounce=Bounce(beats=3, height_m=0.008, lowest=0.35, sharpness=0.1, offbeat=0.0, lean=0.6, nod=0.5),
    posture=waltz.POSTURE,
    spring_hz=1.7,
    damping=0.9,
    attack=1.4,
    stance_m=0.085,
    turnout=14.0,
    crouch_m=0.0,
    sway=0.85,
    roll=1.2,
    gaze=0.7,
    stage_m=4.0,
    roams=True,
    sixes=True,
    fastest_beat_s=0.31,
    drift_m=0.35,
    rise_m=0.085,
    impact_m=0.002,
    ahead_m=0.35,
    wheel_deg=85.0,
    wrists=1.2,
    arms=0.92,
    elbow_deg=20.0,
)

POPPING = Style(
    name="popping",
    metre=4,
    tempo_bpm=(98.0, 112.0),
    reach_bpm=(92.0, 122.0),
    swing=0.15,
    vocabulary=popping.PHRASES,
    bounce=Bounce(beats=1, height_m=0.026, lowest=0.06, sharpness=0.4, offbeat=0.0, lean=2.0, nod=2.0),
    posture=popping.POSTURE,
    spring_hz=4.2,
    damping=0.5,
    attack=0.62,
    stance_m=0.125,
    turnout=10.0,
    crouch_m=0.014,
    sway=0.85,
    roll=0.9,
    wave_s=0.075,
    gaze=1.15,
    joined=0.3,
    arms=0.80,
    impact_m=0.009,
    wrists=0.7,
)

LOCKING = Style(
    name="locking",
    metre=4,
    tempo_bpm=(100.0, 116.0),
    reach_bpm=(94.0, 124.0),
    swing=0.1,
    vocabulary=locking.PHRASES,
    bounce=Bounce(beats=1, height_m=0.042, lowest=0.04, sharpness=0.35, offbeat=0.15, lean=4.0, nod=4.0),
    posture=locking.POSTURE,
    spring_hz=3.9,
    damping=0.42,
    attack=0.7,
    stance_m=0.14,
    turnout=14.0,
    crouch_m=0.022,
    sway=0.85,
    roll=0.9,
    gaze=1.2,
    arms=0.84,
    impact_m=0.014,
)

CHA_CHA = Style(
    name="cha-cha",
    joined=0.1,
    metre=4,
    tempo_bpm=(112.0, 124.0),
    reach_bpm=(104.0, 128.0),
    swing=0.0,
    vocabulary=cha_cha.PHRASES,
    bounce=Bounce(beats=1, height_m=0.012, lowest=0.1, sharpness=0.2, offbeat=0.3, lean=0.8, nod=0.8),
    posture=cha_cha.POSTURE,
    spring_hz=3.0,
    damping=0.66,
    attack=0.85,
    stance_m=0.085,
    turnout=20.0,
    crouch_m=-0.042,
    sway=0.95,
    roll=1.0,
    gaze=0.8,
    drift_m=0.6,
    arms=0.84,
    hip_roll=17.0,
    impact_m=0.003,
    roams=True,
    wheel_deg=40.0,
    travel_beats=((2.0, 4.0), (6.0, 8.0)),
    wrists=1.3,
    elbow_deg=12.0,
    yield_s=0.13,
)

RUMBA = Style(
    name="rumba",
    joined=0.1,
    metre=4,
    tempo_bpm=(100.0, 110.0),
    reach_bpm=(90.0, 114.0),
    swing=0.0,
    vocabulary=rumba.PHRASES,
    bounce=Bounce(beats=2, height_m=0.010, lowest=0.4, sharpness=0.0, offbeat=0.2, lean=0.6, nod=0.5),
    posture=rumba.POSTURE,
    spring_hz=1.9,
    damping=0.85,
    attack=1.25,
    stance_m=0.085,
    turnout=20.0,
    crouch_m=-0.045,
    sway=0.95,
    roll=1.2,
    wave_s=0.065,
    gaze=0.7,
    drift_m=0.63,
    arms=0.9,
    hip_roll=18.0,
    impact_m=0.002,
    roams=True,
    wheel_deg=210.0,
    travel_beats=((2.0, 4.0), (6.0, 8.0)),
    stage_m=3.0,
    wrists=1.1,
    elbow_deg=13.0,
    yield_s=0.11,
)

SALSA = Style(
    name="salsa",
    joined=0.1,
    metre=4,
    tempo_bpm=(158.0, 178.0),
    reach_bpm=(148.0, 180.0),
    swing=0.0,
    vocabulary=salsa.PHRASES,
    bounce=Bounce(beats=1, height_m=0.014, lowest=0.1, sharpness=0.2, offbeat=0.0, lean=1.2, nod=1.0),
    posture=salsa.POSTURE,
    spring_hz=2.9,
    damping=0.62,
    attack=1.0,
    stance_m=0.095,
    turnout=16.0,
    crouch_m=-0.02,
    sway=0.85,
    roll=0.9,
    drift_m=0.2,
    fastest_beat_s=0.31,
    arms=0.84,
    hip_roll=18.0,
    impact_m=0.006,
    wrists=1.3,
    elbow_deg=18.0,
    yield_s=0.10,
)

CONTEMPORARY = Style(
    name="contemporary",
    metre=4,
    tempo_bpm=(72.0, 88.0),
    reach_bpm=(70.0, 96.0),
    swing=0.0,
    vocabulary=contemporary.PHRASES,
    bounce=Bounce(beats=4, height_m=0.014, lowest=0.6, sharpness=0.0, offbeat=0.0, lean=0.6, nod=0.4),
    posture=contemporary.POSTURE,
    spring_hz=1.6,
    damping=0.9,
    attack=1.15,
    stance_m=0.09,
    turnout=12.0,
    crouch_m=0.0,
    sway=0.9,
    roll=1.2,
    wave_s=0.085,
    gaze=0.9,
    stage_m=3.2,
    drift_m=0.4,
    impact_m=0.003,
    wrists=1.3,
    elbow_deg=14.0,
)

LINE_DANCE = Style(
    name="line-dance",
    metre=4,
    tempo_bpm=(112.0, 132.0),
    reach_bpm=(102.0, 142.0),
    swing=0.0,
    vocabulary=line_dance.PHRASES,
    bounce=Bounce(beats=1, height_m=0.030, lowest=0.08, sharpness=0.2, offbeat=0.0, lean=1.5, nod=1.5),
    posture=line_dance.POSTURE,
    spring_hz=2.6,
    damping=0.7,
    attack=1.0,
    stance_m=0.095,
    turnout=12.0,
    crouch_m=0.006,
    sway=0.85,
    roll=1.1,
    gaze=1.1,
    stage_m=2.8,
    impact_m=0.012,
)

STYLES = {
    style.name: style
    for style in (HOUSE, GROOVE, WALTZ, POPPING, LOCKING, CHA_CHA, RUMBA, SALSA, CONTEMPORARY, LINE_DANCE)
}


def find(name: str) -> Style:
    """The style called `name`; QueryError where there is none."""
    if name not in STYLES:
        raise QueryError(f"the sample has no style {name!r}; it has {', '.join(STYLES)}")
    return STYLES[name]
