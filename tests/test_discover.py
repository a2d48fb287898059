"""Discovery: what is a clip, what is its song, what the CSV files say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choreodb.errors import ChoreoError
from choreodb.indexer import ingest
from choreodb.indexer.discover import ClipSource, discover
from choreodb.indexer.labels import ClipSettings


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def by_id(*sources: Path) -> dict[str, ClipSource]:
    return {clip.clip: clip for clip in discover(sources).clips}


def test_ids_are_paths_below_the_source_folder(tmp_path: Path) -> None:
    source = touch(tmp_path / "takes", "a.bvh", "deep/er/b.BVH", "notes.txt", "deep/c.npy", ".hidden/d.bvh", ".e.bvh")
    assert list(by_id(source)) == ["takes/a", "takes/deep/c", "takes/deep/er/b"]


def test_a_single_file_has_the_id_it_has_in_its_folder(tmp_path: Path) -> None:
    source = touch(tmp_path / "takes", "a.bvh", "b.bvh", "a.wav")
    only = by_id(source / "a.bvh")
    assert only == {"takes/a": by_id(source)["takes/a"]}


def test_order_of_sources_does_not_matter(tmp_path: Path) -> None:
    one, two = touch(tmp_path / "one", "a.bvh", "z.bvh"), touch(tmp_path / "two", "b.bvh")
    assert discover([one, two]).clips == discover([two, one, two]).clips


def test_pairing_by_stem_and_by_being_alone(tmp_path: Path) -> None:
    source = touch(
        tmp_path / "s", "1/motion.npz", "1/music.ogg", "2/a.bvh", "2/a.mp3", "2/b.bvh", "2/other.mp3", "3/x.bvh",
        "3/p.wav", "3/q.wav",
    )  # fmt: skip
    clips = by_id(source)
    assert clips["s/1/motion"].music_path == "1/music.ogg"
    assert clips["s/2/a"].music_path == "2/a.mp3"
    assert clips["s/2/b"].music is None
    assert clips["s/3/x"].music is None, "two songs and no common stem: nobody knows which"


def test_labels_of_file_and_folder(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "salsa/a.bvh", "salsa/b.bvh", "alone/motion.bvh", "root.bvh")
    np.savez(source / "alone.npz", joints=np.zeros((2, 3, 3)), style="tango", music_start=1.5)
    touch(source, "alone.wav")
    clips = by_id(source)
    assert clips["s/salsa/a"].style == "salsa"
    assert clips["s/alone/motion"].style is None, "a folder of one clip names the clip, not a style"
    assert clips["s/root"].style is None
    assert (clips["s/alone"].style, clips["s/alone"].music_start_s) == ("tango", 1.5)
    assert {clip.dataset for clip in clips.values()} == {"s"}


def test_clips_csv_overrides_and_cuts(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "x/a.bvh", "x/b.bvh", "x/a.wav")
    (source / "x/clips.csv").write_text(
        "file, fps, units, start_s, end_s, style, mirror, colour\n"
        "a.bvh, 120, cm, 0, 2.5, lindy, no, red\n"
        "a.bvh, 120, cm, 4, 6, , ,\n"
        "\n"
        "b.bvh,,,,,,,\n"
    )
    found = discover([source])
    first, second, other = found.clips
    assert [clip.clip for clip in found.clips] == ["s/x/a#1", "s/x/a#2", "s/x/b"]
    assert (first.settings.fps, first.settings.units, first.settings.end_s, first.settings.mirror) == (
        120.0, "cm", 2.5, False,
    )  # fmt: skip
    assert (first.style, second.style, other.style) == ("lindy", "x", "x")
    assert second.music_start_s == 4.0, "the song starts where the file does, the clip 4 s later"
    assert not found.problems
    assert found.notes == ["x/clips.csv: unknown column 'colour' ignored"]


def test_pairs_csv(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "m/a.bvh", "m/b.bvh", "songs/one.ogg", "m/a.wav")
    (source / "pairs.csv").write_text(
        "motion,music,music_start_s,style,performer,licence\n"
        "m/a.bvh,songs/one.ogg,-5.33,waltz,ann,CC0\nm/b.bvh,songs/one.ogg,,,,\n"
    )
    clips = by_id(source)
    a, b = clips["s/m/a"], clips["s/m/b"]
    assert (a.music_path, a.music_start_s, a.style, a.performer, a.licence) == (
        "songs/one.ogg", -5.33, "waltz", "ann", "CC0",
    )  # fmt: skip
    assert (b.music_path, b.music_start_s) == ("songs/one.ogg", 0.0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("gone.bvh,,", "does not exist"),
        ("../secret.bvh,,", "outside the source"),
        ("/etc/hostname,,", "outside the source"),
        (",30,", "names no file"),
        ("a.bvh,fast,", "column 'fps': 'fast' is not a number"),
        ("a.bvh,nan,", "not a finite number"),
        ("a.bvh,-30,", "not greater than 0"),
        ("a.bvh,30,furlongs", "not one of m, cm"),
        ("a.bvh,30,m,surplus", "more cells"),
    ],
)
def test_bad_rows_are_one_line_that_names_file_and_line(tmp_path: Path, row: str, reason: str) -> None:
    source = touch(tmp_path / "s", "a.bvh", "b.bvh")
    touch(tmp_path, "secret.bvh")
    (source / "clips.csv").write_text(f"file,fps,units\nb.bvh,60,m\n{row}\n")
    found = discover([source])
    problem = found.problems[0]
    assert problem.path == "s/clips.csv line 3"
    assert reason in problem.reason
    assert "\n" not in str(problem)
    assert "s/b" in [clip.clip for clip in found.clips]


def test_a_clip_with_a_bad_row_is_left_out_and_named(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "a.bvh", "b.bvh")
    (source / "clips.csv").write_text("file,fps\na.bvh,quick\n")
    found = discover([source])
    assert [clip.clip for clip in found.clips] == ["s/b"]
    assert [problem.path for problem in found.problems] == ["s/clips.csv line 2", "s/a"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00nonsense", b"motion,fps\na,1\n", b"", b'file\n"a.bvh\n'])
def test_unreadable_csv_is_a_problem_not_a_crash(tmp_path: Path, content: bytes) -> None:
    source = touch(tmp_path / "s", "a.bvh")
    (source / "clips.csv").write_bytes(content)
    assert len(discover([source]).problems) >= 1


def test_collisions_are_errors(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "a.bvh", "a.npz")
    with pytest.raises(ChoreoError, match="clip id 's/a' would stand for"):
        discover([source])
    with pytest.raises(ChoreoError, match="rename"):
        discover([touch(tmp_path / "p/q", "z.bvh"), touch(tmp_path / "r/q", "z.bvh")])


def test_links_out_of_the_source_are_not_followed(tmp_path: Path) -> None:
    outside = touch(tmp_path / "outside", "b.bvh")
    source = touch(tmp_path / "s", "a.bvh")
    (source / "file.bvh").symlink_to(outside / "b.bvh")
    (source / "folder").symlink_to(outside)
    (source / "loop").symlink_to(source)
    (source / "inside.bvh").symlink_to(source / "a.bvh")
    assert list(by_id(source)) == ["s/a", "s/inside"]


def test_missing_source_and_unknown_file(tmp_path: Path) -> None:
    with pytest.raises(ChoreoError, match="does not exist"):
        discover([tmp_path / "nowhere"])
    with pytest.raises(ChoreoError, match="not a motion file"):
        discover([touch(tmp_path, "a.txt") / "a.txt"])


def test_how_to_read_files_where_clips_csv_does_not_say_it(tmp_path: Path) -> None:
    source = tmp_path / "set"
    for name in ("a.bvh", "b.bvh", "map.toml", "other.toml"):
        touch(source, name)
    (source / "clips.csv").write_text("file,fps,skeleton\na.bvh,30,map.toml\n")
    reading = ClipSettings(fps=120.0, up="z", skeleton=source / "other.toml")
    first, second = discover([source], reading).clips
    assert (first.settings.fps, first.settings.up, first.settings.skeleton) == (30.0, "z", source / "map.toml")
    assert (second.settings.fps, second.settings.up, second.settings.skeleton) == (120.0, "z", source / "other.toml")


def test_a_changed_map_or_face_makes_another_clip(tmp_path: Path) -> None:
    source = tmp_path / "set"
    touch(source, "a.bvh")
    clip = discover([source]).clips[0]
    keys = {ingest.task(clip, "0" * 64, None, beside=beside).motion_key for beside in ((), ("1" * 64,), ("2" * 64,))}
    assert len(keys) == 3
    assert ingest.companions(clip) == []
    touch(source, "a.face.npz")
    assert ingest.companions(clip) == [clip.path.with_name("a.face.npz")]


def test_layouts_are_for_files_that_may_be_feature_arrays(tmp_path: Path) -> None:
    source = touch(tmp_path / "s", "a.bvh", "b.npy", "c.npz", "d.npy")
    (source / "clips.csv").write_text("file,layout\nb.npy,319\nd.npy,12\n")
    found = discover([source], ClipSettings(layout=151))
    assert {clip.clip: clip.settings.layout for clip in found.clips} == {"s/a": None, "s/b": 319, "s/c": 151}
    assert str(found.problems[0]).startswith("s/clips.csv line 3: column 'layout': layout '12' is none that is known")
