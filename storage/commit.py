"""Commit: new files under names made from their content, then the next manifest, created exclusively.

A process killed at any point leaves the previous version intact: files are drafts until they are complete, and nothing
counts until the manifest that names them exists. Of two racing writers exactly one creates it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from choreodb.errors import ConflictError, StoreError
from choreodb.storage.fold import Fold
from choreodb.storage.folder import writing
from choreodb.storage.manifest import FileEntry, Manifest, dumps, file_name, loads, versions
from choreodb.storage.place import Draft, Place

_SHA_DIGITS = 12
_CHUNK = 1 << 20


def publish(place: Place, stem: str, suffix: str, rows: int, write: Callable[[IO[bytes]], None]) -> FileEntry:
    """Write a file with `write` and name it `<stem>-<hash><suffix>`, where stem is such as `tables/clips`."""
    with writing(f"{place}/{stem}"), place.draft(stem.partition("/")[0]) as draft:
        write(draft.file)
        return publish_draft(place, draft, stem, suffix, rows)


def publish_draft(place: Place, draft: Draft, stem: str, suffix: str, rows: int) -> FileEntry:
    """Name a complete draft `<stem>-<hash><suffix>`."""
    draft.file.flush()
    sha256, fold = _digests(draft.path)
    # Parquet pages have checksums of their own
    kept = None if suffix == ".parquet" else fold
    entry = FileEntry(f"{stem}-{sha256[:_SHA_DIGITS]}{suffix}", rows, draft.path.stat().st_size, sha256, kept)
    place.publish(draft, entry.path)
    return entry


def create_manifest(place: Place, manifest: Manifest) -> None:
    """Create the manifest exclusively; ConflictError where another writer was first."""
    try:
        text = dumps(manifest)
        # what is read back must be what was written: JSON has no numbers as keys, for one
        loads(text, source="meta")
    except (TypeError, ValueError, StoreError) as error:
        raise StoreError(
            f"meta cannot be written as JSON: {error}; use text, finite numbers, lists and dicts"
        ) from None
    name = file_name(manifest.version)
    with writing(f"{place}/manifests/{name}"):
        # where older versions were removed, a number may be free that was taken once
        if versions(place)[-1:] > [manifest.version - 1]:
            raise _was_first(place, name)
        try:
            place.create(f"manifests/{name}", text)
        except FileExistsError:
            raise _was_first(place, name) from None


def _was_first(place: Place, name: str) -> ConflictError:
    return ConflictError(
        f"{name} of library {str(place)!r} was committed by another process meanwhile; "
        "nothing was changed, run the command again"
    )


def _digests(path: Path) -> tuple[str, str]:
    """Sha256 and fold of a file."""
    digest, fold = hashlib.sha256(), Fold()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            fold.update(chunk)
    return digest.hexdigest(), fold.hexdigest()
