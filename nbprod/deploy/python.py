"""Values in the text of a Python file, and texts with holes that values go into."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence


def literal(value: str | bool | Sequence[str] | None) -> str:
    """A value as Python writes it, a sequence as a list; whatever a text holds, it stays one.

    >>> literal(("a", 'say "b"'))
    '["a", "say \\\\"b\\\\""]'
    """
    if value is None or isinstance(value, bool):
        return repr(value)
    # JSON's texts are Python's too.
    return json.dumps(value, ensure_ascii=False)


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with each `<<KEY>>` replaced by its value, which is not looked into. Raises KeyError for one without."""
    return re.sub(r"<<([A-Z]+)>>", lambda hole: values[hole[1]], text)
