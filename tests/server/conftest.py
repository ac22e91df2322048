"""A Jupyter server with the extension, in folders of its own."""

from __future__ import annotations

import pytest

# The fixtures and the hook that runs coroutine tests, for this folder alone.
from pytest_jupyter.jupyter_server import *  # noqa: F403


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"nbprod": True}}}
