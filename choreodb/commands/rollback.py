"""Going back to an earlier version."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, command


def add(commands: Commands) -> None:
    """Declare the options of `rollback`."""
    parser = command(
        commands, "rollback", run, "make a new version that equals an earlier one",
        "Nothing is lost: the versions in between stay until a vacuum. Clips deleted since then are there again.",
    )  # fmt: skip
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument("version", metavar="N|TAG", help="the version to go back to")


def run(options: argparse.Namespace) -> int:
    """Go back."""
    from choreodb.storage.history import brought_back, rollback
    from choreodb.storage.store import Store

    store = rollback(options.library, options.version)
    print(f"version {store.version} equals version {store.manifest.change['to']}")
    if store.version - 1 in Store.versions(store.place):
        for clip, reason in brought_back(Store.open(store.place, store.version - 1), store).items():
            print(f"there again: {clip}, which was deleted ({reason or 'no reason stated'})")
    return 0
