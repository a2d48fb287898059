"""Compiled: which materials of a lattice are the same."""

from __future__ import annotations

import numpy as np
from numba import njit

from choreodb.retriever.search_kernel import F64, I64


@njit(cache=True, nogil=True)
def same_materials(origin: I64, start: F64, end: F64, twin: I64, by_twin: I64, overlap: float) -> tuple[I64, I64, F64]:
    """Which of U materials are the same: begin [U + 1], and near, share [K] as in `Net`.

    Materials are sorted by origin, then start; by_twin [U] puts them in the order of `twin`, equals as they are (numpy sorts
    at once, a compiled sort takes seconds to compile). The share is the overlap of origins over the shorter of the two, where it
    is above `overlap`, and 1 for twins.
    """
    count = origin.shape[0]
    rank = np.empty(count, dtype=np.int64)
    for at in range(count):
        rank[by_twin[at]] = at
    begin = np.zeros(count + 1, dtype=np.int64)
    near, share = np.empty(max(count, 1), dtype=np.int64), np.empty(max(count, 1), dtype=np.float64)
    filled, longest = 0, 0.0
    for at in range(count):
        longest = max(longest, end[at] - start[at])
    for a in range(count):
        low, high = a, a
        while low > 0 and origin[low - 1] == origin[a] and start[low - 1] + longest > start[a]:
            low -= 1
        while high + 1 < count and origin[high + 1] == origin[a] and start[high + 1] < end[a]:
            high += 1
        first, last = rank[a], rank[a]
        if twin[a] >= 0:
            while first > 0 and twin[by_twin[first - 1]] == twin[a]:
                first -= 1
            while last + 1 < count and twin[by_twin[last + 1]] == twin[a]:
                last += 1
        else:
            last = first - 1
        room = filled + (high - low + 1) + (last - first + 1)
        if room > near.shape[0]:
            near = np.concatenate((near, np.empty(2 * room, dtype=np.int64)))
            share = np.concatenate((share, np.empty(2 * room, dtype=np.float64)))
        for b in range(low, high + 1):
            if twin[a] >= 0 and twin[b] == twin[a]:
                continue
            both = min(end[a], end[b]) - max(start[a], start[b])
            least = max(min(end[a] - start[a], end[b] - start[b]), 1e-9)
            if both / least > overlap:
                near[filled], share[filled] = b, both / least
                filled += 1
        for at in range(first, last + 1):
            near[filled], share[filled] = by_twin[at], 1.0
            filled += 1
        begin[a + 1] = filled
    return begin, near[:filled].copy(), share[:filled].copy()
