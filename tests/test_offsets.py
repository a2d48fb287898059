"""`[offsets]`: a performer's own bones for files that hold none."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from test_vmd import key, write
from walking import walk

from choreodb.cli import main
from choreodb.errors import MotionFormatError
from choreodb.inspection import inspect_motion
from choreodb.motion import CHOREO22, bvh, kinematics, registry, smpl
from choreodb.motion.offsets import read_offsets
from choreodb.motion.rotations import quat_to_matrix, quat_to_rotvec
from choreodb.motion.vmd import UNITS_PER_METRE

LEGS = """
[offsets]
left_knee = [0.0, -0.50, 0.0]
right_knee = [0.0, -0.50, 0.0]
left_ankle = [0.0, -0.48, 0.0]
right_ankle = [0.0, -0.48, 0.0]
"""


@pytest.fixture
def tall(tmp_path: Path) -> Path:
    (tmp_path / "tall.toml").write_text(LEGS)
    return tmp_path / "tall.toml"


def dance(kind: str, folder: Path) -> Path:
    """A walk as a file without offsets."""
    motion = walk(2.0)
    poses = quat_to_rotvec(motion.rotations).reshape(len(motion), -1)
    path = folder / f"{kind}{ {'aist': '.pkl', 'features': '.npy', 'amass': '.npz', 'vmd': '.vmd'}[kind] }"
    match kind:
        case "amass":
            smpl.save(motion, path)
        case "aist":
            whole = np.concatenate([poses, np.zeros((len(motion), 6))], axis=1)
            path.write_bytes(
                pickle.dumps({"smpl_poses": whole, "smpl_trans": 90.0 * motion.root, "smpl_scaling": 90.0})
            )
        case "features":
            rows = quat_to_matrix(motion.rotations)[..., :2, :].reshape(len(motion), -1)
            np.save(path, np.concatenate([motion.root, rows], axis=1))
        case "vmd":
            write(path, [key("センター", 0), key("左足ＩＫ", 0), key("右足ＩＫ", 0), key("左足ＩＫ", 60, (0, 1, 2))])
    return path


@pytest.mark.parametrize("kind", ["amass", "aist", "features", "vmd"])
def test_offsets_of_the_file_replace_those_of_our_body(kind: str, tmp_path: Path, tall: Path) -> None:
    path = dance(kind, tmp_path)
    plain, (motion, joint_map) = registry.read(path), registry.read_mapped(path, tall)
    assert joint_map == {}
    assert (plain.skeleton.source, motion.skeleton.source) == ("reference", "file")
    assert len([note for note in motion.notes if note.startswith("bone lengths:")]) == 1
    assert any(str(tall) in note for note in motion.notes)
    unit = UNITS_PER_METRE if kind == "vmd" else 1.0
    hip, knee, ankle = ("左足", "左ひざ", "左足首") if kind == "vmd" else ("left_hip", "left_knee", "left_ankle")
    at = kinematics.joint_positions(motion)
    for above, below, length_m in ((hip, knee, 0.50), (knee, ankle, 0.48)):
        bone = at[:, motion.skeleton.index(below)] - at[:, motion.skeleton.index(above)]
        assert np.allclose(np.linalg.norm(bone, axis=-1), length_m * unit)
    same = [name for name in plain.skeleton.names if not name.endswith(("ankle", "knee", "ひざ", "足首"))]
    if kind != "vmd":
        assert np.array_equal(plain.rotations, motion.rotations)
        assert all(
            np.array_equal(plain.skeleton.offsets[plain.skeleton.index(name)], motion.skeleton.offsets[motion.skeleton.index(name)])
            for name in same
        )  # fmt: skip


@pytest.mark.parametrize("kind", ["amass", "aist", "features"])
def test_a_taller_performer_is_scaled_to_our_legs(kind: str, tmp_path: Path, tall: Path) -> None:
    found = inspect_motion(dance(kind, tmp_path), skeleton=tall)
    assert found.as_dict()["skeleton"] == "file"
    assert found.canonical is not None
    assert found.canonical.scale == pytest.approx(0.98 / 0.8202, abs=0.01)
    # arms and trunk stay ours, and are small for such legs
    assert found.canonical.residual_cm < 6.0


def test_files_with_bones_of_their_own_keep_them(tmp_path: Path, tall: Path) -> None:
    bvh.save(walk(1.0), tmp_path / "a.bvh")
    motion, _ = registry.read_mapped(tmp_path / "a.bvh", tall)
    assert np.array_equal(motion.skeleton.offsets, registry.read(tmp_path / "a.bvh").skeleton.offsets)
    assert any(note.startswith("bone lengths: the file's own") for note in motion.notes)


def test_a_map_and_offsets_stand_in_one_file(tmp_path: Path) -> None:
    text = LEGS + '\n[joints]\nleft_hip = "LThigh"\n'
    (tmp_path / "both.toml").write_text(text)
    assert len(read_offsets(tmp_path / "both.toml")) == 4
    with pytest.raises(MotionFormatError, match="joint map gives 'LThigh'"):
        inspect_motion(dance("amass", tmp_path), skeleton=tmp_path / "both.toml")


@pytest.mark.parametrize(
    "line",
    ["left_kneee = [0, 1, 0]", "left_knee = 3", "left_knee = [0, 1]", "left_knee = [0, 0, 0]", "left_knee = [0, nan, 0]",
     "left_knee = [0, -45, 0]", 'left_knee = ["a", 0, 0]', "pelvis = [0, 1, 0]", "left_knee = [true, 1, 0]"],
)  # fmt: skip
def test_offsets_that_are_none_are_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f"[offsets]\n{line}\n")
    with pytest.raises(MotionFormatError, match=r"a\.toml: \[offsets\]"):
        read_offsets(tmp_path / "a.toml")


def test_offsets_that_are_no_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("offsets = 3\n")
    with pytest.raises(MotionFormatError, match=r"a\.toml: is no joint map"):
        read_offsets(tmp_path / "a.toml")


@pytest.mark.parametrize("command", [["inspect"], ["retarget", "-o", "out.bvh"], ["index", "--library", "lib"]])
def test_the_command_line_takes_offsets(
    command: list[str], tmp_path: Path, tall: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, *rest = command
    path = dance("amass", tmp_path).name
    assert main([name, path, *rest, "--skeleton", tall.name]) == 0
    said = capsys.readouterr().out
    if name != "index":
        assert "tall.toml" in said
    tall.write_text("[offsets]\nleft_knee = 3\n")
    assert main([name, path, *rest, "--skeleton", tall.name]) == 1
    said = capsys.readouterr().err
    assert "[offsets] gives 3 for 'left_knee'" in said
    assert said.count("\n") == 1


def test_our_body_is_not_changed() -> None:
    assert CHOREO22.offsets[CHOREO22.index("left_knee")].tolist() == [0.0, -0.412, 0.0]
