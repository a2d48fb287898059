"""Line dance: the folk kind, shoulder to shoulder: grapevines, step-hops and stamps with the arms in a hold; 4/4, two bars.

Figures after the hora and its relatives from the Balkans to the Levant (grapevine, cherkessia, yemenite, debka, hasapiko).
"""

from __future__ import annotations

from choreodb.sample.phrases import Jump, Phrase, Step, arm, arms, body, hands, hopped, jumped
from choreodb.sample.truth import Foot

POSTURE = (
    ("lean", 1.0), ("nod", -3.0), ("rise", -0.004),
    ("left_fwd", 6.0), ("left_out", 34.0), ("left_turn", -30.0), ("left_bend", 50.0),
    ("right_fwd", 6.0), ("right_out", 34.0), ("right_turn", -30.0), ("right_bend", 50.0),
)  # fmt: skip

_W = (12.0, 36.0, -78.0, 112.0)
"""Elbows down, hands joined at the height of the shoulders."""

_V = (0.0, 34.0, 0.0, 12.0)
"""Hands joined low."""

_T = (6.0, 90.0, 0.0, 14.0)
"""Hands on the neighbours' shoulders."""

_HIPS = (-14.0, 46.0, 74.0, 104.0)


def _on(beat: float, foot: Foot, x: float, z: float, yaw: float = 0.0, **also: float) -> Step:
    """A springy step on the ball of the foot."""
    settings = {"swing": 0.55, "lift": 0.05, "settle": 0.3} | also
    return Step(foot, beat, x, z, yaw=yaw, landing="ball", **settings)  # type: ignore[arg-type]


def _touch(beat: float, foot: Foot, x: float, z: float, lift: float = 0.10, yaw: float = 0.0) -> Step:
    """A foot that comes down without weight."""
    return Step(foot, beat, x, z, yaw=yaw, swing=0.6, lift=lift, weight=0.08, landing="ball", settle=9.0)


def _stamp(beat: float, foot: Foot, x: float, z: float, weight: float = 0.3) -> Step:
    return Step(foot, beat, x, z, swing=0.42, lift=0.11, weight=weight)


HORA = Phrase(
    "hora",
    2,
    (0.35, 1.0),
    steps=(
        _on(0.0, "left", 0.32, 0.0, 10), _on(1.0, "right", 0.40, -0.16, 14), _on(2.0, "left", 0.66, 0.0),
        *hopped(3.0, "left", 0.64, 0.0, (4.0, 0.30, 0.0), lift=0.22), *hopped(5.0, "right", 0.32, 0.0, (6.0, 0.56, 0.0), lift=0.22), _on(7.0, "right", 0.40, 0.0),
    ),
    jumps=(Jump(3.0, 0.035), Jump(5.0, 0.035)),
    path=((0, 0, 0, 0), (8, 0.46, 0, 0)),
    poses=(
        arms(0.0, *_T, 0.9), arms(3.0, 8, 98, 0, 12, 0.8), arms(4.0, *_T, 0.8), arms(5.0, 8, 98, 0, 12, 0.8), arms(6.5, *_T, 0.8),
        body(0.0, 0.9, twist=-10, lean=4), body(1.0, 0.8, twist=14, hips=8), body(2.0, 0.8, twist=-6, hips=0), body(3.0, 0.8, lean=-6, side=8, twist=8, nod=-8), body(4.2, 0.8, lean=4, side=0, twist=0, nod=0), body(5.0, 0.8, lean=-6, side=-8, twist=-8, nod=-8), body(6.4, 0.9, lean=3, side=0, twist=0, nod=-3),
    ),
    hands=hands(0.0, "flat"),
)  # fmt: skip

MAYIM = Phrase(
    "mayim",
    2,
    (0.4, 1.0),
    steps=tuple(
        _on(
            float(k), "right" if k % 2 == 0 else "left", (-0.06, 0.12, -0.02, 0.16)[k % 4], (0.20, 0.0, -0.22, 0.0)[k % 4], (16.0, 0.0, -16.0, 0.0)[k % 4],
            swing=0.6, lift=0.10 if k % 4 == 3 else 0.05, weight=0.6 if k == 7 else 1.0,
        )
        for k in range(8)
    ),
    path=(*((float(k), 0.12 * k, 0.0, (22.0, 4.0, -22.0, -4.0)[k % 4]) for k in range(8)), (8.0, 0.90, 0.0, 0.0)),
    poses=(
        arms(0.0, *_V, 0.9), arms(3.0, 58, 46, -10, 20, 0.8), arms(4.2, *_V, 0.8), arms(7.0, 64, 50, -10, 24, 0.8),
        body(0.0, 0.9, twist=14, lean=6, rise=-0.03), body(1.0, 0.8, twist=-4), body(2.0, 0.8, twist=-18, lean=2), body(3.0, 0.8, twist=4, rise=0.005, nod=-8), body(4.0, 0.9, twist=14, lean=6, rise=-0.03, nod=-3), body(5.0, 0.8, twist=-4), body(6.0, 0.8, twist=-18, lean=2), body(7.0, 0.8, twist=0, rise=0.0),
    ),
)  # fmt: skip

TO_CENTRE = Phrase(
    "to-the-centre",
    2,
    (0.3, 0.95),
    steps=(
        _on(0.0, "left", 0.08, 0.10), _on(1.0, "right", -0.08, 0.10), _on(2.0, "left", 0.08, 0.10), _touch(3.0, "right", -0.09, 0.06, 0.14),
        _on(4.0, "right", -0.08, -0.12), _on(5.0, "left", 0.08, -0.12), _on(6.0, "right", -0.08, -0.12), _touch(7.0, "left", 0.09, 0.0, 0.06),
    ),
    path=((-0.5, 0, 0, 0), (0, 0, 0.14, 0), (1, 0, 0.46, 0), (2, 0, 0.74, 0), (3.4, 0, 0.80, 0), (4, 0, 0.72, 0), (5, 0, 0.44, 0), (6, 0, 0.14, 0), (7, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        arms(0.0, 20, 32, 0, 16, 0.9), arms(1.2, 76, 34, 0, 14, 1.2), arms(2.8, 140, 36, -10, 14, 1.5), arms(3.6, 150, 34, -10, 12, 0.8), arms(5.2, 70, 36, 0, 16, 1.4), arms(7.0, -16, 32, 0, 12, 1.5),
        body(0.0, 0.9, lean=14, nod=8, rise=-0.04), body(1.6, 1.0, lean=6, nod=0), body(3.0, 1.1, lean=-7, nod=-16, rise=0.01), body(5.0, 1.2, lean=6, nod=0, rise=-0.01), body(7.0, 1.2, lean=18, nod=12, rise=-0.06), body(8.0, 0.8, lean=1, nod=-3, rise=-0.004),
    ),
)  # fmt: skip

CHERKESSIA = Phrase(
    "cherkessia",
    2,
    (0.45, 1.0),
    steps=(
        _on(0.0, "left", 0.0, 0.32), _on(1.0, "right", -0.10, -0.02), _on(2.0, "left", 0.06, -0.30), _on(3.0, "right", -0.10, 0.0),
        _on(4.0, "left", 0.0, 0.32), _on(5.0, "right", -0.10, -0.02), _on(6.0, "left", 0.06, -0.30), _on(7.0, "right", -0.09, 0.0),
    ),
    path=((0, 0, 0, 0), (4, 0, 0, -20), (8, 0, 0, 0)),
    poses=(
        *(pose for first in (0.0, 4.0) for pose in (
            arms(first, 96, 30, -10, 20, 0.9), arms(first + 1.0, 50, 60, -10, 24, 0.8), arm(first + 2.0, "left", 10, 120, -30, 10, 0.9), arm(first + 2.0, "right", 4, 96, -10, 10, 0.9), arms(first + 3.0, 50, 60, -10, 24, 0.8),
            body(first, 0.8, lean=17, twist=16, nod=8), body(first + 1.0, 0.8, lean=2, twist=0, nod=0), body(first + 2.0, 0.8, lean=-9, twist=12, nod=-10, look=14), body(first + 3.0, 0.8, lean=3, twist=0, nod=-3, look=0),
        )),
    ),
    bounce=1.1,
)  # fmt: skip

YEMENITE = Phrase(
    "yemenite",
    2,
    (0.0, 0.6),
    steps=(
        _on(0.0, "left", 0.30, 0.0, 12, swing=0.7), _on(1.0, "right", -0.06, -0.02), _on(2.0, "left", -0.16, 0.18, -16, settle=0.8),
        _on(4.0, "right", -0.32, 0.0, -12, swing=0.7), _on(5.0, "left", 0.06, -0.02), _on(6.0, "right", 0.14, 0.18, 16, settle=0.8),
    ),
    poses=(
        arms(0.4, *_V, 1.2), arm(2.2, "left", 70, 30, -10, 20, 1.2), arm(2.2, "right", -20, 50, 0, 14, 1.2), arms(3.8, *_V, 1.2), arm(6.2, "right", 70, 30, -10, 20, 1.2), arm(6.2, "left", -20, 50, 0, 14, 1.2), arms(7.8, *_V, 1.2),
        body(0.2, 1.0, side=9, rise=-0.10, lean=8), body(1.0, 0.8, side=-3, rise=-0.04), body(2.3, 1.1, twist=-26, rise=0.006, look=20, lean=-3, side=0), body(3.4, 1.0, rise=-0.06, twist=0, look=0), body(4.2, 1.0, side=-9, rise=-0.10, lean=8), body(5.0, 0.8, side=3, rise=-0.04), body(6.3, 1.1, twist=26, rise=0.006, look=-20, lean=-3, side=0), body(7.6, 1.0, twist=0, look=0, rise=-0.004, lean=1),
    ),
    bounce=0.7,
)  # fmt: skip

HASAPIKO = Phrase(
    "hasapiko",
    2,
    (0.0, 0.6),
    steps=(
        Step("left", 0.0, 0.06, 0.42, swing=0.8, lift=0.03, settle=0.3),
        Step("right", 2.0, -0.16, 0.44, swing=1.3, lift=0.16, weight=0.1, landing="ball", settle=9.0),
        Step("right", 4.0, -0.10, -0.10, swing=1.1, lift=0.04, landing="ball", settle=0.6),
        _on(5.0, "left", -0.14, -0.26, -16), _on(6.0, "right", -0.34, -0.06, -10), _on(7.0, "left", -0.16, 0.04, 6, swing=0.7),
    ),
    path=((0, 0, 0, 0), (8, -0.2, 0, 0)),
    poses=(
        arms(0.0, 10, 84, 0, 22, 1.0), arms(1.4, 14, 92, 0, 10, 1.2), arms(4.2, 2, 82, 0, 26, 1.4), arms(7.0, 8, 88, 0, 16, 1.2),
        body(0.2, 1.0, rise=-0.15, lean=10, nod=8), body(1.4, 1.0, rise=-0.17, side=-5), body(2.2, 1.1, rise=-0.02, lean=-6, nod=-6, side=4), body(4.0, 1.2, rise=-0.04, lean=8, side=0, nod=4), body(5.0, 0.9, twist=-14, rise=-0.11, look=-20), body(6.2, 0.9, twist=10, rise=-0.05), body(7.4, 0.9, twist=0, look=0, rise=-0.01, lean=1, nod=-3),
    ),
    bounce=0.5,
    hands=hands(0.0, "flat"),
)  # fmt: skip

STEP_HOP = Phrase(
    "step-hop",
    2,
    (0.5, 1.0),
    steps=(
        _on(0.0, "left", 0.14, 0.02), *hopped(1.0, "left", 0.12, 0.02, (2.0, -0.14, 0.02), lift=0.26), *hopped(3.0, "right", -0.12, 0.02, (4.0, 0.14, 0.02), lift=0.26),
        *hopped(5.0, "left", 0.12, 0.02, (6.0, -0.14, 0.02), lift=0.26), _touch(7.0, "left", 0.12, 0.14, 0.10),
    ),
    jumps=(Jump(1.0, 0.045), Jump(3.0, 0.045), Jump(5.0, 0.045)),
    path=((0, 0, 0, 0), (0.6, 0, 0.05, -30), (2.6, 0, 0.1, 30), (4.6, 0, 0.15, -30), (6.6, 0, 0.18, 0), (8, 0, 0.18, 0)),
    poses=(
        arms(0.2, *_W, 0.9), arms(1.0, 30, 46, -80, 96, 0.8), arms(2.0, *_W, 0.8), arms(3.0, 30, 46, -80, 96, 0.8), arms(4.0, *_W, 0.8), arms(5.0, 30, 46, -80, 96, 0.8), arms(6.2, *_W, 0.8),
        body(0.2, 0.8, lean=8), body(1.0, 0.8, lean=-5, nod=-8, side=-4), body(2.0, 0.8, lean=8, nod=0, side=0), body(3.0, 0.8, lean=-5, nod=-8, side=4), body(4.0, 0.8, lean=8, nod=0, side=0), body(5.0, 0.8, lean=-5, nod=-8, side=-4), body(6.4, 0.9, lean=4, nod=-3, side=0),
    ),
    bounce=0.4,
)  # fmt: skip

DEBKA = Phrase(
    "debka",
    2,
    (0.4, 1.0),
    steps=(
        Step("left", 0.0, 0.12, 0.26, swing=0.5, lift=0.07, weight=0.1, landing="heel", settle=9.0), _on(1.0, "left", 0.12, 0.0), _stamp(2.0, "right", -0.06, 0.12, 0.3), _stamp(3.0, "right", -0.10, 0.02, 0.9),
        Step("left", 4.0, 0.16, 0.26, yaw=14, swing=0.5, lift=0.07, weight=0.1, landing="heel", settle=9.0), _on(5.0, "left", 0.12, 0.0), *jumped(6.0, (0.15, 0.02), (-0.15, 0.02)), _stamp(7.0, "right", -0.10, 0.02, 0.8),
    ),
    jumps=(Jump(6.0, 0.06),),
    path=((0, 0, 0, 0), (0.4, 0, 0, -24), (1.4, 0, 0, 0), (3.4, 0, 0, 0), (4.2, 0, 0, 26), (5.4, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        arms(0.0, -26, 22, 60, 64, 0.9), arms(3.0, -22, 26, 60, 72, 0.8), arms(5.6, -30, 20, 50, 50, 0.8), arms(7.2, -24, 24, 60, 66, 0.8),
        body(0.0, 0.8, lean=-5, twist=-14, nod=-6, rise=-0.03), body(1.0, 0.8, lean=12, twist=0, rise=-0.06), body(2.0, 0.6, lean=22, nod=12, rise=-0.11, shrug=4), body(3.0, 0.6, lean=18, rise=-0.09), body(4.0, 0.8, lean=-5, twist=16, nod=-6, rise=-0.03, shrug=0), body(5.2, 0.8, lean=14, twist=0, rise=-0.05), body(6.2, 0.7, lean=4, nod=-4), body(7.0, 0.7, lean=20, rise=-0.10, nod=10), body(8.0, 0.8, lean=1, nod=-3, rise=-0.004),
    ),
    bounce=0.7,
    hits=((2.0, 0.5), (3.0, 0.6), (7.0, 0.6)),
    hands=hands(0.0, "fist"),
)  # fmt: skip

PAS_DE_BASQUE = Phrase(
    "pas-de-basque",
    2,
    (0.45, 0.95),
    steps=(
        _on(0.0, "left", 0.30, 0.0, 8, lift=0.08), _on(1.0, "right", 0.18, 0.20, 0, swing=0.5), _on(1.5, "left", 0.22, -0.02, swing=0.36), _touch(3.0, "right", -0.02, 0.10, 0.08),
        _on(4.0, "right", -0.30, 0.0, -8, lift=0.08), _on(5.0, "left", -0.18, 0.20, 0, swing=0.5), _on(5.5, "right", -0.22, -0.02, swing=0.36), _touch(7.0, "left", 0.04, 0.08, 0.08),
    ),
    poses=(
        arm(0.2, "left", 20, 120, -20, 46, 0.9), arm(0.2, "right", *_HIPS, 0.9), arm(2.0, "left", 24, 134, -20, 36, 1.0), arm(3.0, "left", 40, 70, 0, 40, 0.9), arm(4.2, "right", 20, 120, -20, 46, 0.9), arm(4.2, "left", *_HIPS, 0.9), arm(6.0, "right", 24, 134, -20, 36, 1.0), arm(7.2, "right", 40, 70, 0, 40, 0.9),
        body(0.2, 0.8, side=7, rise=-0.02, look=14), body(1.2, 0.8, twist=14, lean=6, look=18), body(2.2, 1.0, side=-6, twist=0, nod=-6), body(4.2, 0.8, side=-7, look=-14, nod=-2), body(5.2, 0.8, twist=-14, lean=6, look=-18), body(6.2, 1.0, side=6, twist=0, nod=-6), body(7.6, 0.9, side=0, look=0, lean=1, nod=-3),
    ),
    bounce=1.1,
    hands=(*hands(0.0, "fist"),),
)  # fmt: skip

BUZZ_TURN = Phrase(
    "buzz-turn",
    2,
    (0.45, 1.0),
    steps=(
        *(
            step
            for k in range(6)
            for step in (_on(float(k), "right", -0.04, 0.06, swing=0.42, lift=0.03), _on(k + 0.5, "left", 0.13, -0.04, swing=0.34, lift=0.03, weight=0.5))
        ),
        _stamp(6.0, "right", -0.12, 0.04, 0.9), _stamp(7.0, "left", 0.11, 0.02, 0.6),
    ),
    path=(*((float(k), 0.0, 0.0, -62.0 * k) for k in range(6)), (5.8, 0, 0, -360), (8, 0, 0, -360)),
    poses=(
        arm(0.2, "left", 24, 128, -20, 30, 1.0), arm(0.2, "right", 60, 10, 50, 60, 1.0), arm(3.0, "left", 20, 138, -20, 24, 1.4), arm(5.0, "right", 50, 20, 44, 70, 1.2), arms(6.2, *_HIPS, 0.8), arms(7.6, 6, 34, -20, 46, 0.8),
        body(0.4, 0.9, side=-7, twist=-12, look=-26, nod=-6), body(3.0, 1.2, side=-9, lean=-3), body(5.4, 0.9, side=0, twist=0, look=0, lean=4), body(6.2, 0.7, rise=-0.07, lean=12, nod=6), body(7.6, 0.8, rise=-0.004, lean=1, nod=-3),
    ),
    hands=(*hands(5.8, "fist"),),
)  # fmt: skip

SEVENS = Phrase(
    "sevens-and-stamps",
    2,
    (0.4, 1.0),
    steps=(
        *(
            _on(0.5 * k, "left" if k % 2 == 0 else "right", 0.10 + 0.085 * k if k % 2 == 0 else -0.02 + 0.085 * k, 0.02 if k % 2 == 0 else -0.10, swing=0.34, lift=0.03, settle=0.2)
            for k in range(7)
        ),
        _stamp(4.0, "right", 0.42, 0.06, 0.3), _stamp(5.0, "right", 0.40, 0.0, 0.9), _stamp(6.0, "left", 0.58, 0.08, 0.3), _stamp(7.0, "left", 0.58, 0.0, 0.9),
    ),
    path=((0, 0, 0, 0), (8, 0.50, 0, 0)),
    poses=(
        arms(0.0, -14, -23, 24, 18, 0.9), arms(3.4, -19, -22, 24, 18, 0.9), arms(4.4, -1, -1, 10, 58, 0.7), arms(5.2, -19, -23, 24, 18, 0.7), arms(6.2, -1, -1, 10, 58, 0.7), arms(7.2, -14, -23, 24, 18, 0.7),
        body(0.2, 0.8, lean=-4, twist=-8, look=-16, rise=0.004, nod=-6), body(2.0, 1.2, twist=8, look=18), body(4.0, 0.7, lean=10, twist=8, nod=6, rise=-0.05, look=0), body(5.0, 0.7, lean=4, rise=-0.02, twist=0), body(6.0, 0.7, lean=12, twist=-8, nod=6, rise=-0.06), body(7.2, 0.8, lean=1, twist=0, nod=-3, rise=-0.004),
    ),
    bounce=0.9,
)  # fmt: skip

KERCHIEF = Phrase(
    "kerchief",
    2,
    (0.4, 0.95),
    steps=(
        _on(0.0, "left", 0.08, 0.10, swing=0.7), _on(1.0, "right", -0.08, 0.08, swing=0.7), _on(2.0, "left", 0.10, 0.04, 20, swing=0.7), _touch(3.0, "right", -0.02, 0.16, 0.05),
        _on(4.0, "right", -0.08, 0.08, swing=0.7), _on(5.0, "left", 0.08, 0.08, swing=0.7), _on(6.0, "right", -0.10, 0.0, -10, swing=0.7), _touch(7.0, "left", 0.09, 0.06, 0.05),
    ),
    path=((0, 0, 0.08, 30), (1, 0.14, 0.28, 50), (2, 0.36, 0.42, 70), (3.4, 0.40, 0.42, 50), (4, 0.36, 0.36, 130), (5, 0.54, 0.20, 180), (6, 0.50, 0.02, 260), (7, 0.48, 0, 340), (8, 0.48, 0, 360)),
    poses=(
        arm(0.0, "right", 150, 36, -10, 50, 1.2), arm(0.0, "left", 10, 84, 0, 14, 1.2), arm(1.0, "right", 140, 60, -20, 30, 0.9), arm(2.0, "right", 156, 20, 0, 66, 0.9), arm(3.0, "right", 138, 64, -20, 26, 0.9), arm(4.0, "right", 156, 20, 0, 66, 0.9), arm(5.0, "right", 138, 64, -20, 26, 0.9), arm(6.0, "right", 156, 20, 0, 66, 0.9), arm(7.2, "right", 60, 70, 0, 30, 1.0),
        body(0.2, 1.0, side=-5, look=-12, nod=-8), body(2.2, 1.2, twist=-12, side=6, look=-20), body(3.4, 1.0, rise=-0.04, lean=4), body(4.6, 1.0, twist=8, side=-6, rise=0.0, look=0), body(6.4, 1.2, twist=-6, side=0), body(7.6, 0.9, twist=0, lean=1, nod=-3),
    ),
    bounce=0.9,
    hands=hands(0.0, "fist"),
)  # fmt: skip

PHRASES = (
    HORA, MAYIM, TO_CENTRE, CHERKESSIA, YEMENITE, HASAPIKO, STEP_HOP, DEBKA, PAS_DE_BASQUE, BUZZ_TURN, SEVENS, KERCHIEF,
)  # fmt: skip
