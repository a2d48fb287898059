"""Joint positions without names: in which order trackers and body models list the joints of a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from choreodb.errors import MotionFormatError
from choreodb.motion.rotations import FloatArray
from choreodb.motion.skeleton import CHOREO22, CHOREO52

_WORDS = {"l": "left", "r": "right"}
_UNEVEN = 0.2
"""A bone whose length varies by more, in shares of its median, or from that of the other side, is no bone."""
_PLAUSIBLE = {"leg": (0.6, 1.8), "arm": (0.55, 2.0), "leg to arm": (0.85, 2.6)}


@dataclass(frozen=True, slots=True)
class PointLayout:
    """The joints of a frame in order, by canonical names where they have one. source: who lists them so.

    between: joints that are added, each in the middle of others.
    """

    names: tuple[str, ...]
    source: str
    between: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"{len(self.names)} joints of {self.source}"


def _layout(source: str, names: str, **between: str) -> PointLayout:
    """A layout from short names: `l_hip` is `left_hip`."""
    full = tuple(_full(name) for name in names.split())
    return PointLayout(full, source, {name: tuple(_full(part) for part in of.split()) for name, of in between.items()})


def _full(name: str) -> str:
    side, _, rest = name.partition("_")
    return f"{_WORDS[side]}_{rest}" if side in _WORDS else name


_MIDDLES = {"pelvis": "l_hip r_hip", "neck": "l_shoulder r_shoulder"}
_SMPL = "SMPL, without hands (HumanML3D and others)"

POINT_LAYOUTS: Mapping[str, PointLayout] = {
    "smpl22": PointLayout(CHOREO22.names, _SMPL, {}),
    "smpl24": PointLayout((*CHOREO22.names, "left_hand", "right_hand"), "SMPL", {}),
    "smplh52": PointLayout(CHOREO52.names, "SMPL-H", {}),
    "smplx55": PointLayout((*CHOREO22.names, "jaw", "left_eye", "right_eye", *CHOREO52.names[22:]), "SMPL-X", {}),
    "coco17": _layout(
        "COCO (AIST++ keypoints)",
        "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip l_knee r_knee "
        "l_ankle r_ankle", **_MIDDLES, head="l_ear r_ear",
    ),
    "h36m17": _layout(
        "Human3.6M",
        "pelvis r_hip r_knee r_ankle l_hip l_knee l_ankle spine2 neck nose head l_shoulder l_elbow l_wrist r_shoulder "
        "r_elbow r_wrist",
    ),
    "body25": _layout(
        "OpenPose BODY_25",
        "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist pelvis r_hip r_knee r_ankle l_hip l_knee l_ankle "
        "r_eye l_eye r_ear l_ear l_foot l_smalltoe l_heel r_foot r_smalltoe r_heel", head="l_ear r_ear",
    ),
    "kinect25": _layout(
        "Kinect 2 (NTU RGB+D)",
        "pelvis spine2 neck head l_shoulder l_elbow l_wrist l_hand r_shoulder r_elbow r_wrist r_hand l_hip l_knee l_ankle "
        "l_foot r_hip r_knee r_ankle r_foot spine3 l_handtip l_thumb r_handtip r_thumb",
    ),
    "mediapipe33": _layout(
        "MediaPipe Pose",
        "nose l_eyeinner l_eye l_eyeouter r_eyeinner r_eye r_eyeouter l_ear r_ear l_mouth r_mouth l_shoulder r_shoulder "
        "l_elbow r_elbow l_wrist r_wrist l_pinky r_pinky l_index r_index l_thumb r_thumb l_hip r_hip l_knee r_knee l_ankle "
        "r_ankle l_heel r_heel l_foot r_foot", **_MIDDLES, head="l_ear r_ear",
    ),
}  # fmt: skip
"""Layouts by name.

Sources: Loper et al., SMPL (2015), Romero et al., SMPL-H (2017), Pavlakos et al., SMPL-X (CVPR 2019); Lin et al., COCO (ECCV
2014) and github.com/google/aistplusplus_api; Ionescu et al., Human3.6M (PAMI 2014), as 3-D pose networks list it;
github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md; Shahroudy et al., NTU RGB+D (CVPR 2016);
developers.google.com/mediapipe, pose landmarks.
"""


def named(joints: FloatArray, layout: str | None) -> tuple[FloatArray, tuple[str, ...], str] | None:
    """(joints [T, J + added, 3], their names, a note) of nameless `joints` [T, J, 3].

    layout: a name of POINT_LAYOUTS; by default the only one of J joints that makes a body of them: bones that keep
    their length, alike on both sides, in a body's proportions. None where that is none, or more than one.
    """
    count = joints.shape[1]
    if layout is None:
        fitting = [
            name for name, known in POINT_LAYOUTS.items() if len(known.names) == count and _is_body(joints, known)
        ]
        if len(fitting) != 1:
            return None
        known, how = (
            POINT_LAYOUTS[fitting[0]],
            f"{fitting[0]}, inferred: the only one of {count} joints that makes a body",
        )
    else:
        known, how = POINT_LAYOUTS[layout], f"{layout}, as given"
    if len(known.names) != count:
        raise MotionFormatError(f"holds {count} joints; layout {layout!r} has {len(known.names)} ({known.source})")
    at = {name: joints[:, place] for place, name in enumerate(known.names)}
    added = [np.mean([at[part] for part in parts], axis=0) for parts in known.between.values()]
    whole = np.concatenate([joints, np.stack(added, axis=1)], axis=1) if added else joints
    return whole, (*known.names, *known.between), f"layout {how} ({known})"


def listed(count: int | None = None) -> str:
    """The known layouts, those of `count` joints where it is given, for messages."""
    return ", ".join(
        f"{name} ({known.source})" for name, known in POINT_LAYOUTS.items() if count in (None, len(known.names))
    )


def _is_body(joints: FloatArray, layout: PointLayout) -> bool:
    """Whether the limbs of `joints` in this order are those of a body."""
    at = {name: joints[:, place].astype(np.float64) for place, name in enumerate(layout.names)}
    lengths: dict[str, float] = {}
    for part in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
        sides = [
            np.linalg.norm(at[f"{side}_{part[1]}"] - at[f"{side}_{part[0]}"], axis=-1) for side in ("left", "right")
        ]
        medians = [float(np.median(each)) for each in sides]
        spreads = [float(np.median(np.abs(each - middle))) for each, middle in zip(sides, medians, strict=True)]
        lengths[part[0]] = middle = 0.5 * sum(medians)
        if not middle > 0.0 or max(spreads) > _UNEVEN * middle or abs(medians[0] - medians[1]) > _UNEVEN * middle:
            return False
    leg, arm = lengths["hip"] + lengths["knee"], lengths["shoulder"] + lengths["elbow"]
    shares = {
        "leg": lengths["hip"] / lengths["knee"],
        "arm": lengths["shoulder"] / lengths["elbow"],
        "leg to arm": leg / arm,
    }
    if any(not low < shares[name] < high for name, (low, high) in _PLAUSIBLE.items()):
        return False
    return _hangs_together(at, leg)


def _hangs_together(at: Mapping[str, FloatArray], leg: float) -> bool:
    """Whether hips and shoulders are as far apart as a body's, and the trunk as long."""
    hips, shoulders = (_apart(at[f"left_{joint}"], at[f"right_{joint}"]) / leg for joint in ("hip", "shoulder"))
    middles = [0.5 * (at[f"left_{joint}"] + at[f"right_{joint}"]) for joint in ("hip", "shoulder", "ankle")]
    trunk = _apart(middles[0], middles[1]) / leg
    top = at.get("head", at.get("nose"))
    above = top is None or _apart(top, middles[2]) > _apart(middles[1], middles[2])
    return bool(0.05 < hips < 0.6 and 0.1 < shoulders < 0.9 and 0.3 < trunk < 1.2 and above)


def _apart(first: FloatArray, second: FloatArray) -> float:
    return float(np.median(np.linalg.norm(first - second, axis=-1)))


def of_names(names: Sequence[str]) -> bool:
    """Whether `names` are those that nameless joints get."""
    return all(name == nameless(place) for place, name in enumerate(names))


def nameless(place: int) -> str:
    """The name of the joint at `place` where the file has none."""
    return f"joint_{place:02d}"
