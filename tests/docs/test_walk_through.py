"""The walk-through of the page on readiness, as it stands there: until nothing that blocks is open."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.walk_through import ROOT, blocks, edit


def shell(commands: str, folder: Path) -> str:
    """What the commands print, with `nbprod` of this environment; they must all work, but for readiness itself."""
    tolerant = re.sub(r"^(nbprod readiness .*)$", r"\1 || test $? = 1", commands, flags=re.MULTILINE)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "GITHUB_ACTIONS")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", tolerant], cwd=folder, capture_output=True, text=True, check=False,
        env={**environment, "PATH": path, "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def report(name: str, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shell(f"nbprod readiness {name}.ipynb --format json", folder))
    return found


def test_the_page_shows_what_is_tried_here() -> None:
    assert [language for language, _ in blocks()] == ["sh", "", "diff", "toml", "sh", "sh", "", "diff", "toml"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["titanic", "housing"])
def test_an_example_goes_all_the_way(name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "examples" / name, tmp_path / name))
    told = blocks()
    begin, set_up, run = (text.replace("titanic", name) for text in (told[0][1], told[4][1], told[5][1]))
    diff, declared = (told[2][1], told[3][1]) if name == "titanic" else (told[7][1], told[8][1])

    before = shell(begin, folder)
    first = report(name, folder)
    assert "SK-6" in first["blockers"]
    assert first["next"][0]["text"].startswith("look at cell 2")
    assert first["next"][1]["text"] == f"nbprod tag {name}.ipynb --apply && nbprod run {name}.ipynb"
    assert "what to do first" in before

    edit(folder / f"{name}.ipynb", diff)
    (folder / "nbprod.toml").write_text(declared, encoding="utf-8")
    shell(set_up, folder)
    last = shell(run, folder)

    after = report(name, folder)
    states = {item["id"]: item["state"] for item in after["items"]}
    blocking = {item["id"] for item in after["items"] if item["blocking"]}
    assert (after["blockers"], after["open"]) == ([], [])
    assert {states[item] for item in blocking} == {"proved"}
    assert f"{name}.ipynb: ready, none of the 19 blocking items is open" in last
