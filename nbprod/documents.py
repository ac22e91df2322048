"""YAML that anyone may have written: values, or one kind of error whatever stands in the text."""

from __future__ import annotations

from typing import Any


def value_of(text: str) -> Any:
    """The value of a YAML text of one document, None for an empty one. Raises ValueError with a reason of one line."""
    values = values_of(text)
    if len(values) > 1:
        raise ValueError(f"a single document was expected, and there are {len(values)}")
    return values[0] if values else None


def values_of(text: str) -> list[Any]:
    """The values of the documents of a YAML text. Raises ValueError with a reason of one line."""
    import yaml

    # The loader written in Python: libyaml's takes what is nested too deep. What is not as it is tagged, or as it
    # looks, raises whatever Python does: `2024-13-45`, `!!bool x`.
    others = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
    try:
        return list(yaml.safe_load_all(text))
    except (yaml.YAMLError, *others) as error:
        raise ValueError(_told(error)) from error


def _told(error: Exception) -> str:
    """An error in one line, with its place."""
    lines = str(error).strip().splitlines()
    place = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or (lines[0] if lines else type(error).__name__)
    return str(what) if place is None else f"{what} in line {place.line + 1}, column {place.column + 1}"
