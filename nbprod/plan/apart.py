"""The model that is trained in a function or a loop, constructed and trained by itself.

Its construction is written with the values that its arguments had. What is no value that can be written, because the
notebook computes it (a weight of the labels, the settings that a search found), is written as the author wrote it, with
the statements before it that compute it: they have to stand at the top level, and nothing may change their names later.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Event, Value
from nbprod.model.plan import Binding, Status, Step
from nbprod.model.program import Statement
from nbprod.plan.modelling import trained_step
from nbprod.plan.placing import names_written
from nbprod.plan.rewriting import Rewriter
from nbprod.plan.steps import source_of
from nbprod.plan.training import NotApartError


def model_apart(
    analysis: Analysis,
    rewriter: Rewriter,
    fit: Event,
    name: str,
    names: tuple[str, str],
    prepared: Sequence[Statement],
    raw: Statement,
    *,
    last_round: bool = False,
) -> list[Step]:
    """The model constructed and trained by itself, its features made by the statements `prepared` of those of `raw`.

    With `last_round` it is that of the last round of a loop.

    Raises NotApartError where its construction is not known, or needs what can't be computed again.
    """
    construction = next((e for e in analysis.events if e.kind == "construct" and e.obj == fit.obj), None)
    obj = analysis.run.state.heap.get(fit.obj)
    if construction is None or obj is None:
        raise NotApartError("it is not known how the model was made")
    if construction.result is not None and obj.fact.digest != construction.result.digest:
        raise NotApartError("the model is changed between its construction and its training")
    writer = _Writer(analysis, rewriter, last_round=last_round)
    made = f"{name} = {writer.construction(construction)}"
    further = "".join(f", {text}" for text in _further(writer, fit))
    labels = "" if len(fit.node.args) < 2 and not any(k.arg == "y" for k in fit.node.keywords) else f", {names[1]}"
    method = fit.node.func.attr if isinstance(fit.node.func, ast.Attribute) else "fit"
    settings = _settings(analysis, writer.names - {*names, *rewriter.module_names}, construction, (*prepared, raw))
    return [
        *(trained_step(analysis, rewriter, statement) for statement in settings if statement not in (*prepared, raw)),
        *(_step(analysis, construction, text) for text in writer.rounds),
        _step(analysis, construction, made),
        _step(analysis, fit, f"{name}.{method}({names[0]}{labels}{further})"),
    ]


def _further(writer: _Writer, fit: Event) -> Iterator[str]:
    """The arguments of the training call besides matrix and labels, as text."""
    for node in fit.node.args[2:]:
        yield writer.as_written(node, fit)
    for keyword in fit.node.keywords:
        if keyword.arg not in ("X", "y"):
            text = writer.as_written(keyword.value, fit)
            yield f"{keyword.arg}={text}" if keyword.arg else f"**{text}"


def _settings(
    analysis: Analysis, names: Iterable[str], construction: Event, prepared: Sequence[Statement]
) -> list[Statement]:
    """The statements that compute these names, in order, with those that compute what they read."""
    wanted: dict[int, Statement] = {}
    seen: set[str] = set()
    to_find = set(names)
    while to_find:
        name = to_find.pop()
        if name in seen:
            continue
        seen.add(name)
        for statement in _writers(analysis, name):
            if statement.id < construction.top and statement.id not in wanted:
                wanted[statement.id] = statement
                to_find |= set() if statement in prepared else free_names(statement.node)
    return [wanted[number] for number in sorted(wanted)]


def _writers(analysis: Analysis, name: str) -> list[Statement]:
    """The statements of the top level that bind a name or change what it stands for, other than definitions."""
    return [
        statement
        for statement in analysis.program.statements
        if statement.parent == -1
        and not isinstance(statement.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
        and name in names_written(statement.node)
    ]


def _step(analysis: Analysis, event: Event, code: str) -> Step:
    statement = analysis.program.statements[event.statement]
    return Step(
        cell=statement.cell,
        line=event.node.lineno,
        end_line=event.node.end_lineno or event.node.lineno,
        binding=Binding.TRAIN_ONLY,
        status=Status.PROVEN,
        source=source_of(analysis, statement),
        code=code,
        lines=tuple(range(event.node.lineno, event.node.lineno + code.count("\n") + 1)),
    )


class _Writer:
    """Writes a construction with the values that its arguments had.

    `names` are those that are computed before it, `rounds` the assignments of what the last rounds of loops stand for.
    """

    def __init__(self, analysis: Analysis, rewriter: Rewriter, *, last_round: bool) -> None:
        self.analysis = analysis
        self.rewriter = rewriter
        self.last_round = last_round
        self.names: set[str] = set()
        self.rounds: dict[str, None] = {}

    def construction(self, event: Event) -> str:
        """The call that made an estimator."""
        nodes = [*event.node.args, *(keyword.value for keyword in event.node.keywords)]
        keys = [*("" for _ in event.node.args), *(keyword.arg or "**" for keyword in event.node.keywords)]
        plain = keys == [key for key, _ in event.arguments]
        texts = []
        for number, (key, value) in enumerate(event.arguments):
            text = self.value(value, nodes[number] if plain else None, event)
            texts.append(f"**{text}" if key == "**" else f"{key}={text}" if key else text)
        return f"{ast.unparse(event.node.func)}({', '.join(texts)})"

    def value(self, value: Value, node: ast.expr | None, event: Event) -> str:
        """An argument: as it is written where that says it all, else by its value, else as it is computed."""
        if node is not None and self._says_it_all(node):
            return ast.unparse(node)
        text = self._written_out(value, event)
        if text is not None:
            return text
        if node is None:
            raise NotApartError("an argument of the model is computed while the notebook runs")
        return self.as_written(node, event)

    def as_written(self, node: ast.expr, event: Event) -> str:
        """An argument in the author's text, which reads names that are computed before the statement at hand."""
        names = set(free_names(node) - self.rewriter.module_names)
        local = {name for frame in event.frames for name in _local_names(frame.function)}
        if self.last_round and not event.frames:
            names = self._before_rounds(names, event)
        for name in sorted(names):
            writers = _writers(self.analysis, name)
            if name in local or not writers or writers[-1].id >= event.top:
                raise NotApartError(f"{name}, which an argument is made of, is computed in the same place")
        self.names |= names
        return ast.unparse(node)

    def _before_rounds(self, names: set[str], event: Event) -> set[str]:
        """The names that are left to compute where those of loops around the call stand for their last round."""
        left = names
        for outer in self.analysis.program.around(event.statement):
            if not isinstance(outer.node, ast.For):
                continue
            target = {node.id for node in ast.walk(outer.node.target) if isinstance(node, ast.Name)}
            again = {name for inner in outer.node.body for name in bound_names(inner)}
            if target & left and not target & again:
                self.rounds[f"*_, {ast.unparse(outer.node.target)} = {ast.unparse(outer.node.iter)}"] = None
                left = left - target | free_names(outer.node.iter) - self.rewriter.module_names
        return left

    def _written_out(self, value: Value, event: Event) -> str | None:
        """A value as text, where all of it is known."""
        if value.is_const and isinstance(value.const, str | int | float | bool | range | None):
            return repr(value.const)
        if value.kind == "estimator":
            made = next((e for e in self.analysis.events if e.kind == "construct" and e.obj == value.obj), None)
            return None if made is None or made is event else self.construction(made)
        if value.kind == "dict" and value.obj >= 0 and self.analysis.run.obj(value).rest is None:
            items = self.analysis.run.obj(value).items
            texts = {repr(key): self._written_out(item, event) for key, item in items.items()}
            return None if None in texts.values() else "{" + ", ".join(f"{k}: {t}" for k, t in texts.items()) + "}"
        elements = self.analysis.run.elements(value) if value.kind in ("list", "tuple") else None
        if elements is None:
            return None
        inner = [self._written_out(element, event) for element in elements]
        if None in inner:
            return None
        text = ", ".join(each for each in inner if each is not None)
        if value.kind == "list":
            return f"[{text}]"
        return f"({text},)" if len(elements) == 1 else f"({text})"

    def _says_it_all(self, node: ast.expr) -> bool:
        """Whether an expression means the same at module level: literals, and names that are bound there once."""
        known = self.rewriter.module_names
        return all(name in known for name in free_names(node))


def _local_names(function: ast.AST | None) -> set[str]:
    """The names that a function binds for itself, its parameters among them."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return set()
    parameters = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    return parameters | (set() if isinstance(function, ast.Lambda) else bound_names(function))
