"""What cells do: the evidence that the rules find in their code."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis.roles.matching import matches, receiver_of
from nbprod.analysis.roles.rules import STEPS, Rule, kinds, own_rules
from nbprod.analysis.roles.syntax import Tree, given
from nbprod.model.notebook import Cell
from nbprod.notebook.parsed import parsed

_TEXT_LIMIT = 60
_NESTED_CALLS = 4
_LOWEST_CALLED = 0.7
_PREPARES = frozenset({"preprocessing", "features"})
_OF_MODELS = frozenset({"fit", "predict", "predict_proba", "transform", "fit_transform"})
_LITERALS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_CONTAINERS = frozenset({"list", "dict", "set", "deque", "defaultdict", "OrderedDict"})
_RESULTS = frozenset({"train", "evaluate", "predict"})
_WORD = re.compile(r"[^\W\d]\w*")
_FITTED = re.compile(
    r"\.(predict\w*\(|coef_|intercept_|feature_importances_|cv_results_|best_(score|params|estimator)_|oob_score_)"
)
_SELECTS = re.compile(r"(\w+\.)*(RFE|RFECV|SelectFromModel|SequentialFeatureSelector)\(")
_FITS_BY_KEYWORD = re.compile(r"\b(epochs|batch_size|validation_data|eval_set|steps_per_epoch|sample_weight|y)\s*=")


class Evidence(Struct, frozen=True):
    """One thing that a cell does, at a line of it (1-based): the step, why, and the code that shows it.

    `deferred` tells that it stands in a function or class, and happens only where that is called.
    """

    cell: int
    line: int
    step: str
    rule: str
    message: str
    text: str
    confidence: float
    deferred: bool = False
    weak: str | None = None


def steps_of(code: str, rules: tuple[Rule, ...] = ()) -> tuple[str, ...]:
    """What the code of one cell does, of `STEPS` and in that order; `rules` are a project's own.

    Code that does not parse does nothing.
    """
    return _named(_of_sources((code,), rules)[0])


def steps_of_cells(cells: Iterable[Cell], rules: tuple[Rule, ...] = ()) -> tuple[tuple[str, ...], ...]:
    """What each cell of a notebook does; functions and objects of earlier cells are known in later ones."""
    return tuple(_named(found) for found in evidence_of_cells(cells, rules))


def evidence_of_cells(cells: Iterable[Cell], rules: tuple[Rule, ...] = ()) -> tuple[tuple[Evidence, ...], ...]:
    """The evidence in each cell, by line."""
    return _of_sources(tuple("" if cell.fault else cell.code for cell in cells), rules)


def _named(found: Iterable[Evidence]) -> tuple[str, ...]:
    steps = {evidence.step for evidence in found}
    return tuple(step for step in STEPS if step in steps)


LONGEST = 100_000
"""Characters of a cell; a longer one holds data, and no rule looks into it."""


@lru_cache(maxsize=16)
def _of_sources(sources: tuple[str, ...], rules: tuple[Rule, ...]) -> tuple[tuple[Evidence, ...], ...]:
    looked_at = [_looked_at(code) for code in sources]
    scene = _Scene([objects for objects, _ in looked_at])
    own = sorted(_own([found for _, found in looked_at]), key=_in_order_of_rules())
    places = (*own, *_of_project(sources, rules))
    scene.note_measured(places)
    found = [scene.evidence(scene.meant(one)) for one in places if scene.applies(one)]
    found.extend(scene.calls(found))
    cells: list[list[Evidence]] = [[] for _ in sources]
    for evidence in sorted(dict.fromkeys(found), key=lambda one: (one.cell, one.line)):
        cells[evidence.cell].append(evidence)
    return tuple(tuple(one for one in cell if _stands(one, cell)) for cell in cells)


def _module_of(code: str) -> ast.Module:
    try:
        return parsed(code if len(code) <= LONGEST else "")
    except SyntaxError:
        return ast.Module([], [])


@lru_cache(maxsize=2048)
def _looked_at(code: str) -> tuple[_Objects, tuple[_Found, ...]]:
    """The objects of a cell, and what nbprod's own rules find in it, as if it were the first."""
    tree = Tree(code, _module_of(code))
    found = []
    for rule, node in matches(tree):
        called = None
        if rule.receiver is not None and (receiver := receiver_of(rule, tree, node)) is not None:
            called = _Called(receiver, tree.text(tree.arguments(node)), len(given(node)))
        bound = _bound_by(tree, node) if rule.step == "evaluate" else None
        item_of = _item_of(node) if rule.step in _PREPARES else None
        found.append(_Found(0, node.lineno, rule, tree.text(node), called, bound, item_of))
    return _Objects.of(tree), tuple(found)


def _own(cells: Sequence[Sequence[_Found]]) -> Iterator[_Found]:
    """What nbprod's own rules find, with the cells where they do."""
    for cell, found in enumerate(cells):
        for one in found:
            yield replace(one, cell=cell) if cell else one


def _bound_by(tree: Tree, node: ast.AST) -> str | None:
    """The variable that is bound to what a node gives or is a part of."""
    statement = next((one for one in tree.ancestors(node) if isinstance(one, ast.stmt)), None)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) else None


def _item_of(node: ast.AST) -> str | None:
    """The variable of which an assignment sets an item."""
    target = (
        node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AugAssign) else None
    )
    held = target.value if isinstance(target, ast.Subscript) else None
    return held.id if isinstance(held, ast.Name) else None


def _is_container(value: ast.AST | None) -> bool:
    """Whether an expression makes a list, a dict or the like: `[]`, `[0] * n`, `dict()`."""
    match value:
        case ast.BinOp(op=ast.Mult()):
            return isinstance(value.left, ast.List) or isinstance(value.right, ast.List)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _CONTAINERS
        case _:
            return isinstance(value, _LITERALS)


def _in_order_of_rules() -> Callable[[_Found], tuple[int, int, int]]:
    places = {rule.id: place for place, rule in enumerate(own_rules())}
    return lambda found: (places[found.rule.id], found.cell, found.line)


def _of_project(sources: Sequence[str], rules: tuple[Rule, ...]) -> Iterator[_Found]:
    """What a project's own rules find: they are given to ast-grep, which understands all that can be in one."""
    if not rules:
        return
    from ast_grep_py import SgRoot

    for cell, code in enumerate(sources):
        root: Any = SgRoot((code if len(code) <= LONGEST else "") + "\n", "python").root()
        for rule in rules:
            for node in root.find_all(rule.config):
                called = _Called.of(node) if rule.receiver is not None else None
                yield _Found(cell, node.range().start.line + 1, rule, node.text(), called)


def _stands(evidence: Evidence, cell: Sequence[Evidence]) -> bool:
    """Whether weak evidence is not outdone by what else the cell does."""
    match evidence.weak:
        case None:
            return True
        case "line":
            return all(one.line != evidence.line or one.step == evidence.step for one in cell)
        case _:
            return all(one.step not in _RESULTS for one in cell)


class _Called(Struct, frozen=True):
    """A call of a method: the text of its object and of its arguments, and how many these are."""

    receiver: str
    arguments: str
    given: int

    @classmethod
    def of(cls, call: Any) -> _Called | None:
        """That of a call that ast-grep found."""
        receiver, arguments = call.get_match("OBJ"), call.field("arguments")
        if receiver is None or arguments is None:
            return None
        inside = [child for child in arguments.children() if child.is_named() and child.kind() != "comment"]
        return cls(receiver.text(), arguments.text(), len(inside))


class _Found(Struct, frozen=True):
    """A place that a rule matches, with the call where the rule asks for the kind of its object.

    `bound` is the variable that is bound to it or to what it is a part of, `item_of` that of which it sets an item.
    """

    cell: int
    line: int
    rule: Rule
    text: str
    called: _Called | None = None
    bound: str | None = None
    item_of: str | None = None


class _Span(Struct, frozen=True):
    """A function or class of the notebook: its cell, and the lines from its head to its end."""

    cell: int
    first: int
    last: int

    def holds(self, cell: int, line: int) -> bool:
        """Whether a line stands below its head."""
        return cell == self.cell and self.first < line <= self.last


class _NamedCall(Struct, frozen=True):
    """A call of a function by its plain name; `alone` where it is a statement of its own."""

    cell: int
    line: int
    name: str
    text: str
    alone: bool


class _Objects(Struct, frozen=True):
    """What a cell defines, binds and calls, by lines: functions and classes from head to end, and calls by plain names.

    `containers` are variables with whether they are bound to a list or dict, `makers` with the call that they are bound
    to, `methods` what is called on which object.
    """

    definitions: tuple[tuple[str, int, int], ...]
    functions: tuple[tuple[str, int, int], ...]
    containers: tuple[tuple[str, int, bool], ...]
    makers: tuple[tuple[str, int, str], ...]
    methods: tuple[tuple[str, str], ...]
    calls: tuple[_NamedCall, ...]

    @classmethod
    def of(cls, tree: Tree) -> _Objects:
        """Those of a tree."""
        kinds = {
            kind: tuple((node.name, node.lineno, node.end_lineno) for node in tree.of_kind.get(kind, ()))
            for kind in ("function_definition", "class_definition")
        }
        containers: list[tuple[str, int, bool]] = []
        makers: list[tuple[str, int, str]] = []
        for node in tree.of_kind.get("assignment", ()):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name):
                containers.append((target.id, node.lineno, _is_container(node.value)))
            if isinstance(tree.field(node, "right"), ast.Call):
                makers.append((tree.text(target), node.lineno, tree.text(node.value)))
        calls = tree.of_kind.get("call", ())
        return cls(
            definitions=tuple(each for found in kinds.values() for each in found),
            functions=kinds["function_definition"],
            containers=tuple(containers),
            makers=tuple(makers),
            methods=tuple(
                (tree.text(node.func.value), node.func.attr) for node in calls if isinstance(node.func, ast.Attribute)
            ),
            calls=tuple(
                _NamedCall(0, node.lineno, node.func.id, tree.text(node), isinstance(tree.parent(node), ast.Expr))
                for node in calls
                if isinstance(node.func, ast.Name)
            ),
        )


class _Scene:
    """The functions and objects of a notebook, by which calls are understood."""

    def __init__(self, cells: Sequence[_Objects]) -> None:
        self.functions: dict[str, _Span] = {}
        self.definitions: list[list[_Span]] = []
        self.makers: dict[str, list[tuple[tuple[int, int], str]]] = {}
        self.methods: dict[str, set[str]] = {}
        self.containers: dict[str, list[tuple[tuple[int, int], bool]]] = {}
        self.measured: set[str] = set()
        for cell, objects in enumerate(cells):
            self.definitions.append([_Span(cell, first, last) for _, first, last in objects.definitions])
            self.functions.update({name: _Span(cell, first, last) for name, first, last in objects.functions})
            for name, line, is_one in objects.containers:
                self.containers.setdefault(name, []).append(((cell, line), is_one))
            for name, line, text in objects.makers:
                self.makers.setdefault(name, []).append(((cell, line), text))
            for receiver, method in objects.methods:
                self.methods.setdefault(receiver, set()).add(method)
        self.predicted = {name for name, bound in self.makers.items() if any(".predict" in text for _, text in bound)}
        self.named_calls = [
            replace(call, cell=cell)
            for cell, objects in enumerate(cells)
            for call in objects.calls
            if call.name in self.functions
        ]

    def applies(self, found: _Found) -> bool:
        """What the pattern alone does not tell: the kind of object, and whether a model's results are worked on."""
        rule = found.rule
        if rule.receiver is not None:
            return found.called is not None and self.kind_of_receiver(found, found.called) == rule.receiver
        if rule.step not in _PREPARES:
            return True
        if found.item_of is not None and self._is_container(found.item_of, found):
            return False
        results = self.predicted | self.measured
        return results.isdisjoint(_WORD.findall(found.text)) and not _FITTED.search(found.text)

    def _is_container(self, name: str, found: _Found) -> bool:
        """Whether a variable is a list or dict at a place, whose items are no columns of a table."""
        before = [is_one for at, is_one in self.containers.get(name, ()) if at <= (found.cell, found.line)]
        return bool(before) and before[-1]

    def note_measured(self, places: Iterable[_Found]) -> None:
        """Keep the variables that hold scores or are made of them, and are no models."""
        bound = {found.bound for found in places if found.rule.step == "evaluate" and found.bound is not None}
        self.measured = {name for name in bound if self.methods.get(name, set()).isdisjoint(_OF_MODELS)}

    def meant(self, found: _Found) -> _Found:
        """What a rule found, with what it means here: a look at scores is an evaluation."""
        rule = found.rule
        if rule.step != "explore" or not rule.id.startswith(("show-", "print-", "look-")):
            return found
        if self.measured.isdisjoint(_WORD.findall(found.text)) and not _FITTED.search(found.text):
            return found
        return replace(found, rule=replace(rule, step="evaluate", message="shows how good the predictions are"))

    def kind_of_receiver(self, found: _Found, called: _Called) -> str | None:
        """`predictor`, `transformer` or `imputer`: what the object is on which the method is called."""
        bound = self.makers.get(called.receiver, [])
        here = found.cell, found.line
        maker = next((text for at, text in reversed(bound) if at <= here), bound[0][1] if bound else None)
        known = _kind_of_text(maker if maker is not None else called.receiver)
        return known or self._kind_by_use(called)

    def _kind_by_use(self, called: _Called) -> str | None:
        """What an object of unknown class is, by the methods called on it and by what `fit` is given."""
        used = self.methods.get(called.receiver, set())
        if used & {"predict", "predict_proba", "predict_classes", "score", "evaluate", "compile"}:
            return "predictor"
        if used & {"transform", "fit_transform", "inverse_transform"}:
            return "transformer"
        return "predictor" if called.given > 1 or _FITS_BY_KEYWORD.search(called.arguments) else None

    def evidence(self, found: _Found) -> Evidence:
        """What a rule's finding says of its cell."""
        rule = found.rule
        return Evidence(
            found.cell,
            found.line,
            rule.step,
            rule.id,
            rule.message,
            shortened(found.text),
            rule.confidence,
            any(span.holds(found.cell, found.line) for span in self.definitions[found.cell]),
            rule.weak,
        )

    def calls(self, found: Sequence[Evidence]) -> Iterator[Evidence]:
        """What calls of the notebook's own functions do: what the functions do."""
        does = {name: self._within(span, found) for name, span in self.functions.items()}
        for _ in range(_NESTED_CALLS):
            grown = False
            for call in self.named_calls:
                for outer, span in self.functions.items():
                    if span.holds(call.cell, call.line) and not does[call.name].keys() <= does[outer].keys():
                        does[outer] = {**does[call.name], **does[outer]}
                        grown = True
            if not grown:
                break
        for call in self.named_calls:
            done = does[call.name]
            shown_alone = "explore" in done and call.alone
            for step, one in done.items():
                if shown_alone and step in _PREPARES:
                    continue
                rule = Rule(f"call-{one.rule}", step, f"{one.message} by `{call.name}`", one.confidence * 0.95, {})
                yield self.evidence(_Found(call.cell, call.line, rule, call.text))

    @staticmethod
    def _within(span: _Span, found: Iterable[Evidence]) -> dict[str, Evidence]:
        inside = (one for one in found if span.holds(one.cell, one.line))
        return {one.step: one for one in inside if one.step != "imports" and one.confidence >= _LOWEST_CALLED}


def _kind_of_text(text: str) -> str | None:
    """The kind of the object that a call makes, by the names of the classes in it.

    What chooses columns is a transformer, whatever model it asks.
    """
    if _SELECTS.match(text):
        return "transformer"
    words = _WORD.findall(text)
    return next((kind for kind, form in kinds() if any(form.search(word) for word in words)), None)


def shortened(text: str) -> str:
    """Code in one line of at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_LIMIT else line[: _TEXT_LIMIT - 1].rstrip() + "…"
