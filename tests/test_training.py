"""Training of encoders: masks, variations, determinism, going on, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from choreodb.errors import EncoderError
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import weights
from choreodb.indexer.training import augment, batches, config, scores, takes
from choreodb.indexer.training.augment import Variation
from choreodb.indexer.training.batches import Crop
from choreodb.indexer.training.config import AugmentConfig, TrainConfig, built
from choreodb.indexer.training.takes import Take
from choreodb.music.grid import NO_GRID, BeatGrid

QUICK = built({"steps": 30, "batch": 8, "every": 15, "held_out": 0.0, "hard_negatives": 1,
               "tower": {"context_s": 4.0, "width": 16, "layers": 2}}, "test")  # fmt: skip


def grid(bpm: float, seconds: float) -> BeatGrid:
    times = np.arange(0.0, seconds, 60.0 / bpm)
    return BeatGrid(times, (np.arange(len(times)) % 4 + 1).astype(np.int32), 4, bpm, 1.0, "music")


def make_take(number: int, *, seconds: float = 24.0, style: str | None = None, song: str | None = None) -> Take:
    """A take whose music and motion share a secret number: a band of the spectrum and the height of a hand."""
    rng = np.random.default_rng(number)
    frames = int(seconds * 20) + 1
    heard = rng.normal(-40.0, 3.0, (frames, channels.MUSIC_CHANNELS)).astype(np.float32)
    heard[:, 4 * (number % 16) : 4 * (number % 16) + 4] += 25.0
    heard[:, -5:-1] = rng.random((frames, 4))
    seen = rng.normal(0.0, 0.05, (frames, channels.MOTION_CHANNELS)).astype(np.float32)
    seen[:, 8 * (number % 16) : 8 * (number % 16) + 8] += 1.0
    return Take(
        f"clip{number}", song or f"song{number}", style or ("waltz", "rumba")[number % 2], f"origin{number}", heard, seen,
        0.0, grid(100.0 + number, seconds), grid(100.0 + number, seconds), np.array([[0.0, seconds]]),
        np.empty((0, 2)), np.empty(0, dtype=np.int64),
    )  # fmt: skip


@pytest.fixture(scope="module")
def eight() -> list[Take]:
    return [make_take(number) for number in range(8)]


def crop(take: Take, middle_s: float = 10.0) -> Crop:
    return Crop(take, middle_s, (0.0, 24.0))


# --- what may be a negative -----------------------------------------------------------------------------------------


def test_one_song_one_source_and_twins_are_no_negatives(eight: list[Take]) -> None:
    same_song = replace(eight[1], song=eight[0].song)
    same_source = replace(eight[2], origin=eight[0].origin)
    spans, group = np.array([[9.0, 11.0]]), np.array([5])
    twins = [replace(take, twin_spans=spans, twin_groups=group) for take in (eight[3], eight[4])]
    crops = [crop(take) for take in (eight[0], same_song, same_source, *twins, eight[5])]
    negative, alike = batches.relations(crops, masks=True)
    assert not negative[0, 1]
    assert not negative[0, 2]
    assert not negative[3, 4]
    assert negative[0, 5]
    assert negative[3, 5]
    assert np.array_equal(negative, negative.T)
    assert not negative.diagonal().any()
    assert alike[0, 2]
    assert not alike[0, 1]
    unmasked, _ = batches.relations(crops, masks=False)
    assert not unmasked[0, 1]
    assert unmasked[0, 2]
    assert unmasked[3, 4]


def test_a_batch_has_one_crop_a_song_inside_what_may_be_used(eight: list[Take]) -> None:
    two = [replace(eight[0], spans=np.array([[2.0, 7.0], [15.0, 20.0]])), replace(eight[0], clip="other"), *eight[1:]]
    for seed in range(20):
        drawn = batches.draw(two, QUICK, np.random.default_rng(seed))
        songs = [each.take.song for each in drawn]
        assert len(set(songs)) == len(songs) == 8
        for each in drawn:
            assert each.span[0] + 2.0 - 1e-9 <= each.middle_s <= each.span[1] - 2.0 + 1e-9


def test_motion_outside_of_a_crops_span_is_not_looked_at(eight: list[Take]) -> None:
    damaged = eight[0].seen.copy()
    damaged[: 20 * 8] = damaged[20 * 13 :] = 1e6
    inside = Crop(replace(eight[0], seen=damaged), 10.5, (8.1, 12.9))
    seen = batches.seen([inside], [Variation(rate=1.3, offset_s=1.0)], QUICK.tower)
    assert np.abs(seen.frames).max() < 100.0


def test_rare_styles_are_as_likely_as_common_ones() -> None:
    many = [make_take(number, style="waltz" if number < 28 else "rumba") for number in range(32)]
    settings = replace(QUICK, batch=8)
    drawn = [
        each.take.style for seed in range(60) for each in batches.draw(many, settings, np.random.default_rng(seed))
    ]
    # four rumbas cannot fill half of every batch of eight, but nearly
    assert 0.35 < drawn.count("rumba") / len(drawn) <= 0.5


# --- songs held out -------------------------------------------------------------------------------------------------


def test_held_out_songs_share_no_song_source_or_twin_with_training() -> None:
    many = [make_take(number) for number in range(12)]
    spans, group = np.array([[4.0, 8.0], [12.0, 14.0]]), np.array([1, 2])
    many = [replace(take, twin_spans=spans, twin_groups=group) if number % 3 == 0 else take
            for number, take in enumerate(many)]  # fmt: skip
    many[5] = replace(many[5], origin=many[0].origin)
    kept, held, dropped = takes.held_out(many, 0.3, np.random.default_rng(2))
    assert held
    assert not {take.song for take in kept} & {take.song for take in held}
    assert not {take.origin for take in kept} & {take.origin for take in held}
    groups = {int(each) for take in held for each in take.twin_groups}
    for take in kept:
        for (start, end), own in zip(take.twin_spans, take.twin_groups, strict=True):
            overlaps = (take.spans[:, 0] < end) & (take.spans[:, 1] > start)
            assert not (int(own) in groups and overlaps.any())
    if groups & {1, 2}:
        assert dropped > 0


def test_spans_less_what_is_taken() -> None:
    spans = np.array([[0.0, 10.0], [20.0, 30.0]])
    taken = np.array([[2.0, 3.0], [9.0, 22.0], [40.0, 50.0]])
    assert takes.without(spans, taken).tolist() == [[0.0, 2.0], [3.0, 9.0], [22.0, 30.0]]
    assert takes.merged([(6.0, 12.0), (0.0, 6.0), (18.0, 24.0)]).tolist() == [[0.0, 12.0], [18.0, 24.0]]


def test_nan_in_motion_is_named_by_clip_and_second(eight: list[Take]) -> None:
    seen = eight[3].seen.copy()
    seen[41, 7] = np.nan
    with pytest.raises(EncoderError, match=r"'clip3'.*2\.05 s"):
        takes.checked([*eight[:3], replace(eight[3], seen=seen)])


# --- variations -----------------------------------------------------------------------------------------------------


def test_no_variation_leaves_a_crop_as_an_encoder_sees_it(eight: list[Take]) -> None:
    music, motion = batches.plain([crop(eight[0])], QUICK.tower)
    still = augment.draw(AugmentConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), np.random.default_rng(1))
    assert np.array_equal(batches.heard([crop(eight[0])], [still], QUICK.tower).frames, music.frames)
    assert np.array_equal(batches.seen([crop(eight[0])], [still], QUICK.tower).frames, motion.frames)


def test_a_warp_changes_the_tempo_of_both_sides_alike(eight: list[Take]) -> None:
    fast = [Variation(rate=1.1)]
    music, motion = (side([crop(eight[0])], fast, QUICK.tower) for side in (batches.heard, batches.seen))
    assert np.allclose(music.rhythm, motion.rhythm, atol=1e-5)
    still = batches.heard([crop(eight[0])], [Variation()], QUICK.tower)
    assert (music.rhythm * still.rhythm).sum() < 0.95


def test_a_hard_negative_is_another_tempo_or_time_and_the_same_look(eight: list[Take]) -> None:
    rng = np.random.default_rng(4)
    base = augment.draw(AugmentConfig(), rng)
    for _ in range(20):
        assert 0.05 < abs(np.log(augment.wrong(base, 0, rng).false_rate)) < 0.18
        assert 0.39 < abs(augment.wrong(base, 1, rng).offset_s - base.offset_s) < 0.71
    batch = batches.collate([crop(take) for take in eight], QUICK, rng)
    assert len(batch.motion) == 16
    assert batch.negative[:, 8:].sum() == 8


def test_pitch_moves_bands_up(eight: list[Take]) -> None:
    plain = batches.heard([crop(eight[1])], [Variation()], QUICK.tower).frames[0, :, :64].mean(0)
    moved = batches.heard([crop(eight[1])], [Variation(pitch=3.0)], QUICK.tower).frames[0, :, :64].mean(0)
    assert np.allclose(moved[6:12], plain[3:9], atol=1.0)


# --- the loop -------------------------------------------------------------------------------------------------------


def test_training_finds_the_secret_that_music_and_motion_share(eight: list[Take]) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training.loop import train

    trained = train(
        eight, eight, replace(QUICK, steps=100, rate=5e-3, dropout=0.0, augment=AugmentConfig(mirror=0.0, pitch=0.0))
    )
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert trained.history[-1]["held_song"] > 0.8


def test_the_same_seed_gives_the_same_bytes_also_when_interrupted(eight: list[Take], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training.loop import train

    whole = train(eight, [], QUICK)
    again = train(eight, [], QUICK)
    path = tmp_path / "run.safetensors"

    class Stop(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if done > 17:
            raise Stop

    with pytest.raises(Stop):
        train(eight, [], QUICK, checkpoint=path, progress=stop)
    gone_on = train(eight, [], QUICK, checkpoint=path)
    other = train(eight, [], replace(QUICK, seed=1))
    for name, array in whole.tensors.items():
        assert np.array_equal(array, again.tensors[name]), name
        assert np.array_equal(array, gone_on.tensors[name]), name
    assert not np.array_equal(whole.tensors["music.head"], other.tensors["music.head"])


def test_a_run_that_diverges_stops_with_step_and_loss(eight: list[Take]) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training.loop import train

    begun = train(eight, [], replace(QUICK, steps=1)).tensors
    huge = {**begun, "motion.head": begun["motion.head"] * np.float32(1e38)}
    with pytest.raises(EncoderError, match=r"diverged at step 1 with a loss of nan"):
        train(eight, [], QUICK, start=huge)


def test_a_checkpoint_of_another_architecture_or_config_is_refused(eight: list[Take], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training.loop import train

    path = tmp_path / "run.safetensors"
    card = {"architecture": "retina", "version": 1, "config": {}, "data": {}, "metrics": {}, "command": ""}
    weights.save(path, {"a": np.zeros(3, np.float32)}, card)
    with pytest.raises(EncoderError, match="'retina'"):
        train(eight, [], QUICK, checkpoint=path)
    path.unlink()
    train(eight, [], replace(QUICK, steps=15), checkpoint=path)
    with pytest.raises(EncoderError, match="rate"):
        train(eight, [], replace(QUICK, rate=1e-4), checkpoint=path)


def test_a_start_of_another_architecture_is_refused_by_name(tmp_path: Path) -> None:
    from choreodb.indexer.training import encoder

    card = {"architecture": "retina", "version": 1, "config": {}, "data": {}, "metrics": {}, "command": ""}
    made = weights.save(tmp_path / "w.safetensors", {"a": np.zeros(3, np.float32)}, card)
    with pytest.raises(EncoderError, match="'retina', not 'tower'"):
        encoder.fitting(made)


def test_a_checkpoint_of_other_data_is_refused(eight: list[Take], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training.loop import train

    path = tmp_path / "run.safetensors"
    short = replace(QUICK, steps=15)
    train(eight, [], short, checkpoint=path)
    for used, held in ((eight[1:], []), (eight, eight[:2]), ([eight[0].within([(0.0, 9.0)]), *eight[1:]], [])):
        with pytest.raises(EncoderError, match="other clips, songs or weights"):
            train(used, held, short, checkpoint=path)


def test_early_stopping_keeps_the_best_look(eight: list[Take]) -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.training.loop import train

    noise = [
        replace(take, seen=np.random.default_rng(9).normal(size=take.seen.shape).astype(np.float32)) for take in eight
    ]
    trained = train(noise, noise, replace(QUICK, steps=400, every=5, patience=2))
    assert trained.steps < 400
    assert trained.best_step <= trained.steps - 10


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "said"), [
    ("steps = 'many'", "steps = 'many'"), ("stepz = 3", "'stepz' is no setting"), ("steps = 0", "steps = 0"),
    ("[tower]\nwidth = 2", "width = 2"), ("tower = 3", r"\[tower\]"), ("way = 'magic'", "magic"), ("steps = = 3", "not TOML"),
    ("steps = true", "True"),
])  # fmt: skip
def test_a_config_that_is_wrong_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "encoder.toml"
    path.write_text(text)
    with pytest.raises(EncoderError, match=said) as caught:
        config.read(path)
    assert "\n" not in str(caught.value)


def test_a_config_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "encoder.toml"
    path.write_text("steps = 7\nrate = 1\n[augment]\nwarp = 0\n")
    found = config.read(path)
    assert found == replace(TrainConfig(), steps=7, rate=1.0, augment=AugmentConfig(warp=0.0))


def test_figures_of_a_perfect_and_a_useless_score(eight: list[Take]) -> None:
    perfect = np.eye(8, dtype=np.float32)
    assert scores.figures(perfect, eight)["song"] == 1.0
    assert scores.figures(np.zeros((8, 8), np.float32), eight) == {"song": 0.5, "style": 0.5}
    assert NO_GRID.metre == 4
