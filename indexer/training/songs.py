"""Songs of a library as audio files: found by content, since a library keeps no audio."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from choreodb.errors import EncoderError
from choreodb.indexer.discover import AUDIO_SUFFIXES
from choreodb.indexer.ingest import file_sha256


def find(wanted: Iterable[str], folders: Iterable[Path]) -> dict[str, Path]:
    """Audio file of each song (sha256) that lies in one of the folders, searched recursively.

    EncoderError for a folder that is not there.
    """
    keys = set(wanted)
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise EncoderError(f"{str(folder)!r} is no folder; name the folders of the library's songs")
        for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES):
            try:
                key = file_sha256(path)
            except OSError:
                continue
            if key in keys:
                found.setdefault(key, path)
    return found
