"""BVH: every awkward spelling, every refusal, the literal reading, and writing that a second pass does not change."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from choreodb.errors import ChoreoError, MotionFormatError
from choreodb.motion import CHOREO22, CHOREO52, Motion, Skeleton, bvh, kinematics
from choreodb.motion.bvh_kernel import POWERS, format_fixed, parse_numbers, rounded_angles
from choreodb.motion.rotations import (
    FloatArray,
    angle,
    compose,
    euler_to_quat,
    inverse,
    quat_to_euler,
    rotvec_to_quat,
)

PLAIN = """HIERARCHY
ROOT Hips
{
  OFFSET 0.0 0.0 0.0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0.0 10.0 0.5
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0.0 5.0 0.0
    }
  }
  JOINT LeftUpLeg
  {
    OFFSET 4.0 -2.0 0.0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0.0 -20.0 0.0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
1.0 90.0 -3.5 10.0 20.0 30.0 5.0 0.0 -5.0 45.0 30.0 15.0
1.5 91.0 -3.0 11.0 21.0 31.0 6.0 0.1 -6.0 46.0 31.0 16.0
"""


def write(folder: Path, text: str | bytes, name: str = "a.bvh") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def naive_positions(text: str) -> FloatArray:
    """A reader in the plainest Python that takes plainly written files only: positions of all joints in file order."""
    header, block = text.split("MOTION")
    lines = block.strip().splitlines()
    values = np.array([[float(token) for token in line.split()] for line in lines[2:] if line.strip()])
    offsets: list[list[float]] = []
    parents: list[int] = []
    channels: list[list[str]] = []
    stack: list[int | None] = []
    current: int | None = None
    for line in header.splitlines():
        words = line.split()
        match words[:1]:
            case ["ROOT" | "JOINT"]:
                parents.append(stack[-1] if stack and stack[-1] is not None else -1)
                current = len(parents) - 1
            case ["End"]:
                current = None
            case ["{"]:
                stack.append(current)
            case ["}"]:
                stack.pop()
            case ["OFFSET"] if stack[-1] is not None:
                offsets.append([float(word) for word in words[1:]])
            case ["CHANNELS"]:
                channels.append(words[2:])
    positions: list[FloatArray] = []
    turned: list[Rotation] = []
    column = 0
    for joint, parent in enumerate(parents):
        local = np.tile(offsets[joint], (len(values), 1))
        rotation = Rotation.identity(len(values))
        for channel in channels[joint]:
            if channel.endswith("position"):
                local[:, "XYZ".index(channel[0])] = values[:, column]
            else:
                rotation = rotation * Rotation.from_euler(channel[0], values[:, column, None], degrees=True)
            column += 1
        positions.append(local if parent < 0 else positions[parent] + turned[parent].apply(local))
        turned.append(rotation if parent < 0 else turned[parent] * rotation)
    return np.stack(positions, axis=1)


def random_motion(seed: int, skeleton: Skeleton = CHOREO22, frames: int = 8, spread: float = 2.0) -> Motion:
    rng = np.random.default_rng(seed)
    rotations = rotvec_to_quat(rng.normal(size=(frames, len(skeleton), 3)) * spread)
    return Motion(
        rotations, rng.normal(size=(frames, 3)) * 3.0, skeleton, float(rng.choice([60.0, 30.0, 24.691358, 120]))
    )


def test_plain_file_is_read_literally(tmp_path: Path) -> None:
    motion = bvh.load(write(tmp_path, PLAIN))
    assert motion.skeleton.names == ("Hips", "Spine", "LeftUpLeg")
    assert motion.skeleton.parents.tolist() == [-1, 0, 0]
    assert motion.skeleton.offsets.tolist() == [[0, 0, 0], [0, 10, 0.5], [4, -2, 0]]
    assert motion.skeleton.source == "file"
    assert motion.fps == 1.0 / 0.0333333
    assert motion.root.tolist() == [[1.0, 90.0, -3.5], [1.5, 91.0, -3.0]]
    assert motion.translations is None
    expected = Rotation.from_euler("YXZ", [45.0, 30.0, 15.0], degrees=True).as_quat(scalar_first=True)
    assert np.allclose(motion.rotations[0, 2], expected)
    assert np.allclose(kinematics.joint_positions(motion), naive_positions(PLAIN), atol=1e-12)


SPELLINGS = {
    "crlf": PLAIN.replace("\n", "\r\n"),
    "cr": PLAIN.replace("\n", "\r"),
    "tabs": PLAIN.replace("  ", "\t").replace("0 1", "0\t1").replace("Frames: ", "Frames:\t").replace("Time: ", "Time:\t"),
    "double blanks": re.sub("(?<=[0-9a-z]) ", "  ", PLAIN).replace("Frame  Time", "Frame Time"),
    "trailing blanks": PLAIN.replace("\n", "  \t\n"),
    "blank lines": PLAIN.replace("\n", "\n\n") + "\n \n",
    "bom": "\ufeff" + PLAIN,
    "no blank after the colon": PLAIN.replace("Frames: ", "Frames:").replace("Time: ", "Time:"),
    "no newline at the end": PLAIN.rstrip("\n"),
    "lower case": "\n".join(line.lower() if "ROOT" not in line and "JOINT" not in line else line.replace("JOINT", "joint") for line in PLAIN.split("\n")),
    "upper case": PLAIN.replace("Xposition", "XPOSITION").replace("End Site", "END SITE").replace("Frames", "FRAMES").replace("Frame Time", "FRAME TIME"),
    "braces on the same line": re.sub(r"\n\s*\{", " {", PLAIN),
    "hierarchy on one line": " ".join(PLAIN.split("MOTION")[0].split()) + "\nMOTION" + PLAIN.split("MOTION")[1],
    "motion after a brace": PLAIN.replace("}\nMOTION\n", "} MOTION "),
    "plus signs": PLAIN.replace(" 90.0", " +90.0").replace(" 10.0 2", " +10.0 2"),
    "numbers broken over lines": PLAIN.replace(" 10.0 20.0", "\n10.0 20.0"),
    "bare points": PLAIN.replace(" 0.1 ", " .1 ").replace("45.0", "45."),
    "named end sites": PLAIN.replace("End Site", "End Site Tip Of It"),
    "control z at the end": PLAIN + "\x1a\n",
    "utf-16, little end first": PLAIN.encode("utf-16"),
    "utf-16, big end first": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "channels before the offset": re.sub(r"( *OFFSET [^\n]*\n)( *CHANNELS [^\n]*\n)", r"\2\1", PLAIN),
    "no end sites": re.sub(r"\s*End Site\s*\{[^}]*\}", "", PLAIN),
    "nothing in the end sites": re.sub(r"End Site\s*\{[^}]*\}", "End Site { }", PLAIN),
    "numbers all on one line": PLAIN.replace("15.0\n1.5", "15.0 1.5"),
    "zeros in front": PLAIN.replace(" 90.0", " 090.00000000000").replace("Frames: 2", "Frames: 002"),
    "indented start": "\n  " + PLAIN,
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spelling_changes_nothing(spelling: str, tmp_path: Path) -> None:
    content = SPELLINGS[spelling]
    motion = bvh.load(write(tmp_path, content))
    plain = bvh.load(write(tmp_path, PLAIN, "plain.bvh"))
    assert motion.skeleton.names == plain.skeleton.names
    assert np.array_equal(motion.skeleton.offsets, plain.skeleton.offsets)
    assert np.array_equal(motion.rotations, plain.rotations)
    assert np.array_equal(motion.root, plain.root)
    assert motion.fps == plain.fps


def test_scientific_notation(tmp_path: Path) -> None:
    text = (
        PLAIN.replace("1.0 90.0 -3.5", "1e0 9.0E+1 -350e-2")
        .replace("0.0333333", "3.33333e-2")
        .replace("10.0 0.5", "1E1 5e-1")
    )
    assert np.array_equal(bvh.load(write(tmp_path, text)).root[0], [1.0, 90.0, -3.5])
    assert bvh.load(tmp_path / "a.bvh").fps == 1.0 / 0.0333333
    assert bvh.load(tmp_path / "a.bvh").skeleton.offsets[1].tolist() == [0.0, 10.0, 0.5]


@pytest.mark.parametrize(
    "name", ["mixamorig:Hips", "Left-Arm", "a.b", "Left Arm", "Bip01 L Finger0", "腰", "End", "JOINT"]
)
def test_names_are_kept(name: str, tmp_path: Path) -> None:
    motion = bvh.load(write(tmp_path, PLAIN.replace("JOINT Spine", f"JOINT  {name} ")))
    assert motion.skeleton.names == ("Hips", name, "LeftUpLeg")
    same_line = re.sub(r"\n\s*\{", "{", PLAIN.replace("JOINT Spine", f"JOINT {name}"))
    assert bvh.load(write(tmp_path, same_line)).skeleton.names == ("Hips", name, "LeftUpLeg")


def test_latin1_names(tmp_path: Path) -> None:
    motion = bvh.load(write(tmp_path, PLAIN.replace("Spine", "Kn\xf6chel").encode("latin-1")))
    assert motion.skeleton.names[1] == "Kn\xf6chel"


def one_joint(channels: str, values: str, offset: str = "1 2 3") -> str:
    count = len(channels.split())
    return (
        f"HIERARCHY\nROOT A\n{{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT B\n{{\nOFFSET {offset}\n"
        f"CHANNELS {count} {channels}\nEnd Site\n{{\nOFFSET 0 1 0\n}}\n}}\n}}\nMOTION\nFrames: 1\nFrame Time: 0.01\n"
        f"7 8 9 {values}\n"
    )


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "X", "Y", "Z", "XY", "ZX", "YX"])
def test_every_rotation_order(order: str, tmp_path: Path) -> None:
    degrees = [50.0, -20.0, 110.0][: len(order)]
    channels = " ".join(f"{axis}rotation" for axis in order)
    motion = bvh.load(write(tmp_path, one_joint(channels, " ".join(map(str, degrees)))))
    assert np.allclose(motion.rotations[0, 1], euler_to_quat(np.radians(degrees), order))
    assert motion.translations is None
    assert np.array_equal(motion.rotations[0, 0], [1.0, 0.0, 0.0, 0.0])


def test_interleaved_channels(tmp_path: Path) -> None:
    text = one_joint("Yrotation Zposition Xrotation Xposition Zrotation", "10 33 20 11 30")
    motion = bvh.load(write(tmp_path, text))
    assert np.allclose(motion.rotations[0, 1], euler_to_quat(np.radians([10.0, 20.0, 30.0]), "YXZ"))
    assert motion.translations is not None
    assert motion.translations[0].tolist() == [[7.0, 8.0, 9.0], [11.0, 2.0, 33.0]]  # y is the OFFSET's


def test_root_without_position_channels_stays_at_its_offset(tmp_path: Path) -> None:
    text = PLAIN.replace("OFFSET 0.0 0.0 0.0", "OFFSET 1.0 2.0 3.0").replace("6 Xposition Yposition Zposition", "3")
    text = text.replace("1.0 90.0 -3.5 ", "").replace("1.5 91.0 -3.0 ", "")
    assert bvh.load(write(tmp_path, text)).root.tolist() == [[1.0, 2.0, 3.0]] * 2


def test_root_position_is_the_channel_alone(tmp_path: Path) -> None:
    motion = bvh.load(write(tmp_path, PLAIN.replace("OFFSET 0.0 0.0 0.0", "OFFSET 5.0 6.0 7.0")))
    assert motion.root[0].tolist() == [1.0, 90.0, -3.5]
    assert motion.skeleton.offsets[0].tolist() == [5.0, 6.0, 7.0]


def test_joints_without_channels_are_rigid(tmp_path: Path) -> None:
    text = PLAIN.replace("CHANNELS 3 Yrotation Xrotation Zrotation\n", "CHANNELS 0\n")
    text = text.replace(" 45.0 30.0 15.0", "").replace(" 46.0 31.0 16.0", "")
    assert np.array_equal(bvh.load(write(tmp_path, text)).rotations[:, 2], [[1.0, 0, 0, 0]] * 2)


def chain(depth: int) -> str:
    opened = "".join(f"JOINT j{i} {{ OFFSET 0 1 0 CHANNELS 1 Xrotation " for i in range(depth))
    return (
        f"HIERARCHY ROOT r {{ OFFSET 0 0 0 CHANNELS 1 Xrotation {opened}{'}' * (depth + 1)} MOTION Frames: 1 Frame Time: 1 "
        + "0 " * (depth + 1)
    )


REFUSED = {
    "empty": ("", "is empty"),
    "prose": ("The quick brown fox", "begins with HIERARCHY"),
    "binary": (bytes(range(256)) * 4, "begins with HIERARCHY"),
    "utf-16, damaged": (PLAIN.encode("utf-16")[:-1], "UTF-16 that is damaged"),
    "utf-16 without its mark": (PLAIN.encode("utf-16-le"), "begins with HIERARCHY"),
    "no motion": (PLAIN.split("MOTION")[0], "no MOTION"),
    "no frames line": (PLAIN.replace("Frames: 2\n", ""), "no MOTION"),
    "no frame time": (PLAIN.replace("Frame Time: 0.0333333", ""), "Frame Time"),
    "cut in the hierarchy": (PLAIN[:300], "no MOTION"),
    "hierarchy that does not close": (PLAIN.replace("}\nMOTION", "\nMOTION"), "cut off"),
    "brace too many": (PLAIN.replace("}\nMOTION", "}\n}\nMOTION"), "braces may not match"),
    "cut in the numbers": (PLAIN[:-30], "cut off"),
    "cut in a number's exponent": (PLAIN.rstrip()[:-4] + "1e", "'1e'"),
    "too many frames": (PLAIN + "1 2 3 4 5 6 7 8 9 10 11 12\n", "'Frames:' should say 3"),
    "too few frames": (PLAIN.replace("Frames: 2", "Frames: 5"), "'Frames:' should say 2"),
    "half a frame too many": (PLAIN + "1 2 3 4 5 6\n", "holds 30 (2.5 frames); the file may be damaged or cut off"),
    "no numbers": (PLAIN[: PLAIN.index("1.0 90.0")], "holds 0 (0 frames)"),
    "one number too many": (PLAIN + "1", "holds 25"),
    "nan": (PLAIN.replace("91.0", "nan"), "line 29: 'nan' in the motion block; expected finite decimal numbers; fill or cut"),
    "inf": (PLAIN.replace("91.0", "-inf"), "'-inf'"),
    "overflow": (PLAIN.replace("91.0", "1e999"), "holds inf"),
    "too large": (PLAIN.replace("91.0", "91e20"), "holds 9.1e+21"),
    "offset too large": (PLAIN.replace("OFFSET 4.0", "OFFSET 4e300"), "'4e300'"),
    "word": (PLAIN.replace("91.0", "91.0x"), "'91.0x'"),
    "comma": (PLAIN.replace("91.0", "91,0"), "'91,0' in the motion block; expected finite decimal numbers; write a point"),
    "comma in an offset": (PLAIN.replace("OFFSET 4.0", "OFFSET 4,0"), "write a point"),
    "comma in the frame time": (PLAIN.replace("0.0333333", "0,0333333"), "write a point"),
    "what old programs write for nan": (PLAIN.replace("91.0", "-1.#IND00"), "fill or cut the frames"),
    "nul": (PLAIN.encode().replace(b"91.0 ", b"91.0\0"), "expected finite"),
    "hexadecimal": (PLAIN.replace("91.0", "0x5B"), "'0x5B'"),
    "nan offset": (PLAIN.replace("OFFSET 4.0", "OFFSET nan"), "OFFSET of joint 'LeftUpLeg' is 'nan'"),
    "huge frame count": (PLAIN.replace("Frames: 2", "Frames: 99999999999999999"), "99999999999999999 frames"),
    "frame count of many digits": (PLAIN.replace("Frames: 2", "Frames: " + "9" * 6000), "whole number"),
    "no frame": (PLAIN.replace("Frames: 2", "Frames: 0"), "at least 1"),
    "negative frames": (PLAIN.replace("Frames: 2", "Frames: -2"), "at least 1"),
    "half a frame": (PLAIN.replace("Frames: 2", "Frames: 1.5"), "whole number"),
    "frame time zero": (PLAIN.replace("0.0333333", "0"), "positive"),
    "frame time negative": (PLAIN.replace("0.0333333", "-0.03"), "positive"),
    "frame time nan": (PLAIN.replace("0.0333333", "nan"), "finite"),
    "frame time tiny": (PLAIN.replace("0.0333333", "1e-320"), "positive"),
    "frame time absurd": (PLAIN.replace("0.0333333", "1e-9"), "frame rate"),
    "same name twice": (PLAIN.replace("LeftUpLeg", "Spine"), "'Spine' occurs twice"),
    "two roots": (PLAIN.replace("MOTION", "ROOT Other\n{\nOFFSET 0 0 0\n}\nMOTION"), "second ROOT"),
    "no root": ("HIERARCHY\nMOTION\nFrames: 1\nFrame Time: 1\n1\n", "no ROOT"),
    "joint first": (PLAIN.replace("ROOT Hips", "JOINT Hips"), "JOINT outside ROOT"),
    "no name": (PLAIN.replace("JOINT Spine", "JOINT"), "0 characters"),
    "long name": (PLAIN.replace("JOINT Spine", "JOINT " + "S" * 10_000), "10000 characters"),
    "no offset": (PLAIN.replace("OFFSET 0.0 10.0 0.5", ""), "'Spine' has no OFFSET"),
    "short offset": (PLAIN.replace("OFFSET 0.0 10.0 0.5", "OFFSET 0.0 10.0"), "'CHANNELS'"),
    "two offsets": (PLAIN.replace("OFFSET 0.0 10.0 0.5", "OFFSET 1 1 1 OFFSET 2 2 2"), "second OFFSET"),
    "channel count": (PLAIN.replace("CHANNELS 3 Z", "CHANNELS 9 Z"), "expected 0 to 6"),
    "missing channel": (PLAIN.replace("3 Zrotation Xrotation Yrotation", "3 Zrotation Xrotation"), "channel 'End'"),
    "unknown channel": (PLAIN.replace("Yrotation Xrotation Zrotation", "Yrotation Xrotation Wscale"), "'Wscale'"),
    "channel twice": (PLAIN.replace("Yrotation Xrotation Zrotation", "Yrotation Xrotation Yrotation"), "twice"),
    "channels in an end site": (PLAIN.replace("OFFSET 0.0 5.0 0.0", "OFFSET 0.0 5.0 0.0 CHANNELS 0"), "End Site"),
    "stray word": (PLAIN.replace("JOINT Spine", "BONE Spine"), "'BONE'"),
    "depth bomb": (chain(20_000), "not a performer"),
    "no channels": (re.sub("CHANNELS.*", "CHANNELS 0", PLAIN), "no channels"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_one_line_that_names_file_and_reason(case: str, tmp_path: Path) -> None:
    content, reason = REFUSED[case]
    path = write(tmp_path, content, "bad.bvh")
    with pytest.raises(MotionFormatError) as error:
        bvh.load(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert "\n" not in message
    assert len(message) < 400


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(MotionFormatError, match=r"none.bvh.*cannot be read"):
        bvh.load(tmp_path / "none.bvh")
    with pytest.raises(MotionFormatError, match="regular file"):
        bvh.load(tmp_path)


def test_deep_and_wide_but_sane_is_read(tmp_path: Path) -> None:
    assert len(bvh.load(write(tmp_path, chain(400))).skeleton) == 401


def test_rigid_joints_cannot_blow_up_memory(tmp_path: Path) -> None:
    joints = " ".join(f"JOINT j{i} {{ OFFSET 0 1 0 }}" for i in range(2000))
    text = f"HIERARCHY ROOT r {{ OFFSET 0 0 0 CHANNELS 1 Xrotation {joints} }} MOTION Frames: 50000 Frame Time: 1\n"
    with pytest.raises(MotionFormatError, match="joints that move"):
        bvh.load(write(tmp_path, text + "0\n" * 50_000))


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1e6, 1e6).map(lambda value: f"{value:.6f}"),
    st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.from_regex(r"[+-]?\.[0-9]{1,30}", fullmatch=True),
)


@given(st.lists(numbers, min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_number_parser_against_float(tokens: list[str]) -> None:
    text = np.frombuffer((" \t\r\n "[: len(tokens) % 4 + 1]).join(tokens).encode(), dtype=np.uint8)
    out = np.empty(len(tokens))
    count, bad = parse_numbers(text, out, POWERS)
    assert (count, bad) == (len(tokens), -1)
    expected = np.array([float(token) for token in tokens])
    assert np.all(np.abs(out - expected) <= 1e-14 * np.abs(expected) + 1e-307)
    plain = np.array([len(token) <= 15 and "e" not in token.lower() for token in tokens])
    assert np.array_equal(out[plain], expected[plain])


@given(st.text(alphabet="0123456789+-.eE nai", max_size=12))
@settings(max_examples=200, deadline=None)
def test_number_parser_refuses_what_float_refuses(text: str) -> None:
    def valid(token: str) -> bool:
        return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", token) is not None

    out = np.empty(12)
    count, bad = parse_numbers(np.frombuffer(text.encode(), dtype=np.uint8), out, POWERS)
    wrong = [not valid(token) for token in text.split()]
    assert (bad >= 0) == any(wrong)
    assert count == (wrong.index(True) if any(wrong) else len(wrong))


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(-(10**16), 10**16)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_number_writer_against_decimal(rows: list[tuple[int, int]]) -> None:
    from decimal import Decimal

    out = np.empty(len(rows) * 48, dtype=np.uint8)
    length = format_fixed(np.array(rows), np.array([4, 6]), out)
    lines = bytes(out[:length]).decode().splitlines()
    expected = [f"{Decimal(a).scaleb(-4):.4f} {Decimal(b).scaleb(-6):.6f}" for a, b in rows]
    assert lines == [line.replace("-0.0000 ", "0.0000 ") if line.startswith("-0.0000 ") else line for line in expected]


def assert_same_motion(first: Motion, second: Motion, atol_m: float = 1e-4) -> None:
    order = [second.skeleton.names.index(name) for name in first.skeleton.names]
    positions = kinematics.joint_positions(second)[:, order]
    assert np.max(np.abs(kinematics.joint_positions(first) - positions)) < atol_m
    delta = compose(inverse(first.rotations), second.rotations[:, order])
    assert np.max(angle(delta)) < 1e-4
    assert second.fps == first.fps


@pytest.mark.parametrize("skeleton", [CHOREO22, CHOREO52], ids=["22", "52"])
@pytest.mark.parametrize("seed", range(6))
def test_read_write_read_is_close_then_byte_identical(skeleton: Skeleton, seed: int, tmp_path: Path) -> None:
    motion = random_motion(seed, skeleton)
    bvh.save(motion, tmp_path / "1.bvh")
    again = bvh.load(tmp_path / "1.bvh")
    assert_same_motion(motion, again)
    bvh.save(again, tmp_path / "2.bvh")
    assert (tmp_path / "1.bvh").read_bytes() == (tmp_path / "2.bvh").read_bytes()


@given(
    st.lists(
        st.tuples(*[st.sampled_from([0.0, 90.0, -90.0, 180.0, 89.99997, 90.00004, 45.0, 1e-5])] * 3),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=100, deadline=None)
def test_gimbal_lock_and_half_turns_settle_in_one_pass(tmp_path_factory: pytest.TempPathFactory, angles: list) -> None:
    folder = tmp_path_factory.getbasetemp()
    rotations = euler_to_quat(np.radians(np.array(angles))[:, None, :], "ZXY")
    skeleton = Skeleton(("root",), np.array([-1], dtype=np.int32), np.zeros((1, 3)))
    motion = Motion(rotations, np.zeros((len(angles), 3)), skeleton, 60.0)
    bvh.save(motion, folder / "1.bvh")
    again = bvh.load(folder / "1.bvh")
    bvh.save(again, folder / "2.bvh")
    assert (folder / "1.bvh").read_bytes() == (folder / "2.bvh").read_bytes()
    assert np.max(angle(compose(inverse(rotations), again.rotations))) < 1e-5


def test_curves_are_continuous_through_turns_and_gimbal_lock(tmp_path: Path) -> None:
    turn = np.radians(np.linspace(0.0, 1080.0, 200))
    swing = np.radians(np.linspace(0.0, 150.0, 200))
    zero = np.zeros(200)
    rotations = euler_to_quat(np.stack([np.stack([zero, zero, turn], -1), np.stack([zero, swing, zero], -1)], 1), "ZXY")
    skeleton = Skeleton(("a", "b"), np.array([-1, 0], dtype=np.int32), np.array([[0.0, 0, 0], [0, 1, 0]]))
    bvh.save(Motion(rotations, np.zeros((200, 3)), skeleton, 60.0), tmp_path / "a.bvh")
    block = (tmp_path / "a.bvh").read_text().split("Frame Time:")[1].split("\n", 1)[1]
    values = np.array([line.split() for line in block.strip().split("\n")], dtype=float)
    assert np.max(np.abs(np.diff(values, axis=0))) < 6.0
    assert np.isclose(values[-1, 5], 1080.0)
    assert np.isclose(values[-1, 7], 150.0)


def test_centimetres_are_a_hundred_times_metres(tmp_path: Path) -> None:
    motion = random_motion(1)
    bvh.save(motion, tmp_path / "m.bvh")
    bvh.save(motion, tmp_path / "cm.bvh", units="cm")
    metres, centimetres = bvh.load(tmp_path / "m.bvh"), bvh.load(tmp_path / "cm.bvh")
    assert np.allclose(centimetres.root, 100.0 * metres.root, atol=1e-4)
    assert np.allclose(centimetres.skeleton.offsets, 100.0 * metres.skeleton.offsets, atol=1e-4)
    with pytest.raises(MotionFormatError, match="'m' or 'cm'"):
        bvh.save(motion, tmp_path / "x.bvh", units="inch")  # type: ignore[arg-type]


def test_written_hierarchy_is_plain(tmp_path: Path) -> None:
    bvh.save(random_motion(2, CHOREO52), tmp_path / "a.bvh")
    text = (tmp_path / "a.bvh").read_text()
    names = re.findall(r"(?:ROOT|JOINT) (.*)", text)
    assert sorted(names) == sorted(CHOREO52.names)
    assert all(re.fullmatch("[A-Za-z0-9_]+", name) for name in names)
    assert text.count("Xposition") == 1
    assert text.split("OFFSET ")[1].startswith("0.000000 0.000000 0.000000\n")
    ends = re.findall(r"End Site\n\s*\{\n\s*OFFSET (.*)", text)
    assert len(ends) == len([j for j in range(52) if not CHOREO52.children(j)])
    assert all(any(float(value) for value in end.split()) for end in ends)
    assert np.allclose(naive_positions(text), kinematics.joint_positions(bvh.load(tmp_path / "a.bvh")), atol=1e-9)


def test_awkward_names_are_made_plain_and_unique(tmp_path: Path) -> None:
    names = ("rig:Hips", "rig Hips", "rig_Hips_2", "腰", "首", "")
    skeleton = Skeleton(names, np.array([-1, 0, 0, 0, 0, 0], dtype=np.int32), np.ones((6, 3)))
    bvh.save(random_motion(3, skeleton), tmp_path / "a.bvh")
    written = bvh.load(tmp_path / "a.bvh").skeleton.names
    assert written == ("rig_Hips", "rig_Hips_2", "rig_Hips_2_2", "_", "__2", "joint")
    bvh.save(bvh.load(tmp_path / "a.bvh"), tmp_path / "b.bvh")
    assert (tmp_path / "a.bvh").read_bytes() == (tmp_path / "b.bvh").read_bytes()


def test_translations_become_six_channel_joints_where_needed(tmp_path: Path) -> None:
    motion = random_motion(4)
    translations = np.repeat(CHOREO22.offsets[None], len(motion), axis=0)
    translations[:, 0] = motion.root
    translations[3, 7] += 0.25
    moved = Motion(motion.rotations, motion.root, CHOREO22, 60.0, translations)
    bvh.save(moved, tmp_path / "a.bvh")
    assert (tmp_path / "a.bvh").read_text().count("Xposition") == 2
    assert_same_motion(moved, bvh.load(tmp_path / "a.bvh"))
    bvh.save(bvh.load(tmp_path / "a.bvh"), tmp_path / "b.bvh")
    assert (tmp_path / "a.bvh").read_bytes() == (tmp_path / "b.bvh").read_bytes()


@given(st.floats(1.0, 1000.0))
@settings(max_examples=50, deadline=None)
def test_frame_rate_survives(tmp_path_factory: pytest.TempPathFactory, fps: float) -> None:
    path = tmp_path_factory.getbasetemp() / "fps.bvh"
    motion = random_motion(5, frames=1)
    bvh.save(Motion(motion.rotations, motion.root, CHOREO22, fps), path)
    once, text = bvh.load(path), path.read_bytes()
    assert np.isclose(once.fps, fps, rtol=1e-15, atol=0.0)
    bvh.save(once, path)
    assert path.read_bytes() == text


def test_common_frame_rates_survive_exactly(tmp_path: Path) -> None:
    motion = random_motion(5, frames=1)
    for fps in (60.0, 30.0, 120.0, 24.0, 25.0, 1.0 / 0.0333333, 1.0 / 0.0083333, 1.0 / 0.016667):
        bvh.save(Motion(motion.rotations, motion.root, CHOREO22, fps), tmp_path / "a.bvh")
        assert bvh.load(tmp_path / "a.bvh").fps == fps


def test_saving_is_all_or_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "old")
    broken = random_motion(6)
    broken.root[2, 1] = np.nan
    with pytest.raises(MotionFormatError, match="NaN"):
        bvh.save(broken, path)
    assert path.read_text() == "old"
    with pytest.raises(ChoreoError, match="cannot be written"):
        bvh.save(random_motion(6), tmp_path / "missing" / "a.bvh")
    far = random_motion(6)
    far.root[0, 0] = 1e15
    with pytest.raises(MotionFormatError, match="1e11"):
        bvh.save(far, path)
    bvh.save(random_motion(6), path)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.bvh"]


@pytest.mark.realdata
@pytest.mark.parametrize("pattern", ["cmu-dance/005_0[16].bvh", "bandai-namco/dataset-1_bow_a*_001.bvh"])
def test_real_files_against_the_naive_reader(pattern: str, realdata: Path, tmp_path: Path) -> None:
    paths = sorted((realdata / "mocap").glob(pattern))
    assert len(paths) == 2
    for path in paths:
        motion = bvh.load(path)
        assert np.allclose(kinematics.joint_positions(motion), naive_positions(path.read_text()), atol=1e-9)
        bvh.save(motion, tmp_path / "a.bvh")
        again = bvh.load(tmp_path / "a.bvh")
        assert_same_motion(motion, again, atol_m=0.01)  # centimetres: 0.1 mm
        bvh.save(again, tmp_path / "b.bvh")
        assert (tmp_path / "a.bvh").read_bytes() == (tmp_path / "b.bvh").read_bytes()


def naive_angles(quats: np.ndarray) -> np.ndarray:
    def spelt(turns: np.ndarray) -> np.ndarray:
        angles = np.rint(np.degrees(quat_to_euler(turns, "ZXY")) * 1e4).astype(np.int64)
        angles[angles == -1_800_000] = 1_800_000
        return angles

    first = spelt(quats / np.linalg.norm(quats, axis=-1, keepdims=True))
    return spelt(euler_to_quat(np.radians(first / 1e4), "ZXY"))


def test_rounded_angles_agree_with_their_naive_twin(rng: np.random.Generator) -> None:
    locked = np.stack(
        [rng.uniform(-3.0, 3.0, 500), rng.choice([-0.5, 0.5], 500) * np.pi, rng.uniform(-3.0, 3.0, 500)], axis=1
    )
    halves = np.concatenate([np.eye(4), -np.eye(4)])
    for quats in (rng.normal(size=(5000, 4)), euler_to_quat(locked, "ZXY"), halves):
        angles = rounded_angles(quats, 1e4)
        # the last bit of a sine may differ between compilers, and so one unit in the last digit
        assert np.abs(angles - naive_angles(quats)).max() <= 1
        assert np.array_equal(rounded_angles(euler_to_quat(np.radians(angles / 1e4), "ZXY"), 1e4), angles)
