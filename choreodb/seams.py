"""Show the seams of a dance: each before refining and after, side by side, as mp4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from choreodb.errors import QueryError
from choreodb.render.pair import save_pair

if TYPE_CHECKING:
    from choreodb.retriever.stitch import Seam, Stitched

SIDE_S = 1.25
"""Seconds that are shown on either side of a seam."""
MOST = 100


@dataclass(frozen=True, slots=True)
class ShownSeam:
    """A video of a seam. path: the mp4. time_s: in the dance. clips: left and entered. held: what was held fixed."""

    path: Path
    time_s: float
    clips: tuple[str, str]
    held: str

    def text(self) -> str:
        """One line."""
        return f"{self.path}: {self.time_s:.2f} s, {self.clips[0]} to {self.clips[1]}, {self.held}"


def check_count(count: int) -> None:
    """QueryError where `count` is no number of seams that can be shown."""
    if not 1 <= count <= MOST:
        raise QueryError(f"cannot show {count} seams; ask for 1 to {MOST}")


def show_seams(
    before: Stitched,
    after: Stitched,
    folder: Path,
    count: int,
    *,
    refined: str = "physics",
    progress: Callable[[str, int, int], None] | None = None,
) -> list[ShownSeam]:
    """Up to `count` seams, evenly spread over the dance, as `seam-01.mp4` and so on in `folder`, which is made.

    before, after: the same dance. refined: how, for the titles. QueryError where there is no seam or no place to write.
    """
    check_count(count)
    side = round(SIDE_S * before.motion.fps)
    whole = [seam for seam in after.seams if side <= seam.frame < len(after) - side]
    if not whole:
        raise QueryError("this dance has no seam to show; try another --seed or a longer song")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QueryError(f"cannot write into {str(folder)!r}: {error.strerror}; give another folder") from None
    chosen = [whole[int(at)] for at in np.linspace(0, len(whole) - 1, min(count, len(whole))).round()]
    shown = []
    for number, seam in enumerate(chosen):
        if progress is not None:
            progress("drawing", number, len(chosen))
        shown.append(_show(before, after, seam, folder / f"seam-{number + 1:02}.mp4", side, refined))
    return shown


def _show(before: Stitched, after: Stitched, seam: Seam, path: Path, side: int, refined: str) -> ShownSeam:
    window = (seam.frame - side, seam.frame + side)
    save_pair(
        (before.motion.frames(*window), after.motion.frames(*window)),
        path,
        titles=("as joined", f"refined: {refined}"),
        contacts=after.contacts[slice(*window)],
        seam_frame=side,
    )
    clips = tuple(after.clips[after.source_clip[at]] for at in (seam.frame - 1, seam.frame))
    return ShownSeam(path, seam.frame / after.motion.fps, (clips[0], clips[1]), seam.kind)
