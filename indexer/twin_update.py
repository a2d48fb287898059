"""Twin groups of a library that changed: what is new is set against all, what was known stays together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.indexer import outline
from choreodb.indexer.twins import TwinConfig, linked_groups

Ints = npt.NDArray[np.int64]
Poses = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Captured, unmirrored segments in order: of which clip (a code) and which bar of it, seconds, origin code, start."""

    clip: Ints
    first_bar: Ints
    seconds: npt.NDArray[np.float64]
    origin: Ints
    start_s: npt.NDArray[np.float64]


def groups(
    bars: Bars,
    group: Ints,
    known: outline.Outlines,
    added: Ints,
    poses: Poses,
    poses_of: Callable[[int], Poses],
) -> Ints:
    """Twin group [N] of every bar, as `twins.groups` counts them.

    group: [N] before the change, -1 without a twin or for what is new. known: [N] outlines. added: [M] rows of `bars` that
    are new, poses: [M, O, D] of these. poses_of: the poses of all bars of a clip, by its code, in order.
    """
    first, second = _pairs(bars, known, added, poses, poses_of)
    old = np.flatnonzero(group >= 0)
    leader = np.full(int(group.max(initial=-1)) + 1, -1, dtype=np.int64)
    leader[group[old][::-1]] = old[::-1]
    first, second = np.concatenate([first, leader[group[old]]]), np.concatenate([second, old])
    return linked_groups(first, second, len(group))


def _pairs(
    bars: Bars, known: outline.Outlines, added: Ints, poses: Poses, poses_of: Callable[[int], Poses]
) -> tuple[Ints, Ints]:
    """Twins (added row, row) among those whose outlines are near."""
    if len(added) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    new, other = outline.candidates(poses, known)
    here = added[new]
    long = np.maximum(bars.seconds[here], bars.seconds[other])
    short = np.minimum(bars.seconds[here], bars.seconds[other])
    overlap = (bars.origin[here] == bars.origin[other]) & (np.abs(bars.start_s[here] - bars.start_s[other]) < long)
    kept = ~overlap & (long <= TwinConfig().max_stretch * short) & (here != other)
    new, other = new[kept], other[kept]
    row_of_new = {int(row): at for at, row in enumerate(added.tolist())}
    measured: dict[int, Poses] = {}
    start_of = _starts(bars.clip)
    twins = np.zeros(len(new), dtype=np.bool_)
    for at, (one, two) in enumerate(zip(new.tolist(), other.tolist(), strict=True)):
        if two in row_of_new:
            twins[at] = _are_twins(poses[one], poses[row_of_new[two]])
            continue
        clip = int(bars.clip[two])
        if clip not in measured:
            measured[clip] = poses_of(clip)
        twins[at] = _are_twins(poses[one], measured[clip][two - start_of[clip]])
    return added[new[twins]], other[twins]


def _starts(clip: Ints) -> Mapping[int, int]:
    """The first row of every clip's bars, which lie together."""
    codes, first = np.unique(clip, return_index=True)
    return dict(zip(codes.tolist(), first.tolist(), strict=True))


def _are_twins(one: Poses, two: Poses) -> bool:
    """Whether one of two bars, in place, is within `rms_m` of the other at some shift. [O, D] each."""
    middle = len(one) // 2
    limit = TwinConfig().rms_m ** 2 * (one.shape[1] / 3.0)
    for here, there in ((one, two), (two, one)):
        apart = here[middle].astype(np.float32) - there.astype(np.float32)
        if float((apart**2).sum(axis=1).min()) < limit:
            return True
    return False


def bars_of(columns: Mapping[str, npt.NDArray[Any]], rows: Ints) -> Bars:
    """The bars of `rows` of a segments table's columns: clip (codes), first_bar, start_s, end_s, origin (codes), origin_start_s."""
    chosen = {name: values[rows] for name, values in columns.items()}
    return Bars(
        chosen["clip"], chosen["first_bar"], chosen["end_s"] - chosen["start_s"], chosen["origin"], chosen["origin_start_s"]
    )  # fmt: skip


def spread_out(group: Ints, plain: Ints, source: Ints, first_bar: Ints) -> Ints:
    """Group [S] of every row, mirror images and copies like what they are of.

    group: of the `plain` rows. source: [S] code of the captured clip of each row. first_bar: [S].
    """
    width = int(first_bar.max(initial=0)) + 1
    keys = source[plain] * width + first_bar[plain]
    order = np.argsort(keys)
    found = np.searchsorted(keys[order], source * width + first_bar)
    return group[order[np.minimum(found, len(order) - 1)]] if len(order) else np.empty(0, dtype=np.int64)
