"""Library: what a user opens; it composes storage, retriever and refiner."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from choreodb import __version__
from choreodb.dance import Dance
from choreodb.errors import MotionFormatError, QueryError
from choreodb.retriever.options import PlanOptions
from choreodb.storage.store import Store
from choreodb.threads import one_thread

if TYPE_CHECKING:
    import networkx

    from choreodb.indexer.encoders.base import Encoder
    from choreodb.motion.motion import Motion
    from choreodb.music.music import Music
    from choreodb.refiner.denoiser.denoiser import Denoiser, RefineOptions
    from choreodb.refiner.denoiser.refine import Told
    from choreodb.retriever.nearest import NearestWindow
    from choreodb.retriever.plan import Plan
    from choreodb.retriever.stitch import Stitched
    from choreodb.storage.verify import Problem

ProgressCall = Callable[[str, int, int], None]
Refine = Literal["none", "physics", "seams", "all"]
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The windows of a query with their nearest segments. query: what was asked, as JSON values."""

    windows: tuple[NearestWindow, ...]
    query: dict[str, Any]
    library_version: int

    def as_dict(self) -> dict[str, Any]:
        """One JSON document (`docs/schema/search.schema.json`)."""
        windows = [asdict(window) for window in self.windows]
        for window in windows:
            window["hits"] = list(window["hits"])
        return {
            "schema_version": SCHEMA_VERSION,
            "library_version": self.library_version,
            "query": self.query,
            "windows": windows,
        }

    def text(self) -> str:
        """A table for people."""
        lines = []
        for window in self.windows:
            lines.append(f"{window.start_s:8.2f} - {window.end_s:.2f} s")
            for hit in window.hits:
                tempo = f"{hit.tempo_bpm:6.1f} bpm" if hit.tempo_bpm else "   no beats"
                turned = " mirrored" if hit.mirrored else ""
                timing = "" if hit.timing is None else f"  (near {hit.nearness:.3f}, timing {hit.timing:.3f})"
                lines.append(
                    f"    {hit.score:6.3f}{timing}  {tempo}  {hit.style or '-':<12} {hit.clip}  {hit.start_s:.2f}-{hit.end_s:.2f} s{turned}"
                )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class LibraryInfo:
    """Facts about a library, as JSON values (`docs/schema/info.schema.json`)."""

    facts: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """One JSON document."""
        return self.facts

    def text(self) -> str:
        """The same for people."""
        facts = self.facts
        lines = [
            f"{facts['name']}, version {facts['version']} (versions {', '.join(map(str, facts['versions']))})",
            f"{facts['clips']} clips ({facts['paired']} with music), {facts['seconds']:.1f} s of motion, "
            f"{facts['segments']} segments, {facts['transitions']} transitions",
            f"{facts['seconds_walkable']:.1f} s can be danced without a dead end",
            _twin_text(facts["twins"]),
            _encoder_text(facts["encoder"]),
            f"{facts['bytes'] / 1e6:.1f} MB on disk",
        ]
        for title in ("styles", "licences", "beat_sources", "datasets"):
            counts = ", ".join(f"{name} {count}" for name, count in facts[title].items())
            lines.append(f"{title.replace('_', ' ')}: {counts or 'none'}")
        return "\n".join(lines)


class Library:
    """An opened library, pinned to one version."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def open(cls, path: str | Path, *, version: int | str | None = None) -> Library:
        """Open the library at `path`, at its latest version or at `version` (a number or a tag); StoreError where there is none."""
        return cls(Store.open(path, version=version))

    def __repr__(self) -> str:
        return f"Library({self.store.name!r}, version {self.version})"

    @property
    def path(self) -> Path:
        """The library's folder; StoreError where it lies in an object store."""
        return self.store.path

    @property
    def version(self) -> int:
        """The version this library is pinned to."""
        return self.store.version

    @property
    def encoder(self) -> Encoder:
        """The encoder that made the library's embeddings."""
        from choreodb.indexer.encoders import recorded

        return recorded.of_store(self.store)

    def refuse_other_encoder(self, source: str | Path | None) -> None:
        """QueryError where `source` (a name, a path, an address) is another encoder than the library's; None is any."""
        if source is not None:
            from choreodb.indexer.encoders import recorded

            recorded.refuse_other(self.store, source)

    def plan(self, song: str | Path | Music, options: PlanOptions | None = None) -> Plan:
        """The best path found for `song`; QueryError where no segment matches."""
        from choreodb.music.music import Music
        from choreodb.retriever import planner

        music = song if isinstance(song, Music) else Music.load(song)
        with one_thread():
            return planner.plan(self.store, music, options)

    def dance(
        self,
        song: str | Path,
        *,
        seed: int = 0,
        where: str | None = None,
        stage_m: tuple[float, float] | None = (6.0, 6.0),
        options: PlanOptions | None = None,
        refine: Refine = "physics",
        refiner: str | Path | Denoiser | None = None,
        strength: float | None = None,
        bpm: float | None = None,
        beats: str | Path | None = None,
        metre: int | None = None,
        progress: ProgressCall | None = None,
    ) -> Dance:
        """A dance to `song`, as long as the song.

        seed: another dance for every number. where: predicate over the segments view. stage_m: width and depth in
        metres, None for no stage. options: everything that can be asked of the plan, instead of these three. refine:
        `physics` locks feet and keeps them above the floor, `none` leaves the stitched motion alone, `seams` and `all` let the
        trained `refiner` (weights) change blends or everything first, with noise of `strength` 0 to 1. bpm, beats,
        metre: override the song's own. Errors: MusicFormatError, QueryError.
        """
        options = options or PlanOptions(where=where, seed=seed, stage_m=stage_m)
        return self.dances(
            song,
            1,
            options=options,
            refine=refine,
            refiner=refiner,
            strength=strength,
            bpm=bpm,
            beats=beats,
            metre=metre,
            progress=progress,
        )[0]

    def dances(
        self,
        song: str | Path,
        count: int,
        *,
        options: PlanOptions | None = None,
        refine: Refine = "physics",
        refiner: str | Path | Denoiser | None = None,
        strength: float | None = None,
        bpm: float | None = None,
        beats: str | Path | None = None,
        metre: int | None = None,
        progress: ProgressCall | None = None,
    ) -> list[Dance]:
        """`count` truly different dances to `song`: the cheapest, then others that cost little more."""
        if count < 1:
            raise QueryError(f"{count} is not a number of dances; ask for at least 1")
        with one_thread():
            return self._dances(
                Path(song), count, options or PlanOptions(), refine, refiner, strength, bpm, beats, metre, progress
            )

    def _dances(
        self,
        song: Path,
        count: int,
        options: PlanOptions,
        refine: Refine,
        refiner: str | Path | Denoiser | None,
        strength: float | None,
        bpm: float | None,
        beats: str | Path | None,
        metre: int | None,
        progress: ProgressCall | None,
    ) -> list[Dance]:
        from choreodb.music.music import Music
        from choreodb.refiner import modes
        from choreodb.report import dance_report
        from choreodb.retriever import planner

        denoiser, how = _refiner(refine, refiner, strength, options.seed)
        modes.check(refine, denoiser)
        tell = progress or (lambda stage, done, total: None)
        watch = _Stopwatch()
        tell("listening", 0, 0)
        music = Music.load(song, bpm=bpm, beats=beats, metre=metre)
        watch.lap("music_s")
        tell("planning", 0, 0)
        plans = planner.plans(self.store, music, options, count=count)
        watch.lap("plan_s")
        found = []
        for number, plan in enumerate(plans):
            tell("stitching", number, count)
            stitched = self.stitch(plan, refine="none")
            told = _told(self.store, music, plan) if refine in ("seams", "all") else None
            stitched, warnings = modes.refine(stitched, refine, denoiser=denoiser, told=told, options=how)
            watch.lap("stitch_s")
            report = dance_report(self.store, music, plan, stitched, refine=refine)
            report["warnings"] += warnings
            found.append(Dance(stitched.motion, stitched.contacts, stitched.hands, report, watch.run(), song))
        return found

    def before_and_after(
        self,
        song: str | Path,
        *,
        options: PlanOptions | None = None,
        refine: Refine = "physics",
        refiner: str | Path | Denoiser | None = None,
        strength: float | None = None,
        bpm: float | None = None,
        beats: str | Path | None = None,
        metre: int | None = None,
    ) -> tuple[Stitched, Stitched, list[str]]:
        """The dance of `dance` as it was joined, as it was refined, and what the refiner warns of."""
        from choreodb.music.music import Music
        from choreodb.refiner import modes

        options = options or PlanOptions()
        denoiser, how = _refiner(refine, refiner, strength, options.seed)
        modes.check(refine, denoiser)
        with one_thread():
            music = Music.load(Path(song), bpm=bpm, beats=beats, metre=metre)
            plan = self.plan(music, options)
            joined = self.stitch(plan, refine="none")
            told = _told(self.store, music, plan) if refine in ("seams", "all") else None
            refined, warnings = modes.refine(joined, refine, denoiser=denoiser, told=told, options=how)
        return joined, refined, warnings

    def stitch(self, plan: Plan, *, refine: Refine = "physics") -> Stitched:
        """The captured motion along `plan`, joined, and cleaned up unless refine is `none`."""
        from choreodb.refiner import modes
        from choreodb.retriever.stitch import DANCE, stitch

        modes.check(refine, None)
        used = {placement.clip for placement in plan.placements}
        columns = self.store.columns("clips", ["clip", "frames"])
        names, frames = columns.column("clip").to_pylist(), columns.column("frames").to_pylist()
        lengths = {name: count for name, count in zip(names, frames, strict=True) if name in used}
        stage_m = plan.options.stage_m
        faces = {clip: self.store.face_names(clip) for clip in lengths}
        stitched = stitch(
            plan.placements, self.store.read_motion, lengths, stage_m=stage_m, options=DANCE,
            face_names={clip: names for clip, names in faces.items() if names}, read_face=self.store.read_face,
        )  # fmt: skip
        return modes.refine(stitched, refine)[0]

    def search(
        self,
        *,
        music: str | Path | Music | None = None,
        motion: str | Path | Motion | None = None,
        top: int = 5,
        where: str | None = None,
        bpm: float | None = None,
        beats: str | Path | None = None,
        metre: int | None = None,
        timing: bool = True,
    ) -> SearchResult:
        """The `top` nearest segments for every window (a bar) of a song or of a clip; give exactly one of the two.

        timing: whether the order for a song also says how well a segment moves with some 25 s of it.
        """
        with one_thread():
            return self._search(music, motion, top, where, bpm, beats, metre, timing)

    def _search(
        self,
        music: str | Path | Music | None,
        motion: str | Path | Motion | None,
        top: int,
        where: str | None,
        bpm: float | None,
        beats: str | Path | None,
        metre: int | None,
        timing: bool,
    ) -> SearchResult:
        from choreodb.retriever import nearest, reranking

        if (music is None) == (motion is None):
            raise QueryError("search wants either music or motion; give exactly one of the two")
        if music is not None:
            from choreodb.music.music import Music

            song = music if isinstance(music, Music) else Music.load(music, bpm=bpm, beats=beats, metre=metre)
            windows = nearest.nearest_to_music(self.store, song, top=top, where=where, timing=timing)
            timed = timing and reranking.knows_timing(self.store)
            query: dict[str, Any] = {"music": song.path.name, "top": top, "where": where, "timing": timed}
        else:
            assert motion is not None
            windows = nearest.nearest_to_motion(self.store, _canonical(motion), top=top, where=where)
            name = Path(motion).name if isinstance(motion, str | Path) else None
            query = {"motion": name, "top": top, "where": where, "timing": False}
        return SearchResult(windows, query, self.version)

    def info(self) -> LibraryInfo:
        """Counts, labels, licences, versions."""
        clips = self.store.table("clips").to_pylist()
        columns = ["clip", "start_s", "end_s", "mirrored", "walkable", "twin_group"]
        segments = self.store.columns("segments", columns).to_pylist()
        walkable_s = sum(row["end_s"] - row["start_s"] for row in segments if row["walkable"] and not row["mirrored"])
        facts = {
            "schema_version": SCHEMA_VERSION,
            "name": self.store.name,
            "version": self.version,
            "versions": list(Store.versions(self.store.place)),
            "encoder": _encoder_facts(self.store),
            "clips": len(clips),
            "paired": sum(clip["music"] is not None for clip in clips),
            "songs": self.store.table("music").num_rows,
            "segments": len(segments),
            "transitions": self.store.columns("transitions", ["cost"]).num_rows,
            "seconds": round(sum(clip["duration_s"] for clip in clips), 6),
            "seconds_walkable": round(walkable_s, 6),
            "twins": _twin_facts(segments),
            "residual_cm": round(sum(clip["residual_cm"] for clip in clips) / max(len(clips), 1), 3),
            "bytes": sum(entry.bytes for entry in self.store.manifest.files()),
            "styles": _counts(clip["style"] for clip in clips),
            "licences": _counts(clip["licence"] for clip in clips),
            "datasets": _counts(clip["dataset"] for clip in clips),
            "beat_sources": _counts(clip["beat_source"] for clip in clips),
        }
        return LibraryInfo(facts)

    def verify(self) -> tuple[Problem, ...]:
        """What is wrong with the library's files; empty where all is well."""
        from choreodb.storage.verify import verify

        return verify(self.store.place, version=self.version)

    def graph(self) -> networkx.DiGraph:
        """The transition graph with segments as nodes and transition costs on the edges."""
        from choreodb.storage.graph import to_networkx

        return to_networkx(self.store)


def open(path: str | Path, *, version: int | str | None = None) -> Library:
    """Open a library; StoreError where there is none at `path`."""
    return Library.open(path, version=version)


def _refiner(
    refine: str, refiner: str | Path | Denoiser | None, strength: float | None, seed: int
) -> tuple[Denoiser | None, RefineOptions | None]:
    """The denoiser, by default a shipped one where a mode needs one, and how it is to be used; torch is imported only where
    there is one."""
    from choreodb.refiner.denoiser.denoiser import Denoiser, RefineOptions, shipped

    if refiner is None and refine in ("seams", "all") and shipped():
        refiner = shipped()[0]
    if refiner is None:
        if strength is not None:
            raise QueryError(
                f"strength {strength:g} is how far a trained refiner may go, and none is given; add --refiner FILE, or leave strength out"
            )
        return None, None

    usual = RefineOptions()
    how = RefineOptions(strength=usual.strength if strength is None else strength, seed=seed)
    return (Denoiser.load(refiner) if isinstance(refiner, str | Path) else refiner), how


def _told(store: Store, music: Music, plan: Plan) -> Told:
    from choreodb.indexer.encoders import recorded
    from choreodb.refiner.denoiser.told import of_song

    return of_song(music, plan, recorded.of_store(store))


def _canonical(motion: str | Path | Motion) -> Motion:
    from choreodb.motion import registry, retarget
    from choreodb.motion.motion import Motion

    if isinstance(motion, Motion):
        return retarget.to_canonical(motion)
    native = registry.read(Path(motion))
    try:
        return retarget.to_canonical(native)
    except MotionFormatError as error:
        raise MotionFormatError(f"{motion}: {error}") from None


def _counts(values: Any) -> dict[str, int]:
    counted = Counter("unknown" if value is None else str(value) for value in values)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _encoder_facts(store: Store) -> dict[str, Any]:
    """Name and hash of the encoder, and for a trained one its architecture and what it was trained on."""
    meta = store.meta.get("encoder", {})
    kept = {name: meta[name] for name in ("architecture", "trained_on") if name in meta}
    return {**store.encoder, **kept}


def _encoder_text(facts: dict[str, Any]) -> str:
    if "architecture" not in facts:
        training = "no training" if facts.get("name") == "rhythm" else "nothing is recorded of its training"
        return f"encoder {facts.get('name', 'unknown')}, hash {facts.get('sha256', 'unknown')[:16]}: {training}"
    trained_on = facts.get("trained_on", {})
    data = ", ".join(f"{key} {value}" for key, value in trained_on.items()) if trained_on else "data not stated"
    return f"encoder {facts['name']} ({facts['architecture']}), hash {facts['sha256'][:16]}, trained on {data}"


def _twin_facts(segments: list[dict[str, Any]]) -> dict[str, Any]:
    """Groups of captured segments that are the same dancing, what is in them, and how much that is of the library."""
    plain = [row for row in segments if not row["mirrored"]]
    twins = [row for row in plain if row["twin_group"] >= 0]
    seconds = sum(row["end_s"] - row["start_s"] for row in twins)
    return {
        "groups": len({row["twin_group"] for row in twins}),
        "segments": len(twins),
        "clips": len({row["clip"] for row in twins}),
        "seconds": round(seconds, 6),
        "share": round(len(twins) / max(1, len(plain)), 6),
    }


def _twin_text(twins: dict[str, Any]) -> str:
    if not twins["groups"]:
        return "no twins: no bar is danced in two places"
    return (
        f"twins: {twins['segments']} segments ({100.0 * twins['share']:.0f} %, {twins['seconds']:.1f} s) of {twins['clips']} "
        f"clips in {twins['groups']} groups, each danced again elsewhere and counted as one origin"
    )


class _Stopwatch:
    """Seconds per stage of a query, wall and CPU, for the `.run.json`."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        self._laps: dict[str, dict[str, float]] = {}

    def lap(self, name: str) -> None:
        """End the stage `name`."""
        wall, cpu = time.perf_counter(), time.process_time()
        self._laps[name] = {"wall": round(wall - self._wall, 4), "cpu": round(cpu - self._cpu, 4)}
        self._wall, self._cpu = wall, cpu

    def run(self) -> dict[str, Any]:
        """What varies from run to run."""
        return {
            "choreodb_version": __version__,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "seconds": self._laps,
        }
