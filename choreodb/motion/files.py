"""Whole motion files in and out: one gate for reading, atomic replacement for writing."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from io import RawIOBase
from pathlib import Path

import numpy as np
import numpy.typing as npt

from choreodb.errors import ChoreoError, MotionFormatError

StrPath = str | os.PathLike[str]

MAX_VALUE = 1e9
"""Largest length or angle, in any unit, that a motion file may hold; beyond it arithmetic would overflow."""


def regular_file(path: StrPath) -> Path:
    """`path` as a Path where it names a regular, non-empty file; MotionFormatError otherwise.

    Pipes and devices are refused, because reading one may never end.
    """
    path = Path(path)
    try:
        state = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MotionFormatError(f"{path}: cannot be read ({reason}); expected a motion file") from None
    if not stat.S_ISREG(state.st_mode):
        raise MotionFormatError(f"{path}: is not a regular file; expected a motion file")
    if state.st_size == 0:
        raise MotionFormatError(f"{path}: is empty; expected a motion file")
    return path


def read_bytes(path: StrPath) -> bytes:
    """All bytes of the regular, non-empty file `path`; MotionFormatError where there is none to read."""
    path = regular_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise MotionFormatError(f"{path}: cannot be read ({error.strerror}); expected a motion file") from None


@contextlib.contextmanager
def opened(path: StrPath) -> Iterator[tuple[RawIOBase, int]]:
    """The regular, non-empty file `path`, open and unbuffered, and its bytes; MotionFormatError where there is none to read."""
    path = regular_file(path)
    try:
        with open(path, "rb", buffering=0) as file:
            yield file, os.fstat(file.fileno()).st_size
    except OSError as error:
        raise MotionFormatError(f"{path}: cannot be read ({error.strerror}); expected a motion file") from None


def read_buffer(path: StrPath) -> npt.NDArray[np.uint8]:
    """`read_bytes` into an array, for which the system has larger pages than for bytes: long files are read sooner."""
    with opened(path) as (file, size):
        buffer = np.empty(size, dtype=np.uint8)
        filled = 0
        while filled < len(buffer) and (count := file.readinto(buffer[filled:].data)):
            filled += count
    return buffer[:filled]


def write_bytes(path: StrPath, *parts: bytes | memoryview) -> None:
    """See `write_parts`."""
    write_parts(path, parts)


def write_parts(path: StrPath, parts: Iterable[bytes | memoryview]) -> None:
    """Write `parts`, one after another as they are made, so that a reader sees the old file or the whole new one, never a piece.

    Raises ChoreoError where the folder is missing or not writable; nothing is left behind then.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(draft, "wb") as file:
            for part in parts:
                file.write(part)
        os.replace(draft, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        if not isinstance(error, OSError):
            raise
        raise ChoreoError(f"{path}: cannot be written ({error.strerror}); choose a writable folder") from None
