"""The clips of other libraries into a library."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json, shown_progress
from choreodb.wording import counted


def add(commands: Commands) -> None:
    """Declare the options of `merge`."""
    parser = command(
        commands, "merge", run, "take the clips of other libraries into a library, in one commit",
        "Motion, songs, labels, licences and consent come along; segments, graph and index are made anew for all clips "
        "together. A clip that is the same in both is taken once; one that differs stops the merge, which names it. What "
        "was deleted from LIB stays out.",
    )  # fmt: skip
    parser.add_argument("library", type=Path, metavar="LIB", help="the library, made where there is none")
    parser.add_argument(
        "others", nargs="+", type=Path, metavar="OTHER", help="a library to take from; it stays as it is"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Merge, and say what came in."""
    from choreodb.indexer.merge import merge

    with shown_progress() as progress:
        done = merge(options.library, options.others, progress=progress)
    store = done.store
    if options.json:
        print_json(
            {
                "schema_version": 1,
                "library_version": store.version,
                "added": list(done.added),
                "same": list(done.same),
                "notes": list(done.notes),
            }
        )
        return 0
    total = (
        f"version {store.version} has {store.manifest.rows('clips')} clips, {store.manifest.rows('segments')} segments"
    )
    print(f"{counted(len(done.added), 'clip')} added, {len(done.same)} there already; {total}")
    for note in done.notes:
        print(note)
    return 0
