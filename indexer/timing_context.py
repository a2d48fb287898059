"""Timing over a long context: how strongly movement and onsets go together, whatever the sign, at the best small lag.

Whether a dance belongs to a song cannot be heard in a bar. Over some 25 s it can: every band of the onsets is correlated
with every curve of the movement, and of each pair the strongest correlation counts, over lags that make up for how late
the start of the music was stated. One stretch of music against a block of candidates is one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.indexer.accents import ONSET_LATENCY_S
from choreodb.music.features import Features

Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TimingContext:
    """length_s: of what is compared, around the middle of a window. reach_s: largest lag either way. rate_hz: of the
    samples; a bar of two seconds is kept in `timing.SAMPLES` = 32."""

    length_s: float = 25.0
    reach_s: float = 0.6
    rate_hz: float = 16.0

    @property
    def count(self) -> int:
        """Samples of the motion; the music has `reach` more on either side."""
        return round(self.length_s * self.rate_hz)

    @property
    def reach(self) -> int:
        """Samples of the largest lag."""
        return round(self.reach_s * self.rate_hz)

    def times(self, middles_s: Array, *, reach: int = 0) -> Array:
        """Seconds of the samples around each middle [N]: [N, count + 2 reach]."""
        steps = np.arange(self.count + 2 * reach) + 0.5 - 0.5 * self.count - reach
        return np.asarray(middles_s[:, None] + steps / self.rate_hz)


def heard(features: Features, middles_s: Array, context: TimingContext) -> Float32Array:
    """Onsets of N stretches of a song by band, at every lag, as of `lagged`."""
    places = (context.times(middles_s, reach=context.reach) + ONSET_LATENCY_S) / features.hop_s
    bands = np.sqrt(features.onset_bands.astype(np.float64)).T
    frames = np.arange(bands.shape[1])
    sampled = np.stack([np.interp(places, frames, band) for band in bands], axis=1)
    return lagged(sampled, (places >= 0.0) & (places <= frames[-1]), context)


def lagged(sampled: npt.NDArray[np.floating], there: npt.NDArray[np.bool_], context: TimingContext) -> Float32Array:
    """Bands [N, 4, count + 2 reach] at every lag, [N, 4 bands * lags, count]: unit rows, shorter by the root of the share
    that is not `there` [N, count + 2 reach], beyond the song, where they are 0."""
    shifted = np.lib.stride_tricks.sliding_window_view(sampled, context.count, axis=-1)
    inside = np.lib.stride_tricks.sliding_window_view(there, context.count, axis=-1)[:, None]
    # at full length, the edge of a song would fit the edges of clips, whatever is danced
    rows = seen(shifted, inside) * np.sqrt(inside.mean(axis=-1, keepdims=True))
    return rows.reshape(len(sampled), -1, context.count).astype(np.float32)


def seen(values: npt.NDArray[np.floating], inside: npt.NDArray[np.bool_]) -> Float32Array:
    """Curves [..., count] as unit rows over the samples `inside` (to broadcast) the clip, 0 beyond it.

    A short clip is then as likely as a long one to score by chance, for the music's length is that of the whole row.
    """
    count = np.maximum(inside.sum(axis=-1, keepdims=True), 1)
    kept = np.where(inside, values, 0.0)
    centred = np.where(inside, kept - kept.sum(axis=-1, keepdims=True) / count, 0.0)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.where(length > 1e-6, centred / np.maximum(length, 1e-6), 0.0).astype(np.float32)


def together(
    heard: Float32Array, seen: Float32Array, bands: int = 4, *, weight: npt.NDArray[np.floating] | None = None
) -> Array:
    """Mean over bands and curves of the strongest correlation at any lag, either way: 0..1 for each of N candidates.

    heard: [bands * lags, count] of one stretch. seen: [N, C, count]. weight: [C, bands] of the mean, at a mean of 1.
    """
    strongest = strengths(heard, seen, bands)
    return np.asarray((strongest if weight is None else strongest * weight).mean(axis=(1, 2)), dtype=np.float64)


def strengths(heard: Float32Array, seen: Float32Array, bands: int = 4) -> Float32Array:
    """The strongest correlation at any lag, either way, of every curve with every band: [N, C, bands]."""
    count, curves = seen.shape[:2]
    products = seen.reshape(count * curves, -1) @ heard.T
    return np.asarray(np.abs(products).reshape(count, curves, bands, -1).max(axis=-1))
