"""`bench dance`: how well dances hold together, beside the captured clips, hard cuts and a random path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.benchmarks.metrics import feet, flight, smoothness
from choreodb.benchmarks.metrics.smoothness import SeamScore
from choreodb.benchmarks.runs.baselines import filled
from choreodb.benchmarks.runs.dance_timing import SEEDS, format_timing, timing_rows
from choreodb.benchmarks.runs.tables import Column, markdown
from choreodb.errors import QueryError
from choreodb.motion.contacts import foot_points
from choreodb.motion.kinematics import forward
from choreodb.motion.mirror import mirror_order, mirror_rotations, mirror_vectors
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner import physics
from choreodb.retriever.placement import Placement, Step
from choreodb.retriever.sources import ReadMotion
from choreodb.retriever.stitch import DANCE, Stitched, StitchOptions, stitch

if TYPE_CHECKING:
    from choreodb.benchmarks.runs.registry import BenchRequest, BenchResult
    from choreodb.library import Library

Row = dict[str, Any]

CAPTURED, STITCHED, HARD, RANDOM, OURS = (
    "captured clips",
    "ours, before physics",
    "hard cuts",
    "random path",
    "ours",
)
RATE_EDGES = (0.0, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, np.inf)
_SIDE_S = 0.5
_MAX_CLIPS = 40
_PSEUDO_SEAM_S = 2.0
_BODY = len(CHOREO22)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What one dance measures, before it is put together with others.

    seams: scores. contacts [T, 4], points [T, 4, 3], gravity [F] in g, rate of what
    is danced between the still edges; clips: names, longest_s: longest stretch
    between seams. stage: extent x and z, drift, outside and front share.
    """

    seams: tuple[SeamScore, ...]
    contacts: npt.NDArray[np.uint8]
    points: FloatArray
    gravity: FloatArray
    rate: FloatArray
    clips: frozenset[str]
    longest_s: float
    stage: tuple[float, float, float, float, float]
    fps: float


def run(request: BenchRequest) -> BenchResult:
    """Run on the request's library and songs; QueryError where either is missing."""
    from choreodb.benchmarks.runs.registry import BenchResult
    from choreodb.library import Library

    if request.library is None or not request.songs:
        raise QueryError("bench dance needs a library and songs; give `bench dance LIB SONG...`")
    library = Library.open(request.library)
    rows = bench_dance(library, request.songs, seed=request.seed, progress=request.progress)
    seeds = 1 if request.quick else SEEDS
    timed = timing_rows(library, request.songs, seed=request.seed, seeds=seeds)
    tables = [format_table(rows), *([format_timing(timed)] if timed else [])]
    return BenchResult("dance", rows + timed, "\n\n".join(tables))


def bench_dance(
    library: Library, songs: Sequence[Path], *, seed: int = 0, progress: Callable[..., None] | None = None
) -> list[Row]:
    """One row each for the captured clips, our dances, the same before physics, hard cuts, and a random path.

    All rows but the first dance the same songs, step for step. seed: of the plan and of the random path.
    """
    from choreodb.retriever.options import PlanOptions

    store, tell = library.store, progress or (lambda *_: None)
    lengths = _clip_frames(store)
    reader: ReadMotion = store.read_motion
    measured: dict[str, list[Measured]] = {name: [] for name in (CAPTURED, OURS, STITCHED, HARD, RANDOM)}
    rng = np.random.default_rng(seed)
    for number, song in enumerate(songs):
        tell("dancing", number, len(songs))
        plan = library.plan(song, PlanOptions(seed=seed, candidate_gap=False))
        stage_m = plan.options.stage_m
        cut = StitchOptions(smooth=False, align=False)
        made = stitch(plan.placements, reader, lengths, stage_m=stage_m, options=DANCE)
        random = stitch(random_path(store, plan.placements, rng), reader, lengths, stage_m=stage_m, options=DANCE)
        hard = stitch(plan.placements, reader, lengths, stage_m=None, options=cut)
        for name, dance in (
            (OURS, physics.clean(made)), (STITCHED, made), (HARD, hard), (RANDOM, physics.clean(random)),
        ):  # fmt: skip
            measured[name].append(measure(dance, reader, lengths))
    tell("measuring clips", 0, 0)
    for clip in _some(sorted(lengths), _MAX_CLIPS):
        if lengths[clip] >= 2 * _SIDE_S * 60:
            measured[CAPTURED].append(measure(captured(clip, reader, lengths), reader, lengths))
    return [{"row": name, **summary(parts), **standard_errors(parts)} for name, parts in measured.items()]


def score(stitched: Stitched, read_motion: ReadMotion, clip_frames: Mapping[str, int]) -> Row:
    """Every figure of one dance."""
    return summary([measure(stitched, read_motion, clip_frames)])


def captured(clip: str, read_motion: ReadMotion, clip_frames: Mapping[str, int], fps: float = 60.0) -> Stitched:
    """A whole clip at its own speed, as a dance without seams; marks every two seconds stand in for seams."""
    end_s = (clip_frames[clip] - 1) / fps
    step = Step(0.0, end_s, "bar", np.empty(0), 1, 0.5, np.empty(0))
    placement = Placement(step, 0, clip, False, 0.0, end_s, np.empty(0), False, False)
    return stitch([placement], read_motion, clip_frames, fps=fps, stage_m=None)


def random_path(store: Any, placements: Sequence[Placement], rng: np.random.Generator) -> list[Placement]:
    """The same steps filled with segments drawn at random among those whose length fits; uniform warps."""
    from choreodb.retriever import candidates

    pool = candidates.load_pool(store)
    out = []
    for placement in placements:
        fit = candidates.fit(pool, placement.step.end_s - placement.step.start_s)
        choices = np.flatnonzero(~fit.trimmed)
        out.append(filled(pool, placement, int(rng.choice(choices if len(choices) else len(pool)))))
    return out


def measure(stitched: Stitched, read_motion: ReadMotion, clip_frames: Mapping[str, int]) -> Measured:
    """Everything that is measured about one dance."""
    fps = stitched.motion.fps
    positions, turned = forward(
        stitched.motion.rotations[:, :_BODY].astype(np.float64), stitched.motion.root.astype(np.float64), CHOREO22
    )
    frames = [seam.frame for seam in stitched.seams]
    marks = frames or list(
        range(int(_PSEUDO_SEAM_S * fps), len(stitched) - int(_SIDE_S * fps), int(_PSEUDO_SEAM_S * fps))
    )
    edges = np.diff([0, *frames, len(stitched)])
    figures = stitched.stage
    return Measured(
        seams=tuple(_seam(stitched, positions, frame, read_motion, clip_frames) for frame in marks),
        contacts=stitched.contacts,
        points=foot_points(positions, turned),
        gravity=flight.implied_gravity(flight.flights_of(stitched.airborne, fps), positions, fps),
        rate=stitched.rate[slice(*stitched.danced)],
        clips=frozenset(stitched.clips),
        longest_s=float(edges.max()) / fps,
        stage=(*figures.extent_m, figures.drift_m, figures.outside_share, figures.front_share),
        fps=fps,
    )


def _seam(
    stitched: Stitched, positions: FloatArray, frame: int, read_motion: ReadMotion, clip_frames: Mapping[str, int]
) -> SeamScore:
    """Score of the seam at output `frame`, against the half second of source that leads to it and follows it."""
    fps = stitched.motion.fps
    side = round(_SIDE_S * fps)
    before = _source_window(stitched, frame - 1, -side, read_motion, clip_frames)
    after = _source_window(stitched, frame, side, read_motion, clip_frames)
    first, stop = _played(stitched, frame, side)
    return smoothness.seam_score([before, after], positions[first:stop], fps)


def _played(stitched: Stitched, frame: int, side: int) -> tuple[int, int]:
    """Output frames [first, stop) around `frame` in which `side` frames of source are played on either side of it."""
    at, reach = stitched.source_frame, 2 * side
    edges = [0, *(seam.frame for seam in stitched.seams), len(stitched)]
    low = max(edge for edge in edges if edge < frame)
    high = min(edge for edge in edges if edge > frame)
    before = at[max(low, frame - reach) : frame]
    after = at[frame : min(high, frame + reach)]
    return (
        frame - max(2, int(np.sum(before >= before[-1] - side - 1e-6))),
        frame + max(2, int(np.sum(after <= after[0] + side + 1e-6))),
    )


def _source_window(
    stitched: Stitched, frame: int, reach: int, read_motion: ReadMotion, clip_frames: Mapping[str, int]
) -> FloatArray:
    """Joint positions of the source of output `frame` and `reach` frames on (negative: back), as captured."""
    clip = stitched.clips[stitched.source_clip[frame]]
    at = stitched.source_frame[frame]
    first, stop = (
        (int(np.floor(at)) + reach, int(np.ceil(at)) + 1) if reach < 0 else (int(at), int(np.ceil(at)) + reach + 1)
    )
    stop = min(max(stop, 3), clip_frames[clip])
    first = max(0, min(first, stop - 3))
    rotations, root, _ = read_motion(clip, first, stop)
    rotations = rotations[:, :_BODY]
    if stitched.mirrored[frame]:
        rotations, root = mirror_rotations(rotations, mirror_order(CHOREO22)), mirror_vectors(root)
    return forward(rotations.astype(np.float64), root.astype(np.float64), CHOREO22)[0]


def summary(parts: Sequence[Measured]) -> Row:
    """The figures of several dances as one row."""
    if not parts:
        return {}
    fps = parts[0].fps
    contacts = np.concatenate([_opened(part.contacts) for part in parts])
    points = np.concatenate([part.points for part in parts])
    rate = np.concatenate([part.rate for part in parts])
    gravity = np.concatenate([part.gravity for part in parts])
    seconds = len(contacts) / fps
    counts, _ = np.histogram(rate, RATE_EDGES)
    extent_x, extent_z, drift, outside, front = (
        float(value) for value in np.mean([part.stage for part in parts], axis=0)
    )
    seams = [score for part in parts for score in part.seams]
    near = (gravity >= 0.9) & (gravity <= 1.1)
    slid, low = np.sum([feet.low_slides(part.points, fps) for part in parts], axis=0)
    return {
        "dances": len(parts),
        "seconds": seconds,
        **(smoothness.evaluate(seams) if seams else {"seams": 0.0}),
        **feet.evaluate(contacts, points, fps),
        "low_slide_ratio": float(slid / max(low, 1)),
        "flights": len(gravity),
        "gravity": float(np.median(gravity)) if len(gravity) else None,
        "gravity_ok": float(near.mean()) if len(gravity) else None,
        "rate_min": float(rate.min()),
        "rate_max": float(rate.max()),
        "rate_histogram": {_bin(i): float(count / len(rate)) for i, count in enumerate(counts)},
        "extent_x_m": extent_x,
        "extent_z_m": extent_z,
        "drift_m": drift,
        "outside_share": outside,
        "front_share": front,
        "longest_run_s": max(part.longest_s for part in parts),
        "clips_per_minute": 60.0 * sum(len(part.clips) for part in parts) / seconds,
    }


JUDGED = ("penetration", "floating", "slide_m_s", "slide_ratio", "outside_share")
"""Figures whose noise is their deviation from song to song."""


def standard_errors(parts: Sequence[Measured]) -> Row:
    """`KEY_se` of the `JUDGED` figures, by leaving out one dance at a time; nothing for fewer than three dances."""
    if len(parts) < 3:
        return {}
    without = [summary([*parts[:at], *parts[at + 1 :]]) for at in range(len(parts))]
    scale = np.sqrt((len(parts) - 1) ** 2 / len(parts))
    return {f"{key}_se": float(scale * np.std([row[key] for row in without], ddof=1)) for key in JUDGED}


def _opened(contacts: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Contacts whose first frame touches nothing, so that no slide is measured from one dance to the next."""
    out = contacts.copy()
    out[:1] = 0
    return out


def _bin(index: int) -> str:
    low, high = RATE_EDGES[index : index + 2]
    if low == 0.0:
        return f"<{high:g}"
    return f">={low:g}" if np.isinf(high) else f"{low:g}-{high:g}"


def _clip_frames(store: Any) -> dict[str, int]:
    columns = store.columns("clips", ["clip", "frames"])
    return dict(zip(columns.column("clip").to_pylist(), columns.column("frames").to_pylist(), strict=True))


def _some(names: Sequence[str], most: int) -> list[str]:
    """At most `most` of `names`, evenly spread."""
    if len(names) <= most:
        return list(names)
    return [names[int(at)] for at in np.linspace(0, len(names) - 1, most).round()]


_COLUMNS = (
    Column("row", "", "s"),
    Column("seams", "seams", ".0f"),
    Column("passed", "pass", "%"),
    Column("passed_each_joint", "each joint", "%"),
    Column("worst_speed", "worst speed", ".2f"),
    Column("worst_acceleration", "worst acc", ".2f"),
    Column("penetration", "penetr.", "%"),
    Column("floating", "float", "%"),
    Column("slide_m_s", "slide m/s", ".3f"),
    Column("slide_ratio", "skating", "%"),
    Column("flights", "flights", ".0f"),
    Column("gravity", "gravity g", ".2f"),
    Column("gravity_ok", "0.9-1.1 g", "%"),
    Column("rate_min", "rate min", ".2f"),
    Column("rate_max", "max", ".2f"),
    Column("extent_x_m", "x m", ".1f"),
    Column("extent_z_m", "z m", ".1f"),
    Column("drift_m", "drift m", ".1f"),
    Column("outside_share", "outside", "%"),
    Column("front_share", "front", "%"),
    Column("longest_run_s", "longest run s", ".1f"),
    Column("clips_per_minute", "clips/min", ".1f"),
)


def format_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, and what the columns mean."""
    rows = [row for row in rows if len(row) > 1]
    histogram = [
        f"{row['row']}: "
        + ", ".join(f"{name} {share:.0%}" for name, share in row["rate_histogram"].items() if share > 0.0)
        for row in rows
    ]
    return "\n".join(
        [markdown(rows, _COLUMNS), "", _LEGEND, "", "Warp rates (source seconds per song second):", *histogram]
    )


_LEGEND = (
    "Seams: speeds of the root and of the fastest joint at most 1.2x the fastest within 0.5 s of source on either side "
    "plus 0.2 m/s, acceleration of the root at most the larger of 15 m/s2 and 1.2x the source's; worst is measured over "
    "allowed; each joint holds every joint to its own speed. Captured clips have no seams: every two seconds stand in. "
    "Flights: no contact in the captured source for 0.12 s, both feet more than 4 cm clear of the floor at the highest "
    "and 1.5 cm throughout, and a pelvis that falls at half of gravity or more; gravity is of the centre of mass. "
    "Penetration and floating beyond 2 cm, slide and skating (over 0.15 m/s) among the source's contacts, warped in time."
)
