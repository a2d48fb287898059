"""Whether a library is what its manifest says."""

from __future__ import annotations

import argparse

from choreodb.commands.options import Commands, add_json, add_library, command, print_json


def add(commands: Commands) -> None:
    parser = command(commands, "verify", run, "re-hash and cross-check every file of a library")
    add_library(parser)
    parser.add_argument(
        "--absent", metavar="CLIP", help="instead, prove that nothing of a deleted clip is left in any version or file"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Whether every file of a library is what its manifest says; a damaged library need not open for that."""
    from choreodb.storage.place import at
    from choreodb.storage.store import Store, resolve
    from choreodb.storage.verify import verify as verify_library

    place = at(options.library)
    if not Store.exists(place):
        Store.open(place)
    version = None if options.at is None else resolve(place, options.at)
    if options.absent is not None:
        from choreodb.storage.absence import absent

        problems = absent(place, options.absent)
    else:
        problems = verify_library(place, version=version)
    if options.json:
        print_json({"library": place.name, "problems": [{"file": each.file, "what": each.what} for each in problems]})
    else:
        for problem in problems:
            print(f"{problem.file}: {problem.what}")
        if options.absent is not None and not problems:
            print(f"{place}: no trace of {options.absent}")
        else:
            print(f"{place}: {len(problems)} problem{'' if len(problems) == 1 else 's'}")
    return 1 if problems else 0
