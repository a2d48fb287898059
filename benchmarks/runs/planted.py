"""The planted-event control: a timing score that cannot find a real song's events in motion has no null to be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from choreodb.benchmarks.runs.pair_windows import Pair, PairWindow
from choreodb.benchmarks.runs.retrieval_rows import Scorer
from choreodb.indexer import motion_grid
from choreodb.indexer.accents import ONSET_LATENCY_S, MotionAccents
from choreodb.music.features import Features

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Planting:
    """kept: share of the song's events that the motion marks, jitter_s: by how far it misses them, false: events that
    are none, as a share of the song's. width_s: of a dip in speed. window_s: of what is compared."""

    kept: float = 0.7
    jitter_s: float = 0.03
    false: float = 0.4
    width_s: float = 0.06


def windows(
    pairs: Sequence[Pair], rng: np.random.Generator, *, length_s: float, planting: Planting | None = None
) -> list[PairWindow]:
    """Disjoint windows of `length_s` of every song whose motion side is events of that song, planted as minima of speed."""
    planting = planting or Planting()
    out = []
    for pair in pairs:
        curves = planted(pair.music.features, pair.start_s, pair.duration_s, rng, planting)
        made = replace(pair, curves=curves, rise_m_s=np.zeros(len(curves)), grid=motion_grid.from_accents(curves))
        last = min(pair.duration_s, pair.music.duration_s - pair.start_s) - length_s
        out += [
            PairWindow(made, float(at), float(at) + length_s, curves, None)
            for at in np.arange(max(0.0, -pair.start_s), last, length_s)
        ]
    return out


def planted(
    features: Features,
    start_s: float,
    duration_s: float,
    rng: np.random.Generator,
    planting: Planting,
    fps: float = 60.0,
) -> MotionAccents:
    """Curves of a body whose speed dips at the song's events; feet never land and the pelvis does not bounce."""
    frames = round(duration_s * fps)
    times = events_s(features) - start_s
    marked = times[rng.random(len(times)) < planting.kept]
    marked = marked + rng.normal(0.0, planting.jitter_s, len(marked))
    false = rng.uniform(0.0, duration_s, rng.binomial(len(times), planting.false))
    places = np.rint(np.concatenate([marked, false]) * fps).astype(np.int64)
    impulses = np.bincount(places[(places >= 0) & (places < frames)], minlength=frames).astype(np.float64)
    width = planting.width_s * fps
    dips = gaussian_filter1d(impulses, width) * width * np.sqrt(2.0 * np.pi)
    drift = gaussian_filter1d(rng.normal(size=frames), fps) * np.sqrt(fps)
    speed = np.maximum(1.0 + 0.2 * drift - 0.8 * np.minimum(dips, 1.0), 0.0)
    change = np.gradient(speed) * fps
    still = np.zeros(frames)
    return MotionAccents(
        fps, still, np.maximum(np.gradient(change) * fps, 0.0), still, np.abs(change), speed, speed, still
    )


def events_s(features: Features) -> Array:
    """Seconds of a song's onsets: peaks that stand out of the onset strength by its deviation, 0.1 s apart or more."""
    onset = features.onset.astype(np.float64)
    peaks, _ = find_peaks(onset, prominence=float(onset.std()), distance=max(1, round(0.1 / features.hop_s)))
    return np.asarray(peaks * features.hop_s - ONSET_LATENCY_S, dtype=np.float64)


def two_way(scorer: Scorer, made: Sequence[PairWindow]) -> float:
    """Share of choices between a window's own motion and another of its song that are right, ties half; mean over songs."""
    found = []
    for song in sorted({each.pair.clip for each in made}):
        own = [each for each in made if each.pair.clip == song]
        if len(own) < 2:
            continue
        scores = scorer(own, own)
        right = np.diagonal(scores)[:, None]
        won = (right > scores) + 0.5 * (right == scores)
        found.append(float(won[~np.eye(len(own), dtype=bool)].mean()))
    return float(np.mean(found)) if found else float("nan")
