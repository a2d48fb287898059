"""HnswIndex: a navigable graph by hnswlib, an alternative where it is installed.

Under a filter it is asked for more and the rest is thrown away: a filter inside the walk calls Python for every vector.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from choreodb.errors import MissingExtraError, StoreError
from choreodb.storage.exact_index import Bools, Ints, Result, Vectors, check_query, exact_search, extended, rescore

LINKS, BUILD_WIDTH = 16, 100
"""hnswlib's M and ef_construction."""

WIDTH = 8
"""The walk keeps so many times what is asked for, and never fewer than `MIN_WIDTH`."""

MIN_WIDTH = 400
_SEED = 1234
_EXACT_SHARE = 0.1


class HnswIndex:
    """See the module. vectors: [N, D] float32, may be memory-mapped; `index`: of hnswlib, by inner product."""

    def __init__(self, vectors: Vectors, index: Any) -> None:
        self._vectors = vectors
        self._index = index
        self._index.set_num_threads(1)

    @classmethod
    def build(cls, vectors: Vectors) -> HnswIndex:
        """Link `vectors` [N, D] one by one, on one thread: the same vectors give the same bytes. MissingExtraError."""
        index = _hnswlib().Index("ip", vectors.shape[1])
        index.init_index(max(1, len(vectors)), M=LINKS, ef_construction=BUILD_WIDTH, random_seed=_SEED)
        made = cls(vectors, index)
        # clip after clip would make islands that no edge leads to
        order = np.random.default_rng(_SEED).permutation(len(vectors))
        made._index.add_items(np.asarray(vectors, dtype=np.float32)[order], order, num_threads=1)
        return made

    @classmethod
    def load(cls, vectors: Vectors, path: Path) -> HnswIndex:
        """The index in a file, read into memory, which hnswlib cannot map; StoreError where it is damaged or of other vectors."""
        index = _hnswlib().Index("ip", vectors.shape[1])
        try:
            index.load_index(str(path))
        except (RuntimeError, MemoryError, ValueError) as error:
            raise StoreError(f"index/{path.name} is damaged: {str(error)[-120:]}; index the source again") from None
        if index.get_current_count() != len(vectors):
            raise StoreError(f"index/{path.name} does not fit the embeddings {vectors.shape}; index the source again")
        return cls(vectors, index)

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"HnswIndex({len(self)} vectors of {self._vectors.shape[1]})"

    def add(self, vectors: Vectors) -> None:
        """See `VectorIndex.add`."""
        first = len(self)
        self._vectors = extended(self._vectors, vectors)
        self._index.resize_index(len(self))
        self._index.add_items(np.asarray(vectors, dtype=np.float32), np.arange(first, len(self)), num_threads=1)

    def search(self, queries: Vectors, k: int, allowed: Bools | None = None) -> Result:
        """See `VectorIndex.search`; exact where fewer than a tenth of the ids are allowed."""
        queries = check_query(queries, self._vectors.shape[1], k, len(self), allowed)
        matches = len(self) if allowed is None else int(np.count_nonzero(allowed))
        ids = None if allowed is None else np.flatnonzero(allowed)
        wanted = min(len(self), -(-2 * k * len(self) // max(matches, 1)))
        if k >= matches or matches < _EXACT_SHARE * len(self) or 4 * wanted > len(self):
            return exact_search(self._vectors, queries, k, ids)
        found = self._walk(queries, wanted)
        if allowed is not None:
            found = np.where(allowed[found], found, -1)
        scores, best = rescore(self._vectors, queries, found, k)
        short = np.flatnonzero(best[:, -1] < 0)
        if len(short):
            scores[short], best[short] = exact_search(self._vectors, queries[short], k, ids)
        return scores, best

    def _walk(self, queries: Vectors, wanted: int) -> Ints:
        self._index.set_ef(max(MIN_WIDTH, WIDTH * wanted))
        found, _ = self._index.knn_query(queries, k=wanted, num_threads=1)
        return np.asarray(found, dtype=np.int64)

    def save(self, path: Path) -> None:
        """Write the file that `load` reads."""
        self._index.save_index(str(path))

    def write(self, file: IO[bytes]) -> None:
        """Write the same bytes into an open file; hnswlib itself writes by name only."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "hnsw"
            self.save(path)
            file.write(path.read_bytes())


def has_hnswlib() -> bool:
    """Whether hnswlib can be imported; does not import it."""
    from importlib.util import find_spec

    return find_spec("hnswlib") is not None


def _hnswlib() -> Any:
    try:
        import hnswlib
    except ImportError:
        raise MissingExtraError("hnswlib is not installed; install it with: pip install 'choreodb[hnswlib]'") from None
    return hnswlib
