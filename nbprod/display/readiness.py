"""The checklist for production, as a document: what the API tells of each item, and its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbprod.display.document import Document, Item, Items, Tone

STATUSES: dict[str, Tone] = {"yes": "good", "no": "bad", "unknown": "warning"}


def readiness(report: Mapping[str, Any], _sources: Sequence[str]) -> Document:
    """`{"items": [{id, title, section, status, evidence, contradicts, …}]}`; unknown is never shown as good."""
    items = report["items"]
    sections = dict.fromkeys(each["section"] for each in items)
    met = sum(each["status"] == "yes" for each in items)
    blocks = tuple(
        Items(section, tuple(_item(each) for each in items if each["section"] == section)) for section in sections
    )
    tone: Tone = "good" if met == len(items) else "bad" if any(each["status"] == "no" for each in items) else "warning"
    return Document("readiness", f"{met} of {len(items)} shown", tone, "", blocks)


def _item(item: Mapping[str, Any]) -> Item:
    contradicts = (f"contradicts: {item['contradicts']}",) if item.get("contradicts") else ()
    evidence = item["evidence"] or "nothing is known of it"
    return Item(
        STATUSES.get(item["status"], "warning"), item["status"], item["title"], "", "", (evidence, *contradicts)
    )
