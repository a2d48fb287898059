"""Beats: the metrics, the dynamic programs against naive twins, beats files, and real annotated songs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.benchmarks.metrics import beats as metrics
from choreodb.benchmarks.runs import beats as bench
from choreodb.benchmarks.runs.registry import BenchRequest
from choreodb.errors import MetricError, MusicFormatError, QueryError
from choreodb.music import beat_kernel, beats, metre, tempo
from choreodb.music.beats import BeatConfig, estimate, read_beats, track
from choreodb.music.decode import RATE, Audio
from choreodb.music.features import HOP_S, analyse
from choreodb.music.tempo import TempoConfig

times = st.lists(st.floats(0.2, 1.5), min_size=2, max_size=40).map(lambda gaps: np.cumsum(np.array(gaps)))


@settings(max_examples=60, deadline=None)
@given(times, times)
def test_metrics_agree_with_mir_eval(reference: np.ndarray, estimate: np.ndarray) -> None:
    mir_eval = pytest.importorskip("mir_eval")
    ours = metrics.continuity(reference, estimate)
    theirs = mir_eval.beat.continuity(reference, estimate)
    assert list(ours.values()) == pytest.approx(list(theirs))
    assert metrics.f_measure(reference, estimate) == pytest.approx(mir_eval.beat.f_measure(reference, estimate))


@settings(max_examples=40, deadline=None)
@given(times, st.floats(-0.06, 0.06))
def test_shift_within_tolerance_is_perfect_and_measured(beats: np.ndarray, shift: float) -> None:
    assert metrics.f_measure(beats, beats + shift) == 1.0
    assert metrics.phase_offset_s(beats, beats + shift) == pytest.approx(shift)
    assert metrics.f_measure(beats, beats + 1e4) == 0.0


@settings(max_examples=40, deadline=None)
@given(times, times)
def test_f_measure_is_symmetric_and_grows_with_tolerance(a: np.ndarray, b: np.ndarray) -> None:
    assert metrics.f_measure(a, b) == metrics.f_measure(b, a)
    scores = [metrics.f_measure(a, b, tolerance_s=t) for t in (0.01, 0.05, 0.07, 0.1)]
    assert scores == sorted(scores)


def test_a_window_beyond_the_fastest_tempo_has_a_clarity() -> None:
    config = TempoConfig()
    fastest = tempo.states_bpm(config)[-1]
    salience = np.full((3, len(tempo.states_bpm(config))), 0.2)
    assert beats._clarity(salience, np.array([fastest, 1.02 * fastest, 60.0]), config) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("step", "ratio"),
    [(1.0, "1"), (0.5, "2"), (2.0, "1/2"), (2 / 3, "3/2"), (1.5, "2/3"), (1 / 3, "3"), (3.0, "1/3"), (1.25, "other")],
)
def test_metrical_ratio(step: float, ratio: str) -> None:
    assert metrics.metrical_ratio(np.arange(20) * 0.6, np.arange(20) * 0.6 * step) == ratio


def test_phase_errors() -> None:
    music = np.arange(10) * 0.5
    assert np.allclose(metrics.phase_errors(music, music[2:5] + 0.1), 0.2)
    assert np.allclose(metrics.phase_errors(music, music[2:5] - 0.1), -0.2)
    assert len(metrics.phase_errors(music, np.array([-1.0, 9.0]))) == 0


def test_empty_and_malformed() -> None:
    beats, none = np.arange(5.0), np.empty(0)
    assert metrics.f_measure(beats, none) == 0.0
    assert metrics.f_measure(none, none) == 0.0
    assert metrics.continuity(beats, none)["AMLt"] == 0.0
    assert metrics.metrical_ratio(beats, none) == "other"
    for bad in (np.array([1.0, 1.0]), np.array([2.0, 1.0]), np.array([0.0, np.nan]), np.zeros((2, 2))):
        with pytest.raises(MetricError):
            metrics.f_measure(beats, bad)


def test_random_phase_row_is_at_chance_and_locked_pairs_are_not(rng: np.random.Generator) -> None:
    pairs = []
    for _ in range(30):
        beats = np.arange(60) * rng.uniform(0.4, 0.7)
        pairs.append(bench.Pair("p", beats, beats + 0.02, float(beats[-1])))
    locked, chance = bench.pair_rows(pairs, rng)
    assert locked["phase_error_beats"] < 0.06
    assert chance["phase_error_beats"] == pytest.approx(0.25, abs=0.03)
    assert locked["same_tempo"] == 1.0


def naive_beats(onset: np.ndarray, period: np.ndarray, tightness: float) -> np.ndarray:
    total, back = np.zeros(len(onset)), np.full(len(onset), -1)
    for t, p in enumerate(period):
        options = [(0.0, -1)] if t < p else []
        for lag in range(max(1, int(np.ceil(p / 1.6))), min(int(np.floor(p * 1.6)), t) + 1):
            options.append((total[t - lag] - tightness * np.log(lag / p) ** 2, t - lag))
        best = max(options, key=lambda option: option[0]) if options else (0.0, -1)
        total[t], back[t] = onset[t] + best[0], best[1]
    first = max(0, len(onset) - int(np.ceil(period[-1])))
    path = [first + int(np.argmax(total[first:]))]
    while back[path[-1]] >= 0:
        path.append(int(back[path[-1]]))
    return np.array(path[::-1])


@pytest.mark.parametrize("seed", range(6))
def test_beat_frames_equals_its_naive_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    onset = rng.exponential(size=int(rng.integers(5, 400)))
    period = np.linspace(*rng.uniform(8, 40, 2), len(onset))
    assert np.array_equal(beat_kernel.beat_frames(onset, period, 50.0), naive_beats(onset, period, 50.0))


def path_value(score: np.ndarray, path: np.ndarray, step: float, jump: float, reach: int) -> float:
    moves = np.abs(np.diff(path))
    costs = np.where(moves <= reach, np.minimum(step * moves, jump), jump)
    return float(score[np.arange(len(path)), path].sum() - costs.sum())


def test_tempo_path_is_the_best_of_all_paths(rng: np.random.Generator) -> None:
    import itertools

    score = rng.uniform(size=(5, 6))
    path = beat_kernel.tempo_path(score, 0.1, 0.25, 2)
    best = max(path_value(score, np.array(p), 0.1, 0.25, 2) for p in itertools.product(range(6), repeat=5))
    assert path_value(score, path, 0.1, 0.25, 2) == pytest.approx(best)


@pytest.mark.parametrize("bpm", [60.0, 96.0, 133.0, 180.0])
def test_tempogram_peaks_at_the_tempo(bpm: float) -> None:
    strength = np.zeros(2000)
    strength[np.round(np.arange(0, 2000 * HOP_S - 0.1, 60 / bpm) / HOP_S).astype(int)] = 1.0
    config = TempoConfig()
    salience = tempo.tempogram(tempo.smoothed(strength), config)
    peak = tempo.states_bpm(config)[np.argmax(salience[len(salience) // 2])]
    assert peak == pytest.approx(bpm, rel=0.03)


def test_clicks_are_tracked_without_offset() -> None:
    rng = np.random.default_rng(0)
    samples = 1e-4 * rng.standard_normal(20 * RATE)
    truth = np.arange(0.37, 19.8, 60 / 113.0)
    for at in truth:
        start = round(at * RATE)
        samples[start : start + 400] += rng.standard_normal(400) * np.exp(-np.arange(400) / 100)
    found = analyse(Audio(samples.astype(np.float32), RATE, 20.0, "", Path("clicks")))
    grid = estimate(found)[0]
    assert metrics.f_measure(truth, grid.times_s) > 0.98
    assert abs(metrics.phase_offset_s(truth, grid.times_s)) < 0.012
    assert np.std(np.diff(grid.times_s)) < 0.012


def test_tracking_follows_a_given_period() -> None:
    rng = np.random.default_rng(2)
    beats = track(rng.exponential(size=1500), np.full(1500, 21.5), BeatConfig())
    assert np.median(np.diff(beats)) == pytest.approx(21.5 * HOP_S, rel=0.05)


@pytest.mark.parametrize("beats_a_bar", [3, 4, 6])
def test_templates_find_the_phase_of_their_own_pattern(beats_a_bar: int) -> None:
    template = metre.TEMPLATES[beats_a_bar]
    assert len(template.accent) == len(template.snap) == beats_a_bar
    for phase in range(beats_a_bar):
        curve = np.roll(np.tile(template.accent, 12), phase)
        fit = metre._phase_correlation((curve - curve.mean()) / curve.std(), template.accent)
        assert int(np.argmax(fit)) == phase
        assert fit.max() == pytest.approx(1.0)


@pytest.mark.parametrize("options", [{"bpm": 5.0}, {"bpm": 1000.0}, {"bpm": float("nan")}, {"metre": 5}, {"metre": 0}])
def test_overrides_out_of_range(options: dict) -> None:
    found = analyse(Audio(np.full(RATE, 0.1, np.float32), RATE, 1.0, "", Path("a")))
    with pytest.raises(MusicFormatError, match="give"):
        estimate(found, **options)


def write_beats(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "song.beats"
    path.write_text(text)
    return path


def test_beats_file_with_positions(tmp_path: Path) -> None:
    grid = read_beats(write_beats(tmp_path, "# made by hand\n0.5\t3\n1.0\t4\n\n1.5\t1\r\n2.0 2\n"))
    assert grid.times_s.tolist() == [0.5, 1.0, 1.5, 2.0]
    assert grid.positions.tolist() == [3, 4, 1, 2]
    assert (grid.metre, grid.source, grid.confidence) == (4, "user", 1.0)
    assert grid.tempo_bpm == pytest.approx(120.0)


def test_beats_file_without_positions(tmp_path: Path) -> None:
    path = write_beats(tmp_path, "0.5\n1.0\n1.5\n2.0\n")
    assert read_beats(path).positions.tolist() == [1, 2, 3, 4]
    assert read_beats(path, metre=3).positions.tolist() == [1, 2, 3, 1]


def test_bars_of_two_are_read_as_four(tmp_path: Path) -> None:
    grid = read_beats(write_beats(tmp_path, "0.5\t2\n1.0\t1\n1.5\t2\n2.0\t1\n2.5\t2\n3.0\t1\n"))
    assert grid.metre == 4
    assert grid.positions.tolist() == [4, 1, 2, 3, 4, 1]


@settings(max_examples=25, deadline=None)
@given(beats=times, beats_a_bar=st.sampled_from([3, 4, 6]))
def test_beats_file_round_trip(tmp_path_factory: pytest.TempPathFactory, beats: np.ndarray, beats_a_bar: int) -> None:
    path = tmp_path_factory.mktemp("beats") / "a.beats"
    positions = np.arange(max(len(beats), 7)) % beats_a_bar + 1
    beats = np.append(beats, beats[-1] + np.arange(1, len(positions) - len(beats) + 1))
    path.write_text("".join(f"{t!r}\t{p}\n" for t, p in zip(beats.tolist(), positions.tolist(), strict=True)))
    grid = read_beats(path)
    assert np.array_equal(grid.times_s, beats)
    assert np.array_equal(grid.positions, positions)
    assert grid.metre == beats_a_bar


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.5\t1\nx\t2\n", "line 2"),
        ("0.5\t1\n1.0\ttwo\n", "line 2"),
        ("0.5\t1\n1.0\t2\t3\n", "line 2"),
        ("0.5\t1\n\n0.4\t2\n", "line 3"),
        ("0.5\t1\n0.5\t2\n", "line 2"),
        ("0.5\t1\nnan\t2\n", "line 2"),
        ("0.5\t1\ninf\t2\n", "line 2"),
        ("0.5\t0\n1.0\t1\n", "line 1"),
        ("0.5\t1\n1.0\t9\n", "line 2"),
        ("0.5\t1\n1.0\t1e99\n", "line 2"),
        ("0.5\t1\n1.0\n1.5\t3\n", "line 2"),
        ("0.5\t1\n1.0\t5\n", "counts to 5"),
        ("0.5\t1\n1.0\t1\n", "counts to 1"),
        ("0.5\t1\n", "at least 2"),
        ("", "at least 2"),
    ],
)
def test_malformed_beats_files(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MusicFormatError, match=words) as caught:
        read_beats(write_beats(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_unreadable_beats_files(tmp_path: Path) -> None:
    with pytest.raises(MusicFormatError, match="cannot be read"):
        read_beats(tmp_path / "missing.beats")
    (tmp_path / "binary.beats").write_bytes(b"\xff\xfe\x00\x80" * 20)
    with pytest.raises(MusicFormatError, match="not text"):
        read_beats(tmp_path / "binary.beats")
    with pytest.raises(MusicFormatError, match="metre 3"):
        read_beats(write_beats(tmp_path, "0.5\t1\n1.0\t4\n"), metre=3)


def request(songs: tuple[Path, ...], data: Path | None) -> BenchRequest:
    return BenchRequest(None, songs, data, None, 0, lambda *_args, **_options: None)


def test_bench_scores_songs_that_have_beats_beside_them(tmp_path: Path) -> None:
    pytest.importorskip("librosa")
    rng = np.random.default_rng(0)
    samples = 1e-3 * rng.standard_normal(12 * RATE)
    truth = np.arange(0.2, 11.8, 0.5)
    for at in truth:
        start = round(at * RATE)
        samples[start : start + 400] += 0.5 * rng.standard_normal(400) * np.exp(-np.arange(400) / 100)
    soundfile.write(tmp_path / "pop.1.wav", samples, RATE)
    soundfile.write(tmp_path / "unknown.wav", samples, RATE)
    (tmp_path / "pop.1.beats").write_text("".join(f"{t}\t{i % 4 + 1}\n" for i, t in enumerate(truth)))
    result = bench.run(request((), tmp_path))
    assert {(row["group"], row["count"]) for row in result.rows} == {("all", 1), ("pop", 1)}
    assert result.rows[0]["row"] == bench.FIRST
    assert result.rows[0]["f_70ms"] > 0.95
    assert bench.FIRST in result.table
    assert json.loads(json.dumps(result.rows, allow_nan=False)) == result.rows
    assert bench.run(request((tmp_path / "pop.1.wav",), None)).rows == result.rows


def test_bench_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="beside"):
        bench.run(request((), tmp_path))


@pytest.mark.realdata
def test_beats_of_annotated_songs_are_at_least_librosas(realdata: Path) -> None:
    pytest.importorskip("librosa")
    songs = sorted((realdata / "beats" / "gtzan").glob("*.ogg"))
    rows = {row["row"]: row for row in bench.tracking_rows(bench.annotated(songs)) if row["group"] == "all"}
    ours, best, theirs = rows[bench.FIRST], rows[bench.BEST], rows[bench.LIBROSA]
    assert ours["f_70ms"] > theirs["f_70ms"] + 0.05
    assert ours["octave_errors"] < theirs["octave_errors"]
    assert best["f_70ms"] >= ours["f_70ms"]
    assert abs(ours["offset_ms"]) < 5.0


@pytest.mark.realdata
def test_most_waltzes_are_in_three(realdata: Path) -> None:
    from choreodb.music import Music

    folders = sorted((realdata / "paired" / "dance-with-melody").glob("DANCE_W_*"))[::4]
    grids = [Music.load(folder / "music.ogg").grids[0] for folder in folders]
    assert sum(grid.metre == 3 and 75 < grid.tempo_bpm < 105 for grid in grids) >= 0.8 * len(grids)
