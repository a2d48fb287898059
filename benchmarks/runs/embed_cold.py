"""A cold embedding, timed: run as a process, it prints its CPU seconds as JSON, loading and analysing the song left out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from choreodb.indexer.encoders.base import Encoder


def main(arguments: list[str]) -> None:
    """`SONG WEIGHTS|rhythm [--torch]`."""
    from choreodb.indexer.encoders.base import MusicWindow
    from choreodb.music.music import Music
    from choreodb.threads import one_thread

    with one_thread():
        began = time.process_time()
        music = Music.load(Path(arguments[0]))
        listening = time.process_time() - began
        from choreodb.retriever import song

        steps = song.steps(music, music.grids[0])
        windows = [MusicWindow(step.start_s, step.end_s, step.beats_s, max(0, len(step.beats_s) - 1)) for step in steps]
        _encoder(arguments[1], torch="--torch" in arguments).embed_music(music, windows)
    print(json.dumps({"cpu_s": time.process_time() - listening}))


def _encoder(source: str, *, torch: bool) -> Encoder:
    from choreodb.indexer.encoders import registry, weights

    if source == registry.RHYTHM:
        from choreodb.indexer.encoders.rhythm import RhythmEncoder, RhythmStats

        # what the ranks are costs nothing; a library's own lie in its manifest
        ranks = tuple(number / 32.0 for number in range(33))
        return RhythmEncoder(RhythmStats(ranks, ranks, ranks))
    encoder = registry.of_weights(weights.load(source))
    if not torch:
        return encoder
    from choreodb.benchmarks.runs.embed_torch import TorchTowers
    from choreodb.indexer.encoders.towers import TowerEncoder

    assert isinstance(encoder, TowerEncoder)
    return TorchTowers(encoder)


if __name__ == "__main__":
    main(sys.argv[1:])
