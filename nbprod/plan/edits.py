"""The edits of single expressions: sites, fitted estimators, idioms, row changes, dropped columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbprod.analysis.values import Note, Time
from nbprod.idiom import find_idiom
from nbprod.model.plan import LearnedSite, Refusal
from nbprod.notebook.parsed import children, nodes_below
from nbprod.plan import together
from nbprod.plan.rows import base_of, served
from nbprod.plan.source import Edit

if TYPE_CHECKING:
    from nbprod.plan.rewriting import Rewriter


TABLES = frozenset({"frame", "series", "array", "groupby"})


def display_edits(rewriter: Rewriter, node: ast.List | ast.Tuple | ast.Dict, cell: int) -> list[Edit] | None:
    """A list of frames without those on the other side of the split, which serving does not have."""
    if isinstance(node, ast.Dict):
        return together.tables_edits(rewriter, node, cell)
    if not isinstance(node.ctx, ast.Load):
        return None
    tables = together.tables_edits(rewriter, node, cell)
    if tables is not None or rewriter.side not in ("train", "test"):
        return tables
    kept = [
        element
        for element in node.elts
        if not (isinstance(element, ast.Name) and rewriter.is_of_other_side(rewriter.note(element)))
    ]
    if len(kept) == len(node.elts) or not kept:
        return None
    source = rewriter.sources[cell]
    texts = [source.rendered(source.start(e), source.end(e), list(rewriter.edits_of(e, cell, False))) for e in kept]
    opening, closing = ("[", "]") if isinstance(node, ast.List) else ("(", ",)" if len(kept) == 1 else ")")
    return [Edit(source.start(node), source.end(node), opening + ", ".join(texts) + closing)]


def site_edits(rewriter: Rewriter, node: ast.expr, cell: int) -> list[Edit]:
    """`learned("name", lambda: …)` around an expression that looks over rows."""
    source = rewriter.sources[cell]
    rewriter.touched = True
    key = key_of(rewriter, node)
    name = new_site(rewriter, site_name(rewriter, node), node, cell)
    suffix = f", key={key})" if key else ")"
    inner = [edit for child in children(node) for edit in rewriter.edits_of(child, cell, True)]
    if isinstance(node, ast.GeneratorExp):
        if source.segment(node)[:1] != "(":
            return inner
        # What is gone through once is kept as a list, and gone through once again.
        return [
            Edit(source.start(node), source.start(node), f'iter(learned("{name}", lambda: list('),
            *inner,
            Edit(source.end(node), source.end(node), f"){suffix})"),
        ]
    return [
        Edit(source.start(node), source.start(node), f'learned("{name}", lambda: '),
        *inner,
        Edit(source.end(node), source.end(node), suffix),
    ]


def order_edits(rewriter: Rewriter, node: ast.expr, cell: int) -> list[Edit]:
    """`learned("order", lambda: list(…))` around a set that a loop goes through."""
    source = rewriter.sources[cell]
    rewriter.touched = True
    name = new_site(rewriter, "order", node, cell)
    return [
        Edit(source.start(node), source.start(node), f'learned("{name}", lambda: list('),
        Edit(source.end(node), source.end(node), "))"),
    ]


def key_of(rewriter: Rewriter, node: ast.AST) -> str:
    """The loop variable that tells the values of one site apart, empty where there is none; a table is no key."""
    names = {
        inner.id
        for inner in nodes_below(node)
        if isinstance(inner, ast.Name) and ((note := rewriter.note(inner)) is None or note.kind not in TABLES)
    }
    for name in reversed(rewriter.loops):
        if name in names:
            return name
    return ""


def new_site(rewriter: Rewriter, stem: str, node: ast.AST, cell: int) -> str:
    """A name for a site that no other site has."""
    count = rewriter.site_counts.get(stem, 0) + 1
    rewriter.site_counts[stem] = count
    rewriter.stems.append(stem)
    name = stem if count == 1 else f"{stem}_{count}"
    line = getattr(node, "lineno", 1)
    rewriter.sites.append(LearnedSite(name, rewriter.sources[cell].segment(node), cell, line))
    return name


def site_name(rewriter: Rewriter, node: ast.expr) -> str:
    """A name a person recognises: the column and the statistic, or the name that the value gets."""
    if rewriter.bound and node is rewriter.whole:
        return rewriter.bound
    words: list[str] = []
    for inner in _in_order(node):
        match inner:
            case ast.Constant(value=str(text)):
                words.append(text)
            case ast.Attribute():
                words.append(inner.attr)
    found = [word for word in (re.sub(r"\W+", "_", w).strip("_") for w in words) if word]
    if not any(isinstance(inner, ast.Constant) and isinstance(inner.value, str) for inner in nodes_below(node)):
        found = [*subject_of(rewriter, node), *found]
    name = "_".join(dict.fromkeys(found[:3])) or "value"
    return name if not name[0].isdigit() else "n" + name


def subject_of(rewriter: Rewriter, node: ast.expr) -> list[str]:
    """The first name that an expression mentions, unless it is a loop's own."""
    names = (inner.id for inner in _in_order(node) if isinstance(inner, ast.Name) and inner.id not in rewriter.loops)
    first = next(names, None)
    return [first] if first is not None and not rewriter.loops else []


def fit_edits(rewriter: Rewriter, node: ast.Call, note: Note, cell: int) -> list[Edit]:
    """`x.fit(…)` as `learned.fit("name", x, …)`."""
    source = rewriter.sources[cell]
    assert isinstance(node.func, ast.Attribute)
    rewriter.touched = True
    receiver = node.func.value
    stem = re.sub(r"\W+", "_", source.segment(receiver)).strip("_") if isinstance(receiver, ast.Name) else ""
    if not stem:
        stem = _snake(_class_name(receiver))
    key = key_of(rewriter, node)
    name = new_site(rewriter, stem, node, cell)
    verb = {"fit": "fit", "fit-transform": "fit_transform", "fit-predict": "fit_predict"}[note.op]
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    edits = [Edit(source.start(node), source.start(node), f'learned.{verb}("{name}", ')]
    edits.extend(rewriter.edits_of(receiver, cell, False))
    open_at = source.text.index("(", source.end(node.func))
    first = source.start(node.args[0]) if node.args else None
    if first is None and node.keywords:
        first = source.offset(node.keywords[0].lineno, node.keywords[0].col_offset)
    close = source.end(node) - 1
    edits.append(Edit(source.end(receiver), first if first is not None else open_at + 1, ", " if arguments else ""))
    for argument in arguments:
        # labels that something is done to: rows that are served have none
        only_fitted = argument is not arguments[0] and _acts_on_rows(rewriter, argument)
        edits.extend([Edit(source.start(argument), source.start(argument), "(")] if only_fitted else [])
        edits.extend(rewriter.edits_of(argument, cell, False))
        at = source.end(argument)
        edits.extend([Edit(at, at, " if learned.fitting else None)")] if only_fitted else [])
    if key:
        edits.append(Edit(close, close, f", key={key}"))
    return edits


def _acts_on_rows(rewriter: Rewriter, argument: ast.expr) -> bool:
    """Whether an argument is more than a name of what has a value for each row."""
    note = rewriter.note(argument)
    return note is not None and note.time is Time.ROW and not isinstance(argument, ast.Name | ast.Constant)


def dataset_text(rewriter: Rewriter, read: ast.Call, rows: str) -> str:
    """One of scikit-learn's own tables, made of raw rows."""
    loader = ast.unparse(read.func)
    name = loader.rpartition(".")[2]
    made_up = name.startswith("make_")
    options = {"return_X_y": "True"} if made_up else {}
    for keyword in read.keywords:
        if keyword.arg in ("return_X_y", "as_frame"):
            options[keyword.arg] = ast.unparse(keyword.value)
    given = "".join(f", {key}={value}" for key, value in options.items())
    function = rewriter.use_idiom("dataset", "dataset")
    return f'{function}(learned, "{name}", {None if made_up else loader}, {rows}{given})'


def idiom_edits(rewriter: Rewriter, node: ast.expr, note: Note, cell: int) -> list[Edit] | None:
    """A call that looks over rows and writes to each, as its serving form."""
    source = rewriter.sources[cell]
    idiom = find_idiom(note.op.partition(":")[2])
    if idiom is None:
        rewriter.refusals.append(
            Refusal(
                cell,
                node.lineno,
                note.op.partition(":")[2],
                "it looks over all rows and writes to each, and no serving form of it is known",
                "compute what it needs to know of all rows in a statement of its own, and use that value",
            )
        )
        return []
    rewriter.touched = True
    function = rewriter.use_idiom(idiom.name, idiom.function)
    stem = f"{rewriter.bound}_{idiom.function}" if rewriter.bound else site_name(rewriter, node)
    name = new_site(rewriter, stem, node, cell)
    if idiom.method:
        call = node if isinstance(node, ast.Call) else None
        attribute = node.func if isinstance(node, ast.Call) else node
        operand: ast.expr = attribute.value if isinstance(attribute, ast.Attribute) else attribute
        for _ in range(idiom.drop_attributes):
            operand = operand.value if isinstance(operand, ast.Attribute) else operand
        edits = [
            Edit(source.start(node), source.start(node), f'{function}(learned, "{name}", '),
            *rewriter.edits_of(operand, cell, False),
        ]
        if call is None:
            edits.append(Edit(source.end(operand), source.end(node), ")"))
        else:
            arguments = [*call.args, *(k.value for k in call.keywords)]
            open_at = source.text.index("(", source.end(attribute))
            edits.append(Edit(source.end(operand), open_at + 1, ", " if arguments else ""))
            for argument in arguments:
                edits.extend(rewriter.edits_of(argument, cell, False))
        return edits
    assert isinstance(node, ast.Call)
    open_at = source.text.index("(", source.end(node.func))
    edits = [Edit(source.start(node), open_at + 1, f'{function}(learned, "{name}", ')]
    for argument in (*node.args, *(k.value for k in node.keywords)):
        edits.extend(rewriter.edits_of(argument, cell, False))
    return edits


def guard_edits(rewriter: Rewriter, node: ast.expr, cell: int) -> list[Edit]:
    """A row change in the middle of an expression: `(… if learned.fitting else operand)`."""
    source = rewriter.sources[cell]
    base = base_of(rewriter, node)
    if base is None:
        rewriter.refusals.append(
            Refusal(
                cell,
                node.lineno,
                "row-change",
                "rows are chosen inside of a larger expression",
                "choose the rows in a statement of their own",
            )
        )
        return []
    rewriter.touched = True
    text = served(rewriter, base, cell)
    whole = source.rendered(source.start(node), source.end(node), list(rewriter.edits_of_children(node, cell, True)))
    return [Edit(source.start(node), source.end(node), f"({whole} if learned.fitting else {text})")]


def rows_and_columns(rewriter: Rewriter, node: ast.Subscript, cell: int) -> list[Edit]:
    """`x.loc[rows, columns]`: the rows are chosen in training only."""
    source = rewriter.sources[cell]
    assert isinstance(node.slice, ast.Tuple)
    rewriter.touched = True
    rows, columns = node.slice.elts[0], node.slice.elts[1]
    text = source.segment(rows)
    if isinstance(rows, ast.Slice):
        bounds = [source.segment(p) if p is not None else "None" for p in (rows.lower, rows.upper, rows.step)]
        text = f"slice({', '.join(bounds)})"
    return [
        *rewriter.edits_of(node.value, cell, False),
        Edit(source.start(rows), source.end(rows), f"({text} if learned.fitting else slice(None))"),
        *rewriter.edits_of(columns, cell, False),
    ]


def drop_edits(rewriter: Rewriter, node: ast.Call, cell: int, *, fitting: bool = False) -> list[Edit] | None:
    """A dropped column that nothing else needs is not made: then dropping it is no error.

    A raw column that is written anew and dropped is there as it was read, unless it was dropped before. With `fitting`
    all that training makes is there. Rows that go with the columns (`index=…`) are dropped in training only.
    """
    source = rewriter.sources[cell]
    given = rows_of_drop(node)
    rows_edits = [] if given is None or fitting else _in_training(rewriter, given, cell, "[]")
    statement = rewriter.statement_of(node, cell)
    gone = [(bits, name) for at, bits, name in rewriter.run.dropped if statement is not None and at == statement.id]
    unmade = [name for bits, name in gone if rewriter.masks.never_made(bits)]
    missing = [name for name in unmade if not rewriter.may_be_raw(name)]
    at_times = [name for name in unmade if name not in missing] + [
        name
        for bits, name in gone
        if not fitting and bits & ~(rewriter.masks.serve | rewriter.masks.given) and name not in unmade
    ]
    inner = [
        *rows_edits,
        *(
            edit
            for child in children(node)
            if not (rows_edits and given in (child, getattr(child, "value", None)))
            for edit in rewriter.edits_of(child, cell, fitting)
        ),
    ]
    if not (missing or at_times) or any(keyword.arg == "errors" for keyword in node.keywords):
        return inner
    labels = next(
        (k.value for k in node.keywords if k.arg in ("columns", "labels")), node.args[0] if node.args else None
    )
    if not at_times and isinstance(labels, ast.List) and all(isinstance(e, ast.Constant) for e in labels.elts):
        kept = [e for e in labels.elts if isinstance(e, ast.Constant) and e.value not in missing]
        text = "[" + ", ".join(source.segment(element) for element in kept) + "]"
        return [*rows_edits, Edit(source.start(labels), source.end(labels), text)]
    close = source.end(node) - 1
    before = source.text[source.start(node) : close].rstrip()
    comma = " " if before.endswith(",") else ", "
    return [*inner, Edit(close, close, f'{comma}errors="ignore"')]


def rows_of_drop(node: ast.Call) -> ast.expr | None:
    """The rows that `drop` leaves out beside columns, None where it is given none."""
    return next((keyword.value for keyword in node.keywords if keyword.arg == "index"), None)


def _in_training(rewriter: Rewriter, node: ast.expr, cell: int, otherwise: str) -> list[Edit]:
    """An argument that only training has, and what serving has in its place."""
    source = rewriter.sources[cell]
    rewriter.touched = True
    text = source.rendered(source.start(node), source.end(node), list(rewriter.edits_of(node, cell, True)))
    return [Edit(source.start(node), source.end(node), f"({text} if learned.fitting else {otherwise})")]


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes in the order in which they are read."""
    match node:
        case ast.Attribute():
            yield from _in_order(node.value)
            yield node
        case _:
            yield node
            for child in children(node):
                yield from _in_order(child)


def _class_name(node: ast.AST) -> str:
    match node:
        case ast.Call():
            return _class_name(node.func)
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
        case ast.Subscript():
            return _class_name(node.value)
        case _:
            return "estimator"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
