"""The denoiser's small parts, each for itself, and what it does to a dance: only blends change, and nothing else can break."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from walking import clip, lengths, place, reader, walk

from choreodb.errors import ChoreoError, QueryError
from choreodb.motion.kinematics import forward
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner import modes
from choreodb.refiner.denoiser import features, pairs, precondition, sampler, schedule
from choreodb.refiner.denoiser.refine import Denoiser, Given, RefineOptions, Told, everything, seams
from choreodb.retriever.stitch import Stitched, stitch

Array = npt.NDArray[np.float64]


def test_the_schedule_falls_from_signal_to_noise() -> None:
    times = np.linspace(0.0, 1.0, 50)
    signal, noise = schedule.signal(times), schedule.noise(times)
    assert signal[0] == pytest.approx(1.0)
    assert signal[-1] == pytest.approx(0.0, abs=1e-9)
    assert np.all(np.diff(signal) < 0.0)
    np.testing.assert_allclose(signal**2 + noise**2, 1.0)
    steps = schedule.times(8, 0.5)
    assert len(steps) == 9
    assert steps[0] == pytest.approx(0.5 * schedule.LAST)
    assert steps[-1] == 0.0


@pytest.mark.parametrize("name", list(sampler.SAMPLERS))
@pytest.mark.parametrize("steps", [1, 5, 20])
def test_samplers_find_what_the_model_is_sure_of(name: str, steps: int) -> None:
    target = np.random.default_rng(0).normal(size=(2, 4, 3))
    noisy = np.random.default_rng(1).normal(size=target.shape)
    seen: list[int] = []
    found = sampler.SAMPLERS[name](lambda x, t: target, noisy, schedule.times(steps), told=lambda k, _: seen.append(k))
    np.testing.assert_allclose(found, target)
    assert seen == list(range(steps))


def test_the_second_order_sampler_is_nearer_to_the_exact_path() -> None:
    """A Gaussian target has a known denoiser, and a known end of the path that leads to it."""
    spread = 0.4

    def model(noisy: Array, time: float) -> Array:
        signal, noise = float(schedule.signal(time)), float(schedule.noise(time))
        return noisy * signal * spread**2 / (signal**2 * spread**2 + noise**2)

    start = np.array([1.7])
    times = schedule.times(12)

    def exact(now: float, then: float) -> float:
        size = [float(np.hypot(schedule.signal(t) * spread, schedule.noise(t))) for t in (now, then)]
        return size[1] / size[0]

    wanted = start * exact(times[0], 0.0)
    errors = {name: float(np.abs(each(model, start, times) - wanted).max()) for name, each in sampler.SAMPLERS.items()}
    assert errors["dpm2"] < errors["ddim"]
    assert errors["dpm2"] < 0.05


def test_guidance_goes_from_blind_through_told() -> None:
    told, blind = (lambda x, t: np.full(3, 2.0)), (lambda x, t: np.full(3, 1.0))
    for scale, value in ((0.0, 1.0), (1.0, 2.0), (2.5, 3.5)):
        np.testing.assert_allclose(precondition.guided(told, blind, scale)(np.zeros(3), 0.5), value)
    kept = precondition.keeping(told, np.zeros(3), np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose(kept(np.zeros(3), 0.5), [0.0, 2.0, 2.0])


def windows(count: int = 4) -> tuple[Array, Array, Array]:
    motion = walk(12.0, stride_m=0.3, turn_deg_s=25.0, yaw=0.7, at=(2.0, -1.0))
    _, _, contacts = clip(motion)
    at = np.arange(count)[:, None] * 60 + 2 * np.arange(features.FRAMES)
    return motion.rotations[at], motion.root[at], contacts[at].astype(np.float64)


def test_windows_go_there_and_back() -> None:
    rotations, root, contacts = windows()
    encoded, where = features.encode(rotations, root, contacts)
    assert encoded.shape == (4, features.FRAMES, features.CHANNELS)
    turned, moved = features.decode(encoded, where)
    np.testing.assert_allclose(moved, root, atol=1e-5)
    np.testing.assert_allclose(np.abs(np.sum(turned * rotations, axis=-1)), 1.0, atol=1e-6)
    spun, gone = features.residual((turned, moved), (rotations, root))
    assert np.abs(spun).max() < 1e-3
    assert np.abs(gone).max() < 1e-5


def captured(count: int = 3) -> list[pairs.Clip]:
    out = []
    for number in range(count):
        rotations, root, contacts = clip(walk(10.0, stride_m=0.2 + 0.1 * number, turn_deg_s=10.0 * number))
        start_s = np.arange(4) * 2.0
        out.append(
            pairs.Clip(
                rotations, root.astype(np.float64), contacts, np.arange(20) * 0.5, "walk", np.ones((4, 256), np.float32), start_s
            )
        )  # fmt: skip
    return out


def test_pairs_are_broken_in_the_blend_and_nowhere_else() -> None:
    made = pairs.make(captured(), ["walk"], 40, np.random.default_rng(0), pairs.PairOptions(bare=0.0))
    known = made.mask > 0.5
    same = np.abs(made.broken - made.target)[..., :-4].max(axis=-1)
    assert same[known].max() < 1e-4
    assert np.median(same[:, features.FRAMES // 2]) > 0.01
    # a join is closed: no frame jumps
    step = np.abs(np.diff(made.broken[..., :3], axis=1)).max()
    assert step < 0.2
    assert made.music[..., -1].max() == 1.0
    assert set(made.style.tolist()) == {1}
    again = pairs.make(captured(), ["walk"], 40, np.random.default_rng(0), pairs.PairOptions(bare=0.0))
    np.testing.assert_array_equal(made.broken, again.broken)


def test_hidden_pairs_hide_the_blend() -> None:
    made = pairs.make(captured(), [], 20, np.random.default_rng(0), pairs.PairOptions(bare=1.0))
    assert np.abs(made.broken[made.mask < 0.5]).max() == 0.0
    assert set(made.style.tolist()) == {0}


def test_beats_have_a_phase_and_an_end() -> None:
    phase = pairs.beat_phase(np.array([1.0, 1.5, 2.0]), np.array([0.5, 1.0, 1.25, 2.0, 3.0]))
    np.testing.assert_allclose(phase[:, 2], [0, 1, 1, 1, 0])
    np.testing.assert_allclose(phase[2, :2], [0.0, -1.0], atol=1e-6)
    assert np.abs(pairs.beat_phase(np.empty(0), np.arange(3.0))).max() == 0.0


class Stand(Denoiser):
    """A denoiser that answers what a test wants."""

    def __init__(self, answer: str) -> None:
        self.name = self.hash = answer
        self.middle = np.zeros(features.CHANNELS, dtype=np.float32)
        self.deviation = np.ones(features.CHANNELS, dtype=np.float32)
        self.styles: tuple[str, ...] = ("walk",)
        self.origins, self.hears = frozenset(), True
        self.asked: list[int] = []

        def denoise(noisy: npt.NDArray[np.float32], time: float, given: Given) -> npt.NDArray[np.float32]:
            self.asked.append(len(noisy))
            out = given.retrieved.copy()
            if answer == "lift":
                out[..., 1] += 0.05
            if answer == "nan":
                out[0] = np.nan
            return out

        self.denoise = self.denoise_blind = denoise


def dance() -> Stitched:
    clips = {"slow": clip(walk(12.0, stride_m=0.25)), "long": clip(walk(12.0, stride_m=0.35))}
    parts = [("slow", 1.0, 4.0), ("long", 2.2, 5.2), ("slow", 6.0, 9.0), ("long", 7.0, 10.0)]
    return stitch(place(parts, [0.0, 3.0, 6.0, 9.0, 12.0]), reader(clips), lengths(clips), stage_m=None)


def apart(a: Stitched, b: Stitched) -> Array:
    places = [
        forward(each.motion.rotations.astype(np.float64), each.motion.root.astype(np.float64), CHOREO22)[0]
        for each in (a, b)
    ]
    return np.linalg.norm(places[1] - places[0], axis=-1).max(axis=1)


def test_a_denoiser_that_changes_nothing_changes_nothing() -> None:
    made = dance()
    same, warnings = seams(made, Stand("same"), Told(np.arange(30) * 0.5, None, None, np.arange(4) * 3.0, ["walk"] * 4))
    assert warnings == []
    assert apart(made, same).max() < 1e-3


def test_only_blends_change_and_smoothly() -> None:
    made = dance()
    lifted, _ = seams(made, Stand("lift"))
    change = apart(made, lifted)
    near = np.zeros(len(made), dtype=bool)
    for seam in made.seams:
        near[seam.frame - max(seam.blend_frames) - 10 : seam.frame + max(seam.blend_frames) + 10] = True
    assert change[~near].max() < 1e-6
    assert change[near].max() > 0.02
    assert np.abs(np.diff(lifted.motion.root[:, 1] - made.motion.root[:, 1], n=2)).max() * 3600.0 < 40.0
    all_of_it, _ = everything(made, Stand("lift"))
    assert np.median(apart(made, all_of_it)) == pytest.approx(0.05, abs=0.005)


def test_what_is_not_finite_is_named_and_left_to_physics() -> None:
    made = dance()
    refined, warnings = modes.refine(made, "seams", denoiser=Stand("nan"))
    assert warnings == [
        f"seam at {made.seams[0].frame / 60.0:.2f} s: the denoiser gave no finite motion; only physics was used there"
    ]
    assert np.isfinite(refined.motion.rotations).all()
    plain, _ = modes.refine(made, "physics")
    window = slice(made.seams[0].frame - 20, made.seams[0].frame + 20)
    np.testing.assert_allclose(refined.motion.rotations[window], plain.motion.rotations[window], atol=1e-6)


def test_strength_zero_is_retrieval_and_long_dances_go_in_batches() -> None:
    made = dance()
    stand = Stand("lift")
    same, _ = seams(made, stand, options=RefineOptions(strength=0.0))
    assert same is made
    assert stand.asked == []
    everything(made, stand, options=RefineOptions(steps=1, hop_s=0.1))
    assert max(stand.asked) <= 64 < sum(stand.asked)


@pytest.mark.parametrize("wrong", [{"strength": 1.5}, {"steps": 0}, {"steps": 51}, {"sampler": "euler"}])
def test_options_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(QueryError, match=r"expected|there are"):
        RefineOptions(**wrong)


def test_modes_say_what_they_need() -> None:
    with pytest.raises(QueryError, match="expected none, physics, seams, all"):
        modes.refine(dance(), "most")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="choreodb train refiner"):
        modes.refine(dance(), "seams")
    made = dance()
    assert modes.refine(made, "none")[0] is made


def test_a_loss_is_nothing_where_nothing_differs_and_in_metres_where_it_does() -> None:
    torch = pytest.importorskip("torch")
    from choreodb.refiner.denoiser import losses

    rotations, root, contacts = windows(2)
    encoded, _ = features.encode(rotations, root, contacts)
    true = torch.from_numpy(encoded)
    one, nothing = torch.ones(features.CHANNELS), torch.zeros(features.CHANNELS)
    hidden = torch.zeros(true.shape[:2])
    np.testing.assert_allclose(
        losses.joints(true).numpy(), forward(*features.decode(encoded, features.Place(np.zeros(2), np.zeros((2, 3)))), CHOREO22)[0],
        atol=1e-4,
    )  # fmt: skip
    same = losses.terms(true, true, one, nothing, hidden)
    assert all(float(same[name].max()) == 0.0 for name in ("simple", "position", "velocity", "acceleration"))
    moved = true.clone()
    moved[..., 0] += 0.1
    far = losses.terms(moved, true, one, nothing, hidden)
    assert float(far["position"].mean()) == pytest.approx(0.01, rel=1e-3)
    assert float(far["velocity"].mean()) == pytest.approx(0.0, abs=1e-6)
    assert float(losses.terms(moved, true, one, nothing, 1.0 - hidden)["position"].max()) == 0.0
    weights = losses.LossWeights()
    clear, noisy = (losses.total(far, torch.full((2,), share), weights) for share in (1.0, 0.1))
    assert float((noisy - far["simple"]).mean()) < 0.02 * float((clear - far["simple"]).mean())


@pytest.fixture(scope="module")
def small(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tiny network, trained for a moment."""
    pytest.importorskip("torch")
    from choreodb.indexer.encoders import weights
    from choreodb.library import Library
    from choreodb.refiner.denoiser import training

    path = tmp_path_factory.mktemp("refiner") / "tiny.safetensors"
    made = training.train(Library.open(sample_library), tiny())
    weights.save(path, made.tensors, training.card(made, tiny(), [], "a test"))
    return path


def tiny(steps: int = 8):  # type: ignore[no-untyped-def]
    from choreodb.refiner.denoiser.network import NetworkConfig
    from choreodb.refiner.denoiser.training import TrainOptions

    return TrainOptions(
        steps=steps, pairs=48, batch=8, network=NetworkConfig(width=16, levels=2, tokens=32, heads=2), held_out=0.3
    )  # fmt: skip


def test_training_goes_on_where_it_was(sample_library: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.library import Library
    from choreodb.refiner.denoiser import training

    library = Library.open(sample_library)
    whole = training.train(library, tiny(4))
    path = tmp_path / "state.checkpoint"
    # a run that stops at its second step leaves what the next one needs
    halves = replace(tiny(4), minutes=1e-9)
    for _ in range(4):
        last = training.train(library, halves, checkpoint=path)
    assert last.steps == 4
    for name in whole.tensors:
        np.testing.assert_array_equal(last.tensors[name], whole.tensors[name])
    path.write_bytes(b"nothing")
    with pytest.raises(ChoreoError, match="cannot be read"):
        training.train(library, tiny(4), checkpoint=path)


def test_held_out_songs_are_never_trained_on(sample_library: Path, small: Path) -> None:
    from choreodb.library import Library
    from choreodb.refiner.denoiser import training

    songs = [f"song {number}" for number in range(50)]
    assert len(training.held_out(songs, 0.2)) == 10
    assert training.held_out(songs[::-1], 0.2) == training.held_out(songs, 0.2)
    assert len(training.held_out(songs[:2], 0.01)) == 1
    assert training.held_out(songs[:1], 0.5) == frozenset()
    rows = Library.open(sample_library).store.columns("clips", ["music", "source_sha256"]).to_pylist()
    origins = Denoiser.load(small).origins
    apart = training.held_out((row["music"] or row["source_sha256"] for row in rows), 0.3)
    kept = {row["source_sha256"] for row in rows if (row["music"] or row["source_sha256"]) in apart}
    assert kept
    assert origins
    assert not origins & kept


def test_the_same_seed_gives_the_same_dance_and_an_untrained_network_hardly_changes_it(
    sample_library: Path, sample_song: Path, small: Path, tmp_path: Path
) -> None:
    from choreodb.library import Library

    library = Library.open(sample_library)
    first, again = (
        library.dance(sample_song, refine="seams", refiner=small, strength=0.2).motion.rotations.tobytes()
        for _ in range(2)
    )
    assert first == again
    with pytest.raises(QueryError, match="needs the weights"):
        library.dance(sample_song, refine="all")


def test_weights_of_something_else_are_refused(small: Path, tmp_path: Path) -> None:
    from choreodb.indexer.encoders import weights

    loaded = weights.load(small)
    other = tmp_path / "other.safetensors"
    weights.save(other, loaded.tensors, {**loaded.card, "architecture": "music-towers"})
    with pytest.raises(QueryError, match="needs a 'seam-denoiser'"):
        Denoiser.load(other)
    wide = {**loaded.card["config"], "width": 32}
    weights.save(other, loaded.tensors, {**loaded.card, "config": wide})
    with pytest.raises(QueryError, match="do not fit"):
        Denoiser.load(other)
