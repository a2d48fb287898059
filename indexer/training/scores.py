"""How well two sides of crops find each other: areas under the curve, chance one half."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from choreodb.indexer.training.takes import Take

Flags = npt.NDArray[np.bool_]


def figures(found: npt.NDArray[np.float32], takes: Sequence[Take]) -> dict[str, float]:
    """AUCs of scores [N, N] between crops of `takes`: `song` (own song against others), `style` where two are known."""
    song = np.array([take.song for take in takes])
    style = np.array([take.style or "" for take in takes])
    out = {"song": auc(found, song[:, None] == song, song)}
    if len(set(style) - {""}) > 1:
        out["style"] = auc(found, style[:, None] == style, style)
    return out


def auc(found: npt.NDArray[np.float32], same: Flags, group: npt.NDArray[np.str_]) -> float:
    """Chance that what is the `same` [N, N] scores above what is not, ties half; macro over groups of queries."""
    values = np.array([_auc(row[yes], row[~yes]) for row, yes in zip(found, same, strict=True)])
    means = [np.mean(own) for name in np.unique(group) if len(own := values[(group == name) & np.isfinite(values)])]
    return float(np.mean(means)) if means else 0.5


def _auc(positives: npt.NDArray[np.float32], negatives: npt.NDArray[np.float32]) -> float:
    if len(positives) == 0 or len(negatives) == 0:
        return float("nan")
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left") + np.searchsorted(ordered, positives, side="right")
    return float(below.mean() / (2.0 * len(negatives)))
