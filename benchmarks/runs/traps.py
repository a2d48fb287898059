"""`bench traps`: every figure of "The traps, measured" in docs/metrics.md, measured anew.

The dances are the library's clips whose songs are found under the data folder, canonical motion at 60 fps; windows are
disjoint and 5 s long. A doc test compares the page with the last stored run (`choreodb.benchmarks.runs.trap_docs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import beats, distribution, feet, geometric, kinetic, novelty
from choreodb.benchmarks.metrics.joints import Joints
from choreodb.benchmarks.runs import baselines, dances
from choreodb.benchmarks.runs.baselines import Material
from choreodb.benchmarks.runs.dances import FPS, Danced, FeatureSet, Row
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult
from choreodb.benchmarks.runs.songs import Songs, paired_songs
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import QueryError
from choreodb.threads import one_thread

FloatArray = npt.NDArray[np.float64]

WINDOW_S = 5.0
SIZES = (10, 20, 40, 80)
USUAL_N = 40
"""Dances on which the field's tables usually rest."""

WATCHED: dict[str, Watch] = {}
"""None: these figures describe the scores, not the system."""

_LEAST_WINDOWS = 12
_GLIDE_S = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Disjoint windows of the dances. clip: [N] number of the dance each is cut from; style: [N] its style."""

    joints: list[FloatArray]
    clip: npt.NDArray[np.int64]
    style: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.joints)


def run(request: BenchRequest) -> BenchResult:
    """Run on the request's library and the songs of its clips in the data folder; QueryError where there are too few."""
    from choreodb.library import Library

    if request.library is None:
        raise QueryError("bench traps needs a library and its songs; give `bench traps LIB --data DIR`")
    library = Library.open(request.library)
    paired = paired_songs(library, request.data)
    chosen = library.store.columns("clips", ["clip", "music", "style"]).to_pylist()
    styles = {row["clip"]: row["style"] or "" for row in chosen if row["music"] in paired}
    if len(styles) < 2:
        raise QueryError(
            f"bench traps found the songs of {len(styles)} clips; name the folder that holds them with --data"
        )
    with one_thread():
        material = Material(library, tuple(sorted(styles)))
        danced = baselines.captured(material, paired, Songs())
        rows = bench_traps(danced, styles, seed=request.seed, draws=20 if request.quick else 200, tell=request.progress)
    return BenchResult("traps", rows, format_table(rows))


def bench_traps(
    danced: Sequence[Danced], styles: dict[str, str], *, seed: int, draws: int, tell: Callable[..., None]
) -> list[Row]:
    """All rows. danced: with beats. styles: by the dances' names. draws: of floors and chance."""
    pieces = _pieces(danced, styles)
    if len(pieces) < _LEAST_WINDOWS:
        raise QueryError(f"bench traps has {len(pieces)} windows of {WINDOW_S:g} s; it needs {_LEAST_WINDOWS}")
    protocol = [distribution.protocol_joints(window) for window in pieces.joints]
    features = dances.feature_set(pieces.joints)
    rng = np.random.default_rng(seed)
    parts: tuple[tuple[str, Callable[[], list[Row]]], ...] = (
        ("beat scores", lambda: two_scores(danced)),
        ("chance", lambda: chance(danced, draws, rng)),
        ("acceleration", lambda: parenthesis(protocol)),
        ("frame rates", lambda: frame_rates(pieces, features, rng)),
        ("floors", lambda: floors(features, draws, rng)),
        ("styles", lambda: constant_questions(pieces, features, draws, rng)),
        ("replays", lambda: replays(pieces, features, draws, rng)),
        ("feet", lambda: contact_score(pieces)),
        ("rounding", rounding),
    )
    rows: list[Row] = [
        _fact("size", "dances", len(danced)),
        _fact("size", "minutes", sum(each.duration_s for each in danced) / 60.0),
        _fact("size", "disjoint windows of 5 s", len(pieces)),
        _fact("size", "draws of floors and of chance", draws),
    ]
    for number, (name, part) in enumerate(parts):
        tell(name, number, len(parts))
        rows += part()
    return rows


def _fact(trap: str, name: str, value: float) -> Row:
    return {"kind": trap, "row": name, "value": float(value)}


def _pieces(danced: Sequence[Danced], styles: dict[str, str]) -> Pieces:
    cuts = [dances.cut(each.joints, window_s=WINDOW_S, hop_s=WINDOW_S) for each in danced]
    counts = [len(found) for found in cuts]
    return Pieces(
        [window for found in cuts for window in found],
        np.repeat(np.arange(len(danced)), counts),
        np.repeat(np.array([styles[each.name] for each in danced]), counts),
    )


def _music(dance: Danced) -> FloatArray:
    known = np.empty(0) if dance.beats_s is None else dance.beats_s
    return known[(known >= 0.0) & (known < dance.duration_s)]


def two_scores(danced: Sequence[Danced]) -> list[Row]:
    """Both published beat scores of real dances, of a dancer who beats all the time, and of one who beats once."""
    variants: tuple[beats.Alignment, ...] = ("bailando", "mint")
    real: dict[str, list[float]] = {variant: [] for variant in variants}
    busy: dict[str, list[float]] = {variant: [] for variant in variants}
    lazy: dict[str, list[float]] = {variant: [] for variant in variants}
    for dance in (each for each in danced if len(_music(each)) > 1):
        music = np.round(_music(dance) * FPS)
        always = np.arange(4, len(dance.joints), 8)
        for variant in variants:
            own = beats.motion_beats(dance.joints, variant=variant, fps=FPS)
            real[variant].append(beats.beat_alignment(own, music, variant=variant))
            busy[variant].append(beats.beat_alignment(always, music, variant=variant))
            lazy[variant].append(beats.beat_alignment(music[:1], music, variant=variant))
    named = (
        ("the real dances", real),
        ("a motion beat every 8 frames", busy),
        ("a single motion beat, on the music", lazy),
    )
    rows = [
        {"kind": "two scores", "row": name, **{variant: float(np.mean(each[variant])) for variant in variants}}
        for name, each in named
    ]
    agreement = rank_correlation(real["bailando"], real["mint"])
    return [*rows, _fact("two scores, agreement", "rank correlation of the two between dances", agreement)]


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's correlation; 0 where one side is constant."""
    from scipy.stats import rankdata

    return correlation(rankdata(a), rankdata(b))


def correlation(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Pearson's correlation; 0 where one side is constant."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def chance(danced: Sequence[Danced], draws: int, rng: np.random.Generator) -> list[Row]:
    """Alignment of real dances beside the same music at random phase and other songs, over either side's beats."""
    known = [each for each in danced if len(_music(each)) > 1]
    rows = []
    sides: tuple[beats.Over, ...] = ("music", "motion")
    for over in sides:
        found = [_against_chance(dance, known, over, draws, rng) for dance in known]
        mean = {key: float(np.mean([each[key] for each in found])) for key in found[0]}
        passed = float(np.mean([each["phase_z"] > 2.0 for each in found]))
        rows.append({"kind": "chance", "row": f"over {over} beats", **mean, "passed": passed})
    return rows


def _against_chance(
    dance: Danced, known: Sequence[Danced], over: beats.Over, draws: int, rng: np.random.Generator
) -> dict[str, float]:
    others = [each.beats_s for each in known if each is not dance and each.beats_s is not None]
    pool = [each for each in others if ((each >= 0.0) & (each < dance.duration_s)).any()]
    motion = beats.motion_beats_s(dance.joints, fps=FPS)
    return beats.chance(
        motion, _music(dance), duration_s=dance.duration_s, others_s=pool, over=over, draws=draws, rng=rng
    )


def parenthesis(windows: Sequence[Joints]) -> list[Row]:
    """What the published third kinetic feature measures: windows [T, 24, 3] with the first pelvis at the origin."""
    published = np.array([_third(window, "aistpp") for window in windows])
    meant = np.array([_third(window, "corrected") for window in windows])
    place = np.array([float(np.linalg.norm(window, axis=-1).mean()) for window in windows])
    frozen = np.array([_third(np.repeat(window[:1], len(window), axis=0), "aistpp") for window in windows])
    trap = "parenthesis"
    return [
        _fact(trap, "mean, as published, m/s²", published.mean()),
        _fact(trap, "mean acceleration, m/s²", meant.mean()),
        _fact(trap, "correlation with distance from the origin: 1 minus", 1.0 - correlation(published, place)),
        _fact(trap, "correlation with acceleration", correlation(published, meant)),
        _fact(trap, "frozen in the first pose, over moving", float(np.mean(frozen / published))),
    ]


def _third(window: Joints, variant: kinetic.Variant) -> float:
    return float(kinetic.kinetic_features(window, variant=variant, fps=FPS).reshape(-1, 3)[:, 2].mean())


def frame_rates(pieces: Pieces, features: FeatureSet, rng: np.random.Generator) -> list[Row]:
    """The fixed 1/60 s and 1/120 s: the same windows at 60 and at 30 frames a second."""
    slow = [window[::2] for window in pieces.joints]
    halved = distribution.features(slow, kind="kinetic")
    halved_right = distribution.features(slow, kind="kinetic_corrected", fps=FPS / 2.0)
    order = rng.permutation(len(pieces))
    first, second = order[: len(order) // 2], order[len(order) // 2 :]
    horizontal = [np.mean(each.reshape(len(each), -1, 3)[..., 0]) for each in (halved, features.kinetic)]
    fast = features.geometric[:, geometric.NAMES.index("right_hand_fast")]
    fid = distribution.frechet_distance
    right = features.kinetic_corrected
    trap = "frame rate"
    return [
        _fact(trap, "published horizontal energy at 30 fps over that at 60", float(horizontal[0] / horizontal[1])),
        _fact(trap, "FID_k, half at 60 fps against half at 60", fid(features.kinetic[first], features.kinetic[second])),
        _fact(trap, "FID_k, half at 60 fps against half at 30", fid(features.kinetic[first], halved[second])),
        _fact(trap, "FID_k corrected, both at 60", fid(right[first], right[second])),
        _fact(trap, "FID_k corrected, 60 against 30", fid(right[first], halved_right[second])),
        _fact(trap, "share of frames with `right_hand_fast`", float(fast.mean())),
    ]


def floors(features: FeatureSet, draws: int, rng: np.random.Generator) -> list[Row]:
    """The floor beneath FID by the number of windows, with 5 and 95 % of the draws."""
    rows = []
    half = len(features) // 2
    for n in [*(size for size in SIZES if size < half), half]:
        row: Row = {"kind": "floor", "row": str(n)}
        for name, values in spaces(features).items():
            drawn = distribution.floor_draws(values, n, rng, draws=draws)
            low, high = np.percentile(drawn, (5, 95))
            row |= {f"{name}": float(drawn.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}
        rows.append(row)
    return rows


def spaces(features: FeatureSet) -> dict[str, npt.NDArray[np.floating]]:
    """The three feature spaces in which distances are sane."""
    columns = distribution.varying_columns(features.geometric)
    return {
        "fid_k": features.kinetic,
        "fid_k_corrected": features.kinetic_corrected,
        "fid_g_varying": features.geometric[:, columns],
    }


def constant_questions(pieces: Pieces, features: FeatureSet, draws: int, rng: np.random.Generator) -> list[Row]:
    """Geometric questions that nobody answers yes, and what they do to FID_g; the commonest style against the others."""
    never = [name for name, share in zip(geometric.NAMES, features.geometric.T, strict=True) if not share.any()]
    trap = "constant question"
    rows = [
        _fact(trap, f"questions that never hold ({', '.join(never) or 'none'})", len(never)),
        _fact(trap, f"mean floor of FID_g at n = {_at_most(USUAL_N, features)}",
              float(distribution.floor_draws(features.geometric, _at_most(USUAL_N, features), rng, draws=draws).mean())),
    ]  # fmt: skip
    styles, counts = np.unique(pieces.style, return_counts=True)
    common = styles[np.argmax(counts)]
    own, other = np.flatnonzero(pieces.style == common), np.flatnonzero(pieces.style != common)
    if min(len(own), len(other)) < 2:
        return rows
    name = f"{common} against {', '.join(str(style) for style in styles if style != common)}"
    fid_g = distribution.frechet_distance(features.geometric[own], features.geometric[other])
    rows.append(_fact(trap, f"FID_g, {name}", fid_g))
    labels = {"fid_k": "FID_k", "fid_k_corrected": "FID_k corrected", "fid_g_varying": "FID_g, varying questions"}
    for key, values in spaces(features).items():
        found = distribution.frechet_distance(values[own], values[other])
        rows.append(_fact("styles", f"{labels[key]}, {name}", found))
    return rows


def _at_most(n: int, features: FeatureSet) -> int:
    return min(n, len(features) // 2)


def replays(pieces: Pieces, features: FeatureSet, draws: int, rng: np.random.Generator) -> list[Row]:
    """FID of windows copied out of the reference beside honest ones, and how far either is from the library."""
    n = _at_most(USUAL_N, features)
    honest = distribution.floor_draws(features.kinetic, n, rng, draws=draws)
    copied = np.array([_replayed(features.kinetic, n, rng) for _ in range(draws)])
    dense = np.stack(pieces.joints)[:, ::4]
    apart = np.concatenate([
        novelty.nearest_window_m(dense[pieces.clip != clip], dense[pieces.clip == clip])
        for clip in np.unique(pieces.clip)
    ])  # fmt: skip
    turned = _turned(dense[:n], rng)
    low, high = np.percentile(apart, (10, 90))
    trap = "replay"
    return [
        _fact(trap, f"FID_k of {n} replayed windows, mean", copied.mean()),
        _fact(trap, f"FID_k of {n} replayed windows, median", float(np.median(copied))),
        _fact(trap, f"FID_k of {n} honest windows, mean", honest.mean()),
        _fact(trap, f"FID_k of {n} honest windows, median", float(np.median(honest))),
        _fact(
            trap,
            "nearest window of a replay, turned and moved, m (largest)",
            novelty.nearest_window_m(dense, turned).max(),
        ),
        _fact(trap, "nearest window in other dances, m, median", float(np.median(apart))),
        _fact(trap, "nearest window in other dances, m, 10 %", float(low)),
        _fact(trap, "nearest window in other dances, m, 90 %", float(high)),
        _fact(trap, "windows with a twin (under 3 cm) in other dances", float(np.mean(apart < novelty.TWIN_M))),
    ]


def _replayed(values: npt.NDArray[np.floating], n: int, rng: np.random.Generator) -> float:
    """FID of n rows that are in the reference, against the reference of the same size as an honest draw's."""
    order = rng.permutation(len(values))
    reference = values[order[n:]]
    return distribution.frechet_distance(reference, reference[rng.permutation(len(reference))[:n]])


def _turned(windows: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Each window turned about the vertical and moved on the floor at random."""
    angle = rng.uniform(0.0, 2.0 * np.pi, (len(windows), 1, 1))
    place = rng.normal(size=(2, len(windows), 1, 1))
    x, z = windows[..., 0], windows[..., 2]
    return np.stack([
        np.cos(angle) * x + np.sin(angle) * z + place[0], windows[..., 1], np.cos(angle) * z - np.sin(angle) * x + place[1]
    ], axis=-1)  # fmt: skip


def contact_score(pieces: Pieces) -> list[Row]:
    """PFC at two rates, with the root moved by 10 cm in one frame, and of a pose that slides."""
    upright = [np.stack([w[..., 0], -w[..., 2], w[..., 1]], axis=-1) for w in pieces.joints]
    half = [window[::2] for window in upright]
    jumped = [window.copy() for window in half]
    for window in jumped:
        window[len(window) // 2, 0, 0] += 0.1
    slide = np.repeat(half[0][:1], len(half[0]), axis=0)
    slide[..., 0] += 0.05 * np.arange(len(slide))[:, None]
    trap = "PFC"
    return [
        _fact(trap, "at 30 fps, mean", float(np.mean([feet.pfc(window) for window in half]))),
        _fact(trap, "the same windows at 60 fps, mean", float(np.mean([feet.pfc(window, fps=60.0) for window in upright]))),
        _fact(trap, "at 30 fps, median", float(np.median([feet.pfc(window) for window in half]))),
        _fact(trap, "the same with the root moved by 10 cm in one frame, median", float(np.median([feet.pfc(window) for window in jumped]))),
        _fact(trap, "a pose that slides at a constant 1.5 m/s", feet.pfc(slide)),
    ]  # fmt: skip


def rounding() -> list[Row]:
    """Beats that the published detectors find in a glide of constant speed, which has none."""
    times = np.arange(round(_GLIDE_S * FPS)) / FPS
    pose = np.random.default_rng(0).normal(0.0, 0.5, (24, 3))
    joints = pose + times[:, None, None] * np.array([0.8, 0.0, 0.3])
    variants: tuple[beats.Alignment, ...] = ("bailando", "mint")
    return [
        _fact("rounding", f"`{variant}` beats in 10 s of glide, {dtype.__name__}",
              len(beats.motion_beats(joints.astype(dtype), variant=variant, fps=FPS)))
        for variant in variants for dtype in (np.float32, np.float64)
    ]  # fmt: skip


TABLES: dict[str, tuple[Column, ...]] = {
    "two scores": (Column("row", "dancer", "s"), Column("bailando", "`bailando`", ".3f"), Column("mint", "`mint`", ".3f")),
    "chance": (
        Column("row", "`beat_alignment_seconds`", "s"), Column("score", "real music", ".3f"),
        Column("phase_mean", "phase-shifted", ".3f"), Column("phase_sd", "sd of draws", ".3f"),
        Column("shuffled_mean", "other songs", ".3f"), Column("shuffled_sd", "sd of draws", ".3f"),
        Column("phase_z", "z over phase"), Column("shuffled_z", "z over songs"), Column("passed", "dances with z > 2", "%"),
    ),
    "floor": (
        Column("row", "n", "s"), Column("fid_k", "FID_k", ".1f"), Column("fid_k_low", "5 %", ".0f"),
        Column("fid_k_high", "95 %", ".0f"), Column("fid_k_corrected", "FID_k corrected", ".1f"),
        Column("fid_k_corrected_low", "5 %", ".0f"), Column("fid_k_corrected_high", "95 %", ".0f"),
        Column("fid_g_varying", "FID_g, varying questions", ".1f"), Column("fid_g_varying_low", "5 %", ".0f"),
        Column("fid_g_varying_high", "95 %", ".0f"),
    ),
}  # fmt: skip
"""Columns of the traps that are tables; the others are lists of figures."""

_FACTS = (Column("row", "figure", "s"), Column("measured", "measured", "s"))


def table_of(rows: Sequence[Row], trap: str) -> str:
    """The table of one trap as Markdown."""
    chosen = [row for row in rows if row["kind"] == trap]
    if trap in TABLES:
        return markdown(chosen, TABLES[trap])
    return markdown([{**row, "measured": significant(row["value"])} for row in chosen], _FACTS)


def significant(value: float) -> str:
    """Three significant digits, whole numbers as they are."""
    if value == round(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    if 1e-3 <= abs(value) < 1e6:
        digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
        return f"{value:.{digits}f}"
    return f"{value:.1e}"


def format_table(rows: Sequence[Row]) -> str:
    """All traps, one table each."""
    return "\n\n".join(f"### {trap}\n\n{table_of(rows, trap)}" for trap in dict.fromkeys(row["kind"] for row in rows))
