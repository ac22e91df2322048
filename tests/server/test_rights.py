"""What a person may do who may read and write files, and no more."""

from __future__ import annotations

import pytest
from jupyter_server.auth.authorizer import Authorizer

from nbprod.server.routes import ROUTES

from .test_jobs import ended


class FilesAlone(Authorizer):
    """Lets everybody read and write files, and nobody run anything."""

    def is_authorized(self, _handler, _user, action, resource):
        """Answer of files alone."""
        return (action, resource) in {("read", "contents"), ("write", "contents")}


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"nbprod": True}, "authorizer_class": FilesAlone}}


async def test_what_runs_code_needs_the_right_to_run_it_and_nothing_else_does(project, jp_fetch, refusal):
    codes = {}
    for route in ROUTES:
        response = await jp_fetch("nbprod", "api", "v1", route.name, method="POST", body="{}", raise_error=False)
        codes[route.name] = response.code
    assert {name for name, code in codes.items() if code == 403} == {"run", "verify", "reproduce", "gather", "promote"}


async def test_an_export_reads_and_writes_alone(project, ask):
    job, _ = await ended(ask, await ask("export", path="rooms.ipynb"))
    assert job["state"] == "done", job
