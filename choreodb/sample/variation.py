"""No two repetitions are the same: how a phrase is changed before it is danced once more."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from choreodb.sample.phrases import ARM_CHANNELS, CHANNELS, FEET, Phrase, Pose, other

_ARMS = tuple(f"{side}_{name}" for side in FEET for name in ARM_CHANNELS)

KEY_JITTER = {
    "rise": 0.005, "shift": 0.006, "drive": 0.005, "slide": 0.004, "lean": 1.6, "side": 1.6, "twist": 2.6, "hips": 1.6,
    "shrug": 1.0, "wave": 1.0, "tip": 2.0,
}  # fmt: skip
"""Standard deviation of each key per channel, degrees or metres; the arms vary by 5 degrees."""

MOOD = {
    "rise": 0.014, "shift": 0.012, "drive": 0.012, "slide": 0.008, "lean": 3.2, "side": 2.6, "twist": 4.6, "hips": 4.8,
    "shrug": 1.5, "wave": 0.5, "tip": 3.0, "nod": 4.0, "look": 6.0,
}  # fmt: skip
"""Standard deviation of a whole repetition per channel; 13 degrees for the arms."""


@dataclass(frozen=True, slots=True)
class Take:
    """One repetition: mood added to every channel, gains of both arms, of the steps across and along, and of the path."""

    phrase: Phrase
    mood: dict[str, float]
    arm_gain: dict[str, float] = field(default_factory=dict)
    across: float = 1.0
    along: float = 1.0


def take(phrase: Phrase, rng: np.random.Generator, looseness: float) -> Take:
    """Draw one repetition of `phrase`: arms may change sides, come earlier or later, be larger or smaller."""
    changed = phrase
    if rng.random() < 0.15:
        hands = tuple(replace(hand, side=other(hand.side)) for hand in changed.hands)
        changed = replace(changed, poses=tuple(_arms_exchanged(pose) for pose in changed.poses), hands=hands)
    if rng.random() < 0.3:
        late = float(rng.choice([-0.25, 0.25, 0.5]))
        changed = replace(changed, poses=tuple(_arms_moved(pose, late) for pose in changed.poses))
    mood = {name: MOOD.get(name, 13.0) * looseness * float(rng.normal()) for name in CHANNELS}
    arm_gain: dict[str, float] = {side: float(np.clip(rng.normal(1.0, 0.20), 0.6, 1.4)) for side in FEET}
    across, along = (float(np.clip(rng.normal(1.0, 0.12), 0.78, 1.22)) for _ in range(2))
    return Take(changed, mood, arm_gain, across, along)


def _arms_exchanged(pose: Pose) -> Pose:
    """`pose` with the two arms exchanged."""
    swap = {f"{side}_{name}": f"{other(side)}_{name}" for side in FEET for name in ARM_CHANNELS}
    return replace(pose, values=tuple((swap.get(name, name), value) for name, value in pose.values))


def _arms_moved(pose: Pose, beats: float) -> Pose:
    """`pose`, later by `beats` where it is one of the arms alone."""
    if all(name in _ARMS for name, _ in pose.values):
        return replace(pose, beat=max(pose.beat + beats, 0.0))
    return pose
