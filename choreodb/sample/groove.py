"""Groove: hip-hop social steps with a deep bounce and hits that stop, 4/4 with a swung off-beat, phrases of two bars."""

from __future__ import annotations

from choreodb.sample.phrases import FEET, Jump, Phrase, Shift, Step, arm, arms, body, hands, hopped, jumped

POSTURE = (
    ("lean", 9.0), ("nod", 4.0), ("rise", -0.01),
    ("left_fwd", 6.0), ("left_out", 20.0), ("left_turn", 20.0), ("left_bend", 40.0),
    ("right_fwd", 6.0), ("right_out", 20.0), ("right_turn", 20.0), ("right_bend", 40.0),
)  # fmt: skip

BOUNCE = Phrase(
    "bounce",
    2,
    (0.0, 0.65),
    steps=(
        Step("left", 3.0, 0.19, 0.0, swing=0.4, lift=0.03),
        Step("right", 7.0, -0.15, 0.0, swing=0.4, lift=0.03),
    ),
    shifts=(Shift(0.0, 0.62), Shift(1.0, 0.7), Shift(4.0, 0.7), Shift(5.0, 0.66), Shift(6.0, 0.72)),
    poses=(
        body(0.0, 0.8, shrug=4, twist=8, side=5, nod=12, lean=17, rise=-0.06), body(1.0, 0.8, shrug=9, twist=5, side=6, nod=2),
        body(2.0, 0.8, shrug=3, twist=-8, side=-3, nod=12), body(3.0, 0.8, shrug=8, twist=-6, side=-6, nod=2, rise=-0.05),
        body(4.0, 0.8, shrug=3, twist=9, side=5, nod=12, rise=-0.08), body(5.0, 0.8, shrug=9, twist=6, side=7, nod=0),
        body(6.0, 0.8, shrug=3, twist=-5, side=2, nod=12, rise=-0.05), body(7.0, 0.8, shrug=2, twist=0, side=0, nod=4, rise=-0.01, lean=9),
        arms(0.0, -2, 6, 12, 14), arms(1.0, -18, 14, 6, 22), arms(2.0, 10, 6, 16, 12), arms(3.0, -18, 16, 6, 20),
        arm(4.0, "left", 30, 6, 40, 96), arm(4.0, "right", 8, 6, 12, 12), arm(5.0, "left", 24, 8, 36, 90), arm(6.0, "left", -2, 6, 12, 14),
        arms(7.0, 4, 10, 16, 30),
    ),
)  # fmt: skip

ROCK = Phrase(
    "rock",
    2,
    (0.2, 1.0),
    steps=(
        Step("left", 0.0, 0.34, 0.0, yaw=10, swing=0.45, lift=0.05),
        Step("right", 1.0, -0.26, 0.02, yaw=-6, swing=0.4, lift=0.03, weight=0.5),
        Step("right", 3.0, -0.30, 0.06, yaw=-10, swing=0.4, lift=0.05),
        Step("left", 5.0, 0.30, 0.06, yaw=10, swing=0.4, lift=0.05),
        Step("right", 6.5, -0.14, 0.0, swing=0.4, lift=0.04),
        Step("left", 7.0, 0.14, 0.0, swing=0.4, lift=0.04, weight=0.5),
    ),
    shifts=(Shift(1.9, 0.15), Shift(4.0, 0.2), Shift(6.0, 0.85)),
    poses=(
        arms(0.0, 34, 20, 34, 70, 0.7), arm(1.0, "left", 22, 62, 0, 30, 0.7), arm(1.0, "right", 44, -6, 60, 84, 0.7),
        arm(2.0, "right", 22, 62, 0, 30, 0.8), arm(2.0, "left", 44, -6, 60, 84, 0.8),
        arm(3.0, "right", 18, 56, 4, 34, 0.6), arm(3.0, "left", 40, 0, 56, 88, 0.6),
        arm(4.0, "left", 22, 66, 0, 26, 0.8), arm(4.0, "right", 46, -6, 60, 84, 0.8),
        arm(5.0, "left", 18, 56, 4, 34, 0.6), arm(5.0, "right", 40, 0, 56, 88, 0.6),
        arm(6.0, "right", 22, 64, 0, 28, 0.8), arm(6.0, "left", 44, -6, 60, 84, 0.8), arms(7.0, 6, 20, 20, 42),
        body(0.0, 0.7, side=10, twist=12, rise=-0.05), body(1.0, 0.7, side=14, twist=16, rise=-0.07),
        body(2.0, 0.8, side=-14, twist=-16, rise=-0.08), body(3.0, 0.7, side=-10, twist=-12, rise=-0.05),
        body(4.0, 0.8, side=-14, twist=-20, rise=-0.09), body(5.0, 0.7, side=12, twist=16, rise=-0.06),
        body(6.0, 0.8, side=14, twist=18, rise=-0.08), body(7.0, 0.8, side=0, twist=0, rise=-0.01),
    ),
)  # fmt: skip

STEP_TOUCH = Phrase(
    "step-touch",
    2,
    (0.25, 1.0),
    steps=(
        Step("left", 0.0, 0.34, -0.04, swing=0.5, lift=0.05),
        Step("right", 1.0, 0.12, 0.10, swing=0.45, weight=0.1, landing="ball", settle=9.0),
        Step("right", 2.0, -0.33, -0.04, swing=0.55, lift=0.05),
        Step("left", 3.0, -0.11, 0.10, swing=0.45, weight=0.1, landing="ball", settle=9.0),
        Step("left", 4.0, 0.32, -0.04, swing=0.5, lift=0.05),
        Step("right", 4.5, 0.16, -0.06, swing=0.36, lift=0.04),
        Step("left", 5.0, 0.40, 0.0, swing=0.36, lift=0.04),
        Step("right", 6.0, -0.30, 0.0, swing=0.55, lift=0.05),
        Step("left", 7.0, 0.12, 0.0, swing=0.45, weight=0.5),
    ),
    poses=(
        arms(0.0, -24, 24, 0, 60, 0.8), arms(1.0, 58, 14, 24, 66, 0.85), arms(2.0, -26, 24, 0, 60, 0.8),
        arms(3.0, 58, 14, 24, 66, 0.85), arm(4.0, "left", -30, 26, 0, 40, 0.8), arm(4.0, "right", 76, 6, 30, 30, 0.85),
        arm(5.0, "left", 80, 10, 20, 24, 0.85), arm(5.0, "right", -10, 24, 10, 90, 0.6), arms(6.0, 20, 42, 10, 80, 0.7),
        arms(7.0, 6, 20, 20, 44, 0.8),
        body(0.0, 0.8, side=6, lean=6, rise=0.0), body(1.0, 0.7, side=-8, lean=20, rise=-0.06, twist=12, nod=10),
        body(2.0, 0.8, side=-6, lean=6, rise=0.0, twist=0, nod=0),
        body(3.0, 0.7, side=8, lean=20, rise=-0.06, twist=-12, nod=10),
        body(4.0, 0.8, side=4, lean=6, rise=0.0, twist=16, nod=0), body(5.0, 0.7, twist=-20, side=6, lean=8),
        body(6.0, 0.8, twist=0, side=-6, lean=12, rise=-0.05), body(7.0, 0.8, side=0, lean=9, rise=-0.01),
    ),
)  # fmt: skip

MARCH = Phrase(
    "march",
    2,
    (0.5, 1.0),
    steps=tuple(
        Step(
            "left" if beat % 2 == 0 else "right",
            float(beat),
            (0.15 if beat % 2 == 0 else -0.15),
            0.06 if beat in (2, 5) else -0.04,
            swing=0.72,
            lift=0.26 if beat % 4 != 3 else 0.10,
            landing="ball",
            settle=0.3,
        )
        for beat in range(8)
    ),
    poses=(
        *(
            arm(beat, side, *((70.0, 24.0, 10.0, 112.0) if (beat + offset) % 2 else (6.0, 74.0, -40.0, 92.0)), 0.75)
            for beat in range(7)
            for offset, side in enumerate(FEET)
        ),
        arms(7.0, 6, 20, 20, 42, 0.8),
        *(body(beat, 0.8, twist=14 if beat % 2 else -14, side=6 if beat % 2 else -6, lean=12) for beat in range(7)),
        body(7.0, 0.8, twist=0, side=0, lean=9),
    ),
)  # fmt: skip

HITS = Phrase(
    "hits",
    2,
    (0.4, 1.0),
    steps=(
        Step("left", 0.0, 0.30, 0.04, yaw=12, swing=0.45, lift=0.07),
        Step("right", 0.5, -0.30, 0.04, yaw=-12, swing=0.4, lift=0.07, weight=0.5),
        Step("right", 6.5, -0.14, 0.0, swing=0.42, lift=0.05),
        Step("left", 7.0, 0.14, 0.0, swing=0.42, lift=0.05, weight=0.5),
    ),
    shifts=(Shift(2.0, 0.3), Shift(3.0, 0.7), Shift(4.0, 0.5), Shift(5.5, 0.5), Shift(6.0, 0.8)),
    poses=(
        arms(0.0, -14, 26, 0, 92, 0.6), arms(1.0, -20, 24, 0, 104, 0.6), arm(2.0, "right", 84, 0, 10, 10, 0.7),
        arm(3.0, "right", -20, 26, 0, 100, 0.8), arm(3.0, "left", 84, 0, 10, 10, 0.7),
        arms(4.0, 112, 78, -60, 22, 0.7), arms(5.0, 30, 66, 30, 100, 0.7), arms(5.5, 56, -4, 50, 92, 0.5),
        arms(6.5, 4, 46, 0, 22, 0.5), arms(7.5, 6, 20, 20, 40, 0.8),
        body(0.5, 0.6, rise=-0.10, lean=16, nod=10), body(2.0, 0.5, twist=30, side=-4, rise=-0.08, lean=10, nod=0),
        body(3.0, 0.5, twist=-30, side=4, rise=-0.10), body(4.0, 0.6, twist=0, side=0, rise=-0.02, lean=-4, nod=-16),
        body(5.0, 0.6, rise=-0.12, lean=18, nod=6), body(5.5, 0.5, rise=-0.14, lean=25, nod=18),
        body(6.5, 0.7, rise=-0.04, lean=6, nod=0), body(7.5, 0.8, rise=-0.01, lean=9, nod=4),
    ),
    bounce=0.45,
)  # fmt: skip

WALK_TURN = Phrase(
    "walk-turn",
    2,
    (0.45, 1.0),
    steps=(
        Step("left", 0.0, 0.11, 0.04, swing=0.55, landing="heel", settle=0.3, lift=0.06),
        Step("right", 1.0, -0.11, 0.04, swing=0.6, landing="heel", settle=0.3, lift=0.06),
        Step("left", 2.0, 0.12, 0.04, swing=0.6, landing="heel", settle=0.3, lift=0.06),
        Step("right", 3.0, -0.14, 0.02, swing=0.6, landing="ball", lift=0.07, arc=-0.1),
        Step("left", 4.0, 0.11, 0.04, swing=0.6, landing="heel", settle=0.3, lift=0.06),
        Step("right", 5.0, -0.11, 0.04, swing=0.6, landing="heel", settle=0.3, lift=0.06),
        Step("left", 6.0, 0.12, 0.04, swing=0.6, lift=0.06),
        Step("right", 7.0, -0.14, 0.0, swing=0.6, landing="ball", lift=0.07, weight=0.5, arc=-0.1),
    ),
    path=(
        (-1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.22, 0.0), (1.0, 0.0, 0.56, 0.0), (2.0, 0.0, 0.84, 0.0),
        (3.0, 0.0, 0.88, 178.0), (4.0, 0.0, 0.66, 180.0), (5.0, 0.0, 0.32, 180.0), (6.0, 0.0, 0.04, 180.0),
        (7.0, 0.0, 0.0, 358.0), (8.0, 0.0, 0.0, 360.0),
    ),
    poses=(
        *(
            arm(beat, side, *((38.0, 10.0, 22.0, 60.0) if (beat + offset) % 2 else (-28.0, 18.0, 8.0, 24.0)), 1.0)
            for beat in (0, 1, 2, 4, 5, 6)
            for offset, side in enumerate(FEET)
        ),
        arms(3.0, 16, 40, 20, 60, 0.8), arms(7.0, 10, 30, 20, 60, 0.8),
        body(0.0, 1.0, twist=10, lean=12, shrug=4), body(1.0, 1.0, twist=-10, side=4), body(2.0, 1.0, twist=12, side=-4),
        body(3.0, 0.8, twist=6, lean=3, side=0), body(4.0, 1.0, twist=10, lean=12), body(5.0, 1.0, twist=-10, side=4),
        body(6.0, 1.0, twist=12, side=-4), body(7.0, 0.8, twist=0, lean=9, side=0, shrug=0),
    ),
    bounce=0.6,
)  # fmt: skip

RUNNING_MAN = Phrase(
    "running-man",
    2,
    (0.5, 1.0),
    steps=(
        Step("left", 0.0, 0.13, 0.16, swing=0.5, lift=0.20, landing="ball"),
        *hopped(1.0, "left", 0.13, -0.12, (1.5, -0.13, 0.16), lift=0.20, lead=0.2),
        *hopped(2.5, "right", -0.13, -0.12, (3.0, 0.13, 0.16), lift=0.20, lead=0.2),
        *hopped(4.0, "left", 0.13, -0.12, (4.5, -0.13, 0.16), lift=0.20, lead=0.2),
        *hopped(5.5, "right", -0.13, -0.12, (6.0, 0.13, 0.12), lift=0.20, lead=0.2),
        Step("right", 7.0, -0.14, 0.0, swing=0.42, lift=0.05, weight=0.5),
    ),
    jumps=(Jump(1.0, 0.035), Jump(2.5, 0.035), Jump(4.0, 0.035), Jump(5.5, 0.035)),
    poses=(
        *(
            arm(beat, side, *((54.0, 14.0, 20.0, 96.0) if (step + offset) % 2 else (-26.0, 22.0, 10.0, 70.0)), 0.8)
            for step, beat in enumerate((0.0, 1.5, 3.0, 4.5, 6.0))
            for offset, side in enumerate(FEET)
        ),
        arms(7.2, 6, 20, 20, 42, 0.9),
        *(body(beat, 0.8, twist=-12.0 if step % 2 else 12.0, lean=18.0, nod=8.0) for step, beat in enumerate((0.0, 1.5, 3.0, 4.5, 6.0))),
        *(body(beat, 0.6, lean=4.0, nod=-2.0) for beat in (0.8, 2.3, 3.8, 5.3)), body(7.2, 0.9, twist=0, lean=9, nod=4),
    ),
    bounce=0.3,
)  # fmt: skip

BREAK_DOWN = Phrase(
    "break-down",
    2,
    (0.45, 1.0),
    steps=(
        *jumped(0.0, (0.32, 0.0), (-0.32, 0.0)),
        *jumped(2.0, (-0.06, 0.14), (0.06, -0.10), lift=0.05),
        Step("left", 4.0, 0.30, 0.10, yaw=18, swing=0.55, lift=0.08),
        Step("right", 5.0, -0.24, -0.08, yaw=-14, swing=0.5, lift=0.05, weight=0.55),
        Step("right", 6.5, -0.14, 0.0, swing=0.4, lift=0.05),
        Step("left", 7.0, 0.14, 0.0, swing=0.4, lift=0.05, weight=0.5),
    ),
    jumps=(Jump(0.0, 0.06), Jump(2.0, 0.08)),
    path=((2.2, 0, 0, 0), (3.6, 0, 0, -20), (4.5, 0, 0, 40), (6.2, 0, 0, 40), (7.2, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        arms(0.0, 10, 74, 0, 20, 0.6), arms(1.0, 36, 20, 30, 90, 0.8), arms(2.0, 50, -4, 56, 92, 0.7), arms(3.2, 0, 34, 10, 60, 0.8),
        arm(4.0, "left", 96, 30, 0, 16, 0.7), arm(4.0, "right", -20, 30, 10, 80, 0.7), arm(5.0, "left", 40, 20, 40, 100, 0.7), arm(5.0, "right", 20, 84, 0, 20, 0.7),
        arms(6.2, -16, 26, 0, 66, 0.7), arms(7.3, 6, 20, 20, 42, 0.8),
        body(0.2, 0.7, lean=16, rise=-0.10, nod=10), body(1.2, 0.8, lean=4, rise=-0.02, nod=-4), body(2.3, 0.7, lean=14, rise=-0.07, twist=10),
        body(3.3, 0.8, lean=8, rise=-0.04, twist=-18, hips=-12), body(4.0, 0.7, twist=20, hips=10, lean=2, side=8, look=18), body(5.0, 0.7, twist=-14, rise=-0.13, lean=20, side=-4, look=-10),
        body(6.2, 0.8, lean=6, twist=0, hips=0, side=0, rise=-0.04, look=0, wave=12), body(7.3, 0.8, lean=9, rise=-0.01, wave=0),
    ),
    bounce=0.5,
    hits=((0.1, 0.6), (5.0, 0.9)),
)  # fmt: skip

CABBAGE_PATCH = Phrase(
    "cabbage-patch",
    2,
    (0.1, 0.85),
    steps=(
        Step("left", 0.0, 0.24, 0.02, yaw=10, swing=0.5, lift=0.04),
        Step("right", 2.0, -0.24, 0.02, yaw=-10, swing=0.5, lift=0.04),
        Step("left", 4.0, 0.26, 0.06, yaw=12, swing=0.5, lift=0.05),
        Step("right", 6.0, -0.20, 0.0, yaw=-6, swing=0.5, lift=0.05),
        Step("left", 7.2, 0.14, 0.0, swing=0.42, lift=0.04, weight=0.5),
    ),
    shifts=(Shift(1.0, 0.3), Shift(3.0, 0.7), Shift(5.0, 0.3)),
    poses=(
        *(pose for k in range(4) for pose in (
            arms(2.0 * k - 0.1, 92, 44, 44, 56, 0.9), arm(2.0 * k + 0.5, "left", 70, 60, 30, 60, 0.7), arm(2.0 * k + 0.5, "right", 70, 10, 60, 70, 0.7), arms(2.0 * k + 1.0, 60, 44, 56, 84, 0.7), arm(2.0 * k + 1.5, "right", 70, 60, 30, 60, 0.7), arm(2.0 * k + 1.5, "left", 70, 10, 60, 70, 0.7),
            body(2.0 * k, 0.8, lean=16, drive=0.03, side=0, nod=8), body(2.0 * k + 0.5, 0.7, side=10, lean=8, shift=0.04), body(2.0 * k + 1.0, 0.7, lean=-4, drive=-0.03, side=0, nod=-6), body(2.0 * k + 1.5, 0.7, side=-10, lean=8, shift=-0.04),
        )),
        arms(7.8, 6, 20, 20, 42, 0.8), body(7.8, 0.8, side=0, lean=9, shift=0, drive=0, nod=4),
    ),
    bounce=0.9,
    hands=hands(0.0, "fist"),
)  # fmt: skip

ROGER_RABBIT = Phrase(
    "roger-rabbit",
    2,
    (0.5, 1.0),
    steps=(
        Step("right", 0.0, 0.06, -0.24, yaw=-20, swing=0.5, lift=0.08, landing="ball"),
        *hopped(1.0, "right", 0.02, -0.10, (2.0, 0.22, 0.06), lift=0.18),
        Step("left", 3.0, -0.06, -0.24, yaw=20, swing=0.5, lift=0.08, landing="ball"),
        *hopped(4.0, "left", -0.02, -0.10, (5.0, -0.22, 0.06), lift=0.18),
        Step("left", 6.0, 0.24, 0.04, yaw=10, swing=0.5, lift=0.08),
        Step("right", 7.0, -0.14, 0.0, swing=0.45, lift=0.05, weight=0.5),
    ),
    jumps=(Jump(1.0, 0.03), Jump(4.0, 0.03)),
    path=((0, 0, 0, 0), (2, 0, -0.16, 0), (5, 0, -0.26, 0), (8, 0, -0.20, 0)),
    poses=(
        arm(0.0, "left", 70, 12, 20, 60, 0.8), arm(0.0, "right", -36, 30, 10, 60, 0.8), arms(1.0, -30, 40, 10, 84, 0.7), arms(2.0, 54, 24, 24, 70, 0.8), arm(3.0, "right", 70, 12, 20, 60, 0.8), arm(3.0, "left", -36, 30, 10, 60, 0.8), arms(4.0, -30, 40, 10, 84, 0.7), arms(5.0, 54, 24, 24, 70, 0.8), arms(6.0, 20, 70, -10, 70, 0.8), arms(7.3, 6, 20, 20, 42, 0.8),
        body(0.0, 0.8, lean=20, twist=-20, nod=4), body(1.0, 0.7, lean=-6, twist=8, nod=-8), body(2.0, 0.8, lean=16, twist=0, nod=6), body(3.0, 0.8, lean=20, twist=20, nod=4), body(4.0, 0.7, lean=-6, twist=-8, nod=-8), body(5.0, 0.8, lean=16, twist=0, nod=6), body(6.0, 0.8, lean=2, side=8, rise=-0.05), body(7.3, 0.8, lean=9, side=0, rise=-0.01, nod=4),
    ),
    bounce=0.5,
)  # fmt: skip

BART_SIMPSON = Phrase(
    "bart-simpson",
    2,
    (0.3, 0.95),
    steps=(
        Step("left", 0.0, 0.34, 0.0, yaw=24, swing=0.5, lift=0.05),
        Step("right", 1.0, 0.08, 0.06, yaw=-20, swing=0.5, lift=0.06, weight=0.2, landing="heel", settle=9.0),
        Step("right", 2.0, 0.04, 0.0, yaw=10, swing=0.45, lift=0.05),
        Step("left", 3.0, 0.36, 0.04, yaw=26, swing=0.5, lift=0.05),
        Step("right", 4.0, -0.16, 0.0, yaw=-24, swing=0.55, lift=0.05),
        Step("left", 5.0, 0.08, 0.06, yaw=20, swing=0.5, lift=0.06, weight=0.2, landing="heel", settle=9.0),
        Step("left", 6.0, 0.12, 0.0, yaw=-6, swing=0.45, lift=0.05),
        Step("right", 7.0, -0.14, 0.0, yaw=-6, swing=0.5, lift=0.05, weight=0.6),
    ),
    poses=(
        arm(0.0, "left", 14, 90, 0, 20, 0.8), arm(0.0, "right", 40, 30, 50, 100, 0.8), arm(1.0, "left", 20, 60, 70, 70, 0.7), arm(1.0, "right", 20, 70, 0, 60, 0.7), arm(2.0, "left", 14, 96, 0, 20, 0.7), arm(2.0, "right", 40, 30, 50, 104, 0.7), arms(3.0, 30, 76, 60, 84, 0.8),
        arm(4.0, "right", 14, 90, 0, 20, 0.8), arm(4.0, "left", 40, 30, 50, 100, 0.8), arm(5.0, "right", 20, 60, 70, 70, 0.7), arm(5.0, "left", 20, 70, 0, 60, 0.7), arm(6.0, "right", 14, 96, 0, 20, 0.7), arm(6.0, "left", 40, 30, 50, 104, 0.7), arms(7.2, 10, 30, 30, 60, 0.8),
        body(0.0, 0.8, side=16, lean=4, look=24, tip=8), body(1.0, 0.8, side=-8, lean=10), body(2.0, 0.8, side=16, lean=2), body(3.0, 0.8, side=-4, lean=14, rise=-0.08, look=0, tip=0), body(4.0, 0.8, side=-16, lean=4, look=-24, tip=-8, rise=-0.01), body(5.0, 0.8, side=8, lean=10), body(6.0, 0.8, side=-16, lean=2), body(7.2, 0.8, side=0, lean=9, look=0, tip=0),
    ),
)  # fmt: skip

GET_LOW = Phrase(
    "get-low",
    2,
    (0.3, 1.0),
    steps=(
        Step("left", 0.0, 0.30, 0.0, yaw=28, swing=0.5, lift=0.06),
        Step("right", 0.5, -0.28, 0.0, yaw=-28, swing=0.4, lift=0.06, weight=0.5),
        Step("left", 4.0, 0.26, 0.16, yaw=18, swing=0.5, lift=0.10),
        Step("right", 5.0, -0.26, 0.12, yaw=-18, swing=0.5, lift=0.10),
        Step("left", 6.0, 0.20, -0.02, yaw=8, swing=0.5, lift=0.10),
        Step("right", 7.0, -0.14, 0.0, swing=0.45, lift=0.05, weight=0.5),
    ),
    shifts=(Shift(1.6, 0.75), Shift(2.5, 0.25), Shift(3.3, 0.6)),
    poses=(
        arms(0.4, 70, 20, 20, 30, 0.8), arms(1.4, 40, 26, 40, 30, 0.9), arm(2.2, "left", 26, 34, 30, 40, 0.7), arm(2.2, "right", 60, 40, 0, 30, 0.7), arms(3.2, 30, 40, 40, 60, 0.8), arms(4.0, 120, 60, -20, 40, 0.8), arms(5.0, 80, 70, -40, 90, 0.7), arms(6.0, 124, 60, -20, 40, 0.7), arms(7.3, 6, 20, 20, 42, 0.9),
        body(0.4, 0.8, rise=-0.08, lean=14), body(1.4, 1.0, rise=-0.21, lean=34, nod=-8), body(2.3, 0.8, side=10, twist=12, rise=-0.22), body(3.1, 0.8, side=-10, twist=-12, rise=-0.20), body(4.0, 0.8, side=0, twist=0, rise=-0.02, lean=-4, nod=-14), body(5.0, 0.7, lean=14, rise=-0.08, nod=6), body(6.0, 0.7, lean=-4, rise=-0.01, nod=-12), body(7.3, 0.8, lean=9, nod=4, rise=-0.01),
    ),
    bounce=0.7,
)  # fmt: skip

PHRASES = (
    BOUNCE, ROCK, STEP_TOUCH, MARCH, HITS, WALK_TURN, RUNNING_MAN, BREAK_DOWN,
    CABBAGE_PATCH, ROGER_RABBIT, BART_SIMPSON, GET_LOW,
)  # fmt: skip
