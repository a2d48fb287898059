"""A frozen audio network: an ONNX file over patches of log-mel, and the recipe in a TOML beside it that says how they are made."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from choreodb.errors import EncoderError, MissingExtraError
from choreodb.music import decode
from choreodb.music.features import mel_filterbank

Array = npt.NDArray[np.float32]

MAX_BYTES = 128 << 20
_BATCH = 32
_BLOCK_FRAMES = 2048


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network wants its input, [n, frames, bands] log-mel: log10(gain x mel + floor) of the mel power.

    rate_hz: of the audio. window, hop: samples of the transform and between frames; Hann, centred. bands: mel, Slaney's,
    0 Hz to half the rate. frames: of a patch. output: which of the network's outputs is taken, [n, width]. step_s: between
    the patches of a song.
    """

    rate_hz: int = 16_000
    window: int = 512
    hop: int = 256
    bands: int = 96
    frames: int = 187
    gain: float = 10_000.0
    floor: float = 1.0
    output: int = 0
    width: int = 200
    step_s: float = 1.0

    def __post_init__(self) -> None:
        limits = {"rate_hz": (4000, 96_000), "window": (64, 16_384), "hop": (16, 16_384), "bands": (4, 1024),
                  "frames": (4, 10_000), "gain": (1e-6, 1e12), "floor": (1e-12, 1e6), "output": (0, 64),
                  "width": (1, 8192), "step_s": (0.05, 60.0)}  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
                raise EncoderError(f"recipe: {name} = {value!r}; expected a number from {low:g} to {high:g}")

    @property
    def patch_s(self) -> float:
        """Seconds of a patch."""
        return self.frames * self.hop / self.rate_hz

    @classmethod
    def of(cls, values: Mapping[str, Any], source: str) -> Recipe:
        """The recipe of a table; EncoderError for a key that is none."""
        known = {each.name for each in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise EncoderError(f"{source}: {unknown[0]!r} is no part of a recipe; expected {', '.join(sorted(known))}")
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def read_recipe(path: Path) -> Recipe:
    """The recipe in `x.toml` beside `x.onnx`; EncoderError where it is missing or wrong."""
    beside = path.with_suffix(".toml")
    try:
        return Recipe.of(tomllib.loads(beside.read_text(encoding="utf-8")), str(beside))
    except OSError as error:
        raise EncoderError(
            f"{str(beside)!r}: the mel recipe of {path.name!r} cannot be read: {error.strerror or error}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EncoderError(f"{str(beside)!r} is not TOML: {' '.join(str(error).split())}") from None


def read_network(path: Path) -> bytes:
    """The bytes of an ONNX file; EncoderError where there is none or it is too large."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise EncoderError(f"{str(path)!r} has {size} bytes; expected an ONNX file of at most {MAX_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise EncoderError(f"{str(path)!r} cannot be read: {error.strerror or error}") from None


class AudioNetwork:
    """An ONNX network with its recipe, run on one thread of the processor."""

    def __init__(self, network: bytes, recipe: Recipe, *, source: str) -> None:
        self.recipe = recipe
        self._session = _session(network, source)
        self._input, self._output = _checked(self._session, recipe, source)

    def song(self, path: Path) -> Array:
        """What the network makes of a song's patches [P, width]; patch p is centred on (p + 0.5) x step_s seconds."""
        return self.patches(decode.load(path))

    def patches(self, audio: decode.Audio) -> Array:
        """The same for decoded audio."""
        recipe = self.recipe
        mel = log_mel(_resampled(audio.samples, audio.rate, recipe.rate_hz), recipe)
        count = max(1, int(audio.duration_s / recipe.step_s))
        middle = (np.arange(count) + 0.5) * recipe.step_s * recipe.rate_hz / recipe.hop
        first = np.rint(middle - 0.5 * recipe.frames).astype(np.int64)
        places = np.clip(first[:, None] + np.arange(recipe.frames), 0, len(mel) - 1)
        parts = [self._run(mel[places[at : at + _BATCH]]) for at in range(0, count, _BATCH)]
        return np.concatenate(parts)

    def _run(self, patches: Array) -> Array:
        found = np.asarray(self._session.run([self._output], {self._input: patches})[0], dtype=np.float32)
        if found.shape != (len(patches), self.recipe.width):
            raise EncoderError(
                f"the audio network gives {found.shape} where its recipe says ({len(patches)}, {self.recipe.width})"
            )
        if not np.isfinite(found).all():
            raise EncoderError("the audio network gives numbers that are not finite; its recipe may not be its own")
        return found


def log_mel(samples: Array, recipe: Recipe) -> Array:
    """Log-mel frames [F, bands] of audio at the recipe's rate, centred on multiples of the hop."""
    bank = mel_filterbank(recipe.bands, n_fft=recipe.window, rate=recipe.rate_hz)
    window = np.hanning(recipe.window + 1)[:-1].astype(np.float32)
    padded = np.pad(samples, recipe.window // 2)
    framed = np.lib.stride_tricks.sliding_window_view(padded, recipe.window)[:: recipe.hop]
    out = np.empty((len(framed), recipe.bands), dtype=np.float32)
    for first in range(0, len(framed), _BLOCK_FRAMES):
        spectrum = scipy.fft.rfft(framed[first : first + _BLOCK_FRAMES] * window, axis=1)
        out[first : first + _BLOCK_FRAMES] = (spectrum.real**2 + spectrum.imag**2) @ bank
    return np.asarray(np.log10(recipe.gain * out + recipe.floor), dtype=np.float32)


def _resampled(samples: Array, rate: int, wanted: int) -> Array:
    import soxr

    return samples if rate == wanted else np.asarray(soxr.resample(samples, rate, wanted), dtype=np.float32)


def _session(network: bytes, source: str) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError(
            "ONNX Runtime is not installed; install it with: pip install 'choreodb[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime raises exceptions of its own, which share no base
        raise EncoderError(f"{source} is no ONNX network: {' '.join(str(error).split())[:160]}") from None


def _checked(session: Any, recipe: Recipe, source: str) -> tuple[str, str]:
    """(name of the input, of the output); EncoderError with both shapes where they do not fit the recipe."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    wanted = ("n", recipe.frames, recipe.bands)
    found = tuple(inputs[0].shape) if len(inputs) == 1 else tuple(tuple(each.shape) for each in inputs)
    if len(inputs) != 1 or not _fits(found, wanted) or inputs[0].type != "tensor(float)":
        raise EncoderError(f"{source} takes {_shown(found)}, and its recipe makes {_shown(wanted)}; correct the recipe")
    if recipe.output >= len(outputs):
        raise EncoderError(f"{source} has {len(outputs)} outputs, and its recipe takes number {recipe.output}")
    given, width = tuple(outputs[recipe.output].shape), ("n", recipe.width)
    if not _fits(given, width):
        raise EncoderError(f"{source} gives {_shown(given)}, and its recipe says {_shown(width)}; correct the recipe")
    return str(inputs[0].name), str(outputs[recipe.output].name)


def _fits(found: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    """Whether a shape, whose free sizes are names or None, can be another's."""
    return len(found) == len(wanted) and all(
        not isinstance(have, int) or want == "n" or have == want for have, want in zip(found, wanted, strict=True)
    )


def _shown(shape: tuple[Any, ...]) -> str:
    return "[" + ", ".join("n" if not isinstance(size, int) else str(size) for size in shape) + "]"
