"""`bench refine`: whether seams can be seen, gaps filled, feet hold and detail stays, before and after refining.

The library's clips, but for those that the refiner's weights were trained on, are split into two halves by song; each
half is danced to songs of the other. A classifier trained on one half is tested on the other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import distribution
from choreodb.benchmarks.runs import dance, inbetween, refiners, seam_classifier, usual_denoiser
from choreodb.benchmarks.runs.baselines import Material
from choreodb.benchmarks.runs.dances import floor_row
from choreodb.benchmarks.runs.generation import ENOUGH_WINDOWS, halves
from choreodb.benchmarks.runs.inbetween import INERTIAL as BRIDGED
from choreodb.benchmarks.runs.inbetween import SLERP, Fill
from choreodb.benchmarks.runs.refine_dances import (
    CAPTURED,
    HARD,
    INERTIAL,
    LINEAR,
    PHYSICS,
    Features,
    Half,
    Maker,
    Refine,
    Scores,
    captured_features,
    captured_scores,
)
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.songs import paired_songs
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.benchmarks.runs.verdicts import said
from choreodb.errors import QueryError
from choreodb.indexer.encoders import recorded
from choreodb.threads import one_thread

if TYPE_CHECKING:
    from choreodb.library import Library
    from choreodb.music.music import Music
    from choreodb.refiner.denoiser.refine import Denoiser

Array = npt.NDArray[np.float64]

SEAMS, QUICK_SEAMS = 520, 30
"""Seams with a whole window, for each half of the clips."""
ROUNDS, QUICK_ROUNDS = 12, 2
"""Plans of each song at most."""
GAPS, QUICK_GAPS = 150, 12
CLIPS = 40
DRAWS = 100
VALID_HARD, VALID_LOW, VALID_HIGH = 0.95, 0.45, 0.55
GOAL_DROP, GOAL_AUC, GOAL_HIGH = 0.10, 0.55, 0.70
DETAIL = 0.05
SONG_S, GOAL_CPU_S, GOAL_TIMES = 180.0, 10.0, 20.0
_COMPONENTS = 16
_FEET = ("penetration", "floating", "slide_m_s", "slide_ratio")


def run(request: BenchRequest) -> BenchResult:
    """Run on the request's library and songs; without songs, on the library's own where the data folder holds them, else
    on songs of the sample band. QueryError without a library."""
    from choreodb.library import Library

    if request.library is None:
        raise QueryError("bench refine needs a library; give `bench refine LIB [SONG...]`")
    library = Library.open(request.library)
    denoiser = _denoiser(request.refiner)
    trained_on = denoiser.origins if denoiser is not None else frozenset()
    with ExitStack() as stack:
        paired = {} if request.songs else paired_songs(library, request.data)
        given = request.songs
        if not given and not paired:
            given = _band(Path(stack.enter_context(tempfile.TemporaryDirectory())), 2 if request.quick else 10)
        with one_thread():
            rows, notes = bench_refine(
                library,
                given,
                paired,
                refiners.contenders(denoiser, recorded.of_store(library.store)),
                refiners.fillers(denoiser),
                held_out=_held_out(library, trained_on),
                seed=request.seed,
                quick=request.quick,
                progress=request.progress,
            )
    return BenchResult("refine", rows, format_table(rows, notes))


def _denoiser(path: Path | None) -> Denoiser | None:
    if path is None:
        return None
    from choreodb.refiner.denoiser.refine import Denoiser

    return Denoiser.load(path)


def _held_out(library: Library, trained_on: frozenset[str]) -> Callable[[str], bool]:
    """Whether a clip is neither from a file that the refiner was trained on nor a twin of one."""
    rows = library.store.columns("clips", ["clip", "source_sha256"]).to_pylist()
    seen = {row["clip"] for row in rows if row["source_sha256"] in trained_on}
    segments = library.store.columns("segments", ["clip", "twin_group"]).to_pylist()
    groups = {row["twin_group"] for row in segments if row["clip"] in seen and row["twin_group"] >= 0}
    twins = {row["clip"] for row in segments if row["twin_group"] in groups}
    return lambda clip: clip not in seen and clip not in twins


def _band(folder: Path, count: int) -> tuple[Path, ...]:
    from choreodb import sample
    from choreodb.sample.styles import STYLES

    paths = []
    for number in range(count):
        style = list(STYLES)[number % len(STYLES)]
        paths.append(folder / f"{style}-{number}.flac")
        sample.make_song(paths[-1], style=style, seconds=40.0, seed=3000 + number)
    return tuple(paths)


def bench_refine(
    library: Library,
    given: Sequence[Path],
    paired: Mapping[str, Path],
    contenders: Mapping[str, Refine],
    fillers: Mapping[str, Fill],
    *,
    seed: int = 0,
    quick: bool = False,
    held_out: Callable[[str], bool] | None = None,
    progress: Callable[..., None] | None = None,
) -> tuple[list[Row], list[str]]:
    """(rows of every kind, notes). given: songs for both halves; where empty, each half's `paired` songs are danced by the
    other. contenders, fillers: what refines dances and what fills gaps. held_out: whether a clip may be used."""
    tell = progress or (lambda *_: None)
    encoder = recorded.of_store(library.store)
    split = halves(library, np.random.default_rng(seed))
    split = (_only(split[0], held_out), _only(split[1], held_out))
    names = (HARD, LINEAR, INERTIAL, *contenders)
    found = []
    for number, material in enumerate(split):
        songs = list(given) or _songs_of(library, split[1 - number], paired)
        half = Half(material, songs, {name: Scores() for name in names})
        _fill(half, contenders, encoder, seed, quick, tell, number)
        found.append(half)
    tell("telling seams", 0, 0)
    rows = seam_rows(found, seed)
    tell("filling gaps", 0, 0)
    rows += _inbetween_rows(library, split, fillers, seed, quick)
    tell("measuring", 0, 0)
    rows += feet_rows(found)
    rows += detail_rows(found)
    rows += set_rows(found, encoder, seed)
    rows += beat_rows(found, seed)
    rows += speed_rows(found)
    return rows, _notes(found, rows)


def _only(material: Material, held_out: Callable[[str], bool] | None) -> Material:
    clips = tuple(clip for clip in material.clips if held_out is None or held_out(clip))
    if not clips:
        raise QueryError(
            "bench refine has no clips that the refiner was not trained on; index some, or train with less"
        )
    return Material(material.library, clips)


def _songs_of(library: Library, material: Material, paired: Mapping[str, Path]) -> list[Path]:
    rows = library.store.columns("clips", ["clip", "music"]).to_pylist()
    chosen = set(material.clips)
    found = list(
        dict.fromkeys(paired[row["music"]] for row in rows if row["clip"] in chosen and row["music"] in paired)
    )
    return found or list(paired.values())


def _fill(
    half: Half, contenders: Mapping[str, Refine], encoder: object, seed: int, quick: bool,
    tell: Callable[..., None], number: int,
) -> None:  # fmt: skip
    """Dance until there are seams enough, or every song has been danced to in `ROUNDS` ways."""
    from choreodb.music.music import Music

    maker = Maker(half, contenders, encoder, seed)  # type: ignore[arg-type]
    wanted, rounds = (QUICK_SEAMS, QUICK_ROUNDS) if quick else (SEAMS, ROUNDS)
    loaded: dict[Path, Music] = {}
    for turn in range(rounds):
        for place, path in enumerate(half.songs):
            if half.seams >= wanted:
                return
            tell(f"dancing, half {number + 1} of 2", half.seams, wanted)
            loaded.setdefault(path, Music.load(path))
            maker.dance(loaded[path], seed + turn, place)


def seam_rows(found: Sequence[Half], seed: int) -> list[Row]:
    """How well either classifier tells each row's seams from captured motion, and captured motion from itself."""
    captured = [np.concatenate(half.captured) for half in found]
    groups = [np.array([_name(place.clips) for place in half.places], dtype=np.int64) for half in found]
    rows = []
    for name in (CAPTURED, *found[0].rows):
        if name == CAPTURED:
            made, owner = [np.concatenate(half.apart) for half in found], [np.arange(len(half.apart)) for half in found]
        else:
            made, owner = [np.concatenate(half.rows[name].windows) for half in found], groups
        others = captured
        row: Row = {"kind": "seams", "row": name, "windows": sum(map(len, made)), "against": sum(map(len, others))}
        if min(map(len, [*made, *others])) >= 10:
            row |= _judged(made, others, owner, seed)
        rows.append(row)
    return _with_seam_verdicts(rows)


def _name(clips: tuple[str, str]) -> int:
    """A number for the clip that a seam leaves: its windows are drawn together."""
    import zlib

    return zlib.crc32(clips[0].encode())


def _judged(
    made: Sequence[npt.NDArray[np.float32]], others: Sequence[npt.NDArray[np.float32]],
    owner: Sequence[npt.NDArray[np.int64]], seed: int,
) -> Row:  # fmt: skip
    told = [seam_classifier.figures(windows) for windows in made]
    from_these = [seam_classifier.figures(windows) for windows in others]
    row: Row = dict(seam_classifier.trial(told, from_these, owner, seam_classifier.by_figures, seed))
    if seam_classifier.has_network():
        by_network = seam_classifier.trial(made, others, owner, seam_classifier.by_network, seed)
        row |= {f"network_{key}": value for key, value in by_network.items()}
    return row


def _worst(row: Row, key: str = "auc") -> float | None:
    """The larger of the two classifiers' figures."""
    known = [row[name] for name in (key, f"network_{key}") if row.get(name) is not None]
    return max(known) if known else None


def _with_seam_verdicts(rows: list[Row]) -> list[Row]:
    by_name = {row["row"]: row for row in rows}
    baseline = _worst(by_name[PHYSICS]) if PHYSICS in by_name else None
    for name, row in by_name.items():
        worst, high = _worst(row), _worst(row, "auc_high")
        if worst is None or high is None:
            continue
        if name == CAPTURED:
            both = [row["auc"], row.get("network_auc", row["auc"])]
            row["verdict"] = "valid" if all(VALID_LOW <= each <= VALID_HIGH for each in both) else "NOT VALID"
        elif name == HARD:
            row["verdict"] = "valid" if worst >= VALID_HARD else "NOT VALID"
        elif name not in (LINEAR, INERTIAL):
            better = name != PHYSICS and baseline is not None and worst <= baseline - GOAL_DROP
            row["verdict"] = said((worst <= GOAL_AUC or better) and high <= GOAL_HIGH)
    return rows


def _inbetween_rows(
    library: Library, split: Sequence[Material], fillers: Mapping[str, Fill], seed: int, quick: bool
) -> list[Row]:
    lengths = {**split[0].lengths, **split[1].lengths}
    fills: dict[str, Fill] = {SLERP: inbetween.by_slerp, BRIDGED: inbetween.by_inertialisation, **fillers}
    rows = inbetween.rows(library.store.read_motion, lengths, fills, most=QUICK_GAPS if quick else GAPS, seed=seed)
    for row in rows:
        gains = [row[key][0] for key in row if key.startswith("gain_")]
        if gains and row["gap_s"] >= 1.0:
            row["verdict"] = said(min(gains) > 0.0)
    return rows


def feet_rows(found: Sequence[Half]) -> list[Row]:
    """Feet of every row beside the captured clips'."""
    captured = dance.summary([part for half in found for part in captured_scores(half.material, CLIPS // 2)])
    rows = [{"kind": "feet", "row": CAPTURED, **_foot_figures(captured)}]
    for name in found[0].rows:
        parts = [part for half in found for part in half.rows[name].measured]
        row: Row = {"kind": "feet", "row": name, **_foot_figures(dance.summary(parts))}
        if name not in (HARD, LINEAR, INERTIAL):
            worse = [key for key in _FEET if row[key] > rows[0][key]]
            row["verdict"] = said(not worse) + "".join(f", {key}" for key in worse)
        rows.append(row)
    return rows


def _foot_figures(summary: Row) -> Row:
    keys = ("seconds", *_FEET, "deepest_m", "seams", "passed", "worst_speed")
    return {key: summary.get(key) for key in keys}


def detail_rows(found: Sequence[Half]) -> list[Row]:
    """Fast energy and peak speed over those of the captured frames that the dances are made of, means over dances."""
    rows: list[Row] = []
    keys = ("energy", "energy_near", "peak", "peak_near")
    for name in found[0].rows:
        each = np.array([part for half in found for part in half.rows[name].energy])
        if not len(each):
            continue
        mean = each.mean(axis=0)
        row: Row = {"kind": "detail", "row": name, **{key: float(value) for key, value in zip(keys, mean, strict=True)}}
        if name != INERTIAL:
            row["verdict"] = said(bool(np.all(np.abs(mean - 1.0) <= DETAIL)))
        rows.append(row)
    return rows


def set_rows(found: Sequence[Half], encoder: object, seed: int) -> list[Row]:
    """FID and diversity of 5-s windows before refining and after, against captured clips that the dances are not made of."""
    rng = np.random.default_rng(seed)
    reference = [captured_features(half.material, encoder) for half in reversed(found)]  # type: ignore[arg-type]
    rows: list[Row] = []
    if min(len(each.embedding) for each in reference) < 4:
        return rows
    basis = _basis(np.concatenate([each.embedding for each in reference]))
    before = [_features_of(half, INERTIAL) for half in found]
    if any(each is None or len(each.embedding) < 4 for each in before):
        return rows
    floors = [floor_row(each.figures, max(2, len(each.figures) // 2), rng) for each in reference]
    floor: Row = {key: float(np.mean([each[key] for each in floors])) for key in floors[0] if not key.endswith("_sd")}
    counts = [len(each.embedding) for each in reference]
    rows.append({"kind": "set", "row": f"floor: {CAPTURED} against itself", "windows": sum(counts), **floor})
    for name in found[0].rows:
        after = [_features_of(half, name) for half in found]
        if any(each is None for each in after):
            continue
        row: Row = {"kind": "set", "row": name, "windows": sum(len(each.embedding) for each in after if each)}
        row["disjoint_windows"] = int(sum(half.rows[name].seconds for half in found) // 5.0)
        pairs = zip(reference, after, strict=True)
        scores = [_set_scores(captured, made, basis) for captured, made in pairs if made is not None]
        row |= {key: float(np.mean([each[key] for each in scores])) for key in scores[0]}
        if name != INERTIAL:
            row |= _set_changes(reference, before, after, basis, rng)
        rows.append(row)
    return rows


def _features_of(half: Half, name: str) -> Features | None:
    return half.rows[name].features() if half.rows[name].figures else None


def _basis(embedding: npt.NDArray[np.float32]) -> Array:
    """Main directions [256, 16] of embeddings: a distance in all of them needs more windows than there are."""
    centred = embedding.astype(np.float64) - embedding.mean(axis=0)
    return np.asarray(np.linalg.svd(centred, full_matrices=False)[2][:_COMPONENTS].T)


def _set_scores(reference: Features, estimate: Features, basis: Array) -> Row:
    row: Row = {}
    for name, of in _spaces(basis).items():
        row[f"fid_{name}"] = distribution.frechet_distance(of(reference), of(estimate))
        row[f"div_{name}"] = distribution.diversity(of(estimate), reference=of(reference))
    return row


def _spaces(basis: Array) -> dict[str, Callable[[Features], Array]]:
    return {
        "k_corrected": lambda each: np.asarray(each.figures.kinetic_corrected, dtype=np.float64),
        "g": lambda each: np.asarray(each.figures.geometric, dtype=np.float64),
        "own": lambda each: np.asarray(each.embedding @ basis, dtype=np.float64),
    }


def _set_changes(
    reference: Sequence[Features], before: Sequence[Features | None], after: Sequence[Features | None], basis: Array,
    rng: np.random.Generator,
) -> Row:  # fmt: skip
    """95 % intervals of the change from before to after, whole dances drawn again; passed where none is for the worse."""
    draws: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        parts: dict[str, list[float]] = {}
        for captured, old, new in zip(reference, before, after, strict=True):
            if old is None or new is None:
                continue
            rows = _drawn(old.dance, rng)
            was, now = _set_scores(captured, old.rows(rows), basis), _set_scores(captured, new.rows(rows), basis)
            for key in was:
                parts.setdefault(key, []).append(now[key] - was[key])
        for key, values in parts.items():
            draws.setdefault(key, []).append(float(np.mean(values)))
    row: Row = {}
    worse = []
    for key, found in draws.items():
        low, high = np.percentile(found, (2.5, 97.5))
        row[f"change_{key}"] = [float(low), float(high)]
        if (key.startswith("fid") and low > 0.0) or (key.startswith("div") and high < 0.0):
            worse.append(key)
    row["verdict"] = said(not worse) + "".join(f", {key}" for key in worse)
    return row


def _drawn(owner: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    count = int(owner.max()) + 1
    chosen = rng.integers(count, size=count)
    return np.concatenate([np.flatnonzero(owner == each) for each in chosen])


def beat_rows(found: Sequence[Half], seed: int) -> list[Row]:
    """Beat score less its shuffled baseline; what refining changes, as a 95 % interval over dances."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    before = np.array([part for half in found for part in half.rows[INERTIAL].beats])
    for name in found[0].rows:
        each = np.array([part for half in found for part in half.rows[name].beats])
        if not len(each):
            continue
        score, shuffled = each.mean(axis=0)
        row: Row = {"kind": "beats", "row": name, "beats": float(score), "shuffled": float(shuffled),
                    "above": float(score - shuffled)}  # fmt: skip
        if name != INERTIAL:
            change = (each[:, 0] - each[:, 1]) - (before[:, 0] - before[:, 1])
            drawn = change[rng.integers(len(change), size=(1000, len(change)))].mean(axis=1)
            low, high = np.percentile(drawn, (2.5, 97.5))
            row |= {"change": [float(low), float(high)], "verdict": said(bool(high >= 0.0))}
        rows.append(row)
    return rows


def speed_rows(found: Sequence[Half]) -> list[Row]:
    """CPU seconds of stitching, or of stitching and refining, for three minutes of dance; one thread."""
    rows: list[Row] = []
    for name in found[0].rows:
        spent = sum(half.rows[name].cpu_s for half in found)
        seconds = sum(half.rows[name].seconds for half in found)
        rows.append({"kind": "speed", "row": name, "cpu_s": SONG_S * spent / max(seconds, 1e-9), "seconds": seconds})
    rows = [row for row in rows if row["row"] not in (HARD, LINEAR)]
    if seam_classifier.has_network():
        usual_s, size = usual_denoiser.cpu_s_for(SONG_S)
        for row in rows:
            row["times"] = usual_s / max(row["cpu_s"], 1e-9)
            if row["row"] != INERTIAL:
                row["verdict"] = said(row["cpu_s"] <= GOAL_CPU_S and row["times"] >= GOAL_TIMES)
        rows.append(
            {"kind": "speed", "row": f"50-step guided denoiser, {size / 1e6:.0f} M, nothing else", "cpu_s": usual_s}
        )
    return rows


def _notes(found: Sequence[Half], rows: Sequence[Row]) -> list[str]:
    distinct = sum(
        len({(place.clips, round(place.at[0]), round(place.at[1])) for place in half.places}) for half in found
    )
    notes = [
        f"{sum(half.seams for half in found)} seams ({distinct} of them different) of "
        f"{sum(len(half.rows[INERTIAL].measured) for half in found)} dances; clips: "
        f"{' and '.join(str(len(half.material.clips)) for half in found)}; plans of variety 1 that take short takes, so "
        "that there are many seams.",
    ]
    few = [
        row["row"] for row in rows if row["kind"] == "seams" and min(row["windows"], row["against"]) < ENOUGH_WINDOWS
    ]
    if few:
        notes.append(f"FEWER THAN {ENOUGH_WINDOWS} WINDOWS A CLASS: {', '.join(few)}.")
    if not seam_classifier.has_network():
        notes.append("The second classifier needs torch (`pip install choreodb[torch]`) and was left out.")
    return notes


_INTERVALS = (("change_fid_k_corrected", "FID_k change"), ("change_fid_g", "FID_g change"), ("change_fid_own", "FID own change"),
              ("change_div_k_corrected", "Div_k change"), ("change_div_g", "Div_g change"))  # fmt: skip
_TABLES: tuple[tuple[str, str, tuple[Column, ...]], ...] = (
    ("seams", "Seams told from captured motion (AUC, 0.5: not at all). Windows of 0.8 s on either side of a join; captured windows at the "
     "very places that the joins leave and enter, played at the same rate. 'captured': the other side of each join, valid from 0.45 to "
     "0.55; hard cuts are valid from 0.95. Passed at 0.55, or 0.10 below physics, and an upper bound of 0.70, the worse classifier counting:", (
        Column("row", "", "s"), Column("windows", "windows", "d"), Column("against", "captured", "d"), Column("auc", "AUC, figures", ".3f"),
        Column("auc_low", "95 % low", ".3f"), Column("auc_high", "high", ".3f"), Column("network_auc", "AUC, network", ".3f"),
        Column("network_auc_low", "95 % low", ".3f"), Column("network_auc_high", "high", ".3f"), Column("verdict", "verdict", "s"))),
    ("in-between", "Gaps in captured motion, filled (mean distance of joints and of their velocities); gain: over slerp and over inertialisation, "
     "95 % of draws of clips; passed where no gain can be 0 at 1 s and more:", (
        Column("gap_s", "gap s", ".1f"), Column("row", "", "s"), Column("gaps", "gaps", "d"), Column("clips", "clips", "d"),
        Column("position_m", "position m", ".4f"), Column("velocity_m_s", "velocity m/s", ".4f"), Column("gain_m_slerp", "gain m", "s"),
        Column("gain_m_s_slerp", "m/s", "s"), Column("gain_m_inertialisation", "gain m", "s"), Column("gain_m_s_inertialisation", "m/s", "s"),
        Column("verdict", "verdict", "s"))),
    ("feet", "Feet among the source's contacts (as in `bench dance`); passed where no figure is above the captured clips':", (
        Column("row", "", "s"), Column("seconds", "seconds", ".0f"), Column("slide_ratio", "skating", "%"), Column("slide_m_s", "slide m/s", ".4f"),
        Column("penetration", "penetration", "%"), Column("floating", "floating", "%"), Column("deepest_m", "deepest m", ".3f"),
        Column("passed", "seams pass", "%"), Column("verdict", "verdict", "s"))),
    ("detail", "Energy above 6 Hz and peak joint speed (per second), over those of the captured frames that the dance is made of, in the whole "
     "dance and within 0.5 s of seams; passed within 5 % each:", (
        Column("row", "", "s"), Column("energy", "energy", ".3f"), Column("energy_near", "near seams", ".3f"), Column("peak", "peak speed", ".3f"),
        Column("peak_near", "near seams", ".3f"), Column("verdict", "verdict", "s"))),
    ("set", "Windows of 5 s every 2 s against the clips of the other half; own: 16 main directions of the library's embedding. Change: from "
     "inertialisation, 95 % of draws of dances; passed where no FID is surely larger and no diversity surely smaller:", (
        Column("row", "", "s"), Column("windows", "windows", "d"), Column("disjoint_windows", "disjoint", "d"), Column("fid_k_corrected", "FID_k"),
        Column("fid_g", "FID_g"), Column("fid_own", "FID own"), Column("div_k_corrected", "Div_k"), Column("div_g", "Div_g"),
        Column("div_own", "Div own"), *(Column(key, title, "s") for key, title in _INTERVALS), Column("verdict", "verdict", "s"))),
    ("beats", "Beat alignment less its shuffled baseline; change: from inertialisation, 95 % of draws of dances; passed where it may be none:", (
        Column("row", "", "s"), Column("beats", "beats", ".3f"), Column("shuffled", "shuffled", ".3f"), Column("above", "above", ".3f"),
        Column("change", "change", "s"), Column("verdict", "verdict", "s"))),
    ("speed", "Stitching, and refining where the row does, CPU seconds for three minutes of dance on one thread; passed within 10 s and at a "
     "twentieth of a guided denoiser of the usual shape (random weights, timed in this run):", (
        Column("row", "", "s"), Column("cpu_s", "CPU s", ".3f"), Column("times", "times less than the last row", ".0f"),
        Column("seconds", "behind it s", ".0f"), Column("verdict", "verdict", "s"))),
)  # fmt: skip


def format_table(rows: Sequence[Row], notes: Sequence[str]) -> str:
    """All rows as tables with what they mean, and the notes."""
    parts = []
    for kind, note, columns in _TABLES:
        chosen = [_readable(row) for row in rows if row["kind"] == kind]
        if chosen:
            parts.append(f"{note}\n\n" + markdown(chosen, columns))
    return "\n\n".join([*parts, "\n".join(f"- {note}" for note in notes)])


def _readable(row: Row) -> Row:
    """Intervals as text."""
    return {
        key: f"{value[0]:+.3f} to {value[1]:+.3f}" if isinstance(value, list) else value for key, value in row.items()
    }
