"""Pairs out of nothing: songs and dances that were never together, matched by what their rhythm is like.

One song against one dance says little: many styles share a tempo. So kin are asked as well. Songs that sound alike should be
danced to by dances that look alike: the rhythm of every song is compared with that of every dance, what was found is
averaged over each one's kin, within its own kind, and shared out so that every song and every dance gets as much as any other
(Cuturi, Sinkhorn Distances, arXiv:1306.0895). Two that are among each other's nearest in that plan become a pair. It begins
with the surest, and takes in less sure ones as training goes on. The motion of a pair is shown at the tempo of its music,
beat on beat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import glimpses, towers
from choreodb.indexer.encoders.glimpses import Glimpses
from choreodb.indexer.encoders.towers import TowerConfig
from choreodb.indexer.training import batches
from choreodb.indexer.training.augment import Variation
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.config import TrainConfig
from choreodb.indexer.training.takes import Take
from choreodb.music.grid import BeatGrid

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

NEAREST = (1, 3)
"""A song and a dance are a pair where each is among the so many nearest of the other: at the start of training, at its end."""

TEMPO_OCTAVES = 0.1
"""Two tempi so far apart are hardly alike."""

KIN = (5, 9)
"""So many songs, and dances, are a song's or a dance's kin; there often are two dances to a song."""

EVENNESS = 0.3
"""How evenly the plan shares out what is about as likely, in deviations of the likeness."""

SLACK = 0.3
"""By how much, in ranks of 0..1, a window that is not the nearest in how busy it is may be taken."""

REACH = (0.8, 1.25)
"""Motion is not shown at other rates than these; what would need more keeps its tempo."""

_LAGS = len(glimpses.LAGS_S)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One half, S takes with W windows. owner: [W] take of each. busy: [W] rank in 0..1 among the windows. tempo: [S] log2
    bpm, of those that show none the mean. pulse: [S, 48] what recurs after which lag, in beats. looks: [S, D] what it
    sounds or looks like, rhythm aside."""

    takes: tuple[Take, ...]
    crops: tuple[Crop, ...]
    owner: Places
    busy: Array
    tempo: Array
    pulse: Array
    looks: Array


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """What may be drawn. rank: [songs, dances] the larger of the two ranks by which each finds the other, 0 where both are
    first."""

    music: Side
    motion: Side
    rank: Places

    def again(self, arrays: Mapping[str, npt.NDArray[np.float32]], config: TrainConfig) -> Pairing:
        """The same halves, paired anew by what towers have learnt of them so far, too."""
        learnt = nearness(self.music, self.motion, arrays, config.tower)
        return replace(self, rank=ranks(plan(self.music, self.motion, learnt)))

    def pairs(self, nearest: int) -> Places:
        """[P, 2] songs and dances that are among each other's `nearest`."""
        return np.argwhere(self.rank < nearest)

    def drawn(self, config: TrainConfig, step: int, rng: np.random.Generator) -> list[Crop]:
        """Pseudo-pairs for a step, no song and no dance twice, less sure ones the later it is."""
        first, last = NEAREST
        found = self.pairs(round(first + (last - first) * min(1.0, step / max(config.steps, 1))))
        out, songs, danced = [], set[str](), set[str]()
        for song, dance in found[rng.permutation(len(found))]:
            heard, seen = self.music.takes[song].song, self.motion.takes[dance].song
            if heard in songs or seen in danced:
                continue
            songs.add(heard)
            danced.add(seen)
            out.append(self._crop(int(song), int(dance), rng))
            if len(out) == config.batch:
                break
        return out

    def _crop(self, song: int, dance: int, rng: np.random.Generator) -> Crop:
        """A window of the song with a window of the dance that is about as busy."""
        at = int(rng.choice(np.flatnonzero(self.music.owner == song)))
        own = np.flatnonzero(self.motion.owner == dance)
        away = np.abs(self.motion.busy[own] - self.music.busy[at]) + SLACK * rng.random(len(own))
        heard, seen = self.music.crops[at], self.motion.crops[int(own[np.argmin(away)])]
        return on_the_beat(replace(seen, other=heard.take, other_s=heard.heard_s))


def halves(takes: Sequence[Take], rng: np.random.Generator) -> tuple[list[Take], list[Take]]:
    """(takes whose music is used, takes whose motion is used): no song, and no source, is in both. Styles are forgotten."""
    styles: dict[str, list[str]] = {}
    for take in takes:
        own = styles.setdefault(take.style or "", [])
        if take.song not in own:
            own.append(take.song)
    heard: set[str] = set()
    for turn, style in enumerate(sorted(styles)):
        songs = sorted(styles[style])
        # an odd song goes to the music of one style and to the motion of the next
        heard |= {songs[at] for at in rng.permutation(len(songs))[: (len(songs) + turn % 2) // 2]}
    music = [replace(take, style=None) for take in takes if take.song in heard]
    origins = {take.origin for take in music}
    motion = [replace(take, style=None) for take in takes if take.song not in heard and take.origin not in origins]
    return music, motion


def pair(takes: Sequence[Take], config: TrainConfig) -> Pairing:
    """Music of one half of the songs with motion of the other half; EncoderError where too few pairs are found."""
    music, motion = halves(takes, np.random.default_rng([config.seed, 5]))
    sides = [side(half, config, of) for half, of in ((_one_each(music), "music"), (motion, "motion"))]
    if min(len(each.takes) for each in sides) < 2:
        raise EncoderError(
            f"{len(sides[0].takes)} songs and {len(sides[1].takes)} dances are too few to be paired by rhythm; give more of both"
        )
    made = Pairing(sides[0], sides[1], ranks(plan(sides[0], sides[1])))
    songs = {sides[0].takes[at].song for at, _ in made.pairs(NEAREST[1])}
    if len(songs) < 2:
        raise EncoderError(
            "fewer than 2 songs have a dance that is like them, and the other way round; give more of both"
        )
    return made


def side(takes: Sequence[Take], config: TrainConfig, of: str) -> Side:
    """What takes are like by their windows, seen along the beats; those that are too short for one are left out."""
    tower = replace(config.tower, synchronous=True)
    crops = batches.every(takes, 0.5 * config.tower.context_s, most=4000)
    kept = [take for take in takes if any(crop.take is take for crop in crops)]
    place = {id(take): at for at, take in enumerate(kept)}
    owner = np.array([place[id(crop.take)] for crop in crops], dtype=np.int64)
    if len(kept) < 2:
        none, empty = np.empty(0), np.empty((0, 1))
        return Side(tuple(kept), tuple(crops), owner, none, none, empty, empty)
    look, grams, curves = (batches.heard, (0, 1), 2) if of == "music" else (batches.seen, (0, 2), 3)
    seen = look(crops, [Variation()] * len(crops), tower)
    grid = [take.heard_grid if of == "music" else take.seen_grid for take in kept]
    return Side(
        tuple(kept), tuple(crops), owner, _share(_level(seen, curves)), _tempi(grid),
        _means(_standard(_pulse(seen, grams)), owner), _means(_looks(seen, of), owner),
    )  # fmt: skip


def plan(music: Side, motion: Side, learnt: Array | None = None) -> Array:
    """[songs, dances] how much of each is for the other: likeness of rhythm, averaged over kin, shared out evenly.

    learnt: [songs, dances] what towers make of them; rhythm then counts half.
    """
    away = np.abs(music.tempo[:, None] - motion.tempo)
    own = _spread(np.exp(-0.5 * (away / TEMPO_OCTAVES) ** 2)) + _spread(music.pulse @ motion.pulse.T)
    own = own if learnt is None else _spread(learnt) + 0.5 * own
    return shared_out(_spread(kin(music.looks, KIN[0]) @ own @ kin(motion.looks, KIN[1]).T))


def nearness(music: Side, motion: Side, arrays: Mapping[str, npt.NDArray[np.float32]], tower: TowerConfig) -> Array:
    """[songs, dances] mean cosine of their windows through towers."""
    still = Variation()
    heard = towers.embed(arrays, tower, "music", batches.heard(music.crops, [still] * len(music.crops), tower))
    seen = towers.embed(arrays, tower, "motion", batches.seen(motion.crops, [still] * len(motion.crops), tower))
    return _means(heard.astype(np.float64), music.owner) @ _means(seen.astype(np.float64), motion.owner).T


def kin(looks: Array, count: int) -> Array:
    """[S, S] weights, rows of which add up to 1: the nearer two are, the more, about `count` for each."""
    centred = (looks - looks.mean(axis=0)) / (looks.std(axis=0) + 1e-6)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    # the strongest directions, of which none may drown the others
    places = left[:, :_DIRECTIONS] * np.sqrt(size[:_DIRECTIONS] + 1e-12)
    away = ((places[:, None] - places) ** 2).sum(axis=-1)
    reach = np.sort(away, axis=1)[:, min(count, len(away) - 1)]
    near = np.exp(-away / np.maximum(reach[:, None], 1e-9))
    return np.asarray(near / near.sum(axis=1, keepdims=True))


_DIRECTIONS, _ROUNDS = 12, 200


def shared_out(likeness: Array) -> Array:
    """Sinkhorn's plan [S, T] with equal sums of rows, and of columns."""
    found = np.exp((likeness - likeness.max()) / EVENNESS)
    for _ in range(_ROUNDS):
        found *= (1.0 / len(found) / found.sum(axis=1))[:, None]
        found *= 1.0 / found.shape[1] / found.sum(axis=0)
    return np.asarray(found)


def on_the_beat(crop: Crop) -> Crop:
    """A pseudo-pair whose motion is as fast as its music, and whose beats fall together; as it is where a side has none."""
    heard = _beat(crop.heard.heard_grid, crop.heard_s)
    seen = _beat(crop.take.seen_grid, crop.middle_s)
    if heard is None or seen is None:
        return crop
    rate = seen[1] / heard[1]
    if not REACH[0] < rate < REACH[1]:
        return crop
    return replace(crop, rate=rate, other_s=heard[0] + (crop.middle_s - seen[0]) / rate)


def ranks(found: Array) -> Places:
    """[S, T] the larger of the ranks that row and column give each other, from 0."""
    by_row = np.argsort(np.argsort(-found, axis=1, kind="stable"), axis=1, kind="stable")
    by_column = np.argsort(np.argsort(-found, axis=0, kind="stable"), axis=0, kind="stable")
    return np.maximum(by_row, by_column)


def _beat(grid: BeatGrid, at_s: float) -> tuple[float, float] | None:
    """(seconds of the beat that is nearest, seconds of a beat there); None of a grid of fewer than six beats."""
    times = grid.times_s
    if len(times) < 6:
        return None
    at = int(np.clip(np.searchsorted(times, at_s), 2, len(times) - 3))
    around = times[max(0, at - 6) : at + 6]
    return float(times[np.argmin(np.abs(times - at_s))]), float(np.median(np.diff(around)))


def _one_each(takes: Sequence[Take]) -> list[Take]:
    """Of every song the take of which most may be used: its other dances have the same music."""
    longest: dict[str, Take] = {}
    for take in takes:
        best = longest.get(take.song)
        if best is None or np.diff(take.spans).sum() > np.diff(best.spans).sum():
            longest[take.song] = take
    return list(longest.values())


def _tempi(grids: Sequence[BeatGrid]) -> Array:
    found = np.array([
        np.log2(np.median(60.0 / np.diff(grid.times_s))) if len(grid.times_s) > 3 else np.nan for grid in grids
    ])  # fmt: skip
    return np.where(np.isnan(found), np.nanmean(found) if np.isfinite(found).any() else 0.0, found)


def _looks(seen: Glimpses, of: str) -> Array:
    """Mean and deviation over each window [W, D] of what is heard, or seen but for the turns of single joints."""
    frames = seen.frames if of == "music" else seen.frames[..., : channels.CONTACTS.stop]
    return np.concatenate([frames.mean(axis=1), frames.std(axis=1)], axis=1).astype(np.float64)


def _means(rows: Array, owner: Places) -> Array:
    """Of each owner's rows the mean."""
    sums = np.zeros((int(owner.max()) + 1, rows.shape[1]))
    np.add.at(sums, owner, rows)
    return sums / np.bincount(owner)[:, None]


def _pulse(seen: Glimpses, curves: tuple[int, ...]) -> Array:
    """Mean autocorrelation [W, 48] of some curves."""
    return np.mean([seen.traits[:, at * _LAGS : (at + 1) * _LAGS] for at in curves], axis=0).astype(np.float64)


def _level(seen: Glimpses, curves: int) -> Array:
    """How much goes on [W]: the first of the levels after the autocorrelations."""
    return seen.traits[:, curves * _LAGS : curves * _LAGS + 3].astype(np.float64).mean(axis=1)


def _standard(rows: Array) -> Array:
    """Columns of zero mean and unit deviation among the rows, then rows of about unit mean square."""
    scaled = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-6)
    return np.asarray(scaled / np.maximum(np.sqrt((scaled**2).mean(axis=1, keepdims=True)), 1e-6))


def _spread(found: Array) -> Array:
    return np.asarray((found - found.mean()) / max(float(found.std()), 1e-9))


def _share(values: Array) -> Array:
    """Ranks in 0..1."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(len(values) - 1, 1)
