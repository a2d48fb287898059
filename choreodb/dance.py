"""Dance: what a query gives back, and the files it can be written to."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import ChoreoError, QueryError
from choreodb.motion import export
from choreodb.motion.export import Form, Units, suffix_of
from choreodb.motion.motion import Motion
from choreodb.motion.rig import Rig

ReportDict = dict[str, Any]
ProgressCall = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Dance:
    """A finished dance.

    motion: canonical, 60 fps, as long as the song. contacts: [T, 4] left heel, left toe, right heel, right toe.
    hands: [T] whether the fingers were captured; elsewhere they are relaxed. The motion has a face where any clip has.
    report: every step with its source, cost terms and licence (`docs/schema/report.schema.json`).
    run: what varies from run to run (timings, host, date). song: the audio file.
    """

    motion: Motion
    contacts: npt.NDArray[np.uint8]
    hands: npt.NDArray[np.bool_]
    report: ReportDict
    run: ReportDict
    song: Path

    def save(
        self, *paths: str | Path, units: Units = "m", rig: str | Path | Rig | None = None, music: bool = False
    ) -> None:
        """Write to every path; the suffix chooses the format. Either all are written or none.

        units: m or cm, of a `.bvh`. rig: the character that dances, or its file (`motion.rig`). music: name the song in
        the extras of a `.glb`.
        """
        if isinstance(rig, str | Path):
            from choreodb.motion.rig import load

            rig = load(rig)
        with Outputs([Path(path) for path in paths]) as outputs:
            outputs.write(self, Form(units, rig, music))

    def about(self, form: Form) -> ReportDict:
        """What a format with room for remarks is told: licences, where hands and face were captured, perhaps the song."""
        captured, song = self.report["captured"], self.report["song"]
        told = {"licences": self.report["licences"], "hands": captured["hands"], "face": captured["face"]}
        if form.music:
            told["music"] = {
                "name": song["name"],
                "sha256": song["sha256"],
                "duration_s": song["duration_s"],
                "start_s": 0.0,
            }
        return told

    def summary(self) -> str:
        """A few lines for people."""
        report = self.report
        seams, steps = report["seams"], report["steps"]
        clips = {step["clip"] for step in steps}
        grid = report["song"]["grid"]
        certificate = report["certificate"]
        lines = [
            f"{report['song']['name']}: {report['song']['duration_s']:.1f} s, {grid['tempo_bpm']:.1f} bpm in {grid['metre']}",
            f"{len(steps)} steps from {len(clips)} clips, {len(seams)} seams; dance of {report['dance']['duration_s']:.2f} s",
            f"gap to the optimum of the lattice {_percent(certificate['gap_in_lattice'], certificate['cost'])}, "
            f"four times the candidates would save {_percent(certificate['candidate_gap'], certificate['cost'])}",
            "licences: "
            + "; ".join(f"{row['licence'] or 'unknown'} ({row['seconds']:.1f} s)" for row in report["licences"]),
        ]
        lines += [f"note: {note}" for note in report["warnings"]]
        return "\n".join(lines)


Writer = Callable[[Dance, Path, Form], None]
"""Writes a dance to a path."""


def _percent(part: float | None, whole: float) -> str:
    if part is None:
        return "not computed"
    return f"{100.0 * part / whole:.2f} %" if whole > 0.0 else f"{part:.3g}"


class Outputs:
    """The files one command writes: checked before any work, written beside their place, moved there at the end.

    `<first output without suffix>.run.json` goes with them. A link is written through, as an editor would.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)
        self._targets: list[Path] = []
        self._scratch: dict[Path, Path] = {}
        self._made: list[tuple[Path, Path]] = []

    def __enter__(self) -> Outputs:
        self._targets = _checked_targets(self.paths)
        try:
            for folder in {target.parent for target in self._targets}:
                self._scratch[folder] = _scratch_folder(folder)
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clean()

    def write(self, dance: Dance, form: Form | None = None, *, progress: ProgressCall | None = None) -> None:
        """Write all files, then move them to their places; either all are written or none."""
        self.prepare(dance, form, progress=progress)
        self.publish()

    def prepare(self, dance: Dance, form: Form | None = None, *, progress: ProgressCall | None = None) -> None:
        """Write all files beside their places."""
        form = form or Form()
        for number, (path, target) in enumerate(zip(self.paths, self._targets, strict=False)):
            if progress is not None:
                progress(f"writing {path.suffix[1:]}", number, len(self.paths))
            suffix = suffix_of(path)
            # a short name of our own: the user's may be as long as the file system allows
            temporary = self._scratch[target.parent] / f"{number}{suffix}"
            _write_one(WRITERS[suffix], dance, path, temporary, form)
            self._made.append((temporary, target))
        run_target = self._targets[-1]
        temporary = self._scratch[run_target.parent] / "run.json"
        _write_one(_write_run, dance, run_target, temporary, form)
        self._made.append((temporary, run_target))

    def publish(self) -> None:
        """Move what was prepared to its places."""
        for source, target in self._made:
            try:
                os.replace(source, target)
            except OSError as error:
                raise _unwritable(target, error) from None

    def _clean(self) -> None:
        for folder in self._scratch.values():
            shutil.rmtree(folder, ignore_errors=True)


def numbered(paths: Sequence[Path], number: int) -> list[Path]:
    """Where the outputs of alternative `number` (from 1) go: `dance.bvh`, then `dance-2.bvh`."""
    if number == 1:
        return list(paths)
    ends = [len(suffix_of(path)) for path in paths]
    return [
        path.with_name(f"{path.name[: len(path.name) - end]}-{number}{path.name[len(path.name) - end :]}")
        for path, end in zip(paths, ends, strict=True)
    ]


def _scratch_folder(folder: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=".choreodb-", dir=folder))
    except OSError as error:
        raise QueryError(
            f"cannot write into folder {str(folder)!r}: {error.strerror}; choose an output folder that can be written"
        ) from None


def _write_one(write: Writer, dance: Dance, path: Path, temporary: Path, form: Form) -> None:
    """`write` to `temporary`; what goes wrong is said of `path`, the name that the user knows."""
    try:
        write(dance, temporary, form)
    except ChoreoError as error:
        raise type(error)(str(error).replace(str(temporary), str(path))) from None
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> QueryError:
    return QueryError(f"output {str(path)!r} cannot be written ({error.strerror or error}); choose another folder")


def _checked_targets(paths: Sequence[Path]) -> list[Path]:
    """Where each output and, last, the `.run.json` will be, with links followed; QueryError where that cannot be."""
    if not paths:
        raise QueryError("no output given; name at least one file, for example dance.bvh")
    for path in paths:
        if not _is_folder(path) and suffix_of(path) not in WRITERS:
            known = " ".join(WRITERS)
            raise QueryError(f"output {str(path)!r} has suffix {path.suffix!r}; expected one of {known}")
    targets = [_checked_target(path) for path in paths]
    if len(set(targets)) != len(targets):
        raise QueryError("the same output is named twice; give each file once")
    run_path = paths[0].with_suffix(".run.json")
    run_target = _checked_target(run_path)
    if run_target in targets:
        raise QueryError(f"output {str(run_path)!r} is where the timings of this run go; choose another name")
    return [*targets, run_target]


def _checked_target(path: Path) -> Path:
    try:
        target = path.resolve()
        if target.is_dir():
            raise QueryError(f"output {str(path)!r} is a folder; name a file in it, like {str(path / 'dance.bvh')!r}")
        if not target.parent.is_dir():
            raise QueryError(f"output {str(path)!r} lies in a folder that does not exist; make the folder first")
        if target.exists() and not target.is_file():
            raise QueryError(f"output {str(path)!r} is a pipe or a device; name a plain file")
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise QueryError(f"output {str(path)!r} cannot be: {reason}; choose another name") from None
    return target


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _write_json(document: ReportDict, path: Path) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n", "utf-8")


def _write_run(dance: Dance, path: Path, form: Form) -> None:
    _write_json(dance.run, path)


def _write_motion(dance: Dance, path: Path, form: Form) -> None:
    extras = {"choreodb": dance.about(form)}
    export.save(dance.motion, path, suffix_of(path), form, hands=dance.hands, extras=extras)


def _write_report(dance: Dance, path: Path, form: Form) -> None:
    _write_json(dance.report, path)


def _write_mp4(dance: Dance, path: Path, form: Form) -> None:
    from choreodb.render.video import Caption, save_video

    report = dance.report
    captions = [Caption(step["start_s"], _caption(step)) for step in report["steps"]]
    save_video(
        dance.motion, path, song=dance.song, contacts=dance.contacts, captions=captions,
        bars_s=report["song"]["bars_s"], seams_s=[seam["time_s"] for seam in report["seams"]],
    )  # fmt: skip


def _write_png(dance: Dance, path: Path, form: Form) -> None:
    from choreodb.render.sheet import contact_sheet, save_sheet

    steps = dance.report["steps"]
    times = np.linspace(0.0, dance.motion.duration_s, 33)[:-1] + 0.5 * dance.motion.duration_s / 33
    starts = np.array([step["start_s"] for step in steps])
    held = [steps[int(np.searchsorted(starts, time_s, side="right")) - 1] for time_s in times]
    captions = [f"{step['style'] or step['kind']}: {step['clip'].removeprefix(step['dataset'] + '/')}" for step in held]
    title = f"{dance.report['song']['name']}, {dance.motion.duration_s:.1f} s"
    sheet = contact_sheet(dance.motion, [float(t) for t in times], captions, contacts=dance.contacts, title=title)
    save_sheet(sheet, path)


def _caption(step: ReportDict) -> str:
    where = f"{step['source_start_s']:.2f}-{step['source_end_s']:.2f} s"
    turned = ", mirrored" if step["mirrored"] else ""
    return f"{step['index'] + 1}  {step['clip']}  {where}{turned}   warp {step['warp']:.2f}   {step['style'] or ''}"


WRITERS: dict[str, Writer] = {
    **dict.fromkeys(export.SUFFIXES, _write_motion),
    ".mp4": _write_mp4,
    ".png": _write_png,
    ".json": _write_report,
}
