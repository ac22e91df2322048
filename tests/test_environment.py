"""Processes that run a notebook or its package."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nbprod import environment


@pytest.mark.parametrize(
    "own, expected",
    [
        ({}, {"GOMP_SPINCOUNT": "1000"}),
        ({"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
    ],
)
def test_threads_that_wait_do_not_spin_for_long_unless_somebody_says_otherwise(
    own: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in own.items():
        monkeypatch.setenv(name, value)

    for told in (environment.isolated(), environment.of_process()):
        assert {name: value for name, value in told.items() if name.startswith(("GOMP", "OMP_WAIT"))} == expected


def test_a_notebook_is_checked_without_the_grammar_of_addresses() -> None:
    code = """
import sys
from nbprod.environment import leave_out_slow_imports
leave_out_slow_imports()
import nbformat, papermill.execute
nbformat.validate(nbformat.v4.new_notebook())
print(sorted(name for name in sys.modules if name.startswith(("rfc3987_syntax.", "lark"))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
