"""`bench encoders`: what helps a trained encoder on real pairs, cross-validated by song: pretraining and one change at a time.

Every row but those `as it is` is trained anew on every fold's training windows, with the same small budget; nothing of a
held-out song, its source or a twin of its motion is seen. `--encoder` names weights to begin with (an `as it is` row and a
row that goes on from them each) and ONNX audio networks with their recipes (a row with an adapter on top each).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs import chosen_rows, pair_windows, retrieval, retrieval_rows, trained_rows
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.pair_windows import PairWindow
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult
from choreodb.benchmarks.runs.retrieval_rows import Cosine, Rhythm, Row, Scorer, Windows
from choreodb.benchmarks.runs.songs import paired_songs
from choreodb.benchmarks.runs.trained_rows import Encoded, beaten, take_of, takes_within
from choreodb.errors import QueryError
from choreodb.indexer.encoders import adapter as adapters
from choreodb.indexer.encoders import glimpses, onnx_audio, towers
from choreodb.indexer.encoders.onnx_audio import AudioNetwork, Recipe
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.indexer.encoders.towers import TowerEncoder
from choreodb.indexer.encoders.weights import Weights
from choreodb.indexer.training.config import TrainConfig, built
from choreodb.library import Library
from choreodb.threads import one_thread

Array = npt.NDArray[np.float32]

WATCHED = {"own_style": Watch("higher")}

BUDGET: dict[str, Any] = {
    "steps": 60, "held_out": 0.0, "style_positive": 1.0, "balance": 0.5, "hard_negatives": 1, "tower": {"width": 64},
}  # fmt: skip
"""Settings of every row that is trained: no songs are held out of a fold's training, so that every step is taken."""

ONWARDS = {"rate": 1e-3}
"""What differs where training goes on from weights."""

INNER, SHARES = 5, (0.0, 0.25, 0.5, 1.0)
"""Of so many parts of a fold's training songs one is left out to choose by; what `rhythm` may count beside a trained row."""

STILL = {
    "mirror": 0.0,
    "warp": 0.0,
    "offset_s": 0.0,
    "pitch": 0.0,
    "eq_db": 0.0,
    "noise": 0.0,
    "size": 0.0,
    "forget": 0.0,
}
ABLATIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("from scratch", {}),
    ("no style as weak positive", {"style_positive": 0.0}),
    ("no hard negatives", {"hard_negatives": 0}),
    ("no style as weak positive, no masks of origins and twins", {"style_positive": 0.0, "masks": False}),
    ("no variation at all", {"augment": STILL}),
    ("no mirror", {"augment": {"mirror": 0.0}}),
    ("no tempo warp", {"augment": {"warp": 0.0}}),
    ("no pitch, EQ, noise", {"augment": {"pitch": 0.0, "eq_db": 0.0, "noise": 0.0}}),
    ("no pitch", {"augment": {"pitch": 0.0}}),
    ("no EQ", {"augment": {"eq_db": 0.0}}),
    ("no noise", {"augment": {"noise": 0.0}}),
    ("no offset between the sides", {"augment": {"offset_s": 0.0}}),
    ("no other body sizes", {"augment": {"size": 0.0}}),
    ("beats never forgotten", {"augment": {"forget": 0.0}}),
    ("styles not balanced", {"balance": 0.0}),
    ("no rhythm traits", {"tower": {"width": 64, "traits": False}}),
    ("6-D rotations seen, too", {"tower": {"width": 64, "rotations": True}}),
    ("beat-synchronous input", {"tower": {"width": 64, "synchronous": True}}),
    ("tempo and metre 30 % of the cosine", {"tower": {"width": 64, "rhythm_share": 0.3}}),
    ("half as wide", {"tower": {"width": 32}}),
    ("stretches of 4 s", {"tower": {"width": 64, "context_s": 4.0}}),
    ("stretches of 12 s", {"tower": {"width": 64, "context_s": 12.0}}),
    ("stretches of 24 s", {"tower": {"width": 64, "context_s": 24.0}}),
    ("30 steps", {"steps": 30}),
    ("120 steps", {"steps": 120}),
)


def run(request: BenchRequest) -> BenchResult:
    """Rows on the request's library and the songs of its clips in the data folder."""
    if request.library is None:
        raise QueryError("bench encoders needs a library and its songs; give `bench encoders LIB --data DIR`")
    library = Library.open(request.library)
    rhythm = retrieval.rhythm_of(library, "encoders")
    with one_thread():
        pairs = pair_windows.read_pairs(library, paired_songs(library, request.data))
        entries = rows(request.encoders, request.seed, rhythm, quick=request.quick)
        levels = [level for level in retrieval.LEVELS if level.name == "window"]
        found, notes = retrieval.bench_retrieval(
            pairs,
            entries,
            seed=request.seed,
            draws=100 if request.quick else 1000,
            levels=levels,
            tell=request.progress,
        )
    notes.append(f"every trained row: {BUDGET}; going on from weights: {ONWARDS}")
    return BenchResult("encoders", found, retrieval.format_table(found, notes), retrieval.figures(found))


def rows(encoders: Sequence[str], seed: int, rhythm: RhythmEncoder, *, quick: bool = False) -> list[Row]:
    """The rows: baselines, ablations, weights to begin with (with `rhythm` beside them, too), audio networks."""
    beside = Cosine(Rhythm(rhythm))
    starts = [name for name in encoders if not name.endswith(".onnx")]
    networks = [Path(name) for name in encoders if name.endswith(".onnx")]
    out = [Row("metre only", lambda _: retrieval_rows.metre_only), Row("rhythm", lambda _: beside)]
    for name, changes in ABLATIONS[: 2 if quick else None]:
        out.append(trained_rows.trained_row(name, setting(changes, seed, quick=quick)))
    for weights in trained_rows.weights_of(starts):
        out += _started(weights, seed, beside, quick)
    out += [network_row(path, setting({}, seed, quick=quick)) for path in networks]
    return out


def setting(changes: dict[str, Any], seed: int, *, quick: bool = False) -> TrainConfig:
    """The budget with some changes."""
    values = {**BUDGET, "seed": seed, **changes} | ({"steps": 3} if quick else {})
    return built(values, "bench encoders")


def _started(weights: Weights, seed: int, rhythm: Scorer, quick: bool) -> list[Row]:
    """Weights as they are, going on from them, three such runs together, and one with `rhythm`."""
    scorer = Cosine(Encoded(TowerEncoder(weights)))
    config = replace(setting(ONWARDS, seed, quick=quick), tower=towers.config_of(weights))
    return [
        Row(f"{weights.name}, as it is", lambda _: scorer),
        trained_rows.trained_row(f"{weights.name}, trained on", config, start=weights),
        trained_rows.trained_row(f"{weights.name}, trained on, three together", config, start=weights, ensemble=3),
        fused_row(f"{weights.name}, trained on, with rhythm", config, weights, rhythm),
    ]


def fused_row(name: str, config: TrainConfig, start: Weights, rhythm: Scorer) -> Row:
    """Weights trained on, and `rhythm`, both at the deviation of the training windows.

    How much `rhythm` counts is chosen within the training songs: of a run on four fifths of them, by the rest.
    """

    def fit(train: Windows) -> Scorer:
        """The scorer of one fold; the share is chosen on a fifth of its training songs."""
        songs = {each.pair.song: each.pair.style for each in train}
        inner = pair_windows.folds(songs, INNER, np.random.default_rng([config.seed, 13]))
        held = [each for each in train if inner[each.pair.song] == 0]
        kept = pair_windows.training(train, held)[0]
        pair_windows.check_apart(kept, held)
        parts = [scorer(held, held) for scorer in (trained_rows.scorer(kept, config, start), rhythm)]
        sizes = [max(float(part.std()), 1e-9) for part in parts]
        share = chosen_rows.best(
            SHARES, lambda each: parts[0] / sizes[0] + each * parts[1] / sizes[1], held, own_window=False
        )
        return chosen_rows.Summed(trained_rows.scorer(train, config, start), rhythm, share * sizes[0] / sizes[1])

    return Row(name, fit, fitted=True, trained=True)


@dataclass(frozen=True, slots=True, eq=False)
class EncodedByNetwork:
    """Windows through an adapter on an audio network, and a motion tower."""

    arrays: dict[str, Array]
    config: TrainConfig
    recipe: Recipe
    patches: Callable[[PairWindow], Array]
    motion: Encoded

    def embed_music(self, windows: Windows) -> Array:
        """Unit rows [N, 256]."""
        return np.concatenate([self._row(each) for each in windows])

    def embed_motion(self, windows: Windows) -> Array:
        """Unit rows [N, 256]."""
        return self.motion.embed_motion(windows)

    def _row(self, window: PairWindow) -> Array:
        take, tower = take_of(window.pair), self.config.tower
        asked = beaten(take.heard_grid, window.music_start_s, window.music_end_s)
        where, owner = glimpses.stretches([asked], tower.context_s)
        seen = adapters.summaries(self.patches(window), where.times_s.mean(axis=1), tower.context_s, self.recipe)
        learnt = towers.unit(adapters.forward(self.arrays, seen))
        rhythm = glimpses.rhythm_block(where.tempo_bpm, where.metre)
        return towers.means(towers.joined(learnt, rhythm, tower), owner, 1)


def network_row(path: Path, config: TrainConfig) -> Row:
    """A frozen audio network under an adapter; its motion tower is trained with a tower of its own on the same windows and
    then frozen, too."""
    recipe = onnx_audio.read_recipe(path)
    network = AudioNetwork(onnx_audio.read_network(path), recipe, source=repr(path.name))
    listen = lru_cache(maxsize=256)(network.song)

    def patches(window: PairWindow) -> Array:
        return listen(Path(window.pair.music.path))

    def fit(train: Windows) -> Scorer:
        from choreodb.indexer.training import adapter

        towered = trained_rows.fitted(train, config)
        heard = {each.pair.song: patches(each) for each in train}
        trained = adapter.train(takes_within(train), [], heard, recipe, dict(towered.tensors), config)
        motion = Encoded(TowerEncoder(towered))
        return Cosine(EncodedByNetwork(trained.tensors, config, recipe, patches, motion))

    return Row(f"frozen {path.stem} with an adapter", fit, fitted=True, trained=True)
