"""Turn a dance into FBX with your own Blender (tested with 5.2.3; nothing else is needed).

    blender --background --python blender_to_fbx.py -- dance.glb dance.fbx
    blender --background --python blender_to_fbx.py -- dance.bvh dance.fbx --units cm

GLB brings the dancer's body along; BVH brings the skeleton alone. Every frame is kept, at the file's
own frame rate. With a Python that has `bpy` installed, `python blender_to_fbx.py dance.glb dance.fbx` does the same.
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import sys
from pathlib import Path
from typing import Any

METRES = {"m": 1.0, "cm": 0.01}


def main(arguments: list[str]) -> int:
    """Import the dance, export it as FBX; 0 where that worked."""
    parser = argparse.ArgumentParser(prog="blender_to_fbx.py", description="Turn a .glb or .bvh dance into .fbx.")
    parser.add_argument("source", type=Path, help="a .glb or .bvh file that ChoreoDB wrote")
    parser.add_argument("target", type=Path, help="the .fbx file to write")
    parser.add_argument("--fps", type=float, help="frames a second (default: the file's)")
    parser.add_argument("--units", choices=sorted(METRES), default="m", help="units of a .bvh (default: m)")
    options = parser.parse_args(arguments)
    if options.source.suffix.lower() not in (".glb", ".bvh") or not options.source.is_file():
        parser.error(f"{options.source} is no .glb or .bvh file; give one that ChoreoDB wrote")
    if options.target.suffix.lower() != ".fbx" or not options.target.parent.is_dir():
        parser.error(f"{options.target} cannot be written; give a .fbx in a folder that exists")
    convert(options.source, options.target, options.fps or frame_rate(options.source), METRES[options.units])
    print(f"wrote {options.target}")
    return 0


def frame_rate(source: Path) -> float:
    """Frames a second of a file that ChoreoDB wrote."""
    if source.suffix.lower() == ".bvh":
        head = source.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"Frame Time:\s*(\S+)", head)
        if found is None:
            raise SystemExit(f"{source} has no 'Frame Time:'; give --fps")
        return 1.0 / float(found[1])
    data = source.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document = json.loads(data[20 : 20 + length])
    keys = document["accessors"][document["animations"][0]["samplers"][0]["input"]]
    duration = keys["max"][0] - keys["min"][0]
    return (keys["count"] - 1) / duration if duration > 0 else 60.0


def convert(source: Path, target: Path, fps: float, scale: float) -> None:
    """Import `source` into an empty scene of `fps` frames a second and export it, every frame, as `target`."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    # Blender counts whole frames a second, divided by a base: 23.976 is 24 / 1.001
    scene.render.fps = max(1, round(fps))
    base = scene.render.fps / fps
    if source.suffix.lower() == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(source), global_scale=scale, frame_start=0, use_fps_scale=False)
    else:
        # Blender's glTF importer (5.2) multiplies by the base, so that odd rates need it upside down
        scene.render.fps_base = 1.0 / base
        bpy.ops.import_scene.gltf(filepath=str(source))
    scene.render.fps_base = base
    span_scene(scene, bpy.data.actions)
    bpy.ops.export_scene.fbx(
        filepath=str(target), object_types={"ARMATURE", "MESH", "EMPTY"}, add_leaf_bones=False, bake_anim=True,
        bake_anim_use_all_bones=True, bake_anim_use_nla_strips=False, bake_anim_use_all_actions=False,
        bake_anim_step=1.0, bake_anim_simplify_factor=0.0,
    )  # fmt: skip


def span_scene(scene: Any, actions: Any) -> None:
    """Make the scene as long as its motion: only the scene's frames are exported."""
    ranges = [action.frame_range for action in actions]
    if not ranges:
        raise SystemExit("the file holds no motion; give a dance")
    scene.frame_start = round(min(each[0] for each in ranges))
    scene.frame_end = round(max(each[1] for each in ranges))


if __name__ == "__main__":
    # Blender keeps its own arguments before the two dashes
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
