"""`bench path`: its lattices, its peer, and what its goals say."""

from __future__ import annotations

import numpy as np
import pytest
from test_search import LIMITS, WEIGHTS, make_lattice, naive_cost

from choreodb.benchmarks.runs import path as bench
from choreodb.benchmarks.runs import path_peer
from choreodb.benchmarks.runs.registry import BENCHMARKS
from choreodb.retriever import lattice, path_kernel
from choreodb.retriever.options import PlanOptions


def test_the_benchmark_is_registered() -> None:
    assert BENCHMARKS["path"] == bench.__name__


def test_a_shortened_lattice_keeps_its_paths_prices(rng: np.random.Generator) -> None:
    nodes = make_lattice(rng, 9, 8)
    small = bench.shortened(nodes, 5, 3)
    assert len(small) == 5
    assert int(np.diff(small.offset).max()) <= 3
    path = small.offset[:-1].copy()
    same = np.array(
        [
            np.flatnonzero(nodes.segment[nodes.nodes(step)] == small.segment[node])[0] + nodes.offset[step]
            for step, node in enumerate(path)
        ]
    )
    assert lattice.path_terms(small, path, WEIGHTS, LIMITS).sum() == pytest.approx(
        naive_cost(nodes, same, LIMITS), abs=1e-5
    )


def test_a_medley_is_its_parts_in_a_row(rng: np.random.Generator) -> None:
    parts = [make_lattice(rng, 4, 5), make_lattice(rng, 3, 5)]
    whole = bench.medley(parts, 9)
    assert len(whole) == 9
    assert np.all(np.diff(whole.middle_s) > 0.0)
    np.testing.assert_array_equal(np.diff(whole.offset)[:4], np.diff(parts[0].offset))
    np.testing.assert_allclose(whole.unary[: len(parts[0].segment)], parts[0].unary)
    assert whole.middle_s[4] == pytest.approx(parts[0].middle_s[-1] + parts[0].seconds[-1] / 2 + parts[1].middle_s[0])


def test_the_peer_finds_the_optimum_where_it_keeps_everything(rng: np.random.Generator) -> None:
    """Without memory, stage and runs, its cheapest path of all is Viterbi's."""
    nodes = make_lattice(rng, 6, 5)
    relaxation = lattice.relax(nodes, WEIGHTS)
    path, cpu_ms = path_peer.beam(relaxation.net, relaxation.rules, 5**6)
    assert path_kernel.path_price(relaxation.net, relaxation.rules, path) == pytest.approx(relaxation.cost, abs=1e-5)
    assert cpu_ms > 0.0


def test_goals_fail_where_they_are_missed() -> None:
    def row(name: str, width: int, cost: float, cpu_ms: float) -> dict[str, object]:
        return {
            "kind": "song", "row": name, "width": width, "song": "a", "steps": 9, "nodes": 9, "cost": cost, "bound": 9.0,
            "gap": 1.0 - 9.0 / cost, "plain_gap": 0.5, "cpu_ms": cpu_ms, "joins_ms": 1.0, "excess": 0.0,
        }  # fmt: skip

    rows = [
        row(bench.GUIDED, 16, 10.0, 1.0), row(bench.SEARCH, 16, 10.0, 3.0), row(bench.SEARCH, 64, 9.9, 9.0),
        row(bench.PLAIN, 64, 9.5, 9.0), row(bench.PEER, 64, 12.0, 500.0), row(bench.PLANNER, PlanOptions().beam, 9.05, 90.0),
        {"kind": "enumerated", "row": bench.SEARCH, "excess": 0.0, "bound": 9.1, "optimum": 9.0},
    ]  # fmt: skip
    verdicts = [goal["verdict"] for goal in bench.goals(rows, (16, 64))]
    assert verdicts == [
        "pass", "FAIL", "FAIL", "FAIL", "FAIL", "FAIL", "FAIL", "FAIL", "pass", "pass", "pass", "FAIL",
    ]  # fmt: skip
