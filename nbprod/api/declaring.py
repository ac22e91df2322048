"""What a person declares of a pipeline, written into the configuration: comments stay, and no ill value is kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from nbprod.api.answers import Declaration, Declarations
from nbprod.api.packages import Target, target_of
from nbprod.config import PipelineConfig, config_of
from nbprod.errors import NbprodError, Where
from nbprod.readiness.questions import QUESTIONS

_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^,]*))\s*(?:,|$)""")
YES, NO = frozenset({"yes", "y", "true", "on", "1"}), frozenset({"no", "n", "false", "off", "0"})


def declarations(path: str, *, output: str | None = None) -> Declarations:
    """What can be declared of the pipeline of a notebook, with what is declared now, as one would type it."""
    return declared_of(target_of(path, output=output))


def declared_of(target: Target) -> Declarations:
    """`declarations` for a package that is known."""
    settings = target.settings
    source = target.project.source
    return Declarations(
        configuration=None if source is None else str(source),
        declarations=tuple(
            Declaration(
                key=each.key,
                question=each.text,
                example=each.example,
                value=_shown(_value_of(settings, each.key), _value_of(PipelineConfig(), each.key)),
                choices=_choices(_hint_of(each.key)),
                items=each.items,
                rare=each.is_rare,
            )
            for each in QUESTIONS
        ),
    )


def declare(path: str, values: Mapping[str, str], *, output: str | None = None) -> str:
    """Declare values, as a person types them, for the pipeline of a notebook; an empty one takes a key out again.

    They go into nbprod.toml or pyproject.toml, whichever configures the project, else into a new nbprod.toml at its
    root. Gives the file's path. Raises NbprodError: `unknown-key`, and `bad-config` for a value that the key can't
    have; then nothing is written.
    """
    return declared(target_of(path, output=output), path, values)


def declared(target: Target, path: str, values: Mapping[str, str]) -> str:
    """`declare` for a package that is known."""
    project = target.project
    place = project.source or project.root / "nbprod.toml"
    before = place.read_bytes().decode() if place.is_file() else ""
    notebook = _inside(project.root, path)
    answers = {key: _typed(key, typed.strip(), place) for key, typed in values.items()}
    ends = "\r\n" if "\r\n" in before else "\n"
    given = before.replace("\r\n", "\n")
    text = _edited(given, place, target.name, notebook, answers) or _edited(
        given, place, target.name, notebook, answers, in_line=True
    )
    if text is None:
        raise NbprodError(
            "this can't be written between what stands there",
            code="bad-config",
            where=Where(str(place)),
            hint=f"write it by hand, or give the pipeline a table of its own: [pipelines.{target.name}]",
        )
    _replace(place, text.replace("\n", ends))
    return str(place)


def _edited(
    text: str, place: Path, name: str, notebook: str, answers: Mapping[str, Any], *, in_line: bool = False
) -> str | None:
    """A configuration with the answers, new tables written `in_line`; None where the text would not say the same.

    A table that is written with dotted keys can't be followed by the head of another one within it.
    """
    import tomlkit

    document = tomlkit.parse(text)
    whole: Any = document["tool"]["nbprod"] if place.name == "pyproject.toml" else document
    table = _table(whole, ("pipelines", name), in_line=in_line)
    if "notebook" not in table:
        table["notebook"] = notebook
    for key, value in answers.items():
        _put(table, key, value, in_line=in_line)
    config_of(whole.unwrap(), place)
    made = tomlkit.dumps(document)
    try:
        return made if _settled(tomllib.loads(made)) == _settled(document.unwrap()) else None
    except tomllib.TOMLDecodeError:
        return None


def _settled(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _replace(place: Path, text: str) -> None:
    """Put a text in the place of a file, or of the one that it is a link to; its rights stay."""
    real = place.resolve()
    staged = real.with_name(f".{real.name}.{os.getpid()}.part")
    try:
        staged.write_bytes(text.encode())
        if real.is_file():
            shutil.copymode(real, staged)
        staged.replace(real)
    finally:
        staged.unlink(missing_ok=True)


def _inside(root: Path, path: str) -> str:
    whole = Path(path).resolve()
    if not whole.is_relative_to(root.resolve()):
        raise NbprodError("the notebook lies outside of the project", code="outside", where=Where(path))
    return whole.relative_to(root.resolve()).as_posix()


def _table(table: Any, names: tuple[str, ...], *, in_line: bool) -> Any:
    import tomlkit
    from tomlkit.items import InlineTable

    for place, name in enumerate(names):
        if name not in table:
            is_short = in_line or isinstance(table, InlineTable)
            is_super = place < len(names) - 1
            table[name] = tomlkit.inline_table() if is_short else tomlkit.table(is_super_table=is_super)
        table = table[name]
    return table


def _put(table: Any, key: str, value: Any, *, in_line: bool) -> None:
    """Set a dotted key of a table, or take it out where the value is None; keys may be written with `-`."""
    import tomlkit

    *above, last = key.split(".")
    for part in above:
        name = _as_written(table, part)
        if name not in table and value is None:
            return
        table = _table(table, (name,), in_line=in_line)
    known = _as_written(table, last)
    if value is None:
        table.pop(known, None)
    elif isinstance(value, dict):
        table.pop(known, None)
        table[known] = tomlkit.inline_table()
        table[known].update(value)
    else:
        table[known] = value


def _as_written(table: Any, name: str) -> str:
    """A key as a table has it."""
    return next((each for each in table if each.replace("-", "_") == name), name)


def _hint_of(key: str) -> Any:
    """The type of a dotted key. Raises NbprodError (`unknown-key`) with the nearest."""
    from difflib import get_close_matches

    kind: Any = PipelineConfig
    for name in key.split("."):
        hints = get_type_hints(kind) if isinstance(kind, type) and issubclass(kind, Struct) else {}
        if name not in hints:
            near = get_close_matches(key, [each.key for each in QUESTIONS], n=1)
            raise NbprodError(
                f'unknown key "{key}"', code="unknown-key", hint=f'did you mean "{near[0]}"?' if near else None
            )
        kind = hints[name]
    return kind


def _bare(hint: Any) -> Any:
    """A type without the None that stands for what is not declared."""
    if get_origin(hint) in (Union, UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint


def _choices(hint: Any) -> tuple[str, ...]:
    bare = _bare(hint)
    if bare is bool:
        return ("yes", "no")
    return tuple(get_args(bare)) if get_origin(bare) is Literal else ()


def _typed(key: str, text: str, place: Path) -> Any:
    """A typed value of what a person has written; None for nothing. Raises NbprodError (`bad-config`)."""
    if not text:
        return None
    bare = _bare(_hint_of(key))
    if bare is bool:
        if text.lower() not in YES | NO:
            raise _ill(key, "yes or no", text, place)
        return text.lower() in YES
    if bare is float:
        return _number(key, text, place)
    if get_origin(bare) is tuple:
        of = get_args(bare)[0]
        return [_number(key, part, place) if of is float else part for part in _listed(text)]
    if get_origin(bare) is dict:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        if any(not sign for _, sign, _ in pairs):
            raise _ill(key, f"pairs such as {_example_of(key)}", text, place)
        of_text = get_args(bare)[1] is str
        return {
            name.strip(): value.strip() if of_text else _number(key, value.strip(), place) for name, _, value in pairs
        }
    if get_origin(bare) is Literal and text not in get_args(bare):
        raise _ill(key, f"one of {', '.join(get_args(bare))}", text, place)
    return text


def _example_of(key: str) -> str:
    return next((each.example for each in QUESTIONS if each.key == key), "a = 1, b = 2")


def _listed(text: str) -> list[str]:
    """The parts of a list, with brackets or without; in quotes a part may hold a comma."""
    inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    parts = (next((each for each in found if each), "").strip() for found in _PART.findall(inside))
    return [part for part in parts if part]


def _number(key: str, text: str, place: Path) -> float | int:
    try:
        value = float(text)
    except ValueError:
        raise _ill(key, "a number", text, place) from None
    if not isfinite(value):
        raise _ill(key, "a finite number", text, place)
    return int(value) if value.is_integer() and "." not in text and "e" not in text.lower() else value


def _ill(key: str, wanted: str, text: str, place: Path) -> NbprodError:
    return NbprodError(f'"{key}" must be {wanted}, not "{text}"', code="bad-config", where=Where(str(place)))


def _value_of(settings: PipelineConfig, key: str) -> Any:
    value: Any = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _shown(value: Any, default: Any) -> str | None:
    """A value as one would type it; None where it is not declared."""
    if value == default or value is None:
        return None
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple():
            return ", ".join(f"{each:g}" if isinstance(each, float) else _quoted(str(each)) for each in value)
        case dict():
            parts = ((name, f"{each:g}" if isinstance(each, float) else each) for name, each in value.items())
            return ", ".join(f"{name} = {each}" for name, each in parts)
        case _:
            return str(value)


def _quoted(text: str) -> str:
    """A part of a list as one would type it."""
    if "," not in text and text == text.strip("\"' "):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'
