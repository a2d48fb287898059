"""What can follow what."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, add_library, command, print_json


def add(commands: Commands) -> None:
    """Declare the options of `graph`."""
    parser = command(
        commands, "graph", run, "describe the transition graph: components, degrees, hubs, dead ends, ways into styles",
        "Dances stay in the largest strongly connected component, so that none dead-ends; what is cut, and why, is listed. "
        "In Python, `Library.graph()` gives the graph to networkx.",
    )  # fmt: skip
    add_library(parser)
    parser.add_argument("--stats", action="store_true", help="print the statistics (they are printed anyway)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw ways between styles, and degrees")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Describe the graph of a library."""
    from choreodb.library import Library
    from choreodb.storage.graph_report import graph_report

    found = graph_report(Library.open(options.library, version=options.at).store)
    if options.plot is not None:
        from choreodb.render.graph import graph_picture
        from choreodb.render.sheet import save_sheet

        save_sheet(graph_picture(found.as_dict()), options.plot)
    if options.json:
        print_json(found.as_dict())
    else:
        print(found.text())
    return 0
