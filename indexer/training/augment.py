"""Variations of crops: what may differ between two windows without their ceasing to belong together, and what may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import glimpses
from choreodb.indexer.encoders.glimpses import Glimpses
from choreodb.indexer.training.config import AugmentConfig
from choreodb.music.features import MEL_BANDS

Array = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]

_EQ_POINTS = 6
_MEL_DB, _ONSET = 10.0, 0.3
_POSITION_M, _VELOCITY_M_S = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class Variation:
    """How one crop is varied. rate: how much faster both sides are. false_rate: how much faster the motion alone is, which
    makes a hard negative. offset_s: by which the motion is early. pitch: mel bands. eq_db: at equally spaced bands. size:
    of the body. seed: of the noise, whose strength is `noise`. forget_music, forget_motion: the beats are unknown."""

    rate: float = 1.0
    false_rate: float = 1.0
    offset_s: float = 0.0
    mirror: bool = False
    pitch: float = 0.0
    eq_db: tuple[float, ...] = ()
    noise: float = 0.0
    size: float = 1.0
    seed: int = 0
    forget_music: bool = False
    forget_motion: bool = False


def draw(config: AugmentConfig, rng: np.random.Generator) -> Variation:
    """A variation at random; as many numbers are drawn whatever the config is, so that ablations see the same crops."""
    drawn = rng.uniform(-1.0, 1.0, size=8)
    curve = np.clip(rng.normal(size=_EQ_POINTS), -2.0, 2.0) * 0.5
    return Variation(
        rate=float(np.exp(drawn[0] * np.log1p(config.warp))),
        offset_s=float(drawn[1] * config.offset_s),
        mirror=bool(0.5 * (drawn[2] + 1.0) < config.mirror),
        pitch=float(drawn[3] * config.pitch),
        eq_db=tuple((curve * config.eq_db).tolist()) if config.eq_db > 0.0 else (),
        noise=config.noise,
        size=float(1.0 + drawn[4] * config.size),
        seed=int(rng.integers(1 << 31)),
        forget_music=bool(0.5 * (drawn[5] + 1.0) < config.forget),
        forget_motion=bool(0.5 * (drawn[6] + 1.0) < config.forget),
    )


def wrong(variation: Variation, kind: int, rng: np.random.Generator) -> Variation:
    """The same crop as a hard negative: its motion 6 to 18 % too fast or too slow (kind 0), or about half a second early
    or late (kind 1)."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    if kind == 0:
        return replace(variation, false_rate=float(np.exp(side * rng.uniform(0.06, 0.17))))
    return replace(variation, offset_s=float(variation.offset_s + side * rng.uniform(0.4, 0.7)))


def music(seen: Array, tempo: Times, metre: npt.NDArray[np.int64], varied: Sequence[Variation]) -> Glimpses:
    """Glimpses of sampled music frames [N, L, 69], varied in pitch, colour and noise."""
    out = seen.copy()
    mel = out[..., :MEL_BANDS]
    pitch = np.array([each.pitch for each in varied])
    if np.any(pitch):
        mel = _shifted(mel, pitch)
    mel += _colours(varied)[:, None]
    for row, each in enumerate(varied):
        if each.noise > 0.0:
            rng = np.random.default_rng([each.seed, 1])
            mel[row] += _MEL_DB * each.noise * rng.standard_normal(mel[row].shape, dtype=np.float32)
            out[row, :, MEL_BANDS:-1] *= np.exp(_ONSET * each.noise / 0.1 * rng.standard_normal(4)).astype(np.float32)
    out[..., :MEL_BANDS] = mel
    return glimpses.music_glimpses(out, tempo, metre)


def motion(seen: Array, tempo: Times, metre: npt.NDArray[np.int64], varied: Sequence[Variation]) -> Glimpses:
    """Glimpses of sampled motion frames [N, L, 263], varied in side, speed, size and noise."""
    out = seen.copy()
    for row, each in enumerate(varied):
        if each.mirror:
            out[row] = channels.mirrored(out[row])
        size = np.float32(each.size)
        out[row, :, channels.POSITIONS] *= size
        out[row, :, channels.VELOCITIES] *= size * np.float32(each.rate * each.false_rate)
        if each.noise > 0.0:
            rng = np.random.default_rng([each.seed, 2])
            for part, strength in ((channels.POSITIONS, _POSITION_M), (channels.VELOCITIES, _VELOCITY_M_S)):
                shape = out[row, :, part].shape
                out[row, :, part] += strength * each.noise * rng.standard_normal(shape, dtype=np.float32)
    return glimpses.motion_glimpses(out, tempo, metre)


def _shifted(mel: Array, bands: Times) -> Array:
    """Mel bands [N, L, 64] moved up by `bands` [N]; the edges are held."""
    places = np.clip(np.arange(MEL_BANDS) - bands[:, None], 0.0, MEL_BANDS - 1.0)
    low = np.minimum(places.astype(np.int64), MEL_BANDS - 2)
    part = (places - low).astype(np.float32)[:, None]
    low = np.broadcast_to(low[:, None], mel.shape)
    return np.asarray(np.take_along_axis(mel, low, 2) * (1.0 - part) + np.take_along_axis(mel, low + 1, 2) * part)


def _colours(varied: Sequence[Variation]) -> Array:
    """Equaliser curves in dB [N, 64]."""
    bands = np.linspace(0.0, _EQ_POINTS - 1.0, MEL_BANDS)
    still = np.zeros(MEL_BANDS)
    return np.stack(
        [np.interp(bands, np.arange(_EQ_POINTS), each.eq_db) if each.eq_db else still for each in varied]
    ).astype(np.float32)
