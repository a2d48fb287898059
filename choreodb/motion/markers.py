"""Joint centres from optical markers on the skin: the Plug-in Gait marker set."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from choreodb.motion.ik import SIDES
from choreodb.motion.rotations import FloatArray

PLUG_IN_GAIT = (
    "LASI", "RASI", "LKNE", "RKNE", "LANK", "RANK", "LTOE", "RTOE", "LHEE", "RHEE", "LSHO", "RSHO", "LELB", "RELB",
    "LWRA", "RWRA", "LWRB", "RWRB", "C7", "CLAV", "LFHD", "RFHD", "LBHD", "RBHD",
)  # fmt: skip
"""Markers without which joint centres are not told; and LPSI and RPSI, or SACR. The rest of HELPFUL is used if there.

Source: Vicon, Plug-in Gait Reference Guide (full body marker set).
"""

HELPFUL = ("LPSI", "RPSI", "SACR", "T10", "STRN", "LFIN", "RFIN")

# Half widths of an adult's joints under the markers, in metres; Plug-in Gait asks for them as measurements.
_KNEE_M, _ANKLE_M, _ELBOW_M, _SHOULDER_M = 0.058, 0.043, 0.045, 0.050
# Where the head's joint is on the way from the neck to the middle of the head's markers.
_HEAD_SHARE = 0.45


def complete(names: Collection[str]) -> bool:
    """Whether joint centres can be told from markers of these `names`."""
    return set(PLUG_IN_GAIT) <= set(names) and ("SACR" in names or {"LPSI", "RPSI"} <= set(names))


def joint_centres(markers: Mapping[str, FloatArray], metres: float) -> dict[str, FloatArray]:
    """Canonical joints [T, 3], and heels and hands, from Plug-in Gait `markers` [T, 3]; all in the file's unit.

    metres: per unit. Hips by the regression of Harrington et al. (J. Biomechanics 40, 2007, table 3), from the width and
    depth of the pelvis; knees, ankles, elbows and shoulders by standard half widths from their markers.
    """
    out = _pelvis(markers, metres)
    lateral = _unit(out["left_hip"] - out["right_hip"])
    neck = 0.5 * (markers["C7"] + markers["CLAV"])
    upward = _unit(neck - out["pelvis"])
    head = 0.25 * sum((markers[name] for name in ("LFHD", "RFHD", "LBHD", "RBHD")), np.zeros(3))
    if "T10" in markers and "STRN" in markers:
        out["spine2"] = 0.5 * (markers["T10"] + markers["STRN"])
    out |= {"neck": neck, "head": neck + _HEAD_SHARE * (head - neck)}
    for side in SIDES:
        out |= _leg(markers, out[f"{side}_hip"], lateral, side, metres)
        out |= _arm(markers, upward, side, metres)
    return out


def _pelvis(markers: Mapping[str, FloatArray], metres: float) -> dict[str, FloatArray]:
    front = 0.5 * (markers["LASI"] + markers["RASI"])
    both = "LPSI" in markers and "RPSI" in markers
    back: FloatArray = 0.5 * (markers["LPSI"] + markers["RPSI"]) if both else markers["SACR"]
    across = markers["RASI"] - markers["LASI"]
    right = _unit(across)
    ahead: FloatArray = front - back
    ahead = _unit(ahead - np.sum(ahead * right, axis=-1, keepdims=True) * right)
    upward = np.cross(right, ahead)
    width = np.median(np.linalg.norm(across, axis=-1))
    depth = np.median(np.linalg.norm(front - back, axis=-1))
    out: dict[str, FloatArray] = {"pelvis": 0.5 * (front + back)}
    for side, sign in (("left", -1.0), ("right", 1.0)):
        out[f"{side}_hip"] = (
            front
            + (-0.24 * depth - 0.0099 / metres) * ahead
            + (-0.30 * width - 0.0109 / metres) * upward
            + sign * (0.33 * width + 0.0073 / metres) * right
        )
    return out


def _leg(
    markers: Mapping[str, FloatArray], hip: FloatArray, lateral: FloatArray, side: str, metres: float
) -> dict[str, FloatArray]:
    mark, sign = side[0].upper(), 1.0 if side == "left" else -1.0
    knee, ankle, toe, heel = (markers[mark + name] for name in ("KNE", "ANK", "TOE", "HEE"))
    shin = _unit(knee - ankle)
    # knees and ankles turn about an axis across the foot, as far as the pelvis does not say otherwise
    foot = _unit(np.cross(shin, _unit(toe - heel)))
    inward = -sign * _unit(foot + 0.5 * lateral)
    return {
        f"{side}_knee": knee + _KNEE_M / metres * _unit(_reject(inward, _unit(knee - hip))),
        f"{side}_ankle": ankle + _ANKLE_M / metres * _unit(_reject(inward, shin)),
        f"{side}_foot": toe,
        f"{side}_heel": heel,
    }


def _arm(markers: Mapping[str, FloatArray], upward: FloatArray, side: str, metres: float) -> dict[str, FloatArray]:
    mark, sign = side[0].upper(), 1.0 if side == "left" else -1.0
    shoulder = markers[f"{mark}SHO"] - _SHOULDER_M / metres * upward
    wrist = 0.5 * (markers[f"{mark}WRA"] + markers[f"{mark}WRB"])
    elbow = markers[f"{mark}ELB"]
    # the elbow's axis is told by its bend; a straight arm keeps its marker
    inward = sign * np.cross(_unit(elbow - shoulder), _unit(wrist - elbow))
    bent = np.linalg.norm(inward, axis=-1, keepdims=True)
    out = {
        f"{side}_shoulder": shoulder,
        f"{side}_elbow": elbow + _ELBOW_M / metres * inward / (bent + 0.2),
        f"{side}_wrist": wrist,
    }
    return out | ({f"{side}_hand": markers[f"{mark}FIN"]} if f"{mark}FIN" in markers else {})


def _reject(vectors: FloatArray, axis: FloatArray) -> FloatArray:
    return vectors - np.sum(vectors * axis, axis=-1, keepdims=True) * axis


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))
