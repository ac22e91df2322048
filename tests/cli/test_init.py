"""`nbprod init` as a command: what it says, and that it writes what the other verbs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def test_init_says_what_it_wrote_and_what_it_kept(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("churn.ipynb", ["x = 1"])

    first = nbprod("init", "churn.ipynb", "--pre-commit", "--github")
    second = nbprod("init", "churn.ipynb", "--format", "json")

    assert first.exit_code == 0
    assert first.stdout.splitlines() == [
        "written  nbprod.toml",
        "written  .pre-commit-config.yaml",
        "written  .github/workflows/nbprod.yml",
    ]
    assert "pre-commit install" in first.stderr
    assert json.loads(second.stdout)["kept"] == ["nbprod.toml"]


def test_quiet_leaves_the_result_alone_on_stdout(nbprod: Any) -> None:
    result = nbprod("init", "--pre-commit", "--quiet")

    assert (result.stderr, len(result.stdout.splitlines())) == ("", 2)


def test_a_wrong_configuration_is_told_by_every_verb_that_reads_it(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("churn.ipynb", ["x = 1"])
    Path("nbprod.toml").write_text('outptu = "x"\n')

    result = nbprod("tag", "churn.ipynb")

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        'error[unknown-key]: unknown key "outptu"',
        f"  --> {Path('nbprod.toml').resolve()}, line 1",
        'hint: did you mean "output"?',
    ]
