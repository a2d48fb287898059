"""The two fast readers of MOTION blocks against their plain twin and against `float`."""

from __future__ import annotations

import re
import subprocess
import sys
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from damage import damaged
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from choreodb.motion import CHOREO52, Motion, bvh, bvh_lanes, bvh_stream, bvh_words
from choreodb.motion.bvh_kernel import POWERS, parse_numbers
from choreodb.motion.rotations import FloatArray, euler_to_quat, rotvec_to_quat

PLAIN = st.one_of(
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.6f}"),
    st.floats(-400.0, 400.0).map(lambda value: f"{value:.4f}"),
    st.sampled_from(["0.0", "-0.0", "0.000000", "-0.000001", "9999999.99999999", "-1.5", "360.00000000"]),
)
ODD = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e8, max_value=1e8).map(repr),
    st.floats(-400.0, 400.0).map(lambda value: f"{value:g}"),
    st.floats(-400.0, 400.0).map(lambda value: f"{value:.14f}"),
    st.sampled_from(["0", "-0", "7", ".5", "-.25", "3.", "+1.5", "1e3", "-2.5E-07", "12345678.5", "1.123456789", "1234567890"]),
)  # fmt: skip
BLANKS = st.sampled_from([" ", "\n", "\t", "  ", " \n", "\r\n", " \r\n\t"])


PARSERS = {"lanes": lambda: bvh_lanes.lanes(), "words": lambda: bvh_words.parse_words}


def read(text: bytes, room: int, parser: str) -> tuple[tuple[int, bool] | None, FloatArray]:
    """What `read_numbers` finds in a file that holds `text`, and the numbers, in room for `room` of them."""
    file = cast(RawIOBase, BytesIO(text))
    buffer, out = bvh_stream.new_buffer(), np.full(room, 7.0)
    filled = bvh_stream.read_piece(file, buffer)
    return bvh_stream.read_numbers(file, buffer, bvh_stream.LEFT, filled, out, PARSERS[parser]()), out


@pytest.fixture(params=["lanes", "words"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both readers, on pieces so small that every text has many."""
    monkeypatch.setattr(bvh_stream, "PIECE", 1 << 13)
    monkeypatch.setattr(bvh_stream, "LEFT", 1 << 12)
    return str(request.param)


def long_block(tokens: list[str], blanks: list[str], repeats: int) -> str:
    """`tokens` again and again, so that the block is long enough to be split."""
    line = "".join(token + blanks[place % len(blanks)] for place, token in enumerate(tokens))
    return line * repeats


@example(
    plain=["0.000000"] * 7 + ["10.0000", "-0.0000"] + ["-100.0000"] * 4 + ["-0.0"] * 6 + ["-0.000001"],
    odd=["10000000.875", "4.159944787415513e-38"],
    blanks=["  "],
)
@given(
    plain=st.lists(PLAIN, min_size=20, max_size=40),
    odd=st.lists(ODD, max_size=2),
    blanks=st.lists(BLANKS, min_size=1, max_size=5),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_spelling_gives_what_float_gives(
    parser: str, plain: list[str], odd: list[str], blanks: list[str]
) -> None:
    tokens = (plain * 12 + odd) * (1 + 24000 // (12 * sum(map(len, plain))))
    text = long_block(tokens, blanks, 1)
    result, fast = read(text.encode(), len(tokens), parser)
    expected = np.array([float(token) for token in tokens])
    assert result is not None
    assert result[0] == len(tokens)
    assert result[1] or np.abs(expected).max() <= bvh_words.PLAIN_LIMIT
    assert np.array_equal(np.signbit(fast), np.signbit(expected))
    single = expected.astype(np.float32)
    assert np.all(np.abs(fast.astype(np.float32) - single) <= np.spacing(np.abs(single)))
    exact = np.array([re.fullmatch(r"[+-]?\d{0,7}\.?\d{0,8}", token) is not None for token in tokens])
    assert np.array_equal(fast[exact], expected[exact])


@given(tokens=st.lists(ODD, min_size=1, max_size=300), blank=BLANKS)
@settings(max_examples=25, deadline=None)
def test_lanes_read_numbers_none_of_which_is_plain(tokens: list[str], blank: str) -> None:
    text = blank.join(tokens * (1 + 3000 // len(tokens)))
    result, fast = read(text.encode(), len(text.split()), "lanes")
    twin = np.empty(len(fast))
    parse_numbers(np.frombuffer(text.encode(), dtype=np.uint8), twin, POWERS)
    assert result is not None
    assert result[0] == len(twin)
    assert np.allclose(fast, twin, rtol=1e-15, atol=0.0)


BAD = [b"nan", b"1,5", b"1.2.3", b"--1.0", b"1.5\x00", b"\x001.5", b"\x00", b"12345678\xb5.5", b"1.1234567\xb5", b"1.5e", b"\xff", b"-", b".", b"1:5.0", b"/.5", b"1.5;", b"3.\xb1", b"1" * 9000]  # fmt: skip


@pytest.mark.parametrize("place", [0, 1, 699, 1400, 2100, 2799])
@pytest.mark.parametrize("token", BAD, ids=[repr(token)[:16] for token in BAD])
def test_a_malformed_number_is_left_to_the_twin(parser: str, token: bytes, place: int) -> None:
    tokens = [b"-12.3456"] * 2800
    tokens[place] = token
    assert read(b" ".join(tokens), 2800, parser)[0] is None


def test_more_or_fewer_numbers_than_expected_are_counted(parser: str) -> None:
    text = b"1.5 " + b"\n".join([b"1.25"] * 6002) + b" 2.5"
    assert read(text, 6003, parser)[0] is None
    for room in (6004, 6005):
        result, fast = read(text, room, parser)
        assert result == (6004, False)
        assert np.array_equal(fast[:6004], [1.5] + [1.25] * 6002 + [2.5])
        assert np.all(fast[6004:] == 7.0)


def test_damaged_texts_are_read_as_the_twin_reads_them_or_left_to_it(parser: str) -> None:
    rng = np.random.default_rng(4)
    whole = "\n".join(
        " ".join(f"{value:.{rng.integers(0, 9)}f}" for value in row) for row in rng.normal(size=(90, 40)) * 200
    )
    refused = 0
    for case in range(120):
        text = damaged(whole.encode(), np.random.default_rng([6, case]))
        twin = np.empty(4000)
        count, bad = parse_numbers(np.frombuffer(text, dtype=np.uint8), twin, POWERS)
        result, found = read(text, 4000, parser)
        refused += result is None
        if result is not None:
            assert (result[0], bad) == (count, -1)
            assert np.allclose(found[:count], twin[:count], rtol=1e-15, atol=0.0)
        elif parser == "lanes":
            assert bad >= 0
    assert 0 < refused < 120


def test_texts_of_one_number_or_none(parser: str) -> None:
    for blanks in (b"", b" " * 50, b" " * 40000):
        assert read(blanks, 1, parser)[0] == (0, False)
        for text in (b"1.5" + blanks, blanks + b"1.5"):
            result, fast = read(text, 1, parser)
            assert result == (1, False)
            assert fast[0] == 1.5
    for text in (b"1" * 40000, b"x" * 40000, b" " * 40000 + b"x"):
        assert read(text, 3, parser)[0] is None


def test_points_without_digits_on_one_side_are_read_one_by_one(parser: str) -> None:
    text = b" ".join([b"1.5", b".5", b"-.25", b"3."] * 3000)
    result, fast = read(text, 12000, parser)
    assert (result is None) == (parser == "words")
    if result is not None:
        assert np.array_equal(fast.reshape(3000, 4), np.tile([1.5, 0.5, -0.25, 3.0], (3000, 1)))


def test_a_process_without_a_compiler_reads_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    rotations = rotvec_to_quat(rng.normal(size=(40, 52, 3)))
    bvh.save(Motion(rotations, rng.normal(size=(40, 3)), CHOREO52, 60.0), tmp_path / "a.bvh")
    code = (
        "import sys, numpy as np; from choreodb.motion import bvh; motion = bvh.load(sys.argv[1]); "
        "np.savez(sys.argv[2], rotations=motion.rotations, values=bvh.channels(sys.argv[1])); "
        "sys.exit('numba' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.bvh", tmp_path / "a.npz"], check=True)
    with np.load(tmp_path / "a.npz") as cold:
        assert np.array_equal(cold["values"], bvh.channels(tmp_path / "a.bvh"))
        assert np.allclose(cold["rotations"], bvh.load(tmp_path / "a.bvh").rotations, atol=1e-14)


def test_channels_are_the_numbers_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rotations = rotvec_to_quat(np.cumsum(rng.normal(size=(150, 52, 3)) * 0.1, axis=0))
    bvh.save(Motion(rotations, rng.normal(size=(150, 3)), CHOREO52, 60.0), tmp_path / "a.bvh")
    block = (tmp_path / "a.bvh").read_text().split("Frame Time:")[1].split("\n", 1)[1]
    expected = np.array([[float(token) for token in line.split()] for line in block.strip().split("\n")])
    assert np.array_equal(bvh.channels(tmp_path / "a.bvh"), expected)
    turned = euler_to_quat(np.radians(expected[:, 3:6]), "ZXY")
    assert np.allclose(bvh.load(tmp_path / "a.bvh").rotations[:, 0], turned, atol=1e-14)


@pytest.mark.realdata
def test_real_files_give_what_float_gives(realdata: Path) -> None:
    for path in (realdata / "mocap/cmu-dance/005_18.bvh", realdata / "mocap/bandai-namco/dataset-1_dance-short_normal_001.bvh"):  # fmt: skip
        block = path.read_text().split("Frame Time:")[1].split("\n", 1)[1]
        expected = np.array(block.split(), dtype=np.float64)
        assert np.allclose(bvh.channels(path).ravel(), expected, rtol=1e-15, atol=0.0)
