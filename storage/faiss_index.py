"""FaissIndex: FAISS inverted files, whole (IVF-Flat) or packed (SQ8, RaBitQ), on a GPU where FAISS sees one."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from choreodb.errors import MissingExtraError, QueryError, StoreError
from choreodb.storage.exact_index import Bools, Ints, Result, Vectors, check_query, exact_search, extended, rescore
from choreodb.storage.tuning import RECALL, RECALL_AT, questions

Packing = Literal["flat", "sq8", "rabitq"]
KEEP: dict[Packing, int] = {"flat": 1, "sq8": 2, "rabitq": 4}
"""How many times what is asked for is ranked again with the whole vectors."""

RABITQ_BITS = 4
LEAST_LISTS = 16
"""No query probes fewer lists, however easy the questions were."""

_MARGIN = 8
_SEED = 1234


class FaissIndex:
    """See the module. A search under a filter is exact where few ids match, and probes more lists until k are found.

    vectors: [N, D] float32, may be memory-mapped; a packed index ranks again with them.
    """

    def __init__(self, vectors: Vectors, index: Any) -> None:
        self._vectors = vectors
        # a downcast index is a bare pointer: it dies with the object that it came from
        self._owner = index
        self._index = need_faiss().downcast_index(index)
        self.packing = _packing(self._index)
        self._gpu = on_gpu(self._index)
        self._lists = int(self._index.nlist)
        self._probes = max(1, int(self._index.nprobe))

    @classmethod
    def build(cls, vectors: Vectors, packing: Packing = "flat", lists: int | None = None) -> FaissIndex:
        """Train and fill an index over `vectors` [N, D]; the same vectors give the same index. MissingExtraError."""
        faiss = need_faiss()
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        index = _empty(vectors.shape[1], lists or list_count(len(vectors)), packing)
        index.cp.seed, index.cp.niter, index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = (
            _SEED,
            8,
            48,
            1,
        )
        index.cp.spherical = True
        threads = faiss.omp_get_max_threads()
        # sums depend on how they are split among threads
        faiss.omp_set_num_threads(1)
        try:
            index.train(vectors)
            index.add(vectors)
            made = cls(vectors, index)
            made._tune()
            return made
        finally:
            faiss.omp_set_num_threads(threads)

    @classmethod
    def load(cls, vectors: Vectors, path: Path) -> FaissIndex:
        """The index in a file, memory-mapped; StoreError where it is damaged or of other vectors."""
        faiss = need_faiss()
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

    def add(self, vectors: Vectors) -> None:
        """See `VectorIndex.add`: the new vectors join the lists that there are."""
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._vectors = extended(self._vectors, vectors)
        self._index.add(vectors)
        self._gpu = on_gpu(self._index)

    def search(self, queries: Vectors, k: int, allowed: Bools | None = None) -> Result:
        """See `VectorIndex.search`."""
        queries = check_query(queries, self._vectors.shape[1], k, len(self), allowed)
        matches = len(self) if allowed is None else int(np.count_nonzero(allowed))
        if k >= matches or self._exact_is_cheaper(matches):
            return exact_search(self._vectors, queries, k, None if allowed is None else np.flatnonzero(allowed))
        keep = min(KEEP[self.packing] * k + _MARGIN, matches)
        # a filter thins every list, so as many lists more are needed to see as many vectors
        probes = min(self._lists, -(-self._wanted(k) * len(self) // matches))
        found = self._probe(queries, keep, allowed, probes)
        while probes < self._lists and bool(np.any(found < 0)):
            probes = min(self._lists, 2 * probes)
            found = self._probe(queries, keep, allowed, probes)
        return rescore(self._vectors, queries, found, k)

    def _exact_is_cheaper(self, matches: int) -> bool:
        """Whether the ids that match are fewer than the vectors in the lists that would be probed for them."""
        return matches * matches * self._lists <= self._probes * len(self) * len(self)

    def _wanted(self, k: int) -> int:
        return max(1, int(self._probes * max(1.0, np.sqrt(k / RECALL_AT))))

    def holds(self, ids: Ints) -> bool:
        """Whether the index has the vectors of these ids, and under these ids (or those of equal vectors)."""
        queries = np.ascontiguousarray(self._vectors[ids], dtype=np.float32)
        found = self._probe(queries, KEEP[self.packing], None, self._lists)
        best = rescore(self._vectors, queries, found, 1)[1]
        return bool(np.all(best >= 0)) and bool(np.allclose(self._vectors[best[:, 0]], queries, atol=1e-6))

    def save(self, path: Path) -> None:
        """Write the file that `load` maps."""
        path.write_bytes(self.to_bytes())

    def write(self, file: IO[bytes]) -> None:
        """Write the same bytes into an open file."""
        file.write(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The file's bytes; the same index gives the same."""
        return bytes(need_faiss().serialize_index(self._index).tobytes())

    def _tune(self) -> None:
        """Probe as many lists as it takes to find what `tuning` asks."""
        asked = questions(self._vectors, np.random.default_rng(_SEED))
        keep = min(KEEP[self.packing] * asked.k + _MARGIN, len(self))
        probes = min(LEAST_LISTS, self._lists)
        while probes < self._lists and asked.recall(self._probe(asked.queries, keep, None, probes)) < RECALL:
            probes = min(self._lists, probes + max(1, probes // 4))
            # what the packing loses no list brings back
            if self.packing != "flat" and 4 * probes > self._lists:
                break
        self._probes = self._index.nprobe = probes

    def _probe(self, queries: Vectors, keep: int, allowed: Bools | None, probes: int) -> Ints:
        faiss = need_faiss()
        kind = faiss.IVFRaBitQSearchParameters if self.packing == "rabitq" else faiss.SearchParametersIVF
        parameters = kind()
        parameters.nprobe = probes
        index = self._index
        if allowed is None:
            index = self._gpu or index
        else:
            # only the index in main memory takes a selector; the bitmap must outlive the search
            bitmap = np.packbits(allowed, bitorder="little")
            parameters.sel = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bitmap))
        _, found = index.search(queries, keep, params=parameters)
        return np.asarray(found, dtype=np.int64)


def list_count(vectors: int) -> int:
    """How many lists so many vectors get."""
    return max(1, min(int(2.0 * np.sqrt(vectors)), vectors // 40))


def _empty(dimensions: int, lists: int, packing: Packing) -> Any:
    faiss = need_faiss()
    coarse, product = faiss.IndexFlatIP(dimensions), faiss.METRIC_INNER_PRODUCT
    if packing == "flat":
        index = faiss.IndexIVFFlat(coarse, dimensions, lists, product)
    elif packing == "sq8":
        index = faiss.IndexIVFScalarQuantizer(coarse, dimensions, lists, faiss.ScalarQuantizer.QT_8bit, product)
    elif packing == "rabitq":
        index = faiss.IndexIVFRaBitQ(coarse, dimensions, lists, product, True, RABITQ_BITS)
        # a vector the index owns must not be freed with the Python object, too
        coarse.this.disown()
        index.own_fields = True
    else:
        raise QueryError(f"packing {packing!r}: expected flat, sq8 or rabitq")
    return index


def _packing(index: Any) -> Packing:
    names: dict[str, Packing] = {"IndexIVFScalarQuantizer": "sq8", "IndexIVFRaBitQ": "rabitq"}
    return names.get(type(index).__name__, "flat")


def has_faiss() -> bool:
    """Whether FAISS can be imported; does not import it."""
    from importlib.util import find_spec

    return find_spec("faiss") is not None


def on_gpu(index: Any) -> Any:
    """A copy of the index on the first GPU; None where FAISS sees no GPU, or the GPU takes no index of this kind."""
    faiss = need_faiss()
    # the converters do not fail without a GPU, they crash later
    if faiss.get_num_gpus() == 0 or _packing(index) == "rabitq":
        return None
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)


def need_faiss() -> Any:
    """The module; MissingExtraError with the command that installs it."""
    try:
        import faiss
    except ImportError:
        raise MissingExtraError("FAISS is not installed; install it with: pip install 'choreodb[cpu]'") from None
    return faiss
