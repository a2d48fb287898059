"""Trained encoders by name, by path or by URL."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import registry
from choreodb.indexer.encoders import weights as files
from choreodb.indexer.encoders.base import Encoder
from choreodb.indexer.encoders.weights import MAX_BYTES, MAX_CARD_BYTES, SUFFIX, Weights

SHIPPED = Path(__file__).parent / "shipped"
"""Weights that come with ChoreoDB."""

Fetch = Callable[[str, int], bytes]
"""Bytes of a URL, of which at most so many are taken."""

TIMEOUT_S = 30.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def names() -> tuple[str, ...]:
    """Names of the shipped weights."""
    return tuple(sorted(path.stem for path in SHIPPED.glob(f"*{SUFFIX}")))


def from_pretrained(source: str | Path) -> Encoder:
    """The trained encoder that `source` names: shipped weights, a `.safetensors` file, or its https address.

    EncoderError where there is none, or where its files are missing, damaged or of an unknown architecture; for
    `rhythm`, too, which is not trained: it is fitted to each library and comes from there.
    """
    weights = find(source)
    if weights is None:
        raise EncoderError(
            "'rhythm' has no weights: it is fitted to a library; take it from there (choreodb.open(LIB).encoder)"
        )
    return registry.of_weights(weights)


def find(source: str | Path, *, fetch: Fetch | None = None) -> Weights | None:
    """The weights that `source` names as of `from_pretrained`; None for `rhythm`. fetch: how a URL is read."""
    text = str(source)
    if text == registry.RHYTHM:
        return None
    if "://" in text:
        return _from_url(text, fetch or _fetch)
    path = Path(source)
    if _NAME.fullmatch(text) and not path.is_file():
        return _shipped(text)
    if path.suffix != SUFFIX:
        raise EncoderError(f"encoder {text!r} is no {SUFFIX} file; {_known()}")
    return files.load(path)


def _shipped(name: str) -> Weights:
    path = SHIPPED / f"{name}{SUFFIX}"
    if not path.is_file():
        raise EncoderError(f"no encoder {name!r}; {_known()}")
    return files.load(path)


def _known() -> str:
    return f"expected {', '.join((registry.RHYTHM, *names()))}, a path to a {SUFFIX} file, or its https address"


def _from_url(url: str, fetch: Fetch) -> Weights:
    """Weights from an address, out of the cache where they were fetched before; the sidecar is fetched every time."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.path.endswith(SUFFIX):
        raise EncoderError(f"encoder address {url!r}: expected https://.../x{SUFFIX}, with x.json beside it")
    beside = parts._replace(path=parts.path.removesuffix(SUFFIX) + ".json").geturl()
    name = parts.path.rpartition("/")[2].removesuffix(SUFFIX)
    card = files.card_of(fetch(beside, MAX_CARD_BYTES), beside, name)
    path = _folder() / f"{card['hash']}{SUFFIX}"
    with suppress(OSError, EncoderError):
        # a damaged copy is no reason to stop: it is fetched again
        return files.checked(path.read_bytes(), card, source=str(path))
    weights = files.checked(fetch(url, MAX_BYTES), card, source=url)
    with suppress(OSError):
        # a cache that cannot be written costs the next run time, not this one its result
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace_file(path, files.tensor_bytes(weights.tensors))
    return weights


def _folder() -> Path:
    stated = os.environ.get("CHOREODB_CACHE")
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "choreodb"
    return (Path(stated) if stated else usual) / "encoders"


def _fetch(url: str, limit: int) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            if not str(answer.geturl()).startswith("https://"):
                raise EncoderError(f"{url!r} leads to {answer.geturl()!r}, which is not https; download it yourself")
            data: bytes = answer.read(limit + 1)
    except (OSError, urllib.error.URLError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise EncoderError(f"{url!r} cannot be fetched: {' '.join(str(reason).split())}") from None
    if len(data) > limit:
        raise EncoderError(f"{url!r} is larger than {limit} bytes; expected weights of at most that")
    return data
