"""What distributions need in turn, with the versions of an environment."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nbprod.deploy import closure
from nbprod.deploy.closure import normalized


@pytest.mark.parametrize(
    "line, name",
    [
        pytest.param("pandas", "pandas", id="a name"),
        pytest.param("scikit_learn==1.9.1", "scikit-learn", id="pinned"),
        pytest.param("Jinja2>=3; python_version > '3'", "jinja2", id="with a marker"),
        pytest.param("ruamel.yaml[jinja2] ~= 0.18", "ruamel-yaml", id="with an extra"),
        pytest.param("a (>=1)", "a", id="in the form of old metadata"),
    ],
)
def test_the_name_of_a_requirement(line: str, name: str) -> None:
    assert normalized(line) == name


def test_what_is_needed_in_turn_is_told_and_nothing_else() -> None:
    found = closure.closure(["scikit-learn==0", "no-such-distribution==1"])
    assert {"scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl"} <= set(found)
    assert not {"pytest", "matplotlib", "no-such-distribution"} & set(found)
    assert found["scipy"] == metadata.version("scipy")
    assert list(found) == sorted(found)


def test_it_runs_without_nbprod() -> None:
    command = [sys.executable, "-I", str(Path(closure.__file__)), "numpy"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f'{{"numpy": "{metadata.version("numpy")}"}}\n'
