"""The eight signs of a model that will not live, which the checklist's items are grouped by."""

from __future__ import annotations

from collections.abc import Mapping

SECTIONS: Mapping[str, str] = {
    "NB": "Model only in a notebook",
    "SK": "Different preprocessing in training and inference",
    "RP": "No experiment tracking or reproducibility",
    "RT": "Retraining not discussed",
    "MO": "No monitoring plan",
    "DT": "Deployment target undefined",
    "TM": "Data science and engineering apart",
    "SU": "Success defined only by accuracy",
}


def section_of(item: str) -> str:
    """The two letters of the section of an item."""
    return item.partition("-")[0]
