"""What a transition graph looks like: components, degrees, hubs, dead ends, and the ways into each style."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from choreodb.storage.store import Store

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_HUBS = 8
_LISTED = 12


@dataclass(frozen=True, slots=True)
class GraphReport:
    """Facts about the graph of one library version.

    components: sizes of the strongly connected components, largest first. cut: segments outside the largest, by the
    reason: `dead end` has no way on, `leads out` has one but none back, `entered by nothing` only leads in, `elsewhere`
    lies in a smaller component. out_degree, in_degree: how many segments have so many edges, continuations included.
    hubs: the most entered segments. dead_ends: segments that nothing follows. styles: of each style, how many segments
    it has, how many segments of other styles lead into it, and the mean cost of those edges. ways: [styles, styles]
    number of edges from one style (row) into another (column).
    """

    segments: int
    transitions: int
    continuations: int
    components: tuple[int, ...]
    cut: dict[str, int]
    cut_seconds: dict[str, float]
    out_degree: dict[int, int]
    in_degree: dict[int, int]
    hubs: tuple[dict[str, Any], ...]
    dead_ends: tuple[dict[str, Any], ...]
    styles: dict[str, dict[str, Any]]
    ways: tuple[tuple[int, ...], ...]
    cost_quantiles: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """One JSON document (`docs/schema/graph.schema.json`)."""
        document = {"schema_version": 1, **asdict(self)}
        for name in ("out_degree", "in_degree"):
            document[name] = {str(degree): count for degree, count in document[name].items()}
        return document

    def text(self) -> str:
        """The same for people."""
        largest = self.components[0] if self.components else 0
        lines = [
            f"{self.segments} segments, {self.transitions} transitions, {self.continuations} of them continuations",
            f"{len(self.components)} strongly connected components; the largest, in which every dance stays, has "
            f"{largest} segments",
        ]
        lines += [f"  cut: {count} segments, {self.cut_seconds[why]:.1f} s: {why}" for why, count in self.cut.items()]
        lines.append(f"ways on: {_spread(self.out_degree)}; ways in: {_spread(self.in_degree)}")
        shown = ", ".join(f"{name} {value:.3f}" for name, value in self.cost_quantiles.items())
        lines.append(f"cost of a transition (1 is a random cut): {shown or 'none'}")
        lines += [f"hub: {_named(row)} entered from {row['entered_from']} segments" for row in self.hubs]
        lines += [f"dead end: {_named(row)}" for row in self.dead_ends[:_LISTED]]
        if len(self.dead_ends) > _LISTED:
            lines.append(f"and {len(self.dead_ends) - _LISTED} more dead ends")
        for name, style in self.styles.items():
            cost = "-" if style["mean_cost"] is None else f"{style['mean_cost']:.3f}"
            lines.append(
                f"style {name}: {style['segments']} segments, entered from {style['entered_from']} segments of other "
                f"styles at a mean cost of {cost}"
            )
        return "\n".join(lines)


def _spread(degrees: dict[int, int]) -> str:
    values = np.repeat(list(degrees), list(degrees.values()))
    if len(values) == 0:
        return "none"
    return f"{int(values.min())} to {int(values.max())}, median {int(np.median(values))}"


def _named(row: dict[str, Any]) -> str:
    turned = " mirrored" if row["mirrored"] else ""
    return f"segment {row['segment']}, {row['clip']} {row['start_s']:.2f}-{row['end_s']:.2f} s{turned}"


def graph_report(store: Store) -> GraphReport:
    """Measure the transition graph of an opened store; linear in its edges."""
    segments = store.columns("segments", ["clip", "start_s", "end_s", "mirrored"])
    table = store.table("transitions")
    source, target = (np.asarray(table.column(name).to_numpy(), dtype=np.int64) for name in ("source", "target"))
    goes_on = np.asarray(table.column("continuation").to_numpy(zero_copy_only=False), dtype=bool)
    cost = np.asarray(table.column("cost").to_numpy(), dtype=np.float64)
    count = segments.num_rows
    start, end = (np.asarray(segments.column(name).to_numpy(), dtype=np.float64) for name in ("start_s", "end_s"))
    labels, sizes = _components(count, source, target)
    leaves, enters = np.bincount(source, minlength=count), np.bincount(target, minlength=count)
    cut = _reasons(labels, sizes, source, target, leaves, enters)
    names, style = _styles(store, segments)
    hubs = np.lexsort((np.arange(count), -enters))[: min(_HUBS, count)]
    return GraphReport(
        segments=count,
        transitions=len(source),
        continuations=int(goes_on.sum()),
        components=tuple(sorted((int(size) for size in sizes), reverse=True)),
        cut={why: int(mask.sum()) for why, mask in cut.items()},
        cut_seconds={why: round(float((end - start)[mask].sum()), 3) for why, mask in cut.items()},
        out_degree=_histogram(leaves),
        in_degree=_histogram(enters),
        hubs=tuple(_row(segments, at) | {"entered_from": int(enters[at])} for at in hubs.tolist() if enters[at]),
        dead_ends=tuple(_row(segments, at) for at in np.flatnonzero(leaves == 0).tolist()),
        styles=_entries(names, style, source, target, cost),
        ways=_ways(names, style, source, target),
        cost_quantiles=_quantiles(cost[~goes_on]),
    )


def _components(count: int, source: Ints, target: Ints) -> tuple[Ints, Ints]:
    """Label of every segment's strongly connected component [S], and their sizes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if count == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    matrix = coo_array((np.ones(len(source), dtype=np.int8), (source, target)), shape=(count, count)).tocsr()
    _, labels = connected_components(matrix, directed=True, connection="strong")
    return labels.astype(np.int64), np.bincount(labels)


def _reasons(
    labels: Ints, sizes: Ints, source: Ints, target: Ints, leaves: Ints, enters: Ints
) -> dict[str, npt.NDArray[np.bool_]]:
    """Why each segment outside the largest component is outside; every one has exactly one reason."""
    if len(labels) == 0:
        return {}
    main = labels == labels[int(np.argmax(sizes[labels]))]
    out = ~main
    dead = out & (leaves == 0)
    unentered = out & ~dead & (enters == 0)
    alone = out & ~dead & ~unentered & (sizes[labels] == 1)
    leads_in = np.zeros(len(labels), dtype=bool)
    leads_in[target[main[source]]] = True
    leads_out = alone & leads_in
    rest = out & ~dead & ~unentered & ~leads_out
    return {"dead end": dead, "entered by nothing": unentered, "leads out": leads_out, "elsewhere": rest}


def _histogram(degrees: Ints) -> dict[int, int]:
    counts = np.bincount(degrees) if len(degrees) else np.zeros(0, dtype=np.int64)
    return {degree: int(count) for degree, count in enumerate(counts) if count}


def _quantiles(cost: Floats) -> dict[str, float]:
    if len(cost) == 0:
        return {}
    values = np.quantile(cost, [0.05, 0.5, 0.95])
    return {name: round(float(value), 6) for name, value in zip(("p5", "median", "p95"), values, strict=True)}


def _row(segments: Any, at: int) -> dict[str, Any]:
    row: dict[str, Any] = segments.slice(at, 1).to_pylist()[0]
    return {"segment": at, **row}


def _styles(store: Store, segments: Any) -> tuple[tuple[str, ...], Ints]:
    """Names of the styles, `unknown` for none, and the code of each segment's."""
    clips = store.columns("clips", ["clip", "style"])
    of_clip = dict(zip(clips.column("clip").to_pylist(), clips.column("style").to_pylist(), strict=True))
    labels = [of_clip[name] or "unknown" for name in segments.column("clip").to_pylist()]
    names, codes = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
    return tuple(names.tolist()), codes.astype(np.int64)


def _entries(
    names: tuple[str, ...], style: Ints, source: Ints, target: Ints, cost: Floats
) -> dict[str, dict[str, Any]]:
    found = {}
    foreign = style[source] != style[target] if len(source) else np.zeros(0, dtype=bool)
    for code, name in enumerate(names):
        into = foreign & (style[target] == code)
        found[name] = {
            "segments": int((style == code).sum()),
            "entered_from": len(np.unique(source[into])),
            "mean_cost": round(float(cost[into].mean()), 6) if into.any() else None,
        }
    return found


def _ways(names: tuple[str, ...], style: Ints, source: Ints, target: Ints) -> tuple[tuple[int, ...], ...]:
    flat = np.bincount(style[source] * len(names) + style[target], minlength=len(names) ** 2)
    return tuple(tuple(row) for row in flat.reshape(len(names), len(names)).tolist())
