"""A learned value as `codec` keeps it, as short text that a person would write; nothing is loaded or unpickled."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbprod.notebook.redact import redact_text, redacted

LENGTH = 80
"""Characters of a value as it is shown."""

_EXACT = 6


def learned_text(name: str, tree: Any, state: Path) -> str:
    """What the site `name` learned, without secrets; `tree` is its JSON, estimators lie in the folder `state`."""
    # Masked before it is cut: half of a secret has no longer a secret's shape.
    return _short(redacted(name, redact_text(text_of(tree, state))))


def text_of(tree: Any, state: Path) -> str:
    """A value in full, but for long lists, of which the beginning is given with the number of their items."""
    match tree:
        case None | bool() | int() | str():
            return repr(tree)
        case float():
            return f"{tree:.{_EXACT}g}" if tree != round(tree) else repr(tree)
        case list():
            return f"[{_several(_texts(tree, state), len(tree))}]"
        case {"$": "by_key", "values": dict(values)}:
            return _by_key(list(values), list(values.values()), state)
        case {"$": "by_key", "items": list(items)}:
            return _by_key([_key(key, state) for key, _ in items], [value for _, value in items], state)
        case {"$": "runs", "values": list(values)}:
            return _several(_texts(values, state), len(values), "; ")
        case {"$": "skops", "file": str(name)}:
            return _class_in(state / Path(name).name)
        case {"$": "dict", "items": [["values" | "statistics", of_groups], ["dtype", {"$": "dtype"}]]}:
            return text_of(of_groups, state)  # as the runtime keeps what `groupby().transform` learns
        case {"$": "dict" | "OrderedDict" | "defaultdict", "items": list(items)}:
            return f"{{{_several(_pairs(items, state), len(items))}}}"
        case {"$": str(), "items": list(items)}:
            return f"({_several(_texts(items, state), len(items))})"
        case {"$": str(), "values": list(values)}:
            return f"[{_several(_texts(values, state), len(values))}]"
        case {"$": str(), "value": value}:
            return str(value) if isinstance(value, str) else text_of(value, state)
        case {"$": str(kind)}:
            return kind
        case dict():
            return f"{{{_several(_pairs(list(tree.items()), state), len(tree))}}}"
        case _:
            return ""


def _texts(values: Sequence[Any], state: Path) -> list[str]:
    """The first values; of more than these no part would be shown."""
    return [text_of(value, state) for value in values[: LENGTH // 2]]


def _pairs(items: Sequence[Any], state: Path) -> list[str]:
    return [f"{text_of(key, state)}: {text_of(value, state)}" for key, value in items[: LENGTH // 2]]


def _by_key(keys: Sequence[str], values: Sequence[Any], state: Path) -> str:
    """What a loop learned for each of its keys: once, where it is the same for all of them."""
    told = _texts(values, state)
    if len(values) > 1 and len(told) == len(values) and len(set(told)) == 1:
        return f"{told[0]} for {_several(keys, len(keys))}"
    return _several([f"{key}: {text}" for key, text in zip(keys, told, strict=False)], len(keys), "; ")


def _key(tree: Any, state: Path) -> str:
    """A loop's key: the name of a column as it is, several as the loop has them."""
    match tree:
        case str():
            return tree
        case {"$": "tuple", "items": list(items)}:
            return f"({', '.join(_key(item, state) for item in items)})"
        case _:
            return text_of(tree, state)


def _several(parts: Sequence[str], count: int, between: str = ", ") -> str:
    text = between.join(parts)
    if len(text) <= LENGTH and len(parts) == count:
        return text
    lengths = ((number, len(between.join(parts[:number]))) for number in range(len(parts), 0, -1))
    shown = next((number for number, length in lengths if length <= LENGTH - 12), 1)
    return f"{between.join(parts[:shown])}{between}… ({count})" if shown < count else text


def _class_in(path: Path) -> str:
    """The class of an estimator in a skops file, from its schema: no object is made."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"fitted {json.loads(archive.read('schema.json'))['__class__']}"
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError):
        return "fitted"


def _short(text: str) -> str:
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"
