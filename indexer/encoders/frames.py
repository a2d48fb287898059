"""What trained encoders see: songs and motion as frames of 20 a second, the same in training and at query time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from choreodb.indexer.accents import ONSET_LATENCY_S
from choreodb.indexer.encoders.base import ClipMotion
from choreodb.motion.kinematics import heading
from choreodb.motion.mirror import CONTACT_ORDER, mirror_order
from choreodb.motion.rotations import quat_to_sixd
from choreodb.motion.skeleton import CHOREO22
from choreodb.music.features import MEL_BANDS, Features

Array = npt.NDArray[np.float32]

RATE_HZ = 20.0
"""Frames a second of both sides; frame t lies at t / RATE_HZ seconds."""

ONSET_BANDS = 4
MUSIC_CHANNELS = MEL_BANDS + ONSET_BANDS + 1
"""Log-mel in dB, onset strength by band, loudness in dB."""

_BODY = len(CHOREO22)
_VECTORS = 3 * _BODY
POSITIONS = slice(0, _VECTORS)
VELOCITIES = slice(_VECTORS, 2 * _VECTORS + 1)
CONTACTS = slice(2 * _VECTORS + 1, 2 * _VECTORS + 5)
ROTATIONS = slice(2 * _VECTORS + 5, 2 * _VECTORS + 5 + 6 * (_BODY - 1))
MOTION_CHANNELS = ROTATIONS.stop
"""Joint positions (metres, from the ground under the pelvis), velocities (m/s) and yaw rate (rad/s), contacts, and local
6-D rotations of all joints but the root; everything as seen by one who faces as the pelvis does."""

_BLUR_S = 0.03


def music_frames(features: Features) -> npt.NDArray[np.float16]:
    """Frames [F, 69] of a song; half precision, in which a library keeps them."""
    columns = np.concatenate([features.mel_db, features.onset_bands, features.rms_db[:, None]], axis=1)
    # onset strength peaks late by a constant, which is taken back here
    delays = np.array([0.0] * MEL_BANDS + [ONSET_LATENCY_S] * ONSET_BANDS + [0.0])
    width = RATE_HZ * features.hop_s
    smooth = gaussian_filter1d(columns, 0.5 / width - 0.5, axis=0, mode="nearest") if width < 0.9 else columns
    count = max(1, int(np.floor((len(features) - 1) * features.hop_s * RATE_HZ)) + 1)
    out = np.empty((count, MUSIC_CHANNELS), dtype=np.float32)
    for delay in np.unique(delays):
        chosen = delays == delay
        out[:, chosen] = sampled(smooth[:, chosen], (np.arange(count) / RATE_HZ + delay) / features.hop_s)
    return out.astype(np.float16)


def motion_frames(motion: ClipMotion) -> Array:
    """Frames [F, 263] of a clip."""
    positions = motion.positions[:, :_BODY].astype(np.float64)
    smooth = gaussian_filter1d(positions, _BLUR_S * motion.fps, axis=0, mode="nearest")
    yaw = heading(motion.rotations.astype(np.float64))
    ground = positions[:, :1] * np.array([1.0, 0.0, 1.0])
    seen = _turned(positions - ground, yaw)
    moving = _turned(_rate(smooth, motion.fps), yaw)
    turning = _rate(gaussian_filter1d(yaw, _BLUR_S * motion.fps, mode="nearest"), motion.fps)
    sixd = quat_to_sixd(motion.rotations[:, 1:_BODY].astype(np.float64))
    count = len(positions)
    parts = (seen, moving, turning, motion.contacts, sixd)
    wide = np.concatenate([part.reshape(count, -1) for part in parts], axis=1).astype(np.float32)
    kept = max(1, int(np.floor((count - 1) / motion.fps * RATE_HZ)) + 1)
    return sampled(wide, np.arange(kept) / RATE_HZ * motion.fps)


def mirrored(frames: Array) -> Array:
    """Motion frames [..., 263] with left and right exchanged; its own inverse."""
    order, signs = _MIRROR
    return np.asarray(frames[..., order] * signs)


def sampled(frames: Array, places: npt.NDArray[np.float64]) -> Array:
    """`frames` [F, C] read at fractional frame numbers `places` [...]: [..., C]; the ends are held."""
    at = np.clip(places, 0.0, len(frames) - 1.0)
    low = np.minimum(at.astype(np.int64), max(len(frames) - 2, 0))
    part = (at - low)[..., None].astype(np.float32)
    high = np.minimum(low + 1, len(frames) - 1)
    return np.asarray(frames[low] * (1.0 - part) + frames[high] * part, dtype=np.float32)


def _turned(vectors: npt.NDArray[np.float64], yaw: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Vectors [T, J, 3] in the frame that faces `yaw` [T]."""
    cosine, sine = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([cosine * x - sine * z, y, sine * x + cosine * z], axis=-1)


def _rate(values: npt.NDArray[np.float64], fps: float) -> npt.NDArray[np.float64]:
    return np.zeros_like(values) if len(values) < 2 else np.asarray(np.gradient(values, 1.0 / fps, axis=0))


def _mirror() -> tuple[npt.NDArray[np.int64], Array]:
    """Columns and signs that mirror motion frames."""
    joints = mirror_order(CHOREO22)
    vectors = (3 * joints[:, None] + np.arange(3)).reshape(-1)
    flip = np.tile([-1.0, 1.0, 1.0], _BODY)
    inner = joints[1:] - 1
    sixd = (6 * inner[:, None] + np.arange(6)).reshape(-1)
    # of M R M with M = diag(-1, 1, 1), the sign of an element is the product of those of its row and column
    columns = np.tile(_SIXD_SIGNS, _BODY - 1)
    order = np.concatenate([vectors, VELOCITIES.start + vectors, [VELOCITIES.stop - 1],
                            CONTACTS.start + np.array(CONTACT_ORDER), ROTATIONS.start + sixd])  # fmt: skip
    return order, np.concatenate([flip, flip, [-1.0], np.ones(4), columns]).astype(np.float32)


def _sixd_signs() -> npt.NDArray[np.float64]:
    """Signs of the numbers of a 6-D rotation in a mirror, found from a rotation that fills them all."""
    quat = np.array([0.7, 0.3, -0.5, 0.4])
    quat /= np.linalg.norm(quat)
    return np.sign(quat_to_sixd(quat * np.array([1.0, 1.0, -1.0, -1.0])) / quat_to_sixd(quat)).reshape(-1)


_SIXD_SIGNS = _sixd_signs()
_MIRROR = _mirror()
