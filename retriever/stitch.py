"""Stitch: placements of captured motion become one continuous dance, with the source of every frame known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.motion import face, flight, resample, resample_kernel
from choreodb.motion.flight import FlightOptions
from choreodb.motion.hands import with_relaxed_hands
from choreodb.motion.kinematics import forward
from choreodb.motion.mirror import mirror_contacts, mirror_order, mirror_rotations, mirror_vectors
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import (
    FloatArray,
    compose,
    quat_to_yaw,
    rotate,
    yaw_to_quat,
)
from choreodb.motion.skeleton import CHOREO22, CHOREO52, HEEL_OFFSET_M, Skeleton
from choreodb.retriever import inertialise, join, stage, still, warp
from choreodb.retriever.join import BODY, JoinOptions, SeamKind, Take
from choreodb.retriever.placement import Placement
from choreodb.retriever.stage import StageFigures, StageOptions
from choreodb.retriever.still import StillOptions
from choreodb.retriever.warp import Run, TimeMap, WarpOptions

ReadMotion = Callable[[str, int, int], tuple[npt.NDArray, npt.NDArray, npt.NDArray]]
ReadFace = Callable[[str, int, int], npt.NDArray | None]


@dataclass(frozen=True, slots=True)
class StitchOptions:
    """Options of `stitch`. margin_s: captured motion that is read beyond each end, for the joins. flight: what flies, and
    so is hardly warped. still: how to open from and settle into a still pose, None to begin and end in full motion.
    smooth: close the gaps at joins. align: turn and move each stretch to fit. linear: fade from stretch to stretch instead of
    inertialising. Not to smooth, not to align, and to fade is what only a benchmark wants."""

    warp: WarpOptions = field(default_factory=WarpOptions)
    join: JoinOptions = field(default_factory=JoinOptions)
    stage: StageOptions = field(default_factory=StageOptions)
    margin_s: float = 0.5
    flight: FlightOptions = field(default_factory=FlightOptions)
    still: StillOptions | None = None
    smooth: bool = True
    align: bool = True
    linear: bool = False


DANCE = StitchOptions(still=StillOptions())
"""How a dance to a song is stitched."""


@dataclass(frozen=True, slots=True)
class Seam:
    """A join of two stretches. frame: first frame of the later one. placement: index of the placement that begins here.
    kind: what was held fixed. blend_frames: frames of blending before and after `frame`."""

    frame: int
    placement: int
    kind: SeamKind
    blend_frames: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Stitched:
    """A dance and where it comes from.

    motion: choreo22, or choreo52 where any clip has hands. contacts: [N, 4] contacts of the source, warped in time and
    never recomputed. clips: names; source_clip: [N] index into them. source_frame: [N] fractional canonical frame of
    that clip. rate: [N] source seconds per song second. placement: [N] index. mirrored: [N]. airborne: [N] whether the
    source flies, as `choreodb.motion.flight` has it. danced: first frame and stop of what lies between the stillness at
    either end. hands: [N] whether the fingers were captured; elsewhere they are relaxed. faced: [N] whether the face was;
    elsewhere it is at rest. heights: [N, 4] metres over the floor of the source's foot points before anything was blended.
    """

    motion: Motion
    contacts: npt.NDArray[np.uint8]
    seams: tuple[Seam, ...]
    clips: tuple[str, ...]
    source_clip: npt.NDArray[np.int32]
    source_frame: npt.NDArray[np.float64]
    rate: npt.NDArray[np.float64]
    placement: npt.NDArray[np.int32]
    mirrored: npt.NDArray[np.bool_]
    airborne: npt.NDArray[np.bool_]
    danced: tuple[int, int]
    hands: npt.NDArray[np.bool_]
    faced: npt.NDArray[np.bool_]
    stage: StageFigures
    heights: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.motion)


def stitch(
    placements: Sequence[Placement],
    read_motion: ReadMotion,
    clip_frames: Mapping[str, int],
    *,
    fps: float = 60.0,
    stage_m: tuple[float, float] | None = (6.0, 6.0),
    options: StitchOptions | None = None,
    face_names: Mapping[str, Sequence[str]] | None = None,
    read_face: ReadFace | None = None,
) -> Stitched:
    """The dance of `placements`, which tile the song from 0 to its end; round(duration * fps) frames.

    read_motion: (clip, first, stop) to rotations [T, J, 4], root [T, 3], contacts [T, 4] of the canonical clip.
    clip_frames: length of every clip. face_names, read_face: channels of the clips that have a face, and (clip, first,
    stop) to their weights [T, F]; the dance has the channels of all. stage_m: width and depth the dance is kept in, None for as captured; the dance
    starts in the middle and faces front. QueryError where there are no placements or a clip is not known.
    """
    options = options or StitchOptions()
    grouped = warp.runs(placements)
    sources = _read(placements, grouped, read_motion, clip_frames, fps, options)
    channels: tuple[str, ...] = ()
    if face_names and read_face is not None:
        sources, channels = _with_faces(sources, grouped, face_names, read_face)
    aloft = [_airborne(source, fps, options) for source in sources]
    flights = {number: (source.first / fps, aloft[number]) for number, source in enumerate(sources)}
    times = warp.time_map(placements, grouped, flights, options.warp, fps=fps)
    duration_s = placements[-1].step.end_s
    total = max(1, round(duration_s * fps))
    lines = np.array([round(placements[run.first].step.start_s * fps) for run in grouped] + [total], dtype=np.int64)
    lines[0] = 0
    takes = [
        _take(number, lines, sources[number], aloft[number], times, fps, options) for number in range(len(grouped))
    ]
    captured = [(source.hands, source.faced) for source in sources]
    del sources, aloft, flights
    joins = join.find(takes, lines[1:-1], fps, options.join)
    return _assemble(placements, grouped, captured, takes, joins, total, fps, stage_m, options, channels)


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
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


def _read(
    placements: Sequence[Placement],
    grouped: Sequence[Run],
    read_motion: ReadMotion,
    clip_frames: Mapping[str, int],
    fps: float,
    options: StitchOptions,
) -> list[_Source]:
    sources = []
    for run in grouped:
        if run.clip not in clip_frames:
            raise QueryError(f"clip {run.clip!r} is not in the library; plan the dance again")
        total = int(clip_frames[run.clip])
        # the warp may run at 1.25 through the margin, and the interpolation looks two frames ahead
        margin = round(1.3 * options.margin_s * fps) + 3
        first = max(0, int(placements[run.first].source_start_s * fps) - margin)
        stop = min(total, int(np.ceil(placements[run.stop - 1].source_end_s * fps)) + margin)
        rotations, root, contacts = read_motion(run.clip, min(first, max(0, stop - 2)), stop)
        source = _Source(
            min(first, max(0, stop - 2)), total, rotations, root.astype(np.float64), contacts,
            np.zeros((len(rotations), 0)), rotations.shape[1] > BODY,
        )  # fmt: skip
        sources.append(_mirrored(source) if run.mirrored else source)
    if not any(source.hands for source in sources):
        return sources
    return [replace(source, rotations=with_relaxed_hands(source.rotations)) for source in sources]


def _with_faces(
    sources: Sequence[_Source],
    grouped: Sequence[Run],
    face_names: Mapping[str, Sequence[str]],
    read_face: ReadFace,
) -> tuple[list[_Source], tuple[str, ...]]:
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


def _mirrored(source: _Source) -> _Source:
    order = mirror_order(_skeleton(source.rotations.shape[1]))
    return replace(
        source, rotations=mirror_rotations(source.rotations, order), root=mirror_vectors(source.root),
        contacts=mirror_contacts(source.contacts),
    )  # fmt: skip


def _skeleton(joints: int) -> Skeleton:
    return CHOREO52 if joints > BODY else CHOREO22


def _airborne(source: _Source, fps: float, options: StitchOptions) -> npt.NDArray[np.bool_]:
    """In which frames [T] of a source the dancer flies."""
    if source.contacts.any(axis=1).all():
        return np.zeros(len(source.contacts), dtype=bool)
    clear = (_legs(source.rotations, source.root)[:, 5:9, 1] - flight.STANDING_M).min(axis=1)
    found = flight.spans(source.contacts, clear, source.root[:, 1], fps, options.flight)
    return flight.painted(found, len(source.contacts))


def _take(
    number: int,
    lines: npt.NDArray[np.int64],
    source: _Source,
    aloft: npt.NDArray[np.bool_],
    times: TimeMap,
    fps: float,
    options: StitchOptions,
) -> Take:
    """The frames between two bar lines and the margins beyond them, read through the time map."""
    margin = round(options.margin_s * fps)
    first, stop = int(lines[number]) - margin, int(lines[number + 1]) + margin
    source_s, rate = times.at(number, np.arange(first, stop) / fps)
    frame = source_s * fps
    # times that were computed as frame / fps must give that frame
    nearest = np.rint(frame)
    frame = np.where(np.abs(frame - nearest) < 1e-6, nearest, frame)
    real = (frame > -0.5) & (frame < source.total - 0.5)
    rotations, root = _sample(source, frame)
    place = np.clip(np.rint(frame).astype(np.int64) - source.first, 0, len(source.contacts) - 1)
    held = np.clip(frame, 0.0, source.total - 1.0)
    # weights are straight between frames, as they were captured
    weights = resample.linear_at(source.face, 1.0, np.clip(frame - source.first, 0.0, len(source.face) - 1.0))
    return Take(first, rotations, root, source.contacts[place], held, rate, real, aloft[place], weights)


_BEYOND = 1.5
"""Frames by which a clip is carried on at its last speed where a join needs a frame that was not captured."""


def _sample(source: _Source, frame: FloatArray) -> tuple[FloatArray, FloatArray]:
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


def _assemble(
    placements: Sequence[Placement],
    grouped: Sequence[Run],
    captured: Sequence[tuple[bool, bool]],
    takes: list[Take],
    joins: join.Joins,
    total: int,
    fps: float,
    stage_m: tuple[float, float] | None,
    options: StitchOptions,
    channels: tuple[str, ...],
) -> Stitched:
    """The dance of `takes`, which are used up; captured: of every one, whether hands and face are."""
    frames = joins.frames if options.align else np.array([take.first for take in takes[1:]], dtype=np.int64)
    if not options.align:
        frames = np.array([round(placements[run.first].step.start_s * fps) for run in grouped[1:]], dtype=np.int64)
    if options.align:
        _align(takes, joins, fps)
    else:
        takes[0] = join.moved(takes[0], *_opening(takes[0], fps))
    edges = np.concatenate([[0], frames, [total]])
    parts = [
        slice(int(edges[number]) - take.first, int(edges[number + 1]) - take.first) for number, take in enumerate(takes)
    ]
    rotations = np.concatenate([take.rotations[part] for take, part in zip(takes, parts, strict=True)])
    root = np.concatenate([take.root[part] for take, part in zip(takes, parts, strict=True)])
    contacts = np.concatenate([take.contacts[part] for take, part in zip(takes, parts, strict=True)])
    weights = np.concatenate([take.face[part] for take, part in zip(takes, parts, strict=True)])
    heights = _heights(rotations, root)
    blend = joins.half_blend if options.smooth else np.zeros(len(frames), dtype=np.int64)
    if options.smooth:
        gaps = [inertialise.gap(takes[k], takes[k + 1], int(frame), fps) for k, frame in enumerate(frames)]
        if options.linear:
            rotations, root = inertialise.crossfade(rotations, root, takes, frames, blend)
        else:
            rotations, root = inertialise.close(rotations, root, gaps, frames, blend, fps)
        weights = inertialise.close_values(weights, gaps, frames, blend, fps)
    rotations = _unrolled(rotations)
    shares = [np.concatenate([getattr(take, name)[part] for take, part in zip(takes, parts, strict=True)])
               for name in ("source_frame", "rate", "airborne")]  # fmt: skip
    clips = tuple(dict.fromkeys(run.clip for run in grouped))
    lengths = np.diff(edges)
    spread = [np.repeat([clips.index(run.clip) for run in grouped], lengths).astype(np.int32),
              _placement_of(placements, grouped, edges, fps), np.repeat([run.mirrored for run in grouped], lengths),
              np.repeat([hands for hands, _ in captured], lengths),
              np.repeat([faced for _, faced in captured], lengths)]  # fmt: skip
    takes.clear()
    seams = tuple(
        Seam(int(frame), grouped[k + 1].first, joins.kinds[k], (int(blend[k]), int(blend[k])))
        for k, frame in enumerate(frames)
    )
    danced = (0, total)
    if options.still is not None:
        bars_s = tuple(placement.step.end_s - placement.step.start_s for placement in (placements[0], placements[-1]))
        shown, danced = still.times(rotations, root, contacts, frames, (bars_s[0], bars_s[1]), fps, options.still)
        rotations, root = _shown(rotations, root, shown, danced, fps)
        weights = resample.linear_at(weights, 1.0, shown)
        heights = resample.linear_at(heights, 1.0, shown)
        shares[1] = shares[1][np.rint(shown).astype(np.int64)] * np.gradient(shown)
        shares[0] = np.interp(shown, np.arange(total), shares[0])
        contacts, shares[2], *spread = still.nearest([contacts, shares[2], *spread], shown)
        seams = tuple(seam for seam in seams if danced[0] <= seam.frame < danced[1])
    rotations, root, figures = _staged(rotations, root, contacts, danced, fps, stage_m, options)
    motion = Motion(rotations.astype(np.float32), root.astype(np.float32), _skeleton(rotations.shape[1]), fps)
    if channels:
        motion = replace(motion, face=weights.astype(np.float32), face_names=channels)
    return Stitched(
        motion=motion,
        contacts=contacts,
        seams=seams,
        clips=clips,
        source_clip=spread[0],
        source_frame=shares[0],
        rate=shares[1],
        placement=spread[1],
        mirrored=spread[2],
        airborne=shares[2],
        danced=danced,
        hands=spread[3],
        faced=spread[4],
        stage=figures,
        heights=heights.astype(np.float32),
    )


def _shown(
    rotations: FloatArray, root: FloatArray, shown: FloatArray, danced: tuple[int, int], fps: float
) -> tuple[FloatArray, FloatArray]:
    """Rotations [N, J, 4] and root [N, 3] at the frames `shown` [N], which are their own numbers within `danced`.

    The pose that is opened from stands in the middle and faces front.
    """
    whole = _Source(
        0, len(root), rotations, root, np.zeros((len(root), 4), dtype=np.uint8), np.zeros((len(root), 0)), hands=True
    )
    rotations, root = rotations.copy(), root.copy()
    for part in (slice(0, danced[0]), slice(danced[1], len(root))):
        if part.stop > part.start:
            rotations[part], root[part] = _sample(whole, shown[part])
    if danced[0] > 0:
        yaw, shift = _to_front(rotations, root, fps)
        turn = yaw_to_quat(np.asarray(yaw))
        rotations[:, 0] = compose(turn.astype(rotations.dtype), rotations[:, 0])
        root = rotate(turn, root)
        root[:, [0, 2]] += shift
    return _unrolled(rotations), root


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


def _align(takes: list[Take], joins: join.Joins, fps: float) -> None:
    """Turn and move every take to follow on from the one before; the first opens in the middle, facing front."""
    yaw, shift = _opening(takes[0], fps)
    takes[0] = join.moved(takes[0], yaw, shift)
    for number in range(1, len(takes)):
        shift = shift + join.turned(np.asarray(yaw), joins.shift[number - 1])
        yaw = yaw + float(joins.yaw[number - 1])
        takes[number] = join.moved(takes[number], yaw, shift)


def _opening(take: Take, fps: float) -> tuple[float, FloatArray]:
    """Yaw and shift that put the first frame in the middle and the first second's mean facing to the front."""
    return _to_front(take.rotations[-take.first :], take.root[-take.first :], fps)


def _to_front(rotations: FloatArray, root: FloatArray, fps: float) -> tuple[float, FloatArray]:
    heading = quat_to_yaw(rotations[: round(fps), 0].astype(np.float64))
    mean = np.mean(np.exp(1j * heading))
    yaw = -float(np.angle(mean) if np.abs(mean) > 0.2 else heading[0])
    return yaw, -join.turned(np.asarray(yaw), root[0, [0, 2]])


def _unrolled(rotations: FloatArray) -> FloatArray:
    """Neighbouring frames on one half sphere, so that programs that interpolate components do not spin joints."""
    resample_kernel.unroll(rotations)
    return rotations


def _staged(
    rotations: FloatArray,
    root: FloatArray,
    contacts: npt.NDArray[np.uint8],
    danced: tuple[int, int],
    fps: float,
    stage_m: tuple[float, float] | None,
    options: StitchOptions,
) -> tuple[FloatArray, FloatArray, StageFigures]:
    """The dance kept on its stage, and where it goes."""
    yaw = quat_to_yaw(rotations[:, 0].astype(np.float64))
    turn: FloatArray = np.zeros(len(root))
    ground = root[:, [0, 2]]
    if stage_m is not None and options.align:
        feet = _feet(rotations, root)
        planted = contacts.reshape(-1, 2, 2).max(axis=-1)
        # who holds still is not turned either
        planted[: danced[0]] = planted[danced[1] :] = 0
        turn, shift = stage.steer(ground, yaw, feet, planted.astype(np.float64), fps, stage_m, options.stage)
        if np.any(turn):
            root = root.copy()
            ground = join.turned(turn, ground) + shift
            root[:, [0, 2]] = ground
            rotations[:, 0] = compose(yaw_to_quat(turn).astype(rotations.dtype), rotations[:, 0])
    return rotations, root, stage.figures(ground, yaw + turn, turn, fps, stage_m)


_LEGS = ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot", "right_foot")  # fmt: skip
_LEG_JOINTS = np.array([CHOREO22.index(name) for name in _LEGS])
_LEG_SKELETON = Skeleton(
    _LEGS,
    np.array([-1 if j == 0 else _LEGS.index(CHOREO22.names[CHOREO22.parents[j]]) for j in _LEG_JOINTS], dtype=np.int32),
    CHOREO22.offsets[_LEG_JOINTS],
    source="reference",
)


def _legs(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Positions [N, 9, 3] of pelvis, hips, knees, ankles and feet, left before right."""
    return forward(rotations[:, _LEG_JOINTS], root, _LEG_SKELETON)[0]


def _heights(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Heights [N, 4] of left heel, left toe, right heel, right toe."""
    positions, turned = forward(rotations[:, _LEG_JOINTS], root, _LEG_SKELETON)
    heels = positions[:, 5:7] + rotate(turned[:, 5:7], np.array(HEEL_OFFSET_M))
    return np.stack([heels[:, 0, 1], positions[:, 7, 1], heels[:, 1, 1], positions[:, 8, 1]], axis=1)


def _feet(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Middle of the left and the right foot [N, 2, 2] (x, z)."""
    points = _legs(rotations, root)
    return (0.5 * (points[:, 5:7] + points[:, 7:9]))[..., [0, 2]]
