"""Clearance: forearms and hands that a blend has led through the trunk or the head go around them instead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from choreodb.motion.ik import SIDES, solve_limb
from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import FloatArray, rotate
from choreodb.motion.skeleton import CHOREO22, Skeleton

_J = CHOREO22.index
_TRUNK_SPREAD_M = 0.055
_CAPSULES: tuple[tuple[int, int, float, float], ...] = (
    (_J("pelvis"), _J("spine3"), _TRUNK_SPREAD_M, 0.095),
    (_J("pelvis"), _J("spine3"), -_TRUNK_SPREAD_M, 0.095),
    (_J("spine3"), _J("neck"), _TRUNK_SPREAD_M, 0.085),
    (_J("spine3"), _J("neck"), -_TRUNK_SPREAD_M, 0.085),
    (_J("neck"), _J("head"), 0.0, 0.075),
)
"""Capsules of trunk and head: joints at their ends, metres to the left of those, radius in metres.

Two side by side make a trunk that is wider than deep; an arm's own thickness is not in them, so that a hand may lie on
a hip.
"""
_ALONG = (0.5, 0.75, 1.0, 1.28)
"""Places along the forearm that are kept clear; beyond 1 is the palm."""
_NEAR_M = 0.45
"""A wrist and elbow that are both farther than this from the middle of the trunk cannot touch it."""


@dataclass(frozen=True, slots=True)
class ClearanceOptions:
    """allowed_m: depth that is left alone, because captured arms lean on bodies that are softer and smaller than ours.
    around_s: time to move out of the way and back. most_m: by at most so much. rounds: how often it is looked again."""

    allowed_m: float = 0.015
    around_s: float = 0.18
    most_m: float = 0.2
    rounds: int = 2


def keep(
    rotations: FloatArray, root: FloatArray, where: npt.NDArray[np.bool_], fps: float, options: ClearanceOptions
) -> FloatArray:
    """Local rotations [T, 22, 4] with arms bent so that forearms and hands stay out of the trunk; root: [T, 3].

    where: [T] frames that may be changed. Nothing is moved that is not deeper than allowed.
    """
    if not where.any():
        return rotations
    fading = gaussian_filter1d(
        maximum_filter1d(where.astype(np.float64), 1 + 2 * round(options.around_s * fps)), 0.3 * options.around_s * fps
    )
    for _ in range(options.rounds):
        positions, turned = forward(rotations, root, CHOREO22)
        hits = _pushes(positions, turned[:, _J("spine3")], options.allowed_m)
        hits *= where[:, None, None]
        if not hits.any():
            break
        for number, side in enumerate(SIDES):
            if hits[:, number].any():
                push = _eased(hits[:, number], fps, options) * fading[:, None]
                rotations = _moved(rotations, root, positions, side, push)
    return rotations


def depths(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """How deep [T, 2] in metres the left and the right forearm or hand is inside trunk or head, 0 outside."""
    positions, turned = forward(rotations, root, CHOREO22)
    return np.asarray(np.linalg.norm(_pushes(positions, turned[:, _J("spine3")], 0.0), axis=-1))


def _pushes(positions: FloatArray, trunk: FloatArray, allowed_m: float) -> FloatArray:
    """Vectors [T, 2, 3] that lead the deepest point of each forearm out to where it may be."""
    out = np.zeros((len(positions), 2, 3))
    middle = positions[:, _J("spine2")]
    for number, side in enumerate(SIDES):
        elbow, wrist = positions[:, _J(f"{side}_elbow")], positions[:, _J(f"{side}_wrist")]
        near = np.minimum(np.linalg.norm(elbow - middle, axis=-1), np.linalg.norm(wrist - middle, axis=-1)) < _NEAR_M
        rows = np.flatnonzero(near)
        if len(rows):
            share = np.asarray(_ALONG)[:, None]
            points = elbow[rows, None] + share * (wrist - elbow)[rows, None]
            out[rows, number] = _deepest(points, positions[rows], trunk[rows], allowed_m)
    return out


def _deepest(points: FloatArray, positions: FloatArray, trunk: FloatArray, allowed_m: float) -> FloatArray:
    """Push [n, 3] of the point [n, P, 3] that is deepest in any capsule, beyond what is allowed."""
    best = np.zeros(points.shape[:2])
    push = np.zeros(points.shape)
    for start, end, aside_m, radius_m in _CAPSULES:
        aside = rotate(trunk, np.array([aside_m, 0.0, 0.0])) if aside_m else 0.0
        a, b = positions[:, start] + aside, positions[:, end] + aside
        line = (b - a)[:, None]
        share = np.clip(np.sum((points - a[:, None]) * line, axis=-1) / np.sum(line * line, axis=-1), 0.0, 1.0)
        away = points - (a[:, None] + share[..., None] * line)
        distance = np.linalg.norm(away, axis=-1)
        depth = radius_m - allowed_m - distance
        deeper = depth > best
        push = np.where(deeper[..., None], away / np.maximum(distance, 1e-6)[..., None] * depth[..., None], push)
        best = np.where(deeper, depth, best)
    deepest = np.argmax(best, axis=1)
    return np.asarray(np.take_along_axis(push, deepest[:, None, None], axis=1)[:, 0])


def _eased(push: FloatArray, fps: float, options: ClearanceOptions) -> FloatArray:
    """`push` [T, 3] with a run-up and a way back, in one direction that turns slowly."""
    frames = max(1, round(options.around_s * fps))
    size = np.minimum(np.linalg.norm(push, axis=-1), options.most_m)
    size = gaussian_filter1d(maximum_filter1d(size, 2 * frames + 1), 0.4 * frames)
    led = gaussian_filter1d(push, float(frames), axis=0)
    return led / np.maximum(np.linalg.norm(led, axis=-1, keepdims=True), 1e-9) * size[:, None]


def _moved(rotations: FloatArray, root: FloatArray, positions: FloatArray, side: str, push: FloatArray) -> FloatArray:
    """One wrist moved by `push` [T, 3]; only the frames in which that is anything are solved."""
    rows = np.flatnonzero(np.linalg.norm(push, axis=-1) > 1e-5)
    joints = (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
    target = positions[rows, _J(joints[2])] + push[rows]
    skeleton: Skeleton = CHOREO22
    out = rotations.copy()
    out[rows] = solve_limb(rotations[rows], root[rows], skeleton, joints, target, softness=0.0)
    return out
