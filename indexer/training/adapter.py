"""Training an adapter: a frozen audio network and a frozen motion tower, and two layers between them that are learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import adapter, towers
from choreodb.indexer.encoders.onnx_audio import Recipe
from choreodb.indexer.training import augment, batches, network
from choreodb.indexer.training.augment import Variation
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.config import TrainConfig
from choreodb.indexer.training.loop import hash_of
from choreodb.indexer.training.network import Tensor
from choreodb.indexer.training.run import Drawn, Progress, Run, Trained
from choreodb.indexer.training.takes import Take

Array = npt.NDArray[np.float32]
Patches = Mapping[str, Array]
"""What the audio network made of each song, by the song's id."""


def train(
    takes: Sequence[Take], held: Sequence[Take], patches: Patches, recipe: Recipe, motion: Mapping[str, Array],
    config: TrainConfig, *, checkpoint: Path | None = None, progress: Progress | None = None, device: str = "auto",
) -> Trained:  # fmt: skip
    """Train the adapter; `motion` are the arrays of the motion tower, which stay as they are.

    Returns the adapter's arrays and the tower's. checkpoint: as of `loop.train`; going on gives the weights of one go.
    EncoderError where the tower does not fit the config, or the loss stops being a number.
    """
    run = _Adapter(takes, held, patches, recipe, _motion_arrays(motion, config), config, device)
    trained = run.train(checkpoint, progress)
    return replace(trained, tensors={**run.frozen, **trained.tensors})


class _Adapter(Run):
    architecture = "adapter-checkpoint"

    def __init__(
        self, takes: Sequence[Take], held: Sequence[Take], patches: Patches, recipe: Recipe, frozen: dict[str, Array],
        config: TrainConfig, where: str,
    ) -> None:  # fmt: skip
        self.patches, self.recipe, self.frozen = patches, recipe, frozen
        songs = {take.song for take in (*takes, *held)}
        inputs = hash_of(frozen) + hash_of({song: patches[song] for song in songs})
        super().__init__(takes, held, config, where=where, inputs=f"{inputs}{asdict(recipe)}")

    def begun(self, rng: np.random.Generator) -> dict[str, Array]:
        crops = [crop for _ in range(8) for crop in batches.draw(self.takes, self.config, rng)]
        return _initial(self.config, self.recipe, heard(crops, None, self.patches, self.recipe, self.config), rng)

    def drawn(self, step: int, rng: np.random.Generator) -> Drawn:
        config = self.config
        crops = batches.draw(self.takes, config, rng)
        # the audio network hears the song as it is, so nothing may change the tempo of one side
        varied = [replace(augment.draw(config.augment, rng), rate=1.0) for _ in crops]
        negative, alike = batches.relations(crops, masks=config.masks)
        return Drawn(self._heard(crops, varied), self._seen(crops, varied), negative, alike)

    def plain(self, crops: Sequence[Crop]) -> tuple[Any, Any]:
        return self._heard(crops, None), self._seen(crops, [Variation()] * len(crops))

    def embedded(self, tensors: Mapping[str, Tensor], side: str, seen: Any, drop: float) -> Tensor:
        """Unit rows of one side [B, D]: motion as the frozen tower gave it, music through the adapter's two layers."""
        if side == "motion":
            return seen
        summaries, rhythm = seen
        functional = self.torch.nn.functional
        scaled = functional.dropout((summaries - tensors["adapter.mean"]) / tensors["adapter.scale"], drop)
        hidden = functional.relu(scaled @ tensors["adapter.hidden"].T + tensors["adapter.hidden_bias"])
        learnt = functional.dropout(hidden, drop) @ tensors["adapter.head"].T + tensors["adapter.head_bias"]
        return network.joined(learnt, rhythm, self.config.tower)

    def _heard(self, crops: Sequence[Crop], varied: Sequence[Variation] | None) -> tuple[Tensor, Tensor]:
        rhythm = batches.heard(crops, varied or [Variation()] * len(crops), self.config.tower).rhythm
        return self.tensor(heard(crops, varied, self.patches, self.recipe, self.config)), self.tensor(rhythm)

    def _seen(self, crops: Sequence[Crop], varied: Sequence[Variation]) -> Tensor:
        seen = batches.seen(crops, varied, self.config.tower)
        return self.tensor(towers.embed(self.frozen, self.config.tower, "motion", seen))


def heard(
    crops: Sequence[Crop], varied: Sequence[Variation] | None, patches: Patches, recipe: Recipe, config: TrainConfig
) -> Array:
    """Summaries [N, 2 width] of the crops' patches, with noise of the variations' strength."""
    rows = [
        adapter.summaries(patches[crop.heard.song], np.array([crop.heard_s]), config.tower.context_s, recipe)
        for crop in crops
    ]
    out = np.concatenate(rows)
    for row, each in enumerate(varied or ()):
        drawn = np.random.default_rng([each.seed, 4]).standard_normal(out.shape[1], dtype=np.float32)
        out[row] *= 1.0 + each.noise * drawn
    return out


def _motion_arrays(motion: Mapping[str, Array], config: TrainConfig) -> dict[str, Array]:
    wanted = {name: shape for name, shape in towers.shapes(config.tower).items() if name.startswith("motion.")}
    wrong = next((name for name, shape in wanted.items() if motion.get(name, np.empty(0)).shape != shape), None)
    if wrong:
        there = motion[wrong].shape if wrong in motion else "nothing"
        raise EncoderError(
            f"the motion tower to keep has {there} for {wrong!r}, and [tower] asks for {wanted[wrong]}; give its config"
        )
    return {name: np.asarray(motion[name], dtype=np.float32) for name in wanted}


def _initial(config: TrainConfig, recipe: Recipe, seen: Array, rng: np.random.Generator) -> dict[str, Array]:
    out: dict[str, Array] = {}
    for name, shape in sorted(adapter.adapter_shapes(config.tower, recipe).items()):
        if len(shape) > 1:
            out[name] = (rng.normal(size=shape) * np.sqrt(2.0 / shape[1])).astype(np.float32)
        else:
            out[name] = np.zeros(shape, dtype=np.float32)
    out["adapter.mean"] = seen.mean(axis=0)
    out["adapter.scale"] = np.maximum(seen.std(axis=0), 1e-3)
    out[network.TEMPERATURE] = np.array(np.log(10.0), dtype=np.float32)
    return out


def card_config(config: TrainConfig, recipe: Recipe) -> dict[str, Any]:
    """What an adapter encoder is built from."""
    return {"tower": asdict(config.tower), "recipe": recipe.as_dict()}
