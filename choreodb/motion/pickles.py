"""Pickles of arrays, read without running what they carry, and told apart by their keys.

A pickle is a program; unpickling one from somebody else runs somebody else's code. Here its instructions are followed
one by one and none of them calls anything: arrays, their types and plain containers are put together by this module,
and every other name that the file asks for is refused.
"""

from __future__ import annotations

import io
import math
import pickletools
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion.files import StrPath, read_bytes, regular_file
from choreodb.motion.motion import Motion
from choreodb.motion.npz import Array, checked_text

MAX_BYTES = 256 * 2**20
"""Largest pickle that is read: a minute of AIST++ takes 1 MB."""
MAX_STEPS = 200_000
"""Most instructions that are followed: a pickle of arrays has a few dozen, one of Python numbers one for each."""

_NUMPY = {f"numpy.{core}.{name}": name
          for core in ("core", "_core")
          for name in ("multiarray._reconstruct", "multiarray.scalar", "numeric._frombuffer")}  # fmt: skip
_ALLOWED = {
    **_NUMPY, "numpy.ndarray": "ndarray", "numpy.dtype": "dtype", "_codecs.encode": "encode",
    "collections.OrderedDict": "dict",
}  # fmt: skip
POINT_KEYS = ("keypoints3d_optim", "keypoints3d")
"""Keys of AIST++'s joint positions, the better ones first."""

_MARK = object()


@dataclass(frozen=True, slots=True)
class _Name:
    """One of the names that a pickle of arrays asks for."""

    name: str


@dataclass(slots=True, eq=False)
class _Type:
    """A NumPy type: its code without byte order, and whether a later instruction makes it big-endian."""

    code: str
    big: bool = False

    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.code).newbyteorder(">" if self.big else "<")


@dataclass(slots=True, eq=False)
class _Array:
    """An array to be: pickles make it empty and fill it later."""

    value: Array | None = None


@dataclass(slots=True)
class _Machine:
    """The state of a pickle's program: a stack with marks, the memo, and how much text may still become bytes."""

    text_left: int
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise MotionFormatError("is a damaged pickle (an instruction finds too few values)")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise MotionFormatError(f"is a damaged pickle (an instruction expects a {kind.__name__})")
        return self.stack[-1]

    def pop_to_mark(self) -> list[Any]:
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                items = self.stack[place + 1 :]
                del self.stack[place:]
                return items
        raise MotionFormatError("is a damaged pickle (an instruction finds no mark)")

    def pop_many(self, count: int) -> list[Any]:
        return [self.pop() for _ in range(count)][::-1]


def load(path: StrPath, *, fps: float | None = None, layout: str | None = None) -> Motion:
    """The motion in a `.pkl` file: AIST++ and EDGE dances, SMPL-family poses, an array of features, or joint positions.

    `layout` takes it for positions in that order (`point_layouts`), `fps` overrides the file's. Raises MotionFormatError,
    listing the keys found, where it is none of them.
    """
    from choreodb.motion import aist, feature_arrays, smpl

    content = read(path)
    try:
        points = _points(content, layout)
        if points is not None:
            return aist.points_of(points, fps=fps, layout=layout).validate()
        if isinstance(content, np.ndarray):
            return feature_arrays.motion_of(content, fps=fps).validate()
        arrays = arrays_of(content)
        if "smpl_poses" in arrays or {"q", "pos"} <= set(arrays):
            return aist.motion_of(arrays, fps=fps).validate()
        if smpl.holds_poses(arrays):
            return smpl.motion_of(arrays, fps=fps).validate()
        feature = feature_arrays.find(arrays)
        if feature is not None:
            return feature_arrays.motion_of(feature, fps=fps).validate()
        listed = ", ".join(repr(str(key)[:40]) for key in list(arrays)[:12]) or "no arrays"
        raise MotionFormatError(f"holds {listed}; expected 'smpl_poses' (AIST++), 'poses' (SMPL) or a feature array")
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None


def _points(content: Any, layout: str | None) -> dict[str, Array] | None:
    """The arrays of `content` where it is joint positions, which it must be where a layout of theirs is given."""
    if isinstance(content, np.ndarray):
        flat = content.ndim != 3 or content.shape[2] != 3
        return None if layout is None and flat else {"joints": content}
    arrays = arrays_of(content)
    poses = {"smpl_poses", "q", "poses", "fullpose"} & set(arrays)
    found = {"joints", *POINT_KEYS} & set(arrays)
    return arrays if layout is not None or (found and not poses) else None


def read(path: StrPath) -> Any:
    """What the pickle `path` holds: NumPy arrays and scalars in plain containers; sets become lists.

    Nothing is called or imported; MotionFormatError, with the name, where the file asks for anything else, is damaged,
    or is beyond MAX_BYTES or MAX_STEPS. Memory stays under ten times the file.
    """
    path = regular_file(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise MotionFormatError(f"{path}: has {size} bytes; expected a pickle of at most {MAX_BYTES}")
    data = read_bytes(path)
    try:
        with warnings.catch_warnings():
            # old text pickles may hold escapes that Python warns of
            warnings.simplefilter("ignore")
            return _run(data)
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None
    except (ValueError, IndexError, OverflowError, struct.error, TypeError, MemoryError) as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise MotionFormatError(f"{path}: is not a pickle, or a damaged one ({reason})") from None


def arrays_of(content: Any) -> dict[str, Array]:
    """The arrays and numbers by their keys, where `content` is a dictionary; MotionFormatError otherwise."""
    if not isinstance(content, dict):
        raise MotionFormatError(f"holds a {type(content).__name__}; expected a dictionary of arrays, or one array")
    plain = {str(key): value for key, value in content.items()}
    numbers = (np.ndarray, int, float)
    # a Python integer may have any number of digits
    kept = {key: value for key, value in plain.items() if isinstance(value, numbers) and not _is_huge(value)}
    return {key: np.asarray(value) for key, value in kept.items()}


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and abs(value) >= 2**63


def _run(data: bytes) -> Any:
    machine = _Machine(text_left=len(data))
    for step, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(data))):
        if step >= MAX_STEPS:
            raise MotionFormatError(f"is a pickle of more than {MAX_STEPS} instructions; expected arrays, not lists")
        if opcode.name == "STOP":
            return _finished(machine.pop())
        follow = _FOLLOW.get(opcode.name)
        if follow is None:
            raise MotionFormatError(f"is a pickle that uses {opcode.name}; expected arrays and plain containers only")
        follow(machine, argument)
    raise MotionFormatError("is a pickle without an end; it is cut off")


def _finished(value: Any) -> Any:
    """`value` with its arrays in place of their holders, two containers deep; the rest is of no use to a reader."""
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and len(value) == 1:
        return _settled(value[0])
    return _settled(value)


def _settled(value: Any) -> Any:
    return value.value if isinstance(value, _Array) else value


def _push(machine: _Machine, value: Any) -> None:
    machine.stack.append(value)


def _constant(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(value)


def _new(kind: Callable[[], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(kind())


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(tuple(machine.pop_many(count)))


def _marked(kind: Callable[[list[Any]], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.stack.append(kind(machine.pop_to_mark()))


def _append(machine: _Machine, _: Any) -> None:
    value = machine.pop()
    machine.top(list).append(value)


def _appends(machine: _Machine, _: Any) -> None:
    values = machine.pop_to_mark()
    machine.top(list).extend(values)


def _set_item(machine: _Machine, _: Any) -> None:
    key, value = machine.pop_many(2)
    machine.top(dict)[_key(key)] = value


def _set_items(machine: _Machine, _: Any) -> None:
    pairs = machine.pop_to_mark()
    machine.top(dict).update(_dict_of(pairs))


def _dict_of(pairs: list[Any]) -> dict[Any, Any]:
    if len(pairs) % 2:
        raise MotionFormatError("is a damaged pickle (a dictionary has a key without a value)")
    return {_key(key): value for key, value in zip(pairs[::2], pairs[1::2], strict=True)}


def _key(key: Any) -> Any:
    # only what hashes at once: nested tuples can be deep enough to overflow the C stack
    if not isinstance(key, (str, bytes, int, float, type(None))):
        raise MotionFormatError(f"is a pickle with a {type(key).__name__} as a key; expected names")
    return key


def _remember(machine: _Machine, place: Any) -> None:
    machine.memo[len(machine.memo) if place is None else place] = machine.top(object)


def _recall(machine: _Machine, place: Any) -> None:
    if place not in machine.memo:
        raise MotionFormatError(f"is a damaged pickle (it recalls the value {str(place)[:20]!r} that it never stored)")
    machine.stack.append(machine.memo[place])


def _global(machine: _Machine, argument: str) -> None:
    machine.stack.append(_name(*argument.split(" ", 1)))


def _stack_global(machine: _Machine, _: Any) -> None:
    module, name = machine.pop_many(2)
    if not isinstance(module, str) or not isinstance(name, str):
        raise MotionFormatError("is a damaged pickle (a name is not text)")
    machine.stack.append(_name(module, name))


def _name(module: str, name: str) -> _Name:
    wanted = f"{module}.{name}"
    if wanted not in _ALLOWED:
        raise MotionFormatError(
            f"is a pickle that asks for {wanted[:80]!r}; refused: expected NumPy arrays and plain containers only"
        )
    return _Name(_ALLOWED[wanted])


def _reduce(machine: _Machine, _: Any) -> None:
    called, arguments = machine.pop_many(2)
    if not isinstance(called, _Name) or not isinstance(arguments, tuple):
        raise MotionFormatError("is a pickle that calls a value; expected arrays and plain containers only")
    machine.stack.append(_made(machine, called.name, arguments))


def _made(machine: _Machine, name: str, arguments: tuple[Any, ...]) -> Any:
    match name, arguments:
        case "multiarray._reconstruct", (_Name("ndarray"), *_):
            return _Array()
        case "multiarray.scalar", (_Type() as kind, (bytes() | str()) as raw):
            return _filled((), kind, False, raw)
        case "numeric._frombuffer", ((bytes() | bytearray()) as raw, _Type() as kind, tuple() as shape, order):
            return _filled(shape, kind, order == "F", raw)
        case "dtype", (str() as code, *_):
            return _Type(_type_code(code))
        case "encode", (str() as text, str() as encoding) if encoding.lower() in ("latin1", "latin-1"):
            machine.text_left -= len(text)
            if machine.text_left < 0:
                raise MotionFormatError("is a pickle that turns the same text into bytes again and again; refused")
            return text.encode("latin-1")
        case "dict", ():
            return {}
    raise MotionFormatError(f"is a pickle that calls {name!r} in an unknown way; expected arrays as NumPy writes them")


def _build(machine: _Machine, _: Any) -> None:
    state = machine.pop()
    target = machine.top(object)
    match target, state:
        case _Type(), (int(), str() as order, *_) if order in ("<", ">", "=", "|"):
            target.big = order == ">"
        case _Array(), (
            int(),
            tuple() as shape,
            _Type() as kind,
            (bool() | int()) as fortran,
            (bytes() | str()) as raw,
        ):
            target.value = _filled(shape, kind, bool(fortran), raw).value
        case _Array(), (int(), tuple(), _Type(), _, list()):
            raise MotionFormatError("is a pickle of an array of Python objects; expected plain numbers")
        case _:
            raise MotionFormatError("is a pickle that sets the state of a value; expected arrays as NumPy writes them")


def _type_code(code: str) -> str:
    kind = np.dtype(code) if len(code) <= 12 and code[:1] in "biufSU?<>|=" else None
    if kind is None or kind.kind not in "biufSU" or kind.subdtype is not None:
        raise MotionFormatError(f"is a pickle of an array of type {code[:20]!r}; expected numbers or text")
    return kind.str.lstrip("<>|=")


def _filled(shape: tuple[Any, ...], kind: _Type, fortran: bool, raw: bytes | bytearray | str) -> _Array:
    if not all(isinstance(size, int) and 0 <= size < 2**40 for size in shape) or len(shape) > 8:
        raise MotionFormatError(f"is a pickle of an array with {len(shape)} axes of odd sizes; expected up to 8")
    dtype = kind.dtype()
    content = raw.encode("latin-1") if isinstance(raw, str) else raw
    if math.prod(shape) * dtype.itemsize != len(content):
        raise MotionFormatError(f"is a pickle of an array {shape} of {dtype} that holds {len(content)} bytes")
    if not content:
        return _Array(np.zeros(shape, dtype=dtype.newbyteorder("=")))
    array = np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    return _Array(checked_text(array.astype(dtype.newbyteorder("="), copy=False), "of text"))


_PLAIN = (
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
)  # fmt: skip
_FOLLOW: dict[str, Callable[[_Machine, Any], object]] = {
    **dict.fromkeys(_PLAIN, _push),
    **dict.fromkeys(("PROTO", "FRAME"), lambda machine, _: None),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _recall),
    "NONE": _constant(None), "NEWTRUE": _constant(True), "NEWFALSE": _constant(False), "MARK": _constant(_MARK),
    "EMPTY_LIST": _new(list), "EMPTY_DICT": _new(dict), "EMPTY_SET": _new(list), "EMPTY_TUPLE": _new(tuple),
    "TUPLE": _marked(tuple), "LIST": _marked(list), "DICT": _marked(_dict_of), "FROZENSET": _marked(list),
    "TUPLE1": _tuple_of(1), "TUPLE2": _tuple_of(2), "TUPLE3": _tuple_of(3),
    "APPEND": _append, "APPENDS": _appends, "ADDITEMS": _appends, "SETITEM": _set_item, "SETITEMS": _set_items,
    "GLOBAL": _global, "STACK_GLOBAL": _stack_global, "REDUCE": _reduce, "BUILD": _build,
    "POP": lambda machine, _: machine.stack.pop() if machine.stack else machine.pop(), "POP_MARK": lambda machine, _: machine.pop_to_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.top(object)),
}  # fmt: skip
