"""The transition graph: nearest entries against a naive twin, exclusions, and components where no dance dead-ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.errors import StoreError
from choreodb.storage import graph, specimen
from choreodb.storage.graph import to_networkx, transitions, walkable

Ints = npt.NDArray[np.int64]


def naive_transitions(
    entry: npt.NDArray[np.float32],
    leave: npt.NDArray[np.float32],
    continuation: Ints,
    degree: int,
    threshold: float,
    origin: Ints,
    spans: npt.NDArray[np.float64],
    sources: Ints | None = None,
) -> list[tuple[int, float, int]]:
    edges = []
    for source in range(len(entry)) if sources is None else sources.tolist():
        costs = []
        for target in range(len(entry)):
            overlap = spans[target, 0] < spans[source, 1] and spans[source, 0] < spans[target, 1]
            if target in (source, continuation[source]) or (origin[source] == origin[target] and overlap):
                continue
            cost = float(np.sum((leave[source].astype(np.float64) - entry[target]) ** 2))
            costs.append((cost, target))
        edges += [(source, cost, target) for cost, target in sorted(costs)[:degree] if cost <= threshold]
        if continuation[source] >= 0:
            edges.append((source, 0.0, int(continuation[source])))
    return sorted(edges)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 20), st.floats(0.5, 20.0), st.integers(0, 10_000))
def test_edges_equal_their_naive_twin(segments: int, degree: int, threshold: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    entry, leave = (rng.normal(size=(segments, 6)).astype(np.float32) for _ in range(2))
    continuation = np.where(np.arange(segments) % 3 < 2, np.arange(segments) + 1, -1)
    continuation[continuation >= segments] = -1
    origin = rng.integers(0, 4, segments)
    start = rng.uniform(0.0, 4.0, segments)
    spans = np.stack([start, start + 2.0], axis=1)
    source, target, cost = transitions(
        entry, leave, continuation, degree=degree, threshold=threshold, origin=origin, start_s=start, end_s=spans[:, 1]
    )
    expected = naive_transitions(entry, leave, continuation, degree, threshold, origin, spans)
    assert (source.dtype, target.dtype, cost.dtype) == (np.int64, np.int64, np.float32)
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == [(s, t) for s, _, t in expected]
    np.testing.assert_allclose(cost, [c for _, c, _ in expected], rtol=1e-5)


def test_small_costs_are_exact() -> None:
    """Squared lengths of 1e4 would swallow a distance of 1e-4 in float32; the difference does not."""
    entry = np.full((3, 100), 10.0, dtype=np.float32)
    entry[:, 0] += np.array([0.0, 0.01, 0.02], dtype=np.float32)
    _, target, cost = transitions(entry, entry, np.full(3, -1), degree=2)
    np.testing.assert_allclose(cost, [1e-4, 4e-4, 1e-4, 1e-4, 1e-4, 4e-4], rtol=2e-3)
    assert target.tolist() == [1, 2, 0, 2, 1, 0]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    entry, leave = (rng.normal(size=(300, 8)).astype(np.float32) for _ in range(2))
    whole = transitions(entry, leave, np.full(300, -1))
    monkeypatch.setattr(graph, "_BLOCK_BYTES", 4 * 300 * 7)
    for a, b in zip(whole, transitions(entry, leave, np.full(300, -1)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_segments_and_one() -> None:
    none = np.zeros((0, 5), dtype=np.float32)
    assert [len(part) for part in transitions(none, none, np.zeros(0, dtype=np.int64))] == [0, 0, 0]
    one = np.zeros((1, 5), dtype=np.float32)
    assert [len(part) for part in transitions(one, one, np.full(1, -1))] == [0, 0, 0]
    assert walkable(0, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).shape == (0,)
    assert walkable(3, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).tolist() == [False] * 3


def test_features_that_do_not_fit() -> None:
    with pytest.raises(StoreError, match="do not fit"):
        transitions(np.zeros((3, 4), dtype=np.float32), np.zeros((3, 5), dtype=np.float32), np.full(3, -1))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=40))
def test_walkable_is_the_largest_component(segments: int, pairs: list[tuple[int, int]]) -> None:
    pairs = [(a, b) for a, b in pairs if a < segments and b < segments and a != b]
    source, target = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in range(2))
    found = walkable(segments, source, target)
    whole = networkx.DiGraph(pairs)
    whole.add_nodes_from(range(segments))
    components = sorted(networkx.strongly_connected_components(whole), key=lambda part: (-len(part), min(part)))
    expected = components[0] if len(components[0]) > 1 else set()
    assert set(np.flatnonzero(found).tolist()) == expected
    # the property that matters: from inside there is always a way on that stays inside
    assert all(any(a == node and found[b] for a, b in pairs) for node in expected)


def test_the_graph_for_people(tmp_path: Path) -> None:
    store = specimen.make(tmp_path / "library")
    people = to_networkx(store)
    edges = store.table("transitions")
    assert people.number_of_nodes() == 18
    assert people.number_of_edges() == len(edges)
    first = edges.to_pylist()[0]
    assert people.edges[first["source"], first["target"]] == {"cost": first["cost"], "continuation": True}
    assert people.nodes[4]["clip"] == "specimen/clip0"
    assert people.nodes[4]["mirrored"] is True
    assert people.graph == {"library": str(store.path), "version": 1}


def moving(segments: int, width: int = 24, seed: int = 2) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Entries and exits as takes have them: a bar leaves where the next one of its take enters, on a curve of few dimensions."""
    rng = np.random.default_rng(seed)
    way = np.cumsum(rng.normal(scale=0.3, size=(segments + 1, 5)), axis=0)
    lines = np.sin(way @ rng.normal(size=(5, width))) + 0.05 * rng.normal(size=(segments + 1, width))
    return lines[:-1].astype(np.float32), lines[1:].astype(np.float32)


@pytest.fixture
def cells_from_1000(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "EXACT_LINES", 1000)


def spans_of(segments: int) -> dict[str, npt.NDArray[Any]]:
    """Takes of ten bars of which every other overlaps the one before."""
    start = np.arange(segments) % 10 * 2.0
    return {"origin": np.arange(segments) // 20, "start_s": start, "end_s": start + 2.5}


def test_many_lines_find_nearly_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    entry, leave = moving(3000)
    follows = np.where(np.arange(3000) % 10 < 9, np.arange(3000) + 1, -1)
    spans = spans_of(3000)
    exact = transitions(entry, leave, follows, degree=12, **spans)
    monkeypatch.setattr(graph, "EXACT_LINES", 1000)
    source, target, cost = transitions(entry, leave, follows, degree=12, **spans)
    wanted = set(zip(exact[0].tolist(), exact[1].tolist(), strict=True))
    found = set(zip(source.tolist(), target.tolist(), strict=True))
    assert len(wanted & found) / len(wanted) >= 0.93
    # every list is full, and holds nothing that may not follow
    assert len(found) == len(source) == len(wanted)
    cut = follows[source] != target
    assert not np.any(source == target)
    same = spans["origin"][source] == spans["origin"][target]
    overlap = (spans["start_s"][target] < spans["end_s"][source]) & (spans["start_s"][source] < spans["end_s"][target])
    assert not np.any(cut & same & overlap)
    expected = np.sum((leave[source[cut]].astype(np.float64) - entry[target[cut]]) ** 2, axis=1)
    np.testing.assert_allclose(cost[cut], expected, rtol=1e-5)
    assert np.all(np.diff(cost)[np.diff(source) == 0] >= 0.0)


@pytest.mark.usefixtures("cells_from_1000")
def test_many_lines_give_the_same_edges_every_time() -> None:
    entry, leave = moving(1500)
    none = np.full(1500, -1)
    for one, other in zip(transitions(entry, leave, none), transitions(entry.copy(), leave.copy(), none), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("cells_from_1000")
def test_few_sources_among_many_are_held_against_all() -> None:
    entry, leave = moving(2000)
    none, some = np.full(2000, -1), np.array([3, 77, 1999])
    expected = naive_transitions(entry, leave, none, 5, np.inf, np.arange(2000), np.tile([0.0, 1.0], (2000, 1)), some)
    source, target, _ = transitions(entry, leave, none, degree=5, sources=some)
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == [(s, t) for s, _, t in expected]


@pytest.mark.usefixtures("cells_from_1000")
def test_lines_that_are_all_the_same_are_linked_to_each_other() -> None:
    lines = np.ones((1200, 6), dtype=np.float32)
    source, target, cost = transitions(lines, lines, np.full(1200, -1), degree=4)
    assert np.bincount(source).tolist() == [4] * 1200
    assert not np.any(source == target)
    assert not np.any(cost)


@pytest.mark.parametrize("rows", [1, 7, 300])
def test_edges_by_either_end_are_those_of_a_sort(rows: int, rng: np.random.Generator) -> None:
    """Rows of a few edges and of hundreds, with costs that are often equal."""
    pairs = np.unique(rng.integers(0, rows, (2000, 2)), axis=0)
    source, target = pairs[:, 0], pairs[:, 1]
    cost = rng.integers(0, 5, len(pairs)).astype(np.float32)
    for ends, others in ((source, target), (target, source)):
        first, order = graph.cheapest_first(ends, cost, rows)
        assert order.tolist() == np.lexsort((others, cost, ends)).tolist()
        assert first.tolist() == np.searchsorted(np.sort(ends), np.arange(rows + 1)).tolist()


def test_a_union_is_that_of_the_pairs(rng: np.random.Generator) -> None:
    sets = []
    for _ in range(2):
        pairs = np.unique(rng.integers(0, 40, (300, 2)), axis=0)
        sets.append((pairs[:, 0], pairs[:, 1], rng.integers(0, 9, len(pairs)).astype(np.float32)))
    found = list(zip(*(part.tolist() for part in graph.union(*sets)), strict=True))
    known = {(s, t): c for edges in sets[::-1] for s, t, c in zip(*(part.tolist() for part in edges), strict=True)}
    assert found == [(s, t, c) for s, c, t in sorted((s, c, t) for (s, t), c in known.items())]
    empty = tuple(part[:0] for part in sets[0])
    assert [len(part) for part in graph.union(empty, empty)] == [0, 0, 0]
