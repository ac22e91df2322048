"""The routes: what each is asked, and what it does; a verb and its libraries are imported when it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from msgspec import Struct, convert
from msgspec.structs import replace

from nbprod.api.answers import (
    Answer,
    Declarations,
    Executed,
    Initialised,
    Inspection,
    Job,
    JobKind,
    Jobs,
    Preview,
    Readiness,
    RunParameters,
    Runs,
    Study,
    Versions,
)
from nbprod.api.worker import Task
from nbprod.server import package
from nbprod.server.requests import (
    About,
    Begun,
    Declared,
    Edited,
    Exported,
    Gathered,
    Listed,
    OfJob,
    OfRun,
    Previewed,
    Promoted,
    Ran,
    Studied,
)
from nbprod.server.site import Site

Inspected = TypeVar("Inspected", bound=Inspection)


class Route(Struct, frozen=True):
    """A route: `POST name` with a request, which asks (`read`) or changes something (`write`)."""

    name: str
    request: type[Struct]
    work: Callable[[Site, Any], Awaitable[Answer]]
    action: Literal["read", "write"] = "read"


async def inspect(site: Site, request: Edited) -> Inspection:
    """Cells, roles, suggestions, plan and findings of a notebook, as `nbprod inspect` prints them."""
    path, text = site.resolved(request.path), request.text
    return await asyncio.to_thread(_inspected, site, path, text)


async def study(site: Site, request: Studied) -> Study:
    """What `inspect` answers, with the comparison with the package and all that the sidebar shows."""
    path, text = site.resolved(request.path), request.text
    return await site.studies.ask(path, request.page, lambda: _studied(site, path, text))


async def export(site: Site, request: Exported) -> Job:
    """Begin to extract the notebook into a version of its package."""
    return await _begun(site, JobKind.EXPORT, request)


async def run(site: Site, request: Ran) -> Job:
    """Begin to run the notebook, and to fit, prove, track and register its package."""
    return await _begun(site, JobKind.RUN, request, request.parameters, anew=request.anew)


async def verify(site: Site, request: Exported) -> Job:
    """Begin to prove the package by replay."""
    return await _begun(site, JobKind.VERIFY, request)


async def reproduce(site: Site, request: OfRun) -> Job:
    """Begin to run a recorded run again, and to compare it with the record."""
    notebook = site.resolved(request.path)
    target = await asyncio.to_thread(package.writable, site, notebook)
    task = Task(JobKind.REPRODUCE, notebook, str(target.root), run=request.run_id)
    return await site.jobs.start(task, str(target.project.root))


async def gather(site: Site, request: Gathered) -> Job:
    """Begin to make the evidence of the checklist that takes time."""
    notebook = site.resolved(request.path)
    target = await asyncio.to_thread(package.writable, site, notebook)
    task = Task(JobKind.GATHER, notebook, str(target.root), anew=request.anew, items=request.items)
    return await site.jobs.start(task, str(target.project.root))


async def jobs(site: Site, request: Listed) -> Jobs:
    """The last jobs, of all notebooks or of one."""
    return site.jobs.jobs(None if request.path is None else site.resolved(request.path))


async def job(site: Site, request: OfJob) -> Job:
    """How a job stands."""
    return site.jobs.job(request.id)


async def cancel(site: Site, request: OfJob) -> Job:
    """End a job, and its kernel."""
    return await site.jobs.cancel(request.id)


async def preview(site: Site, request: Previewed) -> Preview:
    """The text of the package as the notebook would give it now, or of a version."""
    path, text = site.resolved(request.path), request.text
    return await asyncio.to_thread(package.previewed, site, path, text, request.version)


async def versions(site: Site, request: About) -> Versions:
    """The versions of the package."""
    return await asyncio.to_thread(package.versions, site, site.resolved(request.path))


async def promote(site: Site, request: Promoted) -> Versions:
    """Let `champion` stand for a version, where the gates let it pass."""
    return await asyncio.to_thread(package.promoted, site, site.resolved(request.path), request.version)


async def rollback(site: Site, request: About) -> Versions:
    """Let `champion` stand for what it stood for before."""
    return await asyncio.to_thread(package.rolled_back, site, site.resolved(request.path))


async def runs(site: Site, request: About) -> Runs:
    """The tracked runs of the package."""
    return await asyncio.to_thread(package.runs, site, site.resolved(request.path))


async def parameters(site: Site, request: About) -> RunParameters:
    """What a run of the saved notebook can be given."""
    return await asyncio.to_thread(package.parameters, site, site.resolved(request.path))


async def executed(site: Site, request: OfRun) -> Executed:
    """Put the executed notebook of a run beside the notebook, where a browser can open it."""
    return await asyncio.to_thread(package.executed, site, site.resolved(request.path), request.run_id)


async def init(site: Site, request: Begun) -> Initialised:
    """Write the project's configuration, and a hook before commits or a workflow where they are asked for."""
    asked = {"pre_commit": request.pre_commit, "github": request.github}
    return await asyncio.to_thread(lambda: package.initialised(site, site.resolved(request.path), **asked))


async def readiness(site: Site, request: About) -> Readiness:
    """The checklist with what is known of each item."""
    return await asyncio.to_thread(package.readiness, site, site.resolved(request.path))


async def declarations(site: Site, request: About) -> Declarations:
    """What can be declared of the pipeline, with what is declared."""
    return await asyncio.to_thread(package.declarations, site, site.resolved(request.path))


async def declare(site: Site, request: Declared) -> Declarations:
    """Write declarations into the project's configuration."""
    return await asyncio.to_thread(package.declared, site, site.resolved(request.path), request.values)


ROUTES = (
    Route("inspect", Edited, inspect),
    Route("study", Studied, study),
    Route("preview", Previewed, preview),
    Route("versions", About, versions),
    Route("promote", Promoted, promote, "write"),
    Route("rollback", About, rollback, "write"),
    Route("runs", About, runs),
    Route("parameters", About, parameters),
    Route("executed", OfRun, executed, "write"),
    Route("init", Begun, init, "write"),
    Route("readiness", About, readiness),
    Route("declarations", About, declarations),
    Route("declare", Declared, declare, "write"),
    Route("export", Exported, export, "write"),
    Route("run", Ran, run, "write"),
    Route("verify", Exported, verify, "write"),
    Route("gather", Gathered, gather, "write"),
    Route("reproduce", OfRun, reproduce, "write"),
    Route("jobs", Listed, jobs),
    Route("job", OfJob, job),
    Route("cancel", OfJob, cancel, "write"),
)


async def _begun(
    site: Site, kind: JobKind, request: Exported, parameters: dict[str, Any] | None = None, *, anew: bool = False
) -> Job:
    notebook = site.resolved(request.path)
    target = await asyncio.to_thread(package.writable, site, notebook)
    task = Task(kind, notebook, str(target.root), request.auto, parameters or {}, anew=anew)
    return await site.jobs.start(task, str(target.project.root))


def _inspected(site: Site, path: str, text: str | None) -> Inspection:
    from nbprod.api import inspect_notebook

    return _shown(site, convert(inspect_notebook(path, text), Inspection))


def _studied(site: Site, path: str, text: str | None) -> Study:
    from nbprod.api import watch_notebook

    return _shown(site, convert(watch_notebook(path, text), Study))


def _shown(site: Site, found: Inspected) -> Inspected:
    problem = found.plan_error and site.shown_problem(found.plan_error)
    return replace(found, notebook=site.shown(found.notebook), plan_error=problem)
