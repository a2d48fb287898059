"""Features: librosa's definitions, invariances, and independence of the blocks they are computed in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choreodb.music import decode, features, filter_kernel
from choreodb.music.decode import RATE, Audio
from choreodb.music.features import HOP, HOP_S, analyse


def audio(samples: np.ndarray) -> Audio:
    return Audio(samples.astype(np.float32), RATE, len(samples) / RATE, "", Path("synthesised"))


@pytest.fixture(scope="module")
def noise() -> Audio:
    rng = np.random.default_rng(3)
    envelope = np.repeat(rng.uniform(0, 1, 48), RATE // 4) ** 3
    return audio(0.3 * envelope * rng.standard_normal(len(envelope)))


@pytest.mark.parametrize("bands", [40, 64, 128])
def test_mel_filterbank_is_librosas(bands: int) -> None:
    librosa = pytest.importorskip("librosa")
    ours = features.mel_filterbank(bands)
    assert ours.shape == (1025, bands)
    assert np.allclose(ours.T, librosa.filters.mel(sr=RATE, n_fft=2048, n_mels=bands), atol=1e-7)


def test_mel_rms_and_onset_are_librosas(noise: Audio) -> None:
    librosa = pytest.importorskip("librosa")
    found = analyse(noise)
    power = librosa.feature.melspectrogram(y=noise.samples, sr=RATE, n_mels=64)
    assert np.allclose(found.mel_db, librosa.power_to_db(power).T, atol=0.01)
    loudness = librosa.feature.rms(y=noise.samples)[0]
    assert np.allclose(found.rms_db, 20 * np.log10(np.maximum(loudness, 1e-5)), atol=0.01)
    onset = librosa.onset.onset_strength(y=noise.samples, sr=RATE)
    assert np.allclose(found.onset, onset, atol=0.01)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["music/theme.ogg", "beats/gtzan/jazz.00045.ogg", "beats/gtzan/classical.00008.ogg"])
def test_onset_strength_is_librosas_on_real_songs(realdata: Path, name: str) -> None:
    librosa = pytest.importorskip("librosa")
    song = decode.load(realdata / name)
    reference = librosa.onset.onset_strength(y=song.samples, sr=song.rate)
    onset = analyse(song).onset
    assert len(onset) == len(reference)
    assert np.corrcoef(onset, reference)[0, 1] > 0.999


def test_filters_are_the_dense_product() -> None:
    rng = np.random.default_rng(5)
    spectrum = (rng.standard_normal((130, 1025)) + 1j * rng.standard_normal((130, 1025))).astype(np.complex64)
    bank = features.filterbank()
    found = np.empty((130, bank.shape[1]), dtype=np.float32)
    filter_kernel.project(spectrum, *filter_kernel.filters(bank), found)
    power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
    np.testing.assert_allclose(found, power @ bank.astype(np.float64), rtol=1e-4, atol=1e-6)


def test_means_between_edges() -> None:
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    found = features.means_between(values, np.array([0, 2, 2, 5, 6, 6]))
    np.testing.assert_allclose(found, [[1, 2], [0, 0], [6, 7], [10, 11], [0, 0]])


def test_shapes_types_and_ranges(noise: Audio) -> None:
    found = analyse(noise)
    frames = 1 + len(noise.samples) // HOP
    assert len(found) == frames
    for values, width in ((found.mel_db, 64), (found.onset_bands, 4), (found.chroma, 12)):
        assert values.shape == (frames, width)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert found.onset.shape == found.rms_db.shape == (frames,)
    assert (found.onset >= 0).all()
    assert (found.onset_bands >= 0).all()
    heard = found.rms_db > -60
    assert np.allclose(found.chroma.sum(axis=1)[heard], 1.0, atol=1e-4)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch, noise: Audio, block: int) -> None:
    whole = analyse(noise)
    monkeypatch.setattr(features, "_BLOCK_FRAMES", block)
    parts = analyse(noise)
    assert np.allclose(parts.mel_db, whole.mel_db, atol=1e-3)
    assert np.allclose(parts.onset, whole.onset, atol=1e-4)
    assert np.allclose(parts.onset_bands, whole.onset_bands, atol=1e-3)


@pytest.mark.parametrize("samples", [1, 700, RATE // 2, 128 * HOP - 1, 128 * HOP + 1024, 3 * 128 * HOP + 77])
def test_a_song_in_any_pieces_is_the_whole_song(samples: int) -> None:
    rng = np.random.default_rng(samples)
    song = rng.standard_normal(samples).astype(np.float32)
    whole = analyse(audio(song))
    assert len(whole) == 1 + samples // HOP
    for pieces in (2, 5, 40):
        cuts = np.sort(rng.integers(0, samples + 1, pieces - 1))
        found = features.analyse_blocks(iter(np.split(song, cuts)))
        for name in ("mel_db", "onset", "onset_bands", "rms_db", "chroma"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name), err_msg=name)


def test_onset_bands_weighted_by_width_add_up_to_onset(noise: Audio) -> None:
    found = analyse(noise)
    counts = np.diff([0, *np.searchsorted(features.mel_centres_hz(128), features.BAND_EDGES_HZ), 128])
    assert np.allclose((found.onset_bands * counts).sum(axis=1) / 128, found.onset, atol=1e-4)


def test_louder_song_has_the_same_onsets(noise: Audio) -> None:
    soft = analyse(audio(0.25 * noise.samples))
    loud = analyse(noise)
    assert np.allclose(soft.onset, loud.onset, atol=1e-3)
    heard = loud.rms_db > -70
    assert np.allclose((loud.rms_db - soft.rms_db)[heard], 20 * np.log10(4), atol=0.01)


def test_later_song_has_later_onsets(noise: Audio) -> None:
    later = analyse(audio(np.concatenate([np.zeros(10 * HOP), noise.samples])))
    start = analyse(noise)
    assert np.allclose(later.onset[20:], start.onset[10:], atol=1e-3)


@pytest.mark.parametrize(("hz", "band"), [(80.0, 0), (500.0, 1), (2000.0, 2), (6000.0, 3)])
def test_bands_tell_low_from_high(hz: float, band: int) -> None:
    t = np.arange(2 * RATE) / RATE
    rng = np.random.default_rng(0)
    tone = 0.5 * np.sin(2 * np.pi * hz * t) * (t >= 1.0) * np.minimum(1.0, np.maximum(t - 1.0, 0) / 0.05)
    found = analyse(audio(tone + 1e-5 * rng.standard_normal(len(t))))
    near = slice(int(0.9 / HOP_S), int(1.2 / HOP_S))
    assert int(np.argmax(found.onset_bands[near].max(axis=0))) == band


@pytest.mark.parametrize(("midi", "pitch_class"), [(69, 9), (60, 0), (64, 4), (79, 7)])
def test_chroma_names_the_note(midi: int, pitch_class: int) -> None:
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    found = analyse(audio(0.5 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)))
    assert int(np.argmax(found.chroma[len(found) // 2])) == pitch_class


@pytest.mark.parametrize("samples", [RATE // 2, HOP * 30, HOP * 30 + 1, HOP * 31 - 1])
def test_any_length(samples: int) -> None:
    rng = np.random.default_rng(1)
    assert len(analyse(audio(0.1 * rng.standard_normal(samples)))) == 1 + samples // HOP


def test_importing_music_does_not_load_librosa() -> None:
    import subprocess
    import sys

    code = "import sys; import choreodb.music.music; print('librosa' in sys.modules, 'scipy.signal' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
