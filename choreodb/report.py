"""The report of a dance: every step with its source, cost and licence. Schema: `docs/schema/report.schema.json`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb import __version__
from choreodb.music.grid import bar_beats
from choreodb.retriever.costs import FORBIDDEN

if TYPE_CHECKING:
    from choreodb.music.music import Music
    from choreodb.retriever.plan import Plan
    from choreodb.retriever.runners_up import RunnerUp
    from choreodb.retriever.stitch import Stitched
    from choreodb.storage.store import Store

Json = dict[str, Any]
SCHEMA_VERSION = 1
DIGITS = 6


def dance_report(store: Store, music: Music, plan: Plan, stitched: Stitched, *, refine: str) -> Json:
    """The report of one dance as plain JSON values; the same input gives the same document."""
    clips = {row["clip"]: row for row in store.table("clips").to_pylist()}
    steps = _steps(plan, clips)
    return {
        "schema_version": SCHEMA_VERSION,
        "choreodb_version": __version__,
        "library": {"name": store.name, "version": store.version, "encoder": store.encoder},
        "song": _song(music, plan),
        "options": _options(plan, refine),
        "dance": {
            "duration_s": _number(len(stitched.motion) / stitched.motion.fps),
            "frames": len(stitched.motion),
            "fps": stitched.motion.fps,
            "joints": len(stitched.motion.skeleton),
            "stage": _stage(stitched),
        },
        "captured": {
            "hands": _spans(stitched.hands, stitched.motion.fps, ("captured", "relaxed")),
            "face": _spans(stitched.faced, stitched.motion.fps, ("captured", "at rest")),
            "face_channels": list(stitched.motion.face_names),
        },
        "steps": steps,
        "seams": _seams(stitched, steps),
        "certificate": {
            "cost": _number(plan.cost),
            "relaxation_cost": _number(plan.relaxation_cost),
            "gap_in_lattice": _number(plan.gap_in_lattice),
            "candidate_gap": None if plan.candidate_gap is None else _number(plan.candidate_gap),
            "terms": {name: _number(values.sum()) for name, values in plan.terms.items()},
        },
        "licences": _licences(steps),
        "warnings": [*_warnings(plan, steps), *_untimed(store), *_partly(stitched)],
    }


def _spans(held: npt.NDArray[np.bool_], fps: float, words: tuple[str, str]) -> list[Json]:
    """Stretches of a dance by what `held` [N] says of their frames; at a seam one blends into the next."""
    edges = [0, *(np.flatnonzero(np.diff(held.astype(np.int8))) + 1).tolist(), len(held)]
    return [
        {"start_s": _number(start / fps), "end_s": _number(stop / fps), "kind": words[0] if held[start] else words[1]}
        for start, stop in itertools.pairwise(edges)
    ]


def _partly(stitched: Stitched) -> list[str]:
    """What to say where only a part of the dance has captured hands or a captured face."""
    notes = []
    fps = stitched.motion.fps
    for held, what, else_where in (
        (stitched.hands, "hands", "they are relaxed"),
        (stitched.faced, "face", "it is at rest"),
    ):
        if held.any() and not held.all():
            notes.append(
                f"{what} captured for {held.sum() / fps:.1f} of {len(held) / fps:.1f} s; elsewhere {else_where}"
            )
    return notes


def _number(value: Any) -> float:
    return round(float(value), DIGITS)


def _numbers(values: Any) -> list[float]:
    return [round(float(value), DIGITS) for value in values]


def _song(music: Music, plan: Plan) -> Json:
    grid = plan.grid
    bars = bar_beats(grid)
    inside = bars[(bars[:, 0] >= 0.0) & (bars[:, 0] <= music.duration_s), 0] if len(bars) else []
    return {
        "name": music.path.name,
        "sha256": music.sha256,
        "duration_s": _number(music.duration_s),
        "grid": {
            "tempo_bpm": _number(grid.tempo_bpm),
            "metre": grid.metre,
            "confidence": _number(grid.confidence),
            "source": grid.source,
        },
        "hypotheses": [
            {
                "tempo_bpm": _number(each.tempo_bpm),
                "metre": each.metre,
                "confidence": _number(each.confidence),
                "steps": each.steps,
                "cost_per_s": _number(each.cost_per_s),
                "prior_per_s": _number(each.prior_per_s),
                "chosen": each.chosen,
            }
            for each in plan.hypotheses
        ],
        "beats_s": _numbers(grid.times_s[(grid.times_s >= 0.0) & (grid.times_s <= music.duration_s)]),
        "bars_s": _numbers(inside),
        "rests_s": [_numbers(span) for span in music.rests],
    }


def _options(plan: Plan, refine: str) -> Json:
    options = plan.options
    return {
        "where": options.where,
        "style": options.style,
        "seed": options.seed,
        "variety": _number(options.perturbation),
        "start": options.start,
        "avoid": list(options.avoid),
        "lock": {str(step): segment for step, segment in sorted(options.lock.items())},
        "no_repeat_s": _number(options.no_repeat_s),
        "strict_metre": options.strict_metre,
        "beam": options.beam,
        "candidates": options.candidates,
        "stage_m": None if options.stage_m is None else list(options.stage_m),
        "refine": refine,
    }


def _steps(plan: Plan, clips: Mapping[str, Json]) -> list[Json]:
    steps = []
    for index, placement in enumerate(plan.placements):
        clip, step = clips[placement.clip], placement.step
        source = [_source_s(clip, seconds) for seconds in (placement.source_start_s, placement.source_end_s)]
        steps.append(
            {
                "index": index,
                "kind": step.kind,
                "start_s": _number(step.start_s),
                "end_s": _number(step.end_s),
                "segment": placement.segment,
                "clip": placement.clip,
                "dataset": clip["dataset"],
                "style": clip["style"],
                "performer": clip["performer"],
                "licence": clip["licence"],
                "consent": clip["consent"],
                "source_file": clip["source_path"],
                "source_sha256": clip["source_sha256"],
                "source_start_s": _number(source[0]),
                "source_end_s": _number(source[1]),
                "source_frames": [
                    int(np.floor(source[0] * clip["source_fps"])),
                    int(np.ceil(source[1] * clip["source_fps"])),
                ],
                "source_fps": _number(clip["source_fps"]),
                "mirrored": placement.mirrored,
                "copy_of": clip["copy_of"],
                "copy_rate": None if clip["copy_of"] is None else _number(clip["rate"]),
                "warp": _number(plan.warp_rates[index]),
                "trimmed": placement.trimmed,
                "continuation": placement.continuation,
                "candidates": int(plan.candidates[index]),
                "locked": index in plan.locked,
                "costs": {name: _number(values[index]) for name, values in plan.terms.items()},
                "next_best": _next_best(plan.runners_up[index], clips),
            }
        )
    return steps


def _source_s(clip: Json, clip_s: float) -> float:
    """Seconds of the source file at a moment of a clip; a virtual copy goes through it at its own rate."""
    return float(clip["source_start_s"] + clip_s * (clip["rate"] or 1.0))


def _next_best(other: RunnerUp | None, clips: Mapping[str, Json]) -> Json | None:
    if other is None:
        return None
    clip = clips[other.clip]
    return {
        "segment": other.segment,
        "clip": other.clip,
        "style": clip["style"],
        "source_start_s": _number(_source_s(clip, other.source_start_s)),
        "source_end_s": _number(_source_s(clip, other.source_end_s)),
        "mirrored": other.mirrored,
        "extra_cost": _number(other.extra_cost),
        "extra_costs": {name: _number(value) for name, value in other.terms.items() if abs(value) >= 0.5e-6},
    }


def _stage(stitched: Stitched) -> Json:
    figures = stitched.stage
    return {
        "extent_m": _numbers(figures.extent_m),
        "drift_m": _number(figures.drift_m),
        "outside_share": _number(figures.outside_share),
        "front_share": _number(figures.front_share),
        "steered_deg": _number(figures.steered_deg),
    }


def _seams(stitched: Stitched, steps: list[Json]) -> list[Json]:
    return [
        {
            "time_s": _number(seam.frame / stitched.motion.fps),
            "frame": int(seam.frame),
            "to_step": int(seam.placement),
            "held": seam.kind,
            "blend_s": _numbers(frames / stitched.motion.fps for frames in seam.blend_frames),
            "from_clip": steps[max(seam.placement - 1, 0)]["clip"],
            "to_clip": steps[seam.placement]["clip"],
        }
        for seam in stitched.seams
    ]


def _licences(steps: list[Json]) -> list[Json]:
    seconds: dict[tuple[str, str], float] = {}
    for step in steps:
        key = (step["licence"] or "", step["dataset"])
        seconds[key] = seconds.get(key, 0.0) + step["end_s"] - step["start_s"]
    return [
        {"licence": licence or None, "dataset": dataset, "seconds": _number(total)}
        for (licence, dataset), total in sorted(seconds.items())
    ]


def _untimed(store: Store) -> list[str]:
    """What to say of a library that does not know how its segments move."""
    if "accents" in store.manifest.arrays:
        return []
    return [
        f"library {store.name!r} was made before movement was kept for the timing term, which is off; "
        f"`choreodb merge NEW {store.name}` makes one that has it"
    ]


def _warnings(plan: Plan, steps: list[Json]) -> list[str]:
    notes = []
    unknown = {step["clip"] for step in steps if step["licence"] is None}
    if unknown:
        notes.append(f"{len(unknown)} clips have no stated licence; ask their owners before you publish this dance")
    trimmed = sum(step["trimmed"] for step in steps)
    if trimmed:
        notes.append(f"{trimmed} of {len(steps)} steps are filled by material that was cut, held or squeezed to fit")
    broken = int(sum(plan.terms[name].sum() for name in ("repetition", "metre")) // FORBIDDEN)
    if broken:
        notes.append(
            f"--no-repeat or --strict-metre could not be kept {broken} times; the library has nothing else that fits"
        )
    if plan.grid.confidence < 0.3 and plan.grid.source == "music":
        notes.append(
            f"the beats of this song are uncertain (confidence {plan.grid.confidence:.2f}); --bpm or --beats override them"
        )
    return notes
