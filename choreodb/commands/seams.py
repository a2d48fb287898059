"""Looking at seams: before and after refining, side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_library, add_song_options, command, shown_progress


def add(commands: Commands) -> None:
    """Declare the options of `seams`."""
    parser = command(
        commands, "seams", run, "show the seams of a dance before and after refining, as mp4",
        "Each seam at half speed, as it was joined on the left and refined on the right, under one camera; a red bar marks it.",
    )  # fmt: skip
    add_library(parser)
    parser.add_argument("song", type=Path, metavar="SONG")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder for seam-01.mp4 and so on"
    )
    parser.add_argument("--count", type=int, default=5, metavar="N", help="how many, evenly spread (default: 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another dance for every number (default: 0)")
    parser.add_argument(
        "--refine", choices=("physics", "seams", "all"), default="physics",
        help="what is shown on the right: physics, or a trained refiner at seams or everywhere and then physics (default: physics)",
    )  # fmt: skip
    parser.add_argument("--refiner", type=Path, metavar="FILE", help="weights of a refiner, from `train refiner`")
    parser.add_argument(
        "--strength", type=float, metavar="0..1",
        help="how far the refiner may go from what was captured (default: 0.35)",
    )  # fmt: skip
    add_song_options(parser)


def run(options: argparse.Namespace) -> int:
    """Dance once, refine, and draw both."""
    from choreodb.library import Library
    from choreodb.retriever.options import PlanOptions
    from choreodb.seams import check_count, show_seams

    check_count(options.count)
    with shown_progress() as progress:
        library = Library.open(options.library, version=options.at)
        before, after, warnings = library.before_and_after(
            options.song, options=PlanOptions(seed=options.seed, candidate_gap=False), refine=options.refine,
            refiner=options.refiner, strength=options.strength, bpm=options.bpm, beats=options.beats, metre=options.metre,
        )  # fmt: skip
        shown = show_seams(before, after, options.output, options.count, refined=options.refine, progress=progress)
    print("\n".join([*(seam.text() for seam in shown), *(f"warning: {warning}" for warning in warnings)]))
    return 0
