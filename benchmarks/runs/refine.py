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

from choreodb.benchmarks.runs import inbetween, refine_rows, refiners, seam_classifier
from choreodb.benchmarks.runs.baselines import Material
from choreodb.benchmarks.runs.generation import ENOUGH_WINDOWS, halves
from choreodb.benchmarks.runs.inbetween import INERTIAL as BRIDGED
from choreodb.benchmarks.runs.inbetween import SLERP, Fill
from choreodb.benchmarks.runs.refine_dances import (
    HARD,
    INERTIAL,
    LINEAR,
    Half,
    Maker,
    Refine,
    Scores,
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
    from choreodb.refiner.denoiser.denoiser import Denoiser

Array = npt.NDArray[np.float64]

SEAMS, QUICK_SEAMS = 560, 30
"""Seams with a whole window, for each half of the clips."""
ROUNDS, QUICK_ROUNDS = 12, 2
"""Plans of each song at most."""
GAPS, QUICK_GAPS = 150, 12


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
    from choreodb.refiner.denoiser.denoiser import Denoiser

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
    rows = refine_rows.seam_rows(found, seed)
    tell("filling gaps", 0, 0)
    rows += _inbetween_rows(library, split, fillers, seed, quick)
    tell("measuring", 0, 0)
    rows += refine_rows.feet_rows(found)
    rows += refine_rows.detail_rows(found)
    rows += refine_rows.set_rows(found, encoder, seed)
    rows += refine_rows.beat_rows(found, seed)
    rows += refine_rows.speed_rows(found)
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
    ("feet", "Feet among the source's contacts (as in `bench dance`), which no refiner can change; low: of the points that are less than 2.5 cm "
     "over where they stand, whatever the contacts say, how many slide; passed where no figure is above the captured clips'; the dances show "
     "some captured frames oftener than others, so they stand beside them too:", (
        Column("row", "", "s"), Column("seconds", "seconds", ".0f"), Column("slide_ratio", "skating", ".2%"), Column("slide_m_s", "slide m/s", ".4f"),
        Column("penetration", "penetration", ".2%"), Column("floating", "floating", ".2%"), Column("deepest_m", "deepest m", ".3f"),
        Column("low_slide_ratio", "low", "%"), Column("passed", "seams pass", "%"), Column("verdict", "verdict", "s"),
        Column("above_same", "above those frames", "s"))),
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
