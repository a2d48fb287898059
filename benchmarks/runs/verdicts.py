"""Verdicts: ours against the percentiles of captured people, line by line, each passed or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from choreodb.benchmarks.runs.clip_figures import Measured
from choreodb.benchmarks.runs.registry import Row

COMPARED = ("speed", "acceleration", "jerk", "joint range")
FLOOR = ("travel, m/s", "turning, deg/s", "steps a second")
INSIDE = 0.95
"""Share of our clips inside the captured 5th to 95th percentile that passes; of captured clips nine in ten are, by definition."""


def said(passed: bool) -> str:
    """The word for a verdict."""
    return "pass" if passed else "FAIL"


def seconds_of(clips: Sequence[Measured]) -> float:
    """Seconds in all."""
    return sum(clip.seconds for clip in clips)


def physics_rows(ours: Sequence[Measured], captured: Sequence[Measured]) -> list[Row]:
    """Per figure of feet, floor and forearms: percentiles over clips; passed where our 95th is not above the captured."""
    rows: list[Row] = []
    for figure in ours[0].floor:
        mine = np.array([clip.floor[figure] for clip in ours])
        styles = {group: float(np.percentile(_floor(ours, group, figure), 95)) for group in _groups(ours)}
        worst = max(styles, key=lambda group: styles[group])
        row: Row = {"kind": "physics", "figure": figure, "ours_p50": float(np.median(mine))}
        row |= {"ours_p95": float(np.percentile(mine, 95)), "worst": f"{worst} {styles[worst]:.3g}", "styles": styles}
        if captured:
            theirs = np.array([clip.floor[figure] for clip in captured])
            limit = float(np.percentile(theirs, 95))
            row |= {"captured_p50": float(np.median(theirs)), "captured_p95": limit, "behind_s": seconds_of(captured)}
            # an hour of ours may not be worse by what a float keeps either
            row |= {"verdict": said(row["ours_p95"] <= limit + 1e-9)}
        rows.append(row)
    return rows


def percentile_rows(ours: Sequence[Measured], captured: Sequence[Measured]) -> list[Row]:
    """Per figure: the 5th, 50th, 95th percentile of captured clips' medians and of ours, and the share of ours inside."""
    theirs = np.array([clip.median() for clip in captured])
    mine = np.array([clip.median() for clip in ours])
    groups = np.array([clip.group for clip in ours])
    rows: list[Row] = []
    for column, name in enumerate(captured[0].names):
        if name.split(",")[0] not in COMPARED:
            continue
        low, middle, high = np.percentile(theirs[:, column], (5, 50, 95))
        inside = (mine[:, column] >= low) & (mine[:, column] <= high)
        shares = {group: float(np.mean(inside[groups == group])) for group in _groups(ours)}
        worst = min(shares, key=lambda group: shares[group])
        p5, p50, p95 = (float(value) for value in np.percentile(mine[:, column], (5, 50, 95)))
        rows.append(
            {"kind": "percentiles", "figure": name, "p5": float(low), "p50": float(middle), "p95": float(high), "ours_p5": p5,
             "ours_p50": p50, "ours_p95": p95, "inside": float(np.mean(inside)), "worst": f"{worst} {100 * shares[worst]:.0f} %",
             "styles": {group: float(np.median(mine[groups == group, column])) for group in shares},
             "behind_s": seconds_of(captured), "clips": len(captured), "verdict": said(float(np.mean(inside)) >= INSIDE)}
        )  # fmt: skip
    return rows


def floor_rows(ours: Sequence[Measured], pairs: Sequence[Measured]) -> list[Row]:
    """Travel, turning and steps of every group; a style of ours with captured namesakes passes where its mean is in their range.

    The range is that of the namesakes' own means, widened by a quarter of it at both ends where they are few.
    """
    rows: list[Row] = []
    for group in [*_groups(ours), *_groups(pairs)]:
        chosen = [clip for clip in (*ours, *pairs) if clip.group == group]
        mean = {name: float(np.mean(_column(chosen, name))) for name in (*FLOOR, "feet apart")}
        row: Row = {"kind": "floor", "group": group, "seconds": seconds_of(chosen), **mean}
        namesakes = [clip for clip in pairs if clip.group == f"pairs: {group}"]
        if namesakes:
            misses = [name for name in FLOOR if not _in_range(mean[name], namesakes, name)]
            row["verdict"] = said(not misses) + "".join(f", {name.split(',')[0]}" for name in misses)
        rows.append(row)
    return rows


def _in_range(value: float, clips: Sequence[Measured], name: str) -> bool:
    each = [float(np.mean(_column([clip], name))) for clip in clips]
    low, high = np.percentile(each, (5, 95))
    spare = 0.25 * (high - low) if len(each) < 20 else 0.0
    return bool(low - spare <= value <= high + spare)


def _column(clips: Sequence[Measured], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.concatenate([clip.windows[:, clip.names.index(name)] for clip in clips])


def _floor(clips: Sequence[Measured], group: str, figure: str) -> list[float]:
    return [clip.floor[figure] for clip in clips if clip.group == group]


def _groups(clips: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(clip.group for clip in clips))
