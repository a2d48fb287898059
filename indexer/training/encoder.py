"""Train an encoder on a library: takes, a run in one of three ways, and weights with a card that says all of it."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from choreodb import __version__
from choreodb.errors import EncoderError
from choreodb.indexer.encoders import towers, weights
from choreodb.indexer.encoders.weights import Weights
from choreodb.indexer.training import device
from choreodb.indexer.training import songs as audio
from choreodb.indexer.training import takes as material
from choreodb.indexer.training.config import TrainConfig, as_table
from choreodb.indexer.training.network import torch_module
from choreodb.indexer.training.takes import Take

if TYPE_CHECKING:
    from choreodb.indexer.timing_branch import TimingBranch
    from choreodb.indexer.training.run import Trained
    from choreodb.storage.store import Store

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to train on and where to write to. folders: of the songs' audio. start: weights to begin with; of an adapter, those
    whose motion tower is kept. onnx: the audio network of an adapter, with its recipe in a TOML beside it. note: what the
    data is, for the card (a generator's version and seed, say). command: what made the weights, for the card. device:
    `auto`, `cpu` or `cuda`."""

    folders: tuple[Path, ...]
    out: Path
    start: Weights | None = None
    onnx: Path | None = None
    note: str = ""
    command: str = "choreodb train encoder"
    device: str = "auto"


def train_encoder(store: Store, config: TrainConfig, request: Request, progress: Progress | None = None) -> Weights:
    """Train on a library's paired clips and write the weights, their card and the model card.

    While it runs, `OUT.checkpoint.safetensors` keeps where it is; the same command goes on from there. EncoderError for too
    few songs, numbers that are not finite, a run that diverges, a checkpoint or start that does not fit.
    """
    device.pick(request.device, torch_module())
    _check(config, request)
    ids = store.columns("music", ["music"]).column("music").to_pylist()
    if progress is not None:
        progress("find songs", 0, 1)
    songs = audio.find(ids, request.folders)
    takes = material.from_library(store, songs, progress)
    kept, held, dropped = split(takes, config)
    if config.way == "adapter" and request.onnx is not None and request.start is not None:
        heard = {song: songs[song] for song in sorted({take.song for take in (*kept, *held)})}
        architecture, table, trained = _adapted(kept, held, heard, config, request, progress)
    else:
        tensors = None if request.start is None else fitting(request.start)
        trained = run(kept, held, config, tensors, checkpoint_of(request.out), progress, request.device)
        architecture, table = towers.ARCHITECTURE, as_table(config)["tower"]
    if config.timing.steps > 0:
        trained.tensors.update(branch(kept, config).tensors)
    card = {
        "architecture": architecture,
        "version": towers.VERSION,
        "config": table,
        "data": {**described(store, takes), "held_out_songs": len({take.song for take in held}),
                 "seconds_dropped_as_twins_of_held_out": dropped, "note": request.note},
        # by which `verify --absent` finds weights that a deleted clip has left its mark on
        "trained_from": sources(store, takes),
        "metrics": measured(trained),
        "command": request.command,
        "training": as_table(config),
        "code": __version__,
    }  # fmt: skip
    made = weights.save(request.out, trained.tensors, card)
    remove_checkpoint(request.out)
    return made


def _check(config: TrainConfig, request: Request) -> None:
    if request.out.suffix != weights.SUFFIX:
        raise EncoderError(f"weights file {str(request.out)!r}: expected a name that ends in {weights.SUFFIX}")
    if config.way == "adapter" and (request.onnx is None or request.start is None):
        raise EncoderError(
            "the way `adapter` needs an audio network (--onnx FILE) and weights whose motion tower is kept (--start)"
        )
    if config.way != "adapter" and request.onnx is not None:
        raise EncoderError(
            f'an audio network was given, and the way is {config.way!r}; say way = "adapter" in the config'
        )


def _adapted(
    kept: Sequence[Take], held: Sequence[Take], songs: Mapping[str, Path], config: TrainConfig, request: Request,
    progress: Progress | None,
) -> tuple[str, dict[str, Any], Trained]:  # fmt: skip
    """An adapter on an audio network: (architecture, config for the card, what was trained)."""
    from choreodb.indexer.encoders import adapter as encoders
    from choreodb.indexer.encoders import onnx_audio
    from choreodb.indexer.training import adapter

    onnx, start = request.onnx, request.start
    if onnx is None or start is None:
        raise ValueError("an adapter needs an audio network and weights to start from")
    recipe, network = onnx_audio.read_recipe(onnx), onnx_audio.read_network(onnx)
    audio_network = onnx_audio.AudioNetwork(network, recipe, source=f"{onnx.name!r}")
    patches = {}
    for done, (song, path) in enumerate(songs.items()):
        if progress is not None:
            progress("listen", done, len(songs))
        patches[song] = audio_network.song(path)
    config = replace(config, tower=towers.config_of(start))
    trained = adapter.train(
        kept, held, patches, recipe, fitting(start), config, checkpoint=checkpoint_of(request.out), progress=progress,
        device=request.device,
    )  # fmt: skip
    trained.tensors[encoders.NETWORK] = np.frombuffer(network, dtype=np.uint8)
    return encoders.ARCHITECTURE, adapter.card_config(config, recipe), trained


def branch(kept: Sequence[Take], config: TrainConfig) -> TimingBranch:
    """The timing branch of the takes that the rest was trained on."""
    from choreodb.indexer.training import timing

    return timing.train(kept, config.timing, np.random.default_rng([config.seed, 11]))


def split(takes: Sequence[Take], config: TrainConfig) -> tuple[list[Take], list[Take], int]:
    """(takes to train on, of held-out songs, seconds dropped as twins of them); EncoderError where one song is left."""
    rng = np.random.default_rng([config.seed, 3])
    kept, held, dropped = material.held_out(takes, config.held_out, rng)
    if len({take.song for take in kept}) < 2:
        raise EncoderError(
            f"of {len({take.song for take in takes})} songs fewer than 2 are left to train on beside what is held out "
            f"and its twins; index more songs, or set held_out (now {config.held_out:g}) lower"
        )
    return kept, held, dropped


def run(
    kept: Sequence[Take], held: Sequence[Take], config: TrainConfig, start: Mapping[str, Any] | None = None,
    checkpoint: Path | None = None, progress: Progress | None = None, device: str = "auto",
) -> Trained:  # fmt: skip
    """One run of towers, `paired` or `unpaired`; the latter never learns which music a dance was danced to, and so does not
    stop by held-out pairs either."""
    from choreodb.indexer.training import loop

    if config.way == "unpaired":
        return _unpaired(kept, held, config, start, checkpoint, progress, device)
    return loop.train(kept, held, config, start=start, checkpoint=checkpoint, progress=progress, device=device)


def _unpaired(
    kept: Sequence[Take], held: Sequence[Take], config: TrainConfig, start: Mapping[str, Any] | None,
    checkpoint: Path | None, progress: Progress | None, device: str,
) -> Trained:  # fmt: skip
    """Rounds of pairing and training; each has a checkpoint of its own, so that an interrupted run goes on in its round."""
    from choreodb.indexer.training import loop, pairing

    made = pairing.pair(kept, config)
    for number in range(config.rounds):
        own = replace(config, seed=config.seed + number)
        trained = loop.train(
            kept, held, own, draw=partial(made.drawn, own), start=start, progress=progress, watch_only=True,
            checkpoint=None if checkpoint is None else of_round(checkpoint, number), device=device,
        )  # fmt: skip
        if number + 1 < config.rounds:
            made = made.again(trained.tensors, config)
    return trained


def of_round(checkpoint: Path, number: int) -> Path:
    """Where a round keeps its checkpoint."""
    return checkpoint.with_name(f"{checkpoint.stem}-{number}{checkpoint.suffix}")


def fitting(start: Weights) -> Mapping[str, Any]:
    """The arrays of weights to begin with; EncoderError where they are of another architecture."""
    found = start.card["architecture"]
    if found != towers.ARCHITECTURE:
        raise EncoderError(
            f"cannot start from {start.name!r}: it is of the architecture {found!r}, not {towers.ARCHITECTURE!r}"
        )
    return start.tensors


def described(store: Store, takes: Sequence[Take]) -> dict[str, Any]:
    """What was trained on, with the licences that its clips state."""
    used = {take.clip for take in takes}
    rows = [row for row in store.columns("clips", ["clip", "dataset", "licence"]).to_pylist() if row["clip"] in used]
    return {
        "datasets": sorted({row["dataset"] for row in rows}),
        "licence": ", ".join(sorted({row["licence"] or "unknown" for row in rows})),
        "songs": len({take.song for take in takes}),
        "clips": len(used),
        "styles": sorted({take.style for take in takes if take.style}),
        "minutes": round(sum(float(np.diff(take.spans, axis=1).sum()) for take in takes) / 60.0, 1),
    }


def sources(store: Store, takes: Sequence[Take]) -> list[str]:
    """The first 16 digits of the sha256 of every motion file that was trained on."""
    used = {take.clip for take in takes}
    rows = store.columns("clips", ["clip", "source_sha256"]).to_pylist()
    return sorted({row["source_sha256"][:16] for row in rows if row["clip"] in used})


def measured(trained: Trained) -> dict[str, float]:
    """Figures at the step that was kept: AUCs on held-out and on trained songs."""
    rows = [row for row in trained.history if row["step"] == trained.best_step]
    kept = {key: round(value, 4) for key, value in (rows[-1] if rows else {}).items() if key != "step"}
    return {**kept, "steps": float(trained.steps), "best_step": float(trained.best_step)}


def checkpoint_of(out: Path) -> Path:
    """Where a run that makes `out` keeps its checkpoint."""
    return out.with_name(f"{out.stem}.checkpoint{weights.SUFFIX}")


def remove_checkpoint(out: Path) -> None:
    """Take away the checkpoints of a finished run."""
    path = checkpoint_of(out)
    for each in (path, *(found for found in path.parent.glob(f"{glob.escape(path.stem)}-*{path.suffix}"))):
        for part in (each, weights.sidecar(each), each.with_suffix(".md")):
            part.unlink(missing_ok=True)
