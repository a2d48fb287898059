"""Reads the points of a C3D with ezc3d in a process of its own: a damaged file may crash a C++ library, never us.

Run as `python -m choreodb.motion.c3d_reader FILE`; writes an `.npz` of `points` [T, N, 3], `labels` [N], `rate` and `units`
to standard output.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np

MAX_NUMBERS = 2**27


def main() -> int:
    """Read the file named on the command line."""
    import ezc3d

    document: Any = ezc3d.c3d(sys.argv[1])
    points = np.asarray(document["data"]["points"], dtype=np.float64)
    group = document["parameters"]["POINT"]
    labels = [str(label) for key in ("LABELS", "LABELS2", "LABELS3") for label in _value(group, key)]
    units = "".join(str(each) for each in _value(group, "UNITS")[:1]).strip()
    if points.ndim != 3 or points.shape[0] < 3 or points.size > MAX_NUMBERS:
        return 1
    # a point that was not seen has a negative residual, and is 0 or NaN
    unseen = np.zeros(points.shape[1:], dtype=bool)
    residuals = document["data"].get("meta_points", {}).get("residuals")
    if residuals is not None and np.asarray(residuals).size == unseen.size:
        unseen = np.asarray(residuals).reshape(unseen.shape) < 0.0
    places = np.where(unseen, np.nan, points[:3]).transpose(2, 1, 0)
    buffer = io.BytesIO()
    np.savez(
        buffer, points=places, labels=np.array(labels, dtype=str), units=np.array(units),
        rate=np.array(float(np.ravel(_value(group, "RATE"))[0])),
    )  # fmt: skip
    sys.stdout.buffer.write(buffer.getvalue())
    return 0


def _value(group: Any, key: str) -> Any:
    return group[key]["value"] if key in group else []


if __name__ == "__main__":
    sys.exit(main())
