"""Training of the denoiser: pairs from a library, noise, losses, and an average of weights; resumable and deterministic."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from choreodb.errors import ChoreoError, QueryError
from choreodb.music.music import Music
from choreodb.refiner.denoiser import losses, pairs, schedule, told
from choreodb.refiner.denoiser.features import FPS, JOINTS
from choreodb.refiner.denoiser.losses import LossWeights
from choreodb.refiner.denoiser.network import CONDITIONS, Conditions, Network, NetworkConfig
from choreodb.refiner.denoiser.pairs import Clip, PairOptions, Pairs

if TYPE_CHECKING:
    from choreodb.library import Library

ARCHITECTURE = "seam-denoiser"
VERSION = 1
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """steps: of the optimiser, `batch` windows each, drawn from `pairs` that are made once. rate: of learning at its peak,
    after `warm` steps, falling to nothing as a cosine. average: weight of the past in the mean of weights. drop: chance that
    each condition is missing. held_out: share of songs (or files) that are never trained on. minutes: stop after so
    long, 0 for never: what is left of the schedule then is not run."""

    steps: int = 3000
    batch: int = 48
    pairs: int = 6000
    rate: float = 1e-3
    warm: int = 100
    average: float = 0.998
    drop: float = 0.12
    held_out: float = 0.2
    seed: int = 0
    minutes: float = 0.0
    network: NetworkConfig = field(default_factory=NetworkConfig)
    weights: LossWeights = field(default_factory=LossWeights)
    made: PairOptions = field(default_factory=PairOptions)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """tensors: the averaged weights and the normalisation. curve: (step, loss) every 50. origins: of the clips that were
    trained on, sha256 of their files. hears: whether any had
    its song. steps, seconds: how far it went, and how long this run took."""

    tensors: dict[str, npt.NDArray[Any]]
    config: NetworkConfig
    curve: list[tuple[int, float]]
    validation: dict[str, float]
    origins: tuple[str, ...]
    hears: bool
    steps: int
    seconds: float


def held_out(keys: Iterable[str], share: float) -> frozenset[str]:
    """The keys (of songs, or of files without one) that are kept from training: about `share` of them, at least one and not
    all; the same whatever their order."""
    ranked = sorted(set(keys), key=lambda key: hashlib.sha256(key.encode()).hexdigest())
    return frozenset(ranked[: min(max(1, round(share * len(ranked))), len(ranked) - 1)])


def clips_of(
    library: Library, *, share: float, songs: Mapping[str, Path] | None = None
) -> tuple[list[Clip], list[Clip], tuple[str, ...]]:
    """(clips to train on, clips held out, hashes of the files trained on). songs: audio files by the library's keys.

    QueryError where either side is empty.
    """
    heard = {key: told.frames(Music.load(path)) for key, path in sorted((songs or {}).items())}
    store = library.store
    segments = store.columns("segments", ["segment", "clip", "start_s", "mirrored", "twin_group"]).to_pylist()
    embeddings = store.array("embeddings")
    rows = store.columns(
        "clips", ["clip", "frames", "music", "music_start_s", "source_sha256", "style", "beats_s"]
    ).to_pylist()
    apart = held_out((row["music"] or row["source_sha256"] for row in rows), share)
    kept = {row["clip"] for row in rows if (row["music"] or row["source_sha256"]) in apart}
    twins = {each["twin_group"] for each in segments if each["clip"] in kept and each["twin_group"] >= 0}
    by_clip: dict[str, list[dict[str, Any]]] = {}
    for each in segments:
        if not each["mirrored"]:
            by_clip.setdefault(each["clip"], []).append(each)
    train, rest, origins = [], [], set()
    for row in sorted(rows, key=lambda row: str(row["clip"])):
        own = by_clip.get(row["clip"], [])
        rotations, root, contacts = store.read_motion(row["clip"], 0, row["frames"])
        start_s = np.array([each["start_s"] for each in own], dtype=np.float64)
        clip = Clip(
            np.asarray(rotations[:, :JOINTS], dtype=np.float32), root.astype(np.float64), contacts,
            np.asarray(row["beats_s"], dtype=np.float64), row["style"] or "",
            np.asarray(embeddings[[each["segment"] for each in own]], dtype=np.float32).reshape(len(own), 256), start_s,
            None if row["music"] not in heard else _from(heard[row["music"]], row["music_start_s"] or 0.0),
        )  # fmt: skip
        if row["clip"] in kept:
            rest.append(clip)
        # a twin of what is held out would give it away
        elif not any(each["twin_group"] in twins for each in own):
            train.append(clip)
            origins.add(row["source_sha256"])
    if not train or not rest:
        raise QueryError(
            f"{len(train)} clips to train on and {len(rest)} held out; a refiner needs some of both: index more songs"
        )
    return train, rest, tuple(sorted(origins))


def _from(music: npt.NDArray[np.float32], start_s: float) -> npt.NDArray[np.float32]:
    """Frames of a song from `start_s` on, which may be before it begins."""
    first = round(start_s * FPS)
    return music[first:] if first >= 0 else np.concatenate([np.repeat(music[:1], -first, axis=0), music])


def train(
    library: Library,
    options: TrainOptions,
    *,
    songs: Mapping[str, Path] | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train on the library; the same library, options and machine type give the same weights.

    songs: audio files by the library's keys, for what the network hears. checkpoint: where the state is kept every 200 steps and taken up again. Errors: QueryError, ChoreoError for a checkpoint of
    other options.
    """
    tell = progress or (lambda *_: None)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    began = time.perf_counter()
    captured, rest, origins = clips_of(library, share=options.held_out, songs=songs)
    styles = options.network.styles or tuple(sorted({clip.style for clip in captured if clip.style}))
    config = NetworkConfig(**{**asdict(options.network), "styles": styles})
    tell("making pairs", 0, options.pairs)
    made = pairs.make(captured, styles, options.pairs, rng, options.made)
    checked = pairs.make(rest, styles, min(256, options.pairs), rng, options.made)
    middle, deviation = _normal(made)
    network = Network(config)
    state = _State(network, options)
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint)
    generator = np.random.default_rng([options.seed, 1])
    curve, running = state.curve, []
    for step in range(options.steps):
        rows = generator.integers(len(made), size=options.batch)
        time_at = generator.uniform(0.0, schedule.LAST, size=options.batch)
        seed = int(generator.integers(2**31))
        if step < state.step:
            continue
        loss = _loss(network, made, rows, time_at, seed, middle, deviation, options)
        state.apply(loss, step, options)
        running.append(float(loss.detach()))
        if step % 50 == 49:
            curve.append((step + 1, float(np.mean(running[-50:]))))
            tell(f"training, loss {curve[-1][1]:.4f}", step + 1, options.steps)
        late = bool(options.minutes) and time.perf_counter() - began > 60.0 * options.minutes
        if checkpoint is not None and (step % 200 == 199 or late):
            state.save(checkpoint, step + 1)
        if late:
            break
    state.load_average(network)
    found = _validate(network, checked, middle, deviation, options)
    tensors = {f"net.{name}": value.detach().numpy().astype(np.float16) for name, value in network.state_dict().items()}
    tensors |= {"middle": middle.numpy(), "deviation": deviation.numpy()}
    hears = any(clip.music is not None for clip in captured)
    return Trained(tensors, config, curve, found, origins, hears, step + 1, time.perf_counter() - began)


class _State:
    """Optimiser, averaged weights and the place in the schedule."""

    def __init__(self, network: Network, options: TrainOptions) -> None:
        self.network = network
        self.optimiser = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=1e-4, betas=(0.9, 0.99))
        self.average = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.curve: list[tuple[int, float]] = []
        self.step = 0
        self.key = hashlib.sha256(repr({**asdict(options), "minutes": 0.0}).encode()).hexdigest()

    def apply(self, loss: Tensor, step: int, options: TrainOptions) -> None:
        """One step of the optimiser and of the mean of weights; the rate warms up and falls as a cosine."""
        rate = min(1.0, (step + 1) / options.warm) * 0.5 * (1.0 + math.cos(math.pi * step / options.steps))
        for group in self.optimiser.param_groups:
            group["lr"] = options.rate * rate
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        past = min(options.average, (1.0 + step) / (10.0 + step))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1.0 - past)

    def save(self, path: Path, step: int) -> None:
        """Weights, their mean, moments and curve as one safetensors file, with a key of the options."""
        from choreodb.indexer.encoders.weights import replace_file, tensor_bytes

        moments = self.optimiser.state_dict()["state"]
        arrays = {f"net.{name}": value.numpy() for name, value in self.network.state_dict().items()}
        arrays |= {f"mean.{name}": value.numpy() for name, value in self.average.items()}
        for number, each in moments.items():
            arrays |= {f"opt.{number}.{name}": np.asarray(value, dtype=np.float32) for name, value in each.items()}
        arrays["curve"] = np.asarray(self.curve, dtype=np.float64).reshape(-1, 2)
        replace_file(path, tensor_bytes(arrays, {"step": str(step), "key": self.key}))

    def load(self, path: Path) -> None:
        """What `save` wrote; ChoreoError where it cannot be read or is of other options."""
        from safetensors import safe_open

        try:
            with safe_open(str(path), "pt") as file:
                about = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except Exception as error:
            raise ChoreoError(f"checkpoint {str(path)!r} cannot be read ({error}); remove it to begin anew") from None
        if about.get("key") != self.key:
            raise ChoreoError(f"checkpoint {str(path)!r} is of other options; remove it, or train with the same ones")
        self.network.load_state_dict({name[4:]: value for name, value in arrays.items() if name.startswith("net.")})
        self.average = {name[5:]: value for name, value in arrays.items() if name.startswith("mean.")}
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in arrays.items():
            if name.startswith("opt."):
                _, number, key = name.split(".")
                state.setdefault(int(number), {})[key] = value
        whole = self.optimiser.state_dict()
        whole["state"] = state
        self.optimiser.load_state_dict(whole)
        self.curve = [(int(step), float(loss)) for step, loss in arrays["curve"].numpy()]
        self.step = int(about["step"])

    def load_average(self, network: Network) -> None:
        network.load_state_dict(self.average)


def _normal(made: Pairs) -> tuple[Tensor, Tensor]:
    """Mean and deviation [139] of the targets; what hardly varies is not blown up."""
    flat = torch.from_numpy(made.target.reshape(-1, made.target.shape[-1]))
    return flat.mean(dim=0), flat.std(dim=0).clamp(min=0.05)


def _loss(
    network: Network, made: Pairs, rows: npt.NDArray[np.int64], time_at: npt.NDArray[np.float64], seed: int,
    middle: Tensor, deviation: Tensor, options: TrainOptions,
) -> Tensor:  # fmt: skip
    chance = torch.Generator().manual_seed(seed)
    true = (torch.from_numpy(made.target[rows]) - middle) / deviation
    given = conditions(made, rows, middle, deviation)
    drop = torch.rand(given.has.shape, generator=chance) < options.drop
    drop[:, CONDITIONS.index("known")] = False
    has = given.has * (~drop)
    # a song may be known by its beats alone
    heard = (torch.rand(len(has), 1, 1, generator=chance) >= 2.0 * options.drop).float()
    music = torch.cat([given.music[..., :-3] * heard, given.music[..., -3:]], dim=-1)
    given = Conditions(music, given.embedding, given.retrieved, given.known, given.mask, given.style, has)
    signal = torch.tensor(schedule.signal(time_at), dtype=torch.float32)
    noise = torch.tensor(schedule.noise(time_at), dtype=torch.float32)
    noisy = signal[:, None, None] * true + noise[:, None, None] * torch.randn(true.shape, generator=chance)
    level = torch.tensor(0.25 * schedule.log_snr(time_at), dtype=torch.float32)
    clean = network(noisy, level, given)
    found = losses.terms(clean, true, deviation, middle, given.mask)
    return losses.total(found, signal, options.weights).mean()


def conditions(made: Pairs, rows: Any, middle: Tensor, deviation: Tensor) -> Conditions:
    """Conditions of some pairs. Windows whose middle is hidden have no retrieved motion."""
    mask = torch.from_numpy(made.mask[rows])
    broken = torch.from_numpy(made.broken[rows])
    bare = (broken.abs().sum(dim=-1) == 0.0).any(dim=1)
    retrieved = (broken - middle) / deviation
    has = torch.ones(len(mask), len(CONDITIONS))
    has[:, CONDITIONS.index("retrieved")] = (~bare).float()
    music = torch.from_numpy(made.music[rows])
    embedding = torch.from_numpy(made.embedding[rows])
    has[:, CONDITIONS.index("music")] = (music.abs().sum(dim=(1, 2)) > 0.0).float()
    has[:, CONDITIONS.index("embedding")] = (embedding.abs().sum(dim=1) > 0.0).float()
    style = torch.from_numpy(made.style[rows])
    has[:, CONDITIONS.index("style")] = (style > 0).float()
    return Conditions(music, embedding, retrieved, retrieved * mask[..., None], mask, style, has)


def _validate(
    network: Network, made: Pairs, middle: Tensor, deviation: Tensor, options: TrainOptions
) -> dict[str, float]:
    """Terms over held-out pairs at a fixed noise, and those of the broken motion itself."""
    network.eval()
    rows = np.flatnonzero((np.abs(made.broken).sum(axis=-1) > 0.0).all(axis=1))
    true = (torch.from_numpy(made.target[rows]) - middle) / deviation
    given = conditions(made, rows, middle, deviation)
    chance = torch.Generator().manual_seed(options.seed)
    at = np.full(len(rows), 0.3)
    signal, noise = float(schedule.signal(0.3)), float(schedule.noise(0.3))
    noisy = signal * given.retrieved + noise * torch.randn(true.shape, generator=chance)
    with torch.no_grad():
        clean = network(noisy, torch.tensor(0.25 * schedule.log_snr(at), dtype=torch.float32), given)
        out = {}
        for label, each in (("made", clean), ("given", given.retrieved)):
            for name, value in losses.terms(each, true, deviation, middle, given.mask).items():
                out[f"{name}_{label}"] = float(value.mean())
    return out


def card(trained: Trained, options: TrainOptions, data: Sequence[Any], command: str) -> dict[str, Any]:
    """What the weights file's sidecar says."""
    return {
        "architecture": ARCHITECTURE, "version": VERSION, "config": {**trained.config.as_dict(), "hears": trained.hears},
        "data": {"origins": list(trained.origins), "sources": list(data)}, "metrics": trained.validation,
        "command": command, "steps": trained.steps,
        "training": {**{key: value for key, value in asdict(options).items() if key not in ("network", "minutes")}},
    }  # fmt: skip
