"""Manifest: the immutable, deterministic list of files that makes up one version of a library.

`manifests/m-00000042.json` names every file of version 42 with its rows, bytes and sha256. The file is canonical JSON
and carries a checksum of itself, so that a damaged manifest is recognised rather than believed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from choreodb.errors import StoreError
from choreodb.storage.place import Place

FORMAT_VERSION = 3
"""What is written; 2 knows packed motion, faces, tombstones and what each commit did, 3 the models that a library carries.
Every version from 1 on is read."""
NEEDS = "0.1.0"
"""The first ChoreoDB that reads this format."""

FOLDERS = ("manifests", "tables", "arrays", "index", "models")

_NAME = re.compile(r"m-(\d{8})\.json")
_PATH = re.compile(r"(tables|arrays|index|models)/[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
_TAG_FILE = re.compile(r"tag-([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})\.json")
_NEEDS = re.compile(r"[0-9A-Za-z.+-]{1,32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FOLD = re.compile(r"[0-9a-f]{16}")
_MANIFEST_BYTES = 64 << 20
_FILE_BYTES = 1 << 46
_ROWS = 1 << 40


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a version. path: POSIX, relative to the library. rows: table rows, array rows or 0 for an index or a model.

    fold: of `fold.Fold`, of files that have no checksums of their own.
    """

    path: str
    rows: int
    bytes: int
    sha256: str
    fold: str | None = None


@dataclass(frozen=True, slots=True)
class ArrayEntry:
    """A raw `.npy` file with the shape and the dtype (numpy's little-endian name, such as `<f4`) it must have."""

    file: FileEntry
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """One version: what it holds, what it was made from, and what made it.

    tables: parts in reading order. encoder: `name` and `sha256` of the encoder of the embeddings, or empty.
    models: weights that the library carries, by what they are for.
    meta: whatever the indexer wants to keep, as JSON. change: what the commit did, with the command's name as `action`;
    empty in format 1. format_version: of the file that it was read from.
    """

    version: int = 0
    parent: int | None = None
    code_version: str = ""
    encoder: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, tuple[FileEntry, ...]] = field(default_factory=dict)
    arrays: Mapping[str, ArrayEntry] = field(default_factory=dict)
    index: Mapping[str, FileEntry] = field(default_factory=dict)
    models: Mapping[str, FileEntry] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    def files(self) -> tuple[FileEntry, ...]:
        """Every file of this version, in a fixed order."""
        parts = [part for name in sorted(self.tables) for part in self.tables[name]]
        arrays = [self.arrays[name].file for name in sorted(self.arrays)]
        singles = [each[name] for each in (self.index, self.models) for name in sorted(each)]
        return (*parts, *arrays, *singles)

    def rows(self, table: str) -> int:
        """Rows of `table` over all its parts; 0 where it has none."""
        return sum(part.rows for part in self.tables.get(table, ()))


def file_name(version: int) -> str:
    """`m-00000042.json` for 42."""
    return f"m-{version:08d}.json"


def versions(place: Place) -> list[int]:
    """Versions that a place holds, ascending; empty where it is no library."""
    return sorted(int(match[1]) for name in place.names("manifests") if (match := _NAME.fullmatch(name)))


def tags(place: Place) -> dict[str, int]:
    """The version of every tag, by name; one whose file is damaged is left out, which `verify` reports."""
    found = {}
    for file in place.names("manifests"):
        match = _TAG_FILE.fullmatch(file)
        version = load_tag(place, match[1]) if match else None
        if match and version is not None:
            found[match[1]] = version
    return dict(sorted(found.items()))


def tag_name(name: str) -> str:
    """The file of a tag; StoreError where `name` is none that a tag can have."""
    file = f"tag-{name}.json"
    if not _TAG_FILE.fullmatch(file) or name.isdigit():
        raise StoreError(
            f"tag {name!r}: expected up to 64 letters, digits, '_', '-' and '.', a letter or digit first, not digits alone"
        )
    return f"manifests/{file}"


def load_tag(place: Place, name: str) -> int | None:
    """The version that a tag names; None where there is no such tag, or its file is damaged."""
    try:
        body = json.loads(place.read(tag_name(name), 0, 4096))
        version = body["version"]
        return version if body["tag"] == name and _is_count(version) and 0 < version < 10**8 else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def dump_tag(name: str, version: int) -> bytes:
    """The file of a tag."""
    return _encode({"tag": name, "version": version})


def damaged_tags(place: Place) -> list[str]:
    """Files of tags that name no version."""
    names = [match[1] for file in place.names("manifests") if (match := _TAG_FILE.fullmatch(file))]
    return [tag_name(name) for name in names if load_tag(place, name) is None]


def dumps(manifest: Manifest) -> bytes:
    """Canonical bytes with a checksum of everything else; equal manifests give equal bytes."""
    body = _as_json(manifest)
    return _encode({**body, "checksum": hashlib.sha256(_encode(body)).hexdigest()})


def loads(text: bytes, *, source: str) -> Manifest:
    """The manifest in `text`; StoreError naming `source` where it is newer, damaged or not to be believed."""
    body = _parse(text, source)
    version = body.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        needs = body.get("needs")
        known = isinstance(needs, str) and _NEEDS.fullmatch(needs)
        raise StoreError(
            f"{source}: library format {version} is newer than this ChoreoDB, which reads up to {FORMAT_VERSION}; "
            f"upgrade ChoreoDB to {f'{needs} or later' if known else 'the version that wrote it'}"
        )
    checksum = body.pop("checksum", None)
    if type(version) is not int or version < 1 or checksum != hashlib.sha256(_encode(body)).hexdigest():
        raise _damaged(source, "its checksum does not match")
    if text != _encode({**body, "checksum": checksum}):
        raise _damaged(source, "it is not in canonical form")
    try:
        return _from_json(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(source, f"{error}" or type(error).__name__) from None


def load(place: Place, version: int) -> Manifest:
    """The manifest of `version`; StoreError where it is missing or damaged."""
    name = f"manifests/{file_name(version)}"
    try:
        text = place.read(name, 0, _MANIFEST_BYTES + 1)
    except OSError as error:
        raise _damaged(name, error.strerror or str(error)) from None
    if len(text) > _MANIFEST_BYTES:
        raise _damaged(name, f"it is larger than {_MANIFEST_BYTES} bytes")
    manifest = loads(text, source=name)
    if manifest.version != version:
        raise _damaged(name, f"it says that it is version {manifest.version}")
    return manifest


def check(place: Place, entry: FileEntry) -> None:
    """StoreError unless the file of `entry` is there, inside the library, and as long as the manifest says."""
    try:
        size = place.size(entry.path)
    except OSError:
        raise StoreError(f"{entry.path} is missing from the library; restore it or index the source again") from None
    if size != entry.bytes:
        raise StoreError(
            f"{entry.path} has {size} bytes where the manifest says {entry.bytes}; restore it or index the source again"
        )


def locate(place: Place, entry: FileEntry) -> Path:
    """A path on this machine with the bytes of `entry`; checked as by `check`."""
    check(place, entry)
    try:
        return place.local(entry.path, entry.sha256)
    except OSError as error:
        raise StoreError(f"{entry.path} cannot be read: {error.strerror or error}; try again or restore it") from None


def _damaged(source: str, why: str) -> StoreError:
    why = " ".join(why.split())
    return StoreError(f"{source} is damaged: {why}; restore it from a copy, or open an older version")


def _encode(body: Mapping[str, Any]) -> bytes:
    return (json.dumps(body, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False) + "\n").encode()


def _parse(text: bytes, source: str) -> dict[str, Any]:
    try:
        body = json.loads(text.decode("ascii"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _damaged(source, "it is not JSON") from None
    if not isinstance(body, dict):
        raise _damaged(source, "it is not a JSON object")
    return body


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _as_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "needs": NEEDS,
        "change": dict(manifest.change),
        "version": manifest.version,
        "parent": manifest.parent,
        "code_version": manifest.code_version,
        "encoder": dict(manifest.encoder),
        "meta": dict(manifest.meta),
        "tables": {name: [_entry_json(part) for part in parts] for name, parts in manifest.tables.items()},
        "arrays": {
            name: {**_entry_json(array.file), "shape": list(array.shape), "dtype": array.dtype}
            for name, array in manifest.arrays.items()
        },
        "index": {name: _entry_json(entry) for name, entry in manifest.index.items()},
        "models": {name: _entry_json(entry) for name, entry in manifest.models.items()},
    }


def _entry_json(entry: FileEntry) -> dict[str, Any]:
    fold = {} if entry.fold is None else {"fold": entry.fold}
    return {"path": entry.path, "rows": entry.rows, "bytes": entry.bytes, "sha256": entry.sha256, **fold}


def _from_json(body: dict[str, Any]) -> Manifest:
    parent = body["parent"]
    if not (parent is None or _is_count(parent)):
        raise ValueError(f"parent is {parent!r}")
    arrays = {
        str(name): ArrayEntry(_entry(row), tuple(_count(size, _ROWS) for size in row["shape"]), _text(row["dtype"]))
        for name, row in body["arrays"].items()
    }
    return Manifest(
        version=_count(body["version"], 10**8 - 1),
        parent=parent,
        code_version=_text(body["code_version"]),
        encoder=MappingProxyType({str(key): _text(value) for key, value in body["encoder"].items()}),
        meta=MappingProxyType(dict(body["meta"].items())),
        tables=MappingProxyType(
            {str(name): tuple(_entry(row) for row in rows) for name, rows in body["tables"].items()}
        ),
        arrays=MappingProxyType(arrays),
        index=MappingProxyType({str(name): _entry(row) for name, row in body["index"].items()}),
        models=MappingProxyType({str(name): _entry(row) for name, row in body.get("models", {}).items()}),
        change=MappingProxyType(dict(body.get("change", {}).items())),
        format_version=body["format_version"],
    )


def _entry(row: Mapping[str, Any]) -> FileEntry:
    path, sha256 = _text(row["path"]), _text(row["sha256"])
    if not _PATH.fullmatch(path):
        raise ValueError(f"it names {path!r}, which is not a file inside the library")
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"the sha256 of {path} is {sha256!r}")
    fold = row.get("fold")
    if not (fold is None or (isinstance(fold, str) and _FOLD.fullmatch(fold))):
        raise ValueError(f"the fold of {path} is {fold!r}")
    return FileEntry(path, _count(row["rows"], _ROWS), _count(row["bytes"], _FILE_BYTES), sha256, fold)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _count(value: object, limit: int) -> int:
    if not (isinstance(value, int) and _is_count(value) and value <= limit):
        raise ValueError(f"{value!r} is not a size between 0 and {limit}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    return value
