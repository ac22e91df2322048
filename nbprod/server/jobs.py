"""Jobs: verbs that take long, each in a process of its own, whether or not a page that asked for it is still open."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from msgspec import convert, json
from msgspec.structs import replace

from nbprod.api.answers import Job, JobProgress, Jobs, JobState, Problem
from nbprod.api.progress import Progress
from nbprod.api.worker import Said, Task, command, end_group, first_line, outcome
from nbprod.errors import NbprodError, Where, from_system

KEPT = 20
PATIENCE = 15.0
"""Seconds that a job has to end its kernel after it was asked to."""
LONGEST_LINE = 1 << 26

Shown = Callable[[str], str]


class _Work:
    """A job and its process."""

    def __init__(self, job: Job, notebook: str) -> None:
        self.job = job
        self.notebook = notebook
        self.process: asyncio.subprocess.Process | None = None
        self.followed: asyncio.Task[None] | None = None
        self.is_cancelled = False


class Board:
    """The jobs of one server, the newest last. Lives on the event loop; `shown` gives texts the browser's paths."""

    def __init__(self, shown: Shown, shown_problem: Callable[[Problem], Problem]) -> None:
        self._shown = shown
        self._shown_problem = shown_problem
        self._works: dict[str, _Work] = {}

    async def start(self, task: Task, folder: str) -> Job:
        """Begin a job in `folder`. Raises NbprodError (`job-running`) where one for the notebook is under way."""
        for work in self._works.values():
            if work.notebook == task.notebook and work.job.state is JobState.RUNNING:
                raise NbprodError(
                    f"a job for this notebook is under way: {work.job.kind}, since {work.job.started}",
                    code="job-running",
                    where=Where(task.notebook),
                    hint="wait for it to end, or cancel it",
                )
        job = Job(uuid.uuid4().hex[:12], task.kind, self._shown(task.notebook), JobState.RUNNING, _now())
        work = self._works[job.id] = _Work(job, task.notebook)
        self._forget()
        try:
            await self._begin(work, task, folder)
        except OSError as error:
            self._end(work, JobState.FAILED, error=self._problem(from_system(error).as_json()))
        return work.job

    def job(self, identity: str) -> Job:
        """The job of that id. Raises NbprodError (`no-job`)."""
        return self._work(identity).job

    def jobs(self, notebook: str | None) -> Jobs:
        """The jobs, the newest first; those for one notebook where it is given."""
        works = reversed(self._works.values())
        return Jobs(tuple(work.job for work in works if notebook in (None, work.notebook)))

    async def cancel(self, identity: str) -> Job:
        """End a job with its kernel; one that has ended stays as it is."""
        work = self._work(identity)
        if work.process is None or work.followed is None or work.job.state is not JobState.RUNNING:
            return work.job
        work.is_cancelled = True
        with suppress(ProcessLookupError):
            work.process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(work.followed), PATIENCE)
        except TimeoutError:
            end_group(work.process.pid)
            await work.followed
        return work.job

    async def _begin(self, work: _Work, task: Task, folder: str) -> None:
        pipe, none = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        work.process = await asyncio.create_subprocess_exec(
            *command(),
            cwd=folder,
            stdin=pipe,
            stdout=pipe,
            stderr=none,
            limit=LONGEST_LINE,
            start_new_session=True,
        )
        assert work.process.stdin is not None
        work.process.stdin.write(first_line(task))
        work.followed = asyncio.create_task(self._follow(work, work.process))

    async def _follow(self, work: _Work, process: asyncio.subprocess.Process) -> None:
        """Note what the job says until its process has ended; however that comes, the job has ended then."""
        try:
            await self._note(work, process)
        finally:
            end_group(process.pid)
            if work.job.state is JobState.RUNNING:
                lost = Problem("job-died", "the server could not follow the job", "run it again")
                self._end(work, JobState.FAILED, error=lost)

    async def _note(self, work: _Work, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        last = Said()
        async for line in process.stdout:
            said = json.decode(line, type=Said)
            if said.progress is not None:
                work.job = replace(work.job, progress=self._as_answer(said.progress))
            else:
                last = said
        ended = outcome(last, await process.wait(), is_cancelled=work.is_cancelled)
        if ended.result is not None:
            self._end(work, JobState.DONE, result=_with_texts(_without_store(ended.result), self._shown))
        elif ended.error is not None:
            self._end(work, JobState.FAILED, error=self._problem(ended.error))
        else:
            self._end(work, JobState.CANCELLED)

    def _end(self, work: _Work, state: JobState, **ends: Any) -> None:
        work.job = replace(work.job, state=state, ended=_now(), **ends)

    def _problem(self, told: Mapping[str, Any]) -> Problem:
        return self._shown_problem(convert(told, Problem))

    def _as_answer(self, progress: Progress) -> JobProgress:
        text = self._shown(progress.text)
        return JobProgress(progress.stage, text, progress.done, progress.total, progress.cell)

    def _work(self, identity: str) -> _Work:
        work = self._works.get(identity)
        if work is None:
            raise NbprodError(
                "there is no such job",
                code="no-job",
                hint="a server that was started again knows no earlier job; the runs of the notebook are kept",
            )
        return work

    def _forget(self) -> None:
        ended = [identity for identity, work in self._works.items() if work.job.state is not JobState.RUNNING]
        for identity in ended[: max(0, len(self._works) - KEPT)]:
            del self._works[identity]


def _without_store(result: Mapping[str, Any]) -> dict[str, Any]:
    """A report without the address of the store of runs, which may hold a password."""
    return {key: value for key, value in result.items() if key != "tracking_uri"}


def _with_texts(value: Any, shown: Shown) -> Any:
    """A report as JSON, every text in it as `shown` has it."""
    match value:
        case str():
            return shown(value)
        case dict():
            return {key: _with_texts(part, shown) for key, part in value.items()}
        case list():
            return [_with_texts(part, shown) for part in value]
        case _:
            return value


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
