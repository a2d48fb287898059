"""A library against a plain model of it: whatever is done in whatever order, both hold the same."""

from __future__ import annotations

import copy
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from choreodb.errors import ConflictError, StoreError
from choreodb.storage import edit, graph, history, specimen
from choreodb.storage.catalogue import matching
from choreodb.storage.index import choose
from choreodb.storage.motion_table import blocks
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS, SEGMENTS, TRANSITIONS
from choreodb.storage.verify import verify

STYLES = ("waltz", "rumba", None)
CONFIG = {"degree": 3, "in_degree": 2, "threshold": 1e9}
FEATURES, WIDTH, BAR_S = 5, 16, 2.0


@dataclass
class Clip:
    """What the model knows of a clip. vectors: embeddings of its bars, plain then mirrored."""

    style: str | None
    seed: int
    bars: int
    vectors: np.ndarray


@dataclass
class Model:
    """clips by id; the same for every version that can be opened; tags."""

    clips: dict[str, Clip] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    versions: dict[int, dict[str, Clip]] = field(default_factory=dict)
    dead: dict[int, set[str]] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)


def unit(rng: np.random.Generator, rows: int) -> np.ndarray:
    values = rng.normal(size=(rows, WIDTH)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def motion(clip: Clip) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return specimen.random_motion(np.random.default_rng(clip.seed), int(clip.bars * BAR_S * 60), 22)


def add(store: Store, name: str, clip: Clip) -> Store:
    """Append one clip as an indexer would: rows, arrays, motion, and the graph linked anew."""
    rng = np.random.default_rng(clip.seed)
    row = specimen._clip(1, 9, clip.bars) | {"clip": name, "motion_key": f"{name}-{clip.seed}", "style": clip.style}
    row["source_sha256"] = f"{clip.seed:064x}"
    old = store.table("segments").to_pylist()
    new = [part for mirrored in (False, True) for part in specimen._segments(row, clip.bars, mirrored)]
    for number, part in enumerate(new, start=len(old)):
        part |= {"segment": number, "energy": 1.0, "walkable": False}
        part["continuation"] = number + 1 if part["first_bar"] + 1 < clip.bars else -1
    rows = [*old, *new]
    fresh = {
        "embeddings": clip.vectors,
        "entry": rng.normal(size=(len(new), FEATURES)),
        "exit": rng.normal(size=(len(new), FEATURES)),
    }
    arrays = {
        key: np.concatenate([np.asarray(store.array(key)), values]).astype(np.float32)
        if old
        else values.astype(np.float32)
        for key, values in fresh.items()
    }
    source, target, cost = graph.link(
        arrays["entry"], arrays["exit"], np.array([part["continuation"] for part in rows]), **CONFIG,
        origin=np.unique([part["origin"] for part in rows], return_inverse=True)[1],
        start_s=np.array([part["origin_start_s"] for part in rows]), end_s=np.array([part["origin_end_s"] for part in rows]),
    )  # fmt: skip
    for part, inside in zip(rows, graph.walkable(len(rows), source, target), strict=True):
        part["walkable"] = bool(inside)
    follows = np.array([part["continuation"] for part in rows])[source] == target
    return store.commit(
        tables={
            "clips": pa.Table.from_pylist(
                [*store.table("clips").to_pylist(), row | {"music": None, "music_start_s": None, "music_lag_s": None}],
                schema=CLIPS,
            ),
            "segments": pa.Table.from_pylist(rows, schema=SEGMENTS),
            "transitions": pa.table([source, target, cost, follows], schema=TRANSITIONS),
        },
        append_motion=[blocks(row["motion_key"], *motion(clip))],
        arrays=arrays,
        meta={"graph": CONFIG},
        change={"action": "add"},
    )


def check_equal(store: Store, clips: dict[str, Clip]) -> None:
    """The store holds these clips with their labels, bars and vectors, and nothing else."""
    rows = {row["clip"]: row for row in store.table("clips").to_pylist()}
    assert {name: row["style"] for name, row in rows.items()} == {name: clip.style for name, clip in clips.items()}
    segments = store.columns("segments", ["segment", "clip", "mirrored", "first_bar"]).to_pylist()
    found: dict[str, list[int]] = {name: [] for name in clips}
    for row in segments:
        found[row["clip"]].append(row["segment"])
    for name, clip in clips.items():
        assert len(found[name]) == 2 * clip.bars
        np.testing.assert_array_equal(store.array("embeddings")[found[name]], clip.vectors)


class Machine(RuleBasedStateMachine):
    """Rules are what commands do; `self.store` may lag behind, as a process that opened the library long ago does."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.path = self.folder / "library"
        self.model = Model()
        self.seed = 0

    @initialize()
    def create(self) -> None:
        self.store = add(Store.create(self.path), "c0", self._clip("c0", "waltz", 2))
        self._committed(self.store)

    def _clip(self, name: str, style: str | None, bars: int) -> Clip:
        self.seed += 1
        clip = Clip(style, self.seed, bars, unit(np.random.default_rng(self.seed), 2 * bars))
        self.model.clips[name] = clip
        return clip

    def _committed(self, store: Store) -> None:
        self.model.versions[store.version] = copy.deepcopy(self.model.clips)
        self.model.dead[store.version] = set(self.model.deleted)
        self.store = store

    @rule(style=st.sampled_from(STYLES), bars=st.integers(1, 3))
    def add_clip(self, style: str | None, bars: int) -> None:
        newest = Store.open(self.path)
        name = f"c{self.seed + 1}"
        self._committed(add(newest, name, self._clip(name, style, bars)))

    @precondition(lambda self: self.model.clips)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(sorted(self.model.clips)), min_size=1, max_size=3, unique=True))
        after = edit.delete(Store.open(self.path), chosen, reason="rule")
        for name in chosen:
            del self.model.clips[name]
        self.model.deleted |= set(chosen)
        self._committed(after)

    @precondition(lambda self: self.model.clips)
    @rule(data=st.data(), style=st.sampled_from(STYLES))
    def relabel(self, data: st.DataObject, style: str | None) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.clips)))
        before = Store.open(self.path)
        after = edit.relabel(before, [name], {"style": style})
        assert (after.version == before.version) == (self.model.clips[name].style == style)
        self.model.clips[name].style = style
        if after.version != before.version:
            self._committed(after)

    @rule()
    def compact(self) -> None:
        before = Store.open(self.path)
        after = edit.compact(before)
        assert set(after.motion.keys) == {f"{name}-{clip.seed}" for name, clip in self.model.clips.items()}
        if after.version != before.version:
            self._committed(after)

    @rule()
    def reopen(self) -> None:
        self.store = Store.open(self.path)

    @precondition(lambda self: self.model.clips)
    @rule(data=st.data(), style=st.sampled_from(STYLES))
    def relabel_from_an_old_store(self, data: st.DataObject, style: str | None) -> None:
        """A process that holds an older version writes: its change is kept, or it is told which clip was touched."""
        base = self.model.versions[self.store.version]
        if not base:
            return
        name = data.draw(st.sampled_from(sorted(base)))
        newest = Store.open(self.path).version
        touched = base[name] if name not in self.model.clips else self.model.clips[name]
        same = name in self.model.clips and touched.style == base[name].style and touched.seed == base[name].seed
        if base[name].style == style:
            return
        if not same:
            with pytest.raises(ConflictError, match=name):
                edit.relabel(self.store, [name], {"style": style})
            assert Store.open(self.path).version == newest
            return
        after = edit.relabel(self.store, [name], {"style": style})
        self.model.clips[name].style = style
        self._committed(after)

    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        newest = max(self.model.versions)
        number = data.draw(st.sampled_from(sorted(self.model.versions)))
        if number == newest:
            with pytest.raises(StoreError):
                history.rollback(self.path, number)
            return
        after = history.rollback(self.path, number)
        self.model.clips = copy.deepcopy(self.model.versions[number])
        self.model.deleted = set(self.model.dead[number])
        self._committed(after)

    @rule(data=st.data(), name=st.sampled_from(["a", "b"]))
    def tag(self, data: st.DataObject, name: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.model.versions)))
        if self.model.tags.get(name, number) != number:
            with pytest.raises(ConflictError):
                history.tag(self.path, name, number)
            history.untag(self.path, name)
        history.tag(self.path, name, number)
        self.model.tags[name] = number

    @rule(keep=st.integers(1, 3))
    def vacuum(self, keep: int) -> None:
        done = history.vacuum(self.path, keep=keep)
        newest = sorted(self.model.versions)[-keep:]
        kept = {*newest, *self.model.tags.values(), self.store.version}
        assert set(done.kept) == kept & self.model.versions.keys()
        self.model.versions = {number: clips for number, clips in self.model.versions.items() if number in kept}

    @rule(data=st.data())
    def time_travel(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.model.versions)))
        store = Store.open(self.path, number)
        check_equal(store, self.model.versions[number])
        for name, clip in self.model.versions[number].items():
            parts = store.read_motion(name, 3, 9)
            for part, whole in zip(parts, motion(clip), strict=True):
                np.testing.assert_array_equal(part, whole[3:9])

    @rule(seed=st.integers(0, 99), k=st.integers(1, 6), style=st.sampled_from(["waltz", "rumba"]))
    def search(self, seed: int, k: int, style: str) -> None:
        """What is found is what the model finds by looking at everything."""
        store = self.store
        clips = self.model.versions[store.version]
        query = unit(np.random.default_rng(1000 + seed), 1)
        allowed = matching(store, f"style = '{style}'")
        scores = sorted(
            (float(vector @ query[0]) for clip in clips.values() if clip.style == style for vector in clip.vectors),
            reverse=True,
        )
        if not scores:
            assert not allowed.any()
            return
        found, ids = choose(store).search(query, k, allowed)
        np.testing.assert_allclose(found[0], scores[:k], atol=1e-5)
        names = store.columns("segments", ["clip"]).column("clip").to_pylist()
        assert all(clips[names[each]].style == style for each in ids[0])

    @invariant()
    def the_newest_version_is_the_model(self) -> None:
        if self.model.versions:
            store = Store.open(self.path)
            assert store.version == max(self.model.versions)
            assert set(Store.versions(self.path)) == set(self.model.versions)
            check_equal(store, self.model.clips)
            assert set(store.table("tombstones").column("clip").to_pylist()) == self.model.deleted

    def teardown(self) -> None:
        try:
            if self.model.versions:
                for number in self.model.versions:
                    assert verify(self.path, number) == ()
        finally:
            shutil.rmtree(self.folder)


Machine.TestCase.settings = settings(
    max_examples=5, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStore = Machine.TestCase


@pytest.mark.long
class TestStoreAtLength(Machine.TestCase):
    """The same, with many more walks."""

    settings: Any = settings(
        max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
