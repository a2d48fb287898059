"""A dance explains itself: why each step has the segment it has, from the report alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choreodb import report_file
from choreodb.errors import QueryError

Json = dict[str, Any]
_STEP_KEYS = ("index", "kind", "start_s", "end_s", "segment", "clip", "source_start_s", "source_end_s", "warp", "costs")
_SHOWN_TERMS = 4


@dataclass(frozen=True, slots=True)
class Explanation:
    """The steps of a report that were asked about. report: the whole document; steps: their indices."""

    report: Json
    steps: tuple[int, ...]

    def as_dict(self) -> Json:
        """One JSON document: what was chosen, its costs, and the next best with the costs side by side."""
        return {
            "schema_version": 1,
            "song": self.report["song"]["name"],
            "library": self.report["library"]["name"],
            "library_version": self.report["library"]["version"],
            "certificate": self.report["certificate"],
            "steps": [_side_by_side(self.report["steps"][index]) for index in self.steps],
        }

    def text(self) -> str:
        """The same for people."""
        certificate = self.report["certificate"]
        lines = [
            f"{self.report['song']['name']}: {len(self.report['steps'])} steps, cost {certificate['cost']:.2f}; the "
            f"lattice allows nothing below {certificate['relaxation_cost']:.2f}"
        ]
        for index in self.steps:
            lines += _told(self.report["steps"][index])
        return "\n".join(lines)


def explain(path: Path, steps: Iterable[int] = ()) -> Explanation:
    """Explain the report at `path`, or only `steps` of it; QueryError where it is no report or has no such step."""
    report = report_file.read(path, _check)
    count = len(report["steps"])
    wanted = tuple(steps) or tuple(range(count))
    for index in wanted:
        if not 0 <= index < count:
            raise QueryError(f"{path}: there is no step {index}; this dance has steps 0 to {count - 1}")
    return Explanation(report, wanted)


def _check(document: Json) -> None:
    """KeyError, TypeError or ValueError unless everything that is read here is there and of its type."""
    song, certificate, library = document["song"], document["certificate"], document["library"]
    numbers = [song["duration_s"], certificate["cost"], certificate["relaxation_cost"], library["version"]]
    numbers += [*song["beats_s"], *song["bars_s"], *(edge for span in song["rests_s"] for edge in span)]
    numbers += [seam["time_s"] for seam in document["seams"]]
    texts = [song["name"], library["name"]]
    if not document["steps"]:
        raise ValueError("it has no steps")
    for index, step in enumerate(document["steps"]):
        if step["index"] != index:
            raise ValueError(f"step {index} is numbered {step['index']!r}")
        numbers += [step[key] for key in ("start_s", "end_s", "source_start_s", "source_end_s", "warp")]
        numbers += [*step["costs"].values(), step["segment"], step["continuation"], step["mirrored"]]
        texts += [step["clip"], step["kind"], *step["costs"]]
        other = step.get("next_best")
        if other is not None:
            numbers += [other["extra_cost"], *other["extra_costs"].values(), other["segment"]]
            numbers += [other["source_start_s"], other["source_end_s"]]
            texts += [other["clip"], *other["extra_costs"]]
    if not all(isinstance(each, int | float) for each in numbers) or not all(isinstance(text, str) for text in texts):
        raise ValueError("a number or a name in it is something else")


def _side_by_side(step: Json) -> Json:
    other = step.get("next_best")
    shown = {key: step[key] for key in _STEP_KEYS} | {"cost": round(sum(step["costs"].values()), 6), "next_best": None}
    if other is not None:
        shown["next_best"] = {key: other[key] for key in ("segment", "clip", "source_start_s", "source_end_s")} | {
            "extra_cost": other["extra_cost"],
            "terms": {
                name: {"chosen": step["costs"].get(name, 0.0), "extra": other["extra_costs"].get(name, 0.0)}
                for name in sorted({*step["costs"], *other["extra_costs"]})
            },
        }
    return shown


def _told(step: Json) -> list[str]:
    how = "goes on in" if step["continuation"] else "takes"
    turned = ", mirrored" if step["mirrored"] else ""
    locked = ", as asked" if step.get("locked") else ""
    lines = [
        f"step {step['index']}  {step['start_s']:.2f}-{step['end_s']:.2f} s ({step['kind']}) {how} {step['clip']} "
        f"{step['source_start_s']:.2f}-{step['source_end_s']:.2f} s, segment {step['segment']}, warp "
        f"{step['warp']:.2f}{turned}{locked}",
        f"    costs {sum(step['costs'].values()):.2f}: {_largest(step['costs'])}",
    ]
    other = step.get("next_best")
    if other is None:
        return [*lines, "    there was no other material for it"]
    return [
        *lines,
        f"    next best {other['clip']} {other['source_start_s']:.2f}-{other['source_end_s']:.2f} s, segment "
        f"{other['segment']}: {other['extra_cost']:+.2f} for the dance: {_largest(other['extra_costs'], signed=True)}",
    ]


def _largest(terms: dict[str, float], *, signed: bool = False) -> str:
    ordered = sorted(terms.items(), key=lambda item: -abs(item[1]))
    named = [f"{name} {value:{'+' if signed else ''}.2f}" for name, value in ordered if abs(value) >= 0.005]
    return ", ".join(named[:_SHOWN_TERMS]) or "nothing"
