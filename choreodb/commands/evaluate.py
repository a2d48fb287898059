"""The metrics of anybody's dances."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json, shown_progress


def add(commands: Commands) -> None:
    """Declare the options of `evaluate`."""
    parser = command(
        commands, "evaluate", run, "compute the metrics of anybody's dances",
        "Any motion format that `index` reads. Music: one song for all dances, songs with the dances' stems, or as many as "
        "dances in their order. Joints are measured as the file has them, upright, on the floor and at one scale.",
    )  # fmt: skip
    parser.add_argument(
        "--motion", nargs="+", type=Path, required=True, metavar="FILE", help="dances: files or folders"
    )
    parser.add_argument(
        "--music", nargs="+", type=Path, default=[], metavar="FILE", help="their songs: files or folders"
    )
    parser.add_argument(
        "--reference", type=Path, metavar="DIR", help="folder of captured dances, or a library, for FID and diversity"
    )
    parser.add_argument(
        "--tracker",
        choices=("choreodb", "librosa"),
        default="choreodb",
        help="who finds the music's beats (default: choreodb)",
    )
    parser.add_argument(
        "--fps", type=float, metavar="N", help="the dances' true frames a second, where their headers lie"
    )
    parser.add_argument(
        "--units", metavar="U", help="the dances' units: m, cm, mm, inch, mmd (default: by the body's size)"
    )
    parser.add_argument("--up", metavar="AXIS", help="the dances' vertical: x, y, z, -x, -y, -z (default: by the body)")
    parser.add_argument(
        "--window",
        type=float,
        metavar="S",
        help="FID over windows of so many seconds (default: the first 20 s of each dance)",
    )
    parser.add_argument("--hop", type=float, metavar="S", help="a window every so many seconds (default: no overlap)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of chance and floor (default: 0)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """The metrics of anybody's dances."""
    from choreodb.benchmarks.runs.evaluate import EvaluateOptions
    from choreodb.benchmarks.runs.evaluate import evaluate as measure

    asked = EvaluateOptions(
        fps=options.fps, units=options.units, up=options.up, tracker=options.tracker, window_s=options.window,
        hop_s=options.hop, seed=options.seed,
    )  # fmt: skip
    with shown_progress() as progress:
        found = measure(options.motion, options.music, reference=options.reference, options=asked, progress=progress)
    if options.json:
        print_json(found.as_dict())
    else:
        print(found.text())
    return 0
