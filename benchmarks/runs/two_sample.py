"""Two-sample test by a fixed small classifier: can windows of two sets be told apart, by figures held out by clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from choreodb.benchmarks.runs.clip_figures import Measured
from choreodb.benchmarks.runs.registry import Row

Array = npt.NDArray[np.float64]

DRAWS = 5
FEWEST = 10
"""Windows that each side of a trial needs."""


def cross_auc(x: Array, y: npt.NDArray[np.bool_], folds: npt.NDArray[np.int64]) -> float:
    """Area under the ROC of scores that each fold gets from a regression on the others; 0.5 where the two are alike.

    x: [N, F] features. y: [N] whether of the one set. folds: [N] 0..4, so that what belongs together is held out together.
    """
    scores = np.zeros(len(x))
    for fold in range(5):
        held = folds == fold
        if held.any() and y[~held].any() and not y[~held].all():
            scores[held] = standardised(x, x[~held])[held] @ logistic(standardised(x, x[~held])[~held], y[~held])
    return auc(y, scores)


def standardised(x: Array, of: Array) -> Array:
    """`x` in robust standard units of `of`, clipped, with a constant column."""
    middle, spread = np.median(of, axis=0), np.percentile(of, 84, axis=0) - np.percentile(of, 16, axis=0)
    scaled = np.clip((x - middle) / (0.5 * spread + 1e-9), -4.0, 4.0)
    return np.concatenate([scaled, np.ones((len(x), 1))], axis=1)


def logistic(x: Array, y: npt.NDArray[np.bool_], *, ridge: float = 3.0, steps: int = 12) -> Array:
    """Weights of a ridge-regularised logistic regression, classes weighted alike, by Newton's method."""
    weight = np.where(y, 0.5 / y.mean(), 0.5 / (1.0 - y.mean()))
    w = np.zeros(x.shape[1])
    penalty = ridge * np.eye(len(w))
    penalty[-1, -1] = 1e-6
    for _ in range(steps):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ w, -30.0, 30.0)))
        slope = x.T @ (weight * (p - y)) + penalty @ w
        w = w - np.linalg.solve((x * (weight * p * (1.0 - p))[:, None]).T @ x + penalty, slope)
    return w


def auc(y: npt.NDArray[np.bool_], scores: Array) -> float:
    """Area under the ROC curve: the chance that a true one scores above a false one."""
    ranks = rankdata(scores)
    true, false = int(y.sum()), int((~y).sum())
    return float((ranks[y].sum() - true * (true + 1) / 2.0) / (true * false))


def trials(ours: Sequence[Measured], captured: Sequence[Measured], seed: int) -> tuple[list[Row], list[Row]]:
    """(rows of AUCs, rows of giveaways): ours against captured, and controls that should and should not part.

    How much of the first is what people do rather than how they move shows in two of them: captured dances against what
    else was captured (walks, bows, waving), and ours against captured dances.
    """
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    giveaways: list[Row] = []
    for name, (left, right) in _pairs(ours, captured, rng).items():
        drawn = [_windows(*_as_long(left, right, rng), rng) for _ in range(DRAWS)]
        if any(min(np.sum(y), np.sum(~y)) < FEWEST for _, _, y, _ in drawn):
            continue
        found = [cross_auc(x, y, folds) for _, x, y, folds in drawn]
        rows.append(
            {"kind": "two-sample", "trial": name, "windows": len(drawn[0][1]), "auc": float(np.mean(found)),
             "auc_sd": float(np.std(found)), "left_s": _seconds(left), "right_s": _seconds(right)}
        )  # fmt: skip
        if name.startswith("ours against captured"):
            names, x, y, _ = _windows(left, right, rng)
            giveaways += [{**row, "trial": name} for row in _giveaways(names, x, y)]
    return rows, giveaways


def _seconds(clips: Sequence[Measured]) -> float:
    return sum(clip.seconds for clip in clips)


def _as_long(
    left: Sequence[Measured], right: Sequence[Measured], rng: np.random.Generator
) -> tuple[list[Measured], list[Measured]]:
    """Clips drawn from the longer side until they are as long as the shorter, and all of the shorter.

    A classifier that sees more of one side learns more of it: trials are only comparable with sides of like length.
    """
    limit = min(_seconds(left), _seconds(right))
    out: list[list[Measured]] = []
    for clips in (left, right):
        chosen: list[Measured] = []
        for place in rng.permutation(len(clips)):
            if _seconds(chosen) < limit:
                chosen.append(clips[place])
        out.append(chosen)
    return out[0], out[1]


def is_dance(clip: Measured) -> bool:
    """Whether a captured clip is a dance, by its file's name or its data set's."""
    return "dance" in clip.name or "dance" in clip.group


def _pairs(
    ours: Sequence[Measured], captured: Sequence[Measured], rng: np.random.Generator
) -> dict[str, tuple[list[Measured], list[Measured]]]:
    def of(clips: Sequence[Measured], group: str) -> list[Measured]:
        return [clip for clip in clips if clip.group == group]

    shuffled = [captured[place] for place in rng.permutation(len(captured))]
    mixed = sorted(ours, key=lambda clip: clip.group)
    dances, others = [c for c in captured if is_dance(c)], [c for c in captured if not is_dance(c)]
    out = {
        "ours against captured": (list(ours), list(captured)),
        "ours against captured dances": (list(ours), dances),
        "captured dances against other captured (content alone)": (dances, others),
        "captured against captured (random halves)": (shuffled[::2], shuffled[1::2]),
        "ours against ours (halves of each style)": (mixed[::2], mixed[1::2]),
        "house against waltz (should part)": (of(ours, "house"), of(ours, "waltz")),
    }
    sets = sorted({clip.group for clip in captured})
    if len(sets) > 1:
        out[f"{sets[0]} against {sets[1]} (should part)"] = (of(captured, sets[0]), of(captured, sets[1]))
    return out


def _windows(
    left: Sequence[Measured], right: Sequence[Measured], rng: np.random.Generator
) -> tuple[tuple[str, ...], Array, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """(names, features [N, F], whether of `left`, fold 0..4 by clip) of all windows."""
    names: tuple[str, ...] = ()
    x, y, folds = [np.zeros((0, 0))], [], []
    for side, clips in ((True, left), (False, right)):
        for fold, place in enumerate(rng.permutation(len(clips))):
            names = clips[place].names
            x.append(clips[place].windows)
            y += [side] * len(clips[place].windows)
            folds += [fold % 5] * len(clips[place].windows)
    return names, np.concatenate(x[1:] or x), np.array(y, dtype=bool), np.array(folds, dtype=np.int64)


def _giveaways(names: Sequence[str], x: Array, y: npt.NDArray[np.bool_], *, top: int = 12) -> list[Row]:
    """The figures that part the two best, each alone, with what each adds to the classifier's score on average."""
    alone = [auc(y, x[:, column]) for column in range(x.shape[1])]
    scaled = standardised(x, x)
    share = logistic(scaled, y) * (scaled[y].mean(axis=0) - scaled[~y].mean(axis=0))
    order = np.argsort([-abs(value - 0.5) for value in alone])[:top]
    return [
        {
            "kind": "giveaway",
            "figure": names[i],
            "auc": alone[i],
            "share": float(share[i] / np.abs(share).sum()),
            "ours": float(np.median(x[y, i])),
            "captured": float(np.median(x[~y, i])),
        }
        for i in order
    ]
