"""In-betweening: gaps in a motion, bridged without a network, and then changed to what the denoiser thinks was there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from choreodb.motion.resample import cubic_at
from choreodb.motion.rotations import FloatArray, compose, rotvec_to_quat
from choreodb.refiner.denoiser import features
from choreodb.refiner.denoiser.bridge import bridged
from choreodb.refiner.denoiser.denoiser import Denoiser, RefineOptions
from choreodb.refiner.denoiser.features import FPS, FRAMES, JOINTS, steep

Indices = npt.NDArray[np.int64]

FILL = RefineOptions(strength=1.0, steps=1, smooth_hz=3.0)
"""One step from noise alone gives the mean of what might have been, which is nearest on the average; more steps give one of the things that might have been."""
_AT_ONCE = 64


def filled(
    denoiser: Denoiser, rotations: FloatArray, root: FloatArray, contacts: FloatArray, first: Indices, stop: Indices,
    fps: float, options: RefineOptions = FILL,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Rotations [B, N, 22, 4] and root [B, N, 3] with frames `first` [B] to `stop` [B] of each motion made anew.

    contacts: [B, N, 4]. What stands in the gaps is not looked at, and what does not is not changed. A gap longer than a window
    of 4 s keeps its bridge where the window ends.
    """
    parts = []
    for at in range(0, len(first), _AT_ONCE):
        rows = slice(at, at + _AT_ONCE)
        given = rotations[rows], root[rows], contacts[rows], first[rows], stop[rows]
        parts.append(_filled(denoiser, *given, fps, options))
    turned, moved = zip(*parts, strict=True)
    return np.concatenate(turned), np.concatenate(moved)


def _filled(
    denoiser: Denoiser, rotations: FloatArray, root: FloatArray, contacts: FloatArray, first: Indices, stop: Indices,
    fps: float, options: RefineOptions,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    rotations, root = bridged(rotations, root, first, stop, fps)
    frame = np.arange(root.shape[1])[None]
    hidden = (frame >= first[:, None]) & (frame < stop[:, None])
    contacts = np.where(hidden[..., None], 0.5, contacts)
    start_s = 0.5 * (first + stop - 1) / fps - 0.5 * (FRAMES - 1) / FPS
    times = start_s[:, None] + np.arange(FRAMES) / FPS
    at = np.clip(np.rint(times * fps).astype(np.int64), 0, root.shape[1] - 1)
    row = np.arange(len(first))[:, None]
    seen = rotations[row, at], root[row, at]
    place = features.placed(*seen)
    first_s, stop_s = (first - 1) / fps, stop / fps
    free = features.freedom(times, first_s, stop_s)
    given = denoiser.given(*features.local(*seen, place), contacts[row, at], free, stop_s - first_s, retrieved=False)
    noise = np.random.default_rng(options.seed).standard_normal((FRAMES, features.CHANGES)).astype(np.float32)
    turn, move = features.out_of(place, denoiser.changes(given, noise, options))
    change = np.concatenate([turn.reshape(*move.shape[:2], -1), move], axis=-1)
    change[~np.isfinite(change).all(axis=(1, 2))] = 0.0
    spread_frames = FPS / (2.0 * np.pi * options.smooth_hz)
    # what was smoothed has spread a little beyond its edge, and has to end there at rest
    change = gaussian_filter1d(change, spread_frames, axis=1, mode="nearest") * steep(free)[..., None]
    whole = np.stack([_at_rate(each, frame[0] / fps - start) for each, start in zip(change, start_s, strict=True)])
    whole = np.where(hidden[..., None], whole, 0.0)
    spin = whole[..., : 3 * JOINTS].reshape(*whole.shape[:2], JOINTS, 3)
    return np.asarray(compose(rotvec_to_quat(spin), rotations)), root + whole[..., 3 * JOINTS :]


def _at_rate(change: FloatArray, times: FloatArray) -> FloatArray:
    """A window's change [N, 69] at seconds [n] of it; nothing beyond its ends."""
    inside = (times >= 0.0) & (times <= (FRAMES - 1) / FPS)
    return np.where(inside[:, None], cubic_at(change, FPS, np.clip(times, 0.0, (FRAMES - 1) / FPS)), 0.0)
