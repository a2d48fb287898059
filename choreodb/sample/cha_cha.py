"""Cha-cha: small quick steps on straight legs, 2-3-4-and-1, hips that snap and arms that frame; 4/4, phrases of two bars."""

from __future__ import annotations

from choreodb.sample.latin import chasse, check, walked
from choreodb.sample.phrases import Hand, Phrase, Pose, Step, arm, arms, body, hands

POSTURE = (
    ("lean", 1.0), ("nod", -3.0), ("rise", 0.0), ("drive", 0.01),
    ("left_fwd", 24.0), ("left_out", 34.0), ("left_turn", 26.0), ("left_bend", 84.0),
    ("right_fwd", 24.0), ("right_out", 34.0), ("right_turn", 26.0), ("right_bend", 84.0),
)  # fmt: skip

_LEFT = chasse(3.0, "left", (0.24, 0.0), (0.08, 0.0), (0.34, 0.0))
"""The chasse to the left on 4-and-1."""

_HOME = chasse(7.0, "right", (0.02, 0.0), (0.16, 0.0), (-0.12, 0.0))
"""And back again."""


def _open(beat: float, side: str, over: float = 0.7) -> tuple[Pose, Pose]:
    """The line of the check: one arm ahead at the height of the shoulder, the other swept out and back."""
    ahead, behind = ("left", "right") if side == "left" else ("right", "left")
    return arm(beat, ahead, 84, 14, 0, 12, over), arm(beat, behind, -6, 98, -20, 14, over)  # type: ignore[arg-type]


_BASIC = (
    *check(1.0, "left", (0.06, 0.30), (-0.10, -0.02)),
    *_LEFT,
    *check(5.0, "right", (0.16, -0.30), (0.32, 0.0)),
    *_HOME,
)

BASIC = Phrase(
    "basic",
    2,
    (0.0, 0.75),
    steps=_BASIC,
    path=((0, 0, 0, 0), (2, 0, 0, 8), (4, 0.02, 0, 44), (6, 0.02, 0, 56), (8, 0.04, 0, 90)),
    poses=(
        *walked(_BASIC),
        arm(1.0, "right", 50, -25, 46, 113, 0.8), arm(1.0, "left", -46, 0, 3, 67, 0.8), arm(3.0, "left", 24, -5, 46, 107, 0.8), arm(3.0, "right", 18, -2, 46, 107, 0.8),
        arm(5.0, "left", 50, -25, 46, 113, 0.8), arm(5.0, "right", -46, 0, 3, 67, 0.8), arm(7.0, "right", 24, -5, 46, 107, 0.8), arm(7.0, "left", 18, -2, 46, 107, 0.8),
        body(1.0, 0.6, twist=-12, lean=4), body(2.0, 0.6, twist=4, lean=1), body(3.5, 0.7, twist=-6), body(5.0, 0.6, twist=12, lean=-4), body(6.0, 0.6, twist=-4, lean=1), body(7.5, 0.7, twist=6),
    ),
)  # fmt: skip

_NEW_YORKER = (
    *check(1.0, "left", (0.05, 0.46), (-0.04, 0.12)), *_LEFT, *check(5.0, "right", (-0.05, 0.60), (0.04, 0.30)), *_HOME,
)  # fmt: skip

NEW_YORKER = Phrase(
    "new-yorker",
    2,
    (0.3, 1.0),
    steps=_NEW_YORKER,
    path=((0, 0, 0, 0), (0.3, 0, 0, 0), (1, 0, 0, -80), (2, 0, 0, -72), (3, 0, 0, 0), (4.3, 0, 0, 0), (5, 0, 0, 80), (6, 0, 0, 72), (7, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *walked(_NEW_YORKER),
        *_open(1.0, "left"), arms(3.0, 4, 92, -20, 10, 1.0), *_open(5.0, "right"), arms(7.0, 4, 92, -20, 10, 1.0),
        body(1.0, 0.6, lean=5, twist=14, nod=-8, look=-10), body(3.0, 0.8, lean=-3, twist=0, nod=-6, look=0), body(5.0, 0.6, lean=5, twist=-14, nod=-8, look=10), body(7.0, 0.8, lean=-3, twist=0, nod=-6, look=0),
    ),
    hands=(*hands(0.7, "flat"), *hands(2.6, "relaxed"), *hands(4.7, "flat")),
)  # fmt: skip

_HAND_TO_HAND = (
    *check(1.0, "left", (0.10, -0.38), (-0.06, 0.02)), *_LEFT, *check(5.0, "right", (-0.10, -0.50), (0.06, -0.16)), *_HOME,
)  # fmt: skip

HAND_TO_HAND = Phrase(
    "hand-to-hand",
    2,
    (0.3, 1.0),
    steps=_HAND_TO_HAND,
    path=((0, 0, 0, 0), (0.3, 0, 0, 0), (1, 0, 0, 82), (2, 0, 0, 72), (3, 0, 0, 0), (4.3, 0, 0, 0), (5, 0, 0, -82), (6, 0, 0, -72), (7, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *walked(_HAND_TO_HAND),
        arm(1.0, "left", 44, 128, -30, 16, 0.7), arm(1.0, "right", 70, 26, 20, 20, 0.8), arm(2.8, "left", 96, 60, 0, 40, 0.9), arm(2.8, "right", 96, 60, 0, 40, 0.9),
        arm(5.0, "right", 44, 128, -30, 16, 0.8), arm(5.0, "left", 70, 26, 20, 20, 0.8), arm(6.8, "right", 96, 60, 0, 40, 0.9), arm(6.8, "left", 96, 60, 0, 40, 0.9), arms(8.4, 22, 34, 30, 90, 0.8),
        body(1.0, 0.6, lean=-9, twist=10, nod=-10, side=-6), body(2.6, 0.8, lean=3, twist=0, nod=-2, side=0), body(5.0, 0.6, lean=-9, twist=-10, nod=-10, side=6), body(6.6, 0.8, lean=3, twist=0, nod=-2, side=0),
    ),
    hands=(*hands(0.7, "spread"), *hands(2.8, "relaxed"), *hands(4.7, "spread")),
)  # fmt: skip

_SPOT_TURN = (
    Step("left", 1.0, 0.02, 0.34, swing=0.5, lift=0.02, landing="ball", settle=1.4),
    Step("right", 2.0, -0.06, 0.06, swing=0.5, lift=0.03, landing="ball", settle=0.8),
    *_LEFT,
    Step("right", 5.0, -0.02, 0.46, swing=0.5, lift=0.02, landing="ball", settle=1.4),
    Step("left", 6.0, 0.06, 0.18, swing=0.5, lift=0.03, landing="ball", settle=0.8),
    *_HOME,
)

SPOT_TURN = Phrase(
    "spot-turn",
    2,
    (0.4, 1.0),
    steps=_SPOT_TURN,
    path=((0, 0, 0, 0), (0.3, 0, 0, 0), (1, 0, 0, -84), (2, 0, 0, -262), (3, 0, 0, -360), (4.3, 0, 0, -360), (5, 0, 0, -276), (6, 0, 0, -98), (7, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *walked(_LEFT), *walked(_HOME),
        arm(0.6, "left", -12, 46, 72, 104, 0.8), arm(0.6, "right", -6, 84, 0, 14, 0.8), arms(2.0, -10, 48, 74, 108, 0.8), arm(3.4, "left", 10, 100, -20, 10, 0.8), arm(4.8, "right", -12, 46, 72, 104, 0.8), arm(4.8, "left", -6, 84, 0, 14, 0.8), arms(6.0, -10, 48, 74, 108, 0.8), arm(7.4, "right", 10, 100, -20, 10, 0.8),
        body(1.0, 0.6, twist=-10, lean=3), body(2.0, 0.8, twist=8, rise=0.012, lean=-4), body(3.4, 0.8, twist=0, rise=0, side=5, look=20, lean=1), body(5.0, 0.6, twist=10, lean=3, side=0, look=0), body(6.0, 0.8, twist=-8, rise=0.012, lean=-4), body(7.4, 0.8, twist=0, rise=0, side=-5, look=-20, lean=1),
    ),
)  # fmt: skip

_LOCK_STEPS = (
    *check(1.0, "left", (0.08, 0.30), (-0.08, 0.0)),
    *chasse(3.0, "left", (0.08, -0.02), (-0.02, 0.10), (0.08, -0.12)),
    *check(5.0, "right", (-0.09, -0.30), (0.08, 0.0)),
    *chasse(7.0, "right", (-0.08, 0.08), (0.02, -0.06), (-0.09, 0.08)),
)  # fmt: skip

LOCK_STEPS = Phrase(
    "lock-steps",
    2,
    (0.35, 1.0),
    steps=_LOCK_STEPS,
    path=((0, 0, 0, 0), (2, 0, 0, 12), (3, 0, -0.16, 26), (4, 0, -0.46, 26), (6, 0, -0.46, -6), (7, 0, -0.30, -26), (8, 0, -0.02, -22)),
    poses=(
        *walked(_LOCK_STEPS, size=0.8),
        arm(0.8, "right", 104, 20, 0, 12, 0.9), arm(0.8, "left", -14, 96, -20, 14, 0.9), arm(2.6, "right", 100, 30, -10, 10, 0.9), arm(3.6, "right", 100, 14, 0, 12, 0.9), arm(3.6, "left", -30, 60, 0, 16, 0.9),
        arm(5.4, "left", 104, 20, 0, 12, 1.2), arm(5.4, "right", -14, 96, -20, 14, 1.2), arm(7.2, "left", 100, 30, -10, 10, 0.9), arm(8.2, "right", 24, 34, 26, 84, 0.8),
        body(1.0, 0.6, lean=8, twist=14), body(3.0, 0.7, lean=-6, twist=-12, look=-16), body(5.0, 0.6, lean=-7, twist=-4, look=0, nod=-8), body(7.0, 0.7, lean=8, twist=14, look=16, nod=-2), body(8.0, 0.8, lean=1, twist=0, look=0),
    ),
)  # fmt: skip

_CUBAN_BREAK = (
    *check(1.0, "left", (-0.20, 0.22), (-0.12, -0.02), beats=0.5), Step("left", 2.0, 0.24, 0.0, swing=0.38, lift=0.02, landing="ball", settle=0.3),
    *check(3.0, "right", (0.20, 0.22), (0.14, -0.02), beats=0.5), Step("right", 4.0, -0.22, 0.0, swing=0.38, lift=0.02, landing="ball", settle=0.3),
    *check(5.0, "left", (-0.20, 0.22), (-0.12, -0.02), beats=0.5), *check(6.0, "left", (0.26, 0.02), (-0.12, 0.0), beats=0.5),
    *check(7.0, "left", (-0.18, 0.22), (-0.12, 0.0), beats=0.5), Step("left", 8.0, 0.10, 0.0, swing=0.38, lift=0.02, landing="ball", settle=0.3),
)  # fmt: skip

CUBAN_BREAK = Phrase(
    "cuban-break",
    2,
    (0.55, 1.0),
    steps=_CUBAN_BREAK,
    poses=(
        *walked(_CUBAN_BREAK, size=0.8, after=0.25, over=0.45),
        arm(1.0, "left", 50, -6, 50, 50, 0.6), arm(1.0, "right", -10, 84, -10, 20, 0.6), arms(2.1, 10, 44, 30, 90, 0.6), arm(3.0, "right", 50, -6, 50, 50, 0.6), arm(3.0, "left", -10, 84, -10, 20, 0.6), arms(4.1, 10, 44, 30, 90, 0.6),
        arm(5.0, "left", 120, 40, 0, 30, 0.7), arm(5.0, "right", 0, 46, 70, 104, 0.7), arm(7.4, "left", 140, 40, -20, 30, 0.9), arms(8.3, 24, 34, 26, 84, 0.8),
        body(1.0, 0.5, twist=-26, lean=7, look=16), body(2.0, 0.5, twist=8, lean=2), body(3.0, 0.5, twist=26, lean=7, look=-16), body(4.0, 0.5, twist=-8, lean=2), body(5.0, 0.5, twist=-24, look=16, nod=-8), body(6.0, 0.5, twist=16),
        body(7.0, 0.5, twist=-22), body(8.0, 0.6, twist=0, look=0, lean=1, nod=-3),
    ),
    bounce=0.6,
    hands=(*hands(0.6, "spread"), *hands(4.6, "flat"), Hand(4.6, "right", "fist")),
)  # fmt: skip

_ALEMANA = (
    *check(1.0, "left", (0.08, 0.30), (-0.10, 0.0)),
    *chasse(3.0, "left", (0.12, 0.02), (-0.06, 0.02), (0.12, 0.0)),
    Step("right", 5.0, -0.06, 0.22, swing=0.55, lift=0.02, landing="ball", settle=1.2),
    Step("left", 6.0, 0.10, 0.10, swing=0.55, lift=0.03, landing="ball", settle=1.0),
    *chasse(7.0, "right", (-0.16, 0.02), (0.06, 0.02), (-0.12, 0.0)),
)

ALEMANA = Phrase(
    "alemana",
    2,
    (0.35, 1.0),
    steps=_ALEMANA,
    path=((0, 0, 0, 0), (4.4, 0, 0, 0), (5, 0.0, 0.06, -96), (6, -0.10, 0.14, -232), (7, -0.14, 0.10, -330), (8, -0.14, 0.06, -360)),
    poses=(
        *walked(_ALEMANA, size=0.9),
        arm(0.8, "right", 60, 70, -10, 24, 0.9), arm(0.8, "left", -30, 50, 0, 20, 0.9), arm(3.2, "right", 110, 70, -30, 30, 1.2), arm(3.4, "left", 40, 30, 50, 104, 1.0), arm(4.6, "right", 140, 40, 0, 30, 0.9),
        arm(6.4, "right", 144, 36, 0, 40, 0.9), arm(7.4, "right", 40, 112, -30, 14, 0.8), arm(7.4, "left", 0, 92, -10, 14, 0.8), arms(8.5, 24, 34, 26, 84, 0.8),
        body(1.0, 0.6, lean=6, twist=-10), body(3.4, 0.8, twist=12, look=-20, side=-9, nod=-8), body(5.0, 0.8, lean=-2, twist=-12, nod=-8, rise=0.01, look=0, side=0), body(7.0, 0.8, twist=6, rise=0, lean=-5, nod=-6), body(8.4, 0.8, twist=0, lean=1),
    ),
)  # fmt: skip

_THREE = (
    *chasse(1.0, "left", (0.08, 0.14), (-0.02, 0.02), (0.09, 0.12)), *chasse(3.0, "right", (-0.08, 0.16), (0.02, 0.02), (-0.09, 0.12)),
    *check(5.0, "left", (0.08, 0.22), (-0.09, -0.02)), *chasse(7.0, "left", (0.08, -0.10), (-0.02, 0.06), (0.10, -0.06)),
)  # fmt: skip

THREE_CHAS = Phrase(
    "three-chas",
    2,
    (0.5, 1.0),
    steps=_THREE,
    path=((0, 0, 0, 0), (0.5, 0, 0, -10), (1, 0, 0.08, -24), (2, 0, 0.36, -24), (3, 0, 0.50, 24), (4, 0, 0.80, 24), (5, 0, 0.86, 0), (6, 0, 0.84, 0), (7, 0, 0.62, 0), (8, 0, 0.34, 0)),
    poses=(
        *walked(_THREE, size=0.7, after=0.25, over=0.5),
        arm(1.2, "right", 30, 124, -30, 16, 0.8), arm(1.2, "left", -6, 66, 0, 20, 0.8), arm(3.2, "left", 30, 124, -30, 16, 0.9), arm(3.2, "right", -6, 66, 0, 20, 0.9), arms(5.0, 100, 80, -40, 20, 0.9), arms(6.2, 60, 106, -30, 20, 0.8), arms(7.8, 10, 74, -10, 24, 0.9),
        body(1.0, 0.6, twist=18, look=14, lean=8, side=7, rise=-0.03), body(3.0, 0.6, twist=-18, look=-14, side=-7), body(5.0, 0.6, twist=0, look=0, lean=-8, nod=-14, side=0, rise=0.0), body(7.0, 0.8, lean=1, nod=-3),
    ),
    hands=(*hands(4.6, "spread"), *hands(7.0, "relaxed")),
)  # fmt: skip

_CROSS_BASIC = (
    Step("left", 1.0, -0.14, 0.24, yaw=20, swing=0.55, lift=0.02, landing="ball", settle=0.6),
    Step("right", 2.0, -0.16, 0.02, swing=0.5, lift=0.02, landing="ball", settle=0.4),
    *chasse(3.0, "left", (0.24, 0.0), (0.04, -0.02), (0.26, -0.02)),
    Step("right", 5.0, 0.18, -0.24, yaw=-20, swing=0.55, lift=0.02, landing="ball", settle=0.6),
    Step("left", 6.0, 0.18, 0.0, swing=0.5, lift=0.02, landing="ball", settle=0.4),
    *chasse(7.0, "right", (-0.22, 0.0), (-0.02, 0.02), (-0.12, 0.0)),
)

CROSS_BASIC = Phrase(
    "cross-basic",
    2,
    (0.25, 0.9),
    steps=_CROSS_BASIC,
    path=((0, 0, 0, 0), (1, 0, 0.05, 20), (2, 0.02, 0.06, 70), (3, 0.04, 0.06, 130), (4, 0.06, 0.06, 180), (5, 0.06, 0.06, 204), (6, 0.04, 0.04, 256), (7, 0.02, 0.02, 320), (8, 0, 0, 360)),
    poses=(
        *walked(_CROSS_BASIC, size=0.8),
        arm(0.8, "left", 54, 100, -30, 30, 1.0), arm(0.8, "right", 60, 20, 50, 90, 1.0), arm(4.5, "left", 54, 104, -30, 30, 1.2), arm(4.5, "right", 60, 20, 50, 94, 1.2),
        body(1.0, 0.8, twist=18, side=7, look=26, lean=-5, nod=-8), body(3.0, 0.9, twist=-6, look=14), body(5.0, 0.8, twist=-16, side=-6, look=28), body(7.0, 0.9, twist=6, look=10, side=0),
    ),
)  # fmt: skip

_SHOULDER = (
    *check(1.0, "left", (-0.12, 0.36), (-0.12, 0.0)), *_LEFT, *check(5.0, "right", (0.34, 0.36), (0.34, 0.0)), *_HOME,
)  # fmt: skip

SHOULDER_TO_SHOULDER = Phrase(
    "shoulder-to-shoulder",
    2,
    (0.2, 0.85),
    steps=_SHOULDER,
    path=((0, 0, 0, 0), (1, 0, 0, -34), (2, 0, 0, -26), (3, 0, 0, 0), (4.4, 0, 0, 0), (5, 0, 0, 34), (6, 0, 0, 26), (7, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *walked(_SHOULDER),
        arms(0.8, -22, 42, 88, 115, 0.9), arms(2.0, -46, 74, 75, 64, 0.8), arms(3.2, -22, 42, 88, 115, 0.9), arms(5.0, -46, 80, 75, 58, 0.8), arms(7.2, -22, 42, 88, 115, 0.9),
        body(1.0, 0.6, lean=9, twist=-16, nod=-6, look=24), body(3.0, 0.7, lean=-3, twist=0, look=0, shrug=5), body(5.0, 0.6, lean=9, twist=16, look=-24, shrug=0), body(7.0, 0.7, lean=-3, twist=0, look=0, nod=-3),
    ),
)  # fmt: skip

_AIDA = (
    Step("left", 1.0, 0.06, 0.26, swing=0.55, lift=0.02, landing="ball", settle=0.8),
    Step("right", 2.0, -0.16, 0.04, swing=0.55, lift=0.03, landing="ball", settle=0.6),
    *chasse(3.0, "left", (0.10, -0.20), (0.02, -0.06), (0.09, -0.20)),
    Step("right", 5.0, -0.08, 0.22, swing=0.5, lift=0.02, landing="ball", settle=0.4),
    Step("left", 6.0, 0.09, -0.14, swing=0.5, lift=0.02, landing="ball", settle=0.4),
    *chasse(7.0, "right", (-0.06, 0.18), (0.12, 0.0), (-0.12, 0.0)),
)

AIDA = Phrase(
    "aida",
    2,
    (0.3, 0.95),
    steps=_AIDA,
    path=((0, 0, 0, 0), (0.5, 0, 0, 20), (1, 0.02, 0.04, 64), (2, 0.10, 0.06, 118), (3, 0.16, 0.10, 140), (4, 0.10, 0.30, 144), (6, 0.10, 0.30, 136), (7, 0.10, 0.24, 60), (8, 0.08, 0.20, 0)),
    poses=(
        *walked(_AIDA),
        arms(1.0, 40, 30, 20, 60, 0.8), arm(3.0, "left", 20, 92, -10, 20, 1.0), arm(3.0, "right", 76, 30, 0, 30, 1.0), arm(4.2, "left", 30, 150, -30, 14, 0.9), arm(4.2, "right", 104, 22, 0, 14, 0.9),
        arm(5.4, "left", 24, 130, -30, 24, 0.8), arm(6.4, "left", 30, 150, -30, 14, 0.8), arms(7.4, 36, 60, 0, 40, 0.8), arms(8.4, 24, 34, 26, 84, 0.8),
        body(1.0, 0.6, twist=14, lean=3), body(3.0, 0.8, lean=-4, twist=-8), body(4.2, 0.8, lean=-11, side=-9, nod=-12, look=20), body(5.2, 0.6, lean=2), body(6.2, 0.6, lean=-11), body(7.2, 0.8, lean=1, side=0, nod=-3, look=0, twist=0),
    ),
    hands=(*hands(3.6, "flat"), *hands(7.2, "relaxed")),
)  # fmt: skip

_CUCARACHA = (
    *check(1.0, "left", (0.40, 0.02), (-0.12, 0.0)), *chasse(3.0, "left", (0.08, 0.0), (-0.09, 0.0), (0.09, 0.0)),
    *check(5.0, "right", (-0.40, 0.02), (0.12, 0.0)), *chasse(7.0, "right", (-0.08, 0.0), (0.09, 0.0), (-0.10, 0.0)),
)  # fmt: skip

CUCARACHA = Phrase(
    "cucaracha",
    2,
    (0.0, 0.7),
    steps=_CUCARACHA,
    poses=(
        *walked(_CUCARACHA, size=1.3),
        arm(1.2, "left", -24, 34, 0, 10, 0.9), arm(1.2, "right", 40, 140, -30, 34, 0.9), arms(3.0, 6, 74, -10, 16, 1.0),
        arm(5.2, "right", -24, 34, 0, 10, 0.9), arm(5.2, "left", 40, 140, -30, 34, 0.9), arms(7.0, 6, 74, -10, 16, 1.0),
        body(1.2, 0.8, look=30, tip=8, nod=4), body(2.6, 0.8, look=-6, tip=-4, nod=-8), body(5.2, 0.8, look=-30, tip=-8, nod=4), body(6.6, 0.8, look=6, tip=4, nod=-8), body(8.0, 0.8, look=0, tip=0, nod=-3),
    ),
    hands=(Hand(0.8, "left", "fist"), Hand(0.8, "right", "flat"), Hand(4.8, "right", "fist"), Hand(4.8, "left", "flat")),
)  # fmt: skip

PHRASES = (
    BASIC, NEW_YORKER, HAND_TO_HAND, SPOT_TURN, LOCK_STEPS, CUBAN_BREAK, ALEMANA, THREE_CHAS, CROSS_BASIC,
    SHOULDER_TO_SHOULDER, AIDA, CUCARACHA,
)  # fmt: skip
