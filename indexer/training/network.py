"""The towers in torch, for training: the same sums as `indexer.encoders.towers` does with numpy; and the loss."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import MissingExtraError
from choreodb.indexer.encoders.glimpses import Glimpses
from choreodb.indexer.encoders.towers import NORM_FLOOR, SIDES, STRIDE, TowerConfig, shapes

Array = npt.NDArray[np.float32]
Tensor = Any
"""A torch tensor; torch is imported only where it is used."""

FIXED = ("mean", "scale", "traits_mean", "traits_scale")
"""Arrays that are measured and not learnt."""

TEMPERATURE = "log_scale"
_FIRST_SCALE, _LARGEST_SCALE = 10.0, 60.0


def torch_module() -> ModuleType:
    """torch, or MissingExtraError."""
    try:
        import torch
    except ImportError:
        raise MissingExtraError("torch is not installed; install it with: pip install 'choreodb[torch]'") from None
    return torch


def initial(config: TowerConfig, music: Glimpses, motion: Glimpses, rng: np.random.Generator) -> dict[str, Array]:
    """Weights to begin with; means and scales are those of the given glimpses."""
    out: dict[str, Array] = {}
    for name, shape in sorted(shapes(config).items()):
        kind = name.split(".")[1]
        if kind in FIXED:
            continue
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        drawn = rng.normal(size=shape) * np.sqrt(2.0 / fan)
        plain = np.ones(shape) if kind.startswith("norm") else np.zeros(shape)
        out[name] = (drawn if len(shape) > 1 else plain).astype(np.float32)
    for side, seen in zip(SIDES, (music, motion), strict=True):
        out |= _measured(config, side, seen)
    out[TEMPERATURE] = np.array(np.log(_FIRST_SCALE), dtype=np.float32)
    return out


def _measured(config: TowerConfig, side: str, seen: Glimpses) -> dict[str, Array]:
    channels, traits = config.inputs(side)
    flat = seen.frames[..., :channels].reshape(-1, channels)
    out = {f"{side}.mean": flat.mean(0), f"{side}.scale": np.maximum(flat.std(0), 1e-3)}
    if traits:
        out |= {
            f"{side}.traits_mean": seen.traits.mean(0),
            f"{side}.traits_scale": np.maximum(seen.traits.std(0), 0.05),
        }
    return {name: np.asarray(values, dtype=np.float32) for name, values in out.items()}


def forward(
    tensors: Mapping[str, Tensor], config: TowerConfig, side: str, seen: tuple[Tensor, Tensor], dropout: float = 0.0
) -> Tensor:
    """[N, learnt] of (frames [N, L, C], traits [N, T]); as `towers.forward`."""
    functional = torch_module().nn.functional
    frames, traits = seen
    mean = tensors[f"{side}.mean"]
    values = ((frames[..., : len(mean)] - mean) / tensors[f"{side}.scale"]).transpose(1, 2)
    for layer in range(config.layers):
        kernel = tensors[f"{side}.conv{layer}"]
        values = functional.conv1d(values, kernel, stride=STRIDE, padding=kernel.shape[-1] // 2)
        values = values.transpose(1, 2) + tensors[f"{side}.conv{layer}_bias"]
        values = functional.relu(_normed(values) * tensors[f"{side}.norm{layer}"]).transpose(1, 2)
    deviation = (values.var(dim=2, unbiased=False) + NORM_FLOOR).sqrt()
    pooled = torch_module().cat([values.mean(2), deviation, values.amax(2)], dim=1)
    hidden = functional.dropout(pooled, dropout) @ tensors[f"{side}.pooled"].T
    if config.traits:
        scaled = (traits - tensors[f"{side}.traits_mean"]) / tensors[f"{side}.traits_scale"]
        hidden = hidden + functional.dropout(scaled, dropout) @ tensors[f"{side}.traits"].T
    hidden = functional.dropout(functional.relu(_normed(hidden + tensors[f"{side}.hidden_bias"])), dropout)
    return hidden @ tensors[f"{side}.head"].T + tensors[f"{side}.head_bias"]


def _normed(values: Tensor) -> Tensor:
    centred = values - values.mean(-1, keepdim=True)
    return centred / ((centred**2).mean(-1, keepdim=True) + NORM_FLOOR).sqrt()


def joined(learnt: Tensor, rhythm: Tensor, config: TowerConfig) -> Tensor:
    """Unit rows [N, 256]; as `towers.joined` of unit rows."""
    torch = torch_module()
    unit = torch.nn.functional.normalize(learnt.float(), dim=1)
    if config.rhythm_share <= 0.0:
        return unit
    share = config.rhythm_share
    return torch.cat([(1.0 - share) ** 0.5 * unit, share**0.5 * rhythm], dim=1)


def contrastive(
    music: Tensor, motion: Tensor, scale: Tensor, negative: Tensor, wanted: Tensor, weight: Tensor
) -> Tensor:
    """Symmetric InfoNCE with soft targets (van den Oord et al., arXiv:1807.03748; CLIP, arXiv:2103.00020).

    music: [B, D] unit rows; motion: [B + H, D], the hard negatives last. scale: one over the temperature. negative:
    [B, B + H] and wanted [B, B] (weights of positives, rows and columns sum up to what they like); what is neither is left
    out of the sum. weight: [B] of each crop in the mean.
    """
    torch = torch_module()
    logits = music @ motion.T * scale
    count = len(music)
    targets = torch.zeros_like(logits)
    targets[:, :count] = wanted
    masked = logits.masked_fill(~(negative | (targets > 0.0)), float("-inf"))
    square = masked[:, :count].T, targets[:, :count].T
    return 0.5 * (_cross_entropy(masked, targets, weight) + _cross_entropy(*square, weight))


def _cross_entropy(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    shares = targets / targets.sum(1, keepdim=True)
    logs = torch_module().log_softmax(logits, dim=1)
    each = -(shares * logs.masked_fill(shares == 0.0, 0.0)).sum(1)
    return (each * weight).sum() / weight.sum()


def scale_of(tensors: Mapping[str, Tensor]) -> Tensor:
    """One over the learnt temperature, held below 60 so that a few easy crops cannot sharpen it without end."""
    return tensors[TEMPERATURE].exp().clamp(max=_LARGEST_SCALE)
