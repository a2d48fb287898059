"""Credits: what a dance owes to whom."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json


def add(commands: Commands) -> None:
    """Declare the options of `credits`."""
    parser = command(
        commands, "credits", run, "list what a dance owes to whom, down to frame ranges",
        "Licences, performers and source files come from the report alone; unknown ones are flagged.",
    )  # fmt: skip
    parser.add_argument("report", type=Path, metavar="REPORT", help="the .json that `dance -o x.json` wrote")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Read the report and list what it owes."""
    from choreodb.credits import credits, read

    found = credits(read(options.report))
    if options.json:
        print_json(found.as_dict())
    else:
        print(found.text())
    return 0
