"""Libraries of every format open for ever, and become libraries of the format that is written now."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from choreodb.cli import main
from choreodb.errors import StoreError
from choreodb.indexer.encoders import weights
from choreodb.storage import manifest as manifests
from choreodb.storage.catalogue import query_segments
from choreodb.storage.manifest import FORMAT_VERSION, NEEDS
from choreodb.storage.sql import query
from choreodb.storage.store import Store
from choreodb.storage.upgrade import upgrade
from choreodb.storage.verify import verify

FIXTURES = Path(__file__).parent / "fixtures"
FORMATS = range(1, FORMAT_VERSION + 1)


@pytest.fixture(params=FORMATS)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / f"library-format-{request.param}", tmp_path / "library"))


def test_every_format_opens_and_is_whole(library: Path) -> None:
    store = Store.open(library)
    assert verify(library) == ()
    assert len(
        query_segments(store, "licence = 'CC0' and (consent is null or consent = 'given')")
    ) == store.manifest.rows("segments")
    assert query(store, "select count(*) from clips").rows == ((store.manifest.rows("clips"),),)
    for row in store.table("clips").to_pylist():
        rotations, root, _ = store.read_motion(row["clip"], 0, row["frames"])
        np.testing.assert_allclose(np.linalg.norm(rotations, axis=-1), 1.0, atol=1e-5)
        assert np.isfinite(root).all()


def test_the_second_format_s_frames_are_the_same_for_ever() -> None:
    store = Store.open(FIXTURES / "library-format-2", "premiere")
    face = store.read_face("specimen/clip2", 20, 80)
    assert face is not None
    parts = [*store.read_motion("specimen/clip2", 20, 80), face]
    digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    assert digest == (FIXTURES / "library-format-2.sha256").read_text().strip()
    assert store.table("tombstones").to_pylist()[0]["reason"] == "consent withdrawn"
    assert store.columns("motion", ["packing"]).column("packing").to_pylist().count("compact") == 1
    plain = Store.open(FIXTURES / "library-format-2").read_motion("specimen/clip0", 0, 120)
    assert plain[0].shape == (120, 22, 4)


def test_the_third_format_carries_a_trained_encoder_for_ever() -> None:
    store = Store.open(FIXTURES / "library-format-3")
    data = store.model("encoder")
    assert data is not None
    carried = weights.from_bytes(data, source="the fixture")
    assert carried.hash == (FIXTURES / "library-format-3.sha256").read_text().strip() == store.encoder["sha256"]
    assert carried.tensors["matrix"].shape == (3, 256)


def test_an_upgrade_changes_the_format_and_nothing_else(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store.open(library)
    after = upgrade(store)
    assert after.manifest.format_version == FORMAT_VERSION
    assert verify(library) == ()
    assert after.manifest.arrays == store.manifest.arrays
    assert after.manifest.tables["motion"] == store.manifest.tables["motion"]
    for old, new in zip(store.table("clips").to_pylist(), after.table("clips").to_pylist(), strict=True):
        assert {**old, "mirror": True, "face": old["face"] or []} == new
    assert upgrade(after).version == after.version
    assert (after.version == store.version) == (store.manifest.format_version == FORMAT_VERSION)
    assert main(["upgrade", str(library)]) == 0
    assert "already" in capsys.readouterr().out


def test_every_format_has_a_fixture() -> None:
    assert sorted(path.name for path in FIXTURES.glob("library-format-*") if path.is_dir()) == [
        f"library-format-{number}" for number in FORMATS
    ]
    for number in FORMATS:
        folder = FIXTURES / f"library-format-{number}"
        text = next((folder / "manifests").glob("m-*.json")).read_bytes()
        assert json.loads(text)["format_version"] == number


def test_a_newer_format_names_what_it_needs(library: Path) -> None:
    newest = max((library / "manifests").glob("m-*.json"))
    body = json.loads(newest.read_bytes()) | {"format_version": FORMAT_VERSION + 1, "needs": "3.1.4"}
    newest.write_text(json.dumps(body))
    with pytest.raises(StoreError, match=r"newer than this ChoreoDB.*upgrade ChoreoDB to 3\.1\.4 or later") as caught:
        Store.open(library)
    assert "\n" not in str(caught.value)


def test_what_is_written_says_what_it_needs(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "library").commit()
    text = (tmp_path / "library" / "manifests" / manifests.file_name(1)).read_bytes()
    assert json.loads(text)["needs"] == NEEDS
    assert store.manifest.format_version == FORMAT_VERSION
