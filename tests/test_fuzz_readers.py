"""Every reader on damaged files, thousands of them: a Motion or one line that names the file, soon, in bounded memory."""

from __future__ import annotations

import csv
import io
import json
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from damage import damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_seeds import framed_glb, glb_parts, mutated, npz, seeds, small_motion

from choreodb.errors import ChoreoError, MotionFormatError
from choreodb.indexer.discover import discover
from choreodb.inspection import inspect_motion
from choreodb.motion import glb, registry

CASES, CASES_LONG, CASES_INSPECTED, CASES_C3D = 500, 20_000, 300, 60
SEEDED = (".bvh", ".glb", ".gltf", ".json", ".npy", ".npz", ".pkl", ".vmd", ".vrma")
"""Suffixes of the files that are damaged here; C3D, a process for each file, has a test of its own."""
SECONDS_A_CASE = 20
"""CPU seconds after which a damaged file of a few kilobytes counts as hanging its reader; shared machines are slow."""


@contextmanager
def watchdog() -> Iterator[None]:
    """AssertionError where what is inside takes more than SECONDS_A_CASE of CPU time."""

    def bark(_: int, __: FrameType | None) -> None:
        raise AssertionError(f"took more than {SECONDS_A_CASE} s")

    before = signal.signal(signal.SIGVTALRM, bark)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS_A_CASE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def read_or_refuse(path: Path, fps: float | None) -> bool:
    """Whether the file reads; AssertionError where anything but a Motion or one line that names it comes out."""
    said = ""
    with watchdog():
        try:
            registry.read(path, fps=fps).validate()
        except MotionFormatError as error:
            said = str(error)
        registry.labels(path)
    assert not said or said.startswith(f"{path}: "), said
    assert "\n" not in said
    assert len(said) < 600
    said.encode("utf-8")
    return not said


def inspect_or_refuse(path: Path) -> None:
    """Asserts that `inspect` says in one line what is wrong with the file, or says what it is."""
    said, found = "", None
    try:
        found = inspect_motion(path, fps=60.0)
    except MotionFormatError as error:
        said = str(error)
    if found is None:
        assert said.startswith(f"{path}: ")
        return
    assert found.problem is None or "\n" not in found.problem
    json.dumps(found.as_dict(), allow_nan=False)
    found.text().encode("utf-8")


def fuzz(good: dict[str, bytes], folder: Path, cases: int, seed: int) -> float:
    """Read `cases` damaged copies of the `good` files, in turns; returns the share that was refused."""
    names = sorted(good)
    refused = 0
    for case in range(cases):
        rng = np.random.default_rng([seed, case])
        name = names[case % len(names)]
        path = folder / f"case.{name.rsplit('.', 1)[-1]}"
        path.write_bytes(mutated(name, good[name], rng))
        try:
            refused += not read_or_refuse(path, 60.0 if rng.random() < 0.5 else None)
        except BaseException as error:
            error.add_note(f"seed {seed}, case {case}, made of {name}")
            raise
    return refused / cases


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return seeds(tmp_path_factory.mktemp("seeds"))


def test_the_good_files_are_good(good: dict[str, bytes], tmp_path: Path) -> None:
    assert {f".{name.rsplit('.', 1)[-1]}" for name in good} == set(SEEDED)
    assert set(SEEDED) | {".c3d"} >= set(registry.READABLE)
    for name, content in good.items():
        (tmp_path / name).write_bytes(content)
        assert read_or_refuse(tmp_path / name, 30.0), name


def test_damaged_files_of_every_kind(good: dict[str, bytes], tmp_path: Path) -> None:
    assert fuzz(good, tmp_path, CASES, seed=0) > 0.4


@pytest.mark.long
@pytest.mark.parametrize("suffix", SEEDED)
def test_damaged_files_of_one_kind_by_the_thousand(suffix: str, good: dict[str, bytes], tmp_path: Path) -> None:
    """One test a reader, so that each ends soon; together they are CASES_LONG."""
    kind = {name: content for name, content in good.items() if name.endswith(suffix)}
    assert fuzz(kind, tmp_path, -(-CASES_LONG // len(SEEDED)), seed=1) > 0.3


@pytest.mark.long
@pytest.mark.parametrize("suffix", SEEDED)
def test_what_a_damaged_file_still_reads_as_is_understood_or_refused(
    suffix: str, good: dict[str, bytes], tmp_path: Path
) -> None:
    """Garbage that reads as motion goes on to the retargeting, which must not fail on it in any other way."""
    kind = sorted(name for name in good if name.endswith(suffix))
    for case in range(CASES_INSPECTED):
        rng = np.random.default_rng([77, case])
        name = kind[case % len(kind)]
        path = tmp_path / f"case{suffix}"
        path.write_bytes(mutated(name, good[name], rng))
        with watchdog():
            inspect_or_refuse(path)


@pytest.mark.long
def test_damaged_c3d(tmp_path: Path) -> None:
    pytest.importorskip("ezc3d", reason="needs the extra c3d: pip install 'choreodb[c3d]'")
    from test_c3d import marked, performed, written

    path = written(tmp_path / "a.c3d", marked(performed().frames(0, 30)))
    assert read_or_refuse(path, None)
    whole, refused = path.read_bytes(), 0
    for case in range(CASES_C3D):
        rng = np.random.default_rng([5, case])
        # header and parameters are all in front; damage to the points behind them is only motion
        front = 4096 if rng.random() < 0.7 else len(whole)
        path.write_bytes(damaged(whole[:front], rng) + whole[front:])
        refused += not read_or_refuse(path, None)
    assert 0 < refused < CASES_C3D


@pytest.mark.realdata
def test_damaged_real_files(realdata: Path, tmp_path: Path) -> None:
    paths = [realdata / "mocap/bandai-namco/dataset-2_wave-left-hand_active_011.bvh"]
    paths += sorted((realdata / "paired/dance-with-melody").glob("*/motion.npz"), key=lambda path: path.stat().st_size)[
        :1
    ]
    paths += [realdata / "holistic/wavefile/wavefile_v2.vmd"]
    good = {path.name: path.read_bytes()[:150_000] if path.suffix == ".vmd" else path.read_bytes() for path in paths}
    assert fuzz(good, tmp_path, 60, seed=3) > 0.3


@given(data=st.binary(max_size=300), suffix=st.sampled_from([suffix.lstrip(".") for suffix in registry.READABLE]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_under_any_suffix(data: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data)
    read_or_refuse(path, 60.0)


def settings_file(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize("name", ["clips.csv", "pairs.csv"])
def test_damaged_settings(name: str, good: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "a.bvh").write_bytes(good["plain.bvh"])
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    rows = {
        "clips.csv": [["file", "fps", "units", "up", "start_s", "end_s", "style", "mirror"], ["a.bvh", "60", "cm", "y", "0", "1", "waltz", "no"]],
        "pairs.csv": [["motion", "music", "music_start_s", "style"], ["a.bvh", "a.wav", "0.5", "waltz"]],
    }[name]  # fmt: skip
    whole = settings_file(rows)
    for case in range(60):
        (tmp_path / name).write_bytes(damaged(whole, np.random.default_rng([9, case])))
        with watchdog():
            reasons = reasons_of(tmp_path)
        assert all("\n" not in reason for reason in reasons)


def reasons_of(folder: Path) -> list[str]:
    """Why files of `folder` cannot be used, or the one reason why nothing of it can."""
    try:
        return [problem.reason for problem in discover([folder]).problems]
    except ChoreoError as error:
        return [str(error)]


MEASURE = """
import resource, sys
from pathlib import Path
from choreodb.errors import MotionFormatError
from choreodb.motion import glb, registry
small, path = Path(sys.argv[1]), Path(sys.argv[2])
def read(file):
    try:
        registry.read(file, fps=60.0)
    except MotionFormatError as error:
        print(error)
def peak():
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux hands the peak of the process that started this one on to getrusage, and so would hide what is below it
    return int(status.read_text().split("VmHWM:")[1].split()[0])
read(small)
before = peak()
read(path)
print(1024 * (peak() - before))
"""


def peak_bytes(small: Path, path: Path) -> int:
    """Bytes by which reading `path` raises the peak of a process that has read the `small` file of its kind."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(small), str(path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.count("\n") == 1, "a refused file says nothing about the memory of one that is read"
    return int(done.stdout.split()[-1])


def still_bvh(frames: int) -> bytes:
    """The most memory for the least text: one-digit numbers, one channel a joint."""
    joints = "".join(f"JOINT j{i} {{ OFFSET 0 1 0 CHANNELS 1 Xrotation }} " for i in range(99))
    head = (
        f"HIERARCHY ROOT r {{ OFFSET 0 0 0 CHANNELS 1 Xposition {joints} }} MOTION Frames: {frames} Frame Time: 0.01\n"
    )
    return (head + ("0 " * 99 + "0\n") * frames).encode()


def zeros_npz(frames: int) -> bytes:
    return npz({"joints": np.zeros((frames, 60, 3), dtype=np.int8), "fps": np.array(30)}, zipfile.ZIP_DEFLATED)


def zeros_amass(frames: int) -> bytes:
    return npz(
        {"poses": np.zeros((frames, 156), dtype=np.int8), "trans": np.zeros((frames, 3)), "fps": np.array(30)},
        zipfile.ZIP_DEFLATED,
    )


def short_json(frames: int) -> bytes:
    return b'{"fps":30,"joints":[' + b",".join([b"[" + b",".join([b"[0,0,0]"] * 20) + b"]"] * frames) + b"]}"


def far_glb(frames: int) -> bytes:
    """Two keys a joint, far apart: the frames between them are made by the reader."""
    motion = small_motion(2, hands=True)
    with tempfile.TemporaryDirectory() as folder:
        glb.save(motion, Path(folder, "a.glb"))
        document, binary = glb_parts(Path(folder, "a.glb").read_bytes())
    times = document["accessors"][document["animations"][0]["samplers"][0]["input"]]
    view = document["bufferViews"][times["bufferView"]]
    at = view.get("byteOffset", 0) + times.get("byteOffset", 0)
    times["max"] = [frames / 60.0]
    return framed_glb(
        json.dumps(document).encode(), binary[:at] + struct.pack("<2f", 0.0, frames / 60.0) + binary[at + 8 :]
    )


def far_vmd(frames: int) -> bytes:
    """One bone, two keys, far apart."""
    name = ("センター".encode("cp932") + b"\0").ljust(15, b"\xfd")
    keys = [name + struct.pack("<I3f4f", frame, 0, 0, 0, 0, 0, 0, 1) + bytes(64) for frame in (0, frames)]
    return b"Vocaloid Motion Data 0002".ljust(30, b"\0") + bytes(20) + struct.pack("<I", 2) + b"".join(keys) + bytes(16)


def zeros_pkl(frames: int) -> bytes:
    return pickle.dumps(
        {"smpl_poses": np.zeros((frames, 156), dtype=np.int8), "smpl_trans": np.zeros((frames, 3), dtype=np.int8)}
    )


GREEDY: dict[str, tuple[Callable[[int], bytes], int]] = {
    "bvh": (still_bvh, 20_000), "npz": (zeros_npz, 120_000), "amass.npz": (zeros_amass, 120_000), "json": (short_json, 20_000),
    "glb": (far_glb, 38_000), "vmd": (far_vmd, 53_999), "pkl": (zeros_pkl, 100_000),
}  # fmt: skip
FLOOR, MULTIPLE = 2**30, 250
"""What readers keep to: a gigabyte, or 250 bytes for every byte of the file where that is more."""


@pytest.mark.long
@pytest.mark.parametrize("kind", GREEDY)
def test_memory_is_bounded_by_the_file(kind: str, tmp_path: Path) -> None:
    make, frames = GREEDY[kind]
    small, large = tmp_path / f"small.{kind}", tmp_path / f"large.{kind}"
    small.write_bytes(make(3))
    large.write_bytes(make(frames))
    assert peak_bytes(small, large) < max(FLOOR, MULTIPLE * large.stat().st_size)


def test_a_small_glb_that_lasts_for_hours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(far_glb(60 * 3600))
    with pytest.raises(MotionFormatError, match=r"a\.glb: has \d+ frames of 52 joints; expected at most 2097152"):
        registry.read(path)


@pytest.mark.parametrize("make", [zeros_npz, zeros_amass], ids=["joints", "poses"])
def test_a_small_archive_that_unpacks_to_much_is_refused(make: Callable[[int], bytes], tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    path.write_bytes(make(250_000))
    assert path.stat().st_size < 200_000
    with pytest.raises(MotionFormatError, match=r"bomb\.npz: .*unpacks to \d+ numbers"):
        registry.read(path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [({"joint_names": "\ud800"}, "no Unicode"), ({"parents": -7}, "expected -1 for the root")],
    ids=["names", "parents"],
)
def test_arrays_that_numpy_takes_and_python_does_not(damage: dict[str, object], reason: str, tmp_path: Path) -> None:
    arrays = {"joints": np.zeros((4, 3, 3)), "joint_names": np.array(["a", "b", "c"]), "fps": np.array(30.0)}
    arrays["parents"] = np.array([-1, 0, 1])
    for name, value in damage.items():
        arrays[name] = arrays[name].copy()
        arrays[name][0] = value
    (tmp_path / "a.npz").write_bytes(npz(arrays))
    with pytest.raises(MotionFormatError, match=rf"a\.npz: .*{reason}"):
        registry.read(tmp_path / "a.npz")


@pytest.mark.parametrize("uri", ["\ud800", "a\ud800.bin", "%00", "x" * 5000, "a/" * 3000, "", ".", "%FF"])
def test_buffers_with_names_that_no_file_has(uri: str, good: dict[str, bytes], tmp_path: Path) -> None:
    document = json.loads(good["dance.gltf"])
    document["buffers"][0]["uri"] = uri
    (tmp_path / "a.gltf").write_text(json.dumps(document))
    assert not read_or_refuse(tmp_path / "a.gltf", None)
