"""Libraries of earlier formats."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, command


def add(commands: Commands) -> None:
    """Declare the options of `upgrade`."""
    parser = command(
        commands, "upgrade", run, "bring a library of an earlier format to the one that is written now",
        "Never needed for reading: every format is read for ever. The earlier version stays until a vacuum.",
    )  # fmt: skip
    parser.add_argument("library", type=Path, metavar="LIB")


def run(options: argparse.Namespace) -> int:
    """Upgrade, where there is something to."""
    from choreodb.storage.store import Store
    from choreodb.storage.upgrade import upgrade

    store = Store.open(options.library)
    after = upgrade(store)
    if after.version == store.version:
        print(f"version {store.version} is in format {after.manifest.format_version} already")
    else:
        change = after.manifest.change
        print(f"version {after.version} is in format {change['to_format']} (before: {change['from_format']})")
    return 0
