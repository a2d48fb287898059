"""The feature of a bar line: what the body does there, so that squared distance is the cost of a join."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np
import numpy.typing as npt

from choreodb.motion.mirror import CONTACT_ORDER, mirror_order
from choreodb.motion.rotations import FloatArray, rotate, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22

Array = npt.NDArray[np.float64]

_BODY = len(CHOREO22)
_MIRROR = mirror_order(CHOREO22)
_FEET = np.array([[CHOREO22.index(f"{side}_{part}") for part in ("ankle", "foot")] for side in ("left", "right")])
_REFLECT = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class BoundaryWeights:
    """Share of each part in the expected squared distance of two random bar lines; together 1.

    pose: joint positions from the pelvis. velocity: joint velocities relative to it, at the bar line. stance: where the
    left foot is, seen from the right one, and the same once more where both stand: feet on the floor that change places
    have to slide. contacts: which feet stand. travel: velocity of the pelvis over the ground and up. turn: yaw
    rate. height: pelvis height.
    """

    pose: float = 0.26
    velocity: float = 0.2
    stance: float = 0.22
    contacts: float = 0.14
    travel: float = 0.09
    turn: float = 0.05
    height: float = 0.04


@dataclass(frozen=True, slots=True)
class BoundaryConfig:
    """offsets: frames around the bar line (at 60 fps, kept inside the clip). reach: frames a velocity looks each way."""

    offsets: tuple[int, ...] = (-6, 0, 6)
    reach: int = 3
    weights: BoundaryWeights = BoundaryWeights()


@dataclass(frozen=True, slots=True, eq=False)
class RawBoundaries:
    """Unscaled features of N bar lines, one [N, D_k] array per part of `BoundaryWeights`, in the heading frame."""

    pose: Array
    velocity: Array
    stance: Array
    contacts: Array
    travel: Array
    turn: Array
    height: Array


def measure(
    positions: FloatArray,
    yaw: FloatArray,
    contacts: npt.NDArray[np.uint8],
    fps: float,
    times_s: npt.ArrayLike,
    *,
    mirrored: bool = False,
    config: BoundaryConfig | None = None,
) -> RawBoundaries:
    """Features at `times_s` [N] of a clip with `positions` [T, J, 3] in metres, pelvis `yaw` [T], `contacts` [T, 4].

    Turning the dancer about the up axis or moving her over the floor changes nothing. mirrored: of the clip's mirror
    image. Fingers are ignored.
    """
    config = config or BoundaryConfig()
    last = len(positions) - 1
    centre = np.clip(np.rint(np.asarray(times_s, dtype=np.float64) * fps).astype(np.int64), 0, last)
    frames = np.clip(centre[:, None] + np.array(config.offsets), 0, last)
    early, late = np.maximum(frames - config.reach, 0), np.minimum(frames + config.reach, last)
    seconds = np.maximum(late - early, 1) / fps
    body = positions[:, :_BODY].astype(np.float64)
    away = yaw_to_quat(-yaw[centre].astype(np.float64))[:, None, None, :]
    pelvis = body[frames, 0]
    ground = pelvis * np.array([1.0, 0.0, 1.0])
    local = rotate(away, body[frames] - ground[:, :, None])
    velocity = rotate(away, body[late] - body[early]) / seconds[..., None, None]
    middle = int(np.argmin(np.abs(config.offsets)))
    turn = (np.unwrap(yaw)[late] - np.unwrap(yaw)[early]) / seconds
    planted = contacts[frames].astype(np.float64)
    if mirrored:
        local, velocity = local[:, :, _MIRROR] * _REFLECT, velocity[:, :, _MIRROR] * _REFLECT
        turn, planted = -turn, planted[..., CONTACT_ORDER]
    count = len(centre)
    pelvis_velocity = velocity[:, :, 0]
    feet = local[:, :, _FEET].mean(axis=-2)
    apart = feet[:, :, 0] - feet[:, :, 1]
    standing = planted.reshape(*planted.shape[:2], 2, 2).max(axis=-1)
    both = standing.min(axis=-1)
    return RawBoundaries(
        pose=(local[:, :, 1:] - local[:, :, :1]).reshape(count, -1),
        velocity=(velocity[:, middle, 1:] - pelvis_velocity[:, middle, None]).reshape(count, -1),
        stance=np.concatenate([apart, apart * both[..., None]], axis=-1).reshape(count, -1),
        contacts=standing.reshape(count, -1),
        travel=pelvis_velocity.reshape(count, -1),
        turn=turn,
        height=pelvis[:, :, 1],
    )


def gathered(parts: list[RawBoundaries]) -> RawBoundaries:
    """The bar lines of many clips in one."""
    return RawBoundaries(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(RawBoundaries)))


def spreads(lines: RawBoundaries) -> dict[str, float]:
    """Root of the total variance of each part over the library's bar lines: what `features` divides by."""
    return {f.name: max(float(np.sqrt(getattr(lines, f.name).var(axis=0).sum())), 1e-6) for f in fields(lines)}


def features(
    lines: RawBoundaries, spread: dict[str, float], config: BoundaryConfig | None = None
) -> npt.NDArray[np.float32]:
    """Weighted features [N, D]; the squared distance of two random bar lines of the library is 1 on average.

    Two random rows of a part differ by twice its total variance; hence the factor 1 / sqrt(2).
    """
    weights = asdict((config or BoundaryConfig()).weights)
    parts = [getattr(lines, name) * (np.sqrt(0.5 * weight) / spread[name]) for name, weight in weights.items()]
    return np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.float32)
