"""Stored runs: JSON lines, one header and then a line a row; and what got worse since the last one by more than noise."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from choreodb.errors import QueryError

Row = dict[str, Any]
Better = Literal["higher", "lower"]

FORMAT = 1
DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "history"
"""Where a checkout keeps its stored runs; an installed wheel has none."""

_NAMES = ("kind", "group", "row", "gap_s", "stage", "style", "song")
"""The fields that say which row of a benchmark a row is."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A figure that must not get worse. count: the row's field that says over how many trials a share was taken.
    relative: share of the figure, and least: amount, below which a change is noise whatever the rows state. timing:
    comparable on one kind of processor only."""

    better: Better
    count: str | None = None
    relative: float = 0.02
    least: float = 0.0
    timing: bool = False


_LOWER, _HIGHER = Watch("lower"), Watch("higher")
_SHARE = Watch("lower", least=0.002)
"""A share of frames: two in a thousand more say nothing."""

WATCHED: dict[str, dict[str, Watch]] = {
    "beats": {
        "f_70ms": _HIGHER,
        "amlt": _HIGHER,
        "downbeat_f": _HIGHER,
        "octave_errors": Watch("lower", count="count"),
        "phase_error_beats": _LOWER,
    },
    "dance": {
        "passed": Watch("higher", count="seams"),
        "passed_each_joint": Watch("higher", count="seams"),
        "penetration": _SHARE,
        "floating": _SHARE,
        "slide_m_s": Watch("lower", least=0.002),
        "slide_ratio": _SHARE,
        "outside_share": _SHARE,
    },
    "generation": {
        "fid_k": _LOWER,
        "fid_k_corrected": _LOWER,
        "fid_g_varying": _LOWER,
        "beats": _HIGHER,
        "chance_z": _HIGHER,
        "skating": _SHARE,
        "penetration": _SHARE,
        "floating": _SHARE,
        "frozen": _SHARE,
        "seam_ratio": _LOWER,
    },
    "refine": {
        "auc": Watch("lower", least=0.02),
        "network_auc": Watch("lower", least=0.03),
        "position_m": _LOWER,
        "slide_ratio": _SHARE,
        "penetration": _SHARE,
        "floating": _SHARE,
        "above": Watch("higher", least=0.01),
    },
    "latency": {
        "wall_ms": Watch("lower", relative=0.1, timing=True),
        "cpu_ms": Watch("lower", relative=0.1, timing=True),
        "ratio_wall": Watch("higher", relative=0.15, timing=True),
        "ratio_cpu": Watch("higher", relative=0.15, timing=True),
    },
}
"""Figures by benchmark; a module may bring its own as `WATCHED`. Rows of ours and of baselines alike are compared."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that was written. header: machine, versions, commit, seed, inputs. rows: (benchmark, row)."""

    header: Row
    rows: tuple[tuple[str, Row], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that moved by more than noise."""

    bench: str
    row: str
    figure: str
    before: float
    after: float
    noise: float
    worse: bool

    def text(self) -> str:
        """One line for people."""
        way = "worse" if self.worse else "better"
        return f"{way}: {self.bench}, {self.row}, {self.figure}: {self.before:.4g} -> {self.after:.4g} (noise {self.noise:.2g})"


def json_lines(header: Mapping[str, Any], rows: Iterable[tuple[str, Row]]) -> str:
    """The text of a run's file."""
    lines = [{"kind": "run", "format": FORMAT, **header}]
    lines += [{"kind": "row", "bench": bench, "row": row} for bench, row in rows]
    return "".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines)


def read(path: Path) -> StoredRun:
    """A stored run; QueryError for a file that is none, or of a later format."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        header, rows = lines[0], tuple((line["bench"], line["row"]) for line in lines[1:])
        known = header["kind"] == "run" and header["format"] <= FORMAT
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise QueryError(f"stored run {str(path)!r} cannot be read ({type(error).__name__}); remove it") from error
    if not known:
        raise QueryError(f"stored run {str(path)!r} is not of a format up to {FORMAT}; update ChoreoDB")
    return StoredRun(header, rows)


def store(text: str, header: Mapping[str, Any], folder: Path) -> Path:
    """Write a run into the history; the file's path. Files sort by when they finished."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = str(header["finished"]).replace(":", "").replace("-", "")
    path = folder / f"{stamp}-{str(header['inputs'])[:8]}.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def latest(folder: Path, header: Mapping[str, Any], benches: Iterable[str] | None = None) -> StoredRun | None:
    """The last stored run on the same inputs (library, songs, data, seed, quickness) that holds one of `benches` (default:
    any); None where there is none."""
    if not folder.is_dir():
        return None
    asked = None if benches is None else set(benches)
    runs = [read(path) for path in sorted(folder.glob("*.jsonl"))]
    same = [
        run
        for run in runs
        if run.header.get("inputs") == header["inputs"] and (asked is None or asked & {bench for bench, _ in run.rows})
    ]
    return max(same, key=lambda run: str(run.header["finished"])) if same else None


def compare(
    before: StoredRun,
    header: Mapping[str, Any],
    rows: Iterable[tuple[str, Row]],
    watched: Mapping[str, Mapping[str, Watch]] | None = None,
) -> list[Change]:
    """Figures that moved by more than noise, worse ones first.

    Noise: twice the root of both rows' squared deviations (`KEY_se`: standard error over songs; `KEY_sd`: deviation over
    seeds or repeats, of which there are too few to divide by their number; binomial for shares of a `count`), and never
    less than the figure's `relative` share or `least`. Timings are compared on the same processor only.
    """
    known = WATCHED if watched is None else watched
    same_machine = all(before.header["machine"].get(key) == header["machine"].get(key) for key in ("cpu", "cores"))
    old = {(bench, row_name(row)): row for bench, row in before.rows}
    changes = []
    for bench, row in rows:
        earlier = old.get((bench, row_name(row)))
        for figure, watch in known.get(bench, {}).items():
            if earlier is None or (watch.timing and not same_machine):
                continue
            change = _change(bench, figure, watch, earlier, row)
            changes += [] if change is None else [change]
    return sorted(changes, key=lambda change: not change.worse)


def row_name(row: Mapping[str, Any]) -> str:
    """What a row is called: its naming fields in order."""
    return " / ".join(str(row[name]) for name in _NAMES if row.get(name) is not None)


def _change(bench: str, figure: str, watch: Watch, before: Row, after: Row) -> Change | None:
    old, new = before.get(figure), after.get(figure)
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return None
    noise = max(2.0 * _deviation(figure, watch, before, after), watch.relative * abs(old), watch.least, 1e-9)
    if abs(new - old) <= noise:
        return None
    worse = (new < old) == (watch.better == "higher")
    return Change(bench, row_name(after), figure, float(old), float(new), float(noise), worse)


def _deviation(figure: str, watch: Watch, before: Row, after: Row) -> float:
    """Of the difference between two rows: from what both state, or binomial for shares; 0 unknown."""
    if watch.count is not None:
        return float(sum(_binomial(row[figure], row.get(watch.count)) for row in (before, after)) ** 0.5)
    for suffix in ("se", "sd"):
        stated = [row.get(f"{figure}_{suffix}") for row in (before, after)]
        if all(deviation is not None for deviation in stated):
            return float(sum(float(deviation or 0.0) ** 2 for deviation in stated) ** 0.5)
    return 0.0


def _binomial(share: float, count: float | None) -> float:
    return share * (1.0 - share) / count if count else 0.0


def summary(before: StoredRun | None, changes: Sequence[Change]) -> str:
    """What the comparison found, in lines."""
    if before is None:
        return "No stored run on the same inputs to compare with; keep this one with --store."
    when = f"{before.header['finished']}, commit {before.header['machine'].get('commit')}"
    if not changes:
        return f"Against the stored run of {when}: nothing moved by more than noise."
    return "\n".join([f"Against the stored run of {when}:", *(f"- {change.text()}" for change in changes)])
