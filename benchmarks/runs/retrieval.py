"""`bench retrieval`: music to motion and motion to music on real pairs, beside chance, baselines and oracles that cheat.

Folds are by song. Every row is scored on the same windows: AUCs within the held-out songs of a fold, ranks of held-out
queries among all windows. The song is the unit of means, intervals and permutations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs import pair_windows, planted, retrieval_rows, retrieval_scores, trained_rows
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.pair_windows import Pair, PairWindow
from choreodb.benchmarks.runs.plots import Bars
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult
from choreodb.benchmarks.runs.retrieval_rows import Row as Entry
from choreodb.benchmarks.runs.retrieval_scores import Scored
from choreodb.benchmarks.runs.songs import paired_songs
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import QueryError
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.threads import one_thread

if TYPE_CHECKING:
    from choreodb.library import Library

Row = dict[str, Any]
Places = npt.NDArray[np.int64]

FOLDS = 5
WATCHED = {
    "own_style": Watch("higher"),
    "same_style": Watch("higher"),
    "r10": Watch("higher"),
    "planted": Watch("higher"),
}


@dataclass(frozen=True, slots=True)
class Level:
    """Windows of `length_s` every `hop_s`; the planted-event control takes windows of `planted_s`."""

    name: str
    length_s: float
    hop_s: float
    planted_s: float


LEVELS = (Level("window", 6.0, 6.0, 4.0), Level("clip", 25.0, 12.5, 25.0))
DIRECTIONS = ("music to motion", "motion to music")


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """held: places of the windows whose songs are held out; train: of those that may be trained on."""

    held: Places
    train: Places


def run(request: BenchRequest) -> BenchResult:
    """Run on the request's library and the songs of its clips in the data folder; QueryError where there are too few."""
    from choreodb.library import Library

    if request.library is None:
        raise QueryError("bench retrieval needs a library and its songs; give `bench retrieval LIB --data DIR`")
    library = Library.open(request.library)
    encoder = rhythm_of(library, "retrieval")
    paired = paired_songs(library, request.data)
    with one_thread():
        pairs = pair_windows.read_pairs(library, paired)
        entries = [*retrieval_rows.rows(encoder, request.seed), *trained_rows.rows_of(request.encoders)]
        entries.sort(key=lambda entry: entry.name.startswith("cheat"))
        draws = 100 if request.quick else 1000
        rows, notes = bench_retrieval(pairs, entries, seed=request.seed, draws=draws, tell=request.progress)
    return BenchResult("retrieval", rows, format_table(rows, notes), figures(rows))


def rhythm_of(library: Library, bench: str) -> RhythmEncoder:
    """The library's `rhythm`; QueryError where it was embedded with something else."""
    if library.store.encoder.get("name", "rhythm") != "rhythm":
        raise QueryError(f"bench {bench} takes the rhythm encoder from the library; this one has another encoder")
    return RhythmEncoder.from_meta(library.store.meta["encoder"])


def bench_retrieval(
    pairs: Sequence[Pair],
    entries: Sequence[Entry],
    *,
    seed: int,
    draws: int,
    levels: Sequence[Level] = LEVELS,
    tell: Callable[..., None] | None = None,
) -> tuple[list[Row], list[str]]:
    """(a row per level, direction and entry; notes). draws: of the bootstrap and of the permutations."""
    scored = _scored_songs(pairs)
    rows: list[Row] = []
    notes: list[str] = []
    for level in levels:
        windows = pair_windows.windows(pairs, length_s=level.length_s, hop_s=level.hop_s)
        if not windows:
            notes.append(f"{level.name}: no pair is {level.length_s:g} s long")
            continue
        rng = np.random.default_rng([seed, 1])
        parts, dropped = split(windows, scored, rng)
        notes.append(_described(level, windows, parts, dropped, scored))
        made = planted.windows(pairs, np.random.default_rng([seed, 9]), length_s=level.planted_s)
        for number, entry in enumerate(entries):
            if tell is not None:
                tell(f"{level.name}: {entry.name}", number, len(entries))
            rows += _entry_rows(entry, level, windows, parts, scored, made, seed, draws)
    return rows, notes


def _scored_songs(pairs: Sequence[Pair]) -> dict[str, str]:
    """Style of every song whose style has a second song; QueryError without two styles' worth of them."""
    styles = {pair.song: pair.style for pair in pairs}
    counts = {style: list(styles.values()).count(style) for style in set(styles.values())}
    scored = {song: style for song, style in styles.items() if counts[style] > 1}
    if len(set(scored.values())) < 2:
        raise QueryError(
            f"bench retrieval found {len(styles)} songs with their clips; it needs two styles of two songs each (--data)"
        )
    return scored


def split(
    windows: Sequence[PairWindow], scored: dict[str, str], rng: np.random.Generator
) -> tuple[list[Fold], list[int]]:
    """(folds by song, training windows dropped in each because their twin is held out); songs that are not scored are
    always trained on. Every fold is checked."""
    fold_of = pair_windows.folds(scored, min(FOLDS, len(scored) // 2), rng)
    place = {id(each): at for at, each in enumerate(windows)}
    folds, dropped = [], []
    for fold in sorted(set(fold_of.values())):
        held = [each for each in windows if fold_of.get(each.pair.song) == fold]
        train, lost = pair_windows.training(windows, held)
        pair_windows.check_apart(train, held)
        folds.append(Fold(*(np.array([place[id(each)] for each in side], dtype=np.int64) for side in (held, train))))
        dropped.append(lost)
    if min(len(fold.train) for fold in folds) < 2:
        raise QueryError("bench retrieval has a fold with fewer than 2 windows to train on; give more songs")
    return [fold for fold in folds if len(fold.held)], dropped


def _described(
    level: Level, windows: Sequence[PairWindow], folds: Sequence[Fold], dropped: Sequence[int], scored: dict[str, str]
) -> str:
    free = sum(not each.twins for each in windows)
    grids = len({each.pair.clip for each in windows if len(each.pair.grid)})
    counts = ", ".join(f"{list(scored.values()).count(style)} {style}" for style in sorted(set(scored.values())))
    trained = ", ".join(f"{len(fold.train)}" for fold in folds)
    return (
        f"{level.name}: {len(windows)} windows of {level.length_s:g} s every {level.hop_s:g} s ({free} without a twin), "
        f"songs scored: {counts}; {len(folds)} folds, trained on {trained} windows, {', '.join(map(str, dropped))} dropped "
        f"as twins of held-out ones; {grids} of {len({each.pair.clip for each in windows})} dances show a beat grid by themselves"
    )


def _entry_rows(
    entry: Entry, level: Level, windows: Sequence[PairWindow], folds: Sequence[Fold], scored: dict[str, str],
    made: Sequence[PairWindow], seed: int, draws: int,
) -> list[Row]:  # fmt: skip
    """The rows of one entry, one a direction."""
    song, style = (np.array([getattr(each.pair, name) for each in windows]) for name in ("song", "style"))
    free = np.array([not each.twins for each in windows])
    full: list[Scored] = []
    control: list[float] = []
    for fold in folds if entry.fitted else folds[:1]:
        scorer = entry.fit([windows[at] for at in fold.train])
        full.append(Scored(scorer(windows, windows), song, style))
        if made and entry.curves:
            control.append(planted.two_way(scorer, made))
    full = full if entry.fitted else full * len(folds)
    out = []
    for direction in DIRECTIONS:
        sides = [each if direction == DIRECTIONS[0] else each.turned for each in full]
        row: Row = {"kind": f"{level.name}, {direction}", "row": entry.name}
        rng = np.random.default_rng([seed, 2])
        row |= _aucs(sides, folds, scored, rng, draws)
        row |= {f"{key}_free": row_free for key, row_free in _means(sides, folds, scored, free).items()}
        if entry.trained:
            row |= {f"{key}_train": value for key, value in _train_means(sides, folds, scored).items()}
        row |= _ranks(sides, folds)
        if control and direction == DIRECTIONS[0]:
            row["planted"] = float(np.mean(control))
        out.append({key: value for key, value in row.items() if not (isinstance(value, float) and np.isnan(value))})
    return out


def _songs(
    figure: Callable[[Scored], dict[str, float]],
    sides: Sequence[Scored],
    places: Sequence[Places],
    scored: dict[str, str],
) -> dict[str, float]:
    """A figure by song, over the blocks; songs that are not scored are left out, of several blocks the mean."""
    found: dict[str, list[float]] = {}
    for side, chosen in zip(sides, places, strict=True):
        for song, value in figure(side.of(chosen)).items():
            if song in scored:
                found.setdefault(song, []).append(value)
    return {song: float(np.mean(values)) for song, values in found.items()}


def _aucs(
    sides: Sequence[Scored], folds: Sequence[Fold], scored: dict[str, str], rng: np.random.Generator, draws: int
) -> Row:
    held = [fold.held for fold in folds]
    row: Row = {}
    for key, figure, styles in (
        ("own_style", retrieval_scores.own_style, scored),
        ("same_style", retrieval_scores.same_style, None),
    ):
        by_song = _songs(figure, sides, held, scored)
        if not by_song:
            continue
        low, high, spread = retrieval_scores.interval(by_song, styles, rng, draws)
        mean = retrieval_scores.macro(by_song, styles) if styles else float(np.mean(list(by_song.values())))
        row |= {key: mean, f"{key}_low": low, f"{key}_high": high, f"{key}_se": spread, f"{key}_songs": len(by_song)}
    blocks = [retrieval_scores.swapped(side.of(chosen)) for side, chosen in zip(sides, held, strict=True)]
    return row | {"p": retrieval_scores.permutation_p(blocks, rng, draws)}


def _means(sides: Sequence[Scored], folds: Sequence[Fold], scored: dict[str, str], kept: npt.NDArray[np.bool_]) -> Row:
    """Both AUCs over the held-out windows that are `kept`."""
    return _both(sides, [fold.held[kept[fold.held]] for fold in folds], scored)


def _train_means(sides: Sequence[Scored], folds: Sequence[Fold], scored: dict[str, str]) -> Row:
    """Both AUCs over the windows that each fold was trained on."""
    return _both(sides, [fold.train for fold in folds], scored)


def _both(sides: Sequence[Scored], places: Sequence[Places], scored: dict[str, str]) -> Row:
    own = _songs(retrieval_scores.own_style, sides, places, scored)
    same = _songs(retrieval_scores.same_style, sides, places, scored)
    mean = float(np.mean(list(same.values()))) if same else float("nan")
    return {"own_style": retrieval_scores.macro(own, scored), "same_style": mean}


def _ranks(sides: Sequence[Scored], folds: Sequence[Fold]) -> Row:
    """Ranks of all held-out queries among all windows, and the leak audit."""
    queries = np.concatenate([fold.held for fold in folds])
    scores = np.concatenate([side.scores[fold.held] for side, fold in zip(sides, folds, strict=True)])
    songs = sides[0].song
    return {**retrieval_scores.ranking(scores, songs[queries], songs), **retrieval_scores.audit(scores, queries)}


_COLUMNS = (
    Column("row", "", "s"),
    Column("own_style", "own style AUC", ".3f"),
    Column("own_style_range", "95 %", "s"),
    Column("same_style", "own window against other songs of the style", ".3f"),
    Column("same_style_range", "95 %", "s"),
    Column("p", "permutation p", ".3f"),
    Column("own_style_free", "own style, no twins", ".3f"),
    Column("same_style_free", "own window, no twins", ".3f"),
    Column("own_style_train", "own style, trained songs", ".3f"),
    Column("same_style_train", "own window, trained songs", ".3f"),
    Column("r1", "R@1", "%"),
    Column("r5", "R@5", "%"),
    Column("r10", "R@10", "%"),
    Column("medr", "MedR", ".1f"),
    Column("map", "mAP", ".3f"),
    Column("exact_r1", "exact R@1", "%"),
    Column("exact_r10", "exact R@10", "%"),
    Column("planted", "planted events", ".3f"),
    Column("leak", "", "s"),
)


def format_table(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """A table per level and direction, with what it means."""
    parts = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [_shown(row) for row in rows if row["kind"] == kind]
        expected = ", ".join(f"R@{k} {100.0 * own[0][f'r{k}_chance']:.1f} %" for k in (1, 5, 10))
        parts.append(
            f"### {kind}\n\nBy chance: {expected}; gallery of {own[0]['gallery']:.0f}.\n\n{markdown(own, _COLUMNS)}"
        )
    return "\n\n".join([*parts, _LEGEND, "\n".join(f"- {note}" for note in notes)])


def _shown(row: Row) -> Row:
    ranges = {
        f"{key}_range": f"{row[f'{key}_low']:.3f}-{row[f'{key}_high']:.3f}"
        for key in ("own_style", "same_style")
        if key in row
    }
    kept = {key: value for key, value in row.items() if not key.endswith("_se")}
    return {
        **kept,
        **ranges,
        "leak": "SUSPECTED LEAK" if row["suspected"] and not row["row"].startswith("cheat") else None,
    }


_LEGEND = (
    "Own style: windows of the query's style against other styles, macro over styles. Own window: the window danced at that "
    "very time against windows of other songs of the style, mean over songs. Both within the held-out songs of a fold; "
    "95 %: songs drawn again within their styles; p: songs paired anew within style and fold. No twins: windows whose "
    "motion recurs in no other dance. R@k, MedR, mAP: any window of the query's song, among all windows, macro over songs. "
    "Exact: the very window; above 3 % at 1 or 12 % at 10, in a gallery of 300 or more, a leak is suspected. Planted "
    "events: two-way choice within a song at 4 s, events of the song as minima of speed, 70 % kept, 30 ms jitter, 40 % false "
    "ones; a timing score under 0.80 there has no null to be believed. Motion shows only what motion shows: its beats are "
    "found in the motion alone, but for the rows that cheat."
)


def figures(rows: Sequence[Row]) -> tuple[Bars, ...]:
    """AUCs of the first direction as bars, with chance marked."""
    out = []
    for kind in [kind for kind in dict.fromkeys(row["kind"] for row in rows) if kind.endswith(DIRECTIONS[0])]:
        for key, title in (("own_style", "Own style"), ("same_style", "Own window against other songs of its style")):
            own = [row for row in rows if row["kind"] == kind and key in row]
            if not own:
                continue
            errors = tuple(0.5 * (row[f"{key}_high"] - row[f"{key}_low"]) for row in own)
            out.append(
                Bars(
                    f"retrieval-{kind.split(',')[0]}-{key}", f"{title}, {kind}: AUC, 95 % over songs",
                    tuple(str(row["row"]) for row in own), tuple(row[key] for row in own), errors, ((0.5, "chance"),),
                )
            )  # fmt: skip
    return tuple(out)
