"""A plain face for the capsule dancer: eyes, brows and a mouth, and how every ARKit channel moves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.rotations import FloatArray

_AROUND, _RINGS = 8, 5

# Ellipsoids in the head joint's frame at rest, metres: centre and half axes (x is the dancer's left, z the front).
_PARTS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "left eye": ((0.033, 0.098, 0.090), (0.012, 0.012, 0.006)),
    "right eye": ((-0.033, 0.098, 0.090), (0.012, 0.012, 0.006)),
    "left brow": ((0.034, 0.122, 0.089), (0.017, 0.0035, 0.006)),
    "right brow": ((-0.034, 0.122, 0.089), (0.017, 0.0035, 0.006)),
    "mouth": ((0.0, 0.045, 0.097), (0.026, 0.004, 0.007)),
}


@dataclass(frozen=True, slots=True)
class _Move:
    """How one channel moves one part: every half axis grows by the share `grow`, all of it by `shift` metres, and its
    ends (|x| = 1) by `ends` metres more. half: 1 or -1 where only the dancer's left or right half does."""

    part: str
    grow: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ends: tuple[float, float, float] = (0.0, 0.0, 0.0)
    half: int = 0


_EYES: dict[str, _Move] = {
    "eyeBlink": _Move("eye", grow=(0.1, -0.88, 0.0), shift=(0.0, -0.003, 0.0)),
    "eyeSquint": _Move("eye", grow=(0.0, -0.45, 0.0)),
    "eyeWide": _Move("eye", grow=(0.15, 0.35, 0.0)),
    "eyeLookUp": _Move("eye", shift=(0.0, 0.005, 0.0)),
    "eyeLookDown": _Move("eye", shift=(0.0, -0.005, 0.0)),
    "eyeLookIn": _Move("eye", shift=(-0.006, 0.0, 0.0)),
    "eyeLookOut": _Move("eye", shift=(0.006, 0.0, 0.0)),
    "cheekSquint": _Move("eye", grow=(0.0, -0.25, 0.0), shift=(0.0, 0.002, 0.0)),
    "browDown": _Move("brow", shift=(0.0, -0.009, 0.0)),
    "browOuterUp": _Move("brow", shift=(0.0, 0.006, 0.0), ends=(0.0, 0.004, 0.0)),
}
_CORNERS: dict[str, _Move] = {
    "mouthSmile": _Move("mouth", ends=(0.006, 0.014, -0.004)),
    "mouthFrown": _Move("mouth", ends=(0.0, -0.012, -0.002)),
    "mouthDimple": _Move("mouth", ends=(0.005, 0.003, -0.004)),
    "mouthStretch": _Move("mouth", ends=(0.010, -0.002, -0.005)),
    "mouthPress": _Move("mouth", grow=(0.0, -0.4, 0.0)),
    "mouthLowerDown": _Move("mouth", grow=(0.0, 0.6, 0.0), shift=(0.0, -0.003, 0.0)),
    "mouthUpperUp": _Move("mouth", grow=(0.0, 0.6, 0.0), shift=(0.0, 0.003, 0.0)),
}
_MIDDLE: dict[str, _Move] = {
    "jawOpen": _Move("mouth", grow=(-0.15, 3.6, 0.0), shift=(0.0, -0.014, 0.0)),
    "jawForward": _Move("mouth", shift=(0.0, 0.0, 0.006)),
    "jawLeft": _Move("mouth", shift=(0.008, 0.0, 0.0)),
    "jawRight": _Move("mouth", shift=(-0.008, 0.0, 0.0)),
    "mouthClose": _Move("mouth", grow=(0.0, -0.5, 0.0)),
    "mouthFunnel": _Move("mouth", grow=(-0.50, 2.4, 0.4), shift=(0.0, -0.003, 0.004)),
    "mouthPucker": _Move("mouth", grow=(-0.62, 0.8, 0.8), shift=(0.0, 0.0, 0.005)),
    "mouthLeft": _Move("mouth", shift=(0.010, 0.0, 0.0)),
    "mouthRight": _Move("mouth", shift=(-0.010, 0.0, 0.0)),
    "mouthRollLower": _Move("mouth", grow=(0.0, -0.4, 0.0), shift=(0.0, 0.001, 0.0)),
    "mouthRollUpper": _Move("mouth", grow=(0.0, -0.4, 0.0), shift=(0.0, -0.001, 0.0)),
    "mouthShrugLower": _Move("mouth", shift=(0.0, 0.004, 0.002)),
    "mouthShrugUpper": _Move("mouth", shift=(0.0, 0.005, 0.002)),
    "tongueOut": _Move("mouth", grow=(-0.3, 1.2, 0.8), shift=(0.0, -0.004, 0.006)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """vertices, normals: float32 [V, 3] from the head joint at rest. triangles: [F, 3]. parts: [V] name of each vertex's."""

    vertices: npt.NDArray[np.float32]
    normals: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.int64]
    parts: tuple[str, ...]


def features() -> Features:
    """Eyes, brows and mouth at rest."""
    unit, triangles = _sphere()
    vertices, normals, faces = [], [], []
    for number, (centre, axes) in enumerate(_PARTS.values()):
        vertices.append(np.array(centre) + unit * axes)
        # the normal of an ellipsoid is that of the sphere over its axes
        slope = unit / axes
        normals.append(slope / np.linalg.norm(slope, axis=-1, keepdims=True))
        faces.append(triangles + number * len(unit))
    parts = tuple(name for name in _PARTS for _ in range(len(unit)))
    return Features(
        np.concatenate(vertices).astype(np.float32),
        np.concatenate(normals).astype(np.float32),
        np.concatenate(faces),
        parts,
    )


def targets(names: Sequence[str]) -> list[FloatArray]:
    """Displacement [V, 3] in metres of the vertices of `features` at weight 1, for each channel; zeros for unknown ones."""
    unit, _ = _sphere()
    moves = _moves()
    out: list[FloatArray] = []
    for name in names:
        shape = np.zeros((len(_PARTS), len(unit), 3))
        for number, (part, (_, axes)) in enumerate(_PARTS.items()):
            for move in moves.get(name, ()):
                if move.part == part:
                    shape[number] += _displaced(unit, np.array(axes), move)
        out.append(shape.reshape(-1, 3))
    return out


def _displaced(unit: FloatArray, axes: FloatArray, move: _Move) -> FloatArray:
    x = unit[:, :1]
    ends = np.array(move.ends) * x * x
    # corners move apart: each to its own side
    ends[:, 0] *= np.sign(x[:, 0])
    moved = unit * axes * move.grow + move.shift + ends
    return moved if move.half == 0 else moved * np.clip(0.5 + 0.9 * move.half * x, 0.0, 1.0)


def _moves() -> dict[str, tuple[_Move, ...]]:
    """What every ARKit channel that this face can show does."""
    out: dict[str, tuple[_Move, ...]] = {name: (move,) for name, move in _MIDDLE.items()}
    for side, sign in (("Left", 1), ("Right", -1)):
        for name, move in _EYES.items():
            shift = (sign * move.shift[0], *move.shift[1:])
            out[f"{name}{side}"] = (_Move(f"{side.lower()} {move.part}", move.grow, shift, move.ends),)
        for name, move in _CORNERS.items():
            out[f"{name}{side}"] = (_Move(move.part, move.grow, move.shift, move.ends, sign),)
    out["browInnerUp"] = tuple(
        _Move(f"{side} brow", shift=(0.0, 0.008, 0.0), ends=(0.0, -0.003, 0.0)) for side in ("left", "right")
    )
    return out


def _sphere() -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Vertices [V, 3] of a unit sphere around y with two poles, and its triangles [F, 3], outward."""
    up = np.linspace(-0.5 * np.pi, 0.5 * np.pi, _RINGS + 2)[1:-1]
    around = np.arange(_AROUND) * (2.0 * np.pi / _AROUND)
    rings = np.stack(
        [np.cos(up)[:, None] * np.sin(around), np.repeat(np.sin(up)[:, None], _AROUND, 1), np.cos(up)[:, None] * np.cos(around)],
        axis=-1,
    )  # fmt: skip
    vertices = np.concatenate([[[0.0, -1.0, 0.0]], rings.reshape(-1, 3), [[0.0, 1.0, 0.0]]])
    rows = []
    last = len(vertices) - 1
    for side in range(_AROUND):
        after = (side + 1) % _AROUND
        rows.append((0, 1 + after, 1 + side))
        for ring in range(_RINGS - 1):
            low, high = 1 + ring * _AROUND, 1 + (ring + 1) * _AROUND
            rows += [(low + side, low + after, high + after), (low + side, high + after, high + side)]
        rows.append((last - _AROUND + side, last - _AROUND + after, last))
    return vertices, np.array(rows, dtype=np.int64)
