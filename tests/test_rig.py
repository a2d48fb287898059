"""The user's own character: a dance brought onto it keeps its bones' directions, its feet on the floor, and its file's ways."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_rigs import LIMBS, RIGS, bones_apart_deg, built, dance, trunk_apart_deg
from test_rigs import check as check_bodies

from choreodb import cli
from choreodb.errors import MotionFormatError
from choreodb.motion import bvh, contacts, glb, gltf, registry, rig, smpl
from choreodb.motion.export import Form, in_metres, save, suffix_of
from choreodb.motion.gltf_file import open_gltf
from choreodb.motion.hands import with_hands
from choreodb.motion.kinematics import forward, joint_positions
from choreodb.motion.motion import Motion
from choreodb.motion.retarget import Canonical, canonicalise
from choreodb.motion.rotations import angle, compose, identity, inverse, rotate, rotvec_to_quat
from choreodb.motion.skeleton import CHOREO22, CHOREO52, TOE_HEIGHT_M, Skeleton

MIXAMO = {"pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
          "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand", "hip": "UpLeg", "knee": "Leg",
          "ankle": "Foot", "foot": "ToeBase"}  # fmt: skip
VRM = {"pelvis": "J_Bip_C_Hips", "spine1": "J_Bip_C_Spine", "spine2": "J_Bip_C_Chest", "spine3": "J_Bip_C_UpperChest",
       "neck": "J_Bip_C_Neck", "head": "J_Bip_C_Head", "collar": "Shoulder", "shoulder": "UpperArm", "elbow": "LowerArm",
       "wrist": "Hand", "hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot", "foot": "ToeBase"}  # fmt: skip


def other() -> Motion:
    """A dance that no rig of the tests was built from."""
    motion = dance(360)
    turn = rotvec_to_quat(np.array([0.0, 0.8, 0.0]))
    rotations = motion.rotations.copy()
    arm = CHOREO22.index("left_shoulder")
    rotations[:, arm] = compose(rotations[:, arm], rotvec_to_quat(np.array([0.0, 0.4, 0.0])))
    rotations[:, 0] = compose(turn, rotations[:, 0])
    return Motion(rotations, rotate(turn, motion.root), CHOREO22, 60.0)


def body(motion: Motion) -> Motion:
    """The motion without its fingers."""
    return replace(motion, rotations=motion.rotations[:, :22], skeleton=CHOREO22)


def check(out: Canonical, motion: Motion, *, feet: bool = True) -> None:
    """The same dance, whatever the hands do."""
    check_bodies(replace(out, motion=body(out.motion)), body(motion), feet=feet)


def toes(moved: Motion, character: rig.Rig) -> np.ndarray:
    """Toe joints [T, 2, 3] in metres, y up."""
    whole = in_metres(moved, character)
    return joint_positions(whole)[:, [character.joints["left_foot"], character.joints["right_foot"]]]


@pytest.mark.parametrize("name", ["mixamo", "unreal", "perfume", "kinect", "no toes", "one spine joint", "no neck"])
def test_a_dance_on_a_rig_is_the_same_dance(name: str) -> None:
    character = rig.of(built(dance(), RIGS[name]))
    source = other()
    moved = rig.danced(source, character)
    assert moved.skeleton is character.skeleton
    has_feet = bool(RIGS[name].limbs[LIMBS.index("foot")])
    check(canonicalise(moved), source, feet=has_feet)
    if has_feet:
        stood = contacts.detect(contacts.foot_points(*forward(source.rotations, source.root, CHOREO22)), 60.0)[
            :, [1, 3]
        ]
        at = toes(moved, character)
        assert at[..., 1].min() > character.toe_m - 0.002
        assert np.abs(at[..., 1][stood > 0] - character.toe_m).max() < 0.02
        slid = np.linalg.norm(np.diff(at[..., [0, 2]], axis=0), axis=-1) * 60.0
        assert slid[(stood[1:] > 0) & (stood[:-1] > 0)].mean() < 0.03


def test_onto_our_own_skeleton_nothing_changes() -> None:
    source = other()
    moved = rig.danced(source, rig.of(source))
    assert angle(compose(inverse(source.rotations), moved.rotations)).max() < np.radians(3.0)
    assert np.abs(joint_positions(moved) - joint_positions(source)).max() < 0.015


@pytest.mark.parametrize("zero", ["a", "random"])
def test_a_rig_keeps_its_unit_and_its_axes(zero: str, tmp_path: Path) -> None:
    shown = built(dance(), replace(RIGS["mixamo"], zero=zero))
    lie = rotvec_to_quat(np.array([0.5 * np.pi, 0.0, 0.0]))
    rotations = shown.rotations.copy()
    rotations[:, 0] = compose(lie, rotations[:, 0])
    skeleton = replace(shown.skeleton, offsets=100.0 * shown.skeleton.offsets)
    bvh.save(replace(shown, rotations=rotations, root=100.0 * rotate(lie, shown.root), skeleton=skeleton), tmp_path / "rig.bvh", keep_names=True)  # fmt: skip
    character = rig.load(tmp_path / "rig.bvh")
    assert character.metres == 0.01
    source = other()
    save(source, tmp_path / "out.bvh", ".bvh", Form(rig=character))
    out = bvh.load(tmp_path / "out.bvh")
    assert out.skeleton.names == character.skeleton.names
    assert "mixamorig:LeftUpLeg" in out.skeleton.names
    assert np.allclose(out.skeleton.offsets[1:], character.skeleton.offsets[1:], atol=1e-5)
    found = canonicalise(out)
    assert any("units cm" in note for note in found.notes)
    assert any("up z" in note for note in found.notes)
    check(found, source)


def test_joints_that_nothing_maps_to_stay_at_rest() -> None:
    shown = built(dance(), RIGS["mixamo"])
    names, parents, offsets = shown.skeleton.names, shown.skeleton.parents, shown.skeleton.offsets
    skeleton = Skeleton(
        (*names, "mixamorig:Tail", "mixamorig:LeftUpLegTwist"),
        np.append(parents, [0, names.index("mixamorig:LeftUpLeg")]).astype(np.int32),
        np.concatenate([offsets, [[0.0, 0.0, -0.2], [0.0, -0.2, 0.0]]]),
    )
    extra = np.tile(rotvec_to_quat(np.array([0.3, 0.0, 0.0])), (len(shown), 2, 1))
    wagged = Motion(np.concatenate([shown.rotations, extra], axis=1), shown.root, skeleton, 60.0)
    moved = rig.danced(other(), rig.of(wagged))
    assert np.allclose(moved.rotations[:, -2:], [1.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda path: save(other(), path.with_suffix(".npz"), ".npz"), "is no rig's"),
        (lambda path: path.with_suffix(".bvh").write_text("hello"), "begins with"),
        (lambda path: path.with_suffix(".glb").write_bytes(b"glTF"), "cut off"),
    ],
)
def test_what_is_no_rig(content: Any, words: str, tmp_path: Path) -> None:
    content(tmp_path / "a")
    with pytest.raises(MotionFormatError, match=words) as caught:
        rig.load(next(tmp_path.iterdir()))
    assert "\n" not in str(caught.value)


# -- characters in glTF ------------------------------------------------------------------------------------------------


def character_file(
    path: Path, words: dict[str, str], pattern: str, *, scale: float = 1.0, lie: bool = False, posed: bool = False
) -> Path:
    """A skinned character of our proportions, 10 % larger, with the given names, under an armature of `scale` that may lie
    on its back; joint frames are turned at random; `posed`: the nodes stand in another pose than the bind pose."""
    rng = np.random.default_rng(4)
    names = [named(name, words, pattern) for name in CHOREO52.names]
    turned = rng.normal(size=(52, 4))
    turned /= np.linalg.norm(turned, axis=-1, keepdims=True)
    points = 1.1 * glb.rest_positions(CHOREO52)
    above = rotvec_to_quat(np.array([-0.5 * np.pi, 0.0, 0.0])) if lie else identity()
    local_points = rotate(inverse(above), points) / scale
    frames = compose(inverse(above), turned)
    bind = [matrix(turn, point, scale) for turn, point in zip(turned, points, strict=True)]
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(names):
        parent = int(CHOREO52.parents[joint])
        base, at = (identity(), np.zeros(3)) if parent < 0 else (frames[parent], local_points[parent])
        turn = compose(inverse(base), frames[joint])
        if posed and CHOREO52.names[joint] == "left_shoulder":
            turn = compose(turn, rotvec_to_quat(np.array([0.4, 0.3, 0.2])))
        node: dict[str, Any] = {
            "name": name, "rotation": np.roll(turn, -1).tolist(),
            "translation": rotate(inverse(base), local_points[joint] - at).tolist(),
        }  # fmt: skip
        children = [int(child) + 1 for child in CHOREO52.children(joint)]
        nodes.append(node | ({"children": children} if children else {}))
    vertices = np.array([[0.0, 1.7, 0.0], [0.1, 1.7, 0.0], [0.0, 1.8, 0.0]], dtype="<f4")
    parts = [
        vertices.tobytes(), np.zeros((3, 4), dtype="<u2").tobytes(), np.tile([1.0, 0, 0, 0], (3, 1)).astype("<f4").tobytes(),
        np.stack([np.linalg.inv(each).T for each in bind]).astype("<f4").tobytes(), (0.01 * vertices).astype("<f4").tobytes(),
    ]  # fmt: skip
    starts = np.cumsum([0, *map(len, parts)])
    kinds = [(5126, 3, "VEC3"), (5123, 3, "VEC4"), (5126, 3, "VEC4"), (5126, 52, "MAT4"), (5126, 3, "VEC3")]
    targets = ["Fcl_MTH_A", "Fcl_EYE_Close", "Hair"]
    document = {
        "asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0, 53], "extras": {"kept": 1}}],
        "nodes": [
            {"name": "Armature", "rotation": np.roll(above, -1).tolist(), "scale": [scale] * 3, "children": [1]},
            *nodes, {"name": "Body", "mesh": 0, "skin": 0},
        ],
        "skins": [{"joints": list(range(1, 53)), "inverseBindMatrices": 3}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "JOINTS_0": 1, "WEIGHTS_0": 2},
                                    "targets": [{"POSITION": 4}] * 3}], "extras": {"targetNames": targets}}],
        "accessors": [
            {"bufferView": i, "componentType": c, "count": n, "type": t, **({"min": [0, 0, 0], "max": [2, 2, 2]} if t == "VEC3" else {})}
            for i, (c, n, t) in enumerate(kinds)
        ],
        "bufferViews": [{"buffer": 0, "byteOffset": int(starts[i]), "byteLength": len(part)} for i, part in enumerate(parts)],
        "buffers": [{"byteLength": int(starts[-1])}],
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = b"".join(parts)
    total = 28 + len(text) + len(body)
    path.write_bytes(
        struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON") + text + struct.pack("<I4s", len(body), b"BIN\0") + body
    )  # fmt: skip
    return path


def matrix(turn: np.ndarray, point: np.ndarray, scale: float) -> np.ndarray:
    out = np.eye(4)
    out[:3, :3] = scale * np.stack([rotate(turn, axis) for axis in np.eye(3)], axis=1)
    out[:3, 3] = point
    return out


def named(name: str, words: dict[str, str], pattern: str) -> str:
    """A canonical name in a rig's words."""
    side, _, part = name.rpartition("_") if name.startswith(("left", "right")) else ("", "", name)
    if part[-1].isdigit() and side:
        finger = {"pinky": "Pinky"}.get(part[:-1], part[:-1].capitalize())
        word = f"Hand{finger}{part[-1]}" if "mixamo" in pattern else f"{finger.replace('Pinky', 'Little')}{part[-1]}"
    else:
        word = words[part]
    if not side:
        return word if word.startswith("J_") else pattern.format(side="", word=word)
    sides = {"left": "Left", "right": "Right"} if "mixamo" in pattern else {"left": "L", "right": "R"}
    return pattern.format(side=sides[side], word=word)


CHARACTERS = {
    "mixamo": (MIXAMO, "mixamorig:{side}{word}", {"scale": 0.01, "lie": True}),
    "mixamo posed": (MIXAMO, "mixamorig:{side}{word}", {"scale": 0.01, "lie": True, "posed": True}),
    "vrm": (VRM, "J_Bip_{side}_{word}", {}),
}


@pytest.mark.parametrize("name", sorted(CHARACTERS))
def test_a_character_dances_in_its_own_file(name: str, tmp_path: Path) -> None:
    words, pattern, options = CHARACTERS[name]
    path = character_file(tmp_path / "who.glb", words, pattern, **options)  # type: ignore[arg-type]
    character = rig.load(path)
    assert len(character.joints) == 52
    assert character.leg_m == pytest.approx(1.1 * 0.82, rel=0.01)
    source = with_hands(other())
    weights = np.linspace(0.0, 1.0, len(source))[:, None] * [1.0, 0.5, 0.2]
    source = replace(source, face=weights, face_names=("jawOpen", "eyeBlinkLeft", "cheekPuff"))
    save(source, tmp_path / "out.glb", ".glb", Form(rig=character), extras={"choreodb": {"a": 1}})
    out = registry.read(tmp_path / "out.glb")
    assert set(out.skeleton.names) == set(character.skeleton.names)
    whole = canonicalise(out)
    check(whole, source)
    found = whole.motion
    fingers = angle(compose(inverse(found.rotations[:, 22:]), source.rotations[:, 22:]))
    assert np.degrees(np.median(fingers)) < 3.0
    assert out.face_names == ("Fcl_MTH_A", "Fcl_EYE_Close", "Hair")
    assert out.face is not None
    assert np.allclose(out.face, weights * [1.0, 1.0, 0.0], atol=1e-6)
    before, after = open_gltf(path).document, open_gltf(tmp_path / "out.glb").document
    assert [mesh["extras"] for mesh in after["meshes"]] == [mesh["extras"] for mesh in before["meshes"]]
    assert after["scenes"][0]["extras"] == {"kept": 1, "choreodb": {"a": 1}}
    # the bind pose and the mesh are where they were
    assert np.array_equal(open_gltf(tmp_path / "out.glb").accessor(3), open_gltf(path).accessor(3))
    again = tmp_path / "again.glb"
    save(source, again, ".glb", Form(rig=character), extras={"choreodb": {"a": 1}})
    assert again.read_bytes() == (tmp_path / "out.glb").read_bytes()


def test_a_character_as_bvh_and_positions(tmp_path: Path) -> None:
    path = character_file(tmp_path / "who.glb", MIXAMO, "mixamorig:{side}{word}", scale=0.01, lie=True)
    character, source = rig.load(path), other()
    save(source, tmp_path / "out.bvh", ".bvh", Form("cm", character))
    out = bvh.load(tmp_path / "out.bvh")
    assert "mixamorig:Hips" in out.skeleton.names
    assert any("units cm" in note for note in canonicalise(out).notes)
    check(canonicalise(out), source)
    save(source, tmp_path / "out.positions.npz", ".positions.npz", Form(rig=character))
    points = registry.read(tmp_path / "out.positions.npz")
    assert points.positions_only
    order = [out.skeleton.index(name) for name in points.skeleton.names]
    assert np.abs(joint_positions(points) - joint_positions(out)[:, order] / 100.0).max() < 1e-4


def test_a_character_of_several_files_comes_in_one(tmp_path: Path) -> None:
    path = character_file(tmp_path / "who.glb", MIXAMO, "mixamorig:{side}{word}")
    loaded = open_gltf(path)
    folder = tmp_path / "apart"
    folder.mkdir()
    (folder / "who.bin").write_bytes(loaded.buffer(0))
    (folder / "skin.png").write_bytes(b"\x89PNG\r\n\x1a\n1234")
    document = {**loaded.document, "images": [{"uri": "skin.png"}]}
    document["buffers"] = [{"byteLength": len(loaded.buffer(0)), "uri": "who.bin"}]
    (folder / "who.gltf").write_text(json.dumps(document))
    save(other(), tmp_path / "out.glb", ".glb", Form(rig=rig.load(folder / "who.gltf")))
    out = open_gltf(tmp_path / "out.glb").document
    assert len(out["buffers"]) == 1
    assert "uri" not in out["buffers"][0]
    assert out["images"][0]["mimeType"] == "image/png"
    (folder / "skin.png").unlink()
    with pytest.raises(MotionFormatError):
        save(other(), tmp_path / "none.glb", ".glb", Form(rig=rig.load(folder / "who.gltf")))
    assert not (tmp_path / "none.glb").exists()


def test_a_bvh_rig_as_glb_stands_in_metres(tmp_path: Path) -> None:
    shown = built(dance(), RIGS["mixamo"])
    skeleton = replace(shown.skeleton, offsets=100.0 * shown.skeleton.offsets)
    character = rig.of(replace(shown, root=100.0 * shown.root, skeleton=skeleton), "rig.bvh")
    save(other(), tmp_path / "out.glb", ".glb", Form(rig=character))
    out = gltf.load(tmp_path / "out.glb")
    assert out.root[:, 1].mean() == pytest.approx(0.92, abs=0.15)
    check(canonicalise(out), other())


# -- the commands ------------------------------------------------------------------------------------------------------


def test_suffixes_of_outputs() -> None:
    assert suffix_of("a.POSITIONS.npz") == ".positions.npz"
    assert suffix_of("a.b.npz") == ".npz"


def test_retarget_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smpl.save(other(), tmp_path / "a.npz")
    bvh.save(built(dance(), RIGS["mixamo"]), tmp_path / "rig.bvh", keep_names=True)
    given = ["retarget", str(tmp_path / "a.npz"), "--rig", str(tmp_path / "rig.bvh"), "-o", str(tmp_path / "o.bvh")]
    assert cli.main(given) == 0
    assert "rig: " in capsys.readouterr().out
    check(canonicalise(bvh.load(tmp_path / "o.bvh")), other())
    outputs = [part for kind in ("bvh", "glb", "npz", "positions.npz") for part in ("-o", str(tmp_path / f"p.{kind}"))]
    assert cli.main(["retarget", str(tmp_path / "o.bvh"), *outputs]) == 0
    with np.load(tmp_path / "p.positions.npz") as archive:
        assert archive["joints"].shape == (360, 22, 3)
        assert archive["joints"][..., 1].min() > TOE_HEIGHT_M - 0.003
    for suffix in ("bvh", "glb", "npz"):
        assert trunk_apart_deg(canonicalise(registry.read(tmp_path / f"p.{suffix}")).motion, other()).mean() < 3.0
    assert bones_apart_deg(canonicalise(bvh.load(tmp_path / "p.bvh")).motion, other(), ["left_wrist"]).mean() < 4.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "a.npz", "--rig", "rig.bvh"], "no room for a rig"),
        (["-o", "a.bvh", "--rig-skeleton", "map.toml"], "give the rig with --rig"),
        (["-o", "a.fbx"], "expected one of .bvh .glb .npz"),
        (["-o", "a.bvh", "--rig", "nobody.bvh"], "cannot be read"),
    ],
)
def test_what_retarget_refuses(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    smpl.save(other(), tmp_path / "m.npz")
    bvh.save(built(dance(), RIGS["mixamo"]), tmp_path / "rig.bvh")
    before = sorted(tmp_path.iterdir())
    assert cli.main(["retarget", "m.npz", *arguments]) == 1
    said = capsys.readouterr().err.strip()
    assert words in said
    assert "\n" not in said
    assert sorted(tmp_path.iterdir()) == before
