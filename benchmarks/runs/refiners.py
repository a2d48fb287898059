"""The refiners that `bench refine` compares: physics, and, where there are weights, the denoiser at seams, everywhere, in gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.inbetween import Fill, Gap
from choreodb.benchmarks.runs.refine_dances import ALL, PHYSICS, SEAMS, Refine
from choreodb.motion.resample import cubic_at
from choreodb.motion.rotations import normalise, unroll
from choreodb.refiner import modes, physics

if TYPE_CHECKING:
    from choreodb.indexer.encoders.base import Encoder
    from choreodb.music.music import Music
    from choreodb.refiner.denoiser.refine import Denoiser
    from choreodb.retriever.plan import Plan
    from choreodb.retriever.stitch import Stitched

Array = npt.NDArray[np.float64]

OURS = "ours"
STEPS = 10


def contenders(denoiser: Denoiser | None, encoder: Encoder) -> dict[str, Refine]:
    """Rows by name, in the order of the tables."""
    found: dict[str, Refine] = {PHYSICS: lambda made, plan, music, seed: physics.clean(made)}
    if denoiser is not None:
        found[SEAMS] = _by_denoiser("seams", denoiser, encoder)
        found[ALL] = _by_denoiser("all", denoiser, encoder)
    return found


def _by_denoiser(mode: modes.Refine, denoiser: Denoiser, encoder: Encoder) -> Refine:
    from choreodb.refiner.denoiser.refine import RefineOptions
    from choreodb.refiner.denoiser.told import of_song

    def refine(made: Stitched, plan: Plan, music: Music, seed: int) -> Stitched:
        told = of_song(music, plan, encoder)
        return modes.refine(made, mode, denoiser=denoiser, told=told, options=RefineOptions(seed=seed))[0]

    return refine


def fillers(denoiser: Denoiser | None) -> dict[str, Fill]:
    """What fills gaps besides slerp and inertialisation."""
    return {} if denoiser is None else {OURS: _filler(denoiser)}


def _filler(denoiser: Denoiser) -> Callable[[Sequence[Gap]], list[tuple[Array, Array]]]:
    from choreodb.refiner.denoiser import features
    from choreodb.refiner.denoiser.refine import Given, RefineOptions, sample

    frames, fps = features.FRAMES, features.FPS
    options = RefineOptions(strength=1.0, steps=STEPS, sampler="dpm2")

    def fill(found: Sequence[Gap]) -> list[tuple[Array, Array]]:
        middle = np.array([0.5 * (gap.first + gap.stop - 1) for gap in found])
        at = middle[:, None] + (np.arange(frames) - 0.5 * (frames - 1)) * 60.0 / fps
        row = [
            np.clip(np.rint(each).astype(np.int64), 0, len(gap.root) - 1) for each, gap in zip(at, found, strict=True)
        ]
        hidden = np.stack([(each >= gap.first) & (each < gap.stop) for each, gap in zip(row, found, strict=True)])
        # what is hidden is stood in for by the last frame before it, so that nothing of it can be seen
        row = [np.where(mask, gap.first - 1, each) for each, mask, gap in zip(row, hidden, found, strict=True)]
        rotations, root, contacts = (
            np.stack([getattr(gap, name)[each] for gap, each in zip(found, row, strict=True)]).astype(np.float64)
            for name in ("rotations", "root", "contacts")
        )
        windows, place = features.encode(rotations, root, contacts)
        mask = 1.0 - hidden.astype(np.float32)
        shown = ((windows - denoiser.middle) / denoiser.deviation * mask[..., None]).astype(np.float32)
        count = len(found)
        given = Given(
            shown, mask, np.zeros((count, frames, 20), np.float32), np.zeros((count, 256), np.float32), np.zeros(count, np.int64)
        )  # fmt: skip
        noise = np.random.default_rng(0).standard_normal((frames, features.CHANNELS)).astype(np.float32)
        clean = np.concatenate(
            [sample(denoiser, given.rows(slice(k, k + 64)), noise, options) for k in range(0, count, 64)]
        )
        turned, moved = features.decode(clean * denoiser.deviation + denoiser.middle, place)
        return [_at_full_rate(gap, turned[k], moved[k], at[k], fps) for k, gap in enumerate(found)]

    return fill


def _at_full_rate(gap: Gap, rotations: Array, root: Array, at: Array, fps: float) -> tuple[Array, Array]:
    """The missing frames at 60 a second."""
    smooth = unroll(rotations)
    times = (np.arange(gap.first, gap.stop) - at[0]) / 60.0
    turned = cubic_at(smooth.reshape(len(at), -1), fps, times).reshape(len(times), *rotations.shape[1:])
    return np.asarray(normalise(turned), dtype=np.float64), np.asarray(cubic_at(root, fps, times), dtype=np.float64)
