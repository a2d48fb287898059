"""Fold: a checksum at the speed of memory, so that a file that was damaged on the disk is found before its first use.

Parquet pages carry checksums of their own; raw arrays and indexes do not. A sha256 of gigabytes takes seconds, this takes a
few tenths: 64-bit words are summed in 512 columns, and the sums are hashed. It finds every change of one byte or word and
nearly every other accident (lost, zeroed, stale pages); against intent there is the sha256, which `verify` takes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.errors import StoreError
from choreodb.storage.manifest import FileEntry

COLUMNS = 512
_ROW_BYTES = 8 * COLUMNS
_CHUNK = 1024 * _ROW_BYTES

_good: set[tuple[int, int, int, int, str]] = set()


class Fold:
    """The fold of bytes that come in pieces."""

    def __init__(self) -> None:
        self._sums = np.zeros(COLUMNS, dtype=np.uint64)
        self._rest = b""

    def update(self, piece: bytes | memoryview) -> None:
        """Take in the next bytes."""
        data = memoryview(self._rest + bytes(piece) if self._rest else piece)
        whole = len(data) // _ROW_BYTES * _ROW_BYTES
        if whole:
            self._sums += _columns(data[:whole])
        self._rest = bytes(data[whole:])

    def hexdigest(self) -> str:
        """16 hexadecimal digits; the last row is filled up with zeros, which a file's length tells from its own."""
        sums = self._sums
        if self._rest:
            sums = sums + _columns(self._rest + bytes(_ROW_BYTES - len(self._rest)))
        return hashlib.sha256(sums.astype("<u8").tobytes()).hexdigest()[:16]


def _columns(data: bytes | memoryview) -> npt.NDArray[np.uint64]:
    words = np.frombuffer(data, dtype="<u8").reshape(-1, COLUMNS)
    return np.asarray(words.sum(axis=0, dtype=np.uint64))


def refuse_damage(entry: FileEntry, path: Path) -> None:
    """StoreError where the bytes at `path` are not those of `entry`; a file that was found sound is not read again.

    By the fold of its entry, or by its sha256 where an earlier version wrote the entry.
    """
    try:
        state = os.stat(path)
        known = (state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size, entry.sha256)
        if known in _good:
            return
        found = _digest(path, by_fold=entry.fold is not None)
    except OSError as error:
        raise StoreError(f"{entry.path} cannot be read: {error.strerror or error}; try again or restore it") from None
    expected = entry.sha256 if entry.fold is None else entry.fold
    if found != expected:
        kind = "sha256" if entry.fold is None else "fold"
        raise StoreError(
            f"{entry.path} is damaged: its {kind} is {found[:12]}..., expected {expected[:12]}...; restore it"
            + ("" if entry.path.startswith("models/") else ", or make it again: choreodb verify --repair")
        )
    _good.add(known)


def _digest(path: Path, *, by_fold: bool) -> str:
    digest = Fold() if by_fold else hashlib.sha256()
    buffer = bytearray(_CHUNK)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(memoryview(buffer)[:count])
    return digest.hexdigest()
