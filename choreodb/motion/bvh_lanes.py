"""The numbers of a long MOTION block: four places of it read at once, eight digits at a time.

A BVH is millions of short decimals such as `-12.3456`. One after another they keep a processor waiting for where the
next begins; four of them side by side do not, and digits that have been found are turned into numbers many at once.
What is not spelt plainly (exponents, no point, more than seven digits before it or eight behind it) is read by
`bvh_kernel`, a batch at a time.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numba import njit

from choreodb.motion.bvh_kernel import Bytes, parse_numbers, read_number
from choreodb.motion.machine_words import load_word, trailing_zeros

LANES = 4
BATCH = 256
"""Numbers that every lane finds before they are converted: their words stay in the first cache."""
SHORTEST = 1 << 14
"""Bytes below which splitting does not pay."""

_AHEAD = 40  # numbers left over, so that no word is loaded beyond the text
_PATIENCE = 8  # batches that are read number by number after one that was not plain
_SPACE, _MINUS, _DOT, _LAST_ASCII = 32, 45, 46, 127
_LITTLE = sys.byteorder == "little"

_Word = np.uint64
_ONE, _THREE, _EIGHT, _SIXTEEN, _THIRTY_TWO, _SIXTY_THREE, _SIXTY_FOUR = (
    _Word(value) for value in (1, 3, 8, 16, 32, 63, 64)
)
_ZEROS, _DIGIT_BIT, _HIGH = _Word(0x3030303030303030), _Word(0x1010101010101010), _Word(0x8080808080808080)
_OVER_NINE = _Word(0x7676767676767676)
_TEN, _BYTE, _WHOLE_BYTES, _ALL = _Word(10), _Word(0xFF), _Word(0x78), _Word(0xFFFFFFFFFFFFFFFF)
_PAIRS, _OUTER, _INNER = _Word(0x000000FF000000FF), _Word(0x000F424000000064), _Word(0x0000271000000001)
_SIGN = _Word(0x8000000000000000)


def parse_block(text: Bytes, out: npt.NDArray[np.float64], powers: npt.NDArray[np.float64]) -> tuple[int, int]:
    """`bvh_kernel.parse_numbers`, several times as fast on long blocks; the same results for every text."""
    if _LITTLE and text.shape[0] >= SHORTEST:
        count = _parse_lanes(text, out, powers)
        if count >= 0:
            return count, -1
    return parse_numbers(text, out, powers)


@njit(cache=True, nogil=True, inline="always")
def _is_strange(byte: int) -> bool:
    return (byte == 0) | (byte > _LAST_ASCII)


@njit(cache=True, nogil=True)
def _count_numbers(text: Bytes) -> int:
    """How many runs of bytes above a blank `text` holds; -1 where it holds a NUL or a byte beyond ASCII."""
    now, before = text[1:], text[:-1]
    count = 1 if text[0] > _SPACE else 0
    strange = np.uint8(_is_strange(text[0]))
    # counted in bytes, a stretch at a time, so that a machine word takes as many of them as it can
    for begin in range(0, now.shape[0], 255):
        some = np.uint8(0)
        for at in range(np.uint64(begin), np.uint64(min(begin + 255, now.shape[0]))):
            some = np.uint8(some + np.uint8((now[at] > _SPACE) & (before[at] <= _SPACE)))
            strange = np.uint8(strange | np.uint8(_is_strange(now[at])))
        count += int(some)
    return -1 if strange else count


@njit(cache=True, nogil=True, inline="always")
def _beyond_digits(word: np.uint64) -> np.uint64:
    """Bits of `word` before the first byte that cannot be a digit, 0, 8, ... 64: digits have the bit 0x10."""
    return _Word(trailing_zeros(~word & _DIGIT_BIT)) & _WHOLE_BYTES


@njit(cache=True, nogil=True, inline="always")
def _eight_digits(digits: np.uint64) -> np.uint64:
    """The number of which `digits` holds one decimal place a byte, the highest in the lowest byte.

    Source: D. Lemire, "Quickly parsing eight digits", 2018.
    """
    twos = digits * _TEN + (digits >> _EIGHT)
    return (((twos & _PAIRS) * _OUTER) + (((twos >> _SIXTEEN) & _PAIRS) * _INNER)) >> _THIRTY_TWO


@njit(cache=True, nogil=True, inline="always")
def _find(text: Bytes, at: np.uint64) -> tuple[bool, np.uint64, np.uint64, np.uint64]:
    """The plain number that begins at `at`: (whether it may be one, bytes before and behind the point, place after it).

    Digits are 0 to 9 a byte, those behind the point from the lowest byte on; the highest bit of theirs is the number's
    sign. Whether the bytes are digits, and whether there are any, `_convert` finds out for many of them at once.
    """
    minus = _Word(text[at] == _MINUS)
    at += minus
    word = load_word(text, np.int64(at))
    before = _beyond_digits(word)
    whole = (word ^ _ZEROS) << ((_SIXTY_FOUR - before) & _SIXTY_THREE)
    behind = at + (before >> _THREE) + _ONE
    digits = load_word(text, np.int64(behind))
    bits = _beyond_digits(digits)
    part = (digits ^ _ZEROS) & (_ALL >> ((_SIXTY_FOUR - bits) & _SIXTY_THREE))
    end = behind + (bits >> _THREE)
    point = (word >> (before & _SIXTY_THREE)) & _BYTE
    return (point == _Word(_DOT)) & (text[end] <= _SPACE), whole, part ^ (minus << _SIXTY_THREE), end + _ONE


@njit(cache=True, nogil=True)
def _convert(whole: npt.NDArray[np.uint64], part: npt.NDArray[np.uint64], out: npt.NDArray[np.float64]) -> bool:
    """Numbers [N] from what `_find` found; False where it was no digits. The only rounding is that of the division."""
    wrong = _Word(0)
    for place in range(out.shape[0]):
        first, second = whole[place], part[place] & ~_SIGN
        wrong |= (first + _OVER_NINE) | first | (second + _OVER_NINE) | second
        before = np.float64(np.int64(_eight_digits(first)))
        behind = np.float64(np.int64(_eight_digits(second)))
        value = (before * 1e8 + behind) / 1e8
        out[place] = -value if part[place] >= _SIGN else value
    return wrong & _HIGH == _Word(0)


@njit(cache=True, nogil=True, error_model="numpy")
def _find_batch(
    text: Bytes, at: npt.NDArray[np.uint64], whole: npt.NDArray[np.uint64], part: npt.NDArray[np.uint64]
) -> bool:
    """BATCH numbers of every lane into `whole` and `part` [LANES, BATCH], from `at` [LANES] on, which moves.

    False where one of them is not plain; `at` has not moved then.
    """
    at0, at1, at2, at3 = at[0], at[1], at[2], at[3]
    for place in range(_Word(BATCH)):
        while text[at0] <= _SPACE:
            at0 += _ONE
        while text[at1] <= _SPACE:
            at1 += _ONE
        while text[at2] <= _SPACE:
            at2 += _ONE
        while text[at3] <= _SPACE:
            at3 += _ONE
        good0, whole[0, place], part[0, place], at0 = _find(text, at0)
        good1, whole[1, place], part[1, place], at1 = _find(text, at1)
        good2, whole[2, place], part[2, place], at2 = _find(text, at2)
        good3, whole[3, place], part[3, place], at3 = _find(text, at3)
        if not (good0 & good1 & good2 & good3):
            return False
    at[0], at[1], at[2], at[3] = at0, at1, at2, at3
    return True


@njit(cache=True, nogil=True)
def _parse_some(
    text: Bytes, at: npt.NDArray[np.uint64], lane: int, out: npt.NDArray[np.float64], powers: npt.NDArray[np.float64]
) -> bool:
    """Fill `out` with the next numbers of `lane`, however they are spelt; False where one is malformed."""
    place = np.int64(at[lane])
    for number in range(out.shape[0]):
        while text[place] <= _SPACE:
            place += 1
        out[number], place = read_number(text, place, powers)
        if place < 0 or text[place] > _SPACE:
            return False
    at[lane] = place
    return True


def _parse_lanes(text: Bytes, out: npt.NDArray[np.float64], powers: npt.NDArray[np.float64]) -> int:
    """How many numbers `text` holds, all of them in `out`; -1 where they are more than `out`, or one is malformed."""
    edges = [0]
    for lane in range(1, LANES):
        edges.append(_next_blank(text, max(text.shape[0] * lane // LANES, edges[-1])))
    edges.append(text.shape[0])
    if min(end - begin for begin, end in pairwise(edges)) == 0:
        return -1
    counts = [_count_numbers(text[begin:end]) for begin, end in pairwise(edges)]
    first = np.cumsum([0, *counts])
    if min(counts) < 0 or first[-1] > out.shape[0]:
        return -1
    at, done = np.array(edges[:LANES], dtype=np.uint64), first[:LANES].copy()
    batches = (min(counts) - _AHEAD) // BATCH
    if not _parse_batches(text, at, batches, done, out, powers):
        return -1
    for lane in range(LANES):
        rest = text[int(at[lane]) : edges[lane + 1]]
        if parse_numbers(rest, out[done[lane] : first[lane + 1]], powers) != (first[lane + 1] - done[lane], -1):
            return -1
    return int(first[-1])


@njit(cache=True, nogil=True)
def _next_blank(text: Bytes, at: int) -> int:
    """The place of the first blank from `at` on; the end where there is none."""
    while at < text.shape[0] and text[at] > _SPACE:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _parse_batches(
    text: Bytes, at: npt.NDArray[np.uint64], batches: int, done: npt.NDArray[np.int64], out: npt.NDArray[np.float64],
    powers: npt.NDArray[np.float64],
) -> bool:  # fmt: skip
    """Read `batches` of every lane, which go on at `at` [LANES] and have `done` [LANES] numbers; False if one is malformed."""
    whole = np.empty((LANES, BATCH), dtype=np.uint64)
    part = np.empty((LANES, BATCH), dtype=np.uint64)
    before = np.empty(LANES, dtype=np.uint64)
    wait = 0
    for _ in range(batches):
        plain = wait == 0
        if plain:
            for lane in range(LANES):
                before[lane] = at[lane]
            plain = _find_batch(text, at, whole, part)
            for lane in range(LANES):
                plain = plain and _convert(whole[lane], part[lane], out[done[lane] : done[lane] + BATCH])
        if not plain:
            if wait == 0:
                wait = _PATIENCE
                for lane in range(LANES):
                    at[lane] = before[lane]
            wait -= 1
            for lane in range(LANES):
                if not _parse_some(text, at, lane, out[done[lane] : done[lane] + BATCH], powers):
                    return False
        for lane in range(LANES):
            done[lane] += BATCH
    return True
