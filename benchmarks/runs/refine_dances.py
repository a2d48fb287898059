"""The dances of `bench refine`: the same plans with hard cuts, faded, inertialised, and refined, and what each measures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import beats, detail
from choreodb.benchmarks.runs import dance, dances, seam_windows
from choreodb.benchmarks.runs.baselines import Material
from choreodb.benchmarks.runs.dance import Measured
from choreodb.benchmarks.runs.dances import FeatureSet
from choreodb.benchmarks.runs.seam_windows import SeamPlace
from choreodb.indexer.encoders.base import ClipMotion, MotionWindow
from choreodb.motion.kinematics import forward
from choreodb.motion.motion import Motion
from choreodb.motion.retarget import to_smpl24
from choreodb.motion.skeleton import CHOREO22
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.stitch import DANCE, Stitched, StitchOptions, stitch

if TYPE_CHECKING:
    from choreodb.indexer.encoders.base import Encoder
    from choreodb.music.music import Music
    from choreodb.retriever.plan import Plan

Array = npt.NDArray[np.float64]

HARD, LINEAR, INERTIAL, PHYSICS = "hard cut", "linear blend", "inertialisation", "inertialisation + physics"
SEAMS, ALL = "ours, seams", "ours, all"
CAPTURED = "captured"
SAME = "captured, the frames of the dances"
WINDOW_S, HOP_S = 5.0, 2.0
NEAR_S = 0.5
"""How far from a seam the detail around it is counted."""
SHORT_TAKES_S = 2.0
"""Takes may go on for so long before they cost: as many seams as the plans can give."""
_BODY = len(CHOREO22)
_SHUFFLES = 20

Refine = Callable[[Stitched, "Plan", "Music", int], Stitched]
"""(stitched, plan, music, seed) to the refined dance."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of 5-s windows [N] of dances: published ones, and the library's own embedding [N, 256]."""

    figures: FeatureSet
    embedding: npt.NDArray[np.float32]
    dance: npt.NDArray[np.int64]

    def rows(self, index: npt.NDArray[np.int64]) -> Features:
        """Some of the windows."""
        return Features(self.figures.rows(index), self.embedding[index], self.dance[index])


@dataclass(slots=True, eq=False)
class Scores:
    """What the dances of one row measured, dance by dance. cpu_s: of refining; seconds: of dance."""

    windows: list[seam_windows.Array] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    energy: list[tuple[float, float, float, float]] = field(default_factory=list)
    beats: list[tuple[float, float]] = field(default_factory=list)
    figures: list[FeatureSet] = field(default_factory=list)
    embedding: list[npt.NDArray[np.float32]] = field(default_factory=list)
    cpu_s: float = 0.0
    seconds: float = 0.0

    def features(self) -> Features:
        """The 5-s windows of all dances."""
        parts = [np.full(len(each), number) for number, each in enumerate(self.figures)]
        names = ("kinetic", "kinetic_corrected", "geometric")
        joined = (np.concatenate([getattr(each, name) for each in self.figures]) for name in names)
        return Features(FeatureSet(*joined), np.concatenate(self.embedding), np.concatenate(parts))


@dataclass(slots=True, eq=False)
class Half:
    """One half of the clips, danced to songs that it does not hold. rows: scores by name. places: all seams, as windows
    show them. captured: windows at the place that a seam leaves or enters, by turns; apart: at the other of the two.
    frames: the feet of the captured frames that the dances are made of."""

    material: Material
    songs: Sequence[Path]
    rows: dict[str, Scores]
    places: list[SeamPlace] = field(default_factory=list)
    captured: list[seam_windows.Array] = field(default_factory=list)
    apart: list[seam_windows.Array] = field(default_factory=list)
    frames: list[Measured] = field(default_factory=list)
    curves: dict[str, tuple[Array, Array]] = field(default_factory=dict)

    @property
    def seams(self) -> int:
        """How many seams have a window."""
        return len(self.places)


class Maker:
    """Dances of a library with every contender, measured as they are made."""

    def __init__(self, half: Half, contenders: Mapping[str, Refine], encoder: Encoder, seed: int) -> None:
        self.half, self.contenders, self.encoder, self.seed = half, contenders, encoder, seed
        self.store = half.material.library.store
        self.lengths = half.material.lengths
        self.others_s: list[Array] = []

    def dance(self, music: Music, seed: int, song: int) -> None:
        """Add the dances of one song; `seed` varies the plan, `song` numbers the dance."""
        options = PlanOptions(
            where=self.half.material.where, seed=seed, variety=1.0, verbatim_s=SHORT_TAKES_S, candidate_gap=False
        )
        plan = self.half.material.library.plan(music, options)
        began = time.process_time()
        made = self._stitched(plan)
        spent_s = time.process_time() - began
        found = seam_windows.places(made, song)
        self.half.places += found
        frames = [place.frame for place in found]
        reference = self._reference(made)
        hard = self._stitched(plan, replace(DANCE, smooth=False))
        faded = self._stitched(plan, replace(DANCE, linear=True))
        for name, each in ((HARD, hard), (LINEAR, faded), (INERTIAL, made)):
            self._add(name, each, frames, reference, plan, spent_s)
        self.half.frames.append(_uncrossed(self.half.rows[HARD].measured[-1], hard))
        for name, refine in self.contenders.items():
            began = time.process_time()
            refined = refine(made, plan, music, self.seed)
            self._add(name, refined, frames, reference, plan, spent_s + time.process_time() - began)
        for number, place in enumerate(found):
            # the one side is told from seams, the other from the one
            for after, windows in ((bool(number % 2), self.half.captured), (not number % 2, self.half.apart)):
                own = seam_windows.captured(place, after, self.store.read_motion, self.lengths)
                if own is not None:
                    windows.append(seam_windows.cut(own, [len(own) // 2]))
        self.others_s.append(plan.grid.times_s)

    def _stitched(self, plan: Plan, options: StitchOptions = DANCE) -> Stitched:
        return stitch(
            plan.placements, self.store.read_motion, self.lengths, stage_m=plan.options.stage_m, options=options
        )

    def _reference(self, made: Stitched) -> tuple[Array, Array]:
        """Fast energy and peak speed [N] of the captured frames that a dance is made of, at the speed they are played."""
        energy, speed = np.zeros(len(made)), np.zeros(len(made))
        for number, clip in enumerate(made.clips):
            if clip not in self.half.curves:
                self.half.curves[clip] = self._curves(clip)
            mine = made.source_clip == number
            at = np.clip(np.rint(made.source_frame[mine]).astype(np.int64), 0, self.lengths[clip] - 1)
            own, fastest = self.half.curves[clip]
            energy[mine], speed[mine] = own[at] * made.rate[mine] ** 2, fastest[at] * made.rate[mine]
        return energy, speed

    def _curves(self, clip: str) -> tuple[Array, Array]:
        rotations, root, _ = self.store.read_motion(clip, 0, self.lengths[clip])
        positions = forward(rotations[:, :_BODY].astype(np.float64), root.astype(np.float64), CHOREO22)[0]
        if len(positions) < 64:
            return np.zeros(len(positions)), np.zeros(len(positions))
        return detail.fast_energy(positions, 60.0), detail.peak_speed(positions, 60.0)

    def _add(
        self, name: str, made: Stitched, frames: Sequence[int], reference: tuple[Array, Array], plan: Plan, cpu_s: float
    ) -> None:
        scores = self.half.rows[name]
        scores.windows.append(seam_windows.cut(made, frames))
        scores.cpu_s, scores.seconds = scores.cpu_s + cpu_s, scores.seconds + len(made) / made.motion.fps
        scores.measured.append(dance.measure(made, self.store.read_motion, self.lengths))
        if name in (HARD, LINEAR):
            return
        motion = made.motion
        rotations, root = motion.rotations[:, :_BODY].astype(np.float64), motion.root.astype(np.float64)
        positions = forward(rotations, root, CHOREO22)[0]
        scores.energy.append(_detail(made, positions.astype(np.float64), reference))
        joints = np.asarray(to_smpl24(Motion(rotations, root, CHOREO22, motion.fps)), dtype=np.float64)
        scores.beats.append(_beats(joints, plan.grid.times_s, self.others_s, self.seed))
        windows = dances.cut(joints, window_s=WINDOW_S, hop_s=HOP_S)
        if windows:
            clip = ClipMotion(rotations, root, positions, made.contacts, motion.fps)
            scores.figures.append(dances.feature_set(windows))
            scores.embedding.append(self.encoder.embed_motion(clip, _unbeaten(len(windows))))


def _uncrossed(measured: Measured, hard: Stitched) -> Measured:
    """Hard cuts with nothing counted across a cut: the captured frames themselves."""
    contacts = measured.contacts.copy()
    contacts[[seam.frame for seam in hard.seams]] = 0
    return replace(measured, contacts=contacts)


def _unbeaten(count: int) -> list[MotionWindow]:
    """The windows of `dances.cut` as an encoder takes them."""
    none: Array = np.empty(0)
    return [MotionWindow(number * HOP_S, number * HOP_S + WINDOW_S, none, 0) for number in range(count)]


def _detail(made: Stitched, positions: Array, reference: tuple[Array, Array]) -> tuple[float, float, float, float]:
    """Fast energy over that of the source, then peak speed likewise, each over the dance and near its seams."""
    inside = np.zeros(len(made), dtype=bool)
    inside[slice(*made.danced)] = True
    reach = round(NEAR_S * made.motion.fps)
    near = np.zeros(len(made), dtype=bool)
    for seam in made.seams:
        near[max(0, seam.frame - reach) : seam.frame + reach] = True
    energy = detail.fast_energy(positions, made.motion.fps)
    speed = detail.peak_speed(positions, made.motion.fps)
    near &= inside
    out = []
    for mask in (inside, near):
        out.append(float(energy[mask].sum() / max(reference[0][mask].sum(), 1e-9)) if mask.any() else 1.0)
    for mask in (inside, near):
        fps = made.motion.fps
        out.append(
            detail.peaks(speed[mask], fps) / max(detail.peaks(reference[1][mask], fps), 1e-9) if mask.any() else 1.0
        )
    return out[0], out[1], out[2], out[3]


def _beats(joints: Array, own_s: Array, others_s: Sequence[Array], seed: int) -> tuple[float, float]:
    """(beat alignment, sigma 50 ms, and its mean over other songs' beats at random phases)."""
    duration_s = len(joints) / dances.FPS
    motion = beats.motion_beats_s(joints, fps=dances.FPS)
    inside = own_s[(own_s >= 0.0) & (own_s < duration_s)]
    pool = [other for other in others_s if ((other >= 0.0) & (other < duration_s)).any()]
    found = beats.chance(
        motion, inside, duration_s=duration_s, others_s=pool, draws=_SHUFFLES, rng=np.random.default_rng(seed)
    )
    return float(found["score"]), float(found["shuffled_mean"])


def captured_features(material: Material, encoder: Encoder) -> Features:
    """The 5-s windows of the material's own clips."""
    scores = Scores()
    for clip, each in material.dances.items():
        windows = dances.cut(each.joints, window_s=WINDOW_S, hop_s=HOP_S)
        if not windows:
            continue
        rotations, root, contacts = material.library.store.read_motion(clip, 0, material.lengths[clip])
        body = rotations[:, :_BODY].astype(np.float64)
        positions = forward(body, root.astype(np.float64), CHOREO22)[0]
        scores.figures.append(dances.feature_set(windows))
        motion = ClipMotion(body, root.astype(np.float64), positions, contacts, 60.0)
        scores.embedding.append(encoder.embed_motion(motion, _unbeaten(len(windows))))
    return scores.features()


def captured_scores(material: Material, most: int) -> list[Measured]:
    """Feet of up to `most` of the material's clips as they were captured."""
    reader: Any = material.library.store.read_motion
    clips = [clip for clip in material.clips if material.lengths[clip] >= 120]
    chosen = [clips[int(at)] for at in np.linspace(0, len(clips) - 1, min(most, len(clips))).round()]
    return [dance.measure(dance.captured(clip, reader, material.lengths), reader, material.lengths) for clip in chosen]
