"""What a user may ask of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from choreodb.errors import QueryError
from choreodb.retriever.costs import CostWeights

DEFAULT_VARIETY = 0.5


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Options of `plan`.

    where: predicate over the segments view. style: style to stay in where the costs allow it (a predicate makes it
    strict). seed, variety: a perturbation of the costs that only depends on the seed, from 0 (the cheapest path found)
    to 1 (as wide as the price of a random cut); without a variety, seed 0 has none and any other `DEFAULT_VARIETY`.
    start: `clip:seconds` that the dance begins with. avoid: clips, or stretches of them, that are left alone. lock:
    step to segment, as a report of the same library and song numbers them. no_repeat_s: the same material never comes
    back within so many seconds where anything else can fill the step. strict_metre: only bars of as many beats as the
    song's. beam: paths kept per step. candidates: nearest segments per step before continuations are
    added. stage_m: width and depth of the stage in metres, None for no stage; the dance starts in its middle.
    repeat_horizon_s: seconds of song for
    which the same origin costs extra. verbatim_s: one take may go on for so long before it costs. candidate_gap: whether to measure it by solving again with 4x the candidates.
    """

    where: str | None = None
    style: str | None = None
    seed: int = 0
    variety: float | None = None
    start: str | None = None
    avoid: tuple[str, ...] = ()
    lock: Mapping[int, int] = field(default_factory=dict)
    no_repeat_s: float = 0.0
    strict_metre: bool = False
    beam: int = 256
    candidates: int = 64
    stage_m: tuple[float, float] | None = (6.0, 6.0)
    repeat_horizon_s: float = 120.0
    verbatim_s: float = 16.0
    candidate_gap: bool = True
    weights: CostWeights = field(default_factory=CostWeights)

    def __post_init__(self) -> None:
        for name, least in (
            ("beam", 1),
            ("candidates", 1),
            ("repeat_horizon_s", 0.0),
            ("verbatim_s", 0.0),
            ("seed", 0),
            ("no_repeat_s", 0.0),
        ):
            value = getattr(self, name)
            if not value >= least:
                raise QueryError(f"{name} is {value!r}; expected a number of at least {least}")
        if self.variety is not None and not 0.0 <= self.variety <= 1.0:
            raise QueryError(f"variety is {self.variety!r}; expected a number from 0 (the best path) to 1")
        if self.stage_m is not None and min(self.stage_m) <= 0.0:
            raise QueryError(f"stage is {self.stage_m!r}; expected width and depth in metres, or none")

    @property
    def perturbation(self) -> float:
        """Variety that the costs are perturbed with, 0..1."""
        if self.variety is not None:
            return self.variety
        return DEFAULT_VARIETY if self.seed else 0.0
