"""Damaged files: what a library says when one byte of it is another, or a file ends early.

Each damaged copy is verified, and then read without being verified: opened, every table, array, index and motion. Reading
either gives what it gave before, or refuses in one line that names the file, or gives something else without a word.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from choreodb.benchmarks.runs.registry import Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import ChoreoError
from choreodb.storage import specimen
from choreodb.storage.cell_index import CellIndex
from choreodb.storage.index import CELLS_NAME
from choreodb.storage.store import Store
from choreodb.storage.tables import SCHEMAS
from choreodb.storage.verify import verify

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Mutation:
    """One damaged file. at: place of the byte that is xored with `flip`, or the new length where flip is 0."""

    file: str
    at: int
    flip: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutation. verified: named by verify. read: same, refused, silent; or crash, late, or an error."""

    mutation: Mutation
    verified: bool
    read: str


def bench(folder: Path, count: int, rng: np.random.Generator) -> list[Row]:
    """Rows by kind of file, over `count` mutations of a small library with plain and one with compact motion."""
    outcomes: list[tuple[str, Outcome]] = []
    for packing, share in (("float32", 0.5), ("compact", 0.5)):
        library = folder / f"small-{packing}"
        _small(library, packing)
        chosen = _mutations(library, round(count * share), rng)
        outcomes += [(packing, outcome) for outcome in try_all(library, chosen)]
    return [_row(kind, group) for kind, group in _grouped(outcomes).items()]


def _small(library: Path, packing: str) -> None:
    """The smallest library with everything in it; two versions, so that one manifest is not the newest."""
    from choreodb.storage.motion_blocks import as_stored, blocks

    made = specimen.make(library, clips=2, bars=2, features=8)
    if packing == "compact":
        keys = made.table("clips").select(["motion_key", "clip", "frames"]).to_pylist()
        rows = []
        for row in keys:
            rotations, root, contacts = made.read_motion(row["clip"], 0, row["frames"])
            rotations, root = as_stored(rotations, root, "compact")
            rows.append(blocks(row["motion_key"], rotations, root, contacts, packing="compact"))
        tables = {name: made.table(name) for name in SCHEMAS if name != "motion" and name in made.manifest.tables}
        arrays = {name: np.array(made.array(name)) for name in made.manifest.arrays}
        shutil.rmtree(library)
        made = Store.create(library).commit(tables=tables, append_motion=rows, arrays=arrays, meta=made.meta)
    vectors = np.array(made.array("embeddings"))
    made.commit(
        meta={"second": True},
        index={CELLS_NAME: CellIndex.build(vectors).write},
        models={"encoder": np.linspace(0.0, 1.0, 512).astype("<f4").tobytes()},
    )


def _mutations(library: Path, count: int, rng: np.random.Generator) -> list[Mutation]:
    """Bytes and ends of all files: each file gets an equal share, and small ones do not get more than they have."""
    files = sorted(path for path in library.rglob("*") if path.is_file())
    out: list[Mutation] = []
    for path in files:
        name, size = path.relative_to(library).as_posix(), path.stat().st_size
        share = -(-count // len(files))
        # heads and tails hold the structure of a file; half of what is tried goes there
        near = np.concatenate([np.arange(min(256, size)), np.arange(max(0, size - 1024), size)])
        places = np.concatenate([rng.choice(near, share // 2), rng.integers(0, size, share - share // 2)])
        flips = np.where(rng.random(share) < 0.5, 1 << rng.integers(0, 8, share), rng.integers(1, 256, share))
        flips[rng.random(share) < 0.15] = 0
        out += [Mutation(name, int(at), int(flip)) for at, flip in zip(places, flips, strict=True)]
    return out


def try_all(library: Path, chosen: Sequence[Mutation]) -> list[Outcome]:
    """The outcome of every mutation, each undone before the next; in a process that is replaced where one kills it."""
    done: list[Outcome] = []
    good = content(library)
    context = get_context("forkserver")
    while len(done) < len(chosen):
        here, there = context.Pipe(duplex=False)
        left = list(chosen[len(done) :])
        child = context.Process(target=_try_many, args=(library, left, good, there))
        child.start()
        there.close()
        try:
            while len(done) < len(chosen):
                if not here.poll(_TIMEOUT_S):
                    child.kill()
                    done.append(Outcome(chosen[len(done)], False, "late"))
                    break
                done.append(here.recv())
        except EOFError:
            done.append(Outcome(chosen[len(done)], False, "crash"))
        child.join()
        _restore(library)
    return done


def _try_many(library: Path, chosen: Sequence[Mutation], good: dict[str, str], answer: Connection) -> None:
    for mutation in chosen:
        path = library / mutation.file
        kept = path.with_name(".kept")
        os.replace(path, kept)
        data = bytearray(kept.read_bytes())
        if mutation.flip:
            data[mutation.at] ^= mutation.flip
        else:
            del data[mutation.at :]
        path.write_bytes(data)
        problems = verify(library)
        verified = any(problem.file == mutation.file and "\n" not in problem.what for problem in problems)
        read = _read(library, mutation.file, good)
        os.replace(kept, path)
        answer.send(Outcome(mutation, verified, read))


def _restore(library: Path) -> None:
    """Undo the mutation of a process that died of it."""
    for kept in library.rglob(".kept"):
        damaged = [path for path in kept.parent.iterdir() if path.stat().st_mtime > kept.stat().st_mtime]
        for path in damaged:
            os.replace(kept, path)


def _read(library: Path, file: str, good: dict[str, str]) -> str:
    try:
        found = content(library)
    except ChoreoError as error:
        return "refused" if file in str(error) and "\n" not in str(error) else f"refused badly: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if found == good:
        return "same"
    return "older" if found["version"] != good["version"] else "silent"


def content(library: Path) -> dict[str, str]:
    """Hashes of everything that a query may read."""
    store = Store.open(library)
    found = {"version": str(store.version), "meta": repr(store.meta)}
    for name in store.manifest.tables:
        if name != "motion":
            found[name] = hashlib.sha256(repr(store.table(name).to_pydict()).encode()).hexdigest()
    for name in store.manifest.arrays:
        found[name] = hashlib.sha256(np.asarray(store.array(name)).tobytes()).hexdigest()
    for name in store.manifest.index:
        path = store.index_path(name)
        found[f"index {name}"] = hashlib.sha256(path.read_bytes() if path else b"").hexdigest()
    for name in store.manifest.models:
        found[f"model {name}"] = hashlib.sha256(store.model(name) or b"").hexdigest()
    for row in store.columns("clips", ["clip", "frames"]).to_pylist():
        parts = store.read_motion(row["clip"], 0, row["frames"])
        found[f"motion {row['clip']}"] = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()
    return found


def _grouped(outcomes: Sequence[tuple[str, Outcome]]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for packing, outcome in outcomes:
        stem = outcome.mutation.file.rpartition("/")[2].partition("-")[0]
        kind = {"m": "manifest", "motion": f"motion, {packing}"}.get(stem, stem)
        groups.setdefault(kind, []).append(outcome)
    return dict(sorted(groups.items()))


def _row(kind: str, group: Sequence[Outcome]) -> Row:
    known = ("same", "older", "refused", "silent")
    odd = [outcome for outcome in group if outcome.read not in known]
    silent = [outcome for outcome in group if outcome.read in ("silent", "older") and not outcome.verified]
    return {
        "kind": "damage",
        "file": kind,
        "mutations": len(group),
        "verified": sum(outcome.verified for outcome in group),
        **{name: sum(outcome.read == name for outcome in group) for name in known},
        "odd": len(odd),
        "undetected": len(silent) + len(odd),
        "first": f"{odd[0].mutation}: {odd[0].read}"[:200] if odd else None,
    }


def format_table(rows: Sequence[Row]) -> str:
    """One line a kind of file."""
    columns = [
        Column("file", "damaged file", "s"), Column("mutations", "mutations", "d"), Column("verified", "named by verify", "d"),
        Column("refused", "read: refused by name", "d"), Column("same", "read: the same", "d"),
        Column("older", "read: another version", "d"), Column("silent", "read: different, unverified", "d"),
        Column("odd", "crash, hang, other error", "d"), Column("first", "first of these", "s"),
    ]  # fmt: skip
    total, odd = sum(row["mutations"] for row in rows), sum(row["odd"] for row in rows)
    missed = sum(row["mutations"] - row["verified"] for row in rows)
    return f"{markdown(rows, columns)}\n\n{total} mutations, {missed} not named by verify, {odd} crashes, hangs or other errors."
