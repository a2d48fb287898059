"""When a dancer marks time: footfalls, stops, bounces and effort as curves over the frames of a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22

Array = npt.NDArray[np.float64]

ONSET_LATENCY_S = 0.022
"""How much later than the sound our onset strength peaks; accents of music are read that much later."""

_FEET = tuple(CHOREO22.index(name) for name in ("left_ankle", "right_ankle", "left_foot", "right_foot"))
_FEET_BY_SIDE = np.array(_FEET).reshape(2, 2).T
_TIPS = tuple(CHOREO22.index(name) for name in ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "head"))
_BODY = len(CHOREO22)


@dataclass(frozen=True, slots=True)
class AccentConfig:
    """smooth_s: blur of the positions, which takes capture noise out of speeds; impulse_s: width of a footfall.
    rest_m_s: a foot has landed when it is slower than this, at most settle_s after its contact begins."""

    smooth_s: float = 0.05
    impulse_s: float = 0.04
    rest_m_s: float = 0.1
    settle_s: float = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class MotionAccents:
    """Curves of one clip, [T] each, at `fps`.

    footfalls: a foot lands (1 at the peak for each). stops: hands, feet and head come to a halt, m/s3. bounce: upward
    acceleration of the pelvis, m/s2. effort: mean joint acceleration, m/s2. foot_speed, speed: m/s of the slower
    foot, of the mean joint. rise: vertical velocity of the pelvis, m/s.
    """

    fps: float
    footfalls: Array
    stops: Array
    bounce: Array
    effort: Array
    foot_speed: Array
    speed: Array
    rise: Array

    def __len__(self) -> int:
        return len(self.speed)


def accents(
    positions: FloatArray, contacts: npt.NDArray[np.uint8], fps: float, config: AccentConfig | None = None
) -> MotionAccents:
    """The curves of canonical joint `positions` [T, J, 3] in metres and `contacts` [T, 4]; fingers are ignored."""
    config = config or AccentConfig()
    blur = config.smooth_s * fps
    smooth = gaussian_filter1d(positions[:, :_BODY].astype(np.float64), blur, axis=0, mode="nearest")
    velocity = _rate(smooth, fps)
    speeds = np.linalg.norm(velocity, axis=-1)
    acceleration = _rate(velocity, fps)
    tips = gaussian_filter1d(speeds[:, _TIPS], blur, axis=0, mode="nearest", order=2) * fps * fps
    slow = speeds[:, _TIPS] < np.median(speeds[:, _TIPS], axis=0)
    feet = speeds[:, _FEET].reshape(len(positions), 2, 2).max(axis=1)
    return MotionAccents(
        fps=fps,
        footfalls=footfalls(positions, contacts, fps, config),
        stops=(np.maximum(tips, 0.0) * slow).mean(axis=1),
        bounce=np.maximum(acceleration[:, 0, 1], 0.0),
        effort=np.linalg.norm(acceleration, axis=-1).mean(axis=1),
        foot_speed=feet.min(axis=1),
        speed=speeds.mean(axis=1),
        rise=velocity[:, 0, 1],
    )


def footfalls(
    positions: FloatArray, contacts: npt.NDArray[np.uint8], fps: float, config: AccentConfig | None = None
) -> Array:
    """A bump of height 1 at each frame [T] where a foot comes to rest after both its points were up.

    A contact begins while the foot is still slowing down, some 30 to 60 ms before a dancer would say that it landed;
    hence the wait for its rest. positions: [T, J, 3]; contacts: [T, 4].
    """
    config = config or AccentConfig()
    # one frame of blur: more would smear the stop itself
    feet = gaussian_filter1d(positions[:, _FEET_BY_SIDE].astype(np.float64), 1.0, axis=0, mode="nearest")
    speeds = np.linalg.norm(_rate(feet, fps), axis=-1).max(axis=-1)
    down = contacts.reshape(len(contacts), 2, 2).max(axis=2).astype(np.int8)
    frame, foot = np.nonzero(np.diff(down, axis=0, prepend=down[:1]) > 0)
    window = np.minimum(frame[:, None] + np.arange(1 + round(config.settle_s * fps)), len(contacts) - 1)
    after = speeds[window, foot[:, None]]
    still = after < config.rest_m_s
    wait = np.where(still.any(axis=1), np.argmax(still, axis=1), np.argmin(after, axis=1))
    landed = np.bincount(window[np.arange(len(wait)), wait], minlength=len(contacts)).astype(np.float64)
    width = config.impulse_s * fps
    return np.asarray(gaussian_filter1d(landed, width, mode="constant") * (width * np.sqrt(2.0 * np.pi)))


def pulse(curves: MotionAccents) -> Array:
    """One curve [T] of how much each frame is an accent, at even strength along the clip; mean about 0, rms about 1."""
    total = 2.0 * standard(curves.footfalls) + standard(curves.stops) + standard(curves.bounce)
    return standard(total)


def standard(curve: Array) -> Array:
    """`curve` [T] without its mean, over its rms; zeros where it does not vary."""
    centred = curve - curve.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    return centred / spread if spread > 1e-9 else np.zeros_like(centred)


def _rate(values: Array, fps: float) -> Array:
    if len(values) < 2:
        return np.zeros_like(values)
    return np.asarray(np.gradient(values, 1.0 / fps, axis=0))
