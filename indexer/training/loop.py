"""Training a pair of towers: crops of both sides through both networks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders.glimpses import Glimpses
from choreodb.indexer.training import batches, network
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.config import TrainConfig
from choreodb.indexer.training.network import Tensor
from choreodb.indexer.training.run import Drawn, Progress, Run, Trained
from choreodb.indexer.training.takes import Take

Array = npt.NDArray[np.float32]
Draw = Callable[[int, np.random.Generator], list[Crop]]
"""Crops of a step."""

_MEASURED = 256


def train(
    takes: Sequence[Take],
    held: Sequence[Take],
    config: TrainConfig,
    *,
    draw: Draw | None = None,
    start: Mapping[str, Array] | None = None,
    frozen: Sequence[str] = (),
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    watch_only: bool = False,
    device: str = "auto",
) -> Trained:
    """Train towers on `takes`, stopping by `held` (empty: all steps, the average at the end).

    draw: crops of each step (default: pairs as they are). start: weights to begin with. frozen: prefixes of arrays that
    stay. watch_only: look at the held-out songs and do not stop by them. checkpoint: a weights file that is written at
    every look and gone on from where it is there. device: `auto`, `cpu` or `cuda`. The same arguments give the same
    weights on one machine. EncoderError where the loss stops being a number.
    """
    run = _Towers(takes, held, config, draw, frozen, start, watch_only, device)
    return run.train(checkpoint, progress)


class _Towers(Run):
    architecture = "towers-checkpoint"

    def __init__(
        self, takes: Sequence[Take], held: Sequence[Take], config: TrainConfig, draw: Draw | None, frozen: Sequence[str],
        start: Mapping[str, Array] | None, watch_only: bool, where: str,
    ) -> None:  # fmt: skip
        self.frozen, self.start = tuple(frozen), start
        self.draw = draw or (lambda _, rng: batches.draw(list(takes), config, rng))
        super().__init__(takes, held, config, where=where, inputs=hash_of(start), watch_only=watch_only)

    def begun(self, rng: np.random.Generator) -> dict[str, Array]:
        """The tensors that training begins with: drawn, or those of the weights to go on from. EncoderError where shapes differ."""
        crops = [crop for _ in range(8) for crop in self.draw(0, rng)][:_MEASURED]
        begun = network.initial(self.config.tower, *batches.plain(crops, self.config.tower), rng)
        if self.start is None:
            return begun
        given = {name: array for name, array in self.start.items() if name in begun}
        wrong = next((name for name in given if given[name].shape != begun[name].shape), None)
        if wrong or len(given) < len(begun) - 1:
            raise EncoderError(
                f"the weights to start from do not fit the config: {wrong or 'arrays are missing'}; give the same [tower]"
            )
        return {**begun, **given}

    def learnt(self, name: str) -> bool:
        return super().learnt(name) and not name.startswith(self.frozen or ("\0",))

    def drawn(self, step: int, rng: np.random.Generator) -> Drawn:
        batch = batches.collate(self.draw(step, rng), self.config, rng)
        return Drawn(self._seen(batch.music), self._seen(batch.motion), batch.negative, batch.alike)

    def plain(self, crops: Sequence[Crop]) -> tuple[Any, Any]:
        music, motion = batches.plain(crops, self.config.tower)
        return self._seen(music), self._seen(motion)

    def embedded(self, tensors: Mapping[str, Tensor], side: str, seen: Any, drop: float) -> Tensor:
        learnt = network.forward(tensors, self.config.tower, side, seen[:2], drop)
        return network.joined(learnt, seen[2], self.config.tower)

    def _seen(self, seen: Glimpses) -> tuple[Tensor, Tensor, Tensor]:
        return self.tensor(seen.frames), self.tensor(seen.traits), self.tensor(seen.rhythm)


def hash_of(arrays: Mapping[str, Array] | None) -> str:
    """16 hexadecimal digits of arrays by name; empty for None."""
    if arrays is None:
        return ""
    out = hashlib.sha256()
    for name in sorted(arrays):
        out.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return out.hexdigest()[:16]
