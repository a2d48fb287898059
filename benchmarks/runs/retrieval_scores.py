"""Figures of retrieval over songs: the song is the unit of every mean, interval and permutation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import retrieval

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.str_]
Figures = dict[str, float]

EXACT_R1, EXACT_R10, AUDIT_LEAST = 0.03, 0.12, 300
"""Above these shares of exactly found windows, in a gallery of at least so many, a leak is suspected."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores of aligned windows: [N, N], queries in rows, the query's own window on the diagonal. song, style: [N]."""

    scores: Array
    song: Labels
    style: Labels

    def of(self, places: npt.NDArray[np.int64]) -> Scored:
        """Some of the windows, on both sides."""
        return Scored(self.scores[np.ix_(places, places)], self.song[places], self.style[places])

    @property
    def turned(self) -> Scored:
        """Queries and gallery exchanged."""
        return Scored(self.scores.T, self.song, self.style)


def own_style(block: Scored) -> dict[str, float]:
    """AUC by query song: windows of its style against those of other styles; songs without either are left out."""
    same = block.style[:, None] == block.style
    return _by_song(block.song, [_auc(row[yes], row[~yes]) for row, yes in zip(block.scores, same, strict=True)])


def same_style(block: Scored) -> dict[str, float]:
    """AUC by query song: its own window against windows of other songs of its style; left out where there are none."""
    others = (block.style[:, None] == block.style) & (block.song[:, None] != block.song)
    own = np.diagonal(block.scores)
    return _by_song(
        block.song, [_auc(own[[at]], row[yes]) for at, (row, yes) in enumerate(zip(block.scores, others, strict=True))]
    )


def _auc(positives: Array, negatives: Array) -> float:
    """Chance that a positive scores above a negative, ties half; NaN where either is missing."""
    if len(positives) == 0 or len(negatives) == 0:
        return float("nan")
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left") + np.searchsorted(ordered, positives, side="right")
    return float(below.mean() / (2.0 * len(negatives)))


def _by_song(songs: Labels, values: Sequence[float]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for song, value in zip(songs.tolist(), values, strict=True):
        if np.isfinite(value):
            found.setdefault(song, []).append(value)
    return {song: float(np.mean(own)) for song, own in found.items()}


def macro(by_song: Mapping[str, float], styles: Mapping[str, str]) -> float:
    """Mean over styles of the mean over songs; NaN without songs."""
    groups: dict[str, list[float]] = {}
    for song, value in by_song.items():
        groups.setdefault(styles[song], []).append(value)
    return float(np.mean([np.mean(own) for own in groups.values()])) if groups else float("nan")


def interval(
    by_song: Mapping[str, float], styles: Mapping[str, str] | None, rng: np.random.Generator, draws: int
) -> tuple[float, float, float]:
    """(2.5 %, 97.5 %, deviation) of the mean over songs drawn again within their styles; macro over `styles` if given."""
    groups: dict[str, list[float]] = {}
    for song in sorted(by_song):
        groups.setdefault("" if styles is None else styles[song], []).append(by_song[song])
    means = np.mean([rng.choice(own, (draws, len(own))).mean(axis=1) for own in groups.values()], axis=0)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high), float(means.std())


def swapped(block: Scored) -> dict[str, tuple[list[str], Array]]:
    """Per style (songs [S], [S, S]): the same-style AUC of query song a if song b were its own; diagonal: as it is."""
    out = {}
    for style in np.unique(block.style):
        inside = np.flatnonzero(block.style == style)
        songs = sorted(set(block.song[inside].tolist()))
        if len(songs) < 2:
            continue
        places = {song: inside[block.song[inside] == song] for song in songs}
        table = np.array([[_as_own(block.scores, places, a, b, inside) for b in songs] for a in songs])
        out[str(style)] = (songs, table)
    return out


def _as_own(
    scores: Array, places: Mapping[str, npt.NDArray[np.int64]], a: str, b: str, inside: npt.NDArray[np.int64]
) -> float:
    others = np.setdiff1d(inside, places[b])
    matched = places[b][np.arange(len(places[a])) % len(places[b])]
    return float(
        np.mean([_auc(scores[at, [own]], scores[at, others]) for at, own in zip(places[a], matched, strict=True)])
    )


def permutation_p(blocks: Sequence[dict[str, tuple[list[str], Array]]], rng: np.random.Generator, draws: int) -> float:
    """Share of pairings of songs permuted within style and block that reach the true pairing's mean, itself counted."""
    tables = [table for block in blocks for _, table in block.values()]
    if not tables:
        return float("nan")
    true = sum(float(np.trace(table)) for table in tables)
    reached = 1
    for _ in range(draws):
        drawn = sum(float(table[np.arange(len(table)), rng.permutation(len(table))].sum()) for table in tables)
        reached += drawn >= true - 1e-12
    return reached / (draws + 1)


def ranking(scores: Array, queries: Labels, gallery: Labels) -> Figures:
    """R@1, 5, 10, median rank and mAP of the query's own song's windows, macro over songs, with chance beside.

    scores: [Q, G]. A query whose song is not in the gallery is left out.
    """
    relevant = queries[:, None] == gallery
    known = relevant.any(axis=1)
    scores, relevant, songs = scores[known], relevant[known], queries[known]
    placed = retrieval.ranks(scores, relevant)
    figures = retrieval.evaluate(scores, relevant, ks=(1, 5, 10))
    out = {f"r{k}": _song_mean(songs, placed <= k) for k in (1, 5, 10)}
    out |= {f"r{k}_chance": figures[f"chance_recall_at_{k}"] for k in (1, 5, 10)}
    precision = [
        retrieval.mean_average_precision(row[None], own[None]) for row, own in zip(scores, relevant, strict=True)
    ]
    out |= {"medr": retrieval.median_rank(placed), "map": _song_mean(songs, np.array(precision))}
    return out


def _song_mean(songs: Labels, values: npt.NDArray[np.generic]) -> float:
    return float(np.mean([values[songs == song].mean() for song in np.unique(songs)]))


def audit(scores: Array, own: npt.NDArray[np.int64]) -> Figures:
    """R@1 and R@10 of exactly the query's own window, whether that suspects a leak (1 or 0), and the gallery's size.

    scores: [Q, G]; own: [Q] column of the query's own window. Galleries under `AUDIT_LEAST` are not judged.
    """
    relevant = np.zeros(scores.shape, dtype=bool)
    relevant[np.arange(len(own)), own] = True
    placed = retrieval.ranks(scores, relevant)
    first, tenth = retrieval.recall_at(placed, 1), retrieval.recall_at(placed, 10)
    judged = scores.shape[1] >= AUDIT_LEAST
    leak = judged and (first > EXACT_R1 or tenth > EXACT_R10)
    return {"exact_r1": first, "exact_r10": tenth, "gallery": float(scores.shape[1]), "suspected": float(leak)}
