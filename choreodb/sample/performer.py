"""Performers: how the same phrase looks on different bodies and tempers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from choreodb.motion.skeleton import CHOREO22, Skeleton
from choreodb.sample.phrases import CHANNELS

TROUPE = ("dancer1", "dancer2", "dancer3", "dancer4", "dancer5", "dancer6")
"""Labels of the troupe's members."""


@dataclass(frozen=True, slots=True)
class Performer:
    """amplitude: size of everything. bounce: size of the bounce. late_s: how far behind the beat. looseness: more is
    softer and follows through longer. stance: width factor. crouch_m: deeper knees. drift: restlessness of the posture.
    habit: degrees (metres) added to every channel, the carriage one recognises a person by. gaze: how much the head looks
    about. leg, trunk, arm: lengths over the canonical ones."""

    name: str
    amplitude: float
    bounce: float
    late_s: float
    looseness: float
    stance: float
    crouch_m: float
    drift: float
    habit: tuple[tuple[str, float], ...]
    gaze: float = 1.0
    leg: float = 1.0
    trunk: float = 1.0
    arm: float = 1.0


_HABIT_SD = {
    "rise": 0.0,
    "shift": 0.004,
    "drive": 0.008,
    "lean": 2.0,
    "nod": 3.0,
    "shrug": 2.0,
    "hips": 1.5,
    "look": 3.0,
    "wave": 0.0,
    "tip": 2.5,
    "slide": 0.005,
}


def performer(name: str) -> Performer:
    """The member `name` of the troupe; any other name gives another person. The same name is always the same person."""
    rng = np.random.default_rng([ord(letter) for letter in name])
    habit = tuple((channel, float(rng.normal(0.0, _habit_sd(channel)))) for channel in CHANNELS)
    return Performer(
        name=name,
        amplitude=float(rng.uniform(0.86, 1.14)),
        bounce=float(rng.uniform(0.75, 1.2)),
        late_s=float(rng.uniform(0.0, 0.03)),
        looseness=float(rng.uniform(0.8, 1.25)),
        stance=float(rng.uniform(0.9, 1.15)),
        crouch_m=float(rng.uniform(0.0, 0.015)),
        drift=float(rng.uniform(0.7, 1.3)),
        habit=habit,
        gaze=float(rng.uniform(0.7, 1.3)),
        leg=(leg := float(rng.uniform(0.90, 1.10))),
        trunk=leg * float(rng.uniform(0.96, 1.04)),
        arm=leg * float(rng.uniform(0.95, 1.05)),
    )


def _habit_sd(channel: str) -> float:
    if channel in _HABIT_SD:
        return _HABIT_SD[channel]
    if channel.endswith("_out"):
        return 3.0
    return 6.0 if "_" in channel else 2.0


def skeleton(dancer: Performer, bones: Skeleton = CHOREO22) -> Skeleton:
    """The performer's own bones: every part of the canonical `bones` at its own scale, the names and the tree the same."""
    size = np.full((len(bones), 1), dancer.trunk)
    for joint, name in enumerate(bones.names):
        part = name.rpartition("_")[2]
        if part in ("hip", "knee", "ankle", "foot"):
            size[joint] = dancer.leg
        elif part in ("elbow", "wrist") or (part[-1] in "123" and not part.startswith("spine")):
            size[joint] = dancer.arm
    return Skeleton(bones.names, bones.parents, bones.offsets * size, source="file")
