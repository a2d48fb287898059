"""`choreodb evaluate`: the metrics for anybody's dances, from any format the project reads.

Joints are measured as the file has them: turned upright, put on the floor, scaled to the canonical leg (1 m there is the
same share of any body) and brought to 60 fps, all by one rigid transform per file. Retargeting locks feet and removes
glitches, so that its result would flatter a dance; only contacts, and where the floor is, are taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import beats as beat_metrics
from choreodb.benchmarks.metrics import distribution
from choreodb.benchmarks.metrics.joints import CONTACT_JOINTS
from choreodb.benchmarks.runs import dances
from choreodb.benchmarks.runs.dances import FPS, Danced, Row
from choreodb.benchmarks.runs.registry import AUDIO_SUFFIXES
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import MetricError, MotionFormatError, QueryError
from choreodb.motion import face, registry, retarget

FloatArray = npt.NDArray[np.float64]

SCHEMA_VERSION = 1
TRACKERS = ("choreodb", "librosa")
COVERED = 0.95
"""Below this share of a dance that its music lasts, a note says so."""
MISFIT_M = 0.15
_LEGS = ((1, 4, 7), (2, 5, 8))


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """fps, units, up: what the motion files really are, where they do not say it (see `retarget.canonicalise`).
    tracker: who finds the music's beats. window_s, hop_s: cut dances into windows for the set's distances; None takes
    the first 20 s of every dance, as published. draws: of chance and floor."""

    fps: float | None = None
    units: str | None = None
    up: str | None = None
    tracker: str = "choreodb"
    window_s: float | None = None
    hop_s: float | None = None
    draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tracker not in TRACKERS:
            raise QueryError(f"tracker is {self.tracker!r}; expected one of {', '.join(TRACKERS)}")
        for name in ("window_s", "hop_s"):
            value = getattr(self, name)
            if value is not None and not 0.1 <= value <= 1000.0:
                raise QueryError(f"{name} is {value!r}; expected seconds between 0.1 and 1000")
        if self.hop_s is not None and self.window_s is None:
            raise QueryError("a hop needs a window; give --window, too")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """rows: one a dance. summary: their mean. distances: of the set, with floors, and what they are of. notes: one line
    each."""

    rows: list[Row]
    summary: Row
    distances: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> Row:
        """One JSON document (`docs/schema/evaluate.schema.json`)."""
        return {
            "schema_version": SCHEMA_VERSION,
            "dances": self.rows,
            "mean": self.summary,
            "set": self.distances,
            "notes": self.notes,
        }

    def text(self) -> str:
        """Tables for people."""
        parts = [markdown([*self.rows, {"row": "mean", **self.summary}], _COLUMNS)]
        if self.distances:
            parts.append(markdown(self.distances, _SET_COLUMNS))
        parts.append(_LEGEND)
        parts += ["\n".join(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n\n".join(parts)


def evaluate(
    motions: Sequence[Path],
    music: Sequence[Path] = (),
    *,
    reference: Path | None = None,
    options: EvaluateOptions | None = None,
    progress: Callable[..., None] | None = None,
) -> Evaluation:
    """All metrics of the dances in `motions` (files, or folders of them) to `music`.

    music: one song for all, one per dance in the same order, or songs whose stems are the dances'. reference: a folder of
    motion files, or a library, for FID and diversity. Errors: QueryError for what does not belong together, and those
    of reading.
    """
    options = options or EvaluateOptions()
    tell = progress or (lambda *_: None)
    files = expanded(motions, registry.SUFFIXES, "motion")
    if reference is not None and not reference.exists():
        raise QueryError(f"reference {str(reference)!r} does not exist; give a folder of motion files, or a library")
    songs = paired(files, expanded(music, AUDIO_SUFFIXES, "music")) if music else [None] * len(files)
    heard = {song: _heard(song, options.tracker) for song in dict.fromkeys(songs) if song is not None}
    notes: list[str] = []
    measured, names = [], names_of(files)
    for number, (path, song) in enumerate(zip(files, songs, strict=True)):
        tell("measuring", number, len(files))
        measured.append(read(path, None if song is None else heard[song], notes, options, name=names[number]))
    rng = np.random.default_rng(options.seed)
    rows = [{"row": dance.name, **_row(dance, measured, options, rng)} for dance in measured]
    for row, song in zip(rows, songs, strict=True):
        row["music"] = None if song is None else song.name
    summary = dances.mean_row([_figures(row) for row in rows], [dance.duration_s for dance in measured])
    if song_missing := sum(row.get("beats") is None for row in rows):
        notes.append(
            f"{song_missing} of {len(rows)} dances have no music, or none with two beats in it: no beat alignment"
        )
    tell("the set", 0, 0)
    return Evaluation(rows, summary, _distances(measured, reference, options, rng, notes), notes)


def expanded(paths: Iterable[Path], suffixes: Sequence[str], what: str) -> list[Path]:
    """Files, folders replaced by the files in them with one of `suffixes`; QueryError for what is missing or empty."""
    out: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(
                each
                for each in path.rglob("*")
                if each.is_file() and each.suffix.lower() in suffixes and not face.is_sidecar(each)
            )
            if not found:
                raise QueryError(f"{what} folder {str(path)!r} holds none of {' '.join(suffixes)}")
            out += found
        elif path.exists():
            out.append(path)
        else:
            raise QueryError(f"{what} file {str(path)!r} does not exist; give files or folders of them")
    if not out:
        raise QueryError(f"no {what} files are given")
    return out


def paired(motions: Sequence[Path], music: Sequence[Path]) -> list[Path | None]:
    """The song of every dance: the only one, the one of the same stem, or the one at the same place; QueryError where
    songs and dances do not pair up."""
    if len(music) == 1:
        return [music[0]] * len(motions)
    by_stem = {path.stem: path for path in music}
    if len(by_stem) == len(music) and all(path.stem in by_stem for path in motions):
        return [by_stem[path.stem] for path in motions]
    if len(music) == len(motions):
        return list(music)
    raise QueryError(
        f"{len(music)} songs do not pair with {len(motions)} dances; give one song, as many as dances, or the same stems"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A song's beats and length, in song seconds."""

    beats_s: FloatArray
    duration_s: float


def _heard(song: Path, tracker: str) -> Heard:
    if tracker == "librosa":
        from choreodb.benchmarks.runs.songs import librosa_beats
        from choreodb.music import decode

        audio = decode.load(song)
        return Heard(librosa_beats(audio.samples, audio.rate), audio.duration_s)
    from choreodb.music.music import Music

    music = Music.load(song)
    times = music.grids[0].times_s
    return Heard(times[(times >= 0.0) & (times <= music.duration_s)], music.duration_s)


def names_of(files: Sequence[Path]) -> list[str]:
    """The files' stems, with their folder where two have the same."""
    stems = [path.stem for path in files]
    return [stem if stems.count(stem) == 1 else f"{path.resolve().parent.name}/{stem}"
            for path, stem in zip(files, stems, strict=True)]  # fmt: skip


def read(
    path: Path, heard: Heard | None, notes: list[str], options: EvaluateOptions, *, name: str | None = None
) -> Danced:
    """The dance in a file, as captured or generated; what had to be guessed, or is missing, goes to `notes`.

    heard: its music; the file's own music start is heeded.
    """
    motion = registry.read(path)
    canonical = retarget.canonicalise(motion, fps=options.fps, units=options.units, up=options.up)
    upright = np.asarray(retarget.to_smpl24(canonical.motion), dtype=np.float64)
    filed = np.asarray(retarget.to_smpl24(motion), dtype=np.float64)
    joints, misfit_m = as_filed(filed, options.fps or motion.fps, upright)
    joints += np.array([0.0, float(np.median(standing_gaps(joints, upright, canonical.contacts)[1::2])), 0.0])
    if misfit_m > MISFIT_M:
        notes.append(
            f"{name or path.name}: the retargeted body is {100 * misfit_m:.0f} cm away from the file's joints on average"
        )
    start_s = float(registry.labels(path).get("music_start_s", 0.0))
    contacts = canonical.contacts[: len(joints)]
    if heard is not None:
        _say_uncovered(notes, name or path.name, len(contacts) / FPS, heard.duration_s - start_s, start_s)
    return Danced(
        name or path.stem, joints[: len(contacts)], contacts, None if heard is None else heard.beats_s - start_s,
        rest_m=-standing_gaps(joints, upright, canonical.contacts),
    )  # fmt: skip


def _say_uncovered(notes: list[str], name: str, dance_s: float, music_end_s: float, start_s: float) -> None:
    """A note where a dance's music is there for less than `COVERED` of it. music_end_s: in dance seconds."""
    covered_s = max(0.0, min(dance_s, music_end_s) - max(0.0, -start_s))
    if covered_s < COVERED * dance_s:
        notes.append(
            f"{name}: its music is there for {covered_s:.1f} of {dance_s:.1f} s; motion beats outside it have no partner, "
            "which lowers the scores over motion beats"
        )


def standing_gaps(joints: FloatArray, canonical: FloatArray, contacts: npt.NDArray[np.uint8]) -> FloatArray:
    """Median height [4] in metres of the canonical left ankle, left toe, right ankle, right toe over the file's, while
    they stand: rigs place these joints at heights of their own. Over all frames where a joint never stands."""
    count = min(len(joints), len(canonical))
    gap = canonical[:count, CONTACT_JOINTS, 1] - joints[:count, CONTACT_JOINTS, 1]
    standing = contacts[:count].astype(bool)
    return np.array([np.median(gap[standing[:, k], k] if standing[:, k].any() else gap[:, k]) for k in range(4)])


def as_filed(raw: FloatArray, fps: float, canonical: FloatArray) -> tuple[FloatArray, float]:
    """(`raw` joints [T, 24, 3] on the canonical floor, axes and scale at 60 fps, mean distance in metres to `canonical`).

    The scale takes the legs to the canonical length; the turn and the place that bring all joints nearest to
    `canonical` [N, 24, 3] (Kabsch) are one for the whole file, so that nothing moves differently than it did.
    """
    resampled = _at_60(np.asarray(raw, dtype=np.float64), fps, len(canonical))
    scaled = resampled * (_leg(canonical) / _leg(resampled))
    moved = scaled.reshape(-1, 3)
    target = canonical[: len(scaled)].reshape(-1, 3)
    from_middle, to_middle = moved.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((moved - from_middle).T @ (target - to_middle))
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    placed = ((moved - from_middle) @ turn + to_middle).reshape(scaled.shape)
    return placed, float(np.mean(np.linalg.norm(placed - canonical[: len(placed)], axis=-1)))


def _leg(joints: FloatArray) -> float:
    """Median length of thigh and shin, in the joints' own units; MotionFormatError where there is none."""
    lengths = [
        np.linalg.norm(joints[:, upper] - joints[:, lower], axis=-1)
        for side in _LEGS
        for upper, lower in pairwise(side)
    ]
    length = float(np.median(np.sum(lengths, axis=0))) / 2.0
    if not length > 0.0:
        raise MotionFormatError("the legs have no length; expected joints of a body")
    return length


def _at_60(joints: FloatArray, fps: float, frames: int) -> FloatArray:
    """Joints [T, 24, 3] at up to `frames` frames of 60 a second, by cubic interpolation; as they are at 60 fps."""
    from scipy.interpolate import CubicSpline

    times = np.arange(frames) / FPS
    times = times[times <= (len(joints) - 1) / fps + 1e-9]
    if abs(fps - FPS) < 1e-6:
        return joints[: len(times)]
    if len(joints) < 4:
        raise MetricError(f"the motion has {len(joints)} frames; the metrics need at least 4")
    return np.asarray(CubicSpline(np.arange(len(joints)) / fps, joints)(times))


def _row(dance: Danced, measured: Sequence[Danced], options: EvaluateOptions, rng: np.random.Generator) -> Row:
    others = [other.beats_s for other in measured if other is not dance and _other_music(dance, other)]
    return {
        "seconds": dance.duration_s,
        **dances.body_row(dance),
        **dances.beat_row(dance, [each for each in others if each is not None], rng, draws=options.draws),
        **_bins(dance),
    }


def _other_music(dance: Danced, other: Danced) -> bool:
    if dance.beats_s is None or other.beats_s is None:
        return False
    return not np.array_equal(np.diff(dance.beats_s), np.diff(other.beats_s))


def _bins(dance: Danced) -> Row:
    """Beat F-measure at 70 ms, and coverage and hit in both conventions."""
    if dance.beats_s is None:
        return {}
    music = dance.beats_s[(dance.beats_s >= 0.0) & (dance.beats_s < dance.duration_s)]
    if len(music) < 2:
        return {}
    motion = beat_metrics.motion_beats_s(dance.joints, fps=FPS)
    found = beat_metrics.beat_bin_scores(music, motion, duration_s=dance.duration_s)
    keys = ("coverage", "hit", "f1", "generated_over_true")
    return {"beat_f_70ms": beat_metrics.beat_f_measure(music, motion), **{f"bins_{key}": found[key] for key in keys}}


def _figures(row: Row) -> Row:
    return {key: value for key, value in row.items() if key not in ("row", "music")}


def _distances(
    measured: Sequence[Danced],
    reference: Path | None,
    options: EvaluateOptions,
    rng: np.random.Generator,
    notes: list[str],
) -> list[Row]:
    """Rows of FID and diversity: the dances and the floor against the reference; diversity alone without one."""
    pieces = _pieces(measured, options)
    if len(pieces) < 2:
        notes.append(f"{len(pieces)} dances or windows make no set; FID and diversity need at least 2")
        return []
    ours = dances.feature_set(pieces)
    if reference is None:
        notes.append("no --reference: diversity is of raw features and is not comparable with published tables; no FID")
        raw = {f"div_{name}": distribution.diversity(values) for name, values in
               (("k", ours.kinetic), ("g", ours.geometric), ("k_corrected", ours.kinetic_corrected))}  # fmt: skip
        return [{"row": "dances", "n": len(ours), **raw}]
    theirs = dances.feature_set(_pieces(_reference(reference, notes, options), options))
    floor_n = min(len(ours), len(theirs) // 2)
    if floor_n < 2:
        raise QueryError(f"reference {str(reference)!r} has {len(theirs)} dances or windows; FID and its floor need 4")
    floor = dances.floor_row(theirs, floor_n, rng, draws=max(2, options.draws // 10))
    notes.append(
        f"FID is over {len(ours)} dances or windows; differences of the floor's size (at n = {floor_n}) say nothing"
    )
    return [
        {"row": "dances", "n": len(ours), **dances.set_row(theirs, ours)},
        {"row": "floor: reference against itself", "n": floor_n, **floor},
    ]


def _pieces(measured: Sequence[Danced], options: EvaluateOptions) -> list[FloatArray]:
    if options.window_s is None:
        return [dance.joints for dance in measured]
    hop_s = options.hop_s or options.window_s
    return [piece for dance in measured for piece in dances.cut(dance.joints, window_s=options.window_s, hop_s=hop_s)]


def _reference(folder: Path, notes: list[str], options: EvaluateOptions) -> list[Danced]:
    """The dances of a library, or of every motion file in a folder that can be read."""
    from choreodb.storage.place import is_remote
    from choreodb.storage.store import Store

    if is_remote(folder) or (folder.is_dir() and Store.exists(folder)):
        from choreodb.benchmarks.runs.baselines import Material
        from choreodb.library import Library

        library = Library.open(folder)
        names = library.store.columns("clips", ["clip"]).column("clip").to_pylist()
        return list(Material(library, tuple(names)).dances.values())
    return [read(path, None, notes, options) for path in expanded([folder], registry.SUFFIXES, "reference")]


_COLUMNS = (
    Column("row", "dance", "s"),
    Column("seconds", "s", ".1f"),
    *dances.BEAT_COLUMNS,
    Column("shuffled", "shuffled", ".3f"),
    *dances.PUBLISHED_BEAT_COLUMNS,
    Column("beat_f_70ms", "F 70 ms", ".3f"),
    Column("bins_coverage", "coverage", ".3f"),
    Column("bins_hit", "hit", ".3f"),
    Column("bins_generated_over_true", "generated / true", ".2f"),
    *dances.BODY_COLUMNS,
)
_SET_COLUMNS = (
    Column("row", "set", "s"),
    Column("n", "n", ".0f"),
    *dances.SET_COLUMNS,
)
_LEGEND = (
    "Beat alignment: over music beats, sigma 50 ms; chance: the same music at random phase, shuffled: other songs (or the "
    "music's intervals in random order); a score without its chance says nothing. PFC over 5-s windows at 30 fps. See "
    "docs/metrics.md and docs/benchmarks.md."
)
