"""The report of a dance as a file from anybody: read within a size, and refused in one line where it is something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from choreodb.errors import QueryError

Json = dict[str, Any]
MAX_BYTES = 256 << 20
_REMEDY = "give the .json that `choreodb dance -o x.json` wrote"


def read(path: Path, check: Callable[[Json], None]) -> Json:
    """The report at `path`; QueryError where it cannot be read, or where `check` raises because something is missing.

    check: raises KeyError, TypeError, ValueError or AttributeError unless all that the caller reads is there.
    """
    report = _document(path)
    try:
        check(report)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _refusal(path, f"is no report of a dance ({_told(error)})") from None
    return report


def _document(path: Path) -> Json:
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refusal(path, f"cannot be read ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise _refusal(path, f"is larger than {MAX_BYTES >> 20} MB")
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _refusal(path, "is no report of a dance (it is not JSON)") from None
    if not isinstance(document, dict):
        raise _refusal(path, f"is no report of a dance (its JSON is a {type(document).__name__}, expected an object)")
    return document


def _told(error: Exception) -> str:
    """What an error says, without the name of its class; a KeyError names what is missing."""
    text = f"it has no {error.args[0]!r}" if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(text.split())[:120]


def _refusal(path: Path, why: str) -> QueryError:
    return QueryError(f"report {str(path)!r} {why}; {_REMEDY}")
