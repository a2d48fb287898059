"""The dances that a generation table compares: captured clips, random ones, greedy retrieval, and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.runs.dances import FPS, Danced
from choreodb.indexer.encoders import recorded
from choreodb.motion.motion import Motion
from choreodb.motion.retarget import to_smpl24
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner import physics
from choreodb.retriever import candidates, planner
from choreodb.retriever.candidates import Pool
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.placement import Placement
from choreodb.retriever.stitch import Stitched, stitch

if TYPE_CHECKING:
    from choreodb.benchmarks.runs.songs import Songs
    from choreodb.library import Library
    from choreodb.music.music import Music
    from choreodb.retriever.plan import Plan

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

TRUTH = "ground truth"
RANDOM_CLIPS, RANDOM_TEMPO, GREEDY = "random clips", "random, tempo-matched", "greedy retrieval"
UNREFINED, PHYSICS, UNMIRRORED = "ours, no refinement", "ours, physics", "ours, physics, never mirrored"
GENERATED = (RANDOM_CLIPS, RANDOM_TEMPO, GREEDY, UNREFINED, PHYSICS, UNMIRRORED)

_BODY = len(CHOREO22)


@dataclass(frozen=True)
class Material:
    """The clips of a library that dances may be made of."""

    library: Library
    clips: tuple[str, ...]

    @property
    def where(self) -> str:
        """The predicate that holds for these clips only."""
        quoted = ", ".join("'" + clip.replace("'", "''") + "'" for clip in self.clips)
        return f"clip in ({quoted})"

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Frames of every clip."""
        table = self.library.store.columns("clips", ["clip", "frames"])
        names, frames = table.column("clip").to_pylist(), table.column("frames").to_pylist()
        chosen = set(self.clips)
        return {name: count for name, count in zip(names, frames, strict=True) if name in chosen}

    @cached_property
    def pool(self) -> Pool:
        """Their segments."""
        return candidates.load_pool(self.library.store, self.where)

    @cached_property
    def dances(self) -> dict[str, Danced]:
        """Every clip as it was captured, without beats."""
        return {clip: self._captured(clip, number) for number, clip in enumerate(self.clips)}

    def _captured(self, clip: str, number: int) -> Danced:
        count = self.lengths[clip]
        rotations, root, contacts = self.library.store.read_motion(clip, 0, count)
        return Danced(
            clip, _joints(rotations, root), contacts, None, clips=np.full(count, number), frames=np.arange(float(count))
        )


def captured(material: Material, paired: Mapping[str, Path], songs: Songs) -> list[Danced]:
    """The material's own clips, with the beats of their songs where those are found."""
    rows = material.library.store.columns("clips", ["clip", "music", "music_start_s"]).to_pylist()
    by_clip = {row["clip"]: row for row in rows}
    out = []
    for clip, dance in material.dances.items():
        row = by_clip[clip]
        known = row["music"] in paired
        beats_s = songs[paired[row["music"]]].beats_s - row["music_start_s"] if known else None
        out.append(Danced(clip, dance.joints, dance.contacts, beats_s))
    return out


def generate(material: Material, music: Music, beats_s: FloatArray, *, seed: int) -> dict[str, Danced]:
    """A dance to `music` for every row of `GENERATED`, of the same steps where there are steps.

    beats_s: the song's beats that dances are scored against. seed: of the plan and of everything random.
    """
    rng = np.random.default_rng([seed, int(music.sha256[:8], 16)])
    options = PlanOptions(where=material.where, seed=seed, candidate_gap=False)
    plan = material.library.plan(music, options)
    ours = _stitched(material, plan.placements, plan.options.stage_m)
    paths = {
        RANDOM_TEMPO: _filled(material.pool, plan.placements, _random_choices(material.pool, plan.placements, rng)),
        GREEDY: _filled(material.pool, plan.placements, _nearest_choices(material, music, plan, options)),
    }
    dances = {RANDOM_CLIPS: random_takes(material, music.sha256, beats_s, plan.placements[-1].step.end_s, rng)}
    for name, path in paths.items():
        made = physics.clean(_stitched(material, path, plan.options.stage_m))
        dances[name] = danced(music.sha256, made, beats_s)
    dances[UNREFINED] = danced(music.sha256, ours, beats_s)
    dances[PHYSICS] = danced(music.sha256, physics.clean(ours), beats_s)
    plain = material.library.plan(music, replace(options, where=f"({material.where}) and not mirrored"))
    unmirrored = _stitched(material, plain.placements, plain.options.stage_m)
    dances[UNMIRRORED] = danced(music.sha256, physics.clean(unmirrored), beats_s)
    return dances


def danced(name: str, stitched: Stitched, beats_s: FloatArray) -> Danced:
    """A stitched dance with its sources; frames that a join blends are not captured."""
    clips = stitched.source_clip.astype(np.int64)
    for seam in stitched.seams:
        before, after = seam.blend_frames
        clips[max(0, seam.frame - before) : seam.frame + after] = -1
    return Danced(
        name, _joints(stitched.motion.rotations, stitched.motion.root), stitched.contacts, beats_s,
        seams=np.array([seam.frame for seam in stitched.seams], dtype=np.int64), clips=clips,
        frames=stitched.source_frame.astype(np.float64), mirrored=np.asarray(stitched.mirrored, dtype=np.bool_),
    )  # fmt: skip


def random_takes(
    material: Material, name: str, beats_s: FloatArray, duration_s: float, rng: np.random.Generator
) -> Danced:
    """Whole clips at their own speed, drawn at random, one after another until the song ends: each begins where the one
    before stood, and nothing is turned, timed or smoothed."""
    total = max(4, round(duration_s * FPS))
    parts: list[Danced] = []
    while sum(len(part.joints) for part in parts) < total:
        parts.append(material.dances[material.clips[int(rng.integers(len(material.clips)))]])
    joints, ends = [parts[0].joints], np.cumsum([len(part.joints) for part in parts])[:-1]
    for part in parts[1:]:
        shift = joints[-1][-1, 0] - part.joints[0, 0]
        joints.append(part.joints + np.array([shift[0], 0.0, shift[2]]))
    sources = [(part.clips, part.frames) for part in parts if part.clips is not None and part.frames is not None]
    return Danced(
        name, np.concatenate(joints)[:total], np.concatenate([part.contacts for part in parts])[:total], beats_s,
        seams=ends[ends < total].astype(np.int64), clips=np.concatenate([clips for clips, _ in sources])[:total],
        frames=np.concatenate([frames for _, frames in sources])[:total],
    )  # fmt: skip


def _joints(rotations: Any, root: Any) -> FloatArray:
    body = Motion(rotations[:, :_BODY].astype(np.float64), root.astype(np.float64), CHOREO22, FPS)
    return np.asarray(to_smpl24(body), dtype=np.float64)


def _stitched(material: Material, placements: Sequence[Placement], stage_m: tuple[float, float] | None) -> Stitched:
    return stitch(placements, material.library.store.read_motion, material.lengths, stage_m=stage_m)


def _random_choices(pool: Pool, placements: Sequence[Placement], rng: np.random.Generator) -> list[int]:
    """For every step a segment at random among those of as many beats whose tempo is within the warp's limits; among all
    that fit in length where there is none, or among all."""
    chosen = []
    for placement in placements:
        step = placement.step
        fit = candidates.fit(pool, step.end_s - step.start_s)
        matched = _first_of(~fit.trimmed & (fit.beats == len(step.beats_s) - 1), ~fit.trimmed)
        chosen.append(int(rng.choice(matched)))
    return chosen


def _first_of(*masks: BoolArray) -> npt.NDArray[np.int64]:
    """Places of the first mask that holds anywhere; all places where none does."""
    for mask in masks:
        if mask.any():
            return np.flatnonzero(mask)
    return np.arange(len(masks[0]))


def _nearest_choices(material: Material, music: Music, plan: Plan, options: PlanOptions) -> list[int]:
    """For every step the nearest segment by embedding that fits in length, whatever came before."""
    pool = material.pool
    query = planner.ask(pool, music, plan.grid, recorded.of_store(material.library.store), options)
    chosen = []
    for step, embedding in zip(query.steps, query.embeddings, strict=True):
        fits = _first_of(~candidates.fit(pool, step.end_s - step.start_s).trimmed)
        chosen.append(int(fits[np.argmax(pool.embeddings[fits] @ embedding)]))
    return chosen


def _filled(pool: Pool, placements: Sequence[Placement], chosen: Sequence[int]) -> list[Placement]:
    """The same steps, filled with the chosen segments [N] of the pool, uniformly warped."""
    return [filled(pool, placement, at) for placement, at in zip(placements, chosen, strict=True)]


def filled(pool: Pool, placement: Placement, at: int) -> Placement:
    """The step of `placement`, filled with segment `at` of the pool, uniformly warped."""
    fit = candidates.fit(pool, placement.step.end_s - placement.step.start_s)
    return replace(
        placement,
        segment=int(pool.row[at]),
        clip=pool.clips[int(pool.clip[at])],
        mirrored=bool(pool.mirrored[at]),
        source_start_s=float(pool.start_s[at]),
        source_end_s=float(fit.source_end_s[at]),
        source_beats_s=np.empty(0),
        continuation=False,
        trimmed=bool(fit.trimmed[at]),
    )
