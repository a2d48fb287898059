"""Benchmarks by name. `bench all` is this registry."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from choreodb.benchmarks.runs import history, machine, plots
from choreodb.benchmarks.runs.history import Change, StoredRun, Watch
from choreodb.benchmarks.runs.plots import Figure
from choreodb.errors import ChoreoError, QueryError

Row = dict[str, Any]
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3", ".m4a", ".aac", ".opus", ".aif", ".aiff", ".wma")

SAMPLE_MINUTES, QUICK_MINUTES = 8.0, 4.0
QUICK_STYLES = ("house", "waltz")
"""Enough for two songs of every style, which retrieval needs to hold one out."""

_SAMPLE_SONGS = (("house", 1000), ("waltz", 1001))


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """What a benchmark is run on.

    library: a library or None. songs: audio files, folders expanded. data: folder of annotated data or None. quick: only
    find out whether it runs. refiner: weights of a refiner that is to be measured, too, by name or file. encoders: trained ones to set beside the others, by name or file; empty: those that are shipped.
    """

    library: Path | None
    songs: tuple[Path, ...]
    data: Path | None
    out: Path | None
    seed: int
    progress: Callable[..., None]
    quick: bool = False
    refiner: Path | None = None
    encoders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchResult:
    """The rows of one benchmark, its table as text, and its plots."""

    name: str
    rows: list[Row]
    table: str
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchReport:
    """The results of one command.

    machine: see `machine.describe`. run: when it began and finished, seed, quick, digest of the inputs. skipped: name and
    reason of what could not be run. before: the stored run that `changes` are against.
    """

    results: list[BenchResult] = field(default_factory=list)
    machine: Row = field(default_factory=dict)
    run: Row = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    before: StoredRun | None = None
    changes: list[Change] = field(default_factory=list)

    @property
    def header(self) -> Row:
        """First line of the JSON lines."""
        return {"machine": self.machine, **self.run}

    @property
    def rows(self) -> list[tuple[str, Row]]:
        """(benchmark, row) of every row."""
        return [(result.name, row) for result in self.results for row in result.rows]

    def as_dict(self) -> Row:
        """One JSON document."""
        return {
            "machine": self.machine,
            "run": self.run,
            "benchmarks": [{"name": result.name, "rows": result.rows} for result in self.results],
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped],
            "changes": [
                {"bench": each.bench, "row": each.row, "figure": each.figure, "before": each.before, "after": each.after,
                 "noise": each.noise, "worse": each.worse}
                for each in self.changes
            ],
        }  # fmt: skip

    def text(self) -> str:
        """All tables, one after the other, and what changed."""
        parts = [f"## {result.name}\n\n{result.table}" for result in self.results]
        parts += (
            ["## not run\n\n" + "\n".join(f"- {name}: {why}" for name, why in self.skipped)] if self.skipped else []
        )
        parts += ["## since the last run\n\n" + history.summary(self.before, self.changes)] if self.run else []
        return "\n\n".join(parts)

    def markdown(self) -> str:
        """The report as a page with its plots, which lie beside it."""
        threads = ", ".join(f"{name} {value or 'not set'}" for name, value in self.machine["threads"].items())
        versions = ", ".join(f"{name} {version}" for name, version in self.machine["versions"].items())
        head = [
            "# Benchmarks",
            "",
            f"- {self.run['finished']}, {self.run['seconds']:.0f} s, seed {self.run['seed']}" + (", quick: whether it runs, "
            "not what it says" if self.run["quick"] else ""),
            f"- choreodb {self.machine['choreodb']}, commit {self.machine['commit']}",
            f"- {self.machine['cpu']}, {self.machine['cores']} cores, {self.machine['system']} {self.machine['machine']}, "
            f"load {self.machine['load']}; python {self.machine['python']}, {versions}",
            f"- threads: {threads}",
            *(f"- {name}: {what}" for name, what in self.run["on"].items() if what),
            "",
        ]  # fmt: skip
        parts = [self.text()]
        pictures = [figure for result in self.results for figure in result.figures]
        if pictures:
            parts.append("## plots\n\n" + "\n".join(f"![{figure.title}]({figure.name}.png)" for figure in pictures))
        return "\n".join([*head, "\n\n".join(parts)]) + "\n"


# name -> module with `run(request) -> BenchResult`, and optionally `WATCHED` (see `history`)
BENCHMARKS: dict[str, str] = {
    "ann": "choreodb.benchmarks.runs.ann",
    "beats": "choreodb.benchmarks.runs.beats",
    "concurrency": "choreodb.benchmarks.runs.concurrency",
    "conditions": "choreodb.benchmarks.runs.conditions",
    "dance": "choreodb.benchmarks.runs.dance",
    "embed": "choreodb.benchmarks.runs.embed",
    "encoders": "choreodb.benchmarks.runs.encoders",
    "faults": "choreodb.benchmarks.runs.faults",
    "generation": "choreodb.benchmarks.runs.generation",
    "graph": "choreodb.benchmarks.runs.graph",
    "io": "choreodb.benchmarks.runs.io",
    "latency": "choreodb.benchmarks.runs.latency",
    "refine": "choreodb.benchmarks.runs.refine",
    "path": "choreodb.benchmarks.runs.path",
    "retrieval": "choreodb.benchmarks.runs.retrieval",
    "traps": "choreodb.benchmarks.runs.traps",
    "scale": "choreodb.benchmarks.runs.scale",
    "troupe": "choreodb.benchmarks.runs.troupe",
    "updates": "choreodb.benchmarks.runs.updates",
    "troupe-retrieval": "choreodb.benchmarks.runs.troupe_retrieval",
    "troupe-unseen": "choreodb.benchmarks.runs.troupe_unseen",
}


def names() -> list[str]:
    """The benchmarks whose part exists."""
    return [name for name, module in BENCHMARKS.items() if importlib.util.find_spec(module) is not None]


def run(
    name: str,
    targets: Sequence[Path],
    *,
    data: Path | None,
    out: Path | None,
    seed: int,
    progress: Callable[..., None],
    quick: bool = False,
    store: bool = False,
    stored: Path = history.DEFAULT_FOLDER,
    refiner: Path | None = None,
    encoders: Sequence[str] = (),
) -> BenchReport:
    """Run benchmark `name` (or `all`) on `targets`: a library, songs, folders of songs.

    data: folder of annotated and paired data. out: folder for the report. quick: a small sample and few repeats. stored:
    folder of stored runs to compare with; store: whether to add this one. refiner, encoders: see `BenchRequest`. `all`
    without a library, and anything quick
    without one, runs on the built-in sample; `all` leaves out what cannot be run on the targets and says why.
    Errors: QueryError for an unknown name or a target that does not exist, or where nothing could be run.
    """
    known = names()
    if name != "all" and name not in known:
        raise QueryError(f"benchmark {name!r} is not known; there are {', '.join(known)} and all")
    request = _request(targets, data, out, seed, progress, quick)
    request = replace(request, refiner=refiner, encoders=tuple(encoders))
    if out is not None:
        _make_folder(out)
    began = time.time()
    with ExitStack() as stack:
        if request.library is None and (name == "all" or quick):
            request = _on_sample(request, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        if quick:
            request = replace(request, songs=request.songs[:2])
        results, skipped = _run_each(known if name == "all" else [name], request, tolerant=name == "all")
        facts = _facts(request, began, name)
    report = _compared(BenchReport(results, machine.describe(), facts, skipped), stored)
    if out is not None:
        _write(report, out)
    if store:
        history.store(history.json_lines(report.header, report.rows), report.header, stored)
    return report


def _run_each(
    chosen: Sequence[str], request: BenchRequest, *, tolerant: bool
) -> tuple[list[BenchResult], list[tuple[str, str]]]:
    """Results, and (name, reason) of what could not be run where `tolerant`; QueryError where nothing could."""
    results: list[BenchResult] = []
    skipped: list[tuple[str, str]] = []
    for each in chosen:
        try:
            results.append(importlib.import_module(BENCHMARKS[each]).run(request))
        except ChoreoError as error:
            if not tolerant:
                raise
            skipped.append((each, str(error)))
        except Exception as error:
            # A defect in one benchmark must not cost the hours that the others took.
            if not tolerant:
                raise
            skipped.append((each, f"FAILED, {type(error).__name__}: {error} ({_place(error)})"))
    if not results:
        raise QueryError("no benchmark could be run; " + "; ".join(f"{name}: {why}" for name, why in skipped))
    return results, skipped


def _place(error: Exception) -> str:
    """File and line of our own code that an exception came from."""
    house = Path(__file__).resolve().parents[2]
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if Path(frame.filename).resolve().is_relative_to(house) and ".venv" not in frame.filename
    ]
    frame = (own or list(frames))[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _request(
    targets: Sequence[Path],
    data: Path | None,
    out: Path | None,
    seed: int,
    progress: Callable[..., None],
    quick: bool = False,
) -> BenchRequest:
    from choreodb.storage.place import is_remote
    from choreodb.storage.store import Store

    if data is not None and not data.is_dir():
        raise QueryError(f"data folder {str(data)!r} does not exist; give a folder of annotated or paired data")
    library: Path | None = None
    songs: list[Path] = []
    for target in targets:
        if not target.exists() and not is_remote(target):
            raise QueryError(
                f"benchmark target {str(target)!r} does not exist; give a library, songs, or folders of songs"
            )
        if is_remote(target) or (target.is_dir() and Store.exists(target)):
            if library is not None:
                raise QueryError(f"two libraries are given, {str(library)!r} and {str(target)!r}; give one")
            library = target
        elif target.is_dir():
            songs += sorted(path for path in target.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
        else:
            songs.append(target)
    return BenchRequest(library, tuple(songs), data, out, seed, progress, quick)


def _on_sample(request: BenchRequest, folder: Path) -> BenchRequest:
    """The request with a library of the sample troupe and, where none are given, songs it has not heard, and its truth."""
    from choreodb import sample
    from choreodb.indexer.build import index

    request.progress("making a sample", 0, 0)
    troupe, library = folder / "sample", folder / "sample-library"
    sample.make(
        troupe, minutes=QUICK_MINUTES if request.quick else SAMPLE_MINUTES, seed=0,
        styles=QUICK_STYLES if request.quick else None,
    )  # fmt: skip
    index([troupe], library)
    songs = request.songs
    if not songs:
        songs = tuple(folder / f"{style}.flac" for style, _ in _SAMPLE_SONGS)
        for path, (style, seed) in zip(songs, _SAMPLE_SONGS, strict=True):
            sample.make_song(path, style=style, seconds=20.0 if request.quick else 60.0, seed=seed)
    return replace(request, library=library, songs=songs, data=request.data or troupe)


def _facts(request: BenchRequest, began: float, name: str) -> Row:
    """What a run was on and when: digest and names of its inputs, so that only like is compared with like."""
    inputs = hashlib.sha256()
    for part in _parts(request):
        inputs.update(part.encode() + b"\n")
    return {
        "name": name,
        "seed": request.seed,
        "quick": request.quick,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(time.time() - began, 1),
        "inputs": inputs.hexdigest(),
        "on": {
            "library": request.library.name if request.library else None,
            "songs": ", ".join(path.name for path in request.songs) or None,
            "data": request.data.name if request.data else None,
        },
    }


def _parts(request: BenchRequest) -> Iterator[str]:
    yield f"seed {request.seed} quick {request.quick}"
    if request.refiner is not None:
        given = request.refiner
        yield hashlib.sha256(given.read_bytes()).hexdigest() if given.is_file() else f"refiner {given}"
    yield from (f"encoder {Path(name).name}" for name in request.encoders)
    if request.library is not None:
        from choreodb.storage.store import Store

        rows = Store.open(request.library).columns("clips", ["clip", "source_sha256"]).to_pylist()
        yield from sorted(f"{row['clip']} {row['source_sha256']}" for row in rows)
    for path in request.songs:
        with path.open("rb") as file:
            yield hashlib.file_digest(file, "sha256").hexdigest()
    if request.data is not None:
        files = sorted(path for path in request.data.rglob("*") if path.is_file())
        yield from (f"{path.relative_to(request.data).as_posix()} {path.stat().st_size}" for path in files)


def _compared(report: BenchReport, stored: Path) -> BenchReport:
    """The report with what changed since the last stored run on the same inputs."""
    before = history.latest(stored, report.header, (result.name for result in report.results))
    if before is None:
        return report
    watched: dict[str, dict[str, Watch]] = dict(history.WATCHED)
    for result in report.results:
        own = getattr(importlib.import_module(BENCHMARKS[result.name]), "WATCHED", None)
        watched |= {result.name: own} if own is not None else {}
    changes = history.compare(before, report.header, report.rows, watched)
    return replace(report, before=before, changes=changes)


def _make_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise QueryError(f"report folder {str(out)!r} is a file; choose another with --out")
    out.mkdir(parents=True, exist_ok=True)


def _write(report: BenchReport, out: Path) -> None:
    (out / "bench.md").write_text(report.markdown(), encoding="utf-8")
    (out / "bench.json").write_text(json.dumps(report.as_dict(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (out / "bench.jsonl").write_text(history.json_lines(report.header, report.rows), encoding="utf-8")
    for result in report.results:
        for figure in result.figures:
            plots.save(figure, out)
