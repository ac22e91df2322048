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


READINESS = {
    "items": [
        {
            "id": "a",
            "title": "Parity",
            "section": "Proof",
            "status": "yes",
            "evidence": "891 rows",
            "contradicts": None,
        },
        {"id": "b", "title": "Owner", "section": "People", "status": "unknown", "evidence": "", "contradicts": None},
        {
            "id": "c",
            "title": "Tests",
            "section": "Proof",
            "status": "no",
            "evidence": "1 fails",
            "contradicts": "the plan",
        },
    ]
}


def test_what_is_unknown_in_the_checklist_is_never_shown_as_good() -> None:
    shown = document("readiness", READINESS)
    tones = {item.text: item.tone for block in shown.blocks if isinstance(block, Items) for item in block.items}
    assert tones == {"Parity": "good", "Owner": "warning", "Tests": "bad"}
    assert (shown.word, shown.tone) == ("1 of 3 shown", "bad")
    assert "contradicts: the plan" in plain(shown)
