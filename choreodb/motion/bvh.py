"""BVH: loaded literally, on the file's own skeleton, and written so that every program reads it alike."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion import bvh_stream
from choreodb.motion.files import MAX_VALUE, StrPath, opened, read_buffer
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, identity
from choreodb.motion.skeleton import Skeleton

MAX_DEPTH = 512
"""Joints from the root to a leaf; real chains (hair, tails) stay far below."""
MAX_JOINTS = 4096
MAX_NAME = 200
MAX_HEADER = 16 * 2**20

_CHANNELS = {f"{axis}{kind}".lower(): (kind, axis) for axis in "XYZ" for kind in ("position", "rotation")}
_HEAD = re.compile(r"\s*HIERARCHY(?![^\s{])", re.IGNORECASE)
_MOTION = re.compile(rb"(?:[\s}])MOTION\s+Frames\s*:[ \t]*", re.IGNORECASE)
_TIMING = re.compile(rb"(\S*)\s+Frame\s*Time\s*:[ \t]*(\S*)", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_STRETCH = 1 << 16

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(slots=True)
class _Joint:
    name: str
    parent: int
    offset: tuple[float, float, float] | None = None
    channels: list[tuple[str, str]] = field(default_factory=list)


def load(path: StrPath) -> Motion:
    """The motion in the BVH file `path`, literally: its joints in file order, its units, axes and frame rate.

    End sites are not joints. Position channels replace OFFSET; those of joints other than the root become
    `translations`. A joint may have rotation channels about one, two or three axes in any order, or none.
    Rotations are float64. Memory stays under 250 bytes for every byte of the file.
    Raises MotionFormatError, with file and reason, for whatever is not a complete BVH of finite numbers.
    """
    try:
        joints, values, frame_time = _contents(path)
        return _motion(joints, values, 1.0 / frame_time).validate()
    except MotionFormatError as error:
        raise _named(path, error) from None


def channels(path: StrPath) -> FloatArray:
    """The numbers [T, C] of the motion block of the BVH file `path`, as written: degrees, and lengths in file units.

    Raises MotionFormatError as `load` does.
    """
    try:
        return _contents(path)[1]
    except MotionFormatError as error:
        raise _named(path, error) from None


def save(motion: Motion, path: StrPath, *, units: Literal["m", "cm"] = "m", keep_names: bool = False) -> None:
    """Write `motion` (metres) as a BVH in metres or centimetres; the same motion gives the same bytes.

    Names are reduced to [A-Za-z0-9_], unless `keep_names`, as a rig needs it. The root has OFFSET 0 and the position
    channels; another joint has them only where the motion's translations differ from its offset. Rotations are
    Zrotation Xrotation Yrotation, continuous over time, to 1e-4 degrees; lengths to 6 decimals. Reading and writing again
    gives the same bytes.
    """
    from choreodb.motion.bvh_text import write

    write(motion, path, units=units, keep_names=keep_names)


def _named(path: StrPath, error: MotionFormatError) -> MotionFormatError:
    reason = str(error)
    return error if reason.startswith(f"{path}: ") else MotionFormatError(f"{path}: {reason}")


def _contents(path: StrPath) -> tuple[list[_Joint], FloatArray, float]:
    """Joints, numbers [T, C] and frame time of the file `path`."""
    streamed = _streamed(path)
    if streamed is not None:
        return streamed
    # as a whole, number by number: every spelling, and what is wrong with a file that is
    header, frames, frame_time, numbers, first_line = _split(read_buffer(path))
    joints = _hierarchy(header)
    return joints, _values(numbers, frames, joints, first_line), frame_time


def _streamed(path: StrPath) -> tuple[list[_Joint], FloatArray, float] | None:
    """`_contents` without ever holding the text; None where anything at all is unusual."""
    buffer = bvh_stream.new_buffer()
    with opened(path) as (file, size):
        filled = bvh_stream.read_piece(file, buffer)
        text = buffer[bvh_stream.LEFT : filled]
        parse = bvh_stream.parser(size)
        if parse is None or text[:2].tobytes() in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return None
        try:
            header, frames, frame_time, numbers, _ = _split(text)
            joints = _hierarchy(header)
        except MotionFormatError:
            return None
        channels = sum(len(joint.channels) for joint in joints)
        # where nothing follows, the frame time itself may be cut off
        if not len(numbers) or frames * channels > size // 2 + 1:
            return None
        values = np.empty(frames * channels)
        found = bvh_stream.read_numbers(file, buffer, filled - len(numbers), filled, values, parse)
    if found is None or found[0] != len(values):
        return None
    _check_values(values, joints, frames, size, wide=found[1])
    return joints, values.reshape(frames, channels), frame_time


def _split(data: Bytes) -> tuple[str, int, float, Bytes, int]:
    """Header text, frame count, frame time, the motion block and the line on which it begins."""
    data = _without_mark(data)
    motion = _MOTION.search(data.data)
    size = len(data) if motion is None else motion.start() + 1
    header = _decoded(data[: min(size, MAX_HEADER)].tobytes())
    if not _HEAD.match(header):
        raise MotionFormatError(f"begins with {header[:20]!r}; a BVH begins with HIERARCHY")
    if motion is None:
        raise MotionFormatError("has no MOTION section with a 'Frames:' line; the file may be cut off")
    if size > MAX_HEADER:
        raise MotionFormatError(f"has a hierarchy of {size} bytes; expected at most {MAX_HEADER}")
    timing = _TIMING.match(data.data, motion.end())
    if timing is None:
        raise MotionFormatError("has no 'Frame Time:' after 'Frames:'; the file may be cut off")
    counted, timed = (_decoded(token) for token in timing.groups())
    if not re.fullmatch(r"[+-]?\d{1,18}", counted, re.ASCII) or int(counted) < 1:
        raise MotionFormatError(f"declares {counted[:30]!r} frames; expected a whole number of at least 1")
    frame_time = _number(timed, "frame time")
    if frame_time <= 0.0 or not np.isfinite(1.0 / frame_time):
        raise MotionFormatError(f"frame time is {timed!r} s; expected a positive number")
    first_line = 1 + len(_LINE_END.findall(data.data, 0, timing.end()))
    return header, int(counted), frame_time, data[timing.end() :], first_line


def _without_mark(data: Bytes) -> Bytes:
    """`data` without a byte order mark; UTF-16, which Windows editors save, as UTF-8."""
    head = data[:3].tobytes()
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            text = data.tobytes().decode("utf-16")
        except UnicodeDecodeError:
            raise MotionFormatError("is UTF-16 that is damaged; save it as UTF-8") from None
        return np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
    return data[3:] if head == codecs.BOM_UTF8 else data


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _number(token: str, what: str) -> float:
    """The finite number that `token` spells; MotionFormatError, naming `what`, otherwise."""
    if not _DECIMAL.fullmatch(token):
        raise MotionFormatError(f"{what} is {token[:30]!r}; expected a finite number{_hint(token)}")
    value = float(token)
    if abs(value) > MAX_VALUE:
        raise MotionFormatError(f"{what} is {token[:30]!r}; expected a number up to {MAX_VALUE:g}")
    return value


def _hint(token: str) -> str:
    """What may have happened to a malformed number, where its spelling tells."""
    if re.fullmatch(r"[+-]?\d*,\d+([eE][+-]?\d+)?", token, re.ASCII):
        return "; write a point, not a comma"
    if re.fullmatch(r"[+-]?(nan|inf|infinity|1\.#\w*)(\(.*)?", token, re.IGNORECASE):
        return "; fill or cut the frames without data"
    return ""


class _Header:
    """The tokens of the hierarchy and the lines they are on, because names run to the end of a line."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.lines: list[int] = []
        for line, content in enumerate(_lines(text), start=1):
            found = content.replace("{", " { ").replace("}", " } ").split()
            self.tokens += found
            self.lines += [line] * len(found)
        self.at = 0

    def next(self, wanted: str) -> str:
        return self.take(1, wanted)[0]

    def take(self, count: int, wanted: str) -> list[str]:
        """The next `count` tokens, each of them `wanted`."""
        taken = self.tokens[self.at : self.at + count]
        self.at += len(taken)
        if len(taken) < count:
            raise MotionFormatError(f"the hierarchy ends where {wanted} should follow; the file may be cut off")
        return taken

    def name(self) -> str:
        """The tokens up to the end of the line or a brace, joined by single blanks."""
        line = self.line
        start = self.at
        while self.at < len(self.tokens) and self.lines[self.at] == line and self.tokens[self.at] not in "{}":
            self.at += 1
        return " ".join(self.tokens[start : self.at])

    def open(self, what: str) -> None:
        found = self.next("'{'")
        if found != "{":
            raise MotionFormatError(f"line {self.line}: {found[:30]!r} after {what}; expected '{{'")

    @property
    def line(self) -> int:
        return self.lines[self.at - 1]


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _hierarchy(text: str) -> list[_Joint]:
    """The joints of the hierarchy in file order; End sites are checked and dropped."""
    header = _Header(text)
    header.next("HIERARCHY")
    joints: list[_Joint] = []
    stack: list[int] = []
    while True:
        if not stack and header.at == len(header.tokens):
            break
        token = header.next("the closing brace" if stack else "ROOT")
        word = token.upper()
        if word in ("ROOT", "JOINT"):
            stack.append(_open_joint(header, word, joints, stack))
        elif not stack:
            raise MotionFormatError(f"line {header.line}: {token[:30]!r} outside ROOT; braces may not match")
        elif token == "}":
            _check_joint(joints[stack.pop()])
        elif word == "OFFSET":
            _read_offset(header, joints[stack[-1]])
        elif word == "CHANNELS":
            _read_channels(header, joints[stack[-1]])
        elif word == "END":
            _skip_end_site(header)
        else:
            raise MotionFormatError(
                f"line {header.line}: {token[:30]!r}; expected OFFSET, CHANNELS, JOINT, End Site or a brace"
            )
    return _checked(joints)


def _checked(joints: list[_Joint]) -> list[_Joint]:
    if not joints:
        raise MotionFormatError("has no ROOT; a BVH needs exactly one")
    names: set[str] = set()
    for joint in joints:
        if joint.name in names:
            raise MotionFormatError(f"joint name {joint.name!r} occurs twice; names must be unique")
        names.add(joint.name)
    if not any(joint.channels for joint in joints):
        raise MotionFormatError("has no channels; at least one joint must move")
    return joints


def _open_joint(header: _Header, word: str, joints: list[_Joint], stack: list[int]) -> int:
    if word == "ROOT" and joints:
        raise MotionFormatError(f"line {header.line}: a second ROOT; split the file, one performer each")
    if word == "JOINT" and not stack:
        raise MotionFormatError(f"line {header.line}: JOINT outside ROOT; braces may not match")
    if len(stack) >= MAX_DEPTH or len(joints) >= MAX_JOINTS:
        raise MotionFormatError(
            f"line {header.line}: more than {MAX_JOINTS} joints or {MAX_DEPTH} levels; not a performer"
        )
    name = header.name()
    if not 1 <= len(name) <= MAX_NAME:
        raise MotionFormatError(
            f"line {header.line}: {word} has a name of {len(name)} characters; expected 1 to {MAX_NAME}"
        )
    header.open(name)
    joints.append(_Joint(name, stack[-1] if stack else -1))
    return len(joints) - 1


def _check_joint(joint: _Joint) -> None:
    if joint.offset is None:
        raise MotionFormatError(f"joint {joint.name!r} has no OFFSET; every joint needs one")


def _read_offset(header: _Header, joint: _Joint) -> None:
    if joint.offset is not None:
        raise MotionFormatError(f"line {header.line}: joint {joint.name!r} has a second OFFSET; expected one")
    what = f"OFFSET of joint {joint.name!r}"
    x, y, z = header.take(3, "an OFFSET")
    joint.offset = (_number(x, what), _number(y, what), _number(z, what))


def _read_channels(header: _Header, joint: _Joint) -> None:
    if joint.channels:
        raise MotionFormatError(f"line {header.line}: joint {joint.name!r} has a second CHANNELS; expected one")
    count = header.next("a channel count")
    if count not in "0123456" or len(count) != 1:
        raise MotionFormatError(f"joint {joint.name!r} has {count[:30]!r} channels; expected 0 to 6")
    for name in header.take(int(count), "a channel name"):
        channel = _CHANNELS.get(name.lower())
        if channel is None:
            raise MotionFormatError(
                f"joint {joint.name!r} has a channel {name[:30]!r}; expected Xposition ... Zrotation"
            )
        if channel in joint.channels:
            raise MotionFormatError(f"joint {joint.name!r} has channel {name!r} twice; expected it once")
        joint.channels.append(channel)


def _skip_end_site(header: _Header) -> None:
    header.name()
    header.open("End Site")
    word = header.next("an End Site's OFFSET")
    if word.upper() == "OFFSET":
        for token in header.take(3, "an OFFSET"):
            _number(token, "OFFSET of an End Site")
        word = header.next("'}' after an End Site")
    if word != "}":
        raise MotionFormatError(f"line {header.line}: {word[:30]!r} in an End Site; expected OFFSET and '}}' only")


def _values(numbers: Bytes, frames: int, joints: list[_Joint], first_line: int) -> npt.NDArray[np.float64]:
    """The motion block as float64 [frames, channels]."""
    from choreodb.motion.bvh_kernel import POWERS, parse_numbers

    channels = sum(len(joint.channels) for joint in joints)
    wanted = frames * channels
    values: npt.NDArray[np.float64] = np.empty(min(wanted, len(numbers) // 2 + 1), dtype=np.float64)
    count, bad = parse_numbers(numbers, values, POWERS)
    if bad >= 0:
        token = _decoded(numbers[bad : bad + 30].tobytes().split()[0])
        line = first_line + len(_LINE_END.findall(numbers.data, 0, bad))
        raise MotionFormatError(
            f"line {line}: {token!r} in the motion block; expected finite decimal numbers{_hint(token)}"
        )
    if count != wanted:
        whole = "" if count % channels or not count else f", or 'Frames:' should say {count // channels}"
        raise MotionFormatError(
            f"declares {frames} frames of {channels} channels, {wanted} numbers, but holds {count} "
            f"({count / channels:.6g} frames); the file may be damaged or cut off{whole}"
        )
    _check_values(values, joints, frames, len(numbers), wide=True)
    return values.reshape(frames, channels)


def _check_values(values: FloatArray, joints: list[_Joint], frames: int, size: int, *, wide: bool) -> None:
    """MotionFormatError where numbers are absurd, or joints take much more memory than the file's `size` in bytes."""
    largest = max(values.max(), -values.min()) if wide else 0.0
    if largest > MAX_VALUE:
        raise MotionFormatError(f"the motion block holds {largest:.3g}; expected numbers up to {MAX_VALUE:g}")
    channels = len(values) // frames
    # joints without channels cost no text, so their memory must be bounded too
    if frames * (len(joints) - channels) > size:
        raise MotionFormatError(f"holds {channels} channels for {len(joints)} joints; expected more joints that move")


def _motion(joints: list[_Joint], values: FloatArray, fps: float) -> Motion:
    """Channels to local rotations and positions."""
    starts = np.cumsum([0, *(len(joint.channels) for joint in joints)])
    offsets = np.array([joint.offset for joint in joints], dtype=np.float64)
    skeleton = Skeleton(
        tuple(joint.name for joint in joints),
        np.array([joint.parent for joint in joints], dtype=np.int32),
        offsets,
    )
    moves = [any(kind == "position" for kind, _ in joint.channels) for joint in joints]
    translations = None
    if any(moves[1:]):
        translations = np.repeat(offsets[None], len(values), axis=0)
    root = np.repeat(offsets[:1], len(values), axis=0)
    for index, joint in enumerate(joints):
        target = root if index == 0 else None if translations is None else translations[:, index]
        for place, (kind, axis) in enumerate(joint.channels):
            if kind == "position" and target is not None:
                target[:, "XYZ".index(axis)] = values[:, starts[index] + place]
    if translations is not None:
        translations[:, 0] = root
    return Motion(_rotations(joints, values, starts), root, skeleton, fps, translations)


def _rotations(joints: list[_Joint], values: FloatArray, starts: npt.NDArray[np.int64]) -> FloatArray:
    """Local quaternions [T, J, 4]: every joint's turns in the order of its channels."""
    turns = [
        (starts[index] + place, index, "XYZ".index(axis))
        for index, joint in enumerate(joints)
        for place, (kind, axis) in enumerate(joint.channels)
        if kind == "rotation"
    ]
    out = identity(len(values), len(joints))
    if not turns:
        return out
    columns, turned, axes = (np.array(each, dtype=np.int64) for each in zip(*turns, strict=True))
    # a stretch of frames at a time: sines of a whole long file would cost more memory than its motion
    compose_axes = _composer(values.size)
    stretch = max(1, _STRETCH // len(columns))
    for begin in range(0, len(values), stretch):
        frames = slice(begin, begin + stretch)
        half = values[frames, columns] * (np.pi / 360.0)
        compose_axes(np.cos(half), np.sin(half), turned, axes, out[frames])
    return out


def _composer(numbers: int) -> Callable[[FloatArray, FloatArray, Places, Places, FloatArray], None]:
    """What multiplies turns soonest where a file has `numbers` of them."""
    if not bvh_stream.compiled(numbers):
        return _compose_axes
    from choreodb.motion.bvh_kernel import compose_axes

    return compose_axes


def _compose_axes(cosines: FloatArray, sines: FloatArray, joints: Places, axes: Places, out: FloatArray) -> None:
    """`bvh_kernel.compose_axes` by numpy, for processes that have no compiler loaded."""
    nth = np.array([np.count_nonzero(joints[:turn] == joint) for turn, joint in enumerate(joints)])
    for number in range(int(nth.max()) + 1):
        for axis in range(3):
            chosen = np.flatnonzero((nth == number) & (axes == axis))
            if len(chosen):
                quats, c, s = out[:, joints[chosen]], cosines[:, chosen, None], sines[:, chosen, None]
                turned = np.empty_like(quats)
                # a turn about one axis mixes w with that axis, and the two others with each other
                along, right, left = axis + 1, (axis + 1) % 3 + 1, (axis + 2) % 3 + 1
                turned[..., [0]] = quats[..., [0]] * c - quats[..., [along]] * s
                turned[..., [along]] = quats[..., [0]] * s + quats[..., [along]] * c
                turned[..., [right]] = quats[..., [right]] * c + quats[..., [left]] * s
                turned[..., [left]] = quats[..., [left]] * c - quats[..., [right]] * s
                out[:, joints[chosen]] = turned
