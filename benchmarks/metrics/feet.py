"""Feet and floor: penetration, floating and skating of feet while they are said to stand, and the published PFC.

Of SMPL-24 joints, for anybody's dances: `pfc`, `skating_ratio`, `penetration`, `floating`. Of foot points, for our own:
arguments are (reference, estimate): reference contacts [T, P] come from the captured source, so that moving a foot cannot
change what is scored; the estimate is the foot points [T, P, 3] in metres, y up, floor at y = 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics.joints import CONTACT_JOINTS, JOINT, Joints, checked, checked_rate
from choreodb.errors import MetricError
from choreodb.motion.skeleton import ANKLE_HEIGHT_M, TOE_HEIGHT_M

FloatArray = npt.NDArray[np.floating]
Contacts = npt.NDArray[np.integer] | npt.NDArray[np.bool_]

_Z_UP = 2
_REST_M = np.array([ANKLE_HEIGHT_M, TOE_HEIGHT_M, ANKLE_HEIGHT_M, TOE_HEIGHT_M])
"""Heights of the contact joints (ankle, toe, ankle, toe) when the feet stand flat."""


def validate(contacts: Contacts, points: FloatArray) -> None:
    """Raise MetricError where the two do not belong together or hold anything but contacts and finite points."""
    if points.ndim != 3 or points.shape[-1] != 3 or contacts.shape != points.shape[:2]:
        raise MetricError(
            f"contacts {contacts.shape} and points {points.shape} do not match; expected [T, P] and [T, P, 3]"
        )
    if not np.isfinite(points).all():
        raise MetricError("foot points hold NaN or infinity; expected finite metres")
    if not np.isin(contacts, (0, 1)).all():
        raise MetricError("contacts hold values other than 0 and 1")


def points_below(
    contacts: Contacts, points: FloatArray, *, threshold_m: float = 0.02, rest_m: float = TOE_HEIGHT_M
) -> float:
    """Share of contacts more than `threshold_m` below where a standing point is; 0 without contacts.

    rest_m: height of the point when the foot stands flat.
    """
    validate(contacts, points)
    return _share(points[..., 1] < rest_m - threshold_m, contacts.astype(bool))


def points_above(
    contacts: Contacts, points: FloatArray, *, threshold_m: float = 0.02, rest_m: float = TOE_HEIGHT_M
) -> float:
    """Share of contacts more than `threshold_m` above where a standing point is; 0 without contacts."""
    validate(contacts, points)
    return _share(points[..., 1] > rest_m + threshold_m, contacts.astype(bool))


def slide_speeds(contacts: Contacts, points: FloatArray, fps: float) -> FloatArray:
    """Horizontal speeds in m/s from frame to frame of every point that stands in both frames."""
    validate(contacts, points)
    step = np.diff(points[..., [0, 2]], axis=0)
    speed = np.hypot(step[..., 0], step[..., 1]) * fps
    standing = contacts.astype(bool)
    return speed[standing[1:] & standing[:-1]]


def skating(contacts: Contacts, points: FloatArray, fps: float, *, threshold_m_s: float = 0.15) -> dict[str, float]:
    """mean_m_s: mean sliding speed of standing points; ratio: share of them faster than `threshold_m_s`; 0 without any."""
    speeds = slide_speeds(contacts, points, fps)
    if len(speeds) == 0:
        return {"mean_m_s": 0.0, "ratio": 0.0}
    return {"mean_m_s": float(speeds.mean()), "ratio": float(np.mean(speeds > threshold_m_s))}


def low_slides(
    points: FloatArray, fps: float, *, height_m: float = 0.025, threshold_m_s: float = 0.15
) -> tuple[int, int]:
    """(frames in which a point [T, P, 3] slides faster than `threshold_m_s` less than `height_m` over where it stands, frames in
    which it is as low), points counted apart.

    No contacts are asked, so that who moves a contact cannot change it; feet that glide on purpose count, so that it has to
    be set against captured motion.
    """
    validate(np.zeros(points.shape[:2], dtype=np.uint8), points)
    low = points[..., 1] < TOE_HEIGHT_M + height_m
    both = low[1:] & low[:-1]
    step = np.diff(points[..., [0, 2]], axis=0)
    fast = np.hypot(step[..., 0], step[..., 1]) * fps > threshold_m_s
    return int(np.count_nonzero(fast & both)), int(np.count_nonzero(both))


def evaluate(contacts: Contacts, points: FloatArray, fps: float) -> dict[str, float]:
    """All of this module at the published thresholds."""
    skate = skating(contacts, points, fps)
    return {
        "penetration": points_below(contacts, points),
        "floating": points_above(contacts, points),
        "slide_m_s": skate["mean_m_s"],
        "slide_ratio": skate["ratio"],
        "deepest_m": float(max(0.0, TOE_HEIGHT_M - points[..., 1].min(initial=np.inf))),
    }


def _share(hits: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float:
    return float(hits[among].mean()) if among.any() else 0.0


def pfc(joints_zup: Joints, *, fps: float = 30.0) -> float:
    """Physical foot contact score x 1e4 of one dance, as published: 0 is plausible, larger is worse.

    joints_zup: [T >= 3, 24, 3] metres, **z up** (from y up: (x, -z, y)). Mean over frames of |a|, the root's acceleration
    without its downward part over the clip's largest, times for each foot the smaller of ankle's and toe's horizontal
    displacement per frame. The displacement is not divided by time and the acceleration is relative, so `fps` cancels
    and the same dance scores 4 times less at 60 fps than at 30: compare at the published 30 only. One glitch of the root
    lowers the whole clip's score. A root that never accelerates: 0. A table's PFC is the mean over its dances.
    Errors: MetricError for a wrong shape, fewer than 3 frames, NaN, or a bad rate.
    Source: Tseng et al., "EDGE" (CVPR 2023), equations 4-6; Stanford-TML/EDGE `eval/eval_pfc.py`.
    """
    step_s = 1.0 / checked_rate(fps)
    positions = checked(joints_zup, frames=3).astype(np.float64)
    acceleration = np.diff(positions[:, JOINT["pelvis"]], n=2, axis=0) / step_s**2
    acceleration[:, _Z_UP] = np.maximum(acceleration[:, _Z_UP], 0.0)
    effort = np.linalg.norm(acceleration, axis=1)
    if effort.max() == 0.0:
        return 0.0
    steps = np.diff(positions[1:, CONTACT_JOINTS], axis=0)
    slide = np.hypot(steps[..., 0], steps[..., 1]).reshape(-1, 2, 2).min(axis=2)
    return float(np.mean(slide.prod(axis=1) * effort / effort.max()) * 1e4)


def skating_ratio(joints: Joints, contacts: Contacts, *, fps: float, speed_m_s: float = 0.15) -> float:
    """Share 0..1 of standing frame steps in which a foot that stands slides faster than `speed_m_s`; 0 without any.

    joints: [T >= 2, 24, 3] metres, y up. contacts: [T, 4] 0 or 1 (left heel, left toe, right heel, right toe), read at
    ankles and toe joints. A step is standing where some point is in contact in both its frames. Errors: MetricError.
    Source: ours, after Karunratanakul et al., "Guided Motion Diffusion" (ICCV 2023), which counts frames likewise but
    takes contact from height.
    """
    checked_rate(fps)
    if not (np.isfinite(speed_m_s) and speed_m_s > 0):
        raise MetricError(f"speed threshold is {speed_m_s!r} m/s; give a positive number")
    points, standing = _contact_points(joints, contacts, frames=2)
    both = standing[1:] & standing[:-1]
    step = np.diff(points[..., [0, 2]], axis=0)
    fast = np.hypot(step[..., 0], step[..., 1]) * fps > speed_m_s
    return _share(_any_point(fast & both), _any_point(both))


def penetration(joints: Joints, *, depth_m: float = 0.02) -> float:
    """Share 0..1 of frames in which some joint is more than `depth_m` below the floor (y = 0). Errors: MetricError."""
    if not (np.isfinite(depth_m) and depth_m >= 0):
        raise MetricError(f"depth is {depth_m!r} m; give a number from 0 up")
    return float(np.mean(checked(joints, frames=1)[..., 1].min(axis=1) < -depth_m))


def floating(joints: Joints, contacts: Contacts, *, height_m: float = 0.02) -> float:
    """Share 0..1 of frames with contact in which a foot that stands is more than `height_m` too high; 0 without contact.

    Too high: over the height of that joint in a flat stance (ankle 8 cm, toe joint 1.8 cm over the floor, y = 0).
    joints: [T, 24, 3]. contacts: [T, 4] as for `skating_ratio`. Errors: MetricError.
    """
    if not (np.isfinite(height_m) and height_m >= 0):
        raise MetricError(f"height is {height_m!r} m; give a number from 0 up")
    points, standing = _contact_points(joints, contacts, frames=1)
    high = points[..., 1] - _REST_M > height_m
    return _share(_any_point(high & standing), _any_point(standing))


def evaluate_joints(joints: Joints, contacts: Contacts, *, fps: float) -> dict[str, float]:
    """The figures of SMPL-24 joints [T, 24, 3], y up; PFC over the frames nearest to 30 per second, where it is published."""
    every = max(checked_rate(fps) / 30.0, 1.0)
    kept = checked(joints, frames=3)[np.arange(0, len(joints) - 0.5, every).round().astype(np.int64)]
    upright = np.stack([kept[..., 0], -kept[..., 2], kept[..., 1]], axis=-1)
    return {
        "pfc": pfc(upright, fps=fps / every),
        "skating_ratio": skating_ratio(joints, contacts, fps=fps),
        "penetration": penetration(joints),
        "floating": floating(joints, contacts),
    }


def _contact_points(joints: Joints, contacts: Contacts, *, frames: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Positions [T, 4, 3] of the contact joints and whether each stands [T, 4]."""
    points = checked(joints, frames=frames)[:, CONTACT_JOINTS].astype(np.float64)
    standing: Any = np.asarray(contacts)
    validate(standing, points)
    return points, standing.astype(bool)


def _any_point(hits: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.asarray(hits.any(axis=1), dtype=np.bool_)
