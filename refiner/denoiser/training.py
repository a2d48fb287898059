"""Training of the denoiser: pairs from a library, noise, losses, and an average of weights; resumable and deterministic."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from choreodb.errors import QueryError
from choreodb.refiner.denoiser import corpus, device, features, losses, pairs, schedule
from choreodb.refiner.denoiser.features import CHANGES
from choreodb.refiner.denoiser.losses import LossWeights, Truth
from choreodb.refiner.denoiser.network import CONDITIONS, Conditions, Network, NetworkConfig
from choreodb.refiner.denoiser.pairs import ALL, GAP, SEAM, PairOptions, Pairs
from choreodb.refiner.denoiser.state import State
from choreodb.refiner.denoiser.windows import Clip, Material

if TYPE_CHECKING:
    from choreodb.indexer.encoders.weights import Weights
    from choreodb.library import Library

ARCHITECTURE = "seam-denoiser"
VERSION = 2
Progress = Callable[[str, int, int], None]
_CHECKED_TIMES = {"gap": (GAP, schedule.LAST), "seam": (SEAM, 0.35), "all": (ALL, 0.35)}


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """steps: of the optimiser, `batch` windows each. pairs: that are made at once; `refresh`: steps after which others are
    made. rate: of learning at its peak, after `warm` steps, falling to nothing as a cosine. decay: of weights. average:
    weight of the past in the mean of weights. drop: chance that each condition is missing; alone: that all
    but the motion are. without: conditions that are never
    there. blind: share of windows that begin in noise alone. held_out: share of songs (or files) that are never trained on.
    minutes: stop after so long, 0 for never: what is left of the schedule then is not run. stop: likewise, after so many steps.
    device: `auto`, `cpu` or `cuda`."""

    steps: int = 3200
    batch: int = 32
    pairs: int = 4096
    refresh: int = 800
    rate: float = 1e-3
    warm: int = 200
    decay: float = 0.01
    average: float = 0.998
    drop: float = 0.12
    alone: float = 0.3
    without: tuple[str, ...] = ()
    blind: float = 0.35
    held_out: float = 0.2
    seed: int = 0
    minutes: float = 0.0
    stop: int = 0
    device: str = "auto"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    weights: LossWeights = field(default_factory=LossWeights)
    made: PairOptions = field(default_factory=PairOptions)

    def __post_init__(self) -> None:
        odd = set(self.without) - set(CONDITIONS)
        if odd:
            raise QueryError(f"condition {min(odd)!r} is not known; there are {', '.join(CONDITIONS)}")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """tensors: the averaged weights and the normalisation. curve: (step, loss) every 50. origins: of the clips that were
    trained on, sha256 of their files. hears: whether any had
    its song. validation: means of `checked`, the terms of held-out windows as made and as given. steps, seconds: how far it went, and how long this run took. cpu_s: of processor time, likewise."""

    tensors: dict[str, npt.NDArray[Any]]
    config: NetworkConfig
    curve: list[tuple[int, float]]
    validation: dict[str, float]
    checked: dict[str, npt.NDArray[np.float32]]
    origins: tuple[str, ...]
    hears: bool
    steps: int
    seconds: float
    cpu_s: float


def train(
    library: Library,
    options: TrainOptions,
    *,
    songs: Mapping[str, Path] | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train on the library; the same library, options and machine type give the same weights.

    songs: audio files by the library's keys, for what the network hears. checkpoint: where the state is kept every 200 steps
    and taken up again. Errors: QueryError, ChoreoError for a checkpoint of other options.
    """
    captured, rest, origins = corpus.clips_of(library, share=options.held_out, songs=songs)
    return train_on(captured, rest, options, origins=origins, checkpoint=checkpoint, progress=progress)


def train_on(
    captured: Sequence[Clip],
    rest: Sequence[Clip],
    options: TrainOptions,
    *,
    origins: tuple[str, ...] = (),
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """The same on clips, checked on the `rest`."""
    tell = progress or (lambda *_: None)
    began, spent = time.perf_counter(), time.process_time()
    torch.manual_seed(options.seed)
    styles = options.network.styles or tuple(sorted({clip.style for clip in captured if clip.style}))
    config = replace(options.network, styles=styles)
    run = _Run(Network(config).to(device.pick(options.device)), _material(captured, options), styles, options)
    if checkpoint is not None and checkpoint.exists():
        run.state.load(checkpoint)
    running: list[float] = []
    step = run.state.step - 1
    for step in range(run.state.step, options.stop or options.steps):
        if step % options.refresh == 0 or not running:
            tell("making pairs", step, options.steps)
        running.append(run.step(step))
        if step % 50 == 49:
            run.state.curve.append((step + 1, float(np.mean(running[-50:]))))
            tell(f"training, loss {run.state.curve[-1][1]:.4f}", step + 1, options.steps)
        late = bool(options.minutes) and time.perf_counter() - began > 60.0 * options.minutes
        late = late or step + 1 == options.stop
        if checkpoint is not None and (step % 200 == 199 or late):
            run.state.save(checkpoint, step + 1)
        if late:
            break
    others = run.held_out_pairs(_material(rest, options))
    checked = run.validate(others)
    found = {name: float(values.mean()) for name, values in checked.items()}
    tensors = {name: value.cpu().numpy() for name, value in run.state.normal.items()}
    tensors["usual"] = np.array([usual(others, run.state.normal)], dtype=np.float32)
    tensors |= {f"net.{name}": value.cpu().numpy().astype(np.float16) for name, value in run.state.average.items()}
    hears = any(clip.music is not None for clip in captured)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - spent
    return Trained(tensors, config, run.state.curve, found, checked, origins, hears, step + 1, seconds, cpu_s)


def checked_by(weights: Weights, clips: Sequence[Clip], options: TrainOptions) -> dict[str, npt.NDArray[np.float32]]:
    """The terms of `Trained.checked` for trained weights, on clips that they may never have seen; told of nothing that
    `options` go without."""
    config = NetworkConfig.of_card(weights.card["config"])
    run = _Run(Network(config).to(device.pick(options.device)), _material(clips, options), config.styles, options)
    tensors = {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in weights.tensors.items()}
    run.state.normal = {name: tensors[name] for name in ("middle", "deviation", "spread")}
    run.state.average = {name[4:]: value.to(run.device) for name, value in tensors.items() if name.startswith("net.")}
    return run.validate(run.held_out_pairs(run.material))


def _material(clips: Sequence[Clip], options: TrainOptions) -> Material:
    material = Material(clips)
    if not material.fits(options.made.rate[1]):
        longest = material.lengths.max() / 60.0
        raise QueryError(
            f"the longest clip has {longest:.1f} s; a refiner needs some of {4.2 * options.made.rate[1]:.1f} s on either "
            "side of the split: index longer ones"
        )
    return material


class _Run:
    """A network in training: its pairs, its normalisation, its state."""

    def __init__(self, network: Network, material: Material, styles: Sequence[str], options: TrainOptions) -> None:
        self.network, self.material, self.styles, self.options = network, material, tuple(styles), options
        self.state = State(network, options)
        self.device = next(network.parameters()).device
        self.half = device.multiplies_bf16(self.device)
        self._made: tuple[int, Pairs] | None = None

    def step(self, step: int) -> float:
        """One step of the optimiser; what it draws depends on the seed and the step alone."""
        made = self._pairs(step // self.options.refresh)
        rng = np.random.default_rng([self.options.seed, 1, step])
        rows = rng.integers(len(made), size=self.options.batch)
        time_at = rng.uniform(0.0, schedule.LAST, size=self.options.batch)
        time_at[rng.uniform(size=self.options.batch) < self.options.blind] = schedule.LAST
        noise = rng.standard_normal((self.options.batch, features.FRAMES, CHANGES)).astype(np.float32)
        given = self._dropped(_conditions(made, rows, self.state.normal, self.device), rng)
        found = self._found(made, rows, given, time_at, noise)
        signal = torch.tensor(schedule.signal(time_at), dtype=torch.float32, device=self.device)
        loss = losses.total(found, signal, self.options.weights).mean()
        self.state.apply(loss, step, self.options)
        return float(loss.detach())

    def _pairs(self, number: int) -> Pairs:
        if self._made is None or self._made[0] != number:
            self._made = (number, self._drawn(self.material, self.options.pairs, (2, number)))
            if not self.state.normal:
                self.state.normal = _normal(self._made[1])
        return self._made[1]

    def _drawn(self, material: Material, count: int, about: tuple[int, ...]) -> Pairs:
        made = replace(self.options.made, bare="retrieved" in self.options.without)
        rng = np.random.default_rng([self.options.seed, *about])
        return pairs.make(material, self.styles, count, rng, made)

    def _found(
        self, made: Pairs, rows: npt.NDArray[np.int64], given: Conditions, time_at: npt.NDArray[np.float64],
        noise: npt.NDArray[np.float32],
    ) -> dict[str, Tensor]:  # fmt: skip
        true, size = _truth(made, rows, self.device), _size(made, rows, self.state.normal, self.device)
        signal = torch.tensor(schedule.signal(time_at), dtype=torch.float32, device=self.device)[:, None, None]
        level = torch.tensor(schedule.noise(time_at), dtype=torch.float32, device=self.device)[:, None, None]
        noisy = signal * (true.change / size) + level * torch.from_numpy(noise).to(self.device)
        told = torch.tensor(0.25 * schedule.log_snr(time_at), dtype=torch.float32, device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            clean = self.network(noisy, told, given)
        return losses.terms(clean.float(), true, size)

    def _dropped(self, given: Conditions, rng: np.random.Generator) -> Conditions:
        """Each condition but the motion itself missing by chance; a song may be known by its beats alone."""
        drop = rng.uniform(size=given.has.shape) < self.options.drop
        alone = rng.uniform(size=len(drop)) < self.options.alone
        for name in ("music", "embedding", "style"):
            drop[:, CONDITIONS.index(name)] |= alone
        drop[:, CONDITIONS.index("retrieved")] = False
        heard = rng.uniform(size=(len(drop), 1, 1)) >= 2.0 * self.options.drop
        kept = torch.from_numpy(~drop).to(self.device)
        mel = given.music[..., :-3] * torch.from_numpy(heard).to(self.device)
        music = torch.cat([mel, given.music[..., -3:]], dim=-1)
        return self._without(replace(given, music=music, has=given.has * kept))

    def _without(self, given: Conditions) -> Conditions:
        has = given.has.clone()
        for name in self.options.without:
            # without the frames that are known nobody says which those are; they are seen all the same
            has[:, CONDITIONS.index(name)] = 0.0
        return replace(given, has=has)

    def held_out_pairs(self, material: Material) -> Pairs:
        """Pairs of clips that are not trained on; the same for every run with this seed."""
        return self._drawn(material, min(512, self.options.pairs), (3,))

    def validate(self, made: Pairs) -> dict[str, npt.NDArray[np.float32]]:
        """Terms over pairs of each kind by the mean of weights, at a fixed noise, and those of no change at all."""
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.state.average)
        self.network.eval()
        if not self.state.normal:
            self._pairs(0)
        out: dict[str, npt.NDArray[np.float32]] = {}
        for name, (kind, at) in _CHECKED_TIMES.items():
            rows = np.flatnonzero(made.kind == kind)
            if len(rows):
                out |= {f"{name}_{key}": value for key, value in self._checked(made, rows, at).items()}
        self.network.train()
        self.network.load_state_dict(own)
        return out

    def _checked(self, made: Pairs, rows: npt.NDArray[np.int64], at: float) -> dict[str, npt.NDArray[np.float32]]:
        noise = np.random.default_rng(self.options.seed).standard_normal((len(rows), features.FRAMES, CHANGES))
        given = self._without(_conditions(made, rows, self.state.normal, self.device))
        with torch.no_grad():
            found = self._found(made, rows, given, np.full(len(rows), at), noise.astype(np.float32))
            true, size = _truth(made, rows, self.device), _size(made, rows, self.state.normal, self.device)
            before = losses.terms(torch.zeros_like(true.change), true, size)
        out = {f"{name}_made": value.cpu().numpy() for name, value in found.items()}
        return out | {f"{name}_given": value.cpu().numpy() for name, value in before.items()}


def usual(made: Pairs, normal: Mapping[str, Tensor]) -> float:
    """How strange (`features.strangeness`) 95 % of windows are at most."""
    seen = features.seen(made.rotations, made.root, made.contacts)
    seen = (seen - normal["middle"].numpy()) / normal["deviation"].numpy()
    return float(np.percentile(features.strangeness(seen, made.free), 95.0))


def _normal(made: Pairs) -> dict[str, Tensor]:
    """Mean and deviation [139] of what is seen, and of changes [69] for each second of a gap's length; what hardly varies is
    not blown up."""
    seen = features.seen(made.rotations, made.root, made.contacts)
    change = made.change / made.length_s[:, None, None]
    free = made.free > 0.0
    return {
        "middle": torch.from_numpy(seen.mean(axis=(0, 1))),
        "deviation": torch.from_numpy(np.maximum(seen.std(axis=(0, 1)), 0.05)),
        "spread": torch.from_numpy(np.maximum(np.sqrt(np.square(change[free]).mean(axis=0)), 0.005)),
    }


def _conditions(
    made: Pairs, rows: npt.NDArray[np.int64], normal: Mapping[str, Tensor], where: torch.device
) -> Conditions:
    seen = torch.from_numpy(features.seen(made.rotations[rows], made.root[rows], made.contacts[rows]))
    seen = (seen - normal["middle"]) / normal["deviation"]
    has = np.ones((len(rows), len(CONDITIONS)), dtype=np.float32)
    has[:, CONDITIONS.index("retrieved")] = made.kind[rows] != GAP
    has[:, CONDITIONS.index("known")] = made.kind[rows] != ALL
    has[:, CONDITIONS.index("music")] = np.abs(made.music[rows]).sum(axis=(1, 2)) > 0.0
    has[:, CONDITIONS.index("embedding")] = np.abs(made.embedding[rows]).sum(axis=1) > 0.0
    has[:, CONDITIONS.index("style")] = made.style[rows] > 0
    arrays = (made.free[rows], made.music[rows], made.embedding[rows], made.style[rows], has)
    return Conditions(seen.to(where), *(torch.from_numpy(np.ascontiguousarray(each)).to(where) for each in arrays))


def _truth(made: Pairs, rows: npt.NDArray[np.int64], where: torch.device) -> Truth:
    hidden = (made.free[rows] > 0.0).astype(np.float32)
    arrays = (made.rotations[rows], made.root[rows], made.change[rows], made.joints[rows], made.planted[rows], hidden)
    return Truth(*(torch.from_numpy(np.ascontiguousarray(each)).to(where) for each in arrays))


def _size(made: Pairs, rows: npt.NDArray[np.int64], normal: Mapping[str, Tensor], where: torch.device) -> Tensor:
    return (torch.from_numpy(made.length_s[rows])[:, None, None] * normal["spread"]).to(where)


def card(
    trained: Trained, options: TrainOptions, data: Sequence[Any], command: str, encoder: str = ""
) -> dict[str, Any]:
    """What the weights file's sidecar says. encoder: hash of the one whose embeddings were heard."""
    settings = {key: value for key, value in asdict(options).items() if key not in ("network", "minutes", "device")}
    return {
        "architecture": ARCHITECTURE, "version": VERSION,
        "config": {**trained.config.as_dict(), "hears": trained.hears, "encoder": encoder},
        "data": {"origins": list(trained.origins), "sources": list(data)}, "metrics": trained.validation,
        "command": command, "steps": trained.steps, "training": settings,
    }  # fmt: skip
