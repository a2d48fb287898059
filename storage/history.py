"""History: the versions of a library and their names; going back to one, and removing those that nobody needs."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choreodb.errors import ConflictError, StoreError
from choreodb.storage import manifest as manifests
from choreodb.storage.folder import writing
from choreodb.storage.manifest import FileEntry, Manifest
from choreodb.storage.place import Place, at
from choreodb.storage.store import Store, resolve
from choreodb.wording import counted

_OURS = re.compile(r"[A-Za-z0-9_]+-[0-9a-f]{12}\.[a-z]+")
_STAGED = re.compile(r"staged-[0-9a-f]{64}\.npz")
_FOLDERS = ("tables", "arrays", "index", "models")


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a library.

    committed_s: seconds since 1970, as the manifest's file says. change: what the commit did. clips, segments: rows.
    new_bytes: of files that its parent does not have. problem: why it cannot be read, else None.
    """

    version: int
    parent: int | None
    committed_s: float
    code_version: str
    format_version: int
    change: Mapping[str, Any]
    tags: tuple[str, ...]
    clips: int
    segments: int
    new_bytes: int
    problem: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON values (an item of `docs/schema/log.schema.json`)."""
        return {
            "version": self.version,
            "parent": self.parent,
            "committed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.committed_s)),
            "code_version": self.code_version,
            "format_version": self.format_version,
            "change": dict(self.change),
            "tags": list(self.tags),
            "clips": self.clips,
            "segments": self.segments,
            "new_bytes": self.new_bytes,
            "problem": self.problem,
        }

    def text(self) -> str:
        """One line for people."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.committed_s))
        if self.problem is not None:
            return f"{self.version:6d}  {when}  DAMAGED: {self.problem}"
        names = f"  [{', '.join(self.tags)}]" if self.tags else ""
        return (
            f"{self.version:6d}  {when}  {describe(self.change)}; {self.clips} clips, {self.segments} segments, "
            f"{self.new_bytes / 1e6:.1f} MB new; choreodb {self.code_version}{names}"
        )


def describe(change: Mapping[str, Any]) -> str:
    """What a commit did, in a few words: `delete: clips 3, reason consent withdrawn`."""
    action = str(change.get("action", "not stated"))
    facts = [
        f"{name.replace('_', ' ')} {value}"
        for name, value in sorted(change.items())
        if name != "action" and value not in (None, 0)
    ]
    return f"{action}: {', '.join(facts)}" if facts else action


def log(library: Place | Path | str) -> tuple[Version, ...]:
    """The versions of a library, newest first; one whose manifest is damaged says so."""
    place = at(library)
    resolve(place, None)
    names: dict[int, list[str]] = {}
    for tag, number in manifests.tags(place).items():
        names.setdefault(number, []).append(tag)
    found: list[Version] = []
    parent = frozenset[FileEntry]()
    for number in manifests.versions(place):
        version, parent = _version(place, number, tuple(names.get(number, ())), parent)
        found += [version] if version else []
    return tuple(reversed(found))


def _version(
    place: Place, number: int, tags: tuple[str, ...], before: frozenset[FileEntry]
) -> tuple[Version | None, frozenset[FileEntry]]:
    """A line of the log and the files of its version; no line where a vacuum took it meanwhile."""
    name = f"manifests/{manifests.file_name(number)}"
    try:
        when = place.modified_s(name)
        manifest = manifests.load(place, number)
    except OSError:
        return None, before
    except StoreError as error:
        if number not in manifests.versions(place):
            return None, before
        return Version(number, None, when, "", 0, {}, tags, 0, 0, 0, str(error)), before
    files = frozenset(manifest.files())
    return (
        Version(
            version=number,
            parent=manifest.parent,
            committed_s=when,
            code_version=manifest.code_version,
            format_version=manifest.format_version,
            change=manifest.change,
            tags=tags,
            clips=manifest.rows("clips"),
            segments=manifest.rows("segments"),
            new_bytes=sum(entry.bytes for entry in files - before),
        ),
        files,
    )


def tag(library: Place | Path | str, name: str, version: int | str | None = None) -> int:
    """Name a version (the newest without one), and say which it is; `vacuum` keeps what has a name.

    StoreError where the version is not there; ConflictError where the name is taken by another version.
    """
    place = at(library)
    store = Store.open(place, version)
    file = manifests.tag_name(name)
    with place.changing(), writing(f"{place}/{file}"):
        try:
            place.create(file, manifests.dump_tag(name, store.version))
        except FileExistsError:
            other = manifests.load_tag(place, name)
            if other != store.version:
                raise ConflictError(
                    f"tag {name!r} of library {str(place)!r} already names version {other}; choose another name, "
                    f"or remove it first: choreodb tag {place} {name} --remove"
                ) from None
    return store.version


def untag(library: Place | Path | str, name: str) -> None:
    """Remove a tag; StoreError where there is none."""
    place = at(library)
    file = manifests.tag_name(name)
    if file.rpartition("/")[2] not in place.names("manifests"):
        known = ", ".join(manifests.tags(place)) or "none"
        raise StoreError(f"library {str(place)!r} has no tag {name!r}; it has {known}")
    with place.changing(), writing(f"{place}/{file}"):
        place.delete(file)


def rollback(library: Place | Path | str, version: int | str) -> Store:
    """A new version with exactly the content of an earlier one; nothing in between is lost.

    What was deleted since then is there again, as the earlier version has it. Errors: StoreError, ConflictError.
    """
    place = at(library)
    old = Store.open(place, version)
    newest = Store.open(place)
    if old.version == newest.version:
        raise StoreError(
            f"version {old.version} is the newest of library {str(place)!r}; there is nothing to go back to"
        )
    return newest.commit_again(old.manifest, {"action": "rollback", "to": old.version})


def brought_back(before: Store, after: Store) -> dict[str, str | None]:
    """Clips that `before` had deleted and that are in `after`, with the reason for which they were."""
    tombs = before.columns("tombstones", ["clip", "reason"])
    there = set(after.columns("clips", ["clip"]).column("clip").to_pylist())
    rows = zip(*(column.to_pylist() for column in tombs.columns), strict=True)
    return {clip: reason for clip, reason in rows if clip in there}


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What a vacuum removed and what it left. in_use: versions that somebody reads. bytes: of the files removed."""

    removed: tuple[int, ...]
    kept: tuple[int, ...]
    in_use: tuple[int, ...]
    tagged: tuple[int, ...]
    files: int
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """One JSON document (`docs/schema/vacuum.schema.json`)."""
        lists = {name: list(getattr(self, name)) for name in ("removed", "kept", "in_use", "tagged")}
        return {"schema_version": 1, **lists, "files": self.files, "bytes": self.bytes}

    def text(self) -> str:
        """A few lines for people."""
        lines = [
            f"removed {counted(len(self.removed), 'version')} and {counted(self.files, 'file')}, {self.bytes / 1e6:.1f} MB"
        ]
        lines.append(f"kept version{'' if len(self.kept) == 1 else 's'} {', '.join(map(str, self.kept))}")
        for what, versions in (("with a tag", self.tagged), ("being read", self.in_use)):
            lines += [f"of these {what}: {', '.join(map(str, versions))}"] if versions else []
        return "\n".join(lines)


def vacuum(library: Place | Path | str, *, keep: int = 1, grace_s: float | None = None) -> Vacuumed:
    """Remove all but the newest `keep` versions, and every file that no version needs.

    Versions that have a tag, or that a process has open, stay. grace_s: versions and files younger than that stay, too;
    without a number 0 where the place has locks and a day where it has none, because readers and writers cannot be seen
    there. Manifests go before their files, so that a kill at any moment leaves only files that the next vacuum removes.
    Errors: StoreError where a manifest is damaged, because it cannot be known what it needs; ConflictError while
    somebody writes.
    """
    place = at(library)
    resolve(place, None)
    if keep < 1:
        raise StoreError(f"--keep is {keep}; expected at least 1, the newest version")
    with place.clearing(), writing(place):
        before = _bytes(place)
        found = manifests.versions(place)
        loaded = {number: manifests.load(place, number) for number in found}
        tagged = sorted(set(manifests.tags(place).values()) & set(found))
        grace = (0.0 if place.locks else 86_400.0) if grace_s is None else grace_s
        old = [number for number in found[:-keep] if number not in tagged and _older(place, _file(number), grace)]
        removed = [number for number in old if place.remove_unpinned(_file(number))]
        left = {number: manifest for number, manifest in loaded.items() if number not in removed}
        files = _remove_unneeded(place, left, grace)
        return Vacuumed(
            removed=tuple(removed),
            kept=tuple(left),
            in_use=tuple(number for number in old if number not in removed),
            tagged=tuple(tagged),
            files=files,
            bytes=before - _bytes(place),
        )


def _file(version: int) -> str:
    return f"manifests/{manifests.file_name(version)}"


def _older(place: Place, name: str, grace_s: float) -> bool:
    return grace_s <= 0.0 or time.time() - place.modified_s(name) > grace_s


def _ours(place: Place) -> list[str]:
    names = [(folder, name) for folder in _FOLDERS for name in place.names(folder)]
    return [f"{folder}/{name}" for folder, name in names if _OURS.fullmatch(name) or _STAGED.fullmatch(name)]


def _bytes(place: Place) -> int:
    return sum(place.size(name) for name in _ours(place))


def _remove_unneeded(place: Place, left: Mapping[int, Manifest], grace_s: float) -> int:
    needed = {entry.path for manifest in left.values() for entry in manifest.files()}
    unneeded = [name for name in _ours(place) if name not in needed and _older(place, name, grace_s)]
    for name in unneeded:
        place.delete(name)
    return len(unneeded)
