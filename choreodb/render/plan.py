"""A plan as a picture: the song with its beats and bars, segments coloured by clip, cost terms, and seams."""

from __future__ import annotations

import colorsys
from typing import Any

from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

Json = dict[str, Any]
Colour = tuple[int, int, int]

_BAND_S = 40.0
_WIDTH, _LEFT, _RIGHT, _HEAD = 1800, 90, 20, 74
_RULER, _CLIPS, _COSTS, _GAP = 34, 46, 110, 34
_BAND = _RULER + _CLIPS + _COSTS + _GAP
_INK, _PALE, _REST, _SEAM, _PAPER = (40, 44, 52), (205, 210, 218), (236, 238, 242), (200, 40, 40), (255, 255, 255)


def plan_picture(report: Json) -> PillowImage.Image:
    """Bands of 40 s each: beats and bars above, then segments by clip with seams, then the cost of every step by term.

    report: the report of a dance (`docs/schema/report.schema.json`).
    """
    steps, duration_s = report["steps"], float(report["song"]["duration_s"])
    bands = max(1, int(-(-duration_s // _BAND_S)))
    terms = _terms(steps)
    dearest = max((_per_second(step) for step in steps), default=0.0) or 1.0
    image = PillowImage.new("RGB", (_WIDTH, _HEAD + bands * _BAND), _PAPER)
    draw = ImageDraw.Draw(image)
    _headline(draw, report, terms)
    for band in range(bands):
        _Band(draw, band).show(report, terms, dearest)
    return image


def _terms(steps: list[Json]) -> dict[str, Colour]:
    """A colour for every term that costs anything, the dearest first."""
    total: dict[str, float] = {}
    for step in steps:
        for name, value in step["costs"].items():
            total[name] = total.get(name, 0.0) + max(0.0, float(value))
    named = sorted((name for name, value in total.items() if value > 0.0), key=lambda name: -total[name])
    return {name: _hue(number / max(len(named), 1), 0.55, 0.85) for number, name in enumerate(named)}


def _hue(turn: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(turn % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _per_second(step: Json) -> float:
    seconds = max(step["end_s"] - step["start_s"], 1e-6)
    return sum(max(0.0, float(value)) for value in step["costs"].values()) / seconds


def _headline(draw: ImageDraw.ImageDraw, report: Json, terms: dict[str, Colour]) -> None:
    certificate = report["certificate"]
    title = f"{report['song']['name']}: {len(report['steps'])} steps, {len(report['seams'])} seams, cost "
    title += f"{certificate['cost']:.1f}, at least {certificate['relaxation_cost']:.1f} in this lattice"
    draw.text((_LEFT, 10), title, fill=_INK, font=ImageFont.load_default(20))
    x = float(_LEFT)
    font = ImageFont.load_default(14)
    for name, colour in terms.items():
        draw.rectangle((x, 46, x + 14, 60), fill=colour)
        draw.text((x + 20, 44), name, fill=_INK, font=font)
        x += 36 + draw.textlength(name, font=font)


class _Band:
    """One band of the picture, `_BAND_S` seconds of song."""

    def __init__(self, draw: ImageDraw.ImageDraw, number: int) -> None:
        self.draw = draw
        self.first_s, self.last_s = number * _BAND_S, (number + 1) * _BAND_S
        self.top = _HEAD + number * _BAND
        self.small = ImageFont.load_default(12)

    def show(self, report: Json, terms: dict[str, Colour], dearest: float) -> None:
        """Draw the beats, segments, costs and seams that fall into this band."""
        song = report["song"]
        for label, y in (("beats, bars", 12), ("clips", _RULER + 14), ("cost / s", _RULER + _CLIPS + 6)):
            self.draw.text((8, self.top + y), label, fill=_INK, font=self.small)
        for start_s, end_s in song["rests_s"]:
            self._box(start_s, end_s, 0, _RULER, _REST)
        self._ticks(song["beats_s"], 20, _RULER, _PALE)
        self._ticks(song["bars_s"], 8, _RULER, _INK)
        for second in range(int(self.first_s), int(min(self.last_s, song["duration_s"])) + 1, 5):
            self.draw.text((self._x(second) + 3, self.top - 4), f"{second} s", fill=_INK, font=self.small)
        colours = _clip_colours(report["steps"])
        for step in report["steps"]:
            if step["end_s"] > self.first_s and step["start_s"] < self.last_s:
                self._step(step, colours[step["clip"]], terms, dearest)
        self._ticks([seam["time_s"] for seam in report["seams"]], _RULER - 4, _RULER + _CLIPS + 4, _SEAM, 3)

    def _step(self, step: Json, colour: Colour, terms: dict[str, Colour], dearest: float) -> None:
        start_s, end_s = step["start_s"], step["end_s"]
        self._box(start_s, end_s, _RULER, _RULER + _CLIPS, colour, _PAPER if step["continuation"] else _INK)
        if not step["continuation"] and start_s >= self.first_s:
            name = step["clip"].split("/", 1)[-1].removesuffix("/motion") + (" (m)" if step["mirrored"] else "")
            x = self._x(start_s) + 4
            self.draw.text((x, self.top + _RULER + 6), name[:40], fill=_INK, font=self.small)
            self.draw.text((x, self.top + _RULER + 24), f"{step['source_start_s']:.1f} s", fill=_INK, font=self.small)
        floor = float(_RULER + _CLIPS + _COSTS)
        scale = _COSTS / dearest / max(end_s - start_s, 1e-6)
        for name, ink in terms.items():
            height = max(0.0, float(step["costs"].get(name, 0.0))) * scale
            if height > 0.0:
                self._box(start_s, end_s, floor - height, floor, ink)
                floor -= height

    def _x(self, second: float) -> float:
        inside = min(max(second, self.first_s), self.last_s) - self.first_s
        return _LEFT + inside / _BAND_S * (_WIDTH - _LEFT - _RIGHT)

    def _box(
        self, start_s: float, end_s: float, top: float, bottom: float, fill: Colour, edge: Colour | None = None
    ) -> None:
        left, right = self._x(start_s), self._x(end_s)
        if right > left:
            self.draw.rectangle((left, self.top + top, right - 1, self.top + bottom), fill=fill, outline=edge)

    def _ticks(self, times_s: list[float], top: int, bottom: int, ink: Colour, width: int = 1) -> None:
        for time_s in times_s:
            if self.first_s <= time_s < self.last_s:
                x = self._x(time_s)
                self.draw.line((x, self.top + top, x, self.top + bottom), fill=ink, width=width)


def _clip_colours(steps: list[Json]) -> dict[str, Colour]:
    """A pale colour for every clip, in the order they come in; neighbours in that order lie far apart."""
    clips = list(dict.fromkeys(step["clip"] for step in steps))
    return {clip: _hue(0.618034 * number, 0.30, 0.96) for number, clip in enumerate(clips)}
