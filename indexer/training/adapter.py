"""Training an adapter: a frozen audio network and a frozen motion tower, and two layers between them that are learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import adapter, towers
from choreodb.indexer.encoders.glimpses import Glimpses
from choreodb.indexer.encoders.onnx_audio import Recipe
from choreodb.indexer.training import augment, batches, network, scores
from choreodb.indexer.training.augment import Variation
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.config import TrainConfig
from choreodb.indexer.training.loop import State, Trained, adam, copies, schedule, zeros
from choreodb.indexer.training.network import Tensor, torch_module
from choreodb.indexer.training.takes import Take

Array = npt.NDArray[np.float32]
Patches = Mapping[str, Array]
"""What the audio network made of each song, by the song's id."""

Progress = Callable[[str, int, int], None]


def train(
    takes: Sequence[Take], held: Sequence[Take], patches: Patches, recipe: Recipe, motion: Mapping[str, Array],
    config: TrainConfig, *, progress: Progress | None = None,
) -> Trained:  # fmt: skip
    """Train the adapter; `motion` are the arrays of the motion tower, which stay as they are.

    Returns the adapter's arrays and the tower's. EncoderError where the tower does not fit the config, or the loss stops
    being a number.
    """
    torch = torch_module()
    torch.set_num_threads(1)
    frozen = _motion_arrays(motion, config)
    rng = np.random.default_rng([config.seed, 1 << 20])
    first = [crop for _ in range(8) for crop in batches.draw(takes, config, rng)]
    now = {
        name: torch.tensor(array).requires_grad_(name not in ("adapter.mean", "adapter.scale"))
        for name, array in _initial(config, recipe, heard(first, None, patches, recipe, config), rng).items()
    }
    state = State(now, copies(now), zeros(now), zeros(now), {})
    looks = {
        name: batches.every(own, config.tower.context_s, most=200) for name, own in (("held", held), ("train", takes))
    }
    while state.step < config.steps and not _stale(state, config, bool(held)):
        loss = _step(state, list(takes), patches, recipe, frozen, config)
        if progress is not None:
            progress("train", state.step, config.steps)
        if state.step % config.every == 0 or state.step == config.steps:
            _judge(state, loss, looks, patches, recipe, frozen, config)
    chosen = state.best if held and state.best else state.past
    arrays = {name: value.detach().numpy() for name, value in chosen.items()}
    scale = float(np.exp(arrays.pop(network.TEMPERATURE)))
    return Trained({**frozen, **arrays}, scale, state.step, state.best_step if held else state.step, state.history)


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


def _music_rows(tensors: Mapping[str, Tensor], seen: Array, rhythm: Array, config: TrainConfig, drop: float) -> Tensor:
    torch = torch_module()
    functional = torch.nn.functional
    scaled = (torch.tensor(seen) - tensors["adapter.mean"]) / tensors["adapter.scale"]
    hidden = functional.dropout(scaled, drop) @ tensors["adapter.hidden"].T + tensors["adapter.hidden_bias"]
    learnt = (
        functional.dropout(functional.relu(hidden), drop) @ tensors["adapter.head"].T + tensors["adapter.head_bias"]
    )
    return network.joined(learnt, torch.tensor(rhythm), config.tower)


def _motion_rows(frozen: Mapping[str, Array], seen: Glimpses, config: TrainConfig) -> Tensor:
    return torch_module().tensor(towers.embed(frozen, config.tower, "motion", seen))


def _step(
    state: State, takes: list[Take], patches: Patches, recipe: Recipe, frozen: Mapping[str, Array], config: TrainConfig
) -> float:
    torch = torch_module()
    rng = np.random.default_rng([config.seed, state.step])
    torch.manual_seed(config.seed * 1_000_003 + state.step)
    crops = batches.draw(takes, config, rng)
    # the audio network hears the song as it is, so nothing may change the tempo of one side
    varied = [replace(augment.draw(config.augment, rng), rate=1.0) for _ in crops]
    rhythm = batches.heard(crops, varied, config.tower).rhythm
    music = _music_rows(state.now, heard(crops, varied, patches, recipe, config), rhythm, config, config.dropout)
    motion = _motion_rows(frozen, batches.seen(crops, varied, config.tower), config)
    negative, alike = batches.relations(crops, masks=config.masks)
    wanted = np.eye(len(crops)) + config.style_positive * alike / np.maximum(alike.sum(1, keepdims=True), 1)
    weight = 1.0 / (1.0 + alike.sum(1)) ** config.balance
    tensors = [
        torch.tensor(each.astype(kind)) for each, kind in ((negative, bool), (wanted, np.float32), (weight, np.float32))
    ]
    loss = network.contrastive(music, motion, network.scale_of(state.now), *tensors)
    state.step += 1
    value = float(loss.detach())
    if not np.isfinite(value):
        raise EncoderError(
            f"training diverged at step {state.step} with a loss of {value:.3g}; lower `rate` ({config.rate:g})"
        )
    names = [name for name, each in state.now.items() if each.requires_grad]
    grads = torch.autograd.grad(loss, [state.now[name] for name in names])
    past = min(config.ema, state.step / (state.step + 10.0))
    with torch.no_grad():
        for name, grad in zip(names, grads, strict=True):
            adam(state, name, grad, config.rate * schedule(state.step, config.steps), config.decay)
            state.past[name].mul_(past).add_(state.now[name], alpha=1.0 - past)
    return value


def _judge(
    state: State, loss: float, looks: Mapping[str, Sequence[Crop]], patches: Patches, recipe: Recipe,
    frozen: Mapping[str, Array], config: TrainConfig,
) -> None:  # fmt: skip
    row = {"step": float(state.step), "loss": loss}
    for name, crops in looks.items():
        if len({crop.take.song for crop in crops}) < 2:
            continue
        plain = batches.plain(crops, config.tower)
        with torch_module().no_grad():
            music = _music_rows(state.past, heard(crops, None, patches, recipe, config), plain[0].rhythm, config, 0.0)
        found = music.numpy() @ _motion_rows(frozen, plain[1], config).numpy().T
        row |= {f"{name}_{key}": value for key, value in scores.figures(found, [crop.take for crop in crops]).items()}
    state.history.append(row)
    score = float(np.mean([value for key, value in row.items() if key.startswith("held_")] or [0.0]))
    if score > state.best_score:
        state.best, state.best_score, state.best_step = copies(state.past), score, state.step


def _stale(state: State, config: TrainConfig, watched: bool) -> bool:
    return watched and state.best_step > 0 and (state.step - state.best_step) // config.every >= config.patience


def card_config(config: TrainConfig, recipe: Recipe) -> dict[str, Any]:
    """What an adapter encoder is built from."""
    from dataclasses import asdict

    return {"tower": asdict(config.tower), "recipe": recipe.as_dict()}
