"""`bench embed`: every row is there, and torch gives what numpy gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choreodb.benchmarks.runs import embed, embed_torch
from choreodb.benchmarks.runs.registry import BenchRequest
from choreodb.indexer.encoders.towers import TowerConfig, TowerEncoder
from choreodb.music.music import Music


def test_the_quick_bench_has_every_row(sample_song: Path, sample_library: Path) -> None:
    request = BenchRequest(sample_library, (sample_song,), None, None, 0, lambda *_: None, quick=True)
    result = embed.run(request)
    rows = {row["row"]: row for row in result.rows}
    names = [name for name in rows if name != "(decoding and analysis)"]
    assert "rhythm" in names
    assert any(name.endswith("numpy") for name in names)
    for name in names:
        assert rows[name]["song_cpu_s"] > 0.0
        assert rows[name]["realtime"] > 0.0
        assert rows[name]["cold_cpu_s"] > 0.0
        assert f"| {name} |" in result.table
    assert any(name.endswith("torch") for name in names) == embed_torch.has_torch()


@pytest.mark.parametrize("config", [TowerConfig(), TowerConfig(rhythm_share=0.3, rotations=True, synchronous=True)])
def test_torch_gives_what_numpy_gives(config: TowerConfig, sample_song: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    encoder = TowerEncoder(embed.untaught(tmp_path / "x.safetensors", config))
    other = embed_torch.TorchTowers(encoder)
    music = Music.load(sample_song)
    windows = embed.music_windows(music)
    np.testing.assert_allclose(other.embed_music(music, windows), encoder.embed_music(music, windows), atol=1e-5)
    motion, own = embed._made_dance(3, seconds=12.0)
    np.testing.assert_allclose(other.embed_motion(motion, own), encoder.embed_motion(motion, own), atol=1e-5)
    assert other.embed_music(music, []).shape == (0, 256)
