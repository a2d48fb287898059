"""`bench embed`: what it costs to put a song and a dance into the shared space, beyond decoding and analysis.

CPU seconds of one thread, medians over rounds in one process. A cold process starts Python, imports, loads the weights
and embeds the song; the time it takes to load and analyse the song itself is taken off.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.embed_torch import TorchTowers, has_torch
from choreodb.benchmarks.runs.history import Watch
from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult, Row
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import ChoreoError, QueryError
from choreodb.indexer import ingest
from choreodb.indexer.accents import accents
from choreodb.indexer.encoders import pretrained, registry, rhythm, towers, weights
from choreodb.indexer.encoders.base import ClipMotion, Encoder, MotionWindow, MusicWindow
from choreodb.indexer.encoders.rhythm import RhythmEncoder
from choreodb.indexer.encoders.towers import TowerConfig, TowerEncoder
from choreodb.indexer.encoders.weights import Weights
from choreodb.music.music import Music
from choreodb.retriever import song as songs
from choreodb.storage.specimen import random_motion
from choreodb.storage.store import Store
from choreodb.threads import one_thread

SONG_S, QUICK_S = 180.0, 20.0
ROUNDS, COLD_ROUNDS = 5, 3
BAR_S = 2.0
GOAL_SONG_S, GOAL_REALTIME = 0.3, 1000.0
WATCHED = {"song_cpu_s": Watch("lower", timing=True), "realtime": Watch("higher", timing=True)}

Dance = tuple[ClipMotion, list[MotionWindow]]


def run(request: BenchRequest) -> BenchResult:
    """Embed the first song, or one that is made, and the clips of the library, or motion that is made."""
    rounds, cold = (1, 1) if request.quick else (ROUNDS, COLD_ROUNDS)
    with tempfile.TemporaryDirectory() as folder, one_thread():
        request.progress("song", 0, 0)
        song = request.songs[0] if request.songs else _made_song(Path(folder), QUICK_S if request.quick else SONG_S)
        began = time.process_time()
        music = Music.load(song)
        rows: list[Row] = [{"row": "(decoding and analysis)", "song_cpu_s": time.process_time() - began}]
        dances = _of_library(request.library) if request.library is not None else [_made_dance(request.seed)]
        files = _files(Path(folder))
        for number, (name, path) in enumerate(files.items()):
            request.progress("embedding", number, len(files))
            rows += _rows(name, path, song, music, dances, rounds, cold)
    return BenchResult("embed", rows, format_table(rows, music.duration_s))


def _made_song(folder: Path, seconds: float) -> Path:
    from choreodb import sample

    path = folder / "song.flac"
    sample.make_song(path, style="house", seconds=seconds, seed=5)
    return path


def _made_dance(seed: int, seconds: float = SONG_S) -> Dance:
    """Three minutes of smooth random motion in bars of two seconds."""
    rotations, root, contacts = random_motion(np.random.default_rng(seed), round(seconds * ingest.FPS), 22)
    return _dance(rotations, root, contacts, [(at, at + BAR_S) for at in np.arange(0.0, seconds - BAR_S, BAR_S)])


def _dance(
    rotations: npt.NDArray[np.float32],
    root: npt.NDArray[np.float32],
    contacts: npt.NDArray[np.uint8],
    spans: Sequence[tuple[float, float]],
) -> Dance:
    motion = ClipMotion(rotations, root, ingest.joint_positions(rotations, root), contacts, ingest.FPS)
    return motion, [MotionWindow(start, end, np.linspace(start, end, 5), 4) for start, end in spans]


def _of_library(library: Path) -> list[Dance]:
    """Clips of a library, up to some ten minutes."""
    store = Store.open(library)
    spans: dict[str, list[tuple[float, float]]] = {}
    for row in store.columns("segments", ["clip", "start_s", "end_s", "mirrored"]).to_pylist():
        if not row["mirrored"]:
            spans.setdefault(row["clip"], []).append((row["start_s"], row["end_s"]))
    out: list[Dance] = []
    seconds = 0.0
    for clip in store.columns("clips", ["clip", "frames", "copy_of"]).to_pylist():
        if clip["copy_of"] is None and seconds < 600.0 and clip["clip"] in spans:
            out.append(_dance(*store.read_motion(clip["clip"], 0, clip["frames"]), spans[clip["clip"]]))
            seconds += clip["frames"] / ingest.FPS
    if not out:
        raise QueryError(f"library {str(library)!r} has no clip to embed; give another, or none")
    return out


def _files(folder: Path) -> dict[str, Path | None]:
    """Name and weights of every row; without shipped weights towers that nothing taught, which cost as much."""
    shipped = {name: pretrained.SHIPPED / f"{name}{weights.SUFFIX}" for name in pretrained.names()}
    if shipped:
        return {registry.RHYTHM: None, **shipped}
    path = folder / f"untaught{weights.SUFFIX}"
    untaught(path)
    return {registry.RHYTHM: None, "towers that nothing taught": path}


def untaught(path: Path, config: TowerConfig | None = None) -> Weights:
    """Towers of random numbers."""
    config = config or TowerConfig()
    rng = np.random.default_rng(0)
    tensors = {name: (0.1 * rng.normal(size=shape)).astype(np.float32) for name, shape in towers.shapes(config).items()}
    tensors |= {name: np.ones_like(array) for name, array in tensors.items() if name.endswith("scale")}
    card = {
        "architecture": towers.ARCHITECTURE, "version": towers.VERSION, "config": asdict(config),
        "data": {"source": "random numbers"}, "metrics": {}, "command": "choreodb bench embed",
    }  # fmt: skip
    return weights.save(path, tensors, card)


def _rows(
    name: str, path: Path | None, song: Path, music: Music, dances: Sequence[Dance], rounds: int, cold: int
) -> list[Row]:
    """The rows of one encoder: as it is used, and through torch where that is installed and the encoder can."""
    encoder = _fitted(dances) if path is None else registry.of_weights(weights.load(path))
    windows = music_windows(music)
    first = encoder.embed_music(music, windows)
    own = _row(f"{name}, numpy" if path else name, encoder, music, windows, dances, rounds)
    rows = [own | {"cold_cpu_s": _cold(song, path, torch=False, rounds=cold)}]
    if isinstance(encoder, TowerEncoder) and has_torch():
        other = TorchTowers(encoder)
        differ = float(np.abs(other.embed_music(music, windows) - first).max())
        row = _row(f"{name}, torch", other, music, windows, dances, rounds)
        rows.append(row | {"cold_cpu_s": _cold(song, path, torch=True, rounds=cold), "differs": differ})
    return rows


def _fitted(dances: Sequence[Dance]) -> RhythmEncoder:
    """`rhythm` on the dances themselves."""
    described = [
        rhythm.describe_motion(accents(motion.positions, motion.contacts, motion.fps), windows)
        for motion, windows in dances
    ]
    return RhythmEncoder.fit(rhythm.gathered(described))


def music_windows(music: Music) -> list[MusicWindow]:
    """The bars that a plan asks for."""
    steps = songs.steps(music, music.grids[0])
    return [MusicWindow(step.start_s, step.end_s, step.beats_s, max(0, len(step.beats_s) - 1)) for step in steps]


def _row(
    name: str,
    encoder: Encoder,
    music: Music,
    windows: Sequence[MusicWindow],
    dances: Sequence[Dance],
    rounds: int,
) -> Row:
    seconds = sum(len(motion.root) / motion.fps for motion, _ in dances)
    heard = _cpu_s(lambda: encoder.embed_music(music, windows), rounds)
    seen = _cpu_s(lambda: [encoder.embed_motion(motion, own) for motion, own in dances], rounds)
    return {"row": name, "song_cpu_s": heard, "realtime": seconds / max(seen, 1e-9), "windows": float(len(windows))}


def _cpu_s(call: Callable[[], Any], rounds: int) -> float:
    """Median CPU seconds of a call that was made once before."""
    call()
    found = []
    for _ in range(rounds):
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return median(found)


def _cold(song: Path, path: Path | None, *, torch: bool, rounds: int) -> float:
    """Median CPU seconds of a process that embeds the song, without loading it."""
    command = [sys.executable, "-m", "choreodb.benchmarks.runs.embed_cold", str(song), str(path or registry.RHYTHM)]
    found = []
    for _ in range(rounds):
        done = subprocess.run([*command, *(["--torch"] if torch else [])], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ChoreoError(f"the cold process failed: {' '.join(done.stderr.split())[-200:]}")
        found.append(float(json.loads(done.stdout)["cpu_s"]))
    return median(found)


_COLUMNS = (
    Column("row", "", "s"),
    Column("song_cpu_s", "song, CPU s", ".3f"),
    Column("realtime", "motion, x real time", ",.0f"),
    Column("cold_cpu_s", "cold process, CPU s", ".2f"),
    Column("differs", "largest difference", ".1e"),
)


def format_table(rows: Sequence[Row], song_s: float) -> str:
    """The table and what it means."""
    return (
        f"{markdown(rows, _COLUMNS)}\n\nA song of {song_s:.0f} s in its bars; goal {GOAL_SONG_S:g} s for three minutes. Motion "
        f"from canonical frames, with its accents; goal {GOAL_REALTIME:,.0f} times real time. One thread, CPU time. A cold process "
        "imports, loads the weights and embeds; loading and analysing the song is taken off. Difference: of the torch rows' "
        "embeddings from the numpy ones."
    )
