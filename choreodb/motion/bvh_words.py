"""The numbers of a MOTION block by numpy alone: for the first file of a process that has no compiler loaded.

Loading numba takes longer than reading a BVH of 100 MB this way; the spelling that is read fast is that of `bvh_lanes`.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

PLAIN_LIMIT = 1e7
"""Numbers that are spelt plainly stay below it."""

_DECIMAL = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FEW = 16  # one number in so many may be spelt otherwise,
_ALWAYS = 8  # and so many however short a stretch is
_STRETCH = 1 << 16
_REACH = 32
_SPACE, _MINUS, _DOT = 32, 45, 46

Bytes = npt.NDArray[np.uint8]
_Words = npt.NDArray[np.uint64]
_Places = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.float64]

_ONE, _EIGHT, _TEN, _SIXTEEN, _THIRTY_TWO = (np.uint64(value) for value in (1, 8, 10, 16, 32))
_DIGIT_BIT, _ZEROS, _OVER_NINE, _HIGH, _ALL = (
    np.uint64(byte * 0x0101010101010101) for byte in (0x10, 0x30, 0x76, 0x80, 0xFF)
)
_WHOLE_BYTES = 0x78
_PAIRS, _OUTER, _INNER = np.uint64(0x000000FF000000FF), np.uint64(0x000F424000000064), np.uint64(0x0000271000000001)


def parse_words(text: Bytes, begin: int, limit: int, out: _Numbers, done: int) -> tuple[int, int, bool]:
    """The numbers of `text` that begin in [begin, limit) into `out` from `done` on: (place after them, done, wide).

    `text` goes on for 32 bytes from `limit` on; a number that does not end in it is not read. The place is -1 where they
    are more than `out`, one is malformed, or too many are not plainly spelt. `wide` is whether any is beyond PLAIN_LIMIT.
    """
    wide = False
    while begin >= 0 and begin < limit:
        begin, done, some = _parse_some(text, begin, min(begin + _STRETCH, limit), out, done)
        wide |= some
    return begin, done, wide


def _parse_some(text: Bytes, begin: int, limit: int, out: _Numbers, done: int) -> tuple[int, int, bool]:
    """`parse_words` of a stretch that is short enough for the second cache."""
    starts, ends = _tokens(text[: limit + _REACH], begin, limit)
    if done + len(starts) > len(out):
        return -1, done, False
    values = out[done : done + len(starts)]
    odd = np.flatnonzero(~_convert(text, starts, ends, values))
    if len(odd) > len(starts) // _FEW + _ALWAYS:
        return -1, done, False
    for number in odd:
        token = text[starts[number] : ends[number]].tobytes()
        if not _DECIMAL.fullmatch(token):
            return -1, done, False
        values[number] = float(token)
    wide = bool(np.any(np.abs(values[odd]) > PLAIN_LIMIT))
    after = int(ends[-1]) if len(ends) else begin
    # what is left over are blanks, or a token that goes on beyond what may be looked at, or a NUL, which is no blank
    strange = len(text[after:limit].tobytes().split()) > 0 or (text[begin:limit] == 0).any()
    return -1 if strange else max(after, limit), done + len(starts), wide


def _tokens(text: Bytes, begin: int, limit: int) -> tuple[_Places, _Places]:
    """Where what is no blank begins in [begin, limit), and the places after it; one that is cut off is left out."""
    above = text[begin:] > _SPACE
    ends = np.flatnonzero(above[:-1] > above[1:]) + (begin + 1)
    starts = np.empty_like(ends)
    starts[:1], starts[1:] = begin, ends[:-1]
    starts += text[starts] <= _SPACE
    if (text[starts] <= _SPACE).any():  # more than one blank somewhere
        starts = np.flatnonzero(above[:-1] < above[1:]) + (begin + 1)
        starts = np.concatenate(([begin], starts)) if above[0] else starts
    count = min(len(ends), int(np.searchsorted(starts, limit)))
    return starts[:count], ends[:count]


def _convert(text: Bytes, starts: _Places, ends: _Places, out: _Numbers) -> npt.NDArray[np.bool_]:
    """Fill `out` [N] with the numbers that are spelt plainly, and say which are: up to 7 digits, a point, up to 8 digits."""
    words: _Words = np.ndarray((len(text) - 7,), dtype="<u8", buffer=text.data, strides=(1,))
    minus = text[starts] == _MINUS
    first = starts + minus
    word = words[first]
    # the bit 0x10 is set in digits, and in no sign, point or letter e
    other = ~word & _DIGIT_BIT
    before = np.bitwise_count((other & -other) - _ONE).astype(np.int64) & _WHOLE_BYTES
    points = first + (before >> 3)
    digits = ends - points
    plain = (text[points] == _DOT) & (before > 0) & (before < 64) & (digits > 1) & (digits <= 9)
    points += 1
    whole = (word ^ _ZEROS) << (64 - before).view(np.uint64)
    part = (words[points] ^ _ZEROS) & (_ALL >> (72 - (digits << 3)).view(np.uint64))
    if max(whole.view(np.uint8).max(initial=0), part.view(np.uint8).max(initial=0)) > 9:
        plain &= (((whole + _OVER_NINE) | whole | (part + _OVER_NINE) | part) & _HIGH) == 0
    np.divide(_eight_digits(whole) * 1e8 + _eight_digits(part), 1e8, out=out)
    np.negative(out, out=out, where=minus)
    return plain


def _eight_digits(digits: _Words) -> _Numbers:
    """The numbers of which `digits` hold one decimal place a byte, the highest in the lowest byte; see `bvh_lanes`."""
    twos = digits * _TEN + (digits >> _EIGHT)
    return ((((twos & _PAIRS) * _OUTER) + (((twos >> _SIXTEEN) & _PAIRS) * _INNER)) >> _THIRTY_TWO).astype(np.float64)
