"""Trained encoders in libraries: recorded, carried, refused by hash, and exchanged for others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fake_encoder
import jsonschema
import numpy as np
import pytest

from choreodb.cli import main
from choreodb.errors import QueryError
from choreodb.indexer import merge, subset
from choreodb.indexer.build import index
from choreodb.indexer.copies import add_copies
from choreodb.indexer.encoders import recorded
from choreodb.indexer.reembed import reembed
from choreodb.indexer.repair import repair
from choreodb.library import Library
from choreodb.storage import edit, history
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    fake_encoder.save(path)
    return path


@pytest.fixture(scope="module")
def small_folder(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three dances of the troupe, with their songs."""
    folder = tmp_path_factory.mktemp("small") / "troupe"
    folder.mkdir()
    for number, clip in enumerate(sorted(sample_folder.rglob("*.bvh"))[:3]):
        shutil.copy(clip, folder / f"dance{number}.bvh")
    return folder


@pytest.fixture(scope="module")
def indexed(small_folder: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that was indexed with the fake encoder. Do not write to it."""
    library = tmp_path_factory.mktemp("trained") / "lib"
    index([small_folder], library, encoder=weights)
    return library


@pytest.fixture
def trained(indexed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(indexed, tmp_path / "lib"))


def test_a_library_carries_its_encoder(trained: Path, weights: Path) -> None:
    store = Store.open(trained)
    assert store.encoder["name"] == "tiny"
    assert store.meta["encoder"]["architecture"] == "fake"
    assert store.meta["encoder"]["trained_on"] == {"source": "random numbers"}
    assert recorded.of_store(store).hash == store.encoder["sha256"] == recorded.find(weights).encoder.hash  # type: ignore[union-attr]
    assert verify(trained) == ()


def test_reembedding_is_indexing_with_another_encoder(
    small_folder: Path, trained: Path, weights: Path, tmp_path: Path
) -> None:
    index([small_folder], tmp_path / "plain")
    before = Store.open(tmp_path / "plain")
    there = reembed(before, weights)
    want = Store.open(trained)
    assert there.version == before.version + 1
    assert there.manifest.models == want.manifest.models
    assert there.meta == want.meta
    for name in ("embeddings", "entry", "exit"):
        np.testing.assert_array_equal(there.array(name), want.array(name))
    assert there.manifest.tables == before.manifest.tables
    assert reembed(there, weights).version == there.version
    back = reembed(there, "rhythm")
    assert back.manifest.arrays == before.manifest.arrays
    assert (back.encoder, back.meta, dict(back.manifest.models)) == (before.encoder, before.meta, {})
    assert verify(tmp_path / "plain") == ()


def test_copies_are_embedded_anew_too(sample_library: Path, weights: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(sample_library, tmp_path / "lib"))
    copied = add_copies(Store.open(library), [1.1])
    there = reembed(copied, weights)
    assert verify(library) == ()
    back = reembed(there, "rhythm")
    np.testing.assert_allclose(back.array("embeddings"), copied.array("embeddings"), atol=1e-6)


def test_copies_by_a_trained_encoder_are_what_their_frames_give(trained: Path, weights: Path) -> None:
    before = Store.open(trained)
    copied = add_copies(before, [0.9, 1.1])
    own = before.manifest.rows("segments")
    rows = copied.array("embeddings")
    np.testing.assert_array_equal(rows[:own], before.array("embeddings"))
    assert not np.allclose(rows[own : 2 * own], rows[:own], atol=1e-3)
    assert verify(trained) == ()
    assert copied.manifest.models == before.manifest.models
    # embedding the frames of the copies as they are read changes nothing
    assert reembed(copied, weights).version == copied.version


def test_later_changes_go_on_with_the_recorded_encoder(
    trained: Path, small_folder: Path, sample_folder: Path, tmp_path: Path
) -> None:
    before = Store.open(trained)
    first = before.columns("clips", ["clip"]).column("clip").to_pylist()[0]
    after = edit.delete(before, [first])
    assert after.encoder == before.encoder
    more = tmp_path / "more"
    more.mkdir()
    shutil.copy(sorted(sample_folder.rglob("*.bvh"))[4], more / "another.bvh")
    index([more], trained)
    added = Store.open(trained)
    assert added.encoder == before.encoder
    assert added.model("encoder") == before.model("encoder")
    np.testing.assert_array_equal(added.array("embeddings"), reembed_rows(added))
    assert verify(trained) == ()


def reembed_rows(store: Store) -> np.ndarray:
    """What embedding every clip from scratch gives."""
    from choreodb.indexer.reembed import _trained

    found = recorded.trained_of(store)
    assert found is not None
    return _trained(store, found, lambda *_: None)


def test_the_encoder_goes_where_the_clips_go(trained: Path, small_folder: Path, weights: Path, tmp_path: Path) -> None:
    store = Store.open(trained)
    clips = store.columns("clips", ["clip"]).column("clip").to_pylist()
    subset.export(store, tmp_path / "part", subset.choose(store, clips[:1]))
    part = Store.open(tmp_path / "part")
    assert part.encoder == store.encoder
    assert verify(tmp_path / "part") == ()
    done = merge.merge(tmp_path / "both", [tmp_path / "part", trained])
    assert done.store.encoder == store.encoder
    np.testing.assert_array_equal(done.store.array("embeddings"), store.array("embeddings"))
    reembed(store, "rhythm")
    gone = history.rollback(trained, store.version)
    assert (gone.encoder, gone.model("encoder")) == (store.encoder, store.model("encoder"))
    history.vacuum(trained)
    assert Library.open(trained).encoder.name == "tiny"


def test_libraries_of_different_encoders_do_not_mix(trained: Path, small_folder: Path, tmp_path: Path) -> None:
    index([small_folder], tmp_path / "plain")
    with pytest.raises(QueryError, match=r"was embedded with 'rhythm' and .* with 'tiny'; embed one of them again"):
        merge.merge(tmp_path / "plain", [trained])
    other = fake_encoder.save(tmp_path / "weights" / "tiny.safetensors", seed=5)
    reembed(Store.open(tmp_path / "plain"), tmp_path / "weights" / "tiny.safetensors")
    assert other.hash != Store.open(trained).encoder["sha256"]
    with pytest.raises(QueryError, match="of another hash"):
        merge.merge(tmp_path / "plain", [trained])


def test_repair_makes_the_embeddings_of_a_trained_encoder_again(trained: Path) -> None:
    store = Store.open(trained)
    before = store.array("embeddings").copy()
    (trained / store.manifest.arrays["embeddings"].file.path).unlink()
    assert repair(trained).left == ()
    np.testing.assert_array_equal(Store.open(trained).array("embeddings"), before)


def test_a_query_by_another_encoder_is_refused(
    trained: Path, weights: Path, sample_song: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_encoder.save(tmp_path / "other.safetensors", seed=9)
    search = ["search", str(trained), "--music", str(sample_song), "--top", "1"]
    assert main([*search, "--encoder", str(weights)]) == 0
    capsys.readouterr()
    for encoder in ("rhythm", str(tmp_path / "other.safetensors")):
        for command in (search, ["dance", str(trained), str(sample_song), "-o", str(tmp_path / "x.bvh")]):
            assert main([*command, "--encoder", encoder]) == 1
            said = capsys.readouterr().err
            assert f"choreodb reembed {trained} --encoder {encoder}" in said
            assert said.count("\n") == 1
    assert main(["index", str(trained), "--library", str(trained), "--encoder", "rhythm"]) == 1
    assert not (tmp_path / "x.bvh").exists()


def test_a_damaged_copy_of_the_weights_is_named(trained: Path, sample_song: Path) -> None:
    (file,) = (trained / "models").iterdir()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    assert any(problem.file == f"models/{file.name}" for problem in verify(trained))
    with pytest.raises(Exception, match=f"models/{file.name} is damaged: its fold"):
        Library.open(trained).search(music=sample_song)


def test_info_says_which_encoder_and_which_twins(trained: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(trained), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    jsonschema.validate(facts, json.loads((root / "docs" / "schema" / "info.schema.json").read_text()))
    assert facts["encoder"] == {
        "name": "tiny", "sha256": Store.open(trained).encoder["sha256"], "architecture": "fake",
        "trained_on": {"source": "random numbers"},
    }  # fmt: skip
    groups = Store.open(trained).columns("segments", ["twin_group"]).column("twin_group").to_numpy()
    assert facts["twins"]["groups"] == len(np.unique(groups[groups >= 0]))
    assert main(["info", str(trained)]) == 0
    said = capsys.readouterr().out
    assert f"encoder tiny (fake), hash {facts['encoder']['sha256']}, trained on source random numbers" in said
    assert "twins" in said


def test_the_command_embeds_anew(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reembed", str(trained), "--encoder", "rhythm"]) == 0
    assert "version 2 is embedded with rhythm" in capsys.readouterr().out
    assert main(["reembed", str(trained), "--encoder", "rhythm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
    assert main(["reembed", str(trained), "--encoder", str(tmp_path / "none.safetensors")]) == 1
    assert "missing" in capsys.readouterr().err
    assert Store.versions(trained) == (1, 2)
