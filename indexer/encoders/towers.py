"""The trained encoder at query time: two convolutional towers on numpy alone, whose sums torch repeats in training.

Each tower sees a stretch of some seconds at 20 frames a second. Strided convolutions with layer norm shorten it, mean,
deviation and maximum over time describe it, traits of its rhythm join in, and a head puts it on the sphere. The last 68
of the 256 numbers may be tempo and metre themselves, at a stated share of the cosine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer import timing_branch
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import glimpses
from choreodb.indexer.encoders.base import DIMENSIONS, ClipMotion, MotionWindow, MusicWindow, Window
from choreodb.indexer.encoders.glimpses import Glimpses, Stretches
from choreodb.indexer.encoders.weights import Weights, expect_shapes
from choreodb.indexer.timing_branch import TimingBranch
from choreodb.music.music import Music

Array = npt.NDArray[np.float32]
Tensors = Mapping[str, Array]

ARCHITECTURE = "tower"
VERSION = 1
"""Raised whenever the same weights would give another embedding."""

KERNEL, STRIDE = 5, 2
SIDES = ("music", "motion")
NORM_FLOOR = 1e-5
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class TowerConfig:
    """How a pair of towers is built.

    context_s: of a stretch. width: channels of the convolutions. layers: convolutions, each of which halves the frames.
    rotations: whether the motion tower sees 6-D rotations besides positions, velocities and contacts. synchronous: frames
    follow the beats where there are any. traits: whether tempograms, levels, tempo and metre reach the head.
    rhythm_share: share of the tempo and metre block in the cosine; 0 leaves all 256 numbers to the network.
    """

    context_s: float = 6.0
    width: int = 96
    layers: int = 3
    rotations: bool = False
    synchronous: bool = False
    traits: bool = True
    rhythm_share: float = 0.0

    def __post_init__(self) -> None:
        checks = {
            "context_s": 2.0 <= self.context_s <= 60.0,
            "width": 8 <= self.width <= 1024,
            "layers": 1 <= self.layers <= 6,
            "rhythm_share": 0.0 <= self.rhythm_share < 1.0,
        }
        wrong = next((name for name, right in checks.items() if not right), None)
        if wrong:
            raise EncoderError(f"towers cannot be built with {wrong} = {getattr(self, wrong)!r}")

    @property
    def learnt(self) -> int:
        """Numbers of an embedding that the network makes."""
        return DIMENSIONS - (glimpses.RHYTHM if self.rhythm_share > 0.0 else 0)

    def inputs(self, side: str) -> tuple[int, int]:
        """(channels of a frame, traits of a stretch) that the tower of a side looks at, the first of those there are."""
        music = side == "music"
        seen = channels.MOTION_CHANNELS if self.rotations else channels.ROTATIONS.start
        traits = glimpses.MUSIC_TRAITS if music else glimpses.MOTION_TRAITS
        return channels.MUSIC_CHANNELS if music else seen, traits if self.traits else 0


def shapes(config: TowerConfig) -> dict[str, tuple[int, ...]]:
    """Every array of the weights and its shape."""
    out: dict[str, tuple[int, ...]] = {}
    width = config.width
    for side in SIDES:
        seen, traits = config.inputs(side)
        out |= {f"{side}.mean": (seen,), f"{side}.scale": (seen,)}
        if traits:
            out |= {f"{side}.traits_mean": (traits,), f"{side}.traits_scale": (traits,)}
            out[f"{side}.traits"] = (2 * width, traits)
        for layer in range(config.layers):
            out[f"{side}.conv{layer}"] = (width, width if layer else seen, KERNEL)
            out |= {f"{side}.conv{layer}_bias": (width,), f"{side}.norm{layer}": (width,)}
        out |= {f"{side}.pooled": (2 * width, 3 * width), f"{side}.hidden_bias": (2 * width,)}
        out[f"{side}.head"] = (config.learnt, 2 * width)
        out[f"{side}.head_bias"] = (config.learnt,)
    return out


class TrainedEncoder:
    """The head of every encoder of trained weights: name, hash, what a library records, a motion tower, learnt timing.

    architecture, version: as its cards and the libraries that it embeds have them. config: of its towers. timing: how
    much curves of movement and onsets count for each other, where that was learnt.
    """

    architecture: ClassVar[str]
    version: ClassVar[int]

    def __init__(self, weights: Weights, config: TowerConfig, tensors: Tensors) -> None:
        self.weights = weights
        self.config = config
        self.timing: TimingBranch | None = timing_branch.in_tensors(tensors)
        self._tensors = tensors

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, hash={self.hash!r})"

    @property
    def name(self) -> str:
        """As its card says."""
        return self.weights.name

    @property
    def hash(self) -> str:
        """Of all arrays, architecture and config."""
        return self.weights.hash

    def meta(self) -> dict[str, Any]:
        """Name, hash, architecture and config as JSON."""
        return {
            "name": self.name, "hash": self.hash, "architecture": self.architecture, "version": self.version,
            "config": dict(self.weights.card["config"]),
        }  # fmt: skip

    def embed_motion(self, motion: ClipMotion, windows: Sequence[MotionWindow]) -> Array:
        """Unit rows [N, 256] for N windows of a clip."""
        return self.embed_motion_frames(channels.motion_frames(motion), windows)

    def embed_motion_frames(self, frames: Array, windows: Sequence[Window]) -> Array:
        """The same for a clip's frames [F, 263]."""
        return embedded(self._tensors, self.config, "motion", frames, windows)


class TowerEncoder(TrainedEncoder):
    """Embeds with trained towers; numpy only."""

    architecture, version = ARCHITECTURE, VERSION

    def __init__(self, weights: Weights) -> None:
        config = config_of(weights)
        expect_shapes(weights, shapes(config) | timing_branch.wanted(weights.tensors))
        tensors = {name: np.asarray(array, dtype=np.float32) for name, array in weights.tensors.items()}
        super().__init__(weights, config, tensors)

    @classmethod
    def from_weights(cls, weights: Weights) -> TowerEncoder:
        """The encoder of a weights file; EncoderError where its arrays do not fit its config."""
        return cls(weights)

    def embed_music(self, music: Music, windows: Sequence[MusicWindow]) -> Array:
        """Unit rows [N, 256] for N windows of a song."""
        return self.embed_music_frames(channels.music_frames(music.features).astype(np.float32), windows)

    def embed_music_frames(self, frames: Array, windows: Sequence[Window]) -> Array:
        """The same for a song's frames [F, 69]."""
        return embedded(self._tensors, self.config, "music", frames, windows)


def config_of(weights: Weights) -> TowerConfig:
    """The config in a card; EncoderError where the card is of another architecture or holds something else."""
    found = weights.card["architecture"]
    if found != ARCHITECTURE:
        raise EncoderError(f"weights {weights.name!r} are of the architecture {found!r}, not {ARCHITECTURE!r}")
    return config_from(weights.card["config"], weights.name)


def config_from(found: Mapping[str, Any], name: str) -> TowerConfig:
    """The config in a card's table; EncoderError naming the weights where it is none."""
    try:
        return TowerConfig(**_of_kinds(found))
    except TypeError:
        said = ", ".join(f"{key} = {value!r}" for key, value in found.items())[:300]
        known = ", ".join(TowerConfig.__dataclass_fields__)
        raise EncoderError(f"weights {name!r}: the config {said} does not fit; expected {known}") from None


def _of_kinds(found: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as they are; TypeError where one is of another kind than its default."""
    default = asdict(TowerConfig())
    for name, value in found.items():
        if type(value) is not type(default.get(name)):
            raise TypeError(name)
    return dict(found)


def embedded(tensors: Tensors, config: TowerConfig, side: str, frames: Array, windows: Sequence[Window]) -> Array:
    """Unit rows [N, 256] for N windows of the frames of a song or a clip."""
    if not windows:
        return np.empty((0, DIMENSIONS), dtype=np.float32)
    where, owner = glimpses.stretches(windows, config.context_s, synchronous=config.synchronous)
    look = glimpses.of_music if side == "music" else glimpses.of_motion
    rows = np.empty((len(owner), DIMENSIONS), dtype=np.float32)
    for first in range(0, len(owner), _BLOCK):
        part = slice(first, first + _BLOCK)
        seen = look(frames, Stretches(where.times_s[part], where.tempo_bpm[part], where.metre[part]))
        rows[part] = embed(tensors, config, side, seen)
    return means(rows, owner, len(windows))


def embed(tensors: Tensors, config: TowerConfig, side: str, seen: Glimpses) -> Array:
    """Unit rows [N, 256] of glimpses of one side."""
    return joined(unit(forward(tensors, config, side, seen)), seen.rhythm, config)


def joined(learnt: Array, rhythm: Array, config: TowerConfig) -> Array:
    """Unit rows [N, 256] of learnt unit rows and, where it has a share, the rhythm block."""
    if config.rhythm_share <= 0.0:
        return learnt
    share = np.float32(config.rhythm_share)
    return np.concatenate([np.sqrt(1.0 - share) * learnt, np.sqrt(share) * rhythm], axis=1)


def forward(tensors: Tensors, config: TowerConfig, side: str, seen: Glimpses) -> Array:
    """What a tower makes of glimpses, before it is brought to unit length: [N, learnt]."""
    mean = tensors[f"{side}.mean"]
    values = (seen.frames[..., : len(mean)] - mean) / tensors[f"{side}.scale"]
    for layer in range(config.layers):
        values = _convolved(values, tensors[f"{side}.conv{layer}"]) + tensors[f"{side}.conv{layer}_bias"]
        values = np.maximum(_normed(values) * tensors[f"{side}.norm{layer}"], 0.0)
    deviation = np.sqrt(values.var(axis=1) + NORM_FLOOR)
    pooled = np.concatenate([values.mean(axis=1), deviation, values.max(axis=1)], axis=1)
    hidden = pooled @ tensors[f"{side}.pooled"].T
    if config.traits:
        traits = (seen.traits - tensors[f"{side}.traits_mean"]) / tensors[f"{side}.traits_scale"]
        hidden = np.asarray(hidden + traits @ tensors[f"{side}.traits"].T, dtype=np.float32)
    hidden = np.maximum(_normed(hidden + tensors[f"{side}.hidden_bias"]), 0.0)
    return np.asarray(hidden @ tensors[f"{side}.head"].T + tensors[f"{side}.head_bias"], dtype=np.float32)


def _convolved(values: Array, kernel: Array) -> Array:
    """Strided convolution of [N, L, C] with [H, C, K], zeros beyond both ends: [N, ceil(L / 2), H]."""
    count, length, width = values.shape
    half = KERNEL // 2
    padded = np.zeros((count, length + 2 * half, width), dtype=np.float32)
    padded[:, half : half + length] = values
    windows = np.lib.stride_tricks.sliding_window_view(padded, KERNEL, axis=1)[:, ::STRIDE]
    flat = windows.reshape(-1, width * KERNEL)
    return (flat @ kernel.reshape(len(kernel), -1).T).reshape(count, -1, len(kernel))


def _normed(values: Array) -> Array:
    centred = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + NORM_FLOOR))


def unit(rows: Array) -> Array:
    """Rows [N, D] at unit length."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def means(rows: Array, owner: npt.NDArray[np.int64], count: int) -> Array:
    """Unit rows [count, D]: of each owner's `rows` the mean."""
    if len(rows) == count:
        return rows
    sums = np.zeros((count, rows.shape[1]), dtype=np.float32)
    np.add.at(sums, owner, rows)
    return unit(sums)
