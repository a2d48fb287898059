"""A trained denoiser, and what it is told: changes out of noise, for windows of motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import QueryError
from choreodb.refiner.denoiser import features, precondition, sampler, schedule

if TYPE_CHECKING:
    from choreodb.indexer.encoders.weights import Weights

Floats = npt.NDArray[np.float32]
Denoise = Callable[[Floats, float, "Given"], Floats]
"""(noisy [B, N, 69], time, conditions) to the clean changes, all normalised."""

ARCHITECTURE = "seam-denoiser"
SHIPPED = Path(__file__).parent / "shipped"
"""Weights that come with ChoreoDB."""
_STRANGE = 1.3
"""How many times stranger than 95 % of the windows that were held out a window may be before nothing of it is changed."""


def shipped() -> tuple[str, ...]:
    """Names of the shipped weights."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.safetensors")))


def weights_of(source: Path | str) -> Weights:
    """The weights in a `.safetensors` file, or shipped under a name; EncoderError where they cannot be read."""
    from choreodb.indexer.encoders.weights import load

    if str(source) in shipped() and not Path(source).is_file():
        source = SHIPPED / f"{source}.safetensors"
    return load(source)


@dataclass(frozen=True, slots=True)
class RefineOptions:
    """strength: level of noise at which the retrieved motion enters, 0 (it stays) to 1. steps: of the sampler. guidance: 1
    without. sampler: `ddim` or `dpm2`. margin_s: how far beyond a blend motion may change. smooth_hz: changes faster than
    that are not made, so that captured detail stays. hop_s: of windows in `all` mode. temperature: how much of the noise is there
    really; at 0 the network is only told of it, and gives the mean of what might be. seed: of the noise."""

    strength: float = 0.35
    steps: int = 6
    guidance: float = 1.0
    sampler: str = "ddim"
    margin_s: float = 0.07
    smooth_hz: float = 4.0
    hop_s: float = 1.5
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise QueryError(f"strength is {self.strength!r}; expected 0 (as retrieved) to 1 (as dreamt)")
        if not 1 <= self.steps <= 50:
            raise QueryError(f"{self.steps} sampling steps; expected 1 to 50")
        if self.sampler not in sampler.SAMPLERS:
            raise QueryError(f"sampler {self.sampler!r} is not known; there are {', '.join(sampler.SAMPLERS)}")


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What the denoiser is told of B windows. seen: [B, N, 139] the motion, normalised. free: [B, N] how much of a change is
    let through. length_s: [B] of what is free. retrieved: [B] whether what is free was captured, and not bridged. music:
    [B, N, 20] and embedding: [B, 256], zeros where there is none. style: [B] number, 0: none."""

    seen: Floats
    free: Floats
    length_s: Floats
    retrieved: npt.NDArray[np.bool_]
    music: Floats
    embedding: Floats
    style: npt.NDArray[np.int64]

    def rows(self, part: slice | npt.NDArray[np.int64]) -> Given:
        """Some of the windows."""
        return Given(*(getattr(self, name)[part] for name in self.__dataclass_fields__))


class Denoiser:
    """A trained network with its normalisation; torch is imported when the first one is made. device: `auto`, `cpu` or
    `cuda`. half: whether in bf16; None where the hardware multiplies it."""

    def __init__(self, weights: Weights, device: str = "auto", half: bool | None = None) -> None:
        from choreodb.refiner.denoiser.running import Runner

        if weights.card["architecture"] != ARCHITECTURE:
            raise QueryError(
                f"weights {weights.name!r} are of a {weights.card['architecture']!r}; a refiner needs a {ARCHITECTURE!r}"
            )
        self.name, self.hash = weights.name, weights.hash
        try:
            self.middle, self.deviation, self.spread = (
                np.asarray(weights.tensors[name], dtype=np.float32) for name in ("middle", "deviation", "spread")
            )
            self.usual = float(np.asarray(weights.tensors["usual"]).reshape(()))
        except (KeyError, ValueError) as error:
            raise QueryError(
                f"weights {weights.name!r} hold no {error}: they are of an older refiner; train it again"
            ) from None
        # who never heard a song in training must not be told of one
        self.hears = bool(weights.card["config"].get("hears", False))
        self.encoder = str(weights.card["config"].get("encoder", ""))
        self.origins = frozenset(weights.card["data"].get("origins", ()))
        runner = Runner(weights, device, half)
        self.styles: tuple[str, ...] = runner.styles
        self.denoise: Denoise = runner.denoise
        self.denoise_blind: Denoise = runner.denoise_blind

    @classmethod
    def load(cls, path: Path | str, device: str = "auto", half: bool | None = None) -> Denoiser:
        """The denoiser in a `.safetensors` file, or shipped under a name; EncoderError where it cannot be read,
        MissingExtraError without torch."""
        return cls(weights_of(path), device, half)

    def given(
        self, rotations: npt.NDArray[Any], root: npt.NDArray[Any], contacts: npt.NDArray[Any], free: Floats,
        length_s: npt.NDArray[Any], *, retrieved: bool, music: Floats | None = None, embedding: Floats | None = None,
        style: npt.NDArray[np.int64] | None = None,
    ) -> Given:  # fmt: skip
        """What it is told of windows [B, N, ...] that stand in their own places; what is left out is missing."""
        count, frames = free.shape
        seen = (features.seen(rotations, root, contacts) - self.middle) / self.deviation
        return Given(
            seen.astype(np.float32), free.astype(np.float32), length_s.astype(np.float32),
            np.full(count, retrieved),
            np.zeros((count, frames, 20), dtype=np.float32) if music is None else music,
            np.zeros((count, 256), dtype=np.float32) if embedding is None else embedding.astype(np.float32),
            np.zeros(count, dtype=np.int64) if style is None else style,
        )  # fmt: skip

    def changes(self, given: Given, noise: Floats, options: RefineOptions) -> Floats:
        """Changes [B, N, 69] in radians and metres, by which windows become what they might have been.

        Known frames are not changed. noise: [N, 69], the same for all. The retrieved motion, which is no change at all,
        enters at `strength`.
        """
        times = schedule.times(options.steps, options.strength)

        def seeing(noisy: Floats, time: float) -> Floats:
            return self.denoise(noisy, time, given)

        def blind(noisy: Floats, time: float) -> Floats:
            return self.denoise_blind(noisy, time, given)

        free = given.free[..., None]
        model = precondition.guided(seeing, blind, options.guidance)
        kept = precondition.keeping(model, np.float32(0.0), (free == 0.0).astype(np.float32))
        amount = np.float32(options.temperature * schedule.noise(times[0]))
        entered = np.broadcast_to(amount * noise, (len(free), *noise.shape))
        found = sampler.SAMPLERS[options.sampler](kept, entered, times)
        size = (given.length_s * self.trust(given))[:, None, None] * self.spread
        return np.asarray(found * size, dtype=np.float32)

    def trust(self, given: Given) -> Floats:
        """How much of a change is made [B]: all where windows are like those that it was trained on, nothing where they are
        not; there it does not know what it says."""
        strange = features.strangeness(given.seen, given.free) / self.usual
        return np.clip((_STRANGE - strange) / (_STRANGE - 1.0), 0.0, 1.0).astype(np.float32)
