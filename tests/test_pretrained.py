"""Encoders by name, path, address and by what a library recorded."""

from __future__ import annotations

import json
from pathlib import Path

import fake_encoder
import numpy as np
import pytest

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import pretrained, registry
from choreodb.indexer.encoders import weights as w
from choreodb.indexer.encoders.base import MotionWindow
from choreodb.indexer.encoders.rhythm import RhythmEncoder, RhythmStats

ADDRESS = "https://example.org/models/tiny.safetensors?download=1"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    fake_encoder.save(path)
    return path


class Server:
    """Files at an address, counting what is fetched."""

    def __init__(self, path: Path) -> None:
        self.files = {"tiny.safetensors": path.read_bytes(), "tiny.json": path.with_suffix(".json").read_bytes()}
        self.asked: list[str] = []

    def fetch(self, url: str, limit: int) -> bytes:
        name = url.partition("?")[0].rpartition("/")[2]
        self.asked.append(name)
        assert len(self.files[name]) <= limit
        return self.files[name]


@pytest.fixture
def server(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("CHOREODB_CACHE", str(tmp_path / "cache"))
    return Server(tiny)


def test_a_path_gives_the_encoder_that_its_card_names(tiny: Path) -> None:
    encoder = pretrained.from_pretrained(tiny)
    assert isinstance(encoder, fake_encoder.FakeEncoder)
    assert (encoder.name, encoder.hash) == ("tiny", w.load(tiny).hash)


def test_every_shipped_encoder_opens_and_all_of_them_are_small() -> None:
    for name in pretrained.names():
        assert pretrained.from_pretrained(name).name == name
    assert sum(path.stat().st_size for path in pretrained.SHIPPED.glob("*.safetensors")) < 8_000_000


def test_rhythm_has_no_weights_of_its_own() -> None:
    assert pretrained.find("rhythm") is None
    with pytest.raises(EncoderError, match="fitted to a library"):
        pretrained.from_pretrained("rhythm")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nobody", "no encoder 'nobody'; expected rhythm"),
        ("some/file.bin", r"no \.safetensors file"),
        ("some/file.safetensors", "missing"),
        ("http://example.org/x.safetensors", "expected https"),
        ("file:///etc/x.safetensors", "expected https"),
        ("https://example.org/x.bin", "expected https"),
    ],
)
def test_what_is_no_encoder_is_named(source: str, message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        pretrained.from_pretrained(source)


def test_an_address_is_fetched_once(server: Server, tiny: Path) -> None:
    first = pretrained.find(ADDRESS, fetch=server.fetch)
    again = pretrained.find(ADDRESS, fetch=server.fetch)
    assert first is not None
    assert again is not None
    assert first.hash == again.hash == w.load(tiny).hash
    assert server.asked == ["tiny.json", "tiny.safetensors", "tiny.json"]


def test_a_damaged_copy_in_the_cache_is_fetched_again(server: Server, tmp_path: Path) -> None:
    pretrained.find(ADDRESS, fetch=server.fetch)
    (kept,) = (tmp_path / "cache" / "encoders").iterdir()
    kept.write_bytes(b"x" * 100)
    assert pretrained.find(ADDRESS, fetch=server.fetch) is not None
    assert server.asked.count("tiny.safetensors") == 2


def test_an_address_without_a_hash_or_with_another_is_refused(server: Server, tmp_path: Path) -> None:
    card = json.loads(server.files["tiny.json"])
    for change, message in (({"hash": None}, "card's hash"), ({"hash": "0" * 16}, "do not belong together")):
        server.files["tiny.json"] = json.dumps(card | change).encode()
        with pytest.raises(EncoderError, match=message):
            pretrained.find(ADDRESS, fetch=server.fetch)
    del card["hash"]
    server.files["tiny.json"] = json.dumps(card).encode()
    with pytest.raises(EncoderError, match="the card has no hash"):
        pretrained.find(ADDRESS, fetch=server.fetch)
    assert not (tmp_path / "cache").exists()


def test_an_unknown_architecture_is_refused_by_name(tmp_path: Path) -> None:
    card = {"architecture": "perceiver", "version": 1, "config": {}, "data": {}, "metrics": {}, "command": ""}
    w.save(tmp_path / "odd.safetensors", {"a": np.ones(2, np.float32)}, card)
    with pytest.raises(EncoderError, match=r"'odd' are of the architecture 'perceiver'; this version knows .*tower"):
        pretrained.from_pretrained(tmp_path / "odd.safetensors")


def test_shapes_that_do_not_fit_are_refused(tmp_path: Path, tiny: Path) -> None:
    whole = w.load(tiny)
    w.save(tmp_path / "wide.safetensors", whole.tensors, {**whole.card, "config": {"inputs": 5}})
    with pytest.raises(EncoderError, match=r"'matrix' has shape \(3, 256\), and its config asks for \(5, 256\)"):
        pretrained.from_pretrained(tmp_path / "wide.safetensors")


def test_a_librarys_record_gives_its_encoder_back(tiny: Path) -> None:
    ranks = tuple(np.linspace(0.0, 1.0, 33).tolist())
    rhythm = RhythmEncoder(RhythmStats(ranks, ranks, ranks))
    assert registry.of_meta(json.loads(json.dumps(rhythm.meta()))).hash == rhythm.hash
    trained = pretrained.from_pretrained(tiny)
    assert registry.of_meta(trained.meta(), w.load(tiny)).hash == trained.hash


def test_a_record_without_its_weights_or_with_others_is_refused(tiny: Path, tmp_path: Path) -> None:
    meta = pretrained.from_pretrained(tiny).meta()
    with pytest.raises(EncoderError, match=r"weights it does not carry.*reembed"):
        registry.of_meta(meta)
    other = fake_encoder.save(tmp_path / "other.safetensors", seed=1)
    with pytest.raises(EncoderError, match=r"of hash .*, and the weights that it carries give"):
        registry.of_meta(meta, other)
    with pytest.raises(EncoderError, match="damaged"):
        registry.of_meta({"name": "rhythm", "stats": 3})


def test_a_name_of_an_architecture_is_taken_once() -> None:
    with pytest.raises(EncoderError, match="already"):
        registry.register("tower", "somewhere:else")


def test_windows_of_a_fake_encoder_are_unit_rows(tiny: Path) -> None:
    from choreodb.indexer.encoders.base import ClipMotion

    encoder = pretrained.from_pretrained(tiny)
    still = ClipMotion(
        np.zeros((60, 22, 4)), np.zeros((60, 3)), np.zeros((60, 22, 3)), np.zeros((60, 4), np.uint8), 60.0
    )
    rows = encoder.embed_motion(still, [MotionWindow(0.0, 0.5, np.empty(0), 0)])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
