"""The rows of `bench retrieval`: what scores music windows against motion windows, trained or not.

A row is a `Row`: a name and a function from training windows to a `Scorer`, called once a fold. An encoder with
`embed_music(windows)` and `embed_motion(windows)`, unit rows each, becomes a scorer by `Cosine`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.pair_windows import PairWindow
from choreodb.indexer import timing_context
from choreodb.indexer.accents import ONSET_LATENCY_S, MotionAccents
from choreodb.indexer.encoders.base import MotionWindow, MusicWindow, Window
from choreodb.indexer.encoders.rhythm import RhythmEncoder, describe_motion
from choreodb.indexer.timing_branch import TimingBranch
from choreodb.indexer.timing_context import TimingContext
from choreodb.music.grid import BeatGrid, bar_beats
from choreodb.retriever import reranking

Array = npt.NDArray[np.float64]
Windows = Sequence[PairWindow]


class Scorer(Protocol):
    """Scores music windows against motion windows, [Q, G]; larger is nearer."""

    def __call__(self, music: Windows, motion: Windows) -> Array:
        """Scores [Q, G]."""
        ...


class WindowEncoder(Protocol):
    """What a trained encoder has to be to become a row."""

    def embed_music(self, windows: Windows) -> npt.NDArray[np.floating]:
        """Unit rows [N, D] of the windows' music, without a look at their motion."""
        ...

    def embed_motion(self, windows: Windows) -> npt.NDArray[np.floating]:
        """Unit rows [N, D] of the windows' motion, without a look at their music."""
        ...


@dataclass(frozen=True, slots=True)
class Cosine:
    """The scorer of an encoder."""

    encoder: WindowEncoder

    def __call__(self, music: Windows, motion: Windows) -> Array:
        return np.asarray(self.encoder.embed_music(music) @ self.encoder.embed_motion(motion).T, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Row:
    """name: in the table. fit: training windows of a fold -> scorer. fitted: `fit` is called for every fold (else once,
    its windows ignored). trained: figures on its training songs are reported, too. curves: it needs accent curves only,
    so that the planted-event control applies. Names that begin with `cheat` are never suspected of a leak."""

    name: str
    fit: Callable[[Windows], Scorer]
    fitted: bool = False
    trained: bool = False
    curves: bool = False


def chance(seed: int) -> Scorer:
    """Random scores."""
    rng = np.random.default_rng(seed)
    return lambda music, motion: rng.random((len(music), len(motion)))


def tempo_bpm(grid: BeatGrid, start_s: float, end_s: float) -> float:
    """Tempo of the beats in a stretch, of the whole grid where there are fewer than three; NaN without beats."""
    inside = grid.times_s[(grid.times_s >= start_s) & (grid.times_s <= end_s)]
    times = inside if len(inside) > 2 else grid.times_s
    return 60.0 / float(np.median(np.diff(times))) if len(times) > 1 else float("nan")


def tempo_only(music: Windows, motion: Windows) -> Array:
    """Minus the distance of the tempi in octaves; motion without a grid of its own is at the mean distance."""
    asked = np.array([tempo_bpm(each.pair.music.grids[0], each.music_start_s, each.music_end_s) for each in music])
    own = np.array([tempo_bpm(each.pair.grid, each.start_s, each.end_s) for each in motion])
    return _neutral(-np.abs(np.log2(asked)[:, None] - np.log2(own)))


def tempo_told(music: Windows, motion: Windows) -> Array:
    """The same with the beats that the library took from the clip's own song: it knows too much."""
    asked = np.array([tempo_bpm(each.pair.music.grids[0], each.music_start_s, each.music_end_s) for each in music])
    own = np.array([tempo_bpm(each.pair.told, each.start_s, each.end_s) for each in motion])
    return _neutral(-np.abs(np.log2(asked)[:, None] - np.log2(own)))


def metre_only(music: Windows, motion: Windows) -> Array:
    """1 where the metres agree; motion without a grid of its own is at the mean."""
    asked = np.array([float(each.pair.music.grids[0].metre) for each in music])
    own = np.array([float(each.pair.grid.metre) if len(each.pair.grid) else np.nan for each in motion])
    return _neutral(np.where(np.isnan(own), np.nan, (asked[:, None] == own).astype(np.float64)))


def _neutral(scores: Array) -> Array:
    known = np.isfinite(scores)
    return np.where(known, scores, scores[known].mean() if known.any() else 0.0)


def style_oracle(music: Windows, motion: Windows) -> Array:
    """1 for windows of the same style."""
    return _same([each.pair.style for each in music], [each.pair.style for each in motion])


def song_oracle(music: Windows, motion: Windows) -> Array:
    """1 for windows of the same song."""
    return _same([each.pair.song for each in music], [each.pair.song for each in motion])


def place_oracle(music: Windows, motion: Windows) -> Array:
    """Minus the distance of the windows' places in their dances, 0 to 1: what order alone gives away."""
    asked = np.array([each.start_s / each.pair.duration_s for each in music])
    own = np.array([each.start_s / each.pair.duration_s for each in motion])
    return -np.abs(asked[:, None] - own)


def _same(asked: Sequence[str], own: Sequence[str]) -> Array:
    return (np.array(asked)[:, None] == np.array(own)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The library's training-free encoder: the mean of a window's bars. told: with the beats that the library has."""

    encoder: RhythmEncoder
    told: bool = False

    def embed_music(self, windows: Windows) -> Array:
        """Unit rows [N, 256]."""
        return _means(self.music_bars(windows))

    def embed_motion(self, windows: Windows) -> Array:
        """Unit rows [N, 256]."""
        return _means(self.motion_bars(windows))

    def music_bars(self, windows: Windows) -> list[Array]:
        """Rows [bars, 256] of each window's music."""
        return self._bars(windows, self._music_rows)

    def motion_bars(self, windows: Windows) -> list[Array]:
        """Rows [bars, 256] of each window's motion."""
        return self._bars(windows, self._motion_rows)

    def _music_rows(self, windows: Windows) -> list[npt.NDArray[np.float32]]:
        bars = [bars_of(each.pair.music.grids[0], each.music_start_s, each.music_end_s) for each in windows]
        asked = [MusicWindow(bar.start_s, bar.end_s, bar.beats_s, bar.metre) for own in bars for bar in own]
        return _split(self.encoder.embed_music(windows[0].pair.music, asked), bars)

    def _motion_rows(self, windows: Windows) -> list[npt.NDArray[np.float32]]:
        grid = windows[0].pair.told if self.told else windows[0].pair.grid
        bars = [bars_of(grid, each.start_s, each.end_s) for each in windows]
        asked = [MotionWindow(bar.start_s, bar.end_s, bar.beats_s, bar.metre) for own in bars for bar in own]
        return _split(self.encoder.embed(describe_motion(windows[0].curves, asked)), bars)

    def _bars(self, windows: Windows, rows: Callable[[Windows], list[npt.NDArray[np.float32]]]) -> list[Array]:
        out: list[Array] = [np.empty((0, 256))] * len(windows)
        for places in _by_time_line(windows):
            for place, found in zip(places, rows([windows[place] for place in places]), strict=True):
                out[place] = found.astype(np.float64)
        return out


def _means(rows: Sequence[Array]) -> Array:
    return _unit(np.stack([own.mean(axis=0) for own in rows]) if rows else np.empty((0, 256)))


def _by_time_line(windows: Windows) -> list[list[int]]:
    """Places of the windows that share a song and motion curves."""
    groups: dict[tuple[str, int], list[int]] = {}
    for place, each in enumerate(windows):
        groups.setdefault((each.pair.clip, id(each.curves)), []).append(place)
    return list(groups.values())


def bars_of(grid: BeatGrid, start_s: float, end_s: float) -> list[Window]:
    """The whole bars of a grid whose middle lies in a stretch; the stretch itself, without beats, where there are none."""
    lines = bar_beats(grid) if len(grid) > grid.metre else np.empty((0, 2))
    middle = 0.5 * (lines[:, 0] + lines[:, -1]) if len(lines) else np.empty(0)
    chosen = lines[(middle >= start_s) & (middle < end_s)] if len(lines) else lines
    if len(chosen) == 0:
        return [Window(start_s, end_s, np.empty(0), 0)]
    return [Window(float(beats[0]), float(beats[-1]), beats, grid.metre) for beats in chosen]


def _split(rows: npt.NDArray[np.float32], bars: Sequence[Sequence[Window]]) -> list[npt.NDArray[np.float32]]:
    return np.split(rows, np.cumsum([len(own) for own in bars])[:-1])


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


@dataclass(frozen=True, slots=True)
class Timing:
    """Correlation of onset strength, band by band, with foot speed, acceleration and the pelvis's vertical velocity.

    The score is the sum over bands and curves of the largest absolute correlation within `max_lag_s` either way (0: as
    aligned); no training, no sign to be fitted. dips: correlation with slowness of the mean joint instead, signed, which is
    the plain score that the planted-event control is made for. rate_hz: of the compared curves. curves: of
    `MotionAccents`, of which `rise` is the pair's.
    """

    max_lag_s: float
    dips: bool = False
    rate_hz: float = 20.0
    curves: tuple[str, ...] = ("foot_speed", "effort", "rise")

    def __call__(self, music: Windows, motion: Windows) -> Array:
        return np.asarray(self.parts(music, motion).sum(axis=2))

    def parts(self, music: Windows, motion: Windows) -> Array:
        """Largest correlation within the lag [Q, G, bands x curves] of every band with every curve."""
        reach = round(self.max_lag_s * self.rate_hz)
        count = round((motion[0].end_s - motion[0].start_s) * self.rate_hz)
        heard = np.stack([self.heard(each, count, reach) for each in music], axis=1)
        seen = [_unit(_centred(rows)) for rows in np.stack([self.seen(each, count) for each in motion], axis=1)]
        out = []
        for band in heard:
            lagged = [_unit(_centred(band[:, lag : lag + count])) for lag in range(2 * reach + 1)]
            for curve in seen:
                found = [rows @ curve.T for rows in lagged]
                out.append(np.max(found if self.dips else np.abs(found), axis=0))
        return np.stack(out, axis=2)

    def heard(self, window: PairWindow, count: int, reach: int) -> Array:
        """Root of the onset strength of every band [4, count + 2 reach]."""
        features = window.pair.music.features
        times = window.music_start_s + (np.arange(-reach, count + reach) + 0.5) / self.rate_hz + ONSET_LATENCY_S
        bands = np.sqrt(features.onset_bands.astype(np.float64)).T
        return np.stack([np.interp(times / features.hop_s, np.arange(len(band)), band) for band in bands])

    def seen(self, window: PairWindow, count: int) -> Array:
        """The named curves [C, count]; or slowness [1, count]."""
        curves = window.curves
        times = window.start_s + (np.arange(count) + 0.5) / self.rate_hz
        named = [-curves.speed] if self.dips else [_curve(window, name) for name in self.curves]
        return np.stack([np.interp(times * curves.fps, np.arange(len(curve)), curve) for curve in named])


def _curve(window: PairWindow, name: str) -> Array:
    return window.pair.rise_m_s if name == "rise" else np.asarray(getattr(window.curves, name))


def _centred(rows: Array) -> Array:
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Both:
    """Two scorers, each at unit deviation over the gallery, added."""

    first: Scorer
    second: Scorer

    def __call__(self, music: Windows, motion: Windows) -> Array:
        return sum((_scaled(scorer(music, motion)) for scorer in (self.first, self.second)), np.zeros(1))


@dataclass(frozen=True, slots=True)
class Context:
    """The timing of `search`: how well motion moves with the music some 25 s around the windows' middles, 0..1. branch:
    what an encoder has learnt of timing."""

    context: TimingContext = field(default_factory=TimingContext)
    branch: TimingBranch | None = None

    def __call__(self, music: Windows, motion: Windows) -> Array:
        middles = [np.array([0.5 * (each.music_start_s + each.music_end_s)]) for each in music]
        curves = np.concatenate([self._seen(each) for each in motion])
        weight = None if self.branch is None else self.branch.shares()
        heard = [
            timing_context.heard(each.pair.music.features, middle, self.context)[0]
            for each, middle in zip(music, middles, strict=True)
        ]
        return np.stack([timing_context.together(each, curves, weight=weight) for each in heard])

    def _seen(self, window: PairWindow) -> npt.NDArray[np.float32]:
        curves = window.curves
        times = self.context.times(np.array([0.5 * (window.start_s + window.end_s)]))
        lines = (curves.speed, curves.foot_speed, curves.effort, window.pair.rise_m_s)
        values = np.stack([np.interp(times * curves.fps, np.arange(len(line)), line) for line in lines], axis=1)
        return timing_context.seen(values, ((times >= 0.0) & (times <= window.pair.duration_s))[:, None])


@dataclass(frozen=True, slots=True)
class Reranked:
    """What `search` sorts by: a scorer's cosine and the timing over the context, without the cut at a shortlist."""

    first: Scorer
    timing: Context = field(default_factory=Context)

    def __call__(self, music: Windows, motion: Windows) -> Array:
        return self.first(music, motion) + reranking.WEIGHT * self.timing(music, motion)


def _scaled(scores: Array) -> Array:
    return (scores - scores.mean(axis=1, keepdims=True)) / max(float(scores.std()), 1e-12)


TEMPOGRAM_S = np.geomspace(0.2, 3.0, 48)
"""Lags of the autocorrelations that describe a window's rhythm without a beat grid."""


def music_features(windows: Windows) -> Array:
    """Descriptors [N, D] of music: autocorrelations of low and high onsets, levels, spread and shape of the bands."""
    return np.stack([_music_features(each) for each in windows])


def _music_features(window: PairWindow) -> Array:
    features = window.pair.music.features
    first, stop = (max(0, round(at / features.hop_s)) for at in (window.music_start_s, window.music_end_s))
    bands = features.onset_bands[first : max(stop, first + 2)].astype(np.float64)
    loud = features.rms_db[first : max(stop, first + 2)].astype(np.float64)
    curves = [np.sqrt(bands[:, :2].mean(axis=1)), np.sqrt(bands[:, 2:].mean(axis=1))]
    grams = [_tempogram(curve, features.hop_s) for curve in curves]
    levels = [np.log1p(bands.mean(axis=0)), np.log1p(bands.std(axis=0)), [loud.mean() / 10.0, loud.std() / 10.0]]
    return np.concatenate([*grams, *levels])


def motion_features(windows: Windows) -> Array:
    """Descriptors [N, D] of motion: autocorrelations of feet, effort and bounce, levels and spread of all curves."""
    return np.stack([_motion_features(each.curves, each.start_s, each.end_s) for each in windows])


def _motion_features(curves: MotionAccents, start_s: float, end_s: float) -> Array:
    part = slice(round(start_s * curves.fps), max(round(end_s * curves.fps), round(start_s * curves.fps) + 2))
    named = (curves.foot_speed, curves.effort, curves.bounce, curves.speed, curves.footfalls, curves.stops)
    kept = [curve[part] for curve in named]
    grams = [_tempogram(curve, 1.0 / curves.fps) for curve in kept[:3]]
    return np.concatenate(
        [*grams, np.log1p([curve.mean() for curve in kept]), np.log1p([curve.std() for curve in kept])]
    )


def _tempogram(curve: Array, hop_s: float) -> Array:
    """Autocorrelation [48] of a curve at `TEMPOGRAM_S`, 1 at lag 0; lags beyond the curve are 0."""
    centred = curve - curve.mean()
    spectrum = np.fft.rfft(centred, 2 * len(centred))
    found = np.fft.irfft(np.abs(spectrum) ** 2)[: len(centred)]
    scaled = found / max(float(found[0]), 1e-9)
    return np.interp(TEMPOGRAM_S / hop_s, np.arange(len(scaled)), scaled, right=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Towers:
    """Two maps of descriptors onto one sphere. Each side: mean and scale [D], then a matrix [D, K]; `bend` puts a tanh
    network of random weights before it."""

    music: tuple[Array, Array, Array]
    motion: tuple[Array, Array, Array]
    bend: tuple[Array, Array] | None = None

    def embed_music(self, windows: Windows) -> Array:
        """Unit rows [N, K]."""
        return self._embed(music_features(windows), self.music, 0)

    def embed_motion(self, windows: Windows) -> Array:
        """Unit rows [N, K]."""
        return self._embed(motion_features(windows), self.motion, 1)

    def _embed(self, values: Array, side: tuple[Array, Array, Array], which: int) -> Array:
        scaled = (values - side[0]) / side[1]
        inner = scaled if self.bend is None else np.tanh(scaled @ self.bend[which])
        return _unit(inner @ side[2])


def fit_cca(train: Windows, *, dimensions: int = 12, ridge: float = 0.3) -> Scorer:
    """Linear canonical correlation of the descriptors, ridge-regularised, directions weighted by their correlation."""
    x, y = music_features(train), motion_features(train)
    sides = [(side.mean(axis=0), side.std(axis=0) + 1e-6) for side in (x, y)]
    a, b = ((side - mean) / scale for side, (mean, scale) in zip((x, y), sides, strict=True))
    white = [_whitening(side, ridge) for side in (a, b)]
    u, strength, vt = np.linalg.svd((a @ white[0]).T @ (b @ white[1]) / len(a))
    weight = np.sqrt(strength[:dimensions])
    return Cosine(
        Towers((*sides[0], white[0] @ u[:, :dimensions] * weight), (*sides[1], white[1] @ vt[:dimensions].T * weight))
    )


def _whitening(values: Array, ridge: float) -> Array:
    scatter = values.T @ values / len(values)
    size, axes = np.linalg.eigh(scatter + ridge * np.eye(len(scatter)))
    return axes / np.sqrt(np.maximum(size, 1e-9))


def untrained(train: Windows, *, seed: int, width: int = 128, dimensions: int = 64) -> Scorer:
    """Two networks of random weights over the descriptors, standardised on the training windows: nothing is learnt.

    Every fold has weights of its own, so that one lucky draw does not decide.
    """
    rng = np.random.default_rng([seed, len(train)])
    x, y = music_features(train), motion_features(train)
    bend = tuple(rng.normal(size=(side.shape[1], width)) / np.sqrt(side.shape[1]) for side in (x, y))
    heads = [rng.normal(size=(width, dimensions)) for _ in range(2)]
    return Cosine(
        Towers(
            (x.mean(axis=0), x.std(axis=0) + 1e-6, heads[0]), (y.mean(axis=0), y.std(axis=0) + 1e-6, heads[1]),
            (bend[0], bend[1]),
        )
    )  # fmt: skip


def rows(encoder: RhythmEncoder, seed: int) -> list[Row]:
    """Every row that there is, the cheats last."""
    from choreodb.benchmarks.runs import chosen_rows, timing_rows

    rhythm, told = Cosine(Rhythm(encoder)), Cosine(Rhythm(encoder, told=True))
    plain = Timing(max_lag_s=0.0, dips=True)
    aligned, timing = Timing(max_lag_s=0.0), Timing(max_lag_s=1.2)
    return [
        Row("chance", lambda _: chance(seed)),
        Row("tempo only", lambda _: tempo_only),
        Row("metre only", lambda _: metre_only),
        Row("untrained network", lambda train: untrained(train, seed=seed), fitted=True, curves=True),
        Row("CCA on rhythm descriptors", fit_cca, fitted=True, trained=True, curves=True),
        Row("rhythm", lambda _: rhythm, curves=True),
        Row("timing, plain: slow on onsets", lambda _: plain, curves=True),
        Row("timing, as aligned", lambda _: aligned, curves=True),
        Row("timing, best lag", lambda _: timing, curves=True),
        Row("timing over 25 s, as search has it", lambda _: Context(), curves=True),
        Row("rhythm, re-ranked as search does", lambda _: Reranked(rhythm), curves=True),
        timing_rows.timing_row("timing over 25 s, learnt branch", seed),
        Row("rhythm + timing, best lag", lambda _: Both(rhythm, timing), curves=True),
        *chosen_rows.rows(encoder),
        Row("cheat: tempo of its own song", lambda _: tempo_told),
        Row("cheat: rhythm with its own song's beats", lambda _: told),
        Row("cheat: style", lambda _: style_oracle),
        Row("cheat: song", lambda _: song_oracle),
        Row("cheat: place in the dance", lambda _: place_oracle),
    ]
