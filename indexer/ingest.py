"""One clip on its way in: read, made canonical, given beats, cut into segments and described."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import ChoreoError, EncoderError, MotionFormatError, MusicFormatError
from choreodb.indexer import boundaries, lag, metre, motion_grid, segments, timing, travel, twins
from choreodb.indexer.accents import MotionAccents, accents
from choreodb.indexer.boundaries import RawBoundaries
from choreodb.indexer.discover import ClipSource
from choreodb.indexer.encoders import rhythm
from choreodb.indexer.encoders.base import DIMENSIONS, ClipMotion, Encoder, MotionWindow
from choreodb.indexer.encoders.rhythm import Descriptors
from choreodb.indexer.labels import Problem
from choreodb.indexer.segments import Cut
from choreodb.motion import face, registry, retarget
from choreodb.motion.kinematics import forward, heading
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22, CHOREO52
from choreodb.music.grid import BeatGrid
from choreodb.music.music import Music
from choreodb.storage.motion_blocks import Packing, as_stored
from choreodb.threads import one_thread

FPS = 60.0
INGEST_VERSION = 3
"""Part of every motion key: raised when the same file would become other canonical motion or other beats."""

_EDGE_S = 0.25 / FPS


@dataclass(frozen=True, slots=True)
class Task:
    """A clip with the hashes that say whether it has changed. music_sha256: None without a song."""

    source: ClipSource
    sha256: str
    music_sha256: str | None
    motion_key: str
    packing: Packing = "float32"


@dataclass(frozen=True, slots=True, eq=False)
class ClipSegments:
    """The segments of one clip and what they are like; derived from the clip's row and its stored motion alone.

    energy: [N] m/s. entry, leave: bar lines at the starts and ends; mirrored_entry, mirrored_leave: of the mirror
    image. travel: [N, 3] of `travel.measure`. rhythm: descriptors of N windows, which do not change in a mirror;
    poses: of `twins.measure`. timing: of `timing.measure`. embedded: [N, 256] by a
    trained encoder, where the library has one.
    """

    cuts: tuple[Cut, ...]
    energy: npt.NDArray[np.float32]
    entry: RawBoundaries
    leave: RawBoundaries
    mirrored_entry: RawBoundaries
    mirrored_leave: RawBoundaries
    travel: npt.NDArray[np.float32]
    rhythm: Descriptors
    poses: npt.NDArray[np.float16]
    timing: npt.NDArray[np.float32]
    embedded: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ingested:
    """A clip that is ready to be committed: its row, its motion as stored, its segments and its song's row.

    mirror: whether it gets a mirrored copy.
    """

    row: dict[str, Any]
    rotations: npt.NDArray[np.float32]
    root: npt.NDArray[np.float32]
    contacts: npt.NDArray[np.uint8]
    face: npt.NDArray[np.float32] | None
    segments: ClipSegments
    song: dict[str, Any] | None
    mirror: bool
    problems: tuple[Problem, ...]


def companions(source: ClipSource) -> list[Path]:
    """Files beside the motion that are read with it: its face, and its joint map."""
    beside = face.sidecar(source.path)
    maps = [] if source.settings.skeleton is None else [source.settings.skeleton]
    return [*([beside] if beside.is_file() else []), *maps]


def task(
    source: ClipSource,
    sha256: str,
    music_sha256: str | None,
    packing: Packing = "float32",
    beside: Sequence[str] = (),
) -> Task:
    """The task of a discovered clip; its motion key covers the bytes of its files and everything said about them.

    beside: hashes of its `companions`.
    """
    said = {**asdict(source), "path": "", "music": music_sha256, "settings": asdict(source.settings)}
    del said["settings"]["skeleton"]
    if beside:
        said["beside"] = list(beside)
    # what nobody states leaves the key as it was before there was a column for it
    for column in (said, said["settings"]):
        if column["consent"] is None:
            del column["consent"]
    if said["settings"]["layout"] is None:
        del said["settings"]["layout"]
    text = json.dumps([INGEST_VERSION, sha256, said], sort_keys=True)
    return Task(source, sha256, music_sha256, hashlib.sha256(text.encode()).hexdigest(), packing)


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes; OSError where it cannot be read, or is a pipe, whose end may never come."""
    if not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def ingest_all(tasks: Sequence[Task], strict: bool) -> list[Ingested | Problem]:
    """`ingest` for clips in turn; one that cannot be read becomes a Problem unless `strict`."""
    out: list[Ingested | Problem] = []
    for each in tasks:
        try:
            with one_thread():
                out.append(ingest(each, strict=strict))
        except ChoreoError as error:
            if strict:
                raise
            out.append(Problem(each.source.clip, _one_line(error, each.source.path), "motion"))
        except Exception as error:
            # a reader that trips over a strange file must not cost the rest of the library
            reason = f"cannot be read: {type(error).__name__}: {_one_line(error, each.source.path)}"
            if strict:
                raise MotionFormatError(f"{each.source.path}: {reason}") from error
            out.append(Problem(each.source.clip, reason, "motion"))
    return out


def ingest(task: Task, *, strict: bool = False) -> Ingested:
    """Read one clip and everything the library keeps of it.

    Raises MotionFormatError where the motion cannot be used. A song that cannot be read is a problem of its own: the
    clip goes in as unpaired (`strict`: raises MusicFormatError).
    """
    source = task.source
    settings = source.settings
    native, joint_map = registry.read_mapped(source.path, settings.skeleton, fps=settings.fps, layout=settings.layout)
    part, start_s = _trimmed(native, source)
    canonical = retarget.canonicalise(
        part, units=settings.units, up=settings.up, root_position=settings.root_position, joint_map=joint_map
    )
    # everything is measured on what will be read back, so that it can be measured again
    rotations, root = as_stored(
        canonical.motion.rotations.astype(np.float32), canonical.motion.root.astype(np.float32), task.packing
    )
    contacts = canonical.contacts.astype(np.uint8)
    curves = accents(joint_positions(rotations, root), contacts, FPS)
    music, problems = _song(source, strict)
    grid, offset = _grid(curves, music, source)
    notes = [*native.notes, *canonical.notes, *(problem.reason for problem in problems)]
    row = {
        "clip": source.clip,
        "motion_key": task.motion_key,
        "dataset": source.dataset,
        "source_path": source.source_path,
        "source_sha256": task.sha256,
        "source_fps": float(canonical.source_fps),
        "source_frames": len(native),
        "source_start_s": start_s,
        "duration_s": len(rotations) / FPS,
        "frames": len(rotations),
        "joints": rotations.shape[1],
        "style": source.style,
        "performer": source.performer,
        "licence": source.licence,
        "consent": source.consent,
        "mirror": settings.mirror,
        **_beat_columns(grid, music, offset, source.music_start_s, (len(rotations) - 1) / FPS),
        "scale": float(canonical.scale),
        "residual_cm": float(canonical.residual_cm),
        "notes": notes,
        "face": list(canonical.motion.face_names),
    }
    described = segment(row, rotations, root, contacts)
    weights = None if canonical.motion.face is None else canonical.motion.face.astype(np.float32)
    song = _song_row(music, source)
    return Ingested(row, rotations, root, contacts, weights, described, song, settings.mirror, problems)


def segment(
    row: dict[str, Any],
    rotations: npt.NDArray[np.float32],
    root: npt.NDArray[np.float32],
    contacts: npt.NDArray[np.uint8],
) -> ClipSegments:
    """Segments of a clip from its row in the clips table and its stored motion: the same when read back later."""
    positions = joint_positions(rotations, root)
    yaw = heading(rotations.astype(np.float64))
    curves = accents(positions, contacts, FPS)
    cuts = segments.cut(grid_of(row), len(rotations), FPS)
    windows = [MotionWindow(cut.start_s, cut.end_s, cut.beats_s, cut.metre) for cut in cuts]
    starts, ends = [cut.start_s for cut in cuts], [cut.end_s for cut in cuts]

    def lines(times: list[float], mirrored: bool) -> RawBoundaries:
        return boundaries.measure(positions, yaw, contacts, FPS, times, mirrored=mirrored)

    sums = np.concatenate([[0.0], np.cumsum(curves.speed)])
    first = np.rint(np.array(starts) * FPS).astype(np.int64)
    stop = np.maximum(np.rint(np.array(ends) * FPS).astype(np.int64), first + 1)
    return ClipSegments(
        cuts=cuts,
        energy=((sums[stop] - sums[first]) / (stop - first)).astype(np.float32),
        entry=lines(starts, False),
        leave=lines(ends, False),
        mirrored_entry=lines(starts, True),
        mirrored_leave=lines(ends, True),
        travel=travel.measure(positions, contacts, yaw, FPS, starts, ends),
        rhythm=rhythm.describe_motion(curves, windows),
        poses=twins.measure(positions, yaw, FPS, cuts),
        timing=timing.measure(curves, timing.rise_m_s(positions, FPS), starts, ends),
    )


def embed(
    clip: ClipSegments,
    rotations: npt.NDArray[np.float32],
    root: npt.NDArray[np.float32],
    contacts: npt.NDArray[np.uint8],
    encoder: Encoder | None,
) -> ClipSegments:
    """The clip with the rows of a trained encoder; as it is without one. A mirror image shares them.

    EncoderError where the encoder gives anything but finite unit rows.
    """
    if encoder is None:
        return clip
    motion = ClipMotion(rotations, root, joint_positions(rotations, root), contacts, FPS)
    windows = [MotionWindow(cut.start_s, cut.end_s, cut.beats_s, cut.metre) for cut in clip.cuts]
    return replace(clip, embedded=unit_rows(encoder, encoder.embed_motion(motion, windows), len(windows)))


def unit_rows(encoder: Encoder, rows: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
    """`rows` as they are; EncoderError unless they are `count` finite unit rows of the shared space."""
    lengths = np.linalg.norm(rows, axis=-1)
    if rows.shape != (count, DIMENSIONS) or not np.all(np.abs(lengths - 1.0) < 1e-3):
        raise EncoderError(
            f"encoder {encoder.name!r} gave rows {rows.shape} of lengths {lengths.min(initial=1.0):g} to "
            f"{lengths.max(initial=1.0):g}; expected {(count, DIMENSIONS)} of length 1"
        )
    return rows.astype(np.float32)


def grid_of(row: dict[str, Any]) -> BeatGrid:
    """The beat grid that a row of the clips table holds."""
    return BeatGrid(
        np.asarray(row["beats_s"], dtype=np.float64),
        np.asarray(row["beat_positions"], dtype=np.int32),
        int(row["metre"] or 4),
        float(row["tempo_bpm"] or 0.0),
        float(row["beat_confidence"]),
        row["beat_source"],
    )


def joint_positions(rotations: FloatArray, root: FloatArray) -> FloatArray:
    """Joints [T, J, 3] of stored motion, metres."""
    skeleton = CHOREO52 if rotations.shape[1] == len(CHOREO52) else CHOREO22
    return forward(rotations.astype(np.float64), root.astype(np.float64), skeleton)[0]


def _trimmed(native: Motion, source: ClipSource) -> tuple[Motion, float]:
    """The part of a file that `clips.csv` asks for, and the seconds at which it starts."""
    settings = source.settings
    if settings.start_s is None and settings.end_s is None:
        return native, 0.0
    fps = settings.fps or native.fps
    first = round((settings.start_s or 0.0) * fps)
    stop = len(native) if settings.end_s is None else min(round(settings.end_s * fps), len(native))
    if first >= stop:
        raise MotionFormatError(
            f"start_s {settings.start_s or 0.0:g} leaves nothing of {len(native) / fps:.2f} s; correct clips.csv"
        )
    return native.frames(first, stop), first / fps


@lru_cache(maxsize=1)
def _load_music(path: Path) -> Music:
    return Music.load(path)


def _song(source: ClipSource, strict: bool) -> tuple[Music | None, tuple[Problem, ...]]:
    if source.music is None:
        return None, ()
    try:
        return _load_music(source.music), ()
    except MusicFormatError as error:
        if strict:
            raise
        reason = f"its song '{source.music_path}' cannot be read ({_one_line(error, source.music)}); taken as unpaired"
        return None, (Problem(source.clip, reason, "music"),)


def _grid(curves: MotionAccents, music: Music | None, source: ClipSource) -> tuple[BeatGrid, lag.Lag | None]:
    """Beats of a clip in clip seconds, and its lag where it has a song."""
    if music is None:
        return motion_grid.from_accents(curves), None
    offset = lag.estimate(curves, music.features, source.music_start_s)
    return metre.grid_for(music.grids, source.style).shifted(-source.music_start_s - offset.lag_s), offset


def _beat_columns(
    grid: BeatGrid, music: Music | None, offset: lag.Lag | None, music_start_s: float, last_s: float
) -> dict[str, Any]:
    inside = (grid.times_s >= -_EDGE_S) & (grid.times_s <= last_s + _EDGE_S)
    beats = grid.source != "none" and bool(inside.any())
    return {
        "music": music.sha256 if music else None,
        "music_start_s": music_start_s + offset.lag_s if offset else None,
        "music_lag_s": offset.lag_s if offset else None,
        "beat_source": ("music" if music else "motion") if beats else "none",
        "beat_confidence": float(grid.confidence),
        "tempo_bpm": float(grid.tempo_bpm) if beats else None,
        "metre": int(grid.metre) if beats else None,
        "beats_s": grid.times_s[inside].tolist() if beats else [],
        "beat_positions": grid.positions[inside].tolist() if beats else [],
    }


def _song_row(music: Music | None, source: ClipSource) -> dict[str, Any] | None:
    if music is None:
        return None
    grid = music.grids[0]
    return {
        "music": music.sha256,
        "path": source.music_path,
        "dataset": source.dataset,
        "duration_s": float(music.duration_s),
        "tempo_bpm": float(grid.tempo_bpm),
        "metre": int(grid.metre),
        "confidence": float(grid.confidence),
        "beats_s": grid.times_s.tolist(),
        "beat_positions": grid.positions.tolist(),
        "licence": source.licence,
    }


def _one_line(error: Exception, path: Path) -> str:
    """The message in one line, without the path in front that the report gives anyway."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.removeprefix(f"{path}: ")
