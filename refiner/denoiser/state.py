"""The state of a training run: weights, their mean, the optimiser's moments; kept in a file and taken up again."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from choreodb.errors import ChoreoError
from choreodb.refiner.denoiser.network import Network

if TYPE_CHECKING:
    from choreodb.refiner.denoiser.training import TrainOptions

_KEEP_OUT = ("minutes", "stop", "device")
"""Options that do not change what is learnt."""


def key_of(options: TrainOptions) -> str:
    """A name for all options that change what is learnt."""
    said = {name: value for name, value in asdict(options).items() if name not in _KEEP_OUT}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


class State:
    """What changes while a network is trained. normal: numbers that undo the normalisation, by name."""

    def __init__(self, network: Network, options: TrainOptions) -> None:
        self.network = network
        self.key = key_of(options)
        self.optimiser = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=options.decay)
        self.average = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.curve: list[tuple[int, float]] = []
        self.normal: dict[str, Tensor] = {}
        self.step = 0

    def apply(self, loss: Tensor, step: int, options: TrainOptions) -> None:
        """One step of the optimiser, and of the mean of weights."""
        warm = min(1.0, (step + 1) / options.warm)
        rate = options.rate * warm * 0.5 * (1.0 + math.cos(math.pi * step / options.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        past = min(options.average, (1.0 + step) / (10.0 + step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1.0 - past)

    def save(self, path: Path, step: int) -> None:
        """Everything as one safetensors file, with a key of the options."""
        from choreodb.indexer.encoders.weights import replace_file, tensor_bytes

        moments = self.optimiser.state_dict()["state"]
        arrays = {f"net.{name}": value.cpu().numpy() for name, value in self.network.state_dict().items()}
        arrays |= {f"mean.{name}": value.cpu().numpy() for name, value in self.average.items()}
        arrays |= {f"normal.{name}": value.cpu().numpy() for name, value in self.normal.items()}
        for number, each in moments.items():
            arrays |= {
                f"opt.{number}.{name}": np.asarray(value.cpu(), dtype=np.float32) for name, value in each.items()
            }
        arrays["curve"] = np.asarray(self.curve, dtype=np.float64).reshape(-1, 2)
        replace_file(path, tensor_bytes(arrays, {"step": str(step), "key": self.key}))

    def load(self, path: Path) -> None:
        """What `save` wrote; ChoreoError where it cannot be read or is of other options."""
        from safetensors import safe_open

        try:
            with safe_open(str(path), "pt") as file:
                about = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise ChoreoError(f"checkpoint {str(path)!r} cannot be read ({error}); remove it to begin anew") from None
        if about.get("key") != self.key:
            raise ChoreoError(f"checkpoint {str(path)!r} is of other options; remove it, or train with the same ones")
        device = next(self.network.parameters()).device
        self.network.load_state_dict(_under(arrays, "net."))
        self.average = {name: value.to(device) for name, value in _under(arrays, "mean.").items()}
        self.normal = _under(arrays, "normal.")
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under(arrays, "opt.").items():
            number, part = name.split(".")
            state.setdefault(int(number), {})[part] = value
        whole = self.optimiser.state_dict()
        whole["state"] = state
        self.optimiser.load_state_dict(whole)
        self.curve = [(int(step), float(loss)) for step, loss in arrays["curve"].numpy()]
        self.step = int(about["step"])


def _under(arrays: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}
