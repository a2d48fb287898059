"""What Blender makes of a file: `python blender_pose.py OUT.json FPS FILE FRAME...`, run by a Python that has bpy.

Writes the names of the armature's bones and the places of their heads, turned from Blender's z up to y up, at frames
that count from 0.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bpy


def main(out: str, fps: str, path: str, *frames: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = round(float(fps))
    # Blender's glTF importer (5.2) multiplies by the base, other importers divide
    base = scene.render.fps / float(fps)
    scene.render.fps_base = 1.0 / base if path.endswith(".glb") else base
    first = opened(path)
    armature = next(item for item in bpy.data.objects if item.type == "ARMATURE")
    positions = [heads(scene, armature, first + int(frame)) for frame in frames]
    names = [bone.name for bone in armature.pose.bones]
    Path(out).write_text(json.dumps({"names": names, "positions": positions}))


def opened(path: str) -> int:
    """Import `path`; the frame at which its motion begins."""
    match Path(path).suffix:
        case ".bvh":
            bpy.ops.import_anim.bvh(filepath=path, frame_start=1, use_fps_scale=False)
        case ".glb":
            bpy.ops.import_scene.gltf(filepath=path)
        case ".fbx" if hasattr(bpy.ops.wm, "fbx_import"):
            bpy.ops.wm.fbx_import(filepath=path)
        case ".fbx":
            bpy.ops.import_scene.fbx(filepath=path, automatic_bone_orientation=False)
    action = next(iter(bpy.data.actions))
    return round(action.frame_range[0])


def heads(scene: Any, armature: Any, frame: int) -> list[list[float]]:
    """Where every bone begins, y up."""
    scene.frame_set(frame)
    places = [armature.matrix_world @ bone.head for bone in armature.pose.bones]
    return [[place.x, place.z, -place.y] for place in places]


if __name__ == "__main__":
    main(*sys.argv[1:])
