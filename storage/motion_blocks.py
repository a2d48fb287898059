"""Blocks: up to 256 frames of one motion as a row of the motion table, plain or compact, and back."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from choreodb.errors import StoreError
from choreodb.storage import compact
from choreodb.storage.tables import MOTION

BLOCK_FRAMES = 256
PLAIN_SCHEMA = pa.schema([column.remove_metadata() for column in MOTION])
DATA = ("rotations", "root", "contacts", "face", "packing")

MotionArrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.uint8]]
Packing = Literal["float32", "compact"]
PACKINGS: tuple[Packing, ...] = ("float32", "compact")


def blocks(
    motion_key: str,
    rotations: npt.NDArray[np.floating],
    root: npt.NDArray[np.floating],
    contacts: npt.NDArray[np.integer] | npt.NDArray[np.bool_],
    face: npt.NDArray[np.floating] | None = None,
    packing: Packing = "float32",
) -> pa.Table:
    """Rows of the motion table for one clip.

    rotations: [T, J, 4] local unit quaternions. root: [T, 3] metres. contacts: [T, 4] of 0 and 1. face: [T, F] weights
    of the clip's face channels, None (or F = 0) without any. packing: `float32` loses nothing, `compact` keeps what
    the errors of `compact` allow.
    """
    frames, joints = _check(motion_key, rotations, root, contacts)
    if face is not None and (face.ndim != 2 or len(face) != frames):
        raise StoreError(f"motion {motion_key!r}: face has shape {face.shape}; expected ({frames}, channels)")
    firsts = np.arange(0, frames, BLOCK_FRAMES, dtype=np.int32)
    lengths = np.minimum(BLOCK_FRAMES, frames - firsts).astype(np.int32)
    faces = None if face is None or face.shape[1] == 0 else face
    if packing == "compact":
        columns = _compact_columns(rotations, root, faces, firsts, lengths)
    else:
        columns = [_binary(values.astype("<f4", copy=False), firsts, lengths) for values in (rotations, root)]
        columns.append(_nothing(firsts) if faces is None else _binary(faces.astype("<f4", copy=False), firsts, lengths))
    return pa.Table.from_arrays(
        [
            pa.array([motion_key] * len(firsts), pa.string()),
            pa.array(firsts),
            pa.array(lengths),
            pa.array(np.full(len(firsts), joints, dtype=np.int32)),
            *columns[:2],
            _binary(contacts.astype(np.uint8, copy=False), firsts, lengths),
            columns[2],
            pa.array(["compact" if packing == "compact" else None] * len(firsts), pa.string()),
        ],
        schema=PLAIN_SCHEMA,
    )


def _nothing(firsts: npt.NDArray[np.int32]) -> pa.Array:
    return pa.nulls(len(firsts), pa.large_binary())


def _compact_columns(
    rotations: npt.NDArray[Any],
    root: npt.NDArray[Any],
    face: npt.NDArray[Any] | None,
    firsts: npt.NDArray[np.int32],
    lengths: npt.NDArray[np.int32],
) -> list[pa.Array]:
    """Rotations, root and face, packed block by block."""
    parts = [slice(first, first + length) for first, length in zip(firsts, lengths, strict=True)]
    packed = [
        [compact.pack_rotations(rotations[part]).tobytes() for part in parts],
        [compact.pack_values(root[part], compact.POSITION_STEP_M).tobytes() for part in parts],
    ]
    if face is None:
        return [*(pa.array(column, pa.large_binary()) for column in packed), _nothing(firsts)]
    packed.append([compact.pack_values(face[part], compact.WEIGHT_STEP).tobytes() for part in parts])
    return [pa.array(column, pa.large_binary()) for column in packed]


def as_stored(
    rotations: npt.NDArray[np.float32], root: npt.NDArray[np.float32], packing: Packing
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Rotations [T, J, 4] and root [T, 3] as they will be read back."""
    if packing == "float32":
        return rotations, root
    frames, joints = rotations.shape[:2]
    turned = compact.unpack_rotations(compact.pack_rotations(rotations), frames, joints)
    moved = compact.unpack_values(
        compact.pack_values(root, compact.POSITION_STEP_M), frames, 3, compact.POSITION_STEP_M
    )
    return turned, moved


def decode(row: dict[str, Any], frames: int, joints: int) -> MotionArrays:
    """Rotations [frames, joints, 4], root [frames, 3] and contacts [frames, 4] of a row of `DATA` as buffers.

    StoreError that says what does not fit, without the file's name.
    """
    contacts = _plain(row, "contacts", (frames, 4), np.dtype("u1"))
    if _packing(row) == "float32":
        rotations = _plain(row, "rotations", (frames, joints, 4), np.dtype("<f4"))
        return rotations, _plain(row, "root", (frames, 3), np.dtype("<f4")), contacts
    turned = compact.unpack_rotations(_bytes(row, "rotations", 6 * joints * frames), frames, joints)
    root = compact.unpack_values(_bytes(row, "root", 12 * frames), frames, 3, compact.POSITION_STEP_M)
    return turned, root, contacts


def decode_face(row: dict[str, Any], frames: int) -> npt.NDArray[np.float32] | None:
    """Face weights [frames, F] of a row, None where it has none; raises as `decode`."""
    data = row["face"]
    if data is None:
        return None
    channels = data.size // (4 * frames)
    data = _bytes(row, "face", 4 * frames * max(channels, 1))
    if _packing(row) == "compact":
        return compact.unpack_values(data, frames, channels, compact.WEIGHT_STEP)
    return np.frombuffer(data, dtype="<f4").reshape(frames, channels)


def _packing(row: dict[str, Any]) -> Packing:
    packing = row["packing"]
    if packing not in (None, "compact"):
        raise StoreError(f"packing of a block is {packing!r}, which this ChoreoDB does not know")
    return "compact" if packing else "float32"


def _bytes(row: dict[str, Any], name: str, expected: int) -> Any:
    data = row[name]
    if data is None or data.size != expected:
        raise StoreError(f"{name} of a block has {data.size if data else 0} bytes, expected {expected}")
    return data


def _plain(row: dict[str, Any], name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    data = _bytes(row, name, int(np.prod(shape)) * dtype.itemsize)
    return np.frombuffer(data, dtype=dtype).reshape(shape)


def _check(
    motion_key: str, rotations: npt.NDArray[Any], root: npt.NDArray[Any], contacts: npt.NDArray[Any]
) -> tuple[int, int]:
    frames = len(rotations)
    if rotations.ndim != 3 or rotations.shape[2] != 4 or frames == 0:
        raise StoreError(f"motion {motion_key!r}: rotations have shape {rotations.shape}; expected (T, J, 4), T > 0")
    if root.shape != (frames, 3) or contacts.shape != (frames, 4):
        raise StoreError(
            f"motion {motion_key!r}: root {root.shape} and contacts {contacts.shape} do not fit {frames} frames; "
            f"expected ({frames}, 3) and ({frames}, 4)"
        )
    return frames, int(rotations.shape[1])


def _binary(values: npt.NDArray[Any], firsts: npt.NDArray[np.int32], lengths: npt.NDArray[np.int32]) -> pa.Array:
    """Cut the frames of `values` into one large_binary value a block, without a copy per block."""
    flat = np.ascontiguousarray(values)
    stride = flat[0].nbytes
    offsets = np.append(firsts.astype(np.int64), firsts[-1] + int(lengths[-1])) * stride
    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(flat)]
    return pa.Array.from_buffers(pa.large_binary(), len(firsts), buffers)
