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
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.retriever import costs, demands, fit_kernel, path_kernel
from choreodb.retriever.costs import BoolArray, FloatArray, IntArray
from choreodb.retriever.lattice import Boundaries, boundaries_of, boundaries_on_disk
from choreodb.retriever.placement import Step
from choreodb.retriever.rows import At, Rows
from choreodb.retriever.song import nominal_span
from choreodb.retriever.timing import Slowness, misses
from choreodb.storage import index
from choreodb.storage.exact_index import ExactIndex
from choreodb.storage.index import VectorIndex

if TYPE_CHECKING:
    from choreodb.storage.store import Store

Float32Array = npt.NDArray[np.float32]

RUN_SEGMENTS = 4
"""Segments in a run at most, the first included."""

FPS = 60.0
"""Frames a second of canonical motion."""

EVERY = slice(None)

COLUMNS = (
    "clip", "start_s", "end_s", "bars", "metre", "beat_source", "energy", "mirrored", "walkable", "continuation",
    "origin", "origin_start_s", "origin_end_s", "twin_group",
)  # fmt: skip
CLIP_COLUMNS = ("clip", "frames", "style", "source_start_s")
"""What a pool is made of."""

_SAME_TIME_S = 1e-6
_STEPS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Pool:
    """The segments that match, as columns; `row` is the segment's id and its row in the store's arrays.

    row: [S] ascending. start_s, end_s, clip_end_s: clip seconds. beats: [S] number of beats, 0 without. clip, style,
    origin: [S] codes into `clips` and `styles` (-1 unknown) and of the source file. origin_start_s: [S] source seconds.
    origin_rate: [S] source seconds per clip second, 1 but for virtual copies. twin: [S]
    group, -1 none. next: [S] position in the pool of the continuation, -1 where there is none or it does not match.
    energy: [S] rank of movement 0..1. travel: [S, 3] way and turn, zeros where the library does not know. embeddings:
    [S, E] unit vectors. boundaries: of the segments. Of a large pool, both stay on the disk. searcher: finds rows by
    embedding, among `rows` of them. slowness: of the segments, along each.
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
    embeddings: Float32Array | Rows
    boundaries: Boundaries
    slowness: Slowness
    clips: tuple[str, ...]
    styles: tuple[str, ...]
    searcher: VectorIndex
    rows: int

    def __len__(self) -> int:
        return len(self.row)

    def allowed(self, able: BoolArray | None) -> BoolArray | None:
        """Which of the searcher's rows are in the pool, and of those in it, `able` [S]; None where all are."""
        if able is None and len(self) == self.rows:
            return None
        mask = np.zeros(self.rows, dtype=np.bool_)
        mask[self.row if able is None else self.row[able]] = True
        return mask


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
    """Columns of every segment that matches `where` and is not to be avoided; QueryError where there is none.

    The last pool of an open store is kept: a store stays at its version, and one song after another asks for the same.
    """
    asked = where, tuple(avoid)
    known = _POOLS.get(store)
    if known is None or known[0] != asked:
        known = _POOLS[store] = asked, _read_pool(store, where, avoid)
    return known[1]


_POOLS: WeakKeyDictionary[Store, tuple[tuple[str | None, tuple[str, ...]], Pool]] = WeakKeyDictionary()


def _read_pool(store: Store, where: str | None, avoid: Sequence[str]) -> Pool:
    if where is None:
        mask = None
    else:
        from choreodb.storage.catalogue import matching

        mask = np.asarray(matching(store, where), dtype=bool)
        if not mask.any():
            raise QueryError(f"no segment matches {where!r}; see `choreodb info` for the labels of this library")
    arrays = {name: store.array(name) for name in ("embeddings", "entry", "exit")}
    arrays |= {name: store.array(name) for name in ("travel", "accents") if name in store.manifest.arrays}
    segments, clips = store.columns("segments", COLUMNS), store.columns("clips", CLIP_COLUMNS)
    searcher = index.choose(store)
    if not avoid:
        return build_pool(segments, clips, arrays, mask, searcher)
    keep_out = demands.keep_out(avoid, clips)
    free = demands.free(keep_out, segments, clips)
    if not (free if mask is None else free & mask).any():
        raise QueryError(f"nothing is left to dance to when {', '.join(avoid)} is avoided; avoid less")
    pool = build_pool(segments, clips, arrays, free if mask is None else free & mask, searcher)
    return replace(pool, clip_end_s=demands.room(keep_out, pool.clip, pool.end_s, pool.clip_end_s))


def build_pool(
    segments: Any,
    clips: Any,
    arrays: dict[str, Float32Array],
    mask: BoolArray | None = None,
    searcher: VectorIndex | None = None,
) -> Pool:
    """The same from tables `segments` and `clips` (storage.tables) and arrays; mask: [S] segments to keep. searcher: of
    the embeddings, exact where none is given."""
    total = segments.num_rows
    keep = np.arange(total) if mask is None else np.flatnonzero(mask)
    start, end = (_column(segments, name)[keep] for name in ("start_s", "end_s"))
    usable = (end > start) & (end - start > 2.0 / FPS)
    keep, start, end = keep[usable], start[usable], end[usable]
    if len(keep) == 0:
        raise QueryError("the library has no segment that is long enough to dance to; index more motion")
    clip_names = clips.column("clip").to_pylist()
    clip = clip_rows(segments, clips)[keep]
    style_of_clip, styles = _codes(clips.column("style").to_pylist())
    origin = _numbered(segments.column("origin"))
    metre = np.nan_to_num(_column(segments, "metre", missing=0.0)[keep])
    beats = np.where(_has_beats(segments)[keep], metre * _column(segments, "bars")[keep], 0).astype(np.int64)
    origin_start = _column(segments, "origin_start_s")[keep]
    large = len(keep) > index.EXACT_VECTORS
    lines = [np.asarray(arrays[name]) for name in ("entry", "exit")]
    boundaries = (
        boundaries_on_disk(*(Rows(line, keep) for line in lines))
        if large
        else boundaries_of(*(line[keep] for line in lines))
    )
    vectors = np.asarray(arrays["embeddings"])
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
        embeddings=Rows(vectors, keep) if large else np.ascontiguousarray(vectors[keep], dtype=np.float32),
        boundaries=boundaries,
        slowness=Slowness(arrays.get("accents"), keep),
        clips=tuple(clip_names),
        styles=styles,
        searcher=searcher or ExactIndex(vectors),
        rows=total,
    )


def clip_rows(segments: Any, clips: Any) -> IntArray:
    """The row [S] of the clip of each segment."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = clips.column("clip")
    names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    return np.asarray(pc.index_in(segments.column("clip"), value_set=names).to_numpy(), dtype=np.int64)


def fit(pool: Pool, nominal_s: float, at: At = EVERY) -> Fit:
    """How the segments of the pool at `at` would fill `nominal_s` seconds of song (see the top of this module)."""
    return Fit(
        *fit_kernel.fit(
            positions(pool, at),
            pool.start_s,
            pool.end_s,
            pool.clip_end_s,
            pool.beats,
            pool.next,
            float(nominal_s),
            costs.MIN_WARP * nominal_s,
            costs.MAX_WARP * nominal_s,
            costs.MIN_WARP,
            RUN_SEGMENTS - 1,
            _SAME_TIME_S,
        )
    )


def positions(pool: Pool, at: At) -> IntArray:
    """`at` as ascending positions."""
    return np.arange(len(pool))[at] if isinstance(at, slice) else at


class Distances:
    """Embedding distance of N steps to segments of a pool; to all of them, block by block of steps."""

    def __init__(self, pool: Pool, embeddings: Float32Array) -> None:
        self._pool = pool
        self._embeddings = embeddings
        self._first = self._stop = 0
        self._block = np.empty((0, 0), dtype=np.float32)

    def of(self, step: int, at: At) -> Float32Array:
        """To the segments at `at`; steps are asked for in their order."""
        if not isinstance(at, slice):
            return np.asarray(1.0 - self._pool.embeddings[at] @ self._embeddings[step])
        if not self._first <= step < self._stop:
            self._first, self._stop = step, step + _STEPS_AT_ONCE
            self._block = 1.0 - self._embeddings[self._first : self._stop] @ self._pool.embeddings[EVERY].T
        return np.asarray(self._block[step - self._first, at])


def travelled(pool: Pool, first: IntArray, last: IntArray, source_end_s: FloatArray) -> FloatArray:
    """Way and turn [M, 3] of runs of segments `first` .. `last` [M], in proportion where they are cut or go beyond."""
    way, at = pool.travel[first], first
    for _ in range(RUN_SEGMENTS - 1):
        going = at != last
        at = np.where(going, pool.next[at], at)
        way = np.where(going[:, None], path_kernel.advance(way, pool.travel[at]), way)
    share = (source_end_s - pool.start_s[first]) / (pool.end_s[last] - pool.start_s[first])
    return way * np.clip(share, 0.0, 2.0)[:, None]


def unary_terms(
    pool: Pool,
    step: Step,
    filled: Fit,
    distance: Float32Array,
    style_price: FloatArray,
    heard: Float32Array,
    weights: costs.CostWeights,
    *,
    strict_metre: bool = False,
    at: At = EVERY,
) -> FloatArray:
    """Weighted terms [len(UNARY_TERMS), S] of filling `step` with each segment at `at`; `variation` is left at zero.

    distance: [S] embedding distance. style_price: [styles + 1] by style code, the last for unknown styles. heard:
    [32] onsets of the step (`timing.heard`).
    """
    start_s, end_s = nominal_span(step)
    rest = step.kind == "rest"
    terms = np.zeros((len(costs.UNARY_TERMS), len(filled.rate)))
    mismatch = costs.metre_mismatch(len(step.beats_s) - 1 if len(step.beats_s) else 0, filled.beats)
    target = 0.0 if rest else step.energy
    # Silence has no window of its own to be near to.
    terms[0] = 0.0 if rest else weights.embedding * distance.astype(np.float64)
    terms[1] = weights.warp * np.abs(np.log(filled.rate))
    terms[2] = 0.0 if rest else weights.metre * mismatch
    if strict_metre and not rest:
        terms[2] += costs.FORBIDDEN * (filled.beats != len(step.beats_s) - 1)
    terms[3] = weights.trim * (filled.trimmed + filled.misfit)
    terms[4] = (weights.rest_energy if rest else weights.energy) * np.square(pool.energy[at] - target)
    terms[5] = weights.style * style_price[pool.style[at]]
    terms[6] = weights.walkable * ~pool.walkable[at]
    alone = ~filled.trimmed & (filled.last == positions(pool, at))
    terms[7] = 0.0 if rest else weights.timing * misses(pool.slowness, heard, alone, at)
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
        import pyarrow.compute as pc

        column = pc.fill_null(pc.cast(column, "float64"), missing)
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _has_beats(segments: Any) -> BoolArray:
    import pyarrow.compute as pc

    found = pc.not_equal(segments.column("beat_source"), "none")
    return np.asarray(found.to_numpy(), dtype=bool)


def _numbered(labels: Any) -> IntArray:
    """Integer codes [S] of a column of labels without nulls, numbered in sorted order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    names = pc.unique(whole)
    names = names.take(pc.sort_indices(names))
    return np.asarray(pc.index_in(whole, value_set=names).to_numpy(zero_copy_only=False), dtype=np.int64)


def _codes(labels: list[str | None]) -> tuple[IntArray, tuple[str, ...]]:
    """Integer codes of labels, numbered in sorted order; -1 for None."""
    names = tuple(sorted({label for label in labels if label is not None}))
    number = {name: index for index, name in enumerate(names)}
    return np.array([-1 if label is None else number[label] for label in labels], dtype=np.int64), names
