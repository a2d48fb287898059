"""Stitch: placements of captured motion become one continuous dance, with the source of every frame known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from choreodb.motion.flight import FlightOptions
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, compose, quat_to_yaw, yaw_to_quat
from choreodb.retriever import inertialise, join, legs, stage, still, tracks, warp
from choreodb.retriever import sources as sources_of
from choreodb.retriever.join import JoinOptions, SeamKind, Take
from choreodb.retriever.placement import Placement
from choreodb.retriever.sources import ReadFace, ReadMotion, skeleton_of
from choreodb.retriever.stage import StageFigures, StageOptions
from choreodb.retriever.still import StillOptions
from choreodb.retriever.tracks import Tracks
from choreodb.retriever.warp import Run, WarpOptions


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
    sources = sources_of.read(placements, grouped, read_motion, clip_frames, fps, options.margin_s)
    channels: tuple[str, ...] = ()
    if face_names and read_face is not None:
        sources, channels = sources_of.with_faces(sources, grouped, face_names, read_face)
    aloft = [sources_of.airborne(source, fps, options.flight) for source in sources]
    flights = {number: (source.first / fps, aloft[number]) for number, source in enumerate(sources)}
    times = warp.time_map(placements, grouped, flights, options.warp, fps=fps)
    duration_s = placements[-1].step.end_s
    total = max(1, round(duration_s * fps))
    lines = np.array([round(placements[run.first].step.start_s * fps) for run in grouped] + [total], dtype=np.int64)
    lines[0] = 0
    takes = [
        sources_of.take(number, lines, sources[number], aloft[number], times, fps, options.margin_s)
        for number in range(len(grouped))
    ]
    captured = [(source.hands, source.faced) for source in sources]
    del sources, aloft, flights
    joins = join.find(takes, lines[1:-1], fps, options.join)
    return _assemble(placements, grouped, captured, takes, joins, total, fps, stage_m, options, channels)


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
    frames = joins.frames
    if options.align:
        _align(takes, joins, fps)
    else:
        frames = np.array([round(placements[run.first].step.start_s * fps) for run in grouped[1:]], dtype=np.int64)
        takes[0] = join.moved(takes[0], *_opening(takes[0], fps))
    clips = tuple(dict.fromkeys(run.clip for run in grouped))
    made = tracks.cut(takes, np.concatenate([[0], frames, [total]]), placements, grouped, captured, clips, fps)
    blend = joins.half_blend if options.smooth else np.zeros(len(frames), dtype=np.int64)
    made = _closed(made, takes, frames, blend, fps, options)
    takes.clear()
    seams = tuple(
        Seam(int(frame), grouped[k + 1].first, joins.kinds[k], (int(blend[k]), int(blend[k])))
        for k, frame in enumerate(frames)
    )
    danced = (0, total)
    if options.still is not None:
        made, danced = _stilled(made, placements, frames, fps, options.still)
        seams = tuple(seam for seam in seams if danced[0] <= seam.frame < danced[1])
    return _finished(made, seams, clips, danced, fps, stage_m, options, channels)


def _closed(
    made: Tracks,
    takes: Sequence[Take],
    frames: npt.NDArray[np.int64],
    blend: npt.NDArray[np.int64],
    fps: float,
    options: StitchOptions,
) -> Tracks:
    """The tracks with the gaps at `frames` [S] closed within `blend` [S] frames on either side, where that is asked for."""
    rotations, root, weights = made.rotations, made.root, made.face
    if options.smooth:
        gaps = [inertialise.gap(takes[k], takes[k + 1], int(frame), fps) for k, frame in enumerate(frames)]
        if options.linear:
            rotations, root = inertialise.crossfade(rotations, root, takes, frames, blend)
        else:
            rotations, root = inertialise.close(rotations, root, gaps, frames, blend, fps)
        weights = inertialise.close_values(weights, gaps, frames, blend, fps)
    return replace(made, rotations=tracks.unrolled(rotations), root=root, face=weights)


def _stilled(
    made: Tracks, placements: Sequence[Placement], frames: npt.NDArray[np.int64], fps: float, options: StillOptions
) -> tuple[Tracks, tuple[int, int]]:
    """The tracks opening from and settling into a still pose, and the frames between."""
    steps = (placements[0].step, placements[-1].step)
    bars_s = (steps[0].end_s - steps[0].start_s, steps[1].end_s - steps[1].start_s)
    shown, danced = still.times(made.rotations, made.root, made.contacts, frames, bars_s, fps, options)
    return tracks.shown(made, shown, danced, fps), danced


def _finished(
    made: Tracks,
    seams: tuple[Seam, ...],
    clips: tuple[str, ...],
    danced: tuple[int, int],
    fps: float,
    stage_m: tuple[float, float] | None,
    options: StitchOptions,
    channels: tuple[str, ...],
) -> Stitched:
    """The dance of finished tracks, on its stage."""
    rotations, root, figures = _staged(made.rotations, made.root, made.contacts, danced, fps, stage_m, options)
    motion = Motion(rotations.astype(np.float32), root.astype(np.float32), skeleton_of(rotations.shape[1]), fps)
    if channels:
        motion = replace(motion, face=made.face.astype(np.float32), face_names=channels)
    return Stitched(
        motion=motion,
        contacts=made.contacts,
        seams=seams,
        clips=clips,
        source_clip=made.source_clip,
        source_frame=made.source_frame,
        rate=made.rate,
        placement=made.placement,
        mirrored=made.mirrored,
        airborne=made.airborne,
        danced=danced,
        hands=made.hands,
        faced=made.faced,
        stage=figures,
        heights=made.heights.astype(np.float32),
    )


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
    return tracks.to_front(take.rotations[-take.first :], take.root[-take.first :], fps)


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
        feet = legs.middles(rotations, root)
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
