"""Good files of every kind that is read, small, and damage that reaches further than flipped bytes."""

from __future__ import annotations

import base64
import copy
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from damage import damaged

from choreodb.motion import CHOREO22, CHOREO52, Motion, bvh, feature_arrays, glb, positions, smpl
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.rotations import rotvec_to_quat

NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 2**31, 2**53, 2**70, -0.5, 1e-300, 1e308, "", "x", "nan", "\ud800", [], {}, [0] * 5, [[]], [None],
    {"x": 1}, "data:;base64,AAAA", "../../etc/passwd", 5120, 5126, "SCALAR", "MAT4", "CUBICSPLINE", "weights",
)  # fmt: skip


SIX = b"""HIERARCHY\r
ROOT Hips {\tOFFSET 0 0 0\r
CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\r
 JOINT mixamorig:Left.Leg 1 { OFFSET 1.5e-3 -4 0 CHANNELS 6 Xposition Yposition Zposition Yrotation Xrotation Zrotation
  End Site { OFFSET 0 -4 0 } }
}
MOTION\r
Frames:\t3
Frame Time:\t0.0333333
0 90 0 1 2 3  0.001 -4 0 10 20 30\t
+1e0 90.5 -0.25 1 2 3 0.001 -4.1 0 10.125 -20 180 \r
2 9.1e1 0 1 2 3 0 -4 0 1e1 20 -30

"""
"""Two joints with six channels, and most of what BVH files do with blanks and numbers."""


def small_motion(frames: int = 6, *, hands: bool = False, face: bool = False) -> Motion:
    rng = np.random.default_rng(8)
    skeleton = CHOREO52 if hands else CHOREO22
    rotations = rotvec_to_quat(rng.normal(size=(frames, len(skeleton), 3)) * 0.3)
    weights = rng.uniform(size=(frames, 2)) if face else None
    names = ("jawOpen", "mouthSmileLeft") if face else ()
    return Motion(rotations, rng.normal(size=(frames, 3)), skeleton, 30.0, face=weights, face_names=names)


def seeds(folder: Path) -> dict[str, bytes]:
    """Name, with the suffix it must have, and content."""
    rng = np.random.default_rng(9)
    motion = small_motion()
    bvh.save(motion, folder / "plain.bvh")
    positions.save(motion, folder / "joints.npz")
    smpl.save(motion, folder / "amass.npz")
    glb.save(small_motion(hands=True, face=True), folder / "dance.glb")
    out = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    out["six.bvh"] = SIX
    poses, trans = rng.normal(size=(6, 72)), rng.normal(size=(6, 3))
    dance = {"smpl_poses": poses, "smpl_trans": trans, "smpl_scaling": np.array([94.0]), "smpl_loss": 1.0}
    out["aist.pkl"] = pickle.dumps(dance, protocol=4)
    out["old.pkl"] = pickle.dumps(dance, protocol=0)
    out["edge.pkl"] = pickle.dumps({"q": poses, "pos": trans, "scale": 1.0}, protocol=2)
    for width in (139, 151, 319):
        out[f"features{width}.npy"] = npy(features(width, rng))
    out["rotvecs.npz"] = npz({"motion": rng.normal(size=(5, 168)), "fps": np.array(30)})
    out["features.pkl"] = pickle.dumps({"motion": features(147, rng)}, protocol=4)
    out["joints.npy"] = npy(rng.normal(size=(5, 22, 3)))
    out["packed.npz"] = npz({"joints": rng.normal(size=(5, 4, 3)), "fps": np.array(30.0)}, zipfile.ZIP_DEFLATED)
    out["smplx.npz"] = npz(
        {"root_orient": trans, "pose_body": poses[:, :63], "trans": trans, "mocap_frame_rate": np.array(120.0)}
    )
    points = rng.normal(size=(4, 3, 3)).round(3).tolist()
    out["lists.json"] = json.dumps(
        {"joints": points, "joint_names": ["a", "b", "c"], "parents": [-1, 0, "b"], "fps": 30}
    ).encode()
    out["named.json"] = json.dumps(
        {"frames": [dict(zip("abc", frame, strict=True)) for frame in points], "fps": 25.5}
    ).encode()
    out["dance.gltf"] = as_gltf(out["dance.glb"])
    out["dance.vmd"] = vmd()
    out["dance.vrma"] = as_vrma(out["dance.glb"])
    standing = joint_positions(motion)
    out["smpl.npy"] = npy(standing)
    out["points.pkl"] = pickle.dumps({"keypoints3d_optim": standing[:, :17] * 100.0}, protocol=4)
    return out


def as_vrma(data: bytes) -> bytes:
    """The GLB `data` as a VRM animation: its joints are bones of a humanoid, and one of them says a weight."""
    document, binary = glb_parts(data)
    at = {node["name"]: place for place, node in enumerate(document["nodes"]) if "name" in node}
    bones = {"hips": "pelvis", "head": "head", "neck": "neck"}
    for side in ("left", "right"):
        bones |= {
            f"{side}{bone}": f"{side}_{joint}"
            for bone, joint in (("UpperLeg", "hip"), ("LowerLeg", "knee"), ("Foot", "ankle"), ("UpperArm", "shoulder"), ("LowerArm", "elbow"), ("Hand", "wrist"))
        }  # fmt: skip
    human = {bone: {"node": at[joint]} for bone, joint in bones.items()}
    said = {"humanoid": {"humanBones": human}, "expressions": {"preset": {"aa": {"node": at["pelvis"]}}}}
    document["extensions"] = {"VRMC_vrm_animation": said}
    return framed_glb(json.dumps(document).encode(), binary)


def features(width: int, rng: np.random.Generator, frames: int = 5) -> Any:
    """An array of known `width` whose rotations are two rows of a matrix."""
    layout = feature_arrays.LAYOUTS[width]
    out = rng.normal(size=(frames, width))
    matrices, _ = np.linalg.qr(rng.normal(size=(frames, layout.joints, 3, 3)))
    out[:, layout.pose :] = matrices[..., :2, :].reshape(frames, -1)
    return out


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(arrays: dict[str, Any], method: int = zipfile.ZIP_STORED) -> bytes:
    return rezipped({f"{name}.npy": npy(array) for name, array in arrays.items()}, method)


def rezipped(members: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def glb_parts(data: bytes) -> tuple[Any, bytes]:
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def framed_glb(text: bytes, binary: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIII4s", b"glTF", 2, 28 + len(text) + len(binary), len(text), b"JSON")
    return head + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary


def as_gltf(data: bytes) -> bytes:
    document, binary = glb_parts(data)
    document["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(binary).decode()
    return json.dumps(document).encode()


def vmd() -> bytes:
    out = b"Vocaloid Motion Data 0002".ljust(30, b"\0") + b"model".ljust(20, b"\0") + struct.pack("<I", 6)
    for frame in (0, 5):
        for bone in ("センター", "右腕", "左足ＩＫ"):
            name = (bone.encode("cp932") + b"\0").ljust(15, b"\xfd")
            out += (
                name
                + struct.pack("<I3f4f", frame, 0.1 * frame, 1.0, 0.0, 0.0, 0.1, 0.0, 0.995)
                + bytes([20] * 8 + [107] * 8) * 4
            )
    return out + struct.pack("<I", 1) + b"a".ljust(15, b"\0") + struct.pack("<If", 3, 0.5) + b"\0" * 12


def mutated(name: str, data: bytes, rng: np.random.Generator) -> bytes:
    """`data` damaged by bytes or, every other time, where its format has an inside, inside it."""
    inside = _INSIDE.get(name.rsplit(".", 1)[-1])
    if inside is None or rng.random() < 0.4:
        return damaged(data, rng) or b"x"
    return inside(data, rng)


def _mutated_json(data: bytes, rng: np.random.Generator) -> bytes:
    return json.dumps(_mutated_tree(json.loads(data), rng)).encode()


def _mutated_glb(data: bytes, rng: np.random.Generator) -> bytes:
    document, binary = glb_parts(data)
    if rng.random() < 0.3:
        return framed_glb(json.dumps(document).encode(), damaged(binary, rng))
    return framed_glb(json.dumps(_mutated_tree(document, rng)).encode(), binary)


def _mutated_npz(data: bytes, rng: np.random.Generator) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = list(members)[rng.integers(len(members))]
    match rng.integers(4):
        case 0:
            del members[name]
        case 1:
            members[
                f"{rng.choice(['joints', 'poses', 'trans', 'fps', 'parents', 'joint_names', 'style', 'face'])}.npy"
            ] = members[name]
        case _:
            members[name] = damaged(members[name], rng)
    return rezipped(members, zipfile.ZIP_DEFLATED if rng.random() < 0.5 else zipfile.ZIP_STORED)


def _mutated_tree(document: Any, rng: np.random.Generator) -> Any:
    """`document` with one to three of its values replaced, removed or repeated; the deeper ones as often as the others."""
    for _ in range(rng.integers(1, 4)):
        node, key = _random_place(document, rng)
        if node is None:
            return _nasty(rng)
        match rng.integers(4):
            case 0 if isinstance(node, dict):
                del node[key]
            case 1 if isinstance(node, list):
                node.insert(key, node[key])
            case 2 if isinstance(node, list):
                del node[key]
            case _:
                node[key] = _nasty(rng)
    return document


def _nasty(rng: np.random.Generator) -> Any:
    """One of NASTY, as a copy: the next edit may go into it, and a case must not depend on those before it."""
    return copy.deepcopy(NASTY[rng.integers(len(NASTY))])


def _random_place(document: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    node, key, inner = None, None, document
    while isinstance(inner, (dict, list)) and inner and (node is None or rng.random() < 0.8):
        node = inner
        key = list(inner)[rng.integers(len(inner))] if isinstance(inner, dict) else int(rng.integers(len(inner)))
        inner = node[key]
    return node, key


_INSIDE: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "json": _mutated_json, "gltf": _mutated_json, "glb": _mutated_glb, "vrma": _mutated_glb, "npz": _mutated_npz,
}  # fmt: skip
