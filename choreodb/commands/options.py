"""What commands share: option groups, JSON on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from choreodb.errors import MotionFormatError, QueryError

if TYPE_CHECKING:
    from choreodb.motion.rig import Rig
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


def add_encoder(parser: argparse._ActionsContainer, what: str) -> None:
    """The encoder that a library is, or is to be, embedded with."""
    parser.add_argument("--encoder", metavar="NAME|FILE|URL", help=what)


def add_clip_choice(parser: argparse.ArgumentParser) -> None:
    """Which clips of a library a command changes."""
    parser.add_argument("library", type=Path, metavar="LIB")
    parser.add_argument("clips", nargs="*", metavar="CLIP", help="ids of clips")
    parser.add_argument(
        "--where", metavar="EXPR", help="all clips for which this is true, for example \"performer = 'Ann'\""
    )
    parser.add_argument("--dry-run", action="store_true", help="only list the clips")
    add_json(parser)


def add_layout(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--layout",
        metavar="NAME",
        help="numbers a frame of a feature array, such as 139, 151 or 319 (default: its width), or the order of nameless joint "
        "positions: smpl22, smpl24, coco17, h36m17, body25, kinect25, ... (default: the one that makes a body)",
    )


def layout_of(options: argparse.Namespace) -> int | str | None:
    """The layout that `add_layout`'s option names, or None; QueryError where there is no such layout."""
    from choreodb.motion.layouts import checked_layout

    try:
        return None if options.layout is None else checked_layout(options.layout)
    except MotionFormatError as error:
        raise QueryError(f"--{error}") from None


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def add_song_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the song's beats")
    group.add_argument("--bpm", type=float, metavar="N", help="tempo of the song, where the estimate is wrong")
    group.add_argument("--metre", type=int, choices=(3, 4, 6), help="beats a bar")
    group.add_argument("--beats", type=Path, metavar="FILE", help="beat times: lines of `seconds<TAB>position in bar`")


def add_rig(parser: argparse.ArgumentParser) -> None:
    """The character that is to dance."""
    group = parser.add_argument_group("your own character")
    group.add_argument(
        "--rig", type=Path, metavar="FILE",
        help="dance on this skeleton: a .bvh (for a .bvh), or a .glb, .gltf or .vrm character, which a .glb then shows",
    )  # fmt: skip
    group.add_argument(
        "--rig-skeleton", type=Path, metavar="TOML", help='canonical joint names and the rig\'s: left_hip = "LThigh"'
    )


def rig_of(options: argparse.Namespace, outputs: Sequence[Path]) -> Rig | None:
    """The rig that `add_rig`'s options name, or None; QueryError where no output can show it."""
    if options.rig is None:
        if options.rig_skeleton is not None:
            raise QueryError("--rig-skeleton names the joints of a rig; give the rig with --rig")
        return None
    from choreodb.motion import export, jointmaps, rig

    refused = [path for path in outputs if export.suffix_of(path) == ".npz"]
    if refused:
        raise QueryError(f"output {str(refused[0])!r} is AMASS, which has no room for a rig; leave --rig away for it")
    if not any(export.suffix_of(path) in export.RIGGED for path in outputs):
        raise QueryError(f"--rig needs an output that can hold it; expected one of {' '.join(export.RIGGED)}")
    joint_map = None if options.rig_skeleton is None else jointmaps.read_joint_map(options.rig_skeleton)
    return rig.load(options.rig, joint_map=joint_map)


def print_json(document: Any) -> None:
    json.dump(document, sys.stdout, indent=2, sort_keys=True, allow_nan=False)
    sys.stdout.write("\n")


def shown_progress() -> Progress:
    from choreodb.progress import Progress

    return Progress()
