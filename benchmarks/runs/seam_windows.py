"""Windows around seams, and the captured windows that they are told from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.contacts import foot_points
from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import quat_to_yaw, rotate, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22
from choreodb.retriever.placement import Placement, Step
from choreodb.retriever.sources import ReadMotion
from choreodb.retriever.stitch import Stitched, stitch

Array = npt.NDArray[np.float32]

SIDE_S = 0.8
"""Seconds of motion on either side of a seam that the classifier sees: more than the longest blend, 0.7 s."""

_BODY = len(CHOREO22)
POINTS = _BODY + 4


@dataclass(frozen=True, slots=True)
class SeamPlace:
    """Where a seam lies. song: number of the dance. frame: of the later stretch. clips: names before and after. at: their
    fractional frames at the join. rate: source frames per output frame of either side. mirrored: either side."""

    song: int
    frame: int
    clips: tuple[str, str]
    at: tuple[float, float]
    rate: tuple[float, float]
    mirrored: tuple[bool, bool]


def places(stitched: Stitched, song: int) -> list[SeamPlace]:
    """The seams of a dance that have a whole window within what is danced."""
    side = round(SIDE_S * stitched.motion.fps)
    first, stop = stitched.danced
    out = []
    for seam in stitched.seams:
        if not first + side <= seam.frame < stop - side:
            continue
        ends = (seam.frame - 1, seam.frame)
        out.append(
            SeamPlace(
                song, seam.frame,
                (stitched.clips[stitched.source_clip[ends[0]]], stitched.clips[stitched.source_clip[ends[1]]]),
                (float(stitched.source_frame[ends[0]]), float(stitched.source_frame[ends[1]])),
                (_rate(stitched, seam.frame - side, seam.frame), _rate(stitched, seam.frame, seam.frame + side)),
                (bool(stitched.mirrored[ends[0]]), bool(stitched.mirrored[ends[1]])),
            )
        )  # fmt: skip
    return out


def _rate(stitched: Stitched, first: int, stop: int) -> float:
    return float(np.clip(np.mean(stitched.rate[first:stop]), 0.8, 1.25))


def cut(stitched: Stitched, frames: Sequence[int]) -> Array:
    """Windows [N, T, 26, 3] of joints and foot points around `frames`, seen from the window's mean heading and middle."""
    side = round(SIDE_S * stitched.motion.fps)
    motion = stitched.motion
    if not frames:
        return np.zeros((0, 2 * side, POINTS, 3), dtype=np.float32)
    index = np.asarray(frames)[:, None] + np.arange(-side, side)
    rotations = motion.rotations[:, :_BODY][index].astype(np.float64)
    positions, turned = forward(rotations, motion.root[index].astype(np.float64), CHOREO22)
    flat = (-1, _BODY)
    feet = foot_points(positions.reshape(*flat, 3), turned.reshape(*flat, 4)).reshape(*index.shape, 4, 3)
    points = np.concatenate([positions, feet], axis=2)
    yaw = np.angle(np.exp(1j * quat_to_yaw(rotations[:, :, 0])).mean(axis=1))
    centre = points[:, :, 0].mean(axis=1) * [1.0, 0.0, 1.0]
    return rotate(yaw_to_quat(-yaw)[:, None, None], points - centre[:, None, None]).astype(np.float32)


def captured(
    place: SeamPlace, after: bool, read_motion: ReadMotion, clip_frames: Mapping[str, int], fps: float = 60.0
) -> Stitched | None:
    """The captured motion around where a seam leaves (or, `after`, enters) a clip, played at the seam's own rate, without
    any join; None where the clip is too short for a window."""
    clip, at, rate = place.clips[after], place.at[after], place.rate[after]
    reach = SIDE_S * fps * rate
    if at - reach < 0.0 or at + reach > clip_frames[clip] - 1:
        return None
    beats: npt.NDArray[np.float64] = np.empty(0)
    step = Step(0.0, 2.0 * SIDE_S, "bar", beats, 0, 0.5, beats)
    placement = Placement(
        step, 0, clip, place.mirrored[after], (at - reach) / fps, (at + reach) / fps, beats, False, False
    )
    return stitch([placement], read_motion, clip_frames, fps=fps, stage_m=None)


def captured_windows(
    found: Sequence[SeamPlace], after: bool, read_motion: ReadMotion, clip_frames: Mapping[str, int]
) -> tuple[Array, npt.NDArray[np.int64]]:
    """(windows [M, T, 26, 3], which of `found` each belongs to [M]) of `captured`, where there are any."""
    windows, owner = [], []
    for number, place in enumerate(found):
        made = captured(place, after, read_motion, clip_frames)
        if made is not None:
            windows.append(cut(made, [len(made) // 2]))
            owner.append(number)
    empty = np.zeros((0, 2 * round(SIDE_S * 60.0), POINTS, 3), dtype=np.float32)
    return np.concatenate([empty, *windows]), np.array(owner, dtype=np.int64)
