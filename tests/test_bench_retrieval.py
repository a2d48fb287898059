"""`bench retrieval`: figures with naive twins, folds that leak nothing, a control that timing scores pass, rows on the sample."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from choreodb.benchmarks.runs import pair_windows, planted, retrieval, retrieval_rows, retrieval_scores
from choreodb.benchmarks.runs.pair_windows import Pair, PairWindow
from choreodb.benchmarks.runs.registry import BenchRequest
from choreodb.benchmarks.runs.retrieval_rows import Cosine, Row, Timing
from choreodb.benchmarks.runs.retrieval_scores import Scored
from choreodb.benchmarks.runs.songs import paired_songs
from choreodb.errors import MetricError, QueryError
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.library import Library


@pytest.fixture(scope="module")
def library(sample_library: Path) -> Library:
    return Library.open(sample_library)


@pytest.fixture(scope="module")
def pairs(library: Library, sample_folder: Path) -> list[Pair]:
    return pair_windows.read_pairs(library, paired_songs(library, sample_folder))


@pytest.fixture(scope="module")
def windows(pairs: list[Pair]) -> list[PairWindow]:
    return pair_windows.windows(pairs, length_s=4.0, hop_s=4.0)


def quiet(*_: object) -> None:
    """No progress."""


def a_block(rng: np.random.Generator) -> Scored:
    song = np.array(["a", "a", "a", "b", "b", "c", "c", "d"])
    style = np.array(["waltz"] * 5 + ["rumba"] * 2 + ["tango"])
    return Scored(rng.integers(0, 6, (8, 8)).astype(np.float64), song, style)


def test_aucs_are_those_of_plain_loops(rng: np.random.Generator) -> None:
    block = a_block(rng)
    own, same = retrieval_scores.own_style(block), retrieval_scores.same_style(block)
    for song in "abcd":
        queries = [i for i in range(8) if block.song[i] == song]
        wanted, held = [], []
        for i in queries:
            yes = [j for j in range(8) if block.style[j] == block.style[i]]
            no = [j for j in range(8) if block.style[j] != block.style[i]]
            wanted.append(np.mean([wins(block.scores[i, p], block.scores[i, n]) for p in yes for n in no]))
            others = [j for j in yes if block.song[j] != song]
            if others:
                held.append(np.mean([wins(block.scores[i, i], block.scores[i, n]) for n in others]))
        assert own[song] == pytest.approx(np.mean(wanted))
        assert (song in same) == bool(held), "a song alone in its style has nothing to be told from"
        if held:
            assert same[song] == pytest.approx(np.mean(held))
    table = retrieval_scores.swapped(block)["waltz"][1]
    assert table.shape == (2, 2)
    assert np.diagonal(table) == pytest.approx([same["a"], same["b"]])


def wins(positive: float, negative: float) -> float:
    return float(positive > negative) + 0.5 * float(positive == negative)


def test_permutations_see_a_pairing_and_not_its_absence(rng: np.random.Generator) -> None:
    song = np.repeat([f"s{i}" for i in range(8)], 4)
    style = np.full(32, "waltz")
    paired = Scored((song[:, None] == song) + 0.01 * rng.random((32, 32)), song, style)
    random = Scored(rng.random((32, 32)), song, style)
    sure = retrieval_scores.permutation_p([retrieval_scores.swapped(paired)], rng, 500)
    none = [retrieval_scores.permutation_p([retrieval_scores.swapped(replace(random, scores=rng.random((32, 32))))], rng, 100)
            for _ in range(20)]  # fmt: skip
    assert sure <= 2.0 / 501.0
    assert 0.3 < float(np.mean(none)) < 0.7, "without a pairing p is uniform"


def test_interval_holds_the_mean_and_narrows_with_songs(rng: np.random.Generator) -> None:
    few = {f"s{i}": value for i, value in enumerate(rng.random(5))}
    many = {f"s{i}": value for i, value in enumerate(rng.random(80))}
    low, high, spread = retrieval_scores.interval(few, None, rng, 500)
    assert low <= float(np.mean(list(few.values()))) <= high
    assert retrieval_scores.interval(many, None, rng, 500)[2] < spread


def test_audit_suspects_what_finds_the_very_window_in_a_gallery_that_is_large_enough(rng: np.random.Generator) -> None:
    own = np.arange(300)
    assert retrieval_scores.audit(rng.random((300, 300)), own)["suspected"] == 0.0
    assert retrieval_scores.audit(rng.random((300, 300)) + 0.2 * np.eye(300), own)["suspected"] == 1.0
    assert retrieval_scores.audit(np.eye(50), own[:50])["suspected"] == 0.0


def test_no_fold_has_a_song_a_source_a_mirror_or_a_twin_on_both_sides(windows: list[PairWindow]) -> None:
    scored = {each.pair.song: each.pair.style for each in windows}
    twinned = [with_twin(each, at % 7) if at % 5 == 0 else each for at, each in enumerate(windows)]
    folds, dropped = retrieval.split(twinned, scored, np.random.default_rng(0))
    assert sum(len(fold.held) for fold in folds) == len(windows)
    assert sum(dropped) > 0
    for fold in folds:
        held, train = [twinned[at] for at in fold.held], [twinned[at] for at in fold.train]
        assert not {each.pair.song for each in held} & {each.pair.song for each in train}
        assert not {each.pair.origin for each in held} & {each.pair.origin for each in train}
        assert not {group for each in held for group in each.twins} & {group for each in train for group in each.twins}


def with_twin(window: PairWindow, group: int) -> PairWindow:
    spans, groups = np.array([[window.start_s, window.end_s]]), np.array([group])
    return replace(window, pair=replace(window.pair, twin_spans=spans, twin_groups=groups))


@pytest.mark.parametrize("leak", ["song", "source", "twin"])
def test_a_leak_is_refused(windows: list[PairWindow], leak: str) -> None:
    first = windows[0]
    other = next(each for each in windows if each.pair.song != first.pair.song)
    changed = {
        "song": replace(other, pair=replace(other.pair, song=first.pair.song)),
        "source": replace(other, pair=replace(other.pair, origin=first.pair.origin)),
        "twin": with_twin(other, 3),
    }[leak]
    pair_windows.check_apart([with_twin(first, 3)], [other])
    with pytest.raises(MetricError, match=leak):
        pair_windows.check_apart([with_twin(first, 3)], [changed])


def test_timing_finds_planted_events_where_it_may_not_seek(pairs: list[Pair]) -> None:
    made = planted.windows(pairs, np.random.default_rng(0), length_s=4.0)
    assert planted.two_way(Timing(max_lag_s=0.0, dips=True), made) > 0.7
    assert planted.two_way(Timing(max_lag_s=0.0), made) > 0.6
    assert planted.two_way(retrieval_rows.chance(0), made) == pytest.approx(0.5, abs=0.12)
    assert planted.two_way(lambda music, motion: np.eye(len(music)), made) == 1.0


def test_timing_is_that_of_plain_correlations(windows: list[PairWindow]) -> None:
    timing = Timing(max_lag_s=0.2)
    some = [windows[0], windows[-1]]
    found = timing(some, some)
    reach, count = 4, 80
    for row, asked in enumerate(some):
        for column, own in enumerate(some):
            heard, seen = timing.heard(asked, count, reach), timing.seen(own, count)
            plain = sum(
                max(abs(np.corrcoef(band[lag : lag + count], curve)[0, 1]) for lag in range(2 * reach + 1))
                for band in heard for curve in seen
            )  # fmt: skip
            assert found[row, column] == pytest.approx(plain, abs=1e-6)


def test_motion_is_not_told_the_beats_of_its_song(
    pairs: list[Pair], windows: list[PairWindow], library: Library
) -> None:
    encoder = RhythmEncoder.from_meta(library.store.meta["encoder"])
    honest = retrieval_rows.Rhythm(encoder)
    without = [replace(each, pair=replace(each.pair, told=pair_windows.NO_GRID)) for each in windows[:6]]
    assert np.array_equal(honest.embed_motion(without), honest.embed_motion(windows[:6]))
    assert all(len(pair.told) for pair in pairs)


def test_every_row_is_scored_at_every_level_and_direction(pairs: list[Pair], library: Library) -> None:
    encoder = RhythmEncoder.from_meta(library.store.meta["encoder"])
    songs = sorted({pair.song for pair in pairs})
    styled = [replace(pair, style=("house", "waltz")[songs.index(pair.song) % 2]) for pair in pairs]
    entries = [*retrieval_rows.rows(encoder, 0), Row("a perfect encoder", lambda _: Cosine(Perfect()))]
    levels = [retrieval.Level("window", 4.0, 4.0, 4.0), retrieval.Level("clip", 500.0, 500.0, 4.0)]
    rows, notes = retrieval.bench_retrieval(styled, entries, seed=0, draws=20, levels=levels)
    assert len(rows) == 2 * len(entries)
    assert "clip: no pair is 500 s long" in notes
    by_name = {(row["kind"], row["row"]): row for row in rows}
    for direction in retrieval.DIRECTIONS:
        perfect = by_name[f"window, {direction}", "a perfect encoder"]
        assert perfect["exact_r1"] == perfect["r1"] == 1.0
        assert by_name[f"window, {direction}", "cheat: style"]["own_style"] == 1.0
        assert by_name[f"window, {direction}", "cheat: song"]["r1"] == 1.0
        chance = by_name[f"window, {direction}", "chance"]
        assert chance["own_style_low"] <= chance["own_style"] <= chance["own_style_high"]
        assert "own_style_train" in by_name[f"window, {direction}", "CCA on rhythm descriptors"]
    json.dumps(rows, allow_nan=False)
    text = retrieval.format_table(rows, notes)
    assert text.count("a perfect encoder") == 2
    assert rows == retrieval.bench_retrieval(styled, entries, seed=0, draws=20, levels=levels)[0]


class Perfect:
    """An encoder that knows which window it looks at."""

    def embed_music(self, windows: retrieval_rows.Windows) -> np.ndarray:
        return np.stack([self._row(each) for each in windows])

    embed_motion = embed_music

    def _row(self, window: PairWindow) -> np.ndarray:
        seed = int.from_bytes(f"{window.pair.clip}{window.start_s}".encode(), "little")
        row = np.random.default_rng(seed).normal(size=64)
        return row / np.linalg.norm(row)


def test_bad_requests_are_one_line(sample_library: Path, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="needs a library"):
        retrieval.run(BenchRequest(None, (), None, None, 0, quiet))
    with pytest.raises(QueryError, match="found 0 songs"):
        retrieval.run(BenchRequest(sample_library, (), tmp_path, None, 0, quiet))
