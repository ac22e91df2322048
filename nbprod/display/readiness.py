"""The checklist for production, as a document: what the API tells of each item, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbprod.display.document import Document, Item, Items, Tone

STATES: dict[str, Tone] = {
    "proved": "good",
    "declared": "plain",
    "contradicted": "bad",
    "stale": "warning",
    "missing": "warning",
    "not-applicable": "plain",
}
MOST_STEPS = 5


def readiness(report: Mapping[str, Any], _sources: Sequence[str]) -> Document:
    """A checklist as the API gives it; only what is proved is shown as good."""
    items = report["items"]
    proved = sum(each["state"] == "proved" for each in items)
    sections = tuple(
        Items(
            f"{each['title']} ({each['points']:g} of {each['of']})",
            tuple(_item(item) for item in items if item["section"] == each["title"]),
        )
        for each in report["sections"]
    )
    blocks = (*_next(report), *sections)
    tone: Tone = "bad" if report["blockers"] else "warning" if report["open"] else "good"
    return Document("readiness", f"{proved} of {len(items)} proved", tone, _meaning(report), blocks)


def _meaning(report: Mapping[str, Any]) -> str:
    if report["blockers"]:
        return f"may not go live, contradicted: {', '.join(report['blockers'])}"
    if report["open"]:
        return f"{len(report['open'])} blocking items are open"
    return "no blocking item is open"


def _next(report: Mapping[str, Any]) -> tuple[Items, ...]:
    steps = [
        Item("plain", str(number), step["text"], "", "", (", ".join(step["items"]),))
        for number, step in enumerate(report["next"][:MOST_STEPS], start=1)
    ]
    return (Items("What to do first", tuple(steps)),) if steps else ()


def _item(item: Mapping[str, Any]) -> Item:
    contradicts = (f"speaks against: {item['contradicts']}",) if item["contradicts"] else ()
    title = f"{item['title']} (blocking)" if item["blocking"] else item["title"]
    return Item(STATES[item["state"]], item["state"], title, item["id"], "", (item["evidence"], *contradicts))
