"""Benchmarks of trained encoders: no fold leaks into training, rows on the sample, the oracle's windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from choreodb.benchmarks.runs import encoders, pair_windows, retrieval, trained_rows, troupe_retrieval
from choreodb.benchmarks.runs.pair_windows import Pair, PairWindow
from choreodb.benchmarks.runs.retrieval import Level
from choreodb.benchmarks.runs.songs import paired_songs
from choreodb.errors import QueryError
from choreodb.indexer.training import batches
from choreodb.indexer.training.config import built
from choreodb.library import Library
from choreodb.sample.ceiling import oracle, oracle_table

TINY = built(
    {"steps": 4, "batch": 6, "every": 2, "held_out": 0.0, "tower": {"context_s": 4.0, "width": 8, "layers": 1}}, "x"
)


@pytest.fixture(scope="module")
def pairs(sample_library: Path, sample_folder: Path) -> list[Pair]:
    library = Library.open(sample_library)
    return pair_windows.read_pairs(library, paired_songs(library, sample_folder))


@pytest.fixture(scope="module")
def windows(pairs: list[Pair]) -> list[PairWindow]:
    return pair_windows.windows(pairs, length_s=4.0, hop_s=4.0)


def with_twins(windows: list[PairWindow]) -> list[PairWindow]:
    """The windows, of which one of each of two songs are twins."""
    songs = list(dict.fromkeys(each.pair.song for each in windows))[:2]
    other = {
        song: replace(next(each.pair for each in windows if each.pair.song == song),
                      twin_spans=np.array([[4.5, 6.5]]), twin_groups=np.array([7]))
        for song in songs
    }  # fmt: skip
    return [replace(each, pair=other.get(each.pair.song, each.pair)) for each in windows]


def test_training_crops_of_a_fold_touch_no_song_source_or_twin_that_is_held_out(windows: list[PairWindow]) -> None:
    every = with_twins(windows)
    songs = {each.pair.song: each.pair.style for each in every}
    folds, dropped = retrieval.split(every, songs, np.random.default_rng(1))
    assert sum(dropped) > 0
    for fold in folds:
        held = [every[at] for at in fold.held]
        takes = trained_rows.takes_within([every[at] for at in fold.train])
        assert not {take.song for take in takes} & {each.pair.song for each in held}
        assert not {take.origin for take in takes} & {each.pair.origin for each in held}
        groups = frozenset[int]().union(*(each.twins for each in held))
        for seed in range(30):
            for crop in batches.draw(takes, TINY, np.random.default_rng(seed)):
                spans = crop.take.twin_spans[[int(group) in groups for group in crop.take.twin_groups]]
                assert not any(start < crop.span[1] and end > crop.span[0] for start, end in spans)


def test_a_trained_row_gets_figures_on_held_out_and_on_trained_songs(pairs: list[Pair]) -> None:
    pytest.importorskip("torch")
    entry = trained_rows.trained_row("tiny", TINY)
    songs = sorted({pair.song for pair in pairs})
    named = [replace(pair, style=("one", "other")[songs.index(pair.song) % 2]) for pair in pairs]
    rows, _ = retrieval.bench_retrieval(named, [entry], seed=0, draws=10, levels=[Level("window", 4.0, 4.0, 4.0)])
    assert len(rows) == 2
    for row in rows:
        assert 0.0 <= row["own_style"] <= 1.0
        assert 0.0 <= row["own_style_train"] <= 1.0


def test_the_budget_and_every_ablation_are_settings() -> None:
    assert len(encoders.ABLATIONS) >= 12
    base = encoders.setting({}, 0)
    for name, changes in encoders.ABLATIONS:
        assert (encoders.setting(changes, 0) == base) == (name == "from scratch")


def test_the_oracles_table_gives_the_oracles_recall(sample_folder: Path) -> None:
    table = oracle_table(sample_folder, window_s=4.0)
    asked = table.relevant.any(axis=1)
    from choreodb.benchmarks.metrics import retrieval as metrics

    placed = metrics.ranks(table.scores[asked], table.relevant[asked])
    report = oracle(sample_folder, window_s=4.0)
    assert abs(np.mean(placed <= 10) - report.recall["style + tempo + energy + accents"][10]) < 0.08
    assert len(table.clip) == len(table.danced_s) == table.scores.shape[1]
    assert min(table.danced_s) >= 0.0


def test_a_case_of_the_troupe_has_the_oracles_windows(
    pairs: list[Pair], sample_library: Path, sample_folder: Path
) -> None:
    table = oracle_table(sample_folder, window_s=troupe_retrieval.WINDOW_S)
    library = Library.open(sample_library)
    case = troupe_retrieval.case_of(table, pairs, library, sample_folder, np.random.default_rng(0))
    assert case.relevant.any(axis=1).all()
    assert case.oracle.shape == (len(case.music), len(case.motion))
    for at, asked in enumerate(case.music):
        for other in np.flatnonzero(case.relevant[at]):
            found = case.motion[other]
            assert found.pair.song == asked.pair.song
            assert abs(found.music_start_s - asked.music_start_s) <= 0.5 * troupe_retrieval.WINDOW_S + 1e-6
    figures = troupe_retrieval.song_recalls(case, case.relevant.astype(float), turned=True)
    assert all(np.all(figures[f"r{k}"] >= 0.0) for k in troupe_retrieval.KS)


def test_weights_of_another_architecture_and_a_missing_library_are_refused(tmp_path: Path) -> None:
    from choreodb.benchmarks.runs.registry import BenchRequest
    from choreodb.indexer.encoders import weights

    card = {"architecture": "retina", "version": 1, "config": {}, "data": {}, "metrics": {}, "command": ""}
    weights.save(tmp_path / "w.safetensors", {"a": np.zeros(2, np.float32)}, card)
    with pytest.raises(QueryError, match="tower"):
        trained_rows.weights_of([str(tmp_path / "w.safetensors")])
    with pytest.raises(QueryError, match="needs a library"):
        encoders.run(BenchRequest(None, (), None, None, 0, lambda *_: None))


def test_timing_weights_grow_where_a_band_tells_songs_apart(rng: np.random.Generator) -> None:
    from choreodb.benchmarks.runs import timing_rows

    parts = rng.normal(size=(20, 20, 3))
    parts[np.arange(20), np.arange(20), 1] += 2.0
    weight = timing_rows.learnt(parts, ~np.eye(20, dtype=bool), np.arange(20))
    assert weight[1] > 1.2 * max(weight[0], weight[2])


def test_the_parts_of_a_timing_score_add_up_to_it(windows: list[PairWindow]) -> None:
    from choreodb.benchmarks.runs.retrieval_rows import Timing

    timing = Timing(max_lag_s=0.4)
    parts = timing.parts(windows[:6], windows[:5])
    assert parts.shape == (6, 5, 12)
    assert np.allclose(parts.sum(axis=2), timing(windows[:6], windows[:5]))
