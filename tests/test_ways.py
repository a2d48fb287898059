"""Learning without pairs, and on top of a frozen audio network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_training import QUICK, grid, make_take

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import adapter as adapters
from choreodb.indexer.encoders import onnx_audio, towers, weights
from choreodb.indexer.encoders.base import MusicWindow
from choreodb.indexer.encoders.onnx_audio import AudioNetwork, Recipe
from choreodb.indexer.training import batches, pairing
from choreodb.indexer.training.augment import Variation
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.config import built
from choreodb.indexer.training.takes import Take

MUSICNN = "musicnn_mtt.onnx"
ADAPTED = built({"way": "adapter", "steps": 12, "batch": 8, "every": 6, "held_out": 0.0,
                 "tower": {"context_s": 4.0, "width": 16, "layers": 2}}, "test")  # fmt: skip


def steady(number: int, bpm: float) -> Take:
    """Music and motion at one tempo, both of which mark the beat."""
    take = make_take(number)
    beat = grid(bpm, 24.0)
    hits = np.zeros(len(take.heard), dtype=np.float32)
    hits[np.rint(beat.times_s[:-1] * 20).astype(int)] = 1.0
    heard, seen = take.heard.copy(), take.seen.copy()
    heard[:, -5:-1] = hits[:, None]
    seen[:, 66:132] += hits[:, None]
    return replace(take, heard=heard, seen=seen, heard_grid=beat, seen_grid=beat)


@pytest.fixture(scope="module")
def sixteen() -> list[Take]:
    """Two songs of every tempo, in two styles."""
    return [steady(number, 84.0 + 6.0 * (number // 2)) for number in range(16)]


# --- without pairs --------------------------------------------------------------------------------------------------


def test_halves_share_no_song_and_no_source_and_forget_styles(sixteen: list[Take]) -> None:
    shared = [replace(sixteen[0], song="again", clip="again"), *sixteen]
    music, motion = pairing.halves(shared, np.random.default_rng(1))
    assert not {take.song for take in music} & {take.song for take in motion}
    assert not {take.origin for take in music} & {take.origin for take in motion}
    assert {take.style for take in (*music, *motion)} == {None}
    assert 5 <= len({take.song for take in music}) <= 11


def test_pseudo_pairs_have_one_tempo_and_never_the_true_song(sixteen: list[Take]) -> None:
    made = pairing.pair(sixteen, replace(QUICK, way="unpaired"))
    found = made.pairs(pairing.NEAREST[0])
    pairs = [(made.music.takes[a], made.motion.takes[b]) for a, b in found]
    tempi = np.array([[heard.heard_grid.tempo_bpm, seen.seen_grid.tempo_bpm] for heard, seen in pairs])
    assert len(found) > 2
    assert np.median(np.abs(np.log2(tempi[:, 0] / tempi[:, 1]))) < 0.1
    assert all(heard.song != seen.song for heard, seen in pairs)


def test_kin_find_what_a_single_song_cannot(rng: np.random.Generator) -> None:
    """Two kinds of songs and of dances: tempi overlap, but those of a kind have one mean."""
    kinds = np.repeat([0, 1], 12)
    tempo = rng.normal(7.0 + 0.15 * kinds, 0.12)
    sides = []
    for _ in range(2):
        looks = np.eye(2)[kinds] + 0.05 * rng.normal(size=(24, 2))
        own = np.concatenate([rng.permutation(tempo[kinds == kind]) for kind in (0, 1)])
        sides.append(pairing.Side((), (), np.empty(0, np.int64), np.empty(0), own, np.zeros((24, 1)), looks))
    same = kinds[:, None] == kinds
    alone = np.abs(sides[0].tempo[:, None] - sides[1].tempo)
    found = pairing.plan(sides[0], sides[1])
    assert np.allclose(found.sum(axis=0), 1 / 24, atol=1e-6)
    assert np.allclose(found.sum(axis=1), 1 / 24, atol=1e-3)
    apart = pairing.shared_out(-alone / alone.std())
    nearest = [(pairing.ranks(table) < 3) for table in (found, apart)]
    share = [same[chosen].mean() for chosen in nearest]
    assert share[0] > share[1] + 0.1
    assert share[0] > 0.85


def test_kin_are_near_and_add_up(rng: np.random.Generator) -> None:
    looks = np.concatenate([rng.normal(0.0, 0.1, (6, 5)), rng.normal(3.0, 0.1, (6, 5))])
    found = pairing.kin(looks, 3)
    assert np.allclose(found.sum(axis=1), 1.0)
    assert found[:6, :6].sum() > 5.5


def test_the_motion_of_a_pair_is_shown_at_the_tempo_of_its_music_beat_on_beat(sixteen: list[Take]) -> None:
    heard, seen = sixteen[0], sixteen[6]
    crop = pairing.on_the_beat(Crop(seen, 10.3, (0.0, 24.0), heard, 7.7))
    assert crop.rate == pytest.approx(heard.heard_grid.tempo_bpm / seen.seen_grid.tempo_bpm)
    assert abs(crop.other_s - 7.7) < 0.8
    times = np.arange(8.5, 12.0, 0.01)
    played = (times - crop.middle_s) / crop.rate + crop.other_s
    phase = [np.interp(at, grid.times_s, np.arange(len(grid.times_s))) % 1.0
             for at, grid in ((times, seen.seen_grid), (played, heard.heard_grid))]  # fmt: skip
    apart = np.abs(phase[0] - phase[1])
    assert np.minimum(apart, 1.0 - apart).max() < 0.05
    far = replace(crop, other=replace(heard, heard_grid=grid(200.0, 24.0)), rate=1.0)
    assert pairing.on_the_beat(far) == far
    plain = batches.seen([crop], [Variation()], QUICK.tower)
    faster = batches.seen([replace(crop, rate=1.0)], [Variation(false_rate=crop.rate)], QUICK.tower)
    assert np.array_equal(plain.frames, faster.frames)


def test_the_curriculum_takes_in_more_pairs_later_and_repeats_no_song_in_a_batch(sixteen: list[Take]) -> None:
    config = replace(QUICK, way="unpaired")
    made = pairing.pair(sixteen, config)
    assert len(made.pairs(pairing.NEAREST[0])) < len(made.pairs(pairing.NEAREST[1]))
    drawn = made.drawn(config, config.steps, np.random.default_rng(3))
    for songs in ([crop.heard.song for crop in drawn], [crop.take.song for crop in drawn]):
        assert len(set(songs)) == len(songs) > 1
    assert all(crop.other is not None for crop in drawn)


def test_ranks_are_mutual() -> None:
    found = np.array([[3.0, 2.0], [5.0, 4.0]])
    assert pairing.ranks(found).tolist() == [[1, 1], [0, 1]]


def test_unpaired_training_runs_goes_on_where_it_was_and_repeats_itself(sixteen: list[Take], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training import encoder

    class Stop(Exception):
        pass

    done = 0

    def stop(stage: str, at: int, total: int) -> None:
        nonlocal done
        done += 1
        if done > 17:
            raise Stop

    config = replace(QUICK, way="unpaired", steps=10, every=5, rounds=2)
    one = encoder.run(sixteen, sixteen[:6], config)
    out = tmp_path / "w.safetensors"
    path = encoder.checkpoint_of(out)
    with pytest.raises(Stop):
        encoder.run(sixteen, sixteen[:6], config, checkpoint=path, progress=stop)
    assert encoder.of_round(path, 1).is_file()
    two = encoder.run(sixteen, sixteen[:6], config, checkpoint=path)
    assert one.steps == one.best_step == 10
    assert all(np.array_equal(one.tensors[name], two.tensors[name]) for name in one.tensors)
    assert "held_song" in one.history[-1]
    encoder.remove_checkpoint(out)
    assert list(tmp_path.iterdir()) == []


def test_too_little_to_pair_is_refused(sixteen: list[Take]) -> None:
    with pytest.raises(EncoderError, match=r"too few|fewer than 2"):
        pairing.pair(sixteen[:1], QUICK)


# --- on a frozen audio network --------------------------------------------------------------------------------------


def fake_patches(takes: list[Take], width: int = 8) -> dict[str, np.ndarray]:
    return {take.song: (np.random.default_rng(at).normal(size=width) + 0.1 * np.random.default_rng(99).normal(size=(24, width))).astype(np.float32)
            for at, take in enumerate(takes)}  # fmt: skip


def test_an_adapter_learns_and_leaves_the_motion_tower_alone(sixteen: list[Take]) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training import adapter
    from choreodb.indexer.training.loop import train

    motion = train(sixteen, [], replace(QUICK, steps=1)).tensors
    recipe = Recipe(width=8)
    config = replace(ADAPTED, steps=80, every=40, rate=1e-2, dropout=0.0)
    trained = adapter.train(sixteen, [], fake_patches(sixteen), recipe, motion, config)
    assert trained.history[-1]["train_song"] > 0.55
    for name in motion:
        if name.startswith("motion."):
            assert np.array_equal(trained.tensors[name], motion[name])
    again = adapter.train(sixteen, [], fake_patches(sixteen), recipe, motion, config)
    assert np.array_equal(trained.tensors["adapter.head"], again.tensors["adapter.head"])


def test_an_adapter_that_was_interrupted_goes_on_to_the_same_bytes(sixteen: list[Take], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training import adapter
    from choreodb.indexer.training.loop import train

    motion = train(sixteen, [], replace(QUICK, steps=1)).tensors
    recipe, patches, path = Recipe(width=8), fake_patches(sixteen), tmp_path / "run.safetensors"
    config = replace(ADAPTED, steps=20, every=6, held_out=0.2)

    class Stop(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if done > 14:
            raise Stop

    whole = adapter.train(sixteen[:12], sixteen[12:], patches, recipe, motion, config)
    with pytest.raises(Stop):
        adapter.train(sixteen[:12], sixteen[12:], patches, recipe, motion, config, checkpoint=path, progress=stop)
    assert weights.load(path).card["metrics"]["step"] == 12
    gone_on = adapter.train(sixteen[:12], sixteen[12:], patches, recipe, motion, config, checkpoint=path)
    assert gone_on.history == whole.history
    for name, array in whole.tensors.items():
        assert array.tobytes() == gone_on.tensors[name].tobytes(), name


def test_an_adapter_goes_on_with_nothing_but_its_own_run(sixteen: list[Take], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training import adapter
    from choreodb.indexer.training.loop import train

    motion = train(sixteen, [], replace(QUICK, steps=1)).tensors
    recipe, patches, path = Recipe(width=8), fake_patches(sixteen), tmp_path / "run.safetensors"
    adapter.train(sixteen, [], patches, recipe, motion, ADAPTED, checkpoint=path)
    with pytest.raises(EncoderError, match=r"rate = 0\.002, now 0\.001"):
        adapter.train(sixteen, [], patches, recipe, motion, replace(ADAPTED, rate=1e-3), checkpoint=path)
    other = {**patches, sixteen[0].song: patches[sixteen[0].song] + 1.0}
    for takes, heard in ((sixteen, other), (sixteen[1:], patches)):
        with pytest.raises(EncoderError, match="other clips, songs or weights"):
            adapter.train(takes, [], heard, recipe, motion, ADAPTED, checkpoint=path)
    with pytest.raises(EncoderError, match="'adapter-checkpoint', not 'towers-checkpoint'"):
        train(sixteen, [], QUICK, checkpoint=path)


def test_an_adapter_that_diverges_stops_with_step_and_loss(sixteen: list[Take]) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training import adapter
    from choreodb.indexer.training.loop import train

    motion = train(sixteen, [], replace(QUICK, steps=1)).tensors
    lost = {song: np.full_like(rows, np.nan) for song, rows in fake_patches(sixteen).items()}
    with pytest.raises(EncoderError, match="diverged at step 1 with a loss of nan"):
        adapter.train(sixteen, [], lost, Recipe(width=8), motion, ADAPTED)


def test_a_motion_tower_of_another_size_is_refused_with_both_shapes(sixteen: list[Take]) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training import adapter
    from choreodb.indexer.training.loop import train

    motion = train(sixteen, [], replace(QUICK, steps=1)).tensors
    wide = replace(ADAPTED, tower=replace(ADAPTED.tower, width=24))
    with pytest.raises(EncoderError, match=r"\(32, .*\(48, "):
        adapter.train(sixteen, [], fake_patches(sixteen), Recipe(width=8), motion, wide)


def test_summaries_take_the_patches_of_a_stretch() -> None:
    patches = np.arange(20, dtype=np.float32)[:, None]
    found = adapters.summaries(patches, np.array([10.0, -5.0, 90.0]), 6.0, Recipe(width=1))
    assert found[:, 0].tolist() == [9.5, 0.5, 18.5] or np.allclose(found[0, 0], 9.5)
    assert found[1, 0] < 2.0
    assert found[2, 0] > 17.0


def test_log_mel_is_what_librosa_makes(rng: np.random.Generator) -> None:
    librosa = pytest.importorskip("librosa")
    samples = rng.normal(size=16_000).astype(np.float32) * 0.1
    recipe = Recipe()
    mel = librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=96)
    assert np.allclose(onnx_audio.log_mel(samples, recipe), np.log10(10_000.0 * mel.T + 1.0), atol=1e-3)


@pytest.mark.parametrize(("text", "said"), [
    ("bands = 'many'", "bands = 'many'"), ("band = 3", "'band'"), ("bands = 1", "bands = 1"), ("bands = = 3", "not TOML"),
])  # fmt: skip
def test_a_wrong_recipe_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(EncoderError, match=said):
        onnx_audio.read_recipe(tmp_path / "x.onnx")


def test_a_missing_recipe_and_a_file_that_is_no_network_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(EncoderError, match="mel recipe"):
        onnx_audio.read_recipe(tmp_path / "x.onnx")
    with pytest.raises(EncoderError, match="no ONNX network"):
        AudioNetwork(b"hello", Recipe(), source="'x.onnx'")


@pytest.mark.realdata
@pytest.mark.parametrize(("change", "said"), [
    ({"bands": 64}, r"\[n, 187, 96\].*\[n, 187, 64\]"), ({"frames": 100}, r"\[n, 187, 96\].*\[n, 100, 96\]"),
    ({"width": 50}, r"\[n, 200\].*\[n, 50\]"), ({"output": 9}, "3 outputs"),
])  # fmt: skip
def test_a_network_whose_shapes_do_not_fit_its_recipe_is_refused_with_both(
    realdata: Path, change: dict[str, int], said: str
) -> None:
    pytest.importorskip("onnxruntime")
    network = onnx_audio.read_network(realdata.parent / "models" / MUSICNN)
    with pytest.raises(EncoderError, match=said):
        AudioNetwork(network, Recipe(**change), source=MUSICNN)


@pytest.mark.realdata
def test_musicnn_under_an_adapter_becomes_an_encoder_that_opens_elsewhere(
    realdata: Path, sample_library: Path, sample_folder: Path, sample_song: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    from choreodb.cli import main
    from choreodb.indexer.encoders import registry
    from choreodb.music.music import Music

    network = tmp_path / "net.onnx"
    network.write_bytes((realdata.parent / "models" / MUSICNN).read_bytes())
    (tmp_path / "net.toml").write_text(
        "rate_hz = 16000\nwindow = 512\nhop = 256\nbands = 96\nframes = 187\nwidth = 200\n"
    )
    config = replace(QUICK, steps=2, every=1)
    start = tmp_path / "start.safetensors"
    (tmp_path / "c.toml").write_text('way = "adapter"\nsteps = 4\nbatch = 4\nevery = 2\nheld_out = 0.0\n')
    card = {"architecture": towers.ARCHITECTURE, "version": 1, "data": {}, "metrics": {}, "command": "test",
            "config": {"context_s": 4.0, "width": 16, "layers": 2, "rotations": False, "synchronous": False,
                       "traits": True, "rhythm_share": 0.0}}  # fmt: skip
    rng = np.random.default_rng(3)
    weights.save(start, {name: rng.normal(0.5, 0.1, shape).astype(np.float32)
                         for name, shape in towers.shapes(config.tower).items()}, card)  # fmt: skip
    out = tmp_path / "adapted.safetensors"
    said = ["train", "encoder", str(sample_library), "--songs", str(sample_folder), "--out", str(out), "--config",
            str(tmp_path / "c.toml"), "--start", str(start)]  # fmt: skip
    assert main(said) == 1
    assert main([*said, "--onnx", str(network)]) == 0
    encoder = registry.of_weights(weights.load(out))
    rows = encoder.embed_music(Music.load(sample_song), [MusicWindow(2.0, 4.0, np.arange(2.0, 4.1, 0.5), 4)])
    assert rows.shape == (1, 256)
    assert np.allclose(np.linalg.norm(rows), 1.0, atol=1e-5)
    assert batches.every([], 4.0) == []
