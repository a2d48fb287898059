"""What was deleted from a library and is not to come back unasked."""

from __future__ import annotations

from choreodb.storage.store import Store


class Deleted:
    """The tombstones of a library, looked up by clip and by file."""

    def __init__(self, store: Store) -> None:
        tombs = store.columns("tombstones", ["clip", "source_sha256"]).to_pylist()
        self.clips = frozenset(row["clip"] for row in tombs)
        # a file that is cut into several clips shares its hash with those that were not deleted
        self._files = frozenset(row["source_sha256"] for row in tombs if "#" not in row["clip"])

    def holds(self, clip: str, source_sha256: str) -> bool:
        """Whether the clip was deleted, under this id or as the same file under another."""
        return clip in self.clips or source_sha256 in self._files
