"""Regular expressions that list words, as sets of words: most rules are of that form, and a set is asked at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

Search = Callable[[str], bool]

_ANYWHERE = ("^", r"(^|\.)")


@cache
def searcher(expression: str) -> Search:
    """Whether a text matches, as `re.search` tells it; `$` is the end of the text, as in ast-grep."""
    start = next((start for start in _ANYWHERE if expression.startswith(start)), None)
    body = expression[len(start) : -1] if start is not None and expression.endswith("$") else ""
    choices = _choices(body[1:-1]) if body.startswith("(") and _closes(body) == len(body) - 1 else [body]
    if not body or choices is None:
        return _compiled(expression)
    words: set[str] = set()
    others = []
    for choice in choices:
        listed = _words(choice)
        if listed is None:
            others.append(choice)
        else:
            words |= listed
    if any("." in word for word in words):
        return _compiled(expression)
    return _listed(frozenset(words), f"{start}({'|'.join(others)})$" if others else None, whole=start == "^")


def _listed(words: frozenset[str], rest: str | None, *, whole: bool) -> Search:
    search = None if rest is None else _compiled(rest)

    def found(text: str) -> bool:
        if (text if whole else text.rpartition(".")[2]) in words:
            return True
        return search is not None and search(text)

    return found


def _compiled(expression: str) -> Search:
    """The expression itself, compiled when it is first asked."""
    pattern: re.Pattern[str] | None = None
    python = expression[:-1] + r"\Z" if expression.endswith("$") else expression

    def found(text: str) -> bool:
        nonlocal pattern
        if pattern is None:
            pattern = re.compile(python)
        return pattern.search(text) is not None

    return found


def _closes(text: str) -> int:
    """Where the group that `text` begins with ends, -1 where it does not."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place
    return -1


def _choices(text: str) -> list[str] | None:
    """The alternatives at the top level, None where there is more than groups and alternatives can tell."""
    if "\\" in text or "(?" in text:
        return None
    found, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == "|" and depth == 0:
            found.append(text[start:place])
            start = place + 1
    return [*found, text[start:]]


def _words(text: str) -> set[str] | None:
    """All texts that an alternative matches as a whole, None where they are not finitely many plain words."""
    found = {""}
    place = 0
    while place < len(text):
        if text[place] == "(":
            end = place + _closes(text[place:])
            inner = _choices(text[place + 1 : end])
            listed = [_words(choice) for choice in inner or ()]
            if not listed or any(one is None for one in listed):
                return None
            parts = set().union(*(one for one in listed if one is not None))
            place = end + 1
        elif text[place].isalnum() or text[place] == "_":
            parts = {text[place]}
            place += 1
        else:
            return None
        if text[place : place + 1] == "?":
            parts = parts | {""}
            place += 1
        found = {begin + part for begin in found for part in parts}
    return found
