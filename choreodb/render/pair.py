"""Two motions side by side under one camera, so that what differs between them is seen, as mp4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from choreodb.errors import ChoreoError
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.motion import Motion
from choreodb.render.camera import facing_camera, following
from choreodb.render.dancer import Body, empty_stage
from choreodb.render.raster import to_bytes
from choreodb.render.video import INK, SEAM, VideoOptions, encode

_SLOWER = 2
"""Joins last a few tenths of a second: at half speed they can be seen."""


def save_pair(
    motions: tuple[Motion, Motion],
    path: Path,
    *,
    titles: tuple[str, str],
    contacts: npt.NDArray[np.uint8] | None = None,
    seam_frame: int = -1,
    options: VideoOptions | None = None,
) -> None:
    """Two canonical motions of the same length at half speed, left and right, as mp4 at `path`.

    contacts: [T, 4] of both, drawn as marks under the feet. seam_frame: what is marked by a red line below. Errors:
    ChoreoError where the two are not of the same length and rate, or ffmpeg fails.
    """
    options = options or VideoOptions()
    left, right = motions
    if len(left) != len(right) or left.fps != right.fps:
        raise ChoreoError(f"cannot show {left!r} beside {right!r}; both need as many frames at the same rate")
    frames = _frames(motions, titles, contacts, seam_frame, options)
    encode(frames, path, _SLOWER * left.duration_s, options)


def _frames(
    motions: tuple[Motion, Motion],
    titles: tuple[str, str],
    contacts: npt.NDArray[np.uint8] | None,
    seam_frame: int,
    options: VideoOptions,
) -> Iterator[npt.NDArray[np.uint8]]:
    fps = motions[0].fps
    count = max(int(np.ceil(_SLOWER * motions[0].duration_s * options.fps)), 1)
    source = np.minimum((np.arange(count) * fps / (_SLOWER * options.fps)).round().astype(int), len(motions[0]) - 1)
    poses = [joint_positions(motion).astype(np.float64) for motion in motions]
    targets = following(poses[1][source, 0], options.fps)
    size = (options.size[0] // 2, options.size[1])
    bodies = [Body(motion.skeleton) for motion in motions]
    label = _labels(titles, options)
    for frame in range(count):
        at = int(source[frame])
        camera = facing_camera(targets[frame], size, distance_m=4.0)
        halves = []
        for body, pose in zip(bodies, poses, strict=True):
            image = empty_stage(camera)
            body.draw(image, camera, pose[at], None if contacts is None else contacts[at])
            halves.append(to_bytes(image))
        pixels = np.concatenate(halves, axis=1)
        pixels[:, size[0] - 1 : size[0] + 1] = INK
        pixels[: len(label)] = np.minimum(pixels[: len(label)], label)
        _time_line(pixels, at / max(len(motions[0]) - 1, 1), seam_frame / max(len(motions[0]) - 1, 1))
        if abs(at - seam_frame) < 0.05 * fps:
            pixels[-20:-14] = SEAM
        yield pixels


def _time_line(pixels: npt.NDArray[np.uint8], played: float, seam: float) -> None:
    pixels[-14:] = 225
    for share, colour in ((seam, SEAM), (played, INK)):
        x = int(share * (pixels.shape[1] - 3))
        if x >= 0:
            pixels[-14:, x : x + 3] = colour


def _labels(titles: tuple[str, str], options: VideoOptions) -> npt.NDArray[np.uint8]:
    image = PillowImage.new("RGB", (options.size[0], 26), (255, 255, 255))
    for number, title in enumerate(titles):
        place = (10 + number * options.size[0] // 2, 6)
        ImageDraw.Draw(image).text(place, title, fill=INK, font=ImageFont.load_default(14))
    return np.asarray(image)
