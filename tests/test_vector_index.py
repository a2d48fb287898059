"""Vector indexes: exact search against a naive twin, FAISS against exact search, and counts that always hold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from choreodb.cli import main
from choreodb.errors import MissingExtraError, QueryError, StoreError
from choreodb.storage import best, cells, edit, exact_index, index, specimen, tuning
from choreodb.storage.cell_index import CellIndex
from choreodb.storage.exact_index import ExactIndex
from choreodb.storage.faiss_index import FaissIndex, Packing
from choreodb.storage.hnsw_index import HnswIndex
from choreodb.storage.index import VectorIndex, choose
from choreodb.storage.store import Store
from choreodb.storage.verify import verify

Vectors = npt.NDArray[np.float32]


def naive_search(
    vectors: Vectors, queries: Vectors, k: int, allowed: npt.NDArray[np.bool_] | None = None
) -> tuple[list[list[float]], list[list[int]]]:
    """The twin: every score in float64, sorted in Python by (-score, id)."""
    ids = range(len(vectors)) if allowed is None else np.flatnonzero(allowed).tolist()
    ranked = [
        sorted((-float(np.float32(np.dot(v, q))), i) for i in ids for v in [vectors[i].astype(np.float64)])[:k]
        for q in queries.astype(np.float64)
    ]
    return [[-score for score, _ in row] for row in ranked], [[i for _, i in row] for row in ranked]


def walks(count: int, dimension: int = 32, clips: int = 60, seed: int = 3) -> Vectors:
    """Unit vectors with the structure of a library: each clip is a random walk around its style."""
    rng = np.random.default_rng(seed)
    styles = rng.normal(size=(6, dimension))
    start = styles[rng.integers(0, 6, clips)] + rng.normal(scale=0.5, size=(clips, dimension))
    steps = rng.normal(scale=0.08, size=(clips, -(-count // clips), dimension))
    points = (start[:, None] + np.cumsum(steps, axis=1)).reshape(-1, dimension)[:count]
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), dtype=np.float32)


def recall(found: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, truth, strict=True)]))


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 80), kept=st.integers(1, 80), values=st.integers(1, 12), seed=st.integers(0, 1000))
def test_the_best_are_kept_in_front(count: int, kept: int, values: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, values, count).astype(np.float32)
    ids = np.arange(count)
    kept = min(kept, count)
    moved, named = scores.copy(), ids.copy()
    least = best.keep_best(moved, named, count, kept)
    np.testing.assert_array_equal(scores[named], moved)
    np.testing.assert_array_equal(np.sort(moved[:kept]), np.sort(scores)[count - kept :])
    assert set(named[:kept].tolist()) == set(np.lexsort((ids, -scores))[:kept].tolist())
    assert least == moved[:kept].min()
    assert sorted(named.tolist()) == ids.tolist()


def test_the_nearest_cells_come_in_order() -> None:
    near = np.random.default_rng(2).integers(0, 7, (20, 40)).astype(np.float32)
    for wanted in (1, 5, 40):
        found = cells.nearest_cells(near, wanted)
        order = np.argsort(-near, axis=1, kind="stable")[:, :wanted]
        values = np.take_along_axis(near, found.astype(np.int64), axis=1)
        np.testing.assert_array_equal(values, np.take_along_axis(near, order, axis=1))
        assert all(len(set(row)) == wanted for row in found.tolist())


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 120), k=st.integers(1, 150), queries=st.integers(0, 4), data=st.data())
def test_exact_search_equals_its_naive_twin(count: int, k: int, queries: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    # few distinct vectors, so that ties abound
    vectors = rng.normal(size=(7, 5)).astype(np.float32)[rng.integers(0, 7, count)]
    asked = rng.normal(size=(queries, 5)).astype(np.float32)
    allowed = rng.random(count) < 0.5 if data.draw(st.booleans()) else None
    scores, ids = ExactIndex(vectors).search(asked, k, allowed)
    matches = count if allowed is None else int(allowed.sum())
    assert scores.shape == ids.shape == (queries, min(k, matches))
    assert (scores.dtype, ids.dtype) == (np.float32, np.int64)
    expected_scores, expected_ids = naive_search(vectors, asked, k, allowed)
    assert ids.tolist() == expected_ids
    np.testing.assert_allclose(scores, np.reshape(expected_scores, scores.shape), rtol=1e-6)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.repeat(walks(500), 4, axis=0)
    queries = walks(9, seed=8)
    allowed = np.arange(len(vectors)) % 3 > 0
    whole = [ExactIndex(vectors).search(queries, 30, mask) for mask in (None, allowed)]
    monkeypatch.setattr(exact_index, "_BLOCK", 37)
    for expected, mask in zip(whole, (None, allowed), strict=True):
        scores, ids = ExactIndex(vectors).search(queries, 30, mask)
        np.testing.assert_array_equal(ids, expected[1])
        np.testing.assert_array_equal(scores, expected[0])


def test_a_score_does_not_depend_on_the_filter() -> None:
    vectors, queries = walks(3000), walks(5, seed=9)
    scores, ids = ExactIndex(vectors).search(queries, 20)
    for row in range(len(queries)):
        mask = np.zeros(len(vectors), dtype=np.bool_)
        mask[ids[row]] = True
        again, same = ExactIndex(vectors).search(queries[row : row + 1], 20, mask)
        np.testing.assert_array_equal(same[0], ids[row])
        np.testing.assert_array_equal(again[0], scores[row])


@pytest.mark.parametrize(
    ("queries", "k", "allowed", "words"),
    [
        (np.zeros((2, 4), dtype=np.float32), 3, None, r"expected \(Q, 32\)"),
        (np.zeros(32, dtype=np.float32), 3, None, r"expected \(Q, 32\)"),
        (np.zeros((2, 32), dtype=np.float32), 0, None, "k is 0"),
        (np.zeros((2, 32), dtype=np.float32), 3, np.ones(7, dtype=np.bool_), r"expected \(100,\)"),
        (np.full((2, 32), np.nan, dtype=np.float32), 3, None, "NaN"),
    ],
)
def test_queries_that_make_no_sense(
    queries: Vectors, k: int, allowed: npt.NDArray[np.bool_] | None, words: str
) -> None:
    with pytest.raises(QueryError, match=words):
        ExactIndex(walks(100)).search(queries, k, allowed)


KINDS = ("cells", "faiss", "sq8", "rabitq", "hnsw")
NEEDS = {"faiss": "faiss", "sq8": "faiss", "rabitq": "faiss", "hnsw": "hnswlib"}


@pytest.fixture(scope="module")
def many() -> Vectors:
    return walks(24_000)


@pytest.fixture(scope="module", params=KINDS)
def built(request: pytest.FixtureRequest, many: Vectors) -> VectorIndex:
    pytest.importorskip(NEEDS.get(request.param, "numpy"))
    return index.build(many, request.param)


def near(vectors: Vectors, count: int, seed: int) -> Vectors:
    """Unit vectors beside some of these."""
    rng = np.random.default_rng(seed)
    chosen = vectors[rng.integers(0, len(vectors), count)]
    away = chosen + rng.normal(scale=0.05, size=chosen.shape)
    return np.asarray(away / np.linalg.norm(away, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("far", [False, True])
def test_an_index_finds_nearly_all_that_exact_search_finds(many: Vectors, built: VectorIndex, far: bool) -> None:
    if far and isinstance(built, HnswIndex):
        pytest.skip("a graph leads from neighbour to neighbour, and not into clusters that no edge enters")
    queries = walks(40, seed=5) if far else near(many, 40, seed=5)
    truth_scores, truth = ExactIndex(many).search(queries, 32)
    scores, found = built.search(queries, 32)
    assert recall(found, truth) >= 0.95
    assert np.all(np.diff(scores, axis=1) <= 0.0)
    assert np.mean(scores >= truth_scores - 0.01) >= 0.95


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.01, 0.3, 0.9, 1.0])
def test_a_filter_never_costs_results(many: Vectors, built: VectorIndex, share: float) -> None:
    rng = np.random.default_rng(4)
    allowed = rng.random(len(many)) < share
    queries = near(many, 12, seed=6)
    _, truth = ExactIndex(many).search(queries, 40, allowed)
    scores, found = built.search(queries, 40, allowed)
    assert found.shape == scores.shape == (12, min(40, int(allowed.sum())))
    assert allowed[found].all()
    assert all(len(set(row)) == len(row) for row in found.tolist())
    expected = np.einsum("qkd,qd->qk", many[found].astype(np.float64), queries.astype(np.float64))
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    if found.size:
        assert recall(found, truth) >= 0.95


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_result_always_has_as_many_rows_as_match(data: st.DataObject, many: Vectors, built: VectorIndex) -> None:
    """Whatever the filter (scattered, one stretch, one end of the space, any number) and however many are asked for."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    matches, k = data.draw(st.integers(0, len(many))), data.draw(st.integers(1, 300))
    nearness = many @ many[data.draw(st.integers(0, len(many) - 1))]
    order = {"scattered": rng.permutation(len(many)), "stretch": np.arange(len(many)), "far": np.argsort(nearness)}
    allowed = np.zeros(len(many), dtype=np.bool_)
    allowed[order[data.draw(st.sampled_from(sorted(order)))][:matches]] = True
    scores, found = built.search(many[rng.integers(0, len(many), 3)], k, allowed)
    assert found.shape == scores.shape == (3, min(k, matches))
    assert allowed[found].all()
    assert all(len(set(row)) == len(row) for row in found.tolist())
    assert np.isfinite(scores).all()


def test_a_filter_far_from_the_query_is_still_filled(many: Vectors, built: VectorIndex) -> None:
    """The allowed vectors lie where no query without a filter looks: the search widens until k are there."""
    query = many[:1]
    allowed = np.argsort(np.argsort(many @ query[0])) < 21_000
    scores, found = built.search(query, 500, allowed)
    assert found.shape == (1, 500)
    assert allowed[found].all()
    assert np.isfinite(scores).all()


def test_more_results_than_vectors(many: Vectors, built: VectorIndex) -> None:
    _, found = built.search(walks(1, seed=7), 30_000)
    assert sorted(found[0].tolist()) == list(range(len(many)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_vectors_give_the_same_file_which_finds_the_same(
    many: Vectors, kind: index.Kind, tmp_path: Path
) -> None:
    pytest.importorskip(NEEDS.get(kind, "numpy"))
    some, queries = many[:4000], walks(9, seed=2)
    first, second = index.build(some, kind), index.build(some.copy(), kind)
    first.save(tmp_path / "one")
    with (tmp_path / "two").open("wb") as file:
        second.write(file)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    loaded = type(first).load(some, tmp_path / "one")
    for mask in (None, np.arange(4000) % 2 > 0):
        for one, other in zip(first.search(queries, 20, mask), loaded.search(queries, 20, mask), strict=True):
            np.testing.assert_array_equal(one, other)
    assert repr(loaded).startswith(f"{type(first).__name__}(4000 vectors of 32")


@pytest.mark.parametrize("kind", ["exact", *KINDS])
def test_vectors_that_come_later_are_found(many: Vectors, kind: str) -> None:
    pytest.importorskip(NEEDS.get(kind, "numpy"))
    mixed = np.random.default_rng(1).permutation(many)[:18_000]
    built: VectorIndex = ExactIndex(mixed[:15_000]) if kind == "exact" else index.build(mixed[:15_000], kind)  # type: ignore[arg-type]
    built.add(mixed[15_000:])
    assert len(built) == 18_000
    found = built.search(mixed[15_000::100], 10)[1]
    assert np.mean(found[:, 0] == np.arange(15_000, 18_000, 100)) >= 0.95
    assert recall(found, ExactIndex(mixed).search(mixed[15_000::100], 10)[1]) >= 0.95
    with pytest.raises(QueryError, match="cannot be added"):
        built.add(np.zeros((2, 7), dtype=np.float32))


def test_the_budget_is_what_it_takes(many: Vectors) -> None:
    facts = CellIndex.build(many).facts
    assert facts.recall >= tuning.RECALL
    assert facts.budget < len(many) // 3
    assert CellIndex.build(many[:40]).search(many[:2], 3)[1][:, 0].tolist() == [0, 1]


def test_cells_find_what_a_naive_twin_finds(many: Vectors) -> None:
    """The twin: every cell sorted by its centre, and all allowed rows of as many as hold the budget."""
    rng = np.random.default_rng(0)
    some, queries = many[:3000], walks(5, seed=4)
    centres = cells.centres_of(some, 40, rng)
    cell = cells.nearest_centre(some, centres)
    offset, ids = cells.sorted_into(cell, 40)
    parts = cells.Cells(centres, offset, ids, np.ascontiguousarray(some[ids]))
    for allowed in (None, rng.random(3000) < 0.3):
        may = np.ones(3000, dtype=np.bool_) if allowed is None else allowed
        found = cells.scan(queries, 12, parts, 400, allowed)
        for query, row in zip(queries, found, strict=True):
            order = np.argsort(np.linalg.norm(centres - query, axis=1))
            seen = np.cumsum([np.sum(may & (cell == each)) for each in order])
            reach = order[: int(np.searchsorted(seen, 400)) + 1]
            inside = np.flatnonzero(may & np.isin(cell, reach))
            assert set(row.tolist()) == set(inside[np.argsort(-(some[inside] @ query))[:12]].tolist())


def test_the_rule_of_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "has_faiss", lambda: True)
    assert index.chosen_kind(index.EXACT_VECTORS, 256) is None
    assert index.chosen_kind(index.EXACT_VECTORS + 1, 256) == "cells"
    assert index.chosen_kind(10_000_000, 256, memory_bytes=8 << 30) == "rabitq"
    monkeypatch.setattr(index, "has_faiss", lambda: False)
    assert index.chosen_kind(10_000_000, 256, memory_bytes=8 << 30) == "cells"
    with pytest.raises(QueryError, match="expected cells, faiss"):
        index.build(walks(100), "annoy")  # type: ignore[arg-type]


class FakeGpu:
    """FAISS as it is on a machine with a GPU: the converter says what it was given, and the copy that it is searched."""

    def __init__(self, gpus: int) -> None:
        self.gpus, self.searched = gpus, 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
        faiss = pytest.importorskip("faiss")
        monkeypatch.setattr(faiss, "get_num_gpus", lambda: self.gpus)
        monkeypatch.setattr(faiss, "StandardGpuResources", lambda: "resources", raising=False)
        monkeypatch.setattr(faiss, "index_cpu_to_gpu", lambda resources, device, whole: self.on(whole), raising=False)
        return self

    def on(self, whole: Any) -> Any:
        def search(*args: Any, **named: Any) -> Any:
            self.searched += 1
            return whole.search(*args, **named)

        return SimpleNamespace(search=search)


@pytest.mark.parametrize(("gpus", "packing", "used"), [(0, "flat", False), (1, "flat", True), (1, "rabitq", False)])
def test_a_gpu_is_used_where_there_is_one(
    many: Vectors, monkeypatch: pytest.MonkeyPatch, gpus: int, packing: Packing, used: bool
) -> None:
    fake = FakeGpu(gpus).install(monkeypatch)
    built = FaissIndex.build(many[:12_000], packing)
    _, found = built.search(many[:5], 3)
    assert found[:, 0].tolist() == [0, 1, 2, 3, 4]
    before = fake.searched
    # the copy on the GPU takes no filter
    built.search(many[:5], 3, np.arange(12_000) > 10)
    assert (fake.searched > 0, fake.searched) == (used, before)


def test_an_index_in_the_library_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    store = specimen.make(tmp_path / "library")
    embeddings = np.array(store.array("embeddings"))
    assert index.build_files(embeddings) == {}
    assert isinstance(choose(store), ExactIndex)
    with pytest.raises(StoreError, match="no index 'faiss_ivf'; it has none"):
        choose(store, "faiss")
    monkeypatch.setattr(index, "EXACT_VECTORS", 10)
    flat = store.commit(index=index.build_files(embeddings, "faiss"))
    assert isinstance(choose(flat), FaissIndex)
    store = flat.commit(index=index.build_files(embeddings))
    searchers: list[VectorIndex] = [choose(store), choose(store, "exact"), choose(store, "faiss")]
    assert [type(searcher) for searcher in searchers] == [CellIndex, ExactIndex, FaissIndex]
    assert [len(searcher) for searcher in searchers] == [18, 18, 18]
    assert repr(searchers[0]) == "CellIndex(18 vectors of 256, 1 cells)"
    found = [searcher.search(embeddings[:3], 4)[1] for searcher in searchers]
    np.testing.assert_array_equal(found[0], found[1])
    with pytest.raises(QueryError, match="expected auto, exact, cells, faiss or hnsw"):
        choose(store, "annoy")  # type: ignore[arg-type]


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    vectors = walks(200)
    path = tmp_path / "faiss_ivf-0.bin"
    path.write_bytes(b"nonsense" * 20)
    with pytest.raises(StoreError, match=r"index/faiss_ivf-0\.bin is damaged"):
        FaissIndex.load(vectors, path)
    FaissIndex.build(vectors).save(path)
    with pytest.raises(StoreError, match="does not fit the embeddings"):
        FaissIndex.load(vectors[:100], path)


def _cells_file(folder: Path, change: Callable[[bytes], bytes]) -> Path:
    path = folder / "cells-0.bin"
    CellIndex.build(walks(200)).save(path)
    path.write_bytes(change(path.read_bytes()))
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: b"nonsense" * 20, "no file of cells"),
        (lambda data: data[:-9], "bytes, expected"),
        (lambda data: data.replace(b'"cells": 5', b'"cells": 6'), "bytes, expected"),
        (lambda data: data.replace(b'"cells": 5', b'"cells":-5'), "make no sense"),
        (lambda data: data.replace(b'"vectors": 200', b'"vectors": "20"'), "make no sense"),
        (lambda data: data.replace(b'"questions"', b'"questionz"'), "questionz"),
    ],
)
def test_damaged_cells_are_named(tmp_path: Path, change: Callable[[bytes], bytes], words: str) -> None:
    with pytest.raises(StoreError, match=rf"index/cells-0\.bin is damaged: .*{words}"):
        CellIndex.load(walks(200), _cells_file(tmp_path, change))


def test_cells_that_point_beyond_the_vectors_are_refused(tmp_path: Path) -> None:
    """Compiled code follows them without looking, so that a file from a stranger must not get so far."""
    vectors = walks(200)
    path = _cells_file(tmp_path, lambda data: data)
    with pytest.raises(StoreError, match="does not fit the embeddings"):
        CellIndex.load(vectors[:100], path)
    data = path.read_bytes()
    ids = np.sort(CellIndex.load(vectors, path)._cells.ids)
    assert ids.tolist() == list(range(200))
    whole = np.frombuffer(data, dtype="<i8", count=len(data) // 8).copy()
    for value, words in ((199, "names vectors that there are not"), (0, "do not follow each other")):
        spoilt = whole.copy()
        spoilt[np.flatnonzero(whole == 200)[-1] if value == 0 else np.flatnonzero(whole == value)[-1]] = (
            10**9 if value else -1
        )
        path.write_bytes(spoilt.tobytes())
        with pytest.raises(StoreError, match=words):
            CellIndex.load(vectors, path)


def test_a_library_with_another_index_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "EXACT_VECTORS", 10)
    store = specimen.make(tmp_path / "library")
    embeddings = np.array(store.array("embeddings"))
    assert verify(store.commit(index=index.build_files(embeddings))) == ()
    found = verify(Store.open(tmp_path / "library").commit(index=index.build_files(embeddings[::-1])))
    assert [problem.what for problem in found] == [
        "does not find the embeddings where they are; it is of other vectors"
    ]


def test_without_faiss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    monkeypatch.setattr(index, "has_faiss", lambda: False)
    monkeypatch.setattr(index, "EXACT_VECTORS", 10)
    store = specimen.make(tmp_path / "library").commit(index={index.FAISS_NAME: b"an index made elsewhere"})
    assert isinstance(choose(store), ExactIndex)
    assert set(index.build_files(store.array("embeddings"))) == {"cells"}
    with pytest.raises(MissingExtraError, match=r"pip install 'choreodb\[cpu\]'"):
        index.build_files(store.array("embeddings"), "faiss")
    with pytest.raises(MissingExtraError, match=r"pip install 'choreodb\[cpu\]'"):
        choose(store, "faiss")


def test_an_empty_library_has_nothing_to_search(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no array 'embeddings'"):
        choose(Store.create(tmp_path / "library"))


@pytest.mark.parametrize(("kind", "name"), [("cells", "cells"), ("hnsw", "hnsw"), ("sq8", "faiss_ivf"), ("auto", None)])
def test_a_library_can_be_given_another_index(
    tmp_path: Path, kind: str, name: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(NEEDS.get(kind, "numpy"))
    store = specimen.make(tmp_path / "library")
    edit.reindex(store, "cells")
    assert main(["compact", str(tmp_path / "library"), "--index", kind]) == 0
    after = Store.open(tmp_path / "library")
    assert set(after.manifest.index) == ({name} if name else set())
    assert f"version {after.version}: index {name or 'none'}" in capsys.readouterr().out
    assert verify(after) == ()
    found = choose(after).search(np.array(after.array("embeddings"))[:3], 2)[1]
    np.testing.assert_array_equal(found, choose(after, "exact").search(np.array(after.array("embeddings"))[:3], 2)[1])


def test_no_index_without_embeddings(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no embeddings to search"):
        edit.reindex(Store.create(tmp_path / "library"), None)
