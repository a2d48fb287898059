"""Showing a clip of a sample: the mp4 has its picture, its sound and a face that lives."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from choreodb import sample, showing
from choreodb.cli import main
from choreodb.errors import QueryError
from choreodb.render.portrait import portrait
from choreodb.render.video import VideoOptions


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "set"
    sample.make(out, minutes=0.4, styles=("house", "waltz"), seed=4)
    return out


def test_a_clip_is_shown_with_its_sound(folder: Path, tmp_path: Path) -> None:
    clip = showing.find_clip(folder, style="waltz")
    assert clip.style == "waltz"
    target = tmp_path / "waltz.mp4"
    showing.show(clip, target, seconds=1.5, options=VideoOptions(size=(480, 270), fps=20))
    with av.open(str(target)) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 30
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 50


def test_what_cannot_be_shown_says_so(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(QueryError, match=r"style 'tango'; its styles are house, waltz"):
        showing.find_clip(folder, style="tango")
    with pytest.raises(QueryError, match="holds no sample"):
        showing.find_clip(tmp_path)
    with pytest.raises(QueryError, match=r"ends in \.mp4"):
        showing.show(showing.find_clip(folder), tmp_path / "a.avi")
    assert main(["sample", "show", str(folder), "--seconds", "-3", "-o", str(tmp_path / "a.mp4")]) == 1
    assert "cannot show -3 seconds" in capsys.readouterr().err
    assert not (tmp_path / "a.mp4").exists()


def test_a_portrait_changes_where_the_face_does() -> None:
    calm = portrait({}).astype(int)
    height = len(calm)
    eyes, mouth = slice(round(0.3 * height), round(0.5 * height)), slice(round(0.65 * height), round(0.95 * height))
    for name, here, there in (("eyeBlink", eyes, mouth), ("mouthSmile", mouth, eyes)):
        other = portrait({f"{name}Left": 1.0, f"{name}Right": 1.0}).astype(int)
        assert np.abs(other - calm)[here].max() > 60
        assert np.abs(other - calm)[there].max() < 10
    winking = portrait({"eyeBlinkLeft": 1.0}).astype(int)
    middle = calm.shape[1] // 2
    assert np.abs(winking - calm)[:, middle + 2 :].max() > 60
    assert np.abs(winking - calm)[:, : middle - 2].max() == 0
    assert portrait({"strange": 5.0}).shape == calm.shape
