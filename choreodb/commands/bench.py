"""Benchmarks by name."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import SKIPPED, Commands, add_json, command, print_json, shown_progress


def add(commands: Commands) -> None:
    """Declare the options of `bench`."""
    parser = command(
        commands, "bench", run, "run a benchmark and print its table",
        "`all` runs every benchmark there is, and exits with 3 where some cannot be run on what is given (it says which). "
        "Without a library it makes the built-in sample. The run is compared with the last stored one on the same inputs.",
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help="beats, dance, generation, latency, ... or all")
    parser.add_argument(
        "targets", nargs="*", type=Path, metavar="LIB | SONG | DIR", help="a library, songs, folders of songs"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of annotated or paired data")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write the report here: Markdown, plots, JSON, JSON lines"
    )
    parser.add_argument(
        "--refiner", type=Path, metavar="NAME|FILE", help="weights of a refiner for `bench refine` to measure"
    )
    parser.add_argument(
        "--encoder", action="append", default=[], metavar="NAME|FILE",
        help="a trained encoder to measure, may be given several times (default: those that are shipped)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of everything random (default: 0)")
    parser.add_argument(
        "--quick", action="store_true", help="find out whether it runs, in a few minutes; the numbers say little"
    )
    parser.add_argument("--store", action="store_true", help="keep this run among the stored ones")
    parser.add_argument(
        "--history", type=Path, metavar="DIR", help="folder of stored runs (default: benchmarks/history of a checkout)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Run benchmarks by name."""
    from choreodb.benchmarks.runs.registry import run

    stored = {} if options.history is None else {"stored": options.history}
    with shown_progress() as progress:
        report = run(
            options.name, options.targets, data=options.data, out=options.out, seed=options.seed, progress=progress,
            quick=options.quick, store=options.store, refiner=options.refiner, encoders=options.encoder, **stored,
        )  # fmt: skip
    if options.json:
        print_json(report.as_dict())
    else:
        print(report.text())
    return SKIPPED if report.skipped else 0
