"""Plots of benchmark results as PNG, drawn with Pillow: bars with errors and a marked level, stacked bars, and lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]

_SCALE = 2
_WIDTH, _ROW, _LEFT, _RIGHT, _TOP, _BOTTOM = 900, 30, 250, 110, 54, 40
_LABEL = 17
"""Least distance between two lines' names."""
_INK, _GREY, _PAPER, _MARK = (34, 38, 46), (205, 209, 216), (255, 255, 255), (196, 60, 60)
PALETTE: tuple[Colour, ...] = (
    (60, 110, 180), (230, 150, 60), (90, 160, 100), (170, 100, 170), (120, 120, 130), (200, 90, 90), (90, 175, 185),
    (180, 160, 70), (30, 70, 130), (245, 200, 120), (45, 105, 60), (215, 165, 215), (70, 70, 80), (245, 160, 150),
    (30, 120, 130), (120, 90, 40),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars, one a label. errors: half-widths, 0 for none. marks: (value, what it is), drawn as lines."""

    name: str
    title: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    errors: tuple[float, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stacked:
    """Horizontal bars made of parts. parts: (name, value for every label)."""

    name: str
    title: str
    labels: tuple[str, ...]
    parts: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Values over x. series: (name, x values, y values)."""

    name: str
    title: str
    x_label: str
    series: tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...]


Figure = Bars | Stacked | Lines


def save(figure: Figure, folder: Path) -> Path:
    """Draw `figure` into `folder`; the file's path."""
    path = folder / f"{figure.name}.png"
    draw(figure).save(path)
    return path


def draw(figure: Figure) -> Any:
    """The figure as a PIL image."""
    if isinstance(figure, Lines):
        return _lines(figure)
    return _stacked(figure) if isinstance(figure, Stacked) else _bars(figure)


class _Canvas:
    """A white image with a title, in plain units; supersampled by `_SCALE`."""

    def __init__(self, height: int, title: str) -> None:
        from PIL import Image, ImageDraw

        self.height = height
        self.image = Image.new("RGB", (_WIDTH * _SCALE, height * _SCALE), _PAPER)
        self.pen: ImageDraw = ImageDraw.Draw(self.image)
        self.text(12, 14, title, size=16)

    def text(self, x: float, y: float, text: str, *, size: int = 13, anchor: str = "la", ink: Colour = _INK) -> None:
        from PIL import ImageFont

        font = ImageFont.load_default(size * _SCALE)
        self.pen.text((x * _SCALE, y * _SCALE), text, fill=ink, font=font, anchor=anchor)

    def box(self, left: float, top: float, right: float, bottom: float, ink: Colour) -> None:
        edges = (left * _SCALE, top * _SCALE, max(left, right) * _SCALE, bottom * _SCALE)
        self.pen.rectangle(edges, fill=ink)

    def line(self, *points: tuple[float, float], ink: Colour = _INK, width: float = 1.0) -> None:
        self.pen.line([(x * _SCALE, y * _SCALE) for x, y in points], fill=ink, width=max(1, round(width * _SCALE)))


def _ticks(top: float, count: int = 5) -> list[float]:
    """Round values from 0 to at least `top`."""
    if not top > 0.0:
        return [0.0, 1.0]
    raw = top / count
    size = 10.0 ** np.floor(np.log10(raw))
    step = float(size * min((f for f in (1.0, 2.0, 5.0, 10.0) if f * size >= raw - 1e-12), default=10.0))
    return [step * index for index in range(int(np.ceil(top / step - 1e-9)) + 1)]


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000.0 else f"{value:.0f}"


def _frame(title: str, labels: tuple[str, ...], top: float, extra: int = 0) -> tuple[_Canvas, float]:
    """A canvas with labels and a scale from 0; pixels per unit."""
    canvas = _Canvas(_TOP + _ROW * len(labels) + _BOTTOM + extra, title)
    ticks = _ticks(top)
    per_unit = (_WIDTH - _LEFT - _RIGHT) / ticks[-1]
    floor_y = _TOP + _ROW * len(labels)
    for tick in ticks:
        x = _LEFT + tick * per_unit
        canvas.line((x, _TOP - 4), (x, floor_y), ink=_GREY)
        canvas.text(x, floor_y + 6, f"{tick:g}", anchor="ma")
    for index, label in enumerate(labels):
        canvas.text(_LEFT - 10, _TOP + _ROW * (index + 0.5), label, anchor="rm")
    return canvas, per_unit


def _bars(figure: Bars) -> Any:
    errors = figure.errors or (0.0,) * len(figure.values)
    reach = [value + error for value, error in zip(figure.values, errors, strict=True)]
    canvas, per_unit = _frame(figure.title, figure.labels, max([*reach, *(value for value, _ in figure.marks)]))
    for index, (value, error) in enumerate(zip(figure.values, errors, strict=True)):
        y = _TOP + _ROW * (index + 0.5)
        canvas.box(_LEFT, y - 8, _LEFT + max(value, 0.0) * per_unit, y + 8, PALETTE[0])
        if error > 0.0:
            low, high = _LEFT + max(value - error, 0.0) * per_unit, _LEFT + (value + error) * per_unit
            canvas.line((low, y), (high, y), width=1.5)
            for x in (low, high):
                canvas.line((x, y - 4), (x, y + 4), width=1.5)
        canvas.text(_LEFT + max(value + error, 0.0) * per_unit + 8, y, _number(value), anchor="lm")
    floor_y = _TOP + _ROW * len(figure.labels)
    for value, what in figure.marks:
        x = _LEFT + value * per_unit
        canvas.line((x, _TOP - 4), (x, floor_y), ink=_MARK, width=1.5)
        canvas.text(x + 4, _TOP - 16, f"{what} {_number(value)}", ink=_MARK, size=12)
    return canvas.image


def _stacked(figure: Stacked) -> Any:
    totals = [sum(values[index] for _, values in figure.parts) for index in range(len(figure.labels))]
    canvas, per_unit = _frame(figure.title, figure.labels, max(totals), extra=26 * -(-len(figure.parts) // 4))
    for index, total in enumerate(totals):
        y, x = _TOP + _ROW * (index + 0.5), float(_LEFT)
        for number, (_, values) in enumerate(figure.parts):
            canvas.box(x, y - 8, x + values[index] * per_unit, y + 8, PALETTE[number % len(PALETTE)])
            x += values[index] * per_unit
        canvas.text(x + 8, y, _number(total), anchor="lm")
    below = _TOP + _ROW * len(figure.labels) + _BOTTOM
    for number, (name, _) in enumerate(figure.parts):
        x, y = 24 + 215 * (number % 4), below + 26 * (number // 4)
        canvas.box(x, y, x + 12, y + 12, PALETTE[number % len(PALETTE)])
        canvas.text(x + 18, y + 6, name, anchor="lm")
    return canvas.image


def _lines(figure: Lines) -> Any:
    canvas = _Canvas(420, figure.title)
    left, right, top, bottom = 70.0, _WIDTH - 190.0, 54.0, 360.0
    x_ticks = _ticks(max(max(x) for _, x, _ in figure.series))
    y_ticks = _ticks(max(max(y) for _, _, y in figure.series))
    x_unit, y_unit = (right - left) / x_ticks[-1], (bottom - top) / y_ticks[-1]
    for tick in y_ticks:
        canvas.line((left, bottom - tick * y_unit), (right, bottom - tick * y_unit), ink=_GREY)
        canvas.text(left - 8, bottom - tick * y_unit, f"{tick:g}", anchor="rm")
    for tick in x_ticks:
        canvas.text(left + tick * x_unit, bottom + 8, f"{tick:g}", anchor="ma")
    canvas.text((left + right) / 2, bottom + 30, figure.x_label, anchor="ma")
    ends: list[tuple[float, float, str, Colour]] = []
    for number, (name, xs, ys) in enumerate(figure.series):
        ink = PALETTE[number % len(PALETTE)]
        points = [(left + x * x_unit, bottom - y * y_unit) for x, y in zip(xs, ys, strict=True)]
        if len(points) > 1:
            canvas.line(*points, ink=ink, width=2.0)
        for x, y in points:
            canvas.box(x - 3, y - 3, x + 3, y + 3, ink)
        ends.append((points[-1][0], points[-1][1], name, ink))
    below = -np.inf
    for x, y, name, ink in sorted(ends, key=lambda end: end[1]):
        below = max(y, below + _LABEL)
        canvas.text(x + 8, below, name, anchor="lm", ink=ink)
    return canvas.image
