"""Popping: movement that stops dead, the whole body contracting on the beat; waves and angles, 4/4, phrases of two bars."""

from __future__ import annotations

from choreodb.sample.phrases import Jump, Phrase, Shift, Step, arm, arms, body, hands, jumped

POSTURE = (
    ("lean", 4.0), ("nod", 2.0), ("rise", -0.005),
    ("left_fwd", 8.0), ("left_out", 18.0), ("left_turn", 10.0), ("left_bend", 34.0),
    ("right_fwd", 8.0), ("right_out", 18.0), ("right_turn", 10.0), ("right_bend", 34.0),
)  # fmt: skip

_EVERY = tuple((float(beat), 0.9 if beat % 2 else 0.7) for beat in range(8))

FRESNO = Phrase(
    "fresno",
    2,
    (0.2, 1.0),
    steps=(
        Step("left", 0.0, 0.26, 0.02, yaw=10, swing=0.5, lift=0.03),
        Step("right", 2.0, -0.24, 0.02, yaw=-10, swing=0.5, lift=0.03, weight=0.6),
        Step("left", 4.0, 0.28, 0.06, yaw=10, swing=0.5, lift=0.03),
        Step("right", 6.0, -0.14, 0.0, swing=0.5, lift=0.03, weight=0.6),
    ),
    shifts=(Shift(1.0, 0.15), Shift(2.9, 0.85), Shift(5.1, 0.12), Shift(7.0, 0.8)),
    poses=(
        arm(0.0, "left", 66, 14, -24, 72, 0.6), arm(0.0, "right", -26, 14, -6, 8, 0.6),
        arm(1.0, "right", 66, 14, -24, 72, 0.6), arm(1.0, "left", -26, 14, -6, 8, 0.6),
        arm(2.0, "left", 68, 16, -24, 68, 0.6), arm(2.0, "right", -28, 16, -6, 8, 0.6),
        arm(3.0, "right", 70, 18, -24, 64, 0.6), arm(3.0, "left", -28, 16, -6, 8, 0.6),
        arm(4.0, "left", 94, 24, -24, 8, 0.6), arm(4.0, "right", -34, 22, -14, 8, 0.6),
        arm(5.0, "right", 94, 24, -24, 8, 0.6), arm(5.0, "left", -34, 22, -14, 8, 0.6),
        arms(6.0, 24, 20, 6, 62, 0.6), arms(7.0, -2, 2, -4, 8, 0.7),
        body(0.0, 0.6, twist=22, side=6, hips=-8, look=14), body(1.0, 0.6, twist=-22, side=-6, hips=8, look=-14),
        body(2.0, 0.6, twist=22, side=6, hips=-8, look=14), body(3.0, 0.6, twist=-22, side=-6, hips=8, look=-14),
        body(4.0, 0.6, twist=28, side=8, hips=-10, look=20, rise=-0.04), body(5.0, 0.6, twist=-28, side=-8, hips=10, look=-20),
        body(6.0, 0.6, twist=0, side=0, hips=0, look=0, rise=-0.07, lean=12), body(7.0, 0.8, rise=0, lean=4),
    ),
    bounce=0.8,
    hits=_EVERY,
)  # fmt: skip

ARM_WAVE = Phrase(
    "arm-wave",
    2,
    (0.0, 0.75),
    steps=(
        Step("left", 0.0, 0.20, 0.0, yaw=6, swing=0.6, lift=0.03, weight=0.6),
        Step("right", 4.0, -0.20, 0.0, yaw=-6, swing=0.6, lift=0.03, weight=0.6),
    ),
    shifts=(Shift(2.2, 0.25), Shift(5.8, 0.75), Shift(7.2, 0.4)),
    poses=(
        arm(0.0, "left", 12, 92, 0, 12, 1.4), arm(0.0, "right", 12, 92, 0, 12, 1.4),
        arm(0.8, "left", 12, 96, 40, 60, 0.7), arm(1.4, "left", 12, 112, -10, 40, 0.7), arm(2.0, "left", 12, 84, -20, 10, 0.7),
        arm(2.6, "right", 12, 112, -10, 40, 0.7), arm(3.2, "right", 12, 96, 40, 62, 0.7), arm(3.8, "right", 12, 90, 0, 12, 0.8),
        arm(4.5, "right", 12, 96, 40, 60, 0.7), arm(5.0, "right", 12, 112, -10, 40, 0.7), arm(5.5, "right", 12, 84, -20, 10, 0.7),
        arm(6.0, "left", 12, 112, -10, 40, 0.7), arm(6.5, "left", 12, 96, 40, 62, 0.7), arms(7.4, 8, 24, 10, 34, 0.9),
        body(0.0, 1.4, look=34, side=-3), body(1.4, 0.9, slide=0.045, side=6, tip=6), body(2.2, 0.9, slide=-0.01, wave=9),
        body(2.8, 0.9, slide=-0.045, side=-6, look=-34, tip=-6, wave=0), body(4.5, 0.9, slide=-0.045, side=-7),
        body(5.2, 0.9, slide=0.01, wave=9), body(5.8, 0.9, slide=0.045, side=6, look=34, wave=0, tip=6),
        body(7.2, 1.2, slide=0, side=0, look=0, tip=0),
    ),
    bounce=0.3,
)  # fmt: skip

BODY_WAVE = Phrase(
    "body-wave",
    2,
    (0.0, 0.7),
    steps=(
        Step("right", 0.0, -0.14, 0.16, yaw=-6, swing=0.6, lift=0.03, weight=0.6),
        Step("right", 4.0, -0.14, -0.02, swing=0.6, lift=0.03, weight=0.5),
        Step("left", 5.0, 0.16, 0.16, yaw=6, swing=0.6, lift=0.03, weight=0.6),
        Step("left", 7.5, 0.13, 0.0, swing=0.5, lift=0.03, weight=0.5),
    ),
    poses=(
        body(0.0, 0.9, wave=-18, lean=2, nod=-12), body(1.0, 0.9, wave=22, drive=0.05, nod=10), body(2.0, 1.0, wave=-14, drive=-0.02, rise=-0.03),
        body(2.8, 0.9, wave=20, drive=0.04, rise=-0.06), body(3.6, 0.9, wave=-10, drive=0, nod=0),
        body(4.4, 0.9, wave=-20, rise=-0.10, lean=10), body(5.4, 1.0, wave=24, rise=-0.05, drive=0.06, nod=-8),
        body(6.4, 1.0, wave=-6, rise=0, drive=0, lean=2), body(7.3, 0.9, wave=0, nod=2, lean=4),
        arms(0.4, -12, 22, 0, 30, 1.0), arms(1.5, 20, 34, 26, 66, 1.1), arms(2.6, -14, 26, 0, 26, 1.1), arms(3.6, 24, 30, 26, 70, 1.0),
        arms(4.6, 40, 24, 30, 88, 0.9), arms(5.6, 6, 50, -10, 26, 1.1), arms(6.8, 8, 20, 10, 36, 1.1),
    ),
    bounce=0.25,
)  # fmt: skip

TICK = Phrase(
    "tick",
    2,
    (0.3, 0.9),
    steps=(
        Step("right", 0.0, -0.16, 0.02, yaw=-12, swing=0.4, lift=0.03, weight=0.6),
        Step("left", 4.0, 0.20, 0.08, yaw=14, swing=0.4, lift=0.04, weight=0.7),
        Step("right", 7.0, -0.13, 0.0, swing=0.4, lift=0.03, weight=0.5),
    ),
    shifts=(Shift(2.0, 0.3), Shift(5.5, 0.8)),
    poses=(
        arm(0.0, "right", 37, 60, 16, 90, 0.4), arm(0.5, "right", 68, 60, 16, 90, 0.3), arm(1.0, "right", 103, 55, 6, 90, 0.3),
        arm(1.5, "right", 125, 47, -4, 50, 0.3), arm(2.0, "right", 129, 29, -14, 8, 0.3),
        arm(2.5, "left", -3, 73, 35, 90, 0.3), arm(3.0, "left", 6, 116, 41, 93, 0.3), arm(3.5, "left", 6, 118, -14, 93, 0.3),
        arm(4.0, "left", 6, 124, -68, 93, 0.35), arm(4.5, "right", 76, 86, 6, 63, 0.35), arm(5.0, "right", 10, 124, -68, 93, 0.35),
        arm(5.5, "left", 6, 121, -4, 90, 0.3), arm(6.0, "right", 6, 121, -4, 90, 0.3), arms(6.5, 6, 73, 16, 76, 0.35), arms(7.2, 8, 33, -4, 18, 0.6),
        body(0.0, 0.4, twist=-14, look=-24), body(1.0, 0.35, twist=-20, look=-36, side=-5), body(2.0, 0.35, twist=-26, lean=10, nod=8),
        body(3.0, 0.35, twist=4, look=0, side=0, lean=4, nod=0), body(3.5, 0.35, twist=14, look=26, tip=8), body(4.0, 0.35, twist=22, look=38, rise=-0.05),
        body(5.0, 0.35, twist=0, look=0, tip=0, rise=-0.07), body(6.0, 0.35, twist=0, tip=-10, rise=-0.04), body(7.0, 0.6, tip=0, rise=0),
    ),
    bounce=0.15,
    hits=tuple((0.5 * k, 0.35) for k in range(14)),
)  # fmt: skip

TWIST_O_FLEX = Phrase(
    "twist-o-flex",
    2,
    (0.3, 1.0),
    steps=(
        Step("left", 0.0, 0.10, 0.10, yaw=24, swing=0.55, lift=0.04),
        Step("right", 1.0, -0.12, -0.04, yaw=0, swing=0.5, lift=0.04, weight=0.5, landing="ball"),
        Step("right", 4.0, -0.12, 0.10, yaw=-24, swing=0.55, lift=0.04),
        Step("left", 5.0, 0.12, -0.04, swing=0.5, lift=0.04, weight=0.5, landing="ball"),
        Step("right", 7.0, -0.12, 0.0, swing=0.5, lift=0.03, weight=0.5),
    ),
    path=((-0.5, 0, 0, 0), (0.5, 0, 0, 50), (3.4, 0, 0, 50), (4.5, 0, 0, -46), (6.4, 0, 0, -46), (7.5, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        arms(0.0, 44, 55, 29, 84, 0.7), arms(1.0, 44, 64, 33, 86, 0.5), arm(2.0, "left", 55, 75, -15, 56, 0.6), arm(2.0, "right", 44, 53, 29, 84, 0.6),
        arms(3.0, 33, 49, 29, 93, 0.7), arms(4.4, 49, 66, 33, 82, 0.7), arm(5.4, "right", 62, 80, -22, 51, 0.6), arm(5.4, "left", 44, 53, 29, 84, 0.6),
        arms(6.4, 66, 9, 29, 71, 0.7), arms(7.4, 20, 20, -4, 18, 0.7),
        body(0.0, 0.7, hips=-26, twist=-24, look=-40), body(1.0, 0.6, hips=16, twist=-34), body(2.0, 0.6, twist=10, look=-10, side=6),
        body(3.0, 0.6, hips=0, twist=26, look=10, rise=-0.05, side=0), body(4.2, 0.7, hips=26, twist=24, look=40, rise=0),
        body(5.4, 0.6, hips=-14, twist=-12, look=6, side=-6), body(6.4, 0.7, hips=0, twist=-22, look=-10, rise=-0.05), body(7.4, 0.7, twist=0, look=0, rise=0, side=0),
    ),
    bounce=0.3,
    hits=((0.0, 0.8), (2.0, 0.9), (4.4, 0.8), (6.4, 1.0)),
)  # fmt: skip

WALK_OUT = Phrase(
    "walk-out",
    2,
    (0.4, 1.0),
    steps=(
        Step("left", 0.0, 0.36, 0.18, yaw=26, swing=0.55, landing="heel", settle=0.3, lift=0.07),
        Step("right", 1.0, 0.06, 0.22, yaw=-4, swing=0.55, landing="ball", lift=0.06, weight=0.6),
        Step("right", 2.0, -0.36, 0.18, yaw=-26, swing=0.55, landing="heel", settle=0.3, lift=0.07),
        Step("left", 3.0, -0.06, 0.22, yaw=4, swing=0.55, landing="ball", lift=0.06, weight=0.6),
        Step("left", 4.0, 0.34, -0.12, yaw=30, swing=0.6, lift=0.06),
        Step("right", 5.0, -0.26, -0.06, yaw=-24, swing=0.5, lift=0.05, weight=0.55),
        Step("right", 6.5, -0.14, 0.0, swing=0.45, lift=0.04),
        Step("left", 7.2, 0.13, 0.0, swing=0.45, lift=0.04, weight=0.5),
    ),
    poses=(
        arm(0.0, "left", 40, 44, 0, 40, 0.7), arm(0.0, "right", -24, 30, 10, 60, 0.7), arms(1.0, 24, 20, 30, 94, 0.6),
        arm(2.0, "right", 40, 44, 0, 40, 0.7), arm(2.0, "left", -24, 30, 10, 60, 0.7), arms(3.0, 24, 20, 30, 94, 0.6),
        arms(4.0, 8, 66, 0, 26, 0.7), arms(5.0, 12, 78, 56, 92, 0.6), arms(6.2, -16, 30, 10, 86, 0.6), arms(7.3, 8, 20, 10, 36, 0.7),
        body(0.0, 0.7, lean=-8, side=-8, look=16, nod=-6), body(1.0, 0.6, lean=14, side=6, twist=-16, rise=-0.06),
        body(2.0, 0.7, lean=-8, side=8, look=-16, twist=0, rise=0), body(3.0, 0.6, lean=14, side=-6, twist=16, rise=-0.06),
        body(4.0, 0.7, lean=-6, side=0, twist=0, rise=-0.02), body(5.0, 0.6, lean=12, rise=-0.12, nod=10), body(6.2, 0.7, lean=16, rise=-0.10, wave=14),
        body(7.3, 0.8, lean=4, rise=0, wave=0, nod=2),
    ),
    bounce=0.6,
    hits=((1.0, 0.8), (3.0, 0.8), (5.0, 1.1)),
)  # fmt: skip

NECK_O_FLEX = Phrase(
    "neck-o-flex",
    2,
    (0.0, 0.6),
    steps=(
        Step("left", 1.0, 0.16, 0.0, yaw=8, swing=0.45, lift=0.03, weight=0.5),
        Step("right", 5.0, -0.16, 0.0, yaw=-8, swing=0.45, lift=0.03, weight=0.5),
    ),
    shifts=(Shift(2.0, 0.3), Shift(4.0, 0.7), Shift(6.4, 0.35)),
    poses=(
        arm(0.5, "left", 117, 42, 32, 102, 0.9), arm(0.5, "right", 13, 11, 3, 8, 0.9), arm(2.0, "left", 110, 64, -1, 108, 0.7), arm(2.0, "right", 55, 20, 72, 73, 0.9),
        arm(4.0, "left", 55, 20, 72, 73, 0.9), arm(4.0, "right", 117, 42, 32, 102, 0.9), arm(6.0, "right", 110, 64, -1, 108, 0.6), arms(7.3, 20, 18, 10, 16, 0.9),
        body(0.0, 0.5, look=40), body(1.0, 0.5, look=-40, twist=8), body(1.5, 0.5, tip=16), body(2.5, 0.6, look=0, tip=-16, nod=10),
        body(3.0, 0.5, look=46, tip=0, twist=-16), body(4.0, 0.6, look=-46, nod=-8, twist=16, slide=-0.04), body(5.0, 0.6, slide=0.04, tip=14),
        body(6.0, 0.6, slide=-0.04, tip=-14, look=0), body(6.6, 0.5, slide=0.02, nod=12, wave=10), body(7.4, 0.7, slide=0, tip=0, nod=2, twist=0, wave=0),
    ),
    bounce=0.2,
    hits=((0.0, 0.4), (1.0, 0.4), (3.0, 0.6), (4.0, 0.6), (6.6, 0.8)),
)  # fmt: skip

POP_JUMP = Phrase(
    "pop-jump",
    2,
    (0.55, 1.0),
    steps=(
        *jumped(0.5, (0.28, 0.0), (-0.28, 0.0), yaw=0.0),
        Step("left", 2.0, 0.06, 0.12, yaw=4, swing=0.5, lift=0.05),
        Step("right", 3.0, -0.20, -0.10, yaw=-14, swing=0.5, lift=0.05, weight=0.6),
        *jumped(4.5, (0.12, 0.10), (-0.12, 0.10)),
        Step("right", 6.0, -0.26, 0.02, yaw=-12, swing=0.5, lift=0.05),
        Step("left", 7.2, 0.13, 0.0, swing=0.5, lift=0.04, weight=0.5),
    ),
    jumps=(Jump(0.5, 0.07), Jump(4.5, 0.12)),
    poses=(
        arms(0.5, 20, 64, 50, 88, 0.6), arms(1.5, 24, 20, 30, 94, 0.6), arm(2.5, "left", 70, 20, 10, 60, 0.6), arm(2.5, "right", -20, 30, 0, 40, 0.6),
        arms(3.6, -36, 20, 0, 30, 0.6), arms(4.4, 96, 30, 0, 50, 0.6), arms(5.2, 20, 50, 30, 96, 0.6), arms(6.2, -10, 44, 10, 80, 0.6), arms(7.4, 8, 20, 10, 36, 0.7),
        body(0.5, 0.6, lean=10, nod=8), body(1.5, 0.6, lean=14, rise=-0.08, twist=-12), body(2.5, 0.6, twist=18, rise=-0.02, look=16),
        body(3.6, 0.6, lean=18, twist=0, look=0, nod=12), body(4.3, 0.6, lean=-2, nod=-10), body(5.2, 0.6, lean=16, rise=-0.10, nod=10, side=6),
        body(6.2, 0.6, lean=6, rise=-0.06, twist=-20, side=-6), body(7.4, 0.8, lean=4, rise=0, twist=0, side=0, nod=2),
    ),
    bounce=0.3,
    hits=((1.5, 0.9), (2.5, 0.8), (5.2, 1.1), (6.2, 0.8)),
)  # fmt: skip

KING_TUT = Phrase(
    "king-tut",
    2,
    (0.1, 0.85),
    steps=(
        Step("left", 0.0, 0.22, 0.04, yaw=20, swing=0.5, lift=0.03),
        Step("right", 2.0, -0.22, 0.04, yaw=-20, swing=0.5, lift=0.03, weight=0.6),
        Step("left", 4.0, 0.20, 0.10, yaw=30, swing=0.5, lift=0.04),
        Step("right", 6.0, -0.18, 0.0, yaw=-10, swing=0.5, lift=0.04),
        Step("left", 7.3, 0.13, 0.0, swing=0.45, lift=0.03, weight=0.5),
    ),
    shifts=(Shift(1.0, 0.3), Shift(3.0, 0.75), Shift(5.0, 0.25)),
    path=((0, 0, 0, 0), (3.6, 0, 0, 0), (4.4, 0, 0, 60), (5.6, 0, 0, 60), (6.4, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        arm(0.0, "left", 3, 104, -68, 122, 0.5), arm(0.0, "right", 3, 104, 66, 122, 0.5), arm(1.0, "left", 3, 104, 66, 122, 0.5), arm(1.0, "right", 3, 104, -68, 122, 0.5), arms(2.0, 99, 8, 66, 122, 0.5), arms(2.5, 104, 8, -2, 126, 0.4), arm(3.0, "left", 3, 104, -68, 122, 0.5), arm(3.0, "right", 104, 8, 66, 122, 0.5),
        arm(4.0, "left", 104, 1, -2, 122, 0.5), arm(4.0, "right", -46, 20, -2, 114, 0.5), arm(5.0, "left", -46, 20, -2, 114, 0.5), arm(5.0, "right", 104, 1, -2, 122, 0.5), arms(6.0, 6, 102, -68, 126, 0.5), arms(6.7, 6, 102, -2, 128, 0.4), arms(7.5, 8, 20, 8, 54, 0.7),
        body(0.0, 0.5, look=36, side=4), body(1.0, 0.5, look=-36, side=-4), body(2.0, 0.5, look=0, rise=-0.05, side=0), body(3.0, 0.5, look=40, twist=-10), body(4.0, 0.6, look=0, twist=0, lean=0, nod=-4), body(4.5, 0.5, drive=0.04), body(5.0, 0.5, drive=-0.02, rise=-0.07), body(6.0, 0.6, drive=0, rise=-0.03, look=0), body(6.7, 0.4, tip=10), body(7.5, 0.7, tip=0, rise=0.0, lean=4),
    ),
    bounce=0.35,
    hits=((0.0, 0.5), (1.0, 0.5), (2.0, 0.7), (3.0, 0.5), (4.0, 0.6), (5.0, 0.6), (6.0, 0.7)),
    hands=hands(0.0, "flat"),
)  # fmt: skip

SCARECROW = Phrase(
    "scarecrow",
    2,
    (0.2, 0.95),
    steps=(
        Step("left", 0.0, 0.26, 0.0, yaw=-14, swing=0.5, lift=0.04),
        Step("right", 1.0, -0.24, 0.0, yaw=14, swing=0.5, lift=0.04, weight=0.5),
        Step("right", 4.0, -0.06, 0.14, yaw=18, swing=0.5, lift=0.05),
        Step("left", 5.0, 0.28, 0.04, yaw=20, swing=0.5, lift=0.05, weight=0.6),
        Step("left", 6.5, 0.16, 0.0, swing=0.45, lift=0.04),
        Step("right", 7.3, -0.13, 0.0, swing=0.45, lift=0.04, weight=0.5),
    ),
    shifts=(Shift(2.0, 0.75), Shift(3.0, 0.25)),
    poses=(
        arms(0.0, 2, 86, 63, 84, 0.6), arm(1.0, "left", 2, 84, 52, 96, 0.5), arm(1.0, "right", 2, 90, 75, 64, 0.5), arm(2.0, "left", 2, 92, 75, 64, 0.5), arm(2.0, "right", 2, 82, 52, 96, 0.5), arm(3.0, "left", 2, 84, -60, 88, 0.5), arm(3.0, "right", 2, 90, 63, 84, 0.5), arm(4.0, "right", 2, 84, -60, 88, 0.5), arm(4.0, "left", 2, 90, 63, 84, 0.5),
        arms(5.0, 2, 78, 63, 90, 0.5), arms(6.0, 24, 60, 45, 60, 0.6), arms(7.3, 8, 18, 8, 34, 0.7),
        body(0.0, 0.6, side=0, lean=0, nod=8), body(1.0, 0.6, side=13, tip=14, twist=-6), body(2.0, 0.6, side=-13, tip=-14, twist=6), body(3.0, 0.5, side=6, tip=0, look=30), body(4.0, 0.5, side=-6, look=-30), body(5.0, 0.6, side=0, look=0, rise=-0.10, nod=22, lean=12), body(6.0, 0.6, rise=-0.12, wave=12, lean=20), body(7.3, 0.7, rise=0.0, wave=0, nod=2, lean=4),
    ),
    bounce=0.5,
    hits=((1.0, 0.6), (2.0, 0.6), (3.0, 0.8), (4.0, 0.8), (5.0, 0.9)),
)  # fmt: skip

ROBOT = Phrase(
    "robot",
    2,
    (0.25, 0.9),
    steps=(
        Step("left", 0.0, 0.11, 0.12, swing=0.4, lift=0.03),
        Step("right", 1.0, -0.11, 0.12, swing=0.4, lift=0.03),
        Step("left", 2.0, 0.11, 0.10, swing=0.4, lift=0.03),
        Step("right", 3.0, -0.12, 0.0, yaw=-8, swing=0.4, lift=0.03),
        Step("left", 4.0, 0.12, 0.02, yaw=0, swing=0.4, lift=0.04),
        Step("right", 5.0, -0.12, 0.0, swing=0.4, lift=0.04),
        Step("left", 6.0, 0.12, -0.06, swing=0.4, lift=0.03),
        Step("right", 7.0, -0.13, 0.0, swing=0.4, lift=0.03, weight=0.5),
    ),
    path=((0, 0, 0.04, 0), (1, 0, 0.14, 0), (2, 0, 0.26, 0), (3.4, 0, 0.28, 0), (4, 0, 0.28, -44), (5, 0, 0.28, -88), (5.4, 0, 0.28, -88), (6.2, 0, 0.26, -30), (7, 0, 0.2, 0), (8, 0, 0.2, 0)),
    poses=(
        arm(0.0, "left", -15, 42, -64, 70, 0.4), arm(0.0, "right", -24, 42, 20, 8, 0.4), arm(1.0, "right", -15, 42, -64, 70, 0.4), arm(1.0, "left", -24, 42, 20, 8, 0.4), arm(2.0, "left", 55, -5, 20, 73, 0.4), arm(2.0, "right", -46, -5, 20, 68, 0.4), arms(3.0, -24, 63, 66, 70, 0.4),
        arm(4.0, "left", 42, -3, 20, 8, 0.4), arm(4.0, "right", -24, 29, 66, 68, 0.4), arm(5.0, "left", -24, 29, 66, 68, 0.4), arm(5.0, "right", 42, -3, 20, 8, 0.4), arm(6.0, "left", 87, -11, 20, 8, 0.4), arm(6.0, "right", -24, -5, 20, 68, 0.4), arms(7.2, -13, 10, 29, 8, 0.6),
        body(0.0, 0.4, twist=12, lean=0, nod=0), body(1.0, 0.4, twist=-12), body(2.0, 0.4, twist=14), body(2.5, 0.35, look=34), body(3.0, 0.4, twist=0, look=-34), body(3.5, 0.35, look=0, lean=16), body(4.0, 0.4, lean=0, side=7), body(5.0, 0.4, side=-7), body(6.0, 0.4, side=0, lean=18, nod=-10), body(6.6, 0.35, lean=8), body(7.2, 0.6, lean=4, nod=2),
    ),
    bounce=0.2,
    hits=tuple((float(k), 0.45) for k in range(7)),
    hands=hands(0.0, "flat"),
)  # fmt: skip

DIME_STOP = Phrase(
    "dime-stop",
    2,
    (0.3, 1.0),
    steps=(
        Step("right", 0.0, -0.28, -0.20, yaw=-34, swing=0.5, lift=0.05),
        Step("left", 1.0, 0.14, 0.28, yaw=4, swing=0.5, lift=0.06, weight=0.2, landing="heel", settle=9.0),
        Step("left", 4.0, 0.30, -0.04, yaw=30, swing=0.5, lift=0.06),
        Step("right", 5.0, -0.14, 0.26, yaw=-4, swing=0.5, lift=0.08, weight=0.25, landing="ball", settle=9.0),
        Step("right", 6.5, -0.18, 0.0, swing=0.45, lift=0.05),
        Step("left", 7.3, 0.13, 0.0, swing=0.45, lift=0.04, weight=0.5),
    ),
    path=((0, 0, 0, 0), (0.8, 0, 0, 40), (3.4, 0, 0, 40), (4.4, 0, 0, -40), (6, 0, 0, -40), (7.3, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        arms(0.0, 30, 60, 0, 60, 0.6), arm(1.0, "left", 60, 20, 0, 20, 0.5), arm(1.0, "right", -50, 40, 0, 30, 0.5), arm(2.0, "left", 62, 22, 40, 60, 0.5), arm(3.0, "left", 70, 24, -20, 100, 0.5), arms(4.0, 30, 60, 0, 60, 0.6), arm(5.0, "right", 10, 120, -20, 16, 0.5), arm(5.0, "left", 30, 20, 60, 96, 0.5), arms(6.3, 40, 20, 40, 100, 0.6), arms(7.4, 8, 20, 10, 36, 0.7),
        body(0.0, 0.6, lean=6, rise=-0.03), body(1.0, 0.5, lean=-17, rise=-0.10, nod=8, twist=-10, side=-6), body(2.0, 0.5, lean=-13, nod=-4), body(3.0, 0.5, lean=-19, rise=-0.12, nod=10), body(4.0, 0.6, lean=12, side=0, twist=0, rise=-0.06), body(5.0, 0.5, lean=2, side=15, rise=-0.09, look=-30, nod=-8, twist=8), body(6.3, 0.6, side=0, look=0, lean=20, rise=-0.10, nod=10, wave=14), body(7.4, 0.7, wave=0, lean=4, rise=0.0, nod=2, twist=0),
    ),
    bounce=0.25,
    hits=((1.0, 1.0), (2.0, 0.6), (3.0, 0.8), (5.0, 1.0), (6.3, 0.8)),
)  # fmt: skip

PHRASES = (
    FRESNO, ARM_WAVE, BODY_WAVE, TICK, TWIST_O_FLEX, WALK_OUT, NECK_O_FLEX, POP_JUMP,
    KING_TUT, SCARECROW, ROBOT, DIME_STOP,
)  # fmt: skip
