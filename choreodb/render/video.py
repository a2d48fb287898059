"""Video of a dance: the capsule dancer, a time line with bars and seams, and the song, as mp4."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from choreodb.errors import ChoreoError
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.motion import Motion
from choreodb.music.decode import save_pcm
from choreodb.render.camera import facing_camera, following
from choreodb.render.dancer import Body, empty_stage
from choreodb.render.portrait import portrait
from choreodb.render.raster import to_bytes

INK = (52, 56, 64)
SEAM = (214, 64, 52)


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """size: (width, height) in pixels, both even. fps: frames per second. crf: x264 quality, lower is better."""

    size: tuple[int, int] = (960, 540)
    fps: int = 30
    crf: int = 21


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written from `start_s` on, until the next caption."""

    start_s: float
    text: str


def save_video(
    motion: Motion,
    path: Path,
    *,
    song: Path | None = None,
    contacts: npt.NDArray[np.uint8] | None = None,
    captions: Sequence[Caption] = (),
    bars_s: Sequence[float] = (),
    seams_s: Sequence[float] = (),
    options: VideoOptions | None = None,
) -> None:
    """Render a canonical `motion` to an H.264 mp4 at `path`, with the sound of `song` where given.

    Errors: ChoreoError with ffmpeg's last line where it fails; nothing is left at `path` then.
    """
    options = options or VideoOptions()
    encode(_frames(motion, contacts, captions, bars_s, seams_s, options), path, motion.duration_s, options, song=song)


def encode(
    frames: Iterator[npt.NDArray[np.uint8]],
    path: Path,
    duration_s: float,
    options: VideoOptions,
    *,
    song: Path | None = None,
) -> None:
    """Pictures [H, W, 3] of `options.size` as an H.264 mp4 at `path`. Errors: as `save_video`."""
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory(prefix=".choreodb-", dir=path.parent) as folder:
        # ffmpeg gets the samples that the dance was made for: its own reading of a damaged song may differ
        sound = None if song is None else _Sound(Path(folder, "song.pcm"), *save_pcm(song, Path(folder, "song.pcm")))
        picture = Path(folder, "dance.mp4")
        command = _command(imageio_ffmpeg.get_ffmpeg_exe(), picture, sound, duration_s, options)
        status, message = _encoded(command, frames)
        if status != 0:
            reason = message.splitlines()[-1] if message else f"exit status {status}"
            raise ChoreoError(f"video {str(path)!r} could not be encoded: {reason}; try another output folder")
        picture.replace(path)


@dataclass(frozen=True, slots=True)
class _Sound:
    """Raw 16-bit samples. rate: Hz."""

    path: Path
    rate: int
    channels: int


def _encoded(command: Sequence[str], frames: Iterator[npt.NDArray[np.uint8]]) -> tuple[int, str]:
    """Feed `frames` to ffmpeg; its exit status and what it said."""
    # a file, because nobody would empty a pipe while frames are written
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as encoder:
            try:
                for frame in frames:
                    encoder.stdin.write(frame.tobytes())  # type: ignore[union-attr]
                encoder.stdin.close()  # type: ignore[union-attr]
            except BrokenPipeError:
                pass
            except BaseException:
                encoder.kill()
                raise
            status = encoder.wait()
        said.seek(0)
        return status, said.read().decode(errors="replace").strip()


def _command(ffmpeg: str, path: Path, sound: _Sound | None, duration_s: float, options: VideoOptions) -> list[str]:
    width, height = options.size
    command = [ffmpeg, "-y", "-nostdin", "-loglevel", "error"]
    command += [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{width}x{height}",
        "-r",
        str(options.fps),
        "-i",
        "pipe:0",
    ]
    if sound is not None:
        command += ["-f", "s16le", "-ar", str(sound.rate), "-ac", str(sound.channels), "-i", f"file:{sound.path}"]
        command += ["-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "160k"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", str(options.crf), "-pix_fmt", "yuv420p"]
    command += ["-t", f"{duration_s:.3f}", "-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
    return [*command, "-f", "mp4", f"file:{path}"]


def _frames(
    motion: Motion,
    contacts: npt.NDArray[np.uint8] | None,
    captions: Sequence[Caption],
    bars_s: Sequence[float],
    seams_s: Sequence[float],
    options: VideoOptions,
) -> Iterator[npt.NDArray[np.uint8]]:
    body = Body(motion.skeleton)
    count = max(int(np.ceil(motion.duration_s * options.fps)), 1)
    source = np.minimum((np.arange(count) * motion.fps / options.fps).round().astype(int), len(motion) - 1)
    poses = joint_positions(motion)[source].astype(np.float64)
    targets = following(poses[:, 0], options.fps)
    strip = _timeline(motion.duration_s, bars_s, seams_s, options)
    starts = np.array([caption.start_s for caption in captions])
    labels = {-1: _label("", options)}
    faces = None if motion.face is None else motion.face[source]
    for frame in range(count):
        time_s = frame / options.fps
        camera = facing_camera(targets[frame], options.size, distance_m=5.2)
        image = empty_stage(camera)
        body.draw(image, camera, poses[frame], None if contacts is None else contacts[source[frame]])
        pixels = to_bytes(image)
        number = int(np.searchsorted(starts, time_s + 1e-9, side="right")) - 1
        if number not in labels:
            labels[number] = _label(captions[number].text, options)
        if faces is not None:
            _inset(pixels, portrait(dict(zip(motion.face_names, faces[frame].tolist(), strict=True))))
        _overlay(pixels, labels[number], strip, time_s / motion.duration_s, np.asarray(seams_s) - time_s)
        yield pixels


def _inset(pixels: npt.NDArray[np.uint8], picture: npt.NDArray[np.uint8]) -> None:
    """Put `picture` into the upper right corner, below the caption, where there is room."""
    high, wide = picture.shape[:2]
    if pixels.shape[0] > 2 * high and pixels.shape[1] > 3 * wide:
        pixels[34 : 34 + high, -8 - wide : -8] = picture


def _overlay(
    pixels: npt.NDArray[np.uint8],
    label: npt.NDArray[np.uint8],
    strip: npt.NDArray[np.uint8],
    played: float,
    to_seams_s: npt.NDArray[np.float64],
) -> None:
    pixels[: len(label)] = np.minimum(pixels[: len(label)], label)
    pixels[-len(strip) :] = strip
    x = min(int(played * pixels.shape[1]), pixels.shape[1] - 3)
    pixels[-len(strip) :, x : x + 3] = INK
    if len(to_seams_s) and np.min(np.abs(to_seams_s)) < 0.1:
        pixels[-len(strip) - 6 : -len(strip)] = SEAM


def _label(text: str, options: VideoOptions) -> npt.NDArray[np.uint8]:
    image = PillowImage.new("RGB", (options.size[0], 26), (255, 255, 255))
    ImageDraw.Draw(image).text((10, 6), text, fill=INK, font=ImageFont.load_default(14))
    return np.asarray(image)


def _timeline(
    duration_s: float, bars_s: Sequence[float], seams_s: Sequence[float], options: VideoOptions
) -> npt.NDArray[np.uint8]:
    strip = np.full((14, options.size[0], 3), 225, dtype=np.uint8)
    for times, colour, top in ((bars_s, (160, 164, 172), 8), (seams_s, SEAM, 2)):
        for time_s in times:
            x = min(max(int(time_s / duration_s * options.size[0]), 0), options.size[0] - 1)
            strip[top:, x] = colour
    return strip
