"""An encoder whose music side is a frozen pretrained audio network with a small trained adapter on top.

The motion side is a tower as in `towers`. The weights carry the audio network itself, so that a library that they embed
opens elsewhere. Song windows need the song's file: patches of audio are no part of `Music`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer import timing_branch
from choreodb.indexer.encoders import glimpses, towers
from choreodb.indexer.encoders.base import DIMENSIONS, MusicWindow, Window
from choreodb.indexer.encoders.onnx_audio import AudioNetwork, Recipe
from choreodb.indexer.encoders.towers import TowerConfig, TrainedEncoder
from choreodb.indexer.encoders.weights import Weights, expect_shapes
from choreodb.music.music import Music

Array = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]

ARCHITECTURE = "adapter"
VERSION = 1
NETWORK = "network"
"""The array that holds the bytes of the ONNX file."""

HIDDEN = 256


def shapes(config: TowerConfig, recipe: Recipe, network_bytes: int) -> dict[str, tuple[int, ...]]:
    """Every array of the weights and its shape."""
    motion = {name: shape for name, shape in towers.shapes(config).items() if name.startswith("motion.")}
    return motion | adapter_shapes(config, recipe) | {NETWORK: (network_bytes,)}


def adapter_shapes(config: TowerConfig, recipe: Recipe) -> dict[str, tuple[int, ...]]:
    """The arrays of the adapter: two layers over mean and deviation of the patches of a stretch."""
    width = 2 * recipe.width
    return {
        "adapter.mean": (width,), "adapter.scale": (width,),
        "adapter.hidden": (HIDDEN, width), "adapter.hidden_bias": (HIDDEN,),
        "adapter.head": (config.learnt, HIDDEN), "adapter.head_bias": (config.learnt,),
    }  # fmt: skip


class AdapterEncoder(TrainedEncoder):
    """Embeds music by a frozen ONNX network and an adapter, motion by a tower."""

    architecture, version = ARCHITECTURE, VERSION

    def __init__(self, weights: Weights) -> None:
        config, self.recipe = _configs(weights)
        network_bytes = weights.tensors.get(NETWORK, np.empty(0)).size
        expect_shapes(weights, shapes(config, self.recipe, network_bytes) | timing_branch.wanted(weights.tensors))
        arrays = {name: np.asarray(array) for name, array in weights.tensors.items() if name != NETWORK}
        super().__init__(weights, config, arrays)
        network = np.asarray(weights.tensors[NETWORK], dtype=np.uint8).tobytes()
        self._network = AudioNetwork(network, self.recipe, source=f"the network in weights {weights.name!r}")
        self._patches = lru_cache(maxsize=4)(self._network.song)

    @classmethod
    def from_weights(cls, weights: Weights) -> AdapterEncoder:
        """The encoder of a weights file."""
        return cls(weights)

    def embed_music(self, music: Music, windows: Sequence[MusicWindow]) -> Array:
        """Unit rows [N, 256] for N windows of a song, whose file is read again."""
        return self.embed_patches(self._patches(Path(music.path)), windows)

    def embed_patches(self, patches: Array, windows: Sequence[Window]) -> Array:
        """The same for what the audio network made of the song's patches [P, width]."""
        if not windows:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        where, owner = glimpses.stretches(windows, self.config.context_s)
        traits = summaries(patches, where.times_s.mean(axis=1), self.config.context_s, self.recipe)
        learnt = towers.unit(forward(self._tensors, traits))
        rows = towers.joined(learnt, glimpses.rhythm_block(where.tempo_bpm, where.metre), self.config)
        return towers.means(rows, owner, len(windows))


def forward(tensors: Mapping[str, Array], traits: Array) -> Array:
    """What the adapter makes of summaries [N, 2 width]: [N, learnt]."""
    scaled = (traits - tensors["adapter.mean"]) / tensors["adapter.scale"]
    hidden = np.maximum(scaled @ tensors["adapter.hidden"].T + tensors["adapter.hidden_bias"], 0.0)
    return np.asarray(hidden @ tensors["adapter.head"].T + tensors["adapter.head_bias"], dtype=np.float32)


def summaries(patches: Array, middle_s: Times, context_s: float, recipe: Recipe) -> Array:
    """Mean and deviation [N, 2 width] of the patches [P, width] that lie in stretches of `context_s` about `middle_s` [N];
    of the nearest patch where none does."""
    centres = (np.arange(len(patches)) + 0.5) * recipe.step_s
    reach = max(0.5 * (context_s - recipe.patch_s), 0.5 * recipe.step_s)
    away = np.abs(centres - np.clip(middle_s, centres[0], centres[-1])[:, None])
    inside = (away <= np.maximum(reach, away.min(axis=1, keepdims=True)) + 1e-9).astype(np.float32)
    share = inside / inside.sum(axis=1, keepdims=True)
    mean = share @ patches
    spread = np.sqrt(np.maximum(share @ patches**2 - mean**2, 0.0))
    return np.concatenate([mean, spread], axis=1).astype(np.float32)


def _configs(weights: Weights) -> tuple[TowerConfig, Recipe]:
    found = weights.card["architecture"]
    if found != ARCHITECTURE:
        raise EncoderError(f"weights {weights.name!r} are of the architecture {found!r}, not {ARCHITECTURE!r}")
    config = weights.card["config"]
    if not all(isinstance(config.get(part), dict) for part in ("tower", "recipe")):
        raise EncoderError(f"weights {weights.name!r}: the config lacks the tower or the recipe of the audio network")
    return towers.config_from(config["tower"], weights.name), Recipe.of(config["recipe"], f"weights {weights.name!r}")
