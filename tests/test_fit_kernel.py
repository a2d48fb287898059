"""How segments fill a step: the compiled pass against the same in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from choreodb.retriever import costs, fit_kernel

SAME_S = 1e-6


def naive_fit(start, end, clip_end, beats, following, nominal_s):  # type: ignore[no-untyped-def]
    first = np.arange(len(start))
    last, many, stop = first, beats.copy(), end.copy()
    least, most = costs.MIN_WARP * nominal_s, costs.MAX_WARP * nominal_s
    for _ in range(3):
        follower = following[last]
        grows = (stop - start < least - SAME_S) & (follower >= 0)
        last = np.where(grows, follower, last)
        both = (many > 0) & (beats[last] > 0)
        many = np.where(grows, np.where(both, many + beats[last], 0), many)
        stop = np.where(grows, end[last], stop)
    length = stop - start
    whole = (length >= least - SAME_S) & (length <= most + SAME_S)
    stretch = np.where(whole, length, np.minimum(nominal_s, clip_end - start))
    rate = stretch / nominal_s
    unused = np.clip((end - start - stretch) / (end - start), 0.0, 1.0)
    held = np.clip(costs.MIN_WARP - rate, 0.0, None) / costs.MIN_WARP
    best = run = first
    for _ in range(3):
        run = np.where(following[run] >= 0, following[run], run)
        nearer = np.abs(end[run] - start - stretch) < np.abs(end[best] - start - stretch) - SAME_S
        best = np.where(nearer, run, best)
    misfit = np.where(whole, 0.0, np.maximum(unused, held))
    return start + stretch, rate, np.where(whole, many, 0), misfit, ~whole, np.where(whole, last, best)


@pytest.mark.parametrize("nominal_s", [0.4, 1.0, 2.0, 3.7, 9.0])
def test_the_compiled_fit_is_the_naive_one(rng: np.random.Generator, nominal_s: float) -> None:
    count = 400
    length = rng.choice([0.3, 1.0, 1.9, 2.0, 4.0], count) * rng.uniform(0.95, 1.05, count)
    start = np.concatenate([[0.0], np.cumsum(length)[:-1]])
    end = start + length
    following = np.where(rng.random(count) < 0.7, np.arange(1, count + 1), -1)
    following[-1] = -1
    clip_end = end + rng.uniform(0.0, 3.0, count)
    beats = rng.choice([0, 3, 4], count)
    at = np.sort(rng.choice(count, 150, replace=False))
    wanted = naive_fit(start, end, clip_end, beats, following, nominal_s)
    low, high = costs.MIN_WARP * nominal_s, costs.MAX_WARP * nominal_s
    found = fit_kernel.fit(
        at, start, end, clip_end, beats, following, nominal_s, low, high, costs.MIN_WARP, 3, SAME_S
    )  # fmt: skip
    for name, got, expected in zip(("end", "rate", "beats", "misfit", "trimmed", "last"), found, wanted, strict=True):
        np.testing.assert_allclose(got, expected[at], atol=1e-12, err_msg=name)


def test_ranks_are_shared_by_equal_values(rng: np.random.Generator) -> None:
    values = rng.integers(0, 9, 200) / 8.0
    ordered = np.sort(values)
    below, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    np.testing.assert_array_equal(costs.rank01(values), (below + upto - 1) / 2.0 / 199)
    assert costs.rank01(np.array([3.0])).tolist() == [0.5]
