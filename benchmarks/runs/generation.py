"""`bench generation`: dances as a set, beside captured dances they are not made of, random ones, and greedy retrieval.

The library's clips are split into two halves by song (unpaired clips by source file), anew for every seed. One half is
the reference, the other the material: ground truth is the material's own clips, every other row is made of them, and
where the songs are the library's own, those of the reference half are danced to. So no row can replay the reference, and
no song is danced to with its own dance.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import novelty
from choreodb.benchmarks.runs import baselines, dances
from choreodb.benchmarks.runs.baselines import GENERATED, RANDOM_CLIPS, TRUTH, Material
from choreodb.benchmarks.runs.dances import FPS, Danced, FeatureSet, Row
from choreodb.benchmarks.runs.plots import Bars
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult
from choreodb.benchmarks.runs.songs import Songs, paired_songs
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import QueryError
from choreodb.threads import one_thread

if TYPE_CHECKING:
    from choreodb.library import Library

FloatArray = npt.NDArray[np.float64]

WINDOW_S, HOP_S = 5.0, 2.0
ENOUGH_WINDOWS = 1000
FLOOR = "floor: reference against itself"
SEEDS, QUICK_SEEDS, QUICK_SONGS = 3, 1, 2
_EQUAL = ("k", "g_varying")
_SPACES = {"k": "FID_k", "k_corrected": "FID_k corrected", "g_varying": "FID_g varying"}
_SAMPLE_SONGS = (("house", 1000), ("waltz", 1001))


def run(request: BenchRequest) -> BenchResult:
    """Run on the request's library and songs; without songs, on the library's own where the data folder holds them, else
    on songs of the sample band. QueryError without a library."""
    from choreodb.library import Library

    if request.library is None:
        raise QueryError("bench generation needs a library; give `bench generation LIB [SONG...]`")
    library = Library.open(request.library)
    with ExitStack() as stack:
        given = request.songs
        paired = paired_songs(library, request.data)
        if not given and not paired:
            given = _sample_songs(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        seeds = range(request.seed, request.seed + (QUICK_SEEDS if request.quick else SEEDS))
        if request.quick:
            given = given[:QUICK_SONGS]
        with one_thread():
            rows, notes = bench_generation(
                library, given, paired, seeds=list(seeds), progress=request.progress,
                most=QUICK_SONGS if request.quick else None,
            )  # fmt: skip
    return BenchResult("generation", rows, format_table(rows, notes), figures(rows))


def _sample_songs(folder: Path) -> tuple[Path, ...]:
    from choreodb import sample

    paths = []
    for style, seed in _SAMPLE_SONGS:
        paths.append(folder / f"{style}.flac")
        sample.make_song(paths[-1], style=style, seconds=60.0, seed=seed)
    return tuple(paths)


def bench_generation(
    library: Library,
    given: Sequence[Path],
    paired: Mapping[str, Path],
    *,
    seeds: Sequence[int],
    progress: Callable[..., None] | None = None,
    most: int | None = None,
) -> tuple[list[Row], list[str]]:
    """(rows with mean and, as `KEY_sd`, deviation over seeds, notes).

    given: songs that every seed dances to; where empty, the `paired` ones (song id -> file) of the reference half are.
    Ground truth is scored against its own songs, where they are among the paired ones. most: songs a seed at most.
    """
    tell = progress or (lambda *_: None)
    songs = Songs()
    by_seed = []
    for number, seed in enumerate(seeds):
        reference, material = halves(library, np.random.default_rng(seed))
        paths = list(given) or [paired[key] for key in _music_of(library, reference.clips) if key in paired]
        by_seed.append(
            _one_seed(reference, material, songs, paths[:most], paired, seed, partial(tell, f"seed {number + 1} of {len(seeds)}"))
        )  # fmt: skip
    rows = [{"row": name, **over_seeds([each[name] for each in by_seed])} for name in by_seed[0]]
    each_seed = [seed[TRUTH]["fid_k_corrected"] for seed in by_seed]
    spread = f"FID_k corrected of the ground truth, split by split: {', '.join(f'{value:.1f}' for value in each_seed)}."
    return rows, [*notes_of(library, rows, seeds, bool(given)), spread]


def halves(library: Library, rng: np.random.Generator) -> tuple[Material, Material]:
    """(reference, material): clips split by song, or source file where there is none, balanced by style and seconds.

    QueryError where the clips do not make two halves.
    """
    columns = ["clip", "music", "source_sha256", "style", "duration_s"]
    groups: dict[str, list[Row]] = {}
    for row in library.store.columns("clips", columns).to_pylist():
        groups.setdefault(row["music"] or row["source_sha256"], []).append(row)
    seconds: dict[tuple[int, str], float] = {}
    total = [0.0, 0.0]
    parts: tuple[list[str], list[str]] = ([], [])
    order = sorted(groups)
    for index in rng.permutation(len(order)):
        rows = groups[order[index]]
        style = rows[0]["style"] or ""
        side = int((seconds.get((1, style), 0.0), total[1]) < (seconds.get((0, style), 0.0), total[0]))
        length = sum(row["duration_s"] for row in rows)
        seconds[side, style] = seconds.get((side, style), 0.0) + length
        total[side] += length
        parts[side].extend(row["clip"] for row in rows)
    if not parts[0] or not parts[1]:
        raise QueryError(
            "bench generation needs clips of at least two songs or files, for a reference and the material"
        )
    return Material(library, tuple(sorted(parts[0]))), Material(library, tuple(sorted(parts[1])))


def _music_of(library: Library, clips: Iterable[str]) -> list[str]:
    chosen = set(clips)
    rows = library.store.columns("clips", ["clip", "music"]).to_pylist()
    return list(dict.fromkeys(row["music"] for row in rows if row["clip"] in chosen and row["music"]))


def _one_seed(
    reference: Material,
    material: Material,
    songs: Songs,
    paths: Sequence[Path],
    paired: Mapping[str, Path],
    seed: int,
    tell: Callable[..., None],
) -> dict[str, Row]:
    """Every row of the table for one split. paths: the songs to dance to."""
    made: dict[str, list[Danced]] = {
        TRUTH: baselines.captured(material, paired, songs),
        **{name: [] for name in GENERATED},
    }
    for done, path in enumerate(paths):
        tell(done, len(paths))
        song = songs[path]
        for name, dance in baselines.generate(material, song.music, song.beats_s, seed=seed).items():
            made[name].append(dance)
    tell(len(paths), len(paths))
    return score(reference, material, made, np.random.default_rng([seed, 1]))


def score(
    reference: Material, material: Material, made: Mapping[str, Sequence[Danced]], rng: np.random.Generator
) -> dict[str, Row]:
    """All figures of every row, and the floor."""
    windows = {name: _windows(parts, across_cuts=name != RANDOM_CLIPS) for name, parts in made.items()}
    references = _windows(list(reference.dances.values()))
    if min(len(references), *(len(each) for each in windows.values())) < 4:
        raise QueryError(
            f"bench generation needs at least 4 windows of {WINDOW_S:g} s a row; give more or longer clips"
        )
    of_reference = dances.feature_set(references)
    features = {name: dances.feature_set(each) for name, each in windows.items()}
    equal = min(len(each) for each in features.values())
    floor_n = min(equal, len(of_reference) // 2)
    rows: dict[str, Row] = {FLOOR: {"windows": floor_n, **dances.floor_row(of_reference, floor_n, rng)}}
    near = {TRUTH: _dense(reference)} | dict.fromkeys(GENERATED, _dense(material))
    for name, parts in made.items():
        rows[name] = {
            "windows": len(features[name]),
            "disjoint_windows": sum(int(part.duration_s // WINDOW_S) for part in parts),
            "dances": len(parts),
            **dances.set_row(of_reference, features[name]),
            **_at_equal_size(of_reference, features[name], equal, rng),
            **_dance_figures(parts, rng),
            **_nearest(near[name], parts, rng),
        }
    return rows


def _windows(parts: Sequence[Danced], *, across_cuts: bool = True) -> list[FloatArray]:
    """Windows of all dances. Those of hard cuts lie between the cuts: one jump of the whole body outweighs all else."""
    takes = [take for part in parts for take in ([part.joints] if across_cuts else np.split(part.joints, part.seams))]
    return [window for take in takes for window in dances.cut(take, window_s=WINDOW_S, hop_s=HOP_S)]


def _at_equal_size(reference: FeatureSet, estimate: FeatureSet, n: int, rng: np.random.Generator) -> Row:
    """FID of `n` windows drawn at random: FID falls with the number of windows, so rows compare at one size only."""
    drawn = estimate.rows(np.sort(rng.permutation(len(estimate))[:n]))
    found = dances.set_row(reference, drawn)
    return {f"fid_{name}_equal": found[f"fid_{name}"] for name in _EQUAL}


def _dance_figures(parts: Sequence[Danced], rng: np.random.Generator) -> Row:
    """Body, beats and novelty, averaged over the dances' seconds."""
    beats_s = {part.name: part.beats_s for part in parts if part.beats_s is not None}
    rows = []
    for part in parts:
        others = [each for name, each in beats_s.items() if name != part.name and each is not None]
        body = dances.body_row(part, window_s=WINDOW_S) if len(part.joints) >= 4 else {}
        rows.append({**body, **dances.beat_row(part, others, rng), **dances.novelty_row(part)})
    return dances.mean_row(rows, [part.duration_s for part in parts])


_DENSE_S, _DENSE_FPS, _DENSE_QUERIES = 1.0, 15.0, 300


def _dense(material: Material) -> FloatArray:
    """1-s windows of the material's joints at 15 a second, one for every frame of that."""
    parts = [dance.joints[:: round(FPS / _DENSE_FPS)] for dance in material.dances.values()]
    length = round(_DENSE_S * _DENSE_FPS)
    return np.concatenate([novelty.windows(part, length=length, hop=1) for part in parts if len(part) >= length])


def _nearest(reference: FloatArray, parts: Sequence[Danced], rng: np.random.Generator) -> Row:
    """Distance of at most 300 seconds of the dances to the nearest second of `reference`."""
    length = round(_DENSE_S * _DENSE_FPS)
    thin = [part.joints[:: round(FPS / _DENSE_FPS)] for part in parts]
    queries = np.concatenate([novelty.windows(part, length=length, hop=length) for part in thin if len(part) >= length])
    drawn = queries[np.sort(rng.permutation(len(queries))[:_DENSE_QUERIES])]
    found = novelty.evaluate_windows(reference, drawn)
    return {"nearest_m": found["nearest_median_m"], "replayed": found["replayed_ratio"]}


def over_seeds(rows: Sequence[Row]) -> Row:
    """Mean and, with two seeds or more, sample deviation (`KEY_sd`) of every figure; a floor keeps the mean of its own
    deviations, which are over draws."""
    out: Row = {"seeds": len(rows)}
    for key in rows[0]:
        if key.endswith("_sd"):
            continue
        known = [row[key] for row in rows if row.get(key) is not None]
        if not known:
            out[key] = None
            continue
        out[key] = round(float(np.mean(known))) if isinstance(known[0], int) else float(np.mean(known))
        if f"{key}_sd" in rows[0]:
            out[f"{key}_sd"] = float(np.mean([row[f"{key}_sd"] for row in rows]))
        elif len(known) > 1 and not isinstance(known[0], int):
            out[f"{key}_sd"] = float(np.std(known, ddof=1))
    return out


def twins_between(library: Library, reference: Material, material: Material) -> float:
    """Share of the reference's segments (mirrored copies left out) that have a twin in the material."""
    rows = library.store.columns("segments", ["clip", "twin_group", "mirrored"]).to_pylist()
    rows = [row for row in rows if not row["mirrored"]]
    chosen, held = set(material.clips), set(reference.clips)
    groups = {row["twin_group"] for row in rows if row["clip"] in chosen and row["twin_group"] >= 0}
    own = [row for row in rows if row["clip"] in held]
    return sum(row["twin_group"] in groups for row in own) / max(len(own), 1)


def notes_of(library: Library, rows: Sequence[Row], seeds: Sequence[int], given: bool) -> list[str]:
    """What a reader of the table has to know, one sentence each."""
    reference, material = halves(library, np.random.default_rng(seeds[0]))
    floor = ", ".join(f"{name} {rows[0][f'fid_{key}_median']:.1f}" for key, name in _SPACES.items())
    few = [f"{row['row']} {row['windows']}" for row in rows if row["row"] != FLOOR and row["windows"] < ENOUGH_WINDOWS]
    equal = min(row["windows"] for row in rows if row["row"] != FLOOR)
    share = twins_between(library, reference, material)
    notes = [
        f"Mean ± sample deviation over {len(seeds)} seed{'s' if len(seeds) > 1 else ''} (each another split, another plan); "
        + ("songs: as given." if given else "songs: the library's own, of the reference half."),
        f"Windows of {WINDOW_S:g} s every {HOP_S:g} s; 'disjoint' is how many do not overlap. 'at equal n': FID of "
        f"{equal} windows drawn from each row, since FID falls as windows are added.",
        f"The halves are not independent: {share:.0%} of the reference's segments have a twin in the material (first seed). "
        "The floor row's windows overlap, too; the ground truth row is the floor that counts.",
        f"Median of the floor's draws, which a few unusual windows do not move: {floor}.",
    ]
    if few:
        notes.append(
            f"FEWER THAN {ENOUGH_WINDOWS} WINDOWS: {', '.join(few)}. Differences of the floor's size say nothing."
        )
    return notes


_COLUMNS = (
    Column("row", "", "s"),
    Column("windows", "windows", ".0f"),
    Column("disjoint_windows", "disjoint", ".0f"),
    *dances.SET_COLUMNS,
    Column("fid_k_equal", "FID_k at equal n"),
    Column("fid_g_varying_equal", "FID_g varying at equal n"),
)
_DANCE_COLUMNS = (
    Column("row", "", "s"),
    *dances.BEAT_COLUMNS,
    Column("shuffled", "other songs", ".3f"),
    Column("shuffled_z", "z", ".2f"),
    *dances.PUBLISHED_BEAT_COLUMNS,
    *dances.BODY_COLUMNS,
    Column("seam_ratio", "seam ratio", ".2f"),
    Column("captured_ratio", "captured", "%"),
    Column("mirrored_ratio", "mirrored", "%"),
    Column("longest_verbatim_run_s", "longest run s", ".1f"),
    Column("clips_per_minute", "clips/min", ".1f"),
    Column("nearest_m", "nearest m", ".3f"),
    Column("replayed", "replayed", "%"),
)
_LEGEND = (
    "FID and diversity: k and g as published (missing parenthesis, 1/60 and 1/120 s), 'corrected' as the text means, "
    "'varying' without the questions that the reference answers alike; all against the reference half. Beat alignment over "
    "the music's beats (librosa's, which no row plans with), sigma 50 ms; chance: the same music at random phase; z: mean "
    "over dances of (score - chance) / sd. PFC over 5-s windows at 30 fps. Skating, floating: share of steps in contact, "
    "contacts being the source's. Random clips: windows lie between its hard cuts. Captured: frames that are no blend. Nearest: median distance of a second of dance to the "
    "nearest second of the material (ground truth: of the reference); replayed: nearer than 3 cm."
)


def format_table(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """The rows as two Markdown tables, and what they mean."""
    return "\n".join(
        [
            markdown(rows, _COLUMNS),
            "",
            markdown(rows[1:], _DANCE_COLUMNS),
            "",
            _LEGEND,
            "",
            *(f"- {note}" for note in notes),
        ]
    )


def figures(rows: Sequence[Row]) -> tuple[Bars, ...]:
    """Distance and beat alignment as bars, with floor and chance."""
    floor, scored = rows[0], rows[1:]
    labels = tuple(str(row["row"]) for row in scored)
    distance = Bars(
        "generation-fid", "FID_k, corrected, to captured dances not used (less is nearer)", labels,
        tuple(row["fid_k_corrected"] for row in scored), tuple(row.get("fid_k_corrected_sd", 0.0) for row in scored),
        ((floor["fid_k_corrected_median"], "floor"),),
    )  # fmt: skip
    known = [row for row in scored if row.get("beats") is not None]
    if not known:
        return (distance,)
    level = float(np.mean([row["chance"] for row in known]))
    beat = Bars(
        "generation-beats", "Beat alignment over music beats", tuple(str(row["row"]) for row in known),
        tuple(row["beats"] for row in known), tuple(row.get("beats_sd", 0.0) for row in known), ((level, "chance"),),
    )  # fmt: skip
    return (distance, beat)
