"""Absence: the proof that nothing is left of a clip that was deleted."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from choreodb.errors import ChoreoError, QueryError
from choreodb.storage import manifest as manifests
from choreodb.storage.folder import FolderPlace
from choreodb.storage.motion_table import keys_of
from choreodb.storage.place import Place, at
from choreodb.storage.store import Store, resolve
from choreodb.storage.verify import Problem

_DELETE = "delete the clip, then run compact and vacuum --keep 1"
_VACUUM = "run compact and vacuum --keep 1"
_TRAIN = "train without it, reembed, then vacuum --keep 1"
_DIGITS = 16


def absent(library: Place | Path | str, clip: str) -> tuple[Problem, ...]:
    """Where something of a deleted clip is left: in any version, and in any motion file of the library, used or not.

    Empty where nothing is. QueryError where no version knows of the clip, because its motion could not be recognised.
    A twin that was indexed as a clip of its own is another clip.
    """
    place = at(library)
    stores, problems = _opened(place)
    keys = {key for store in stores for key in _values(store, clip, "motion_key")}
    if not keys and not problems:
        raise QueryError(
            f"library {str(place)!r} never heard of a clip {clip!r}; `choreodb sql LIB 'from tombstones'` lists deleted ones"
        )
    deleted = bool(stores) and _rows(stores[-1], "clips", clip) == 0
    tagged = {version: tag for tag, version in manifests.tags(place).items()} if deleted else {}
    for store in stores:
        cure = _cure(store.version, tagged) if deleted else _DELETE
        problems += _in_tables(store, clip, cure)
    files = {digest for store in stores for digest in _values(store, clip, "source_sha256")}
    problems += _in_models(stores, files)
    return (*problems, *_in_motion(place, keys, _VACUUM if deleted else _DELETE))


def _cure(version: int, tagged: Mapping[int, str]) -> str:
    """What removes an old version that still has a deleted clip."""
    if version in tagged:
        return f"its tag {tagged[version]!r} keeps it: run tag --remove, then vacuum --keep 1"
    return _VACUUM


def _opened(place: Place) -> tuple[list[Store], list[Problem]]:
    resolve(place, None)
    stores, problems = [], []
    for number in manifests.versions(place):
        try:
            stores.append(Store.open(place, number))
        except ChoreoError as error:
            problems.append(Problem(f"manifests/{manifests.file_name(number)}", f"cannot be searched: {error}"))
    return stores, problems


def _values(store: Store, clip: str, column: str) -> set[str]:
    """The motion key or the file's sha256 that a clip has, or had when it was deleted."""
    found = set()
    for name in ("clips", "tombstones"):
        table = store.columns(name, ["clip", column])
        names, values = (column.to_pylist() for column in table.columns)
        found |= {str(value) for each, value in zip(names, values, strict=True) if each == clip}
    return found


def _rows(store: Store, name: str, clip: str) -> int:
    return int(store.columns(name, ["clip"]).column("clip").to_pylist().count(clip))


def _in_tables(store: Store, clip: str, cure: str) -> Iterator[Problem]:
    for name in ("clips", "segments"):
        if _rows(store, name, clip):
            files = store.manifest.tables[name]
            yield Problem(files[0].path, f"version {store.version} has {clip!r} in the {name} table; {cure}")


def _in_models(stores: Sequence[Store], files: Collection[str]) -> Iterator[Problem]:
    """Weights whose card says that they were trained on one of these motion files."""
    seen: set[str] = set()
    for store in stores:
        for name, entry in store.manifest.models.items():
            if entry.path in seen:
                continue
            seen.add(entry.path)
            try:
                card = _card(store.model(name) or b"")
            except (ChoreoError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                yield Problem(entry.path, f"cannot be searched: {error}")
                continue
            if {digest[:_DIGITS] for digest in files} & {str(each) for each in card.get("trained_from", ())}:
                yield Problem(entry.path, f"was trained on its motion; {_TRAIN}")


def _card(data: bytes) -> dict[str, Any]:
    """The card in the metadata of a safetensors file: the length of the header in 8 bytes, then the header, JSON."""
    length = int.from_bytes(data[:8], "little")
    card = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["card"])
    return dict(card)


def _source(place: Place, file: str) -> Path | pa.BufferReader:
    """A file that no version may name, so that its hash is not known, by which a cache would keep it."""
    return place.local(file, "") if isinstance(place, FolderPlace) else pa.BufferReader(place.read(file))


def _in_motion(place: Place, keys: set[str], cure: str) -> Iterator[Problem]:
    for name in place.names("tables"):
        file = f"tables/{name}"
        if name.startswith("motion-") and name.endswith(".parquet"):
            try:
                held = keys_of(file, _source(place, file)) & keys
            except (ChoreoError, OSError) as error:
                yield Problem(file, f"cannot be searched: {error}")
                continue
            if held:
                yield Problem(file, f"holds its motion {min(held)[:12]}; {cure}")
        elif name.startswith("staged-") and name.removeprefix("staged-").removesuffix(".npz") in keys:
            yield Problem(file, f"holds its motion, left by an interrupted index; {cure}")
