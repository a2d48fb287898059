"""Searching: the segments nearest to a window."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import (
    Commands,
    add_encoder,
    add_json,
    add_library,
    add_song_options,
    add_where,
    command,
    print_json,
)


def add(commands: Commands) -> None:
    """Declare the options of `search`."""
    parser = command(commands, "search", run, "list the segments nearest to a song's or a clip's windows")
    add_library(parser)
    query = parser.add_mutually_exclusive_group(required=True)
    query.add_argument("--music", type=Path, metavar="SONG", help="ask with a song")
    query.add_argument("--motion", type=Path, metavar="CLIP", help="ask with a motion file")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="segments a window (default: 5)")
    add_where(parser)
    parser.add_argument(
        "--timing", choices=("on", "off"), default="on",
        help="whether the order for a song also says how well segments move with 25 s of it (default: on)",
    )  # fmt: skip
    add_encoder(parser, "refuse a library that was embedded with another one")
    add_song_options(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """The nearest segments, window by window."""
    from choreodb.library import Library

    library = Library.open(options.library, version=options.at)
    library.refuse_other_encoder(options.encoder)
    result = library.search(
        music=options.music, motion=options.motion, top=options.top, where=options.where,
        bpm=options.bpm, beats=options.beats, metre=options.metre, timing=options.timing == "on",
    )  # fmt: skip
    if options.json:
        print_json(result.as_dict())
    else:
        print(result.text())
        if options.music is not None and options.timing == "on" and not result.query["timing"]:
            print("note: this library does not keep how its segments move, so timing has no part in the order; "
                  "`choreodb merge NEW LIB` makes one that does")  # fmt: skip
    return 0
