"""`nbprod versions`: the ledger, and what is done with it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nbprod.versions import publish, put_state, state_digest

MANIFEST = {
    "features": [{"name": "age", "digest": "d", "steps": []}],
    "inputs": ["Age"],
    "target": "left",
    "model": {"estimator": "sklearn.linear_model.LogisticRegression"},
    "files": {},
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Three versions of `churn`, of which the first two are fitted."""
    root = tmp_path / "pipelines"
    for number in (1, 2, 3):
        files = {"manifest.json": json.dumps(MANIFEST | {"digest": str(number)}).encode()}
        publish(
            root, "churn", files, {"__init__.py": b""}, digest=f"digest-{number}", notebook="churn.ipynb",
            commit=None, why=f"reason {number}", now=datetime(2026, 1, number, tzinfo=UTC),
        )  # fmt: skip
        if number < 3:
            learned = tmp_path / f"state-{number}"
            learned.mkdir()
            (learned / "learned.json").write_text(str(number))
            put_state(root, "churn", number, learned, run_id=f"run-{number}", now=datetime(2026, 1, number, tzinfo=UTC))
    return root


def ledger(result: Any) -> list[dict[str, Any]]:
    versions: list[dict[str, Any]] = json.loads(result.stdout)["versions"]
    return versions


@pytest.mark.usefixtures("package")
def test_the_ledger_is_listed_oldest_first(tmp_path: Path, nbprod: Any, valid: Any) -> None:
    result = nbprod("versions", "churn", "--format", "json")

    valid("versions", json.loads(result.stdout))
    assert [(each["number"], each["state"], each["why"]) for each in ledger(result)] == [
        (1, state_digest(tmp_path / "state-1"), "reason 1"),
        (2, state_digest(tmp_path / "state-2"), "reason 2"),
        (3, None, "reason 3"),
    ]
    assert "reason 2" in nbprod("versions", "churn").stdout


@pytest.mark.usefixtures("package")
def test_promote_and_rollback_move_the_alias(nbprod: Any) -> None:
    def champion() -> list[int]:
        listed = ledger(nbprod("versions", "churn", "--format", "json"))
        return [each["number"] for each in listed if "champion" in each["aliases"]]

    force = ("--force", "--why", "a rehearsal")
    nbprod("versions", "churn", "promote", "1", *force)
    first = champion()
    promoted = nbprod("versions", "churn", "promote", *force)
    second = champion()
    nbprod("versions", "churn", "rollback")

    assert (first, second, champion()) == ([1], [2], [1])
    assert "champion of churn is version 2 now, against proof" in promoted.stdout


def test_a_version_whose_state_is_not_the_ledgers_is_refused_and_that_is_recorded(
    nbprod: Any, package: Path, valid: Any
) -> None:
    before = (package / "churn/versions.json").read_bytes()
    (package / "churn/v0002/state/learned.json").write_text("written by others")

    refused = nbprod("versions", "churn", "promote", "2", "--format", "json")
    history = json.loads(nbprod("versions", "churn", "history", "--format", "json").stdout)

    report = json.loads(refused.stdout)
    valid("promotion", report)
    valid("history", history)
    assert (refused.exit_code, report["promoted"], report["registry"]) == (1, False, None)
    assert [gate["name"] for gate in report["gates"] if gate["blocks"]] == ["proof"]
    assert [(each["action"], each["version"], each["before"]) for each in history["promotions"]] == [
        ("refuse", 2, None)
    ]
    assert (package / "churn/versions.json").read_bytes() == before


def test_who_promotes_against_the_gates_is_on_record_with_the_reason(
    nbprod: Any, package: Path, tmp_path: Path
) -> None:
    (package / "churn/v0001/state/learned.json").write_text("written by others")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for key, value in (("name", "Ada"), ("email", "ada@example.org")):
        subprocess.run(["git", "-C", tmp_path, "config", f"user.{key}", value], check=True)

    nbprod("versions", "churn", "promote", "1", "--force", "--why", "the outage costs more")
    shown = nbprod("versions", "churn", "history").stdout
    (line,) = json.loads(nbprod("versions", "churn", "history", "--format", "json").stdout)["promotions"]

    assert (line["action"], line["forced"], line["why"]) == ("promote", True, "the outage costs more")
    assert line["who"] == "Ada <ada@example.org>"
    assert [gate["name"] for gate in line["gates"] if gate["blocks"]] == ["proof"]
    assert "promoted (forced)" in shown


@pytest.mark.usefixtures("package")
def test_show_tells_what_a_version_holds(nbprod: Any) -> None:
    shown = nbprod("versions", "churn", "show", "3").stdout

    assert "pipelines/churn/v0003" in shown
    assert "LogisticRegression" in shown
    assert "not yet" in shown
    assert json.loads(nbprod("versions", "churn", "show", "--format", "json").stdout)["number"] == 2


def test_prune_keeps_the_newest(nbprod: Any, package: Path) -> None:
    dry = nbprod("versions", "churn", "prune", "--keep", "1", "--dry-run").stdout
    there = sorted(each.name for each in (package / "churn").glob("v*") if each.is_dir())
    nbprod("versions", "churn", "prune", "--keep", "1")

    assert dry == "would be removed: 1, 2\n"
    assert there == ["v0001", "v0002", "v0003"]
    assert [each["number"] for each in ledger(nbprod("versions", "churn", "--format", "json"))] == [3]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    "words, code, hint",
    [
        pytest.param(["chrun"], "no-package", 'did you mean "churn"?', id="a-name-mistyped"),
        pytest.param(["churn", "show", "9"], "no-version", "there are 1, 2, 3", id="no-such-version"),
        pytest.param(["churn", "promote", "3"], "not-fitted", "nbprod run", id="promoting-what-was-never-fitted"),
        pytest.param(["churn", "rollback"], "no-version", "there are 1, 2, 3", id="rolling-back-nothing"),
        pytest.param(["churn", "promote", "1", "--force"], "why-missing", "--why", id="force-without-a-reason"),
        pytest.param(["churn", "rollback", "--force"], "usage", "--force goes with promote", id="force-elsewhere"),
        pytest.param(["churn", "show", "1", "--why", "x"], "usage", "--why goes with", id="a-reason-elsewhere"),
        pytest.param(["churn", "show", "1", "age"], "usage", "nbprod versions", id="a-feature-where-none-belongs"),
        pytest.param(["churn", "trace", "1", "agge"], "unknown-feature", 'did you mean "age"?', id="no-such-feature"),
        pytest.param(["churn", "prune", "2"], "usage", "nbprod versions --help", id="a-version-where-none-belongs"),
        pytest.param(["churn", "prune", "--keep", "0"], "bad-argument", "1 or more", id="keeping-none"),
        pytest.param(["churn", "delete"], "usage", "nbprod versions --help", id="an-unknown-action"),
    ],
)
def test_wrong_use_is_an_error(nbprod: Any, words: list[str], code: str, hint: str) -> None:
    result = nbprod("versions", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"error[{code}]" in result.stderr
    assert hint in result.stderr
