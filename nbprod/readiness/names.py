"""Names of columns, and patterns of values, that may be about a person: hints for one who knows the data.

They are lists of words and patterns, and no proof: a column `x7` may hold an address, and `Name` that of a ship.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_suffix(".toml")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PATTERNS = {
    "an address of e-mail": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63})+\b"),
    "a number of a social security": re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b"),
    "an IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "a number of a telephone": re.compile(r"(?<![\w.])\+\d{1,3}[ -]\(?\d{1,4}\)?(?:[ -]\d{2,4}){2,4}(?![\w.])"),
}


def looks_protected(name: str) -> bool:
    """Whether a word of a column's name is one for a protected attribute."""
    return not _known()["protected"].isdisjoint(_words(name))


def looks_personal(name: str) -> bool:
    """Whether a word of a column's name is one for what identifies a person."""
    return not _known()["personal"].isdisjoint(_words(name))


def personal_values(text: str) -> str | None:
    """What a text shows of a person, in words and never the value; None where no pattern matches."""
    return next((what for what, pattern in _PATTERNS.items() if pattern.search(text)), None)


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name))


@cache
def _known() -> dict[str, frozenset[str]]:
    return {key: frozenset(words) for key, words in tomllib.loads(WORDS.read_text(encoding="utf-8")).items()}
