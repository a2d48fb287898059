"""Waltz: long steps with rise and fall and arms that never stop, 3/4, phrases of two bars."""

from __future__ import annotations

from choreodb.sample.phrases import Jump, Phrase, Shift, Step, arm, arms, body, leapt

POSTURE = (
    ("lean", 0.0), ("nod", -4.0), ("rise", 0.0),
    ("left_fwd", 15.0), ("left_out", 28.0), ("left_turn", 12.0), ("left_bend", 34.0),
    ("right_fwd", 15.0), ("right_out", 28.0), ("right_turn", 12.0), ("right_bend", 34.0),
)  # fmt: skip

SWAY = Phrase(
    "sway",
    2,
    (0.0, 0.7),
    steps=(
        Step("left", 0.0, 0.42, 0.0, yaw=6, swing=0.9, lift=0.03, settle=0.4),
        Step("right", 1.5, 0.20, -0.02, swing=1.1, weight=0.1, landing="ball", settle=9.0, lift=0.02),
        Step("right", 3.0, -0.38, 0.0, yaw=-6, swing=0.9, lift=0.03, settle=0.4),
        Step("left", 4.5, -0.05, -0.02, swing=1.1, weight=0.4, landing="ball", settle=1.0, lift=0.02),
    ),
    path=((0, 0, 0, 0), (1.5, 0.3, 0.2, 20), (3, 0.34, 0.55, 4), (4.5, 0.1, 0.85, -36), (6, 0, 1.0, -60)),
    poses=(
        arm(1.0, "left", 20, 104, -14, 14, 1.6), arm(1.0, "right", 34, 4, 44, 50, 1.6),
        arm(4.0, "right", 20, 104, -14, 14, 2.2), arm(4.0, "left", 34, 4, 44, 50, 2.2),
        arms(6.0, 15, 28, 12, 34, 1.6),
        body(1.0, 1.6, side=14, twist=14, look=22, rise=-0.03), body(4.0, 2.4, side=-14, twist=-14, look=-22, rise=-0.03),
        body(6.0, 1.6, side=0, twist=0, look=0, rise=0),
    ),
)  # fmt: skip

BOX = Phrase(
    "box",
    2,
    (0.2, 1.0),
    steps=(
        Step("left", 0.0, 0.10, 0.42, swing=0.8, landing="heel", settle=0.4, lift=0.03),
        Step("right", 1.0, -0.38, 0.40, swing=0.9, landing="ball", settle=1.4, lift=0.03, arc=0.10),
        Step("left", 2.0, -0.20, 0.40, swing=0.8, landing="ball", settle=0.8, lift=0.02),
        Step("right", 3.0, -0.38, -0.02, swing=0.8, landing="ball", settle=0.5, lift=0.03),
        Step("left", 4.0, 0.12, 0.0, swing=0.9, landing="ball", settle=1.4, lift=0.03, arc=0.10),
        Step("right", 5.0, -0.08, 0.0, swing=0.8, landing="ball", settle=0.8, lift=0.02),
    ),
    path=((-0.4, 0, 0, 0), (0, 0, 0.08, 10), (1, 0.02, 0.2, 60), (2, 0.1, 0.26, 104), (3, 0.24, 0.3, 124), (4, 0.46, 0.32, 190), (5, 0.62, 0.24, 240), (6, 0.70, 0.2, 270)),
    poses=(
        arms(0.0, 30, 56, 14, 52, 1.0), arm(1.5, "left", 52, 40, 20, 54, 1.5), arm(1.5, "right", 18, 80, 0, 24, 1.5),
        arm(3.0, "left", 34, 54, 14, 50, 1.3), arm(3.0, "right", 34, 50, 14, 50, 1.3),
        arm(4.5, "right", 52, 40, 20, 54, 1.5), arm(4.5, "left", 18, 80, 0, 24, 1.5), arms(6.0, 15, 28, 12, 34, 1.4),
        body(0.0, 1.0, twist=-8, lean=3), body(1.5, 1.3, twist=6, side=-7, look=-14, lean=0),
        body(3.0, 1.3, twist=8, side=2, lean=-3), body(4.5, 1.3, twist=-6, side=7, look=14, lean=0),
        body(6.0, 1.3, twist=0, side=0, look=0),
    ),
)  # fmt: skip

TURN = Phrase(
    "turn",
    2,
    (0.35, 1.0),
    steps=(
        Step("right", 0.0, -0.09, 0.06, swing=0.8, landing="heel", settle=0.4, lift=0.03, yaw=-14),
        Step("left", 1.0, 0.24, 0.04, swing=0.95, landing="ball", settle=1.4, lift=0.03, arc=-0.10),
        Step("right", 2.0, -0.06, 0.02, swing=0.85, landing="ball", settle=0.8, lift=0.02),
        Step("left", 3.0, 0.09, -0.06, swing=0.8, landing="ball", settle=0.5, lift=0.03, yaw=-14),
        Step("right", 4.0, -0.24, 0.0, swing=0.95, landing="ball", settle=1.4, lift=0.03, arc=0.08),
        Step("left", 5.0, 0.08, 0.0, swing=0.85, landing="ball", settle=0.8, lift=0.02),
    ),
    path=(
        (-0.6, 0.0, 0.0, 0.0), (0.0, 0.0, 0.46, -18.0), (1.0, -0.02, 0.92, -96.0), (2.0, -0.04, 1.26, -160.0),
        (3.0, -0.04, 1.68, -186.0), (4.0, -0.02, 2.06, -262.0), (5.0, 0.0, 2.34, -330.0), (6.0, 0.0, 2.40, -342.0),
    ),
    poses=(
        arms(0.0, 56, 34, 26, 50, 1.0), arm(1.6, "left", 34, 108, -26, 14, 1.6), arm(1.6, "right", 26, 96, -20, 18, 1.6),
        arms(3.2, 2, 26, 24, 44, 1.5), arm(4.7, "right", 34, 108, -26, 14, 1.6), arm(4.7, "left", 26, 96, -20, 18, 1.6),
        arms(6.3, 15, 28, 12, 34, 1.4),
        body(0.0, 1.0, twist=-12, side=2), body(1.5, 1.3, twist=4, side=-9, look=-18, rise=0.012, lean=-4),
        body(3.0, 1.3, twist=-8, side=0, rise=-0.03, lean=4), body(4.5, 1.3, twist=4, side=9, look=-14, rise=0.012, lean=-4), body(6.0, 1.3, twist=0, side=0, look=0, rise=0, lean=0),
    ),
)  # fmt: skip

TRAVEL = Phrase(
    "travel",
    2,
    (0.4, 1.0),
    steps=(
        Step("right", 0.0, -0.09, 0.0, swing=0.8, landing="heel", settle=0.4, lift=0.03),
        Step("left", 1.0, 0.08, 0.0, swing=0.85, landing="ball", settle=1.2, lift=0.03),
        Step("right", 2.0, -0.08, 0.0, swing=0.8, landing="ball", settle=0.8, lift=0.03),
        Step("left", 3.0, 0.09, 0.0, swing=0.8, landing="heel", settle=0.4, lift=0.03),
        Step("right", 4.0, -0.08, 0.0, swing=0.85, landing="ball", settle=1.2, lift=0.03),
        Step("left", 5.0, 0.08, 0.0, swing=0.8, landing="ball", settle=0.8, lift=0.02),
    ),
    path=(
        (-0.8, 0.0, 0.0, 0.0), (0.0, 0.02, 0.52, -8.0), (1.0, 0.08, 1.06, -14.0), (2.0, 0.12, 1.44, -6.0),
        (3.0, 0.10, 1.98, 14.0), (4.0, 0.2, 2.46, 40.0), (5.0, 0.44, 2.78, 62.0), (6.0, 0.50, 2.82, 70.0),
    ),
    poses=(
        arm(0.5, "left", 48, 40, 20, 40, 1.4), arm(0.5, "right", -8, 62, 0, 26, 1.4),
        arm(2.0, "left", 96, 44, 0, 30, 1.6), arm(2.0, "right", -14, 66, 0, 22, 1.6),
        arm(3.5, "right", 48, 40, 20, 40, 1.6), arm(3.5, "left", 6, 74, 0, 24, 1.6),
        arm(5.0, "right", 100, 44, 0, 30, 1.6), arm(5.0, "left", -12, 66, 0, 22, 1.6), arms(6.3, 15, 28, 12, 34, 1.4),
        body(0.5, 1.2, twist=-14, lean=5), body(2.0, 1.5, twist=-10, lean=-4, nod=-10, side=-4),
        body(3.5, 1.5, twist=14, lean=5, nod=-2, side=0), body(5.0, 1.5, twist=10, lean=-4, nod=-10, side=4),
        body(6.3, 1.4, twist=0, lean=0, nod=-4, side=0),
    ),
)  # fmt: skip

BALANCE = Phrase(
    "balance",
    2,
    (0.1, 0.9),
    steps=(
        Step("left", 0.0, 0.12, 0.40, yaw=4, swing=0.9, landing="heel", settle=0.4, lift=0.03),
        Step("right", 1.2, -0.06, 0.30, swing=1.0, weight=0.15, landing="ball", settle=9.0, lift=0.03),
        Step("right", 3.0, -0.14, -0.12, yaw=-6, swing=0.9, landing="ball", settle=0.5, lift=0.03),
        Step("left", 4.2, 0.06, 0.0, swing=1.0, weight=0.45, landing="ball", settle=0.9, lift=0.03),
    ),
    path=((0, 0, 0, 0), (1.2, 0.05, 0.5, 10), (3, 0.14, 0.8, 26), (4.5, 0.16, 0.8, 60), (6, 0.2, 0.86, 90)),
    poses=(
        arms(0.0, 24, 40, 24, 60, 0.9), arms(2.0, 118, 44, 0, 24, 2.2), arms(3.4, 60, 78, 0, 26, 1.5),
        arms(4.8, -4, 58, 10, 26, 1.5), arms(6.3, 15, 28, 12, 34, 1.5),
        body(0.0, 1.0, lean=6, nod=4), body(2.0, 2.0, lean=-7, nod=-18, rise=0.01),
        body(3.4, 1.4, lean=2, nod=-4, rise=-0.03), body(4.8, 1.4, lean=9, nod=12, rise=-0.05, side=-4),
        body(6.3, 1.4, lean=0, nod=-4, rise=0, side=0),
    ),
)  # fmt: skip

PIROUETTE = Phrase(
    "pirouette",
    2,
    (0.45, 1.0),
    steps=(
        Step("left", 0.0, 0.24, 0.10, yaw=24, swing=0.8, lift=0.03, settle=0.4),
        Step("right", 1.0, -0.10, 0.05, swing=0.9, landing="ball", settle=1.6, lift=0.05, arc=-0.15),
        Step("left", 2.0, 0.08, 0.0, swing=0.85, landing="ball", settle=0.8, lift=0.04, arc=0.05),
        Step("right", 3.0, -0.46, 0.06, yaw=-20, swing=0.85, lift=0.03, settle=0.4),
        Step("left", 5.0, -0.12, 0.0, swing=1.2, weight=0.4, landing="ball", settle=0.8, lift=0.02),
    ),
    path=((0, 0.02, 0.1, 10), (1, 0.1, 0.24, 190), (2, 0.16, 0.3, 352), (3, 0.16, 0.3, 360), (6, 0.1, 0.5, 360)),
    poses=(
        arm(0.0, "left", 40, 76, 0, 20, 1.0), arm(0.0, "right", 56, 8, 40, 60, 1.0),
        arm(1.0, "left", 150, 18, 10, 46, 1.0), arm(1.0, "right", 54, 12, 44, 92, 1.0),
        arm(2.0, "left", 156, 16, 10, 40, 0.9), arm(2.0, "right", 50, 16, 44, 92, 0.9),
        arm(3.5, "left", 60, 88, -6, 14, 1.5), arm(3.5, "right", 20, 84, 0, 16, 1.5),
        arm(4.8, "left", 52, 30, 34, 50, 1.5), arm(4.8, "right", 6, 70, 0, 22, 1.5), arms(6.3, 15, 28, 12, 34, 1.4),
        body(0.0, 1.0, twist=-16, rise=-0.03), body(1.0, 1.0, twist=10, rise=0.01, nod=-6), body(2.0, 1.0, twist=0, rise=0.01),
        body(3.5, 1.4, rise=-0.09, side=-10, lean=4, look=-24, twist=-10), body(4.8, 1.4, rise=-0.06, side=-6, look=-10),
        body(6.3, 1.4, rise=0, side=0, lean=0, look=0, twist=0),
    ),
)  # fmt: skip

LEAP = Phrase(
    "leap",
    2,
    (0.5, 1.0),
    steps=(
        Step("left", 0.0, 0.06, 0.10, swing=0.8, landing="heel", settle=0.3, lift=0.03),
        Step("right", 1.0, -0.08, 0.10, swing=0.8, lift=0.03, landing="ball", settle=0.4),
        *leapt(2.0, "left", 0.06, 0.06, (3.0, -0.10, 0.04), lift=0.10, lead=0.35),
        Step("left", 4.0, 0.26, 0.02, yaw=10, swing=0.9, landing="ball", settle=0.8, lift=0.03),
        Step("right", 5.0, -0.10, 0.0, swing=0.9, landing="ball", settle=0.8, lift=0.02, weight=0.6),
    ),
    jumps=(Jump(2.0, 0.09),),
    path=(
        (-0.7, 0.0, 0.0, 0.0), (0.0, 0.0, 0.44, 0.0), (1.0, 0.0, 0.92, 4.0), (2.0, 0.04, 1.58, 10.0), (3.0, 0.06, 1.84, 24.0),
        (4.0, 0.14, 1.96, 60.0), (5.0, 0.2, 1.98, 84.0), (6.0, 0.2, 1.98, 88.0),
    ),
    poses=(
        arms(0.4, -20, 34, 0, 24, 1.2), arm(1.8, "left", 100, 30, 0, 20, 1.2), arm(1.8, "right", 16, 96, 0, 12, 1.2), arm(3.0, "left", 56, 60, 0, 26, 1.3),
        arm(3.0, "right", 10, 70, 0, 20, 1.3), arm(4.2, "right", 40, 100, -20, 18, 1.4), arm(4.2, "left", 16, 50, 16, 54, 1.4), arms(6.2, 15, 28, 12, 34, 1.5),
        body(0.4, 1.2, lean=7, nod=6), body(1.8, 1.2, lean=-6, nod=-12, wave=-6, twist=8, look=8), body(3.0, 1.2, lean=5, wave=4, nod=2), body(4.4, 1.4, side=10, twist=-10, lean=0, look=-26, wave=0),
        body(6.0, 1.3, side=0, twist=0, look=0, nod=-4),
    ),
    bounce=0.5,
)  # fmt: skip

HESITATION = Phrase(
    "hesitation",
    2,
    (0.0, 0.65),
    steps=(
        Step("right", 0.0, -0.46, 0.12, yaw=-16, swing=0.85, settle=0.5, lift=0.03),
        Step("left", 1.4, -0.10, -0.14, swing=1.1, weight=0.1, landing="ball", settle=9.0, lift=0.02, arc=-0.08),
        Step("left", 3.0, 0.14, -0.16, yaw=8, swing=0.9, landing="ball", settle=0.6, lift=0.03),
        Step("right", 4.3, -0.26, -0.08, yaw=-14, swing=1.0, weight=0.55, landing="ball", settle=0.6, lift=0.02),
        Step("left", 5.4, 0.10, 0.0, swing=0.8, weight=0.5, landing="ball", settle=0.5, lift=0.03),
    ),
    shifts=(Shift(2.2, 0.1),),
    path=((0, 0, 0, 0), (2.6, -0.2, 0.1, 24), (4.6, -0.1, 0.3, -44), (6, 0, 0.44, -70)),
    poses=(
        arm(0.6, "right", 20, 110, -20, 14, 1.6), arm(0.6, "left", 60, 6, 50, 84, 1.6), arm(2.2, "right", 30, 128, -40, 16, 1.9), arm(2.2, "left", 70, -4, 56, 96, 1.9),
        arm(3.8, "left", 24, 100, -10, 16, 1.8), arm(3.8, "right", 40, 30, 30, 70, 1.8), arm(5.2, "left", -10, 74, 0, 20, 1.6), arms(6.3, 15, 28, 12, 34, 1.5),
        body(0.8, 1.6, side=-12, twist=14, look=-30, nod=-8), body(2.2, 1.6, side=-17, twist=8, look=-34, nod=-16, rise=-0.07, wave=-6),
        body(3.8, 1.8, side=12, twist=-18, look=28, nod=4, lean=5, wave=4), body(5.2, 1.5, side=6, twist=-8, look=14, rise=-0.06, lean=8, wave=0),
        body(6.3, 1.4, side=0, twist=0, look=0, nod=-4, rise=0, lean=0),
    ),
)  # fmt: skip

TWINKLE = Phrase(
    "twinkle",
    2,
    (0.2, 0.9),
    steps=(
        Step("left", 0.0, -0.16, 0.34, yaw=-24, swing=0.8, landing="heel", settle=0.4, lift=0.03),
        Step("right", 1.0, -0.22, 0.22, swing=0.85, landing="ball", settle=1.2, lift=0.03),
        Step("left", 2.0, 0.04, 0.16, yaw=16, swing=0.8, landing="ball", settle=0.8, lift=0.03),
        Step("right", 3.0, 0.22, 0.44, yaw=24, swing=0.8, landing="heel", settle=0.4, lift=0.03),
        Step("left", 4.0, 0.28, 0.28, swing=0.85, landing="ball", settle=1.2, lift=0.03),
        Step("right", 5.0, 0.06, 0.26, yaw=-8, swing=0.8, landing="ball", settle=0.8, lift=0.03),
    ),
    path=((-0.5, 0, 0, 0), (0, 0, 0.2, -36), (1, -0.04, 0.44, -20), (2, 0, 0.62, 24), (3, 0.06, 0.88, 48), (4, 0.16, 1.12, 26), (5, 0.2, 1.3, 4), (6, 0.22, 1.36, 0)),
    poses=(
        arm(0.4, "left", 84, 30, 10, 16, 1.2), arm(0.4, "right", -6, 90, -10, 18, 1.2), arms(2.0, 24, 78, -6, 30, 1.4), arm(3.4, "right", 84, 30, 10, 16, 1.4), arm(3.4, "left", -6, 90, -10, 18, 1.4), arms(5.2, 24, 78, -6, 30, 1.4),
        body(0.2, 1.1, twist=20, lean=4, rise=-0.03, look=-10), body(1.6, 1.2, twist=0, rise=0.012, lean=-3, nod=-10, look=0), body(3.2, 1.2, twist=-20, lean=4, rise=-0.03, look=10, nod=-4), body(4.8, 1.2, twist=0, rise=0.012, lean=-3, nod=-10, look=0), body(6.2, 1.0, rise=0.0, lean=0, nod=-4),
    ),
)  # fmt: skip

OVERSWAY = Phrase(
    "oversway",
    2,
    (0.0, 0.65),
    steps=(
        Step("left", 0.0, 0.48, 0.02, yaw=26, swing=1.0, settle=0.6, lift=0.03),
        Step("right", 4.0, -0.04, -0.06, yaw=-6, swing=1.2, landing="ball", settle=0.8, lift=0.03),
        Step("left", 5.2, 0.16, 0.0, swing=0.9, landing="ball", settle=0.6, lift=0.03, weight=0.6),
    ),
    shifts=(Shift(2.4, 0.7),),
    path=((0, 0, 0, 0), (1, 0.02, 0, 26), (2.6, 0.04, 0, -14), (4, 0.1, 0.14, -60), (6, 0.16, 0.36, -90)),
    poses=(
        arm(0.8, "left", 60, 60, 0, 34, 1.4), arm(0.8, "right", 66, 34, 30, 70, 1.4), arm(2.2, "left", 50, 112, -30, 12, 1.9), arm(2.2, "right", 40, 96, -10, 16, 1.8), arm(4.2, "left", 30, 40, 40, 80, 1.8), arm(4.2, "right", 60, 90, -20, 20, 1.8), arms(6.2, 15, 28, 12, 34, 1.5),
        body(0.8, 1.4, rise=-0.10, side=-6, look=18, lean=2), body(2.3, 1.8, rise=-0.18, side=-22, twist=18, look=-34, nod=-20, lean=-7), body(4.2, 1.6, rise=-0.02, side=6, twist=-8, look=16, nod=-4, lean=3), body(6.1, 1.4, side=0, twist=0, look=0, rise=0.0, lean=0),
    ),
    bounce=0.5,
)  # fmt: skip

CURTSEY = Phrase(
    "curtsey",
    2,
    (0.0, 0.55),
    steps=(
        Step("right", 0.0, -0.20, 0.16, yaw=-10, swing=0.9, landing="heel", settle=0.5, lift=0.03),
        Step("left", 1.6, -0.30, -0.26, yaw=10, swing=1.2, landing="ball", settle=9.0, lift=0.03, weight=0.35, arc=-0.12),
        Step("left", 4.2, 0.10, 0.06, yaw=6, swing=1.2, landing="ball", settle=0.7, lift=0.04, arc=0.10),
        Step("right", 5.4, -0.10, 0.02, swing=0.9, landing="ball", settle=0.6, lift=0.03, weight=0.6),
    ),
    path=((0, 0, 0, 0), (1, 0, 0.1, 0), (4, 0.02, 0.16, 30), (6, 0.06, 0.4, 80)),
    poses=(
        arms(0.4, 30, 76, -10, 24, 1.4), arms(2.2, -20, 72, -20, 12, 1.7), arms(3.2, -26, 60, -10, 14, 1.0), arm(4.6, "left", 90, 50, 0, 30, 1.5), arm(4.6, "right", 40, 70, 0, 26, 1.5), arms(6.2, 15, 28, 12, 34, 1.4),
        body(0.4, 1.2, lean=-4, nod=-10, twist=8), body(2.2, 1.5, rise=-0.20, lean=30, nod=20, twist=-14, side=-4), body(3.2, 0.9, rise=-0.21, lean=34), body(4.8, 1.5, rise=0.006, lean=-6, nod=-14, twist=6, side=4, look=16), body(6.2, 1.3, rise=0.0, lean=0, nod=-4, twist=0, side=0, look=0),
    ),
    bounce=0.5,
)  # fmt: skip

CHASSE_ROUND = Phrase(
    "chasse-round",
    2,
    (0.4, 1.0),
    steps=(
        Step("left", 0.0, 0.36, 0.02, yaw=10, swing=0.8, landing="heel", settle=0.3, lift=0.03),
        Step("right", 1.0, 0.02, 0.02, swing=0.7, landing="ball", settle=0.6, lift=0.03),
        Step("left", 1.5, 0.24, 0.0, swing=0.45, landing="ball", settle=0.4, lift=0.03),
        Step("right", 2.0, 0.0, 0.02, swing=0.45, landing="ball", settle=0.4, lift=0.03),
        Step("left", 3.0, 0.34, 0.02, yaw=10, swing=0.8, landing="heel", settle=0.3, lift=0.03),
        Step("right", 4.0, 0.02, 0.02, swing=0.7, landing="ball", settle=0.6, lift=0.03),
        Step("left", 4.5, 0.24, 0.0, swing=0.45, landing="ball", settle=0.4, lift=0.03),
        Step("right", 5.0, -0.06, 0.02, swing=0.45, landing="ball", settle=0.4, lift=0.03),
    ),
    path=((-0.5, 0, 0, 0), (0, 0.06, 0.02, 20), (1, 0.34, 0.06, 56), (2, 0.62, -0.1, 92), (3, 0.66, -0.4, 124), (4, 0.56, -0.72, 176), (5, 0.3, -0.92, 226), (6, 0.2, -0.96, 250)),
    poses=(
        arm(0.4, "left", 32, 118, -10, 14, 1.2), arm(0.4, "right", 62, 26, 54, 70, 1.2), arm(2.2, "left", 52, 100, 4, 30, 1.4), arm(2.2, "right", 32, 60, 24, 40, 1.4), arm(3.4, "left", 32, 122, -10, 14, 1.2), arm(3.4, "right", 72, 20, 58, 80, 1.2), arm(5.0, "left", 72, 70, 14, 40, 1.4), arm(5.0, "right", 32, 84, 4, 20, 1.4), arms(6.2, 27, 28, 26, 34, 1.3),
        body(0.4, 1.2, side=10, look=24, rise=-0.02, twist=8), body(2.0, 1.3, side=-4, rise=0.012, look=10, nod=-8), body(3.4, 1.2, side=10, look=24, rise=-0.02, nod=-4), body(5.0, 1.3, side=-5, rise=0.012, look=0, nod=-8, twist=0), body(6.2, 1.1, side=0, rise=0.0, nod=-4),
    ),
)  # fmt: skip

PHRASES = (
    SWAY, BOX, TURN, TRAVEL, BALANCE, PIROUETTE, LEAP, HESITATION,
    TWINKLE, OVERSWAY, CURTSEY, CHASSE_ROUND,
)  # fmt: skip
