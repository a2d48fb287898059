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
    from choreodb.indexer.training import timing
    from choreodb.indexer.training.config import TimingConfig

    parts = rng.normal(size=(20, 20, 3))
    parts[np.arange(20), np.arange(20), 1] += 2.0
    weight = timing.learnt(parts, ~np.eye(20, dtype=bool), np.arange(20), np.ones(3), TimingConfig(steps=300))
    assert weight[1] > 1.2 * max(weight[0], weight[2])


def test_a_branch_that_weighs_all_alike_is_the_timing_of_search(windows: list[PairWindow]) -> None:
    from choreodb.benchmarks.runs import timing_rows
    from choreodb.benchmarks.runs.retrieval_rows import Context
    from choreodb.indexer.training.config import TimingConfig

    still = timing_rows.fit(windows, 0, TimingConfig(steps=0))
    learnt = timing_rows.fit(windows, 0, TimingConfig(steps=50))
    plain = Context()(windows[:5], windows[:4])
    assert np.allclose(Context(branch=still)(windows[:5], windows[:4]), plain, atol=1e-6)
    assert not np.allclose(Context(branch=learnt)(windows[:5], windows[:4]), plain, atol=1e-3)


def test_the_parts_of_a_timing_score_add_up_to_it(windows: list[PairWindow]) -> None:
    from choreodb.benchmarks.runs.retrieval_rows import Timing

    timing = Timing(max_lag_s=0.4)
    parts = timing.parts(windows[:6], windows[:5])
    assert parts.shape == (6, 5, 12)
    assert np.allclose(parts.sum(axis=2), timing(windows[:6], windows[:5]))


def test_what_is_chosen_is_chosen_without_a_look_at_held_out_songs(
    windows: list[PairWindow], sample_library: Path
) -> None:
    from choreodb.benchmarks.runs import chosen_rows
    from choreodb.benchmarks.runs.retrieval_rows import Cosine, Rhythm
    from choreodb.indexer.encoders.rhythm import RhythmEncoder

    encoder = RhythmEncoder.from_meta(Library.open(sample_library).store.meta["encoder"])
    train, held = windows[::2], windows[1::2]
    own = dict(zip(chosen_rows.rhythms.layout(encoder.config.weights), [1.0] * 9, strict=True))
    shipped = {name: getattr(encoder.config.weights, name) for name in own}
    # at the weights that the encoder has, it is the encoder
    plain = Cosine(Rhythm(encoder))(held, train)
    assert np.allclose(chosen_rows.Weighted(encoder, shipped)(held, train), plain, atol=1e-5)
    found = chosen_rows.chosen_rhythm(train, encoder)
    equal = chosen_rows.Weighted(encoder, own)
    assert chosen_rows.quality(found(train, train), train) >= chosen_rows.quality(equal(train, train), train)


def test_a_cohort_takes_out_what_fits_everything(windows: list[PairWindow], rng: np.random.Generator) -> None:
    from choreodb.benchmarks.runs import chosen_rows

    place = {id(each): at for at, each in enumerate(windows)}
    table, bias = rng.normal(size=(len(windows), len(windows))), 5.0 * rng.normal(size=len(windows))

    def scorer(music: list[PairWindow], motion: list[PairWindow]) -> np.ndarray:
        rows, columns = ([place[id(each)] for each in side] for side in (music, motion))
        return table[np.ix_(rows, columns)] + bias[columns]

    cohort, asked = windows[: len(windows) // 2], windows[len(windows) // 2 :]
    told = chosen_rows.Cohort(scorer, cohort)(asked, asked)
    spread = told.mean(axis=0).std()
    plain = scorer(asked, asked)
    assert spread / told.std() < 0.75 * plain.mean(axis=0).std() / plain.std()


def test_what_is_remembered_is_what_is_worked_out(windows: list[PairWindow], rng: np.random.Generator) -> None:
    from choreodb.benchmarks.runs import chosen_rows

    place = {id(each): at for at, each in enumerate(windows)}
    table = rng.normal(size=(len(windows), len(windows)))
    asked: list[int] = []

    def scorer(music: list[PairWindow], motion: list[PairWindow]) -> np.ndarray:
        asked.append(len(music) * len(motion))
        return table[np.ix_([place[id(each)] for each in music], [place[id(each)] for each in motion])]

    kept = chosen_rows.Remembered(scorer)
    for music, motion in ((windows[:3], windows[:4]), (windows, windows), (windows[4:1:-1], windows[2:7])):
        assert np.array_equal(kept(music, motion), scorer(music, motion))
    before = len(asked)
    kept(windows[1:5], windows[3:])
    assert len(asked) == before


def test_spectra_know_a_frequency_whenever_it_falls() -> None:
    from choreodb.benchmarks.runs.chosen_rows import Spectra

    times = np.arange(200) / 20.0
    lines = np.stack([np.sin(2 * np.pi * (hz * times + phase)) for hz, phase in ((1.0, 0.0), (1.0, 0.3), (1.7, 0.1))])
    shapes = Spectra()._shape(lines[:, None])
    met = shapes @ shapes.T
    assert met[0, 1] > 0.9
    assert met[0, 2] < 0.5


def test_troupes_of_halves_share_no_phrase() -> None:
    from choreodb.sample.dataset import _phrases
    from choreodb.sample.styles import STYLES

    for name, style in STYLES.items():
        halves = [set(_phrases(name, half) or []) for half in (0, 1)]
        assert not halves[0] & halves[1]
        assert halves[0] | halves[1] == {phrase.name for phrase in style.vocabulary}
        assert _phrases(name, None) is None


def test_the_distance_to_the_first_encoder_is_over_the_same_songs(rng: np.random.Generator) -> None:
    songs = [rng.random(12) for _ in range(3)]
    parts = {name: [{"r1": own, "r5": own, "r10": own - less, "medr": np.ones(1)} for own in songs]
             for name, less in (("oracle", 0.0), ("trained: a", 0.1), ("trained: b", 0.3))}  # fmt: skip
    found = {(kind, name): own for kind in troupe_retrieval.DIRECTIONS for name, own in parts.items()}
    rows = troupe_retrieval.compared(found, ["trained: a", "trained: b"], 0)
    behind = [row for row in rows if "behind" in row]
    assert [row["row"] for row in behind] == ["trained: b"] * 2
    for row in behind:
        # it is the same for every song, so that drawing them again changes nothing
        assert row["behind"] == pytest.approx(-0.2)
        assert row["behind_low"] == pytest.approx(-0.2)
        assert row["behind_high"] == pytest.approx(-0.2)
    assert "-20.0 (-20.0 to -20.0)" in troupe_retrieval.format_table(rows, [])


def test_the_encoders_of_troupe_unseen_are_those_of_the_docs(root: Path) -> None:
    from choreodb.benchmarks.runs import troupe_unseen
    from choreodb.indexer.training import config

    for values, name in ((troupe_unseen.PAIRED, "troupe"), (troupe_unseen.UNPAIRED, "unpaired")):
        found = config.read(root / "docs" / "training" / f"{name}.toml")
        assert replace(found, name="") == replace(troupe_unseen.setting(values), name="")
