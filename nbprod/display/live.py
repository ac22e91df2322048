"""The comparison of what lies in the kernel with the package's own transform, as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbprod.display.document import Block, Document, Item, Items, Line, Table, Tone
from nbprod.display.places import place

VERDICTS: dict[str, tuple[Tone, str]] = {
    "equal": ("good", "what the kernel holds is what the package makes of the same raw rows"),
    "partly": ("warning", "what could be compared is equal; the rest is listed"),
    "differs": ("bad", "the package makes other values of the same raw rows"),
    "not-compared": ("warning", "nothing could be compared"),
}
STATUSES = {"equal": "equal", "differs": "differs", "absent": "not there"}


def live(report: Mapping[str, Any], _sources: Sequence[str]) -> Document:
    """The report of `api.live_check`."""
    tone, meaning = VERDICTS[report["verdict"]]
    blocks: list[Block] = [Line(f"against {report['package']} (version {report['version']})")]
    if report["raw"]:
        blocks.append(Line(f"raw rows: {report['raw']}"))
    different = [each for each in report["features"] if each["status"] == "differs"]
    if different:
        blocks.append(Items(f"{len(different)} of {len(report['features'])} differ", tuple(map(_item, different))))
    rows = tuple(
        (each["name"], STATUSES[each["status"]], each["where"] or "", str(each["detail"]))
        for each in report["features"]
    )
    if rows:
        blocks.append(Table("features", ("feature", "in the kernel", "compared with", "detail"), rows))
    blocks += [Line(note, "warning") for note in report["notes"]]
    return Document(report["notebook"], report["verdict"], tone, meaning, tuple(blocks))


def _item(feature: Mapping[str, Any]) -> Item:
    first = feature["first"]
    details = (
        ()
        if first is None
        else (f"first at row {first['row']}: the kernel has {first['kernel']!r}, the package {first['package']!r}",)
    )
    return Item("bad", feature["name"], feature["detail"], place(feature), feature["code"], details)
