"""FolderPlace: a library in a folder of this machine. What is committed is on the disk before anything names it."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from choreodb.errors import ConflictError, StoreError
from choreodb.storage.manifest import FOLDERS
from choreodb.storage.place import Draft

try:
    import fcntl
except ImportError:  # pragma: no cover  (no advisory locks: stray files are then left alone)
    fcntl = None  # type: ignore[assignment]

_HAS_LOCKS: bool = fcntl is not None

TEMPORARY = ".tmp-"
_PATIENCE_S = 10.0
_PAUSE_S = 0.002


class Disk:
    """The calls that change a disk, in one object, so that each of them can be made to fail."""

    def create(self, path: Path) -> IO[bytes]:
        """A new file, open for reading and writing."""
        return open(path, "x+b")

    def sync(self, path: Path) -> None:
        """Flush a file or a folder to the disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            # some file systems cannot sync a folder; there is nothing better to do then
            if error.errno not in (errno.EINVAL, errno.EBADF):
                raise
        finally:
            os.close(descriptor)

    def rename(self, path: Path, final: Path) -> None:
        """Give a file another name, replacing what has it."""
        os.replace(path, final)

    def link(self, path: Path, final: Path) -> None:
        """Give a file a second name; FileExistsError where that is taken."""
        os.link(path, final)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def make_folder(self, path: Path) -> None:
        """Make a folder unless it is there."""
        path.mkdir(exist_ok=True)

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()


class FolderPlace:
    """See `Place`. folder: of the library."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk = disk or Disk()

    def __str__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        return f"FolderPlace({str(self.folder)!r})"

    @property
    def name(self) -> str:
        """See `Place.name`."""
        return self.folder.name

    @property
    def locks(self) -> bool:
        """See `Place.locks`."""
        return _HAS_LOCKS

    def entries(self) -> list[str] | None:
        """See `Place.entries`."""
        try:
            return sorted(entry.name for entry in self.folder.iterdir())
        except (FileNotFoundError, ValueError):
            return None

    def names(self, folder: str) -> list[str]:
        """See `Place.names`."""
        try:
            return sorted(entry.name for entry in (self.folder / folder).iterdir())
        except (OSError, ValueError):
            return []

    def size(self, name: str) -> int:
        """See `Place.size`."""
        path = self.folder / name
        try:
            inside = path.resolve(strict=True).is_relative_to(self.folder.resolve())
            size = path.stat().st_size
            regular = path.is_file()
        except (OSError, RuntimeError) as error:
            raise FileNotFoundError(errno.ENOENT, "is missing", str(path)) from error
        if not inside or not regular:
            raise StoreError(f"{name} leads outside the library {str(self.folder)!r}; only plain files inside are read")
        return size

    def read(self, name: str, first: int = 0, count: int | None = None) -> bytes:
        """See `Place.read`."""
        self.size(name)
        with open(self.folder / name, "rb") as file:
            file.seek(first)
            return file.read(-1 if count is None else count)

    def local(self, name: str, sha256: str) -> Path:
        """See `Place.local`; the hash is `verify`'s to check, where the file is the library's own."""
        return self.folder / name

    def ready(self) -> None:
        """See `Place.ready`: every folder that takes hard links will do, and a commit tries them."""

    @contextmanager
    def changing(self) -> Iterator[None]:
        """See `Place.changing`."""
        created: list[Path] = []
        with writing(self):
            for folder in (self.folder / name for name in FOLDERS):
                missing = [path for path in (folder, *folder.parents) if not path.exists()]
                for path in reversed(missing):
                    self._disk.make_folder(path)
                    created.append(path)
                    self._disk.sync(path.parent)
                if not folder.resolve().is_relative_to(self.folder.resolve()):
                    raise StoreError(
                        f"{folder.name} leads outside the library {str(self.folder)!r}; make it a folder inside"
                    )
                if not folder.is_dir():
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        try:
            with self._shared_lock():
                self._remove_strays()
                yield
        except BaseException:
            for path in reversed(created):
                with suppress(OSError):
                    self._disk.remove_folder(path)
            raise

    @contextmanager
    def draft(self, folder: str) -> Iterator[Draft]:
        """See `Place.draft`; the file lies beside its final name and is locked for as long as it is written."""
        draft = self._open_draft(self.folder / folder)
        try:
            yield draft
        finally:
            # where it may not be removed it is a stray, and goes with the next change
            with suppress(OSError):
                self._disk.unlink(draft.path)
            draft.file.close()

    def _open_draft(self, folder: Path) -> Draft:
        while True:
            path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}"
            file = self._disk.create(path)
            # the lock tells other writers that this file is alive; it goes with the process, however that ends
            if not _HAS_LOCKS or (_lock(file.fileno()) and path.exists()):
                return Draft(path, file)
            file.close()

    def publish(self, draft: Draft, name: str) -> None:
        """See `Place.publish`."""
        draft.file.flush()
        self._disk.sync(draft.path)
        # an equal name means equal content, so replacing is harmless and repairs a damaged file
        self._disk.rename(draft.path, self.folder / name)

    def create(self, name: str, data: bytes) -> None:
        """See `Place.create`."""
        final = self.folder / name
        with self.draft(final.parent.name) as draft:
            for folder in FOLDERS:
                self._disk.sync(self.folder / folder)
            draft.file.write(data)
            draft.file.flush()
            self._disk.sync(draft.path)
            self._link(draft.path, final)
            self._disk.sync(final.parent)
            self._disk.sync(self.folder)

    def _link(self, path: Path, final: Path) -> None:
        try:
            self._disk.link(path, final)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                raise
            raise StoreError(
                f"the file system of {str(self.folder)!r} has no hard links, which commits need; use another folder"
            ) from None

    def delete(self, name: str) -> None:
        """See `Place.delete`."""
        with suppress(FileNotFoundError):
            self._disk.unlink(self.folder / name)

    def modified_s(self, name: str) -> float:
        """See `Place.modified_s`."""
        return (self.folder / name).stat().st_mtime

    def pin(self, name: str) -> object | None:
        """See `Place.pin`: a shared lock on the manifest, which goes with the process, however that ends."""
        self.size(name)
        file = open(self.folder / name, "rb")  # noqa: SIM115  (open for as long as the pin lives)
        if not _HAS_LOCKS:  # pragma: no cover
            return file
        # a commit locks its manifest until it is done, and a vacuum until it is gone; neither takes long
        until = time.monotonic() + _PATIENCE_S
        while not _lock(file.fileno(), fcntl.LOCK_SH) and time.monotonic() < until:
            time.sleep(_PAUSE_S)
        try:
            if os.path.samestat(os.fstat(file.fileno()), os.stat(self.folder / name)):
                return file
        except FileNotFoundError:
            pass
        file.close()
        raise FileNotFoundError(errno.ENOENT, "was removed", name)

    def remove_unpinned(self, name: str) -> bool:
        """See `Place.remove_unpinned`; the lock is held until the file is gone, so that nobody pins it meanwhile."""
        with suppress(FileNotFoundError), open(self.folder / name, "rb") as file:
            if _HAS_LOCKS and not _lock(file.fileno()):
                return False
            self._disk.unlink(self.folder / name)
            self._disk.sync(self.folder / "manifests")
        return True

    @contextmanager
    def _shared_lock(self) -> Iterator[None]:
        if not _HAS_LOCKS:  # pragma: no cover
            yield
            return
        with _opened(self.folder / "manifests") as descriptor:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield

    @contextmanager
    def clearing(self) -> Iterator[None]:
        """See `Place.clearing`."""
        with ExitStack() as stack:
            if _HAS_LOCKS:
                descriptor = stack.enter_context(_opened(self.folder / "manifests"))
                until = time.monotonic() + _PATIENCE_S
                while not _lock(descriptor):
                    if time.monotonic() > until:
                        raise ConflictError(
                            f"somebody is writing to library {str(self)!r}; run the command again later"
                        )
                    time.sleep(_PAUSE_S)
            self._remove_strays()
            yield

    def _remove_strays(self) -> None:
        """Remove drafts whose writer is gone; those of a living writer are locked and stay."""
        if not _HAS_LOCKS:  # pragma: no cover
            return
        for folder in FOLDERS:
            for path in sorted((self.folder / folder).glob(f"{TEMPORARY}*")):
                with suppress(OSError), open(path, "rb") as file:
                    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._disk.unlink(path)


def _lock(descriptor: int, kind: int | None = None) -> bool:
    """Lock a file without waiting (exclusively unless another `kind` is given); whether that could be done."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if kind is None else kind) | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def writing(what: object) -> Iterator[None]:
    """Turn operating-system errors into one line that names what could not be written."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write {str(what)!r}: {error.strerror or error}; check space and permissions"
        ) from None
