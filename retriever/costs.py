"""What a path costs: the weights of every term, and the terms that depend on one step and one segment only.

A path is priced as the sum over its steps of

    seconds / UNIT_S * (embedding + warp + metre + trim + energy + style + walkable + timing + variation)
    + transition + style_change + phrasing + repetition + verbatim + familiar + stage

The first line is a price per time, so that hypotheses with long and with short bars can be compared; transition,
style change, phrasing and repetition are paid per event, the last three per time. From repetition on, terms depend on
the whole path. None is ever negative, so that leaving them out, or pricing a part of them (`prices`), bounds every path's
cost from below. Every term is kept per step for the explanation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

UNIT_S = 2.0
"""Seconds for which the terms that are paid per time are stated: one bar at 120 bpm in four."""

MIN_WARP, MAX_WARP = 0.8, 1.25
"""Range of the warp rate, source seconds per song second."""

SAME_ORIGIN_OVERLAP = 0.25
"""Two segments are the same material where their origins overlap by more than this share of the shorter one."""

FAMILIAR_SHARE = 0.25
"""One source file may fill this share of a stretch of half the horizon before it costs."""

FORBIDDEN = 1000.0
"""What breaking a demand costs: more than a whole dance, so that it is only broken where nothing else is left."""

UNARY_TERMS = ("embedding", "warp", "metre", "trim", "energy", "style", "walkable", "timing", "variation")
PAIR_TERMS = ("transition", "style_change", "phrasing")
PATH_TERMS = (*PAIR_TERMS, "repetition", "verbatim", "familiar", "stage")
TERMS = UNARY_TERMS + PATH_TERMS


@dataclass(frozen=True, slots=True)
class CostWeights:
    """Weights of the path cost. One unit is about what a random cut costs.

    embedding: per unit of 1 - cosine between the song's window and the segment's. warp: per |ln rate|.
    metre: for another number of beats; half of it where one number is twice the other or the segment has no beats.
    trim: for material that does not fit: once for being cut, and once more for the share that is cut off, held, or
    squeezed. energy: per squared difference between loudness rank and movement rank (0..1). rest_energy: the same for
    a rest step, whose target is the library's stillest movement. style: per unit by which a style is further from the
    song than the nearest style, or for a style other than the one that was asked for. walkable: for a segment outside
    the transition graph's walkable part. timing: where a segment is fast at the song's onsets, half of it where its speed
    and the onsets have nothing in common. variation: width of the uniform noise at full variety.
    transition: per squared boundary distance, where 1 is a random cut; 0 for a continuation.
    style_change: where the style changes from one step to the next. phrasing: for a cut away from the start of a phrase,
    half of it in the middle of one, and for going on where a new section begins. repetition: for the same origin again,
    fading linearly to nothing at the horizon. verbatim: per `UNIT_S` for which one take goes on beyond the limit in the
    options. familiar: per `UNIT_S` that a source
    file fills, times the share beyond `FAMILIAR_SHARE` that it fills of half the horizon around (the mean over four
    stretches of that length that are shifted evenly). stage: per squared metre by which a step ends outside the stage.
    """

    embedding: float = 1.0
    warp: float = 1.5
    metre: float = 0.6
    trim: float = 1.0
    energy: float = 0.4
    rest_energy: float = 1.0
    style: float = 1.5
    walkable: float = 0.2
    timing: float = 0.5
    variation: float = 1.0
    transition: float = 2.5
    style_change: float = 0.3
    phrasing: float = 0.4
    repetition: float = 4.0
    verbatim: float = 0.5
    familiar: float = 1.0
    stage: float = 1.0


def metre_mismatch(step_beats: int, segment_beats: IntArray) -> FloatArray:
    """0 for the same number of beats [S], 0.5 for twice or half of it and for none on either side, else 1."""
    same = segment_beats == step_beats
    related = (segment_beats == 2 * step_beats) | (2 * segment_beats == step_beats) | (segment_beats == 0)
    if step_beats == 0:
        return np.where(segment_beats == 0, 0.0, 0.5)
    return np.where(same, 0.0, np.where(related, 0.5, 1.0))


def rank01(values: npt.NDArray[np.floating]) -> FloatArray:
    """Rank of each value among all of them, 0..1, ties sharing their mean rank; 0.5 for a single value."""
    if len(values) < 2:
        return np.full(len(values), 0.5)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    below = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.diff(np.append(below, len(values)))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((2 * below + counts - 1) / 2.0 / (len(values) - 1), counts)
    return ranks


def style_distance(distance: npt.NDArray[np.float32], styles: IntArray, seconds: FloatArray) -> FloatArray:
    """How much further each style is from the song than the nearest one, per style code [max + 1].

    distance: [N, S] embedding distance of steps and segments. styles: [S] codes, -1 unknown (which gets the mean).
    A style's distance to a step is the mean over its 8 nearest segments; steps count by their seconds [N].
    """
    count = int(styles.max(initial=-1)) + 1
    if count == 0 or len(distance) == 0:
        return np.zeros(count + 1)
    result = np.full(count, np.nan)
    for code in range(count):
        members = np.flatnonzero(styles == code)
        if len(members):
            nearest = min(8, len(members))
            near = np.partition(distance[:, members], nearest - 1, axis=1)[:, :nearest].mean(axis=1)
            result[code] = float(near.astype(np.float64) @ seconds / seconds.sum())
    result -= np.nanmin(result)
    return np.append(np.nan_to_num(result, nan=0.0), np.nanmean(result))


def variation_noise(seed: int, step: int, segments: IntArray) -> FloatArray:
    """Uniform noise in [0, 1) of a seed, a step and segment ids [S] (splitmix64 of the three)."""
    with np.errstate(over="ignore"):
        state = segments.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        state += np.uint64(seed % 2**63) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(step) * np.uint64(
            0x94D049BB133111EB
        )
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) / 2.0**53
