"""Another encoder for a library."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json, shown_progress


def add(commands: Commands) -> None:
    """Declare the options of `reembed`."""
    parser = command(
        commands, "reembed", run, "embed a library with another encoder",
        "Embeddings and index are written anew in one commit, and nothing else; clips, segments and graph stay. The weights "
        "of a trained encoder go into the library, so that it opens elsewhere, and what is added later is embedded with "
        "them. The earlier version stays until a vacuum.",
    )  # fmt: skip
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument(
        "--encoder", required=True, metavar="NAME|FILE|URL", help="rhythm, a shipped name, or .safetensors weights"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Embed anew, and say with what."""
    from choreodb.indexer.reembed import reembed
    from choreodb.storage.store import Store

    store = Store.open(options.library)
    with shown_progress() as progress:
        after = reembed(store, options.encoder, progress=progress)
    encoder, changed = after.encoder, after.version != store.version
    if options.json:
        print_json({"schema_version": 1, "library_version": after.version, "changed": changed, "encoder": encoder})
        return 0
    how = (
        f"version {after.version} is embedded with" if changed else f"version {after.version} already is embedded with"
    )
    print(f"{how} {encoder['name']} (hash {encoder['sha256']}), {after.manifest.rows('segments')} segments")
    return 0
