"""The indexes that `bench ann` compares: ours, and what a user would otherwise pick, each with the knob that trades CPU for recall.

Everything runs on one thread. A peer that takes no filter is asked for more and the rest is thrown away, as its user would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.storage.cell_index import CellIndex
from choreodb.storage.exact_index import ExactIndex, rescore
from choreodb.storage.faiss_index import FaissIndex, Packing

Vectors = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Search = Callable[[Vectors, int, int, Bools | None], Ints]
"""(queries, k, effort, allowed) -> ids [Q, k], -1 where there are fewer."""

OURS, LIMIT = "cells (ours)", "torch GEMM + topk"
_GEMM_BLOCK = 65_536
_MOST = 4000
"""No peer is asked for more than so many results to be filtered afterwards."""


@dataclass(frozen=True, slots=True)
class Contender:
    """package: what has to be installed. efforts: values of the knob, ascending; 0 is what the index chose itself.

    build: (vectors, path) makes the index and writes its file, if it has one. load: (vectors, path) -> search.
    largest: vectors up to which it is measured: what is slower at a tenth of that costs more minutes than it tells.
    """

    name: str
    package: str
    efforts: tuple[int, ...]
    build: Callable[[Vectors, Path], None]
    load: Callable[[Vectors, Path], Search]
    largest: int = 1_000_000


def _no_file(vectors: Vectors, path: Path) -> None:
    path.write_bytes(b"")


def _gemm(vectors: Vectors, path: Path) -> Search:
    """Blocked product and `topk` by torch: what exact search costs at least."""
    import torch

    torch.set_num_threads(1)
    whole = torch.from_numpy(np.array(vectors))

    def search(queries: Vectors, k: int, effort: int, allowed: Bools | None) -> Ints:
        """Rows [Q, k] by products with one block of vectors after another."""
        ids = None if allowed is None else torch.from_numpy(np.flatnonzero(allowed))
        rows = whole if ids is None else whole[ids]
        asked, best, found = torch.from_numpy(queries), torch.empty(0), torch.empty(0, dtype=torch.int64)
        for first in range(0, len(rows), _GEMM_BLOCK):
            scores = asked @ rows[first : first + _GEMM_BLOCK].T
            top, at = torch.topk(scores, min(k, scores.shape[1]), dim=1)
            at += first
            both, ids_of = (top, at) if first == 0 else (torch.cat([best, top], 1), torch.cat([found, at], 1))
            best, order = torch.topk(both, min(k, both.shape[1]), dim=1)
            found = ids_of.gather(1, order)
        out = found if ids is None else ids[found]
        return np.asarray(out.numpy())

    return search


def _exact(vectors: Vectors, path: Path) -> Search:
    index = ExactIndex(vectors)
    return lambda queries, k, effort, allowed: index.search(queries, k, allowed)[1]


def _build_cells(vectors: Vectors, path: Path) -> None:
    CellIndex.build(vectors).save(path)


def _cells(vectors: Vectors, path: Path) -> Search:
    """Effort is per cent of the budget that the index found for itself."""
    index = CellIndex.load(vectors, path)
    facts = index.facts

    def search(queries: Vectors, k: int, effort: int, allowed: Bools | None) -> Ints:
        index.facts = replace(facts, budget=facts.budget * (effort or 100) // 100)
        return index.search(queries, k, allowed)[1]

    return search


def _build_faiss(packing: Packing, vectors: Vectors, path: Path) -> None:
    FaissIndex.build(vectors, packing).save(path)


def _faiss(keep: int, vectors: Vectors, path: Path) -> Search:
    """FAISS as it comes, its selector inside the search; packed vectors are ranked again, `keep` times as many as asked for."""
    import faiss

    # a downcast index is a bare pointer: the closure has to keep what it came from
    owner: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    index: Any = faiss.downcast_index(owner)
    lists = int(owner.nlist if hasattr(owner, "nlist") else index.nlist)
    faiss.omp_set_num_threads(1)
    rabitq = type(index).__name__ == "IndexIVFRaBitQ"

    def search(queries: Vectors, k: int, effort: int, allowed: Bools | None) -> Ints:
        """Rows [Q, k] from `effort` lists; what is not allowed is left out by a bitmap."""
        parameters = (faiss.IVFRaBitQSearchParameters if rabitq else faiss.SearchParametersIVF)()
        parameters.nprobe = min(effort, lists)
        if allowed is not None:
            bitmap = np.packbits(allowed, bitorder="little")
            parameters.sel = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bitmap))
        _, found = faiss.downcast_index(owner).search(queries, keep * k, params=parameters)
        return (
            np.asarray(found, dtype=np.int64) if keep == 1 else rescore(vectors, queries, found.astype(np.int64), k)[1]
        )

    return search


def _build_hnswlib(vectors: Vectors, path: Path) -> None:
    from choreodb.storage.hnsw_index import HnswIndex

    HnswIndex.build(vectors).save(path)


def _hnswlib(vectors: Vectors, path: Path) -> Search:
    import hnswlib

    index = hnswlib.Index("ip", vectors.shape[1])
    index.load_index(str(path))
    index.set_num_threads(1)

    def walk(queries: Vectors, k: int, effort: int) -> Ints:
        index.set_ef(max(effort, k))
        return np.asarray(index.knn_query(queries, k=k, num_threads=1)[0], dtype=np.int64)

    return partial(_oversampled, walk, len(vectors))


def _build_usearch(vectors: Vectors, path: Path) -> None:
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_add=128)
    order = np.random.default_rng(0).permutation(len(vectors))
    index.add(order, np.asarray(vectors)[order], threads=1)
    index.save(str(path))


def _usearch(vectors: Vectors, path: Path) -> Search:
    from usearch.index import Index

    index = Index.restore(str(path), view=True)

    def walk(queries: Vectors, k: int, effort: int) -> Ints:
        index.expansion_search = max(effort, k)
        found = index.search(queries, k, threads=1)
        return np.asarray(found.keys, dtype=np.int64).reshape(len(queries), k)

    return partial(_oversampled, walk, len(vectors))


def _build_voyager(vectors: Vectors, path: Path) -> None:
    import voyager

    index = voyager.Index(voyager.Space.InnerProduct, vectors.shape[1], M=16, ef_construction=100)
    order = np.random.default_rng(0).permutation(len(vectors))
    index.add_items(np.asarray(vectors)[order], order, num_threads=1)
    index.save(str(path))


def _voyager(vectors: Vectors, path: Path) -> Search:
    import voyager

    index = voyager.Index.load(str(path))

    def walk(queries: Vectors, k: int, effort: int) -> Ints:
        # it reads whatever it is given as if its rows followed each other
        found = index.query(np.ascontiguousarray(queries), k, num_threads=1, query_ef=max(effort, k))[0]
        return np.asarray(found, dtype=np.int64).reshape(len(queries), k)

    return partial(_oversampled, walk, len(vectors))


def _oversampled(
    walk: Callable[[Vectors, int, int], Ints], count: int, queries: Vectors, k: int, effort: int, allowed: Bools | None
) -> Ints:
    """Results without a filter, of which those that it lets through are kept."""
    if allowed is None:
        return walk(queries, min(k, count), effort)
    matches = max(1, int(np.count_nonzero(allowed)))
    found = walk(queries, min(count, _MOST, 3 * k * count // (2 * matches)), effort)
    found = np.where(allowed[found], found, -1)
    order = np.argsort(found < 0, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1)


_SLOWER = 100_000
_PROBES = (4, 8, 12, 16, 24, 32, 64, 128)
_WIDTHS = (100, 200, 300, 400, 600, 800)

CONTENDERS: tuple[Contender, ...] = (
    Contender(LIMIT, "torch", (0,), _no_file, _gemm),
    Contender("exact (ours)", "numpy", (0,), _no_file, _exact),
    Contender(OURS, "numpy", (25, 50, 0, 200), _build_cells, _cells),
    Contender("FAISS IVF-Flat", "faiss", _PROBES, partial(_build_faiss, "flat"), partial(_faiss, 1)),
    Contender("FAISS IVF-SQ8", "faiss", _PROBES, partial(_build_faiss, "sq8"), partial(_faiss, 2), _SLOWER),
    Contender(
        "FAISS IVF-RaBitQ, 4 bits", "faiss", _PROBES, partial(_build_faiss, "rabitq"), partial(_faiss, 4), _SLOWER
    ),
    Contender("hnswlib", "hnswlib", _WIDTHS, _build_hnswlib, _hnswlib),
    Contender("usearch", "usearch", _WIDTHS, _build_usearch, _usearch, _SLOWER),
    Contender("voyager", "voyager", _WIDTHS, _build_voyager, _voyager, _SLOWER),
)
