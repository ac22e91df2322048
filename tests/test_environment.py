"""Processes that run a notebook or its package."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nbprod import environment


@pytest.mark.parametrize("own, expected", [(None, "0"), ("7", "7"), ("random", "random")])
def test_texts_are_hashed_alike_unless_somebody_says_otherwise(
    own: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(environment.HASH_SEED, raising=False)
    if own is not None:
        monkeypatch.setenv(environment.HASH_SEED, own)

    assert environment.of_process()[environment.HASH_SEED] == expected
    assert "PATH" in environment.of_process()


def test_an_isolated_process_is_told_of_no_other_place_to_import_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.delenv(environment.HASH_SEED, raising=False)

    isolated = environment.isolated()

    assert [name for name in isolated if name.startswith("PYTHON")] == [environment.HASH_SEED]
    assert isolated["PATH"] == environment.of_process()["PATH"]


@pytest.mark.parametrize("own, expected", [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_that_wait_sleep_unless_somebody_says_otherwise(
    own: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if own is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", own)

    assert environment.isolated()["OMP_WAIT_POLICY"] == expected
    assert environment.of_process().get("OMP_WAIT_POLICY") == own


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
