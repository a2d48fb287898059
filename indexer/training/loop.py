"""The training loop: steps, averaged weights, early stopping on held-out songs, and checkpoints to go on from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import towers, weights
from choreodb.indexer.encoders.glimpses import Glimpses
from choreodb.indexer.training import batches, network, scores
from choreodb.indexer.training.batches import Batch, Crop
from choreodb.indexer.training.config import TrainConfig, as_table
from choreodb.indexer.training.network import Tensor, torch_module
from choreodb.indexer.training.takes import Take

Array = npt.NDArray[np.float32]
Progress = Callable[[str, int, int], None]
Draw = Callable[[int, np.random.Generator], list[Crop]]
"""Crops of a step."""

CHECKPOINT = "towers-checkpoint"
_MOMENTS = (0.9, 0.98)
_WORST_LOSS = 50.0
_WARMUP = 20
_MEASURED = 256


@dataclass(slots=True)
class State:
    """Where a run is. now, past: weights and their average; first, second: moments of Adam; best: the average that did best
    on the held-out songs, at `best_step`, with `best_score`. history: one row a look."""

    now: dict[str, Tensor]
    past: dict[str, Tensor]
    first: dict[str, Tensor]
    second: dict[str, Tensor]
    best: dict[str, Tensor]
    step: int = 0
    best_step: int = 0
    best_score: float = float("-inf")
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Arrays to ship, one over the temperature that was learnt, and what the run saw."""

    tensors: dict[str, Array]
    scale: float
    steps: int
    best_step: int
    history: list[dict[str, float]]


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
) -> Trained:
    """Train towers on `takes`, stopping by `held` (empty: all steps, the average at the end).

    draw: crops of each step (default: pairs as they are). start: weights to begin with. frozen: prefixes of arrays that
    stay. watch_only: look at the held-out songs and do not stop by them. checkpoint: a weights file that is written at every look and gone on from where it is there. The same arguments
    give the same weights on one machine. EncoderError where the loss stops being a number.
    """
    torch = torch_module()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _Run(list(takes), list(held), config, draw, frozen, start, watch_only).train(checkpoint, progress)
    finally:
        torch.set_num_threads(threads)


class _Run:
    def __init__(
        self, takes: list[Take], held: list[Take], config: TrainConfig, draw: Draw | None, frozen: Sequence[str],
        start: Mapping[str, Array] | None, watch_only: bool,
    ) -> None:  # fmt: skip
        self.torch = torch_module()
        self.watch_only = watch_only
        self.takes, self.config, self.frozen, self.start = takes, config, tuple(frozen), start
        self.draw = draw or (lambda _, rng: batches.draw(takes, config, rng))
        self.device = self.torch.device("cuda" if self.torch.cuda.is_available() else "cpu")
        self.looks = {
            name: self._look(batches.every(own, config.tower.context_s, most=most))
            for name, own, most in (("held", held, 400), ("train", takes, 200))
        }

    def train(self, checkpoint: Path | None, progress: Progress | None) -> Trained:
        """Steps until the budget or the patience ends, from `checkpoint` on where it is there; it is written at every look."""
        state = self._resumed(checkpoint) or self._begun()
        while state.step < self.config.steps and not self._stale(state):
            loss = self._step(state)
            if progress is not None:
                progress("train", state.step, self.config.steps)
            if state.step % self.config.every == 0 or state.step == self.config.steps:
                self._judge(state, loss)
                if checkpoint is not None:
                    save_checkpoint(checkpoint, state, self.config)
        stopped = self.looks["held"] is not None and bool(state.best) and not self.watch_only
        chosen, best = (state.best, state.best_step) if stopped else (state.past, state.step)
        arrays = {name: value.detach().float().cpu().numpy() for name, value in chosen.items()}
        scale = float(np.exp(arrays.pop(network.TEMPERATURE)))
        return Trained(arrays, scale, state.step, best, state.history)

    def _begun(self) -> State:
        rng = np.random.default_rng([self.config.seed, 1 << 20])
        crops = [crop for _ in range(8) for crop in self.draw(0, rng)][:_MEASURED]
        begun = network.initial(self.config.tower, *batches.plain(crops, self.config.tower), rng)
        if self.start is not None:
            given = {name: array for name, array in self.start.items() if name in begun}
            wrong = next((name for name in given if given[name].shape != begun[name].shape), None)
            if wrong or len(given) < len(begun) - 1:
                raise EncoderError(
                    f"the weights to start from do not fit the config: {wrong or 'arrays are missing'}; give the same [tower]"
                )
            begun = {**begun, **given}
        now = {name: self._tensor(values, learnt=self._learnt(name)) for name, values in begun.items()}
        return State(now, copies(now), zeros(now), zeros(now), {})

    def _learnt(self, name: str) -> bool:
        return name.split(".")[-1] not in network.FIXED and not name.startswith(self.frozen or ("\0",))

    def _tensor(self, values: Any, *, learnt: bool = False) -> Tensor:
        out = self.torch.tensor(np.asarray(values), device=self.device)
        return out.requires_grad_() if learnt else out

    def _seen(self, seen: Glimpses) -> tuple[Tensor, Tensor, Tensor]:
        return self._tensor(seen.frames), self._tensor(seen.traits), self._tensor(seen.rhythm)

    def _embedded(
        self, tensors: Mapping[str, Tensor], side: str, seen: tuple[Tensor, Tensor, Tensor], drop: float
    ) -> Tensor:
        learnt = network.forward(tensors, self.config.tower, side, seen[:2], drop)
        return network.joined(learnt, seen[2], self.config.tower)

    def _step(self, state: State) -> float:
        """One step: crops, loss, Adam with decoupled decay (Loshchilov & Hutter, arXiv:1711.05101), average."""
        config, torch = self.config, self.torch
        rng = np.random.default_rng([config.seed, state.step])
        torch.manual_seed(config.seed * 1_000_003 + state.step)
        batch = batches.collate(self.draw(state.step, rng), config, rng)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            loss = self._loss(state.now, batch)
        state.step += 1
        value = float(loss.detach())
        if not np.isfinite(value) or value > _WORST_LOSS:
            raise EncoderError(
                f"training diverged at step {state.step} with a loss of {value:.3g}; lower `rate` ({config.rate:g})"
            )
        names = [name for name in state.now if self._learnt(name)]
        grads = torch.autograd.grad(loss, [state.now[name] for name in names], allow_unused=True)
        rate = config.rate * schedule(state.step, config.steps)
        with torch.no_grad():
            for name, grad in zip(names, grads, strict=True):
                if grad is not None:
                    adam(state, name, grad, rate, config.decay)
            # early on the average follows at once, later over 1 / (1 - ema) steps
            past = min(config.ema, state.step / (state.step + 10.0))
            for name in names:
                state.past[name].mul_(past).add_(state.now[name], alpha=1.0 - past)
        return value

    def _loss(self, tensors: Mapping[str, Tensor], batch: Batch) -> Tensor:
        config = self.config
        music = self._embedded(tensors, "music", self._seen(batch.music), config.dropout)
        motion = self._embedded(tensors, "motion", self._seen(batch.motion), config.dropout)
        alike = batch.alike if config.style_positive > 0.0 else np.zeros_like(batch.alike)
        wanted = np.eye(len(alike)) + config.style_positive * alike / np.maximum(alike.sum(1, keepdims=True), 1)
        scale = network.scale_of(tensors)
        return network.contrastive(
            music, motion, scale, self._tensor(batch.negative), self._tensor(wanted.astype(np.float32)),
            self._tensor((1.0 / (1.0 + batch.alike.sum(1)) ** config.balance).astype(np.float32)),
        )  # fmt: skip

    def _look(self, crops: Sequence[Crop]) -> tuple[list[Crop], Any, Any] | None:
        if len({crop.take.song for crop in crops}) < 2:
            return None
        music, motion = batches.plain(crops, self.config.tower)
        return list(crops), self._seen(music), self._seen(motion)

    def _judge(self, state: State, loss: float) -> None:
        """Look at the held-out songs and keep the averaged weights where they do best."""
        row = {"step": float(state.step), "loss": loss}
        with self.torch.no_grad():
            for name, look in self.looks.items():
                if look is None:
                    continue
                crops, music, motion = look
                rows = [
                    self._embedded(state.past, side, seen, 0.0) for side, seen in (("music", music), ("motion", motion))
                ]
                found = scores.figures((rows[0] @ rows[1].T).float().cpu().numpy(), [crop.take for crop in crops])
                row |= {f"{name}_{key}": value for key, value in found.items()}
        state.history.append(row)
        score = float(np.mean([value for key, value in row.items() if key.startswith("held_")] or [0.0]))
        if score > state.best_score:
            state.best, state.best_score, state.best_step = copies(state.past), score, state.step

    def _stale(self, state: State) -> bool:
        looks = (state.step - state.best_step) // self.config.every
        return (
            not self.watch_only
            and self.looks["held"] is not None
            and state.best_step > 0
            and looks >= self.config.patience
        )

    def _resumed(self, checkpoint: Path | None) -> State | None:
        if checkpoint is None or not checkpoint.is_file():
            return None
        return load_checkpoint(checkpoint, self.config, self._restored)

    def _restored(self, part: str, name: str, values: Array) -> Tensor:
        return self._tensor(values, learnt=part == "now" and self._learnt(name))


def adam(state: State, name: str, grad: Tensor, rate: float, decay: float) -> None:
    """Move one array by its gradient."""
    one, two = _MOMENTS
    first, second, now = state.first[name], state.second[name], state.now[name]
    first.mul_(one).add_(grad, alpha=1.0 - one)
    second.mul_(two).addcmul_(grad, grad, value=1.0 - two)
    if now.ndim > 1:
        now.mul_(1.0 - rate * decay)
    corrected = (second / (1.0 - two**state.step)).sqrt_().add_(1e-8)
    now.addcdiv_(first, corrected, value=-rate / (1.0 - one**state.step))


def schedule(step: int, steps: int) -> float:
    """Share of the highest rate: a short rise, then half a cosine down to a twentieth."""
    if step <= _WARMUP:
        return step / _WARMUP
    return float(0.05 + 0.475 * (1.0 + np.cos(np.pi * min(1.0, (step - _WARMUP) / max(steps - _WARMUP, 1)))))


def copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies that nothing flows back through."""
    return {name: value.detach().clone() for name, value in tensors.items()}


def zeros(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Zeros of the same shapes."""
    return {name: torch_module().zeros_like(value, requires_grad=False) for name, value in tensors.items()}


def save_checkpoint(path: Path, state: State, config: TrainConfig) -> None:
    """Write everything that a run needs to go on, as weights: no pickles."""
    parts = {"now": state.now, "past": state.past, "first": state.first, "second": state.second, "best": state.best}
    arrays = {
        f"{part}/{name}": value.detach().cpu().numpy() for part, own in parts.items() for name, value in own.items()
    }
    where = {"step": state.step, "best_step": state.best_step, "history": state.history}
    card = {
        "architecture": CHECKPOINT, "version": towers.VERSION, "config": as_table(config), "data": {}, "command": "",
        "metrics": {**where, "best_score": state.best_score if state.best else None},
    }  # fmt: skip
    weights.save(path, arrays, card)


def load_checkpoint(path: Path, config: TrainConfig, tensor: Callable[[str, str, Array], Tensor]) -> State:
    """The state in a checkpoint; EncoderError where it is of another architecture or of another config."""
    found = weights.load(path)
    if found.card["architecture"] != CHECKPOINT:
        raise EncoderError(
            f"checkpoint {str(path)!r} is of the architecture {found.card['architecture']!r}, not {CHECKPOINT!r}; name another"
        )
    wanted, there = as_table(config), dict(found.card["config"])
    differs = next((name for name in wanted if there.get(name) != wanted[name] and name != "steps"), None)
    if differs:
        raise EncoderError(
            f"checkpoint {str(path)!r} was made with {differs} = {there.get(differs)!r}, now {wanted[differs]!r}; "
            "go on with the same config, or remove it"
        )
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in ("now", "past", "first", "second", "best")}
    for key, array in found.tensors.items():
        part, name = key.split("/", 1)
        parts[part][name] = tensor(part, name, array)
    metrics = found.card["metrics"]
    score = metrics["best_score"]
    return State(
        **parts, step=metrics["step"], best_step=metrics["best_step"], history=list(metrics["history"]),
        best_score=float("-inf") if score is None else score,
    )  # fmt: skip
