"""`nbprod demo` as a person calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import nbprod

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1])}


@pytest.mark.serial
def test_the_demo_goes_from_the_notebook_to_a_caught_edit(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "nbprod", "demo", "try", "--example", "titanic"]

    done = subprocess.run(
        words, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line.split(":")[0] for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert steps == ["1 copy", "2 tag", "3 export", "4 run", "5 verify", "6 serve", "7 check"]
    assert "891 of 891 rows" in done.stdout
    assert "accuracy 0.8" in done.stdout
    assert "before the edit: same; after it, in cell 9: diverges" in done.stdout
    assert (tmp_path / "try/pipelines/titanic/v0001/state/learned.json").is_file()
    assert done.stdout.split("Try next", 1)[1].count("\n  ") == 4
