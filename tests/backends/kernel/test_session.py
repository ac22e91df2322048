"""What a session writes of a training in a real shell, and what a later session makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbprod.backends.papermill_backend import SESSION, _bootstrap
from nbprod.backends.places import Place, as_json

READ, TRAIN = "read()", "model.fit(df[['a']], df['y'])"
PLACES = (
    Place("raw_0", "raw", 0, 6, READ, 0, "read"),
    Place("fit_0", "fit", 1, 1, TRAIN, 0, "fit"),
)
DATA = f"""import pandas as pd
from sklearn.linear_model import LogisticRegression
def read():
    return pd.DataFrame({{'a': [0.0, 1.0, 2.0, 3.0], 'y': [0, 0, 1, 1]}})
model = LogisticRegression()
df = {READ}
"""
# A stage is kept behind the training; what follows goes on to the end, and another session behind the stage.
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
asked = json.load(sys.stdin)
exec(asked["bootstrap"])
session = eval(asked["session"])
for index, cell in enumerate(asked["cells"]):
    session.at_cell(index)
    shell.run_cell(cell).raise_error()
told = json.loads(json.dumps(session.captures_so_far("kept", shell.user_ns)))
(call,) = session.recorder.calls
session.finish("whole")
again = type(session)(session.plan)
again.take_captures("kept", told, {})
again.finish("behind")
print(json.dumps({"holds": sorted(call)}))
"""


@pytest.mark.parametrize(
    "before, not_taken",
    [
        pytest.param("", None, id="what can be kept"),
        pytest.param("model.lines = (n for n in range(3))\n", "can't be copied", id="what can't be copied"),
        pytest.param(
            "class Note: pass\nmodel.note = Note()\n", "holds what may not be loaded: __main__.Note", id="a class of it"
        ),
    ],
)
def test_a_trained_model_is_held_until_it_is_written_and_why_it_is_not_is_handed_on(
    before: str, not_taken: str | None, tmp_path: Path
) -> None:
    for name in ("kept", "whole", "behind"):
        (tmp_path / name).mkdir()
    asked = {"bootstrap": _bootstrap({"places": as_json(PLACES)}), "session": SESSION, "cells": [DATA + before, TRAIN]}
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(asked), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

    held = json.loads(done.stdout.splitlines()[-1])["holds"]
    assert "receiver" in held
    assert "fitted" not in held
    whole, behind = (trained(tmp_path / name) for name in ("whole", "behind"))
    assert whole == behind
    assert (not_taken is None) == whole["has_model"] == ("not_taken" not in whole)
    assert (not_taken or "") in whole.get("not_taken", "")


def trained(folder: Path) -> dict[str, Any]:
    """What the index of captures says of the training, and whether its model lies beside."""
    fit: dict[str, Any] = json.loads((folder / "index.json").read_text(encoding="utf-8"))["fit"]
    return {**fit, "has_model": (folder / f"{fit['stem']}.model.skops").is_file()}
