"""Plan: a path through the library for a song, and why."""

from __future__ import annotations

from dataclasses import dataclass

from choreodb.music.grid import BeatGrid
from choreodb.retriever.costs import FloatArray, IntArray
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.placement import Placement
from choreodb.retriever.runners_up import RunnerUp


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A beat grid that was planned with: its tempo, metre and confidence, the plan's cost per second, the prior that
    was added for the comparison, and whether it was chosen. One that could not win is not searched: its cost is the least
    it could be."""

    tempo_bpm: float
    metre: int
    confidence: float
    steps: int
    cost_per_s: float
    prior_per_s: float
    chosen: bool


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A path through the library for a song, and why.

    placements: N steps with the material that fills them. terms: weighted cost terms by name (`costs.TERMS`), [N]
    each; their sum is `cost`. relaxation_cost: what no path through the same lattice can cost less than
    (`prices.tighten`). gap_in_lattice:
    cost - relaxation_cost. candidate_gap: cost that solving again with 4x the candidates would save, None where it was
    not measured. candidates: [N] per step. segments: [N] ids. styles: N labels. warp_rates: [N] source seconds per song
    second. grid: the chosen hypothesis; hypothesis: its index in `hypotheses` (all of them, in the music's order).
    runners_up: [N] what would have filled each step next best. locked: steps whose segment was asked for.
    """

    placements: tuple[Placement, ...]
    terms: dict[str, FloatArray]
    cost: float
    relaxation_cost: float
    gap_in_lattice: float
    candidate_gap: float | None
    candidates: IntArray
    segments: IntArray
    styles: tuple[str | None, ...]
    warp_rates: FloatArray
    grid: BeatGrid
    hypothesis: int
    hypotheses: tuple[Hypothesis, ...]
    options: PlanOptions
    runners_up: tuple[RunnerUp | None, ...]
    locked: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.placements)
