"""What a library holds."""

from __future__ import annotations

import argparse

from choreodb.commands.options import Commands, add_json, add_library, command, print_json


def add(commands: Commands) -> None:
    """Declare the options of `info`."""
    parser = command(commands, "info", run, "say what a library holds")
    add_library(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """What a library holds."""
    from choreodb.library import Library

    facts = Library.open(options.library, version=options.at).info()
    if options.json:
        print_json(facts.as_dict())
    else:
        print(facts.text())
    return 0
