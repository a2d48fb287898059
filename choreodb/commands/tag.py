"""Names for versions."""

from __future__ import annotations

import argparse

from choreodb.commands.options import Commands, add_json, add_library, command, print_json
from choreodb.errors import QueryError


def add(commands: Commands) -> None:
    """Declare the options of `tag`."""
    parser = command(
        commands, "tag", run, "name a version of a library, list the names, or remove one",
        "Without a NAME all tags are listed. A version with a tag is opened by `--at NAME`, and `vacuum` keeps it.",
    )  # fmt: skip
    add_library(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="letters, digits, _ - and .; not digits alone")
    parser.add_argument("--remove", action="store_true", help="remove the tag; its version stays until a vacuum")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Name, list or remove."""
    from choreodb.storage import history

    if options.name is None:
        if options.remove:
            raise QueryError("tag --remove names no tag; give its name")
        return _list(options)
    if options.remove:
        history.untag(options.library, options.name)
        return _list(options) if options.json else 0
    version = history.tag(options.library, options.name, options.at)
    if options.json:
        return _list(options)
    print(f"{options.name} is version {version}")
    return 0


def _list(options: argparse.Namespace) -> int:
    from choreodb.storage import manifest
    from choreodb.storage.place import at
    from choreodb.storage.store import resolve

    resolve(options.library, None)
    tags = manifest.tags(at(options.library))
    if options.json:
        print_json({"schema_version": 1, "tags": tags})
    elif tags:
        print("\n".join(f"{name}  {version}" for name, version in tags.items()))
    return 0
