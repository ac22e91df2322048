"""What a coding agent is told, by a real client of a real `nbprod mcp`; nothing is run or written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from mcp import Client, StdioServerParameters

import nbprod
from nbprod import api
from nbprod.agents.server import server
from nbprod.agents.tools import Tools
from nbprod.errors import NbprodError

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": str(Path(nbprod.__file__).parents[1])}
HOSTILE = "# %% tags=['features']\nimport pathlib\npathlib.Path('ran').touch()\n"

Asked = Callable[..., Any]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with an exported package, a notebook that would leave a trace if it ran, and a way out."""
    folder = shutil.copytree(ROOT / "examples" / "titanic", tmp_path_factory.mktemp("agents") / "titanic")
    (folder / "hostile.py").write_text(HOSTILE)
    (folder.parent / "outside.ipynb").write_text('{"cells": []}')
    (folder / "link.ipynb").symlink_to(folder.parent / "outside.ipynb")
    api.export_notebook(str(folder / "titanic.ipynb"), output=str(folder / "pipelines"), auto=True)
    return folder


class Session(NamedTuple):
    """The tools that are listed, the result of every call of `CALLS` and `REFUSED`, and the files before and behind."""

    listed: list[Any]
    results: dict[str, Any]
    before: dict[str, str]
    behind: dict[str, str]


@pytest.fixture(scope="module")
def told(project: Path) -> Session:
    """The first session that the project sees."""
    before = snapshot(project)
    listed, results = anyio.run(session, project, [each.values[:2] for each in (*CALLS, *REFUSED)])
    return Session(listed, results, before, snapshot(project))


async def session(folder: Path, calls: Sequence[tuple[str, dict[str, Any]]]) -> tuple[list[Any], dict[str, Any]]:
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "nbprod", "mcp", str(folder)], env=ENVIRONMENT, cwd=folder.parent
    )
    async with Client(command) as client:
        listed = (await client.list_tools()).tools
        return listed, {key(name, given): await client.call_tool(name, given) for name, given in calls}


def key(name: str, given: dict[str, Any]) -> str:
    return json.dumps([name, given])


CALLS = [
    pytest.param("inspect", {"notebook": "titanic.ipynb"}, lambda got: got["plan"]["target"] == "Survived", id="plan"),
    pytest.param(
        "inspect", {"notebook": "hostile.py"}, lambda got: got["cells"][0]["role"] == "features", id="hostile"
    ),
    pytest.param("readiness", {"notebook": "hostile.py"}, lambda got: got["open"], id="hostile readiness"),
    pytest.param("slice", {"notebook": "titanic.ipynb", "name": "X"}, lambda got: len(got["slice"]) > 2, id="slice"),
    pytest.param("check", {"notebook": "titanic.ipynb"}, lambda got: got["verdict"] == "same", id="check"),
    pytest.param("check", {"notebook": "titanic.ipynb", "against": 1}, lambda got: got["verdict"] == "same", id="v1"),
    pytest.param(
        "preview",
        {"notebook": "titanic.ipynb"},
        lambda got: got["files"][0]["path"] == "features.py" and "lines" not in got["files"][0],
        id="preview",
    ),
    pytest.param(
        "preview",
        {"notebook": "titanic.ipynb", "version": 1, "with_lines": True},
        lambda got: got["version"] == 1 and got["files"][0]["lines"][0]["notebook_line"] >= 1,
        id="lines",
    ),
    pytest.param("stale", {"notebook": "titanic.ipynb"}, lambda got: got["status"] == "fresh", id="stale"),
    pytest.param(
        "diff", {"before": "titanic@1", "after": "titanic.ipynb"}, lambda got: got["verdict"] == "same", id="diff"
    ),
    pytest.param("versions", {"name": "titanic"}, lambda got: len(got["versions"]) == 1, id="versions"),
    pytest.param("show", {"name": "titanic", "version": 1}, lambda got: "Age" in got["inputs"], id="show"),
    pytest.param("trace", {"name": "titanic"}, lambda got: "Age" in got["features"], id="trace"),
    pytest.param(
        "trace",
        {"name": "titanic", "feature": "Age"},
        lambda got: [each["name"] for each in got["features"]] == ["Age"] and got["features"][0]["steps"],
        id="a feature",
    ),
    pytest.param(
        "readiness",
        {"notebook": "titanic.ipynb"},
        lambda got: got["blockers"] and [each["id"] for each in got["items"]] == got["open"],
        id="readiness",
    ),
    pytest.param(
        "readiness",
        {"notebook": "titanic.ipynb", "items": ["sk-6"]},
        lambda got: [each["state"] for each in got["items"]] == ["contradicted"],
        id="an item",
    ),
    pytest.param("explain", {"item": "SK-3"}, lambda got: got["title"] and got["why"], id="explain"),
]

REFUSED = [
    pytest.param("inspect", {"notebook": "../outside.ipynb"}, "error[outside-root]", id="above"),
    pytest.param("inspect", {"notebook": "/etc/hostname.ipynb"}, "error[not-found]", id="absolute, outside"),
    pytest.param("inspect", {"notebook": ".hidden.ipynb"}, "error[outside-root]", id="hidden"),
    pytest.param("inspect", {"notebook": "link.ipynb"}, "error[outside-root]", id="a link out"),
    pytest.param("diff", {"before": "titanic@1", "after": "../outside.ipynb"}, "error[outside-root]", id="a side"),
    pytest.param("versions", {"name": "../titanic"}, "error[bad-name]", id="no name"),
    pytest.param("versions", {"name": "other"}, "error[no-package]", id="no package"),
    pytest.param("explain", {"item": "SK-99"}, "error[no-item]", id="no item"),
    pytest.param("slice", {"notebook": "titanic.ipynb", "name": "XX_"}, "error[undefined-name]", id="no variable"),
    pytest.param("check", {}, "notebook\n  Field required", id="no notebook"),
]


@pytest.mark.parametrize("name, given, holds", CALLS)
def test_a_tool_tells_what_the_verb_tells(name: str, given: dict[str, Any], holds: Asked, told: Session) -> None:
    result = told.results[key(name, given)]
    assert not result.is_error, result.content
    assert holds(result.structured_content)
    assert json.loads(result.content[0].text) == result.structured_content


@pytest.mark.parametrize("name, given, said", REFUSED)
def test_an_error_says_what_to_do(name: str, given: dict[str, Any], said: str, told: Session) -> None:
    result = told.results[key(name, given)]
    assert result.is_error
    assert said in result.content[0].text
    assert "Traceback" not in result.content[0].text


def test_every_tool_is_listed_as_one_that_reads(told: Session) -> None:
    listed = {tool.name: tool for tool in told.listed}
    assert list(listed) == [tool.__name__ for tool in Tools(ROOT).all()]
    assert set(listed) == {each.values[0] for each in CALLS}
    for tool in listed.values():
        assert tool.annotations.read_only_hint
        assert len(tool.description) > 40
        assert "\n" not in tool.description


def test_nothing_is_run_or_written(told: Session, project: Path) -> None:
    assert told.behind == told.before
    assert not (project / "ran").exists()


def snapshot(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    with pytest.raises(NbprodError) as caught:
        server(tmp_path)
    assert caught.value.code == "no-mcp"
    assert "nbprod[mcp]" in (caught.value.hint or "")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nbprod", "mcp", str(tmp_path / "away")],
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "error[no-folder]" in done.stderr


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("sqlite:///{outside}", id="a database outside"),
        pytest.param("http://127.0.0.1:9", id="a server"),
    ],
)
def test_no_store_of_runs_is_asked_that_lies_elsewhere(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    outside = tmp_path / "other.db"
    outside.write_bytes(b"")
    monkeypatch.chdir(folder)
    (folder / "nbprod.toml").write_text(f'tracking_uri = "{uri.format(outside=outside.as_posix())}"\n')
    (folder / "a.py").write_text("# %%\nx = 1\n")
    with pytest.raises(NbprodError) as caught:
        Tools(folder).readiness("a.py")
    assert caught.value.code == "other-store"
    assert outside.read_bytes() == b""


def test_a_path_may_be_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text("# %%\nx = 1\n")
    assert Tools(tmp_path).inspect(str(tmp_path / "a.py"))["notebook"] == "a.py"
