"""Support: whether the floor under a body's feet explains how its centre of mass moves.

The floor only pushes, and only from below what touches it. So a body that does not fall needs a foot near the floor
(`levitation`), nothing pulls it down harder than gravity (`pull`), it pushes off sideways no harder than shoes grip
(`friction`), and the point where the push acts lies under its feet (`outside_m`; Vukobratovic and Borovac, Zero-moment
point, 2004, of a point mass: turning arms and trunk are left out, which is worth some centimetres).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import signal

from choreodb.benchmarks.metrics.flight import centre_of_mass
from choreodb.errors import MetricError
from choreodb.motion.flight import G_M_S2, clearance

__all__ = ["acceleration", "evaluate", "friction", "levitation", "outside_m", "pull", "validate"]

FloatArray = npt.NDArray[np.floating]
Contacts = npt.NDArray[np.integer] | npt.NDArray[np.bool_]

LOW_PASS_HZ = 6.0
SHOE_M = 0.05
"""Half the width of a foot, and how far it reaches beyond heel and ball."""

_SHORTEST = 20
"""Frames that the filter needs."""


def validate(contacts: Contacts, positions: FloatArray, points: FloatArray) -> None:
    """Raise MetricError where the three do not belong together."""
    if positions.ndim != 3 or positions.shape[1] < 22 or len(positions) < _SHORTEST:
        raise MetricError(
            f"positions have shape {positions.shape}; expected [T >= {_SHORTEST}, 22 or 52, 3] of the canonical skeleton"
        )
    if contacts.shape != (len(positions), 4) or points.shape != (len(positions), 4, 3):
        raise MetricError(
            f"contacts {contacts.shape} and points {points.shape} do not match {len(positions)} frames; "
            "expected [T, 4] and [T, 4, 3]"
        )
    if not (np.isfinite(positions).all() and np.isfinite(points).all()):
        raise MetricError("positions or points hold NaN or infinity; expected finite metres")


def acceleration(positions: FloatArray, fps: float) -> tuple[FloatArray, FloatArray]:
    """Centre of mass [T, 3] of joint `positions` [T, J, 3], low-passed, and its acceleration [T, 3] in m/s2."""
    centre = signal.filtfilt(*signal.butter(4, LOW_PASS_HZ, fs=fps), centre_of_mass(positions), axis=0)
    return centre, np.gradient(np.gradient(centre, axis=0), axis=0) * fps**2


def levitation(contacts: Contacts, positions: FloatArray, fps: float, *, near_m: float = 0.03) -> float:
    """Share of frames in which no foot touches or comes within `near_m` of standing, and yet the body hardly falls.

    Hardly: at less than half of gravity.
    """
    _, push = acceleration(positions, fps)
    aloft = ~contacts.astype(bool).any(axis=1) & (clearance(positions) > near_m)
    return float(np.mean(aloft & (push[:, 1] > -0.5 * G_M_S2)))


def pull(positions: FloatArray, fps: float, *, tolerance: float = 0.1) -> float:
    """Share of frames in which the body falls faster than gravity, by more than `tolerance` of it."""
    _, push = acceleration(positions, fps)
    return float(np.mean(push[:, 1] < -(1.0 + tolerance) * G_M_S2))


def friction(contacts: Contacts, positions: FloatArray, fps: float) -> float:
    """Sideways over downward force, its 99th percentile over frames that stand; 0 without any."""
    _, push = acceleration(positions, fps)
    standing = contacts.astype(bool).any(axis=1)
    if not standing.any():
        return 0.0
    down = np.maximum(G_M_S2 + push[:, 1], 0.1 * G_M_S2)
    return float(np.percentile((np.hypot(push[:, 0], push[:, 2]) / down)[standing], 99))


def outside_m(contacts: Contacts, positions: FloatArray, points: FloatArray, fps: float) -> float:
    """95th percentile over standing frames of how far outside the feet the floor's push would have to act; 0 without any.

    points: [T, 4, 3] left heel, left toe, right heel, right toe.
    """
    centre, push = acceleration(positions, fps)
    standing = contacts.astype(bool).any(axis=1)
    if not standing.any():
        return 0.0
    down = np.maximum(G_M_S2 + push[:, 1], 0.1 * G_M_S2)
    at = centre[:, [0, 2]] - centre[:, 1:2] * push[:, [0, 2]] / down[:, None]
    away = _distance(at[standing], points[standing][..., [0, 2]], contacts[standing].astype(bool))
    return float(np.percentile(np.maximum(away - SHOE_M, 0.0), 95))


def _distance(at: FloatArray, corners: FloatArray, touching: npt.NDArray[np.bool_]) -> FloatArray:
    """Distance [T] of `at` [T, 2] from the hull of those of `corners` [T, 4, 2] that are `touching` [T, 4], one at least."""
    frames = np.arange(len(at))
    some = corners[frames, np.argmax(touching, axis=1)]
    corners = np.where(touching[..., None], corners, some[:, None])
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    nearest = np.min([_to_segment(at, corners[:, a], corners[:, b]) for a, b in pairs], axis=0)
    triangles = [(a, b, c) for a in range(4) for b in range(a + 1, 4) for c in range(b + 1, 4)]
    inside = np.any([_inside(at, *(corners[:, each] for each in three)) for three in triangles], axis=0)
    return np.where(inside, 0.0, nearest)


def _to_segment(at: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    way = b - a
    along = np.sum((at - a) * way, axis=1) / np.maximum(np.sum(way**2, axis=1), 1e-12)
    return np.linalg.norm(at - a - np.clip(along, 0.0, 1.0)[:, None] * way, axis=1)


def _inside(at: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether `at` [T, 2] lies in the triangles a, b, c [T, 2]; never in one without area."""

    def side(p: FloatArray, q: FloatArray) -> FloatArray:
        return (q[:, 0] - p[:, 0]) * (at[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (at[:, 0] - p[:, 0])

    sides = np.stack([side(a, b), side(b, c), side(c, a)])
    area = np.abs((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))
    return np.asarray((area > 1e-9) & (np.all(sides >= 0.0, axis=0) | np.all(sides <= 0.0, axis=0)))


def evaluate(contacts: Contacts, positions: FloatArray, points: FloatArray, fps: float) -> dict[str, float]:
    """All of this module."""
    validate(contacts, positions, points)
    return {
        "levitation": levitation(contacts, positions, fps),
        "pull": pull(positions, fps),
        "friction": friction(contacts, positions, fps),
        "outside_m": outside_m(contacts, positions, points, fps),
    }
