"""A file that is no report of a dance is refused in one line that says what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from choreodb.cli import main


@pytest.mark.parametrize("command", ["credits", "explain"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{}", "it has no "),
        (b"[]", "its JSON is a list"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (json.dumps({"song": None, "dance": None}).encode(), "is no report of a dance"),
        (None, "cannot be read"),
    ],
)
def test_other_files_are_refused_by_name(
    command: str, content: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.json"
    if content is not None:
        path.write_bytes(content)
    assert main([command, str(path)]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert str(path) in line
    assert said in line
    assert "choreodb dance" in line
