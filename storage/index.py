"""Vector indexes behind one protocol, and the one place where it is decided which of them a library gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Literal, Protocol, get_args

from choreodb.errors import QueryError, StoreError
from choreodb.storage.cell_index import CellIndex
from choreodb.storage.cells import cell_count
from choreodb.storage.exact_index import Bools, ExactIndex, Ints, Result, Vectors
from choreodb.storage.faiss_index import FaissIndex, has_faiss
from choreodb.storage.hnsw_index import HnswIndex, has_hnswlib
from choreodb.storage.store import Store

EXACT_VECTORS = 10_000
"""Up to so many vectors a library gets no index: a batch of exact products takes no longer than one of any index."""

CELLS_NAME, FAISS_NAME, HNSW_NAME = "cells", "faiss_ivf", "hnsw"
"""Names of index files in a library, in the order in which `choose` takes them."""

Kind = Literal["cells", "faiss", "sq8", "rabitq", "hnsw"]
Write = Callable[[IO[bytes]], None]


class VectorIndex(Protocol):
    """Nearest neighbours by inner product. A class also has `load(vectors, path)`, which maps what `save` wrote."""

    def __len__(self) -> int: ...

    def add(self, vectors: Vectors) -> None:
        """Take in vectors [M, D], under the ids that follow those that there are."""
        ...

    def search(self, queries: Vectors, k: int, allowed: Bools | None = None) -> Result:
        """The `k` best for each query: scores [Q, k'] descending and ids [Q, k'], ties by the lower id.

        queries: [Q, D]. allowed: [N], which ids may be found. k' is min(k, number of allowed ids), always. Scores are
        exact; which ids are found is nearly so.
        """
        ...

    def save(self, path: Path) -> None:
        """Write the index, without the vectors, into one file; the same index gives the same bytes."""
        ...


def chosen_kind(vectors: int, dimensions: int, memory_bytes: int | None = None) -> Kind | None:
    """The index that so many vectors get where nobody asks for another one; None is none, so that search is exact.

    The rule, measured by `choreodb bench ann` (docs/decisions/013): none up to `EXACT_VECTORS`; cells, which beat every
    other index at the same recall at any larger size; RaBitQ, where FAISS is there, once the
    embeddings would fill the memory of the machine. memory_bytes: of the machine, asked where it is not given.
    """
    if vectors <= EXACT_VECTORS:
        return None
    memory = memory_bytes or _memory_bytes()
    return "rabitq" if 4 * vectors * dimensions > memory and has_faiss() else "cells"


def _memory_bytes() -> int:
    """Bytes of main memory; a terabyte where the system does not tell."""
    import os

    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 1 << 40


def build(vectors: Vectors, kind: Kind) -> CellIndex | FaissIndex | HnswIndex:
    """An index of `kind` over `vectors` [N, D]; QueryError for a kind that there is not, MissingExtraError."""
    if kind == "cells":
        return CellIndex.build(vectors)
    if kind == "hnsw":
        return HnswIndex.build(vectors)
    if kind not in get_args(Kind):
        raise QueryError(f"index {kind!r}: expected {', '.join(get_args(Kind))}")
    return FaissIndex.build(vectors, "flat" if kind == "faiss" else kind)


def build_files(vectors: Vectors, kind: Kind | None = None) -> dict[str, Write]:
    """What `Store.commit(index=...)` should get for these embeddings: nothing where exact search is as fast.

    kind: another index than `chosen_kind`.
    """
    kind = kind or chosen_kind(*vectors.shape)
    if kind is None:
        return {}
    name = {"cells": CELLS_NAME, "hnsw": HNSW_NAME}.get(kind, FAISS_NAME)
    return {name: build(vectors, kind).write}


def moved(store: Store, vectors: Vectors, number: Ints, added: Ints) -> dict[str, Write] | None:
    """The cells of a library after rows went and came, for `Store.commit`; None where they are to be built anew.

    vectors: [N, D] afterwards. number: [S] place there of every row of the store, -1 without one. added: new places.
    The centres stay, so that this takes a copy and no training; they are made anew once the library would get a fifth
    more or fewer cells.
    """
    path = store.index_path(CELLS_NAME)
    if path is None or chosen_kind(*vectors.shape) != "cells":
        return None
    old = CellIndex.load(store.array("embeddings"), path)
    if not 0.8 < old.facts.cells / cell_count(len(vectors)) < 1.25:
        return None
    return {CELLS_NAME: old.moved(vectors, number, added).write}


def choose(store: Store, kind: Literal["auto", "exact", "cells", "faiss", "hnsw"] = "auto") -> VectorIndex:
    """The index to search `store` with: the one that the library holds, where what it needs is installed, else exact.

    A kind insists: MissingExtraError where its package is not installed, StoreError where the library has no such index.
    """
    vectors = store.array("embeddings")
    if kind == "exact":
        return ExactIndex(vectors)
    if kind != "auto":
        return _insisted(store, vectors, kind)
    for name in (CELLS_NAME, FAISS_NAME, HNSW_NAME):
        path = store.index_path(name)
        if path is not None and (name == CELLS_NAME or (has_faiss() if name == FAISS_NAME else has_hnswlib())):
            return _LOADERS[name](vectors, path)
    return ExactIndex(vectors)


def _insisted(store: Store, vectors: Vectors, kind: str) -> VectorIndex:
    name = {"cells": CELLS_NAME, "faiss": FAISS_NAME, "hnsw": HNSW_NAME}.get(kind)
    if name is None:
        raise QueryError(f"index {kind!r}: expected auto, exact, cells, faiss or hnsw")
    path = store.index_path(name)
    if path is None:
        has = ", ".join(sorted(store.manifest.index)) or f"none: exact search is as fast up to {EXACT_VECTORS} segments"
        raise StoreError(f"library {str(store.place)!r} has no index {name!r}; it has {has}")
    return _LOADERS[name](vectors, path)


_LOADERS: dict[str, Callable[[Vectors, Path], VectorIndex]] = {
    CELLS_NAME: CellIndex.load,
    FAISS_NAME: FaissIndex.load,
    HNSW_NAME: HnswIndex.load,
}
