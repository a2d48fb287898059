"""Seams shown before and after refining: one video each, and one line where that cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from walking import clip, lengths, place, reader, walk

from choreodb import cli
from choreodb.errors import ChoreoError, QueryError
from choreodb.refiner.physics import clean
from choreodb.render.pair import save_pair
from choreodb.render.video import VideoOptions
from choreodb.retriever.stitch import Stitched, stitch
from choreodb.seams import show_seams


def two_takes() -> Stitched:
    clips = {"a": clip(walk(8.0)), "b": clip(walk(8.0, yaw=1.0))}
    return stitch(place([("a", 1.0, 3.0), ("b", 3.0, 5.0)], [0.0, 2.0, 4.0]), reader(clips), lengths(clips))


def test_a_seam_is_a_video_of_both(tmp_path: Path) -> None:
    import imageio_ffmpeg

    before = two_takes()
    shown = show_seams(before, clean(before), tmp_path / "new", 5)
    assert [seam.path.name for seam in shown] == ["seam-01.mp4"]
    assert shown[0].clips == ("a", "b")
    assert shown[0].text().startswith(f"{shown[0].path}: {shown[0].time_s:.2f} s, a to b, ")
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(shown[0].path))
    assert seconds == pytest.approx(5.0, abs=0.1)
    assert frames == 150


def test_what_differs_is_seen_and_what_does_not_is_not(tmp_path: Path) -> None:
    import imageio_ffmpeg

    motion = walk(0.2)
    options = VideoOptions(size=(320, 180))
    still, other = motion.frames(0, 6), motion.frames(6, 12)
    for name, right in (("same", still), ("other", other)):
        save_pair((still, right), tmp_path / f"{name}.mp4", titles=("", ""), options=options)
        pictures = imageio_ffmpeg.read_frames(str(tmp_path / f"{name}.mp4"))
        next(pictures)
        image = np.frombuffer(next(pictures), dtype=np.uint8).reshape(180, 320, 3)[30:150].astype(float)
        differ = np.abs(image[:, 4:150] - image[:, 164:310]).mean()
        assert (differ < 2.0) == (name == "same")
    with pytest.raises(ChoreoError, match="as many frames"):
        save_pair((still, motion), tmp_path / "x.mp4", titles=("", ""), options=options)


def test_a_dance_without_seams_and_a_bad_count_say_so(tmp_path: Path) -> None:
    clips = {"a": clip(walk(8.0))}
    alone = stitch(place([("a", 1.0, 5.0)], [0.0, 4.0]), reader(clips), lengths(clips))
    with pytest.raises(QueryError, match="no seam"):
        show_seams(alone, alone, tmp_path, 1)
    with pytest.raises(QueryError, match="cannot show 0 seams"):
        show_seams(two_takes(), two_takes(), tmp_path, 0)
    (tmp_path / "file").write_text("")
    with pytest.raises(QueryError, match="cannot write"):
        show_seams(two_takes(), two_takes(), tmp_path / "file" / "x", 1)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--count", "0"], "cannot show 0 seams"),
        (["--refine", "seams", "--refiner", "nothing.safetensors"], "nothing"),
        (["--strength", "0.5"], "none is given"),
    ],
)
def test_the_command_refuses_in_one_line(
    more: list[str], says: str, sample_library: Path, sample_song: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    command = ["seams", str(sample_library), str(sample_song), "-o", str(tmp_path / "out"), *more]
    assert cli.main(command) == 1
    said = capsys.readouterr().err.strip()
    assert says in said
    assert "\n" not in said
    assert not (tmp_path / "out").exists()


def test_the_command_shows_seams(
    sample_library: Path, sample_song: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert cli.main(["seams", str(sample_library), str(sample_song), "-o", str(tmp_path), "--count", "1"]) == 0
    assert capsys.readouterr().out.startswith(str(tmp_path / "seam-01.mp4"))
    assert (tmp_path / "seam-01.mp4").stat().st_size > 1000
