"""Rumba: straightened legs, hips that settle long after the step, arms that are still on their way; 4/4, phrases of two bars.

Steps fall on 2, 3 and 4, the hips settle through 1; the box is the slow-quick-quick of the American rumba.
"""

from __future__ import annotations

from choreodb.sample.latin import check, walked
from choreodb.sample.phrases import Hand, Phrase, Pose, Shift, Step, arm, arms, body, hands
from choreodb.sample.truth import Foot

POSTURE = (
    ("lean", 0.0), ("nod", -5.0), ("rise", 0.003), ("drive", 0.015),
    ("left_fwd", 18.0), ("left_out", 40.0), ("left_turn", 18.0), ("left_bend", 56.0),
    ("right_fwd", 18.0), ("right_out", 40.0), ("right_turn", 18.0), ("right_bend", 56.0),
)  # fmt: skip


def _go(beat: float, foot: Foot, x: float, z: float, yaw: float = 0.0, **also: float) -> Step:
    """A slow step that lands on the ball and rolls down."""
    return Step(foot, beat, x, z, yaw=yaw, swing=0.75, lift=0.02, landing="ball", settle=0.6, **also)  # type: ignore[arg-type]


def _brush(beat: float, foot: Foot, x: float, z: float) -> Step:
    """The free foot drawn in beside the other one through the slow count, without weight."""
    return Step(foot, beat, x, z, swing=0.7, lift=0.012, weight=0.08, landing="ball", settle=9.0)


def _settle(steps: tuple[Step, ...], size: float = 1.15) -> tuple[Pose, ...]:
    """Hips that arrive over the foot half a beat after it and keep going through the slow count."""
    return walked(steps, size=size, after=0.6, over=1.0)


_BASIC = (
    *check(1.0, "left", (0.06, 0.36), (-0.10, -0.02)), _go(3.0, "left", 0.34, 0.0), _brush(4.1, "right", 0.18, 0.06),
    *check(5.0, "right", (0.20, -0.36), (0.34, 0.0)), _go(7.0, "right", -0.06, 0.0),
)  # fmt: skip

BASIC = Phrase(
    "basic",
    2,
    (0.0, 0.65),
    steps=_BASIC,
    path=((0, 0, 0, 0), (1, 0, 0, -6), (2, 0, 0, 10), (3, 0.02, 0, 66), (4.2, 0.04, 0, 80), (5, 0.04, 0, 72), (6, 0.04, 0, 92), (7, 0.08, 0, 150), (8, 0.12, 0, 166)),
    poses=(
        *_settle(_BASIC),
        arm(1.4, "right", 78, 26, 83, 23, 1.5), arm(1.4, "left", -27, 70, 28, 8, 1.5), arm(3.8, "left", 48, 142, -5, 8, 1.8), arm(3.8, "right", 54, 94, 39, 30, 1.8),
        arm(5.6, "left", 78, 26, 83, 23, 1.5), arm(5.6, "right", -27, 70, 28, 8, 1.5), arm(7.8, "right", 48, 142, -5, 8, 1.8), arm(7.8, "left", 54, 94, 39, 30, 1.8),
        body(1.3, 1.0, twist=-16, lean=4), body(3.6, 1.2, twist=-6, lean=-2, look=24, side=6), body(5.3, 1.0, twist=16, lean=-6, look=0, side=0), body(7.6, 1.2, twist=6, lean=0, look=-24, side=-6),
    ),
)  # fmt: skip

_BOX = (
    _go(0.0, "left", 0.10, 0.38), _go(2.0, "right", -0.32, 0.38), Step("left", 3.0, -0.12, 0.38, swing=0.6, lift=0.02, landing="ball", settle=0.6),
    _go(4.0, "right", -0.32, -0.02), _go(6.0, "left", 0.10, 0.0), Step("right", 7.0, -0.10, 0.0, swing=0.6, lift=0.02, landing="ball", settle=0.6),
)  # fmt: skip

BOX = Phrase(
    "box",
    2,
    (0.0, 0.55),
    steps=_BOX,
    path=((0, 0, 0, 0), (1, 0, 0, -20), (2, 0, 0, -70), (4, 0, 0, -126), (6, 0, 0, -200), (8, 0, 0, -256)),
    poses=(
        *_settle(_BOX, 1.3),
        arm(0.8, "left", 84, 66, -10, 24, 1.6), arm(0.8, "right", 80, 34, 40, 84, 1.6), arm(3.4, "left", 90, 76, -20, 16, 1.6), arm(3.4, "right", 76, 40, 40, 90, 1.6), arm(5.6, "left", 80, 60, 0, 34, 1.6), arm(5.6, "right", 84, 30, 44, 76, 1.6), arms(8.0, 60, 44, 26, 70, 1.4),
        body(0.8, 1.2, look=26, side=7, lean=-4, nod=-8), body(2.8, 1.0, side=-5, twist=8), body(4.8, 1.2, look=30, side=7, lean=-6), body(6.8, 1.0, side=-4, twist=-6, lean=-2), body(8.0, 1.2, look=0, side=0, lean=0, nod=-5),
    ),
)  # fmt: skip

_WALKS = (
    _go(1.0, "left", 0.03, 0.06), _go(2.0, "right", -0.03, 0.06), _go(3.0, "left", 0.03, 0.06, -6),
    _go(5.0, "right", -0.03, 0.06), _go(6.0, "left", 0.03, 0.06), _go(7.0, "right", -0.09, 0.02, 6),
)  # fmt: skip

CUBAN_WALKS = Phrase(
    "cuban-walks",
    2,
    (0.35, 1.0),
    steps=_WALKS,
    path=((0, 0, 0, 0), (0.4, 0, 0.06, 0), (1, 0, 0.3, 24), (2, 0.06, 0.64, 46), (3, 0.2, 0.96, 70), (4.2, 0.22, 1.0, 74), (5, 0.4, 1.16, 30), (6, 0.44, 1.48, -16), (7, 0.36, 1.66, -46), (8, 0.36, 1.66, -40)),
    poses=(
        *_settle(_WALKS, 1.4),
        arm(1.0, "right", 37, 6, -18, 8, 1.2), arm(1.0, "left", -46, 1, -18, 8, 1.2), arm(2.2, "left", 37, 6, -18, 8, 1.2), arm(2.2, "right", -46, 1, -18, 8, 1.2), arm(3.4, "right", 32, 11, -18, 8, 1.2), arm(3.4, "left", -46, 4, -18, 8, 1.2),
        arm(5.2, "left", 37, 6, -18, 8, 1.3), arm(5.2, "right", -46, 1, -18, 8, 1.3), arm(6.4, "right", 68, 90, -42, 25, 1.2), arm(7.6, "right", 116, 66, -30, 73, 1.4), arm(7.6, "left", -28, 18, -18, 8, 1.4),
        body(1.0, 0.9, twist=14, lean=-3), body(2.0, 0.9, twist=-14), body(3.4, 1.0, twist=14, look=16, nod=-9), body(5.2, 0.9, twist=-14, look=0, nod=-5), body(6.2, 0.9, twist=12, lean=0), body(7.6, 1.0, twist=-8, look=-16, side=-6, nod=-10),
    ),
    hands=(*hands(3.0, "flat", 1.0), *hands(6.0, "relaxed", 1.0)),
)  # fmt: skip

_FAN = (
    *check(1.0, "left", (0.08, 0.34), (-0.10, 0.0)), _go(3.0, "left", 0.28, 0.02), _brush(4.1, "right", 0.12, 0.05),
    _go(5.0, "right", -0.02, -0.26), _go(6.0, "left", 0.16, -0.12, 6), Step("right", 7.0, -0.16, -0.30, yaw=-34, swing=0.8, lift=0.02, landing="ball", settle=0.8),
)  # fmt: skip

FAN = Phrase(
    "fan",
    2,
    (0.25, 0.95),
    steps=_FAN,
    shifts=(Shift(8.2, 0.25),),
    path=((0, 0, 0, 0), (1, 0, 0, -10), (2, 0, 0, 6), (3, 0.1, 0, 40), (4, 0.1, 0, 46), (5, 0.12, 0, 96), (6, 0.12, 0.02, 160), (7, 0.12, 0.04, 180), (8, 0.12, 0.04, 168)),
    poses=(
        *_settle(_FAN),
        arm(1.2, "left", 20, 50, 0, 20, 1.4), arm(1.2, "right", 76, 10, 20, 12, 1.4), arms(3.4, 14, 24, 40, 96, 1.4), arm(4.8, "left", 84, 24, 0, 10, 1.4), arm(4.8, "right", -20, 40, 50, 90, 1.3),
        arm(7.4, "left", 96, 46, -10, 8, 2.0), arm(7.4, "right", 10, 124, -40, 12, 2.0),
        body(1.3, 1.0, lean=7), body(3.6, 1.2, lean=-3, twist=14, look=24, rise=-0.03), body(5.2, 1.0, twist=-16, look=-10, rise=0.003), body(7.4, 1.6, lean=-10, twist=-24, side=-9, look=34, nod=-12),
    ),
    hands=hands(6.6, "flat", 1.2),
)  # fmt: skip

_OPENING_OUT = (
    *check(1.0, "left", (0.32, -0.24), (-0.10, 0.0)), _go(3.0, "left", 0.09, 0.02), _brush(4.1, "right", -0.06, 0.05),
    *check(5.0, "right", (-0.32, -0.24), (0.10, 0.0)), _go(7.0, "right", -0.09, 0.0),
)  # fmt: skip

OPENING_OUT = Phrase(
    "opening-out",
    2,
    (0.15, 0.75),
    steps=_OPENING_OUT,
    path=((0, 0, 0, 0), (1.2, 0, 0, 66), (2.2, 0, 0, 44), (3.4, 0, 0, 0), (4.2, 0, 0, 0), (5.2, 0, 0, -66), (6.2, 0, 0, -44), (7.4, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *_settle(_OPENING_OUT),
        arm(1.6, "left", -30, 104, -40, 8, 1.8), arm(1.6, "right", 44, 6, 60, 100, 1.6), arm(3.8, "left", 60, 0, 60, 90, 1.8), arm(3.8, "right", 44, 6, 60, 100, 1.6),
        arm(5.6, "right", -30, 104, -40, 8, 1.8), arm(5.6, "left", 44, 6, 60, 100, 1.6), arm(7.8, "right", 60, 0, 60, 90, 1.8), arm(7.8, "left", 44, 6, 60, 100, 1.6),
        body(1.6, 1.4, twist=36, lean=-9, look=34, nod=-10, rise=-0.06), body(3.6, 1.5, twist=-8, lean=10, look=0, nod=12, rise=-0.02, wave=10), body(5.6, 1.4, twist=-36, lean=-9, look=-34, nod=-10, rise=-0.06, wave=0), body(7.6, 1.5, twist=8, lean=10, look=0, nod=12, rise=-0.02, wave=10),
    ),
    hands=(*hands(1.0, "flat", 1.0), *hands(3.4, "relaxed", 1.0), *hands(5.0, "flat", 1.0)),
)  # fmt: skip

_NEW_YORKER = (
    *check(1.0, "left", (0.05, 0.48), (-0.04, 0.12)), _go(3.0, "left", 0.24, 0.0), _brush(4.1, "right", 0.08, 0.05), *check(5.0, "right", (-0.05, 0.50), (0.04, 0.28)), _go(7.0, "right", -0.10, 0.0),
)  # fmt: skip

NEW_YORKER = Phrase(
    "new-yorker",
    2,
    (0.35, 1.0),
    steps=_NEW_YORKER,
    path=((0, 0, 0, 0), (0.3, 0, 0, -10), (1, 0, 0, -78), (2.2, 0, 0, -70), (3.2, 0, 0, 0), (4.2, 0, 0, 10), (5, 0, 0, 78), (6.2, 0, 0, 70), (7.2, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *_settle(_NEW_YORKER),
        arm(1.4, "right", 120, 66, -20, 12, 1.6), arm(1.4, "left", 30, 104, -20, 10, 1.5), arms(3.2, 96, 70, -10, 40, 1.5), arm(5.4, "left", 120, 66, -20, 12, 1.6), arm(5.4, "right", 30, 104, -20, 10, 1.5), arms(7.2, 96, 70, -10, 40, 1.5),
        body(1.4, 1.1, lean=-9, side=10, nod=-18, twist=10), body(3.4, 1.3, lean=2, side=0, nod=-2, twist=0), body(5.4, 1.1, lean=-9, side=-10, nod=-18, twist=-10), body(7.4, 1.3, lean=2, side=0, nod=-2, twist=0),
    ),
    hands=(*hands(0.8, "flat", 1.0), *hands(3.4, "relaxed", 1.0), *hands(4.8, "flat", 1.0)),
)  # fmt: skip

_SPIRAL = (
    _go(1.0, "left", 0.02, 0.10), Step("right", 2.0, -0.04, 0.10, swing=0.75, lift=0.03, landing="ball", settle=0.6), _go(3.0, "left", 0.04, 0.06),
    _go(5.0, "right", -0.05, 0.06), _go(6.0, "left", 0.05, 0.04), _go(7.0, "right", -0.10, 0.0),
)  # fmt: skip

SPIRAL = Phrase(
    "spiral",
    2,
    (0.35, 1.0),
    steps=_SPIRAL,
    path=((0, 0, 0, 0), (1, 0.0, 0.26, 10), (2, 0.02, 0.52, 10), (3, 0.02, 0.80, 0), (3.2, 0.02, 0.80, -8), (4.4, 0.0, 0.80, -340), (5, -0.04, 0.94, -386), (6, -0.16, 0.98, -470), (7, -0.16, 0.86, -530), (8, -0.16, 0.84, -540)),
    poses=(
        *_settle(_SPIRAL, 1.0),
        arm(1.2, "left", 60, 40, 10, 36, 1.2), arm(1.2, "right", -10, 60, 0, 30, 1.2), arm(2.8, "left", 30, 60, 10, 50, 1.2), arm(2.8, "right", 60, 50, 0, 40, 1.2), arm(4.0, "right", 156, 20, 10, 44, 1.2), arm(4.0, "left", 58, 14, 50, 80, 1.2),
        arm(5.8, "right", 50, 92, -20, 16, 1.6), arm(5.8, "left", 10, 74, 0, 20, 1.6), arms(7.6, 30, 46, 16, 56, 1.4),
        body(1.2, 0.9, twist=10), body(2.8, 0.9, twist=18, lean=-3), body(3.9, 1.0, twist=-18, rise=0.014, nod=-7), body(5.4, 1.2, twist=8, rise=0, lean=0, look=20), body(7.4, 1.2, twist=0, look=0),
    ),
)  # fmt: skip

_CUCARACHA = (
    *check(1.0, "left", (0.46, 0.02), (-0.12, 0.0)), _go(3.0, "left", 0.08, 0.02), _brush(4.1, "right", -0.07, 0.05), *check(5.0, "right", (-0.46, 0.02), (0.12, 0.0)), _go(7.0, "right", -0.08, 0.0),
)  # fmt: skip

CUCARACHA = Phrase(
    "cucaracha",
    2,
    (0.0, 0.55),
    steps=_CUCARACHA,
    path=((0, 0, 0, 0), (1.2, 0, 0, -22), (3.2, 0, 0, 30), (4.2, 0, 0, 34), (5.2, 0, 0, 56), (7.2, 0, 0, 12), (8, 0, 0, 6)),
    poses=(
        *_settle(_CUCARACHA, 1.7),
        arms(1.0, 84, 50, 0, 40, 1.4), arm(2.0, "left", 10, 92, -10, 20, 1.2), arm(3.8, "left", -16, 40, 60, 96, 1.5), arm(3.8, "right", 130, 60, 10, 84, 1.8),
        arm(5.4, "right", 150, 50, 0, 60, 1.4), arm(6.4, "right", 10, 92, -10, 20, 1.3), arm(7.8, "right", -16, 40, 60, 96, 1.5), arm(7.8, "left", 130, 60, 10, 84, 1.8),
        body(1.4, 1.2, rise=-0.035, wave=6, look=26, nod=6), body(2.6, 1.0, rise=0.003, wave=-5, nod=-6), body(3.8, 1.2, tip=-8, look=-10), body(5.4, 1.2, rise=-0.035, wave=6, look=-26, nod=6), body(6.6, 1.0, rise=0.003, wave=-5, nod=-6), body(7.8, 1.2, tip=8, look=10),
    ),
    hands=(Hand(3.4, "left", "flat"), Hand(7.4, "right", "flat")),
)  # fmt: skip

_SLIDING_DOORS = (
    *check(1.0, "left", (0.06, -0.36), (-0.08, 0.0)), _go(3.0, "left", -0.22, 0.16, -10), *check(5.0, "right", (0.10, -0.30), (-0.12, 0.06)), _go(7.0, "right", 0.02, 0.12, 8), Step("left", 8.0, 0.12, 0.02, swing=0.8, lift=0.02, landing="ball", settle=0.6),
)  # fmt: skip

SLIDING_DOORS = Phrase(
    "sliding-doors",
    2,
    (0.35, 0.95),
    steps=_SLIDING_DOORS,
    path=((0, 0, 0, 0), (1, 0, 0, 44), (2, 0, 0, 40), (3, -0.1, 0, -16), (4, -0.12, 0, -30), (5, -0.12, 0, -80), (6, -0.06, 0, -70), (7, 0.02, 0.02, 0), (8, 0, 0, 10)),
    poses=(
        *_settle(_SLIDING_DOORS, 1.1),
        arms(1.4, 14, 100, -30, 12, 1.6), arms(3.2, 56, 2, 54, 62, 1.4), arms(4.4, 48, 8, 54, 90, 1.2), arm(5.6, "left", 14, 104, -30, 12, 1.4), arm(5.6, "right", 120, 60, -20, 30, 1.5), arms(7.4, 52, 4, 50, 66, 1.4), arms(8.3, 20, 40, 18, 56, 1.2),
        body(1.4, 1.2, lean=-9, nod=-10), body(3.2, 1.2, lean=9, twist=-18, nod=8, rise=-0.03, wave=8), body(5.5, 1.2, lean=-8, twist=14, side=-8, look=-26, nod=-10, rise=0.003, wave=0), body(7.4, 1.2, lean=8, twist=14, side=0, look=12, nod=6, rise=-0.03), body(8.4, 1.2, lean=0, twist=0, rise=0.003, look=0, nod=-5),
    ),
    hands=(*hands(1.0, "flat", 1.0), *hands(4.0, "relaxed"), *hands(5.2, "flat", 1.0)),
)  # fmt: skip

_LUNGE = (
    _go(1.0, "left", 0.42, 0.06, 30), Step("right", 3.0, -0.18, 0.14, swing=1.3, lift=0.03, weight=0.1, landing="ball", settle=9.0, arc=0.14),
    _go(5.0, "right", -0.14, -0.24), _go(6.0, "left", 0.12, 0.0), _go(7.0, "right", -0.09, 0.02),
)  # fmt: skip

LUNGE = Phrase(
    "lunge",
    2,
    (0.3, 0.95),
    steps=_LUNGE,
    path=((0, 0, 0, 0), (1, 0.06, 0, 40), (2, 0.08, 0, 46), (4, 0.1, 0, -50), (5, 0.1, 0, -70), (6, 0.06, 0, -120), (7, 0.02, 0, -160), (8, 0, 0, -170)),
    poses=(
        *_settle(_LUNGE, 0.9),
        arm(1.4, "left", 24, 84, -10, 16, 1.4), arm(1.4, "right", 60, 14, 40, 80, 1.4), arm(2.6, "right", 158, 30, -10, 26, 1.8), arm(2.6, "left", 0, 96, -30, 20, 1.4), arm(4.2, "right", 70, 84, -10, 20, 1.6), arm(5.4, "left", 60, 20, 40, 80, 1.4), arm(5.4, "right", -10, 70, 0, 20, 1.4), arms(7.4, 20, 42, 18, 56, 1.4),
        body(1.3, 1.2, rise=-0.13, side=10, lean=4, look=30), body(2.6, 1.4, side=-16, lean=-10, look=-16, nod=-20, twist=-8), body(4.2, 1.3, rise=0.006, side=0, lean=0, nod=-4, twist=-16, look=-24), body(6.0, 1.3, twist=10, look=0), body(7.6, 1.2, twist=0, rise=0.003),
    ),
    hands=(*hands(1.0, "flat", 1.0), *hands(5.4, "relaxed", 1.0)),
)  # fmt: skip

_AIDA = (
    _go(1.0, "left", 0.04, 0.26), _go(2.0, "right", -0.16, 0.02), _go(3.0, "left", 0.10, -0.30),
    Step("right", 5.0, -0.08, 0.06, swing=0.6, lift=0.02, landing="ball", settle=0.6), Step("left", 6.0, 0.09, -0.26, swing=0.6, lift=0.02, landing="ball", settle=0.6), _go(7.0, "right", -0.12, 0.10), Step("left", 8.0, 0.10, 0.0, swing=0.8, lift=0.03, landing="ball", settle=0.6),
)  # fmt: skip

AIDA = Phrase(
    "aida",
    2,
    (0.3, 1.0),
    steps=_AIDA,
    path=((0, 0, 0, 0), (0.6, 0, 0.02, 16), (1, 0.02, 0.06, 56), (2, 0.12, 0.08, 116), (3, 0.14, 0.12, 136), (6.2, 0.14, 0.12, 128), (7, 0.12, 0.10, 60), (8, 0.1, 0.08, 0)),
    poses=(
        *_settle(_AIDA, 1.2),
        arm(1.2, "left", 64, 70, 10, 20, 1.2), arm(1.2, "right", 30, 70, 20, 30, 1.2), arm(3.4, "left", -20, 140, -40, 8, 1.8), arm(3.4, "right", 60, 20, 0, 10, 1.7), arm(5.3, "left", 60, 10, 40, 96, 1.4), arm(5.3, "right", 54, 10, 40, 90, 1.4), arm(6.6, "left", -10, 140, -40, 8, 1.3), arm(6.6, "right", 20, 60, 0, 10, 1.3), arms(8.2, 18, 40, 18, 56, 1.2),
        body(1.2, 1.0, twist=18), body(3.6, 1.3, lean=-12, twist=-16, nod=-14, look=26, side=-8), body(5.2, 1.0, lean=10, wave=14, nod=10, side=0, rise=-0.04), body(6.6, 1.0, lean=-14, wave=-8, nod=-18, rise=0.003), body(8.0, 1.2, lean=0, twist=0, nod=-5, look=0, wave=0),
    ),
    hands=(*hands(3.0, "flat", 1.0), *hands(7.0, "relaxed", 1.0)),
)  # fmt: skip

_SPOT_TURN = (
    _go(1.0, "left", 0.02, 0.36), _go(2.0, "right", -0.05, 0.06), _go(3.0, "left", 0.30, 0.02), _brush(4.1, "right", 0.14, 0.06), _go(5.0, "right", -0.02, 0.40), _go(6.0, "left", 0.06, 0.16), _go(7.0, "right", -0.10, 0.0),
)  # fmt: skip

SPOT_TURN = Phrase(
    "spot-turn",
    2,
    (0.45, 1.0),
    steps=_SPOT_TURN,
    path=((0, 0, 0, 0), (0.3, 0, 0, -10), (1, 0, 0, -80), (2, 0, 0, -240), (3, 0, 0, -356), (4.2, 0, 0, -352), (5, 0, 0, -276), (6, 0, 0, -110), (7, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *_settle(_SPOT_TURN[2:3]), *_settle(_SPOT_TURN[5:]),
        arm(1.0, "left", 80, 10, 40, 60, 1.2), arm(1.0, "right", -10, 70, 0, 14, 1.2), arms(2.2, 40, 12, 70, 110, 1.1), arm(3.6, "right", 70, 120, -30, 12, 1.5), arm(3.6, "left", -6, 40, 0, 10, 1.3), arm(4.8, "right", 80, 10, 40, 60, 1.1), arm(4.8, "left", -10, 70, 0, 14, 1.2), arms(6.2, 40, 12, 70, 110, 1.1), arm(7.6, "left", 70, 120, -30, 12, 1.5), arm(7.6, "right", -6, 40, 0, 10, 1.3),
        body(1.0, 0.9, twist=-14, lean=5, rise=-0.03), body(2.2, 1.0, twist=10, rise=0.014, lean=0), body(3.6, 1.2, twist=-10, rise=0, side=-9, look=-10, nod=-12), body(5.0, 0.9, twist=14, lean=5, side=0, look=0, nod=-5, rise=-0.03), body(6.2, 1.0, twist=-10, rise=0.014, lean=0), body(7.6, 1.2, twist=8, rise=0.003, side=8, nod=-12),
    ),
    hands=(*hands(3.0, "flat", 1.0), *hands(5.0, "relaxed"), *hands(7.0, "flat", 1.0)),
)  # fmt: skip

PHRASES = (
    BASIC, BOX, CUBAN_WALKS, FAN, OPENING_OUT, NEW_YORKER, SPIRAL, CUCARACHA, SLIDING_DOORS, LUNGE, AIDA, SPOT_TURN,
)  # fmt: skip
