"""A notebook as stages that follow one another, and what each of them hands to those behind it.

A stage is a stretch of cells: it begins where a cell has a role that no cell above it has gone beyond, in the order
data, features, train, evaluate. What it hands over are the names that later cells read. A stage whose code on the way
to these names is what it was gives what it gave, so that it need not run again.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis.analyse import Analysis, all_statements
from nbprod.analysis.draws import SHARED
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.tables import library_kind
from nbprod.analysis.values import Value
from nbprod.model.notebook import Cell, Magic, Notebook, Role
from nbprod.model.plan import CallPlace
from nbprod.model.program import Program, Statement
from nbprod.notebook.formats import lines_of
from nbprod.notebook.redact import is_secret
from nbprod.plan.placing import names_written

ORDER = (Role.DATA, Role.FEATURES, Role.TRAIN, Role.EVALUATE)
"""Roles that make stages; a cell of parameters belongs to the first, one without a role to the stage around it."""

PLOTTING = frozenset({"matplotlib", "seaborn", "plotly", "bokeh", "altair", "pylab", "cufflinks", "plotnine"})
"""Libraries whose calls show something: they are neither run again nor part of what a stage gives."""

REPEATED = frozenset({"load_ext", "reload_ext", "config", "env", "set_env", "matplotlib", "pylab", "autoreload"})
"""Magics that prepare the kernel, and are run again for a stage that is restored."""

SHOWING = frozenset(
    {"time", "timeit", "capture", "prun", "who", "whos", "pwd", "ls", "history", "lsmagic", "pinfo", "pinfo2", "?"}
    | {"html", "HTML", "markdown", "latex", "svg", "javascript", "js", "pip", "conda", "mamba", "precision", "pprint"}
    | {"memit", "mprun", "lprun", "xmode", "psource", "pdoc", "pfile", "autosave", "store"}
    | {each.value for each in Role}
)
"""Magics that only show or measure, or install what the record of the environment has."""

SHELL = frozenset({"!", "!!", "sx", "system", "bash", "sh", "script", "cmd"})

# What a shell line may begin with that only shows something, or installs; and what would make it do more.
_HARMLESS = re.compile(
    r"!{1,2}\s*(?:ls|pwd|cat|head|tail|wc|echo|date|whoami|nvidia-smi|free|df|du|which|python3? (?:-V|--version)"
    r"|(?:python3? -m )?pip3?|conda|mamba)\b"
)
_BEYOND = re.compile(r"[|>;&`]|\$\(")

ALL_NAMES = frozenset({"globals", "locals", "vars", "dir", "exec", "eval", "get_ipython", "In", "Out", "__"})
"""Names through which a cell may read any other name, or what an earlier cell has shown."""

_SHOWN = re.compile(r"_(?:i|ii|iii|\d+|i\d+|oh|ih|dh)?")


class Stage(Struct, frozen=True):
    """The code cells `first` to `last`."""

    role: Role
    first: int
    last: int


class Handover(Struct, frozen=True):
    """What the cells up to `after` hand on.

    `names` are those that later cells read, `changed` those of them that later cells change in place. `prepared` are
    statements and magics that are run again before the values are there, `definitions` statements behind that: both as
    (cell, text). `digest` stands for the code on the way to the names; where `reason` is given, nothing can be handed
    over after this cell, and the stages stay together.
    """

    stage: Stage
    after: int
    names: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    prepared: tuple[tuple[int, str], ...] = ()
    definitions: tuple[tuple[int, str], ...] = ()
    defined: tuple[str, ...] = ()
    digest: str = ""
    reason: str | None = None


def stages_of(notebook: Notebook) -> tuple[Stage, ...]:
    """The stages in their order; a notebook without roles is one of the role `data`."""
    stages: list[Stage] = []
    last_training = max((cell.index for cell in notebook.cells if cell.role is Role.TRAIN), default=-1)
    for cell in notebook.cells:
        role = cell.role if cell.role in ORDER else None
        if role is Role.EVALUATE and cell.index < last_training:
            # To compare models is part of the way to the one that is trained.
            role = Role.TRAIN
        rank = ORDER.index(role) if role is not None else -1
        if not stages:
            stages.append(Stage(role or ORDER[0], cell.index, cell.index))
        elif rank > max(ORDER.index(each.role) for each in stages):
            # What has come before the first cell with a role belongs to it.
            is_first = all(above.role not in ORDER for above in notebook.cells[: cell.index])
            first = 0 if is_first else cell.index
            stages = [*([] if is_first else stages), Stage(ORDER[rank], first, cell.index)]
        else:
            stages[-1] = Stage(stages[-1].role, stages[-1].first, cell.index)
    return tuple(stages)


Analyse = Callable[[Notebook], Analysis]


def handovers(
    notebook: Notebook, whole: Analysis, analyse: Analyse, places: Sequence[CallPlace]
) -> tuple[Handover, ...]:
    """What each stage of a notebook hands on; the last one hands on nothing but what was captured at `places`.

    `whole` is the analysis of `notebook`; `analyse` gives that of its first cells.
    """
    found: list[Handover] = []
    stages = stages_of(notebook)
    for stage in stages:
        above = notebook.cells[: stage.last + 1]
        part = whole if stage is stages[-1] else analyse(_first_cells(notebook, stage.last + 1))
        found.append(_handover(stage, above, notebook.cells[stage.last + 1 :], whole, part, places))
    # A whole run is one in which each stage is what it was.
    digest = _digest([each.digest for each in found])
    return (*found[:-1], replace(found[-1], digest=digest))


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()


def _first_cells(notebook: Notebook, number: int) -> Notebook:
    return replace(notebook, cells=notebook.cells[:number])


def _handover(
    stage: Stage,
    above: Sequence[Cell],
    below: Sequence[Cell],
    whole: Analysis,
    part: Analysis,
    places: Sequence[CallPlace],
) -> Handover:
    program = part.program
    tops = [statement for statement in program.statements if statement.parent == -1]
    reason = _unsure(part) or _shell_reason(above) or (_reason_below(below, whole) if below else None)
    imported = frozenset(part.run.state.imports)
    definitions = {name: one for one in tops for name in _defined_by(one)}
    names = _with_those_of_functions(_crossing(whole, stage.last), definitions, part) if below else frozenset()
    made_again = sorted({one.id: one for name, one in definitions.items() if name in names}.items())
    constants = _constants(tops, names)
    known = definitions.keys() | constants.keys()
    reason = reason or _definition_reason([one for _, one in made_again], imported, known, tops)
    reason = reason or _secret_reason(names - constants.keys(), tops)
    prepared = [*_settings(tops, imported, whole.program), *_magics(above)]
    bits = _bits(part, names - constants.keys(), places, stage, is_last=not below)
    on_the_way = {_top(program, number) for number in _numbers(bits)}
    read = names - constants.keys()
    on_the_way |= {one.id for one in tops if bound_names(one.node) & read or _is_import(one.node)}
    on_the_way = _with_what_decides(on_the_way | {one.id for _, one in made_again}, tops, part)
    text = [ast.dump(one.node) for one in tops if one.id in on_the_way]
    text += [text for _, _, text in prepared]
    text += [magic.text for cell in above for magic in cell.magics if magic.name not in SHOWING]
    again = dict(made_again) | {one.id: one for one in constants.values()}
    defined = tuple(sorted({name for name in definitions if name in names} | constants.keys()))
    return Handover(
        stage=stage,
        after=stage.last,
        names=tuple(sorted(names)),
        changed=tuple(sorted({name for one in whole.effects[stage.last + 1 :] for name in one.updates} & names)),
        prepared=tuple((cell, text) for cell, _, text in sorted(prepared)),
        definitions=tuple((one.cell, _source(program, one)) for _, one in sorted(again.items())),
        defined=defined,
        digest=_digest([*sorted(names), *text]),
        reason=reason,
    )


# ---------------------------------------------------------------------- names


def _crossing(whole: Analysis, after: int) -> frozenset[str]:
    """Names that a cell behind `after` reads, and that a cell up to it has made."""
    return frozenset(
        name for edge in whole.edges if edge.source <= after < edge.target for name in edge.names
    )  # fmt: skip


def _with_those_of_functions(
    names: Set[str], definitions: dict[str, Statement], part: Analysis
) -> frozenset[str]:  # fmt: skip
    """Names with all that the functions among them read when they are called."""
    bound = part.run.state.names.keys()
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in definitions:
            waiting.extend(each for each in free_names(definitions[name].node) if each in bound or each in definitions)
    return frozenset(found - part.run.state.imports)


def _bits(part: Analysis, names: Set[str], places: Sequence[CallPlace], stage: Stage, *, is_last: bool) -> int:
    """The statements on the way to the names, to what is captured, and to what is drawn at random later."""
    run = part.run
    bits = 0
    for source, drawn in run.state.drawn.items():
        bits |= drawn if source in SHARED else 0
    shown = (
        {name for cell in range(stage.first, stage.last + 1) for name in part.effects[cell].defines} if is_last else ()
    )
    for name in (*names, *shown):
        if name in run.state.names:
            bits |= part.statements_for(name)
    wanted = {(place.cell, place.line, place.column, place.end_line, place.end_column) for place in places}
    for event in part.events:
        cell = part.program.statements[event.statement].cell
        node = event.node
        here = (cell, *(getattr(node, each, None) for each in ("lineno", "col_offset", "end_lineno", "end_col_offset")))
        if here in wanted:
            bits |= 1 << event.statement
            for fact in event.facts:
                bits |= all_statements(fact)
    spots = [(place.cell, place.line) for place in places]
    for statement in part.program.statements:
        if any(cell == statement.cell and statement.line <= line <= statement.end_line for cell, line in spots):
            bits |= 1 << statement.id
            for name in free_names(statement.node) & run.state.names.keys():
                bits |= part.statements_for(name)
    return bits


TABULAR = frozenset({"pandas", "numpy", "scipy"})
TABLES = frozenset({"frame", "series", "array", "estimator", "groupby", "index"})
"""Kinds of values whose way is followed by what they hold, and not by their names."""


def _with_what_decides(chosen: Set[int], tops: Sequence[Statement], part: Analysis) -> set[int]:
    """Statements with those that make what they read besides tables: switches, lists of names, functions.

    A value that is known beforehand decides which branch is taken, and leaves no trace in what is computed there.
    """
    state = part.run.state
    touching: dict[str, list[int]] = {}
    for one in tops:
        for name in _touched(one.node, state.names):
            touching.setdefault(name, []).append(one.id)
    nodes = {one.id: one.node for one in tops}
    found: set[int] = set()
    waiting = list(chosen)
    while waiting:
        number = waiting.pop()
        if number in found:
            continue
        found.add(number)
        for name in free_names(nodes[number]) - state.imports:
            if name not in state.names or state.names[name].kind not in TABLES:
                waiting.extend(touching.get(name, ()))
    return found


def _touched(node: ast.stmt, values: Mapping[str, Value]) -> frozenset[str]:
    """The names that a statement binds, or that lead to what it may change: any method may, and any unknown function.

    That is more than `names_written` says, which knows what changes what: one too many only runs a stage again.
    """
    found = set(names_written(node))
    for inner in ast.walk(node):
        match inner:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                found |= _root_of(inner)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as function)):
                found |= _root_of(function)
        if isinstance(inner, ast.Call):
            given = (*inner.args, *(each.value for each in inner.keywords))
            if _may_change(inner, values):
                found |= _root_of(inner.func).union(*(free_names(each) for each in given))
            # A method that is handed on is called by who gets it.
            found = found.union(*(_root_of(each) for each in given if isinstance(each, ast.Attribute)))
            if isinstance(inner.func, ast.Name) and inner.func.id in ("exec", "eval"):
                found |= values.keys()
    return frozenset(found)


def _may_change(call: ast.Call, values: Mapping[str, Value]) -> bool:
    """Whether a call may change what it is given: nothing of Python, of a known library or of a table does."""
    (name,) = _root_of(call.func) or {""}
    value = values.get(name)
    if value is None:
        return not hasattr(builtins, name)
    if value.kind in ("module", "lib"):
        package = str(value.name).partition(".")[0]
        return package not in TABULAR and library_kind(package) is None
    return isinstance(call.func, ast.Name) or value.kind not in (*TABLES, "list", "dict", "set", "str", "tuple")


def _root_of(node: ast.expr) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _top(program: Program, number: int) -> int:
    *_, top = program.statements[number], *program.around(number)
    return top.id


# ---------------------------------------------------------------------- what is run again


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _defined_by(statement: Statement) -> tuple[str, ...]:
    """The name that a statement gives to a function or class."""
    match statement.node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
            return (name,)
    return ()


def _constants(tops: Sequence[Statement], names: Set[str]) -> dict[str, Statement]:
    """Names that are given a literal once, such as parameters: they are set again as the notebook has them now.

    So another value reruns what it leads to, and not what only stands beside it.
    """
    binders: dict[str, list[Statement]] = {}
    for one in tops:
        for name in bound_names(one.node) & names:
            binders.setdefault(name, []).append(one)
    return {name: given[0] for name, given in binders.items() if len(given) == 1 and _is_constant(given[0].node)}


def _is_constant(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name()], value=value):
            pass
        case ast.AnnAssign(target=ast.Name(), value=ast.expr() as value):
            pass
        case _:
            return False
    try:
        hash(ast.literal_eval(value))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _definition_reason(
    made_again: Sequence[Statement], imported: Set[str], defined: Set[str], tops: Sequence[Statement]
) -> str | None:
    """Why a definition can't be run again: it takes a value of the data when it is made, or its name had others."""
    binders: dict[str, int] = {}
    for one in tops:
        for name in bound_names(one.node).union(_defined_by(one)):
            binders[name] = binders.get(name, 0) + 1
    for one in made_again:
        for name in _defined_by(one):
            if binders[name] > 1:
                return f"{name} of cell {one.cell} has a second meaning"
        taken = _taken_at_once(one.node) - imported - defined - vars(builtins).keys()
        if taken:
            return f"cell {one.cell} defines something with the value of {min(taken)}"
    return None


def _taken_at_once(node: ast.stmt) -> frozenset[str]:
    """The names that a definition reads when it is made, and not when it is called."""
    parts: list[ast.AST] = []
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            parts = [*node.decorator_list, *node.args.defaults, *(each for each in node.args.kw_defaults if each)]
        case ast.ClassDef():
            parts = [*node.decorator_list, *node.bases, *(each.value for each in node.keywords)]
            parts += [each for each in node.body if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
        case ast.Assign(value=ast.Lambda(args=args)):
            parts = [*args.defaults, *(each for each in args.kw_defaults if each)]
    return frozenset(name for part in parts for name in free_names(part))


Prepared = tuple[int, int, str]
"""Cell, line and text of what is run again before the values are there."""


def _settings(tops: Sequence[Statement], imported: Set[str], program: Program) -> list[Prepared]:
    """Imports, and statements that set something of a library by constants."""
    plotting = {
        alias.asname or alias.name.partition(".")[0]
        for one in tops
        for alias, module in _imports(one.node)
        if module.partition(".")[0] in PLOTTING
    }
    return [
        (one.cell, one.line, _source(program, one))
        for one in tops
        if _is_import(one.node) or _is_setting(one.node, imported, plotting)
    ]


def _imports(node: ast.stmt) -> Iterator[tuple[ast.alias, str]]:
    match node:
        case ast.Import(names=names):
            yield from ((alias, alias.name) for alias in names)
        case ast.ImportFrom(module=module, names=names):
            yield from ((alias, module or "") for alias in names)


def _is_setting(node: ast.stmt, imported: Set[str], plotting: Set[str]) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=function)):
            place: ast.expr = function
        case (
            ast.Assign(targets=[(ast.Attribute() | ast.Subscript()) as place])
            | ast.AugAssign(target=(ast.Attribute() | ast.Subscript()) as place)
        ):
            pass
        case _:
            return False
    root = place
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    is_of_module = isinstance(root, ast.Name) and root.id in imported - plotting
    return is_of_module and free_names(node) <= imported | vars(builtins).keys()


def _magics(cells: Sequence[Cell]) -> list[Prepared]:
    return [
        (cell.index, magic.line, magic.text)
        for cell in cells
        for magic in cell.magics
        if magic.name in REPEATED and not magic.is_cell
    ]


def _source(program: Program, statement: Statement) -> str:
    lines = lines_of(program.sources[statement.cell], keepends=False)
    if isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return "\n".join(lines[statement.line - 1 : statement.end_line])
    return ast.unparse(statement.node)


# ---------------------------------------------------------------------- why not


def _unsure(part: Analysis) -> str | None:
    if not part.complete:
        return "the analysis of the notebook stopped before its end"
    if part.run.clouded or part.run.open_imports:
        return "a cell runs code that is not in the notebook"
    return None


def _secret_reason(names: Set[str], tops: Sequence[Statement]) -> str | None:
    """A name that stands for a secret, or that a secret's text is given to."""
    texts: dict[str, list[str]] = {name: ["a text"] for name in names}
    for one in tops:
        for name in bound_names(one.node) & names:
            constants = (node.value for node in ast.walk(one.node) if isinstance(node, ast.Constant))
            texts[name] += [value for value in constants if isinstance(value, str)]
    found = next((name for name in sorted(names) if any(is_secret(name, text) for text in texts[name])), None)
    return None if found is None else f"{found} looks like a secret, which is not written"


def _shell_reason(cells: Sequence[Cell]) -> str | None:
    for cell in cells:
        for magic in cell.magics:
            if _does_more(magic):
                shown = magic.text.strip().splitlines()[0][:40]
                return f"cell {cell.index} runs {shown}, and what that reads and writes is not watched"
    return None


def _does_more(magic: Magic) -> bool:
    if magic.name in SHELL:
        harmless = _HARMLESS.match(magic.text.strip()) and not _BEYOND.search(magic.text)
        return bool(magic.assigns) or not harmless
    return bool(magic.assigns) or magic.name not in SHOWING | REPEATED


def _reason_below(below: Sequence[Cell], whole: Analysis) -> str | None:
    bound = whole.run.state.names.keys()
    for cell in below:
        for node in _nodes(whole.program, cell.index):
            match node:
                case ast.Name(id=name, ctx=ast.Load()) if name not in bound and _may_read_any(name):
                    return f"cell {cell.index} uses {name}, which may read any name"
    return None


def _may_read_any(name: str) -> bool:
    return name in ALL_NAMES or _SHOWN.fullmatch(name) is not None


def _nodes(program: Program, cell: int) -> Iterator[ast.AST]:
    for one in program.tops[cell]:
        yield from ast.walk(one.node)
