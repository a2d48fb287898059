"""The checksum of files that have none of their own, and what is said of those that changed on the disk."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreodb.errors import StoreError
from choreodb.storage import specimen
from choreodb.storage.fold import COLUMNS, Fold
from choreodb.storage.store import Store
from tests.forging import rewrite


def naive(data: bytes) -> str:
    """The fold, word by word."""
    sums = [0] * COLUMNS
    padded = data + bytes(-len(data) % (8 * COLUMNS))
    for at in range(0, len(padded), 8):
        column = at // 8 % COLUMNS
        sums[column] = (sums[column] + int.from_bytes(padded[at : at + 8], "little")) % 2**64
    return hashlib.sha256(b"".join(value.to_bytes(8, "little") for value in sums)).hexdigest()[:16]


def fold(data: bytes, cuts: list[int]) -> str:
    out = Fold()
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        out.update(memoryview(data)[first:last])
    return out.hexdigest()


@given(st.binary(max_size=10000), st.lists(st.integers(0, 10000), max_size=4))
def test_a_fold_does_not_depend_on_the_pieces(data: bytes, cuts: list[int]) -> None:
    assert fold(data, [min(cut, len(data)) for cut in cuts]) == naive(data)


@given(st.binary(min_size=1, max_size=9000), st.data())
def test_one_changed_byte_is_always_found(data: bytes, draw: st.DataObject) -> None:
    at, flip = draw.draw(st.integers(0, len(data) - 1)), draw.draw(st.integers(1, 255))
    changed = bytearray(data)
    changed[at] ^= flip
    assert fold(bytes(changed), []) != fold(data, [])


@pytest.fixture
def library(tmp_path: Path) -> Path:
    made = specimen.make(tmp_path / "library", clips=2, bars=2)
    made.commit(index={"faiss_ivf": b"index" * 9}, models={"encoder": b"weights" * 9})
    return made.path


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("stem", ["embeddings", "entry", "exit", "index", "models"])
def test_damage_is_named_at_the_first_use(library: Path, stem: str) -> None:
    folder = stem if stem in ("index", "models") else "arrays"
    path = next((library / folder).glob("*" if folder == stem else f"{stem}-*"))
    flip(path, path.stat().st_size - 3)
    store = Store.open(library)
    use = {"index": lambda: store.index_path("faiss_ivf"), "models": lambda: store.model("encoder")}
    with pytest.raises(StoreError, match=path.name) as caught:
        use.get(stem, lambda: store.array(stem))()
    assert ("--repair" in str(caught.value)) == (stem != "models")
    assert "\n" not in str(caught.value)


def test_a_file_without_a_fold_is_compared_by_its_sha256(library: Path) -> None:
    rewrite(library, lambda body: body["arrays"]["entry"].pop("fold"))
    assert np.array_equal(Store.open(library).array("entry"), Store.open(library, 1).array("entry"))
    flip(next((library / "arrays").glob("entry-*")), 200)
    with pytest.raises(StoreError, match="sha256"):
        Store.open(library).array("entry")


@pytest.mark.parametrize("fold", [1, "", "G" * 16, "0" * 15, None, ["0" * 16]])
def test_a_fold_that_is_none(library: Path, fold: object) -> None:
    rewrite(library, lambda body: body["arrays"]["entry"].update(fold=fold))
    if fold is None:
        assert Store.open(library).version
        return
    with pytest.raises(StoreError, match="fold"):
        Store.open(library)
