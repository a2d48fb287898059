"""Edit: take clips out of a library, relabel them, and pack its files anew, while others write to it, too.

A change is built on the newest version. Where another writer was faster it is built again on what that one made, unless
both touched the same clip; then it stops, with nothing changed, and names the clip.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from choreodb.errors import ConflictError, QueryError
from choreodb.storage import graph, index
from choreodb.storage.catalogue import matching_clips
from choreodb.storage.manifest import FileEntry, locate
from choreodb.storage.motion_table import PART_BYTES, MotionWriter, keys_of, row_groups
from choreodb.storage.place import Place
from choreodb.storage.rows import moved, text_codes
from choreodb.storage.store import Store
from choreodb.storage.tables import SEGMENTS, TOMBSTONES, TRANSITIONS

LABELS = ("style", "performer", "licence", "consent")
"""Columns that `relabel` sets."""

Ints = npt.NDArray[np.int64]
_ATTEMPTS = 50
_MAX_LABEL = 1000


def rebasing(store: Store, touched: Collection[str], build: Callable[[Store], Store]) -> Store:
    """The version that `build` commits on `store`, or on a newer version where another writer was faster.

    touched: clips that the change is about. ConflictError where another writer changed one of them meanwhile.
    """
    store.place.ready()
    base = store
    for _ in range(_ATTEMPTS):
        try:
            return build(base)
        except ConflictError:
            newest = Store.open(store.place)
            if newest.version == base.version:
                raise
            refuse_conflict(base, newest, touched)
            base = newest
    raise ConflictError(f"library {str(store.place)!r} is changed too often by others; run the command again")


def refuse_conflict(base: Store, newest: Store, touched: Collection[str]) -> None:
    """ConflictError where a clip of `touched` is not the same in both versions."""
    both = sorted(set(touched) & changed_clips(base, newest))
    if both:
        more = f" and {len(both) - 1} more" if len(both) > 1 else ""
        what = newest.manifest.change.get("action", "another command")
        raise ConflictError(
            f"clip {both[0]!r}{more} was changed meanwhile by version {newest.version} ({what}) of library "
            f"{str(newest.place)!r}; nothing was changed, look at it and run the command again"
        )


def changed_clips(before: Store, after: Store) -> set[str]:
    """Clips that are only in one of two versions, or not the same in both."""
    rows = [{row["clip"]: row for row in store.table("clips").to_pylist()} for store in (before, after)]
    return {clip for clip in rows[0].keys() | rows[1].keys() if rows[0].get(clip) != rows[1].get(clip)}


def select(store: Store, clips: Collection[str] = (), where: str | None = None) -> list[str]:
    """The clips that are named, or of which `where` is true; QueryError where there is none, or one is not there."""
    if bool(clips) == (where is not None):
        raise QueryError("name clips or give --where, one of the two")
    known = set(store.columns("clips", ["clip"]).column("clip").to_pylist())
    if where is not None:
        found = matching_clips(store, where)
        if not found:
            raise QueryError(f"--where {where!r} matches no clip of library {str(store.place)!r}")
        return found
    for clip in clips:
        if clip not in known:
            raise QueryError(f"no clip {clip!r} in library {str(store.place)!r}; `choreodb sql` lists them")
    return sorted(set(clips))


def with_copies(store: Store, clips: Collection[str]) -> list[str]:
    """The clips and all their virtual copies, which are the same captured motion."""
    rows = store.columns("clips", ["clip", "copy_of"]).to_pylist()
    return sorted({*clips, *(row["clip"] for row in rows if row["copy_of"] in set(clips))})


Refit = Callable[[Store, frozenset[str]], Mapping[str, Any] | None]
"""What `Store.commit` is to write besides where a library without these clips is to be fitted anew; None where it need not."""


def delete(store: Store, clips: Collection[str], *, reason: str | None = None, refit: Refit | None = None) -> Store:
    """A version without `clips`: gone from tables, arrays, index and graph, and remembered, so that `index` leaves them out.

    Their motion stays in the files until `compact` and `vacuum`. The graph is what it would be had they never been
    there. Errors: QueryError where one is not there; ConflictError.
    """
    chosen = with_copies(store, select(store, clips))
    return rebasing(store, chosen, lambda base: _delete(base, frozenset(chosen), reason, refit))


def _delete(store: Store, gone: frozenset[str], reason: str | None, refit: Refit | None) -> Store:
    clips = store.table("clips")
    leaving = pc.is_in(clips.column("clip"), value_set=pa.array(sorted(gone), pa.string()))
    kept_clips = clips.filter(pc.invert(leaving))
    songs = set(kept_clips.column("music").to_pylist())
    music = store.table("music")
    tables = {
        "clips": kept_clips,
        "music": music.filter(pa.array([song in songs for song in music.column("music").to_pylist()], pa.bool_())),
        "tombstones": pa.concat_tables([store.table("tombstones"), _tombstones(store, clips.filter(leaving), reason)]),
    }
    change = {"action": "delete", "clips": len(gone), "reason": reason}
    with tempfile.TemporaryDirectory() as folder:
        derived = (refit and refit(store, gone)) or _cut(store, gone, Path(folder))
        return store.commit(**{**derived, "tables": {**derived["tables"], **tables}}, change=change)


def _cut(store: Store, gone: frozenset[str], folder: Path) -> dict[str, Any]:
    """What was derived, less the rows of clips that go; large arrays lie in `folder`."""
    segments = store.table("segments")
    keep = _numpy_bools(pc.invert(pc.is_in(segments.column("clip"), value_set=pa.array(sorted(gone), pa.string()))))
    number = np.where(keep, np.cumsum(keep) - 1, -1)
    arrays = {
        name: moved(store.array(name), number, int(keep.sum()), folder / f"{name}.npy")
        for name in store.manifest.arrays
    }
    edges, rows = _without(store, segments, keep, number, arrays)
    made: dict[str, index.Write] | None = None
    if "embeddings" in arrays:
        made = index.moved(store, arrays["embeddings"], number, np.empty(0, dtype=np.int64))
        made = index.build_files(arrays["embeddings"]) if made is None else made
    return {"tables": {"segments": rows, "transitions": edges}, "arrays": arrays, "index": made}


def _numpy_bools(values: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(values.to_numpy(), dtype=np.bool_)


def _tombstones(store: Store, rows: pa.Table, reason: str | None) -> pa.Table:
    count = len(rows)
    columns = {name: rows.column(name) for name in ("clip", "motion_key", "source_sha256")}
    columns["version"] = pa.chunked_array([pa.array([store.version + 1] * count, pa.int64())])
    columns["reason"] = pa.chunked_array([pa.array([reason] * count, pa.string())])
    names = [field.name for field in TOMBSTONES]
    schema = pa.schema([field.remove_metadata() for field in TOMBSTONES])
    return pa.Table.from_arrays([columns[name] for name in names], schema=schema)


def _without(
    store: Store,
    segments: pa.Table,
    keep: npt.NDArray[np.bool_],
    number: Ints,
    arrays: Mapping[str, npt.NDArray[Any]],
) -> tuple[pa.Table, pa.Table]:
    """Transitions and segments of the kept rows, numbered anew, the graph mended where it lost edges."""
    follows = segments.column("continuation").to_numpy()
    continuation = np.where(follows[keep] >= 0, number[follows[keep]], -1).astype(np.int64)
    kept = segments.filter(pa.array(keep))
    source, target, cost = _mended(store, kept, keep, number, continuation, arrays)
    columns = {
        "segment": np.arange(len(kept)),
        "continuation": continuation,
        "walkable": graph.walkable(len(kept), source, target),
        "twin_group": _twins(kept),
    }
    for name, values in columns.items():
        place = kept.column_names.index(name)
        kept = kept.set_column(place, name, pa.array(values, SEGMENTS.field(name).type))
    edges = [source, target, cost, continuation[source] == target]
    schema = pa.schema([field.remove_metadata() for field in TRANSITIONS])
    return pa.table(edges, schema=schema), kept


def _mended(
    store: Store,
    kept: pa.Table,
    keep: npt.NDArray[np.bool_],
    number: Ints,
    continuation: Ints,
    arrays: Mapping[str, npt.NDArray[Any]],
) -> graph.Edges:
    edges = store.columns("transitions", ["source", "target", "cost"])
    source, target, cost = (column.to_numpy() for column in edges.columns)
    inside = keep[source] & keep[target]
    old: graph.Edges = (number[source[inside]], number[target[inside]], cost[inside])
    config = store.meta.get("graph")
    if not isinstance(config, dict) or not {"entry", "exit"} <= arrays.keys():
        return old
    left_by = np.unique(number[source[keep[source] & ~keep[target]]])
    entered_from = np.unique(number[target[~keep[source] & keep[target]]])
    new = graph.link(
        arrays["entry"],
        arrays["exit"],
        continuation,
        degree=int(config["degree"]),
        in_degree=int(config["in_degree"]),
        threshold=float(config["threshold"]),
        origin=text_codes(kept.column("origin"))[0],
        start_s=kept.column("origin_start_s").to_numpy(),
        end_s=kept.column("origin_end_s").to_numpy(),
        sources=left_by,
        targets=entered_from,
    )
    return graph.union(old, new)


def _twins(kept: pa.Table) -> Ints:
    """Twin groups of the kept rows; a group that has but one bar left is none. Mirror images count with their original."""
    group = kept.column("twin_group").to_numpy()
    linked = group >= 0
    clip, first_bar = text_codes(kept.column("clip"))[0], kept.column("first_bar").to_numpy()
    bars = np.unique(np.stack([group, clip, first_bar], axis=1)[linked], axis=0)
    values, counts = np.unique(bars[:, 0], return_counts=True)
    return np.where(np.isin(group, values[counts > 1]), group, -1).astype(np.int64)


def relabel(store: Store, clips: Collection[str], labels: Mapping[str, str | None]) -> Store:
    """A version in which `clips` have other labels; only the clips table is written.

    labels: by column of `LABELS`; None is unknown. The store itself where nothing changes. Errors: QueryError for a
    label that is none or a clip that is not there; ConflictError.
    """
    check_labels(labels)
    chosen = select(store, clips)
    return rebasing(store, chosen, lambda base: _relabel(base, frozenset(chosen), labels))


def check_labels(labels: Mapping[str, str | None]) -> None:
    """QueryError unless these are labels that a clip can have."""
    for name, value in labels.items():
        if name not in LABELS:
            raise QueryError(f"{name!r} is not a label; expected {', '.join(LABELS)}")
        if value is not None and (not value.strip() or len(value) > _MAX_LABEL or not value.isprintable()):
            raise QueryError(f"{name} {value[:40]!r} is not a label; expected up to {_MAX_LABEL} printable characters")
    if not labels:
        raise QueryError(f"no label is given; expected one of {', '.join(LABELS)}")


def _relabel(store: Store, chosen: frozenset[str], labels: Mapping[str, str | None]) -> Store:
    rows = store.table("clips").to_pylist()
    changed = 0
    for row in rows:
        if row["clip"] in chosen and any(row[name] != value for name, value in labels.items()):
            row |= labels
            changed += 1
    if not changed:
        return store
    table = pa.Table.from_pylist(rows, schema=store.table("clips").schema)
    return store.commit(tables={"clips": table}, change={"action": "relabel", "clips": changed, **labels})


def reindex(store: Store, kind: index.Kind | None) -> Store:
    """A version with another vector index (None: the one that the library would get by itself) and nothing else changed.

    The next change of the library's clips brings its own index back. Errors: QueryError where it has no embeddings, or for
    a kind that there is not; MissingExtraError; ConflictError.
    """

    def build(base: Store) -> Store:
        """The version after `base` with its index made anew."""
        if "embeddings" not in base.manifest.arrays:
            raise QueryError(f"library {str(base.place)!r} has no embeddings to search; index a source first")
        # arrays that are replaced, if only by themselves, take the old index with them
        arrays = {"embeddings": np.asarray(base.array("embeddings"))}
        files = index.build_files(arrays["embeddings"], kind)
        return base.commit(
            arrays=arrays, index=files, change={"action": "reindex", "index": ", ".join(files) or "none"}
        )

    return rebasing(store, (), build)


def compact(store: Store) -> Store:
    """A version whose motion files hold the motion of its clips and nothing else, in as few parts as they fit in.

    The store itself where they do already. Deleted motion is then in no file of the new version; `vacuum` removes the
    old ones. Errors: ConflictError.
    """

    def build(base: Store) -> Store:
        """The compacted version after `base`, or `base` where it is compact."""
        old = base.manifest.tables.get("motion", ())
        used = frozenset(base.columns("clips", ["motion_key"]).column("motion_key").to_pylist())
        if _is_compact(base, used):
            return base
        parts = repack(base.place, old, used)
        if parts == old:
            return base
        return base.commit(motion=parts, change={"action": "compact", "parts": len(parts), "parts_before": len(old)})

    with store.place.changing():
        return rebasing(store, (), build)


def _is_compact(store: Store, used: Collection[str]) -> bool:
    """Whether all motion is used, and no two parts would fit into one."""
    parts = store.manifest.tables.get("motion", ())
    if any(not keys_of(part.path, store.locate(part)) <= set(used) for part in parts):
        return False
    return sum(part.bytes < PART_BYTES // 2 for part in parts) < 2


def repack(place: Place, parts: Sequence[FileEntry], keys: Collection[str]) -> tuple[FileEntry, ...]:
    """New motion parts with the blocks of `keys` in `parts`, copied as they are, in the same order."""
    with MotionWriter(place) as writer:
        copy_motion(place, parts, keys, writer)
    return writer.parts


def copy_motion(place: Place, parts: Sequence[FileEntry], keys: Collection[str], writer: MotionWriter) -> None:
    """Hand the blocks of `keys` in `parts`, files of the library at `place`, to `writer`, which may be another one's."""
    for part in parts:
        for rows in row_groups(part.path, locate(place, part), keys):
            writer.add_table(rows)
