"""Place: where a library lies, as the few things that its files need done to them; a folder, or a prefix of a bucket."""

from __future__ import annotations

import hashlib
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeGuard

_CHUNK = 8 << 20
_OBJECT_STORE = re.compile(r"s3:/+(?=[^/])")


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that is being written and has no name in the library yet. path: on this machine, file: open for writing."""

    path: Path
    file: IO[bytes]


class Place(Protocol):
    """Where a library lies. Names are POSIX paths inside it, such as `tables/clips-0123456789ab.parquet`.

    Published files never change: an equal name means equal bytes. What the system refuses is an OSError, and an absent
    file a FileNotFoundError.
    """

    @property
    def name(self) -> str:
        """The last part of its address."""
        ...

    @property
    def locks(self) -> bool:
        """Whether `pin` and `clearing` keep others out."""
        ...

    def entries(self) -> list[str] | None:
        """What lies in it at the top, sorted; None where there is no such place."""
        ...

    def names(self, folder: str) -> list[str]:
        """Names, without the folder, of the files in one of its folders, sorted; empty where there is no such folder."""
        ...

    def size(self, name: str) -> int:
        """Bytes of a file; StoreError where it is none of the library's own."""
        ...

    def read(self, name: str, first: int = 0, count: int | None = None) -> bytes:
        """Up to `count` bytes of a file from `first` on, to its end without a count."""
        ...

    def local(self, name: str, sha256: str) -> Path:
        """A path on this machine with the bytes of a published file: the file itself, or a cached copy."""
        ...

    def ready(self) -> None:
        """Find out, before any work is done for it, whether a commit could be made here; StoreError where it could not."""
        ...

    def changing(self) -> AbstractContextManager[None]:
        """Make ready for new files; clear away what writers that died have left; undo what was made after an error."""
        ...

    def draft(self, folder: str) -> AbstractContextManager[Draft]:
        """A new file for `folder`, removed at the end of the context unless it was published."""
        ...

    def publish(self, draft: Draft, name: str) -> None:
        """Give a complete draft its name; after that its bytes outlive the machine's end."""
        ...

    def create(self, name: str, data: bytes) -> None:
        """Write a small file that outlives the machine's end, unless its name is taken: FileExistsError then.

        Everything that was published before outlives it, too.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove a file; no error where it is gone already."""
        ...

    def modified_s(self, name: str) -> float:
        """When a file was written, seconds since 1970."""
        ...

    def pin(self, name: str) -> object | None:
        """Hold a manifest for as long as the returned object lives. FileNotFoundError where it is gone.

        None where the place has no locks; then only `vacuum`'s grace protects readers.
        """
        ...

    def remove_unpinned(self, name: str) -> bool:
        """Remove a manifest for good unless somebody pins it; whether it is gone. Without locks nobody can pin."""
        ...

    def clearing(self) -> AbstractContextManager[None]:
        """Keep everybody out of `changing`; ConflictError where somebody is in it for more than a few seconds."""
        ...


def at(library: Place | Path | str) -> Place:
    """The place of a library: `s3://bucket/prefix` is in an object store, anything else a folder on this machine."""
    if _is_place(library):
        return library
    address = str(library)
    # a Path folds the two slashes of s3:// into one
    found = _OBJECT_STORE.match(address)
    if found:
        from choreodb.storage.s3 import ObjectPlace

        return ObjectPlace.open(address[found.end() :])
    from choreodb.storage.folder import FolderPlace

    return FolderPlace(Path(address))


def is_remote(library: Path | str) -> bool:
    """Whether an address is that of an object store."""
    return _OBJECT_STORE.match(str(library)) is not None


def _is_place(library: Place | Path | str) -> TypeGuard[Place]:
    return not isinstance(library, Path | str)


def file_sha256(place: Place, name: str) -> str:
    """Sha256 of a file in hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    first = 0
    while piece := place.read(name, first, _CHUNK):
        digest.update(piece)
        first += len(piece)
    return digest.hexdigest()
