"""The registry of benchmarks, its reports, the stored runs, and the benches themselves on the sample."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from choreodb import cli
from choreodb.benchmarks.runs import (
    dances,
    generation,
    history,
    latency,
    latency_sizes,
    machine,
    peer_stages,
    plots,
    query_stages,
    registry,
    songs,
    tables,
)
from choreodb.benchmarks.runs.dances import Danced
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.registry import BENCHMARKS, BenchRequest, BenchResult
from choreodb.errors import ChoreoError, QueryError
from choreodb.library import Library
from choreodb.motion import bvh
from choreodb.music import decode


def quiet(*_: object) -> None:
    """Progress that says nothing."""


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> dict[str, types.ModuleType]:
    """A registry of two benchmarks, one of which needs a song, and a third that does not exist."""
    made: dict[str, types.ModuleType] = {}

    def steady(request: BenchRequest) -> BenchResult:
        figure = plots.Bars("steady", "Steady", ("a", "b"), (1.0, 2.0))
        return BenchResult("steady", [{"row": "a", "good": 0.5 + request.seed, "note": "x"}], "| a |", (figure,))

    def needy(request: BenchRequest) -> BenchResult:
        if not request.songs:
            raise QueryError("bench needy needs a song")
        return BenchResult("needy", [{"row": "b", "songs": len(request.songs)}], "| b |")

    for name, run in (("steady", steady), ("needy", needy)):
        module = types.ModuleType(f"made_{name}")
        module.run = run  # type: ignore[attr-defined]
        module.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
        monkeypatch.setitem(sys.modules, f"made_{name}", module)
        made[name] = module
    made["steady"].WATCHED = {"good": Watch("higher")}  # type: ignore[attr-defined]
    listed = {"steady": "made_steady", "needy": "made_needy", "later": "choreodb.benchmarks.runs.not_there"}
    monkeypatch.setattr(registry, "BENCHMARKS", listed)
    return made


def run(name: str, targets: list[Path], **options: object) -> registry.BenchReport:
    defaults = {"data": None, "out": None, "seed": 0, "progress": quiet}
    return registry.run(name, targets, **(defaults | options))  # type: ignore[arg-type]


def test_every_listed_benchmark_exists_and_has_a_run() -> None:
    import importlib

    assert set(registry.names()) >= {"beats", "dance", "generation", "latency"}
    for name in registry.names():
        assert callable(importlib.import_module(BENCHMARKS[name]).run)


def test_a_benchmark_whose_part_does_not_exist_is_absent(benches: dict, sample_library: Path) -> None:
    assert registry.names() == ["steady", "needy"]
    with pytest.raises(QueryError, match="'later' is not known; there are steady, needy and all"):
        run("later", [sample_library])


def test_all_says_what_could_not_be_run(benches: dict, sample_library: Path, sample_song: Path) -> None:
    report = run("all", [sample_library])
    assert [result.name for result in report.results] == ["steady"]
    assert report.skipped == [("needy", "bench needy needs a song")]
    assert "needy: bench needy needs a song" in report.text()
    assert run("all", [sample_library, sample_song]).skipped == []


def test_a_defect_in_one_benchmark_does_not_cost_the_others(benches: dict, sample_library: Path) -> None:
    benches["needy"].run = lambda request: 1 // 0
    report = run("all", [sample_library])
    assert [result.name for result in report.results] == ["steady"]
    assert report.skipped[0][1].startswith("FAILED, ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        run("needy", [sample_library])


def test_one_benchmark_by_name_fails_with_its_own_error(benches: dict, sample_library: Path) -> None:
    with pytest.raises(QueryError, match="needs a song"):
        run("needy", [sample_library])


def test_nothing_that_could_be_run_is_an_error(
    benches: dict, sample_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "BENCHMARKS", {"needy": "made_needy"})
    with pytest.raises(QueryError, match="no benchmark could be run; needy: bench needy"):
        run("all", [sample_library])


def test_report_writes_markdown_plots_json_and_json_lines(benches: dict, sample_library: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    run("steady", [sample_library], out=out, seed=3, stored=tmp_path / "none")
    page = (out / "bench.md").read_text()
    assert "![Steady](steady.png)" in page
    assert "seed 3" in page
    assert (out / "steady.png").read_bytes().startswith(b"\x89PNG")
    lines = [json.loads(line) for line in (out / "bench.jsonl").read_text().splitlines()]
    assert lines[0]["kind"] == "run"
    assert {"versions", "commit", "cpu", "cores", "threads"} <= set(lines[0]["machine"])
    assert lines[0]["seed"] == 3
    assert lines[1] == {"kind": "row", "bench": "steady", "row": {"row": "a", "good": 3.5, "note": "x"}}
    assert json.loads((out / "bench.json").read_text())["benchmarks"][0]["rows"] == [lines[1]["row"]]


def test_stored_run_is_compared_with_the_next_on_the_same_inputs(
    benches: dict, sample_library: Path, sample_song: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "history"
    first = run("steady", [sample_library], store=True, stored=folder)
    assert first.before is None
    assert "No stored run" in first.text()
    assert run("steady", [sample_library], stored=folder).changes == []

    benches["steady"].run = lambda request: BenchResult("steady", [{"row": "a", "good": 0.3}], "")
    worse = run("steady", [sample_library], stored=folder)
    assert [(change.figure, change.before, change.after, change.worse) for change in worse.changes] == [
        ("good", 0.5, 0.3, True)
    ]
    assert "worse: steady, a, good: 0.5 -> 0.3" in worse.text()
    assert run("steady", [sample_library, sample_song], stored=folder).before is None, "other inputs are not compared"
    assert run("steady", [sample_library], stored=folder, quick=True).before is None, "nor is a quick run"


def a_run(**rows: dict) -> history.StoredRun:
    header = {"machine": {"cpu": "this", "cores": 2}, "inputs": "i", "finished": "2020-01-01T00:00:00Z"}
    return history.StoredRun(header, tuple((bench, row) for bench, row in rows.items()))


@pytest.mark.parametrize(
    ("before", "after", "watch", "expected"),
    [
        ({"x": 1.0}, {"x": 1.01}, Watch("lower"), None),
        ({"x": 1.0}, {"x": 1.1}, Watch("lower"), True),
        ({"x": 1.0}, {"x": 0.9}, Watch("lower"), False),
        ({"x": 1.0}, {"x": 0.9}, Watch("higher"), True),
        ({"x": 1.0, "x_sd": 0.05}, {"x": 1.1, "x_sd": 0.05}, Watch("lower"), None),
        ({"x": 1.0, "x_sd": 0.01}, {"x": 1.1, "x_sd": 0.01}, Watch("lower"), True),
        ({"x": 0.90, "n": 50}, {"x": 0.82, "n": 50}, Watch("higher", count="n"), None),
        ({"x": 0.90, "n": 5000}, {"x": 0.82, "n": 5000}, Watch("higher", count="n"), True),
        ({"x": None}, {"x": 0.82}, Watch("higher"), None),
        ({}, {"x": 0.82}, Watch("higher"), None),
        ({"x": 0.0}, {"x": 0.0}, Watch("higher"), None),
        ({"x": 1.0, "x_se": 0.05}, {"x": 1.1, "x_se": 0.05}, Watch("lower"), None),
        ({"x": 1.0, "x_se": 0.05, "x_sd": 0.01}, {"x": 1.1, "x_se": 0.05, "x_sd": 0.01}, Watch("lower"), None),
        ({"x": 0.001}, {"x": 0.0025}, Watch("lower", least=0.002), None),
        ({"x": 0.001}, {"x": 0.0035}, Watch("lower", least=0.002), True),
    ],
)
def test_change_counts_only_beyond_noise(before: dict, after: dict, watch: Watch, expected: bool | None) -> None:
    old = a_run(b={"row": "r", **before})
    found = history.compare(old, old.header, [("b", {"row": "r", **after})], {"b": {"x": watch}})
    assert [change.worse for change in found] == ([] if expected is None else [expected])


def test_timings_are_compared_on_the_same_processor_only() -> None:
    old = a_run(b={"row": "r", "ms": 1.0})
    watched = {"b": {"ms": Watch("lower", timing=True)}}
    other = {**old.header, "machine": {"cpu": "another", "cores": 2}}
    assert len(history.compare(old, old.header, [("b", {"row": "r", "ms": 2.0})], watched)) == 1
    assert history.compare(old, other, [("b", {"row": "r", "ms": 2.0})], watched) == []


def test_latest_run_is_the_last_that_finished(tmp_path: Path) -> None:
    for finished, value in (("2024-05-01T00:00:00Z", 1), ("2025-01-01T00:00:00Z", 2), ("2023-01-01T00:00:00Z", 3)):
        header = {"machine": {}, "inputs": "same", "finished": finished}
        history.store(history.json_lines(header, [("b", {"row": "r", "x": value})]), header, tmp_path)
    found = history.latest(tmp_path, {"inputs": "same"})
    assert found is not None
    assert found.rows == (("b", {"row": "r", "x": 2}),)
    assert history.latest(tmp_path, {"inputs": "same"}, ["b", "c"]) == found
    assert history.latest(tmp_path, {"inputs": "same"}, ["c"]) is None, "a run of another benchmark is no comparison"
    assert history.latest(tmp_path, {"inputs": "other"}) is None
    assert history.latest(tmp_path / "none", {"inputs": "same"}) is None


@pytest.mark.parametrize("text", ["", "{", '{"kind": "run"}\n', '{"kind": "run", "format": 99}\n', "[]\n"])
def test_stored_run_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(QueryError, match=r"x\.jsonl"):
        history.read(path)


def test_committed_stored_runs_can_be_read() -> None:
    for path in history.DEFAULT_FOLDER.glob("*.jsonl"):
        assert history.read(path).rows


def test_machine_states_what_a_number_depends_on() -> None:
    facts = machine.describe()
    assert {"choreodb", "commit", "python", "cpu", "cores", "load", "threads", "versions"} <= set(facts)
    assert "OMP_NUM_THREADS" in facts["threads"]
    json.dumps(facts)


def test_table_leaves_out_unknown_columns_and_prints_deviations() -> None:
    columns = (
        tables.Column("row", "", "s"),
        tables.Column("x", "X"),
        tables.Column("y", "Y", "%"),
        tables.Column("z", "Z"),
    )
    text = tables.markdown([{"row": "a", "x": 1.0, "x_sd": 0.25}, {"row": "b", "x": 2e9, "y": 0.5}], columns)
    assert text.splitlines() == [
        "|  | X | Y |",
        "| :-- | --: | --: |",
        "| a | 1.00 ± 0.25 | - |",
        "| b | 2.0e+09 | 50.0 % |",
    ]


@pytest.mark.parametrize(
    "figure",
    [
        plots.Bars("b", "Bars", ("one", "two"), (0.0, 3.0), (0.0, 1.0), ((2.0, "chance"),)),
        plots.Bars("zero", "Nothing", ("one",), (0.0,)),
        plots.Stacked("s", "Stacked", ("one", "two"), (("p", (1.0, 2.0)), ("q", (0.5, 0.0)))),
        plots.Lines("l", "Lines", "x", (("s", (1.0, 2.0), (3.0, 1.0)), ("t", (1.0,), (2.0,)))),
    ],
)
def test_plots_are_drawn_the_same_every_time(figure: plots.Figure, tmp_path: Path) -> None:
    first = plots.save(figure, tmp_path).read_bytes()
    assert plots.save(figure, tmp_path).read_bytes() == first
    image = np.asarray(plots.draw(figure))
    assert image.ndim == 3
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 2


def gliding(seconds: float, seed: int = 0) -> Danced:
    """A body of 24 joints that sways, with both feet said to stand."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * 60)) / 60.0
    pose = rng.uniform(0.1, 1.5, (1, 24, 3))
    sway = 0.1 * np.sin(2.0 * np.pi * times[:, None, None] * rng.uniform(0.5, 2.0, (1, 24, 3)))
    beats = np.arange(0.25, seconds, 0.5)
    return Danced(f"sway {seed}", pose + sway, np.ones((len(times), 4), dtype=np.uint8), beats)


def test_windows_are_cut_at_the_hop_and_never_beyond_the_end() -> None:
    joints = gliding(11.0).joints
    found = dances.cut(joints, window_s=5.0, hop_s=2.0)
    assert [len(window) for window in found] == [300] * 4
    assert np.array_equal(found[3], joints[360:660])
    assert dances.cut(joints[:299], window_s=5.0, hop_s=2.0) == []


def test_a_set_is_at_no_distance_from_itself_and_at_its_floor_from_its_half() -> None:
    features = dances.feature_set([gliding(5.0, seed).joints for seed in range(12)])
    row = dances.set_row(features, features)
    assert row["fid_k"] == pytest.approx(0.0, abs=1e-6)
    assert row["fid_g_varying"] == pytest.approx(0.0, abs=1e-6)
    floor = dances.floor_row(features, 6, np.random.default_rng(0))
    assert floor["fid_k"] > 0.0
    assert floor["fid_k_sd"] > 0.0


def test_beat_row_puts_chance_beside_the_score_and_is_empty_without_music() -> None:
    dance = gliding(20.0)
    row = dances.beat_row(dance, [], np.random.default_rng(0))
    assert 0.0 <= row["beats"] <= 1.0
    assert {"chance", "chance_z", "shuffled", "beats_bailando", "beats_mint"} <= set(row)
    assert dances.beat_row(replace(dance, beats_s=None), [], np.random.default_rng(0)) == {}
    assert dances.beat_row(replace(dance, beats_s=np.array([99.0, 100.0])), [], np.random.default_rng(0)) == {}


def test_mean_row_weighs_by_seconds_and_skips_the_unknown() -> None:
    rows = [{"a": 1.0, "b": None}, {"a": 3.0, "b": 4.0}]
    assert dances.mean_row(rows, [3.0, 1.0]) == {"a": 1.5, "b": 4.0}
    assert dances.mean_row([{"a": None}]) == {"a": None}


def test_over_seeds_gives_mean_and_sample_deviation() -> None:
    out = generation.over_seeds([{"x": 1.0, "n": 10, "y": None}, {"x": 3.0, "n": 11, "y": 2.0}])
    assert out["seeds"] == 2
    assert out["x"] == 2.0
    assert out["x_sd"] == pytest.approx(np.sqrt(2.0))
    assert out["n"] == 10
    assert "n_sd" not in out
    assert out["y"] == 2.0


def test_halves_share_no_song_and_hold_every_clip(sample_library: Path) -> None:
    library = Library.open(sample_library)
    rows = {row["clip"]: row for row in library.store.columns("clips", ["clip", "music"]).to_pylist()}
    for seed in range(4):
        reference, material = generation.halves(library, np.random.default_rng(seed))
        assert sorted([*reference.clips, *material.clips]) == sorted(rows)
        assert not {rows[clip]["music"] for clip in reference.clips} & {rows[clip]["music"] for clip in material.clips}


def test_generation_on_the_sample_has_every_row(sample_library: Path, sample_song: Path, sample_folder: Path) -> None:
    library = Library.open(sample_library)
    paired = songs.paired_songs(library, sample_folder)
    assert len(paired) == library.info().facts["songs"]
    rows, notes = generation.bench_generation(library, [sample_song], paired, seeds=[0])
    assert [row["row"] for row in rows] == [generation.FLOOR, generation.TRUTH, *generation.GENERATED]
    by_name = {row["row"]: row for row in rows}
    random_clips, ours = by_name["random clips"], by_name["ours, physics"]
    assert random_clips["captured_ratio"] == 1.0
    assert random_clips["replayed"] > 0.5, "whole clips are replays, and must be seen as such"
    assert ours["captured_ratio"] < 1.0
    assert ours["skating"] <= by_name["ours, no refinement"]["skating"]
    assert by_name["ground truth"]["beats"] is not None
    assert any("FEWER THAN 1000 WINDOWS" in note for note in notes)
    text = generation.format_table(rows, notes)
    assert text.count("| ours, physics |") == 2
    assert json.dumps(rows, allow_nan=False)
    assert len(generation.figures(rows)) == 2
    again, _ = generation.bench_generation(library, [sample_song], paired, seeds=[0])
    assert again == rows


def test_generation_without_two_songs_or_files_is_an_error(sample_library: Path) -> None:
    with pytest.raises(QueryError, match="needs a library"):
        generation.run(BenchRequest(None, (), None, None, 0, quiet))


def a_timed(stages: dict[str, float], warm: int = 2) -> latency.Timed:
    laps = {stage: {"wall_ms": value, "cpu_ms": value / 2.0} for stage, value in stages.items()}
    total = sum(stages.values()) * (1 + warm)
    return latency.Timed((("s", laps),) * (1 + warm), total + 7.0, total / 2.0 + 3.0)


def test_latency_rows_sum_stages_and_put_the_peer_over_ours() -> None:
    ours = {"import": 10.0, "open": 1.0, "decode": 4.0, "features": 3.0, "beats": 2.0, "embed": 1.0,
            "nearest": 0.5, "candidates": 1.5, "path": 2.0, "stitch": 1.0}  # fmt: skip
    peer = {"import librosa": 90.0, "import": 10.0, "open": 2.0, "decode": 8.0, "onset": 4.0, "beats": 4.0, "chroma": 1.0,
            "mfcc": 1.0, "neighbours": 1.0, "beam": 9.0}  # fmt: skip
    rows = latency.rows_of({latency.OURS: [a_timed(ours)] * 3, latency.PEER: [a_timed(peer)] * 3}, "song.ogg")
    found = {(row["row"], row["kind"], row["stage"]): row for row in rows}
    analysis = found[latency.OURS, latency.WARM, "= analysis"]
    assert analysis["wall_ms"] == 9.0
    assert analysis["ratio_wall"] == 2.0
    assert analysis["ratio_cpu_sd"] == 0.0
    assert found[latency.OURS, latency.COLD, "= process"]["wall_ms"] == sum(ours.values()) + 7.0
    assert found[latency.OURS, latency.WARM, "= query"]["wall_ms"] == sum(ours.values()) - 10.0, "imports are not warm"
    assert found[latency.OURS, latency.WARM, "= query"]["queries"] == 6


def test_a_process_that_fails_is_an_error_in_one_line() -> None:
    with pytest.raises(ChoreoError, match="no_such_module failed"):
        latency.measure([sys.executable, "-m", "choreodb.no_such_module"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_both_sides_of_latency_take_every_stage(sample_library: Path, sample_song: Path, tmp_path: Path) -> None:
    latency.export(sample_library, tmp_path / "library.npz")
    ours = query_stages.query(sample_library, sample_song, tmp_path / "dance.bvh", query_stages.Stopwatch())
    peer = peer_stages.query(tmp_path / "library.npz", sample_song, tmp_path, query_stages.Stopwatch())
    assert tuple(ours) == query_stages.STAGES
    assert tuple(peer) == peer_stages.STAGES
    assert set(latency.ANALYSIS[latency.OURS] + latency.SEARCH[latency.OURS]) < set(ours)
    assert set(latency.ANALYSIS[latency.PEER] + latency.SEARCH[latency.PEER]) < set(peer)
    assert bvh.load(tmp_path / "dance.bvh").duration_s == pytest.approx(decode.load(sample_song).duration_s, abs=0.05)


def test_latency_goals_are_judged_on_the_largest_library() -> None:
    def row(name: str, segments: int, part: str, cpu_ms: float) -> dict[str, object]:
        return {
            "row": name,
            "kind": latency_sizes.SIZE,
            "segments": segments,
            "part": part,
            "song_s": 180.0,
            "cpu_ms": cpu_ms,
        }

    rows = [
        row(latency.OURS, 1_000, "= mp3 to path", 500.0), row(latency.OURS, 10_000, "= mp3 to path", 900.0),
        row(latency.OURS, 10_000, "= after analysis, without the encoder", 301.0),
        row(latency.OURS, 10_000, "nearest", 60.0), row(latency.OURS, 10_000, "= whole query", 1_000.0),
        row(latency.PEER, 10_000, "= mp3 to path", 4_600.0),
        {"row": latency.OURS, "kind": latency.COLD, "stage": latency.DANCE, "cpu_ms": 1_200.0},
        {"row": latency.PEER, "kind": latency.COLD, "stage": latency.IMPORTED, "cpu_ms": 1_000.0},
    ]  # fmt: skip
    judged = latency_sizes.goals(rows)
    assert [goal["verdict"] for goal in judged] == ["pass", "pass", "FAIL", "FAIL", "pass", "FAIL"]
    assert [goal["value"] for goal in judged] == pytest.approx([200.0, 4600.0 / 900.0, 301.0, 0.06, 1.8, 1.2])


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_latency_fills_a_library_with_copies(sample_library: Path, sample_song: Path) -> None:
    rows = latency_sizes.bench_sizes(sample_library, sample_song, (600,))
    sizes = sorted({row["segments"] for row in rows})
    assert len(sizes) == 2
    assert sizes[1] >= 600
    assert "virtual copies" in latency_sizes.format_table(rows)
    assert len(latency_sizes.figures(rows)) == 1


@pytest.mark.long
def test_latency_on_the_sample(sample_library: Path, sample_song: Path) -> None:
    rows = latency.bench_latency(sample_library, sample_song, latency.Repeats(1, 1))
    stages = [row["stage"] for row in rows if row["row"] == latency.OURS and row["kind"] == latency.COLD]
    assert stages[: len(query_stages.STAGES)] == list(query_stages.STAGES)
    assert all(row["wall_ms"] > 0.0 for row in rows)
    assert "OMP_NUM_THREADS=1" in latency.format_table(rows)
    assert len(latency.figures(rows)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "benchmark 'nothing' is not known"),
        (["generation"], "needs a library"),
        (["latency"], "needs a library and a song"),
        (["beats", "--data", "no-such-folder"], "data folder 'no-such-folder' does not exist"),
        (["dance", "no-such-target"], "benchmark target 'no-such-target' does not exist"),
        (["beats", "--out", "pyproject.toml"], "is a file"),
    ],
)
def test_bad_requests_are_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.chdir(root)
    assert cli.main(["bench", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.long
def test_quick_run_of_everything(tmp_path: Path) -> None:
    assert cli.main(["bench", "all", "--quick", "--out", str(tmp_path), "--history", str(tmp_path / "history")]) == 0
    found = {json.loads(line).get("bench") for line in (tmp_path / "bench.jsonl").read_text().splitlines()[1:]}
    assert found == set(registry.names())
