"""Trained towers: frames, glimpses, the same numbers in numpy and in torch, and files that do not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import glimpses, towers, weights
from choreodb.indexer.encoders.base import ClipMotion, Window
from choreodb.indexer.encoders.towers import TowerConfig, TowerEncoder
from choreodb.motion.kinematics import forward
from choreodb.motion.mirror import mirror_contacts, mirror_order, mirror_rotations, mirror_vectors
from choreodb.motion.rotations import compose, normalise, rotvec_to_quat, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22

SMALL = TowerConfig(context_s=4.0, width=16, layers=2, rotations=True)


def dancer(rng: np.random.Generator, frames: int = 300) -> ClipMotion:
    """Somebody who waves about."""
    beat = np.linspace(0.0, 20.0, frames)[:, None, None]
    swing = 0.4 * np.sin(beat * rng.uniform(0.5, 2.0, (1, 22, 1)) + rng.uniform(0, 6, (1, 22, 3)))
    rotations = normalise(rotvec_to_quat(swing))
    root = np.stack([np.sin(beat[:, 0, 0]), 0.9 + 0.02 * np.cos(beat[:, 0, 0]), 0.1 * beat[:, 0, 0]], axis=1)
    contacts = (rng.random((frames, 4)) < 0.5).astype(np.uint8)
    return ClipMotion(rotations, root, forward(rotations, root, CHOREO22)[0], contacts, 60.0)


def made(config: TowerConfig, seed: int = 1) -> weights.Weights:
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in towers.shapes(config).items():
        low = 0.5 if name.endswith("scale") else -0.2
        tensors[name] = rng.uniform(low, low + 1.0, size=shape).astype(np.float32)
    from dataclasses import asdict

    card: dict[str, Any] = {"architecture": towers.ARCHITECTURE, "version": 1, "config": asdict(config), "data": {},
                            "metrics": {}, "command": "test", "name": "test"}  # fmt: skip
    return weights.made(tensors, card, source="test")


def windows(count: int = 4, length_s: float = 2.0, bpm: float = 120.0) -> list[Window]:
    starts = np.arange(count) * 0.7
    return [Window(float(at), float(at) + length_s, at + np.arange(5) * 60.0 / bpm, 4) for at in starts]


def test_motion_frames_do_not_change_when_the_dancer_turns_or_walks_off(rng: np.random.Generator) -> None:
    motion = dancer(rng)
    turn = yaw_to_quat(np.array(1.2))
    rotations = motion.rotations.copy()
    rotations[:, 0] = compose(turn, rotations[:, 0])
    from choreodb.motion.rotations import rotate

    root = rotate(turn, motion.root) + np.array([3.0, 0.0, -2.0])
    elsewhere = replace(motion, rotations=rotations, root=root, positions=forward(rotations, root, CHOREO22)[0])
    assert np.allclose(channels.motion_frames(motion), channels.motion_frames(elsewhere), atol=1e-4)


def test_mirrored_frames_are_the_frames_of_the_mirrored_dance(rng: np.random.Generator) -> None:
    motion = dancer(rng)
    order = mirror_order(CHOREO22)
    rotations, root = mirror_rotations(motion.rotations, order), mirror_vectors(motion.root)
    other = ClipMotion(rotations, root, forward(rotations, root, CHOREO22)[0], mirror_contacts(motion.contacts), 60.0)
    found = channels.motion_frames(motion)
    assert np.allclose(channels.mirrored(found), channels.motion_frames(other), atol=1e-4)
    assert np.array_equal(channels.mirrored(channels.mirrored(found)), found)


def test_sampling_between_frames_is_linear_and_holds_the_ends(rng: np.random.Generator) -> None:
    frames = rng.normal(size=(9, 3)).astype(np.float32)
    places = np.array([[-3.0, 0.0, 2.25], [7.5, 8.0, 50.0]])
    wanted = np.stack([np.interp(places.ravel(), np.arange(9), column) for column in frames.T], -1).reshape(2, 3, 3)
    assert np.allclose(channels.sampled(frames, places), wanted, atol=1e-6)


def test_a_long_window_is_seen_as_several_stretches_within_it() -> None:
    where, owner = glimpses.stretches([Window(10.0, 35.0, np.empty(0), 0), Window(1.0, 3.0, np.empty(0), 0)], 6.0)
    assert owner.tolist() == [0, 0, 0, 0, 1]
    assert where.times_s[:4].min() >= 10.0 - 0.1
    assert where.times_s[:4].max() <= 35.0 + 0.1
    assert abs(where.times_s[4].mean() - 2.0) < 1e-9


def test_a_synchronous_stretch_shows_the_same_beats_at_any_tempo() -> None:
    rows = []
    for bpm in (100.0, 110.0):
        beats = np.arange(64) * 60.0 / bpm
        inside = beats[20:33]
        where, _ = glimpses.stretches([Window(inside[0], inside[-1], inside, 4)], 6.0, synchronous=True)
        rows.append(np.interp(where.times_s[0], beats, np.arange(64.0)))
    assert np.allclose(rows[0], rows[1], atol=1e-6)


def test_the_rhythm_block_tells_tempi_and_metres_apart_and_forgives_what_is_unknown() -> None:
    tempo = np.array([120.0, 121.0, 97.0, 120.0, np.nan])
    block = glimpses.rhythm_block(tempo, np.array([4, 4, 4, 3, 0]))
    near = block @ block[0]
    assert np.allclose(np.linalg.norm(block, axis=1), 1.0, atol=1e-5)
    assert near[0] > near[1] > near[2]
    assert near[3] < near[0] - 0.2
    assert np.all(np.isfinite(block[4]))


@pytest.mark.parametrize("config", [
    SMALL, TowerConfig(width=24, rhythm_share=0.3), TowerConfig(width=8, layers=1, traits=False),
    TowerConfig(width=16, synchronous=True),
])  # fmt: skip
def test_numpy_and_torch_agree_to_a_hundred_thousandth(config: TowerConfig, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    from choreodb.indexer.training import network

    encoder = TowerEncoder.from_weights(made(config))
    frames = channels.motion_frames(dancer(rng))
    asked = windows()
    where, _ = glimpses.stretches(asked, config.context_s, synchronous=config.synchronous)
    seen = glimpses.of_motion(frames, where)
    tensors = {name: torch.tensor(array) for name, array in encoder.weights.tensors.items()}
    there = tuple(torch.tensor(part) for part in (seen.frames, seen.traits, seen.rhythm))
    expected = network.joined(network.forward(tensors, config, "motion", there[:2]), there[2], config).numpy()
    assert np.abs(encoder.embed_motion_frames(frames, asked) - expected).max() < 1e-5


def test_rows_are_unit_vectors_of_the_shared_width(rng: np.random.Generator) -> None:
    encoder = TowerEncoder(made(SMALL))
    rows = encoder.embed_motion(dancer(rng), windows(3))
    assert rows.shape == (3, 256)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    assert encoder.embed_motion(dancer(rng), []).shape == (0, 256)


def test_one_window_is_embedded_as_it_is_among_many(rng: np.random.Generator) -> None:
    encoder = TowerEncoder(made(SMALL))
    motion, asked = dancer(rng), windows(5)
    alone = np.concatenate([encoder.embed_motion(motion, [each]) for each in asked])
    assert np.allclose(encoder.embed_motion(motion, asked), alone, atol=1e-5)


def test_weights_of_another_architecture_are_refused_by_name() -> None:
    good = made(SMALL)
    other = weights.made(good.tensors, {**good.card, "architecture": "retina"}, source="x")
    with pytest.raises(EncoderError, match="'retina'"):
        TowerEncoder.from_weights(other)


def test_arrays_that_do_not_fit_the_config_are_refused_with_both_shapes() -> None:
    good = made(SMALL)
    tensors = {**good.tensors, "motion.head": good.tensors["motion.head"][:, :-1].copy()}
    with pytest.raises(EncoderError, match=r"\(256, 31\).*\(256, 32\)"):
        TowerEncoder.from_weights(weights.made(tensors, good.card, source="x"))


@pytest.mark.parametrize("change", [{"width": 0}, {"layers": 99}, {"context_s": -1.0}, {"size": 3}])
def test_a_config_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    good = made(SMALL)
    card = {**good.card, "config": {**good.card["config"], **change}}
    with pytest.raises(EncoderError, match=next(iter(change))):
        TowerEncoder.from_weights(weights.made(good.tensors, card, source="x"))


def test_odd_metres_and_extreme_tempi_have_unit_rows() -> None:
    tempo = np.array([20.0, 100.0, 100.0, 900.0, np.nan])
    rows = glimpses.rhythm_block(tempo, np.array([4, 5, 2, 3, 0]))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_the_shipped_weights_are_small_free_and_say_what_they_were_made_from(rng: np.random.Generator) -> None:
    from choreodb.indexer.encoders import pretrained

    assert "troupe" in pretrained.names()
    found = pretrained.find("troupe")
    assert found is not None
    assert sum(path.stat().st_size for path in pretrained.SHIPPED.iterdir()) < 8_000_000
    assert found.card["data"]["licence"] == "CC0-1.0"
    assert "seed 21" in found.card["data"]["note"]
    assert "train encoder" in found.card["command"]
    rows = pretrained.from_pretrained("troupe").embed_motion(dancer(rng), windows(2))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
