"""The routes: each reads its request, calls one verb of `nbprod.api` in a thread, and answers with JSON."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from nbprod import __version__
from nbprod.errors import NbprodError
from nbprod.server.paths import resolve_inside, shown_path

API_VERSION = 1
_STATUS = {"outside-root": 403, "bad-request": 400}


def routes(base_url: str) -> list[tuple[str, type[APIHandler]]]:
    """Every route of the extension below the server's `base_url`."""
    return [
        (url_path_join(base_url, "nbprod", "api", f"v{API_VERSION}", name), handler)
        for name, handler in (("status", StatusHandler), ("inspect", InspectHandler), ("study", StudyHandler))
    ]


class NbprodHandler(APIHandler):
    """What the routes share: the root folder, the request's body, and errors as values."""

    auth_resource = "contents"

    @property
    def root(self) -> Path:
        """The folder that the server shows, and outside of which nothing is read."""
        return Path(self.settings["server_root_dir"])

    def notebook_path(self, body: dict[str, Any]) -> Path:
        """The notebook that the request is about."""
        path = body.get("path")
        if not isinstance(path, str) or not path:
            raise _bad_request("\"path\" must be the notebook's path below the server's folder")
        return resolve_inside(self.root, path, allow_hidden=bool(self.contents_manager.allow_hidden))

    def json_body(self) -> dict[str, Any]:
        """The request's JSON object."""
        try:
            body = json.loads(self.request.body)
        except ValueError as error:
            raise _bad_request("the request is not JSON") from error
        if not isinstance(body, dict):
            raise _bad_request("the request must be a JSON object")
        return body

    def answer_error(self, error: NbprodError) -> None:
        """Answer with what happened, where, and what to do next."""
        answer = error.as_json()
        if isinstance(answer["where"], dict):
            answer["where"]["path"] = shown_path(self.root, answer["where"]["path"])
        self.set_status(_STATUS.get(error.code, 422))
        self.finish(json.dumps({"error": answer}, ensure_ascii=False))


class StatusHandler(NbprodHandler):
    """`GET status`: that the extension is there, and which one."""

    @web.authenticated
    @authorized(action="read")
    async def get(self) -> None:
        """Answer with nbprod's version and the version of this API."""
        self.finish(json.dumps({"version": __version__, "api": API_VERSION}))


class InspectHandler(NbprodHandler):
    """`POST inspect`: cells, roles, suggestions, plan and findings of a notebook, as `nbprod inspect` prints them."""

    @web.authenticated
    @authorized(action="read")
    async def post(self) -> None:
        """Answer for `{"path": …, "content": …}`; `content` is the notebook as edited, or null for the saved file."""
        try:
            body = self.json_body()
            path = self.notebook_path(body)
            content = body.get("content")
            if content is not None and not isinstance(content, dict):
                raise _bad_request('"content" must be a notebook as JSON, or null')
            report = await asyncio.to_thread(self.work, str(path), content)
        except NbprodError as error:
            self.answer_error(error)
        else:
            self.finish(json.dumps(_with_shown_path(report, str(path), shown_path(self.root, str(path)))))

    @staticmethod
    def work(path: str, content: dict[str, Any] | None) -> dict[str, Any]:
        """Inspect the notebook."""
        from nbprod.api import inspect_notebook  # with the analysis, which no other route needs

        return inspect_notebook(path=path, content=content)


class StudyHandler(InspectHandler):
    """`POST study`: what `inspect` answers, with the comparison with the package and all that the sidebar shows."""

    @staticmethod
    def work(path: str, content: dict[str, Any] | None) -> dict[str, Any]:
        """Study the notebook."""
        from nbprod.api import watch_notebook

        return watch_notebook(path=path, content=content)


def _with_shown_path(value: Any, path: str, shown: str) -> Any:
    """`value` with `shown` in every place where the notebook's own path stands: the browser knows no other."""
    match value:
        case dict():
            return {key: _with_shown_path(each, path, shown) for key, each in value.items()}
        case list() | tuple():
            return [_with_shown_path(each, path, shown) for each in value]
        case _:
            return shown if value == path else value


def _bad_request(message: str) -> NbprodError:
    return NbprodError(message, code="bad-request")
