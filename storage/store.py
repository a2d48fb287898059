"""Store: one pinned version of a library on disk; it reads tables, arrays and motion, and commits the next version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from choreodb import __version__
from choreodb.errors import ConflictError, StoreError
from choreodb.storage import commit as commits
from choreodb.storage import manifest as manifests
from choreodb.storage import virtual
from choreodb.storage.fold import refuse_damage
from choreodb.storage.folder import FolderPlace
from choreodb.storage.manifest import FileEntry, Manifest
from choreodb.storage.motion_table import MotionArrays, MotionReader
from choreodb.storage.next_version import NextVersion, refuse_unequal_rows
from choreodb.storage.part_files import known, map_array
from choreodb.storage.part_files import read_part as read_part
from choreodb.storage.place import Place, at
from choreodb.storage.tables import OPTIONAL_COLUMNS, SCHEMAS

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
        return self.columns(name, SCHEMAS[known(name, SCHEMAS)].names)

    def columns(self, name: str, columns: Sequence[str]) -> pa.Table:
        """Some columns of a table, in the order asked for; only these are read."""
        schema = SCHEMAS[known(name, SCHEMAS)]
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
            self._arrays[name] = map_array(self._sound(entry.file), entry)
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
        new = NextVersion(self.place, self.manifest)
        with self.place.changing():
            clips = self.columns("clips", ["motion_key"]) if "clips" not in tables else tables["clips"]
            written = new.arrays(arrays)
            files = new.tables(tables)
            files["motion"] = new.motion(append_motion or (), motion, clips.column("motion_key").to_pylist())
            manifest = Manifest(
                version=self.version + 1,
                parent=self.version or None,
                code_version=__version__,
                encoder=dict(self.manifest.encoder if encoder is None else encoder),
                meta=dict(self.manifest.meta if meta is None else meta),
                tables={name: parts for name, parts in files.items() if parts},
                arrays=written,
                index=new.index(index or {}, keep="embeddings" not in arrays),
                models=new.models(models),
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
        refuse_unequal_rows(manifest)
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
