"""What a motion file was understood to be."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import SKIPPED, Commands, add_json, add_layout, command, layout_of, print_json


def add(commands: Commands) -> None:
    """Declare the options of `inspect`."""
    parser = command(
        commands, "inspect", run, "say what a motion file was understood to be",
        "Reader, joints and their canonical names, frame rate, units, up axis, rest pose, hands, face and residual, each guess "
        "with its reason. Exits with 3 where the file was read but cannot be danced, and says why.",
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help=".bvh .npz .npy .pkl .json .glb .gltf .vrma .vmd .c3d")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw eight poses of the retargeted motion")
    parser.add_argument(
        "--fps", type=float, metavar="N", help="the true frames a second, where the file says none or lies"
    )
    parser.add_argument("--units", metavar="U", help="m, cm, mm, inch or mmd (default: by the body's size)")
    parser.add_argument("--up", metavar="AXIS", help="x, y, z, -x, -y or -z (default: by the body)")
    parser.add_argument(
        "--skeleton",
        type=Path,
        metavar="TOML",
        help='canonical joint names and the file\'s: left_hip = "LThigh"; [offsets] of a performer, where it has none',
    )
    add_layout(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """What a motion file was understood to be."""
    from choreodb.inspection import inspect_motion, picture

    found = inspect_motion(
        options.file, fps=options.fps, units=options.units, up=options.up, skeleton=options.skeleton, layout=layout_of(options)
    )  # fmt: skip
    if options.plot is not None and found.canonical is not None:
        from choreodb.render.sheet import save_sheet

        save_sheet(picture(found), options.plot)
    if options.json:
        print_json(found.as_dict())
    else:
        print(found.text())
    return 0 if found.problem is None else SKIPPED
