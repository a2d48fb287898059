"""A small architecture for tests of what surrounds trained encoders: mean speed and loudness through one matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.indexer.encoders import registry
from choreodb.indexer.encoders import weights as files
from choreodb.indexer.encoders.base import DIMENSIONS, ClipMotion, MotionWindow, MusicWindow
from choreodb.indexer.encoders.weights import Weights
from choreodb.music.music import Music

ARCHITECTURE = "fake"


class FakeEncoder:
    """Embeds a window by its length and its mean level."""

    def __init__(self, weights: Weights) -> None:
        files.expect_shapes(weights, {"matrix": (weights.card["config"]["inputs"], DIMENSIONS)})
        self.name, self.hash = weights.name, weights.hash
        self._matrix = weights.tensors["matrix"]

    @classmethod
    def from_weights(cls, weights: Weights) -> FakeEncoder:
        return cls(weights)

    def embed_music(self, music: Music, windows: Sequence[MusicWindow]) -> npt.NDArray[np.float32]:
        hop_s = music.features.hop_s
        level = [
            music.features.rms_db[int(w.start_s / hop_s) :][: int((w.end_s - w.start_s) / hop_s) + 1] for w in windows
        ]
        return self._rows(windows, [float(np.mean(part)) if len(part) else 0.0 for part in level])

    def embed_motion(self, motion: ClipMotion, windows: Sequence[MotionWindow]) -> npt.NDArray[np.float32]:
        speed = np.linalg.norm(np.gradient(motion.positions, axis=0), axis=-1).mean(axis=1) * motion.fps
        parts = [speed[int(w.start_s * motion.fps) :][: int((w.end_s - w.start_s) * motion.fps) + 1] for w in windows]
        return self._rows(windows, [float(np.mean(part)) if len(part) else 0.0 for part in parts])

    def meta(self) -> dict[str, Any]:
        return {"name": self.name, "hash": self.hash, "architecture": ARCHITECTURE}

    def _rows(self, windows: Sequence[Any], levels: Sequence[float]) -> npt.NDArray[np.float32]:
        seen = np.array([[1.0, w.end_s - w.start_s, level] for w, level in zip(windows, levels, strict=True)])
        rows = np.tanh(seen.reshape(-1, 3)) @ self._matrix
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def save(path: Path, seed: int = 0) -> Weights:
    """Weights of the fake architecture, which is registered by the way."""
    registry.register(ARCHITECTURE, "fake_encoder:FakeEncoder.from_weights")
    matrix = np.random.default_rng(seed).normal(size=(3, DIMENSIONS)).astype(np.float32)
    card = {"architecture": ARCHITECTURE, "version": 1, "config": {"inputs": 3}, "data": {"source": "random numbers"},
            "metrics": {}, "command": "none"}  # fmt: skip
    return files.save(path, {"matrix": matrix}, card)
