"""A transition graph as a picture: ways between styles, degrees, and what was cut."""

from __future__ import annotations

import math
from typing import Any

from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

Json = dict[str, Any]

_INK, _PAPER, _BAR = (40, 44, 52), (255, 255, 255), (74, 120, 185)
_WIDTH, _TOP, _LEFT = 1400, 60, 150


def graph_picture(facts: Json) -> PillowImage.Image:
    """facts: what `GraphReport.as_dict` gives. Left: edges from style (row) to style (column); right: degrees."""
    names = list(facts["styles"])
    side = max(18, min(64, 600 // max(len(names), 1)))
    height = max(_TOP + side * len(names) + 130, 660)
    image = PillowImage.new("RGB", (_WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(image)
    largest = facts["components"][0] if facts["components"] else 0
    title = f"{facts['segments']} segments, {facts['transitions']} transitions, largest component {largest}"
    draw.text((20, 14), title, fill=_INK, font=ImageFont.load_default(20))
    _matrix(draw, names, facts["ways"], side)
    _histogram(draw, "ways on from a segment", facts["out_degree"], 880, _TOP + 30)
    _histogram(draw, "ways into a segment", facts["in_degree"], 880, _TOP + 240)
    _lines(draw, facts, 880, _TOP + 450)
    return image


def _matrix(draw: ImageDraw.ImageDraw, names: list[str], ways: list[list[int]], side: int) -> None:
    font = ImageFont.load_default(12)
    most = max((count for row in ways for count in row), default=0)
    draw.text(
        (_LEFT, _TOP - 6),
        "edges from style (row) into style (column); darker is more, on a log scale",
        fill=_INK,
        font=font,
    )
    for row, name in enumerate(names):
        y = _TOP + 18 + row * side
        draw.text((_LEFT - 8, y + side / 2), name[:20], fill=_INK, font=font, anchor="rm")
        for column, count in enumerate(ways[row]):
            shade = math.log1p(count) / math.log1p(most) if most else 0.0
            ink = tuple(round(255 - shade * (255 - dark)) for dark in _BAR)
            x = _LEFT + column * side
            draw.rectangle((x, y, x + side - 2, y + side - 2), fill=ink)
            if side >= 36:
                text = _PAPER if shade > 0.6 else _INK
                draw.text((x + side / 2, y + side / 2), str(count), fill=text, font=font, anchor="mm")
    for column, name in enumerate(names):
        at = (_LEFT + column * side + 4, _TOP + 22 + len(names) * side + (column % 3) * 16)
        draw.text(at, name[:20], fill=_INK, font=font)


def _histogram(draw: ImageDraw.ImageDraw, title: str, degrees: dict[str, int], x: int, y: int) -> None:
    font = ImageFont.load_default(12)
    counts = {int(degree): count for degree, count in degrees.items()}
    last = max(counts, default=0)
    draw.text((x, y - 22), f"{title}: 0 to {last}", fill=_INK, font=font)
    bins = min(60, last + 1)
    heights = [0] * bins
    for degree, count in counts.items():
        heights[degree * bins // (last + 1)] += count
    most, width = max(heights, default=0) or 1, 480 / bins
    for number, count in enumerate(heights):
        draw.rectangle(
            (x + number * width, y + 150 - 145 * count / most, x + (number + 1) * width - 1, y + 150), fill=_BAR
        )
    draw.line((x, y + 151, x + 480, y + 151), fill=_INK)


def _lines(draw: ImageDraw.ImageDraw, facts: Json, x: int, y: int) -> None:
    font = ImageFont.load_default(14)
    rows = [f"cut, {why}: {count} segments, {facts['cut_seconds'][why]:.1f} s" for why, count in facts["cut"].items()]
    rows.append(f"{len(facts['components'])} components, {len(facts['dead_ends'])} dead ends")
    for number, text in enumerate(rows):
        draw.text((x, y + 20 * number), text, fill=_INK, font=font)
