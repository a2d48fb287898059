"""Twins: a phrase found again wherever and whenever it is danced, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stepping import FPS, looked_at, march

from choreodb.indexer import twins
from choreodb.indexer.segments import Cut
from choreodb.motion.kinematics import heading
from choreodb.motion.motion import Motion

PHRASE = np.array([0.4, 1.0, 1.3, 1.9])


def bar(start_s: float, end_s: float) -> Cut:
    return Cut(0, start_s, end_s, np.empty(0), 0, False, False)


def taken_at(motion: Motion, times_s: np.ndarray) -> Motion:
    frames = np.clip(np.rint(times_s * FPS).astype(int), 0, len(motion) - 1)
    return Motion(motion.rotations[frames], motion.root[frames], motion.skeleton, FPS)


def poses(motion: Motion, *cuts: Cut) -> np.ndarray:
    return twins.measure(looked_at(motion)[0], heading(motion.rotations), FPS, cuts)


def grouped(parts: list[np.ndarray], seconds: list[float], origin: list[int], start_s: list[float]) -> list[int]:
    found = twins.groups(np.concatenate(parts), np.array(seconds), np.array(origin), np.array(start_s))
    return found.tolist()


def test_a_phrase_is_found_again_turned_moved_late_and_slower() -> None:
    one = poses(march(PHRASE, 3.0), bar(0.2, 2.2))
    late = poses(march(PHRASE + 1.0, 4.0, yaw=1.2), bar(1.0, 3.0))
    slow = poses(taken_at(march(PHRASE, 3.0), np.arange(198) / 66.0), bar(0.22, 2.42))
    away = march(PHRASE, 3.0)
    away.root[:, 0] += np.linspace(0.0, 0.3, len(away))
    other = poses(away, bar(0.2, 2.2))
    assert grouped([one, late, other], [2.0] * 3, [0, 1, 2], [0.2, 1.0, 0.2]) == [0, 0, -1]
    assert grouped([other, one, slow], [2.0, 2.0, 2.2], [2, 0, 1], [0.2, 0.2, 0.22]) == [-1, 0, 0]
    assert grouped([one, one], [2.0, 3.0], [0, 1], [0.2, 0.2]) == [-1, -1], "a stretch of 1.5 is another movement"


def test_overlapping_stretches_of_one_source_are_not_twins() -> None:
    one = poses(march(PHRASE, 3.0), bar(0.2, 2.2))
    assert grouped([one, one], [2.0, 2.0], [0, 0], [0.2, 0.3]) == [-1, -1]
    assert grouped([one, one], [2.0, 2.0], [0, 0], [0.2, 8.0]) == [0, 0]


def test_groups_match_the_naive_ones_and_count_from_the_first(rng: np.random.Generator) -> None:
    kinds = rng.integers(0, 6, 30)
    shapes = rng.standard_normal((6, 17, 60)) * np.where(np.arange(6) < 3, 1.0, 0.02)[:, None, None]
    rows = (shapes[kinds] + 0.001 * rng.standard_normal((30, 17, 60))).astype(np.float16)
    found = twins.groups(rows, np.full(30, 2.0), np.arange(30), np.zeros(30))
    limit = 0.03**2 * 20
    wide = rows.astype(np.float64)
    near = ((wide[:, None, None, 8] - wide[None, :, :]) ** 2).sum(axis=-1).min(axis=-1) < limit
    near |= near.T
    for _ in range(30):
        near = (near.astype(int) @ near.astype(int)) > 0
    alone = near.sum(axis=1) == 1
    assert np.array_equal(found == -1, alone)
    linked = np.flatnonzero(~alone)
    assert np.array_equal(found[linked][:, None] == found[linked][None], near[np.ix_(linked, linked)])
    first = [int(np.flatnonzero(found == group)[0]) for group in range(found.max() + 1)]
    assert first == sorted(first)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 60))
def test_a_tree_finds_the_pairs_that_a_naive_twin_finds(seed: int, count: int) -> None:
    """Poses about the limit apart, some at a shifted offset, some overlapping, some of another length."""
    rng = np.random.default_rng(seed)
    base = rng.normal(scale=0.5, size=(6, 5, 36))
    poses = base[rng.integers(0, 6, count)] + rng.normal(scale=0.02, size=(count, 5, 36))
    poses = np.roll(poses, rng.integers(-1, 2), axis=1).astype(np.float16)
    seconds, origin = rng.uniform(1.6, 2.4, count), rng.integers(0, 3, count)
    start = rng.uniform(0.0, 10.0, count)
    config = twins.TwinConfig(rms_m=0.05)
    near, other = twins._pairs(poses, seconds, origin, start, config)
    expected = set()
    for a in range(count):
        for b in range(count):
            longer, shorter = max(seconds[a], seconds[b]), min(seconds[a], seconds[b])
            if (origin[a] == origin[b] and abs(start[a] - start[b]) < longer) or longer > 1.25 * shorter:
                continue
            gaps = poses[a, 2].astype(np.float32) - poses[b].astype(np.float32)
            if np.any((gaps**2).sum(axis=1) < config.rms_m**2 * 12):
                expected.add((a, b))
    assert set(zip(near.tolist(), other.tolist(), strict=True)) == expected


def test_pairs_are_found_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    poses = np.repeat(rng.normal(size=(4, 3, 36)), 10, axis=0).astype(np.float16)
    whole = twins.groups(poses, np.full(40, 2.0), np.arange(40), np.zeros(40))
    assert whole.tolist() == np.repeat(np.arange(4), 10).tolist()
    monkeypatch.setattr(twins, "_BLOCK", 7)
    monkeypatch.setattr(twins, "_PAIRS", 5)
    assert twins.groups(poses, np.full(40, 2.0), np.arange(40), np.zeros(40)).tolist() == whole.tolist()
