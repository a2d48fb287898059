"""The query as a user would put it together from public packages, timed: what `bench latency` sets ours beside.

librosa loads the song and takes onset strength, beats, chroma and MFCC; a mean per bar asks for the nearest of the
library's vectors, one after another (hnswlib where it is installed, else a numpy product); a beam in Python walks a networkx graph of the
library's transitions. Nothing is stitched or written. The vectors stand in for what such a user would have indexed:
they have the right number and width, and the time does not depend on what is in them.
"""

from __future__ import annotations

import time

_BEGAN = time.perf_counter(), time.process_time()

import sys  # noqa: E402  (the clock starts before anything else is imported)
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from choreodb.benchmarks.runs.query_stages import Laps, Stopwatch, serve  # noqa: E402

STAGES = ("import librosa", "import", "open", "decode", "onset", "beats", "chroma", "mfcc", "neighbours", "beam")
CANDIDATES, BEAM, METRE = 128, 64, 4
"""Nodes of a step, as ours have (117 of 3,000 segments, 185 of 100,000); paths that are kept; beats of a bar."""
_HOP = 512
_OPEN: dict[Path, Any] = {}
"""A warm process has its library open, which takes the peer minutes at 100,000 segments."""


def query(library: Path, song: Path, _out: Path, watch: Stopwatch) -> Laps:
    """One path through the library for `song`. library: the .npz that `export` wrote."""
    import librosa
    from librosa.beat import beat_track
    from librosa.feature import chroma_stft, mfcc
    from librosa.onset import onset_strength

    watch.lap("import librosa")
    import networkx
    import numpy as np

    watch.lap("import")
    if library not in _OPEN:
        with np.load(library) as arrays:
            vectors, edges, costs = arrays["vectors"], arrays["edges"], arrays["costs"]
        graph = networkx.DiGraph()
        graph.add_weighted_edges_from(zip(edges[:, 0].tolist(), edges[:, 1].tolist(), costs.tolist(), strict=True))
        _OPEN[library] = vectors, graph, _index(vectors)
    vectors, graph, index = _OPEN[library]
    watch.lap("open")
    samples, rate = librosa.load(song, sr=22050, mono=True)
    watch.lap("decode")
    onset = onset_strength(y=samples, sr=rate, hop_length=_HOP)
    watch.lap("onset")
    beats = beat_track(onset_envelope=onset, sr=rate, hop_length=_HOP)[1]
    watch.lap("beats")
    chroma = chroma_stft(y=samples, sr=rate, hop_length=_HOP)
    watch.lap("chroma")
    timbre = mfcc(y=samples, sr=rate, hop_length=_HOP)
    watch.lap("mfcc")
    bars = beats[::METRE]
    per_bar = librosa.util.sync(np.concatenate([chroma, timbre]), bars).T
    asked = np.zeros((len(per_bar), vectors.shape[1]), dtype=np.float32)
    asked[:, : per_bar.shape[1]] = per_bar / np.maximum(np.linalg.norm(per_bar, axis=1, keepdims=True), 1e-9)
    nearest, distance = _neighbours(index, vectors, asked)
    watch.lap("neighbours")
    _beam(graph, nearest.tolist(), distance.tolist())
    watch.lap("beam")
    return watch.laps


def _index(vectors: Any) -> Any:
    """An hnswlib index, or None where it is not installed."""
    try:
        import hnswlib
    except ImportError:
        return None
    index = hnswlib.Index(space="cosine", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=100, M=16)
    index.add_items(vectors, num_threads=1)
    index.set_ef(2 * CANDIDATES)
    return index


def _neighbours(index: Any, vectors: Any, asked: Any) -> tuple[Any, Any]:
    import numpy as np

    count = min(CANDIDATES, len(vectors))
    if index is not None:
        found = [index.knn_query(one, k=count, num_threads=1) for one in asked]
        return np.concatenate([ids for ids, _ in found]), np.concatenate([away for _, away in found])
    scores = asked @ vectors.T
    nearest = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    return nearest, 1.0 - np.take_along_axis(scores, nearest, axis=1)


def _beam(graph: Any, nearest: list[list[int]], distance: list[list[float]]) -> list[int]:
    """The cheapest of `BEAM` paths kept from step to step; where the graph has no edge, a join costs 1."""
    paths: list[tuple[float, tuple[int, ...]]] = [
        (cost, (segment,)) for segment, cost in zip(nearest[0], distance[0], strict=True)
    ]
    paths = sorted(paths)[:BEAM]
    for segments, costs in zip(nearest[1:], distance[1:], strict=True):
        grown = []
        for total, path in paths:
            edges = graph.adj.get(path[-1], {})
            for segment, cost in zip(segments, costs, strict=True):
                edge = edges.get(segment)
                grown.append((total + cost + (edge["weight"] if edge is not None else 1.0), (*path, segment)))
        grown.sort()
        paths = grown[:BEAM]
    return list(paths[0][1])


if __name__ == "__main__":
    serve(query, sys.argv[1:], _BEGAN)
