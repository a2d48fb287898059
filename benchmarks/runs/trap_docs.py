"""The figures of docs/metrics.md, from the last stored run of `bench traps`: `python -m choreodb.benchmarks.runs.trap_docs PAGE`.

A table stands between `<!-- bench traps: NAME -->` and `<!-- end -->`; whatever is there is replaced.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from choreodb.benchmarks.runs import history, traps
from choreodb.benchmarks.runs.dances import Row
from choreodb.errors import QueryError

_BLOCK = re.compile(r"<!-- bench traps: (?P<name>[^>]+?) -->\n.*?<!-- end -->", re.DOTALL)


def stored_rows(folder: Path = history.DEFAULT_FOLDER) -> list[Row]:
    """Rows of the last stored run of `bench traps` that was not quick; QueryError where there is none."""
    runs = [history.read(path) for path in sorted(folder.glob("*.jsonl"))]
    own = [run for run in runs if not run.header.get("quick") and any(bench == "traps" for bench, _ in run.rows)]
    if not own:
        raise QueryError(
            f"{folder.name!r} holds no run of bench traps; store one with `bench traps LIB --data DIR --store`"
        )
    last = max(own, key=lambda run: str(run.header["finished"]))
    return [row for bench, row in last.rows if bench == "traps"]


def filled(page: str, rows: list[Row]) -> str:
    """The page with every table of it filled from `rows`; QueryError for a table that `rows` do not know."""
    known = {row["kind"] for row in rows}

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in known:
            raise QueryError(f"the page asks for trap {name!r}; the stored run knows {', '.join(sorted(known))}")
        return f"<!-- bench traps: {name} -->\n{traps.table_of(rows, name)}\n<!-- end -->"

    return _BLOCK.sub(block, page)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(filled(path.read_text(encoding="utf-8"), stored_rows()), encoding="utf-8")
