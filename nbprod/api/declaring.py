"""What a person declares of a pipeline, written into the configuration: comments stay, and no ill value is kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from nbprod.api.answers import Declaration, Declarations
from nbprod.api.packages import Target, target_of
from nbprod.config import PipelineConfig, config_of
from nbprod.errors import NbprodError, Where
from nbprod.readiness.questions import QUESTIONS

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
    import tomlkit

    project = target.project
    place = project.source or project.root / "nbprod.toml"
    text = place.read_text(encoding="utf-8") if place.is_file() else ""
    document = tomlkit.parse(text)
    whole: Any = document
    if place.name == "pyproject.toml":
        whole = document["tool"]["nbprod"]
    table = _table(whole, ("pipelines", target.name))
    if "notebook" not in table:
        table["notebook"] = _inside(project.root, path)
    for key, typed in values.items():
        _put(table, key, _typed(key, typed.strip(), place))
    config_of(whole.unwrap(), place)
    staged = place.with_name(f".{place.name}.part")
    staged.write_text(tomlkit.dumps(document), encoding="utf-8")
    staged.replace(place)
    return str(place)


def _inside(root: Path, path: str) -> str:
    whole = Path(path).resolve()
    if not whole.is_relative_to(root.resolve()):
        raise NbprodError("the notebook lies outside of the project", code="outside", where=Where(path))
    return whole.relative_to(root.resolve()).as_posix()


def _table(table: Any, names: tuple[str, ...]) -> Any:
    import tomlkit

    for place, name in enumerate(names):
        if name not in table:
            table[name] = tomlkit.table(is_super_table=place < len(names) - 1)
        table = table[name]
    return table


def _put(table: Any, key: str, value: Any) -> None:
    """Set a dotted key of a table, or take it out where the value is None; keys may be written with `-`."""
    *above, last = key.split(".")
    for name in above:
        if name not in table:
            if value is None:
                return
            table = _table(table, (name,))
        else:
            table = table[name]
    known = next((each for each in table if each.replace("-", "_") == last), last)
    if value is None:
        table.pop(known, None)
    else:
        table[known] = value


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
        parts = [part.strip() for part in text.strip("[]").split(",") if part.strip()]
        return [_number(key, part, place) if of is float else part.strip("\"'") for part in parts]
    if get_origin(bare) is dict:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        if any(not sign for _, sign, _ in pairs):
            raise _ill(key, "pairs such as missed = 120, false_alarm = 8", text, place)
        return {name.strip(): _number(key, value.strip(), place) for name, _, value in pairs}
    if get_origin(bare) is Literal and text not in get_args(bare):
        raise _ill(key, f"one of {', '.join(get_args(bare))}", text, place)
    return text


def _number(key: str, text: str, place: Path) -> float | int:
    try:
        value = float(text)
    except ValueError:
        raise _ill(key, "a number", text, place) from None
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
            return ", ".join(f"{each:g}" if isinstance(each, float) else str(each) for each in value)
        case dict():
            return ", ".join(f"{name} = {each:g}" for name, each in value.items())
        case _:
            return str(value)
