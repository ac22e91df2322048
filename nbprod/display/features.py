"""The features of a notebook as a document: what each needs and learns, how sure it is, and where it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbprod.display.document import Document, Table, Tone


def features(report: Mapping[str, Any], _sources: Sequence[str]) -> Document:
    """The part `features` of what `api.watch_notebook` tells."""
    found = report["features"]
    rows = tuple(
        (each["name"], each["status"], ", ".join(each["inputs"]), _learned(each), ", ".join(map(str, each["cells"])))
        for each in found
    )
    if not rows:
        return Document("features", "none", "plain", "there is no plan of the notebook as it is")
    counts = {word: sum(each["status"] == word for each in found) for word in ("refused", "assumed")}
    tone: Tone = "bad" if counts["refused"] else "warning" if counts["assumed"] else "good"
    meaning = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    table = Table("", ("feature", "status", "raw columns", "learned", "cells"), rows)
    return Document("features", str(len(rows)), tone, meaning, (table,))


def _learned(feature: Mapping[str, Any]) -> str:
    """`df['age'].median() = 28.0`; without the value where nothing was fitted."""
    return ", ".join(
        each["expression"] + ("" if each["value"] is None else f" = {each['value']}") for each in feature["learned"]
    )
