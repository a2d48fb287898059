"""Modes of refinement: none, physics alone, the denoiser at seams, or the denoiser everywhere; physics comes last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from choreodb.errors import QueryError
from choreodb.refiner import physics

if TYPE_CHECKING:
    from choreodb.refiner.denoiser.denoiser import Denoiser, RefineOptions
    from choreodb.refiner.denoiser.refine import Told
    from choreodb.retriever.stitch import Stitched

Refine = Literal["none", "physics", "seams", "all"]
MODES: tuple[str, ...] = get_args(Refine)
DEFAULT: Refine = "physics"


def check(mode: str, denoiser: object | None) -> None:
    """QueryError where `mode` is not known, or needs a denoiser and there is none."""
    if mode not in MODES:
        raise QueryError(f"refine is {mode!r}; expected {', '.join(MODES)}")
    if mode in ("seams", "all") and denoiser is None:
        raise QueryError(
            f"refine {mode!r} needs the weights of a refiner, and none are given; train some with "
            "`choreodb train refiner LIB`, or use physics"
        )


def refine(
    stitched: Stitched,
    mode: Refine,
    *,
    denoiser: Denoiser | None = None,
    told: Told | None = None,
    options: RefineOptions | None = None,
) -> tuple[Stitched, list[str]]:
    """(the dance refined as `mode` says, warnings). told: what is known of song and plan. QueryError as of `check`.

    Where a window of the denoiser is not finite, physics alone is used there, and a warning names it.
    """
    check(mode, denoiser)
    warnings: list[str] = []
    if mode == "none":
        return stitched, warnings
    if denoiser is not None and mode in ("seams", "all"):
        from choreodb.refiner.denoiser.refine import everything, seams

        change = seams if mode == "seams" else everything
        stitched, warnings = change(stitched, denoiser, told, options)
    return physics.clean(stitched), warnings
