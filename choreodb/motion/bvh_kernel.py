"""The numbers of a BVH MOTION block, read from and written to bytes by compiled loops.

Imported only where a BVH is loaded or saved, because it brings numba.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]

POWERS: npt.NDArray[np.float64] = np.array([10.0**exponent for exponent in range(23)])
"""Powers of ten that float64 holds exactly."""

_MAX_DIGITS = 18  # the most that always fit in int64
_ZERO, _NINE, _DOT, _PLUS, _MINUS, _SPACE, _NEWLINE, _SMALL_E, _LARGE_E = (ord(char) for char in "09.+- \neE")
_EXPONENT_LIMIT = 100_000  # far outside float64, and far from overflowing int64 on the way


@njit(cache=True, nogil=True)
def parse_numbers(text: Bytes, out: npt.NDArray[np.float64], powers: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Read blank-separated decimal numbers from `text` [N] into `out` [M].

    Returns (count, bad): how many numbers `text` holds, of which the first M are stored, and the place of the first
    byte of a malformed one, or -1. Correctly rounded up to 15 digits and exponents within 22, else within 4 ulp.
    `powers` is POWERS.
    """
    size = text.shape[0]
    count = 0
    at = 0
    while True:
        while at < size and _is_blank(text[at]):
            at += 1
        if at >= size:
            return count, -1
        value, end = read_number(text, at, powers)
        if end < 0 or (end < size and not _is_blank(text[end])):
            return count, at
        if count < out.shape[0]:
            out[count] = value
        count += 1
        at = end


@njit(cache=True, nogil=True)
def _is_blank(byte: int) -> bool:
    # every control character but NUL separates, the end-of-file mark of DOS among them
    return byte <= _SPACE and byte != 0


@njit(cache=True, nogil=True)
def read_number(text: Bytes, at: int, powers: npt.NDArray[np.float64]) -> tuple[float, int]:
    """The number that begins at `at` and the place of the byte after it, -1 where there is no number."""
    size = text.shape[0]
    negative = text[at] == _MINUS
    if negative or text[at] == _PLUS:
        at += 1
    begin = at
    mantissa = np.int64(0)
    digits = 0  # in the mantissa, leading zeros not counted
    exponent = 0
    point = -1
    while at < size and (_is_digit(text[at]) or (text[at] == _DOT and point < 0)):
        if text[at] == _DOT:
            point = at
        elif digits < _MAX_DIGITS:
            mantissa = mantissa * 10 + (text[at] - _ZERO)
            digits += 1 if mantissa > 0 else 0
            exponent -= 1 if point >= 0 else 0
        elif point < 0:
            exponent += 1
        at += 1
    if at - begin == (1 if point >= 0 else 0):
        return 0.0, -1
    if at < size and (text[at] == _SMALL_E or text[at] == _LARGE_E):
        written, at = _exponent(text, at + 1)
        exponent += written
    value = _scaled(float(mantissa), exponent, powers)
    return -value if negative else value, at


@njit(cache=True, nogil=True)
def _exponent(text: Bytes, at: int) -> tuple[int, int]:
    """The signed whole number that begins at `at` and the place of the byte after it, -1 where there is none."""
    size = text.shape[0]
    sign = 1
    if at < size and (text[at] == _PLUS or text[at] == _MINUS):
        sign = -1 if text[at] == _MINUS else 1
        at += 1
    begin = at
    value = 0
    while at < size and _is_digit(text[at]):
        if value < _EXPONENT_LIMIT:
            value = value * 10 + (text[at] - _ZERO)
        at += 1
    return sign * value, at if at > begin else -1


@njit(cache=True, nogil=True)
def _is_digit(byte: int) -> bool:
    return _ZERO <= byte <= _NINE


@njit(cache=True, nogil=True)
def _scaled(value: float, exponent: int, powers: npt.NDArray[np.float64]) -> float:
    """`value` times ten to the `exponent`; one rounding where the power is exact."""
    if value == 0.0:
        return 0.0
    if exponent > 400:
        return np.inf
    if exponent < -400:
        return 0.0
    while exponent > 22:
        value *= powers[22]
        exponent -= 22
    while exponent < -22:
        value /= powers[22]
        exponent += 22
    return value * powers[exponent] if exponent >= 0 else value / powers[-exponent]


_FOUR = np.array(
    [[_ZERO + number // 10**place % 10 for place in (3, 2, 1, 0)] for number in range(10_000)], dtype=np.uint8
)
"""The four digits of every number below 10 000."""


@njit(cache=True, nogil=True)
def format_fixed(values: npt.NDArray[np.int64], decimals: npt.NDArray[np.int64], out: Bytes) -> int:
    """Write `values` [T, C], column c in units of 10 ** -decimals[c], as T lines into `out`; returns the length.

    `out` needs 24 bytes a value. Values must lie within +-10 ** 17.
    """
    digits = np.empty(24, dtype=np.uint8)
    at = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            if value < 0:
                out[at] = _MINUS
                at += 1
                value = -value
            if decimals[column] == 4 and value < 10_000_000:
                at = _put_angle(np.uint32(value), out, at)
            else:
                at = _put_digits(value, decimals[column], digits, out, at)
            out[at] = _SPACE
            at += 1
        out[at - 1] = _NEWLINE
    return at


@njit(cache=True, nogil=True)
def _put_angle(value: np.uint32, out: Bytes, at: int) -> int:
    """Write a value below 1000 degrees with its four decimals; returns where the next byte goes."""
    whole, part = value // np.uint32(10_000), value % np.uint32(10_000)
    start = 3 if whole < 10 else 2 if whole < 100 else 1
    for place in range(start, 4):
        out[at] = _FOUR[whole, place]
        at += 1
    out[at] = _DOT
    for place in range(4):
        out[at + 1 + place] = _FOUR[part, place]
    return at + 5


@njit(cache=True, nogil=True)
def _put_digits(value: int, decimals: int, digits: Bytes, out: Bytes, at: int) -> int:
    """Write a value with any number of decimals, digit by digit; returns where the next byte goes."""
    length = 0
    while value > 0 or length <= decimals:
        digits[length] = _ZERO + value % 10
        value //= 10
        length += 1
    while length > 0:
        length -= 1
        out[at] = digits[length]
        at += 1
        if length == decimals and length > 0:
            out[at] = _DOT
            at += 1
    return at


@njit(cache=True, nogil=True)
def continuous(angles: npt.NDArray[np.int64], half_turn: int) -> None:
    """Choose, in place, the Tait-Bryan angles [T, J, 3] nearest to the previous frame's among those that turn alike.

    Angles are integers, `half_turn` of them to 180 degrees: (a, b, c) turns like (a + 180, 180 - b, c + 180), and
    each angle like itself plus full turns. Programs that interpolate the curves then do not spin.
    """
    for frame in range(1, angles.shape[0]):
        for joint in range(angles.shape[1]):
            a, b, c = angles[frame, joint, 0], angles[frame, joint, 1], angles[frame, joint, 2]
            p, q, r = angles[frame - 1, joint, 0], angles[frame - 1, joint, 1], angles[frame - 1, joint, 2]
            # the other spelling is at least 360 degrees less the changes away, so that small changes leave no choice
            if abs(a - p) + abs(b - q) + abs(c - r) >= half_turn:
                angles[frame, joint, 0], angles[frame, joint, 1], angles[frame, joint, 2] = _nearer(
                    a, b, c, p, q, r, half_turn
                )


@njit(cache=True, nogil=True)
def _nearer(a: int, b: int, c: int, p: int, q: int, r: int, half_turn: int) -> tuple[int, int, int]:
    """Of the two spellings of the angles a, b, c the one nearer to p, q, r, by full turns as near as can be."""
    full = 2 * half_turn
    plain = _nearest(a, p, full), _nearest(b, q, full), _nearest(c, r, full)
    other = _nearest(a + half_turn, p, full), _nearest(half_turn - b, q, full), _nearest(c + half_turn, r, full)
    near = abs(plain[0] - p) + abs(plain[1] - q) + abs(plain[2] - r)
    far = abs(other[0] - p) + abs(other[1] - q) + abs(other[2] - r)
    return other if far < near else plain


@njit(cache=True, nogil=True)
def _nearest(angle: int, previous: int, full: int) -> int:
    """`angle` plus the multiple of `full` that brings it within half a turn of `previous`."""
    return angle - (angle - previous + full // 2) // full * full


@njit(cache=True, nogil=True)
def compose_axes(
    cosines: npt.NDArray[np.float64],
    sines: npt.NDArray[np.float64],
    joints: npt.NDArray[np.int64],
    axes: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    """Quaternions `out` [T, J, 4] of single turns one after another: turn r is about axis `axes[r]` of joint `joints[r]`.

    cosines, sines: [T, R] of half the angles. Joints without turns stay as they are; the others must be the identity.
    """
    for frame in range(cosines.shape[0]):
        for turn in range(joints.shape[0]):
            c = cosines[frame, turn]
            s = sines[frame, turn]
            quat = out[frame, joints[turn]]
            w, x, y, z = quat[0], quat[1], quat[2], quat[3]
            if axes[turn] == 0:
                quat[0], quat[1], quat[2], quat[3] = w * c - x * s, w * s + x * c, y * c + z * s, z * c - y * s
            elif axes[turn] == 1:
                quat[0], quat[1], quat[2], quat[3] = w * c - y * s, x * c - z * s, w * s + y * c, z * c + x * s
            else:
                quat[0], quat[1], quat[2], quat[3] = w * c - z * s, x * c + y * s, y * c - x * s, w * s + z * c


@njit(cache=True, nogil=True)
def rounded_angles(quats: npt.NDArray[np.floating], a_degree: float) -> npt.NDArray[np.int64]:
    """Angles [N, 3] about Z, X, Y (`quat_to_euler` in order ZXY) of rotations [N, 4], in whole units, `a_degree` of them to one.

    Near gimbal lock rounding can move a rotation into it, where the angles are spelt differently; a second round settles it.
    """
    out = np.empty((len(quats), 3), dtype=np.int64)
    half = 0.5 * np.pi / (180.0 * a_degree)
    settled = np.int64(89.9 * a_degree)
    for n in range(len(quats)):
        w, x, y, z = float(quats[n, 0]), float(quats[n, 1]), float(quats[n, 2]), float(quats[n, 3])
        norm = np.sqrt(w * w + x * x + y * y + z * z)
        turns = _zxy(w / norm, x / norm, y / norm, z / norm, a_degree)
        if abs(turns[1]) < settled:
            out[n] = turns
            continue
        cz, sz = np.cos(half * turns[0]), np.sin(half * turns[0])
        cx, sx = np.cos(half * turns[1]), np.sin(half * turns[1])
        cy, sy = np.cos(half * turns[2]), np.sin(half * turns[2])
        w, x, y, z = cz * cx, cz * sx, sz * sx, sz * cx
        out[n] = _zxy(w * cy - y * sy, x * cy - z * sy, w * sy + y * cy, x * sy + z * cy, a_degree)
    return out


@njit(cache=True, nogil=True)
def _zxy(w: float, x: float, y: float, z: float, a_degree: float) -> tuple[np.int64, np.int64, np.int64]:
    """Angles about Z, X, Y of one unit quaternion, rounded, within half a turn; -180 and +180 degrees are both +180."""
    sine = min(max(2.0 * (y * z + w * x), -1.0), 1.0)
    across, along = 2.0 * (x * z - w * y), 1.0 - 2.0 * (x * x + y * y)
    cosine = np.sqrt(along * along + across * across)
    if cosine < 1e-7:
        first = np.arctan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z))
        last = 0.0
    else:
        first = np.arctan2(2.0 * (w * z - x * y), 1.0 - 2.0 * (x * x + z * z))
        last = np.arctan2(-across, along)
    scale = 180.0 / np.pi * a_degree
    half_turn = np.int64(180.0 * a_degree)
    turns = (
        np.int64(np.rint(first * scale)),
        np.int64(np.rint(np.arctan2(sine, cosine) * scale)),
        np.int64(np.rint(last * scale)),
    )
    return (
        half_turn if turns[0] == -half_turn else turns[0],
        turns[1],
        half_turn if turns[2] == -half_turn else turns[2],
    )
