"""`bench troupe-retrieval`: windows of dance for windows of music on songs that nobody was trained on, beside the oracle.

The troupe is made with seeds that no shipped weights were trained on. Queries, gallery and relevance are those of the oracle,
which sees the generator's latent variables. Motion shows only what motion shows: its beats are found in it alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb import sample
from choreodb.benchmarks.metrics import retrieval as metrics
from choreodb.benchmarks.runs import pair_windows, retrieval_rows, trained_rows
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.pair_windows import Pair, PairWindow
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.retrieval_rows import Cosine, Rhythm, Scorer
from choreodb.benchmarks.runs.songs import paired_songs
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.indexer.build import index
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.library import Library
from choreodb.sample.ceiling import OracleTable, oracle_table
from choreodb.sample.truth import SAMPLE_VERSION
from choreodb.threads import one_thread

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WATCHED = {"r10": Watch("higher")}
WINDOW_S = 8.0
HOP_S = 2.0
MINUTES, QUICK_MINUTES = 45.0, 4.0
GALLERY = 1000
FIRST_SEED = 22
"""Seeds from here on are for tests: `make weights` trains on 21."""

KS = (1, 5, 10)
DIRECTIONS = ("music to motion", "motion to music")


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One troupe. music, motion: the windows. relevant, oracle: [M, D]. song: of each music window, of each motion window."""

    music: list[PairWindow]
    motion: list[PairWindow]
    relevant: Flags
    oracle: Array
    songs: tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]
    rhythm: RhythmEncoder


def run(request: BenchRequest) -> BenchResult:
    """Three troupes (quick: a small one), whose gallery is `GALLERY` windows; intervals are over songs and troupes."""
    encoders = trained_rows.named(request.encoders)
    rows, notes = measured(request, encoders, half=None)
    return BenchResult("troupe-retrieval", rows, format_table(rows, notes))


def measured(
    request: BenchRequest, encoders: Sequence[tuple[str, Scorer]], *, half: int | None
) -> tuple[list[Row], list[str]]:
    """(rows of every scorer on three troupes, what they are). half: of the phrases that are danced, None for all."""
    seeds = range(FIRST_SEED + request.seed, FIRST_SEED + request.seed + (1 if request.quick else 3))
    minutes = QUICK_MINUTES if request.quick else MINUTES
    found: dict[tuple[str, str], list[dict[str, Array]]] = {}
    notes = []
    for number, seed in enumerate(seeds):
        request.progress(f"troupe of seed {seed}", number, len(seeds))
        with one_thread(), tempfile.TemporaryDirectory() as folder:
            case = make_case(Path(folder), minutes, seed, half)
            tables = scored(case, encoders, seed)
        notes.append(
            f"seed {seed}: {len(case.music)} windows of music, {len(case.motion)} of motion, {len(np.unique(case.songs[1]))} songs"
        )
        for name, scores in tables.items():
            for direction, turned in zip(DIRECTIONS, (False, True), strict=True):
                found.setdefault((direction, name), []).append(song_recalls(case, scores, turned=turned))
    return compared(found, [name for name, _ in encoders], request.seed), notes


def compared(found: dict[tuple[str, str], list[dict[str, Array]]], encoders: Sequence[str], seed: int) -> list[Row]:
    """A row of every (direction, name), with its share of the oracle's R@10 and, of encoders, how far the others are from
    the first."""
    rows = [_row(*key, parts, seed) for key, parts in found.items()]
    for row in rows:
        best = next(each for each in rows if each["kind"] == row["kind"] and each["row"] == "oracle")
        row["of_oracle"] = row["r10"] / best["r10"]
        if row["row"] in encoders[1:]:
            gap = _drawn(found[row["kind"], row["row"]], "r10", seed) - _drawn(
                found[row["kind"], encoders[0]], "r10", seed
            )
            row["behind_low"], row["behind_high"] = (float(each) for each in np.quantile(gap, (0.025, 0.975)))
            row["behind"] = row["r10"] - next(
                each["r10"] for each in rows if each["kind"] == row["kind"] and each["row"] == encoders[0]
            )
    return rows


def make_case(folder: Path, minutes: float, seed: int, half: int | None) -> Case:
    """A troupe with its windows; the gallery of motion is thinned out to `GALLERY` at random, the queries to those that
    still have something to find."""
    troupe, library_path = folder / "troupe", folder / "library"
    sample.make(troupe, minutes=minutes, seed=seed, half=half)
    index([troupe], library_path)
    library = Library.open(library_path)
    pairs = pair_windows.read_pairs(library, paired_songs(library, troupe))
    return case_of(
        oracle_table(troupe, window_s=WINDOW_S, hop_s=HOP_S), pairs, library, troupe, np.random.default_rng([seed, 7])
    )


def case_of(
    table: OracleTable, pairs: Sequence[Pair], library: Library, troupe: Path, rng: np.random.Generator
) -> Case:
    """The windows of an oracle's table as windows of pairs."""
    by_clip = {pair.clip: pair for pair in pairs}
    by_file = {f"{clip}.bvh": by_clip[f"{troupe.name}/{clip}"] for clip in _stems(table.clip)
               if f"{troupe.name}/{clip}" in by_clip}  # fmt: skip
    by_song = {song: by_file[clip] for song, clip in _first_dances(troupe) if clip in by_file}
    there = [at for at in rng.permutation(len(table.clip)) if table.clip[at] in by_file]
    chosen = np.sort(np.array(there[:GALLERY], dtype=np.int64))
    asked = np.flatnonzero(table.relevant[:, chosen].any(axis=1) & np.isin(np.array(table.song), list(by_song)))
    motion = [_window(by_file[table.clip[at]], float(table.danced_s[at])) for at in chosen]
    music = [
        _window(by_song[table.song[at]], float(table.heard_s[at]) - by_song[table.song[at]].start_s) for at in asked
    ]
    songs = tuple(np.array([each.pair.song for each in side]) for side in (music, motion))
    encoder = RhythmEncoder.from_meta(library.store.meta["encoder"])
    part = np.ix_(asked, chosen)
    return Case(music, motion, table.relevant[part], table.scores[part], (songs[0], songs[1]), encoder)


def _stems(clips: Sequence[str]) -> list[str]:
    return [Path(clip).with_suffix("").as_posix() for clip in dict.fromkeys(clips)]


def _first_dances(troupe: Path) -> list[tuple[str, str]]:
    """(song, dance) of the first dance to every song, which is to all of it."""
    import csv

    with (troupe / "pairs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["music"], row["motion"])
    return list(first.items())


def _window(pair: Pair, start_s: float) -> PairWindow:
    return PairWindow(pair, start_s, start_s + WINDOW_S, pair.curves, pair.motion)


def scored(case: Case, encoders: Sequence[tuple[str, Scorer]], seed: int) -> dict[str, Array]:
    """Scores [M, D] of every row."""
    rhythm = Cosine(Rhythm(case.rhythm))
    scorers: list[tuple[str, Scorer]] = [
        ("chance", retrieval_rows.chance(seed)), ("tempo only", retrieval_rows.tempo_only),
        ("metre only", retrieval_rows.metre_only), ("rhythm", rhythm), *encoders,
    ]  # fmt: skip
    return {name: scorer(case.music, case.motion) for name, scorer in scorers} | {"oracle": case.oracle}


def song_recalls(case: Case, scores: Array, *, turned: bool) -> dict[str, Array]:
    """Figures [S] by song of the queries: recall at every K, ties averaged."""
    table, relevant, song = (
        (scores.T, case.relevant.T, case.songs[1]) if turned else (scores, case.relevant, case.songs[0])
    )
    asked = relevant.any(axis=1)
    placed = metrics.ranks(table[asked], relevant[asked])
    own = song[asked]
    names = np.unique(own)
    out = {f"r{k}": np.array([np.mean(placed[own == name] <= k) for name in names]) for k in KS}
    return out | {"medr": np.array([np.median(placed)])}


def _row(direction: str, name: str, parts: Sequence[dict[str, Array]], seed: int) -> Row:
    """Means over the songs of all troupes, with 95 % of songs drawn again within their troupe."""
    row: Row = {"kind": direction, "row": name}
    for key in (f"r{k}" for k in KS):
        row[key] = float(np.mean(np.concatenate([part[key] for part in parts])))
        drawn = _drawn(parts, key, seed)
        row[f"{key}_low"], row[f"{key}_high"] = (float(each) for each in np.quantile(drawn, (0.025, 0.975)))
        row[f"{key}_worst"] = min(float(part[key].mean()) for part in parts)
    row["medr"] = float(np.mean([part["medr"][0] for part in parts]))
    return row


def _drawn(parts: Sequence[dict[str, Array]], key: str, seed: int) -> Array:
    """Means [1000] over songs drawn again within their troupe; the same songs for every scorer."""
    rng = np.random.default_rng([seed, 4])
    songs = [part[key] for part in parts]
    return np.array([
        np.mean(np.concatenate([own[rng.integers(len(own), size=len(own))] for own in songs])) for _ in range(1000)
    ])  # fmt: skip


_COLUMNS = (
    Column("row", "", "s"), Column("r1", "R@1", "%"), Column("r5", "R@5", "%"), Column("r10", "R@10", "%"),
    Column("r10_range", "95 %", "s"), Column("behind_range", "R@10 less the first encoder's", "s"), Column("r10_worst", "worst troupe", "%"), Column("of_oracle", "of the oracle's", "%"),
    Column("medr", "MedR", ".0f"),
)  # fmt: skip


def _ranges(row: Row) -> Row:
    out: Row = {"r10_range": f"{100 * row['r10_low']:.1f}-{100 * row['r10_high']:.1f} %"}
    if "behind" in row:
        low, high = (f"{100 * row[f'behind_{end}']:+.1f}" for end in ("low", "high"))
        out["behind_range"] = f"{100 * row['behind']:+.1f} ({low} to {high})"
    return out


def format_table(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """A table per direction."""
    parts = []
    for kind in DIRECTIONS:
        own = [row | _ranges(row) for row in rows if row["kind"] == kind]
        parts.append(f"### {kind}\n\n{markdown(own, _COLUMNS)}")
    legend = (
        f"Troupe version {SAMPLE_VERSION}, windows of {WINDOW_S:g} s, of music every {WINDOW_S / 2:g} s and of dance every {HOP_S:g} s; relevant is a window of the "
        "same pair that overlaps by half or more. Mean over songs; 95 %: songs drawn again. The oracle sees the generator's "
        "latent style, tempo, energy and accents."
    )
    return "\n\n".join([*parts, legend, "\n".join(f"- {note}" for note in notes)])
