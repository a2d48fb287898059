"""Dancing: a song and a library make a dance."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from choreodb.commands.options import (
    Commands,
    add_encoder,
    add_json,
    add_library,
    add_rig,
    add_song_options,
    add_where,
    command,
    print_json,
    rig_of,
    shown_progress,
)
from choreodb.errors import QueryError

if TYPE_CHECKING:
    from choreodb.retriever.options import PlanOptions

MOST_ALTERNATIVES = 100


def add(commands: Commands) -> None:
    """Declare the options of `dance`."""
    parser = command(
        commands, "dance", run, "dance to a song with the motion of a library",
        "The suffix chooses the format: .bvh .glb .npz (AMASS) .positions.npz (joint positions) .mp4 (video with the song) .png (contact sheet) .json (the "
        "report: every step with its source, cost and licence).",
    )  # fmt: skip
    add_library(parser)
    parser.add_argument("song", type=Path, metavar="SONG")
    parser.add_argument(
        "-o", "--output", type=Path, action="append", required=True, metavar="FILE", help="may be repeated"
    )
    _add_plan_options(parser)
    add_encoder(parser, "refuse a library that was embedded with another one")
    parser.add_argument(
        "--refine", choices=("none", "physics", "seams", "all"), default="physics",
        help="after stitching: nothing, physics, or a trained refiner at seams or everywhere and then physics (default: physics)",
    )  # fmt: skip
    parser.add_argument(
        "--refiner",
        type=Path,
        metavar="FILE",
        help="weights of a refiner, from `train refiner` (default: those that are shipped)",
    )
    parser.add_argument(
        "--strength",
        type=float,
        metavar="0..1",
        help="how far the refiner may go from what was captured (default: 0.35)",
    )
    parser.add_argument("--units", choices=("m", "cm"), default="m", help="units of a .bvh (default: m)")
    add_rig(parser)
    parser.add_argument("--music", action="store_true", help="name the song in the extras of a .glb")
    add_song_options(parser)
    add_json(parser)


def _add_plan_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the plan")
    add_where(group)
    group.add_argument("--style", metavar="NAME", help="stay in this style wherever the costs allow it")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="another dance for every number (default: 0)")
    group.add_argument(
        "--variety", type=float, metavar="0..1",
        help="how far a seed may lead from the best path, which 0 is (default: 0 for seed 0, else 0.5)",
    )  # fmt: skip
    group.add_argument(
        "--alternatives", type=int, default=1, metavar="N",
        help="N truly different dances; the others go to `stem-2.ext` and so on (default: 1)",
    )  # fmt: skip
    group.add_argument("--stage", default="6x6", metavar="WxD", help="metres to stay within, or none (default: 6x6)")
    group.add_argument("--start", metavar="CLIP:SECONDS", help="begin with this moment of a clip")
    group.add_argument(
        "--avoid", action="append", default=[], metavar="CLIP[:START-END]",
        help="leave a clip (or a pattern of clips), or seconds of it, alone; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--lock", action="append", default=[], metavar="STEP=SEGMENT",
        help="keep this segment at this step (numbers as in the report) and plan the rest around it; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--no-repeat", type=float, default=0.0, metavar="SECONDS",
        help="no material comes back within so many seconds, while there is other material",
    )  # fmt: skip
    group.add_argument("--strict-metre", action="store_true", help="only bars of as many beats as the song's")


def run(options: argparse.Namespace) -> int:
    """Plan, search, stitch, clean up, and write."""
    from choreodb.dance import Outputs, numbered
    from choreodb.library import Library
    from choreodb.motion.export import Form

    if not 1 <= options.alternatives <= MOST_ALTERNATIVES:
        raise QueryError(f"--alternatives {options.alternatives} must be between 1 and {MOST_ALTERNATIVES}")
    with ExitStack() as stack:
        sets = [
            stack.enter_context(Outputs(numbered(options.output, number)))
            for number in range(1, options.alternatives + 1)
        ]
        form = Form(options.units, rig_of(options, options.output), options.music)
        progress = stack.enter_context(shown_progress())
        library = Library.open(options.library, version=options.at)
        library.refuse_other_encoder(options.encoder)
        results = library.dances(
            options.song, options.alternatives, options=_plan_options(options), refine=options.refine,
            refiner=options.refiner, strength=options.strength,
            bpm=options.bpm, beats=options.beats, metre=options.metre, progress=progress,
        )  # fmt: skip
        for outputs, result in zip(sets, results, strict=True):
            outputs.prepare(result, form, progress=progress)
        for outputs in sets:
            outputs.publish()
    if options.json:
        reports = [result.report for result in results]
        print_json(reports[0] if options.alternatives == 1 else reports)
    else:
        print("\n".join(result.summary() for result in results))
    return 0


def _plan_options(options: argparse.Namespace) -> PlanOptions:
    from choreodb.retriever.options import PlanOptions

    return PlanOptions(
        where=options.where,
        style=options.style,
        seed=options.seed,
        variety=options.variety,
        start=options.start,
        avoid=tuple(options.avoid),
        lock=_locks(options.lock),
        no_repeat_s=options.no_repeat,
        strict_metre=options.strict_metre,
        stage_m=_stage(options.stage),
    )


def _locks(texts: Sequence[str]) -> dict[int, int]:
    locks: dict[int, int] = {}
    for text in texts:
        step, _, segment = text.partition("=")
        if not (step.strip().isdecimal() and segment.strip().isdecimal()):
            raise QueryError(f"--lock {text!r} is not STEP=SEGMENT in numbers of a report, like 12=3401")
        if locks.setdefault(int(step), int(segment)) != int(segment):
            raise QueryError(f"--lock names step {int(step)} twice; give each step one segment")
    return locks


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
