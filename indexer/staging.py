"""Staging: clips that an index run has read, kept beside the library until they are committed.

A run that is killed leaves them there, and the next one goes on where it was. They are named by their motion key, which
covers the bytes of the file and all that is said about it, so that what has changed since is read again.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np

from choreodb.errors import ChoreoError
from choreodb.indexer import ingest
from choreodb.indexer.ingest import Ingested, Task
from choreodb.indexer.labels import Problem
from choreodb.storage.folder import writing
from choreodb.storage.place import Place

_HEAD = b"choreodb staged clip 1\n"
_SHA_BYTES = 32


class Staging:
    """The staged clips of one library that a run may use."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._names = {name for name in place.names("tables") if name.startswith("staged-")}
        self._used: set[str] = set()

    def __contains__(self, task: Task) -> bool:
        return _name(task) in self._names

    def save(self, task: Task, result: Ingested) -> None:
        """Keep a clip that was read."""
        file = f"tables/{_name(task)}"
        with writing(f"{self._place}/{file}"), self._place.draft("tables") as draft:
            draft.file.write(_encode(task, result))
            self._place.publish(draft, file)
        self._used.add(file)

    def load(self, task: Task) -> Ingested | None:
        """A clip that was kept; None where its file is damaged or gone, and the clip must be read again."""
        file = f"tables/{_name(task)}"
        self._used.add(file)
        try:
            return _decode(task, self._place.read(file))
        except (OSError, ChoreoError, zipfile.BadZipFile, ValueError, KeyError, TypeError):
            return None

    def clear(self) -> None:
        """Remove the clips that this run has kept or used."""
        for file in sorted(self._used):
            # what cannot be removed goes with the next vacuum
            with suppress(OSError):
                self._place.delete(file)


def _name(task: Task) -> str:
    return f"staged-{task.motion_key}.npz"


def _encode(task: Task, result: Ingested) -> bytes:
    facts = {
        "row": result.row,
        "song": result.song,
        "mirror": result.mirror,
        "problems": [asdict(problem) for problem in result.problems],
        "packing": task.packing,
    }
    arrays: dict[str, Any] = {"rotations": result.rotations, "root": result.root, "contacts": result.contacts}
    if result.face is not None:
        arrays["face"] = result.face
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    sink = io.BytesIO()
    np.savez(sink, **arrays)
    body = sink.getvalue()
    return _HEAD + hashlib.sha256(body).digest() + body


def _decode(task: Task, data: bytes) -> Ingested:
    """The clip in `data`; ValueError and the like where it is damaged, or another one."""
    start = len(_HEAD) + _SHA_BYTES
    body = data[start:]
    if data[: len(_HEAD)] != _HEAD or data[len(_HEAD) : start] != hashlib.sha256(body).digest():
        raise ValueError("not a staged clip")
    with np.load(io.BytesIO(body), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    facts: dict[str, Any] = json.loads(arrays.pop("facts").tobytes())
    row = facts["row"]
    if row["motion_key"] != task.motion_key or row["clip"] != task.source.clip or facts["packing"] != task.packing:
        raise ValueError("another clip")
    rotations, root, contacts = arrays["rotations"], arrays["root"], arrays["contacts"]
    return Ingested(
        row=row,
        rotations=rotations,
        root=root,
        contacts=contacts,
        face=arrays.get("face"),
        segments=ingest.segment(row, rotations, root, contacts),
        song=facts["song"],
        mirror=facts["mirror"],
        problems=tuple(Problem(**problem) for problem in facts["problems"]),
    )
