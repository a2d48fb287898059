"""Outputs: checked before any work, all written or none, nothing left behind, links followed, devices left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from choreodb import cli
from choreodb.dance import WRITERS, Dance, Outputs
from choreodb.errors import ChoreoError, QueryError
from choreodb.library import Library
from choreodb.motion.export import Form


@pytest.fixture(scope="module")
def dance(sample_library: Path, sample_song: Path) -> Dance:
    return Library.open(sample_library).dance(sample_song)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a b.bvh", "ünï 舞.bvh", "new\nline.bvh", "-dash.bvh", "A.BVH", "..bvh"])
def test_odd_names(dance: Dance, tmp_path: Path, name: str) -> None:
    dance.save(tmp_path / name)
    assert names(tmp_path) == sorted([name, Path(name).with_suffix(".run.json").name])


def test_existing_file_is_replaced_whole(dance: Dance, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with path.open() as reader:
        dance.save(path)
        assert reader.read() == "old"
    assert path.read_text().startswith("{")


def test_link_is_written_through(dance: Dance, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target.bvh", tmp_path / "link.bvh"
    target.write_text("old")
    link.symlink_to(target)
    dance.save(link)
    assert link.is_symlink()
    assert target.read_text().startswith("HIERARCHY")
    assert names(tmp_path / "elsewhere") == ["target.bvh"]
    assert names(tmp_path) == ["elsewhere", "link.bvh", "link.run.json"]


def refused(paths: list[Path], words: str) -> None:
    with pytest.raises(QueryError, match=words) as caught, Outputs(paths):
        raise AssertionError("these outputs cannot be")
    assert "\n" not in str(caught.value)


def test_places_that_cannot_be(tmp_path: Path) -> None:
    loop, pipe, folder, file = (tmp_path / name for name in ("loop.bvh", "pipe.bvh", "folder", "file.bvh"))
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    folder.mkdir()
    file.write_text("x")
    (tmp_path / "b.run.json").mkdir()
    before = names(tmp_path)
    refused([loop], "oop")
    refused([pipe], "a pipe or a device")
    refused([folder], "is a folder")
    refused([Path("")], "is a folder")
    refused([file / "a.bvh"], "does not exist")
    refused([tmp_path / "a\0b.bvh"], "null")
    refused([tmp_path / ("z" * 300 + ".bvh")], "too long")
    refused([tmp_path / "b.bvh"], "is a folder")
    refused([tmp_path / "a.bvh", tmp_path / "a.run.json"], "timings")
    refused([tmp_path / "a.bvh", folder / ".." / "a.bvh"], "twice")
    refused([], "no output")
    assert names(tmp_path) == before
    assert file.read_text() == "x"


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ChoreoError("{path}: no"), KeyboardInterrupt()]
)
def test_failing_writer_leaves_nothing(
    dance: Dance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(dance: Dance, path: Path, form: Form) -> None:
        path.write_text("half")
        raise type(error)(str(error).format(path=path)) if isinstance(error, ChoreoError) else error

    monkeypatch.setitem(WRITERS, ".glb", fail)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else ChoreoError
    with pytest.raises(expected) as caught:
        dance.save(tmp_path / "a.bvh", tmp_path / "a.glb")
    assert names(tmp_path) == []
    if expected is ChoreoError:
        assert str(tmp_path / "a.glb") in str(caught.value)
        assert ".choreodb-" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_unwind(tmp_path: Path, number: signal.Signals, status: int) -> None:
    program = (
        "import sys, time, types\n"
        "from pathlib import Path\n"
        "from choreodb import cli, library\n"
        "def sleep(*arguments, **options):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "library.Library.open = staticmethod(sleep)\n"
        "sys.exit(cli.main(['dance', 'lib', 'song', '-o', sys.argv[1]]))\n"
    )
    # a shell may start its background jobs with SIGINT ignored, which tests would inherit
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "a.bvh")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL if each != signal.SIGINT else signal.default_int_handler)
                            for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert len(names(tmp_path)) == 1
    time.sleep(0.05)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == status
    assert len(said.strip().splitlines()) == 1
    assert names(tmp_path) == []


def test_handlers_are_put_back(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert cli.main(["info", "no-such-library"]) == 1
    assert signal.getsignal(signal.SIGTERM) is before
