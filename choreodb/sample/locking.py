"""Locking: large quick arms that stop in a lock, points, kicks and drops to funk, 4/4, phrases of two bars."""

from __future__ import annotations

from choreodb.sample.phrases import Hand, Jump, Phrase, Pose, Shift, Step, arm, arms, body, hands, hopped, jumped
from choreodb.sample.truth import Foot

POSTURE = (
    ("lean", 6.0), ("nod", 0.0), ("rise", -0.015),
    ("left_fwd", 8.0), ("left_out", 24.0), ("left_turn", 24.0), ("left_bend", 58.0),
    ("right_fwd", 8.0), ("right_out", 24.0), ("right_turn", 24.0), ("right_bend", 58.0),
)  # fmt: skip

_LOCKED = (30.0, 48.0, 58.0, 84.0)
"""The lock: elbows out, hands before the hips, shoulders rounded over them."""


def _lock(beat: float, **also: float) -> tuple[Pose, Pose]:
    """Arms and trunk of a lock that is there on `beat`."""
    shape = {"lean": 20.0, "rise": -0.11, "shrug": 9.0, "nod": 8.0} | also
    return arms(beat, *_LOCKED, 0.42), body(beat, 0.45, **shape)


def _roll(beat: float, side: Foot, high: float) -> tuple[Pose, Pose]:
    """A twirl of one wrist that ends on `beat` with the elbow raised to `high`."""
    return arm(beat - 0.5, side, 14, 0.7 * high, 66, 96, 0.45), arm(beat, side, 10, high, -60, 84, 0.45)


LOCK = Phrase(
    "lock",
    2,
    (0.2, 1.0),
    steps=(
        Step("left", 0.0, 0.26, 0.02, yaw=12, swing=0.5, lift=0.06),
        Step("right", 1.0, -0.26, 0.04, yaw=-12, swing=0.45, lift=0.07, weight=0.5),
        Step("right", 3.0, -0.28, 0.10, yaw=-14, swing=0.45, lift=0.07, weight=0.55),
        Step("left", 5.0, 0.28, 0.12, yaw=14, swing=0.45, lift=0.07, weight=0.55),
        Step("right", 6.5, -0.16, 0.0, swing=0.4, lift=0.04),
        Step("left", 7.0, 0.15, 0.0, swing=0.4, lift=0.04, weight=0.5),
    ),
    shifts=(Shift(2.0, 0.75), Shift(4.0, 0.25)),
    poses=(
        arms(0.0, 26, 104, -30, 60, 0.6), *_lock(1.0), arms(2.0, 30, 112, -40, 66, 0.6), *_lock(3.0, side=-7, twist=-14),
        arms(4.0, 20, 120, -40, 54, 0.6), *_lock(5.0, side=7, twist=14), arms(6.0, -8, 60, 0, 30, 0.7), *_lock(7.0, rise=-0.14, side=0, twist=0),
        body(0.0, 0.7, lean=-2, nod=-10, rise=0.0), body(2.0, 0.7, lean=-2, nod=-10, rise=0.0, shrug=2), body(4.0, 0.7, lean=-4, nod=-12, rise=0.005, shrug=2),
        body(6.0, 0.7, lean=2, rise=-0.02, nod=-4, shrug=0),
    ),
    bounce=0.5,
    hits=((1.0, 0.8), (3.0, 0.8), (5.0, 0.8), (7.0, 1.0)),
    hands=(*hands(0.0, "spread"), *hands(1.0, "fist", 0.3), *hands(2.0, "spread"), *hands(3.0, "fist", 0.3), *hands(4.0, "spread"), *hands(5.0, "fist", 0.3)),
)  # fmt: skip

POINT = Phrase(
    "point",
    2,
    (0.2, 1.0),
    steps=(
        Step("right", 0.0, -0.32, 0.0, yaw=-10, swing=0.5, lift=0.06),
        Step("left", 1.0, 0.30, 0.02, yaw=22, swing=0.45, lift=0.05, weight=0.15, landing="heel", settle=9.0),
        Step("left", 2.5, 0.12, 0.0, swing=0.45, lift=0.05, weight=0.6),
        Step("left", 4.0, 0.32, 0.0, yaw=10, swing=0.5, lift=0.06),
        Step("right", 5.0, -0.30, 0.02, yaw=-22, swing=0.45, lift=0.05, weight=0.15, landing="heel", settle=9.0),
        Step("right", 6.5, -0.14, 0.0, swing=0.45, lift=0.05, weight=0.5),
    ),
    shifts=(Shift(7.3, 0.5),),
    poses=(
        arm(0.0, "left", 60, 10, 40, 110, 0.5), arm(0.0, "right", -20, 46, 70, 100, 0.5), arm(1.0, "left", 22, 124, 0, 8, 0.42),
        arm(2.0, "left", 30, 30, 40, 112, 0.5), arm(3.0, "left", 40, -2, 30, 22, 0.42),
        arm(4.0, "right", 60, 10, 40, 110, 0.5), arm(4.0, "left", -20, 46, 70, 100, 0.5), arm(5.0, "right", 22, 124, 0, 8, 0.42),
        arm(6.0, "right", 90, 30, 30, 100, 0.5), arm(6.8, "right", 86, 14, 0, 10, 0.42),
        body(0.0, 0.6, lean=8, twist=-14, side=-4, rise=-0.03), body(1.0, 0.45, lean=-3, side=-13, twist=10, look=34, nod=-14),
        body(2.2, 0.6, lean=10, side=0, twist=-10, look=0, nod=4), body(3.0, 0.45, lean=18, twist=-22, nod=14, rise=-0.08, look=-14),
        body(4.0, 0.6, lean=8, twist=14, side=4, rise=-0.03, nod=0, look=0), body(5.0, 0.45, lean=-3, side=13, twist=-10, look=-34, nod=-14),
        body(6.2, 0.6, side=0, look=0, nod=0, twist=-18), body(6.8, 0.45, twist=16, lean=4, rise=-0.05),
    ),
    bounce=0.5,
    hits=((1.0, 0.7), (3.0, 0.6), (5.0, 0.7), (6.8, 0.7)),
    hands=(Hand(0.5, "left", "point"), Hand(0.0, "right", "fist"), Hand(4.0, "left", "fist"), Hand(4.5, "right", "point")),
)  # fmt: skip

WRIST_ROLL = Phrase(
    "wrist-roll",
    2,
    (0.0, 0.8),
    steps=(
        Step("left", 0.0, 0.18, 0.06, yaw=6, swing=0.5, lift=0.04),
        Step("right", 2.0, -0.18, 0.06, yaw=-6, swing=0.5, lift=0.04),
        Step("left", 4.0, 0.22, -0.06, yaw=8, swing=0.5, lift=0.04),
        Step("right", 5.0, -0.20, -0.04, yaw=-8, swing=0.45, lift=0.04, weight=0.55),
        Step("right", 7.0, -0.14, 0.0, swing=0.45, lift=0.04, weight=0.5),
    ),
    shifts=(Shift(1.0, 0.8), Shift(3.0, 0.2), Shift(6.0, 0.7)),
    poses=(
        *_roll(0.5, "left", 56), *_roll(1.5, "right", 60), *_roll(2.5, "left", 92), *_roll(3.5, "right", 96),
        *_roll(4.5, "left", 124), *_roll(4.5, "right", 124), arms(5.4, 60, 80, -70, 30, 0.6), *_lock(6.5, lean=14),
        body(0.5, 0.8, side=8, look=24, tip=6, lean=4), body(1.5, 0.8, side=-8, look=-24, tip=-6), body(2.5, 0.8, side=8, look=26, rise=-0.03, tip=6),
        body(3.5, 0.8, side=-8, look=-26, tip=-6), body(4.5, 0.8, side=0, look=0, lean=-5, nod=-14, rise=0.0, tip=0), body(7.6, 0.8, lean=6, rise=-0.02, nod=0, shrug=0),
    ),
    bounce=0.9,
    hits=((6.5, 0.8),),
    hands=(*hands(0.0, "spread"), *hands(6.5, "fist", 0.3)),
)  # fmt: skip

SCOOBOT = Phrase(
    "scoobot",
    2,
    (0.45, 1.0),
    steps=(
        Step("left", 0.0, 0.02, 0.44, swing=0.5, lift=0.30, weight=0.1, landing="heel", settle=9.0),
        Step("left", 0.75, 0.02, 0.10, yaw=-14, swing=0.38, lift=0.04),
        Step("right", 1.5, -0.28, 0.02, yaw=-14, swing=0.42, lift=0.06, weight=0.6),
        Step("left", 2.25, 0.26, 0.02, yaw=12, swing=0.42, lift=0.06, weight=0.6),
        Step("right", 4.0, -0.02, 0.44, swing=0.5, lift=0.30, weight=0.1, landing="heel", settle=9.0),
        Step("right", 4.75, -0.02, 0.10, yaw=14, swing=0.38, lift=0.04),
        Step("left", 5.5, 0.28, 0.02, yaw=14, swing=0.42, lift=0.06, weight=0.6),
        Step("right", 6.25, -0.24, 0.02, yaw=-12, swing=0.42, lift=0.06, weight=0.6),
        Step("left", 7.3, 0.14, 0.0, swing=0.4, lift=0.04, weight=0.5),
    ),
    poses=(
        arm(0.0, "right", 84, 20, 0, 34, 0.6), arm(0.0, "left", -40, 30, 0, 34, 0.6), arm(1.0, "right", 20, 88, -50, 80, 0.5), arm(1.0, "left", 30, 30, 40, 90, 0.5),
        arms(1.75, 14, 96, -54, 84, 0.45), *_lock(2.5), arm(4.0, "left", 84, 20, 0, 34, 0.6), arm(4.0, "right", -40, 30, 0, 34, 0.6),
        arm(5.0, "left", 20, 88, -50, 80, 0.5), arm(5.0, "right", 30, 30, 40, 90, 0.5), arms(5.75, 14, 96, -54, 84, 0.45), *_lock(6.5),
        body(0.0, 0.6, lean=-10, twist=14, nod=-4), body(1.0, 0.5, lean=12, twist=-10, rise=-0.05), body(1.75, 0.5, lean=2, nod=-8, rise=0.0, twist=0),
        body(4.0, 0.7, lean=-10, twist=-14, nod=-4, rise=0.0, shrug=0), body(5.0, 0.5, lean=12, twist=10, rise=-0.05), body(5.75, 0.5, lean=2, nod=-8, rise=0.0, twist=0),
        body(7.6, 0.8, lean=6, rise=-0.015, shrug=0, nod=0),
    ),
    bounce=0.5,
    hits=((2.5, 0.8), (6.5, 0.8)),
    hands=(*hands(0.0, "spread"), *hands(2.5, "fist", 0.3), *hands(4.0, "spread"), *hands(6.5, "fist", 0.3)),
)  # fmt: skip

STOP_AND_GO = Phrase(
    "stop-and-go",
    2,
    (0.35, 1.0),
    steps=(
        Step("left", 0.0, 0.16, 0.30, yaw=6, swing=0.5, lift=0.06, landing="heel", settle=0.3),
        Step("right", 1.0, -0.18, -0.28, yaw=-30, swing=0.5, lift=0.05, landing="ball", settle=0.5),
        Step("left", 3.0, 0.16, 0.06, yaw=10, swing=0.5, lift=0.12, weight=0.1, landing="ball", settle=9.0),
        Step("left", 4.0, 0.14, 0.18, yaw=6, swing=0.45, lift=0.06, landing="heel", settle=0.3),
        Step("right", 4.5, -0.16, 0.16, yaw=-6, swing=0.4, lift=0.05),
        Step("left", 5.0, 0.26, -0.10, yaw=20, swing=0.4, lift=0.06),
        Step("right", 7.0, -0.14, 0.0, swing=0.5, lift=0.06, weight=0.5),
    ),
    poses=(
        arm(0.0, "right", 40, 20, 20, 70, 0.6), arm(0.0, "left", -20, 20, 10, 60, 0.6), arm(1.0, "left", 78, 16, 10, 26, 0.42), arm(1.0, "right", -34, 40, 30, 108, 0.42),
        arm(3.0, "left", 50, 40, 30, 112, 0.6), arm(3.0, "right", -10, 34, 30, 100, 0.6), arm(4.0, "right", 70, 10, 30, 60, 0.5), arm(4.0, "left", -26, 26, 0, 50, 0.5),
        arms(5.0, -10, 92, 0, 18, 0.42), arms(6.4, -26, 60, 10, 40, 0.6), *_lock(7.0, lean=14, rise=-0.06),
        body(0.0, 0.6, lean=14, twist=12, nod=4), body(1.0, 0.42, lean=-9, twist=-26, rise=-0.15, look=22, nod=-4, side=-5), body(3.0, 0.7, lean=4, twist=0, rise=-0.02, look=0, side=0),
        body(4.0, 0.5, lean=14, twist=14), body(5.0, 0.42, lean=-7, rise=-0.13, nod=-8, twist=-8, side=8), body(6.4, 0.7, lean=12, rise=-0.08, twist=0, side=0, wave=10), body(7.0, 0.5, wave=0),
    ),
    bounce=0.35,
    hits=((1.0, 1.0), (5.0, 0.9), (7.0, 0.6)),
    hands=(Hand(0.8, "left", "flat"), *hands(4.0, "fist"), *hands(4.8, "spread"), *hands(7.0, "fist", 0.3)),
)  # fmt: skip

FUNKY_GUITAR = Phrase(
    "funky-guitar",
    2,
    (0.1, 0.9),
    steps=(
        Step("right", 0.0, -0.24, -0.06, yaw=-20, swing=0.5, lift=0.05),
        Step("left", 1.0, 0.22, 0.20, yaw=16, swing=0.5, lift=0.10, weight=0.2, landing="heel", settle=9.0),
        Step("left", 3.0, 0.20, 0.08, yaw=14, swing=0.5, lift=0.14, weight=0.5),
        Step("right", 4.0, -0.20, 0.10, yaw=-14, swing=0.5, lift=0.16, weight=0.55),
        Step("left", 5.0, 0.24, 0.04, yaw=18, swing=0.5, lift=0.16, weight=0.55),
        Step("right", 7.0, -0.14, 0.0, swing=0.5, lift=0.05, weight=0.5),
    ),
    shifts=(Shift(6.0, 0.8),),
    poses=(
        arm(0.4, "left", 40, 52, 0, 92, 0.7), *(arm(0.5 + 0.5 * k, "right", 16.0, 30.0, 50.0, 62.0 if k % 2 else 100.0, 0.45) for k in range(11)),
        arm(3.0, "left", 56, 60, -20, 70, 0.7), arm(5.0, "left", 70, 70, -30, 40, 0.6), arm(6.2, "right", 130, 40, 0, 20, 0.5), arms(7.4, 10, 30, 30, 70, 0.7),
        body(0.4, 0.7, lean=-6, twist=12, side=-5, look=18, nod=8), body(1.0, 0.7, lean=-11, rise=-0.06, tip=8), body(2.0, 0.7, lean=-5, nod=14), body(3.0, 0.7, lean=-12, nod=-4),
        body(4.0, 0.6, lean=2, twist=-6, side=6, nod=14), body(5.0, 0.6, lean=-13, rise=-0.09, side=-8, nod=-6, look=0), body(6.2, 0.5, lean=-4, twist=-14, rise=-0.02, nod=-10, tip=0),
        body(7.5, 0.8, lean=6, twist=0, side=0, nod=0),
    ),
    bounce=0.8,
    hands=(Hand(0.0, "left", "fist"), Hand(0.0, "right", "flat"), Hand(6.0, "right", "point")),
)  # fmt: skip

WHICH_A_WAY = Phrase(
    "which-a-way",
    2,
    (0.5, 1.0),
    steps=(
        Step("left", 0.0, 0.16, -0.02, swing=0.5, lift=0.05),
        *hopped(1.0, "left", 0.10, 0.0, (2.0, -0.20, 0.0), lift=0.24),
        *hopped(3.0, "right", -0.10, 0.0, (4.0, 0.20, 0.0), lift=0.24),
        Step("right", 5.0, -0.26, 0.08, yaw=-16, swing=0.45, lift=0.07),
        Step("left", 5.5, 0.26, 0.08, yaw=16, swing=0.4, lift=0.07, weight=0.5),
        Step("right", 7.0, -0.14, 0.0, swing=0.45, lift=0.05, weight=0.5),
    ),
    jumps=(Jump(1.0, 0.04), Jump(3.0, 0.04)),
    poses=(
        arms(0.3, 20, 30, 30, 90, 0.6), arm(0.9, "left", 10, 80, 0, 20, 0.5), arm(0.9, "right", 70, -4, 60, 50, 0.5), arms(1.9, 20, 40, 30, 90, 0.6),
        arm(2.9, "right", 10, 80, 0, 20, 0.5), arm(2.9, "left", 70, -4, 60, 50, 0.5), arms(3.9, 20, 40, 30, 90, 0.6), arms(4.8, 40, 100, -40, 40, 0.5), *_lock(5.6, rise=-0.14), arms(7.4, 10, 30, 30, 70, 0.7),
        body(0.5, 0.6, side=-12, twist=10, look=20, lean=2), body(1.9, 0.6, side=2, twist=0, lean=10, look=0), body(2.7, 0.6, side=12, twist=-10, look=-20, lean=2), body(3.9, 0.6, side=0, twist=0, lean=10, look=0),
        body(4.8, 0.5, lean=-4, nod=-10), body(7.5, 0.8, lean=6, rise=-0.015, nod=0, shrug=0),
    ),
    bounce=0.4,
    hits=((5.6, 0.9),),
    hands=(*hands(0.5, "point"), *hands(4.5, "spread"), *hands(5.6, "fist", 0.3)),
)  # fmt: skip

SKEETER_RABBIT = Phrase(
    "skeeter-rabbit",
    2,
    (0.55, 1.0),
    steps=(
        Step("left", 0.0, 0.10, 0.46, swing=0.5, lift=0.32, weight=0.1, landing="heel", settle=9.0),
        *jumped(1.0, (0.06, -0.10), (-0.10, 0.14)),
        Step("right", 2.0, -0.14, -0.04, swing=0.5, lift=0.18, weight=0.6),
        *jumped(3.0, (0.26, 0.02), (-0.26, 0.02)),
        Step("right", 4.0, -0.10, 0.46, swing=0.55, lift=0.32, weight=0.1, landing="heel", settle=9.0),
        *jumped(5.0, (0.10, 0.14), (-0.06, -0.10)),
        Step("left", 6.0, 0.14, -0.04, swing=0.5, lift=0.18, weight=0.6),
        *jumped(7.0, (0.14, 0.0), (-0.14, 0.0)),
    ),
    jumps=(Jump(1.0, 0.04), Jump(3.0, 0.05), Jump(5.0, 0.04), Jump(7.0, 0.04)),
    poses=(
        arms(0.0, -40, 26, 0, 30, 0.6), arms(1.0, 52, 30, 30, 84, 0.6), arm(2.0, "left", 60, 20, 10, 70, 0.6), arm(2.0, "right", -34, 24, 0, 50, 0.6), arms(3.0, 0, 84, -30, 60, 0.5),
        arms(4.0, -40, 26, 0, 30, 0.6), arms(5.0, 52, 30, 30, 84, 0.6), arm(6.0, "right", 60, 20, 10, 70, 0.6), arm(6.0, "left", -34, 24, 0, 50, 0.6), arms(7.2, *_LOCKED, 0.6),
        body(0.0, 0.6, lean=20, nod=6), body(1.0, 0.6, lean=2, twist=-12), body(2.0, 0.6, lean=14, twist=14, side=5), body(3.0, 0.5, lean=2, twist=0, side=0, nod=-6),
        body(4.0, 0.6, lean=20, nod=6), body(5.0, 0.6, lean=2, twist=12), body(6.0, 0.6, lean=14, twist=-14, side=-5), body(7.2, 0.6, lean=14, twist=0, side=0, nod=4),
    ),
    bounce=0.3,
    hands=(*hands(0.0, "fist"), *hands(2.7, "spread"), *hands(4.0, "fist")),
)  # fmt: skip

MUSCLE_MAN = Phrase(
    "muscle-man",
    2,
    (0.1, 0.85),
    steps=(
        Step("left", 0.0, 0.34, 0.0, yaw=22, swing=0.5, lift=0.06),
        Step("right", 0.5, -0.30, 0.0, yaw=-22, swing=0.4, lift=0.06, weight=0.5),
        Step("left", 4.0, 0.30, 0.06, yaw=24, swing=0.45, lift=0.10),
        Step("right", 6.5, -0.16, 0.0, swing=0.45, lift=0.05),
        Step("left", 7.2, 0.14, 0.0, swing=0.45, lift=0.05, weight=0.5),
    ),
    shifts=(Shift(2.0, 0.75), Shift(3.0, 0.25), Shift(5.0, 0.2), Shift(6.0, 0.5)),
    poses=(
        arms(0.5, 10, 88, -84, 112, 0.6), arms(1.0, 16, 82, -78, 124, 0.4), arms(1.5, 8, 92, -84, 104, 0.4), arm(2.0, "left", 10, 92, -80, 122, 0.45), arm(2.0, "right", 0, 60, 60, 100, 0.45),
        arm(3.0, "right", 10, 92, -80, 122, 0.45), arm(3.0, "left", 0, 60, 60, 100, 0.45), arms(4.0, 16, 140, -30, 40, 0.6), arms(5.0, 50, 34, 74, 76, 0.45), arms(5.6, 46, 38, 78, 92, 0.4), arms(7.2, 10, 28, 26, 62, 0.8),
        body(0.5, 0.6, rise=-0.13, lean=2, nod=-6), body(1.0, 0.4, rise=-0.15, shrug=8), body(2.0, 0.45, side=9, look=36, twist=8), body(3.0, 0.45, side=-9, look=-36, twist=-8),
        body(4.0, 0.6, side=0, look=0, twist=0, rise=-0.05, lean=-6, nod=-16, shrug=0), body(5.0, 0.45, rise=-0.16, lean=22, nod=6, shrug=10, twist=-12), body(6.0, 0.6, twist=10), body(7.3, 0.8, rise=-0.015, lean=6, nod=0, shrug=0, twist=0),
    ),
    bounce=0.45,
    hits=((0.5, 0.7), (2.0, 0.6), (3.0, 0.6), (5.0, 0.9)),
    hands=hands(0.0, "fist"),
)  # fmt: skip

GIVE_FIVE = Phrase(
    "give-five",
    2,
    (0.25, 1.0),
    steps=(
        Step("left", 0.0, 0.20, 0.06, yaw=10, swing=0.5, lift=0.06),
        Step("right", 1.0, -0.06, 0.14, swing=0.6, lift=0.34, weight=0.1, landing="ball", settle=9.0),
        Step("right", 2.0, -0.26, -0.02, yaw=-12, swing=0.5, lift=0.08),
        Step("left", 4.0, 0.30, 0.04, yaw=12, swing=0.5, lift=0.07),
        Step("right", 5.0, -0.24, 0.10, yaw=-12, swing=0.45, lift=0.05, weight=0.5),
        Step("right", 7.0, -0.14, 0.0, swing=0.5, lift=0.05),
        Step("left", 7.5, 0.14, 0.0, swing=0.4, lift=0.04, weight=0.5),
    ),
    shifts=(Shift(3.2, 0.2), Shift(6.0, 0.75)),
    poses=(
        arms(0.0, 10, 110, 0, 20, 0.8), arms(0.9, 54, 8, 34, 40, 0.5), arms(2.0, -20, 66, 0, 20, 0.7), arms(3.0, 150, 20, 20, 40, 0.6),
        arms(4.0, 10, 84, -10, 24, 0.7), arm(5.0, "right", 64, 24, 20, 40, 0.45), arm(5.0, "left", 30, 40, 40, 90, 0.45), arm(5.6, "left", 96, 16, 10, 30, 0.45), arm(6.2, "left", 56, 10, 30, 34, 0.4), arms(7.4, 10, 28, 26, 60, 0.7),
        body(0.0, 0.8, lean=-4, nod=-8), body(0.9, 0.5, lean=24, nod=16, rise=-0.05, twist=-8), body(2.0, 0.7, lean=0, nod=-2, twist=0, rise=0), body(3.0, 0.6, lean=-8, nod=-18, rise=0.01),
        body(4.0, 0.7, lean=6, nod=0, side=6), body(5.0, 0.45, lean=16, twist=14, rise=-0.10, nod=6, side=0), body(6.2, 0.4, twist=-10, lean=20, nod=12), body(7.5, 0.8, twist=0, lean=6, nod=0, rise=-0.015),
    ),
    bounce=0.6,
    hits=((0.9, 0.5), (3.0, 0.5), (6.2, 0.7)),
    hands=hands(0.0, "flat"),
)  # fmt: skip

LEO_WALK = Phrase(
    "leo-walk",
    2,
    (0.3, 1.0),
    steps=(
        Step("left", 0.0, 0.26, 0.10, yaw=30, swing=0.55, lift=0.07, landing="heel", settle=0.3),
        Step("right", 1.0, 0.14, 0.26, yaw=26, swing=0.6, lift=0.06, arc=-0.05),
        Step("left", 2.0, 0.44, 0.16, yaw=30, swing=0.6, lift=0.07, landing="heel", settle=0.3),
        Step("right", 3.0, 0.10, 0.10, yaw=-10, swing=0.55, lift=0.09, weight=0.6),
        Step("right", 4.0, -0.24, 0.10, yaw=-30, swing=0.55, lift=0.07, landing="heel", settle=0.3),
        Step("left", 5.0, -0.12, 0.26, yaw=-26, swing=0.6, lift=0.06, arc=0.05),
        Step("right", 6.0, -0.34, 0.08, yaw=-30, swing=0.6, lift=0.07, landing="heel", settle=0.3),
        Step("left", 7.2, 0.0, 0.0, swing=0.5, lift=0.07, weight=0.6),
    ),
    path=((0, 0, 0, 0), (4, 0, 0.1, 0), (8, -0.1, 0.12, 0)),
    poses=(
        arm(0.0, "left", 20, 76, 0, 20, 0.6), arm(0.0, "right", 30, 40, 60, 100, 0.6), arm(1.0, "left", 40, 30, 60, 104, 0.55), arm(1.0, "right", -24, 50, 0, 30, 0.55),
        arm(2.0, "left", 24, 88, 0, 10, 0.55), arm(2.0, "right", 30, 40, 60, 104, 0.55), *_lock(3.0, side=-6),
        arm(4.0, "right", 20, 76, 0, 20, 0.6), arm(4.0, "left", 30, 40, 60, 100, 0.6), arm(5.0, "right", 40, 30, 60, 104, 0.55), arm(5.0, "left", -24, 50, 0, 30, 0.55),
        arm(6.0, "right", 24, 88, 0, 10, 0.55), arm(6.0, "left", 30, 40, 60, 104, 0.55), *_lock(7.0, side=6),
        body(0.0, 0.6, twist=22, side=-8, lean=-2, look=20), body(1.0, 0.6, twist=-8, side=6, lean=10), body(2.0, 0.6, twist=24, side=-9, lean=-3, look=24), body(3.0, 0.5, twist=0, look=0),
        body(4.0, 0.6, twist=-22, side=8, lean=-2, look=-20, rise=-0.02, shrug=0, nod=0), body(5.0, 0.6, twist=8, side=-6, lean=10), body(6.0, 0.6, twist=-24, side=9, lean=-3, look=-24), body(7.0, 0.5, twist=0, look=0),
    ),
    bounce=0.7,
    hits=((3.0, 0.8), (7.0, 0.8)),
    hands=(*hands(0.0, "point"), *hands(3.0, "fist", 0.3), *hands(4.0, "point"), *hands(7.0, "fist", 0.3)),
)  # fmt: skip

PACING = Phrase(
    "pacing",
    2,
    (0.0, 0.65),
    steps=(
        Step("left", 1.0, 0.16, 0.06, yaw=14, swing=0.5, lift=0.05),
        Step("right", 3.0, -0.16, 0.06, yaw=-14, swing=0.5, lift=0.05),
        Step("left", 5.0, 0.20, -0.04, yaw=14, swing=0.5, lift=0.05),
        Step("right", 7.0, -0.14, 0.0, yaw=-6, swing=0.5, lift=0.05, weight=0.5),
    ),
    path=((0, 0, 0, 0), (2, 0, 0, 16), (4, 0, 0, -16), (6, 0, 0, 10), (8, 0, 0, 0)),
    poses=(
        *(
            arm(beat + 0.5 * half, "right" if beat % 2 else "left", *((60.0, 54.0, -10.0, 8.0) if half else (56.0, 40.0, 30.0, 110.0)), 0.45)
            for beat in range(7)
            for half in (0, 1)
        ),
        arms(7.4, 10, 28, 26, 62, 0.7),
        *(body(beat + 0.5, 0.5, twist=-13.0 if beat % 2 == 0 else 13.0, lean=14.0, nod=6.0, rise=-0.05, side=3.0 if beat % 2 == 0 else -3.0) for beat in range(7)), body(7.5, 0.8, twist=0, side=0, nod=0, lean=6),
    ),
    bounce=1.1,
    hands=hands(0.0, "point"),
)  # fmt: skip

PHRASES = (
    LOCK, POINT, WRIST_ROLL, SCOOBOT, STOP_AND_GO, FUNKY_GUITAR, WHICH_A_WAY, SKEETER_RABBIT, MUSCLE_MAN, GIVE_FIVE,
    LEO_WALK, PACING,
)  # fmt: skip
