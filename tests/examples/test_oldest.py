"""Both examples, run and proven by nbprod with a kernel that has the oldest supported versions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import nbprod

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = [pytest.param(path.parent, id=path.parent.name) for path in sorted(EXAMPLES.glob("*/demo.toml"))]
PREDICT = """
import json, sys
sys.modules["nbprod"] = None
sys.path.insert(0, "pipelines")
import pandas, sklearn
package = __import__(sys.argv[1])
answer = package.load().predict_one(json.loads(sys.argv[2]))
print(json.dumps([float(answer), pandas.__version__, sklearn.__version__]))
"""


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The interpreter that `make test-oldest` names, as the kernel `oldest`."""
    python = os.environ.get("NBPROD_OLDEST")
    if not python:
        pytest.skip("NBPROD_OLDEST does not name the interpreter of the oldest versions (make test-oldest does)")
    folder = tmp_path / "jupyter/kernels/oldest"
    folder.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Oldest", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return python


@pytest.mark.oldest
@pytest.mark.parametrize("project", PROJECTS)
def test_an_example_is_proven_with_the_oldest_versions(project: Path, python: str, tmp_path: Path) -> None:
    facts = tomllib.loads((project / "demo.toml").read_text())
    copy = shutil.copytree(project, tmp_path / project.name)
    environment = {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1])}
    words = ["run", facts["notebook"], "--auto", "--kernel", "oldest", "--format", "json", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "nbprod", *words], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    verify = report["verify"]
    assert verify["status"] in {"proven", "observed"}, verify
    assert (verify["rows_equal"], verify["predictions_equal"]) == (verify["rows"], verify["predictions"])

    name = Path(report["package"]).parent.name
    answer = subprocess.run(
        [python, "-c", PREDICT, name, json.dumps(facts["record"])], cwd=copy, capture_output=True, text=True, check=True
    )
    _, pandas, sklearn = json.loads(answer.stdout)
    assert (pandas.split(".")[:2], sklearn.split(".")[:2]) == (["2", "2"], ["1", "3"])
