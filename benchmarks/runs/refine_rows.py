"""The rows of `bench refine`: what each kind of figure says of every way to close joins, and whether it passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import distribution
from choreodb.benchmarks.runs import dance, seam_classifier, usual_denoiser
from choreodb.benchmarks.runs.dances import floor_row
from choreodb.benchmarks.runs.refine_dances import (
    CAPTURED,
    HARD,
    INERTIAL,
    LINEAR,
    PHYSICS,
    SAME,
    Features,
    Half,
    captured_features,
    captured_scores,
)
from choreodb.benchmarks.runs.registry import Row
from choreodb.benchmarks.runs.verdicts import said

Array = npt.NDArray[np.float64]

CLIPS = 40
DRAWS = 100
VALID_HARD, VALID_LOW, VALID_HIGH = 0.95, 0.45, 0.55
GOAL_DROP, GOAL_AUC, GOAL_HIGH = 0.10, 0.55, 0.70
DETAIL = 0.05
SONG_S, GOAL_CPU_S, GOAL_TIMES = 180.0, 10.0, 20.0
_COMPONENTS = 16
_FEET = ("penetration", "floating", "slide_m_s", "slide_ratio")


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


def feet_rows(found: Sequence[Half]) -> list[Row]:
    """Feet of every row beside the captured clips'."""
    captured = dance.summary([part for half in found for part in captured_scores(half.material, CLIPS // 2)])
    rows: list[Row] = [{"kind": "feet", "row": CAPTURED, **_foot_figures(captured)}]
    same = dance.summary([part for half in found for part in half.frames])
    rows.append({"kind": "feet", "row": SAME, **_foot_figures(same)} | {"passed": None})
    for name in found[0].rows:
        parts = [part for half in found for part in half.rows[name].measured]
        row: Row = {"kind": "feet", "row": name, **_foot_figures(dance.summary(parts))}
        if name not in (HARD, LINEAR, INERTIAL):
            worse = [key for key in _FEET if row[key] > rows[0][key]]
            row["verdict"] = said(not worse) + "".join(f", {key}" for key in worse)
            row["above_same"] = ", ".join(key for key in _FEET if row[key] > rows[1][key]) or "none"
        rows.append(row)
    return rows


def _foot_figures(summary: Row) -> Row:
    keys = ("seconds", *_FEET, "low_slide_ratio", "deepest_m", "seams", "passed", "worst_speed")
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
