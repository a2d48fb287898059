"""The numbers of a long MOTION block: four places of it read at once, eight digits at a time.

A BVH is millions of short decimals such as `-12.3456`. One after another they keep a processor waiting for where the
next begins; four of them side by side do not, and digits that have been found are turned into numbers many at once.
That happens in stretches that stay in the second cache. What is not spelt plainly (exponents, more than seven digits
before the point or eight behind it) is read by `bvh_kernel`, number by number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numba import njit

from choreodb.motion.bvh_kernel import POWERS, Bytes, read_number
from choreodb.motion.bvh_words import PLAIN_LIMIT
from choreodb.motion.machine_words import load_word, trailing_zeros

LANES = 4
STRETCH = 1 << 17
"""Bytes that the lanes share; what is found in them is converted before the next."""
ROOM = STRETCH // LANES // 2 + 2
"""Numbers that one lane can find in a stretch: each has a digit and a blank, and the last may begin at its end."""

_SPACE, _MINUS, _DOT = 32, 45, 46

_Word = np.uint64
_ONE, _THREE, _EIGHT, _SIXTEEN, _THIRTY_TWO, _SIXTY_THREE, _SIXTY_FOUR = (
    _Word(value) for value in (1, 3, 8, 16, 32, 63, 64)
)
_ZEROS, _DIGIT_BIT, _HIGH = _Word(0x3030303030303030), _Word(0x1010101010101010), _Word(0x8080808080808080)
_OVER_NINE = _Word(0x7676767676767676)
_TEN, _BYTE, _WHOLE_BYTES, _ALL = _Word(10), _Word(0xFF), _Word(0x78), _Word(0xFFFFFFFFFFFFFFFF)
_PAIRS, _OUTER, _INNER = _Word(0x000000FF000000FF), _Word(0x000F424000000064), _Word(0x0000271000000001)
_NOTHING, _ROOM = _Word(0), _Word(ROOM)
_LONGEST = _Word(18)  # bytes of a plain number and the blank behind it

_Words = npt.NDArray[np.uint64]
_Places = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, inline="always")
def _beyond_digits(word: np.uint64) -> np.uint64:
    """Bits of `word` before the first byte that cannot be a digit, 0, 8, ... 64: digits have the bit 0x10."""
    return _Word(trailing_zeros(~word & _DIGIT_BIT)) & _WHOLE_BYTES


@njit(cache=True, nogil=True, inline="always")
def _eight_digits(digits: np.uint64) -> np.uint64:
    """The number of which `digits` holds one decimal place a byte, the highest in the lowest byte.

    Source: D. Lemire, "Quickly parsing eight digits", 2018.
    """
    twos = (digits << _THREE) + (digits << _ONE) + (digits >> _EIGHT)
    return (((twos & _PAIRS) * _OUTER) + (((twos >> _SIXTEEN) & _PAIRS) * _INNER)) >> _THIRTY_TWO


@njit(cache=True, nogil=True, inline="always")
def _find(text: Bytes, at: np.uint64) -> tuple[bool, np.uint64, np.uint64, np.uint64]:
    """The plain number that begins at `at`: (whether it may be one, bytes before and behind the point, place after it).

    Digits are 0 to 9 a byte, those before the point up to the highest byte, those behind it from the lowest byte on. The
    lowest bit before the point, where no digit reaches, is the number's sign. Whether the bytes are digits `_convert`
    finds out for many of them at once, and whether there are any on both sides of the point.
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
    # one less than a NUL is the highest byte, so that it ends no number
    ended = np.uint8(text[end] - np.uint8(1)) < _SPACE
    return (point == _Word(_DOT)) & ended, whole | minus, part, end + _ONE


@njit(cache=True, nogil=True, inline="always")
def _skip(text: Bytes, at: np.uint64, end: np.uint64) -> np.uint64:
    """The place of the first byte from `at` on that is no blank, `end` at most."""
    while at < end and text[at] <= _SPACE and text[at] != 0:
        at += _ONE
    return at


@njit(cache=True, nogil=True)
def _next_blank(text: Bytes, at: int) -> int:
    """The place of the first blank from `at` on; the end where there is none."""
    while at < text.shape[0] and text[at] > _SPACE:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _set_aside(text: Bytes, at: np.uint64, slot: int, found: _Words, odd: _Places, odds: int) -> np.uint64:
    """Note that the number for `slot` of `found` begins at `at` and is not plain; the place after it."""
    found[0, slot] = _NOTHING
    found[1, slot] = _NOTHING
    odd[odds, 0] = slot
    odd[odds, 1] = at
    return _Word(max(_next_blank(text, np.int64(at)), np.int64(at) + 1))


@njit(cache=True, nogil=True)
def _find_together(text: Bytes, at: _Words, ends: _Words, found: _Words, odd: _Places) -> tuple[int, int]:
    """Numbers of all lanes, from `at` [LANES] on, until one of them is near its end: (how many each, how many are odd).

    Lane l fills the slots from l * ROOM on of `found`, and `at` moves. The numbers of `odd` are (slot, place).
    """
    count, odds = _NOTHING, 0
    while True:
        rounds = _ALL
        for lane in range(LANES):
            at[lane] = _skip(text, at[lane], ends[lane])
            rounds = min(rounds, (max(ends[lane], at[lane]) - at[lane]) // _LONGEST)
        if rounds == _NOTHING:
            return int(np.int64(count)), odds
        more, good = _find_plain(text, at, found, count, rounds)
        count += more
        # none at all: a NUL, which is no blank either
        if not good or more == _NOTHING:
            for lane in range(LANES):
                slot = np.int64(count) + lane * ROOM
                good, found[0, slot], found[1, slot], after = _find(text, at[lane])
                if not good:
                    after = _set_aside(text, at[lane], slot, found, odd, odds)
                    odds += 1
                at[lane] = after
            count += _ONE


@njit(cache=True, nogil=True)
def _find_plain(text: Bytes, at: _Words, found: _Words, first: np.uint64, rounds: np.uint64) -> tuple[np.uint64, bool]:
    """Up to `rounds` numbers of every lane, until one follows a second blank: how many; False where one is not plain."""
    at0, at1, at2, at3 = at[0], at[1], at[2], at[3]
    whole, part = found[0], found[1]
    good, count = True, _NOTHING
    while count < rounds:
        if text[at0] <= _SPACE or text[at1] <= _SPACE or text[at2] <= _SPACE or text[at3] <= _SPACE:
            break
        slot0 = first + count
        slot1, slot2, slot3 = slot0 + _ROOM, slot0 + _ROOM + _ROOM, slot0 + _ROOM + _ROOM + _ROOM
        good0, whole[slot0], part[slot0], next0 = _find(text, at0)
        good1, whole[slot1], part[slot1], next1 = _find(text, at1)
        good2, whole[slot2], part[slot2], next2 = _find(text, at2)
        good3, whole[slot3], part[slot3], next3 = _find(text, at3)
        good = good0 & good1 & good2 & good3
        if not good:
            break
        at0, at1, at2, at3 = next0, next1, next2, next3
        count += _ONE
    at[0], at[1], at[2], at[3] = at0, at1, at2, at3
    return count, good


@njit(cache=True, nogil=True)
def _find_rest(
    text: Bytes, at: np.uint64, end: np.uint64, slot: int, found: _Words, odd: _Places, odds: int
) -> tuple[np.uint64, int, int]:
    """Numbers of one lane from `at` to its end, into `slot` and those behind it: (place after them, next slot, odds)."""
    while True:
        at = _skip(text, at, end)
        if at >= end:
            return at, slot, odds
        good, found[0, slot], found[1, slot], after = _find(text, at)
        if not good:
            after = _set_aside(text, at, slot, found, odd, odds)
            odds += 1
        at = after
        slot += 1


@njit(cache=True, nogil=True)
def _convert(whole: _Words, part: _Words, out: _Numbers) -> bool:
    """Numbers [N] from what `_find` found; False where it was no digits. The only rounding is that of the division."""
    wrong = _NOTHING
    for place in range(out.shape[0]):
        first, second = whole[place] & ~_ONE, part[place]
        wrong |= (first + _OVER_NINE) | first | (second + _OVER_NINE) | second
        before = np.float64(np.int64(_eight_digits(first)))
        behind = np.float64(np.int64(_eight_digits(second)))
        value = (before * 1e8 + behind) / 1e8
        out[place] = -value if whole[place] & _ONE else value
    return wrong & _HIGH == _NOTHING


@njit(cache=True, nogil=True)
def _start_lanes(text: Bytes, begin: int, stop: int, at: _Words, ends: _Words) -> None:
    """Share the numbers that begin in [begin, stop) among the lanes: each but the first starts at a blank."""
    at[0] = begin
    for lane in range(1, LANES):
        edge = _next_blank(text, max(begin + (stop - begin) * lane // LANES, np.int64(at[lane - 1])))
        at[lane] = edge
        ends[lane - 1] = edge
    ends[LANES - 1] = max(_Word(stop), at[LANES - 1])


def lanes() -> Callable[[Bytes, int, int, _Numbers, int], tuple[int, int, bool]]:
    """A reader of numbers, for one file: `bvh_words.parse_words`, several times as fast, and for every spelling.

    A number that ends where the text does is read as far as it goes; the place after it is then the text's end.
    """
    found, odd = np.empty((2, LANES * ROOM), dtype=np.uint64), np.empty((LANES * ROOM, 2), dtype=np.int64)

    def parse(text: Bytes, begin: int, limit: int, out: _Numbers, done: int) -> tuple[int, int, bool]:
        return _parse_lanes(text, begin, limit, out, done, POWERS, found, odd)

    return parse


@njit(cache=True, nogil=True)
def _parse_lanes(
    text: Bytes, begin: int, limit: int, out: _Numbers, done: int, powers: _Numbers, found: _Words, odd: _Places
) -> tuple[int, int, bool]:
    """What `lanes` promises; `powers` is POWERS, `found` [2, LANES * ROOM] and `odd` [LANES * ROOM, 2] are scratch."""
    at, ends = np.empty(LANES, dtype=np.uint64), np.empty(LANES, dtype=np.uint64)
    first = np.empty(LANES, dtype=np.int64)
    wide = False
    while begin < limit:
        before = done
        _start_lanes(text, begin, min(begin + STRETCH, limit), at, ends)
        together, odds = _find_together(text, at, ends, found, odd)
        plain = True
        for lane in range(LANES):
            start = lane * ROOM
            at[lane], slot, odds = _find_rest(text, at[lane], ends[lane], start + together, found, odd, odds)
            count = slot - start
            if done + count > out.shape[0]:
                return -1, done, wide
            plain &= _convert(found[0, start:slot], found[1, start:slot], out[done : done + count])
            first[lane] = done - start
            done += count
        begin, stop = (int(np.int64(at[LANES - 1])), 0) if plain else (begin, int(np.int64(at[LANES - 1])))
        for number in range(odds if plain else 0):
            value, end = read_number(text, odd[number, 1], powers)
            if end < 0 or not _ends(text, end):
                return -1, done, wide
            slot = odd[number, 0]
            out[first[slot // ROOM] + slot] = value
            wide |= abs(value) > PLAIN_LIMIT
        if not plain:
            begin, done, some = _parse_each(text, begin, stop, out, before, powers)
            wide |= some
            if begin < 0:
                return -1, done, wide
    return begin, done, wide


@njit(cache=True, nogil=True)
def _ends(text: Bytes, place: int) -> bool:
    """Whether no number goes on at `place`."""
    return place >= text.shape[0] or (text[place] <= _SPACE and text[place] != 0)


@njit(cache=True, nogil=True)
def _parse_each(
    text: Bytes, begin: int, limit: int, out: _Numbers, done: int, powers: _Numbers
) -> tuple[int, int, bool]:
    """What `lanes` promises, one number after another."""
    wide = False
    at = _Word(begin)
    while True:
        at = _skip(text, at, _Word(limit))
        if at >= limit:
            return int(np.int64(at)), done, wide
        value, end = read_number(text, np.int64(at), powers)
        if end < 0 or done >= out.shape[0] or not _ends(text, end):
            return -1, done, wide
        out[done] = value
        wide |= abs(value) > PLAIN_LIMIT
        done += 1
        at = _Word(end)
