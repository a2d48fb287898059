"""A library of real clips against a plain model of it: indexed, merged, deleted, copied and taken back in whatever order."""

from __future__ import annotations

import copy
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from test_update import equals_its_rebuild

from choreodb.errors import ChoreoError, QueryError
from choreodb.indexer import drift, removal, subset
from choreodb.indexer.build import index
from choreodb.indexer.copies import add_copies, copy_name
from choreodb.indexer.merge import merge
from choreodb.indexer.repair import repair
from choreodb.motion import bvh
from choreodb.motion.motion import Motion
from choreodb.motion.skeleton import CHOREO22
from choreodb.storage import edit, history, specimen
from choreodb.storage import index as indexes
from choreodb.storage.catalogue import matching
from choreodb.storage.store import Store
from choreodb.storage.verify import verify

POOL = tuple(f"pool/clip{number}" for number in range(6))
STYLES = ("waltz", "rumba", None)
RATES = (0.9, 1.1)


@cache
def pool() -> Path:
    """A folder with `source`, six takes of 7 s, and one library of each."""
    folder = Path(tempfile.mkdtemp(prefix="pool-"))
    source = folder / "pool"
    source.mkdir()
    for number, name in enumerate(POOL):
        rotations, root, _ = specimen.random_motion(np.random.default_rng(number), 420, 22)
        moved = root.astype(np.float64) * 0.1 + np.array([0.0, 0.9, 0.0])
        path = source / f"{Path(name).name}.bvh"
        bvh.save(Motion(rotations.astype(np.float64), moved, CHOREO22, 60.0), path)
    index([source], folder / "all")
    whole = Store.open(folder / "all")
    for name in POOL:
        subset.export(whole, folder / Path(name).name, subset.choose(whole, [name]))
    return folder


@dataclass
class Version:
    """What the model knows of one version. styles: of every captured clip; deleted: tombstones; copied: whether each of
    `copies` has virtual copies."""

    styles: dict[str, str | None] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    copies: set[str] = field(default_factory=set)

    @property
    def clips(self) -> dict[str, str | None]:
        """Every clip with its style, virtual copies included."""
        made = {copy_name(name, rate): self.styles[name] for name in self.copies for rate in RATES}
        return self.styles | made


class Machine(RuleBasedStateMachine):
    """Rules are what commands do. Half of the walks never fit anew, so that everything is updated in place."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.path = self.folder / "library"
        self.source = self.folder / "pool"
        self.now = Version()
        self.versions: dict[int, Version] = {}
        self.patch = pytest.MonkeyPatch()

    @initialize(limit=st.sampled_from([0.01, np.inf]), first=st.sets(st.sampled_from(POOL), min_size=1, max_size=3))
    def create(self, limit: float, first: set[str]) -> None:
        self.patch.setattr(drift, "SMALL", 0)
        self.patch.setattr(drift, "LIMIT", limit)
        self.source.mkdir()
        self._index(first, restore=False)

    def _committed(self, store: Store) -> None:
        assert verify(store) == ()
        if store.version not in self.versions:
            self.versions[store.version] = copy.deepcopy(self.now)
        self.store = store

    def _index(self, names: set[str], *, restore: bool) -> None:
        for name in names:
            shutil.copy(pool() / f"{name}.bvh", self.folder / f"{name}.bvh")
        here = {f"pool/{path.stem}" for path in self.source.glob("*.bvh")}
        if not self.now.styles and (here <= self.now.deleted and not restore):
            with pytest.raises(ChoreoError, match="is left to index"):
                index([self.source], self.path)
            return
        index([self.source], self.path, restore=restore)
        if restore:
            self.now.deleted -= here
        self.now.styles |= {name: None for name in here - self.now.deleted if name not in self.now.styles}
        self._committed(Store.open(self.path))

    @rule(names=st.sets(st.sampled_from(POOL), max_size=2), restore=st.booleans())
    def index_more(self, names: set[str], restore: bool) -> None:
        self._index(names, restore=restore)

    @rule(name=st.sampled_from(POOL))
    def merge_one(self, name: str) -> None:
        other = pool() / Path(name).name
        if self.now.styles.get(name) is not None:
            with pytest.raises(QueryError, match="different style"):
                merge(self.path, [other])
            return
        done = merge(self.path, [other])
        if name not in self.now.deleted:
            self.now.styles.setdefault(name, None)
        self._committed(done.store)

    @precondition(lambda self: self.now.styles)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.now.styles)), min_size=1, max_size=2))
        after = removal.delete(Store.open(self.path), sorted(chosen), reason="consent withdrawn")
        gone = chosen & self.now.copies
        self.now.deleted |= chosen | {copy_name(name, rate) for name in gone for rate in RATES}
        self.now.copies -= chosen
        for name in chosen:
            del self.now.styles[name]
        self._committed(after)

    @precondition(lambda self: self.now.styles)
    @rule(data=st.data(), style=st.sampled_from(STYLES))
    def relabel(self, data: st.DataObject, style: str | None) -> None:
        name = data.draw(st.sampled_from(sorted(set(self.now.styles) - self.now.copies) or [""]))
        if name:
            after = edit.relabel(Store.open(self.path), [name], {"style": style})
            self.now.styles[name] = style
            self._committed(after)

    @precondition(lambda self: self.now.styles)
    @rule()
    def add_copies(self) -> None:
        after = add_copies(Store.open(self.path), RATES)
        self.now.copies = set(self.now.styles)
        self._committed(after)

    @rule()
    def compact(self) -> None:
        self._committed(edit.compact(Store.open(self.path)))

    @rule()
    def reopen(self) -> None:
        self.store = Store.open(self.path)

    @precondition(lambda self: len(self.versions) > 1)
    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.versions)[:-1]))
        after = history.rollback(self.path, number)
        self.now = copy.deepcopy(self.versions[number])
        self._committed(after)

    @rule(keep=st.integers(1, 3))
    def vacuum(self, keep: int) -> None:
        history.vacuum(self.path, keep=keep)
        kept = {*sorted(self.versions)[-keep:], self.store.version}
        self.versions = {number: version for number, version in self.versions.items() if number in kept}

    @rule(name=st.sampled_from(["embeddings", "entry", "segments", "transitions"]), at=st.floats(0.0, 1.0))
    def damage_and_repair(self, name: str, at: float) -> None:
        """A byte of what is derived changes on the disk; `--repair` makes a version without it."""
        store = Store.open(self.path)
        entry = store.manifest.arrays[name].file if name in store.manifest.arrays else store.manifest.tables[name][0]
        data = bytearray((self.path / entry.path).read_bytes())
        sound = bytes(data)
        data[round(at * (len(data) - 1))] ^= 0xFF
        (self.path / entry.path).write_bytes(data)
        assert [problem.file for problem in verify(self.path)] == [entry.path]
        if self.now.copies:
            # their rows are not made again; the file comes from a backup
            (self.path / entry.path).write_bytes(sound)
            return
        repair(self.path)
        after = Store.open(self.path)
        # older versions may name the file that was damaged
        (self.path / entry.path).write_bytes(sound)
        self._committed(after)

    @rule(data=st.data())
    def time_travel(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.versions)))
        self._check(Store.open(self.path, number), self.versions[number])

    @rule(seed=st.integers(0, 99), k=st.integers(1, 6), style=st.sampled_from([None, "waltz"]))
    def search(self, seed: int, k: int, style: str | None) -> None:
        """What is found is what looking at everything finds, in the version that is open."""
        vectors = np.asarray(self.store.array("embeddings"))
        allowed = None if style is None else matching(self.store, f"style = '{style}'")
        rows = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
        names = self.store.columns("segments", ["clip"]).column("clip").to_pylist()
        styles = self.versions[self.store.version].clips
        assert set(rows.tolist()) == {at for at, name in enumerate(names) if style in (None, styles[name])}
        if not len(rows):
            return
        query = np.random.default_rng(seed).normal(size=(1, vectors.shape[1])).astype(np.float32)
        scores, found = indexes.choose(self.store).search(query, k, allowed)
        expected = np.sort(vectors[rows].astype(np.float64) @ query[0].astype(np.float64))[::-1][:k]
        np.testing.assert_allclose(scores[0], expected, atol=1e-5)
        assert np.isin(found[0], rows).all()

    def _check(self, store: Store, expected: Version) -> None:
        rows = {row["clip"]: row for row in store.table("clips").to_pylist()}
        assert {name: row["style"] for name, row in rows.items()} == expected.clips
        segments = store.columns("segments", ["clip"]).column("clip").to_pylist()
        assert set(segments) == set(expected.clips)
        dead = store.table("tombstones").column("clip").to_pylist()
        assert set(dead) == expected.deleted
        for name in expected.styles:
            whole = Store.open(pool() / "all").read_motion(name, 0, rows[name]["frames"])
            for got, kept in zip(store.read_motion(name, 0, rows[name]["frames"]), whole, strict=True):
                np.testing.assert_array_equal(got, kept)

    @invariant()
    def the_newest_version_is_the_model(self) -> None:
        if self.versions:
            store = Store.open(self.path)
            assert store.version == max(self.versions)
            self._check(store, self.now)

    def teardown(self) -> None:
        try:
            if self.versions:
                store = Store.open(self.path)
                if self.now.styles and not self.now.copies:
                    equals_its_rebuild(store)
                for number in self.versions:
                    assert verify(self.path, number) == ()
        finally:
            self.patch.undo()
            shutil.rmtree(self.folder)


Machine.TestCase.settings = settings(
    max_examples=3, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
TestUpdates = Machine.TestCase


@pytest.mark.long
class TestUpdatesAtLength(Machine.TestCase):
    """The same, with many more walks."""

    settings: Any = settings(
        max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
