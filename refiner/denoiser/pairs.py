"""Training pairs from captured motion: what was, and what a stitcher would have made of it.

A window of a clip is the target. What leads up to its middle is bent towards another captured moment, and so is what
follows; between the two there is a gap, as large as gaps of real plans are, and it is closed as a join is. Only the blend
is broken: outside it the window is as it was, which is what a refiner is told.
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
    aligned,
    compose,
    inverse,
    normalise,
    quat_to_rotvec,
    quat_to_yaw,
    rotate,
    rotvec_to_quat,
    yaw_to_quat,
)
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner.denoiser.features import FPS, FRAMES, JOINTS, encode
from choreodb.retriever.inertialise import fade

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairOptions:
    """How pairs are made. half_s: shortest and longest half of a blend. gap_m: median distance of joints across a join,
    and spread of its logarithm. choices: other moments of which the nearest is taken. rate: playing speed. bare: share of
    pairs whose middle is hidden altogether, for in-betweening."""

    half_s: tuple[float, float] = (0.2, 0.72)
    gap_m: tuple[float, float] = (0.10, 0.5)
    choices: int = 6
    rate: tuple[float, float] = (0.87, 1.15)
    bare: float = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A captured clip at 60 frames a second. rotations: [T, 22, 4], root: [T, 3], contacts: [T, 4]. beats_s: clip seconds.
    style: its label. embedding: [S, 256] of its segments, start_s: [S] where they begin. music: [M, 17] of its song at 30
    frames a second, as `told.frames` gives it, from the clip's beginning on, or None."""

    rotations: FloatArray
    root: FloatArray
    contacts: npt.NDArray[np.uint8]
    beats_s: Array
    style: str
    embedding: npt.NDArray[np.float32]
    start_s: Array
    music: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """target, broken: [P, 64, 139]. mask: [P, 64], 1 where the window is known. music: [P, 64, 20] mel and onset (zeros:
    none), phase of the beat as sine and cosine, and whether it is known. embedding: [P, 256] (zeros: none). style: [P] number, 0: none."""

    target: npt.NDArray[np.float32]
    broken: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]
    music: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]
    style: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    rotations: Array
    root: Array
    contacts: Array
    clip: npt.NDArray[np.int64]
    middle_s: Array


def make(
    clips: Sequence[Clip],
    styles: Sequence[str],
    count: int,
    rng: np.random.Generator,
    options: PairOptions | None = None,
) -> Pairs:
    """`count` pairs; the same clips, numbers and generator give the same pairs."""
    options = options or PairOptions()
    parts = [_some(clips, styles, min(256, count - done), rng, options) for done in range(0, count, 256)]
    names = Pairs.__dataclass_fields__
    return Pairs(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _some(
    clips: Sequence[Clip], styles: Sequence[str], count: int, rng: np.random.Generator, options: PairOptions
) -> Pairs:
    true = _drawn(clips, count, rng, options)
    shortest, longest = np.log(options.half_s)
    half = np.exp(rng.uniform(shortest, longest, size=count))
    half_frames = np.maximum(2, np.rint(half * FPS)).astype(np.int64)
    size = options.gap_m[0] * np.exp(options.gap_m[1] * rng.normal(size=count))
    broken = _rejoined(true, _others(clips, true, rng, options), half_frames, size)
    target, place = encode(true.rotations, true.root, true.contacts)
    given, _ = encode(*broken, place)
    away = np.abs(np.arange(FRAMES) + 0.5 - FRAMES / 2)
    mask = (away[None] > half_frames[:, None]).astype(np.float32)
    hidden = rng.uniform(size=count) < options.bare
    given = np.where(hidden[:, None, None] & (mask < 0.5)[..., None], 0.0, given)
    music, embedding, style = _about(clips, styles, true)
    return Pairs(target, given.astype(np.float32), mask, music, embedding, style)


def _drawn(clips: Sequence[Clip], count: int, rng: np.random.Generator, options: PairOptions) -> _Windows:
    """Windows at 30 frames a second at random places, speeds and sides."""
    lengths = np.array([len(clip.root) for clip in clips], dtype=np.float64)
    need = 60.0 * FRAMES / FPS * options.rate[1] + 4.0
    usable = np.flatnonzero(lengths > need)
    share = lengths[usable] - need
    chosen = usable[rng.choice(len(usable), size=count, p=share / share.sum())]
    rate = rng.uniform(*options.rate, size=count)
    flip = rng.uniform(size=count) < 0.5
    order = mirror_order(CHOREO22)
    rotations, root, contacts = (
        np.zeros((count, FRAMES, JOINTS, 4)),
        np.zeros((count, FRAMES, 3)),
        np.zeros((count, FRAMES, 4)),
    )
    middle = np.zeros(count)
    for row, (number, speed) in enumerate(zip(chosen, rate, strict=True)):
        clip = clips[number]
        step = 60.0 / FPS * speed
        first = rng.uniform(0.0, lengths[number] - 2.0 - step * FRAMES)
        at = first + step * np.arange(FRAMES)
        rotations[row], root[row], contacts[row] = _read(clip, at)
        middle[row] = (first + 0.5 * step * FRAMES) / 60.0
        if flip[row]:
            rotations[row], root[row] = mirror_rotations(rotations[row], order), mirror_vectors(root[row])
            contacts[row] = contacts[row][:, [2, 3, 0, 1]]
    return _Windows(rotations, root, contacts, chosen, middle)


def _read(clip: Clip, at: Array) -> tuple[Array, Array, Array]:
    """Rotations, root and contacts at fractional frames [n]."""
    low = np.floor(at).astype(np.int64)
    share = (at - low)[:, None]
    a, b = clip.rotations[low].astype(np.float64), clip.rotations[low + 1].astype(np.float64)
    rotations = normalise(a * (1.0 - share[..., None]) + aligned(b, a) * share[..., None])
    root = clip.root[low] * (1.0 - share) + clip.root[low + 1] * share
    return (
        np.asarray(rotations, dtype=np.float64),
        np.asarray(root, dtype=np.float64),
        clip.contacts[low].astype(np.float64),
    )


def _others(
    clips: Sequence[Clip], true: _Windows, rng: np.random.Generator, options: PairOptions
) -> tuple[_Windows, _Windows]:
    """For either side of the middle, the other captured moment nearest in pose among a few."""
    count = len(true.root)
    poses = _pose(true)
    found = []
    for _ in range(2):
        drawn = [_drawn(clips, count, rng, options) for _ in range(options.choices)]
        apart = np.stack([np.linalg.norm(_pose(each) - poses, axis=1) for each in drawn])
        best = np.argmin(apart, axis=0)
        rows = np.arange(count)
        rotations, root, contacts = (
            np.stack([getattr(each, name) for each in drawn])[best, rows] for name in ("rotations", "root", "contacts")
        )
        found.append(_Windows(rotations, root, contacts, np.zeros(count, dtype=np.int64), np.zeros(count)))
    return found[0], found[1]


def _pose(windows: _Windows) -> Array:
    """Joints [B, 66] of the middle frame in the heading frame, and how fast they are, weighed as a join weighs it."""
    middle = FRAMES // 2
    ends = [forward(windows.rotations[:, at], windows.root[:, at], CHOREO22)[0] for at in (middle - 2, middle)]
    turn = yaw_to_quat(-quat_to_yaw(windows.rotations[:, middle, 0]))[:, None]
    local = rotate(turn, ends[1] - windows.root[:, None, middle] * [1.0, 0.0, 1.0])
    speed = rotate(turn, ends[1] - ends[0]) * (FPS / 2.0) * 0.12
    return np.concatenate([local, speed], axis=1).reshape(len(local), -1)


def _rejoined(
    true: _Windows, others: tuple[_Windows, _Windows], half: npt.NDArray[np.int64], size: Array
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The windows with their blends broken and closed again: rotations, root, contacts."""
    middle = FRAMES // 2
    frame = np.arange(FRAMES)
    bent = [_bent_to(true, other, middle + sign * half, sign) for other, sign in zip(others, (-1, 1), strict=True)]
    before, after = bent
    gap_m = _gap_m(true, before, after, middle)
    share = np.minimum(size / np.maximum(gap_m, 1e-3), 1.0)[:, None, None]
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


def _rate(sides: Sequence[FloatArray], half: npt.NDArray[np.int64], middle: int) -> FloatArray:
    """By how much speeds differ across the join [B, 1, ...], for half a blend."""
    early, late = sides
    change = (late[:, middle + 1] - late[:, middle]) - (early[:, middle - 1] - early[:, middle - 2])
    return change[:, None] * half.reshape(-1, *(1,) * change.ndim)


def _bent_to(true: _Windows, other: _Windows, edge: npt.NDArray[np.int64], sign: int) -> tuple[Array, Array]:
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


def _gap_m(true: _Windows, before: tuple[Array, Array], after: tuple[Array, Array], middle: int) -> Array:
    """Root mean square distance [B] of joints across the join."""
    ends = []
    for turn, move in (before, after):
        rotations = compose(rotvec_to_quat(turn[:, middle]), true.rotations[:, middle])
        ends.append(forward(rotations, true.root[:, middle] + move[:, middle], CHOREO22)[0])
    return np.sqrt(np.square(ends[1] - ends[0]).sum(axis=-1).mean(axis=-1))


def _about(
    clips: Sequence[Clip], styles: Sequence[str], true: _Windows
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Music [B, N, 20], embedding [B, 256] and style [B] of the windows' clips."""
    music = np.zeros((len(true.clip), FRAMES, 20), dtype=np.float32)
    embedding = np.zeros((len(true.clip), 256), dtype=np.float32)
    style = np.zeros(len(true.clip), dtype=np.int64)
    for row, number in enumerate(true.clip):
        clip = clips[number]
        times = true.middle_s[row] + (np.arange(FRAMES) - FRAMES / 2) / FPS
        music[row, :, -3:] = beat_phase(clip.beats_s, times)
        if clip.music is not None:
            music[row, :, :-3] = clip.music[np.clip(np.rint(times * FPS).astype(np.int64), 0, len(clip.music) - 1)]
        if len(clip.start_s):
            embedding[row] = clip.embedding[int(np.argmin(np.abs(clip.start_s + 1.0 - true.middle_s[row])))]
        style[row] = 1 + styles.index(clip.style) if clip.style in styles else 0
    return music, embedding, style


def beat_phase(beats_s: Array, times_s: Array) -> npt.NDArray[np.float32]:
    """Sine and cosine of the phase between beats at `times_s` [N], and 1 where it is known: [N, 3]."""
    out = np.zeros((len(times_s), 3), dtype=np.float32)
    if len(beats_s) < 2:
        return out
    phase = np.interp(times_s, beats_s, np.arange(len(beats_s)))
    known = (times_s >= beats_s[0]) & (times_s <= beats_s[-1])
    out[:, 0], out[:, 1], out[:, 2] = np.sin(2 * np.pi * phase) * known, np.cos(2 * np.pi * phase) * known, known
    return out
