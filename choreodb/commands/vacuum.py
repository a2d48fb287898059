"""Removing versions that nobody needs."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json


def add(commands: Commands) -> None:
    """Declare the options of `vacuum`."""
    parser = command(
        commands, "vacuum", run, "remove old versions of a library and the files that only they need",
        "The newest N stay, and so do versions with a tag and versions that a process has open. What a killed command "
        "left behind goes, too; clips that a killed `index` has read already must then be read again.",
    )  # fmt: skip
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument("--keep", type=int, required=True, metavar="N", help="versions to keep, the newest ones")
    parser.add_argument(
        "--grace", type=float, metavar="SECONDS",
        help="keep what is younger (default: 0; a day in a store without locks, where readers cannot be seen)",
    )  # fmt: skip
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Remove."""
    from choreodb.storage.history import vacuum

    done = vacuum(options.library, keep=options.keep, grace_s=options.grace)
    if options.json:
        print_json(done.as_dict())
    else:
        print(done.text())
    return 0
