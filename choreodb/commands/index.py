"""Indexing: motion files into a library."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from choreodb.commands.options import (
    SKIPPED,
    Commands,
    add_encoder,
    add_json,
    add_layout,
    command,
    layout_of,
    print_json,
    shown_progress,
)
from choreodb.errors import QueryError

if TYPE_CHECKING:
    from choreodb.indexer.labels import ClipSettings


def add(commands: Commands) -> None:
    """Declare the options of `index`."""
    parser = command(
        commands, "index", run, "index motion clips, and the music they were danced to, into a library",
        "Reads BVH, GLB, AMASS, AIST++, MMD, C3D, joint positions and feature arrays. A song belongs to a clip by pairs.csv, by the same stem, or as the only "
        "song beside the only motion of a folder. clips.csv overrides what files and folders say. Run it again: only "
        "what is new or changed is read.",
    )  # fmt: skip
    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="SOURCE", help="folder of clips (searched recursively) or one file"
    )
    parser.add_argument(
        "--library", type=Path, required=True, metavar="LIB", help="the library, made where there is none"
    )
    group = parser.add_argument_group("how to read files of which clips.csv does not say it")
    group.add_argument("--fps", type=float, metavar="N", help="the true frames a second, where files say none or lie")
    group.add_argument("--units", metavar="U", help="m, cm, mm, inch or mmd (default: by the body's size)")
    group.add_argument("--up", metavar="AXIS", help="x, y, z, -x, -y or -z (default: by the body)")
    group.add_argument(
        "--skeleton",
        type=Path,
        metavar="TOML",
        help='canonical joint names and the files\': left_hip = "LThigh"; [offsets] of a performer, where they have none',
    )
    add_layout(group)
    add_encoder(
        parser, "what a new library is embedded with: rhythm, a shipped name, or .safetensors weights (default: rhythm)"
    )
    parser.add_argument("--restore", action="store_true", help="take back clips that were deleted from the library")
    parser.add_argument("--strict", action="store_true", help="stop at the first file that cannot be read")
    parser.add_argument("--jobs", type=int, default=None, metavar="N", help="processes (default: one per core)")
    parser.add_argument(
        "--motion", choices=("float32", "compact"), default=None,
        help="how the motion of new clips is stored: in full, or in about a tenth of the space, within 0.01 degrees and 0.1 mm (default: as before, at first float32)",
    )  # fmt: skip
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Index sources into a library."""
    from choreodb.indexer.build import index as build

    if options.jobs is not None and options.jobs < 1:
        raise QueryError(f"--jobs {options.jobs} is not a number of processes; give at least 1")
    reading = _reading(options)
    with shown_progress() as progress:
        summary = build(
            options.sources, options.library, strict=options.strict, progress=progress, jobs=options.jobs,
            packing=options.motion, restore=options.restore, reading=reading, encoder=options.encoder,
        )  # fmt: skip
    for skipped in summary.skipped:
        print(f"choreodb: skipped {' '.join(str(skipped).split())}", file=sys.stderr)
    if options.json:
        print_json(summary.as_dict())
    else:
        print(summary.text())
    return SKIPPED if summary.skipped else 0


def _reading(options: argparse.Namespace) -> ClipSettings:
    """How to read files, checked before any is read."""
    from choreodb.indexer.labels import UNITS, UP_AXES, ClipSettings
    from choreodb.motion import jointmaps, offsets
    from choreodb.motion.motion import checked_fps

    if options.units is not None and options.units not in UNITS:
        raise QueryError(f"--units {options.units!r} is none that is known; expected one of {', '.join(UNITS)}")
    if options.up is not None and options.up not in UP_AXES:
        raise QueryError(f"--up {options.up!r} is no axis; expected one of {', '.join(UP_AXES)}")
    if options.skeleton is not None:
        jointmaps.check(options.skeleton)
        offsets.read_offsets(options.skeleton)
    fps = None if options.fps is None else checked_fps(options.fps)
    return ClipSettings(
        fps=fps, units=options.units, up=options.up, skeleton=options.skeleton, layout=layout_of(options)
    )
