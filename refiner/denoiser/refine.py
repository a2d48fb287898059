"""Refining a stitched dance: windows around its seams, or all of it, through the denoiser; only the change is added back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from choreodb.errors import QueryError
from choreodb.motion.resample import cubic_at
from choreodb.motion.rotations import FloatArray, compose, rotvec_to_quat
from choreodb.refiner.denoiser import features, pairs, precondition, sampler, schedule
from choreodb.refiner.denoiser.features import FPS, FRAMES, JOINTS

if TYPE_CHECKING:
    from choreodb.indexer.encoders.weights import Weights
    from choreodb.retriever.stitch import Stitched

Array = npt.NDArray[np.float64]
Denoise = Callable[[npt.NDArray[np.float32], float, "Given"], npt.NDArray[np.float32]]
"""(noisy [B, 64, 139], time, conditions) to the clean windows, all normalised."""

ARCHITECTURE = "seam-denoiser"
_MOST_WINDOWS = 64
"""Windows at once, so that long songs need no more memory than short ones."""


@dataclass(frozen=True, slots=True)
class RefineOptions:
    """strength: level of noise at which the retrieved motion enters, 0 (it stays) to 1. steps: of the sampler. guidance: 1
    without. sampler: `ddim` or `dpm2`. margin_s: how far beyond a blend motion may change. smooth_hz: changes faster than
    that are not made, so that captured detail stays. hop_s: of windows in `all` mode. seed: of the noise."""

    strength: float = 0.35
    steps: int = 6
    guidance: float = 1.0
    sampler: str = "ddim"
    margin_s: float = 0.07
    smooth_hz: float = 4.0
    hop_s: float = 0.8
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
    """What the denoiser is told of B windows, normalised: retrieved [B, 64, 139], mask [B, 64], music [B, 64, 20] and
    whether there is any, embedding [B, 256], style [B] number (0: none)."""

    retrieved: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]
    music: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]
    style: npt.NDArray[np.int64]

    def rows(self, part: slice) -> Given:
        """Some of the windows."""
        return Given(*(getattr(self, name)[part] for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is known of the song and the plan, each part may be missing. beats_s: seconds. music: [T, 17] log-mel bands and
    onset at 30 frames a second. embedding: [N, 256] of the song's steps, which begin at start_s [N]. styles: [N] labels."""

    beats_s: Array | None = None
    music: npt.NDArray[np.float32] | None = None
    embedding: npt.NDArray[np.float32] | None = None
    start_s: Array | None = None
    styles: Sequence[str | None] = ()


class Denoiser:
    """A trained network with its normalisation; torch is imported when the first one is made."""

    def __init__(self, weights: Weights) -> None:
        from choreodb.refiner.denoiser.running import Runner

        if weights.card["architecture"] != ARCHITECTURE:
            raise QueryError(
                f"weights {weights.name!r} are of a {weights.card['architecture']!r}; a refiner needs a {ARCHITECTURE!r}"
            )
        self.name, self.hash = weights.name, weights.hash
        self.middle = np.asarray(weights.tensors["middle"], dtype=np.float32)
        self.deviation = np.asarray(weights.tensors["deviation"], dtype=np.float32)
        # who never heard a song in training must not be told of one
        self.hears = bool(weights.card["config"].get("hears", False))
        self.origins = frozenset(weights.card["data"].get("origins", ()))
        runner = Runner(weights)
        self.styles: tuple[str, ...] = runner.styles
        self.denoise: Denoise = runner.denoise
        self.denoise_blind: Denoise = runner.denoise_blind

    @classmethod
    def load(cls, path: Path | str) -> Denoiser:
        """The denoiser in a `.safetensors` file; EncoderError where it cannot be read, MissingExtraError without torch."""
        from choreodb.indexer.encoders.weights import load

        return cls(load(path))


def seams(
    stitched: Stitched, denoiser: Denoiser, told: Told | None = None, options: RefineOptions | None = None
) -> tuple[Stitched, list[str]]:
    """(the dance with its blends refined, warnings). A seam whose window is not finite is left as it was, and named."""
    fps = stitched.motion.fps
    starts = np.array([seam.frame / fps - 0.5 * FRAMES / FPS for seam in stitched.seams])
    half_s = np.array([max(seam.blend_frames) / fps for seam in stitched.seams])
    names = [f"seam at {seam.frame / fps:.2f} s" for seam in stitched.seams]
    options = options or RefineOptions()
    middle = 0.5 * FRAMES / FPS
    away = np.abs((np.arange(FRAMES) / FPS)[None] - middle)
    mask = (away > (half_s + options.margin_s)[:, None]).astype(np.float32)
    return _refined(stitched, denoiser, told or Told(), options, starts, mask, names)


def everything(
    stitched: Stitched, denoiser: Denoiser, told: Told | None = None, options: RefineOptions | None = None
) -> tuple[Stitched, list[str]]:
    """The same for all of the dance, in windows that overlap and fade into one another."""
    options = options or RefineOptions()
    duration_s = len(stitched) / stitched.motion.fps
    starts = np.arange(-options.hop_s, max(duration_s - options.hop_s, 0.0), options.hop_s)
    names = [f"window at {max(start, 0.0):.2f} s" for start in starts]
    return _refined(
        stitched, denoiser, told or Told(), options, starts, np.zeros((len(starts), FRAMES), dtype=np.float32), names
    )


def _refined(
    stitched: Stitched, denoiser: Denoiser, told: Told, options: RefineOptions, starts: Array,
    mask: npt.NDArray[np.float32], names: Sequence[str],
) -> tuple[Stitched, list[str]]:  # fmt: skip
    if len(starts) == 0 or options.strength == 0.0:
        return stitched, []
    fps, frames = stitched.motion.fps, len(stitched)
    turn, move, weight = np.zeros((frames, JOINTS, 3)), np.zeros((frames, 3)), np.zeros(frames)
    warnings: list[str] = []
    noise = np.random.default_rng(options.seed).standard_normal((FRAMES, features.CHANNELS)).astype(np.float32)
    for first in range(0, len(starts), _MOST_WINDOWS):
        part = slice(first, first + _MOST_WINDOWS)
        spun, moved = _changes(stitched, denoiser, told, options, starts[part], mask[part], noise)
        for row, start in enumerate(starts[part]):
            if not (np.isfinite(spun[row]).all() and np.isfinite(moved[row]).all()):
                warnings.append(
                    f"{names[first + row]}: the denoiser gave no finite motion; only physics was used there"
                )
                continue
            _added(turn, move, weight, spun[row], moved[row], 1.0 - mask[first + row], start, fps, options)
    share = 1.0 / np.maximum(weight, 1.0)
    turn, move = turn * share[:, None, None], move * share[:, None]
    motion = stitched.motion
    rotations = motion.rotations.copy()
    rotations[:, :JOINTS] = compose(rotvec_to_quat(turn), rotations[:, :JOINTS].astype(np.float64))
    root = motion.root + move
    changed = replace(motion, rotations=rotations, root=root.astype(motion.root.dtype))
    return replace(stitched, motion=changed), warnings


def _changes(
    stitched: Stitched, denoiser: Denoiser, told: Told, options: RefineOptions, starts: Array,
    mask: npt.NDArray[np.float32], noise: npt.NDArray[np.float32],
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Rotation vectors [B, 64, 22, 3] and metres [B, 64, 3] by which the denoiser changes windows that begin at `starts` [B]."""
    rotations, root, contacts = _windows(stitched, starts)
    windows, place = features.encode(rotations, root, contacts)
    retrieved = (windows - denoiser.middle) / denoiser.deviation
    given = _given(denoiser, told, starts, retrieved, mask)
    clean = sample(denoiser, given, noise, options)
    made = features.decode(clean * denoiser.deviation + denoiser.middle, place)
    return features.residual(made, features.decode(windows, place))


def sample(
    denoiser: Denoiser, given: Given, noise: npt.NDArray[np.float32], options: RefineOptions
) -> npt.NDArray[np.float32]:
    """Clean windows [B, 64, 139] from retrieved ones that enter at `strength`; what is known stays."""
    times = schedule.times(options.steps, options.strength)
    blind: Any = lambda noisy, time: denoiser.denoise_blind(noisy, time, given)  # noqa: E731
    model: Any = lambda noisy, time: denoiser.denoise(noisy, time, given)  # noqa: E731
    guided = precondition.guided(model, blind, options.guidance)
    kept = precondition.keeping(guided, given.retrieved, given.mask[..., None])
    entered = float(schedule.signal(times[0])) * given.retrieved + float(schedule.noise(times[0])) * noise
    found = sampler.SAMPLERS[options.sampler](kept, entered.astype(np.float32), times)
    return np.asarray(found, dtype=np.float32)


def _windows(stitched: Stitched, starts: Array) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rotations, root and contacts at 30 frames a second; beyond the ends the first and the last frame are held."""
    fps = stitched.motion.fps
    at = (starts[:, None] + np.arange(FRAMES) / FPS) * fps
    frame = np.clip(np.rint(at).astype(np.int64), 0, len(stitched) - 1)
    rotations = stitched.motion.rotations[:, :JOINTS][frame].astype(np.float64)
    return rotations, stitched.motion.root[frame].astype(np.float64), stitched.contacts[frame].astype(np.float64)


def _given(
    denoiser: Denoiser, told: Told, starts: Array, retrieved: npt.NDArray[np.float32], mask: npt.NDArray[np.float32]
) -> Given:
    times = starts[:, None] + np.arange(FRAMES) / FPS
    music = np.zeros((len(starts), FRAMES, 20), dtype=np.float32)
    if told.beats_s is not None:
        music[..., -3:] = np.stack([pairs.beat_phase(told.beats_s, row) for row in times])
    if told.music is not None and denoiser.hears:
        frame = np.clip(np.rint(times * FPS).astype(np.int64), 0, len(told.music) - 1)
        music[..., :-3] = told.music[frame]
    embedding, style = np.zeros((len(starts), 256), dtype=np.float32), np.zeros(len(starts), dtype=np.int64)
    if told.start_s is not None:
        step = np.clip(np.searchsorted(told.start_s, times[:, FRAMES // 2], side="right") - 1, 0, len(told.start_s) - 1)
        if told.embedding is not None:
            embedding = told.embedding[step]
        if told.styles:
            labels = [told.styles[each] for each in step]
            style = np.array([1 + denoiser.styles.index(each) if each in denoiser.styles else 0 for each in labels])
    return Given(retrieved.astype(np.float32), mask, music, embedding.astype(np.float32), style)


def _added(
    turn: Array, move: Array, weight: Array, spun: FloatArray, moved: FloatArray, free: npt.NDArray[np.float32],
    start: float, fps: float, options: RefineOptions,
) -> None:  # fmt: skip
    """Add one window's change at the dance's own rate, smooth, and fading to nothing before what is known begins."""
    first = max(0, int(np.ceil(start * fps)))
    stop = min(len(move), int((start + (FRAMES - 1) / FPS) * fps))
    if stop <= first:
        return
    times = np.arange(first, stop) / fps - start
    known = np.concatenate([[-1.0], np.flatnonzero(free < 0.5), [float(FRAMES)]]) / FPS
    away = np.abs(times[:, None] - known).min(axis=1)
    share = np.clip((away - 0.5 / FPS) / _EDGE_S, 0.0, 1.0)
    fading = share**3 * (10.0 - 15.0 * share + 6.0 * share**2) * np.interp(times * FPS, np.arange(FRAMES), _hat(FRAMES))
    change = np.concatenate([spun.reshape(FRAMES, -1), moved], axis=1)
    # smoothed after it is brought to full rate, where every kink would be a spike of jerk
    smooth = gaussian_filter1d(
        cubic_at(change, FPS, times), fps / (2.0 * np.pi * options.smooth_hz), axis=0, mode="nearest"
    )
    smooth *= fading[:, None]
    turn[first:stop] += smooth[:, :-3].reshape(-1, JOINTS, 3)
    move[first:stop] += smooth[:, -3:]
    weight[first:stop] += fading


_EDGE_S = 0.2
"""Time in which a change grows from nothing at the edge of what is known."""


def _hat(frames: int) -> Array:
    """1 in the middle half of a window, falling to 0 at its ends."""
    place = np.abs((np.arange(frames) + 0.5) / frames - 0.5)
    rise = np.clip((0.5 - place) * 4.0, 0.0, 1.0)
    return np.asarray(rise**3 * (10.0 - 15.0 * rise + 6.0 * rise**2))
