"""Statements that choose, drop, add or order rows: training does what they say, serving keeps every row."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nbprod.analysis.frame_methods import ALIGNED
from nbprod.analysis.program import blocks_of
from nbprod.analysis.scopes import bound_names
from nbprod.model.plan import Refusal
from nbprod.model.program import Statement
from nbprod.notebook.parsed import parsed
from nbprod.plan.rendered import Line, Rendered
from nbprod.plan.source import Edit

if TYPE_CHECKING:
    from nbprod.plan.rewriting import Rewriter


SPLITS = {"split": 2, "resample": 1}
"""What gives several tables at once, and how many it makes of each operand."""


def row_change(rewriter: Rewriter, statement: Statement) -> Rendered | None:
    """A statement that only changes rows runs in training; in serving its name stands for the operand."""
    node = statement.node
    if isinstance(node, ast.Expr):
        note = rewriter.note(node.value)
        if note is not None and note.op == "row-changing":
            ordered = rewriter.together and sorts(node.value)
            return Rendered(rewriter.text(statement, fitting=not ordered), fitting=not ordered)
        if rewriter.together and numbers_anew(node.value):
            return Rendered(rewriter.text(statement, fitting=True), fitting=True)
        return None
    if isinstance(node, ast.Return):
        return _returned_split(rewriter, statement, node.value)
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return None
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        return _row_changes(rewriter, statement, target.elts, node.value.elts)
    note = rewriter.note(node.value)
    if note is None:
        return None
    if note.op in SPLITS:
        return _split(rewriter, statement, node.value, target, note.op)
    if note.op == "cut":
        return _cut(rewriter, statement, node.value, target)
    if note.op == ALIGNED and note.of is not None:
        return _aligned(rewriter, statement, node.value, note.of, target)
    if note.op != "row-changing" or not isinstance(target, ast.Name):
        return None
    base = base_of(rewriter, node.value)
    if base is None:
        return None
    if base is node.value:
        return Rendered(rewriter.text(statement, fitting=False))
    text = served(rewriter, base, statement.cell)
    rendered = Rendered(rewriter.text(statement, fitting=True), fitting=True)
    if text != target.id:
        rendered.otherwise = [(f"{target.id} = {text}", statement.line)]
    return rendered


def _row_changes(
    rewriter: Rewriter, statement: Statement, targets: Sequence[ast.expr], values: Sequence[ast.expr]
) -> Rendered | None:
    """`a, b = x[rows], y[rows]`, where each part only changes rows."""
    notes = [rewriter.note(value) for value in values]
    if len(targets) != len(values) or any(note is None or note.op != "row-changing" for note in notes):
        return None
    otherwise = []
    for target, value in zip(targets, values, strict=True):
        base = base_of(rewriter, value)
        if base is None or not isinstance(target, ast.Name):
            return None
        text = served(rewriter, base, statement.cell)
        if text != target.id:
            otherwise.append((f"{target.id} = {text}", statement.line))
    return Rendered(rewriter.text(statement, fitting=True), otherwise, fitting=True)


def sorts(node: ast.AST) -> bool:
    """Whether a call puts rows in order and keeps their labels, by which features get back the order of their batch."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SORTS


_SORTS = frozenset({"sort_values", "sort_index"})


def numbers_anew(node: ast.AST) -> bool:
    """Whether a call gives rows new numbers for the labels they had, which a batch needs for its answers."""
    match node:
        case ast.Call(func=ast.Attribute(attr="reset_index"), keywords=keywords):
            drop = next((each.value for each in keywords if each.arg == "drop"), None)
            return isinstance(drop, ast.Constant) and drop.value is True
    return False


def ordered_edits(rewriter: Rewriter, node: ast.Call, cell: int) -> list[Edit]:
    """`frame.sort_values(…)` as `learned.ordered(frame, lambda rows: rows.sort_values(…))`."""
    assert isinstance(node.func, ast.Attribute)
    source = rewriter.sources[cell]
    rewriter.touched = True
    taken = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    name = "rows" if "rows" not in taken else "its_rows"
    start, end = source.start(node), source.end(node)
    operand_end = source.end(node.func.value)
    inner = [edit for part in (*node.args, *node.keywords) for edit in rewriter.edits_of(part, cell, False)]
    return [
        Edit(start, start, "learned.ordered("),
        *rewriter.edits_of(node.func.value, cell, False),
        Edit(operand_end, operand_end, f", lambda {name}: {name}"),
        *inner,
        Edit(end, end, ")"),
    ]


def unnumbered_edits(rewriter: Rewriter, node: ast.Call, cell: int) -> list[Edit]:
    """`frame.reset_index(drop=True)` in training alone."""
    assert isinstance(node.func, ast.Attribute)
    source = rewriter.sources[cell]
    rewriter.touched = True
    whole = source.rendered(source.start(node), source.end(node), list(rewriter.edits_of_children(node, cell, True)))
    text = served(rewriter, node.func.value, cell)
    return [Edit(source.start(node), source.end(node), f"({whole} if learned.fitting else {text})")]


def order_lost(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Calls that put rows in order and forget the labels by which they could be put back."""
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if sorts(node) and isinstance(node, ast.Call):
            given = next((each.value for each in node.keywords if each.arg == "ignore_index"), None)
            if given is not None and not (isinstance(given, ast.Constant) and given.value is False):
                yield node


def served(rewriter: Rewriter, node: ast.AST, cell: int) -> str:
    """An operand as serving has it. Where it learns something, training has the same text.

    A name that stands in no cell is that of a table, whose rows were drawn into a list.
    """
    if isinstance(node, ast.Name) and not hasattr(node, "lineno"):
        return node.id
    source = rewriter.sources[cell]
    sites = len(rewriter.sites)
    edits = list(rewriter.edits_of(node, cell, False))
    text = source.rendered(source.start(node), source.end(node), edits)
    learns = len(rewriter.sites) > sites
    if learns:
        rewriter.replaced[id(node)] = text
    return f"{text} if learned.labelled else None" if _is_for_labels(rewriter, node, learns) else text


def part_edits(rewriter: Rewriter, node: ast.expr, cell: int) -> list[Edit]:
    """The edits of a part of `X, y = …`; a part that only labels need is left out for rows that have none."""
    source = rewriter.sources[cell]
    sites = len(rewriter.sites)
    edits = list(rewriter.edits_of(node, cell, False))
    if not _is_for_labels(rewriter, node, len(rewriter.sites) > sites):
        return edits
    rewriter.touched = True
    text = source.rendered(source.start(node), source.end(node), edits)
    return [Edit(source.start(node), source.end(node), f"({text} if learned.labelled else None)")]


def _is_for_labels(rewriter: Rewriter, node: ast.AST, learns: bool) -> bool:
    """Whether an operand needs statements that run for rows with a target alone.

    A name alone is None for the other rows.
    """
    fact = rewriter.run.operands.get(id(node))
    if fact is None or (isinstance(node, ast.Name) and not learns):
        return False
    masks = rewriter.masks
    return bool(fact.serve & masks.label & ~(masks.serve | masks.given))


def is_over_folds(rewriter: Rewriter, node: ast.For) -> bool:
    """Whether a loop goes through the folds of a splitter."""
    match node.iter:
        case ast.Call(func=ast.Name(id="enumerate"), args=[folds, *_]):
            note = rewriter.note(folds)
        case folds:
            note = rewriter.note(folds)
    return note is not None and note.op == "folds"


def folds(rewriter: Rewriter, statement: Statement) -> Rendered:
    """A loop over the folds of a splitter chooses rows: serving has its names stand for their operands."""
    assert isinstance(statement.node, ast.For)
    rendered = Rendered(rewriter.compound(statement, fitting=True), fitting=True)
    for node in statement.node.body:
        change = row_change(rewriter, rewriter.by_node[id(node)])
        if change is None:
            continue
        rendered.otherwise.extend(change.otherwise)
    return rendered


def is_over_groups(rewriter: Rewriter, node: ast.For) -> bool:
    """Whether a loop goes through the groups of a table and chooses rows of it that serving has to stand for."""
    note = rewriter.note(node.iter)
    if note is None or note.op != "groups":
        return False
    return any(rewriter.masks.serve >> rewriter.by_node[id(inner)].id & 1 for inner in node.body)


def groups(rewriter: Rewriter, statement: Statement) -> Rendered:
    """`for key, part in table.groupby(…)` chooses rows: serving has the table itself stand for each part."""
    node = statement.node
    assert isinstance(node, ast.For)
    rendered = Rendered(rewriter.compound(statement, fitting=True), fitting=True)
    note = rewriter.note(node.iter)
    match node.target:
        case ast.Tuple(elts=[_, ast.Name(id=part)]) if note is not None and note.of is not None:
            rendered.otherwise.append((f"{part} = {served(rewriter, note.of, statement.cell)}", statement.line))
        case _:
            rewriter.refusals.append(_not_by_groups(statement, node))
    for inner in node.body:
        own = rewriter.by_node[id(inner)]
        if not rewriter.masks.serve >> own.id & 1:
            continue
        if isinstance(inner, ast.For) and is_over_groups(rewriter, inner):
            rendered.otherwise.extend(groups(rewriter, own).otherwise)
            continue
        rendered.otherwise.extend(_for_the_whole(rewriter, own))
    return rendered


def _for_the_whole(rewriter: Rewriter, statement: Statement) -> list[Line]:
    """What serving does in place of a statement on a group: the same, but for choices among rows."""
    change = row_change(rewriter, statement)
    if change is not None:
        return change.otherwise
    sites = len(rewriter.sites)
    lines = rewriter.statement(statement, fitting=False).lines
    if len(rewriter.sites) > sites:
        rewriter.refusals.append(_not_by_groups(statement, statement.node))
    return lines


def _not_by_groups(statement: Statement, node: ast.AST) -> Refusal:
    return Refusal(
        statement.cell,
        getattr(node, "lineno", statement.line),
        "loop-over-groups",
        "what is learned here belongs to a group of rows, and a loop tells which group a row is in",
        "compute a table by group (groupby(…).agg(…)) and map it onto the rows",
    )


def base_of(rewriter: Rewriter, node: ast.AST) -> ast.AST | None:
    """What a chain of row changes starts from; a batch is served in the order that training had."""
    note = rewriter.note(node)
    while note is not None and note.op == "row-changing" and not (rewriter.together and sorts(node)):
        if note.of is None:
            return None
        node = note.of
        note = rewriter.note(node)
    return node


def _returned_split(rewriter: Rewriter, statement: Statement, value: ast.expr | None) -> Rendered | None:
    """`return train_test_split(…)`: serving gives each operand for both of its sides."""
    note = None if value is None else rewriter.note(value)
    if not isinstance(value, ast.Call) or note is None or note.op not in SPLITS:
        return None
    return _as_one(rewriter, statement, value, note.op, "return ")


def _as_one(rewriter: Rewriter, statement: Statement, value: ast.Call, op: str, before: str) -> Rendered | None:
    """A split that is kept or given back as a whole."""
    if any(isinstance(operand, ast.Starred) for operand in value.args):
        rewriter.refusals.append(_not_one_by_one(statement))
        return None
    texts = [_as_item(served(rewriter, operand, statement.cell)) for operand in _operands(value)]
    places = [text for text in texts for _ in range(SPLITS[op])]
    otherwise = [(before + ", ".join(places) + ("," if len(places) == 1 else ""), statement.line)]
    return Rendered(rewriter.text(statement, fitting=True), otherwise, fitting=True)


def _operands(call: ast.Call) -> list[ast.expr]:
    """The expressions of the tables that a call divides or draws from, in the order in which it gives them back."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return [*call.args, *(named[name] for name in ("X", "y") if name in named)]


def _as_item(text: str) -> str:
    """The text of an expression as it stands among others."""
    return f"({text})" if isinstance(parsed(text).body[0].value, ast.IfExp) else text  # type: ignore[attr-defined]


def _not_one_by_one(statement: Statement) -> Refusal:
    return Refusal(
        statement.cell,
        statement.line,
        "starred-split",
        "what is split stands behind a star, so that nothing says what each side is made of",
        "name what is split: train_test_split(X, y)",
    )


def other_side_edits(rewriter: Rewriter, node: ast.Tuple | ast.List, cell: int) -> Iterator[Edit]:
    """What a function gives back, with None for what serving does not make: who calls counts on places."""
    source = rewriter.sources[cell]
    for element in node.elts:
        modes = _made_in(rewriter, node, element, cell)
        if rewriter.is_of_other_side(rewriter.note(element)) or modes == {"none"}:
            yield Edit(source.start(element), source.end(element), "None")
        elif modes and modes <= {"none", "fit"}:
            rewriter.touched = True
            yield Edit(source.end(element), source.end(element), " if learned.fitting else None")
        else:
            yield from rewriter.edits_of(element, cell, False)


def _made_in(rewriter: Rewriter, returned: ast.AST, element: ast.expr, cell: int) -> set[str]:
    """When the statements of a function run that bind a name which it gives back; none for what is no such name."""
    statement = rewriter.statement_of(returned, cell)
    if not isinstance(element, ast.Name) or statement is None:
        return set()
    program = rewriter.program
    function = next((each for each in program.around(statement.id) if isinstance(each.node, ast.FunctionDef)), None)
    if function is None:
        return set()
    body = [each for each in program.statements if each.cell == cell and program.is_within(each.id, function.id)]
    simple = [each for each in body if not any(True for _ in blocks_of(each.node))]
    return {rewriter.mode(each) for each in simple if element.id in bound_names(each.node)}


def _aligned(
    rewriter: Rewriter, statement: Statement, value: ast.AST, kept: ast.AST, target: ast.expr
) -> Rendered | None:
    """`train, test = train.align(test, join="left", axis=1)`: the one is as it was, and the other is not served."""
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Call) or len(target.elts) != 2:
        return None
    name = target.elts[int(bool(value.args) and kept is value.args[0])]
    if not isinstance(name, ast.Name):
        return None
    rewriter.touched = True
    return Rendered([(f"{name.id} = {served(rewriter, kept, statement.cell)}.copy()", statement.line)])


def _split(rewriter: Rewriter, statement: Statement, value: ast.AST, target: ast.expr, op: str) -> Rendered | None:
    """`train_test_split`: serving has the names of its sides stand for the operands.

    An operand that learns something is the same text on both branches.
    """
    if not isinstance(value, ast.Call):
        return None
    if isinstance(target, ast.Name):
        return _as_one(rewriter, statement, value, op, f"{target.id} = ")
    if not isinstance(target, ast.Tuple | ast.List):
        return None
    texts = [served(rewriter, operand, statement.cell) for operand in _operands(value)]
    rendered = Rendered(rewriter.text(statement, fitting=True), fitting=True)
    per = len(target.elts) // max(len(texts), 1)
    for number, element in enumerate(target.elts):
        if not isinstance(element, ast.Name) or per == 0 or number // per >= len(texts):
            continue
        text = texts[number // per]
        if text != element.id:
            rendered.otherwise.append((f"{element.id} = {text}", statement.line))
    return rendered


def _cut(rewriter: Rewriter, statement: Statement, value: ast.AST, target: ast.expr) -> Rendered | None:
    """`np.split(table, places)`: serving has the name of each part stand for the table."""
    if not isinstance(value, ast.Call) or not isinstance(target, ast.Tuple | ast.List):
        return None
    text = served(rewriter, base_of(rewriter, value.args[0]) or value.args[0], statement.cell)
    rendered = Rendered(rewriter.text(statement, fitting=True), fitting=True)
    names = [element.id for element in target.elts if isinstance(element, ast.Name)]
    rendered.otherwise.extend((f"{name} = {text}", statement.line) for name in names if name != text)
    return rendered
