"""Joins: where to leave one stretch of motion for the next, and how the next is turned and moved to fit.

Only what a dancer would feel decides: the foot that stands in both stays where it is, the body faces and travels the
same way. Nothing depends on where in its studio a clip was captured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import FloatArray, compose, rotate, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22

SeamKind = Literal["left foot", "right foot", "both feet", "travel"]

BODY = len(CHOREO22)
_FEET = (("left_ankle", "left_foot"), ("right_ankle", "right_foot"))
_FOOT_JOINTS = np.array([[CHOREO22.index(name) for name in pair] for pair in _FEET])
_PEAK = 1.875
"""Peak of a quintic step's speed over its mean."""
_STRIDE = 3
"""Frames between the poses that are compared, and between the frames that are tried."""


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """How joins are chosen.

    reach_s: a join may lie this far from its bar line. velocity_s: a difference of joint velocities of 1 m/s counts as this
    many metres of pose. slip: so does this share of each metre by which a foot that stands before and after would have to go
    faster than stride_m_s while it is in the air, seen look_s either way. footing_m: price of a join that no foot stands
    through. rush: price of each time by which a joint would be faster than the options allow. off_line_m: what the farthest
    join from the bar line has to be better by. shortest_s, longest_s: blend, both sides together. speed_share, speed_m_s: added
    speed that a blend may cause, as a share of the joint's own speed and beyond it; it sets the blend's length.
    """

    reach_s: float = 0.25
    velocity_s: float = 0.12
    slip: float = 0.2
    stride_m_s: float = 0.8
    look_s: float = 0.25
    footing_m: float = 0.15
    rush: float = 1.0
    off_line_m: float = 0.01
    shortest_s: float = 0.2
    longest_s: float = 1.4
    speed_share: float = 0.2
    speed_m_s: float = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A stretch of one clip at the dance's frame rate, in the clip's own place, with margins beyond its ends.

    first: output frame of row 0. rotations [n, J, 4], root [n, 3], contacts [n, 4]. source_frame [n] fractional frame
    of the clip, rate [n]. real: [n] whether the clip has this frame (outside, the end pose is held).
    airborne: [n] whether it flies. face: [n, F] weights of the dance's face channels.
    """

    first: int
    rotations: FloatArray
    root: FloatArray
    contacts: npt.NDArray[np.uint8]
    source_frame: npt.NDArray[np.float64]
    rate: npt.NDArray[np.float64]
    real: npt.NDArray[np.bool_]
    airborne: npt.NDArray[np.bool_]
    face: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Joins:
    """S joins. frames: first output frame of the later take. yaw [S], shift [S, 2] (x, z): bring the later take into
    the earlier one's frame, yaw first. kinds: what was held fixed. half_blend: frames [S] of blending on either side."""

    frames: npt.NDArray[np.int64]
    yaw: FloatArray
    shift: FloatArray
    kinds: tuple[SeamKind, ...]
    half_blend: npt.NDArray[np.int64]


def turned(yaw: FloatArray, points: FloatArray) -> FloatArray:
    """Horizontal points or vectors [..., 2] (x, z) turned by `yaw` [...] radians about the up axis."""
    cosine, sine = np.cos(yaw), np.sin(yaw)
    x, z = points[..., 0], points[..., 1]
    return np.stack([cosine * x + sine * z, cosine * z - sine * x], axis=-1)


def find(takes: Sequence[Take], lines: npt.NDArray[np.int64], fps: float, options: JoinOptions | None = None) -> Joins:
    """The joins of neighbouring takes; lines: [S] output frame of the bar line of each."""
    options = options or JoinOptions()
    if len(takes) < 2:
        none = np.empty(0, dtype=np.int64)
        return Joins(none, np.empty(0), np.empty((0, 2)), (), none)
    window = _Window(takes, lines, fps, options)
    yaw, shift, support = _align(window)
    gaps_m = _gaps(window, yaw, shift)
    strides_m = _strides(window, yaw, shift, options)
    best = np.argmin(_costs(window, strides_m, gaps_m, support, options, fps), axis=1)
    rows = np.arange(len(best))
    yaw, shift, support = yaw[rows, best], shift[rows, best], support[rows, best]
    frames = lines + window.offsets[best + 1]
    gap_m = np.linalg.norm(gaps_m[rows, best, 1], axis=-1)
    return Joins(frames, yaw, shift, _kinds(support), _half_blends(window, gap_m, best, frames, takes, fps, options))


def moved(take: Take, yaw: float, shift: FloatArray) -> Take:
    """The take turned by `yaw` about the up axis of its origin, then moved by `shift` [2] (x, z)."""
    rotations, root = take.rotations.copy(), take.root.copy()
    turn = yaw_to_quat(np.asarray(yaw))
    rotations[:, 0] = compose(turn.astype(rotations.dtype), rotations[:, 0])
    root = rotate(turn, root)
    root[:, [0, 2]] += shift
    return replace(take, rotations=rotations, root=root)


class _Window:
    """Poses of both takes around every bar line: points [S, 2, K, J, 3] at `offsets` [K] frames from it."""

    def __init__(self, takes: Sequence[Take], lines: npt.NDArray[np.int64], fps: float, options: JoinOptions) -> None:
        reach = int(options.reach_s * fps) // _STRIDE + 1
        look = int(options.look_s * fps) // _STRIDE
        seen = _STRIDE * np.arange(-reach - look, reach + look + 1)
        self.inner = slice(look, len(seen) - look)
        self.offsets = seen[self.inner]
        self.seconds = _STRIDE / fps
        rotations, roots, contacts, real = [], [], [], []
        for number, line in enumerate(lines):
            for take in (takes[number], takes[number + 1]):
                index = np.clip(line + seen - take.first, 0, len(take.root) - 1)
                rotations.append(take.rotations[index, :BODY])
                roots.append(take.root[index])
                contacts.append(take.contacts[index])
                real.append(take.real[index])
        points, _ = forward(np.concatenate(rotations), np.concatenate(roots), CHOREO22)
        shape = (len(lines), 2, len(seen))
        all_points = points.reshape(*shape, BODY, 3)
        self.stands = np.concatenate(contacts).reshape(*shape, 2, 2).max(axis=-1) > 0
        self.feet = all_points[..., _FOOT_JOINTS, :].mean(axis=-2)[..., [0, 2]]
        self.points = all_points[:, :, self.inner]
        self.planted = self.stands[:, :, self.inner].astype(np.float64)
        self.real = np.concatenate(real).reshape(shape)[:, :, self.inner]


_WEIGHTS = np.ones(BODY)
_WEIGHTS[[CHOREO22.index(name) for name in ("left_wrist", "right_wrist", "left_elbow", "right_elbow")]] = 0.4
_WEIGHTS[_FOOT_JOINTS.ravel()] = 1.5
_WEIGHTS[[CHOREO22.index("pelvis"), CHOREO22.index("spine3")]] = 2.0
_WEIGHTS /= _WEIGHTS.sum()


def _neighbours(values: FloatArray) -> FloatArray:
    """Windows of three poses: [S, 2, K, ...] to [S, 2, K - 2, 3, ...]."""
    return np.stack([values[:, :, :-2], values[:, :, 1:-1], values[:, :, 2:]], axis=3)


def _align(window: _Window) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Yaw [S, C], shift [S, C, 2] and support [S, C, 2 feet] for every candidate frame of every seam."""
    points = _neighbours(window.points)
    planted = _neighbours(window.planted)
    # the earlier take counts up to the join, the later one from it on
    support = planted[:, 0, :, :2].mean(axis=2) * planted[:, 1, :, 1:].mean(axis=2)
    ground = points[..., [0, 2]]
    feet = ground[:, :, :, 1][..., _FOOT_JOINTS, :].mean(axis=-2)
    # a little of the pelvis, which takes over where no foot stands
    weights = np.concatenate([support, np.full((*support.shape[:-1], 1), 0.03)], axis=-1)
    marks = np.concatenate([feet, ground[:, :, :, 1, :1]], axis=-2)
    anchors = (weights[:, None, ..., None] * marks).sum(axis=-2) / weights[:, None].sum(axis=-1)[..., None]
    around = ground - anchors[:, :, :, None, None]
    travel = (ground[:, :, :, 2, 0] - ground[:, :, :, 0, 0])[..., None, None, :] * 2.0
    soles = ground[:, :, :, 1][..., _FOOT_JOINTS[:, 1], :] - ground[:, :, :, 1][..., _FOOT_JOINTS[:, 0], :]
    cross, dot = _moments(around, _WEIGHTS)
    for vectors, weight in ((travel[..., 0, :, :], np.array([0.5])), (soles, 2.0 * support)):
        more_cross, more_dot = _moments(vectors[:, :, :, None], weight[..., None, :] if weight.ndim > 1 else weight)
        cross, dot = cross + more_cross, dot + more_dot
    yaw = np.arctan2(cross, dot)
    shift = anchors[:, 0] - turned(yaw, anchors[:, 1])
    return yaw, shift, support


def _moments(vectors: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weighted cross and dot products [S, C] of the two sides of horizontal vectors [S, 2, C, M, P, 2]."""
    a, b = vectors[:, 0], vectors[:, 1]
    cross = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    dot = a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1]
    return (weights * cross).sum(axis=-1).mean(axis=-1), (weights * dot).sum(axis=-1).mean(axis=-1)


def _gaps(window: _Window, yaw: FloatArray, shift: FloatArray) -> FloatArray:
    """Later minus earlier joint positions [S, C, 3, J, 3] once aligned, one pose before, at, and after each candidate."""
    points = _neighbours(window.points)
    later = points[:, 1].copy()
    later[..., [0, 2]] = turned(yaw[..., None, None], later[..., [0, 2]]) + shift[:, :, None, None]
    return later - points[:, 0]


def _strides(window: _Window, yaw: FloatArray, shift: FloatArray, options: JoinOptions) -> FloatArray:
    """Metres [S, C] that feet would have to go too fast, from where they stood last to where they stand next."""
    count = window.stands.shape[2]
    order = np.arange(count)[:, None]
    last = np.maximum.accumulate(np.where(window.stands[:, 0], order, -1), axis=1)
    following = np.where(window.stands[:, 1], order, count)[:, ::-1]
    following = np.minimum.accumulate(following, axis=1)[:, ::-1]
    candidates = np.arange(count)[window.inner][1:-1]
    last, following = last[:, candidates], following[:, candidates]
    known = (last >= 0) & (following < count)
    before, after = (
        np.take_along_axis(window.feet[:, side], np.clip(at, 0, count - 1)[..., None], axis=1)
        for side, at in ((0, last), (1, following))
    )
    away = np.linalg.norm(turned(yaw[..., None], after) + shift[:, :, None] - before, axis=-1)
    free = options.stride_m_s * window.seconds * (following - last)
    return np.asarray((known * np.maximum(away - free, 0.0)).sum(axis=-1))


def _costs(
    window: _Window,
    strides_m: FloatArray,
    gaps_m: FloatArray,
    support: FloatArray,
    options: JoinOptions,
    fps: float,
) -> FloatArray:
    """Price [S, C] in metres of joining at each candidate; infinite where a side has no captured frames."""
    pose = np.sqrt((_WEIGHTS * np.square(gaps_m[:, :, 1]).sum(axis=-1)).sum(axis=-1))
    velocity = (gaps_m[:, :, 2] - gaps_m[:, :, 0]) / (2.0 * window.seconds)
    change = np.sqrt((_WEIGHTS * np.square(velocity).sum(axis=-1)).sum(axis=-1))
    centre = window.offsets[1:-1]
    price = pose + options.velocity_s * change + options.slip * strides_m
    price += options.footing_m * (1.0 - support.max(axis=-1)) + options.rush * _rush(window, gaps_m, options)
    price += options.off_line_m * np.abs(centre) / (options.reach_s * fps)
    usable = (window.real[:, 0, 1:-1] & window.real[:, 1, 1:-1]) | (centre == 0)
    return np.where(usable, price, np.inf)


def _rush(window: _Window, gaps_m: FloatArray, options: JoinOptions) -> FloatArray:
    """By how much [S, C] the longest blend would drive some joint beyond what the options allow of the fastest."""
    points = window.points
    fastest = np.linalg.norm(np.diff(points, axis=2), axis=-1).max(axis=(1, 2, 3)) / window.seconds
    allowed = (1.0 + options.speed_share) * fastest + options.speed_m_s
    own = np.linalg.norm(points[:, :, 2:] - points[:, :, :-2], axis=-1).max(axis=1) / (2.0 * window.seconds)
    added = _PEAK * np.linalg.norm(gaps_m[:, :, 1], axis=-1) / options.longest_s
    return np.maximum((own + added).max(axis=-1) / allowed[:, None] - 1.0, 0.0)


def _kinds(support: FloatArray) -> tuple[SeamKind, ...]:
    names: dict[tuple[bool, bool], SeamKind] = {
        (True, True): "both feet", (True, False): "left foot", (False, True): "right foot", (False, False): "travel",
    }  # fmt: skip
    return tuple(names[(bool(left), bool(right))] for left, right in support > 0.25)


def _half_blends(
    window: _Window,
    gap_m: FloatArray,
    best: npt.NDArray[np.int64],
    frames: npt.NDArray[np.int64],
    takes: Sequence[Take],
    fps: float,
    options: JoinOptions,
) -> npt.NDArray[np.int64]:
    """Frames [S] on either side, so long that closing each joint's gap adds no more speed than the options allow."""
    speed = np.linalg.norm(np.diff(window.points, axis=2), axis=-1).max(axis=(1, 2)) / window.seconds
    allowed = options.speed_share * speed + options.speed_m_s
    wanted = (0.5 * _PEAK * gap_m / allowed).max(axis=-1)
    half = np.clip(wanted, 0.5 * options.shortest_s, 0.5 * options.longest_s) * fps
    # neighbouring blends must not overlap, nor reach beyond the dance
    edges = np.concatenate([[takes[0].first], frames, [takes[-1].first + len(takes[-1].root)]])
    room = np.diff(edges)
    return np.maximum(1, np.minimum(np.ceil(half), 0.5 * np.minimum(room[:-1], room[1:]) - 1.0)).astype(np.int64)
