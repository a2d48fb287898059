"""The fast reader of long MOTION blocks against its plain twin and against `float`."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choreodb.motion import CHOREO52, Motion, bvh, bvh_lanes
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


def both(text: bytes, room: int) -> tuple[tuple[int, int], tuple[int, int], FloatArray, FloatArray]:
    """Results and numbers of the fast reader and of its twin; the fast one splits whatever the length."""
    block = np.frombuffer(text, dtype=np.uint8)
    fast, plain = np.full(room, 7.0), np.full(room, 7.0)
    return bvh_lanes.parse_block(block, fast, POWERS), parse_numbers(block, plain, POWERS), fast, plain


def long_block(tokens: list[str], blanks: list[str], repeats: int) -> str:
    """`tokens` again and again, so that the block is long enough to be split."""
    line = "".join(token + blanks[place % len(blanks)] for place, token in enumerate(tokens))
    return line * repeats


@given(
    plain=st.lists(PLAIN, min_size=20, max_size=40),
    odd=st.lists(ODD, max_size=2),
    blanks=st.lists(BLANKS, min_size=1, max_size=5),
)
@settings(max_examples=25, deadline=None)
def test_every_spelling_gives_what_float_gives(plain: list[str], odd: list[str], blanks: list[str]) -> None:
    tokens = (plain * 12 + odd) * (1 + 24000 // (12 * sum(map(len, plain))))
    text = long_block(tokens, blanks, 1)
    assert len(text) >= bvh_lanes.SHORTEST
    fast_result, plain_result, fast, twin = both(text.encode(), len(tokens))
    expected = np.array([float(token) for token in tokens])
    assert fast_result == plain_result == (len(tokens), -1)
    assert np.array_equal(fast, twin)
    assert np.array_equal(np.signbit(fast), np.signbit(expected))
    single = expected.astype(np.float32)
    assert np.all(np.abs(fast.astype(np.float32) - single) <= np.spacing(np.abs(single)))
    exact = np.array([re.fullmatch(r"[+-]?\d{0,7}\.?\d{0,8}", token) is not None for token in tokens])
    assert np.array_equal(fast[exact], expected[exact])


BAD = [b"nan", b"1,5", b"1.2.3", b"--1.0", b"1.5\x00", b"\x001.5", b"12345678\xb5.5", b"1.1234567\xb5", b"1.5e", b"\xff", b"-", b".", b"1:5.0", b"/.5", b"1.5;", b"3.\xb1"]  # fmt: skip


@pytest.mark.parametrize("place", [0, 1, 699, 1400, 2100, 2799])
@pytest.mark.parametrize("token", BAD, ids=[repr(token) for token in BAD])
def test_a_malformed_number_is_found_where_it_is(token: bytes, place: int) -> None:
    tokens = [b"-12.3456"] * 2800
    tokens[place] = token
    text = b" ".join(tokens)
    fast_result, plain_result, _, _ = both(text, 2800)
    assert fast_result == plain_result == (place, 9 * place)


@pytest.mark.parametrize("room", [0, 1, 2000, 3000, 3001])
def test_more_or_fewer_numbers_than_expected_are_counted(room: int) -> None:
    text = b"\n".join([b"1.25"] * 3001) * 2
    fast_result, plain_result, fast, twin = both(b"1.5 " + text + b" 2.5", room)
    assert fast_result == plain_result
    assert np.array_equal(fast, twin)


def test_blocks_that_cannot_be_split() -> None:
    for text in (b" " * 40000, b"1" * 40000, b"1.5" + b" " * 40000, b" " * 40000 + b"1.5", b"x" * 40000):
        fast_result, plain_result, fast, twin = both(text, 3)
        assert fast_result == plain_result
        assert np.array_equal(fast, twin)


def test_channels_are_the_numbers_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rotations = rotvec_to_quat(np.cumsum(rng.normal(size=(150, 52, 3)) * 0.1, axis=0))
    bvh.save(Motion(rotations, rng.normal(size=(150, 3)), CHOREO52, 60.0), tmp_path / "a.bvh")
    block = (tmp_path / "a.bvh").read_text().split("Frame Time:")[1].split("\n", 1)[1]
    assert len(block) > 2 * bvh_lanes.SHORTEST
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
