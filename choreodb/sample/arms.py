"""Arms: angles to rotations, springs that soften towards the hand, and forearms that stay out of the torso."""

from __future__ import annotations

import numpy as np

from choreodb.motion.kinematics import forward
from choreodb.motion.rotations import (
    AXES,
    FloatArray,
    axis_angle_to_quat,
    compose,
    inverse,
    quat_to_rotvec,
    rotate,
    rotvec_to_quat,
)
from choreodb.motion.skeleton import CHOREO22
from choreodb.sample.curves import Array, cover, delayed, smooth, spring

Arms = Array
"""[T, 2, 4] radians: left and right; fwd, out, turn, bend as in `phrases.ARM_CHANNELS`."""

TORSO_M = (0.185, 0.150)
"""Half width and half depth of the torso ellipse that arms keep clear of, the arm's own thickness included."""

_HAND_M = 0.10
_LEVELS_M = (-0.34, 0.30)
"""Heights relative to spine2 between which the torso counts."""

_SIDES = (("left", 1.0), ("right", -1.0))

_OPENING_S = 0.2
"""Time that arms take to open, and to close again."""

_TRAIL_S = 0.045
_HAND_HZ = 3.2
_WRIST_RAD = np.array([0.45, 0.4, 0.85])
"""Furthest a hand turns with the forearm, towards thumb or little finger, and towards palm or back."""


def arm_spring(keys: Arms, fps: float, hertz: float, damping: float) -> Arms:
    """Arm angles that follow `keys`: the shoulder first, the elbow a little later and looser."""
    out = keys.copy()
    out[..., :3] = spring(keys[..., :3], fps, hertz, damping)
    out[..., 3] = delayed(spring(keys[..., 3], fps, 0.85 * hertz, 0.9 * damping), fps, 0.035)
    return out


def arm_rotations(rotations: FloatArray, arms: Arms, shrug: Array) -> None:
    """Write collars, shoulders and elbows of `arms` into `rotations` [T, 22, 4]."""
    for column, (side, sign) in enumerate(_SIDES):
        fwd, out, turn, bend = np.moveaxis(arms[:, column], -1, 0)
        fwd, out = _short_of_upright(fwd, out)
        raised = np.clip(np.hypot(fwd, out) - np.radians(70.0), 0.0, None)
        lift = np.radians(shrug) + 0.28 * raised
        collar = compose(axis_angle_to_quat(AXES["Z"], sign * lift), axis_angle_to_quat(AXES["Y"], -sign * 0.12 * fwd))
        swing = rotvec_to_quat(np.stack([-fwd, np.zeros_like(fwd), sign * (out - 0.28 * raised)], axis=1))
        hang = compose(
            axis_angle_to_quat(AXES["Y"], -sign * turn),
            axis_angle_to_quat(AXES["Z"], np.full_like(fwd, -sign * np.pi / 2)),
        )
        rotations[:, CHOREO22.index(f"{side}_collar")] = collar
        rotations[:, CHOREO22.index(f"{side}_shoulder")] = compose(swing, hang)
        rotations[:, CHOREO22.index(f"{side}_elbow")] = axis_angle_to_quat(AXES["Y"], -sign * bend)


def _short_of_upright(fwd: Array, out: Array) -> tuple[Array, Array]:
    """`fwd` and `out` [T], held back smoothly before straight up: an arm swung past it would cross over to the other side."""
    raised = np.hypot(fwd, out)
    beyond = np.maximum(raised - _FREE_RAD, 0.0)
    allowed = np.minimum(raised, _FREE_RAD) + _LEFT_RAD * np.tanh(beyond / _LEFT_RAD)
    gain = allowed / np.maximum(raised, 1e-6)
    return gain * fwd, gain * out


_FREE_RAD, _LEFT_RAD = np.radians(140.0), np.radians(26.0)


def trail_hands(rotations: FloatArray, fps: float, looseness: float, own: Array | None = None) -> None:
    """Bend the wrists of `rotations` [T, 22, 4] as the forearms leave the hands behind, whatever moves them.

    A hand points where its forearm pointed a moment ago, through a spring that lets it swing past, within what wrists can
    do (turn, deviation, flexion). own: radians [T, 2, 3] that the hands add of themselves, left and right, as `wrist_life`.
    """
    chest = rotations[:, 0]
    for name in ("spine1", "spine2", "spine3"):
        chest = compose(chest, rotations[:, CHOREO22.index(name)])
    for column, (side, sign) in enumerate(_SIDES):
        forearm = chest
        for part in ("collar", "shoulder", "elbow"):
            forearm = compose(forearm, rotations[:, CHOREO22.index(f"{side}_{part}")])
        moved = quat_to_rotvec(compose(inverse(forearm[:-1]), forearm[1:])) * fps
        behind = -_TRAIL_S * looseness * np.concatenate([moved[:1], moved])
        bent = spring(behind, fps, _HAND_HZ / looseness, 0.45) + np.array([0.0, -sign * 0.06, -sign * 0.16])
        if own is not None:
            bent = bent + own[:, column] * np.array([1.0, -sign, -sign])
        rotations[:, CHOREO22.index(f"{side}_wrist")] = rotvec_to_quat(_WRIST_RAD * np.tanh(bent / _WRIST_RAD))


def wrist_life(arms: Arms, struck: Array, unrest: Array, fps: float, size: float) -> Array:
    """Radians [T, 2, 3] (turn, deviation, flexion) of hands that do more than hang on: slow unrest, breaking, stopping.

    arms: [T, 2, 4] radians. struck: strokes of the body [T]. unrest: [T, 6] of unit variance. An arm that sets out upwards
    leads with the wrist, its hand hanging; where it arrives the hand opens the line. Strokes snap the hand back.
    """
    out = size * _UNREST_RAD * unrest.reshape(len(arms), 2, 3)
    raised = smooth(np.hypot(arms[..., 0], arms[..., 1]) - 0.4 * arms[..., 3], fps, 0.06)
    rising = np.gradient(raised, 1.0 / fps, axis=0)
    out[..., 2] += size * 0.24 * np.tanh(delayed(rising, fps, -0.10) / 2.4)
    out[..., 1] += size * 0.12 * np.tanh(rising / 2.0)
    out[..., 2] -= 0.30 * np.tanh(struck)[:, None]
    return out


_UNREST_RAD = np.array([0.07, 0.05, 0.10])


def clear_of_torso(rotations: FloatArray, root: Array, arms: Arms, fps: float, *, rounds: int = 8) -> Arms:
    """`arms` opened sideways and to the front where elbow, forearm or hand would be inside the torso."""
    body = rotations.copy()
    arms = arms.copy()
    push = np.zeros((len(arms), 2, 2))
    looked_at = np.ones(len(arms), dtype=bool)
    for _ in range(rounds):
        part = body[looked_at]
        arm_rotations(part, arms[looked_at], np.zeros(len(part)))
        push[looked_at] = torso_depth(part, root[looked_at])
        if not np.any(push):
            break
        opened = cover(push, fps, _OPENING_S)
        arms[..., 1] += opened[..., 0] / 0.34
        arms[..., 0] += opened[..., 1] / 0.34
        # an elbow that is bent to the full brings the hand back to the chest however the upper arm is raised
        arms[..., 3] -= np.minimum(opened[..., 1] / 0.16, 0.4 * np.maximum(arms[..., 3], 0.0))
        # elsewhere nothing has changed, so nothing can have come inside
        looked_at = np.any(opened != 0.0, axis=(1, 2))
    return arms


def torso_depth(rotations: FloatArray, root: Array) -> Array:
    """How deep [T, 2, 2] in metres each arm is inside the torso: to be pushed sideways, and to the front."""
    positions, turned = forward(rotations, root, CHOREO22)
    trunk = CHOREO22.index("spine2")
    unturn = inverse(turned[:, trunk])
    out = np.zeros((len(root), 2, 2))
    for column, (side, sign) in enumerate(_SIDES):
        elbow, wrist = (positions[:, CHOREO22.index(f"{side}_{part}")] for part in ("elbow", "wrist"))
        hand = wrist + _HAND_M * (wrist - elbow) / 0.25
        points = np.stack([elbow, 0.6 * elbow + 0.4 * wrist, 0.25 * elbow + 0.75 * wrist, wrist, hand], axis=1)
        local = rotate(unturn[:, None], points - positions[:, None, trunk])
        x, z = local[..., 0] / TORSO_M[0], local[..., 2] / TORSO_M[1]
        radius = np.hypot(x, z)
        inside = (local[..., 1] > _LEVELS_M[0]) & (local[..., 1] < _LEVELS_M[1])
        depth = np.where(inside, np.maximum(1.0 - radius, 0.0), 0.0) * 0.5 * sum(TORSO_M)
        front = np.clip(z / np.maximum(radius, 1e-6), 0.0, 1.0)
        lateral = np.clip(sign * x / np.maximum(radius, 1e-6), 0.0, 1.0)
        out[:, column, 0] = np.max(depth * np.maximum(lateral, 0.35 * (1.0 - front)), axis=1)
        out[:, column, 1] = np.max(depth * front, axis=1)
    return out
