"""Dancing: a song and a library make a dance."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import (
    Commands,
    add_json,
    add_library,
    add_song_options,
    add_where,
    command,
    print_json,
    shown_progress,
)
from choreodb.errors import QueryError


def add(commands: Commands) -> None:
    parser = command(
        commands, "dance", run, "dance to a song with the motion of a library",
        "The suffix chooses the format: .bvh .glb .npz (AMASS) .mp4 (video with the song) .png (contact sheet) .json (the "
        "report: every step with its source, cost and licence).",
    )  # fmt: skip
    add_library(parser)
    parser.add_argument("song", type=Path, metavar="SONG")
    parser.add_argument(
        "-o", "--output", type=Path, action="append", required=True, metavar="FILE", help="may be repeated"
    )
    add_where(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another dance for every number (default: 0)")
    parser.add_argument("--stage", default="6x6", metavar="WxD", help="metres to stay within, or none (default: 6x6)")
    parser.add_argument(
        "--refine", choices=("none", "physics"), default="physics", help="clean-up after stitching (default: physics)"
    )
    parser.add_argument("--units", choices=("m", "cm"), default="m", help="units of a .bvh (default: m)")
    add_song_options(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Plan, search, stitch, clean up, and write."""
    from choreodb.dance import Outputs
    from choreodb.library import Library

    with Outputs(options.output) as outputs, shown_progress() as progress:
        library = Library.open(options.library, version=options.at)
        result = library.dance(
            options.song, seed=options.seed, where=options.where, stage_m=_stage(options.stage), refine=options.refine,
            bpm=options.bpm, beats=options.beats, metre=options.metre, progress=progress,
        )  # fmt: skip
        outputs.write(result, units=options.units, progress=progress)
    if options.json:
        print_json(result.report)
    else:
        print(result.summary())
    return 0


def _stage(text: str) -> tuple[float, float] | None:
    if text == "none":
        return None
    try:
        width, depth = (float(part) for part in text.lower().split("x"))
    except ValueError:
        raise QueryError(f"--stage {text!r} is not WIDTHxDEPTH in metres, like 6x6, or none") from None
    if not (1.0 <= width <= 1000.0 and 1.0 <= depth <= 1000.0):
        raise QueryError(f"--stage {text!r} must be between 1 and 1000 metres on each side, like 6x6")
    return width, depth
