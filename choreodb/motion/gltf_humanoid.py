"""What VRM says of a glTF: which node is which bone of a human, and which node moves which expression.

Source: vrm-c/vrm-specification, `VRM` 0.0, `VRMC_vrm-1.0` and `VRMC_vrm_animation-1.0`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from choreodb.errors import MotionFormatError
from choreodb.motion.gltf_file import Gltf, index
from choreodb.motion.jointmaps import map_names
from choreodb.motion.json_text import plain_text

MAX_EXPRESSIONS = 1000
_HUMANOIDS = ("VRMC_vrm_animation", "VRMC_vrm", "VRM")


def bones(gltf: Gltf) -> dict[int, str]:
    """Node -> the human bone that VRM 0, VRM 1 or a VRM animation says it is (`hips`, `leftUpperLeg`); {} where none does.

    Raises MotionFormatError where it names nodes that are not there, or one of them twice.
    """
    found: dict[int, str] = {}
    for name, place in _said(gltf):
        node = index(place, len(gltf.items("nodes")), "nodes")
        if node in found or name in found.values():
            raise MotionFormatError(f"its VRM humanoid says twice what {name!r} or node {node} is; expected it once")
        found[node] = name
    return found


def _said(gltf: Gltf) -> list[tuple[str, Any]]:
    """(bone, node) as the file has them."""
    for name in _HUMANOIDS:
        humans = _table(_table(gltf.document, "extensions", name, "humanoid"), "humanBones", lists=True)
        if isinstance(humans, list):
            rows = [(each.get("bone"), each.get("node")) for each in humans if isinstance(each, dict)]
        else:
            rows = [(bone, each.get("node")) for bone, each in humans.items() if isinstance(each, dict)]
        if rows:
            return [(plain_text(bone)[:80], node) for bone, node in rows if isinstance(bone, str) and bone]
    return []


def joint_map(gltf: Gltf, nodes: Sequence[int], names: Sequence[str]) -> dict[str, str]:
    """Canonical joint -> name, for the joints `names` at `nodes` that VRM knows."""
    said = bones(gltf)
    name_of = {said[node]: name for node, name in zip(nodes, names, strict=True) if node in said}
    return {joint: name_of[bone] for joint, bone in map_names(list(name_of)).items()}


def expressions(gltf: Gltf) -> dict[str, int]:
    """Expression -> the node whose x says its weight, of a VRM animation; {} in other files."""
    said = _table(gltf.document, "extensions", "VRMC_vrm_animation", "expressions")
    rows = [row for kind in ("preset", "custom") for row in _table(said, kind).items()]
    if len(rows) > MAX_EXPRESSIONS:
        raise MotionFormatError(f"has {len(rows)} expressions; expected at most {MAX_EXPRESSIONS}")
    count = len(gltf.items("nodes"))
    return {
        plain_text(str(name))[:200]: index(each.get("node"), count, "nodes")
        for name, each in rows
        if isinstance(each, dict)
    }


def _table(value: Any, *path: str, lists: bool = False) -> Any:
    """The object under `path`; an empty one where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) or (lists and isinstance(value, list)) else {}
