"""Trained weights on disk: the same bytes for the same weights, and one clear line for whatever is wrong with them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as dump

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import weights as w
from choreodb.indexer.encoders.model_card import model_card

TENSORS = {
    "music.0.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7.0,
    "music.0.bias": np.array([0.5, -0.25], dtype=np.float16),
    "steps": np.array(300, dtype=np.int64),
}
CARD: dict[str, Any] = {
    "architecture": "nothing",
    "version": 1,
    "config": {"width": 2, "window_s": 6.0},
    "data": {"source": "the troupe, version 4, seed 7", "licence": "CC0-1.0"},
    "metrics": {"own_style_auc": 0.5},
    "command": "choreodb train encoder LIB",
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    w.save(path, TENSORS, CARD)
    return path


def test_what_is_saved_is_loaded_again(saved: Path) -> None:
    found = w.load(saved)
    assert found.name == "tiny"
    assert found.card["config"] == CARD["config"]
    assert found.tensors.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(found.tensors[name], array, strict=True)
        assert not found.tensors[name].flags.writeable


def test_equal_weights_are_equal_bytes_whatever_the_order(saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "again" / "tiny.safetensors"
    w.save(again, dict(reversed(TENSORS.items())), dict(reversed(CARD.items())))
    for suffix in (".safetensors", ".json", ".md"):
        assert again.with_suffix(suffix).read_bytes() == saved.with_suffix(suffix).read_bytes()


def test_a_librarys_copy_in_one_file_is_the_same_weights(saved: Path) -> None:
    found = w.load(saved)
    data = w.to_bytes(found)
    copy = w.from_bytes(data, source="copy")
    assert copy.hash == found.hash
    assert dict(copy.card) == dict(found.card)
    assert w.to_bytes(copy) == data


def test_the_hash_is_of_numbers_names_shapes_architecture_and_config_and_of_nothing_else() -> None:
    base = w.made(TENSORS, {**CARD, "name": "a"}, source="x").hash
    flat = {**TENSORS, "music.0.weight": TENSORS["music.0.weight"].reshape(6, 4)}
    nudged = {**TENSORS, "music.0.bias": TENSORS["music.0.bias"] + np.float16(0.25)}
    renamed = {("other" if name == "steps" else name): array for name, array in TENSORS.items()}
    others = [w.made(tensors, {**CARD, "name": "a"}, source="x").hash for tensors in (flat, nudged, renamed)]
    others += [
        w.made(TENSORS, {**CARD, "name": "a", **change}, source="x").hash
        for change in ({"config": {"width": 3}}, {"architecture": "something"})
    ]
    assert len({base, *others}) == 6
    assert w.made(TENSORS, {**CARD, "name": "b", "metrics": {}}, source="x").hash == base


def test_the_model_card_says_what_for_whom_and_how(saved: Path) -> None:
    text = saved.with_suffix(".md").read_text()
    for part in ("# tiny", "CC0-1.0", "choreodb train encoder LIB", "own_style_auc: 0.5", w.load(saved).hash):
        assert part in text


def test_the_model_card_counts_what_would_fill_a_page(tmp_path: Path) -> None:
    data = {
        "origins": [f"{index:064d}" for index in range(40)],
        "sources": [{"licence": "CC0-1.0", "dataset": "troupe"}],
    }
    text = model_card({**CARD, "name": "a", "version": "1", "hash": "0" * 16, "data": data}, TENSORS)
    assert "- origins: 40 of them, listed in the JSON" in text
    assert "- sources: dataset troupe licence CC0-1.0" in text


def change_card(path: Path, **change: Any) -> None:
    side = path.with_suffix(".json")
    card = {**json.loads(side.read_text()), **change}
    side.write_text(json.dumps({key: value for key, value in card.items() if value is not None}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hash": "0" * 16}, "hash to .* where the card says 0000000000000000"),
        ({"hash": "zz"}, "card's hash is 'zz'"),
        ({"config": {"width": 9}}, "do not belong together"),
        ({"config": [1]}, r"card's config is '\[1\]'"),
        ({"architecture": "../../x"}, "card's architecture is '../../x'"),
        ({"data": None, "command": None}, "the card has no data, command"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(saved: Path, change: dict[str, Any], message: str) -> None:
    change_card(saved, **change)
    with pytest.raises(EncoderError, match=message) as caught:
        w.load(saved)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"none.safetensors'.*missing"):
        w.load(tmp_path / "none.safetensors")
    saved.with_suffix(".json").unlink()
    with pytest.raises(EncoderError, match=r"tiny.json': the sidecar of the weights is missing"):
        w.load(saved)


def test_numbers_that_are_not_finite_are_refused_on_both_sides(saved: Path, tmp_path: Path) -> None:
    bad = {**TENSORS, "music.0.bias": np.array([np.nan, 1.0], dtype=np.float32)}
    with pytest.raises(EncoderError, match=r"'music.0.bias' holds numbers that are not finite"):
        w.save(tmp_path / "bad.safetensors", bad, CARD)
    assert not (tmp_path / "bad.safetensors").exists()
    saved.write_bytes(dump(bad))
    with pytest.raises(EncoderError, match="not finite"):
        w.load(saved)


def test_absurd_sizes_are_refused_before_they_are_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(w, "MAX_BYTES", 10)
    with pytest.raises(EncoderError, match="expected at most 10"):
        w.load(saved)


def test_a_header_that_promises_more_than_there_is_is_refused(saved: Path) -> None:
    body = saved.read_bytes()
    saved.write_bytes((1 << 62).to_bytes(8, "little") + body[8:])
    with pytest.raises(EncoderError, match="no safetensors file, or it is damaged"):
        w.load(saved)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_gets_through_or_crashes(data: st.DataObject) -> None:
    whole = w.made(TENSORS, {**CARD, "name": "a"}, source="x")
    raw = bytearray(w.to_bytes(whole))
    cut = data.draw(st.integers(0, len(raw)))
    if data.draw(st.booleans()):
        raw = raw[:cut]
    elif cut < len(raw):
        raw[cut] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(EncoderError):
        assert w.from_bytes(bytes(raw), source="x").hash == whole.hash


def test_shapes_that_do_not_fit_the_config_are_named_with_both(saved: Path) -> None:
    found = w.load(saved)
    shapes = {name: array.shape for name, array in TENSORS.items()}
    w.expect_shapes(found, shapes)
    with pytest.raises(EncoderError, match=r"'steps' has shape \(\), and its config asks for \(3,\)"):
        w.expect_shapes(found, {**shapes, "steps": (3,)})
    with pytest.raises(EncoderError, match=r"'more' \(1,\) that its config asks for is missing"):
        w.expect_shapes(found, {**shapes, "more": (1,)})
    with pytest.raises(EncoderError, match=r"'steps' \(\) is not one that"):
        w.expect_shapes(found, {name: shape for name, shape in shapes.items() if name != "steps"})
