"""What the Latin dances share: hips that settle over the standing foot, checks that give the weight back, chasses."""

from __future__ import annotations

from choreodb.sample.phrases import Pose, Step, body, other
from choreodb.sample.truth import Foot


def hips(*landings: tuple[float, Foot], size: float = 1.0, after: float = 0.4, over: float = 0.7) -> tuple[Pose, ...]:
    """Keys of a pelvis that settles sideways and back over each foot, `after` beats after its landing (beat, foot)."""
    out = []
    for beat, foot in landings:
        side = size if foot == "left" else -size
        out.append(body(beat + after, over, shift=0.034 * side, hips=15.0 * side, side=4.0 * side))
    return tuple(out)


def walked(steps: tuple[Step, ...], *, size: float = 1.0, after: float = 0.4, over: float = 0.7) -> tuple[Pose, ...]:
    """`hips` for every step that takes weight."""
    landings = [(step.beat, step.foot) for step in steps if step.weight > 0.3]
    return hips(*landings, size=size, after=after, over=over)


def check(
    beat: float, foot: Foot, to: tuple[float, float], stay: tuple[float, float], *, beats: float = 1.0, yaw: float = 0.0
) -> tuple[Step, Step]:
    """`foot` steps to (x, z) on `beat`; the other one takes the weight back at `stay`, `beats` later, where it stood."""
    return (
        Step(foot, beat, *to, yaw=yaw, swing=0.55, lift=0.02, landing="ball", settle=0.3),
        Step(other(foot), beat + beats, *stay, swing=0.4, lift=0.02, landing="ball", settle=0.25),
    )


def chasse(
    beat: float,
    foot: Foot,
    first: tuple[float, float],
    close: tuple[float, float],
    last: tuple[float, float],
    half: float = 0.5,
) -> tuple[Step, Step, Step]:
    """Three steps, `half` a beat apart: `foot` to `first`, the other one to `close`, `foot` again to `last`, each (x, z)."""
    free = other(foot)
    return (
        Step(foot, beat, *first, swing=0.45, lift=0.02, landing="ball", settle=0.25),
        Step(free, beat + half, *close, swing=0.34, lift=0.02, landing="ball", settle=0.2),
        Step(foot, beat + 2.0 * half, *last, swing=0.38, lift=0.02, landing="ball", settle=0.3),
    )
