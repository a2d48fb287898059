"""`bench path`: what searches find in the lattices of real songs, how far from the lower bound, and in what time.

Every search gets the same closed lattices (real boundary features, all cost terms) and is priced by the same function. Joins
are priced once a lattice, outside the searches' clocks, and so are the edges of the networkx graph that the peer walks.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from choreodb.benchmarks.runs import path_peer
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.plots import Figure, Lines
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.benchmarks.runs.verdicts import said
from choreodb.errors import QueryError
from choreodb.retriever import beam_kernel, lattice, path_kernel, planner, prices
from choreodb.retriever.costs import IntArray
from choreodb.retriever.lattice import Lattice, Relaxation
from choreodb.retriever.options import PlanOptions

if TYPE_CHECKING:
    from choreodb.storage.store import Store

PLAIN, GUIDED, PRICED, SEARCH = "plain beam", "guided beam", "priced beam", "search"
GREEDY, PEER, PLANNER = "greedy", "networkx beam", "planner, with certificate"
WIDTHS, QUICK_WIDTHS = (1, 4, 16, 64, 256, 1024, 4096), (1, 16)
WIDEST_PLAIN = 1024
LONG_STEPS, QUICK_LONG_STEPS = 400, 60
PEER_WIDTH = 64
FASTER, NEAR, GAP = 300.0, 0.005, 0.01
"""The goals: times faster than the peer, share dearer than the widest search, and median gap."""

_SMALL_STEPS, _SMALL_NODES = 6, 5
_EXACT = 1e-5
"""Features are held in single precision."""

WATCHED = {
    "cost": Watch("lower", relative=0.01),
    "gap": Watch("lower", least=0.005),
    "cpu_ms": Watch("lower", relative=0.15, timing=True),
    "ratio": Watch("higher", relative=0.15, timing=True),
}


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A closed lattice. relaxation: its plain bound; bound: with prices, and togo, the guide they give."""

    name: str
    nodes: Lattice
    relaxation: Relaxation
    relax_ms: float
    priced: prices.Priced
    price_ms: float
    options: PlanOptions

    def cost(self, path: IntArray) -> float:
        """Exact cost of a path [N]."""
        limits = planner.limits_of(self.options)
        return float(lattice.path_terms(self.nodes, path, self.options.weights, limits).sum())


def run(request: BenchRequest) -> BenchResult:
    """On the request's library and songs; QueryError where either is missing."""
    from choreodb.storage.store import Store

    if request.library is None or not request.songs:
        raise QueryError("bench path needs a library and songs; give `bench path LIB SONG...`")
    widths = QUICK_WIDTHS if request.quick else WIDTHS
    store = Store.open(request.library)
    long_steps = QUICK_LONG_STEPS if request.quick else LONG_STEPS
    rows = bench_path(store, request.songs, widths, long_steps, progress=request.progress)
    return BenchResult("path", rows, format_table(rows), figures(rows))


def bench_path(
    store: Store, songs: Sequence[Path], widths: Sequence[int], long_steps: int, *, progress: Callable[..., None]
) -> list[Row]:
    """Rows by song, by search and width, of small lattices against enumeration, and of the goals."""
    options = PlanOptions()
    nodes = {song.name: lattice_of(store, song, options) for song in songs}
    nodes[f"{long_steps} steps"] = medley(list(nodes.values()), long_steps)
    rows: list[Row] = []
    for number, (name, each) in enumerate(nodes.items()):
        progress(f"path: {name}", number, len(nodes))
        rows += _searched(_case(name, each, options), widths)
    rows += [_enumerated(name, each, options) for name, each in nodes.items()]
    return [*rows, *summary(rows, widths), *goals(rows, widths)]


def lattice_of(store: Store, song: Path, options: PlanOptions) -> Lattice:
    """The closed lattice of the beat hypothesis that the planner chooses for a song."""
    from choreodb.indexer.encoders import recorded
    from choreodb.music.music import Music
    from choreodb.retriever import candidates

    music = Music.load(song)
    pool = candidates.load_pool(store)
    encoder = recorded.of_store(store)
    queries = [planner.ask(pool, music, grid, encoder, options) for grid in music.grids]
    _, solution, _ = planner._weighed(pool, music, queries, options)
    return solution.choices.lattice


def medley(parts: Sequence[Lattice], steps: int) -> Lattice:
    """The lattices of songs one after the other, from the first again, until there are `steps` steps."""
    chosen: list[Lattice] = []
    for part in itertools.cycle(parts):
        if sum(map(len, chosen)) >= steps:
            break
        chosen.append(part)
    ends_s = [float(part.middle_s[-1] + 0.5 * part.seconds[-1]) for part in chosen]
    shifts_s = np.concatenate([[0.0], np.cumsum(ends_s[:-1])])
    joined = {
        name: np.concatenate([getattr(part, name) for part in chosen])
        for name in Lattice.__dataclass_fields__
        if name not in ("offset", "middle_s", "boundaries")
    }
    sizes = np.concatenate([np.diff(part.offset) for part in chosen])
    middle_s = np.concatenate([part.middle_s + shift for part, shift in zip(chosen, shifts_s, strict=True)])
    whole = Lattice(
        offset=np.concatenate([[0], np.cumsum(sizes)]), middle_s=middle_s, boundaries=chosen[0].boundaries, **joined
    )
    return shortened(whole, steps, int(sizes.max()))


def shortened(nodes: Lattice, steps: int, width: int) -> Lattice:
    """The first `steps` steps, of each of them the `width` cheapest nodes by themselves."""
    kept = []
    for step in range(min(steps, len(nodes))):
        here = nodes.nodes(step)
        kept.append(here.start + np.sort(np.argsort(nodes.unary[here], kind="stable")[:width]))
    return nodes.taken(np.concatenate(kept), 0, len(kept))


def _case(name: str, nodes: Lattice, options: PlanOptions) -> Case:
    """A lattice with its bounds, timed after calls that may compile."""
    limits = planner.limits_of(options)
    lattice.relax(shortened(nodes, 2, 2), options.weights, limits)
    relaxation, relax_ms = _timed(lambda: lattice.relax(nodes, options.weights, limits))
    path = lattice.search(nodes, relaxation, options.weights, options.beam, limits)
    upper = path_kernel.path_price(relaxation.net, relaxation.rules, path)
    prices.tighten(relaxation, upper, path, rounds=1, iterations=1)
    priced, price_ms = _timed(lambda: prices.tighten(relaxation, upper, path))
    return Case(name, nodes, relaxation, relax_ms, priced, price_ms, options)


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and its CPU ms."""
    began = time.process_time()
    result = call()
    return result, 1e3 * (time.process_time() - began)


def _searched(case: Case, widths: Sequence[int]) -> list[Row]:
    """Rows of every search of one lattice, after one that is not timed, which may compile."""
    _search(case, 1)
    found = [_row(case, GREEDY, 1, lambda: _beam(case, 0.0 * case.priced.togo, 1, 1))]
    for width in widths:
        share = max(1, width // lattice.NODE_SHARE)
        if width <= WIDEST_PLAIN:
            found.append(_row(case, PLAIN, width, partial(_beam, case, 0.0 * case.priced.togo, width, width)))
        found.append(_row(case, GUIDED, width, partial(_beam, case, case.relaxation.togo, width, share)))
        if width <= WIDEST_PLAIN:
            found.append(_row(case, PRICED, width, partial(_beam, case, case.priced.togo, width, share)))
        found.append(_row(case, SEARCH, width, partial(_search, case, width)))
    found.append(_peer_row(case))
    found.append(_planner_row(case))
    best = min(row["cost"] for row in found)
    for row in found:
        row["excess"] = row["cost"] / best - 1.0
    return found


def _search(case: Case, width: int) -> IntArray:
    limits = planner.limits_of(case.options)
    return lattice.search(case.nodes, case.relaxation, case.options.weights, width, limits)


def _beam(case: Case, togo: Any, width: int, share: int) -> IntArray:
    steps = len(case.nodes)
    given = np.zeros(steps, dtype=np.int64)
    net, rules = case.relaxation.net, case.relaxation.rules
    return beam_kernel.beam(net, rules, togo, given, 0, steps, width, share, np.inf)


def _row(case: Case, name: str, width: int, search: Callable[[], IntArray]) -> Row:
    path, cpu_ms = _timed(search)
    return _stated(case, name, width, path, cpu_ms)


def _stated(case: Case, name: str, width: int, path: IntArray, cpu_ms: float) -> Row:
    cost = case.cost(path)
    return {
        "kind": "song", "row": name, "song": case.name, "stage": str(width), "width": width, "steps": len(case.nodes),
        "nodes": len(case.nodes.segment), "cost": cost, "bound": case.priced.cost,
        "gap": max(0.0, cost - case.priced.cost) / cost, "plain_gap": max(0.0, cost - case.relaxation.cost) / cost,
        "cpu_ms": cpu_ms, "joins_ms": case.relax_ms,
    }  # fmt: skip


def _peer_row(case: Case) -> Row:
    path, cpu_ms = path_peer.beam(case.relaxation.net, case.relaxation.rules, PEER_WIDTH)
    return _stated(case, PEER, PEER_WIDTH, path, cpu_ms)


def _planner_row(case: Case) -> Row:
    """What a plan does: search, prices, the beam that they guide, and polish; its gap is the one of reports."""
    options, nodes = case.options, case.nodes
    limits = planner.limits_of(options)

    def search() -> IntArray:
        path = lattice.search(nodes, case.relaxation, options.weights, options.beam, limits)
        guided = replace(case.relaxation, togo=case.priced.togo)
        other = lattice.polished(
            case.relaxation, lattice.beam_search(nodes, guided, options.weights, options.beam, limits)
        )
        return other[1] if other[0] < case.cost(path) else path

    row = _row(case, PLANNER, options.beam, search)
    return row | {"cpu_ms": row["cpu_ms"] + case.price_ms}


def _enumerated(name: str, nodes: Lattice, options: PlanOptions) -> Row:
    """The first steps of a lattice, few nodes each, by enumeration and by the search: cost over the optimum's."""
    small = shortened(nodes, _SMALL_STEPS, _SMALL_NODES)
    case = _case(name, small, options)
    net, rules = case.relaxation.net, case.relaxation.rules
    ranges = [range(small.nodes(step).start, small.nodes(step).stop) for step in range(len(small))]
    best = min(path_kernel.path_price(net, rules, np.array(path)) for path in itertools.product(*ranges))
    path = lattice.search(small, case.relaxation, options.weights, 16, planner.limits_of(options))
    return {
        "kind": "enumerated", "row": SEARCH, "song": name, "width": 16, "steps": len(small), "cost": case.cost(path),
        "optimum": best, "excess": max(0.0, case.cost(path) / best - 1.0), "bound": case.priced.cost,
        "gap": max(0.0, best - case.priced.cost) / best,
    }  # fmt: skip


def summary(rows: Sequence[Row], widths: Sequence[int]) -> list[Row]:
    """Means over the songs of every search at every width."""
    songs = [row for row in rows if row["kind"] == "song"]
    names = dict.fromkeys((row["row"], row["width"]) for row in songs)
    return [_mean(name, width, [row for row in songs if (row["row"], row["width"]) == (name, width)])
            for name, width in sorted(names, key=lambda each: (list(_ORDER).index(each[0]), each[1]))]  # fmt: skip


_ORDER = (GREEDY, PLAIN, GUIDED, PRICED, SEARCH, PLANNER, PEER)


def _mean(name: str, width: int, rows: Sequence[Row]) -> Row:
    return {
        "kind": "mean", "row": name, "stage": str(width), "width": width, "songs": len(rows), "steps": sum(row["steps"] for row in rows),
        "cost": sum(row["cost"] for row in rows), "excess": mean(row["excess"] for row in rows),
        "gap": median(row["gap"] for row in rows), "plain_gap": median(row["plain_gap"] for row in rows),
        "cpu_ms": sum(row["cpu_ms"] for row in rows), "joins_ms": sum(row["joins_ms"] for row in rows),
    }  # fmt: skip


def goals(rows: Sequence[Row], widths: Sequence[int]) -> list[Row]:
    """Every goal with what was measured, passed or not; of the means over all songs."""
    of = {(row["row"], row["width"]): row for row in summary(rows, widths)}
    usual = max(width for width in widths if width <= PlanOptions().beam)
    ours, peer, certified = of[SEARCH, usual], of[PEER, PEER_WIDTH], of[PLANNER, PlanOptions().beam]
    guided = of[GUIDED, 16]
    wide_plain = of[PLAIN, max(width for width in widths if width <= 256)]
    widest = of[SEARCH, max(widths)]
    lines = [
        (f"{GUIDED} 16 against the {PEER} {PEER_WIDTH}, CPU, joins priced before", peer["cpu_ms"] / guided["cpu_ms"], FASTER),
        (f"{SEARCH} {usual}, a plan's, against it", peer["cpu_ms"] / ours["cpu_ms"], FASTER),
        (f"{SEARCH} {usual} with our joins in the clock against it",
         peer["cpu_ms"] / (ours["cpu_ms"] + ours["joins_ms"]), FASTER),
    ]  # fmt: skip
    found = [
        {"kind": "goal", "row": name, "ratio": ratio, "goal": f">= {least:g}", "verdict": said(ratio >= least)}
        for name, ratio, least in lines
    ]
    for name, row in ((f"{GUIDED} 16", guided), (f"{SEARCH} 16", of[SEARCH, 16]), (f"{SEARCH} {usual}", ours)):
        dearer, beyond = (row["cost"] / other["cost"] - 1.0 for other in (wide_plain, widest))
        found.append(_share(f"cost of {name} over {PLAIN} {wide_plain['width']}", dearer, 0.0))
        found.append(_share(f"cost of {name} over {SEARCH} {widest['width']}", beyond, NEAR))
    found.append(_share("gap_in_lattice, median over songs", certified["gap"], GAP))
    small = [row for row in rows if row["kind"] == "enumerated"]
    worst = max(row["excess"] for row in small)
    above = max(row["bound"] / row["optimum"] - 1.0 for row in small)
    found.append(_share("cost over the optimum of small lattices, worst", worst, _EXACT))
    found.append(_share("lower bound over the optimum of small lattices, worst", above, _EXACT))
    return found


def _share(name: str, share: float, most: float) -> Row:
    return {
        "kind": "goal",
        "row": name,
        "share": share,
        "goal": f"<= {100.0 * most:g} %",
        "verdict": said(share <= most),
    }


_COLUMNS = (
    Column("row", "search", "s"),
    Column("width", "width", ".0f"),
    Column("cost", "cost", ".2f"),
    Column("excess", "over the best found", "%"),
    Column("gap", "gap, median", "%"),
    Column("plain_gap", "without prices", "%"),
    Column("cpu_ms", "CPU ms", ".1f"),
    Column("joins_ms", "joins ms", ".1f"),
)
_SONG_COLUMNS = (
    Column("song", "song", "s"),
    Column("steps", "steps", ".0f"),
    Column("nodes", "nodes", ".0f"),
    Column("cost", "cost", ".2f"),
    Column("bound", "bound", ".2f"),
    Column("gap", "gap", "%"),
    Column("plain_gap", "without prices", "%"),
    Column("cpu_ms", "CPU ms", ".1f"),
)
_SMALL_COLUMNS = (
    Column("song", "first steps of", "s"),
    Column("optimum", "optimum", ".4f"),
    Column("cost", "search 16", ".4f"),
    Column("bound", "bound", ".4f"),
)
_GOAL_COLUMNS = (
    Column("row", "", "s"),
    Column("ratio", "times", ".0f"),
    Column("share", "share", "%"),
    Column("goal", "goal", "s"),
    Column("verdict", "", "s"),
)


def format_table(rows: Sequence[Row]) -> str:
    """Sums over all songs by search, the planner's row of each song, enumeration, and the goals."""
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("mean", "enumerated", "goal")}
    certified = [row for row in rows if row["kind"] == "song" and row["row"] == PLANNER]
    return "\n\n".join(
        [markdown(kinds["mean"], _COLUMNS), _LEGEND, markdown(certified, _SONG_COLUMNS),
         markdown(kinds["enumerated"], _SMALL_COLUMNS), markdown(kinds["goal"], _GOAL_COLUMNS)]
    )  # fmt: skip


_LEGEND = (
    "Costs and CPU are sums over the songs and the long lattice, gaps medians (of the cost, against the bound with prices). "
    f"Plain: a beam without cost-to-go, as many paths to a node as there are. Guided: by the relaxation's cost-to-go. Priced: by that with "
    f"prices. Search: a beam under {lattice.GUIDE:g} of it, polished window by window. The {PEER} walks a DiGraph in Python, "
    "counts repetition only, and is priced by all terms afterwards; its edges, like our joins, are made outside the clock. "
    f"{_SMALL_STEPS} steps of {_SMALL_NODES} nodes were enumerated."
)


def figures(rows: Sequence[Row]) -> tuple[Figure, ...]:
    """Cost over the best found against CPU time, by search."""
    series: list[tuple[str, tuple[float, ...], tuple[float, ...]]] = []
    for name in (PLAIN, GUIDED, PRICED, SEARCH):
        own = [row for row in rows if row["kind"] == "mean" and row["row"] == name]
        series.append(
            (
                name,
                tuple(float(np.log10(max(row["cpu_ms"], 1e-3))) for row in own),
                tuple(100.0 * row["excess"] for row in own),
            )
        )
    return (Lines("path-width", "Cost over the best found, %", "log10 of CPU ms, all songs", tuple(series)),)
