"""`bench conditions`: what each condition of the refiner brings, by training it without, each time with the same small budget.

Every row is trained on the same windows of a library but for what is left out, and judged on the same held-out windows: gaps
that are filled from noise in one step, and seams that are changed from what was stitched. No row is trained for long enough
to be of use; only differences between rows count. With `--refiner` nothing is trained: trained weights, which know how it is
not to be told of something, are told less and less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.songs import paired_songs
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import MissingExtraError, QueryError
from choreodb.threads import one_thread

if TYPE_CHECKING:
    from choreodb.refiner.denoiser.training import TrainOptions
    from choreodb.refiner.denoiser.windows import Clip

Array = npt.NDArray[np.float64]

ALL = "all conditions"
ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (ALL, ()),
    ("without music", ("music",)),
    ("without the embedding", ("embedding",)),
    ("without the retrieved motion", ("retrieved",)),
    ("without saying what is known", ("known",)),
    ("without style", ("style",)),
    ("motion alone", ("music", "embedding", "style")),
)
STEPS, QUICK_STEPS = 100, 4
PAIRS, QUICK_PAIRS = 1024, 64
DRAWS = 1000
_FIGURES = ("gap_position", "gap_velocity", "seam_position", "seam_velocity")


def run(request: BenchRequest) -> BenchResult:
    """Run on the request's library and the songs of its clips in the data folder; QueryError without a library."""
    from choreodb.library import Library

    if request.library is None:
        raise QueryError("bench conditions needs a library; give `bench conditions LIB --data DIR`")
    try:
        from choreodb.refiner.denoiser import corpus
    except ImportError:
        raise MissingExtraError("bench conditions needs torch; run `pip install 'choreodb[torch]'`") from None
    library = Library.open(request.library)
    songs = paired_songs(library, request.data)
    steps, pairs = (QUICK_STEPS, QUICK_PAIRS) if request.quick else (STEPS, PAIRS)
    with one_thread():
        train, rest, _ = corpus.clips_of(library, share=0.2, songs=songs)
        if request.refiner is not None:
            rows = told_less(request.refiner, rest, pairs=512, seed=request.seed)
        else:
            rows = bench_conditions(train, rest, steps=steps, pairs=pairs, seed=request.seed, progress=request.progress)
    return BenchResult("conditions", rows, format_table(rows))


def bench_conditions(
    train: Sequence[Clip],
    rest: Sequence[Clip],
    *,
    steps: int,
    pairs: int,
    seed: int = 0,
    progress: Callable[..., None] | None = None,
    options: TrainOptions | None = None,
) -> list[Row]:
    """A row for every set of conditions, and one of what was given. options: but for steps, pairs, seed and what is left out."""
    from choreodb.refiner.denoiser import training

    tell = progress or (lambda *_: None)
    usual = options or training.TrainOptions()
    rows: list[Row] = []
    checked: dict[str, Mapping[str, Any]] = {}
    for number, (name, without) in enumerate(ROWS):
        tell(name, number, len(ROWS))
        began = time.process_time()
        made = training.train_on(
            train, rest,
            replace(usual, steps=steps, warm=max(1, steps // 5), pairs=pairs, refresh=steps, seed=seed, without=without, average=0.98),
        )  # fmt: skip
        checked[name] = made.checked
        rows.append(
            {"row": name, "steps": made.steps, "cpu_s": time.process_time() - began}
            | _figures(made.checked, checked[ALL], seed)
        )
    return [_given(checked[ALL]), *rows]


def told_less(refiner: Path, rest: Sequence[Clip], *, pairs: int, seed: int = 0) -> list[Row]:
    """The same rows by trained weights, a name or a file, without training."""
    from choreodb.refiner.denoiser import denoiser, training

    weights = denoiser.weights_of(refiner)
    checked: dict[str, Mapping[str, Any]] = {}
    for name, without in ROWS:
        options = training.TrainOptions(pairs=pairs, seed=seed, without=without)
        checked[name] = training.checked_by(weights, rest, options)
    rows = [{"row": name, **_figures(found, checked[ALL], seed)} for name, found in checked.items()]
    return [_given(checked[ALL]), *rows]


def _given(found: Mapping[str, Any]) -> Row:
    given = {figure: float(found[f"{figure}_given"].mean()) for figure in _FIGURES if f"{figure}_given" in found}
    return {"row": "as given, no network", **given}


def _figures(found: Mapping[str, Any], whole: Mapping[str, Any], seed: int) -> Row:
    """Means, and how much worse each is than with all conditions."""
    row: Row = {}
    for figure in _FIGURES:
        if f"{figure}_made" in found:
            row[figure] = float(found[f"{figure}_made"].mean())
            row[f"{figure}_change"] = _interval(found, whole, figure, seed)
    return row


def _interval(found: Mapping[str, Any], whole: Mapping[str, Any], figure: str, seed: int) -> list[float]:
    """95 % of bootstrap draws of windows: how much worse than with all conditions."""
    worse = np.asarray(found[f"{figure}_made"], dtype=np.float64) - np.asarray(whole[f"{figure}_made"])
    rng = np.random.default_rng(seed)
    draws = worse[rng.integers(len(worse), size=(DRAWS, len(worse)))].mean(axis=1)
    return [float(each) for each in np.percentile(draws, (2.5, 97.5))]


_COLUMNS = (
    Column("row", "", "s"), Column("steps", "steps", "d"), Column("cpu_s", "CPU s", ".0f"),
    *(column for figure, title, unit, digits in (
        ("gap_position", "gaps, position", "m", ".4f"), ("gap_velocity", "gaps, velocity", "m/s", ".3f"),
        ("seam_position", "seams, position", "m", ".4f"), ("seam_velocity", "seams, velocity", "m/s", ".3f"))
      for column in (Column(figure, f"{title} {unit}", digits), Column(f"{figure}_said", "worse by", "s"))),
)  # fmt: skip


def format_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, and what they mean."""
    shown = [row | {f"{name}_said": _said(row, name) for name in _FIGURES} for row in rows]
    note = (
        "Mean distance of joints, and of their velocities, from what was captured, on held-out windows; steps: of training, for every "
        "row as many (none where trained weights were told less); worse by: than with all "
        "conditions, 95 % of draws of windows."
    )
    return f"{markdown(shown, _COLUMNS)}\n\n{note}"


def _said(row: Row, figure: str) -> str:
    change = row.get(f"{figure}_change")
    return "" if change is None or row["row"] == ALL else f"{change[0]:+.4f} to {change[1]:+.4f}"
