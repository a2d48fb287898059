"""Drift: how far a library has moved from the clips that its statistics were taken from.

`rhythm` ranks speed, accents and clarity among the library's own, and boundary features are divided by the library's spread.
While clips come and go these stay as they are, so that nothing old has to be embedded again; what they have become can be
read from the arrays, because an embedding holds the ranks themselves. Where they have moved by more than `LIMIT`, the commit
that moved them fits everything anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from choreodb.indexer.boundaries import BoundaryWeights
from choreodb.indexer.encoders import rhythm
from choreodb.storage.store import Store

LIMIT = 0.01
"""A hundredth: of the library's segments, by which any rank may be off, or of a spread. On two thousand segments of the troupe
that leaves 99 % of the sixteen nearest, and of the edges, that a new fit has; two hundredths leave 98.5 %."""

SMALL = 1_000
"""Up to so many captured segments everything is fitted anew whenever clips come in: it takes seconds."""

_POINTS = 64
_ROWS = 50_000

Floats = npt.NDArray[np.float32]


def state(arrays: Mapping[str, Any], rows: npt.NDArray[np.int64], encoder: Mapping[str, Any]) -> dict[str, Any]:
    """What the manifest keeps of a fit: how ranks and spreads lie in the captured, unmirrored `rows` of the arrays.

    encoder: `meta` of it; a trained one has no ranks.
    """
    chosen = rows[:: max(1, len(rows) // _ROWS)]
    ranks = {}
    if encoder.get("name") == rhythm.RhythmEncoder.name:
        config = rhythm.config_of(encoder)
        embeddings = np.asarray(arrays["embeddings"][chosen])
        ranks = {name: _shares(values) for name, values in rhythm.ranks(embeddings, config).items()}
    return {"segments": len(rows), "ranks": ranks, "spread": _spreads(np.asarray(arrays["entry"][chosen]))}


def captured(store: Store) -> npt.NDArray[np.int64]:
    """The rows of a library's segments that are neither mirrored nor of virtual copies."""
    clips = store.columns("clips", ["clip", "copy_of"])
    own = clips.column("clip").filter(pc.is_null(clips.column("copy_of"))).combine_chunks()
    segments = store.columns("segments", ["clip", "mirrored"])
    plain = pc.and_(pc.is_in(segments.column("clip"), value_set=own), pc.invert(segments.column("mirrored")))
    return np.flatnonzero(plain.to_numpy())


def between(fit: Mapping[str, Any], now: Mapping[str, Any]) -> float:
    """The larger of: the share of segments by which a rank is off, and the relative change of a spread; inf where these are
    not of one kind of encoder."""
    if fit["ranks"].keys() != now["ranks"].keys() or fit["spread"].keys() != now["spread"].keys():
        return float("inf")
    moved = [0.0]
    for name, shares in fit["ranks"].items():
        moved.append(float(np.abs(np.subtract(shares, now["ranks"][name])).max()))
    for name, before in fit["spread"].items():
        moved.append(abs(now["spread"][name] / max(before, 1e-9) - 1.0))
    return max(moved)


def _shares(ranks: npt.NDArray[np.float64]) -> list[float]:
    """Share of the ranks below each of 64 points, which lie where no quantile does."""
    points = (np.arange(_POINTS) + 0.493) / _POINTS
    below = np.searchsorted(np.sort(ranks), points)
    return [round(float(value), 6) for value in below / max(len(ranks), 1)]


def _spreads(entry: Floats) -> dict[str, float]:
    """Root of the total variance of every part of the boundary features."""
    out, first = {}, 0
    for name, size in part_sizes(entry.shape[1]).items():
        part = entry[:, first : first + size].astype(np.float64)
        out[name] = round(float(np.sqrt(part.var(axis=0).sum())) if len(part) else 0.0, 6)
        first += size
    return out


def part_sizes(width: int) -> dict[str, int]:
    """Columns of each part of boundary features of `width` columns; one part where they are none of ours."""
    from choreodb.indexer.boundaries import BoundaryConfig
    from choreodb.motion.skeleton import CHOREO22

    joints, offsets = len(CHOREO22) - 1, len(BoundaryConfig().offsets)
    sizes = {
        "pose": 3 * joints * offsets, "velocity": 3 * joints, "stance": 6 * offsets, "contacts": 2 * offsets,
        "travel": 3 * offsets, "turn": offsets, "height": offsets,
    }  # fmt: skip
    if sum(sizes.values()) != width or set(sizes) != set(BoundaryWeights.__dataclass_fields__):
        return {"all": width}
    return sizes
