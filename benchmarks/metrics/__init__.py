"""Metrics of dance, one module per property; each has `validate`, its metric functions and `evaluate() -> dict`.

Joints are [T, 24, 3] in metres, y up, in SMPL-24 order (`choreodb.motion.to_smpl24`) unless a function says otherwise.
An input on which a metric is not defined raises MetricError; no metric returns NaN.
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = (
    "beats", "detail", "distribution", "feet", "flight", "freezing", "geometric", "joints", "kinetic", "novelty",
    "retrieval", "smoothness", "support",
)  # fmt: skip

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"choreodb.benchmarks.metrics.{name}")
    raise AttributeError(f"module 'choreodb.benchmarks.metrics' has no attribute {name!r}")
