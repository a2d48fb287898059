"""Windows of captured motion to train on: any clip, place and playing speed, read from one flat array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import FloatArray, aligned, normalise, quat_to_yaw, rotate, yaw_to_quat
from choreodb.motion.skeleton import CHOREO22
from choreodb.refiner.denoiser.features import FPS, FRAMES

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

CAPTURED_FPS = 60.0
_SPEED_S = 0.12
"""What a metre a second weighs against a metre, between two poses; as at a join."""
_POSES_EVERY = 2


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
class Windows:
    """rotations: [B, N, 22, 4]. root: [B, N, 3]. contacts: [B, N, 4]. clip: [B] its number. middle_s: [B] clip seconds."""

    rotations: Array
    root: Array
    contacts: Array
    clip: Indices
    middle_s: Array


class Material:
    """Clips end to end, to be read at any frame between two."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self.clips = clips
        self.rotations = np.concatenate([clip.rotations for clip in clips]).astype(np.float32)
        self.root = np.concatenate([clip.root for clip in clips]).astype(np.float64)
        self.contacts = np.concatenate([clip.contacts for clip in clips])
        self.lengths = np.array([len(clip.root) for clip in clips], dtype=np.int64)
        self.first = np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.int64)
        self._poses: npt.NDArray[np.float32] | None = None

    def starts(self, count: int, rate: Array, rng: np.random.Generator) -> tuple[Indices, Array]:
        """(clips [...], first frames within them [...]) of windows that fit, for playing speeds `rate` [...]."""
        need = CAPTURED_FPS / FPS * FRAMES * rate.max() + 4.0
        usable = np.flatnonzero(self.lengths > need)
        share = self.lengths[usable] - need
        chosen = usable[rng.choice(len(usable), size=rate.shape, p=share / share.sum())]
        room = self.lengths[chosen] - 2.0 - CAPTURED_FPS / FPS * FRAMES * rate
        return chosen.astype(np.int64), rng.uniform(size=rate.shape) * room

    def fits(self, rate: float) -> bool:
        """Whether any clip is long enough for a window."""
        return bool((self.lengths > CAPTURED_FPS / FPS * FRAMES * rate + 4.0).any())

    def read(self, clip: Indices, first: Array, rate: Array) -> Windows:
        """Windows [B] at 30 frames a second from frames `first` [B] of clips [B] on, played at `rate` [B]."""
        at = first[:, None] + (CAPTURED_FPS / FPS * rate)[:, None] * np.arange(FRAMES)
        low = np.floor(at).astype(np.int64)
        share = (at - low)[..., None]
        low = low + self.first[clip][:, None]
        a, b = self.rotations[low].astype(np.float64), self.rotations[low + 1].astype(np.float64)
        rotations = normalise(a * (1.0 - share[..., None]) + aligned(b, a) * share[..., None])
        root = self.root[low] * (1.0 - share) + self.root[low + 1] * share
        middle_s = (first + 0.5 * CAPTURED_FPS / FPS * rate * FRAMES) / CAPTURED_FPS
        return Windows(np.asarray(rotations), np.asarray(root), self.contacts[low].astype(np.float64), clip, middle_s)

    def pose(self, clip: Indices, frame: Array) -> npt.NDArray[np.float32]:
        """Joints [..., 132] in the heading frame and how fast they are, weighed as a join weighs it, at frames of clips."""
        if self._poses is None:
            self._poses = self._all_poses()
        return self._poses[(self.first[clip] + np.rint(frame).astype(np.int64)) // _POSES_EVERY]

    def _all_poses(self) -> npt.NDArray[np.float32]:
        rotations, root = self.rotations[::_POSES_EVERY].astype(np.float64), self.root[::_POSES_EVERY]
        joints = forward(rotations, root, CHOREO22)[0]
        turn = yaw_to_quat(-quat_to_yaw(rotations[:, 0]))[:, None]
        local = rotate(turn, joints - root[:, None] * [1.0, 0.0, 1.0])
        moved = np.diff(joints, axis=0, append=joints[-1:]) * (CAPTURED_FPS / _POSES_EVERY) * _SPEED_S
        # where one clip ends and the next begins nothing moves
        ends = (self.first[1:] - 1) // _POSES_EVERY
        moved[ends] = 0.0
        return np.concatenate([local, rotate(turn, moved)], axis=1).reshape(len(local), -1).astype(np.float32)

    def about(
        self, windows: Windows, styles: Sequence[str]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], Indices]:
        """Music [B, N, 20], embedding [B, 256] and style [B] of the windows' clips; zeros where there is none."""
        count = len(windows.clip)
        music = np.zeros((count, FRAMES, 20), dtype=np.float32)
        embedding, style = np.zeros((count, 256), dtype=np.float32), np.zeros(count, dtype=np.int64)
        for number in np.unique(windows.clip):
            clip, rows = self.clips[number], np.flatnonzero(windows.clip == number)
            times = windows.middle_s[rows, None] + (np.arange(FRAMES) - FRAMES / 2) / FPS
            music[rows, :, -3:] = beat_phase(clip.beats_s, times)
            if clip.music is not None:
                frame = np.clip(np.rint(times * FPS).astype(np.int64), 0, len(clip.music) - 1)
                music[rows, :, :-3] = clip.music[frame]
            if len(clip.start_s):
                apart = np.abs(clip.start_s[None] + 1.0 - windows.middle_s[rows, None])
                embedding[rows] = clip.embedding[np.argmin(apart, axis=1)]
            style[rows] = 1 + styles.index(clip.style) if clip.style in styles else 0
        return music, embedding, style


def beat_phase(beats_s: Array, times_s: Array) -> npt.NDArray[np.float32]:
    """Sine and cosine of the phase between beats at `times_s` [...], and 1 where it is known: [..., 3]."""
    out = np.zeros((*np.shape(times_s), 3), dtype=np.float32)
    if len(beats_s) < 2:
        return out
    phase = np.interp(times_s, beats_s, np.arange(len(beats_s)))
    known = (times_s >= beats_s[0]) & (times_s <= beats_s[-1])
    out[..., 0], out[..., 1] = np.sin(2 * np.pi * phase) * known, np.cos(2 * np.pi * phase) * known
    out[..., 2] = known
    return out
