"""A character's own GLB with a dance in it: meshes, materials and everything else as its file has them."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion.arkit import arkit_channels
from choreodb.motion.files import StrPath, write_bytes
from choreodb.motion.gltf import Rest, node_rest, target_names
from choreodb.motion.gltf_file import Gltf
from choreodb.motion.kinematics import global_rotations
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, compose, inverse, rotate, unroll

_FLOAT = 5126
_MIME = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}


def save(motion: Motion, character: Rest, path: StrPath, *, extras: Mapping[str, Any] | None = None) -> None:
    """Write the `character` with the dance `motion`, which is on its skeleton (`rig.danced`), as its only animation.

    Morph targets whose names mean channels of the motion's face (its own names, or ARKit's) get their weights. Buffers
    and pictures beside a `.gltf` are taken in. extras: JSON values that are kept with the scene. The same motion gives
    the same bytes. Raises ChoreoError.
    """
    if motion.skeleton.names != character.motion.skeleton.names:
        raise MotionFormatError(f"{motion!r} is on another skeleton than the character; bring it there with rig.danced")
    document = copy.deepcopy(character.gltf.document)
    chunk = _Chunk(document, _merged(document, character.gltf))
    _embed_pictures(document, chunk, character.gltf)
    document["animations"] = [_animation(document, chunk, motion.validate(), character)]
    if extras and document.get("scenes"):
        scene = document["scenes"][0]
        scene["extras"] = {**(scene.get("extras") if isinstance(scene.get("extras"), dict) else {}), **extras}
    document["buffers"] = [{"byteLength": chunk.size}]
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + chunk.size
    head = struct.pack("<4sIII4s", b"glTF", 2, total, len(text), b"JSON")
    write_bytes(path, head, text, struct.pack("<I4s", chunk.size, b"BIN\0"), *chunk.parts)


class _Chunk:
    """The binary chunk as it grows, with views and accessors in the document."""

    def __init__(self, document: dict[str, Any], data: bytes) -> None:
        self.document, self.parts, self.size = document, [data], len(data)

    def view(self, content: bytes) -> int:
        """Append bytes; the index of their buffer view."""
        views = self.document.setdefault("bufferViews", [])
        views.append({"buffer": 0, "byteOffset": self.size, "byteLength": len(content)})
        content += b"\0" * (-len(content) % 4)
        self.parts.append(content)
        self.size += len(content)
        return len(views) - 1

    def add(self, values: npt.NDArray[np.float32], kind: str, *, bounds: bool = False) -> int:
        """Append float32 `values` as an accessor of `kind`; its index."""
        entry: dict[str, Any] = {
            "bufferView": self.view(np.ascontiguousarray(values, dtype="<f4").tobytes()),
            "componentType": _FLOAT, "count": len(values), "type": kind,
        }  # fmt: skip
        if bounds:
            entry |= {"min": [float(values.min())], "max": [float(values.max())]}
        accessors = self.document.setdefault("accessors", [])
        accessors.append(entry)
        return len(accessors) - 1


def _merged(document: dict[str, Any], gltf: Gltf) -> bytes:
    """All buffers as one, with the document's views moved to it."""
    starts, parts, size = [], [], 0
    for place in range(len(gltf.items("buffers"))):
        content = gltf.buffer(place)
        content += b"\0" * (-len(content) % 4)
        starts.append(size)
        parts.append(content)
        size += len(content)
    for view in document.get("bufferViews", []):
        buffer = view.get("buffer")
        if not isinstance(buffer, int) or not 0 <= buffer < len(starts):
            raise MotionFormatError(f"a buffer view names {str(buffer)[:20]!r} of {len(starts)} buffers; it is damaged")
        view["buffer"], view["byteOffset"] = 0, starts[buffer] + int(view.get("byteOffset", 0))
    return b"".join(parts)


def _embed_pictures(document: dict[str, Any], chunk: _Chunk, gltf: Gltf) -> None:
    for image in document.get("images", []):
        uri = image.get("uri") if isinstance(image, dict) else None
        if not isinstance(uri, str) or uri.startswith("data:"):
            continue
        content = gltf.beside(uri)
        kind = next((mime for magic, mime in _MIME.items() if content.startswith(magic)), None)
        if kind is None:
            raise MotionFormatError(f"picture {uri[:60]!r} is neither PNG nor JPEG; expected what glTF 2.0 allows")
        del image["uri"]
        image |= {"bufferView": chunk.view(content), "mimeType": kind}


def _animation(document: dict[str, Any], chunk: _Chunk, motion: Motion, character: Rest) -> dict[str, Any]:
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    times = chunk.add((np.arange(len(motion)) / motion.fps).astype(np.float32), "SCALAR", bounds=True)

    def animate(node: int, path: str, output: int) -> None:
        channels.append({"sampler": len(samplers), "target": {"node": node, "path": path}})
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})

    rotations, root = _local(motion, character)
    for joint, node in enumerate(character.nodes):
        _plain_node(document["nodes"][node])
        if joint == 0:
            animate(node, "translation", chunk.add(root.astype(np.float32), "VEC3"))
        quats = np.roll(rotations[:, joint], -1, axis=-1).astype(np.float32)
        animate(node, "rotation", chunk.add(quats, "VEC4"))
    for node, weights in _weights(document, motion, character.gltf):
        animate(node, "weights", chunk.add(weights.astype(np.float32).reshape(-1), "SCALAR"))
    return {"name": "dance", "samplers": samplers, "channels": channels}


def _local(motion: Motion, character: Rest) -> tuple[FloatArray, FloatArray]:
    """Rotations [T, J, 4] and the root's translation [T, 3] as the character's nodes have them."""
    turn, place, scale = character.above
    world = compose(global_rotations(motion.rotations.astype(np.float64), motion.skeleton), character.bind)
    out = world.copy()
    out[:, 0] = compose(inverse(turn), world[:, 0])
    parents = motion.skeleton.parents[1:]
    out[:, 1:] = compose(inverse(world[:, parents]), world[:, 1:])
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    return unroll(out), rotate(inverse(turn), motion.root - place) / scale


def _plain_node(node: dict[str, Any]) -> None:
    """A node that is animated must say translation, rotation and scale instead of a matrix."""
    if "matrix" in node:
        rotation, translation, scale = node_rest(node)
        del node["matrix"]
        node |= {"rotation": np.roll(rotation, -1).tolist(), "translation": translation.tolist(), "scale": [scale] * 3}


def _weights(document: dict[str, Any], motion: Motion, gltf: Gltf) -> list[tuple[int, FloatArray]]:
    """(node, weights [T, targets]) of the meshes whose morph targets the face moves."""
    if motion.face is None:
        return []
    place = {name: index for index, name in enumerate(motion.face_names)}
    out: list[tuple[int, FloatArray]] = []
    for number, node in enumerate(document["nodes"]):
        names = target_names(gltf, node)
        meant = arkit_channels(names)
        # a target that stands for several channels, such as both eyes, takes their mean
        wanted = [[name] if name in place else [each for each in meant[name] if each in place] for name in names]
        if not any(wanted):
            continue
        mesh = document["meshes"][node["mesh"]]
        base = node.get("weights", mesh.get("weights", []))
        values = np.tile(base if len(base) == len(names) else np.zeros(len(names)), (len(motion), 1)).astype(np.float64)
        for column, found in enumerate(wanted):
            if found:
                values[:, column] = motion.face[:, [place[each] for each in found]].mean(axis=1)
        out.append((number, values))
    return out
