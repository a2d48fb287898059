"""glTF 2.0 files: the document, its buffers and its accessors, all of them bounded and checked."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion.files import MAX_VALUE, StrPath, read_bytes, regular_file
from choreodb.motion.json_text import MAX_BYTES as MAX_JSON
from choreodb.motion.json_text import parse_json, plain_text
from choreodb.motion.rotations import FloatArray

MAX_BYTES = 512 * 2**20
"""Largest file, and largest total of its buffers."""
MAX_URI = 250
"""Longest name of a buffer's file: file systems take no more of a name."""

_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_SIZES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass(slots=True, eq=False)
class Gltf:
    """A glTF document: its JSON, the binary chunk of a GLB, and the folder that other buffers may lie in."""

    document: dict[str, Any]
    binary: bytes | None
    folder: Path
    buffers: dict[int, bytes] = field(default_factory=dict)
    checked: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def items(self, name: str, *, of: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The list of objects `name` of the document (or of the object `of`); empty where there is none."""
        if of is None and name in self.checked:
            return self.checked[name]
        value = (self.document if of is None else of).get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise MotionFormatError(f"{name!r} is no list of objects; expected glTF 2.0")
        if of is None:
            self.checked[name] = value
        return value

    def item(self, name: str, place: Any) -> dict[str, Any]:
        """Object number `place` of the list `name`."""
        return self.items(name)[index(place, len(self.items(name)), name)]

    def accessor(self, place: Any) -> FloatArray:
        """The values [count, components] of an accessor, float64 and finite; normalised integers become fractions."""
        entry = self.item("accessors", place)
        if "sparse" in entry or "bufferView" not in entry:
            raise MotionFormatError(f"accessor {place} is sparse; expected plain ones, export without sparse accessors")
        kind, components = _COMPONENTS.get(whole(entry, "componentType")), _SIZES.get(str(entry.get("type")))
        if kind is None or components is None:
            raise MotionFormatError(f"accessor {place} has an unknown type; expected glTF 2.0")
        dtype, count = np.dtype(kind), whole(entry, "count")
        view = self.item("bufferViews", entry["bufferView"])
        if "EXT_meshopt_compression" in (view.get("extensions") or {}):
            raise MotionFormatError(
                "is compressed with EXT_meshopt_compression; expected plain buffers, export without it"
            )
        buffer = self.buffer(view.get("buffer"))
        start, length = whole(view, "byteOffset", 0), whole(view, "byteLength")
        if start + length > len(buffer):
            raise MotionFormatError(f"accessor {place} reaches beyond its buffer of {len(buffer)} bytes; it is cut off")
        offset, size = whole(entry, "byteOffset", 0), dtype.itemsize * components
        stride = whole(view, "byteStride", size)
        if count < 1 or stride < size or offset + stride * (count - 1) + size > length:
            raise MotionFormatError(f"accessor {place} asks for {count} values; its view of {length} bytes has fewer")
        raw = np.ndarray((count, components), dtype, buffer, start + offset, (stride, dtype.itemsize))
        with np.errstate(invalid="ignore"):  # a signalling NaN, which is refused below
            values = raw.astype(np.float64)
        if entry.get("normalized") is True and dtype.kind in "iu":
            # the most negative number of a signed type means -1 too
            values = np.maximum(values / np.iinfo(dtype).max, -1.0)
        if not np.all(np.isfinite(values)) or np.max(np.abs(values)) > MAX_VALUE:
            raise MotionFormatError(f"accessor {place} holds NaN, infinity or numbers beyond {MAX_VALUE:g}")
        return values

    def buffer(self, place: Any) -> bytes:
        buffers = self.items("buffers")
        place = index(place, len(buffers), "buffers")
        if place not in self.buffers:
            self.buffers[place] = self._read_buffer(buffers[place], place)
            if sum(map(len, self.buffers.values())) > MAX_BYTES:
                raise MotionFormatError(f"its buffers hold more than {MAX_BYTES} bytes; expected less")
        return self.buffers[place]

    def _read_buffer(self, entry: dict[str, Any], place: int) -> bytes:
        uri = entry.get("uri")
        if uri is None and place == 0 and self.binary is not None:
            return self.binary
        if not isinstance(uri, str):
            raise MotionFormatError(f"buffer {place} has no data; expected a binary chunk or a 'uri'")
        if uri.startswith("data:"):
            head, _, text = uri.partition(",")
            try:
                return base64.b64decode(text, validate=True) if head.endswith(";base64") else b""
            except (binascii.Error, ValueError):
                raise MotionFormatError(f"buffer {place} is damaged base64; expected a data URI") from None
        return self.beside(uri)

    def beside(self, uri: str) -> bytes:
        """The file that `uri` names beside the document or below its folder; anything else is refused."""
        name = unquote(uri)
        # half a letter, which JSON may spell, is in no file's name
        odd = "\0" in name or ":" in name or "\\" in name or name != plain_text(name) or len(name) > MAX_URI
        if odd or Path(name).is_absolute():
            raise MotionFormatError(
                f"buffer {plain_text(name)[:60]!r} is not beside the file; expected a relative path"
            )
        folder = self.folder.resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            raise MotionFormatError(
                f"buffer {plain_text(name)[:60]!r} leads out of the folder; expected a file beside it"
            )
        if regular_file(path).stat().st_size > MAX_BYTES:
            raise MotionFormatError(f"buffer {plain_text(name)[:60]!r} is larger than {MAX_BYTES} bytes")
        return read_bytes(path)


def open_gltf(path: StrPath) -> Gltf:
    """The glTF or GLB file `path`; MotionFormatError where it is neither."""
    path = regular_file(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise MotionFormatError(f"has {size} bytes; expected at most {MAX_BYTES}")
    data = read_bytes(path)
    binary: bytes | None = None
    if data[:4] == b"glTF":
        data, binary = _chunks(data)
    document = parse_json(data)
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        raise MotionFormatError("is not glTF (it has no 'asset'); expected glTF 2.0")
    version = document["asset"].get("version")
    if not isinstance(version, str) or not version.startswith("2."):
        raise MotionFormatError(f"is glTF {str(version)[:20]!r}; expected glTF 2.0")
    return Gltf(document, binary, path.parent)


def _chunks(data: bytes) -> tuple[bytes, bytes | None]:
    """(JSON, binary chunk) of a GLB."""
    if len(data) < 20:
        raise MotionFormatError(f"is a GLB of {len(data)} bytes; it is cut off")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2 or length > len(data):
        raise MotionFormatError(
            f"is a GLB of version {version} and {length} bytes but holds {len(data)}; it is cut off"
        )
    found: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= length:
        size, kind = struct.unpack_from("<I4s", data, place)
        if place + 8 + size > length:
            raise MotionFormatError(f"has a chunk of {size} bytes that reaches beyond the file; it is cut off")
        if kind == b"JSON" and size > MAX_JSON:
            raise MotionFormatError(f"holds {size} bytes of JSON; expected at most {MAX_JSON}")
        if kind in (b"JSON", b"BIN\0") and kind not in found:
            found[kind] = data[place + 8 : place + 8 + size]
        place += 8 + size
    if b"JSON" not in found:
        raise MotionFormatError("is a GLB without its JSON chunk; it is damaged")
    return found[b"JSON"], found.get(b"BIN\0")


def index(value: Any, count: int, what: str) -> int:
    """`value` as a place in a list of `count`; MotionFormatError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise MotionFormatError(f"names {str(value)[:20]!r} of {what}, of which it has {count}")
    return value


def whole(entry: dict[str, Any], key: str, default: int | None = None) -> int:
    """The whole number under `key`, from 0 to the largest file; MotionFormatError otherwise."""
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_BYTES:
        raise MotionFormatError(f"{key!r} is {str(value)[:20]!r}; expected a whole number")
    return value


def numbers(entry: dict[str, Any], key: str, default: tuple[float, ...]) -> FloatArray:
    """The finite numbers under `key`, as many as `default` has, which stands in where the key is missing."""
    value = entry.get(key, default)
    good = isinstance(value, (list, tuple)) and len(value) == len(default)
    if not good or not all(isinstance(each, (int, float)) and abs(each) <= MAX_VALUE for each in value):
        raise MotionFormatError(f"{key!r} of a node is not {len(default)} finite numbers")
    return np.array(value, dtype=np.float64)
