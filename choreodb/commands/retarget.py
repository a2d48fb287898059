"""Retargeting: any motion file onto our skeleton, or onto the user's character."""

from __future__ import annotations

import argparse
from pathlib import Path

from choreodb.commands.options import Commands, add_layout, add_rig, command, layout_of, rig_of
from choreodb.errors import MotionFormatError, QueryError


def add(commands: Commands) -> None:
    """Declare the options of `retarget`."""
    parser = command(
        commands, "retarget", run, "bring a motion file onto another skeleton, or into another format",
        "Reads whatever `inspect` reads. Without --rig the result is on our own skeleton: 60 fps, metres, y up, standing on "
        "the floor. The suffix of the output chooses the format: .bvh .glb .npz (AMASS) .positions.npz (joint positions).",
    )  # fmt: skip
    parser.add_argument(
        "motion", type=Path, metavar="MOTION", help="a motion file; `inspect` says what is understood of it"
    )
    parser.add_argument(
        "-o", "--output", type=Path, action="append", required=True, metavar="FILE", help="may be repeated"
    )
    parser.add_argument(
        "--fps", type=float, metavar="N", help="the true frames a second, where the file says none or lies"
    )
    parser.add_argument("--units", choices=("m", "cm"), default="m", help="units of a .bvh (default: m)")
    parser.add_argument("--source-units", metavar="U", help="of the motion: m, cm, mm, inch or mmd (default: by size)")
    parser.add_argument("--up", metavar="AXIS", help="of the motion: x, y, z, -x, -y or -z (default: by the body)")
    parser.add_argument(
        "--skeleton",
        type=Path,
        metavar="TOML",
        help='canonical joint names and the motion\'s: left_hip = "LThigh"; [offsets] of a performer, where it has none',
    )
    add_layout(parser)
    add_rig(parser)


def run(options: argparse.Namespace) -> int:
    """Read, retarget, write, and say what was guessed."""
    from choreodb.motion import export, registry, retarget

    for path in options.output:
        if export.suffix_of(path) not in export.SUFFIXES:
            known = " ".join(export.SUFFIXES)
            raise QueryError(f"output {str(path)!r} has suffix {path.suffix!r}; expected one of {known}")
    form = export.Form(options.units, rig_of(options, options.output))
    native, joint_map = registry.read_mapped(
        options.motion, options.skeleton, fps=options.fps, layout=layout_of(options)
    )
    try:
        canonical = retarget.canonicalise(native, units=options.source_units, up=options.up, joint_map=joint_map)
    except MotionFormatError as error:
        raise MotionFormatError(f"{options.motion}: {error}") from None
    for path in options.output:
        export.save(canonical.motion, path, export.suffix_of(path), form)
    print(f"{options.motion}: {len(canonical.motion)} frames at 60 fps, residual {canonical.residual_cm:.2f} cm")
    for note in (
        *native.notes,
        *canonical.notes,
        *(() if form.rig is None else (f"rig: {note}" for note in form.rig.notes)),
    ):
        print(f"  {note}")
    return 0
