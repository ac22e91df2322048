"""Regular expressions that list words, as sets of words: most rules are of that form, and a set is asked at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

Search = Callable[[str], bool]

_ANYWHERE = ("^", r"(^|\.)")
_DOT = r"\."


@cache
def searcher(expression: str) -> Search:
    """Whether a text matches, as `re.search` tells it; `$` is the end of the text, as in ast-grep."""
    start, words, others = _read(expression)
    if start == _DOT or not words or any("." in word for word in words):
        return _compiled(expression)
    return _listed(words, f"{start}({'|'.join(others)})$" if others else None, whole=start == "^")


@cache
def last_names(expression: str) -> frozenset[str] | None:
    """What stands behind the last dot of every text that matches, None where that is no matter of some words."""
    _, words, others = _read(expression)
    return None if others or not words else frozenset(word.rpartition(".")[2] for word in words)


def _read(expression: str) -> tuple[str, frozenset[str], list[str]]:
    """How an expression starts, the words that it lists, and its alternatives that are no words."""
    start = next((start for start in (*_ANYWHERE, _DOT) if expression.startswith(start)), None)
    if start is None or not expression.endswith("$"):
        return "", frozenset(), []
    body = expression[len(start) : -1]
    choices = _choices(body[1:-1]) if body.startswith("(") and _closes(body) == len(body) - 1 else [body]
    words: set[str] = set()
    others = []
    for choice in choices or ():
        listed = _words(choice)
        if listed is None:
            others.append(choice)
        else:
            words |= listed
    return start, frozenset(words), others


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
    if "\\" in text.replace(_DOT, "") or "(?" in text:
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
        elif text.startswith(_DOT, place):
            parts = {"."}
            place += len(_DOT)
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
