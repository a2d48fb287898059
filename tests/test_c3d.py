"""C3D: markers on the skin become the dance they were put on; what is damaged or missing gets one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_rigs import bones_apart_deg, dance, trunk_apart_deg

from choreodb.errors import MotionFormatError
from choreodb.inspection import inspect_motion
from choreodb.motion import c3d, registry
from choreodb.motion.kinematics import forward
from choreodb.motion.markers import PLUG_IN_GAIT
from choreodb.motion.motion import Motion
from choreodb.motion.retarget import canonicalise
from choreodb.motion.rotations import rotate, rotvec_to_quat
from choreodb.motion.skeleton import CHOREO22

ezc3d = pytest.importorskip("ezc3d", reason="needs the extra c3d: pip install 'choreodb[c3d]'")

FPS = 100.0
Z_UP = rotvec_to_quat(np.array([0.5 * np.pi, 0.0, 0.0]))
# Where markers sit, metres in the frame of a joint; x is the dancer's left. `s` is 1 on the left and -1 on the right.
HEAD = {"FHD": ("head", (0.07, 0.12, 0.09)), "BHD": ("head", (0.07, 0.12, -0.09))}
MIDDLE = {"C7": ("neck", (0.0, 0.0, -0.05)), "CLAV": ("neck", (0.0, 0.0, 0.06)), "T10": ("spine2", (0.0, 0.06, -0.11)),
          "STRN": ("spine2", (0.0, 0.06, 0.11))}  # fmt: skip
SIDED = {
    "ASI": ("pelvis", (0.125, 0.03, 0.09)), "PSI": ("pelvis", (0.05, 0.03, -0.09)), "KNE": ("knee", (0.058, 0.0, 0.0)),
    "ANK": ("ankle", (0.043, 0.0, 0.0)), "TOE": ("foot", (0.0, 0.0, 0.0)), "HEE": ("ankle", (0.0, -0.06, -0.06)),
    "SHO": ("shoulder", (0.0, 0.05, 0.0)), "ELB": ("elbow", (0.0, 0.0, 0.0)), "WRA": ("wrist", (0.0, 0.0, 0.03)),
    "WRB": ("wrist", (0.0, 0.0, -0.03)), "FIN": ("wrist", (0.09, 0.0, 0.0)),
}  # fmt: skip


def marked(motion: Motion) -> dict[str, np.ndarray]:
    """Markers [T, 3] in metres, y up, on the canonical dancer."""
    positions, turned = forward(motion.rotations, motion.root, CHOREO22)

    def stuck(joint: str, place: tuple[float, float, float], sign: float = 1.0) -> np.ndarray:
        index = CHOREO22.index(joint)
        # the chest carries its markers upright on a shoulder that turns
        carrier = CHOREO22.index("spine3") if joint.endswith("shoulder") else index
        return positions[:, index] + rotate(turned[:, carrier], np.array(place) * [sign, 1.0, 1.0])

    out = {name: stuck(*where) for name, where in MIDDLE.items()}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for name, (joint, place) in {**SIDED, **HEAD}.items():
            whole = joint if joint in ("pelvis", "head") else f"{side}_{joint}"
            out[side[0].upper() + name] = stuck(whole, place, sign)
    return out


def written(path: Path, points: dict[str, np.ndarray], *, prefix: str = "", units: str = "mm") -> Path:
    """The points as a C3D in millimetres, z up."""
    document: Any = ezc3d.c3d()
    stacked = np.stack([rotate(Z_UP, each) for each in points.values()], axis=1) * (1000.0 if units == "mm" else 1.0)
    document["parameters"]["POINT"]["RATE"]["value"] = [FPS]
    document["parameters"]["POINT"]["LABELS"]["value"] = [prefix + name for name in points]
    document["parameters"]["POINT"]["UNITS"]["value"] = [units]
    data = np.ones((4, stacked.shape[1], len(stacked)))
    data[:3] = stacked.transpose(2, 1, 0)
    document["data"]["points"] = data
    document.write(str(path))
    return path


def performed() -> Motion:
    """The dance at the rate of the markers."""
    motion = dance()
    return Motion(motion.rotations, motion.root, CHOREO22, FPS)


@pytest.mark.parametrize(("prefix", "units"), [("", "mm"), ("Ann:", "m")])
def test_plug_in_gait_becomes_the_dance(prefix: str, units: str, tmp_path: Path) -> None:
    source = performed()
    motion = registry.read(written(tmp_path / "a.c3d", marked(source), prefix=prefix, units=units))
    assert motion.positions_only
    assert motion.fps == FPS
    assert len(motion) == len(source)
    out = canonicalise(motion)
    assert any("up z" in note for note in out.notes)
    assert any(f"units {units}" in note for note in out.notes)
    assert out.residual_cm < 3.5
    expected = canonicalise(source).motion
    limbs = [f"{side}_{part}" for side in ("left", "right") for part in ("knee", "ankle", "elbow", "wrist")]
    apart = bones_apart_deg(out.motion, expected, limbs)
    assert apart.mean() < 6.0
    assert np.percentile(apart, 95) < 14.0
    assert trunk_apart_deg(out.motion, expected).mean() < 6.0


def test_a_marker_map_gives_the_middle_of_markers(tmp_path: Path) -> None:
    source = performed()
    positions = forward(source.rotations, source.root, CHOREO22)[0]
    points = {
        f"m_{name}": positions[:, CHOREO22.index(name)] for name in CHOREO22.names if not name.startswith("spine")
    }
    knee = points.pop("m_left_knee")
    points |= {"in": knee + np.array([0.05, 0.0, 0.0]), "out": knee - np.array([0.05, 0.0, 0.0])}
    path = written(tmp_path / "a.c3d", points)
    lines = [f'{name[2:]} = "{name}"' for name in points if name.startswith("m_")]
    (tmp_path / "map.toml").write_text("\n".join([*lines, 'left_knee = ["in", "out"]']))
    with pytest.raises(MotionFormatError, match="map them with --skeleton"):
        registry.read(path)
    found = inspect_motion(path, skeleton=tmp_path / "map.toml")
    assert found.problem is None
    assert found.canonical is not None
    assert found.canonical.residual_cm < 1.0
    (tmp_path / "map.toml").write_text('left_knee = ["in", "away"]')
    with pytest.raises(MotionFormatError, match="'away'"):
        inspect_motion(path, skeleton=tmp_path / "map.toml")


def test_hidden_markers_are_bridged_and_lost_ones_named(tmp_path: Path) -> None:
    points = marked(performed())
    points["LKNE"][50:60] = np.nan
    motion = registry.read(written(tmp_path / "a.c3d", points))
    assert "10 hidden marker positions bridged" in motion.notes
    points["LKNE"][50:130] = np.nan
    with pytest.raises(MotionFormatError, match=r"'LKNE' is not seen for 0\.80 s"):
        registry.read(written(tmp_path / "b.c3d", points))
    assert set(PLUG_IN_GAIT) <= set(points)


def test_damaged_files_give_one_line(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.c3d", marked(performed())).read_bytes()
    rng = np.random.default_rng(0)
    cases = [b"", b"\x02", b"no c3d at all" * 50, whole[:600], whole[: len(whole) // 2]]
    for _ in range(3):
        broken = bytearray(whole)
        for place in rng.integers(2, 1500, size=40):
            broken[place] = int(rng.integers(256))
        cases.append(bytes(broken))
    for number, content in enumerate(cases):
        (tmp_path / "b.c3d").write_bytes(content)
        said = complaint(tmp_path / "b.c3d")
        assert said is not None or number >= 5
        assert said is None or said.startswith(str(tmp_path / "b.c3d"))
        assert said is None or "\n" not in said


def complaint(path: Path) -> str | None:
    """What is said of a file that cannot be read; None of one that can."""
    try:
        registry.read(path)
    except MotionFormatError as error:
        return str(error)
    return None


def test_a_missing_reader_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.c3d", marked(performed()))
    monkeypatch.setattr(c3d, "find_spec", lambda name: None)
    with pytest.raises(MotionFormatError, match=r"pip install 'choreodb\[c3d\]'"):
        registry.read(path)


def test_windows_knows_no_limits_for_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert c3d._bounds() == {"preexec_fn": c3d._bounded}
    monkeypatch.setattr(sys, "platform", "win32")
    assert c3d._bounds() == {}
