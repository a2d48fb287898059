"""Face channels: ARKit's names where morphs mean them, left and right exchanged, and their way through a library."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator
from walking import clip, place, reader, walk

from choreodb import cli
from choreodb.errors import MotionFormatError, StoreError
from choreodb.motion import glb, head, registry, smpl
from choreodb.motion.arkit import arkit_channels, to_arkit
from choreodb.motion.face import ARKIT52, partner
from choreodb.motion.gltf_file import open_gltf
from choreodb.motion.hands import relaxed_hands, with_hands
from choreodb.motion.mirror import mirror
from choreodb.motion.motion import Motion
from choreodb.motion.retarget import canonicalise
from choreodb.motion.rotations import angle, compose, inverse
from choreodb.motion.skeleton import CHOREO22, CHOREO52
from choreodb.retriever.stitch import stitch
from choreodb.storage import catalogue, specimen
from choreodb.storage.motion_table import blocks
from choreodb.storage.store import Store
from choreodb.storage.tables import CLIPS
from choreodb.storage.verify import verify

GOLDEN = Path(__file__).parent / "fixtures" / "library-format-1"
WALK = clip(walk(12.0, stride_m=0.3, step_s=0.5))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("jawOpen", ("jawOpen",)),
        ("EyeBlink_L", ("eyeBlinkLeft",)),
        ("head.mouthSmileRight", ("mouthSmileRight",)),
        ("Face.M_F00_000_00_Fcl_EYE_Close_R", ("eyeBlinkRight",)),
        ("Fcl_MTH_A", ("jawOpen",)),
        ("lookLeft", ("eyeLookOutLeft", "eyeLookInRight")),
        ("まばたき", ("eyeBlinkLeft", "eyeBlinkRight")),
        ("ウィンク２右", ("eyeBlinkRight",)),
        ("viseme_PP", ("viseme_PP",)),
        ("a", ("a",)),
    ],
)
def test_names_that_mean_arkit_channels(name: str, meant: tuple[str, ...]) -> None:
    assert arkit_channels([name]) == {name: meant}


def test_every_arkit_name_means_itself_and_vowels_count_together() -> None:
    assert arkit_channels(ARKIT52) == {name: (name,) for name in ARKIT52}
    assert arkit_channels(["a", "i", "u", "o"])["a"] == ("jawOpen",)


def test_morphs_of_one_channel_add_up_to_no_more_than_one() -> None:
    weights = np.array([[0.4, 0.3, 0.9], [0.9, 0.8, 0.0], [0.0, 0.0, 0.0]])
    mapped, names, said = to_arkit(weights, ("まばたき", "ウィンク", "mood"))
    assert names == ("eyeBlinkLeft", "eyeBlinkRight", "mood")
    assert np.allclose(mapped, [[0.7, 0.4, 0.9], [1.0, 0.9, 0.0], [0.0, 0.0, 0.0]])
    assert said is not None
    assert "まばたき = eyeBlinkLeft + eyeBlinkRight" in said
    assert said.endswith("1 under their own")
    kept, names, said = to_arkit(weights, ("x", "y", "z"))
    assert np.array_equal(kept, weights)
    assert names == ("x", "y", "z")
    assert said is None


def _faced(names: tuple[str, ...], fps: float = 60.0) -> Motion:
    rotations, root, _ = WALK
    weights = 0.5 + 0.5 * np.sin(np.arange(len(root))[:, None] * (0.05 + 0.02 * np.arange(len(names))))
    return Motion(
        rotations.astype(np.float64), root.astype(np.float64), CHOREO22, fps, face=weights, face_names=names
    ).validate()


def test_canonical_motion_keeps_the_face_at_its_own_times() -> None:
    source = _faced(("jawOpen", "mood"), fps=30.0)
    found = canonicalise(source).motion
    assert found.face is not None
    assert source.face is not None
    assert found.face_names == ("jawOpen", "mood")
    assert len(found.face) == len(found)
    assert np.allclose(found.face[::2], source.face[: (len(found) + 1) // 2], atol=1e-9)
    assert np.allclose(found.face[1:-1:2], 0.5 * (source.face[:-1] + source.face[1:])[: len(found.face[1:-1:2])])


def test_the_mirror_image_winks_with_the_other_eye() -> None:
    once = mirror(_faced(("eyeBlinkLeft", "eyeBlinkRight", "jawOpen")))
    source = _faced(("eyeBlinkLeft", "eyeBlinkRight", "jawOpen"))
    assert once.face is not None
    assert source.face is not None
    assert np.array_equal(once.face, source.face[:, [1, 0, 2]])


# -- in a library ------------------------------------------------------------------------------------------------------


def test_a_library_keeps_faces(tmp_path: Path) -> None:
    store = specimen.make(tmp_path / "library")
    assert store.face_names("specimen/clip2") == ("jawOpen", "eyeBlinkLeft")
    assert store.face_names("specimen/clip0") == ()
    assert store.read_face("specimen/clip0", 0, 9) is None
    whole = specimen.random_face({"face": ["jawOpen", "eyeBlinkLeft"], "frames": 360})
    read = store.read_face("specimen/clip2", 200, 300)
    assert whole is not None
    assert read is not None
    assert np.array_equal(read, whole[200:300])
    found = catalogue.query_segments(store, "has_face", ["clip"]).column("clip").to_pylist()
    assert set(found) == {"specimen/clip2"}
    assert verify(store) == ()


def test_a_library_of_an_earlier_version_has_no_faces() -> None:
    store = Store.open(GOLDEN)
    assert store.face_names("specimen/clip1") == ()
    assert store.read_face("specimen/clip1", 0, 9) is None
    assert catalogue.query_segments(store, "has_face").num_rows == 0


def test_faces_that_do_not_fit_are_noticed(tmp_path: Path) -> None:
    store = specimen.make(tmp_path / "library")
    motion = specimen.random_motion(np.random.default_rng(0), 360, 22)
    row = store.table("clips").to_pylist()[0] | {"clip": "bad", "motion_key": "bad", "face": ["one", "two"]}
    clips = pa.concat_tables([store.table("clips"), pa.Table.from_pylist([row], schema=CLIPS)])
    for weights, words in (
        (None, "has 0 channels, and the clips table names 2"),
        (np.zeros((360, 3)), "has 3 channels, and the clips table names 2"),
        (np.full((360, 2), np.nan), "not finite"),
    ):
        after = store.commit(tables={"clips": clips}, append_motion=[blocks("bad", *motion, weights)])
        assert any(words in problem.what for problem in verify(after)), words
        if weights is None or weights.shape[1] == 3:
            with pytest.raises(StoreError, match="names 2 face channels"):
                after.read_face("bad", 0, 10)
        for file in (store.path / "manifests").glob("m-00000002.json"):
            file.unlink()
    with pytest.raises(StoreError, match="face has shape"):
        blocks("bad", *motion, np.zeros((3, 2)))


# -- in a dance --------------------------------------------------------------------------------------------------------


def _danced(*, mirrored: bool = False) -> tuple[npt.NDArray[np.float64], ...]:
    """A dance of a body, then hands and a face, then a body; its motion, hands, faced, and the one seam's frames."""
    rotations, root, contacts = WALK
    fist = np.broadcast_to(compose(relaxed_hands(), relaxed_hands()), (len(rotations), 30, 4))
    clips = {"body": WALK, "whole": (np.concatenate([rotations, fist], axis=1), root, contacts)}
    weights = np.tile([[0.8, 0.0, 0.3]], (len(root), 1))
    names = ("eyeBlinkLeft", "eyeBlinkRight", "mood")
    made = stitch(
        place([("body", 1.0, 3.0), ("whole", 5.0, 7.0), ("body", 2.0, 4.0)], [0.0, 2.0, 4.0, 6.0], mirrored=mirrored),
        reader(clips), {name: len(root) for name in clips},
        face_names={"whole": names}, read_face=lambda clip, first, stop: weights[first:stop],
    )  # fmt: skip
    assert made.motion.face is not None
    assert made.motion.face_names == names
    made.motion.validate()
    away = angle(compose(inverse(relaxed_hands()), made.motion.rotations[:, 22:])).max(axis=1)
    return made.motion.face, away, made.hands, made.faced, np.array([seam.frame for seam in made.seams])


def test_hands_and_face_come_and_go_smoothly_at_seams() -> None:
    weights, away, hands, faced, seams = _danced()
    assert len(seams) == 2
    assert np.array_equal(hands, faced)
    assert np.array_equal(np.flatnonzero(np.diff(hands.astype(int))) + 1, seams)
    middle = (seams[0] + seams[1]) // 2
    assert np.allclose(weights[middle], [0.8, 0.0, 0.3], atol=1e-6)
    assert np.allclose(weights[[0, -1]], 0.0, atol=1e-6)
    assert away[middle] > 0.3
    assert away[[0, -1]].max() < 2e-3
    # 0.8 is crossed within a blend of at least 0.2 s, and fingers with it
    assert np.abs(np.diff(weights, axis=0)).max() < 0.8 * 1.875 / 12
    assert np.abs(np.diff(away)).max() < away.max() * 1.875 / 12 + 1e-3
    assert weights.min() >= 0.0
    assert weights.max() <= 0.8 + 1e-6


def test_a_mirrored_step_winks_with_the_other_eye() -> None:
    weights, *_, seams = _danced(mirrored=True)
    assert np.allclose(weights[(seams[0] + seams[1]) // 2], [0.0, 0.8, 0.3], atol=1e-6)


def test_relaxed_hands_are_for_who_has_none() -> None:
    body = replace(_faced(("a",)), face=None, face_names=())
    whole = with_hands(body)
    assert whole.skeleton is CHOREO52
    assert np.allclose(whole.rotations[3, 22:], relaxed_hands())
    assert with_hands(whole) is whole


# -- in files ----------------------------------------------------------------------------------------------------------


def test_amass_keeps_the_face_and_says_which_hands_were_captured(tmp_path: Path) -> None:
    motion = _faced(("jawOpen", "mood"))
    captured = np.arange(len(motion)) < 100
    smpl.save(with_hands(motion), tmp_path / "some.npz", hands=captured)
    some = registry.read(tmp_path / "some.npz")
    assert some.skeleton is CHOREO52
    assert some.face_names == ("jawOpen", "mood")
    assert np.allclose(some.face, motion.face, atol=1e-6)  # type: ignore[arg-type]
    with np.load(tmp_path / "some.npz") as archive:
        assert np.array_equal(archive["hands_captured"], captured)
    smpl.save(with_hands(motion), tmp_path / "none.npz", hands=np.zeros(len(motion), dtype=bool))
    none = registry.read(tmp_path / "none.npz")
    assert none.skeleton is CHOREO22
    assert any("not captured" in note for note in none.notes)
    with pytest.raises(MotionFormatError, match="expected"):
        smpl.save(motion, tmp_path / "bad.npz", hands=np.zeros(3, dtype=bool))


def test_a_glb_has_a_morph_target_for_every_channel(tmp_path: Path) -> None:
    motion = _faced(("eyeBlinkLeft", "jawOpen", "mood"))
    glb.save(with_hands(motion), tmp_path / "a.glb", extras={"choreodb": {"hands": "relaxed"}})
    again = registry.read(tmp_path / "a.glb")
    assert again.face_names == motion.face_names
    assert np.allclose(again.face, motion.face, atol=1e-6)  # type: ignore[arg-type]
    document = open_gltf(tmp_path / "a.glb")
    mesh = document.item("meshes", 1)
    primitive = mesh["primitives"][0]
    assert len(primitive["targets"]) == len(mesh["weights"]) == 3
    rest = document.accessor(primitive["attributes"]["POSITION"])
    blink, jaw, mood = (document.accessor(target["POSITION"]) for target in primitive["targets"])
    assert rest.shape == blink.shape == jaw.shape
    assert np.all(blink[rest[:, 0] < 0.0] == 0.0)
    assert np.abs(blink[rest[:, 0] > 0.0]).max() > 0.005
    assert np.ptp((rest + jaw)[:, 1]) > np.ptp(rest[:, 1])
    assert not mood.any()
    assert document.document["scenes"][0]["extras"] == {"choreodb": {"hands": "relaxed"}}


def test_most_arkit_channels_move_the_face_and_the_two_sides_are_mirror_images() -> None:
    moved = dict(zip(ARKIT52, head.targets(ARKIT52), strict=True))
    assert sum(bool(shape.any()) for shape in moved.values()) >= 46
    rest = head.features().vertices.astype(np.float64)
    flipped = rest * [-1.0, 1.0, 1.0]
    other = np.argmin(np.linalg.norm(rest[:, None] - flipped[None], axis=-1), axis=1)
    assert np.allclose(rest[other], flipped, atol=1e-6)
    for name, shape in moved.items():
        assert np.allclose(moved[partner(name)][other], shape * [-1.0, 1.0, 1.0], atol=1e-9), name


def test_a_whole_dance_with_hands_and_a_face(tmp_path: Path, sample_song: Path, root: Path) -> None:
    source = tmp_path / "dancers"
    source.mkdir()
    for name, seed in (("body", 0), ("whole", 1)):
        motion = walk(16.0, stride_m=0.2, step_s=0.5, sway=1.0 + seed, turn_deg_s=40.0 * seed)
        if name == "whole":
            waves = 0.5 + 0.5 * np.sin(np.arange(len(motion))[:, None] * [0.05, 0.09])
            motion = replace(with_hands(motion), face=waves, face_names=("jawOpen", "eyeBlinkLeft"))
        smpl.save(motion, source / f"{name}.npz")
    assert cli.main(["index", str(source), "--library", str(tmp_path / "lib"), "--jobs", "1"]) == 0
    outputs = [part for suffix in ("bvh", "glb", "npz", "json") for part in ("-o", str(tmp_path / f"d.{suffix}"))]
    assert cli.main(["dance", str(tmp_path / "lib"), str(sample_song), *outputs]) == 0
    report = json.loads((tmp_path / "d.json").read_text())
    schema = json.loads((root / "docs" / "schema" / "report.schema.json").read_text())
    Draft202012Validator(schema).validate(report)
    captured = report["captured"]
    frames = report["dance"]["frames"]
    stated = np.zeros(frames, dtype=np.uint8)
    for span in captured["hands"]:
        stated[round(span["start_s"] * 60) : round(span["end_s"] * 60)] = span["kind"] == "captured"
    with np.load(tmp_path / "d.npz") as archive:
        assert np.array_equal(archive["hands_captured"], stated)
    assert stated.any()
    assert captured["hands"] == [
        {**span, "kind": span["kind"].replace("at rest", "relaxed")} for span in captured["face"]
    ]
    assert captured["face_channels"] == ["jawOpen", "eyeBlinkLeft"]
    for suffix in ("npz", "glb"):
        again = registry.read(tmp_path / f"d.{suffix}")
        assert again.face_names == ("jawOpen", "eyeBlinkLeft")
        assert again.face is not None
        assert 0.0 <= again.face.min() < again.face.max() <= 1.0
    assert len(registry.read(tmp_path / "d.bvh").skeleton) == 52
