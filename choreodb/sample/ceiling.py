"""The ceiling of retrieval on a sample: what somebody could find who saw the generator's latent variables themselves.

A dance is tied to its song by style, tempo, energy and answered accents, each no tighter than the `Relation` says. The
oracle scores a window of dance by its likelihood under a window of music, over all lags, and nothing that is made from the
two can rank better on average. What it cannot tell apart is not in the data.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.sample.relation import HALF_TIME, Relation
from choreodb.sample.styles import STYLES

Array = npt.NDArray[np.float64]

STEP_S = 0.5
"""Grid of windows and lags."""

STEP_JITTER_S = 0.008
"""Spread of footfalls around the beat, through which a dance shows its tempo."""

ACCENT_S = 0.06
RATE_HZ = 0.15
"""Accents a second that anybody answers, whatever is played."""

_STRANGE = np.log(1e-4)
CLUES = ("style", "tempo", "energy", "accents")


@dataclass(frozen=True, slots=True)
class OracleReport:
    """window_s: length of both windows. queries, targets: windows of music, of dance. recall: per clues used and K, the
    share of queries with a relevant window among the K best. chance: the same in random order."""

    window_s: float
    queries: int
    targets: int
    recall: dict[str, dict[int, float]]
    chance: dict[int, float]
    relevant: float

    def as_dict(self) -> dict[str, Any]:
        """One JSON document."""
        return {
            "window_s": self.window_s, "queries": self.queries, "targets": self.targets, "relevant_per_query": self.relevant,
            "recall": {name: {str(k): value for k, value in row.items()} for name, row in self.recall.items()},
            "chance": {str(k): value for k, value in self.chance.items()},
        }  # fmt: skip

    def text(self) -> str:
        """A table in words."""
        ks = list(self.chance)
        head = f"{'clues':<34}" + "".join(f"{f'R@{k}':>8}" for k in ks)
        rows = [("chance", self.chance), *self.recall.items()]
        lines = [f"{name:<34}" + "".join(f"{100.0 * row[k]:>7.1f}%" for k in ks) for name, row in rows]
        what = f"{self.queries} windows of music, {self.targets} of dance, {self.window_s:g} s each"
        note = f"{what}; {self.relevant:.1f} of the dance relevant to each (same pair, half of the time or more overlapping)"
        return "\n".join([note, head, *lines])


@dataclass(frozen=True, slots=True, eq=False)
class OracleTable:
    """Windows of songs and of dances, and how well each belongs to each by the latent variables.

    song: [M] file of each music window, relative to the sample; heard_s: [M] its start in song seconds. clip: [D] file of each
    dance; danced_s: [D] its start in clip seconds. scores: [M, D] log-likelihood by all clues. relevant: [M, D] of the same
    pair and overlapping by half or more.
    """

    song: tuple[str, ...]
    heard_s: Array
    clip: tuple[str, ...]
    danced_s: Array
    scores: Array
    relevant: npt.NDArray[np.bool_]


def oracle_table(
    folder: Path | str, *, relation: Relation | None = None, window_s: float = 8.0, hop_s: float | None = None
) -> OracleTable:
    """The windows that `oracle` counts, with their scores by all clues; errors as there. hop_s: between windows of dance, a
    multiple of half a second (default: half a window)."""
    music, dance, relevant = _windows(Path(folder), window_s, hop_s)
    parts = _log_likelihoods(music, dance, relation or Relation(), window_s)
    scores = np.asarray(parts["style"] + parts["tempo"] + parts["accents"])
    return OracleTable(
        tuple(music.song), np.array(music.start_s), tuple(dance.clip), np.array(dance.start_s) - np.array(dance.offset_s),
        scores, relevant,
    )  # fmt: skip


@dataclass(slots=True)
class _Windows:
    """Windows of one side. style: index. period_s: of the beat, as heard or as danced. energy: [N, W] on the grid.
    accents: [N] arrays of seconds in the window. song, start_s: where it lies. clip: the dance's file. offset_s: song seconds at its beginning."""

    style: list[int] = field(default_factory=list)
    period_s: list[float] = field(default_factory=list)
    energy: list[Array] = field(default_factory=list)
    accents: list[Array] = field(default_factory=list)
    song: list[str] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    clip: list[str] = field(default_factory=list)
    offset_s: list[float] = field(default_factory=list)


def oracle(
    folder: Path | str, *, relation: Relation | None = None, window_s: float = 8.0, ks: tuple[int, ...] = (1, 5, 10)
) -> OracleReport:
    """The best R@K that the latent variables of the sample in `folder` allow, for music windows as queries.

    relation: the strengths it was made with. QueryError where `folder` holds no sample or only clips shorter than a window.
    """
    ties = relation or Relation()
    music, dance, relevant = _windows(Path(folder), window_s)
    names = dance.song
    asked = relevant.any(axis=1)
    parts = _log_likelihoods(music, dance, ties, window_s)
    recall = {}
    for count in range(1, len(CLUES) + 1):
        score = sum(parts[name] for name in CLUES[: min(count, 2)]) + (parts[CLUES[count - 1]] if count > 2 else 0.0)
        recall[" + ".join(CLUES[:count])] = _recall(np.asarray(score)[asked], relevant[asked], ks)
    chance = {k: float(np.mean(_chance(relevant[asked], k))) for k in ks}
    return OracleReport(
        window_s, int(asked.sum()), len(names), recall, chance, float(relevant[asked].sum(axis=1).mean())
    )


def _windows(
    root: Path, window_s: float, hop_s: float | None = None
) -> tuple[_Windows, _Windows, npt.NDArray[np.bool_]]:
    """Windows of music and of dance, and which belong together [M, D]."""
    music, dance = _read(root, window_s, hop_s or 0.5 * window_s)
    if not music.song or not dance.song:
        raise QueryError(
            f"{str(root)!r} holds no song and dance of {window_s:g} s; make one with: choreodb sample make"
        )
    start, names = np.array(dance.start_s), np.array(dance.song)
    relevant = [
        (names == song) & (np.abs(start - at) <= 0.5 * window_s + 1e-9)
        for song, at in zip(music.song, music.start_s, strict=True)
    ]
    return music, dance, np.array(relevant)


def _read(root: Path, window_s: float, hop_s: float) -> tuple[_Windows, _Windows]:
    """Windows of all songs every other grid step of 4 s, and of all dances at the same grid of the song's time."""
    pairs = root / "pairs.csv"
    if not pairs.is_file():
        raise QueryError(f"{str(root)!r} holds no sample; make one with: choreodb sample make")
    with pairs.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    styles = list(STYLES)
    music, dance = _Windows(), _Windows()
    truths = {row["music"]: _json(root / row["music"]) for row in rows}
    for name, truth in truths.items():
        energy = [(each["start_s"], each["end_s"], each["energy"]) for each in truth["sections"]]
        accents = np.array([each["time_s"] for each in truth["accents"]])
        for at in np.arange(0.0, truth["duration_s"] - window_s, 0.5 * window_s):
            _add(music, truth, name, styles, float(at), window_s, 0.0, energy, accents, ())
    for row in rows:
        truth = _json(root / row["motion"])
        offset = truth["music_start_s"]
        energy = [(each["start_s"], each["end_s"], each["energy"]) for each in truth["phrases"]]
        spans = [(each["start_s"], each["end_s"], each["rate"]) for each in truth["phrases"]]
        # dance windows lie on the grid of the song's time, so that the true lag is one of those tried
        first = np.ceil(offset / STEP_S) * STEP_S - offset
        before = len(dance.song)
        for at in np.arange(first, truth["duration_s"] - window_s, hop_s):
            _add(
                dance,
                truth,
                row["music"],
                styles,
                float(at),
                window_s,
                offset,
                energy,
                np.array(truth["answered_s"]),
                spans,
            )
        dance.clip += [row["motion"]] * (len(dance.song) - before)
        dance.offset_s += [offset] * (len(dance.song) - before)
    return music, dance


def _json(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return loaded


def _add(
    to: _Windows,
    truth: dict[str, Any],
    song: str,
    styles: list[str],
    at: float,
    window_s: float,
    offset_s: float,
    energy: list[tuple[float, float, float]],
    accents: Array,
    spans: Any,
) -> None:
    """Add the window of `truth` that begins at `at` (its own seconds) where it has beats all through."""
    beats = np.array(truth["beats_s"])
    inside = beats[(beats >= at) & (beats < at + window_s)]
    if len(inside) < 4:
        return
    middle = at + 0.5 * window_s
    rate = next((value for start, stop, value in spans if start <= middle < stop), 1.0)
    grid = at + STEP_S * (np.arange(round(window_s / STEP_S)) + 0.5)
    curve = np.full(len(grid), np.nan)
    for start, stop, value in energy:
        curve[(grid >= start) & (grid < stop)] = value
    to.style.append(styles.index(truth["style"]))
    to.period_s.append(float(np.median(np.diff(inside))) / rate)
    to.energy.append(curve)
    to.accents.append(accents[(accents >= at) & (accents < at + window_s)] - at)
    to.song.append(song)
    to.start_s.append(at + offset_s)


def _log_likelihoods(music: _Windows, dance: _Windows, ties: Relation, window_s: float) -> dict[str, Array]:
    """[M, D] per clue; energy holds the best lag by energy alone, accents the best lag by energy and accents together."""
    style_m, style_d = np.array(music.style), np.array(dance.style)
    others = max(len(STYLES) - 1, 1)
    # a first dance always has the song's style, so a little over half of what lets go is seen
    same = 0.5 * (1.0 + ties.style)
    style = np.where(style_m[:, None] == style_d[None], np.log(same), np.log(max((1.0 - same) / others, 1e-6)))
    period_m, period_d = np.log(np.array(music.period_s)), np.log(np.array(dance.period_s))
    count = window_s / np.array(dance.period_s)
    spread = np.sqrt(12.0) * STEP_JITTER_S / np.array(dance.period_s) / count**1.5
    half = np.clip(HALF_TIME * (1.0 - ties.tempo), 1e-3, 1.0)
    apart = (period_d[None] - period_m[:, None]) / spread
    apart_half = (period_d[None] - np.log(2.0) - period_m[:, None]) / spread
    heavy = 1e-6
    tempo = np.log((1 - half) * np.exp(-0.5 * apart**2) + half * np.exp(-0.5 * apart_half**2) + heavy)
    energy, both = (np.empty_like(tempo) for _ in range(2))
    moved = np.stack(dance.energy)
    for row, curve in enumerate(music.energy):
        by_energy, by_accent = [], []
        for lag in range(-(len(curve) // 2), len(curve) // 2 + 1):
            by_energy.append(_energy(curve, moved, lag, ties))
            by_accent.append(_accents(music.accents[row], dance.accents, lag * STEP_S, window_s, ties))
        energy[row] = np.max(by_energy, axis=0)
        both[row] = np.max(np.array(by_energy) + np.array(by_accent), axis=0)
    return {"style": style, "tempo": tempo, "energy": energy, "accents": both}


def _energy(heard: Array, danced: Array, lag: int, ties: Relation) -> Array:
    """Log-likelihood ratio [D] of danced energies [D, W] for `heard` [W], which came `lag` grid steps later in the dance."""
    width = len(heard)
    one, two = max(0, lag), min(width, width + lag)
    ours, theirs = heard[one - lag : two - lag], danced[:, one:two]
    known = np.isfinite(ours)[None] & np.isfinite(theirs)
    mood = theirs - ties.energy * ours[None]
    low, high = 0.2 * (1.0 - ties.energy), 0.95 * (1.0 - ties.energy)
    outside = np.maximum(low - mood, 0.0) + np.maximum(mood - high, 0.0)
    miss = np.minimum((outside / 0.02) ** 2, -_STRANGE)
    unlike = np.isfinite(ours)[None] != np.isfinite(theirs)
    # against any energy at all; only where a section changes does a further second say something new
    gain = -np.log(max(high - low, 0.02) / 0.75)
    return np.sum(np.where(known, gain - miss, 0.0) - 2.0 * unlike, axis=1) * STEP_S / 4.0


def _accents(heard: Array, danced: list[Array], lag_s: float, window_s: float, ties: Relation) -> Array:
    """Log-likelihood ratio [D] of the answered accents for the `heard` ones, which came `lag_s` later in the dance."""
    moved = heard + lag_s
    moved = moved[(moved >= 0.0) & (moved < window_s)]
    answered = np.log(max(ties.accents, 1e-4) / (2.0 * ACCENT_S * RATE_HZ))
    left_out = np.log(max(1.0 - ties.accents, 1e-4))
    lengths = np.array([len(each) for each in danced])
    flat = np.concatenate(danced) if lengths.sum() else np.empty(0)
    owner = np.repeat(np.arange(len(danced)), lengths)
    inside = (flat >= max(0.0, lag_s)) & (flat < window_s + min(0.0, lag_s))
    close = np.abs(flat[:, None] - moved[None]) < ACCENT_S
    hits = np.bincount(owner[close.any(axis=1)], minlength=len(danced)) if len(moved) else np.zeros(len(danced))
    strange = np.bincount(owner[inside & ~close.any(axis=1)], minlength=len(danced))
    return np.asarray(hits * answered + (len(moved) - hits).clip(0) * left_out + strange * _STRANGE)


def _recall(score: Array, relevant: npt.NDArray[np.bool_], ks: tuple[int, ...]) -> dict[int, float]:
    """R@K; among equals every order is as likely, so a group of equals is counted by chance."""
    out = dict.fromkeys(ks, 0.0)
    for row, wanted in zip(score, relevant, strict=True):
        best = row[wanted].max()
        above, level = int(np.sum(row > best + 1e-12)), np.abs(row - best) <= 1e-12
        hits, size = int(np.sum(level & wanted)), int(level.sum())
        for k in ks:
            out[k] += _drawn(size, hits, k - above) / len(score)
    return out


def _drawn(size: int, hits: int, draws: int) -> float:
    """Chance that `draws` of `size` things hold one of `hits`."""
    if draws <= 0 or hits == 0:
        return 0.0
    if draws > size - hits:
        return 1.0
    left = np.arange(draws)
    return float(1.0 - np.prod((size - hits - left) / (size - left)))


def _chance(relevant: npt.NDArray[np.bool_], k: int) -> list[float]:
    return [_drawn(relevant.shape[1], int(row.sum()), k) for row in relevant]
