"""The programs that dances are opened in, and the dances; whatever is not installed is skipped, with the reason."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walking import walk

from choreodb.motion import CHOREO52, Motion
from choreodb.motion.rotations import identity, rotvec_to_quat

HERE = Path(__file__).resolve().parent
SETUP = "run `make test-consumers`"


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Runs a script beside this file in Node and returns the JSON that it prints."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed")
    for package in ("three", "gltf-validator"):
        if not (HERE / "node_modules" / package).is_dir():
            pytest.skip(f"the npm package {package} is not installed; {SETUP}")

    def run(script: str, *arguments: object) -> Any:
        done = subprocess.run(
            [program, str(HERE / script), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def blender(root: Path) -> Callable[..., str]:
    """Runs a Python file with Blender's module `bpy` and returns what it printed."""
    program = Path(os.environ.get("CHOREODB_BLENDER_PYTHON", root / ".venv-blender" / "bin" / "python"))
    if not program.is_file():
        pytest.skip(f"no Python with Blender's bpy at {program}; {SETUP}, which needs Python 3.13")
    # without the folder of this project, which another Python cannot import
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(script: Path, *arguments: object) -> str:
        done = subprocess.run(
            [str(program), str(script), *map(str, arguments)], capture_output=True, text=True, timeout=300,
            check=False, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    return run


def wild(seed: int) -> Motion:
    """Turns of every size on every joint of body and hands, at an odd frame rate."""
    rng = np.random.default_rng(seed)
    turns = np.cumsum(rng.normal(size=(50, 52, 3)) * 0.15, axis=0) + rng.normal(size=(52, 3)) * 1.5
    root = np.cumsum(rng.normal(size=(50, 3)) * 0.02, axis=0) + np.array([3.0, 1.0, -2.0])
    return Motion(rotvec_to_quat(turns), root, CHOREO52, 24.691358)


def with_hands_and_face(body: Motion) -> Motion:
    """`body` with fingers that close and a face that talks."""
    frames = len(body)
    closing = 0.5 - 0.5 * np.cos(np.linspace(0.0, 4.0 * np.pi, frames))
    fingers = rotvec_to_quat(closing[:, None, None] * np.tile([0.0, 0.0, 1.2], (30, 1)))
    rotations = np.concatenate([body.rotations, fingers], axis=1)
    face = np.stack([closing, 1.0 - closing, 0.3 + 0.0 * closing], axis=1)
    return Motion(rotations, body.root, CHOREO52, body.fps, face=face, face_names=("jawOpen", "eyeBlinkLeft", "にこり"))


@pytest.fixture(scope="session")
def dancers() -> Mapping[str, Motion]:
    """Motions by what is special about them."""
    still = Motion(identity(1, 52), np.array([[0.0, 0.95, 0.0]]), CHOREO52, 60.0)
    return {"body": walk(2.0), "hands and face": with_hands_and_face(walk(2.0)), "wild": wild(4), "one frame": still}
