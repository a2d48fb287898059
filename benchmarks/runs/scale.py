"""`bench scale`: a library of up to a million segments: what it takes to make, to open, to search, and bytes an hour by part.

Hours of captured dance are few; the rest are virtual copies of the troupe's takes at other tempi, and mirror images of both,
and the table says so. Opening and searching happen in a process of their own, which says how much memory it holds.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import QueryError
from choreodb.storage.store import Store
from choreodb.storage.virtual import MAX_RATE, MIN_RATE

FULL, QUICK = (10_000, 100_000, 1_000_000), (1_000,)
QUERIES, TOP = 20, 16
READS = 60
_FORM_CLIPS = 8

_OPENED = """
import json, sys, time
began, cpu = time.perf_counter(), time.process_time()
from choreodb.storage.store import Store
from choreodb.storage import index
def resident():
    with open("/proc/self/status") as file:
        return {line.split()[0]: int(line.split()[1]) / 1024 for line in file if line.startswith(("RssAnon", "VmRSS"))}
imported, before = time.perf_counter(), resident()
store = Store.open(sys.argv[1])
opened, memory = time.perf_counter(), resident()
import numpy as np
began = time.perf_counter()
vectors = store.array("embeddings")
checked = time.perf_counter()
rng = np.random.default_rng(0)
queries = np.array(vectors[np.sort(rng.choice(len(vectors), int(sys.argv[2]), replace=False))])
ready = time.perf_counter()
chosen = index.choose(store)
loaded = time.perf_counter()
chosen.search(queries[:1], int(sys.argv[3]))
first, cpu_before = time.perf_counter(), time.process_time()
_, ids = chosen.search(queries, int(sys.argv[3]))
many, cpu_after = time.perf_counter(), time.process_time()
exact = index.ExactIndex(vectors).search(queries, int(sys.argv[3]))[1]
shared = [len(set(a) & set(b)) / len(b) for a, b in zip(ids.tolist(), exact.tolist())]
after = resident()
print(json.dumps({
    "open_ms": 1000 * (opened - imported), "open_rss_mb": memory["VmRSS:"], "open_anon_mb": memory["RssAnon:"],
    "import_rss_mb": before["VmRSS:"], "first_query_ms": 1000 * (first - ready), "index": repr(chosen).split("(")[0],
    "embeddings_check_ms": 1000 * (checked - began), "index_check_ms": 1000 * (loaded - ready),
    "query_ms": 1000 * (many - first) / len(queries), "query_cpu_ms": 1000 * (cpu_after - cpu_before) / len(queries),
    "recall": sum(shared) / len(shared), "peak_anon_mb": after["RssAnon:"],
}))
"""

_DANCED = """
import json, sys, time
from choreodb.library import Library
library = Library.open(sys.argv[1])
rows = []
for number in range(2):
    began, cpu = time.perf_counter(), time.process_time()
    dance = library.dance(sys.argv[2])
    rows.append((time.perf_counter() - began, time.process_time() - cpu))
with open("/proc/self/status") as file:
    memory = {line.split()[0]: int(line.split()[1]) / 1024 for line in file if line.startswith(("RssAnon", "Vm"))}
print(json.dumps({
    "dance_first_cpu_s": rows[0][1], "dance_first_s": rows[0][0], "dance_cpu_s": rows[1][1], "dance_s": rows[1][0],
    "dance_anon_mb": memory["RssAnon:"], "dance_rss_mb": memory["VmRSS:"],
    # what getrusage calls the peak is that of the process which started this one, where that was larger
    "dance_peak_mb": memory["VmHWM:"],
}))
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """sizes: segments of each library. minutes: of captured dance that they are copies of.
    song_s: length of the song that is danced to."""

    sizes: tuple[int, ...] = FULL
    minutes: float = 20.0
    song_s: float = 60.0


def run(request: BenchRequest) -> BenchResult:
    """On copies of the takes of the request's library, else of a troupe that it makes."""
    effort = Effort(QUICK, 2.0, 15.0) if request.quick else Effort()
    rows = bench_scale(effort, library=request.library, seed=request.seed, progress=request.progress)
    return BenchResult("scale", rows, format_table(rows))


def bench_scale(
    effort: Effort, *, library: Path | None = None, seed: int = 0, progress: Callable[..., None] | None = None
) -> list[Row]:
    """Rows by size, then rows of bytes an hour by part of the largest."""
    from choreodb import sample

    tell = progress or (lambda *_: None)
    with tempfile.TemporaryDirectory() as folder:
        base = _base(Path(folder), effort.minutes, library, seed, tell)
        song = Path(folder) / "song.flac"
        sample.make_song(song, style="house", seconds=effort.song_s, seed=77)
        rows = []
        for size in effort.sizes:
            tell(f"scale: {size} segments", 0, 1)
            rows.append(_sized(base, size, seed, song))
        return [*rows, *_parts(Store.open(base)), *_forms(Store.open(base), Path(folder))]


def _base(folder: Path, minutes: float, library: Path | None, seed: int, tell: Callable[..., None]) -> Path:
    """A compact library of captured takes, which the copies are added to."""
    from choreodb import sample
    from choreodb.indexer.build import index

    if library is not None:
        return _copied(library, folder / "library")
    tell("scale: making a troupe", 0, 1)
    sample.make(folder / "troupe", minutes=minutes, seed=seed)
    index([folder / "troupe"], folder / "library", packing="compact", progress=tell)
    return folder / "library"


def _copied(library: Path, target: Path) -> Path:
    import shutil

    shutil.copytree(Store.open(library).path, target)
    return target


def rates(count: int) -> list[float]:
    """So many different rates, evenly spread over what a copy may have in octaves, none of them 1."""
    if count > 20_000:
        raise QueryError(f"{count} tempi are too near to each other to be told apart; capture more minutes")
    even = np.exp(np.linspace(np.log(MIN_RATE), np.log(MAX_RATE), count + 2)[1:-1])
    return [round(float(rate), 4) if round(float(rate), 4) != 1.0 else 1.0001 for rate in even]


def _sized(base: Path, size: int, seed: int, song: Path) -> Row:
    from choreodb.indexer.copies import add_copies
    from choreodb.storage import history

    store = Store.open(base, version=1)
    captured = store.manifest.rows("segments")
    copies = max(0, -(-size // captured) - 1)
    began, cpu = time.perf_counter(), time.process_time()
    after = add_copies(Store.open(base), rates(copies)) if copies else store
    took = time.perf_counter() - began, time.process_time() - cpu
    clips = after.columns("clips", ["duration_s"]).column(0).to_numpy()
    row: Row = {
        "kind": "size",
        "segments": after.manifest.rows("segments"),
        "captured_segments": captured,
        "captured_min": float(store.columns("clips", ["duration_s"]).column(0).to_numpy().sum() / 60.0),
        "hours": float(clips.sum() / 3600.0) * _sides(after),
        "copies_s": took[0],
        "copies_cpu_s": took[1],
        "made_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "checked_mb": _checked_bytes(after) / 1e6,
        "bytes": sum(entry.bytes for entry in after.manifest.files()),
        **_told(_OPENED, str(base), str(QUERIES), str(TOP)),
        **_told(_DANCED, str(base), str(song)),
        **_read(after, seed),
    }
    del after
    history.vacuum(base, keep=2)
    return row


def _checked_bytes(store: Store) -> int:
    """Bytes of the embeddings and the index, which are compared with their checksums before the first search."""
    return store.manifest.arrays["embeddings"].file.bytes + sum(entry.bytes for entry in store.manifest.index.values())


def _sides(store: Store) -> float:
    """2 where every clip is mirrored, 1 where none is."""
    mirrored = store.columns("segments", ["mirrored"]).column(0).to_numpy(zero_copy_only=False)
    return 1.0 / max(1.0 - float(mirrored.mean()), 0.5)


def _told(program: str, *arguments: str) -> Row:
    """What another process says of a library."""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise QueryError(f"a library could not be used by another process: {done.stderr.strip()[-200:]}")
    return dict(json.loads(done.stdout))


def _read(store: Store, seed: int) -> Row:
    """Bytes of the row groups touched, and time, for the frames of random segments read one after the other."""
    rng = np.random.default_rng(seed)
    columns = store.columns("segments", ["clip", "start_s", "end_s"])
    names, start, end = (columns.column(name) for name in ("clip", "start_s", "end_s"))
    chosen = rng.choice(len(columns), min(READS, len(columns)), replace=False).tolist()
    frames = {row["clip"]: row["frames"] for row in store.columns("clips", ["clip", "frames"]).to_pylist()}
    wanted = []
    for at in chosen:
        clip, first = names[at].as_py(), int(start[at].as_py() * 60.0)
        wanted.append((clip, first, min(int(end[at].as_py() * 60.0) + 1, frames[clip])))
    reader = store.motion
    began, cpu = time.perf_counter(), time.process_time()
    for clip, first, stop in wanted:
        store.read_motion(clip, first, stop)
    took = time.perf_counter() - began, time.process_time() - cpu
    whole = sum(entry.bytes for entry in store.manifest.tables["motion"])
    return {
        "read_ms": 1000.0 * took[0], "read_cpu_ms": 1000.0 * took[1], "read_bytes": reader.bytes_read, "motion_bytes": whole,
    }  # fmt: skip


def _parts(store: Store) -> list[Row]:
    """Bytes of every table, array and index, by hour of dance; motion by captured hour."""
    hours = float(store.columns("clips", ["duration_s"]).column(0).to_numpy().sum() / 3600.0)
    clips = store.columns("clips", ["duration_s", "copy_of"])
    captured = sum(row["duration_s"] for row in clips.to_pylist() if row["copy_of"] is None) / 3600.0
    manifest = store.manifest
    parts = {f"table {name}": sum(part.bytes for part in files) for name, files in manifest.tables.items()}
    parts |= {f"array {name}": entry.file.bytes for name, entry in manifest.arrays.items()}
    parts |= {f"index {name}": entry.bytes for name, entry in manifest.index.items()}
    sides = _sides(store)
    rows = []
    for name, size in sorted(parts.items(), key=lambda item: -item[1]):
        own = captured if name == "table motion" else hours * sides
        rows.append({"kind": "part", "part": name, "mb": size / 1e6, "hours": own, "mb_hour": size / 1e6 / own})
    return rows


def _forms(store: Store, folder: Path) -> list[Row]:
    """Bytes of the same captured frames as BVH text, as npz and in either packing of the motion table."""
    from choreodb.motion import bvh
    from choreodb.motion.motion import Motion
    from choreodb.motion.skeleton import CHOREO22, CHOREO52
    from choreodb.storage.motion_blocks import PACKINGS
    from choreodb.storage.motion_table import MotionWriter

    rows = [row for row in store.table("clips").to_pylist() if row["copy_of"] is None][:_FORM_CLIPS]
    motions = [store.read_motion(row["clip"], 0, row["frames"]) for row in rows]
    sizes = {"BVH text": 0, "npz, compressed": 0}
    for rotations, root, contacts in motions:
        skeleton = CHOREO52 if rotations.shape[1] == len(CHOREO52) else CHOREO22
        text, packed = folder / "form.bvh", folder / "form.npz"
        bvh.save(Motion(rotations.astype(np.float64), root.astype(np.float64), skeleton, 60.0), text)
        np.savez_compressed(packed, rotations=rotations, root=root, contacts=contacts)
        sizes["BVH text"] += text.stat().st_size
        sizes["npz, compressed"] += packed.stat().st_size
    for packing in PACKINGS:
        with MotionWriter(folder / packing, packing=packing) as writer:
            for row, motion in zip(rows, motions, strict=True):
                writer.add(row["motion_key"], *motion)
        sizes[f"motion table, {packing}"] = sum(part.bytes for part in writer.parts)
    hours = sum(row["frames"] for row in rows) / 60.0 / 3600.0
    return [
        {"kind": "form", "form": form, "joints": motions[0][0].shape[1], "mb_hour": size / 1e6 / hours,
         "to_compact": size / sizes["motion table, compact"]}
        for form, size in sizes.items()
    ]  # fmt: skip


def format_table(rows: Sequence[Row]) -> str:
    """Two tables: sizes, parts."""
    sizes = [row for row in rows if row["kind"] == "size"]
    shown = [
        {**row, "gb": row["bytes"] / 1e9, "check_ms": row["embeddings_check_ms"] + row["index_check_ms"]}
        for row in sizes
    ]
    columns = [
        Column("segments", "segments", "d"), Column("captured_segments", "captured", "d"), Column("hours", "hours", ".1f"),
        Column("captured_min", "captured min", ".1f"), Column("copies_cpu_s", "copying, CPU s", ".1f"), Column("made_peak_mb", "peak MB", ".0f"), Column("gb", "GB", ".2f"),
        Column("open_ms", "open ms", ".0f"), Column("open_rss_mb", "resident MB", ".0f"), Column("import_rss_mb", "of that imports", ".0f"),
        Column("index", "index", "s"), Column("checked_mb", "checked MB", ".0f"), Column("check_ms", "checking ms", ".0f"),
        Column("first_query_ms", "first search ms", ".0f"), Column("query_cpu_ms", "search CPU ms", ".2f"),
        Column("recall", "recall@16", ".3f"), Column("peak_anon_mb", "anonymous MB after", ".0f"),
        Column("dance_first_cpu_s", "first dance, CPU s", ".1f"), Column("dance_cpu_s", "the next, CPU s", ".1f"),
        Column("dance_peak_mb", "peak MB", ".0f"), Column("read_cpu_ms", "60 segments' frames, CPU ms", ".1f"), Column("read_bytes", "bytes of row groups", "d"),
    ]  # fmt: skip
    parts = [row for row in rows if row["kind"] == "part"]
    kinds = [
        Column("part", "part", "s"), Column("mb", "MB", ".2f"), Column("hours", "of hours", ".1f"), Column("mb_hour", "MB an hour", ".3f"),
    ]  # fmt: skip
    forms = [
        Column("form", "the same captured frames as", "s"), Column("joints", "joints", "d"),
        Column("mb_hour", "MB an hour", ".1f"), Column("to_compact", "times compact", ".1f"),
    ]  # fmt: skip
    return "\n\n".join(
        [
            markdown(shown, columns),
            "Hours count mirror images. All but the captured segments are virtual: tempo-changed copies and mirror images. Peaks count "
            "mapped files that lie in memory. Checked: embeddings and index, compared with their checksums before the first search, "
            "of which the index's share is in its time.",
            markdown(parts, kinds),
            markdown([row for row in rows if row["kind"] == "form"], forms),
        ]
    )
