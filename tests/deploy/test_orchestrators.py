"""What is deployed to Airflow and Kubeflow runs both examples there, and makes the version that nbprod makes itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import Struct

import nbprod
from tests.docs.walk_through import blocks, edit

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXAMPLES = [
    pytest.param(path.parent, id=path.parent.name, marks=pytest.mark.xdist_group(path.parent.name))
    for path in sorted((ROOT / "examples").glob("*/demo.toml"))
]
TITANIC, HOUSING = ROOT / "examples" / "titanic", ROOT / "examples" / "housing"
MENDED = blocks()[7][1]
"""What the walk-through changes in housing's notebook, so that nothing leaks any more."""

MOST_ROWS, LATER = 2000, 0.9
"""Rows of the data when the first version is made; the share of them that is there when it is trained again."""

INTERVAL = 'SINCE = ""\nUNTIL = ""'
"""A cell of parameters: nothing is given at first, and nothing changes with it."""

SCHEDULED = "2026-11-30T03:00:00+00:00"
"""For when a run of the weekly schedule was scheduled, which Kubeflow's local runner does not know."""

pytestmark = pytest.mark.orchestrator


class Trained(Struct):
    """A project with a first version, whose data has changed since; what training it again by nbprod alone gives."""

    folder: Path
    name: str
    data: str
    report: dict[str, Any]
    answers: bytes


def engine(name: str) -> str:
    """The interpreter of an engine's environment, which the Makefile builds."""
    python = ROOT / f".venv-{name}/bin/python"
    if not python.exists():
        pytest.skip(f"there is no .venv-{name} (make test-orchestrators builds it, where its packages can be had)")
    return str(python)


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1]), "NBPROD_PYTHON": sys.executable, **more}


def called(folder: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "nbprod", *words, "--format", "json", "--quiet"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answers(folder: Path, trained: Trained, version: int) -> bytes:
    """The file of predictions of a version, of which numbers are written as they are read."""
    called(folder, "score", f"{trained.name}@{version}", trained.data, "answers.csv")
    return (folder / "answers.csv").read_bytes()


def configure(folder: Path, name: str, notebook: str, *, promotes: bool) -> None:
    (folder / "nbprod.toml").write_text(
        f'[pipelines.{name}]\nnotebook = "{notebook}"\n'
        f'[pipelines.{name}.retraining]\ninterval = ["SINCE", "UNTIL"]\n'
        f'cadence = "weekly"\npromotes = {str(promotes).lower()}\n'
    )


def take_interval(path: Path) -> None:
    """Let a notebook have parameters for the time of which the data is, and no outputs of other data."""
    notebook = json.loads(path.read_text())
    for each in notebook["cells"]:
        if each["cell_type"] == "code":
            each.update(outputs=[], execution_count=None)
    cell = {"cell_type": "code", "id": "interval", "metadata": {"tags": ["parameters"]}, "source": INTERVAL}
    notebook["cells"].insert(0, {**cell, "outputs": [], "execution_count": None})
    path.write_text(json.dumps(notebook))


def cut(path: Path, rows: int) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[: rows + 1]))


MADE: dict[Path, Trained] = {}


@pytest.fixture
def trained(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The example, trained once by each process of the tests; a test works on a copy."""
    if example not in MADE:
        MADE[example] = _trained(example, tmp_path_factory.mktemp(example.name))
    return MADE[example]


def _trained(example: Path, here: Path) -> Trained:
    facts = tomllib.loads((example / "demo.toml").read_text())
    name, notebook = facts["name"], facts["notebook"]
    folder = shutil.copytree(example, here / "first" / name)
    data = max((folder / "data").glob("*.csv"), key=lambda path: path.stat().st_size)
    rows = min(MOST_ROWS, len(data.read_text().splitlines()) - 1)
    cut(data, rows)
    if example == HOUSING:
        edit(folder / notebook, MENDED)
    take_interval(folder / notebook)
    configure(folder, name, notebook, promotes=False)
    called(folder, "run", notebook, "--name", name, "--auto", "--no-verify")
    cut(data, int(rows * LATER))
    alone = shutil.copytree(folder, here / "alone" / name)
    trained = Trained(folder, name, data.relative_to(folder).as_posix(), {}, b"")
    trained.report = called(alone, "run", name, "--retrain")
    trained.answers = answers(alone, trained, trained.report["version"])
    return trained


@pytest.fixture
def copy(trained: Trained, tmp_path: Path) -> Path:
    return shutil.copytree(trained.folder, tmp_path / trained.name)


def is_the_same_version(folder: Path, trained: Trained, record: Mapping[str, Any]) -> None:
    assert record["version"] == trained.report["version"] == 2
    assert record["digest"] == trained.report["digest"]
    assert record["metrics"] == trained.report["metrics"]
    assert record["verify"]["status"] == trained.report["verify"]["status"]
    assert answers(folder, trained, 2) == trained.answers


# ------------------------------------------------------------------------------------------------------------ Airflow


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """An interpreter with Airflow, and the environment of one that keeps its state in sqlite."""
    python = engine("airflow")
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    settings = environment(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(home / "dags"),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__USAGE_DATA_COLLECTION__ENABLED="False",
    )
    done = subprocess.run(
        [python, "-m", "airflow", "db", "migrate"], env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return python, settings


def run_dag(airflow: tuple[str, dict[str, str]], folder: Path, name: str, *, is_copy: bool = False) -> dict[str, Any]:
    """Deploy, put the DAG into Airflow's folder, run it. It is a link, or a copy whose tries follow at once."""
    python, settings = airflow
    called(folder, "deploy", name, "airflow")
    dag = folder / f"deploy/{name}/airflow/nbprod_{name}.py"
    here = Path(settings["AIRFLOW_HOME"]) / "dags" / dag.name
    here.unlink(missing_ok=True)
    if is_copy:
        pause = "retry_delay=timedelta(seconds=60)"
        assert pause in dag.read_text()
        here.write_text(dag.read_text().replace(pause, "retry_delay=timedelta(seconds=1)"))
        settings = {**settings, "NBPROD_PROJECT": str(folder)}
    else:
        here.symlink_to(dag)
    done = subprocess.run(
        [python, str(HERE / "airflow_once.py"), str(here), "{}"],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line.removeprefix("told:") for line in done.stdout.splitlines() if line.startswith("told:")]
    assert told, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(told[0])


@pytest.mark.parametrize("example", EXAMPLES)
def test_airflow_makes_the_version_that_nbprod_makes_alone(
    example: Path, trained: Trained, copy: Path, airflow: tuple[str, dict[str, str]]
) -> None:
    # Titanic's notebook leaks, so that a gate stops it.
    is_stopped = example == TITANIC
    configure(copy, trained.name, f"{trained.name}.ipynb", promotes=True)
    told = run_dag(airflow, copy, trained.name)["tasks"]

    states = dict.fromkeys(("data", "features", "train", "prove"), "success")
    assert {name: task["state"] for name, task in told.items()} == {
        **states,
        "promote": "failed" if is_stopped else "success",
    }
    assert {task["tries"] for task in told.values()} == {1}
    stages = told["train"]["handed"]["return_value"]["stages"]
    assert {each["role"]: each["restored"] for each in stages}.items() >= {"data": True, "features": True}.items()
    is_the_same_version(copy, trained, told["prove"]["handed"]["return_value"])
    assert weeks_of(copy, told["prove"]["handed"]["return_value"]["run_id"]) == 1
    if is_stopped:
        gates = {gate["name"]: gate for gate in told["promote"]["handed"]["finding"]["gates"]}
        assert gates["readiness"]["blocks"]
        broken(airflow, copy, trained)
    listed = {each["number"]: each["aliases"] for each in called(copy, "versions", trained.name)["versions"]}
    assert listed == {1: [], 2: ["challenger"] if is_stopped else ["champion"]}


def weeks_of(folder: Path, run: str) -> float:
    """How long the interval is that a run was given."""
    start, end = map(datetime.fromisoformat, interval_of(folder, run))
    return (end - start) / timedelta(weeks=1)


def interval_of(folder: Path, run: str) -> tuple[str, ...]:
    """The interval that a run was given, by the notebook as it was executed."""
    executed = json.loads((folder / f".nbprod/runs/{run}/executed.ipynb").read_text())
    text = "\n".join("".join(cell["source"]) for cell in executed["cells"])
    found = (re.findall(rf"^{name} = ['\"](.+)['\"]", text, re.MULTILINE)[0] for name in ("SINCE", "UNTIL"))
    return tuple(found)


def broken(airflow: tuple[str, dict[str, str]], folder: Path, trained: Trained) -> None:
    """A file that can't be read is the outside world: it is tried again, and nothing goes on without it."""
    (folder / trained.data).write_bytes(b"\x00\xff")
    told = run_dag(airflow, folder, trained.name, is_copy=True)

    assert {name: (task["state"], task["tries"]) for name, task in told["tasks"].items()} == {
        "data": ("failed", 3),
        **dict.fromkeys(("features", "train", "prove", "promote"), ("upstream_failed", 0)),
    }


# ----------------------------------------------------------------------------------------------------------- Kubeflow


@pytest.mark.parametrize("example", EXAMPLES)
def test_kubeflow_makes_the_version_that_nbprod_makes_alone(
    example: Path, trained: Trained, copy: Path, tmp_path: Path
) -> None:
    python, out = engine("kfp"), tmp_path / "artifacts"
    deployed = called(copy, "deploy", trained.name, "kfp", "--python", python)
    assert {Path(each["path"]).name for each in deployed["files"]} == {"pipeline.py", "pipeline.yaml", "README.md"}
    is_compiled_well(copy, trained.name, python)

    # The local runner writes the name of its interpreter over that of an image.
    pipeline = copy / f"deploy/{trained.name}/kfp/pipeline.py"
    settings = environment(
        NBPROD_PROJECT=str(copy),
        NBPROD_SCHEDULED=SCHEDULED,
        PATH=f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}",
    )
    done = subprocess.run(
        [python, str(HERE / "kfp_once.py"), str(pipeline), str(out), "{}"],
        cwd=tmp_path,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    (run,) = out.iterdir()
    is_the_same_version(copy, trained, json.loads((run / "version/record").read_text()))
    given = json.loads((run / "version/executor_output.json").read_text())
    assert given["parameterValues"] == {
        "version": 2,
        "digest": trained.report["digest"],
        "run_id": json.loads((run / "version/record").read_text())["run_id"],
    }
    metrics = given["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert metrics == trained.report["metrics"]
    assert given["artifacts"]["model"]["artifacts"][0]["metadata"]["version"] == 2
    assert interval_of(copy, given["parameterValues"]["run_id"]) == ("2026-11-23T03:00:00+00:00", SCHEDULED)
    assert texts(run / "version/model") == texts(copy / f"pipelines/{trained.name}/v0002")


def is_compiled_well(folder: Path, name: str, python: str) -> None:
    """The same bytes again, up to date where no compiler is asked, no cache, and the project on a volume."""
    path = folder / f"deploy/{name}/kfp/pipeline.yaml"
    text = path.read_text()
    assert {each["state"] for each in called(folder, "deploy", name, "kfp", "--check")["files"]} == {"same"}
    path.unlink()
    called(folder, "deploy", name, "kfp", "--python", python)
    assert path.read_text() == text

    pipeline, platform = yaml.safe_load_all(text)
    tasks = pipeline["root"]["dag"]["tasks"]
    assert {name: task["cachingOptions"] for name, task in tasks.items()} == {key: {} for key in tasks}
    mounts = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    assert {mount["constant"] for each in mounts for mount in each["pvcMount"]} == {f"{name}-project"}
    scheduled = tasks["project"]["inputs"]["parameters"]["scheduled"]["runtimeValue"]["constant"]
    assert scheduled == "{{$.pipeline_job_schedule_time_utc}}", "which Kubeflow fills in"
    outputs = pipeline["components"]["comp-version"]["outputDefinitions"]
    assert {name: kind["artifactType"]["schemaTitle"] for name, kind in outputs["artifacts"].items()} == {
        "model": "system.Model",
        "metrics": "system.Metrics",
        "record": "system.Artifact",
    }
    assert {name: kind["parameterType"] for name, kind in outputs["parameters"].items()} == {
        "version": "NUMBER_INTEGER",
        "run_id": "STRING",
        "digest": "STRING",
    }


def texts(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
