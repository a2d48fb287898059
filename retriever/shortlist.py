"""What is priced at all where a pool is large: per step, the segments that the vector index finds among those that fit.

A small pool is priced whole. In a large one only what is of the song's tempo and metre (and of the style that was asked
for) can come out cheap, so the nearest of these by embedding are found in one batch, several times as many as a lattice
takes, and priced in full.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np

from choreodb.retriever import costs
from choreodb.retriever.candidates import Pool, fit
from choreodb.retriever.costs import BoolArray, FloatArray, IntArray
from choreodb.retriever.placement import Step
from choreodb.retriever.rows import Float32Array
from choreodb.retriever.song import nominal_span
from choreodb.storage.index import EXACT_VECTORS

WHOLE_POOL = EXACT_VECTORS
"""A pool of so many segments is priced whole."""

SHORTLIST = 4
"""So many times the candidates of a step are priced,"""

LONG = 512
"""up to so many; of more candidates, twice as many."""

STYLE_SAMPLE = 512
"""So many segments of a style say how far it is from the song."""

_LENGTH_STEP = 0.04
"""Steps whose lengths differ by less, as a logarithm, are asked for together."""


def shortlists(
    pool: Pool, steps: tuple[Step, ...], embeddings: Float32Array, candidates: int, style: str | None
) -> list[IntArray] | None:
    """Ascending positions in the pool for each step; None where the pool is so small that all of it is to be priced."""
    if len(pool) <= WHOLE_POOL:
        return None
    wanted = max(2 * candidates, min(SHORTLIST * candidates, LONG))
    found: list[IntArray] = [np.empty(0, dtype=np.int64)] * len(steps)
    for members, step, length_s in _groups(steps):
        able = _able(pool, step, length_s, style, wanted)
        if step.kind == "rest":
            still = _stillest(pool, able, wanted)
            for index in members:
                found[index] = still
            continue
        _, rows = pool.searcher.search(embeddings[members], wanted, pool.allowed(able))
        positions = np.sort(np.searchsorted(pool.row, rows), axis=1)
        for index, near in zip(members.tolist(), positions, strict=True):
            found[index] = near
    return found


def _groups(steps: tuple[Step, ...]) -> Iterator[tuple[IntArray, Step, float]]:
    """Steps of about the same length and as many beats: their numbers, one of them, and its length."""
    lengths = np.array([np.subtract(*nominal_span(step)[::-1]) for step in steps])
    beats = np.array([len(step.beats_s) for step in steps])
    rest = np.array([step.kind == "rest" for step in steps])
    keys = np.stack([np.rint(np.log(np.maximum(lengths, 1e-3)) / _LENGTH_STEP), beats, rest], axis=1)
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    for number, at in enumerate(first.tolist()):
        yield np.flatnonzero(group.reshape(-1) == number), steps[at], float(lengths[at])


def _able(pool: Pool, step: Step, length_s: float, style: str | None, wanted: int) -> BoolArray | None:
    """Segments [S] that fill the step whole, as it is asked for; less is asked where too few do, at last nothing (None)."""
    duration = pool.end_s - pool.start_s
    whole = (duration >= costs.MIN_WARP * length_s) & (duration <= costs.MAX_WARP * length_s)
    beats = pool.beats == max(0, len(step.beats_s) - 1)
    styled = np.ones(1, dtype=bool) if style is None else pool.style == pool.styles.index(style)
    for able in (whole & beats & styled, whole & styled, styled & np.ones(len(pool), dtype=bool)):
        if np.count_nonzero(able) >= wanted:
            return able
    runs = ~fit(pool, length_s).trimmed
    return runs if np.count_nonzero(runs) >= wanted else None


def _stillest(pool: Pool, able: BoolArray | None, wanted: int) -> IntArray:
    """The segments that move least."""
    at = np.arange(len(pool)) if able is None else np.flatnonzero(able)
    return np.sort(at[np.argsort(pool.energy[at], kind="stable")[:wanted]])


def style_distance(pool: Pool, embeddings: Float32Array, seconds: FloatArray) -> FloatArray:
    """What `costs.style_distance` gives for evenly chosen segments of every style."""
    known = _SAMPLES.get(pool)
    if known is None:
        at = _styles_sampled(pool)
        known = _SAMPLES[pool] = pool.style[at], pool.embeddings[at]
    styles, vectors = known
    return costs.style_distance(1.0 - embeddings @ vectors.T, styles, seconds)


_SAMPLES: WeakKeyDictionary[Pool, tuple[IntArray, Float32Array]] = WeakKeyDictionary()
"""Styles and embeddings of the chosen segments: every beat hypothesis asks for the same."""


def _styles_sampled(pool: Pool) -> IntArray:
    """Ascending positions of up to `STYLE_SAMPLE` segments of every style."""
    order = np.argsort(pool.style, kind="stable")
    edges = np.searchsorted(pool.style[order], np.arange(-1, len(pool.styles) + 1))
    members = [order[first:last] for first, last in pairwise(edges.tolist()) if last > first]
    chosen = [each[np.unique(np.linspace(0, len(each) - 1, STYLE_SAMPLE).astype(np.int64))] for each in members]
    return np.sort(np.concatenate(chosen))
