"""The routes: what each is asked, and what it does; a verb and its libraries are imported when it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

from msgspec import Struct, convert
from msgspec.structs import replace

from nbprod.api.answers import Answer, Inspection, Study
from nbprod.server.requests import Edited, Studied
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


ROUTES = (Route("inspect", Edited, inspect), Route("study", Studied, study))


def _inspected(site: Site, path: str, text: str | None) -> Inspection:
    from nbprod.api import inspect_notebook

    return _shown(site, convert(inspect_notebook(path, text), Inspection))


def _studied(site: Site, path: str, text: str | None) -> Study:
    from nbprod.api import watch_notebook

    return _shown(site, convert(watch_notebook(path, text), Study))


def _shown(site: Site, found: Inspected) -> Inspected:
    problem = found.plan_error and site.shown_problem(found.plan_error)
    return replace(found, notebook=site.shown(found.notebook), plan_error=problem)
