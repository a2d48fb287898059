"""`bench beats`: how well songs' beats are found, beside librosa; and how well dances' own beats meet their songs'."""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import beats as metrics
from choreodb.benchmarks.runs.registry import AUDIO_SUFFIXES, BenchRequest, BenchResult, Row
from choreodb.errors import ChoreoError, QueryError
from choreodb.music import decode
from choreodb.music.beats import read_beats
from choreodb.music.decode import Audio
from choreodb.music.grid import BeatGrid
from choreodb.music.music import Music

Times = npt.NDArray[np.float64]
Progress = Callable[..., None]

FIRST = "ChoreoDB, first hypothesis"
BEST = "ChoreoDB, best of its hypotheses (oracle)"
LIBROSA = "librosa"
_RANDOM_DRAWS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """A song with true beats. group: its genre or folder; downbeats_s: empty where the truth has none."""

    path: Path
    group: str
    beats_s: Times
    downbeats_s: Times


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A dance's own grid and its song's, both in clip seconds."""

    name: str
    music_beats_s: Times
    motion_beats_s: Times
    duration_s: float


def run(request: BenchRequest) -> BenchResult:
    """Beat tracking on every annotated song, motion grids on every pair, under the request's data and songs.

    Annotated: an audio file with a `.beats` file (`time<TAB>position`) or a sample truth (`.json`) beside it. Pairs:
    the folder `paired` of the data. Without data, a sample is made. Errors: QueryError where nothing is annotated.
    """
    if request.data is None and not request.songs:
        with tempfile.TemporaryDirectory() as folder:
            rows = bench_beats(_sample(Path(folder)), seed=request.seed)
    else:
        songs = list(request.songs)
        rows = bench_beats(request.data, songs=songs, seed=request.seed)
    return BenchResult("beats", rows, format_table(rows))


def bench_beats(data: Path | None, *, songs: Sequence[Path] = (), seed: int = 0) -> list[Row]:
    """All rows: trackers on annotated songs (overall, then by group), then motion grids on pairs."""
    rows = []
    truths = annotated([*_audio_files(data), *songs])
    if truths:
        rows += tracking_rows(truths)
    pairs = read_pairs(data / "paired") if data is not None and (data / "paired").is_dir() else []
    if pairs:
        rows += pair_rows(pairs, np.random.default_rng(seed))
    if not rows:
        raise QueryError(f"nothing under {str(data)!r} has beats to compare with; put `NAME.beats` beside `NAME.ogg`")
    return rows


def annotated(paths: Iterable[Path]) -> list[Annotated]:
    """The songs among `paths` that have a truth beside them."""
    found = []
    for path in paths:
        beats_file, truth_file = path.with_suffix(".beats"), path.with_suffix(".json")
        group = path.stem.split(".")[0] if "." in path.stem else path.parent.name
        if beats_file.is_file():
            grid = read_beats(beats_file)
            found.append(Annotated(path, group, grid.times_s, grid.times_s[grid.positions == 1]))
        elif truth_file.is_file():
            truth = json.loads(truth_file.read_text(encoding="utf-8"))
            if isinstance(truth, dict) and "beats_s" in truth and "footsteps" not in truth:
                beats, downbeats = np.array(truth["beats_s"]), np.array(truth.get("downbeats_s", []))
                found.append(Annotated(path, str(truth.get("style", group)), beats, downbeats))
    return found


def tracking_rows(truths: Sequence[Annotated]) -> list[Row]:
    """One row per tracker over all songs, then per group and tracker."""
    scores: dict[str, list[Row]] = {FIRST: [], BEST: [], LIBROSA: []}
    for truth in truths:
        audio = decode.load(truth.path)
        by_grid = [_score(truth, *_of_grid(grid, audio.duration_s)) for grid in Music.from_audio(audio).grids]
        scores[FIRST].append(by_grid[0])
        scores[BEST].append(max(by_grid, key=lambda score: score["f"]))
        scores[LIBROSA].append(_score(truth, _librosa_beats(audio), np.empty(0)))
    rows = [_mean_row("songs", "all", name, of_all) for name, of_all in scores.items()]
    for group in sorted({truth.group for truth in truths}):
        chosen = [i for i, truth in enumerate(truths) if truth.group == group]
        rows += [_mean_row("songs", group, name, [of_all[i] for i in chosen]) for name, of_all in scores.items()]
    return rows


def _of_grid(grid: BeatGrid, duration_s: float) -> tuple[Times, Times]:
    inside = (grid.times_s >= 0) & (grid.times_s <= duration_s)
    return grid.times_s[inside], grid.times_s[inside & (grid.positions == 1)]


def _librosa_beats(audio: Audio) -> Times:
    from librosa.beat import beat_track

    _, beats = beat_track(y=audio.samples, sr=audio.rate, units="time")
    return np.asarray(beats, dtype=np.float64)


def _score(truth: Annotated, beats: Times, downbeats: Times) -> Row:
    continuity = metrics.continuity(truth.beats_s, beats)
    known = len(truth.downbeats_s) > 0 and len(downbeats) > 0
    return {
        "f": metrics.f_measure(truth.beats_s, beats),
        "cmlt": continuity["CMLt"],
        "amlt": continuity["AMLt"],
        "ratio": metrics.metrical_ratio(truth.beats_s, beats),
        "offset_s": _offset_s(truth.beats_s, beats),
        "downbeat_f": metrics.f_measure(truth.downbeats_s, downbeats) if known else float("nan"),
    }


def _offset_s(truth: Times, beats: Times) -> float:
    """Mean offset of matched beats; NaN, which `_mean` leaves out, where nothing matches."""
    return metrics.phase_offset_s(truth, beats) if len(metrics.matched(truth, beats)) else float("nan")


def _mean_row(kind: str, group: str, name: str, scores: Sequence[Row]) -> Row:
    ratios = [score["ratio"] for score in scores]
    octave = sum(ratio in ("2", "1/2") for ratio in ratios) / len(ratios)
    right = sum(ratio == "1" for ratio in ratios) / len(ratios)
    return {
        "kind": kind,
        "group": group,
        "row": name,
        "count": len(scores),
        "f_70ms": _mean(score["f"] for score in scores),
        "cmlt": _mean(score["cmlt"] for score in scores),
        "amlt": _mean(score["amlt"] for score in scores),
        "octave_errors": octave,
        "other_ratio_errors": max(0.0, 1.0 - octave - right),
        "offset_ms": _mean(1000.0 * score["offset_s"] for score in scores),
        "downbeat_f": _mean(score["downbeat_f"] for score in scores),
        **_standard_errors({"f_70ms": [score["f"] for score in scores], "amlt": [score["amlt"] for score in scores],
                            "downbeat_f": [score["downbeat_f"] for score in scores]}),
    }  # fmt: skip


def _standard_errors(values: dict[str, list[float]]) -> Row:
    """`KEY_se` of every mean over two songs or more; what is not finite is left out as in `_mean`."""
    known = {key: [value for value in each if np.isfinite(value)] for key, each in values.items()}
    return {
        f"{key}_se": float(np.std(each, ddof=1) / np.sqrt(len(each))) for key, each in known.items() if len(each) > 1
    }


def _mean(values: Iterable[float]) -> float | None:
    """Mean of what is known; None (JSON has no NaN) where nothing is."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None


def read_pairs(folder: Path) -> list[Pair]:
    """Motion and music grids of every folder under `folder` that holds one motion and one song; others are left out."""
    pairs = []
    for motion_file in sorted(folder.rglob("motion.npz")):
        songs = _audio_files(motion_file.parent)
        if len(songs) == 1:
            pairs.append(_read_pair(motion_file, songs[0]))
    return pairs


def _read_pair(motion_file: Path, song: Path) -> Pair:
    from choreodb.indexer import motion_grid
    from choreodb.motion import kinematics, registry, retarget

    canonical = retarget.canonicalise(registry.read(motion_file))
    positions = kinematics.joint_positions(canonical.motion)
    grid = motion_grid.from_motion(positions, canonical.contacts, canonical.motion.fps)
    start_s = float(registry.labels(motion_file).get("music_start_s", 0.0))
    music = Music.load(song).grids[0].shifted(-start_s)
    duration_s = len(positions) / canonical.motion.fps
    return Pair(motion_file.parent.name, music.times_s, grid.times_s, duration_s)


def pair_rows(pairs: Sequence[Pair], rng: np.random.Generator) -> list[Row]:
    """Phase error of the motion grids, and of the same grids at random phase, which is what chance gives."""
    found = [pair for pair in pairs if len(pair.motion_beats_s) > 1]
    motion = [phase_errors(pair.music_beats_s, _within(pair, pair.motion_beats_s)) for pair in found]
    shuffled = [_random_phase_errors(pair, rng) for pair in found]
    ratios = [metrics.metrical_ratio(pair.music_beats_s, pair.motion_beats_s) for pair in found]
    rows = [_phase_row("motion grid", motion, ratios), _phase_row("the same at random phase", shuffled, ratios)]
    return [{**row, "pairs": len(pairs)} for row in rows]


def phase_errors(music_beats_s: Times, motion_beats_s: Times) -> Times:
    """Phase [N] in beats, in (-0.5, 0.5], of each motion beat in the music's interval around it."""
    return metrics.phase_errors(music_beats_s, motion_beats_s)


def _within(pair: Pair, beats_s: Times) -> Times:
    return beats_s[(beats_s >= 0) & (beats_s <= pair.duration_s)]


def _random_phase_errors(pair: Pair, rng: np.random.Generator) -> Times:
    """Phase errors over several draws of a random phase, so that the chance level is steady."""
    period = float(np.median(np.diff(pair.motion_beats_s)))
    shifts = rng.uniform(-0.5, 0.5, _RANDOM_DRAWS) * period
    draws = [phase_errors(pair.music_beats_s, _within(pair, pair.motion_beats_s + shift)) for shift in shifts]
    return np.concatenate(draws)


def _phase_row(name: str, errors: Sequence[Times], ratios: Sequence[str]) -> Row:
    known = [float(np.abs(error).mean()) for error in errors if len(error)]
    octave = sum(ratio in ("2", "1/2") for ratio in ratios)
    same = sum(ratio == "1" for ratio in ratios)
    return {
        "kind": "pairs",
        "row": name,
        "count": len(known),
        "phase_error_beats": _mean(known),
        **_standard_errors({"phase_error_beats": known}),
        "same_tempo": same / len(ratios) if ratios else None,
        "octave_errors": octave / len(ratios) if ratios else None,
    }


def format_table(rows: Sequence[Row]) -> str:
    """The rows as text: a table per kind, with a note on what each column is."""
    songs = [row for row in rows if row["kind"] == "songs"]
    pairs = [row for row in rows if row["kind"] == "pairs"]
    parts = []
    if songs:
        columns: tuple[str, ...] = ("group", "row", "count", "f_70ms", "cmlt", "amlt", "octave_errors", "other_ratio_errors",
                   "offset_ms", "downbeat_f")  # fmt: skip
        parts.append(_table(songs, columns))
        parts.append("offset_ms: mean of estimate - truth over matched beats. octave_errors: tempo double or half.")
    if pairs:
        columns = ("row", "pairs", "count", "phase_error_beats", "same_tempo", "octave_errors")
        parts.append(_table(pairs, columns))
        parts.append(
            "count: clips whose motion alone gives a grid; their truth is the song's first hypothesis at the stated music "
            "start. phase_error_beats: mean |phase|, 0.25 at chance."
        )
    return "\n".join(parts)


def _table(rows: Sequence[Row], columns: Sequence[str]) -> str:
    cells = [list(columns)] + [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    text = [
        [c.rjust(w) if i > 1 else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        for line in cells
    ]
    return "\n".join("  ".join(line).rstrip() for line in text)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _audio_files(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)


def _sample(folder: Path) -> Path:
    """A small sample with its truth, made in `folder`."""
    try:
        importlib.import_module("choreodb.sample").make(folder, minutes=2.0, seed=0)
    except (ImportError, AttributeError) as error:
        raise ChoreoError("bench beats has no data; give a folder of annotated songs with --data") from error
    return folder
