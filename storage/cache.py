"""Cache: copies on this machine of the immutable files of remote libraries, by the hash of their bytes, up to a bound."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from choreodb.errors import StoreError

CACHE_BYTES = 20 << 30
_GRACE_S = 60.0


class Cache:
    """A folder of files named by their sha256; safe for any number of processes, because a name has only one content.

    At most about `limit_bytes` are kept: the files that were used longest ago go first, but none that was used within
    the last minute. What a process has mapped stays readable to it after it is gone.
    """

    def __init__(self, folder: Path, limit_bytes: int = CACHE_BYTES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    @classmethod
    def usual(cls) -> Cache:
        """In `$CHOREODB_CACHE`, else in the user's cache folder; `$CHOREODB_CACHE_BYTES` bounds it (20 GiB)."""
        stated = os.environ.get("CHOREODB_CACHE")
        usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "choreodb"
        limit = os.environ.get("CHOREODB_CACHE_BYTES", str(CACHE_BYTES))
        if not limit.isdigit():
            raise StoreError(f"CHOREODB_CACHE_BYTES is {limit!r}; expected a number of bytes")
        return cls(Path(stated) if stated else usual, int(limit))

    def find(self, sha256: str) -> Path | None:
        """The file with these bytes, where it is here; it counts as used now."""
        path = self._path(sha256)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def keep(self, sha256: str, pieces: Iterable[bytes], *, what: str) -> Path:
        """Write a file in pieces; StoreError naming `what` where its bytes are not those of the hash."""
        path = self._path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{secrets.token_hex(8)}")
        digest = hashlib.sha256()
        try:
            with open(part, "xb") as file:
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
            if digest.hexdigest() != sha256:
                raise StoreError(
                    f"{what} is damaged: its sha256 is {digest.hexdigest()[:12]}..., expected {sha256[:12]}...; restore it"
                )
            os.replace(part, path)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
        self.shrink()
        return path

    def shrink(self) -> None:
        """Remove what was used longest ago until the rest is within the bound; also what writers that died have left."""
        now = time.time()
        files = []
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            with suppress(OSError):
                state = path.stat()
                files.append((state.st_mtime, state.st_size, path))
        total = sum(size for _, size, _ in files)
        for used, size, path in sorted(files):
            if total <= self.limit_bytes or now - used < _GRACE_S:
                return
            with suppress(OSError):
                path.unlink()
            total -= size

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256
