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
from choreodb.motion.rotations import compose, normalise, rotvec_to_quat
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner import modes
from choreodb.refiner.denoiser import between, features, pairs, precondition, sampler, schedule
from choreodb.refiner.denoiser.bridge import bridged
from choreodb.refiner.denoiser.denoiser import Denoiser, Given, RefineOptions
from choreodb.refiner.denoiser.refine import Told, everything, seams
from choreodb.refiner.denoiser.windows import Clip, Material, beat_phase
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
    return motion.rotations[at].astype(np.float64), motion.root[at].astype(np.float64), contacts[at].astype(np.float64)


def test_changes_go_there_and_back(rng: np.random.Generator) -> None:
    rotations, root, contacts = windows()
    where = features.placed(rotations, root)
    here = features.local(rotations, root, where)
    assert features.seen(*here, contacts).shape == (4, features.FRAMES, features.SEEN)
    np.testing.assert_allclose(here[1].mean(axis=1)[:, [0, 2]], 0.0, atol=1e-9)
    bent = compose(rotvec_to_quat(0.2 * rng.normal(size=(*root.shape[:2], features.JOINTS, 3))), rotations)
    moved = root + 0.1 * rng.normal(size=root.shape)
    change = features.change(here, features.local(bent, moved, where))
    turned, gone = features.out_of(where, change)
    np.testing.assert_allclose(root + gone, moved, atol=1e-5)
    np.testing.assert_allclose(np.abs((compose(rotvec_to_quat(turned), rotations) * bent).sum(-1)), 1.0, atol=1e-6)


def test_changes_begin_and_end_at_rest() -> None:
    times = np.linspace(0.0, 4.0, 4001)[None].repeat(3, axis=0)
    first, stop = np.array([0.5, 1.9, 1.0]), np.array([3.0, 2.1, 1.5])
    free = features.freedom(times, first, stop)
    for row in range(3):
        inside = (times[row] > first[row]) & (times[row] < stop[row])
        assert np.all(free[row][~inside] == 0.0)
        assert free[row].max() == pytest.approx(1.0)
        slope = np.diff(free[row]) * 1000.0
        assert abs(slope[np.flatnonzero(inside)[0] - 1]) < 0.1 * np.abs(slope).max()


@pytest.mark.parametrize("length", [3, 30, 120])
def test_a_bridge_meets_both_ends_in_pose_and_speed_and_looks_at_nothing_inside(
    length: int, rng: np.random.Generator
) -> None:
    rotations, root, _ = windows(3)
    both = np.concatenate([rotations, rotations[:, ::-1]], axis=1), np.concatenate([root, root[:, ::-1]], axis=1)
    first = np.array([40, 50, 60])
    stop = first + length
    filled = bridged(*both, first, stop, 30.0)
    frame = np.arange(both[1].shape[1])[None]
    inside = (frame >= first[:, None]) & (frame < stop[:, None])
    for after, before in zip(filled, both, strict=True):
        np.testing.assert_array_equal(after[~inside], before[~inside])
    spoilt = both[0].copy(), both[1].copy()
    spoilt[0][inside], spoilt[1][inside] = normalise(rng.normal(size=spoilt[0][inside].shape)), np.nan
    for one, other in zip(bridged(*spoilt, first, stop, 30.0), filled, strict=True):
        np.testing.assert_array_equal(one, other)
    speed = np.diff(filled[1], axis=1) * 30.0
    fastest = np.abs(np.diff(both[1], axis=1)).max() * 30.0
    for row in range(3):
        for edge in (first[row] - 1, stop[row]):
            change = np.abs(speed[row, edge] - speed[row, edge - 1]).max()
            assert change < 0.5 * fastest + 0.05
        assert np.abs(speed[row]).max() < 3.0 * fastest + np.abs(root[row].max(0) - root[row].min(0)).max() * 2.0


def captured(count: int = 3) -> list[Clip]:
    out = []
    for number in range(count):
        rotations, root, contacts = clip(walk(10.0, stride_m=0.2 + 0.1 * number, turn_deg_s=10.0 * number))
        start_s = np.arange(4) * 2.0
        out.append(
            Clip(
                rotations, root.astype(np.float64), contacts, np.arange(20) * 0.5, "walk", np.ones((4, 256), np.float32), start_s
            )
        )  # fmt: skip
    return out


def made_of(count: int, **options: object) -> pairs.Pairs:
    made = pairs.PairOptions(**options)  # type: ignore[arg-type]
    return pairs.make(Material(captured()), ["walk"], count, np.random.default_rng(0), made)


@pytest.mark.parametrize("shares", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.4, 0.3, 0.3)])
def test_pairs_differ_where_something_is_free_and_nowhere_else(shares: tuple[float, float, float]) -> None:
    made = made_of(40, shares=shares)
    size = np.abs(made.change).max(axis=-1)
    assert size[made.free == 0.0].max(initial=0.0) == 0.0
    if shares[2] < 1.0:
        assert np.median(size[made.kind != pairs.ALL][:, features.FRAMES // 2]) > 0.005
    # what was given and the change make what was
    turn = made.change[..., : 3 * features.JOINTS].reshape(*made.free.shape, features.JOINTS, 3)
    there = compose(rotvec_to_quat(turn.astype(np.float64)), made.rotations.astype(np.float64))
    joints = forward(there, made.root + made.change[..., 3 * features.JOINTS :].astype(np.float64), CHOREO22)[0]
    free = made.free > 0.0
    np.testing.assert_allclose(joints[free], made.joints[free], atol=2e-3)
    # a join is closed, and a gap is bridged: no frame jumps
    assert np.abs(np.diff(made.root[:, 10:-10], axis=1)).max() < 0.2
    assert made.music[..., -1].max() == 1.0
    assert set(made.style.tolist()) == {1}
    again = made_of(40, shares=shares)
    np.testing.assert_array_equal(made.rotations, again.rotations)


def test_what_a_gap_hides_cannot_be_seen() -> None:
    made = made_of(30, shares=(1.0, 0.0, 0.0))
    assert set(np.unique(made.contacts[made.free > 0.0]).tolist()) == {0.5}
    assert set(made.kind.tolist()) == {pairs.GAP}
    bare = made_of(30, shares=(0.0, 1.0, 0.0), bare=True)
    assert set(np.unique(bare.contacts[bare.free > 0.0]).tolist()) == {0.5}
    plain = made_of(30, shares=(0.0, 1.0, 0.0))
    np.testing.assert_array_equal(bare.free, plain.free)
    # bridged at whole frames, known frames stay what they were
    np.testing.assert_allclose(bare.rotations[:, :20], plain.rotations[:, :20], atol=2e-2)


def test_beats_have_a_phase_and_an_end() -> None:
    phase = beat_phase(np.array([1.0, 1.5, 2.0]), np.array([0.5, 1.0, 1.25, 2.0, 3.0]))
    np.testing.assert_allclose(phase[:, 2], [0, 1, 1, 1, 0])
    np.testing.assert_allclose(phase[2, :2], [0.0, -1.0], atol=1e-6)
    assert np.abs(beat_phase(np.empty(0), np.arange(3.0))).max() == 0.0


class Stand(Denoiser):
    """A denoiser that answers what a test wants."""

    def __init__(self, answer: str) -> None:
        self.name = self.hash = answer
        self.middle = np.zeros(features.SEEN, dtype=np.float32)
        self.deviation = np.ones(features.SEEN, dtype=np.float32)
        self.spread = np.ones(features.CHANGES, dtype=np.float32)
        self.usual = 1e9
        self.styles: tuple[str, ...] = ("walk",)
        self.origins, self.hears, self.encoder = frozenset(), True, "own"
        self.asked: list[int] = []

        def denoise(noisy: npt.NDArray[np.float32], time: float, given: Given) -> npt.NDArray[np.float32]:
            self.asked.append(len(noisy))
            out = np.zeros_like(noisy)
            if answer == "lift":
                out[..., -2] = 0.05 / given.length_s[:, None]
            if answer == "nan":
                out[0] = np.nan
            return out * given.free[..., None]

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


def test_a_filled_gap_leaves_what_is_known_and_hides_what_was_there(rng: np.random.Generator) -> None:
    rotations, root, contacts = windows(3)
    first, stop = np.array([40, 50, 30]), np.array([70, 80, 60])
    made = between.filled(Stand("lift"), rotations, root, contacts, first, stop, 30.0)
    frame = np.arange(features.FRAMES)[None]
    inside = (frame >= first[:, None]) & (frame < stop[:, None])
    for after, before in zip(made, (rotations, root), strict=True):
        np.testing.assert_allclose(after[~inside], before[~inside], atol=1e-12)
    bridge = bridged(rotations, root, first, stop, 30.0)
    lifted = made[1][..., 1] - bridge[1][..., 1]
    assert lifted.max() == pytest.approx(0.05, abs=1e-3)
    assert np.abs(np.diff(lifted, axis=1)).max() < 0.02
    spoilt = rotations.copy()
    spoilt[inside] = normalise(rng.normal(size=spoilt[inside].shape))
    np.testing.assert_array_equal(between.filled(Stand("lift"), spoilt, root, contacts, first, stop, 30.0)[0], made[0])
    broken = between.filled(Stand("nan"), rotations, root, contacts, first, stop, 30.0)
    np.testing.assert_allclose(broken[0], bridge[0], atol=1e-12)


def test_a_loss_is_nothing_where_nothing_differs_and_in_metres_where_it_does() -> None:
    torch = pytest.importorskip("torch")
    from choreodb.refiner.denoiser import losses

    made = made_of(6, shares=(0.5, 0.5, 0.0))
    hidden = (made.free > 0.0).astype(np.float32)
    arrays = (made.rotations, made.root, made.change, made.joints, made.planted, hidden)
    true = losses.Truth(*(torch.from_numpy(each) for each in arrays))
    places = losses.joints(true.rotations, true.root).numpy()
    np.testing.assert_allclose(
        places, forward(made.rotations.astype(np.float64), made.root.astype(np.float64), CHOREO22)[0], atol=1e-4
    )
    size = torch.ones(6, 1, features.CHANGES)
    same = losses.terms(true.change, true, size)
    assert float(same["simple"].max()) == 0.0
    assert float(same["position"].max()) < 2e-3
    moved = true.change.clone()
    moved[..., -3] += 0.1
    far = losses.terms(moved, true, size)
    np.testing.assert_allclose(far["position"].numpy(), 0.1, atol=5e-3)
    np.testing.assert_allclose(far["velocity"].numpy(), same["velocity"].numpy(), atol=1e-3)
    weights = losses.LossWeights(least=0.0, decay=2.0)
    clear, noisy = (losses.total(far, torch.full((6,), share), weights) for share in (1.0, 0.1))
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
        steps=steps, pairs=48, batch=8, network=NetworkConfig(widths=(16, 24, 32), tokens=32, heads=2), held_out=0.3, device="cpu"
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
    from choreodb.refiner.denoiser import corpus

    songs = [f"song {number}" for number in range(50)]
    assert len(corpus.held_out(songs, 0.2)) == 10
    assert corpus.held_out(songs[::-1], 0.2) == corpus.held_out(songs, 0.2)
    assert len(corpus.held_out(songs[:2], 0.01)) == 1
    assert corpus.held_out(songs[:1], 0.5) == frozenset()
    rows = Library.open(sample_library).store.columns("clips", ["music", "source_sha256"]).to_pylist()
    origins = Denoiser.load(small).origins
    apart = corpus.held_out((row["music"] or row["source_sha256"] for row in rows), 0.3)
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


def test_weights_of_something_else_are_refused(small: Path, tmp_path: Path) -> None:
    from choreodb.indexer.encoders import weights

    loaded = weights.load(small)
    other = tmp_path / "other.safetensors"
    weights.save(other, loaded.tensors, {**loaded.card, "architecture": "music-towers"})
    with pytest.raises(QueryError, match="needs a 'seam-denoiser'"):
        Denoiser.load(other)
    wide = {**loaded.card["config"], "widths": [32, 32, 32]}
    weights.save(other, loaded.tensors, {**loaded.card, "config": wide})
    with pytest.raises(QueryError, match="do not fit"):
        Denoiser.load(other)


def test_what_is_strange_is_left_alone() -> None:
    rotations, root, contacts = windows(3)
    first, stop = np.array([40, 50, 30]), np.array([70, 80, 60])
    stand = Stand("lift")
    lifted, _ = between.filled(stand, rotations, root, contacts, first, stop, 30.0)
    bridge, _ = bridged(rotations, root, first, stop, 30.0)
    moved = between.filled(stand, rotations, root, contacts, first, stop, 30.0)[1]
    stand.usual = 1e-3
    rested = between.filled(stand, rotations, root, contacts, first, stop, 30.0)
    np.testing.assert_allclose(rested[0], bridge, atol=1e-12)
    assert np.abs(moved - rested[1]).max() > 0.04
    np.testing.assert_allclose(lifted, bridge, atol=1e-9)
    free = np.zeros((2, features.FRAMES), dtype=np.float32)
    seen = np.ones((2, features.FRAMES, features.SEEN), dtype=np.float32)
    free[0, 50:60], seen[0, 50:60] = 1.0, 100.0
    np.testing.assert_allclose(features.strangeness(seen, free), 1.0)
    np.testing.assert_allclose(features.strangeness(2.0 * seen[1:], 1.0 + free[1:]), 4.0)


def test_devices_are_picked_and_refused() -> None:
    torch = pytest.importorskip("torch")
    from choreodb.refiner.denoiser import device

    class Cuda:
        def __init__(self, there: bool) -> None:
            self.is_available = lambda: there

    assert device.pick("auto", Cuda(True)).type == device.pick("cuda", Cuda(True)).type == "cuda"
    assert device.pick("auto", Cuda(False)).type == device.pick("cpu", Cuda(True)).type == "cpu"
    with pytest.raises(QueryError, match="no NVIDIA GPU"):
        device.pick("cuda", Cuda(False))
    with pytest.raises(QueryError, match="expected auto, cpu, cuda"):
        device.pick("tpu")
    assert device.multiplies_bf16(torch.device("cuda"))

    class Cpu:
        def __init__(self, tiles: bool) -> None:
            self._is_amx_tile_supported = lambda: tiles

    assert device.multiplies_bf16(torch.device("cpu"), Cpu(True))
    assert not device.multiplies_bf16(torch.device("cpu"), Cpu(False))
    assert not device.multiplies_bf16(torch.device("cpu"), object())


def test_what_is_left_out_is_never_seen() -> None:
    pytest.importorskip("torch")
    from choreodb.benchmarks.runs import conditions

    rows = conditions.bench_conditions(captured(2), captured(1), steps=2, pairs=24, options=tiny())
    assert [row["row"] for row in rows][1:] == [name for name, _ in conditions.ROWS]
    assert all(row["gap_position"] > 0.0 for row in rows)
    text = conditions.format_table(rows)
    shipped = conditions.told_less(Path("troupe"), captured(2), pairs=40)
    assert [row["row"] for row in shipped] == [row["row"] for row in rows]
    assert shipped[1]["gap_position_change"] == [0.0, 0.0]
    assert any(row["gap_position_change"] != [0.0, 0.0] for row in shipped[2:])
    assert "without style" in text
    with pytest.raises(QueryError, match="condition 'taste'"):
        replace(tiny(), without=("taste",))


def test_the_shipped_weights_are_small_free_and_say_what_they_were_made_from() -> None:
    pytest.importorskip("torch")
    from choreodb.indexer.encoders import weights
    from choreodb.refiner.denoiser import denoiser

    assert denoiser.shipped() == ("troupe",)
    assert sum(path.stat().st_size for path in denoiser.SHIPPED.iterdir()) < 16_000_000
    card = weights.load(denoiser.SHIPPED / "troupe.safetensors").card
    assert {each["licence"] for each in card["data"]["sources"]} == {"CC0-1.0"}
    assert {each["dataset"] for each in card["data"]["sources"]} == {"troupe"}
    assert "seed 21" in card["note"]
    assert "train refiner" in card["command"]
    found = Denoiser.load("troupe", "cpu", half=False)
    rotations, root, contacts = windows(2)
    first, stop = np.array([45, 40]), np.array([75, 80])
    once, again = (between.filled(found, rotations, root, contacts, first, stop, 30.0)[0] for _ in range(2))
    np.testing.assert_array_equal(once, again)


@pytest.mark.long
def test_what_refining_costs_is_measured(sample_library: Path, sample_song: Path) -> None:
    pytest.importorskip("torch")
    from choreodb.benchmarks.runs import latency_refine

    rows = latency_refine.bench_refining(sample_library, sample_song, repeats=1)
    assert rows[0]["row"] == "physics"
    assert rows[-1]["row"].startswith("50-step guided denoiser")
    assert all(row["cpu_s"] > 0.0 for row in rows)
    assert {row.get("verdict") for row in rows if row["row"].startswith("seams")} <= {"pass", "FAIL"}
    assert "three minutes" in latency_refine.format_table(rows)
