"""Names of bones as the exporters people use write them: every joint is found, each on its own side."""

from __future__ import annotations

import re

import pytest

from choreodb.motion.jointmaps import REQUIRED, map_names

FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


def sided(left: str, right: str, *names: str) -> list[str]:
    """`names` for both sides, with the word for the side at @."""
    return [name.replace("@", side) for side in (left, right) for name in names]


MIXAMO = [
    "Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End",
    *sided("Left", "Right", "@Shoulder", "@Arm", "@ForeArm", "@Hand", *[f"@Hand{f}{n}" for f in FINGERS for n in (1, 2, 3, 4)],
           "@UpLeg", "@Leg", "@Foot", "@ToeBase", "@Toe_End"),
]  # fmt: skip
MOTIVE = [
    "Hip", "Ab", "Chest", "Neck", "Head",
    *sided("L", "R", "@Shoulder", "@UArm", "@FArm", "@Hand", "@Thigh", "@Shin", "@Foot", "@Toe", "@Thumb1", "@Thumb2", "@Thumb3"),
]  # fmt: skip
# names, (word for left, for right), finger joints, and the canonical joints that there are none of
EXPORTERS: dict[str, tuple[list[str], tuple[str, str], int, tuple[str, ...]]] = {
    "mixamo": (MIXAMO, ("Left", "Right"), 30, ()),
    "mixamo in three.js": (["mixamorig" + name for name in MIXAMO], ("Left", "Right"), 30, ()),
    "mixamo, the seventh": (["mixamorig7:" + name for name in MIXAMO], ("Left", "Right"), 30, ()),
    "mixamo by sketchfab": (
        [f"mixamorig:{name}_{n:02d}" for n, name in enumerate(MIXAMO)], ("Left", "Right"), 30, ()),
    "motionbuilder, characterised": (["Character1_" + name for name in MIXAMO], ("Left", "Right"), 30, ()),
    "motionbuilder, nested namespaces": (["Take:Ann_01:" + name for name in MIXAMO], ("Left", "Right"), 30, ()),
    "vicon": (["Solving:" + name for name in MIXAMO], ("Left", "Right"), 30, ()),
    "noitom": (["Robot_" + name for name in (
        "Hips", "Spine", "Spine1", "Spine2", "Spine3", "Neck", "Neck1", "Head",
        *sided("Left", "Right", "@UpLeg", "@Leg", "@Foot", "@Shoulder", "@Arm", "@ForeArm", "@Hand", "@HandThumb1",
               "@HandThumb2", "@HandThumb3", "@InHandIndex", "@HandIndex1", "@HandIndex2", "@HandIndex3"))],
        ("Left", "Right"), 12, ("left_foot", "right_foot")),
    "rokoko": (["Root", "Hips", "Spine1", "Spine2", "Spine3", "Spine4", "Neck", "Head", *sided(
        "Left", "Right", "@Shoulder", "@Arm", "@ForeArm", "@Hand",
        *[f"@Finger1{part}" for part in ("Metacarpal", "Proximal", "Distal", "Tip")],
        *[f"@Finger{n}{part}" for n in (2, 3, 4, 5) for part in ("Metacarpal", "Proximal", "Medial", "Distal", "Tip")],
        "@Thigh", "@Shin", "@Foot", "@Toe", "@ToeTip")], ("Left", "Right"), 30, ()),
    "xsens bvh": (["Hips", "Chest", "Chest2", "Chest3", "Chest4", "Neck", "Head", *sided(
        "Left", "Right", "@Collar", "@Shoulder", "@Elbow", "@Wrist", "@Hip", "@Knee", "@Ankle", "@Toe")],
        ("Left", "Right"), 0, ()),
    "xsens fbx": (["Pelvis", "L5", "L3", "T12", "T8", "Neck", "Head", *sided(
        "Left", "Right", "@Shoulder", "@UpperArm", "@ForeArm", "@Hand", "@UpperLeg", "@LowerLeg", "@Foot", "@Toe")],
        ("Left", "Right"), 0, ()),
    "motive": (MOTIVE, ("L", "R"), 6, ("spine2",)),
    "motive, named": (["Ann_" + name for name in MOTIVE], ("Ann_L", "Ann_R"), 6, ("spine2",)),
    "motive, namespace": (["Skeleton 001:" + name for name in MOTIVE], (":L", ":R"), 6, ("spine2",)),
    "deepmotion": (["hips_JNT", "spine_JNT", "spine1_JNT", "spine2_JNT", "neck_JNT", "head_JNT", *sided(
        "l", "r", "@_shoulder_JNT", "@_arm_JNT", "@_forearm_JNT", "@_hand_JNT", "@_handThumb1_JNT", "@_handThumb2_JNT",
        "@_upleg_JNT", "@_leg_JNT", "@_foot_JNT", "@_toebase_JNT")], ("l_", "r_"), 4, ()),
    "poser": (["hip", "abdomen", "chest", "neck", "head", *sided(
        "l", "r", "@Collar", "@Shldr", "@ForeArm", "@Hand", "@Thigh", "@Shin", "@Foot")],
        ("l", "r"), 0, ("spine2", "left_foot", "right_foot")),
    "daz genesis 8": (["hip", "pelvis", "abdomenLower", "abdomenUpper", "chestLower", "chestUpper", "neckLower", "neckUpper",
        "head", *sided("l", "r", "@ThighBend", "@ThighTwist", "@Shin", "@Foot", "@Metatarsals", "@Toe", "@Collar", "@ShldrBend",
        "@ShldrTwist", "@ForearmBend", "@ForearmTwist", "@Hand", "@Thumb1", "@Carpal1", "@Index1", "@Index2", "@Index3",
        "@Mid1", "@Ring1", "@Pinky1")], ("l", "r"), 14, ()),
    "daz genesis 9": (["hip", "pelvis", "spine1", "spine2", "spine3", "spine4", "neck1", "neck2", "head", *sided(
        "l", "r", "@_thigh", "@_shin", "@_foot", "@_toes", "@_shoulder", "@_upperarm", "@_forearm", "@_hand", "@_thumb1",
        "@_index1", "@_mid1")], ("l_", "r_"), 6, ()),
    "unreal 5": (["root", "pelvis", *[f"spine_0{n}" for n in range(1, 6)], "neck_01", "neck_02", "head", *sided(
        "l", "r", "clavicle_@", "upperarm_@", "upperarm_twist_01_@", "lowerarm_@", "lowerarm_twist_01_@", "hand_@",
        "thumb_01_@", "thumb_02_@", "thumb_03_@", "index_metacarpal_@", "index_01_@", "index_02_@", "index_03_@", "thigh_@",
        "thigh_twist_01_@", "calf_@", "calf_twist_01_@", "foot_@", "ball_@", "ik_foot_@", "ik_hand_@")],
        ("_l", "_r"), 12, ()),
    "rigify": ([*[f"DEF-spine{n}" for n in ("", ".001", ".002", ".003", ".004", ".005", ".006")], *sided(
        "L", "R", "DEF-shoulder.@", "DEF-upper_arm.@", "DEF-upper_arm.@.001", "DEF-forearm.@", "DEF-forearm.@.001",
        "DEF-hand.@", "DEF-thumb.01.@", "DEF-thumb.02.@", "DEF-thumb.03.@", "DEF-f_index.01.@", "DEF-f_index.02.@",
        "DEF-f_index.03.@", "DEF-thigh.@", "DEF-thigh.@.001", "DEF-shin.@", "DEF-shin.@.001", "DEF-foot.@", "DEF-toe.@")],
        (".L", ".R"), 12, ()),
    "makehuman": (["root", "spine05", "spine04", "spine03", "spine02", "spine01", "neck01", "neck02", "neck03", "head", *sided(
        "L", "R", "clavicle.@", "shoulder01.@", "upperarm01.@", "upperarm02.@", "lowerarm01.@", "lowerarm02.@", "wrist.@",
        "finger1-1.@", "finger2-1.@", "finger2-2.@", "finger2-3.@", "pelvis.@", "upperleg01.@", "upperleg02.@",
        "lowerleg01.@", "lowerleg02.@", "foot.@", "toe1-1.@")], (".L", ".R"), 8, ()),
    "cascadeur": (["pelvis", "stomach", "chest", "neck", "head", *sided(
        "l", "r", "clavicle_@", "arm_@", "forearm_@", "hand_@", "thigh_@", "calf_@", "foot_@", "toe_@")],
        ("_l", "_r"), 0, ("spine2",)),
    "smpl fbx": (["m_avg_root", "m_avg_Pelvis", "m_avg_Spine1", "m_avg_Spine2", "m_avg_Spine3", "m_avg_Neck", "m_avg_Head",
        *sided("L", "R", *[f"m_avg_@_{name}" for name in (
            "Hip", "Knee", "Ankle", "Foot", "Collar", "Shoulder", "Elbow", "Wrist", "Hand")])], ("_L_", "_R_"), 0, ()),
    "vroid": (["Root", *[f"J_Bip_C_{name}" for name in ("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head")], *sided(
        "L", "R", *[f"J_Bip_@_{name}" for name in (
            "UpperLeg", "LowerLeg", "Foot", "ToeBase", "Shoulder", "UpperArm", "LowerArm", "Hand",
            *[f"{finger}{n}" for finger in ("Thumb", "Index", "Middle", "Ring", "Little") for n in (1, 2, 3)])])],
        ("_L_", "_R_"), 30, ()),
    "lafan": (["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", *sided(
        "Left", "Right", "@UpLeg", "@Leg", "@Foot", "@Toe", "@Shoulder", "@Arm", "@ForeArm", "@Hand")],
        ("Left", "Right"), 0, ()),
    "biped": (["Bip001", *[f"Bip001_{name}" for name in ("Pelvis", "Spine", "Spine1", "Spine2", "Neck", "Head")], *sided(
        "L", "R", *[f"Bip001_@_{name}" for name in (
            "Clavicle", "UpperArm", "Forearm", "Hand", "Finger0", "Finger01", "Finger02", "Finger1", "Finger11", "Finger12",
            "Thigh", "Calf", "Foot", "Toe0")])], ("_L_", "_R_"), 12, ()),
    "unity": (["Hips", "Spine", "Chest", "UpperChest", "Neck", "Head", *sided(
        "L", "R", "Shoulder_@", "UpperArm_@", "LowerArm_@", "Hand_@", "UpperLeg_@", "LowerLeg_@", "Foot_@", "Toes_@",
        "Index Proximal_@", "Index Intermediate_@")], ("_L", "_R"), 4, ()),
}  # fmt: skip


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_every_joint_is_found(exporter: str) -> None:
    names, _, fingers, missing = EXPORTERS[exporter]
    found = map_names(names)
    wanted = {*REQUIRED, "pelvis", "spine1", "spine2", "spine3", "neck", "head"}
    wanted |= {f"{side}_{joint}" for side in ("left", "right") for joint in ("collar", "foot")}
    assert wanted - set(missing) <= set(found)
    assert set(missing).isdisjoint(found)
    assert sum("_" in joint and joint[-1] in "123" for joint in found) == fingers


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_each_on_its_own_side(exporter: str) -> None:
    names, words, _, _ = EXPORTERS[exporter]
    found = map_names(names)
    for joint, name in found.items():
        side, _, part = joint.partition("_")
        if side in ("left", "right"):
            own, other = words if side == "left" else words[::-1]
            assert own in name
            twin = found[f"{'right' if side == 'left' else 'left'}_{part}"]
            # sketchfab numbers the nodes
            assert re.sub(r"_\d\d$", "", twin) == re.sub(r"_\d\d$", "", name).replace(own, other, 1)


def test_fingers_bend_from_the_hand_outwards() -> None:
    for exporter in ("mixamo", "rokoko", "vroid"):
        names = EXPORTERS[exporter][0]
        found = map_names(names)
        for finger in ("thumb", "index", "middle", "ring", "pinky"):
            places = [names.index(found[f"left_{finger}{n}"]) for n in (1, 2, 3)]
            assert places == sorted(places)
    rokoko = map_names(EXPORTERS["rokoko"][0])
    assert rokoko["left_index1"] == "LeftFinger2Proximal"
    assert rokoko["left_thumb1"] == "LeftFinger1Metacarpal"
    biped = map_names(EXPORTERS["biped"][0])
    assert (biped["left_thumb2"], biped["left_index3"]) == ("Bip001_L_Finger01", "Bip001_L_Finger12")
    assert map_names(EXPORTERS["makehuman"][0])["left_index2"] == "finger2-2.L"
