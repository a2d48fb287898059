"""What people write beside their files: `clips.csv` (how to read a clip) and `pairs.csv` (which song it was danced to)."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from choreodb.errors import MotionFormatError

UNITS = ("m", "cm", "mm", "inch", "mmd", "asf")
UP_AXES = ("x", "y", "z", "-x", "-y", "-z")
ROOT_POSITIONS = ("absolute", "offset")

_YES = {"1", "yes", "true", "y", "on"}
_NO = {"0", "no", "false", "n", "off"}


@dataclass(frozen=True, slots=True)
class ClipSettings:
    """One row of `clips.csv`: what overrides the motion file's own header and folders. None is "as the file says".

    fps: frames per second. start_s, end_s: the part of the file that is the clip, seconds. mirror: whether a virtual
    mirrored copy goes into the library. skeleton: a TOML file that maps canonical joints to the file's. layout: numbers a
    frame of a feature array, or the order of nameless joint positions.
    """

    fps: float | None = None
    units: str | None = None
    up: str | None = None
    root_position: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    style: str | None = None
    performer: str | None = None
    licence: str | None = None
    consent: str | None = None
    mirror: bool = True
    skeleton: Path | None = None
    layout: int | str | None = None

    def over(self, default: ClipSettings) -> ClipSettings:
        """These settings, with those of `default` where they say nothing about how to read the file."""
        reading = ("fps", "units", "up", "root_position", "skeleton", "layout")
        said = {name: getattr(default, name) for name in reading if getattr(self, name) is None}
        return replace(self, **said)


@dataclass(frozen=True, slots=True)
class Pair:
    """One row of `pairs.csv`: a motion file's song and labels. music_start_s: song seconds at motion frame 0."""

    music: Path
    music_start_s: float | None = None
    style: str | None = None
    performer: str | None = None
    licence: str | None = None
    consent: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be used. path: the file; reason: one line; kind: what it would have been."""

    path: str
    reason: str
    kind: Literal["motion", "music", "csv"]

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(slots=True)
class Labels:
    """What the CSV files of one folder say, by resolved motion path. `refused`: files whose row is wrong."""

    clips: dict[Path, list[ClipSettings]] = field(default_factory=dict)
    pairs: dict[Path, Pair] = field(default_factory=dict)
    refused: set[Path] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _RowError(ValueError):
    """A cell that is not what its column holds; becomes a Problem with file and line."""


def read(folder: Path, source: Path) -> Labels:
    """Labels of the CSV files in `folder`; rows may name files in `source` and below only."""
    labels = Labels()
    for name, key, columns, add in (
        ("clips.csv", "file", _CLIP_COLUMNS, _add_clip),
        ("pairs.csv", "motion", _PAIR_COLUMNS, _add_pair),
    ):
        path = folder / name
        shown = f"{folder.name}/{name}"
        if not path.is_file():
            continue
        rows = _rows(path, shown, key, columns, labels)
        for line, cells, surplus in rows:
            motion: Path | None = None
            try:
                motion = _inside(folder, cells.get(key, ""), source)
                if surplus:
                    raise _RowError("has more cells than the first line names")
                add(labels, motion, _parsed(cells, columns, folder, source))
            except _RowError as error:
                labels.problems.append(Problem(f"{shown} line {line}", str(error), "csv"))
                if motion is not None:
                    labels.refused.add(motion)
    return labels


def merge(into: Labels, other: Labels) -> None:
    """Add `other`'s labels; a file described by two CSV files is a problem and is refused."""
    for path in sorted(set(into.clips) & set(other.clips) | set(into.pairs) & set(other.pairs)):
        into.problems.append(Problem(str(path), "two CSV files describe this file; keep one of the rows", "csv"))
        into.refused.add(path)
    into.clips.update(other.clips)
    into.pairs.update(other.pairs)
    into.refused |= other.refused
    into.problems += other.problems
    into.notes += other.notes


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _RowError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise _RowError(f"{text!r} is not a finite number")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if value <= 0.0:
        raise _RowError(f"{text!r} is not greater than 0")
    return value


def _seconds(text: str) -> float:
    value = _number(text)
    if value < 0.0:
        raise _RowError(f"{text!r} is before the file's first frame")
    return value


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise _RowError(f"{text!r} is neither yes nor no")


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in allowed:
            raise _RowError(f"{text!r} is not one of {', '.join(allowed)}")
        return text.lower()

    return parse


def _layout(text: str) -> int | str:
    # readers of features are loaded only by those who have some
    from choreodb.motion.layouts import checked_layout

    try:
        return checked_layout(text)
    except MotionFormatError as error:
        raise _RowError(str(error)) from None


def _rows(path: Path, shown: str, key: str, columns: Mapping[str, _Parser], labels: Labels) -> list[_Row]:
    """The rows of a CSV file with their line numbers; what is wrong with the file as a whole goes into `labels`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle, skipinitialspace=True, strict=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            lines = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        labels.problems.append(Problem(shown, f"cannot be read as UTF-8 CSV ({error})", "csv"))
        return []
    if key not in names:
        labels.problems.append(Problem(shown, f"has no column {key!r}; its first line must name the columns", "csv"))
        return []
    unknown = [repr(name) for name in names if name and name != key and name not in columns]
    if unknown:
        labels.notes.append(f"{shown}: unknown column {', '.join(unknown)} ignored")
    rows = []
    for line, row in lines:
        surplus = bool(row.pop(None, None))
        cells = {name.strip(): (value or "").strip() for name, value in row.items()}
        if any(cells.values()):
            rows.append((line, cells, surplus))
    return rows


def _parsed(cells: dict[str, str], columns: Mapping[str, _Parser], folder: Path, source: Path) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, parse in columns.items():
        if text := cells.get(name, ""):
            try:
                values[name] = _inside(folder, text, source) if parse is _inside else parse(text)
            except _RowError as error:
                raise _RowError(f"column {name!r}: {error}") from None
    return values


def _inside(folder: Path, name: str, source: Path) -> Path:
    """The existing file that a cell names, relative to the CSV; it must lie in the source folder."""
    if not name:
        raise _RowError("names no file")
    try:
        path = (folder / name).resolve()
        exists = path.is_file()
    except (OSError, ValueError):
        raise _RowError(f"file {name!r} cannot be looked up") from None
    if not path.is_relative_to(source.resolve()):
        raise _RowError(f"file {name!r} lies outside the source folder {source.name!r}; move it in or index its folder")
    if not exists:
        raise _RowError(f"file {name!r} does not exist")
    return path


def _add_clip(labels: Labels, motion: Path, values: dict[str, object]) -> None:
    settings = ClipSettings(**values)  # type: ignore[arg-type]
    start, end = settings.start_s or 0.0, settings.end_s
    if end is not None and end <= start:
        raise _RowError(f"end_s {end:g} is not after start_s {start:g}")
    labels.clips.setdefault(motion, []).append(settings)


def _add_pair(labels: Labels, motion: Path, values: dict[str, object]) -> None:
    if "music" not in values:
        raise _RowError("names no music")
    if motion in labels.pairs:
        raise _RowError(f"pairs {motion.name!r} a second time; one song per motion file")
    labels.pairs[motion] = Pair(**values)  # type: ignore[arg-type]


_Parser = Callable[..., object]
_Row = tuple[int, dict[str, str], bool]
"""Line number, cells by column, and whether there are more cells than columns."""

_CLIP_COLUMNS: dict[str, _Parser] = {
    "fps": _positive,
    "units": _one_of(*UNITS),
    "up": _one_of(*UP_AXES),
    "root_position": _one_of(*ROOT_POSITIONS),
    "start_s": _seconds,
    "end_s": _positive,
    "style": str,
    "performer": str,
    "licence": str,
    "consent": str,
    "mirror": _yes_or_no,
    "skeleton": _inside,
    "layout": _layout,
}
_PAIR_COLUMNS: dict[str, _Parser] = {
    "music": _inside,
    "music_start_s": _number,
    "style": str,
    "performer": str,
    "licence": str,
    "consent": str,
}
