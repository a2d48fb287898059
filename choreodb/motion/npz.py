"""NumPy archives: opened without trusting them, told apart by their keys, and written with fixed bytes."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.files import StrPath, regular_file, write_bytes
from choreodb.motion.motion import Motion

Array = npt.NDArray[Any]

MAX_BYTES = 2 * 2**30
"""Largest total of unpacked arrays that is read from one file: more than ten hours of canonical motion."""

MAX_NUMBERS, NUMBERS_PER_BYTE = 2**25, 8
"""Most numbers that an archive may unpack to: 2 ** 25, or 8 for every byte of the file where that is more. Packed zeros
take next to no room in a file, and each of them up to 30 bytes of memory as motion."""

_DAMAGED = (
    ValueError, TypeError, SyntaxError, KeyError, EOFError, OSError, OverflowError, RuntimeError, NotImplementedError,
    zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, MemoryError,
)  # fmt: skip
_LABELS = {
    "style": "style", "music_start": "music_start_s", "performer": "performer", "licence": "licence",
    "license": "licence",
}  # fmt: skip


def load(path: StrPath, *, fps: float | None = None) -> Motion:
    """The motion in an `.npz` or `.npy` file: SMPL-family poses, joint positions (key `joints`) or feature arrays.

    `fps` overrides the file's. Raises MotionFormatError, listing the keys found, where it is none of them.
    """
    from choreodb.motion import feature_arrays, positions, smpl

    if Path(path).suffix.lower() == ".npy":
        shape = read_array(path).shape
        flat = len(shape) == 2 or (len(shape) == 3 and shape[0] == 1 and shape[2] > 3)
        return feature_arrays.load(path, fps=fps) if flat else positions.load(path, fps=fps)
    found = keys(path)
    if "joints" in found:
        return positions.load(path, fps=fps)
    if smpl.holds_poses(found):
        return smpl.load(path, fps=fps)
    if set(feature_arrays.KEYS) & set(found):
        return feature_arrays.load(path, fps=fps)
    listed = ", ".join(found[:12]) or "none"
    raise MotionFormatError(f"{path}: holds the keys {listed}; expected 'joints' (positions) or 'poses' (AMASS)")


def keys(path: StrPath) -> tuple[str, ...]:
    """Names of the arrays in the archive `path`, in file order; MotionFormatError where it is none."""
    path = regular_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy"))
    except _DAMAGED as error:
        raise MotionFormatError(f"{path}: is not a NumPy archive ({_reason(error)})") from None


def read_arrays(path: StrPath, wanted: Iterable[str] | None = None) -> dict[str, Array]:
    """The arrays `wanted` (all by default) that the archive `path` holds; those it lacks are left out.

    Nothing is unpickled; object arrays are refused by name. Declared sizes are checked against the bytes that are
    there and against MAX_BYTES before memory is taken. Raises MotionFormatError.
    """
    path = regular_file(path)
    chosen = None if wanted is None else set(wanted)
    arrays: dict[str, Array] = {}
    left, numbers = MAX_BYTES, max(MAX_NUMBERS, NUMBERS_PER_BYTE * path.stat().st_size)
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                name = info.filename.removesuffix(".npy")
                if not info.filename.endswith(".npy") or (chosen is not None and name not in chosen):
                    continue
                if name in arrays:
                    raise MotionFormatError(f"holds the array {name!r} twice; expected it once")
                with archive.open(info) as file:
                    arrays[name] = _read_array(file, name, info.file_size, left, numbers)
                left -= info.file_size
                numbers -= arrays[name].size
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None
    except _DAMAGED as error:
        raise MotionFormatError(f"{path}: is not a NumPy archive, or a damaged one ({_reason(error)})") from None
    return arrays


def read_array(path: StrPath) -> Array:
    """The array in the `.npy` file `path`, under the same precautions as `read_arrays`."""
    path = regular_file(path)
    try:
        with open(path, "rb") as file:
            return _read_array(file, path.name, path.stat().st_size, MAX_BYTES, MAX_BYTES)
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None
    except _DAMAGED as error:
        raise MotionFormatError(f"{path}: is not a NumPy array, or a damaged one ({_reason(error)})") from None


def labels(path: StrPath) -> dict[str, str | float]:
    """`style`, `music_start_s`, `performer` and `licence` as far as the archive `path` states them."""
    out: dict[str, str | float] = {}
    for key, array in read_arrays(path, _LABELS).items():
        if array.size != 1:
            continue
        value = array.reshape(-1)[0].item()
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if key == "music_start":
            if isinstance(value, (int, float)) and math.isfinite(value):
                out[_LABELS[key]] = float(value)
        elif str(value).strip():
            out[_LABELS[key]] = str(value).strip()
    return out


def write_arrays(path: StrPath, arrays: dict[str, Array]) -> None:
    """Write `arrays` as an uncompressed `.npz`; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # ZipInfo's own default date is 1980, not now; the system is fixed so that machines agree
            info = zipfile.ZipInfo(f"{name}.npy")
            info.create_system = 3
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array, order="C"), allow_pickle=False)
            archive.writestr(info, content.getbuffer())
    write_bytes(path, buffer.getbuffer())


def scalar(arrays: dict[str, Array], names: Iterable[str], path: StrPath) -> float | None:
    """The first of `names` that `arrays` holds, as a finite number; None where it holds none of them."""
    for name in names:
        if name not in arrays:
            continue
        array = arrays[name]
        if array.size != 1 or array.dtype.kind not in "iuf" or not np.all(np.isfinite(array)):
            raise MotionFormatError(f"{path}: {name!r} is {array.dtype} {array.shape}; expected one finite number")
        return float(array.reshape(-1)[0])
    return None


def checked_text(array: Array, name: str) -> Array:
    """`array` where its text, if it is any, is Unicode; MotionFormatError otherwise: Python fails on it much later."""
    if array.dtype.kind == "U" and array.size and array.dtype.itemsize:
        letters = np.ascontiguousarray(array).reshape(-1).view(np.uint32)
        if np.any((letters > 0x10FFFF) | ((letters >= 0xD800) & (letters < 0xE000))):
            raise MotionFormatError(f"array {name!r} holds text that is no Unicode; it is damaged")
    return array


def _read_array(file: IO[bytes], name: str, size: int, left: int, numbers: int) -> Array:
    """One array of at most `left` bytes and `numbers` numbers from `file`, which holds `size` bytes."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise MotionFormatError(f"array {name!r} holds Python objects; expected plain numbers, save it without pickle")
    if dtype.kind not in "biufSU":
        raise MotionFormatError(f"array {name!r} has type {dtype}; expected numbers or text")
    expected = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or expected > size:
        raise MotionFormatError(f"array {name!r} declares {shape} {dtype} but holds {size} bytes; it is cut off")
    if expected > left:
        raise MotionFormatError(f"array {name!r} unpacks to {expected} bytes; expected at most {MAX_BYTES} in a file")
    if math.prod(shape) > numbers:
        raise MotionFormatError(f"array {name!r} unpacks to {math.prod(shape)} numbers; expected at most {numbers}")
    content = file.read(expected)
    if len(content) != expected:
        raise MotionFormatError(f"array {name!r} holds {len(content)} of {expected} bytes; it is cut off")
    array = np.frombuffer(content, dtype=dtype) if expected else np.empty(0, dtype=dtype)
    array = array.reshape(shape, order="F" if fortran else "C")
    return checked_text(array.astype(dtype.newbyteorder("="), copy=False), name)


def _reason(error: Exception) -> str:
    """First line of what `error` says, kept short."""
    return (str(error).splitlines() or [""])[0][:80] or type(error).__name__
