"""Evidence that is kept: what comes back of it, what is damaged, and what it never holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from nbprod.api.evidence import FOLDER, HISTORY, MOST, digest, evidence_of, keep, note, seen, standings
from nbprod.api.packages import Target
from nbprod.config import Project
from nbprod.model.readiness import Standing


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target("sales", tmp_path / "pipelines", Project(tmp_path))


def test_what_is_kept_comes_back(target: Target) -> None:
    made = [seen("NB-5", True, "fine", {"a": "1"}, numbers={"n": 3}), seen("MO-1", None, "no service", {})]
    keep(target, made)

    assert evidence_of(target) == {each.item: each for each in made}
    keep(target, [seen("NB-5", False, "not fine", {})])
    assert evidence_of(target)["NB-5"].held is False
    assert (target.project.root / FOLDER / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param('{"item": "NB-5"', id="cut short"),
        pytest.param('{"item": "NB-5", "held": true}', id="without inputs"),
        pytest.param(
            '{"item": "NB-1", "held": true, "text": "", "inputs": {}, "tool": "0", "when": ""}', id="of another item"
        ),
    ],
)
def test_what_is_damaged_is_no_evidence(text: str, target: Target) -> None:
    keep(target, [seen("NB-5", True, "fine", {})])
    (target.project.root / FOLDER / "sales/NB-5.json").write_text(text)

    assert evidence_of(target) == {}


def test_it_holds_no_secret_and_no_endless_text() -> None:
    secret = f"token = 'ghp_{'a1B2' * 9}'"
    numbers = {"faults": [{"said": secret}], "rows": 3, "state": "c0ffee" * 10}
    made = seen("NB-5", True, f"{secret} {'x' * 5000}", {}, contradicts=secret, numbers=numbers)

    assert "ghp_" not in f"{made.text} {made.contradicts} {made.numbers}"
    assert (made.numbers["rows"], made.numbers["state"]) == (3, "c0ffee" * 10)
    assert len(made.text) <= MOST + 1


def test_texts_are_told_apart_in_a_digest() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a") == digest(b"a")


def test_a_version_is_noted_once_as_it_stood_last(target: Target) -> None:
    one, two = Standing(1, "then", 0.1, 3, 9, 1), Standing(2, "then", 0.2, 4, 8, 0)
    for each in (one, two, replace(one, when="now", proved=5)):
        note(target, each)

    assert standings(target) == (two, replace(one, when="now", proved=5))
    assert evidence_of(target) == {}
    (target.project.root / FOLDER / "sales" / HISTORY).write_text("[")
    assert standings(target) == ()
