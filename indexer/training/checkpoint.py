"""Checkpoints: everything that a run of training needs to go on, as weights with a card; no pickles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import weights
from choreodb.indexer.training.network import Tensor

Array = npt.NDArray[np.float32]

VERSION = 1
PARTS = ("now", "past", "first", "second", "best")
INPUTS = "inputs"


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


def save(path: Path, state: State, architecture: str, config: Mapping[str, Any]) -> None:
    """Write a state. config: whatever has to be the same for a run to go on, as JSON."""
    arrays = {
        f"{part}/{name}": value.detach().cpu().numpy() for part in PARTS for name, value in getattr(state, part).items()
    }
    where = {"step": state.step, "best_step": state.best_step, "history": state.history}
    card = {
        "architecture": architecture, "version": VERSION, "config": dict(config), "data": {}, "command": "",
        "metrics": {**where, "best_score": state.best_score if state.best else None},
    }  # fmt: skip
    weights.save(path, arrays, card)


def load(
    path: Path, architecture: str, config: Mapping[str, Any], tensor: Callable[[str, str, Array], Tensor]
) -> State:
    """The state in a checkpoint; `tensor` makes one of (part, name, array).

    EncoderError where it is of another architecture, of another config but for its steps, or of other data.
    """
    found = weights.load(path)
    if found.card["architecture"] != architecture:
        raise EncoderError(
            f"checkpoint {str(path)!r} is of the architecture {found.card['architecture']!r}, not {architecture!r}; name another"
        )
    there = dict(found.card["config"])
    differs = next((name for name in config if there.get(name) != config[name] and name != "steps"), None)
    if differs == INPUTS:
        raise EncoderError(
            f"checkpoint {str(path)!r} was made from other clips, songs or weights than these; go on with the same, or remove it"
        )
    if differs:
        raise EncoderError(
            f"checkpoint {str(path)!r} was made with {differs} = {there.get(differs)!r}, now {config[differs]!r}; "
            "go on with the same config, or remove it"
        )
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in PARTS}
    for key, array in found.tensors.items():
        part, _, name = key.partition("/")
        if part not in parts:
            raise EncoderError(f"checkpoint {str(path)!r} holds an array {key!r} that is no part of a run; remove it")
        parts[part][name] = tensor(part, name, array)
    metrics = found.card["metrics"]
    score = metrics["best_score"]
    return State(
        **parts, step=metrics["step"], best_step=metrics["best_step"], history=list(metrics["history"]),
        best_score=float("-inf") if score is None else score,
    )  # fmt: skip
