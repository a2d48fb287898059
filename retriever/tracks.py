"""Tracks: every per-frame array of a dance that is being put together, and the same at other times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choreodb.motion import resample, resample_kernel
from choreodb.motion.rotations import FloatArray, compose, quat_to_yaw, rotate, yaw_to_quat
from choreodb.retriever import join, legs, still
from choreodb.retriever.join import Take
from choreodb.retriever.placement import Placement
from choreodb.retriever.sources import Source, sample
from choreodb.retriever.warp import Run


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Arrays of N frames; see `Stitched`. face: [N, F]. heights: [N, 4] of the source's foot points. source_clip: [N] index
    into the names of clips."""

    rotations: FloatArray
    root: FloatArray
    contacts: npt.NDArray[np.uint8]
    face: FloatArray
    heights: FloatArray
    source_frame: npt.NDArray[np.float64]
    rate: npt.NDArray[np.float64]
    airborne: npt.NDArray[np.bool_]
    source_clip: npt.NDArray[np.int32]
    placement: npt.NDArray[np.int32]
    mirrored: npt.NDArray[np.bool_]
    hands: npt.NDArray[np.bool_]
    faced: npt.NDArray[np.bool_]


def cut(
    takes: Sequence[Take],
    edges: npt.NDArray[np.int64],
    placements: Sequence[Placement],
    grouped: Sequence[Run],
    captured: Sequence[tuple[bool, bool]],
    clips: Sequence[str],
    fps: float,
) -> Tracks:
    """What lies between `edges` [R + 1] of every take, one after the other; captured: whether hands and face of each are."""
    parts = [
        slice(int(edges[number]) - take.first, int(edges[number + 1]) - take.first) for number, take in enumerate(takes)
    ]

    def joined(name: str) -> npt.NDArray:
        return np.concatenate([getattr(take, name)[part] for take, part in zip(takes, parts, strict=True)])

    lengths = np.diff(edges)
    rotations, root = joined("rotations"), joined("root")
    return Tracks(
        rotations=rotations,
        root=root,
        contacts=joined("contacts"),
        face=joined("face"),
        heights=legs.heights(rotations, root),
        source_frame=joined("source_frame"),
        rate=joined("rate"),
        airborne=joined("airborne"),
        source_clip=np.repeat([clips.index(run.clip) for run in grouped], lengths).astype(np.int32),
        placement=_placement_of(placements, grouped, edges, fps),
        mirrored=np.repeat([run.mirrored for run in grouped], lengths),
        hands=np.repeat([hands for hands, _ in captured], lengths),
        faced=np.repeat([faced for _, faced in captured], lengths),
    )


def shown(tracks: Tracks, times: FloatArray, danced: tuple[int, int], fps: float) -> Tracks:
    """The tracks at the frames `times` [N], with fractions, which are their own numbers within `danced`."""
    rotations, root = _played(tracks.rotations, tracks.root, times, danced, fps)
    names = ("contacts", "airborne", "source_clip", "placement", "mirrored", "hands", "faced")
    held = still.nearest([getattr(tracks, name) for name in names], times)
    return replace(
        tracks,
        rotations=rotations,
        root=root,
        face=resample.linear_at(tracks.face, 1.0, times),
        heights=resample.linear_at(tracks.heights, 1.0, times),
        rate=tracks.rate[np.rint(times).astype(np.int64)] * np.gradient(times),
        source_frame=np.interp(times, np.arange(len(tracks.root)), tracks.source_frame),
        **dict(zip(names, held, strict=True)),
    )


def _played(
    rotations: FloatArray, root: FloatArray, times: FloatArray, danced: tuple[int, int], fps: float
) -> tuple[FloatArray, FloatArray]:
    """Rotations [N, J, 4] and root [N, 3] at the frames `times` [N], which are their own numbers within `danced`.

    The pose that is opened from stands in the middle and faces front.
    """
    whole = Source(
        0, len(root), rotations, root, np.zeros((len(root), 4), dtype=np.uint8), np.zeros((len(root), 0)), hands=True
    )
    rotations, root = rotations.copy(), root.copy()
    for part in (slice(0, danced[0]), slice(danced[1], len(root))):
        if part.stop > part.start:
            rotations[part], root[part] = sample(whole, times[part])
    if danced[0] > 0:
        yaw, shift = to_front(rotations, root, fps)
        turn = yaw_to_quat(np.asarray(yaw))
        rotations[:, 0] = compose(turn.astype(rotations.dtype), rotations[:, 0])
        root = rotate(turn, root)
        root[:, [0, 2]] += shift
    return unrolled(rotations), root


def _placement_of(
    placements: Sequence[Placement], grouped: Sequence[Run], edges: npt.NDArray[np.int64], fps: float
) -> npt.NDArray[np.int32]:
    """Index [N] of the placement each frame is danced from; a frame beside its bar line belongs to the run it shows."""
    starts = np.array([placement.step.start_s for placement in placements])
    index = np.searchsorted(starts, np.arange(edges[-1]) / fps + 1e-9, side="right") - 1
    lengths = np.diff(edges)
    low = np.repeat([run.first for run in grouped], lengths)
    high = np.repeat([run.stop - 1 for run in grouped], lengths)
    return np.clip(index, low, high).astype(np.int32)


def to_front(rotations: FloatArray, root: FloatArray, fps: float) -> tuple[float, FloatArray]:
    """Yaw and shift [2] (x, z) that bring the first frame to the middle and the first second to the front."""
    heading = quat_to_yaw(rotations[: round(fps), 0].astype(np.float64))
    mean = np.mean(np.exp(1j * heading))
    yaw = -float(np.angle(mean) if np.abs(mean) > 0.2 else heading[0])
    return yaw, -join.turned(np.asarray(yaw), root[0, [0, 2]])


def unrolled(rotations: FloatArray) -> FloatArray:
    """Neighbouring frames on one half sphere, so that programs that interpolate components do not spin joints."""
    resample_kernel.unroll(rotations)
    return rotations
