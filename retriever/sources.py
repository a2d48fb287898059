"""Sources: captured frames of clips, mirrored and with hands and face where the dance has them, read at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.motion import face, flight, resample, resample_kernel
from choreodb.motion.flight import FlightOptions
from choreodb.motion.hands import with_relaxed_hands
from choreodb.motion.mirror import mirror_contacts, mirror_order, mirror_rotations, mirror_vectors
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22, CHOREO52, Skeleton
from choreodb.retriever import legs
from choreodb.retriever.join import BODY, Take
from choreodb.retriever.placement import Placement
from choreodb.retriever.warp import Run, TimeMap

ReadMotion = Callable[[str, int, int], tuple[npt.NDArray, npt.NDArray, npt.NDArray]]
ReadFace = Callable[[str, int, int], npt.NDArray | None]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Frames of a clip from `first` on, mirrored where asked, with hands where the dance has them; `total` in the clip.

    face: [T, F] weights of the dance's channels. hands, faced: whether the clip has captured ones."""

    first: int
    total: int
    rotations: FloatArray
    root: FloatArray
    contacts: npt.NDArray[np.uint8]
    face: FloatArray
    hands: bool
    faced: bool = False


def read(
    placements: Sequence[Placement],
    grouped: Sequence[Run],
    read_motion: ReadMotion,
    clip_frames: Mapping[str, int],
    fps: float,
    margin_s: float,
) -> list[Source]:
    """The frames of every run with a margin on either side; QueryError for a clip that is not known."""
    sources = []
    for run in grouped:
        if run.clip not in clip_frames:
            raise QueryError(f"clip {run.clip!r} is not in the library; plan the dance again")
        total = int(clip_frames[run.clip])
        # the warp may run at 1.25 through the margin, and the interpolation looks two frames ahead
        margin = round(1.3 * margin_s * fps) + 3
        first = max(0, int(placements[run.first].source_start_s * fps) - margin)
        stop = min(total, int(np.ceil(placements[run.stop - 1].source_end_s * fps)) + margin)
        rotations, root, contacts = read_motion(run.clip, min(first, max(0, stop - 2)), stop)
        source = Source(
            min(first, max(0, stop - 2)), total, rotations, root.astype(np.float64), contacts,
            np.zeros((len(rotations), 0)), rotations.shape[1] > BODY,
        )  # fmt: skip
        sources.append(_mirrored(source) if run.mirrored else source)
    if not any(source.hands for source in sources):
        return sources
    return [replace(source, rotations=with_relaxed_hands(source.rotations)) for source in sources]


def with_faces(
    sources: Sequence[Source],
    grouped: Sequence[Run],
    face_names: Mapping[str, Sequence[str]],
    read_face: ReadFace,
) -> tuple[list[Source], tuple[str, ...]]:
    """The sources with their faces, and the channels of all of them; who has none, or lacks a channel, is at rest."""
    named = [tuple(face_names.get(run.clip, ())) for run in grouped]
    channels = tuple(dict.fromkeys(name for names in named for name in names))
    out = []
    for source, run, names in zip(sources, grouped, named, strict=True):
        weights = read_face(run.clip, source.first, source.first + len(source.rotations)) if names else None
        spread = np.zeros((len(source.rotations), len(channels)))
        if weights is not None:
            partners = face.mirror_order(names) if run.mirrored else np.arange(len(names))
            spread[:, [channels.index(name) for name in names]] = weights[:, partners]
        out.append(replace(source, face=spread, faced=weights is not None))
    return out, channels


def _mirrored(source: Source) -> Source:
    order = mirror_order(skeleton_of(source.rotations.shape[1]))
    return replace(
        source, rotations=mirror_rotations(source.rotations, order), root=mirror_vectors(source.root),
        contacts=mirror_contacts(source.contacts),
    )  # fmt: skip


def skeleton_of(joints: int) -> Skeleton:
    return CHOREO52 if joints > BODY else CHOREO22


def airborne(source: Source, fps: float, options: FlightOptions) -> npt.NDArray[np.bool_]:
    """In which frames [T] of a source the dancer flies."""
    if source.contacts.any(axis=1).all():
        return np.zeros(len(source.contacts), dtype=bool)
    clear = (legs.joints(source.rotations, source.root)[:, 5:9, 1] - flight.STANDING_M).min(axis=1)
    found = flight.spans(source.contacts, clear, source.root[:, 1], fps, options)
    return flight.painted(found, len(source.contacts))


def take(
    number: int,
    lines: npt.NDArray[np.int64],
    source: Source,
    aloft: npt.NDArray[np.bool_],
    times: TimeMap,
    fps: float,
    margin_s: float,
) -> Take:
    """The frames between two bar lines and the margins beyond them, read through the time map."""
    margin = round(margin_s * fps)
    first, stop = int(lines[number]) - margin, int(lines[number + 1]) + margin
    source_s, rate = times.at(number, np.arange(first, stop) / fps)
    frame = source_s * fps
    # times that were computed as frame / fps must give that frame
    nearest = np.rint(frame)
    frame = np.where(np.abs(frame - nearest) < 1e-6, nearest, frame)
    real = (frame > -0.5) & (frame < source.total - 0.5)
    rotations, root = sample(source, frame)
    place = np.clip(np.rint(frame).astype(np.int64) - source.first, 0, len(source.contacts) - 1)
    held = np.clip(frame, 0.0, source.total - 1.0)
    # weights are straight between frames, as they were captured
    weights = resample.linear_at(source.face, 1.0, np.clip(frame - source.first, 0.0, len(source.face) - 1.0))
    return Take(first, rotations, root, source.contacts[place], held, rate, real, aloft[place], weights)


_BEYOND = 1.5
"""Frames by which a clip is carried on at its last speed where a join needs a frame that was not captured."""


def sample(source: Source, frame: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rotations [n, J, 4] and root [n, 3] at fractional clip frames [n] by Catmull-Rom cubics; C1, exact at frames."""
    last = len(source.root) - 1
    if last == 0:
        return np.repeat(source.rotations, len(frame), axis=0), np.repeat(source.root, len(frame), axis=0)
    place = np.clip(frame - source.first, -_BEYOND, last + _BEYOND)
    index = np.clip(np.floor(place).astype(np.int64), 0, last - 1)
    u = place - index
    rotations = np.empty((len(frame), *source.rotations.shape[1:]), dtype=source.rotations.dtype)
    resample_kernel.cubic(source.rotations, index, u, rotations)
    return rotations, _cubic(source.root, index, u)


def _cubic(values: FloatArray, index: npt.NDArray[np.int64], u: FloatArray) -> FloatArray:
    last = len(values) - 1
    start, end = values[index], values[index + 1]
    before, after = values[np.maximum(index - 1, 0)], values[np.minimum(index + 2, last)]
    shape = (-1, *(1,) * (values.ndim - 1))
    before = np.where((index == 0).reshape(shape), 2.0 * start - end, before)
    after = np.where((index == last - 1).reshape(shape), 2.0 * end - start, after)
    u = u.reshape(shape).astype(values.dtype)
    curve = u * ((2.0 * before - 5.0 * start + 4.0 * end - after) + u * (3.0 * (start - end) + after - before))
    inside = start + 0.5 * u * ((end - before) + curve)
    beyond = (u < 0.0) | (u > 1.0)
    return np.where(beyond, start + u * (end - start), inside).astype(values.dtype, copy=False)
