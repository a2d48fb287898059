"""CellIndex: nearest neighbours among many vectors, in cells of shortened rows, ranked again in full.

Rows are turned onto their principal directions and cut where these hold nearly all of the energy, so that a scan reads a
third of the bytes; what it finds is scored again with the whole vectors, which stay where they are. How many rows a query
looks at is found out when the index is built, on vectors of its own, and noted in the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import StoreError
from choreodb.storage import cells
from choreodb.storage.cells import Cells
from choreodb.storage.exact_index import Bools, Ints, Result, Vectors, check_query, exact_search, extended, rescore
from choreodb.storage.tuning import RECALL, RECALL_AT, questions
from choreodb.threads import one_thread

ENERGY = 0.995
"""Share of the vectors' energy that the kept directions hold, at least. Songs lie less in the directions of motion than motion
does: with 0.98, recall was 0.998 for questions made of motion and 0.984 for songs; with 0.995 it is 0.998 for both."""

KEEP, SPARE = 2, 64
"""A scan keeps so many times what is asked for, to be ranked again, and at most so many more than are asked for."""

LEAST_CELLS = 16
"""No query looks at fewer rows than so many cells hold, however easy the questions were."""

COST = 0.8
"""A row that is seen in its cell costs a query a little less than a row of an exact search over chosen ids, which has to gather them."""

GATHER = 50
"""To gather a row costs about what so many queries cost that look at it."""

_MAGIC = b"choreodb cells 1\n"
_ALIGN = 64
_DIRECTIONS = 32
_SAMPLE = 20_000
_SEED = 1234
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class CellFacts:
    """What a file of cells says of itself. vectors, dimensions: of the embeddings; directions: kept; budget: rows that a
    query for up to 50 looks at; recall: of the nearest 50, measured with so many `questions`."""

    vectors: int
    dimensions: int
    directions: int
    cells: int
    budget: int
    recall: float
    questions: int


class CellIndex:
    """See the module. vectors: [N, D] float32, may be memory-mapped; the index refers to them."""

    def __init__(self, vectors: Vectors, turn: Vectors, parts: Cells, facts: CellFacts) -> None:
        self._vectors = vectors
        self._turn = turn
        self._cells = parts
        self.facts = facts

    @classmethod
    def build(cls, vectors: Vectors, count: int | None = None) -> CellIndex:
        """An index over `vectors` [N, D] in `count` cells; the same vectors give the same index."""
        rng = np.random.default_rng(_SEED)
        count = count or cells.cell_count(len(vectors))
        with one_thread():
            turn = directions(vectors, rng)
            rows = shortened(vectors, turn)
            centres = cells.centres_of(rows, count, rng)
            offset, ids = cells.sorted_into(cells.nearest_centre(rows, centres), count)
            parts = Cells(centres, offset, ids, _taken(rows, ids))
            return cls(vectors, turn, parts, _tuned(vectors, turn, parts, rng))

    def __len__(self) -> int:
        return len(self._vectors)

    def __repr__(self) -> str:
        return f"CellIndex({len(self)} vectors of {self._vectors.shape[1]}, {self.facts.cells} cells)"

    def add(self, vectors: Vectors) -> None:
        """See `VectorIndex.add`: the new rows join the cells that there are."""
        self._vectors = extended(self._vectors, vectors)
        rows = shortened(vectors, self._turn)
        old = self._cells
        cell = np.repeat(np.arange(self.facts.cells), np.diff(old.offset))
        both = np.concatenate([cell, cells.nearest_centre(rows, old.centres)])
        offset, order = cells.sorted_into(both, self.facts.cells)
        first = len(old)
        ids = np.concatenate([old.ids, np.arange(first, first + len(rows))])[order]
        self._cells = Cells(old.centres, offset, ids, _taken(np.concatenate([old.rows, rows]), order))
        self.facts = CellFacts(**{**asdict(self.facts), "vectors": len(self._vectors)})

    def moved(self, vectors: Vectors, number: Ints, added: Ints) -> CellIndex:
        """The index of `vectors` [N, D], among which old ones lie at `number` [S] (-1: gone) and new ones at `added` [M].

        The cells, and how many rows a query looks at, stay.
        """
        old = self._cells
        cell = np.repeat(np.arange(self.facts.cells), np.diff(old.offset))
        there = number[old.ids]
        kept = there >= 0
        rows = shortened(np.ascontiguousarray(vectors[added]), self._turn)
        both = np.concatenate([cell[kept], cells.nearest_centre(rows, old.centres)])
        ids = np.concatenate([there[kept], added])
        order = np.lexsort((ids, both))
        offset = np.concatenate([[0], np.cumsum(np.bincount(both, minlength=self.facts.cells))]).astype(np.int64)
        parts = Cells(old.centres, offset, ids[order], _taken(np.concatenate([old.rows[kept], rows]), order))
        facts = CellFacts(**{**asdict(self.facts), "vectors": len(vectors)})
        return CellIndex(vectors, self._turn, parts, facts)

    def search(self, queries: Vectors, k: int, allowed: Bools | None = None) -> Result:
        """See `VectorIndex.search`; exact where so few ids are allowed that it is cheaper."""
        queries = check_query(queries, self._vectors.shape[1], k, len(self), allowed)
        matches = len(self) if allowed is None else int(np.count_nonzero(allowed))
        budget = self.budget(k)
        if k >= matches or exact_is_cheaper(matches, len(self), budget, len(queries)):
            return exact_search(self._vectors, queries, k, None if allowed is None else np.flatnonzero(allowed))
        keep = min(KEEP * k, k + SPARE, matches)
        found = cells.scan(np.ascontiguousarray(queries @ self._turn), keep, self._cells, budget, allowed)
        return rescore(self._vectors, queries, found, k)

    def budget(self, k: int) -> int:
        """Rows that a query for `k` looks at: in proportion to the root where it is more than the 50 that were measured."""
        wider = max(1.0, np.sqrt(k / RECALL_AT))
        return min(len(self), max(int(self.facts.budget * wider), KEEP * k))

    def holds(self, ids: Ints) -> bool:
        """Whether the index has every id once, and the rows of these ids under these ids."""
        place = np.full(len(self), -1, dtype=np.int64)
        place[self._cells.ids] = np.arange(len(self))
        if np.any(place < 0):
            return False
        here = shortened(np.ascontiguousarray(self._vectors[ids], dtype=np.float32), self._turn)
        return bool(np.allclose(self._cells.rows[place[ids]], here, atol=1e-4))

    def save(self, path: Path) -> None:
        """Write the file that `load` maps."""
        with path.open("wb") as file:
            self.write(file)

    def write(self, file: IO[bytes]) -> None:
        """Write the same bytes into an open file: a line of facts, then the arrays, each from a multiple of 64 bytes on."""
        parts = self._cells
        head = _MAGIC + json.dumps(asdict(self.facts), sort_keys=True).encode() + b"\n"
        file.write(head + b" " * (-len(head) % _ALIGN))
        for array in (self._turn, parts.centres, parts.offset, parts.ids, parts.rows):
            data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            file.write(data.tobytes() if data.nbytes < _BLOCK else data.data)
            file.write(bytes(-data.nbytes % _ALIGN))

    @classmethod
    def load(cls, vectors: Vectors, path: Path) -> CellIndex:
        """The index in a file, memory-mapped; StoreError where it is damaged or of other vectors."""
        facts, body = _read_head(path)
        if (facts.vectors, facts.dimensions) != vectors.shape:
            raise StoreError(f"index/{path.name} does not fit the embeddings {vectors.shape}; index the source again")
        turn, centres, offset, ids, rows = _mapped(path, facts, body)
        # compiled code follows these without looking
        if offset[0] != 0 or offset[-1] != len(ids) or np.any(np.diff(offset) < 0):
            raise _damaged(path, "its cells do not follow each other")
        if len(ids) and (ids.min() < 0 or ids.max() >= len(ids)):
            raise _damaged(path, "it names vectors that there are not")
        return cls(vectors, turn, Cells(centres, offset, ids, rows), facts)


def exact_is_cheaper(matches: int, vectors: int, budget: int, queries: int) -> bool:
    """Whether an exact search over `matches` ids costs less than looking for them in cells.

    To see `budget` rows that match, each query goes through `budget * vectors / matches` of them; an exact search goes
    through all that match, and has to gather them once.
    """
    return matches * matches * (queries + GATHER) <= COST * budget * vectors * queries


def directions(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    """The principal directions [D, D'] that hold `ENERGY` of the inner products of `vectors` [N, D], in steps of 32."""
    sample = np.sort(rng.choice(len(vectors), min(len(vectors), _SAMPLE), replace=False))
    rows = np.asarray(vectors[sample], dtype=np.float64)
    energy, axes = np.linalg.eigh(rows.T @ rows)
    held = np.cumsum(energy[::-1]) / max(float(energy.sum()), 1e-30)
    wanted = int(np.searchsorted(held, ENERGY)) + 1
    kept = min(vectors.shape[1], -(-wanted // _DIRECTIONS) * _DIRECTIONS)
    return np.ascontiguousarray(axes[:, ::-1][:, :kept], dtype=np.float32)


def shortened(vectors: Vectors, turn: Vectors) -> Vectors:
    """The vectors [N, D] along the directions of `turn` [D, D'], a block at a time."""
    out = np.empty((len(vectors), turn.shape[1]), dtype=np.float32)
    for first in range(0, len(vectors), _BLOCK):
        out[first : first + _BLOCK] = np.asarray(vectors[first : first + _BLOCK], dtype=np.float32) @ turn
    return out


def _taken(rows: Vectors, order: Ints) -> Vectors:
    return np.ascontiguousarray(rows[order])


def _tuned(vectors: Vectors, turn: Vectors, parts: Cells, rng: np.random.Generator) -> CellFacts:
    """The smallest budget, in steps of a quarter, that finds what `tuning` asks."""
    count, many = len(vectors), len(parts.offset) - 1
    asked = questions(vectors, rng)
    short = asked.queries @ turn

    def recall(budget: int) -> float:
        return asked.recall(cells.scan(short, min(KEEP * asked.k, count), parts, budget))

    # what the cut rows lose no budget brings back
    wanted = min(RECALL, recall(count) - 0.5 * (1.0 - RECALL))
    budget = next(each for each in _budgets(count, many) if each == count or recall(each) >= wanted)
    return CellFacts(count, vectors.shape[1], turn.shape[1], many, budget, round(recall(budget), 4), len(asked.queries))


def _budgets(count: int, many: int) -> Iterator[int]:
    """Budgets from the least on, each a quarter more, and at last all rows."""
    budget = max(LEAST_CELLS * count // many, KEEP * RECALL_AT)
    while budget < count:
        yield budget
        budget += budget // 4
    yield count


def _read_head(path: Path) -> tuple[CellFacts, int]:
    """The facts of a file, and where its arrays begin."""
    with path.open("rb") as file:
        head = file.readline(len(_MAGIC)) + file.readline(4096)
    try:
        if not head.startswith(_MAGIC):
            raise ValueError("it is no file of cells")
        facts = CellFacts(**json.loads(head[len(_MAGIC) :]))
        whole = ("vectors", "dimensions", "directions", "cells", "budget", "questions")
        if any(type(getattr(facts, name)) is not int or getattr(facts, name) < 0 for name in whole):
            raise ValueError("its numbers make no sense")
    except (ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from None
    return facts, len(head) + -len(head) % _ALIGN


def _mapped(path: Path, facts: CellFacts, first: int) -> list[npt.NDArray[Any]]:
    """The arrays of a file, memory-mapped."""
    floats, whole = np.dtype("<f4"), np.dtype("<i8")
    shapes: list[tuple[tuple[int, ...], np.dtype[Any]]] = [
        ((facts.dimensions, facts.directions), floats), ((facts.cells, facts.directions), floats), ((facts.cells + 1,), whole),
        ((facts.vectors,), whole), ((facts.vectors, facts.directions), floats),
    ]  # fmt: skip
    sizes = [math.prod(shape) * dtype.itemsize for shape, dtype in shapes]
    places = np.concatenate([[first], first + np.cumsum([size + -size % _ALIGN for size in sizes])]).tolist()
    if path.stat().st_size != places[-1]:
        raise _damaged(path, f"it has {path.stat().st_size} bytes, expected {places[-1]}")
    data = np.memmap(path, dtype=np.uint8, mode="r")
    return [
        np.frombuffer(data, dtype, math.prod(shape), place).reshape(shape)
        for place, (shape, dtype) in zip(places, shapes, strict=False)
    ]


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(f"index/{path.name} is damaged: {why}; index the source again")
