"""Rows of `bench retrieval` for trained encoders: weights as they are, or trained anew on the training windows of a fold.

A training crop never leaves the windows that its fold may be trained on, so that nothing of a held-out song, source or twin
is seen; means and scales are measured on those windows, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.pair_windows import Pair, PairWindow
from choreodb.benchmarks.runs.retrieval_rows import Cosine, Row, Scorer, Windows
from choreodb.errors import QueryError
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import weights as weight_files
from choreodb.indexer.encoders.base import Window
from choreodb.indexer.encoders.towers import ARCHITECTURE, VERSION, TowerEncoder
from choreodb.indexer.encoders.weights import Weights
from choreodb.indexer.training.config import TrainConfig, as_table
from choreodb.indexer.training.takes import Take, held_out, merged, whole_span
from choreodb.music.grid import BeatGrid

Array = npt.NDArray[np.float32]


@lru_cache(maxsize=256)
def take_of(pair: Pair) -> Take:
    """A pair as frames, all of it."""
    heard = channels.music_frames(pair.music.features).astype(np.float32)
    seen = channels.motion_frames(pair.motion)
    return Take(
        pair.clip, pair.song, pair.style, pair.origin, heard, seen, pair.start_s, pair.music.grids[0], pair.grid,
        whole_span(len(seen), len(heard), pair.start_s), pair.twin_spans, pair.twin_groups,
    )  # fmt: skip


def takes_within(windows: Windows) -> list[Take]:
    """The takes of the windows' pairs, of which only the windows themselves may be used."""
    spans: dict[Pair, list[tuple[float, float]]] = {}
    for each in windows:
        spans.setdefault(each.pair, []).append((each.start_s, each.end_s))
    return [replace(take_of(pair), spans=merged(own)) for pair, own in spans.items()]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Windows through a tower encoder; the motion side is given the beats that the motion alone shows."""

    encoder: TowerEncoder

    def embed_music(self, windows: Windows) -> Array:
        """Unit rows [N, 256]."""
        return self._rows(windows, self._music)

    def embed_motion(self, windows: Windows) -> Array:
        """Unit rows [N, 256]."""
        return self._rows(windows, self._motion)

    def _music(self, windows: Windows) -> Array:
        take = take_of(windows[0].pair)
        asked = [beaten(take.heard_grid, each.music_start_s, each.music_end_s) for each in windows]
        return self.encoder.embed_music_frames(take.heard, asked)

    def _motion(self, windows: Windows) -> Array:
        take = take_of(windows[0].pair)
        asked = [beaten(take.seen_grid, each.start_s, each.end_s) for each in windows]
        return self.encoder.embed_motion_frames(take.seen, asked)

    def _rows(self, windows: Windows, embed: Callable[[Windows], Array]) -> Array:
        groups: dict[Pair, list[int]] = {}
        for place, each in enumerate(windows):
            groups.setdefault(each.pair, []).append(place)
        out = np.empty((len(windows), 256), dtype=np.float32)
        for places in groups.values():
            out[places] = embed([windows[place] for place in places])
        return out


def beaten(grid: BeatGrid, start_s: float, end_s: float) -> Window:
    """The stretch with the beats of `grid` in it; without any where there are fewer than three."""
    inside = grid.times_s[(grid.times_s >= start_s) & (grid.times_s <= end_s)]
    known = len(inside) > 2
    return Window(start_s, end_s, inside if known else np.empty(0), grid.metre if known else 0)


def weights_of(encoders: Sequence[str]) -> list[Weights]:
    """Weights of tower encoders by name or file; QueryError for what is of another architecture."""
    from choreodb.indexer.encoders import pretrained

    found = [weights for name in encoders if (weights := pretrained.find(name)) is not None]
    for weights in found:
        if weights.card["architecture"] != ARCHITECTURE:
            raise QueryError(
                f"--encoder {weights.name!r}: only weights of the architecture {ARCHITECTURE!r} are measured"
            )
    return found


def named(encoders: Sequence[str]) -> list[tuple[str, Scorer]]:
    """(name, scorer) of tower encoders by name or file; of none, of those that are shipped."""
    from choreodb.indexer.encoders import pretrained

    return [
        (f"trained: {weights.name}", Cosine(Encoded(TowerEncoder(weights))))
        for weights in weights_of(encoders or pretrained.names())
    ]


def rows_of(encoders: Sequence[str]) -> list[Row]:
    """Rows of weights as they are, which saw none of the pairs."""
    return [Row(name, lambda _, scorer=scorer: scorer) for name, scorer in named(encoders)]  # type: ignore[misc]


def trained_row(name: str, config: TrainConfig, *, start: Weights | None = None, ensemble: int = 1) -> Row:
    """A row that is trained on every fold's training windows, from `start` where given; the scores of `ensemble` runs with
    seeds of their own are added."""

    def fit(train: Windows) -> Scorer:
        """The scorer of one fold: one run, or the sum of several."""
        scorers = [scorer(train, replace(config, seed=config.seed + number), start) for number in range(ensemble)]
        return (
            scorers[0]
            if ensemble == 1
            else lambda music, motion: sum(
                (each(music, motion) for each in scorers), np.zeros((len(music), len(motion)))
            )
        )

    return Row(name, fit, fitted=True, trained=True)


def scorer(train: Sequence[PairWindow], config: TrainConfig, start: Weights | None = None) -> Scorer:
    """The cosine of `fitted` weights."""
    return Cosine(Encoded(TowerEncoder(fitted(train, config, start))))


def fitted(train: Sequence[PairWindow], config: TrainConfig, start: Weights | None = None) -> Weights:
    """Weights trained on windows, some of whose songs are held out to stop by."""
    from choreodb.indexer.training.loop import train as run

    takes = takes_within(train)
    kept, held, _ = held_out(takes, config.held_out, np.random.default_rng([config.seed, 3]))
    trained = run(kept, held, config, start=None if start is None else start.tensors)
    config_table = as_table(config)
    card = {"name": config.name, "architecture": ARCHITECTURE, "version": VERSION, "config": config_table["tower"],
            "data": {"takes": len(kept)}, "metrics": {"best_step": trained.best_step}, "command": "bench"}  # fmt: skip
    return weight_files.made(trained.tensors, card, source=config.name)
