"""Timing: how segments move is kept with the library, and slowness at the onsets is priced."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from dance_material import LoudnessEncoder, make_grid, make_music, make_tables

from choreodb.indexer import ingest, timing
from choreodb.indexer.accents import accents
from choreodb.indexer.build import index
from choreodb.indexer.copies import add_copies
from choreodb.library import Library
from choreodb.retriever import planner
from choreodb.retriever import timing as price
from choreodb.retriever.candidates import build_pool
from choreodb.retriever.costs import CostWeights
from choreodb.retriever.options import PlanOptions
from choreodb.storage import edit
from choreodb.storage.store import Store
from choreodb.storage.verify import verify


def again(store: Store) -> np.ndarray:
    """The array as it is when everything is measured anew on the motion."""
    rows = store.columns("segments", ["clip", "start_s", "end_s"]).to_pylist()
    out = np.empty((len(rows), 128), dtype=np.float32)
    for clip in {row["clip"] for row in rows}:
        frames = next(r["frames"] for r in store.columns("clips", ["clip", "frames"]).to_pylist() if r["clip"] == clip)
        rotations, root, contacts = store.read_motion(clip, 0, frames)
        positions = ingest.joint_positions(rotations, root)
        at = [number for number, row in enumerate(rows) if row["clip"] == clip]
        starts, ends = ([rows[number][name] for number in at] for name in ("start_s", "end_s"))
        curves = accents(positions, contacts, 60.0)
        out[at] = timing.measure(curves, timing.rise_m_s(positions, 60.0), starts, ends)
    return out


def test_a_library_keeps_how_its_segments_move(sample_library: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(sample_library, tmp_path / "lib"))
    store = Store.open(library)
    np.testing.assert_array_equal(store.array("accents"), again(store))
    clip = store.columns("clips", ["clip"]).column("clip").to_pylist()[2]
    fewer = edit.delete(store, [clip])
    np.testing.assert_array_equal(fewer.array("accents"), again(fewer))
    own = fewer.manifest.rows("segments")
    copied = add_copies(fewer, [1.25])
    assert verify(library) == ()
    speed = timing.SAMPLES
    np.testing.assert_allclose(copied.array("accents")[own:, :speed], copied.array("accents")[:own, :speed] * 1.25)


def test_a_copy_is_what_its_frames_show(sample_library: Path, tmp_path: Path) -> None:
    store = add_copies(Store.open(shutil.copytree(sample_library, tmp_path / "lib")), [0.8])
    derived, measured = store.array("accents"), again(store)
    for curve, least in zip(timing.CURVES, (0.99, 0.95, 0.9, 0.97), strict=True):
        part = slice(timing.CURVES.index(curve) * 32, (timing.CURVES.index(curve) + 1) * 32)
        met = (timing.unit(derived[:, part]) * timing.unit(measured[:, part])).sum(axis=1)
        assert np.median(met) > least


def test_unit_rows_are_correlations(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(2, 32))
    met = timing.unit(a[None]) @ timing.unit(7.0 * b[None] - 3.0).T
    assert met[0, 0] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-6)
    np.testing.assert_array_equal(timing.unit(np.full((2, 32), 5.0)), 0.0)


def test_slow_at_the_onsets_is_cheap_and_fast_there_is_dear() -> None:
    heard = timing.unit(np.eye(32)[[4]] + np.eye(32)[[20]])[0]
    speeds = np.stack([1.0 - 0.8 * (heard > 0), 1.0 + 0.8 * (heard > 0), np.ones(32)])
    held = np.zeros((3, 128), dtype=np.float32)
    held[:, :32] = speeds
    slowness = price.Slowness(held, np.arange(3))
    whole = np.array([True, True, True])
    np.testing.assert_allclose(price.misses(slowness, heard, whole, slice(None)), [0.0, 1.0, 0.5], atol=1e-6)
    np.testing.assert_allclose(price.misses(slowness, heard, whole[:1], np.array([1])), [1.0], atol=1e-6)
    assert price.misses(slowness, heard, ~whole, slice(None)).tolist() == [price.UNKNOWN] * 3
    unknown = price.Slowness(None, np.arange(3))
    assert price.misses(unknown, heard, whole, slice(None)).tolist() == [0.0] * 3


def test_a_dearer_term_is_kept_better(rng: np.random.Generator) -> None:
    segments, clips, arrays = make_tables(rng, clips=10, bars=8)
    song = make_music(40.0, [make_grid(np.arange(0.0, 42.0, 0.5), 4)])
    arrays["accents"] = rng.random((segments.num_rows, 128)).astype(np.float32)
    pool = build_pool(segments, clips, arrays)
    found = []
    for weight in (0.01, 100.0):
        options = PlanOptions(weights=CostWeights(timing=weight), candidate_gap=False)
        plan = planner.plan_in_pool(pool, song, LoudnessEncoder(), options, segments)
        found.append(plan.terms["timing"].sum() / weight)
    assert found[1] < found[0]
    del arrays["accents"]
    bare = planner.plan_in_pool(build_pool(segments, clips, arrays), song, LoudnessEncoder(), PlanOptions(), segments)
    assert bare.terms["timing"].sum() == 0.0


def test_a_dance_from_a_library_without_it_says_so(sample_library: Path, sample_song: Path, tmp_path: Path) -> None:
    library = Path(shutil.copytree(sample_library, tmp_path / "lib"))
    with_it = Library.open(library).dance(sample_song, refine="none")
    assert not any("timing" in note for note in with_it.report["warnings"])
    assert with_it.report["certificate"]["terms"]["timing"] > 0.0
    store = Store.open(library)
    kept = {name: entry for name, entry in store.manifest.arrays.items() if name != "accents"}
    store.manifest = type(store.manifest)(
        **{name: getattr(store.manifest, name) for name in store.manifest.__dataclass_fields__} | {"arrays": kept}
    )
    without = Library(store).dance(sample_song, refine="none")
    assert any("timing" in note and "choreodb merge" in note for note in without.report["warnings"])
    assert without.report["certificate"]["terms"]["timing"] == 0.0


def test_indexing_more_measures_the_rest_again(sample_folder: Path, sample_library: Path, tmp_path: Path) -> None:
    clips = sorted(sample_folder.rglob("*.bvh"))[:2]
    for clip in clips:
        (tmp_path / "source").mkdir(exist_ok=True)
        shutil.copy(clip, tmp_path / "source" / clip.name)
        index([tmp_path / "source"], tmp_path / "lib")
    store = Store.open(tmp_path / "lib")
    np.testing.assert_array_equal(store.array("accents"), again(store))


def test_the_bench_compares_the_term_on_and_off(sample_library: Path, sample_song: Path) -> None:
    from choreodb.benchmarks.runs.dance_timing import format_timing, timing_rows

    rows = timing_rows(Library.open(sample_library), [sample_song], seed=0, seeds=1)
    assert [row["row"] for row in rows] == ["timing on, song", "timing off, song"]
    on, off = rows
    assert all(np.isfinite(value) for row in rows for name, value in row.items() if name != "row")
    assert 0.0 < off["plain_cost"] < 1.2 * on["plain_cost"]
    assert 0.0 <= on["beat_score"] <= 1.0
    assert "above shuffled" in format_timing(rows)
