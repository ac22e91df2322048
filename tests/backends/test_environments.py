"""What is installed in the environment of a kernel, and its lock."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from nbprod.backends.environments import Installed, hold_to_needs, installed_for
from nbprod.errors import NbprodError


def installed(**distributions: dict[str, str]) -> Installed:
    return Installed("3.11.4", "CPython", "Linux-6.1-x86_64", "/usr/bin/python3", distributions)


def test_this_environment_is_told_by_its_own_python() -> None:
    found = installed_for(None)
    assert found.python == platform.python_version()
    assert found.executable == sys.executable
    assert found.distributions["scikit-learn"]["version"] == version("scikit-learn")
    assert f"scikit-learn=={version('scikit-learn')}\n" in found.lock()


@pytest.mark.parametrize(
    "one, line",
    [
        pytest.param({"version": "2.1"}, "tool==2.1", id="from an index"),
        pytest.param(
            {"version": "2.1", "source": "a folder"}, "# tool==2.1 was installed from a folder", id="a folder"
        ),
        pytest.param(
            {"version": "2.1", "source": "git+https://example.org/tool.git@0a1b"},
            "tool @ git+https://example.org/tool.git@0a1b",
            id="a repository at its commit",
        ),
        pytest.param(
            {"version": "2.1", "source": "git+https://me:hunter2pass@example.org/tool.git@0a1b"},
            "tool @ git+https://me:***@example.org/tool.git@0a1b",
            id="a password in an address is not written",
        ),
    ],
)
def test_lines_of_the_lock(one: dict[str, str], line: str) -> None:
    assert installed(tool=one).lock().splitlines() == ["# CPython 3.11.4, Linux-6.1-x86_64", line]


def test_another_version_and_another_python_are_another_environment() -> None:
    same, other = installed(a={"version": "1"}), installed(a={"version": "2"})
    assert installed(a={"version": "1"}).digest == same.digest != other.digest
    assert (
        Installed("3.12.0", "CPython", "Linux-6.1-x86_64", "/usr/bin/python3", same.distributions).digest != same.digest
    )


def kernel(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kernel whose interpreter is a shell script."""
    script = folder / "python"
    script.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    script.chmod(0o755)
    spec = folder / "kernels" / "odd"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(f'{{"argv": ["{script}"]}}', encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
    return "odd"


def test_modules_that_an_environment_does_not_find_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside.py").touch()
    monkeypatch.chdir(tmp_path)
    asked = ["pandas", "beside", "kernel_environment", "places", "nbformat"]
    assert list(installed_for(None, asked).not_found) == ["beside", "kernel_environment", "places"]
    assert list(installed_for(None).not_found) == []


def test_what_an_environment_prints_first_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = kernel(tmp_path, f'echo welcome\nexec {sys.executable} "$@"', monkeypatch)
    assert installed_for(name).python == platform.python_version()


@pytest.mark.parametrize("text", ["exit 3", "exit 0", "echo nothing"])
def test_a_python_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    name = kernel(tmp_path, text, monkeypatch)
    with pytest.raises(NbprodError, match="can't say what is installed") as caught:
        installed_for(name)
    assert caught.value.where is not None
    assert caught.value.where.path == str(tmp_path / "python")


def test_an_environment_that_no_package_can_be_fitted_in_is_named_with_the_command_that_mends_it() -> None:
    hold_to_needs(installed_for(None))
    with pytest.raises(NbprodError) as caught:
        hold_to_needs(installed(pandas={"version": "2.2"}))
    assert caught.value.code == "missing-library"
    assert str(caught.value.hint).endswith("/usr/bin/python3 -m pip install skops")
