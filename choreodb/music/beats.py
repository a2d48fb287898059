"""Beats: a song's hypotheses of tempo, metre and phase, best first; and beats given by the user."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.errors import MusicFormatError
from choreodb.music import beat_kernel, tempo
from choreodb.music import metre as metres
from choreodb.music.features import HOP_S, Features
from choreodb.music.grid import BeatGrid
from choreodb.music.tempo import TempoConfig

MIN_BPM, MAX_BPM = 20.0, 400.0
RATIOS = (0.5, 1.0, 2.0)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BeatConfig:
    """How beats are tracked and hypotheses ranked.

    tightness: price of an uneven interval. latency_s: how much later than the beat our onset strength peaks, measured
    as the mean offset on annotated music. centre_bpm, spread_octaves: how fast people step to music. offbeat_weight,
    offbeat_free: price of onsets between the beats (the tempo is too slow) above what even good grids have;
    alternation_weight, alternation_free: the same for every other beat being weak (too fast). metre_weight: what a
    clear bar is worth. softness: rank differences that still leave doubt.
    faint_db: onsets weaker than this (95th percentile; real music has 1.4 and more) lower the confidence.
    """

    tempo: TempoConfig = field(default_factory=TempoConfig)
    tightness: float = 100.0
    latency_s: float = 0.022
    centre_bpm: float = 115.0
    spread_octaves: float = 0.55
    offbeat_weight: float = 1.0
    offbeat_free: float = 0.45
    alternation_weight: float = 2.0
    alternation_free: float = 0.4
    metre_weight: float = 1.5
    softness: float = 0.5
    slowest_bpm: float = 35.0
    fastest_bpm: float = 270.0
    faint_db: float = 1.0
    most: int = 5


def estimate(
    features: Features, *, bpm: float | None = None, metre: int | None = None, config: BeatConfig | None = None
) -> tuple[BeatGrid, ...]:
    """Hypotheses of a song's beats and bars, best first, as tracked: half, one and double tempo, each in its best
    metre, and the best tempo in its second metre.

    bpm: keep the tempo near this one, whatever its octave (one tempo). metre: read every grid in this metre.
    Confidences sum to at most 1: doubt between hypotheses times how regular the pulse is. Raises MusicFormatError
    for a bpm or metre out of range.
    """
    config = config or BeatConfig()
    _validate(bpm, metre)
    strength = tempo.beat_strength(features, config.tempo)
    salience = tempo.tempogram(strength, config.tempo)
    folded = None if bpm is None else _folded(bpm, config.tempo)
    path = tempo.tempo_path(salience, config.tempo, folded)
    clarity = _clarity(salience, path, config.tempo) * min(
        1.0, float(np.percentile(features.onset, 95)) / config.faint_db
    )
    found: list[tuple[float, BeatGrid]] = []
    for ratio in RATIOS if bpm is None or folded is None else (bpm / folded,):
        if bpm is None and not config.slowest_bpm <= float(np.median(path)) * ratio <= config.fastest_bpm:
            continue
        times = track(strength, tempo.period_frames(path * ratio, len(strength), config.tempo), config)
        found += _ranked(features, strength, times, metre, float(np.median(path)) * ratio, config)
    return _chosen(found, clarity, config)


def track(strength: Array, period: Array, config: BeatConfig) -> Array:
    """Beat times [N] in seconds for onset strength [F] at a beat period [F] in frames; between frames by a parabola."""
    smooth = tempo.smoothed(strength)
    frames = beat_kernel.beat_frames(smooth, period, config.tightness)
    if len(frames) < 2:  # shorter than a beat: the strongest onset and its tempo say all there is
        frames = int(np.argmax(smooth)) + np.arange(2) * max(1, round(float(np.median(period))))
    return _evened(_between_frames(smooth, frames)) * HOP_S - config.latency_s


def _ranked(
    features: Features, strength: Array, times: Array, metre: int | None, bpm: float, config: BeatConfig
) -> list[tuple[float, BeatGrid]]:
    """Each metre's reading of one tempo with its rank (log-plausibility, higher is better)."""
    if len(times) > 1:
        bpm = 60.0 / float(np.median(np.diff(times)))
    level = _level_rank(strength, times, bpm, config)
    readings = metres.readings(features, times, config.latency_s, metre)
    return [
        (level + config.metre_weight * bars.score, BeatGrid(times, bars.positions, bars.metre, bpm, 0.0, "music"))
        for bars in readings
    ]


def _level_rank(strength: Array, times: Array, bpm: float, config: BeatConfig) -> float:
    """How plausible it is that these beats are the level people step to."""
    rank = float(tempo.log_normal(np.array(bpm), config.centre_bpm, config.spread_octaves))
    if len(times) < 4:
        return rank
    on = _strongest(strength, times + config.latency_s)
    off = _strongest(strength, (times[1:] + times[:-1]) / 2 + config.latency_s)
    level = max(float(on.mean()), 1e-9)
    between = float(off.mean()) / level
    alternation = abs(float(on[::2].mean() - on[1::2].mean())) / level
    rank -= config.offbeat_weight * max(0.0, between - config.offbeat_free)
    return rank - config.alternation_weight * max(0.0, alternation - config.alternation_free)


def _strongest(strength: Array, times: Array) -> Array:
    """Largest onset strength within two frames of each time."""
    frames = np.round(times / HOP_S).astype(np.int64)[:, None] + np.arange(-2, 3)
    return strength[np.clip(frames, 0, len(strength) - 1)].max(axis=1)


def _chosen(found: list[tuple[float, BeatGrid]], clarity: float, config: BeatConfig) -> tuple[BeatGrid, ...]:
    """Best first: the best reading of each tempo, then the runner-up metre of the best tempo; with confidences."""
    ordered = sorted(found, key=lambda item: -item[0])
    tempi: list[float] = []
    kept: list[tuple[float, BeatGrid]] = []
    for rank, grid in ordered:
        seen = [known for known in tempi if abs(np.log2(grid.tempo_bpm / known)) < 0.1]
        runner_up = bool(seen) and seen[0] == tempi[0] and sum(g.tempo_bpm == tempi[0] for _, g in kept) < 2
        if not seen:
            tempi.append(grid.tempo_bpm)
        if not seen or runner_up:
            kept.append((rank, grid))
    kept = kept[: config.most]
    share = np.exp((np.array([rank for rank, _ in kept]) - kept[0][0]) / config.softness)
    share *= clarity / share.sum()
    return tuple(replace(grid, confidence=float(c)) for (_, grid), c in zip(kept, share, strict=True))


def _clarity(salience: Array, path: Array, config: TempoConfig) -> float:
    """How regular the pulse is along the tempo path, 0..1: near 0 for noise and pads, near 1 for a drum machine."""
    tempi = tempo.states_bpm(config)
    # a window that was brought to the song's level may lie a little beyond the fastest tempo
    states = np.minimum(np.searchsorted(tempi, path - 1e-9), len(tempi) - 1)
    return float(np.clip(np.median(salience[np.arange(len(path)), states]) / 0.5, 0.0, 1.0))


def _folded(bpm: float, config: TempoConfig) -> float:
    """The same tempo, doubled or halved into the range of the tempo states."""
    while bpm < config.min_bpm:
        bpm *= 2.0
    while bpm > config.max_bpm:
        bpm /= 2.0
    return bpm


def _evened(frames: Array) -> Array:
    """Beats [N] on a local parabola through five neighbours, moved by half a frame at most: the grid's rounding goes,
    the players' timing stays (Savitzky and Golay, 1964).
    """
    if len(frames) < 5:
        return frames
    even = frames.copy()
    even[2:-2] = np.convolve(frames, np.array([-3.0, 12.0, 17.0, 12.0, -3.0]) / 35.0, mode="valid")
    return frames + np.clip(even - frames, -0.5, 0.5)


def _between_frames(strength: Array, frames: npt.NDArray[np.int64]) -> Array:
    inside = np.clip(frames, 1, len(strength) - 2)
    left, mid, right = strength[inside - 1], strength[inside], strength[inside + 1]
    curve = left - 2 * mid + right
    peak = (curve < -1e-9) & (mid >= left) & (mid >= right) & (inside == frames)
    shift = np.where(peak, 0.5 * (left - right) / np.where(peak, curve, 1.0), 0.0)
    return frames + np.clip(shift, -0.5, 0.5)


def _validate(bpm: float | None, metre: int | None) -> None:
    if bpm is not None and not MIN_BPM <= bpm <= MAX_BPM:
        raise MusicFormatError(
            f"bpm {bpm:g} is out of range; give a tempo from {MIN_BPM:g} to {MAX_BPM:g} beats a minute"
        )
    if metre is not None and metre not in metres.METRES:
        raise MusicFormatError(f"metre {metre} is not supported; give 3, 4 or 6 beats a bar")


def read_beats(path: str | os.PathLike[str], *, metre: int | None = None) -> BeatGrid:
    """A grid from a text file of lines `time<TAB>position in bar`; positions may be left out on every line.

    Times in seconds, increasing; blank lines and lines that begin with `#` are skipped. Without positions, bars of
    `metre` (default 4) begin at the first beat. Raises MusicFormatError with the number of the offending line.
    """
    path = Path(path)
    _validate(None, metre)
    rows = _beat_rows(path)
    if len(rows) < 2:
        raise MusicFormatError(
            f"beats '{path}' holds {len(rows)} beats; give at least 2, one `time<TAB>position` a line"
        )
    times = np.array([time for _, time, _ in rows])
    late = np.flatnonzero(np.diff(times) <= 0)
    if len(late):
        line, time, _ = rows[late[0] + 1]
        raise MusicFormatError(
            f"beats '{path}' line {line}: {time:g} s is not after the beat before it; sort the times"
        )
    tempo_bpm = _checked_tempo(path, rows, times)
    positions, found_metre = _bar_positions(path, rows, metre)
    return BeatGrid(times, positions, found_metre, tempo_bpm, 1.0, "user")


def _checked_tempo(path: Path, rows: list[_Row], times: Array) -> float:
    """The median tempo; every beat makes work, so numbers that are no beats (onsets, samples, milliseconds) stop here."""
    intervals = np.diff(times)
    tempo_bpm = 60.0 / float(np.median(intervals))
    if not MIN_BPM <= tempo_bpm <= MAX_BPM:
        raise MusicFormatError(
            f"beats '{path}' have a tempo of {tempo_bpm:.4g} bpm; expected {MIN_BPM:g} to {MAX_BPM:g}, with times in seconds"
        )
    hasty = np.flatnonzero(intervals < 30.0 / MAX_BPM)
    if len(hasty):
        line, time, _ = rows[hasty[0] + 1]
        raise MusicFormatError(
            f"beats '{path}' line {line}: {time:g} s is only {intervals[hasty[0]]:.2g} s after the beat before it; "
            f"expected at least {30.0 / MAX_BPM:g} s"
        )
    return tempo_bpm


_Row = tuple[int, float, int | None]


def _beat_rows(path: Path) -> list[_Row]:
    """Line number, time and position (None where left out) of every beat of a file."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise MusicFormatError(f"beats '{path}' cannot be read ({reason}); give a text file of beat times") from error
    return [_beat_row(path, n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]


def _beat_row(path: Path, number: int, line: str) -> _Row:
    fields = line.split()
    try:
        if len(fields) > 2:
            raise ValueError
        time, position = float(fields[0]), (int(float(fields[1])) if len(fields) == 2 else None)
    except (ValueError, OverflowError):
        raise MusicFormatError(
            f"beats '{path}' line {number}: {line.strip()[:40]!r} is not `time<TAB>position in bar`, as in `1.25<TAB>3`"
        ) from None
    if not np.isfinite(time):
        raise MusicFormatError(f"beats '{path}' line {number}: {time} is not a time; give seconds")
    if position is not None and not 1 <= position <= max(metres.METRES):
        raise MusicFormatError(
            f"beats '{path}' line {number}: position {position} is not in a bar of 3, 4 or 6 beats; count from 1"
        )
    return number, time, position


def _bar_positions(path: Path, rows: list[_Row], metre: int | None) -> tuple[npt.NDArray[np.int32], int]:
    """Position of each beat and the metre: the file's where it has them, else bars of `metre` from the first beat."""
    given = [position for _, _, position in rows]
    without = [number for number, _, position in rows if position is None]
    if len(without) == len(rows):
        beats_a_bar = metre or 4
        return (np.arange(len(rows)) % beats_a_bar + 1).astype(np.int32), beats_a_bar
    if without:
        raise MusicFormatError(
            f"beats '{path}' line {without[0]}: no position in bar; give one on every line or on none"
        )
    places = np.array(given, dtype=np.int32)
    top = int(places.max())
    if top == 2:  # two bars of two are danced as one of four
        places += 2 * ((np.cumsum(places == 1) + 1) % 2).astype(np.int32)
        top = 4
    if top not in metres.METRES:
        raise MusicFormatError(f"beats '{path}' counts to {top}; ChoreoDB needs bars of 2, 3, 4 or 6 beats")
    if metre is not None and metre != top:
        raise MusicFormatError(
            f"beats '{path}' counts to {top}, but metre {metre} was asked for; leave one of them out"
        )
    return places, top
