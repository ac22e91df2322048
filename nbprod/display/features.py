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
    refused = sum(each["status"] == "refused" for each in found)
    tone: Tone = "bad" if refused else "good"
    table = Table("", ("feature", "status", "raw columns", "learned", "cells"), rows)
    return Document("features", str(len(rows)), tone, f"{refused} refused" if refused else "", (table,))


def _learned(feature: Mapping[str, Any]) -> str:
    """`df['age'].median() = 28.0`; without the value where nothing was fitted."""
    return ", ".join(
        each["expression"] + ("" if each["value"] is None else f" = {each['value']}") for each in feature["learned"]
    )
