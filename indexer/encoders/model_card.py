"""The model card of trained weights: what they are, from what, how good and how to make them again, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

_INTRO = """# {name}

Trained weights for ChoreoDB, {parameters:,} numbers in {arrays} arrays.

- architecture: `{architecture}`
- version: `{version}`
- hash: `{hash}`
"""


_LONGEST_LIST = 16
"""Longer lists are in the sidecar alone, and counted here."""


def model_card(card: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """Markdown; equal cards give equal text."""
    numbers = sum(array.size for array in tensors.values())
    parts = [_INTRO.format(**_texts(card), parameters=numbers, arrays=len(tensors))]
    parts.append(f"## Trained on\n\n{_listed(card['data'])}")
    parts.append(f"## Measured\n\n{_listed(card['metrics'])}")
    parts.append(f"## Made with\n\n```\n{card['command']}\n```\n")
    parts.append(f"## Config\n\n```json\n{json.dumps(card['config'], indent=1, sort_keys=True)}\n```\n")
    return "\n".join(parts)


def _texts(card: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(card[key]) for key in ("name", "architecture", "version", "hash")}


def _listed(value: Any, depth: int = 0) -> str:
    """A JSON value as a nested list."""
    if not isinstance(value, dict):
        return f"{_scalar(value)}\n"
    if not value:
        return "nothing stated\n"
    lines = []
    for key, inner in sorted(value.items()):
        lead = f"{'  ' * depth}- {key}:"
        lines.append(
            f"{lead}\n{_listed(inner, depth + 1)}" if isinstance(inner, dict) else f"{lead} {_scalar(inner)}\n"
        )
    return "".join(lines)


def _scalar(value: Any) -> str:
    if isinstance(value, list):
        many = f"{len(value)} of them, listed in the JSON file beside this one"
        return many if len(value) > _LONGEST_LIST else ", ".join(_scalar(item) for item in value)
    if isinstance(value, dict):
        return " ".join(f"{key} {_scalar(inner)}" for key, inner in sorted(value.items()))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
