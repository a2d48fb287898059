"""Re-ranking: the nearest segments of a song's windows in the order of nearness and timing together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.indexer import timing, timing_context
from choreodb.indexer.timing_branch import TimingBranch
from choreodb.indexer.timing_context import TimingContext

if TYPE_CHECKING:
    from choreodb.music.features import Features
    from choreodb.storage.store import Store

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]

SHORTLIST = 100
"""So many segments of a window are re-ranked at most."""

WEIGHT = 3.2
"""What full timing is worth in cosine: over real pairs both then vary about equally, 0.12 and 0.036 (standard deviations)."""

ARRAY = "accents"
_BLOCK = 64


class Movement:
    """The curves of movement of a library, along whole clips."""

    def __init__(self, store: Store, context: TimingContext | None = None) -> None:
        self.context = context or TimingContext()
        table = store.columns("segments", ["clip", "start_s", "end_s", "mirrored"])
        self._clip = np.unique(np.asarray(table.column("clip").to_pylist(), dtype=str), return_inverse=True)[1]
        self._start, self._end = (table.column(name).to_numpy() for name in ("start_s", "end_s"))
        plain = np.flatnonzero(~table.column("mirrored").to_numpy(zero_copy_only=False))
        self._order = plain[np.lexsort((self._start[plain], self._clip[plain]))]
        self._accents = store.array(ARRAY)

    def around(self, segments: IntArray) -> Float32Array:
        """`timing_context.seen` of the clips around N segments: [N, 4, count]."""
        out = np.zeros((len(segments), len(timing.CURVES), self.context.count), dtype=np.float32)
        middles = 0.5 * (self._start[segments] + self._end[segments])
        clips = self._clip[segments]
        for clip in np.unique(clips).tolist():
            asked = np.flatnonzero(clips == clip)
            out[asked] = self._of_clip(clip, self.context.times(middles[asked]))
        return out

    def _of_clip(self, clip: int, times: Array) -> Float32Array:
        own = self._order[slice(*np.searchsorted(self._clip[self._order], [clip, clip + 1]))]
        share = (np.arange(timing.SAMPLES) + 0.5) / timing.SAMPLES
        sampled = (self._start[own, None] + (self._end - self._start)[own, None] * share).reshape(-1)
        curves = np.asarray(self._accents[own]).reshape(len(own), len(timing.CURVES), timing.SAMPLES)
        lines = np.moveaxis(curves, 1, 0).reshape(len(timing.CURVES), -1)
        values = np.stack([np.interp(times, sampled, line) for line in lines], axis=1)
        inside = (times >= self._start[own].min()) & (times <= self._end[own].max())
        return timing_context.seen(values, inside[:, None])


def knows_timing(store: Store) -> bool:
    """Whether the library keeps how its segments move."""
    return ARRAY in store.manifest.arrays


def timings(
    store: Store, features: Features, middles_s: Array, found: list[IntArray], branch: TimingBranch | None = None
) -> list[Array]:
    """How well the segments `found` for each window of a song move with what is around the window's middle, 0..1.

    branch: what the library's encoder has learnt of timing, if it has; else all correlations count alike.
    """
    movement = Movement(store)
    weight = None if branch is None else branch.shares()
    distinct, place = np.unique(np.concatenate(found), return_inverse=True)
    curves = movement.around(distinct)
    rows = np.split(place.reshape(-1), np.cumsum([len(ids) for ids in found])[:-1])
    out = []
    for first in range(0, len(rows), _BLOCK):
        block = slice(first, first + _BLOCK)
        heard = timing_context.heard(features, middles_s[block], movement.context)
        pairs = zip(heard, rows[block], strict=True)
        out += [timing_context.together(each, curves[row], weight=weight) for each, row in pairs]
    return out
