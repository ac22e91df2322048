"""The environment of a recorded run, made again from its lock: a virtual environment with a kernel of its own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nbprod.backends.environments import LOCK
from nbprod.errors import NbprodError, Where
from nbprod.ignored import keep_out_of_git

FOLDER = ".nbprod/environments"
DONE = "complete"
FIRST_LINE = re.compile(r"# \S+ (\d+)\.(\d+)\.\d+\S*, ")


def rebuilt(project: Path, lock: str, say: Callable[[str], None]) -> Path:
    """The folder of a virtual environment with what `lock` names, made where it is not there yet.

    Raises NbprodError: `no-interpreter` where the Python of the lock is not here, `not-installed` with what pip says.
    """
    folder = project.resolve() / FOLDER / hashlib.sha256(lock.encode()).hexdigest()[:16]
    if (folder / DONE).is_file():
        return folder
    python = _python_of(lock)
    # A virtual environment knows its own place, so it is made there, and is complete once it says so.
    shutil.rmtree(folder, ignore_errors=True)
    keep_out_of_git(folder.parent)
    folder.mkdir()
    (folder / LOCK).write_text(lock, encoding="utf-8")
    say("making a virtual environment")
    _run([python, "-m", "venv", str(folder)], folder)
    count = sum(1 for line in lock.splitlines() if line and not line.startswith("#"))
    say(f"installing {count} distributions from the lock of the run")
    _run([str(_interpreter(folder)), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(folder / LOCK)], folder)
    _write_kernel(folder)
    (folder / DONE).write_text("", encoding="utf-8")
    return folder


@contextmanager
def kernel_of(folder: Path) -> Iterator[str]:
    """The name of the kernel of such an environment, which Jupyter finds in here."""
    before = os.environ.get("JUPYTER_PATH")
    share = str(folder / "share" / "jupyter")
    os.environ["JUPYTER_PATH"] = share if before is None else os.pathsep.join((share, before))
    try:
        yield _kernel_name(folder)
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before


def _kernel_name(folder: Path) -> str:
    return f"nbprod-{folder.name}"


def _write_kernel(folder: Path) -> None:
    spec = folder / "share" / "jupyter" / "kernels" / _kernel_name(folder)
    spec.mkdir(parents=True, exist_ok=True)
    words = [str(_interpreter(folder)), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": words, "display_name": "the environment of a recorded run", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(told), encoding="utf-8")


def _interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _python_of(lock: str) -> str:
    """An interpreter of the minor version that the lock names."""
    found = FIRST_LINE.match(lock)
    wanted = (int(found[1]), int(found[2])) if found else sys.version_info[:2]
    if wanted == sys.version_info[:2]:
        return sys.executable
    name = f"python{wanted[0]}.{wanted[1]}"
    python = shutil.which(name)
    if python is None:
        raise NbprodError(
            f"the run was made with Python {wanted[0]}.{wanted[1]}, which is not here",
            code="no-interpreter",
            hint=f"install it so that {name} is found, or reproduce without --environment",
        )
    return python


def _run(words: list[str], folder: Path) -> None:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = next((line for line in reversed(done.stderr.strip().splitlines()) if line.strip()), "no message")
        raise NbprodError(
            f"the environment of the run can't be installed: {last}",
            code="not-installed",
            where=Where(str(folder / LOCK)),
            hint="is the index of packages reached, and does it still have these versions?",
        )
