"""The sample's ties between music and dance, tempo that moves, bodies of different size, and the ceiling of retrieval."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from choreodb import sample
from choreodb.errors import QueryError
from choreodb.motion import bvh
from choreodb.motion.kinematics import joint_positions
from choreodb.motion.retarget import canonicalise
from choreodb.sample import song as songs
from choreodb.sample.bands import bands_of
from choreodb.sample.performer import TROUPE, performer, skeleton
from choreodb.sample.styles import STYLES

FPS = 60.0


@pytest.mark.parametrize("kind", ["drift", "jump"])
@pytest.mark.parametrize("style", list(STYLES))
def test_tempo_moves_as_the_truth_says(style: str, kind: str) -> None:
    truth = songs.plan(style, 3, 16, kind=kind)  # type: ignore[arg-type]
    periods = np.diff(truth.beats_s)
    assert truth.tempo == kind
    assert truth.tempo_bpm == pytest.approx(60.0 / np.median(periods), rel=0.02)
    change = periods.max() / periods.min()
    assert 1.03 < change < 1.21
    steps = np.abs(np.diff(periods)) / periods[:-1]
    # after a phrase that slowed down the tempo is back at once
    rubato = bands_of(style)[0].rubato if kind == "drift" else 0.0
    assert (steps > 0.05 + 1.6 * rubato).sum() == (1 if kind == "jump" else 0)
    assert truth.sections[-1].end_s == pytest.approx(truth.downbeats_s[-1])
    if kind == "jump":
        border = truth.beats_s[int(np.argmax(steps)) + 1]
        assert any(border == pytest.approx(section.start_s) for section in truth.sections)


def test_the_waltz_has_songs_in_six() -> None:
    truth = songs.plan("waltz", 5, 6, metre=6)
    assert truth.metre == 6
    assert len(truth.beats_s) == 36
    assert 150.0 <= truth.tempo_bpm <= 180.0
    dance = sample.perform("waltz", 5, song=truth)
    assert sum(span.bars for span in dance.truth.phrases) == 6
    assert [span.start_s for span in dance.truth.phrases] == [
        pytest.approx(truth.downbeats_s[span.first_bar]) for span in dance.truth.phrases
    ]


def test_a_song_must_have_the_metre_of_the_dance() -> None:
    with pytest.raises(QueryError, match="in 3"):
        sample.perform("house", 0, song=songs.plan("waltz", 0, 4))
    with pytest.raises(QueryError, match="in 6"):
        songs.plan("house", 0, 4, metre=6)


def test_another_style_can_be_danced_to_a_song() -> None:
    truth = songs.plan("house", 4, 8)
    dance = sample.perform("groove", 4, song=truth)
    assert dance.truth.style == "groove"
    assert dance.truth.beats_s == truth.beats_s


def spans(relation: sample.Relation) -> list[tuple[float, float]]:
    """(the song's energy, the dancer's) of every phrase of a few dances."""
    out = []
    for seed in range(6):
        dance = sample.perform("house", seed, 16, relation=relation)
        level = {section.first_bar: section.energy for section in dance.truth.sections}
        for span in dance.truth.phrases:
            out.append((level[max(bar for bar in level if bar <= span.first_bar)], span.energy))
    return out


def test_strength_of_energy_is_what_it_says() -> None:
    tied, loose = (np.array(spans(sample.Relation(energy=value))) for value in (1.0, 0.0))
    assert tied[:, 0] == pytest.approx(tied[:, 1])
    assert abs(np.corrcoef(loose.T)[0, 1]) < 0.6


def test_strength_of_tempo_is_what_it_says() -> None:
    rates = {
        value: [
            span.rate
            for seed in range(5)
            for span in sample.perform("house", seed, 16, relation=sample.Relation(tempo=value)).truth.phrases
        ]
        for value in (0.0, 1.0)
    }
    assert set(rates[1.0]) == {1.0}
    assert 0.5 in rates[0.0]


@pytest.mark.parametrize(("value", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_strength_of_accents_is_what_it_says(value: float, share: float) -> None:
    truth = songs.plan("popping", 2, 16)
    dance = sample.perform("popping", 2, song=truth, relation=sample.Relation(accents=value))
    assert len(truth.accents) >= 3
    assert len(dance.truth.answered_s) == round(share * len(truth.accents))


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_a_strength_is_a_share(value: float) -> None:
    with pytest.raises(QueryError, match="section"):
        sample.Relation(section=value)


def test_performers_differ_in_size_and_come_back_by_retargeting(tmp_path: Path) -> None:
    sizes = [performer(name).leg for name in TROUPE]
    assert max(sizes) / min(sizes) > 1.1
    who = performer(max(TROUPE, key=lambda name: abs(performer(name).leg - 1.0)))
    dance = sample.perform("waltz", 1, 4, dancer=who)
    bvh.save(dance.in_proportion(who).motion, tmp_path / "a.bvh")
    again = canonicalise(bvh.load(tmp_path / "a.bvh"))
    assert again.scale == pytest.approx(who.leg, rel=0.005)
    assert np.linalg.norm(joint_positions(again.motion) - joint_positions(dance.motion), axis=-1).mean() < 0.015
    assert not np.allclose(skeleton(who).offsets, dance.motion.skeleton.offsets, atol=1e-3)


@pytest.mark.long
def test_jobs_make_no_difference(tmp_path: Path) -> None:
    for name, jobs in (("one", 1), ("two", 2)):
        sample.make(tmp_path / name, minutes=0.4, seed=2, styles=("popping", "waltz"), jobs=jobs)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) >= 6
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


def test_the_oracle_is_above_chance_and_each_clue_helps(tmp_path: Path) -> None:
    sample.make(tmp_path, minutes=2.0, seed=1, styles=("house", "groove"))
    report = sample.oracle(tmp_path, window_s=6.0)
    by_clue = [row[1] for row in report.recall.values()]
    assert report.chance[1] < by_clue[1] <= by_clue[-1] + 0.08
    assert all(0.0 <= value <= 1.0 for row in report.recall.values() for value in row.values())
    assert all(row[1] <= row[5] <= row[10] for row in report.recall.values())
    assert json.loads(json.dumps(report.as_dict()))["queries"] == report.queries
    assert len(report.text().splitlines()) == 3 + len(report.recall)


def test_the_oracle_wants_a_sample(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="no sample"):
        sample.oracle(tmp_path)
