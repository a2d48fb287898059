"""The stages of a query, timed: run as a process, it prints one JSON line a query. The first is cold, the others warm."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter(), time.process_time()

import argparse  # noqa: E402  (the clock starts before anything else is imported)
import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

Laps = dict[str, dict[str, float]]


class Stopwatch:
    """Wall and CPU milliseconds of the stages of one query."""

    def __init__(self, began: tuple[float, float] | None = None) -> None:
        self._wall, self._cpu = began or (time.perf_counter(), time.process_time())
        self.laps: Laps = {}

    def lap(self, name: str) -> None:
        """End the stage `name`."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.laps[name] = {"wall_ms": 1e3 * (wall - self._wall), "cpu_ms": 1e3 * (cpu - self._cpu)}
        self._wall, self._cpu = wall, cpu

    def lap_with(self, name: str, parts: Laps) -> None:
        """End a stage of which `parts` were timed by themselves; the rest of it is `name`."""
        self.lap(name)
        rest = self.laps.pop(name)
        self.laps |= parts
        self.laps[name] = {clock: rest[clock] - sum(part[clock] for part in parts.values()) for clock in rest}


class Parts:
    """Time spent in functions of a module while they are called from elsewhere, by the name of a stage.

    What one of them spends in another counts for the other alone.
    """

    def __init__(self) -> None:
        self.laps: Laps = {}
        self._open: list[str] = []

    @contextmanager
    def watching(self, *places: tuple[Any, str, str]) -> Iterator[None]:
        """Time calls of functions, each given as (module, name of the function, stage)."""
        before = [(module, name, getattr(module, name)) for module, name, _ in places]
        self.laps |= {stage: {"wall_ms": 0.0, "cpu_ms": 0.0} for _, _, stage in places}
        try:
            for module, name, stage in places:
                setattr(module, name, self._timed(getattr(module, name), stage))
            yield
        finally:
            for module, name, function in before:
                setattr(module, name, function)

    def _timed(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            """`function`, its time added to the innermost open stage."""
            wall, cpu = time.perf_counter(), time.process_time()
            self._open.append(stage)
            try:
                return function(*arguments, **named)
            finally:
                self._open.pop()
                took = {"wall_ms": 1e3 * (time.perf_counter() - wall), "cpu_ms": 1e3 * (time.process_time() - cpu)}
                for clock, spent in took.items():
                    self.laps[stage][clock] += spent
                    if self._open:
                        self.laps[self._open[-1]][clock] -= spent

        return call


STAGES = (
    "import", "open", "decode", "features", "beats", "embed", "nearest", "candidates", "path", "stitch", "physics", "write bvh",
)  # fmt: skip
"""Embed: the music encoder alone. Nearest: the search among the embeddings for the segments that are to be priced. Candidates: reading the pool, steps
and style of the song, pricing and closing the lattices, of every beat hypothesis and once more with four times as many. Path: joins, bounds, search and
runners-up."""

_OPEN: dict[Path, Any] = {}
"""A warm process has its library open, on either side."""


def query(library_path: Path, song: Path, out: Path, watch: Stopwatch) -> Laps:
    """One dance from files to a file; the same calls as `Library.dance` makes, with a lap after each."""
    from choreodb.library import Library
    from choreodb.motion import bvh
    from choreodb.music import beats, decode, rests
    from choreodb.music.features import analyse
    from choreodb.music.grid import extrapolated
    from choreodb.music.music import Music
    from choreodb.refiner import physics
    from choreodb.retriever import candidates, planner, shortlist, stitch
    from choreodb.threads import one_thread

    assert planner is not None
    assert stitch is not None
    watch.lap("import")
    with one_thread():
        if library_path not in _OPEN:
            _OPEN[library_path] = Library.open(library_path)
        library: Library = _OPEN[library_path]
        watch.lap("open")
        audio = decode.load(song)
        watch.lap("decode")
        features = analyse(audio)
        watch.lap("features")
        grids = tuple(extrapolated(grid, audio.duration_s) for grid in beats.estimate(features))
        quiet = rests.find(features, audio.duration_s)
        watch.lap("beats")
        parts = Parts()
        with parts.watching(
            (type(library.encoder), "embed_music", "embed"),
            (shortlist, "shortlists", "nearest"),
            (planner, "ask", "candidates"),
            (planner, "build_choices", "candidates"),
            (candidates, "load_pool", "candidates"),
        ):
            plan = library.plan(Music(audio.path, audio.sha256, audio.duration_s, features, grids, quiet))
        watch.lap_with("path", parts.laps)
        stitched = library.stitch(plan, refine="none")
        watch.lap("stitch")
        dance = physics.clean(stitched)
        watch.lap("physics")
        bvh.save(dance.motion, out)
        watch.lap("write bvh")
    return watch.laps


def serve(ask: Callable[[Path, Path, Path, Stopwatch], Laps], arguments: list[str], began: tuple[float, float]) -> None:
    """`LIB SONG... [--repeats N]`: ask every song N times, the first of all from the process's start; a JSON line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("library", type=Path)
    parser.add_argument("songs", type=Path, nargs="+")
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args(arguments)
    watch = Stopwatch(began)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.repeats):
            for song in options.songs:
                laps = ask(options.library, song, Path(folder) / "dance.bvh", watch)
                line = {"song": song.name, "repeat": number, "laps": laps, "peak_mb": peak_mb()}
                print(json.dumps(line), flush=True)
                watch = Stopwatch()


def peak_mb() -> float | None:
    """Most memory that the process has held; None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    scale = 1024.0**2 if sys.platform == "darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


if __name__ == "__main__":
    serve(query, sys.argv[1:], _BEGAN)
