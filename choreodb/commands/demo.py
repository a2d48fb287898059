"""The demo: sample, index, dance."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, command, shown_progress


def add(commands: Commands) -> None:
    """Declare the options of `demo`."""
    parser = command(commands, "demo", run, "make the built-in sample, index it, and dance to a song it has not heard")
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="where everything goes (default: demo)"
    )
    parser.add_argument("--minutes", type=float, default=5.0, metavar="N", help="minutes of sample dance (default: 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another troupe, another song (default: 0)")


def run(options: argparse.Namespace) -> int:
    """Sample, index, dance: the main job on material the package makes itself."""
    from choreodb.demo import run_demo

    with shown_progress() as progress:
        return run_demo(options.out, minutes=options.minutes, seed=options.seed, progress=progress)
