"""Virtual copies of clips at other tempi."""

from __future__ import annotations

import argparse

from choreodb.commands.options import Commands, command, shown_progress
from choreodb.errors import QueryError


def add(commands: Commands) -> None:
    """Declare the options of `copies`."""
    parser = command(
        commands, "copies", run, "add virtual copies of all clips at other tempi",
        "A copy has segments, embeddings and edges of its own, and no motion: its frames are made from those of its clip when "
        "they are read. It is named after its clip and its rate, as troupe/waltz-1@1.0500, and reports name the clip. The "
        "copies that there were are replaced.",
    )  # fmt: skip
    parser.add_argument("library", metavar="LIB", help="the library; a new version is made")
    parser.add_argument(
        "--rates", required=True, metavar="A,B", help="how much faster each copy is, such as 0.95,1.05; 0.5 to 2"
    )


def run(options: argparse.Namespace) -> int:
    """Add virtual copies of all clips at other tempi."""
    from choreodb.indexer.copies import add_copies
    from choreodb.storage.store import Store
    from choreodb.threads import one_thread

    try:
        rates = [float(rate) for rate in options.rates.split(",")]
    except ValueError:
        raise QueryError(
            f"--rates {options.rates!r}: expected numbers with commas between, such as 0.95,1.05"
        ) from None
    with shown_progress() as progress, one_thread():
        store = add_copies(Store.open(options.library), rates, progress=progress)
    print(f"version {store.version}: {store.manifest.rows('clips')} clips, {store.manifest.rows('segments')} segments")
    return 0
