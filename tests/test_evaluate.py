"""`choreodb evaluate`: dances of any format, measured as they are in their files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from jsonschema import Draft202012Validator

from choreodb import cli
from choreodb.benchmarks.runs import evaluate
from choreodb.benchmarks.runs.evaluate import EvaluateOptions
from choreodb.errors import QueryError
from choreodb.motion import bvh, positions, registry, retarget
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import axis_angle_to_quat, rotate
from choreodb.music import decode


@pytest.fixture(scope="module")
def dances(sample_folder: Path) -> list[Path]:
    """Three dances of the sample."""
    return sorted(sample_folder.rglob("*.bvh"))[:3]


@pytest.fixture(scope="module")
def songs(sample_folder: Path, dances: list[Path]) -> list[Path]:
    """Their songs."""
    rows = (line.split(",") for line in (sample_folder / "pairs.csv").read_text().splitlines()[1:])
    by_motion = {row[0]: row[1] for row in rows}
    return [sample_folder / by_motion[path.relative_to(sample_folder).as_posix()] for path in dances]


def joints_of(path: Path) -> tuple[Motion, np.ndarray]:
    motion = registry.read(path)
    return motion, np.asarray(retarget.to_smpl24(retarget.to_canonical(motion)), dtype=np.float64)


def test_every_dance_has_a_row_with_chance_beside_its_score(dances: list[Path], songs: list[Path]) -> None:
    found = evaluate.evaluate(dances, songs)
    assert [row["row"] for row in found.rows] == [path.stem for path in dances]
    for row in found.rows:
        assert 0.0 <= row["beats"] <= 1.0
        assert {"chance", "chance_z", "shuffled", "beats_bailando", "beats_mint", "pfc", "skating", "frozen"} <= set(
            row
        )
    assert found.summary["skating"] == pytest.approx(
        np.average([row["skating"] for row in found.rows], weights=[row["seconds"] for row in found.rows])
    )
    assert "no --reference" in found.text()
    json.dumps(found.as_dict(), allow_nan=False)
    assert evaluate.evaluate(dances, songs).as_dict() == found.as_dict()


def test_music_may_be_missing(dances: list[Path]) -> None:
    found = evaluate.evaluate(dances[:1])
    assert "beats" not in found.rows[0]
    assert "1 of 1 dances have no music, or none with two beats in it: no beat alignment" in found.notes
    assert "make no set" in found.text()


def test_reference_gives_distances_and_their_floor(
    dances: list[Path], sample_library: Path, sample_folder: Path
) -> None:
    options = EvaluateOptions(window_s=2.0, draws=20)
    by_library = evaluate.evaluate(dances[:2], reference=sample_library, options=options)
    ours, floor = by_library.distances
    assert ours["fid_k"] > 0.0
    assert floor["row"].startswith("floor")
    assert floor["fid_k_sd"] > 0.0
    assert floor["n"] <= ours["n"]
    assert "FID_k" in by_library.text()
    by_folder = evaluate.evaluate(dances[:2], reference=sample_folder, options=options)
    assert by_folder.distances[0]["fid_k"] > 0.0


def test_a_set_is_nearer_to_itself_than_to_another_style(sample_folder: Path) -> None:
    folders = sorted({path.parent for path in sample_folder.rglob("*.bvh")})[:2]
    options = EvaluateOptions(window_s=2.0, draws=20)
    own = evaluate.evaluate([folders[0]], reference=folders[0], options=options).distances[0]
    other = evaluate.evaluate([folders[1]], reference=folders[0], options=options).distances[0]
    assert own["fid_k"] == pytest.approx(0.0, abs=1e-6)
    assert other["fid_k"] > 1.0


def test_joints_are_as_filed_up_to_one_rigid_transform_and_scale(dances: list[Path]) -> None:
    motion, canonical = joints_of(dances[0])
    raw = np.asarray(retarget.to_smpl24(motion), dtype=np.float64)
    turn = axis_angle_to_quat(np.array([0.48, 0.6, -0.64]), np.asarray(1.1))
    strange = 250.0 * rotate(turn, raw) + np.array([30.0, -7.0, 11.0])
    plain, _ = evaluate.as_filed(raw, motion.fps, canonical)
    moved, misfit_m = evaluate.as_filed(strange, motion.fps, canonical)
    assert np.allclose(plain, moved, atol=1e-6)
    assert misfit_m < 0.15


def test_skating_in_the_file_is_not_repaired_before_it_is_measured(dances: list[Path], tmp_path: Path) -> None:
    motion = registry.read(dances[0])
    held = np.repeat(joint_positions(motion)[:1], len(motion), axis=0)
    slide = np.zeros((len(motion), 1, 3))
    slide[:, 0, 0] = 0.1 * np.arange(len(motion)) / motion.fps
    path = tmp_path / "slide.npz"
    joints = (held + slide).astype(np.float32)
    np.savez(
        path,
        joints=joints,
        fps=motion.fps,
        joint_names=np.array(motion.skeleton.names),
        parents=np.array(motion.skeleton.parents),
    )
    joints_filed = evaluate.read(path, None, [], EvaluateOptions()).joints
    speed = np.linalg.norm(np.diff(joints_filed[:, 7, [0, 2]], axis=0), axis=1) * 60.0
    scale = np.median(speed) / 0.1
    assert 0.7 < scale < 1.4, "a foot that slides at 10 cm/s in the file slides at that, in canonical size"
    assert np.std(speed) < 0.02 * np.median(speed)


def test_header_that_lies_about_its_rate_can_be_told(dances: list[Path]) -> None:
    as_read = evaluate.evaluate(dances[:1]).rows[0]
    told = evaluate.evaluate(dances[:1], options=EvaluateOptions(fps=2.0 * registry.read(dances[0]).fps)).rows[0]
    assert told["seconds"] == pytest.approx(as_read["seconds"] / 2.0, abs=0.05)


def test_positions_and_bvh_of_one_dance_agree(dances: list[Path], tmp_path: Path) -> None:
    motion = registry.read(dances[0]).frames(0, 400)
    bvh.save(motion, tmp_path / "a.bvh")
    positions.save(motion, tmp_path / "b.npz")
    by_bvh, by_positions = evaluate.evaluate([tmp_path / "a.bvh", tmp_path / "b.npz"]).rows
    assert by_positions["jerk_m_s3"] == pytest.approx(by_bvh["jerk_m_s3"], rel=0.15)
    assert by_positions["frozen"] == pytest.approx(by_bvh["frozen"], abs=0.05)


def test_songs_pair_by_stem_by_order_or_all_with_one(tmp_path: Path) -> None:
    a, b, x, y = (tmp_path / name for name in ("a.bvh", "b.bvh", "x.ogg", "y.ogg"))
    b_song, a_song = tmp_path / "b.ogg", tmp_path / "a.ogg"
    assert evaluate.paired([a, b], [b_song, a_song]) == [a_song, b_song]
    assert evaluate.paired([a, b], [x, y]) == [x, y]
    assert evaluate.paired([a, b], [x]) == [x, x]
    with pytest.raises(QueryError, match="3 songs do not pair with 2 dances"):
        evaluate.paired([a, b], [x, y, a_song])


def test_dances_of_one_stem_are_told_apart(tmp_path: Path) -> None:
    files = [tmp_path / "one" / "motion.bvh", tmp_path / "two" / "motion.bvh", tmp_path / "c.bvh"]
    assert evaluate.names_of(files) == ["one/motion", "two/motion", "c"]


def test_command_prints_one_json_document_of_the_schema(
    dances: list[Path], songs: list[Path], sample_folder: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads((root / "docs" / "schema" / "evaluate.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    plain = ["evaluate", "--motion", str(dances[0]), "--json"]
    against = ["evaluate", "--motion", *map(str, dances[:2]), "--music", str(songs[0]), "--reference",
               str(sample_folder), "--window", "2", "--json"]  # fmt: skip
    for arguments in (plain, against):
        assert cli.main(arguments) == 0
        document = json.loads(capsys.readouterr().out)
        Draft202012Validator(schema).validate(document)
    assert document["dances"][0]["music"] == songs[0].name
    assert [row["row"] for row in document["set"]] == ["dances", "floor: reference against itself"]


def test_music_shorter_than_the_dance_is_said(dances: list[Path], songs: list[Path], tmp_path: Path) -> None:
    audio = decode.load(songs[0])
    soundfile.write(tmp_path / "short.wav", audio.samples[: 4 * audio.rate], audio.rate)
    short = evaluate.evaluate(dances[:1], [tmp_path / "short.wav"])
    assert any("its music is there for 4.0 of" in note for note in short.notes)
    assert short.rows[0]["beats"] is not None
    assert not any("its music is there" in note for note in evaluate.evaluate(dances[:1], songs[:1]).notes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--motion", "none.bvh"], "does not exist"),
        (["--motion", "empty"], "motion folder 'empty' holds none of"),
        (["--motion", "text.bvh"], "text.bvh"),
        (["--motion", "nan.npz"], "nan.npz"),
        (["--motion", "dance.bvh", "--music", "text.ogg"], "not audio"),
        (["--motion", "dance.bvh", "--music", "text.ogg", "text.ogg"], "2 songs do not pair with 1 dances"),
        (["--motion", "dance.bvh", "--reference", "none"], "does not exist"),
        (["--motion", "dance.bvh", "--window", "-1"], "window_s is -1.0"),
        (["--motion", "dance.bvh", "--hop", "2"], "a hop needs a window"),
        (["--motion", "dance.bvh", "--fps", "0"], "0"),
        (["--motion", "dance.bvh", "--units", "parsec"], "parsec"),
        (["--motion", "three.bvh"], "frames"),
    ],
)
def test_bad_input_is_one_line_and_exit_1(
    arguments: list[str], message: str, dances: list[Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    shutil.copy(dances[0], "dance.bvh")
    Path("text.bvh").write_text("no motion here")
    Path("text.ogg").write_text("no music here")
    np.savez("nan.npz", joints=np.full((10, 24, 3), np.nan), fps=30.0)
    bvh.save(registry.read(dances[0]).frames(0, 3), "three.bvh")
    assert cli.main(["evaluate", *arguments]) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.realdata
def test_real_captures_in_both_formats(realdata: Path) -> None:
    folder = realdata / "paired" / "dance-with-melody" / "DANCE_W_3"
    found = evaluate.evaluate(
        [folder / "motion.npz", realdata / "mocap" / "cmu-dance" / "005_18.bvh"], [folder / "music.ogg"]
    )
    waltz, modern = found.rows
    assert waltz["seconds"] == pytest.approx(66.2, abs=0.2)
    assert 0.0 < waltz["chance"] < 0.3
    assert waltz["skating"] > 0.3, "the noise of this capture is not hidden by the foot lock of retargeting"
    assert modern["seam_ratio"] is None
