"""What is known of the raw columns of a version: what training saw of them, and what is declared in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbprod.codegen.runtime.contract import Contract

STATED = ("min", "max", "categories", "on_missing", "on_unseen")
"""What can be declared of a column."""


def raw_columns(contract: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By name what a version's `contract.json` and `state/schema.json` say of each column that training saw."""
    seen = {str(each["name"]): dict(each) for each in schema.get("columns", ())}
    if contract.get("stated"):
        for column in Contract.from_parts(dict(contract), dict(schema)).columns:
            if column.name in seen and column.name in contract["stated"]:
                seen[column.name] |= {key: getattr(column, key) for key in STATED}
    return seen
