"""The motion table: canonical motion in blocks of 256 frames, a few blocks to a row group, so that a bar reads little."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from choreodb.errors import StoreError
from choreodb.storage.commit import publish_draft
from choreodb.storage.folder import writing
from choreodb.storage.manifest import FileEntry
from choreodb.storage.motion_blocks import BLOCK_FRAMES as BLOCK_FRAMES
from choreodb.storage.motion_blocks import DATA, PLAIN_SCHEMA, Packing, decode, decode_face
from choreodb.storage.motion_blocks import MotionArrays as MotionArrays
from choreodb.storage.motion_blocks import blocks as blocks
from choreodb.storage.place import Draft, Place, at

BLOCKS_PER_GROUP = 4
PART_BYTES = 256 << 20
CACHE_BYTES = 128 << 20
_LEVEL = 9

_KEYS = ("motion_key", "first_frame", "frames", "joints")


@dataclass(slots=True)
class _Part:
    """An open part: its draft, the writer on it and the rows that wait for a full row group."""

    draft: Draft
    writer: pq.ParquetWriter
    rows: int = 0
    bytes: int = 0
    packed: bool = False
    waiting: list[pa.Table] = field(default_factory=list)


class MotionWriter:
    """Streams the motion of many clips into Parquet parts of a library, with a row group in memory at a time.

    Use it as a context, and hand `parts` to `Store.commit(append_motion=...)`. A key that was added before is left out.

    >>> with MotionWriter(store.place) as writer:                    # doctest: +SKIP
    ...     writer.add(key, rotations, root, contacts)
    >>> store = store.commit(append_motion=writer.parts, tables=tables)  # doctest: +SKIP
    """

    def __init__(
        self, library: Place | Path | str, *, part_bytes: int = PART_BYTES, packing: Packing = "float32"
    ) -> None:
        self.parts: tuple[FileEntry, ...] = ()
        self._place = at(library)
        self._part_bytes = part_bytes
        self._packing: Packing = packing
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
            self.add_table(blocks(motion_key, rotations, root, contacts, face, self._packing))

    def add_table(self, rows: pa.Table) -> None:
        """Append rows made by `blocks`, of one or several clips whose keys are new to this writer."""
        self._keys.update(rows.column("motion_key").unique().to_pylist())
        with writing(f"{self._place}/tables"):
            packed = rows.column("packing").null_count < len(rows)
            if self._part is not None and self._part.packed != packed:
                self._finish_part()
            part = self._part or self._open_part(packed)
            part.waiting.append(rows)
            part.bytes += rows.nbytes
            self._write_groups(part, everything=False)
            if part.bytes >= self._part_bytes:
                self._finish_part()

    def _open_part(self, packed: bool) -> _Part:
        draft = self._stack.enter_context(self._place.draft("tables"))
        # floats of motion hardly compress, and plain pages are read at memory speed; packed planes are made for it
        compression = {"compression": "zstd", "compression_level": _LEVEL} if packed else {"compression": "none"}
        writer = pq.ParquetWriter(
            draft.file,
            PLAIN_SCHEMA,
            use_dictionary=False,
            write_statistics=False,
            version="2.6",
            write_page_checksum=True,
            **compression,
        )
        self._part = _Part(draft, writer, packed=packed)
        return self._part

    def _write_groups(self, part: _Part, *, everything: bool) -> None:
        rows = pa.concat_tables(part.waiting) if part.waiting else PLAIN_SCHEMA.empty_table()
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
        self.bytes_read = 0
        """Bytes of the row groups that were read from the files, as they lie there; what the cache had does not count."""
        self._lock = threading.Lock()

    @property
    def keys(self) -> Mapping[str, tuple[Block, ...]]:
        """Blocks of every motion key, by first frame."""
        return self._blocks

    def frames(self, motion_key: str) -> int:
        """Frames of a motion, 0 where there is none."""
        found = self._blocks.get(motion_key, ())
        return found[-1].first + found[-1].frames if found else 0

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
            row = self._row(block)
            with self._naming(block):
                weights = decode_face(row, block.frames)
                if weights is None:
                    return None
                if parts and weights.shape[1] != parts[0].shape[1]:
                    raise StoreError(f"face of a block has {weights.shape[1]} channels, expected {parts[0].shape[1]}")
            lo, hi = max(block.first, first), min(block.first + block.frames, stop)
            parts.append(weights[lo - block.first : hi - block.first])
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

    def _row(self, block: Block) -> dict[str, Any]:
        """The buffers of a block, and how they are packed; null where the file has no such column."""
        table = self._group(block.part, block.group)
        row: dict[str, Any] = dict.fromkeys(DATA)
        for name in table.column_names:
            cell = table.column(name)[block.row]
            row[name] = cell.as_py() if name == "packing" else cell.as_buffer()
        return row

    @contextmanager
    def _naming(self, block: Block) -> Iterator[None]:
        """Put the file's name in front of what is wrong with a block."""
        try:
            yield
        except StoreError as error:
            raise StoreError(
                f"{self._names[block.part]} is damaged: {error}; restore it or index the source again"
            ) from None

    def _decode(self, block: Block, joints: int) -> MotionArrays:
        row = self._row(block)
        with self._naming(block):
            return decode(row, block.frames, joints)

    def _group(self, part: int, group: int) -> pa.Table:
        with self._lock:
            if (part, group) in self._cache:
                self._cache.move_to_end((part, group))
                return self._cache[part, group]
            try:
                table = self._files[part].read_row_group(group, columns=list(DATA), use_threads=False)
            except (pa.ArrowException, OSError, ValueError, KeyError) as error:
                raise damaged(self._names[part], error) from None
            metadata = self._files[part].metadata.row_group(group)
            self.bytes_read += sum(metadata.column(at).total_compressed_size for at in range(metadata.num_columns))
            self._cache[part, group] = table
            self._cached_bytes += table.nbytes
            while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
                self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
            return table


def open_parquet(name: str, path: Path | pa.BufferReader) -> pq.ParquetFile:
    """Open a Parquet file memory-mapped; StoreError naming `name` where it is none."""
    try:
        return pq.ParquetFile(path, memory_map=True, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(name, error) from None


def damaged(name: str, error: Exception) -> StoreError:
    """The error for a file that cannot be parsed."""
    why = " ".join(str(error).split())[:160]
    return StoreError(f"{name} is damaged: {why}; restore it or index the source again")


def row_groups(name: str, path: Path, keys: Collection[str]) -> Iterator[pa.Table]:
    """The rows of a part that are of these keys, a row group at a time, with all columns of the motion table.

    Only row groups that hold one of the keys are read. StoreError where the part is damaged.
    """
    file = open_parquet(name, path)
    wanted = pa.array(sorted(keys), pa.string())
    known = frozenset(keys)
    for group in sorted({group for group, _, facts in _placed(name, file) if facts[0] in known}):
        try:
            rows = file.read_row_group(group, use_threads=False)
            for column in PLAIN_SCHEMA:
                if column.name not in rows.column_names and column.nullable:
                    rows = rows.append_column(column, pa.nulls(len(rows), column.type))
            rows = rows.select(PLAIN_SCHEMA.names).cast(PLAIN_SCHEMA)
            yield rows.filter(pc.is_in(rows.column("motion_key"), value_set=wanted))
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise damaged(name, error) from None


def keys_of(name: str, path: Path | pa.BufferReader) -> set[str]:
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


def _placed(name: str, file: pq.ParquetFile) -> Iterator[tuple[int, int, tuple[Any, ...]]]:
    """Row group, row in it and the values of `_KEYS` of every row of a part."""
    metadata = file.metadata
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    places = [(group, row) for group, size in enumerate(sizes) for row in range(size)]
    rows = list(_key_rows(name, file))
    if len(rows) != len(places):
        raise damaged(name, ValueError(f"it has {len(rows)} rows where its groups have {len(places)}"))
    return ((group, row, facts) for (group, row), facts in zip(places, rows, strict=True))


def _lookup(names: Sequence[str], files: Sequence[pq.ParquetFile]) -> dict[str, tuple[Block, ...]]:
    found: dict[str, list[Block]] = {}
    for part, (name, file) in enumerate(zip(names, files, strict=True)):
        for group, row, (key, first, frames, joints) in _placed(name, file):
            found.setdefault(key, []).append(Block(part, group, row, first, frames, joints))
    return {key: tuple(sorted(rows, key=lambda block: block.first)) for key, rows in found.items()}
