"""Training: encoders of music and motion, refiners of seams."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from choreodb.commands.options import Commands, add_json, add_library, command, print_json, shown_progress
from choreodb.errors import QueryError

if TYPE_CHECKING:
    from choreodb.indexer.encoders.weights import Weights


def add(commands: Commands) -> None:
    """Declare the options of `train`."""
    parser = commands.add_parser(
        "train", help="train networks on a library", description="Networks that are trained on a library."
    )
    parser.set_defaults(run=lambda _: _usage(parser))
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    encoder = command(
        verbs, "encoder", train_encoder, "train an encoder of music and motion on a library's paired clips",
        "Interrupted, the same command goes on where it was. The same config, library and songs give the same weights "
        "on one machine. See docs/encoders.md for the three ways to learn and every setting.",
    )  # fmt: skip
    add_library(encoder)
    encoder.add_argument(
        "--songs", type=Path, action="append", required=True, metavar="DIR",
        help="a folder with the library's songs, found by content; may be given several times",
    )  # fmt: skip
    encoder.add_argument("--config", type=Path, metavar="TOML", help="settings of the run (default: those of the code)")
    encoder.add_argument(
        "--out", type=Path, default=Path("weights.safetensors"), metavar="FILE", help="default: weights.safetensors"
    )
    encoder.add_argument("--start", metavar="WEIGHTS", help="begin with these weights, by name or file")
    encoder.add_argument(
        "--onnx",
        type=Path,
        metavar="FILE",
        help='the audio network of way = "adapter", its mel recipe in a .toml beside it',
    )
    encoder.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"),
        help="where to train (default: a CUDA GPU, in bfloat16, where torch finds one, else the processor)",
    )  # fmt: skip
    encoder.add_argument("--note", default="", metavar="TEXT", help="what the data is, for the card of the weights")
    add_json(encoder)
    _add_refiner(verbs)


def _add_refiner(verbs: Commands) -> None:
    refiner = command(
        verbs, "refiner", train_refiner, "train a refiner of seams on a library's clips",
        "Pairs are made from the clips by cutting, joining and warping them as dances are; a share of the songs is held out. "
        "Interrupted, the same command goes on where it was. Needs torch.",
    )  # fmt: skip
    add_library(refiner)
    refiner.add_argument(
        "--songs", type=Path, action="append", default=[], metavar="DIR", help="a folder with the library's songs"
    )
    refiner.add_argument(
        "--out", type=Path, default=Path("refiner.safetensors"), metavar="FILE", help="default: refiner.safetensors"
    )
    refiner.add_argument("--steps", type=int, default=3200, metavar="N", help="of training (default: 3200)")
    refiner.add_argument(
        "--pairs", type=int, default=4096, metavar="N", help="made at once, anew every 800 steps (default: 4096)"
    )
    refiner.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    refiner.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to train (default: a GPU where there is one)",
    )
    refiner.add_argument(
        "--stop",
        type=int,
        default=0,
        metavar="N",
        help="likewise after so many steps of those that are planned (default: all)",
    )
    refiner.add_argument(
        "--minutes", type=float, default=0.0, metavar="N",
        help="stop after so long and write what there is; the same command goes on from there (default: never)",
    )  # fmt: skip
    refiner.add_argument("--note", default="", metavar="TEXT", help="what the data is, for the card of the weights")
    add_json(refiner)


def train_refiner(options: argparse.Namespace) -> int:
    """Train a refiner."""
    from choreodb.library import Library
    from choreodb.refiner.denoiser.command import Request, train

    request = Request(
        tuple(options.songs), options.out, options.steps, options.pairs, options.seed, options.note,
        f"choreodb train refiner {options.library.name} --steps {options.steps} --pairs {options.pairs} --seed {options.seed}"
        + (f" --stop {options.stop}" if options.stop else "")
        + (f' --note "{options.note}"' if options.note else ""),
        options.device, options.minutes, options.stop,
    )  # fmt: skip
    with shown_progress() as progress:
        made = train(Library.open(options.library, version=options.at), request, progress)
    if options.json:
        print_json({"out": str(options.out), **made.card})
        return 0
    figures = ", ".join(f"{name} {value:g}" for name, value in sorted(made.card["metrics"].items()))
    print(f"{options.out}: {made.name}, hash {made.hash}\n{figures}")
    return 0


def _usage(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return 2


def train_encoder(options: argparse.Namespace) -> int:
    """Train an encoder."""
    from choreodb.indexer.training import config as configs
    from choreodb.indexer.training.encoder import Request, train_encoder
    from choreodb.library import Library

    config = configs.read(options.config) if options.config else configs.TrainConfig()
    library = Library.open(options.library, version=options.at)
    request = Request(
        folders=tuple(options.songs), out=options.out, onnx=options.onnx, note=options.note, command=_said(options),
        start=None if options.start is None else _weights(options.start), device=options.device,
    )  # fmt: skip
    with shown_progress() as progress:
        made = train_encoder(library.store, config, request, progress)
    if options.json:
        print_json({"out": str(options.out), **made.card})
        return 0
    figures = ", ".join(f"{name} {value:g}" for name, value in sorted(made.card["metrics"].items()))
    print(f"{options.out}: {made.name}, hash {made.hash}\n{figures}")
    return 0


def _weights(source: str) -> Weights:
    """Weights by name, file or address; QueryError for an encoder that has none."""
    from choreodb.indexer.encoders import pretrained

    found = pretrained.find(source)
    if found is None:
        raise QueryError(f"--start {source!r} has no weights to begin with; give trained ones")
    return found


def _said(options: argparse.Namespace) -> str:
    """The command without folders, which are nobody else's business."""
    said = ["choreodb train encoder", options.library.name, *(f"--songs {folder.name}" for folder in options.songs)]
    if options.config:
        said.append(f"--config {options.config.name}")
    if options.start:
        said.append(f"--start {Path(options.start).name}")
    if options.onnx:
        said.append(f"--onnx {options.onnx.name}")
    if options.note:
        said.append(f'--note "{options.note}"')
    return " ".join([*said, f"--out {options.out.name}"])
