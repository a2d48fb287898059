"""Batches: crops of takes with their music, varied, with what may count as a negative of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import glimpses
from choreodb.indexer.encoders.glimpses import Glimpses
from choreodb.indexer.encoders.towers import TowerConfig
from choreodb.indexer.training import augment
from choreodb.indexer.training.augment import Variation
from choreodb.indexer.training.config import TrainConfig
from choreodb.indexer.training.takes import Take
from choreodb.music.grid import BeatGrid

Array = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A stretch about `middle_s` (clip seconds) of a take's motion within `span`; its music is `heard` of another take
    where the two were paired by likeness, else its own. rate: how much faster the motion is shown, so that its beats are
    as fast as the music's."""

    take: Take
    middle_s: float
    span: tuple[float, float]
    other: Take | None = None
    other_s: float = 0.0
    rate: float = 1.0

    @property
    def heard(self) -> Take:
        """The take whose song is heard."""
        return self.other or self.take

    @property
    def heard_s(self) -> float:
        """Song seconds of its middle."""
        return self.other_s if self.other else self.middle_s + self.take.start_s


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B crops. music: [B]. motion: [B + H], the hard negatives after the crops' own. negative: [B, B + H] what may count
    as a negative of a crop's music. alike: [B, B] of the same known style, but not the same crop."""

    music: Glimpses
    motion: Glimpses
    negative: Flags
    alike: Flags


def draw(takes: Sequence[Take], config: TrainConfig, rng: np.random.Generator) -> list[Crop]:
    """Crops of different songs, at most one a song; songs of rare styles are as likely as those of common ones."""
    songs: dict[str, list[Take]] = {}
    for take in takes:
        songs.setdefault(take.song, []).append(take)
    names = sorted(songs)
    styles = [songs[name][0].style or "" for name in names]
    weight = np.array([1.0 / styles.count(style) for style in styles])
    # the largest of exponential races: a weighted draw without replacement (Efraimidis & Spirakis, 2006)
    order = np.argsort(rng.exponential(size=len(names)) / weight)[: config.batch]
    return [_crop(songs[names[at]], config.tower.context_s, rng) for at in order]


def _crop(takes: Sequence[Take], context_s: float, rng: np.random.Generator) -> Crop:
    take = takes[int(rng.integers(len(takes)))]
    lengths = np.diff(take.spans, axis=1)[:, 0]
    start, end = take.spans[int(rng.choice(len(lengths), p=lengths / lengths.sum()))]
    room = max(end - start - context_s, 0.0)
    middle = start + 0.5 * min(context_s, end - start) + float(rng.uniform(0.0, 1.0)) * room
    return Crop(take, float(middle), (float(start), float(end)))


def every(takes: Sequence[Take], context_s: float, *, most: int = 400) -> list[Crop]:
    """Crops side by side over all that may be used of the takes, thinned out evenly to at most `most`."""
    out = []
    for take in takes:
        for start, end in take.spans:
            count = int((end - start + 1e-6) // context_s)
            out += [Crop(take, float(start + (at + 0.5) * context_s), (start, end)) for at in range(count)]
    return [out[at] for at in np.unique(np.linspace(0, len(out) - 1, min(most, len(out))).astype(int))] if out else []


def collate(crops: Sequence[Crop], config: TrainConfig, rng: np.random.Generator) -> Batch:
    """The batch of crops, each varied."""
    count, tower, how = len(crops), config.tower, config.augment
    varied = [augment.draw(how, rng) for _ in crops]
    music = heard(crops, varied, tower)
    own = seen(crops, varied, tower)
    hard = [augment.wrong(each, number % 2, rng) for number in range(config.hard_negatives) for each in varied]
    motion = own
    if hard:
        others = seen(list(crops) * config.hard_negatives, hard, tower)
        motion = _joined(own, others)
    allowed, alike = relations(crops, masks=config.masks)
    extra = np.tile(np.eye(count, dtype=np.bool_), (1, config.hard_negatives))
    return Batch(music, motion, np.concatenate([allowed, extra], axis=1), alike)


def plain(crops: Sequence[Crop], tower: TowerConfig) -> tuple[Glimpses, Glimpses]:
    """(music, motion) of crops as they are."""
    still = [Variation()] * len(crops)
    return heard(crops, still, tower), seen(crops, still, tower)


def heard(crops: Sequence[Crop], varied: Sequence[Variation], tower: TowerConfig) -> Glimpses:
    """Glimpses of the crops' music."""
    looks = [
        _look(crop.heard_s, how.rate, crop.heard.heard_grid, how.forget_music, tower)
        for crop, how in zip(crops, varied, strict=True)
    ]
    sampled = np.stack([
        channels.sampled(crop.heard.heard, times * channels.RATE_HZ)
        for crop, (times, _, _) in zip(crops, looks, strict=True)
    ])  # fmt: skip
    tempo, metre = _beats(looks)
    return augment.music(sampled, tempo, metre, varied)


def seen(crops: Sequence[Crop], varied: Sequence[Variation], tower: TowerConfig) -> Glimpses:
    """Glimpses of the crops' motion; what lies outside of a crop's span is not looked at."""
    varied = [replace(how, false_rate=how.false_rate * crop.rate) for crop, how in zip(crops, varied, strict=True)]
    looks = [
        _look(crop.middle_s + how.offset_s, how.rate * how.false_rate, crop.take.seen_grid, how.forget_motion, tower)
        for crop, how in zip(crops, varied, strict=True)
    ]
    sampled = np.stack([
        channels.sampled(crop.take.seen, np.clip(times, *crop.span) * channels.RATE_HZ)
        for crop, (times, _, _) in zip(crops, looks, strict=True)
    ])  # fmt: skip
    tempo, metre = _beats(looks)
    return augment.motion(sampled, tempo, metre, varied)


def _look(middle_s: float, rate: float, grid: BeatGrid, forget: bool, tower: TowerConfig) -> tuple[Times, float, int]:
    """(times of the frames, apparent tempo, metre) of a stretch that is played `rate` times as fast."""
    reach = 0.5 * tower.context_s
    inside = grid.times_s[(grid.times_s >= middle_s - reach) & (grid.times_s <= middle_s + reach)]
    known = len(inside) > 2 and not forget
    bpm = glimpses.tempo_bpm(inside) if known else float("nan")
    anchor = inside[:1] if known and tower.synchronous else None
    if anchor is not None:
        return (
            glimpses.grid_times(np.array([middle_s]), tower.context_s, np.array([bpm]), anchor)[0],
            bpm * rate,
            grid.metre,
        )
    times = glimpses.grid_times(np.array([middle_s]), tower.context_s, np.array([np.nan]))[0]
    return middle_s + (times - middle_s) * rate, bpm * rate, grid.metre if known else 0


def _beats(looks: Sequence[tuple[Times, float, int]]) -> tuple[Times, npt.NDArray[np.int64]]:
    return np.array([look[1] for look in looks]), np.array([look[2] for look in looks], dtype=np.int64)


def _joined(one: Glimpses, two: Glimpses) -> Glimpses:
    return Glimpses(
        *(np.concatenate([getattr(one, name), getattr(two, name)]) for name in ("frames", "traits", "rhythm"))
    )


def relations(crops: Sequence[Crop], *, masks: bool) -> tuple[Flags, Flags]:
    """(what may be a negative of what [B, B], what is of the same known style [B, B]).

    Crops of one song never are negatives of each other; nor, with `masks`, crops whose motions come from one source (mirrored
    copies share it) and overlap there or have a common twin.
    """
    songs = np.array([crop.heard.song for crop in crops])
    danced = np.array([crop.take.song for crop in crops])
    origins = np.array([crop.take.origin for crop in crops])
    related = (songs[:, None] == songs) | (danced[:, None] == danced)
    if masks:
        related |= (origins[:, None] == origins) | _twins(crops)
    styles = np.array([crop.take.style or "" for crop in crops])
    alike = (styles[:, None] == styles) & (styles != "") & ~np.eye(len(crops), dtype=np.bool_)
    return ~related, alike


def _twins(crops: Sequence[Crop]) -> Flags:
    groups = [_groups(crop) for crop in crops]
    names = sorted(set().union(*groups)) if groups else []
    table = np.array([[name in own for name in names] for own in groups], dtype=np.float32).reshape(len(crops), -1)
    return np.asarray(table @ table.T > 0.0)


def _groups(crop: Crop) -> set[int]:
    spans = crop.take.twin_spans
    inside = (spans[:, 0] < crop.middle_s + 3.0) & (spans[:, 1] > crop.middle_s - 3.0)
    return {int(group) for group in crop.take.twin_groups[inside]}
