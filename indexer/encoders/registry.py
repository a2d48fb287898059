"""Which encoder belongs to a name, to weights, or to what a library recorded; each is imported only when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from choreodb.errors import EncoderError
from choreodb.indexer.encoders.base import Encoder
from choreodb.indexer.encoders.weights import Weights

RHYTHM = "rhythm"
"""The training-free encoder, which is fitted to every library."""

DEFAULT = RHYTHM
"""What `index` embeds with where nothing is said."""

FromWeights = Callable[[Weights], Encoder]

_ARCHITECTURES: dict[str, str] = {
    "tower": "choreodb.indexer.encoders.towers:TowerEncoder.from_weights",
    "adapter": "choreodb.indexer.encoders.adapter:AdapterEncoder.from_weights",
}
"""`module:attribute` that makes an encoder of weights, by the architecture that their card names."""


def register(architecture: str, home: str) -> None:
    """Make an architecture known. home: `package.module:name` of a function (or classmethod) from Weights to Encoder."""
    if _ARCHITECTURES.setdefault(architecture, home) != home:
        raise EncoderError(
            f"architecture {architecture!r} is {_ARCHITECTURES[architecture]} already; choose another name"
        )


def architectures() -> tuple[str, ...]:
    """Known architectures of trained weights."""
    return tuple(sorted(_ARCHITECTURES))


def of_weights(weights: Weights) -> Encoder:
    """The encoder that trained weights are; EncoderError where their architecture is unknown or their shapes do not fit."""
    architecture = str(weights.card["architecture"])
    if architecture not in _ARCHITECTURES:
        raise EncoderError(
            f"weights {weights.name!r} are of the architecture {architecture!r}; this version knows "
            f"{', '.join(architectures())}; upgrade ChoreoDB or take other weights"
        )
    module, _, attribute = _ARCHITECTURES[architecture].partition(":")
    try:
        made: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EncoderError(
            f"weights {weights.name!r}: architecture {architecture!r} needs {error.name}, which is not installed"
        ) from None
    for part in attribute.split("."):
        made = getattr(made, part)
    return cast(FromWeights, made)(weights)


def of_meta(meta: Mapping[str, Any], weights: Weights | None = None) -> Encoder:
    """The encoder that a library recorded as `meta`, with the weights that it carries, if any.

    EncoderError where this version knows no such encoder, or where the weights are missing or are not the recorded ones.
    """
    name, recorded = meta.get("name"), meta.get("hash")
    if name == RHYTHM:
        from choreodb.indexer.encoders.rhythm import RhythmEncoder

        try:
            return RhythmEncoder.from_meta(meta)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EncoderError(f"what the library recorded of its encoder is damaged: {error!r}; index again") from None
    if weights is None:
        raise EncoderError(
            f"the library was embedded with {name!r}, whose weights it does not carry; "
            "embed it again: choreodb reembed LIB --encoder NAME"
        )
    encoder = of_weights(weights)
    if encoder.hash != recorded:
        raise EncoderError(
            f"the library was embedded with {name!r} of hash {recorded}, and the weights that it carries give "
            f"{encoder.hash}; embed it again: choreodb reembed LIB --encoder NAME"
        )
    return encoder
