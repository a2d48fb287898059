"""The numbers of a MOTION block read from a file piece by piece: the text never fills more than the second cache."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import RawIOBase

import numpy as np
import numpy.typing as npt

PIECE = 1 << 18
"""Bytes that are read at once, to a place and from one where a memory page begins: that is copied twice as fast."""
LEFT = 1 << 16
"""Room before them for what was left of the piece before."""
PAD = 64
"""Bytes that readers may look beyond the numbers they read."""
WORTH_COMPILING = 1 << 28
"""Bytes of a file from which on loading numba pays."""

_PAGE = 1 << 12

Bytes = npt.NDArray[np.uint8]
_Numbers = npt.NDArray[np.float64]
Parse = Callable[[Bytes, int, int, _Numbers, int], tuple[int, int, bool]]


def new_buffer() -> Bytes:
    """Room for what was left of a piece, the next piece from LEFT on, and blanks behind the last."""
    whole = np.empty(LEFT + PIECE + PAD + _PAGE, dtype=np.uint8)
    return whole[-whole.ctypes.data % _PAGE :][: LEFT + PIECE + PAD]


def read_piece(file: RawIOBase, buffer: Bytes) -> int:
    """Fill `buffer`, a `new_buffer`, from LEFT on, and say up to where; up to LEFT at the end of the file."""
    filled = LEFT
    while filled < LEFT + PIECE and (count := file.readinto(buffer[filled : LEFT + PIECE].data)):
        filled += count
    return filled


def compiled(size: int) -> bool:
    """Whether compiled loops are soonest done with a file of `size` bytes: where numba is loaded, or worth it."""
    return "numba" in sys.modules or size >= WORTH_COMPILING


def parser(size: int) -> Parse | None:
    """What reads numbers soonest from a file of `size` bytes in this process; None on machines that turn bytes around."""
    if sys.byteorder != "little":
        return None
    if compiled(size):
        from choreodb.motion.bvh_lanes import lanes

        return lanes()
    from choreodb.motion.bvh_words import parse_words

    return parse_words


def read_numbers(
    file: RawIOBase, buffer: Bytes, begin: int, filled: int, out: _Numbers, parse: Parse
) -> tuple[int, bool] | None:
    """How many numbers follow, all of them in `out`, and whether any may be beyond `bvh_words.PLAIN_LIMIT`.

    They begin with `buffer[begin:filled]` and go on in `file`. None where they are more than `out`, or one is malformed or
    spelt in a way that `parse` does not read.
    """
    done, wide, ended = 0, False, filled < LEFT + PIECE
    while True:
        if ended:
            buffer[filled : filled + PAD] = ord(" ")
        limit = filled if ended else filled - PAD
        place, done, some = parse(buffer[: limit + PAD], begin, limit, out, done)
        wide |= some
        if ended and place >= 0:
            return done, wide
        # a number that is longer than the room for it, or cut off, is none that anybody writes
        if place < 0 or place >= filled or filled - place > LEFT:
            return None
        begin = LEFT - (filled - place)
        buffer[begin:LEFT] = buffer[place:filled]
        filled = read_piece(file, buffer)
        ended = filled < LEFT + PIECE
