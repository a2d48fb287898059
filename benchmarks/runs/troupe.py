"""`bench troupe`: whether the procedural dancers move as captured people do, and whether trackers hear the band's beat.

Every figure is explained in `clip_figures`, every verdict in `verdicts`. Ours is danced by performers of different size.
"""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb import sample
from choreodb.benchmarks.runs.beats import annotated, tracking_rows
from choreodb.benchmarks.runs.clip_figures import FPS, WINDOW_S, Clip, Measured, measure
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.benchmarks.runs.two_sample import is_dance, trials
from choreodb.benchmarks.runs.verdicts import floor_rows, percentile_rows, physics_rows, said, seconds_of
from choreodb.errors import ChoreoError
from choreodb.motion import registry, retarget
from choreodb.sample.performer import TROUPE, performer
from choreodb.sample.styles import STYLES

MINUTES = 60.0
REAL_TIME = 60.0
"""Times as long as it took that dances with their songs have to be, for each core."""


def run(request: BenchRequest) -> BenchResult:
    """All tables; the captured half is left out, and said so, where the request's data has no folder `mocap`."""
    ours = [measure(clip) for clip in troupe(1.0 if request.quick else MINUTES, request.seed, request.progress)]
    captured: list[Measured] = []
    mocap = request.data / "mocap" if request.data is not None else None
    if mocap is not None and mocap.is_dir():
        captured = [measure(clip) for clip in read_folder(mocap, request.progress, most=12 if request.quick else None)]
    rows = [_size("ours", ours), *(_size(group, _of(captured, group)) for group in _groups(captured))]
    rows += [_size("of these captured dances", [clip for clip in captured if is_dance(clip)])] if captured else []
    rows += physics_rows(ours, captured)
    if captured:
        rows += percentile_rows(ours, captured)
        for part in trials(ours, captured, request.seed):
            rows += part
    paired = request.data / "paired" if request.data is not None else None
    if paired is not None and paired.is_dir():
        pairs = [measure(clip) for clip in read_paired(paired, request.progress, most=3 if request.quick else 16)]
        rows += floor_rows(ours, pairs)
    rows += making_rows(1.0 if request.quick else 10.0, request.seed)
    rows += band_rows(1 if request.quick else 4, request.seed, request.progress)
    return BenchResult("troupe", rows, format_table(rows))


def _size(what: str, clips: Sequence[Measured]) -> Row:
    return {"kind": "size", "what": what, "clips": len(clips), "seconds": seconds_of(clips)}


def _groups(clips: Sequence[Measured]) -> list[str]:
    return sorted({clip.group for clip in clips})


def _of(clips: Sequence[Measured], group: str) -> list[Measured]:
    return [clip for clip in clips if clip.group == group]


def troupe(minutes: float, seed: int, progress: Callable[..., None]) -> Iterator[Clip]:
    """About `minutes` of dance in clips of about 25 s, each style and performer in turn, every style at least once."""
    place, seconds = 0, 0.0
    while place < len(STYLES) or seconds < 60.0 * minutes:
        style, who = list(STYLES)[place % len(STYLES)], TROUPE[(place * 5 // 2) % len(TROUPE)]
        progress("dancing", place, 0)
        dance = sample.perform(style, 500 + 1000 * seed + place, 12 if STYLES[style].metre == 4 else 16, dancer=who)
        motion = dance.in_proportion(performer(who)).motion
        clip = Clip(style, f"{style}-{place}", retarget.canonicalise(motion))
        yield clip
        place, seconds = place + 1, seconds + clip.seconds


def read_folder(folder: Path, progress: Callable[..., None], *, most: int | None = None) -> Iterator[Clip]:
    """Every clip of at least one window under `folder`, at the rates that its `clips.csv` states."""
    count = 0
    for sub in sorted(path for path in folder.iterdir() if path.is_dir()):
        told = _clips_csv(sub / "clips.csv")
        files = sorted(path for path in sub.rglob("*") if path.suffix.lower() in registry.SUFFIXES)
        for path in files if most is None else files[:: max(1, len(files) // most)]:
            progress("reading", count, 0)
            row = told.get(path.relative_to(sub).as_posix(), {})
            try:
                motion = registry.read(path)
                fps = float(row["fps"]) if row.get("fps") else None
                canonical = retarget.canonicalise(motion, fps=fps, units=row.get("units") or None)
            except ChoreoError:
                continue
            if len(canonical.motion) >= WINDOW_S * FPS:
                count += 1
                yield Clip(sub.name, path.stem, canonical)


def _clips_csv(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def read_paired(folder: Path, progress: Callable[..., None], *, most: int) -> Iterator[Clip]:
    """Up to `most` dances of pairs, grouped by style."""
    files = sorted(folder.rglob("motion.npz"))
    for count, path in enumerate(files[:: max(1, len(files) // most)][:most]):
        progress("reading", count, 0)
        style = str(registry.labels(path).get("style", "dance"))
        yield Clip(f"pairs: {style}", path.parent.name, retarget.canonicalise(registry.read(path)))


def making_rows(minutes: float, seed: int) -> list[Row]:
    """What `sample make` of `minutes` takes on one core: in a process of its own, after one that warms it up."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(_made, 0.4, seed + 1).result()
        rows = [pool.submit(_made, share * minutes, seed).result() for share in (0.5, 1.0)]
    return [{**row, "kind": "making", "verdict": said(row["real_time"] >= REAL_TIME)} for row in rows]


def _made(minutes: float, seed: int) -> Row:
    """Make a sample and throw it away; peak memory is the process's so far."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        made = sample.make(folder, minutes=minutes, seed=seed)
        spent = time.process_time() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return {"minutes": made.seconds / 60.0, "cpu_s": spent, "real_time": made.seconds / spent, "peak_mb": peak_mb}


def band_rows(count: int, seed: int, progress: Callable[..., None]) -> list[Row]:
    """Our tracker and librosa on `count` steady songs of each style, then on songs that drift, jump, or are in 6."""
    from choreodb.sample import audio_file, song
    from choreodb.sample.band import play
    from choreodb.sample.truth import TempoKind, write_json

    kinds: list[tuple[str, str, TempoKind, int | None]] = [(style, style, "steady", None) for style in STYLES]
    kinds += [("all, drifting", style, "drift", None) for style in STYLES]
    kinds += [("all, jumping", style, "jump", None) for style in STYLES]
    kinds += [("waltz in 6", style, "steady", 6) for style in STYLES if STYLES[style].sixes]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        paths: dict[str, list[Path]] = {}
        for label, style, kind, metre in kinds:
            for place in range(count if label == style or metre else max(1, count // 2)):
                progress("playing", len(paths), 0)
                low, high = song.SIXES_BPM if metre else STYLES[style].reach_bpm
                tempo = low + (place + 0.5) / count * (high - low)
                truth = song.plan(
                    style, 7000 + 100 * seed + place, 12 if metre else 16, round(tempo, 1), kind=kind, metre=metre
                )
                path = Path(folder) / f"{label}-{style}-{place}.flac"
                audio_file.write(path, *_samples(play(truth)))
                write_json(truth, path.with_suffix(".json"))
                paths.setdefault(label, []).append(path)
        for label, files in paths.items():
            rows += [
                {**row, "kind": "band", "group": label}
                for row in tracking_rows(annotated(files))
                if row["group"] == "all"
            ]
    return rows


def _samples(played: Any) -> tuple[npt.NDArray[np.float32], int]:
    return played.samples, played.rate


def format_table(rows: Sequence[Row]) -> str:
    """All rows as tables with what they mean."""
    parts = []
    for kind, note, columns in _TABLES:
        chosen = [row for row in rows if row["kind"] == kind]
        if chosen:
            parts.append(f"{note}\n\n" + markdown(chosen, columns))
    return "\n\n".join(parts)


_TABLES: tuple[tuple[str, str, tuple[Column, ...]], ...] = (
    ("size", "What is compared:", (Column("what", "set", "s"), Column("clips", "clips", "d"), Column("seconds", "seconds", ".0f"))),
    ("physics", "Feet, floor and forearms over clips, all sets after the same retargeting (which locks feet); passed where our 95th percentile is "
     "not above the captured:", (
        Column("figure", "figure", "s"), Column("ours_p50", "ours p50", ".3f"), Column("ours_p95", "ours p95", ".3f"), Column("worst", "worst style's p95", "s"),
        Column("captured_p50", "captured p50", ".3f"), Column("captured_p95", "captured p95", ".3f"), Column("behind_s", "seconds behind", ".0f"),
        Column("verdict", "verdict", "s"))),
    ("percentiles", "Per-clip medians at 30 fps after a 6 Hz low-pass (m/s, m/s2, m/s3, degrees); passed where 95 % of our clips lie between the "
     "captured 5th and 95th percentiles:", (
        Column("figure", "figure", "s"), Column("p5", "captured p5"), Column("p50", "p50"), Column("p95", "p95"), Column("ours_p5", "ours p5"),
        Column("ours_p50", "p50"), Column("ours_p95", "p95"), Column("inside", "of ours inside", "%"), Column("worst", "worst style", "s"),
        Column("behind_s", "seconds behind", ".0f"), Column("verdict", "verdict", "s"))),
    ("floor", "Travel, turning and steps beside the ballroom pairs; a style passes where captured dances of its name have as much:", (
        Column("group", "group", "s"), Column("seconds", "seconds", ".0f"), Column("travel, m/s", "travel m/s"), Column("turning, deg/s", "turning deg/s"),
        Column("steps a second", "steps a second"), Column("feet apart", "feet apart m"), Column("verdict", "verdict", "s"))),
    ("two-sample", "Two-sample test (0.5: cannot be told apart), sides drawn to the same length, mean of five draws:", (
        Column("trial", "trial", "s"), Column("windows", "windows", "d"), Column("left_s", "seconds", ".0f"), Column("right_s", "against", ".0f"),
        Column("auc", "AUC"))),
    ("giveaway", "What gives us away (AUC of one figure alone, above 0.5 ours has more; its share of what the classifier adds up):", (
        Column("trial", "trial", "s"), Column("figure", "figure", "s"), Column("auc", "AUC"), Column("share", "share", "%"), Column("ours", "ours"),
        Column("captured", "captured"))),
    ("making", f"Motion, band and files of `sample make` on one core; passed from {REAL_TIME:.0f} times real time:", (
        Column("minutes", "minutes", ".1f"), Column("cpu_s", "CPU s", ".1f"), Column("real_time", "times real time", ".1f"),
        Column("peak_mb", "peak memory MB", ".0f"), Column("verdict", "verdict", "s"))),
    ("band", "Beat trackers on the band:", (
        Column("group", "songs", "s"), Column("row", "tracker", "s"), Column("count", "count", "d"), Column("f_70ms", "F at 70 ms"), Column("octave_errors", "octave errors", "%"),
        Column("other_ratio_errors", "other ratios", "%"), Column("offset_ms", "offset ms", ".1f"), Column("downbeat_f", "downbeat F"))),
)  # fmt: skip
