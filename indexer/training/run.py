"""A run of training, whatever is trained: steps, averaged weights, early stopping on held-out songs, going on."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.training import batches, checkpoint, device, network, scores
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.checkpoint import State
from choreodb.indexer.training.config import TrainConfig, as_table
from choreodb.indexer.training.network import Tensor, torch_module
from choreodb.indexer.training.takes import Take

Array = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Progress = Callable[[str, int, int], None]

_MOMENTS = (0.9, 0.98)
_WORST_LOSS = 50.0
_WARMUP = 20


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Arrays to ship, one over the temperature that was learnt, and what the run saw."""

    tensors: dict[str, Array]
    scale: float
    steps: int
    best_step: int
    history: list[dict[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What a step needs. music, motion: inputs of the two sides. negative, alike: as of `batches.Batch`."""

    music: Any
    motion: Any
    negative: Flags
    alike: Flags


class Run(ABC):
    """What is the same for everything that is trained by InfoNCE; a child says what there is to learn and how it embeds.

    architecture: of its checkpoints. looks: crops of held-out and of trained songs, looked at every so many steps; no
    look has fewer than two songs. watch_only: the held-out songs are looked at and do not stop the run.
    """

    architecture: str

    def __init__(
        self, takes: Sequence[Take], held: Sequence[Take], config: TrainConfig, *, where: str, inputs: str,
        watch_only: bool = False,
    ) -> None:  # fmt: skip
        self.torch = torch_module()
        self.takes, self.config, self.watch_only = list(takes), config, watch_only
        self.device = device.pick(where, self.torch)
        self._identity = {**as_table(config), checkpoint.INPUTS: digest(takes, held, inputs)}
        self.looks = {
            name: self._look(batches.every(own, config.tower.context_s, most=most))
            for name, own, most in (("held", held, 400), ("train", takes, 200))
        }

    @abstractmethod
    def begun(self, rng: np.random.Generator) -> dict[str, Array]:
        """Every array before the first step, the temperature's among them."""

    @abstractmethod
    def drawn(self, step: int, rng: np.random.Generator) -> Drawn:
        """The crops of a step, varied."""

    @abstractmethod
    def plain(self, crops: Sequence[Crop]) -> tuple[Any, Any]:
        """Inputs (music, motion) of crops as they are."""

    @abstractmethod
    def embedded(self, tensors: Mapping[str, Tensor], side: str, seen: Any, drop: float) -> Tensor:
        """Unit rows of the inputs of a side."""

    def learnt(self, name: str) -> bool:
        """Whether an array is learnt, and not measured once."""
        return name.split(".")[-1] not in network.FIXED

    def train(self, path: Path | None, progress: Progress | None) -> Trained:
        """Steps until the budget or the patience ends, from the checkpoint at `path` on where it is there; it is written at
        every look. EncoderError where the loss stops being a number, or the checkpoint is another run's."""
        threads = self.torch.get_num_threads()
        self.torch.set_num_threads(1)
        try:
            return self._ended(self._trained(path, progress))
        finally:
            self.torch.set_num_threads(threads)

    def _trained(self, path: Path | None, progress: Progress | None) -> State:
        state = self._resumed(path) or self._new()
        while state.step < self.config.steps and not self._stale(state):
            loss = self._step(state)
            if progress is not None:
                progress("train", state.step, self.config.steps)
            if state.step % self.config.every == 0 or state.step == self.config.steps:
                self._judge(state, loss)
                if path is not None:
                    checkpoint.save(path, state, self.architecture, self._identity)
        return state

    def _ended(self, state: State) -> Trained:
        stopped = self.looks["held"] is not None and bool(state.best) and not self.watch_only
        chosen, best = (state.best, state.best_step) if stopped else (state.past, state.step)
        arrays = {name: value.detach().float().cpu().numpy() for name, value in chosen.items()}
        scale = float(np.exp(arrays.pop(network.TEMPERATURE)))
        return Trained(arrays, scale, state.step, best, state.history)

    def _new(self) -> State:
        begun = self.begun(np.random.default_rng([self.config.seed, 1 << 20]))
        now = {name: self.tensor(values, learnt=self.learnt(name)) for name, values in begun.items()}
        return State(now, copies(now), zeros(now), zeros(now), {})

    def _resumed(self, path: Path | None) -> State | None:
        if path is None or not path.is_file():
            return None
        return checkpoint.load(path, self.architecture, self._identity, self._restored)

    def _restored(self, part: str, name: str, values: Array) -> Tensor:
        return self.tensor(values, learnt=part == "now" and self.learnt(name))

    def tensor(self, values: Any, *, learnt: bool = False) -> Tensor:
        """A tensor on the device."""
        out = self.torch.tensor(np.asarray(values), device=self.device.name)
        return out.requires_grad_() if learnt else out

    def _step(self, state: State) -> float:
        """One step: crops, loss, Adam with decoupled decay (Loshchilov & Hutter, arXiv:1711.05101), average."""
        config, torch = self.config, self.torch
        rng = np.random.default_rng([config.seed, state.step])
        torch.manual_seed(config.seed * 1_000_003 + state.step)
        drawn = self.drawn(state.step, rng)
        with self.device.autocast(torch):
            loss = self._loss(state.now, drawn)
        state.step += 1
        value = float(loss.detach())
        if not np.isfinite(value) or value > _WORST_LOSS:
            raise EncoderError(
                f"training diverged at step {state.step} with a loss of {value:.3g}; lower `rate` ({config.rate:g})"
            )
        names = [name for name in state.now if self.learnt(name)]
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

    def _loss(self, tensors: Mapping[str, Tensor], drawn: Drawn) -> Tensor:
        config = self.config
        music = self.embedded(tensors, "music", drawn.music, config.dropout)
        motion = self.embedded(tensors, "motion", drawn.motion, config.dropout)
        alike = drawn.alike if config.style_positive > 0.0 else np.zeros_like(drawn.alike)
        wanted = np.eye(len(alike)) + config.style_positive * alike / np.maximum(alike.sum(1, keepdims=True), 1)
        return network.contrastive(
            music, motion, network.scale_of(tensors), self.tensor(drawn.negative),
            self.tensor(wanted.astype(np.float32)),
            self.tensor((1.0 / (1.0 + drawn.alike.sum(1)) ** config.balance).astype(np.float32)),
        )  # fmt: skip

    def _look(self, crops: Sequence[Crop]) -> tuple[list[Crop], Any, Any] | None:
        if len({crop.take.song for crop in crops}) < 2:
            return None
        return (list(crops), *self.plain(crops))

    def _judge(self, state: State, loss: float) -> None:
        """Look at the held-out songs and keep the averaged weights where they do best."""
        row = {"step": float(state.step), "loss": loss}
        with self.torch.no_grad():
            for name, look in self.looks.items():
                if look is None:
                    continue
                crops, music, motion = look
                rows = [
                    self.embedded(state.past, side, seen, 0.0) for side, seen in (("music", music), ("motion", motion))
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


def digest(takes: Sequence[Take], held: Sequence[Take], inputs: str) -> str:
    """16 hexadecimal digits of which clips, songs and stretches a run learns from, which it looks at, and of `inputs`."""
    out = hashlib.sha256(inputs.encode())
    for side in (takes, held):
        for take in sorted(side, key=lambda each: (each.clip, each.song)):
            out.update(f"{take.clip}\0{take.song}\0{take.origin}\0".encode() + np.asarray(take.spans).tobytes())
        out.update(b"\1")
    return out.hexdigest()[:16]


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
