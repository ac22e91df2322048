"""The graph of a row's values as the text of a module."""

from __future__ import annotations

import builtins
import datetime
import inspect
import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .nodes import BOOLEAN, FLOAT, INTEGER, MOMENT, TEXT, Node, Value, walk
from .sources import Sources

if TYPE_CHECKING:
    from .model import Model

PLACE = re.compile(r"\{(\d+|[A-Z]+)\}")
LONGEST = 100
MOST, MOST_WHOLE = 1e15, 2**31
"""What rows.py takes at most: as numbers in the text, of which Python need not look up each, and make it negative."""
OWN = frozenset(
    {"record", "np", "features", "vector", "given", "predict", "score", "scores", "probabilities"}
    | {"CLASSES", "TABLES", "TOLERANCE"}
)
OF_MODELS = re.compile(r"(trees_|[cfzp])\d*")
"""The names that the text of a model gives."""
HEAD = (
    "# One row without pandas: what features.py makes of a record, and what the model answers. Written by the fit,",
    "# with what was learned as constants; rows.py has what it reads and calls, and says when it steps aside.",
    "",
)
READERS = {FLOAT: "number", INTEGER: "integer", TEXT: "text", BOOLEAN: "boolean"}


class Writer:
    """Writes the values of a row as statements of a function."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.names: dict[int, str] = {}
        self.taken = {*reserved, *dir(builtins), *keyword.kwlist, *OWN}
        self.constants: dict[str, Any] = {}
        self.sources = Sources(self.name_for, self.constant_named)
        self.lines: list[str] = []

    def begin(self) -> None:
        """Another function begins: what the last one has named is its own."""
        self.names, self.lines = {}, []

    def name_for(self, wanted: str, spelled: Callable[[str], str] = str) -> str:
        """A free name that tells of what is wanted; `spelled` writes a constant's in capitals."""
        # Python takes names that are alike in this form for one.
        slug = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", wanted)).strip("_").lower()
        slug = slug if f"x{slug}".isidentifier() else re.sub(r"\W+", "_", slug, flags=re.ASCII).strip("_")
        slug = slug if slug.isidentifier() else f"x_{slug}"
        name, count = slug, 2
        while spelled(name) in self.taken or OF_MODELS.fullmatch(spelled(name)):
            name, count = f"{slug}_{count}", count + 1
        self.taken.add(spelled(name))
        return spelled(name)

    def statements(self, values: list[Value], fields: Iterable[Node] = ()) -> list[str]:
        """The statements that read the fields and make the values, and the expression of each value."""
        nodes = sorted(walk([*fields, *values]), key=lambda node: node.serial)
        uses: Counter[int] = Counter()
        for node in nodes:
            for place in PLACE.findall(node.text):
                if place.isdigit():
                    uses[id(node.args[int(place)])] += 1
        for value in values:
            if isinstance(value, Node):
                uses[id(value)] += 1
        for node in nodes:
            if node.raw is not None:
                self._read(node)
            elif not node.is_atom and (
                uses[id(node)] > 1 or node.label is not None or len(self.text_of(node)) > LONGEST
            ):
                text = self.text_of(node)
                name = self.name_for(node.label or _root(node))
                self.lines.append(f"{name} = {text}")
                self.names[id(node)] = name
        return [self.expression(value, is_whole=True) for value in values if isinstance(value, Node)]

    def _read(self, node: Node) -> None:
        name = self.name_for(str(node.raw))
        self.names[id(node)] = name
        if node.kind == MOMENT:
            self.lines.append(f"{name} = moment(record[{node.raw!r}])")
            return
        self.lines.append(f"{name} = record[{node.raw!r}]")
        reader = READERS[node.kind] + ("" if node.nullable else "_needed")
        if node.kind == FLOAT:
            test = f"type({name}) is not float or not -{MOST!r} <= {name} <= {MOST!r}"
        elif node.kind == INTEGER:
            test = f"type({name}) is not int or not -{MOST_WHOLE} <= {name} <= {MOST_WHOLE}"
        elif node.kind == TEXT:
            test = f"type({name}) is not str or not {name}.isascii()"
        else:
            test = f"type({name}) is not bool"
        self.lines += [f"if {test}:", f"    {name} = {reader}({name})"]

    def expression(self, node: Value, *, is_whole: bool = False) -> str:
        assert isinstance(node, Node)
        if id(node) in self.names:
            return self.names[id(node)]
        text = self.text_of(node)
        return text if is_whole or node.is_atom or _is_closed(text) else f"({text})"

    def text_of(self, node: Node) -> str:
        def put(match: re.Match[str]) -> str:
            place = match[1]
            if place.isdigit():
                return self.expression(node.args[int(place)])
            return self._constant(node, place)

        return PLACE.sub(put, node.text)

    def _constant(self, node: Node, place: str) -> str:
        value = node.constants[place]
        if inspect.isfunction(value):
            return self.sources.name_of(value)
        if value is None or (isinstance(value, float) and value != value):
            return "None" if value is None else "NAN"
        return self.constant_named(f"{node.label or _root(node)}_{place}", value)

    def constant_named(self, wanted: str, value: Any) -> str:
        """The name of a constant of the module; equal ones are one."""
        for name, known in self.constants.items():
            if type(known) is type(value) and repr(known) == repr(value):
                return name
        name = self.name_for(wanted, str.upper)
        self.constants[name] = value
        return name


def _root(node: Node) -> str:
    """A name for a value after the column that it comes from."""
    while node.args:
        if node.label is not None:
            return node.label
        node = node.args[0]
    return node.label or (node.raw or "value")


def _is_closed(text: str) -> bool:
    """Whether a text is one call or subscript, to which nothing outside of it can be bound."""
    if not re.match(r"[\w.]+[(\[]", text) or text[-1] not in ")]":
        return False
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if depth == 0 and sign in ")]" and at < len(text) - 1 and text[at + 1] not in ".([":
            return False
    return depth == 0


def written(value: Any) -> str:
    """A constant as Python writes it."""
    if isinstance(value, float):
        return "NAN" if value != value else repr(value).replace("inf", "INF")
    if isinstance(value, (datetime.datetime, datetime.timedelta)):
        return repr(value).removeprefix("datetime.")
    if isinstance(value, re.Pattern):
        flags = value.flags & ~re.UNICODE
        return f"re.compile({value.pattern!r}{f', {int(flags)}' if flags else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(key)}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + "".join(f"{written(each)}, " for each in value).removesuffix(" ") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, frozenset):
        return "frozenset({" + ", ".join(sorted(map(written, value))) + "})" if value else "frozenset()"
    return repr(value)


def module_text(
    writer: Writer,
    values: list[Value],
    names: list[str],
    model: Model | None = None,
    vector: list[Value] | None = None,
    function: str = "predict",
    fields: Sequence[Node] = (),
) -> str:
    """The module: `features` of a record, and where the model has a text `function` and the classes' `probabilities`.

    `vector` is what the model gets, where that is not the features; it is a function as well. `TOLERANCE` stands in it
    where answers may part from the library's, which computes in 32 bits. `fields` are looked at also where nothing is
    made of them, as features.py refuses a row for them.
    """
    body = _body(writer, values, names, fields)
    last = body if vector is None else _body(writer, vector, [f"f{place}" for place in range(len(vector))], fields)
    lines = [*HEAD, *(f"import {name}" for name in sorted(writer.sources.imports))]
    lines += [f"{name} = {written(value)}" for name, value in writer.constants.items()]
    lines += [f"\n\n{text}" for text in writer.sources.texts]
    lines += ["", "", "def features(record):", *body]
    if last is not body:
        lines += ["", "", "def vector(record):", *last]
    if model is not None:
        constants = {**model.constants, **({"TOLERANCE": model.tolerance} if model.tolerance else {})}
        if constants:
            lines += ["", "", *(f"{name} = {written(value)}" for name, value in constants.items())]
        lines += [f"\n\n{text}" for text in model.functions]
        source = "features" if last is body else "vector"
        made = [f"    {', '.join(model.fields)}, = {source}(record)", *(f"    {line}" for line in model.statements)]
        if model.chances:
            scores = [f"    {model.scores} = scores(record)"]
            lines += ["", "", "def scores(record):", *made, f"    return {model.scores}"]
            lines += ["", "", f"def {function}(record):", *scores, f"    return {model.answer}"]
            lines += ["", "", "def probabilities(record):", *scores, f"    return {model.chances}"]
        else:
            lines += ["", "", f"def {function}(record):", *made, f"    return {model.answer}"]
    return "\n".join(lines) + "\n"


def _body(writer: Writer, values: list[Value], names: list[str], fields: Sequence[Node]) -> list[str]:
    """The statements of a function that gives the values."""
    texts = writer.statements(values, fields)
    lines = [f"    {line}" for line in writer.lines]
    writer.begin()
    return [
        *lines,
        "    return (",
        *(f"        {text},  # {_shown(name)}" for text, name in zip(texts, names)),
        "    )",
    ]


def _shown(name: str) -> str:
    """A name within a comment."""
    return name if name.isprintable() else repr(name)
