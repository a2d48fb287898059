"""What must not change a plan: which way clips face and where they stand, the song's rate, and the order of insertion."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from choreodb.indexer.build import index
from choreodb.library import Library
from choreodb.motion import bvh
from choreodb.motion.rotations import compose, rotate, yaw_to_quat
from choreodb.music.decode import load as load_audio
from choreodb.retriever.options import PlanOptions

OPTIONS = PlanOptions(candidate_gap=False, candidates=24, beam=32)


@pytest.fixture(scope="module")
def few(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the troupe, without their songs."""
    folder = tmp_path_factory.mktemp("few")
    for path in sorted(sample_folder.rglob("*.bvh"))[:4]:
        shutil.copy(path, folder / path.name)
    return folder


def danced(library: Path, song: Path) -> list[tuple[str, bool, float]]:
    """Clip, mirroring and first second of every step."""
    plan = Library.open(library).plan(song, OPTIONS)
    return [(step.clip, step.mirrored, round(step.source_start_s, 2)) for step in plan.placements]


def test_turning_and_moving_clips_changes_nothing(few: Path, sample_song: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    plans = []
    for name in ("as-made", "turned"):
        (tmp_path / name).mkdir()
        for path in sorted(few.glob("*.bvh")):
            motion = bvh.load(path)
            if name == "turned":
                turn = yaw_to_quat(np.array(rng.uniform(-3.0, 3.0)))
                away = np.array([rng.uniform(-4.0, 4.0), 0.0, rng.uniform(-4.0, 4.0)])
                first = compose(turn, motion.rotations[:, 0])
                motion = replace(
                    motion,
                    root=rotate(turn, motion.root) + away,
                    rotations=np.concatenate([first[:, None], motion.rotations[:, 1:]], axis=1),
                )
            bvh.save(motion, tmp_path / name / path.name, keep_names=True)
        index([tmp_path / name], tmp_path / f"{name}-library")
        plans.append(danced(tmp_path / f"{name}-library", sample_song))
    assert [(step[0].split("/")[-1], *step[1:]) for step in plans[0]] == [
        (step[0].split("/")[-1], *step[1:]) for step in plans[1]
    ]


def test_the_order_of_insertion_changes_nothing(few: Path, sample_song: Path, tmp_path: Path) -> None:
    plans = []
    for name, sign in (("forth", 1), ("back", -1)):
        for path in sorted(few.glob("*.bvh"))[::sign]:
            index([path], tmp_path / name)
        plans.append(danced(tmp_path / name, sample_song))
    assert plans[0] == plans[1]


@pytest.mark.parametrize("rate", [32000, 48000])
def test_resampling_the_song_changes_nothing(
    sample_library: Path, sample_song: Path, tmp_path: Path, rate: int
) -> None:
    import soundfile
    import soxr

    audio = load_audio(sample_song)
    again = tmp_path / "song.wav"
    soundfile.write(again, soxr.resample(audio.samples, audio.rate, rate, quality="VHQ"), rate, subtype="FLOAT")
    assert danced(sample_library, again) == danced(sample_library, sample_song)
