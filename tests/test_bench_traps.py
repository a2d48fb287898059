"""`bench traps`: the page on metrics says what was measured, and the measurement shows the traps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from metric_motions import smooth_motion

from choreodb.benchmarks.runs import trap_docs, traps
from choreodb.benchmarks.runs.dances import FPS, Danced
from choreodb.benchmarks.runs.registry import BenchRequest
from choreodb.errors import QueryError


def quiet(*_: object) -> None:
    """No progress."""


def test_the_page_says_what_the_last_stored_run_measured(root: Path) -> None:
    page = (root / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = trap_docs.stored_rows()
    assert trap_docs.filled(page, rows) == page, "run `make docs`"
    assert page.count("<!-- bench traps: ") == len({row["kind"] for row in rows}), "every measured trap is on the page"


def test_a_page_that_asks_for_an_unknown_trap_is_refused() -> None:
    with pytest.raises(QueryError, match="'nonsense'"):
        trap_docs.filled("<!-- bench traps: nonsense -->\n<!-- end -->", trap_docs.stored_rows())


def test_traps_show_on_any_dances() -> None:
    danced = [dance(seed) for seed in range(4)]
    rows = traps.bench_traps(
        danced, {each.name: "waltz" if number else "rumba" for number, each in enumerate(danced)}, seed=0, draws=8,
        tell=quiet,
    )  # fmt: skip
    value = {row["row"]: row["value"] for row in rows if "value" in row}
    table = {(row["kind"], row["row"]): row for row in rows}
    busy, lazy = (
        table["two scores", "a motion beat every 8 frames"],
        table["two scores", "a single motion beat, on the music"],
    )
    assert busy["bailando"] > busy["mint"]
    assert lazy["mint"] == 1.0 > lazy["bailando"]
    assert value["mean, as published, m/s²"] > 10.0 * value["mean acceleration, m/s²"]
    assert value["published horizontal energy at 30 fps over that at 60"] > 2.0
    assert value["nearest window of a replay, turned and moved, m (largest)"] < 1e-6
    assert value["the same windows at 60 fps, mean"] < value["at 30 fps, mean"]
    assert value["`mint` beats in 10 s of glide, float32"] > 0
    assert {row["kind"] for row in rows} == {row["kind"] for row in trap_docs.stored_rows()}
    assert traps.format_table(rows).count("### ") == len({row["kind"] for row in rows})


def dance(seed: int) -> Danced:
    """45 s of a wandering body with beats twice a second."""
    joints = smooth_motion(np.random.default_rng(seed), round(45.0 * FPS), FPS)
    joints[..., 0] += 0.2 * seed * np.arange(len(joints))[:, None] / FPS
    return Danced(str(seed), joints, np.zeros((len(joints), 4), dtype=np.uint8), np.arange(0.2, 45.0, 0.5))


@pytest.mark.parametrize(
    ("value", "text"), [(3.0, "3"), (3718.4, "3718"), (0.0476, "0.0476"), (12.345, "12.3"), (3.6e-7, "3.6e-07"), (2e16, "2.0e+16")]
)  # fmt: skip
def test_three_digits(value: float, text: str) -> None:
    assert traps.significant(value) == text


def test_traps_without_songs_are_one_line(sample_library: Path, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="needs a library"):
        traps.run(BenchRequest(None, (), None, None, 0, quiet))
    with pytest.raises(QueryError, match="songs of 0 clips"):
        traps.run(BenchRequest(sample_library, (), tmp_path, None, 0, quiet))
