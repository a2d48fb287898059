"""Where a network runs, and in which numbers."""

from __future__ import annotations

from typing import Any

import torch

from choreodb.errors import QueryError

DEVICES = ("auto", "cpu", "cuda")


def pick(name: str = "auto", cuda: Any = None) -> torch.device:
    """The device of that name; `auto` is a GPU where there is one. QueryError where it is not known or not there.

    cuda: what says whether there is a GPU, `torch.cuda` but in tests.
    """
    if name not in DEVICES:
        raise QueryError(f"device is {name!r}; expected {', '.join(DEVICES)}")
    there = bool((cuda or torch.cuda).is_available())
    if name == "cuda" and not there:
        raise QueryError("device is 'cuda', and torch sees no NVIDIA GPU here; use cpu, or install a build with CUDA")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def multiplies_bf16(device: torch.device, cpu: Any = None) -> bool:
    """Whether the hardware multiplies bf16; elsewhere it is emulated, and slower. cpu: `torch.cpu` but in tests."""
    if device.type == "cuda":
        return True
    return bool(getattr(cpu or torch.cpu, "_is_amx_tile_supported", lambda: False)())
