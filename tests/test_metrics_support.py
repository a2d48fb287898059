"""Support: what a body on a floor can do passes, what needs strings does not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from choreodb.benchmarks.metrics import support
from choreodb.errors import MetricError
from choreodb.motion.contacts import foot_points
from choreodb.motion.flight import G_M_S2
from choreodb.motion.kinematics import forward
from choreodb.motion.skeleton import CHOREO22, REST_PELVIS_HEIGHT_M

FPS = 60.0
Array = npt.NDArray[np.float64]


def body(path: Array, *, standing: bool = True) -> tuple[npt.NDArray[np.uint8], Array, Array]:
    """Contacts, joints and foot points of the rest pose moved along `path` [T, 3] from where it stands."""
    rotations = np.zeros((len(path), 22, 4))
    rotations[..., 0] = 1.0
    root = path + np.array([0.0, REST_PELVIS_HEIGHT_M, 0.0])
    positions, turned = forward(rotations, root, CHOREO22)
    contacts = np.full((len(path), 4), standing, dtype=np.uint8)
    return contacts, positions, foot_points(positions, turned)


def seconds(count: int = 240) -> Array:
    return np.arange(count) / FPS


def moved(x: Array | float = 0.0, y: Array | float = 0.0) -> Array:
    at = seconds()
    return np.stack([np.broadcast_to(x, at.shape), np.broadcast_to(y, at.shape), np.zeros_like(at)], axis=1)


def test_a_body_that_stands_is_held_by_its_feet() -> None:
    row = support.evaluate(*body(moved()), FPS)
    assert row == pytest.approx({"levitation": 0.0, "pull": 0.0, "friction": 0.0, "outside_m": 0.0}, abs=1e-9)


def test_a_body_that_hangs_in_the_air_levitates_and_one_that_falls_does_not() -> None:
    contacts, hanging, _ = body(moved(y=0.5), standing=False)
    assert support.levitation(contacts, hanging, FPS) == 1.0
    contacts, falling, _ = body(moved(y=20.0 - 0.5 * G_M_S2 * seconds() ** 2), standing=False)
    # the filter's ends are off by a few frames
    assert support.levitation(contacts[:60], falling[:60], FPS) < 0.15
    assert support.pull(falling[:60], FPS) < 0.15


def test_what_falls_faster_than_gravity_is_pulled() -> None:
    _, positions, _ = body(moved(y=-0.5 * 2.0 * G_M_S2 * seconds() ** 2))
    assert support.pull(positions, FPS) > 0.9


@pytest.mark.parametrize("hertz", [0.5, 1.0])
def test_friction_is_the_sideways_share_of_the_push(hertz: float) -> None:
    omega, reach = 2.0 * np.pi * hertz, 0.1
    contacts, positions, _ = body(moved(x=reach * np.sin(omega * seconds())))
    assert support.friction(contacts, positions, FPS) == pytest.approx(reach * omega**2 / G_M_S2, rel=0.1)
    assert support.friction(np.zeros_like(contacts), positions, FPS) == 0.0


def test_the_push_leaves_the_feet_as_the_body_is_shaken_harder_and_as_it_leans_further() -> None:
    contacts, positions, points = body(moved())
    leaning = [
        support.outside_m(contacts, positions, points + np.array([away, 0.0, 0.0]), FPS) for away in (0.0, 0.3, 0.5)
    ]
    assert leaning[0] == 0.0
    assert leaning[2] - leaning[1] == pytest.approx(0.2, abs=2e-3)
    shaken = [
        support.outside_m(contacts, body(moved(x=size * np.sin(2.0 * np.pi * seconds())))[1], points, FPS)
        for size in (0.01, 0.1, 0.2)
    ]
    assert shaken[0] < shaken[1] < shaken[2]


def test_distance_to_the_hull_agrees_with_a_naive_search(rng: np.random.Generator) -> None:
    corners, at, touching = rng.normal(size=(40, 4, 2)), rng.normal(size=(40, 2)), rng.random((40, 4)) < 0.7
    touching[:, 0] |= ~touching.any(axis=1)
    share = rng.dirichlet(np.full(4, 0.5), 20_000)
    for frame in range(40):
        shares = share * touching[frame]
        shares = shares[shares.sum(axis=1) > 0]
        hull = (shares / shares.sum(axis=1, keepdims=True)) @ corners[frame]
        naive = np.linalg.norm(hull - at[frame], axis=1).min()
        found = support._distance(at[frame : frame + 1], corners[frame : frame + 1], touching[frame : frame + 1])
        assert found[0] == pytest.approx(naive, abs=0.06)
        assert found[0] <= naive + 1e-9


@pytest.mark.parametrize("spoil", ["contacts", "short", "nan"])
def test_what_does_not_belong_together_is_refused(spoil: str) -> None:
    contacts, positions, points = body(moved())
    if spoil == "contacts":
        contacts = contacts[:-1]
    elif spoil == "short":
        contacts, positions, points = contacts[:5], positions[:5], points[:5]
    else:
        points[3, 0, 0] = np.nan
    with pytest.raises(MetricError, match="expected"):
        support.evaluate(contacts, positions, points, FPS)
