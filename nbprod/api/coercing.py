"""A value in the type that a parameter wants: texts are read, nothing is rounded, and what does not fit is placed."""

from __future__ import annotations

import ast
import pathlib
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, get_args, get_origin

import msgspec

from nbprod.api.annotations import MADE, choices_in, is_union, members_of, name_of
from nbprod.model.parameter import Made

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NO_NUMBERS = {"nan", "inf", "-inf"}
_QUOTED_NONE = {"'None'", '"None"'}
_TEXTS = frozenset({str, NoneType, *MADE})


class Misfit(Exception):
    """A value, or the part of it at `place` (such as `["a"][0]`), that does not fit, and the `reason`."""

    def __init__(self, value: Any, place: str = "", reason: str = "is not") -> None:
        super().__init__(reason)
        self.value = value
        self.place = place
        self.reason = reason


def coerced(value: Any, kind: Any) -> Any:
    """`value` as one of the type `kind`; a text is read as the type wants it. Raises Misfit."""
    return _read(value, kind) if isinstance(value, str) else _fitted(value, kind)


def spelled(value: Any, makers: Mapping[type, str]) -> Any:
    """`value` with its paths, dates and the like as the expressions that make them."""
    match value:
        case dict():
            return {key: spelled(each, makers) for key, each in value.items()}
        case list() | set() | frozenset():
            return type(value)(spelled(each, makers) for each in value)
        case tuple():
            return tuple(spelled(each, makers) for each in value)
        case _ if (kind := _made(value)) is not None:
            text = value.isoformat() if hasattr(value, "isoformat") else str(value)
            return Made(text, f"{makers.get(kind) or _imported(kind)}({text!r})")
        case _:
            return value


def _made(value: Any) -> type | None:
    found = (kind for kind in type(value).__mro__ if kind in MADE)
    return next(found, None)


def _imported(kind: type) -> str:
    """The call that makes a value of a class that the notebook has no name for."""
    maker = f'__import__("{kind.__module__.partition(".")[0].lstrip("_")}").{kind.__name__}'
    return f"{maker}.fromisoformat" if hasattr(kind, "fromisoformat") else maker


def _read(text: str, kind: Any) -> Any:
    members = members_of(kind)
    if _TEXTS.issuperset(members):
        return _as_text(text, kind, members)
    if text in choices_in(kind):
        return text
    if bool in members and int not in members and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if float in members and text.lower() in _NO_NUMBERS:
        return float(text)
    takes_text = kind is Any or any(each in _TEXTS and each is not NoneType for each in members)
    try:
        return _fitted(_literal(text), kind)
    except ValueError:
        if takes_text:
            return _fitted(text, kind)
        raise Misfit(text) from None
    except Misfit:
        if takes_text:
            return _fitted(text, kind)
        raise


def _as_text(text: str, kind: Any, members: tuple[Any, ...]) -> Any:
    """A text where only texts, or None, are meant: it is not looked into, but for the word None where that fits."""
    if NoneType in members and text == "None":
        return None
    if NoneType in members and text in _QUOTED_NONE:
        text = "None"
    moments = [each for each in members if hasattr(each, "fromisoformat")]
    for each in moments:
        try:
            return each.fromisoformat(text)
        except ValueError:
            continue
    if moments and str not in members:
        raise Misfit(text)
    return _fitted(text, kind)


def _literal(text: str) -> Any:
    """What a text says in Python's words, or in JSON's."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("no literal") from error


def _fitted(value: Any, kind: Any) -> Any:
    fitted = _converted(value, kind)
    for place, before, after in _floats(value, fitted):
        if int(after) != before:
            raise Misfit(before, place, "would be rounded")
    return fitted


def _converted(value: Any, kind: Any) -> Any:
    try:
        return _tried(value, kind)
    except Misfit as misfit:
        raise next(_misfits(value, kind, ""), misfit) from None


def _tried(value: Any, kind: Any) -> Any:
    if isinstance(value, str) and kind is bytes:  # msgspec reads base64
        raise Misfit(value)
    try:
        return msgspec.convert(value, kind, dec_hook=_hook)
    except msgspec.ValidationError:
        raise Misfit(value) from None
    except TypeError:
        # msgspec does not tell apart several classes, or several kinds of lists, in one union.
        return _first_of(value, kind)


def _first_of(value: Any, kind: Any) -> Any:
    for each in members_of(kind) if is_union(kind) else ():
        try:
            return _tried(value, each)
        except Misfit:
            continue
    raise Misfit(value)


def _hook(kind: type, value: Any) -> Any:
    if kind is pathlib.PurePath and isinstance(value, str):
        return pathlib.PurePath(value)
    raise ValueError(kind.__name__)


def _misfits(value: Any, kind: Any, place: str) -> Iterator[Misfit]:
    """The innermost parts that do not fit, in order."""
    for where, part, wanted in _parts(value, kind):
        if not _fits(part, wanted):
            inner = next(_misfits(part, wanted, place + where), None)
            yield inner or Misfit(part, place + where, f"is no {name_of(wanted)}")


def _parts(value: Any, kind: Any) -> Iterator[tuple[str, Any, Any]]:
    """The parts of a container with their places and the types that they must be of."""
    if is_union(kind):
        alike = [each for each in members_of(kind) if _is_container(value, get_origin(each))]
        kind = alike[0] if len(alike) == 1 else kind
    origin, inside = get_origin(kind), get_args(kind)
    if not inside or not _is_container(value, origin):
        return
    if origin is dict:
        for key, each in value.items():
            yield " (a key)", key, inside[0]
            yield f"[{key!r}]", each, inside[1]
    elif origin is not tuple or inside[-1] is ... or len(inside) == len(value):
        fixed = origin is tuple and inside[-1] is not ...
        yield from ((f"[{n}]", each, inside[n if fixed else 0]) for n, each in enumerate(value))


def _is_container(value: Any, origin: Any) -> bool:
    if origin is dict:
        return isinstance(value, dict)
    return origin in {list, tuple, set, frozenset} and isinstance(value, list | tuple | set | frozenset)


def _fits(value: Any, kind: Any) -> bool:
    try:
        _tried(value, kind)
    except Misfit:
        return False
    return True


def _floats(before: Any, after: Any, place: str = "") -> Iterator[tuple[str, int, float]]:
    """Whole numbers that have become floats, with their places."""
    match before, after:
        case (int(), float()) if not isinstance(before, bool):
            yield place, before, after
        case (list() | tuple(), list() | tuple()):
            for n, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from _floats(old, new, f"{place}[{n}]")
        case (dict(), dict()):
            for key, old in before.items():
                yield from _floats(old, after.get(key), f"{place}[{key!r}]")
