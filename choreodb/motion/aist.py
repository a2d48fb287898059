"""AIST++ dances and those of EDGE: pickles of SMPL poses, `smpl_poses`, `smpl_trans` and `smpl_scaling`."""

from __future__ import annotations

from dataclasses import replace

from choreodb.errors import MotionFormatError
from choreodb.motion import pickles, positions, smpl
from choreodb.motion.files import StrPath
from choreodb.motion.motion import Motion
from choreodb.motion.npz import Array, scalar

AIST_FPS = 60.0
EDGE_FPS = 30.0

_FPS_KEYS = ("fps", "mocap_framerate", "mocap_frame_rate")


def load(path: StrPath, *, fps: float | None = None) -> Motion:
    """The dance in an AIST++ pickle, as it stands there, on our reference skeleton in SMPL's joint order.

    `smpl_poses` [T, 72] (or [T, 24, 3]) rotation vectors; the root is `smpl_trans` [T, 3] divided by `smpl_scaling`,
    metres, y up, 60 fps. Dances that EDGE wrote hold no scaling but `full_pose`: 30 fps and z up. Its cut AIST++
    takes say `q`, `pos` and `scale`. Hand joints are dropped. Nothing in the pickle is run. Raises MotionFormatError.

    Source: Li et al., AI Choreographer (ICCV 2021), and github.com/google/aistplusplus_api, loader.py; Tseng et al.,
    EDGE (CVPR 2023), and github.com/Stanford-TML/EDGE, model/diffusion.py and data/slice.py.
    """
    content = pickles.read(path)
    try:
        return motion_of(pickles.arrays_of(content), fps=fps).validate()
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from None


def points_of(arrays: dict[str, Array], *, fps: float | None = None, layout: str | None = None) -> Motion:
    """The joint positions in the `arrays` of a pickle: `joints`, or `keypoints3d_optim` of AIST++ (COCO's 17, 60 fps)."""
    key = next((key for key in ("joints", *pickles.POINT_KEYS) if key in arrays), "joints")
    stated = scalar(arrays, _FPS_KEYS, "pickle") if fps is None else fps
    ours = {name: array for name, array in arrays.items() if name in ("joint_names", "names", "parents")}
    if key in arrays:
        ours["joints"] = arrays[key]
    motion = positions.motion_of(ours, fps=AIST_FPS if stated is None and key != "joints" else stated, layout=layout)
    if stated is not None:
        return motion
    return replace(
        motion, notes=(*motion.notes, f"frame rate {AIST_FPS:g}: the file does not say, AIST++ has {AIST_FPS:g}")
    )


def motion_of(arrays: dict[str, Array], *, fps: float | None = None) -> Motion:
    """The dance in the `arrays` of an AIST++ or EDGE pickle."""
    cut = "q" in arrays
    poses_key, root_key = ("q", "pos") if cut else ("smpl_poses", "smpl_trans")
    scale_key = "scale" if cut else "smpl_scaling"
    poses = smpl.numbers(arrays, poses_key)
    trans = smpl.numbers(arrays, root_key)
    scaling = scalar(arrays, (scale_key,), "pickle")
    if scaling is not None and not scaling > 1e-6:
        raise MotionFormatError(f"{scale_key!r} is {scaling:g}; expected a positive number")
    stated = scalar(arrays, _FPS_KEYS, "pickle")
    edge = "full_pose" in arrays
    notes = []
    if fps is None and stated is None:
        kind, stated = ("EDGE", EDGE_FPS) if edge else ("AIST++", AIST_FPS)
        notes.append(f"frame rate {stated:g}: the file does not say, {kind} has {stated:g} frames per second")
    if scaling is not None and scaling != 1.0:
        notes.append(f"root divided by {scale_key!r} ({scaling:g}): metres")
    motion = smpl.from_rotvecs(poses, trans / (1.0 if scaling is None else scaling), fps or stated)
    return replace(motion, notes=(*motion.notes, *notes))
