"""The part of `bench latency` over refining: CPU seconds for a dance of three minutes, and, where there is a GPU, songs a second.

One dance is planned and stitched; then each mode refines it, as often as asked, on one thread. Beside them stands a guided
denoiser of the usual shape, which makes three minutes from nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from choreodb.benchmarks.runs.registry import Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.benchmarks.runs.verdicts import said
from choreodb.refiner import modes

if TYPE_CHECKING:
    from choreodb.refiner.denoiser.denoiser import Denoiser, Given
    from choreodb.retriever.stitch import Stitched

KIND = "refining"
SONG_S, GOAL_CPU_S, GOAL_TIMES = 180.0, 10.0, 20.0
BATCH = 64
"""Songs at once on a GPU."""
TOLERANCE_M = 0.01
REPEATS = 3


def bench_refining(
    library: Path, song: Path, *, repeats: int = REPEATS, progress: Callable[..., None] | None = None
) -> list[Row]:
    """Rows of every mode that can be run here, and of the usual denoiser; only physics without torch or weights."""
    from choreodb.library import Library
    from choreodb.music.music import Music
    from choreodb.refiner.denoiser.told import of_song
    from choreodb.threads import one_thread

    tell = progress or (lambda *_: None)
    tell("refining", 0, 0)
    opened = Library.open(library)
    with one_thread():
        music = Music.load(song)
        plan = opened.plan(music)
        made = opened.stitch(plan, refine="none")
        denoisers = _denoisers()
        told = of_song(music, plan, opened.encoder) if denoisers else None

        def timed(name: str, mode: modes.Refine, denoiser: Denoiser | None) -> Row:
            """Median CPU seconds for three minutes of dance."""
            modes.refine(made, mode, denoiser=denoiser, told=told)
            spent = []
            for _ in range(repeats):
                began = time.process_time()
                modes.refine(made, mode, denoiser=denoiser, told=told)
                spent.append(time.process_time() - began)
            length_s = len(made) / made.motion.fps
            return {"row": name, "kind": KIND, "seams": len(made.seams), "cpu_s": SONG_S * median(spent) / length_s}

        rows = [timed("physics", "physics", None)]
        for label, denoiser in denoisers.items():
            rows += [
                timed(f"seams and physics, {label}", "seams", denoiser),
                timed(f"all and physics, {label}", "all", denoiser),
            ]
        if denoisers:
            rows = _judged(rows)
            rows += _on_gpu(made, next(iter(denoisers.values())))
    return rows


def _denoisers() -> dict[str, Denoiser]:
    """The shipped weights in every kind of numbers that this machine's processor multiplies; none without torch."""
    from choreodb.errors import MissingExtraError
    from choreodb.refiner.denoiser.denoiser import Denoiser, shipped

    if not shipped():
        return {}
    try:
        found = {"fp32": Denoiser.load(shipped()[0], "cpu", half=False)}
        import torch

        from choreodb.refiner.denoiser import device
    except (ImportError, MissingExtraError):
        return {}
    if device.multiplies_bf16(torch.device("cpu")):
        found = {"bf16": Denoiser.load(shipped()[0], "cpu", half=True), **found}
    return found


def _judged(rows: Sequence[Row]) -> list[Row]:
    """The rows against the goal, and against the usual denoiser, timed here."""
    from choreodb.benchmarks.runs import usual_denoiser

    usual_s, size = usual_denoiser.cpu_s_for(SONG_S)
    out = [row | {"times": usual_s / max(row["cpu_s"], 1e-9)} for row in rows]
    for row in out:
        if row["row"].startswith("seams"):
            row["verdict"] = said(row["cpu_s"] <= GOAL_CPU_S and row["times"] >= GOAL_TIMES)
    return [*out, {"row": f"50-step guided denoiser, {size / 1e6:.0f} M, nothing else", "kind": KIND, "cpu_s": usual_s}]


def _on_gpu(made: Stitched, on_cpu: Denoiser) -> list[Row]:
    """Songs a second at batch 64 on a GPU, and how far joints end from where the CPU puts them; nothing without a GPU."""
    import torch

    if not torch.cuda.is_available():
        return []
    from choreodb.refiner.denoiser.denoiser import Denoiser
    from choreodb.refiner.denoiser.refine import seams

    on_gpu = Denoiser.load(on_cpu.name, "cuda")
    far_m = apart_m(seams(made, on_cpu)[0], seams(made, on_gpu)[0])
    asked: list[tuple[Any, float, Given]] = []
    own = on_gpu.denoise

    def kept(noisy: Any, at: float, given: Given) -> Any:
        """What is asked, once more and for later."""
        asked.append((noisy, at, given))
        return own(noisy, at, given)

    on_gpu.denoise = kept
    seams(made, on_gpu)
    began = time.perf_counter()
    for noisy, at, given in asked:
        many = given.rows(np.tile(np.arange(len(noisy)), BATCH))
        own(np.tile(noisy, (BATCH, 1, 1)), at, many)
    torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    row: Row = {"row": f"seams' network on {torch.cuda.get_device_name()}, {BATCH} songs", "kind": KIND,
                "songs_s": BATCH / seconds, "apart_m": far_m, "verdict": said(far_m <= TOLERANCE_M)}  # fmt: skip
    return [row]


def apart_m(a: Stitched, b: Stitched) -> float:
    """The farthest that any joint of one dance is from where it is in the other."""
    from choreodb.motion.kinematics import joint_positions

    return float(np.linalg.norm(joint_positions(a.motion) - joint_positions(b.motion), axis=-1).max())


_COLUMNS = (
    Column("row", "", "s"), Column("seams", "seams", "d"), Column("cpu_s", "CPU s", ".3f"),
    Column("times", "times less than the usual", ".0f"), Column("songs_s", "songs a second", ".1f"),
    Column("apart_m", "from the CPU's m", ".4f"), Column("verdict", "verdict", "s"),
)  # fmt: skip


def format_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, and what they mean; empty where there are none."""
    own = [row for row in rows if row["kind"] == KIND]
    note = (
        "Refining alone, CPU seconds for three minutes of dance on one thread, medians; passed within 10 s and at a twentieth of a "
        "guided denoiser of the usual shape (random weights, timed in this run)."
    )
    return f"{markdown(own, _COLUMNS)}\n\n{note}" if own else ""
