"""Store: one pinned version of a library on disk; it reads tables, arrays and motion, and commits the next version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tokenize import TokenError
from types import MappingProxyType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from choreodb import __version__
from choreodb.errors import ConflictError, StoreError
from choreodb.storage import commit as commits
from choreodb.storage import manifest as manifests
from choreodb.storage import virtual
from choreodb.storage.fold import refuse_damage
from choreodb.storage.folder import FolderPlace
from choreodb.storage.manifest import ArrayEntry, FileEntry, Manifest
from choreodb.storage.motion_table import (
    MotionArrays,
    MotionReader,
    MotionWriter,
    damaged,
    keys_of,
    open_parquet,
)
from choreodb.storage.place import Place, at
from choreodb.storage.tables import ARRAY_DTYPES, ARRAYS, OPTIONAL_COLUMNS, SCHEMAS

_ROW_GROUP = 1 << 16
_ATTEMPTS = 100


class Store:
    """A library folder, read at one version. Make one with `Store.open` or `Store.create`.

    A version's files do not change, and `vacuum` leaves alone what a Store is open at. `commit` returns the Store of
    the new version.
    """

    def __init__(self, place: Place | Path | str, manifest: Manifest, pin: object | None = None) -> None:
        self.place = at(place)
        self.manifest = manifest
        self._pin = pin
        self._columns: dict[tuple[str, str], pa.ChunkedArray] = {}
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._motion: MotionReader | None = None
        self._clips: dict[str, tuple[str, int, float | None]] | None = None
        self._faces: dict[str, tuple[str, ...]] | None = None

    def __repr__(self) -> str:
        return f"Store({str(self.place)!r}, version={self.version}, segments={self.manifest.rows('segments')})"

    @staticmethod
    def exists(path: Place | Path | str) -> bool:
        """Whether there is a library."""
        return bool(manifests.versions(at(path)))

    @staticmethod
    def versions(path: Place | Path | str) -> tuple[int, ...]:
        """Versions that can be opened, ascending."""
        return tuple(manifests.versions(at(path)))

    @classmethod
    def create(cls, path: Place | Path | str) -> Store:
        """An empty store (version 0) for a new library; the first commit writes it.

        StoreError where the folder is already a library, or holds anything that is not ours.
        """
        place = at(path)
        if cls.exists(place):
            raise StoreError(f"{str(place)!r} already is a library; open it, or choose another folder")
        _check_free(place)
        return cls(place, Manifest())

    @classmethod
    def open(cls, path: Place | Path | str, version: int | str | None = None) -> Store:
        """The library at `path`, at its highest version or at `version`, a number or a tag.

        StoreError where there is none, where it is newer than this code, or where a file is missing or damaged.
        """
        place = at(path)
        for _ in range(_ATTEMPTS):
            number = resolve(place, version)
            try:
                pin = place.pin(f"manifests/{manifests.file_name(number)}")
            except FileNotFoundError:
                # a vacuum was faster; there is a newer version, or this one is gone
                continue
            except OSError:
                # whatever is wrong with the file, reading it says so
                pin = None
            manifest = manifests.load(place, number)
            for entry in manifest.files():
                manifests.check(place, entry)
            return cls(place, manifest, pin)
        raise ConflictError(f"library {str(place)!r} changes faster than it can be opened; try again")

    @property
    def path(self) -> Path:
        """The library's folder; StoreError where it lies in an object store."""
        if not isinstance(self.place, FolderPlace):
            raise StoreError(f"library {str(self.place)!r} is no folder of this machine, which is needed here")
        return self.place.folder

    @property
    def name(self) -> str:
        """The last part of the library's address."""
        return self.place.name

    @property
    def version(self) -> int:
        """The version this store is pinned to; 0 is an empty library that is not on disk yet."""
        return self.manifest.version

    @property
    def meta(self) -> dict[str, Any]:
        """What the indexer wrote beside the tables; a copy."""
        return dict(self.manifest.meta)

    @property
    def encoder(self) -> dict[str, str]:
        """`name` and `sha256` of the encoder that made the embeddings; empty where none was stated."""
        return dict(self.manifest.encoder)

    def table(self, name: str) -> pa.Table:
        """A whole table, with the schema of `tables.SCHEMAS[name]`; empty where the library has no rows of it."""
        return self.columns(name, SCHEMAS[_known(name, SCHEMAS)].names)

    def columns(self, name: str, columns: Sequence[str]) -> pa.Table:
        """Some columns of a table, in the order asked for; only these are read."""
        schema = SCHEMAS[_known(name, SCHEMAS)]
        for column in columns:
            if column not in schema.names:
                raise StoreError(f"table {name!r} has no column {column!r}; it has {', '.join(schema.names)}")
        missing = [column for column in columns if (name, column) not in self._columns]
        if missing:
            table = self._read(name, missing)
            self._columns.update({(name, column): table.column(column) for column in missing})
        fields = [schema.field(column).remove_metadata() for column in columns]
        return pa.Table.from_arrays([self._columns[name, column] for column in columns], schema=pa.schema(fields))

    def array(self, name: str) -> npt.NDArray[Any]:
        """A read-only, memory-mapped array: `embeddings`, `entry`, `exit` or `travel`.

        StoreError where the library has none, or where its bytes are not those that were committed.
        """
        if name not in self._arrays:
            entry = self.manifest.arrays.get(name)
            if entry is None:
                known = ", ".join(sorted(self.manifest.arrays)) or "none"
                raise StoreError(f"library {str(self.place)!r} has no array {name!r}; it has {known}")
            self._arrays[name] = _map_array(self._sound(entry.file), entry)
        return self._arrays[name]

    def index_path(self, name: str) -> Path | None:
        """The file of a vector index, or None where the library has none of that name."""
        entry = self.manifest.index.get(name)
        return None if entry is None else self._sound(entry)

    def model(self, name: str) -> bytes | None:
        """The bytes of a model that the library carries, such as `encoder`; None where it carries none of that name."""
        entry = self.manifest.models.get(name)
        return None if entry is None else self._sound(entry).read_bytes()

    def read_motion(self, clip: str, first: int, stop: int) -> MotionArrays:
        """Frames [first, stop) of a clip as new arrays: rotations [T, J, 4], root [T, 3], contacts [T, 4]."""
        key, frames, rate = self._clip(clip)
        if not 0 <= first < stop <= frames:
            raise StoreError(f"clip {clip!r} has {frames} frames; asked for {first} to {stop}")
        read = partial(self.motion.read, key)
        if rate is None:
            return read(int(first), int(stop))
        return virtual.read_copy(read, self.motion.frames(key), rate, int(first), int(stop))

    def face_names(self, clip: str) -> tuple[str, ...]:
        """Names of the clip's face channels; empty where it has none."""
        self._clip(clip)
        if self._faces is None:
            table = self.columns("clips", ["clip", "face"])
            rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
            self._faces = {name: tuple(face) for name, face in rows if face}
        return self._faces.get(clip, ())

    def read_face(self, clip: str, first: int, stop: int) -> npt.NDArray[np.float32] | None:
        """Weights [T, F] of the clip's `face_names` in the frames [first, stop); None where it has none."""
        key, frames, rate = self._clip(clip)
        if not 0 <= first < stop <= frames:
            raise StoreError(f"clip {clip!r} has {frames} frames; asked for {first} to {stop}")
        names = self.face_names(clip)
        if not names:
            return None
        read = partial(self.motion.read_face, key)
        if rate is None:
            weights = read(int(first), int(stop))
        else:
            weights = virtual.read_copied_face(read, self.motion.frames(key), rate, int(first), int(stop))
        if weights is None or weights.shape[1] != len(names):
            found = 0 if weights is None else weights.shape[1]
            raise StoreError(
                f"clip {clip!r} names {len(names)} face channels, and its motion has {found}; index the source again"
            )
        return weights

    def read_many(self, requests: Iterable[tuple[str, int, int]]) -> list[MotionArrays]:
        """`read_motion` for every (clip, first, stop), in the order asked for."""
        return [self.read_motion(clip, first, stop) for clip, first, stop in requests]

    @property
    def motion(self) -> MotionReader:
        """The reader of the motion table, by motion key."""
        if self._motion is None:
            parts = self.manifest.tables.get("motion", ())
            self._motion = MotionReader([(part.path, self.locate(part)) for part in parts])
        return self._motion

    def commit(
        self,
        *,
        tables: Mapping[str, pa.Table] = MappingProxyType({}),
        append_motion: Iterable[pa.Table | FileEntry] | None = None,
        arrays: Mapping[str, npt.NDArray[Any]] = MappingProxyType({}),
        index: Mapping[str, bytes | Callable[[IO[bytes]], None]] | None = None,
        meta: Mapping[str, Any] | None = None,
        encoder: Mapping[str, str] | None = None,
        models: Mapping[str, bytes] | None = None,
        motion: Sequence[FileEntry] | None = None,
        change: Mapping[str, Any] = MappingProxyType({}),
    ) -> Store:
        """Write the next version and return it; this store stays as it is.

        tables: replaced whole, by name; others are kept. append_motion: rows made by `motion_table.blocks`, or the
        `parts` of a MotionWriter; parts whose keys no clip refers to any more are left out. arrays: replaced, by name.
        index: files by name, or what writes them, kept only while the embeddings stay. meta, encoder, models: replaced
        whole where given.
        motion: the parts of the motion table, replaced whole where given. change: what `log` says of this commit.
        ConflictError where another process committed first; StoreError where parts do not fit together, or where
        writing fails.
        """
        with self.place.changing():
            stored = dict(self.manifest.arrays)
            stored |= {name: self._write_array(name, array) for name, array in sorted(arrays.items())}
            kept = {} if "embeddings" in arrays else dict(self.manifest.index)
            manifest = Manifest(
                version=self.version + 1,
                parent=self.version or None,
                code_version=__version__,
                encoder=dict(self.manifest.encoder if encoder is None else encoder),
                meta=dict(self.manifest.meta if meta is None else meta),
                tables=self._write_tables(tables, append_motion or (), motion),
                arrays=stored,
                index=kept | {name: self._write_index(name, data) for name, data in sorted((index or {}).items())},
                models=self._write_models(models),
                change=dict(change),
            )
            return self._create(manifest)

    def commit_again(self, old: Manifest, change: Mapping[str, Any]) -> Store:
        """Write the next version with exactly the content of `old`, an earlier version; errors as of `commit`."""
        with self.place.changing():
            for entry in old.files():
                manifests.check(self.place, entry)
            manifest = replace(
                old, version=self.version + 1, parent=self.version, code_version=__version__, change=dict(change)
            )
            return self._create(manifest)

    def _create(self, manifest: Manifest) -> Store:
        """Commit a manifest and open it, before a vacuum can take it away."""
        _check_rows(manifest)
        commits.create_manifest(self.place, manifest)
        return type(self).open(self.place, manifest.version)

    def locate(self, entry: FileEntry) -> Path:
        """A path on this machine with the bytes of a file of this version; StoreError where it is missing or damaged."""
        return manifests.locate(self.place, entry)

    def _sound(self, entry: FileEntry) -> Path:
        """`locate` for files without checksums of their own: their bytes are compared with what was committed."""
        path = self.locate(entry)
        refuse_damage(entry, path)
        return path

    def _read(self, name: str, columns: Sequence[str]) -> pa.Table:
        schema = pa.schema([SCHEMAS[name].field(column).remove_metadata() for column in columns])
        optional = [column for column in columns if (name, column) in OPTIONAL_COLUMNS]
        files = self.manifest.tables.get(name, ())
        parts = [read_part(entry, self.locate(entry), schema, optional) for entry in files]
        return (pa.concat_tables(parts) if parts else schema.empty_table()).combine_chunks()

    def _clip(self, clip: str) -> tuple[str, int, float | None]:
        """Motion key, frames, and the rate where it is a virtual copy."""
        if self._clips is None:
            table = self.columns("clips", ["clip", "motion_key", "frames", "rate"])
            names, *facts = (column.to_pylist() for column in table.columns)
            self._clips = dict(zip(names, zip(*facts, strict=True), strict=True))
        if clip not in self._clips:
            some = ", ".join(list(self._clips)[:3]) or "none"
            raise StoreError(f"no clip {clip!r} in library {str(self.place)!r}; it has {len(self._clips)}: {some}, ...")
        return self._clips[clip]

    def _write_tables(
        self,
        tables: Mapping[str, pa.Table],
        added: Iterable[pa.Table | FileEntry],
        motion: Sequence[FileEntry] | None,
    ) -> dict[str, tuple[FileEntry, ...]]:
        parts = dict(self.manifest.tables)
        parts |= {name: (self._write_table(name, table),) for name, table in sorted(tables.items())}
        parts["motion"] = self._motion_parts(added, tables.get("clips"), motion)
        return {name: files for name, files in parts.items() if files}

    def _write_table(self, name: str, table: pa.Table) -> FileEntry:
        if _known(name, SCHEMAS) == "motion":
            raise StoreError("the motion table is not replaced whole; hand its rows over as append_motion")
        table = _conform(name, table)
        write = partial(_write_parquet, table)
        return commits.publish(self.place, f"tables/{name}", ".parquet", len(table), write)

    def _write_array(self, name: str, array: npt.NDArray[Any]) -> ArrayEntry:
        array = np.ascontiguousarray(array, dtype=np.dtype(ARRAY_DTYPES[_known(name, ARRAYS)]))
        if array.ndim != 2:
            raise StoreError(f"array {name!r} has shape {array.shape}; expected {ARRAYS[name]}")
        entry = commits.publish(self.place, f"arrays/{name}", ".npy", len(array), partial(_write_npy, array))
        return ArrayEntry(entry, tuple(array.shape), array.dtype.str)

    def _write_index(self, name: str, data: bytes | Callable[[IO[bytes]], None]) -> FileEntry:
        return self._write_file("index", name, ".bin", data)

    def _write_models(self, models: Mapping[str, bytes] | None) -> dict[str, FileEntry]:
        if models is None:
            return dict(self.manifest.models)
        return {name: self._write_file("models", name, ".safetensors", data) for name, data in sorted(models.items())}

    def _write_file(self, folder: str, name: str, suffix: str, data: bytes | Callable[[IO[bytes]], None]) -> FileEntry:
        if not name.replace("_", "").isalnum():
            raise StoreError(f"{folder} name {name!r}: expected letters, digits and _")
        write = data if callable(data) else partial(_write_bytes, data)
        return commits.publish(self.place, f"{folder}/{name}", suffix, 0, write)

    def _motion_parts(
        self, added: Iterable[pa.Table | FileEntry], clips: pa.Table | None, parts: Sequence[FileEntry] | None
    ) -> tuple[FileEntry, ...]:
        known = self.columns("clips", ["motion_key"]) if clips is None else clips
        used = set(known.column("motion_key").to_pylist())
        before = self.manifest.tables.get("motion", ()) if parts is None else parts
        candidates = [*before, *self._append(added)]
        kept: list[FileEntry] = []
        seen: set[str] = set()
        for part in dict.fromkeys(candidates):
            keys = keys_of(part.path, self.locate(part))
            twice = keys & seen & used
            if twice:
                raise StoreError(f"motion {min(twice)!r} is already in the library; leave it out of append_motion")
            if keys & used:
                kept.append(part)
                seen |= keys
        if used - seen:
            raise StoreError(f"clips refer to motion {min(used - seen)!r}, which is not stored; append it first")
        return tuple(kept)

    def _append(self, added: Iterable[pa.Table | FileEntry]) -> list[FileEntry]:
        ready: list[FileEntry] = []
        with MotionWriter(self.place) as writer:
            for item in added:
                if isinstance(item, FileEntry):
                    ready.append(item)
                else:
                    writer.add_table(_conform("motion", item))
        return [*ready, *writer.parts]


def resolve(place: Place | Path | str, version: int | str | None) -> int:
    """The number of the newest version, or of `version`, a number or a tag; StoreError where there is none."""
    place = at(place)
    found = manifests.versions(place)
    if not found:
        raise StoreError(_no_library(place))
    if version is None:
        return found[-1]
    if isinstance(version, str) and not version.isdecimal():
        number = manifests.load_tag(place, version)
        if number is None:
            known = ", ".join(manifests.tags(place)) or "none"
            raise StoreError(f"library {str(place)!r} has no tag {version!r}; it has {known}")
    else:
        # Python refuses to read a number of thousands of digits
        number = int(str(version)[:12])
    if number not in found:
        raise StoreError(f"library {str(place)!r} has no version {number}; it has {_ranges(found)}")
    return number


def read_part(entry: FileEntry, path: Path, schema: pa.Schema, optional: Sequence[str] = ()) -> pa.Table:
    """The columns of `schema` from one Parquet file; StoreError where it is damaged or has another schema.

    optional: columns that are null where the file lacks them.
    """
    file = open_parquet(entry.path, path)
    try:
        found = file.schema_arrow
        absent = [name for name in optional if name not in found.names]
        table = file.read(columns=[name for name in schema.names if name not in absent], use_threads=False)
        for name in absent:
            table = table.append_column(schema.field(name), pa.nulls(file.metadata.num_rows, schema.field(name).type))
            found = found.append(schema.field(name))
        table = table.select(schema.names)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise damaged(entry.path, error) from None
    for column in schema:
        if found.field(column.name).type != column.type:
            raise StoreError(
                f"{entry.path}: column {column.name!r} is {found.field(column.name).type}, expected {column.type}; "
                "restore it or index the source again"
            )
    if len(table) != entry.rows:
        raise StoreError(f"{entry.path} has {len(table)} rows where the manifest says {entry.rows}; restore it")
    return pa.Table.from_arrays(table.columns, schema=schema)


def _map_array(path: Path, entry: ArrayEntry) -> npt.NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TokenError) as error:
        raise damaged(entry.file.path, error) from None
    if array.shape != entry.shape or array.dtype.str != entry.dtype:
        raise StoreError(
            f"{entry.file.path} holds {array.dtype.str} {array.shape} where the manifest says {entry.dtype} "
            f"{entry.shape}; restore it or index the source again"
        )
    return array


def _conform(name: str, table: pa.Table) -> pa.Table:
    """`table` in exactly the columns, types and order of its schema; StoreError where it does not fit."""
    schema = pa.schema([column.remove_metadata() for column in SCHEMAS[name]])
    if set(table.column_names) != set(schema.names) or len(table.column_names) != len(schema):
        differ = sorted(set(table.column_names) ^ set(schema.names))
        raise StoreError(f"table {name!r}: columns missing or unknown: {', '.join(differ) or 'a column occurs twice'}")
    table = table.select(schema.names)
    for column in schema:
        if not column.nullable and table.column(column.name).null_count:
            raise StoreError(f"table {name!r}: column {column.name!r} has nulls; it needs a value in every row")
    try:
        return table.cast(schema).combine_chunks()
    except (pa.ArrowException, ValueError) as error:
        raise StoreError(f"table {name!r} does not fit its schema: {' '.join(str(error).split())}") from None


def _check_rows(manifest: Manifest) -> None:
    segments = manifest.rows("segments")
    for name, array in manifest.arrays.items():
        if array.file.rows != segments:
            raise StoreError(f"array {name!r} has {array.file.rows} rows for {segments} segments; commit both together")


def _write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    pq.write_table(table, file, compression="zstd", version="2.6", row_group_size=_ROW_GROUP, write_page_checksum=True)


def _write_npy(array: npt.NDArray[Any], file: IO[bytes]) -> None:
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)


def _write_bytes(data: bytes, file: IO[bytes]) -> None:
    file.write(data)


def _known(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise StoreError(f"a library has no {name!r}; it has {', '.join(names)}")
    return name


def _check_free(place: Place) -> None:
    """StoreError unless the place is absent, empty, or holds only what a killed first commit left there."""
    try:
        entries = place.entries()
    except NotADirectoryError:
        raise StoreError(f"{str(place)!r} is a file; a library is a folder, choose another path") from None
    for name in entries or ():
        if name not in manifests.FOLDERS:
            raise StoreError(f"{str(place)!r} is not empty and no library (it holds {name!r}); choose another folder")


def _no_library(place: Place) -> str:
    how = f"make one with `choreodb index SOURCE --library {place}`"
    try:
        entries = place.entries()
    except NotADirectoryError:
        return f"no library at {str(place)!r}: it is a file, and a library is a folder"
    if entries is None:
        return f"no library at {str(place)!r}: there is no such folder; {how}"
    return f"no library at {str(place)!r}: it has no manifests/m-*.json; {how}"


def _ranges(found: Sequence[int]) -> str:
    """`2, 5 to 9`: what is left after a vacuum has gaps."""
    runs: list[list[int]] = []
    for number in found:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in runs)
