"""glTF and GLB animations: the skinned humanoid's joints over time, in metres and y up as glTF has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import MotionFormatError
from choreodb.motion import gltf_humanoid
from choreodb.motion.files import StrPath
from choreodb.motion.gltf_file import Gltf, index, numbers, open_gltf
from choreodb.motion.gltf_keys import Track, sampled, track
from choreodb.motion.json_text import plain_text
from choreodb.motion.motion import Motion
from choreodb.motion.rotations import FloatArray, compose, inverse, matrix_to_quat, rotate
from choreodb.motion.skeleton import Skeleton

MAX_NODES = 16_384
MAX_JOINTS = 4096
MAX_CELLS = 2**23
"""Most joints times frames that are read: forty minutes of 58 joints at 60 fps, and about 0.9 GB at work."""
FREE_CELLS, BYTES_PER_CELL = 2**21, 4
"""A file may have this many of them whatever its size, and about 0.3 GB at work; for more it must hold so many bytes for each:
two keys that are a day apart take no room in a file, and the frames between them all the memory."""
MAX_VALUES = 2**26
"""Most numbers in the keys of one animation, however often the file uses the same ones: 512 MB."""
DEFAULT_FPS = 60.0

_STRETCH_CELLS = 2**17
_SPACING = 2e-3
_STILL = 1e-5


@dataclass(frozen=True, slots=True)
class _Scene:
    """The nodes of a file as a tree: parents [N] (-1 for a root), and the nodes with parents before children."""

    nodes: list[dict[str, Any]]
    parents: list[int]
    order: list[int]


@dataclass(slots=True, eq=False)
class _Pose:
    """World state of a node over time: rotation [T, 4], position [T, 3] and scale."""

    rotation: FloatArray
    position: FloatArray
    scale: float


@dataclass(slots=True)
class _Clip:
    """One animation: tracks by (node, what), and its name."""

    name: str
    tracks: dict[tuple[int, str], Track] = field(default_factory=dict)


def load(path: StrPath, *, animation: str | None = None, fps: float | None = None) -> Motion:
    """The animation in a `.glb` or `.gltf`: joints of the skin (else the animated nodes), metres, y up.

    animation: its name; the first by default. Keys at one rate keep it, others are sampled at 60 fps (or at `fps`):
    linear, step and cubic spline. Transforms above the root joint are part of the root's. Where a skin says how its
    joints are bound, rotations are relative to that pose, so that no rotation is the bind pose. Morph weights become
    `face`. Joints that VRM knows have its names. Buffers are embedded or lie beside the file. Raises MotionFormatError.
    """
    try:
        return _motion(open_gltf(path), animation, fps).validate()
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """A character as it stands in its file.

    motion: one frame of its joints at rest, rotations relative to the bind pose (or to the rest pose itself, where there
    is no bind pose). nodes: the node of every joint. bind: [J, 4] world rotations of that pose. above: what the root's
    parent adds: rotation [4], position [3] and scale. joint_map: canonical -> file names, of the joints that VRM knows.
    """

    motion: Motion
    nodes: tuple[int, ...]
    bind: FloatArray
    above: tuple[FloatArray, FloatArray, float]
    gltf: Gltf
    joint_map: Mapping[str, str]


def rest(path: StrPath) -> Rest:
    """The character in a `.glb`, `.gltf` or `.vrm`, whether it is animated or not. Raises MotionFormatError."""
    try:
        return _rest_of(open_gltf(path))
    except MotionFormatError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise MotionFormatError(f"{path}: {message}") from None


def _rest_of(gltf: Gltf) -> Rest:
    scene = _scene(gltf)
    still = _Clip("rest")
    skins = [skin for skin in gltf.items("skins") if isinstance(skin.get("joints"), list) and skin["joints"]]
    bind: dict[int, FloatArray] = {}
    if skins:
        lists = [[index(joint, len(scene.nodes), "nodes") for joint in skin["joints"]] for skin in skins]
        place = max(range(len(skins)), key=lambda each: len(set(lists[each])))
        joints = _connected(scene, list(dict.fromkeys(joint for listed in lists for joint in listed)))
        bind = _bind(gltf, skins[place], lists[place])
        bind = bind if set(joints) <= set(bind) else {}
    else:
        joints = _connected(scene, list(range(len(scene.nodes))))
    above = _ancestors(scene, joints[0])
    poses = _world(scene, still, [*above, *joints], np.zeros(1))
    if not bind:
        bind = {joint: poses[joint].rotation[0] for joint in joints}
    parents = _parents(scene, joints)
    motion = _assembled(_names(scene, joints, {}), parents, *_local(joints, parents, poses, bind), DEFAULT_FPS)
    top = poses[above[-1]] if above else _Pose(np.array([[1.0, 0.0, 0.0, 0.0]]), np.zeros((1, 3)), 1.0)
    held = np.stack([bind[joint] for joint in joints])
    known = gltf_humanoid.joint_map(gltf, joints, motion.skeleton.names)
    return Rest(motion.validate(), tuple(joints), held, (top.rotation[0], top.position[0], top.scale), gltf, known)


def _motion(gltf: Gltf, animation: str | None, fps: float | None) -> Motion:
    scene = _scene(gltf)
    clip, notes = _clip(gltf, scene, animation)
    humans = gltf_humanoid.bones(gltf)
    joints, bind, said = _joints(gltf, scene, clip, humans)
    notes.append(said)
    if humans:
        notes.append(f"names: {len(humans)} bones as the file's VRM humanoid has them")
    above = _ancestors(scene, joints[0])
    used = {*above, *joints}
    times, rate, said = _times([each for (node, _), each in clip.tracks.items() if node in used], fps)
    notes.append(said)
    most = _most_cells(gltf)
    if len(times) * len(used) > most:
        raise MotionFormatError(f"has {len(times)} frames of {len(used)} joints; expected at most {most} in all")
    parents = _parents(scene, joints)
    rotations, translations = np.empty((len(times), len(joints), 4)), np.empty((len(times), len(joints), 3))
    # a stretch of frames at a time: the world state of a whole long file takes twice as much memory as its motion
    stretch = max(1, _STRETCH_CELLS // len(used))
    for begin in range(0, len(times), stretch):
        frames = slice(begin, begin + stretch)
        poses = _world(scene, clip, [*above, *joints], times[frames])
        rotations[frames], translations[frames] = _local(joints, parents, poses, bind)
    motion = _assembled(_names(scene, joints, humans), parents, rotations, translations, rate)
    face, names = _face(gltf, scene, clip, times)
    return Motion(
        motion.rotations, motion.root, motion.skeleton, rate, motion.translations, face, names, notes=tuple(notes)
    )


def _scene(gltf: Gltf) -> _Scene:
    nodes = gltf.items("nodes")
    if not 1 <= len(nodes) <= MAX_NODES:
        raise MotionFormatError(f"has {len(nodes)} nodes; expected 1 to {MAX_NODES}")
    parents = [-1] * len(nodes)
    for place, node in enumerate(nodes):
        if not isinstance(node.get("children", []), list):
            raise MotionFormatError(f"the children of node {place} are no list; expected glTF 2.0")
        for child in node.get("children", []):
            child = index(child, len(nodes), "nodes")
            if parents[child] >= 0:
                raise MotionFormatError(f"node {child} has two parents; expected a tree")
            parents[child] = place
    order = [place for place, parent in enumerate(parents) if parent < 0]
    for place in order:
        order += nodes[place].get("children", [])
    if len(order) != len(nodes):
        raise MotionFormatError("a node is its own ancestor; expected a tree")
    return _Scene(nodes, parents, order)


def _clip(gltf: Gltf, scene: _Scene, wanted: str | None) -> tuple[_Clip, list[str]]:
    animations = gltf.items("animations")
    names = [plain_text(str(each.get("name", f"animation {place}")))[:80] for place, each in enumerate(animations)]
    if not animations:
        raise MotionFormatError("has no animation; expected one, export the dance with the character")
    if wanted is not None and wanted not in names:
        raise MotionFormatError(f"has no animation {wanted!r}; it has {', '.join(names[:12])}")
    place = 0 if wanted is None else names.index(wanted)
    clip = _Clip(names[place])
    samplers = gltf.items("samplers", of=animations[place])
    held = 0
    for channel in gltf.items("channels", of=animations[place]):
        target = channel.get("target")
        if not isinstance(target, dict) or "node" not in target:
            continue
        node, what = index(target["node"], len(scene.nodes), "nodes"), target.get("path")
        if what in ("translation", "rotation", "weights") and (node, what) not in clip.tracks:
            sampler = samplers[index(channel.get("sampler"), len(samplers), "samplers")]
            clip.tracks[node, what] = keys = track(gltf, sampler, what)
            held += keys.values.size + keys.times.size
            if held > MAX_VALUES:
                raise MotionFormatError(f"has more than {MAX_VALUES} numbers in its keys; expected a shorter animation")
    if not any(what != "weights" for _, what in clip.tracks):
        raise MotionFormatError(f"animation {clip.name!r} moves no joint; expected rotations or translations")
    notes = [] if len(names) == 1 else [f"animation {clip.name!r} of {len(names)}: {', '.join(names[:8])}"]
    return clip, notes


def _joints(
    gltf: Gltf, scene: _Scene, clip: _Clip, humans: Mapping[int, str]
) -> tuple[list[int], dict[int, FloatArray], str]:
    """(joints, the root first and parents before children; bind rotations [4] and points [3]; what they are)."""
    animated = {node for node, what in clip.tracks if what != "weights"}
    skins = []
    for skin in gltf.items("skins"):
        listed = skin.get("joints")
        if isinstance(listed, list) and listed:
            skins.append(([index(joint, len(scene.nodes), "nodes") for joint in listed], skin))
    if not skins or not any(animated & set(listed) for listed, _ in skins):
        if animated & humans.keys():
            return _connected(scene, sorted(humans)), {}, "joints: the bones of the file's humanoid"
        return _connected(scene, sorted(animated)), {}, "joints: the animated nodes, as there is no skin that moves"
    listed, skin = max(skins, key=lambda each: len(animated & set(each[0])))
    chosen = list(
        dict.fromkeys([*listed, *(joint for other, _ in skins if set(other) & set(listed) for joint in other)])
    )
    joints = _connected(scene, chosen)
    bind = _bind(gltf, skin, listed) if set(joints) <= set(listed) else {}
    kind = "rotations are relative to its bind pose" if bind else "rotations as in the nodes"
    lost = len(set(chosen) - set(joints))
    apart = f"; {lost} of other trees left out" if lost else ""
    return joints, bind, f"joints: the skin's {len(joints)}; {kind}{apart}"


def _connected(scene: _Scene, chosen: list[int]) -> list[int]:
    """`chosen` and what lies between them, in their order as far as parents come first; the largest tree of them."""
    wanted = set(chosen)
    below = [int(place in wanted) for place in range(len(scene.nodes))]
    for place in reversed(scene.order):
        if scene.parents[place] >= 0:
            below[scene.parents[place]] += below[place]
    root = max((place for place in scene.order if scene.parents[place] < 0), key=lambda place: below[place])
    # the deepest node that has as many of them below it is where they join
    deeper: int | None = root
    while deeper is not None:
        root = deeper
        deeper = next((child for child in scene.nodes[root].get("children", []) if below[child] == below[root]), None)
    inside = {root}
    for place in scene.order:
        if scene.parents[place] in inside and below[place]:
            inside.add(place)
    if len(inside) > MAX_JOINTS:
        raise MotionFormatError(f"has {len(inside)} joints; expected at most {MAX_JOINTS}")
    rank = {place: position for position, place in enumerate(chosen)}
    ordered = [root]
    done = {root}
    for place in sorted(inside - {root}, key=lambda joint: rank.get(joint, len(chosen))):
        chain = []
        while place not in done:
            chain.append(place)
            place = scene.parents[place]
        ordered += reversed(chain)
        done.update(chain)
    return ordered


def _ancestors(scene: _Scene, node: int) -> list[int]:
    """The nodes above `node`, from the scene's root down."""
    out = []
    while scene.parents[node] >= 0:
        node = scene.parents[node]
        out.append(node)
    return out[::-1]


def _parents(scene: _Scene, joints: list[int]) -> npt.NDArray[np.int32]:
    place = {joint: position for position, joint in enumerate(joints)}
    return np.array([-1, *(place[scene.parents[joint]] for joint in joints[1:])], dtype=np.int32)


def _bind(gltf: Gltf, skin: dict[str, Any], listed: list[int]) -> dict[int, FloatArray]:
    """Bind rotations [4] of the skin's joints; empty where it does not say or scales them unevenly."""
    if "inverseBindMatrices" not in skin:
        return {}
    matrices = gltf.accessor(skin["inverseBindMatrices"])
    if matrices.shape[1] != 16 or len(matrices) < len(listed):
        raise MotionFormatError(f"a skin has {len(matrices)} bind matrices for {len(listed)} joints")
    linear = matrices[: len(listed)].reshape(-1, 4, 4)[:, :3, :3].transpose(0, 2, 1)
    scales = np.linalg.norm(linear, axis=-1)
    if scales.min() < 1e-6:
        return {}
    unit = linear / scales[..., None]
    if np.abs(unit @ unit.transpose(0, 2, 1) - np.eye(3)).max() > 1e-3 or np.linalg.det(unit).min() < 0.0:
        return {}
    return dict(zip(listed, inverse(matrix_to_quat(unit)), strict=True))


def _most_cells(gltf: Gltf) -> int:
    """Joints times frames that a file of these buffers may have."""
    held = sum(map(len, gltf.buffers.values()))
    return min(max(FREE_CELLS, held // BYTES_PER_CELL), MAX_CELLS)


def _times(tracks: list[Track], fps: float | None) -> tuple[FloatArray, float, str]:
    """(frame times in the file's seconds, frames per second, how they were chosen)."""
    if not tracks:
        raise MotionFormatError("its animation moves none of the joints; expected the dance on the skin's joints")
    start, stop = min(each.times[0] for each in tracks), max(each.times[-1] for each in tracks)
    longest = max((each.times for each in tracks), key=len)
    rate, said = DEFAULT_FPS, f"frame rate {DEFAULT_FPS:g}: keys are not evenly spaced, so they were sampled"
    if fps is not None:
        rate, said = fps, f"frame rate {fps:g} as given"
    elif len(longest) > 1:
        spacing = np.diff(longest)
        even = (longest[-1] - longest[0]) / (len(longest) - 1)
        # float32 times round by as much as 1e-7 of the largest
        if np.max(np.abs(spacing - even)) < _SPACING * even + 2e-7 * longest[-1] and 0.5 <= 1.0 / even <= 1000.0:
            rate = 1.0 / even
            rate = round(rate) if abs(rate - round(rate)) < 1e-3 * rate else rate
            said = f"frame rate {rate:g}: the spacing of the keys"
    frames = (stop - start) * rate
    if not frames < MAX_CELLS:
        raise MotionFormatError(f"lasts {stop - start:g} s; expected at most {MAX_CELLS / rate:.0f} s")
    return start + np.arange(int(np.floor(frames + 0.01)) + 1) / rate, float(rate), said


def _world(scene: _Scene, clip: _Clip, nodes: list[int], times: FloatArray) -> dict[int, _Pose]:
    """World state of `nodes` (parents first); each scale is its mean over the axes, as bones turn and do not shear."""
    out: dict[int, _Pose] = {}
    for node in nodes:
        rotation, translation, scale = node_rest(scene.nodes[node])
        turned = np.broadcast_to(rotation, (len(times), 4))
        moved = np.broadcast_to(translation, (len(times), 3))
        if (node, "rotation") in clip.tracks:
            turned = sampled(clip.tracks[node, "rotation"], times)
        if (node, "translation") in clip.tracks:
            moved = sampled(clip.tracks[node, "translation"], times)
        above = out.get(scene.parents[node])
        if above is None:
            out[node] = _Pose(turned, moved, scale)
        else:
            position = above.position + rotate(above.rotation, above.scale * moved)
            out[node] = _Pose(compose(above.rotation, turned), position, above.scale * scale)
    return out


def node_rest(node: dict[str, Any]) -> tuple[FloatArray, FloatArray, float]:
    """Rotation [4], translation [3] and mean scale of a node where nothing animates it."""
    if "matrix" in node:
        matrix = numbers(node, "matrix", tuple(np.eye(4).ravel())).reshape(4, 4).T
        scales = np.linalg.norm(matrix[:3, :3], axis=0)
        if scales.min() < 1e-9:
            raise MotionFormatError("a node's matrix is singular; expected a rotation, a scale and a translation")
        return matrix_to_quat(matrix[:3, :3] / scales), matrix[:3, 3], float(np.prod(scales) ** (1.0 / 3.0))
    rotation = np.roll(numbers(node, "rotation", (0.0, 0.0, 0.0, 1.0)), 1)
    length = float(np.linalg.norm(rotation))
    scale = float(np.prod(np.abs(numbers(node, "scale", (1.0, 1.0, 1.0)))) ** (1.0 / 3.0))
    if length < 1e-6 or scale < 1e-9:
        raise MotionFormatError("a node has a rotation or a scale of 0; expected a unit quaternion and a size")
    return rotation / length, numbers(node, "translation", (0.0, 0.0, 0.0)), scale


def _local(
    joints: list[int], parents: npt.NDArray[np.int32], poses: dict[int, _Pose], bind: dict[int, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Local rotations [T, J, 4] and translations [T, J, 3] of the joints from their world state; the root's is its place."""
    positions = np.stack([poses[joint].position for joint in joints], axis=1)
    turned = np.stack([poses[joint].rotation for joint in joints], axis=1)
    if bind:
        turned = compose(turned, inverse(np.stack([bind[joint] for joint in joints])))
    above = inverse(turned[:, parents[1:]])
    translations = positions.copy()
    rotations = np.concatenate([turned[:, :1], compose(above, turned[:, 1:])], axis=1)
    translations[:, 1:] = rotate(above, positions[:, 1:] - positions[:, parents[1:]])
    return rotations / np.linalg.norm(rotations, axis=-1, keepdims=True), translations


def _assembled(
    names: tuple[str, ...],
    parents: npt.NDArray[np.int32],
    rotations: FloatArray,
    translations: FloatArray,
    fps: float,
) -> Motion:
    """The motion of `_local` rotations and translations."""
    # joint by joint: the median of a whole long file would copy it
    offsets = np.stack([np.median(translations[:, joint], axis=0) for joint in range(len(names))]).astype(np.float64)
    offsets[0] = 0.0
    still = _STILL * max(1.0, float(np.abs(offsets).max()))
    moving = any(np.abs(translations[:, joint] - offsets[joint]).max() > still for joint in range(1, len(names)))
    skeleton = Skeleton(names, parents, offsets)
    return Motion(rotations, translations[:, 0].copy(), skeleton, fps, translations if moving else None)


def _names(scene: _Scene, joints: list[int], humans: Mapping[int, str]) -> tuple[str, ...]:
    """Unique names of the joints: those of `humans` by node, the nodes', or their numbers."""
    seen: dict[str, int] = dict.fromkeys(humans.values(), 1)
    out = []
    for joint in joints:
        if joint in humans:
            out.append(humans[joint])
            continue
        name = scene.nodes[joint].get("name")
        name = plain_text(name)[:200] if isinstance(name, str) and name.strip() else f"node_{joint}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}#{joint}")
    return tuple(out)


def _face(gltf: Gltf, scene: _Scene, clip: _Clip, times: FloatArray) -> tuple[FloatArray | None, tuple[str, ...]]:
    """Morph weights [T, F] and their names; meshes that share a name share its weights."""
    channels: dict[str, FloatArray] = {}
    for (node, what), keys in clip.tracks.items():
        if what != "weights":
            continue
        values = sampled(keys, times)
        names = target_names(gltf, scene.nodes[node])
        if len(channels) + values.shape[1] > 2000 or len(times) * (len(channels) + values.shape[1]) > 4 * _most_cells(
            gltf
        ):
            raise MotionFormatError("has more than 2000 morph weights, or too many frames of them")
        for place in range(values.shape[1]):
            channels.setdefault(names[place] if place < len(names) else f"morph_{node}_{place}", values[:, place])
    for name, node in gltf_humanoid.expressions(gltf).items():
        if (node, "translation") in clip.tracks:
            channels.setdefault(name, sampled(clip.tracks[node, "translation"], times)[:, 0])
    if not channels:
        return None, ()
    return np.stack(list(channels.values()), axis=1), tuple(channels)


def target_names(gltf: Gltf, node: dict[str, Any]) -> list[str]:
    """Names of the morph targets of a node's mesh; empty where they have none."""
    if "mesh" not in node:
        return []
    extras = gltf.item("meshes", node["mesh"]).get("extras")
    names = extras.get("targetNames") if isinstance(extras, dict) else None
    good = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return [plain_text(name)[:200] for name in names] if good and names else []
