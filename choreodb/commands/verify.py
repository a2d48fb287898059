"""Whether a library is what its manifest says."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from choreodb.commands.options import Commands, add_json, add_library, command, print_json
from choreodb.errors import QueryError

if TYPE_CHECKING:
    from choreodb.storage.place import Place


def add(commands: Commands) -> None:
    """Declare the options of `verify`."""
    parser = command(commands, "verify", run, "re-hash and cross-check every file of a library")
    add_library(parser)
    parser.add_argument(
        "--absent", metavar="CLIP", help="instead, prove that nothing of a deleted clip is left in any version or file"
    )
    parser.add_argument(
        "--repair", action="store_true",
        help="rebuild the newest version's segments, graph, arrays and index from its clips and their motion, which are "
        "never touched",
    )  # fmt: skip
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Whether every file of a library is what its manifest says; a damaged library need not open for that."""
    from choreodb.storage.place import at
    from choreodb.storage.store import Store, resolve
    from choreodb.storage.verify import verify as verify_library

    place = at(options.library)
    if not Store.exists(place):
        Store.open(place)
    if options.repair:
        return _repair(place, options)
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


def _repair(place: Place, options: argparse.Namespace) -> int:
    from choreodb.indexer.repair import repair

    if options.at is not None or options.absent is not None:
        raise QueryError("verify --repair mends the newest version; leave out --at and --absent")
    done = repair(place)
    if options.json:
        problems = [{"file": each.file, "what": each.what} for each in done.left]
        print_json({"library": place.name, "problems": problems, "repaired": done.version})
        return 1 if done.left else 0
    for problem in done.found:
        print(f"{'left' if problem in done.left else 'mended'}: {problem}")
    for problem in done.left:
        if problem not in done.found:
            print(f"left: {problem}")
    if done.version is None:
        print(f"{place}: nothing to rebuild, {len(done.left)} problem{'' if len(done.left) == 1 else 's'} left")
    else:
        print(f"{place}: rebuilt in version {done.version}, {len(done.left)} left")
    return 1 if done.left else 0
