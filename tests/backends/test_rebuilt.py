"""An environment made again from a lock: what is installed, that it is made once, and why it can't be made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nbprod.analysis.environment import kernel_python
from nbprod.backends.rebuilt import kernel_of, rebuilt
from nbprod.errors import NbprodError

HEAD = f"# CPython {sys.version_info.major}.{sys.version_info.minor}.0, Linux\n"


def wheel(folder: Path) -> Path:
    """A distribution `tiny` 1.5 with one module, as a wheel."""
    path = folder / "tiny-1.5-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "VALUE = 3\n")
        archive.writestr("tiny-1.5.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.5\n")
        archive.writestr("tiny-1.5.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.5.dist-info/RECORD", "")
    return path


def test_an_environment_has_what_the_lock_names_and_is_made_once(tmp_path: Path) -> None:
    lock = f"{HEAD}tiny @ {wheel(tmp_path).as_uri()}\n# other==2.0 was installed from a folder\n"
    said: list[str] = []
    folder = rebuilt(tmp_path / "project", lock, said.append)
    assert said == ["making a virtual environment", "installing 1 distributions from the lock of the run"]
    assert rebuilt(tmp_path / "project", lock, said.append) == folder
    assert len(said) == 2

    before = os.environ.get("JUPYTER_PATH")
    with kernel_of(folder) as name:
        python = kernel_python(name)
        assert python is not None
        assert python.is_relative_to(folder)
    assert os.environ.get("JUPYTER_PATH") == before
    done = subprocess.run(
        [str(python), "-c", "import tiny; print(tiny.VALUE)"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"
    spec = json.loads(next(folder.glob("share/jupyter/kernels/*/kernel.json")).read_text(encoding="utf-8"))
    assert spec["argv"][1:3] == ["-m", "ipykernel_launcher"]


def test_what_pip_can_t_install_is_told_and_tried_again_the_next_time(tmp_path: Path) -> None:
    lock = f"{HEAD}tiny @ {(tmp_path / 'gone-1.0-py3-none-any.whl').as_uri()}\n"
    for _ in range(2):
        with pytest.raises(NbprodError, match="can't be installed") as caught:
            rebuilt(tmp_path / "project", lock, lambda _: None)
        assert caught.value.code == "not-installed"


def test_a_python_that_is_not_here_is_named_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(NbprodError, match=r"Python 3\.2, which is not here"):
        rebuilt(tmp_path / "project", "# CPython 3.2.1, Linux\n", lambda _: None)
    assert not (tmp_path / "project").exists()
