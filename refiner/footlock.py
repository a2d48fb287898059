"""Foot locks: where planted heels and toes belong, and the smooth corrections that bring them there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter1d

from choreodb.motion.contacts import runs
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22, HEEL_OFFSET_M, TOE_HEIGHT_M
from choreodb.retriever.inertialise import fade

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LockOptions:
    """How feet are held.

    engage_s, release_s: the foot glides to its mark before a contact and off it afterwards, slower where it is far.
    max_pull_m: a foot that wanders farther than this from its mark within one contact is given several marks;
    max_seam_m: so is one that stands this far away after a join; nearer, it stays where it is and the leg gives way. Between
    two marks it takes a step, which rises over the floor by `lift` of its length, lift_m at the highest. pace: a lock moves a foot at up to this share of the fastest joint's speed within `around_s`, so that a
    quiet passage gets a quiet step; less where the foot is fast by itself within `own_s`, but no less than least_pace
    and slowest_m_s, and never more than fastest_m_s; it takes step_s at the longest, as feet do that change places.
    min_lock_s: shorter pieces are not locked.
    """

    engage_s: float = 0.12
    release_s: float = 0.16
    max_pull_m: float = 0.12
    max_seam_m: float = 0.1
    pace: float = 0.35
    least_pace: float = 0.15
    around_s: float = 0.5
    own_s: float = 0.2
    slowest_m_s: float = 0.3
    fastest_m_s: float = 1.2
    step_s: float = 0.25
    lift: float = 0.12
    lift_m: float = 0.05
    min_lock_s: float = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Locks:
    """Spans [L, 3] (point, first frame, stop) and their marks [L, 3], in world metres.

    pace_m_s: [T, 4] how fast a lock may move a foot. steps_m: [L] how far a point goes to its next mark that is said to
    stand all the while, so that only a step can bring it there; 0 where it swings by itself.
    """

    spans: IntArray
    marks: FloatArray
    steps_m: FloatArray
    pace_m_s: FloatArray


_SOLE = float(np.hypot(*(CHOREO22.offsets[CHOREO22.index("left_foot")] - np.array(HEEL_OFFSET_M))[[0, 2]]))
"""Horizontal distance of heel and toe of a flat foot, metres."""


def pace(positions: FloatArray, points: FloatArray, fps: float, options: LockOptions) -> FloatArray:
    """How fast a lock may move each foot point [T, 4], m/s, on top of its own motion.

    positions: [T, J, 3] of all joints, whose fastest says how lively the dance is there. points: [T, 4, 3]. A foot that
    is itself the fastest has little to spare.
    """
    if len(positions) < 2:
        return np.full(points.shape[:2], options.slowest_m_s)
    lively = _peak_speed(positions, options.around_s, fps).max(axis=1, keepdims=True)
    own = _peak_speed(points, options.own_s, fps)
    spare = np.minimum(options.pace * lively, lively - own)
    spare = np.repeat(np.minimum(spare[:, 0::2], spare[:, 1::2]), 2, axis=1)
    return np.clip(spare, np.maximum(options.slowest_m_s, options.least_pace * lively), options.fastest_m_s)


def _peak_speed(points: FloatArray, around_s: float, fps: float) -> FloatArray:
    """Largest speed [T, P] in m/s of `points` [T, P, 3] within `around_s` of every frame."""
    speed = np.linalg.norm(np.diff(points, axis=0, append=points[-1:]), axis=-1) * fps
    return np.asarray(maximum_filter1d(speed, 2 * round(around_s * fps) + 1, axis=0, mode="nearest"))


def find(
    points: FloatArray,
    contacts: npt.NDArray[np.uint8],
    pace_m_s: FloatArray,
    fps: float,
    seams: IntArray,
    half_blend: IntArray,
    options: LockOptions,
) -> Locks:
    """Locks of foot `points` [T, 4, 3] while `contacts` [T, 4] say they stand; pace_m_s: of `pace`.

    Contacts that the foot wanders through, or that cross a join where it stands elsewhere afterwards, are divided.
    """
    spans = runs(contacts.astype(bool))
    spans = _split(spans, *_seam_cuts(spans, points, pace_m_s, fps, seams, half_blend, options))
    spans = _split(spans, *_wander_cuts(spans, points, seams, half_blend, options))
    marks = _marks(spans, points, seams, half_blend)
    spans, kept = _room_to_step(spans, marks, points, pace_m_s, fps, options)
    marks = marks[kept]
    spans = _whole_feet(spans, _steps(spans, marks, contacts))
    long = spans[:, 2] - spans[:, 1] >= max(2.0, options.min_lock_s * fps)
    spans, marks = spans[long], marks[long]
    marks[:, 1] = TOE_HEIGHT_M
    marks = _as_feet(spans, marks, points, seams, half_blend)
    return Locks(spans, marks, _steps(spans, marks, contacts), pace_m_s)


def _whole_feet(spans: IntArray, steps_m: FloatArray) -> IntArray:
    """Spans without what of them falls into a step of the foot's other end: heel and toe leave and arrive together."""
    at = np.flatnonzero(steps_m > 0.0)
    other = spans[:, 0, None] == (spans[at, 0] ^ 1)
    left, entered = spans[at, 2], spans[at + 1, 1]
    out = spans.copy()
    begins = other & (spans[:, 1, None] >= left) & (spans[:, 1, None] < entered)
    ends = other & (spans[:, 2, None] > left) & (spans[:, 2, None] <= entered)
    out[:, 1] = np.maximum(out[:, 1], np.where(begins, entered, 0).max(axis=1, initial=0))
    out[:, 2] = np.minimum(
        out[:, 2], np.where(ends, left, np.iinfo(np.int64).max).min(axis=1, initial=np.iinfo(np.int64).max)
    )
    return out


def _steps(spans: IntArray, marks: FloatArray, contacts: npt.NDArray[np.uint8]) -> FloatArray:
    """Metres [L] to the next mark of the same point, where `contacts` [T, 4] hold until then."""
    out = np.zeros(len(spans))
    if len(spans) < 2:
        return out
    lifted = np.concatenate([np.zeros((1, contacts.shape[1]), np.int64), np.cumsum(contacts == 0, axis=0)])
    point, left, entered = spans[:-1, 0], spans[:-1, 2], spans[1:, 1]
    stands = (spans[1:, 0] == point) & (lifted[np.maximum(entered, left), point] == lifted[left, point])
    away = np.hypot(*(marks[1:] - marks[:-1])[:, [0, 2]].T)
    out[:-1] = stands * away
    return out


def _marks(spans: IntArray, points: FloatArray, seams: IntArray, half_blend: IntArray) -> FloatArray:
    """Where the point of every span belongs [L, 3]: its mean, away from the blends, which drag it, where it can be."""
    away = spans.copy()
    for seam, half in zip(seams, half_blend, strict=True):
        middle = 0.5 * (spans[:, 1] + spans[:, 2])
        early = (middle < seam) & (away[:, 2] > seam - half)
        late = (middle >= seam) & (away[:, 1] < seam + half)
        away[early, 2] = np.maximum(away[early, 1] + 1, seam - half)
        away[late, 1] = np.minimum(away[late, 2] - 1, seam + half)
    return _means(points, away)


def _means(points: FloatArray, spans: IntArray) -> FloatArray:
    """Mean position [L, 3] of every span's point."""
    total = np.concatenate([np.zeros((1, *points.shape[1:])), np.cumsum(points, axis=0, dtype=np.float64)])
    length = (spans[:, 2] - spans[:, 1])[:, None]
    return (total[spans[:, 2], spans[:, 0]] - total[spans[:, 1], spans[:, 0]]) / np.maximum(length, 1)


def _split(spans: IntArray, owner: IntArray, frame: IntArray) -> IntArray:
    """Spans divided before the output frames `frame` [C], each inside span number `owner` [C]; in point and time order."""
    whose = np.concatenate([np.arange(len(spans)), owner])
    start = np.concatenate([spans[:, 1], frame])
    order = np.lexsort((start, whose))
    whose, start = whose[order], start[order]
    last = np.append(whose[1:] != whose[:-1], True) if len(whose) else np.empty(0, dtype=bool)
    stop = np.where(last, spans[whose, 2], np.append(start[1:], 0))
    pieces = np.stack([spans[whose, 0], start, stop], axis=1)
    return pieces[pieces[:, 2] > pieces[:, 1]]


def _seam_cuts(
    spans: IntArray,
    points: FloatArray,
    pace_m_s: FloatArray,
    fps: float,
    seams: IntArray,
    half_blend: IntArray,
    options: LockOptions,
) -> tuple[IntArray, IntArray]:
    """Cuts (span, frame) at joins after which the point stands elsewhere; where both feet do, they step in turn."""
    span, seam = np.nonzero((spans[:, 1, None] < seams) & (spans[:, 2, None] > seams))
    early = np.maximum(seams[seam] - half_blend[seam], spans[span, 1])
    late = np.minimum(seams[seam] + half_blend[seam], spans[span, 2] - 1)
    point = spans[span, 0]
    before, after = points[early, point][:, [0, 2]], points[late, point][:, [0, 2]]
    step = np.hypot(*(after - before).T)
    moves = step > options.max_seam_m
    span, seam, foot = span[moves], seam[moves], point[moves] // 2
    before, after, step = before[moves], after[moves], step[moves]
    frame = seams[seam]
    shift = 0.5 * _step_frames(step, pace_m_s[frame, point[moves]], fps, options)
    frame = frame + np.rint(_turns(seam, foot, before, after, len(seams)) * shift).astype(np.int64)
    return span, np.clip(frame, spans[span, 1] + 1, spans[span, 2] - 1)


def _step_frames(step: FloatArray, pace_m_s: FloatArray, fps: float, options: LockOptions) -> FloatArray:
    """Frames [L] that a foot takes for `step` [L] metres."""
    # a quintic step peaks at 15/8 of its mean speed
    return np.clip(1.875 * step / pace_m_s, 2.0 / fps, options.step_s) * fps


def _turns(seam: IntArray, foot: IntArray, before: FloatArray, after: FloatArray, seams: int) -> IntArray:
    """When each cut's foot steps [C]: -1 before its join, 1 after it, 0 at it, for the only foot that does.

    seam, foot: [C]. before, after: [C, 2] where it stands. That foot goes first which then has the other farther away:
    nobody steps on her own toes.
    """
    stands = np.zeros((2, seams, 2, 2))
    count = np.zeros((seams, 2))
    np.add.at(count, (seam, foot), 1.0)
    for when, where in enumerate((before, after)):
        np.add.at(stands[when], (seam, foot), where)
    old, new = stands / np.maximum(count, 1.0)[..., None]
    crossed_m = np.linalg.norm(new - old[:, ::-1], axis=-1)
    left_first = crossed_m[:, 0] >= crossed_m[:, 1]
    sign = np.where((foot == 0) == left_first[seam], -1, 1)
    return np.where(count.min(axis=1)[seam] > 0, sign, 0)


def _wander_cuts(
    spans: IntArray, points: FloatArray, seams: IntArray, half_blend: IntArray, options: LockOptions
) -> tuple[IntArray, IntArray]:
    """Cuts (span, frame) into equal parts, so many that the point stays within a pull of the middle of each."""
    if len(spans) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    lengths = spans[:, 2] - spans[:, 1]
    owner = np.repeat(np.arange(len(spans)), lengths)
    begins = np.cumsum(lengths) - lengths
    frame = np.arange(len(owner)) - begins[owner] + spans[owner, 1]
    away = (points[frame, spans[owner, 0]] - _means(points, spans)[owner])[:, [0, 2]]
    # what a blend drags is no wandering
    free = ~_near(np.arange(len(points)), seams, half_blend)[frame]
    farthest = np.maximum.reduceat(np.hypot(away[:, 0], away[:, 1]) * free, begins)
    pieces = np.maximum(np.ceil(farthest / options.max_pull_m).astype(np.int64), 1)
    whose = np.repeat(np.arange(len(spans)), pieces - 1)
    place = np.arange(len(whose)) - np.repeat(np.cumsum(pieces - 1) - (pieces - 1), pieces - 1) + 1
    return whose, spans[whose, 1] + place * lengths[whose] // pieces[whose]


def _near(frames: IntArray, seams: IntArray, half_blend: IntArray) -> npt.NDArray[np.bool_]:
    """Which of `frames` [T] (0, 1, 2, ...) are blended."""
    edges = np.zeros(len(frames) + 1, dtype=np.int64)
    np.add.at(edges, np.clip(seams - half_blend, 0, len(frames)), 1)
    np.add.at(edges, np.clip(seams + half_blend, 0, len(frames)), -1)
    return np.asarray(np.cumsum(edges)[:-1] > 0)


def _room_to_step(
    spans: IntArray, marks: FloatArray, points: FloatArray, pace_m_s: FloatArray, fps: float, options: LockOptions
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Spans shortened so that between two marks there is time for what the point's own motion does not do, and which
    of them are left."""
    if len(spans) < 2:
        return spans, np.ones(len(spans), dtype=bool)
    out = spans.copy()
    leaving = marks[:-1] - points[spans[:-1, 2] - 1, spans[:-1, 0]]
    entering = marks[1:] - points[spans[1:, 1], spans[1:, 0]]
    added = np.linalg.norm(entering - leaving, axis=-1)
    needed = _step_frames(added, pace_m_s[spans[1:, 1], spans[1:, 0]], fps, options)
    gap = spans[1:, 1] - spans[:-1, 2]
    short = np.where(spans[1:, 0] == spans[:-1, 0], np.maximum(np.ceil(needed).astype(np.int64) - gap, 0), 0)
    out[:-1, 2] -= short // 2
    out[1:, 1] += short - short // 2
    kept = out[:, 2] > out[:, 1]
    return out[kept], kept


def _as_feet(
    spans: IntArray, marks: FloatArray, points: FloatArray, seams: IntArray, half_blend: IntArray
) -> FloatArray:
    """Marks with each heel put one sole's length from the toe it stands with, so that both can be met at once.

    The foot points where its own motion has it pointing: about a toe that stays, a foot may turn.
    """
    marks = marks.copy()
    for foot in (0, 1):
        heels, toes = np.flatnonzero(spans[:, 0] == 2 * foot), np.flatnonzero(spans[:, 0] == 2 * foot + 1)
        if len(heels) == 0 or len(toes) == 0:
            continue
        start = np.maximum(spans[heels, 1][:, None], spans[toes, 1])
        stop = np.minimum(spans[heels, 2][:, None], spans[toes, 2])
        partner = np.argmax(stop - start, axis=1)
        rows = np.arange(len(heels))
        start, stop = start[rows, partner], stop[rows, partner]
        together = stop > start
        heels, partner = heels[together], toes[partner[together]]
        held = np.stack([np.full(len(heels), 2 * foot), start[together], stop[together]], axis=1)
        sole = _marks(held + np.array([1, 0, 0]), points, seams, half_blend) - _marks(held, points, seams, half_blend)
        length = np.maximum(np.hypot(sole[:, 0], sole[:, 2]), 1e-6)[:, None]
        # the heel gives way: the ball of the foot carries most of the weight in dancing
        marks[heels] = np.where(length > 0.5 * _SOLE, marks[partner] - sole * (_SOLE / length), marks[heels])
        marks[heels, 1] = TOE_HEIGHT_M
    return marks


def corrections(locks: Locks, points: FloatArray, fps: float, options: LockOptions) -> tuple[FloatArray, FloatArray]:
    """Displacements [T, 4, 3] of foot `points` [T, 4, 3] towards their marks, and how firmly [T, 4] they are held.

    1 within a lock; before and after it the hold rises and falls smoothly. Where the next lock comes soon, the foot
    goes from mark to mark in one small step.
    """
    moved = np.zeros(points.shape)
    held = np.zeros(points.shape[:2])
    for point in range(points.shape[1]):
        mine = locks.spans[:, 0] == point
        if mine.any():
            moved[:, point], held[:, point] = _pulled(
                locks.spans[mine, 1],
                locks.spans[mine, 2],
                locks.marks[mine],
                locks.steps_m[mine],
                points[:, point],
                locks.pace_m_s[:, point],
                fps,
                options,
            )
    return moved, held


def _pulled(
    first: IntArray,
    stop: IntArray,
    marks: FloatArray,
    steps_m: FloatArray,
    points: FloatArray,
    pace_m_s: FloatArray,
    fps: float,
    options: LockOptions,
) -> tuple[FloatArray, FloatArray]:
    """The same for one point: [T, 3] and [T]; first, stop, steps_m: [L] and marks: [L, 3] of its locks."""
    frame = np.arange(len(points))
    before = np.searchsorted(first, frame, side="right") - 1
    previous, following = np.maximum(before, 0), np.minimum(before + 1, len(first) - 1)
    since = np.where(before >= 0, frame - (stop[previous] - 1), np.inf)
    until = np.where(before + 1 < len(first), first[following] - frame, np.inf)
    gap = since + until
    # at its ends a lock hands over what it corrects there, and at which speed
    left, entered = stop - 1, np.minimum(first + 1, len(points) - 1)
    leaving, arriving = marks - points[left], marks - points[first]
    leaving_step, arriving_step = points[left] - points[np.maximum(left - 1, 0)], points[entered] - points[first]
    release = np.maximum(
        _step_frames(np.linalg.norm(leaving, axis=-1), pace_m_s[left], fps, options), options.release_s * fps
    )
    engage = np.maximum(
        _step_frames(np.linalg.norm(arriving, axis=-1), pace_m_s[first], fps, options), options.engage_s * fps
    )
    soon = gap < release[previous] + engage[following]
    falling = np.where(soon, gap, release[previous])
    rising = np.where(soon, gap, engage[following])
    fall, _ = fade(np.clip(1.0 - since / falling, 0.0, 1.0))
    rise, _ = fade(np.clip(1.0 - until / rising, 0.0, 1.0))
    # what a foot lags behind by while it gets going is made good soon, however long the rest takes
    going, coming = np.minimum(falling, options.release_s * fps), np.minimum(rising, options.engage_s * fps)
    _, fall_slope = fade(np.clip(1.0 - since / going, 0.0, 1.0))
    _, rise_slope = fade(np.clip(1.0 - until / coming, 0.0, 1.0))
    locked = since <= 0.0
    rise, rise_slope = np.where(locked, 0.0, rise), np.where(locked, 0.0, rise_slope)
    moved = fall[:, None] * leaving[previous] + (fall_slope * going)[:, None] * leaving_step[previous]
    moved += rise[:, None] * arriving[following] - (rise_slope * coming)[:, None] * arriving_step[following]
    moved = np.where(locked[:, None], marks[previous] - points, moved)
    step = np.hypot(*(arriving[following] - leaving[previous])[:, [0, 2]].T)
    step = np.maximum(step * soon, steps_m[previous])
    lift = np.maximum(np.minimum(options.lift * step, options.lift_m) - _own_height(first, stop, points)[previous], 0.0)
    x = np.clip(since / np.where(np.isfinite(gap), gap, 1.0), 0.0, 1.0)
    moved[:, 1] += lift * 16.0 * np.square(x * (1.0 - x))
    return moved, np.where(locked, 1.0, np.clip(fall + rise, 0.0, 1.0))


def _own_height(first: IntArray, stop: IntArray, points: FloatArray) -> FloatArray:
    """How high [L] a point [T, 3] rises over the floor by itself between each lock and the next."""
    last = len(points) - 1
    bounds = np.stack([np.minimum(stop, last), np.minimum(np.append(first[1:], last), last)], axis=1)
    highest = np.maximum.reduceat(points[:, 1], bounds.ravel())[::2]
    return np.asarray(np.maximum(highest - TOE_HEIGHT_M, 0.0))
