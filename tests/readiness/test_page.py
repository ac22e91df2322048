"""The page and the badge: what they say of a report, and that nothing of it is taken as markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from nbprod.api.answers import (
    MlTestScore,
    Readiness,
    ReadinessItem,
    ReadinessSection,
    ReadinessStanding,
    ReadinessStep,
)
from nbprod.model.readiness import State
from nbprod.readiness import CHECKS
from nbprod.readiness.badge import badge
from nbprod.readiness.page import page
from nbprod.readiness.sections import SECTIONS, section_of

HOSTILE = "<script>alert('x')</script>&\"'"


def report(evidence: str = "40 rows", state: State = State.PROVED, **more: Any) -> dict[str, Any]:
    """A report with all items in one state."""
    items = tuple(
        ReadinessItem(
            check.id,
            check.title,
            SECTIONS[section_of(check.id)],
            state,
            evidence,
            evidence,
            None,
            check.blocking,
            check.gathered,
            check.is_promise,
            check.why,
            check.source,
            check.step,
            check.keys,
            check.tests,
        )
        for check in CHECKS
    )
    sections = tuple(ReadinessSection(identity, title, 3.0, 6, 0.5) for identity, title in SECTIONS.items())
    steps = (ReadinessStep(f"nbprod run {evidence}", ("NB-1", "SK-2"), 2),)
    score = MlTestScore({"Data": 1.0}, 1.0, "holes")
    made = Readiness(
        f"{evidence}.ipynb", evidence, 1, "now", items, sections, 0.5, "NB", (), (), score, "level 0", steps, (), None
    )
    found: dict[str, Any] = to_builtins(replace(made, **more))
    return found


class Texts(HTMLParser):
    """The texts and tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(html: str) -> Texts:
    found = Texts()
    found.feed(html)
    return found


def test_nothing_of_a_report_is_markup() -> None:
    found = read(page(report(HOSTILE)))

    assert "script" not in found.tags
    assert any(HOSTILE in text for text in found.texts)


def test_the_page_has_all_items_with_their_reasons() -> None:
    found = read(page(report()))
    text = " ".join(found.texts)

    assert found.tags.count("details") == 43
    assert [check.id for check in CHECKS if check.why not in text] == []
    assert "Score" in text
    assert "nbprod run 40 rows" in text


@pytest.mark.parametrize(
    "more, said, shown",
    [
        pytest.param({}, "Ready: none of the 19", "ready", id="nothing is open"),
        pytest.param({"open": ("NB-1",)}, "Not ready: 1 of 19", "50%, 1 open", id="something is open"),
        pytest.param(
            {"open": ("NB-1",), "blockers": ("NB-1",)}, "It may not go live", "1 blocking", id="it is blocked"
        ),
    ],
)
def test_the_verdict(more: dict[str, Any], said: str, shown: str) -> None:
    made = report(**more)

    assert said in page(made)
    drawn = ElementTree.fromstring(badge(made))
    assert drawn.get("aria-label") == f"readiness: {shown}"


def test_a_page_opens_what_is_contradicted() -> None:
    assert page(report(state=State.CONTRADICTED)).count(" open><summary>") == 43
    assert page(report()).count(" open><summary>") == 0


def test_several_versions_have_a_trend_and_one_has_none() -> None:
    stood = [ReadinessStanding(number, f"day {number}", number / 10, 20 + number, 3, 0) for number in (1, 2)]

    found = read(page(report(standings=tuple(stood))))

    assert [text for text in found.texts if text in ("day 1", "10%", "21", "day 2", "20%", "22")] == [
        "day 1", "10%", "21", "day 2", "20%", "22",
    ]  # fmt: skip
    assert "day 1" not in page(report(standings=tuple(stood[:1])))
