"""Phrases: at which steps of a song a change of material is expected, and at which it is wanted.

Dance music is built in phrases of four bars, and dances change with them. Where the phrases begin, and where a new
section begins, is read from how much the sound differs before and after a bar line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from choreodb.music.features import means_between
from choreodb.retriever.costs import FloatArray
from choreodb.retriever.placement import Step

if TYPE_CHECKING:
    from choreodb.music.features import Features

PHRASE_BARS = 4
HALF_PHRASE = 0.5
"""How good a place for a change the middle of a phrase is; a bar line elsewhere is 0, the start of a phrase 1."""

SECTION_RATIO = (1.5, 3.0)
"""A change of sound this many times the song's median one begins to count as a new section, and counts fully."""


@dataclass(frozen=True, slots=True, eq=False)
class Phrasing:
    """For the start of each step [N]: place, how good it is for a change, and section, how much of a new section begins
    there; both 0..1."""

    place: FloatArray
    section: FloatArray


def phrasing(steps: tuple[Step, ...], features: Features, metre: int) -> Phrasing:
    """Where phrases and sections begin; metre: beats in a bar of the song, for steps that hold another number."""
    change = _change(_sounds(steps, features))
    section = _sections(change)
    rest = np.array([step.kind == "rest" for step in steps])
    section[1:][rest[1:] != rest[:-1]] = 1.0
    place = _phrase_lines(steps, change, section, max(1, metre))
    return Phrasing(np.maximum(place, section), section)


def _sounds(steps: tuple[Step, ...], features: Features) -> FloatArray:
    """Mean log spectrum of every step [N, bands] over the spread of the song's."""
    frames = len(features.mel_db)
    if frames == 0:
        return np.zeros((len(steps), 1))
    starts = np.array([step.start_s for step in steps])
    first = np.clip(np.rint(starts / features.hop_s).astype(np.int64), 0, frames - 1)
    edges = np.append(first, frames)
    means = np.where((np.diff(edges) > 0)[:, None], means_between(features.mel_db, edges), features.mel_db[first])
    return np.asarray((means - means.mean(axis=0)) / max(float(np.sqrt(means.var(axis=0).sum())), 1e-6))


def _change(sounds: FloatArray) -> FloatArray:
    """How far apart the mean sounds of up to a phrase of steps before and after the start of each step are [N]."""
    count = len(sounds)
    total = np.concatenate([np.zeros((1, sounds.shape[1])), np.cumsum(sounds, axis=0)])
    here = np.arange(count)
    low, high = np.maximum(here - PHRASE_BARS, 0), np.minimum(here + PHRASE_BARS, count)
    before = (total[here] - total[low]) / np.maximum(here - low, 1)[:, None]
    after = (total[high] - total[here]) / (high - here)[:, None]
    apart = np.linalg.norm(after - before, axis=1)
    # one step on a side says little
    return np.where((here - low >= 2) & (high - here >= 2), apart, 0.0)


def _sections(change: FloatArray) -> FloatArray:
    """How surely a section begins at each step [N]: changes that are the largest within half a phrase, and large."""
    known = change[change > 0.0]
    if len(known) == 0:
        return np.zeros(len(change))
    reach = PHRASE_BARS // 2
    around = np.lib.stride_tricks.sliding_window_view(np.pad(change, reach), 2 * reach + 1).max(axis=1)
    low, high = SECTION_RATIO
    share = (change / float(np.median(known)) - low) / (high - low)
    return np.where(change >= around, np.clip(share, 0.0, 1.0), 0.0)


def _phrase_lines(steps: tuple[Step, ...], change: FloatArray, section: FloatArray, metre: int) -> FloatArray:
    """1 where a phrase starts, `HALF_PHRASE` in its middle, else 0 [N]; counted in beats from every sure section on."""
    beats = np.array([max(0, len(step.beats_s) - 1) for step in steps], dtype=np.int64)
    place = np.zeros(len(steps))
    period = PHRASE_BARS * metre
    edges = np.flatnonzero((section >= 1.0) | (np.arange(len(steps)) == 0))
    for first, stop in zip(edges, np.append(edges[1:], len(steps)), strict=True):
        count = np.concatenate([[0], np.cumsum(beats[first : stop - 1])])
        phase = 0
        if first == 0:
            # a song may begin in the middle of a phrase, but its first section does not end there
            to_end = int(beats[:stop].sum()) % period
            phase = to_end if stop < len(steps) else _phase(count, change, period)
        beat = (count - phase) % period
        lines = np.where(beat == 0, 1.0, np.where(2 * beat == period, HALF_PHRASE, 0.0))
        # a stretch without beats has no phrases: every place is as good
        place[first:stop] = np.where(beats[first:stop] > 0, lines, HALF_PHRASE)
    return place


def _phase(count: FloatArray, change: FloatArray, period: int) -> int:
    """Beat of the period at which phrases start: where the sound changes most, by mean; the first beat on a tie."""
    phases = np.unique(count % period)
    means = [change[count % period == phase].mean() for phase in phases]
    return int(phases[int(np.argmax(means))])
