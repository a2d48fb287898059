"""Other labels for clips."""

from __future__ import annotations

import argparse

from choreodb.commands.options import Commands, add_clip_choice, command, print_json
from choreodb.wording import counted


def add(commands: Commands) -> None:
    """Declare the options of `relabel`."""
    parser = command(
        commands, "relabel", run, "set style, performer, licence or consent of clips",
        'An empty text is unknown: --licence "". Labels stay when the clip is indexed again, unless its source then says '
        "something else than it did.",
    )  # fmt: skip
    add_clip_choice(parser)
    for label in ("style", "performer", "licence", "consent"):
        parser.add_argument(f"--{label}", metavar="TEXT", help=f"the {label} to set")


def run(options: argparse.Namespace) -> int:
    """Relabel, or say what would be."""
    from choreodb.storage import edit
    from choreodb.storage.store import Store

    store = Store.open(options.library)
    clips = edit.select(store, options.clips, options.where)
    said = {label: getattr(options, label) for label in edit.LABELS if getattr(options, label) is not None}
    labels = {label: text or None for label, text in said.items()}
    edit.check_labels(labels)
    after = store if options.dry_run else edit.relabel(store, clips, labels)
    if options.json:
        print_json({"schema_version": 1, "library_version": after.version, "clips": clips, "dry_run": options.dry_run})
    elif options.dry_run:
        print("\n".join([*clips, f"{counted(len(clips), 'clip')} would be relabelled"]))
    elif after.version == store.version:
        print(f"nothing to change in {counted(len(clips), 'clip')}; version {after.version} stays")
    else:
        print(f"relabelled {counted(after.manifest.change['clips'], 'clip')} in version {after.version}")
    return 0
