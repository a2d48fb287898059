"""SQL over a library's tables, for reading only."""

from __future__ import annotations

import argparse

from choreodb.commands.options import Commands, add_json, add_library, command, print_json


def add(commands: Commands) -> None:
    """Declare the options of `sql`."""
    parser = command(
        commands, "sql", run, "ask a library's tables with one SELECT",
        "Views: segments (what --where sees), clips, music, transitions, tombstones, motion. The query can read no file, reach no "
        'network and write nothing. Example: choreodb sql LIB "select style, count(*) from segments group by 1".',
    )  # fmt: skip
    add_library(parser)
    parser.add_argument("sql", metavar="SQL", help="one SELECT, in DuckDB's dialect")
    parser.add_argument("--limit", type=int, default=10_000, metavar="N", help="most rows to show (default: 10000)")
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="SECONDS", help="stop the query after so long (default: 30)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Ask, and show the rows."""
    from choreodb.storage.sql import query
    from choreodb.storage.store import Store

    store = Store.open(options.library, version=options.at)
    answer = query(store, options.sql, limit=options.limit, timeout_s=options.timeout)
    if options.json:
        print_json(answer.as_dict())
    else:
        print(answer.text())
    return 0
