"""The stages of a query, timed: run as a process, it prints one JSON line a query. The first is cold, the others warm."""

from __future__ import annotations

import time

_BEGAN = time.perf_counter(), time.process_time()

import argparse  # noqa: E402  (the clock starts before anything else is imported)
import json  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

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


STAGES = ("import", "open", "decode", "features", "beats", "plan", "stitch", "physics", "write bvh")


def query(library_path: Path, song: Path, out: Path, watch: Stopwatch) -> Laps:
    """One dance from files to a file; the same calls as `Library.dance` makes, with a lap after each."""
    from choreodb.library import Library
    from choreodb.motion import bvh
    from choreodb.music import beats, decode, rests
    from choreodb.music.features import analyse
    from choreodb.music.grid import extrapolated
    from choreodb.music.music import Music
    from choreodb.refiner import physics
    from choreodb.retriever import planner, stitch
    from choreodb.threads import one_thread

    assert planner is not None
    assert stitch is not None
    watch.lap("import")
    with one_thread():
        library = Library.open(library_path)
        watch.lap("open")
        audio = decode.load(song)
        watch.lap("decode")
        features = analyse(audio)
        watch.lap("features")
        grids = tuple(extrapolated(grid, audio.duration_s) for grid in beats.estimate(features))
        quiet = rests.find(features, audio.duration_s)
        watch.lap("beats")
        plan = library.plan(Music(audio.path, audio.sha256, audio.duration_s, features, grids, quiet))
        watch.lap("plan")
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
                print(json.dumps({"song": song.name, "repeat": number, "laps": laps}), flush=True)
                watch = Stopwatch()


if __name__ == "__main__":
    serve(query, sys.argv[1:], _BEGAN)
