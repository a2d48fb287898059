"""Taking clips out of a library."""

from __future__ import annotations

import argparse

from choreodb.commands.options import Commands, add_clip_choice, command, print_json
from choreodb.wording import counted


def add(commands: Commands) -> None:
    """Declare the options of `delete`."""
    parser = command(
        commands, "delete", run, "take clips out of a library",
        "They are gone from tables, search, index and graph at once, and `index` leaves them out from then on (unless "
        "told to --restore). Older versions have them still: `compact` and `vacuum --keep 1` remove the last of their "
        "motion, and `verify --absent CLIP` proves it.",
    )  # fmt: skip
    add_clip_choice(parser)
    parser.add_argument("--reason", metavar="TEXT", help='why, for the log, for example "consent withdrawn"')


def run(options: argparse.Namespace) -> int:
    """Delete, or say what would be."""
    from choreodb.indexer import removal
    from choreodb.storage import edit
    from choreodb.storage.store import Store

    store = Store.open(options.library)
    clips = edit.select(store, options.clips, options.where)
    after = store if options.dry_run else removal.delete(store, clips, reason=options.reason)
    if options.json:
        print_json({"schema_version": 1, "library_version": after.version, "clips": clips, "dry_run": options.dry_run})
    elif options.dry_run:
        print("\n".join([*clips, f"{counted(len(clips), 'clip')} would be deleted"]))
    else:
        print(f"deleted {counted(len(clips), 'clip')}; version {after.version} has {after.manifest.rows('clips')}")
    return 0
