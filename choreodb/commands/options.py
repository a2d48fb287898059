"""What commands share: option groups, JSON on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from choreodb.progress import Progress

SKIPPED = 3
"""Exit status: done and committed, but some inputs were skipped."""

Commands = Any
"""argparse's own type for a set of sub-parsers is private."""


def command(
    commands: Commands, name: str, run: Callable[..., int], summary: str, epilog: str = ""
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary, epilog=epilog)
    parser.set_defaults(run=run)
    return parser


def add_library(parser: argparse.ArgumentParser) -> None:
    """The library a reading command works on, and which version of it."""
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument(
        "--at", metavar="N|TAG", help="use a version of the library, by number or tag (default: the newest)"
    )


def add_where(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--where", metavar="EXPR", help="use only segments for which this is true, for example \"style = 'waltz'\""
    )


def add_clip_choice(parser: argparse.ArgumentParser) -> None:
    """Which clips of a library a command changes."""
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument("clips", nargs="*", metavar="CLIP", help="ids of clips")
    parser.add_argument(
        "--where", metavar="EXPR", help="all clips for which this is true, for example \"performer = 'Ann'\""
    )
    parser.add_argument("--dry-run", action="store_true", help="only list the clips")
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def add_song_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the song's beats")
    group.add_argument("--bpm", type=float, metavar="N", help="tempo of the song, where the estimate is wrong")
    group.add_argument("--metre", type=int, choices=(3, 4, 6), help="beats a bar")
    group.add_argument("--beats", type=Path, metavar="FILE", help="beat times: lines of `seconds<TAB>position in bar`")


def print_json(document: Any) -> None:
    json.dump(document, sys.stdout, indent=2, sort_keys=True, allow_nan=False)
    sys.stdout.write("\n")


def shown_progress() -> Progress:
    from choreodb.progress import Progress

    return Progress()
