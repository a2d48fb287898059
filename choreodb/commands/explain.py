"""Why a dance is as it is."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json


def add(commands: Commands) -> None:
    """Declare the options of `explain`."""
    parser = command(
        commands, "explain", run, "say why each step of a dance has the segment it has, and what was next best",
        "Reads the .json that `dance` wrote and nothing else. The next best is the material that would cost the whole "
        "dance least if it alone were exchanged.",
    )  # fmt: skip
    parser.add_argument("report", type=Path, metavar="REPORT", help="the .json that `dance` wrote")
    parser.add_argument("--step", type=int, action="append", default=[], metavar="N", help="only this step")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the plan: beats, segments, costs, seams")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Explain a report."""
    from choreodb.explanation import explain

    found = explain(options.report, options.step)
    if options.plot is not None:
        from choreodb.render.plan import plan_picture
        from choreodb.render.sheet import save_sheet

        save_sheet(plan_picture(found.report), options.plot)
    if options.json:
        print_json(found.as_dict())
    else:
        print(found.text())
    return 0
