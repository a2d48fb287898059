"""Refining a stitched dance: windows around its seams, or all of it, through the denoiser; only the change is added back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from choreodb.motion.resample import cubic_at
from choreodb.motion.rotations import FloatArray, compose, rotvec_to_quat
from choreodb.refiner.denoiser import features
from choreodb.refiner.denoiser.denoiser import Denoiser, Given, RefineOptions
from choreodb.refiner.denoiser.features import FPS, FRAMES, JOINTS
from choreodb.refiner.denoiser.windows import beat_phase

if TYPE_CHECKING:
    from choreodb.retriever.stitch import Stitched

Array = npt.NDArray[np.float64]

_MOST_WINDOWS = 64
"""Windows at once, so that long songs need no more memory than short ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is known of the song and the plan, each part may be missing. beats_s: seconds. music: [T, 17] log-mel bands and
    onset at 30 frames a second. embedding: [N, 256] of the song's steps, which begin at start_s [N], by the encoder of that hash.
    styles: [N] labels."""

    beats_s: Array | None = None
    music: npt.NDArray[np.float32] | None = None
    embedding: npt.NDArray[np.float32] | None = None
    start_s: Array | None = None
    styles: Sequence[str | None] = ()
    encoder: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Windows to refine. starts: [W] seconds. edges: [W, 2] seconds between which anything is changed. known: whether any
    frame is to stay. names: of the windows, for warnings."""

    starts: Array
    edges: Array
    known: bool
    names: Sequence[str]

    def rows(self, part: slice) -> _Plan:
        """Some of the windows."""
        return _Plan(self.starts[part], self.edges[part], self.known, self.names[part])

    def free(self, times_s: Array) -> npt.NDArray[np.float32]:
        """How much of a change is let through [W, N] at times of the dance [W, N]."""
        if not self.known:
            return np.ones(times_s.shape, dtype=np.float32)
        return features.freedom(times_s, self.edges[:, 0], self.edges[:, 1])


def seams(
    stitched: Stitched, denoiser: Denoiser, told: Told | None = None, options: RefineOptions | None = None
) -> tuple[Stitched, list[str]]:
    """(the dance with its blends refined, warnings). A seam whose window is not finite is left as it was, and named."""
    options = options or RefineOptions()
    fps = stitched.motion.fps
    at = np.array([seam.frame / fps for seam in stitched.seams], dtype=np.float64)
    half_s = np.array([max(seam.blend_frames) / fps for seam in stitched.seams], dtype=np.float64) + options.margin_s
    edges = np.stack([at - half_s, at + half_s], axis=1)
    names = [f"seam at {each:.2f} s" for each in at]
    return _refined(stitched, denoiser, told or Told(), options, _Plan(at - 0.5 * FRAMES / FPS, edges, True, names))


def everything(
    stitched: Stitched, denoiser: Denoiser, told: Told | None = None, options: RefineOptions | None = None
) -> tuple[Stitched, list[str]]:
    """The same for all of the dance, in windows that overlap and fade into one another."""
    options = options or RefineOptions()
    duration_s = len(stitched) / stitched.motion.fps
    starts = np.arange(-options.hop_s, max(duration_s - options.hop_s, 0.0), options.hop_s)
    edges = np.stack([starts, starts + features.WHOLE_S], axis=1)
    names = [f"window at {max(start, 0.0):.2f} s" for start in starts]
    return _refined(stitched, denoiser, told or Told(), options, _Plan(starts, edges, False, names))


def _refined(
    stitched: Stitched, denoiser: Denoiser, told: Told, options: RefineOptions, plan: _Plan
) -> tuple[Stitched, list[str]]:
    if len(plan.starts) == 0 or options.strength == 0.0:
        return stitched, []
    frames = len(stitched)
    change, weight = np.zeros((frames, features.CHANGES)), np.zeros(frames)
    warnings: list[str] = []
    noise = np.random.default_rng(options.seed).standard_normal((FRAMES, features.CHANGES)).astype(np.float32)
    for first in range(0, len(plan.starts), _MOST_WINDOWS):
        part = plan.rows(slice(first, first + _MOST_WINDOWS))
        made = _changes(stitched, denoiser, told, options, part, noise)
        for row, each in enumerate(made):
            if not np.isfinite(each).all():
                warnings.append(f"{part.names[row]}: the denoiser gave no finite motion; only physics was used there")
                continue
            _add(change, weight, each, part.rows(slice(row, row + 1)), stitched.motion.fps, options)
    change /= np.maximum(weight, 1.0)[:, None]
    motion = stitched.motion
    rotations = motion.rotations.copy()
    turn = change[:, : 3 * JOINTS].reshape(frames, JOINTS, 3)
    rotations[:, :JOINTS] = compose(rotvec_to_quat(turn), rotations[:, :JOINTS].astype(np.float64))
    root = (motion.root + change[:, 3 * JOINTS :]).astype(motion.root.dtype)
    return replace(stitched, motion=replace(motion, rotations=rotations, root=root)), warnings


def _changes(
    stitched: Stitched, denoiser: Denoiser, told: Told, options: RefineOptions, plan: _Plan,
    noise: npt.NDArray[np.float32],
) -> FloatArray:  # fmt: skip
    """Rotation vectors and metres [W, N, 69] in the world, by which the denoiser changes windows."""
    rotations, root, contacts = _windows(stitched, plan.starts)
    place = features.placed(rotations, root)
    times = plan.starts[:, None] + np.arange(FRAMES) / FPS
    here = features.local(rotations, root, place)
    given = _given(denoiser, told, here, contacts, times, plan)
    turned, moved = features.out_of(place, denoiser.changes(given, noise, options))
    return np.concatenate([turned.reshape(*moved.shape[:2], -1), moved], axis=-1)


def _windows(stitched: Stitched, starts: Array) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rotations, root and contacts at 30 frames a second; beyond the ends the first and the last frame are held."""
    fps = stitched.motion.fps
    at = (starts[:, None] + np.arange(FRAMES) / FPS) * fps
    frame = np.clip(np.rint(at).astype(np.int64), 0, len(stitched) - 1)
    rotations = stitched.motion.rotations[:, :JOINTS][frame].astype(np.float64)
    return rotations, stitched.motion.root[frame].astype(np.float64), stitched.contacts[frame].astype(np.float64)


def _given(
    denoiser: Denoiser, told: Told, here: tuple[FloatArray, FloatArray], contacts: FloatArray, times: Array, plan: _Plan
) -> Given:
    music = np.zeros((*times.shape, 20), dtype=np.float32)
    if told.beats_s is not None:
        music[..., -3:] = beat_phase(told.beats_s, times)
    if told.music is not None and denoiser.hears:
        frame = np.clip(np.rint(times * FPS).astype(np.int64), 0, len(told.music) - 1)
        music[..., :-3] = told.music[frame]
    embedding, style = np.zeros((len(times), 256), dtype=np.float32), np.zeros(len(times), dtype=np.int64)
    if told.start_s is not None:
        step = np.clip(np.searchsorted(told.start_s, times[:, FRAMES // 2], side="right") - 1, 0, len(told.start_s) - 1)
        # another encoder's space says nothing to it
        if told.embedding is not None and told.encoder == denoiser.encoder:
            embedding = told.embedding[step]
        if told.styles:
            labels = [told.styles[each] for each in step]
            style = np.array([1 + denoiser.styles.index(each) if each in denoiser.styles else 0 for each in labels])
    length_s = plan.edges[:, 1] - plan.edges[:, 0]
    return denoiser.given(
        *here, contacts, plan.free(times), length_s, retrieved=True, music=music, embedding=embedding, style=style
    )


def _add(change: Array, weight: Array, made: FloatArray, plan: _Plan, fps: float, options: RefineOptions) -> None:
    """Add one window's change at the dance's own rate, smooth, and nothing of it where frames are to stay."""
    start = float(plan.starts[0])
    first = max(0, int(np.ceil(start * fps)))
    stop = min(len(change), int((start + (FRAMES - 1) / FPS) * fps))
    if stop <= first:
        return
    times = np.arange(first, stop) / fps - start
    fading = np.interp(times * FPS, np.arange(FRAMES), _hat(FRAMES))
    # smoothed after it is brought to full rate, where every kink would be a spike of jerk
    smooth = gaussian_filter1d(
        cubic_at(made, FPS, times), fps / (2.0 * np.pi * options.smooth_hz), axis=0, mode="nearest"
    )
    free = plan.free((times + start)[None])[0]
    # what was smoothed has spread a little beyond its edge, and has to end there at rest
    change[first:stop] += smooth * (fading * features.steep(free))[:, None]
    weight[first:stop] += fading


def _hat(frames: int) -> Array:
    """1 in the middle half of a window, falling to 0 at its ends."""
    place = np.abs((np.arange(frames) + 0.5) / frames - 0.5)
    rise = np.clip((0.5 - place) * 4.0, 0.0, 1.0)
    return np.asarray(rise**3 * (10.0 - 15.0 * rise + 6.0 * rise**2))
