"""House: quick feet under a jacking torso, 4/4, phrases of two bars."""

from __future__ import annotations

from choreodb.sample.phrases import FEET, Jump, Phrase, Pose, Step, arm, arms, body, hopped, jumped

POSTURE = (
    ("lean", 7.0), ("nod", 3.0),
    ("left_fwd", 14.0), ("left_out", 16.0), ("left_turn", 14.0), ("left_bend", 58.0),
    ("right_fwd", 14.0), ("right_out", 16.0), ("right_turn", 14.0), ("right_bend", 58.0),
)  # fmt: skip


def _jack_torso(first: int, last: int, deep: float = 16.0) -> tuple[Pose, ...]:
    """The jack: chest pulled in and released again with every beat."""
    return tuple(
        pose
        for beat in range(first, last)
        for pose in (
            body(beat + 0.5, 0.5, wave=deep, lean=9.0, nod=-3.0, drive=0.02),
            body(beat + 1.0, 0.5, wave=-0.9 * deep, lean=5.0, nod=4.0, drive=-0.03),
        )
    )


def _pump(beats: range, high: float, low: float) -> tuple[Pose, ...]:
    """Arms that swing against each other, one beat each way."""
    return tuple(
        arm(beat, side, high if (beat + offset) % 2 else low, 17.0, 20.0, 92.0 if (beat + offset) % 2 else 60.0, 0.95)
        for beat in beats
        for offset, side in enumerate(FEET)
    )


JACK = Phrase(
    "jack",
    2,
    (0.0, 0.7),
    steps=(
        Step("left", 1.0, 0.20, 0.03, swing=0.45, lift=0.04),
        Step("right", 3.0, -0.21, 0.0, swing=0.45, lift=0.04),
        Step("left", 5.0, 0.19, -0.03, swing=0.45, lift=0.04),
        Step("right", 7.0, -0.13, 0.0, swing=0.45, lift=0.04),
    ),
    poses=(
        *_jack_torso(0, 8),
        arms(1.0, 47, 31, 21, 113), arms(2.0, 12, 20, 12, 85), arms(3.0, 49, 31, 23, 116), arms(4.0, 10, 20, 12, 83),
        arms(5.0, 58, 36, 25, 120), arms(6.0, 10, 20, 12, 83), arms(7.0, 45, 29, 21, 111),
        body(1.0, 1.0, twist=10, side=5, rise=-0.035), body(3.0, 1.5, twist=-9, side=-4),
        body(5.0, 1.5, twist=9, side=4), body(7.0, 1.5, twist=-5, side=-3, rise=-0.02),
    ),
)  # fmt: skip

TWO_STEP = Phrase(
    "two-step",
    2,
    (0.3, 1.0),
    steps=(
        Step("left", 0.0, 0.31, 0.03, yaw=8, swing=0.55),
        Step("right", 1.0, 0.10, -0.10, swing=0.5, weight=0.15, landing="ball", settle=9.0),
        Step("right", 2.0, -0.31, 0.03, yaw=-8, swing=0.6),
        Step("left", 3.0, -0.10, -0.10, swing=0.5, weight=0.15, landing="ball", settle=9.0),
        Step("left", 4.0, 0.33, 0.08, yaw=8, swing=0.6),
        Step("right", 5.0, 0.12, 0.10, swing=0.5, weight=0.15, landing="ball", settle=9.0),
        Step("right", 6.0, -0.31, 0.03, yaw=-8, swing=0.6),
        Step("left", 7.0, 0.08, 0.0, swing=0.5, weight=0.5),
    ),
    poses=(
        arms(0.0, 8, 62, 0, 56, 0.9), arm(1.0, "right", 70, 6, 44, 40, 0.9), arm(1.0, "left", -30, 78, -10, 16, 0.9),
        arms(2.0, 8, 66, 0, 52, 0.9), arm(3.0, "left", 70, 6, 44, 40, 0.9), arm(3.0, "right", -30, 78, -10, 16, 0.9),
        arms(4.0, 8, 68, 0, 52, 0.9), arm(5.0, "right", 92, 24, 30, 30, 0.9), arm(5.0, "left", -26, 86, -10, 16, 0.9),
        arms(6.0, 8, 62, 0, 58, 0.9), arms(7.0, 16, 42, 14, 60, 0.9),
        body(0.0, 1.0, side=7, twist=-6, lean=9), body(1.0, 1.0, side=-3, twist=20, lean=13),
        body(2.0, 1.0, side=-7, twist=6, lean=9), body(3.0, 1.0, side=3, twist=-20, lean=13),
        body(4.0, 1.0, side=7, twist=-6, lean=9), body(5.0, 1.0, side=-3, twist=22, lean=4),
        body(6.0, 1.0, side=-7, twist=6, lean=9), body(7.0, 1.0, side=0, twist=0, lean=8),
    ),
)  # fmt: skip

SHUFFLE = Phrase(
    "shuffle",
    2,
    (0.5, 1.0),
    steps=(
        Step("left", 0.0, 0.11, 0.26, swing=0.5, lift=0.09),
        Step("right", 0.5, -0.10, -0.02, swing=0.36, lift=0.05, landing="ball"),
        Step("left", 1.0, 0.12, -0.26, swing=0.42, lift=0.05, landing="ball"),
        Step("right", 1.5, -0.10, 0.02, swing=0.38, lift=0.05),
        Step("left", 2.0, 0.11, 0.28, swing=0.42, lift=0.09),
        Step("right", 2.5, -0.10, -0.02, swing=0.36, lift=0.05, landing="ball"),
        Step("left", 3.0, 0.10, 0.0, swing=0.42, lift=0.05),
        Step("right", 4.0, -0.11, 0.26, swing=0.5, lift=0.09),
        Step("left", 4.5, 0.10, -0.02, swing=0.36, lift=0.05, landing="ball"),
        Step("right", 5.0, -0.12, -0.26, swing=0.42, lift=0.05, landing="ball"),
        Step("left", 5.5, 0.10, 0.02, swing=0.38, lift=0.05),
        Step("right", 6.0, -0.11, 0.28, swing=0.42, lift=0.09),
        Step("left", 6.5, 0.10, -0.02, swing=0.36, lift=0.05, landing="ball"),
        Step("right", 7.0, -0.10, 0.0, swing=0.42, lift=0.05),
    ),
    poses=(
        *_pump(range(8), 82.0, -34.0),
        *(body(beat, 0.95, twist=13.0 if beat % 2 else -13.0, lean=23.0 if beat % 2 else 15.0) for beat in range(8)),
    ),
)  # fmt: skip

CROSS = Phrase(
    "cross",
    2,
    (0.5, 1.0),
    steps=(
        Step("right", 0.0, 0.20, -0.24, yaw=-14, swing=0.5, landing="ball", arc=0.05),
        Step("left", 0.5, 0.42, -0.02, yaw=6, swing=0.42),
        Step("right", 1.0, 0.20, 0.24, yaw=24, swing=0.42, lift=0.07, arc=-0.08),
        Step("left", 2.0, 0.56, 0.05, yaw=14, swing=0.6, lift=0.08),
        Step("right", 3.0, 0.34, 0.16, swing=0.55, weight=0.1, landing="heel", settle=9.0, lift=0.09),
        Step("right", 4.0, 0.12, -0.04, swing=0.5, lift=0.06),
        Step("left", 4.5, 0.02, -0.27, yaw=14, swing=0.42, landing="ball", arc=-0.05),
        Step("right", 5.0, -0.20, -0.02, yaw=-6, swing=0.42),
        Step("left", 5.5, 0.02, 0.22, yaw=-22, swing=0.42, lift=0.07, arc=0.08),
        Step("right", 6.0, -0.24, 0.0, swing=0.42),
        Step("left", 7.0, 0.10, 0.0, swing=0.55, weight=0.5),
    ),
    poses=(
        arms(0.0, 6, 26, 10, 60), arms(1.0, 16, 58, 0, 48), arms(2.0, 30, 12, 34, 96), arms(3.0, 4, 62, -10, 36),
        arms(4.0, 18, 20, 20, 70), arms(5.0, 14, 60, 0, 48), arms(6.0, 32, 10, 36, 98), arms(7.0, 14, 18, 14, 60),
        body(0.0, 0.8, twist=24, side=-5, lean=12), body(1.0, 0.8, twist=-22, side=5, lean=8),
        body(2.0, 1.0, twist=4, lean=12, side=6), body(3.0, 1.0, twist=-14, lean=-2, nod=-4, side=-4),
        body(4.5, 1.0, twist=-22, lean=12, side=5, nod=3), body(5.5, 0.8, twist=22, lean=8, side=-5),
        body(7.0, 1.2, twist=0, lean=7, side=0),
    ),
)  # fmt: skip

SKATE = Phrase(
    "skate",
    2,
    (0.4, 1.0),
    steps=(
        Step("left", 0.0, 0.32, 0.30, yaw=30, swing=0.65, lift=0.05),
        Step("right", 1.0, 0.22, 0.16, swing=0.6, weight=0.1, landing="ball", settle=9.0),
        Step("right", 2.0, -0.32, 0.32, yaw=-30, swing=0.7, lift=0.05),
        Step("left", 3.0, -0.22, 0.18, swing=0.6, weight=0.1, landing="ball", settle=9.0),
        Step("left", 4.0, 0.34, 0.02, yaw=30, swing=0.7, lift=0.05),
        Step("right", 5.0, 0.24, -0.16, swing=0.6, weight=0.1, landing="ball", settle=9.0),
        Step("right", 6.0, -0.32, -0.02, yaw=-26, swing=0.7, lift=0.05),
        Step("left", 7.0, 0.09, 0.0, swing=0.6, weight=0.5),
    ),
    poses=(
        arm(0.0, "left", -40, 20, 0, 30), arm(0.0, "right", 66, 4, 30, 60),
        arm(1.0, "left", -30, 24, 0, 34), arm(1.0, "right", 58, 0, 34, 66),
        arm(2.0, "left", 66, 4, 30, 60, 1.1), arm(2.0, "right", -40, 20, 0, 30, 1.1),
        arm(3.0, "left", 58, 0, 34, 66), arm(3.0, "right", -30, 24, 0, 34),
        arm(4.0, "left", -44, 20, 0, 26, 1.1), arm(4.0, "right", 74, 4, 30, 56, 1.1),
        arm(5.0, "left", -30, 24, 0, 34), arm(5.0, "right", 62, 0, 34, 66),
        arm(6.0, "left", 66, 4, 30, 60, 1.1), arm(6.0, "right", -40, 20, 0, 30, 1.1),
        arms(7.0, 16, 18, 16, 60),
        body(0.0, 1.0, rise=-0.07, lean=22, twist=18, side=8, nod=-8),
        body(2.0, 1.2, rise=-0.08, lean=24, twist=-18, side=-8), body(3.0, 1.0, rise=-0.05),
        body(4.0, 1.2, rise=-0.08, lean=20, twist=18, side=8), body(5.0, 1.0, rise=-0.05),
        body(6.0, 1.2, rise=-0.07, lean=20, twist=-18, side=-8), body(7.0, 1.0, rise=0, lean=8, twist=0, side=0, nod=2),
    ),
    bounce=0.7,
)  # fmt: skip

SPIN = Phrase(
    "spin",
    2,
    (0.6, 1.0),
    steps=(
        Step("right", 0.0, -0.36, 0.05, yaw=-8, swing=0.6),
        Step("left", 1.0, 0.16, 0.12, yaw=30, swing=0.55),
        Step("right", 2.0, -0.10, 0.04, swing=0.62, lift=0.05, landing="ball", arc=-0.12),
        Step("left", 3.0, 0.10, 0.0, swing=0.62, lift=0.05, landing="ball", arc=0.05),
        Step("right", 4.0, -0.22, 0.0, swing=0.5),
        Step("left", 5.0, 0.30, 0.12, swing=0.5, weight=0.1, landing="heel", settle=9.0, lift=0.1),
        Step("left", 6.0, 0.12, 0.0, swing=0.5),
        Step("right", 7.0, -0.10, 0.0, swing=0.5, weight=0.5),
    ),
    path=((1.0, 0.0, 0.0, 0.0), (2.0, 0.0, 0.0, 175.0), (3.2, 0.0, 0.0, 360.0), (8.0, 0.0, 0.0, 360.0)),
    poses=(
        arm(0.0, "left", 64, 9, 59, 90), arm(0.0, "right", 9, 71, 11, 35),
        arm(1.0, "left", 33, 74, -1, 35), arm(1.0, "right", 33, 78, 11, 42),
        arms(2.0, 64, 9, 66, 128), arms(3.0, 57, 14, 59, 124),
        arms(4.0, 21, 86, -8, 33, 0.9), arms(5.0, 14, 66, -1, 42),
        arms(6.0, 40, 21, 35, 100), arms(7.0, 26, 16, 28, 78),
        body(0.0, 1.0, twist=-24, rise=-0.05, lean=10), body(1.0, 1.0, twist=18, lean=4),
        body(2.0, 1.0, twist=4, rise=0.0, lean=2, look=0), body(4.0, 0.8, twist=0, rise=-0.06, lean=4, nod=-6),
        body(5.0, 1.0, lean=-3, twist=8), body(7.0, 1.5, rise=0.0, lean=7, nod=3, twist=0),
    ),
    bounce=0.6,
)  # fmt: skip

HEEL_JACK = Phrase(
    "heel-jack",
    2,
    (0.45, 1.0),
    steps=(
        Step("left", 0.0, 0.16, 0.34, swing=0.5, weight=0.05, landing="heel", settle=9.0, lift=0.10),
        Step("left", 1.0, 0.11, 0.0, swing=0.5, lift=0.06),
        Step("right", 2.0, -0.16, 0.34, swing=0.5, weight=0.05, landing="heel", settle=9.0, lift=0.10),
        Step("right", 3.0, -0.11, 0.0, swing=0.5, lift=0.06),
        Step("left", 4.0, 0.30, 0.26, yaw=16, swing=0.5, weight=0.05, landing="heel", settle=9.0, lift=0.10),
        Step("left", 5.0, 0.11, 0.0, swing=0.5, lift=0.06),
        Step("right", 6.0, -0.30, 0.26, yaw=-16, swing=0.5, weight=0.05, landing="heel", settle=9.0, lift=0.10),
        Step("right", 7.0, -0.10, 0.0, swing=0.5, lift=0.06),
    ),
    poses=(
        arms(0.0, 122, 50, -34, 46), arms(1.0, 92, 44, -16, 92), arms(2.0, 132, 52, -38, 38), arms(3.0, 92, 44, -16, 92),
        arms(4.0, 136, 56, -40, 34), arms(5.0, 94, 44, -16, 90), arms(6.0, 124, 54, -36, 42), arms(7.0, 60, 30, 4, 84),
        body(0.0, 0.8, lean=-5, nod=-10, shrug=6, twist=-6), body(1.0, 0.8, lean=10, nod=6),
        body(2.0, 0.8, lean=-5, nod=-10, twist=6), body(3.0, 0.8, lean=10, nod=6),
        body(4.0, 0.8, lean=-7, nod=-12, twist=12, side=-5), body(5.0, 0.8, lean=10, nod=6, twist=0, side=0),
        body(6.0, 0.8, lean=-7, nod=-12, twist=-12, side=5), body(7.0, 0.9, lean=8, nod=3, shrug=0, twist=0, side=0),
    ),
)  # fmt: skip

KICK_HOP = Phrase(
    "kick-hop",
    2,
    (0.55, 1.0),
    steps=(
        Step("left", 0.0, 0.12, 0.10, swing=0.5, lift=0.06),
        *hopped(1.0, "left", 0.10, 0.0, (2.0, -0.16, -0.05), lift=0.22),
        *hopped(3.0, "right", -0.12, 0.02, (4.0, 0.16, -0.05), lift=0.22),
        Step("right", 4.5, -0.12, -0.20, swing=0.4, lift=0.05, landing="ball"),
        Step("left", 5.0, 0.12, 0.02, swing=0.42, lift=0.05),
        *jumped(6.0, (0.24, 0.04), (-0.24, 0.04)),
        *jumped(7.0, (0.10, 0.0), (-0.10, 0.0)),
    ),
    jumps=(Jump(1.0, 0.05), Jump(3.0, 0.05), Jump(6.0, 0.07), Jump(7.0, 0.05)),
    poses=(
        arm(0.5, "right", 56, 20, 20, 60), arm(0.5, "left", -34, 26, 0, 40), arm(1.5, "right", 20, 60, 0, 40), arm(1.5, "left", 30, 50, 0, 60),
        arm(2.5, "left", 56, 20, 20, 60), arm(2.5, "right", -34, 26, 0, 40), arm(3.5, "left", 20, 60, 0, 40), arm(3.5, "right", 30, 50, 0, 60),
        arms(4.5, 10, 30, 20, 84), arms(5.3, -20, 24, 0, 50, 0.8), arms(5.9, 70, 54, -10, 50, 0.7), arms(7.0, 20, 20, 20, 76, 0.9),
        body(0.5, 0.8, lean=-3, twist=10, look=10), body(1.5, 0.9, lean=10, twist=-6, side=4), body(2.5, 0.8, lean=-3, twist=-10, look=-10, side=0),
        body(3.5, 0.9, lean=10, twist=6, side=-4), body(5.2, 0.9, lean=16, twist=0, side=0, look=0, nod=8), body(6.0, 0.8, lean=2, nod=-4), body(7.2, 1.0, lean=8, nod=3),
    ),
    bounce=0.5,
)  # fmt: skip

PAS_DE_BOURREE = Phrase(
    "pas-de-bourree",
    2,
    (0.35, 1.0),
    steps=(
        Step("right", 0.0, 0.06, -0.22, yaw=-20, swing=0.5, landing="ball"),
        Step("left", 0.5, 0.26, 0.0, yaw=8, swing=0.4),
        Step("right", 1.0, 0.12, 0.24, yaw=10, swing=0.42, lift=0.07, landing="ball"),
        Step("left", 2.0, -0.06, -0.22, yaw=20, swing=0.55, landing="ball"),
        Step("right", 2.5, -0.24, 0.0, yaw=-8, swing=0.4),
        Step("left", 3.0, -0.10, 0.24, yaw=-10, swing=0.42, lift=0.07, landing="ball"),
        Step("right", 4.0, 0.08, -0.24, yaw=-20, swing=0.55, landing="ball"),
        Step("left", 4.5, 0.28, 0.0, yaw=8, swing=0.4),
        Step("right", 5.0, 0.02, 0.04, swing=0.42, lift=0.06),
        Step("left", 6.0, 0.34, 0.16, yaw=26, swing=0.55, lift=0.10, weight=0.15, landing="heel", settle=9.0),
        Step("left", 7.0, 0.10, 0.0, swing=0.5, lift=0.06),
    ),
    path=((0, 0, 0, 0), (1.2, 0, 0, -24), (3, 0, 0, 24), (5, 0, 0, -20), (6.4, 0, 0, 14), (8, 0, 0, 0)),
    poses=(
        arms(0.2, 20, 84, -10, 30, 0.9), arm(1.2, "left", 60, 46, 10, 50, 0.8), arm(1.2, "right", -20, 70, 0, 24, 0.8), arms(2.2, 16, 90, -14, 26, 0.9), arm(3.2, "right", 60, 46, 10, 50, 0.8), arm(3.2, "left", -20, 70, 0, 24, 0.8),
        arms(4.4, 30, 96, -30, 40, 0.9), arms(5.2, 20, 56, 20, 80, 0.7), arm(6.0, "left", 6, 92, -10, 16, 0.8), arm(6.0, "right", 90, 50, -20, 40, 0.8), arms(7.3, 14, 30, 14, 60, 0.9),
        body(0.2, 0.8, side=5, lean=2, twist=-10, nod=-6), body(1.2, 0.8, twist=16, lean=9), body(2.2, 0.8, side=-5, lean=2, twist=10), body(3.2, 0.8, twist=-16, lean=9), body(4.4, 0.9, side=6, lean=0, twist=-10, rise=0.0), body(5.2, 0.7, lean=16, side=0, rise=-0.05, nod=4),
        body(6.0, 0.8, lean=-7, twist=16, look=20, nod=-8, rise=-0.02), body(7.3, 0.9, lean=7, twist=0, look=0, nod=3, rise=0.0),
    ),
)  # fmt: skip

FARMER = Phrase(
    "farmer",
    2,
    (0.4, 1.0),
    steps=(
        Step("left", 0.0, 0.30, 0.04, yaw=30, swing=0.5, lift=0.06),
        Step("right", 1.0, -0.22, 0.04, yaw=14, swing=0.5, lift=0.10, weight=0.6),
        Step("left", 2.0, 0.24, 0.04, yaw=-14, swing=0.5, lift=0.10, weight=0.6),
        Step("right", 3.0, -0.30, 0.04, yaw=-30, swing=0.5, lift=0.06),
        Step("left", 4.0, 0.26, 0.14, yaw=30, swing=0.5, lift=0.14),
        Step("right", 5.0, -0.26, 0.14, yaw=-30, swing=0.5, lift=0.14),
        Step("left", 6.0, 0.24, -0.04, yaw=10, swing=0.5, lift=0.08),
        Step("right", 7.0, -0.12, 0.0, swing=0.5, lift=0.05),
    ),
    poses=(
        arms(0.0, 40, 40, 60, 50, 0.8), arm(1.0, "left", 30, 62, 40, 40, 0.8), arm(1.0, "right", 62, 6, 50, 40, 0.8), arm(2.0, "right", 30, 62, 40, 40, 0.8), arm(2.0, "left", 62, 6, 50, 40, 0.8), arm(3.0, "left", 30, 62, 40, 40, 0.8), arm(3.0, "right", 62, 6, 50, 40, 0.8),
        arms(4.0, -30, 46, 30, 60, 0.8), arms(5.0, 50, 44, 60, 60, 0.8), arms(6.0, -26, 50, 30, 60, 0.8), arms(7.3, 14, 18, 14, 58, 0.9),
        body(0.0, 0.8, rise=-0.11, lean=24, nod=-10), body(1.0, 0.8, side=9, twist=16), body(2.0, 0.8, side=-9, twist=-16), body(3.0, 0.8, side=9, twist=16), body(4.0, 0.8, side=0, twist=0, lean=14, rise=-0.08, nod=-4), body(5.0, 0.8, lean=30, rise=-0.13, nod=4), body(6.0, 0.8, lean=12, rise=-0.07), body(7.3, 0.9, lean=7, rise=0.0, nod=3),
    ),
    bounce=1.1,
)  # fmt: skip

LOOSE_LEGS = Phrase(
    "loose-legs",
    2,
    (0.55, 1.0),
    steps=(
        *jumped(0.0, (0.26, 0.0), (-0.26, 0.0), yaw=0.0),
        *jumped(1.0, (-0.05, 0.10), (0.05, -0.08)),
        *jumped(2.0, (0.26, 0.0), (-0.26, 0.0)),
        *jumped(3.0, (0.05, -0.08), (-0.05, 0.10)),
        *jumped(4.0, (0.26, 0.02), (-0.26, 0.02)),
        Step("left", 5.0, 0.10, 0.36, swing=0.55, lift=0.22, weight=0.1, landing="heel", settle=9.0),
        Step("left", 6.0, 0.12, -0.04, swing=0.5, lift=0.06),
        Step("right", 7.0, -0.10, 0.0, swing=0.5, lift=0.10, weight=0.6),
    ),
    jumps=(Jump(0.0, 0.035), Jump(1.0, 0.04), Jump(2.0, 0.035), Jump(3.0, 0.04), Jump(4.0, 0.035)),
    poses=(
        arms(0.0, 8, 76, 0, 20, 0.7), arms(1.0, 46, 14, 40, 70, 0.7), arms(2.0, 12, 104, -20, 20, 0.7), arms(3.0, 50, 10, 44, 74, 0.7), arms(4.0, 20, 126, -30, 24, 0.8), arm(5.0, "right", 66, 30, 0, 30, 0.8), arm(5.0, "left", -36, 40, 0, 30, 0.8), arms(6.2, 40, 20, 30, 92, 0.8), arms(7.4, 14, 16, 14, 58, 0.9),
        body(0.0, 0.7, lean=4), body(1.0, 0.7, lean=12, twist=14), body(2.0, 0.7, lean=2, twist=0, nod=-6), body(3.0, 0.7, lean=12, twist=-14), body(4.0, 0.8, lean=-2, twist=0, nod=-12), body(5.0, 0.8, lean=-10, twist=14, nod=0), body(6.2, 0.8, lean=16, twist=0, nod=6), body(7.4, 0.9, lean=7, nod=3),
    ),
    bounce=0.4,
)  # fmt: skip

LOFTING = Phrase(
    "lofting",
    2,
    (0.1, 0.8),
    steps=(
        Step("left", 0.0, 0.40, 0.12, yaw=40, swing=0.7, lift=0.05),
        Step("right", 2.0, 0.06, 0.24, yaw=30, swing=0.9, lift=0.05, landing="ball", weight=0.5, arc=0.06),
        Step("right", 3.0, -0.36, 0.14, yaw=-40, swing=0.7, lift=0.06),
        Step("left", 5.0, -0.04, 0.26, yaw=-30, swing=0.9, lift=0.05, landing="ball", weight=0.5, arc=-0.06),
        Step("left", 6.2, 0.24, -0.02, yaw=10, swing=0.6, lift=0.05),
        Step("right", 7.3, -0.12, 0.0, swing=0.6, lift=0.05, weight=0.6),
    ),
    path=((0, 0, 0, 0), (0.6, 0, 0, 24), (2.2, 0, 0, 10), (3.4, 0, 0, -26), (5.2, 0, 0, -10), (7, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        arm(0.6, "left", 46, 30, 10, 12, 1.1), arm(0.6, "right", -20, 94, -20, 14, 1.2), arm(1.6, "left", 60, 44, 10, 16, 0.9), arms(2.4, 34, 40, 20, 60, 1.0), arm(3.6, "right", 46, 30, 10, 12, 1.1), arm(3.6, "left", -20, 94, -20, 14, 1.2), arm(4.6, "right", 60, 44, 10, 16, 0.9),
        arms(5.6, 40, 30, 30, 80, 1.0), arms(6.4, -24, 60, 0, 30, 0.9), arms(7.6, 14, 18, 14, 58, 0.9),
        body(0.7, 1.1, rise=-0.21, lean=34, side=10, twist=-16, nod=-16, look=-20), body(1.6, 0.9, twist=-4), body(2.5, 0.9, rise=-0.04, lean=10, side=0, nod=0, look=0), body(3.7, 1.1, rise=-0.21, lean=34, side=-10, twist=16, nod=-16, look=20), body(4.6, 0.9, twist=4),
        body(5.6, 1.0, rise=-0.06, lean=18, side=0, twist=0, nod=6, look=0, wave=12), body(6.6, 0.9, rise=-0.02, wave=-10, lean=2, nod=-6), body(7.6, 0.8, rise=0.0, wave=0, lean=7, nod=3),
    ),
    bounce=0.5,
)  # fmt: skip

PHRASES = (
    JACK, TWO_STEP, SHUFFLE, CROSS, SKATE, SPIN, HEEL_JACK, KICK_HOP,
    PAS_DE_BOURREE, FARMER, LOOSE_LEGS, LOFTING,
)  # fmt: skip
