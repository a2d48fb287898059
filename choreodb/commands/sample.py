"""The built-in troupe and band."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from choreodb.commands.options import Commands, add_json, command, print_json
from choreodb.errors import QueryError


def add(commands: Commands) -> None:
    """Declare the options of `sample`."""
    parser = commands.add_parser(
        "sample", help="make motion and music without any data set", description="The built-in troupe and band (CC0)."
    )
    parser.set_defaults(run=lambda _: _usage(parser))
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    make = command(
        verbs, "make", sample_make, "write a folder of dances (BVH) with their songs and the truth about both"
    )
    make.add_argument("out", type=Path, metavar="OUT")
    make.add_argument("--minutes", type=float, default=5.0, metavar="N", help="minutes of dance in all (default: 5)")
    make.add_argument(
        "--styles", metavar="A,B", help="only these styles (default: four, more where there are over 6 minutes)"
    )
    make.add_argument("--seed", type=int, default=0, metavar="N", help="another troupe (default: 0)")
    make.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="processes to share the work; the files are the same (default: 1)",
    )
    ceiling = command(verbs, "oracle", sample_oracle, "the best R@K that any retrieval could reach on a sample")
    ceiling.add_argument("out", type=Path, metavar="OUT", help="the folder that `sample make` wrote")
    ceiling.add_argument(
        "--window", type=float, default=8.0, metavar="S", help="seconds of music and of dance (default: 8)"
    )
    add_json(ceiling)
    show = command(verbs, "show", sample_show, "write a clip of a sample with its song as mp4")
    show.add_argument("out", type=Path, metavar="OUT", help="the folder that `sample make` wrote")
    show.add_argument("--style", metavar="NAME", help="the first clip of this style")
    show.add_argument("--clip", metavar="TEXT", help="the first clip whose file name contains this")
    show.add_argument("--seconds", type=float, metavar="N", help="no more than this (default: all)")
    show.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="where to: a name in .mp4")
    song = command(verbs, "song", sample_song, "write one song of the band")
    song.add_argument("out", type=Path, metavar="FILE")
    song.add_argument("--style", default="house", metavar="NAME", help="style of the song (default: house)")
    song.add_argument("--seconds", type=float, default=60.0, metavar="N", help="about how long (default: 60)")
    song.add_argument("--seed", type=int, default=1000, metavar="N", help="another song (default: 1000)")


def _usage(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2


def sample_make(options: argparse.Namespace) -> int:
    """Write a sample data set."""
    from choreodb import sample

    styles = tuple(options.styles.split(",")) if options.styles else None
    manifest = sample.make(options.out, minutes=options.minutes, seed=options.seed, styles=styles, jobs=options.jobs)
    print(manifest.text())
    return 0


def sample_oracle(options: argparse.Namespace) -> int:
    """State the ceiling of retrieval on a sample."""
    from choreodb import sample

    report = sample.oracle(options.out, window_s=options.window)
    if options.json:
        print_json(report.as_dict())
    else:
        print(report.text())
    return 0


def sample_show(options: argparse.Namespace) -> int:
    """Show one clip."""
    from choreodb import showing

    if options.seconds is not None and not 0.1 <= options.seconds <= 3600.0:
        raise QueryError(f"cannot show {options.seconds:g} seconds; ask for 0.1 to 3600")
    clip = showing.find_clip(options.out, style=options.style, clip=options.clip)
    showing.show(clip, options.output, seconds=options.seconds)
    print(f"{options.output}: {clip.motion.name} to {clip.music.name}, {clip.style}, {clip.performer}")
    return 0


def sample_song(options: argparse.Namespace) -> int:
    """Write one song."""
    from choreodb import sample

    truth = sample.make_song(options.out, style=options.style, seconds=options.seconds, seed=options.seed)
    print(f"{options.out}: {truth.style}, {truth.tempo_bpm:g} bpm, {truth.metre} beats a bar")
    return 0
