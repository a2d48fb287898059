"""Some clips of a library as a library of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, add_library, command, print_json, shown_progress
from choreodb.wording import counted


def add(commands: Commands) -> None:
    """Declare the options of `export`."""
    parser = command(
        commands, "export", run, "write some clips of a library as a library of their own",
        "Their motion, songs, labels, licences and consent come along; segments, graph and index are made for them alone. "
        "Deleted clips, older versions, tags and virtual copies stay behind. --where true takes everything.",
    )  # fmt: skip
    add_library(parser)
    parser.add_argument("out", type=Path, metavar="OUT", help="the new library; there must be nothing yet")
    parser.add_argument("clips", nargs="*", metavar="CLIP", help="ids of clips")
    parser.add_argument(
        "--where", metavar="EXPR", help="all clips for which this is true, for example \"licence = 'CC0-1.0'\""
    )
    parser.add_argument("--dry-run", action="store_true", help="only list the clips")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Export, or say what would be."""
    from choreodb.indexer import subset
    from choreodb.storage import edit
    from choreodb.storage.store import Store

    store = Store.open(options.library, options.at)
    chosen = subset.choose(store, edit.select(store, options.clips, options.where))
    after = store
    if not options.dry_run:
        with shown_progress() as progress:
            after = subset.export(store, options.out, chosen, progress=progress)
    clips = list(chosen.clips)
    if options.json:
        print_json({"schema_version": 1, "library_version": after.version, "clips": clips, "dry_run": options.dry_run})
        return 0
    if options.dry_run:
        print("\n".join([*clips, f"{counted(len(clips), 'clip')} would be exported"]))
    else:
        parts = [
            (len(clips), "clip"),
            (after.manifest.rows("music"), "song"),
            (after.manifest.rows("segments"), "segment"),
        ]
        what = ", ".join(counted(number, noun) for number, noun in parts)
        print(f"exported {what} of version {store.version} to {options.out}")
    if chosen.copies:
        print(f"virtual copies left out: {chosen.copies}; `choreodb copies` makes them anew")
    return 0
