"""Rows whose free numbers are chosen on the training songs of each fold and scored on the held-out ones.

The weights of `rhythm` and of re-ranking that ship were chosen on the pairs that they are shown on. Here nothing of a
held-out song has a say: blocks begin at equal shares, and are doubled or halved while that helps the training songs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs import retrieval_scores
from choreodb.benchmarks.runs.retrieval_rows import Context, Rhythm, Row, Scorer, Timing, Windows
from choreodb.benchmarks.runs.retrieval_scores import Scored
from choreodb.indexer.encoders import rhythm as rhythms
from choreodb.indexer.encoders.rhythm import RhythmEncoder

Array = npt.NDArray[np.float64]

RERANKS = (0.0, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
"""What full timing may be worth in cosine."""

SHARES = (0.0, 0.25, 0.5, 1.0, 2.0)
"""How much the match of spectra may count beside timing, both at unit deviation."""

CURVES = ("foot_speed", "effort", "rise", "speed")
"""Of movement, as `search` compares them."""

_PASSES, _STEPS = 2, (0.5, 2.0)


def rows(encoder: RhythmEncoder) -> list[Row]:
    """The rows of `bench retrieval`."""
    timing, spectra = Remembered(Timing(max_lag_s=0.6, curves=CURVES)), Remembered(Spectra())
    return [
        Row("rhythm, weights chosen on training songs", lambda train: chosen_rhythm(train, encoder), fitted=True, trained=True, curves=True),
        Row("the same, re-ranked, both chosen on training songs", lambda train: chosen_reranked(train, encoder), fitted=True, trained=True, curves=True),
        Row("timing against a cohort of training songs", lambda train: Cohort(timing, train), fitted=True, curves=True),
        Row("the same, and spectra, share chosen on training songs", lambda train: chosen_spectra(train, timing, spectra), fitted=True, trained=True, curves=True),
    ]  # fmt: skip


def quality(scores: Array, windows: Windows, *, own_window: bool = True) -> float:
    """What is chosen by: own-style AUC (macro over styles) of scores [N, N], mean of both directions; own_window: the AUC
    of the own window counts as much."""
    song, style = (np.array([getattr(each.pair, name) for each in windows]) for name in ("song", "style"))
    styles = {each.pair.song: each.pair.style for each in windows}
    found = []
    for table in (scores, scores.T):
        block = Scored(table, song, style)
        found.append(retrieval_scores.macro(retrieval_scores.own_style(block), styles))
        same = retrieval_scores.same_style(block) if own_window else {}
        found += [float(np.mean(list(same.values())))] if same else []
    return float(np.nanmean(found))


def best(
    options: Sequence[float], scored: Callable[[float], Array], windows: Windows, *, own_window: bool = True
) -> float:
    """The option whose scores [N, N] do best on the windows; of equals the first."""
    found = [quality(scored(option), windows, own_window=own_window) for option in options]
    return options[int(np.argmax(found))]


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """`rhythm` with other weights of its blocks: the rows of bars are as the encoder makes them, scaled block by block."""

    encoder: RhythmEncoder
    weights: Mapping[str, float]

    def __call__(self, music: Windows, motion: Windows) -> Array:
        """Scores [Q, G]."""
        bars = Rhythm(self.encoder)
        return self.scores(bars.music_bars(music), bars.motion_bars(motion))

    def scores(self, music: Sequence[Array], motion: Sequence[Array]) -> Array:
        """Scores [Q, G] of the rows of the bars of each window."""
        sides = [np.stack([self._mean(rows) for rows in side]) for side in (music, motion)]
        return np.asarray(sides[0] @ sides[1].T)

    def _mean(self, rows: Array) -> Array:
        scaled = _unit(rows * _scales(self.encoder, self.weights))
        return np.asarray(_unit(scaled.mean(axis=0)[None])[0])


def _scales(encoder: RhythmEncoder, weights: Mapping[str, float]) -> Array:
    """What each of the 256 numbers is to be multiplied by."""
    own = asdict(encoder.config.weights)
    sizes = rhythms.layout(encoder.config.weights)
    return np.concatenate([np.full(size, np.sqrt(weights[name] / own[name])) for name, size in sizes.items()])


def chosen_rhythm(train: Windows, encoder: RhythmEncoder) -> Weighted:
    """Weights by coordinate ascent from equal shares."""
    bars = Rhythm(encoder)
    sides = bars.music_bars(train), bars.motion_bars(train)
    weights = dict.fromkeys(rhythms.layout(encoder.config.weights), 1.0)

    def scored(name: str, value: float) -> float:
        return quality(Weighted(encoder, {**weights, name: value}).scores(*sides), train)

    top = quality(Weighted(encoder, weights).scores(*sides), train)
    for _ in range(_PASSES):
        for name in list(weights):
            found = {value: scored(name, value) for value in (weights[name] * step for step in _STEPS)}
            value = max(found, key=lambda each: found[each])
            if found[value] > top:
                top, weights[name] = found[value], value
    return Weighted(encoder, weights)


@dataclass(frozen=True, slots=True, eq=False)
class Summed:
    """One scorer, and another at a weight."""

    first: Scorer
    second: Scorer
    weight: float

    def __call__(self, music: Windows, motion: Windows) -> Array:
        """Scores [Q, G]."""
        return self.first(music, motion) + self.weight * self.second(music, motion)


def chosen_reranked(train: Windows, encoder: RhythmEncoder) -> Scorer:
    """`chosen_rhythm` and the timing of `search`, at the weight that does best."""
    first, timing = chosen_rhythm(train, encoder), Context()
    near, met = first(train, train), timing(train, train)
    return Summed(first, timing, best(RERANKS, lambda weight: near + weight * met, train))


@dataclass(frozen=True, slots=True)
class Spectra:
    """How alike the log spectra of onsets and of movement are, 0.3 to 5 Hz: what recurs how often, whenever it falls."""

    curves: tuple[str, ...] = CURVES
    rate_hz: float = 20.0

    def __call__(self, music: Windows, motion: Windows) -> Array:
        """Scores [Q, G]."""
        timing = Timing(max_lag_s=0.0, rate_hz=self.rate_hz, curves=self.curves)
        count = round((motion[0].end_s - motion[0].start_s) * self.rate_hz)
        heard = np.stack([timing.heard(each, count, 0) for each in music])
        seen = np.stack([timing.seen(each, count) for each in motion])
        return np.asarray(self._shape(heard) @ self._shape(seen).T)

    def _shape(self, lines: Array) -> Array:
        """Unit rows [N, F] of lines [N, K, count], the mean of the shapes of their log spectra."""
        length = 1 << int(np.ceil(np.log2(8 * lines.shape[-1])))
        centred = lines - lines.mean(axis=-1, keepdims=True)
        strength = np.abs(np.fft.rfft(centred * np.hanning(lines.shape[-1]), length))
        hz = np.fft.rfftfreq(length, 1.0 / self.rate_hz)
        kept = strength[..., (hz > 0.3) & (hz < 5.0)]
        logs = np.log(kept + 0.1 * kept.mean(axis=-1, keepdims=True) + 1e-12)
        shapes = _unit(logs - logs.mean(axis=-1, keepdims=True)).sum(axis=1)
        return _unit(shapes - shapes.mean(axis=-1, keepdims=True))


class Remembered:
    """A scorer that works out the largest table that it was asked for once, and gives parts of it from then on."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        # the windows themselves are kept, so that no other can come to have their identity
        self._sides: tuple[Windows, Windows] = ((), ())
        self._places: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._table = np.empty((0, 0))

    def __call__(self, music: Windows, motion: Windows) -> Array:
        """Scores [Q, G]."""
        if not all(
            id(each) in known for side, known in zip((music, motion), self._places, strict=True) for each in side
        ):
            found = self._scorer(music, motion)
            if found.size <= self._table.size:
                return found
            self._table, self._sides = found, (list(music), list(motion))
            numbered = [{id(each): at for at, each in enumerate(side)} for side in self._sides]
            self._places = numbered[0], numbered[1]
        rows, columns = (
            [known[id(each)] for each in side] for side, known in zip((music, motion), self._places, strict=True)
        )
        return self._table[np.ix_(rows, columns)]


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """A scorer whose scores are told in deviations from what each side has with a cohort: windows of training songs.

    A dance that fits every song is no find for any; adaptive score normalisation as of speaker recognition (Auckenthaler,
    Carey & Lloyd-Thomas, Digital Signal Processing 10, 2000), mean of both sides.
    """

    scorer: Scorer
    cohort: Windows

    def __call__(self, music: Windows, motion: Windows) -> Array:
        """Scores [Q, G]."""
        plain = self.scorer(music, motion)
        by_music, by_motion = self.scorer(music, self.cohort), self.scorer(self.cohort, motion)
        rows = (plain - by_music.mean(axis=1, keepdims=True)) / np.maximum(by_music.std(axis=1, keepdims=True), 1e-9)
        columns = (plain - by_motion.mean(axis=0)) / np.maximum(by_motion.std(axis=0), 1e-9)
        return np.asarray(0.5 * (rows + columns))


def chosen_spectra(train: Windows, timing: Scorer, spectra: Scorer) -> Scorer:
    """Timing and the match of spectra at the share that does best, both at the deviation of the training windows."""
    parts = [scorer(train, train) for scorer in (timing, spectra)]
    sizes = [max(float(each.std()), 1e-9) for each in parts]
    share = best(SHARES, lambda weight: parts[0] / sizes[0] + weight * parts[1] / sizes[1], train)
    return Cohort(Summed(timing, spectra, share * sizes[0] / sizes[1]), train)


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12))
