"""A disk that fails at a chosen call: the process is killed there, the disk is full, or writing is forbidden from then on.

What it does is journalled beside the library, so that afterwards a power cut can be played: everything that was not synced
is lost, in any way that POSIX allows.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from choreodb.storage.folder import Disk

Kind = Literal["none", "kill", "full", "denied"]
_ERRNO = {"full": errno.ENOSPC, "denied": errno.EACCES}
_FAILS_WHEN_FULL = ("create", "write", "link", "rename", "make_folder")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at call number `call` (from 0). after: the call is carried out first; half of what is written is."""

    kind: Kind = "none"
    call: int = -1
    after: bool = False


class FaultyDisk(Disk):
    """See `Disk`. journal: a folder of its own, for what was done and for copies of what was removed."""

    def __init__(self, fault: Fault, journal: Path) -> None:
        self.fault = fault
        self.calls: list[str] = []
        self._journal = journal
        journal.mkdir(parents=True, exist_ok=True)
        self._log = os.open(journal / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def create(self, path: Path) -> IO[bytes]:
        """See `Disk.create`."""
        self._before("create", path)
        file: Any = FaultyFile(super().create(path), self, path)
        self._after("create", path, inode=path.stat().st_ino)
        return file

    def sync(self, path: Path) -> None:
        """See `Disk.sync`."""
        self._before("sync", path)
        super().sync(path)
        self._after("sync", path, inode=path.stat().st_ino)

    def rename(self, path: Path, final: Path) -> None:
        """See `Disk.rename`."""
        self._before("rename", path)
        backup = self._backup(final)
        super().rename(path, final)
        self._after("rename", path, final=str(final), backup=backup)

    def link(self, path: Path, final: Path) -> None:
        """See `Disk.link`."""
        self._before("link", path)
        super().link(path, final)
        self._after("link", path, final=str(final))

    def unlink(self, path: Path) -> None:
        """See `Disk.unlink`."""
        self._before("unlink", path)
        backup = self._backup(path)
        super().unlink(path)
        self._after("unlink", path, backup=backup)

    def make_folder(self, path: Path) -> None:
        """See `Disk.make_folder`."""
        self._before("make_folder", path)
        super().make_folder(path)
        self._after("make_folder", path)

    def remove_folder(self, path: Path) -> None:
        """See `Disk.remove_folder`."""
        self._before("remove_folder", path)
        super().remove_folder(path)
        self._after("remove_folder", path)

    def write(self, file: IO[bytes], path: Path, data: bytes | memoryview) -> int:
        """Write to a file; of a write that fails half is carried out, as on a full disk."""
        try:
            self._before("write", path)
        except OSError:
            file.write(memoryview(data).cast("B")[: memoryview(data).nbytes // 2])
            file.flush()
            raise
        done = file.write(data)
        self._after("write", path)
        return done

    def _before(self, call: str, path: Path) -> None:
        number = len(self.calls)
        self.calls.append(call)
        if self.fault.kind == "kill" and not self.fault.after and number == self.fault.call:
            os.kill(os.getpid(), signal.SIGKILL)
        code = _ERRNO.get(self.fault.kind)
        if code is None or number < self.fault.call:
            return
        # a full disk stays full, but what is there can be removed and synced
        if self.fault.kind == "denied" or call in _FAILS_WHEN_FULL:
            raise OSError(code, os.strerror(code), str(path))

    def _after(self, call: str, path: Path, **about: Any) -> None:
        os.write(self._log, json.dumps({"call": call, "path": str(path), **about}).encode() + b"\n")
        if self.fault.kind == "kill" and self.fault.after and len(self.calls) - 1 == self.fault.call:
            os.kill(os.getpid(), signal.SIGKILL)

    def _backup(self, path: Path) -> str | None:
        if not path.exists():
            return None
        backup = self._journal / f"backup-{len(self.calls)}"
        os.link(path, backup)
        return str(backup)


class FaultyFile:
    """A file whose writes go through a FaultyDisk."""

    def __init__(self, file: IO[bytes], disk: FaultyDisk, path: Path) -> None:
        self._file, self._disk, self._path = file, disk, path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes | memoryview) -> int:
        """See `FaultyDisk.write`."""
        return self._disk.write(self._file, self._path, data)


def cut_power(journal: Path, rng: np.random.Generator) -> int:
    """Undo what the journalled calls did and never synced; how many things were lost.

    In each folder the last few changes since its last sync are gone, any number of them; a file that was not synced since it
    was made ends anywhere.
    """
    if not (journal / "log").exists():
        return 0
    calls = [json.loads(line) for line in (journal / "log").read_text().splitlines()]
    pending: dict[str, list[dict[str, Any]]] = {}
    unsynced: dict[int, None] = {}
    for call in calls:
        path = Path(call["path"])
        if call["call"] == "sync":
            unsynced.pop(call["inode"], None)
            pending.pop(str(path), None)
        else:
            if call["call"] == "create":
                unsynced[call["inode"]] = None
            if call["call"] != "write":
                pending.setdefault(str(path.parent), []).append(call)
    lost = sum(_truncate(Path(folder), unsynced, rng) for folder in {str(Path(call["path"]).parent) for call in calls})
    for changes in pending.values():
        kept = int(rng.integers(0, len(changes) + 1))
        for change in reversed(changes[kept:]):
            _undo(change)
            lost += 1
    return lost


def _truncate(folder: Path, inodes: dict[int, None], rng: np.random.Generator) -> int:
    files = [path for path in sorted(folder.glob("*")) if path.is_file() and path.stat().st_ino in inodes]
    for path in files:
        os.truncate(path, int(rng.integers(0, path.stat().st_size + 1)))
    return len(files)


def _undo(change: dict[str, Any]) -> None:
    path = Path(change["path"])
    match change["call"]:
        case "create":
            path.unlink(missing_ok=True)
        case "link":
            Path(change["final"]).unlink(missing_ok=True)
        case "rename":
            final = Path(change["final"])
            if final.exists():
                os.replace(final, path)
            if change["backup"] is not None:
                shutil.copy(change["backup"], final)
        case "unlink":
            if change["backup"] is not None:
                shutil.copy(change["backup"], path)
        case "make_folder":
            shutil.rmtree(path, ignore_errors=True)
        case "remove_folder":
            path.mkdir(exist_ok=True)
