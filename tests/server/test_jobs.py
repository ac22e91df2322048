"""Jobs: verbs that take long, begun over HTTP, followed, cancelled, and ended with the server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbprod import api
from nbprod.api import worker
from nbprod.api.answers import Job, JobState
from nbprod.api.worker import command

from .conftest import SOURCES, fill, notebook

LONGEST = 180


async def ended(ask, job):
    """The job once it has ended, and all progress that was seen on the way."""
    seen = []
    deadline = time.monotonic() + LONGEST
    while job["state"] == "running":
        assert time.monotonic() < deadline, job
        await asyncio.sleep(0.05)
        job = await ask("job", id=job["id"])
        if job["progress"] is not None and job["progress"] not in seen:
            seen.append(job["progress"])
    return job, seen


async def until(condition):
    deadline = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def sleeping(folder):
    """A notebook that notes the kernel's process in a file, and then sleeps."""
    sources = list(SOURCES)
    sources[3] = "import os, time\nopen('kernel.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    fill(folder, tuple(sources))


def kernel_of(folder):
    """The kernel's process id once it is noted, else None."""
    path = folder / "kernel.pid"
    text = path.read_text("utf-8") if path.exists() else ""
    return int(text) if text else None


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"


async def test_a_run_tells_of_its_cells_and_makes_a_version(project, ask):
    begun = await ask("run", path="rooms.ipynb", parameters={"rows": 38}, auto=False)
    assert (begun["kind"], begun["path"], begun["state"]) == ("run", "rooms.ipynb", "running")
    job, seen = await ended(ask, begun)

    assert (job["state"], job["error"]) == ("done", None), job
    assert job["result"]["verify"]["status"] == "proven"
    assert (job["result"]["package"], job["result"]["version"]) == ("pipelines/rooms/v0001", 1)
    assert (project / job["result"]["executed"]).is_file()
    assert str(project) not in json.dumps([job, seen])
    assert {"run", "fit", "verify"} <= {each["stage"] for each in seen}
    running = [each for each in seen if each["stage"] == "run"]
    assert {each["total"] for each in running} == {len(SOURCES)}
    cells = [each["cell"] for each in running if each["cell"] is not None]
    assert cells
    assert cells == sorted(cells)
    assert await ask("jobs", path="rooms.ipynb") == {"jobs": [job]}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked at in the Unix way")
async def test_one_job_at_a_time_that_ends_its_kernel_when_cancelled_and_names_the_cell_that_fails(
    project, ask, refusal
):
    sleeping(project)
    first = await ask("run", path="rooms.ipynb")
    await until(lambda: kernel_of(project) is not None)
    kernel = kernel_of(project)

    code, problem = await refusal("run", path="rooms.ipynb")
    assert (code, problem["code"]) == (409, "job-running")
    assert (await ask("job", id=first["id"]))["progress"]["cell"] == 3

    job = await ask("cancel", id=first["id"])
    assert (job["state"], job["error"], job["ended"] is None) == ("cancelled", None, False)
    await until(lambda: not is_alive(kernel))
    assert await ask("cancel", id=first["id"]) == job

    export, _ = await ended(ask, await ask("export", path="rooms.ipynb"))
    assert (export["state"], export["result"]["status"]) == ("done", "written")
    assert [each["id"] for each in (await ask("jobs"))["jobs"]] == [export["id"], first["id"]]

    fill(project, tuple("1 / 0" if number == 3 else source for number, source in enumerate(SOURCES)))
    failed, _ = await ended(ask, await ask("run", path="rooms.ipynb"))
    assert (failed["state"], failed["error"]["code"]) == ("failed", "cell-failed")
    assert (failed["error"]["where"]["path"], failed["error"]["where"]["cell"]) == ("rooms.ipynb", 3)


async def test_a_module_in_the_notebook_s_folder_takes_the_place_of_none(project, ask):
    for name in ("json", "msgspec", "nbprod"):
        (project / f"{name}.py").write_text("raise SystemExit('run from the folder of the notebook')", "utf-8")
    job, _ = await ended(ask, await ask("export", path="rooms.ipynb", auto=False))

    assert (job["state"], job["error"]) == ("done", None), job


async def test_verify_replays_the_run_that_was_made(ran, ask):
    job, _ = await ended(ask, await ask("verify", path="rooms.ipynb"))
    assert (job["state"], job["result"]["verify"]["status"]) == ("done", "proven"), job


@pytest.mark.parametrize("anew", [False, True])
async def test_a_run_restores_stages_unless_all_of_them_are_to_run_anew(anew, ask, project, monkeypatch):
    given = {}
    monkeypatch.setattr(api, "run_notebook", lambda path, **options: given.update(options, path=path) or {})
    tasks = []

    async def start(_jobs, task, folder):
        tasks.append(task)
        return Job("1", task.kind, folder, JobState.RUNNING, "2026-01-01T00:00:00Z")

    monkeypatch.setattr("nbprod.server.jobs.Board.start", start)
    await ask("run", path="rooms.ipynb", anew=anew)
    worker._done(tasks[0], lambda _: None)

    assert given["path"] == str(project / "rooms.ipynb")
    assert given["use_cache"] == (not anew)


async def test_a_run_is_made_again_from_its_record(ran, ask, project):
    (run,) = (await ask("runs", path="rooms.ipynb"))["runs"]
    job, seen = await ended(ask, await ask("reproduce", path="rooms.ipynb", run_id=run["run_id"]))
    assert (job["kind"], job["state"], job["error"]) == ("reproduce", "done", None), job
    assert (job["result"]["status"], job["result"]["run_id"]) == ("identical", run["run_id"])
    assert {"run", "fit", "verify"} <= {each["stage"] for each in seen}
    assert str(project) not in json.dumps([job, seen])
    assert len((await ask("versions", path="rooms.ipynb"))["versions"]) == 1
    assert len((await ask("runs", path="rooms.ipynb"))["runs"]) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked at in the Unix way")
def test_a_job_ends_with_its_server(tmp_path):
    sleeping(tmp_path)
    task = {"kind": "run", "notebook": str(tmp_path / "rooms.ipynb"), "output": str(tmp_path / "pipelines")}
    worker = subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=tmp_path)
    worker.stdin.write(json.dumps(task).encode() + b"\n")
    worker.stdin.flush()
    asyncio.run(until(lambda: kernel_of(tmp_path) is not None))
    worker.stdin.close()

    assert worker.wait(LONGEST) == 143
    asyncio.run(until(lambda: not is_alive(kernel_of(tmp_path))))


async def test_a_job_that_cannot_be_started_says_what_the_system_refused(project, ask, monkeypatch):
    monkeypatch.setattr("nbprod.server.jobs.command", lambda: [str(project / "no-python")])
    job = await ask("export", path="rooms.ipynb")
    assert (job["state"], job["error"]["message"]) == ("failed", "no such file or directory")
    assert job["error"]["where"]["path"] == "no-python"


@pytest.mark.parametrize("route", ["export", "run", "verify", "reproduce", "init"])
async def test_nothing_is_written_for_a_project_outside_of_the_root_folder(jp_root_dir, refusal, route):
    fill(jp_root_dir.parent)
    (jp_root_dir / "rooms.ipynb").write_text(json.dumps(notebook()), "utf-8")
    code, problem = await refusal(route, path="rooms.ipynb", run_id="0")
    assert (code, problem["code"]) == (403, "outside-root")
    assert not (jp_root_dir.parent / "pipelines").exists()


@pytest.mark.parametrize("route", ["export", "run", "promote"])
async def test_nothing_is_written_through_a_link_to_another_folder(project, refusal, route, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (project / "pipelines").symlink_to(tmp_path / "elsewhere")
    code, problem = await refusal(route, path="rooms.ipynb", version=1)
    assert (code, problem["code"]) == (403, "outside-root")


@pytest.mark.parametrize("route", ["export", "run", "verify", "versions", "promote", "rollback", "runs", "readiness"])
async def test_only_notebooks_that_are_there_are_worked_on(project, refusal, route):
    assert (await refusal(route, path="gone.ipynb", version=1))[1]["code"] == "not-found"
    assert (await refusal(route, path="rooms.csv", version=1))[1]["code"] == "not-a-notebook"
    assert (await refusal(route, path="../rooms.ipynb", version=1))[1]["code"] == "outside-root"


@pytest.mark.parametrize("route", ["job", "cancel"])
async def test_a_job_that_nobody_knows(refusal, route):
    assert await refusal(route, id="../x") == (404, (await refusal(route, id="x"))[1])
    assert (await refusal(route, id="x"))[1]["code"] == "no-job"


@pytest.mark.parametrize(
    "route, request_",
    [
        pytest.param("run", {"path": "rooms.ipynb", "parameters": []}, id="parameters that are no object"),
        pytest.param("run", {"path": "rooms.ipynb", "auto": "yes"}, id="a switch that is a text"),
        pytest.param("job", {}, id="no id"),
        pytest.param("promote", {"path": "rooms.ipynb"}, id="no version to promote"),
        pytest.param("promote", {"path": "rooms.ipynb", "version": "production"}, id="a version that is a text"),
        pytest.param("preview", {"path": "rooms.ipynb", "version": -1}, id="a version that can't be"),
        pytest.param("job", {"id": 3}, id="an id that is a number"),
    ],
)
async def test_a_malformed_request_is_refused(project, refusal, route, request_):
    code, problem = await refusal(route, **request_)
    assert (code, problem["code"]) == (400, "bad-request")
