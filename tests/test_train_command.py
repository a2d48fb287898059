"""`choreodb train encoder` on the sample: from a library and its songs to weights that embed, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from choreodb.cli import main
from choreodb.indexer.encoders import registry, weights

TINY = """
name = "tiny"
steps = 6
batch = 6
every = 3
held_out = 0.25
[tower]
context_s = 3.0
width = 8
layers = 1
"""


@pytest.fixture(scope="module")
def trained(sample_library: Path, sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("train")
    (folder / "encoder.toml").write_text(TINY)
    out = folder / "tiny.safetensors"
    said = ["train", "encoder", str(sample_library), "--songs", str(sample_folder), "--out", str(out),
            "--config", str(folder / "encoder.toml"), "--note", "troupe, seed 3"]  # fmt: skip
    assert main(said) == 0
    return out


def test_it_writes_weights_with_a_card_that_says_how(trained: Path) -> None:
    made = weights.load(trained)
    assert made.card["architecture"] == "tower"
    assert made.card["data"]["note"] == "troupe, seed 3"
    assert made.card["data"]["licence"] == "CC0-1.0"
    assert made.card["data"]["held_out_songs"] > 0
    assert {"held_song", "train_song", "best_step"} <= set(made.card["metrics"])
    assert str(trained.parent) not in made.card["command"]
    assert sorted(path.name for path in trained.parent.iterdir()) == [
        "encoder.toml", "tiny.json", "tiny.md", "tiny.safetensors",
    ]  # fmt: skip


def test_the_weights_embed_a_song_and_a_clip(trained: Path, sample_song: Path) -> None:
    from choreodb.indexer.encoders.base import MusicWindow
    from choreodb.music.music import Music

    encoder = registry.of_weights(weights.load(trained))
    rows = encoder.embed_music(Music.load(sample_song), [MusicWindow(2.0, 4.0, np.arange(2.0, 4.1, 0.5), 4)])
    assert rows.shape == (1, 256)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    assert encoder.name == "tiny"


def test_the_same_command_gives_the_same_weights(
    trained: Path, sample_library: Path, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["train", "encoder", str(sample_library), "--songs", str(sample_folder), "--json",
            "--config", str(trained.parent / "encoder.toml"), "--out", str(tmp_path / "tiny.safetensors")]  # fmt: skip
    assert main(said) == 0
    assert json.loads(capsys.readouterr().out)["hash"] == weights.load(trained).hash
    assert (tmp_path / "tiny.safetensors").read_bytes() == trained.read_bytes()


@pytest.mark.parametrize(("songs", "more", "said"), [
    ("nowhere", [], "no folder"), (".", [], "needs at least 4"), (None, ["--out", "w.pickle"], "safetensors"),
    (None, ["--config", "none.toml"], "cannot be read"), (None, ["--start", "rhythm"], "no weights"),
])  # fmt: skip
def test_what_cannot_be_trained_is_refused_in_one_line(
    sample_library: Path, sample_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], songs: str | None, more: list[str], said: str,
) -> None:  # fmt: skip
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    command = ["train", "encoder", str(sample_library), "--songs", songs or str(sample_folder), *more]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
