"""Training pairs from captured motion: what was, and what a refiner is given of it.

Three kinds. A gap: some of the window is hidden and bridged. A seam: what leads up to the window's middle is bent towards
another captured moment, and so is what follows; between the two there is a distance, as large as distances of real plans are,
and it is closed as a join is; outside the blend the window is as it was. All: the same, and nobody says which part is broken;
some of these are whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.kinematics import forward
from choreodb.motion.mirror import mirror_order, mirror_rotations, mirror_vectors
from choreodb.motion.rotations import (
    FloatArray,
    compose,
    inverse,
    quat_to_rotvec,
    quat_to_yaw,
    rotate,
    rotvec_to_quat,
    yaw_to_quat,
)
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner.denoiser import features
from choreodb.refiner.denoiser.bridge import bridged
from choreodb.refiner.denoiser.features import FPS, FRAMES
from choreodb.refiner.denoiser.windows import Material, Windows
from choreodb.retriever.inertialise import fade

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

GAP, SEAM, ALL = 0, 1, 2
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class PairOptions:
    """How pairs are made. shares: of gaps, seams and all. gap_s: shortest and longest gap. context_s: of what is told around
    it. half_s: shortest and longest half of a blend. margin_s: hidden beyond it. apart_m: median distance of joints across a
    join, and spread of its logarithm. choices: other moments of which the nearest is taken. rate: playing speed. whole: share
    of the third kind that is not broken at all. bare: seams are bridged like gaps, and what was retrieved there is not shown."""

    shares: tuple[float, float, float] = (0.6, 0.3, 0.1)
    gap_s: tuple[float, float] = (0.3, 2.1)
    context_s: tuple[float, float] = (0.9, 1.85)
    half_s: tuple[float, float] = (0.2, 0.72)
    margin_s: float = 0.07
    apart_m: tuple[float, float] = (0.10, 0.5)
    choices: int = 24
    rate: tuple[float, float] = (0.87, 1.15)
    whole: float = 0.4
    bare: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """rotations: [P, N, 22, 4], root: [P, N, 3] as given, in the windows' own places; contacts: [P, N, 4]. change: [P, N, 69]
    that leads to what was. planted: [P, N, 4] contacts of what was. joints: [P, N, 22, 3] where they were. free: [P, N] how
    much of a change is let through. length_s: [P] of the gap. kind: [P]. music: [P, N, 20] mel, onset (zeros: none), phase of
    the beat, and whether it is known. embedding: [P, 256] (zeros: none). style: [P] number, 0: none."""

    rotations: Floats
    root: Floats
    contacts: Floats
    change: Floats
    planted: Floats
    joints: Floats
    free: Floats
    length_s: Floats
    kind: Indices
    music: Floats
    embedding: Floats
    style: Indices

    def __len__(self) -> int:
        return len(self.change)


def make(
    material: Material, styles: Sequence[str], count: int, rng: np.random.Generator, options: PairOptions | None = None
) -> Pairs:
    """`count` pairs; the same material, numbers and generator give the same pairs."""
    options = options or PairOptions()
    parts = [_some(material, styles, min(_AT_ONCE, count - done), rng, options) for done in range(0, count, _AT_ONCE)]
    names = Pairs.__dataclass_fields__
    return Pairs(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _some(
    material: Material, styles: Sequence[str], count: int, rng: np.random.Generator, options: PairOptions
) -> Pairs:
    rate = rng.uniform(*options.rate, size=count)
    clip, first = material.starts(count, rate, rng)
    true = material.read(clip, first, rate)
    kind = np.sort(rng.choice(3, size=count, p=options.shares))
    music, embedding, style = material.about(true, styles)
    flip = rng.uniform(size=count) < 0.5
    # gaps come first, as kinds are sorted
    gaps, joins = np.flatnonzero(kind == GAP), np.flatnonzero(kind != GAP)
    given = [_with_gaps(_rows(true, gaps), rng, options)] if len(gaps) else []
    if len(joins):
        given.append(_with_seams(material, _rows(true, joins), kind[joins], rng, options))
    rotations, root, contacts, first_s, stop_s = (np.concatenate(parts) for parts in zip(*given, strict=True))
    was = _mirrored(true.rotations, true.root, true.contacts, flip)
    now = _mirrored(rotations, root, contacts, flip)
    place = features.placed(now[0], now[1])
    here, there = features.local(now[0], now[1], place), features.local(was[0], was[1], place)
    times = np.broadcast_to(np.arange(FRAMES) / FPS, (count, FRAMES))
    free = np.where((kind == ALL)[:, None], 1.0, features.freedom(times, first_s, stop_s))
    length_s = np.where(kind == ALL, features.WHOLE_S, stop_s - first_s)
    change = features.change(here, there) * (free > 0.0)[..., None]
    return Pairs(
        here[0].astype(np.float32), here[1].astype(np.float32), now[2].astype(np.float32), change.astype(np.float32),
        was[2].astype(np.float32), forward(*there, CHOREO22)[0].astype(np.float32), free.astype(np.float32),
        length_s.astype(np.float32), kind.astype(np.int64), music, embedding, style,
    )  # fmt: skip


def _rows(windows: Windows, rows: Indices) -> Windows:
    return Windows(*(getattr(windows, name)[rows] for name in Windows.__dataclass_fields__))


def _mirrored(
    rotations: Array, root: Array, contacts: Array, flip: npt.NDArray[np.bool_]
) -> tuple[Array, Array, Array]:
    """Windows [B] with some of them [B] seen in a mirror."""
    order = mirror_order(CHOREO22)
    return (
        np.where(flip[:, None, None, None], mirror_rotations(rotations, order), rotations),
        np.where(flip[:, None, None], mirror_vectors(root), root),
        np.where(flip[:, None, None], contacts[..., [2, 3, 0, 1]], contacts),
    )


def _with_gaps(
    true: Windows, rng: np.random.Generator, options: PairOptions
) -> tuple[Array, Array, Array, Array, Array]:
    """Windows with a gap about their middle, bridged: rotations, root, contacts, last known and next known second."""
    count = len(true.clip)
    half = 0.5 * FPS * rng.uniform(*options.gap_s, size=count)
    middle = 0.5 * FRAMES + rng.uniform(-1.5, 1.5, size=count)
    first, stop = np.rint(middle - half).astype(np.int64), np.rint(middle + half).astype(np.int64)
    stop = np.maximum(stop, first + 3)
    context = np.rint(FPS * rng.uniform(*options.context_s, size=count)).astype(np.int64)
    low, high = np.maximum(first - context, 0), np.minimum(stop - 1 + context, FRAMES - 1)
    # beyond what is told the last pose is held, as where a dance begins or ends
    held = np.clip(np.arange(FRAMES)[None], low[:, None], high[:, None])
    row = np.arange(count)[:, None]
    rotations, root = bridged(true.rotations[row, held], true.root[row, held], first, stop, FPS)
    frame = np.arange(FRAMES)[None]
    hidden = (frame >= first[:, None]) & (frame < stop[:, None])
    contacts = np.where(hidden[..., None], 0.5, true.contacts[row, held])
    return np.asarray(rotations), np.asarray(root), contacts, (first - 1) / FPS, stop / FPS


def _with_seams(
    material: Material, true: Windows, kind: Indices, rng: np.random.Generator, options: PairOptions
) -> tuple[Array, Array, Array, Array, Array]:
    """Windows with their middles broken and closed again, and between which seconds anything is changed."""
    count = len(true.clip)
    shortest, longest = np.log(options.half_s)
    half_s = np.exp(rng.uniform(shortest, longest, size=count))
    half = np.maximum(2, np.rint(half_s * FPS)).astype(np.int64)
    size = options.apart_m[0] * np.exp(options.apart_m[1] * rng.normal(size=count))
    size = np.where((kind == ALL) & (rng.uniform(size=count) < options.whole), 0.0, size)
    others = _others(material, true, rng, options), _others(material, true, rng, options)
    rotations, root, contacts = _rejoined(true, others, half, size)
    middle_s, reach_s = 0.5 * FRAMES / FPS, half / FPS + options.margin_s
    whole = (size == 0.0)[:, None, None]
    if options.bare:
        hidden = (kind == SEAM)[:, None, None]
        first = np.floor((middle_s - reach_s) * FPS + 1e-6).astype(np.int64) + 1
        stop = np.ceil((middle_s + reach_s) * FPS - 1e-6).astype(np.int64)
        bare = bridged(true.rotations, true.root, first, stop, FPS)
        frame = np.arange(FRAMES)[None]
        inside = ((frame >= first[:, None]) & (frame < stop[:, None]))[..., None]
        rotations, root = np.where(hidden[..., None], bare[0], rotations), np.where(hidden, bare[1], root)
        contacts = np.where(hidden & inside, 0.5, contacts)
    return (
        np.where(whole[..., None], true.rotations, rotations), np.where(whole, true.root, root),
        np.where(whole, true.contacts, contacts), middle_s - reach_s, middle_s + reach_s,
    )  # fmt: skip


def _others(material: Material, true: Windows, rng: np.random.Generator, options: PairOptions) -> Windows:
    """For every window, the other captured moment nearest to its middle in pose among a few."""
    shape = (len(true.clip), options.choices)
    rate = rng.uniform(*options.rate, size=shape)
    clip, first = material.starts(shape[0], rate, rng)
    poses = material.pose(clip, first + 0.5 * FRAMES * 60.0 / FPS * rate)
    own = material.pose(true.clip, np.minimum(true.middle_s * 60.0, material.lengths[true.clip] - 1.0))
    best = np.argmin(np.square(poses - own[:, None]).sum(axis=-1), axis=1)
    row = np.arange(shape[0])
    return material.read(clip[row, best], first[row, best], rate[row, best])


def _rejoined(
    true: Windows, others: tuple[Windows, Windows], half: Indices, size: Array
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The windows with their blends broken and closed again: rotations, root, contacts."""
    middle = FRAMES // 2
    frame = np.arange(FRAMES)
    bent = [_bent_to(true, other, middle + sign * half, sign) for other, sign in zip(others, (-1, 1), strict=True)]
    before, after = bent
    apart_m = _apart_m(true, before, after, middle)
    share = np.minimum(size / np.maximum(apart_m, 1e-3), 1.0)[:, None, None]
    turns = [part[0] * share[..., None] for part in bent]
    moves = [part[1] * share for part in bent]
    # the gap at the middle, closed by quintics on either side as `inertialise` does
    turn_gap, move_gap = turns[1][:, middle] - turns[0][:, middle], moves[1][:, middle] - moves[0][:, middle]
    rates = [_rate(part, half, middle) for part in (turns, moves)]
    x = np.clip(1.0 - np.abs(frame[None] + 0.5 - middle) / half[:, None], 0.0, 1.0)
    value, slope = fade(x)
    early = frame[None] < middle
    sign = np.where(early, 1.0, -1.0)
    weight = sign * 0.5 * value + sign * 0.9375 * slope
    turn = np.where(early[..., None, None], turns[0], turns[1]) + weight[..., None, None] * turn_gap[:, None]
    move = np.where(early[..., None], moves[0], moves[1]) + weight[..., None] * move_gap[:, None]
    turn, move = turn + 0.5 * slope[..., None, None] * rates[0], move + 0.5 * slope[..., None] * rates[1]
    rotations = compose(rotvec_to_quat(turn), true.rotations)
    contacts = np.where(early[..., None], others[0].contacts, others[1].contacts)
    inside = (x > 0.0)[..., None]
    return rotations, true.root + move, np.where(inside, contacts, true.contacts)


def _rate(sides: Sequence[FloatArray], half: Indices, middle: int) -> FloatArray:
    """By how much speeds differ across the join [B, 1, ...], for half a blend."""
    early, late = sides
    change = (late[:, middle + 1] - late[:, middle]) - (early[:, middle - 1] - early[:, middle - 2])
    return change[:, None] * half.reshape(-1, *(1,) * change.ndim)


def _bent_to(true: Windows, other: Windows, edge: Indices, sign: int) -> tuple[Array, Array]:
    """What leads from the window to `other`, joined to it at frames `edge` [B]: rotation vectors [B, N, 22, 3] and metres
    [B, N, 3], 0 beyond the edge and growing from it."""
    rows = np.arange(len(edge))
    edge = np.clip(edge, 0, FRAMES - 1)
    yaw = quat_to_yaw(true.rotations[rows, edge, 0]) - quat_to_yaw(other.rotations[rows, edge, 0])
    turn = yaw_to_quat(yaw)[:, None]
    rotations = other.rotations.copy()
    rotations[:, :, 0] = compose(np.broadcast_to(turn, rotations[:, :, 0].shape), rotations[:, :, 0])
    root = rotate(turn, other.root - other.root[rows, edge][:, None]) + true.root[rows, edge][:, None]
    # heights are the floor's
    root[..., 1] = other.root[..., 1]
    span = np.maximum(np.abs(FRAMES // 2 - edge), 1)[:, None]
    inside = np.clip(-sign * (np.arange(FRAMES)[None] - edge[:, None]) / span, 0.0, 1.0)
    grown = inside**3 * (10.0 - 15.0 * inside + 6.0 * inside**2)
    apart = quat_to_rotvec(compose(rotations, inverse(true.rotations)))
    return apart * grown[..., None, None], (root - true.root) * grown[..., None]


def _apart_m(true: Windows, before: tuple[Array, Array], after: tuple[Array, Array], middle: int) -> Array:
    """Root mean square distance [B] of joints across the join."""
    ends = []
    for turn, move in (before, after):
        rotations = compose(rotvec_to_quat(turn[:, middle]), true.rotations[:, middle])
        ends.append(forward(rotations, true.root[:, middle] + move[:, middle], CHOREO22)[0])
    return np.sqrt(np.square(ends[1] - ends[0]).sum(axis=-1).mean(axis=-1))
