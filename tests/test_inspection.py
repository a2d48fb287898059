"""`choreodb inspect`: what a file was understood to be, as text, as JSON and as a picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from walking import walk

from choreodb.cli import main
from choreodb.errors import MotionFormatError
from choreodb.indexer.discover import discover
from choreodb.inspection import inspect_motion
from choreodb.motion import CHOREO22, CHOREO52, Motion, bvh, glb, positions, smpl
from choreodb.motion.jointmaps import read_joint_map
from choreodb.motion.rotations import identity, rotvec_to_quat
from choreodb.motion.skeleton import Skeleton


@pytest.fixture(scope="module")
def walker() -> Motion:
    return walk(3.0)


def document(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str, status: int = 0) -> dict[str, object]:
    assert main(["inspect", *arguments, "--json"]) == status
    found = json.loads(capsys.readouterr().out)
    schema = json.loads((root / "docs" / "schema" / "inspect.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(found)
    return found


def test_every_format_says_the_same_of_one_dance(
    walker: Motion, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bvh.save(walker, tmp_path / "a.bvh", units="cm")
    glb.save(walker, tmp_path / "a.glb")
    smpl.save(walker, tmp_path / "amass.npz")
    positions.save(walker, tmp_path / "joints.npz")
    told = {
        name: document(capsys, root, str(tmp_path / name)) for name in ("a.bvh", "a.glb", "amass.npz", "joints.npz")
    }
    assert {said["frames"] for said in told.values()} == {180}
    assert {said["fps"] for said in told.values()} == {60.0}
    assert all(said["scale"] == pytest.approx(1.0, abs=0.01) for said in told.values())
    assert all(said["residual_cm"] < 2.0 and not said["missing"] and said["problem"] is None for said in told.values())
    assert told["a.bvh"]["units"].startswith("units cm")
    assert told["amass.npz"]["up"].startswith("up z")
    assert told["amass.npz"]["skeleton"] == "reference"
    assert told["joints.npz"]["positions_only"]
    assert told["a.glb"]["mapping"] == {name: name for name in CHOREO22.names}
    # the file says that no frame of its hands was captured
    assert told["amass.npz"]["hands"] == {"left": 0, "right": 0}


def test_text_and_picture(walker: Motion, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    face = np.zeros((len(walker), 2))
    hands = Motion(
        np.concatenate([walker.rotations, identity(len(walker), 30)], axis=1), walker.root, CHOREO52, 60.0,
        face=face, face_names=("jawOpen", "blink"),
    )  # fmt: skip
    glb.save(hands, tmp_path / "a.glb")
    assert main(["inspect", str(tmp_path / "a.glb"), "--plot", str(tmp_path / "a.png")]) == 0
    text = capsys.readouterr().out
    for part in ("choreodb.motion.gltf", "180 at 60 fps, 3.00 s", "52 with rotations, 52 of them known", "15 left and 15 right",
                 "left_hip         left_hip", "residual", "frame rate 60: the spacing of the keys"):  # fmt: skip
        assert part in text
    with Image.open(tmp_path / "a.png") as image:
        assert image.size[0] > 600
        assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 1000


def test_rates_units_and_axes_can_be_told(
    walker: Motion, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bvh.save(replace(walker, fps=30.0), tmp_path / "a.bvh")
    said = document(capsys, root, str(tmp_path / "a.bvh"), "--fps", "60", "--units", "m", "--up", "y")
    assert said["fps"] == 60.0
    assert said["units"] == "units m as given"
    assert said["up"] == "up y as given"
    np.save(tmp_path / "a.npy", np.zeros((4, 3, 3)))
    assert main(["inspect", str(tmp_path / "a.npy")]) == 1
    assert "does not state its frame rate" in capsys.readouterr().err


def test_a_file_that_cannot_be_danced_says_why(
    walker: Motion, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tuple(f"p{joint}" for joint in range(22))
    blind = Skeleton(names, walker.skeleton.parents, walker.skeleton.offsets)
    bvh.save(replace(walker, skeleton=blind), tmp_path / "a.bvh")
    said = document(capsys, root, str(tmp_path / "a.bvh"), "--plot", str(tmp_path / "a.png"), status=3)
    assert "no joint found for left_hip" in str(said["problem"])
    assert said["residual_cm"] is None
    assert not (tmp_path / "a.png").exists()
    assert main(["inspect", str(tmp_path / "a.bvh")]) == 3
    assert "problem" in capsys.readouterr().out
    lines = [f'{ours} = "{theirs}"' for ours, theirs in zip(CHOREO22.names, names, strict=True)]
    (tmp_path / "map.toml").write_text("[joints]\n" + "\n".join(lines))
    said = document(capsys, root, str(tmp_path / "a.bvh"), "--skeleton", str(tmp_path / "map.toml"))
    assert said["problem"] is None
    assert said["mapping"]["head"] == "p15"


@pytest.mark.parametrize("text", ["left_hip = 3.5", "[", "a" * 10 + "\xff", "[joints]\nx = []"])
def test_bad_maps_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(text, encoding="latin-1")
    with pytest.raises(MotionFormatError, match=r"map\.toml: is no"):
        read_joint_map(tmp_path / "map.toml")


def test_a_motion_of_one_frame(tmp_path: Path) -> None:
    motion = Motion(rotvec_to_quat(np.zeros((1, 22, 3))), np.array([[0.0, 0.95, 0.0]]), CHOREO22, 60.0)
    bvh.save(motion, tmp_path / "a.bvh")
    assert inspect_motion(tmp_path / "a.bvh").problem is None


def test_the_indexer_leaves_json_and_exports_alone(walker: Motion, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    bvh.save(walker, folder / "a.bvh")
    glb.save(walker, folder / "a.glb")
    glb.save(walker, folder / "b.glb")
    (folder / "a.json").write_text("{}")
    found = discover([folder])
    assert [clip.source_path for clip in found.clips] == ["a.bvh", "b.glb"]
    assert any("1 glTF left out" in note for note in found.notes)
    assert [clip.source_path for clip in discover([folder / "a.glb"]).clips] == ["a.glb"]


def test_the_sample_is_its_bvh_files(sample_folder: Path) -> None:
    found = discover([sample_folder])
    assert {clip.path.suffix for clip in found.clips} == {".bvh"}
    assert len(found.clips) == len(list(sample_folder.rglob("*.bvh")))
