"""GLB (binary glTF 2.0): skeleton, animation and a light skinned body, for Blender, three.js and game engines."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.motion import head
from choreodb.motion.body import Body, body
from choreodb.motion.files import StrPath, write_bytes
from choreodb.motion.kinematics import root_first
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, unroll
from choreodb.motion.skeleton import Skeleton

_FLOAT, _USHORT = 5126, 5123
_COMPONENTS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_VERTICES, _INDICES = 34962, 34963
_MAGIC, _VERSION, _JSON, _BIN = b"glTF", 2, b"JSON", b"BIN\0"
_SKIN_COLOUR = (0.42, 0.55, 0.72, 1.0)
_FACE_COLOUR = (0.07, 0.08, 0.11, 1.0)


@dataclass(slots=True)
class _Buffer:
    """The binary chunk as it grows, with the views and accessors that describe it."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def add(self, array: npt.NDArray[Any], kind: str, *, target: int | None = None, bounds: bool = False) -> int:
        """Append `array` [N, components] as an accessor of `kind`, with min and max if `bounds`; returns its index."""
        component = _USHORT if array.dtype == np.uint16 else _FLOAT
        content = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        view: dict[str, Any] = {"buffer": 0, "byteOffset": self.size, "byteLength": len(content)}
        if target is not None:
            view["target"] = target
        accessor: dict[str, Any] = {
            "bufferView": len(self.views),
            "componentType": component,
            "count": array.size // _COMPONENTS[kind],
            "type": kind,
        }
        if bounds:
            rows = array.reshape(-1, _COMPONENTS[kind])
            accessor |= {"min": rows.min(axis=0).tolist(), "max": rows.max(axis=0).tolist()}
        content += b"\0" * (-len(content) % 4)
        self.parts.append(content)
        self.size += len(content)
        self.views.append(view)
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def save(motion: Motion, path: StrPath, *, extras: Mapping[str, Any] | None = None) -> None:
    """Write `motion` (metres, y up) as a GLB; the same motion gives the same bytes.

    One node for every joint, by its name, at rest in the skeleton's rest pose standing on the floor; one animation
    with the rotation of every joint and the translation of the root and of joints that leave their offset, linear
    between frames, from 0 s; one skin; one mesh of capsules, each bound to its bone. Where the motion has a face and
    the skeleton a head, a second mesh with a morph target for every channel, by its name, and their weights in the
    animation. extras: JSON values that are kept with the scene. Raises ChoreoError.
    """
    motion = root_first(motion.validate())
    buffer = _Buffer()
    joints = len(motion.skeleton)
    rest = rest_positions(motion.skeleton)
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "ChoreoDB"},
        "scene": 0,
        "scenes": [{"name": "dance", "nodes": [0, joints]}],
        "nodes": [*_joint_nodes(motion.skeleton, rest), {"name": "body", "mesh": 0, "skin": 0}],
        "materials": [_material("body", _SKIN_COLOUR)],
        "meshes": [_mesh(buffer, body(motion.skeleton, rest))],
        "skins": [_skin(buffer, rest)],
        "animations": [_animation(buffer, motion)],
    }
    if motion.face is not None and motion.face_names and "head" in motion.skeleton.names:
        _add_face(buffer, document, motion, rest)
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views, "buffers": [{"byteLength": buffer.size}]}
    if extras:
        document["scenes"][0]["extras"] = dict(extras)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + buffer.size
    head = struct.pack("<4sIII4s", _MAGIC, _VERSION, total, len(text), _JSON)
    write_bytes(path, head, text, struct.pack("<I4s", buffer.size, _BIN), *buffer.parts)


def rest_positions(skeleton: Skeleton) -> FloatArray:
    """Joints [J, 3] of the rest pose, lifted so that the lowest lies on the floor and the root over the origin."""
    rest = np.zeros((len(skeleton), 3))
    for joint in range(1, len(skeleton)):
        rest[joint] = rest[skeleton.parents[joint]] + skeleton.offsets[joint]
    rest[:, 1] -= rest[:, 1].min()
    return rest


def _joint_nodes(skeleton: Skeleton, rest: FloatArray) -> list[dict[str, Any]]:
    nodes = []
    for joint, name in enumerate(skeleton.names):
        parent = skeleton.parents[joint]
        offset = rest[joint] - (rest[parent] if joint else 0.0)
        node: dict[str, Any] = {"name": name, "translation": np.round(offset, 6).tolist()}
        children = skeleton.children(joint)
        if children:
            node["children"] = list(children)
        nodes.append(node)
    return nodes


def _material(name: str, colour: tuple[float, ...]) -> dict[str, Any]:
    surface = {"baseColorFactor": list(colour), "metallicFactor": 0.0, "roughnessFactor": 0.7}
    return {"name": name, "pbrMetallicRoughness": surface}


def _mesh(buffer: _Buffer, shape: Body) -> dict[str, Any]:
    bones = np.zeros((len(shape.bones), 4), dtype=np.uint16)
    bones[:, 0] = shape.bones
    weights = np.zeros((len(shape.bones), 4), dtype=np.float32)
    weights[:, 0] = 1.0
    attributes = {
        "POSITION": buffer.add(shape.vertices, "VEC3", target=_VERTICES, bounds=True),
        "NORMAL": buffer.add(shape.normals, "VEC3", target=_VERTICES),
        "JOINTS_0": buffer.add(bones, "VEC4", target=_VERTICES),
        "WEIGHTS_0": buffer.add(weights, "VEC4", target=_VERTICES),
    }
    indices = buffer.add(shape.triangles.astype(np.uint16), "SCALAR", target=_INDICES)
    return {"name": "body", "primitives": [{"attributes": attributes, "indices": indices, "material": 0}]}


def _skin(buffer: _Buffer, rest: FloatArray) -> dict[str, Any]:
    # glTF matrices are column-major: the translation is the last row of the transpose
    inverse_bind = np.tile(np.eye(4, dtype=np.float32), (len(rest), 1, 1))
    inverse_bind[:, 3, :3] = -rest
    matrices = buffer.add(inverse_bind, "MAT4")
    return {"name": "skeleton", "inverseBindMatrices": matrices, "skeleton": 0, "joints": list(range(len(rest)))}


def _add_face(buffer: _Buffer, document: dict[str, Any], motion: Motion, rest: FloatArray) -> None:
    """Eyes, brows and a mouth on the head, a morph target for every channel of the face, and their weights over time."""
    names, weights = motion.face_names, motion.face
    assert weights is not None
    joint = motion.skeleton.index("head")
    shape = head.features()
    bones = np.zeros((len(shape.vertices), 4), dtype=np.uint16)
    bones[:, 0] = joint
    held = np.zeros((len(shape.vertices), 4), dtype=np.float32)
    held[:, 0] = 1.0
    attributes = {
        "POSITION": buffer.add(shape.vertices + rest[joint].astype(np.float32), "VEC3", target=_VERTICES, bounds=True),
        "NORMAL": buffer.add(shape.normals, "VEC3", target=_VERTICES),
        "JOINTS_0": buffer.add(bones, "VEC4", target=_VERTICES),
        "WEIGHTS_0": buffer.add(held, "VEC4", target=_VERTICES),
    }
    stored: dict[bytes, int] = {}
    targets = []
    for moved in head.targets(names):
        values = moved.astype(np.float32)
        # channels that this face cannot show share one target that moves nothing
        key = values.tobytes()
        if key not in stored:
            stored[key] = buffer.add(values, "VEC3", target=_VERTICES, bounds=True)
        targets.append({"POSITION": stored[key]})
    indices = buffer.add(shape.triangles.astype(np.uint16), "SCALAR", target=_INDICES)
    primitive = {"attributes": attributes, "indices": indices, "material": 1, "targets": targets}
    document["materials"].append(_material("face", _FACE_COLOUR))
    document["meshes"].append(
        {
            "name": "face",
            "primitives": [primitive],
            "weights": [0.0] * len(names),
            "extras": {"targetNames": list(names)},
        }
    )
    node = len(document["nodes"])
    document["nodes"].append({"name": "face", "mesh": 1, "skin": 0})
    document["scenes"][0]["nodes"].append(node)
    animation = document["animations"][0]
    output = buffer.add(weights.astype(np.float32).reshape(-1), "SCALAR")
    times = animation["samplers"][0]["input"]
    animation["channels"].append({"sampler": len(animation["samplers"]), "target": {"node": node, "path": "weights"}})
    animation["samplers"].append({"input": times, "output": output, "interpolation": "LINEAR"})


def _animation(buffer: _Buffer, motion: Motion) -> dict[str, Any]:
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    times = buffer.add((np.arange(len(motion)) / motion.fps).astype(np.float32), "SCALAR", bounds=True)

    def animate(joint: int, path: str, values: FloatArray, kind: str) -> None:
        channels.append({"sampler": len(samplers), "target": {"node": joint, "path": path}})
        output = buffer.add(values.astype(np.float32), kind)
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})

    animate(0, "translation", motion.root, "VEC3")
    for joint in _travelling(motion):
        if motion.translations is not None:
            animate(joint, "translation", motion.translations[:, joint], "VEC3")
    quats: FloatArray = motion.rotations.astype(np.float64)
    quats = unroll(quats / np.linalg.norm(quats, axis=-1, keepdims=True))
    for joint in range(len(motion.skeleton)):
        animate(joint, "rotation", np.roll(quats[:, joint], -1, axis=-1), "VEC4")
    return {"name": "dance", "samplers": samplers, "channels": channels}


def _travelling(motion: Motion) -> list[int]:
    """Joints but the root that leave their offset by more than a micrometre."""
    if motion.translations is None:
        return []
    away = np.abs(motion.translations - motion.skeleton.offsets).max(axis=(0, 2)) > 1e-6
    return [int(joint) for joint in np.flatnonzero(away) if joint]
