"""The motion table: canonical motion in blocks of 256 frames, a few blocks to a row group, so that a bar reads little."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from choreodb.errors import StoreError
from choreodb.storage.commit import publish_draft
from choreodb.storage.folder import writing
from choreodb.storage.manifest import FileEntry
from choreodb.storage.place import Draft, Place, at
from choreodb.storage.tables import MOTION

BLOCK_FRAMES = 256
BLOCKS_PER_GROUP = 4
PART_BYTES = 256 << 20
CACHE_BYTES = 128 << 20

MotionArrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.uint8]]

_KEYS = ("motion_key", "first_frame", "frames", "joints")
_DATA = ("rotations", "root", "contacts")
_FACE = "face"
_PLAIN_SCHEMA = pa.schema([column.remove_metadata() for column in MOTION])


def blocks(
    motion_key: str,
    rotations: npt.NDArray[np.floating],
    root: npt.NDArray[np.floating],
    contacts: npt.NDArray[np.integer] | npt.NDArray[np.bool_],
    face: npt.NDArray[np.floating] | None = None,
) -> pa.Table:
    """Rows of the motion table for one clip.

    rotations: [T, J, 4] local unit quaternions. root: [T, 3] metres. contacts: [T, 4] of 0 and 1. face: [T, F] weights
    of the clip's face channels, None (or F = 0) without any.
    """
    frames, joints = _check(motion_key, rotations, root, contacts)
    if face is not None and (face.ndim != 2 or len(face) != frames):
        raise StoreError(f"motion {motion_key!r}: face has shape {face.shape}; expected ({frames}, channels)")
    firsts = np.arange(0, frames, BLOCK_FRAMES, dtype=np.int32)
    lengths = np.minimum(BLOCK_FRAMES, frames - firsts).astype(np.int32)
    return pa.Table.from_arrays(
        [
            pa.array([motion_key] * len(firsts), pa.string()),
            pa.array(firsts),
            pa.array(lengths),
            pa.array(np.full(len(firsts), joints, dtype=np.int32)),
            _binary(rotations.astype("<f4", copy=False), firsts, lengths),
            _binary(root.astype("<f4", copy=False), firsts, lengths),
            _binary(contacts.astype(np.uint8, copy=False), firsts, lengths),
            pa.nulls(len(firsts), pa.large_binary())
            if face is None or face.shape[1] == 0
            else _binary(face.astype("<f4", copy=False), firsts, lengths),
        ],
        schema=_PLAIN_SCHEMA,
    )


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


@dataclass(slots=True)
class _Part:
    """An open part: its draft, the writer on it and the rows that wait for a full row group."""

    draft: Draft
    writer: pq.ParquetWriter
    rows: int = 0
    bytes: int = 0
    waiting: list[pa.Table] = field(default_factory=list)


class MotionWriter:
    """Streams the motion of many clips into Parquet parts of a library, with a row group in memory at a time.

    Use it as a context, and hand `parts` to `Store.commit(append_motion=...)`. A key that was added before is left out.

    >>> with MotionWriter(store.place) as writer:                    # doctest: +SKIP
    ...     writer.add(key, rotations, root, contacts)
    >>> store = store.commit(append_motion=writer.parts, tables=tables)  # doctest: +SKIP
    """

    def __init__(self, library: Place | Path | str, *, part_bytes: int = PART_BYTES) -> None:
        self.parts: tuple[FileEntry, ...] = ()
        self._place = at(library)
        self._part_bytes = part_bytes
        self._keys: set[str] = set()
        self._part: _Part | None = None
        self._full: list[_Part] = []
        self._stack = ExitStack()

    def __enter__(self) -> MotionWriter:
        self._stack.enter_context(self._place.changing())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abandon_part()
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack, writing(f"{self._place}/tables"):
            self._finish_part()
            # parts get their names at the very end, so that an error half way leaves nothing behind
            self.parts = tuple(
                publish_draft(self._place, part.draft, "tables/motion", ".parquet", part.rows) for part in self._full
            )

    def add(
        self,
        motion_key: str,
        rotations: npt.NDArray[np.floating],
        root: npt.NDArray[np.floating],
        contacts: npt.NDArray[np.integer] | npt.NDArray[np.bool_],
        face: npt.NDArray[np.floating] | None = None,
    ) -> None:
        """Append one clip's motion; shapes as in `blocks`."""
        if motion_key not in self._keys:
            self.add_table(blocks(motion_key, rotations, root, contacts, face))

    def add_table(self, rows: pa.Table) -> None:
        """Append rows made by `blocks`, of one or several clips whose keys are new to this writer."""
        self._keys.update(rows.column("motion_key").unique().to_pylist())
        with writing(f"{self._place}/tables"):
            part = self._part or self._open_part()
            part.waiting.append(rows)
            part.bytes += rows.nbytes
            self._write_groups(part, everything=False)
            if part.bytes >= self._part_bytes:
                self._finish_part()

    def _open_part(self) -> _Part:
        draft = self._stack.enter_context(self._place.draft("tables"))
        # floats of motion hardly compress, and plain pages are read at memory speed
        writer = pq.ParquetWriter(
            draft.file, _PLAIN_SCHEMA, compression="none", use_dictionary=False, write_statistics=False, version="2.6"
        )
        self._part = _Part(draft, writer)
        return self._part

    def _write_groups(self, part: _Part, *, everything: bool) -> None:
        rows = pa.concat_tables(part.waiting) if part.waiting else _PLAIN_SCHEMA.empty_table()
        stop = len(rows) if everything else len(rows) // BLOCKS_PER_GROUP * BLOCKS_PER_GROUP
        for first in range(0, stop, BLOCKS_PER_GROUP):
            part.writer.write_table(rows.slice(first, min(BLOCKS_PER_GROUP, stop - first)).combine_chunks())
        part.rows += stop
        part.waiting = [rows.slice(stop)] if stop < len(rows) else []

    def _abandon_part(self) -> None:
        if self._part is not None:
            # a writer left open writes its footer when it is collected, into a file that is closed by then
            with suppress(OSError, pa.ArrowException):
                self._part.writer.close()
            self._part.writer.is_open = False
            self._part = None

    def _finish_part(self) -> None:
        if self._part is not None:
            self._write_groups(self._part, everything=True)
            self._part.writer.close()
            self._full.append(self._part)
            self._part = None


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block lies: part and row group, row in the group; and the frames it covers."""

    part: int
    group: int
    row: int
    first: int
    frames: int
    joints: int


class MotionReader:
    """Random access to the motion of a library, through a cache of decoded row groups."""

    def __init__(self, paths: Sequence[tuple[str, Path]]) -> None:
        self._names = [name for name, _ in paths]
        self._files = [open_parquet(name, path) for name, path in paths]
        self._blocks = _lookup(self._names, self._files)
        self._cache: OrderedDict[tuple[int, int], pa.Table] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()

    @property
    def keys(self) -> Mapping[str, tuple[Block, ...]]:
        """Blocks of every motion key, by first frame."""
        return self._blocks

    def read(self, motion_key: str, first: int, stop: int) -> MotionArrays:
        """The frames [first, stop) of a motion; StoreError where they are not all there."""
        wanted = self._wanted(motion_key, first, stop)
        joints = wanted[0].joints
        rotations = np.empty((stop - first, joints, 4), dtype=np.float32)
        root = np.empty((stop - first, 3), dtype=np.float32)
        contacts = np.empty((stop - first, 4), dtype=np.uint8)
        for block in wanted:
            parts = self._decode(block, joints)
            lo, hi = max(block.first, first), min(block.first + block.frames, stop)
            into, source = slice(lo - first, hi - first), slice(lo - block.first, hi - block.first)
            rotations[into], root[into], contacts[into] = (values[source] for values in parts)
        return rotations, root, contacts

    def read_face(self, motion_key: str, first: int, stop: int) -> npt.NDArray[np.float32] | None:
        """Face weights [T, F] of the frames [first, stop) of a motion; None where it has none. Raises StoreError."""
        parts: list[npt.NDArray[np.float32]] = []
        for block in self._wanted(motion_key, first, stop):
            table = self._group(block.part, block.group)
            data = table.column(_FACE)[block.row].as_buffer() if _FACE in table.column_names else None
            if data is None:
                return None
            whole = data.size % (4 * block.frames) == 0
            weights: npt.NDArray[np.float32] = np.frombuffer(data if whole else b"", dtype="<f4")
            if weights.size == 0 or (parts and weights.size != block.frames * parts[0].shape[1]):
                raise StoreError(
                    f"{self._names[block.part]} is damaged: face of a block has {data.size} bytes, expected 4 a channel "
                    f"for {block.frames} frames; restore it or index the source again"
                )
            lo, hi = max(block.first, first), min(block.first + block.frames, stop)
            parts.append(weights.reshape(block.frames, -1)[lo - block.first : hi - block.first])
        return np.concatenate(parts)

    def _wanted(self, motion_key: str, first: int, stop: int) -> list[Block]:
        """The blocks that hold the frames [first, stop) of a motion; StoreError where they are not all there."""
        wanted = [
            block
            for block in self._blocks.get(motion_key, ())
            if block.first < stop and block.first + block.frames > first
        ]
        if not wanted or sum(min(b.first + b.frames, stop) - max(b.first, first) for b in wanted) != stop - first:
            where = ", ".join(self._names) or "the library"
            raise StoreError(
                f"frames {first} to {stop} of motion {motion_key!r} are not in {where}; index the source again"
            )
        return wanted

    def _decode(self, block: Block, joints: int) -> MotionArrays:
        table = self._group(block.part, block.group)
        shapes = ((block.frames, joints, 4), (block.frames, 3), (block.frames, 4))
        arrays = []
        for name, shape in zip(_DATA, shapes, strict=True):
            dtype: np.dtype[Any] = np.dtype("u1" if name == "contacts" else "<f4")
            data = table.column(name)[block.row].as_buffer()
            expected = int(np.prod(shape)) * dtype.itemsize
            if data is None or data.size != expected:
                raise StoreError(
                    f"{self._names[block.part]} is damaged: {name} of a block has {data.size if data else 0} bytes, "
                    f"expected {expected}; restore it or index the source again"
                )
            arrays.append(np.frombuffer(data, dtype=dtype).reshape(shape))
        rotations, root, contacts = arrays
        return rotations, root, contacts

    def _group(self, part: int, group: int) -> pa.Table:
        with self._lock:
            if (part, group) in self._cache:
                self._cache.move_to_end((part, group))
                return self._cache[part, group]
            try:
                table = self._files[part].read_row_group(group, columns=[*_DATA, _FACE], use_threads=False)
            except (pa.ArrowException, OSError, ValueError, KeyError) as error:
                raise damaged(self._names[part], error) from None
            self._cache[part, group] = table
            self._cached_bytes += table.nbytes
            while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
                self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
            return table


def open_parquet(name: str, path: Path) -> pq.ParquetFile:
    """Open a Parquet file memory-mapped; StoreError naming `name` where it is none."""
    try:
        return pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(name, error) from None


def damaged(name: str, error: Exception) -> StoreError:
    """The error for a file that cannot be parsed."""
    why = " ".join(str(error).split())[:160]
    return StoreError(f"{name} is damaged: {why}; restore it or index the source again")


def keys_of(name: str, path: Path) -> set[str]:
    """The motion keys that a part holds."""
    return {str(row[0]) for row in _key_rows(name, open_parquet(name, path))}


def _key_rows(name: str, file: pq.ParquetFile) -> Iterator[tuple[Any, ...]]:
    try:
        table = file.read(columns=list(_KEYS), use_threads=False)
        if table.schema.names != list(_KEYS):
            raise ValueError(f"columns are {table.schema.names}, expected {list(_KEYS)}")
        return zip(*(table.column(key).to_pylist() for key in _KEYS), strict=True)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise damaged(name, error) from None


def _lookup(names: Sequence[str], files: Sequence[pq.ParquetFile]) -> dict[str, tuple[Block, ...]]:
    found: dict[str, list[Block]] = {}
    for part, (name, file) in enumerate(zip(names, files, strict=True)):
        metadata = file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        places = [(group, row) for group, size in enumerate(sizes) for row in range(size)]
        for (group, row), (key, first, frames, joints) in zip(places, _key_rows(name, file), strict=True):
            found.setdefault(key, []).append(Block(part, group, row, first, frames, joints))
    return {key: tuple(sorted(rows, key=lambda block: block.first)) for key, rows in found.items()}
