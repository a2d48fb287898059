"""What `choreodb train refiner` does: find the songs, train, and write the weights with their card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from choreodb.errors import MissingExtraError, QueryError
from choreodb.indexer.encoders import recorded
from choreodb.indexer.encoders import weights as files
from choreodb.threads import one_thread

if TYPE_CHECKING:
    from choreodb.indexer.encoders.weights import Weights
    from choreodb.library import Library

MOST_STEPS, MOST_PAIRS = 1_000_000, 200_000
_AUDIO = (".wav", ".flac", ".ogg", ".mp3", ".m4a")


@dataclass(frozen=True, slots=True)
class Request:
    """songs: folders with the library's songs. out: the `.safetensors` to write. note: what the data is. command: as typed.
    device: `auto`, `cpu` or `cuda`. minutes, stop: write what there is after so long, or so many steps, and go on when asked again; 0: never."""

    songs: tuple[Path, ...]
    out: Path
    steps: int
    pairs: int
    seed: int
    note: str
    command: str
    device: str = "auto"
    minutes: float = 0.0
    stop: int = 0


def train(library: Library, request: Request, progress: Callable[[str, int, int], None] | None = None) -> Weights:
    """Train and write; what is left of an interrupted run lies beside the output and is taken up.

    Errors: QueryError for a request that cannot be met, MissingExtraError without torch.
    """
    if not (1 <= request.steps <= MOST_STEPS and 1 <= request.pairs <= MOST_PAIRS):
        raise QueryError(
            f"{request.steps} steps on {request.pairs} pairs; expected 1 to {MOST_STEPS} and 1 to {MOST_PAIRS}"
        )
    if not 0 <= request.stop <= request.steps or request.minutes < 0.0:
        raise QueryError(
            f"stop after {request.stop} of {request.steps} steps or {request.minutes} minutes; expected 0 (never) or more, "
            "and no more than there are"
        )
    if request.out.suffix != files.SUFFIX or not request.out.parent.is_dir():
        raise QueryError(
            f"output {str(request.out)!r}: expected a name that ends in {files.SUFFIX}, in a folder that exists"
        )
    try:
        from choreodb.refiner.denoiser import training
    except ImportError:
        raise MissingExtraError("training a refiner needs torch; run `pip install 'choreodb[torch]'`") from None
    options = training.TrainOptions(
        steps=request.steps,
        pairs=request.pairs,
        seed=request.seed,
        device=request.device,
        minutes=request.minutes,
        stop=request.stop,
    )
    checkpoint = request.out.with_suffix(".checkpoint")
    with one_thread():
        made = training.train(
            library, options, songs=_songs(library, request.songs), checkpoint=checkpoint, progress=progress
        )
    rows = library.store.columns("clips", ["dataset", "licence"]).to_pylist()
    sources = sorted({(row["dataset"], row["licence"] or "unknown") for row in rows})
    told = [{"dataset": dataset, "licence": licence} for dataset, licence in sources]
    card = training.card(made, options, told, request.command, recorded.of_store(library.store).hash)
    if request.note:
        card["note"] = request.note
    weights = files.save(request.out, made.tensors, card)
    if made.steps >= options.steps:
        checkpoint.unlink(missing_ok=True)
    return weights


def _songs(library: Library, folders: Sequence[Path]) -> dict[str, Path]:
    """Audio files of the library's songs by their keys; QueryError where a folder is missing."""
    wanted = {row["music"] for row in library.store.columns("clips", ["music"]).to_pylist() if row["music"]}
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise QueryError(f"folder of songs {str(folder)!r} does not exist; name the one the library was made from")
        for path in sorted(each for each in folder.rglob("*") if each.suffix.lower() in _AUDIO):
            key = hashlib.sha256(path.read_bytes()).hexdigest()
            if key in wanted:
                found.setdefault(key, path)
    return found
