"""How a route is asked over HTTP: authenticated, requests and answers as values, errors as JSON."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from msgspec import convert, json
from tornado import web

from nbprod import __version__
from nbprod.api.answers import Answer, Extension, JobKind, Problem
from nbprod.errors import NbprodError
from nbprod.server.requests import read
from nbprod.server.routes import ROUTES, Route
from nbprod.server.site import Site

API_VERSION = 1
_STATUS = {
    "bad-request": 400,
    "outside-root": 403,
    "not-found": 404,
    "no-executed": 404,
    "no-job": 404,
    "superseded": 409,
    "job-running": 409,
}

EXECUTES = frozenset({JobKind.RUN, JobKind.VERIFY, JobKind.REPRODUCE, JobKind.GATHER, "promote"})
"""Routes that run the notebook's code, or the package's that was made of it (as the gates do)."""

Handlers = list[tuple[str, type[APIHandler], dict[str, object]]]


def handlers(base_url: str, site: Site) -> Handlers:
    """Every route of the extension below the server's `base_url`."""
    below = url_path_join(base_url, "nbprod", "api", f"v{API_VERSION}")
    return [
        (url_path_join(below, "status"), StatusHandler, {"site": site}),
        *((url_path_join(below, each.name), _handler(each), {"site": site, "route": each}) for each in ROUTES),
    ]


def _handler(route: Route) -> type[APIHandler]:
    """Who asks for the rights that a route needs."""
    if route.name in EXECUTES:
        return ExecuteHandler
    return TellHandler if route.action == "write" else AskHandler


class NbprodHandler(APIHandler):
    """What the routes share: `site` is the server, `route` what is asked of it."""

    auth_resource = "contents"

    def initialize(self, site: Site, route: Route | None = None) -> None:
        """Keep what the application was given with the route."""
        self.site, self.route = site, route

    def answer(self, answer: Answer) -> None:
        """Answer with a value."""
        self.finish(json.encode(answer))

    def answer_error(self, error: NbprodError) -> None:
        """Answer with what happened, where, and what to do next."""
        problem = self.site.shown_problem(convert(error.as_json(), Problem))
        self.set_status(_STATUS.get(error.code, 422))
        self.finish(json.encode({"error": problem}))

    async def respond(self) -> None:
        """Read the request, do what the route does, and answer."""
        assert self.route is not None
        try:
            self.answer(await self.route.work(self.site, read(self.request.body, self.route.request)))
        except NbprodError as error:
            self.answer_error(error)


class StatusHandler(NbprodHandler):
    """`GET status`: that the extension is there, and which one."""

    @web.authenticated
    @authorized(action="read")
    async def get(self) -> None:
        """Answer with nbprod's version and the version of this API."""
        self.answer(Extension(__version__, API_VERSION))


class AskHandler(NbprodHandler):
    """A question that changes nothing."""

    @web.authenticated
    @authorized(action="read")
    async def post(self) -> None:
        """Answer."""
        await self.respond()


class TellHandler(NbprodHandler):
    """A request that changes something: it needs the right to write."""

    @web.authenticated
    @authorized(action="write")
    async def post(self) -> None:
        """Do it, and answer."""
        await self.respond()


class ExecuteHandler(NbprodHandler):
    """A request that runs code: it needs the right to write, and the right to run code in kernels."""

    @web.authenticated
    @authorized(action="write")
    @authorized(action="execute", resource="kernels")
    async def post(self) -> None:
        """Do it, and answer."""
        await self.respond()
