"""Figures of one clip: what its windows look like to a classifier, and how its body is held up by the floor.

Everything, ours and captured, goes the same way: retargeted by `canonicalise` at its true rate, cut into windows of four
seconds, resampled to 30 fps and low-passed at 6 Hz before speeds are taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import signal

from choreodb.benchmarks.metrics import feet as feet_metrics
from choreodb.benchmarks.metrics import support
from choreodb.benchmarks.runs.registry import Row
from choreodb.motion.contacts import foot_points
from choreodb.motion.kinematics import forward
from choreodb.motion.retarget import Canonical
from choreodb.motion.rotations import compose, inverse, quat_to_rotvec, quat_to_yaw, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22
from choreodb.sample.arms import torso_depth

Array = npt.NDArray[np.float64]

FPS = 60.0
WINDOW_S = 4.0
LOW_PASS_HZ = 6.0
DEEP_M = 0.02
"""Depth inside the torso from which a forearm counts as in it."""

_BODY = len(CHOREO22)
_PARTS = {"pelvis": (0,), "feet": (7, 8, 10, 11), "hands": (20, 21), "head": (15,), "chest": (9,), "knees": (4, 5)}
_BENDS = {
    "spine": (3, 6, 9),
    "neck": (12, 15),
    "shoulders": (16, 17),
    "elbows": (18, 19),
    "hips": (1, 2),
    "knees": (4, 5),
    "ankles": (7, 8),
}
_BANDS_HZ = ((0.3, 1.0), (1.0, 2.0), (2.0, 4.0))


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One canonical clip: group it comes from (style or data set), a name that keeps its windows on one side of a fold."""

    group: str
    name: str
    canonical: Canonical

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.canonical.motion) / FPS


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """All figures of one clip. windows: [N, F] of `names`, one row per window. floor: of `floor_figures`."""

    group: str
    name: str
    seconds: float
    names: tuple[str, ...]
    windows: Array
    floor: dict[str, float]

    def median(self) -> Array:
        """Median [F] over the windows."""
        return np.asarray(np.median(self.windows, axis=0))


def measure(clip: Clip) -> Measured:
    """Measure a clip of at least one window."""
    names, windows = features(clip)
    return Measured(clip.group, clip.name, clip.seconds, tuple(names), windows, floor_figures(clip))


def floor_figures(clip: Clip) -> dict[str, float]:
    """How feet stand, whether the floor explains the body's path, and share of the time that forearms are in the torso."""
    motion, contacts = clip.canonical.motion, clip.canonical.contacts
    rotations = motion.rotations[:, :_BODY]
    positions, turned = forward(rotations, motion.root, CHOREO22)
    points = foot_points(positions, turned)
    held = support.evaluate(contacts, positions, points, FPS)
    return {
        "skating, cm/s": 100.0 * feet_metrics.skating(contacts, points, FPS)["mean_m_s"],
        "penetration": feet_metrics.points_below(contacts, points),
        "floating": feet_metrics.points_above(contacts, points),
        "levitation": held["levitation"],
        "pulled down": held["pull"],
        "friction needed": held["friction"],
        "push outside the feet, cm": 100.0 * held["outside_m"],
        "forearms in the torso": float(
            np.mean(torso_depth(rotations, motion.root.astype(np.float64)).max(axis=(1, 2)) > DEEP_M)
        ),
    }


def features(clip: Clip) -> tuple[list[str], Array]:
    """(names, [windows, F]) of every whole window of the clip; values as in `_window`."""
    motion = clip.canonical.motion
    rotations = motion.rotations[:, :_BODY]
    positions, _ = forward(rotations, motion.root, CHOREO22)
    low = signal.filtfilt(*signal.butter(4, LOW_PASS_HZ, fs=FPS), positions, axis=0)[::2]
    yaw = np.unwrap(np.asarray(quat_to_yaw(rotations[:, 0]), dtype=np.float64))[::2]
    local = rotations[::2].astype(np.float64)
    # the pelvis without its heading: no figure may depend on which way a clip happens to face
    local[:, 0] = compose(inverse(yaw_to_quat(yaw)), local[:, 0])
    bends = np.asarray(quat_to_rotvec(local), dtype=np.float64)
    contacts = clip.canonical.contacts[::2]
    length = round(WINDOW_S * FPS / 2)
    rows = [
        _window(low[at : at + length], bends[at : at + length], yaw[at : at + length], contacts[at : at + length])
        for at in range(0, len(low) - length + 1, length)
    ]
    return list(rows[0]), np.array([list(row.values()) for row in rows])


def _window(low: Array, bends: Array, yaw: Array, contacts: npt.NDArray[np.uint8]) -> Row:
    """Every figure of one window: positions [T, 22, 3] at 30 fps, rotation vectors [T, 22, 3], yaw [T], contacts [T, 4]."""
    fps = FPS / 2
    out: Row = {}
    orders = (("speed", 1), ("acceleration", 2), ("jerk", 3))
    paces = {name: np.linalg.norm(np.diff(low, order, axis=0), axis=-1) * fps**order for name, order in orders}
    for name, pace in paces.items():
        out[f"{name}, all joints"] = float(np.median(pace.mean(axis=1)))
        for part, joints in _PARTS.items():
            out[f"{name}, {part}"] = float(np.mean(pace[:, joints]))
    spread = np.degrees(np.linalg.norm(np.percentile(bends, 95, axis=0) - np.percentile(bends, 5, axis=0), axis=-1))
    out["joint range, all joints"] = float(np.median(spread))
    out |= {f"joint range, {part}": float(np.mean(spread[list(joints)])) for part, joints in _BENDS.items()}
    out |= {
        f"mean bend, {part}": float(np.degrees(np.linalg.norm(bends[:, list(joints)], axis=-1).mean()))
        for part, joints in _BENDS.items()
    }
    stands = np.stack([contacts[:, :2].any(axis=1), contacts[:, 2:].any(axis=1)], axis=1)
    out["both feet stand"] = float(np.mean(stands.all(axis=1)))
    out["neither foot stands"] = float(np.mean(~stands.any(axis=1)))
    out["heel stands where toe does"] = (
        float(np.mean(contacts[:, [0, 2]][contacts[:, [1, 3]] == 1])) if contacts[:, [1, 3]].any() else 0.0
    )
    out["steps a second"] = float(np.sum(np.diff(stands.astype(int), axis=0) == 1)) / WINDOW_S
    out["pelvis height, mean"] = float(low[:, 0, 1].mean())
    out["pelvis height, spread"] = float(low[:, 0, 1].std())
    out["feet apart"] = float(np.linalg.norm(low[:, 7] - low[:, 8], axis=-1).mean())
    out["turning, deg/s"] = float(np.degrees(np.mean(np.abs(np.diff(yaw)))) * fps)
    out["travel, m/s"] = float(np.linalg.norm(low[-1, 0, [0, 2]] - low[0, 0, [0, 2]]) / WINDOW_S)
    hands = low[:, [20, 21]] - low[:, :1]
    out["hands agree"] = float(
        np.mean(np.sum(np.diff(hands[:, 0], axis=0) * np.diff(hands[:, 1], axis=0), axis=-1))
        / (np.mean(np.sum(np.diff(hands, axis=0) ** 2, axis=-1)) + 1e-9)
    )
    for part, curve in (
        ("hands", paces["speed"][:, [20, 21]].mean(axis=1)),
        ("feet", paces["speed"][:, [10, 11]].mean(axis=1)),
    ):
        out |= {
            f"{part} pulse {low_hz:g}-{high_hz:g} Hz": share
            for (low_hz, high_hz), share in zip(_BANDS_HZ, _pulse(curve, fps), strict=True)
        }
        out[f"{part} peak over mean"] = float(np.percentile(curve, 95) / (curve.mean() + 1e-6))
        out[f"{part} stillness"] = float(np.mean(curve < 0.3 * (curve.mean() + 1e-6)))
    return out


def _pulse(curve: Array, fps: float) -> list[float]:
    """Shares of the power of `curve` [T] in the bands."""
    power = np.abs(np.fft.rfft((curve - curve.mean()) * np.hanning(len(curve)))) ** 2
    hertz = np.fft.rfftfreq(len(curve), 1.0 / fps)
    return [float(power[(hertz >= low) & (hertz < high)].sum() / (power.sum() + 1e-12)) for low, high in _BANDS_HZ]
