"""Dances to be scored: joints with their music's beats and sources, and every figure of the metrics over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import beats, distribution, feet, freezing, novelty, smoothness
from choreodb.benchmarks.metrics.joints import CONTACT_JOINTS
from choreodb.benchmarks.runs.tables import Column
from choreodb.errors import MetricError

FloatArray = npt.NDArray[np.float64]
Row = dict[str, Any]

FPS = 60.0
"""Frames a second of every dance here: canonical motion's, and what the published features expect."""


@dataclass(frozen=True, slots=True, eq=False)
class Danced:
    """A dance. joints: [T, 24, 3] metres, y up, 60 fps. contacts: [T, 4]. beats_s: of its music, in dance seconds; None
    without music. seams: first frames of later stretches. clips: [T] source of every frame, -1 where it is not captured;
    frames: [T] source frame; both None where sources are unknown. mirrored: [T] whether it is shown mirrored. rest_m: [4] by how much left ankle, left toe, right ankle
    and right toe stand higher than the canonical ones, for rigs of other people."""

    name: str
    joints: FloatArray
    contacts: npt.NDArray[np.uint8]
    beats_s: FloatArray | None
    seams: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    clips: npt.NDArray[np.int64] | None = None
    frames: FloatArray | None = None
    mirrored: npt.NDArray[np.bool_] | None = None
    rest_m: FloatArray = field(default_factory=lambda: np.zeros(4))

    @property
    def duration_s(self) -> float:
        """Seconds of dance."""
        return len(self.joints) / FPS


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSet:
    """Features of N windows or dances: `kinetic`, `kinetic_corrected` [N, 72] and `geometric` [N, 32]."""

    kinetic: npt.NDArray[np.floating]
    kinetic_corrected: npt.NDArray[np.floating]
    geometric: npt.NDArray[np.floating]

    def __len__(self) -> int:
        return len(self.kinetic)

    def rows(self, index: npt.NDArray[np.int64]) -> FeatureSet:
        """Some of the rows."""
        return FeatureSet(self.kinetic[index], self.kinetic_corrected[index], self.geometric[index])


def cut(joints: FloatArray, *, window_s: float, hop_s: float) -> list[FloatArray]:
    """Windows of joints [T, 24, 3] of `window_s`, each `hop_s` after the last; none where the dance is shorter."""
    length, hop = round(window_s * FPS), round(hop_s * FPS)
    return [joints[first : first + length] for first in range(0, len(joints) - length + 1, hop)]


def feature_set(dances: Sequence[FloatArray]) -> FeatureSet:
    """Features of every dance or window; MetricError without any."""
    return FeatureSet(
        kinetic=distribution.features(dances, kind="kinetic", fps=FPS),
        kinetic_corrected=distribution.features(dances, kind="kinetic_corrected", fps=FPS),
        geometric=distribution.features(dances, kind="geometric", fps=FPS),
    )


def _spaces(reference: FeatureSet) -> dict[str, Callable[[FeatureSet], npt.NDArray[np.floating]]]:
    """The feature spaces that distances are taken in, by the name that tables use."""
    columns = distribution.varying_columns(reference.geometric)
    return {
        "k": lambda features: features.kinetic,
        "g": lambda features: features.geometric,
        "k_corrected": lambda features: features.kinetic_corrected,
        "g_varying": lambda features: features.geometric[:, columns],
    }


def set_row(reference: FeatureSet, estimate: FeatureSet) -> Row:
    """FID and diversity of `estimate` in all four spaces: published k and g, corrected k, and the varying questions of g.

    Errors: MetricError for fewer than two rows on either side.
    """
    row: Row = {}
    for name, of in _spaces(reference).items():
        row[f"fid_{name}"] = distribution.frechet_distance(of(reference), of(estimate))
        row[f"div_{name}"] = distribution.diversity(of(estimate), reference=of(reference))
    return row


def floor_row(reference: FeatureSet, n: int, rng: np.random.Generator, *, draws: int = 10) -> Row:
    """What a perfect generator of `n` windows would score: FID of the reference to itself, with its deviation and
    median over draws, and the reference's own diversity."""
    row: Row = {}
    for name, of in _spaces(reference).items():
        distances = distribution.floor_draws(of(reference), n, rng, draws=draws)
        row[f"fid_{name}"], row[f"fid_{name}_sd"] = float(distances.mean()), float(distances.std(ddof=1))
        row[f"fid_{name}_median"] = float(np.median(distances))
        row[f"div_{name}"] = distribution.diversity(of(reference), reference=of(reference))
    return row


def body_row(dance: Danced, *, window_s: float = 5.0) -> Row:
    """Feet, freezing, smoothness of one dance. pfc: mean over its windows of `window_s`, or of the whole where it is
    shorter. seam_ratio: None without seams, or where nothing lies between them."""
    windows = cut(dance.joints, window_s=window_s, hop_s=window_s) or [dance.joints]
    length = len(windows[0])
    still = np.zeros((length, 4), dtype=np.uint8)
    return {
        "pfc": float(np.mean([feet.evaluate_joints(window, still, fps=FPS)["pfc"] for window in windows])),
        "skating": feet.skating_ratio(dance.joints, dance.contacts, fps=FPS),
        "penetration": feet.penetration(dance.joints),
        "floating": feet.floating(_at_rest(dance), dance.contacts),
        "frozen": freezing.frozen_ratio(dance.joints, fps=FPS),
        "longest_freeze_s": freezing.longest_freeze_s(dance.joints, fps=FPS),
        "jerk_m_s3": smoothness.jerk(dance.joints, fps=FPS),
        "seam_ratio": _seam_ratio(dance),
    }


def _at_rest(dance: Danced) -> FloatArray:
    """The joints with ankles and toes as high as the canonical ones when they stand."""
    joints = dance.joints.copy()
    joints[:, CONTACT_JOINTS, 1] -= dance.rest_m
    return joints


def _seam_ratio(dance: Danced) -> float | None:
    if len(dance.seams) == 0:
        return None
    try:
        return smoothness.seam_ratio(dance.joints, dance.seams, fps=FPS)
    except MetricError:
        return None


def beat_row(dance: Danced, others_s: Sequence[FloatArray], rng: np.random.Generator, *, draws: int = 100) -> Row:
    """Beat alignment of one dance: in seconds with its chance levels, and both published variants in frames.

    others_s: beats of other songs. `chance`: mean of the score over the same music at random phase, `chance_z`: how many
    deviations the dance is above it, `shuffled`: over other songs. Empty where the dance has no music, or no beat in it.
    """
    if dance.beats_s is None:
        return {}
    music = dance.beats_s[(dance.beats_s >= 0.0) & (dance.beats_s < dance.duration_s)]
    if len(music) < 2:
        return {}
    pool = [other for other in others_s if ((other >= 0.0) & (other < dance.duration_s)).any()]
    motion = beats.motion_beats_s(dance.joints, fps=FPS)
    found = beats.chance(motion, music, duration_s=dance.duration_s, others_s=pool, draws=draws, rng=rng)
    row: Row = {
        "beats": found["score"],
        "chance": found["phase_mean"],
        "chance_z": found["phase_z"],
        "shuffled": found["shuffled_mean"],
        "shuffled_z": found["shuffled_z"],
    }
    variants: tuple[beats.Alignment, ...] = ("bailando", "mint")
    for variant in variants:
        frames = beats.motion_beats(dance.joints, variant=variant, fps=FPS)
        row[f"beats_{variant}"] = beats.beat_alignment(frames, np.round(music * FPS), variant=variant)
    return row


def novelty_row(dance: Danced) -> Row:
    """How much of a dance is captured, from how many clips, in what runs; empty where its sources are not known."""
    if dance.clips is None or dance.frames is None:
        return {}
    figures = novelty.evaluate(dance.clips, dance.frames, fps=FPS)
    row: Row = {key: figures[key] for key in ("captured_ratio", "clips_per_minute", "longest_verbatim_run_s")}
    return row | {"mirrored_ratio": 0.0 if dance.mirrored is None else float(dance.mirrored.mean())}


def mean_row(rows: Sequence[Row], weights: Sequence[float] | None = None) -> Row:
    """The mean of every figure over the rows that know it, weighted (by seconds); None where none does."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    share = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
    out: Row = {}
    for key in keys:
        known = [index for index, row in enumerate(rows) if row.get(key) is not None]
        values = [rows[index][key] for index in known]
        out[key] = float(np.average(values, weights=share[known])) if known else None
    return out


SET_COLUMNS = (
    Column("fid_k", "FID_k"),
    Column("fid_g", "FID_g"),
    Column("div_k", "Div_k"),
    Column("div_g", "Div_g"),
    Column("fid_k_corrected", "FID_k corrected"),
    Column("fid_g_varying", "FID_g varying"),
    Column("div_k_corrected", "Div_k corrected"),
    Column("div_g_varying", "Div_g varying"),
)
"""What `set_row` knows."""

BEAT_COLUMNS = (
    Column("beats", "beat alignment", ".3f"),
    Column("chance", "chance", ".3f"),
    Column("chance_z", "z", ".2f"),
)
PUBLISHED_BEAT_COLUMNS = (
    Column("beats_bailando", "bailando", ".3f"),
    Column("beats_mint", "mint", ".3f"),
)
"""What `beat_row` knows."""

BODY_COLUMNS = (
    Column("pfc", "PFC", ".3f"),
    Column("skating", "skating", "%"),
    Column("penetration", "penetration", "%"),
    Column("floating", "floating", "%"),
    Column("frozen", "frozen", "%"),
    Column("jerk_m_s3", "jerk m/s³", ".0f"),
)
"""What `body_row` knows, seams left out."""
