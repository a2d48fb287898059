"""Search by music and by motion, and plans with a predicate, on a small store made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from dance_material import LoudnessEncoder, make_grid, make_music, make_tables

from choreodb.errors import QueryError
from choreodb.indexer.encoders import recorded
from choreodb.indexer.encoders.base import Encoder
from choreodb.motion.motion import Motion
from choreodb.motion.skeleton import CHOREO22, REST_PELVIS_HEIGHT_M
from choreodb.music.music import Music
from choreodb.retriever.nearest import nearest_to_motion, nearest_to_music
from choreodb.retriever.options import PlanOptions
from choreodb.retriever.planner import plan
from choreodb.storage.motion_table import blocks
from choreodb.storage.store import Store

ENCODER: Encoder = LoudnessEncoder()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """4 clips of 6 bars with mirror images, half of them waltz."""
    segments, clips, arrays = make_tables(np.random.default_rng(5), mirrored=True, styles=("waltz", "tango"))
    keys = [f"key{number}" for number in range(len(clips))]
    clips = clips.set_column(clips.schema.get_field_index("motion_key"), "motion_key", [keys])
    parts = []
    for key, frames in zip(keys, clips.column("frames").to_pylist(), strict=True):
        still = np.zeros((frames, 22, 4), dtype=np.float32)
        still[..., 0] = 1.0
        planted = np.ones((frames, 4), dtype=np.uint8)
        parts.append(blocks(key, still, np.zeros((frames, 3), dtype=np.float32), planted))
    path = tmp_path_factory.mktemp("store") / "lib"
    return Store.create(path).commit(
        tables={"segments": segments, "clips": clips}, append_motion=parts, arrays=arrays, meta={}
    )


@pytest.fixture
def music() -> Music:
    return make_music(20.0, [make_grid(np.arange(0.0, 21.0, 0.5))], rests=[(0.0, 4.0)])


def test_every_window_has_its_nearest_segments_best_first(store: Store, music: Music) -> None:
    windows = nearest_to_music(store, music, top=3, encoder=ENCODER)
    assert len(windows) == 8
    assert (windows[0].start_s, windows[-1].end_s) == (4.0, 20.0)
    for window in windows:
        scores = [hit.score for hit in window.hits]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        assert all(hit.end_s - hit.start_s == 2.0 and hit.tempo_bpm == 120.0 for hit in window.hits)


def test_scores_are_cosines_and_mirror_images_are_one_hit(store: Store, music: Music) -> None:
    everything = nearest_to_music(store, music, top=1000, encoder=ENCODER)
    table = store.table("segments")
    assert all(len(window.hits) == table.num_rows // 2 for window in everything)
    for window in everything:
        assert len({(hit.clip, hit.start_s) for hit in window.hits}) == len(window.hits)
    steps = [window.start_s for window in everything]
    vectors = np.asarray(store.array("embeddings"))
    phase = np.array(steps)[:, None] * np.arange(1, 9) * 0.3
    queries = np.sin(phase) + 0.1
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    for window, query in zip(everything, queries, strict=True):
        for hit in window.hits[:5]:
            assert hit.score == pytest.approx(float(vectors[hit.segment] @ query), abs=1e-5)
        assert window.hits[0].score == pytest.approx(float((vectors @ query).max()), abs=1e-5)


def test_predicates_hold_and_matches_bound_the_hits(store: Store, music: Music) -> None:
    windows = nearest_to_music(store, music, top=9, where="style = 'waltz' and start_s < 4", encoder=ENCODER)
    assert all(len(window.hits) == 4 for window in windows)
    assert {hit.style for window in windows for hit in window.hits} == {"waltz"}
    assert {hit.start_s for window in windows for hit in window.hits} == {0.0, 2.0}


def test_wider_windows_span_more_bars(store: Store, music: Music) -> None:
    windows = nearest_to_music(store, music, window_bars=3, encoder=ENCODER)
    assert [(window.start_s, window.end_s) for window in windows] == [(4.0, 10.0), (10.0, 16.0), (16.0, 20.0)]


@pytest.mark.parametrize(
    ("wish", "message"),
    [({"top": 0}, "top is 0"), ({"window_bars": 0}, "window 0 bars"), ({"where": "style = 'polka'"}, "polka")],
)
def test_bad_wishes_are_one_line(store: Store, music: Music, wish: dict[str, object], message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        nearest_to_music(store, music, encoder=ENCODER, **wish)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_library_of_an_unknown_encoder_is_refused(store: Store) -> None:
    with pytest.raises(QueryError, match="index again"):
        recorded.of_store(store)


def test_plans_respect_a_predicate(store: Store, music: Music) -> None:
    found = plan(store, music, PlanOptions(where="style = 'tango' and not mirrored"), encoder=ENCODER)
    assert set(found.styles) == {"tango"}
    assert not any(placement.mirrored for placement in found.placements)
    with pytest.raises(QueryError, match="no segment matches"):
        plan(store, music, PlanOptions(where="tempo_bpm > 500"), encoder=ENCODER)


class _CountingEncoder(LoudnessEncoder):
    """Embeds motion windows by their place in the clip, as music windows are."""

    def embed_motion(self, motion, windows):  # type: ignore[no-untyped-def]
        return self.embed_music(None, windows)  # type: ignore[arg-type]


def test_a_motion_without_beats_is_searched_in_windows(store: Store) -> None:
    frames = 361
    rotations = np.zeros((frames, 22, 4), dtype=np.float32)
    rotations[..., 0] = 1.0
    root = np.zeros((frames, 3), dtype=np.float32)
    root[:, 1] = REST_PELVIS_HEIGHT_M
    windows = nearest_to_motion(store, Motion(rotations, root, CHOREO22, 60.0), top=2, encoder=_CountingEncoder())
    assert [round(window.start_s, 6) for window in windows] == [0.0, 2.0, 4.0]
    assert all(len(window.hits) == 2 for window in windows)
