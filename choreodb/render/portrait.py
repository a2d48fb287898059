"""A small picture of a face from ARKit channels: lids, eyes, brows, mouth. Enough to see that it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageDraw

SKIN, SHADE, INK, WHITE, LIPS, INSIDE = (
    (226, 190, 164), (200, 162, 136), (62, 52, 50), (250, 250, 248), (178, 96, 92), (96, 40, 44),
)  # fmt: skip
_SCALE = 4
"""Drawn this much larger and reduced, for smooth edges."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Face coordinates, -40..40 to the picture's right and 0..100 down, to pixels of `unit` each."""

    unit: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (40.0 + x) * self.unit, y * self.unit

    def box(self, x: float, y: float, rx: float, ry: float) -> list[tuple[float, float]]:
        return [self.at(x - rx, y - ry), self.at(x + rx, y + ry)]

    def width(self, size: float) -> int:
        return round(size * self.unit)


def portrait(weights: Mapping[str, float], height_px: int = 112) -> npt.NDArray[np.uint8]:
    """An RGB picture [height, width, 3] of the face with the blend shapes `weights` (0..1); others count as 0."""
    width_px = round(0.8 * height_px)
    unit = _SCALE * height_px / 100.0
    image = PillowImage.new("RGB", (_SCALE * width_px, _SCALE * height_px), (244, 245, 246))
    draw = ImageDraw.Draw(image)

    place = _Place(unit)
    jaw = 6.0 * weights.get("jawOpen", 0.0)
    draw.ellipse(place.box(0.0, 50.0 + 0.5 * jaw, 34.0, 46.0 + 0.5 * jaw), fill=SKIN, outline=SHADE, width=_SCALE)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        _eye(draw, weights, side, sign, place)
    draw.line([place.at(0.0, 44.0), place.at(-3.0, 58.0), place.at(2.0, 59.0)], fill=SHADE, width=place.width(1.6))
    _mouth(draw, weights, place)
    return np.asarray(image.resize((width_px, height_px), PillowImage.Resampling.BOX))


def _eye(draw: ImageDraw.ImageDraw, weights: Mapping[str, float], side: str, sign: float, place: _Place) -> None:
    """One eye with its brow; the lid covers it from above, the squint from below."""

    def of(name: str) -> float:
        return weights.get(f"{name}{side}", 0.0)

    x, y = 15.0 * sign, 42.0
    high = 5.0 + 2.5 * of("eyeWide")
    draw.ellipse(place.box(x, y, 8.0, high), fill=WHITE)
    aside = 4.0 * sign * (of("eyeLookOut") - of("eyeLookIn"))
    draw.ellipse(place.box(x + aside, y + 3.0 * (of("eyeLookDown") - of("eyeLookUp")), 3.2, 3.2), fill=INK)
    shut = min(1.0, of("eyeBlink"))
    draw.rectangle(
        [place.at(x - 9.0, y - high - 1.0), place.at(x + 9.0, y - high - 1.0 + (2.0 * high + 1.0) * shut)], fill=SKIN
    )
    squint = min(1.0, of("eyeSquint") + 0.6 * of("cheekSquint"))
    draw.rectangle([place.at(x - 9.0, y + high - 3.0 * squint), place.at(x + 9.0, y + high + 1.0)], fill=SKIN)
    if shut > 0.6:
        draw.arc(place.box(x, y, 8.0, 3.0), 20.0, 160.0, fill=INK, width=place.width(1.2))
    inner = y - 11.0 - 6.0 * weights.get("browInnerUp", 0.0) + 5.0 * of("browDown")
    outer = y - 11.0 - 6.0 * of("browOuterUp") + 2.0 * of("browDown")
    draw.line(
        [place.at(x - 9.0 * sign, inner), place.at(x, 0.5 * (inner + outer) - 1.5), place.at(x + 9.0 * sign, outer)],
        fill=INK,
        width=place.width(2.2),
    )


def _mouth(draw: ImageDraw.ImageDraw, weights: Mapping[str, float], place: _Place) -> None:
    """The lips as two curves between corners that smile, stretch, or come together."""

    def both(name: str) -> tuple[float, float]:
        return weights.get(f"{name}Left", 0.0), weights.get(f"{name}Right", 0.0)

    narrow = 0.55 * weights.get("mouthPucker", 0.0) + 0.40 * weights.get("mouthFunnel", 0.0)
    opened = max(
        0.0,
        16.0 * weights.get("jawOpen", 0.0) * (1.0 - weights.get("mouthClose", 0.0))
        + 6.0 * weights.get("mouthFunnel", 0.0),
    )
    corners = []
    for sign, smile, stretch, frown in zip(
        (1.0, -1.0), both("mouthSmile"), both("mouthStretch"), both("mouthFrown"), strict=True
    ):
        reach = 12.0 * (1.0 - narrow) + 5.0 * smile + 4.0 * stretch
        corners.append((sign * reach, 74.0 - 7.0 * smile + 5.0 * frown + 0.3 * opened))
    t = np.linspace(0.0, 1.0, 13)
    left, right = np.array(corners[0]), np.array(corners[1])
    along = left + (right - left) * t[:, None]
    bow = (4.0 * t * (1.0 - t))[:, None]
    upper = along + bow * np.array([0.0, 74.0 - 0.5 * (left[1] + right[1]) - 1.0])
    lower = along + bow * np.array([0.0, 76.0 - 0.5 * (left[1] + right[1]) + opened])
    ring = [place.at(float(x), float(y)) for x, y in (*upper, *lower[::-1])]
    draw.polygon(ring, fill=INSIDE if opened > 1.5 else LIPS)
    draw.line([*ring, ring[0]], fill=LIPS, width=place.width(1.4 + 1.4 * narrow), joint="curve")
