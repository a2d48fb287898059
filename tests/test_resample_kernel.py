"""Compiled cubics and half spheres of quaternions against the same in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from choreodb.motion import resample_kernel
from choreodb.motion import rotations as rot

Array = npt.NDArray[np.floating]


def naive_cubic(values: Array, index: npt.NDArray[np.int64], u: Array) -> Array:
    last = len(values) - 1
    out = []
    for i, t in zip(index, u, strict=True):
        start = values[i]

        def near(frame: int, start: Array = start) -> Array:
            value = values[np.clip(frame, 0, last)]
            return np.where(np.sum(value * start, -1, keepdims=True) < 0.0, -value, value)

        end = near(i + 1)
        before = 2.0 * start - end if i == 0 else near(i - 1)
        after = 2.0 * end - start if i == last - 1 else near(i + 2)
        curve = t * ((2.0 * before - 5.0 * start + 4.0 * end - after) + t * (3.0 * (start - end) + after - before))
        inside = start + 0.5 * t * ((end - before) + curve)
        out.append(start + t * (end - start) if t < 0.0 or t > 1.0 else inside)
    return np.array(out) / np.linalg.norm(out, axis=-1, keepdims=True)


@pytest.mark.parametrize("frames", [2, 3, 30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cubics_are_the_naive_ones(rng: np.random.Generator, frames: int, dtype: type) -> None:
    path = np.cumsum(rng.normal(scale=0.1, size=(frames, 5, 4)), axis=0) + rng.normal(size=(5, 4))
    signs = rng.choice([-1.0, 1.0], (frames, 5, 1))
    values = (rot.normalise(path) * signs).astype(dtype)
    place = np.concatenate([[-1.5, 0.0, frames - 1.0, frames + 0.5], rng.uniform(-1.5, frames + 0.5, 60)])
    index = np.clip(np.floor(place).astype(np.int64), 0, frames - 2)
    out = np.empty((len(place), 5, 4), dtype=dtype)
    resample_kernel.cubic(values, index, place - index, out)
    np.testing.assert_allclose(out, naive_cubic(values.astype(np.float64), index, place - index), atol=3e-6)
    np.testing.assert_allclose(out[1], values[0], atol=1e-6)


def test_half_spheres_are_those_of_running_signs(rng: np.random.Generator) -> None:
    values = rot.normalise(rng.normal(size=(50, 6, 4)))
    flips = np.sum(values[1:] * values[:-1], axis=-1) < 0.0
    expected = values.copy()
    expected[1:][np.cumsum(flips, axis=0) % 2 == 1] *= -1.0
    resample_kernel.unroll(values)
    np.testing.assert_array_equal(values, expected)
    assert np.all(np.sum(values[1:] * values[:-1], axis=-1) >= 0.0)
