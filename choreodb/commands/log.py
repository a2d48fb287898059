"""The versions of a library."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json


def add(commands: Commands) -> None:
    """Declare the options of `log`."""
    parser = command(
        commands, "log", run, "list the versions of a library, newest first",
        "What each commit did, when its manifest was written (UTC), by which ChoreoDB, and its tags.",
    )  # fmt: skip
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument("--limit", type=int, metavar="N", help="the newest N only (default: all)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """List versions."""
    from choreodb.storage.history import log

    versions = log(options.library)
    if options.limit is not None:
        versions = versions[: max(options.limit, 0)]
    if options.json:
        print_json({"schema_version": 1, "versions": [version.as_dict() for version in versions]})
    else:
        print("\n".join(version.text() for version in versions))
    return 0
