"""What the plan's timing term does to dances: the same songs and seeds with it and without."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from choreodb.benchmarks.metrics import beats
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.indexer.accents import ONSET_LATENCY_S, standard
from choreodb.motion.retarget import to_smpl24
from choreodb.music.music import Music
from choreodb.retriever.costs import CostWeights
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.reranking import knows_timing

if TYPE_CHECKING:
    from choreodb.library import Library

Row = dict[str, Any]
SEEDS = 3
ON, OFF = "timing on", "timing off"


def timing_rows(library: Library, songs: Sequence[Path], *, seed: int, seeds: int = SEEDS) -> list[Row]:
    """A row per song, with the term and without: means and deviations over seeds; none where the library cannot have it."""
    if not knows_timing(library.store):
        return []
    weights = {ON: CostWeights(), OFF: replace(CostWeights(), timing=0.0)}
    rows = []
    for path in songs:
        music = Music.load(path)
        for name, weight in weights.items():
            options = [PlanOptions(seed=seed + n, weights=weight, candidate_gap=False) for n in range(seeds)]
            found = [_figures(library, music, each) for each in options]
            row: Row = {"row": f"{name}, {path.stem}"}
            for key in found[0]:
                values = [each[key] for each in found]
                row |= {key: float(np.mean(values)), f"{key}_sd": float(np.std(values))}
            rows.append(row)
    return rows


def _figures(library: Library, music: Music, options: PlanOptions) -> Row:
    began = time.process_time()
    plan = library.plan(music, options)
    plan_cpu_s = time.process_time() - began
    joints = to_smpl24(library.stitch(plan).motion)
    marked = beats.motion_beats_s(joints, fps=60.0)
    heard = plan.grid.times_s[(plan.grid.times_s >= 0.0) & (plan.grid.times_s <= len(joints) / 60.0)]
    null = beats.chance(marked, heard, rng=np.random.default_rng(options.seed))
    return {
        "beat_score": null["score"],
        "beat_above": null["score"] - null["shuffled_mean"],
        "slow_on_onsets": _slow_on_onsets(joints, music),
        "plain_cost": plan.cost - float(plan.terms["timing"].sum()),
        "plan_cpu_s": plan_cpu_s,
    }


def _slow_on_onsets(joints: np.ndarray, music: Music) -> float:
    """Correlation of minus the mean joint speed with the onset strength, all bands alike, frame by frame."""
    speed = np.linalg.norm(np.gradient(joints, axis=0), axis=-1).mean(axis=1)
    bands = np.sqrt(music.features.onset_bands.astype(np.float64))
    strength = np.sum([standard(band) for band in bands.T], axis=0)
    times = (np.arange(len(speed)) / 60.0 + ONSET_LATENCY_S) / music.features.hop_s
    return float(np.corrcoef(-speed, np.interp(times, np.arange(len(strength)), strength))[0, 1])


_COLUMNS = (
    Column("row", "", "s"),
    Column("beat_score", "beat score", ".3f"),
    Column("beat_above", "above shuffled", ".3f"),
    Column("slow_on_onsets", "slow on onsets, r", ".3f"),
    Column("plain_cost", "cost without the term", ".1f"),
    Column("plan_cpu_s", "plan CPU s", ".2f"),
)


def format_timing(rows: Sequence[Row]) -> str:
    """The table and what it means."""
    return (
        f"{markdown(rows, _COLUMNS)}\n\nMeans and deviations over {SEEDS} seeds. Beat score: beats of the music against minima of speed, "
        "0.05 s; shuffled: the music's own intervals in random order. Cost: of all other terms of the plan."
    )
