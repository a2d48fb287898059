"""What `--layout` and the column `layout` may say: numbers a frame of a feature array, or an order of nameless joints."""

from __future__ import annotations

from choreodb.errors import MotionFormatError
from choreodb.motion import feature_arrays, point_layouts

Layout = int | str
"""A width of `feature_arrays.LAYOUTS`, or a name of `point_layouts.POINT_LAYOUTS`."""

POINT_SUFFIXES = (".json", ".npy", ".npz", ".pkl")
"""Suffixes of files that may hold nameless joint positions."""


def checked_layout(layout: Layout) -> Layout:
    """`layout` where it is known; MotionFormatError, with all that are, otherwise."""
    if str(layout).lower() in point_layouts.POINT_LAYOUTS:
        return str(layout).lower()
    try:
        return feature_arrays.checked_layout(layout)
    except MotionFormatError as error:
        raise MotionFormatError(f"{error}; or of joint positions, {point_layouts.listed()}") from None
