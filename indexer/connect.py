"""From the segments of all clips to what is searched: one segments table, embeddings, boundary features, graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from choreodb.indexer import boundaries, drift, outline, travel, twins
from choreodb.indexer.boundaries import BoundaryConfig
from choreodb.indexer.encoders import rhythm
from choreodb.indexer.encoders.base import Encoder
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.indexer.ingest import ClipSegments
from choreodb.storage import graph
from choreodb.storage.tables import ARRAYS, SEGMENTS, TRANSITIONS


@dataclass(frozen=True, slots=True)
class GraphConfig:
    """degree: nearest targets kept per segment; in_degree: nearest sources, so that unusual ones can be reached, too.
    threshold: costlier edges are cut (a random cut costs 1; from 0.6 one sees limbs jump)."""

    degree: int = 16
    in_degree: int = 4
    threshold: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Connected:
    """Tables and arrays of a library's segments, and what the queries need to know of them."""

    segments: pa.Table
    transitions: pa.Table
    arrays: dict[str, npt.NDArray[Any]]
    encoder: Encoder
    meta: dict[str, Any]
    models: dict[str, bytes]


def connect(
    clips: Sequence[Mapping[str, Any]],
    described: Sequence[ClipSegments],
    unmirrored: frozenset[str] = frozenset(),
    config: GraphConfig | None = None,
    trained: Trained | None = None,
) -> Connected:
    """Join the segments of `clips` (rows of the clips table, sorted by id) with their descriptions, one for each.

    Rows go by clip, mirrored, first bar. A clip in `unmirrored` gets no mirror image. Statistics are over the whole
    library, so that the result does not depend on the order in which clips came in. trained: the encoder that made
    `embedded` of the descriptions; without one, `rhythm` is fitted to them.
    """
    config = config or GraphConfig()
    rows_of, encoder = _embedding(described, trained)
    lines = [part for clip in described for part in (clip.entry, clip.mirrored_entry)]
    exact = boundaries.spreads(boundaries.gathered(lines))
    # what later commits scale their clips by is what the manifest says
    spread = {name: float(f"{value:.9g}") for name, value in exact.items()}
    columns, arrays = lay_out(clips, described, unmirrored, rows_of, spread)
    transitions, walkable = _graph(columns, arrays, config)
    twin = _twins(columns, described)
    for number, (values, reachable) in enumerate(zip(columns, walkable.tolist(), strict=True)):
        values["walkable"] = reachable
        values["twin_group"] = int(twin[number])
    about = encoder.meta() if trained is None else trained.meta
    plain = np.flatnonzero([not row["mirrored"] for row in columns])
    return Connected(
        segments=pa.Table.from_pylist(columns, schema=SEGMENTS),
        transitions=transitions,
        arrays=arrays,
        encoder=encoder,
        meta={
            "encoder": about,
            "boundary": {"config": asdict(BoundaryConfig()), "spread": spread},
            "fit": drift.state(arrays, plain, about),
            "graph": asdict(config),
        },
        models={} if trained is None else trained.models,
    )


def lay_out(
    clips: Sequence[Mapping[str, Any]],
    described: Sequence[ClipSegments],
    unmirrored: frozenset[str],
    rows_of: Callable[[ClipSegments], npt.NDArray[np.float32]],
    spread: Mapping[str, float],
) -> tuple[list[dict[str, Any]], dict[str, npt.NDArray[Any]]]:
    """Rows of the segments table and of the arrays of some clips, as if they were the whole library.

    rows_of: the embeddings of a clip. spread: of `boundaries.spreads`. Twins and what is walkable are left open.
    """
    parts: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in ARRAYS}
    columns: list[dict[str, Any]] = []
    for row, clip in zip(clips, described, strict=True):
        embedded, shape = rows_of(clip), outline.stored(clip.poses)
        for mirrored in (False,) if row["clip"] in unmirrored else (False, True):
            starts, ends = (clip.mirrored_entry, clip.mirrored_leave) if mirrored else (clip.entry, clip.leave)
            parts["embeddings"].append(embedded)
            parts["entry"].append(boundaries.features(starts, dict(spread)))
            parts["exit"].append(boundaries.features(ends, dict(spread)))
            parts["travel"].append(clip.travel * travel.MIRROR if mirrored else clip.travel)
            parts["accents"].append(clip.timing)
            parts["outline"].append(shape)
            first = len(columns)
            columns += [_row(row, clip, number, first, mirrored) for number in range(len(clip.cuts))]
    return columns, {name: np.concatenate(part) if part else np.empty((0, 0)) for name, part in parts.items()}


def _embedding(
    described: Sequence[ClipSegments], trained: Trained | None
) -> tuple[Callable[[ClipSegments], npt.NDArray[np.float32]], Encoder]:
    """How the segments of a clip are embedded, and by what."""
    if trained is not None:
        return embedded, trained.encoder
    fitted = RhythmEncoder.fit(rhythm.gathered([clip.rhythm for clip in described]))
    return lambda clip: fitted.embed(clip.rhythm), fitted


def embedded(clip: ClipSegments) -> npt.NDArray[np.float32]:
    """The rows of a clip that a trained encoder has embedded."""
    if clip.embedded is None:
        raise ValueError("a clip was not embedded by the library's trained encoder")
    return clip.embedded


def _row(row: Mapping[str, Any], clip: ClipSegments, number: int, first: int, mirrored: bool) -> dict[str, Any]:
    """One row of the segments table; `first` is the row number of the clip's first segment in this mirroring."""
    cut = clip.cuts[number]
    beats = len(cut.beats_s) > 1
    return {
        "segment": first + number,
        "clip": row["clip"],
        "first_bar": cut.first_bar,
        "bars": 1,
        "start_s": cut.start_s,
        "end_s": cut.end_s,
        "beats_s": cut.beats_s.tolist(),
        "tempo_bpm": 60.0 / float(np.median(np.diff(cut.beats_s))) if beats else None,
        "metre": cut.metre if beats else None,
        "beat_source": row["beat_source"] if beats else "none",
        "energy": float(clip.energy[number]),
        "mirrored": mirrored,
        "short": cut.short,
        "walkable": False,
        "continuation": first + number + 1 if cut.continues else -1,
        "origin": row["source_sha256"],
        "origin_start_s": row["source_start_s"] + cut.start_s,
        "origin_end_s": row["source_start_s"] + cut.end_s,
        "twin_group": -1,
    }


def _twins(rows: Sequence[Mapping[str, Any]], described: Sequence[ClipSegments]) -> npt.NDArray[np.int64]:
    """Twin group of every row; mirror images share their original's."""
    plain = [row for row in rows if not row["mirrored"]]
    found = twins.groups(
        np.concatenate([clip.poses for clip in described]),
        np.array([row["end_s"] - row["start_s"] for row in plain]),
        np.unique([row["origin"] for row in plain], return_inverse=True)[1].astype(np.int64),
        np.array([row["origin_start_s"] for row in plain]),
    )
    group = {(row["clip"], row["first_bar"]): found[i] for i, row in enumerate(plain)}
    return np.array([group[row["clip"], row["first_bar"]] for row in rows], dtype=np.int64)


def _graph(
    rows: Sequence[Mapping[str, Any]], arrays: Mapping[str, npt.NDArray[np.float32]], config: GraphConfig
) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    continuation = np.array([row["continuation"] for row in rows], dtype=np.int64)
    origin = np.unique([row["origin"] for row in rows], return_inverse=True)[1].astype(np.int64)
    start_s = np.array([row["origin_start_s"] for row in rows])
    end_s = np.array([row["origin_end_s"] for row in rows])
    source, target, cost = graph.link(
        arrays["entry"], arrays["exit"], continuation, degree=config.degree, in_degree=config.in_degree,
        threshold=config.threshold, origin=origin, start_s=start_s, end_s=end_s,
    )  # fmt: skip
    table = pa.table(
        {"source": source, "target": target, "cost": cost, "continuation": continuation[source] == target},
        schema=TRANSITIONS,
    )
    return table, graph.walkable(len(rows), source, target)
