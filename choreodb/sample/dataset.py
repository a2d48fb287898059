"""Write a sample data set: dances as BVH with their songs, labels that the indexer reads, and the truth about both."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from choreodb.errors import QueryError
from choreodb.motion import bvh, face
from choreodb.sample import audio_file
from choreodb.sample import song as songs
from choreodb.sample.band import play
from choreodb.sample.performance import Performance, perform
from choreodb.sample.performer import TROUPE, performer
from choreodb.sample.relation import Relation
from choreodb.sample.styles import STYLES, Style, find
from choreodb.sample.truth import LICENCE, SAMPLE_VERSION, SongTruth, write_json

SONG_S = 34.0
"""Seconds a song is aimed at; longer data sets have more songs, not longer ones."""

SECOND_DANCE = 1.0
"""Share of each song that a second performer dances too."""

SHORTEST_DANCE_S = 7.0

FIRST_STYLES = ("house", "groove", "waltz", "popping")
"""What a small data set holds: a style with less than `STYLE_S` seconds of dance leaves nothing to choose from."""

STYLE_S = 75.0


@dataclass(frozen=True, slots=True)
class SampleClip:
    """One dance: paths relative to the data set, labels, seconds of motion, and the song's second at its first frame."""

    motion: str
    music: str
    style: str
    performer: str
    seconds: float
    music_start_s: float


@dataclass(frozen=True, slots=True)
class SampleManifest:
    """What `make` wrote."""

    out: Path
    version: int
    seed: int
    clips: tuple[SampleClip, ...]

    @property
    def seconds(self) -> float:
        """Seconds of dance."""
        return sum(clip.seconds for clip in self.clips)

    def text(self) -> str:
        """A short summary in words."""
        styles = sorted({clip.style for clip in self.clips})
        count, tunes = len(self.clips), len({clip.music for clip in self.clips})
        return (
            f"{self.out}: {count} dances to {tunes} songs, {self.seconds / 60.0:.1f} minutes, styles {', '.join(styles)} "
            f"(sample version {self.version}, seed {self.seed}, {LICENCE})"
        )


def make(
    out: Path | str,
    *,
    minutes: float = 5.0,
    seed: int = 0,
    styles: Sequence[str] | None = None,
    relation: Relation | None = None,
    half: int | None = None,
    jobs: int = 1,
) -> SampleManifest:
    """Write about `minutes` of dance with songs to the folder `out`, ready for `choreodb index`.

    OUT/STYLE/SONG.ogg, OUT/STYLE/SONG-PERFORMER.bvh with hands, its face in SONG-PERFORMER.face.npz, a truth `.json` for each,
    OUT/pairs.csv and OUT/clips.csv. styles: names; by default four, and one more for every 75 s beyond five minutes. relation:
    how closely dances follow their songs. half: 0 or 1 for dances of only every other phrase of each style, so that what is
    learnt from one half can be asked about phrases that it never held. jobs: processes to share the work. The same arguments give the same bytes, however
    many the jobs. QueryError for an unknown style, a length that is not positive, a half that is none, or no jobs.
    """
    folder = Path(out)
    chosen = [find(name) for name in (styles if styles is not None else _default_styles(minutes))]
    if not 0.0 < minutes <= 6000.0 or not chosen or jobs < 1:
        raise QueryError(
            f"cannot make {minutes} minutes of {len(chosen)} styles in {jobs} jobs; ask for 0 to 6000 minutes of at least one"
        )
    if half not in (None, 0, 1):
        raise QueryError(f"there is no half {half} of the phrases; expected 0 or 1")
    tasks = [task for style in chosen for task in _tasks(style, 60.0 * minutes / len(chosen), seed)]
    for style in chosen:
        (folder / style.name).mkdir(parents=True, exist_ok=True)
    write = partial(_song, folder, relation or Relation(), half)
    if jobs == 1 or len(tasks) == 1:
        made = [write(task) for task in tasks]
    else:
        with ProcessPoolExecutor(min(jobs, len(tasks)), get_context("spawn")) as pool:
            made = list(pool.map(write, tasks))
    clips = [clip for of_song in made for clip in of_song]
    _write_csv(folder / "pairs.csv", ("motion", "music", "music_start_s", "style", "performer", "licence"), [
        (clip.motion, clip.music, f"{clip.music_start_s:.6f}", clip.style, clip.performer, LICENCE) for clip in clips
    ])  # fmt: skip
    _write_csv(folder / "clips.csv", ("file", "style", "performer", "licence"), [
        (clip.motion, clip.style, clip.performer, LICENCE) for clip in clips
    ])  # fmt: skip
    return SampleManifest(folder, SAMPLE_VERSION, seed, tuple(clips))


def _default_styles(minutes: float) -> list[str]:
    """As many styles as `minutes` of dance have room for, the four first ones at least."""
    names = [*FIRST_STYLES, *(name for name in STYLES if name not in FIRST_STYLES)]
    room = 60.0 * minutes / STYLE_S
    return names if room >= len(names) else names[: max(int(room), len(FIRST_STYLES))]


def make_song(path: Path | str, *, style: str = "house", seconds: float = 60.0, seed: int = 1000) -> SongTruth:
    """Write one song of about `seconds` seconds to `path` (.ogg, .flac or .wav), its truth to `STEM.truth.json` beside it.

    QueryError for an unknown style or a length out of range.
    """
    target = Path(path)
    if not 4.0 <= seconds <= 3600.0:
        raise QueryError(f"cannot make a song of {seconds} seconds; ask for 4 to 3600")
    dance = find(style)
    tempo = songs.plan(dance, seed, 1).tempo_bpm
    truth = songs.plan(dance, seed, _bars(dance.metre, tempo, seconds))
    target.parent.mkdir(parents=True, exist_ok=True)
    played = play(truth)
    audio_file.write(target, played.samples, played.rate)
    write_json(truth, target.with_name(f"{target.stem}.truth.json"))
    return truth


def _bars(metre: int, tempo_bpm: float, seconds: float) -> int:
    """Bars that fill about `seconds`; an even number where there is room for it."""
    bar_s = 60.0 / tempo_bpm * metre
    bars = (seconds - songs.TAIL_S - 0.45) / bar_s
    return max(1, round(bars / 2.0) * 2 if bars >= 3.0 else round(bars))


@dataclass(frozen=True, slots=True)
class _Task:
    """One song to be written and danced. second_s: seconds of the second performer's dance, 0 for none."""

    name: str
    truth: SongTruth
    second_s: float
    seed: tuple[int, ...]


def _tasks(style: Style, seconds: float, seed: int) -> list[_Task]:
    """All songs of one style, with dances of about `seconds`; tempos over the style's whole range, some not steady."""
    count = max(1, round(seconds / (SONG_S * (1.0 + SECOND_DANCE))))
    number = list(STYLES).index(style.name)
    rng = np.random.default_rng([SAMPLE_VERSION, seed, number, 53])
    tasks: list[_Task] = []
    left = seconds
    for place in range(count):
        share = (place + float(rng.uniform(0.2, 0.8))) / count
        six = style.sixes and place % 4 == 1
        low, high = songs.SIXES_BPM if six else style.reach_bpm if count > 3 else style.tempo_bpm
        tempo = float(np.round(low + share * (high - low), 1))
        wanted = left / (count - place)
        alone = wanted < 1.6 * SHORTEST_DANCE_S
        bars = _bars(
            6 if six else style.metre,
            tempo,
            wanted if alone else wanted / (1.0 + SECOND_DANCE),
        )
        number_of_song = 10_000 + 1000 * seed + 100_000 * number + place
        kind = songs.kind_of(style.name, place)
        truth = songs.plan(style, number_of_song, bars, tempo, kind=kind, metre=6 if six else None)
        second = 0.0 if alone else min(wanted - truth.duration_s, truth.duration_s)
        second = second if second >= SHORTEST_DANCE_S else 0.0
        left -= truth.duration_s + second
        tasks.append(_Task(f"{style.name}-{place + 1:02d}", truth, second, (seed, number, place)))
    return tasks


def _song(folder: Path, relation: Relation, half: int | None, task: _Task) -> list[SampleClip]:
    """Write one song, a dance to all of it, and where the task says so a second performer's to a part of it."""
    truth = task.truth
    rng = np.random.default_rng([SAMPLE_VERSION, *task.seed, 59])
    played = play(truth)
    music = f"{truth.style}/{task.name}.ogg"
    audio_file.write(folder / music, played.samples, played.rate)
    write_json(truth, folder / truth.style / f"{task.name}.json")
    dancers = rng.permutation(len(TROUPE))
    clips = []
    for turn in range(1 + (task.second_s > 0.0)):
        who = performer(TROUPE[int(dancers[turn])])
        style = _danced(truth, relation, rng) if turn else truth.style
        dance = perform(
            style, truth.seed * 10 + turn, song=truth, dancer=who, phrases=_phrases(style, half), relation=relation,
            hands=True, face=True,
        )  # fmt: skip
        if turn:
            length = min(task.second_s, dance.truth.duration_s)
            start = float(rng.uniform(0.0, dance.truth.duration_s - length))
            dance = dance.part(start, start + length)
        clips.append(_write_dance(folder, f"{truth.style}/{task.name}-{who.name}", music, dance.in_proportion(who)))
    return clips


def _phrases(style: str, half: int | None) -> list[str] | None:
    """Names of every other phrase of a style from the calmest on, so that both halves have phrases for every energy."""
    calmest = sorted(STYLES[style].vocabulary, key=lambda phrase: (phrase.energy, phrase.name))
    return None if half is None else [phrase.name for phrase in calmest[half::2]]


def _danced(truth: SongTruth, relation: Relation, rng: np.random.Generator) -> str:
    """The style that a song is danced in: mostly its own, else another that fits its metre."""
    others = [style.name for style in STYLES.values() if style.name != truth.style and truth.metre % style.metre == 0]
    if not others or rng.random() < relation.style:
        return truth.style
    return others[int(rng.integers(len(others)))]


def _write_dance(folder: Path, name: str, music: str, dance: Performance) -> SampleClip:
    motion = f"{name}.bvh"
    bvh.save(dance.motion, folder / motion)
    face.save(dance.motion, face.sidecar(folder / motion))
    truth = replace(dance.truth, song=Path(music).name)
    write_json(truth, folder / f"{name}.json", contacts=_runs(dance))
    return SampleClip(motion, music, truth.style, truth.performer, truth.duration_s, truth.music_start_s)


def _runs(dance: Performance) -> dict[str, list[list[int]]]:
    """Contacts as runs of frames [first, stop) per foot point."""
    names = ("left_heel", "left_toe", "right_heel", "right_toe")
    out = {}
    for column, name in enumerate(names):
        edges = np.diff(np.concatenate([[0], dance.contacts[:, column].astype(np.int8), [0]]))
        starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        out[name] = np.stack([starts, stops], axis=1).tolist()
    return out


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
