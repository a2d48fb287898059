"""Feature arrays of dance generators, SMPL-family parts, and positions in JSON."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damage import fuzz, read_or_refuse

from choreodb.cli import main
from choreodb.errors import MotionFormatError
from choreodb.motion import CHOREO22, CHOREO52, feature_arrays, kinematics, registry, retarget, smpl
from choreodb.motion.feature_arrays import LAYOUTS
from choreodb.motion.rotations import angle, compose, inverse, quat_to_matrix, quat_to_rotvec, rotvec_to_quat

RNG = np.random.default_rng(8)
QUATS = rotvec_to_quat(RNG.normal(size=(12, 55, 3)))
ROOT = RNG.normal(size=(12, 3))


def features(width: int) -> np.ndarray:
    """Frames of a width, put together column by column from the published descriptions."""
    rows = quat_to_matrix(QUATS)[..., :2, :].reshape(12, 55, 6)
    contacts = np.ones((12, 4))
    vectors = quat_to_rotvec(QUATS)
    match width:
        case 135 | 147 | 315:
            return np.concatenate([ROOT, rows[:, : (width - 3) // 6].reshape(12, -1)], axis=1)
        case 139 | 151 | 319:
            return np.concatenate([contacts, ROOT, rows[:, : (width - 7) // 6].reshape(12, -1)], axis=1)
        case 168:
            return np.concatenate([ROOT, vectors.reshape(12, -1)], axis=1)
    face = np.zeros((12, 153))
    return np.concatenate([vectors[:, :52].reshape(12, -1), face, ROOT, np.zeros((12, 10))], axis=1)


def test_widths_are_what_their_parts_add_up_to() -> None:
    assert all(features(width).shape == (12, width) for width in LAYOUTS)


@pytest.mark.parametrize("width", LAYOUTS)
@pytest.mark.parametrize("kind", ["npy", "npz", "batch", "float32"])
def test_features_are_read_as_they_stand(width: int, kind: str, tmp_path: Path) -> None:
    array = features(width).astype(np.float32 if kind == "float32" else np.float64)
    path = tmp_path / ("a.npz" if kind == "npz" else "a.npy")
    if kind == "npz":
        np.savez(path, motion=array, fps=60.0)
    else:
        np.save(path, array[None] if kind == "batch" else array)
    motion = registry.read(path)
    joints = LAYOUTS[width].joints
    skeleton = CHOREO52 if joints >= 52 else CHOREO22
    truth = QUATS[:, :22] if joints < 52 else QUATS[:, :52] if joints == 52 else np.delete(QUATS, (22, 23, 24), axis=1)
    assert motion.skeleton is skeleton
    assert motion.fps == (60.0 if kind == "npz" else 30.0)
    assert np.allclose(motion.root, ROOT, atol=1e-6)
    assert angle(compose(inverse(motion.rotations), truth)).max() < 1e-3
    assert any(note.startswith("layout inferred from the width") for note in motion.notes)


def test_rows_not_columns() -> None:
    turn = rotvec_to_quat(np.array([0.0, 0.0, 0.5]))
    array = features(151)[:1].copy()
    array[:, 7:13] = quat_to_matrix(turn)[:2].ravel()
    assert np.allclose(feature_arrays.motion_of(array).rotations[0, 0], turn)


def test_layout_and_rate_can_be_given(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", features(151))
    motion = feature_arrays.load(tmp_path / "a.npy", layout=151, fps=20.0)
    assert motion.fps == 20.0
    assert any(note.startswith("layout as given") for note in motion.notes)
    with pytest.raises(MotionFormatError, match="expected one array with frames of 139"):
        feature_arrays.load(tmp_path / "a.npy", layout=139)
    assert registry.read(tmp_path / "a.npy", fps=25.0).fps == 25.0


def test_bad_features_are_refused(tmp_path: Path) -> None:
    bad: dict[str, tuple[Any, str]] = {
        "width": (np.zeros((5, 150)), r"is an array \(5, 150\); expected frames of 135"),
        "nan": (features(151) * np.nan, "NaN"),
        "zeros": (np.zeros((5, 151)), "undo the normalisation"),
        "normalised": (np.clip(RNG.normal(size=(50, 151)) * 0.3, -1, 1), "undo the normalisation"),
        "text": (np.full((5, 151), "a"), "is an array of <U1"),
        "empty": (np.zeros((0, 151)), "is an array"),
        "parallel": (
            np.concatenate([np.zeros((1, 7)), np.tile([1.0, 0, 0, 1, 0, 0], (1, 24))], axis=1),
            "parallel rows",
        ),
    }
    for array, message in bad.values():
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(MotionFormatError, match=message) as error:
            registry.read(tmp_path / "a.npy")
        assert str(error.value).startswith(f"{tmp_path / 'a.npy'}: ")


def test_fuzz_features(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, features(139)[:2])
    fuzz(tmp_path / "a.npy", buffer.getvalue())


BODY, LEFT, RIGHT = RNG.normal(size=(9, 63)), RNG.normal(size=(9, 45)), RNG.normal(size=(9, 45))
PARTS = {"root_orient": BODY[:, :3], "pose_body": BODY, "trans": ROOT[:9], "mocap_frame_rate": 120}


@pytest.mark.parametrize("keys", [
    PARTS,
    PARTS | {"pose_hand": np.concatenate([LEFT, RIGHT], axis=1)},
    {"global_orient": BODY[:, :3], "body_pose": BODY.reshape(9, 21, 3), "left_hand_pose": LEFT, "right_hand_pose": RIGHT,
     "transl": ROOT[:9], "fps": 120.0},
    {"global_orient": BODY[:, None, :3], "body_pose": np.concatenate([BODY, BODY[:, :6]], axis=1), "transl": ROOT[:9],
     "mocap_framerate": 120, "left_hand_pose": LEFT[:, :6], "right_hand_pose": RIGHT[:, :6]},
    {"poses": np.concatenate([BODY[:, :3], BODY], axis=1).reshape(9, 22, 3), "trans": ROOT[:9], "mocap_framerate": 120},
])  # fmt: skip
def test_smpl_in_one_piece_or_in_parts(keys: dict[str, Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **keys)
    motion = registry.read(tmp_path / "a.npz")
    assert motion.fps == 120.0
    hands = any(np.size(keys.get(key, ())) >= 9 * 45 for key in ("pose_hand", "left_hand_pose"))
    assert motion.skeleton is (CHOREO52 if hands else CHOREO22)
    truth = rotvec_to_quat(np.concatenate([BODY[:, :3], BODY], axis=1).reshape(9, 22, 3))
    assert np.allclose(motion.rotations[:, :22], truth)
    if hands:
        assert np.allclose(motion.rotations[:, 22:37], rotvec_to_quat(LEFT.reshape(9, 15, 3)))
    assert np.array_equal(motion.root, ROOT[:9])
    assert any("left out" in note for note in motion.notes) == (np.size(keys.get("left_hand_pose", ())) == 54)


@pytest.mark.parametrize(("change", "message"), [
    ({"pose_body": BODY[:, :60]}, "'pose_body' has shape"), ({"pose_body": BODY[:4]}, r"have \[9, 4\] frames"),
    ({"pose_body": np.float64(1.0)}, "'pose_body' has shape"), ({"trans": np.float64(1.0)}, "'trans' has shape"),
])  # fmt: skip
def test_bad_smpl_parts_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **(PARTS | change))
    with pytest.raises(MotionFormatError, match=message):
        registry.read(tmp_path / "a.npz")


def test_what_we_write_as_amass_comes_back(tmp_path: Path) -> None:
    motion = feature_arrays.motion_of(features(319))
    smpl.save(motion, tmp_path / "a.npz")
    assert len(registry.read(tmp_path / "a.npz").skeleton) == 52


NAMES = list(CHOREO22.names)
POINTS = kinematics.joint_positions(feature_arrays.motion_of(features(139)))


def json_file(folder: Path, document: Any) -> Path:
    path = folder / "a.json"
    path.write_text(json.dumps(document))
    return path


DOCUMENT = {"joints": POINTS.tolist(), "joint_names": NAMES, "parents": CHOREO22.parents.tolist(), "fps": 30}


def test_positions_in_json(tmp_path: Path) -> None:
    motion = registry.read(json_file(tmp_path, DOCUMENT))
    assert motion.positions_only
    assert motion.fps == 30.0
    assert np.allclose(kinematics.joint_positions(motion), POINTS)
    frames = [dict(zip(NAMES, frame, strict=True)) for frame in POINTS.tolist()]
    named = registry.read(
        json_file(tmp_path, {"frames": frames, "fps": 30, "parents": ["", *(NAMES[p] for p in CHOREO22.parents[1:])]})
    )
    assert np.allclose(kinematics.joint_positions(named), POINTS)
    assert named.skeleton.names == motion.skeleton.names
    flat = registry.read(json_file(tmp_path, {"keypoints3d": POINTS.reshape(12, -1).tolist()}), fps=25.0)
    assert flat.fps == 25.0
    assert np.allclose(kinematics.joint_positions(flat), POINTS)
    sure = np.concatenate([POINTS, np.ones((12, 22, 1))], axis=-1)
    assert np.allclose(kinematics.joint_positions(registry.read(json_file(tmp_path, sure.tolist()), fps=9)), POINTS)


def test_a_joint_map_names_joints_that_say_nothing(tmp_path: Path) -> None:
    points = np.tile(kinematics.joint_positions(feature_arrays.motion_of(features(139)))[:1] * 0.0, (40, 1, 1))
    rest = kinematics.forward(np.tile([1.0, 0, 0, 0], (22, 1)), np.array([0, 0.95, 0]), CHOREO22)[0]
    blind = [f"p{joint}" for joint in range(22)]
    document = {"joints": (points + rest).tolist(), "joint_names": blind, "fps": 60}
    with pytest.raises(MotionFormatError, match="no joint found for"):
        retarget.canonicalise(registry.read(json_file(tmp_path, document)))
    document["joint_map"] = dict(zip(NAMES, blind, strict=True))
    motion = registry.read(json_file(tmp_path, document))
    assert set(motion.skeleton.names) == set(NAMES)
    assert retarget.canonicalise(motion).residual_cm < 2.0


@pytest.mark.parametrize(("change", "message"), [
    ({"joints": None}, "no list of frames"), ({"joints": []}, "no list of frames"), ({"joints": [[1, 2], [1]]}, "not an even array"),
    ({"joints": [[[1, 2, "x"]]]}, "not an even array"), ({"joints": [[[1, 2, None]]], "joint_names": ["a"], "parents": [-1]}, "is NaN"),
    ({"joint_names": ["a"]}, "no list of 22 names"), ({"joint_names": ["a" * 10**6] * 22}, "no list of 22 names"),
    ({"parents": [-1]}, "no list of 22"), ({"parents": [5.5] * 22}, "something else than joints"), ({"parents": [99] * 22}, "something else"),
    ({"fps": "x"}, "'fps' is 'x'"), ({"fps": 0}, "frame rate is 0"), ({"joint_map": 3}, "is no object of names"),
    ({"joint_map": {"nose": "a"}}, "names 'nose'"), ({"joint_map": {"head": "a"}}, "gives 'a' for 'head'"),
    ({"joint_map": {"head": "neck"}}, "occurs twice"), ({"frames": 1, "joints": [{"a": [1, 2, 3]}, {"b": [1, 2, 3]}]}, "different points"),
])  # fmt: skip
def test_bad_json_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(MotionFormatError, match=message):
        registry.read(json_file(tmp_path, DOCUMENT | change))


@pytest.mark.parametrize("text", [
    b"", b"{", b"nan", b"[NaN]", b"[1e999]", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 200_000, b"9" * 10_000, b'{"joints": "x"}',
    b'[[["' + b"9" * 9000 + b'",0,0]]]', b'[{"\\ud800": [1, 2, 3]}]', b"[[[1e300,0,0]]]", b"[[" + b"[]," * 9000 + b"[]]]",
])  # fmt: skip
def test_json_bombs_and_stubs(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text)
    read_or_refuse(path)


def test_fuzz_json(tmp_path: Path) -> None:
    fuzz(tmp_path / "a.json", json.dumps(DOCUMENT | {"joints": np.round(POINTS[:2], 3).tolist()}).encode())


def test_json_is_read_when_named_and_never_looked_for() -> None:
    assert ".json" in registry.READABLE
    assert ".json" not in registry.SUFFIXES
    assert {".pkl", ".glb", ".gltf"} <= set(registry.SUFFIXES)


@pytest.mark.parametrize("suffix", ["npz", "pkl"])
def test_a_layout_chooses_the_array_whatever_else_the_file_holds(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    arrays = {"poses": np.zeros((12, 72)), "trans": ROOT, "fps": 30.0, "body": features(139), "all": features(319)}
    if suffix == "npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
    else:
        path.write_bytes(pickle.dumps(arrays))
    motion = registry.read(path, layout=319)
    assert motion.skeleton is CHOREO52
    assert any(note.startswith("layout as given") for note in motion.notes)
    assert angle(compose(inverse(motion.rotations), QUATS[:, :52])).max() < 1e-3
    with pytest.raises(MotionFormatError, match=r"expected one array with frames of 151 numbers"):
        registry.read(path, layout=151)


def test_only_arrays_have_a_layout(tmp_path: Path) -> None:
    with pytest.raises(MotionFormatError, match=r"a\.bvh: has no layout"):
        registry.read(tmp_path / "a.bvh", layout=151)
    with pytest.raises(
        MotionFormatError, match=r"a\.npy: layout '152' is none that is known; expected one of 135 .*319"
    ):
        registry.read(tmp_path / "a.npy", layout=152)


@pytest.mark.parametrize("command", [["inspect"], ["retarget", "-o", "out.bvh"], ["index", "--library", "lib"]])
def test_the_command_line_knows_layouts(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "a.npz", poses=np.zeros((12, 72)), trans=ROOT, fps=30.0, body=features(139))
    name, *rest = command
    assert main([name, "a.npz", *rest, "--layout", "seven"]) == 1
    said = capsys.readouterr().err
    assert "--layout 'seven' is none that is known; expected one of 135" in said
    assert said.count("\n") == 1
    assert main([name, "a.npz", *rest, "--layout", "139"]) == 0
