"""The stages of a run, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def stages_text(stages: Sequence[Any]) -> str:
    """`data, features restored (took 2.1 s when run), train 12.3 s`."""
    restored = [each for each in stages if each["restored"]]
    parts = [f"{each['role']} {each['seconds']:.1f} s" for each in stages if not each["restored"]]
    if restored:
        roles = ", ".join(each["role"] for each in restored)
        parts.insert(0, f"{roles} restored (took {sum(each['seconds'] for each in restored):.1f} s when run)")
    return ", ".join(parts) or "no roles"
