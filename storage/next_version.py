"""NextVersion: the files of the version that comes after one, written under names of their own, and the manifest that names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from choreodb.errors import StoreError
from choreodb.storage import commit as commits
from choreodb.storage import manifest as manifests
from choreodb.storage.manifest import ArrayEntry, FileEntry, Manifest
from choreodb.storage.motion_table import MotionWriter, keys_of
from choreodb.storage.part_files import conform, known, write_npy, write_parquet
from choreodb.storage.place import Place
from choreodb.storage.tables import ARRAY_DTYPES, ARRAYS, SCHEMAS

Data = bytes | Callable[[IO[bytes]], None]


class NextVersion:
    """What is written on top of `before`, a version of the library at `place`; nothing counts until its manifest is created."""

    def __init__(self, place: Place, before: Manifest) -> None:
        self._place = place
        self._before = before

    def tables(self, tables: Mapping[str, pa.Table]) -> dict[str, tuple[FileEntry, ...]]:
        """All tables but motion: these are written, others are kept."""
        kept = {name: parts for name, parts in self._before.tables.items() if name != "motion"}
        return kept | {name: (self._table(name, table),) for name, table in sorted(tables.items())}

    def _table(self, name: str, table: pa.Table) -> FileEntry:
        if known(name, SCHEMAS) == "motion":
            raise StoreError("the motion table is not replaced whole; hand its rows over as append_motion")
        table = conform(name, table)
        write = partial(write_parquet, table)
        return commits.publish(self._place, f"tables/{name}", ".parquet", len(table), write)

    def motion(
        self,
        added: Iterable[pa.Table | FileEntry],
        parts: Sequence[FileEntry] | None,
        used: Collection[str],
    ) -> tuple[FileEntry, ...]:
        """Parts of the motion table: those of before, or `parts` where given, and `added`, as far as they hold `used` keys."""
        used = set(used)
        before = self._before.tables.get("motion", ()) if parts is None else parts
        kept: list[FileEntry] = []
        seen: set[str] = set()
        for part in dict.fromkeys([*before, *self._append(added)]):
            keys = keys_of(part.path, manifests.locate(self._place, part))
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
        with MotionWriter(self._place) as writer:
            for item in added:
                if isinstance(item, FileEntry):
                    ready.append(item)
                else:
                    writer.add_table(conform("motion", item))
        return [*ready, *writer.parts]

    def arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, ArrayEntry]:
        """All arrays: these are written, others are kept."""
        return dict(self._before.arrays) | {name: self._array(name, array) for name, array in sorted(arrays.items())}

    def _array(self, name: str, array: npt.NDArray[Any]) -> ArrayEntry:
        array = np.ascontiguousarray(array, dtype=np.dtype(ARRAY_DTYPES[known(name, ARRAYS)]))
        if array.ndim != 2:
            raise StoreError(f"array {name!r} has shape {array.shape}; expected {ARRAYS[name]}")
        entry = commits.publish(self._place, f"arrays/{name}", ".npy", len(array), partial(write_npy, array))
        return ArrayEntry(entry, tuple(array.shape), array.dtype.str)

    def index(self, files: Mapping[str, Data], *, keep: bool) -> dict[str, FileEntry]:
        """Vector indexes: these are written, and those of before stay where `keep`."""
        kept = dict(self._before.index) if keep else {}
        return kept | {name: self._file("index", name, ".bin", data) for name, data in sorted(files.items())}

    def models(self, models: Mapping[str, bytes] | None) -> dict[str, FileEntry]:
        """Weights: those of before, or `models` in place of all of them where given."""
        if models is None:
            return dict(self._before.models)
        return {name: self._file("models", name, ".safetensors", data) for name, data in sorted(models.items())}

    def _file(self, folder: str, name: str, suffix: str, data: Data) -> FileEntry:
        if not name.replace("_", "").isalnum():
            raise StoreError(f"{folder} name {name!r}: expected letters, digits and _")
        write = data if callable(data) else partial(_write_bytes, data)
        return commits.publish(self._place, f"{folder}/{name}", suffix, 0, write)


def refuse_unequal_rows(manifest: Manifest) -> None:
    """StoreError where an array of a version has not a row for each segment."""
    segments = manifest.rows("segments")
    for name, array in manifest.arrays.items():
        if array.file.rows != segments:
            raise StoreError(f"array {name!r} has {array.file.rows} rows for {segments} segments; commit both together")


def _write_bytes(data: bytes, file: IO[bytes]) -> None:
    file.write(data)
