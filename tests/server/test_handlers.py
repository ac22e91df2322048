"""The routes, asked over HTTP on a running server."""

from __future__ import annotations

import json

import pytest
from tornado.httpclient import HTTPClientError

from nbprod.server.routes import ROUTES

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "id": "load",
            "execution_count": None,
            "metadata": {"tags": ["data"]},
            "outputs": [],
            "source": "import pandas as pd\ndf = pd.read_csv('rows.csv')",
        },
        {
            "cell_type": "code",
            "id": "prepare",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": "df['a'] = df['a'].fillna(df['a'].median())",
        },
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


async def ask(jp_fetch, body):
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    response = await jp_fetch("nbprod", "api", "v1", "inspect", method="POST", body=raw)
    return json.loads(response.body)


async def refusal(jp_fetch, body):
    with pytest.raises(HTTPClientError) as caught:
        await ask(jp_fetch, body)
    return caught.value.code, json.loads(caught.value.response.body)["error"]


async def test_status_names_the_version(jp_fetch):
    response = await jp_fetch("nbprod", "api", "v1", "status")
    import nbprod

    assert json.loads(response.body) == {"version": nbprod.__version__, "api": 1}


async def test_study_adds_the_package_to_what_inspect_tells(jp_fetch, jp_root_dir):
    (jp_root_dir / "a.ipynb").write_text(json.dumps(NOTEBOOK), "utf-8")
    body = json.dumps({"path": "a.ipynb", "content": None})
    response = await jp_fetch("nbprod", "api", "v1", "study", method="POST", body=body)
    study = json.loads(response.body)
    inspection = await ask(jp_fetch, {"path": "a.ipynb"})

    assert {key: study[key] for key in inspection} == inspection
    assert study["check"] == {"name": "a", "version": None, "verdict": "not-exported", "divergences": []}


@pytest.mark.parametrize("route", ["status", *(each.name for each in ROUTES)])
async def test_no_token_no_answer(jp_serverapp, http_server_client, jp_base_url, route):
    method, body = ("GET", None) if route == "status" else ("POST", json.dumps({"path": "a.ipynb"}))
    with pytest.raises(HTTPClientError) as caught:
        await http_server_client.fetch(f"{jp_base_url}nbprod/api/v1/{route}", method=method, body=body)
    assert caught.value.code == 403


async def test_inspects_the_saved_file(jp_fetch, jp_root_dir):
    (jp_root_dir / "a.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    report = await ask(jp_fetch, {"path": "a.ipynb"})
    assert report["notebook"] == "a.ipynb"
    assert [(cell["id"], cell["role"], cell["marked_by"]) for cell in report["cells"]] == [
        ("load", "data", "tag"),
        ("prepare", None, None),
    ]


async def test_inspects_what_is_edited_and_not_what_is_saved(jp_fetch, jp_root_dir):
    (jp_root_dir / "a.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    edited = json.loads(json.dumps(NOTEBOOK))
    edited["cells"][1]["metadata"]["tags"] = ["features"]
    report = await ask(jp_fetch, {"path": "a.ipynb", "content": edited})
    assert [cell["role"] for cell in report["cells"]] == ["data", "features"]


async def test_a_fault_in_the_notebook_is_named_with_its_place(jp_fetch, jp_root_dir):
    (jp_root_dir / "a.ipynb").write_text('{"cells": [', encoding="utf-8")
    code, error = await refusal(jp_fetch, {"path": "a.ipynb"})
    assert code == 422
    assert error.keys() == {"code", "message", "where", "hint"}
    assert error["where"]["path"] == "a.ipynb"
    assert str(jp_root_dir) not in json.dumps(error)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../secret.ipynb", id="one folder up"),
        pytest.param("sub/../../secret.ipynb", id="up through a folder"),
        pytest.param("/../secret.ipynb", id="up after a slash"),
        pytest.param("link/secret.ipynb", id="through a symbolic link"),
        pytest.param(".hidden/secret.ipynb", id="in a hidden folder"),
        pytest.param("nul\0byte.ipynb", id="a null byte"),
    ],
)
async def test_nothing_is_read_outside_of_the_root_folder(jp_fetch, jp_root_dir, path):
    outside = jp_root_dir.parent
    hidden = jp_root_dir / ".hidden"
    hidden.mkdir()
    for folder in (outside, hidden):
        (folder / "secret.ipynb").write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    (jp_root_dir / "link").symlink_to(outside)
    code, error = await refusal(jp_fetch, {"path": path})
    assert (code, error["code"]) == (403, "outside-root")
    assert "pandas" not in json.dumps(error)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="not JSON"),
        pytest.param([], id="not an object"),
        pytest.param({}, id="no path"),
        pytest.param({"path": 3}, id="a path that is no text"),
        pytest.param({"path": "a.ipynb", "content": "text"}, id="content that is no notebook"),
        pytest.param(b'{"path": "a.ipynb", "content": {"cells": "\xff"}}', id="content that is not UTF-8"),
    ],
)
async def test_a_malformed_request_is_refused(jp_fetch, body):
    code, error = await refusal(jp_fetch, body)
    assert (code, error["code"]) == (400, "bad-request")
