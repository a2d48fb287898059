"""Salsa on 1: quick flat steps on 1-2-3 and 5-6-7, hips and shoulders against each other, turns; 4/4, phrases of two bars."""

from __future__ import annotations

from choreodb.sample.latin import walked
from choreodb.sample.phrases import Hand, Phrase, Pose, Step, arm, arms, body, hands
from choreodb.sample.truth import Foot

POSTURE = (
    ("lean", 3.0), ("nod", -1.0), ("rise", -0.008),
    ("left_fwd", 20.0), ("left_out", 26.0), ("left_turn", 16.0), ("left_bend", 88.0),
    ("right_fwd", 20.0), ("right_out", 26.0), ("right_turn", 16.0), ("right_bend", 88.0),
)  # fmt: skip


def _on(beat: float, foot: Foot, x: float, z: float, yaw: float = 0.0, **also: float) -> Step:
    """A quick step."""
    return Step(foot, beat, x, z, yaw=yaw, swing=0.6, lift=0.025, landing="ball", settle=0.35, **also)  # type: ignore[arg-type]


def _hips(steps: tuple[Step, ...], size: float = 0.9) -> tuple[Pose, ...]:
    return walked(steps, size=size, after=0.45, over=0.85)


def _swing(high: float = 40.0, low: float = 2.0, *, out: float = 26.0) -> tuple[Pose, ...]:
    """Forearms that pump against the steps, as salsa's arms do where nothing else is asked of them."""
    keys = []
    for beat, left in ((0.0, False), (1.0, True), (2.0, False), (4.0, True), (5.0, False), (6.0, True)):
        keys.append(arm(beat, "left", high if left else low, out, 24.0, 96.0 if left else 74.0, 0.9))
        keys.append(arm(beat, "right", low if left else high, out, 24.0, 74.0 if left else 96.0, 0.9))
    return tuple(keys)


_BASIC = (
    _on(0.0, "left", 0.08, 0.28),
    _on(1.0, "right", -0.10, 0.0),
    _on(2.0, "left", 0.10, -0.04),
    _on(4.0, "right", -0.08, -0.28),
    _on(5.0, "left", 0.10, 0.0),
    _on(6.0, "right", -0.10, 0.02),
)

BASIC = Phrase(
    "basic",
    2,
    (0.0, 0.75),
    steps=_BASIC,
    poses=(
        *_hips(_BASIC), *_swing(60.0, -32.0, out=20.0),
        body(0.0, 0.8, twist=-15, lean=9, rise=-0.04), body(2.0, 0.9, twist=9, lean=5, rise=-0.025), body(4.0, 0.8, twist=15, lean=3, rise=-0.04), body(6.0, 0.9, twist=-9, lean=5, rise=-0.02),
    ),
)  # fmt: skip

_SIDE_BREAK = (
    _on(0.0, "left", 0.38, 0.02),
    _on(1.0, "right", -0.10, 0.0),
    _on(2.0, "left", 0.08, 0.02),
    _on(4.0, "right", -0.38, 0.02),
    _on(5.0, "left", 0.10, 0.0),
    _on(6.0, "right", -0.08, 0.0),
)

SIDE_BREAK = Phrase(
    "side-break",
    2,
    (0.1, 0.9),
    steps=_SIDE_BREAK,
    poses=(
        *_hips(_SIDE_BREAK, 1.2),
        arm(0.2, "left", -11, 67, -15, 8, 1.0), arm(0.2, "right", 37, 62, 88, 93, 1.0), arm(2.2, "right", 44, 67, 21, 54, 1.0), arm(2.2, "left", 32, 55, 45, 90, 1.0),
        arm(4.2, "right", -11, 67, -15, 8, 1.0), arm(4.2, "left", 37, 62, 88, 93, 1.0), arm(6.2, "left", 44, 67, 21, 54, 1.0), arm(6.2, "right", 32, 55, 45, 90, 1.0), arms(7.8, 15, 26, 14, 78, 0.8),
        body(0.2, 0.9, look=24, lean=-3, side=6, twist=10, tip=6), body(2.0, 1.0, look=0, shrug=5, lean=4, side=0, twist=-4, tip=0), body(4.2, 0.9, look=-24, shrug=0, lean=-3, side=-6, twist=-10, tip=-6), body(6.0, 1.0, look=0, shrug=5, lean=4, side=0, twist=4, tip=0), body(7.6, 0.8, shrug=0, twist=0, lean=3),
    ),
)  # fmt: skip

_CUMBIA = (
    _on(0.0, "left", -0.02, -0.34, 30),
    _on(1.0, "right", -0.12, 0.02),
    _on(2.0, "left", 0.12, 0.04),
    _on(4.0, "right", 0.02, -0.34, -30),
    _on(5.0, "left", 0.12, 0.02),
    _on(6.0, "right", -0.12, 0.0),
)

CUMBIA = Phrase(
    "cumbia",
    2,
    (0.3, 1.0),
    steps=_CUMBIA,
    path=((-0.8, 0, 0, 0), (0.4, 0, 0, 30), (1.4, 0, 0, 22), (2.6, 0, 0, 0), (3.2, 0, 0, 0), (4.4, 0, 0, -30), (5.4, 0, 0, -22), (6.6, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *_hips(_CUMBIA),
        arm(0.2, "left", -46, 44, 0, 14, 1.1), arm(0.2, "right", 128, 34, -10, 14, 1.1), arms(2.2, 50, 24, 20, 40, 1.2), arm(4.2, "right", -46, 44, 0, 14, 1.1), arm(4.2, "left", 128, 34, -10, 14, 1.1), arms(6.2, 50, 24, 20, 40, 1.2), arms(7.8, 22, 28, 18, 88, 0.9),
        body(0.2, 1.0, twist=26, lean=-9, look=10, side=8, nod=-10, rise=-0.04), body(2.0, 1.1, twist=-4, lean=12, look=0, side=0, nod=0, rise=-0.05), body(4.2, 1.0, twist=-26, lean=-9, look=-10, side=-8, nod=-10, rise=-0.04), body(6.0, 1.1, twist=4, lean=12, look=0, side=0, nod=0, rise=-0.05), body(7.6, 0.9, rise=-0.008, lean=3),
    ),
    hands=(*hands(0.0, "flat"), *hands(1.8, "relaxed"), *hands(4.0, "flat")),
)  # fmt: skip

_CROSS_BODY = (
    _on(0.0, "left", 0.08, 0.26),
    _on(1.0, "right", -0.10, 0.0),
    _on(2.0, "left", 0.20, 0.0),
    _on(4.0, "right", -0.06, 0.20),
    _on(5.0, "left", 0.10, 0.12),
    _on(6.0, "right", -0.10, 0.0),
)

CROSS_BODY = Phrase(
    "cross-body",
    2,
    (0.3, 0.95),
    steps=_CROSS_BODY,
    path=((-0.2, 0, 0, 0), (1, 0, 0, 30), (2.2, 0, 0, 66), (3.2, 0, 0, 76), (4, 0.02, 0.0, 60), (5, 0.06, -0.04, 20), (6, 0.06, -0.06, 0), (8, 0.06, -0.06, 0)),
    poses=(
        *_hips(_CROSS_BODY),
        arms(0.0, 53, 47, 9, 64, 1.1), arm(2.0, "left", 75, 78, -13, 8, 1.1), arm(2.0, "right", 86, 14, 20, 9, 1.0), arm(3.8, "left", 53, 102, -13, 8, 1.1), arm(3.8, "right", 75, 42, 9, 35, 1.0), arm(5.4, "left", 90, 27, 9, 8, 1.1), arm(5.4, "right", 82, 75, -13, 8, 1.1), arms(7.2, 64, 42, 9, 35, 1.0),
        body(0.0, 0.9, twist=-12, lean=8, rise=-0.03), body(2.0, 1.0, twist=18, side=6, look=24, rise=-0.06, lean=5), body(4.0, 1.0, twist=-22, look=28, side=0, lean=-6, rise=-0.01), body(5.6, 1.0, twist=10, look=10, lean=6, rise=-0.05), body(7.4, 0.9, twist=0, look=0, lean=3, rise=-0.008),
    ),
    hands=(Hand(3.2, "left", "flat"), Hand(5.0, "left", "relaxed")),
)  # fmt: skip

_RIGHT_TURN = (
    Step("left", 0.0, 0.04, 0.22, swing=0.6, lift=0.025, landing="ball", settle=1.2), _on(1.0, "right", -0.06, 0.04), _on(2.0, "left", 0.10, -0.02),
    _on(4.0, "right", -0.08, -0.26), _on(5.0, "left", 0.10, 0.0), _on(6.0, "right", -0.10, 0.02),
)  # fmt: skip

RIGHT_TURN = Phrase(
    "right-turn",
    2,
    (0.4, 1.0),
    steps=_RIGHT_TURN,
    path=((-0.4, 0, 0, 0), (0, 0, 0, -60), (1, 0, 0, -230), (2, 0, 0, -350), (2.6, 0, 0, -360), (8, 0, 0, -360)),
    poses=(
        *_hips(_RIGHT_TURN[3:]),
        arm(-0.3, "right", 130, 50, 0, 40, 1.0), arm(-0.3, "left", 60, 10, 50, 110, 0.9), arm(1.4, "right", 140, 44, 0, 50, 0.8), arm(3.0, "right", 100, 96, -20, 16, 1.1), arm(3.0, "left", 0, 96, -10, 14, 1.1),
        arm(4.6, "right", 76, 84, -30, 80, 1.1), arm(4.6, "left", -20, 50, 40, 90, 1.1), arm(6.2, "right", 40, 96, -20, 20, 1.0), arms(7.7, 22, 28, 18, 88, 0.9),
        body(0.0, 0.8, twist=-14, rise=0.0, lean=0, nod=-8), body(1.2, 0.8, twist=6, rise=0.012), body(2.6, 0.9, twist=0, rise=-0.02, lean=-4), body(4.2, 0.9, twist=14, lean=-6, side=-8, look=-20), body(6.2, 0.9, twist=-6, lean=3, side=0, look=0, nod=-1),
    ),
)  # fmt: skip

_SUZIE_Q = (
    _on(0.0, "left", -0.20, 0.10, 24), _on(1.0, "right", -0.34, -0.02, -26), _on(2.0, "left", -0.42, 0.12, 24),
    _on(4.0, "right", -0.06, 0.12, -24), _on(5.0, "left", 0.10, -0.02, 26), _on(6.0, "right", 0.02, 0.10, -20), _on(7.0, "left", 0.14, 0.0, 4),
)  # fmt: skip

SUZIE_Q = Phrase(
    "suzie-q",
    2,
    (0.35, 1.0),
    steps=_SUZIE_Q,
    path=((0, 0, 0, 0), (3, -0.04, 0, 0), (8, 0, 0, 0)),
    poses=(
        arms(-0.2, 10, 84, 10, 16, 0.9), arms(0.7, 14, 70, 30, 40, 0.6), arms(1.3, 10, 88, 0, 12, 0.7), arms(2.1, 14, 70, 30, 40, 0.7), arms(3.0, 6, 96, 0, 10, 0.9),
        arms(4.2, 14, 70, 30, 40, 0.9), arms(5.0, 10, 88, 0, 12, 0.7), arms(5.8, 14, 70, 30, 40, 0.7), arms(6.8, 8, 84, 0, 14, 0.9), arms(7.8, 20, 40, 14, 70, 0.8),
        body(0.0, 0.8, twist=-26, hips=28, look=14, shift=-0.02, lean=8, rise=-0.05), body(1.0, 0.8, twist=24, hips=-26), body(2.0, 0.8, twist=-28, hips=30, look=18), body(3.0, 0.8, twist=6, hips=-4, look=0, shrug=6, rise=-0.02, lean=0),
        body(4.0, 0.8, twist=26, hips=-28, look=-14, shrug=0, shift=0.02, lean=8, rise=-0.05), body(5.0, 0.8, twist=-24, hips=26), body(6.0, 0.8, twist=22, hips=-24, look=-14), body(7.4, 0.9, twist=0, hips=0, look=0, shift=0, lean=3, rise=-0.008),
    ),
    bounce=1.2,
    hands=(*hands(0.0, "spread"), *hands(7.0, "relaxed")),
)  # fmt: skip

_CROSSOVER = (
    _on(0.0, "left", -0.22, 0.28, -20), _on(1.0, "right", -0.12, 0.0), _on(2.0, "left", 0.22, 0.0), _on(4.0, "right", 0.22, 0.28, 20), _on(5.0, "left", 0.14, 0.0), _on(6.0, "right", -0.14, 0.0),
)  # fmt: skip

CROSSOVER = Phrase(
    "crossover",
    2,
    (0.45, 1.0),
    steps=_CROSSOVER,
    path=((-0.8, 0, 0, 0), (0.4, 0, 0, -34), (1.2, 0, 0, -28), (2.4, 0, 0, 0), (3.2, 0, 0, 0), (4.4, 0, 0, 34), (5.2, 0, 0, 28), (6.4, 0, 0, 0), (8, 0, 0, 0)),
    poses=(
        *_hips(_CROSSOVER, 0.8),
        arm(0.2, "left", 121, 24, -4, 8, 0.9), arm(0.2, "right", -46, 71, -4, 8, 0.9), arms(2.2, 16, 58, 49, 71, 1.0), arm(4.2, "right", 121, 24, -4, 8, 0.9), arm(4.2, "left", -46, 71, -4, 8, 0.9), arms(6.2, 16, 58, 49, 71, 1.0), arms(7.6, 12, 28, 20, 50, 0.9),
        body(0.2, 0.8, twist=-24, lean=10, rise=-0.03, look=12), body(2.2, 1.0, twist=6, lean=-3, rise=0.0, look=0, nod=-8), body(4.2, 0.8, twist=24, lean=10, rise=-0.03, look=-12, nod=-1), body(6.2, 1.0, twist=-6, lean=-3, rise=0.0, look=0, nod=-8), body(7.6, 0.9, twist=0, lean=3, nod=-1),
    ),
    hands=(*hands(0.0, "flat"), *hands(2.0, "spread"), *hands(4.0, "flat"), *hands(6.0, "spread"), *hands(7.4, "relaxed")),
)  # fmt: skip

_KICKS = (
    Step("left", 0.0, 0.06, 0.42, swing=0.6, lift=0.24, weight=0.1, landing="heel", settle=9.0), _on(1.0, "left", 0.08, -0.10), _on(2.0, "right", 0.06, 0.10, -10), _on(3.0, "left", 0.24, 0.0),
    Step("right", 4.0, -0.06, 0.42, swing=0.6, lift=0.24, weight=0.1, landing="heel", settle=9.0), _on(5.0, "right", -0.06, -0.10), _on(6.0, "left", -0.04, 0.10, 10), _on(7.0, "right", -0.16, 0.0),
)  # fmt: skip

KICKS = Phrase(
    "kicks",
    2,
    (0.5, 1.0),
    steps=_KICKS,
    poses=(
        arm(0.0, "right", 90, 14, 10, 14, 0.9), arm(0.0, "left", -44, 34, 0, 14, 0.9), arms(1.4, 56, 34, 30, 122, 1.0), arm(2.4, "left", 10, 96, -10, 12, 0.9), arm(2.4, "right", 60, 10, 50, 70, 0.9), arms(3.4, 56, 34, 30, 122, 0.9),
        arm(4.2, "left", 90, 14, 10, 14, 0.9), arm(4.2, "right", -44, 34, 0, 14, 0.9), arms(5.4, 56, 34, 30, 122, 1.0), arm(6.4, "right", 10, 96, -10, 12, 0.9), arm(6.4, "left", 60, 10, 50, 70, 0.9), arms(7.6, 22, 28, 18, 88, 0.9),
        body(0.0, 0.8, lean=-10, twist=16), body(1.2, 0.9, lean=14, twist=-6, rise=-0.05), body(2.4, 0.9, twist=-20, hips=12, lean=4, look=20, side=5), body(3.4, 0.8, twist=6, hips=0, look=0, side=0, rise=-0.01),
        body(4.2, 0.8, lean=-10, twist=-16), body(5.2, 0.9, lean=14, twist=6, rise=-0.05), body(6.4, 0.9, twist=20, hips=-12, lean=4, look=-20, side=-5), body(7.5, 0.8, twist=0, hips=0, look=0, lean=3, rise=-0.008, side=0),
    ),
    bounce=1.2,
)  # fmt: skip

_GRAPEVINE = (
    _on(0.0, "left", 0.36, 0.0), _on(1.0, "right", 0.46, -0.22, 10), _on(2.0, "left", 0.76, 0.0), Step("right", 3.0, 0.58, 0.08, swing=0.6, lift=0.06, weight=0.1, landing="ball", settle=9.0),
    _on(4.0, "right", 0.36, 0.0), _on(5.0, "left", 0.26, 0.22, -10), _on(6.0, "right", -0.06, 0.0), _on(7.0, "left", 0.12, 0.02, weight=0.6),
)  # fmt: skip

GRAPEVINE = Phrase(
    "shine-grapevine",
    2,
    (0.2, 0.9),
    steps=_GRAPEVINE,
    poses=(
        arms(0.0, 22, 21, 19, 84, 1.0), arm(1.4, "left", 58, 45, -17, 36, 0.9), arm(1.4, "right", -2, 33, 31, 60, 0.9), arm(3.0, "left", 34, 142, -41, 8, 1.1), arm(3.0, "right", -26, 59, -17, 8, 1.0), arms(4.6, 22, 21, 19, 84, 1.1),
        arm(5.6, "right", 58, 45, -17, 36, 0.9), arm(5.6, "left", -2, 33, 31, 60, 0.9), arm(7.0, "right", 34, 142, -41, 8, 1.0), arm(7.0, "left", -26, 59, -17, 8, 1.0), arms(8.2, 10, 16, 2, 65, 0.8),
        body(0.0, 0.8, twist=-10, look=20, side=6), body(1.0, 0.8, twist=16, hips=-16), body(2.0, 0.8, twist=-8, hips=8), body(3.0, 0.8, twist=8, hips=0, lean=-5, look=24, nod=-12, side=-10), body(4.2, 0.8, twist=10, look=-20, lean=3, nod=0, side=-6), body(5.0, 0.8, twist=16, hips=-14), body(6.0, 0.8, twist=-6, hips=6), body(7.0, 0.8, twist=-8, hips=0, look=-24, side=10, lean=-5, nod=-12), body(8.0, 0.7, lean=3, nod=-1, look=0, side=0, twist=0),
    ),
    hands=(*hands(2.6, "spread"), *hands(4.2, "relaxed")),
)  # fmt: skip

_PACHANGA = tuple(
    Step(
        "left" if k % 2 == 0 else "right",
        float(k),
        (0.17 if k % 2 == 0 else -0.17),
        0.04,
        yaw=(22 if k % 2 == 0 else -22),
        swing=0.7,
        lift=0.035,
        landing="ball",
        settle=0.6,
    )
    for k in range(8)
)

PACHANGA = Phrase(
    "pachanga",
    2,
    (0.5, 1.0),
    steps=_PACHANGA,
    path=((0, 0, 0, 0), (4, 0, 0.10, 12), (8, 0, 0, 0)),
    poses=(
        *(arms(k - 0.1, -34.0 if k % 2 else -14.0, 26.0 if k % 2 else 40.0, 0.0, 12.0 if k % 2 else 30.0, 0.9) for k in range(8)),
        *(body(k, 0.8, shift=0.05 if k % 2 == 0 else -0.05, twist=-12.0 if k % 2 == 0 else 12.0, hips=10.0 if k % 2 == 0 else -10.0, side=-6.0 if k % 2 == 0 else 6.0) for k in range(8)),
        body(0.5, 0.7, rise=-0.06, lean=18, nod=-6), *(body(k + 0.5, 0.5, rise=-0.075, nod=6.0) for k in range(1, 8, 2)), *(body(k, 0.5, rise=-0.035, nod=-2.0) for k in range(2, 8, 2)),
    ),
    bounce=1.6,
    hands=hands(0.0, "flat"),
)  # fmt: skip

_ENCHUFLA = (
    _on(0.0, "left", 0.06, 0.22), _on(1.0, "right", -0.08, 0.12), _on(2.0, "left", 0.08, 0.0), _on(4.0, "right", -0.04, 0.22), _on(5.0, "left", 0.06, 0.12), _on(6.0, "right", -0.10, 0.0),
)  # fmt: skip

ENCHUFLA = Phrase(
    "enchufla",
    2,
    (0.35, 0.95),
    steps=_ENCHUFLA,
    path=((-0.4, 0, 0, 0), (0, 0.02, 0.10, 30), (1, 0.10, 0.20, 110), (2, 0.06, 0.34, 178), (3.4, 0.06, 0.34, 180), (4, 0.02, 0.28, 214), (5, -0.02, 0.14, 290), (6, 0, 0, 358), (8, 0, 0, 360)),
    poses=(
        *_hips(_ENCHUFLA, 0.7),
        arm(-0.2, "left", 150, 85, -20, 37, 1.0), arm(-0.2, "right", -6, 64, 72, 109, 0.9), arm(2.0, "left", 150, 115, -34, 16, 1.0), arm(3.2, "left", 60, 123, -20, 24, 1.0),
        arm(4.2, "right", 150, 85, -20, 37, 1.0), arm(4.2, "left", -6, 64, 72, 109, 0.9), arm(6.4, "right", 86, 142, -60, 8, 1.0), arms(7.7, 35, 40, 3, 88, 0.9),
        body(0.2, 0.9, twist=-14, lean=6, side=7, rise=-0.04), body(2.0, 1.0, twist=10, lean=0, look=26, side=0, rise=0.0), body(4.2, 0.9, twist=-14, lean=6, look=0, side=-7, rise=-0.04), body(6.0, 1.0, twist=10, lean=0, look=16, side=0, rise=0.0), body(7.4, 0.8, twist=0, lean=3, look=0),
    ),
)  # fmt: skip

_DESPELOTE = (
    _on(0.0, "left", 0.28, 0.04, 10), Step("right", 2.0, -0.24, 0.04, yaw=-10, swing=0.6, lift=0.025, weight=0.55), _on(4.0, "right", -0.30, 0.06, -10), Step("left", 6.0, 0.24, 0.02, yaw=8, swing=0.6, lift=0.025, weight=0.55), _on(7.5, "right", -0.12, 0.0),
)  # fmt: skip

DESPELOTE = Phrase(
    "despelote",
    2,
    (0.0, 0.6),
    steps=_DESPELOTE,
    poses=(
        *(body(0.5 * k + 0.4, 0.5, twist=11.0 if k % 2 else -11.0, shrug=4.0 if k % 2 else 0.0) for k in range(14)),
        body(0.6, 1.2, rise=-0.06, lean=8), body(1.6, 1.2, wave=16, drive=0.05, rise=-0.09), body(2.8, 1.2, wave=-14, drive=-0.02, lean=-2, nod=-10), body(4.0, 1.2, wave=16, drive=0.05, rise=-0.05, lean=10, nod=4), body(5.4, 1.2, wave=-12, drive=-0.02, lean=-4, nod=-8), body(7.4, 1.2, wave=0, drive=0, rise=-0.008, lean=3, nod=-1),
        body(0.4, 1.0, shift=0.05, hips=14), body(2.4, 1.2, shift=-0.05, hips=-14), body(4.4, 1.2, shift=-0.05, hips=-16), body(6.2, 1.2, shift=0.04, hips=12), body(7.6, 1.0, shift=0, hips=0),
        arms(1.0, 6, 70, -10, 66, 1.4), arms(3.0, 100, 60, -30, 96, 1.6), arms(5.0, 120, 70, -30, 90, 1.4), arms(7.4, 22, 28, 18, 88, 1.4),
    ),
    bounce=0.7,
    hands=(*hands(0.5, "spread"), *hands(7.0, "relaxed")),
)  # fmt: skip

PHRASES = (
    BASIC, SIDE_BREAK, CUMBIA, CROSS_BODY, RIGHT_TURN, SUZIE_Q, CROSSOVER, KICKS, GRAPEVINE, PACHANGA, ENCHUFLA, DESPELOTE,
)  # fmt: skip
