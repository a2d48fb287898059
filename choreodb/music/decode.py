"""Decoding: any audio file to mono float32 at 22 050 Hz, in bounded memory."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from choreodb.errors import MusicFormatError

if TYPE_CHECKING:
    import av

RATE = 22050
MIN_DURATION_S = 0.5
SILENCE_PEAK = 1e-3  # -60 dBFS: below it lie the noise floors of empty recordings, above it every mastered song
MAX_PEAK = 2.0**31
"""Largest sample: float files that hold whole numbers of up to 32 bits still pass, energies cannot overflow."""
_BLOCK_FRAMES = 1 << 18
_MAX_CHANNELS = 8

Samples = npt.NDArray[np.float32]
Taken = TypeVar("Taken")
Take = Callable[[int, Iterator[Samples]], Taken]
"""Called with the file's rate and its blocks [n, channels]; all blocks have as many channels."""


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """A decoded song. samples: [N] float32 mono at `rate` Hz; duration_s: N / rate; sha256: of the file's bytes."""

    samples: Samples
    rate: int
    duration_s: float
    sha256: str
    path: Path


def load(path: str | os.PathLike[str]) -> Audio:
    """Decode an audio file: by soundfile, and by PyAV whatever soundfile refuses and MPEG audio.

    Channels are averaged. The length is what decodes, never what a header claims, so a file cut in the middle gives
    its first part. Nothing but this one file is read: a playlist is not audio. Raises MusicFormatError for a missing,
    empty or non-audio file, for less than 0.5 s, for NaN, infinite or absurd samples, and for silence (no swing
    above -60 dBFS).
    """
    heard = listen(path, _collected)
    samples = heard.made
    samples.flags.writeable = False
    return Audio(samples, RATE, heard.duration_s, heard.sha256, heard.path)


@dataclass(frozen=True, slots=True, eq=False)
class Heard(Generic[Taken]):
    """What was made of a song's samples, which were not kept. duration_s, sha256: see `Audio`."""

    made: Taken
    duration_s: float
    sha256: str
    path: Path


def listen(path: str | os.PathLike[str], make: Callable[[Iterator[Samples]], Taken]) -> Heard[Taken]:
    """What `make` makes of the samples that `load` would give, in blocks [n], mono at `RATE`; raises as `load` does.

    Where a decoder stumbles, `make` is called once more with those of the next one.
    """
    path = Path(path)
    sha256 = _file_sha256(path)
    meter = _Meter(path)

    def take(rate: int, blocks: Iterator[Samples]) -> Taken:
        meter.reset()
        return make(meter.read(_mono_blocks(rate, blocks)))

    made = _decoded(path, take)
    _validate(meter.count, meter.low, meter.high, path)
    return Heard(made, meter.count / RATE, sha256, path)


class _Meter:
    """Number and extremes of samples that go by; what is no sound is refused at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.reset()

    def reset(self) -> None:
        self.count, self.low, self.high = 0, 0.0, 0.0

    def read(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        for block in blocks:
            if len(block):
                self._weigh(float(block.min()), float(block.max()))
                self.count += len(block)
                yield block

    def _weigh(self, low: float, high: float) -> None:
        if not (np.isfinite(low) and np.isfinite(high)):
            raise MusicFormatError(
                f"song '{self._path}' holds NaN or infinite samples; ChoreoDB needs finite audio, export the file again"
            )
        if max(-low, high) > MAX_PEAK:
            raise MusicFormatError(
                f"song '{self._path}' holds samples up to {max(-low, high):.2g}; audio lies within 1, export the file again"
            )
        self.low = min(self.low, low) if self.count else low
        self.high = max(self.high, high) if self.count else high


def save_pcm(path: str | os.PathLike[str], target: Path) -> tuple[int, int]:
    """Write what `load` hears of `path` to `target` as raw little-endian 16-bit samples; returns (rate, channels).

    The file's own rate; its channels, or their average where there are more than eight. Raises MusicFormatError as
    `load` does, OSError where `target` cannot be written.
    """

    def write(rate: int, blocks: Iterator[Samples]) -> tuple[int, int]:
        channels = 1
        with target.open("wb") as file:
            for block in blocks:
                sound = block if block.shape[1] <= _MAX_CHANNELS else _mixed(block)[:, None]
                channels = sound.shape[1]
                file.write((np.clip(sound, -1.0, 1.0) * 32767.0).astype("<i2").tobytes())
        return rate, channels

    return _decoded(Path(path), write)


def _file_sha256(path: Path) -> str:
    try:
        if path.is_dir():
            raise MusicFormatError(f"song '{path}' is a folder; give one audio file (wav, flac, ogg, mp3, ...)")
        if not path.exists():
            raise MusicFormatError(
                f"song '{path}' does not exist; give the path of an audio file (wav, flac, ogg, mp3, ...)"
            )
        if not path.is_file():
            raise MusicFormatError(
                f"song '{path}' is a pipe or a device; give one audio file (wav, flac, ogg, mp3, ...)"
            )
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise MusicFormatError(f"song '{path}' is empty (0 bytes); give an audio file that holds music")
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MusicFormatError(f"song '{path}' cannot be opened ({error.strerror}); make it readable") from error


def _validate(count: int, low: float, high: float, path: Path) -> None:
    """Raise where so many samples between `low` and `high` are no song."""
    if count < MIN_DURATION_S * RATE:
        raise MusicFormatError(
            f"song '{path}' decodes to {count / RATE:.2f} s; ChoreoDB needs at least {MIN_DURATION_S} s of music"
        )
    # half the swing is the peak of music, and leaves out an offset that nobody hears
    peak = (high - low) / 2
    if peak <= SILENCE_PEAK:
        level = f"{20 * np.log10(peak):.0f} dBFS" if peak > 0 else "digital silence"
        raise MusicFormatError(
            f"song '{path}' is silent (peak: {level}); ChoreoDB needs a peak above -60 dBFS, check the recording"
        )


def _mono_blocks(rate: int, blocks: Iterator[Samples]) -> Iterator[Samples]:
    """Blocks at `rate` Hz, averaged over channels and resampled to RATE."""
    if rate == RATE:
        yield from (_mixed(block) for block in blocks)
        return
    stream = soxr.ResampleStream(rate, RATE, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(_mixed(block))
    yield stream.resample_chunk(np.empty(0, dtype=np.float32), last=True)


def _collected(blocks: Iterator[Samples]) -> Samples:
    buffer = bytearray()  # grows in place, so the peak is not twice the song as with a list and a concatenation
    for block in blocks:
        buffer += block.tobytes()
    return np.frombuffer(buffer, dtype=np.float32)


def _mixed(block: Samples) -> Samples:
    if block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0])
    with np.errstate(over="ignore", invalid="ignore"):  # `_validate` says so in words
        if block.shape[1] == 2:  # the same to the last bit, at a third of the time
            return np.asarray((block[:, 0] + block[:, 1]) * np.float32(0.5))
        return block.mean(axis=1, dtype=np.float32)


def _decoded(path: Path, take: Take[Taken]) -> Taken:
    """What `take` makes of the sound of `path`, by the first decoder that reads it."""
    found = None if _is_mpeg(path) else _by_soundfile(path, take)
    return _by_av(path, take) if found is None else found[0]


def _is_mpeg(path: Path) -> bool:
    """Whether the file begins as mp3 or ADTS does.

    libsndfile would leave these to libmpg123, which gives up at the first damaged frame and writes its complaints
    straight to the process's stderr.
    """
    with path.open("rb") as file:
        head = file.read(3)
    return head == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)


def _by_soundfile(path: Path, take: Take[Taken]) -> tuple[Taken] | None:
    """What `take` makes of the blocks by libsndfile; None where it refuses the file or stumbles inside it."""
    # libsndfile is not told the name, because it would believe the suffix
    with path.open("rb") as file:
        try:
            with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
                blocks = _soundfile_blocks(sound)
                first = next(blocks, None)
                # a header may promise no samples where a recorder was not stopped properly
                return None if first is None else (take(sound.samplerate, itertools.chain([first], blocks)),)
        except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError):
            return None


def _soundfile_blocks(file: soundfile.SoundFile) -> Iterator[Samples]:
    # Read until nothing comes: `file.frames` is the header's claim.
    while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
        yield block


def _by_av(path: Path, take: Take[Taken]) -> Taken:
    import av

    with path.open("rb") as file:
        try:
            # an open file and no protocols: names such as `concat:a|b` mean nothing, and playlists reach nothing;
            # tags may be in any encoding, and nobody reads them here
            container = av.open(file, options={"protocol_whitelist": "none"}, metadata_errors="ignore")
        except (av.FFmpegError, ValueError) as error:
            raise MusicFormatError(
                f"song '{path}' is not audio that soundfile or FFmpeg can read; give wav, flac, ogg, mp3 or m4a"
            ) from error
        with container:
            if not container.streams.audio:
                raise MusicFormatError(f"song '{path}' has no audio stream; give a file that holds sound")
            stream = container.streams.audio[0]
            rate = int(stream.codec_context.sample_rate or 0)
            blocks = _av_blocks(container, stream, rate) if rate > 0 else iter(())
            first = next(blocks, None)
            if first is None:
                raise MusicFormatError(
                    f"song '{path}' has an audio stream of which nothing decodes; export the file again"
                )
            return take(rate, itertools.chain([first], blocks))


def _av_blocks(container: object, stream: object, rate: int) -> Iterator[Samples]:
    """Float32 samples [n, channels] in blocks; packets that do not decode are skipped.

    A codec's frames of about 1000 samples are joined in a queue of FFmpeg's own: an array of each would cost more
    than decoding it.
    """
    import av

    queue, tick = av.AudioFifo(), Fraction(1, rate)
    convert: _Planar | None = None
    for frame in _av_frames(container, stream):
        convert = convert or _Planar(frame.layout, rate)
        for planar in convert(frame):
            planar.pts, planar.time_base = None, tick
            queue.write(planar)
        if queue.samples >= _BLOCK_FRAMES:
            yield queue.read().to_ndarray().T
    if convert is not None and queue.samples:
        yield queue.read().to_ndarray().T


def _av_frames(container: object, stream: object) -> Iterator[av.AudioFrame]:
    import av

    packets = container.demux(stream)  # type: ignore[attr-defined]
    while True:
        try:
            yield from next(packets).decode()
        except StopIteration:
            return
        except av.error.InvalidDataError:
            continue
        except av.FFmpegError:
            return  # a file cut short: what has been decoded stands


class _Planar:
    """Frames as float32 planes of one layout at one rate, which is what most codecs give."""

    def __init__(self, layout: av.AudioLayout, rate: int) -> None:
        self._layout, self._rate = layout, rate
        self._resampler: av.AudioResampler | None = None
        self._signature: tuple[str, str, int] | None = None

    def __call__(self, frame: av.AudioFrame) -> Sequence[av.AudioFrame]:
        seen = (frame.format.name, frame.layout.name, frame.sample_rate)
        if seen == ("fltp", self._layout.name, self._rate):
            return (frame,)
        if seen != self._signature:
            import av

            self._resampler, self._signature = av.AudioResampler("fltp", self._layout, self._rate), seen
        assert self._resampler is not None
        return self._resampler.resample(frame)
