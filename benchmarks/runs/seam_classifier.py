"""Can seams be seen: two fixed classifiers of windows, each with a fixed budget, trained on one half of the clips and
tested on the other.

`figures`: a ridge-regularised logistic regression on energies of speed, acceleration and jerk of every joint by time,
and on sliding and height of the feet. `network`: three convolutions over positions, speeds and accelerations, twelve
epochs; it needs torch. A weak classifier gives an area of 0.5, so both are run on seams that everybody sees, and on
captured motion against captured motion, before their word counts.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.two_sample import auc, logistic, standardised

Array = npt.NDArray[np.float64]
Windows = npt.NDArray[np.float32]
Fit = Callable[[Any, npt.NDArray[np.bool_], Any], Array]

FPS = 60.0
BINS = 12
JOINTS = 22
DRAWS = 200
EPOCHS, BATCH, WIDTH, SEED = 12, 64, 48, 0
_FLOOR_M = 0.04


def has_network() -> bool:
    """Whether torch is here."""
    return importlib.util.find_spec("torch") is not None


def figures(windows: Windows) -> Array:
    """Features [N, F] of windows [N, T, 26, 3] of 22 joints and 4 foot points at 60 fps."""
    moved: Array = windows.astype(np.float64)
    out = []
    for order in (1, 2, 3):
        moved = np.diff(moved, axis=1) * FPS
        energy = _binned(np.square(moved).sum(axis=-1))
        # what no capture can tell from stillness counts alike
        out.append(np.log(energy + 1e-5 * FPS ** (2 * (order - 1))))
    feet = windows[:, :, JOINTS:].astype(np.float64)
    pace = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=1), axis=-1) * FPS
    height = feet[:, 1:, :, 1]
    out += [_binned(np.where(height < _FLOOR_M, pace, 0.0)), _binned(height)]
    return np.concatenate(out, axis=1)


def _binned(values: Array) -> Array:
    """Means [N, BINS * P] of `values` [N, T, P] by time."""
    edges = np.linspace(0, values.shape[1], BINS + 1).astype(np.int64)
    sums = np.add.reduceat(values, edges[:-1], axis=1)
    return np.asarray((sums / np.diff(edges)[:, None]).reshape(len(values), -1))


def by_figures(train: Array, made: npt.NDArray[np.bool_], test: Array) -> Array:
    """Scores of `test` [M, F], larger where more like those of `train` [N, F] that are `made` [N]."""
    return np.asarray(standardised(test, train) @ logistic(standardised(train, train), made))


def by_network(train: Windows, made: npt.NDArray[np.bool_], test: Windows) -> Array:
    """The same from windows [N, T, 26, 3], on one thread, from a fixed seed."""
    import torch
    from torch import nn

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        x, held = _channels(train, train), _channels(test, train)
        target = torch.tensor(made, dtype=torch.float32)
        net = nn.Sequential(
            nn.Conv1d(x.shape[1], WIDTH, 5, 2), nn.ReLU(), nn.BatchNorm1d(WIDTH),
            nn.Conv1d(WIDTH, WIDTH, 5, 2), nn.ReLU(), nn.BatchNorm1d(WIDTH),
            nn.Conv1d(WIDTH, WIDTH, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.LazyLinear(1),
        )  # fmt: skip
        net(x[:2])
        optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-2)
        for _ in range(EPOCHS):
            order = torch.randperm(len(x))
            for first in range(0, len(order) - 8, BATCH):
                rows = order[first : first + BATCH]
                loss = nn.functional.binary_cross_entropy_with_logits(net(x[rows])[:, 0], target[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        net.eval()
        with torch.no_grad():
            scores = net(held)[:, 0].numpy().astype(np.float64)
    torch.set_num_threads(threads)
    return np.asarray(scores)


def _channels(windows: Windows, of: Windows) -> Any:
    """Positions, speeds and accelerations [N, C, T / 2] in standard units of `of`, as a tensor."""
    import torch

    def stacked(values: Windows) -> Any:
        at = torch.from_numpy(values)
        speed = torch.diff(at, dim=1) * FPS
        parts = [at[:, 2:], speed[:, 1:], torch.diff(speed, dim=1)]
        return torch.nn.functional.avg_pool1d(torch.cat([part.flatten(2) for part in parts], -1).transpose(1, 2), 2)

    base = stacked(of)
    middle, spread = base.mean((0, 2), keepdim=True), base.std((0, 2), keepdim=True) + 1e-3
    return ((stacked(windows) - middle) / spread).clamp(-5.0, 5.0)


def trial(
    made: Sequence[Any], captured: Sequence[Any], groups: Sequence[npt.NDArray[np.int64]], fit: Fit, seed: int
) -> dict[str, float]:
    """Area under the ROC of `made` against `captured`, each given as two halves [2] of windows or features.

    Each half is scored by what was trained on the other; the area is the mean of both. groups: [2] of [N] which seams
    belong together (a clip). low, high: 95 % bootstrap over groups.
    """
    scored = []
    for held in (0, 1):
        x, y = _joined(made[1 - held], captured[1 - held])
        z, truth = _joined(made[held], captured[held])
        scored.append((truth, fit(x, y, z), groups[held]))
    rng = np.random.default_rng(seed)
    draws = [float(np.mean([_redrawn(*part, rng) for part in scored])) for _ in range(DRAWS)]
    low, high = np.percentile(draws, (2.5, 97.5))
    found = float(np.mean([auc(truth, scores) for truth, scores, _ in scored]))
    return {"auc": found, "auc_low": float(low), "auc_high": float(high)}


def _joined(made: Any, captured: Any) -> tuple[Any, npt.NDArray[np.bool_]]:
    labels = np.concatenate([np.ones(len(made), dtype=bool), np.zeros(len(captured), dtype=bool)])
    return np.concatenate([made, captured]), labels


def _redrawn(
    truth: npt.NDArray[np.bool_], scores: Array, groups: npt.NDArray[np.int64], rng: np.random.Generator
) -> float:
    """The area with the made windows' groups drawn again, and the captured windows likewise one by one."""
    made = np.flatnonzero(truth)
    names, owner = np.unique(groups, return_inverse=True)
    weight = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[owner]
    chosen = np.repeat(made, weight)
    others = rng.choice(np.flatnonzero(~truth), size=int((~truth).sum()))
    rows = np.concatenate([chosen, others])
    return auc(truth[rows], scores[rows]) if len(chosen) else 0.5
