"""What a runner's process answers, and what is said where it gives no answer."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from nbprod.errors import NbprodError
from nbprod.replay.process import _faulty, run


def nothing_captured(folder: Path) -> dict[str, Any]:
    """A request that is answered at once: the run handed nothing over."""
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps({"raw": [], "fit": None, "notes": [], "predicts": []}))
    return {"mode": "fit", "root": str(folder), "name": "churn", "version": "v0001", "captures": str(folder)}


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems have no such names")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Zürich 東京".encode(), id="letters beyond ASCII"),
        pytest.param(b"Z\xfcrich", id="bytes that are no text"),
    ],
)
def test_a_request_is_found_in_a_folder_with(name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / os.fsdecode(name)
    request = nothing_captured(folder / "captures")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(NbprodError) as caught:
        run(request, sys.executable, {})
    assert caught.value.code == "capture-missing"
    assert [path.name for path in folder.iterdir()] == ["captures"]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("true", id="no answer"),
        pytest.param('printf \'{"rows": 1\' > "${asked%/*}/result.json"', id="an answer that breaks off"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter is a shell script")
def test_a_runner_is_said_to_have_ended_by_its_last_words_after(script: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nread -r asked\n{script}\necho 'OSError: No space left on device' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(NbprodError) as caught:
        run({"version": "v0001"}, str(python), {})
    assert caught.value.code == "replay-crashed"
    assert "OSError: No space left on device" in str(caught.value)


MANIFEST = {"notebook": "nb.ipynb", "source_map": {"features.py": [[3, 1, "id", 2]]}}
PLACES = [("features.py", 3)]


@pytest.mark.parametrize(
    "message, places, hint",
    [
        pytest.param("KeyError: 'a'", PLACES, "in the package it is v0001/features.py, line 3", id="at a line"),
        pytest.param(
            "ValueError: Length of values (200) does not match length of index (1)",
            PLACES,
            "what stands beside the rows there is as long as the training table, and a served row is one: make it of "
            "the rows, or leave it out of the features; in the package it is v0001/features.py, line 3",
            id="a column as long as the training table",
        ),
        pytest.param(
            "ModuleNotFoundError: No module named 'mine.tools'",
            [],
            "a package has to find mine wherever it is used: install it in the kernel's environment, or move what is "
            "used of it into a cell",
            id="a module that is not there",
        ),
    ],
)
def test_what_a_package_raises_comes_with_a_way_out(message: str, places: Any, hint: str) -> None:
    error = _faulty({"kind": "package", "message": message, "places": places}, MANIFEST, "v0001")

    assert (error.code, error.hint) == ("package-failed", hint)
