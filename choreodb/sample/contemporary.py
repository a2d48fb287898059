"""Contemporary: weight that falls and is caught, a spine that leads, levels from the floor's edge to the leap; 4/4, two bars."""

from __future__ import annotations

from choreodb.sample.phrases import Jump, Phrase, Shift, Step, arm, arms, body, hands, leapt

POSTURE = (
    ("lean", 1.0), ("nod", -2.0), ("rise", -0.004),
    ("left_fwd", 8.0), ("left_out", 16.0), ("left_turn", 8.0), ("left_bend", 18.0),
    ("right_fwd", 8.0), ("right_out", 16.0), ("right_turn", 8.0), ("right_bend", 18.0),
)  # fmt: skip

FALL_RECOVERY = Phrase(
    "fall-recovery",
    2,
    (0.2, 1.0),
    steps=(
        Step("left", 0.0, 0.14, 0.06, swing=0.9, lift=0.03, landing="ball", settle=1.6),
        Step("right", 2.4, -0.44, 0.10, yaw=-34, swing=0.7, lift=0.04, settle=0.3),
        Step("left", 4.4, -0.18, 0.22, yaw=-20, swing=1.1, lift=0.05, landing="ball", settle=0.8, arc=0.12),
        Step("right", 6.0, -0.16, -0.02, swing=1.0, lift=0.04, landing="ball", settle=0.8),
        Step("left", 7.2, 0.08, 0.0, swing=0.8, lift=0.03, landing="ball", settle=0.6, weight=0.6),
    ),
    path=((0, 0, 0, 0), (2, 0, 0, 0), (3, -0.1, 0, -24), (4.6, -0.14, 0.04, -90), (6, -0.1, 0.02, -24), (8, -0.1, 0, 0)),
    poses=(
        arm(0.8, "right", 60, 130, -10, 12, 1.7), arm(0.8, "left", 20, 50, 0, 20, 1.4), arm(2.6, "right", 20, 70, 0, 16, 1.1), arm(3.2, "right", 64, 6, 20, 14, 1.0), arm(3.2, "left", -50, 40, 0, 10, 1.2),
        arm(5.0, "right", 40, 40, 30, 46, 1.6), arm(5.0, "left", 70, 60, 0, 20, 1.7), arm(6.4, "left", 100, 110, -20, 14, 1.5), arm(6.4, "right", 0, 60, 0, 16, 1.3), arms(8.0, 8, 24, 6, 20, 1.5),
        body(1.0, 1.6, side=10, rise=0.012, nod=-16, look=-20, lean=-4), body(2.0, 1.0, side=-4, lean=0), body(3.2, 1.1, rise=-0.20, lean=44, side=-12, twist=-16, nod=24, look=0),
        body(4.6, 1.2, rise=-0.12, lean=26, side=0, twist=-24, nod=6), body(6.2, 1.5, rise=0.01, lean=-8, twist=10, nod=-14, side=6), body(8.0, 1.5, rise=-0.004, lean=1, twist=0, nod=-2, side=0),
    ),
)  # fmt: skip

CONTRACTION = Phrase(
    "contraction",
    2,
    (0.0, 0.8),
    steps=(
        Step("left", 0.0, 0.30, 0.04, yaw=20, swing=0.9, lift=0.03, weight=0.55),
        Step("right", 4.2, -0.10, -0.30, yaw=-30, swing=1.2, lift=0.03, landing="ball", settle=0.8),
        Step("right", 7.2, -0.10, 0.0, swing=1.0, lift=0.03, landing="ball", settle=0.6, weight=0.5),
    ),
    shifts=(Shift(2.0, 0.5), Shift(3.4, 0.75), Shift(5.8, 0.7)),
    poses=(
        arms(0.6, 24, 86, -20, 16, 1.6), arms(2.2, 62, 34, 50, 74, 1.5), arms(3.2, 56, 20, 60, 92, 1.0), arms(4.6, 30, 96, -40, 20, 1.5), arm(6.0, "left", 70, 6, 40, 100, 1.4), arm(6.0, "right", 36, 40, 60, 84, 1.4), arms(7.8, 8, 18, 8, 20, 1.6),
        body(0.6, 1.4, lean=-8, nod=-14, wave=-8), body(2.2, 1.4, wave=26, lean=16, nod=26, rise=-0.11, drive=0.04, shrug=6), body(3.2, 0.9, wave=30, lean=22, nod=32, rise=-0.15), body(4.7, 1.4, wave=-20, lean=-14, nod=-24, rise=-0.02, drive=0, shrug=0),
        body(6.0, 1.2, wave=22, lean=18, twist=26, nod=20, rise=-0.10, side=8), body(7.8, 1.6, wave=0, lean=1, twist=0, nod=-2, rise=-0.004, side=0),
    ),
)  # fmt: skip

SPIRAL = Phrase(
    "spiral",
    2,
    (0.25, 0.95),
    steps=(
        Step("right", 0.0, -0.20, 0.16, yaw=-20, swing=0.9, lift=0.03, landing="ball", settle=0.8),
        Step("left", 1.6, -0.16, 0.20, yaw=-10, swing=1.0, lift=0.05, landing="ball", settle=2.0, arc=0.16),
        Step("right", 4.0, -0.14, -0.04, swing=1.1, lift=0.06, landing="ball", settle=0.8, arc=-0.12),
        Step("left", 5.4, 0.34, 0.02, yaw=24, swing=1.0, lift=0.03, settle=0.4),
        Step("right", 7.2, -0.10, 0.0, swing=1.0, lift=0.03, landing="ball", settle=0.6, weight=0.6),
    ),
    path=((0, 0, 0, 0), (1.2, -0.06, 0.04, -60), (2.4, -0.10, 0.06, -190), (4, -0.08, 0.02, -330), (5.4, 0, 0, -372), (8, 0, 0, -360)),
    poses=(
        arm(0.0, "left", 44, 66, 0, 24, 1.3), arm(0.0, "right", 60, 10, 40, 54, 1.3), arm(1.6, "left", 80, 14, 40, 60, 1.4), arm(1.6, "right", -30, 60, 0, 30, 1.4), arm(3.0, "right", 110, 70, -20, 30, 1.5), arm(3.0, "left", 40, 20, 60, 96, 1.4),
        arm(4.6, "right", 150, 40, 0, 20, 1.5), arm(4.6, "left", 0, 64, 0, 16, 1.5), arm(6.0, "right", 30, 70, 10, 30, 1.4), arm(6.0, "left", 36, 104, -20, 16, 1.5), arms(8.0, 8, 18, 8, 20, 1.6),
        body(0.0, 1.2, twist=26, look=26, lean=4, rise=-0.05), body(1.8, 1.4, twist=-32, look=-36, lean=10, side=-10, rise=-0.09), body(3.4, 1.5, twist=-10, side=4, lean=-6, rise=0.012, nod=-12), body(5.4, 1.4, twist=20, side=12, look=24, rise=-0.10, lean=4, nod=4), body(7.6, 1.6, twist=0, side=0, look=0, rise=-0.004, lean=1, nod=-2),
    ),
)  # fmt: skip

SWING = Phrase(
    "swing",
    2,
    (0.2, 0.9),
    steps=(
        Step("left", 0.0, 0.38, 0.0, yaw=22, swing=0.8, lift=0.03),
        Step("right", 2.0, -0.28, 0.0, yaw=-22, swing=0.6, lift=0.05),
        Step("left", 4.0, 0.34, 0.06, yaw=22, swing=0.6, lift=0.05),
        Step("right", 6.0, -0.22, 0.02, yaw=-10, swing=0.8, lift=0.05),
        Step("left", 7.4, 0.10, 0.0, swing=0.8, lift=0.03, weight=0.5),
    ),
    poses=(
        arms(-0.2, 20, 40, 0, 14, 0.9), arm(0.8, "left", 20, 128, -20, 12, 1.3), arm(0.8, "right", 80, 50, 20, 22, 1.3), arms(2.0, 54, 10, 10, 12, 1.0), arm(2.9, "right", 20, 132, -20, 12, 1.2), arm(2.9, "left", 80, 50, 20, 22, 1.2),
        arms(4.0, 58, 10, 10, 12, 1.0), arm(5.0, "left", 60, 150, -10, 10, 1.3), arm(5.0, "right", 100, 90, 0, 14, 1.3), arms(6.2, 20, 100, -10, 14, 1.1), arms(7.8, 6, 18, 8, 22, 1.4),
        body(0.0, 0.9, lean=26, side=-10, rise=-0.12, nod=18), body(0.9, 1.1, lean=-3, side=14, twist=14, rise=0.0, nod=-10, look=24), body(2.0, 1.0, lean=44, side=0, twist=0, rise=-0.16, nod=28, look=0), body(2.9, 1.0, lean=-3, side=-14, twist=-14, rise=0.0, nod=-10, look=-24),
        body(4.0, 1.0, lean=48, side=0, twist=0, rise=-0.18, nod=30, look=0), body(5.0, 1.1, lean=-10, side=12, twist=20, rise=0.012, nod=-20, look=10), body(6.4, 1.2, side=-6, twist=-12, lean=6, rise=-0.06, nod=0), body(7.8, 1.4, lean=1, side=0, twist=0, rise=-0.004, look=0, nod=-2),
    ),
)  # fmt: skip

LEAP = Phrase(
    "leap",
    2,
    (0.5, 1.0),
    steps=(
        Step("left", 0.0, 0.06, 0.06, swing=0.7, lift=0.05, landing="heel", settle=0.3),
        Step("right", 1.0, -0.06, 0.06, swing=0.7, lift=0.05, landing="ball", settle=0.3),
        *leapt(2.0, "left", 0.05, 0.10, (2.8, -0.08, 0.10), lift=0.16, lead=0.42),
        Step("left", 3.6, 0.08, 0.10, swing=0.6, lift=0.06, landing="ball", settle=0.5),
        Step("right", 5.0, -0.40, 0.06, yaw=-30, swing=0.9, lift=0.04, settle=0.4),
        Step("left", 7.0, 0.06, 0.0, swing=1.2, lift=0.05, landing="ball", settle=0.6, arc=0.14, weight=0.6),
    ),
    jumps=(Jump(2.0, 0.13),),
    path=((-0.6, 0, 0, 0), (0, 0, 0.30, 4), (1, 0, 0.78, 6), (2, 0.04, 1.46, 10), (2.8, 0.06, 1.72, 20), (3.6, 0.12, 1.90, 60), (5, 0.16, 1.92, 130), (6, 0.16, 1.92, 160), (8, 0.14, 1.90, 176)),
    poses=(
        arms(0.4, -30, 24, 0, 14, 1.0), arm(1.8, "right", 110, 20, 0, 10, 0.9), arm(1.8, "left", 10, 104, -20, 8, 0.9), arms(3.0, 40, 60, 0, 20, 1.0), arms(4.2, 20, 40, 10, 30, 1.1), arm(5.4, "left", 30, 120, -20, 12, 1.4), arm(5.4, "right", 70, 20, 40, 60, 1.4), arms(7.6, 8, 18, 8, 22, 1.6),
        body(0.4, 1.0, lean=12, nod=4), body(1.8, 0.9, lean=-7, nod=-12, wave=-8), body(2.8, 0.9, lean=14, nod=8, wave=0, rise=-0.04), body(4.0, 1.0, lean=8, twist=14, look=20), body(5.4, 1.3, side=-14, rise=-0.13, twist=-14, lean=2, nod=-8, look=-26), body(7.4, 1.5, side=0, rise=-0.004, twist=0, lean=1, nod=-2, look=0),
    ),
    bounce=0.4,
)  # fmt: skip

GROUNDED = Phrase(
    "grounded",
    2,
    (0.1, 0.85),
    steps=(
        Step("right", 0.0, -0.32, 0.02, yaw=-34, swing=0.9, lift=0.03),
        Step("left", 1.0, 0.30, 0.02, yaw=34, swing=0.7, lift=0.03, weight=0.5),
        Step("left", 4.0, 0.06, 0.34, yaw=6, swing=1.1, lift=0.04, settle=0.4),
        Step("right", 5.6, -0.14, 0.02, yaw=-10, swing=1.0, lift=0.04, landing="ball", settle=0.8),
        Step("left", 7.2, 0.10, 0.0, swing=0.9, lift=0.03, landing="ball", settle=0.6, weight=0.6),
    ),
    shifts=(Shift(2.2, 0.7), Shift(3.2, 0.15),),
    path=((0, 0, 0, 0), (3.4, 0, 0, 0), (4.4, 0, 0.06, -40), (5.8, 0, 0.06, -30), (8, 0, 0, 0)),
    poses=(
        arms(0.4, 20, 70, 0, 20, 1.2), arms(1.6, 40, 26, 20, 18, 1.3), arm(2.6, "left", 24, 60, 0, 10, 1.2), arm(2.6, "right", 66, 26, 30, 26, 1.2), arm(3.6, "right", 24, 60, 0, 10, 1.2), arm(3.6, "left", 66, 26, 30, 26, 1.2),
        arm(5.0, "right", 96, 24, 0, 10, 1.4), arm(5.0, "left", -44, 24, 0, 14, 1.4), arms(6.6, 120, 50, -20, 20, 1.6), arms(8.0, 8, 18, 8, 20, 1.4),
        body(0.6, 1.2, rise=-0.10, lean=6), body(1.8, 1.3, rise=-0.25, lean=30, nod=16), body(2.8, 1.1, side=14, twist=16, rise=-0.24, lean=24, nod=4, look=16), body(3.7, 1.1, side=-14, twist=-16, rise=-0.23, look=-16),
        body(5.0, 1.4, rise=-0.23, lean=36, side=0, twist=14, nod=-16, look=0), body(6.7, 1.6, rise=0.012, lean=-8, twist=0, nod=-18), body(8.0, 1.4, rise=-0.004, lean=1, nod=-2),
    ),
)  # fmt: skip

TILT = Phrase(
    "tilt",
    2,
    (0.3, 0.95),
    steps=(
        Step("left", 0.0, 0.12, 0.02, yaw=16, swing=0.9, lift=0.03, settle=0.5),
        Step("right", 3.0, -0.12, -0.14, yaw=-26, swing=2.2, lift=0.46, landing="ball", settle=0.8, arc=0.46),
        Step("left", 4.4, 0.24, -0.30, yaw=20, swing=0.9, lift=0.04, landing="ball", settle=0.7),
        Step("right", 6.6, -0.10, 0.02, swing=1.4, lift=0.20, landing="ball", settle=0.7, arc=-0.10),
        Step("left", 7.6, 0.08, 0.0, swing=0.7, lift=0.03, landing="ball", settle=0.5, weight=0.5),
    ),
    poses=(
        arm(0.0, "left", 30, 60, 0, 20, 1.2), arm(0.0, "right", 40, 30, 20, 40, 1.2), arm(1.8, "left", -10, 40, 0, 12, 1.6), arm(1.8, "right", 30, 138, -20, 10, 1.7), arms(3.6, 40, 60, 0, 24, 1.4), arm(4.8, "left", 60, 30, 20, 40, 1.3), arm(4.8, "right", -20, 70, 0, 14, 1.3),
        arm(6.2, "left", 140, 40, -10, 14, 1.5), arm(6.2, "right", 20, 84, 0, 12, 1.5), arms(8.0, 8, 18, 8, 20, 1.4),
        body(0.2, 1.1, rise=-0.05, lean=4), body(1.9, 1.5, side=30, rise=0.004, lean=-2, look=-20, tip=10), body(3.6, 1.3, side=-4, lean=10, rise=-0.08, look=0, tip=0, nod=6), body(4.8, 1.2, lean=-4, twist=-20, rise=-0.10, nod=-8), body(6.3, 1.4, lean=-12, twist=10, rise=0.008, nod=-18), body(8.0, 1.4, lean=1, twist=0, side=0, nod=-2, rise=-0.004),
    ),
)  # fmt: skip

ROLL_DOWN = Phrase(
    "roll-down",
    2,
    (0.0, 0.5),
    steps=(
        Step("left", 1.0, 0.12, 0.02, swing=0.9, lift=0.02, weight=0.5),
        Step("right", 5.2, -0.20, -0.24, yaw=-20, swing=1.2, lift=0.03, landing="ball", settle=0.8, weight=0.6),
        Step("left", 7.4, 0.06, -0.06, swing=1.0, lift=0.03, landing="ball", settle=0.6, weight=0.5),
    ),
    shifts=(Shift(6.4, 0.7),),
    path=((0, 0, 0, 0), (5, 0, 0, 0), (6.6, 0, -0.08, -50), (8, 0, -0.06, -40)),
    poses=(
        arms(0.6, 10, 24, 0, 12, 1.2), arms(2.8, 44, 10, 8, 8, 2.2), arms(4.0, 60, 8, 10, 10, 1.2), arm(5.6, "right", 40, 84, 0, 16, 1.6), arm(5.6, "left", 40, 10, 20, 30, 1.6), arm(6.8, "right", 30, 124, -20, 14, 1.4), arm(6.8, "left", 20, 40, 10, 20, 1.4), arms(8.1, 8, 18, 8, 20, 1.4),
        body(0.6, 1.2, nod=30), body(2.0, 1.6, wave=26, lean=26, nod=34, rise=-0.04), body(3.6, 1.8, lean=66, wave=18, nod=30, rise=-0.15), body(4.6, 1.0, side=8, rise=-0.17), body(5.9, 1.5, lean=26, wave=22, nod=20, twist=-18, side=-4, rise=-0.10), body(7.0, 1.2, lean=-4, wave=-10, nod=-12, twist=-10, rise=0.0, side=0), body(8.1, 1.2, lean=1, wave=0, nod=-2, twist=0),
    ),
)  # fmt: skip

REACH = Phrase(
    "reach",
    2,
    (0.1, 0.8),
    steps=(
        Step("left", 0.0, 0.10, 0.10, swing=0.9, lift=0.03, landing="heel", settle=0.5),
        Step("right", 2.0, -0.06, 0.14, swing=1.2, lift=0.03, landing="ball", settle=2.2),
        Step("left", 4.0, 0.12, 0.28, yaw=10, swing=0.7, lift=0.05, settle=0.3),
        Step("right", 5.4, -0.14, 0.0, swing=1.0, lift=0.04, landing="ball", settle=0.8, arc=0.1),
        Step("left", 6.8, 0.10, -0.02, swing=0.9, lift=0.03, landing="ball", settle=0.8, weight=0.6),
    ),
    path=((0, 0, 0.1, 10), (2, 0.08, 0.46, 24), (3.4, 0.14, 0.62, 30), (4.2, 0.22, 0.78, 24), (5.6, 0.20, 0.70, -30), (6.8, 0.12, 0.60, -30), (8, 0.1, 0.56, -10)),
    poses=(
        arm(0.4, "right", 34, 14, 30, 90, 1.2), arm(0.4, "left", 10, 20, 0, 20, 1.2), arm(2.6, "right", 134, 10, -10, 8, 2.2), arm(2.6, "left", -24, 34, 0, 10, 2.0), arm(3.6, "right", 120, 8, 0, 6, 1.0), arm(4.6, "right", 50, 30, 30, 70, 0.9), arm(4.6, "left", 70, 20, 20, 40, 0.9),
        arms(5.8, 30, 14, 50, 96, 1.2), arm(7.0, "left", 60, 70, -10, 30, 1.4), arm(7.0, "right", 20, 30, 20, 50, 1.4), arms(8.2, 8, 18, 8, 20, 1.2),
        body(0.4, 1.1, lean=8, nod=6, twist=-8), body(2.7, 2.0, lean=14, twist=22, nod=-14, rise=0.012, look=-6), body(3.6, 0.9, lean=20), body(4.5, 0.8, lean=22, rise=-0.16, nod=10, twist=-4, wave=10), body(5.9, 1.3, lean=14, twist=-22, rise=-0.10, nod=18, wave=16), body(7.2, 1.3, lean=-2, twist=12, rise=-0.01, nod=-6, wave=0, look=20), body(8.2, 1.2, twist=0, look=0, lean=1),
    ),
    hands=(*hands(2.0, "spread", 1.4), *hands(4.6, "relaxed", 0.8)),
)  # fmt: skip

RUN_CIRCLE = Phrase(
    "run-circle",
    2,
    (0.45, 1.0),
    steps=(
        *(
            Step("left" if k % 2 == 0 else "right", 0.5 * k, (0.05 if k % 2 == 0 else -0.05), 0.04, swing=0.42, lift=0.09, landing="ball", settle=0.25)
            for k in range(11)
        ),
        Step("right", 5.8, -0.20, 0.22, yaw=-20, swing=0.5, lift=0.06, settle=0.3), Step("left", 7.2, 0.08, 0.02, swing=1.0, lift=0.04, landing="ball", settle=0.6, weight=0.6),
    ),
    path=((-0.4, 0, 0, 0), (0, -0.06, 0.16, -30), (0.5, -0.24, 0.38, -52), (1, -0.52, 0.48, -84), (1.5, -0.84, 0.46, -112), (2, -1.10, 0.28, -144), (2.5, -1.22, 0.0, -176), (3, -1.18, -0.30, -206), (3.5, -0.98, -0.50, -238), (4, -0.70, -0.60, -266), (4.5, -0.40, -0.52, -296), (5, -0.18, -0.30, -326), (5.8, -0.06, -0.04, -356), (8, -0.04, 0, -360)),
    poses=(
        arm(0.4, "right", -20, 70, 0, 20, 1.0), arm(0.4, "left", 40, 80, 0, 20, 1.0), arm(2.4, "right", -30, 84, 0, 12, 1.6), arm(2.4, "left", 50, 100, -20, 16, 1.6), arm(4.6, "left", 30, 120, -20, 14, 1.6), arm(4.6, "right", -20, 60, 0, 20, 1.6), arm(6.2, "left", 90, 30, 10, 16, 1.1), arm(6.2, "right", 60, 70, 0, 14, 1.1), arms(7.8, 8, 18, 8, 20, 1.3),
        body(0.4, 1.0, side=-9, lean=10, look=-12), body(2.4, 1.4, side=-13, lean=12, rise=-0.03), body(4.6, 1.4, side=-10, nod=-6, lean=6), body(6.0, 0.9, side=0, lean=20, rise=-0.13, nod=6, look=0), body(7.7, 1.4, lean=1, rise=-0.004, nod=-2),
    ),
    bounce=0.4,
)  # fmt: skip

ATTITUDE = Phrase(
    "attitude",
    2,
    (0.2, 0.9),
    steps=(
        Step("right", 0.0, -0.10, 0.16, swing=0.9, lift=0.03, landing="ball", settle=0.8),
        Step("left", 3.2, 0.14, -0.10, yaw=10, swing=2.4, lift=0.40, landing="ball", settle=0.8, arc=-0.30),
        Step("right", 4.6, -0.20, -0.24, yaw=-16, swing=0.9, lift=0.04, landing="ball", settle=0.8),
        Step("left", 6.4, 0.06, 0.20, yaw=0, swing=1.2, lift=0.05, landing="heel", settle=0.6),
        Step("right", 7.6, -0.10, 0.02, swing=0.8, lift=0.03, landing="ball", settle=0.5, weight=0.5),
    ),
    path=((0, 0, 0.02, 0), (1, 0, 0.06, 10), (3, 0, 0.06, 150), (4.6, 0, 0.04, 178), (6, 0.02, 0, 190), (8, 0, -0.06, 180)),
    poses=(
        arms(0.0, 36, 40, 30, 60, 1.2), arm(1.8, "left", 130, 40, 0, 30, 1.7), arm(1.8, "right", 20, 88, 0, 16, 1.6), arm(3.4, "left", 60, 96, -20, 16, 1.5), arm(3.4, "right", 60, 30, 30, 60, 1.5), arms(5.0, -10, 60, 0, 20, 1.5), arms(6.6, 70, 30, 20, 46, 1.5), arms(8.1, 8, 18, 8, 20, 1.3),
        body(0.0, 1.1, rise=-0.06, lean=4, twist=-12), body(1.9, 1.6, rise=0.006, lean=16, twist=10, nod=-16, look=10), body(3.5, 1.3, rise=-0.05, lean=2, twist=-8, nod=0, look=0), body(5.0, 1.4, lean=-12, nod=-18, wave=-12, rise=-0.04), body(6.6, 1.3, lean=14, nod=10, wave=14, rise=-0.06), body(8.1, 1.3, lean=1, wave=0, nod=-2, rise=-0.004, twist=0),
    ),
)  # fmt: skip

GATHER = Phrase(
    "gather-scatter",
    2,
    (0.35, 1.0),
    steps=(
        Step("left", 0.0, 0.10, 0.04, swing=0.8, lift=0.03, landing="ball", settle=0.5),
        Step("right", 1.0, -0.06, 0.02, swing=0.7, lift=0.03),
        *leapt(3.0, "left", 0.46, 0.04, (4.0, 0.24, 0.0), lift=0.12, lead=0.4),
        Step("left", 5.4, 0.44, -0.04, yaw=20, swing=0.8, lift=0.04, settle=0.4),
        Step("right", 7.0, 0.14, 0.0, swing=1.0, lift=0.03, landing="ball", settle=0.6),
        Step("left", 7.8, 0.32, 0.0, swing=0.6, lift=0.03, landing="ball", settle=0.5, weight=0.5),
    ),
    jumps=(Jump(3.0, 0.09),),
    path=((0, 0, 0, 0), (4, 0, 0, 0), (8, 0.22, 0, 0)),
    poses=(
        arms(0.2, 40, 70, 0, 30, 1.2), arms(1.8, 50, 0, 60, 92, 1.3), arm(2.9, "left", 30, 126, -20, 8, 0.9), arm(2.9, "right", 20, 92, -20, 8, 0.9), arms(4.2, 44, 44, 20, 40, 1.1), arm(5.8, "left", 60, 20, 40, 70, 1.3), arm(5.8, "right", 20, 118, -10, 12, 1.4), arms(7.8, 8, 18, 8, 20, 1.5),
        body(0.2, 1.1, lean=-4, nod=-8), body(1.9, 1.2, lean=26, wave=22, nod=26, rise=-0.12, shrug=6), body(2.9, 0.9, lean=-6, wave=-12, nod=-14, side=-6, shrug=0), body(4.2, 1.1, lean=10, wave=0, nod=2, side=2, rise=-0.05), body(5.8, 1.2, side=14, rise=-0.11, twist=-14, look=-24, lean=2), body(7.8, 1.5, side=0, rise=-0.004, twist=0, look=0, lean=1, nod=-2),
    ),
    bounce=0.4,
    hands=(*hands(1.6, "fist", 0.8), *hands(2.9, "spread", 0.6), *hands(4.4, "relaxed", 1.0)),
)  # fmt: skip

PHRASES = (
    FALL_RECOVERY, CONTRACTION, SPIRAL, SWING, LEAP, GROUNDED, TILT, ROLL_DOWN, REACH, RUN_CIRCLE, ATTITUDE, GATHER,
)  # fmt: skip
