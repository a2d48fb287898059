"""`bench troupe-unseen`: as `bench troupe-retrieval`, with phrases that nobody was trained on.

Two troupes share styles, music and dancers and no phrase: each dances every other phrase of every style. Encoders are
trained here on the one, with pairs and without, and asked about the other, on songs of seeds that they never heard.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from choreodb import sample
from choreodb.benchmarks.runs import troupe_retrieval
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult
from choreodb.benchmarks.runs.retrieval_rows import Cosine, Scorer
from choreodb.benchmarks.runs.trained_rows import Encoded
from choreodb.indexer.build import index
from choreodb.indexer.encoders import weights as files
from choreodb.indexer.encoders.towers import ARCHITECTURE, VERSION, TowerEncoder
from choreodb.indexer.training import songs, takes
from choreodb.indexer.training.config import TrainConfig, as_table, built
from choreodb.indexer.training.takes import Take
from choreodb.storage.store import Store
from choreodb.threads import one_thread

WATCHED = {"r10": Watch("higher")}
TRAINED_SEED = 21

PAIRED: dict[str, Any] = {
    "name": "paired", "steps": 300, "balance": 0.0, "seed": TRAINED_SEED, "tower": {"width": 64},
}  # fmt: skip
"""Settings of the shipped weights, docs/training/troupe.toml."""

UNPAIRED: dict[str, Any] = {
    "name": "unpaired", "way": "unpaired", "steps": 240, "balance": 0.0, "style_positive": 0.0, "held_out": 0.0,
    "rounds": 3, "tower": {"width": 64, "rhythm_share": 0.3}, "augment": {"warp": 0.2},
}  # fmt: skip
"""Settings of docs/training/unpaired.toml."""


def run(request: BenchRequest) -> BenchResult:
    """Train on one half of the phrases, then three troupes of the other half (quick: small ones)."""
    encoders = trained(request)
    rows, notes = troupe_retrieval.measured(request, encoders, half=1)
    return BenchResult("troupe-unseen", rows, troupe_retrieval.format_table(rows, [*_NOTES, *notes]))


_NOTES = (
    f"encoders are trained on a troupe of seed {TRAINED_SEED} that dances half of the phrases; these troupes dance the other half",
)


def trained(request: BenchRequest) -> list[tuple[str, Scorer]]:
    """Encoders of a troupe that dances the first half of the phrases."""
    minutes = troupe_retrieval.QUICK_MINUTES if request.quick else troupe_retrieval.MINUTES
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        request.progress("troupe to train on", 0, 1)
        own = made(Path(folder), minutes)
        configs = [setting(values, quick=request.quick) for values in (PAIRED, UNPAIRED)]
        return [(f"trained: {config.name}", scorer(own, config)) for config in configs]


def setting(values: dict[str, Any], *, quick: bool = False) -> TrainConfig:
    """The settings of a run."""
    config = built(values, "bench troupe-unseen")
    return replace(config, steps=3) if quick else config


def made(folder: Path, minutes: float) -> list[Take]:
    """The takes of a troupe of the first half of the phrases."""
    sample.make(folder / "troupe", minutes=minutes, seed=TRAINED_SEED, half=0)
    index([folder / "troupe"], folder / "library")
    store = Store.open(folder / "library")
    ids = store.columns("music", ["music"]).column("music").to_pylist()
    return takes.from_library(store, songs.find(ids, [folder / "troupe"]))


def scorer(own: list[Take], config: TrainConfig) -> Scorer:
    """What is trained on takes as `train encoder` does."""
    from choreodb.indexer.training import encoder

    kept, held, _ = takes.held_out(own, config.held_out, np.random.default_rng([config.seed, 3]))
    run = encoder.run(kept, held, config)
    card = {"name": config.name, "architecture": ARCHITECTURE, "version": VERSION, "config": as_table(config)["tower"],
            "data": {"takes": len(kept)}, "metrics": {}, "command": "bench troupe-unseen"}  # fmt: skip
    return Cosine(Encoded(TowerEncoder(files.made(run.tensors, card, source=config.name))))
