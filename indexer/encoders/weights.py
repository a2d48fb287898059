"""Trained weights: named arrays and a card that says what they are, in a safetensors file with a JSON sidecar.

`x.safetensors` holds the arrays, `x.json` the card, `x.md` says the same to people. Nothing is unpickled, and a file
is believed only as far as its hash, its sizes and its card agree.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from choreodb.errors import EncoderError
from choreodb.indexer.encoders.model_card import model_card

SUFFIX = ".safetensors"
MAX_BYTES = 256 << 20
MAX_CARD_BYTES = 1 << 20
MAX_TENSORS = 10_000
REQUIRED = ("architecture", "version", "config", "hash", "data", "metrics", "command")
"""Keys that every card has; `name` is optional and is the file's stem where it is missing."""

_DTYPES = ("<f4", "<f2", "<f8", "<i8", "<i4", "|i1", "|u1")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{16}")
_CARD_KEY = "card"


@dataclass(frozen=True)
class Weights:
    """Trained arrays and their card.

    tensors: arrays by name. card: `architecture`, `version`, `config` (what the architecture is built from), `hash`,
    `data` (what it was trained on, and its licence), `metrics`, `command` (what made it) and `name`, as JSON.
    """

    tensors: Mapping[str, npt.NDArray[Any]]
    card: Mapping[str, Any]

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits over the arrays (names, types, shapes, bytes), the architecture and its config."""
        return _hash_of(self.tensors, self.card)

    @property
    def name(self) -> str:
        """What people call these weights."""
        return str(self.card["name"])

    def __repr__(self) -> str:
        return f"Weights(name={self.name!r}, architecture={self.card['architecture']!r}, hash={self.hash!r})"


def load(path: Path | str) -> Weights:
    """The weights in `path` (`x.safetensors`, with `x.json` beside it).

    EncoderError where one of the two is missing, too large or damaged, where a number is not finite, or where they do
    not belong together.
    """
    path = Path(path)
    tensors, card = _read(path, MAX_BYTES), _read(sidecar(path), MAX_CARD_BYTES)
    return checked(tensors, card_of(card, str(sidecar(path)), path.stem), source=str(path))


def save(path: Path | str, tensors: Mapping[str, npt.NDArray[Any]], card: Mapping[str, Any]) -> Weights:
    """Write `x.safetensors`, `x.json` and the model card `x.md`, each replaced whole; the weights as they were written.

    Equal arguments give equal bytes. The card's `hash` is filled in, and its `name` (the file's stem) where it has none.
    EncoderError where the card lacks something, an array is not finite or of another type, or writing fails.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise EncoderError(f"weights file {str(path)!r}: expected a name that ends in {SUFFIX}")
    weights = made(tensors, {"name": path.stem, **card}, source=str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, tensor_bytes(weights.tensors))
        replace_file(path.with_suffix(".md"), model_card(weights.card, weights.tensors).encode())
        # the sidecar is last: until it is there, its hash does not fit the arrays and nobody believes them
        replace_file(sidecar(path), _card_bytes(weights.card))
    except OSError as error:
        raise EncoderError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    return weights


def made(tensors: Mapping[str, npt.NDArray[Any]], card: Mapping[str, Any], *, source: str) -> Weights:
    """Weights of arrays that were just trained, with the card's `hash` filled in; errors as of `save`."""
    plain = {name: _plain(name, array, source) for name, array in sorted(tensors.items())}
    try:
        text = json.loads(json.dumps(dict(card), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise EncoderError(f"{source}: the card is no JSON: {error}; use text, finite numbers, lists, dicts") from None
    text["hash"] = _hash_of(plain, text)
    return checked(tensor_bytes(plain), text, source=source)


def sidecar(path: Path) -> Path:
    """`x.json` for `x.safetensors`."""
    return path.with_suffix(".json")


def to_bytes(weights: Weights) -> bytes:
    """Arrays and card in one safetensors file, the card in its metadata, as a library carries them."""
    return tensor_bytes(weights.tensors, {_CARD_KEY: _card_bytes(weights.card).decode()})


def from_bytes(data: bytes, *, source: str) -> Weights:
    """What `to_bytes` gave; EncoderError naming `source` as of `load`."""
    metadata = _header(data, source).get("__metadata__", {})
    if not isinstance(metadata, dict) or _CARD_KEY not in metadata:
        raise EncoderError(f"{source}: it has no card in its metadata; it is not a library's copy of weights")
    return checked(data, card_of(str(metadata[_CARD_KEY]).encode(), source, Path(source).stem), source=source)


def checked(data: bytes, card: Mapping[str, Any], *, source: str) -> Weights:
    """The arrays in `data`, safetensors, under a card whose hash they must fit."""
    weights = Weights(MappingProxyType(_tensors(data, source)), MappingProxyType(dict(card)))
    if weights.hash != card["hash"]:
        raise EncoderError(
            f"{source}: the arrays hash to {weights.hash} where the card says {card['hash']}; "
            "the two files do not belong together or are damaged, copy both again"
        )
    return weights


def expect_shapes(weights: Weights, expected: Mapping[str, tuple[int, ...]]) -> None:
    """EncoderError unless the arrays are exactly these, by name and shape; for architectures to check their config by."""
    name = weights.name
    for key in sorted(expected.keys() | weights.tensors.keys()):
        if key not in weights.tensors:
            raise EncoderError(
                f"weights {name!r}: the array {key!r} {expected[key]} that its config asks for is missing"
            )
        shape = weights.tensors[key].shape
        if key not in expected:
            raise EncoderError(f"weights {name!r}: the array {key!r} {shape} is not one that its config asks for")
        if shape != tuple(expected[key]):
            raise EncoderError(
                f"weights {name!r}: the array {key!r} has shape {shape}, and its config asks for {tuple(expected[key])}"
            )


def _hash_of(tensors: Mapping[str, npt.NDArray[Any]], card: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps([card.get("architecture"), card.get("config")], sort_keys=True).encode())
    for name, array in sorted(tensors.items()):
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def _plain(name: str, array: npt.NDArray[Any], source: str) -> npt.NDArray[Any]:
    array = np.asarray(array)
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
    if array.dtype.str not in _DTYPES:
        raise EncoderError(f"{source}: array {name!r} is {array.dtype}; expected one of {', '.join(_DTYPES)}")
    return array


def tensor_bytes(tensors: Mapping[str, npt.NDArray[Any]], metadata: dict[str, str] | None = None) -> bytes:
    """A safetensors file."""
    from safetensors.numpy import save as dump

    return cast(bytes, dump(dict(tensors), metadata=metadata))


def _card_bytes(card: Mapping[str, Any]) -> bytes:
    return (json.dumps(dict(card), indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _read(path: Path, limit: int) -> bytes:
    try:
        size = path.stat().st_size
        if size <= limit:
            return path.read_bytes()
    except FileNotFoundError:
        what = "the sidecar of the weights" if path.suffix == ".json" else "no weights there; the file"
        raise EncoderError(f"{str(path)!r}: {what} is missing; weights are two files, x{SUFFIX} and x.json") from None
    except OSError as error:
        raise EncoderError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None
    raise EncoderError(f"{str(path)!r} has {size} bytes; expected at most {limit}")


def card_of(text: bytes, source: str, stem: str) -> dict[str, Any]:
    """The card in `text`, JSON, which has every key, of the right kind; `stem` names it where it does not itself."""
    try:
        card = json.loads(text.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise EncoderError(f"{source}: the card is not JSON; copy it again") from None
    missing = [key for key in REQUIRED if not isinstance(card, dict) or key not in card]
    if missing:
        raise EncoderError(f"{source}: the card has no {', '.join(missing)}; it is not one of trained weights")
    card.setdefault("name", stem)
    wrong = next((key for key, valid in _KINDS.items() if not valid(card[key])), None)
    if wrong:
        raise EncoderError(f"{source}: the card's {wrong} is {str(card[wrong])[:80]!r}, which it cannot be")
    return dict(card)


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "architecture": lambda value: isinstance(value, str) and bool(_NAME.fullmatch(value)),
    "name": lambda value: isinstance(value, str) and bool(_NAME.fullmatch(value)),
    "version": lambda value: isinstance(value, int | str) and not isinstance(value, bool),
    "config": lambda value: isinstance(value, dict),
    "hash": lambda value: isinstance(value, str) and bool(_HASH.fullmatch(value)),
}


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _header(data: bytes, source: str) -> dict[str, Any]:
    """The JSON that a safetensors file begins with: the number of its bytes, then itself."""
    size = int.from_bytes(data[:8], "little")
    try:
        if len(data) < 8 or size > min(len(data) - 8, MAX_CARD_BYTES + 200 * MAX_TENSORS):
            raise ValueError
        header = json.loads(data[8 : 8 + size].decode())
        if not isinstance(header, dict):
            raise TypeError
    except (ValueError, TypeError, RecursionError):
        raise EncoderError(f"{source} is no safetensors file, or it is damaged; copy it again") from None
    return header


def _tensors(data: bytes, source: str) -> dict[str, npt.NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as parse

    count = len(_header(data, source))
    if count > MAX_TENSORS:
        raise EncoderError(f"{source} holds {count} arrays; expected at most {MAX_TENSORS}")
    try:
        arrays = {str(name): np.asarray(array) for name, array in parse(data).items()}
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise EncoderError(f"{source} is no safetensors file, or it is damaged: {_line(error)}") from None
    for name, array in sorted(arrays.items()):
        if array.dtype.str not in _DTYPES:
            raise EncoderError(f"{source}: array {name!r} is {array.dtype}; expected one of {', '.join(_DTYPES)}")
        if not np.isfinite(array).all():
            raise EncoderError(f"{source}: array {name!r} holds numbers that are not finite; train it again")
        array.flags.writeable = False
    return arrays


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole, or leave what was there."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
