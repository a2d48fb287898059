"""Verify: re-hash every file of a library, and check that its tables, arrays, motion and graph agree with each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from choreodb.errors import ChoreoError, StoreError
from choreodb.storage import manifest as manifests
from choreodb.storage.cell_index import CellIndex
from choreodb.storage.faiss_index import FaissIndex, has_faiss
from choreodb.storage.graph import walkable
from choreodb.storage.index import CELLS_NAME, FAISS_NAME
from choreodb.storage.manifest import FileEntry, Manifest
from choreodb.storage.motion_table import BLOCK_FRAMES
from choreodb.storage.place import Place, at, file_sha256
from choreodb.storage.store import Store
from choreodb.storage.tables import ARRAY_DTYPES, ARRAYS, OPTIONAL_ARRAYS, SCHEMAS
from choreodb.storage.virtual import copy_frames, is_rate

FRAME_S = 1.0 / 60.0
UNIT_TOLERANCE = 1e-3
JOIN_TOLERANCE_S = 1e-6
_INDEX_SAMPLE = 256


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a library. file: relative to the library. what: one line."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def verify(library: Store | Place | Path | str, version: int | None = None) -> tuple[Problem, ...]:
    """Everything wrong with a library; empty where all is well. Never raises for what is on the disk.

    Files of every version are hashed; the tables are cross-checked for `version`, else that of the store, else the
    newest. A path may be given where the library is too damaged to be opened.
    """
    place = library.place if isinstance(library, Store) else at(library)
    found = manifests.versions(place)
    if not found:
        return (Problem("manifests", f"{str(place)!r} holds no library"),)
    loaded: dict[int, Manifest] = {}
    problems = [
        Problem(file, "is damaged: it names no version; tag it again") for file in manifests.damaged_tags(place)
    ]
    pins = []
    for number in found:
        file = f"manifests/{manifests.file_name(number)}"
        try:
            pins.append(place.pin(file))
            loaded[number] = manifests.load(place, number)
        except FileNotFoundError:
            # a vacuum took it since it was listed
            continue
        except (ChoreoError, OSError) as error:
            problems.append(_problem(file, error))
    broken = list(_check_files(place, loaded))
    problems += broken
    if version is None:
        version = library.version if isinstance(library, Store) else found[-1]
    if version not in found:
        problems.append(Problem(f"manifests/{manifests.file_name(version)}", "is not in the library"))
    if version in loaded:
        problems += _check_content(Store(place, loaded[version]), {problem.file for problem in broken})
    return tuple(dict.fromkeys(problems))


def _problem(file: str, error: Exception | str) -> Problem:
    what = " ".join(str(error).split()) or type(error).__name__
    return Problem(file, what.removeprefix(f"{file}:").removeprefix(f"{file} ").strip())


def _check_files(place: Place, loaded: dict[int, Manifest]) -> Iterator[Problem]:
    entries = dict.fromkeys(entry for manifest in loaded.values() for entry in manifest.files())
    for entry in entries:
        try:
            manifests.check(place, entry)
            digest = file_sha256(place, entry.path)
        except (ChoreoError, OSError) as error:
            yield _problem(entry.path, error)
            continue
        if digest != entry.sha256:
            yield Problem(entry.path, f"is damaged: its sha256 is {digest[:12]}..., expected {entry.sha256[:12]}...")


Check = Callable[[Store], Iterator[Problem]]


def _check_content(store: Store, broken: set[str]) -> list[Problem]:
    """Cross-checks whose files are all sound; what cannot be read has been reported already."""
    checks: list[tuple[Check, tuple[str, ...]]] = [
        (_check_clips, ("clips", "music")),
        (_check_music, ("music",)),
        (_check_segments, ("segments", "clips")),
        (_check_continuations, ("segments",)),
        (_check_transitions, ("transitions", "segments")),
        (_check_walkable, ("transitions", "segments")),
        (_check_tombstones, ("tombstones", "clips")),
        (_check_motion, ("motion", "clips")),
        (_check_arrays, tuple(ARRAYS)),
        (_check_index, (FAISS_NAME, "embeddings")),
        (_check_models, ("encoder",)),
        (_check_cells, (CELLS_NAME, "embeddings")),
    ]
    problems: list[Problem] = []
    for name in store.manifest.tables:
        if name not in SCHEMAS:
            problems.append(Problem(_file(store, name), f"{name!r} is not a table of a library"))
    for check, names in checks:
        if broken.isdisjoint(file for name in names for file in _files(store, name)):
            problems += _run(store, check, names[0])
    return problems


def _run(store: Store, check: Check, name: str) -> list[Problem]:
    problems: list[Problem] = []
    try:
        problems.extend(check(store))
    except ChoreoError as error:
        file = next((entry.path for entry in store.manifest.files() if entry.path in str(error)), _file(store, name))
        problems.append(_problem(file, error))
    except Exception as error:  # a file that was written wrong may break anything; it must be named, not crash
        problems.append(_problem(_file(store, name), f"cannot be checked: {type(error).__name__}: {error}"))
    return problems


def _entries(store: Store, name: str) -> tuple[FileEntry, ...]:
    if name in store.manifest.arrays:
        return (store.manifest.arrays[name].file,)
    if name in store.manifest.index:
        return (store.manifest.index[name],)
    if name in store.manifest.models:
        return (store.manifest.models[name],)
    return store.manifest.tables.get(name, ())


def _files(store: Store, name: str) -> list[str]:
    return [entry.path for entry in _entries(store, name)]


def _file(store: Store, name: str) -> str:
    """The file to name when `name` is wrong; the manifest where it has none."""
    return next(iter(_files(store, name)), f"manifests/{manifests.file_name(store.version)}")


def _where(store: Store, name: str, bad: npt.NDArray[np.bool_], what: str) -> Iterator[Problem]:
    """One problem for all rows that are `bad`, with the first of them."""
    if bad.any():
        rows = f"row {int(np.argmax(bad))}" + (f" and {int(bad.sum()) - 1} more" if bad.sum() > 1 else "")
        yield Problem(_file(store, name), f"{rows}: {what}")


def _check_columns(store: Store, name: str) -> Iterator[Problem]:
    """Nulls where none are allowed, and numbers that are not finite."""
    table = store.table(name)
    for column in SCHEMAS[name]:
        values = table.column(column.name)
        if not column.nullable and values.null_count:
            yield from _where(store, name, _numpy(pc.is_null(values)), f"{column.name} is null")
        flat = pc.list_flatten(values) if pa.types.is_list(column.type) else values
        if pa.types.is_floating(flat.type):
            finite = _numpy(pc.fill_null(pc.is_finite(flat), fill_value=True))
            yield from _where(store, name, ~finite, f"{column.name} is not finite")


def _check_beats(store: Store, name: str) -> Iterator[Problem]:
    table = store.columns(name, ["beats_s", "beat_positions"])
    counts = [_numpy(pc.list_value_length(column)) for column in table.columns]
    yield from _where(store, name, counts[0] != counts[1], "beats_s and beat_positions differ in length")
    yield from _check_increasing(store, name)


def _check_increasing(store: Store, name: str) -> Iterator[Problem]:
    beats = store.columns(name, ["beats_s"]).column("beats_s")
    parents, times = (_numpy(part) for part in (pc.list_parent_indices(beats), pc.list_flatten(beats)))
    back = np.zeros(len(beats), dtype=np.bool_)
    back[parents[1:][(np.diff(parents) == 0) & (np.diff(times) <= 0.0)]] = True
    yield from _where(store, name, back, "beats_s does not increase")


def _check_clips(store: Store) -> Iterator[Problem]:
    yield from _check_columns(store, "clips")
    yield from _check_beats(store, "clips")
    table = store.table("clips")
    names = table.column("clip").to_pylist()
    yield from _where(store, "clips", _repeated(names), "clip id occurs twice")
    songs = store.columns("music", ["music"]).column("music")
    paired = table.column("music")
    lost = pc.and_(pc.is_valid(paired), pc.invert(pc.is_in(paired, value_set=songs.combine_chunks())))
    yield from _where(store, "clips", _numpy(lost), "music is not in the music table")
    frames, seconds = (_numpy(table.column(name)) for name in ("frames", "duration_s"))
    yield from _where(store, "clips", frames < 1, "frames is not positive")
    yield from _where(
        store, "clips", np.abs(seconds - frames * FRAME_S) > 1.5 * FRAME_S, "duration_s does not fit frames at 60 fps"
    )


def _check_music(store: Store) -> Iterator[Problem]:
    yield from _check_columns(store, "music")
    yield from _check_beats(store, "music")
    keys = store.columns("music", ["music"]).column("music").to_pylist()
    yield from _where(store, "music", _repeated(keys), "music key occurs twice")


def _check_segments(store: Store) -> Iterator[Problem]:
    yield from _check_columns(store, "segments")
    yield from _check_increasing(store, "segments")
    table = store.table("segments")
    clips = store.columns("clips", ["clip", "duration_s"])
    numbers = _numpy(table.column("segment"))
    yield from _where(store, "segments", numbers != np.arange(len(numbers)), "segment is not the row number")
    place = pc.index_in(table.column("clip"), value_set=clips.column("clip").combine_chunks())
    lost = _numpy(pc.is_null(place))
    yield from _where(store, "segments", lost, "clip is not in the clips table")
    start, end = (_numpy(table.column(name)) for name in ("start_s", "end_s"))
    yield from _where(store, "segments", ~(start < end), "does not start before its end")
    known = _numpy(pc.fill_null(place, 0))
    length = _numpy(clips.column("duration_s"))[known] if len(clips) else np.zeros(len(table))
    outside = (start < -FRAME_S) | (end > length + FRAME_S)
    yield from _where(store, "segments", outside & ~lost, "reaches beyond its clip")


def _check_continuations(store: Store) -> Iterator[Problem]:
    table = store.columns("segments", ["continuation", "clip", "mirrored", "start_s", "end_s"])
    target = _numpy(table.column("continuation"))
    outside = (target < -1) | (target >= len(target))
    yield from _where(store, "segments", outside, "continuation is not a segment")
    source = np.flatnonzero((target >= 0) & ~outside)
    target = target[source]
    start, end = (_numpy(table.column(name)) for name in ("start_s", "end_s"))
    wrong = np.abs(start[target] - end[source]) > JOIN_TOLERANCE_S
    for name in ("clip", "mirrored"):
        codes = _numpy(pc.index_in(table.column(name), value_set=pc.unique(table.column(name))))
        wrong |= codes[source] != codes[target]
    bad = np.zeros(len(table), dtype=np.bool_)
    bad[source[wrong]] = True
    yield from _where(store, "segments", bad, "continuation does not start where it ends, in the same clip")


def _check_transitions(store: Store) -> Iterator[Problem]:
    yield from _check_columns(store, "transitions")
    table = store.table("transitions")
    source, target, cost, follows = (_numpy(table.column(name)) for name in SCHEMAS["transitions"].names)
    segments = store.manifest.rows("segments")
    outside = (np.minimum(source, target) < 0) | (np.maximum(source, target) >= segments)
    yield from _where(store, "transitions", outside, "is an edge to or from no segment")
    yield from _where(store, "transitions", cost < 0.0, "cost is negative")
    if not outside.any():
        continuation = _numpy(store.columns("segments", ["continuation"]).column("continuation"))
        yield from _where(
            store, "transitions", follows != (continuation[source] == target), "continuation does not fit segments"
        )


def _check_walkable(store: Store) -> Iterator[Problem]:
    edges = store.columns("transitions", ["source", "target"])
    stated = _numpy(store.columns("segments", ["walkable"]).column("walkable"))
    source, target = (_numpy(column) for column in edges.columns)
    if len(source) and (min(source.min(), target.min()) < 0 or max(source.max(), target.max()) >= len(stated)):
        return
    differ = stated != walkable(len(stated), source, target)
    yield from _where(store, "segments", differ, "walkable does not fit the transitions")


def _check_tombstones(store: Store) -> Iterator[Problem]:
    """A clip is there or deleted, not both."""
    yield from _check_columns(store, "tombstones")
    clips = set(store.columns("clips", ["clip"]).column("clip").to_pylist())
    dead = store.columns("tombstones", ["clip"]).column("clip").to_pylist()
    both = np.array([clip in clips for clip in dead], dtype=np.bool_)
    yield from _where(store, "tombstones", both, "a clip that was deleted is in the clips table")


def _check_motion(store: Store) -> Iterator[Problem]:
    clips = store.columns("clips", ["clip", "motion_key", "frames", "joints", "face", "copy_of", "rate"]).to_pylist()
    reader = store.motion
    yield from _check_copies(store, clips)
    for clip in clips:
        if clip["copy_of"] is not None:
            continue
        found = reader.keys.get(clip["motion_key"], ())
        ends = [block.first + block.frames for block in found]
        tiles = [block.first for block in found] == [0, *ends[:-1]] and all(block.frames > 0 for block in found)
        if not found or not tiles or ends[-1] != clip["frames"]:
            yield Problem(
                _file(store, "motion"), f"blocks do not cover the {clip['frames']} frames of {clip['clip']!r}"
            )
        elif {block.joints for block in found} != {clip["joints"]}:
            yield Problem(_file(store, "motion"), f"joints of {clip['clip']!r} differ from the clips table")
        else:
            yield from _check_face(store, clip)
    for key, found in reader.keys.items():
        for block in found:
            what = _block_fault(store, key, block.first, block.frames)
            if what:
                yield Problem(_files(store, "motion")[block.part], f"block {block.first} of motion {key!r}: {what}")


def _check_copies(store: Store, clips: list[dict[str, Any]]) -> Iterator[Problem]:
    """Whether every virtual copy is of a clip that is there, has its motion, and ends where that does."""
    originals = {clip["clip"]: clip for clip in clips if clip["copy_of"] is None}
    for clip in clips:
        source = originals.get(clip["copy_of"])
        if clip["copy_of"] is None or (
            source is not None
            and source["motion_key"] == clip["motion_key"]
            and is_rate(clip["rate"])
            and clip["frames"] == copy_frames(source["frames"], clip["rate"])
        ):
            continue
        yield Problem(_file(store, "clips"), f"{clip['clip']!r} is no virtual copy of {clip['copy_of']!r}")


def _check_face(store: Store, clip: dict[str, Any]) -> Iterator[Problem]:
    """Whether the face of a clip has as many channels as the clip names, and finite weights."""
    named = len(clip["face"] or ())
    weights = store.motion.read_face(clip["motion_key"], 0, clip["frames"])
    found = 0 if weights is None else weights.shape[1]
    if found != named:
        what = f"face of {clip['clip']!r} has {found} channels, and the clips table names {named}"
        yield Problem(_file(store, "motion"), what)
    elif weights is not None and not np.isfinite(weights).all():
        yield Problem(_file(store, "motion"), f"face of {clip['clip']!r} holds numbers that are not finite")


def _block_fault(store: Store, key: str, first: int, frames: int) -> str:
    """What is wrong with the frames of one block, or nothing."""
    if not 0 < frames <= BLOCK_FRAMES or first < 0:
        return f"has {frames} frames from {first}; expected 1 to {BLOCK_FRAMES}"
    try:
        rotations, root, contacts = store.motion.read(key, first, first + frames)
    except StoreError as error:
        return str(error)
    if not (np.isfinite(rotations).all() and np.isfinite(root).all()):
        return "numbers that are not finite"
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(rotations, axis=-1)
    if np.abs(norms - 1.0).max() > UNIT_TOLERANCE:
        return "quaternions that are not unit"
    return "contacts other than 0 and 1" if contacts.max() > 1 else ""


def _check_arrays(store: Store) -> Iterator[Problem]:
    segments = store.manifest.rows("segments")
    for name in store.manifest.arrays:
        values = store.array(name)
        if name not in ARRAYS or values.dtype != np.dtype(ARRAY_DTYPES[name]) or values.ndim != 2:
            yield Problem(
                _file(store, name), f"{values.dtype} {values.shape}: expected {ARRAYS.get(name, 'no such array')}"
            )
            continue
        if len(values) != segments:
            yield Problem(_file(store, name), f"has {len(values)} rows for {segments} segments")
        yield from _where(store, name, ~np.isfinite(values).all(axis=1), "is not finite")
        if name == "embeddings":
            with np.errstate(over="ignore", invalid="ignore"):
                off = np.abs(np.linalg.norm(values, axis=1) - 1.0) > UNIT_TOLERANCE
            yield from _where(store, name, off, "is not a unit vector")
    widths = {store.array(name).shape[1:] for name in ("entry", "exit") if name in store.manifest.arrays}
    if len(widths) > 1:
        yield Problem(_file(store, "entry"), "differs in width from the exit array")
    if "travel" in store.manifest.arrays and store.array("travel").shape[1:] != (3,):
        yield Problem(_file(store, "travel"), f"has shape {store.array('travel').shape}; expected [S, 3]")
    if "accents" in store.manifest.arrays and store.array("accents").shape[1:] != (128,):
        yield Problem(_file(store, "accents"), f"has shape {store.array('accents').shape}; expected [S, 128]")
    for name in ARRAYS:
        if segments and name not in store.manifest.arrays and name not in OPTIONAL_ARRAYS:
            yield Problem(_file(store, name), f"the array {name!r} is missing")


def _check_index(store: Store) -> Iterator[Problem]:
    """Whether the vector index is one of these embeddings, by a sample; left out where FAISS is not installed."""
    path = store.index_path(FAISS_NAME)
    if path is None or not has_faiss():
        return
    yield from _check_sample(store, FAISS_NAME, FaissIndex.load(store.array("embeddings"), path))


def _check_cells(store: Store) -> Iterator[Problem]:
    """Whether the cells are those of these embeddings, each once, and by a sample where they should be."""
    path = store.index_path(CELLS_NAME)
    if path is not None:
        yield from _check_sample(store, CELLS_NAME, CellIndex.load(store.array("embeddings"), path))


def _check_sample(store: Store, name: str, index: CellIndex | FaissIndex) -> Iterator[Problem]:
    chosen = np.unique(np.linspace(0, max(0, len(index) - 1), _INDEX_SAMPLE).astype(np.int64))
    if len(index) and not index.holds(chosen):
        yield Problem(_file(store, name), "does not find the embeddings where they are; it is of other vectors")


def _check_models(store: Store) -> Iterator[Problem]:
    """Whether a trained encoder, which has an architecture, came with its weights."""
    recorded = store.meta.get("encoder")
    if isinstance(recorded, dict) and recorded.get("architecture") and "encoder" not in store.manifest.models:
        yield Problem(_file(store, "encoder"), f"carries no weights of the encoder {recorded.get('name')!r}; reembed")


def _repeated(names: list[str]) -> npt.NDArray[np.bool_]:
    """Which of the names occurred before."""
    _, first = np.unique(np.array(names, dtype=object).astype(str), return_index=True)
    again = np.ones(len(names), dtype=np.bool_)
    again[first] = False
    return again


def _numpy(values: Any) -> npt.NDArray[Any]:
    """An Arrow column without nulls as numpy; nulls of numbers become NaN."""
    if isinstance(values, pa.ChunkedArray):
        return np.asarray(values.to_numpy())
    return np.asarray(values.to_numpy(zero_copy_only=False))
