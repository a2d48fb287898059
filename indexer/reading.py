"""Reading: motion files and their songs become described clips, in processes where asked, in an order that depends on them alone."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context

from choreodb.errors import ChoreoError
from choreodb.indexer import ingest
from choreodb.indexer.ingest import Ingested, Task
from choreodb.indexer.labels import Problem
from choreodb.indexer.staging import Staging

_JOB_CLIPS = 8


def read_all_of(
    todo: Sequence[Task], staging: Staging, strict: bool, jobs: int | None
) -> Iterator[tuple[Task, Ingested | Problem, bool]]:
    """Every task with its result and whether that was kept by an earlier run, in an order that depends on the tasks alone."""
    ordered = _jobs(todo)
    unread = [[task for task in job if task not in staging] for job in ordered]
    with closing(_read([job for job in unread if job], strict, jobs or len(os.sched_getaffinity(0)))) as reader:
        for task in (task for job in ordered for task in job):
            if task not in staging:
                yield task, next(reader), False
                continue
            kept = staging.load(task)
            yield task, kept or ingest.ingest_all([task], strict)[0], kept is not None


def _read(jobs: Sequence[list[Task]], strict: bool, processes: int) -> Generator[Ingested | Problem]:
    """The results of all tasks in order of their jobs; a few jobs are in memory at a time."""
    if processes <= 1 or len(jobs) < 2:
        for job in jobs:
            for task in job:
                yield from ingest.ingest_all([task], strict)
        return
    # Ctrl-C reaches the whole process group; the readers leave it to this process to stop them
    pool = ProcessPoolExecutor(
        min(processes, len(jobs)),
        mp_context=get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        waiting = deque(jobs)
        running: deque[Future[list[Ingested | Problem]]] = deque()
        while waiting or running:
            while waiting and len(running) < 2 * processes:
                running.append(pool.submit(ingest.ingest_all, waiting.popleft(), strict))
            yield from running.popleft().result()
    except BrokenProcessPool:
        raise ChoreoError("a reading process was killed, perhaps for want of memory; index with fewer jobs") from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _jobs(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks that share a song go together, so that it is decoded once; in order of their first clip."""
    songs: dict[str, list[list[Task]]] = {}
    jobs = []
    for task in sorted(tasks, key=lambda task: task.source.clip):
        groups = songs.setdefault(task.music_sha256, []) if task.music_sha256 else []
        if not groups or len(groups[-1]) >= _JOB_CLIPS:
            groups.append([])
            jobs.append(groups[-1])
        groups[-1].append(task)
    return jobs
