"""Vector indexes behind one protocol: exact by blocked matrix product, FAISS IVF-Flat for many vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

import numba as nb
import numpy as np
import numpy.typing as npt

from choreodb.errors import MissingExtraError, QueryError, StoreError
from choreodb.storage.store import Store

Vectors = npt.NDArray[np.float32]
Result = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]

EXACT_VECTORS = 20_000
"""Up to so many vectors the exact product is faster than any index; also the most that a filtered search gathers."""

FAISS_NAME = "faiss_ivf"
_BLOCK = 8192
_MARGIN = 8
_RESCORE_VALUES = 1 << 22
_SEED = 1234


class VectorIndex(Protocol):
    """Nearest neighbours by inner product."""

    def __len__(self) -> int: ...

    def search(self, queries: Vectors, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> Result:
        """The `k` best for each query: scores [Q, k'] descending and ids [Q, k'], ties by the lower id.

        queries: [Q, D]. allowed: [N], which ids may be found. k' is min(k, number of allowed ids), always.
        """
        ...


class ExactIndex:
    """Every score is computed; the reference for all others. vectors: [N, D] float32, may be memory-mapped."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"ExactIndex({len(self)} vectors of {self._vectors.shape[1]})"

    def search(self, queries: Vectors, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> Result:
        """See `VectorIndex.search`."""
        queries = _check_query(queries, self._vectors.shape[1], k, len(self), allowed)
        ids = None if allowed is None else np.flatnonzero(allowed)
        return exact_search(self._vectors, queries, k, ids)


def exact_search(vectors: Vectors, queries: Vectors, k: int, ids: npt.NDArray[np.int64] | None = None) -> Result:
    """The `k` best of `vectors` [N, D], or of those with `ids` (ascending), for each of `queries` [Q, D]."""
    count = len(vectors) if ids is None else len(ids)
    keep = min(k + _MARGIN, count)
    if 4 * keep >= count:
        return _ranked(vectors, queries, np.arange(count) if ids is None else ids, min(k, count))
    best = np.full((len(queries), keep), -np.inf, dtype=np.float32)
    found = np.full((len(queries), keep), -1, dtype=np.int64)
    for first in range(0, count, _BLOCK):
        numbers = np.arange(first, min(first + _BLOCK, count))
        chosen = vectors[first : first + _BLOCK] if ids is None else vectors[ids[numbers]]
        _merge(queries @ chosen.T, numbers if ids is None else ids[numbers], best, found)
    return rescore(vectors, queries, found, min(k, count))


def _ranked(vectors: Vectors, queries: Vectors, ids: npt.NDArray[np.int64], k: int) -> Result:
    """All of `ids` ranked and cut to `k`: cheaper than lists where most of them are wanted."""
    scores = (queries.astype(np.float64) @ vectors[ids].astype(np.float64).T).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), ids[order]


@nb.njit(cache=True, nogil=True)
def _merge(
    scores: npt.NDArray[np.float32],
    ids: npt.NDArray[np.int64],
    best: npt.NDArray[np.float32],
    found: npt.NDArray[np.int64],
) -> None:
    """Insert a block of scores [Q, B] into the descending lists `best` and `found` [Q, K]; earlier ids win ties."""
    last = best.shape[1] - 1
    for query in range(scores.shape[0]):
        for column in range(scores.shape[1]):
            score = scores[query, column]
            if found[query, last] >= 0 and not score > best[query, last]:
                continue
            place = last
            while place > 0 and (found[query, place - 1] < 0 or score > best[query, place - 1]):
                best[query, place] = best[query, place - 1]
                found[query, place] = found[query, place - 1]
                place -= 1
            best[query, place] = score
            found[query, place] = ids[column]


def rescore(vectors: Vectors, queries: Vectors, found: npt.NDArray[np.int64], k: int) -> Result:
    """Score the ids `found` [Q, K] again in float64 and keep the best `k`, ties by the lower id.

    A matrix product rounds differently from place to place; this makes a score depend on nothing but its two vectors.
    """
    scores = np.empty(found.shape, dtype=np.float32)
    rows = max(1, _RESCORE_VALUES // max(found.shape[1] * queries.shape[1], 1))
    for first in range(0, len(queries), rows):
        block = slice(first, first + rows)
        near = vectors[found[block]].astype(np.float64)
        scores[block] = np.einsum("qkd,qd->qk", near, queries[block].astype(np.float64))
    order = np.lexsort((found, -scores), axis=-1)[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(found, order, axis=1)


class FaissIndex:
    """FAISS IVF-Flat. A search under a filter is exact where few ids match, and probes more lists until k are found."""

    def __init__(self, vectors: Vectors, index: Any) -> None:
        self._vectors = vectors
        # a downcast index is a bare pointer: it dies with the object that it came from
        self._owner = index
        self._index = _faiss().downcast_index(index)
        self._gpu = _on_gpu(self._index)
        self._lists = int(self._index.nlist)
        self._probes = max(8, self._lists // 8)

    @classmethod
    def build(cls, vectors: Vectors) -> FaissIndex:
        """Train and fill an index over `vectors` [N, D]; MissingExtraError without FAISS."""
        return cls(vectors, _faiss().deserialize_index(np.frombuffer(build_ivf(vectors), dtype=np.uint8)))

    @classmethod
    def load(cls, vectors: Vectors, path: Path) -> FaissIndex:
        """The index in a file, memory-mapped; StoreError where it is damaged or of other vectors."""
        faiss = _faiss()
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError as error:
            raise StoreError(f"index/{path.name} is damaged: {str(error)[-120:]}; index the source again") from None
        if (index.ntotal, index.d) != vectors.shape or not hasattr(faiss.downcast_index(index), "nlist"):
            raise StoreError(f"index/{path.name} does not fit the embeddings {vectors.shape}; index the source again")
        return cls(vectors, index)

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"FaissIndex({len(self)} vectors of {self._vectors.shape[1]}, {self._lists} lists)"

    def search(self, queries: Vectors, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> Result:
        """See `VectorIndex.search`; approximate where more than 20,000 ids are allowed."""
        queries = _check_query(queries, self._vectors.shape[1], k, len(self), allowed)
        ids = None if allowed is None else np.flatnonzero(allowed)
        matches = len(self) if ids is None else len(ids)
        if matches <= EXACT_VECTORS or k >= matches:
            return exact_search(self._vectors, queries, k, ids)
        keep = min(k + _MARGIN, matches)
        # a filter thins every list, so as many lists more are needed to see as many vectors
        probes = min(self._lists, -(-self._probes * len(self) // matches))
        found = self._probe(queries, keep, allowed, probes)
        while probes < self._lists and bool(np.any(found < 0)):
            probes = min(self._lists, 2 * probes)
            found = self._probe(queries, keep, allowed, probes)
        return rescore(self._vectors, queries, found, k)

    def holds(self, ids: npt.NDArray[np.int64]) -> bool:
        """Whether the index has the vectors of these ids, and under these ids (or those of equal vectors)."""
        queries = np.ascontiguousarray(self._vectors[ids], dtype=np.float32)
        found = self._probe(queries, 1, None, self._lists)[:, 0]
        if np.any(found < 0):
            return False
        return bool(np.allclose(self._vectors[found], queries, atol=1e-6))

    def _probe(
        self, queries: Vectors, keep: int, allowed: npt.NDArray[np.bool_] | None, probes: int
    ) -> npt.NDArray[np.int64]:
        faiss = _faiss()
        parameters = faiss.SearchParametersIVF(nprobe=probes)
        index = self._index
        if allowed is None:
            index = self._gpu or index
        else:
            # only the index in main memory takes a selector; the bitmap must outlive the search
            bitmap = np.packbits(allowed, bitorder="little")
            parameters.sel = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bitmap))
        _, found = index.search(queries, keep, params=parameters)
        return np.asarray(found, dtype=np.int64)


def build_ivf(vectors: Vectors) -> bytes:
    """A serialised IVF-Flat index of `vectors` [N, D]; the same vectors give the same bytes."""
    faiss = _faiss()
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    lists = max(1, min(int(2.0 * np.sqrt(len(vectors))), len(vectors) // 40))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.niter, index.cp.max_points_per_centroid = _SEED, 10, 128
    index.cp.spherical = True
    threads = faiss.omp_get_max_threads()
    # sums depend on how they are split among threads
    faiss.omp_set_num_threads(1)
    try:
        index.train(vectors)
        index.add(vectors)
        return bytes(faiss.serialize_index(index).tobytes())
    finally:
        faiss.omp_set_num_threads(threads)


def build_files(vectors: Vectors) -> dict[str, bytes]:
    """What `Store.commit(index=...)` should get for these embeddings: nothing where exact search is as fast."""
    return {FAISS_NAME: build_ivf(vectors)} if len(vectors) > EXACT_VECTORS and has_faiss() else {}


def choose(store: Store, kind: Literal["auto", "exact", "faiss"] = "auto") -> VectorIndex:
    """The index to search `store` with: FAISS where the library holds such an index and FAISS is installed.

    kind `faiss` insists (MissingExtraError where FAISS is not installed, StoreError where the library has no index).
    """
    if kind not in ("auto", "exact", "faiss"):
        raise QueryError(f"index {kind!r}: expected auto, exact or faiss")
    vectors = store.array("embeddings")
    path = None if kind == "exact" else store.index_path(FAISS_NAME)
    if kind == "faiss" and path is None:
        _faiss()
        raise StoreError(
            f"library {str(store.place)!r} has no FAISS index, because exact search is as fast up to "
            f"{EXACT_VECTORS} segments; search with exact"
        )
    if path is None or (kind == "auto" and not has_faiss()):
        return ExactIndex(vectors)
    return FaissIndex.load(vectors, path)


def has_faiss() -> bool:
    """Whether FAISS can be imported; does not import it."""
    from importlib.util import find_spec

    return find_spec("faiss") is not None


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise MissingExtraError("FAISS is not installed; install it with: pip install 'choreodb[cpu]'") from None
    return faiss


def _on_gpu(index: Any) -> Any:
    """A copy of the index on the first GPU, or None where FAISS sees no GPU."""
    faiss = _faiss()
    if faiss.get_num_gpus() == 0:
        return None
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)


def _check_query(
    queries: Vectors, dimension: int, k: int, count: int, allowed: npt.NDArray[np.bool_] | None
) -> Vectors:
    if queries.ndim != 2 or queries.shape[1] != dimension:
        raise QueryError(f"queries have shape {queries.shape}; expected (Q, {dimension})")
    if k < 1:
        raise QueryError(f"k is {k}; expected at least 1")
    if allowed is not None and allowed.shape != (count,):
        raise QueryError(f"the filter has shape {allowed.shape}; expected ({count},)")
    if not np.all(np.isfinite(queries)):
        raise QueryError("queries hold NaN or infinity; expected finite vectors")
    return np.ascontiguousarray(queries, dtype=np.float32)
