"""VRM: characters and animations whose bones are known by the humanoid, whatever their nodes are called."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_gltf import Builder, last, node
from walking import walk

from choreodb.errors import MotionFormatError
from choreodb.inspection import inspect_motion
from choreodb.motion import CHOREO22, CHOREO52, glb, hands, kinematics, registry, rig
from choreodb.motion.rotations import compose, inverse, normalise

BONES = {
    "pelvis": "hips", "spine1": "spine", "spine2": "chest", "spine3": "upperChest", "neck": "neck", "head": "head",
    **{f"{side}_{ours}": f"{side}{theirs}" for side in ("left", "right") for ours, theirs in (
        ("hip", "UpperLeg"), ("knee", "LowerLeg"), ("ankle", "Foot"), ("foot", "Toes"), ("collar", "Shoulder"),
        ("shoulder", "UpperArm"), ("elbow", "LowerArm"), ("wrist", "Hand"),
        *((f"{ours}{number}", f"{theirs}{phalanx}") for ours, theirs in (
            ("index", "Index"), ("middle", "Middle"), ("ring", "Ring"), ("pinky", "Little"))
          for number, phalanx in enumerate(("Proximal", "Intermediate", "Distal"), start=1)),
    )},
}  # fmt: skip
THUMBS = {"VRM": ("Proximal", "Intermediate", "Distal"), "VRMC_vrm": ("Metacarpal", "Proximal", "Distal")}
KINDS = ("VRM", "VRMC_vrm", "VRMC_vrm_animation")


def bones(kind: str) -> dict[str, str]:
    """Canonical joint -> human bone; the thumb's bones are called otherwise since VRM 1."""
    thumb = THUMBS.get(kind, THUMBS["VRMC_vrm"])
    return BONES | {f"{side}_thumb{n + 1}": f"{side}Thumb{thumb[n]}" for side in ("left", "right") for n in range(3)}


def humanoid(kind: str, nodes: dict[str, int]) -> dict[str, Any]:
    """The extension that says which of `nodes` (by canonical name) is which bone."""
    at = {bone: nodes[joint] for joint, bone in bones(kind).items() if joint in nodes}
    if kind == "VRM":
        return {kind: {"humanoid": {"humanBones": [{"bone": bone, "node": place} for bone, place in at.items()]}}}
    return {
        kind: {"specVersion": "1.0", "humanoid": {"humanBones": {bone: {"node": place} for bone, place in at.items()}}}
    }


def nameless(kind: str, path: Path) -> Path:
    """A walk with hands on our own dancer, as a VRM whose nodes are called Bone and a number."""
    glb.save(hands.with_hands(walk(2.0)), path)
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    document, rest = json.loads(data[20 : 20 + size]), data[20 + size :]
    nodes = {each["name"]: place for place, each in enumerate(document["nodes"]) if each.get("name") in CHOREO52.names}
    for name, place in nodes.items():
        document["nodes"][place]["name"] = f"Bone.{sorted(nodes).index(name):03d}"
    document["extensions"] = humanoid(kind, nodes)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + rest
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
    return path


def animation(path: Path) -> Path:
    """A walk as a VRM animation: no mesh, no skin, bones under a node of their own, and a smile on another."""
    motion = walk(2.0)
    skeleton, build = motion.skeleton, Builder()
    rest = glb.rest_positions(skeleton)
    times = np.arange(len(motion)) / motion.fps
    build.document["nodes"] = [
        node(f"n{joint}", translation=(rest[joint] if joint == 0 else skeleton.offsets[joint]).tolist(),
             children=[int(child) for child in skeleton.children(joint)])
        for joint in range(len(skeleton))
    ] + [node("happy"), node("smirk"), node("all", children=[0, len(skeleton), len(skeleton) + 1])]  # fmt: skip
    channels = [
        (joint, "rotation", times, last(motion.rotations[:, joint]), "LINEAR") for joint in range(len(skeleton))
    ]
    channels.append((0, "translation", times, motion.root, "LINEAR"))
    weights = np.stack([np.linspace(0, 1, len(times)), np.zeros(len(times)), np.zeros(len(times))], axis=1)
    channels += [(len(skeleton) + n, "translation", times, weights, "LINEAR") for n in range(2)]
    build.animate(channels)
    said = humanoid("VRMC_vrm_animation", {name: joint for joint, name in enumerate(skeleton.names)})
    said["VRMC_vrm_animation"]["expressions"] = {
        "preset": {"aa": {"node": len(skeleton)}}, "custom": {"smirk": {"node": len(skeleton) + 1}},
    }  # fmt: skip
    build.document["extensions"] = said
    return build.glb(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_character_is_known_by_its_humanoid(kind: str, tmp_path: Path) -> None:
    found = inspect_motion(nameless(kind, tmp_path / "a.glb"))
    assert found.problem is None
    assert dict(found.joints) == bones(kind)
    assert found.canonical is not None
    assert found.canonical.residual_cm < 1.0
    assert any(note.startswith("names: 52 bones") for note in found.notes)


@pytest.mark.parametrize("kind", KINDS[:2])
def test_it_is_a_rig_that_keeps_its_names(kind: str, tmp_path: Path) -> None:
    character = rig.load(nameless(kind, tmp_path / "a.vrm").rename(tmp_path / "b.vrm"))
    assert set(CHOREO52.names) <= set(character.joints)
    assert all(name.startswith("Bone.") for name in character.skeleton.names)
    danced = rig.danced(hands.with_hands(walk(2.0)), character)
    assert danced.skeleton.names == character.skeleton.names
    truth = kinematics.joint_positions(walk(2.0))[:, CHOREO22.index("left_wrist")]
    # a character's toes stand on its floor, ours 18 mm above it
    assert np.abs(kinematics.joint_positions(danced)[:, character.joints["left_wrist"]] - truth).max() < 0.03


def test_an_animation_is_read_with_its_face(tmp_path: Path) -> None:
    found = inspect_motion(animation(tmp_path / "a.vrma"))
    assert found.problem is None
    assert dict(found.joints) == {name: BONES[name] for name in CHOREO22.names}
    assert found.native.face_names == ("aa", "smirk")
    assert found.native.face is not None
    assert np.allclose(found.native.face[:, 0], np.linspace(0, 1, len(found.native)), atol=1e-6)
    assert found.canonical is not None
    assert found.canonical.motion.face_names == ("jawOpen", "smirk")
    assert found.canonical.residual_cm < 1.0
    turned = normalise(found.canonical.motion.rotations)
    assert np.abs(compose(inverse(turned), walk(2.0).rotations)[..., 0]).min() > 0.99
    assert ".vrma" in registry.SUFFIXES


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"VRMC_vrm": {"humanoid": {"humanBones": {"hips": {"node": 999}}}}}, "names '999' of nodes"),
        ({"VRMC_vrm": {"humanoid": {"humanBones": {"hips": {"node": "x"}}}}}, "names 'x' of nodes"),
        ({"VRMC_vrm": {"humanoid": {"humanBones": {"hips": {"node": 1}, "spine": {"node": 1}}}}}, "says twice"),
        (
            {"VRM": {"humanoid": {"humanBones": [{"bone": "hips", "node": 1}, {"bone": "hips", "node": 2}]}}},
            "says twice",
        ),
    ],
)
def test_humanoids_that_are_none(said: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = animation(tmp_path / "a.vrma")
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size]) | {"extensions": said}
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + data[20 + size :]
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
    with pytest.raises(MotionFormatError, match=words):
        registry.read(path)


@pytest.mark.parametrize(
    "said", [3, {"VRM": 3}, {"VRMC_vrm": {"humanoid": []}}, {"VRM": {"humanoid": {"humanBones": [3, {}]}}}]
)
def test_extensions_of_another_shape_say_nothing(said: Any, tmp_path: Path) -> None:
    path = animation(tmp_path / "a.glb")
    data = path.read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    text = json.dumps(json.loads(data[20 : 20 + size]) | {"extensions": said}).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + data[20 + size :]
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body)
    assert "n0" in registry.read(path).skeleton.names
