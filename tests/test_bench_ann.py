"""The benchmarks of candidate search and of the graph: their vectors, their recall, their verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choreodb.benchmarks.runs import ann, ann_process, ann_vectors, graph
from choreodb.benchmarks.runs.ann_rows import CONTENDERS, LIMIT, OURS, Contender, _oversampled
from choreodb.errors import QueryError
from choreodb.indexer.encoders import rhythm
from choreodb.storage.exact_index import exact_search
from choreodb.storage.store import Store


@pytest.fixture(scope="module")
def found(sample_library: Path) -> ann_vectors.Takes:
    return ann_vectors.takes(Store.open(sample_library), lambda *_: None)


def test_vectors_are_those_of_the_takes_and_of_their_copies(found: ann_vectors.Takes) -> None:
    own = len(found.windows)
    vectors = ann_vectors.motion_vectors(found, 5 * own)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(vectors[:own], found.encoder.embed(found.windows))
    np.testing.assert_array_equal(vectors[own : 2 * own], vectors[:own], "mirror images have the same vector")
    rate = ann_vectors.rates(2)[0]
    np.testing.assert_array_equal(vectors[2 * own : 3 * own], found.encoder.embed(rhythm.faster(found.windows, rate)))
    np.testing.assert_array_equal(vectors, ann_vectors.motion_vectors(found, 5 * own))


def test_windows_overlap_and_bars_do_not_follow_themselves(found: ann_vectors.Takes, sample_library: Path) -> None:
    assert len(found.windows) > 2 * len(found.start_s) // 2
    entry, leave, barred = ann_vectors.boundary_lines(found, 3 * len(found.start_s) + 7)
    assert entry.shape == leave.shape == (3 * len(found.start_s) + 7, entry.shape[1])
    follows = np.flatnonzero(barred.continuation >= 0)
    np.testing.assert_array_equal(barred.continuation[follows], follows + 1)
    np.testing.assert_allclose(leave[follows], entry[follows + 1], atol=1e-4)


def test_too_few_songs_are_refused(found: ann_vectors.Takes, sample_song: Path) -> None:
    some = ann_vectors.song_vectors(found, [sample_song], 5)
    np.testing.assert_allclose(np.linalg.norm(some, axis=1), 1.0, atol=1e-5)
    with pytest.raises(QueryError, match="give more songs"):
        ann_vectors.song_vectors(found, [sample_song], 100_000)


def test_recall_counts_scores_and_not_ids(rng: np.random.Generator) -> None:
    vectors = rng.normal(size=(30, 8)).astype(np.float32)
    vectors[15:] = vectors[:15]
    queries = rng.normal(size=(4, 8)).astype(np.float32)
    truth, ids = exact_search(vectors, queries, 10)
    assert ann_process.recall_at(vectors, queries, ids, truth, 10) == 1.0
    assert ann_process.recall_at(vectors, queries, (ids + 15) % 30, truth, 10) == 1.0
    half = ids.copy()
    half[:, 5:] = -1
    assert ann_process.recall_at(vectors, queries, half, truth, 10) == 0.5
    assert ann_process.recall_at(vectors, queries, half, truth, 5) == 1.0


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda each: each.name)
def test_every_index_finds_what_it_should(contender: Contender, rng: np.random.Generator, tmp_path: Path) -> None:
    pytest.importorskip(contender.package)
    centres = rng.normal(size=(1, 16)) + 0.4 * rng.normal(size=(40, 16))
    vectors = np.repeat(centres, 50, axis=0) + 0.2 * rng.normal(size=(2000, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    contender.build(vectors, tmp_path / "index")
    search = contender.load(vectors, tmp_path / "index")
    queries = np.ascontiguousarray(vectors[::100])
    allowed = np.arange(2000) % 2 == 0
    for mask in (None, allowed):
        truth = exact_search(vectors, queries, 50, None if mask is None else np.flatnonzero(mask))[0]
        ids = search(queries, 50, contender.efforts[-1], mask)
        assert mask is None or mask[ids[ids >= 0]].all()
        assert ann_process.recall_at(vectors, queries, ids, truth, 50) >= 0.95


def test_what_a_filter_throws_away_leaves_gaps_behind() -> None:
    def walk(queries: Any, k: int, effort: int) -> Any:
        return np.tile(np.arange(k), (len(queries), 1))

    allowed = np.zeros(100, dtype=np.bool_)
    allowed[[3, 5, 98]] = True
    queries = np.zeros((2, 4), dtype=np.float32)
    assert _oversampled(walk, 100, queries, 3, 0, allowed)[0].tolist() == [3, 5, 98]
    allowed[:] = np.arange(100) % 2 > 0
    assert _oversampled(walk, 100, queries, 3, 0, allowed)[0].tolist() == [1, 3, 5]


def test_filters_let_through_what_they_say() -> None:
    filters = ann.selections(50_000, 3)
    assert [round(float(mask.mean()), 2) for mask in filters.values()] == [0.5, 0.01, 0.0]
    assert filters["20 rows"].sum() == 20


def row(name: str, stage: str, recall: float, cpu_ms: float) -> dict[str, Any]:
    return {
        "kind": "index", "row": name, "stage": stage, "vectors": 100_000, "recall_50": recall, "cpu_ms": cpu_ms, "queries": 400,
        "captured_s": 60.0, "captured_windows": 9, "curve": [{"recall_50": recall, "cpu_ms": cpu_ms}],
    }  # fmt: skip


def test_verdicts_compare_with_the_fastest_that_is_good_enough() -> None:
    rows = [row(OURS, "all", 0.995, 30.0), row(OURS, "1 %", 0.991, 3.0), row(LIMIT, "all", 1.0, 450.0)]
    rows += [row("quick and wrong", "all", 0.9, 1.0), row("right", "all", 0.99, 20.0)]
    found = [(each["value"], each["verdict"]) for each in ann.verdicts(rows)]
    assert found == [(0.991, "pass"), (1.5, "FAIL"), (15.0, "pass")]
    assert "**" not in ann.format_table([*rows, *ann.verdicts(rows)])
    assert [name for name, _, _ in ann.figures(rows)[0].series] == [OURS, LIMIT, "quick and wrong", "right"]
    rows[1]["recall_50"] = 0.9
    assert ann.verdicts(rows)[0]["verdict"] == "FAIL"


def test_the_graph_is_judged_at_its_size(found: ann_vectors.Takes) -> None:
    sized = graph._sized(found, 3 * len(found.start_s), 0, lambda *_: None)
    assert sized["recall"] >= 0.9
    assert graph._goals([sized]) == []
    judged = graph._goals([{**sized, "lines": graph.JUDGED, "gain": 4.0}])
    assert [each["verdict"] for each in judged] == ["pass", "FAIL"]
    assert "| cells, CPU s |" in graph.format_table([sized, *judged])
    assert graph.recall(np.array([[1, 2, 9]]), np.array([[1, 2, 3]])) == pytest.approx(2 / 3)
