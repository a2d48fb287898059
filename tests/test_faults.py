"""Writers that are killed, cut off, out of disk or forbidden to write, and files that are damaged: the quick form."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from choreodb.benchmarks.runs import faults, mutations
from choreodb.benchmarks.runs.faulty_disk import Fault, FaultyDisk, cut_power
from choreodb.errors import StoreError
from choreodb.storage import specimen
from choreodb.storage.folder import FolderPlace
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


@pytest.mark.long
def test_nothing_is_lost_and_nothing_is_missed() -> None:
    effort = faults.Effort(random_kills=1, calls=1, writes=1, refusals=1, mutations=24, operations=("delete",))
    rows = faults.bench_faults(effort)
    disturbed = [row for row in rows if row["kind"] == "fault"]
    assert sum(row["trials"] for row in disturbed) >= 7
    assert [row["first"] for row in disturbed if row["bad"]] == []
    damaged = [row for row in rows if row["kind"] == "damage"]
    assert sum(row["mutations"] for row in damaged) >= 24
    assert sum(row["odd"] for row in damaged) == 0
    assert all(row["verified"] == row["mutations"] for row in damaged)
    table = faults.format_table(rows)
    assert "0 bad" in table
    assert "0 not named by verify" in table


@pytest.mark.parametrize(("kind", "words"), [("full", "No space left"), ("denied", "Permission denied")])
@pytest.mark.parametrize("call", range(0, 60, 6))
def test_a_refusing_disk_gives_one_line_and_changes_nothing(tmp_path: Path, kind: str, words: str, call: int) -> None:
    store = specimen.make(tmp_path / "library", clips=2, bars=1)
    place = FolderPlace(tmp_path / "library", FaultyDisk(Fault(kind, call), tmp_path / "journal"))  # type: ignore[arg-type]
    said = words
    try:
        Store.open(place).commit(arrays={"entry": store.array("exit")}, meta={"n": 1})
    except StoreError as error:
        said = str(error)
    assert words in said
    assert "\n" not in said
    # where only the last sync is refused the version is there, whole, and may not outlive the machine
    assert Store.open(tmp_path / "library").version in (1, 2)
    assert verify(tmp_path / "library") == ()
    assert Store.open(tmp_path / "library").commit(meta={"n": 2}).meta == {"n": 2}
    assert not list(tmp_path.rglob(".tmp-*"))


def test_a_power_cut_takes_what_was_not_synced(tmp_path: Path) -> None:
    """The model must be able to lose things, or surviving it would say nothing."""
    lost = []
    for seed in range(12):
        folder, journal = tmp_path / f"{seed}", tmp_path / f"{seed}-journal"
        folder.mkdir()
        disk = FaultyDisk(Fault(), journal)
        for name, synced in (("safe", True), ("loose", False)):
            file = disk.create(folder / f".{name}")
            file.write(b"x" * 100)
            file.close()
            if synced:
                disk.sync(folder / f".{name}")
            disk.rename(folder / f".{name}", folder / name)
            if synced:
                disk.sync(folder)
        cut_power(journal, np.random.default_rng(seed))
        assert (folder / "safe").read_bytes() == b"x" * 100
        lost.append(not (folder / "loose").exists() or (folder / "loose").stat().st_size < 100)
    assert sum(lost) > 6


def test_a_writer_that_forgets_to_sync_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the syncs of a commit the same power cuts do break the library: the trial can tell."""
    broken = 0
    for seed in range(8):
        library, journal = tmp_path / f"{seed}", tmp_path / f"{seed}-journal"
        specimen.make(library, clips=1, bars=1)
        disk = FaultyDisk(Fault(), journal)
        monkeypatch.setattr(disk, "sync", lambda path: None)
        store = Store.open(FolderPlace(library, disk))
        store.commit(arrays={"entry": np.array(store.array("exit"))}, meta={"n": 1})
        cut_power(journal, np.random.default_rng(seed))
        try:
            Store.open(library)
            broken += verify(library) != ()
        except StoreError:
            broken += 1
    assert broken > 1


def test_what_a_mutation_does_is_undone(tmp_path: Path) -> None:
    library = tmp_path / "library"
    specimen.make(library, clips=1, bars=1)
    before = {path: path.read_bytes() for path in sorted(library.rglob("*")) if path.is_file()}
    name = next(path.relative_to(library).as_posix() for path in before if "motion" in path.name)
    outcomes = mutations.try_all(library, [mutations.Mutation(name, 100, 1), mutations.Mutation(name, 10, 0)])
    assert [outcome.verified for outcome in outcomes] == [True, True]
    assert outcomes[1].read == "refused"
    assert {path: path.read_bytes() for path in sorted(library.rglob("*")) if path.is_file()} == before


def test_faulty_disk_counts_what_a_disk_is_asked(tmp_path: Path) -> None:
    disk = FaultyDisk(Fault("full", 1), tmp_path / "journal")
    file = disk.create(tmp_path / "file")
    with pytest.raises(OSError, match="No space") as caught:
        file.write(b"12345678")
    assert caught.value.errno == errno.ENOSPC
    file.close()
    assert (tmp_path / "file").read_bytes() == b"1234"
    assert disk.calls == ["create", "write"]
