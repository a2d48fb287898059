"""Losses of the denoiser, in metres and metres a second where they are geometric, through forward kinematics.

Geometric terms say little about a signal that is mostly noise: each fades with the signal's share to the power of a decay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner.denoiser.features import FPS, JOINTS

_PARENTS = [int(parent) for parent in CHOREO22.parents]
_OFFSETS = torch.tensor(np.asarray(CHOREO22.offsets), dtype=torch.float32)
_FEET = [CHOREO22.index(name) for name in ("left_ankle", "left_foot", "right_ankle", "right_foot")]


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weight of each term, and the power of the signal's share by which the geometric ones fade with noise."""

    simple: float = 1.0
    position: float = 20.0
    velocity: float = 2.0
    acceleration: float = 0.002
    contact: float = 4.0
    decay: float = 2.0


def sixd_to_matrix(sixd: Tensor) -> Tensor:
    """Two matrix columns [..., 6], orthonormalised, to matrices [..., 3, 3] (Zhou et al., CVPR 2019)."""
    x = torch.nn.functional.normalize(sixd[..., :3], dim=-1, eps=1e-6)
    y = sixd[..., 3:] - (x * sixd[..., 3:]).sum(-1, keepdim=True) * x
    y = torch.nn.functional.normalize(y, dim=-1, eps=1e-6)
    return torch.stack([x, y, torch.cross(x, y, dim=-1)], dim=-1)


def joints(windows: Tensor) -> Tensor:
    """Joint positions [B, N, 22, 3] in metres of windows [B, N, 139] that are not normalised."""
    turned = sixd_to_matrix(windows[..., 3 : 3 + 6 * JOINTS].unflatten(-1, (JOINTS, 6)))
    world, places = [turned[..., 0, :, :]], [windows[..., :3]]
    for joint in range(1, JOINTS):
        parent = _PARENTS[joint]
        world.append(world[parent] @ turned[..., joint, :, :])
        places.append(places[parent] + world[parent] @ _OFFSETS[joint])
    return torch.stack(places, dim=-2)


def terms(made: Tensor, true: Tensor, deviation: Tensor, middle: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """Each loss [B] of normalised windows `made` against `true`, only where `mask` [B, N] is 0.

    deviation, middle: [139] that undo the normalisation.
    """
    hidden = 1.0 - mask
    share = hidden.sum(dim=1).clamp(min=1.0)

    def mean(values: Tensor) -> Tensor:
        """Over hidden frames; differences count with their first frame."""
        return (values * hidden[:, : values.shape[1]]).sum(dim=1) / share

    out = {"simple": mean((made - true).square().mean(dim=-1))}
    places = [joints(each * deviation + middle) for each in (made, true)]
    speeds = [torch.diff(each, dim=1) * FPS for each in places]
    changes = [torch.diff(each, dim=1) * FPS for each in speeds]
    out["position"] = mean((places[0] - places[1]).square().sum(-1).mean(-1))
    out["velocity"] = mean((speeds[0] - speeds[1]).square().sum(-1).mean(-1))
    out["acceleration"] = mean((changes[0] - changes[1]).square().sum(-1).mean(-1))
    contact = (true * deviation + middle)[:, :-1, -4:].clamp(0.0, 1.0)
    out["contact"] = mean((speeds[0][:, :, _FEET].square().sum(-1) * contact).mean(-1))
    return out


def total(found: dict[str, Tensor], signal: Tensor, weights: LossWeights) -> Tensor:
    """The weighted sum [B]; signal: [B] share of the signal's amplitude at each window's noise."""
    fading = signal**weights.decay
    out = weights.simple * found["simple"]
    for name in ("position", "velocity", "acceleration", "contact"):
        out = out + getattr(weights, name) * fading * found[name]
    return out
