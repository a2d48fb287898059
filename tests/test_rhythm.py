"""The rhythm encoder: unit rows, the same on both sides, and near where tempo, metre and energy are near."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stepping import FPS, looked_at, march, write_clicks

from choreodb.indexer.accents import accents
from choreodb.indexer.encoders import rhythm
from choreodb.indexer.encoders.base import ClipMotion, MotionWindow, MusicWindow, Window
from choreodb.indexer.encoders.rhythm import Descriptors, RhythmEncoder, RhythmWeights
from choreodb.motion.mirror import mirror
from choreodb.motion.motion import Motion
from choreodb.music.music import Music


def bars(tempo_bpm: float, metre: int, count: int, kind: type[Window] = MotionWindow) -> list[Window]:
    beat_s = 60.0 / tempo_bpm
    lines = [0.5 + metre * beat_s * bar + beat_s * np.arange(metre + 1) for bar in range(count)]
    return [kind(float(beats[0]), float(beats[-1]), beats, metre) for beats in lines]


def clip_of(motion: Motion) -> ClipMotion:
    positions, contacts = looked_at(motion)
    return ClipMotion(motion.rotations, motion.root, positions, contacts, FPS)


def described(tempo_bpm: float, metre: int = 4, lift: float = 0.7) -> Descriptors:
    motion = march(np.arange(0.5, 19.5, 60.0 / tempo_bpm), 20.0, lift=lift)
    return rhythm.describe_motion(accents(*looked_at(motion), FPS), bars(tempo_bpm, metre, 4))


@pytest.fixture(scope="module")
def encoder() -> RhythmEncoder:
    tempos = (70.0, 90.0, 110.0, 130.0)
    return RhythmEncoder.fit(rhythm.gathered([described(tempo, lift=lift) for tempo in tempos for lift in (0.3, 0.9)]))


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Music:
    path = write_clicks(np.arange(0.5, 19.5, 0.6), 20.0, tmp_path_factory.mktemp("song") / "song.wav")
    return Music.load(path)


def test_rows_are_unit_vectors_of_256_numbers(encoder: RhythmEncoder, song: Music) -> None:
    rows = encoder.embed_music(song, bars(100.0, 4, 6, MusicWindow))
    assert rows.shape == (6, 256)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert encoder.embed_music(song, []).shape == (0, 256)


def test_windows_without_beats_and_outside_the_clip_are_finite(encoder: RhythmEncoder, song: Music) -> None:
    odd = [MusicWindow(-3.0, -1.0, np.empty(0), 0), MusicWindow(18.0, 25.0, np.empty(0), 0)]
    assert np.allclose(np.linalg.norm(encoder.embed_music(song, odd), axis=1), 1.0, atol=1e-6)
    still = clip_of(march([], 1.0))
    row = encoder.embed_motion(still, [MotionWindow(0.0, 59 / 60, np.empty(0), 0)])
    assert np.allclose(np.linalg.norm(row, axis=1), 1.0, atol=1e-6)


def test_a_window_does_not_depend_on_the_others(encoder: RhythmEncoder, song: Music) -> None:
    windows = bars(100.0, 4, 6, MusicWindow)
    together = encoder.embed_music(song, windows)
    alone = np.concatenate([encoder.embed_music(song, [window]) for window in windows])
    assert np.allclose(together, alone, atol=1e-6)


def test_turned_and_mirrored_dancers_are_embedded_alike(encoder: RhythmEncoder) -> None:
    falls = np.arange(0.5, 9.5, 0.5)
    windows = bars(120.0, 4, 4)
    plain = encoder.embed_motion(clip_of(march(falls, 10.0)), windows)
    turned = encoder.embed_motion(clip_of(march(falls, 10.0, yaw=1.9)), windows)
    reflected = encoder.embed_motion(clip_of(mirror(march(falls, 10.0))), windows)
    assert np.allclose(plain, turned, atol=1e-4)
    assert np.allclose(plain, reflected, atol=1e-6)


def similarity(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    return float(a.mean(axis=0) @ b.mean(axis=0))


def test_music_finds_motion_of_its_tempo_and_metre(encoder: RhythmEncoder, song: Music) -> None:
    query = encoder.embed_music(song, bars(100.0, 4, 6, MusicWindow))
    near = similarity(query, encoder.embed(described(98.0)))
    slower = similarity(query, encoder.embed(described(82.0)))
    slowest = similarity(query, encoder.embed(described(62.0)))
    waltz = similarity(query, encoder.embed(described(98.0, metre=3)))
    assert near > slower > slowest
    assert near > waltz


def test_an_octave_is_nearer_than_its_neighbours(encoder: RhythmEncoder) -> None:
    def tempo_part(tempo_bpm: float) -> npt.NDArray[np.float32]:
        return encoder.embed(described(tempo_bpm))[:1, :24]

    assert similarity(tempo_part(60.0), tempo_part(120.0)) > 2 * similarity(tempo_part(60.0), tempo_part(95.0))


def test_the_neutral_tempo_lies_between(encoder: RhythmEncoder) -> None:
    motion = clip_of(march(np.arange(0.5, 9.5, 0.6), 10.0))
    none = encoder.embed_motion(motion, [MotionWindow(0.5, 2.9, np.empty(0), 0)])
    right = encoder.embed_motion(motion, bars(100.0, 4, 1))
    wrong = encoder.embed_motion(motion, [MotionWindow(0.5, 2.9, np.linspace(0.5, 2.9, 7), 6)])
    assert similarity(right, right) > similarity(right, none) > similarity(right, wrong)


def test_faster_movement_is_nearer_to_louder_music(encoder: RhythmEncoder, tmp_path: Path) -> None:
    import soundfile

    quiet, rate = soundfile.read(write_clicks(np.arange(0.5, 19.5, 0.6), 20.0, tmp_path / "a.wav"))
    ramp = np.where(np.arange(len(quiet)) < len(quiet) // 2, 0.05, 1.0)
    soundfile.write(tmp_path / "b.wav", quiet * ramp, rate)
    windows = bars(100.0, 4, 7, MusicWindow)
    rows = encoder.embed_music(Music.load(tmp_path / "b.wav"), windows)
    slow, fast = (encoder.embed(described(100.0, lift=lift)) for lift in (0.3, 0.9))
    gain = [similarity(rows[part], fast) - similarity(rows[part], slow) for part in (slice(0, 3), slice(5, 7))]
    assert gain[1] > gain[0]


@given(low=st.floats(-5, 5), span=st.floats(0.0, 5.0), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_ranks_are_monotone_and_within_0_and_1(low: float, span: float, seed: int) -> None:
    values = low + span * np.sort(np.random.default_rng(seed).random(50))
    ranks = rhythm._rank(values, rhythm._quantiles(values))
    assert np.all(np.diff(ranks) >= -1e-12)
    assert ranks.min() >= 0.0
    assert ranks.max() <= 1.0


def test_averages_match_the_naive_ones(rng: np.random.Generator) -> None:
    curve = rng.random(50)
    edges = np.array([[0.0, 0.2, 0.5, 0.9]])
    got = rhythm.averages(curve, edges, 0.02, 0.0)[0]
    fine = np.linspace(0.0, 0.9, 90_001)
    # a frame stands for the hop around its centre
    step = curve[np.clip(np.floor(fine / 0.02 + 0.5).astype(int), 0, 49)]
    naive = [step[(fine >= a) & (fine < b)].mean() for a, b in zip(edges[0, :-1], edges[0, 1:], strict=True)]
    assert np.allclose(got, naive, atol=1e-3)


def test_meta_brings_the_same_encoder_back(encoder: RhythmEncoder, song: Music) -> None:
    again = RhythmEncoder.from_meta(json.loads(json.dumps(encoder.meta())))
    assert again.hash == encoder.hash
    windows = bars(100.0, 4, 3, MusicWindow)
    assert np.array_equal(again.embed_music(song, windows), encoder.embed_music(song, windows))
    other = RhythmEncoder.fit(described(100.0))
    assert other.hash != encoder.hash
    assert encoder.hash in repr(encoder)


def test_weights_are_shares() -> None:
    weights = RhythmWeights()
    assert sum(getattr(weights, name) for name in RhythmWeights.__dataclass_fields__) == pytest.approx(1.0)
    assert sum(rhythm._SIZES.values()) - rhythm._SIZES["periodicity"] == 256
    assert rhythm._SIZES["periodicity"] == rhythm._SIZES["spectrum"]


def bump_at(row: np.ndarray) -> float:
    """Hertz at which a spectrum is strongest."""
    return float(rhythm.SPECTRUM_HZ[int(np.argmax(row))])


def test_the_spectrum_is_where_the_movement_is_and_needs_no_beats() -> None:
    still = np.zeros(1800)
    for hertz in (0.5, 1.1, 2.3):
        wave = np.sin(2.0 * np.pi * hertz * np.arange(1800) / FPS)
        windows = [MotionWindow(12.0, 14.0, np.empty(0), 0), MotionWindow(13.0, 15.0, np.linspace(13.0, 15.0, 5), 4)]
        rows = rhythm._spectrum([wave, still], 1.0 / FPS, 0.0, windows)
        assert all(bump_at(row) == pytest.approx(hertz, rel=0.06) for row in rows)
    np.testing.assert_array_equal(rhythm._spectrum([still], 1.0 / FPS, 0.0, windows), 0.0)


def test_the_spectrum_matches_a_naive_transform(rng: np.random.Generator) -> None:
    curve = rng.random(2400)
    window = MotionWindow(3.0, 5.0, np.empty(0), 0)
    got = rhythm._spectrum([curve], 1.0 / FPS, 0.01, [window])[0]
    times = 4.0 + (np.arange(500) + 0.5) / 20.0 - 12.5
    values = np.interp((times + 0.01) * FPS, np.arange(2400), curve)
    inside = (times + 0.01) * FPS >= 0.0
    values = np.where(inside, values - values[inside].mean(), 0.0) * np.hanning(502)[1:-1]
    naive = np.array(
        [abs(np.sum(values * np.exp(-2j * np.pi * hertz * (times - 4.0)))) for hertz in rhythm.SPECTRUM_HZ]
    )
    naive -= naive.mean()
    np.testing.assert_allclose(got, naive / np.linalg.norm(naive), atol=1e-9)


def test_a_faster_dance_has_its_spectrum_higher() -> None:
    plain = described(80.0)
    quick = rhythm.faster(plain, 1.25)
    real = described(100.0)
    met = [np.corrcoef(a, b)[0, 1] for a, b in zip(quick.spectrum, real.spectrum, strict=True)]
    unmoved = [np.corrcoef(a, b)[0, 1] for a, b in zip(plain.spectrum, real.spectrum, strict=True)]
    assert np.mean(met) > 0.7
    assert np.mean(met) > np.mean(unmoved) + 0.3
    back = rhythm.faster(quick, 0.8)
    np.testing.assert_allclose(back.tempo_bpm, plain.tempo_bpm)


def test_what_earlier_versions_recorded_gives_the_encoder_that_they_had(song: Music) -> None:
    weights = {
        "tempo_class": 0.12, "tempo": 0.22, "metre": 0.18, "accents": 0.08, "periodicity": 0.1, "level": 0.18,
        "contour": 0.04, "density": 0.06, "pulse": 0.02,
    }  # fmt: skip
    ranks = [round(number / 32.0, 6) for number in range(33)]
    meta = {
        "name": "rhythm",
        "config": {"tempo_spread": 0.15, "class_spread": 0.08, "rank_spread": 0.12, "weights": weights},
        "stats": {"speed": ranks, "density": ranks, "pulse": ranks},
    }
    old = RhythmEncoder.from_meta(meta)
    assert old.hash == "94ca1df3a639c6a7"
    assert {name: old.meta()[name] for name in meta} == meta
    rows = old.embed_music(song, bars(100.0, 4, 2, MusicWindow))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert not np.array_equal(rows, RhythmEncoder(old.stats).embed_music(song, bars(100.0, 4, 2, MusicWindow)))
