"""A version of an earlier release, whose support modules lie beside the notebook's own, works on beside newer ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.codegen.runtime.asking import ask
from tests.codegen.runtime.sample import assemble, frame, imported
from tests.codegen.runtime.sheds import Sheds, asked, record, served, sheds_of, until

PLACES = [
    ("state.py", "Path(__file__).parents[1]", "Path(__file__).parent"),
    ("estimators.py", "Path(__file__).parents[1]", "Path(__file__).parent"),
    ("estimators.py", '(__package__ or "").rpartition(".")[0]', '__package__ or ""'),
    ("pipeline.py", '"..features"', '".features"'),
    ("features.py", "from .runtime.", "from ."),
    ("train.py", "from .runtime.", "from ."),
    ("evaluate.py", "from .runtime.", "from ."),
]
"""What in a module says where others lie: now, and as earlier releases had it."""


def put_as_before(version: Path) -> None:
    for path in (version / "runtime").glob("[!_]*.py"):
        path.rename(version / path.name)
    shutil.rmtree(version / "runtime")
    for name, now, then in PLACES:
        text = (version / name).read_text()
        assert now in text
        (version / name).write_text(text.replace(now, then))


@pytest.fixture(scope="module")
def sheds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sheds]:
    """A champion as an earlier release has exported it, and a challenger as of now; both are fitted alike."""
    root = tmp_path_factory.mktemp("pipelines")
    first = assemble(root, "sheds")
    shutil.copytree(first, first.with_name("v0002"))
    put_as_before(first)
    ledger = {"versions": [{"number": 1, "aliases": ["champion"]}, {"number": 2, "aliases": ["challenger"]}]}
    (root / "sheds" / "versions.json").write_text(json.dumps(ledger))
    with imported(root, "sheds") as package:
        for version in (1, 2):
            package.train(frame(), version).save(frame=frame())
        yield sheds_of(package)


def test_it_is_loaded_and_evaluated_and_its_support_modules_are_found(sheds: Sheds) -> None:
    package, rows = sheds.package, frame()
    then, now = package.load(1), package.load(2)

    assert (type(then).__module__, type(now).__module__) == ("sheds.v0001.pipeline", "sheds.v0002.runtime.pipeline")
    assert (then.version, now.version) == ("v0001", "v0002")
    assert then.predict(rows).tolist() == now.predict(rows).tolist()
    assert package.evaluate(then, rows) == package.evaluate(now, rows)
    assert [package.support(number, "score").__name__ for number in (1, 2)] == [
        "sheds.v0001.score",
        "sheds.v0002.runtime.score",
    ]


def test_it_answers_in_the_service_with_its_values_counted(sheds: Sheds) -> None:
    with served(sheds, []) as service:
        status, answer = asked(service.port, "POST", "/predict", {"records": [record()]})
        until(lambda: b'pipeline_values_total{version="v0001"' in asked(service.port, "GET", "/metrics")[1])

    assert (status, answer["version"]) == (200, "v0001")


def test_a_newer_one_may_stand_beside_it(sheds: Sheds) -> None:
    gate = sheds.gate(canary=("2", 0.5))
    answered = {ask(gate, "/predict", {"records": [record()]}, x_request_id=f"{at}").json["version"] for at in range(9)}

    assert answered == {"v0001", "v0002"}


@pytest.mark.parametrize("jobs", [1, 2])
def test_it_scores_a_file(sheds: Sheds, tmp_path: Path, jobs: int) -> None:
    frame(1000).drop(columns="price").to_csv(tmp_path / "rows.csv", index=False)
    made = []
    for version in ("1", "2"):
        out = tmp_path / f"{version}.csv"
        words = ["--version", version, "score", "rows.csv", out.name, "--rows", "100", "--jobs", str(jobs), "--quiet"]
        done = run(tmp_path, sheds, words)
        assert done.returncode == 0, done.stderr
        made.append(out.read_text())

    assert made[0] == made[1]
    assert made[0].count("\n") == 1001


def run(folder: Path, sheds: Sheds, words: list[str]) -> Any:
    environment = {"PYTHONPATH": str(sheds.root), "PATH": ""}
    command = [sys.executable, "-m", "sheds", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
