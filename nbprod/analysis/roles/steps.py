"""What cells do: the evidence that the rules find in their code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from msgspec import Struct

from nbprod.analysis.roles.rules import STEPS, Rule, kinds, own_rules
from nbprod.model.notebook import Cell

_TEXT_LIMIT = 60
_NESTED_CALLS = 4
_LOWEST_CALLED = 0.7
_PREPARES = frozenset({"preprocessing", "features"})
_RESULTS = frozenset({"train", "evaluate", "predict"})
_WORD = re.compile(r"[^\W\d]\w*")
_FITTED = re.compile(r"\.(predict\w*\(|coef_|intercept_|feature_importances_|cv_results_|best_score_)")
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
    """All cells are parsed as one text, so that each rule runs once."""
    from ast_grep_py import SgRoot

    texts = [source if len(source) <= LONGEST else "\n" * source.count("\n") for source in sources]
    root: Any = SgRoot("\n".join((*texts, "")), "python").root()
    starts = [0, *accumulate(source.count("\n") + 1 for source in sources)]
    scene = _Scene(root)
    found: list[Evidence] = []
    for rule in (*own_rules(), *rules):
        for node in root.find_all(rule.config):
            if scene.applies(rule, node):
                found.append(scene.evidence(node, rule, starts))
    found.extend(scene.calls(found, starts))
    cells: list[list[Evidence]] = [[] for _ in sources]
    for evidence in sorted(set(found), key=lambda one: (one.cell, one.line)):
        cells[evidence.cell].append(evidence)
    return tuple(tuple(one for one in cell if _stands(one, cell)) for cell in cells)


def _stands(evidence: Evidence, cell: Sequence[Evidence]) -> bool:
    """Whether weak evidence is not outdone by what else the cell does."""
    match evidence.weak:
        case None:
            return True
        case "line":
            return all(one.line != evidence.line or one.step == evidence.step for one in cell)
        case _:
            return all(one.step not in _RESULTS for one in cell)


class _Scene:
    """The functions and objects of a notebook, by which calls are understood."""

    def __init__(self, root: Any) -> None:
        self.functions = {
            name.text(): (node.range().start.line, node.range().end.line)
            for node in root.find_all({"rule": {"kind": "function_definition"}})
            if (name := node.field("name")) is not None
        }
        definitions = {"rule": {"any": [{"kind": "function_definition"}, {"kind": "class_definition"}]}}
        self.definitions = [(node.range().start.line, node.range().end.line) for node in root.find_all(definitions)]
        self.makers = self._makers(root)
        self.predicted = {name for name, bound in self.makers.items() if any(".predict" in text for _, text in bound)}
        self.methods = self._methods(root)
        self.named_calls = [
            (node, node.field("function").text())
            for node in root.find_all({"rule": {"kind": "call", "has": {"field": "function", "kind": "identifier"}}})
        ]

    @staticmethod
    def _makers(root: Any) -> dict[str, list[tuple[int, str]]]:
        """For each variable the lines where it is bound to a call, with the call's text."""
        makers: dict[str, list[tuple[int, str]]] = {}
        for node in root.find_all({"rule": {"kind": "assignment", "has": {"field": "right", "kind": "call"}}}):
            left, right = node.field("left"), node.field("right")
            makers.setdefault(left.text(), []).append((node.range().start.line, right.text()))
        return makers

    @staticmethod
    def _methods(root: Any) -> dict[str, set[str]]:
        """For each variable the methods that are called on it."""
        methods: dict[str, set[str]] = {}
        for node in root.find_all({"rule": {"kind": "call", "has": {"field": "function", "kind": "attribute"}}}):
            function = node.field("function")
            methods.setdefault(function.field("object").text(), set()).add(function.field("attribute").text())
        return methods

    def applies(self, rule: Rule, node: Any) -> bool:
        """What the pattern alone does not tell: the kind of object, and whether a model's results are worked on."""
        if rule.receiver is not None:
            return self.kind_of_receiver(node) == rule.receiver
        if rule.step not in _PREPARES:
            return True
        text = node.text()
        return self.predicted.isdisjoint(_WORD.findall(text)) and not _FITTED.search(text)

    def kind_of_receiver(self, call: Any) -> str | None:
        """`predictor`, `transformer` or `imputer`: what the object is on which the method is called."""
        receiver = call.get_match("OBJ")
        if receiver is None:
            return None
        name, line = receiver.text(), call.range().start.line
        bound = self.makers.get(name, [])
        maker = next((text for at, text in reversed(bound) if at <= line), bound[0][1] if bound else None)
        known = _kind_of_text(maker if maker is not None else name)
        return known or self._kind_by_use(name, call)

    def _kind_by_use(self, name: str, call: Any) -> str | None:
        """What an object of unknown class is, by the methods called on it and by what `fit` is given."""
        used = self.methods.get(name, set())
        if used & {"predict", "predict_proba", "predict_classes", "score", "evaluate", "compile"}:
            return "predictor"
        if used & {"transform", "fit_transform", "inverse_transform"}:
            return "transformer"
        arguments = call.field("arguments")
        given = [child for child in arguments.children() if child.is_named() and child.kind() != "comment"]
        if len(given) > 1 or _FITS_BY_KEYWORD.search(arguments.text()):
            return "predictor"
        return None

    def evidence(self, node: Any, rule: Rule, starts: Sequence[int]) -> Evidence:
        line = node.range().start.line
        cell = bisect_right(starts, line) - 1
        cell = min(cell, len(starts) - 2)
        return Evidence(
            cell,
            line - starts[cell] + 1,
            rule.step,
            rule.id,
            rule.message,
            shortened(node.text()),
            rule.confidence,
            self._deferred(line),
            rule.weak,
        )

    def _deferred(self, line: int) -> bool:
        return any(first < line <= last for first, last in self.definitions)

    def calls(self, found: Sequence[Evidence], starts: Sequence[int]) -> Iterator[Evidence]:
        """What calls of the notebook's own functions do: what the functions do."""
        does = {name: self._within(span, found, starts) for name, span in self.functions.items()}
        for _ in range(_NESTED_CALLS):
            grown = False
            for node, name in self.named_calls:
                line = node.range().start.line
                for outer, (first, last) in self.functions.items():
                    if first < line <= last and name in does and not does[name].keys() <= does[outer].keys():
                        does[outer] = {**does[name], **does[outer]}
                        grown = True
            if not grown:
                break
        for node, name in self.named_calls:
            done = does.get(name, {})
            shown_alone = "explore" in done and node.parent().kind() == "expression_statement"
            for step, one in done.items():
                if shown_alone and step in _PREPARES:
                    continue
                rule = Rule(f"call-{one.rule}", step, f"{one.message} by `{name}`", one.confidence * 0.95, {})
                yield self.evidence(node, rule, starts)

    @staticmethod
    def _within(span: tuple[int, int], found: Iterable[Evidence], starts: Sequence[int]) -> dict[str, Evidence]:
        inside = (one for one in found if span[0] < starts[one.cell] + one.line - 1 <= span[1])
        return {one.step: one for one in inside if one.step != "imports" and one.confidence >= _LOWEST_CALLED}


def _kind_of_text(text: str) -> str | None:
    """The kind of the object that a call makes, by the names of the classes in it."""
    words = _WORD.findall(text)
    return next((kind for kind, form in kinds() if any(form.search(word) for word in words)), None)


def shortened(text: str) -> str:
    """Code in one line of at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_LIMIT else line[: _TEXT_LIMIT - 1].rstrip() + "…"
