"""Goals of a benchmark over sizes: a row for each with what was measured, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence

from choreodb.benchmarks.runs.registry import Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.benchmarks.runs.verdicts import said

GOAL = "goal"


def goal(name: str, value: float, passed: bool, *, unit: str, size: int) -> Row:
    """A row; unit: of the size, as in `vectors`."""
    return {"kind": GOAL, "group": f"{size}", "row": name, unit: size, "value": value, "verdict": said(passed)}


def goal_table(rows: Sequence[Row], unit: str, title: str | None = None) -> str:
    """The goals among the rows as Markdown; empty where there are none. title: of the sizes' column."""
    columns = [
        Column(unit, title or unit, "d"),
        Column("row", "goal", "s"),
        Column("value", "is", ".3f"),
        Column("verdict", "", "s"),
    ]
    judged = [row for row in rows if row["kind"] == GOAL]
    return markdown(judged, columns) if judged else ""
