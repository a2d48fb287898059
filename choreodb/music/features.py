"""One short-time Fourier transform and every feature of a song that comes from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft

from choreodb.music import filter_kernel
from choreodb.music.decode import RATE, Audio
from choreodb.music.filter_kernel import Filters

N_FFT = 2048
HOP = 512
HOP_S = HOP / RATE
MEL_BANDS = 64
ONSET_MEL_BANDS = 128
BAND_EDGES_HZ = (200.0, 800.0, 3200.0)  # bass and kick | chords and snare body | melody and voice | cymbals
_ONSET_DELAY_FRAMES = N_FFT // (2 * HOP)
_BLOCK_FRAMES = 128
_AMIN = 1e-10
_TOP_DB = 80.0

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Frame features of a song; frame t is centred on t * hop_s seconds.

    mel_db: [F, 64] log-mel power in dB. onset: [F] onset strength as librosa defines it (mean positive log-mel flux;
    it peaks about 22 ms after the true onset). onset_bands: [F, 4] the same per band, low to high. rms_db: [F]
    loudness in dB full scale. chroma: [F, 12] pitch-class energy, C first, unit sum (0 in silence).
    """

    hop_s: float
    mel_db: Array
    onset: Array
    onset_bands: Array
    rms_db: Array
    chroma: Array

    def __len__(self) -> int:
        return len(self.onset)


def analyse(audio: Audio) -> Features:
    """Every feature of a song from one pass of blocked FFTs (2048 samples, Hann, hop 512, centred)."""
    return analyse_blocks([audio.samples])


def analyse_blocks(blocks: Iterable[Array]) -> Features:
    """The same, to the last bit, of a song that comes in blocks of samples, which are forgotten as soon as they are heard.

    Memory stays near the size of the results: [F, 128] float32 beyond them.
    """
    # bytes grow in place, so that the peak is not twice the result
    energies, *projected = (bytearray() for _ in range(4))
    for frames in _frame_blocks(blocks):
        energies += np.einsum("ij,ij->i", frames, frames).tobytes()
        for into, part in zip(projected, _filtered(frames), strict=True):
            into += part.tobytes()
    energy = np.frombuffer(energies, dtype=np.float32)
    widths = (ONSET_MEL_BANDS, MEL_BANDS, 12)
    fine, mel, chroma = (np.frombuffer(p, np.float32).reshape(-1, n) for p, n in zip(projected, widths, strict=True))
    _to_db(fine)
    onset, bands = _onset_strength(fine)
    del fine
    projected.clear()
    _to_db(mel)
    chroma /= np.maximum(chroma.sum(axis=1, keepdims=True), _AMIN)
    rms_db = (10 * np.log10(np.maximum(energy / N_FFT, _AMIN))).astype(np.float32)
    return Features(HOP_S, mel, onset, bands, rms_db, chroma)


def _filtered(frames: Array) -> list[Array]:
    """Power in fine bands [F, 128], bands [F, 64] and pitch classes [F, 12] of frames [F, N_FFT]."""
    spectrum = scipy.fft.rfft(frames * _window(), axis=1, overwrite_x=True)
    bank = _sparse_filterbank()
    out = np.empty((len(frames), len(bank.first) - 1), dtype=np.float32)
    filter_kernel.project(spectrum, *bank, out)
    return np.split(out, [ONSET_MEL_BANDS, ONSET_MEL_BANDS + MEL_BANDS], axis=1)


def _frame_blocks(blocks: Iterable[Array]) -> Iterator[Array]:
    """Frames [up to _BLOCK_FRAMES, N_FFT] centred on multiples of HOP, of samples in any blocks, zeros beyond both ends."""
    ahead, half = _BLOCK_FRAMES * HOP, N_FFT // 2
    held = np.zeros(half, dtype=np.float32)
    total = 0
    for block in blocks:
        total += len(block)
        at = 0
        while at < len(block):
            taken = block[at : at + ahead + N_FFT]
            at += len(taken)
            held = np.concatenate([held, taken])
            while len(held) >= ahead + N_FFT - HOP:
                yield _cut(held[: ahead + N_FFT - HOP])
                held = held[ahead:]
    # a frame stands on every multiple of HOP up to the last sample, and none was cut that reaches beyond it
    done = (total + half - len(held)) // HOP
    left = 1 + total // HOP - done
    held = np.concatenate([held, np.zeros(max(0, (left - 1) * HOP + N_FFT - len(held)), dtype=np.float32)])
    for first in range(0, left, _BLOCK_FRAMES):
        count = min(_BLOCK_FRAMES, left - first)
        yield _cut(held[first * HOP : (first + count - 1) * HOP + N_FFT])


def _cut(samples: Array) -> Array:
    return np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]


@lru_cache(maxsize=1)
def _window() -> Array:
    return np.hanning(N_FFT + 1)[:-1].astype(np.float32)


def means_between(values: Array, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Mean of frame features [F, D] between consecutive ascending `edges` [N + 1] in frames: [N, D], 0 where none lies."""
    counts = np.diff(edges)
    held = counts > 0
    means = np.zeros((len(counts), values.shape[1]))
    if held.any():
        sums = np.add.reduceat(values[: edges[-1]], edges[:-1][held], axis=0)
        means[held] = sums / counts[held, None]
    return means


def mel_filterbank(bands: int, *, n_fft: int = N_FFT, rate: int = RATE) -> Array:
    """Triangular mel filters [1 + n_fft / 2, bands], 0 Hz to Nyquist, Slaney's mel scale and area normalisation.

    Slaney, "Auditory Toolbox" (1998); as librosa.filters.mel, transposed.
    """
    edges = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate / 2), bands + 2))
    bins = np.arange(1 + n_fft // 2) * rate / n_fft
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * 2.0 / (edges[2:] - edges[:-2])).astype(np.float32)


def mel_centres_hz(bands: int) -> npt.NDArray[np.float64]:
    """Centre frequency [bands] of each mel filter."""
    return _mel_to_hz(np.linspace(0.0, _hz_to_mel(RATE / 2), bands + 2))[1:-1]


def chroma_filterbank() -> Array:
    """Weights [1 + N_FFT / 2, 12] of each bin for the pitch classes C..B, 100 Hz to 3 kHz.

    Each bin is shared by its two nearest semitones in proportion to distance: bins are wider than a semitone below
    400 Hz, where a hard assignment would leave classes empty.
    """
    bins = np.arange(1 + N_FFT // 2) * RATE / N_FFT
    pitch = 12 * np.log2(np.maximum(bins, 1.0) / 440.0) + 69
    distance = np.abs((pitch[:, None] - np.arange(12) + 6) % 12 - 6)
    weight = np.maximum(0.0, 1.0 - distance) * ((bins >= 100) & (bins <= 3000))[:, None]
    return weight.astype(np.float32)


@lru_cache(maxsize=1)
def _sparse_filterbank() -> Filters:
    return filter_kernel.filters(filterbank())


def filterbank() -> Array:
    """All projections of a power spectrum side by side [1025, 128 + 64 + 12]."""
    return np.hstack([mel_filterbank(ONSET_MEL_BANDS), mel_filterbank(MEL_BANDS), chroma_filterbank()])


def _hz_to_mel(hz: float) -> float:
    return hz * 3 / 200 if hz < 1000.0 else 15.0 + np.log(hz / 1000.0) * 27.0 / np.log(6.4)


def _mel_to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mel < 15.0, mel * 200 / 3, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0))


def _to_db(power: Array) -> None:
    """Turn power [F, B] into dB in place, at most 80 dB below the loudest value."""
    np.maximum(power, np.float32(_AMIN), out=power)
    np.log10(power, out=power)
    power *= np.float32(10.0)
    np.maximum(power, power.max() - np.float32(_TOP_DB), out=power)


def _onset_strength(mel_db: Array) -> tuple[Array, Array]:
    """Mean positive flux [F] over all bands and [F, 4] per band, delayed to the window's centre as librosa does."""
    frames = len(mel_db)
    centres = mel_centres_hz(ONSET_MEL_BANDS)
    edges = [0, *np.searchsorted(centres, BAND_EDGES_HZ)]
    counts = np.diff([*edges, ONSET_MEL_BANDS])
    sums = np.zeros((frames, len(edges)), dtype=np.float32)
    for first in range(0, frames - 1, 32 * _BLOCK_FRAMES):
        stop = min(first + 32 * _BLOCK_FRAMES, frames - 1)
        flux = np.maximum(mel_db[first + 1 : stop + 1] - mel_db[first:stop], 0.0)
        rows = slice(first + 1 + _ONSET_DELAY_FRAMES, stop + 1 + _ONSET_DELAY_FRAMES)
        target = sums[rows]
        target[:] = np.add.reduceat(flux, edges, axis=1)[: len(target)]
    onset = (sums.sum(axis=1) / ONSET_MEL_BANDS).astype(np.float32)
    return onset, (sums / counts).astype(np.float32)
