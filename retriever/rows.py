"""Rows of a memory-mapped array by the positions of a pool: read when they are asked for, never copied as a whole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
At = slice | npt.NDArray[np.int64]
"""Positions in a pool: all of them as a slice, or ascending ones."""


class Rows:
    """`array[row]` [S, D], of which only what is indexed is read. array: [N, D]; row: [S] ascending."""

    def __init__(self, array: Float32Array, row: npt.NDArray[np.int64]) -> None:
        self._array = array
        self._row = row

    def __len__(self) -> int:
        return len(self._row)

    def __getitem__(self, at: At) -> Float32Array:
        return np.asarray(self._array[self._row[at]], dtype=np.float32)


class Squares:
    """Squared lengths [S] of rows, worked out for what is indexed."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: At) -> npt.NDArray[np.float64]:
        found = self._rows[at]
        return np.einsum("ij,ij->i", found, found, dtype=np.float64)
