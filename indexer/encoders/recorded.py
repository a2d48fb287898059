"""The encoder that a library records: what its queries and everything that is added to it are embedded with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choreodb.errors import QueryError
from choreodb.indexer.encoders import pretrained, registry
from choreodb.indexer.encoders import weights as files
from choreodb.indexer.encoders.base import Encoder
from choreodb.indexer.encoders.weights import Weights
from choreodb.storage.store import Store

MODEL = "encoder"
"""What a library calls the weights of its encoder among its models."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A trained encoder with its weights, which a library carries."""

    encoder: Encoder
    weights: Weights

    @property
    def models(self) -> dict[str, bytes]:
        """What `Store.commit` is to write."""
        return {MODEL: files.to_bytes(self.weights)}

    @property
    def meta(self) -> dict[str, Any]:
        """What the manifest says of it; `trained_on` is for people."""
        card = self.weights.card
        return {"architecture": card["architecture"], **self.encoder.meta(), "trained_on": card["data"]}


def of_store(store: Store) -> Encoder:
    """The encoder that made a library's embeddings; QueryError, EncoderError where this version has none such."""
    meta = store.meta.get("encoder", {})
    if not meta:
        raise QueryError(
            f"library {str(store.place)!r} was embedded with {store.encoder.get('name')!r} and records nothing else of it; index again"
        )
    return registry.of_meta(meta, weights_of(store))


def trained_of(store: Store) -> Trained | None:
    """The trained encoder of a library; None for `rhythm`, which is fitted to every version anew, and for an empty library."""
    if store.encoder.get("name", registry.RHYTHM) == registry.RHYTHM:
        return None
    weights = weights_of(store)
    encoder = of_store(store)
    assert weights is not None  # of_store has refused what lacks them
    return Trained(encoder, weights)


def weights_of(store: Store) -> Weights | None:
    """The weights that a library carries for its encoder, if any."""
    data = store.model(MODEL)
    return None if data is None else files.from_bytes(data, source=store.manifest.models[MODEL].path)


def find(source: str | Path) -> Trained | None:
    """The trained encoder that a user names (`pretrained.find`); None for `rhythm`."""
    weights = pretrained.find(source)
    return None if weights is None else Trained(registry.of_weights(weights), weights)


def refuse_other(store: Store, source: str | Path | None) -> None:
    """QueryError where `source` names another encoder than the one that a library was embedded with."""
    if source is None:
        return
    named = find(source)
    recorded = store.encoder.get("name", registry.RHYTHM), store.encoder.get("sha256", "")
    if named is None and recorded[0] == registry.RHYTHM:
        return
    if named is not None and recorded[1] == named.encoder.hash:
        return
    asked = registry.RHYTHM if named is None else f"{named.encoder.name!r} (hash {named.encoder.hash})"
    raise QueryError(
        f"library {str(store.place)!r} was embedded with {recorded[0]!r} (hash {recorded[1]}), and not with {asked}; "
        f"leave --encoder away, or embed it again: choreodb reembed {store.place} --encoder {source}"
    )


def same(stores: list[Store]) -> Trained | None:
    """The one encoder of several libraries, None for `rhythm`; QueryError where they differ. Empty ones have none."""
    known = [store for store in stores if store.version]
    kinds = {_kind(store): store for store in known}
    if len(kinds) > 1:
        (one, first), (other, second) = sorted(kinds.items())[:2]
        raise QueryError(
            f"library {str(first.place)!r} was embedded with {one[0]!r} and {str(second.place)!r} with {other[0]!r}"
            f"{' of another hash' if one[0] == other[0] else ''}; embed one of them again: choreodb reembed"
        )
    return trained_of(known[0]) if known else None


def _kind(store: Store) -> tuple[str, str]:
    """What must be the same for clips to go from library to library; the statistics of `rhythm` need not."""
    name = store.encoder.get("name", registry.RHYTHM)
    return name, "" if name == registry.RHYTHM else store.encoder.get("sha256", "")
