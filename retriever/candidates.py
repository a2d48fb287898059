"""The pool of segments a song may be danced to, how each of them would fill a step, and what that costs.

Every segment of the pool can fill every step in one way, so a dance exists wherever the pool is not empty; the ladder
of fallbacks lies in the prices (`CostWeights.trim`):

1. whole: the segment's duration over the step's is within [0.8, 1.25];
2. run: it is too short, but with up to three continuations it fits;
3. cut: it, or its clip beyond it, is long enough; the start is used at its own speed, the rest is left out;
4. held: its clip ends too soon; what there is, is slowed down below 0.8.

Cut and held candidates are marked as trimmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.retriever import costs, demands, search_kernel
from choreodb.retriever.costs import BoolArray, FloatArray, IntArray
from choreodb.retriever.lattice import Boundaries, boundaries_of
from choreodb.retriever.placement import Step
from choreodb.retriever.song import nominal_span

if TYPE_CHECKING:
    from choreodb.storage.store import Store

Float32Array = npt.NDArray[np.float32]

RUN_SEGMENTS = 4
"""Segments in a run at most, the first included."""

FPS = 60.0
"""Frames a second of canonical motion."""

_SAME_TIME_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The segments that match, as columns; `row` is the segment's id and its row in the store's arrays.

    row: [S] ascending. start_s, end_s, clip_end_s: clip seconds. beats: [S] number of beats, 0 without. clip, style,
    origin: [S] codes into `clips` and `styles` (-1 unknown) and of the source file. origin_start_s: [S] source seconds.
    origin_rate: [S] source seconds per clip second, 1 but for virtual copies. twin: [S]
    group, -1 none. next: [S] position in the pool of the continuation, -1 where there is none or it does not match.
    energy: [S] rank of movement 0..1. travel: [S, 3] way and turn, zeros where the library does not know. embeddings: [S, E] unit vectors. boundaries: of the segments.
    """

    row: IntArray
    clip: IntArray
    start_s: FloatArray
    end_s: FloatArray
    clip_end_s: FloatArray
    beats: IntArray
    mirrored: BoolArray
    walkable: BoolArray
    next: IntArray
    origin: IntArray
    origin_start_s: FloatArray
    origin_rate: FloatArray
    twin: IntArray
    style: IntArray
    energy: FloatArray
    travel: FloatArray
    embeddings: Float32Array
    boundaries: Boundaries
    clips: tuple[str, ...]
    styles: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How segments would fill a step of a given length, one row for each [S].

    source_end_s: clip seconds at the step's (nominal) end; the start is the segment's. beats: beats in that stretch.
    misfit: share of the stretch that is cut off, held or squeezed. trimmed: cut or held. last: position in the pool
    of the segment whose end is the stretch's end, so that its boundary is the one that is left.
    """

    source_end_s: FloatArray
    rate: FloatArray
    beats: IntArray
    misfit: FloatArray
    trimmed: BoolArray
    last: IntArray


def load_pool(store: Store, where: str | None = None, avoid: Sequence[str] = ()) -> Pool:
    """Columns of every segment that matches `where` and is not to be avoided; QueryError where there is none."""
    if where is None:
        mask = None
    else:
        from choreodb.storage.catalogue import matching

        mask = np.asarray(matching(store, where), dtype=bool)
        if not mask.any():
            raise QueryError(f"no segment matches {where!r}; see `choreodb info` for the labels of this library")
    arrays = {name: store.array(name) for name in ("embeddings", "entry", "exit")}
    if "travel" in store.manifest.arrays:
        arrays["travel"] = store.array("travel")
    segments, clips = store.table("segments"), store.table("clips")
    if not avoid:
        return build_pool(segments, clips, arrays, mask)
    keep_out = demands.keep_out(avoid, clips)
    free = demands.free(keep_out, segments, clips)
    if not (free if mask is None else free & mask).any():
        raise QueryError(f"nothing is left to dance to when {', '.join(avoid)} is avoided; avoid less")
    pool = build_pool(segments, clips, arrays, free if mask is None else free & mask)
    return replace(pool, clip_end_s=demands.room(keep_out, pool.clip, pool.end_s, pool.clip_end_s))


def build_pool(segments: Any, clips: Any, arrays: dict[str, Float32Array], mask: BoolArray | None = None) -> Pool:
    """The same from tables `segments` and `clips` (storage.tables) and arrays; mask: [S] segments to keep."""
    total = segments.num_rows
    keep = np.arange(total) if mask is None else np.flatnonzero(mask)
    start, end = (_column(segments, name)[keep] for name in ("start_s", "end_s"))
    usable = (end > start) & (end - start > 2.0 / FPS)
    keep, start, end = keep[usable], start[usable], end[usable]
    if len(keep) == 0:
        raise QueryError("the library has no segment that is long enough to dance to; index more motion")
    clip_names = clips.column("clip").to_pylist()
    position = {name: index for index, name in enumerate(clip_names)}
    clip = np.array([position[name] for name in segments.column("clip").to_pylist()], dtype=np.int64)[keep]
    style_of_clip, styles = _codes(clips.column("style").to_pylist())
    origin, _ = _codes(segments.column("origin").to_pylist())
    metre = np.nan_to_num(_column(segments, "metre", missing=0.0)[keep])
    beats = np.where(_has_beats(segments)[keep], metre * _column(segments, "bars")[keep], 0).astype(np.int64)
    origin_start = _column(segments, "origin_start_s")[keep]
    place = np.full(total + 1, -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    return Pool(
        row=keep.astype(np.int64),
        clip=clip,
        start_s=start,
        end_s=end,
        clip_end_s=np.maximum((_column(clips, "frames")[clip] - 1.0) / FPS, end),
        beats=beats,
        mirrored=_column(segments, "mirrored")[keep].astype(bool),
        walkable=_column(segments, "walkable")[keep].astype(bool),
        next=place[_column(segments, "continuation")[keep].astype(np.int64)],
        origin=origin[keep],
        origin_start_s=origin_start,
        origin_rate=(_column(segments, "origin_end_s")[keep] - origin_start) / (end - start),
        twin=_column(segments, "twin_group")[keep].astype(np.int64),
        style=style_of_clip[clip],
        energy=costs.rank01(_column(segments, "energy")[keep]),
        travel=np.asarray(arrays.get("travel", np.zeros((total, 3))))[keep].astype(np.float64),
        embeddings=np.ascontiguousarray(np.asarray(arrays["embeddings"])[keep], dtype=np.float32),
        boundaries=boundaries_of(np.asarray(arrays["entry"])[keep], np.asarray(arrays["exit"])[keep]),
        clips=tuple(clip_names),
        styles=styles,
    )


def fit(pool: Pool, nominal_s: float) -> Fit:
    """How every segment of the pool would fill `nominal_s` seconds of song (see the top of this module)."""
    count = len(pool)
    last, beats, end = np.arange(count), pool.beats.copy(), pool.end_s.copy()
    least, most = costs.MIN_WARP * nominal_s, costs.MAX_WARP * nominal_s
    for _ in range(RUN_SEGMENTS - 1):
        follower = pool.next[last]
        grows = (end - pool.start_s < least - _SAME_TIME_S) & (follower >= 0)
        last = np.where(grows, follower, last)
        both = (beats > 0) & (pool.beats[last] > 0)
        beats = np.where(grows, np.where(both, beats + pool.beats[last], 0), beats)
        end = np.where(grows, pool.end_s[last], end)
    length = end - pool.start_s
    whole = (length >= least - _SAME_TIME_S) & (length <= most + _SAME_TIME_S)
    room = pool.clip_end_s - pool.start_s
    # At its own speed where the clip is long enough, else what there is.
    stretch = np.where(whole, length, np.minimum(nominal_s, room))
    rate = stretch / nominal_s
    unused = np.clip((pool.end_s - pool.start_s - stretch) / (pool.end_s - pool.start_s), 0.0, 1.0)
    held = np.clip(costs.MIN_WARP - rate, 0.0, None) / costs.MIN_WARP
    return Fit(
        source_end_s=pool.start_s + stretch,
        rate=rate,
        beats=np.where(whole, beats, 0),
        misfit=np.where(whole, 0.0, np.maximum(unused, held)),
        trimmed=~whole,
        last=np.where(whole, last, _nearest_end(pool, pool.start_s + stretch)),
    )


def travelled(pool: Pool, first: IntArray, last: IntArray, source_end_s: FloatArray) -> FloatArray:
    """Way and turn [M, 3] of runs of segments `first` .. `last` [M], in proportion where they are cut or go beyond."""
    way, at = pool.travel[first], first
    for _ in range(RUN_SEGMENTS - 1):
        going = at != last
        at = np.where(going, pool.next[at], at)
        way = np.where(going[:, None], search_kernel.advance(way, pool.travel[at]), way)
    share = (source_end_s - pool.start_s[first]) / (pool.end_s[last] - pool.start_s[first])
    return way * np.clip(share, 0.0, 2.0)[:, None]


def _nearest_end(pool: Pool, end_s: FloatArray) -> IntArray:
    """Of each segment and its continuations, the one that ends nearest to `end_s` [S]."""
    best = np.arange(len(pool))
    last = best
    for _ in range(RUN_SEGMENTS - 1):
        last = np.where(pool.next[last] >= 0, pool.next[last], last)
        nearer = np.abs(pool.end_s[last] - end_s) < np.abs(pool.end_s[best] - end_s) - _SAME_TIME_S
        best = np.where(nearer, last, best)
    return best


def unary_terms(
    pool: Pool,
    step: Step,
    filled: Fit,
    distance: Float32Array,
    style_price: FloatArray,
    weights: costs.CostWeights,
    *,
    strict_metre: bool = False,
) -> FloatArray:
    """Weighted terms [len(UNARY_TERMS), S] of filling `step` with each segment; `variation` is left at zero.

    distance: [S] embedding distance. style_price: [styles + 1] by style code, the last for unknown styles.
    """
    start_s, end_s = nominal_span(step)
    rest = step.kind == "rest"
    terms = np.zeros((len(costs.UNARY_TERMS), len(pool)))
    mismatch = costs.metre_mismatch(len(step.beats_s) - 1 if len(step.beats_s) else 0, filled.beats)
    target = 0.0 if rest else step.energy
    # Silence has no window of its own to be near to.
    terms[0] = 0.0 if rest else weights.embedding * distance.astype(np.float64)
    terms[1] = weights.warp * np.abs(np.log(filled.rate))
    terms[2] = 0.0 if rest else weights.metre * mismatch
    if strict_metre and not rest:
        terms[2] += costs.FORBIDDEN * (filled.beats != len(step.beats_s) - 1)
    terms[3] = weights.trim * (filled.trimmed + filled.misfit)
    terms[4] = (weights.rest_energy if rest else weights.energy) * np.square(pool.energy - target)
    terms[5] = weights.style * style_price[pool.style]
    terms[6] = weights.walkable * ~pool.walkable
    return terms * ((end_s - start_s) / costs.UNIT_S)


def cheapest(price: FloatArray, count: int) -> IntArray:
    """Positions of the `count` lowest prices [S], ascending by position; ties go to the lower position."""
    if len(price) <= count:
        return np.arange(len(price))
    bound = np.partition(price, count - 1)[count - 1]
    below = np.flatnonzero(price < bound)
    at = np.flatnonzero(price == bound)[: count - len(below)]
    return np.sort(np.concatenate([below, at]))


def _column(table: Any, name: str, missing: float = np.nan) -> FloatArray:
    column = table.column(name)
    if column.null_count:
        return np.array([missing if value is None else value for value in column.to_pylist()], dtype=np.float64)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _has_beats(segments: Any) -> BoolArray:
    return np.asarray([source != "none" for source in segments.column("beat_source").to_pylist()], dtype=bool)


def _codes(labels: list[str | None]) -> tuple[IntArray, tuple[str, ...]]:
    """Integer codes of labels, numbered in sorted order; -1 for None."""
    names = tuple(sorted({label for label in labels if label is not None}))
    number = {name: index for index, name in enumerate(names)}
    return np.array([-1 if label is None else number[label] for label in labels], dtype=np.int64), names
