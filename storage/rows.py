"""Rows: those of an array put in other places, and those of a column of texts told apart by numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]

MEMORY_BYTES = 256 << 20
"""A larger array is made in a file: those of a large library may be larger than the memory."""

_BLOCK_ROWS = 1 << 14


def moved(old: npt.NDArray[Any], number: Ints, total: int, file: Path) -> npt.NDArray[Any]:
    """An array [total, D] with row i of `old` [S, D] at `number[i]`, and nowhere where that is -1; other rows are not set.

    file: where a large one is made; what is in it must stay until the array is no longer needed.
    """
    shape = (total, old.shape[1])
    out: npt.NDArray[Any]
    if np.prod(shape) * old.itemsize > MEMORY_BYTES:
        out = np.lib.format.open_memmap(file, mode="w+", dtype=old.dtype, shape=shape)
    else:
        out = np.empty(shape, dtype=old.dtype)
    kept = np.flatnonzero(number >= 0)
    for first in range(0, len(kept), _BLOCK_ROWS):
        rows = kept[first : first + _BLOCK_ROWS]
        out[number[rows]] = old[rows]
    return out


def text_codes(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """A column of texts as numbers, and the texts that they stand for."""
    whole = column.combine_chunks()
    whole = (whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole).dictionary_encode()
    return np.asarray(whole.indices.to_numpy(), dtype=np.int64), whole.dictionary.to_pylist()
