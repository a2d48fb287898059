"""Outlines: every bar in a hundred numbers, by which the few that may be twins of a new one are found without their motion."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from choreodb.indexer.twins import TwinConfig

WAVES = 3
_BLOCK_VALUES = 1 << 23
_REACH = 1.5
"""Bars this many times farther apart than twins are looked at in full: the time shift is on the other one here."""

Outlines = npt.NDArray[np.float16]


def outlines(poses: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """Slow waves [..., WAVES * J * 3] of poses [..., D] of `twins.measure`: their mean, and half and one wave over the bar.

    A projection on orthonormal directions: two bars are never farther apart in it than they are.
    """
    samples = TwinConfig().samples
    time = (np.arange(samples) + 0.5) / samples
    waves = np.cos(np.pi * np.arange(WAVES)[:, None] * time) * np.sqrt(2.0 / samples)
    waves[0] = np.sqrt(1.0 / samples)
    shaped = poses.reshape(*poses.shape[:-1], samples, -1).astype(np.float32)
    return (waves.astype(np.float32) @ shaped).reshape(*poses.shape[:-1], -1)


def stored(poses: npt.NDArray[np.float16]) -> Outlines:
    """Outlines [N, ...] of bars in place, as a library keeps them, of poses [N, O, D]."""
    return outlines(poses[:, poses.shape[1] // 2]).astype(np.float16)


def candidates(poses: npt.NDArray[np.float16], known: Outlines) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs (row of `poses` [M, O, D], row of `known` [N, ...]) that may be twins."""
    config = TwinConfig()
    limit = _REACH * config.rms_m * np.sqrt(poses.shape[2] / 3.0) + 0.03
    pairs = sorted(set(_near(outlines(poses), known, limit)))
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return first, second


def _near(shifted: npt.NDArray[np.float32], known: Outlines, limit: float) -> Iterator[tuple[int, int]]:
    """Pairs within `limit`; first by the mean pose alone, which leaves few."""
    count, offsets, width = shifted.shape
    flat = np.ascontiguousarray(shifted.reshape(count * offsets, width))
    mean = np.ascontiguousarray(flat[:, : width // WAVES])
    squares = np.einsum("nd,nd->n", mean, mean)
    step = max(1, _BLOCK_VALUES // max(1, len(flat)))
    for begin in range(0, len(known), step):
        block = known[begin : begin + step].astype(np.float32)
        there = np.ascontiguousarray(block[:, : width // WAVES])
        distance = squares[:, None] - 2.0 * (mean @ there.T) + np.einsum("nd,nd->n", there, there)
        row, other = np.nonzero(distance < limit * limit + 1e-3)
        for part in range(0, len(row), _BLOCK_VALUES // width):
            some, beside = row[part : part + _BLOCK_VALUES // width], other[part : part + _BLOCK_VALUES // width]
            near = np.sum((flat[some] - block[beside]) ** 2, axis=1) < limit * limit
            yield from zip((some[near] // offsets).tolist(), (beside[near] + begin).tolist(), strict=True)
