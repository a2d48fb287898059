"""The notation of phrases: footsteps, arm and body keys on a beat grid, in the dancer's own frame.

Lengths are metres and angles degrees, because people write and read these tables. x is to the dancer's left, z ahead;
beat 0 is the phrase's first beat. `mirrored` exchanges left and right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from choreodb.sample.truth import Foot

FEET: tuple[Foot, Foot] = ("left", "right")

Landing = Literal["flat", "ball", "heel"]

HandShape = Literal["relaxed", "fist", "point", "flat", "spread"]
"""relaxed: half curled. point: the index finger alone is straight. flat: fingers straight and together. spread: apart."""

BODY_CHANNELS = (
    "rise", "lean", "side", "twist", "hips", "shift", "drive", "nod", "look", "shrug", "wave", "tip", "slide",
)  # fmt: skip
"""rise: pelvis height, m. lean: trunk forward. side: trunk to the left. twist: chest to the left. hips: pelvis yaw to the
left. shift, drive: pelvis to the left and ahead, m. nod: chin down. look: head to the left. shrug: shoulders up. wave:
bend that starts in the pelvis and runs up the spine. tip: head tilted to the left. slide: chest to the left of the hips."""

ARM_CHANNELS = ("fwd", "out", "turn", "bend")
"""fwd: upper arm raised ahead. out: raised sideways. turn: rolled inwards. bend: elbow; all 0 is an arm that hangs."""

CHANNELS = BODY_CHANNELS + tuple(f"{side}_{name}" for side in ("left", "right") for name in ARM_CHANNELS)

_ODD_BODY = ("side", "twist", "hips", "shift", "look", "tip", "slide")


@dataclass(frozen=True, slots=True)
class Step:
    """A foot that lands on `beat` with its middle at (x, z), toes turned to the left by `yaw` beyond its own turnout.

    swing: beats in the air. lift: clearance. weight: share of the body it takes (0 is a tap). settle: beats after
    landing until it is flat. arc: sideways bulge of its way, to the left of the travel. jump: whether it is one of the two
    steps of the phrase's last jump up to its beat, which then says when it leaves; lead: beats it leaves before that.
    """

    foot: Foot
    beat: float
    x: float
    z: float
    yaw: float = 0.0
    swing: float = 0.5
    lift: float = 0.05
    weight: float = 1.0
    landing: Landing = "flat"
    settle: float = 0.25
    arc: float = 0.0
    jump: bool = False
    lead: float = 0.0


@dataclass(frozen=True, slots=True)
class Jump:
    """Both feet are off the floor until `beat`, as long as a rise of the body by `height` metres takes."""

    beat: float
    height: float


@dataclass(frozen=True, slots=True)
class Shift:
    """The weight goes to `left` (share of the body on the left foot) by `beat`, without a step."""

    beat: float
    left: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Channel values reached on `beat` after a movement of `over` beats."""

    beat: float
    over: float
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Hand:
    """The shape that one hand takes by `beat`, within `over` beats; it keeps it until its next one, at most to the phrase's end."""

    beat: float
    side: Foot
    shape: HandShape
    over: float = 0.5


@dataclass(frozen=True, slots=True)
class Phrase:
    """One to four bars of movement. energy: the range of section energies it answers to. path: (beat, x, z, yaw), the
    dancer's own frame relative to where the phrase began, straight lines between; the last entry is where the next
    phrase begins. bounce: factor on the style's bounce. hits: (beat, strength) at which the whole body stops short. hands:
    what the hands do where they are not relaxed."""

    name: str
    bars: int
    energy: tuple[float, float]
    steps: tuple[Step, ...]
    poses: tuple[Pose, ...]
    shifts: tuple[Shift, ...] = ()
    path: tuple[tuple[float, float, float, float], ...] = ((0.0, 0.0, 0.0, 0.0),)
    bounce: float = 1.0
    jumps: tuple[Jump, ...] = ()
    hits: tuple[tuple[float, float], ...] = ()
    hands: tuple[Hand, ...] = ()


def jumped(
    beat: float, left: tuple[float, float], right: tuple[float, float], *, lift: float = 0.03, yaw: float = 0.0
) -> tuple[Step, Step]:
    """Both feet of a jump that lands on `beat`, the left at (x, z) and the right at (x, z). yaw: of both."""
    air = Step("left", beat, *left, yaw=yaw, lift=lift, landing="ball", settle=0.3, weight=0.5, jump=True)
    return air, replace(air, foot="right", x=right[0], z=right[1])


def leapt(
    beat: float,
    foot: Foot,
    x: float,
    z: float,
    then: tuple[float, float, float],
    *,
    lift: float = 0.08,
    lead: float = 0.4,
) -> tuple[Step, Step]:
    """A leap from the other foot that lands on `foot` at (x, z); then: (beat, x, z) where the other foot comes down."""
    landing = Step(foot, beat, x, z, lift=lift, landing="ball", settle=0.3, jump=True, lead=lead)
    after, other_x, other_z = then
    free = Step(other(foot), after, other_x, other_z, lift=lift, landing="ball", settle=0.4, jump=True)
    return landing, free


def hopped(
    beat: float,
    foot: Foot,
    x: float,
    z: float,
    then: tuple[float, float, float],
    *,
    lift: float = 0.15,
    lead: float = 0.5,
) -> tuple[Step, Step]:
    """A hop from `foot` onto itself at (x, z); then: (beat, x, z) where the lifted other foot comes down."""
    landing = Step(foot, beat, x, z, lift=0.02, landing="ball", settle=0.3, jump=True)
    after, other_x, other_z = then
    free = Step(other(foot), after, other_x, other_z, lift=lift, landing="ball", settle=0.4, jump=True, lead=lead)
    return landing, free


def body(beat: float, over: float = 1.0, **values: float) -> Pose:
    """A key of body channels."""
    return Pose(beat, over, tuple(values.items()))


def arm(beat: float, side: Foot, fwd: float, out: float, turn: float, bend: float, over: float = 1.0) -> Pose:
    """A key of one arm."""
    return Pose(
        beat, over, tuple((f"{side}_{name}", v) for name, v in zip(ARM_CHANNELS, (fwd, out, turn, bend), strict=True))
    )


def arms(beat: float, fwd: float, out: float, turn: float, bend: float, over: float = 1.0) -> Pose:
    """The same key for both arms."""
    left = arm(beat, "left", fwd, out, turn, bend, over)
    return Pose(beat, over, left.values + arm(beat, "right", fwd, out, turn, bend, over).values)


def hands(beat: float, shape: HandShape, over: float = 0.5) -> tuple[Hand, Hand]:
    """The same shape for both hands."""
    return Hand(beat, "left", shape, over), Hand(beat, "right", shape, over)


def other(foot: Foot) -> Foot:
    """The other foot."""
    return "right" if foot == "left" else "left"


def mirrored(phrase: Phrase) -> Phrase:
    """The phrase with left and right exchanged."""
    return replace(
        phrase,
        steps=tuple(
            replace(step, foot=other(step.foot), x=-step.x, yaw=-step.yaw, arc=-step.arc) for step in phrase.steps
        ),
        poses=tuple(
            replace(pose, values=tuple(_mirrored_value(*item) for item in pose.values)) for pose in phrase.poses
        ),
        shifts=tuple(Shift(shift.beat, round(1.0 - shift.left, 9)) for shift in phrase.shifts),
        path=tuple((beat, -x, z, -yaw) for beat, x, z, yaw in phrase.path),
        hands=tuple(replace(hand, side=other(hand.side)) for hand in phrase.hands),
    )


def _mirrored_value(name: str, value: float) -> tuple[str, float]:
    if name.startswith("left_"):
        return "right_" + name[5:], value
    if name.startswith("right_"):
        return "left_" + name[6:], value
    return name, -value if name in _ODD_BODY else value
