"""The nearest segments to a song or to a motion, window by window: what `choreodb search` lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.indexer import timing_branch
from choreodb.indexer.encoders import recorded
from choreodb.indexer.encoders.base import ClipMotion, Encoder, MotionWindow, MusicWindow, Window
from choreodb.indexer.timing_branch import TimingBranch
from choreodb.retriever import reranking, song
from choreodb.storage import index
from choreodb.storage.catalogue import matching

if TYPE_CHECKING:
    from choreodb.motion.motion import Motion
    from choreodb.music.features import Features
    from choreodb.music.grid import BeatGrid
    from choreodb.music.music import Music
    from choreodb.storage.store import Store

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hit:
    """A segment that is near. score: what hits are in the order of, at most 1. nearness: cosine, 1 is the same.

    timing: how well it moves with the song around the window, 0..1, where it counts: `score` is then the mean of nearness
    and timing weighted 1 to `reranking.WEIGHT`; else timing is None and `score` is nearness. start_s, end_s: clip seconds.
    tempo_bpm: None without beats.
    """

    score: float
    segment: int
    clip: str
    start_s: float
    end_s: float
    style: str | None
    tempo_bpm: float | None
    mirrored: bool
    nearness: float = 0.0
    timing: float | None = None


@dataclass(frozen=True, slots=True)
class NearestWindow:
    """A window of the query, in its own seconds, and its nearest segments, best first."""

    start_s: float
    end_s: float
    hits: tuple[Hit, ...]


def nearest_to_music(
    store: Store,
    music: Music,
    *,
    top: int = 5,
    where: str | None = None,
    window_bars: int = 1,
    grid: BeatGrid | None = None,
    encoder: Encoder | None = None,
    timing: bool = True,
) -> tuple[NearestWindow, ...]:
    """The `top` nearest segments for every `window_bars` bars of a song; rests are left out where there are bars.

    where: predicate over the segments view. grid: the beats to cut the song by, its best hypothesis by default. A
    segment and its mirror image are one hit. timing: whether the nearest `reranking.SHORTLIST` are put in the order of
    nearness and timing together, where the library knows how its segments move. Every window has min(top, matches) hits. QueryError for numbers below 1,
    a predicate that is refused, or one that nothing matches.
    """
    steps = song.steps(music, grid or music.grids[0])
    steps = tuple(step for step in steps if step.kind == "bar") or steps
    windows = [MusicWindow(step.start_s, step.end_s, step.beats_s, max(0, len(step.beats_s) - 1)) for step in steps]
    embedding = encoder or recorded.of_store(store)
    vectors = embedding.embed_music(music, windows)
    features = music.features if timing and reranking.knows_timing(store) else None
    return _search(store, windows, vectors, top, where, window_bars, features, timing_branch.of(embedding))


def nearest_to_motion(
    store: Store,
    motion: Motion,
    *,
    top: int = 5,
    where: str | None = None,
    window_bars: int = 1,
    encoder: Encoder | None = None,
) -> tuple[NearestWindow, ...]:
    """The same for a canonical motion (`motion.retarget.to_canonical`), cut by its own beats or into 2-s windows."""
    from choreodb.indexer import motion_grid, segments
    from choreodb.motion import contacts, kinematics

    positions, rotations = kinematics.forward(motion.rotations, motion.root, motion.skeleton, motion.translations)
    planted = contacts.detect(contacts.foot_points(positions, rotations), motion.fps)
    beats = motion_grid.from_motion(positions, planted, motion.fps)
    cuts = segments.cut(beats, len(motion), motion.fps)
    windows = [MotionWindow(part.start_s, part.end_s, part.beats_s, part.metre) for part in cuts]
    clip = ClipMotion(motion.rotations, motion.root, positions, planted, motion.fps)
    vectors = (encoder or recorded.of_store(store)).embed_motion(clip, windows)
    return _search(store, windows, vectors, top, where, window_bars)


def _search(
    store: Store,
    windows: list[MusicWindow] | list[MotionWindow],
    vectors: Float32Array,
    top: int,
    where: str | None,
    bars: int,
    features: Features | None = None,
    branch: TimingBranch | None = None,
) -> tuple[NearestWindow, ...]:
    """features: of the song, where the nearest are to be re-ranked by timing. branch: what the encoder has learnt of it."""
    if top < 1 or bars < 1:
        raise QueryError(f"top is {top} and the window {bars} bars; expected at least 1 of each")
    allowed = None if where is None else np.asarray(matching(store, where), dtype=bool)
    if allowed is not None and not allowed.any():
        raise QueryError(f"no segment matches {where!r}; see `choreodb info` for the labels of this library")
    starts, ends, queries = _grouped(windows, vectors, bars)
    source = _origins(store)
    depth = top if features is None else max(top, reranking.SHORTLIST)
    found = [_Found(scores, ids) for scores, ids in _distinct(store, queries, depth, allowed, source)]
    if features is not None:
        found = _reranked(store, features, 0.5 * (np.array(starts) + np.array(ends)), found, top, branch)
    described = _describe(store, np.unique(np.concatenate([each.ids for each in found])))
    return tuple(
        NearestWindow(start_s, end_s, each.hits(described))
        for start_s, end_s, each in zip(starts, ends, found, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was found for a window, best first: cosines, ids, and timing where it counts."""

    nearness: Float32Array
    ids: npt.NDArray[np.int64]
    timing: npt.NDArray[np.float64] | None = None

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """What the order is by, at most 1."""
        near = self.nearness.astype(np.float64)
        return near if self.timing is None else (near + reranking.WEIGHT * self.timing) / (1.0 + reranking.WEIGHT)

    def hits(self, described: dict[int, Hit]) -> tuple[Hit, ...]:
        timing = [None] * len(self.ids) if self.timing is None else self.timing.tolist()
        rows = zip(self.ids.tolist(), self.scores.tolist(), self.nearness.tolist(), timing, strict=True)
        return tuple(replace(described[i], score=score, nearness=near, timing=time) for i, score, near, time in rows)


def _reranked(
    store: Store, features: Features, middles_s: npt.NDArray[np.float64], found: list[_Found], top: int,
    branch: TimingBranch | None,
) -> list[_Found]:  # fmt: skip
    """The `top` of each window by nearness and timing together; equals stay in the order of nearness."""
    out = []
    timings = reranking.timings(store, features, middles_s, [each.ids for each in found], branch)
    for each, timing in zip(found, timings, strict=True):
        order = np.argsort(-_Found(each.nearness, each.ids, timing).scores, kind="stable")[:top]
        out.append(_Found(each.nearness[order], each.ids[order], timing[order]))
    return out


def _grouped(
    windows: list[MusicWindow] | list[MotionWindow], vectors: Float32Array, bars: int
) -> tuple[list[float], list[float], Float32Array]:
    """Spans and embeddings of every `bars` windows; their embedding is the mean direction."""
    first = list(range(0, len(windows), bars))
    total = np.add.reduceat(vectors.astype(np.float64), first, axis=0)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    spans: list[Window] = list(windows)
    starts = [spans[i].start_s for i in first]
    ends = [spans[min(i + bars, len(spans)) - 1].end_s for i in first]
    return starts, ends, total.astype(np.float32)


def _origins(store: Store) -> npt.NDArray[np.int64]:
    """A number [S] for the source seconds of each segment; a segment and its mirror image share it."""
    table = store.columns("segments", ["origin", "origin_start_s", "origin_end_s"])
    names = table.column("origin").to_pylist()
    codes = {name: code for code, name in enumerate(sorted(set(names)))}
    rows = np.column_stack(
        [
            np.array([codes[name] for name in names], dtype=np.float64),
            np.round(table.column("origin_start_s").to_numpy(), 4),
            np.round(table.column("origin_end_s").to_numpy(), 4),
        ]
    )
    return np.unique(rows, axis=0, return_inverse=True)[1].astype(np.int64).reshape(-1)


def _distinct(
    store: Store, queries: Float32Array, top: int, allowed: npt.NDArray[np.bool_] | None, source: npt.NDArray[np.int64]
) -> list[tuple[Float32Array, npt.NDArray[np.int64]]]:
    """Scores and ids of the `top` nearest segments of different source for each query."""
    searcher = index.choose(store)
    matches = len(source) if allowed is None else int(allowed.sum())
    wanted = min(top, len(np.unique(source if allowed is None else source[allowed])))
    depth = min(matches, 2 * top)
    while True:
        scores, ids = searcher.search(queries, depth, allowed)
        # np.unique gives the first, which is the best, of each source; sorting restores the order by score.
        first = [np.sort(np.unique(source[row], return_index=True)[1]) for row in ids]
        if depth >= matches or min(len(kept) for kept in first) >= wanted:
            return [(scores[q, kept[:wanted]], ids[q, kept[:wanted]]) for q, kept in enumerate(first)]
        depth = min(matches, 4 * depth)


def _describe(store: Store, ids: npt.NDArray[np.int64]) -> dict[int, Hit]:
    """Hits without a score for segment ids."""
    columns = ["segment", "clip", "start_s", "end_s", "tempo_bpm", "mirrored"]
    rows = store.columns("segments", columns).take(ids).to_pylist()
    clips = store.columns("clips", ["clip", "style"])
    styles = dict(zip(clips.column("clip").to_pylist(), clips.column("style").to_pylist(), strict=True))
    return {
        row["segment"]: Hit(
            0.0,
            row["segment"],
            row["clip"],
            row["start_s"],
            row["end_s"],
            styles[row["clip"]],
            row["tempo_bpm"],
            row["mirrored"],
        )
        for row in rows
    }
