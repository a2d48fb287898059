"""Pairs out of nothing: music and motion that were never together, matched by their rhythm.

Windows of songs and windows of dances are described by what both show: tempo and metre, autocorrelations that follow the
beats, and how busy they are among their own kind. Two that are among each other's nearest become a pair for training. It
begins with the surest, and takes in less sure ones as training goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import glimpses
from choreodb.indexer.training import batches
from choreodb.indexer.training.augment import Variation
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.config import TrainConfig
from choreodb.indexer.training.takes import Take

Array = npt.NDArray[np.float64]

NEAREST = (1, 6)
"""Crops are a pair where each is among the so many nearest of the other: at the start of training, and at its end."""

RHYTHM, PULSE, BUSY = 0.6, 0.25, 0.15
"""Shares of tempo and metre, of the beat-synchronous autocorrelation, and of how busy a window is."""

_LAGS = len(glimpses.LAGS_S)


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """What may be drawn. likeness: [M, D] of music crops and motion crops; rank: [M, D] the larger of the two ranks by which
    each finds the other, 0 where both are first."""

    music: tuple[Crop, ...]
    motion: tuple[Crop, ...]
    likeness: Array
    rank: npt.NDArray[np.int64]

    def pairs(self, nearest: int) -> npt.NDArray[np.int64]:
        """[P, 2] music and motion crops that are among each other's `nearest`."""
        return np.argwhere(self.rank < nearest)

    def draw(self, step: int, config: TrainConfig, rng: np.random.Generator) -> list[Crop]:
        """Pseudo-pairs for a step, no song and no dance twice, less sure ones the later it is."""
        first, last = NEAREST
        found = self.pairs(round(first + (last - first) * min(1.0, step / max(config.steps, 1))))
        out, songs, danced = [], set[str](), set[str]()
        for music, motion in found[rng.permutation(len(found))]:
            heard, seen = self.music[music], self.motion[motion]
            if heard.take.song in songs or seen.take.song in danced:
                continue
            songs.add(heard.take.song)
            danced.add(seen.take.song)
            out.append(replace(seen, other=heard.take, other_s=heard.heard_s))
            if len(out) == config.batch:
                break
        return out


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
    context_s = config.tower.context_s
    heard, seen = (batches.every(half, 0.5 * context_s, most=1500) for half in (music, motion))
    if len(heard) < 2 or len(seen) < 2:
        raise EncoderError(
            f"{len(heard)} windows of music and {len(seen)} of motion are too few to be paired by rhythm"
        )
    found = likeness(heard, seen, config)
    made = Pairing(tuple(heard), tuple(seen), found, ranks(found))
    songs = {made.music[at].take.song for at, _ in made.pairs(NEAREST[0])}
    if len(songs) < 2:
        raise EncoderError(
            "fewer than 2 songs have a dance that is like them, and the other way round; give more of both"
        )
    return made


def likeness(heard: Sequence[Crop], seen: Sequence[Crop], config: TrainConfig) -> Array:
    """[M, D] how alike the rhythm of music crops and of motion crops is, at most about 1."""
    tower = replace(config.tower, synchronous=True)
    music = batches.heard(heard, [Variation()] * len(heard), tower)
    motion = batches.seen(seen, [Variation()] * len(seen), tower)
    rhythm = music.rhythm.astype(np.float64) @ motion.rhythm.T
    pulse = _standard(_pulse(music.traits, (0, 1))) @ _standard(_pulse(motion.traits, (0, 2))).T / _LAGS
    busy = np.abs(_share(_level(music.traits, 2))[:, None] - _share(_level(motion.traits, 3)))
    return np.asarray(RHYTHM * rhythm + PULSE * pulse + BUSY * (1.0 - 2.0 * busy))


def ranks(found: Array) -> npt.NDArray[np.int64]:
    """[M, D] the larger of the ranks that row and column give each other, from 0."""
    by_row = np.argsort(np.argsort(-found, axis=1, kind="stable"), axis=1, kind="stable")
    by_column = np.argsort(np.argsort(-found, axis=0, kind="stable"), axis=0, kind="stable")
    return np.maximum(by_row, by_column)


def _pulse(traits: npt.NDArray[np.float32], curves: tuple[int, ...]) -> Array:
    """Mean autocorrelation [N, 48] of some curves."""
    return np.mean([traits[:, at * _LAGS : (at + 1) * _LAGS] for at in curves], axis=0).astype(np.float64)


def _level(traits: npt.NDArray[np.float32], curves: int) -> Array:
    """How much goes on [N]: the first of the levels after the autocorrelations."""
    return traits[:, curves * _LAGS : curves * _LAGS + 3].astype(np.float64).mean(axis=1)


def _standard(rows: Array) -> Array:
    """Columns of zero mean and unit deviation among the rows, then rows of about unit mean square."""
    scaled = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-6)
    return np.asarray(scaled / np.maximum(np.sqrt((scaled**2).mean(axis=1, keepdims=True)), 1e-6))


def _share(values: Array) -> Array:
    """Ranks in 0..1."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") / max(len(values) - 1, 1)
