"""Virtual copies at other tempi: new clips, segments, embeddings and edges, but no new motion.

A copy of a bar has the poses of the bar, and its speeds times the rate. What the search needs is derived from that, for
all bars of a rate at once; the frames are made when they are read. A trained encoder is shown those frames.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from choreodb.errors import QueryError
from choreodb.indexer import boundaries, ingest, reembed, timing
from choreodb.indexer.boundaries import BoundaryConfig, RawBoundaries
from choreodb.indexer.encoders import recorded, rhythm
from choreodb.indexer.encoders.base import DIMENSIONS
from choreodb.indexer.encoders.recorded import Trained
from choreodb.indexer.encoders.rhythm import Descriptors, RhythmEncoder
from choreodb.storage import graph, index
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS, SEGMENTS, TRANSITIONS
from choreodb.storage.virtual import FPS, MAX_RATE, MIN_RATE, copy_frames, read_copy

Progress = Callable[[str, int, int], None]
Floats = npt.NDArray[np.float32]

_AS_THEY_ARE = ("travel", "outline")
"""Arrays whose rows are the same for a copy."""


def add_copies(store: Store, rates: Sequence[float], *, progress: Progress | None = None) -> Store:
    """A version in which every captured clip has a virtual copy at each of `rates`, which replace those that there were.

    Copies are made of segments and boundary features as the library has them; nothing is measured again. The graph of the
    copies is that of the clips, with edges to the same and to the neighbouring rates. QueryError for a rate that is none.
    """
    store.place.ready()
    _check(rates)
    tell = progress or (lambda *_: None)
    clips, segments, number = _captured(store)
    ordered = sorted({float(rate) for rate in rates})
    with tempfile.TemporaryDirectory() as folder:
        described = _described(store, clips, segments, tell)
        embed = _embedding(store, clips, segments, described[0], tell)
        arrays = _arrays(store, np.flatnonzero(number >= 0), described, ordered, embed, Path(folder), tell)
        transitions = _transitions(store, number, len(ordered) + 1, arrays, tell)
        copied = pa.concat_tables([segments, *(_segments(segments, n, r) for n, r in enumerate(ordered, 1))])
        tables = {
            "clips": pa.concat_tables([clips, *(_clips(clips, rate) for rate in ordered)]),
            "segments": _walkable(copied, transitions),
            "transitions": transitions,
        }
        tell("commit", 0, 1)
        after = store.commit(
            tables=tables,
            arrays=arrays,
            index=index.build_files(arrays["embeddings"]),
            meta=store.meta,
            change={"action": "copies", "rates": len(ordered)},
        )
    tell("commit", 1, 1)
    return after


def _check(rates: Sequence[float]) -> None:
    for rate in rates:
        if not (MIN_RATE <= rate <= MAX_RATE) or rate == 1.0:
            raise QueryError(f"rate {rate:g} is none for a copy; expected {MIN_RATE:g} to {MAX_RATE:g}, and not 1")


def copy_name(clip: str, rate: float) -> str:
    """`troupe/waltz-1@1.0500` for a copy that is 5 % faster."""
    return f"{clip}@{rate:.4f}"


def _captured(store: Store) -> tuple[pa.Table, pa.Table, npt.NDArray[np.int64]]:
    """Clips that are no copies, their segments numbered from 0, and the new number of every old one, -1 for a copy's."""
    clips, segments = store.table("clips"), store.table("segments")
    kept = pc.is_null(clips.column("copy_of"))
    clips = clips.filter(kept)
    segments = segments.filter(pc.is_in(segments.column("clip"), value_set=clips.column("clip").combine_chunks()))
    number = np.full(store.manifest.rows("segments"), -1, dtype=np.int64)
    number[segments.column("segment").to_numpy()] = np.arange(len(segments))
    follows = segments.column("continuation").to_numpy()
    for name, values in (
        ("segment", np.arange(len(segments))),
        ("continuation", np.where(follows >= 0, number[follows], -1)),
    ):
        segments = segments.set_column(segments.column_names.index(name), name, pa.array(values, pa.int64()))
    return clips, segments.cast(_plain(SEGMENTS)), number


def _described(
    store: Store, clips: pa.Table, segments: pa.Table, tell: Progress
) -> tuple[Descriptors, RawBoundaries, RawBoundaries]:
    """Rhythm, entry and exit lines of every captured segment, in segment order."""
    rows = {row["clip"]: row for row in clips.to_pylist()}
    names, mirrored = (segments.column(name).to_pylist() for name in ("clip", "mirrored"))
    found: dict[tuple[str, bool], tuple[Descriptors, RawBoundaries, RawBoundaries]] = {}
    order = list(dict.fromkeys(zip(names, mirrored, strict=True)))
    for done, (name, mirror) in enumerate(order):
        tell("describe", done, len(order))
        if (name, mirror) not in found:
            clip = ingest.segment(rows[name], *store.read_motion(name, 0, rows[name]["frames"]))
            found[name, False] = clip.rhythm, clip.entry, clip.leave
            found[name, True] = clip.rhythm, clip.mirrored_entry, clip.mirrored_leave
    tell("describe", len(order), len(order))
    parts = [found[each] for each in order]
    if sum(len(part[0]) for part in parts) != len(segments):
        raise QueryError("the segments of this library are not those of its clips; index the source again first")
    return (
        rhythm.gathered([part[0] for part in parts]),
        boundaries.gathered([part[1] for part in parts]),
        boundaries.gathered([part[2] for part in parts]),
    )


def _arrays(
    store: Store,
    kept: npt.NDArray[np.int64],
    described: tuple[Descriptors, RawBoundaries, RawBoundaries],
    rates: Sequence[float],
    embed: Callable[[float], Floats],
    folder: Path,
    tell: Progress,
) -> dict[str, Floats]:
    """The library's arrays with those of the copies behind, on the disk: they may be larger than the memory. embed: rows
    of every captured segment at a rate."""
    spread, config = store.meta["boundary"]["spread"], BoundaryConfig()
    own, copies = len(kept), len(rates)
    out: dict[str, Floats] = {}
    for name in store.manifest.arrays:
        first = np.asarray(store.array(name)[kept])
        shape = (own * (copies + 1), first.shape[1])
        out[name] = np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=first.dtype, shape=shape)
        out[name][:own] = first
    for number, rate in enumerate(rates, 1):
        tell("copy", number - 1, copies)
        rows = slice(number * own, (number + 1) * own)
        out["embeddings"][rows] = embed(rate)
        out["entry"][rows] = boundaries.features(hastened(described[1], rate), spread, config)
        out["exit"][rows] = boundaries.features(hastened(described[2], rate), spread, config)
        for name in out.keys() & set(_AS_THEY_ARE):
            out[name][rows] = out[name][:own]
        if "accents" in out:
            out["accents"][rows] = timing.faster(out["accents"][:own], rate)
    tell("copy", copies, copies)
    return out


def _embedding(
    store: Store, clips: pa.Table, segments: pa.Table, described: Descriptors, tell: Progress
) -> Callable[[float], Floats]:
    """What embeds the captured segments at a rate: `rhythm` from their descriptions, a trained encoder from frames."""
    trained = recorded.trained_of(store)
    if trained is None:
        encoder = RhythmEncoder.from_meta(store.meta["encoder"])
        return lambda rate: encoder.embed(rhythm.faster(described, rate))
    frames = dict(zip(clips.column("clip").to_pylist(), clips.column("frames").to_pylist(), strict=True))
    return lambda rate: _shown(store, trained, frames, segments, rate, tell)


def _shown(
    store: Store, trained: Trained, frames: Mapping[str, int], segments: pa.Table, rate: float, tell: Progress
) -> Floats:
    """Rows of the captured segments [S, 256] by a trained encoder, which is shown the frames of the copies at `rate`."""
    columns = ["segment", "clip", "first_bar", "start_s", "end_s", "beats_s", "metre", "mirrored"]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in segments.select(columns).to_pylist():
        beats = [beat / rate for beat in row["beats_s"]]
        copied = {**row, "start_s": row["start_s"] / rate, "end_s": row["end_s"] / rate, "beats_s": beats}
        found.setdefault(row["clip"], []).append(copied)
    out = np.empty((len(segments), DIMENSIONS), dtype=np.float32)
    for done, (name, own) in enumerate(found.items()):
        tell(f"embed at {rate:g}", done, len(found))
        read = partial(store.read_motion, name)
        motion = read_copy(read, frames[name], rate, 0, copy_frames(frames[name], rate))
        reembed.fill(out, own, reembed.rows_of(trained, reembed.clip_motion(*motion), own))
    return out


def hastened(lines: RawBoundaries, rate: float) -> RawBoundaries:
    """Bar lines when they are danced faster: the same poses, higher speeds."""
    return replace(lines, velocity=lines.velocity * rate, travel=lines.travel * rate, turn=lines.turn * rate)


def _clips(clips: pa.Table, rate: float) -> pa.Table:
    rows = []
    for row in clips.to_pylist():
        frames = copy_frames(row["frames"], rate)
        rows.append(
            {
                **row,
                "clip": copy_name(row["clip"], rate),
                "copy_of": row["clip"],
                "rate": rate,
                "frames": frames,
                "duration_s": frames / FPS,
                "tempo_bpm": None if row["tempo_bpm"] is None else row["tempo_bpm"] * rate,
                "beats_s": [beat / rate for beat in row["beats_s"]],
                "music": None,
                "music_start_s": None,
                "music_lag_s": None,
                "notes": [*row["notes"], f"a virtual copy of {row['clip']} at {rate:.4f} of its speed"],
            }
        )
    return pa.Table.from_pylist(rows, schema=_plain(CLIPS))


def _segments(segments: pa.Table, number: int, rate: float) -> pa.Table:
    """The segments of one rate; `number` of it, from 1. Origin, bars and labels stay."""
    count = len(segments)
    changed: dict[str, Any] = {
        "segment": segments.column("segment").to_numpy() + number * count,
        "clip": _renamed(segments.column("clip"), rate),
        "energy": (segments.column("energy").to_numpy() * rate).astype(np.float32),
        "tempo_bpm": pc.multiply(segments.column("tempo_bpm"), rate),
        "beats_s": _divided(segments.column("beats_s"), rate),
    }
    for name in ("start_s", "end_s"):
        changed[name] = segments.column(name).to_numpy() / rate
    follows = segments.column("continuation").to_numpy()
    changed["continuation"] = np.where(follows >= 0, follows + number * count, -1)
    columns = [
        changed[field.name] if isinstance(changed.get(field.name), pa.Array | pa.ChunkedArray)
        else pa.array(changed[field.name], field.type) if field.name in changed
        else segments.column(field.name)
        for field in SEGMENTS
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=_plain(SEGMENTS))


def _renamed(names: pa.ChunkedArray, rate: float) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(names, copy_name("", rate), "")


def _divided(lists: pa.ChunkedArray, rate: float) -> pa.Array:
    whole = lists.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(whole).to_numpy(zero_copy_only=False))])
    flat = pc.divide(whole.flatten(), rate)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat)


def _transitions(
    store: Store, number: npt.NDArray[np.int64], sheets: int, arrays: Mapping[str, Floats], tell: Progress
) -> pa.Table:
    """Edges within the captured clips, lifted to every rate; in turns to the same, the next and the previous one.

    Continuations stay within a rate. Costs are taken from the features of the copies.
    """
    table = store.columns("transitions", ["source", "target", "continuation"])
    source, target, follows = (column.to_numpy(zero_copy_only=False) for column in table.columns)
    own = int(number.max()) + 1
    inside = (number[source] >= 0) & (number[target] >= 0)
    source, target, follows = number[source[inside]], number[target[inside]], follows[inside]
    turn = np.where(follows, 0, np.arange(len(source)) % 3)
    parts = []
    for sheet in range(sheets):
        tell("connect", sheet, sheets)
        other = np.clip(sheet + np.choose(turn, [0, 1, -1]), 0, sheets - 1)
        here, there = source + sheet * own, target + other * own
        cost = _costs(arrays["exit"], arrays["entry"], here, there) * ~follows
        order = np.lexsort((there, cost, here))
        parts.append(
            pa.table(
                [here[order], there[order], cost[order].astype(np.float32), follows[order]], schema=_plain(TRANSITIONS)
            )
        )
    tell("connect", sheets, sheets)
    return pa.concat_tables(parts)


def _walkable(segments: pa.Table, transitions: pa.Table) -> pa.Table:
    """Segments with `walkable` as the edges have it: a walk may pass from one rate into another."""
    source, target = (transitions.column(at).to_numpy() for at in (0, 1))
    place = segments.column_names.index("walkable")
    return segments.set_column(place, "walkable", pa.array(graph.walkable(len(segments), source, target), pa.bool_()))


def _costs(
    leave: Floats, entry: Floats, source: npt.NDArray[np.int64], target: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Squared distances of exits and entries, a part at a time."""
    blocks = np.array_split(np.arange(len(source)), max(1, len(source) // 65536))
    parts = [np.sum((leave[source[b]] - entry[target[b]]) ** 2, axis=1, dtype=np.float64) for b in blocks]
    return np.concatenate(parts)


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.remove_metadata() for field in schema])
