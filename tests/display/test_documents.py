"""Documents as HTML, Markdown and plain text: everything is told, nothing is markup, and no secret is shown."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from nbprod.display import document, html, markdown, plain, with_secrets_masked
from nbprod.display.document import Code, Document, Item, Items, Line, Table

NASTY = "<script>alert(1)</script> & `a` | *b* [c](http://d) \"e\" 'f'"
EVERYTHING = Document(
    NASTY,
    "diverges",
    "bad",
    NASTY,
    (
        Line(NASTY, "warning"),
        Items(NASTY, (Item("bad", NASTY, NASTY, NASTY, NASTY, (NASTY,)),)),
        Table(NASTY, (NASTY,), ((NASTY,),)),
        Code(NASTY, ((1, NASTY),)),
    ),
)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


def test_html_is_well_formed_and_what_is_text_stays_text() -> None:
    tags = parsed(html(EVERYTHING))
    assert "script" not in tags.seen
    assert tags.attributes <= {"style", "scope"}
    assert tags.text.count(NASTY) == 14


def test_each_colour_of_the_theme_has_one_that_stands_in_for_it() -> None:
    text = html(EVERYTHING)
    assert "var(--jp-error-color1" in text
    assert re.findall(r"var\(--[\w-]+\)", text) == []


def test_markdown_has_one_table_with_as_many_cells_as_it_should() -> None:
    lines = [line for line in markdown(EVERYTHING).splitlines() if line.startswith("| ")]
    assert len(lines) == 3
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 2 for line in lines)
    assert "<script" not in re.sub(r"```.*?```", "", markdown(EVERYTHING), flags=re.DOTALL).replace("\\<", "")


def test_code_that_holds_a_fence_stays_inside_of_its_own() -> None:
    text = markdown(Document("x", "", "plain", "", (Code("", ((1, "'''```'''"),)),)))
    assert "````python" in text


def test_plain_text_has_no_markup() -> None:
    text = plain(Document("a.ipynb", "same", "good", "fine", (Table("t", ("x", "y"), (("1", "2"),)),)))
    assert text.splitlines() == ["a.ipynb: same, fine", "", "t", "  x   y", "  ─────", "  1   2"]


@pytest.mark.parametrize(
    "report",
    [
        pytest.param({"code": "password = 'hunter2hunter2'"}, id="assigned"),
        pytest.param({"cells": [{"text": "postgres://me:hunter2hunter2@host/db"}]}, id="in an address"),
    ],
)
def test_secrets_are_masked_wherever_they_stand(report: dict[str, Any]) -> None:
    masked = with_secrets_masked({"a": 1, **report})
    assert masked["a"] == 1
    assert "hunter2" not in repr(masked)
    assert "***" in repr(masked)


def item(identity: str, title: str, section: str, state: str, evidence: str, **more: Any) -> dict[str, Any]:
    """An item of a checklist."""
    told = {"id": identity, "title": title, "section": section, "state": state, "evidence": evidence}
    return {**told, "contradicts": None, "blocking": False, **more}


READINESS = {
    "blockers": ["C-1"],
    "open": ["B-1", "C-1"],
    "next": [{"text": "nbprod run a.ipynb", "items": ["B-1", "C-1"], "blocking": 1}],
    "sections": [{"title": "Proof", "points": 1.0, "of": 2}, {"title": "People", "points": 0.5, "of": 3}],
    "items": [
        item("A-1", "Parity", "Proof", "proved", "891 rows"),
        item("B-1", "Owner", "People", "missing", "nobody"),
        item("B-2", "Cadence", "People", "declared", "weekly"),
        item("B-3", "Run", "People", "stale", "of another text"),
        item("C-1", "Tests", "Proof", "contradicted", "1 fails", contradicts="the plan", blocking=True),
    ],
}


def test_only_what_is_proved_in_the_checklist_is_shown_as_good() -> None:
    shown = document("readiness", READINESS)
    tones = {item.place: item.tone for block in shown.blocks if isinstance(block, Items) for item in block.items}
    assert tones == {"": "plain", "A-1": "good", "B-1": "warning", "B-2": "plain", "B-3": "warning", "C-1": "bad"}
    assert (shown.word, shown.tone, shown.meaning) == ("1 of 5 proved", "bad", "may not go live, contradicted: C-1")
    for text in ("speaks against: the plan", "Tests (blocking)", "nbprod run a.ipynb", "People (0.5 of 3)"):
        assert text in plain(shown)


def plan_report(*statuses: str, refusals: int = 0) -> dict[str, Any]:
    """What `inspect` reports of a plan whose steps are so sure, one a line of cell 1."""
    return {
        "notebook": "a.ipynb",
        "cells": [],
        "findings": [],
        "plan_error": None,
        "plan": {
            "model": {"name": "model", "estimator": "Ridge"},
            "target": "y",
            "inputs": ["a"],
            "features": [{"name": "a"}],
            "steps": [
                {"cell": 1, "line": line, "binding": "serve", "status": status, "sites": []}
                for line, status in enumerate(statuses, 1)
            ],
            "refusals": [{"cell": 1, "line": 1, "construct": "x", "reason": "y", "hint": ""}] * refusals,
        },
    }


@pytest.mark.parametrize("kind", ["plan", "inspect"])
@pytest.mark.parametrize(
    "report, word, tone",
    [
        pytest.param(plan_report("proven", "observed"), "servable", "good", id="every step is known"),
        pytest.param(plan_report("proven", "assumed"), "assumed", "warning", id="a step is merely assumed"),
        pytest.param(plan_report("assumed", refusals=1), "refused", "bad", id="something is refused"),
    ],
)
def test_a_plan_is_called_servable_only_where_an_export_takes_it(
    kind: str, report: dict[str, Any], word: str, tone: str
) -> None:
    shown = document(kind, report)
    assert (shown.word, shown.tone) == (word, tone)


def test_the_places_of_assumed_steps_and_the_ways_on_are_told() -> None:
    text = plain(document("plan", plan_report("proven", "assumed")))
    assert "cell 1, line 2" in text
    assert "--allow-assumed" in text


@pytest.mark.parametrize(
    "statuses, tone, meaning",
    [
        pytest.param(["proven", "observed"], "good", "", id="sure"),
        pytest.param(["proven", "assumed", "assumed"], "warning", "2 assumed", id="assumed"),
        pytest.param(["refused", "assumed"], "bad", "1 refused, 1 assumed", id="refused"),
    ],
)
def test_features_are_good_only_where_all_are_known(statuses: list[str], tone: str, meaning: str) -> None:
    found = [{"name": "a", "status": each, "inputs": [], "learned": [], "cells": []} for each in statuses]
    shown = document("features", {"features": found})
    assert (shown.tone, shown.meaning) == (tone, meaning)


@pytest.mark.parametrize("status, told", [("refused", False), ("written", True)])
def test_only_what_was_exported_was_taken_on_trust(status: str, told: bool) -> None:
    report: dict[str, Any] = {"package": None, "diff": None, "assumed": [{"cell": 1, "line": 2}]}
    report |= {"notebook": "a.ipynb", "status": status, "files": [], "refusals": [], "divergences": []}
    assert ("taken on trust" in plain(document("export", report))) is told
