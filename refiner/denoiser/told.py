"""What a refiner is told of the song and the plan that a dance is made for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choreodb.refiner.denoiser.features import FPS
from choreodb.refiner.denoiser.refine import Told

if TYPE_CHECKING:
    from choreodb.indexer.encoders.base import Encoder
    from choreodb.music.music import Music
    from choreodb.retriever.plan import Plan

BANDS = 16
_QUIET_DB, _SPAN_DB = -80.0, 80.0


def of_song(music: Music, plan: Plan, encoder: Encoder | None = None) -> Told:
    """Beats, mel and onsets of the song, labels of the plan's steps and, with an encoder, the embedding of each step."""
    from choreodb.indexer.encoders.base import MusicWindow

    starts = np.array([placement.step.start_s for placement in plan.placements])
    embedding = None
    if encoder is not None:
        windows = [
            MusicWindow(step.start_s, step.end_s, step.beats_s, step.metre if len(step.beats_s) else 0)
            for step in (placement.step for placement in plan.placements)
        ]
        embedding = encoder.embed_music(music, windows)
    return Told(plan.grid.times_s, frames(music), embedding, starts, plan.styles, encoder.hash if encoder else "")


def frames(music: Music) -> npt.NDArray[np.float32]:
    """Log-mel in 16 bands and onset strength [T, 17] at 30 frames a second, each of about unit size."""
    features = music.features
    count = max(1, int(np.ceil(music.duration_s * FPS)))
    at = np.clip(np.rint(np.arange(count) / FPS / features.hop_s).astype(np.int64), 0, len(features) - 1)
    mel = features.mel_db[at].reshape(count, BANDS, -1).mean(axis=2)
    level = np.clip((mel - mel.max() - _QUIET_DB) / _SPAN_DB, 0.0, 1.0) * 2.0 - 1.0
    onset = features.onset[at][:, None] / max(float(np.std(features.onset)), 1e-6)
    return np.concatenate([level, np.clip(onset, 0.0, 5.0)], axis=1).astype(np.float32)
