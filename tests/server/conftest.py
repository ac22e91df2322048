"""A Jupyter server with the extension, in folders of its own, and a project whose notebook was run."""

from __future__ import annotations

import json
import shutil

import pytest

# The fixtures and the hook that runs coroutine tests, for this folder alone.
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPClientError

SOURCES = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "rows = 40",
    "df = pd.read_csv('rooms.csv').head(rows)",
    "df.describe()",
    "df['area'] = df['area'].fillna(df['area'].median())\ndf['big'] = df['area'] > 30",
    "X = df[['area', 'big', 'rooms']]\ny = df['price']\nmodel = LinearRegression()\nmodel.fit(X, y)",
    "other = LinearRegression(fit_intercept=False).fit(X, y)",
)
TAGS = {1: "parameters", 2: "data", 4: "features", 5: "train"}


def notebook(sources=SOURCES, tags=TAGS):
    """A notebook as JSON, its code cells named `c0`, `c1`, …"""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "execution_count": None,
            "metadata": {"tags": [tags[number]]} if number in tags else {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def fill(folder, sources=SOURCES):
    """The notebook, its data and a configuration."""
    rows = [f"{'' if n % 9 == 4 else 20 + n % 13},{1 + n % 4},{100 + 3 * (n % 13) + n % 5}" for n in range(40)]
    (folder / "rooms.csv").write_text("area,rooms,price\n" + "\n".join(rows) + "\n", "utf-8")
    (folder / "rooms.ipynb").write_text(json.dumps(notebook(sources)), "utf-8")
    (folder / "nbprod.toml").write_text(
        '[pipelines.rooms]\nnotebook = "rooms.ipynb"\nmodel = "model"\nowner = "team rooms"\n', "utf-8"
    )


@pytest.fixture
def jp_server_config():
    return {"ServerApp": {"jpserver_extensions": {"nbprod": True}}}


@pytest.fixture
def project(jp_root_dir):
    """The server's folder with a notebook that was never exported."""
    fill(jp_root_dir)
    return jp_root_dir


@pytest.fixture(scope="session")
def run_once(tmp_path_factory):
    from nbprod import api

    folder = tmp_path_factory.mktemp("ran")
    fill(folder)
    report = api.run_notebook(str(folder / "rooms.ipynb"), output=str(folder / "pipelines"))
    assert report["verify"]["status"] == "proven", report["verify"]
    return folder


@pytest.fixture
def ran(run_once, jp_root_dir):
    """The server's folder with a notebook that was run: its package has one version, fitted and proven."""
    shutil.copytree(run_once, jp_root_dir, dirs_exist_ok=True)
    return jp_root_dir


@pytest.fixture
def ask(jp_fetch):
    """Ask a route; gives its answer."""

    async def asked(route, **request):
        response = await jp_fetch("nbprod", "api", "v1", route, method="POST", body=json.dumps(request))
        return json.loads(response.body)

    return asked


@pytest.fixture
def refusal(ask):
    """Ask a route that refuses; gives the status and the problem."""

    async def refused(route, **request):
        with pytest.raises(HTTPClientError) as caught:
            await ask(route, **request)
        return caught.value.code, json.loads(caught.value.response.body)["error"]

    return refused
