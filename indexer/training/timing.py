"""Training the timing branch: how much each curve of movement counts against each band of the onsets.

Frames of takes become the curves and onsets that `search` and the planner compare; of every window its own music is to win
over that of other songs. Sixteen weights each for a long context and for a bar, by gradient descent from the plain score,
to which they are pulled: no network, no checkpoint, seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.indexer import timing, timing_branch, timing_context
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.timing_branch import TimingBranch
from choreodb.indexer.timing_context import TimingContext
from choreodb.indexer.training.config import TimingConfig
from choreodb.indexer.training.takes import Take
from choreodb.motion.skeleton import CHOREO22
from choreodb.music.features import MEL_BANDS
from choreodb.music.grid import bar_beats

Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_SIDES = tuple(tuple(CHOREO22.index(f"{side}_{part}") for part in ("ankle", "foot")) for side in ("left", "right"))


@dataclass(frozen=True, slots=True)
class Spot:
    """A stretch of a take, in clip seconds."""

    take: Take
    start_s: float
    end_s: float

    @property
    def middle_s(self) -> float:
        """Clip seconds."""
        return 0.5 * (self.start_s + self.end_s)


def train(takes: Sequence[Take], config: TimingConfig, rng: np.random.Generator) -> TimingBranch:
    """The branch of takes with their own songs; where no take has a rival, it stays at the plain score."""
    context = TimingContext()
    wide = _few(contexts(takes, context), config.most, rng)
    bars = _few(measures(takes), config.most, rng)
    start = np.ones(timing_branch.SHAPE)
    plain = timing_branch.PLAIN_BAR / np.abs(timing_branch.PLAIN_BAR).sum()
    return TimingBranch(
        descended(context_parts(wide, wide, context), wide, start, config, least=0.0),
        descended(bar_parts(bars, bars), bars, plain * plain.size, config),
    )


def contexts(takes: Sequence[Take], context: TimingContext) -> list[Spot]:
    """Stretches as long as the context every half of it, and one where less than that may be used of a take."""
    out = []
    for take in takes:
        for start, end in take.spans:
            hop = 0.5 * context.length_s
            middles = (
                np.arange(start + hop, end - hop + 1e-6, hop)
                if end - start > context.length_s
                else [0.5 * (start + end)]
            )
            out += [Spot(take, float(each) - hop, float(each) + hop) for each in middles]
    return out


def measures(takes: Sequence[Take]) -> list[Spot]:
    """Whole bars of the songs that lie in what may be used of the dances."""
    out = []
    for take in takes:
        grid = take.heard_grid
        lines = bar_beats(grid)[:, [0, -1]] - take.start_s if len(grid) > grid.metre else np.empty((0, 2))
        for start, end in take.spans:
            out += [Spot(take, float(a), float(b)) for a, b in lines if a >= start and b <= end]
    return out


def context_parts(music: Sequence[Spot], motion: Sequence[Spot], context: TimingContext) -> Array:
    """Strongest correlations [Q, G, 4 curves, 4 bands], as `search` has them."""
    seen = np.concatenate([_moved(each, context) for each in motion])
    return np.stack([
        timing_context.strengths(_heard(each, context), seen) for each in music
    ]).astype(np.float64)  # fmt: skip


def bar_parts(music: Sequence[Spot], motion: Sequence[Spot]) -> Array:
    """Correlations [Q, G, 4 curves, 4 bands] of bars as they lie on each other, as the planner has them."""
    share = (np.arange(timing.SAMPLES) + 0.5) / timing.SAMPLES

    def rows(spots: Sequence[Spot], of: str) -> Float32Array:
        read = []
        for each in spots:
            times = each.start_s + (each.end_s - each.start_s) * share
            read.append(_curves(each.take, times) if of == "motion" else _bands(each.take, times + each.take.start_s))
        return timing.unit(np.stack(read))

    return np.einsum("qbk,gck->qgcb", rows(music, "music"), rows(motion, "motion")).astype(np.float64)


def descended(
    parts: Array, spots: Sequence[Spot], start: Array, config: TimingConfig, *, least: float = -np.inf
) -> Array:
    """Weights [4, 4], from `start` on, by which the own parts [N, N, 4, 4] of spots win over those of other songs."""
    song, style = (np.array([str(getattr(each.take, name)) for each in spots]) for name in ("song", "style"))
    other = song[:, None] != song
    alike = other & (style[:, None] == style)
    # songs of one style are told apart by timing alone; where there is none, any other will do
    rivals = np.where(alike.any(axis=1, keepdims=True), alike, other)
    asked = np.flatnonzero(rivals.any(axis=1))
    if len(asked) == 0:
        return start
    flat = parts.reshape(*parts.shape[:2], -1)
    spread = np.maximum(flat[asked].std(axis=(0, 1)), 1e-9)
    found = learnt(flat[asked] / spread, rivals[asked], asked, start.reshape(-1) * spread, config)
    return np.maximum(found / spread, least).reshape(start.shape)


def learnt(parts: Array, rivals: Flags, own: npt.NDArray[np.int64], start: Array, config: TimingConfig) -> Array:
    """Weights [K] for parts [Q, G, K] by which the `own` [Q] column wins over its `rivals` [Q, G]: InfoNCE, with a pull
    to where it starts, which is brought to a size of 1 before."""
    size = max(float(np.abs(start).mean()), 1e-12)
    weight = begun = start / size
    rows = np.arange(len(own))
    taken = rivals.copy()
    taken[rows, own] = True
    for _ in range(config.steps):
        scores = np.where(taken, parts @ weight, -np.inf)
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        gradient = (np.einsum("qg,qgk->k", share, parts) - parts[rows, own].sum(axis=0)) / len(own)
        weight = weight - config.rate * (gradient + config.pull * (weight - begun))
    return weight * size


def _few(spots: list[Spot], most: int, rng: np.random.Generator) -> list[Spot]:
    return [spots[at] for at in np.sort(rng.permutation(len(spots))[:most])]


def _heard(spot: Spot, context: TimingContext) -> Float32Array:
    times = context.times(np.array([spot.middle_s + spot.take.start_s]), reach=context.reach)
    there = (times >= 0.0) & (times * channels.RATE_HZ <= len(spot.take.heard) - 1)
    return timing_context.lagged(_bands(spot.take, times[0])[None], there, context)[0]


def _moved(spot: Spot, context: TimingContext) -> Float32Array:
    """Curves [1, 4, count], of which only what may be used of the take is looked at."""
    times = context.times(np.array([spot.middle_s]))
    start, end = next(span for span in spot.take.spans if span[0] - 1e-6 <= spot.middle_s <= span[1] + 1e-6)
    return timing_context.seen(_curves(spot.take, times[0])[None], ((times >= start) & (times <= end))[:, None])


def _bands(take: Take, times_s: Array) -> Array:
    """Root of the onset strength [4, K] at song seconds; frames have the latency taken back already."""
    onsets = channels.sampled(take.heard, times_s * channels.RATE_HZ)[:, MEL_BANDS:-1]
    return np.sqrt(np.maximum(onsets, 0.0)).T.astype(np.float64)


def _curves(take: Take, times_s: Array) -> Array:
    """`timing.CURVES` [4, K] at clip seconds, from the frames' velocities."""
    first, last = int(max(times_s.min() * channels.RATE_HZ - 2, 0)), int(times_s.max() * channels.RATE_HZ + 3)
    moving = take.seen[first : max(last, first + 2), channels.VELOCITIES][:, :-1]
    velocity = moving.reshape(len(moving), -1, 3).astype(np.float64)
    speed = np.linalg.norm(velocity, axis=-1)
    feet = np.stack([speed[:, list(side)].max(axis=1) for side in _SIDES])
    change = np.asarray(np.gradient(velocity, axis=0)) * channels.RATE_HZ if len(velocity) > 1 else 0.0 * velocity
    lines = np.stack([speed.mean(1), feet.min(0), np.linalg.norm(change, axis=-1).mean(1), velocity[:, 0, 1]], axis=1)
    return channels.sampled(lines.astype(np.float32), times_s * channels.RATE_HZ - first).T.astype(np.float64)
