"""The refiners that `bench refine` compares: physics, and, where there are weights, the denoiser at seams, everywhere, in gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.inbetween import Fill, Gap
from choreodb.benchmarks.runs.refine_dances import ALL, PHYSICS, SEAMS, Refine
from choreodb.motion.rotations import FloatArray
from choreodb.refiner import modes, physics
from choreodb.refiner.denoiser.bridge import bridged

if TYPE_CHECKING:
    from choreodb.indexer.encoders.base import Encoder
    from choreodb.music.music import Music
    from choreodb.refiner.denoiser.denoiser import Denoiser, RefineOptions
    from choreodb.retriever.plan import Plan
    from choreodb.retriever.stitch import Stitched

Array = npt.NDArray[np.float64]

BRIDGED, OURS, DREAMT = "slowing bridge, no network", "ours", "ours, 10 steps"
_FPS = 60.0


def contenders(denoiser: Denoiser | None, encoder: Encoder) -> dict[str, Refine]:
    """Rows by name, in the order of the tables."""
    found: dict[str, Refine] = {PHYSICS: lambda made, plan, music, seed: physics.clean(made)}
    if denoiser is not None:
        found[SEAMS] = _by_denoiser("seams", denoiser, encoder)
        found[ALL] = _by_denoiser("all", denoiser, encoder)
    return found


def _by_denoiser(mode: modes.Refine, denoiser: Denoiser, encoder: Encoder) -> Refine:
    from choreodb.refiner.denoiser.denoiser import RefineOptions
    from choreodb.refiner.denoiser.told import of_song

    def refine(made: Stitched, plan: Plan, music: Music, seed: int) -> Stitched:
        """The dance, told all that is known of its song and plan."""
        told = of_song(music, plan, encoder)
        return modes.refine(made, mode, denoiser=denoiser, told=told, options=RefineOptions(seed=seed))[0]

    return refine


def fillers(denoiser: Denoiser | None) -> dict[str, Fill]:
    """What fills gaps besides slerp and inertialisation: the bridge that the denoiser starts from, and the denoiser, in one step
    (the mean of what might have been) and in ten (one of the things that might have been)."""
    found: dict[str, Fill] = {BRIDGED: by_bridge}
    if denoiser is not None:
        from choreodb.refiner.denoiser.between import FILL
        from choreodb.refiner.denoiser.denoiser import RefineOptions

        found[OURS] = _filler(denoiser, FILL)
        found[DREAMT] = _filler(
            denoiser, RefineOptions(strength=1.0, steps=10, sampler="dpm2", temperature=1.0, smooth_hz=8.0)
        )
    return found


def by_bridge(found: Sequence[Gap]) -> list[tuple[Array, Array]]:
    """Both sides go on, slow down, and pass into one another."""
    rotations, root, _, first, stop = _stacked(found)
    return _cut(found, *bridged(rotations, root, first, stop, _FPS))


def _filler(denoiser: Denoiser, options: RefineOptions) -> Fill:
    from choreodb.refiner.denoiser.between import filled

    def fill(found: Sequence[Gap]) -> list[tuple[Array, Array]]:
        """The gaps, from what is around them alone."""
        return _cut(found, *filled(denoiser, *_stacked(found), _FPS, options))

    return fill


def _stacked(found: Sequence[Gap]) -> tuple[Array, Array, Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Gaps of one length with as much around them, as one batch."""
    parts = [
        np.stack([np.asarray(getattr(gap, name), dtype=np.float64) for gap in found])
        for name in ("rotations", "root", "contacts")
    ]
    first, stop = (np.array([getattr(gap, name) for gap in found], dtype=np.int64) for name in ("first", "stop"))
    return parts[0], parts[1], parts[2], first, stop


def _cut(found: Sequence[Gap], rotations: FloatArray, root: FloatArray) -> list[tuple[Array, Array]]:
    turned, moved = rotations.astype(np.float64), root.astype(np.float64)
    return [(turned[row, gap.first : gap.stop], moved[row, gap.first : gap.stop]) for row, gap in enumerate(found)]
