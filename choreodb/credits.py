"""Credits: what a dance owes to whom, down to frame ranges, from its report alone. Schema: `docs/schema/credits.schema.json`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choreodb import report_file

Json = dict[str, Any]
SCHEMA_VERSION = 1
REFUSED = frozenset({"no", "none", "refused", "withdrawn"})
"""What a consent label says where its performer does not agree."""

_OWNER = ("licence", "performer", "consent", "dataset")
_TEXTS = ("clip", "dataset", "source_file", "source_sha256")
_LABELS = ("licence", "performer")


@dataclass(frozen=True, slots=True)
class Credits:
    """What a dance owes, as JSON values."""

    document: Json

    def as_dict(self) -> Json:
        """One JSON document."""
        return self.document

    def text(self) -> str:
        """The same for people: who is owed what, then what is unclear."""
        document = self.document
        dance = document["dance"]
        lines = [
            f"{document['song']['name']}: {dance['seconds']:.1f} s, {dance['frames']} frames at {dance['fps']:g} fps"
        ]
        for owner in document["owners"]:
            lines += ["", _title(owner)]
            for clip in owner["clips"]:
                lines.append(f"  {clip['clip']} ({clip['source_file']}, sha256 {clip['source_sha256'][:12]})")
                lines += [_use(use) for use in clip["uses"]]
        return "\n".join([*lines, "", *(f"note: {note}" for note in document["warnings"])]).rstrip()


def _title(owner: Json) -> str:
    said = [owner["licence"] or "UNKNOWN LICENCE", owner["performer"] or "unknown performer", owner["dataset"]]
    if owner["consent"]:
        said.append(f"consent: {owner['consent']}")
    return f"{'; '.join(said)}: {owner['seconds']:.2f} s ({100.0 * owner['share']:.1f} %)"


def _use(use: Json) -> str:
    (first, stop), source = use["dance_frames"], use["source_frames"]
    text = f"    frames {first} to {stop} are its {source[0]} to {source[1]}"
    text += ", mirrored" if use["mirrored"] else ""
    (before, after) = use["blended_frames"]
    return text + (f", blended from {before} to {after}" if (before, after) != (first, stop) else "")


def read(path: Path) -> Json:
    """The report in a file that `dance -o x.json` wrote; QueryError, in one line, where it is none."""
    return report_file.read(path, _check)


def _check(report: Json) -> None:
    """ValueError, KeyError or TypeError unless everything that credits are made of is there and makes sense."""
    dance = report["dance"]
    _natural(dance["frames"], "dance.frames")
    if not 0.0 < _real(dance["fps"], "dance.fps") <= 1000.0:
        raise ValueError(f"dance.fps is {dance['fps']!r}")
    _texts(report["song"], ("name", "sha256"))
    _texts(report["library"], ("name",))
    _natural(report["library"]["version"], "library.version")
    before = 0.0
    for step in report["steps"]:
        _texts(step, _TEXTS)
        for name in (*_LABELS, "consent"):
            if step.get(name) is not None:
                _texts(step, (name,))
        start, end = _real(step["start_s"], "start_s"), _real(step["end_s"], "end_s")
        if not before - 1e-6 <= start <= end:
            raise ValueError(f"step at {start:g} s does not follow the one before")
        before = end
        if len(step["source_frames"]) != 2 or not isinstance(step["mirrored"], bool):
            raise ValueError("source_frames or mirrored of a step")
        for frame in step["source_frames"]:
            _natural(frame, "source_frames")
    for seam in report["seams"]:
        _natural(seam["frame"], "seam.frame")
        if _natural(seam["to_step"], "seam.to_step") >= len(report["steps"]) or len(seam["blend_s"]) != 2:
            raise ValueError("seam that joins no step")
        for seconds in seam["blend_s"]:
            _real(seconds, "blend_s")


def _natural(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise ValueError(f"{name} is {value!r}")
    return value


def _real(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}")
    return float(value)


def _texts(row: Json, names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(row[name], str):
            raise ValueError(f"{name} is {row[name]!r}")


def credits(report: Json) -> Credits:
    """What the dance of `report` owes: by owner (licence, performer, consent, data set), clip and range of frames.

    Frame ranges are [first, stop). The ranges of all uses tile the dance; around a seam the frames in `blended_frames`
    hold some of the clip, too.
    """
    spans = _spans(report)
    owners: dict[tuple[Any, ...], dict[str, list[Json]]] = defaultdict(lambda: defaultdict(list))
    facts: dict[str, Json] = {}
    for step, span in zip(report["steps"], spans, strict=True):
        use = {
            "dance_frames": list(span[:2]),
            "blended_frames": list(span[2:]),
            "dance_s": [step["start_s"], step["end_s"]],
            "source_frames": list(step["source_frames"]),
            "mirrored": step["mirrored"],
        }
        owners[tuple(step.get(name) for name in _OWNER)][step["clip"]].append(use)
        facts[step["clip"]] = {name: step[name] for name in ("clip", "source_file", "source_sha256")}
    total = sum(step["end_s"] - step["start_s"] for step in report["steps"])
    rows = [_owner(key, clips, facts, total) for key, clips in owners.items()]
    rows.sort(key=lambda row: (-row["seconds"], *(row[name] or "" for name in _OWNER)))
    return Credits(
        {
            "schema_version": SCHEMA_VERSION,
            "dance": {"frames": report["dance"]["frames"], "fps": report["dance"]["fps"], "seconds": round(total, 6)},
            "song": {name: report["song"][name] for name in ("name", "sha256")},
            "library": {name: report["library"][name] for name in ("name", "version")},
            "owners": rows,
            "unknown_licence": sorted({step["clip"] for step in report["steps"] if not step["licence"]}),
            "unknown_performer": sorted({step["clip"] for step in report["steps"] if not step["performer"]}),
            "refused_consent": sorted({step["clip"] for step in report["steps"] if _refused(step)}),
            "warnings": _warnings(report),
        }
    )


def _refused(step: Json) -> bool:
    return str(step.get("consent") or "").strip().lower() in REFUSED


def _spans(report: Json) -> list[tuple[int, int, int, int]]:
    """For every step: first frame, frame after the last, and the same with the blends on either side."""
    fps, frames, steps = report["dance"]["fps"], report["dance"]["frames"], report["steps"]
    seams = {seam["to_step"]: seam for seam in report["seams"]}
    lines = [seams[i]["frame"] if i in seams else round(step["start_s"] * fps) for i, step in enumerate(steps)]
    lines = [min(max(line, 0), frames) for line in [0, *lines[1:], frames]] if steps else []
    reach = [
        [round(seconds * fps) for seconds in seams[i]["blend_s"]] if i in seams else [0, 0]
        for i in range(len(steps) + 1)
    ]
    return [
        (
            lines[i],
            lines[i + 1],
            max(lines[i] - reach[i][0], 0),
            min(lines[i + 1] + reach[i + 1][1], frames),
        )
        for i in range(len(steps))
    ]  # fmt: skip


def _owner(key: tuple[Any, ...], clips: dict[str, list[Json]], facts: dict[str, Json], total: float) -> Json:
    seconds = {clip: sum(use["dance_s"][1] - use["dance_s"][0] for use in uses) for clip, uses in clips.items()}
    return {
        **dict(zip(_OWNER, key, strict=True)),
        "seconds": round(sum(seconds.values()), 6),
        "share": round(sum(seconds.values()) / total, 6) if total > 0.0 else 0.0,
        "clips": [{**facts[clip], "seconds": round(seconds[clip], 6), "uses": clips[clip]} for clip in sorted(clips)],
    }


def _warnings(report: Json) -> list[str]:
    notes = []
    steps = report["steps"]
    for what, unclear in (
        ("licence is unknown; ask its owner before you publish this dance", [s for s in steps if not s["licence"]]),
        ("performer is unknown", [s for s in steps if not s["performer"]]),
        ("performer does not consent; dance again without it", [s for s in steps if _refused(s)]),
    ):
        if unclear:
            clips = sorted({step["clip"] for step in unclear})
            seconds = sum(step["end_s"] - step["start_s"] for step in unclear)
            more = f" and {len(clips) - 3} more" if len(clips) > 3 else ""
            notes.append(f"{seconds:.1f} s come from clips whose {what}: {', '.join(clips[:3])}{more}")
    notes.append("the song itself is not part of the library; its rights are for you to clear")
    return notes
