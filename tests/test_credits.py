"""Credits: every frame of a dance has one owner, and a report of a stranger is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from choreodb import credits as module
from choreodb.cli import main
from choreodb.errors import QueryError
from choreodb.library import Library

Json = dict[str, Any]


@pytest.fixture(scope="module")
def report(sample_library: Path, sample_song: Path) -> Json:
    return Library.open(sample_library).dance(sample_song, refine="none").report


def write(folder: Path, document: object) -> Path:
    path = folder / "dance.json"
    path.write_text(json.dumps(document))
    return path


def test_every_frame_is_credited_once(report: Json, tmp_path: Path, root: Path) -> None:
    document = module.credits(module.read(write(tmp_path, report))).as_dict()
    jsonschema.validate(document, json.loads((root / "docs" / "schema" / "credits.schema.json").read_text()))
    uses = [(use, clip["clip"]) for owner in document["owners"] for clip in owner["clips"] for use in clip["uses"]]
    uses.sort(key=lambda use: use[0]["dance_frames"])
    ranges = [use["dance_frames"] for use, _ in uses]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == report["dance"]["frames"]
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert [clip for _, clip in uses] == [step["clip"] for step in report["steps"]]
    assert sum(owner["share"] for owner in document["owners"]) == pytest.approx(1.0, abs=1e-4)
    for use, _ in uses:
        assert use["blended_frames"][0] <= use["dance_frames"][0] < use["dance_frames"][1] <= use["blended_frames"][1]
    assert any(use["blended_frames"] != use["dance_frames"] for use, _ in uses)


def test_what_is_unknown_or_refused_is_flagged(report: Json) -> None:
    changed = json.loads(json.dumps(report))
    changed["steps"][0] |= {"licence": None, "performer": None, "consent": "Withdrawn"}
    document = module.credits(changed).as_dict()
    clip = changed["steps"][0]["clip"]
    assert clip in document["unknown_licence"]
    assert clip in document["unknown_performer"]
    assert clip in document["refused_consent"]
    text = module.credits(changed).text()
    assert "UNKNOWN LICENCE" in text
    assert "does not consent" in text


def test_the_command(report: Json, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, report)
    assert main(["credits", str(path)]) == 0
    text = capsys.readouterr().out
    assert all(step["clip"] in text and step["source_sha256"][:12] in text for step in report["steps"])
    assert main(["credits", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dance"]["frames"] == report["dance"]["frames"]


CHANGES: list[Callable[[Json], object]] = [
    lambda report: [],
    lambda report: {},
    lambda report: 7,
    lambda report: report | {"steps": [7]},
    lambda report: report | {"steps": "abc"},
    lambda report: report | {"dance": {"frames": -1, "fps": 60}},
    lambda report: report | {"dance": {"frames": 10, "fps": 0}},
    lambda report: report | {"dance": {"frames": 10, "fps": float("nan")}},
    lambda report: report | {"dance": {"frames": 1e300, "fps": 60}},
    lambda report: report | {"song": None},
    lambda report: report | {"steps": [report["steps"][0] | {"clip": 7}]},
    lambda report: report | {"steps": [report["steps"][0] | {"licence": ["a"]}]},
    lambda report: report | {"steps": [report["steps"][0] | {"source_frames": [1]}]},
    lambda report: report | {"steps": [report["steps"][0] | {"end_s": float("inf")}]},
    lambda report: report | {"steps": report["steps"][::-1]},
    lambda report: report | {"seams": [{"frame": 5, "to_step": 99999, "blend_s": [0, 0]}]},
    lambda report: report | {"seams": [{"frame": 5, "to_step": 0, "blend_s": None}]},
]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_report(report: Json, tmp_path: Path, change: Callable[[Json], object]) -> None:
    path = write(tmp_path, change(report))
    with pytest.raises(QueryError, match="no report of a dance") as caught:
        module.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 100_000, b"HIERARCHY\nROOT Hips"])
def test_what_is_no_json(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "dance.bvh"
    path.write_bytes(data)
    with pytest.raises(QueryError, match="it is not JSON"):
        module.read(path)
    with pytest.raises(QueryError, match="cannot be read"):
        module.read(tmp_path / "nothing.json")
    with pytest.raises(QueryError, match="cannot be read"):
        module.read(tmp_path)
