"""The texts that are deployed to Airflow; tests/deploy/test_orchestrators.py runs them."""

from __future__ import annotations

import ast
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nbprod import api
from nbprod.deploy.airflow import EXPORTER
from nbprod.errors import NbprodError
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import ODD, blocks, shell, written
from tests.deploy.flows import SALES, hostile, imports_of, sales

FOLDER = "deploy/sales/airflow"


def dag_of(deployment: Deployment) -> ast.Module:
    (text,) = (file.text for file in EXPORTER.files(deployment, FOLDER) if file.path.endswith(".py"))
    return ast.parse(text)


def tasks_of(tree: ast.Module) -> dict[str, dict[str, object]]:
    """The values that each task is given, where they are plain."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Nbprod"]
    return {
        str(given["task_id"]): given
        for call in calls
        if (given := {each.arg: value(each.value) for each in call.keywords if each.arg is not None})
    }


def value(node: ast.expr) -> object:
    return ast.unparse(node) if isinstance(node, ast.Call) else ast.literal_eval(node)


def constants_of(tree: ast.Module) -> dict[str, object]:
    return {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
    }


@pytest.mark.parametrize(
    "deployment, names",
    [
        pytest.param(SALES, ["data", "features", "train", "prove", "promote"], id="every stage"),
        pytest.param(sales(()), ["prove", "promote"], id="no stage"),
        pytest.param(sales(("data",), promotes=False), ["data", "prove"], id="a person promotes"),
        pytest.param(hostile(), ["data", "features", "train", "prove", "promote"], id="hostile texts"),
    ],
)
def test_each_step_is_a_task_behind_the_one_before_it(deployment: Deployment, names: Sequence[str]) -> None:
    tree = dag_of(deployment)
    found = tasks_of(tree)

    assert list(found) == names
    for step in deployment.flow.steps:
        task = found[step.name]
        assert task["arguments"] == list(step.arguments)
        assert task["hands"] == list(step.hands)
        assert (task["takes_parameters"], task["version_of"]) == (step.takes_parameters, step.version_of)
        assert task["retries"] == step.retries
        assert task["execution_timeout"] == f"timedelta(seconds={step.timeout})"
    order = [
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift)
    ]
    assert order == [f"step_{first} >> step_{second}" for first, second in itertools.pairwise(names)]


def test_a_text_of_a_person_stays_a_text() -> None:
    deployment = hostile()
    tree = dag_of(deployment)

    assert str(deployment.problem) in str(constants_of(tree)["DOC"])
    (owner,) = (
        node.values[node.keys.index(key)]
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and key.value == "owner"
    )
    assert ast.literal_eval(owner) == deployment.owner


@pytest.mark.parametrize(
    "deployment, cron",
    [
        pytest.param(SALES, "0 3 * * 1", id="as it is declared"),
        pytest.param(sales(cron=None), None, id="by hand"),
    ],
)
def test_the_schedule_is_that_of_retraining(deployment: Deployment, cron: str | None) -> None:
    assert constants_of(dag_of(deployment))["CRON"] == cron


def test_the_data_interval_goes_to_the_parameters_that_are_declared() -> None:
    assert constants_of(dag_of(SALES))["INTERVAL"] == ["since", "until"]


def test_a_dag_imports_the_standard_library_and_airflow() -> None:
    assert imports_of(dag_of(SALES)) - sys.stdlib_module_names == {"airflow"}


def test_the_notebook_is_given_nothing_that_is_airflow_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = dag_of(SALES)
    kept = [node for node in tree.body if isinstance(node, ast.Assign)]
    kept += [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "_environment"]
    found: dict[str, Any] = {"os": os, "Any": Any, "interval": lambda _: ("2026-01-01", "2026-01-02")}
    exec(compile(ast.Module(kept, []), "dag", "exec"), found)
    theirs = {"AIRFLOW__CORE__FERNET_KEY", "AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_VAR_TOKEN"}
    for name in (*theirs, "WAREHOUSE_PASSWORD", "AIRFLOW_HOME"):
        monkeypatch.setenv(name, "secret")

    given = found["_environment"](None, {})

    assert not theirs & set(given)
    assert {"WAREHOUSE_PASSWORD", "AIRFLOW_HOME", "PATH"} <= set(given)
    assert given["NBPROD_DATA_INTERVAL_END"] == "2026-01-02"


def test_the_files_have_no_places_left_to_fill() -> None:
    files = list(EXPORTER.files(SALES, FOLDER))

    assert [file.path for file in files] == [f"{FOLDER}/nbprod_sales.py", f"{FOLDER}/README.md"]
    assert not any("<<" in file.text for file in files)


def test_the_file_is_linked_from_a_folder_of_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(SALES, "airflow", tmp_path, ODD)
    for number, command in enumerate((blocks((folder / "README.md").read_text())[0], EXPORTER.steps(SALES, ODD)[0])):
        home = tmp_path / f"home {number}"
        (home / "dags").mkdir(parents=True)
        monkeypatch.setenv("AIRFLOW_HOME", str(home))
        shell(command, tmp_path)
        assert (home / "dags/nbprod_sales.py").samefile(folder / "nbprod_sales.py")


def test_an_interval_is_one_of_parameters_that_the_notebook_has(project: Path) -> None:
    table = "[pipelines.leavers]\nnotebook = 'leavers.ipynb'\nretraining.interval = ['DATA', '%s']\n"
    (project / "nbprod.toml").write_text(table % "UNTIL")
    with pytest.raises(NbprodError, match="names UNTIL, which is no parameter") as caught:
        api.deploy("leavers", "airflow")
    assert (caught.value.code, caught.value.hint) == ("bad-config", "it has DATA")

    (project / "nbprod.toml").write_text(table % "DATA")
    api.deploy("leavers", "airflow")
    dag = ast.parse((project / "deploy/leavers/airflow/nbprod_leavers.py").read_text())
    assert constants_of(dag)["INTERVAL"] == ["DATA", "DATA"]
    assert [*tasks_of(dag)][-2:] == ["prove", "promote"]
