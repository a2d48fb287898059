"""Quaternions between frames, compiled: one pass over the numbers instead of one for every operation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from choreodb.motion.rotations import FloatArray

_SMALL = 1.25e-3
"""Below this 1 - cosine (an angle of 0.05), series of three terms are exact to 1e-10."""


@njit(cache=True, nogil=True)
def slerp(
    rotations: FloatArray, index: npt.NDArray[np.int64], weight: FloatArray, out: FloatArray
) -> None:  # pragma: no cover
    """Rotations [T, J, 4] at index [N] + weight [N] into out [N, J, 4], along the shorter arc; of unit length."""
    last = rotations.shape[0] - 1
    for n in range(len(index)):
        i, k, w = index[n], min(index[n] + 1, last), weight[n]
        for j in range(rotations.shape[1]):
            p0, p1, p2, p3 = rotations[i, j, 0], rotations[i, j, 1], rotations[i, j, 2], rotations[i, j, 3]
            q0, q1, q2, q3 = rotations[k, j, 0], rotations[k, j, 1], rotations[k, j, 2], rotations[k, j, 3]
            cosine = float(p0) * q0 + float(p1) * q1 + float(p2) * q2 + float(p3) * q3
            first, second = _shares(min(abs(cosine), 1.0), w)
            if cosine < 0.0:
                second = -second
            a, b = first * p0 + second * q0, first * p1 + second * q1
            c, d = first * p2 + second * q2, first * p3 + second * q3
            scale = 1.0 / np.sqrt(a * a + b * b + c * c + d * d)
            out[n, j, 0], out[n, j, 1], out[n, j, 2], out[n, j, 3] = a * scale, b * scale, c * scale, d * scale


@njit(cache=True, nogil=True)
def _shares(cosine: float, w: float) -> tuple[float, float]:  # pragma: no cover
    """sin((1 - w) a) / sin(a) and sin(w a) / sin(a)."""
    e = 1.0 - cosine
    if e < _SMALL:
        square = e * (2.0 + e * (1.0 / 3.0 + e * (4.0 / 45.0)))
        return _ratio(1.0 - w, square), _ratio(w, square)
    angle = np.arccos(cosine)
    sine = np.sin(angle)
    return np.sin((1.0 - w) * angle) / sine, np.sin(w * angle) / sine


@njit(cache=True, nogil=True)
def _ratio(w: float, square: float) -> float:  # pragma: no cover
    """sin(w a) / sin(a) of a small angle a, from its square."""
    v = w * w
    return w * (1.0 + square * ((1.0 - v) / 6.0 + square * (7.0 - 10.0 * v + 3.0 * v * v) / 360.0))


@njit(cache=True, nogil=True)
def cubic(
    rotations: FloatArray, index: npt.NDArray[np.int64], u: FloatArray, out: FloatArray
) -> None:  # pragma: no cover
    """Rotations [T, J, 4] at index [N] + u [N] into out [N, J, 4] by Catmull-Rom cubics through four neighbours.

    Signs follow the frame before; beyond either end the last step is carried on. T is at least 2. Of unit length.
    """
    last = rotations.shape[0] - 1
    for n in range(len(index)):
        i, t = index[n], u[n]
        head, tail, beyond = i == 0, i == last - 1, t < 0.0 or t > 1.0
        h, k = max(i - 1, 0), min(i + 2, last)
        for j in range(rotations.shape[1]):
            to_end = _sign(rotations, i, i + 1, j)
            to_before, to_after = _sign(rotations, i, h, j), _sign(rotations, i, k, j)
            total = 0.0
            for c in range(4):
                s, e = float(rotations[i, j, c]), to_end * rotations[i + 1, j, c]
                value = s + t * (e - s)
                if not beyond:
                    p = 2.0 * s - e if head else to_before * rotations[h, j, c]
                    q = 2.0 * e - s if tail else to_after * rotations[k, j, c]
                    curve = t * ((2.0 * p - 5.0 * s + 4.0 * e - q) + t * (3.0 * (s - e) + q - p))
                    value = s + 0.5 * t * ((e - p) + curve)
                out[n, j, c] = value
                total += value * value
            scale = 1.0 / np.sqrt(total)
            for c in range(4):
                out[n, j, c] *= scale


@njit(cache=True, nogil=True)
def _sign(rotations: FloatArray, one: int, other: int, j: int) -> float:  # pragma: no cover
    """-1 where two frames of a joint lie on different half spheres, else 1."""
    product = 0.0
    for c in range(4):
        product += float(rotations[one, j, c]) * float(rotations[other, j, c])
    return -1.0 if product < 0.0 else 1.0


@njit(cache=True, nogil=True)
def unroll(rotations: FloatArray) -> None:  # pragma: no cover
    """Turn signs of rotations [T, J, 4] in place, so that neighbouring frames lie on one half sphere."""
    for frame in range(1, rotations.shape[0]):
        for j in range(rotations.shape[1]):
            if _sign(rotations, frame - 1, frame, j) < 0.0:
                for c in range(4):
                    rotations[frame, j, c] = -rotations[frame, j, c]
