"""The learnt timing branch: trained from the plain score on, carried by weights, used by search and by the plan."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_training import QUICK, make_take

from choreodb.cli import main
from choreodb.errors import EncoderError
from choreodb.indexer import timing as measured
from choreodb.indexer import timing_branch, timing_context
from choreodb.indexer.encoders import frames as channels
from choreodb.indexer.encoders import registry, towers, weights
from choreodb.indexer.timing_branch import TimingBranch
from choreodb.indexer.timing_context import TimingContext
from choreodb.indexer.training import timing
from choreodb.indexer.training.config import TimingConfig
from choreodb.indexer.training.takes import Take
from choreodb.library import Library
from choreodb.music.music import Music
from choreodb.retriever import candidates, planner, reranking, song
from choreodb.retriever import timing as price
from choreodb.retriever.nearest import nearest_to_music
from choreodb.retriever.options import PlanOptions
from choreodb.storage.store import Store

LEARN = TimingConfig(steps=80)


def marked(number: int) -> Take:
    """A take whose pelvis falls at the strokes of the lowest band, and nothing else that is related."""
    take = make_take(number, seconds=40.0, style="waltz")
    rng = np.random.default_rng(100 + number)
    strokes = np.zeros(len(take.heard), dtype=np.float32)
    strokes[rng.choice(len(strokes), len(strokes) // 9, replace=False)] = 1.0
    heard, seen = take.heard.copy(), take.seen.copy()
    heard[:, -5:-1] = rng.random((len(heard), 4)) ** 2
    heard[:, -5] = strokes**2 + 0.01
    seen[:, channels.VELOCITIES] = rng.normal(0.0, 0.3, seen[:, channels.VELOCITIES].shape)
    seen[:, channels.VELOCITIES.start + 1] = rng.normal(0.0, 0.3, len(seen)) - 0.3 * strokes[: len(seen)]
    return replace(take, heard=heard, seen=seen, spans=np.array([[0.0, 40.0]]))


@pytest.fixture(scope="module")
def six() -> list[Take]:
    return [marked(number) for number in range(6)]


@pytest.fixture(scope="module")
def branch(six: list[Take]) -> TimingBranch:
    return timing.train(six, LEARN, np.random.default_rng(1))


def test_what_goes_together_gains_weight_and_the_same_arguments_give_the_same(
    six: list[Take], branch: TimingBranch
) -> None:
    rise = measured.CURVES.index("rise")
    assert np.unravel_index(branch.context.argmax(), branch.context.shape) == (rise, 0)
    assert branch.bar[rise, 0] < 0.0
    assert (branch.context >= 0.0).all()
    again = timing.train(six, LEARN, np.random.default_rng(1))
    assert np.array_equal(branch.context, again.context)
    assert np.array_equal(branch.bar, again.bar)


def test_it_begins_at_the_plain_score(six: list[Take]) -> None:
    still = timing.train(six, replace(LEARN, steps=0), np.random.default_rng(1))
    assert np.allclose(still.shares(), 1.0)
    assert np.allclose(still.bar / np.abs(still.bar).max(), timing_branch.PLAIN_BAR)
    alone = timing.train(six[:1], LEARN, np.random.default_rng(1))
    assert np.allclose(alone.shares(), 1.0)


def test_equal_weights_are_no_weights(rng: np.random.Generator) -> None:
    context = TimingContext(length_s=6.0, reach_s=0.25)
    heard = rng.normal(size=(4 * (2 * context.reach + 1), context.count)).astype(np.float32)
    seen = rng.normal(size=(5, 4, context.count)).astype(np.float32)
    plain = timing_context.together(heard, seen)
    even = TimingBranch(np.full((4, 4), 0.3), np.zeros((4, 4)))
    assert np.allclose(timing_context.together(heard, seen, weight=even.shares()), plain)
    # one curve and one band alone are their own strongest correlation
    one = TimingBranch(np.eye(4)[:, [0]] @ np.eye(4)[[1]], np.zeros((4, 4)))
    strongest = np.abs(seen[:, 0] @ heard.reshape(4, -1, context.count)[1].T).max(axis=1)
    assert np.allclose(timing_context.together(heard, seen, weight=one.shares()), strongest, rtol=1e-5)


def test_a_bar_is_priced_by_the_branch_as_by_hand(rng: np.random.Generator, sample_song: Path) -> None:
    music = Music.load(sample_song)
    steps = [step for step in song.steps(music, music.grids[0]) if step.kind == "bar"][:3]
    branch = TimingBranch(np.ones((4, 4)), rng.normal(size=(4, 4)))
    accents = rng.random((7, 128)).astype(np.float32)
    heard = price.heard(music.features, steps, branch)
    slowness = price.Slowness(accents, np.arange(7))
    found = price.misses(slowness, heard[1], np.ones(7, dtype=bool), slice(None))
    spans = np.array([song.nominal_span(step) for step in steps])
    bands = measured.unit(measured.onset_bands(music.features, spans[:, 0], spans[:, 1]))[1]
    for row in range(7):
        curves = measured.unit(accents[row].reshape(4, 32))
        wanted = np.concatenate([branch.bar[curve] @ bands for curve in range(4)])
        met = np.concatenate(curves) @ wanted / (2.0 * np.linalg.norm(wanted))
        assert found[row] == pytest.approx(0.5 - 0.5 * met, abs=1e-5)
    some = price.misses(slowness, heard[1], np.ones(7, dtype=bool)[:2], np.array([4, 2]))
    assert np.allclose(some, found[[4, 2]], atol=1e-6)


def weights_with(path: Path, branch: dict[str, np.ndarray]) -> Path:
    tower = towers.TowerConfig(context_s=4.0, width=8, layers=1)
    rng = np.random.default_rng(3)
    arrays = {name: rng.normal(0.5, 0.1, shape).astype(np.float32) for name, shape in towers.shapes(tower).items()}
    card = {"architecture": towers.ARCHITECTURE, "version": 1, "data": {}, "metrics": {}, "command": "test",
            "config": {"context_s": 4.0, "width": 8, "layers": 1}}  # fmt: skip
    weights.save(path, arrays | branch, card)
    return path


def test_weights_carry_a_branch_or_none_and_half_of_one_is_refused(tmp_path: Path, branch: TimingBranch) -> None:
    plain = registry.of_weights(weights.load(weights_with(tmp_path / "a.safetensors", {})))
    with_it = registry.of_weights(weights.load(weights_with(tmp_path / "b.safetensors", branch.tensors)))
    assert timing_branch.of(plain) is None
    found = timing_branch.of(with_it)
    assert found is not None
    assert np.allclose(found.context, branch.context)
    assert np.allclose(found.bar, branch.bar)
    assert plain.hash != with_it.hash
    half = weights_with(tmp_path / "c.safetensors", {timing_branch.CONTEXT: np.ones((4, 4), np.float32)})
    with pytest.raises(EncoderError, match=r"'timing\.bar'"):
        registry.of_weights(weights.load(half))
    wrong = weights_with(tmp_path / "d.safetensors", {**branch.tensors, timing_branch.BAR: np.ones((2, 4), np.float32)})
    with pytest.raises(EncoderError, match=r"\(2, 4\).*\(4, 4\)"):
        registry.of_weights(weights.load(wrong))


def test_a_library_embedded_with_a_branch_searches_and_plans_by_it(
    sample_library: Path, sample_song: Path, tmp_path: Path
) -> None:
    only = TimingBranch(np.eye(4)[:, [3]] @ np.eye(4)[[0]], np.eye(4)[:, [3]] @ np.ones((1, 4)))
    library = Path(shutil.copytree(sample_library, tmp_path / "lib"))
    path = weights_with(tmp_path / "w.safetensors", only.tensors)
    assert main(["reembed", str(library), "--encoder", str(path)]) == 0
    store, music = Store.open(library), Music.load(sample_song)
    found = nearest_to_music(store, music, top=4)
    hit = found[1].hits[0]
    middle = np.array([0.5 * (found[1].start_s + found[1].end_s)])
    ids = [np.array([hit.segment])]
    learnt = reranking.timings(store, music.features, middle, ids, only)[0]
    assert hit.timing == pytest.approx(float(learnt[0]))
    assert learnt[0] != pytest.approx(reranking.timings(store, music.features, middle, ids)[0][0])
    opened = Library.open(library)
    pool = candidates.load_pool(store, None)
    query = planner.ask(pool, music, music.grids[0], opened.encoder, PlanOptions())
    assert query.heard.shape[1] == 128


def test_training_writes_a_branch_where_it_is_asked_for(
    sample_library: Path, sample_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    (tmp_path / "c.toml").write_text(
        "steps = 2\nbatch = 4\nevery = 2\nheld_out = 0.0\n[tower]\ncontext_s = 3.0\nwidth = 8\nlayers = 1\n"
        "[timing]\nsteps = 20\nmost = 40\n"
    )
    said = ["train", "encoder", str(sample_library), "--songs", str(sample_folder), "--config", str(tmp_path / "c.toml"),
            "--device", "cpu", "--out"]  # fmt: skip
    for name in ("one", "two"):
        assert main([*said, str(tmp_path / f"{name}.safetensors")]) == 0
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "two.safetensors").read_bytes()
    found = timing_branch.of(registry.of_weights(weights.load(tmp_path / "one.safetensors")))
    assert found is not None
    assert not np.allclose(found.shares(), 1.0)
    (tmp_path / "c.toml").write_text('way = "unpaired"\n[timing]\nsteps = 5\n')
    assert main([*said, str(tmp_path / "u.safetensors")]) == 1
    assert "knows no pairs" in capsys.readouterr().err
    assert QUICK.timing.steps == 0
