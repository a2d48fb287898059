"""Re-ranking by timing: what moves with the song comes first, and the fast path is the naive one."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from choreodb.cli import main
from choreodb.indexer import ingest, timing, timing_context
from choreodb.indexer.accents import ONSET_LATENCY_S, accents
from choreodb.indexer.timing_context import TimingContext
from choreodb.music.features import Features
from choreodb.music.music import Music
from choreodb.retriever import reranking
from choreodb.retriever.nearest import nearest_to_music
from choreodb.storage.store import Store

SHORT = TimingContext(length_s=6.0, reach_s=0.25, rate_hz=16.0)


def features_of(bands: np.ndarray) -> Features:
    empty = np.zeros((len(bands), 1), dtype=np.float32)
    return Features(1.0 / 43.0, empty, bands.mean(1), bands.astype(np.float32), empty[:, 0], empty)


def test_together_is_the_naive_correlation(rng: np.random.Generator) -> None:
    features = features_of(rng.random((1000, 4)) ** 2)
    values = rng.normal(size=(5, 3, SHORT.count))
    inside = np.ones((5, SHORT.count), dtype=bool)
    heard = timing_context.heard(features, np.array([11.0]), SHORT)[0]
    fast = timing_context.together(heard, timing_context.seen(values, inside[:, None]))
    start = 11.0 - 0.5 * SHORT.length_s
    for number, curves in enumerate(values):
        strongest = []
        for band in np.sqrt(features.onset_bands.astype(np.float64)).T:
            for curve in curves:
                met = []
                for lag in range(-SHORT.reach, SHORT.reach + 1):
                    times = start + (np.arange(SHORT.count) + 0.5 + lag) / SHORT.rate_hz + ONSET_LATENCY_S
                    met.append(np.corrcoef(np.interp(times / features.hop_s, np.arange(1000), band), curve)[0, 1])
                strongest.append(np.max(np.abs(met)))
        assert fast[number] == pytest.approx(np.mean(strongest), abs=1e-5)


def test_the_own_motion_scores_highest_and_a_shift_within_reach_does_not_matter(rng: np.random.Generator) -> None:
    bands = rng.random((1500, 4)) ** 4
    features = features_of(bands)
    heard = timing_context.heard(features, np.array([15.0]), SHORT)[0]
    times = SHORT.times(np.array([15.0]))[0] + ONSET_LATENCY_S

    def moved(shift_s: float) -> np.ndarray:
        return np.interp((times + shift_s) / features.hop_s, np.arange(1500), np.sqrt(bands[:, 0]))

    curves = np.stack([moved(0.0), -moved(0.125), moved(5.0), moved(1.0)])[:, None]
    own, late, far, off = timing_context.together(
        heard, timing_context.seen(curves, np.ones((4, 1, SHORT.count), dtype=bool))
    )
    assert own == pytest.approx(late, abs=0.02)
    assert own > 1.2 * max(far, off)


def test_chance_is_the_same_for_short_clips(rng: np.random.Generator) -> None:
    features = features_of(rng.random((1500, 4)))
    heard = timing_context.heard(features, np.array([15.0]), SHORT)[0]
    values = rng.normal(size=(400, 2, SHORT.count))
    inside = np.ones((400, SHORT.count), dtype=bool)
    inside[200:, : SHORT.count // 2] = False
    found = timing_context.together(heard, timing_context.seen(values, inside[:, None]))
    assert found[200:].mean() == pytest.approx(found[:200].mean(), rel=0.1)


def test_movement_of_a_library_is_that_of_its_frames(sample_library: Path) -> None:
    store = Store.open(sample_library)
    rows = store.columns("segments", ["segment", "clip", "start_s", "end_s", "mirrored"]).to_pylist()
    clip = rows[0]["clip"]
    own = [row for row in rows if row["clip"] == clip]
    frames = next(
        row["frames"] for row in store.columns("clips", ["clip", "frames"]).to_pylist() if row["clip"] == clip
    )
    rotations, root, contacts = store.read_motion(clip, 0, frames)
    positions = ingest.joint_positions(rotations, root)
    curves = accents(positions, contacts, 60.0)
    lines = (curves.speed, curves.foot_speed, curves.effort, timing.rise_m_s(positions, 60.0))
    middles = np.array([0.5 * (row["start_s"] + row["end_s"]) for row in own])
    times = SHORT.times(middles)
    plain = [row for row in own if not row["mirrored"]]
    inside = (times >= plain[0]["start_s"]) & (times <= plain[-1]["end_s"])
    values = np.stack([np.interp(times * 60.0, np.arange(frames), line) for line in lines], axis=1)
    got = reranking.Movement(store, SHORT).around(np.array([row["segment"] for row in own]))
    met = (got * timing_context.seen(values, inside[:, None])).sum(axis=-1)
    # kept at some 16 samples a second, sharp accelerations lose most
    assert np.median(met, axis=0) == pytest.approx(np.ones(4), abs=0.15)


def test_the_order_is_of_nearness_and_timing_and_off_it_is_of_nearness(sample_library: Path, sample_song: Path) -> None:
    store, music = Store.open(sample_library), Music.load(sample_song)
    near = nearest_to_music(store, music, top=8, timing=False)
    both = nearest_to_music(store, music, top=8)
    assert len(near) == len(both)
    for window in near:
        scores = [hit.score for hit in window.hits]
        assert scores == sorted(scores, reverse=True)
        assert all(hit.timing is None and hit.nearness == hit.score for hit in window.hits)
    for window in both:
        scores = [hit.score for hit in window.hits]
        assert len(scores) == 8
        assert scores == sorted(scores, reverse=True)
        weighted = [hit.nearness + reranking.WEIGHT * hit.timing for hit in window.hits if hit.timing is not None]
        assert scores == pytest.approx(np.array(weighted) / (1.0 + reranking.WEIGHT))
        assert all(hit.timing is not None and 0.0 <= hit.timing <= 1.0 for hit in window.hits)
    assert any(a.hits[0].segment != b.hits[0].segment for a, b in zip(near, both, strict=True))


def test_the_command(sample_library: Path, sample_song: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["search", str(sample_library), "--music", str(sample_song), "--top", "2", "--json"]
    schema = json.loads((root / "docs" / "schema" / "search.schema.json").read_text())
    for extra, timed in (([], True), (["--timing", "off"], False)):
        assert main([*asked, *extra]) == 0
        found = json.loads(capsys.readouterr().out)
        jsonschema.validate(found, schema)
        assert found["query"]["timing"] is timed


def test_a_library_without_movement_says_so(
    sample_library: Path, sample_song: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reranking, "knows_timing", lambda store: False)
    assert main(["search", str(sample_library), "--music", str(sample_song), "--top", "1"]) == 0
    assert "note: this library does not keep how its segments move" in capsys.readouterr().out
