"""The part of `bench latency` over libraries of other sizes, and its goals.

Smaller libraries are some of the given one's captured clips. Larger ones are all of it with virtual copies at other tempi and
their mirror images: the same vectors to search through, the same joins to price, and no more motion captured, which the
rows say.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from choreodb.benchmarks.runs.plots import Figure, Lines
from choreodb.benchmarks.runs.registry import Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.benchmarks.runs.verdicts import said

SIZE, GOAL = "warm by segments", "goal"
FULL, QUICK = (1_000, 10_000, 100_000, 1_000_000), ()
PEER_LARGEST = 200_000
"""To build the peer's index and graph takes many minutes above."""
REPEATS = 4
"""Queries in each process; the first, which is cold, is not counted."""

FASTER_THAN_SONG, FASTER_THAN_PEER, AFTER_ANALYSIS_MS, GROWTH = 180.0, 5.0, 300.0, 2.0
BATCH_SHARE = 0.05
_TO_PATH = ("decode", "features", "beats", "embed", "nearest", "candidates", "path")
_AFTER = ("open", "nearest", "candidates", "path", "stitch", "physics", "write bvh")
_PEER_TO_PATH = ("decode", "onset", "beats", "chroma", "mfcc", "neighbours", "beam")


def bench_sizes(
    library: Path, song: Path, sizes: Sequence[int], *, progress: Callable[..., None] | None = None
) -> list[Row]:
    """Rows of a warm query by stage for the library as it is and filled up to `sizes` segments, ours and the peer's."""
    from choreodb.music.decode import load
    from choreodb.storage.store import Store

    tell = progress or (lambda *_: None)
    seconds = load(song).duration_s
    rows: list[Row] = []
    captured = Store.open(library).manifest.rows("segments")
    with tempfile.TemporaryDirectory() as folder:
        for size in sorted({captured, *sizes}):
            tell(f"latency: {size} segments", 0, 0)
            if size == captured:
                made = library
            else:
                made = Path(folder) / f"library-{size}"
                (_part if size < captured else _filled)(library, made, size)
            rows += _sized(made, song, seconds, Path(folder))
            if made != library:
                shutil.rmtree(made)
    return rows


def _part(library: Path, made: Path, size: int) -> None:
    """A library of evenly chosen captured clips of `library`, with about so many segments."""
    from choreodb.indexer import subset
    from choreodb.storage.store import Store

    store = Store.open(library)
    clips = sorted(row["clip"] for row in store.columns("clips", ["clip", "copy_of"]).to_pylist() if not row["copy_of"])
    count = max(1, round(len(clips) * size / store.manifest.rows("segments")))
    chosen = {clips[int(at)] for at in np.linspace(0, len(clips) - 1, count)}
    subset.export(store, made, subset.choose(store, chosen))


def _filled(library: Path, made: Path, size: int) -> None:
    """A library with virtual copies of `library`, with about so many segments."""
    from choreodb.benchmarks.runs.scale import _copied, rates
    from choreodb.indexer.copies import add_copies
    from choreodb.storage.store import Store

    store = Store.open(_copied(library, made))
    copies = round(size / store.manifest.rows("segments")) - 1
    if copies > 0:
        add_copies(store, rates(copies))


def _sized(library: Path, song: Path, seconds: float, folder: Path) -> list[Row]:
    from choreodb.benchmarks.runs import latency
    from choreodb.storage.store import Store

    segments = Store.open(library).manifest.rows("segments")
    commands = {latency.OURS: ("query_stages", library)}
    if segments <= PEER_LARGEST:
        exported = folder / f"{segments}.npz"
        latency.export(library, exported)
        commands[latency.PEER] = "peer_stages", exported
    rows: list[Row] = []
    for name, (module, place) in commands.items():
        timed = latency.measure([*latency._command(module, place), str(song), "--repeats", str(REPEATS)])
        laps = [lap for _, lap in timed.queries[1:]]
        common: Row = {"row": name, "kind": SIZE, "segments": segments, "song_s": seconds, "song": song.name}
        for stage in laps[0]:
            if not stage.startswith("import"):
                rows.append(
                    common | {"stage": f"{segments} {stage}", "part": stage, **latency._medians(laps, (stage,))}
                )
        whole = tuple(stage for stage in laps[0] if not stage.startswith("import"))
        sums = {"mp3 to path": _TO_PATH, "after analysis, without the encoder": _AFTER, "whole query": whole}
        for title, parts in ({"mp3 to path": _PEER_TO_PATH} if name == latency.PEER else sums).items():
            row = common | {"stage": f"{segments} = {title}", "part": f"= {title}", **latency._medians(laps, parts)}
            rows.append(row | ({"peak_mb": timed.peak_mb} if title == "mp3 to path" else {}))
    return rows


def goals(rows: Sequence[Row]) -> list[Row]:
    """Every goal with what was measured, on the largest library that the peer had, too; CPU time, which a busy machine pads least."""
    from choreodb.benchmarks.runs import latency

    sized = [row for row in rows if row["kind"] == SIZE]
    found: list[Row] = []
    if sized:
        most = max(row["segments"] for row in sized if row["row"] == latency.PEER)
        here = {(row["row"], row["part"]): row for row in sized if row["segments"] == most}
        path = here[latency.OURS, "= mp3 to path"]
        on = f"at {most} segments"
        found += [
            _at_least(f"song over mp3 to path, warm, {on}", 1e3 * path["song_s"] / path["cpu_ms"], FASTER_THAN_SONG),
            _at_least(f"peer over mp3 to path, warm, {on}", here[latency.PEER, "= mp3 to path"]["cpu_ms"] / path["cpu_ms"],
                      FASTER_THAN_PEER),
            _at_most(f"CPU ms after analysis, without the encoder, {on}",
                     here[latency.OURS, "= after analysis, without the encoder"]["cpu_ms"], AFTER_ANALYSIS_MS),
            _at_most(f"candidate batch as a share of the whole query, {on}",
                     here[latency.OURS, "nearest"]["cpu_ms"] / here[latency.OURS, "= whole query"]["cpu_ms"], BATCH_SHARE),
        ]  # fmt: skip
        found += _growth(sized)
    cold = {row["stage"]: row["cpu_ms"] for row in rows if row["kind"] == latency.COLD and row["stage"] in _PROCESSES}
    if len(cold) == len(_PROCESSES):
        found.append(
            _at_most(
                "CPU of a cold choreodb dance over importing librosa's", cold[_PROCESSES[0]] / cold[_PROCESSES[1]], 1.0
            )
        )
    return found


_PROCESSES = ("= choreodb dance", "= importing librosa.feature, librosa.beat")


def _growth(sized: Sequence[Row]) -> list[Row]:
    """How much longer ten times the segments take, where the run has two such libraries; of the largest."""
    from choreodb.benchmarks.runs import latency

    totals = {
        row["segments"]: row["cpu_ms"] for row in sized if row["row"] == latency.OURS and row["part"] == "= mp3 to path"
    }
    most = max(totals)
    tenth = [size for size in totals if 5.0 <= most / size <= 20.0]
    if not tenth:
        return []
    less = max(tenth)
    return [_at_most(f"mp3 to path, {most} segments over {less}", totals[most] / totals[less], GROWTH)]


def _at_least(name: str, value: float, least: float) -> Row:
    return {"kind": GOAL, "row": name, "value": value, "goal": f">= {least:g}", "verdict": said(value >= least)}


def _at_most(name: str, value: float, most: float) -> Row:
    return {"kind": GOAL, "row": name, "value": value, "goal": f"<= {most:g}", "verdict": said(value <= most)}


_COLUMNS = (
    Column("row", "", "s"),
    Column("segments", "segments", ".0f"),
    Column("part", "stage", "s"),
    Column("wall_ms", "wall ms", ".1f"),
    Column("cpu_ms", "CPU ms", ".1f"),
    Column("peak_mb", "peak MB", ".0f"),
)
_GOAL_COLUMNS = (
    Column("row", "", "s"),
    Column("value", "", ".2f"),
    Column("goal", "goal", "s"),
    Column("verdict", "", "s"),
)


def format_table(rows: Sequence[Row]) -> str:
    """Stages by size of library, and the goals."""
    sized, judged = ([row for row in rows if row["kind"] == kind] for kind in (SIZE, GOAL))
    parts = [markdown(sized, _COLUMNS), _LEGEND] if sized else []
    return "\n\n".join([*parts, markdown(judged, _GOAL_COLUMNS)] if judged else parts)


_LEGEND = (
    "Libraries smaller than the given one are some of its clips, larger ones it with virtual copies at other tempi, mirror images "
    "among the segments of all: no more motion was captured. The peer has its library open; its index is not rebuilt for a query. Peak memory is that of "
    "the whole process, the cold query among it."
)


def figures(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """A warm query by size of library, on both sides."""
    import math

    sized = [row for row in rows if row["kind"] == SIZE and row["part"].startswith("= mp3")]
    if not sized:
        return ()
    series = []
    for name in dict.fromkeys(row["row"] for row in sized):
        own = sorted((row for row in sized if row["row"] == name), key=lambda row: row["segments"])
        series.append(
            (str(name), tuple(math.log10(row["segments"]) for row in own), tuple(float(row["cpu_ms"]) for row in own))
        )
    return (Lines("latency-segments", "mp3 to path, warm, CPU ms", "log10 of segments", tuple(series)),)
