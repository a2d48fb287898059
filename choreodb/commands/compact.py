"""Packing a library's motion files anew."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, command
from choreodb.wording import counted


def add(commands: Commands) -> None:
    """Declare the options of `compact`."""
    parser = command(
        commands, "compact", run, "pack the motion files of a library anew, without what was deleted",
        "Many runs of `index` leave many small files; afterwards there are as few as the motion fits in. Frames are "
        "copied as they are. The old files go with the next `vacuum`.",
    )  # fmt: skip
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument(
        "--index", choices=("auto", "cells", "faiss", "sq8", "rabitq", "hnsw"), metavar="KIND",
        help="only make the vector index anew, as cells, faiss, sq8, rabitq, hnsw, or auto for what the library would get "
        "by itself; it stays until clips come or go",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Pack."""
    from choreodb.storage import edit
    from choreodb.storage.store import Store

    store = Store.open(options.library)
    if options.index is not None:
        after = edit.reindex(store, None if options.index == "auto" else options.index)
        print(f"version {after.version}: index {', '.join(sorted(after.manifest.index)) or 'none, search is exact'}")
        return 0
    after = edit.compact(store)
    if after.version == store.version:
        print(f"version {store.version} is compact already")
    else:
        sizes = [sum(part.bytes for part in each.manifest.tables.get("motion", ())) for each in (store, after)]
        counts = [len(each.manifest.tables.get("motion", ())) for each in (store, after)]
        print(
            f"version {after.version}: motion in {counted(counts[1], 'file')} of {sizes[1] / 1e6:.1f} MB "
            f"(before: {counts[0]} of {sizes[0] / 1e6:.1f} MB)"
        )
    return 0
