"""The towers as torch computes them, to compare with numpy: training's own forward pass behind the encoder's protocol."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.indexer.encoders import frames, glimpses, towers
from choreodb.indexer.encoders.base import DIMENSIONS, ClipMotion, MotionWindow, MusicWindow, Window
from choreodb.indexer.encoders.towers import TowerEncoder
from choreodb.indexer.training import network
from choreodb.music.music import Music

Rows = npt.NDArray[np.float32]


def has_torch() -> bool:
    """Whether torch is installed."""
    return importlib.util.find_spec("torch") is not None


class TorchTowers:
    """Embeds like a `TowerEncoder`, with torch on one thread."""

    def __init__(self, encoder: TowerEncoder) -> None:
        self._torch = network.torch_module()
        self._torch.set_num_threads(1)
        self.name, self.hash = encoder.name, encoder.hash
        self._encoder = encoder
        self._tensors = {name: self._tensor(array) for name, array in encoder.weights.tensors.items()}

    def embed_music(self, music: Music, windows: Sequence[MusicWindow]) -> Rows:
        """Unit rows [N, 256] for N windows of a song."""
        return self._embedded("music", frames.music_frames(music.features).astype(np.float32), windows)

    def embed_motion(self, motion: ClipMotion, windows: Sequence[MotionWindow]) -> Rows:
        """Unit rows [N, 256] for N windows of a clip."""
        return self._embedded("motion", frames.motion_frames(motion), windows)

    def meta(self) -> dict[str, Any]:
        """As of the encoder."""
        return self._encoder.meta()

    def _tensor(self, array: npt.NDArray[Any]) -> Any:
        return self._torch.from_numpy(np.array(array, dtype=np.float32))

    def _embedded(self, side: str, seen: Rows, windows: Sequence[Window]) -> Rows:
        if not windows:
            return np.empty((0, DIMENSIONS), dtype=np.float32)
        config = self._encoder.config
        where, owner = glimpses.stretches(windows, config.context_s, synchronous=config.synchronous)
        look = glimpses.of_music if side == "music" else glimpses.of_motion
        glimpsed = look(seen, where)
        with self._torch.inference_mode():
            inputs = self._tensor(glimpsed.frames), self._tensor(glimpsed.traits)
            learnt = network.forward(self._tensors, config, side, inputs)
            rows = network.joined(learnt, self._tensor(glimpsed.rhythm), config).numpy()
        return towers.means(rows, owner, len(windows))
