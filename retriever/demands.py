"""What a user demands of a dance beyond its price: what to keep out, where to begin, which segment a step must have.

Seconds here are those of the source file, as reports and `search` give them.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from choreodb.errors import QueryError
from choreodb.retriever.costs import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from choreodb.retriever.candidates import Pool

KeepOut = Mapping[int, tuple[tuple[float, float], ...]]
"""Stretches of clip seconds to keep out, by the clip's row."""

_SPAN = re.compile(r"(?P<clip>.+):(?P<start>\d+(?:\.\d+)?)-(?P<end>\d+(?:\.\d+)?)")
_MOMENT = re.compile(r"(?P<clip>.+):(?P<second>\d+(?:\.\d+)?)")


def keep_out(avoid: Sequence[str], clips: Any) -> KeepOut:
    """Stretches to keep out for `CLIP` or `CLIP:START-END`, CLIP a clip id or a pattern like `set/waltz*`.

    QueryError where a pattern names no clip, or a stretch ends before it starts.
    """
    names, offsets = clips.column("clip").to_pylist(), clips.column("source_start_s").to_pylist()
    found: dict[int, tuple[tuple[float, float], ...]] = {}
    for text in avoid:
        pattern, start_s, end_s = _stretch(text, names)
        rows = [row for row, name in enumerate(names) if fnmatch.fnmatchcase(name, pattern)]
        if not rows:
            raise QueryError(
                f"--avoid {text!r} names no clip of the library; `choreodb search` and reports show their ids"
            )
        for row in rows:
            found[row] = (*found.get(row, ()), (start_s - offsets[row], end_s - offsets[row]))
    return found


def _stretch(text: str, names: Sequence[str]) -> tuple[str, float, float]:
    match = None if text in names else _SPAN.fullmatch(text)
    if match is None:
        return text, -math.inf, math.inf
    start_s, end_s = float(match["start"]), float(match["end"])
    if not start_s < end_s:
        raise QueryError(f"--avoid {text!r} ends before it starts; give CLIP:START-END in seconds of its file")
    return match["clip"], start_s, end_s


def free(spans: KeepOut, segments: Any, clips: Any) -> BoolArray:
    """Which segments [S] lie clear of every stretch to keep out."""
    from choreodb.retriever.candidates import clip_rows

    clip = clip_rows(segments, clips)
    start, end = (np.asarray(segments.column(name).to_numpy(), dtype=np.float64) for name in ("start_s", "end_s"))
    result = np.ones(len(clip), dtype=bool)
    for row, stretches in spans.items():
        for first, last in stretches:
            result &= ~((clip == row) & (start < last) & (end > first))
    return result


def room(spans: KeepOut, clip: IntArray, end_s: FloatArray, clip_end_s: FloatArray) -> FloatArray:
    """Clip seconds up to which each segment [S] may be carried on: its clip's end or the next stretch to keep out."""
    result = clip_end_s.copy()
    for row, stretches in spans.items():
        for first, _ in stretches:
            ahead = (clip == row) & (end_s <= first)
            result[ahead] = np.minimum(result[ahead], first)
    return result


def locked(pool: Pool, lock: Mapping[int, int], start: str | None, steps: int, offsets: FloatArray) -> dict[int, int]:
    """Position in the pool by step; offsets: [C] file seconds at which each clip of the pool begins.

    QueryError where a step or a segment does not exist, or the start and a lock of step 0 contradict each other.
    """
    found = {}
    for step, segment in lock.items():
        if not 0 <= step < steps:
            raise QueryError(f"--lock {step}={segment}: this song has steps 0 to {steps - 1}")
        at = int(np.searchsorted(pool.row, segment))
        if at == len(pool) or pool.row[at] != segment:
            raise QueryError(
                f"--lock {step}={segment}: segment {segment} is not in this version of the library, too short, or kept "
                "out by --where or --avoid; reports and `choreodb search --json` give segment numbers"
            )
        found[step] = at
    if start is not None:
        if 0 in found:
            raise QueryError(
                f"--start {start!r} and --lock 0={lock[0]} both say how the dance begins; give one of them"
            )
        found[0] = _beginning(pool, start, offsets)
    return found


def _beginning(pool: Pool, start: str, offsets: FloatArray) -> int:
    """The unmirrored segment of the clip that begins nearest to the second asked for."""
    match = None if start in pool.clips else _MOMENT.fullmatch(start)
    name, second = (start, 0.0) if match is None else (match["clip"], float(match["second"]))
    if name not in pool.clips:
        raise QueryError(f"--start {start!r} is not CLIP:SECONDS of a clip in the library; reports show clip ids")
    row = pool.clips.index(name)
    usable = np.flatnonzero((pool.clip == row) & ~pool.mirrored)
    if len(usable) == 0:
        raise QueryError(f"--start {start!r}: no segment of this clip can be used; relax --where or --avoid")
    return int(usable[np.argmin(np.abs(pool.start_s[usable] + offsets[row] - second))])
