"""Losses of the denoiser, in metres and metres a second where they are geometric, through forward kinematics.

Geometric terms say little about a signal that is mostly noise: each fades with the signal's share to the power of a decay.
Distances are lengths, not squares, so that a few far-off gaps do not outweigh all the near ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner.denoiser.features import FPS, JOINTS

_OFFSETS = torch.tensor(np.asarray(CHOREO22.offsets), dtype=torch.float32)
_FEET = [CHOREO22.index(name) for name in ("left_ankle", "left_foot", "right_ankle", "right_foot")]


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weight of each term. decay: the power of the signal's share by which the geometric ones fade with noise. least: what
    is left of them in noise alone, where the known frames still say much."""

    simple: float = 1.0
    position: float = 15.0
    velocity: float = 2.5
    acceleration: float = 0.04
    contact: float = 1.0
    decay: float = 1.0
    least: float = 0.5


def _levels() -> list[tuple[list[int], list[int]]]:
    """(joints, their parents) by distance from the root: joints of one level turn at once."""
    parents = [int(parent) for parent in CHOREO22.parents]
    depth = [0] * JOINTS
    for joint in range(1, JOINTS):
        depth[joint] = depth[parents[joint]] + 1
    levels = [[joint for joint in range(JOINTS) if depth[joint] == level] for level in range(1, max(depth) + 1)]
    return [(level, [parents[joint] for joint in level]) for level in levels]


_LEVELS = _levels()
_ORDER = [0, *(joint for level, _ in _LEVELS for joint in level)]


def turned(quats: Tensor, rotvecs: Tensor) -> Tensor:
    """Quaternions [..., 4] turned by rotation vectors [..., 3] on their left."""
    angle = torch.sqrt(rotvecs.square().sum(-1, keepdim=True) + 1e-12)
    half = 0.5 * angle
    return _product(torch.cat([torch.cos(half), rotvecs * (torch.sin(half) / angle)], dim=-1), quats)


def _product(a: Tensor, b: Tensor) -> Tensor:
    aw, av, bw, bv = a[..., :1], a[..., 1:], b[..., :1], b[..., 1:]
    vector = aw * bv + bw * av + torch.linalg.cross(av, bv)
    return torch.cat([aw * bw - (av * bv).sum(-1, keepdim=True), vector], dim=-1)


def _rotated(quats: Tensor, vectors: Tensor) -> Tensor:
    axis = quats[..., 1:]
    twice = 2.0 * torch.linalg.cross(axis, vectors.expand_as(axis))
    return vectors + quats[..., :1] * twice + torch.linalg.cross(axis, twice)


def joints(quats: Tensor, root: Tensor) -> Tensor:
    """Joint positions [B, N, 22, 3] in metres of local rotations [B, N, 22, 4] and root [B, N, 3]."""
    offsets = _OFFSETS.to(quats.device)
    where = {joint: place for place, joint in enumerate(_ORDER)}
    world, places = [quats[..., :1, :]], [root[..., None, :]]
    above, at = world[0], places[0]
    last = {0: 0}
    for level, parents in _LEVELS:
        rows = [last[parent] for parent in parents]
        parent_world, parent_at = above[..., rows, :], at[..., rows, :]
        at = parent_at + _rotated(parent_world, offsets[level])
        above = _product(parent_world, quats[..., level, :])
        world.append(above)
        places.append(at)
        last = {joint: row for row, joint in enumerate(level)}
    back = [where[joint] for joint in range(JOINTS)]
    return torch.cat(places, dim=-2)[..., back, :]


@dataclass(frozen=True, slots=True)
class Truth:
    """What windows are judged by. rotations: [B, N, 22, 4], root: [B, N, 3] as given; change: [B, N, 69] that leads to what
    was, and joints: [B, N, 22, 3] where those were; planted: [B, N, 4]; hidden: [B, N], 1 where a change is let through."""

    rotations: Tensor
    root: Tensor
    change: Tensor
    joints: Tensor
    planted: Tensor
    hidden: Tensor


def terms(made: Tensor, true: Truth, size: Tensor) -> dict[str, Tensor]:
    """Each loss [B] of changes `made` [B, N, 69], normalised by `size` [B, 1, 69], where something is hidden."""
    share = true.hidden.sum(dim=1).clamp(min=1.0)

    def mean(values: Tensor) -> Tensor:
        """Over hidden frames; differences count with their first frame."""
        return (values * true.hidden[:, : values.shape[1]]).sum(dim=1) / share

    out = {"simple": mean((made - true.change / size).square().mean(dim=-1))}
    change = made * size
    quats = turned(true.rotations, change[..., : 3 * JOINTS].unflatten(-1, (JOINTS, 3)))
    at = joints(quats, true.root + change[..., 3 * JOINTS :])
    apart = at - true.joints
    speed = torch.diff(apart, dim=1) * FPS
    out["position"] = mean(_length(apart).mean(-1))
    out["velocity"] = mean(_length(speed).mean(-1))
    out["acceleration"] = mean(_length(torch.diff(speed, dim=1) * FPS).mean(-1))
    sliding = _length(torch.diff(at[:, :, _FEET], dim=1) * FPS)
    out["contact"] = mean((sliding * true.planted[:, :-1]).mean(-1))
    return out


def _length(vectors: Tensor) -> Tensor:
    return torch.sqrt(vectors.square().sum(-1) + 1e-8)


def total(found: dict[str, Tensor], signal: Tensor, weights: LossWeights) -> Tensor:
    """The weighted sum [B]; signal: [B] share of the signal's amplitude at each window's noise."""
    fading = weights.least + (1.0 - weights.least) * signal**weights.decay
    out = weights.simple * found["simple"]
    for name in ("position", "velocity", "acceleration", "contact"):
        out = out + getattr(weights, name) * fading * found[name]
    return out
