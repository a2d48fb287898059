"""In-betweening: captured motion with a gap in it, filled, and compared with what was there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import compose, inverse, quat_to_rotvec, rotvec_to_quat, slerp
from choreodb.motion.skeleton import CHOREO22

Array = npt.NDArray[np.float64]
Row = dict[str, Any]

FPS = 60.0
GAPS_S = (0.5, 1.0, 2.0)
CONTEXT_S = 1.0
"""Seconds of captured motion on either side of a gap that whoever fills it may look at."""
DRAWS = 1000
SLERP, INERTIAL = "slerp", "inertialisation"
_BODY = len(CHOREO22)
_SPAN = 2
"""Frames over which the speed at the edge of a gap is taken, as at a join."""


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """A stretch of a clip. rotations: [T, 22, 4], root: [T, 3], contacts: [T, 4]; frames first..stop are to be filled.

    clip: what it is from. seed: what a filler that draws begins with."""

    clip: str
    rotations: Array
    root: Array
    contacts: npt.NDArray[np.uint8]
    first: int
    stop: int
    seed: int


Fill = Callable[[Sequence[Gap]], list[tuple[Array, Array]]]
"""Rotations [n, 22, 4] and root [n, 3] of the missing frames of every gap."""


def gaps(
    read_motion: Callable[[str, int, int], tuple[npt.NDArray, npt.NDArray, npt.NDArray]],
    lengths: Mapping[str, int],
    gap_s: float,
    most: int,
) -> list[Gap]:
    """Up to `most` gaps of `gap_s`, evenly spread over the clips, each with its own context."""
    size, context = round(gap_s * FPS), round(CONTEXT_S * FPS)
    whole = size + 2 * context
    places = [(clip, at) for clip in sorted(lengths) for at in range(0, lengths[clip] - whole + 1, whole)]
    chosen = (
        [places[int(at)] for at in np.linspace(0, len(places) - 1, min(most, len(places))).round()] if places else []
    )
    out = []
    for number, (clip, at) in enumerate(chosen):
        rotations, root, contacts = read_motion(clip, at, at + whole)
        body = rotations[:, :_BODY].astype(np.float64)
        out.append(Gap(clip, body, root.astype(np.float64), contacts, context, context + size, number))
    return out


def by_slerp(found: Sequence[Gap]) -> list[tuple[Array, Array]]:
    """Every joint turns evenly from the last pose to the next, and the root goes straight."""
    return [_slerped(gap) for gap in found]


def _slerped(gap: Gap) -> tuple[Array, Array]:
    size = gap.stop - gap.first
    share = np.arange(1, size + 1) / (size + 1.0)
    before, after = gap.first - 1, gap.stop
    rotations = slerp(gap.rotations[before][None], gap.rotations[after][None], share[:, None])
    root = gap.root[before] + share[:, None] * (gap.root[after] - gap.root[before])
    return np.asarray(rotations), np.asarray(root)


def by_inertialisation(found: Sequence[Gap]) -> list[tuple[Array, Array]]:
    """Every joint and the root leave with the speed they had and arrive with the speed they get (quintics)."""
    return [_inertialised(gap) for gap in found]


def _inertialised(gap: Gap) -> tuple[Array, Array]:
    size = gap.stop - gap.first
    before, after = gap.first - 1, gap.stop
    span_s = (size + 1) / FPS
    turn = np.asarray(quat_to_rotvec(compose(gap.rotations[after], inverse(gap.rotations[before]))), dtype=np.float64)
    spins = [
        np.asarray(quat_to_rotvec(compose(gap.rotations[late], inverse(gap.rotations[late - _SPAN]))), dtype=np.float64)
        * (FPS / _SPAN)
        for late in (before, after + _SPAN)
    ]
    speeds = [(gap.root[late] - gap.root[late - _SPAN]) * FPS / _SPAN for late in (before, after + _SPAN)]
    share = np.arange(1, size + 1) / (size + 1.0)
    bent = _quintic(share, turn, spins[0] * span_s, spins[1] * span_s)
    root = gap.root[before] + _quintic(
        share, gap.root[after] - gap.root[before], speeds[0] * span_s, speeds[1] * span_s
    )
    return np.asarray(compose(rotvec_to_quat(bent), gap.rotations[before][None])), root


def _quintic(x: Array, end: Array, leave: Array, arrive: Array) -> Array:
    """Values [n, ...] at `x` [n] in [0, 1] of what is 0 at 0 and `end` at 1, with the given slopes and no curvature there."""
    x = x.reshape(-1, *(1,) * end.ndim)
    cube = x**3
    step = cube * (10.0 + x * (6.0 * x - 15.0))
    first = x - cube * (6.0 + x * (3.0 * x - 8.0))
    last = -cube * (4.0 + x * (3.0 * x - 7.0))
    return np.asarray(end * step + leave * first + arrive * last)


def errors(found: Sequence[Gap], filled: Sequence[tuple[Array, Array]]) -> Array:
    """Mean distance of joints in metres and of their velocities in m/s within every gap [N, 2]."""
    out = np.zeros((len(found), 2))
    for number, (gap, (rotations, root)) in enumerate(zip(found, filled, strict=True)):
        whole, place = gap.rotations.copy(), gap.root.copy()
        whole[gap.first : gap.stop], place[gap.first : gap.stop] = rotations, root
        made = forward(whole, place, CHOREO22)[0]
        true = forward(gap.rotations, gap.root, CHOREO22)[0]
        inside = slice(gap.first, gap.stop)
        speed = np.diff(made - true, axis=0)[gap.first - 1 : gap.stop] * FPS
        out[number] = (
            np.linalg.norm((made - true)[inside], axis=-1).mean(),
            np.linalg.norm(speed, axis=-1).mean(),
        )
    return out


def rows(
    read_motion: Callable[[str, int, int], tuple[npt.NDArray, npt.NDArray, npt.NDArray]],
    lengths: Mapping[str, int],
    fillers: Mapping[str, Fill],
    *,
    most: int,
    seed: int,
) -> list[Row]:
    """A row for every gap and filler. worse_m, worse_m_s: how much larger the error of slerp and of inertialisation is, as
    95 % bootstrap intervals over clips, for whoever is neither."""
    out: list[Row] = []
    for gap_s in GAPS_S:
        found = gaps(read_motion, lengths, gap_s, most)
        if len(found) < 2:
            continue
        scores = {name: errors(found, fill(found)) for name, fill in fillers.items()}
        for name, each in scores.items():
            row: Row = {"kind": "in-between", "row": name, "gap_s": gap_s, "gaps": len(found),
                        "clips": len({gap.clip for gap in found}), "position_m": float(each[:, 0].mean()),
                        "velocity_m_s": float(each[:, 1].mean())}  # fmt: skip
            if name not in (SLERP, INERTIAL):
                for base in (SLERP, INERTIAL):
                    row |= _interval(scores[base] - each, [gap.clip for gap in found], base, seed)
            out.append(row)
    return out


def _interval(gain: Array, clips: Sequence[str], base: str, seed: int) -> Row:
    """Interval of the mean `gain` [N, 2] over `base`, clips drawn again."""
    rng = np.random.default_rng(seed)
    names, owner = np.unique(clips, return_inverse=True)
    sums = np.stack([np.bincount(owner, gain[:, column]) for column in (0, 1)], axis=1)
    counts = np.bincount(owner).astype(np.float64)
    drawn = rng.integers(len(names), size=(DRAWS, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, None]
    low, high = np.percentile(means, (2.5, 97.5), axis=0)
    return {
        f"gain_m_{base}": [float(low[0]), float(high[0])],
        f"gain_m_s_{base}": [float(low[1]), float(high[1])],
    }
