"""What a cell defines, binds and calls, as far as the steps of other cells depend on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from nbprod.analysis.roles.holdings import Block
from nbprod.analysis.roles.syntax import Tree, left_of

_LEARNS = frozenset({"fit", "partial_fit", "fit_transform", "fit_predict", "train", "fit_resample", "DMatrix"})
_SPLITS = frozenset({"train_test_split", "cross_val_score", "cross_validate", "cross_val_predict", "DMatrix"})
_LITERALS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_CONTAINERS = frozenset({"list", "dict", "set", "deque", "defaultdict", "OrderedDict"})


class NamedCall(Struct, frozen=True, gc=False):
    """A call of a function by its plain name; `alone` where it is a statement of its own.

    `places` are the variables that it gives by place, with nothing for what is no variable.
    """

    cell: int
    line: int
    name: str
    text: str
    alone: bool
    places: tuple[str, ...]


class Objects(Struct, frozen=True, gc=False):
    """What a cell defines, binds and calls, by lines: functions and classes from head to end, and calls by plain names.

    `parameters` are those that a function takes by place, `containers` are variables with whether they are bound to a
    list or dict, `makers` with the call that they are bound to, `methods` what is called on which object, `fitted` the
    names in what a model learns from, with whether one is all of an argument, `others` the names under which classes
    are imported, each with its own, `alone` the columns that a variable is bound to.
    """

    definitions: tuple[tuple[str, int, int], ...]
    functions: tuple[tuple[str, int, int], ...]
    parameters: tuple[tuple[str, tuple[str, ...]], ...]
    containers: tuple[tuple[str, int, bool], ...]
    makers: tuple[tuple[str, int, str], ...]
    methods: tuple[tuple[str, str], ...]
    calls: tuple[NamedCall, ...]
    fitted: tuple[tuple[str, bool], ...]
    others: tuple[tuple[str, str], ...]
    alone: frozenset[str]
    block: Block

    @classmethod
    def of(cls, tree: Tree, module: ast.Module) -> Objects:
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
                containers.append((target.id, node.lineno, is_container(node.value)))
            if isinstance(tree.field(node, "right"), ast.Call):
                makers.append((tree.text(target), node.lineno, tree.text(node.value)))
        calls = tree.of_kind.get("call", ())
        return cls(
            definitions=tuple(each for found in kinds.values() for each in found),
            functions=kinds["function_definition"],
            parameters=tuple(
                (node.name, tuple(one.arg for one in (*node.args.posonlyargs, *node.args.args)))
                for node in tree.of_kind.get("function_definition", ())
            ),
            containers=tuple(containers),
            makers=tuple(makers),
            methods=tuple(
                (tree.text(node.func.value), node.func.attr) for node in calls if isinstance(node.func, ast.Attribute)
            ),
            calls=tuple(
                NamedCall(
                    0,
                    node.lineno,
                    node.func.id,
                    tree.text(node),
                    isinstance(tree.parent(node), ast.Expr),
                    _places(node),
                )
                for node in calls
                if isinstance(node.func, ast.Name)
            ),
            fitted=tuple(each for node in calls for each in _learned_from(node)),
            others=tuple(
                (one.asname, one.name)
                for node in tree.of_kind.get("import_from_statement", ())
                for one in node.names
                if one.asname is not None
            ),
            alone=frozenset(_columns_alone(tree)),
            block=Block.of(module),
        )


def _places(call: ast.Call) -> tuple[str, ...]:
    """The variables that a call gives by place."""
    return tuple(argument.id if isinstance(argument, ast.Name) else "" for argument in call.args)


def _columns_alone(tree: Tree) -> Iterator[str]:
    """The columns that a variable is bound to, or that a call which learns or splits is given as one argument."""
    bound = (node.value for node in tree.of_kind.get("assignment", ()) if isinstance(left_of(node), ast.Name))
    given = (argument for call in tree.of_kind.get("call", ()) if _learns(call) for argument in call.args)
    for value in (*bound, *given):
        column = _column(value)
        if column is not None:
            yield column


def _column(value: ast.AST | None) -> str | None:
    """The name of the one column that an expression takes: `df['y']`, `df.y`, `df['y'].values`."""
    match value:
        case (
            ast.Attribute(value=inner, attr="values" | "T")
            | ast.Call(func=ast.Attribute(value=inner, attr="copy" | "to_numpy" | "ravel" | "astype"))
        ):
            return _column(inner)
        case (
            ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str(name)))
            | ast.Attribute(value=ast.Name(), attr=name)
        ):
            return name
        case ast.Subscript(value=ast.Name(), slice=ast.List(elts=[ast.Constant(value=str(name))])):
            return name
        case _:
            return None


def _learns(call: ast.Call) -> bool:
    """Whether a call gives a model what it learns from, or divides that."""
    match call.func:
        case ast.Attribute(attr=name):
            return name in _LEARNS or name in _SPLITS
        case ast.Name(id=name):
            return name in _SPLITS
        case _:
            return False


def _learned_from(call: ast.Call) -> Iterator[tuple[str, bool]]:
    """The names in what a call gives to a model to learn from, and whether one is all of an argument."""
    if _learns(call):
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            yield from ((node.id, node is argument) for node in ast.walk(argument) if isinstance(node, ast.Name))


def is_container(value: ast.AST | None) -> bool:
    """Whether an expression makes a list, a dict or the like: `[]`, `[0] * n`, `dict()`."""
    match value:
        case ast.BinOp(op=ast.Mult()):
            return isinstance(value.left, ast.List) or isinstance(value.right, ast.List)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _CONTAINERS
        case _:
            return isinstance(value, _LITERALS)
