"""Find the clips of a source folder: motion files, their songs and their labels; nothing is decoded here."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from choreodb.errors import ChoreoError
from choreodb.indexer import labels as csv_labels
from choreodb.indexer.labels import ClipSettings, Labels, Problem
from choreodb.motion import registry
from choreodb.motion.face import is_sidecar
from choreodb.storage.store import Store

OTHER_MOTION_SUFFIXES = (".vmd", ".fbx", ".c3d", ".asf", ".amc", ".trc", ".pkl", ".glb", ".gltf", ".vrm", ".usd")
"""Motion files that this version does not read; they are counted in a note, so that nobody misses them."""

EXPORT_SUFFIXES = (".glb", ".gltf")
"""Formats that mostly hold a copy of another motion file; where that stands beside them, it is the one to read."""

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".m4a", ".aac", ".opus", ".aif", ".aiff", ".wma")


@dataclass(frozen=True, slots=True)
class ClipSource:
    """One clip to be: a motion file (or a part of it), how to read it, its song and its labels.

    clip: the id. dataset: the source folder's name. source_path, music_path: POSIX, relative to the source folder.
    music_start_s: song seconds at the clip's first frame as stated (0 where nobody states it).
    """

    clip: str
    path: Path
    dataset: str
    source_path: str
    settings: ClipSettings
    music: Path | None = None
    music_path: str | None = None
    music_start_s: float = 0.0
    style: str | None = None
    performer: str | None = None
    licence: str | None = None
    consent: str | None = None


@dataclass(slots=True)
class Discovery:
    """Clips in order of their ids, and what could not be used or is worth a word.

    datasets: names of the folders that were searched whole.
    """

    clips: list[ClipSource] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    datasets: set[str] = field(default_factory=set)


def discover(sources: Sequence[Path], reading: ClipSettings | None = None) -> Discovery:
    """Every clip of the source folders (or single files) in `sources`; the order of `sources` does not matter.

    reading: how to read the files of which `clips.csv` does not say it.
    Raises ChoreoError where a source does not exist or two files would get the same clip id.
    """
    found = Discovery()
    for source in sorted({Path(source).resolve() for source in sources}):
        if not source.exists():
            raise ChoreoError(f"source '{source}' does not exist; give a folder of motion files, or one file")
        folder = source if source.is_dir() else source.parent
        files = list(_walk(folder)) if source.is_dir() else _siblings(source)
        if source.is_dir():
            found.datasets.add(folder.name)
        _discover_source(folder, files, None if source.is_dir() else source, found)
    if reading is not None:
        found.clips = [replace(clip, settings=clip.settings.over(_fitting(reading, clip.path))) for clip in found.clips]
    _refuse_collisions(found.clips)
    found.clips.sort(key=lambda clip: clip.clip)
    return found


def _fitting(reading: ClipSettings, path: Path) -> ClipSettings:
    """What of `reading` can be said of `path`: a layout of files that may hold plain arrays only."""
    return reading if path.suffix.lower() in registry.FEATURE_SUFFIXES else replace(reading, layout=None)


def _walk(folder: Path) -> Iterator[Path]:
    """Files below `folder`, sorted; hidden ones, libraries, and links that lead out of the folder are left out."""
    for parent, folders, names in os.walk(folder, followlinks=False):
        if Store.exists(parent):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and (not path.is_symlink() or path.resolve().is_relative_to(folder)):
                yield path


def _siblings(source: Path) -> list[Path]:
    """The files that stand beside a single source file, itself included."""
    return [path for path in sorted(source.parent.iterdir()) if path.is_file() and not path.name.startswith(".")]


def _discover_source(folder: Path, files: Sequence[Path], only: Path | None, found: Discovery) -> None:
    labels = Labels()
    for parent in sorted({path.parent for path in files if path.name in ("clips.csv", "pairs.csv")}):
        csv_labels.merge(labels, csv_labels.read(parent, folder))
    found.problems += labels.problems
    found.notes += labels.notes
    suffixes = registry.SUFFIXES
    motions = [path for path in files if path.suffix.lower() in suffixes and not is_sidecar(path)]
    if only is None:
        motions = _without_exports(motions, folder, found)
    songs = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    if only is not None and only not in motions:
        raise ChoreoError(f"source '{only}' is not a motion file; expected one of {', '.join(suffixes)}")
    others = Counter(
        path.suffix.lower() for path in files if only is None and path.suffix.lower() in OTHER_MOTION_SUFFIXES
    )
    for suffix, count in sorted(others.items()):
        if suffix not in suffixes:
            found.notes.append(f"{folder.name}: {count} {suffix} not read; this version reads {', '.join(suffixes)}")
    pairs = _pair_by_name(motions, songs)
    crowded = Counter(path.parent for path in motions)
    ids = _clip_ids(folder, motions)
    for path in motions:
        if only is not None and path != only:
            continue
        if path.resolve() in labels.refused:
            found.problems.append(Problem(ids[path], "left out: its row in a CSV file is wrong", "motion"))
            continue
        style = path.parent.name if path.parent != folder and crowded[path.parent] > 1 else None
        found.clips += _clips_of(path, ids[path], folder, labels, pairs.get(path), style)


def _without_exports(motions: Sequence[Path], folder: Path, found: Discovery) -> list[Path]:
    """The motion files without the glTF copies of others: `dance.glb` beside `dance.bvh` shows the same dance."""
    exports = {path for path in motions if path.suffix.lower() in EXPORT_SUFFIXES}
    taken = {(path.parent, path.stem) for path in motions if path not in exports}
    kept = [path for path in motions if path not in exports or (path.parent, path.stem) not in taken]
    if len(kept) < len(motions):
        copies = len(motions) - len(kept)
        found.notes.append(f"{folder.name}: {copies} glTF left out; a motion file of the same name stands beside each")
    return kept


def _clips_of(
    path: Path, clip: str, folder: Path, labels: Labels, song: Path | None, folder_style: str | None
) -> Iterator[ClipSource]:
    """The clips of one motion file: one, or one for every row that `clips.csv` has for it."""
    said = registry.labels(path)
    pair = labels.pairs.get(path.resolve())
    music = pair.music if pair else song
    stated = pair.music_start_s if pair and pair.music_start_s is not None else said.get("music_start_s", 0.0)
    rows = labels.clips.get(path.resolve(), [ClipSettings()])
    for number, row in enumerate(rows, start=1):
        yield ClipSource(
            clip=clip if len(rows) == 1 else f"{clip}#{number}",
            path=path,
            dataset=folder.name,
            source_path=path.relative_to(folder).as_posix(),
            settings=row,
            music=music,
            music_path=None if music is None else os.path.relpath(music, folder).replace(os.sep, "/"),
            music_start_s=float(stated) + (row.start_s or 0.0) if music else 0.0,
            style=row.style or (pair and pair.style) or _text(said, "style") or folder_style,
            performer=row.performer or (pair and pair.performer) or _text(said, "performer"),
            licence=row.licence or (pair and pair.licence) or _text(said, "licence"),
            consent=row.consent or (pair and pair.consent) or _text(said, "consent"),
        )


def _text(said: dict[str, str | float], key: str) -> str | None:
    return str(said[key]) if said.get(key) else None


def _clip_ids(folder: Path, motions: Sequence[Path]) -> dict[Path, str]:
    return {path: f"{folder.name}/{path.relative_to(folder).with_suffix('').as_posix()}" for path in motions}


def _pair_by_name(motions: Sequence[Path], songs: Sequence[Path]) -> dict[Path, Path]:
    """The song of each motion file: the same stem in the folder, else the folder's only motion and only song."""
    songs_of: dict[Path, list[Path]] = defaultdict(list)
    motions_of: dict[Path, list[Path]] = defaultdict(list)
    for song in songs:
        songs_of[song.parent].append(song)
    for motion in motions:
        motions_of[motion.parent].append(motion)
    pairs = {}
    for parent, beside in motions_of.items():
        by_stem = {song.stem: song for song in reversed(songs_of[parent])}
        for motion in beside:
            if motion.stem in by_stem:
                pairs[motion] = by_stem[motion.stem]
        if len(beside) == 1 and len(songs_of[parent]) == 1:
            pairs.setdefault(beside[0], songs_of[parent][0])
    return pairs


def _refuse_collisions(clips: Sequence[ClipSource]) -> None:
    first: dict[str, ClipSource] = {}
    for clip in clips:
        other = first.setdefault(clip.clip, clip)
        if other is not clip:
            raise ChoreoError(
                f"clip id '{clip.clip}' would stand for '{other.path}' and for '{clip.path}'; rename one of them"
            )
