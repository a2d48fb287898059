"""Steps of another length where a library has hardly any segment for the song's bars.

A library without beats, or with bars of another length, may hold nothing that fills a 4-s bar. Neighbouring bars are
then cut into groups of as many beats as most segments fit (half a bar where that serves nearly as well), and
neighbouring rests into pieces of another length. Every cut still falls on a beat.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from choreodb.retriever import song
from choreodb.retriever.candidates import RUN_SEGMENTS, Pool
from choreodb.retriever.costs import FloatArray, IntArray
from choreodb.retriever.placement import Step

FEW_SEGMENTS = 64
FEW_SHARE = 0.25
"""A step is hard to fill where fewer segments fit it well than both of these: a number, and a share of the pool."""

GOOD_WARP = (0.87, 1.15)
"""A segment fits well at a warp rate within this range, which is narrower than the range that is allowed."""

SAMPLE = 20_000
"""So many segments of a larger pool are looked at."""

MIN_STEP_S = 0.8
MAX_BEATS = 12
"""No group is shorter, or has more beats, than this."""

NEARLY = 0.75
"""Half a bar is preferred to an odd group of beats where at least this share of the segments still fits."""


def regrouped(pool: Pool, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same steps where enough segments fit them, and runs of hard ones cut anew; they still tile the song."""
    lengths = np.array([np.subtract(*song.nominal_span(step)[::-1]) for step in steps])
    enough = min(FEW_SEGMENTS, max(1, int(FEW_SHARE * len(pool))))
    fits = fitting(pool, lengths)
    hard = (fits < enough) & [_is_exact(step) for step in steps]
    result: list[Step] = []
    for (is_hard, _), run in groupby(range(len(steps)), lambda index: (bool(hard[index]), steps[index].kind)):
        part = [steps[index] for index in run]
        if is_hard:
            result += (_beat_groups if part[0].kind == "bar" else _rest_pieces)(pool, part)
        else:
            result += part
    return tuple(result)


def fitting(pool: Pool, lengths_s: FloatArray) -> IntArray:
    """How many segments, alone or with continuations after them, fit each length [N] well."""
    total = np.zeros(len(lengths_s), dtype=np.int64)
    # evenly chosen ones tell enough about a large pool
    stride = max(1, len(pool) // SAMPLE)
    last = np.arange(0, len(pool), stride)
    start_s = pool.start_s[last]
    for _ in range(RUN_SEGMENTS):
        durations = np.sort(pool.end_s[last] - start_s)
        total += np.searchsorted(durations, lengths_s * GOOD_WARP[1], "right")
        total -= np.searchsorted(durations, lengths_s * GOOD_WARP[0], "left")
        goes_on = pool.next[last] >= 0
        last, start_s = pool.next[last][goes_on], start_s[goes_on]
    return total * stride


def _beat_groups(pool: Pool, bars: list[Step]) -> list[Step]:
    """Neighbouring bars cut into groups of k beats, k being what most segments fit."""
    beats = np.concatenate([bars[0].beats_s, *(bar.beats_s[1:] for bar in bars[1:])])
    accents = np.concatenate([bars[0].accents, *(bar.accents[1:] for bar in bars[1:])])
    beat_s = float(np.median(np.diff(beats)))
    metre = bars[0].metre
    sizes = np.arange(1, min(MAX_BEATS, len(beats) - 1) + 1)
    sizes = sizes[sizes * beat_s >= MIN_STEP_S]
    size = _best_size(fitting(pool, np.multiply(sizes, beat_s, dtype=np.float64)), sizes, metre)
    if size is None:
        return bars
    edges = _edges(len(beats) - 1, size)
    middles = np.array([0.5 * (bar.start_s + bar.end_s) for bar in bars])
    result = []
    for first, last in pairwise(edges):
        start_s, end_s = float(beats[first]), float(beats[last])
        over = bars[int(np.argmin(np.abs(middles - 0.5 * (start_s + end_s))))]
        inside = slice(first, last + 1)
        result.append(
            replace(
                over, start_s=start_s, end_s=end_s, beats_s=beats[inside], accents=accents[inside], metre=last - first
            )
        )
    return result


def _best_size(fits: IntArray, sizes: IntArray, metre: int) -> int | None:
    """Beats of a group: what most segments fit; the bar where nothing is better, half of it where it is nearly so."""
    if len(sizes) == 0:
        return None
    best = int(fits.max())
    known = dict(zip(sizes.tolist(), fits.tolist(), strict=True))
    if best <= known.get(metre, 0):
        return None
    if metre % 2 == 0 and known.get(metre // 2, 0) > max(known.get(metre, 0), NEARLY * best):
        return metre // 2
    # The longest of the best, so that there are few cuts.
    return int(sizes[np.flatnonzero(fits == best)[-1]])


def _rest_pieces(pool: Pool, rests: list[Step]) -> list[Step]:
    """Neighbouring rests cut into equal pieces that most segments fit."""
    start_s, end_s = rests[0].start_s, rests[-1].end_s
    pieces = np.arange(1, max(1, int((end_s - start_s) / MIN_STEP_S)) + 1)
    fits = fitting(pool, np.divide(end_s - start_s, pieces, dtype=np.float64))
    if fits.max() <= fits[min(len(rests), len(pieces)) - 1]:
        return rests
    edges = np.linspace(start_s, end_s, int(pieces[np.argmax(fits)]) + 1)
    edges[-1] = end_s
    return [replace(rests[0], start_s=float(a), end_s=float(b)) for a, b in pairwise(edges)]


def _edges(beats: int, size: int) -> list[int]:
    """Edges of groups of about `size` beats over `beats`, as equal as they can be."""
    groups = max(1, round(beats / size))
    return [round(beats * group / groups) for group in range(groups + 1)]


def _is_exact(step: Step) -> bool:
    return len(step.beats_s) == 0 or (step.start_s == step.beats_s[0] and step.end_s == step.beats_s[-1])
